/* What is small, said in the fewest and plainest words. Nothing here makes the failure smaller, so
 * a change that needs other seeds still counts. */
#include <stdlib.h>

#include "scenarios/commands/shrink.h"

/* ---- Faults --------------------------------------------------------------------------------- */

/* In the order of their times. */
static bool sort_faults(struct sim_plan *plan)
{
    bool changed = false;
    for (uint32_t i = 1; i < plan->fault_count; i++) {
        const struct sim_fault fault = plan->faults[i];
        uint32_t k = i;
        for (; k > 0 && plan->faults[k - 1].at_ns > fault.at_ns; k--) {
            plan->faults[k] = plan->faults[k - 1];
        }
        plan->faults[k] = fault;
        changed = changed || k != i;
    }
    return changed;
}

static bool moves(const struct sim_selection *selection)
{
    bool any = false;
    for (uint32_t i = 0; i < selection->count; i++) {
        any = any || sim_selector_moves(selection->selectors[i].kind);
    }
    return any;
}

/* A link that is slow, or loses, from begin to end is how the topology is. */
static bool links_into_topology(struct sim_plan *plan)
{
    for (uint32_t i = 0; i < plan->fault_count; i++) {
        const struct sim_fault f = plan->faults[i];
        if (f.kind != SIM_FAULT_LINK || f.at_ns || f.for_ns || f.every_ns || f.when.present ||
            f.peers.count == 0 || moves(&f.targets) || moves(&f.peers) ||
            plan->link_count == SIM_LINK_RULES_MAX) {
            continue;
        }
        struct sim_link_rule *links =
            realloc(plan->links, (plan->link_count + 1) * sizeof *plan->links);
        if (!links) {
            return false;
        }
        plan->links = links;
        plan->links[plan->link_count++] = (struct sim_link_rule){
            .from = f.targets, .to = f.peers, .both_ways = !f.one_way, .change = f.link};
        shrink_remove(plan, SHRINK_FAULTS, i, 1);
        return true;
    }
    return false;
}

/* All or nothing, or a round share. */
static bool round_loss(struct sim_plan *plan, uint32_t ppm)
{
    bool changed = false;
    for (uint32_t i = 0; i < plan->fault_count + plan->link_count; i++) {
        struct sim_link_change *change = i < plan->fault_count
                                             ? &plan->faults[i].link
                                             : &plan->links[i - plan->fault_count].change;
        if ((change->fields >> SIM_LINK_LOSS & 1) && change->knobs.loss_ppm % 10000 != 0) {
            change->knobs.loss_ppm = ppm;
            changed = true;
        }
    }
    return changed;
}

/* ---- Clients -------------------------------------------------------------------------------- */

/* As many attempts as a client makes of which nothing is said. */
static bool standard_attempts(struct sim_plan *plan)
{
    bool changed = false;
    for (uint32_t i = 0; i < plan->workload_count; i++) {
        changed = changed || plan->workloads[i].attempts != 10;
        plan->workloads[i].attempts = 10;
    }
    return changed;
}

/* ---- Together ------------------------------------------------------------------------------- */

static bool try_plan(struct shrink *s, bool (*change)(struct sim_plan *plan))
{
    struct sim_plan candidate;
    if (!shrink_copy(s, &candidate)) {
        return false;
    }
    if (!change(&candidate)) {
        sim_plan_release(&candidate);
        return false;
    }
    return shrink_try(s, &candidate);
}

static bool try_loss(struct shrink *s)
{
    static const uint32_t shares[] = {1000000, 500000, 100000, 50000, 20000, 10000};
    for (size_t i = 0; i < sizeof shares / sizeof *shares; i++) {
        struct sim_plan candidate;
        if (!shrink_copy(s, &candidate)) {
            return false;
        }
        if (!round_loss(&candidate, shares[i])) {
            sim_plan_release(&candidate);
            return false;
        }
        if (shrink_try(s, &candidate)) {
            return true;
        }
    }
    return false;
}

bool shrink_tidy(struct shrink *s)
{
    bool changed = try_loss(s);
    while (try_plan(s, links_into_topology)) {
        changed = true;
    }
    changed = try_plan(s, sort_faults) || changed;
    const uint32_t luck = s->luck;
    s->luck = 0;
    changed = try_plan(s, standard_attempts) || changed;
    s->luck = luck;
    return changed;
}
