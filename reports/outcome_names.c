#include "reports/outcome_names.h"

#include "sim/check/check.h"
#include "sim/world.h"

void recording_each_outcome_name(recording_name_fn name, void *context)
{
    for (uint32_t i = 0; i < SIM_CHECK_COUNT; i++) {
        name(context, "check", i, sim_check_infos[i].name);
    }
    for (uint32_t i = 0; i < SIM_VERDICT_COUNT; i++) {
        name(context, "verdict", i, sim_verdict_name(i));
    }
    for (uint32_t i = 0; i < sim_metric_count; i++) {
        name(context, "metric", i, sim_metric_infos[i].name);
    }
}
