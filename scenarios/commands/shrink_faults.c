/* Fewer faults, and simpler ones: without an end, without a spread, between single nodes. */
#include "scenarios/commands/shrink.h"

static bool try_fault(struct shrink *s, uint32_t index, const struct sim_fault *fault)
{
    struct sim_plan candidate;
    if (!shrink_copy(s, &candidate)) {
        return false;
    }
    candidate.faults[index] = *fault;
    return shrink_try(s, &candidate);
}

/* Nobody needs to know when it ends if the failure comes before, or anyhow. */
static bool try_endless(struct shrink *s, uint32_t index)
{
    struct sim_fault f = s->best.faults[index];
    if (f.for_ns == 0) {
        return false;
    }
    f.for_ns = 0;
    return try_fault(s, index, &f);
}

/* One selector less, from the last on. */
static bool try_fewer(struct shrink *s, uint32_t index, bool peers)
{
    bool smaller = false;
    const struct sim_fault *best = &s->best.faults[index];
    for (uint32_t i = peers ? best->peers.count : best->targets.count; i-- > 0;) {
        struct sim_fault f = s->best.faults[index];
        struct sim_selection *selection = peers ? &f.peers : &f.targets;
        if (selection->count < 2) {
            break;
        }
        memmove(&selection->selectors[i], &selection->selectors[i + 1],
                (selection->count - i - 1) * sizeof selection->selectors[0]);
        selection->count--;
        smaller = try_fault(s, index, &f) || smaller;
    }
    return smaller;
}

/* In the middle of its spread. */
static bool settle(struct sim_dist *dist)
{
    if (dist->kind == SIM_DIST_CONSTANT) {
        return false;
    }
    const uint64_t middle =
        sim_dist_sample(dist, (uint64_t)1 << 63, (uint64_t)1 << 63); /* The median, or near it. */
    *dist = (struct sim_dist){.kind = SIM_DIST_CONSTANT, .a = middle, .b = middle};
    return true;
}

static bool try_constant(struct shrink *s, uint32_t index)
{
    struct sim_fault f = s->best.faults[index];
    bool spread = false;
    if (f.kind == SIM_FAULT_LINK) {
        spread = settle(&f.link.knobs.latency);
        spread = settle(&f.link.knobs.jitter) || spread;
    } else if (f.kind == SIM_FAULT_DISK) {
        spread = settle(&f.disk.knobs.sync_latency);
    }
    return spread && try_fault(s, index, &f);
}

bool shrink_faults(struct shrink *s)
{
    bool smaller = shrink_ddmin(s, SHRINK_FAULTS);
    for (uint32_t i = 0; i < s->best.fault_count && !shrink_is_over(s); i++) {
        smaller = try_endless(s, i) || smaller;
        smaller = try_fewer(s, i, false) || smaller;
        smaller = try_fewer(s, i, true) || smaller;
        smaller = try_constant(s, i) || smaller;
    }
    return smaller;
}
