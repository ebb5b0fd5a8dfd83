/* A run's transactions before the checker of transactions. */
#include <inttypes.h>
#include <string.h>

#include "sim/world.h"
#include "tests/run_rows.h"
#include "tests/scenarios.h"

static const struct sim_budget budget = {.steps = 10000000, .memory_bytes = 64 << 20};

enum { READ, WRITE, READ_LIST, APPEND }; /* As transactions pack them. */

static struct sim_history_row txn(uint32_t client, uint64_t value, uint64_t invoke_ns,
                                  uint64_t return_ns, uint64_t parts)
{
    const struct sim_operation operation = {
        .client = client, .function = SIM_TXN, .value = value, .expected = parts};
    return timed_row(operation, invoke_ns, return_ns);
}

static struct sim_rows_result judge(const struct sim_history_row *rows, size_t count)
{
    return judge_by("strict-serializable", rows, count, &budget);
}

static void expect(const struct sim_history_row *rows, size_t count, uint32_t verdict,
                   const char *detail)
{
    struct sim_rows_result result = judge(rows, count);
    cr_expect_eq(result.verdict, verdict, "verdict %" PRIu32 ": %s", result.verdict, result.detail);
    cr_expect_str_eq(result.detail, detail);
    cr_expect_eq(result.witness_count > 0, verdict == SIM_VIOLATED);
    sim_rows_result_release(&result);
}

/* A list and a register changed at once: whoever sees one sees the other, though each alone may
 * be old as long as the transaction that read them is concurrent. */
Test(rows_txn, a_torn_transaction_is_seen_where_its_parts_alone_are_fine)
{
    static const uint64_t both[] = {1, 7, 7 ^ UINT64_C(1) << 48};
    static const uint64_t torn[] = {1, 7, 0};
    const uint64_t writes = sim_txn_pack(0, APPEND, 1) | sim_txn_pack(1, WRITE, 1);
    const uint64_t reads = sim_txn_pack(0, READ_LIST, 1) | sim_txn_pack(1, READ, 1);
    struct sim_history_row rows[] = {txn(5, 7, 10, 40, writes), txn(6, 0, 20, 30, reads)};
    rows[1].words = both;
    rows[1].word_count = 3;
    expect(rows, 2, SIM_HOLDS, "");
    rows[1].words = torn;
    expect(rows, 2, SIM_VIOLATED,
           "T1 read list 1 up to the 7 that T0 appended; T1 found nothing in register 1, to "
           "which T0 wrote 281474976710663");
    struct sim_rows_result parts = judge_by("linearizable", rows, 2, &budget);
    cr_expect_eq(parts.verdict, SIM_HOLDS, "%s", parts.detail);
    sim_rows_result_release(&parts);
}

/* Each read what the other was about to write. */
Test(rows_txn, write_skew_is_seen)
{
    static const uint64_t nothing[] = {0};
    struct sim_history_row rows[] = {
        txn(5, 7, 10, 40, sim_txn_pack(0, READ_LIST, 1) | sim_txn_pack(1, APPEND, 2)),
        txn(6, 8, 20, 30, sim_txn_pack(0, READ_LIST, 2) | sim_txn_pack(1, APPEND, 1))};
    for (size_t i = 0; i < 2; i++) {
        rows[i].words = nothing;
        rows[i].word_count = 1;
    }
    struct sim_rows_result result = judge(rows, 2);
    cr_expect_eq(result.verdict, SIM_VIOLATED);
    cr_expect_eq(result.witness_count, 2);
    cr_expect_eq(result.at_ns, 40);
    cr_expect_eq(result.exercised, 2);
    sim_rows_result_release(&result);
}

/* What is no transaction is one of a single part, and its order counts. */
Test(rows_txn, single_operations_take_part)
{
    static const uint64_t old[] = {0};
    struct sim_history_row rows[] = {txn(5, 0, 10, 20, 0),
                                     txn(6, 0, 30, 40, sim_txn_pack(0, READ_LIST, 1))};
    rows[0].operation = (struct sim_operation){.function = SIM_APPEND, .key = 1, .value = 7};
    rows[1].words = old;
    rows[1].word_count = 1;
    expect(rows, 2, SIM_VIOLATED,
           "T0 was over before T1 began; T1 read key 1 without the 7 that T0 appended");
    rows[0].return_event = rows[1].invoke_event + 1; /* Both were open for a moment. */
    expect(rows, 2, SIM_HOLDS, "");
    rows[0].outcome = SIM_OUTCOME_INFO;
    rows[0].return_ns = SIM_NEVER;
    rows[0].return_event = 0;
    expect(rows, 2, SIM_HOLDS, "");
}

/* It read what it expected: two that replaced the same value are one too many. */
Test(rows_txn, a_compare_and_set_reads_and_writes)
{
    struct sim_history_row rows[] = {txn(5, 0, 10, 40, 0), txn(6, 0, 20, 30, 0)};
    for (size_t i = 0; i < 2; i++) {
        rows[i].operation = (struct sim_operation){.client = 5 + (uint32_t)i,
                                                   .function = SIM_CAS,
                                                   .key = 1,
                                                   .value = 7 + i,
                                                   .expected = 0};
    }
    struct sim_rows_result result = judge(rows, 2);
    cr_expect_eq(result.verdict, SIM_VIOLATED, "%s", result.detail);
    sim_rows_result_release(&result);
    rows[1].operation.expected = 7;
    expect(rows, 2, SIM_HOLDS, "");
    rows[0].outcome = SIM_OUTCOME_FAIL;
    expect(rows, 2, SIM_VIOLATED, "T1 read 7 of key 1, which T0 wrote and then failed");
}

Test(rows_txn, without_a_read_nothing_was_tested)
{
    const struct sim_history_row rows[] = {txn(5, 7, 10, 20, sim_txn_pack(0, WRITE, 1))};
    expect(rows, 1, SIM_VACUOUS, "");
    expect(rows, 0, SIM_VACUOUS, "");
}

Test(rows_txn, little_memory_means_unknown)
{
    static const uint64_t words[] = {1, 9};
    struct sim_history_row rows[] = {txn(5, 7, 10, 20, sim_txn_pack(0, APPEND, 1)),
                                     txn(6, 0, 30, 40, sim_txn_pack(0, READ_LIST, 1))};
    rows[1].words = words;
    rows[1].word_count = 2;
    expect_unknown_with_little_memory("strict-serializable", rows, 2);
}

/* ---- A run ----------------------------------------------------------------------------------- */

/* A transaction in the second half that first read a list of two elements or more: its place. */
static size_t some_reader(const struct sim_history_row *rows, size_t count)
{
    for (size_t i = count / 2; i < count; i++) {
        uint32_t length;
        struct sim_part part;
        const bool list = sim_operation_part(&rows[i].operation, 0, &part) &&
                          part.function == SIM_READ_LIST && sim_history_read(&rows[i], 0, &length);
        if (list && length > 1) {
            return i;
        }
    }
    return count;
}

/* Lists, registers and transactions over both, with lost messages, a leader cut off and another
 * crashed. Then one list, read as if its last two elements had come in the other order. */
Test(rows_txn, a_run_holds_and_a_lie_in_it_does_not, .timeout = 60)
{
    static struct scenario s;
    must_load(&s, "scenarios/raft/transactions_over_a_leader_change.json", NULL, 0);
    struct sim_arena *arena = sim_arena_new(s.plan.memory_bytes);
    cr_assert(arena);
    for (uint64_t seed = 1; seed <= 3; seed++) {
        struct sim_world *world;
        size_t count;
        sim_arena_reset(arena);
        cr_assert_eq(sim_world_new(&world, arena, &s.plan, seed, NULL), SIM_OK);
        (void)sim_world_run(world, SIM_NEVER);
        const struct sim_history_row *rows = sim_world_history(world, &count);
        struct sim_rows_result result = judge(rows, count);
        cr_expect_eq(result.verdict, SIM_HOLDS, "seed %" PRIu64 ": %s", seed, result.detail);
        cr_expect_gt(result.exercised, 300, "seed %" PRIu64, seed);
        sim_rows_result_release(&result);

        struct sim_history_row *lie = malloc(count * sizeof *lie);
        cr_assert(lie);
        memcpy(lie, rows, count * sizeof *lie);
        const size_t reader = some_reader(rows, count);
        cr_assert_lt(reader, count, "seed %" PRIu64, seed);
        uint32_t length;
        const uint64_t *seen = sim_history_read(&lie[reader], 0, &length);
        uint64_t *items = (uint64_t *)(uintptr_t)seen; /* In the arena, to be thrown away. */
        const uint64_t last = items[length - 1];
        items[length - 1] = items[length - 2];
        items[length - 2] = last;
        result = judge(lie, count);
        cr_expect_eq(result.verdict, SIM_VIOLATED, "seed %" PRIu64 ": %" PRIu32 " %s", seed,
                     result.verdict, result.detail);
        sim_rows_result_release(&result);
        free(lie);
    }
    sim_arena_free(arena);
    scenario_release(&s);
}
