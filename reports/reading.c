#define _POSIX_C_SOURCE 200809L

#include "reports/reading.h"
#include "reports/schema.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct reading {
    sqlite3 *db;
    char *file;
    bool sweep;
    bool finished;
    enum recording_level level;
    /* Filled by reading_run(). */
    bool loaded;
    struct reading_run run;
    char *scenario_file;
    char *scenario_text;
    char *version;
    char **sets;
    uint64_t *checkpoints;
};

/* ---- Errors ---------------------------------------------------------------------------------- */

static void describe(struct reading *reading, char *error, size_t error_bytes)
{
    const char *file = reading->file;
    const int code = reading->db ? sqlite3_extended_errcode(reading->db) : SQLITE_NOMEM;
    switch (code & 0xff) {
    case SQLITE_NOTADB:
        snprintf(error, error_bytes, "%s is not a recording", file);
        break;
    case SQLITE_CORRUPT:
        snprintf(error, error_bytes, "%s is damaged: %s", file, sqlite3_errmsg(reading->db));
        break;
    case SQLITE_BUSY:
        snprintf(error, error_bytes, "%s is being written by a running program", file);
        break;
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
        snprintf(error, error_bytes,
                 "%s is unfinished and must be put right before it can be read, but it or its "
                 "folder is not writable",
                 file);
        break;
    default:
        snprintf(error, error_bytes, "cannot read %s: %s", file,
                 reading->db ? sqlite3_errmsg(reading->db) : "out of memory");
        break;
    }
}

sqlite3_stmt *reading_query(struct reading *reading, const char *sql, char *error,
                            size_t error_bytes)
{
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(reading->db, sql, -1, &statement, NULL) == SQLITE_OK) {
        return statement;
    }
    if ((sqlite3_errcode(reading->db) & 0xff) == SQLITE_ERROR &&
        strncmp(sqlite3_errmsg(reading->db), "no such table", 13) == 0) {
        snprintf(error, error_bytes,
                 "%s was recorded at level %s, which does not hold this (%s); run it again with "
                 "--level trace",
                 reading->file, recording_level_name(reading->level), sqlite3_errmsg(reading->db));
    } else {
        describe(reading, error, error_bytes);
    }
    return NULL;
}

/* ---- Open ------------------------------------------------------------------------------------ */

static bool pragma(struct reading *reading, const char *sql, int64_t *value)
{
    sqlite3_stmt *statement = NULL;
    const bool found = sqlite3_prepare_v2(reading->db, sql, -1, &statement, NULL) == SQLITE_OK &&
                       sqlite3_step(statement) == SQLITE_ROW;
    if (found) {
        *value = sqlite3_column_int64(statement, 0);
    }
    sqlite3_finalize(statement);
    return found;
}

static bool is_ours(struct reading *reading, char *error, size_t error_bytes)
{
    int64_t id = 0;
    int64_t version = 0;
    if (!pragma(reading, "pragma application_id", &id) ||
        !pragma(reading, "pragma user_version", &version)) {
        describe(reading, error, error_bytes);
        return false;
    }
    if (id != RECORDING_APPLICATION_ID) {
        snprintf(error, error_bytes, "%s is not a recording%s", reading->file,
                 id ? ": it is the SQLite file of another program" : "");
        return false;
    }
    if (version != RECORDING_VERSION) {
        snprintf(error, error_bytes,
                 "%s is a recording of version %" PRId64 ", made by %s version of this program, "
                 "which reads version %d; run its scenario and seed again",
                 reading->file, version, version < RECORDING_VERSION ? "an older" : "a newer",
                 RECORDING_VERSION);
        return false;
    }
    return true;
}

static bool read_about(struct reading *reading, char *error, size_t error_bytes)
{
    sqlite3_stmt *about =
        reading_query(reading, "select purpose, level, state from recording", error, error_bytes);
    if (!about) {
        return false;
    }
    const int got = sqlite3_step(about);
    const bool whole =
        got == SQLITE_ROW && sqlite3_column_text(about, 1) &&
        recording_level_parse((const char *)sqlite3_column_text(about, 1), &reading->level);
    if (whole) {
        reading->sweep = strcmp((const char *)sqlite3_column_text(about, 0), "sweep") == 0;
        reading->finished = strcmp((const char *)sqlite3_column_text(about, 2), "finished") == 0;
    } else if (got == SQLITE_ROW || got == SQLITE_DONE) {
        snprintf(error, error_bytes, "%s is damaged: it does not say what it holds", reading->file);
    } else {
        describe(reading, error, error_bytes);
    }
    sqlite3_finalize(about);
    return whole;
}

static bool open_database(struct reading *reading, char *error, size_t error_bytes)
{
    /* SQLite would make an empty file of a missing one, and calls a folder "unable to open". */
    FILE *stream = fopen(reading->file, "rb");
    if (!stream || (fgetc(stream) == EOF && ferror(stream))) {
        snprintf(error, error_bytes, "cannot read %s: %s", reading->file, strerror(errno));
        if (stream) {
            fclose(stream);
        }
        return false;
    }
    fclose(stream);
    /* For writing if that may be: only so can an interrupted commit be undone. */
    const int access_flag =
        access(reading->file, W_OK) == 0 ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY;
    if (sqlite3_open_v2(reading->file, &reading->db, access_flag | SQLITE_OPEN_NOMUTEX, NULL) !=
        SQLITE_OK) {
        describe(reading, error, error_bytes);
        return false;
    }
    return true;
}

struct reading *reading_open(const char *file, char *error, size_t error_bytes)
{
    struct reading *reading = calloc(1, sizeof *reading);
    if (!reading || !(reading->file = strdup(file))) {
        snprintf(error, error_bytes, "out of memory");
        free(reading);
        return NULL;
    }
    if (!open_database(reading, error, error_bytes) || !is_ours(reading, error, error_bytes) ||
        !read_about(reading, error, error_bytes)) {
        reading_close(reading);
        return NULL;
    }
    sqlite3_exec(reading->db, "pragma query_only = 1", NULL, NULL, NULL);
    return reading;
}

void reading_close(struct reading *reading)
{
    if (!reading) {
        return;
    }
    for (size_t i = 0; i < reading->run.run.set_count; i++) {
        free(reading->sets[i]);
    }
    free(reading->sets);
    free(reading->scenario_file);
    free(reading->scenario_text);
    free(reading->version);
    free(reading->checkpoints);
    sqlite3_close(reading->db);
    free(reading->file);
    free(reading);
}

const char *reading_file(const struct reading *reading)
{
    return reading->file;
}

bool reading_is_sweep(const struct reading *reading)
{
    return reading->sweep;
}

bool reading_finished(const struct reading *reading)
{
    return reading->finished;
}

enum recording_level reading_level(const struct reading *reading)
{
    return reading->level;
}

int64_t reading_number(struct reading *reading, const char *sql, int64_t otherwise)
{
    sqlite3_stmt *statement = NULL;
    int64_t value = otherwise;
    if (sqlite3_prepare_v2(reading->db, sql, -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW && sqlite3_column_type(statement, 0) != SQLITE_NULL) {
        value = sqlite3_column_int64(statement, 0);
    }
    sqlite3_finalize(statement);
    return value;
}

/* ---- The run --------------------------------------------------------------------------------- */

static char *column_text(sqlite3_stmt *statement, int column)
{
    const char *text = (const char *)sqlite3_column_text(statement, column);
    return strdup(text ? text : "");
}

static uint64_t column_hash(sqlite3_stmt *statement, int column)
{
    const char *text = (const char *)sqlite3_column_text(statement, column);
    return text ? strtoull(text, NULL, 16) : 0;
}

/* Make the next row of a query current; false, with a sentence, if there is none. */
static bool expect_row(struct reading *reading, sqlite3_stmt *statement, char *error,
                       size_t error_bytes)
{
    const int got = sqlite3_step(statement);
    if (got == SQLITE_DONE) {
        snprintf(error, error_bytes, "%s is damaged: its run is missing", reading->file);
    } else if (got != SQLITE_ROW) {
        describe(reading, error, error_bytes);
    }
    return got == SQLITE_ROW;
}

static bool load_identity(struct reading *reading, char *error, size_t error_bytes)
{
    sqlite3_stmt *s = reading_query(reading,
                                    "select scenario_file, scenario_text, program_version, "
                                    "duration_ns from recording",
                                    error, error_bytes);
    const bool found = s && expect_row(reading, s, error, error_bytes);
    if (found) {
        reading->scenario_file = column_text(s, 0);
        reading->scenario_text = column_text(s, 1);
        reading->version = column_text(s, 2);
        reading->run.duration_ns = (uint64_t)sqlite3_column_int64(s, 3);
    }
    sqlite3_finalize(s);
    return found;
}

static bool load_sets(struct reading *reading, char *error, size_t error_bytes)
{
    const int64_t count = reading_number(reading, "select count(*) from scenario_set", 0);
    sqlite3_stmt *s = reading_query(
        reading, "select assignment from scenario_set order by position", error, error_bytes);
    reading->sets = calloc((size_t)count + 1, sizeof *reading->sets);
    if (!s || !reading->sets) {
        sqlite3_finalize(s);
        return false;
    }
    while ((int64_t)reading->run.run.set_count < count && sqlite3_step(s) == SQLITE_ROW) {
        reading->sets[reading->run.run.set_count++] = column_text(s, 0);
    }
    sqlite3_finalize(s);
    return true;
}

static bool load_checkpoints(struct reading *reading, char *error, size_t error_bytes)
{
    const int64_t count = reading_number(reading, "select count(*) from checkpoint", 0);
    sqlite3_stmt *s =
        reading_query(reading, "select hash from checkpoint order by event", error, error_bytes);
    reading->checkpoints = calloc((size_t)count + 1, sizeof *reading->checkpoints);
    if (!s || !reading->checkpoints) {
        sqlite3_finalize(s);
        return false;
    }
    struct reading_run *run = &reading->run;
    while ((int64_t)run->checkpoint_count < count && sqlite3_step(s) == SQLITE_ROW) {
        reading->checkpoints[run->checkpoint_count++] = column_hash(s, 0);
    }
    sqlite3_finalize(s);
    run->checkpoints = reading->checkpoints;
    return true;
}

static bool load_outcome(struct reading *reading, char *error, size_t error_bytes)
{
    sqlite3_stmt *s = reading_query(reading,
                                    "select seed, state, hash, event_count, simulated_ns, "
                                    "wall_ns, met from run",
                                    error, error_bytes);
    const bool found = s && expect_row(reading, s, error, error_bytes);
    if (found) {
        struct reading_run *run = &reading->run;
        run->seed = (uint64_t)sqlite3_column_int64(s, 0);
        const char *state = (const char *)sqlite3_column_text(s, 1);
        run->finished = state && strcmp(state, "finished") == 0;
        run->hash = column_hash(s, 2);
        run->events = (uint64_t)sqlite3_column_int64(s, 3);
        run->simulated_ns = (uint64_t)sqlite3_column_int64(s, 4);
        run->wall_ns = (uint64_t)sqlite3_column_int64(s, 5);
        run->met = sqlite3_column_int(s, 6) != 0;
    }
    sqlite3_finalize(s);
    return found;
}

const struct reading_run *reading_run(struct reading *reading, char *error, size_t error_bytes)
{
    if (reading->sweep) {
        snprintf(error, error_bytes,
                 "%s holds a sweep, not a run; select * from failures shows how to record one "
                 "of its seeds",
                 reading->file);
        return NULL;
    }
    if (!reading->loaded) {
        if (!load_identity(reading, error, error_bytes) ||
            !load_outcome(reading, error, error_bytes) || !load_sets(reading, error, error_bytes) ||
            !load_checkpoints(reading, error, error_bytes)) {
            return NULL;
        }
        reading->loaded = true;
        struct recording_run *run = &reading->run.run;
        run->scenario_file = reading->scenario_file;
        run->scenario_text = reading->scenario_text;
        run->version = reading->version;
        run->sets = (const char *const *)reading->sets;
        run->seed = reading->run.seed;
        run->level = reading->level;
    }
    return &reading->run;
}
