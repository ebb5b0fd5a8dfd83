/* A set that only grows, each element added once. Of every element every read says whether its
 * add came before: so all that is to be ordered is given, and the history is linearizable exactly
 * if that order has no cycle with real time. Reads must be a chain by inclusion; between two
 * neighbours of the chain stand the adds of what the larger one has more. */
#include "sim/consistency/monitor.h"

#define UNSEEN UINT32_MAX

struct growing {
    const struct sim_history *history;
    uint32_t *local;
    uint32_t *adds; /* Places in the history, by local number less 1. */
    uint32_t *rank; /* Of each add: the first read of the chain that has it, or UNSEEN. */
    uint32_t *met;  /* Of each add: the last read of the chain that was seen to have it, plus 1. */
    uint32_t add_count;
    uint64_t *chain; /* Size << 32 | place, of reads; sorted. */
    uint64_t *spare;
    uint32_t read_count;
    uint64_t *order; /* Block << 32 | place, of all operations that were; sorted. */
    struct sim_monitor_result *result;
};

static const struct sim_history_operation *at(const struct growing *g, uint32_t place)
{
    return &g->history->operations[place];
}

static size_t size_of(const struct growing *g, uint32_t place)
{
    const uint32_t list = at(g, place)->result;
    return g->history->list_starts[list + 1] - g->history->list_starts[list];
}

static enum sim_monitor_answer violated(struct growing *g, const char *why, uint32_t a, uint32_t b)
{
    g->result->why = why;
    sim_monitor_name(g->result, a);
    sim_monitor_name(g->result, b);
    return SIM_MONITOR_VIOLATED;
}

static bool gather(struct growing *g, const uint32_t *places, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        const struct sim_history_operation *o = at(g, places[i]);
        if (o->outcome == SIM_OUTCOME_FAIL) {
            continue;
        }
        if (o->action == SIM_ACTION_ADD && !g->local[o->value]) {
            g->rank[g->add_count] = UNSEEN;
            g->adds[g->add_count++] = places[i];
            g->local[o->value] = g->add_count;
        } else if (o->action != SIM_ACTION_READ) {
            return false;
        } else if (o->outcome == SIM_OUTCOME_OK && o->result != SIM_VALUE_UNKNOWN) {
            g->chain[g->read_count++] = (uint64_t)size_of(g, places[i]) << 32 | places[i];
        }
    }
    return true;
}

/* Rank the adds by the reads that see them; the reads must be a chain. */
static enum sim_monitor_answer rank_adds(struct growing *g)
{
    sim_sort_u64(g->chain, g->spare, g->read_count);
    uint32_t seen = 0;
    for (uint32_t r = 0; r < g->read_count; r++) {
        const uint32_t place = (uint32_t)g->chain[r];
        const size_t size = size_of(g, place);
        const uint32_t *items = g->history->items + g->history->list_starts[at(g, place)->result];
        uint32_t known = 0; /* Elements that smaller reads have too. */
        g->result->steps += size;
        for (size_t i = 0; i < size; i++) {
            const uint32_t add = g->local[items[i]];
            if (!add) {
                return violated(g, "an element was read that nobody added", place, place);
            }
            if (g->met[add - 1] == r + 1) {
                return violated(g, "a read has an element twice", place, place);
            }
            g->met[add - 1] = r + 1;
            known += g->rank[add - 1] != UNSEEN;
            g->rank[add - 1] = g->rank[add - 1] == UNSEEN ? r : g->rank[add - 1];
        }
        if (known != seen) {
            return violated(g, "of two reads neither has all that the other has",
                            (uint32_t)g->chain[r > 0 ? r - 1 : 0], place);
        }
        seen = (uint32_t)size;
    }
    return SIM_MONITOR_HOLDS;
}

/* Adds of rank r in block 2 r, reads in block 2 r + 1; equal reads share the first one's. */
static uint32_t order_all(struct growing *g)
{
    uint32_t count = 0;
    uint64_t block = 0;
    for (uint32_t r = 0; r < g->read_count; r++) {
        const bool equal = r > 0 && g->chain[r] >> 32 == g->chain[r - 1] >> 32;
        block = equal ? block : 2 * (uint64_t)r + 1;
        g->order[count++] = block << 32 | (uint32_t)g->chain[r];
    }
    for (uint32_t a = 0; a < g->add_count; a++) {
        const bool unseen = g->rank[a] == UNSEEN;
        if (!unseen || at(g, g->adds[a])->returned != SIM_POSITION_NEVER) {
            const uint64_t rank = unseen ? g->read_count : g->rank[a];
            g->order[count++] = 2 * rank << 32 | g->adds[a];
        }
    }
    return count;
}

static enum sim_monitor_answer compare_times(struct growing *g)
{
    const uint32_t count = order_all(g);
    sim_sort_u64(g->order, g->spare, count);
    uint32_t latest = 0; /* The latest start in earlier blocks, and whose. */
    uint32_t latest_place = 0;
    for (uint32_t i = 0; i < count;) {
        uint32_t end = i;
        for (; end < count && g->order[end] >> 32 == g->order[i] >> 32; end++) {
            const uint32_t place = (uint32_t)g->order[end];
            if (sim_monitor_finish(at(g, place)) < latest) {
                /* A read between them tells that they stand in this order. */
                for (uint32_t k = i; k-- > 0;) {
                    const uint32_t between = (uint32_t)g->order[k];
                    if (at(g, between)->action == SIM_ACTION_READ) {
                        sim_monitor_name(g->result, between);
                        break;
                    }
                }
                return violated(g, "reads tell of an order that contradicts real time",
                                latest_place, place);
            }
        }
        for (; i < end; i++) {
            const uint32_t place = (uint32_t)g->order[i];
            if (sim_monitor_start(at(g, place)) > latest) {
                latest = sim_monitor_start(at(g, place));
                latest_place = place;
            }
        }
    }
    return SIM_MONITOR_HOLDS;
}

static enum sim_monitor_answer judge(struct growing *g, const uint32_t *places, uint32_t count)
{
    if (!gather(g, places, count)) {
        return SIM_MONITOR_NOT_APPLICABLE;
    }
    const enum sim_monitor_answer answer = rank_adds(g);
    return answer == SIM_MONITOR_HOLDS ? compare_times(g) : answer;
}

enum sim_monitor_answer sim_monitor_set(struct sim_monitor *monitor, const uint32_t *places,
                                        uint32_t count, struct sim_monitor_result *result)
{
    struct sim_scratch *scratch = monitor->scratch;
    *result = (struct sim_monitor_result){.steps = count, .witness = monitor->witness};
    struct growing g = {.history = monitor->history, .local = monitor->local, .result = result};
    g.adds = sim_scratch_alloc(scratch, count, sizeof *g.adds);
    g.rank = sim_scratch_alloc(scratch, count, sizeof *g.rank);
    g.met = sim_scratch_alloc(scratch, count, sizeof *g.met);
    g.chain = sim_scratch_alloc(scratch, count, sizeof *g.chain);
    g.spare = sim_scratch_alloc(scratch, count, sizeof *g.spare);
    g.order = sim_scratch_alloc(scratch, count, sizeof *g.order);
    enum sim_monitor_answer answer = SIM_MONITOR_NO_MEMORY;
    if (g.adds && g.rank && g.met && g.chain && g.spare && g.order) {
        answer = judge(&g, places, count);
        for (uint32_t i = 0; i < count; i++) {
            monitor->local[at(&g, places[i])->value] = 0;
        }
    }
    sim_scratch_release(scratch, g.adds, count, sizeof *g.adds);
    sim_scratch_release(scratch, g.rank, count, sizeof *g.rank);
    sim_scratch_release(scratch, g.met, count, sizeof *g.met);
    sim_scratch_release(scratch, g.chain, count, sizeof *g.chain);
    sim_scratch_release(scratch, g.spare, count, sizeof *g.spare);
    sim_scratch_release(scratch, g.order, count, sizeof *g.order);
    return answer;
}
