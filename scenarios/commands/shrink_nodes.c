/* Fewer nodes. Those that stay are numbered anew, so that the scenario can say them; with their
 * names they change the streams of chance that are theirs, so other seeds may be needed. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "scenarios/commands/shrink.h"

/* ---- Numbered anew -------------------------------------------------------------------------- */

struct renumbering {
    const uint32_t *nodes; /* SIM_NOBODY: gone. */
    uint32_t groups[SIM_NODES_MAX];
};

/* False if it named somebody and now names nobody. */
static bool map_selection(const struct renumbering *r, struct sim_selection *selection)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < selection->count; i++) {
        struct sim_selector s = selection->selectors[i];
        if (s.kind == SIM_SELECT_NODE) {
            s.index = r->nodes[s.index];
        } else if (s.kind == SIM_SELECT_GROUP) {
            s.index = r->groups[s.index];
        }
        if (s.index != SIM_NOBODY) {
            selection->selectors[kept++] = s;
        }
    }
    const bool named = kept > 0 || selection->count == 0;
    selection->count = kept;
    return named;
}

static void name_member(char *name, const char *group, uint32_t number, uint32_t count)
{
    char text[SIM_NAME_MAX + 16];
    if (count == 1) {
        (void)snprintf(text, sizeof text, "%s", group);
    } else {
        (void)snprintf(text, sizeof text, "%s%" PRIu32, group, number);
    }
    (void)snprintf(name, SIM_NAME_MAX, "%.*s", SIM_NAME_MAX - 1, text);
}

static uint32_t survivors(const struct renumbering *r, uint32_t first, uint32_t count)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < count; i++) {
        kept += r->nodes[first + i] != SIM_NOBODY;
    }
    return kept;
}

static void renumber_groups(struct sim_plan *plan, struct renumbering *r)
{
    uint32_t groups = 0;
    uint32_t nodes = 0;
    for (uint32_t g = 0; g < plan->group_count; g++) {
        struct sim_plan_group group = plan->groups[g];
        const uint32_t kept = survivors(r, group.first_node, group.node_count);
        r->groups[g] = kept ? groups : SIM_NOBODY;
        group.first_node = nodes;
        group.node_count = kept;
        nodes += kept;
        if (kept) {
            plan->groups[groups++] = group;
        }
    }
    plan->group_count = groups;
}

static void renumber_workloads(struct sim_plan *plan, const struct renumbering *r)
{
    uint32_t workloads = 0;
    uint32_t nodes = 0;
    for (uint32_t g = 0; g < plan->group_count; g++) {
        nodes += plan->groups[g].node_count;
    }
    for (uint32_t i = 0; i < plan->workload_count; i++) {
        struct sim_workload w = plan->workloads[i];
        const uint32_t kept = survivors(r, w.first_client, w.client_count);
        w.first_client = nodes;
        w.client_count = kept;
        w.target_group = r->groups[w.target_group];
        nodes += kept;
        if (kept) {
            plan->workloads[workloads++] = w;
        }
    }
    plan->workload_count = workloads;
}

/* Groups and workloads know by now who is theirs. */
static void renumber_nodes(struct sim_plan *plan, const struct renumbering *r)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < plan->node_count; i++) {
        if (r->nodes[i] != SIM_NOBODY) {
            plan->nodes[kept++] = plan->nodes[i];
        }
    }
    plan->node_count = kept;
    for (uint32_t g = 0; g < plan->group_count; g++) {
        const struct sim_plan_group *group = &plan->groups[g];
        for (uint32_t i = 0; i < group->node_count; i++) {
            struct sim_plan_node *node = &plan->nodes[group->first_node + i];
            node->group = g;
            name_member(node->name, group->name, i + 1, group->node_count);
        }
    }
    for (uint32_t g = 0; g < plan->workload_count; g++) {
        const struct sim_workload *w = &plan->workloads[g];
        for (uint32_t i = 0; i < w->client_count; i++) {
            struct sim_plan_node *node = &plan->nodes[w->first_client + i];
            node->group = g;
            name_member(node->name, w->name, i + 1, w->client_count);
        }
    }
}

static void renumber_faults(struct sim_plan *plan, const struct renumbering *r)
{
    for (uint32_t i = plan->fault_count; i-- > 0;) {
        struct sim_fault *f = &plan->faults[i];
        const bool targets = map_selection(r, &f->targets);
        const bool peers = map_selection(r, &f->peers);
        const bool facts = !f->when.present || map_selection(r, &f->when.nodes);
        if (!targets || !peers || !facts) {
            shrink_remove(plan, SHRINK_FAULTS, i, 1);
        }
    }
    for (uint32_t i = plan->link_count; i-- > 0;) {
        const bool from = map_selection(r, &plan->links[i].from);
        if (!map_selection(r, &plan->links[i].to) || !from) {
            shrink_remove(plan, SHRINK_LINKS, i, 1);
        }
    }
}

static void renumber_messages(struct sim_plan *plan, const struct renumbering *r)
{
    for (uint32_t i = plan->fate_count; i-- > 0;) {
        struct sim_fate_override *fate = &plan->fates[i];
        fate->from = r->nodes[fate->from];
        fate->to = r->nodes[fate->to];
        if (fate->from == SIM_NOBODY || fate->to == SIM_NOBODY) {
            shrink_remove(plan, SHRINK_FATES, i, 1);
        }
    }
    for (uint32_t i = plan->script_count; i-- > 0;) {
        struct sim_script_step *step = &plan->script[i];
        step->client = r->nodes[step->client];
        step->server = step->server == SIM_NOBODY ? SIM_NOBODY : r->nodes[step->server];
        if (step->client == SIM_NOBODY) {
            shrink_remove(plan, SHRINK_SCRIPT, i, 1);
        }
    }
}

void shrink_renumber(struct sim_plan *plan, const uint32_t *map)
{
    struct renumbering r = {.nodes = map};
    renumber_groups(plan, &r);
    renumber_workloads(plan, &r);
    renumber_nodes(plan, &r);
    renumber_faults(plan, &r);
    renumber_messages(plan, &r);
}

/* ---- Fewer ---------------------------------------------------------------------------------- */

static bool try_without(struct shrink *s, uint64_t gone)
{
    struct sim_plan candidate;
    uint32_t map[SIM_NODES_MAX];
    uint32_t kept = 0;
    if (!shrink_copy(s, &candidate)) {
        return false;
    }
    for (uint32_t i = 0; i < candidate.node_count; i++) {
        map[i] = i < 64 && (gone >> i & 1) ? SIM_NOBODY : kept++;
    }
    shrink_renumber(&candidate, map);
    return shrink_try(s, &candidate);
}

/* One node, or two at once: a group of an even size has no smaller majority than the next. */
bool shrink_nodes(struct shrink *s)
{
    bool smaller = false;
    for (uint32_t g = 0; g < s->best.group_count; g++) {
        bool again = true;
        while (again && !shrink_is_over(s)) {
            const struct sim_plan_group group = s->best.groups[g];
            const uint32_t last = group.first_node + group.node_count;
            again = false;
            for (uint32_t i = last; last <= 64 && i-- > group.first_node && !again;) {
                for (uint32_t k = i; k-- > group.first_node && group.node_count > 3 && !again;) {
                    again = try_without(s, UINT64_C(1) << i | UINT64_C(1) << k);
                }
            }
            for (uint32_t i = last; last <= 64 && i-- > group.first_node && !again;) {
                again = group.node_count > 1 && try_without(s, UINT64_C(1) << i);
            }
            smaller = smaller || again;
        }
    }
    return smaller;
}
