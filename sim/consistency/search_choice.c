#include "sim/consistency/search_internal.h"

/* ---- Candidates ---- */

const struct sim_call *sim_search_candidate(const struct sim_search *s, uint32_t candidate)
{
    return candidate >= SIM_SEARCH_LONGS ? &s->longs[candidate - SIM_SEARCH_LONGS]
                                         : &s->shorts[candidate];
}

/* Of calls that do the same the one that returns first goes first: exchanging two of them in an
 * order that works gives one that works too. */
static size_t add_candidate(struct sim_search *s, size_t count, uint32_t candidate)
{
    const struct sim_call *call = sim_search_candidate(s, candidate);
    for (size_t i = 0; i < count; i++) {
        const struct sim_call *other = sim_search_candidate(s, s->candidates[i]);
        if (other->class == call->class) {
            if (call->returned < other->returned) {
                s->candidates[i] = candidate;
            }
            return count;
        }
    }
    s->candidates[count] = candidate;
    return count + 1;
}

/* The impure calls that may go next, those that returned first. */
size_t sim_search_list_candidates(struct sim_search *s)
{
    size_t count = 0;
    for (uint32_t i = s->base; i < s->end && s->shorts[i].invoked < s->limit; i++) {
        if (!sim_call_is_pure(s->shorts[i].kind) && !sim_search_short_taken(s, i)) {
            count = add_candidate(s, count, i);
        }
    }
    const uint32_t bound = s->limit < s->end_position ? s->limit : s->end_position;
    for (uint32_t i = 0; i < s->long_count && s->longs[i].invoked < bound; i++) {
        if (!sim_call_is_pure(s->longs[i].kind) && !sim_search_long_taken(s, i)) {
            count = add_candidate(s, count, SIM_SEARCH_LONGS + i);
        }
    }
    return count;
}

static bool tells(const struct sim_search *s, const struct sim_call *call, uint32_t state)
{
    if (call->kind == SIM_CALL_SWAP) {
        return call->expected == state;
    }
    if (call->kind == SIM_CALL_MOVE) {
        return true;
    }
    return sim_call_is_pure(call->kind) && sim_machine_step(s->machine, call, state) == state;
}

/* A call that never returned need not have been: taking it to `state` is of use only if a call
 * that can go next needs that very state. Asked of SET and SWAP alone: what they leave does not
 * sim_search_remember what was before. */
bool sim_search_is_of_use(const struct sim_search *s, uint32_t candidate, uint32_t state)
{
    const struct sim_call *call = sim_search_candidate(s, candidate);
    if (call->returned != SIM_POSITION_NEVER) {
        return true;
    }
    if (state == s->state) {
        return false;
    }
    if (call->kind == SIM_CALL_MOVE) {
        return true;
    }
    for (uint32_t i = s->base; i < s->end && s->shorts[i].invoked < s->limit; i++) {
        if (!sim_search_short_taken(s, i) && tells(s, &s->shorts[i], state)) {
            return true;
        }
    }
    const uint32_t bound = s->limit < s->end_position ? s->limit : s->end_position;
    for (uint32_t i = 0; i < s->long_count && s->longs[i].invoked < bound; i++) {
        if (&s->longs[i] != call && !sim_search_long_taken(s, i) && tells(s, &s->longs[i], state)) {
            return true;
        }
    }
    return false;
}

/* ---- Strings and lists that grow ---- */

/* When the first call not taken that writes anew is invoked. */
static uint32_t next_writing(const struct sim_search *s)
{
    uint32_t earliest = SIM_POSITION_NEVER;
    for (uint32_t i = s->next_set[s->base]; i < s->end; i = s->next_set[i + 1]) {
        if (!sim_search_short_taken(s, i)) {
            earliest = s->shorts[i].invoked;
            break;
        }
    }
    for (uint32_t i = 0; i < s->long_count && s->longs[i].invoked < earliest; i++) {
        if (sim_search_writes_anew(&s->longs[i]) && !sim_search_long_taken(s, i)) {
            earliest = s->longs[i].invoked;
        }
    }
    return earliest;
}

static bool can_read(const struct sim_search *s, const struct sim_call *read, uint32_t writing)
{
    return read->returned > writing || sim_machine_grows(s->machine, s->state, read->target);
}

/* No order of what has been taken so far gets past the return of this read. */
static bool dies_of(struct sim_search *s, const struct sim_call *read)
{
    if (read->returned >= s->result->furthest) {
        s->result->furthest = read->returned;
        s->result->furthest_place = read->place;
    }
    return true;
}

/* A read that must come before anything is written anew must see what the object now holds, or
 * what that grows to. Looks at the reads that are open now and at the next one after them. */
bool sim_search_is_dead(struct sim_search *s)
{
    if (!s->next_set) {
        return false;
    }
    const uint32_t writing = next_writing(s);
    for (uint32_t i = s->next_expect[s->base]; i < s->end; i = s->next_expect[i + 1]) {
        if (sim_search_short_taken(s, i)) {
            continue;
        }
        if (!can_read(s, &s->shorts[i], writing)) {
            return dies_of(s, &s->shorts[i]);
        }
        if (s->shorts[i].invoked > s->limit) {
            break;
        }
    }
    for (uint32_t i = 0; i < s->long_count && s->longs[i].invoked < s->end_position; i++) {
        if (s->longs[i].kind == SIM_CALL_EXPECT && !sim_search_long_taken(s, i) &&
            !can_read(s, &s->longs[i], writing)) {
            return dies_of(s, &s->longs[i]);
        }
    }
    return false;
}
