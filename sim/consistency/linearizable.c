#include "sim/consistency/linearizable_internal.h"

#include <inttypes.h>
#include <stdio.h>

/* ---- Operations as calls ---- */

static void observe(struct sim_lin *c, const struct sim_history_operation *o)
{
    if (o->action == SIM_ACTION_CAS) {
        c->observed[o->expected] = c->round;
        return;
    }
    if (o->outcome != SIM_OUTCOME_OK || o->result == SIM_VALUE_UNKNOWN) {
        return;
    }
    if (o->action == SIM_ACTION_READ && c->history->object == SIM_OBJECT_LIST) {
        for (size_t i = c->history->list_starts[o->result];
             i < c->history->list_starts[o->result + 1]; i++) {
            c->observed[c->history->items[i]] = c->round;
        }
    } else if (o->action == SIM_ACTION_READ ? c->history->object == SIM_OBJECT_REGISTER
                                            : o->action == SIM_ACTION_DEQUEUE) {
        c->observed[o->result] = c->round;
    }
}

/* An operation of unknown outcome whose trace nobody can have seen need not have been. */
static bool left_no_trace(const struct sim_lin *c, const struct sim_history_operation *o,
                          bool anything_tells)
{
    const bool unseen = c->observed[o->value] != c->round;
    switch (o->action) {
    case SIM_ACTION_WRITE: /* A compare that failed tells of any other value. */
    case SIM_ACTION_CAS:
        return c->history->object == SIM_OBJECT_REGISTER && unseen && !anything_tells;
    case SIM_ACTION_ENQUEUE:
        return unseen;
    case SIM_ACTION_APPEND:
        return c->history->object == SIM_OBJECT_LIST && unseen;
    default:
        return false;
    }
}

static bool is_kept(const struct sim_lin *c, uint32_t i)
{
    return !c->keep || c->keep[i];
}

static bool is_call(const struct sim_lin *c, const struct sim_lin_part *part, uint32_t i)
{
    const struct sim_history_operation *o = sim_lin_at(c, part->places[i]);
    return o->outcome != SIM_OUTCOME_FAIL &&
           !(sim_only_looks(o) && (!is_kept(c, i) || sim_saw_nothing(o)));
}

uint32_t sim_lin_build(struct sim_lin *c, const struct sim_lin_part *part)
{
    bool anything_tells = false;
    c->round++;
    sim_machine_begin(&c->machine);
    for (uint32_t i = 0; i < part->count; i++) {
        const struct sim_history_operation *o = sim_lin_at(c, part->places[i]);
        if (o->outcome != SIM_OUTCOME_FAIL && (is_kept(c, i) || !sim_only_looks(o))) {
            observe(c, o);
            anything_tells |= o->action == SIM_ACTION_CAS_MISSED;
        }
    }
    uint32_t count = 0;
    for (uint32_t i = 0; i < part->count; i++) {
        if (is_call(c, part, i)) {
            c->calls[count++].place = i;
            if (!sim_machine_see(&c->machine, part->places[i])) {
                return UINT32_MAX;
            }
        }
    }
    const uint32_t seen = count;
    count = 0;
    for (uint32_t k = 0; k < seen; k++) {
        const uint32_t i = c->calls[k].place;
        const struct sim_history_operation *o = sim_lin_at(c, part->places[i]);
        const bool optional = !is_kept(c, i) || o->returned == SIM_POSITION_NEVER;
        if (optional && left_no_trace(c, o, anything_tells)) {
            continue;
        }
        if (!sim_machine_call(&c->machine, part->places[i], &c->calls[count])) {
            return UINT32_MAX;
        }
        c->calls[count].returned = optional ? SIM_POSITION_NEVER : o->returned;
        count++;
    }
    return count;
}

static void tell_violation(struct sim_lin *c, const struct sim_lin_part *part, const char *why,
                           uint32_t place)
{
    char key[64] = "";
    char operation[120];
    (void)sim_history_show(c->history, place, operation, sizeof operation);
    if (part->key != SIM_VALUE_NIL) {
        (void)sim_history_show_value(c->history, part->key, key, sizeof key);
    }
    (void)snprintf(c->result->detail, sizeof c->result->detail, "%s%s%s%s (%s)",
                   part->key != SIM_VALUE_NIL ? "key " : "", key,
                   part->key != SIM_VALUE_NIL ? ": " : "", why, operation);
}

/* ---- One part ---- */

static enum sim_monitor_answer ask_monitor(struct sim_lin *c, const struct sim_lin_part *part,
                                           struct sim_monitor_result *found)
{
    switch (c->history->object) {
    case SIM_OBJECT_REGISTER:
    case SIM_OBJECT_KV:
        return sim_monitor_register(&c->monitor, part->places, part->count, found);
    case SIM_OBJECT_QUEUE:
        return sim_monitor_queue(&c->monitor, part->places, part->count, found);
    case SIM_OBJECT_STACK:
        return sim_monitor_stack(&c->monitor, part->places, part->count, found);
    case SIM_OBJECT_SET:
        return sim_monitor_set(&c->monitor, part->places, part->count, found);
    default:
        return SIM_MONITOR_NOT_APPLICABLE;
    }
}

/* The operation that the words are about: what the monitor named last, unless it went. */
static uint32_t told_of(const struct sim_consistency_result *r,
                        const struct sim_monitor_result *found)
{
    const uint32_t named = found->witness[found->witness_count - 1];
    for (uint32_t i = 0; i < r->witness_count; i++) {
        if (r->witness[i] == named) {
            return named;
        }
    }
    return r->witness_count > 0 ? r->witness[r->witness_count - 1] : named;
}

static uint32_t monitor_part(struct sim_lin *c, const struct sim_lin_part *part,
                             const struct sim_monitor_result *found)
{
    sim_lin_witness_of_monitor(c, part, found);
    tell_violation(c, part, found->why, told_of(c->result, found));
    return SIM_VIOLATED;
}

static uint32_t search_part(struct sim_lin *c, const struct sim_lin_part *part)
{
    struct sim_consistency_result *r = c->result;
    const uint32_t count = sim_lin_build(c, part);
    struct sim_search_result found = {.verdict = SIM_UNKNOWN, .out_of_memory = true};
    if (count != UINT32_MAX) {
        sim_search(&c->machine, c->calls, count, c->steps_max - r->steps, &found);
        r->steps += found.steps;
    }
    if (found.verdict == SIM_VIOLATED) {
        tell_violation(c, part, "no order gets past the return of this operation",
                       found.furthest_place);
        sim_lin_witness_of_search(c, part, &found);
    } else if (found.verdict == SIM_UNKNOWN && r->verdict != SIM_UNKNOWN) {
        uint32_t passed = 0;
        for (uint32_t i = 0; i < part->count; i++) {
            passed += sim_lin_at(c, part->places[i])->returned < found.furthest;
        }
        (void)snprintf(r->detail, sizeof r->detail,
                       "%s after %" PRIu64 " steps; %" PRIu32 " of %" PRIu32
                       " operations of the object can be explained",
                       found.out_of_memory ? "out of memory" : "undecided", found.steps, passed,
                       part->count);
    }
    return found.verdict;
}

static uint32_t check_part(struct sim_lin *c, const struct sim_lin_part *part)
{
    struct sim_monitor_result found;
    switch (ask_monitor(c, part, &found)) {
    case SIM_MONITOR_HOLDS:
        c->result->steps += found.steps;
        return SIM_HOLDS;
    case SIM_MONITOR_VIOLATED:
        c->result->steps += found.steps;
        return monitor_part(c, part, &found);
    default:
        c->scratch.exhausted = false;
        return search_part(c, part);
    }
}

/* ---- The parts ---- */

/* A set of which only single elements are asked is as many independent flags. */
static bool splits_by_element(const struct sim_history *history)
{
    if (history->object != SIM_OBJECT_SET) {
        return false;
    }
    for (size_t i = 0; i < history->count; i++) {
        const struct sim_history_operation *o = &history->operations[i];
        if (o->action == SIM_ACTION_READ || o->key != SIM_VALUE_NIL) {
            return false;
        }
    }
    return true;
}

static uint32_t part_of(const struct sim_lin *c, const struct sim_history_operation *o)
{
    return c->by_element ? o->value : o->key;
}

/* Groups the operations: places[] in order of part, each part in order of invocation, and
 * starts[] of each part by the number of its key. */
static void group(const struct sim_lin *c, uint32_t *places, uint32_t *starts)
{
    const struct sim_history *h = c->history;
    for (size_t i = 0; i < h->count; i++) {
        starts[part_of(c, &h->operations[i]) + 1]++;
    }
    for (size_t v = 0; v < h->value_count; v++) {
        starts[v + 1] += starts[v];
    }
    for (size_t i = 0; i < h->count; i++) {
        places[starts[part_of(c, &h->operations[i])]++] = (uint32_t)i;
    }
    for (size_t v = h->value_count; v > 0; v--) {
        starts[v] = starts[v - 1];
    }
    starts[0] = 0;
}

static void check_parts(struct sim_lin *c, const uint32_t *places, const uint32_t *starts)
{
    struct sim_consistency_result *r = c->result;
    r->verdict = SIM_HOLDS;
    for (size_t v = 0; v < c->history->value_count && r->verdict != SIM_VIOLATED; v++) {
        const struct sim_lin_part part = {
            .places = places + starts[v], .count = starts[v + 1] - starts[v], .key = (uint32_t)v};
        if (part.count == 0) {
            continue;
        }
        if (r->steps >= c->steps_max && c->steps_max > 0) {
            if (r->verdict != SIM_UNKNOWN) {
                (void)snprintf(r->detail, sizeof r->detail, "undecided after %" PRIu64 " steps",
                               r->steps);
            }
            r->verdict = SIM_UNKNOWN;
            return;
        }
        const uint32_t verdict = check_part(c, &part);
        r->verdict = verdict == SIM_HOLDS ? r->verdict : verdict;
    }
    if (r->verdict == SIM_VIOLATED) {
        sim_consistency_anomaly(r, "not-linearizable");
    }
}

void sim_check_linearizable(const struct sim_history *history, const struct sim_budget *budget,
                            struct sim_consistency_result *result)
{
    *result = (struct sim_consistency_result){.verdict = SIM_UNKNOWN, .operations = history->count};
    struct sim_lin c = {.history = history,
                        .scratch = {.limit_bytes = budget->memory_bytes},
                        .steps_max = budget->steps,
                        .by_element = splits_by_element(history),
                        .result = result};
    const size_t values = history->value_count;
    uint32_t *places = sim_scratch_alloc(&c.scratch, history->count, sizeof *places);
    uint32_t *starts = sim_scratch_alloc(&c.scratch, values + 1, sizeof *starts);
    c.calls = sim_scratch_alloc(&c.scratch, history->count, sizeof *c.calls);
    c.observed = sim_scratch_alloc(&c.scratch, values, sizeof *c.observed);
    c.witness = sim_scratch_alloc(&c.scratch, history->count, sizeof *c.witness);
    const bool monitor = sim_monitor_init(&c.monitor, history, &c.scratch) == SIM_OK;
    const bool machine = sim_machine_init(&c.machine, history, &c.scratch) == SIM_OK;
    if (places && starts && c.calls && c.observed && c.witness && monitor && machine) {
        group(&c, places, starts);
        check_parts(&c, places, starts);
    } else {
        (void)snprintf(result->detail, sizeof result->detail,
                       "out of memory before the first step");
    }
    sim_machine_release(&c.machine);
    sim_monitor_release(&c.monitor);
    sim_scratch_release(&c.scratch, c.witness, history->count, sizeof *c.witness);
    sim_scratch_release(&c.scratch, c.observed, values, sizeof *c.observed);
    sim_scratch_release(&c.scratch, c.calls, history->count, sizeof *c.calls);
    sim_scratch_release(&c.scratch, starts, values + 1, sizeof *starts);
    sim_scratch_release(&c.scratch, places, history->count, sizeof *places);
}
