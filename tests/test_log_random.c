/* Logs played at random: good ones have no error at all, and each fault that is planted is found
 * by its name. */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>

#include "sim/consistency/log.h"
#include "sim/rng.h"

enum { KEYS = 3, PROCESSES = 5, MESSAGES_MAX = 400, STEPS = 120, VALUES_FROM = 100 };
static const struct sim_budget budget = {.steps = 10000000, .memory_bytes = 64 << 20};

enum fault {
    NONE,
    LOSE,    /* A send is acknowledged and not kept. */
    DOUBLE,  /* One is kept twice. */
    ABORTED, /* What failed is kept. */
    SKIP,    /* A consumer goes on one message too far, */
    REWIND,  /* or before where it was. */
    OWN,     /* A transaction is shown what it sends. */
    CHANGE,  /* A consumer is told another value than stands there. */
    FAULTS
};

struct message {
    uint64_t value;
    int64_t offset;
};

struct key {
    struct message messages[MESSAGES_MAX];
    uint32_t count;
    int64_t next_offset;
};

struct play {
    struct sim_txn_history txns;
    struct sim_log log;
    struct sim_rng rng;
    struct key keys[KEYS];
    uint32_t positions[PROCESSES][KEYS]; /* Of consumers. */
    uint32_t open[PROCESSES];            /* A transaction, plus 1. */
    uint64_t next_value;
    enum fault fault;
    bool planted;
};

static struct play play;

static uint32_t below(uint32_t bound)
{
    return sim_rng_bounded(&play.rng, bound);
}

static void keep(uint32_t key, uint64_t value, int64_t *offset)
{
    struct key *k = &play.keys[key];
    cr_assert_lt(k->count, MESSAGES_MAX);
    k->next_offset += 1 + below(2); /* Gaps are where transactions ended. */
    *offset = k->next_offset;
    k->messages[k->count++] = (struct message){value, *offset};
}

/* Now is the time for the fault, if it is this one: the first chance in the second half. */
static bool plant(enum fault fault, bool late)
{
    const bool now = play.fault == fault && !play.planted && late;
    play.planted |= now;
    return now;
}

static void send_one(uint32_t key, enum sim_txn_outcome outcome, bool late)
{
    const uint64_t value = play.next_value++;
    int64_t offset = SIM_LOG_NO_OFFSET;
    const bool lost = outcome == SIM_TXN_OK && plant(LOSE, late);
    const bool kept =
        (outcome != SIM_TXN_FAILED && !lost) || (outcome == SIM_TXN_FAILED && plant(ABORTED, late));
    if (kept) {
        keep(key, value, &offset);
    }
    if (kept && outcome == SIM_TXN_OK && plant(DOUBLE, late)) {
        int64_t again;
        keep(key, value, &again);
    }
    const bool told = outcome == SIM_TXN_OK && below(4) > 0;
    cr_assert_eq(sim_log_send(&play.log, key, value, told ? offset : SIM_LOG_NO_OFFSET), SIM_OK);
}

static void poll_key(uint32_t process, uint32_t key, uint32_t most, bool late)
{
    const struct key *k = &play.keys[key];
    uint32_t at = play.positions[process][key];
    if (at > 0 && at + 1 < k->count && most > 0 && plant(SKIP, late)) {
        at++;
    }
    if (at > 1 && most > 0 && plant(REWIND, late)) {
        at -= 2;
    }
    for (; at < k->count && most > 0; at++, most--) {
        const bool changed = plant(CHANGE, late);
        const uint64_t value = k->messages[at].value + (changed ? 1000000 : 0);
        cr_assert_eq(sim_log_poll(&play.log, key, value, k->messages[at].offset), SIM_OK);
    }
    play.positions[process][key] = at;
}

static void finish(uint32_t process, enum sim_txn_outcome outcome, bool late)
{
    const uint32_t txn = play.open[process] - 1;
    play.open[process] = 0;
    sim_txn_return(&play.txns, txn, outcome);
    cr_assert_eq(sim_log_begin(&play.log, txn, SIM_LOG_DATA), SIM_OK);
    const uint32_t polls = below(3);
    const uint32_t sends = below(4);
    uint32_t before[KEYS];
    memcpy(before, play.positions[process], sizeof before);
    for (uint32_t i = 0; i < polls; i++) {
        const uint32_t key = below(KEYS);
        poll_key(process, key, below(5), late);
    }
    if (outcome != SIM_TXN_OK) { /* It goes on where it was. */
        memcpy(play.positions[process], before, sizeof before);
    }
    for (uint32_t i = 0; i < sends; i++) {
        const uint32_t key = below(KEYS);
        send_one(key, outcome, late);
        const struct key *k = &play.keys[key];
        if (outcome == SIM_TXN_OK && k->count && plant(OWN, late)) {
            const struct message *m = &k->messages[k->count - 1];
            cr_assert_eq(sim_log_poll(&play.log, key, m->value, m->offset), SIM_OK);
        }
    }
}

static void begin(uint32_t process)
{
    cr_assert_eq(sim_txn_invoke(&play.txns, process, &play.open[process]), SIM_OK);
    play.open[process]++;
}

/* At the end everybody reads all there is. */
static void catch_up(uint32_t process)
{
    if (play.open[process] > 0) {
        finish(process, SIM_TXN_INFO, false);
    }
    begin(process);
    sim_txn_return(&play.txns, play.open[process] - 1, SIM_TXN_OK);
    cr_assert_eq(sim_log_begin(&play.log, play.open[process] - 1, SIM_LOG_DATA), SIM_OK);
    for (uint32_t key = 0; key < KEYS; key++) {
        poll_key(process, key, MESSAGES_MAX, false);
    }
}

static struct sim_log_result run(enum fault fault, uint64_t seed)
{
    const struct sim_log_options options = {.ww_deps = false};
    struct sim_log_result result;
    memset(&play, 0, sizeof play);
    play.fault = fault;
    play.next_value = VALUES_FROM;
    sim_rng_seed(&play.rng, seed, 7);
    sim_txn_history_init(&play.txns, SIM_TXN_LOG, 64 << 20);
    sim_log_init(&play.log, &play.txns);
    for (uint32_t step = 0; step < STEPS; step++) {
        const uint32_t process = below(PROCESSES);
        if (play.open[process] == 0) {
            begin(process);
            continue;
        }
        const uint32_t luck = below(10);
        finish(process,
               luck == 0   ? SIM_TXN_INFO
               : luck == 1 ? SIM_TXN_FAILED
                           : SIM_TXN_OK,
               step > STEPS / 2);
    }
    for (uint32_t process = 0; process < PROCESSES; process++) {
        catch_up(process);
    }
    sim_log_check(&play.log, &options, &budget, &result);
    return result;
}

static void forget(struct sim_log_result *result)
{
    sim_consistency_result_release(&result->result);
    sim_log_release(&play.log);
    sim_txn_history_release(&play.txns);
}

Test(log_random, a_good_log_has_no_error, .timeout = 60)
{
    for (uint64_t seed = 0; seed < 2000; seed++) {
        struct sim_log_result result = run(NONE, seed);
        cr_assert_eq(result.result.verdict, SIM_HOLDS, "seed %" PRIu64 ": %s: %s", seed,
                     result.result.anomaly_count ? result.result.anomalies[0] : "",
                     result.result.detail);
        /* Sends of one transaction to the same key may have others between them, polls not. */
        cr_assert_leq(result.result.anomaly_count, 1, "seed %" PRIu64, seed);
        forget(&result);
    }
}

/* Which of two errors a fault shows up as depends on who polled what later. */
static const struct {
    enum sim_log_error errors[2];
} shows_as[FAULTS] = {
    [LOSE] = {{SIM_LOG_UNSEEN, SIM_LOG_UNSEEN}},
    [DOUBLE] = {{SIM_LOG_DUPLICATE, SIM_LOG_DUPLICATE}},
    [ABORTED] = {{SIM_LOG_G1A, SIM_LOG_G1A}},
    [SKIP] = {{SIM_LOG_POLL_SKIP, SIM_LOG_INT_POLL_SKIP}},
    [REWIND] = {{SIM_LOG_NONMONOTONIC_POLL, SIM_LOG_INT_NONMONOTONIC_POLL}},
    [OWN] = {{SIM_LOG_PRECOMMITTED_READ, SIM_LOG_PRECOMMITTED_READ}},
    [CHANGE] = {{SIM_LOG_GARBAGE_READ, SIM_LOG_GARBAGE_READ}},
};

Test(log_random, each_fault_is_found_by_its_name, .timeout = 60)
{
    for (uint32_t fault = LOSE; fault < FAULTS; fault++) {
        uint32_t planted = 0;
        for (uint64_t seed = 0; seed < 200; seed++) {
            struct sim_log_result result = run((enum fault)fault, seed);
            if (play.planted) {
                planted++;
                const uint64_t found = result.counts[shows_as[fault].errors[0]] +
                                       result.counts[shows_as[fault].errors[1]];
                cr_expect_gt(found, 0, "fault %" PRIu32 ", seed %" PRIu64 ": %s", fault, seed,
                             result.result.detail);
                cr_expect_eq(result.result.verdict, SIM_VIOLATED, "fault %" PRIu32, fault);
            }
            forget(&result);
        }
        cr_expect_gt(planted, 100, "fault %" PRIu32, fault);
    }
}
