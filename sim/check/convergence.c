/* Convergence, once operations have ceased: are replicas equal, and what they should be?
 *
 *  (a) Replicas that have applied as much are equal; after healing all members of a group are, in
 *      the time given. One that is behind at the end is stuck, one that differs is a violation.
 *  (b) After healing every acknowledged append is there, and every register holds the value of
 *      a write after which no other was begun that was acknowledged: a write is lost only if one
 *      came later.
 *  (c) At any time nothing is there that nobody asked for, or twice, or that a client was told
 *      did not take place.
 *
 * Without progress after healing (b) and the second half of (a) are not asked: liveness has said
 * that. Chance to break: two replicas compared, and each operation of (b). */
#include "sim/check/convergence_internal.h"

#include "sim/fault_internal.h"
#include "sim/sort.h"

#include <inttypes.h>
#include <stdio.h>

/* ---- Members --------------------------------------------------------------------------------- */

static const struct sim_replica *replica_of(const struct sim_checks *checks, uint32_t node)
{
    const struct sim_env *env = &checks->world->nodes[node];
    const struct sim_replica *replica = env->kind->replica;
    return env->up && !sim_host_is_gone(env) && !checks->nodes[node].failed ? replica : NULL;
}

/* How much it has applied; 0 where there is no such order. */
static uint64_t applied_by(const struct sim_checks *checks, uint32_t node)
{
    const struct sim_env *env = &checks->world->nodes[node];
    struct sim_view view = {0};
    if (env->kind->consensus) {
        env->kind->consensus->view(env->state, &view);
    }
    return view.applied_index;
}

static bool is_empty(const struct sim_item *item)
{
    return item->list ? item->count == 0 : item->words[0] == 0;
}

/* Equal contents have equal digests, in whatever order they are kept. */
static uint64_t digest_of(const struct sim_checks *checks, uint32_t node)
{
    const struct sim_replica *replica = replica_of(checks, node);
    const void *state = checks->world->nodes[node].state;
    const size_t count = replica->count(state);
    uint64_t digest = 0;
    for (size_t i = 0; i < count; i++) {
        struct sim_item item;
        replica->item(state, i, &item);
        uint64_t h = sim_mix64(item.key ^ (uint64_t)item.list << 63);
        for (uint64_t k = 0; k < item.count; k++) {
            h = sim_mix64(h ^ item.words[k]);
        }
        digest += is_empty(&item) ? 0 : h;
    }
    return digest;
}

static void group_begin(struct sim_convergence *g, struct sim_checks *checks, uint32_t number)
{
    *g = (struct sim_convergence){.checks = checks,
                                  .plan = &checks->world->plan->groups[number],
                                  .number = number,
                                  .first = SIM_NOBODY,
                                  .settled = checks->world->phase == 2};
    struct sim_voter_sets sets;
    sim_group_voters(checks->world, number, &sets);
    for (uint32_t i = 0; i < sets.counts[0]; i++) {
        const uint32_t node = sets.nodes[0][i];
        if (replica_of(checks, node)) {
            g->members[g->member_count++] = node;
            if (g->first == SIM_NOBODY || applied_by(checks, node) > applied_by(checks, g->first)) {
                g->first = node;
            }
        }
    }
}

/* Are all members as far as the first, and hold they the same? */
static bool all_equal(const struct sim_convergence *g)
{
    for (uint32_t i = 0; i < g->member_count; i++) {
        if (applied_by(g->checks, g->members[i]) != applied_by(g->checks, g->first) ||
            digest_of(g->checks, g->members[i]) != digest_of(g->checks, g->first)) {
            return false;
        }
    }
    return true;
}

/* ---- What they hold -------------------------------------------------------------------------- */

static int compare_items(const void *left, const void *right)
{
    const struct sim_item *a = left;
    const struct sim_item *b = right;
    return sim_convergence_order(a->list, a->key, b->list, b->key);
}

void sim_convergence_release(struct sim_convergence *g, void *block, size_t size_bytes)
{
    sim_arena_release(g->checks->world->arena, block, size_bytes);
}

bool sim_convergence_collect(struct sim_convergence *g, uint32_t side, uint32_t node)
{
    const struct sim_replica *replica = replica_of(g->checks, node);
    const void *state = g->checks->world->nodes[node].state;
    const size_t count = replica->count(state);
    sim_convergence_release(g, g->items[side], g->item_capacity[side] * sizeof *g->items[side]);
    g->item_count[side] = 0;
    g->item_capacity[side] = count + 1;
    g->items[side] =
        sim_world_alloc(g->checks->world, g->item_capacity[side] * sizeof *g->items[side]);
    for (size_t i = 0; g->items[side] && i < count; i++) {
        replica->item(state, i, &g->items[side][g->item_count[side]]);
        g->item_count[side] += !is_empty(&g->items[side][g->item_count[side]]);
    }
    if (g->items[side]) {
        sim_sort(g->items[side], g->item_count[side], sizeof *g->items[side], compare_items);
    }
    return g->items[side] != NULL;
}

static bool same_words(const struct sim_item *a, const struct sim_item *b)
{
    return a->count == b->count && memcmp(a->words, b->words, a->count * sizeof *a->words) == 0;
}

/* "register 3 as 7", for the contents of an object that a node may not have at all. */
static void words_for(const struct sim_item *item, const struct sim_item *object, char *text,
                      size_t size_bytes)
{
    if (object->list) {
        (void)snprintf(text, size_bytes, "list %" PRIu64 " of %" PRIu64 " elements", object->key,
                       item ? item->count : 0);
    } else {
        (void)snprintf(text, size_bytes, "register %" PRIu64 " as %" PRIu64, object->key,
                       item ? item->words[0] : 0);
    }
}

/* Two nodes differ: at the first object at which they do. */
static void violate_difference(struct sim_convergence *g, uint32_t one, uint32_t other)
{
    if (!sim_convergence_collect(g, 0, one) || !sim_convergence_collect(g, 1, other)) {
        return;
    }
    size_t i = 0;
    size_t k = 0;
    while (i < g->item_count[0] && k < g->item_count[1] &&
           compare_items(&g->items[0][i], &g->items[1][k]) == 0 &&
           same_words(&g->items[0][i], &g->items[1][k])) {
        i++;
        k++;
    }
    const struct sim_item *a = i < g->item_count[0] ? &g->items[0][i] : NULL;
    const struct sim_item *b = k < g->item_count[1] ? &g->items[1][k] : NULL;
    assert(a || b);
    const int order = !a ? 1 : !b ? -1 : compare_items(a, b);
    const struct sim_item *object = order > 0 ? b : a;
    char texts[2][64];
    words_for(order <= 0 ? a : NULL, object, texts[0], sizeof texts[0]);
    words_for(order >= 0 ? b : NULL, object, texts[1], sizeof texts[1]);
    const char *one_name = sim_check_node_name(g->checks, one);
    const char *other_name = sim_check_node_name(g->checks, other);
    char both[64] = "";
    if (applied_by(g->checks, one) > 0) {
        (void)snprintf(both, sizeof both, ", both with %" PRIu64 " entries applied,",
                       applied_by(g->checks, one));
    }
    sim_check_violate(g->checks, SIM_CHECK_CONVERGENCE, other,
                      "%s and %s%s differ: %s holds %s, %s holds %s", one_name, other_name, both,
                      one_name, texts[0], other_name, texts[1]);
}

/* ---- (a) ------------------------------------------------------------------------------------- */

static void compare_healed(struct sim_convergence *g)
{
    for (uint32_t i = 0; i < g->member_count; i++) {
        const uint32_t node = g->members[i];
        if (node == g->first) {
            continue;
        }
        sim_check_exercise(g->checks, SIM_CHECK_CONVERGENCE);
        const uint64_t behind = applied_by(g->checks, node);
        const uint64_t ahead = applied_by(g->checks, g->first);
        if (behind != ahead) {
            char text[SIM_DETAIL_MAX];
            (void)snprintf(text, sizeof text,
                           "%s is healed, but has applied %" PRIu64 " entries of the %" PRIu64
                           " that %s has, and no more in the time given",
                           sim_check_node_name(g->checks, node), behind, ahead,
                           sim_check_node_name(g->checks, g->first));
            sim_check_judge(g->checks, SIM_CHECK_CONVERGENCE, SIM_STUCK, text);
        } else if (digest_of(g->checks, node) != digest_of(g->checks, g->first)) {
            violate_difference(g, g->first, node);
        }
    }
}

/* Before healing only nodes that have applied as much, in an agreed order, need be equal. */
static void compare_equally_far(struct sim_convergence *g)
{
    for (uint32_t i = 0; i < g->member_count; i++) {
        const uint32_t one = g->members[i];
        const uint64_t applied = applied_by(g->checks, one);
        for (uint32_t k = i + 1; k < g->member_count && applied > 0; k++) {
            if (applied_by(g->checks, g->members[k]) == applied) {
                sim_check_exercise(g->checks, SIM_CHECK_CONVERGENCE);
                if (digest_of(g->checks, one) != digest_of(g->checks, g->members[k])) {
                    violate_difference(g, one, g->members[k]);
                }
            }
        }
    }
}

/* ---- The end --------------------------------------------------------------------------------- */

static void group_end(struct sim_convergence *g)
{
    sim_convergence_release(g, g->attempts, g->attempt_capacity * sizeof *g->attempts);
    for (uint32_t side = 0; side < 2; side++) {
        sim_convergence_release(g, g->items[side], g->item_capacity[side] * sizeof *g->items[side]);
    }
}

bool sim_checks_converged(struct sim_checks *checks)
{
    bool converged = true;
    for (uint32_t number = 0; converged && number < checks->group_count; number++) {
        struct sim_convergence g;
        group_begin(&g, checks, number);
        g.asking = true;
        converged = all_equal(&g);
        if (converged && g.first != SIM_NOBODY && sim_convergence_attempts(&g)) {
            sim_convergence_judge(&g, g.first);
            converged = !g.amiss;
        }
        group_end(&g);
    }
    return converged;
}

void sim_check_convergence(struct sim_checks *checks)
{
    for (uint32_t number = 0; number < checks->group_count; number++) {
        struct sim_convergence g;
        group_begin(&g, checks, number);
        if (g.first == SIM_NOBODY || !sim_convergence_attempts(&g)) {
            continue;
        }
        if (g.settled) {
            compare_healed(&g);
            sim_convergence_judge(&g, g.first);
        } else {
            compare_equally_far(&g);
            for (uint32_t i = 0; i < g.member_count; i++) {
                sim_convergence_judge(&g, g.members[i]);
            }
        }
        group_end(&g);
    }
}
