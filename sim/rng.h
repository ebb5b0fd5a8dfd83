/* Randomness: pcg32 (XSH-RR 64/32; O'Neill, "PCG: A Family of Simple Fast Space-Efficient
 * Statistically Good Algorithms for Random Number Generation", HMC-CS-2014-0905), written
 * from the published algorithm and checked against its reference vectors.
 *
 * Every consumer owns a stream, derived from (seed, a stable name), so that a draw in one
 * place moves nothing anywhere else. Never draw twice in one expression: C does not say
 * which comes first. */
#ifndef SIM_RNG_H
#define SIM_RNG_H

#include "sim/base.h"

struct sim_rng {
    uint64_t state;
    uint64_t increment; /* Odd; selects the stream. */
};

/* The reference seeding of pcg32: `initial_state` and `stream` as in its vectors. */
void sim_rng_seed(struct sim_rng *rng, uint64_t initial_state, uint64_t stream);

/* The stream of the consumer called `name` (such as "net/b1>b2") in the run `seed`. */
void sim_rng_derive(struct sim_rng *rng, uint64_t seed, const char *name);

/* Same, from a name already hashed with sim_hash_name() and, for families of streams
 * (one for each link, say), mixed with indices by the caller. */
void sim_rng_derive_hashed(struct sim_rng *rng, uint64_t seed, uint64_t name_hash);

static inline uint32_t sim_rng_u32(struct sim_rng *rng)
{
    const uint64_t old = rng->state;
    rng->state = old * UINT64_C(6364136223846793005) + rng->increment;
    const uint32_t shifted = (uint32_t)(((old >> 18) ^ old) >> 27);
    const uint32_t rotation = (uint32_t)(old >> 59);
    return (shifted >> rotation) | (shifted << ((32 - rotation) & 31));
}

/* Two outputs, the first one high. */
static inline uint64_t sim_rng_u64(struct sim_rng *rng)
{
    const uint64_t high = sim_rng_u32(rng);
    const uint64_t low = sim_rng_u32(rng);
    return high << 32 | low;
}

/* Jump `delta` outputs ahead (or back: delta is modulo 2^64), in O(log delta). */
void sim_rng_advance(struct sim_rng *rng, uint64_t delta);

/* Uniform in [0, bound), without bias, by the reference's rejection; bound must not be 0.
 * The number of outputs used varies: never on a stream where positions matter. */
uint32_t sim_rng_bounded(struct sim_rng *rng, uint32_t bound);

/* Uniform in [low, high], both included, from exactly two outputs (multiply-shift; the
 * bias is below 2^-32 for ranges below 2^32). Asserts low <= high. */
uint64_t sim_rng_between(struct sim_rng *rng, uint64_t low, uint64_t high);

/* True with a chance of `ppm` parts per million, from exactly one output.
 * 0 is never, SIM_PPM or more is always. */
static inline bool sim_rng_chance(struct sim_rng *rng, uint32_t ppm)
{
    return ((uint64_t)sim_rng_u32(rng) * SIM_PPM) >> 32 < ppm;
}

#endif
