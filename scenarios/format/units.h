/* Quantities as people write them: "250ms", "1.5MiB", "20ppm", "3%", "25MiB/s", "$0.02/GB".
 *
 * A number, then at once its unit. Decimals are exact: no floating point is involved, and what
 * is not a whole number of the smallest unit is an error, not rounded. */
#ifndef SCENARIOS_UNITS_H
#define SCENARIOS_UNITS_H

#include "sim/base.h"

/* What is measured, and in which unit the value is given back. */
enum units_class {
    UNITS_DURATION,  /* ns us ms s min h d; nanoseconds */
    UNITS_SMALL,     /* The same and ps; picoseconds. For costs of a byte. */
    UNITS_SIZE,      /* B kB MB GB TB KiB MiB GiB TiB; bytes */
    UNITS_RATE,      /* A size and "/s", or bit/s kbit/s Mbit/s Gbit/s; bytes per second */
    UNITS_SHARE,     /* % ppm, or a bare number; ppm. Not limited to 1: see the caller. */
    UNITS_DRIFT,     /* ppb ppm %; ppb */
    UNITS_PRICE,     /* "$0.02/GB"; 10^-9 dollars for 10^9 bytes */
    UNITS_FREQUENCY, /* "50/s" "3/min" "10/h"; events in 10^9 seconds, rounded down */
    UNITS_COUNT      /* A bare number. */
};

/* The largest value given back, so that sums of a few of them cannot wrap. */
#define UNITS_MAX (UINT64_C(1) << 62)

#define UNITS_PROBLEM_MAX 160

/* The value of `text` (NUL-terminated) in *value. NULL, or `problem` filled in with what is wrong,
 * in words for people: "a duration cannot be negative". */
const char *units_parse(const char *text, enum units_class class, uint64_t *value,
                        char problem[UNITS_PROBLEM_MAX]);

/* The same with a leading '-' or '+' allowed. */
const char *units_parse_signed(const char *text, enum units_class class, int64_t *value,
                               char problem[UNITS_PROBLEM_MAX]);

/* "1ms..10ms", or "5ms" for both ends. A range whose ends are reversed is a problem. */
const char *units_parse_range(const char *text, enum units_class class, uint64_t *low,
                              uint64_t *high, char problem[UNITS_PROBLEM_MAX]);

/* What a class looks like, for messages: "a duration such as \"250ms\"". */
const char *units_example(enum units_class class);

/* A value back as text, exact and with the largest unit that needs no more than three decimals:
 * "1.5s", "150ms". */
struct units_text {
    char text[40];
};
struct units_text units_format(uint64_t value, enum units_class class);

#endif
