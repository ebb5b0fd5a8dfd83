/* Logs: does what producers sent and consumers polled fit one append-only log for each key?
 *
 * A key is a partition of a topic: messages sent to it get offsets, in one order, perhaps with
 * gaps; consumers poll them in that order, and nothing is lost, doubled or changed. The errors are
 * those of Jepsen's tests of Kafka and Redpanda (jepsen.tests.kafka), by the same names and
 * conditions. Values are unique for each key: sent at most once.
 *
 * A history is one of transactions (txn.h) over SIM_TXN_LOG: a send writes, each polled message is
 * a read, and beside each stands its offset. Offsets without gaps are called places: messages at
 * places 4 and 6 have one between them that somebody saw. */
#ifndef SIM_CONSISTENCY_LOG_H
#define SIM_CONSISTENCY_LOG_H

#include "sim/consistency/txn.h"

enum sim_log_error {
    /* These say that the log is broken: */
    SIM_LOG_INCONSISTENT_OFFSETS, /* Different messages at the same offset; counts offsets. */
    SIM_LOG_DUPLICATE,            /* The same message at several offsets; counts messages. */
    SIM_LOG_LOST_WRITE,           /* Sent, never polled, though messages after it were. */
    SIM_LOG_GARBAGE_READ,         /* Polled, though nobody sent it. */
    SIM_LOG_G1A,                  /* A committed poll of a message whose send failed. */
    SIM_LOG_PRECOMMITTED_READ,    /* Polled by the transaction that sent it; counts transactions. */
    SIM_LOG_INT_NONMONOTONIC_SEND, /* Within a transaction: a message before the one sent before. */
    SIM_LOG_NONMONOTONIC_SEND,     /* Of a process: the same between two transactions. */
    SIM_LOG_INT_NONMONOTONIC_POLL, /* Within a transaction: polled backwards, or twice, */
    SIM_LOG_INT_POLL_SKIP,         /* or past a message. */
    SIM_LOG_NONMONOTONIC_POLL,     /* Of a process: the same between two transactions. */
    SIM_LOG_POLL_SKIP,
    SIM_LOG_UNSEEN, /* Sent and acknowledged, never polled. */
    SIM_LOG_G1C,    /* Cycles of polls of sends (and sends after sends): counts components. */
    SIM_LOG_G1C_REALTIME,
    SIM_LOG_PL_2,        /* Read committed has such a cycle, and read uncommitted none; */
    SIM_LOG_STRONG_PL_2, /* so with real time. */
    /* And these not: a log need not keep transactions apart. */
    SIM_LOG_INT_SEND_SKIP, /* Within a transaction: other messages between two sends. */
    SIM_LOG_G0,            /* Cycles of sends after sends. */
    SIM_LOG_G0_REALTIME,
    SIM_LOG_PL_1,
    SIM_LOG_STRONG_PL_1,
    SIM_LOG_ERROR_COUNT
};
/* Jepsen's names: "lost-write", "PL-2-cycle-exists". */
extern const char *const sim_log_error_names[SIM_LOG_ERROR_COUNT];

enum sim_log_kind {
    SIM_LOG_DATA,   /* Sends and polls. */
    SIM_LOG_ASSIGN, /* The process polls and sends these keys from here on; of those that it had */
    SIM_LOG_SUBSCRIBE, /* before it goes on where it was. Subscribed, it may be moved anywhere. */
    SIM_LOG_OTHER,     /* A crash, or anything that touches no log. */
};

#define SIM_LOG_NO_OFFSET INT64_C(-1)

struct sim_log {
    struct sim_txn_history *history; /* Borrowed. */
    int64_t *offsets;                /* Of each of its operations; SIM_LOG_NO_OFFSET. */
    uint8_t *kinds;                  /* enum sim_log_kind, of each of its transactions. */
    size_t offset_capacity, kind_capacity;
    bool subscribed; /* Some process is. */
};

/* Of an initialised history that is empty; what is allocated counts as its memory. */
void sim_log_init(struct sim_log *log, struct sim_txn_history *history);
void sim_log_release(struct sim_log *log);

/* All of these answer SIM_ENOMEM when the memory allowed is used up. First, what the transaction
 * returned last is (after that sim_txn_return() must not be asked about it), */
SIM_NODISCARD enum sim_status sim_log_begin(struct sim_log *log, uint32_t txn,
                                            enum sim_log_kind kind);
/* then what it did: send a message, to an offset that may not be known, */
SIM_NODISCARD enum sim_status sim_log_send(struct sim_log *log, uint64_t key, uint64_t value,
                                           int64_t offset);
/* poll one, */
SIM_NODISCARD enum sim_status sim_log_poll(struct sim_log *log, uint64_t key, uint64_t value,
                                           int64_t offset);
/* name a key: of those that it is assigned to, or that moved to another consumer meanwhile. */
SIM_NODISCARD enum sim_status sim_log_name(struct sim_log *log, uint64_t key);

struct sim_log_options {
    /* Also follow sends by the order of their offsets. Transactions that send to several keys are
     * not kept apart by a log, so then only errors other than cycles count against it. */
    bool ww_deps;
};

struct sim_log_result {
    struct sim_consistency_result result; /* Release this. Its anomalies are all errors found. */
    uint64_t counts[SIM_LOG_ERROR_COUNT];
};

/* The error counts against the log. */
bool sim_log_forbids(const struct sim_log *log, const struct sim_log_options *options,
                     enum sim_log_error error);

/* Judge a finished history. Steps: operations looked at and edges walked. The witness are numbers
 * of transactions. */
void sim_log_check(const struct sim_log *log, const struct sim_log_options *options,
                   const struct sim_budget *budget, struct sim_log_result *result);

/* "T3: send 0 5 at 2, poll 0 4 at 1"; cuts what does not fit. */
void sim_log_words(const struct sim_log *log, uint32_t txn, char *text, size_t size_bytes);

#endif
