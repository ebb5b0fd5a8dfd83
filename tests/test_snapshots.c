/* Worlds of all kinds, sent back to a snapshot again and again: each scenario of the catalogue ends
 * with its golden hash all the same. Builds with AddressSanitizer also compare, at each snapshot,
 * what it leaves out because nobody said that it was written. */
#include <inttypes.h>

#include "nodes/registry.h"
#include "tests/scenarios.h"

enum { POINTS = 8 };

/* One run of the scenario's own seed, with a detour at each of POINTS times; the hash at its end.
 * Detours get longer, so that what a crash or a compaction gives back is restored too. */
static uint64_t hash_with_detours(const char *file, struct sim_snapshot *snapshot)
{
    struct scenario scenario;
    struct runner runner = {0};
    struct sim_world *world;
    must_load(&scenario, file, NULL, 0);
    const struct sim_plan *plan = &scenario.plan;
    cr_assert(runner_init(&runner, plan));
    cr_assert_eq(runner_begin(&runner, plan, plan->seed, NULL, &world), RUNNER_UNTIL, "%s", file);
    const uint64_t apart_ns = plan->duration_ns / POINTS;
    for (uint64_t i = 0; i < POINTS; i++) {
        if (runner_go(&runner, world, i * apart_ns) != RUNNER_UNTIL) {
            break; /* It has violated what it was to violate. */
        }
        cr_assert_eq(sim_snapshot_take(snapshot, runner.arena), SIM_OK);
        for (uint64_t salt = 0; salt < 2; salt++) {
            if (salt > 0) {
                sim_world_reseed(world, salt);
            }
            const enum runner_end end =
                runner_go(&runner, world, i * apart_ns + apart_ns * (i + 1) / 4);
            cr_assert(end == RUNNER_UNTIL || end == RUNNER_DONE, "%s", file);
            sim_snapshot_restore(snapshot, runner.arena);
        }
    }
    cr_assert_eq(runner_go(&runner, world, SIM_NEVER), RUNNER_DONE, "%s", file);
    const uint64_t hash = sim_world_hash(world);
    runner_release(&runner);
    scenario_release(&scenario);
    return hash;
}

Test(snapshots, the_catalogue_keeps_its_golden_hashes_over_detours, .timeout = 240)
{
    FILE *golden = fopen("tests/golden/hashes.txt", "r");
    cr_assert(golden, "tests run in the project's folder");
    struct sim_snapshot snapshot = {0};
    char file[256];
    uint64_t hash;
    char line[400];
    size_t count = 0;
    while (fgets(line, sizeof line, golden)) {
        if (sscanf(line, "%255s %" SCNx64, file, &hash) == 2 &&
            strstr(file, "scenarios/") == file &&
            (node_registry_find("libraft") || !strstr(file, "/libraft/"))) {
            cr_expect_eq(hash_with_detours(file, &snapshot), hash, "%s", file);
            count++;
        }
    }
    (void)fclose(golden);
    cr_expect_geq(count, 100);
    sim_snapshot_release(&snapshot);
}
