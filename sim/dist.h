/* Distributions of delays and sizes, sampled with integers only: no libm, no floating
 * point, so that every target draws the same numbers.
 *
 * A sample is a pure function of two 64-bit uniforms, so that a consumer whose stream has
 * fixed positions (a message's fate) can sample any distribution at the same cost in draws.
 * Mixtures use the second uniform to choose the component, all else only the first. A sample
 * is the quantile at u1 / 2^64, rounded to the nearest integer (uniform: every integer is as
 * likely). Errors before rounding are below 1e-8 of the sample; in a table, below
 * 1e-9 of the step between its points. */
#ifndef SIM_DIST_H
#define SIM_DIST_H

#include "sim/fixed.h"
#include "sim/rng.h"

enum sim_dist_kind {
    SIM_DIST_CONSTANT,    /* a */
    SIM_DIST_UNIFORM,     /* a .. b, both included */
    SIM_DIST_EXPONENTIAL, /* mean a */
    SIM_DIST_LOGNORMAL,   /* median a; b = sigma in millionths */
    SIM_DIST_PARETO,      /* minimum a; b = alpha in millionths */
    SIM_DIST_MIXTURE,     /* parts[0 .. part_count) with weights in ppm that sum to SIM_PPM */
    SIM_DIST_QUANTILES,   /* points[0 .. point_count): see below */
};

#define SIM_DIST_PARTS_MAX 4
#define SIM_DIST_POINTS_MAX 16
#define SIM_DIST_VALUE_MAX (UINT64_MAX / 4)         /* Of every setting and sample. */
#define SIM_DIST_SIGMA_PPM_MAX UINT64_C(10000000)   /* A lognormal's sigma: 10. */
#define SIM_DIST_ALPHA_PPM_MAX UINT64_C(1000000000) /* A Pareto's alpha: 1000. */

/* A point of an empirical table: a share `ppb` (parts per billion) of all values is at most
 * `value`. Points rise strictly in ppb and never fall in value. Between points values are
 * linear in probability in the body; above the median they are linear in the logarithm of
 * the upper tail, which is how latency tails are published. Below the first point the first
 * value, above the last the last.
 *
 * A step between two points is one or the other as a whole: logarithmic if it starts at the
 * median or above and ends below 1, where the tail's logarithm would be infinite. */
struct sim_dist_point {
    uint32_t ppb;
    uint64_t value;
};

struct sim_dist_part { /* A component of a mixture: any kind but mixture and quantiles. */
    uint32_t weight_ppm;
    uint32_t kind; /* enum sim_dist_kind */
    uint64_t a;
    uint64_t b;
};

/* A distribution, plain data: copy it freely. The unit of values is the user's (usually
 * nanoseconds). An all-zero distribution is the constant 0. */
struct sim_dist {
    uint32_t kind;  /* enum sim_dist_kind */
    uint32_t count; /* parts or points in use */
    uint64_t a;
    uint64_t b;
    uint64_t cap; /* Samples above it become it; 0 means no cap. */
    struct sim_dist_part parts[SIM_DIST_PARTS_MAX];
    struct sim_dist_point points[SIM_DIST_POINTS_MAX];
};

/* Why `dist` cannot be sampled ("alpha must be positive"), or NULL if it can. The text is a
 * constant. Settings that a kind does not use are not looked at. */
const char *sim_dist_problem(const struct sim_dist *dist);

/* The sample for uniforms u1 and u2; `dist` must have no problem. Saturates at UINT64_MAX / 4, so
 * that adding samples to a time cannot wrap. */
uint64_t sim_dist_sample(const struct sim_dist *dist, uint64_t u1, uint64_t u2);

/* The same from a stream: always four outputs. */
uint64_t sim_dist_draw(const struct sim_dist *dist, struct sim_rng *rng);

/* A value no sample exceeds if there is one (a cap, the end of a bounded kind), else an
 * estimate of the 99.9th percentile, of a mixture the largest of its parts' however rare; for
 * time-outs such as a stream's retransmission. */
uint64_t sim_dist_high(const struct sim_dist *dist);

#endif
