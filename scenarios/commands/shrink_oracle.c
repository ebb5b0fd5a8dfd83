/* Does a plan still fail the same way? The same check is violated; a crash is for the same
 * reason; a cluster that was stuck is stuck. Which node it is, and when, may change. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "scenarios/commands/shrink.h"

#define RUN_STEPS 500 /* What making a world costs, in steps, so that small runs count too. */

static volatile sig_atomic_t stopped;

static void on_stop(int number)
{
    (void)number;
    stopped = 1;
}

void shrink_catch_stop(void)
{
    struct sigaction action = {.sa_handler = on_stop, .sa_flags = (int)SA_RESETHAND};
    (void)sigemptyset(&action.sa_mask);
    stopped = 0;
    (void)sigaction(SIGINT, &action, NULL); /* A second Ctrl-C ends the program at once. */
    (void)sigaction(SIGTERM, &action, NULL);
}

bool shrink_was_stopped(void)
{
    return stopped != 0;
}

bool shrink_is_over(const struct shrink *s)
{
    return stopped || s->problem[0] || s->steps >= s->budget;
}

/* ---- One run -------------------------------------------------------------------------------- */

/* "n2 failed: its code raised SIGSEGV" -> what is behind the name. */
static const char *crash_of(const char *detail)
{
    const char *words = strstr(detail, " failed: ");
    return words ? words : detail;
}

/* A hunt ends before the verdict of a check that watches is final; one that judges has spoken. */
static uint32_t verdict_of(const struct sim_check_state *state)
{
    return state->judged ? state->verdict : SIM_VIOLATED;
}

static bool fits(const struct shrink_target *target, const struct sim_check_state *state)
{
    return state->violated && verdict_of(state) == target->verdict &&
           (!target->crash[0] || strcmp(crash_of(state->detail), target->crash) == 0);
}

/* Those that clients begin to see whether there is progress are not the scenario's. */
static uint64_t operations_of(const struct sim_world *world, uint64_t until_ns)
{
    size_t count;
    const struct sim_history_row *rows = sim_world_history(world, &count);
    while (count > 0 && rows[count - 1].invoke_ns > until_ns) {
        count--;
    }
    return count;
}

static bool fails(struct shrink *s, const struct sim_plan *plan, uint64_t seed,
                  struct shrink_failure *failure)
{
    /* A change that makes a run much longer than the one at hand is no help. */
    struct sim_world *world;
    uint64_t wall_ns;
    s->runner.steps_max = 3 * s->failure.steps + 20000;
    const enum runner_end end = runner_run(&s->runner, plan, seed, NULL, &world, &wall_ns);
    s->runs++;
    s->steps += RUN_STEPS;
    if (end == RUNNER_MEMORY) {
        return false;
    }
    s->steps += sim_world_steps(world);
    const struct sim_check_state *state =
        sim_checks_state(sim_world_checks(world), s->target.check);
    if (end != RUNNER_DONE || !fits(&s->target, state)) {
        return false;
    }
    *failure = (struct shrink_failure){.at_ns = state->at_ns,
                                       .steps = sim_world_steps(world),
                                       .operations = operations_of(world, plan->duration_ns)};
    memcpy(failure->detail, state->detail, sizeof failure->detail);
    return true;
}

/* With its own seed, else with one of the first few. */
static bool fails_with_luck(struct shrink *s, struct sim_plan *plan, struct shrink_failure *failure)
{
    const uint64_t own = plan->seed;
    if (fails(s, plan, own, failure)) {
        return true;
    }
    for (uint64_t seed = 1; seed <= s->luck && !shrink_is_over(s); seed++) {
        if (seed != own && fails(s, plan, seed, failure)) {
            plan->seed = seed;
            return true;
        }
    }
    return false;
}

/* ---- The file ------------------------------------------------------------------------------- */

/* As a whole or not at all: what is in the file is always a scenario that fails. */
static bool write_file(struct shrink *s, const char *text)
{
    char name[1024];
    const int length = snprintf(name, sizeof name, "%s.part", s->out);
    FILE *file = length < (int)sizeof name ? fopen(name, "w") : NULL;
    bool good = file && fputs(text, file) >= 0;
    good = file && fclose(file) == 0 && good;
    if (!good || rename(name, s->out) != 0) {
        (void)snprintf(s->problem, sizeof s->problem, "%.100s: cannot be written: %s", s->out,
                       length < (int)sizeof name ? strerror(errno) : "its name is too long");
        (void)remove(name);
        return false;
    }
    return true;
}

bool shrink_write(struct shrink *s)
{
    char *text = shrink_text(s, &s->best, &s->failure);
    const bool good = text && (!s->out || write_file(s, text));
    free(text);
    return good;
}

static bool same_plan(const struct sim_plan *a, const struct sim_plan *b)
{
    const size_t size = sim_plan_write(a, NULL, 0);
    if (size != sim_plan_write(b, NULL, 0)) {
        return false;
    }
    uint8_t *bytes = malloc(2 * size);
    bool same = bytes != NULL;
    if (bytes) {
        (void)sim_plan_write(a, bytes, size);
        (void)sim_plan_write(b, bytes + size, size);
        same = memcmp(bytes, bytes + size, size) == 0;
    }
    free(bytes);
    return same;
}

/* Put the plan into a scenario's words and back, as whoever gets the file will: what is kept is
 * what that gives. NULL if it is another plan that does not fail; the text to be freed. */
static char *settle(struct shrink *s, struct sim_plan *plan, struct shrink_failure *failure)
{
    struct scenario again;
    char *text = shrink_text(s, plan, failure);
    if (!text) {
        return NULL;
    }
    bool good =
        scenario_parse(&again, s->out ? s->out : "shrunk", text, strlen(text), NULL, 0) == SIM_OK;
    good = good && (same_plan(plan, &again.plan) || fails(s, &again.plan, plan->seed, failure));
    if (good) {
        sim_plan_release(plan);
        *plan = again.plan;
        memset(&again.plan, 0, sizeof again.plan);
    }
    scenario_release(&again);
    if (!good) {
        free(text);
        return NULL;
    }
    return text;
}

/* ---- Trying --------------------------------------------------------------------------------- */

bool shrink_copy(struct shrink *s, struct sim_plan *candidate)
{
    if (shrink_is_over(s)) {
        return false;
    }
    if (sim_plan_copy(candidate, &s->best) != SIM_OK) {
        (void)snprintf(s->problem, sizeof s->problem, "out of memory");
        return false;
    }
    return true;
}

/* Time behind the failure is of no use, but for a little, in which other seeds may fail. */
static void cut_duration(struct sim_plan *plan, const struct shrink_failure *failure)
{
    const uint64_t enough_ns = failure->at_ns + failure->at_ns / 4 + 100 * SIM_MS;
    if (plan->settle_ns == 0 && plan->duration_ns > enough_ns) {
        plan->duration_ns = enough_ns;
    }
}

bool shrink_try(struct shrink *s, struct sim_plan *candidate)
{
    struct shrink_failure failure;
    s->tries++;
    if (s->progress) {
        s->progress(s);
    }
    char *text = NULL;
    if (!sim_plan_problem(candidate) && fails_with_luck(s, candidate, &failure)) {
        cut_duration(candidate, &failure);
        text = settle(s, candidate, &failure);
    }
    if (!text || (s->out && !write_file(s, text))) {
        sim_plan_release(candidate);
        free(text);
        return false;
    }
    sim_plan_release(&s->best);
    s->best = *candidate;
    s->failure = failure;
    s->kept++;
    free(text);
    return true;
}

/* ---- The first ------------------------------------------------------------------------------ */

/* What the first run came to: the check that was violated, or got stuck, first. */
static uint32_t first_finding(const struct sim_checks *checks)
{
    uint32_t found = SIM_CHECK_COUNT;
    for (uint32_t c = 0; c < SIM_CHECK_COUNT; c++) {
        const struct sim_check_state *state = sim_checks_state(checks, c);
        if (state->violated &&
            (found == SIM_CHECK_COUNT || state->event < sim_checks_state(checks, found)->event)) {
            found = c;
        }
    }
    return found;
}

bool shrink_first(struct shrink *s, const struct sim_plan *plan, uint64_t seed, uint32_t check)
{
    struct sim_world *world;
    uint64_t wall_ns;
    s->runner.stop = &stopped;
    s->runner.hunted = check == SIM_CHECK_COUNT ? UINT64_MAX : UINT64_C(1) << check;
    const enum runner_end end = runner_run(&s->runner, plan, seed, NULL, &world, &wall_ns);
    if (end == RUNNER_MEMORY) {
        (void)snprintf(s->problem, sizeof s->problem, "the world needs more than %zu MiB",
                       plan->memory_bytes >> 20);
        return false;
    }
    const uint32_t found =
        check == SIM_CHECK_COUNT ? first_finding(sim_world_checks(world)) : check;
    if (found == SIM_CHECK_COUNT) {
        return false;
    }
    const struct sim_check_state *state = sim_checks_state(sim_world_checks(world), found);
    if (!state->violated) {
        return false;
    }
    s->target = (struct shrink_target){.check = found, .verdict = verdict_of(state)};
    if (found == SIM_CHECK_CRASH_FREE) {
        (void)snprintf(s->target.crash, sizeof s->target.crash, "%s", crash_of(state->detail));
    }
    s->runner.hunted = UINT64_C(1) << found;
    s->failure.steps = sim_world_steps(world);
    s->original_seed = seed;
    if (sim_plan_copy(&s->best, plan) != SIM_OK) {
        (void)snprintf(s->problem, sizeof s->problem, "out of memory");
        return false;
    }
    s->best.seed = seed;
    struct shrink_failure failure;
    if (!fails(s, &s->best, seed, &failure)) {
        return false; /* Stopped. */
    }
    s->failure = failure;
    shrink_measure(s);
    return true;
}
