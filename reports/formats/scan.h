/* A cursor over the bytes of a line, for the readers of line formats. */
#ifndef REPORTS_FORMATS_SCAN_H
#define REPORTS_FORMATS_SCAN_H

#include "sim/base.h"

struct scan {
    const char *at;
    const char *end; /* Of the line, its end excluded. */
};

/* The next line of `bytes` from *offset on, which moves past it; false at the end. A carriage
 * return before the line's end is dropped. */
static inline bool scan_line(const char *bytes, size_t size_bytes, size_t *offset,
                             struct scan *line)
{
    if (*offset >= size_bytes) {
        return false;
    }
    line->at = bytes + *offset;
    const char *end = memchr(line->at, '\n', size_bytes - *offset);
    line->end = end ? end : bytes + size_bytes;
    *offset = (size_t)(line->end - bytes) + 1;
    if (line->end > line->at && line->end[-1] == '\r') {
        line->end--;
    }
    return true;
}

static inline void scan_blanks(struct scan *s)
{
    while (s->at < s->end && (*s->at == ' ' || *s->at == '\t')) {
        s->at++;
    }
}

/* The line goes on with `word`: passes it. */
static inline bool scan_word(struct scan *s, const char *word)
{
    const size_t length = strlen(word);
    if ((size_t)(s->end - s->at) < length || memcmp(s->at, word, length) != 0) {
        return false;
    }
    s->at += length;
    return true;
}

/* The line ends here, or a blank follows. */
static inline bool scan_at_gap(const struct scan *s)
{
    return s->at == s->end || *s->at == ' ' || *s->at == '\t';
}

/* A whole word: followed by a blank or the end, which is passed too. */
static inline bool scan_token(struct scan *s, const char *word)
{
    const struct scan before = *s;
    if (scan_word(s, word) && scan_at_gap(s)) {
        scan_blanks(s);
        return true;
    }
    *s = before;
    return false;
}

/* A decimal integer of 64 bits with sign. */
static inline bool scan_integer(struct scan *s, int64_t *integer)
{
    const char *at = s->at;
    const bool negative = at < s->end && *at == '-';
    at += negative;
    const char *digits = at;
    uint64_t number = 0;
    for (; at < s->end && *at >= '0' && *at <= '9'; at++) {
        const uint64_t digit = (uint64_t)(*at - '0');
        if (number > ((uint64_t)INT64_MAX + negative - digit) / 10) {
            return false;
        }
        number = 10 * number + digit;
    }
    if (at == digits) {
        return false;
    }
    *integer = negative ? (int64_t)(~number + 1) : (int64_t)number;
    s->at = at;
    return true;
}

#endif
