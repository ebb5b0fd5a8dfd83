/* Every planted bug is caught by the check meant for it, and without the bug the same seeds pass
 * with that check exercised. */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>

#include "nodes/registry.h"
#include "scenarios/commands/runner.h"
#include "scenarios/format/scenario.h"

#define SWARM "scenarios/raft/swarm_within_the_model.json"
#define SEEDS 60 /* At most, until a bug is found. */
#define CLEAN_SEEDS 10

static const struct sim_node_kind *raft(void)
{
    const struct sim_node_kind *kind = node_registry_find("raft");
    cr_assert_not_null(kind);
    return kind;
}

/* SIM_CHECK_COUNT if there is no check of that name. */
static uint32_t check_named(const char *name)
{
    uint32_t check = 0;
    while (check < SIM_CHECK_COUNT && strcmp(sim_check_infos[check].name, name) != 0) {
        check++;
    }
    return check;
}

/* The swarm with a bug (NULL: none), made short: what bugs break first shows early. */
static void load(struct scenario *scenario, struct runner *runner, const char *bug)
{
    char set[80];
    (void)snprintf(set, sizeof set, "nodes[0].bugs=[\"%s\"]", bug ? bug : "");
    const char *const sets[] = {"duration=20s", set};
    cr_assert_eq(scenario_load(scenario, SWARM, sets, bug ? 2 : 1), SIM_OK);
    cr_assert(runner_init(runner, &scenario->plan));
}

/* Run a second at a time until the check fires: some bugs end in a storm of messages. */
static bool fires(struct sim_world *world, uint32_t check)
{
    enum sim_stop stop = SIM_STOP_TIME;
    for (uint64_t until_ns = SIM_S; stop == SIM_STOP_TIME; until_ns += SIM_S) {
        stop = sim_world_run(world, until_ns);
        if (sim_checks_state(sim_world_checks(world), check)->violated) {
            return true;
        }
    }
    cr_assert_eq(stop, SIM_STOP_END);
    return false;
}

/* Does the check fire in some of the first seeds? */
static bool catches(const char *bug, uint32_t check)
{
    struct scenario scenario;
    struct runner runner;
    load(&scenario, &runner, bug);
    bool caught = false;
    for (uint64_t seed = 1; seed <= SEEDS && !caught; seed++) {
        struct sim_world *world;
        sim_arena_reset(runner.arena);
        cr_assert_eq(sim_world_new(&world, runner.arena, &scenario.plan, seed, NULL), SIM_OK);
        caught = fires(world, check);
    }
    runner_release(&runner);
    scenario_release(&scenario);
    return caught;
}

/* A random schedule within the model finds every bug, by the check that is meant to. */
Test(bugs, are_caught_by_the_check_meant_for_them, .timeout = 120)
{
    for (uint32_t b = 0; b < raft()->bug_count; b++) {
        const struct sim_planted_bug *bug = &raft()->bugs[b];
        cr_expect(catches(bug->name, check_named(bug->check)),
                  "%s was not caught by %s in %d seeds", bug->name, bug->check, SEEDS);
    }
}

/* Every bug says what it does, where it was met, and which check is meant for it. */
Test(bugs, are_documented)
{
    for (uint32_t b = 0; b < raft()->bug_count; b++) {
        const struct sim_planted_bug *bug = &raft()->bugs[b];
        cr_expect_gt(strlen(bug->summary), 20, "%s", bug->name);
        cr_expect_gt(strlen(bug->source), 5, "%s", bug->name);
        cr_expect_lt(check_named(bug->check), SIM_CHECK_COUNT, "%s: %s", bug->name, bug->check);
    }
}

/* Without a bug nothing fires, and over the seeds every check had its chance. */
Test(bugs, are_not_seen_where_there_are_none, .timeout = 60)
{
    struct scenario scenario;
    struct runner runner;
    uint64_t exercised[SIM_CHECK_COUNT] = {0};
    load(&scenario, &runner, NULL);
    for (uint64_t seed = 1; seed <= CLEAN_SEEDS; seed++) {
        struct sim_world *world;
        uint64_t wall_ns;
        cr_assert_eq(runner_run(&runner, &scenario.plan, seed, NULL, &world, &wall_ns),
                     RUNNER_DONE);
        for (uint32_t c = 0; c < SIM_CHECK_COUNT; c++) {
            const struct sim_check_state *state = sim_checks_state(sim_world_checks(world), c);
            cr_expect(!state->violated && state->verdict != SIM_STUCK, "seed %" PRIu64 ": %s: %s",
                      seed, sim_check_infos[c].name, state->detail);
            exercised[c] += state->exercised;
        }
    }
    for (uint32_t b = 0; b < raft()->bug_count; b++) {
        cr_expect_gt(exercised[check_named(raft()->bugs[b].check)], 0, "%s", raft()->bugs[b].check);
    }
    runner_release(&runner);
    scenario_release(&scenario);
}
