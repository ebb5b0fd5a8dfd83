/* Values set from outside: "nodes[0].config.election_timeout=1s". */
#include "scenarios/format/load.h"

#include <stdio.h>
#include <stdlib.h>

#define STEPS_MAX 16
#define KEY_MAX 80

struct step {
    char key[KEY_MAX]; /* Empty: an array's index. */
    uint32_t index;
};

struct set_path {
    struct step steps[STEPS_MAX];
    uint32_t count;
    const char *value;   /* After the '='. */
    const char *problem; /* NULL: a good path. */
};

static bool take_key(struct step *step, const char *begin, size_t length)
{
    if (length == 0 || length >= KEY_MAX) {
        return false;
    }
    memcpy(step->key, begin, length);
    step->key[length] = '\0';
    return true;
}

/* "[3]" or "["a.b"]"; where it ends, NULL if it is neither. */
static const char *take_brackets(struct step *step, const char *p)
{
    if (p[1] == '"') {
        const char *end = strstr(p + 2, "\"]");
        return end && take_key(step, p + 2, (size_t)(end - p - 2)) ? end + 2 : NULL;
    }
    uint32_t index = 0;
    const char *digit = p + 1;
    for (; *digit >= '0' && *digit <= '9' && index < JSON_MEMBERS_MAX; digit++) {
        index = 10 * index + (uint32_t)(*digit - '0');
    }
    step->index = index;
    return digit > p + 1 && *digit == ']' ? digit + 1 : NULL;
}

/* The setting's name below `config` may have dots: it is all that is left. */
static bool is_config(const struct set_path *path)
{
    return path->count > 0 && strcmp(path->steps[path->count - 1].key, "config") == 0;
}

static struct set_path parse_path(const char *set)
{
    struct set_path path = {.problem = NULL};
    const char *p = set + (set[0] == '$' ? 1 : 0);
    while (*p != '=') {
        if (path.count == STEPS_MAX) {
            path.problem = "the path is too long";
            return path;
        }
        struct step *step = &path.steps[path.count];
        *step = (struct step){.index = 0};
        if (*p == '[') {
            p = take_brackets(step, p);
        } else {
            p += *p == '.' ? 1 : 0;
            const size_t length = strcspn(p, is_config(&path) ? "=" : ".[=");
            p = take_key(step, p, length) ? p + length : NULL;
        }
        if (!p || *p == '\0') {
            path.problem = "expected PATH=VALUE, such as nodes[0].count=3";
            return path;
        }
        path.count++;
    }
    path.value = p + 1;
    if (path.count == 0) {
        path.problem = "expected PATH=VALUE, such as nodes[0].count=3";
    }
    return path;
}

/* The path as messages write it. */
static void format_path(const struct set_path *path, char *text, size_t size_bytes)
{
    struct json_at at[STEPS_MAX + 1] = {{0}};
    for (uint32_t i = 0; i < path->count; i++) {
        const struct step *step = &path->steps[i];
        at[i + 1] = (struct json_at){
            .parent = &at[i], .key = step->key[0] ? step->key : NULL, .index = step->index};
    }
    json_path(&at[path->count], text, size_bytes);
}

static bool is_long_integer(const char *value)
{
    return strlen(value) > 15 && strspn(value, "0123456789") == strlen(value);
}

static const char no_memory[] = "out of memory";

/* JSON if it is that, else the text itself. An integer with more digits than a double has stays a
 * text too, so that seeds are exact. NULL without memory. */
static cJSON *parse_value(const char *value)
{
    struct json_problem problem;
    if (is_long_integer(value)) {
        return cJSON_CreateString(value);
    }
    return json_check(value, strlen(value), &problem) ? cJSON_Parse(value)
           : problem.out_of_memory                    ? NULL
                                                      : cJSON_CreateString(value);
}

/* The member or element that a step names; NULL if it is not there. */
static cJSON *child_of(cJSON *container, const struct step *step)
{
    return step->key[0] ? cJSON_GetObjectItemCaseSensitive(container, step->key)
                        : cJSON_GetArrayItem(container, (int)step->index);
}

/* Can the container have such a child at all? What is wrong if it cannot. */
static const char *step_problem(const cJSON *container, const struct step *step)
{
    if (step->key[0]) {
        return cJSON_IsObject(container) ? NULL : "the path goes through something without keys";
    }
    if (!cJSON_IsArray(container)) {
        return "the path has an index where there is no array";
    }
    return (int)step->index <= cJSON_GetArraySize(container) ? NULL
                                                             : "the index is beyond the array";
}

static bool put_child(cJSON *container, const struct step *step, cJSON *value)
{
    const bool there = child_of(container, step) != NULL;
    if (step->key[0]) {
        return there ? cJSON_ReplaceItemInObjectCaseSensitive(container, step->key, value)
                     : cJSON_AddItemToObject(container, step->key, value);
    }
    return there ? cJSON_ReplaceItemInArray(container, (int)step->index, value)
                 : cJSON_AddItemToArray(container, value);
}

/* NULL, or why the value cannot be put there. */
static const char *apply(cJSON *tree, const struct set_path *path)
{
    cJSON *container = tree;
    for (uint32_t i = 0;; i++) {
        const struct step *step = &path->steps[i];
        const char *problem = step_problem(container, step);
        if (problem) {
            return problem;
        }
        const bool last = i + 1 == path->count;
        cJSON *child = last ? NULL : child_of(container, step);
        if (!child) {
            child = last                        ? parse_value(path->value)
                    : path->steps[i + 1].key[0] ? cJSON_CreateObject()
                                                : cJSON_CreateArray();
            if (!child || !put_child(container, step, child)) {
                cJSON_Delete(child);
                return no_memory;
            }
            if (step->key[0] && !child->string) {
                return no_memory; /* cJSON has put it in its place without a key. */
            }
        }
        if (last) {
            return NULL;
        }
        container = child;
    }
}

void load_apply_sets(struct load *l, cJSON *tree)
{
    for (size_t i = 0; i < l->set_count; i++) {
        const struct set_path path = parse_path(l->sets[i]);
        const char *problem = path.problem ? path.problem : apply(tree, &path);
        if (!problem) {
            continue;
        }
        l->out_of_memory |= problem == no_memory;
        char where[sizeof l->scenario->errors->path] = "$";
        char message[sizeof l->scenario->errors->message];
        if (!path.problem) {
            format_path(&path, where, sizeof where);
        }
        snprintf(message, sizeof message, "--set %.100s: %s", l->sets[i], problem);
        load_error_nowhere(l, where, message);
    }
}

/* Is `inner` the path `outer` or below it? */
static bool is_below(const char *inner, const char *outer)
{
    const size_t length = strlen(outer);
    return strncmp(inner, outer, length) == 0 &&
           (inner[length] == '\0' || inner[length] == '.' || inner[length] == '[');
}

const char *load_set_of(const struct load *l, const char *path, bool in_text)
{
    for (size_t i = l->set_count; i-- > 0;) {
        const struct set_path set = parse_path(l->sets[i]);
        char where[sizeof l->scenario->errors->path];
        if (set.problem) {
            continue;
        }
        format_path(&set, where, sizeof where);
        /* Objects on the way to a value that was set may have been made for it. */
        if (is_below(path, where) || (!in_text && is_below(where, path))) {
            return l->sets[i];
        }
    }
    return NULL;
}
