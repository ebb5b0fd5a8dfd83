#include "histories.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- The plainest checker ---- */

void brute_begin(const struct sim_history *history, struct brute_state *state)
{
    (void)history;
    memset(state, 0, sizeof *state);
}

static uint32_t key_of(const struct sim_history *history, uint32_t key)
{
    return key == SIM_VALUE_NIL ? 0 : (uint32_t)history->values[key].bits % BRUTE_KEYS;
}

static bool text_is(const struct sim_history *h, const uint32_t *items, uint32_t count,
                    uint32_t value)
{
    char text[256] = "";
    for (uint32_t i = 0; i < count; i++) {
        const struct sim_history_value *v = &h->values[items[i]];
        (void)strncat(text, h->bytes + v->bits, v->size_bytes);
    }
    const struct sim_history_value *v = &h->values[value];
    return strlen(text) == v->size_bytes &&
           (v->size_bytes == 0 || memcmp(text, h->bytes + v->bits, v->size_bytes) == 0);
}

static bool contains(const uint32_t *items, uint32_t count, uint32_t value, uint32_t *at)
{
    for (*at = 0; *at < count; ++*at) {
        if (items[*at] == value) {
            return true;
        }
    }
    return false;
}

static bool list_is(const struct sim_history *h, const uint32_t *items, uint32_t count,
                    uint32_t list)
{
    const uint32_t *read = h->items + h->list_starts[list];
    const size_t length = h->list_starts[list + 1] - h->list_starts[list];
    if (length != count) {
        return false;
    }
    for (uint32_t i = 0; i < count; i++) {
        uint32_t at = i;
        if (h->object == SIM_OBJECT_SET ? !contains(read, count, items[i], &at)
                                        : read[i] != items[i]) {
            return false;
        }
    }
    return true;
}

static bool read_is_right(const struct sim_history *h, const struct brute_state *state,
                          const struct sim_history_operation *o)
{
    const uint32_t key = key_of(h, o->key);
    const uint32_t *items = state->keys[key].items;
    const uint32_t count = state->keys[key].count;
    switch (h->object) {
    case SIM_OBJECT_REGISTER:
        return (count ? items[0] : SIM_VALUE_NIL) == o->result;
    case SIM_OBJECT_KV:
        return text_is(h, items, count, o->result);
    case SIM_OBJECT_COUNTER:
        return (int64_t)h->values[o->result].bits == state->keys[key].number;
    default:
        return list_is(h, items, count, o->result);
    }
}

bool brute_apply(const struct sim_history *h, struct brute_state *state, uint32_t place)
{
    const struct sim_history_operation *o = &h->operations[place];
    uint32_t *items = state->keys[key_of(h, o->key)].items;
    uint32_t *count = &state->keys[key_of(h, o->key)].count;
    bool *held = &state->keys[key_of(h, o->key)].held;
    const bool told = o->outcome == SIM_OUTCOME_OK;
    uint32_t at;
    switch (o->action) {
    case SIM_ACTION_READ:
        return !told || read_is_right(h, state, o);
    case SIM_ACTION_WRITE:
        items[0] = o->value;
        *count = 1;
        return true;
    case SIM_ACTION_CAS:
    case SIM_ACTION_CAS_MISSED: {
        const bool same = (*count ? items[0] : SIM_VALUE_NIL) == o->expected;
        if (o->action == SIM_ACTION_CAS_MISSED) {
            return !same;
        }
        items[0] = o->value;
        *count = 1;
        return same;
    }
    case SIM_ACTION_APPEND:
    case SIM_ACTION_ENQUEUE:
    case SIM_ACTION_PUSH:
        items[(*count)++] = o->value;
        return true;
    case SIM_ACTION_ADD:
        state->keys[key_of(h, o->key)].number += (int64_t)h->values[o->value].bits;
        if (h->object == SIM_OBJECT_SET && !contains(items, *count, o->value, &at)) {
            items[(*count)++] = o->value;
        }
        return true;
    case SIM_ACTION_REMOVE:
        if (contains(items, *count, o->value, &at)) {
            items[at] = items[--*count];
        }
        return true;
    case SIM_ACTION_HAS:
        return !told || contains(items, *count, o->value, &at) == (o->result != SIM_VALUE_NIL);
    case SIM_ACTION_DEQUEUE:
    case SIM_ACTION_POP: {
        if (*count == 0) {
            return !told || o->result == SIM_VALUE_NIL;
        }
        at = o->action == SIM_ACTION_POP ? *count - 1 : 0;
        const uint32_t got = items[at];
        memmove(items + at, items + at + 1, (*count - at - 1) * sizeof *items);
        --*count;
        return !told || o->result == got;
    }
    case SIM_ACTION_ACQUIRE:
    case SIM_ACTION_RELEASE: {
        const bool right = *held == (o->action == SIM_ACTION_RELEASE);
        *held = o->action == SIM_ACTION_ACQUIRE;
        return right;
    }
    default:
        abort();
    }
}

static bool must_be(const struct sim_history_operation *o)
{
    return o->outcome == SIM_OUTCOME_OK && o->returned != SIM_POSITION_NEVER;
}

/* Must operation `a` take place before `b`? In real time, or as their process says. */
static bool must_precede(const struct sim_history *h, uint32_t a, uint32_t b, bool realtime)
{
    const struct sim_history_operation *first = &h->operations[a];
    const struct sim_history_operation *second = &h->operations[b];
    return must_be(first) && (realtime ? first->returned <= second->invoked
                                       : a < b && first->process == second->process);
}

/* A recursion as deep as there are operations. `taken`: a bit for each. */
static bool brute_from(const struct sim_history *h, const struct brute_state *state, uint32_t taken,
                       bool realtime)
{
    bool all = true;
    for (uint32_t i = 0; i < h->count; i++) {
        all &= !must_be(&h->operations[i]) || (taken >> i & 1);
    }
    if (all) {
        return true;
    }
    for (uint32_t i = 0; i < h->count; i++) {
        bool can = !(taken >> i & 1) && h->operations[i].outcome != SIM_OUTCOME_FAIL;
        for (uint32_t j = 0; j < h->count && can; j++) {
            can = (taken >> j & 1) || !must_precede(h, j, i, realtime);
        }
        struct brute_state next = *state;
        if (can && brute_apply(h, &next, i) && brute_from(h, &next, taken | 1U << i, realtime)) {
            return true;
        }
    }
    return false;
}

static bool brute(const struct sim_history *history, bool realtime)
{
    assert(history->count <= BRUTE_OPERATIONS_MAX);
    struct brute_state state;
    brute_begin(history, &state);
    return brute_from(history, &state, 0, realtime);
}

bool brute_linearizable(const struct sim_history *history)
{
    return brute(history, true);
}

bool brute_sequential(const struct sim_history *history)
{
    return brute(history, false);
}

/* ---- Random histories ---- */

/* Plays on `state`: what the operation would be told now. */
static uint32_t answer(struct sim_history *h, struct brute_state *state, uint32_t place)
{
    struct sim_history_operation *o = &h->operations[place];
    const uint32_t key = key_of(h, o->key);
    const uint32_t *items = state->keys[key].items;
    const uint32_t count = state->keys[key].count;
    uint32_t at;
    uint32_t result = SIM_VALUE_UNKNOWN;
    if (o->action == SIM_ACTION_READ) {
        char text[256] = "";
        switch (h->object) {
        case SIM_OBJECT_REGISTER:
            result = count ? items[0] : SIM_VALUE_NIL;
            break;
        case SIM_OBJECT_KV:
            for (uint32_t i = 0; i < count; i++) {
                const struct sim_history_value *v = &h->values[items[i]];
                (void)strncat(text, h->bytes + v->bits, v->size_bytes);
            }
            result = sim_history_text(h, SIM_VALUE_IS_TEXT, text, strlen(text));
            break;
        case SIM_OBJECT_COUNTER:
            result = sim_history_integer(h, state->keys[key].number);
            break;
        default:
            result = sim_history_list(h, items, count);
        }
    } else if (o->action == SIM_ACTION_HAS) {
        result = contains(items, count, o->value, &at) ? o->value : SIM_VALUE_NIL;
    } else if (o->action == SIM_ACTION_DEQUEUE) {
        result = count ? items[0] : SIM_VALUE_NIL;
    } else if (o->action == SIM_ACTION_POP) {
        result = count ? items[count - 1] : SIM_VALUE_NIL;
    } else if (o->action == SIM_ACTION_CAS && (count ? items[0] : SIM_VALUE_NIL) != o->expected) {
        o->action = SIM_ACTION_CAS_MISSED;
    }
    struct brute_state before = *state;
    o->outcome = SIM_OUTCOME_OPEN; /* So that it answers anything. */
    if (!brute_apply(h, state, place)) {
        *state = before; /* A lock in the wrong state. */
    }
    return result;
}

static uint32_t random_value(struct sim_history *h, const struct random_history *options,
                             struct sim_rng *rng, uint32_t unique)
{
    const uint32_t number = options->values ? sim_rng_bounded(rng, options->values) : unique;
    if (h->object == SIM_OBJECT_KV) {
        const char letter[] = {(char)('a' + number), 0};
        return sim_history_text(h, SIM_VALUE_IS_TEXT, letter, 1);
    }
    return sim_history_integer(h, 1 + (int64_t)number);
}

static uint32_t lie(struct sim_history *h, const struct random_history *options,
                    struct sim_rng *rng, uint32_t place, uint32_t told)
{
    const uint32_t value =
        random_value(h, options, rng, sim_rng_bounded(rng, options->operations + 1));
    if (h->operations[place].action == SIM_ACTION_READ &&
        (h->object == SIM_OBJECT_LIST || h->object == SIM_OBJECT_SET)) {
        uint32_t items[2 * BRUTE_OPERATIONS_MAX + 1];
        size_t count = h->list_starts[told + 1] - h->list_starts[told];
        for (size_t i = 0; i < count; i++) {
            items[i] = h->items[h->list_starts[told] + i];
        }
        if (count > 0 && sim_rng_bounded(rng, 2)) {
            items[sim_rng_bounded(rng, (uint32_t)count)] = items[count - 1];
            count--;
        } else {
            items[count++] = value;
        }
        return sim_history_list(h, items, count);
    }
    return sim_rng_bounded(rng, 4)           ? value
           : h->object == SIM_OBJECT_KV      ? SIM_VALUE_EMPTY
           : h->object == SIM_OBJECT_COUNTER ? sim_history_integer(h, 0)
                                             : SIM_VALUE_NIL;
}

static uint32_t random_action(uint32_t object, struct sim_rng *rng)
{
    static const uint8_t actions[SIM_OBJECT_COUNT][6] = {
        [SIM_OBJECT_REGISTER] = {SIM_ACTION_READ, SIM_ACTION_READ, SIM_ACTION_WRITE,
                                 SIM_ACTION_WRITE, SIM_ACTION_CAS, SIM_ACTION_READ},
        [SIM_OBJECT_KV] = {SIM_ACTION_READ, SIM_ACTION_READ, SIM_ACTION_READ, SIM_ACTION_APPEND,
                           SIM_ACTION_APPEND, SIM_ACTION_WRITE},
        [SIM_OBJECT_LIST] = {SIM_ACTION_READ, SIM_ACTION_READ, SIM_ACTION_READ, SIM_ACTION_APPEND,
                             SIM_ACTION_APPEND, SIM_ACTION_APPEND},
        [SIM_OBJECT_SET] = {SIM_ACTION_READ, SIM_ACTION_READ, SIM_ACTION_ADD, SIM_ACTION_ADD,
                            SIM_ACTION_HAS, SIM_ACTION_REMOVE},
        [SIM_OBJECT_QUEUE] = {SIM_ACTION_ENQUEUE, SIM_ACTION_ENQUEUE, SIM_ACTION_ENQUEUE,
                              SIM_ACTION_DEQUEUE, SIM_ACTION_DEQUEUE, SIM_ACTION_DEQUEUE},
        [SIM_OBJECT_STACK] = {SIM_ACTION_PUSH, SIM_ACTION_PUSH, SIM_ACTION_PUSH, SIM_ACTION_POP,
                              SIM_ACTION_POP, SIM_ACTION_POP},
        [SIM_OBJECT_COUNTER] = {SIM_ACTION_READ, SIM_ACTION_READ, SIM_ACTION_READ, SIM_ACTION_ADD,
                                SIM_ACTION_ADD, SIM_ACTION_ADD},
        [SIM_OBJECT_LOCK] = {SIM_ACTION_ACQUIRE, SIM_ACTION_ACQUIRE, SIM_ACTION_ACQUIRE,
                             SIM_ACTION_RELEASE, SIM_ACTION_RELEASE, SIM_ACTION_RELEASE},
    };
    return actions[object][sim_rng_bounded(rng, 6)];
}

/* Chains of values that replaced each other, and compares that missed. */
static void make_compare(struct sim_history *h, const struct brute_state *state,
                         struct sim_rng *rng, struct sim_history_operation *o)
{
    const bool holds = state->keys[0].count > 0;
    if (sim_rng_bounded(rng, 2)) {
        o->action = SIM_ACTION_CAS;
    }
    switch (sim_rng_bounded(rng, 3)) {
    case 0:
        o->expected = holds ? state->keys[0].items[0] : SIM_VALUE_NIL;
        break;
    case 1: /* What somebody is about to write, or wrote. */
        o->expected = h->count ? h->operations[sim_rng_bounded(rng, (uint32_t)h->count)].value
                               : SIM_VALUE_NIL;
        break;
    default:
        break;
    }
}

static void begin_one(struct sim_history *h, const struct random_history *options,
                      const struct brute_state *state, struct sim_rng *rng, uint32_t process,
                      uint32_t style)
{
    struct sim_history_operation o = {.process = process};
    o.action = (uint8_t)random_action(h->object, rng);
    /* A style of history for each monitor: sets without single elements or without reads,
     * registers without compare-and-set. */
    if (style % 3 == 1 && (o.action == SIM_ACTION_HAS || o.action == SIM_ACTION_REMOVE)) {
        o.action = SIM_ACTION_ADD;
    } else if (style % 3 == 2 && o.action == SIM_ACTION_READ && h->object == SIM_OBJECT_SET) {
        o.action = SIM_ACTION_HAS;
    } else if (style % 3 != 0 && o.action == SIM_ACTION_CAS) {
        o.action = SIM_ACTION_WRITE;
    }
    if (options->keys > 1) {
        o.key = sim_history_integer(h, sim_rng_bounded(rng, options->keys));
    }
    o.value = random_value(h, options, rng, (uint32_t)h->count);
    o.expected = random_value(h, options, rng, sim_rng_bounded(rng, (uint32_t)h->count + 1));
    if (options->compares) {
        make_compare(h, state, rng, &o);
    }
    const uint32_t place = sim_history_invoke(h, &o);
    assert(place != SIM_HISTORY_NOTHING);
}

/* One that compared says the opposite. */
static void lie_about_compare(struct sim_history_operation *o)
{
    if (o->action == SIM_ACTION_CAS || o->action == SIM_ACTION_CAS_MISSED) {
        o->action = o->action == SIM_ACTION_CAS ? SIM_ACTION_CAS_MISSED : SIM_ACTION_CAS;
    }
}

void history_begin(struct sim_history *history, uint32_t object)
{
    cr_assert_eq(sim_history_init(history, 1 << 20), SIM_OK);
    history->object = object;
}

void random_history(struct sim_history *h, const struct random_history *options, uint64_t seed)
{
    struct sim_rng chance;
    struct sim_rng *rng = &chance;
    sim_rng_seed(rng, seed, options->object);
    history_begin(h, options->object);
    struct brute_state state;
    brute_begin(h, &state);
    const uint32_t style = sim_rng_bounded(rng, 3);
    uint32_t answers[BRUTE_OPERATIONS_MAX]; /* Of operations that have taken place. */
    bool applied[BRUTE_OPERATIONS_MAX] = {false};
    for (uint32_t p = 0; p < options->processes; p++) {
        const uint32_t process = sim_history_process(h, p);
        assert(process == p);
    }
    bool gone[8] = {false};
    for (uint32_t turn = 0; turn < 40 * options->operations; turn++) {
        const uint32_t process = sim_rng_bounded(rng, options->processes);
        const uint32_t open = h->open[process];
        if (gone[process]) {
            continue;
        }
        if (open == SIM_HISTORY_NOTHING) {
            if (h->count < options->operations) {
                begin_one(h, options, &state, rng, process, style);
            }
            continue;
        }
        if (!applied[open]) {
            answers[open] = answer(h, &state, open);
            applied[open] = true;
            if (sim_rng_bounded(rng, 2)) {
                continue;
            }
        }
        if (sim_rng_bounded(rng, 100) < options->lie_percent) {
            answers[open] = lie(h, options, rng, open, answers[open]);
            if (options->compares) {
                lie_about_compare(&h->operations[open]);
            }
        }
        const bool lost = sim_rng_bounded(rng, 100) < options->lost_percent;
        const bool failed = lost && sim_rng_bounded(rng, 4) == 0;
        if (lost && h->operations[open].action == SIM_ACTION_CAS_MISSED) {
            h->operations[open].action = SIM_ACTION_CAS;
        }
        sim_history_return(h, open,
                           failed ? SIM_OUTCOME_FAIL
                           : lost ? SIM_OUTCOME_INFO
                                  : SIM_OUTCOME_OK,
                           lost ? SIM_VALUE_UNKNOWN : answers[open]);
        gone[process] = lost && !failed && !options->sessions;
    }
    for (uint32_t p = 0; p < options->processes; p++) { /* Whatever is open has no outcome. */
        const uint32_t open = h->open[p];
        if (open != SIM_HISTORY_NOTHING && h->operations[open].action == SIM_ACTION_CAS_MISSED) {
            h->operations[open].action = SIM_ACTION_CAS;
        }
    }
}

const char *history_text(const struct sim_history *history)
{
    static char text[8192];
    size_t length = 0;
    for (uint32_t i = 0; i < history->count && length + 256 < sizeof text; i++) {
        const struct sim_history_operation *o = &history->operations[i];
        length += (size_t)snprintf(text + length, 64, "\n  %2u..%-10u ", o->invoked, o->returned);
        length += sim_history_show(history, i, text + length, 160);
    }
    return text;
}
