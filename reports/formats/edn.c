#include "reports/formats/edn.h"

#include <stdio.h>

/* What a byte is outside of strings and comments. */
enum kind {
    INNER = -1, /* Has a meaning of its own, but only at the beginning of a token: # and '. */
    SYMBOLIC,   /* Part of a symbol, keyword or number; bytes of UTF-8 too. */
    DIGIT,
    SPACE,   /* From here on: ends a token. */
    CONTROL, /* Not allowed. */
    SPECIAL, /* Has a meaning of its own. */
};

static const int8_t kinds[256] = {
    CONTROL,         CONTROL,         CONTROL,         CONTROL,
    CONTROL,         CONTROL,         CONTROL,         CONTROL,
    CONTROL,         SPACE,           SPACE,           SPACE,
    SPACE,           SPACE,           CONTROL,         CONTROL,
    CONTROL,         CONTROL,         CONTROL,         CONTROL,
    CONTROL,         CONTROL,         CONTROL,         CONTROL,
    CONTROL,         CONTROL,         CONTROL,         CONTROL,
    CONTROL,         CONTROL,         CONTROL,         CONTROL,
    SPACE,           ['"'] = SPECIAL, [';'] = SPECIAL, ['\\'] = SPECIAL,
    ['('] = SPECIAL, [')'] = SPECIAL, ['['] = SPECIAL, [']'] = SPECIAL,
    ['{'] = SPECIAL, ['}'] = SPECIAL, ['#'] = INNER,   [','] = SPACE,
    ['0'] = DIGIT,   ['1'] = DIGIT,   ['2'] = DIGIT,   ['3'] = DIGIT,
    ['4'] = DIGIT,   ['5'] = DIGIT,   ['6'] = DIGIT,   ['7'] = DIGIT,
    ['8'] = DIGIT,   ['9'] = DIGIT,   ['^'] = SPECIAL, ['`'] = SPECIAL,
    ['~'] = SPECIAL, ['@'] = SPECIAL, [127] = CONTROL,
};

static inline enum kind kind_of(char c)
{
    return (enum kind)kinds[(uint8_t)c];
}

/* The bytes from `at` on that can belong to one symbol, keyword or number end here. */
static const char *token_end(const char *at, const char *end)
{
    while (at < end && kind_of(*at) < SPACE) {
        at++;
    }
    return at;
}

static enum edn_token fail_at(struct edn *edn, const char *at, const char *reason)
{
    edn->token = EDN_ERROR;
    edn->reason = reason;
    edn->error_at = at;
    edn->at = at;
    return EDN_ERROR;
}

void edn_begin(struct edn *edn, const char *bytes, size_t size_bytes)
{
    memset(edn, 0, sizeof(*edn));
    edn->at = edn->begin = edn->text = edn->error_at = bytes;
    edn->end = bytes + size_bytes;
}

void edn_return(struct edn *edn, const char *beginning)
{
    const char *begin = edn->begin;
    edn_begin(edn, beginning, (size_t)(edn->end - beginning));
    edn->begin = begin;
}

const char *edn_beginning(const struct edn *edn)
{
    switch (edn->token) {
    case EDN_KEYWORD: /* A colon, */
    case EDN_STRING:  /* a quote (the mark of a regular expression is no part of it), */
    case EDN_CHAR:    /* or a backslash before. */
        return edn->text - 1;
    default:
        return edn->text;
    }
}

/* Passes over white space, commas and comments. */
static const char *skip_space(const char *at, const char *end)
{
    while (at < end) {
        if (kind_of(*at) == SPACE) {
            at++;
        } else if (*at == ';') {
            const char *newline = memchr(at, '\n', (size_t)(end - at));
            at = newline ? newline + 1 : end;
        } else {
            break;
        }
    }
    return at;
}

static enum edn_token read_string(struct edn *edn)
{
    const char *quote = edn->at;
    const char *at = quote + 1;
    for (; at < edn->end && *at != '"'; at++) {
        if (*at == '\\' && ++at == edn->end) {
            break;
        }
    }
    if (at >= edn->end) {
        return fail_at(edn, quote, "this string has no closing quote");
    }
    edn->text = quote + 1;
    edn->length = (size_t)(at - edn->text);
    edn->at = at + 1;
    return EDN_STRING;
}

/* A character is one character at least, whatever it is: `\[`, and more if they are of a name:
 * `\newline`. */
static enum edn_token read_char(struct edn *edn)
{
    const char *at = edn->at + 1;
    if (at == edn->end || kind_of(*at) == SPACE || kind_of(*at) == CONTROL) {
        return fail_at(edn, edn->at, "a backslash without a character");
    }
    edn->text = at;
    edn->at = token_end(at + 1, edn->end);
    edn->length = (size_t)(edn->at - at);
    return EDN_CHAR;
}

/* A number other than plain decimal digits: known by its first digit, not checked further than
 * that it is made of what numbers are made of (0x1f, 12N, 1.5e-3, 2/3). */
static bool number_like(const char *at, const char *end)
{
    for (; at < end; at++) {
        const char c = *at;
        const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (kind_of(c) != DIGIT && !letter && c != '.' && c != '+' && c != '-' && c != '/') {
            return false;
        }
    }
    return true;
}

enum { DIGITS_SAFE = 18 }; /* So many always fit 64 bits. */

/* At a digit, perhaps after a sign. */
static enum edn_token read_number(struct edn *edn)
{
    const char *start = edn->at;
    const bool negative = *start == '-';
    const char *at = start + (*start == '-' || *start == '+');
    const char *digits = at;
    uint64_t magnitude = 0;
    bool fits = true;
    for (; at < edn->end && kind_of(*at) == DIGIT; at++) {
        const uint64_t digit = (uint64_t)(*at - '0');
        if (SIM_UNLIKELY(at - digits >= DIGITS_SAFE)) {
            fits = fits && magnitude <= (UINT64_MAX - digit) / 10;
        }
        magnitude = magnitude * 10 + digit;
    }
    const char *digits_end = at;
    at = token_end(at, edn->end);
    edn->text = start;
    edn->length = (size_t)(at - start);
    if (at != digits_end) {
        if (!number_like(digits_end, at)) {
            return fail_at(edn, start, "this is not a number");
        }
        edn->at = at;
        return EDN_NUMBER;
    }
    edn->at = at;
    if (!fits || magnitude > (uint64_t)INT64_MAX + negative) {
        return EDN_NUMBER;
    }
    edn->integer = negative ? (int64_t)(UINT64_C(0) - magnitude) : (int64_t)magnitude;
    return EDN_INT;
}

static bool text_is(const struct edn *edn, const char *word)
{
    return edn->length == strlen(word) && memcmp(edn->text, word, edn->length) == 0;
}

static enum edn_token read_symbol(struct edn *edn)
{
    edn->text = edn->at;
    edn->at = token_end(edn->at, edn->end);
    edn->length = (size_t)(edn->at - edn->text);
    if (text_is(edn, "nil")) {
        return EDN_NIL;
    }
    if (text_is(edn, "true")) {
        return EDN_TRUE;
    }
    return text_is(edn, "false") ? EDN_FALSE : EDN_SYMBOL;
}

static enum edn_token read_keyword(struct edn *edn)
{
    const char *colon = edn->at;
    edn->text = colon + 1;
    edn->at = token_end(edn->text, edn->end);
    edn->length = (size_t)(edn->at - edn->text);
    if (edn->length == 0) {
        return fail_at(edn, colon, "a colon without a name");
    }
    return EDN_KEYWORD;
}

static enum edn_token read_open(struct edn *edn, enum edn_token token, size_t length)
{
    if (edn->depth == EDN_DEPTH_MAX) {
        return fail_at(edn, edn->at, "more than 64 collections inside each other");
    }
    edn->open[edn->depth] = (uint8_t)token;
    edn->odd &= ~(UINT64_C(1) << edn->depth);
    edn->depth++;
    edn->text = edn->at;
    edn->length = length;
    edn->at += length;
    return token;
}

static enum edn_token read_close(struct edn *edn)
{
    const char c = *edn->at;
    if (edn->depth == 0) {
        return fail_at(edn, edn->at, "a closing bracket that nothing opened");
    }
    const uint32_t inner = edn->depth - 1;
    const enum edn_token open = (enum edn_token)edn->open[inner];
    const char expected = open == EDN_VECTOR ? ']' : open == EDN_LIST ? ')' : '}';
    if (c != expected) {
        return fail_at(edn, edn->at, "this bracket does not close what was opened last");
    }
    edn->depth = inner;
    edn->text = edn->at++;
    edn->length = 1;
    return EDN_CLOSE;
}

/* What stands before a value and is not one itself: `#_` and `#tag`. */
enum { DISCARD = EDN_SET + 1, TAG };

static int read_dispatch(struct edn *edn)
{
    const char *hash = edn->at;
    const char next = hash + 1 < edn->end ? hash[1] : '\0';
    if (next == '{') {
        return (int)read_open(edn, EDN_SET, 2);
    }
    if (next == '_') {
        edn->text = hash;
        edn->length = 2;
        edn->at += 2;
        return DISCARD;
    }
    if (next == '"') { /* A regular expression, as Clojure prints one. */
        edn->at++;
        return (int)read_string(edn);
    }
    if (next == '#') { /* ##Inf, ##NaN */
        edn->text = hash;
        edn->at = token_end(hash + 2, edn->end);
        edn->length = (size_t)(edn->at - hash);
        return EDN_NUMBER;
    }
    edn->text = hash;
    edn->at = token_end(hash + 1, edn->end);
    edn->length = (size_t)(edn->at - hash);
    if (edn->length == 1) {
        return (int)fail_at(edn, hash, "# without a tag");
    }
    return TAG;
}

/* One token, or DISCARD or TAG. */
static int read_raw(struct edn *edn)
{
    const char *at = skip_space(edn->at, edn->end);
    edn->at = at;
    if (at >= edn->end) {
        if (edn->depth > 0) {
            return (int)fail_at(edn, at, "the text ends inside a collection");
        }
        edn->text = at;
        edn->length = 0;
        return EDN_END;
    }
    switch (*at) {
    case '"':
        return (int)read_string(edn);
    case ':':
        return (int)read_keyword(edn);
    case '[':
        return (int)read_open(edn, EDN_VECTOR, 1);
    case '(':
        return (int)read_open(edn, EDN_LIST, 1);
    case '{':
        return (int)read_open(edn, EDN_MAP, 1);
    case ']':
    case ')':
    case '}':
        return (int)read_close(edn);
    case '\\':
        return (int)read_char(edn);
    case '#':
        return read_dispatch(edn);
    case '-':
    case '+':
        if (at + 1 < edn->end && kind_of(at[1]) == DIGIT) {
            return (int)read_number(edn);
        }
        return (int)read_symbol(edn);
    default:
        break;
    }
    switch (kind_of(*at)) {
    case DIGIT:
        return (int)read_number(edn);
    case SYMBOLIC:
        return (int)read_symbol(edn);
    default:
        return (int)fail_at(edn, at, "a character that EDN has no use for here");
    }
}

/* The value after a `#_` just read is passed over, and one more for each further `#_` that stands
 * at the same level before it is: `#_ #_ a b` discards both. Inside of what is discarded only the
 * brackets matter. */
static bool discard(struct edn *edn)
{
    const uint32_t floor = edn->depth;
    uint64_t count = 1;
    bool owed = true; /* A value must follow, not the end of what is around it. */
    while (count > 0) {
        const int token = read_raw(edn);
        if (token == EDN_ERROR) {
            return false;
        }
        if (token == DISCARD || token == TAG) {
            count += token == DISCARD && edn->depth == floor;
            owed = true;
            continue;
        }
        if (owed && (token == EDN_CLOSE || token == EDN_END)) {
            return edn_fail(edn, "#_ or a tag without a value after it");
        }
        count -= edn->depth == floor; /* A simple value, or the end of a collection. */
        owed = edn->depth == floor;
    }
    return true;
}

enum edn_token edn_next(struct edn *edn)
{
    if (SIM_UNLIKELY(edn->token == EDN_ERROR)) {
        return EDN_ERROR;
    }
    bool tagged = false;
    int token = read_raw(edn);
    while (SIM_UNLIKELY(token == DISCARD || token == TAG)) {
        tagged = tagged || token == TAG;
        if (token == DISCARD && !discard(edn)) {
            return EDN_ERROR;
        }
        token = read_raw(edn);
    }
    const bool ends = token == EDN_CLOSE || token == EDN_END;
    if (SIM_UNLIKELY(tagged && ends)) {
        return fail_at(edn, edn->text, "a tag without a value after it");
    }
    if (token == EDN_CLOSE) {
        if (edn->open[edn->depth] == EDN_MAP && (edn->odd >> edn->depth & 1)) {
            return fail_at(edn, edn->text, "this map's last key has no value");
        }
    } else { /* One more element of the collection that it stands in. */
        const uint32_t around = edn->depth - (token >= EDN_VECTOR ? 1 : 0);
        edn->odd ^= around ? UINT64_C(1) << (around - 1) : 0;
    }
    edn->token = (enum edn_token)token;
    return edn->token;
}

/* Plain digits from `at` on, as many as are safe, before a blank or the end of a vector: where
 * they end; NULL if something else is there, or more. */
static inline const char *plain_integer(const char *at, const char *end, int64_t *integer)
{
    uint64_t magnitude = 0;
    const char *digit = at;
    while (digit < end && digit - at <= DIGITS_SAFE && kind_of(*digit) == DIGIT) {
        magnitude = magnitude * 10 + (uint64_t)(*digit++ - '0');
    }
    /* Something else may go on where the digits end, and the end of the text is an error. */
    const bool ends = digit < end && (*digit == ' ' || *digit == ',' || *digit == ']');
    *integer = (int64_t)magnitude;
    return digit == at || digit - at > DIGITS_SAFE || !ends ? NULL : digit;
}

bool edn_keyword_integer(struct edn *edn, int64_t *integer)
{
    const char *at = edn->at, *end = edn->end;
    if (edn->token == EDN_ERROR || edn->depth == 0 || at == end || *at != ':') {
        return false;
    }
    const char *name = ++at;
    while (at < end && kind_of(*at) == SYMBOLIC) {
        at++;
    }
    const char *after =
        at > name && at < end && *at == ' ' ? plain_integer(at + 1, end, integer) : NULL;
    if (!after) {
        return false;
    }
    edn->token = EDN_KEYWORD;
    edn->text = name;
    edn->length = (size_t)(at - name);
    edn->at = after; /* Two elements more: no map has become odd or even. */
    return true;
}

size_t edn_integers(struct edn *edn, int64_t *integers, size_t room)
{
    if (edn->token == EDN_ERROR || edn->depth == 0 || edn->open[edn->depth - 1] == EDN_MAP) {
        return 0;
    }
    const char *at = edn->at, *end = edn->end;
    size_t count = 0;
    while (count < room) {
        while (at < end && (*at == ' ' || *at == ',')) {
            at++;
        }
        at = plain_integer(at, end, &integers[count]);
        if (!at) {
            break;
        }
        count++;
        edn->at = at;
    }
    return count;
}

/* Passes over a vector in which is nothing but vectors, words and numbers; else does nothing. */
static bool skip_plain(struct edn *edn)
{
    uint32_t depth = 1;
    const char *at = edn->at, *end = edn->end;
    for (;; at++) {
        while (at < end && (uint8_t)kinds[(uint8_t)*at] < CONTROL) { /* INNER is not. */
            at++;
        }
        if (at == end || (*at != '[' && *at != ']')) {
            return false;
        }
        depth += *at == '[' ? 1 : UINT32_MAX;
        if (depth == 0) {
            break;
        }
        if (depth + edn->depth > EDN_DEPTH_MAX) {
            return false;
        }
    }
    edn->text = at;
    edn->length = 1;
    edn->at = at + 1;
    edn->depth--;
    edn->token = EDN_CLOSE;
    return true;
}

bool edn_skip(struct edn *edn)
{
    if (edn->token <= EDN_CLOSE) {
        return false;
    }
    if (edn->token < EDN_VECTOR || (edn->token == EDN_VECTOR && skip_plain(edn))) {
        return true;
    }
    const uint32_t floor = edn->depth - 1;
    while (edn_next(edn) != EDN_ERROR) {
        if (edn->token == EDN_CLOSE && edn->depth == floor) {
            return true;
        }
    }
    return false;
}

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

bool edn_fail(struct edn *edn, const char *reason)
{
    if (edn->token != EDN_ERROR) {
        fail_at(edn, edn->text, reason);
    }
    return false;
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
