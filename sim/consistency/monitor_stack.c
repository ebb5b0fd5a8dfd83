/* A stack whose values are all different. A value must be inside from the return of its push to
 * the invocation of its pop; a value whose pop began before its push returned may be in and out
 * within one moment, in nobody's way. Of the others:
 *
 *  - Where no value must be inside the stack can be empty, and whatever comes before such a gap
 *    can be ordered by itself, and what comes after it too: each value has its whole stretch on
 *    one side, and both operations can be there. An "empty" is right if there is a gap while it
 *    is open.
 *  - Between two gaps the stack is never empty, so what is pushed first is popped last. Any value
 *    whose push can be first there and whose pop can be last may be the one: if another is at the
 *    bottom in some order, this one can be put under it. Without it there are more gaps.
 *
 * So the values are taken off from the bottom, between gaps, until none is left, or none of those
 * between two gaps can be at the bottom: then no order exists (as in Abdulla et al., "Efficient
 * Linearizability Monitoring", PLDI 2025, but with trees, in n log n). */
#include "sim/consistency/monitor.h"
#include "sim/consistency/reduce.h"
#include "sim/consistency/trees.h"

#define NEVER SIM_POSITION_NEVER

struct item {
    uint32_t push; /* Places in the history. */
    uint32_t pop;  /* SIM_HISTORY_NOTHING: never. */
    uint32_t from; /* Among the ends: where it must be inside from, */
    uint32_t to;   /* and to. */
    bool gone;     /* Taken off. */
};

struct stack {
    const struct sim_history *history;
    struct sim_scratch *scratch;
    uint32_t *local;
    struct item *items;
    uint32_t item_count;
    bool is_loose; /* Some pop may have taken a value unseen. */

    /* Of the items looked at, where they begin and end to be inside for certain, in order of
     * time: position << 32 | item. Place i of the trees is the time from end i to end i + 1. */
    uint64_t *ends;
    uint64_t *spare;
    uint32_t end_count;
    struct sim_tournament starts;   /* Where an item's stretch begins: the start of its push; */
    struct sim_tournament finishes; /* of those that may be first NEVER - the finish of its pop. */
    struct sim_cover cover;
    uint32_t first, last; /* Ends of a stretch that no item can be at the bottom of. */

    bool *keep; /* Items, while a witness is made smaller. */
    uint64_t left;
    struct sim_monitor_result *result;
};

static const struct sim_history_operation *at(const struct stack *s, uint32_t place)
{
    return &s->history->operations[place];
}

static uint32_t in_from(const struct stack *s, const struct item *item)
{
    return sim_monitor_finish(at(s, item->push));
}

/* What is never popped is as if it were, after everything. */
static uint32_t in_to(const struct stack *s, const struct item *item)
{
    return item->pop == SIM_HISTORY_NOTHING ? NEVER : sim_monitor_start(at(s, item->pop));
}

static uint32_t out_finish(const struct stack *s, const struct item *item)
{
    return item->pop == SIM_HISTORY_NOTHING ? NEVER : sim_monitor_finish(at(s, item->pop));
}

/* ---- Pushes and pops ---- */

static enum sim_monitor_answer violated(struct stack *s, const char *why, uint32_t a, uint32_t b)
{
    s->result->why = why;
    sim_monitor_name(s->result, a);
    sim_monitor_name(s->result, b);
    return SIM_MONITOR_VIOLATED;
}

static bool gather_pushes(struct stack *s, const uint32_t *places, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        const struct sim_history_operation *o = at(s, places[i]);
        if (o->action != SIM_ACTION_PUSH || o->outcome == SIM_OUTCOME_FAIL) {
            continue;
        }
        if (s->local[o->value]) {
            return false;
        }
        s->items[s->item_count] = (struct item){.push = places[i], .pop = SIM_HISTORY_NOTHING};
        s->local[o->value] = ++s->item_count;
    }
    return true;
}

static enum sim_monitor_answer gather_pops(struct stack *s, const uint32_t *places, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        const struct sim_history_operation *o = at(s, places[i]);
        if (o->action != SIM_ACTION_POP || o->outcome == SIM_OUTCOME_FAIL) {
            continue;
        }
        if (o->outcome != SIM_OUTCOME_OK) {
            s->is_loose = true;
            continue;
        }
        if (o->result == SIM_VALUE_UNKNOWN) {
            return SIM_MONITOR_NOT_APPLICABLE; /* It took something, nobody knows what. */
        }
        if (o->result == SIM_VALUE_NIL) {
            continue;
        }
        if (!s->local[o->result]) {
            return violated(s, "a value was popped that nobody pushed", places[i], places[i]);
        }
        struct item *item = &s->items[s->local[o->result] - 1];
        if (item->pop != SIM_HISTORY_NOTHING) {
            return violated(s, "a value was popped twice", item->pop, places[i]);
        }
        if (o->returned < at(s, item->push)->invoked) {
            return violated(s, "a value was popped before it was pushed", item->push, places[i]);
        }
        item->pop = places[i];
    }
    return SIM_MONITOR_HOLDS;
}

/* ---- Stretches ---- */

static uint32_t time_of(const struct stack *s, uint32_t end)
{
    return (uint32_t)(s->ends[end] >> 32);
}

static bool begins(const struct stack *s, uint32_t end)
{
    return s->items[(uint32_t)s->ends[end]].from == end;
}

/* The ends of all items that must be inside at some time; of those to keep, if some are not. A push
 * of unknown outcome whose value was never seen ends nowhere: it need not have been. */
static void gather_ends(struct stack *s)
{
    s->end_count = 0;
    for (uint32_t i = 0; i < s->item_count; i++) {
        struct item *item = &s->items[i];
        item->from = item->to = NEVER;
        item->gone = false;
        if ((!s->keep || s->keep[i]) && in_from(s, item) < in_to(s, item)) {
            s->ends[s->end_count++] = (uint64_t)in_from(s, item) << 32 | i;
            s->ends[s->end_count++] = (uint64_t)in_to(s, item) << 32 | i;
        }
    }
    sim_sort_u64(s->ends, s->spare, s->end_count);
    for (uint32_t end = 0; end < s->end_count; end++) {
        struct item *item = &s->items[(uint32_t)s->ends[end]];
        *(item->from == NEVER ? &item->from : &item->to) = end;
    }
}

static void release_trees(struct stack *s)
{
    sim_tournament_release(&s->starts, s->scratch);
    sim_tournament_release(&s->finishes, s->scratch);
    sim_cover_release(&s->cover, s->scratch);
}

static enum sim_status build_trees(struct stack *s)
{
    uint32_t *covers = sim_scratch_alloc(s->scratch, s->end_count, sizeof *covers);
    enum sim_status status = covers ? SIM_OK : SIM_ENOMEM;
    uint32_t inside = 0;
    for (uint32_t end = 0; covers && end < s->end_count; end++) {
        inside = begins(s, end) ? inside + 1 : inside - 1;
        covers[end] = inside;
    }
    if (status == SIM_OK) {
        status = sim_cover_init(&s->cover, s->scratch, covers, s->end_count);
    }
    sim_scratch_release(s->scratch, covers, s->end_count, sizeof *covers);
    if (status == SIM_OK) {
        status = sim_tournament_init(&s->starts, s->scratch, s->end_count);
    }
    if (status == SIM_OK) {
        status = sim_tournament_init(&s->finishes, s->scratch, s->end_count);
    }
    for (uint32_t end = 0; status == SIM_OK && end < s->end_count; end++) {
        if (begins(s, end)) {
            const struct item *item = &s->items[(uint32_t)s->ends[end]];
            sim_tournament_set(&s->starts, end, sim_monitor_start(at(s, item->push)));
        }
    }
    return status;
}

/* ---- The bottom ---- */

/* Of the items between two gaps one that can be at the bottom: it could be pushed before any
 * other push was over, and popped after every other pop had begun. NULL: there is none. */
static struct item *bottom(struct stack *s)
{
    const uint32_t begin = time_of(s, s->first);
    const uint32_t over = time_of(s, s->last);
    for (;;) { /* Who can be first here can be first wherever it is looked for later, too. */
        const uint32_t end = sim_tournament_smallest(&s->starts, s->first, s->last);
        if (s->starts.values[end] >= begin) {
            break;
        }
        sim_tournament_set(&s->starts, end, NEVER);
        sim_tournament_set(&s->finishes, end,
                           NEVER - out_finish(s, &s->items[(uint32_t)s->ends[end]]));
    }
    const uint32_t end = sim_tournament_smallest(&s->finishes, s->first, s->last);
    return NEVER - s->finishes.values[end] < over ? NULL : &s->items[(uint32_t)s->ends[end]];
}

/* Take all off. False: first and last are where that ended. */
static bool take_off(struct stack *s)
{
    for (s->first = 0;;) {
        while (s->first < s->end_count &&
               (!begins(s, s->first) || s->items[(uint32_t)s->ends[s->first]].gone)) {
            s->first++;
        }
        if (s->first == s->end_count) {
            return true;
        }
        s->last = sim_cover_gap(&s->cover, s->first);
        struct item *item = bottom(s);
        s->result->steps++;
        if (!item) {
            return false;
        }
        item->gone = true;
        sim_tournament_set(&s->finishes, item->from, NEVER);
        sim_cover_take(&s->cover, item->from, item->to);
    }
}

/* ---- What shows a violation ---- */

static enum sim_reduce_answer still_violated(void *context)
{
    struct stack *s = context;
    gather_ends(s);
    if (s->left < s->item_count) {
        return SIM_REDUCE_STOP;
    }
    s->left -= s->item_count;
    const bool built = s->end_count > 0 && build_trees(s) == SIM_OK;
    const bool holds = !built || take_off(s);
    release_trees(s);
    return holds ? SIM_REDUCE_NOT : SIM_REDUCE_VIOLATED;
}

/* The items between first and last; fewer, if fewer do. All others are forgotten. */
static enum sim_monitor_answer tell_bottomless(struct stack *s)
{
    const uint32_t all = s->item_count;
    uint32_t *kept = sim_scratch_alloc(s->scratch, all, sizeof *kept);
    bool *keep = sim_scratch_alloc(s->scratch, all, sizeof *keep);
    uint32_t count = 0;
    for (uint32_t i = 0; kept && keep && i < all; i++) {
        const struct item *item = &s->items[i];
        if (!item->gone && item->from != NEVER && s->first <= item->from && item->to <= s->last) {
            keep[count] = true;
            kept[count] = count;
            s->items[count++] = *item;
        }
    }
    release_trees(s);
    if (count > 0) {
        s->item_count = count;
        s->keep = keep;
        s->left = 10000 + 40 * (uint64_t)all;
        count = sim_reduce(kept, count, keep, still_violated, s);
        s->keep = NULL;
    }
    for (uint32_t i = 0; i < count; i++) { /* All different: not named one by one. */
        const struct item *item = &s->items[kept[i]];
        s->result->witness[s->result->witness_count++] = item->push;
        if (item->pop != SIM_HISTORY_NOTHING) {
            s->result->witness[s->result->witness_count++] = item->pop;
        }
    }
    sim_scratch_release(s->scratch, kept, all, sizeof *kept);
    sim_scratch_release(s->scratch, keep, all, sizeof *keep);
    s->result->why = "some of these values were inside throughout, and none can have been lowest";
    return count > 0 ? SIM_MONITOR_VIOLATED : SIM_MONITOR_NO_MEMORY;
}

/* Names items one of which must have been inside at every moment of an empty answer: from each
 * on the one that stays longest. */
static void name_cover(struct stack *s, const struct sim_history_operation *empty)
{
    uint32_t covered = sim_monitor_start(empty);
    for (uint32_t end = 0; covered <= sim_monitor_finish(empty);) {
        const struct item *best = NULL;
        for (; end < s->end_count && time_of(s, end) < covered; end++) {
            const struct item *item = &s->items[(uint32_t)s->ends[end]];
            if (begins(s, end) && (!best || in_to(s, item) > in_to(s, best))) {
                best = item;
            }
        }
        assert(best && in_to(s, best) > covered);
        covered = in_to(s, best);
        s->result->witness[s->result->witness_count++] = best->push;
        if (best->pop != SIM_HISTORY_NOTHING) {
            s->result->witness[s->result->witness_count++] = best->pop;
        }
    }
}

/* Is there a gap while the answer "empty" was open? */
static bool may_be_empty(const struct stack *s, const struct sim_history_operation *o)
{
    uint32_t low = 0; /* The first end after the pop was invoked. */
    uint32_t high = s->end_count;
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        if (time_of(s, middle) < sim_monitor_start(o)) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (low == 0) {
        return true;
    }
    const uint32_t gap = sim_cover_gap(&s->cover, low - 1);
    return gap == low - 1 || time_of(s, gap) < sim_monitor_finish(o);
}

/* ---- The whole ---- */

static enum sim_monitor_answer check_empties(struct stack *s, const uint32_t *places,
                                             uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        const struct sim_history_operation *o = at(s, places[i]);
        if (o->action != SIM_ACTION_POP || o->outcome != SIM_OUTCOME_OK ||
            o->result != SIM_VALUE_NIL || may_be_empty(s, o)) {
            continue;
        }
        if (s->is_loose) {
            return SIM_MONITOR_NOT_APPLICABLE;
        }
        name_cover(s, o);
        return violated(s, "the stack was found empty while something must have been inside",
                        places[i], places[i]);
    }
    return SIM_MONITOR_HOLDS;
}

static enum sim_monitor_answer check_order(struct stack *s, const uint32_t *places, uint32_t count)
{
    gather_ends(s);
    if (s->end_count == 0) {
        return SIM_MONITOR_HOLDS;
    }
    if (build_trees(s) != SIM_OK) {
        return SIM_MONITOR_NO_MEMORY;
    }
    const enum sim_monitor_answer answer = check_empties(s, places, count);
    if (answer != SIM_MONITOR_HOLDS || take_off(s)) {
        return answer;
    }
    return s->is_loose ? SIM_MONITOR_NOT_APPLICABLE : tell_bottomless(s);
}

static enum sim_monitor_answer judge(struct stack *s, const uint32_t *places, uint32_t count)
{
    if (!gather_pushes(s, places, count)) {
        return SIM_MONITOR_NOT_APPLICABLE;
    }
    const enum sim_monitor_answer answer = gather_pops(s, places, count);
    return answer == SIM_MONITOR_HOLDS ? check_order(s, places, count) : answer;
}

enum sim_monitor_answer sim_monitor_stack(struct sim_monitor *monitor, const uint32_t *places,
                                          uint32_t count, struct sim_monitor_result *result)
{
    struct sim_scratch *scratch = monitor->scratch;
    *result = (struct sim_monitor_result){.steps = count, .witness = monitor->witness};
    struct stack s = {
        .history = monitor->history, .scratch = scratch, .local = monitor->local, .result = result};
    const size_t ends = 2 * (size_t)count;
    s.items = sim_scratch_alloc(scratch, count, sizeof *s.items);
    s.ends = sim_scratch_alloc(scratch, ends, sizeof *s.ends);
    s.spare = sim_scratch_alloc(scratch, ends, sizeof *s.spare);
    enum sim_monitor_answer answer = SIM_MONITOR_NO_MEMORY;
    if (s.items && s.ends && s.spare) {
        answer = judge(&s, places, count);
        for (uint32_t i = 0; i < count; i++) {
            monitor->local[at(&s, places[i])->value] = 0;
        }
    }
    release_trees(&s);
    sim_scratch_release(scratch, s.items, count, sizeof *s.items);
    sim_scratch_release(scratch, s.ends, ends, sizeof *s.ends);
    sim_scratch_release(scratch, s.spare, ends, sizeof *s.spare);
    return answer;
}
