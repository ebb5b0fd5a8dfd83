/* The checker of logs: each error in the smallest history that has it, beside one that lacks only
 * that. */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/consistency/log.h"

static const struct sim_budget budget = {.steps = 1000000, .memory_bytes = 1 << 24};

static struct sim_txn_history txns;
static struct sim_log history;

enum { PROCESSES = 10 };
static uint32_t open_txns[PROCESSES];

/* "s0:7@5" sends 7 to key 0, to offset 5; "p0:7@5" polls it from there; without "@5" the offset is
 * not known; "k0" names key 0. */
static void add_operation(const char *text)
{
    char *at;
    const uint64_t key = strtoull(text + 1, &at, 10);
    const uint64_t value = *at == ':' ? strtoull(at + 1, &at, 10) : 0;
    const int64_t offset = *at == '@' ? strtoll(at + 1, &at, 10) : SIM_LOG_NO_OFFSET;
    const enum sim_status status = *text == 's'   ? sim_log_send(&history, key, value, offset)
                                   : *text == 'p' ? sim_log_poll(&history, key, value, offset)
                                                  : sim_log_name(&history, key);
    cr_assert_eq(status, SIM_OK);
}

static void finish(uint32_t txn, const char *outcome, const char *operations)
{
    static const char *const outcomes[] = {"open", "ok", "fail", "info"};
    enum sim_log_kind kind = SIM_LOG_DATA;
    uint32_t out = SIM_TXN_OK;
    if (strcmp(outcome, "assign") == 0) {
        kind = SIM_LOG_ASSIGN;
    } else if (strcmp(outcome, "subscribe") == 0) {
        kind = SIM_LOG_SUBSCRIBE;
    } else {
        for (out = 0; strcmp(outcomes[out], outcome) != 0; out++) {
            cr_assert_lt(out, 3, "no outcome %s", outcome);
        }
    }
    sim_txn_return(&txns, txn, (enum sim_txn_outcome)out);
    cr_assert_eq(sim_log_begin(&history, txn, kind), SIM_OK);
    for (const char *at = operations; *at; at += strcspn(at, " ")) {
        at += strspn(at, " ");
        if (*at) {
            add_operation(at);
        }
    }
}

/* "3 begins" and later "3 ok s0:7@5"; what did not begin before begins and ends at once. Outcomes
 * are ok, fail, info, open, and for what is ok: assign and subscribe. */
static void add_line(const char *text)
{
    int used = 0;
    uint32_t process;
    char outcome[12];
    cr_assert_eq(sscanf(text, "%" SCNu32 " %11s%n", &process, outcome, &used), 2, "%s", text);
    cr_assert_lt(process, PROCESSES);
    if (open_txns[process] == 0) {
        uint32_t txn;
        cr_assert_eq(sim_txn_invoke(&txns, process, &txn), SIM_OK);
        open_txns[process] = txn + 1;
    }
    if (strcmp(outcome, "begins") != 0) {
        finish(open_txns[process] - 1, outcome, text + used);
        open_txns[process] = 0;
    }
}

#define LINES_MAX 8

static void read_lines(const char *const *lines, size_t memory_bytes)
{
    memset(open_txns, 0, sizeof open_txns);
    sim_txn_history_init(&txns, SIM_TXN_LOG, memory_bytes);
    sim_log_init(&history, &txns);
    for (size_t i = 0; i < LINES_MAX && lines[i]; i++) {
        add_line(lines[i]);
    }
}

static void release(void)
{
    sim_log_release(&history);
    sim_txn_history_release(&txns);
}

static struct sim_log_result judge(const char *const *lines, bool ww_deps)
{
    const struct sim_log_options options = {.ww_deps = ww_deps};
    struct sim_log_result result;
    read_lines(lines, 1 << 24);
    sim_log_check(&history, &options, &budget, &result);
    return result;
}

static void forget(struct sim_log_result *result)
{
    sim_consistency_result_release(&result->result);
    release();
}

struct row {
    enum sim_log_error error;
    uint64_t count;
    const char *rejected[LINES_MAX];
    const char *accepted[LINES_MAX];
    const char *words; /* Of what is wrong; NULL: it is allowed. */
};

static const struct row rows[] = {
    {SIM_LOG_INCONSISTENT_OFFSETS,
     1,
     {"0 ok s0:1@0", "1 ok s0:2@0", "2 ok p0:1 p0:2"},
     {"0 ok s0:1@0", "1 ok s0:2@1", "2 ok p0:1 p0:2"},
     "offset 0 of key 0 holds 1, by T0, and 2, by T1"},
    {SIM_LOG_INCONSISTENT_OFFSETS, /* A failed poll was shown what is there all the same. */
     1,
     {"0 ok s0:1@0", "1 info s0:2@0", "2 fail p0:2@0", "3 ok p0:1"},
     {"0 ok s0:1@0", "1 info s0:2@0", "2 fail p0:2@1", "3 ok p0:1"},
     "offset 0 of key 0 holds 1, by T0, and 2, by T2"},
    {SIM_LOG_DUPLICATE,
     1,
     {"0 ok s0:1@0", "1 ok p0:1@0", "2 ok p0:1@3"},
     {"0 ok s0:1@0", "1 ok p0:1@0", "2 ok p0:1@0"},
     "1 stands at 2 offsets of key 0, by T0 and T2"},
    {SIM_LOG_LOST_WRITE,
     1,
     {"0 ok s0:1@0", "0 info s0:2@1", "1 ok p0:2@1"},
     {"0 info s0:1@0", "0 info s0:2@1", "1 ok p0:2@1"},
     "T0 sent 1 to key 0, and nobody polled it, though T2 polled what is after it"},
    {SIM_LOG_LOST_WRITE, /* Of unknown outcome, but another message of it was polled. */
     1,
     {"0 info s0:1@0 s1:1@0", "0 ok s0:2@1", "1 ok p0:2@1 p1:1@0"},
     {"0 info s0:1@0 s1:1@0", "0 ok s0:2@1", "1 ok p0:2@1"},
     "T0 sent 1 to key 0, and nobody polled it, though T2 polled what is after it"},
    {SIM_LOG_LOST_WRITE, /* Where it stands last counts, and what was polled where it is first. */
     2,
     {"0 ok s0:1@0", "1 ok s0:2@1", "1 ok s0:3@2", "2 fail p0:3@5", "3 ok p0:3"},
     {"0 ok s0:1@0", "1 ok s0:2@1", "2 fail p0:2@4 p0:1@5", "2 info s0:3@2", "3 ok p0:3"},
     "3 stands at 2 offsets of key 0, by T2 and T3"},
    {SIM_LOG_GARBAGE_READ,
     1,
     {"0 ok p0:1@0"},
     {"0 open s0:1", "1 ok p0:1@0"},
     "T0 polled 1 of key 0, which nobody sent"},
    {SIM_LOG_G1A,
     1,
     {"0 fail s0:1", "1 ok p0:1@0"},
     {"0 info s0:1", "1 ok p0:1@0"},
     "T1 polled 1 of key 0, which T0 sent and then failed"},
    {SIM_LOG_PRECOMMITTED_READ,
     1,
     {"0 info s0:1@0 p0:1@0"},
     {"0 info s0:1@0", "0 info p0:1@0"},
     "T0 polled 1 of key 0, which it sent itself"},
    {SIM_LOG_INT_NONMONOTONIC_SEND,
     1,
     {"0 ok s0:1@1 s0:2@0", "1 ok p0:2 p1:1", "2 ok s1:1@0", "3 ok p0:1"},
     {"0 ok s0:1@0 s0:2@1", "1 ok p0:2 p1:1", "2 ok s1:1@0", "3 ok p0:1"},
     "T0 sent 1 to key 0 and then 2, which stands before it by 1"},
    {SIM_LOG_NONMONOTONIC_SEND,
     1,
     {"0 ok s0:1@3", "0 ok s0:2@2", "1 ok p0:2@2 p0:1@3"},
     {"0 ok s0:1@3", "4 ok s0:2@2", "1 ok p0:2@2 p0:1@3"},
     "T0 sent 1 to key 0 and then T1 sent 2, which stands before it by 1"},
    {SIM_LOG_INT_NONMONOTONIC_POLL,
     2,
     {"0 ok s0:1@0 s0:2@1", "1 ok p0:1 p0:2 p0:2 p0:1"},
     {"0 ok s0:1@0 s0:2@1", "1 ok p0:1 p0:2 p0:2 p0:1 k0"},
     "T1 polled 2 of key 0 and then 2 again"},
    {SIM_LOG_INT_POLL_SKIP,
     1,
     {"0 ok s0:1@0 s0:2@1 s0:3@2", "1 ok p0:1 p0:3", "2 ok p0:2"},
     {"0 ok s0:1@0 s0:2@1 s0:3@5", "1 ok p0:1", "2 ok p0:2 p0:3"},
     "T1 polled 1 of key 0 and then 3, past 1 between them"},
    {SIM_LOG_NONMONOTONIC_POLL,
     1,
     {"0 ok s0:1@0 s0:2@1", "1 ok p0:1 p0:2", "1 ok p0:1"},
     {"0 ok s0:1@0 s0:2@1", "1 fail p0:1 p0:2", "1 ok p0:1 p0:2"},
     "T1 polled 2 of key 0 and then T2 polled 1, which stands before it by 1"},
    {SIM_LOG_POLL_SKIP,
     1,
     {"0 ok s0:1@0 s0:2@1 s0:3@2", "1 ok p0:1", "2 ok p0:2", "1 ok p0:3"},
     {"0 ok s0:1@0 s0:2@1 s0:3@2", "1 ok p0:1", "2 ok p0:2", "1 assign k1", "1 ok p0:3"},
     "T1 polled 1 of key 0 and then T3 polled 3, past 1 between them"},
    {SIM_LOG_POLL_SKIP, /* A key that it keeps, it goes on with. */
     1,
     {"0 ok s0:1@0 s0:2@1 s0:3@2", "1 ok p0:1", "2 ok p0:2", "1 assign k1 k0", "1 ok p0:3"},
     {"0 ok s0:1@0 s0:2@1 s0:3@2", "1 ok p0:1", "2 ok p0:2", "1 subscribe k1 k0", "2 ok p0:3"},
     "T1 polled 1 of key 0 and then T4 polled 3, past 1 between them"},
    {SIM_LOG_UNSEEN,
     2,
     {"0 ok s0:1 s1:2", "1 fail p0:1"},
     {"0 ok s0:1 s1:2", "1 ok p1:2 p0:1", "2 info s0:3"},
     "T0 sent 1 to key 0, and by the end nobody polled it"},
    {SIM_LOG_G1C,
     1,
     {"0 begins", "1 begins", "0 ok s0:1 p1:1", "1 ok s1:1 p0:1"},
     {"0 begins", "1 begins", "0 ok s0:1 p1:1", "1 ok s1:1", "2 ok p0:1"},
     "T1 polled the 1 of key 0 that T0 sent; T0 polled the 1 of key 1 that T1 sent"},
    {SIM_LOG_G1C_REALTIME,
     1,
     {"0 ok p0:1", "1 ok s0:1"},
     {"1 begins", "0 ok p0:1", "1 ok s0:1"},
     "T0 was over before T1 began; T0 polled the 1 of key 0 that T1 sent"},
    {SIM_LOG_INT_SEND_SKIP,
     1,
     {"0 ok s0:1@0 s0:3@2", "1 ok s0:2@1", "2 ok p0:1 p0:2 p0:3"},
     {"0 ok s0:1@0 s0:3@2", "1 info s0:2@1", "2 ok p0:1 p0:3"},
     NULL},
};

/* Every error is found, as often as it should be, and told; and only by what makes it one. */
Test(log, finds_each_error_and_only_that)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct row *row = &rows[i];
        const char *name = sim_log_error_names[row->error];
        struct sim_log_result result = judge(row->rejected, false);
        cr_expect_eq(result.counts[row->error], row->count, "row %zu, %s: %" PRIu64, i, name,
                     result.counts[row->error]);
        cr_expect_eq(result.result.verdict, row->words ? SIM_VIOLATED : SIM_HOLDS, "row %zu, %s", i,
                     name);
        cr_expect(strstr(result.result.detail, row->words ? row->words : ""), "row %zu, %s: \"%s\"",
                  i, name, result.result.detail);
        cr_expect_eq(result.result.witness_count > 0, row->words != NULL, "row %zu, %s", i, name);
        forget(&result);
        result = judge(row->accepted, false);
        cr_expect_eq(result.counts[row->error], 0, "row %zu, no %s: %s", i, name,
                     result.result.detail);
        forget(&result);
    }
}

/* A good history in which consumers keep up has none at all. */
Test(log, a_good_history_holds)
{
    static const char *const lines[LINES_MAX] = {
        "1 assign k0 k1", "0 ok s0:1@0 s1:1@4", "1 ok p0:1@0", "0 info s0:2",
        "0 fail s0:3",    "1 ok p0:2@7 p1:1@4", "2 assign k0", "2 ok p0:1@0 p0:2@7"};
    struct sim_log_result result = judge(lines, true);
    cr_expect_eq(result.result.verdict, SIM_HOLDS, "%s", result.result.detail);
    cr_expect_eq(result.result.anomaly_count, 0);
    cr_expect_eq(result.result.operations, 8);
    forget(&result);
}

/* Writes of transactions may be mixed; who looks for it sees it, and it does not count. */
Test(log, sends_are_followed_only_if_asked_for)
{
    static const char *const lines[LINES_MAX] = {"0 begins", "1 begins", "0 ok s0:1@0 s1:1@1",
                                                 "1 ok s0:2@1 s1:2@0", "2 ok p0:1 p0:2 p1:2 p1:1"};
    struct sim_log_result result = judge(lines, false);
    cr_expect_eq(result.counts[SIM_LOG_G0], 0);
    cr_expect_eq(result.counts[SIM_LOG_PL_1], 0);
    forget(&result);
    result = judge(lines, true);
    cr_expect_eq(result.counts[SIM_LOG_G0], 1);
    cr_expect_eq(result.counts[SIM_LOG_PL_1], 1);
    cr_expect_eq(result.counts[SIM_LOG_G1C], 0, "it is implied");
    cr_expect_eq(result.result.verdict, SIM_HOLDS, "%s", result.result.detail);
    forget(&result);
}

/* A consumer that is moved about may skip and repeat. */
Test(log, a_subscriber_may_be_moved)
{
    static const char *const lines[LINES_MAX] = {"1 subscribe k0", "0 ok s0:1@0 s0:2@1 s0:3@2",
                                                 "1 ok p0:1",      "2 ok p0:2",
                                                 "1 ok p0:3",      "1 ok p0:1"};
    struct sim_log_result result = judge(lines, false);
    cr_expect_eq(result.counts[SIM_LOG_POLL_SKIP], 1);
    cr_expect_eq(result.counts[SIM_LOG_NONMONOTONIC_POLL], 1);
    cr_expect_eq(result.result.verdict, SIM_HOLDS, "%s", result.result.detail);
    forget(&result);
}

/* Who sent what was polled cannot be told then. */
Test(log, a_value_sent_twice_leaves_it_unknown)
{
    static const char *const lines[LINES_MAX] = {"0 ok s0:1@0", "1 ok s0:1@1"};
    struct sim_log_result result = judge(lines, false);
    cr_expect_eq(result.result.verdict, SIM_UNKNOWN);
    cr_expect(strstr(result.result.detail, "T0 and T1 both wrote 1 to key 0"), "%s",
              result.result.detail);
    forget(&result);
}

/* With little memory or few steps it is unknown, or what was found by then; never wrong. */
Test(log, a_small_budget_never_lies)
{
    const char *const *lines = rows[0].accepted;
    uint32_t unknown = 0;
    for (uint32_t small = 0; small < 400; small++) {
        const struct sim_budget tight = {.steps = small % 2 ? small / 2 : 100000,
                                         .memory_bytes = small % 2 ? 1 << 20 : (size_t)small * 32};
        const struct sim_log_options options = {.ww_deps = false};
        struct sim_log_result result;
        read_lines(lines, 1 << 20);
        sim_log_check(&history, &options, &tight, &result);
        cr_expect_neq(result.result.verdict, SIM_VIOLATED, "%" PRIu32, small);
        unknown += result.result.verdict == SIM_UNKNOWN;
        forget(&result);
    }
    cr_expect_gt(unknown, 20);
    cr_expect_lt(unknown, 380);
}
