/* What a Jepsen history is about. */
#include "reports/formats/jepsen_event.h"
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

enum jepsen_kind jepsen_recognise(const char *bytes, size_t size_bytes)
{
    struct jepsen_events events;
    struct jepsen_event event;
    struct history_problem problem;
    bool txn = false; /* There is one, without anything in it. */
    jepsen_events_begin(&events, bytes, size_bytes, &problem);
    while (jepsen_events_next(&events, &event)) {
        const enum jepsen_kind f = event.is_client ? kind_of_f(&event.f) : JEPSEN_EMPTY;
        const enum jepsen_kind kind = f == JEPSEN_TXN ? kind_of_value(event.value) : f;
        if (kind != JEPSEN_EMPTY) {
            return kind;
        }
        txn = txn || f == JEPSEN_TXN;
    }
    return txn ? JEPSEN_TXN : JEPSEN_EMPTY;
}
