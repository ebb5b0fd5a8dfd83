/* Delta debugging of a list (Zeller and Hildebrandt, "Simplifying and isolating failure-inducing
 * input", IEEE TSE 28(2), 2002): leave out halves, then quarters, ... then single elements, and
 * go on from whatever still fails. What is left in the end needs each of its elements. */
#include "scenarios/commands/shrink.h"

static void remove_at(void *array, uint32_t *total, size_t element_bytes, uint32_t first,
                      uint32_t count)
{
    uint8_t *bytes = array;
    const size_t after = *total - first - count;
    memmove(bytes + first * element_bytes, bytes + (first + count) * element_bytes,
            after * element_bytes);
    *total -= count;
}

void shrink_remove(struct sim_plan *plan, enum shrink_list list, uint32_t first, uint32_t count)
{
    switch (list) {
    case SHRINK_FAULTS:
        remove_at(plan->faults, &plan->fault_count, sizeof *plan->faults, first, count);
        break;
    case SHRINK_FATES:
        remove_at(plan->fates, &plan->fate_count, sizeof *plan->fates, first, count);
        break;
    case SHRINK_SCRIPT:
        remove_at(plan->script, &plan->script_count, sizeof *plan->script, first, count);
        break;
    case SHRINK_LINKS:
        remove_at(plan->links, &plan->link_count, sizeof *plan->links, first, count);
        break;
    }
}

static uint32_t length_of(const struct sim_plan *plan, enum shrink_list list)
{
    switch (list) {
    case SHRINK_FAULTS:
        return plan->fault_count;
    case SHRINK_FATES:
        return plan->fate_count;
    case SHRINK_SCRIPT:
        return plan->script_count;
    case SHRINK_LINKS:
        return plan->link_count;
    }
    return 0;
}

static bool try_without(struct shrink *s, enum shrink_list list, uint32_t first, uint32_t count)
{
    struct sim_plan candidate;
    if (!shrink_copy(s, &candidate)) {
        return false;
    }
    shrink_remove(&candidate, list, first, count);
    return shrink_try(s, &candidate);
}

/* Leave out every piece of this size, the last first: what comes late is needed least. */
static bool sweep(struct shrink *s, enum shrink_list list, uint32_t piece)
{
    bool smaller = false;
    uint32_t end = length_of(&s->best, list);
    while (end > 0 && !shrink_is_over(s)) {
        const uint32_t first = end > piece ? end - piece : 0;
        smaller = try_without(s, list, first, end - first) || smaller;
        end = first;
    }
    return smaller;
}

bool shrink_ddmin(struct shrink *s, enum shrink_list list)
{
    bool smaller = false;
    uint32_t piece = length_of(&s->best, list);
    while (piece > 0 && !shrink_is_over(s)) {
        const bool went = sweep(s, list, piece);
        smaller = smaller || went;
        /* Single elements again and again: without one, another may be needed no longer. */
        if (piece > 1 || !went) {
            piece = piece > 1 ? (piece + 1) / 2 : 0;
        }
    }
    return smaller;
}
