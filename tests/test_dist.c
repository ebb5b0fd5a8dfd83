/* The distributions against their closed forms, and the fixed-point functions below them
 * against independent computations.
 *
 * A sample is a quantile function of u1, so most checks need no chance: they ask for quantiles,
 * or average over evenly spaced u1. */
#include <criterion/criterion.h>

#include "sim/dist.h"

#define ONE_Q56 (UINT64_C(1) << 56)

static const uint64_t ends[] = {
    0, 1, UINT64_C(0x7fffffffffffffff), UINT64_C(0x8000000000000000), UINT64_MAX - 1, UINT64_MAX};
#define END_COUNT (sizeof ends / sizeof ends[0])

/* log2 of m / 2^63 in [1, 2), in Q0.64, one bit at a time: squaring doubles the logarithm, and its
 * whole part is the next bit. Four 32-bit limbs, the highest first, hold m in Q1.127. What a
 * squaring cuts off counts half as much as in the one before: less than 2^-125 together. */
static uint64_t serial_log2_q64(uint64_t m)
{
    uint64_t limbs[4] = {m >> 32, m & UINT32_MAX, 0, 0};
    uint64_t result = 0;
    for (int bit = 63; bit >= 0; bit--) {
        uint64_t square[8] = {0};
        for (int i = 3; i >= 0; i--) {
            uint64_t carry = 0;
            for (int j = 3; j >= 0; j--) {
                const uint64_t sum = limbs[i] * limbs[j] + square[i + j + 1] + carry;
                square[i + j + 1] = sum & UINT32_MAX;
                carry = sum >> 32;
            }
            square[i] = carry;
        }
        /* The square is in Q2.254. */
        const bool at_least_two = square[0] >> 31;
        result |= (uint64_t)at_least_two << bit;
        for (int i = 0; i < 4; i++) {
            limbs[i] =
                at_least_two ? square[i] : (square[i] << 1 & UINT32_MAX) | square[i + 1] >> 31;
        }
    }
    return result;
}

/* The logarithm of every table entry and of random numbers is that of the bit-serial
 * computation, or at most 2^-51 (32 units) below: what the header says. */
Test(fixed, log2_agrees_with_a_bit_serial_one)
{
    struct sim_rng rng;
    sim_rng_derive(&rng, 1, "log2");
    for (int i = 0; i < 20000; i++) {
        uint64_t m = sim_rng_u64(&rng) | UINT64_C(1) << 63;
        if (i < 256) { /* The beginning of each segment, and the last number before the next. */
            m = (UINT64_C(1) << 63) + ((uint64_t)(i / 2) << 56) - (uint64_t)(i % 2);
            m |= UINT64_C(1) << 63;
        }
        const unsigned shift = sim_rng_bounded(&rng, 64);
        const uint64_t x = m >> shift;
        const uint64_t normalised = x << shift;
        const uint64_t expected = (63 - shift) * ONE_Q56 + (serial_log2_q64(normalised) >> 8);
        const uint64_t got = sim_log2_q56(x);
        cr_assert(got <= expected && expected - got <= 32, "log2(%llu): %llu, not %llu",
                  (unsigned long long)x, (unsigned long long)got, (unsigned long long)expected);
    }
}

/* The logarithm of a power of two is exact, and the largest stays below 64. */
Test(fixed, log2_of_a_power_of_two_is_exact)
{
    for (unsigned n = 0; n < 64; n++) {
        cr_expect_eq(sim_log2_q56(UINT64_C(1) << n), n * ONE_Q56, "2^%u", n);
    }
    cr_expect_lt(sim_log2_q56(UINT64_MAX), 64 * ONE_Q56);
}

/* The power of every table entry and of random numbers has the logarithm it came from.
 *
 * It is at most 2^-53 too low, its logarithm 1.4427 * 2^-53, or 11.6 units of 2^-56, and rounding
 * and the serial logarithm take less than one unit each: 14. */
Test(fixed, exp2_undoes_a_bit_serial_log2)
{
    struct sim_rng rng;
    sim_rng_derive(&rng, 1, "exp2");
    for (int i = 0; i < 20000; i++) {
        uint64_t x = sim_rng_u64(&rng) >> 8;
        if (i < 256) {
            x = ((uint64_t)(i / 2) << 49) - (uint64_t)(i > 1 && i % 2);
        }
        const uint64_t back = serial_log2_q64(sim_exp2_q56(x, 63)) >> 8;
        cr_assert(back <= x && x - back <= 14, "exp2(%llu) has the log2 %llu",
                  (unsigned long long)x, (unsigned long long)back);
    }
}

/* Whole powers are exact, fraction bits shift, and what does not fit saturates. */
Test(fixed, exp2_shifts_and_saturates)
{
    for (unsigned n = 0; n < 64; n++) {
        cr_expect_eq(sim_exp2_q56(n * ONE_Q56, 0), UINT64_C(1) << n);
        cr_expect_eq(sim_exp2_q56(0, n), UINT64_C(1) << n);
        cr_expect_eq(sim_exp2_q56((64 - n) * ONE_Q56, n), UINT64_MAX);
    }
    cr_expect_eq(sim_exp2_q56(ONE_Q56 / 2, 0), 1, "sqrt(2) rounds down");
    cr_expect_eq(sim_exp2_q56(ONE_Q56 / 2, 20), 1482910, "sqrt(2) * 2^20 = 1482910.4");
    cr_expect_eq(sim_exp2_q56(UINT64_MAX, 63), UINT64_MAX);
}

/* A product is shifted with rounding, in all three cases of the shift, and saturates. */
Test(fixed, mul_shift_rounds_and_saturates)
{
    cr_expect_eq(sim_mul_shift(5, 1, 1), 3, "2.5 rounds up");
    cr_expect_eq(sim_mul_shift(5, 1, 2), 1, "1.25 rounds down");
    cr_expect_eq(sim_mul_shift(UINT64_C(3) << 62, 1, 64), 1, "0.75 rounds up");
    cr_expect_eq(sim_mul_shift(UINT64_C(1) << 62, 1, 64), 0, "0.25 rounds down");
    cr_expect_eq(sim_mul_shift(UINT64_C(1) << 63, 7 << 1, 65), 4, "3.5 rounds up");
    cr_expect_eq(sim_mul_shift(UINT64_MAX, UINT64_MAX, 127), 2, "just below 2 rounds up");
    cr_expect_eq(sim_mul_shift(UINT64_MAX, 1, 1), UINT64_C(1) << 63);
    cr_expect_eq(sim_mul_shift(UINT64_MAX, 4, 1), UINT64_MAX, "saturates");
    cr_expect_eq(sim_mul_shift(UINT64_MAX, UINT64_MAX, 63), UINT64_MAX, "saturates");
}

/* The fallback for machines without a 128-bit integer and the target's own way agree: the high
 * half of a product, put together from the schoolbook's four products. */
Test(fixed, mulhi_agrees_with_the_schoolbook)
{
    struct sim_rng rng;
    sim_rng_derive(&rng, 1, "mulhi");
    for (int i = 0; i < 100000; i++) {
        const uint64_t a = i < 36 ? ends[i / 6] : sim_rng_u64(&rng);
        const uint64_t b = i < 36 ? ends[i % 6] : sim_rng_u64(&rng);
        uint64_t column[4] = {0};
        for (int k = 0; k < 4; k++) {
            const uint64_t product =
                (k & 1 ? a >> 32 : a & UINT32_MAX) * (k & 2 ? b >> 32 : b & UINT32_MAX);
            const int at = (k & 1) + (k >> 1);
            column[at] += product & UINT32_MAX;
            column[at + 1] += product >> 32;
        }
        column[1] += column[0] >> 32;
        column[2] += column[1] >> 32;
        column[3] += column[2] >> 32;
        const uint64_t expected = column[3] << 32 | (column[2] & UINT32_MAX);
        cr_assert_eq(sim_mulhi64(a, b), expected);
    }
}

/* Tails of the normal distribution and the z, in Q4.60, that leaves them: the middle of each of
 * the 48 segments of the table, where an interpolation is at its worst, the last tail of 64 bits,
 * and the quartile. Computed with mpmath from erfc, 50 digits. */
static const struct {
    uint64_t tail;
    uint64_t z_q60;
} normal_tails[] = {
    {0x7a92be8a92436616, 0x00d9bfceabb9997d}, {0x70666f76154a7088, 0x02741a11092049ca},
    {0x6712460a8fc24071, 0x03f1edc5fbfa74a7}, {0x5e8451cfac061b5f, 0x0557e1d041afa8fb},
    {0x56ac1f752150a563, 0x06a98413962ebac3}, {0x4f7a993048d088d6, 0x07e99cc5c015fd34},
    {0x48e1e9b9d588e19b, 0x091a64c18b290984}, {0x42d561b3e6243d8a, 0x0a3daa3bf357b5c7},
    {0x3ab031b9f7490e4b, 0x0bdc6de41d28a872}, {0x3159ca845541b6b7, 0x0de224a770c4bb7c},
    {0x297fb5aa6c544e3a, 0x0fc603e458884d2d}, {0x22e57078faa2f5b9, 0x118d728e2af69616},
    {0x1d5818dcfba48725, 0x133c94ec921c3652}, {0x18ace5422aa0db5b, 0x14d6ab99b38b3440},
    {0x14bfdad5362a271d, 0x165e519cb7cfbcff}, {0x1172b83c7d517adc, 0x17d5a67bcce12893},
    {0x0d744fccad69d6af, 0x19edd03f81541ceb}, {0x09837f0518db8a96, 0x1c8dbdbf5175ff9a},
    {0x06ba27e656b4eb57, 0x1f044e21a30bb5aa}, {0x04c1bf828c6dc54b, 0x2157f2ee418a4e69},
    {0x035d13f32b5a75ab, 0x238da1ffc2311e9d}, {0x0260dfc14636e2a5, 0x25a9444ebe9e2d41},
    {0x01ae89f995ad3ad5, 0x27adfe9e6625927b}, {0x01306fe0a31b7152, 0x299e62ded0a66da1},
    {0x00b504f333f9de64, 0x2c656923aa2ca990}, {0x005a827999fcef32, 0x2fe37ddcf8c93d9c},
    {0x002d413cccfe7799, 0x332d60f17dbb90f0}, {0x0016a09e667f3bcc, 0x364aff9f44a3bf4c},
    {0x000b504f333f9de6, 0x39427b25712b76ef}, {0x0005a827999fcef3, 0x3c18ad9ddd2ecf0b},
    {0x0002d413cccfe779, 0x3ed1817960ff438a}, {0x00016a09e667f3bc, 0x41702d2a96575609},
    {0x0000800000000000, 0x4532de4ee32100e7}, {0x0000200000000000, 0x49f08feb2b35a189},
    {0x0000080000000000, 0x4e6a59720118661d}, {0x0000020000000000, 0x52aa4dd1876d3a64},
    {0x0000008000000000, 0x56b8404712360c84}, {0x0000002000000000, 0x5a9a68d12201ab7a},
    {0x0000000800000000, 0x5e55d0f16b536599}, {0x0000000200000000, 0x61ee9e24b09315b0},
    {0x0000000040000000, 0x671a5b1710c6275e}, {0x0000000004000000, 0x6da2509e90a5943f},
    {0x0000000000400000, 0x73cf954d7f085bb1}, {0x0000000000040000, 0x79af5bc629787a4d},
    {0x0000000000004000, 0x7f4beea22ac1d257}, {0x0000000000000400, 0x84ad82ceb3e26232},
    {0x0000000000000040, 0x89dac33fdc3c4337}, {0x0000000000000004, 0x8ed930f3b6d4b97a},
    {0x0000000000000001, 0x914850bd7f05fd98}, {0x4000000000000000, 0x0acab5c3a94524ac}};

/* The normal quantile is within 1e-9 of the true one in every segment. */
Test(fixed, normal_quantile_is_within_a_billionth)
{
    const uint64_t tolerance = (UINT64_C(1) << 60) / 1000000000;
    for (size_t i = 0; i < sizeof normal_tails / sizeof normal_tails[0]; i++) {
        const uint64_t got = sim_normal_q60(normal_tails[i].tail);
        const uint64_t expected = normal_tails[i].z_q60;
        const uint64_t off = got > expected ? got - expected : expected - got;
        cr_expect_lt(off, tolerance, "case %d: off by %llu / 2^60", (int)i,
                     (unsigned long long)off);
    }
    cr_expect_lt(sim_normal_q60((UINT64_C(1) << 63) - 1), tolerance, "the median is 0");
}

/* A thinner tail never begins nearer: neighbouring tails across all segments. The polynomials meet
 * within their rounding, a few units of 2^-60. */
Test(fixed, normal_quantile_is_continuous_and_rises)
{
    uint64_t before = 0;
    for (uint64_t tail = (UINT64_C(1) << 63) - 1; tail > 4096; tail -= tail >> 11) {
        const uint64_t z = sim_normal_q60(tail);
        cr_assert(z + 16 >= before, "tail %llu steps back", (unsigned long long)tail);
        cr_assert_lt(z - before + 16, UINT64_C(1) << 50, "tail %llu jumps",
                     (unsigned long long)tail);
        before = z;
    }
}

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
    for (size_t k = 0; k < KIND_COUNT; k++) {
        cr_expect_null(sim_dist_problem(kinds[k].dist), "%s", kinds[k].name);
    }
    cr_expect_eq(sim_dist_sample(&good[3], UINT64_MAX, 0), 1, "no spread without sigma");
}
