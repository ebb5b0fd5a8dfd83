/* pcg32 against its reference vectors, and what the simulator promises on top of it. */
#include <criterion/criterion.h>
#include <signal.h>

#include "pcg32_vectors.h"
#include "sim/rng.h"

#define VECTOR_COUNT (sizeof pcg32_vectors / sizeof pcg32_vectors[0])

static struct sim_rng seeded(const struct pcg32_vector *v)
{
    struct sim_rng rng;
    sim_rng_seed(&rng, v->seed, v->stream);
    return rng;
}

/* The first 64 outputs of each reference stream are the reference's. */
Test(rng, gives_the_reference_outputs)
{
    for (size_t s = 0; s < VECTOR_COUNT; s++) {
        struct sim_rng rng = seeded(&pcg32_vectors[s]);
        for (int i = 0; i < 64; i++) {
            const uint32_t got = sim_rng_u32(&rng);
            cr_expect_eq(got, pcg32_vectors[s].first[i], "stream %zu, output %d: 0x%08x", s, i,
                         (unsigned)got);
        }
    }
}

/* Two 32-bit outputs make a 64-bit one, the first of them high. */
Test(rng, puts_the_first_output_high)
{
    struct sim_rng rng = seeded(&pcg32_vectors[0]);
    const uint64_t first = sim_rng_u64(&rng);
    const uint64_t second = sim_rng_u64(&rng);
    cr_expect_eq(first, UINT64_C(0xa15c02b77b47f409));
    cr_expect_eq(second, UINT64_C(0xba1d333083d2f293));
}

/* A jump lands where the reference's does. */
Test(rng, advances_as_the_reference)
{
    for (size_t s = 0; s < VECTOR_COUNT; s++) {
        for (int i = 0; i < 7; i++) {
            struct sim_rng rng = seeded(&pcg32_vectors[s]);
            sim_rng_advance(&rng, pcg32_vectors[s].advanced[i].delta);
            for (int k = 0; k < 2; k++) {
                const uint32_t got = sim_rng_u32(&rng);
                cr_expect_eq(got, pcg32_vectors[s].advanced[i].next[k],
                             "stream %zu, jump %d, output %d: 0x%08x", s, i, k, (unsigned)got);
            }
        }
    }
}

/* A jump back by what was drawn returns to the start, and a jump of 0 stays. */
Test(rng, steps_back_to_the_start)
{
    for (size_t s = 0; s < VECTOR_COUNT; s++) {
        const struct sim_rng start = seeded(&pcg32_vectors[s]);
        struct sim_rng rng = start;
        for (uint64_t drawn = 1; drawn <= 100; drawn++) {
            (void)sim_rng_u32(&rng);
            struct sim_rng back = rng;
            sim_rng_advance(&back, 0);
            cr_assert_eq(back.state, rng.state);
            sim_rng_advance(&back, 0 - drawn);
            cr_expect_eq(back.state, start.state, "stream %zu, %d back", s, (int)drawn);
        }
    }
}

/* Bounded draws are the reference's and reject as many outputs as it does. */
Test(rng, bounds_as_the_reference)
{
    for (size_t s = 0; s < VECTOR_COUNT; s++) {
        for (int i = 0; i < 9; i++) {
            const uint32_t bound = pcg32_vectors[s].bounded[i].bound;
            struct sim_rng rng = seeded(&pcg32_vectors[s]);
            for (int k = 0; k < 16; k++) {
                const uint32_t got = sim_rng_bounded(&rng, bound);
                cr_expect_eq(got, pcg32_vectors[s].bounded[i].draws[k],
                             "stream %zu, bound %u, draw %d: %u", s, (unsigned)bound, k,
                             (unsigned)got);
            }
            struct sim_rng plain = seeded(&pcg32_vectors[s]);
            sim_rng_advance(&plain, pcg32_vectors[s].bounded[i].outputs_used);
            cr_expect_eq(rng.state, plain.state, "stream %zu, bound %u: outputs used", s,
                         (unsigned)bound);
        }
    }
}

/* A bound that divides 2^32 rejects nothing, not even an output of 0 (which a state of 0 gives). */
Test(rng, bounds_by_a_power_of_two_without_rejection)
{
    for (unsigned n = 0; n < 32; n++) {
        struct sim_rng rng = {.state = 0, .increment = 1};
        struct sim_rng one_on = rng;
        sim_rng_advance(&one_on, 1);
        cr_expect_eq(sim_rng_bounded(&rng, UINT32_C(1) << n), 0);
        cr_expect_eq(rng.state, one_on.state, "bound 2^%u: outputs used", n);
    }
}

/* A bound of 0 is the caller's bug. */
Test(rng, refuses_a_bound_of_zero, .signal = SIGABRT)
{
    struct sim_rng rng = seeded(&pcg32_vectors[0]);
    (void)sim_rng_bounded(&rng, 0);
}

/* Streams of different names or of neighbouring seeds share no start, no increment and no
 * output in the same place: 64 x 64 streams, their first 64 bits all different. (By chance two of
 * 4,096 would meet once in two trillion.) */
Test(rng, derives_a_stream_of_its_own_for_each_name_and_seed)
{
    enum { SEEDS = 64, NAMES = 64 };
    static uint64_t first[SEEDS * NAMES];
    static struct sim_rng rngs[SEEDS * NAMES];
    int count = 0;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        for (int name = 0; name < NAMES; name++) {
            char text[] = "net/n00>n1";
            text[5] = (char)('0' + name / 8);
            text[6] = (char)('0' + name % 8);
            sim_rng_derive(&rngs[count], seed, text);
            struct sim_rng copy = rngs[count];
            first[count] = sim_rng_u64(&copy);
            count++;
        }
    }
    for (int i = 0; i < count; i++) {
        cr_assert_eq(rngs[i].increment & 1, 1, "an even increment shortens the period");
        for (int j = 0; j < i; j++) {
            cr_assert(first[i] != first[j] && rngs[i].increment != rngs[j].increment &&
                          rngs[i].state != rngs[j].state,
                      "seed %d name %d meets seed %d name %d", i / NAMES, i % NAMES, j / NAMES,
                      j % NAMES);
        }
    }
}

/* A derived stream is fixed for ever (these figures are in every recording), and a name hashed
 * by the caller gives the same one. */
Test(rng, derives_the_same_stream_for_ever)
{
    struct sim_rng by_name;
    struct sim_rng by_hash;
    sim_rng_derive(&by_name, 42, "net/b1>b2");
    sim_rng_derive_hashed(&by_hash, 42, sim_hash_name("net/b1>b2"));
    cr_expect_eq(by_name.state, by_hash.state);
    cr_expect_eq(by_name.increment, by_hash.increment);
    const uint64_t first = sim_rng_u64(&by_name);
    cr_expect_eq(first, UINT64_C(0xc1b3a6d8f070b515), "0x%016llx", (unsigned long long)first);
}

/* A value between two limits is within them, from exactly two outputs whatever the range. */
Test(rng, draws_between_from_two_outputs)
{
    for (uint64_t seed = 1; seed <= 2000; seed++) {
        struct sim_rng limits;
        sim_rng_derive(&limits, seed, "limits");
        const unsigned shift = sim_rng_bounded(&limits, 64);
        const uint64_t width = sim_rng_u64(&limits) >> shift;
        uint64_t low = sim_rng_u64(&limits);
        low = low > UINT64_MAX - width ? UINT64_MAX - width : low;

        struct sim_rng rng;
        sim_rng_derive(&rng, seed, "draw");
        struct sim_rng two_on = rng;
        sim_rng_advance(&two_on, 2);
        const uint64_t got = sim_rng_between(&rng, low, low + width);
        cr_assert(got >= low && got <= low + width, "seed %d", (int)seed);
        cr_assert_eq(rng.state, two_on.state, "seed %d: outputs used", (int)seed);
    }
}

/* Between covers a small range evenly, both ends included; a range of one value is that value,
 * and the whole range is the raw output.
 *
 * 70,000 draws of 7 values: 10,000 each, standard deviation 93; 500 is more than 5 of them. */
Test(rng, draws_between_evenly_and_covers_both_ends)
{
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct sim_rng rng;
        sim_rng_derive(&rng, seed, "between");
        int seen[7] = {0};
        for (int i = 0; i < 70000; i++) {
            const uint64_t got = sim_rng_between(&rng, 10, 16);
            cr_assert(got >= 10 && got <= 16, "seed %d", (int)seed);
            seen[got - 10]++;
        }
        for (int v = 0; v < 7; v++) {
            cr_expect(seen[v] > 9500 && seen[v] < 10500, "seed %d: %d came %d times", (int)seed,
                      v + 10, seen[v]);
        }
        cr_expect_eq(sim_rng_between(&rng, 9, 9), 9);
        cr_expect_eq(sim_rng_between(&rng, UINT64_MAX, UINT64_MAX), UINT64_MAX);
        struct sim_rng copy = rng;
        const uint64_t raw = sim_rng_u64(&copy);
        cr_expect_eq(sim_rng_between(&rng, 0, UINT64_MAX), raw);
    }
}

/* Limits the wrong way round are the caller's bug. */
Test(rng, refuses_crossed_limits, .signal = SIGABRT)
{
    struct sim_rng rng = seeded(&pcg32_vectors[0]);
    (void)sim_rng_between(&rng, 2, 1);
}

/* A chance comes true as often as it says, from exactly one output.
 *
 * 1,000,000 draws at p: standard deviation sqrt(p (1 - p)) * 1,000, at most 500 at p = 0.5;
 * each tolerance is 5 of them or more. */
Test(rng, takes_a_chance_as_often_as_it_says)
{
    static const struct {
        uint32_t ppm;
        int tolerance;
    } cases[] = {{1000, 160}, {20000, 700}, {250000, 2200}, {500000, 2500}, {999000, 160}};
    for (uint64_t seed = 1; seed <= 2; seed++) {
        for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
            struct sim_rng rng;
            sim_rng_derive(&rng, seed, "chance");
            struct sim_rng million_on = rng;
            sim_rng_advance(&million_on, 1000000);
            int hits = 0;
            for (int i = 0; i < 1000000; i++) {
                hits += sim_rng_chance(&rng, cases[c].ppm);
            }
            const int off = hits - (int)cases[c].ppm;
            cr_expect(off > -cases[c].tolerance && off < cases[c].tolerance,
                      "seed %d: %d of a million at %u ppm", (int)seed, hits,
                      (unsigned)cases[c].ppm);
            cr_expect_eq(rng.state, million_on.state, "seed %d: outputs used", (int)seed);
        }
    }
}

/* Never is never, and always (or more) is always. */
Test(rng, knows_never_and_always)
{
    for (uint64_t seed = 1; seed <= 10; seed++) {
        struct sim_rng rng;
        sim_rng_derive(&rng, seed, "ends");
        for (int i = 0; i < 100000; i++) {
            cr_assert_not(sim_rng_chance(&rng, 0), "seed %d", (int)seed);
            cr_assert(sim_rng_chance(&rng, SIM_PPM), "seed %d", (int)seed);
            cr_assert(sim_rng_chance(&rng, UINT32_MAX), "seed %d", (int)seed);
        }
    }
}
