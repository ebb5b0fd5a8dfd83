#include "reports/formats/edn_internal.h"

const int8_t edn_kinds[256] = {
    EDN_CONTROL,         EDN_CONTROL,         EDN_CONTROL,         EDN_CONTROL,
    EDN_CONTROL,         EDN_CONTROL,         EDN_CONTROL,         EDN_CONTROL,
    EDN_CONTROL,         EDN_SPACE,           EDN_SPACE,           EDN_SPACE,
    EDN_SPACE,           EDN_SPACE,           EDN_CONTROL,         EDN_CONTROL,
    EDN_CONTROL,         EDN_CONTROL,         EDN_CONTROL,         EDN_CONTROL,
    EDN_CONTROL,         EDN_CONTROL,         EDN_CONTROL,         EDN_CONTROL,
    EDN_CONTROL,         EDN_CONTROL,         EDN_CONTROL,         EDN_CONTROL,
    EDN_CONTROL,         EDN_CONTROL,         EDN_CONTROL,         EDN_CONTROL,
    EDN_SPACE,           ['"'] = EDN_SPECIAL, [';'] = EDN_SPECIAL, ['\\'] = EDN_SPECIAL,
    ['('] = EDN_SPECIAL, [')'] = EDN_SPECIAL, ['['] = EDN_SPECIAL, [']'] = EDN_SPECIAL,
    ['{'] = EDN_SPECIAL, ['}'] = EDN_SPECIAL, ['#'] = EDN_INNER,   [','] = EDN_SPACE,
    ['0'] = EDN_DIGIT,   ['1'] = EDN_DIGIT,   ['2'] = EDN_DIGIT,   ['3'] = EDN_DIGIT,
    ['4'] = EDN_DIGIT,   ['5'] = EDN_DIGIT,   ['6'] = EDN_DIGIT,   ['7'] = EDN_DIGIT,
    ['8'] = EDN_DIGIT,   ['9'] = EDN_DIGIT,   ['^'] = EDN_SPECIAL, ['`'] = EDN_SPECIAL,
    ['~'] = EDN_SPECIAL, ['@'] = EDN_SPECIAL, [127] = EDN_CONTROL,
};

/* The bytes from `at` on that can belong to one symbol, keyword or number end here. */
static const char *token_end(const char *at, const char *end)
{
    while (at < end && edn_kind_of(*at) < EDN_SPACE) {
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
        if (edn_kind_of(*at) == EDN_SPACE) {
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
    if (at == edn->end || edn_kind_of(*at) == EDN_SPACE || edn_kind_of(*at) == EDN_CONTROL) {
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
        if (edn_kind_of(c) != EDN_DIGIT && !letter && c != '.' && c != '+' && c != '-' &&
            c != '/') {
            return false;
        }
    }
    return true;
}

/* At a digit, perhaps after a sign. */
static enum edn_token read_number(struct edn *edn)
{
    const char *start = edn->at;
    const bool negative = *start == '-';
    const char *at = start + (*start == '-' || *start == '+');
    const char *digits = at;
    uint64_t magnitude = 0;
    bool fits = true;
    for (; at < edn->end && edn_kind_of(*at) == EDN_DIGIT; at++) {
        const uint64_t digit = (uint64_t)(*at - '0');
        if (SIM_UNLIKELY(at - digits >= EDN_DIGITS_SAFE)) {
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
        if (at + 1 < edn->end && edn_kind_of(at[1]) == EDN_DIGIT) {
            return (int)read_number(edn);
        }
        return (int)read_symbol(edn);
    default:
        break;
    }
    switch (edn_kind_of(*at)) {
    case EDN_DIGIT:
        return (int)read_number(edn);
    case EDN_SYMBOLIC:
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

bool edn_skip(struct edn *edn)
{
    if (edn->token <= EDN_CLOSE) {
        return false;
    }
    if (edn->token < EDN_VECTOR || (edn->token == EDN_VECTOR && edn_skip_plain(edn))) {
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

bool edn_fail(struct edn *edn, const char *reason)
{
    if (edn->token != EDN_ERROR) {
        fail_at(edn, edn->text, reason);
    }
    return false;
}
