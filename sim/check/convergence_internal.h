/* What the parts of convergence share: convergence.c compares the members of a group,
 * convergence_clients.c what they hold with what clients asked for and were told. */
#ifndef SIM_CHECK_CONVERGENCE_INTERNAL_H
#define SIM_CHECK_CONVERGENCE_INTERNAL_H

#include "sim/check/ghost.h"

struct sim_attempt { /* A write or an append that a client asked for. */
    bool list;
    uint64_t key;
    uint64_t value;
    const struct sim_history_row *row;
};

struct sim_convergence { /* At the end of the run, or when it might be. */
    struct sim_checks *checks;
    const struct sim_plan_group *plan;
    uint32_t number;
    uint32_t members[SIM_NODES_MAX]; /* Replicas that are there, of the configuration in force. */
    uint32_t member_count;
    uint32_t first; /* The member that has applied most; SIM_NOBODY if there is none. */
    bool settled;
    bool asking; /* Whether all is well: nothing is exercised or violated by that. */
    bool amiss;  /* It is not. */
    struct sim_attempt *attempts; /* Sorted by object, then value, then time. */
    size_t attempt_count;
    size_t attempt_capacity;
    struct sim_item *items[2]; /* Of the two nodes at hand; sorted by object. */
    size_t item_count[2];
    size_t item_capacity[2];
};

/* ---- Objects: all registers, then all lists, by their keys ----------------------------------- */

static inline int sim_convergence_compare(uint64_t a, uint64_t b)
{
    return a < b ? -1 : a > b;
}

static inline int sim_convergence_order(bool list_a, uint64_t key_a, bool list_b, uint64_t key_b)
{
    return list_a != list_b ? (list_a ? 1 : -1) : sim_convergence_compare(key_a, key_b);
}

/* ---- convergence.c --------------------------------------------------------------------------- */

/* What a node holds, sorted, as items[side]; empty ones left out. False without memory. */
bool sim_convergence_collect(struct sim_convergence *group, uint32_t side, uint32_t node);
void sim_convergence_release(struct sim_convergence *group, void *block, size_t size_bytes);

/* ---- convergence_clients.c ------------------------------------------------------------------- */

/* Everything that clients of the group tried to write, as attempts. False without memory. */
bool sim_convergence_attempts(struct sim_convergence *group);
/* (b), if the group is settled, and (c) of what a node holds. Needs attempts; uses items[0]. */
void sim_convergence_judge(struct sim_convergence *group, uint32_t node);

#endif
