/* Leaps: a failure late in a long run often needs little of what came before. Only the last
 * stretch before it is kept, with a while in front of it for a leader to be found, and other seeds
 * are tried; short runs are cheap, so many can be. Whatever fails is a fraction as long, and all
 * other passes are that much faster. */
#include "scenarios/commands/shrink.h"

#define WARM_UP_NS (2 * SIM_S)     /* Longer than the elections of every kind. */
#define STRETCH_MIN_NS (SIM_S / 2) /* The first that is tried; then twice as long, and so on. */
#define LEAP_LUCK 30               /* Seeds for each stretch, */
#define LEAP_SHARE 4               /* and a quarter of the budget for all leaps. */

/* What happened is over, or it is how the cluster was from then on. */
static bool is_over(const struct sim_fault *f, uint64_t from_ns)
{
    return f->at_ns < from_ns &&
           (!sim_fault_can_end(f->kind) || (f->for_ns && f->at_ns + f->for_ns <= from_ns));
}

/* The moment `from_ns` becomes WARM_UP_NS: what lasts beyond it begins there, what never ends at
 * the very start. */
static void forget_fault(struct sim_fault *f, uint64_t from_ns)
{
    if (f->at_ns >= from_ns) {
        f->at_ns = f->at_ns - from_ns + WARM_UP_NS;
    } else if (f->for_ns) {
        f->for_ns = f->at_ns + f->for_ns - from_ns;
        f->at_ns = WARM_UP_NS;
    } else {
        f->at_ns = 0;
    }
}

static void forget_before(struct sim_plan *plan, uint64_t from_ns)
{
    const uint64_t shift_ns = from_ns - WARM_UP_NS;
    for (uint32_t i = plan->fault_count; i-- > 0;) {
        if (is_over(&plan->faults[i], from_ns)) {
            shrink_remove(plan, SHRINK_FAULTS, i, 1);
        } else {
            forget_fault(&plan->faults[i], from_ns);
        }
    }
    for (uint32_t i = plan->script_count; i-- > 0;) {
        if (plan->script[i].at_ns < shift_ns) {
            shrink_remove(plan, SHRINK_SCRIPT, i, 1);
        } else {
            plan->script[i].at_ns -= shift_ns;
        }
    }
    for (uint32_t i = 0; i < plan->workload_count; i++) {
        struct sim_workload *w = &plan->workloads[i];
        w->start_ns = w->start_ns > shift_ns ? w->start_ns - shift_ns : 0;
        w->stop_ns = w->stop_ns == SIM_NEVER ? SIM_NEVER
                     : w->stop_ns > shift_ns ? w->stop_ns - shift_ns
                                             : 1;
    }
    plan->duration_ns -= shift_ns;
}

/* The end of what matters: the failure, or the moment from which progress is demanded. */
static uint64_t end_of(const struct shrink *s)
{
    return s->failure.at_ns < s->best.duration_ns ? s->failure.at_ns : s->best.duration_ns;
}

static bool leap(struct shrink *s, uint64_t steps_max)
{
    const uint64_t end_ns = end_of(s);
    for (uint64_t stretch_ns = STRETCH_MIN_NS; stretch_ns + WARM_UP_NS < end_ns / 4 * 3;
         stretch_ns *= 2) {
        struct sim_plan candidate;
        if (s->steps > steps_max || !shrink_copy(s, &candidate)) {
            return false;
        }
        forget_before(&candidate, end_ns - stretch_ns);
        if (shrink_try(s, &candidate)) {
            return true;
        }
    }
    return false;
}

bool shrink_leap(struct shrink *s)
{
    const uint32_t luck = s->luck;
    const uint64_t steps_max = s->steps + s->budget / LEAP_SHARE;
    bool smaller = false;
    if (s->best.swarm_count > 0) {
        return false; /* Faults that are drawn know no time to forget. */
    }
    s->luck = LEAP_LUCK;
    while (leap(s, steps_max)) {
        smaller = true;
    }
    s->luck = luck;
    return smaller;
}
