/* What the readers of Jepsen's transactions share: events become transactions, by process, and the
 * caller takes in what each did. jepsen_txn.c reads lists and registers with this, jepsen_log.c
 * logs. */
#ifndef REPORTS_FORMATS_JEPSEN_READER_H
#define REPORTS_FORMATS_JEPSEN_READER_H

#include "reports/formats/jepsen_event.h"
#include "reports/formats/jepsen_txn.h"

struct jepsen_slot; /* A process, and what it has open. */

struct jepsen_reader {
    struct jepsen_txns *txns;
    struct history_problem *problem;
    bool no_memory;
    uint32_t line; /* Of the event being taken in. */
    /* What the transaction returned last did; its outcome is in the history. event->f and
     * event->value are of its completion, or of its invocation if there is none or it says
     * nothing; event->value is to be read. False after a problem. */
    bool (*take)(struct jepsen_reader *reader, uint32_t txn, struct jepsen_event *event);
    /* Refuses a client's event whose :f is not of this kind of history; NULL: none. */
    bool (*accept)(struct jepsen_reader *reader, const struct jepsen_event *event);
    void *context;
    struct jepsen_slot *slots; /* Open addressing, by process. */
    size_t slot_count, used_count;
};

/* Reads all of a text. The caller has set txns, take, accept and context, and initialised the
 * history. Errors: as jepsen_txns_read(). */
SIM_NODISCARD enum sim_status jepsen_reader_run(struct jepsen_reader *reader, const char *bytes,
                                                size_t size_bytes, struct history_problem *problem);

/* For jepsen_txns_read() and its like: no transaction yet, names of this text. */
void jepsen_txns_begin(struct jepsen_txns *txns, enum sim_txn_object object, const char *bytes,
                       size_t memory_bytes);

/* For accept(): why not, in words; always false. */
bool jepsen_refuse(struct jepsen_reader *reader, const struct jepsen_event *event,
                   const char *reason);
/* For take(): the history fills its memory; always false. */
bool jepsen_no_memory(struct jepsen_reader *reader);
/* The number of the key or value that the token is; false after a problem. */
bool jepsen_atom(struct jepsen_reader *reader, const struct edn *edn, uint64_t *number);

static inline bool jepsen_is_sequence(const struct edn *edn)
{
    return edn->token == EDN_VECTOR || edn->token == EDN_LIST;
}

#endif
