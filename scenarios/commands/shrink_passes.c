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

/* How large the run is that is shrunk: the drawn faults count, too. */
static void measure_first(struct shrink *s)
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

/* Only what the target needs: its check, the time until it, no demand for progress. */
static bool only_target(struct shrink *s)
{
    struct sim_plan candidate;
    if (!shrink_copy(s, &candidate)) {
        return false;
    }
    candidate.checks = UINT64_C(1) << s->target.check;
    candidate.settle_ns = s->target.check == SIM_CHECK_LIVENESS ? candidate.settle_ns : 0;
    return shrink_try(s, &candidate);
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

void shrink_all(struct shrink *s)
{
    static const uint32_t luck[] = {0, 3, 10, 30};
    measure_first(s);
    s->luck = 0;
    (void)pass(s, "checks", only_target);
    (void)pass(s, "chance", shrink_concrete);
    (void)pass(s, "leaps", shrink_leap);
    (void)pass(s, "clients", shrink_workloads);
    for (size_t i = 0; i < sizeof luck / sizeof *luck && !shrink_is_over(s); i++) {
        s->luck = luck[i];
        for (int again = 0; again < 3 && round_of_passes(s) && !shrink_is_over(s); again++) {
        }
    }
    s->luck = 10;
    s->pass = "round numbers";
    shrink_round(s);
}
