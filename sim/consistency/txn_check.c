/* The verdict on a history of transactions, from what the other files find. */
#include "sim/consistency/txn_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* The order that the model's anomalies are about, beside the data. */
static uint32_t extra_order(uint32_t wanted)
{
    const uint32_t realtime = UINT32_MAX << SIM_TXN_G0_REALTIME;
    const uint32_t process = UINT32_MAX << SIM_TXN_G0_PROCESS;
    return wanted & realtime ? SIM_TXN_REALTIME : wanted & process ? SIM_TXN_PROCESS : SIM_TXN_WW;
}

static void release(struct txn_search *s)
{
    const struct sim_txn_history *h = s->history;
    struct sim_scratch *scratch = &s->scratch;
    sim_scratch_release(scratch, s->orders, h->key_count, sizeof *s->orders);
    sim_scratch_release(scratch, s->distinct, h->element_count, sizeof *s->distinct);
    sim_scratch_release(scratch, s->places, h->element_count, sizeof *s->places);
    sim_scratch_release(scratch, s->parents, h->element_count, sizeof *s->parents);
    sim_scratch_release(scratch, s->reader_starts, (size_t)s->reader_slots + 1,
                        sizeof *s->reader_starts);
    sim_scratch_release(scratch, s->readers, h->operation_count, sizeof *s->readers);
    txn_graph_release(s, &s->graph);
}

static void keep_witness(const struct txn_search *s, struct sim_consistency_result *result,
                         struct sim_txn_witness *witness)
{
    *witness = s->local.anomaly < SIM_TXN_ANOMALY_COUNT ? s->local : s->cycle;
    if (witness->steps != s->cycle.steps) {
        free(s->cycle.steps);
    }
    const uint32_t count = witness->step_count;
    if (witness->anomaly == SIM_TXN_ANOMALY_COUNT) {
        return;
    }
    uint64_t *sorted = malloc(2 * ((size_t)count + 2) * sizeof *sorted);
    if (!sorted) {
        return;
    }
    uint32_t used = 0;
    for (uint32_t i = 0; i < count; i++) {
        sorted[used++] = witness->steps[i].from;
    }
    for (uint32_t i = 0; count == 0 && i < 2; i++) {
        const bool again = i == 1 && witness->txns[1] == witness->txns[0];
        if (witness->txns[i] != SIM_TXN_NONE && !again) {
            sorted[used++] = witness->txns[i];
        }
    }
    sim_sort_u64(sorted, sorted + used, used);
    uint32_t *places = (uint32_t *)(sorted + used); /* The spare half. */
    for (uint32_t i = 0; i < used; i++) {
        places[i] = (uint32_t)sorted[i];
    }
    (void)sim_consistency_witness(result, places, used); /* Without memory there is none. */
    free(sorted);
}

static void name_anomalies(const struct txn_search *s, struct sim_consistency_result *result)
{
    for (uint32_t a = 0; a < SIM_TXN_ANOMALY_COUNT; a++) {
        if (s->found & s->wanted & UINT32_C(1) << a) {
            sim_consistency_anomaly(result, sim_txn_anomaly_names[a]);
        }
    }
}

void sim_txn_check(const struct sim_txn_history *h, uint32_t model, const struct sim_budget *budget,
                   struct sim_consistency_result *result, struct sim_txn_witness *witness)
{
    const struct sim_txn_witness none = {.anomaly = SIM_TXN_ANOMALY_COUNT,
                                         .txns = {SIM_TXN_NONE, SIM_TXN_NONE},
                                         .key = SIM_TXN_NONE,
                                         .element = SIM_TXN_NONE};
    struct txn_search s = {.history = h,
                           .scratch = {.limit_bytes = budget->memory_bytes},
                           .steps_max = budget->steps,
                           .wanted = sim_txn_prohibited(model),
                           .local = none,
                           .cycle = none};
    memset(result, 0, sizeof *result);
    *witness = none;
    result->operations = h->txn_count;
    if (txn_tell_twice(h, result)) {
        return;
    }
    const uint32_t extra = extra_order(s.wanted);
    const bool whole = txn_find_versions(&s) && txn_find_local(&s) &&
                       txn_build_graph(&s, txn_data_edges, NULL, extra) &&
                       txn_find_cycles(&s, extra) && !s.scratch.exhausted;
    result->steps = s.steps;
    name_anomalies(&s, result);
    keep_witness(&s, result, witness);
    if (s.found & s.wanted) {
        result->verdict = SIM_VIOLATED;
        sim_txn_witness_words(h, witness, result->detail, sizeof result->detail);
    } else {
        result->verdict = whole ? SIM_HOLDS : SIM_UNKNOWN;
        if (!whole) {
            (void)snprintf(result->detail, sizeof result->detail, "%s after %" PRIu64 " steps",
                           s.exhausted ? "the budget is spent" : "the memory allowed is used up",
                           s.steps);
        }
    }
    release(&s);
}
