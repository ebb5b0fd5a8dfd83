/* The checker of transactions: each anomaly in the smallest history that has it, beside one that
 * lacks only that. */
#include <criterion/criterion.h>
#include <inttypes.h>

#include "sim/check/check.h"
#include "tests/txns.h"

static const struct sim_budget budget = {.steps = 1000000, .memory_bytes = 1 << 24};

struct found {
    struct sim_consistency_result result;
    struct sim_txn_witness witness;
};

static struct found check(const struct sim_txn_history *h, uint32_t model,
                          const struct sim_budget *allowed)
{
    struct found found;
    sim_txn_check(h, model, allowed, &found.result, &found.witness);
    return found;
}

static void release(struct found *found)
{
    sim_consistency_result_release(&found->result);
    sim_txn_witness_release(&found->witness);
}

static bool has(const struct sim_consistency_result *result, uint32_t anomaly)
{
    for (uint32_t i = 0; i < result->anomaly_count; i++) {
        if (strcmp(result->anomalies[i], sim_txn_anomaly_names[anomaly]) == 0) {
            return true;
        }
    }
    return false;
}

/* ---- One by one ------------------------------------------------------------------------------ */

#define LINES_MAX 8

struct row {
    uint32_t anomaly;
    uint32_t weakest;  /* A model that forbids it, */
    uint32_t tolerant; /* and one that does not; SIM_TXN_MODEL_COUNT: all do. */
    enum sim_txn_object object;
    const char *rejected[LINES_MAX];
    const char *accepted[LINES_MAX]; /* Strictly serializable. */
};

static const struct row rows[] = {
    {SIM_TXN_DUPLICATE_ELEMENTS,
     SIM_TXN_READ_UNCOMMITTED,
     SIM_TXN_MODEL_COUNT,
     SIM_TXN_LIST,
     {"0 0-1 ok a1:5", "1 2-3 ok r1:5,5"},
     {"0 0-1 ok a1:5", "1 2-3 ok r1:5"}},
    {SIM_TXN_CYCLIC_VERSIONS,
     SIM_TXN_READ_UNCOMMITTED,
     SIM_TXN_MODEL_COUNT,
     SIM_TXN_REGISTER,
     {"0 0-3 ok r1:2 w1:1", "1 1-2 ok r1:1 w1:2"},
     {"0 0-1 ok r1: w1:1", "1 2-3 ok r1:1 w1:2"}},
    {SIM_TXN_INCOMPATIBLE_ORDER,
     SIM_TXN_READ_COMMITTED,
     SIM_TXN_READ_UNCOMMITTED,
     SIM_TXN_LIST,
     {"0 0-5 ok a1:1", "1 1-6 ok a1:2", "2 2-7 ok r1:1", "3 3-8 ok r1:2"},
     {"0 0-5 ok a1:1", "1 1-6 ok a1:2", "2 2-7 ok r1:2", "3 3-8 ok r1:2,1"}},
    {SIM_TXN_GARBAGE_READ,
     SIM_TXN_READ_COMMITTED,
     SIM_TXN_READ_UNCOMMITTED,
     SIM_TXN_LIST,
     {"0 0-1 ok a1:1", "1 2-3 ok r1:1,2"},
     {"0 0-1 ok a1:1", "1 2-3 ok r1:1,2", "2 0-9 open a1:2"}},
    {SIM_TXN_REORDERED,
     SIM_TXN_READ_COMMITTED,
     SIM_TXN_READ_UNCOMMITTED,
     SIM_TXN_LIST,
     {"0 0-1 ok a1:1 a1:2", "1 2-3 ok r1:2,1"},
     {"0 0-1 ok a1:1 a1:2", "1 2-3 ok r1:1,2"}},
    {SIM_TXN_INTERNAL,
     SIM_TXN_READ_ATOMIC,
     SIM_TXN_READ_COMMITTED,
     SIM_TXN_LIST,
     {"0 0-1 ok a1:1 r1:"},
     {"0 0-1 ok a1:1 r1:1 a1:2 r1:1,2"}},
    {SIM_TXN_INTERNAL,
     SIM_TXN_READ_ATOMIC,
     SIM_TXN_READ_COMMITTED,
     SIM_TXN_REGISTER,
     {"0 0-1 ok w1:1", "1 2-3 ok r1:1 r1:"},
     {"0 0-1 ok w1:1", "1 2-3 ok r1:1 r? r1:1 w1:2 r1:2"}},
    {SIM_TXN_FUTURE_READ,
     SIM_TXN_READ_COMMITTED,
     SIM_TXN_READ_UNCOMMITTED,
     SIM_TXN_LIST,
     {"0 0-1 ok r1:7 a1:7"},
     {"0 0-1 ok a1:7 r1:7"}},
    {SIM_TXN_FUTURE_READ,
     SIM_TXN_READ_COMMITTED,
     SIM_TXN_READ_UNCOMMITTED,
     SIM_TXN_REGISTER,
     {"0 0-1 ok r1:7 w1:7"},
     {"0 0-1 ok w1:7 r1:7"}},
    {SIM_TXN_G1A,
     SIM_TXN_READ_COMMITTED,
     SIM_TXN_READ_UNCOMMITTED,
     SIM_TXN_LIST,
     {"0 0-3 fail a1:1", "1 1-2 ok r1:1"},
     {"0 0-3 info a1:1", "1 1-2 ok r1:1"}},
    {SIM_TXN_G1A,
     SIM_TXN_READ_COMMITTED,
     SIM_TXN_READ_UNCOMMITTED,
     SIM_TXN_REGISTER,
     {"0 0-3 fail w1:1", "1 1-2 ok r1:1"},
     {"0 0-3 fail w1:1", "1 1-2 ok r1:"}},
    {SIM_TXN_G1B,
     SIM_TXN_READ_COMMITTED,
     SIM_TXN_READ_UNCOMMITTED,
     SIM_TXN_LIST,
     {"0 0-3 ok a1:1 a1:2", "1 1-2 ok r1:1"},
     {"0 0-3 ok a1:1 a1:2", "1 1-2 ok r1:1,2"}},
    {SIM_TXN_G1B,
     SIM_TXN_READ_COMMITTED,
     SIM_TXN_READ_UNCOMMITTED,
     SIM_TXN_REGISTER,
     {"0 0-3 ok w1:1 w1:2", "1 1-2 ok r1:1"},
     {"0 0-3 ok w1:1 r1:1 w1:2", "1 1-2 ok r1:2"}},
    {SIM_TXN_DIRTY_UPDATE,
     SIM_TXN_READ_COMMITTED,
     SIM_TXN_READ_UNCOMMITTED,
     SIM_TXN_LIST,
     {"0 0-3 fail a1:1", "1 1-4 ok a1:2", "2 2-5 ok r1:1,2"},
     {"0 0-3 info a1:1", "1 1-4 ok a1:2", "2 2-5 ok r1:1,2"}},
    {SIM_TXN_LOST_UPDATE,
     SIM_TXN_UPDATE_ATOMIC,
     SIM_TXN_CAUSAL_CERONE,
     SIM_TXN_LIST,
     {"0 0-1 ok a1:1", "1 2-5 ok r1:1 a1:2", "2 3-4 ok r1:1 a1:3"},
     {"0 0-1 ok a1:1", "1 2-5 ok r1:1 a1:2", "2 3-4 ok r1:1,2 a1:3"}},
    {SIM_TXN_LOST_UPDATE,
     SIM_TXN_CURSOR_STABILITY,
     SIM_TXN_READ_COMMITTED,
     SIM_TXN_REGISTER,
     {"0 0-1 ok w1:1", "1 2-5 ok r1:1 w1:2", "2 3-4 ok r1:1 w1:3"},
     {"0 0-1 ok w1:1", "1 2-5 ok r1:1 w1:2", "2 3-4 fail r1:1 w1:3"}},
    {SIM_TXN_G0,
     SIM_TXN_READ_UNCOMMITTED,
     SIM_TXN_MODEL_COUNT,
     SIM_TXN_LIST,
     {"0 0-3 ok a1:1 a2:1", "1 1-4 ok a1:2 a2:2", "2 2-5 ok r1:1,2 r2:2,1"},
     {"0 0-3 ok a1:1 a2:1", "1 1-4 ok a1:2 a2:2", "2 2-5 ok r1:1,2 r2:1,2"}},
    {SIM_TXN_G1C,
     SIM_TXN_READ_COMMITTED,
     SIM_TXN_READ_UNCOMMITTED,
     SIM_TXN_LIST,
     {"0 0-3 ok a1:1 r2:1", "1 1-2 ok a2:1 r1:1"},
     {"0 0-3 ok a1:1 r2:", "1 1-2 ok a2:1 r1:1"}},
    {SIM_TXN_G1C,
     SIM_TXN_READ_COMMITTED,
     SIM_TXN_READ_UNCOMMITTED,
     SIM_TXN_REGISTER,
     {"0 0-3 ok w1:1 r2:1", "1 1-2 ok w2:1 r1:1"},
     {"0 0-3 ok w1:1 r2:", "1 1-2 ok w2:1 r1:1"}},
    {SIM_TXN_G_SINGLE,
     SIM_TXN_CONSISTENT_VIEW,
     SIM_TXN_CURSOR_STABILITY,
     SIM_TXN_LIST,
     {"0 0-3 ok a1:1 a2:1", "1 1-2 ok r1:1 r2:"},
     {"0 0-3 ok a1:1 a2:1", "1 1-2 ok r1:1 r2:1"}},
    {SIM_TXN_G_SINGLE,
     SIM_TXN_CONSISTENT_VIEW,
     SIM_TXN_CURSOR_STABILITY,
     SIM_TXN_REGISTER,
     {"0 0-3 ok w1:1 w2:1", "1 1-2 ok r1:1 r2:"},
     {"0 0-3 ok w1:1 w2:1", "1 1-2 ok r1:1 r2:1"}},
    {SIM_TXN_G_NONADJACENT, /* The long fork. */
     SIM_TXN_SNAPSHOT_ISOLATION,
     SIM_TXN_UPDATE_SERIALIZABLE,
     SIM_TXN_LIST,
     {"0 0-7 ok a1:1", "1 1-6 ok a2:1", "2 2-5 ok r1:1 r2:", "3 3-4 ok r1: r2:1"},
     {"0 0-7 ok a1:1", "1 1-6 ok a2:1", "2 2-5 ok r1:1 r2:", "3 3-4 ok r1: r2:"}},
    {SIM_TXN_G2, /* Write skew. */
     SIM_TXN_REPEATABLE_READ,
     SIM_TXN_SNAPSHOT_ISOLATION,
     SIM_TXN_LIST,
     {"0 0-3 ok r1: a2:1", "1 1-2 ok r2: a1:1"},
     {"0 0-3 ok r1: a2:1", "1 1-2 ok r2:1 a1:1"}},
    {SIM_TXN_G2,
     SIM_TXN_SERIALIZABLE,
     SIM_TXN_SNAPSHOT_ISOLATION,
     SIM_TXN_REGISTER,
     {"0 0-3 ok r1: w2:1", "1 1-2 ok r2: w1:1"},
     {"0 0-3 ok r1: w2:1", "1 1-2 ok r2:1 w1:1"}},
    {SIM_TXN_G0_PROCESS,
     SIM_TXN_STRONG_SESSION_READ_UNCOMMITTED,
     SIM_TXN_SERIALIZABLE,
     SIM_TXN_LIST,
     {"0 0-1 ok a1:1", "0 2-3 ok a1:2", "1 4-5 ok r1:2,1"},
     {"0 0-2 ok a1:1", "2 1-3 ok a1:2", "1 4-5 ok r1:2,1"}},
    {SIM_TXN_G1C_PROCESS,
     SIM_TXN_STRONG_SESSION_READ_COMMITTED,
     SIM_TXN_SERIALIZABLE,
     SIM_TXN_LIST,
     {"0 0-1 ok r1:1", "0 2-3 ok a1:1"},
     {"0 0-2 ok r1:1", "1 1-3 ok a1:1"}},
    {SIM_TXN_G_SINGLE_PROCESS,
     SIM_TXN_STRONG_SESSION_SNAPSHOT_ISOLATION,
     SIM_TXN_SERIALIZABLE,
     SIM_TXN_LIST,
     {"0 0-1 ok a1:1", "0 2-3 ok r1:"},
     {"0 0-2 ok a1:1", "1 1-3 ok r1:"}},
    {SIM_TXN_G_NONADJACENT_PROCESS,
     SIM_TXN_STRONG_SESSION_SNAPSHOT_ISOLATION,
     SIM_TXN_SERIALIZABLE,
     SIM_TXN_LIST,
     {"0 0-1 ok a1:1", "0 2-3 ok r2:", "1 0-1 ok a2:1", "1 2-3 ok r1:"},
     {"0 0-1 ok a1:1", "0 2-3 ok r2:", "1 0-2 ok a2:1", "1 4-5 ok r1:1"}},
    {SIM_TXN_G2_PROCESS,
     SIM_TXN_STRONG_SESSION_SERIALIZABLE,
     SIM_TXN_STRONG_SESSION_SNAPSHOT_ISOLATION,
     SIM_TXN_LIST,
     {"0 0-1 ok a2:1", "0 2-3 ok r1:", "1 0-5 ok r2: a1:1"},
     {"0 0-1 ok a2:1", "0 2-3 ok r1:", "1 0-5 ok r2:1 a1:1"}},
    {SIM_TXN_G0_REALTIME,
     SIM_TXN_STRONG_READ_UNCOMMITTED,
     SIM_TXN_STRONG_SESSION_SERIALIZABLE,
     SIM_TXN_LIST,
     {"0 0-1 ok a1:1", "1 2-3 ok a1:2", "2 4-5 ok r1:2,1"},
     {"0 0-2 ok a1:1", "1 1-3 ok a1:2", "2 4-5 ok r1:2,1"}},
    {SIM_TXN_G1C_REALTIME,
     SIM_TXN_STRONG_READ_COMMITTED,
     SIM_TXN_STRONG_SESSION_SERIALIZABLE,
     SIM_TXN_LIST,
     {"0 0-1 ok r1:1", "1 2-3 ok a1:1"},
     {"0 0-2 ok r1:1", "1 1-3 ok a1:1"}},
    {SIM_TXN_G_SINGLE_REALTIME,
     SIM_TXN_STRONG_SNAPSHOT_ISOLATION,
     SIM_TXN_STRONG_SESSION_SERIALIZABLE,
     SIM_TXN_LIST,
     {"0 0-1 ok a1:1", "1 2-3 ok r1:"},
     {"0 0-2 ok a1:1", "1 1-3 ok r1:"}},
    {SIM_TXN_G_NONADJACENT_REALTIME,
     SIM_TXN_STRONG_SNAPSHOT_ISOLATION,
     SIM_TXN_STRONG_SESSION_SERIALIZABLE,
     SIM_TXN_LIST,
     {"0 0-3 ok a1:1", "1 1-8 ok a2:1", "2 2-6 ok r2:1 r1:", "3 4-5 ok r2:"},
     {"0 0-3 ok a1:1", "1 1-8 ok a2:1", "2 2-6 ok r2:1 r1:", "3 4-5 ok r2:1"}},
    {SIM_TXN_G2_REALTIME,
     SIM_TXN_STRICT_SERIALIZABLE,
     SIM_TXN_STRONG_SNAPSHOT_ISOLATION,
     SIM_TXN_LIST,
     {"0 0-1 ok a2:1", "1 2-3 ok r1:", "2 0-5 ok r2: a1:1"},
     {"0 0-1 ok a2:1", "1 2-3 ok r1:", "2 0-5 ok r2:1 a1:1"}},
};
enum { ROWS = sizeof rows / sizeof rows[0] };

static size_t line_count(const char *const *lines)
{
    size_t count = 0;
    while (count < LINES_MAX && lines[count]) {
        count++;
    }
    return count;
}

Test(txn, each_anomaly_is_found_by_the_models_that_forbid_it)
{
    for (size_t i = 0; i < ROWS; i++) {
        const struct row *row = &rows[i];
        const char *name = sim_txn_anomaly_names[row->anomaly];
        struct sim_txn_history h;
        txns_read(&h, row->object, row->rejected, line_count(row->rejected));
        struct found found = check(&h, row->weakest, &budget);
        cr_expect_eq(found.result.verdict, SIM_VIOLATED, "%s is let pass", name);
        cr_expect(has(&found.result, row->anomaly), "%s is taken for %s: %s", name,
                  found.result.anomalies[0], found.result.detail);
        cr_expect_gt(found.result.witness_count, 0, "%s", name);
        cr_expect_gt(strlen(found.result.detail), 0, "%s", name);
        release(&found);
        if (row->tolerant < SIM_TXN_MODEL_COUNT) {
            found = check(&h, row->tolerant, &budget);
            cr_expect_not(has(&found.result, row->anomaly), "%s is nothing to %s", name,
                          sim_txn_model_name(row->tolerant));
            release(&found);
        }
        sim_txn_history_release(&h);
    }
}

Test(txn, what_lacks_only_the_anomaly_is_strictly_serializable)
{
    for (size_t i = 0; i < ROWS; i++) {
        const struct row *row = &rows[i];
        struct sim_txn_history h;
        txns_read(&h, row->object, row->accepted, line_count(row->accepted));
        struct found found = check(&h, SIM_TXN_STRICT_SERIALIZABLE, &budget);
        cr_expect_eq(found.result.verdict, SIM_HOLDS, "%s: %s, though %s", found.result.detail,
                     sim_txn_anomaly_names[row->anomaly], txns_text(&h));
        release(&found);
        sim_txn_history_release(&h);
    }
}

Test(txn, every_anomaly_has_a_history)
{
    uint32_t seen = 0;
    for (size_t i = 0; i < ROWS; i++) {
        seen |= UINT32_C(1) << rows[i].anomaly;
    }
    cr_expect_eq(seen, (UINT32_C(1) << SIM_TXN_ANOMALY_COUNT) - 1);
}

/* ---- What is said ---------------------------------------------------------------------------- */

Test(txn, a_cycle_is_told_edge_by_edge)
{
    static const char *const lines[] = {"0 0-1 ok a1:5", "1 2-3 ok r1:"};
    struct sim_txn_history h;
    txns_read(&h, SIM_TXN_LIST, lines, 2);
    struct found found = check(&h, SIM_TXN_STRICT_SERIALIZABLE, &budget);
    cr_expect_str_eq(found.result.detail, "T0 was over before T1 began; T1 read key 1 without the 5"
                                          " that T0 appended");
    cr_expect_eq(found.witness.anomaly, SIM_TXN_G_SINGLE_REALTIME);
    cr_expect_eq(found.witness.step_count, 2);
    cr_expect_eq(found.result.witness_count, 2);
    release(&found);
    sim_txn_history_release(&h);
}

/* A smaller cycle is hidden behind a larger one. */
Test(txn, the_smallest_cycle_is_shown)
{
    static const char *const lines[] = {"0 0-1 ok a1:1", "1 2-3 ok a1:2", "2 4-5 ok a1:3",
                                        "3 6-7 ok r1:1", "4 8-9 ok r1:1,2,3"};
    struct sim_txn_history h;
    txns_read(&h, SIM_TXN_LIST, lines, 5);
    struct found found = check(&h, SIM_TXN_STRICT_SERIALIZABLE, &budget);
    cr_expect_eq(found.witness.step_count, 3, "%s", found.result.detail);
    for (uint32_t i = 0; i < found.witness.step_count; i++) {
        const uint32_t next = (i + 1) % found.witness.step_count;
        cr_expect_eq(found.witness.steps[i].to, found.witness.steps[next].from);
    }
    release(&found);
    sim_txn_history_release(&h);
}

Test(txn, a_value_written_twice_leaves_it_unknown)
{
    static const char *const lines[] = {"0 0-1 ok a1:5", "1 2-3 ok a1:5"};
    struct sim_txn_history h;
    txns_read(&h, SIM_TXN_LIST, lines, 2);
    struct found found = check(&h, SIM_TXN_SERIALIZABLE, &budget);
    cr_expect_eq(found.result.verdict, SIM_UNKNOWN);
    cr_expect(strstr(found.result.detail, "T0 and T1 both wrote 5 to key 1"), "%s",
              found.result.detail);
    release(&found);
    sim_txn_history_release(&h);
}

/* ---- Models ---------------------------------------------------------------------------------- */

Test(txn, models_are_found_by_their_names)
{
    for (uint32_t m = 0; m < SIM_TXN_MODEL_COUNT; m++) {
        cr_expect_eq(sim_txn_model_find(sim_txn_model_name(m)), m);
    }
    cr_expect_eq(sim_txn_model_find("PL-SI"), SIM_TXN_SNAPSHOT_ISOLATION);
    cr_expect_eq(sim_txn_model_find("strong-serializable"), SIM_TXN_STRICT_SERIALIZABLE);
    cr_expect_eq(sim_txn_model_find("eventual"), SIM_TXN_MODEL_COUNT);
}

Test(txn, the_strictest_model_forbids_everything_and_what_implies_the_forbidden_is_forbidden)
{
    const uint32_t process_only = 0x1fU << SIM_TXN_G0_PROCESS;
    cr_expect_eq(sim_txn_prohibited(SIM_TXN_STRICT_SERIALIZABLE) | process_only,
                 (UINT32_C(1) << SIM_TXN_ANOMALY_COUNT) - 1);
    for (uint32_t m = 0; m < SIM_TXN_MODEL_COUNT; m++) {
        const uint32_t prohibited = sim_txn_prohibited(m);
        for (uint32_t a = 0; a < SIM_TXN_ANOMALY_COUNT; a++) {
            if (sim_txn_implied(a) & prohibited) {
                cr_expect(prohibited >> a & 1, "%s lets %s pass", sim_txn_model_name(m),
                          sim_txn_anomaly_names[a]);
            }
        }
    }
}

/* ---- Limits ---------------------------------------------------------------------------------- */

/* Whatever the budget, the answer is the right one or none. */
Test(txn, too_small_a_budget_never_gives_a_wrong_answer)
{
    for (size_t i = 0; i < ROWS; i++) {
        struct sim_txn_history h;
        txns_read(&h, rows[i].object, rows[i].rejected, line_count(rows[i].rejected));
        for (uint64_t steps = 0; steps < 120; steps++) {
            const struct sim_budget small = {.steps = steps, .memory_bytes = 1 << 20};
            struct found found = check(&h, rows[i].weakest, &small);
            cr_assert_neq(found.result.verdict, SIM_HOLDS, "%s, %" PRIu64 " steps",
                          sim_txn_anomaly_names[rows[i].anomaly], steps);
            cr_assert_leq(found.result.steps, steps);
            release(&found);
        }
        for (size_t memory = 0; memory < 3000; memory += 7) {
            const struct sim_budget small = {.steps = 10000, .memory_bytes = memory};
            struct found found = check(&h, rows[i].weakest, &small);
            cr_assert_neq(found.result.verdict, SIM_HOLDS, "%s, %zu bytes",
                          sim_txn_anomaly_names[rows[i].anomaly], memory);
            release(&found);
        }
        sim_txn_history_release(&h);
    }
}

/* Transaction i appends to keys i and i + 1, and each key shows its second append first: one
 * cycle through all of them. Nothing here may recurse. */
Test(txn, a_cycle_of_a_hundred_thousand_is_found, .timeout = 60)
{
    enum { COUNT = 100000 };
    struct sim_txn_history h;
    uint32_t txn;
    sim_txn_history_init(&h, SIM_TXN_LIST, 1 << 28);
    for (uint64_t i = 0; i < COUNT; i++) {
        cr_assert_eq(sim_txn_invoke(&h, i, &txn), SIM_OK);
    }
    for (uint32_t i = 0; i < COUNT; i++) {
        sim_txn_return(&h, i, SIM_TXN_OK);
        cr_assert_eq(sim_txn_write(&h, i, 1), SIM_OK);
        cr_assert_eq(sim_txn_write(&h, (i + 1) % COUNT, 2), SIM_OK);
    }
    cr_assert_eq(sim_txn_invoke(&h, 0, &txn), SIM_OK);
    sim_txn_return(&h, txn, SIM_TXN_OK);
    for (uint64_t i = 0; i < COUNT; i++) {
        cr_assert_eq(sim_txn_read_list(&h, i, (const uint64_t[]){2, 1}, 2), SIM_OK);
    }
    const struct sim_budget large = {.steps = 100000000, .memory_bytes = 1 << 28};
    struct found found = check(&h, SIM_TXN_READ_UNCOMMITTED, &large);
    cr_expect_eq(found.result.verdict, SIM_VIOLATED, "%s", found.result.detail);
    cr_expect_eq(found.witness.step_count, COUNT);
    release(&found);
    sim_txn_history_release(&h);
}
