/* What clients saw: one row for each operation, in the order of invocation. This is what
 * consistency checkers judge and what the recording keeps. */
#ifndef SIM_HISTORY_H
#define SIM_HISTORY_H

#include "sim/node.h"

/* How an operation ended for its client; Jepsen's ok, fail and info. */
enum sim_outcome {
    SIM_OUTCOME_OPEN, /* Not ended yet. */
    SIM_OUTCOME_OK,
    SIM_OUTCOME_FAIL, /* Definitely did not take place. */
    SIM_OUTCOME_INFO, /* The client gave up: it may or may not take place, also later. */
    SIM_OUTCOME_COUNT
};

struct sim_history_row {
    struct sim_operation operation;
    uint64_t invoke_ns;    /* For an open loop when it was due, not when a session was free. */
    uint64_t return_ns;    /* SIM_NEVER while open or given up. */
    uint64_t invoke_event; /* Sequence numbers of the records, which order all that happened; */
    uint64_t return_event; /* 0 while open or given up. */
    uint64_t result;       /* READ: the value read, 0 if absent. READ_LIST: how many elements. */
    const uint64_t *words; /* READ_LIST, TXN that ended ok: the answer; in the arena. */
    uint32_t word_count;
    uint32_t server; /* Node that answered; SIM_NOBODY if none. */
    uint32_t attempts;
    uint32_t outcome; /* enum sim_outcome */
};

/* What part `place` of an operation read (sim/operation.h): its words, and in *count how many,
 * of a register one. NULL if it read nothing: no such part, one that writes, or not ended ok. */
const uint64_t *sim_history_read(const struct sim_history_row *row, uint32_t place,
                                 uint32_t *count);

#endif
