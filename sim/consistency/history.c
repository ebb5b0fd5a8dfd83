#include "sim/consistency/history.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

const char *const sim_object_names[SIM_OBJECT_COUNT] = {
    "register", "kv", "list", "set", "queue", "stack", "counter", "lock",
};

const char *const sim_action_names[SIM_ACTION_COUNT] = {
    "read", "write",   "cas",     "cas",  "append", "add",     "remove",
    "has",  "enqueue", "dequeue", "push", "pop",    "acquire", "release",
};

#define NUMBERS_MAX (UINT32_MAX - 16) /* Of operations, values, lists: they stay below NEVER. */

enum sim_status sim_history_init(struct sim_history *history, size_t memory_bytes)
{
    *history = (struct sim_history){.scratch = {.limit_bytes = memory_bytes}};
    if (!sim_scratch_grow(&history->scratch, &history->values, &history->value_capacity, 64,
                          sizeof *history->values) ||
        !sim_scratch_grow(&history->scratch, &history->items, &history->item_capacity, 1,
                          sizeof *history->items) ||
        !sim_scratch_grow(&history->scratch, &history->list_starts, &history->list_capacity, 16,
                          sizeof *history->list_starts)) {
        return SIM_ENOMEM;
    }
    history->values[0] = (struct sim_history_value){.type = SIM_VALUE_IS_NIL};
    history->value_count = 1;
    history->list_starts[0] = 0;
    return sim_history_text(history, SIM_VALUE_IS_TEXT, "", 0) == SIM_VALUE_EMPTY ? SIM_OK
                                                                                  : SIM_ENOMEM;
}

void sim_history_release(struct sim_history *history)
{
    free(history->operations);
    free(history->values);
    free(history->bytes);
    free(history->items);
    free(history->list_starts);
    free(history->processes);
    free(history->open);
    free(history->value_slots);
    free(history->process_slots);
    *history = (struct sim_history){0};
}

/* ---- Interning ----------------------------------------------------------------------------- */

static uint64_t value_hash(const struct sim_history *history, const struct sim_history_value *value,
                           const char *text)
{
    (void)history;
    const uint64_t h = value->type == SIM_VALUE_IS_INTEGER
                           ? sim_mix64(value->bits)
                           : sim_hash_bytes(text, value->size_bytes);
    return h + value->type;
}

static const char *value_text(const struct sim_history *history,
                              const struct sim_history_value *value)
{
    return value->type == SIM_VALUE_IS_INTEGER || value->size_bytes == 0
               ? ""
               : history->bytes + value->bits;
}

static bool value_equal(const struct sim_history *history, uint32_t number,
                        const struct sim_history_value *value, const char *text)
{
    const struct sim_history_value *v = &history->values[number];
    if (v->type != value->type || v->size_bytes != value->size_bytes) {
        return false;
    }
    return v->type == SIM_VALUE_IS_INTEGER
               ? v->bits == value->bits
               : memcmp(value_text(history, v), text, value->size_bytes) == 0;
}

/* Twice as many slots, all empty; the caller fills them again. */
static bool slots_double(struct sim_scratch *scratch, uint32_t **slots, size_t *count)
{
    const size_t wanted = *count ? 2 * *count : 64;
    uint32_t *new = sim_scratch_alloc(scratch, wanted, sizeof *new);
    if (!new) {
        return false;
    }
    sim_scratch_release(scratch, *slots, *count, sizeof **slots);
    *slots = new;
    *count = wanted;
    return true;
}

static size_t slot_free(const uint32_t *slots, size_t count, uint64_t hash)
{
    size_t slot = (size_t)hash & (count - 1);
    while (slots[slot]) {
        slot = (slot + 1) & (count - 1);
    }
    return slot;
}

static bool values_rehash(struct sim_history *history)
{
    if (!slots_double(&history->scratch, &history->value_slots, &history->value_slot_count)) {
        return false;
    }
    for (size_t i = 0; i < history->value_count; i++) {
        const struct sim_history_value *v = &history->values[i];
        if (v->type == SIM_VALUE_IS_NIL) {
            continue; /* Is found without a slot. */
        }
        const uint64_t hash = value_hash(history, v, value_text(history, v));
        history->value_slots[slot_free(history->value_slots, history->value_slot_count, hash)] =
            (uint32_t)i + 1;
    }
    return true;
}

static uint32_t intern(struct sim_history *history, struct sim_history_value value,
                       const char *text)
{
    if (2 * history->value_count >= history->value_slot_count && !values_rehash(history)) {
        return SIM_HISTORY_NOTHING;
    }
    const size_t mask = history->value_slot_count - 1;
    size_t slot = (size_t)value_hash(history, &value, text) & mask;
    for (; history->value_slots[slot]; slot = (slot + 1) & mask) {
        const uint32_t number = history->value_slots[slot] - 1;
        if (value_equal(history, number, &value, text)) {
            return number;
        }
    }
    if (history->value_count >= NUMBERS_MAX ||
        !sim_scratch_grow(&history->scratch, &history->values, &history->value_capacity,
                          history->value_count + 1, sizeof *history->values)) {
        return SIM_HISTORY_NOTHING;
    }
    if (value.type != SIM_VALUE_IS_INTEGER && value.size_bytes > 0) {
        if (!sim_scratch_grow(&history->scratch, &history->bytes, &history->byte_capacity,
                              history->byte_count + value.size_bytes, 1)) {
            return SIM_HISTORY_NOTHING;
        }
        value.bits = history->byte_count;
        memcpy(history->bytes + history->byte_count, text, value.size_bytes);
        history->byte_count += value.size_bytes;
    }
    history->values[history->value_count] = value;
    history->value_slots[slot] = (uint32_t)history->value_count + 1;
    return (uint32_t)history->value_count++;
}

uint32_t sim_history_integer(struct sim_history *history, int64_t integer)
{
    return intern(
        history,
        (struct sim_history_value){.bits = (uint64_t)integer, .type = SIM_VALUE_IS_INTEGER}, "");
}

uint32_t sim_history_text(struct sim_history *history, enum sim_value_type type, const char *text,
                          size_t size_bytes)
{
    assert(type == SIM_VALUE_IS_TEXT || type == SIM_VALUE_IS_SYMBOL);
    if (size_bytes > NUMBERS_MAX) {
        return SIM_HISTORY_NOTHING;
    }
    return intern(history,
                  (struct sim_history_value){.size_bytes = (uint32_t)size_bytes, .type = type},
                  text);
}

void sim_history_initial(struct sim_history *history, uint32_t value)
{
    assert(history->count == 0);
    assert(value < history->value_count);
    history->values[SIM_VALUE_NIL] = history->values[value];
    for (size_t slot = 0; slot < history->value_slot_count; slot++) {
        if (history->value_slots[slot] == value + 1) {
            history->value_slots[slot] = SIM_VALUE_NIL + 1;
        }
    }
}

uint32_t sim_history_list(struct sim_history *history, const uint32_t *items, size_t count)
{
    if (history->list_count >= NUMBERS_MAX ||
        !sim_scratch_grow(&history->scratch, &history->items, &history->item_capacity,
                          history->item_count + count, sizeof *history->items) ||
        !sim_scratch_grow(&history->scratch, &history->list_starts, &history->list_capacity,
                          history->list_count + 2, sizeof *history->list_starts)) {
        return SIM_HISTORY_NOTHING;
    }
    if (count > 0) {
        memcpy(history->items + history->item_count, items, count * sizeof *items);
    }
    history->item_count += count;
    history->list_starts[history->list_count + 1] = history->item_count;
    return (uint32_t)history->list_count++;
}

static bool processes_rehash(struct sim_history *history)
{
    if (!slots_double(&history->scratch, &history->process_slots, &history->process_slot_count)) {
        return false;
    }
    for (size_t i = 0; i < history->process_count; i++) {
        const size_t slot = slot_free(history->process_slots, history->process_slot_count,
                                      sim_mix64(history->processes[i]));
        history->process_slots[slot] = (uint32_t)i + 1;
    }
    return true;
}

uint32_t sim_history_process(struct sim_history *history, uint64_t name)
{
    if (2 * history->process_count >= history->process_slot_count && !processes_rehash(history)) {
        return SIM_HISTORY_NOTHING;
    }
    const size_t mask = history->process_slot_count - 1;
    size_t slot = (size_t)sim_mix64(name) & mask;
    for (; history->process_slots[slot]; slot = (slot + 1) & mask) {
        if (history->processes[history->process_slots[slot] - 1] == name) {
            return history->process_slots[slot] - 1;
        }
    }
    const size_t count = history->process_count;
    if (count >= NUMBERS_MAX ||
        !sim_scratch_grow(&history->scratch, &history->processes, &history->process_capacity,
                          count + 1, sizeof *history->processes) ||
        !sim_scratch_grow(&history->scratch, &history->open, &history->open_capacity, count + 1,
                          sizeof *history->open)) {
        return SIM_HISTORY_NOTHING;
    }
    history->processes[count] = name;
    history->open[count] = SIM_HISTORY_NOTHING;
    history->process_slots[slot] = (uint32_t)count + 1;
    return (uint32_t)history->process_count++;
}

/* ---- Events -------------------------------------------------------------------------------- */

uint32_t sim_history_invoke(struct sim_history *history,
                            const struct sim_history_operation *operation)
{
    assert(operation->process < history->process_count);
    assert(history->open[operation->process] == SIM_HISTORY_NOTHING);
    if (history->position_count >= NUMBERS_MAX ||
        !sim_scratch_grow(&history->scratch, &history->operations, &history->operation_capacity,
                          history->count + 1, sizeof *history->operations)) {
        return SIM_HISTORY_NOTHING;
    }
    const uint32_t place = (uint32_t)history->count++;
    struct sim_history_operation *o = &history->operations[place];
    *o = *operation;
    o->result = SIM_VALUE_UNKNOWN;
    o->invoked = history->position_count++;
    o->returned = SIM_POSITION_NEVER;
    o->outcome = SIM_OUTCOME_OPEN;
    o->return_line = 0;
    o->return_ns = SIM_NEVER;
    history->open[o->process] = place;
    history->has_times |= o->invoke_ns != 0;
    return place;
}

void sim_history_return(struct sim_history *history, uint32_t place, enum sim_outcome outcome,
                        uint32_t result)
{
    struct sim_history_operation *o = &history->operations[place];
    assert(history->open[o->process] == place);
    assert(outcome == SIM_OUTCOME_OK || outcome == SIM_OUTCOME_FAIL || outcome == SIM_OUTCOME_INFO);
    history->open[o->process] = SIM_HISTORY_NOTHING;
    const uint32_t position = history->position_count++;
    o->outcome = (uint8_t)outcome;
    o->returned = outcome == SIM_OUTCOME_INFO ? SIM_POSITION_NEVER : position;
    o->result = result;
}

/* ---- For people ----------------------------------------------------------------------------- */

/* Appends to a text that may already be full. */
struct writer {
    char *text;
    size_t size_bytes;
    size_t length;
};

static void put(struct writer *writer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static void put(struct writer *writer, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    const size_t left = writer->size_bytes - writer->length;
    const int length = vsnprintf(writer->text + writer->length, left, format, arguments);
    va_end(arguments);
    writer->length += length < 0 ? 0 : (size_t)length < left ? (size_t)length : left - 1;
}

#define TEXT_SHOWN_MAX 40

static void put_value(struct writer *writer, const struct sim_history *history, uint32_t value)
{
    if (value >= history->value_count) {
        put(writer, "?");
        return;
    }
    const struct sim_history_value *v = &history->values[value];
    if (v->type == SIM_VALUE_IS_NIL) {
        put(writer, "nil");
    } else if (v->type == SIM_VALUE_IS_INTEGER) {
        put(writer, "%" PRId64, (int64_t)v->bits);
    } else {
        /* Of a long text its end: that is where two versions differ. */
        const bool cut = v->size_bytes > TEXT_SHOWN_MAX;
        const uint32_t shown = cut ? TEXT_SHOWN_MAX : v->size_bytes;
        const char *quote = v->type == SIM_VALUE_IS_TEXT ? "\"" : "";
        put(writer, "%s%s%.*s%s", quote, cut ? "..." : "", (int)shown,
            value_text(history, v) + (v->size_bytes - shown), quote);
    }
}

static void put_list(struct writer *writer, const struct sim_history *history, uint32_t list)
{
    if (list >= history->list_count) {
        put(writer, "?");
        return;
    }
    const size_t count = history->list_starts[list + 1] - history->list_starts[list];
    const uint32_t *items = history->items + history->list_starts[list];
    const size_t first = count > 16 ? count - 16 : 0;
    put(writer, "[%s", first ? "... " : "");
    for (size_t i = first; i < count; i++) {
        put(writer, i > first ? " " : "");
        put_value(writer, history, items[i]);
    }
    put(writer, "]");
}

size_t sim_history_show_value(const struct sim_history *history, uint32_t value, char *text,
                              size_t size_bytes)
{
    struct writer writer = {.text = text, .size_bytes = size_bytes};
    put_value(&writer, history, value);
    return writer.length;
}

static bool reads_list(const struct sim_history *history)
{
    return history->object == SIM_OBJECT_LIST || history->object == SIM_OBJECT_SET;
}

size_t sim_history_show(const struct sim_history *history, uint32_t place, char *text,
                        size_t size_bytes)
{
    static const char *const outcomes[SIM_OUTCOME_COUNT] = {"still open", "ok", "failed",
                                                            "unknown whether it took place"};
    const struct sim_history_operation *o = &history->operations[place];
    struct writer w = {.text = text, .size_bytes = size_bytes};
    if (history->name) {
        put(&w, "%s", history->name(history->name_context, o));
    } else {
        put(&w, "process %" PRIu64, history->processes[o->process]);
    }
    put(&w, ": %s", sim_action_names[o->action]);
    if (o->key != SIM_VALUE_NIL) {
        put(&w, " key ");
        put_value(&w, history, o->key);
    }
    const bool tells = o->action == SIM_ACTION_READ || o->action == SIM_ACTION_DEQUEUE ||
                       o->action == SIM_ACTION_POP;
    if (o->action == SIM_ACTION_CAS || o->action == SIM_ACTION_CAS_MISSED) {
        put(&w, " ");
        put_value(&w, history, o->expected);
        put(&w, " to ");
        put_value(&w, history, o->value);
    } else if (!tells && o->value != SIM_VALUE_NIL) {
        put(&w, " ");
        put_value(&w, history, o->value);
    }
    if (o->outcome != SIM_OUTCOME_OK) {
        put(&w, ": %s", outcomes[o->outcome]);
    } else if (o->action == SIM_ACTION_READ && reads_list(history)) {
        put(&w, " = ");
        put_list(&w, history, o->result);
    } else if (tells) {
        put(&w, " = ");
        put_value(&w, history, o->result);
    } else if (o->action == SIM_ACTION_HAS) {
        put(&w, " = %s", o->result == SIM_VALUE_NIL ? "no" : "yes");
    } else {
        put(&w, ": %s", o->action == SIM_ACTION_CAS_MISSED ? "held another value" : "ok");
    }
    return w.length;
}
