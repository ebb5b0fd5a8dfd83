/* In which order messages stand, from the offsets that polls and sends told.
 *
 * All polls count, also those of transactions that failed: a consumer is shown nothing but what is
 * in the log. Sends count if they took effect for certain. */
#include "sim/consistency/log_internal.h"

/* Sorted, each once; answers how many there are. */
static size_t sort_distinct(uint64_t *keys, uint64_t *spare, size_t count)
{
    size_t distinct = 0;
    sim_sort_u64(keys, spare, count);
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || keys[i] != keys[distinct - 1]) {
            keys[distinct++] = keys[i];
        }
    }
    return distinct;
}

/* Where a key stands among sorted ones, of which it is one. */
static uint32_t rank_of(const uint64_t *keys, size_t count, uint64_t key)
{
    size_t low = 0, high = count;
    while (high - low > 1) {
        const size_t middle = low + (high - low) / 2;
        if (keys[middle] <= key) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return (uint32_t)low;
}

/* Of several messages at one offset, the one that counts as standing there is the first in the
 * order of Clojure's hash sets, so that what follows is the same as in Jepsen: by MurmurHash3 of
 * the value, five bits after five, the lowest first. Any choice would do, if always the same. */
static uint32_t set_order(uint64_t value)
{
    uint32_t hash = 0;
    for (uint32_t half = 0; half < 2; half++) {
        uint32_t k = (uint32_t)(value >> (32 * half)) * UINT32_C(0xcc9e2d51);
        k = (k << 15 | k >> 17) * UINT32_C(0x1b873593);
        hash ^= k;
        hash = (hash << 13 | hash >> 19) * 5 + UINT32_C(0xe6546b64);
    }
    hash ^= 8;
    hash = (hash ^ hash >> 16) * UINT32_C(0x85ebca6b);
    hash = (hash ^ hash >> 13) * UINT32_C(0xc2b2ae35);
    hash ^= hash >> 16;
    uint32_t order = 0;
    for (uint32_t bit = 0; bit < 32; bit += 5) {
        order = order << (bit < 30 ? 5 : 2) | (hash >> bit & 31);
    }
    return value == 0 ? 0 : order;
}

static bool tells_offset(const struct log_search *s, uint32_t operation)
{
    const struct sim_txn_operation *o = &s->h->operations[operation];
    return s->log->offsets[operation] != SIM_LOG_NO_OFFSET &&
           (log_is_poll(o) || (log_is_send(o) && s->committed[o->txn]));
}

/* The first transaction that told the message to be at this offset, or, if that is not known, at
 * another than `other`; `told` is the offset, or none. Looks through all operations: for what is
 * shown. */
static uint32_t teller(const struct log_search *s, uint32_t element, int64_t offset, int64_t other,
                       int64_t *told)
{
    *told = SIM_LOG_NO_OFFSET;
    for (uint32_t i = 0; i < s->h->operation_count; i++) {
        const int64_t here = s->log->offsets[i];
        if (s->h->operations[i].element == element && tells_offset(s, i) && here != other &&
            (offset == SIM_LOG_NO_OFFSET || here == offset)) {
            *told = here;
            return s->h->operations[i].txn;
        }
    }
    return SIM_TXN_NONE;
}

static void note_inconsistent(struct log_search *s, uint32_t a, uint32_t b, uint32_t key,
                              int64_t offset)
{
    struct log_case found = {{SIM_TXN_NONE, SIM_TXN_NONE}, {a, b}, key, offset};
    if (s->counts[SIM_LOG_INCONSISTENT_OFFSETS] == 0) {
        int64_t told;
        found.txns[0] = teller(s, a, offset, SIM_LOG_NO_OFFSET, &told);
        found.txns[1] = teller(s, b, offset, SIM_LOG_NO_OFFSET, &told);
    }
    log_note(s, SIM_LOG_INCONSISTENT_OFFSETS, found);
}

/* Who is known to have polled and sent what. */
static void mark_messages(struct log_search *s)
{
    const struct sim_txn_history *h = s->h;
    for (uint32_t e = 0; e < h->element_count; e++) {
        s->messages[e] = (struct log_message){
            .place = SIM_TXN_NONE, .first = SIM_TXN_NONE, .last = SIM_TXN_NONE};
    }
    for (uint32_t i = 0; i < h->operation_count; i++) {
        const struct sim_txn_operation *o = &h->operations[i];
        if (h->txns[o->txn].outcome == SIM_TXN_OK && o->element != SIM_TXN_NONE) {
            s->messages[o->element].polled |= log_is_poll(o);
            s->messages[o->element].sent |= log_is_send(o);
        }
    }
    for (uint32_t t = 0; t < h->txn_count; t++) {
        s->committed[t] = h->txns[t].outcome == SIM_TXN_OK;
    }
    /* A transaction of unknown outcome of which a message was polled has taken effect. */
    for (uint32_t i = 0; i < h->operation_count; i++) {
        const struct sim_txn_operation *o = &h->operations[i];
        if (log_is_send(o) && s->messages[o->element].polled && txn_possible(h, o->txn)) {
            s->committed[o->txn] = true;
        }
    }
}

/* The messages of entries[from .. to), all at one place of one key. */
static void put_place(struct log_search *s, const uint64_t *entries, size_t from, size_t to,
                      uint32_t key, uint32_t place, int64_t offset)
{
    uint32_t best = SIM_TXN_NONE, best_order = 0;
    for (size_t i = from; i < to; i++) {
        const uint32_t e = (uint32_t)entries[i];
        struct log_message *m = &s->messages[e];
        m->first = m->first == SIM_TXN_NONE ? place : m->first;
        m->last = place;
        m->offsets++;
        const uint32_t order = set_order(s->h->elements[e].value);
        if (best == SIM_TXN_NONE || order < best_order) {
            best = e;
            best_order = order;
        }
    }
    s->messages[best].place = place;
    s->standing[s->standing_count++] = best;
    if (to - from > 1) {
        note_inconsistent(s, (uint32_t)entries[from], (uint32_t)entries[from + 1], key, offset);
    }
}

/* `offsets` and `slots` (a key, and the number of an offset) are sorted; `entries` (the number of
 * a slot, and an element) too. */
static void put_places(struct log_search *s, const uint64_t *offsets, const uint64_t *slots,
                       const uint64_t *entries, size_t entry_count)
{
    uint32_t next_key = 0;
    for (size_t from = 0, to; from < entry_count; from = to) {
        to = from + 1;
        while (to < entry_count && entries[to] >> 32 == entries[from] >> 32) {
            to++;
        }
        const uint64_t slot = slots[entries[from] >> 32];
        const uint32_t key = (uint32_t)(slot >> 32);
        while (next_key <= key) {
            s->starts[next_key++] = s->standing_count;
        }
        put_place(s, entries, from, to, key, s->standing_count - s->starts[key],
                  (int64_t)offsets[(uint32_t)slot]);
    }
    while (next_key <= s->h->key_count) {
        s->starts[next_key++] = s->standing_count;
    }
}

static void note_duplicates(struct log_search *s)
{
    for (uint32_t e = 0; e < s->h->element_count; e++) {
        struct log_case found = {
            {SIM_TXN_NONE, SIM_TXN_NONE}, {e, SIM_TXN_NONE}, s->h->elements[e].key, 0};
        if (s->messages[e].offsets < 2) {
            continue;
        }
        if (s->counts[SIM_LOG_DUPLICATE] == 0) {
            int64_t first, other;
            found.number = (int64_t)s->messages[e].offsets;
            found.txns[0] = teller(s, e, SIM_LOG_NO_OFFSET, SIM_LOG_NO_OFFSET, &first);
            found.txns[1] = teller(s, e, SIM_LOG_NO_OFFSET, first, &other);
        }
        log_note(s, SIM_LOG_DUPLICATE, found);
    }
}

static bool sort_places(struct log_search *s)
{
    const struct sim_txn_history *h = s->h;
    struct sim_scratch *scratch = &s->cycles.scratch;
    const size_t room = h->operation_count;
    uint64_t *offsets = sim_scratch_alloc(scratch, room, sizeof *offsets);
    uint64_t *slots = sim_scratch_alloc(scratch, room, sizeof *slots);
    uint64_t *entries = sim_scratch_alloc(scratch, room, sizeof *entries);
    uint64_t *spare = sim_scratch_alloc(scratch, room, sizeof *spare);
    const bool fine = offsets && slots && entries && spare;
    size_t count = 0;
    for (uint32_t i = 0; fine && i < h->operation_count; i++) {
        if (tells_offset(s, i)) {
            offsets[count++] = (uint64_t)s->log->offsets[i];
        }
    }
    if (fine) {
        const size_t offset_count = sort_distinct(offsets, spare, count);
        count = 0;
        for (uint32_t i = 0; i < h->operation_count; i++) {
            if (tells_offset(s, i)) {
                slots[count++] = (uint64_t)h->operations[i].key << 32 |
                                 rank_of(offsets, offset_count, (uint64_t)s->log->offsets[i]);
            }
        }
        memcpy(entries, slots, count * sizeof *slots);
        const size_t slot_count = sort_distinct(slots, spare, count);
        size_t at = 0;
        for (uint32_t i = 0; i < h->operation_count; i++) {
            if (tells_offset(s, i)) {
                entries[at] = (uint64_t)rank_of(slots, slot_count, entries[at]) << 32 |
                              h->operations[i].element;
                at++;
            }
        }
        put_places(s, offsets, slots, entries, sort_distinct(entries, spare, count));
    }
    sim_scratch_release(scratch, offsets, room, sizeof *offsets);
    sim_scratch_release(scratch, slots, room, sizeof *slots);
    sim_scratch_release(scratch, entries, room, sizeof *entries);
    sim_scratch_release(scratch, spare, room, sizeof *spare);
    return fine;
}

bool log_find_order(struct log_search *s)
{
    const struct sim_txn_history *h = s->h;
    struct sim_scratch *scratch = &s->cycles.scratch;
    s->messages = sim_scratch_alloc(scratch, h->element_count, sizeof *s->messages);
    s->committed = sim_scratch_alloc(scratch, h->txn_count, sizeof *s->committed);
    s->starts = sim_scratch_alloc(scratch, (size_t)h->key_count + 1, sizeof *s->starts);
    s->standing = sim_scratch_alloc(scratch, h->operation_count, sizeof *s->standing);
    if (!s->messages || !s->committed || !s->starts || !s->standing ||
        !txn_spend(&s->cycles, h->operation_count)) {
        return false;
    }
    mark_messages(s);
    if (!sort_places(s)) {
        return false;
    }
    note_duplicates(s);
    return true;
}
