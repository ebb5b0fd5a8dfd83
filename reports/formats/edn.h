/* Reads EDN (extensible data notation, github.com/edn-format/edn), the text that Clojure's tools
 * write, such as Jepsen's histories. A pull reader over bytes in memory: no copy, no allocation,
 * no recursion; a copy of the struct is a bookmark to read on from.
 *
 *     struct edn edn;
 *     edn_begin(&edn, bytes, size_bytes);
 *     while (edn_next(&edn) > EDN_ERROR) { ... }     // edn.token says what was met
 *     if (edn.token == EDN_ERROR) { ... }            // edn_problem() says what and where
 *
 * A collection is its opening token, its elements and EDN_CLOSE; of a map the elements alternate
 * between keys and values, and the reader sees to it that none is without its value. Commas,
 * comments and whatever `#_` discards are never seen. Tags are dropped: `#inst "1985"` reads as the
 * string, `#jepsen.history.Op{...}` as the map. Duplicate keys are the caller's matter. */
#ifndef REPORTS_FORMATS_EDN_H
#define REPORTS_FORMATS_EDN_H

#include "sim/base.h"

enum edn_token {
    EDN_END,   /* Of the text, outside every collection. */
    EDN_ERROR, /* And from then on. */
    EDN_CLOSE, /* Of the innermost open collection. */
    EDN_NIL,
    EDN_TRUE,
    EDN_FALSE,
    EDN_INT,     /* `integer`: fits 64 bits with sign. */
    EDN_NUMBER,  /* Any other: larger, with a fraction, a ratio; only its text. */
    EDN_STRING,  /* `text` between the quotes, escapes as written; see edn_string(). */
    EDN_KEYWORD, /* `text` without the colon. */
    EDN_SYMBOL,
    EDN_CHAR, /* `text` without the backslash. */
    EDN_VECTOR,
    EDN_LIST,
    EDN_MAP,
    EDN_SET,
};

#define EDN_DEPTH_MAX 64 /* Collections inside each other; deeper is an error. */

struct edn {
    enum edn_token token; /* The one edn_next() answered last. */
    const char *text;     /* Of the token, in the caller's bytes; no zero at its end. */
    size_t length;
    int64_t integer; /* Of EDN_INT. */

    const char *at; /* Where reading goes on. */
    const char *begin, *end;
    uint32_t depth;              /* Collections open. */
    uint8_t open[EDN_DEPTH_MAX]; /* enum edn_token of each. */
    uint64_t odd;                /* Bit d: collection d has an odd number of elements so far. */
    const char *reason;          /* Of EDN_ERROR; a constant. */
    const char *error_at;
};

/* Borrows the bytes, which need no zero at their end. */
void edn_begin(struct edn *edn, const char *bytes, size_t size_bytes);

/* Begins again at the beginning of a token met before, which is read as if it stood alone; places
 * in the text stay the same. A bookmark of one pointer, where copies of the struct are too many. */
void edn_return(struct edn *edn, const char *beginning);
/* Where the token met last begins. */
const char *edn_beginning(const struct edn *edn);

/* The next token, also in edn->token. */
enum edn_token edn_next(struct edn *edn);

/* The token was met just now: passes over the rest of its value, which for a collection is up to
 * its EDN_CLOSE. False on EDN_ERROR; an EDN_CLOSE or EDN_END is nobody's value: false as well. Of
 * what is passed over little more than the brackets is looked at. */
SIM_NODISCARD bool edn_skip(struct edn *edn);

/* The same as edn_next() over and over, for what there is most of: of the integers that come next
 * in a vector, list or set those that are written in plain digits, at most `room` of them.
 * Answers how many; what follows is left for edn_next(). */
size_t edn_integers(struct edn *edn, int64_t *integers, size_t room);

/* The same as edn_next() twice, for what there is most of: the next is a keyword, and after it an
 * integer in plain digits. The keyword is then the token, and *integer what came after it. False
 * if that is not so: nothing has changed then. */
bool edn_keyword_integer(struct edn *edn, int64_t *integer);

/* The token is this keyword. */
static inline bool edn_keyword_is(const struct edn *edn, const char *name)
{
    return edn->token == EDN_KEYWORD && strlen(name) == edn->length &&
           memcmp(edn->text, name, edn->length) == 0;
}

/* The EDN_STRING's characters with escapes resolved, as UTF-8, into `buffer` of edn->length + 1
 * bytes (never more are needed), with a zero at the end. Answers their count. */
size_t edn_string(const struct edn *edn, char *buffer);

/* Makes this the reader's error, at the token met last; for callers who find a token in the wrong
 * place. Returns false, to be returned at once. */
bool edn_fail(struct edn *edn, const char *reason);

/* Line and column, from 1, of a place in the text. Counts from the beginning: for errors. */
void edn_place(const struct edn *edn, const char *at, uint32_t *line, uint32_t *column);

/* "line 3, column 14: this map's last key has no value". */
void edn_problem(const struct edn *edn, char *buffer, size_t size_bytes);

/* What the token is called in an error: "a keyword". */
const char *edn_token_name(enum edn_token token);

#endif
