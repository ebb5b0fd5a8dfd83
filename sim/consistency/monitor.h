/* Polynomial monitors: linearizability decided without search, where every value is written (or
 * enqueued, or added) at most once. Each says what it needs, and leaves the rest to the search.
 *
 * A monitor looks at one object: at the `count` operations of `history` whose places are in
 * `places`, in order of invocation. */
#ifndef SIM_CONSISTENCY_MONITOR_H
#define SIM_CONSISTENCY_MONITOR_H

#include "sim/consistency/history.h"

enum sim_monitor_answer {
    SIM_MONITOR_HOLDS,
    SIM_MONITOR_VIOLATED,
    SIM_MONITOR_NOT_APPLICABLE,
    SIM_MONITOR_NO_MEMORY,
};

struct sim_monitor_result {
    uint64_t steps;    /* Operations looked at. */
    const char *why;   /* Of a violation: a constant, in words. */
    uint32_t *witness; /* Places in the history, in no order; the monitor's memory. */
    uint32_t witness_count;
};

/* What monitors share over the objects of one history. */
struct sim_monitor {
    const struct sim_history *history;
    struct sim_scratch *scratch;
    uint32_t *local;   /* Of each value, its number within the object at hand plus 1; else 0. */
    uint32_t *witness; /* Room for all operations. */
};

/* Both arguments are borrowed. Errors: SIM_ENOMEM. */
SIM_NODISCARD enum sim_status sim_monitor_init(struct sim_monitor *monitor,
                                               const struct sim_history *history,
                                               struct sim_scratch *scratch);
void sim_monitor_release(struct sim_monitor *monitor);

/* Registers with unique writes and compare-and-set, and keys with unique writes: zones (Gibbons and
 * Korach 1997; Golab, Li and Shah 2011). */
enum sim_monitor_answer sim_monitor_register(struct sim_monitor *monitor, const uint32_t *places,
                                             uint32_t count, struct sim_monitor_result *result);

/* First-in-first-out queues with unique values (Henzinger, Sezgin and Vafeiadis 2013). */
enum sim_monitor_answer sim_monitor_queue(struct sim_monitor *monitor, const uint32_t *places,
                                          uint32_t count, struct sim_monitor_result *result);

/* Stacks with unique values (Abdulla et al. 2025). */
enum sim_monitor_answer sim_monitor_stack(struct sim_monitor *monitor, const uint32_t *places,
                                          uint32_t count, struct sim_monitor_result *result);

/* Sets that only grow, each element added once, with reads of the whole set. */
enum sim_monitor_answer sim_monitor_set(struct sim_monitor *monitor, const uint32_t *places,
                                        uint32_t count, struct sim_monitor_result *result);

/* The rest is for monitors. Positions count from 1 there: 0 is before everything. */
static inline uint32_t sim_monitor_start(const struct sim_history_operation *operation)
{
    return operation->invoked + 1;
}

static inline uint32_t sim_monitor_finish(const struct sim_history_operation *operation)
{
    return operation->returned == SIM_POSITION_NEVER ? SIM_POSITION_NEVER : operation->returned + 1;
}

/* Add an operation to the witness, once; SIM_HISTORY_NOTHING is ignored. */
void sim_monitor_name(struct sim_monitor_result *result, uint32_t place);

#endif
