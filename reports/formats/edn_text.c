/* What a string says, and what people are told: places in the text, names of tokens. */
#include "reports/formats/edn.h"

#include <stdio.h>

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    const char lower = (char)(c | 32);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* \uXXXX as at most three bytes; halves of surrogate pairs stay as they are written. */
static size_t put_utf8(char *out, uint32_t code)
{
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    if (code < 0x800) {
        out[0] = (char)(0xc0 | code >> 6);
        out[1] = (char)(0x80 | (code & 63));
        return 2;
    }
    out[0] = (char)(0xe0 | code >> 12);
    out[1] = (char)(0x80 | (code >> 6 & 63));
    out[2] = (char)(0x80 | (code & 63));
    return 3;
}

size_t edn_string(const struct edn *edn, char *buffer)
{
    static const char from[] = "tnrbf", to[] = "\t\n\r\b\f";
    size_t size = 0;
    for (size_t i = 0; i < edn->length; i++) {
        char c = edn->text[i];
        if (c != '\\' || i + 1 == edn->length) {
            buffer[size++] = c;
            continue;
        }
        c = edn->text[++i];
        const char *simple = c ? strchr(from, c) : NULL;
        if (c == 'u' && i + 4 < edn->length) {
            uint32_t code = 0;
            bool valid = true;
            for (size_t k = 1; k <= 4; k++) {
                const int digit = hex_digit(edn->text[i + k]);
                valid = valid && digit >= 0;
                code = code * 16 + (uint32_t)(digit < 0 ? 0 : digit);
            }
            if (valid) {
                size += put_utf8(buffer + size, code);
                i += 4;
                continue;
            }
        }
        buffer[size++] = simple ? to[simple - from] : c;
    }
    buffer[size] = '\0';
    return size;
}

void edn_place(const struct edn *edn, const char *at, uint32_t *line, uint32_t *column)
{
    const char *start = edn->begin;
    *line = 1;
    for (const char *p = edn->begin; p < at; p++) {
        if (*p == '\n') {
            ++*line;
            start = p + 1;
        }
    }
    *column = (uint32_t)(at - start) + 1;
}

void edn_problem(const struct edn *edn, char *buffer, size_t size_bytes)
{
    uint32_t line, column;
    edn_place(edn, edn->error_at, &line, &column);
    snprintf(buffer, size_bytes, "line %u, column %u: %s", line, column,
             edn->reason ? edn->reason : "no error");
}

const char *edn_token_name(enum edn_token token)
{
    static const char *const names[] = {
        [EDN_END] = "the end of the text",
        [EDN_ERROR] = "an error",
        [EDN_CLOSE] = "a closing bracket",
        [EDN_NIL] = "nil",
        [EDN_TRUE] = "true",
        [EDN_FALSE] = "false",
        [EDN_INT] = "an integer",
        [EDN_NUMBER] = "a number that is no 64-bit integer",
        [EDN_STRING] = "a string",
        [EDN_KEYWORD] = "a keyword",
        [EDN_SYMBOL] = "a symbol",
        [EDN_CHAR] = "a character",
        [EDN_VECTOR] = "a vector",
        [EDN_LIST] = "a list",
        [EDN_MAP] = "a map",
        [EDN_SET] = "a set",
    };
    return names[token];
}
