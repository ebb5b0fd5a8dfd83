/* What the files of the checker of logs share; nobody else includes it. */
#ifndef SIM_CONSISTENCY_LOG_INTERNAL_H
#define SIM_CONSISTENCY_LOG_INTERNAL_H

#include "sim/consistency/log.h"
#include "sim/consistency/txn_internal.h"

/* What is known of a message: of an element of the history. */
struct log_message {
    uint32_t place;   /* Where it stands, if the places that it was seen at are settled. */
    uint32_t first;   /* The first and the last place that it was seen at; all three may be */
    uint32_t last;    /* SIM_TXN_NONE. */
    uint32_t offsets; /* At how many it was seen. */
    bool polled;      /* By somebody who committed. */
    bool sent;        /* The same. */
};

/* The first case of an error, to be told in words. */
struct log_case {
    uint32_t txns[2];     /* The second may be SIM_TXN_NONE. */
    uint32_t elements[2]; /* Either may be SIM_TXN_NONE. */
    uint32_t key;
    int64_t number; /* An offset, or how many places were skipped. */
};

struct log_search {
    const struct sim_log *log;
    const struct sim_txn_history *h;
    const struct sim_log_options *options;
    struct txn_search cycles; /* Also the memory and the steps of all. */
    struct log_message *messages;
    bool *committed;    /* Of each transaction: it took effect for certain. */
    uint32_t *starts;   /* standing[starts[k] ..] are the messages of key k by place; */
    uint32_t *standing; /* where several were seen, one of them. */
    uint32_t standing_count;
    uint64_t counts[SIM_LOG_ERROR_COUNT];
    struct log_case cases[SIM_LOG_ERROR_COUNT];
};

/* One more error; the first is kept. */
static inline void log_note(struct log_search *s, enum sim_log_error error, struct log_case found)
{
    if (s->counts[error]++ == 0) {
        s->cases[error] = found;
    }
}

/* How many places the message `to` is after `from`; 1 if either's is not known. */
static inline int64_t log_distance(const struct log_search *s, uint32_t from, uint32_t to)
{
    const uint32_t a = s->messages[from].place, b = s->messages[to].place;
    return a == SIM_TXN_NONE || b == SIM_TXN_NONE ? 1 : (int64_t)b - (int64_t)a;
}

static inline bool log_is_send(const struct sim_txn_operation *o)
{
    return o->action == SIM_TXN_WRITE;
}

static inline bool log_is_poll(const struct sim_txn_operation *o)
{
    return o->action == SIM_TXN_READ;
}

/* Who sent a message, or SIM_TXN_NONE. */
static inline uint32_t log_sender(const struct log_search *s, uint32_t element)
{
    const uint32_t writer = s->h->elements[element].writer;
    return writer == SIM_TXN_NONE ? SIM_TXN_NONE : s->h->operations[writer].txn;
}

/* Each answers false without memory, or budget. */
bool log_find_order(struct log_search *search);     /* messages, committed, standing */
bool log_find_within(struct log_search *search);    /* Errors within one transaction. */
bool log_find_processes(struct log_search *search); /* Between those of one process. */
bool log_find_lost(struct log_search *search);      /* Lost and unseen messages. */
bool log_find_cycles(struct log_search *search);

/* The first case of an error. */
void log_case_words(const struct log_search *search, enum sim_log_error error, char *text,
                    size_t size_bytes);

#endif
