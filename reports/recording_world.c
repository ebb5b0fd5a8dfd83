/* The result of a world, for its recording. */
#include "reports/recording.h"

enum sim_status recording_finish_run(struct recording *recording, const struct sim_world *world,
                                     const uint32_t *expect, bool met, uint64_t wall_ns)
{
    struct sim_metrics metrics;
    sim_world_metrics(world, &metrics);
    struct recording_result result = {
        .hash = sim_world_hash(world),
        .events = sim_world_events(world),
        .simulated_ns = sim_world_now_ns(world),
        .wall_ns = wall_ns,
        .met = met,
        .expect = expect,
        .metrics = &metrics,
    };
    result.checkpoints = sim_world_checkpoints(world, &result.checkpoint_count);
    result.history = sim_world_history(world, &result.history_count);
    result.faults = sim_world_faults(world, &result.fault_count);
    const struct sim_checks *checks = sim_world_checks(world);
    for (uint32_t i = 0; i < SIM_CHECK_COUNT; i++) {
        if (sim_checks_enabled(checks) >> i & 1) {
            result.checks[i] = sim_checks_state(checks, i);
        }
    }
    return recording_finish_result(recording, &result);
}
