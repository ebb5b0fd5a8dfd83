/* Shrinking: what comes out fails the same way, needs all that is in it, is a scenario like any
 * other, and is the same every time. */
#include <unistd.h>

#include "nodes/registry.h"
#include "scenarios/commands/outcome.h"
#include "scenarios/commands/shrink.h"
#include "tests/scenarios.h"

#define SWARM "scenarios/raft/swarm_within_the_model.json"

struct result {
    bool found;
    struct shrink_size before;
    struct shrink_size after;
    uint64_t tries;
    char *text;
    uint32_t check;
};

static char *read_file(const char *name)
{
    FILE *file = fopen(name, "r");
    cr_assert(file, "%s was not written", name);
    char *text = calloc(1, 1 << 20);
    const size_t size = fread(text, 1, (1 << 20) - 1, file);
    cr_assert_gt(size, 0);
    (void)fclose(file);
    return text;
}

/* Shrink the first failing seed of a scenario. */
static struct result shrink(const char *file, const char *const *sets, size_t set_count,
                            uint32_t check, uint64_t budget)
{
    struct result result = {0};
    struct scenario scenario;
    char out[] = "/tmp/fallacy_shrink_XXXXXX";
    const int handle = mkstemp(out);
    cr_assert_geq(handle, 0);
    (void)close(handle);
    must_load(&scenario, file, sets, set_count);
    struct shrink s = {.original = &scenario, .out = out, .budget = budget};
    cr_assert(runner_init(&s.runner, &scenario.plan));
    for (uint64_t seed = 1; seed <= 60 && !result.found; seed++) {
        result.found = shrink_first(&s, &scenario.plan, seed, check);
    }
    if (result.found) {
        shrink_size(&s.best, &s.failure, &result.before);
        shrink_all(&s);
        shrink_size(&s.best, &s.failure, &result.after);
        result.text = read_file(out);
    }
    cr_expect_str_eq(s.problem, "");
    result.tries = s.tries;
    result.check = s.target.check;
    (void)remove(out);
    sim_plan_release(&s.best);
    runner_release(&s.runner);
    scenario_release(&scenario);
    return result;
}

/* The text is a scenario that expects the failure and has it. */
static void expect_fails(const struct result *result)
{
    struct scenario scenario;
    struct runner runner = {0};
    must_parse(&scenario, result->text);
    cr_assert(runner_init(&runner, &scenario.plan));
    struct sim_world *world = must_run(&runner, &scenario.plan, scenario.plan.seed, NULL);
    cr_expect(check_state(world, result->check)->violated);
    cr_expect(outcome_met(&scenario, world), "%s", result->text);
    runner_release(&runner);
    scenario_release(&scenario);
}

static void expect_small(const struct result *result)
{
    cr_expect_leq(result->after.faults + result->after.fates, 10, "%s", result->text);
    cr_expect_leq(result->after.operations, 20, "%s", result->text);
}

/* A planted bug under every fault that Raft must survive comes down to a few lines. */
Test(shrink, of_a_planted_bug_is_small_and_fails_the_same_way, .timeout = 120)
{
    static const struct {
        const char *set;
        uint32_t check;
    } bugs[] = {{"nodes[0].bugs=[\"R25_over_ack\"]", SIM_CHECK_MATCH_HONEST},
                {"nodes[0].bugs=[\"R10_no_prev_log_check\"]", SIM_CHECK_LOG_MATCHING}};
    for (size_t i = 0; i < sizeof bugs / sizeof *bugs; i++) {
        const char *const sets[] = {"duration=20s", bugs[i].set};
        struct result result = shrink(SWARM, sets, 2, bugs[i].check, 6000000);
        cr_assert(result.found, "%s: no seed fails", bugs[i].set);
        expect_fails(&result);
        expect_small(&result);
        free(result.text);
    }
}

/* The same input and the same budget are the same output. */
Test(shrink, is_deterministic, .timeout = 60)
{
    static const char *const sets[] = {"duration=20s", "nodes[0].bugs=[\"R16_no_sessions\"]"};
    struct result first = shrink(SWARM, sets, 2, SIM_CHECK_COUNT, 1000000);
    struct result again = shrink(SWARM, sets, 2, SIM_CHECK_COUNT, 1000000);
    cr_assert(first.found && again.found);
    cr_expect_str_eq(first.text, again.text);
    cr_expect_eq(first.tries, again.tries);
    expect_fails(&first);
    free(first.text);
    free(again.text);
}

/* Where nothing fails there is nothing to shrink. */
Test(shrink, refuses_a_run_that_does_not_fail)
{
    const struct result result = shrink("scenarios/raft/leader_isolated_then_healed.json", NULL, 0,
                                        SIM_CHECK_ELECTION_SAFETY, 1000);
    cr_expect_not(result.found);
}

/* A crash of a real library is shrunk to the same crash. */
Test(shrink, of_a_crash_keeps_the_crash, .timeout = 60)
{
    if (!node_registry_find("libraft")) {
        cr_skip_test("built without libraft");
    }
    struct result result = shrink("scenarios/libraft/snapshot_overlap_crash.json", NULL, 0,
                                  SIM_CHECK_CRASH_FREE, 4000000);
    cr_assert(result.found);
    cr_expect_not_null(strstr(result.text, "SIGSEGV"));
    expect_fails(&result);
    expect_small(&result);
    free(result.text);
}

/* Taking nodes away takes what concerns only them, and names the others anew. */
Test(shrink, renumbers_what_stays)
{
    struct scenario s;
    must_load(&s, "tests/fuzz/every_key.json", NULL, 0);
    struct sim_plan plan;
    cr_assert_eq(sim_plan_copy(&plan, &s.plan), SIM_OK);
    uint32_t map[SIM_NODES_MAX];
    for (uint32_t i = 0; i < plan.node_count; i++) { /* Without n1. */
        map[i] = i == 0 ? SIM_NOBODY : i - 1;
    }
    shrink_renumber(&plan, map);
    cr_expect_null(sim_plan_problem(&plan), "%s", sim_plan_problem(&plan));
    cr_expect_eq(plan.node_count, s.plan.node_count - 1);
    cr_expect_str_eq(plan.nodes[0].name, "n1");
    cr_expect_lt(plan.fault_count, s.plan.fault_count);
    for (uint32_t i = 0; i < plan.fate_count; i++) {
        cr_expect_neq(plan.fates[i].from, SIM_NOBODY);
    }
    sim_plan_release(&plan);
    scenario_release(&s);
}
