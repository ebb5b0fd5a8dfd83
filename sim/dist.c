/* Sampling by inversion: each kind is its quantile function at p = u1 / 2^64, so a larger u1
 * never gives a smaller sample (but for the last bit of a rounding). */
#include "sim/dist.h"

#define PPB UINT64_C(1000000000)
#define MEDIAN_PPB (PPB / 2)
#define LN2_Q64 UINT64_C(0xb17217f7d1cf79ab)
#define LOG2_PPB_Q56 UINT64_C(0x1de5b8eaa8d7df8b) /* log2(10^9) */
#define LOG2_E_PPM_Q60 UINT64_C(0x183453f908f)    /* log2(e) / 10^6 */
#define Q56_64 (UINT64_C(64) << 56)               /* 64.0 in Q8.56 */
#define P999 (UINT64_MAX / 1000 * 999)            /* The u1 of the 99.9th percentile. */

static inline uint64_t at_most(uint64_t value, uint64_t limit)
{
    return value < limit ? value : limit;
}

/* How unlikely it is to exceed the sample at u1, in bits: -log2(1 - p), in Q8.56. The chance
 * is taken as the odd number of 2^-64 next to 1 - p, hence never 0 and never 1. */
static inline uint64_t tail_bits(uint64_t u1)
{
    return Q56_64 - sim_log2_q56(~u1 | 1);
}

/* a * 2^(e - 64.0) for e in Q8.56, to the nearest integer. */
static uint64_t scale(uint64_t a, uint64_t e)
{
    const unsigned whole = (unsigned)(e >> 56);
    if (whole >= 127) {
        return SIM_DIST_VALUE_MAX;
    }
    const uint64_t mantissa = sim_exp2_q56(e & ((UINT64_C(1) << 56) - 1), 63);
    return sim_mul_shift(a, mantissa, 127 - whole);
}

/* -mean * ln(1 - p) */
static uint64_t exponential(uint64_t mean, uint64_t u1)
{
    return sim_mul_shift(mean, sim_mulhi64(tail_bits(u1), LN2_Q64), 56);
}

/* median * e^(sigma * z) */
static uint64_t lognormal(uint64_t median, uint64_t sigma_ppm, uint64_t u1)
{
    const bool below = u1 < UINT64_C(1) << 63;
    const uint64_t z_q60 = sim_normal_q60((below ? u1 : ~u1) | 1);
    /* Sigma is at most 10, so this fits; the product is Q8.120 and its high half Q8.56. */
    const uint64_t sigma_log2_e_q60 = sigma_ppm * LOG2_E_PPM_Q60;
    const uint64_t e = at_most(sim_mulhi64(z_q60, sigma_log2_e_q60), Q56_64 - 1);
    return scale(median, below ? Q56_64 - e : Q56_64 + e);
}

/* minimum * (1 - p)^(-1 / alpha) */
static uint64_t pareto(uint64_t minimum, uint64_t alpha_ppm, uint64_t u1)
{
    const uint64_t inverse_q44 = (SIM_PPM << 44) / alpha_ppm;
    const uint64_t e = at_most(sim_mul_shift(tail_bits(u1), inverse_q44, 44), Q56_64 - 1);
    return scale(minimum, Q56_64 + e);
}

/* part / whole in Q0.32, kept below 1, for part <= whole and whole > 0; off by at most 2^-31. */
static uint64_t share_q32(uint64_t part, uint64_t whole)
{
    const unsigned zeros = (unsigned)__builtin_clzll(whole);
    return at_most((part << zeros) / (whole << zeros >> 32), UINT32_MAX);
}

static uint64_t quantiles(const struct sim_dist_point *points, uint32_t count, uint64_t u1)
{
    const uint64_t p_ppb = sim_mulhi64(u1, PPB);
    uint32_t i = 0; /* The first point above p. */
    while (i < count && points[i].ppb <= p_ppb) {
        i++;
    }
    if (i == 0) {
        return points[0].value;
    }
    if (i == count) {
        return points[count - 1].value;
    }
    const struct sim_dist_point *from = &points[i - 1];
    const struct sim_dist_point *to = &points[i];
    uint64_t share;
    if (from->ppb < MEDIAN_PPB || to->ppb == PPB) {
        const uint64_t fraction_q32 = u1 * PPB >> 32;
        share = share_q32((p_ppb - from->ppb) << 32 | fraction_q32, (uint64_t)(to->ppb - from->ppb)
                                                                        << 32);
    } else {
        const uint64_t from_bits = LOG2_PPB_Q56 - sim_log2_q56(PPB - from->ppb);
        const uint64_t to_bits = LOG2_PPB_Q56 - sim_log2_q56(PPB - to->ppb);
        const uint64_t bits = tail_bits(u1);
        share = share_q32(bits > from_bits ? at_most(bits, to_bits) - from_bits : 0,
                          to_bits - from_bits);
    }
    return from->value + sim_mul_shift(to->value - from->value, share, 32);
}

static uint64_t sample_simple(uint32_t kind, uint64_t a, uint64_t b, uint64_t u1)
{
    switch (kind) {
    case SIM_DIST_CONSTANT:
        return a;
    case SIM_DIST_UNIFORM:
        return a + sim_mulhi64(u1, b - a + 1);
    case SIM_DIST_EXPONENTIAL:
        return exponential(a, u1);
    case SIM_DIST_LOGNORMAL:
        return lognormal(a, b, u1);
    case SIM_DIST_PARETO:
        return pareto(a, b, u1);
    default:
        assert(!"a kind of distribution that sim_dist_problem() refuses");
        return 0;
    }
}

static uint64_t sample_mixture(const struct sim_dist *dist, uint64_t u1, uint64_t u2)
{
    uint64_t at_ppm = sim_mulhi64(u2, SIM_PPM);
    uint32_t i = 0;
    while (i + 1 < dist->count && at_ppm >= dist->parts[i].weight_ppm) {
        at_ppm -= dist->parts[i].weight_ppm;
        i++;
    }
    return sample_simple(dist->parts[i].kind, dist->parts[i].a, dist->parts[i].b, u1);
}

uint64_t sim_dist_sample(const struct sim_dist *dist, uint64_t u1, uint64_t u2)
{
    uint64_t value;
    if (dist->kind == SIM_DIST_MIXTURE) {
        value = sample_mixture(dist, u1, u2);
    } else if (dist->kind == SIM_DIST_QUANTILES) {
        value = quantiles(dist->points, dist->count, u1);
    } else {
        value = sample_simple(dist->kind, dist->a, dist->b, u1);
    }
    return at_most(value, dist->cap ? dist->cap : SIM_DIST_VALUE_MAX);
}

uint64_t sim_dist_draw(const struct sim_dist *dist, struct sim_rng *rng)
{
    struct sim_rng local = *rng; /* Lets the state stay in a register for the four outputs. */
    const uint64_t u1 = sim_rng_u64(&local);
    const uint64_t u2 = sim_rng_u64(&local);
    *rng = local;
    return sim_dist_sample(dist, u1, u2);
}

/* The bound of a bounded kind, else its 99.9th percentile. */
static uint64_t high_simple(uint32_t kind, uint64_t a, uint64_t b)
{
    return kind == SIM_DIST_UNIFORM ? b : sample_simple(kind, a, b, P999);
}

static uint64_t high_mixture(const struct sim_dist *dist)
{
    uint64_t high = 0;
    for (uint32_t i = 0; i < dist->count; i++) {
        const struct sim_dist_part *part = &dist->parts[i];
        const uint64_t part_high = high_simple(part->kind, part->a, part->b);
        if (part->weight_ppm > 0 && part_high > high) {
            high = part_high;
        }
    }
    return high;
}

uint64_t sim_dist_high(const struct sim_dist *dist)
{
    const uint64_t limit = dist->cap ? dist->cap : SIM_DIST_VALUE_MAX;
    switch (dist->kind) {
    case SIM_DIST_CONSTANT:
    case SIM_DIST_UNIFORM:
        return at_most(high_simple(dist->kind, dist->a, dist->b), limit);
    case SIM_DIST_QUANTILES:
        return at_most(dist->points[dist->count - 1].value, limit);
    case SIM_DIST_MIXTURE:
        return dist->cap ? dist->cap : at_most(high_mixture(dist), limit);
    default:
        return dist->cap ? dist->cap : at_most(high_simple(dist->kind, dist->a, dist->b), limit);
    }
}

static const char *problem_simple(uint32_t kind, uint64_t a, uint64_t b)
{
    if (a > SIM_DIST_VALUE_MAX) {
        return "a value must be below 2^62";
    }
    switch (kind) {
    case SIM_DIST_CONSTANT:
        return NULL;
    case SIM_DIST_UNIFORM:
        if (b > SIM_DIST_VALUE_MAX) {
            return "a value must be below 2^62";
        }
        return a > b ? "the minimum must not be above the maximum" : NULL;
    case SIM_DIST_EXPONENTIAL:
        return a == 0 ? "the mean must be positive" : NULL;
    case SIM_DIST_LOGNORMAL:
        if (a == 0) {
            return "the median must be positive";
        }
        return b > SIM_DIST_SIGMA_PPM_MAX ? "sigma must be at most 10" : NULL;
    case SIM_DIST_PARETO:
        if (a == 0) {
            return "the minimum must be positive";
        }
        if (b == 0) {
            return "alpha must be positive";
        }
        return b > SIM_DIST_ALPHA_PPM_MAX ? "alpha must be at most 1000" : NULL;
    default:
        return "unknown kind of distribution";
    }
}

static const char *problem_mixture(const struct sim_dist *dist)
{
    if (dist->count < 1 || dist->count > SIM_DIST_PARTS_MAX) {
        return "a mixture must have 1 to 4 parts";
    }
    uint64_t sum_ppm = 0;
    for (uint32_t i = 0; i < dist->count; i++) {
        const struct sim_dist_part *part = &dist->parts[i];
        if (part->kind == SIM_DIST_MIXTURE || part->kind == SIM_DIST_QUANTILES) {
            return "a part of a mixture must not be a mixture or a table of quantiles";
        }
        const char *problem = problem_simple(part->kind, part->a, part->b);
        if (problem) {
            return problem;
        }
        sum_ppm += part->weight_ppm;
    }
    return sum_ppm != SIM_PPM ? "the weights of a mixture must sum to 1" : NULL;
}

static const char *problem_quantiles(const struct sim_dist *dist)
{
    if (dist->count < 1 || dist->count > SIM_DIST_POINTS_MAX) {
        return "a table of quantiles must have 1 to 16 points";
    }
    for (uint32_t i = 0; i < dist->count; i++) {
        const struct sim_dist_point *point = &dist->points[i];
        if (point->ppb > PPB) {
            return "a quantile's share must be at most 1";
        }
        if (point->value > SIM_DIST_VALUE_MAX) {
            return "a value must be below 2^62";
        }
        if (i > 0 && point->ppb <= point[-1].ppb) {
            return "the shares of a table of quantiles must rise";
        }
        if (i > 0 && point->value < point[-1].value) {
            return "the values of a table of quantiles must not fall";
        }
    }
    return NULL;
}

const char *sim_dist_problem(const struct sim_dist *dist)
{
    const char *problem;
    bool above_cap = false; /* Every sample would be the cap: surely not what was meant. */
    if (dist->kind == SIM_DIST_MIXTURE) {
        problem = problem_mixture(dist);
    } else if (dist->kind == SIM_DIST_QUANTILES) {
        problem = problem_quantiles(dist);
        above_cap = !problem && dist->cap < dist->points[0].value;
    } else {
        problem = problem_simple(dist->kind, dist->a, dist->b);
        above_cap = dist->cap < dist->a &&
                    (dist->kind == SIM_DIST_CONSTANT || dist->kind == SIM_DIST_UNIFORM ||
                     dist->kind == SIM_DIST_PARETO);
    }
    if (!problem && dist->cap > SIM_DIST_VALUE_MAX) {
        problem = "the cap must be below 2^62";
    }
    if (!problem && dist->cap && above_cap) {
        problem = "the cap must not be below the smallest value";
    }
    return problem;
}
