/* JSON with the strictness a scenario needs: cJSON builds the tree, but only of a text that was
 * checked before (size, depth, UTF-8, NUL, duplicate keys, grammar), and a place in the tree can
 * be found again in the text, to the line and the column. */
#ifndef SCENARIOS_JSON_H
#define SCENARIOS_JSON_H

#include <cjson/cJSON.h>

#include "sim/base.h"

#define JSON_SIZE_MAX ((size_t)4 << 20)
#define JSON_DEPTH_MAX 32
#define JSON_MEMBERS_MAX 100000 /* Of one object or array. */

struct json_place {
    uint32_t line;   /* From 1; 0: nowhere in the text. */
    uint32_t column; /* From 1, in bytes. */
};

struct json_problem {
    struct json_place place;
    char message[200];
    bool out_of_memory; /* It may be good: nobody could tell. */
};

/* Is it JSON we accept? False: `problem` says where and why not. */
bool json_check(const char *text, size_t size_bytes, struct json_problem *problem);

/* A value in the tree and the way to it, for messages. Lives on the stack of whoever descends;
 * `parent` must outlive it. */
struct json_at {
    const cJSON *json;            /* NULL: an absent member. */
    const struct json_at *parent; /* NULL: the whole text. */
    const char *key;              /* In the parent; NULL if that is an array: */
    uint32_t index;               /* then this. */
};

struct json_at json_root(const cJSON *tree);
struct json_at json_member(const struct json_at *object, const char *key);
struct json_at json_element(const struct json_at *array, const cJSON *element, uint32_t index);

/* "$.nodes[0].config["min.insync.replicas"]", cut if it does not fit. */
void json_path(const struct json_at *at, char *path, size_t size_bytes);

/* Where the value begins (`at_key`: where its key does) in a text that json_check() accepted. Of
 * something that is not *in_text, where the nearest parent is that exists. */
struct json_place json_locate(const struct json_at *at, bool at_key, const char *text,
                              size_t size_bytes, bool *in_text);

/* A number that is an integer of at most 2^53, what a double holds without a doubt. */
bool json_is_integer(const cJSON *json, int64_t *value);

#endif
