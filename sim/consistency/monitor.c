#include "sim/consistency/monitor.h"

enum sim_status sim_monitor_init(struct sim_monitor *monitor, const struct sim_history *history,
                                 struct sim_scratch *scratch)
{
    *monitor = (struct sim_monitor){.history = history, .scratch = scratch};
    monitor->local = sim_scratch_alloc(scratch, history->value_count, sizeof *monitor->local);
    monitor->witness = sim_scratch_alloc(scratch, history->count, sizeof *monitor->witness);
    return monitor->local && monitor->witness ? SIM_OK : SIM_ENOMEM;
}

void sim_monitor_release(struct sim_monitor *monitor)
{
    if (monitor->scratch) {
        sim_scratch_release(monitor->scratch, monitor->local, monitor->history->value_count,
                            sizeof *monitor->local);
        sim_scratch_release(monitor->scratch, monitor->witness, monitor->history->count,
                            sizeof *monitor->witness);
    }
    *monitor = (struct sim_monitor){0};
}

void sim_monitor_name(struct sim_monitor_result *result, uint32_t place)
{
    for (uint32_t i = 0; i < result->witness_count; i++) {
        if (result->witness[i] == place) {
            return;
        }
    }
    if (place != SIM_HISTORY_NOTHING) {
        result->witness[result->witness_count++] = place;
    }
}
