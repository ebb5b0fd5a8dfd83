/* A run's history, row by row, before the checkers of histories. */
#include "tests/run_rows.h"

static const struct sim_budget budget = {.steps = 100000, .memory_bytes = 16 << 20};

static struct sim_history_row row(uint32_t client, uint32_t function, uint64_t value,
                                  uint64_t invoke_ns, uint64_t return_ns)
{
    const bool reads = sim_function_reads(function);
    const struct sim_operation operation = {
        .client = client, .function = function, .key = 1, .value = reads ? 0 : value};
    struct sim_history_row row = timed_row(operation, invoke_ns, return_ns);
    row.result = value;
    return row;
}

static struct sim_rows_result judge(const struct sim_history_row *rows, size_t count)
{
    return judge_by("linearizable", rows, count, &budget);
}

static uint32_t verdict(const struct sim_history_row *rows, size_t count)
{
    struct sim_rows_result result = judge(rows, count);
    sim_rows_result_release(&result);
    return result.verdict;
}

Test(rows, a_read_after_a_write_sees_it)
{
    struct sim_history_row rows[] = {row(5, SIM_WRITE, 7, 10, 20), row(6, SIM_READ, 7, 30, 40)};
    cr_expect_eq(verdict(rows, 2), SIM_HOLDS);
    rows[1].result = 0;
    struct sim_rows_result result = judge(rows, 2);
    cr_expect_eq(result.verdict, SIM_VIOLATED);
    cr_expect_eq(result.at_ns, 40);
    cr_assert_eq(result.witness_count, 2);
    cr_expect_eq(result.witness[0], 0);
    cr_expect_eq(result.witness[1], 1);
    cr_expect_neq(result.detail[0], 0);
    sim_rows_result_release(&result);
}

/* Where nothing was read nothing was tested. */
Test(rows, writes_alone_are_vacuous)
{
    struct sim_history_row rows[] = {row(5, SIM_WRITE, 7, 10, 20), row(6, SIM_WRITE, 8, 30, 40)};
    cr_expect_eq(verdict(rows, 2), SIM_VACUOUS);
    cr_expect_eq(verdict(rows, 0), SIM_VACUOUS);
}

/* The session goes on; what it gave up may take place later. */
Test(rows, a_write_given_up_may_show_up_later_or_never)
{
    struct sim_history_row rows[] = {row(5, SIM_WRITE, 7, 10, SIM_NEVER),
                                     row(5, SIM_WRITE, 8, 30, 40), row(5, SIM_READ, 8, 50, 60),
                                     row(5, SIM_READ, 7, 70, 80)};
    cr_expect_eq(verdict(rows, 4), SIM_HOLDS);
    rows[3].result = 8;
    cr_expect_eq(verdict(rows, 4), SIM_HOLDS);
    rows[2].result = 7;
    cr_expect_eq(verdict(rows, 4), SIM_VIOLATED, "8, 7, 8 is one too many");
}

/* A server that says "failed" to a compare saw another value; no answer says nothing. */
Test(rows, a_compare_that_failed_is_an_observation)
{
    struct sim_history_row rows[] = {row(5, SIM_WRITE, 7, 10, 20), row(6, SIM_CAS, 9, 30, 40),
                                     row(6, SIM_READ, 7, 50, 60)};
    rows[1].operation.expected = 7;
    rows[1].outcome = SIM_OUTCOME_FAIL;
    cr_expect_eq(verdict(rows, 3), SIM_VIOLATED);
    rows[1].server = SIM_NOBODY;
    cr_expect_eq(verdict(rows, 3), SIM_HOLDS);
    rows[1].server = 0;
    rows[1].operation.expected = 6;
    cr_expect_eq(verdict(rows, 3), SIM_HOLDS);
    rows[1].operation.expected = 7;
    rows[1].outcome = SIM_OUTCOME_OK;
    cr_expect_eq(verdict(rows, 3), SIM_VIOLATED, "it became 9");
}

/* The order is that of the records. */
Test(rows, what_returned_after_an_operation_began_is_concurrent_with_it)
{
    struct sim_history_row rows[] = {row(5, SIM_WRITE, 7, 10, 20), row(6, SIM_READ, 0, 20, 30)};
    cr_expect_eq(verdict(rows, 2), SIM_HOLDS);
    rows[1].invoke_event = rows[0].return_event + 1;
    cr_expect_eq(verdict(rows, 2), SIM_VIOLATED);
}

/* In an open loop an operation may be due before its session is free: until it is sent it has no
 * effect, so it is not concurrent with what was over by then. */
Test(rows, an_operation_due_early_begins_when_it_is_sent)
{
    struct sim_history_row rows[] = {row(5, SIM_WRITE, 7, 10, 20), row(6, SIM_READ, 7, 12, 30)};
    rows[1].invoke_event = rows[0].return_event + 1;
    cr_expect_eq(verdict(rows, 2), SIM_HOLDS);
    rows[1].result = 0;
    cr_expect_eq(verdict(rows, 2), SIM_VIOLATED);
}

Test(rows, the_order_of_returns_is_that_of_time)
{
    enum { SESSIONS = 40 };
    struct sim_history_row rows[SESSIONS + 2];
    for (uint32_t i = 0; i < SESSIONS; i++) { /* All open at once; they return in disorder. */
        rows[i] = row(10 + i, SIM_WRITE, 100 + i, i, 100 + (i * 17) % SESSIONS);
    }
    const uint32_t first = 0; /* Returned at 100. */
    rows[SESSIONS] = row(5, SIM_WRITE, 7, 101, 200);
    rows[SESSIONS + 1] = row(6, SIM_READ, 100 + first, 201, 300);
    cr_expect_eq(verdict(rows, SESSIONS + 2), SIM_VIOLATED);
    rows[SESSIONS + 1].result = 101; /* Its write was still open at 101. */
    cr_expect_eq(verdict(rows, SESSIONS + 2), SIM_HOLDS);
}

Test(rows, lists_are_judged_beside_registers)
{
    static const uint64_t words[] = {7, 8};
    struct sim_history_row rows[] = {row(5, SIM_APPEND, 7, 10, 20), row(5, SIM_APPEND, 8, 30, 40),
                                     row(6, SIM_READ_LIST, 2, 50, 60), row(7, SIM_READ, 0, 51, 60)};
    rows[2].words = words;
    rows[2].word_count = 2;
    cr_expect_eq(verdict(rows, 4), SIM_HOLDS);
    rows[2].word_count = 1;
    cr_expect_eq(verdict(rows, 4), SIM_VIOLATED, "8 was appended before");
    rows[2].words = NULL;
    rows[2].word_count = 0;
    cr_expect_eq(verdict(rows, 4), SIM_VIOLATED, "the list was read empty");
}

Test(rows, parts_of_a_transaction_are_operations)
{
    /* Part 0 appends to list 1, part 1 writes register 2, part 2 reads list 1. */
    static const uint64_t words[] = {1, 7};
    struct sim_history_row rows[] = {row(5, SIM_TXN, 7, 10, 20), row(6, SIM_READ, 0, 30, 40)};
    rows[0].operation.expected =
        sim_txn_pack(0, 3, 1) | sim_txn_pack(1, 1, 2) | sim_txn_pack(2, 2, 1);
    rows[0].words = words;
    rows[0].word_count = 2;
    rows[1].operation.key = 2;
    rows[1].result = 7 ^ UINT64_C(1) << 48;
    cr_expect_eq(verdict(rows, 2), SIM_HOLDS);
    rows[1].result = 0;
    cr_expect_eq(verdict(rows, 2), SIM_VIOLATED);
    static const uint64_t others[] = {1, 8};
    rows[1].result = 7 ^ UINT64_C(1) << 48;
    rows[0].words = others;
    cr_expect_eq(verdict(rows, 2), SIM_VIOLATED);
}

Test(rows, little_memory_means_unknown)
{
    struct sim_history_row rows[] = {row(5, SIM_WRITE, 7, 10, 20), row(6, SIM_READ, 0, 30, 40)};
    expect_unknown_with_little_memory("linearizable", rows, 2);
}
