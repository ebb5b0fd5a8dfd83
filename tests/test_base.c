/* The arithmetic that C leaves to the target, against slow definitions of the same. */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <signal.h>

#include "sim/base.h"
#include "sim/rng.h"
#include "sim/sort.h"

/* a * b / c one bit at a time, saturating: the definition. */
static uint64_t muldiv_by_bits(uint64_t a, uint64_t b, uint64_t c)
{
    uint64_t high = 0;
    uint64_t low = 0;
    for (int bit = 63; bit >= 0; bit--) { /* Double the product, add b where a has a bit. */
        high = high << 1 | low >> 63;
        low <<= 1;
        if (a >> bit & 1) {
            low += b;
            high += low < b;
        }
    }
    uint64_t quotient = 0;
    uint64_t rest = 0;
    bool overflow = false;
    for (int bit = 127; bit >= 0; bit--) {
        const uint64_t next = bit >= 64 ? high >> (bit - 64) & 1 : low >> bit & 1;
        const bool carry = rest >> 63;
        rest = rest << 1 | next;
        overflow |= quotient >> 63;
        quotient <<= 1;
        if (carry || rest >= c) {
            rest -= c;
            quotient |= 1;
        }
    }
    return overflow ? UINT64_MAX : quotient;
}

/* Values whose digits are extreme, where a division's estimates go wrong. */
static const uint64_t EDGES[] = {
    0,
    1,
    2,
    3,
    UINT64_C(0x7fffffff),
    UINT64_C(0x80000000),
    UINT64_C(0xffffffff),
    UINT64_C(0x100000000),
    UINT64_C(0x100000001),
    UINT64_C(0x7fffffffffffffff),
    UINT64_C(0x8000000000000000),
    UINT64_C(0x8000000000000001),
    UINT64_C(0x80000000ffffffff),
    UINT64_C(0xfffffffeffffffff),
    UINT64_C(0xffffffff00000000),
    UINT64_C(0xffffffff00000001),
    UINT64_C(0xfffffffffffffffe),
    UINT64_MAX,
};

enum { EDGE_COUNT = sizeof EDGES / sizeof EDGES[0] };

/* A ratio of edge values is what long division by bits gives. */
Test(base, muldiv_is_exact_at_the_edges)
{
    for (int i = 0; i < EDGE_COUNT; i++) {
        for (int j = 0; j < EDGE_COUNT; j++) {
            for (int k = 1; k < EDGE_COUNT; k++) {
                const uint64_t a = EDGES[i];
                const uint64_t b = EDGES[j];
                const uint64_t c = EDGES[k];
                cr_assert_eq(sim_muldiv64(a, b, c), muldiv_by_bits(a, b, c),
                             "%" PRIx64 " * %" PRIx64 " / %" PRIx64, a, b, c);
            }
        }
    }
}

/* So is a ratio of random values of all magnitudes. */
Test(base, muldiv_is_exact_on_random_values)
{
    for (uint64_t seed = 0; seed < 100000; seed++) {
        struct sim_rng rng;
        sim_rng_seed(&rng, seed, 1);
        uint64_t v[3];
        for (int i = 0; i < 3; i++) {
            const uint64_t value = sim_rng_u64(&rng);
            v[i] = value >> sim_rng_bounded(&rng, 64);
        }
        v[2] += v[2] == 0;
        cr_assert_eq(sim_muldiv64(v[0], v[1], v[2]), muldiv_by_bits(v[0], v[1], v[2]),
                     "seed %" PRIu64, seed);
    }
}

/* A quotient that does not fit saturates, and the largest that fits does not. */
Test(base, muldiv_saturates)
{
    cr_expect_eq(sim_muldiv64(UINT64_MAX, 2, 1), UINT64_MAX);
    cr_expect_eq(sim_muldiv64(UINT64_MAX, UINT64_MAX, 1), UINT64_MAX);
    cr_expect_eq(sim_muldiv64(UINT64_MAX, UINT64_MAX, UINT64_MAX), UINT64_MAX);
    cr_expect_eq(sim_muldiv64(UINT64_MAX - 1, UINT64_MAX, UINT64_MAX), UINT64_MAX - 1);
    cr_expect_eq(sim_muldiv64(UINT64_C(1) << 63, 2, 2), UINT64_C(1) << 63);
}

/* Dividing by zero is the caller's bug. */
Test(base, muldiv_by_zero_asserts, .signal = SIGABRT)
{
    (void)sim_muldiv64(1, 1, 0);
}

/* The high half of a product: known ones, and by powers of two, where it is a shift. */
Test(base, mulhi_is_the_high_half)
{
    cr_expect_eq(sim_mulhi64(UINT64_MAX, UINT64_MAX), UINT64_MAX - 1);
    cr_expect_eq(sim_mulhi64(UINT64_C(1) << 32, UINT64_C(1) << 32), 1);
    cr_expect_eq(sim_mulhi64(UINT64_C(0xffffffff), UINT64_C(0xffffffff)), 0);
    for (uint64_t seed = 0; seed < 10000; seed++) {
        struct sim_rng rng;
        sim_rng_seed(&rng, seed, 2);
        const uint64_t a = sim_rng_u64(&rng);
        const unsigned shift = 1 + sim_rng_bounded(&rng, 63);
        cr_assert_eq(sim_mulhi64(a, UINT64_C(1) << shift), a >> (64 - shift), "seed %" PRIu64,
                     seed);
    }
}

/* A sum stops at the end of time. */
Test(base, add_saturates)
{
    cr_expect_eq(sim_add_sat(1, 2), 3);
    cr_expect_eq(sim_add_sat(SIM_NEVER, 0), SIM_NEVER);
    cr_expect_eq(sim_add_sat(SIM_NEVER, 1), SIM_NEVER);
    cr_expect_eq(sim_add_sat(SIM_NEVER - 5, 5), SIM_NEVER);
    cr_expect_eq(sim_add_sat(SIM_NEVER - 5, 4), SIM_NEVER - 1);
}

/* Numbers are stored low byte first and read back, whatever the machine does itself. */
Test(base, bytes_are_little_endian)
{
    uint8_t bytes[9] = {0};
    sim_put64(bytes + 1, UINT64_C(0x0102030405060708));
    for (int i = 0; i < 8; i++) {
        cr_expect_eq(bytes[1 + i], 8 - i, "byte %d", i);
    }
    cr_expect_eq(sim_get64(bytes + 1), UINT64_C(0x0102030405060708));
    cr_expect_eq(sim_get32(bytes + 1), UINT32_C(0x05060708));
    sim_put32(bytes + 1, UINT32_C(0xfffefdfc));
    cr_expect_eq(sim_get64(bytes + 1), UINT64_C(0x01020304fffefdfc), "the rest must stay");
}

/* The finaliser is SplitMix64's: its first output for seed 0 is known. */
Test(base, mix_is_splitmix)
{
    cr_expect_eq(sim_mix64(UINT64_C(0x9e3779b97f4a7c15)), UINT64_C(0xe220a8397b1dcdaf));
    cr_expect_eq(sim_mix64(0), 0);
}

/* Every byte of a block counts, and so does its length, at every length around a word. */
Test(base, hash_depends_on_every_byte_and_on_the_length)
{
    uint8_t block[40] = {0};
    for (size_t size = 0; size < sizeof block; size++) {
        const uint64_t plain = sim_hash_bytes(block, size);
        cr_expect_neq(plain, sim_hash_bytes(block, size + 1), "size %zu", size);
        for (size_t i = 0; i < size; i++) {
            block[i] = 1;
            cr_expect_neq(plain, sim_hash_bytes(block, size), "size %zu, byte %zu", size, i);
            block[i] = 0;
        }
    }
}

/* ---- Sorting ------------------------------------------------------------------------------ */

static int compare_pairs(const void *left, const void *right)
{
    const uint32_t *a = left;
    const uint32_t *b = right;
    return a[0] < b[0] ? -1 : a[0] > b[0];
}

/* Any array comes out in order with the same elements, whole, down to none at all. */
Test(sort, puts_any_array_in_order)
{
    uint32_t pairs[200][2];
    uint64_t state = 1;
    for (size_t count = 0; count <= 200; count++) {
        uint64_t before = 0;
        uint64_t after = 0;
        for (size_t i = 0; i < count; i++) {
            state = sim_mix64(state + i);
            pairs[i][0] = (uint32_t)state % 50; /* Many are equal. */
            pairs[i][1] = ~pairs[i][0];
            before += sim_mix64(pairs[i][0]);
        }
        sim_sort(pairs, count, sizeof *pairs, compare_pairs);
        for (size_t i = 0; i < count; i++) {
            cr_assert(i == 0 || pairs[i - 1][0] <= pairs[i][0], "%zu of %zu", i, count);
            cr_assert_eq(pairs[i][1], ~pairs[i][0], "torn apart");
            after += sim_mix64(pairs[i][0]);
        }
        cr_assert_eq(after, before, "%zu", count);
    }
    sim_sort(NULL, 0, sizeof *pairs, compare_pairs);
}
