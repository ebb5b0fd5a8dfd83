/* Configurations: I15.
 *
 * I15 config_safety: when a leader appends a configuration, (a) the one before it is committed, so
 *    that there is at most one that is not; (b) so is an entry of the leader's own term (Ongaro,
 *    raft-dev, 10 July 2015); (c) any majority of the one meets any majority of the other: they
 *    differ by one server, or are both in force (joint consensus; then one of the two sides
 *    must meet the other's). And every node (d) counts by the last configuration in its log,
 *    committed or not, or under its snapshot (dissertation, section 4.1): not by an earlier one,
 *    nor by one that its log has lost, nor by other servers than the entry says; and (e) nobody
 *    comes to lead whom a configuration that it knows to be committed does not count. The ghost
 *    learns what an entry says from the first node that counts by it. Kinds that do not say
 *    which entry is their configuration are not asked. Chance to break: a leader appends one. */
#include "sim/check/ghost.h"

#include <inttypes.h>

/* ---- Sets of voters --------------------------------------------------------------------- */

static bool has(const struct sim_ghost_voters *voters, uint32_t node)
{
    for (uint32_t i = 0; i < voters->count; i++) {
        if (voters->nodes[i] == node) {
            return true;
        }
    }
    return false;
}

static bool equal(const struct sim_ghost_voters *a, const struct sim_ghost_voters *b)
{
    bool same = a->count == b->count;
    for (uint32_t i = 0; same && i < a->count; i++) {
        same = has(b, a->nodes[i]);
    }
    return same;
}

/* How many of those whom only the other does not have would a majority still need from those
 * whom both have? */
static uint32_t needed_in_common(const struct sim_ghost_voters *voters, uint32_t common)
{
    const uint32_t majority = sim_ghost_majority(voters->count);
    const uint32_t own = voters->count - common;
    return majority > own ? majority - own : 0;
}

/* Does any majority of the one have a node of any majority of the other? */
static bool majorities_meet(const struct sim_ghost_voters *a, const struct sim_ghost_voters *b)
{
    uint32_t common = 0;
    for (uint32_t i = 0; i < a->count; i++) {
        common += has(b, a->nodes[i]);
    }
    return a->count > 0 && b->count > 0 &&
           needed_in_common(a, common) + needed_in_common(b, common) > common;
}

static bool configurations_meet(const struct sim_ghost_voters a[2],
                                const struct sim_ghost_voters b[2])
{
    return majorities_meet(&a[0], &b[0]) || majorities_meet(&a[0], &b[1]) ||
           majorities_meet(&a[1], &b[0]) || majorities_meet(&a[1], &b[1]);
}

bool sim_ghost_copy_voters(struct sim_world *world, struct sim_ghost_voters to[2],
                           const struct sim_view *view)
{
    for (uint32_t side = 0; side < 2; side++) {
        const uint32_t *voters = side == 1 ? view->old_voters : view->voters;
        const uint32_t count = side == 1 ? view->old_voter_count : view->voter_count;
        if (count > 0 && !sim_arena_grow(world->arena, &to[side].nodes, &to[side].capacity, count,
                                         sizeof *to[side].nodes)) {
            world->out_of_memory = true;
            return false;
        }
        for (uint32_t i = 0; i < count; i++) {
            to[side].nodes[i] = voters[i];
        }
        to[side].count = count;
    }
    return true;
}

/* ---- What is known ---------------------------------------------------------------------- */

/* The entry that a node has at an index: in its log, or under its snapshot. */
static bool entry_of(const struct sim_ghost_node *ghost, const void *state,
                     const struct sim_view *view, uint64_t index, struct sim_entry_id *id)
{
    if (ghost->consensus->entry(state, index, id)) {
        return true;
    }
    const struct sim_ghost_index *known = sim_ghost_find(ghost->group, index);
    if (index > view->snapshot_index || !known || known->decided_by == 0) {
        return false;
    }
    *id = (struct sim_entry_id){known->decided_term, known->decided_digest};
    return true;
}

static struct sim_ghost_config *find_config(const struct sim_ghost_group *group, uint64_t index,
                                            struct sim_entry_id id)
{
    for (size_t i = group->config_count; i > 0; i--) {
        struct sim_ghost_config *config = &group->configs[i - 1];
        if (config->index == index && config->id.term == id.term &&
            config->id.digest == id.digest) {
            return config;
        }
    }
    return NULL;
}

/* (d): what the entry says. */
static void check_voters(struct sim_checks *checks, uint32_t node, const struct sim_view *view,
                         struct sim_entry_id id)
{
    struct sim_ghost_node *ghost = &checks->nodes[node];
    struct sim_ghost_group *group = ghost->group;
    const struct sim_ghost_config *known = find_config(group, view->config_index, id);
    if (!known) {
        if (sim_ghost_grow(checks->world, &group->configs, &group->config_capacity,
                           &group->config_count, sizeof *group->configs)) {
            struct sim_ghost_config *config = &group->configs[group->config_count - 1];
            *config = (struct sim_ghost_config){view->config_index, id, node, {{0}, {0}}};
            (void)sim_ghost_copy_voters(checks->world, config->voters, view);
            if (view->config_index > group->config_high) {
                group->config_high = view->config_index;
            }
        }
    } else if (!equal(&known->voters[0], &ghost->voters[0]) ||
               !equal(&known->voters[1], &ghost->voters[1])) {
        sim_check_violate(checks, SIM_CHECK_CONFIG_SAFETY, node,
                          "%s counts other voters by the configuration at index %" PRIu64
                          " than %s did",
                          sim_check_node_name(checks, node), view->config_index,
                          sim_check_node_name(checks, known->node));
    }
}

/* (d): no later one, and none that is gone. */
static void check_in_force(struct sim_checks *checks, uint32_t node, const struct sim_view *view)
{
    const struct sim_ghost_node *ghost = &checks->nodes[node];
    const struct sim_ghost_group *group = ghost->group;
    const void *state = checks->world->nodes[node].state;
    const char *name = sim_check_node_name(checks, node);
    if (view->config_index > view->last_index) {
        sim_check_violate(checks, SIM_CHECK_CONFIG_SAFETY, node,
                          "%s counts by the configuration at index %" PRIu64
                          ", but its log ends at %" PRIu64,
                          name, view->config_index, view->last_index);
    }
    for (size_t i = 0; view->config_index < group->config_high && i < group->config_count; i++) {
        const struct sim_ghost_config *config = &group->configs[i];
        struct sim_entry_id id;
        if (config->index > view->config_index && config->index <= view->last_index &&
            entry_of(ghost, state, view, config->index, &id) && id.term == config->id.term &&
            id.digest == config->id.digest) {
            sim_check_violate(checks, SIM_CHECK_CONFIG_SAFETY, node,
                              "%s has the configuration at index %" PRIu64
                              ", but counts by the one at %" PRIu64,
                              name, config->index, view->config_index);
        }
    }
}

/* ---- A leader appends one --------------------------------------------------------------- */

static void check_change(struct sim_checks *checks, uint32_t node, const struct sim_view *view,
                         const struct sim_ghost_voters before[2])
{
    const struct sim_ghost_node *ghost = &checks->nodes[node];
    const char *name = sim_check_node_name(checks, node);
    sim_check_exercise(checks, SIM_CHECK_CONFIG_SAFETY);
    struct sim_entry_id id = {0, 0};
    if (ghost->seen.config_index > view->commit_index) {
        sim_check_violate(checks, SIM_CHECK_CONFIG_SAFETY, node,
                          "%s, leader of term %" PRIu64
                          ", appended a configuration at index %" PRIu64 " when the one at %" PRIu64
                          " was not committed",
                          name, view->term, view->config_index, ghost->seen.config_index);
    } else if (entry_of(ghost, checks->world->nodes[node].state, view, view->commit_index, &id) &&
               id.term != view->term) {
        sim_check_violate(checks, SIM_CHECK_CONFIG_SAFETY, node,
                          "%s, leader of term %" PRIu64
                          ", appended a configuration at index %" PRIu64
                          " before it had committed an entry of its own term",
                          name, view->term, view->config_index);
    } else if (!configurations_meet(before, ghost->voters)) {
        sim_check_violate(checks, SIM_CHECK_CONFIG_SAFETY, node,
                          "%s, leader of term %" PRIu64
                          ", appended a configuration at index %" PRIu64
                          " of which a majority can do without any of the one before",
                          name, view->term, view->config_index);
    }
}

static void config_changed(struct sim_checks *checks, uint32_t node, const struct sim_view *view)
{
    struct sim_ghost_node *ghost = &checks->nodes[node];
    const void *state = checks->world->nodes[node].state;
    struct sim_ghost_voters before[2] = {ghost->voters[0], ghost->voters[1]};
    ghost->voters[0] = ghost->voters_before[0];
    ghost->voters[1] = ghost->voters_before[1];
    ghost->voters_before[0] = before[0];
    ghost->voters_before[1] = before[1];
    if (!sim_ghost_copy_voters(checks->world, ghost->voters, view)) {
        return;
    }
    struct sim_entry_id id;
    if (view->config_index == 0 || !entry_of(ghost, state, view, view->config_index, &id)) {
        return;
    }
    check_voters(checks, node, view, id);
    if (!ghost->fresh && view->role == SIM_ROLE_LEADER && id.term == view->term &&
        view->config_index > ghost->seen.config_index) {
        check_change(checks, node, view, ghost->voters_before);
    }
}

/* (e) */
static void check_leader(struct sim_checks *checks, uint32_t node, const struct sim_view *view)
{
    const struct sim_ghost_node *ghost = &checks->nodes[node];
    if (view->config_index <= view->commit_index && !has(&ghost->voters[0], node) &&
        !has(&ghost->voters[1], node)) {
        sim_check_violate(checks, SIM_CHECK_CONFIG_SAFETY, node,
                          "%s became leader of term %" PRIu64
                          ", but has no vote by the committed configuration at index %" PRIu64,
                          sim_check_node_name(checks, node), view->term, view->config_index);
    }
}

void sim_check_config(struct sim_checks *checks, uint32_t node, const struct sim_view *view)
{
    const struct sim_ghost_node *ghost = &checks->nodes[node];
    if (view->voter_count == 0) {
        return;
    }
    if (ghost->fresh || view->config_index != ghost->seen.config_index) {
        config_changed(checks, node, view);
    }
    if (view->config_index > view->last_index || view->config_index < ghost->group->config_high) {
        check_in_force(checks, node, view);
    }
    if (view->role == SIM_ROLE_LEADER &&
        (ghost->seen.role != SIM_ROLE_LEADER || ghost->seen.term != view->term)) {
        check_leader(checks, node, view);
    }
}
