#define _POSIX_C_SOURCE 200809L

#include "reports/show.h"

#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    COLUMNS_MAX = 12,
    MEASURED_ROWS = 1000, /* Column widths are those of the first rows; the rest is streamed. */
};

/* A query's column named `mark` is not printed: it says how its row is coloured. */
enum mark { MARK_NONE, MARK_BAD, MARK_ODD, MARK_GOOD };
static const char *const mark_colours[] = {"", "\033[31m", "\033[33m", "\033[32m"};

/* Exact, with a fixed width after the point; SQLite's own numbers would be rounded. */
#define SECONDS(ns) "printf('%d.%06d', " ns " / 1000000000, " ns " % 1000000000 / 1000)"
#define MILLISECONDS(ns) "printf('%d.%03d', " ns " / 1000000, " ns " % 1000000 / 1000)"

struct topic {
    const char *name;
    enum recording_level level; /* The lowest that holds it. */
    bool of_sweeps;             /* A sweep holds it too. */
    const char *sql;
};

static const struct topic topics[] = {
    {"timeline", RECORDING_HISTORY, false,
     "select " SECONDS(
         "time_ns") " as seconds, coalesce(node, '') as node, what, case "
                    "when what like 'VIOLATES%' then 1 when what like 'fault%' or what = 'crashes' "
                    "then 2 "
                    "when what like 'role leader%' then 3 else 0 end as mark from timeline"},
    {"ops", RECORDING_HISTORY, false,
     "select " SECONDS(
         "invoke_ns") " as seconds, client, sequence as op, function, key, "
                      "case function when 'read' then result when 'txn' then parts "
                      "when 'read_list' then (select p.list from parts p "
                      "where p.operation = operations.operation) else value end as value, outcome, "
                      "case when latency_ns is not null then " MILLISECONDS(
                          "latency_ns") " end as latency_ms, "
                                        "server, attempts, case outcome when 'fail' then 1 when "
                                        "'ok' then 0 else 2 end as mark "
                                        "from operations order by operation"},
    {"messages", RECORDING_TRACE, false,
     "select " SECONDS("sent_ns") " as seconds, sender, receiver, message, size_bytes as bytes, "
                                  "fate || coalesce(': ' || drop_reason, '') as fate, "
                                  "case when delay_ns is not null then " MILLISECONDS(
                                      "delay_ns") " end as delay_ms, "
                                                  "coalesce(flags, '') as flags, case fate when "
                                                  "'lost' then 1 when 'dropped' then 1 "
                                                  "when 'in flight' then 0 else 2 * (flags is not "
                                                  "null) end as mark from messages"},
    {"facts", RECORDING_HISTORY, false,
     "select " SECONDS(
         "time_ns") " as seconds, node, fact, value, before, "
                    "case when fact = 'role' and value = 'leader' then 3 else 0 end as mark "
                    "from facts order by sequence"},
    {"faults", RECORDING_HISTORY, false,
     "select " SECONDS("from_ns") " as seconds, case when until_ns is null then '' else " SECONDS(
         "until_ns") " end as until, kind, coalesce(node, '') as node, "
                     "coalesce(peer, '') as peer, coalesce(shape, '') as shape, coalesce(targets, "
                     "'') as targets, "
                     "coalesce(peers, '') as peers, "
                     "case drawn when 1 then 'drawn' when 0 then 'scenario' else 'end' end as "
                     "source from faults "
                     "order by sequence"},
    {"metrics", RECORDING_OUTCOME, true, "select seed, metric, value from metrics"},
};

const char *const show_topics[] = {"timeline", "ops",     "messages", "facts",
                                   "faults",   "metrics", NULL};

static const char *const verdicts_sql =
    "select \"check\", verdict, coalesce(expected, '') as expected, coalesce(exercised, '') as "
    "exercised, case when at_ns is not null then " SECONDS(
        "at_ns") " else '' end as seconds, "
                 "coalesce(detail, '') as detail, case met when 1 then 3 else 1 end as mark from "
                 "verdicts";

static const char *const failures_sql =
    "select coalesce(\"check\", '') as \"check\", coalesce(verdict, 'crashed') as verdict, "
    "coalesce(detail, '') as detail, command, 1 as mark from failures order by 1, seed + 0";

/* ---- Tables ---------------------------------------------------------------------------------- */

struct table {
    sqlite3_stmt *rows;
    FILE *out;
    bool colours;
    int column_count; /* Without the mark, which comes last. */
    bool marked;
    size_t widths[COLUMNS_MAX];
    bool right[COLUMNS_MAX]; /* Numbers. */
    char **cells;            /* MEASURED_ROWS x column_count */
    enum mark *marks;
    size_t row_count;
    size_t owed; /* Blanks. */
};

/* Places on a terminal, near enough: UTF-8 characters. */
static size_t width_of(const char *text)
{
    size_t width = 0;
    for (; *text; text++) {
        width += ((unsigned char)*text & 0xc0) != 0x80;
    }
    return width;
}

static const char *cell_text(sqlite3_stmt *rows, int column)
{
    const char *text = (const char *)sqlite3_column_text(rows, column);
    return text ? text : "-";
}

static bool looks_like_number(const char *text)
{
    return text[strspn(text, "+-.0123456789")] == '\0';
}

static enum mark row_mark(const struct table *table)
{
    const int mark = table->marked ? sqlite3_column_int(table->rows, table->column_count) : 0;
    return mark >= MARK_NONE && mark <= MARK_GOOD ? (enum mark)mark : MARK_NONE;
}

/* Names in a recording may hold anything; a terminal should not obey them. */
static void put_text(FILE *out, const char *text)
{
    for (; *text; text++) {
        const unsigned char c = (unsigned char)*text;
        putc(c < 0x20 || c == 0x7f ? '?' : c, out);
    }
}

/* Blanks are owed until there is text to their right: no line ends in them. */
static void put_cell(struct table *table, int column, const char *text)
{
    const size_t width = width_of(text);
    const size_t padding = table->widths[column] > width ? table->widths[column] - width : 0;
    table->owed += column > 0 ? 2 : 0;
    table->owed += table->right[column] ? padding : 0;
    if (text[0]) {
        fprintf(table->out, "%*s", (int)table->owed, "");
        put_text(table->out, text);
        table->owed = 0;
    }
    table->owed += table->right[column] ? 0 : padding;
}

static void begin_row(const struct table *table, enum mark mark)
{
    if (table->colours) {
        fputs(mark_colours[mark], table->out);
    }
}

static void end_row(struct table *table, enum mark mark)
{
    table->owed = 0;
    fputs(table->colours && mark != MARK_NONE ? "\033[0m\n" : "\n", table->out);
}

/* Keep the first rows to measure them. False at an error. */
static bool measure(struct table *table, int *got)
{
    const size_t columns = (size_t)table->column_count;
    bool filled[COLUMNS_MAX] = {false};
    table->cells = calloc(MEASURED_ROWS * columns, sizeof *table->cells);
    table->marks = calloc(MEASURED_ROWS, sizeof *table->marks);
    if (!table->cells || !table->marks) {
        return false;
    }
    for (size_t c = 0; c < columns; c++) {
        table->widths[c] = width_of(sqlite3_column_name(table->rows, (int)c));
        table->right[c] = true;
    }
    while (table->row_count < MEASURED_ROWS && (*got = sqlite3_step(table->rows)) == SQLITE_ROW) {
        table->marks[table->row_count] = row_mark(table);
        for (size_t c = 0; c < columns; c++) {
            char *text = strdup(cell_text(table->rows, (int)c));
            if (!text) {
                return false;
            }
            const size_t width = width_of(text);
            table->cells[table->row_count * columns + c] = text;
            table->widths[c] = width > table->widths[c] ? width : table->widths[c];
            table->right[c] &= looks_like_number(text);
            filled[c] |= text[0] != '\0';
        }
        table->row_count++;
    }
    for (size_t c = 0; c < columns; c++) { /* An empty column is not one of numbers. */
        table->right[c] &= filled[c];
    }
    return true;
}

static void put_table(struct table *table, int got)
{
    for (int c = 0; c < table->column_count; c++) {
        put_cell(table, c, sqlite3_column_name(table->rows, c));
    }
    end_row(table, MARK_NONE);
    for (size_t r = 0; r < table->row_count; r++) {
        begin_row(table, table->marks[r]);
        for (int c = 0; c < table->column_count; c++) {
            put_cell(table, c, table->cells[r * (size_t)table->column_count + (size_t)c]);
        }
        end_row(table, table->marks[r]);
    }
    while (got == SQLITE_ROW && !ferror(table->out) &&
           (got = sqlite3_step(table->rows)) == SQLITE_ROW) {
        const enum mark mark = row_mark(table);
        begin_row(table, mark);
        for (int c = 0; c < table->column_count; c++) {
            put_cell(table, c, cell_text(table->rows, c));
        }
        end_row(table, mark);
    }
}

static void table_release(struct table *table)
{
    for (size_t i = 0; table->cells && i < table->row_count * (size_t)table->column_count; i++) {
        free(table->cells[i]);
    }
    free(table->cells);
    free(table->marks);
    sqlite3_finalize(table->rows);
}

static enum sim_status show_query(struct reading *reading, const char *sql, FILE *out, bool colours,
                                  char *error, size_t error_bytes)
{
    struct table table = {.out = out, .colours = colours};
    table.rows = reading_query(reading, sql, error, error_bytes);
    if (!table.rows) {
        return SIM_EINVAL;
    }
    table.column_count = sqlite3_column_count(table.rows);
    table.marked = strcmp(sqlite3_column_name(table.rows, table.column_count - 1), "mark") == 0;
    table.column_count -= table.marked;
    assert(table.column_count <= COLUMNS_MAX);

    int got = SQLITE_DONE;
    enum sim_status status = SIM_OK;
    if (!measure(&table, &got)) {
        snprintf(error, error_bytes, "out of memory");
        status = SIM_ENOMEM;
    } else if (got != SQLITE_ROW && got != SQLITE_DONE) {
        snprintf(error, error_bytes, "%s is damaged", reading_file(reading));
        status = SIM_EINVAL;
    } else {
        put_table(&table, got);
    }
    table_release(&table);
    return status;
}

/* ---- Topics ---------------------------------------------------------------------------------- */

static void put_unfinished(struct reading *reading, FILE *out)
{
    if (!reading_finished(reading)) {
        fprintf(out,
                "Unfinished: the program that wrote %s was stopped. This is what it had "
                "written by then.\n",
                reading_file(reading));
    }
}

static enum sim_status show_run(struct reading *reading, FILE *out, bool colours, char *error,
                                size_t error_bytes)
{
    const struct reading_run *run = reading_run(reading, error, error_bytes);
    if (!run) {
        return SIM_EINVAL;
    }
    fputs("scenario   ", out);
    put_text(out, run->run.scenario_file);
    fputc('\n', out);
    for (size_t i = 0; i < run->run.set_count; i++) {
        fputs("set        ", out);
        put_text(out, run->run.sets[i]);
        fputc('\n', out);
    }
    fprintf(out, "seed       %" PRIu64 "\nlevel      %s\n", run->seed,
            recording_level_name(run->run.level));
    if (!run->finished) {
        return SIM_OK;
    }
    fprintf(out,
            "hash       %016" PRIx64 "\nevents     %" PRIu64 "\nsimulated  %" PRIu64 ".%03" PRIu64
            " s in %" PRIu64 ".%03" PRIu64 " s\noutcome    %s\n\n",
            run->hash, run->events, run->simulated_ns / SIM_S, run->simulated_ns % SIM_S / SIM_MS,
            run->wall_ns / SIM_S, run->wall_ns % SIM_S / SIM_MS,
            run->met ? "as expected" : "not as expected");
    return show_query(reading, verdicts_sql, out, colours, error, error_bytes);
}

static enum sim_status show_sweep(struct reading *reading, FILE *out, bool colours, char *error,
                                  size_t error_bytes)
{
    const int64_t failed =
        reading_number(reading, "select count(*) from run where met = 0 or state = 'crashed'", 0);
    fprintf(out, "%" PRId64 " seeds, %" PRId64 " failed\n",
            reading_number(reading, "select count(*) from run", 0), failed);
    if (failed == 0) {
        return SIM_OK;
    }
    fputc('\n', out);
    return show_query(reading, failures_sql, out, colours, error, error_bytes);
}

static const struct topic *find_topic(const char *name)
{
    for (size_t i = 0; i < sizeof topics / sizeof topics[0]; i++) {
        if (strcmp(topics[i].name, name) == 0) {
            return &topics[i];
        }
    }
    return NULL;
}

static bool holds(const struct reading *reading, const struct topic *topic, char *error,
                  size_t error_bytes)
{
    if (reading_is_sweep(reading) && !topic->of_sweeps) {
        snprintf(error, error_bytes,
                 "%s holds a sweep: outcomes, but no %s; `fallacy show` without a topic has the "
                 "command that records a seed",
                 reading_file(reading), topic->name);
        return false;
    }
    if (reading_level(reading) < topic->level) {
        snprintf(error, error_bytes,
                 "%s was recorded at level %s, which does not hold %s; record the run again "
                 "with --level %s",
                 reading_file(reading), recording_level_name(reading_level(reading)), topic->name,
                 recording_level_name(topic->level));
        return false;
    }
    return true;
}

enum sim_status show(struct reading *reading, const char *topic, FILE *out, bool colours,
                     char *error, size_t error_bytes)
{
    if (!topic) {
        put_unfinished(reading, out);
        return reading_is_sweep(reading) ? show_sweep(reading, out, colours, error, error_bytes)
                                         : show_run(reading, out, colours, error, error_bytes);
    }
    const struct topic *found = find_topic(topic);
    if (!found) {
        snprintf(error, error_bytes,
                 "there is no `%s` to show: timeline, ops, messages, facts, faults or metrics",
                 topic);
        return SIM_EINVAL;
    }
    if (!holds(reading, found, error, error_bytes)) {
        return SIM_EINVAL;
    }
    put_unfinished(reading, out);
    return show_query(reading, found->sql, out, colours, error, error_bytes);
}

bool show_wants_colours(FILE *out)
{
    const char *no_colour = getenv("NO_COLOR"); /* https://no-color.org */
    const char *terminal = getenv("TERM");
    return isatty(fileno(out)) && !(no_colour && no_colour[0]) &&
           !(terminal && strcmp(terminal, "dumb") == 0);
}
