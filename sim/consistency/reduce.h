/* A smaller witness: leave out chunks of ever smaller size as long as what is kept still shows
 * the violation (Zeller and Hildebrandt's ddmin, 2002, in the order of the items). */
#ifndef SIM_CONSISTENCY_REDUCE_H
#define SIM_CONSISTENCY_REDUCE_H

#include "sim/base.h"

enum sim_reduce_answer {
    SIM_REDUCE_VIOLATED, /* By what is kept alone. */
    SIM_REDUCE_NOT,      /* Not, or nobody knows. */
    SIM_REDUCE_STOP,     /* Enough has been spent. */
};

/* Judge what keep[] says. */
typedef enum sim_reduce_answer (*sim_reduce_fn)(void *context);

/* `items` are the `count` places in keep[] that are set; together they are violated. Those that
 * can go go, from both. How many are left: of them none can go unless it was stopped. */
uint32_t sim_reduce(uint32_t *items, uint32_t count, bool *keep, sim_reduce_fn judge,
                    void *context);

#endif
