#include "reports/formats/jepsen_txn.h"

#include <stdlib.h>

#include "reports/formats/jepsen_reader.h"

/* Beside what every reader has. */
struct lists {
    bool object_known;
    int64_t *items; /* Of the list being read. */
    size_t capacity;
};

/* All micro-operations must be of one kind of object. */
static bool object_is(struct jepsen_reader *r, const struct edn *edn, enum sim_txn_object object)
{
    struct lists *lists = r->context;
    struct sim_txn_history *h = &r->txns->history;
    if (!lists->object_known) {
        lists->object_known = true;
        sim_txn_history_is_of(h, object);
    }
    return h->object == (uint32_t)object ||
           jepsen_unexpected(r->problem, edn,
                             h->object == SIM_TXN_LIST
                                 ? "a list's [:append key value] or [:r key [..]], as before"
                                 : "a register's [:w key value] or [:r key value], as before");
}

static bool read_list(struct jepsen_reader *r, struct edn *edn, uint64_t key)
{
    struct lists *lists = r->context;
    struct sim_txn_history *h = &r->txns->history;
    size_t count = 0;
    for (;;) {
        if (SIM_UNLIKELY(count == lists->capacity) &&
            !sim_scratch_grow(&h->scratch, &lists->items, &lists->capacity, count + 1,
                              sizeof *lists->items)) {
            return jepsen_no_memory(r);
        }
        count += edn_integers(edn, lists->items + count, lists->capacity - count);
        if (count == lists->capacity) {
            continue;
        }
        uint64_t number;
        if (edn_next(edn) <= EDN_CLOSE) {
            break;
        }
        if (!jepsen_atom(r, edn, &number)) {
            return false;
        }
        lists->items[count++] = (int64_t)number;
    }
    if (edn->token != EDN_CLOSE) {
        return jepsen_unexpected(r->problem, edn, "the list's end");
    }
    return sim_txn_read_list(h, key, (const uint64_t *)lists->items, (uint32_t)count) == SIM_OK ||
           jepsen_no_memory(r);
}

/* What a read saw, if its transaction says so: nil, a value of a register, or a list. */
static bool read_seen(struct jepsen_reader *r, struct edn *edn, uint64_t key, bool known)
{
    struct sim_txn_history *h = &r->txns->history;
    enum sim_status status;
    if (jepsen_is_sequence(edn)) {
        if (!object_is(r, edn, SIM_TXN_LIST)) {
            return false;
        }
        if (known) {
            return read_list(r, edn, key);
        }
        if (!edn_skip(edn)) {
            return jepsen_unexpected(r->problem, edn, "a list");
        }
        status = sim_txn_read_unknown(h, key);
    } else if (edn->token == EDN_NIL || !known) {
        status = known ? sim_txn_read(h, key, NULL) : sim_txn_read_unknown(h, key);
    } else {
        uint64_t value;
        if (!object_is(r, edn, SIM_TXN_REGISTER) || !jepsen_atom(r, edn, &value)) {
            return false;
        }
        status = sim_txn_read(h, key, &value);
    }
    return status == SIM_OK || jepsen_no_memory(r);
}

/* The next token is a value that was written. */
static bool read_value(struct jepsen_reader *r, struct edn *edn, uint64_t *value)
{
    int64_t integer;
    if (edn_integers(edn, &integer, 1) == 1) {
        *value = (uint64_t)integer;
        return true;
    }
    (void)edn_next(edn);
    return jepsen_atom(r, edn, value);
}

/* After the micro-operation's opening bracket. */
static bool read_micro(struct jepsen_reader *r, struct edn *edn, bool known)
{
    uint64_t key = 0, value;
    int64_t integer;
    const bool plain = edn_keyword_integer(edn, &integer);
    if (!plain) {
        (void)edn_next(edn);
    }
    const bool append = edn_keyword_is(edn, "append"), write = edn_keyword_is(edn, "w");
    if (!append && !write && !edn_keyword_is(edn, "r")) {
        return jepsen_unexpected(r->problem, edn, "a micro-operation, :append, :w or :r");
    }
    if ((append || write) && !object_is(r, edn, append ? SIM_TXN_LIST : SIM_TXN_REGISTER)) {
        return false;
    }
    if (plain) {
        key = (uint64_t)integer;
    } else {
        (void)edn_next(edn);
        if (!jepsen_atom(r, edn, &key)) {
            return false;
        }
    }
    if (append || write) {
        if (!read_value(r, edn, &value)) {
            return false;
        }
        if (sim_txn_write(&r->txns->history, key, value) != SIM_OK) {
            return jepsen_no_memory(r);
        }
    } else if (edn_next(edn) <= EDN_CLOSE) {
        return jepsen_unexpected(r->problem, edn, "what was read, or nil");
    } else if (!read_seen(r, edn, key, known)) {
        return false;
    }
    return edn_next(edn) == EDN_CLOSE ||
           jepsen_unexpected(r->problem, edn, "the micro-operation's closing bracket");
}

static bool take_txn(struct jepsen_reader *r, uint32_t txn, struct jepsen_event *event)
{
    struct edn *edn = &event->value;
    const bool known = r->txns->history.txns[txn].outcome == SIM_TXN_OK;
    if (edn->length == 0) {
        return jepsen_refuse(r, event, "this operation has no :value");
    }
    if (!jepsen_is_sequence(edn)) {
        return jepsen_unexpected(r->problem, edn, "a vector of micro-operations");
    }
    while (edn_next(edn) > EDN_CLOSE) {
        if (!jepsen_is_sequence(edn)) {
            return jepsen_unexpected(r->problem, edn, "a micro-operation like [:r 1 nil]");
        }
        if (!read_micro(r, edn, known)) {
            return false;
        }
    }
    return edn->token == EDN_CLOSE ||
           jepsen_unexpected(r->problem, edn, "the transaction's closing bracket");
}

static bool accept_txn(struct jepsen_reader *r, const struct jepsen_event *event)
{
    return edn_keyword_is(&event->f, "txn") ||
           jepsen_refuse(r, event, "expected an operation with :f :txn, and it has another :f");
}

static void show_number(const void *context, uint64_t number, char *text, size_t size_bytes)
{
    const struct jepsen_txns *t = context;
    jepsen_name_show(&t->names, number, text, size_bytes);
}

void jepsen_txns_begin(struct jepsen_txns *txns, enum sim_txn_object object, const char *bytes,
                       size_t memory_bytes)
{
    memset(txns, 0, sizeof *txns);
    sim_txn_history_init(&txns->history, object, memory_bytes);
    txns->names.bytes = bytes;
    txns->history.show = show_number;
    txns->history.show_context = txns;
}

enum sim_status jepsen_txns_read(struct jepsen_txns *txns, const char *bytes, size_t size_bytes,
                                 size_t memory_bytes, struct history_problem *problem)
{
    struct lists lists = {0};
    struct jepsen_reader reader = {
        .txns = txns, .take = take_txn, .accept = accept_txn, .context = &lists};
    jepsen_txns_begin(txns, SIM_TXN_LIST, bytes, memory_bytes);
    const enum sim_status status = jepsen_reader_run(&reader, bytes, size_bytes, problem);
    sim_scratch_release(&txns->history.scratch, lists.items, lists.capacity, sizeof *lists.items);
    return status;
}

void jepsen_txns_release(struct jepsen_txns *txns)
{
    sim_txn_history_release(&txns->history);
    free(txns->lines);
    jepsen_names_release(&txns->names);
    memset(txns, 0, sizeof *txns);
}
