/* Shared by the files of `export`, one a format. */
#ifndef REPORTS_EXPORT_INTERNAL_H
#define REPORTS_EXPORT_INTERNAL_H

#include "reports/export.h"
#include "reports/join.h"

struct export
{
    struct reading *reading;
    const struct export_request *request;
    FILE *out; /* Errors stay with the stream until export_write() asks for them. */
    char *error;
    size_t error_bytes;
};

/* Fills `error`; returns `status`. */
enum sim_status export_fail(struct export *x, enum sim_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* A statement on the recording; NULL, with `error` filled, if it does not hold that. */
SIM_NODISCARD sqlite3_stmt *export_query(struct export *x, const char *sql);
/* A row is there; false at the end, and after an error, of which export_done() tells. */
SIM_NODISCARD bool export_row(sqlite3_stmt *statement);
/* Finalises it. SIM_EINVAL if it ended by an error: the file is damaged. */
SIM_NODISCARD enum sim_status export_done(struct export *x, sqlite3_stmt *statement);

/* ---- export_history.c: what clients saw ---------------------------------------------------- */

struct export_part {   /* One thing that an operation does. */
    uint32_t function; /* enum sim_function, never SIM_TXN. */
    uint64_t key;
    uint64_t value;    /* Written or appended. */
    uint64_t expected; /* CAS */
    uint64_t result;   /* Of a register's read that ended ok; 0 for absent. */
    char *list;        /* Of a list's read that ended ok: "[1, 2]"; else NULL. */
};

struct export_operation {
    uint32_t client;
    uint32_t outcome; /* enum sim_outcome, never OPEN. */
    size_t first_part;
    uint32_t part_count;
    uint64_t invoke_ns;
    uint64_t return_ns; /* SIM_NEVER if it did not end. */
    uint64_t process;   /* A client, until it leaves an operation in doubt; then another. */
};

struct export_entry { /* Half an operation: its begin or its end. */
    size_t operation;
    uint64_t time_ns;
    uint32_t turn;    /* Among those of the same time. */
    uint32_t outcome; /* SIM_OUTCOME_OPEN for the begin. */
};

struct export_history {
    enum export_model model; /* Which it is, or was asked for. */
    struct export_operation *operations;
    size_t operation_count;
    struct export_part *parts;
    size_t part_count;
    struct export_entry *entries; /* In the order in which a history tells them. */
    size_t entry_count;
};

/* Only the operations that its model and the request have a word for. Release in either case. */
SIM_NODISCARD enum sim_status export_history_load(struct export *x, struct export_history *history);
void export_history_release(struct export_history *history);

/* How EDN and JSON write the same thing. */
struct export_notation {
    const char *before; /* A keyword. */
    const char *after;
    const char *between; /* Elements. */
    const char *nothing;
};
/* "[[:append 5 1] [:r 6 [1, 2]]]": an operation as a transaction, with what it read if it is
 * told as `outcome` ok. */
void export_put_txn(struct export *x, const struct export_notation *notation,
                    const struct export_history *history, const struct export_entry *entry);

/* ---- export_trace.c: every event ------------------------------------------------------------- */

#define EXPORT_NONE JOIN_NONE

struct export_event {
    struct sim_record record;
    size_t send; /* Of a delivery; EXPORT_NONE if it is unknown, or this is another kind. */
    size_t next; /* Of a send its first delivery, of a delivery the next of the same send. */
};

struct export_node {
    char *name;
    uint64_t kind; /* Owner of words. */
};

struct export_trace {
    struct export_event *events;
    size_t event_count;
    struct export_node *nodes;
    size_t node_count;
    struct export_word_row *words;
    size_t word_count;
};

/* Release in either case. All node numbers of its events are in range, or SIM_NOBODY where a
 * record may have none. */
SIM_NODISCARD enum sim_status export_trace_load(struct export *x, struct export_trace *trace);
void export_trace_release(struct export_trace *trace);

/* The word for a number; NULL if there is none. */
const char *export_word(const struct export_trace *trace, const char *what, uint64_t owner,
                        uint64_t id);
const char *export_node_name(const struct export_trace *trace, uint32_t node);
const char *export_message_name(const struct export_trace *trace, const struct sim_record *r);
/* A value of the fact that the record is about, if the fact's values have names; else NULL. */
const char *export_fact_value(const struct export_trace *trace, const struct sim_record *r,
                              uint64_t value);
/* A record as a few words, without the name of its node: "role leader (was candidate)". */
void export_words(const struct export_trace *trace, const struct sim_record *r, char *words,
                  size_t size_bytes);

/* ---- A file a format ------------------------------------------------------------------------ */
enum sim_status export_edn(struct export *x);
enum sim_status export_elle(struct export *x);
enum sim_status export_shiviz(struct export *x);
enum sim_status export_perfetto(struct export *x);
enum sim_status export_csv(struct export *x);
enum recording_level export_csv_level(const char *view);

#endif
