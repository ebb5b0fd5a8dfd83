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
#include "sim/check/ghost.h"
#include "sim/fault_internal.h"
#include "sim/sort.h"

#include <inttypes.h>
#include <stdio.h>

#define CHECK SIM_CHECK_CONVERGENCE

struct attempt { /* A write or an append that a client asked for. */
    bool list;
    uint64_t key;
    uint64_t value;
    const struct sim_history_row *row;
};

struct group { /* At the end of the run, or when it might be. */
    struct sim_checks *checks;
    const struct sim_plan_group *plan;
    uint32_t number;
    uint32_t members[SIM_NODES_MAX]; /* Replicas that are there, of the configuration in force. */
    uint32_t member_count;
    uint32_t first; /* The member that has applied most; SIM_NOBODY if there is none. */
    bool settled;
    bool asking;              /* Whether all is well: nothing is exercised or violated by that. */
    bool amiss;               /* It is not. */
    struct attempt *attempts; /* Sorted by object, then value, then time. */
    size_t attempt_count;
    size_t attempt_capacity;
    struct sim_item *items[2]; /* Of the two nodes at hand; sorted by object. */
    size_t item_count[2];
    size_t item_capacity[2];
};

/* ---- Members ---------------------------------------------------------------------------- */

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

static void group_begin(struct group *g, struct sim_checks *checks, uint32_t number)
{
    *g = (struct group){.checks = checks,
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
static bool all_equal(const struct group *g)
{
    for (uint32_t i = 0; i < g->member_count; i++) {
        if (applied_by(g->checks, g->members[i]) != applied_by(g->checks, g->first) ||
            digest_of(g->checks, g->members[i]) != digest_of(g->checks, g->first)) {
            return false;
        }
    }
    return true;
}

/* ---- What they hold ------------------------------------------------------------------------ */

static int compare_u64(uint64_t a, uint64_t b)
{
    return a < b ? -1 : a > b;
}

static int compare_objects(bool list_a, uint64_t key_a, bool list_b, uint64_t key_b)
{
    return list_a != list_b ? (list_a ? 1 : -1) : compare_u64(key_a, key_b);
}

static int compare_items(const void *left, const void *right)
{
    const struct sim_item *a = left;
    const struct sim_item *b = right;
    return compare_objects(a->list, a->key, b->list, b->key);
}

static int compare_words(const void *left, const void *right)
{
    return compare_u64(*(const uint64_t *)left, *(const uint64_t *)right);
}

static void release(struct group *g, void *block, size_t size_bytes)
{
    sim_arena_release(g->checks->world->arena, block, size_bytes);
}

/* What a node holds, sorted, as items[side]; empty ones left out. False without memory. */
static bool collect(struct group *g, uint32_t side, uint32_t node)
{
    const struct sim_replica *replica = replica_of(g->checks, node);
    const void *state = g->checks->world->nodes[node].state;
    const size_t count = replica->count(state);
    release(g, g->items[side], g->item_capacity[side] * sizeof *g->items[side]);
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
static void violate_difference(struct group *g, uint32_t one, uint32_t other)
{
    if (!collect(g, 0, one) || !collect(g, 1, other)) {
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
    sim_check_violate(g->checks, CHECK, other, "%s and %s%s differ: %s holds %s, %s holds %s",
                      one_name, other_name, both, one_name, texts[0], other_name, texts[1]);
}

/* ---- (a) ------------------------------------------------------------------------------------ */

static void compare_healed(struct group *g)
{
    for (uint32_t i = 0; i < g->member_count; i++) {
        const uint32_t node = g->members[i];
        if (node == g->first) {
            continue;
        }
        sim_check_exercise(g->checks, CHECK);
        const uint64_t behind = applied_by(g->checks, node);
        const uint64_t ahead = applied_by(g->checks, g->first);
        if (behind != ahead) {
            char text[SIM_DETAIL_MAX];
            (void)snprintf(text, sizeof text,
                           "%s is healed, but has applied %" PRIu64 " entries of the %" PRIu64
                           " that %s has, and no more in the time given",
                           sim_check_node_name(g->checks, node), behind, ahead,
                           sim_check_node_name(g->checks, g->first));
            sim_check_judge(g->checks, CHECK, SIM_STUCK, text);
        } else if (digest_of(g->checks, node) != digest_of(g->checks, g->first)) {
            violate_difference(g, g->first, node);
        }
    }
}

/* Before healing only nodes that have applied as much, in an agreed order, need be equal. */
static void compare_equally_far(struct group *g)
{
    for (uint32_t i = 0; i < g->member_count; i++) {
        const uint32_t one = g->members[i];
        const uint64_t applied = applied_by(g->checks, one);
        for (uint32_t k = i + 1; k < g->member_count && applied > 0; k++) {
            if (applied_by(g->checks, g->members[k]) == applied) {
                sim_check_exercise(g->checks, CHECK);
                if (digest_of(g->checks, one) != digest_of(g->checks, g->members[k])) {
                    violate_difference(g, one, g->members[k]);
                }
            }
        }
    }
}

/* ---- (b), (c) -------------------------------------------------------------------------------- */

static void exercise(struct group *g)
{
    if (!g->asking) {
        sim_check_exercise(g->checks, CHECK);
    }
}

static int compare_attempts(const void *left, const void *right)
{
    const struct attempt *a = left;
    const struct attempt *b = right;
    const int by_object = compare_objects(a->list, a->key, b->list, b->key);
    const int by_value = compare_u64(a->value, b->value);
    return by_object  ? by_object
           : by_value ? by_value
                      : compare_u64(a->row->invoke_event, b->row->invoke_event);
}

/* Everything that clients of the group tried to write. False without memory. */
static bool collect_attempts(struct group *g)
{
    const struct sim_world *world = g->checks->world;
    const struct sim_plan *plan = world->plan;
    g->attempt_capacity = SIM_TXN_PARTS_MAX * world->history_count + 1;
    g->attempts = sim_world_alloc(g->checks->world, g->attempt_capacity * sizeof *g->attempts);
    for (size_t i = 0; g->attempts && i < world->history_count; i++) {
        const struct sim_history_row *row = &world->history[i];
        const uint32_t workload = plan->nodes[row->operation.client].group;
        struct sim_part part;
        for (uint32_t p = 0; plan->workloads[workload].target_group == g->number &&
                             sim_operation_part(&row->operation, p, &part);
             p++) {
            if (!sim_function_reads(part.function)) {
                g->attempts[g->attempt_count++] =
                    (struct attempt){part.function == SIM_APPEND, part.key, part.value, row};
            }
        }
    }
    if (g->attempts) {
        sim_sort(g->attempts, g->attempt_count, sizeof *g->attempts, compare_attempts);
    }
    return g->attempts != NULL;
}

static void violate_lost(struct group *g, uint32_t node, const struct attempt *lost,
                         const char *instead)
{
    const struct sim_history_row *row = lost->row;
    g->amiss = true;
    if (g->asking) {
        return;
    }
    sim_check_violate_at(g->checks, CHECK, node, row->return_ns, row->return_event,
                         "%s acknowledged to %s that %" PRIu64 " was %s %" PRIu64
                         ", which %s does not hold%s",
                         sim_check_node_name(g->checks, row->server),
                         sim_check_node_name(g->checks, row->operation.client), lost->value,
                         lost->list ? "appended to list" : "written to register", lost->key,
                         sim_check_node_name(g->checks, node), instead);
}

static void violate_unasked(struct group *g, uint32_t node, const struct sim_item *item,
                            uint64_t value, const char *why)
{
    g->amiss = true;
    if (g->asking) {
        return;
    }
    sim_check_violate(g->checks, CHECK, node, "%s holds %" PRIu64 " in %s %" PRIu64 ", %s",
                      sim_check_node_name(g->checks, node), value, item->list ? "list" : "register",
                      item->key, why);
}

static const char unasked[] = "which nobody wrote";
static const char denied[] = "of which a client was told that it was not done";

/* The attempts on one register, and what it holds: an item, or NULL if nothing. */
static void judge_register(struct group *g, uint32_t node, const struct attempt *attempts,
                           size_t count, const struct sim_item *item)
{
    const struct attempt *newest = NULL; /* Of those acknowledged, the last that was begun. */
    const struct attempt *holder = NULL; /* Of those that wrote what is held, the last to end. */
    for (size_t i = 0; i < count; i++) {
        const struct attempt *a = &attempts[i];
        if (a->row->outcome == SIM_OUTCOME_OK &&
            (!newest || a->row->invoke_event > newest->row->invoke_event)) {
            newest = a;
        }
        if (item && a->value == item->words[0] &&
            (!holder || holder->row->outcome == SIM_OUTCOME_FAIL ||
             (a->row->outcome != SIM_OUTCOME_FAIL &&
              a->row->return_event - 1 > holder->row->return_event - 1))) {
            holder = a; /* One that is open, with no event, ends last. */
        }
    }
    if (item && (!holder || holder->row->outcome == SIM_OUTCOME_FAIL)) {
        violate_unasked(g, node, item, item->words[0], holder ? denied : unasked);
        return;
    }
    if (!g->settled || !newest) {
        return;
    }
    exercise(g);
    const bool older = holder && holder->row->outcome == SIM_OUTCOME_OK &&
                       holder->row->return_event < newest->row->invoke_event;
    if (!holder || older) {
        char instead[80] = "";
        if (holder) {
            (void)snprintf(instead, sizeof instead, ", but %" PRIu64 ", which is older",
                           holder->value);
        }
        violate_lost(g, node, newest, instead);
    }
}

/* How many from `at` on have the value, and whether any of them may have been done. */
static size_t run_of(const struct attempt *attempts, size_t at, size_t count, size_t *possible)
{
    size_t end = at;
    *possible = 0;
    while (end < count && attempts[end].value == attempts[at].value) {
        *possible += attempts[end].row->outcome != SIM_OUTCOME_FAIL;
        end++;
    }
    return end - at;
}

/* The same for a list. Elements and attempts are walked in the order of their values. */
static void judge_list(struct group *g, uint32_t node, const struct attempt *attempts, size_t count,
                       const struct sim_item *item)
{
    const size_t element_count = item ? (size_t)item->count : 0;
    uint64_t *elements = sim_world_alloc(g->checks->world, (element_count + 1) * sizeof *elements);
    if (!elements) {
        return;
    }
    if (element_count > 0) {
        memcpy(elements, item->words, element_count * sizeof *elements);
        sim_sort(elements, element_count, sizeof *elements, compare_words);
    }
    size_t at = 0;
    for (size_t i = 0; i < count;) {
        size_t possible;
        const size_t attempted = run_of(attempts, i, count, &possible);
        if (at < element_count && elements[at] < attempts[i].value) {
            violate_unasked(g, node, item, elements[at], unasked);
        }
        size_t found = 0;
        for (; at < element_count && elements[at] <= attempts[i].value; at++) {
            found += elements[at] == attempts[i].value;
        }
        if (found > possible) {
            violate_unasked(g, node, item, attempts[i].value,
                            found > attempted ? "more often than it was appended" : denied);
        }
        for (size_t k = i; g->settled && k < i + attempted; k++) {
            if (attempts[k].row->outcome == SIM_OUTCOME_OK) {
                exercise(g);
                if (found == 0) {
                    violate_lost(g, node, &attempts[k], "");
                }
            }
        }
        i += attempted;
    }
    if (at < element_count) {
        violate_unasked(g, node, item, elements[at], unasked);
    }
    release(g, elements, (element_count + 1) * sizeof *elements);
}

static void judge_contents(struct group *g, uint32_t node)
{
    if (!collect(g, 0, node)) {
        return;
    }
    size_t at = 0;
    for (size_t i = 0; i < g->attempt_count || at < g->item_count[0];) {
        const struct attempt *a = i < g->attempt_count ? &g->attempts[i] : NULL;
        const struct sim_item *item = at < g->item_count[0] ? &g->items[0][at] : NULL;
        const int order = !a      ? 1
                          : !item ? -1
                                  : compare_objects(a->list, a->key, item->list, item->key);
        if (order > 0) {
            violate_unasked(g, node, item, item->words[0], unasked);
            at++;
            continue;
        }
        size_t end = i;
        while (end < g->attempt_count && g->attempts[end].list == a->list &&
               g->attempts[end].key == a->key) {
            end++;
        }
        if (a->list) {
            judge_list(g, node, a, end - i, order == 0 ? item : NULL);
        } else {
            judge_register(g, node, a, end - i, order == 0 ? item : NULL);
        }
        i = end;
        at += order == 0;
    }
}

/* ---- The end --------------------------------------------------------------------------------- */

static void group_end(struct group *g)
{
    release(g, g->attempts, g->attempt_capacity * sizeof *g->attempts);
    for (uint32_t side = 0; side < 2; side++) {
        release(g, g->items[side], g->item_capacity[side] * sizeof *g->items[side]);
    }
}

bool sim_checks_converged(struct sim_checks *checks)
{
    bool converged = true;
    for (uint32_t number = 0; converged && number < checks->group_count; number++) {
        struct group g;
        group_begin(&g, checks, number);
        g.asking = true;
        converged = all_equal(&g);
        if (converged && g.first != SIM_NOBODY && collect_attempts(&g)) {
            judge_contents(&g, g.first);
            converged = !g.amiss;
        }
        group_end(&g);
    }
    return converged;
}

void sim_check_convergence(struct sim_checks *checks)
{
    for (uint32_t number = 0; number < checks->group_count; number++) {
        struct group g;
        group_begin(&g, checks, number);
        if (g.first == SIM_NOBODY || !collect_attempts(&g)) {
            continue;
        }
        if (g.settled) {
            compare_healed(&g);
            judge_contents(&g, g.first);
        } else {
            compare_equally_far(&g);
            for (uint32_t i = 0; i < g.member_count; i++) {
                judge_contents(&g, g.members[i]);
            }
        }
        group_end(&g);
    }
}
