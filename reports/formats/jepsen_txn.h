/* Jepsen's histories of transactions, as Elle reads them: operation maps in EDN, one after the
 * other or in a vector,
 *
 *     {:type :ok, :process 3, :f :txn, :value [[:append 5 1] [:r 6 [1 2]]]}
 *
 * with micro-operations [:append key value] and [:r key list] on lists, or [:w key value] and
 * [:r key value] on registers. Line order is real-time order. Keys and values are integers or
 * names (keywords, strings, symbols). Maps whose :process is no number (a nemesis) are passed
 * over; so are keys of the map other than :type, :process, :f and :value. */
#ifndef REPORTS_FORMATS_JEPSEN_TXN_H
#define REPORTS_FORMATS_JEPSEN_TXN_H

#include "reports/formats/histories.h"
#include "reports/formats/jepsen_names.h"
#include "sim/consistency/txn.h"

/* What a Jepsen history is about, as its first client operations show. */
enum jepsen_kind {
    JEPSEN_EMPTY,  /* No client operation. */
    JEPSEN_OBJECT, /* :f :read, :write, ...: one object. */
    JEPSEN_TXN,    /* :f :txn, of :append, :w and :r. */
    JEPSEN_LOG,    /* :f :send, :poll, :assign, ..., or :txn of :send and :poll. */
};
enum jepsen_kind jepsen_recognise(const char *bytes, size_t size_bytes);

struct jepsen_lines {
    uint32_t invoke, ret; /* From 1; `ret` is 0 for a transaction that never returned. */
};

struct jepsen_txns {
    struct sim_txn_history history;
    struct jepsen_lines *lines; /* Of each transaction. */
    size_t line_capacity;
    struct jepsen_names names;
};

/* Reads a text, which must outlive `txns`, which must stay where it is; the history and everything
 * beside it hold at most `memory_bytes`. Errors: SIM_EINVAL, and SIM_ENOMEM for a history that does
 * not fit, with *problem saying where. Release in every case. */
SIM_NODISCARD enum sim_status jepsen_txns_read(struct jepsen_txns *txns, const char *bytes,
                                               size_t size_bytes, size_t memory_bytes,
                                               struct history_problem *problem);
void jepsen_txns_release(struct jepsen_txns *txns);

#endif
