/* The fixed-point functions below the distributions, against independent computations. */
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
