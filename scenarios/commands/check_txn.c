/* Histories of transactions. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reports/formats/jepsen_txn.h"
#include "scenarios/commands/check.h"

static bool show_witness(const struct jepsen_txns *txns, struct check_answer *answer)
{
    const uint32_t count = answer->result.witness_count;
    answer->lines = calloc((size_t)count + 1, sizeof *answer->lines);
    for (uint32_t i = 0; answer->lines && i < count; i++) {
        const uint32_t txn = answer->result.witness[i];
        struct check_line *line = &answer->lines[i];
        line->line = txns->lines[txn].invoke;
        line->return_line = txns->lines[txn].ret;
        sim_txn_words(&txns->history, txn, line->text, sizeof line->text);
    }
    return answer->lines != NULL;
}

bool check_txn(const struct check_file *file, struct check_answer *answer, enum sim_status *status)
{
    static struct jepsen_txns txns; /* The history within refers to it. */
    const uint32_t model =
        file->model ? sim_txn_model_find(file->model) : (uint32_t)SIM_TXN_STRICT_SERIALIZABLE;
    const bool asked = file->type && strcmp(file->type, "txn") == 0;
    if (file->format != HISTORY_EDN || file->initial || (file->type && !asked) ||
        model == SIM_TXN_MODEL_COUNT ||
        (!asked && jepsen_recognise(file->bytes, file->size_bytes) != JEPSEN_TXN)) {
        return false;
    }
    answer->type = "txn";
    answer->model = sim_txn_model_name(model);
    *status = jepsen_txns_read(&txns, file->bytes, file->size_bytes, file->budget.memory_bytes,
                               &answer->problem);
    if (*status == SIM_OK) {
        struct sim_txn_witness witness;
        sim_txn_check(&txns.history, model, &file->budget, &answer->result, &witness);
        sim_txn_witness_release(&witness);
        *status = show_witness(&txns, answer) ? SIM_OK : SIM_ENOMEM;
    }
    jepsen_txns_release(&txns);
    return true;
}
