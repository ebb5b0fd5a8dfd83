/* Scripted clients: what is asked, when, of whom, and what counts as waiting. */
#include "tests/plans.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#define N0 0 /* Two servers, then two clients. */
#define N1 1
#define C0 2
#define C1 3

static void script(struct stage *s, const struct sim_script_step *steps, uint32_t count)
{
    stage_plan(s, 2, 2);
    s->plan.workloads[0].scripted = true;
    s->plan.script = malloc(count * sizeof *steps);
    cr_assert_not_null(s->plan.script);
    memcpy(s->plan.script, steps, count * sizeof *steps);
    s->plan.script_count = count;
    stage_link(s, ANY, ANY, SIM_LINK_LATENCY)->latency = constant(2 * SIM_MS);
}

static struct sim_script_step write_at(uint64_t at_ns, uint32_t client)
{
    return (struct sim_script_step){
        .at_ns = at_ns, .client = client, .server = N0, .function = SIM_WRITE, .key = 1};
}

/* A step begins when it is due, or when its session has ended the one before; nothing else is
 * asked. */
Test(script, is_followed_and_nothing_else)
{
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct stage s;
        const struct sim_script_step steps[] = {
            {.at_ns = SIM_S,
             .client = C0,
             .server = N1,
             .function = SIM_WRITE,
             .key = 1,
             .value = 7},
            {.at_ns = SIM_S + SIM_MS, .client = C0, .server = ANY, .function = SIM_READ, .key = 1},
            {.at_ns = 2 * SIM_S, .client = C1, .server = N0, .function = SIM_WRITE, .key = 2},
        };
        script(&s, steps, 3);
        stage_run(&s, seed);
        size_t count;
        const struct sim_history_row *row = sim_world_history(s.world, &count);
        cr_assert_eq(count, 3, "seed %llu: %zu operations", LLU(seed), count);
        cr_expect_eq(row[0].operation.value, 7);
        cr_expect_eq(row[0].server, N1);
        cr_expect_eq(row[0].invoke_ns, SIM_S);
        cr_expect_eq(row[1].operation.function, SIM_READ);
        cr_expect_eq(row[1].result, 7, "from the server that answered last");
        cr_expect_eq(row[1].invoke_ns, SIM_S + 4 * SIM_MS, "after the answer to the first");
        cr_expect_eq(row[2].operation.client, C1);
        cr_expect_neq(row[2].operation.value, 0, "a value of its own");
        stage_end(&s);
    }
}

/* ---- The longest time without an acknowledged write ---------------------------------------- */

/* Before its first step, between two and after its last a script waits for nothing. */
Test(script, is_not_at_work_between_its_steps)
{
    struct stage s;
    const struct sim_script_step steps[] = {write_at(10 * SIM_S, C0), write_at(30 * SIM_S, C1)};
    script(&s, steps, 2);
    stage_run(&s, 1);
    cr_expect_eq(s.metrics.operations_ok, 2);
    cr_expect_eq(s.metrics.longest_gap_ns, 4 * SIM_MS, "%llu", LLU(s.metrics.longest_gap_ns));
    stage_end(&s);
}

/* A step that waits does: to the end of the run here, and also while others are due. */
Test(script, is_at_work_while_a_step_is_open)
{
    struct stage s;
    const struct sim_script_step steps[] = {write_at(10 * SIM_S, C0), write_at(30 * SIM_S, C1)};
    script(&s, steps, 2);
    s.plan.workloads[0].timeout_ns = 100 * SIM_S;
    stage_set(&s, N0, TALK_ANSWER, TALK_SILENT);
    stage_run(&s, 1);
    cr_expect_eq(s.metrics.longest_gap_ns, 50 * SIM_S, "%llu", LLU(s.metrics.longest_gap_ns));
    stage_end(&s);
}

/* Steps that come to nothing are one outage, which ends with the next acknowledgement, or with
 * the last attempt: three of 100 ms, 10 ms apart. */
Test(script, outages_span_failed_steps)
{
    for (uint32_t healed = 0; healed <= 1; healed++) {
        struct stage s;
        const struct sim_script_step steps[] = {write_at(10 * SIM_S, C0), write_at(30 * SIM_S, C1)};
        script(&s, steps, 2);
        s.plan.workloads[0].follow_leader = false;
        stage_fault(&s, SIM_FAULT_CRASH, N0, SIM_S, healed ? 20 * SIM_S : 0);
        stage_fault(&s, SIM_FAULT_CRASH, N1, SIM_S, healed ? 20 * SIM_S : 0);
        stage_run(&s, 1);
        cr_expect_eq(s.metrics.operations_ok, healed);
        cr_expect_eq(s.metrics.longest_gap_ns, 20 * SIM_S + (healed ? 4 : 320) * SIM_MS,
                     "healed %u: %llu", healed, LLU(s.metrics.longest_gap_ns));
        stage_end(&s);
    }
}

/* Beside a loop of clients that never rest a script changes nothing. */
Test(script, does_not_excuse_others)
{
    struct stage s;
    const struct sim_script_step step = write_at(25 * SIM_S, C1);
    script(&s, &step, 1);
    struct sim_workload *two = realloc(s.plan.workloads, 2 * sizeof *two);
    cr_assert_not_null(two);
    two[1] = two[0];
    two[0].client_count = 1;
    two[0].scripted = false;
    two[1].first_client = C1;
    two[1].client_count = 1;
    strcpy(two[1].name, "script");
    s.plan.nodes[C1].group = 1;
    s.plan.workloads = two;
    s.plan.workload_count = 2;
    stage_fault(&s, SIM_FAULT_CRASH, N0, 20 * SIM_S, 20 * SIM_S);
    stage_fault(&s, SIM_FAULT_CRASH, N1, 20 * SIM_S, 20 * SIM_S);
    stage_run(&s, 1);
    cr_expect_geq(s.metrics.longest_gap_ns, 20 * SIM_S - 20 * SIM_MS);
    cr_expect_leq(s.metrics.longest_gap_ns, 20 * SIM_S + 500 * SIM_MS);
    stage_end(&s);
}
