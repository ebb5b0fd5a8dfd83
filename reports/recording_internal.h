/* The inside of the recording's writer, shared by its files:
 *
 *     recording.c         its life, outcomes       recording_events.c  event rows, the sink
 *     recording_file.c    the file on disk         recording_plan.c    names, nodes, faults
 *     recording_world.c   the result of a world */
#ifndef REPORTS_RECORDING_INTERNAL_H
#define REPORTS_RECORDING_INTERNAL_H

#include "reports/recording.h"
#include "reports/schema.h"

#include <sqlite3.h>

enum {
    RECORDING_BATCH = 1024,      /* Events that one statement inserts. */
    RECORDING_COMMIT = 64 * 1024 /* Events between two commits at level trace. */
};

struct recording {
    char *file;
    char *partial; /* FILE.partial */
    sqlite3 *db;   /* NULL until a run or a sweep begins. */
    enum recording_level level;
    bool in_memory; /* A run at level outcome. */
    bool created;   /* There is a file of ours to remove on an error. */
    bool partial_created;
    bool failed;
    char error[RECORDING_ERROR_MAX];

    uint64_t seed;
    const struct sim_plan *plan;
    sqlite3_stmt *add_run; /* Prepared once: a sweep uses them for every seed. */
    sqlite3_stmt *add_verdict;
    sqlite3_stmt *add_metric;
    size_t outcomes_uncommitted;

    /* recording_events.c */
    struct sim_sink sink;
    struct sim_record *pending; /* RECORDING_BATCH */
    size_t pending_count;
    size_t events_uncommitted;
    uint64_t last_sequence; /* Of the last event written. */
    sqlite3_stmt *append_events;
    sqlite3_stmt *insert_events;
};

/* Note an error, unless there is one already; always SIM_EIO. With a NULL format, what SQLite
 * says. */
__attribute__((format(printf, 2, 3))) enum sim_status recording_fail(struct recording *recording,
                                                                     const char *format, ...);

/* ---- SQL; all do nothing after an error ---------------------------------------------------- */

enum sim_status recording_execute(struct recording *recording, const char *sql);
/* NULL on error. */
sqlite3_stmt *recording_prepare(struct recording *recording, const char *sql);
/* Bind the arguments and run once. What a letter of `types` takes:
 *     i int64_t              u uint64_t, NULL if UINT64_MAX     t text, or NULL
 *     o bool and int64_t,    w uint32_t, NULL if UINT32_MAX     T text, NULL if empty
 *       NULL if false        n nothing: NULL */
void recording_row(struct recording *recording, sqlite3_stmt *statement, const char *types, ...);

/* ---- recording_history.c ------------------------------------------------------------------- */

void recording_add_history(struct recording *recording, const struct sim_history_row *rows,
                           size_t count);

/* ---- recording_file.c ----------------------------------------------------------------------- */

/* SIM_EINVAL: not ours to replace. */
SIM_NODISCARD enum sim_status recording_check_target(const char *file, char *error,
                                                     size_t error_bytes);
/* Open the database with an empty schema, and an open transaction. */
enum sim_status recording_open_memory(struct recording *recording);
enum sim_status recording_open_file(struct recording *recording, uint32_t page_bytes);
/* Put the database in memory in place as a file. */
enum sim_status recording_publish(struct recording *recording);
void recording_remove(struct recording *recording);

/* ---- recording_plan.c ------------------------------------------------------------------------ */

void recording_add_outcome_names(struct recording *recording);
void recording_add_plan(struct recording *recording);
void recording_add_faults(struct recording *recording, const struct sim_fault *faults, size_t first,
                          size_t count);

/* ---- recording_events.c ---------------------------------------------------------------------- */

enum sim_status recording_events_begin(struct recording *recording);
void recording_events_flush(struct recording *recording);
void recording_events_release(struct recording *recording);

#endif
