/* The life of a recording: created, begun, finished, closed; and its outcome rows. */
#include "reports/recording_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    PAGE_BYTES_TRACE = 32768, /* Fewer pages to find and to journal; a third faster than 4096. */
    PAGE_BYTES = 4096,        /* Every table takes a page at least. */
    OUTCOMES_PER_COMMIT = 64,
    SOMETIMES_ID = -1, /* In the column expected_id. */
};

static const char *const level_names[] = {"outcome", "history", "trace"};

const char *recording_level_name(enum recording_level level)
{
    return level_names[level];
}

bool recording_level_parse(const char *name, enum recording_level *level)
{
    for (int i = RECORDING_OUTCOME; i <= RECORDING_TRACE; i++) {
        if (strcmp(name, level_names[i]) == 0) {
            *level = (enum recording_level)i;
            return true;
        }
    }
    return false;
}

/* ---- Errors and SQL -------------------------------------------------------------------------- */

/* SQLite's "disk I/O error" hides the reason that people need. */
static void describe_sqlite_error(struct recording *recording)
{
    const int code = sqlite3_errcode(recording->db);
    const int system_error = sqlite3_system_errno(recording->db);
    const char *why = code == SQLITE_FULL ? "the disk is full" : sqlite3_errmsg(recording->db);
    if (system_error != 0 && code != SQLITE_FULL) {
        snprintf(recording->error, sizeof recording->error, "cannot write %s: %s (%s)",
                 recording->file, why, strerror(system_error));
    } else {
        snprintf(recording->error, sizeof recording->error, "cannot write %s: %s", recording->file,
                 why);
    }
}

enum sim_status recording_fail(struct recording *recording, const char *format, ...)
{
    if (recording->failed) {
        return SIM_EIO;
    }
    recording->failed = true;
    if (!format) {
        describe_sqlite_error(recording);
        return SIM_EIO;
    }
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(recording->error, sizeof recording->error, format, arguments);
    va_end(arguments);
    return SIM_EIO;
}

const char *recording_error(const struct recording *recording)
{
    return recording->failed ? recording->error : NULL;
}

enum sim_status recording_execute(struct recording *recording, const char *sql)
{
    if (!recording->failed && sqlite3_exec(recording->db, sql, NULL, NULL, NULL) != SQLITE_OK) {
        return recording_fail(recording, NULL);
    }
    return recording->failed ? SIM_EIO : SIM_OK;
}

sqlite3_stmt *recording_prepare(struct recording *recording, const char *sql)
{
    sqlite3_stmt *statement = NULL;
    if (!recording->failed && sqlite3_prepare_v3(recording->db, sql, -1, SQLITE_PREPARE_PERSISTENT,
                                                 &statement, NULL) != SQLITE_OK) {
        recording_fail(recording, NULL);
    }
    return statement;
}

/* sqlite3_bind_*() by the letter of a type; takes the argument that belongs to it. */
static void bind(sqlite3_stmt *statement, int place, char type, va_list *arguments)
{
    switch (type) {
    case 'i':
        sqlite3_bind_int64(statement, place, va_arg(*arguments, int64_t));
        break;
    case 'u': {
        const uint64_t value = va_arg(*arguments, uint64_t);
        if (value != UINT64_MAX) {
            sqlite3_bind_int64(statement, place, (int64_t)value);
        } else {
            sqlite3_bind_null(statement, place);
        }
        break;
    }
    case 'w': {
        const uint32_t value = va_arg(*arguments, uint32_t);
        if (value != UINT32_MAX) {
            sqlite3_bind_int64(statement, place, value);
        } else {
            sqlite3_bind_null(statement, place);
        }
        break;
    }
    case 'o': {
        const bool present = va_arg(*arguments, int);
        const int64_t value = va_arg(*arguments, int64_t);
        if (present) {
            sqlite3_bind_int64(statement, place, value);
        } else {
            sqlite3_bind_null(statement, place);
        }
        break;
    }
    case 't':
    case 'T': {
        const char *text = va_arg(*arguments, const char *);
        const bool present = type == 't' || text[0];
        sqlite3_bind_text(statement, place, present ? text : NULL, -1, SQLITE_STATIC);
        break;
    }
    default:
        assert(type == 'n');
        sqlite3_bind_null(statement, place);
        break;
    }
}

void recording_row(struct recording *recording, sqlite3_stmt *statement, const char *types, ...)
{
    if (recording->failed) {
        return;
    }
    assert((int)strlen(types) == sqlite3_bind_parameter_count(statement));
    va_list arguments;
    va_start(arguments, types);
    for (int place = 1; types[place - 1]; place++) {
        bind(statement, place, types[place - 1], &arguments);
    }
    va_end(arguments);
    if (sqlite3_step(statement) != SQLITE_DONE) {
        recording_fail(recording, NULL);
    }
    sqlite3_reset(statement);
}

/* ---- Begin ----------------------------------------------------------------------------------- */

struct recording *recording_create(const char *file, char *error, size_t error_bytes)
{
    if (recording_check_target(file, error, error_bytes) != SIM_OK) {
        return NULL;
    }
    struct recording *recording = calloc(1, sizeof *recording);
    const size_t size = strlen(file) + sizeof ".partial";
    if (recording) {
        recording->file = malloc(size);
        recording->partial = malloc(size);
    }
    if (!recording || !recording->file || !recording->partial) {
        snprintf(error, error_bytes, "out of memory");
        recording_discard(recording);
        return NULL;
    }
    memcpy(recording->file, file, strlen(file) + 1);
    snprintf(recording->partial, size, "%s.partial", file);
    return recording;
}

static void add_identity(struct recording *recording, const struct recording_run *run,
                         const char *purpose)
{
    sqlite3_stmt *add = recording_prepare(
        recording, "insert into recording values (?, ?, ?, ?, ?, ?, 'unfinished')");
    recording_row(recording, add, "tttttu", purpose, recording_level_name(run->level), run->version,
                  run->scenario_file, run->scenario_text, recording->plan->duration_ns);
    sqlite3_finalize(add);
    if (run->set_count > 0) {
        add = recording_prepare(recording, "insert into scenario_set values (?, ?)");
        for (size_t i = 0; i < run->set_count; i++) {
            recording_row(recording, add, "it", (int64_t)i, run->sets[i]);
        }
        sqlite3_finalize(add);
    }
}

static void prepare_outcomes(struct recording *recording)
{
    recording->add_run =
        recording_prepare(recording, "insert or replace into run values (?, ?, ?, ?, ?, ?, ?, ?)");
    recording->add_verdict = recording_prepare(
        recording, "insert or replace into verdict values (?, ?, ?, ?, ?, ?, ?, ?)");
    recording->add_metric =
        recording_prepare(recording, "insert or replace into metric values (?, ?, ?)");
}

static enum sim_status begin(struct recording *recording, const struct recording_run *run,
                             const struct sim_plan *plan, const char *purpose)
{
    assert(!recording->db);
    recording->level = run->level;
    recording->plan = plan;
    recording->seed = run->seed;
    const enum sim_status status =
        recording->in_memory
            ? recording_open_memory(recording)
            : recording_open_file(recording,
                                  run->level == RECORDING_TRACE ? PAGE_BYTES_TRACE : PAGE_BYTES);
    if (status != SIM_OK) {
        return status;
    }
    add_identity(recording, run, purpose);
    prepare_outcomes(recording);
    if (!recording->in_memory) { /* Else they came with the image. */
        recording_add_outcome_names(recording);
    }
    return recording->failed ? SIM_EIO : SIM_OK;
}

/* What has been written so far is what a kill leaves. */
static enum sim_status commit(struct recording *recording)
{
    recording_execute(recording, "commit");
    if (recording->in_memory) {
        recording_publish(recording);
    }
    return recording_execute(recording, "begin");
}

const struct sim_sink *recording_begin_run(struct recording *recording,
                                           const struct recording_run *run,
                                           const struct sim_plan *plan)
{
    recording->in_memory = run->level == RECORDING_OUTCOME;
    if (begin(recording, run, plan, "run") != SIM_OK) {
        return NULL;
    }
    recording_row(recording, recording->add_run, "itnnnnnn", (int64_t)run->seed, "unfinished");
    if (run->level != RECORDING_OUTCOME) {
        recording_add_plan(recording);
        recording_add_faults(recording, plan->faults, 0, plan->fault_count);
    }
    if (commit(recording) != SIM_OK || recording_events_begin(recording) != SIM_OK) {
        return NULL;
    }
    return &recording->sink;
}

enum sim_status recording_begin_sweep(struct recording *recording,
                                      const struct recording_run *sweep,
                                      const struct sim_plan *plan)
{
    struct recording_run identity = *sweep;
    identity.level = RECORDING_OUTCOME;
    if (begin(recording, &identity, plan, "sweep") != SIM_OK) {
        return SIM_EIO;
    }
    return commit(recording);
}

/* ---- Finish ---------------------------------------------------------------------------------- */

static int64_t expected_id(uint32_t expected)
{
    return expected == RECORDING_SOMETIMES ? SOMETIMES_ID : (int64_t)expected;
}

static void add_metrics(struct recording *recording, uint64_t seed,
                        const struct sim_metrics *metrics)
{
    for (size_t i = 0; i < sim_metric_count; i++) {
        uint64_t value;
        memcpy(&value, (const uint8_t *)metrics + sim_metric_infos[i].offset, sizeof value);
        recording_row(recording, recording->add_metric, "iii", (int64_t)seed, (int64_t)i,
                      (int64_t)value);
    }
}

static void hash_text(uint64_t hash, char text[17])
{
    static const char digits[] = "0123456789abcdef";
    for (int i = 0; i < 16; i++) {
        text[i] = digits[hash >> (60 - 4 * i) & 15];
    }
    text[16] = '\0';
}

static void add_verdicts(struct recording *recording, const struct recording_result *result)
{
    for (uint32_t i = 0; i < SIM_CHECK_COUNT; i++) {
        const struct sim_check_state *state = result->checks[i];
        if (!state) {
            continue;
        }
        const uint32_t expected = result->expect[i];
        const bool at = state->violated;
        recording_row(recording, recording->add_verdict, "iiioiooT", (int64_t)recording->seed,
                      (int64_t)i, (int64_t)state->verdict, expected != RECORDING_NO_EXPECTATION,
                      expected_id(expected), (int64_t)state->exercised, at, (int64_t)state->at_ns,
                      at, (int64_t)state->event, state->detail);
    }
}

static void add_checkpoints(struct recording *recording, const struct recording_result *result)
{
    sqlite3_stmt *add = recording_prepare(recording, "insert into checkpoint values (?, ?)");
    for (size_t i = 0; i < result->checkpoint_count; i++) {
        char hash[17];
        hash_text(result->checkpoints[i], hash);
        recording_row(recording, add, "it", (int64_t)((i + 1) * SIM_CHECKPOINT_EVERY), hash);
    }
    sqlite3_finalize(add);
}

static void finish(struct recording *recording)
{
    recording_execute(recording, "update recording set state = 'finished'");
}

enum sim_status recording_finish_result(struct recording *recording,
                                        const struct recording_result *result)
{
    if (recording->failed) {
        return SIM_EIO;
    }
    char hash[17];
    hash_text(result->hash, hash);
    recording_row(recording, recording->add_run, "ittiiiin", (int64_t)recording->seed, "finished",
                  hash, (int64_t)result->events, (int64_t)result->simulated_ns,
                  (int64_t)result->wall_ns, (int64_t)result->met);
    add_verdicts(recording, result);
    add_metrics(recording, recording->seed, result->metrics);
    add_checkpoints(recording, result);
    if (recording->level != RECORDING_OUTCOME) {
        recording_events_flush(recording);
        recording_add_history(recording, result->history, result->history_count);
        recording_add_faults(recording, result->faults, recording->plan->fault_count,
                             result->fault_count);
    }
    finish(recording);
    return recording->failed ? SIM_EIO : SIM_OK;
}

enum sim_status recording_add_outcome(struct recording *recording,
                                      const struct recording_outcome *outcome,
                                      const uint32_t *expect)
{
    if (recording->failed) {
        return SIM_EIO;
    }
    char hash[17];
    hash_text(outcome->hash, hash);
    const bool crashed = outcome->signal != 0;
    recording_row(recording, recording->add_run, "itToonio", (int64_t)outcome->seed,
                  crashed ? "crashed" : "finished", crashed ? "" : hash, !crashed,
                  (int64_t)outcome->events, !crashed, (int64_t)outcome->simulated_ns,
                  (int64_t)(outcome->met && !crashed), crashed, (int64_t)outcome->signal);
    for (uint32_t i = 0; i < SIM_CHECK_COUNT && !crashed; i++) {
        const uint32_t verdict = outcome->checks[i].verdict;
        if (verdict == UINT32_MAX) {
            continue;
        }
        const bool at = outcome->checks[i].event != 0;
        recording_row(recording, recording->add_verdict, "iiioiooT", (int64_t)outcome->seed,
                      (int64_t)i, (int64_t)verdict, expect[i] != RECORDING_NO_EXPECTATION,
                      expected_id(expect[i]), (int64_t)outcome->checks[i].exercised, at,
                      (int64_t)outcome->checks[i].at_ns, at, (int64_t)outcome->checks[i].event,
                      outcome->checks[i].detail);
    }
    if (outcome->metrics && !crashed) {
        add_metrics(recording, outcome->seed, outcome->metrics);
    }
    if (++recording->outcomes_uncommitted == OUTCOMES_PER_COMMIT) {
        recording->outcomes_uncommitted = 0;
        return commit(recording);
    }
    return recording->failed ? SIM_EIO : SIM_OK;
}

enum sim_status recording_finish_sweep(struct recording *recording)
{
    finish(recording);
    return recording->failed ? SIM_EIO : SIM_OK;
}

/* ---- Close ----------------------------------------------------------------------------------- */

static void release(struct recording *recording)
{
    sqlite3_finalize(recording->add_run);
    sqlite3_finalize(recording->add_verdict);
    sqlite3_finalize(recording->add_metric);
    recording_events_release(recording);
    sqlite3_close(recording->db);
    free(recording->file);
    free(recording->partial);
    free(recording);
}

enum sim_status recording_close(struct recording *recording, char *error, size_t error_bytes)
{
    if (!recording) {
        return SIM_OK;
    }
    if (recording->db) {
        recording_events_flush(recording);
        recording_execute(recording, "commit");
        if (recording->in_memory) {
            recording_publish(recording);
        } else { /* Else an empty journal would stay behind. */
            recording_execute(recording, "pragma journal_mode = delete");
        }
    }
    const enum sim_status status = recording->failed ? SIM_EIO : SIM_OK;
    if (recording->failed) {
        snprintf(error, error_bytes, "%s", recording->error);
        recording_remove(recording);
    }
    release(recording);
    return status;
}

void recording_discard(struct recording *recording)
{
    if (recording) {
        recording_remove(recording);
        release(recording);
    }
}
