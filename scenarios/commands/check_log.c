/* Histories of logs. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reports/formats/jepsen_log.h"
#include "scenarios/commands/check.h"

static const char *const models[] = {"kafka", "kafka-ww"};
enum { MODEL_COUNT = sizeof models / sizeof models[0] };

static size_t model_of(const char *name)
{
    size_t model = 0;
    while (model < MODEL_COUNT && strcmp(models[model], name) != 0) {
        model++;
    }
    return model;
}

static bool show_witness(const struct jepsen_txns *txns, const struct sim_log *log,
                         struct check_answer *answer)
{
    const uint32_t count = answer->result.witness_count;
    answer->lines = calloc((size_t)count + 1, sizeof *answer->lines);
    for (uint32_t i = 0; answer->lines && i < count; i++) {
        const uint32_t txn = answer->result.witness[i];
        struct check_line *line = &answer->lines[i];
        line->line = txns->lines[txn].invoke;
        line->return_line = txns->lines[txn].ret;
        sim_log_words(log, txn, line->text, sizeof line->text);
    }
    return answer->lines != NULL;
}

bool check_log(const struct check_file *file, struct check_answer *answer, enum sim_status *status)
{
    static struct jepsen_txns txns; /* The history within refers to it. */
    struct sim_log log;
    const size_t model = file->model ? model_of(file->model) : 0;
    const bool asked = file->type && strcmp(file->type, "log") == 0;
    if (file->format != HISTORY_EDN || (file->type && !asked) || model == MODEL_COUNT ||
        (!asked && jepsen_recognise(file->bytes, file->size_bytes) != JEPSEN_LOG)) {
        return false;
    }
    answer->type = "log";
    answer->model = models[model];
    *status = jepsen_log_read(&txns, &log, file->bytes, file->size_bytes, file->budget.memory_bytes,
                              &answer->problem);
    if (*status == SIM_OK) {
        const struct sim_log_options options = {.ww_deps = model == 1};
        struct sim_log_result result;
        sim_log_check(&log, &options, &file->budget, &result);
        answer->result = result.result;
        *status = show_witness(&txns, &log, answer) ? SIM_OK : SIM_ENOMEM;
    }
    sim_log_release(&log);
    jepsen_txns_release(&txns);
    return true;
}
