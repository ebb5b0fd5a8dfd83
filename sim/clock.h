/* A host's clocks. The monotonic clock drifts; the wall clock is the monotonic clock plus an
 * offset that steps and synchronisation change. Both are pure functions of true time between
 * two changes, computed with integers. */
#ifndef SIM_CLOCK_H
#define SIM_CLOCK_H

#include "sim/dist.h"

struct sim_clock_knobs {
    int64_t offset_ns;  /* Wall clock ahead of true time at the start. */
    int32_t drift_ppb;  /* Both clocks run fast by this, parts per billion; +-500,000,000 max. */
    uint64_t sync_interval_ns; /* 0: never synchronised. */
    struct sim_dist sync_error; /* Nanoseconds of error after a synchronisation, either sign. */
    uint64_t error_bound_ns;    /* What the clock claims right after synchronising, */
    uint32_t assumed_drift_ppb; /* growing by this until the next (TrueTime assumes 200 ppm). */
    bool smear; /* Synchronisation never steps the wall clock back. */
};

struct sim_clock {
    uint64_t true_ns;      /* When the values below were right. */
    uint64_t monotonic_ns;
    int64_t wall_ahead_ns; /* wall = monotonic + this */
    int32_t drift_ppb;
    uint64_t synced_monotonic_ns;
    uint64_t error_bound_ns;
    uint32_t assumed_drift_ppb;
    bool smear;
};

void sim_clock_init(struct sim_clock *clock, const struct sim_clock_knobs *knobs);

uint64_t sim_clock_monotonic_ns(const struct sim_clock *clock, uint64_t true_ns);
uint64_t sim_clock_wall_ns(const struct sim_clock *clock, uint64_t true_ns); /* At least 0. */
uint64_t sim_clock_error_ns(const struct sim_clock *clock, uint64_t true_ns);

/* The first true time at which the monotonic clock shows at least `monotonic_ns`; SIM_NEVER
 * if that is beyond 2^64. Not before the last change. */
uint64_t sim_clock_true_ns(const struct sim_clock *clock, uint64_t monotonic_ns);

void sim_clock_set_drift(struct sim_clock *clock, uint64_t true_ns, int32_t drift_ppb);
void sim_clock_step(struct sim_clock *clock, int64_t delta_ns); /* A leap or an operator. */
/* Set the wall clock to true time plus `error_ns`. */
void sim_clock_sync(struct sim_clock *clock, uint64_t true_ns, int64_t error_ns);

#endif
