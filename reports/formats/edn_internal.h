/* What the reader of EDN (edn.c) shares with its shortcuts (edn_plain.c). */
#ifndef REPORTS_FORMATS_EDN_INTERNAL_H
#define REPORTS_FORMATS_EDN_INTERNAL_H

#include "reports/formats/edn.h"

/* What a byte is outside of strings and comments. */
enum edn_kind {
    EDN_INNER = -1, /* Has a meaning of its own, but only at the beginning of a token: # and '. */
    EDN_SYMBOLIC,   /* Part of a symbol, keyword or number; bytes of UTF-8 too. */
    EDN_DIGIT,
    EDN_SPACE,   /* From here on: ends a token. */
    EDN_CONTROL, /* Not allowed. */
    EDN_SPECIAL, /* Has a meaning of its own. */
};

extern const int8_t edn_kinds[256]; /* enum edn_kind, by byte. */

static inline enum edn_kind edn_kind_of(char c)
{
    return (enum edn_kind)edn_kinds[(uint8_t)c];
}

enum { EDN_DIGITS_SAFE = 18 }; /* So many always fit 64 bits. */

/* Passes over a vector in which is nothing but vectors, words and numbers; else does nothing. */
bool edn_skip_plain(struct edn *edn);

#endif
