/* A run's rows as transactions, each with all of its parts at once; what is not a transaction is
 * one of a single part. A compare-and-set that succeeded read what it expected and then wrote. */
#include "sim/consistency/rows_internal.h"

#include <inttypes.h>
#include <stdio.h>

static enum sim_status add_read(struct sim_txn_history *h, const struct sim_history_row *row,
                                uint32_t place, const struct sim_part *part)
{
    uint32_t count;
    const uint64_t *words = sim_history_read(row, place, &count);
    if (!words) {
        return sim_txn_read_unknown(h, part->key);
    }
    if (part->function == SIM_READ_LIST) {
        return sim_txn_read_list(h, part->key, words, count);
    }
    return sim_txn_read(h, part->key, *words ? words : NULL);
}

static enum sim_status add_part(struct sim_txn_history *h, const struct sim_history_row *row,
                                uint32_t place, const struct sim_part *part)
{
    const bool list = part->function == SIM_READ_LIST || part->function == SIM_APPEND;
    h->object = list ? SIM_TXN_LIST : SIM_TXN_REGISTER;
    if (sim_function_reads(part->function)) {
        return add_read(h, row, place, part);
    }
    if (part->function == SIM_CAS) {
        const uint64_t *expected = &row->operation.expected;
        const enum sim_status status = sim_txn_read(h, part->key, *expected ? expected : NULL);
        if (status != SIM_OK) {
            return status;
        }
    }
    return sim_txn_write(h, part->key, part->value);
}

static enum sim_status add_parts(struct sim_txn_history *h, const struct sim_history_row *row)
{
    struct sim_part part;
    enum sim_status status = SIM_OK;
    for (uint32_t i = 0; status == SIM_OK && sim_operation_part(&row->operation, i, &part); i++) {
        status = add_part(h, row, i, &part);
    }
    return status;
}

static enum sim_status add_events(struct sim_txn_history *h, const struct sim_history_row *rows,
                                  size_t count, const struct sim_rows_order *order)
{
    static const enum sim_txn_outcome outcomes[SIM_OUTCOME_COUNT] = {
        [SIM_OUTCOME_OPEN] = SIM_TXN_INFO, /* Its session went on nevertheless. */
        [SIM_OUTCOME_OK] = SIM_TXN_OK,
        [SIM_OUTCOME_FAIL] = SIM_TXN_FAILED,
        [SIM_OUTCOME_INFO] = SIM_TXN_INFO};
    enum sim_status status = SIM_OK;
    for (size_t i = 0; status == SIM_OK && i < order->count; i++) {
        const uint32_t row = (uint32_t)(order->events[i] / 2);
        uint32_t txn;
        if (order->events[i] % 2 == 0) {
            status = sim_txn_invoke(h, rows[row].operation.client, &txn);
            assert(status != SIM_OK || txn == row);
        } else {
            sim_txn_return(h, row, outcomes[rows[row].outcome]);
            status = add_parts(h, &rows[row]);
        }
    }
    for (size_t row = 0; status == SIM_OK && row < count; row++) {
        if (h->txns[row].outcome == SIM_TXN_OPEN) { /* It never ended. */
            sim_txn_return(h, (uint32_t)row, SIM_TXN_OPEN);
            status = add_parts(h, &rows[row]);
        }
    }
    return status;
}

enum sim_status sim_txn_history_from_rows(struct sim_txn_history *history,
                                          const struct sim_rows *given)
{
    const struct sim_history_row *rows = given->rows;
    const size_t count = given->count;
    struct sim_rows_order order;
    enum sim_status status = sim_rows_order(&history->scratch, rows, count, &order);
    if (status == SIM_OK) {
        status = add_events(history, rows, count, &order);
    }
    sim_rows_order_release(&history->scratch, &order);
    return status;
}

/* Who the transactions are that the contradiction speaks of. */
static void add_witness(const struct sim_rows *rows, const struct sim_consistency_result *found,
                        char detail[SIM_DETAIL_MAX])
{
    bool fits = rows->name != NULL;
    for (uint32_t i = 0; fits && i < found->witness_count; i++) {
        const struct sim_history_row *row = &rows->rows[found->witness[i]];
        char text[64];
        (void)snprintf(text, sizeof text, "T%" PRIu32 " by %s", found->witness[i],
                       rows->name(rows->context, row->operation.client));
        fits = sim_rows_say(row, text, found->witness_count - i, detail);
    }
}

void sim_rows_judge_txns(uint32_t isolation, const struct sim_rows *rows,
                         const struct sim_budget *budget, struct sim_rows_result *result)
{
    struct sim_txn_history history;
    struct sim_txn_witness witness;
    struct sim_consistency_result found = {
        .verdict = SIM_UNKNOWN, .detail = "the history fills the memory that a check may take"};
    sim_txn_history_init(&history, SIM_TXN_LIST, budget->memory_bytes);
    if (sim_txn_history_from_rows(&history, rows) == SIM_OK) {
        for (uint32_t i = 0; i < history.operation_count; i++) {
            result->exercised += history.operations[i].action == SIM_TXN_READ;
        }
        sim_txn_check(&history, isolation, budget, &found, &witness);
        sim_txn_witness_release(&witness);
    }
    result->verdict = found.verdict;
    result->steps = found.steps;
    (void)snprintf(result->detail, sizeof result->detail, "%s", found.detail);
    add_witness(rows, &found, result->detail);
    for (uint32_t i = 0; i < found.witness_count; i++) {
        const uint64_t at_ns = rows->rows[found.witness[i]].return_ns;
        result->at_ns = at_ns != SIM_NEVER && at_ns > result->at_ns ? at_ns : result->at_ns;
    }
    result->witness = found.witness;
    result->witness_count = found.witness_count;
    found.witness = NULL;
    sim_consistency_result_release(&found);
    sim_txn_history_release(&history);
}
