/* The verdict on a history of logs, from what the other files find. */
#include "sim/consistency/log_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

const char *const sim_log_error_names[SIM_LOG_ERROR_COUNT] = {
    [SIM_LOG_INCONSISTENT_OFFSETS] = "inconsistent-offsets",
    [SIM_LOG_DUPLICATE] = "duplicate",
    [SIM_LOG_LOST_WRITE] = "lost-write",
    [SIM_LOG_GARBAGE_READ] = "garbage-read",
    [SIM_LOG_G1A] = "G1a",
    [SIM_LOG_PRECOMMITTED_READ] = "precommitted-read",
    [SIM_LOG_INT_NONMONOTONIC_SEND] = "int-nonmonotonic-send",
    [SIM_LOG_NONMONOTONIC_SEND] = "nonmonotonic-send",
    [SIM_LOG_INT_NONMONOTONIC_POLL] = "int-nonmonotonic-poll",
    [SIM_LOG_INT_POLL_SKIP] = "int-poll-skip",
    [SIM_LOG_NONMONOTONIC_POLL] = "nonmonotonic-poll",
    [SIM_LOG_POLL_SKIP] = "poll-skip",
    [SIM_LOG_UNSEEN] = "unseen",
    [SIM_LOG_G1C] = "G1c",
    [SIM_LOG_G1C_REALTIME] = "G1c-realtime",
    [SIM_LOG_PL_2] = "PL-2-cycle-exists",
    [SIM_LOG_STRONG_PL_2] = "strong-PL-2-cycle-exists",
    [SIM_LOG_INT_SEND_SKIP] = "int-send-skip",
    [SIM_LOG_G0] = "G0",
    [SIM_LOG_G0_REALTIME] = "G0-realtime",
    [SIM_LOG_PL_1] = "PL-1-cycle-exists",
    [SIM_LOG_STRONG_PL_1] = "strong-PL-1-cycle-exists",
};

bool sim_log_forbids(const struct sim_log *log, const struct sim_log_options *options,
                     enum sim_log_error error)
{
    switch (error) {
    case SIM_LOG_INT_SEND_SKIP:
    case SIM_LOG_G0:
    case SIM_LOG_G0_REALTIME:
    case SIM_LOG_PL_1:
    case SIM_LOG_STRONG_PL_1:
        return false;
    case SIM_LOG_G1C:
    case SIM_LOG_G1C_REALTIME:
    case SIM_LOG_PL_2:
    case SIM_LOG_STRONG_PL_2:
        return !options->ww_deps;
    case SIM_LOG_POLL_SKIP:
    case SIM_LOG_NONMONOTONIC_POLL:
        return !log->subscribed;
    default:
        return true;
    }
}

static bool is_cycle(uint32_t error)
{
    return error >= SIM_LOG_G1C && error <= SIM_LOG_STRONG_PL_2;
}

static void keep_witness(const struct log_search *s, uint32_t error,
                         struct sim_consistency_result *result)
{
    const struct sim_txn_witness *cycle = &s->cycles.cycle;
    const uint32_t *pair = s->cases[error].txns;
    const uint32_t count = is_cycle(error) ? cycle->step_count : 2;
    uint32_t *txns = malloc(((size_t)count + 1) * sizeof *txns);
    uint32_t used = 0;
    for (uint32_t i = 0; txns && i < count; i++) {
        const uint32_t txn = is_cycle(error) ? cycle->steps[i].from : pair[i];
        const bool again = !is_cycle(error) && i == 1 && pair[0] == txn;
        if (txn != SIM_TXN_NONE && !again) {
            txns[used++] = txn;
        }
    }
    if (txns) {
        (void)sim_consistency_witness(result, txns, used); /* Without memory there is none. */
    }
    free(txns);
}

static void release(struct log_search *s)
{
    const struct sim_txn_history *h = s->h;
    struct sim_scratch *scratch = &s->cycles.scratch;
    sim_scratch_release(scratch, s->messages, h->element_count, sizeof *s->messages);
    sim_scratch_release(scratch, s->committed, h->txn_count, sizeof *s->committed);
    sim_scratch_release(scratch, s->starts, (size_t)h->key_count + 1, sizeof *s->starts);
    sim_scratch_release(scratch, s->standing, h->operation_count, sizeof *s->standing);
    txn_graph_release(&s->cycles, &s->cycles.graph);
    free(s->cycles.cycle.steps);
}

/* The first of the errors that count, which is the worst, if there is one. */
static void tell(const struct log_search *s, bool whole, struct sim_consistency_result *result)
{
    uint32_t worst = SIM_LOG_ERROR_COUNT;
    for (uint32_t e = SIM_LOG_ERROR_COUNT; e-- > 0;) {
        if (s->counts[e] > 0) {
            sim_consistency_anomalies(result, sim_log_error_names[e], s->counts[e]);
            worst = sim_log_forbids(s->log, s->options, (enum sim_log_error)e) ? e : worst;
        }
    }
    result->steps = s->cycles.steps;
    if (worst < SIM_LOG_ERROR_COUNT) {
        result->verdict = SIM_VIOLATED;
        keep_witness(s, worst, result);
        log_case_words(s, (enum sim_log_error)worst, result->detail, sizeof result->detail);
        return;
    }
    result->verdict = whole ? SIM_HOLDS : SIM_UNKNOWN;
    if (!whole) {
        (void)snprintf(result->detail, sizeof result->detail, "%s after %" PRIu64 " steps",
                       s->cycles.exhausted ? "the budget is spent"
                                           : "the memory allowed is used up",
                       result->steps);
    }
}

void sim_log_check(const struct sim_log *log, const struct sim_log_options *options,
                   const struct sim_budget *budget, struct sim_log_result *result)
{
    const struct sim_txn_history *h = log->history;
    struct log_search s = {.log = log, .h = h, .options = options};
    s.cycles = (struct txn_search){.history = h,
                                   .scratch = {.limit_bytes = budget->memory_bytes},
                                   .steps_max = budget->steps,
                                   .cycle = {.anomaly = SIM_TXN_ANOMALY_COUNT}};
    if (!options->ww_deps) { /* Cycles to be shown, a smallest one. */
        s.cycles.wanted = UINT32_C(1) << SIM_TXN_G1C | UINT32_C(1) << SIM_TXN_G1C_REALTIME;
    }
    *result = (struct sim_log_result){.result = {.operations = h->txn_count}};
    if (txn_tell_twice(h, &result->result)) {
        return;
    }
    const bool whole = log_find_order(&s) && log_find_within(&s) && log_find_processes(&s) &&
                       log_find_lost(&s) && log_find_cycles(&s) && !s.cycles.scratch.exhausted;
    memcpy(result->counts, s.counts, sizeof result->counts);
    tell(&s, whole, &result->result);
    release(&s);
}
