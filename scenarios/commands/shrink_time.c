/* Shorter times. Events are what the scenario does: begins and ends of faults, and the steps of
 * scripts. */
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

/* A stuck cluster needs no time after the last event, but for a little to get stuck in. */
static bool shorten_tail(struct shrink *s)
{
    uint64_t last_ns = 0;
    uint64_t next_ns;
    while ((next_ns = next_event(&s->best, last_ns + 1)) != SIM_NEVER) {
        last_ns = next_ns;
    }
    for (uint64_t tail_ns = SIM_S / 2; last_ns + tail_ns < s->best.duration_ns / 4 * 3;
         tail_ns *= 2) {
        struct sim_plan candidate;
        if (!shrink_copy(s, &candidate)) {
            return false;
        }
        candidate.duration_ns = last_ns + tail_ns;
        if (shrink_try(s, &candidate)) {
            return true;
        }
    }
    return false;
}

bool shrink_time(struct shrink *s)
{
    bool smaller = s->best.settle_ns > 0 && shorten_tail(s);
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
