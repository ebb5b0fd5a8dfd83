/* What the two halves of the check share: linearizable.c decides, linearizable_witness.c finds out
 * which operations show a violation by themselves. */
#ifndef SIM_CONSISTENCY_LINEARIZABLE_INTERNAL_H
#define SIM_CONSISTENCY_LINEARIZABLE_INTERNAL_H

#include "sim/consistency/linearizable.h"
#include "sim/consistency/monitor.h"
#include "sim/consistency/operations.h"
#include "sim/consistency/search.h"

/* The operations of one object within the history. */
struct sim_lin_part {
    const uint32_t *places; /* In order of invocation. */
    uint32_t count;
    uint32_t key; /* Number of the value. */
};

struct sim_lin {
    const struct sim_history *history;
    struct sim_scratch scratch;
    struct sim_machine machine;
    struct sim_monitor monitor;
    struct sim_call *calls; /* Of the part at hand; room for the largest. */
    uint32_t *observed;     /* Of each value, the last round in which it was seen. */
    uint32_t round;
    uint32_t *witness; /* Kept operations while one is made smaller. */
    bool *keep;
    uint64_t steps_max;
    bool by_element;
    struct sim_consistency_result *result;
};

static inline const struct sim_history_operation *sim_lin_at(const struct sim_lin *c,
                                                             uint32_t place)
{
    return &c->history->operations[place];
}

/* The calls of a part: all of it, or of a part from which some are not kept. What is not kept
 * and changes the object stays as an operation that may have taken place any time after its
 * invocation, or never: so what is violated without it is violated with it. Their number;
 * UINT32_MAX without memory. */
uint32_t sim_lin_build(struct sim_lin *c, const struct sim_lin_part *part);

/* ---- linearizable_witness.c ---- */

/* The result's witness, of what a search found violated or a monitor. */
void sim_lin_witness_of_search(struct sim_lin *c, const struct sim_lin_part *part,
                               const struct sim_search_result *found);
void sim_lin_witness_of_monitor(struct sim_lin *c, const struct sim_lin_part *part,
                                const struct sim_monitor_result *found);

#endif
