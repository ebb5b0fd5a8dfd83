/* Lost updates: two committed transactions that read the same version of a key and both wrote it
 * afterwards. Whichever came second wrote over the other without having seen it (Berenson et al.,
 * SIGMOD 1995, P4). Needs no order of versions, so it is found also where no cycle shows. */
#include "sim/consistency/txn_internal.h"

struct versions {
    const struct sim_txn_history *h;
    uint32_t *slots; /* Open addressing: a read plus 1, or 0. */
    uint32_t mask;
};

static uint64_t version_hash(const struct sim_txn_history *h, const struct sim_txn_operation *o)
{
    uint64_t hash = sim_mix64((uint64_t)o->key << 32 | (o->length ^ o->element));
    for (uint32_t i = 0; o->start != SIM_TXN_NONE && i < o->length; i++) {
        hash = sim_mix64(hash + h->items[o->start + i]);
    }
    return hash;
}

static bool same_version(const struct sim_txn_history *h, const struct sim_txn_operation *a,
                         const struct sim_txn_operation *b)
{
    if (a->key != b->key || a->element != b->element || a->length != b->length ||
        (a->start == SIM_TXN_NONE) != (b->start == SIM_TXN_NONE)) {
        return false; /* A list off the trunk is never like one on it. */
    }
    return a->start == SIM_TXN_NONE ||
           memcmp(h->items + a->start, h->items + b->start, a->length * sizeof *h->items) == 0;
}

/* The read is of a transaction that wrote the key later. If another did the same with the same
 * version, that one's read; else SIM_TXN_NONE, and this one is remembered. */
static uint32_t meet(struct versions *versions, uint32_t read)
{
    const struct sim_txn_history *h = versions->h;
    uint32_t slot = (uint32_t)version_hash(h, &h->operations[read]) & versions->mask;
    while (versions->slots[slot]) {
        const uint32_t other = versions->slots[slot] - 1;
        if (same_version(h, &h->operations[other], &h->operations[read])) {
            return other;
        }
        slot = (slot + 1) & versions->mask;
    }
    versions->slots[slot] = read + 1;
    return SIM_TXN_NONE;
}

/* The operation that a write wrote over: the transaction's first read of the key, if this is the
 * first write of the key after it. */
static uint32_t overwritten(const struct sim_txn_history *h, const struct sim_txn_operation *write)
{
    uint32_t first = SIM_TXN_NONE;
    for (uint32_t p = write->previous; p != SIM_TXN_NONE; p = h->operations[p].previous) {
        const uint32_t action = h->operations[p].action;
        if (action == SIM_TXN_WRITE && first != SIM_TXN_NONE) {
            /* Reads before this write, if any, belong to it. */
            for (; p != SIM_TXN_NONE; p = h->operations[p].previous) {
                if (h->operations[p].action == SIM_TXN_READ) {
                    return SIM_TXN_NONE;
                }
            }
            return first;
        }
        if (action == SIM_TXN_WRITE) {
            return SIM_TXN_NONE;
        }
        first = action == SIM_TXN_READ ? p : first;
    }
    return first;
}

bool txn_find_lost_updates(struct txn_search *s)
{
    const struct sim_txn_history *h = s->history;
    uint32_t slot_count = 64;
    while (slot_count / 2 < h->operation_count) {
        slot_count *= 2;
    }
    struct versions versions = {h, NULL, slot_count - 1};
    versions.slots = sim_scratch_alloc(&s->scratch, slot_count, sizeof *versions.slots);
    const bool fine = versions.slots != NULL;
    for (uint32_t o = 0; fine && o < h->operation_count; o++) {
        const struct sim_txn_operation *write = &h->operations[o];
        if (write->action != SIM_TXN_WRITE || h->txns[write->txn].outcome != SIM_TXN_OK) {
            continue;
        }
        const uint32_t read = overwritten(h, write);
        const uint32_t other = read == SIM_TXN_NONE ? read : meet(&versions, read);
        if (other != SIM_TXN_NONE) {
            txn_note(s, SIM_TXN_LOST_UPDATE, h->operations[other].txn, write->txn, write->key,
                     txn_slot(h, &h->operations[read]));
        }
    }
    sim_scratch_release(&s->scratch, versions.slots, slot_count, sizeof *versions.slots);
    return fine;
}
