/* Histories of one object, read from other people's files. Which format a file has is seen from
 * its content. All readers pair invocations with their returns, by process, in file order. */
#ifndef REPORTS_FORMATS_HISTORIES_H
#define REPORTS_FORMATS_HISTORIES_H

#include "sim/consistency/history.h"

struct history_problem {
    uint32_t line;    /* From 1; 0: of the whole file. */
    char reason[200]; /* What is there, and what was expected. */
};

enum history_format {
    HISTORY_UNKNOWN,
    HISTORY_EMPTY, /* Nothing but blanks: a history without operations. */
    HISTORY_ETCD_LOG,
    HISTORY_KV,
    HISTORY_EDN, /* Jepsen's own. */
};

enum history_format history_recognise(const char *bytes, size_t size_bytes);

/* Each reads a text into an initialised, empty history and sets its object. Errors: SIM_EINVAL
 * and SIM_ENOMEM (the history's bound), with *problem saying where. */

/* Jepsen's log of etcd, as Porcupine ships it: one compare-and-set register. A compare that
 * failed is an observation; a line of another process than a number is passed over. */
SIM_NODISCARD enum sim_status etcd_log_read(const char *bytes, size_t size_bytes,
                                            struct sim_history *history,
                                            struct history_problem *problem);

/* Porcupine's key-value histories: get, put and append of strings. */
SIM_NODISCARD enum sim_status porcupine_kv_read(const char *bytes, size_t size_bytes,
                                                struct sim_history *history,
                                                struct history_problem *problem);

#endif
