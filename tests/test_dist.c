/* The distributions against their closed forms.
 *
 * A sample is a quantile function of u1, so most checks need no chance: they ask for quantiles,
 * or average over evenly spaced u1. */
#include <criterion/criterion.h>

#include "sim/dist.h"

static const uint64_t ends[] = {
    0, 1, UINT64_C(0x7fffffffffffffff), UINT64_C(0x8000000000000000), UINT64_MAX - 1, UINT64_MAX};
#define END_COUNT (sizeof ends / sizeof ends[0])

/* Seven distributions, one of each kind, of the shapes and sizes that scenarios use. */
static const struct sim_dist constant = {.kind = SIM_DIST_CONSTANT, .a = 5000000};
static const struct sim_dist uniform = {.kind = SIM_DIST_UNIFORM, .a = 1000000, .b = 3000000};
static const struct sim_dist exponential = {.kind = SIM_DIST_EXPONENTIAL, .a = SIM_S};
static const struct sim_dist lognormal = {.kind = SIM_DIST_LOGNORMAL, .a = SIM_S, .b = 500000};
static const struct sim_dist pareto = {.kind = SIM_DIST_PARETO, .a = SIM_S, .b = 2500000};
static const struct sim_dist mixture = {
    .kind = SIM_DIST_MIXTURE,
    .count = 3,
    .parts = {{600000, SIM_DIST_CONSTANT, 1000000, 0},
              {300000, SIM_DIST_UNIFORM, 2000000, 4000000},
              {100000, SIM_DIST_EXPONENTIAL, 10000000, 0}},
};
static const struct sim_dist quantiles = {
    .kind = SIM_DIST_QUANTILES,
    .count = 6,
    .points = {{0, 100000},
               {500000000, 1000000},
               {900000000, 3000000},
               {990000000, 10000000},
               {999000000, 50000000},
               {1000000000, 200000000}},
};

static const struct {
    const char *name;
    const struct sim_dist *dist;
    double mean;     /* In closed form. */
    double variance; /* Likewise, of the kinds whose draws are compared with it. */
    uint64_t golden; /* Hash of a million draws. */
} kinds[] = {
    {"constant", &constant, 5e6, 0, UINT64_C(0xab99b17122c7279f)},
    {"uniform", &uniform, 2e6, 1e12 / 3, UINT64_C(0x7c4b3b381b52464e)},
    {"exponential", &exponential, 1e9, 1e18, UINT64_C(0x5a4ee87d3e63d926)},
    {"lognormal", &lognormal, 1.13314845307e9, 0.364695854012e18, UINT64_C(0xe9e8d8fcb3236fe8)},
    {"pareto", &pareto, 1e9 * 5 / 3, 2.222222222e18, UINT64_C(0xb37f3d45ffda25d8)},
    /* 0.6 * 1 ms + 0.3 * 3 ms + 0.1 * 10 ms; the mean square is 0.6 * 1 + 0.3 * (9 + 1/3) +
     * 0.1 * 200 ms^2. */
    {"mixture", &mixture, 2.5e6, 23.4e12 - 6.25e12, UINT64_C(0x9f4496a195a4ae30)},
    /* Trapezia in the body and the last step; between tails s1 > s2, values v1 and v2 add
     * v1 (s1 - s2) + (v2 - v1) (s1 - s2 - s2 r) / r with r = ln(s1 / s2). */
    {"quantiles", &quantiles, 1777019.4847319, 0, UINT64_C(0x2973ba63b621c09d)},
};
#define KIND_COUNT (sizeof kinds / sizeof kinds[0])

/* The uniform below which a share `ppb` of all lie. */
static uint64_t u_at(uint32_t ppb)
{
    const uint64_t billionth = UINT64_MAX / 1000000000;
    return billionth * ppb + (UINT64_MAX % 1000000000) * ppb / 1000000000;
}

static bool close_to(uint64_t got, double expected, double tolerance)
{
    const double off = (double)got - expected;
    return off <= tolerance && off >= -tolerance;
}

Test(dist, of_scenarios_have_no_problem)
{
    for (size_t k = 0; k < KIND_COUNT; k++) {
        cr_expect_null(sim_dist_problem(kinds[k].dist), "%s", kinds[k].name);
    }
}

/* A constant is always the same, and nothing at all is the constant 0. */
Test(dist, a_constant_is_constant)
{
    const struct sim_dist zero = {0};
    cr_expect_null(sim_dist_problem(&zero));
    for (size_t i = 0; i < END_COUNT; i++) {
        cr_expect_eq(sim_dist_sample(&constant, ends[i], ends[END_COUNT - 1 - i]), 5000000);
        cr_expect_eq(sim_dist_sample(&zero, ends[i], 0), 0);
    }
}

/* Uniform values include both ends and nothing outside, and each is as likely. */
Test(dist, uniform_covers_both_ends_evenly)
{
    const struct sim_dist die = {.kind = SIM_DIST_UNIFORM, .a = 1, .b = 6};
    const uint64_t sixth = UINT64_MAX / 6 + 1;
    for (uint64_t face = 1; face <= 6; face++) {
        cr_expect_eq(sim_dist_sample(&die, (face - 1) * sixth, 0), face, "at its beginning");
        cr_expect_eq(sim_dist_sample(&die, face * (sixth - 1), 0), face, "at its end");
    }
    const struct sim_dist all = {.kind = SIM_DIST_UNIFORM, .b = SIM_DIST_VALUE_MAX};
    cr_expect_eq(sim_dist_sample(&all, 0, 0), 0);
    cr_expect_eq(sim_dist_sample(&all, UINT64_MAX, 0), SIM_DIST_VALUE_MAX);
}

/* Each skewed kind has the quantiles of its closed form (mpmath) at a scale of 10^9.
 *
 * The tolerance is 1e-8 of the value, as the header says, and one unit of rounding. The normal
 * quantile, off by up to 1e-9, is the largest part of it. */
Test(dist, quantiles_are_those_of_the_closed_forms)
{
    static const struct {
        const struct sim_dist *dist;
        uint32_t ppb;
        double value;
    } cases[] = {
        {&exponential, 500000000, 693147180.55995}, {&exponential, 990000000, 4605170185.9881},
        {&exponential, 999999000, 13815510557.964}, {&lognormal, 10000000, 312492772.82897},
        {&lognormal, 500000000, 1000000000.0},      {&lognormal, 990000000, 3200074007.943},
        {&lognormal, 999999000, 10769436347.879},   {&pareto, 500000000, 1319507910.7729},
        {&pareto, 990000000, 6309573444.8019},      {&pareto, 999999000, 251188643150.96},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const uint64_t got = sim_dist_sample(cases[i].dist, u_at(cases[i].ppb), 0);
        cr_expect(close_to(got, cases[i].value, 1 + 1e-8 * cases[i].value),
                  "case %zu: %llu, not %.0f", i, (unsigned long long)got, cases[i].value);
    }
}

/* A table gives its own points back, is linear in p in the body and beyond its last but one
 * point (which has no logarithm), and linear in the logarithm of the tail above the median. */
Test(dist, a_table_is_linear_in_the_body_and_logarithmic_in_the_tail)
{
    static const struct {
        uint32_t ppb;
        double value;
    } cases[] = {
        {0, 100000},
        {500000000, 1000000},
        {900000000, 3000000},
        {990000000, 10000000},
        {999000000, 50000000},
        {1000000000, 200000000},
        {250000000, 550000},
        {700000000, 1634787.611028},
        {950000000, 5107209.9696479},
        {999500000, 125000000},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const uint64_t got = sim_dist_sample(&quantiles, u_at(cases[i].ppb), 0);
        cr_expect(close_to(got, cases[i].value, 1), "at %u: %llu, not %.0f", (unsigned)cases[i].ppb,
                  (unsigned long long)got, cases[i].value);
    }
}

/* Below its first point a table stays at the first value, above its last at the last. */
Test(dist, a_table_is_flat_outside_its_points)
{
    const struct sim_dist middle = {
        .kind = SIM_DIST_QUANTILES, .count = 2, .points = {{400000000, 70}, {600000000, 90}}};
    cr_expect_eq(sim_dist_sample(&middle, 0, 0), 70);
    cr_expect_eq(sim_dist_sample(&middle, u_at(399999999), 0), 70);
    cr_expect_eq(sim_dist_sample(&middle, u_at(500000000), 0), 80);
    cr_expect_eq(sim_dist_sample(&middle, u_at(600000001), 0), 90);
    cr_expect_eq(sim_dist_sample(&middle, UINT64_MAX, 0), 90);
    const struct sim_dist one = {
        .kind = SIM_DIST_QUANTILES, .count = 1, .points = {{500000000, 7}}};
    cr_expect_eq(sim_dist_sample(&one, 0, 0), 7);
    cr_expect_eq(sim_dist_sample(&one, UINT64_MAX, 0), 7);
}

/* The second uniform alone chooses the part of a mixture, each as often as its weight says. */
Test(dist, a_mixture_chooses_by_the_second_uniform)
{
    cr_expect_eq(sim_dist_sample(&mixture, 0, 0), 1000000);
    cr_expect_eq(sim_dist_sample(&mixture, 0, u_at(599999999)), 1000000);
    cr_expect_eq(sim_dist_sample(&mixture, 0, u_at(600000001)), 2000000);
    cr_expect_eq(sim_dist_sample(&mixture, 0, u_at(899999999)), 2000000);
    cr_expect_eq(sim_dist_sample(&mixture, UINT64_MAX, u_at(899999999)), 4000000);
    const uint64_t rare = sim_dist_sample(&mixture, u_at(500000000), u_at(900000001));
    cr_expect_eq(rare, 6931472, "the exponential's median: %llu", (unsigned long long)rare);
    cr_expect_eq(sim_dist_sample(&mixture, u_at(500000000), UINT64_MAX), rare);
}

/* A larger uniform never gives a smaller sample: what a shrinker that lowers a delay relies on. */
Test(dist, samples_rise_with_the_first_uniform)
{
    for (size_t k = 0; k < KIND_COUNT; k++) {
        uint64_t before = 0;
        for (uint64_t i = 0; i <= 100000; i++) {
            const uint64_t got =
                sim_dist_sample(kinds[k].dist, i * (UINT64_MAX / 100000), UINT64_MAX);
            cr_assert_geq(got, before, "%s at %d", kinds[k].name, (int)i);
            before = got;
        }
    }
}

/* The mean over evenly spaced uniforms is the closed form's.
 *
 * The middle of n = 100,000 equal shares misses an exponential's tail by less than one mean / n, a
 * lognormal's likewise, and Pareto's top share, of n^(1 / 2.5) = 100 minima, by less than half of
 * itself: 100 / n / 2 = 5e-4 of the minimum. The mixture's parts get 1,000 by 1,000. */
Test(dist, means_are_those_of_the_closed_forms)
{
    const uint64_t step = UINT64_MAX / 100000;
    const uint64_t coarse = UINT64_MAX / 1000;
    for (size_t k = 0; k < KIND_COUNT; k++) {
        const bool mixed = kinds[k].dist == &mixture;
        double sum = 0;
        for (uint64_t i = 0; i < (mixed ? 1000000 : 100000); i++) {
            const uint64_t u1 = mixed ? i % 1000 * coarse + coarse / 2 : i * step + step / 2;
            const uint64_t u2 = mixed ? i / 1000 * coarse + coarse / 2 : 0;
            sum += (double)sim_dist_sample(kinds[k].dist, u1, u2);
        }
        const double mean = sum / (mixed ? 1000000 : 100000);
        const double off = mean / kinds[k].mean - 1;
        cr_expect(off > -5e-4 && off < 5e-4, "%s: mean %.1f, not %.1f", kinds[k].name, mean,
                  kinds[k].mean);
    }
}

/* Draws from a stream have the mean and the variance of the closed form.
 *
 * The mean of n = 200,000 draws has the variance V / n: five standard deviations are allowed, that
 * is 25 V / n for the square. The variance itself is within 4 % for uniform, exponential and
 * lognormal, and for the mixture (relative deviations 0.2 % to 1.2 % for fourth moments of up
 * to 30 V^2); Pareto's fourth moment is infinite, so its variance is not asked for. */
Test(dist, draws_have_the_moments_of_the_closed_forms)
{
    enum { DRAWS = 200000 };
    for (uint64_t seed = 1; seed <= 3; seed++) {
        for (size_t k = 1; k + 1 < KIND_COUNT; k++) {
            struct sim_rng rng;
            sim_rng_derive(&rng, seed, kinds[k].name);
            double sum = 0;
            double squares = 0;
            for (int i = 0; i < DRAWS; i++) {
                const double off = (double)sim_dist_draw(kinds[k].dist, &rng) - kinds[k].mean;
                sum += off;
                squares += off * off;
            }
            const double off_mean = sum / DRAWS;
            cr_expect_lt(off_mean * off_mean, 25 * kinds[k].variance / DRAWS,
                         "%s, seed %d: mean off by %.1f", kinds[k].name, (int)seed, off_mean);
            const double ratio = squares / DRAWS / kinds[k].variance;
            cr_expect(kinds[k].dist == &pareto || (ratio > 0.96 && ratio < 1.04),
                      "%s, seed %d: variance off by a factor %.4f", kinds[k].name, (int)seed,
                      ratio);
        }
    }
}

/* Every draw uses four outputs, whatever the kind. */
Test(dist, a_draw_uses_four_outputs)
{
    for (size_t k = 0; k < KIND_COUNT; k++) {
        struct sim_rng rng;
        sim_rng_derive(&rng, 1, "draw");
        struct sim_rng four_on = rng;
        sim_rng_advance(&four_on, 4);
        (void)sim_dist_draw(kinds[k].dist, &rng);
        cr_expect_eq(rng.state, four_on.state, "%s", kinds[k].name);
    }
}

/* A million draws of each kind are the same for ever and everywhere. A change of these hashes
 * changes every recorded run: it needs a reason, and a new version of the recording. */
Test(dist, a_million_draws_never_change)
{
    for (size_t k = 0; k < KIND_COUNT; k++) {
        struct sim_rng rng;
        sim_rng_derive(&rng, 2026, kinds[k].name);
        uint64_t hash = 0;
        for (int i = 0; i < 1000000; i++) {
            hash = sim_mix64(hash ^ sim_dist_draw(kinds[k].dist, &rng));
        }
        cr_expect_eq(hash, kinds[k].golden, "%s: 0x%016llx", kinds[k].name,
                     (unsigned long long)hash);
    }
}

/* A cap replaces what is above it and nothing else. */
Test(dist, a_cap_replaces_what_is_above_it)
{
    struct sim_dist capped = exponential;
    capped.cap = SIM_S;
    cr_assert_null(sim_dist_problem(&capped));
    cr_expect_eq(sim_dist_sample(&capped, u_at(500000000), 0), 693147181);
    cr_expect_eq(sim_dist_sample(&capped, u_at(640000000), 0), SIM_S);
    cr_expect_eq(sim_dist_sample(&capped, UINT64_MAX, 0), SIM_S);
}

/* Heavy tails of large values saturate and do not wrap. */
Test(dist, saturates)
{
    const struct sim_dist heavy[] = {
        {.kind = SIM_DIST_PARETO, .a = 1, .b = 1},
        {.kind = SIM_DIST_PARETO, .a = SIM_DIST_VALUE_MAX, .b = 1000000},
        {.kind = SIM_DIST_LOGNORMAL, .a = SIM_DIST_VALUE_MAX, .b = SIM_DIST_SIGMA_PPM_MAX},
        {.kind = SIM_DIST_EXPONENTIAL, .a = SIM_DIST_VALUE_MAX},
    };
    for (size_t i = 0; i < sizeof heavy / sizeof heavy[0]; i++) {
        cr_assert_null(sim_dist_problem(&heavy[i]));
        cr_expect_eq(sim_dist_sample(&heavy[i], UINT64_MAX, 0), SIM_DIST_VALUE_MAX, "case %zu", i);
        cr_expect_eq(sim_dist_sample(&heavy[i], u_at(999000000), 0), SIM_DIST_VALUE_MAX, "case %zu",
                     i);
    }
}

/* The largest and smallest uniforms give the extremes of 64 bits: 64 ln 2 means and no less than
 * nothing, 9.08 sigmas either way, and 2^(64 / alpha) minima. */
Test(dist, boundary_uniforms_give_the_extremes)
{
    const uint64_t top = sim_dist_sample(&exponential, UINT64_MAX, 0);
    cr_expect(close_to(top, 44361419555.84, 2), "%llu", (unsigned long long)top);
    cr_expect_eq(sim_dist_sample(&exponential, 0, 0), 0);
    const uint64_t lowest = sim_dist_sample(&lognormal, 0, 0);
    cr_expect(close_to(lowest, 10672578.730206, 1), "%llu", (unsigned long long)lowest);
    const uint64_t highest = sim_dist_sample(&lognormal, UINT64_MAX, 0);
    cr_expect(close_to(highest, 93698067288.064, 1), "%llu", (unsigned long long)highest);
    cr_expect_eq(sim_dist_sample(&pareto, 0, 0), SIM_S);
    const uint64_t far = sim_dist_sample(&pareto, UINT64_MAX, 0);
    cr_expect(close_to(far, 5.0859008462247e+16, 5.0859008462247e+16 * 1e-8), "%llu",
              (unsigned long long)far);
}

/* The high value bounds the bounded kinds, and about one sample in a thousand of the others is
 * above it. */
Test(dist, high_is_a_bound_or_the_99_9th_percentile)
{
    cr_expect_eq(sim_dist_high(&constant), 5000000);
    cr_expect_eq(sim_dist_high(&uniform), 3000000);
    cr_expect_eq(sim_dist_high(&quantiles), 200000000);
    cr_expect(close_to(sim_dist_high(&exponential), 6907755279.0, 100));
    cr_expect(close_to(sim_dist_high(&mixture), 69077553.0, 1), "its exponential part's");
    struct sim_dist certain = mixture;
    certain.parts[1].weight_ppm += certain.parts[2].weight_ppm;
    certain.parts[2].weight_ppm = 0;
    cr_expect_eq(sim_dist_high(&certain), 4000000, "a part without weight does not count");
    struct sim_dist capped = exponential;
    capped.cap = 20 * SIM_S;
    cr_expect_eq(sim_dist_high(&capped), 20 * SIM_S, "a cap is a value no sample exceeds");
    capped = uniform;
    capped.cap = 2000000;
    cr_expect_eq(sim_dist_high(&capped), 2000000);
    capped.cap = 4000000;
    cr_expect_eq(sim_dist_high(&capped), 3000000, "a cap above the maximum changes nothing");
}
