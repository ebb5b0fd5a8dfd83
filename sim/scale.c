/* Autoscaling: a group is brought to a number of members, step by step.
 *
 * In a group that is a replicated log a member is who votes, and only its leader can change that;
 * so whoever scales it, as an operator or a script does, looks from time to time and does one
 * thing:
 *
 *     too few            --> the first that does not vote starts, and the leader is told to add it
 *     else, if one is there that does not vote --> it stops cleanly
 *     else, if too many  --> the leader is told to remove the last one that votes
 *
 * It waits while no leader is known, or a change is not committed yet: a server that stops before
 * the group can do without it is one that has failed. In other groups whoever is there is a
 * member, and one at a time starts or stops. A later order for the same group replaces it. */
#include "sim/fault_internal.h"

static const struct sim_plan_group *group_of(const struct sim_world *world, uint32_t fault)
{
    return &world->plan->groups[world->faults[fault].targets.selectors[0].index];
}

/* The leader of the highest term in a group, and what it sees; SIM_NOBODY if there is none. */
static uint32_t leader_of(const struct sim_world *world, const struct sim_plan_group *group,
                          struct sim_view *view)
{
    uint32_t leader = SIM_NOBODY;
    for (uint32_t i = 0; i < group->node_count; i++) {
        const uint32_t node = group->first_node + i;
        const struct sim_env *env = &world->nodes[node];
        struct sim_view seen = {0};
        if (env->up && sim_consensus_of(env)) {
            sim_consensus_of(env)->view(env->state, &seen);
        }
        if (seen.role == SIM_ROLE_LEADER && (leader == SIM_NOBODY || seen.term > view->term)) {
            leader = node;
            *view = seen;
        }
    }
    return leader;
}

static bool votes(const struct sim_view *view, uint32_t node)
{
    for (uint32_t i = 0; i < view->voter_count; i++) {
        if (view->voters[i] == node) {
            return true;
        }
    }
    return false;
}

static void start(struct sim_world *world, uint32_t node)
{
    world->nodes[node].scaled = SIM_SCALED_IN;
    sim_host_boot(world, node);
}

static void stop(struct sim_world *world, uint32_t node)
{
    world->nodes[node].scaled = SIM_SCALED_OUT;
    sim_host_leave(world, node);
    world->nodes[node].absent = true;
}

/* One step for a group of which `is_member` are members; false if there is nothing left to do. */
static bool step_members(struct sim_world *world, const struct sim_plan_group *group,
                         uint32_t wanted)
{
    uint32_t first_absent = SIM_NOBODY;
    uint32_t last_present = SIM_NOBODY;
    uint32_t count = 0;
    for (uint32_t i = group->node_count; i-- > 0;) {
        const uint32_t node = group->first_node + i;
        if (world->nodes[node].absent) {
            first_absent = node;
        } else {
            last_present = last_present == SIM_NOBODY ? node : last_present;
            count++;
        }
    }
    if (count < wanted) {
        start(world, first_absent);
    } else if (count > wanted) {
        stop(world, last_present);
    }
    return count != wanted;
}

static void add_one(struct sim_world *world, const struct sim_plan_group *group, uint32_t leader,
                    const struct sim_view *view)
{
    for (uint32_t i = 0; i < group->node_count; i++) {
        const uint32_t node = group->first_node + i;
        const struct sim_env *env = &world->nodes[node];
        if (!votes(view, node) && (env->up || env->absent)) { /* One that has crashed is no use. */
            start(world, node);
            sim_effect_command(world, leader, "add_server", node);
            return;
        }
    }
}

static void remove_one(struct sim_world *world, uint32_t leader, const struct sim_view *view)
{
    uint32_t last = view->voters[0];
    for (uint32_t i = 1; i < view->voter_count; i++) {
        last = view->voters[i] > last ? view->voters[i] : last;
    }
    sim_effect_command(world, leader, "remove_server", last);
}

/* False if there is nobody to stop. */
static bool stop_one(struct sim_world *world, const struct sim_plan_group *group,
                     const struct sim_view *view)
{
    for (uint32_t i = group->node_count; i-- > 0;) {
        const uint32_t node = group->first_node + i;
        if (!votes(view, node) && !world->nodes[node].absent) {
            stop(world, node);
            return true;
        }
    }
    return false;
}

/* The same for a group whose leader decides who is one. */
static bool step_voters(struct sim_world *world, const struct sim_plan_group *group,
                        uint32_t wanted)
{
    struct sim_view view = {0};
    const uint32_t leader = leader_of(world, group, &view);
    if (leader == SIM_NOBODY || view.old_voter_count > 0 || view.config_index > view.commit_index) {
        return true;
    }
    if (view.voter_count < wanted) {
        add_one(world, group, leader, &view);
        return true;
    }
    if (stop_one(world, group, &view)) {
        return true;
    }
    if (view.voter_count > wanted) {
        remove_one(world, leader, &view);
        return true;
    }
    return false;
}

/* Has another order for the same group begun since? */
static bool is_replaced(const struct sim_world *world, uint32_t fault)
{
    for (uint32_t i = 0; i < world->fault_count; i++) {
        if (world->faults[i].kind == SIM_FAULT_SCALE &&
            group_of(world, i) == group_of(world, fault) &&
            world->fault_runs[i].order > world->fault_runs[fault].order) {
            return true;
        }
    }
    return false;
}

void sim_scale_step(struct sim_world *world, uint32_t fault, uint64_t order)
{
    const struct sim_fault *f = &world->faults[fault];
    const struct sim_plan_group *group = group_of(world, fault);
    if (order != world->fault_runs[fault].order || is_replaced(world, fault)) {
        return;
    }
    const uint32_t wanted = f->amount < group->node_count ? (uint32_t)f->amount : group->node_count;
    const bool more = sim_consensus_of(&world->nodes[group->first_node])
                          ? step_voters(world, group, wanted)
                          : step_members(world, group, wanted);
    if (more) {
        sim_world_push(world, sim_add_sat(world->now_ns, (uint64_t)f->value.low), SIM_PEND_FAULT,
                       fault, SIM_FAULT_EVENT_SCALE, order);
    }
}

void sim_scale_begin(struct sim_world *world, uint32_t fault)
{
    struct sim_schedule *schedule = sim_schedule_of(world);
    world->fault_runs[fault].order = ++schedule->orders;
    sim_scale_step(world, fault, schedule->orders);
}
