/* Any table or view as comma-separated values (RFC 4180, but for its line ends: one newline). */
#include "reports/export_internal.h"

/* What a level below history holds, and what only level trace fills; the views among them. */
static const char *const of_outcome[] = {"recording", "scenario_set", "run",     "verdict",
                                         "metric",    "checkpoint",   "name",    "runs",
                                         "verdicts",  "metrics",      "failures"};
static const char *const of_trace[] = {"event", "events", "messages"};

static bool is_among(const char *name, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(name, names[i]) == 0) {
            return true;
        }
    }
    return false;
}

enum recording_level export_csv_level(const char *view)
{
    if (is_among(view, of_outcome, sizeof of_outcome / sizeof *of_outcome)) {
        return RECORDING_OUTCOME;
    }
    return is_among(view, of_trace, sizeof of_trace / sizeof *of_trace) ? RECORDING_TRACE
                                                                        : RECORDING_HISTORY;
}

static void put_text(FILE *out, const char *text)
{
    if (!strpbrk(text, ",\"\r\n")) {
        fputs(text, out);
        return;
    }
    fputc('"', out);
    for (; *text; text++) {
        if (*text == '"') {
            fputc('"', out);
        }
        fputc(*text, out);
    }
    fputc('"', out);
}

/* The view as it is called in the recording, to be written into a statement; NULL if there is
 * none. Not finalised: the text lives as long as the statement. */
static const char *find_view(struct export *x, sqlite3_stmt **statement)
{
    *statement = export_query(x, "select printf('select * from \"%w\"', name) from sqlite_schema "
                                 "where type in ('table', 'view') and name = ?");
    if (!*statement) {
        return NULL;
    }
    sqlite3_bind_text(*statement, 1, x->request->view, -1, SQLITE_STATIC);
    if (export_row(*statement)) {
        return (const char *)sqlite3_column_text(*statement, 0);
    }
    (void)export_fail(x, SIM_EINVAL,
                      "%s has no table or view \"%s\"; among others it has operations, events, "
                      "messages, facts, faults, verdicts and metrics",
                      reading_file(x->reading), x->request->view);
    return NULL;
}

enum sim_status export_csv(struct export *x)
{
    sqlite3_stmt *found;
    const char *sql = find_view(x, &found);
    sqlite3_stmt *rows = sql ? export_query(x, sql) : NULL;
    sqlite3_finalize(found);
    if (!rows) {
        return SIM_EINVAL;
    }
    const int columns = sqlite3_column_count(rows);
    for (int i = 0; i < columns; i++) {
        fputs(i ? "," : "", x->out);
        put_text(x->out, sqlite3_column_name(rows, i));
    }
    fputc('\n', x->out);
    while (export_row(rows)) {
        for (int i = 0; i < columns; i++) {
            const char *text = (const char *)sqlite3_column_text(rows, i);
            fputs(i ? "," : "", x->out);
            put_text(x->out, text ? text : "");
        }
        fputc('\n', x->out);
    }
    return export_done(x, rows);
}
