#include "reports/formats/jepsen_log.h"

#include "reports/formats/jepsen_reader.h"

static bool expect_close(struct jepsen_reader *r, struct edn *edn, const char *expected)
{
    return edn_next(edn) == EDN_CLOSE || jepsen_unexpected(r->problem, edn, expected);
}

/* An offset, which may be nil. */
static bool read_offset(struct jepsen_reader *r, const struct edn *edn, int64_t *offset)
{
    *offset = edn->token == EDN_INT && edn->integer >= 0 ? edn->integer : SIM_LOG_NO_OFFSET;
    return edn->token == EDN_INT || edn->token == EDN_NIL ||
           jepsen_unexpected(r->problem, edn, "an offset, an integer or nil");
}

/* [offset value], after its opening bracket. */
static bool read_pair(struct jepsen_reader *r, struct edn *edn, int64_t *offset, uint64_t *value)
{
    (void)edn_next(edn);
    if (!read_offset(r, edn, offset)) {
        return false;
    }
    (void)edn_next(edn);
    return jepsen_atom(r, edn, value) && expect_close(r, edn, "the end of [offset value]");
}

/* key value] or key [offset value]] */
static bool read_send(struct jepsen_reader *r, struct edn *edn)
{
    uint64_t key, value;
    int64_t offset = SIM_LOG_NO_OFFSET;
    (void)edn_next(edn);
    if (!jepsen_atom(r, edn, &key)) {
        return false;
    }
    (void)edn_next(edn);
    if (jepsen_is_sequence(edn) ? !read_pair(r, edn, &offset, &value)
                                : !jepsen_atom(r, edn, &value)) {
        return false;
    }
    return (sim_log_send(r->context, key, value, offset) == SIM_OK || jepsen_no_memory(r)) &&
           expect_close(r, edn, "the end of [:send key [offset value]]");
}

/* The messages of a key: [[offset value] ..], after the opening bracket. */
static bool read_messages(struct jepsen_reader *r, struct edn *edn, uint64_t key)
{
    while (edn_next(edn) > EDN_CLOSE) {
        uint64_t value;
        int64_t offset;
        if (!jepsen_is_sequence(edn)) {
            return jepsen_unexpected(r->problem, edn, "a message, [offset value]");
        }
        if (!read_pair(r, edn, &offset, &value)) {
            return false;
        }
        if (sim_log_poll(r->context, key, value, offset) != SIM_OK) {
            return jepsen_no_memory(r);
        }
    }
    return edn->token == EDN_CLOSE || jepsen_unexpected(r->problem, edn, "the messages' end");
}

/* ] or {key messages ..}] */
static bool read_poll(struct jepsen_reader *r, struct edn *edn)
{
    if (edn_next(edn) == EDN_CLOSE) {
        return true;
    }
    if (edn->token != EDN_MAP && edn->token != EDN_NIL) {
        return jepsen_unexpected(r->problem, edn, "a map from keys to messages");
    }
    while (edn->token != EDN_NIL && edn_next(edn) > EDN_CLOSE) {
        uint64_t key;
        if (!jepsen_atom(r, edn, &key)) {
            return false;
        }
        (void)edn_next(edn);
        if (!jepsen_is_sequence(edn)) {
            return jepsen_unexpected(r->problem, edn, "a vector of messages");
        }
        if (!read_messages(r, edn, key)) {
            return false;
        }
    }
    if (edn->token == EDN_ERROR) {
        return jepsen_unexpected(r->problem, edn, "the polled map's end");
    }
    return expect_close(r, edn, "the end of [:poll {key messages}]");
}

static bool read_micros(struct jepsen_reader *r, struct edn *edn)
{
    if (!jepsen_is_sequence(edn)) {
        return jepsen_unexpected(r->problem, edn, "a vector of micro-operations");
    }
    while (edn_next(edn) > EDN_CLOSE) {
        if (!jepsen_is_sequence(edn)) {
            return jepsen_unexpected(r->problem, edn, "a micro-operation like [:poll]");
        }
        (void)edn_next(edn);
        const bool send = edn_keyword_is(edn, "send");
        if (!send && !edn_keyword_is(edn, "poll")) {
            return jepsen_unexpected(r->problem, edn, "a micro-operation, :send or :poll");
        }
        if (send ? !read_send(r, edn) : !read_poll(r, edn)) {
            return false;
        }
    }
    return edn->token == EDN_CLOSE ||
           jepsen_unexpected(r->problem, edn, "the operation's closing bracket");
}

/* [key ..]; the reader is at the bracket. */
static bool read_keys(struct jepsen_reader *r, struct edn *edn)
{
    if (!jepsen_is_sequence(edn) && edn->token != EDN_SET) {
        return jepsen_unexpected(r->problem, edn, "a vector of keys");
    }
    while (edn_next(edn) > EDN_CLOSE) {
        uint64_t key;
        if (!jepsen_atom(r, edn, &key)) {
            return false;
        }
        if (sim_log_name(r->context, key) != SIM_OK) {
            return jepsen_no_memory(r);
        }
    }
    return edn->token == EDN_CLOSE || jepsen_unexpected(r->problem, edn, "the keys' end");
}

/* [{:keys [key ..]} ..] */
static bool read_rebalances(struct jepsen_reader *r, struct edn *edn)
{
    if (edn->token == EDN_NIL) {
        return true;
    }
    if (!jepsen_is_sequence(edn)) {
        return jepsen_unexpected(r->problem, edn, "a vector of rebalances");
    }
    while (edn_next(edn) > EDN_CLOSE) {
        if (edn->token != EDN_MAP) {
            return jepsen_unexpected(r->problem, edn, "a rebalance, a map with :keys");
        }
        while (edn_next(edn) > EDN_CLOSE) {
            const bool keys = edn_keyword_is(edn, "keys");
            if (!edn_skip(edn) || edn_next(edn) <= EDN_CLOSE) {
                return jepsen_unexpected(r->problem, edn, "a key of the map and its value");
            }
            if (keys && edn->token != EDN_NIL ? !read_keys(r, edn) : !edn_skip(edn)) {
                return jepsen_unexpected(r->problem, edn, "a value");
            }
        }
        if (edn->token != EDN_CLOSE) {
            return jepsen_unexpected(r->problem, edn, "the rebalance's end");
        }
    }
    return edn->token == EDN_CLOSE || jepsen_unexpected(r->problem, edn, "the rebalances' end");
}

static enum sim_log_kind kind_of(const struct edn *f)
{
    static const char *const data[] = {"txn", "send", "poll"};
    for (size_t i = 0; i < sizeof data / sizeof data[0]; i++) {
        if (edn_keyword_is(f, data[i])) {
            return SIM_LOG_DATA;
        }
    }
    return edn_keyword_is(f, "assign")      ? SIM_LOG_ASSIGN
           : edn_keyword_is(f, "subscribe") ? SIM_LOG_SUBSCRIBE
                                            : SIM_LOG_OTHER;
}

static bool take(struct jepsen_reader *r, uint32_t txn, struct jepsen_event *event)
{
    const enum sim_log_kind kind = kind_of(&event->f);
    struct edn *edn = &event->value;
    if (sim_log_begin(r->context, txn, kind) != SIM_OK) {
        return jepsen_no_memory(r);
    }
    if (kind == SIM_LOG_OTHER) {
        return true;
    }
    if (edn->length == 0) {
        return jepsen_refuse(r, event, "this operation has no :value");
    }
    if (kind == SIM_LOG_DATA) {
        return read_micros(r, edn) && read_rebalances(r, &event->rebalances);
    }
    return edn->token == EDN_NIL || read_keys(r, edn);
}

enum sim_status jepsen_log_read(struct jepsen_txns *txns, struct sim_log *log, const char *bytes,
                                size_t size_bytes, size_t memory_bytes,
                                struct history_problem *problem)
{
    struct jepsen_reader reader = {.txns = txns, .take = take, .context = log};
    jepsen_txns_begin(txns, SIM_TXN_LOG, bytes, memory_bytes);
    sim_log_init(log, &txns->history);
    return jepsen_reader_run(&reader, bytes, size_bytes, problem);
}
