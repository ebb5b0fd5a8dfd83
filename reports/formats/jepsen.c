/* What a Jepsen history is about. */
#include "reports/formats/edn.h"
#include "reports/formats/jepsen_txn.h"

/* A transaction says by its first micro-operation; the token is what :value stands before. */
static enum jepsen_kind kind_of_value(struct edn edn)
{
    if (edn.token != EDN_VECTOR && edn.token != EDN_LIST) {
        return JEPSEN_EMPTY;
    }
    if (edn_next(&edn) != EDN_VECTOR && edn.token != EDN_LIST) {
        return JEPSEN_EMPTY;
    }
    (void)edn_next(&edn);
    return edn_keyword_is(&edn, "send") || edn_keyword_is(&edn, "poll") ? JEPSEN_LOG : JEPSEN_TXN;
}

static enum jepsen_kind kind_of_f(const struct edn *edn)
{
    static const char *const logs[] = {"send", "poll", "assign", "subscribe", "crash"};
    for (size_t i = 0; i < sizeof logs / sizeof logs[0]; i++) {
        if (edn_keyword_is(edn, logs[i])) {
            return JEPSEN_LOG;
        }
    }
    return edn_keyword_is(edn, "txn") ? JEPSEN_TXN : JEPSEN_OBJECT;
}

/* Of the map that the reader is at the brace of; leaves the reader after it. */
static enum jepsen_kind kind_of_event(struct edn *edn)
{
    bool client = false;
    enum jepsen_kind f = JEPSEN_EMPTY, value = JEPSEN_EMPTY;
    while (edn_next(edn) > EDN_CLOSE) {
        const bool is_process = edn_keyword_is(edn, "process"), is_f = edn_keyword_is(edn, "f");
        const bool is_value = edn_keyword_is(edn, "value");
        if (!edn_skip(edn) || edn_next(edn) <= EDN_CLOSE) {
            return JEPSEN_EMPTY;
        }
        if (is_process) {
            client = edn->token == EDN_INT;
        } else if (is_f) {
            f = kind_of_f(edn);
        } else if (is_value) {
            value = kind_of_value(*edn);
        }
        if (!edn_skip(edn)) {
            return JEPSEN_EMPTY;
        }
    }
    return !client ? JEPSEN_EMPTY : f == JEPSEN_TXN ? value : f;
}

enum jepsen_kind jepsen_recognise(const char *bytes, size_t size_bytes)
{
    struct edn edn;
    bool any_txn = false;
    edn_begin(&edn, bytes, size_bytes);
    if (edn_next(&edn) == EDN_VECTOR || edn.token == EDN_LIST) {
        (void)edn_next(&edn);
    }
    for (; edn.token == EDN_MAP; (void)edn_next(&edn)) {
        const enum jepsen_kind kind = kind_of_event(&edn);
        if (kind != JEPSEN_EMPTY) {
            return kind;
        }
        any_txn = true;
    }
    return any_txn ? JEPSEN_TXN : JEPSEN_EMPTY;
}
