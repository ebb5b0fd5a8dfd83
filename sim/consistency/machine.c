#include "sim/consistency/machine_internal.h"

bool sim_object_has(enum sim_object object, enum sim_action action)
{
#define HAS(action) (1U << SIM_ACTION_##action)
    static const uint32_t actions[SIM_OBJECT_COUNT] = {
        [SIM_OBJECT_REGISTER] = HAS(READ) | HAS(WRITE) | HAS(CAS) | HAS(CAS_MISSED),
        [SIM_OBJECT_KV] = HAS(READ) | HAS(WRITE) | HAS(APPEND) | HAS(CAS) | HAS(CAS_MISSED),
        [SIM_OBJECT_LIST] = HAS(READ) | HAS(APPEND),
        [SIM_OBJECT_SET] = HAS(READ) | HAS(ADD) | HAS(REMOVE) | HAS(HAS),
        [SIM_OBJECT_QUEUE] = HAS(ENQUEUE) | HAS(DEQUEUE),
        [SIM_OBJECT_STACK] = HAS(PUSH) | HAS(POP),
        [SIM_OBJECT_COUNTER] = HAS(READ) | HAS(ADD),
        [SIM_OBJECT_LOCK] = HAS(ACQUIRE) | HAS(RELEASE),
    };
#undef HAS
    return actions[object] >> action & 1;
}

enum sim_status sim_machine_init(struct sim_machine *machine, const struct sim_history *history,
                                 struct sim_scratch *scratch)
{
    *machine =
        (struct sim_machine){.history = history, .scratch = scratch, .object = history->object};
    if (!sim_scratch_grow(scratch, &machine->nodes, &machine->node_capacity, 1,
                          sizeof *machine->nodes) ||
        !sim_scratch_grow(scratch, &machine->words, &machine->word_capacity, 1,
                          sizeof *machine->words) ||
        !sim_scratch_grow(scratch, &machine->tuple_starts, &machine->tuple_capacity, 1,
                          sizeof *machine->tuple_starts)) {
        return SIM_ENOMEM;
    }
    machine->nodes[0] = (struct sim_tree_node){0};
    machine->node_count = 1;
    machine->tuple_starts[0] = 0;
    return SIM_OK;
}

void sim_machine_release(struct sim_machine *machine)
{
    struct sim_scratch *s = machine->scratch;
    if (!s) {
        return;
    }
    sim_scratch_release(s, machine->nodes, machine->node_capacity, sizeof *machine->nodes);
    sim_scratch_release(s, machine->node_slots, machine->node_slot_count,
                        sizeof *machine->node_slots);
    sim_scratch_release(s, machine->words, machine->word_capacity, sizeof *machine->words);
    sim_scratch_release(s, machine->tuple_starts, machine->tuple_capacity,
                        sizeof *machine->tuple_starts);
    sim_scratch_release(s, machine->tuple_slots, machine->tuple_slot_count,
                        sizeof *machine->tuple_slots);
    sim_scratch_release(s, machine->memo_keys, machine->memo_slot_count,
                        sizeof *machine->memo_keys);
    sim_scratch_release(s, machine->memo_states, machine->memo_slot_count,
                        sizeof *machine->memo_states);
    sim_scratch_release(s, machine->array, machine->array_capacity, sizeof *machine->array);
    *machine = (struct sim_machine){0};
}

/* ---- Moves ----------------------------------------------------------------------------------- */

/* A copy of a state's array with room for one more element; NULL without memory. */
static uint32_t *array_of(struct sim_machine *m, uint32_t state, size_t *count)
{
    const size_t start = m->tuple_starts[state];
    *count = m->tuple_starts[state + 1] - start;
    if (!sim_scratch_grow(m->scratch, &m->array, &m->array_capacity, *count + 1,
                          sizeof *m->array)) {
        return NULL;
    }
    if (*count > 0) {
        memcpy(m->array, m->words + start, *count * sizeof *m->array);
    }
    return m->array;
}

static uint32_t move_set(struct sim_machine *m, uint32_t state, uint32_t action, uint32_t value)
{
    size_t count;
    uint32_t *items = array_of(m, state, &count);
    if (!items) {
        return SIM_STATE_NO_MEMORY;
    }
    const size_t at = sim_machine_lower_bound(items, count, value);
    const bool there = at < count && items[at] == value;
    if (there == (action == SIM_ACTION_ADD)) {
        return state;
    }
    if (there) {
        memmove(items + at, items + at + 1, (count - at - 1) * sizeof *items);
        return sim_machine_tuple(m, items, count - 1);
    }
    memmove(items + at + 1, items + at, (count - at) * sizeof *items);
    items[at] = value;
    return sim_machine_tuple(m, items, count + 1);
}

static uint32_t move_queue(struct sim_machine *m, uint32_t state, uint32_t action, uint32_t value)
{
    size_t count;
    uint32_t *items = array_of(m, state, &count);
    if (!items) {
        return SIM_STATE_NO_MEMORY;
    }
    if (action == SIM_ACTION_ENQUEUE) {
        items[count] = value;
        return sim_machine_tuple(m, items, count + 1);
    }
    if (count == 0 || (value != SIM_VALUE_UNKNOWN && items[0] != value)) {
        return SIM_STATE_ILLEGAL;
    }
    return sim_machine_tuple(m, items + 1, count - 1);
}

static uint32_t move_counter(struct sim_machine *m, uint32_t state, uint32_t value)
{
    const uint32_t *words = m->words + m->tuple_starts[state];
    const uint64_t sum = ((uint64_t)words[1] << 32 | words[0]) + m->history->values[value].bits;
    return sim_machine_tuple_u64(m, sum);
}

static uint32_t move_uncached(struct sim_machine *m, const struct sim_call *call, uint32_t state)
{
    switch (m->object) {
    case SIM_OBJECT_KV:
        return sim_machine_append_text(m, state, call->value);
    case SIM_OBJECT_SET:
        return move_set(m, state, call->action, call->value);
    case SIM_OBJECT_QUEUE:
        return move_queue(m, state, call->action, call->value);
    default:
        return move_counter(m, state, call->value);
    }
}

static bool memo_rehash(struct sim_machine *m)
{
    const size_t wanted = m->memo_slot_count ? 2 * m->memo_slot_count : 64;
    uint64_t *keys = sim_scratch_alloc(m->scratch, wanted, sizeof *keys);
    uint32_t *states = sim_scratch_alloc(m->scratch, wanted, sizeof *states);
    if (!keys || !states) {
        sim_scratch_release(m->scratch, keys, wanted, sizeof *keys);
        sim_scratch_release(m->scratch, states, wanted, sizeof *states);
        return false;
    }
    for (size_t i = 0; i < m->memo_slot_count; i++) {
        if (m->memo_keys[i]) {
            size_t slot = (size_t)sim_mix64(m->memo_keys[i]) & (wanted - 1);
            while (keys[slot]) {
                slot = (slot + 1) & (wanted - 1);
            }
            keys[slot] = m->memo_keys[i];
            states[slot] = m->memo_states[i];
        }
    }
    sim_scratch_release(m->scratch, m->memo_keys, m->memo_slot_count, sizeof *keys);
    sim_scratch_release(m->scratch, m->memo_states, m->memo_slot_count, sizeof *states);
    m->memo_keys = keys;
    m->memo_states = states;
    m->memo_slot_count = wanted;
    return true;
}

uint32_t sim_machine_move(struct sim_machine *m, const struct sim_call *call, uint32_t state)
{
    if (m->object == SIM_OBJECT_LIST || call->action == SIM_ACTION_PUSH) {
        return sim_machine_child(m, state, call->value);
    }
    if (m->object == SIM_OBJECT_KV && state == SIM_STATE_UNSEEN) {
        return state;
    }
    if (call->action == SIM_ACTION_POP) {
        const bool legal = state != 0 && (call->value == SIM_VALUE_UNKNOWN ||
                                          m->nodes[state].symbol == call->value);
        return legal ? m->nodes[state].parent : SIM_STATE_ILLEGAL;
    }
    if (2 * m->memo_count >= m->memo_slot_count && !memo_rehash(m)) {
        return SIM_STATE_NO_MEMORY;
    }
    const uint64_t key = ((uint64_t)state << 32 | call->class) + 1;
    size_t slot = (size_t)sim_mix64(key) & (m->memo_slot_count - 1);
    for (; m->memo_keys[slot]; slot = (slot + 1) & (m->memo_slot_count - 1)) {
        if (m->memo_keys[slot] == key) {
            return m->memo_states[slot];
        }
    }
    const uint32_t next = move_uncached(m, call, state);
    if (next != SIM_STATE_NO_MEMORY) {
        m->memo_keys[slot] = key;
        m->memo_states[slot] = next;
        m->memo_count++;
    }
    return next;
}

/* ---- Operations as calls --------------------------------------------------------------------- */

uint32_t sim_machine_initial(struct sim_machine *m)
{
    switch (m->object) {
    case SIM_OBJECT_SET:
    case SIM_OBJECT_QUEUE:
        return sim_machine_tuple(m, NULL, 0);
    case SIM_OBJECT_COUNTER:
        return sim_machine_tuple_u64(m, 0);
    default:
        return 0; /* nil, the root of the tree, free */
    }
}

/* The state in which a whole list or set, as read, is what the object holds. */
static uint32_t list_state(struct sim_machine *m, uint32_t list)
{
    const size_t start = m->history->list_starts[list];
    const size_t count = m->history->list_starts[list + 1] - start;
    const uint32_t *items = m->history->items + start;
    if (m->object == SIM_OBJECT_LIST) {
        uint32_t node = 0;
        for (size_t i = 0; i < count && node < SIM_STATE_UNSEEN; i++) {
            node = sim_machine_child(m, node, items[i]);
        }
        return node;
    }
    uint64_t *keys = sim_scratch_alloc(m->scratch, 2 * count, sizeof *keys);
    uint32_t state = SIM_STATE_NO_MEMORY;
    if (keys &&
        sim_scratch_grow(m->scratch, &m->array, &m->array_capacity, count, sizeof *m->array)) {
        for (size_t i = 0; i < count; i++) {
            keys[i] = items[i];
        }
        sim_sort_u64(keys, keys + count, count);
        for (size_t i = 0; i < count; i++) {
            m->array[i] = (uint32_t)keys[i]; /* An element twice stays: no set is like that. */
        }
        state = sim_machine_tuple(m, m->array, count);
    }
    sim_scratch_release(m->scratch, keys, 2 * count, sizeof *keys);
    return state;
}

/* The state that holds `value`, or the whole of what a read saw. */
static uint32_t value_state(struct sim_machine *m, uint32_t value)
{
    switch (m->object) {
    case SIM_OBJECT_KV:
        return sim_machine_append_text(m, 0, value);
    case SIM_OBJECT_LIST:
    case SIM_OBJECT_SET:
        return list_state(m, value);
    case SIM_OBJECT_COUNTER:
        return sim_machine_tuple_u64(m, m->history->values[value].bits);
    default:
        return value;
    }
}

void sim_machine_begin(struct sim_machine *m)
{
    if (m->object != SIM_OBJECT_KV && m->object != SIM_OBJECT_LIST) {
        return;
    }
    m->node_count = 1;
    m->nodes[0].first_child = 0;
    m->frozen = false;
    if (m->node_slots_used > 0) {
        memset(m->node_slots, 0, m->node_slot_count * sizeof *m->node_slots);
        m->node_slots_used = 0;
    }
    if (m->memo_count > 0) {
        memset(m->memo_keys, 0, m->memo_slot_count * sizeof *m->memo_keys);
        m->memo_count = 0;
    }
}

bool sim_machine_see(struct sim_machine *m, uint32_t place)
{
    if (m->object != SIM_OBJECT_KV && m->object != SIM_OBJECT_LIST) {
        return true;
    }
    const struct sim_history_operation *o = &m->history->operations[place];
    switch (o->action) {
    case SIM_ACTION_READ:
        return value_state(m, o->result) != SIM_STATE_NO_MEMORY;
    case SIM_ACTION_CAS:
    case SIM_ACTION_CAS_MISSED:
        return value_state(m, o->expected) != SIM_STATE_NO_MEMORY;
    default:
        return true;
    }
}

static void call_pure(struct sim_call *call, enum sim_call_kind kind, uint32_t target)
{
    call->kind = kind;
    call->target = target;
}

static void call_of(struct sim_machine *m, const struct sim_history_operation *o,
                    struct sim_call *call)
{
    switch (o->action) {
    case SIM_ACTION_READ:
        call_pure(call, SIM_CALL_EXPECT, value_state(m, o->result));
        return;
    case SIM_ACTION_CAS_MISSED:
        call_pure(call, SIM_CALL_AVOID, value_state(m, o->expected));
        return;
    case SIM_ACTION_WRITE:
        call->kind = SIM_CALL_SET;
        call->target = value_state(m, o->value);
        return;
    case SIM_ACTION_CAS:
        call->kind = SIM_CALL_SWAP;
        call->expected = value_state(m, o->expected);
        call->target = value_state(m, o->value);
        return;
    case SIM_ACTION_ACQUIRE:
    case SIM_ACTION_RELEASE:
        call->kind = SIM_CALL_SWAP;
        call->expected = o->action == SIM_ACTION_RELEASE;
        call->target = o->action == SIM_ACTION_ACQUIRE;
        return;
    case SIM_ACTION_HAS:
        call->kind = o->result == SIM_VALUE_NIL ? SIM_CALL_HAS_NOT : SIM_CALL_HAS;
        call->value = o->value;
        return;
    case SIM_ACTION_DEQUEUE:
    case SIM_ACTION_POP:
        if (o->result == SIM_VALUE_NIL) {
            call_pure(call, SIM_CALL_EXPECT, sim_machine_initial(m));
            return;
        }
        call->value = o->result;
        break;
    default:
        call->value = o->value;
        break;
    }
    call->kind = SIM_CALL_MOVE;
    call->action = o->action;
}

bool sim_machine_call(struct sim_machine *m, uint32_t place, struct sim_call *call)
{
    const struct sim_history_operation *o = &m->history->operations[place];
    assert(sim_object_has(m->object, o->action));
    if (!m->frozen && (m->object == SIM_OBJECT_KV || m->object == SIM_OBJECT_LIST)) {
        sim_machine_freeze(m);
    }
    *call = (struct sim_call){.invoked = o->invoked, .returned = o->returned, .place = place};
    call_of(m, o, call);
    const uint32_t what[] = {call->kind, call->target, call->expected, call->value, call->action};
    call->class = sim_machine_tuple(m, what, sizeof what / sizeof what[0]);
    return call->class != SIM_STATE_NO_MEMORY && call->target != SIM_STATE_NO_MEMORY &&
           call->expected != SIM_STATE_NO_MEMORY;
}
