/* What the parts of the reader of JSON share: json.c has the grammar, json_string.c strings,
 * json_place.c the way from the tree back to the text. */
#ifndef SCENARIOS_JSON_INTERNAL_H
#define SCENARIOS_JSON_INTERNAL_H

#include "scenarios/format/json.h"

/* Walks the text once. The grammar is RFC 8259's, the recursion bounded by JSON_DEPTH_MAX. */
struct json_scan {
    const char *text;
    size_t size;
    size_t at;
    uint32_t depth;
    struct json_problem *problem; /* NULL: the text is known to be good. */
};

static inline int json_peek(const struct json_scan *s)
{
    return s->at < s->size ? (unsigned char)s->text[s->at] : -1;
}

static inline void json_skip_space(struct json_scan *s)
{
    for (int c = json_peek(s); c == ' ' || c == '\t' || c == '\n' || c == '\r'; c = json_peek(s)) {
        s->at++;
    }
}

/* ---- json.c ---------------------------------------------------------------------------------- */

/* Say what is wrong at `offset`, if there is a problem to say it in; false. */
bool json_fail_at(struct json_scan *scan, size_t offset, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The same, when something else than expected is at hand. */
bool json_fail_expected(struct json_scan *scan, const char *expected);
/* Pass over a value with the space around it. False: the problem says why not. */
bool json_scan_value(struct json_scan *scan);
struct json_keys; /* Of an object, to find one that comes twice. */
/* Pass over a key and its ':'; the key is added to `keys`, unless that is NULL. */
bool json_scan_key(struct json_scan *scan, struct json_keys *keys);

/* ---- json_string.c --------------------------------------------------------------------------- */

/* Pass over a string, which is `what` if something else is there. */
bool json_scan_string(struct json_scan *scan, const char *what);
/* Does the good string that begins at `at` say `key`? */
bool json_string_says(const struct json_scan *scan, size_t at, const char *key);
/* What the good string from `begin` to `end` says: NUL-terminated, to be freed; NULL if out of
 * memory. */
char *json_decode(const struct json_scan *scan, size_t begin, size_t end);

/* ---- json_place.c ---------------------------------------------------------------------------- */

/* The line and the column of an offset. */
struct json_place json_place_of(const char *text, size_t offset);

#endif
