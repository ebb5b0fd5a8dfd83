/* A run's history by hand, row by row, and what a model says of it. */
#ifndef TESTS_RUN_ROWS_H
#define TESTS_RUN_ROWS_H

#include <criterion/criterion.h>

#include "sim/check/check.h"
#include "sim/consistency/rows.h"

/* SIM_NEVER: it did not return, and nobody knows what came of it. */
static inline struct sim_history_row timed_row(struct sim_operation operation, uint64_t invoke_ns,
                                               uint64_t return_ns)
{
    return (struct sim_history_row){
        .operation = operation,
        .invoke_ns = invoke_ns,
        .return_ns = return_ns,
        .invoke_event = 2 * invoke_ns + 1, /* In the same nanosecond invocations come first. */
        .return_event = return_ns == SIM_NEVER ? 0 : 2 * return_ns + 2,
        .outcome = return_ns == SIM_NEVER ? SIM_OUTCOME_INFO : SIM_OUTCOME_OK};
}

/* The caller releases the result. */
static inline struct sim_rows_result judge_by(const char *model, const struct sim_history_row *rows,
                                              size_t count, const struct sim_budget *budget)
{
    struct sim_rows_result result;
    const struct sim_rows given = {.rows = rows, .count = count};
    sim_check_rows(sim_model_find(model), &given, budget, &result);
    return result;
}

/* Of a violation with more and more memory: unknown until there is enough, and never that it holds.
 */
static inline void expect_unknown_with_little_memory(const char *model,
                                                     const struct sim_history_row *rows,
                                                     size_t count)
{
    uint32_t unknown = 0;
    for (size_t bytes = 0; bytes < 16384; bytes += 64) {
        const struct sim_budget small = {.steps = 100000, .memory_bytes = bytes};
        struct sim_rows_result result = judge_by(model, rows, count, &small);
        cr_expect(result.verdict == SIM_UNKNOWN || result.verdict == SIM_VIOLATED, "%zu", bytes);
        unknown += result.verdict == SIM_UNKNOWN;
        sim_rows_result_release(&result);
    }
    cr_expect_gt(unknown, 10);
    cr_expect_lt(unknown, 256);
}

#endif
