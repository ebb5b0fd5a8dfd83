/* The search for a linearization: Wing and Gong's (1993) with Lowe's cache of configurations
 * ("Testing for Linearizability", 2017), on the calls of one object.
 *
 * What makes it fast:
 *  - pure calls (reads and the like) are taken as soon as they are legal and never branched on:
 *    taking one earlier changes neither the state nor who waits for whom;
 *  - of calls that do the same, the one that must return first goes first;
 *  - a call that never returned is taken only where a later call could tell that it was;
 *  - a configuration is (first call not taken, window of bits after it, bits of the few calls
 *    that are open for long, state number): its size does not grow with the history;
 *  - where no call is open the history can be cut: only the set of states reachable there goes
 *    on, and the cache starts anew. */
#ifndef SIM_CONSISTENCY_SEARCH_H
#define SIM_CONSISTENCY_SEARCH_H

#include "sim/consistency/machine.h"

struct sim_search_result {
    uint32_t verdict;        /* SIM_HOLDS, SIM_VIOLATED or SIM_UNKNOWN */
    uint64_t steps;          /* Calls tried in some state. */
    uint32_t furthest;       /* Position: the return that no order got past; if not SIM_HOLDS. */
    uint32_t furthest_place; /* The operation whose return that is. */
    bool out_of_memory;      /* SIM_UNKNOWN for that reason, not for want of steps. */
};

/* `calls` are in the order of invocation; pure ones have returned. Spends at most `steps_max`
 * steps and the scratch's memory, all of it given back. */
void sim_search(struct sim_machine *machine, const struct sim_call *calls, uint32_t count,
                uint64_t steps_max, struct sim_search_result *result);

#endif
