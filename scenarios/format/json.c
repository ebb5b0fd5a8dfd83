#include "scenarios/format/json.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* Walks the text once. The grammar is RFC 8259's, the recursion bounded by JSON_DEPTH_MAX. */
struct scan {
    const char *text;
    size_t size;
    size_t at;
    uint32_t depth;
    struct json_problem *problem; /* NULL: the text is known to be good. */
};

static struct json_place place_of(const char *text, size_t offset)
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

__attribute__((format(printf, 3, 4))) static bool fail_at(struct scan *s, size_t offset,
                                                          const char *format, ...)
{
    if (s->problem) {
        va_list arguments;
        va_start(arguments, format);
        vsnprintf(s->problem->message, sizeof s->problem->message, format, arguments);
        va_end(arguments);
        s->problem->place = place_of(s->text, offset);
    }
    return false;
}

static int peek(const struct scan *s)
{
    return s->at < s->size ? (unsigned char)s->text[s->at] : -1;
}

static void skip_space(struct scan *s)
{
    for (int c = peek(s); c == ' ' || c == '\t' || c == '\n' || c == '\r'; c = peek(s)) {
        s->at++;
    }
}

static bool fail_expected(struct scan *s, const char *expected)
{
    const int c = peek(s);
    if (c < 0) {
        return fail_at(s, s->at, "expected %s, found the end of the text", expected);
    }
    if (c < 0x20 || c > 0x7e) {
        return fail_at(s, s->at, "expected %s, found byte 0x%02x", expected, (unsigned)c);
    }
    return fail_at(s, s->at, "expected %s, found '%c'", expected, c);
}

/* ---- Strings ---------------------------------------------------------------------------- */

/* The length of the UTF-8 sequence at p (RFC 3629: shortest form, no surrogates, at most
 * U+10FFFF); 0 if there is none. */
static size_t utf8_length(const unsigned char *p, size_t left)
{
    const unsigned char c = p[0];
    if (c < 0x80) {
        return 1;
    }
    const size_t length = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;
    if (c < 0xc2 || c > 0xf4 || length > left) {
        return 0;
    }
    for (size_t i = 1; i < length; i++) {
        if ((p[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    const bool good = !(c == 0xe0 && p[1] < 0xa0) && !(c == 0xed && p[1] > 0x9f) &&
                      !(c == 0xf0 && p[1] < 0x90) && !(c == 0xf4 && p[1] > 0x8f);
    return good ? length : 0;
}

static int hex_digit(int c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* Four hexadecimal digits after "\u"; -1 if they are not there. */
static int32_t read_hex4(const struct scan *s, size_t at)
{
    int32_t value = 0;
    for (size_t i = 0; i < 4; i++) {
        const int digit = at + i < s->size ? hex_digit((unsigned char)s->text[at + i]) : -1;
        if (digit < 0) {
            return -1;
        }
        value = value * 16 + digit;
    }
    return value;
}

/* The escape at s->at, which is a backslash; its code point in *code. */
static bool read_escape(struct scan *s, uint32_t *code)
{
    const size_t begin = s->at;
    const int c = begin + 1 < s->size ? s->text[begin + 1] : -1;
    if (c != 'u') {
        const char *const from = "\"\\/bfnrt";
        const char *const to = "\"\\/\b\f\n\r\t";
        const char *found = c > 0 ? strchr(from, c) : NULL;
        if (!found) {
            return fail_at(s, begin, "unknown escape in a string");
        }
        *code = (unsigned char)to[found - from];
        s->at += 2;
        return true;
    }
    const int32_t unit = read_hex4(s, begin + 2);
    if (unit < 0) {
        return fail_at(s, begin, "\\u needs four hexadecimal digits");
    }
    if (unit == 0) {
        return fail_at(s, begin, "a string cannot hold a NUL character");
    }
    s->at += 6;
    *code = (uint32_t)unit;
    if (unit < 0xd800 || unit > 0xdfff) {
        return true;
    }
    const bool pair = s->at + 1 < s->size && s->text[s->at] == '\\' && s->text[s->at + 1] == 'u';
    const int32_t low = pair ? read_hex4(s, s->at + 2) : -1;
    if (unit > 0xdbff || low < 0xdc00 || low > 0xdfff) {
        return fail_at(s, begin, "half a surrogate pair is no character");
    }
    *code = 0x10000 + ((uint32_t)(unit - 0xd800) << 10) + (uint32_t)(low - 0xdc00);
    s->at += 6;
    return true;
}

/* A string; with `hash` and `length`, those of what it says, however it is escaped. */
static bool scan_string(struct scan *s, const char *what)
{
    if (peek(s) != '"') {
        return fail_expected(s, what);
    }
    const size_t begin = s->at++;
    while (true) {
        const int c = peek(s);
        if (c < 0) {
            return fail_at(s, begin, "this string has no end");
        }
        if (c == '"') {
            s->at++;
            return true;
        }
        if (c < 0x20) {
            return fail_at(s, s->at,
                           c == 0 ? "a NUL byte"
                                  : "a control character in a string; "
                                    "write it as an escape such as \\n");
        }
        uint32_t code;
        if (c == '\\') {
            if (!read_escape(s, &code)) {
                return false;
            }
            continue;
        }
        const size_t length = utf8_length((const unsigned char *)s->text + s->at, s->size - s->at);
        if (length == 0) {
            return fail_at(s, s->at, "not UTF-8: byte 0x%02x", (unsigned)c);
        }
        s->at += length;
    }
}

static size_t put_utf8(uint32_t code, unsigned char bytes[4])
{
    if (code < 0x80) {
        bytes[0] = (unsigned char)code;
        return 1;
    }
    const size_t length = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (size_t i = length - 1; i > 0; i--, code >>= 6) {
        bytes[i] = (unsigned char)(0x80 | (code & 0x3f));
    }
    bytes[0] = (unsigned char)((0xf00 >> length & 0xff) | code);
    return length;
}

/* Does the good string that begins at `at` say `key`? */
static bool string_says(const struct scan *s, size_t at, const char *key)
{
    struct scan inner = *s;
    inner.at = at + 1;
    inner.problem = NULL;
    while (inner.text[inner.at] != '"') {
        unsigned char bytes[4];
        size_t length = 1;
        bytes[0] = (unsigned char)inner.text[inner.at];
        if (bytes[0] == '\\') {
            uint32_t code = 0;
            if (!read_escape(&inner, &code)) {
                return false;
            }
            length = put_utf8(code, bytes);
        } else {
            inner.at++;
        }
        if (strncmp(key, (const char *)bytes, length) != 0) {
            return false;
        }
        key += length;
    }
    return *key == '\0';
}

/* ---- Numbers, arrays, objects ------------------------------------------------------------ */

static bool scan_digits(struct scan *s)
{
    const size_t begin = s->at;
    while (peek(s) >= '0' && peek(s) <= '9') {
        s->at++;
    }
    return s->at > begin || fail_expected(s, "a digit");
}

static bool scan_number(struct scan *s)
{
    const size_t begin = s->at;
    if (peek(s) == '-') {
        s->at++;
    }
    if (peek(s) == '0') {
        s->at++;
        if (peek(s) >= '0' && peek(s) <= '9') {
            return fail_at(s, begin, "a number cannot begin with 0");
        }
    } else if (!scan_digits(s)) {
        return false;
    }
    if (peek(s) == '.') {
        s->at++;
        if (!scan_digits(s)) {
            return false;
        }
    }
    if (peek(s) == 'e' || peek(s) == 'E') {
        s->at++;
        if (peek(s) == '+' || peek(s) == '-') {
            s->at++;
        }
        if (!scan_digits(s)) {
            return false;
        }
    }
    /* cJSON copies a number into a buffer of 64 bytes and would silently stop there. */
    return s->at - begin < 60 || fail_at(s, begin, "a number with too many digits");
}

static bool scan_value(struct scan *s);

static bool scan_word(struct scan *s, const char *word)
{
    const size_t length = strlen(word);
    if (s->size - s->at < length || memcmp(s->text + s->at, word, length) != 0) {
        return fail_expected(s, "a value");
    }
    s->at += length;
    return true;
}

static bool scan_array(struct scan *s)
{
    s->at++;
    skip_space(s);
    if (peek(s) == ']') {
        s->at++;
        return true;
    }
    for (uint32_t count = 1;; count++) {
        if (count > JSON_MEMBERS_MAX) {
            return fail_at(s, s->at, "an array of more than %d elements", JSON_MEMBERS_MAX);
        }
        if (!scan_value(s)) {
            return false;
        }
        if (peek(s) == ']') {
            s->at++;
            return true;
        }
        if (peek(s) != ',') {
            return fail_expected(s, "',' or ']'");
        }
        s->at++;
    }
}

/* The keys of an object, to find one that comes twice. */
struct keys {
    uint64_t *hashes; /* Of the decoded key, */
    size_t *begins;   /* which begins here. */
    size_t count;
    size_t capacity;
};

static void keys_release(struct keys *keys)
{
    free(keys->hashes);
    free(keys->begins);
}

static bool keys_grow(struct keys *keys)
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

/* What the good string at `begin` says: NUL-terminated, to be freed; NULL if out of memory. */
static char *decode(const struct scan *s, size_t begin, size_t end)
{
    char *decoded = malloc(end - begin);
    struct scan inner = *s;
    inner.at = begin + 1;
    inner.problem = NULL;
    size_t length = 0;
    while (decoded && inner.text[inner.at] != '"') {
        if (inner.text[inner.at] != '\\') {
            decoded[length++] = inner.text[inner.at++];
            continue;
        }
        uint32_t code = 0;
        unsigned char bytes[4];
        if (!read_escape(&inner, &code)) {
            break;
        }
        const size_t n = put_utf8(code, bytes); /* Never longer than its escape. */
        memcpy(decoded + length, bytes, n);
        length += n;
    }
    if (decoded) {
        decoded[length] = '\0';
    }
    return decoded;
}

/* Note a key; false if the object has it already. Only when the text is being checked. */
static bool keys_add(struct scan *s, struct keys *keys, size_t begin)
{
    if (!s->problem) {
        return true;
    }
    char *key = decode(s, begin, s->at);
    if (!key || (keys->count == keys->capacity && !keys_grow(keys))) {
        free(key);
        s->problem->out_of_memory = true;
        return fail_at(s, begin, "out of memory");
    }
    const uint64_t hash = sim_hash_name(key);
    for (size_t i = 0; i < keys->count; i++) {
        if (keys->hashes[i] == hash && string_says(s, keys->begins[i], key)) {
            const struct json_place first = place_of(s->text, keys->begins[i]);
            fail_at(s, begin, "the key \"%.60s\" is already in this object, at line %u, column %u",
                    key, (unsigned)first.line, (unsigned)first.column);
            free(key);
            return false;
        }
    }
    free(key);
    keys->hashes[keys->count] = hash;
    keys->begins[keys->count++] = begin;
    return true;
}

/* A key and its ':'. */
static bool scan_key(struct scan *s, struct keys *keys)
{
    skip_space(s);
    const size_t begin = s->at;
    if (!scan_string(s, "a key in quotes") || !keys_add(s, keys, begin)) {
        return false;
    }
    skip_space(s);
    if (peek(s) != ':') {
        return fail_expected(s, "':' after a key");
    }
    s->at++;
    return true;
}

#define OBJECT_KEYS_MAX 2000 /* Each is compared with those before it. */

static bool scan_object(struct scan *s)
{
    s->at++;
    skip_space(s);
    if (peek(s) == '}') {
        s->at++;
        return true;
    }
    struct keys keys = {0};
    bool good = true;
    for (bool more = true; good && more;) {
        if (keys.count >= OBJECT_KEYS_MAX) {
            good = fail_at(s, s->at, "an object of more than %d keys", OBJECT_KEYS_MAX);
            break;
        }
        good = scan_key(s, &keys) && scan_value(s);
        more = good && peek(s) == ',';
        if (good && !more && peek(s) != '}') {
            good = fail_expected(s, "',' or '}'");
        }
        s->at += good ? 1 : 0;
    }
    keys_release(&keys);
    return good;
}

/* A value with the space around it. */
static bool scan_value(struct scan *s)
{
    skip_space(s);
    if (s->depth == JSON_DEPTH_MAX) {
        return fail_at(s, s->at, "nested more than %d deep", JSON_DEPTH_MAX);
    }
    s->depth++;
    const int c = peek(s);
    const bool good = c == '{'                             ? scan_object(s)
                      : c == '['                           ? scan_array(s)
                      : c == '"'                           ? scan_string(s, "a string")
                      : c == '-' || (c >= '0' && c <= '9') ? scan_number(s)
                      : c == 't'                           ? scan_word(s, "true")
                      : c == 'f'                           ? scan_word(s, "false")
                      : c == 'n'                           ? scan_word(s, "null")
                                                           : fail_expected(s, "a value");
    s->depth--;
    if (good) {
        skip_space(s);
    }
    return good;
}

bool json_check(const char *text, size_t size_bytes, struct json_problem *problem)
{
    struct scan s = {.text = text, .size = size_bytes, .problem = problem};
    *problem = (struct json_problem){.place = {0, 0}};
    if (size_bytes > JSON_SIZE_MAX) {
        snprintf(problem->message, sizeof problem->message, "larger than %zu MiB",
                 JSON_SIZE_MAX >> 20);
        return false;
    }
    if (size_bytes >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
        return fail_at(&s, 0, "begins with a byte order mark; save it as UTF-8 without one");
    }
    if (!scan_value(&s)) {
        return false;
    }
    return s.at == s.size || fail_expected(&s, "the end of the text");
}

/* ---- Places ----------------------------------------------------------------------------- */

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
static bool enter(struct scan *s, const struct json_at *at, size_t *key_begin)
{
    skip_space(s);
    if (peek(s) != (at->key ? '{' : '[')) {
        return false;
    }
    s->at++;
    for (uint32_t i = 0;; i++) {
        skip_space(s);
        const int c = peek(s);
        if (c == '}' || c == ']' || c < 0) {
            return false;
        }
        const size_t begin = s->at;
        struct keys none = {0};
        if (at->key && !scan_key(s, &none)) {
            return false;
        }
        skip_space(s);
        if (at->key ? string_says(s, begin, at->key) : i == at->index) {
            *key_begin = begin;
            return true;
        }
        if (!scan_value(s)) {
            return false;
        }
        s->at += peek(s) == ',' ? 1 : 0;
    }
}

/* Goes as far down as the text does. False if `at` itself is not there. */
static bool descend(struct scan *s, const struct json_at *at, size_t *key_begin)
{
    if (!at->parent) {
        skip_space(s);
        *key_begin = s->at;
        return true;
    }
    if (!descend(s, at->parent, key_begin)) {
        return false;
    }
    struct scan inside = *s;
    if (!enter(&inside, at, key_begin)) {
        return false;
    }
    *s = inside;
    return true;
}

struct json_place json_locate(const struct json_at *at, bool at_key, const char *text,
                              size_t size_bytes, bool *in_text)
{
    struct scan s = {.text = text, .size = size_bytes};
    size_t key_begin = 0;
    *in_text = descend(&s, at, &key_begin);
    return place_of(text, *in_text && at_key ? key_begin : s.at);
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
