#include "sim/consistency/staleness.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "sim/consistency/linearizable.h"
#include "sim/consistency/operations.h"

#define NO_EVENT UINT64_MAX
#define TELL_STEPS_MAX 1000000

/* A history in which looks are asked earlier. */
struct shifting {
    const struct sim_history *history;
    uint64_t *events; /* By position: an operation's place, shifted by 1, and 1 for its return. */
    uint32_t *new_place; /* Of each operation. */
    struct sim_history earlier;
    struct sim_budget budget;
};

static bool looks(const struct sim_history_operation *o)
{
    return sim_only_looks(o) && !sim_saw_nothing(o);
}

static uint64_t time_of(const struct shifting *s, uint64_t event)
{
    const struct sim_history_operation *o = &s->history->operations[event >> 1];
    return event & 1 ? o->return_ns : o->invoke_ns;
}

/* False if a later event is earlier by its time. */
static bool list_events(struct shifting *s)
{
    const struct sim_history *h = s->history;
    for (uint32_t p = 0; p < h->position_count; p++) {
        s->events[p] = NO_EVENT;
    }
    for (size_t i = 0; i < h->count; i++) {
        const struct sim_history_operation *o = &h->operations[i];
        s->events[o->invoked] = (uint64_t)i << 1;
        if (o->returned != SIM_POSITION_NEVER) {
            s->events[o->returned] = (uint64_t)i << 1 | 1;
        }
    }
    uint64_t latest_ns = 0;
    for (uint32_t p = 0; p < h->position_count; p++) {
        if (s->events[p] != NO_EVENT) {
            if (time_of(s, s->events[p]) < latest_ns) {
                return false;
            }
            latest_ns = time_of(s, s->events[p]);
        }
    }
    return true;
}

static uint32_t next_look(const struct shifting *s, uint32_t place)
{
    while (place < s->history->count && !looks(&s->history->operations[place])) {
        place++;
    }
    return place;
}

/* Merge the looks, each earlier, with all other events. At the same time the look comes first. */
static void shift(struct shifting *s, uint64_t by_ns)
{
    const struct sim_history *h = s->history;
    uint32_t look = next_look(s, 0);
    uint32_t position = 0;
    uint32_t count = 0;
    for (uint32_t p = 0; p < h->position_count; p++) {
        const uint64_t event = s->events[p];
        if (event == NO_EVENT) {
            continue;
        }
        for (; look < h->count; look = next_look(s, look + 1)) {
            const uint64_t invoke_ns = h->operations[look].invoke_ns;
            if ((invoke_ns > by_ns ? invoke_ns - by_ns : 0) > time_of(s, event)) {
                break;
            }
            s->new_place[look] = count;
            s->earlier.operations[count] = h->operations[look];
            s->earlier.operations[count++].invoked = position++;
        }
        const uint32_t place = (uint32_t)(event >> 1);
        if (event & 1) {
            s->earlier.operations[s->new_place[place]].returned = position++;
        } else if (!looks(&h->operations[place])) {
            s->new_place[place] = count;
            s->earlier.operations[count] = h->operations[place];
            s->earlier.operations[count++].invoked = position++;
        }
    }
    assert(count == h->count);
}

static uint32_t verdict_of(struct shifting *s, uint64_t by_ns)
{
    struct sim_consistency_result result;
    shift(s, by_ns);
    sim_check_linearizable(&s->earlier, &s->budget, &result);
    s->budget.steps -= result.steps < s->budget.steps ? result.steps : s->budget.steps;
    sim_consistency_result_release(&result);
    return result.verdict;
}

/* What holds with some t holds with any larger one, so it is found by halving. */
static bool search(struct shifting *s, uint64_t *staleness_ns)
{
    uint64_t high = 0;
    for (size_t i = 0; i < s->history->count; i++) {
        const struct sim_history_operation *o = &s->history->operations[i];
        high = looks(o) && o->invoke_ns > high ? o->invoke_ns : high;
    }
    uint32_t verdict = verdict_of(s, 0);
    *staleness_ns = 0;
    if (verdict != SIM_VIOLATED) {
        return verdict == SIM_HOLDS;
    }
    uint64_t low = 0; /* Not enough; high is. */
    if (verdict_of(s, high) != SIM_HOLDS) {
        return false;
    }
    while (high - low > 1) {
        const uint64_t middle = low + (high - low) / 2;
        verdict = verdict_of(s, middle);
        if (verdict == SIM_UNKNOWN) {
            return false;
        }
        *(verdict == SIM_HOLDS ? &high : &low) = middle;
    }
    *staleness_ns = high;
    return true;
}

bool sim_staleness(const struct sim_history *history, const struct sim_budget *budget,
                   uint64_t *staleness_ns)
{
    struct sim_scratch scratch = {.limit_bytes = budget->memory_bytes};
    struct shifting s = {.history = history, .earlier = *history, .budget = *budget};
    s.events = sim_scratch_alloc(&scratch, history->position_count, sizeof *s.events);
    s.new_place = sim_scratch_alloc(&scratch, history->count, sizeof *s.new_place);
    s.earlier.operations =
        sim_scratch_alloc(&scratch, history->count, sizeof *s.earlier.operations);
    bool found = false;
    if (s.events && s.new_place && s.earlier.operations && history->has_times) {
        s.budget.memory_bytes -= scratch.used_bytes;
        found = list_events(&s) && search(&s, staleness_ns);
    }
    sim_scratch_release(&scratch, s.events, history->position_count, sizeof *s.events);
    sim_scratch_release(&scratch, s.new_place, history->count, sizeof *s.new_place);
    sim_scratch_release(&scratch, s.earlier.operations, history->count,
                        sizeof *s.earlier.operations);
    return found;
}

void sim_tell_staleness(const struct sim_history *history, const struct sim_budget *budget,
                        struct sim_consistency_result *result)
{
    const uint64_t steps = 100000 + 50 * (uint64_t)history->count;
    const struct sim_budget small = {.steps = steps < TELL_STEPS_MAX ? steps : TELL_STEPS_MAX,
                                     .memory_bytes = budget->memory_bytes};
    uint64_t staleness_ns;
    if (sim_staleness(history, &small, &staleness_ns)) {
        const uint64_t us = staleness_ns / SIM_US;
        const size_t used = strlen(result->detail);
        (void)snprintf(result->detail + used, sizeof result->detail - used,
                       "; it would hold if reads might be %" PRIu64 ".%03" PRIu64 " ms old",
                       us / 1000, us % 1000);
    }
}
