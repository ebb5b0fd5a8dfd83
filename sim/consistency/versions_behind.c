#include "sim/consistency/versions_behind.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* May it have written something? */
static bool writes(const struct sim_history_operation *o)
{
    return (o->action == SIM_ACTION_WRITE || o->action == SIM_ACTION_CAS) &&
           o->outcome != SIM_OUTCOME_FAIL;
}

/* NULL: nobody wrote it, or more than one, or it is not known that the write took place. */
static const struct sim_history_operation *only_writer(const struct sim_history *history,
                                                       uint32_t key, uint32_t value)
{
    const struct sim_history_operation *writer = NULL;
    for (size_t i = 0; i < history->count; i++) {
        const struct sim_history_operation *o = &history->operations[i];
        if (o->key != key || o->value != value || !writes(o)) {
            continue;
        }
        if (writer) {
            return NULL;
        }
        writer = o;
    }
    return writer && writer->outcome == SIM_OUTCOME_OK ? writer : NULL;
}

static uint32_t writes_between(const struct sim_history *history,
                               const struct sim_history_operation *write,
                               const struct sim_history_operation *read)
{
    uint32_t count = 0;
    for (size_t i = 0; i < history->count; i++) {
        const struct sim_history_operation *o = &history->operations[i];
        count += o->key == read->key && writes(o) && o->outcome == SIM_OUTCOME_OK &&
                 o->invoked > write->returned && o->returned < read->invoked;
    }
    return count;
}

uint32_t sim_versions_behind(const struct sim_history *history, uint32_t place)
{
    const struct sim_history_operation *o = &history->operations[place];
    if (history->object != SIM_OBJECT_REGISTER || o->action != SIM_ACTION_READ ||
        o->outcome != SIM_OUTCOME_OK || o->result == SIM_VALUE_UNKNOWN) {
        return 0;
    }
    const struct sim_history_operation *write = only_writer(history, o->key, o->result);
    return write ? writes_between(history, write, o) : 0;
}

void sim_tell_versions_behind(const struct sim_history *history,
                              struct sim_consistency_result *result)
{
    uint32_t most = 0;
    for (uint32_t i = 0; i < result->witness_count; i++) {
        const uint32_t behind = sim_versions_behind(history, result->witness[i]);
        most = behind > most ? behind : most;
    }
    const size_t used = strlen(result->detail);
    if (most > 0) {
        (void)snprintf(result->detail + used, sizeof result->detail - used,
                       "; a read is at least %" PRIu32 " version%s behind", most,
                       most == 1 ? "" : "s");
    }
}
