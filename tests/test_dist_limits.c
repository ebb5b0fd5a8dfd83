/* The settings that distributions may have: at random and at their limits all is within bounds, and
 * beyond them they are named. */
#include <criterion/criterion.h>

#include "sim/dist.h"

static const uint64_t ends[] = {
    0, 1, UINT64_C(0x7fffffffffffffff), UINT64_C(0x8000000000000000), UINT64_MAX - 1, UINT64_MAX};
#define END_COUNT (sizeof ends / sizeof ends[0])

/* A kind and its settings at random, valid by construction, often at their limits. */
static void random_simple(struct sim_rng *rng, uint32_t kind, uint64_t *a, uint64_t *b)
{
    const unsigned a_shift = 2 + sim_rng_bounded(rng, 62);
    const unsigned b_shift = 2 + sim_rng_bounded(rng, 62);
    *a = sim_rng_u64(rng) >> a_shift;
    *b = sim_rng_u64(rng) >> b_shift;
    if (sim_rng_bounded(rng, 10) == 0) {
        *a = SIM_DIST_VALUE_MAX;
    }
    if (kind == SIM_DIST_UNIFORM) {
        *b = *b < *a ? *a : *b;
    } else if (kind == SIM_DIST_LOGNORMAL) {
        *b %= SIM_DIST_SIGMA_PPM_MAX + 1;
    } else if (kind == SIM_DIST_PARETO) {
        *b = *b % SIM_DIST_ALPHA_PPM_MAX + 1;
    }
    if (kind != SIM_DIST_UNIFORM && kind != SIM_DIST_CONSTANT && *a == 0) {
        *a = 1;
    }
}

static void random_dist(struct sim_rng *rng, struct sim_dist *dist)
{
    *dist = (struct sim_dist){.kind = sim_rng_bounded(rng, 7)};
    if (dist->kind == SIM_DIST_MIXTURE) {
        dist->count = 1 + sim_rng_bounded(rng, SIM_DIST_PARTS_MAX);
        uint32_t left_ppm = SIM_PPM;
        for (uint32_t i = 0; i < dist->count; i++) {
            struct sim_dist_part *part = &dist->parts[i];
            part->weight_ppm = i + 1 == dist->count ? left_ppm : sim_rng_bounded(rng, left_ppm + 1);
            left_ppm -= part->weight_ppm;
            part->kind = sim_rng_bounded(rng, SIM_DIST_MIXTURE);
            random_simple(rng, part->kind, &part->a, &part->b);
        }
    } else if (dist->kind == SIM_DIST_QUANTILES) {
        dist->count = 1 + sim_rng_bounded(rng, SIM_DIST_POINTS_MAX);
        uint32_t ppb = 0;
        uint64_t value = 0;
        for (uint32_t i = 0; i < dist->count; i++) {
            const uint32_t room = 1000000000 - (dist->count - i) - ppb;
            const unsigned shift = 2 + sim_rng_bounded(rng, 62);
            const uint64_t rise = sim_rng_u64(rng) >> shift;
            ppb += 1 + sim_rng_bounded(rng, room + 1) / (1 + sim_rng_bounded(rng, 8));
            value = value + rise > SIM_DIST_VALUE_MAX ? SIM_DIST_VALUE_MAX : value + rise;
            dist->points[i] = (struct sim_dist_point){ppb, value};
        }
    } else {
        random_simple(rng, dist->kind, &dist->a, &dist->b);
    }
    if (dist->kind == SIM_DIST_EXPONENTIAL || dist->kind == SIM_DIST_MIXTURE) {
        const unsigned shift = 2 + sim_rng_bounded(rng, 62);
        dist->cap = sim_rng_u64(rng) >> shift;
    }
}

/* No valid distribution and no uniforms give a sample above the saturation bound, the cap, or the
 * high value of a bounded kind; and none trips an assertion or the sanitizers. */
Test(dist, random_distributions_stay_within_their_bounds)
{
    for (uint64_t seed = 1; seed <= 20000; seed++) {
        struct sim_rng rng;
        struct sim_dist dist;
        sim_rng_derive(&rng, seed, "fuzz");
        random_dist(&rng, &dist);
        const char *problem = sim_dist_problem(&dist);
        cr_assert_null(problem, "seed %d: %s", (int)seed, problem);
        const bool bounded = dist.cap || dist.kind == SIM_DIST_CONSTANT ||
                             dist.kind == SIM_DIST_UNIFORM || dist.kind == SIM_DIST_QUANTILES;
        const uint64_t bound = bounded ? sim_dist_high(&dist) : SIM_DIST_VALUE_MAX;
        cr_assert_leq(bound, SIM_DIST_VALUE_MAX);
        for (size_t i = 0; i < 30; i++) {
            const uint64_t u1 = i < END_COUNT ? ends[i] : sim_rng_u64(&rng);
            const uint64_t u2 = i % 3 == 0 ? ends[i % END_COUNT] : sim_rng_u64(&rng);
            const uint64_t got = sim_dist_sample(&dist, u1, u2);
            cr_assert_leq(got, bound, "seed %d, kind %u", (int)seed, (unsigned)dist.kind);
        }
    }
}

/* Each kind of bad input has its own words. */
Test(dist, names_what_is_wrong)
{
    const uint64_t big = SIM_DIST_VALUE_MAX + 1;
    const struct {
        const char *problem;
        struct sim_dist dist;
    } cases[] = {
        {"unknown kind of distribution", {.kind = SIM_DIST_QUANTILES + 1}},
        {"unknown kind of distribution", {.kind = UINT32_MAX}},
        {"a value must be below 2^62", {.kind = SIM_DIST_CONSTANT, .a = big}},
        {"a value must be below 2^62", {.kind = SIM_DIST_UNIFORM, .a = 1, .b = big}},
        {"a value must be below 2^62", {.kind = SIM_DIST_EXPONENTIAL, .a = UINT64_MAX}},
        {"the minimum must not be above the maximum", {.kind = SIM_DIST_UNIFORM, .a = 3, .b = 2}},
        {"the mean must be positive", {.kind = SIM_DIST_EXPONENTIAL}},
        {"the median must be positive", {.kind = SIM_DIST_LOGNORMAL, .b = 1}},
        {"sigma must be at most 10", {.kind = SIM_DIST_LOGNORMAL, .a = 1, .b = 10000001}},
        {"the minimum must be positive", {.kind = SIM_DIST_PARETO, .b = 1}},
        {"alpha must be positive", {.kind = SIM_DIST_PARETO, .a = 1}},
        {"alpha must be at most 1000", {.kind = SIM_DIST_PARETO, .a = 1, .b = 1000000001}},
        {"the cap must be below 2^62", {.kind = SIM_DIST_CONSTANT, .cap = big}},
        {"the cap must not be below the smallest value",
         {.kind = SIM_DIST_UNIFORM, .a = 5, .b = 9, .cap = 4}},
        {"the cap must not be below the smallest value",
         {.kind = SIM_DIST_PARETO, .a = 5, .b = 9, .cap = 4}},
        {"the cap must not be below the smallest value",
         {.kind = SIM_DIST_QUANTILES, .count = 1, .points = {{1, 5}}, .cap = 4}},
        {"a mixture must have 1 to 4 parts", {.kind = SIM_DIST_MIXTURE}},
        {"a mixture must have 1 to 4 parts", {.kind = SIM_DIST_MIXTURE, .count = 5}},
        {"the weights of a mixture must sum to 1",
         {.kind = SIM_DIST_MIXTURE, .count = 2, .parts = {{600000, 0, 1, 0}, {399999, 0, 2, 0}}}},
        {"the weights of a mixture must sum to 1", /* 2^32 + 10^6: must not wrap. */
         {.kind = SIM_DIST_MIXTURE,
          .count = 2,
          .parts = {{UINT32_MAX, 0, 1, 0}, {1000001, 0, 2, 0}}}},
        {"a part of a mixture must not be a mixture or a table of quantiles",
         {.kind = SIM_DIST_MIXTURE, .count = 1, .parts = {{1000000, SIM_DIST_MIXTURE, 1, 0}}}},
        {"a part of a mixture must not be a mixture or a table of quantiles",
         {.kind = SIM_DIST_MIXTURE, .count = 1, .parts = {{1000000, SIM_DIST_QUANTILES, 1, 0}}}},
        {"alpha must be positive",
         {.kind = SIM_DIST_MIXTURE, .count = 1, .parts = {{1000000, SIM_DIST_PARETO, 1, 0}}}},
        {"unknown kind of distribution",
         {.kind = SIM_DIST_MIXTURE, .count = 1, .parts = {{1000000, 99, 1, 0}}}},
        {"a table of quantiles must have 1 to 16 points", {.kind = SIM_DIST_QUANTILES}},
        {"a table of quantiles must have 1 to 16 points",
         {.kind = SIM_DIST_QUANTILES, .count = 17}},
        {"a quantile's share must be at most 1",
         {.kind = SIM_DIST_QUANTILES, .count = 1, .points = {{1000000001, 1}}}},
        {"a value must be below 2^62",
         {.kind = SIM_DIST_QUANTILES, .count = 1, .points = {{1, big}}}},
        {"the shares of a table of quantiles must rise",
         {.kind = SIM_DIST_QUANTILES, .count = 2, .points = {{5, 1}, {5, 2}}}},
        {"the values of a table of quantiles must not fall",
         {.kind = SIM_DIST_QUANTILES, .count = 2, .points = {{5, 2}, {6, 1}}}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *problem = sim_dist_problem(&cases[i].dist);
        cr_expect(problem && strcmp(problem, cases[i].problem) == 0, "case %zu: %s, not %s", i,
                  problem ? problem : "no problem", cases[i].problem);
    }
}

/* What is allowed at the very limit has no problem. */
Test(dist, accepts_the_limits)
{
    const struct sim_dist good[] = {
        {.kind = SIM_DIST_CONSTANT, .a = SIM_DIST_VALUE_MAX, .cap = SIM_DIST_VALUE_MAX},
        {.kind = SIM_DIST_UNIFORM, .a = 3, .b = 3, .cap = 3},
        {.kind = SIM_DIST_LOGNORMAL, .a = 1, .b = SIM_DIST_SIGMA_PPM_MAX, .cap = 1},
        {.kind = SIM_DIST_LOGNORMAL, .a = 1, .b = 0},
        {.kind = SIM_DIST_PARETO, .a = 1, .b = SIM_DIST_ALPHA_PPM_MAX},
        {.kind = SIM_DIST_MIXTURE, .count = 2, .parts = {{1000000, 0, 1, 0}, {0, 0, 2, 0}}},
        {.kind = SIM_DIST_QUANTILES, .count = 2, .points = {{0, 5}, {1000000000, 5}}},
    };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        cr_expect_null(sim_dist_problem(&good[i]), "case %zu", i);
    }
    cr_expect_eq(sim_dist_sample(&good[3], UINT64_MAX, 0), 1, "no spread without sigma");
}
