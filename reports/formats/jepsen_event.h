/* Jepsen's operation maps in EDN, one after the other or in a vector or list:
 *
 *     {:type :ok, :process 3, :f :read, :value 7, :time 4084, :index 1}
 *
 * Their order is real-time order. This reads the frame of each map and leaves what is in :value to
 * the caller, as a place to read on from. Other members (:index, :error) are passed over. */
#ifndef REPORTS_FORMATS_JEPSEN_EVENT_H
#define REPORTS_FORMATS_JEPSEN_EVENT_H

#include "reports/formats/edn.h"
#include "reports/formats/pairing.h"

struct jepsen_event {
    enum event_type type;
    uint32_t line;
    bool is_client; /* Its :process is a number; else a nemesis, or Jepsen itself, speaks. */
    uint64_t process;
    uint64_t time_ns;      /* Since the start; 0 if there is none. */
    struct edn f;          /* At the token that begins it; EDN_NIL of length 0 if there is none. */
    struct edn value;      /* The same of :value, */
    struct edn key;        /* of :key, which Porcupine's histories have, */
    struct edn rebalances; /* and of :rebalance-log, which consumers of logs have. */
};

struct jepsen_events {
    struct edn edn;
    const char *counted; /* Lines up to here are counted: */
    uint32_t line;
    bool begun, enclosed;
    struct history_problem *problem; /* Set if something is wrong; else its reason is "". */
};

/* Borrows the bytes and `problem`, which is cleared. */
void jepsen_events_begin(struct jepsen_events *events, const char *bytes, size_t size_bytes,
                         struct history_problem *problem);

/* The next map; false at the end, or after a problem. */
SIM_NODISCARD bool jepsen_events_next(struct jepsen_events *events, struct jepsen_event *event);

/* Puts into `problem` that the token which `edn` is at is not what was expected, or the EDN
 * reader's own error; unless there is a problem already. Returns false. */
bool jepsen_unexpected(struct history_problem *problem, const struct edn *edn,
                       const char *expected);

#endif
