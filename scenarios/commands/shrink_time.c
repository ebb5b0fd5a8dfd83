/* Shorter and rounder times. Events are what the scenario does: begins and ends of faults, and
 * the steps of scripts. */
#include "scenarios/commands/shrink.h"

/* ---- Gaps ----------------------------------------------------------------------------------- */

/* The first event at or after a time; SIM_NEVER if there is none. */
static uint64_t next_event(const struct sim_plan *plan, uint64_t time_ns)
{
    uint64_t next = SIM_NEVER;
    for (uint32_t i = 0; i < plan->fault_count; i++) {
        const struct sim_fault *f = &plan->faults[i];
        const uint64_t end_ns = f->for_ns ? f->at_ns + f->for_ns : 0;
        next = f->at_ns >= time_ns && f->at_ns < next ? f->at_ns : next;
        next = end_ns >= time_ns && end_ns < next ? end_ns : next;
    }
    for (uint32_t i = 0; i < plan->script_count; i++) {
        const uint64_t at_ns = plan->script[i].at_ns;
        next = at_ns >= time_ns && at_ns < next ? at_ns : next;
    }
    return next;
}

/* Everything from `from_ns` on comes earlier. */
static void pull(struct sim_plan *plan, uint64_t from_ns, uint64_t by_ns)
{
    for (uint32_t i = 0; i < plan->fault_count; i++) {
        struct sim_fault *f = &plan->faults[i];
        const uint64_t end_ns = f->for_ns ? f->at_ns + f->for_ns : 0;
        const uint64_t new_end_ns = end_ns >= from_ns ? end_ns - by_ns : end_ns;
        f->at_ns -= f->at_ns >= from_ns ? by_ns : 0;
        f->for_ns = end_ns ? new_end_ns - f->at_ns : 0;
        f->for_ns += end_ns && f->for_ns == 0; /* 0 would be for ever. */
    }
    for (uint32_t i = 0; i < plan->script_count; i++) {
        plan->script[i].at_ns -= plan->script[i].at_ns >= from_ns ? by_ns : 0;
    }
}

#define GAP_MIN_NS (20 * SIM_MS) /* Shorter ones are as good as none. */

/* The time between two events, to nothing, a half, three quarters. */
static bool shorten_gap(struct shrink *s, uint64_t begin_ns, uint64_t end_ns)
{
    const uint64_t gap_ns = end_ns - begin_ns;
    for (uint32_t quarters = 4; quarters > 0 && gap_ns > GAP_MIN_NS; quarters /= 2) {
        struct sim_plan candidate;
        if (!shrink_copy(s, &candidate)) {
            return false;
        }
        pull(&candidate, end_ns, gap_ns / 4 * quarters);
        if (shrink_try(s, &candidate)) {
            return true;
        }
    }
    return false;
}

bool shrink_time(struct shrink *s)
{
    bool smaller = false;
    uint64_t begin_ns = 0;
    uint64_t end_ns;
    while ((end_ns = next_event(&s->best, begin_ns + 1)) != SIM_NEVER && !shrink_is_over(s)) {
        if (shorten_gap(s, begin_ns, end_ns)) {
            smaller = true;
        } else {
            begin_ns = end_ns;
        }
    }
    return smaller;
}

/* ---- Round numbers -------------------------------------------------------------------------- */

static const uint64_t units_ns[] = {SIM_S,       500 * SIM_MS, 100 * SIM_MS, 50 * SIM_MS,
                                    10 * SIM_MS, 5 * SIM_MS,   SIM_MS,       100 * SIM_US};
#define UNITS (sizeof units_ns / sizeof *units_ns)

static uint64_t rounded(uint64_t ns, uint64_t unit_ns)
{
    return (ns + unit_ns / 2) / unit_ns * unit_ns;
}

/* The moments of a plan, as one list: begins, lengths, steps, latencies. */
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
    index -= plan->script_count;
    return index < plan->fate_count ? &plan->fates[index].delay_ns : NULL;
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

static bool round_moment(uint64_t *ns, uint64_t unit_ns, bool is_length)
{
    const uint64_t round_ns = rounded(*ns, unit_ns);
    const bool changed = *ns != round_ns && !(is_length && round_ns == 0);
    *ns = changed ? round_ns : *ns;
    return changed;
}

/* Some moments, or only one, to this unit. */
static bool try_round(struct shrink *s, uint32_t first, uint32_t end, uint64_t unit_ns)
{
    struct sim_plan candidate;
    if (!shrink_copy(s, &candidate)) {
        return false;
    }
    bool changed = false;
    for (uint32_t i = first; i < end; i++) {
        uint64_t *ns = moment(&candidate, i);
        const bool is_length = i < 2 * candidate.fault_count && i % 2 == 1;
        changed = (ns && round_moment(ns, unit_ns, is_length)) || changed;
    }
    sort_script(&candidate);
    if (!changed) {
        sim_plan_release(&candidate);
        return true;
    }
    return shrink_try(s, &candidate);
}

static void round_latencies(struct shrink *s, uint64_t unit_ns)
{
    struct sim_plan candidate;
    if (!shrink_copy(s, &candidate)) {
        return;
    }
    bool changed = false;
    for (uint32_t i = 0; i < candidate.fault_count + candidate.link_count; i++) {
        struct sim_dist *dist =
            i < candidate.fault_count
                ? &candidate.faults[i].link.knobs.latency
                : &candidate.links[i - candidate.fault_count].change.knobs.latency;
        const bool link = i >= candidate.fault_count || candidate.faults[i].kind == SIM_FAULT_LINK;
        if (link && dist->kind == SIM_DIST_CONSTANT && dist->cap == 0) {
            changed = round_moment(&dist->a, unit_ns, true) || changed;
            dist->b = dist->b ? dist->a : 0;
        }
    }
    if (changed) {
        (void)shrink_try(s, &candidate);
    } else {
        sim_plan_release(&candidate);
    }
}

/* A duration that ends soon after the failure. */
static void round_duration(struct shrink *s)
{
    for (size_t u = 0; u < UNITS && !shrink_is_over(s); u++) {
        struct sim_plan candidate;
        const uint64_t end_ns = s->failure.at_ns + 1;
        const uint64_t round_ns = (end_ns + units_ns[u] - 1) / units_ns[u] * units_ns[u];
        if (s->best.settle_ns > 0 || round_ns > end_ns + end_ns / 4 ||
            round_ns == s->best.duration_ns || !shrink_copy(s, &candidate)) {
            continue;
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

void shrink_round(struct shrink *s)
{
    const uint32_t luck = s->luck;
    for (size_t u = 0; u < UNITS && !shrink_is_over(s); u++) {
        const uint32_t count = 2 * s->best.fault_count + s->best.script_count + s->best.fate_count;
        if (try_round(s, 0, count, units_ns[u])) {
            break;
        }
    }
    for (size_t u = 0; u < UNITS && !shrink_is_over(s); u++) {
        round_latencies(s, units_ns[u]);
    }
    /* One by one, coarser where that does. */
    s->luck = luck < 3 ? luck : 3;
    const uint32_t count = 2 * s->best.fault_count + s->best.script_count + s->best.fate_count;
    for (uint32_t i = 0; i < count; i++) {
        for (size_t u = 0; u < UNITS && !shrink_is_over(s); u++) {
            if (try_round(s, i, i + 1, units_ns[u])) {
                break;
            }
        }
    }
    s->luck = 0;
    smallest_seed(s);
    round_duration(s);
    s->luck = luck;
}
