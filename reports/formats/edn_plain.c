/* Shortcuts for what histories are mostly made of, plain numbers and vectors of them: what they
 * take is what edn_next() would have taken token by token. */
#include "reports/formats/edn_internal.h"

/* Plain digits from `at` on, as many as are safe, before a blank or the end of a vector: where
 * they end; NULL if something else is there, or more. */
static inline const char *plain_integer(const char *at, const char *end, int64_t *integer)
{
    uint64_t magnitude = 0;
    const char *digit = at;
    while (digit < end && digit - at <= EDN_DIGITS_SAFE && edn_kind_of(*digit) == EDN_DIGIT) {
        magnitude = magnitude * 10 + (uint64_t)(*digit++ - '0');
    }
    /* Something else may go on where the digits end, and the end of the text is an error. */
    const bool ends = digit < end && (*digit == ' ' || *digit == ',' || *digit == ']');
    *integer = (int64_t)magnitude;
    return digit == at || digit - at > EDN_DIGITS_SAFE || !ends ? NULL : digit;
}

bool edn_keyword_integer(struct edn *edn, int64_t *integer)
{
    const char *at = edn->at, *end = edn->end;
    if (edn->token == EDN_ERROR || edn->depth == 0 || at == end || *at != ':') {
        return false;
    }
    const char *name = ++at;
    while (at < end && edn_kind_of(*at) == EDN_SYMBOLIC) {
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

bool edn_skip_plain(struct edn *edn)
{
    uint32_t depth = 1;
    const char *at = edn->at, *end = edn->end;
    for (;; at++) {
        while (at < end && (uint8_t)edn_kinds[(uint8_t)*at] < EDN_CONTROL) { /* EDN_INNER is not. */
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
