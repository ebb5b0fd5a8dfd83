/* JSON as people lay it out: an object or array that fits into a line is one; else each of its
 * members has a line of its own. */
#include "scenarios/format/write_internal.h"

#include <stdlib.h>

#define LINE_MAX 100
#define INDENT 2

struct text {
    char *bytes;
    size_t used;
    size_t capacity;
    bool failed;
};

static void add_bytes(struct text *t, const char *bytes, size_t count)
{
    if (t->used + count + 1 > t->capacity) {
        const size_t capacity = 2 * (t->used + count + 1);
        char *bigger = realloc(t->bytes, capacity);
        if (!bigger) {
            t->failed = true;
            return;
        }
        t->bytes = bigger;
        t->capacity = capacity;
    }
    memcpy(t->bytes + t->used, bytes, count);
    t->used += count;
    t->bytes[t->used] = '\0';
}

static void add(struct text *t, const char *string)
{
    add_bytes(t, string, strlen(string));
}

/* A string, number or word, as cJSON writes it. */
static void add_scalar(struct text *t, const cJSON *json)
{
    char *printed = cJSON_PrintUnformatted(json);
    if (printed) {
        add(t, printed);
    } else {
        t->failed = true;
    }
    cJSON_free(printed);
}

static void add_key(struct text *t, const char *key)
{
    cJSON *string = cJSON_CreateString(key);
    if (string) {
        add_scalar(t, string);
        add(t, ": ");
    } else {
        t->failed = true;
    }
    cJSON_Delete(string);
}

static void print_inline(struct text *t, const cJSON *json)
{
    const bool object = cJSON_IsObject(json);
    t->failed |= (json->type & WRITE_INCOMPLETE) != 0;
    if (!object && !cJSON_IsArray(json)) {
        add_scalar(t, json);
        return;
    }
    add(t, object ? "{" : "[");
    for (const cJSON *child = json->child; child; child = child->next) {
        if (object) {
            add_key(t, child->string);
        }
        print_inline(t, child);
        add(t, child->next ? ", " : "");
    }
    add(t, object ? "}" : "]");
}

static void new_line(struct text *t, size_t indent)
{
    static const char blanks[] = "                                ";
    add(t, "\n");
    add_bytes(t, blanks, indent < sizeof blanks - 1 ? indent : sizeof blanks - 1);
}

/* `column`: where it begins. */
static void print(struct text *t, const cJSON *json, size_t indent, size_t column)
{
    const size_t start = t->used;
    const bool object = cJSON_IsObject(json);
    print_inline(t, json);
    if ((indent > 0 && column + t->used - start < LINE_MAX) || !json->child) {
        return;
    }
    if (!object && !cJSON_IsArray(json)) {
        return;
    }
    t->used = start;
    add(t, object ? "{" : "[");
    for (const cJSON *child = json->child; child; child = child->next) {
        new_line(t, indent + INDENT);
        const size_t line = t->used - indent - INDENT;
        if (object) {
            add_key(t, child->string);
        }
        print(t, child, indent + INDENT, t->used - line);
        add(t, child->next ? "," : "");
    }
    new_line(t, indent);
    add(t, object ? "}" : "]");
}

char *write_print(const cJSON *tree)
{
    struct text t = {.bytes = NULL};
    if (tree) {
        print(&t, tree, 0, 0);
        add(&t, "\n");
    }
    if (t.failed) {
        free(t.bytes);
        return NULL;
    }
    return t.bytes;
}
