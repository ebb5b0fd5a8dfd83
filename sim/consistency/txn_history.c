/* Building a history of transactions: interned keys and values, and lists kept once.
 *
 * Reads of a list agree with each other if the database works: each is a beginning of the longest,
 * the trunk. So a read is kept as a length of the trunk, and an element read is recognised by
 * comparing it with the trunk's at the same place, without looking it up. Only a read that does
 * not agree is kept in full. */
#include "sim/consistency/txn_internal.h"

#include <stdlib.h>

void sim_txn_history_init(struct sim_txn_history *h, enum sim_txn_object object,
                          size_t memory_bytes)
{
    memset(h, 0, sizeof *h);
    h->object = (uint32_t)object;
    h->scratch.limit_bytes = memory_bytes;
    h->twice_first = h->twice_second = SIM_TXN_NONE;
    h->current = SIM_TXN_NONE;
}

void sim_txn_history_release(struct sim_txn_history *h)
{
    for (uint32_t k = 0; k < h->key_count; k++) {
        free(h->keys[k].trunk);
    }
    free(h->txns);
    free(h->operations);
    free(h->elements);
    free(h->keys);
    free(h->items);
    free(h->element_slots);
    free(h->key_slots);
    memset(h, 0, sizeof *h);
}

void sim_txn_history_is_of(struct sim_txn_history *h, enum sim_txn_object object)
{
    assert(h->element_count == 0);
    h->object = (uint32_t)object;
    for (uint32_t k = 0; k < h->key_count; k++) {
        h->keys[k].object = (uint32_t)object;
    }
}

/* Room for one more element of a table whose numbers are below SIM_TXN_NONE / 2. */
static inline bool room(struct sim_txn_history *h, void *array, uint32_t count, size_t *capacity,
                        size_t element_bytes)
{
    if (SIM_LIKELY(count < *capacity)) {
        return true;
    }
    return count < UINT32_MAX / 2 &&
           sim_scratch_grow(&h->scratch, array, capacity, (size_t)count + 1, element_bytes);
}

static uint64_t element_hash(uint32_t key, uint64_t value)
{
    return sim_mix64(value * UINT64_C(0x9e3779b97f4a7c15) + key);
}

/* Twice the slots, once they are more than half full. */
static bool more_slots(struct sim_txn_history *h, uint32_t **slots, uint32_t *slot_count,
                       uint32_t count, bool of_keys)
{
    if (SIM_LIKELY(count < *slot_count / 2)) {
        return true;
    }
    if (*slot_count > UINT32_MAX / 4) {
        return false;
    }
    const uint32_t larger = *slot_count ? *slot_count * 2 : 64;
    uint32_t *fresh = sim_scratch_alloc(&h->scratch, larger, sizeof *fresh);
    if (!fresh) {
        return false;
    }
    for (uint32_t i = 0; i < count; i++) {
        const uint64_t hash = of_keys ? sim_mix64(h->keys[i].name)
                                      : element_hash(h->elements[i].key, h->elements[i].value);
        uint32_t slot = (uint32_t)hash & (larger - 1);
        while (fresh[slot]) {
            slot = (slot + 1) & (larger - 1);
        }
        fresh[slot] = i + 1;
    }
    sim_scratch_release(&h->scratch, *slots, *slot_count, sizeof **slots);
    *slots = fresh;
    *slot_count = larger;
    return true;
}

static uint32_t intern_key(struct sim_txn_history *h, uint64_t name)
{
    if (!more_slots(h, &h->key_slots, &h->key_slot_count, h->key_count, true)) {
        return SIM_TXN_NONE;
    }
    uint32_t slot = (uint32_t)sim_mix64(name) & (h->key_slot_count - 1);
    while (h->key_slots[slot]) {
        const uint32_t key = h->key_slots[slot] - 1;
        if (h->keys[key].name == name && h->keys[key].object == h->object) {
            return key;
        }
        slot = (slot + 1) & (h->key_slot_count - 1);
    }
    if (!room(h, &h->keys, h->key_count, &h->key_capacity, sizeof *h->keys)) {
        return SIM_TXN_NONE;
    }
    h->keys[h->key_count] = (struct sim_txn_key){.name = name,
                                                 .object = h->object,
                                                 .trunk_reader = SIM_TXN_NONE,
                                                 .branch_reader = SIM_TXN_NONE,
                                                 .branch_longest = SIM_TXN_NONE,
                                                 .operation = SIM_TXN_NONE};
    h->mixed |= h->object != h->keys[0].object;
    h->key_slots[slot] = h->key_count + 1;
    return h->key_count++;
}

static uint32_t intern_element(struct sim_txn_history *h, uint32_t key, uint64_t value)
{
    if (!more_slots(h, &h->element_slots, &h->element_slot_count, h->element_count, false)) {
        return SIM_TXN_NONE;
    }
    uint32_t slot = (uint32_t)element_hash(key, value) & (h->element_slot_count - 1);
    while (h->element_slots[slot]) {
        const uint32_t element = h->element_slots[slot] - 1;
        if (h->elements[element].value == value && h->elements[element].key == key) {
            return element;
        }
        slot = (slot + 1) & (h->element_slot_count - 1);
    }
    if (!room(h, &h->elements, h->element_count, &h->element_capacity, sizeof *h->elements)) {
        return SIM_TXN_NONE;
    }
    h->elements[h->element_count] = (struct sim_txn_element){value, key, SIM_TXN_NONE};
    h->element_slots[slot] = h->element_count + 1;
    return h->element_count++;
}

enum sim_status sim_txn_invoke(struct sim_txn_history *h, uint64_t process, uint32_t *txn)
{
    if (!room(h, &h->txns, h->txn_count, &h->txn_capacity, sizeof *h->txns)) {
        return SIM_ENOMEM;
    }
    *txn = h->txn_count;
    h->txns[h->txn_count++] = (struct sim_txn){process, h->positions++, SIM_TXN_NONE, 0, 0, 0};
    return SIM_OK;
}

void sim_txn_return(struct sim_txn_history *h, uint32_t txn, enum sim_txn_outcome outcome)
{
    struct sim_txn *t = &h->txns[txn];
    assert(t->outcome == SIM_TXN_OPEN);
    assert(t->count == 0);
    t->outcome = (uint32_t)outcome;
    t->returned = outcome == SIM_TXN_OPEN ? SIM_TXN_NONE : h->positions++;
    t->first = h->operation_count;
    h->current = txn;
}

/* The next operation of the transaction returned last. A key remembers the last operation on it;
 * whether that is of this transaction is seen from its number. */
static struct sim_txn_operation *add(struct sim_txn_history *h, uint64_t name,
                                     enum sim_txn_action action)
{
    const uint32_t key = intern_key(h, name);
    if (key == SIM_TXN_NONE || !room(h, &h->operations, h->operation_count, &h->operation_capacity,
                                     sizeof *h->operations)) {
        return NULL;
    }
    struct sim_txn *t = &h->txns[h->current];
    struct sim_txn_key *k = &h->keys[key];
    struct sim_txn_operation *o = &h->operations[h->operation_count];
    const bool same = k->operation != SIM_TXN_NONE && k->operation >= t->first;
    if (action == SIM_TXN_READ && t->outcome != SIM_TXN_OK && h->object != SIM_TXN_LOG) {
        action = SIM_TXN_READ_UNKNOWN;
    }
    *o = (struct sim_txn_operation){.txn = h->current,
                                    .key = key,
                                    .element = SIM_TXN_NONE,
                                    .start = SIM_TXN_NONE,
                                    .previous = same ? k->operation : SIM_TXN_NONE,
                                    .action = (uint8_t)action};
    k->operation = h->operation_count++;
    t->count++;
    return o;
}

enum sim_status sim_txn_write(struct sim_txn_history *h, uint64_t key, uint64_t value)
{
    struct sim_txn_operation *o = add(h, key, SIM_TXN_WRITE);
    if (!o) {
        return SIM_ENOMEM;
    }
    o->element = intern_element(h, o->key, value);
    if (o->element == SIM_TXN_NONE) {
        return SIM_ENOMEM;
    }
    o->last = true;
    for (uint32_t p = o->previous; p != SIM_TXN_NONE; p = h->operations[p].previous) {
        if (h->operations[p].action == SIM_TXN_WRITE) {
            h->operations[p].last = false;
            break;
        }
    }
    struct sim_txn_element *e = &h->elements[o->element];
    const uint32_t place = (uint32_t)(o - h->operations);
    if (e->writer != SIM_TXN_NONE && h->twice_first == SIM_TXN_NONE) {
        h->twice_first = e->writer;
        h->twice_second = place;
    }
    e->writer = place;
    return SIM_OK;
}

enum sim_status sim_txn_read(struct sim_txn_history *h, uint64_t key, const uint64_t *value)
{
    struct sim_txn_operation *o = add(h, key, SIM_TXN_READ);
    if (!o) {
        return SIM_ENOMEM;
    }
    if (value && o->action == SIM_TXN_READ) {
        o->element = intern_element(h, o->key, *value);
        return o->element == SIM_TXN_NONE ? SIM_ENOMEM : SIM_OK;
    }
    return SIM_OK;
}

enum sim_status sim_txn_read_unknown(struct sim_txn_history *h, uint64_t key)
{
    return add(h, key, SIM_TXN_READ_UNKNOWN) ? SIM_OK : SIM_ENOMEM;
}

/* All of a list that departs from the trunk after `agreed` elements. */
static enum sim_status keep_branch(struct sim_txn_history *h, uint32_t place,
                                   const uint64_t *values, uint32_t agreed, uint32_t count)
{
    struct sim_txn_operation *o = &h->operations[place];
    struct sim_txn_key *k = &h->keys[o->key];
    if (count > UINT32_MAX / 2 - h->item_count ||
        !sim_scratch_grow(&h->scratch, &h->items, &h->item_capacity, (size_t)h->item_count + count,
                          sizeof *h->items)) {
        return SIM_ENOMEM;
    }
    o->start = h->item_count;
    memcpy(h->items + h->item_count, k->trunk, agreed * sizeof *k->trunk);
    for (uint32_t i = agreed; i < count; i++) {
        h->items[o->start + i] = intern_element(h, o->key, values[i]);
        if (h->items[o->start + i] == SIM_TXN_NONE) {
            return SIM_ENOMEM;
        }
    }
    h->item_count += count;
    if (k->branch_reader == SIM_TXN_NONE) {
        k->branch_reader = k->branch_longest = place;
        return SIM_OK;
    }
    const struct sim_txn_operation *longest = &h->operations[k->branch_longest];
    if (longest->length < count ||
        (longest->length == count &&
         memcmp(h->items + longest->start, h->items + o->start, count * sizeof *h->items) != 0)) {
        k->branch_longest = place;
    }
    return SIM_OK;
}

/* The trunk goes on as this list does. */
static enum sim_status extend_trunk(struct sim_txn_history *h, uint32_t place,
                                    const uint64_t *values, uint32_t count)
{
    struct sim_txn_key *k = &h->keys[h->operations[place].key];
    const uint32_t key = h->operations[place].key;
    if (!sim_scratch_grow(&h->scratch, &k->trunk, &k->trunk_capacity, count, sizeof *k->trunk)) {
        return SIM_ENOMEM;
    }
    k->trunk_reader = place;
    while (k->trunk_count < count) {
        const uint32_t element = intern_element(h, key, values[k->trunk_count]);
        if (element == SIM_TXN_NONE) {
            return SIM_ENOMEM;
        }
        k->trunk[k->trunk_count++] = element;
    }
    return SIM_OK;
}

enum sim_status sim_txn_read_list(struct sim_txn_history *h, uint64_t key, const uint64_t *values,
                                  uint32_t count)
{
    struct sim_txn_operation *o = add(h, key, SIM_TXN_READ);
    if (!o) {
        return SIM_ENOMEM;
    }
    if (o->action != SIM_TXN_READ) {
        return SIM_OK;
    }
    o->length = count;
    const struct sim_txn_key *k = &h->keys[o->key];
    const uint32_t common = count < k->trunk_count ? count : k->trunk_count;
    uint32_t agreed = 0;
    while (agreed < common && h->elements[k->trunk[agreed]].value == values[agreed]) {
        agreed++;
    }
    const uint32_t place = h->operation_count - 1;
    if (agreed < common) {
        return keep_branch(h, place, values, agreed, count);
    }
    return agreed < count ? extend_trunk(h, place, values, count) : SIM_OK;
}
