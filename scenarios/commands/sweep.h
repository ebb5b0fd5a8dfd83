/* A sweep: many seeds of a scenario on all cores.
 *
 * Workers are forked processes that take the next seed from a counter in shared memory, so a
 * slow seed holds nobody up, and a worker that dies names the seed it died on: that is a
 * finding, and another worker takes its place. The parent collects outcomes over one pipe
 * each; nothing about a seed's outcome depends on who ran it. */
#ifndef SCENARIOS_SWEEP_H
#define SCENARIOS_SWEEP_H

#include "scenarios/format/scenario.h"
#include "sim/world.h"

/* What a worker sends for a seed: one write to its pipe, below PIPE_BUF. */
struct sweep_outcome {
    uint64_t seed;
    uint64_t hash;
    uint64_t events;
    uint64_t simulated_ns;
    uint64_t finding_at_ns; /* Of the first finding, */
    uint64_t finding_event;
    uint32_t finding; /* its check; SIM_CHECK_COUNT if there is none. */
    int32_t signal;   /* The worker died of it on this seed; 0: it did not. */
    bool met;
    bool memory;                         /* The world did not fit. */
    uint8_t verdicts[SIM_CHECK_COUNT];   /* enum sim_verdict; UINT8_MAX: not enabled. */
    uint64_t exercised[SIM_CHECK_COUNT]; /* How often each could have broken. */
    char detail[SIM_DETAIL_MAX];         /* Of the first finding. */
};

struct sweep_request {
    const struct scenario *scenario;
    uint64_t first_seed;
    uint64_t last_seed; /* Included. */
    uint32_t jobs;
    /* Told each outcome as it comes, in no order; NULL: nobody. */
    void (*arrived)(void *context, const struct sweep_outcome *outcome);
    /* Told now and then, for a progress bar. */
    void (*progress)(void *context, uint64_t done, uint64_t findings);
    void *context;
};

struct sweep_result {
    uint64_t seeds_done;
    uint64_t hash; /* Over all seeds in order; the same whatever `jobs` is. */
    uint64_t events;
    bool interrupted; /* Ctrl-C. */
    bool met;         /* Every seed met what is expected, and `sometimes` happened. */
    bool failed;      /* No worker could be started. */
    uint32_t violated[SIM_CHECK_COUNT];  /* Seeds by check: in which it was, */
    uint32_t enabled[SIM_CHECK_COUNT];   /* in which it was looked at, */
    uint32_t tested[SIM_CHECK_COUNT];    /* and in which it could have broken; */
    uint64_t exercised[SIM_CHECK_COUNT]; /* how often that was, in all seeds together. */
    struct sweep_outcome *findings;      /* In order of seed; owned, free(). */
    size_t finding_count;
};

/* Run it. SIM_ENOMEM changes nothing. */
SIM_NODISCARD enum sim_status sweep_run(const struct sweep_request *request,
                                        struct sweep_result *result);

#endif
