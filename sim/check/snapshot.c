/* Snapshots: I16.
 *
 * I16 snapshot_safety: a snapshot up to index k (a) covers entries that are decided, and bears the
 *    term of the last; (b) has the last configuration up to k, and none after it; (c) holds the
 *    state that applying the entries up to k gives, sessions included. So a node that starts from
 *    it goes on as one that has applied them all (dissertation, chapter 5). Judged when a node
 *    takes one, installs one, or boots with one. For (c) the ghost keeps the state of the first
 * node that had a snapshot at k, which in a correct cluster has applied all up to k, and asks it of
 *    every other that comes by there, by a snapshot or by its log. State is looked at
 *    where it is that of index k: a node that had applied more by the end of the event is not
 *    asked. Kinds that do not tell their state or their configurations are asked for the rest.
 *    Chance to break: two states compared, or (a) where states are not told. */
#include "sim/check/ghost.h"

#include <inttypes.h>

/* (c) */
void sim_check_state_at(struct sim_checks *checks, uint32_t node, uint64_t index)
{
    struct sim_ghost_group *group = checks->nodes[node].group;
    struct sim_world *world = checks->world;
    if (!group->consensus->state_digest || !sim_check_watched(checks, SIM_CHECK_SNAPSHOT_SAFETY)) {
        return;
    }
    uint64_t digest = group->consensus->state_digest(world->nodes[node].state);
    digest += digest == 0;
    const uint64_t known = sim_ghost_get(&group->states, index, 0);
    if (known == 0) {
        struct sim_ghost_index *at = sim_ghost_at(world, group, index);
        if (at && sim_ghost_put(world, &group->states, index, 0, digest) &&
            sim_ghost_put(world, &group->states, index, 1, (uint64_t)node + 1)) {
            at->snapshot = 1;
        }
        return;
    }
    sim_check_exercise(checks, SIM_CHECK_SNAPSHOT_SAFETY);
    if (digest != known) {
        const uint32_t first = (uint32_t)sim_ghost_get(&group->states, index, 1) - 1;
        sim_check_violate(checks, SIM_CHECK_SNAPSHOT_SAFETY, node,
                          "%s has another state at index %" PRIu64 " than %s had, whose snapshot "
                          "ends there",
                          sim_check_node_name(checks, node), index,
                          sim_check_node_name(checks, first));
    }
}

/* (a) */
static void check_term(struct sim_checks *checks, uint32_t node, const struct sim_view *view)
{
    const struct sim_ghost_index *known =
        sim_ghost_find(checks->nodes[node].group, view->snapshot_index);
    const char *name = sim_check_node_name(checks, node);
    if (!known || known->decided_by == 0) {
        sim_check_violate(checks, SIM_CHECK_SNAPSHOT_SAFETY, node,
                          "%s has a snapshot up to index %" PRIu64 ", which nobody has committed",
                          name, view->snapshot_index);
    } else if (known->decided_term != view->snapshot_term) {
        sim_check_violate(checks, SIM_CHECK_SNAPSHOT_SAFETY, node,
                          "%s's snapshot up to index %" PRIu64 " says that this is of term %" PRIu64
                          ", but it is of term %" PRIu64,
                          name, view->snapshot_index, view->snapshot_term, known->decided_term);
    }
}

/* Index of the last configuration up to `index` that is decided; 0 if it is the first one. */
static uint64_t last_config(const struct sim_ghost_group *group, uint64_t index)
{
    uint64_t last = 0;
    for (size_t i = 0; i < group->config_count; i++) {
        const struct sim_ghost_config *config = &group->configs[i];
        const struct sim_ghost_index *known = sim_ghost_find(group, config->index);
        if (config->index <= index && config->index > last && known && known->decided_by != 0 &&
            known->decided_term == config->id.term && known->decided_digest == config->id.digest) {
            last = config->index;
        }
    }
    return last;
}

/* (b) */
static void check_config(struct sim_checks *checks, uint32_t node, const struct sim_view *view)
{
    const struct sim_ghost_group *group = checks->nodes[node].group;
    const char *name = sim_check_node_name(checks, node);
    const uint64_t last = last_config(group, view->snapshot_index);
    if (view->snapshot_config_index > view->snapshot_index) {
        sim_check_violate(checks, SIM_CHECK_SNAPSHOT_SAFETY, node,
                          "%s's snapshot up to index %" PRIu64
                          " has the configuration at index %" PRIu64,
                          name, view->snapshot_index, view->snapshot_config_index);
    } else if (view->snapshot_config_index < last) {
        sim_check_violate(checks, SIM_CHECK_SNAPSHOT_SAFETY, node,
                          "%s's snapshot up to index %" PRIu64
                          " lacks the configuration at index %" PRIu64,
                          name, view->snapshot_index, last);
    }
}

void sim_check_snapshot(struct sim_checks *checks, uint32_t node, const struct sim_view *view)
{
    const struct sim_ghost_node *ghost = &checks->nodes[node];
    if (view->snapshot_index == 0 || !sim_check_watched(checks, SIM_CHECK_SNAPSHOT_SAFETY) ||
        (!ghost->fresh && view->snapshot_index == ghost->seen.snapshot_index)) {
        return;
    }
    check_term(checks, node, view);
    check_config(checks, node, view);
    if (!ghost->consensus->state_digest) {
        sim_check_exercise(checks, SIM_CHECK_SNAPSHOT_SAFETY);
    } else if (view->applied_index == view->snapshot_index) {
        sim_check_state_at(checks, node, view->snapshot_index);
    }
}
