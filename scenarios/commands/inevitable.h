/* When a violation became inevitable: the run begun anew at times before it, each time with
 * another future (sim_world_reseed()), and how many of these futures violate the same check.
 *
 * Far from the violation that share is how often such runs go wrong at all; close to it, it is
 * 1, since nothing that chance may still do prevents it. In between chance lost its say: the
 * last time at which the share rises to INEVITABLE_CERTAIN_PPM is searched for down to one event.
 * The faults of the run stay as they were drawn. */
#ifndef SCENARIOS_INEVITABLE_H
#define SCENARIOS_INEVITABLE_H

#include "scenarios/commands/runner.h"

#define INEVITABLE_CERTAIN_PPM 950000 /* "Nearly certain". */
#define INEVITABLE_POINTS_MAX 64

struct inevitable_request {
    const struct sim_plan *plan;
    uint64_t seed;
    uint32_t check; /* enum sim_check, violated */
    uint64_t violated_ns;
    uint64_t margin_ns; /* It may come so much later than it did. */
    uint32_t branches;  /* Futures from each time. */
};

struct inevitable_point {
    uint64_t at_ns;    /* Before the events of this time. */
    uint32_t branches; /* Futures that were run, */
    uint32_t violated; /* and how many of them violated the check. */
};

struct inevitable {
    struct inevitable_point points[INEVITABLE_POINTS_MAX]; /* In the order of time. */
    uint32_t point_count;
    bool certain;        /* At the last point, and from certain_ns on. */
    uint64_t certain_ns; /* 0: from the start. */
    uint64_t open_ns;    /* If certain_ns > 0, it was not yet at this time, shortly before. */
};

/* Uses `runner`, whose world is gone then. False if the memory of this machine or of the world
 * does not suffice. */
SIM_NODISCARD bool inevitable_measure(struct inevitable *inevitable, struct runner *runner,
                                      const struct inevitable_request *request);

#endif
