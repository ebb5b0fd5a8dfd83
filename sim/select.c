/* Selections: whom a fault, a link rule or a condition concerns. */
#include "sim/fault_internal.h"

/* ---- Who leads --------------------------------------------------------------------------- */

static uint32_t fact_named(const struct sim_node_kind *kind, const char *name)
{
    for (uint32_t i = 0; i < kind->fact_count; i++) {
        if (strcmp(kind->facts[i].name, name) == 0) {
            return i;
        }
    }
    return SIM_NOBODY;
}

/* What a node that is down published before is gone with it. */
static bool leads(const struct sim_env *env)
{
    const uint32_t role = env->kind && env->up ? fact_named(env->kind, "role") : SIM_NOBODY;
    if (role == SIM_NOBODY || !env->kind->facts[role].values) {
        return false;
    }
    const char *const *values = env->kind->facts[role].values;
    for (int64_t i = 0; values[i]; i++) {
        if (strcmp(values[i], "leader") == 0) {
            return env->facts[role] == i;
        }
    }
    return false;
}

static int64_t term_of(const struct sim_env *env)
{
    const uint32_t term = fact_named(env->kind, "term");
    return term == SIM_NOBODY ? 0 : env->facts[term];
}

/* An old leader that has not heard of a newer one still says it leads: the highest term is
 * the one meant, of equals the first. */
static uint32_t leader(const struct sim_world *world)
{
    uint32_t best = SIM_NOBODY;
    for (uint32_t id = 0; id < world->server_count; id++) {
        const struct sim_env *env = &world->nodes[id];
        if (leads(env) && (best == SIM_NOBODY || term_of(env) > term_of(&world->nodes[best]))) {
            best = id;
        }
    }
    return best;
}

/* ---- Selectors --------------------------------------------------------------------------- */

/* For a random selector: could it choose this node? */
static bool selector_covers(const struct sim_world *world, const struct sim_selector *s,
                            uint32_t node)
{
    const struct sim_env *env = &world->nodes[node];
    switch ((enum sim_selector_kind)s->kind) {
    case SIM_SELECT_ALL:
    case SIM_SELECT_ANY:
    case SIM_SELECT_MINORITY:
        return env->kind != NULL;
    case SIM_SELECT_NODE:
        return node == s->index;
    case SIM_SELECT_GROUP:
        return env->kind && env->plan->group == s->index;
    case SIM_SELECT_ZONE:
        return env->zone == s->index;
    case SIM_SELECT_REGION:
        return world->plan->zones[env->zone].region == s->index;
    case SIM_SELECT_LEADER:
        return node == leader(world);
    case SIM_SELECT_FOLLOWER:
    case SIM_SELECT_FOLLOWERS:
        return env->kind && !leads(env);
    case SIM_SELECT_CLIENTS:
        return !env->kind;
    case SIM_SELECT_KIND_COUNT:
        break;
    }
    return false;
}

static bool selection_covers(const struct sim_world *world, const struct sim_selection *selection,
                             uint32_t node)
{
    for (uint32_t i = 0; i < selection->count; i++) {
        if (selector_covers(world, &selection->selectors[i], node)) {
            return true;
        }
    }
    return false;
}

bool sim_selection_holds(const struct sim_world *world, const struct sim_selection *selection,
                         uint32_t node)
{
    for (uint32_t i = 0; i < selection->count; i++) {
        assert(!sim_selector_moves(selection->selectors[i].kind));
    }
    return selection_covers(world, selection, node);
}

void sim_shuffle(struct sim_rng *rng, uint32_t *values, uint32_t count)
{
    for (uint32_t i = count; i > 1; i--) {
        const uint32_t j = (uint32_t)sim_rng_between(rng, 0, i - 1);
        const uint32_t moved = values[i - 1];
        values[i - 1] = values[j];
        values[j] = moved;
    }
}

/* Of `count` candidates keep those the selector means, and return how many. */
static uint32_t choose(uint32_t kind, struct sim_rng *rng, uint32_t *candidates, uint32_t count)
{
    if (kind == SIM_SELECT_MINORITY) {
        const uint32_t most = count > 0 ? (count - 1) / 2 : 0;
        const uint32_t size = (uint32_t)sim_rng_between(rng, most > 0, most);
        sim_shuffle(rng, candidates, count);
        return size;
    }
    if (kind == SIM_SELECT_ANY || kind == SIM_SELECT_FOLLOWER) {
        const uint32_t i = (uint32_t)sim_rng_between(rng, 0, count > 0 ? count - 1 : 0);
        if (count > 0) {
            candidates[0] = candidates[i];
        }
        return count > 0;
    }
    return count;
}

uint32_t sim_selection_resolve(const struct sim_world *world, const struct sim_selection *selection,
                               bool absent, struct sim_rng *rng, uint64_t *set)
{
    uint32_t candidates[SIM_NODES_MAX];
    for (uint32_t i = 0; i < selection->count; i++) {
        const struct sim_selector *s = &selection->selectors[i];
        uint32_t count = 0;
        for (uint32_t id = 0; id < world->node_count; id++) {
            if (world->nodes[id].absent == absent && selector_covers(world, s, id)) {
                candidates[count++] = id;
            }
        }
        count = choose(s->kind, rng, candidates, count);
        for (uint32_t k = 0; k < count; k++) {
            sim_set_add(set, candidates[k]);
        }
    }
    uint32_t size = 0;
    for (uint32_t id = 0; id < world->node_count; id++) {
        size += sim_set_has(set, id);
    }
    return size;
}

/* ---- Conditions -------------------------------------------------------------------------- */

bool sim_condition_met_by(const struct sim_world *world, const struct sim_condition *condition,
                          uint32_t node, uint32_t fact, int64_t value)
{
    const struct sim_env *env = &world->nodes[node];
    return fact == condition->fact && env->kind && fact < env->kind->fact_count && env->up &&
           (condition->at_least ? value >= condition->wanted : value == condition->wanted) &&
           (condition->nodes.count == 0 || selection_covers(world, &condition->nodes, node));
}

bool sim_condition_met(const struct sim_world *world, const struct sim_condition *condition)
{
    for (uint32_t id = 0; id < world->server_count; id++) {
        if (sim_condition_met_by(world, condition, id, condition->fact,
                                 world->nodes[id].facts[condition->fact])) {
            return true;
        }
    }
    return false;
}
