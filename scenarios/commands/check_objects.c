/* Histories of single objects: registers, keys, lists, sets, queues, counters, locks. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reports/formats/jepsen_object.h"
#include "reports/formats/jepsen_txn.h"
#include "scenarios/commands/check.h"
#include "sim/consistency/models.h"
#include "sim/consistency/staleness.h"
#include "sim/consistency/versions_behind.h"

/* What --type says; SIM_OBJECT_COUNT if it says nothing. */
static uint32_t object_of(const char *type)
{
    uint32_t object = 0;
    while (object < SIM_OBJECT_COUNT && !(type && strcmp(type, sim_object_names[object]) == 0)) {
        object++;
    }
    return object;
}

static enum sim_status read_history(const struct check_file *file, struct sim_history *history,
                                    struct history_problem *problem)
{
    switch (file->format) {
    case HISTORY_ETCD_LOG:
        return etcd_log_read(file->bytes, file->size_bytes, history, problem);
    case HISTORY_KV:
        return porcupine_kv_read(file->bytes, file->size_bytes, history, problem);
    case HISTORY_EDN:
        return jepsen_object_read(file->bytes, file->size_bytes, object_of(file->type),
                                  file->initial, history, problem);
    default: /* Empty. */
        history->object = file->type ? object_of(file->type) : SIM_OBJECT_REGISTER;
        return SIM_OK;
    }
}

static bool show_witness(const struct sim_history *history, struct check_answer *answer)
{
    const uint32_t count = answer->result.witness_count;
    answer->lines = calloc(count + !count, sizeof *answer->lines);
    for (uint32_t i = 0; answer->lines && i < count; i++) {
        const uint32_t place = answer->result.witness[i];
        answer->lines[i].line = history->operations[place].invoke_line;
        answer->lines[i].return_line = history->operations[place].return_line;
        (void)sim_history_show(history, place, answer->lines[i].text, sizeof answer->lines[i].text);
    }
    return answer->lines != NULL;
}

static enum sim_status judge(const struct check_file *file, const struct sim_model *model,
                             struct check_answer *answer)
{
    struct sim_history history;
    enum sim_status status = sim_history_init(&history, file->budget.memory_bytes);
    if (status == SIM_OK) {
        status = read_history(file, &history, &answer->problem);
    }
    if (status == SIM_OK && file->type && history.object != object_of(file->type)) {
        (void)snprintf(answer->problem.reason, sizeof answer->problem.reason,
                       "this file is of a %s, not of a %s as --type says",
                       sim_object_names[history.object], file->type);
        status = SIM_EINVAL;
    }
    if (status == SIM_OK && !sim_model_judges(model, history.object)) {
        (void)snprintf(answer->problem.reason, sizeof answer->problem.reason,
                       "the model %s does not judge a %s", sim_model_name(model),
                       sim_object_names[history.object]);
        status = SIM_EINVAL;
    }
    if (status == SIM_OK) {
        answer->type = sim_object_names[history.object];
        model->check(&history, &file->budget, &answer->result);
        if (answer->result.verdict == SIM_VIOLATED && model->number == SIM_CHECK_LINEARIZABLE) {
            sim_tell_staleness(&history, &file->budget, &answer->result);
            sim_tell_versions_behind(&history, &answer->result);
        }
        status = show_witness(&history, answer) ? SIM_OK : SIM_ENOMEM;
    }
    if (status == SIM_ENOMEM && !answer->problem.reason[0]) {
        (void)snprintf(answer->problem.reason, sizeof answer->problem.reason,
                       "out of memory, of which --memory allows %zu MiB",
                       file->budget.memory_bytes >> 20);
    }
    sim_history_release(&history);
    return status;
}

bool check_objects(const struct check_file *file, struct check_answer *answer,
                   enum sim_status *status)
{
    const bool asked = object_of(file->type) < SIM_OBJECT_COUNT;
    if ((file->type && !asked) || file->format == HISTORY_UNKNOWN ||
        (file->initial && file->format != HISTORY_EDN)) {
        return false;
    }
    if (file->format == HISTORY_EDN && !asked) {
        /* What shows nothing is ours as well: somebody must say what is wrong with it. */
        const enum jepsen_kind kind = jepsen_recognise(file->bytes, file->size_bytes);
        if (kind != JEPSEN_OBJECT && kind != JEPSEN_EMPTY) {
            return false;
        }
    }
    const struct sim_model *model = sim_model_find(file->model ? file->model : "linearizable");
    if (!model || !model->check) {
        return false;
    }
    answer->model = sim_model_name(model);
    *status = judge(file, model, answer);
    return true;
}
