/* Convergence, (b) and (c): is what a node holds what clients asked for, and is everything there
 * that they were told has been done? */
#include "sim/check/convergence_internal.h"

#include "sim/sort.h"

#include <inttypes.h>
#include <stdio.h>

static void exercise(struct sim_convergence *g)
{
    if (!g->asking) {
        sim_check_exercise(g->checks, SIM_CHECK_CONVERGENCE);
    }
}

static int compare_attempts(const void *left, const void *right)
{
    const struct sim_attempt *a = left;
    const struct sim_attempt *b = right;
    const int by_object = sim_convergence_order(a->list, a->key, b->list, b->key);
    const int by_value = sim_convergence_compare(a->value, b->value);
    return by_object  ? by_object
           : by_value ? by_value
                      : sim_convergence_compare(a->row->invoke_event, b->row->invoke_event);
}

bool sim_convergence_attempts(struct sim_convergence *g)
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
                    (struct sim_attempt){part.function == SIM_APPEND, part.key, part.value, row};
            }
        }
    }
    if (g->attempts) {
        sim_sort(g->attempts, g->attempt_count, sizeof *g->attempts, compare_attempts);
    }
    return g->attempts != NULL;
}

static void violate_lost(struct sim_convergence *g, uint32_t node, const struct sim_attempt *lost,
                         const char *instead)
{
    const struct sim_history_row *row = lost->row;
    g->amiss = true;
    if (g->asking) {
        return;
    }
    sim_check_violate_at(g->checks, SIM_CHECK_CONVERGENCE, node, row->return_ns, row->return_event,
                         "%s acknowledged to %s that %" PRIu64 " was %s %" PRIu64
                         ", which %s does not hold%s",
                         sim_check_node_name(g->checks, row->server),
                         sim_check_node_name(g->checks, row->operation.client), lost->value,
                         lost->list ? "appended to list" : "written to register", lost->key,
                         sim_check_node_name(g->checks, node), instead);
}

static void violate_unasked(struct sim_convergence *g, uint32_t node, const struct sim_item *item,
                            uint64_t value, const char *why)
{
    g->amiss = true;
    if (g->asking) {
        return;
    }
    sim_check_violate(g->checks, SIM_CHECK_CONVERGENCE, node,
                      "%s holds %" PRIu64 " in %s %" PRIu64 ", %s",
                      sim_check_node_name(g->checks, node), value, item->list ? "list" : "register",
                      item->key, why);
}

static const char unasked[] = "which nobody wrote";
static const char denied[] = "of which a client was told that it was not done";

/* The attempts on one register, and what it holds: an item, or NULL if nothing. */
static void judge_register(struct sim_convergence *g, uint32_t node,
                           const struct sim_attempt *attempts, size_t count,
                           const struct sim_item *item)
{
    /* Of those acknowledged, the last that was begun; of those that wrote what is held, the last to
     * end. */
    const struct sim_attempt *newest = NULL;
    const struct sim_attempt *holder = NULL;
    for (size_t i = 0; i < count; i++) {
        const struct sim_attempt *a = &attempts[i];
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
static size_t run_of(const struct sim_attempt *attempts, size_t at, size_t count, size_t *possible)
{
    size_t end = at;
    *possible = 0;
    while (end < count && attempts[end].value == attempts[at].value) {
        *possible += attempts[end].row->outcome != SIM_OUTCOME_FAIL;
        end++;
    }
    return end - at;
}

static int compare_words(const void *left, const void *right)
{
    return sim_convergence_compare(*(const uint64_t *)left, *(const uint64_t *)right);
}

/* The same for a list. Elements and attempts are walked in the order of their values. */
static void judge_list(struct sim_convergence *g, uint32_t node, const struct sim_attempt *attempts,
                       size_t count, const struct sim_item *item)
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
    sim_convergence_release(g, elements, (element_count + 1) * sizeof *elements);
}

void sim_convergence_judge(struct sim_convergence *g, uint32_t node)
{
    if (!sim_convergence_collect(g, 0, node)) {
        return;
    }
    size_t at = 0;
    for (size_t i = 0; i < g->attempt_count || at < g->item_count[0];) {
        const struct sim_attempt *a = i < g->attempt_count ? &g->attempts[i] : NULL;
        const struct sim_item *item = at < g->item_count[0] ? &g->items[0][at] : NULL;
        const int order = !a      ? 1
                          : !item ? -1
                                  : sim_convergence_order(a->list, a->key, item->list, item->key);
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
