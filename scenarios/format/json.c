#include "scenarios/format/json_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

bool json_fail_at(struct json_scan *s, size_t offset, const char *format, ...)
{
    if (s->problem) {
        va_list arguments;
        va_start(arguments, format);
        vsnprintf(s->problem->message, sizeof s->problem->message, format, arguments);
        va_end(arguments);
        s->problem->place = json_place_of(s->text, offset);
    }
    return false;
}

bool json_fail_expected(struct json_scan *s, const char *expected)
{
    const int c = json_peek(s);
    if (c < 0) {
        return json_fail_at(s, s->at, "expected %s, found the end of the text", expected);
    }
    if (c < 0x20 || c > 0x7e) {
        return json_fail_at(s, s->at, "expected %s, found byte 0x%02x", expected, (unsigned)c);
    }
    return json_fail_at(s, s->at, "expected %s, found '%c'", expected, c);
}

static bool scan_digits(struct json_scan *s)
{
    const size_t begin = s->at;
    while (json_peek(s) >= '0' && json_peek(s) <= '9') {
        s->at++;
    }
    return s->at > begin || json_fail_expected(s, "a digit");
}

static bool scan_number(struct json_scan *s)
{
    const size_t begin = s->at;
    if (json_peek(s) == '-') {
        s->at++;
    }
    if (json_peek(s) == '0') {
        s->at++;
        if (json_peek(s) >= '0' && json_peek(s) <= '9') {
            return json_fail_at(s, begin, "a number cannot begin with 0");
        }
    } else if (!scan_digits(s)) {
        return false;
    }
    if (json_peek(s) == '.') {
        s->at++;
        if (!scan_digits(s)) {
            return false;
        }
    }
    if (json_peek(s) == 'e' || json_peek(s) == 'E') {
        s->at++;
        if (json_peek(s) == '+' || json_peek(s) == '-') {
            s->at++;
        }
        if (!scan_digits(s)) {
            return false;
        }
    }
    /* cJSON copies a number into a buffer of 64 bytes and would silently stop there. */
    return s->at - begin < 60 || json_fail_at(s, begin, "a number with too many digits");
}

static bool scan_word(struct json_scan *s, const char *word)
{
    const size_t length = strlen(word);
    if (s->size - s->at < length || memcmp(s->text + s->at, word, length) != 0) {
        return json_fail_expected(s, "a value");
    }
    s->at += length;
    return true;
}

static bool scan_array(struct json_scan *s)
{
    s->at++;
    json_skip_space(s);
    if (json_peek(s) == ']') {
        s->at++;
        return true;
    }
    for (uint32_t count = 1;; count++) {
        if (count > JSON_MEMBERS_MAX) {
            return json_fail_at(s, s->at, "an array of more than %d elements", JSON_MEMBERS_MAX);
        }
        if (!json_scan_value(s)) {
            return false;
        }
        if (json_peek(s) == ']') {
            s->at++;
            return true;
        }
        if (json_peek(s) != ',') {
            return json_fail_expected(s, "',' or ']'");
        }
        s->at++;
    }
}

/* The keys of an object, to find one that comes twice. */
struct json_keys {
    uint64_t *hashes; /* Of the decoded key, */
    size_t *begins;   /* which begins here. */
    size_t count;
    size_t capacity;
};

static void keys_release(struct json_keys *keys)
{
    free(keys->hashes);
    free(keys->begins);
}

static bool keys_grow(struct json_keys *keys)
{
    const size_t capacity = keys->capacity ? 2 * keys->capacity : 16;
    uint64_t *hashes = realloc(keys->hashes, capacity * sizeof *hashes);
    keys->hashes = hashes ? hashes : keys->hashes;
    size_t *begins = realloc(keys->begins, capacity * sizeof *begins);
    keys->begins = begins ? begins : keys->begins;
    if (!hashes || !begins) {
        return false;
    }
    keys->capacity = capacity;
    return true;
}

/* Note a key; false if the object has it already. Only when the text is being checked. */
static bool keys_add(struct json_scan *s, struct json_keys *keys, size_t begin)
{
    if (!s->problem) {
        return true;
    }
    char *key = json_decode(s, begin, s->at);
    if (!key || (keys->count == keys->capacity && !keys_grow(keys))) {
        free(key);
        s->problem->out_of_memory = true;
        return json_fail_at(s, begin, "out of memory");
    }
    const uint64_t hash = sim_hash_name(key);
    for (size_t i = 0; i < keys->count; i++) {
        if (keys->hashes[i] == hash && json_string_says(s, keys->begins[i], key)) {
            const struct json_place first = json_place_of(s->text, keys->begins[i]);
            json_fail_at(s, begin,
                         "the key \"%.60s\" is already in this object, at line %u, column %u", key,
                         (unsigned)first.line, (unsigned)first.column);
            free(key);
            return false;
        }
    }
    free(key);
    keys->hashes[keys->count] = hash;
    keys->begins[keys->count++] = begin;
    return true;
}

bool json_scan_key(struct json_scan *s, struct json_keys *keys)
{
    json_skip_space(s);
    const size_t begin = s->at;
    if (!json_scan_string(s, "a key in quotes") || (keys && !keys_add(s, keys, begin))) {
        return false;
    }
    json_skip_space(s);
    if (json_peek(s) != ':') {
        return json_fail_expected(s, "':' after a key");
    }
    s->at++;
    return true;
}

#define OBJECT_KEYS_MAX 2000 /* Each is compared with those before it. */

static bool scan_object(struct json_scan *s)
{
    s->at++;
    json_skip_space(s);
    if (json_peek(s) == '}') {
        s->at++;
        return true;
    }
    struct json_keys keys = {0};
    bool good = true;
    for (bool more = true; good && more;) {
        if (keys.count >= OBJECT_KEYS_MAX) {
            good = json_fail_at(s, s->at, "an object of more than %d keys", OBJECT_KEYS_MAX);
            break;
        }
        good = json_scan_key(s, &keys) && json_scan_value(s);
        more = good && json_peek(s) == ',';
        if (good && !more && json_peek(s) != '}') {
            good = json_fail_expected(s, "',' or '}'");
        }
        s->at += good ? 1 : 0;
    }
    keys_release(&keys);
    return good;
}

bool json_scan_value(struct json_scan *s)
{
    json_skip_space(s);
    if (s->depth == JSON_DEPTH_MAX) {
        return json_fail_at(s, s->at, "nested more than %d deep", JSON_DEPTH_MAX);
    }
    s->depth++;
    const int c = json_peek(s);
    const bool good = c == '{'                             ? scan_object(s)
                      : c == '['                           ? scan_array(s)
                      : c == '"'                           ? json_scan_string(s, "a string")
                      : c == '-' || (c >= '0' && c <= '9') ? scan_number(s)
                      : c == 't'                           ? scan_word(s, "true")
                      : c == 'f'                           ? scan_word(s, "false")
                      : c == 'n'                           ? scan_word(s, "null")
                                                           : json_fail_expected(s, "a value");
    s->depth--;
    if (good) {
        json_skip_space(s);
    }
    return good;
}

bool json_check(const char *text, size_t size_bytes, struct json_problem *problem)
{
    struct json_scan s = {.text = text, .size = size_bytes, .problem = problem};
    *problem = (struct json_problem){.place = {0, 0}};
    if (size_bytes > JSON_SIZE_MAX) {
        snprintf(problem->message, sizeof problem->message, "larger than %zu MiB",
                 JSON_SIZE_MAX >> 20);
        return false;
    }
    if (size_bytes >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
        return json_fail_at(&s, 0, "begins with a byte order mark; save it as UTF-8 without one");
    }
    if (!json_scan_value(&s)) {
        return false;
    }
    return s.at == s.size || json_fail_expected(&s, "the end of the text");
}

bool json_is_integer(const cJSON *json, int64_t *value)
{
    const double limit = 9007199254740992.0; /* 2^53 */
    if (!cJSON_IsNumber(json) || !(json->valuedouble >= -limit && json->valuedouble <= limit)) {
        return false;
    }
    *value = (int64_t)json->valuedouble;
    return (double)*value == json->valuedouble;
}
