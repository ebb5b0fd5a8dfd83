/* What the files that judge the rows of a run share: their order, and their words. */
#ifndef SIM_CONSISTENCY_ROWS_INTERNAL_H
#define SIM_CONSISTENCY_ROWS_INTERNAL_H

#include "sim/consistency/rows.h"

/* ---- rows_order.c: who began and who ended, one after the other ----------------------------- */

/* An event is the row's place, twice, plus 1 if it ended. */
struct sim_rows_order {
    uint64_t *events;
    size_t count;    /* At most twice as many as rows. */
    size_t capacity; /* What events[] is to be released with. */
    size_t sessions; /* All clients are below this. */
};

/* By the numbers of the records: rows come in the order in which they began (asserts). What a
 * session gave up ends where it begins its next row; what its last row gave up never ends. Errors:
 * SIM_ENOMEM. Release with sim_rows_order_release() in any case. */
SIM_NODISCARD enum sim_status sim_rows_order(struct sim_scratch *scratch,
                                             const struct sim_history_row *rows, size_t count,
                                             struct sim_rows_order *order);
void sim_rows_order_release(struct sim_scratch *scratch, struct sim_rows_order *order);

/* ---- rows_words.c --------------------------------------------------------------------------- */

/* Append "; c1: read key 1 = 7, 1200.500 to 1201.000 ms" to a detail: the words given and when it
 * was. Where that does not fit, or would leave no room to say so of the next, "; and 3 more"
 * instead, and false: `left` counts this one and those to come. */
bool sim_rows_say(const struct sim_history_row *row, const char *words, uint32_t left,
                  char detail[SIM_DETAIL_MAX]);

/* ---- rows_txn.c ----------------------------------------------------------------------------- */

/* As sim_check_rows() by a model of transactions, enum sim_txn_model. */
void sim_rows_judge_txns(uint32_t isolation, const struct sim_rows *rows,
                         const struct sim_budget *budget, struct sim_rows_result *result);

#endif
