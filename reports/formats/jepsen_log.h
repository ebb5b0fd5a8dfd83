/* Jepsen's histories of logs, as its tests of Kafka write them: operation maps in EDN with
 *
 *     :f :send, :poll or :txn   :value [[:send key [offset value]] [:poll {key [[offset value]
 * ..]}]] :f :assign or :subscribe  :value [key ..]
 *
 * A send may be [:send key value] or have nil for an offset that is not known; a poll that tells
 * nothing is [:poll]. A member :rebalance-log [{:keys [key ..]} ..] names the keys that moved to
 * another consumer meanwhile. Other operations (:crash) touch no log. Otherwise as jepsen_txn.h
 * says of processes, names and order. */
#ifndef REPORTS_FORMATS_JEPSEN_LOG_H
#define REPORTS_FORMATS_JEPSEN_LOG_H

#include "reports/formats/jepsen_txn.h"
#include "sim/consistency/log.h"

/* Reads a text, which must outlive `txns`; both must stay where they are. Errors: as
 * jepsen_txns_read(). Release both in every case, `log` first. */
SIM_NODISCARD enum sim_status jepsen_log_read(struct jepsen_txns *txns, struct sim_log *log,
                                              const char *bytes, size_t size_bytes,
                                              size_t memory_bytes, struct history_problem *problem);

#endif
