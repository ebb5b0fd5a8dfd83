/* Histories of single objects: registers, keys, lists, sets, queues, counters, locks. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scenarios/commands/check.h"
#include "sim/consistency/machine.h"
#include "sim/consistency/models.h"

static enum sim_status read_history(const struct check_file *file, struct sim_history *history,
                                    struct history_problem *problem)
{
    switch (file->format) {
    case HISTORY_ETCD_LOG:
        return etcd_log_read(file->bytes, file->size_bytes, history, problem);
    case HISTORY_KV:
        return porcupine_kv_read(file->bytes, file->size_bytes, history, problem);
    default:
        return SIM_OK; /* Empty. */
    }
}

/* What --type asks must fit what the file says; the first operation that does not is told. */
static bool set_type(struct sim_history *history, const char *type, struct history_problem *problem)
{
    for (uint32_t i = 0; type && i < SIM_OBJECT_COUNT; i++) {
        history->object = strcmp(type, sim_object_names[i]) == 0 ? i : history->object;
    }
    for (size_t i = 0; i < history->count; i++) {
        const struct sim_history_operation *o = &history->operations[i];
        if (!sim_object_has(history->object, o->action)) {
            problem->line = o->invoke_line;
            (void)snprintf(problem->reason, sizeof problem->reason,
                           "%s is not an operation of a %s", sim_action_names[o->action],
                           sim_object_names[history->object]);
            return false;
        }
    }
    return true;
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
    if (status == SIM_OK && !set_type(&history, file->type, &answer->problem)) {
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
        status = show_witness(&history, answer) ? SIM_OK : SIM_ENOMEM;
    }
    sim_history_release(&history);
    return status;
}

static bool is_object(const char *type)
{
    for (uint32_t i = 0; i < SIM_OBJECT_COUNT; i++) {
        if (strcmp(type, sim_object_names[i]) == 0) {
            return true;
        }
    }
    return false;
}

bool check_objects(const struct check_file *file, struct check_answer *answer,
                   enum sim_status *status)
{
    if ((file->type && !is_object(file->type)) || file->format == HISTORY_UNKNOWN ||
        file->format == HISTORY_EDN) {
        return false;
    }
    const struct sim_model *model = sim_model_find(file->model ? file->model : "linearizable");
    if (!model) {
        return false;
    }
    answer->model = sim_model_name(model);
    *status = judge(file, model, answer);
    return true;
}
