/* Places in the tree: their paths, and where they are in the text, which is walked once more. */
#include "scenarios/format/json_internal.h"

#include <inttypes.h>
#include <stdio.h>

struct json_place json_place_of(const char *text, size_t offset)
{
    struct json_place place = {1, 1};
    for (size_t i = 0; i < offset; i++) {
        if (text[i] == '\n') {
            place.line++;
            place.column = 1;
        } else {
            place.column++;
        }
    }
    return place;
}

struct json_at json_root(const cJSON *tree)
{
    return (struct json_at){.json = tree};
}

struct json_at json_member(const struct json_at *object, const char *key)
{
    return (struct json_at){
        .json = cJSON_GetObjectItemCaseSensitive(object->json, key), .parent = object, .key = key};
}

struct json_at json_element(const struct json_at *array, const cJSON *element, uint32_t index)
{
    return (struct json_at){.json = element, .parent = array, .index = index};
}

static bool is_plain_key(const char *key)
{
    for (const char *p = key; *p; p++) {
        const bool letter = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || *p == '_';
        if (!letter && !(p > key && ((*p >= '0' && *p <= '9') || *p == '-'))) {
            return false;
        }
    }
    return *key != '\0';
}

void json_path(const struct json_at *at, char *path, size_t size_bytes)
{
    if (!at->parent) {
        snprintf(path, size_bytes, "$");
        return;
    }
    json_path(at->parent, path, size_bytes);
    const size_t used = strlen(path);
    if (!at->key) {
        snprintf(path + used, size_bytes - used, "[%" PRIu32 "]", at->index);
    } else if (is_plain_key(at->key)) {
        snprintf(path + used, size_bytes - used, ".%s", at->key);
    } else {
        snprintf(path + used, size_bytes - used, "[\"%s\"]", at->key);
    }
}

/* From the begin of a container, go to the member; s->at is where its value is, *key_begin where
 * its key is. False if it is not there. */
static bool enter(struct json_scan *s, const struct json_at *at, size_t *key_begin)
{
    json_skip_space(s);
    if (json_peek(s) != (at->key ? '{' : '[')) {
        return false;
    }
    s->at++;
    for (uint32_t i = 0;; i++) {
        json_skip_space(s);
        const int c = json_peek(s);
        if (c == '}' || c == ']' || c < 0) {
            return false;
        }
        const size_t begin = s->at;
        if (at->key && !json_scan_key(s, NULL)) {
            return false;
        }
        json_skip_space(s);
        if (at->key ? json_string_says(s, begin, at->key) : i == at->index) {
            *key_begin = begin;
            return true;
        }
        if (!json_scan_value(s)) {
            return false;
        }
        s->at += json_peek(s) == ',' ? 1 : 0;
    }
}

/* Goes as far down as the text does. False if `at` itself is not there. */
static bool descend(struct json_scan *s, const struct json_at *at, size_t *key_begin)
{
    if (!at->parent) {
        json_skip_space(s);
        *key_begin = s->at;
        return true;
    }
    if (!descend(s, at->parent, key_begin)) {
        return false;
    }
    struct json_scan inside = *s;
    if (!enter(&inside, at, key_begin)) {
        return false;
    }
    *s = inside;
    return true;
}

struct json_place json_locate(const struct json_at *at, bool at_key, const char *text,
                              size_t size_bytes, bool *in_text)
{
    struct json_scan s = {.text = text, .size = size_bytes};
    size_t key_begin = 0;
    *in_text = descend(&s, at, &key_begin);
    return json_place_of(text, *in_text && at_key ? key_begin : s.at);
}
