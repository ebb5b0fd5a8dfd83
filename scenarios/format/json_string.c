/* Strings of JSON: UTF-8 (RFC 3629), with escapes. */
#include "scenarios/format/json_internal.h"

#include <stdlib.h>

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
static int32_t read_hex4(const struct json_scan *s, size_t at)
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
static bool read_escape(struct json_scan *s, uint32_t *code)
{
    const size_t begin = s->at;
    const int c = begin + 1 < s->size ? s->text[begin + 1] : -1;
    if (c != 'u') {
        const char *const from = "\"\\/bfnrt";
        const char *const to = "\"\\/\b\f\n\r\t";
        const char *found = c > 0 ? strchr(from, c) : NULL;
        if (!found) {
            return json_fail_at(s, begin, "unknown escape in a string");
        }
        *code = (unsigned char)to[found - from];
        s->at += 2;
        return true;
    }
    const int32_t unit = read_hex4(s, begin + 2);
    if (unit < 0) {
        return json_fail_at(s, begin, "\\u needs four hexadecimal digits");
    }
    if (unit == 0) {
        return json_fail_at(s, begin, "a string cannot hold a NUL character");
    }
    s->at += 6;
    *code = (uint32_t)unit;
    if (unit < 0xd800 || unit > 0xdfff) {
        return true;
    }
    const bool pair = s->at + 1 < s->size && s->text[s->at] == '\\' && s->text[s->at + 1] == 'u';
    const int32_t low = pair ? read_hex4(s, s->at + 2) : -1;
    if (unit > 0xdbff || low < 0xdc00 || low > 0xdfff) {
        return json_fail_at(s, begin, "half a surrogate pair is no character");
    }
    *code = 0x10000 + ((uint32_t)(unit - 0xd800) << 10) + (uint32_t)(low - 0xdc00);
    s->at += 6;
    return true;
}

bool json_scan_string(struct json_scan *s, const char *what)
{
    if (json_peek(s) != '"') {
        return json_fail_expected(s, what);
    }
    const size_t begin = s->at++;
    while (true) {
        const int c = json_peek(s);
        if (c < 0) {
            return json_fail_at(s, begin, "this string has no end");
        }
        if (c == '"') {
            s->at++;
            return true;
        }
        if (c < 0x20) {
            return json_fail_at(s, s->at,
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
            return json_fail_at(s, s->at, "not UTF-8: byte 0x%02x", (unsigned)c);
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

bool json_string_says(const struct json_scan *s, size_t at, const char *key)
{
    struct json_scan inner = *s;
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

char *json_decode(const struct json_scan *s, size_t begin, size_t end)
{
    char *decoded = malloc(end - begin);
    struct json_scan inner = *s;
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
