/* The witness of a violation: operations that no order explains, and of which none can go. */
#include "sim/consistency/linearizable_internal.h"
#include "sim/consistency/reduce.h"

/* ---- Smaller ---- */

struct shrinking {
    struct sim_lin *checker;
    const struct sim_lin_part *part;
    uint64_t steps_max; /* Of one search, */
    uint64_t left;      /* and of all. */
};

/* Is the part violated by the operations that are kept? */
static enum sim_reduce_answer still_violated(void *context)
{
    struct shrinking *s = context;
    struct sim_lin *c = s->checker;
    const uint32_t count = s->left > 0 ? sim_lin_build(c, s->part) : UINT32_MAX;
    if (count == UINT32_MAX) {
        return SIM_REDUCE_STOP;
    }
    struct sim_search_result found;
    sim_search(&c->machine, c->calls, count, s->steps_max < s->left ? s->steps_max : s->left,
               &found);
    s->left -= found.steps + count < s->left ? found.steps + count : s->left;
    return found.verdict == SIM_VIOLATED ? SIM_REDUCE_VIOLATED : SIM_REDUCE_NOT;
}

/* Take what can go out of the `kept` places of the part that are in witness[]; what is left are
 * places in the history. Their number. */
static uint32_t reduce(struct sim_lin *c, const struct sim_lin_part *part, uint32_t kept,
                       uint64_t steps)
{
    struct shrinking s = {c, part, 1000 + 2 * steps, 10000 + 8 * steps};
    kept = sim_reduce(c->witness, kept, c->keep, still_violated, &s);
    for (uint32_t i = 0; i < kept; i++) {
        c->witness[i] = part->places[c->witness[i]];
    }
    return kept;
}

/* ---- Of a search ---- */

/* What returned by the time no order got past suffices for the violation. Operations later than
 * that are no part of what is searched. */
void sim_lin_witness_of_search(struct sim_lin *c, const struct sim_lin_part *part,
                               const struct sim_search_result *found)
{
    struct sim_lin_part prefix = *part;
    uint32_t kept = 0;
    c->keep = sim_scratch_alloc(&c->scratch, part->count, sizeof *c->keep);
    if (c->keep) {
        for (prefix.count = 0; prefix.count < part->count; prefix.count++) {
            const struct sim_history_operation *o = sim_lin_at(c, part->places[prefix.count]);
            if (o->invoked > found->furthest) {
                break;
            }
            c->keep[prefix.count] =
                o->returned <= found->furthest && o->outcome != SIM_OUTCOME_FAIL;
            if (c->keep[prefix.count]) {
                c->witness[kept++] = prefix.count;
            }
        }
        kept = reduce(c, &prefix, kept, found->steps);
        (void)sim_consistency_witness(c->result, c->witness, kept);
    }
    sim_scratch_release(&c->scratch, c->keep, part->count, sizeof *c->keep);
    c->keep = NULL;
}

/* ---- Of a monitor ---- */

static bool takes(const struct sim_history_operation *o)
{
    return o->action == SIM_ACTION_DEQUEUE || o->action == SIM_ACTION_POP;
}

/* The value that an operation puts in or takes out, if anybody knows. */
static uint32_t moved(const struct sim_history_operation *o)
{
    return !takes(o) ? o->value : o->outcome == SIM_OUTCOME_OK ? o->result : SIM_VALUE_UNKNOWN;
}

/* All values that an operation is about. */
static void observe_values(struct sim_lin *c, const struct sim_history_operation *o)
{
    c->observed[o->value] = c->round;
    if (o->action == SIM_ACTION_CAS || o->action == SIM_ACTION_CAS_MISSED) {
        c->observed[o->expected] = c->round;
    }
    if (o->outcome != SIM_OUTCOME_OK || o->result == SIM_VALUE_UNKNOWN ||
        !(takes(o) || o->action == SIM_ACTION_READ)) {
        return;
    }
    if (c->history->object != SIM_OBJECT_SET) {
        c->observed[o->result] = c->round;
        return;
    }
    for (size_t i = c->history->list_starts[o->result]; i < c->history->list_starts[o->result + 1];
         i++) {
        c->observed[c->history->items[i]] = c->round;
    }
}

/* May an operation that is not kept be of use to those that are, whose values were observed? Where
 * every value goes in once, one of no interest to them may as well not have been, in and out; one
 * that nobody knows may be any. Values of registers are of interest to each other: they are
 * compared. */
static bool may_help(const struct sim_lin *c, const struct sim_history_operation *o)
{
    const bool compared =
        c->history->object == SIM_OBJECT_REGISTER || c->history->object == SIM_OBJECT_KV;
    const uint32_t value = moved(o);
    return compared || value == SIM_VALUE_UNKNOWN || c->observed[value] == c->round;
}

/* The part without all that cannot matter to what is kept, and keep[] for what is left of it. */
static struct sim_lin_part narrow(struct sim_lin *c, const struct sim_lin_part *part,
                                  uint32_t *places)
{
    struct sim_lin_part narrowed = {.places = places, .key = part->key};
    const uint32_t calls = sim_lin_build(c, part);
    if (calls == UINT32_MAX) {
        return narrowed;
    }
    c->round++;
    for (uint32_t i = 0; i < part->count; i++) {
        if (c->keep[i]) {
            observe_values(c, sim_lin_at(c, part->places[i]));
        }
    }
    uint32_t next = 0; /* Call. */
    for (uint32_t i = 0; i < part->count && next < calls; i++) {
        if (part->places[i] != c->calls[next].place) {
            continue;
        }
        next++;
        if (c->keep[i] || may_help(c, sim_lin_at(c, part->places[i]))) {
            places[narrowed.count] = part->places[i];
            c->keep[narrowed.count++] = c->keep[i];
        }
    }
    return narrowed;
}

/* Of a place in the history, the one in the part. */
static uint32_t place_in(const struct sim_lin_part *part, uint32_t place)
{
    uint32_t low = 0;
    uint32_t high = part->count;
    while (high - low > 1) {
        const uint32_t middle = low + (high - low) / 2;
        if (part->places[middle] <= place) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return low;
}

/* Of those kept that only look, or of the others, keep no more than it takes. */
static void leave_out(struct sim_lin *c, const struct sim_lin_part *part, bool looks)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < part->count; i++) {
        if (c->keep[i] && sim_only_looks(sim_lin_at(c, part->places[i])) == looks) {
            c->witness[count++] = i;
        }
    }
    (void)reduce(c, part, count, part->count);
}

/* Of what a monitor names, that which is kept in the narrowed part, and what tells the rest of the
 * story: where the values come from that this is about, and where they go. */
static uint32_t tell_story(struct sim_lin *c, const struct sim_lin_part *narrowed,
                           const struct sim_monitor_result *found)
{
    c->round++;
    for (uint32_t i = 0; i < narrowed->count; i++) {
        if (c->keep[i]) {
            observe_values(c, sim_lin_at(c, narrowed->places[i]));
        }
    }
    uint32_t count = 0;
    for (uint32_t i = 0; i < found->witness_count; i++) {
        const struct sim_history_operation *o = sim_lin_at(c, found->witness[i]);
        const uint32_t place = place_in(narrowed, found->witness[i]);
        const bool kept = narrowed->places[place] == found->witness[i] && c->keep[place];
        const bool moves = o->action == SIM_ACTION_CAS_MISSED || !sim_only_looks(o);
        const uint32_t value = moves ? moved(o) : SIM_VALUE_UNKNOWN;
        if (kept || (value != SIM_VALUE_UNKNOWN && c->observed[value] == c->round)) {
            c->witness[count++] = found->witness[i];
        }
    }
    return count;
}

/* A monitor names all that shows how it found the violation, which can be more than it takes. What
 * only looks is left out first: it need not be shown, but what changed the object may come back as
 * a part of the story. */
void sim_lin_witness_of_monitor(struct sim_lin *c, const struct sim_lin_part *part,
                                const struct sim_monitor_result *found)
{
    uint32_t *places = sim_scratch_alloc(&c->scratch, part->count, sizeof *places);
    struct sim_lin_part narrowed = {0};
    c->keep = sim_scratch_alloc(&c->scratch, part->count, sizeof *c->keep);
    if (places && c->keep) {
        memset(c->keep, 0, part->count * sizeof *c->keep);
        for (uint32_t i = 0; i < found->witness_count; i++) {
            const uint32_t place = place_in(part, found->witness[i]);
            c->keep[place] = sim_lin_at(c, found->witness[i])->outcome != SIM_OUTCOME_FAIL;
        }
        narrowed = narrow(c, part, places);
    }
    if (narrowed.count > 0) {
        leave_out(c, &narrowed, true);
        leave_out(c, &narrowed, false);
        const uint32_t count = tell_story(c, &narrowed, found);
        (void)sim_consistency_witness(c->result, c->witness, count);
    } else { /* No memory to look closer. */
        (void)sim_consistency_witness(c->result, found->witness, found->witness_count);
    }
    sim_scratch_release(&c->scratch, c->keep, part->count, sizeof *c->keep);
    sim_scratch_release(&c->scratch, places, part->count, sizeof *places);
    c->keep = NULL;
}
