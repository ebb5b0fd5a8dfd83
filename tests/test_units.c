/* Quantities as people write them, to the last digit. */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>

#include "scenarios/format/suggest.h"
#include "scenarios/format/units.h"
#include "sim/rng.h"

struct good {
    enum units_class class;
    const char *text;
    uint64_t value;
};

/* A quantity is its number times its unit, exactly. */
Test(units, reads_what_people_write)
{
    static const struct good rows[] = {
        {UNITS_DURATION, "250ms", 250000000},
        {UNITS_DURATION, "0s", 0},
        {UNITS_DURATION, "1.5ms", 1500000},
        {UNITS_DURATION, "0.000000001s", 1},
        {UNITS_DURATION, "1.500000000000000000000000s", 1500000000},
        {UNITS_DURATION, "2us", 2000},
        {UNITS_DURATION, "7ns", 7},
        {UNITS_DURATION, "3min", UINT64_C(180000000000)},
        {UNITS_DURATION, "2h", UINT64_C(7200000000000)},
        {UNITS_DURATION, "1d", UINT64_C(86400000000000)},
        {UNITS_DURATION, "4611686018.427387904s", UINT64_C(1) << 62},
        {UNITS_SMALL, "250ps", 250},
        {UNITS_SMALL, "1.5ns", 1500},
        {UNITS_SIZE, "1MiB", 1048576},
        {UNITS_SIZE, "1.5KiB", 1536},
        {UNITS_SIZE, "3kB", 3000},
        {UNITS_SIZE, "512B", 512},
        {UNITS_RATE, "25MiB/s", 26214400},
        {UNITS_RATE, "1Gbit/s", 125000000},
        {UNITS_SHARE, "3%", 30000},
        {UNITS_SHARE, "20ppm", 20},
        {UNITS_SHARE, "0.5", 500000},
        {UNITS_SHARE, "91.22%", 912200},
        {UNITS_DRIFT, "20ppm", 20000},
        {UNITS_DRIFT, "5ppb", 5},
        {UNITS_PRICE, "$0.02/GB", 20000000},
        {UNITS_FREQUENCY, "50/s", UINT64_C(50000000000)},
        {UNITS_FREQUENCY, "30/min", 500000000},
        {UNITS_COUNT, "12", 12},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint64_t value = 0;
        char problem[UNITS_PROBLEM_MAX];
        const char *wrong = units_parse(rows[i].text, rows[i].class, &value, problem);
        cr_expect_null(wrong, "%s: %s", rows[i].text, wrong ? wrong : "");
        cr_expect_eq(value, rows[i].value, "%s is %" PRIu64, rows[i].text, value);
    }
}

struct bad {
    enum units_class class;
    const char *text;
    const char *problem; /* A part of it. */
};

/* What is no quantity is refused with a reason, and the value stays what it was. */
Test(units, refuses_everything_else_and_says_why)
{
    static const struct bad rows[] = {
        {UNITS_DURATION, "", "begins with a digit"},
        {UNITS_DURATION, "ms", "begins with a digit"},
        {UNITS_DURATION, ".5s", "begins with a digit"},
        {UNITS_DURATION, "-1s", "a duration cannot be negative"},
        {UNITS_DURATION, "5", "a duration needs a unit: d, h, min, s, ms, us or ns"},
        {UNITS_DURATION, "5 s", "\" s\" is no unit of a duration"},
        {UNITS_DURATION, "5sec", "\"sec\" is no unit"},
        {UNITS_DURATION, "5.s", "\".s\" is no unit"},
        {UNITS_DURATION, "1.2.3s", "is no unit"},
        {UNITS_DURATION, "1e3ms", "is no unit"},
        {UNITS_DURATION, "0x10ms", "is no unit"},
        {UNITS_DURATION, "0.5ns", "a duration must be a whole number of ns"},
        {UNITS_DURATION, "1.0000000001s", "a duration must be a whole number of ns"},
        {UNITS_DURATION, "4611686018.427387905s", "a duration is too large"},
        {UNITS_DURATION, "18446744073709551615d", "a duration is too large"},
        {UNITS_DURATION, "18446744073709551616ns", "too many digits"},
        {UNITS_DURATION, "0.00000000000000000000000000001s", "too many digits"},
        {UNITS_SIZE, "0.5B", "whole number of B"},
        {UNITS_SIZE, "1Mib", "\"Mib\" is no unit of a size"},
        {UNITS_RATE, "1MiB", "is no unit of a rate"},
        {UNITS_RATE, "12bit/s", "whole number of B/s"},
        {UNITS_SHARE, "0.0000001", "a share must be a whole number of ppm"},
        {UNITS_SHARE, "half", "begins with a digit"},
        {UNITS_PRICE, "0.02/GB", "begins with \"$\""},
        {UNITS_COUNT, "12s", "a count has no unit"},
        {UNITS_COUNT, "1.5", "too many decimals"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint64_t value = 77;
        char problem[UNITS_PROBLEM_MAX];
        const char *wrong = units_parse(rows[i].text, rows[i].class, &value, problem);
        cr_expect(wrong && strstr(wrong, rows[i].problem), "\"%s\": %s", rows[i].text,
                  wrong ? wrong : "was read");
    }
}

/* Only where a sign has a meaning is there one, and only one. */
Test(units, reads_signs_where_they_mean_something)
{
    int64_t value = 0;
    char problem[UNITS_PROBLEM_MAX];
    cr_expect_null(units_parse_signed("-1s", UNITS_DURATION, &value, problem));
    cr_expect_eq(value, -1000000000);
    cr_expect_null(units_parse_signed("+20ppm", UNITS_DRIFT, &value, problem));
    cr_expect_eq(value, 20000);
    cr_expect_not_null(units_parse_signed("--1s", UNITS_DURATION, &value, problem));
    cr_expect_not_null(units_parse_signed("+-1s", UNITS_DURATION, &value, problem));
    cr_expect_not_null(units_parse_signed("-", UNITS_DURATION, &value, problem));
}

/* A range has two ends in order, or one value for both. */
Test(units, reads_ranges)
{
    uint64_t low = 0;
    uint64_t high = 0;
    char problem[UNITS_PROBLEM_MAX];
    cr_expect_null(units_parse_range("150ms..300ms", UNITS_DURATION, &low, &high, problem));
    cr_expect_eq(low, 150 * SIM_MS);
    cr_expect_eq(high, 300 * SIM_MS);
    cr_expect_null(units_parse_range("5ms", UNITS_DURATION, &low, &high, problem));
    cr_expect(low == 5 * SIM_MS && high == 5 * SIM_MS);
    const char *wrong = units_parse_range("2s..1s", UNITS_DURATION, &low, &high, problem);
    cr_assert_not_null(wrong);
    cr_expect_str_eq(wrong, "the range is reversed: 2s is more than 1s");
    cr_expect_not_null(units_parse_range("1..2s", UNITS_DURATION, &low, &high, problem));
    cr_expect_not_null(units_parse_range("1s..", UNITS_DURATION, &low, &high, problem));
    cr_expect_not_null(units_parse_range("1s...2s", UNITS_DURATION, &low, &high, problem));
}

/* What is printed is read back as the same value. */
Test(units, prints_what_it_reads)
{
    static const enum units_class classes[] = {UNITS_DURATION, UNITS_SIZE,  UNITS_RATE, UNITS_SHARE,
                                               UNITS_DRIFT,    UNITS_PRICE, UNITS_COUNT};
    struct sim_rng rng;
    sim_rng_seed(&rng, 1, 1);
    for (uint32_t i = 0; i < 20000; i++) {
        const enum units_class class = classes[i % (sizeof classes / sizeof classes[0])];
        const uint32_t shift = 2 + sim_rng_bounded(&rng, 62);
        uint64_t value = sim_rng_u64(&rng) >> shift;
        const struct units_text text = units_format(value, class);
        uint64_t back = 0;
        char problem[UNITS_PROBLEM_MAX];
        const char *wrong = units_parse(text.text, class, &back, problem);
        cr_assert_null(wrong, "draw %u, %" PRIu64 ": \"%s\": %s", i, value, text.text,
                       wrong ? wrong : "");
        cr_assert_eq(back, value, "draw %u, %" PRIu64 ": \"%s\"", i, value, text.text);
    }
    cr_expect_str_eq(units_format(1500 * SIM_MS, UNITS_DURATION).text, "1.5s");
    cr_expect_str_eq(units_format(150 * SIM_MS, UNITS_DURATION).text, "150ms");
    cr_expect_str_eq(units_format(64 << 20, UNITS_SIZE).text, "64MiB");
}

/* The nearest name is the one with the fewest slips of the keyboard. */
Test(suggest, finds_the_nearest_name)
{
    cr_expect_eq(suggest_distance("latency", "latency"), 0);
    cr_expect_eq(suggest_distance("latnecy", "latency"), 1, "a swap is one edit");
    cr_expect_eq(suggest_distance("kitten", "sitting"), 3);
    cr_expect_eq(suggest_distance("", "abc"), 3);
    struct suggestion suggestion = {.word = "electoin_timeout"};
    suggest_consider(&suggestion, "heartbeat_interval");
    cr_expect_null(suggestion.nearest, "nothing near");
    suggest_consider(&suggestion, "election_timeout");
    suggest_consider(&suggestion, "election_timeouts");
    cr_expect_str_eq(suggestion.nearest, "election_timeout");
    struct suggestion part = {.word = "normal"};
    suggest_consider(&part, "uniform");
    suggest_consider(&part, "lognormal");
    cr_expect_str_eq(part.nearest, "lognormal", "a part of a name means it");
    struct suggestion hopeless = {.word = "x"};
    suggest_consider(&hopeless, "y");
    cr_expect_null(hopeless.nearest, "a name of one letter shares nothing with another");
}
