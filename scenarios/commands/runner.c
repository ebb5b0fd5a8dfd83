#include "scenarios/commands/runner.h"

#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>

#define HUNT_STEP_NS (SIM_S / 2) /* Of virtual time, between two looks at the checks. */

/* A handler has no context pointer: the run under way is a global. One run at a time. */
static sigjmp_buf jump_out;
static struct sim_world *volatile running;
static char why[120];

static const int caught[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};

static void on_signal(int number)
{
    struct sim_world *world = running;
    if (world && sim_world_current_node(world) != SIM_NOBODY) {
        running = NULL;
        siglongjmp(jump_out, number);
    }
    /* Our own code: the default action, with its core dump and message. */
    (void)signal(number, SIG_DFL);
    (void)raise(number);
}

/* Every WATCH_S seconds of cpu time: a run that is still at the step of the last time is in a
 * node's endless loop. Cpu time, so that a busy machine is not mistaken for one. */
#define WATCH_S 2
static volatile uint64_t watched_step;

static void on_watch(int number)
{
    struct sim_world *world = running;
    const uint64_t step = world ? sim_world_steps(world) : 0;
    if (world && step == watched_step && sim_world_current_node(world) != SIM_NOBODY) {
        running = NULL;
        siglongjmp(jump_out, number);
    }
    watched_step = step;
}

/* A stack of its own: a node may have overflowed the ordinary one. */
static void install_handlers(void)
{
    static uint8_t stack[64 * 1024];
    const stack_t alternate = {.ss_sp = stack, .ss_size = sizeof stack};
    (void)sigaltstack(&alternate, NULL);
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_ONSTACK | SA_NODEFER};
    (void)sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < sizeof caught / sizeof *caught; i++) {
        (void)sigaction(caught[i], &action, NULL);
    }
    action.sa_handler = on_watch;
    (void)sigaction(SIGVTALRM, &action, NULL);
    const struct timeval every = {.tv_sec = WATCH_S};
    const struct itimerval watch = {.it_interval = every, .it_value = every};
    (void)setitimer(ITIMER_VIRTUAL, &watch, NULL);
}

bool runner_init(struct runner *runner, const struct sim_plan *plan)
{
    *runner = (struct runner){.arena = sim_arena_new(plan->memory_bytes)};
    install_handlers();
    return runner->arena != NULL;
}

void runner_release(struct runner *runner)
{
    sim_arena_free(runner->arena);
    runner->arena = NULL;
}

uint64_t runner_wall_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * SIM_S + (uint64_t)now.tv_nsec;
}

static const char *signal_words(int number)
{
    switch (number) {
    case SIGSEGV:
        return "SIGSEGV, an invalid memory access";
    case SIGBUS:
        return "SIGBUS, an invalid memory access";
    case SIGFPE:
        return "SIGFPE, an arithmetic error such as a division by zero";
    case SIGILL:
        return "SIGILL, an illegal instruction";
    case SIGVTALRM:
        return "no signal but never came back from an event";
    default:
        return "SIGABRT, a failed assertion or abort()";
    }
}

static bool has_caught(const struct sim_world *world, uint64_t hunted)
{
    for (uint32_t c = 0; c < SIM_CHECK_COUNT; c++) {
        if ((hunted >> c & 1) && sim_checks_state(sim_world_checks(world), c)->violated) {
            return true;
        }
    }
    return false;
}

static bool is_cut(const struct runner *runner, const struct sim_world *world)
{
    return (runner->steps_max && sim_world_steps(world) > runner->steps_max) ||
           (runner->stop && *runner->stop);
}

/* In pieces, with a look at the hunt and the limits between. */
static enum sim_stop run(const struct runner *runner, struct sim_world *world, uint64_t until_ns)
{
    if (runner->hunted == 0 && runner->steps_max == 0 && !runner->stop) {
        return sim_world_run(world, until_ns);
    }
    const struct sim_plan *plan = sim_world_plan(world);
    const uint64_t part_ns = (plan->duration_ns + plan->settle_ns) / 256 + 1;
    const uint64_t piece_ns = part_ns < HUNT_STEP_NS ? part_ns : HUNT_STEP_NS;
    enum sim_stop stop = SIM_STOP_TIME;
    for (uint64_t at_ns = sim_world_now_ns(world); stop == SIM_STOP_TIME && at_ns < until_ns;) {
        at_ns = until_ns - at_ns > piece_ns ? at_ns + piece_ns : until_ns;
        stop = sim_world_run(world, at_ns);
        if (has_caught(world, runner->hunted) || is_cut(runner, world)) {
            return stop;
        }
    }
    return stop;
}

enum runner_end runner_begin(struct runner *runner, const struct sim_plan *plan, uint64_t seed,
                             const struct sim_sink *sink, struct sim_world **world)
{
    sim_arena_reset(runner->arena);
    return sim_world_new(world, runner->arena, plan, seed, sink) == SIM_OK ? RUNNER_UNTIL
                                                                           : RUNNER_MEMORY;
}

/* The same, whatever the code of nodes does. */
static enum sim_stop run_guarded(const struct runner *runner, struct sim_world *world,
                                 uint64_t until_ns)
{
    struct sim_world *const volatile kept = world; /* A jump may spoil what is in registers. */
    const int number = sigsetjmp(jump_out, 1);
    if (number == 0) {
        watched_step = UINT64_MAX;
        running = world;
        const enum sim_stop stop = run(runner, world, until_ns);
        running = NULL;
        return stop;
    }
    (void)snprintf(why, sizeof why, "its code raised %s", signal_words(number));
    sim_world_fail(kept, why);
    return SIM_STOP_FAILED;
}

enum runner_end runner_go(struct runner *runner, struct sim_world *world, uint64_t until_ns)
{
    const enum sim_stop stop = run_guarded(runner, world, until_ns);
    if (stop == SIM_STOP_MEMORY) {
        return RUNNER_MEMORY;
    }
    if (stop != SIM_STOP_TIME || has_caught(world, runner->hunted)) {
        return RUNNER_DONE;
    }
    return is_cut(runner, world) ? RUNNER_CUT : RUNNER_UNTIL;
}

enum runner_end runner_run(struct runner *runner, const struct sim_plan *plan, uint64_t seed,
                           const struct sim_sink *sink, struct sim_world **world, uint64_t *wall_ns)
{
    const uint64_t begin_ns = runner_wall_ns();
    enum runner_end end = runner_begin(runner, plan, seed, sink, world);
    if (end != RUNNER_MEMORY) {
        end = runner_go(runner, *world, SIM_NEVER);
        *wall_ns = runner_wall_ns() - begin_ns;
    }
    return end;
}
