/* A first-in-first-out queue whose values are all different is linearizable exactly if no value
 * is taken out that was not put in, or twice, or before it was put in; no value overtakes
 * another that was put in before it; and no "empty" is answered while something must have been
 * inside throughout (Henzinger, Sezgin and Vafeiadis, "Aspect-Oriented Linearizability Proofs",
 * 2013). Whatever the moment, a value must be inside from the return of its enqueue to the
 * invocation of its dequeue. */
#include "sim/consistency/monitor.h"

struct item {
    uint32_t enqueue; /* Places in the history. */
    uint32_t dequeue; /* SIM_HISTORY_NOTHING: never. */
};

struct queue {
    const struct sim_history *history;
    uint32_t *local;
    struct item *items;
    uint32_t item_count;
    uint64_t *keys; /* Of items: time << 32 | item. */
    uint64_t *others;
    uint64_t *spare;
    uint32_t stretch_count; /* Items among keys[] that were inside for certain at some moment. */
    bool is_loose;          /* Some dequeue may have taken a value unseen. */
    struct sim_monitor_result *result;
};

static const struct sim_history_operation *at(const struct queue *q, uint32_t place)
{
    return &q->history->operations[place];
}

static uint32_t in_finish(const struct queue *q, uint32_t item)
{
    return sim_monitor_finish(at(q, q->items[item].enqueue));
}

/* When the item may first have been taken out; never is after everything. */
static uint32_t out_start(const struct queue *q, uint32_t item)
{
    const uint32_t dequeue = q->items[item].dequeue;
    return dequeue == SIM_HISTORY_NOTHING ? SIM_POSITION_NEVER : sim_monitor_start(at(q, dequeue));
}

static enum sim_monitor_answer violated(struct queue *q, const char *why, uint32_t a, uint32_t b)
{
    q->result->why = why;
    sim_monitor_name(q->result, a);
    sim_monitor_name(q->result, b);
    return SIM_MONITOR_VIOLATED;
}

static bool gather_enqueues(struct queue *q, const uint32_t *places, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        const struct sim_history_operation *o = at(q, places[i]);
        if (o->action != SIM_ACTION_ENQUEUE || o->outcome == SIM_OUTCOME_FAIL) {
            continue;
        }
        if (q->local[o->value]) {
            return false;
        }
        q->items[q->item_count] =
            (struct item){.enqueue = places[i], .dequeue = SIM_HISTORY_NOTHING};
        q->local[o->value] = ++q->item_count;
    }
    return true;
}

static enum sim_monitor_answer gather_dequeues(struct queue *q, const uint32_t *places,
                                               uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        const struct sim_history_operation *o = at(q, places[i]);
        if (o->action != SIM_ACTION_DEQUEUE || o->outcome == SIM_OUTCOME_FAIL) {
            continue;
        }
        if (o->outcome != SIM_OUTCOME_OK || o->result == SIM_VALUE_UNKNOWN) {
            q->is_loose = true;
            continue;
        }
        if (o->result == SIM_VALUE_NIL) {
            continue;
        }
        if (!q->local[o->result]) {
            return violated(q, "a value was taken out that nobody put in", places[i], places[i]);
        }
        struct item *item = &q->items[q->local[o->result] - 1];
        if (item->dequeue != SIM_HISTORY_NOTHING) {
            return violated(q, "a value was taken out twice", item->dequeue, places[i]);
        }
        if (o->returned < at(q, item->enqueue)->invoked) {
            return violated(q, "a value was taken out before it was put in", item->enqueue,
                            places[i]);
        }
        item->dequeue = places[i];
    }
    return SIM_MONITOR_HOLDS;
}

/* An enqueue of unknown outcome whose value was never seen need not have been. */
static bool may_not_be(const struct queue *q, uint32_t item)
{
    return q->items[item].dequeue == SIM_HISTORY_NOTHING &&
           in_finish(q, item) == SIM_POSITION_NEVER;
}

/* a went in before b did, yet b was out before a began to be taken. */
static enum sim_monitor_answer compare_orders(struct queue *q)
{
    for (uint32_t i = 0; i < q->item_count; i++) {
        q->keys[i] = (uint64_t)in_finish(q, i) << 32 | i;
        q->others[i] = (uint64_t)sim_monitor_start(at(q, q->items[i].enqueue)) << 32 | i;
    }
    sim_sort_u64(q->keys, q->spare, q->item_count);
    sim_sort_u64(q->others, q->spare, q->item_count);
    uint32_t latest = 0; /* The latest out_start so far, and whose it is. */
    uint32_t latest_item = 0;
    uint32_t next = 0;
    for (uint32_t i = 0; i < q->item_count; i++) {
        const uint32_t b = (uint32_t)q->others[i];
        for (; next < q->item_count && q->keys[next] >> 32 < q->others[i] >> 32; next++) {
            const uint32_t a = (uint32_t)q->keys[next];
            if (out_start(q, a) > latest) {
                latest = out_start(q, a);
                latest_item = a;
            }
        }
        const uint32_t dequeue = q->items[b].dequeue;
        if (dequeue == SIM_HISTORY_NOTHING || sim_monitor_finish(at(q, dequeue)) >= latest) {
            continue;
        }
        if (latest == SIM_POSITION_NEVER && q->is_loose) {
            return SIM_MONITOR_NOT_APPLICABLE;
        }
        sim_monitor_name(q->result, q->items[latest_item].enqueue);
        sim_monitor_name(q->result, q->items[latest_item].dequeue);
        return violated(q, "a value overtook another that was put in before it",
                        q->items[b].enqueue, dequeue);
    }
    return SIM_MONITOR_HOLDS;
}

/* The stretches during which the queue cannot have been empty: from in others[], to in spare[].
 * Their number. */
static uint32_t merge_stretches(struct queue *q)
{
    uint32_t intervals = 0;
    for (uint32_t i = 0; i < q->item_count; i++) {
        if (!may_not_be(q, i) && in_finish(q, i) < out_start(q, i)) {
            q->keys[intervals++] = (uint64_t)in_finish(q, i) << 32 | i;
        }
    }
    sim_sort_u64(q->keys, q->spare, intervals);
    q->stretch_count = intervals;
    uint32_t count = 0;
    for (uint32_t i = 0; i < intervals; i++) {
        const uint64_t from = q->keys[i] >> 32;
        const uint64_t to = out_start(q, (uint32_t)q->keys[i]);
        if (count > 0 && from < q->spare[count - 1]) {
            q->spare[count - 1] = to > q->spare[count - 1] ? to : q->spare[count - 1];
        } else {
            q->others[count] = from;
            q->spare[count++] = to;
        }
    }
    return count;
}

/* Names items one of which must have been inside at every moment of an empty answer: from each
 * on the one that stays longest. keys[] are the items, as merge_stretches() sorted them. */
static void name_cover(struct queue *q, const struct sim_history_operation *empty)
{
    uint64_t covered = sim_monitor_start(empty);
    for (uint32_t next = 0; covered <= sim_monitor_finish(empty);) {
        uint64_t best = 0;
        uint32_t best_item = 0;
        for (; next < q->stretch_count && q->keys[next] >> 32 < covered; next++) {
            const uint32_t item = (uint32_t)q->keys[next];
            if (out_start(q, item) > best) {
                best = out_start(q, item);
                best_item = item;
            }
        }
        assert(best > covered);
        covered = best;
        /* They can be very many, and all are different: not named one by one. */
        q->result->witness[q->result->witness_count++] = q->items[best_item].enqueue;
        if (q->items[best_item].dequeue != SIM_HISTORY_NOTHING) {
            q->result->witness[q->result->witness_count++] = q->items[best_item].dequeue;
        }
    }
}

static enum sim_monitor_answer compare_empties(struct queue *q, const uint32_t *places,
                                               uint32_t count)
{
    const uint32_t stretches = merge_stretches(q);
    for (uint32_t i = 0; i < count; i++) {
        const struct sim_history_operation *o = at(q, places[i]);
        if (o->action != SIM_ACTION_DEQUEUE || o->outcome != SIM_OUTCOME_OK ||
            o->result != SIM_VALUE_NIL) {
            continue;
        }
        uint32_t low = 0; /* The first stretch that begins after the answer was asked for. */
        uint32_t high = stretches;
        while (low < high) {
            const uint32_t middle = low + (high - low) / 2;
            if (q->others[middle] < sim_monitor_start(o)) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        if (low > 0 && q->spare[low - 1] > sim_monitor_finish(o)) {
            if (q->is_loose) {
                return SIM_MONITOR_NOT_APPLICABLE;
            }
            name_cover(q, o);
            return violated(q, "the queue was found empty while something must have been inside",
                            places[i], places[i]);
        }
    }
    return SIM_MONITOR_HOLDS;
}

static enum sim_monitor_answer judge(struct queue *q, const uint32_t *places, uint32_t count)
{
    if (!gather_enqueues(q, places, count)) {
        return SIM_MONITOR_NOT_APPLICABLE;
    }
    enum sim_monitor_answer answer = gather_dequeues(q, places, count);
    if (answer == SIM_MONITOR_HOLDS) {
        answer = compare_orders(q);
    }
    return answer == SIM_MONITOR_HOLDS ? compare_empties(q, places, count) : answer;
}

enum sim_monitor_answer sim_monitor_queue(struct sim_monitor *monitor, const uint32_t *places,
                                          uint32_t count, struct sim_monitor_result *result)
{
    struct sim_scratch *scratch = monitor->scratch;
    *result = (struct sim_monitor_result){.steps = count, .witness = monitor->witness};
    struct queue q = {.history = monitor->history, .local = monitor->local, .result = result};
    q.items = sim_scratch_alloc(scratch, count, sizeof *q.items);
    q.keys = sim_scratch_alloc(scratch, count, sizeof *q.keys);
    q.others = sim_scratch_alloc(scratch, count, sizeof *q.others);
    q.spare = sim_scratch_alloc(scratch, count, sizeof *q.spare);
    enum sim_monitor_answer answer = SIM_MONITOR_NO_MEMORY;
    if (q.items && q.keys && q.others && q.spare) {
        answer = judge(&q, places, count);
        for (uint32_t i = 0; i < count; i++) {
            monitor->local[at(&q, places[i])->value] = 0;
        }
    }
    sim_scratch_release(scratch, q.items, count, sizeof *q.items);
    sim_scratch_release(scratch, q.keys, count, sizeof *q.keys);
    sim_scratch_release(scratch, q.others, count, sizeof *q.others);
    sim_scratch_release(scratch, q.spare, count, sizeof *q.spare);
    return answer;
}
