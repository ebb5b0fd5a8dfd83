/* See portable.h. The sum below depends on every output, so one differing bit of one draw
 * shows; which one, the unit tests of rng and dist say. */
#include "tests/portable/portable.h"

#include "sim/dist.h"

#define DRAWS_PCG32 1000000
#define DRAWS_DIST 100000

static uint64_t fold(uint64_t hash, uint64_t value)
{
    return sim_mix64(hash ^ value) + UINT64_C(0x9e3779b97f4a7c15);
}

static uint64_t hash_generator(uint64_t hash, struct sim_rng *rng)
{
    for (int i = 0; i < DRAWS_PCG32; i++) {
        hash = fold(hash, sim_rng_u32(rng));
    }
    for (uint32_t i = 1; i < 1000; i++) {
        hash = fold(hash, sim_rng_bounded(rng, i * i * i));
        hash = fold(hash, sim_rng_between(rng, i, UINT64_MAX / i));
        hash = fold(hash, sim_rng_chance(rng, i * 1000));
    }
    sim_rng_advance(rng, UINT64_C(1) << 40);
    return fold(hash, sim_rng_u64(rng));
}

/* Where a target without a 128-bit integer takes a path of its own. */
static uint64_t hash_arithmetic(uint64_t hash, struct sim_rng *rng)
{
    for (int i = 0; i < DRAWS_DIST; i++) {
        const uint64_t a = sim_rng_u64(rng);
        const uint64_t b = sim_rng_u64(rng) >> (i % 64);
        hash = fold(hash, sim_mulhi64(a, b));
        hash = fold(hash, sim_muldiv64(a, b, a / 3 + 1));
        hash = fold(hash, sim_muldiv64(a, b, b | 1));
    }
    return fold(hash, sim_hash_name("net/b1>b2"));
}

static uint64_t hash_distributions(uint64_t hash, struct sim_rng *rng)
{
    static const struct sim_dist dists[] = {
        {.kind = SIM_DIST_CONSTANT, .a = 7},
        {.kind = SIM_DIST_UNIFORM, .a = SIM_MS, .b = 10 * SIM_MS},
        {.kind = SIM_DIST_EXPONENTIAL, .a = SIM_MS},
        {.kind = SIM_DIST_LOGNORMAL, .a = SIM_MS, .b = 500000},
        {.kind = SIM_DIST_PARETO, .a = SIM_MS, .b = 1500000, .cap = SIM_S},
        {.kind = SIM_DIST_MIXTURE,
         .count = 2,
         .parts = {{.weight_ppm = 990000, .kind = SIM_DIST_LOGNORMAL, .a = SIM_MS, .b = 300000},
                   {.weight_ppm = 10000, .kind = SIM_DIST_PARETO, .a = SIM_S, .b = 2000000}}},
        {.kind = SIM_DIST_QUANTILES,
         .count = 4,
         .points = {{.ppb = 0, .value = 100 * SIM_US},
                    {.ppb = 500000000, .value = SIM_MS},
                    {.ppb = 990000000, .value = 20 * SIM_MS},
                    {.ppb = 999999000, .value = SIM_S}}},
    };
    for (size_t d = 0; d < sizeof dists / sizeof dists[0]; d++) {
        assert(!sim_dist_problem(&dists[d]));
        for (int i = 0; i < DRAWS_DIST; i++) {
            hash = fold(hash, sim_dist_draw(&dists[d], rng));
        }
    }
    return hash;
}

uint64_t portable_selftest(void)
{
    struct sim_rng rng;
    sim_rng_derive(&rng, 42, "portable");
    uint64_t hash = hash_generator(0, &rng);
    hash = hash_arithmetic(hash, &rng);
    return hash_distributions(hash, &rng);
}
