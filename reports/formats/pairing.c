#include "reports/formats/pairing.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

bool pairing_fail(struct pairing *pairing, uint32_t line, const char *format, ...)
{
    if (pairing->status == SIM_OK) {
        va_list arguments;
        va_start(arguments, format);
        (void)vsnprintf(pairing->problem->reason, sizeof pairing->problem->reason, format,
                        arguments);
        va_end(arguments);
        pairing->problem->line = line;
        pairing->status = SIM_EINVAL;
    }
    return false;
}

bool pairing_no_memory(struct pairing *pairing, uint32_t line)
{
    if (pairing->status != SIM_EINVAL) {
        pairing->status = SIM_OK;
        (void)pairing_fail(pairing, line, "the history up to here fills the memory it may take");
        pairing->status = SIM_ENOMEM;
    }
    return false;
}

bool pairing_invoke(struct pairing *pairing, uint64_t process, uint32_t line,
                    struct sim_history_operation operation)
{
    struct sim_history *h = pairing->history;
    operation.process = sim_history_process(h, process);
    operation.invoke_line = line;
    if (operation.process == SIM_HISTORY_NOTHING) {
        return pairing_no_memory(pairing, line);
    }
    const uint32_t open = h->open[operation.process];
    if (open != SIM_HISTORY_NOTHING) {
        return pairing_fail(pairing, line,
                            "process %" PRIu64 " begins an operation while its %s of line %" PRIu32
                            " is still open; a process has one at a time",
                            process, sim_action_names[h->operations[open].action],
                            h->operations[open].invoke_line);
    }
    return sim_history_invoke(h, &operation) != SIM_HISTORY_NOTHING ||
           pairing_no_memory(pairing, line);
}

struct sim_history_operation *pairing_open(struct pairing *pairing, uint64_t process, uint32_t line,
                                           uint32_t action, const char *name)
{
    struct sim_history *h = pairing->history;
    const uint32_t number = sim_history_process(h, process);
    if (number == SIM_HISTORY_NOTHING) {
        (void)pairing_no_memory(pairing, line);
        return NULL;
    }
    if (h->open[number] == SIM_HISTORY_NOTHING) {
        (void)pairing_fail(pairing, line,
                           "process %" PRIu64 " ends a %s that it did not begin: the :invoke is "
                           "missing",
                           process, name);
        return NULL;
    }
    struct sim_history_operation *o = &h->operations[h->open[number]];
    if (o->action != action) {
        (void)pairing_fail(pairing, line,
                           "process %" PRIu64 " ends a %s, but what it began in line %" PRIu32
                           " is a %s",
                           process, name, o->invoke_line, sim_action_names[o->action]);
        return NULL;
    }
    return o;
}

void pairing_return(struct pairing *pairing, struct sim_history_operation *operation,
                    enum event_type type, uint32_t result, uint32_t line)
{
    static const enum sim_outcome outcomes[] = {SIM_OUTCOME_OPEN, SIM_OUTCOME_OK, SIM_OUTCOME_FAIL,
                                                SIM_OUTCOME_INFO};
    operation->return_line = line;
    sim_history_return(pairing->history, (uint32_t)(operation - pairing->history->operations),
                       outcomes[type], result);
}
