/* Seeding, streams and the draws that need more than one output. */
#include "sim/rng.h"

#define PCG32_MULTIPLIER UINT64_C(6364136223846793005)
/* SplitMix64's increment: sim_mix64() alone would leave a seed of 0 as it is. */
#define GOLDEN_GAMMA UINT64_C(0x9e3779b97f4a7c15)

void sim_rng_seed(struct sim_rng *rng, uint64_t initial_state, uint64_t stream)
{
    rng->state = 0;
    rng->increment = stream << 1 | 1;
    (void)sim_rng_u32(rng);
    rng->state += initial_state;
    (void)sim_rng_u32(rng);
}

void sim_rng_derive(struct sim_rng *rng, uint64_t seed, const char *name)
{
    sim_rng_derive_hashed(rng, seed, sim_hash_name(name));
}

void sim_rng_derive_hashed(struct sim_rng *rng, uint64_t seed, uint64_t name_hash)
{
    /* Each step can be undone, so no two pairs (seed, hash) meet in the same (state, stream)
     * but for the top bit that pcg32's increment has no room for. Neighbouring seeds, which
     * sweeps use, end up far apart in both. */
    const uint64_t run = sim_mix64(seed + GOLDEN_GAMMA);
    const uint64_t state = sim_mix64(run + name_hash);
    const uint64_t stream = sim_mix64(state + run);
    sim_rng_seed(rng, state, stream);
}

/* A step is state -> m * state + c. Squaring the step doubles it; the steps for the set bits of
 * delta are composed (Brown, "Random Number Generation with Arbitrary Strides", 1994). */
void sim_rng_advance(struct sim_rng *rng, uint64_t delta)
{
    uint64_t step_m = PCG32_MULTIPLIER;
    uint64_t step_c = rng->increment;
    uint64_t m = 1;
    uint64_t c = 0;
    for (; delta > 0; delta >>= 1) {
        if (delta & 1) {
            m *= step_m;
            c = c * step_m + step_c;
        }
        step_c *= step_m + 1;
        step_m *= step_m;
    }
    rng->state = rng->state * m + c;
}

uint32_t sim_rng_bounded(struct sim_rng *rng, uint32_t bound)
{
    assert(bound > 0);
    /* 2^32 mod bound outputs too many at the low end: without them all remainders are as likely. */
    const uint32_t threshold = (0 - bound) % bound;
    uint32_t r = sim_rng_u32(rng);
    while (r < threshold) {
        r = sim_rng_u32(rng);
    }
    return r % bound;
}

uint64_t sim_rng_between(struct sim_rng *rng, uint64_t low, uint64_t high)
{
    assert(low <= high);
    const uint64_t r = sim_rng_u64(rng);
    const uint64_t width = high - low;
    if (width == UINT64_MAX) {
        return r;
    }
    return low + sim_mulhi64(r, width + 1);
}
