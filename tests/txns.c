#include "tests/txns.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { LINES_MAX = 32, VALUES_MAX = 16, KEYS_MAX = 3 };

/* ---- Histories as text ----------------------------------------------------------------------- */

struct line {
    uint64_t process, invoked, returned;
    enum sim_txn_outcome outcome;
    const char *operations;
    uint32_t txn;
};

static struct line line_of(const char *text)
{
    static const char *const outcomes[] = {"open", "ok", "fail", "info"};
    struct line line = {0};
    char outcome[8];
    int used = 0;
    cr_assert_eq(sscanf(text, "%" SCNu64 " %" SCNu64 "-%" SCNu64 " %7s%n", &line.process,
                        &line.invoked, &line.returned, outcome, &used),
                 4, "not a transaction: %s", text);
    while (strcmp(outcomes[line.outcome], outcome) != 0) {
        line.outcome++;
        cr_assert_leq((int)line.outcome, (int)SIM_TXN_INFO, "no outcome %s", outcome);
    }
    line.operations = text + used;
    return line;
}

static void add_operation(struct sim_txn_history *h, enum sim_txn_object object, const char *text)
{
    char *at;
    const uint64_t key = strtoull(text + 1, &at, 10);
    uint64_t values[VALUES_MAX];
    uint32_t count = 0;
    const bool known = *at == ':';
    while (known && (*at == ':' || *at == ',') && at[1] >= '0' && at[1] <= '9') {
        cr_assert_lt(count, VALUES_MAX);
        values[count++] = strtoull(at + 1, &at, 10);
    }
    enum sim_status status;
    if (*text != 'r') {
        status = sim_txn_write(h, key, values[0]);
    } else if (!known) {
        status = sim_txn_read_unknown(h, key);
    } else if (object == SIM_TXN_LIST) {
        status = sim_txn_read_list(h, key, values, count);
    } else {
        status = sim_txn_read(h, key, count ? &values[0] : NULL);
    }
    cr_assert_eq(status, SIM_OK);
}

static void add_operations(struct sim_txn_history *h, enum sim_txn_object object, const char *text)
{
    for (const char *at = text; *at; at += strcspn(at, " ")) {
        at += strspn(at, " ");
        if (*at) {
            add_operation(h, object, at);
        }
    }
}

void txns_read(struct sim_txn_history *h, enum sim_txn_object object, const char *const *texts,
               size_t count)
{
    struct line lines[LINES_MAX];
    cr_assert_leq(count, LINES_MAX);
    sim_txn_history_init(h, object, 1 << 24);
    for (size_t i = 0; i < count; i++) {
        lines[i] = line_of(texts[i]);
    }
    for (uint64_t at = 0; at < 100; at++) {
        for (size_t i = 0; i < count; i++) {
            if (lines[i].invoked == at) {
                cr_assert_eq(sim_txn_invoke(h, lines[i].process, &lines[i].txn), SIM_OK);
            }
            if (lines[i].returned == at && lines[i].outcome != SIM_TXN_OPEN) {
                sim_txn_return(h, lines[i].txn, lines[i].outcome);
                add_operations(h, object, lines[i].operations);
            }
        }
    }
    for (size_t i = 0; i < count; i++) {
        if (lines[i].outcome == SIM_TXN_OPEN) {
            sim_txn_return(h, lines[i].txn, SIM_TXN_OPEN);
            add_operations(h, object, lines[i].operations);
        }
    }
}

const char *txns_text(const struct sim_txn_history *h)
{
    static char text[8000];
    size_t used = 0;
    for (uint32_t t = 0; t < h->txn_count; t++) {
        char words[300];
        sim_txn_words(h, t, words, sizeof words);
        used +=
            (size_t)snprintf(text + used, sizeof text - used,
                             "\n  process %" PRIu64 ", %" PRIu32 " to %" PRIu32 ", %s",
                             h->txns[t].process, h->txns[t].invoked, h->txns[t].returned, words);
        used = used < sizeof text ? used : sizeof text - 1;
    }
    return text;
}

/* ---- Brute force ----------------------------------------------------------------------------- */

struct store {
    uint32_t items[KEYS_MAX][VALUES_MAX]; /* Elements; of a register the last one counts. */
    uint32_t counts[KEYS_MAX];
};

/* Does every read of the transaction see what the store holds? Its writes go into the store. */
static bool play(const struct sim_txn_history *h, uint32_t txn, struct store *store)
{
    const struct sim_txn *t = &h->txns[txn];
    for (uint32_t i = t->first; i < t->first + t->count; i++) {
        const struct sim_txn_operation *o = &h->operations[i];
        const uint32_t count = store->counts[o->key];
        const uint32_t *items = store->items[o->key];
        if (o->action == SIM_TXN_WRITE) {
            store->items[o->key][store->counts[o->key]++] = o->element;
        } else if (o->action == SIM_TXN_READ && h->object == SIM_TXN_REGISTER) {
            if (o->element != (count ? items[count - 1] : SIM_TXN_NONE)) {
                return false;
            }
        } else if (o->action == SIM_TXN_READ) {
            if (o->length != count) {
                return false;
            }
            for (uint32_t j = 0; j < count; j++) {
                if (sim_txn_item(h, o, j) != items[j]) {
                    return false;
                }
            }
        }
    }
    return true;
}

static bool must_precede(const struct sim_txn_history *h, uint32_t a, uint32_t b,
                         enum brute_order order)
{
    const struct sim_txn *first = &h->txns[a], *second = &h->txns[b];
    if (first->outcome != SIM_TXN_OK || first->returned > second->invoked) {
        return false;
    }
    return order == BRUTE_REALTIME ||
           (order == BRUTE_SESSIONS && first->process == second->process &&
            second->outcome == SIM_TXN_OK);
}

/* Have all taken place that must? `done`: a bit for each. */
static bool is_over(const struct sim_txn_history *h, uint32_t done)
{
    for (uint32_t t = 0; t < h->txn_count; t++) {
        if (!(done >> t & 1) && h->txns[t].outcome == SIM_TXN_OK) {
            return false;
        }
    }
    return true;
}

/* Have all that must come before it? */
static bool may_begin(const struct sim_txn_history *h, uint32_t txn, uint32_t done,
                      enum brute_order order)
{
    for (uint32_t before = 0; before < h->txn_count; before++) {
        if (!(done >> before & 1) && must_precede(h, before, txn, order)) {
            return false;
        }
    }
    return true;
}

static bool serialize(const struct sim_txn_history *h, enum brute_order order, uint32_t done,
                      const struct store *store)
{
    if (is_over(h, done)) {
        return true;
    }
    for (uint32_t t = 0; t < h->txn_count; t++) {
        const bool next = !(done >> t & 1) && h->txns[t].outcome != SIM_TXN_FAILED &&
                          may_begin(h, t, done, order);
        struct store after = *store;
        if (next && play(h, t, &after) && serialize(h, order, done | 1U << t, &after)) {
            return true;
        }
    }
    return false;
}

bool brute_serializable(const struct sim_txn_history *h, enum brute_order order)
{
    cr_assert_leq(h->txn_count, BRUTE_TXNS_MAX);
    cr_assert_leq(h->key_count, KEYS_MAX);
    static struct store empty;
    return serialize(h, order, 0, &empty);
}

struct snapshots {
    struct store store;
    struct store seen[BRUTE_TXNS_MAX];    /* When each began. */
    uint32_t overlapping[BRUTE_TXNS_MAX]; /* A bit for each that committed since. */
    uint32_t begun, committed;
};

static uint32_t written_keys(const struct sim_txn_history *h, uint32_t txn)
{
    const struct sim_txn *t = &h->txns[txn];
    uint32_t keys = 0;
    for (uint32_t i = t->first; i < t->first + t->count; i++) {
        keys |= h->operations[i].action == SIM_TXN_WRITE ? 1U << h->operations[i].key : 0;
    }
    return keys;
}

/* Commit on top of the store; false if another got in first or a read was wrong. */
static bool commit(const struct sim_txn_history *h, uint32_t txn, struct snapshots *s)
{
    const uint32_t keys = written_keys(h, txn);
    for (uint32_t other = 0; other < h->txn_count; other++) {
        if ((s->overlapping[txn] >> other & 1) && (written_keys(h, other) & keys)) {
            return false;
        }
        s->overlapping[other] |= 1U << txn;
    }
    if (!play(h, txn, &s->seen[txn])) {
        return false;
    }
    for (uint32_t key = 0; key < h->key_count; key++) {
        if (keys >> key & 1) { /* Nobody else wrote it since the transaction began. */
            memcpy(s->store.items[key], s->seen[txn].items[key], sizeof s->store.items[key]);
            s->store.counts[key] = s->seen[txn].counts[key];
        }
    }
    s->committed |= 1U << txn;
    return true;
}

static bool isolate(const struct sim_txn_history *h, enum brute_order order,
                    const struct snapshots *s)
{
    if (is_over(h, s->committed)) {
        return true;
    }
    for (uint32_t t = 0; t < h->txn_count; t++) {
        struct snapshots after = *s;
        if (h->txns[t].outcome == SIM_TXN_FAILED || (s->committed >> t & 1)) {
            continue;
        }
        if (s->begun >> t & 1) {
            if (commit(h, t, &after) && isolate(h, order, &after)) {
                return true;
            }
            continue;
        }
        after.begun |= 1U << t;
        after.seen[t] = s->store;
        after.overlapping[t] = 0;
        if (may_begin(h, t, s->committed, order) && isolate(h, order, &after)) {
            return true;
        }
    }
    return false;
}

bool brute_snapshot_isolated(const struct sim_txn_history *h, enum brute_order order)
{
    cr_assert_leq(h->txn_count, BRUTE_TXNS_MAX);
    cr_assert_leq(h->key_count, KEYS_MAX);
    static struct snapshots none;
    return isolate(h, order, &none);
}
