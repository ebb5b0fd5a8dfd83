/* Scenarios that are good, and their runs: whatever goes wrong with either fails the test. */
#ifndef TESTS_SCENARIOS_H
#define TESTS_SCENARIOS_H

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "scenarios/commands/runner.h"
#include "scenarios/format/scenario.h"

/* To begin a text with. */
#define HEAD "{\"title\": \"t\", \"why\": \"w\", \"duration\": \"10s\",\n"
#define RAFT "\"nodes\": [{\"kind\": \"raft\", \"name\": \"n\", \"count\": 3}]"

static inline enum sim_status parse(struct scenario *scenario, const char *text)
{
    return scenario_parse(scenario, "test.json", text, strlen(text), NULL, 0);
}

/* Release it with scenario_release(), as one from must_load(). */
static inline void must_parse(struct scenario *scenario, const char *text)
{
    const enum sim_status status = parse(scenario, text);
    scenario_print_errors(scenario, stderr);
    cr_assert_eq(status, SIM_OK, "a scenario of this test does not load:\n%s", text);
}

/* With the values of `sets`, "PATH=VALUE", in place of its own. */
static inline void must_load(struct scenario *scenario, const char *file, const char *const *sets,
                             size_t set_count)
{
    const enum sim_status status = scenario_load(scenario, file, sets, set_count);
    scenario_print_errors(scenario, stderr);
    cr_assert_eq(status, SIM_OK, "%s does not load", file);
}

/* One run to its end; the runner keeps the world until the next. The sink may be NULL. */
static inline struct sim_world *must_run(struct runner *runner, const struct sim_plan *plan,
                                         uint64_t seed, const struct sim_sink *sink)
{
    struct sim_world *world;
    uint64_t wall_ns;
    cr_assert_eq(runner_run(runner, plan, seed, sink, &world, &wall_ns), RUNNER_DONE, "seed %llu",
                 (unsigned long long)seed);
    return world;
}

static inline const struct sim_check_state *check_state(const struct sim_world *world,
                                                        uint32_t check)
{
    return sim_checks_state(sim_world_checks(world), check);
}

/* A plan in its neutral form, to be freed. */
static inline uint8_t *plan_bytes(const struct sim_plan *plan, size_t *size_bytes)
{
    *size_bytes = sim_plan_write(plan, NULL, 0);
    uint8_t *bytes = malloc(*size_bytes);
    cr_assert_not_null(bytes);
    cr_assert_eq(sim_plan_write(plan, bytes, *size_bytes), *size_bytes);
    return bytes;
}

#endif
