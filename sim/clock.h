/* A host's clocks. The monotonic clock drifts; the wall clock is the monotonic clock plus an
 * offset that steps and synchronisation change. Both are pure functions of true time between
 * two changes, computed with integers:
 *
 *     monotonic(t) = monotonic at the last change + floor((t - last change) * (1 + drift))
 *     wall(t)      = the larger of monotonic(t) + offset and the reading held, if any
 *
 * Only a change of drift starts a new line (and drops a fraction of a nanosecond); a step or
 * a synchronisation moves the offset alone.
 *
 * A query must not be for a time before the last change of drift: a bug, which asserts. */
#ifndef SIM_CLOCK_H
#define SIM_CLOCK_H

#include "sim/dist.h"

#define SIM_CLOCK_DRIFT_MAX_PPB 500000000

struct sim_clock_knobs {
    int64_t offset_ns;          /* Wall clock ahead of true time at the start. */
    int32_t drift_ppb;          /* Both clocks run fast by this, parts per billion; */
                                /* at most SIM_CLOCK_DRIFT_MAX_PPB either way. */
    uint64_t sync_interval_ns;  /* 0: never synchronised. */
    struct sim_dist sync_error; /* Nanoseconds of error after a synchronisation, either sign. */
    uint64_t error_bound_ns;    /* What the clock claims right after synchronising, */
    uint32_t assumed_drift_ppb; /* growing by this until the next (TrueTime assumes 200 ppm:
                                 * Corbett et al., "Spanner", OSDI 2012, section 3). */
    bool smear;                 /* Synchronisation never steps the wall clock back. */
};

/* Plain data, owned by its user; read it through the functions below. */
struct sim_clock {
    uint64_t true_ns;      /* When the drift last changed, */
    uint64_t monotonic_ns; /* and what the monotonic clock then showed. */
    int64_t wall_ahead_ns; /* wall = monotonic + this, but not below ... */
    uint64_t wall_held_ns; /* ... this: where a smeared wall clock waits. 0: nowhere. */
    uint64_t synced_monotonic_ns;
    uint64_t error_bound_ns;
    int32_t drift_ppb;
    uint32_t assumed_drift_ppb;
    bool smear;
};

/* At true time 0: the monotonic clock shows 0, the wall clock the offset. The clock claims its
 * error bound from the start, whether the offset keeps to it or not. */
void sim_clock_init(struct sim_clock *c, const struct sim_clock_knobs *knobs);

/* Never goes back, whatever is changed; stays at UINT64_MAX once there. */
uint64_t sim_clock_monotonic_ns(const struct sim_clock *c, uint64_t true_ns);

uint64_t sim_clock_wall_ns(const struct sim_clock *c, uint64_t true_ns); /* At least 0. */

/* What the clock claims: true time is within this of the wall clock. It grows by the assumed
 * drift, in the clock's own time, and by how far a held wall clock is ahead of where it
 * should be. A claim can be wrong: a step is unknown to it, and the real drift may be larger
 * than the assumed one. */
uint64_t sim_clock_error_ns(const struct sim_clock *c, uint64_t true_ns);

/* The first true time at which the monotonic clock shows at least `monotonic_ns`; SIM_NEVER
 * if that is beyond 2^64. Not before the last change of drift. */
uint64_t sim_clock_true_ns(const struct sim_clock *c, uint64_t monotonic_ns);

void sim_clock_set_drift(struct sim_clock *c, uint64_t true_ns, int32_t drift_ppb);

/* A leap or an operator: the wall clock jumps by `delta_ns`, smeared or not. */
void sim_clock_step(struct sim_clock *c, int64_t delta_ns);

/* Set the wall clock to true time plus `error_ns`, and start its error bound afresh.
 *
 * With `smear` a wall clock that is ahead is not set back: it stands still until the time it
 * should show has caught up, and its error bound says by how much it is ahead meanwhile. (A
 * real clock is slewed; standing still is slewing at the full rate, and needs no second
 * rate.) It still jumps forward. */
void sim_clock_sync(struct sim_clock *c, uint64_t true_ns, int64_t error_ns);

#endif
