/* Event rows, two million a second. Records are collected in an array, which one statement
 * inserts: `insert into event select ... from pending_event`, where the latter is a virtual
 * table over that array. Measured against 40 rows of bound parameters a statement, this takes
 * half the time.
 *
 * Leaving out the primary key saves a search in the tree for every row. It may be left out
 * as long as sequences have no gaps, since SQLite then numbers the rows as we would. */
#include "reports/recording_internal.h"

#include <stdlib.h>

enum column { SEQUENCE, TIME_NS, KIND, NODE, PEER, DETAIL, SIZE_BYTES, A, B };
#define COLUMNS "time_ns, kind, node, peer, detail, size_bytes, a, b"

struct pending_table {
    sqlite3_vtab base;
    struct recording *recording;
};

struct pending_cursor {
    sqlite3_vtab_cursor base;
    size_t row;
};

static const struct recording *recording_of(sqlite3_vtab_cursor *cursor)
{
    return ((struct pending_table *)cursor->pVtab)->recording;
}

static int pending_connect(sqlite3 *db, void *context, int argument_count,
                           const char *const *arguments, sqlite3_vtab **table, char **error)
{
    (void)argument_count, (void)arguments, (void)error;
    struct pending_table *t = calloc(1, sizeof *t);
    if (!t) {
        return SQLITE_NOMEM;
    }
    t->recording = context;
    *table = &t->base;
    return sqlite3_declare_vtab(db, "create table pending_event(sequence, " COLUMNS ")");
}

static int pending_disconnect(sqlite3_vtab *table)
{
    free(table);
    return SQLITE_OK;
}

static int pending_plan(sqlite3_vtab *table, sqlite3_index_info *info)
{
    (void)table;
    info->estimatedRows = RECORDING_BATCH;
    return SQLITE_OK;
}

static int pending_open(sqlite3_vtab *table, sqlite3_vtab_cursor **cursor)
{
    (void)table;
    struct pending_cursor *c = calloc(1, sizeof *c);
    *cursor = c ? &c->base : NULL;
    return c ? SQLITE_OK : SQLITE_NOMEM;
}

static int pending_close(sqlite3_vtab_cursor *cursor)
{
    free(cursor);
    return SQLITE_OK;
}

static int pending_rewind(sqlite3_vtab_cursor *cursor, int index, const char *index_text,
                          int argument_count, sqlite3_value **arguments)
{
    (void)index, (void)index_text, (void)argument_count, (void)arguments;
    ((struct pending_cursor *)cursor)->row = 0;
    return SQLITE_OK;
}

static int pending_next(sqlite3_vtab_cursor *cursor)
{
    ((struct pending_cursor *)cursor)->row++;
    return SQLITE_OK;
}

static int pending_at_end(sqlite3_vtab_cursor *cursor)
{
    return ((struct pending_cursor *)cursor)->row >= recording_of(cursor)->pending_count;
}

static void result_node(sqlite3_context *result, uint32_t node)
{
    if (node != SIM_NOBODY) { /* Else the result stays NULL. */
        sqlite3_result_int64(result, node);
    }
}

static int pending_column(sqlite3_vtab_cursor *cursor, sqlite3_context *result, int column)
{
    const struct sim_record *r =
        &recording_of(cursor)->pending[((struct pending_cursor *)cursor)->row];
    switch ((enum column)column) {
    case SEQUENCE:
        sqlite3_result_int64(result, (int64_t)r->sequence);
        break;
    case TIME_NS:
        sqlite3_result_int64(result, (int64_t)r->time_ns);
        break;
    case KIND:
        sqlite3_result_int(result, r->kind);
        break;
    case NODE:
        result_node(result, r->node);
        break;
    case PEER:
        result_node(result, r->peer);
        break;
    case DETAIL:
        sqlite3_result_int(result, r->detail);
        break;
    case SIZE_BYTES:
        sqlite3_result_int64(result, r->size_bytes);
        break;
    case A:
        sqlite3_result_int64(result, (int64_t)r->a);
        break;
    case B:
        sqlite3_result_int64(result, (int64_t)r->b);
        break;
    }
    return SQLITE_OK;
}

static int pending_rowid(sqlite3_vtab_cursor *cursor, sqlite3_int64 *row)
{
    *row = (sqlite3_int64)((struct pending_cursor *)cursor)->row;
    return SQLITE_OK;
}

/* Without xCreate it is there under its own name, and only there. */
static const sqlite3_module pending_module = {
    .xConnect = pending_connect,
    .xDisconnect = pending_disconnect,
    .xBestIndex = pending_plan,
    .xOpen = pending_open,
    .xClose = pending_close,
    .xFilter = pending_rewind,
    .xNext = pending_next,
    .xEof = pending_at_end,
    .xColumn = pending_column,
    .xRowid = pending_rowid,
};

static bool is_contiguous(const struct recording *recording)
{
    const struct sim_record *records = recording->pending;
    const size_t last = recording->pending_count - 1;
    return records[0].sequence == recording->last_sequence + 1 &&
           records[last].sequence - records[0].sequence == last;
}

void recording_events_flush(struct recording *recording)
{
    if (recording->pending_count == 0 || recording->failed) {
        recording->pending_count = 0;
        return;
    }
    sqlite3_stmt *statement =
        is_contiguous(recording) ? recording->append_events : recording->insert_events;
    recording_row(recording, statement, "");
    recording->last_sequence = recording->pending[recording->pending_count - 1].sequence;
    recording->events_uncommitted += recording->pending_count;
    recording->pending_count = 0;

    /* What is rare should survive a kill soon after it happened. */
    const size_t limit = recording->level == RECORDING_TRACE ? RECORDING_COMMIT : 1;
    if (recording->events_uncommitted >= limit) {
        recording_execute(recording, "commit; begin");
        recording->events_uncommitted = 0;
    }
}

static void record(void *context, const struct sim_record *r)
{
    struct recording *recording = context;
    recording->pending[recording->pending_count++] = *r;
    const size_t limit = recording->level == RECORDING_TRACE ? RECORDING_BATCH : 128;
    if (SIM_UNLIKELY(recording->pending_count >= limit)) {
        recording_events_flush(recording);
    }
}

uint32_t recording_level_kinds(enum recording_level level)
{
    uint32_t kinds = 0;
    for (uint32_t kind = 0; kind < SIM_REC_KIND_COUNT; kind++) {
        /* Those that are few: what the index event_rare has. */
        const bool rare = kind < SIM_REC_SEND || kind > SIM_REC_RETURN;
        const bool kept = level == RECORDING_TRACE || (level == RECORDING_HISTORY && rare);
        kinds |= (uint32_t)kept << kind;
    }
    return kinds;
}

enum sim_status recording_events_begin(struct recording *recording)
{
    recording->sink = (struct sim_sink){
        .context = recording, .kinds = recording_level_kinds(recording->level), .record = record};
    if (recording->level == RECORDING_OUTCOME) {
        return SIM_OK;
    }
    recording->pending = calloc(RECORDING_BATCH, sizeof *recording->pending);
    if (!recording->pending || sqlite3_create_module(recording->db, "pending_event",
                                                     &pending_module, recording) != SQLITE_OK) {
        return recording_fail(recording, "out of memory");
    }
    recording->append_events = recording_prepare(
        recording, "insert into event (" COLUMNS ") select " COLUMNS " from pending_event");
    recording->insert_events = recording_prepare(
        recording, "insert into event select sequence, " COLUMNS " from pending_event");
    return recording->failed ? SIM_EIO : SIM_OK;
}

void recording_events_release(struct recording *recording)
{
    sqlite3_finalize(recording->append_events);
    sqlite3_finalize(recording->insert_events);
    free(recording->pending);
}
