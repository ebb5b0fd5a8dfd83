/* The rows of a run as events in their order: who began and who ended, one after the other. */
#ifndef SIM_CONSISTENCY_ROWS_ORDER_H
#define SIM_CONSISTENCY_ROWS_ORDER_H

#include "sim/consistency/scratch.h"
#include "sim/history.h"

/* An event is the row's place, twice, plus 1 if it ended. */
struct sim_rows_order {
    uint64_t *events;
    size_t count;    /* At most twice as many as rows. */
    size_t capacity; /* What events[] is to be released with. */
    size_t sessions; /* All clients are below this. */
};

/* Of an end and a beginning in the same nanosecond the beginning comes first, but for the next row
 * of the same session: what it had open has ended before, given up or not. What the last row of a
 * session gave up never ends. Rows come in the order in which they began. Errors: SIM_ENOMEM.
 * Release with sim_rows_order_release() in any case. */
SIM_NODISCARD enum sim_status sim_rows_order(struct sim_scratch *scratch,
                                             const struct sim_history_row *rows, size_t count,
                                             struct sim_rows_order *order);
void sim_rows_order_release(struct sim_scratch *scratch, struct sim_rows_order *order);

#endif
