/* Times as people write them: seconds before halves, tenths and thousandths of one. */
#include "scenarios/commands/shrink.h"

static const uint64_t units_ns[] = {SIM_S,       500 * SIM_MS, 100 * SIM_MS, 50 * SIM_MS,
                                    10 * SIM_MS, 5 * SIM_MS,   SIM_MS,       100 * SIM_US,
                                    10 * SIM_US, SIM_US};
#define UNITS (sizeof units_ns / sizeof *units_ns)

static uint64_t rounded(uint64_t ns, uint64_t unit_ns)
{
    return (ns + unit_ns / 2) / unit_ns * unit_ns;
}

/* ---- Moments: begins, lengths, steps, delays of fates --------------------------------------- */

static uint32_t moment_count(const struct sim_plan *plan)
{
    return 2 * plan->fault_count + plan->script_count + plan->fate_count;
}

static bool is_length(const struct sim_plan *plan, uint32_t index)
{
    return index < 2 * plan->fault_count && index % 2 == 1;
}

static uint64_t *moment(struct sim_plan *plan, uint32_t index)
{
    if (index < 2 * plan->fault_count) {
        struct sim_fault *f = &plan->faults[index / 2];
        return index % 2 == 0 ? &f->at_ns : &f->for_ns;
    }
    index -= 2 * plan->fault_count;
    if (index < plan->script_count) {
        return &plan->script[index].at_ns;
    }
    return &plan->fates[index - plan->script_count].delay_ns;
}

/* Steps are in the order of their times. */
static void sort_script(struct sim_plan *plan)
{
    for (uint32_t i = 1; i < plan->script_count; i++) {
        const struct sim_script_step step = plan->script[i];
        uint32_t k = i;
        for (; k > 0 && plan->script[k - 1].at_ns > step.at_ns; k--) {
            plan->script[k] = plan->script[k - 1];
        }
        plan->script[k] = step;
    }
}

/* All moments to a unit at once; true if that is what they are then. */
static bool try_all(struct shrink *s, uint64_t unit_ns)
{
    struct sim_plan candidate;
    bool changed = false;
    if (!shrink_copy(s, &candidate)) {
        return false;
    }
    for (uint32_t i = 0; i < moment_count(&candidate); i++) {
        uint64_t *ns = moment(&candidate, i);
        const uint64_t round_ns = rounded(*ns, unit_ns);
        if (*ns != round_ns && !(is_length(&candidate, i) && round_ns == 0)) {
            *ns = round_ns;
            changed = true;
        }
    }
    sort_script(&candidate);
    if (!changed) {
        sim_plan_release(&candidate);
        return true;
    }
    return shrink_try(s, &candidate);
}

static bool try_moment(struct shrink *s, uint32_t index, uint64_t ns)
{
    struct sim_plan candidate;
    if (!shrink_copy(s, &candidate)) {
        return false;
    }
    *moment(&candidate, index) = ns;
    sort_script(&candidate);
    return shrink_try(s, &candidate);
}

/* One moment to the coarsest unit that does: to the nearest multiple, or the one on its other
 * side. A length of nothing would be for ever. */
static void round_one(struct shrink *s, uint32_t index)
{
    const uint64_t ns = *moment(&s->best, index);
    for (size_t u = 0; u < UNITS && !shrink_is_over(s); u++) {
        const uint64_t near_ns = rounded(ns, units_ns[u]);
        const uint64_t far_ns = near_ns > ns ? near_ns - units_ns[u] : near_ns + units_ns[u];
        const bool never = is_length(&s->best, index);
        if (ns == near_ns || (!(never && near_ns == 0) && try_moment(s, index, near_ns)) ||
            (!(never && far_ns == 0) && far_ns < 2 * ns + 10 * SIM_MS &&
             try_moment(s, index, far_ns))) {
            return;
        }
    }
}

/* ---- Latencies and the end ------------------------------------------------------------------ */

static void round_latencies(struct shrink *s, uint64_t unit_ns)
{
    struct sim_plan candidate;
    bool changed = false;
    if (!shrink_copy(s, &candidate)) {
        return;
    }
    for (uint32_t i = 0; i < candidate.fault_count + candidate.link_count; i++) {
        struct sim_dist *dist =
            i < candidate.fault_count
                ? &candidate.faults[i].link.knobs.latency
                : &candidate.links[i - candidate.fault_count].change.knobs.latency;
        const bool link = i >= candidate.fault_count || candidate.faults[i].kind == SIM_FAULT_LINK;
        const uint64_t round_ns = rounded(dist->a, unit_ns);
        if (link && dist->kind == SIM_DIST_CONSTANT && dist->cap == 0 && round_ns &&
            round_ns != dist->a) {
            changed = true;
            dist->a = round_ns;
            dist->b = dist->b ? dist->a : 0;
        }
    }
    if (changed) {
        (void)shrink_try(s, &candidate);
    } else {
        sim_plan_release(&candidate);
    }
}

/* A duration that ends soon after the failure; one after which progress is demanded may be longer
 * than it was. */
static void round_duration(struct shrink *s)
{
    const bool demand = s->best.settle_ns > 0;
    const uint64_t end_ns = demand ? s->best.duration_ns : s->failure.at_ns + 1;
    for (size_t u = 0; u < UNITS && !shrink_is_over(s); u++) {
        struct sim_plan candidate;
        const uint64_t round_ns = (end_ns + units_ns[u] - 1) / units_ns[u] * units_ns[u];
        if (round_ns > (demand ? 2 : 1) * end_ns + end_ns / 4) {
            continue;
        }
        if (round_ns == s->best.duration_ns || !shrink_copy(s, &candidate)) {
            return;
        }
        candidate.duration_ns = round_ns;
        if (shrink_try(s, &candidate)) {
            return;
        }
    }
}

static void smallest_seed(struct shrink *s)
{
    for (uint64_t seed = 1; seed <= 20 && seed < s->best.seed; seed++) {
        struct sim_plan candidate;
        if (!shrink_copy(s, &candidate)) {
            return;
        }
        candidate.seed = seed;
        if (shrink_try(s, &candidate)) {
            return;
        }
    }
}

bool shrink_round(struct shrink *s)
{
    const uint64_t kept = s->kept;
    for (size_t u = 0; u < UNITS && !shrink_is_over(s); u++) {
        if (try_all(s, units_ns[u])) {
            break;
        }
    }
    for (size_t u = 0; u < UNITS && !shrink_is_over(s); u++) {
        round_latencies(s, units_ns[u]);
    }
    for (uint32_t i = 0; i < moment_count(&s->best); i++) {
        round_one(s, i);
    }
    const uint32_t luck = s->luck;
    s->luck = 0;
    smallest_seed(s);
    round_duration(s);
    s->luck = luck;
    return s->kept > kept;
}
