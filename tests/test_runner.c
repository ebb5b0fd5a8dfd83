/* The runner: what a node's code does wrong ends that run with a verdict, not the program. */
#include <signal.h>

#include "tests/plans.h"
#include "tests/scenarios.h"

/* What a node does when it gets its first message. */
static int raised;

static void fail(struct sim_env *env, const struct sim_event *event)
{
    (void)env;
    if (event->kind != SIM_EVENT_MESSAGE) {
        return;
    }
    if (raised) {
        (void)raise(raised);
    }
    for (volatile bool forever = true; forever;) {
    }
}

/* Run two nodes that talk, of which the second fails; the verdict of crash_free and why. */
static struct sim_check_state run_failing(int number)
{
    struct stage s;
    struct runner runner;
    stage_plan(&s, 2, 0);
    stage_talk(&s, 0, 1, SIM_MS, 10, 64);
    s.plan.checks = UINT64_C(1) << SIM_CHECK_CRASH_FREE;
    cr_assert(runner_init(&runner, &s.plan));
    raised = number;
    stage_watch = number < 0 ? NULL : fail;
    const struct sim_world *world = must_run(&runner, &s.plan, 1, NULL);
    stage_watch = NULL;
    const struct sim_check_state state = *check_state(world, SIM_CHECK_CRASH_FREE);
    runner_release(&runner);
    stage_end(&s);
    return state;
}

/* Each signal that a program dies of becomes a violation that names it and the node. */
Test(runner, turns_a_nodes_signal_into_a_verdict)
{
    static const struct {
        int number;
        const char *words;
    } signals[] = {{SIGSEGV, "SIGSEGV"},
                   {SIGABRT, "SIGABRT"},
                   {SIGFPE, "SIGFPE"},
                   {SIGILL, "SIGILL"},
                   {SIGBUS, "SIGBUS"}};
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        const struct sim_check_state state = run_failing(signals[i].number);
        cr_expect_eq(state.verdict, SIM_VIOLATED);
        cr_expect(strstr(state.detail, signals[i].words), "%s", state.detail);
        cr_expect(strstr(state.detail, "n1"), "%s", state.detail);
    }
}

/* A node that never comes back from an event is found out, too. */
Test(runner, ends_an_endless_loop, .timeout = 60)
{
    const struct sim_check_state state = run_failing(0);
    cr_expect_eq(state.verdict, SIM_VIOLATED);
    cr_expect(strstr(state.detail, "never came back"), "%s", state.detail);
}

/* The run after a failed one is as good as any. */
Test(runner, goes_on_after_a_failure)
{
    (void)run_failing(SIGSEGV);
    cr_expect_eq(run_failing(-1).verdict, SIM_HOLDS);
}
