/* The history of a run (sim/history.h) judged by the checkers of histories: to be asked once a
 * run has ended, since they look at all of it.
 *
 *     size_t count;
 *     const struct sim_history_row *rows = sim_world_history(world, &count);
 *     struct sim_rows_result result;
 *     struct sim_rows all = {.rows = rows, .count = count};
 *     sim_check_rows(sim_model_find("linearizable"), &all, &budget, &result);
 *     // result.verdict is that of the check; result.exercised counts what put it to the test;
 *     // result.detail says why in words; result.at_ns when the violation was complete
 *     sim_rows_result_release(&result);
 *
 * Registers and lists are judged as two histories, since they share nothing; keys are told
 * apart. What must be known of the rows:
 *
 *  - A compare-and-set that a server answered with "failed" is an observation: the register held
 *    something else than expected.
 *  - A session whose outcome stayed unknown goes on as another process, as in Jepsen: what it
 *    asked may still take place after what it asks next.
 *  - Each part of a transaction counts as an operation by itself that was open as long as the
 *    transaction. This is less than atomicity, so it never accuses wrongly; the models of
 *    transactions judge them whole.
 *  - The records of the run say what came before what. In them an operation of an open loop begins
 *    when it is first sent, which may be long after it was due.
 *
 * Memory comes from malloc, not from the run's arena, and is bounded by the budget. */
#ifndef SIM_CONSISTENCY_ROWS_H
#define SIM_CONSISTENCY_ROWS_H

#include "sim/consistency/models.h"
#include "sim/consistency/txn.h"

struct sim_rows {
    const struct sim_history_row *rows; /* In the order in which they began. */
    size_t count;
    const char *(*name)(const void *context, uint32_t client); /* NULL: "process 5". */
    const void *context;
};

/* The parts of all rows that touch registers (SIM_OBJECT_REGISTER) or lists (SIM_OBJECT_LIST), as
 * a history. Its operations' invoke_line is the row's place plus 1. `history` is initialised and
 * empty. Errors: SIM_ENOMEM. */
SIM_NODISCARD enum sim_status sim_history_from_rows(struct sim_history *history,
                                                    enum sim_object object,
                                                    const struct sim_rows *rows);

struct sim_rows_result {
    uint32_t verdict;   /* SIM_HOLDS, SIM_VIOLATED, SIM_UNKNOWN; SIM_VACUOUS: nothing was read. */
    uint64_t exercised; /* Operations that told what they saw: reads, compares. */
    uint64_t steps;
    uint64_t at_ns;    /* Of a violation: when the last operation of the witness returned. */
    uint32_t *witness; /* Places of rows, ascending; heap, owned. */
    uint32_t witness_count;
    /* In words: the contradiction and as much of the witness as fits, or why it is unknown. */
    char detail[SIM_DETAIL_MAX];
};

/* Judge all rows, transactions first. Objects that the model does not judge are left out. Values
 * that are written twice make transactions unknown; in their detail "T5" is row 5. */
void sim_check_rows(const struct sim_model *model, const struct sim_rows *rows,
                    const struct sim_budget *budget, struct sim_rows_result *result);
void sim_rows_result_release(struct sim_rows_result *result);

/* All rows as a history of transactions over lists and registers together: transaction i is row
 * i, a session is a process. `history` is initialised and empty. Errors: SIM_ENOMEM. */
SIM_NODISCARD enum sim_status sim_txn_history_from_rows(struct sim_txn_history *history,
                                                        const struct sim_rows *rows);

#endif
