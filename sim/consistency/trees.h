/* Two trees over a line of places, for monitors: which place of a stretch has the smallest value,
 * and which is the first that nothing covers. Every question and every change is logarithmic. */
#ifndef SIM_CONSISTENCY_TREES_H
#define SIM_CONSISTENCY_TREES_H

#include "sim/consistency/scratch.h"

/* A tournament: each node is the place that has the smallest value of those below it. */
struct sim_tournament {
    uint32_t *values; /* Of each place. */
    uint32_t *winners;
    uint32_t size; /* A power of two. */
};

/* `count` places, at least one, with the value UINT32_MAX each. Errors: SIM_ENOMEM; release in any
 * case. */
SIM_NODISCARD enum sim_status sim_tournament_init(struct sim_tournament *t,
                                                  struct sim_scratch *scratch, uint32_t count);
void sim_tournament_release(struct sim_tournament *t, struct sim_scratch *scratch);
void sim_tournament_set(struct sim_tournament *t, uint32_t place, uint32_t value);
/* The first place of those that have the smallest value from `first` to `last`, both included. */
uint32_t sim_tournament_smallest(const struct sim_tournament *t, uint32_t first, uint32_t last);

/* How many intervals cover each place. A node has the least cover of the places below it, from
 * which the node's ancestors still take off something. */
struct sim_cover {
    uint32_t *least;
    uint32_t *less; /* What a node takes off all that is below it; its own `least` has it off. */
    uint32_t size;  /* A power of two. */
};

/* Place i is covered covers[i] times; there is at least one place, and nothing covers what comes
 * after them. Errors: SIM_ENOMEM; release in any case. */
SIM_NODISCARD enum sim_status sim_cover_init(struct sim_cover *c, struct sim_scratch *scratch,
                                             const uint32_t *covers, uint32_t count);
void sim_cover_release(struct sim_cover *c, struct sim_scratch *scratch);
/* Take off one of the intervals, from `first` to before `end`. */
void sim_cover_take(struct sim_cover *c, uint32_t first, uint32_t end);
/* The first place from `first` on that nothing covers; UINT32_MAX: they are all covered. */
uint32_t sim_cover_gap(const struct sim_cover *c, uint32_t first);

#endif
