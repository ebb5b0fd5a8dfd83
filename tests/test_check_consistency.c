/* Consistency models as checks of a run: of servers that are one store, and of servers that each
 * answer for themselves, which no order can explain. */
#include "tests/allocations.h"
#include "tests/plans.h"

#include "sim/consistency/models.h"

#include <criterion/criterion.h>

#define SEEDS 20

static struct stage s;

static const struct sim_check_state *verdict_of(uint32_t check, uint64_t seed)
{
    s.plan.checks = UINT64_C(1) << check;
    stage_run(&s, seed);
    return sim_checks_state(sim_world_checks(s.world), check);
}

static const struct sim_check_state *verdict(uint64_t seed)
{
    return verdict_of(SIM_CHECK_LINEARIZABLE, seed);
}

/* Clients that ask any server, and now and then wait. */
static void plan(uint32_t servers, uint32_t clients)
{
    stage_plan(&s, servers, clients);
    s.plan.duration_ns = 2 * SIM_S;
    s.plan.workloads[0].stick = false;
    s.plan.workloads[0].weight[SIM_CAS] = 1;
    s.plan.workloads[0].interval = uniform(SIM_MS, 10 * SIM_MS);
    stage_link(&s, SIM_NOBODY, SIM_NOBODY, SIM_LINK_LATENCY)->latency = uniform(SIM_US, 3 * SIM_MS);
}

/* Every model has a name among the checks, and none is looked at unless it is named. */
Test(check_consistency, models_are_checks_of_their_own)
{
    for (size_t m = 0; m < sim_model_count; m++) {
        cr_expect_eq(SIM_CHECKS_ALL >> sim_models[m].number & 1, 0);
        cr_expect_eq(sim_model_find(sim_model_name(&sim_models[m])), &sim_models[m]);
    }
    cr_expect_null(sim_model_find("linearizabl"));
    cr_expect_null(sim_model_find("linearizable_"));
}

Test(check_consistency, one_server_keeps_every_model)
{
    plan(1, 5);
    for (size_t m = 0; m < sim_model_count; m++) {
        const struct sim_model *model = &sim_models[m];
        /* There are registers only: of lists nothing is known. */
        const bool judges = model->transactions || sim_model_judges(model, SIM_OBJECT_REGISTER);
        for (uint64_t seed = 1; seed <= SEEDS; seed++) {
            const struct sim_check_state *state = verdict_of(model->number, seed);
            cr_expect_eq(state->verdict, judges ? SIM_HOLDS : SIM_VACUOUS, "%s, seed %llu: %s",
                         sim_model_name(model), (unsigned long long)seed, state->detail);
            cr_expect(!judges || state->exercised > 200, "%s", sim_model_name(model));
        }
    }
    stage_end(&s);
}

/* The violation is that of the last operation that it takes, and says who saw what. */
Test(check_consistency, servers_that_know_nothing_of_each_other_are_not_one_store)
{
    static const uint32_t checks[] = {SIM_CHECK_LINEARIZABLE, SIM_CHECK_STRICT_SERIALIZABLE};
    plan(2, 5);
    for (uint64_t i = 0; i < 2 * SEEDS; i++) {
        const struct sim_check_state *state = verdict_of(checks[i % 2], i / 2);
        cr_assert_eq(state->verdict, SIM_VIOLATED, "seed %llu: %s", (unsigned long long)i / 2,
                     state->detail);
        cr_expect(state->violated);
        cr_expect_not_null(strstr(state->detail, i % 2 ? "c" : "; c"), "%s", state->detail);
        size_t count;
        const struct sim_history_row *rows = sim_world_history(s.world, &count);
        bool is_a_return = false;
        for (size_t r = 0; r < count; r++) {
            is_a_return |=
                rows[r].return_event == state->event && rows[r].return_ns == state->at_ns;
        }
        cr_expect(is_a_return, "seed %llu", (unsigned long long)i / 2);
    }
    stage_end(&s);
}

Test(check_consistency, a_store_that_never_answers_is_vacuous)
{
    plan(1, 3);
    stage_set(&s, 0, TALK_ANSWER, TALK_SILENT);
    cr_expect_eq(verdict(1)->verdict, SIM_VACUOUS);
    stage_end(&s);
    stage_plan(&s, 1, 0);
    cr_expect_eq(verdict(1)->verdict, SIM_VACUOUS, "no client at all");
    stage_end(&s);
}

/* The same keys of two groups are different registers. */
Test(check_consistency, groups_are_judged_apart)
{
    plan(2, 6);
    struct sim_plan *p = &s.plan;
    p->groups = realloc(p->groups, 2 * sizeof *p->groups);
    p->workloads = realloc(p->workloads, 2 * sizeof *p->workloads);
    p->groups[0].node_count = 1;
    p->groups[1] = (struct sim_plan_group){.name = "h", .first_node = 1, .node_count = 1};
    p->nodes[1].group = 1;
    p->workloads[1] = p->workloads[0];
    strcpy(p->workloads[1].name, "v");
    p->workloads[0].client_count = 3;
    p->workloads[1].client_count = 3;
    p->workloads[1].first_client += 3;
    p->workloads[1].target_group = 1;
    for (uint32_t i = 5; i < 8; i++) {
        p->nodes[i].group = 1;
    }
    p->group_count = p->workload_count = 2;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        const struct sim_check_state *state = verdict(seed);
        cr_expect_eq(state->verdict, SIM_HOLDS, "seed %llu: %s", (unsigned long long)seed,
                     state->detail);
    }
    stage_end(&s);
}

/* A look at what happened is no part of it. */
Test(check_consistency, a_run_is_the_same_whether_it_is_judged_or_not)
{
    plan(1, 5);
    (void)verdict(1);
    const uint64_t judged = sim_world_hash(s.world);
    const size_t used = sim_arena_used_bytes(s.arena);
    s.plan.checks = UINT64_C(1) << SIM_CHECK_CRASH_FREE;
    stage_run(&s, 1);
    cr_expect_eq(sim_world_hash(s.world), judged);
    cr_expect_eq(sim_arena_used_bytes(s.arena), used);
    stage_end(&s);
}

/* Without memory the verdict is unknown, or right: never wrong, and nothing is lost. */
Test(check_consistency, without_memory_it_is_unknown)
{
    static const uint32_t checks[] = {SIM_CHECK_LINEARIZABLE, SIM_CHECK_STRICT_SERIALIZABLE};
    for (uint32_t i = 0; i < 4; i++) {
        const uint32_t servers = 1 + i / 2;
        const uint32_t check = checks[i % 2];
        uint32_t unknown = 0;
        uint32_t right = 0;
        plan(servers, 5);
        s.plan.checks = UINT64_C(1) << check;
        for (uint64_t n = 1;; n++) {
            stage_begin(&s, 1);
            (void)sim_world_run(s.world, s.plan.duration_ns);
            const size_t before = allocations_live();
            allocations_fail_at(n);
            (void)sim_world_run(s.world, SIM_NEVER);
            const bool failed = allocations_failed();
            allocations_fail_at(0);
            cr_assert_eq(allocations_live(), before, "the allocation %llu", (unsigned long long)n);
            const uint32_t found = sim_checks_state(sim_world_checks(s.world), check)->verdict;
            const uint32_t expected = servers == 1 ? SIM_HOLDS : SIM_VIOLATED;
            cr_assert(found == expected || (failed && found == SIM_UNKNOWN),
                      "check %u, servers %u: the allocation %llu: %s", check, servers,
                      (unsigned long long)n, sim_verdict_name(found));
            unknown += found == SIM_UNKNOWN;
            right += found == expected;
            if (!failed) {
                break;
            }
        }
        cr_expect_gt(unknown, 5);
        cr_expect_gt(right, 0);
        stage_end(&s);
    }
}
