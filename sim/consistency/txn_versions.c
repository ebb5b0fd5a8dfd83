/* The order of each key's versions, and who read which.
 *
 * Of a list the longest read shows the order. Of a register little is known: it begins with
 * nothing, and a transaction that reads it and then writes it puts its version directly or
 * indirectly after the one it read ("writes follow reads"). */
#include "sim/consistency/txn_internal.h"

/* The list that shows most of a key; of two as long, that which was new last. Places are set on
 * the way. */
static void order_of_list(struct txn_search *s, uint32_t key)
{
    const struct sim_txn_history *h = s->history;
    const struct sim_txn_key *k = &h->keys[key];
    const uint32_t *list = k->trunk;
    uint32_t count = k->trunk_count;
    if (k->branch_longest != SIM_TXN_NONE) {
        const struct sim_txn_operation *o = &h->operations[k->branch_longest];
        if (o->length > count || (o->length == count && k->branch_longest > k->trunk_reader)) {
            list = h->items + o->start;
            count = o->length;
        }
    }
    uint32_t distinct = 0;
    while (distinct < count && s->places[list[distinct]] == SIM_TXN_NONE) {
        s->places[list[distinct]] = distinct;
        distinct++;
    }
    s->orders[key] = (struct txn_order){list, count};
    if (distinct == count) {
        return;
    }
    /* Something stands in it twice: the order is a copy without. */
    uint32_t *copy = s->distinct + s->distinct_count;
    memcpy(copy, list, distinct * sizeof *list);
    for (uint32_t i = distinct; i < count; i++) {
        if (s->places[list[i]] == SIM_TXN_NONE) {
            s->places[list[i]] = distinct;
            copy[distinct++] = list[i];
        }
    }
    s->distinct_count += distinct;
    s->orders[key] = (struct txn_order){copy, distinct};
}

static bool order_lists(struct txn_search *s)
{
    const struct sim_txn_history *h = s->history;
    s->orders = sim_scratch_alloc(&s->scratch, h->key_count, sizeof *s->orders);
    s->distinct = sim_scratch_alloc(&s->scratch, h->element_count, sizeof *s->distinct);
    if (!s->orders || !s->distinct) {
        return false;
    }
    for (uint32_t key = 0; key < h->key_count; key++) {
        order_of_list(s, key);
    }
    return true;
}

/* The version that a write came after: what its transaction read of the key before it wrote it. */
static uint32_t read_before(const struct sim_txn_history *h, const struct sim_txn_operation *write)
{
    uint32_t first = SIM_TXN_NONE;
    for (uint32_t p = write->previous; p != SIM_TXN_NONE; p = h->operations[p].previous) {
        first = h->operations[p].action == SIM_TXN_READ_UNKNOWN ? first : p;
    }
    return first != SIM_TXN_NONE && h->operations[first].action == SIM_TXN_READ
               ? h->operations[first].element
               : SIM_TXN_NONE;
}

/* Keys with a version that comes before itself. Walk towards the beginning from each element;
 * those met in one walk carry its number, so meeting that number again is a circle. */
static void find_circles(struct txn_search *s, uint32_t *walk, bool *circular)
{
    const struct sim_txn_history *h = s->history;
    for (uint32_t e = 0; e < h->element_count; e++) {
        uint32_t at = e;
        while (at != SIM_TXN_NONE && walk[at] == 0) {
            walk[at] = e + 1;
            at = s->parents[at];
        }
        if (at == SIM_TXN_NONE || walk[at] != e + 1) {
            continue;
        }
        const uint32_t before = s->parents[at];
        circular[h->elements[at].key] = true;
        txn_note(s, SIM_TXN_CYCLIC_VERSIONS, h->operations[h->elements[before].writer].txn,
                 h->operations[h->elements[at].writer].txn, h->elements[at].key, at);
    }
}

static bool order_registers(struct txn_search *s)
{
    const struct sim_txn_history *h = s->history;
    s->parents = sim_scratch_alloc(&s->scratch, h->element_count, sizeof *s->parents);
    uint32_t *walk = sim_scratch_alloc(&s->scratch, h->element_count, sizeof *walk);
    bool *circular = sim_scratch_alloc(&s->scratch, h->key_count, sizeof *circular);
    const bool fine = s->parents && walk && circular;
    for (uint32_t e = 0; fine && e < h->element_count; e++) {
        const uint32_t writer = h->elements[e].writer;
        const struct sim_txn_operation *o = writer == SIM_TXN_NONE ? NULL : &h->operations[writer];
        const bool version =
            o && o->last && !txn_is_list(h, o) && h->txns[o->txn].outcome == SIM_TXN_OK;
        const uint32_t before = version ? read_before(h, o) : SIM_TXN_NONE;
        s->parents[e] = before == e ? SIM_TXN_NONE : before;
    }
    if (fine) {
        find_circles(s, walk, circular);
    }
    /* What seems to be the order of such a key is not to be trusted. */
    for (uint32_t e = 0; fine && e < h->element_count; e++) {
        s->parents[e] = circular[h->elements[e].key] ? SIM_TXN_NONE : s->parents[e];
    }
    sim_scratch_release(&s->scratch, walk, h->element_count, sizeof *walk);
    sim_scratch_release(&s->scratch, circular, h->key_count, sizeof *circular);
    return fine;
}

/* Readers by what they saw last, in the order of their operations. */
static bool index_readers(struct txn_search *s)
{
    const struct sim_txn_history *h = s->history;
    s->reader_slots = h->element_count + h->key_count;
    s->reader_starts =
        sim_scratch_alloc(&s->scratch, (size_t)s->reader_slots + 1, sizeof *s->reader_starts);
    s->readers = sim_scratch_alloc(&s->scratch, h->operation_count, sizeof *s->readers);
    if (!s->reader_starts || !s->readers) {
        return false;
    }
    for (uint32_t o = 0; o < h->operation_count; o++) {
        const uint32_t slot = txn_slot(h, &h->operations[o]);
        if (slot != SIM_TXN_NONE) {
            s->reader_starts[slot + 1]++;
        }
    }
    for (uint32_t slot = 0; slot < s->reader_slots; slot++) {
        s->reader_starts[slot + 1] += s->reader_starts[slot];
    }
    const uint32_t total = s->reader_starts[s->reader_slots];
    /* Filled from the end, so that each slot's end comes down to its start. */
    for (uint32_t o = h->operation_count; o-- > 0;) {
        const uint32_t slot = txn_slot(h, &h->operations[o]);
        if (slot != SIM_TXN_NONE) {
            s->readers[--s->reader_starts[slot + 1]] = h->operations[o].txn;
        }
    }
    memmove(s->reader_starts, s->reader_starts + 1, s->reader_slots * sizeof *s->reader_starts);
    s->reader_starts[s->reader_slots] = total;
    return true;
}

bool txn_find_versions(struct txn_search *s)
{
    const struct sim_txn_history *h = s->history;
    s->places = sim_scratch_alloc(&s->scratch, h->element_count, sizeof *s->places);
    if (!s->places) {
        return false;
    }
    for (uint32_t e = 0; e < h->element_count; e++) {
        s->places[e] = SIM_TXN_NONE;
    }
    return order_lists(s) && order_registers(s) && index_readers(s);
}
