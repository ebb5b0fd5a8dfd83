/* The order of the passes. What makes runs short comes first; every round allows more luck: more
 * other seeds for a change that does not fail with its own, since whatever is taken away moves
 * what chance does to the rest. */
#include "scenarios/commands/shrink.h"

void shrink_size(const struct sim_plan *plan, const struct shrink_failure *failure,
                 struct shrink_size *size)
{
    *size = (struct shrink_size){.faults = plan->fault_count,
                                 .fates = plan->fate_count,
                                 .operations = failure->operations,
                                 .duration_ns = plan->duration_ns};
    for (uint32_t i = 0; i < plan->node_count; i++) {
        size->nodes += plan->nodes[i].kind != NULL;
        size->clients += plan->nodes[i].kind == NULL;
    }
}

void shrink_measure(struct shrink *s)
{
    struct shrink_watch watch;
    struct sim_world *world;
    size_t faults = s->best.fault_count;
    if (shrink_watch(s, 0, &watch, &world)) {
        (void)sim_world_faults(world, &faults);
    }
    shrink_watch_release(&watch);
    shrink_size(&s->best, &s->failure, &s->before);
    s->before.faults = (uint32_t)faults;
}

/* ---- From one failing run ------------------------------------------------------------------- */

/* Only what the target needs: its check, and a demand for progress only if that finds it. */
static bool try_target(struct shrink *s, uint64_t settle_ns)
{
    struct sim_plan candidate;
    if (!shrink_copy(s, &candidate)) {
        return false;
    }
    candidate.checks = UINT64_C(1) << s->target.check;
    candidate.settle_ns = settle_ns;
    return shrink_try(s, &candidate);
}

static bool only_target(struct shrink *s)
{
    return try_target(s, 0) || (s->best.settle_ns && try_target(s, s->best.settle_ns));
}

static bool pass(struct shrink *s, const char *name, bool (*run)(struct shrink *s))
{
    s->pass = name;
    return !shrink_is_over(s) && run(s);
}

static bool round_of_passes(struct shrink *s)
{
    bool smaller = pass(s, "clients", shrink_scripts);
    smaller = pass(s, "operations", shrink_script) || smaller;
    smaller = pass(s, "faults", shrink_faults) || smaller;
    smaller = pass(s, "clients", shrink_sessions) || smaller;
    smaller = pass(s, "nodes", shrink_nodes) || smaller;
    smaller = pass(s, "settings", shrink_knobs) || smaller;
    return pass(s, "time", shrink_time) || smaller;
}

static void rounds(struct shrink *s, uint32_t luck)
{
    s->luck = luck;
    for (int again = 0; again < 3 && round_of_passes(s) && !shrink_is_over(s); again++) {
    }
}

static void begin(struct shrink *s)
{
    s->luck = 0;
    (void)pass(s, "checks", only_target);
    (void)pass(s, "chance", shrink_concrete);
    (void)pass(s, "leaps", shrink_leap);
    (void)pass(s, "clients", shrink_workloads);
    rounds(s, 0);
    rounds(s, 3);
}

/* ---- From others ---------------------------------------------------------------------------- */

#define CAUSES_SMALL 10 /* What a person reads at a glance. */
#define OPERATIONS_SMALL 20
#define STARTS_MAX 4    /* For less, so many other failing seeds are tried, */
#define START_SEEDS 500 /* among so many. */

/* A fault says more than an operation. */
static uint64_t weight(const struct shrink *s)
{
    return 2 * (s->best.fault_count + s->best.fate_count) + s->failure.operations;
}

bool shrink_is_small(const struct shrink *s)
{
    return s->best.fault_count + s->best.fate_count <= CAUSES_SMALL &&
           s->failure.operations <= OPERATIONS_SMALL;
}

static bool start_with(struct shrink *s, uint64_t seed)
{
    struct sim_plan candidate;
    s->luck = 0;
    s->pass = "other seeds";
    if (seed == s->original_seed || sim_plan_copy(&candidate, &s->original->plan) != SIM_OK) {
        return false;
    }
    candidate.seed = seed;
    return shrink_try(s, &candidate);
}

/* Some failures are an intricate piece of luck of their run, and stay large; with another seed of
 * the same scenario the same check may fail for simpler reasons. */
static void start_elsewhere(struct shrink *s)
{
    struct shrink branch;
    uint32_t starts = 0;
    if (!shrink_branch(s, &branch)) {
        return;
    }
    for (uint64_t seed = 1; seed <= START_SEEDS && starts < STARTS_MAX && !shrink_is_small(s) &&
                            !shrink_is_over(&branch);
         seed++) {
        if (start_with(&branch, seed)) {
            starts++;
            begin(&branch);
            if (weight(&branch) < weight(s)) {
                shrink_take(s, &branch);
            }
        }
    }
    shrink_join(s, &branch, false);
}

void shrink_all(struct shrink *s)
{
    begin(s);
    if (!shrink_is_small(s)) {
        start_elsewhere(s);
    }
    rounds(s, 10);
    rounds(s, 30);
    if (pass(s, "messages", shrink_fates)) {
        rounds(s, 10); /* Without chance on the links less may do. */
    }
    s->luck = 10;
    (void)pass(s, "round numbers", shrink_round);
    (void)pass(s, "words", shrink_tidy);
}
