/* Anomalies that are no cycles: seen in one transaction, or in one and who wrote what it read.
 *
 * Sources: Adya's thesis (1999), section 3.1, for G1a and G1b; Cerone, Bernardi and Gotsman
 * (CONCUR 2015), axiom Int, for internal; Berenson et al. (SIGMOD 1995), P4, for lost updates. */
#include "sim/consistency/txn_internal.h"

void txn_note(struct txn_search *s, uint32_t anomaly, uint32_t a, uint32_t b, uint32_t key,
              uint32_t element)
{
    s->found |= UINT32_C(1) << anomaly;
    if ((s->wanted >> anomaly & 1) && anomaly < s->local.anomaly) {
        s->local = (struct sim_txn_witness){anomaly, {a, b}, key, element, NULL, 0};
    }
}

/* Where in a key's trunk something wrong stands first, or SIM_TXN_NONE. */
struct trunk {
    uint32_t failed, garbage, twice;
    uint32_t txn;        /* Of what follows: the transaction that it is true for. */
    uint32_t read_trunk; /* How much of the trunk it has read so far. */
    bool read_branch;    /* It has also read another order. */
};

struct scan {
    struct txn_search *search;
    const struct sim_txn_history *h;
    struct trunk *trunks;
    uint32_t *trunk_places; /* Of elements: where they stand first in their key's trunk. */
    uint32_t *met;          /* By the number of the read, plus 1: in a list off the trunk. */
};

static bool failed(const struct sim_txn_history *h, uint32_t element)
{
    const uint32_t writer = h->elements[element].writer;
    return writer != SIM_TXN_NONE && h->txns[h->operations[writer].txn].outcome == SIM_TXN_FAILED;
}

static uint32_t writer_txn(const struct sim_txn_history *h, uint32_t element)
{
    const uint32_t writer = h->elements[element].writer;
    return writer == SIM_TXN_NONE ? SIM_TXN_NONE : h->operations[writer].txn;
}

static void scan_trunk(struct scan *scan, uint32_t key)
{
    const struct sim_txn_history *h = scan->h;
    const struct sim_txn_key *k = &h->keys[key];
    struct trunk *t = &scan->trunks[key];
    *t = (struct trunk){SIM_TXN_NONE, SIM_TXN_NONE, SIM_TXN_NONE, SIM_TXN_NONE, 0, false};
    for (uint32_t i = 0; i < k->trunk_count; i++) {
        const uint32_t e = k->trunk[i];
        if (scan->trunk_places[e] != SIM_TXN_NONE) {
            t->twice = t->twice == SIM_TXN_NONE ? i : t->twice;
        } else {
            scan->trunk_places[e] = i;
        }
        if (h->elements[e].writer == SIM_TXN_NONE) {
            t->garbage = t->garbage == SIM_TXN_NONE ? i : t->garbage;
        } else if (failed(h, e)) {
            t->failed = t->failed == SIM_TXN_NONE ? i : t->failed;
        }
    }
}

static void note_element(struct txn_search *s, uint32_t anomaly,
                         const struct sim_txn_operation *read, uint32_t element)
{
    txn_note(s, anomaly, read->txn, writer_txn(s->history, element), read->key, element);
}

/* What stands in a list that was read. */
static void check_list(struct scan *scan, uint32_t place)
{
    const struct sim_txn_history *h = scan->h;
    const struct sim_txn_operation *o = &h->operations[place];
    struct txn_search *s = scan->search;
    if (o->start == SIM_TXN_NONE) {
        const struct trunk *t = &scan->trunks[o->key];
        const uint32_t *list = h->keys[o->key].trunk;
        if (t->twice < o->length) {
            note_element(s, SIM_TXN_DUPLICATE_ELEMENTS, o, list[t->twice]);
        }
        if (t->garbage < o->length) {
            note_element(s, SIM_TXN_GARBAGE_READ, o, list[t->garbage]);
        }
        if (t->failed < o->length) {
            note_element(s, SIM_TXN_G1A, o, list[t->failed]);
        }
        return;
    }
    for (uint32_t i = 0; i < o->length; i++) {
        const uint32_t e = h->items[o->start + i];
        if (scan->met[e] == place + 1) {
            note_element(s, SIM_TXN_DUPLICATE_ELEMENTS, o, e);
        }
        scan->met[e] = place + 1;
        if (h->elements[e].writer == SIM_TXN_NONE) {
            note_element(s, SIM_TXN_GARBAGE_READ, o, e);
        } else if (failed(h, e)) {
            note_element(s, SIM_TXN_G1A, o, e);
        }
    }
    const uint32_t reader = h->keys[o->key].trunk_reader;
    txn_note(s, SIM_TXN_INCOMPATIBLE_ORDER, h->operations[reader].txn, o->txn, o->key,
             SIM_TXN_NONE);
}

/* A read must see what the transaction's earlier operations on the key left: the list it read
 * last, and what it appended since. */
static bool list_agrees_with_own(const struct sim_txn_history *h, const struct sim_txn_operation *o)
{
    uint32_t left = o->length; /* Elements not accounted for yet, from the end. */
    uint32_t p = o->previous;
    for (; p != SIM_TXN_NONE; p = h->operations[p].previous) {
        const struct sim_txn_operation *before = &h->operations[p];
        if (before->action == SIM_TXN_WRITE) {
            if (left == 0 || sim_txn_item(h, o, left - 1) != before->element) {
                return false;
            }
            left--;
        } else if (before->action == SIM_TXN_READ) {
            break;
        }
    }
    if (p == SIM_TXN_NONE) {
        return true;
    }
    const struct sim_txn_operation *before = &h->operations[p];
    if (before->length != left) {
        return false;
    }
    if (before->start == SIM_TXN_NONE && o->start == SIM_TXN_NONE) {
        return true; /* Both begin as the trunk does. */
    }
    for (uint32_t i = 0; i < left; i++) {
        if (sim_txn_item(h, before, i) != sim_txn_item(h, o, i)) {
            return false;
        }
    }
    return true;
}

/* The transaction has read this element of a list off the trunk before. */
static bool in_own_branch(struct txn_search *s, const struct sim_txn_operation *write)
{
    const struct sim_txn_history *h = s->history;
    for (uint32_t p = write->previous; p != SIM_TXN_NONE; p = h->operations[p].previous) {
        const struct sim_txn_operation *o = &h->operations[p];
        const uint32_t length = o->start == SIM_TXN_NONE ? 0 : o->length;
        if (!txn_spend(s, UINT64_C(1) + length)) {
            break;
        }
        for (uint32_t i = 0; i < length; i++) {
            if (h->items[o->start + i] == write->element) {
                return true;
            }
        }
    }
    return false;
}

/* What it appends now it cannot have read before. */
static void check_append(struct scan *scan, uint32_t place)
{
    const struct sim_txn_operation *o = &scan->h->operations[place];
    const struct trunk *t = &scan->trunks[o->key];
    if (t->txn == o->txn && (scan->trunk_places[o->element] < t->read_trunk ||
                             (t->read_branch && in_own_branch(scan->search, o)))) {
        txn_note(scan->search, SIM_TXN_FUTURE_READ, o->txn, SIM_TXN_NONE, o->key, o->element);
    }
}

static void check_list_read(struct scan *scan, uint32_t place)
{
    const struct sim_txn_history *h = scan->h;
    const struct sim_txn_operation *o = &h->operations[place];
    struct trunk *t = &scan->trunks[o->key];
    check_list(scan, place);
    if (!list_agrees_with_own(h, o)) {
        txn_note(scan->search, SIM_TXN_INTERNAL, o->txn, SIM_TXN_NONE, o->key, SIM_TXN_NONE);
    }
    if (t->txn != o->txn) {
        t->txn = o->txn;
        t->read_trunk = 0;
        t->read_branch = false;
    }
    if (o->start == SIM_TXN_NONE) {
        t->read_trunk = o->length > t->read_trunk ? o->length : t->read_trunk;
    } else {
        t->read_branch = true;
    }
}

static void check_register_read(struct scan *scan, uint32_t place)
{
    const struct sim_txn_history *h = scan->h;
    const struct sim_txn_operation *o = &h->operations[place];
    struct txn_search *s = scan->search;
    uint32_t p = o->previous;
    while (p != SIM_TXN_NONE && h->operations[p].action == SIM_TXN_READ_UNKNOWN) {
        p = h->operations[p].previous;
    }
    if (p != SIM_TXN_NONE && h->operations[p].element != o->element) {
        txn_note(s, SIM_TXN_INTERNAL, o->txn, SIM_TXN_NONE, o->key, o->element);
    }
    if (o->element == SIM_TXN_NONE) {
        return;
    }
    const uint32_t writer = h->elements[o->element].writer;
    if (writer == SIM_TXN_NONE) {
        note_element(s, SIM_TXN_GARBAGE_READ, o, o->element);
    } else if (failed(h, o->element)) {
        note_element(s, SIM_TXN_G1A, o, o->element);
    } else if (writer > place && h->operations[writer].txn == o->txn) {
        note_element(s, SIM_TXN_FUTURE_READ, o, o->element);
    }
}

/* What a read saw last must be the last that its writer wrote of the key. */
static void check_intermediate(struct scan *scan, uint32_t place)
{
    const struct sim_txn_history *h = scan->h;
    const struct sim_txn_operation *o = &h->operations[place];
    const uint32_t element = txn_slot(h, o);
    const uint32_t writer = element < h->element_count ? h->elements[element].writer : SIM_TXN_NONE;
    if (writer != SIM_TXN_NONE && !h->operations[writer].last &&
        h->operations[writer].txn != o->txn) {
        note_element(scan->search, SIM_TXN_G1B, o, element);
    }
}

/* Along the order of a key. A committed version on top of a failed one: who is known to have failed
 * or committed last? And versions of one transaction that follow each other must do so in the
 * order in which it wrote them. (If another's is between, that is a cycle.) */
static void check_order(struct txn_search *s, uint32_t key)
{
    const struct sim_txn_history *h = s->history;
    uint32_t dirty = SIM_TXN_NONE, before = SIM_TXN_NONE;
    for (uint32_t i = 0; i < s->orders[key].count; i++) {
        const uint32_t element = s->orders[key].elements[i];
        const uint32_t writer = h->elements[element].writer;
        const uint32_t txn = writer_txn(h, element);
        if (txn != SIM_TXN_NONE && before != SIM_TXN_NONE && before > writer &&
            h->operations[before].txn == txn && txn_possible(h, txn)) {
            txn_note(s, SIM_TXN_REORDERED, txn, SIM_TXN_NONE, key, element);
        }
        before = writer;
        if (txn != SIM_TXN_NONE && h->txns[txn].outcome == SIM_TXN_FAILED) {
            dirty = txn;
        } else if (txn != SIM_TXN_NONE && h->txns[txn].outcome == SIM_TXN_OK) {
            if (dirty != SIM_TXN_NONE) {
                txn_note(s, SIM_TXN_DIRTY_UPDATE, txn, dirty, key, element);
            }
            dirty = SIM_TXN_NONE;
        }
    }
}

static void check_operations(struct scan *scan)
{
    const struct sim_txn_history *h = scan->h;
    for (uint32_t place = 0; place < h->operation_count; place++) {
        const struct sim_txn_operation *o = &h->operations[place];
        if (h->txns[o->txn].outcome != SIM_TXN_OK) {
            continue;
        }
        if (o->action == SIM_TXN_READ) {
            if (txn_is_list(h, o)) {
                check_list_read(scan, place);
            } else {
                check_register_read(scan, place);
            }
            check_intermediate(scan, place);
        } else if (o->action == SIM_TXN_WRITE && txn_is_list(h, o)) {
            check_append(scan, place);
        }
    }
}

bool txn_find_local(struct txn_search *s)
{
    const struct sim_txn_history *h = s->history;
    struct scan scan = {.search = s, .h = h};
    scan.trunks = sim_scratch_alloc(&s->scratch, h->key_count, sizeof *scan.trunks);
    scan.trunk_places = sim_scratch_alloc(&s->scratch, h->element_count, sizeof(uint32_t));
    scan.met = sim_scratch_alloc(&s->scratch, h->element_count, sizeof(uint32_t));
    const bool fine = scan.trunks && scan.trunk_places && scan.met;
    if (fine) {
        for (uint32_t e = 0; e < h->element_count; e++) {
            scan.trunk_places[e] = SIM_TXN_NONE;
        }
        for (uint32_t key = 0; key < h->key_count; key++) {
            scan_trunk(&scan, key);
        }
        check_operations(&scan);
        for (uint32_t key = 0; key < h->key_count; key++) {
            check_order(s, key);
        }
    }
    sim_scratch_release(&s->scratch, scan.trunks, h->key_count, sizeof *scan.trunks);
    sim_scratch_release(&s->scratch, scan.trunk_places, h->element_count, sizeof(uint32_t));
    sim_scratch_release(&s->scratch, scan.met, h->element_count, sizeof(uint32_t));
    return fine && txn_find_lost_updates(s);
}
