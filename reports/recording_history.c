/* What clients saw: an operation is a row, and so is each part of those that are more than one
 * number. */
#include "reports/recording_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct history_writer {
    struct recording *recording;
    sqlite3_stmt *add_operation;
    sqlite3_stmt *add_part;
    char *text; /* Of a list. */
    size_t capacity;
};

/* "[1, 2, 3]": a JSON array, which SQLite's json_each() takes apart. NULL if out of memory. */
static const char *list_text(struct history_writer *w, const uint64_t *elements, uint32_t count)
{
    const size_t needed = 3 + 22 * (size_t)count; /* A number has 20 digits at most. */
    if (needed > w->capacity) {
        char *larger = realloc(w->text, 2 * needed);
        if (!larger) {
            recording_fail(w->recording, "out of memory");
            return NULL;
        }
        w->text = larger;
        w->capacity = 2 * needed;
    }
    size_t at = 0;
    w->text[at++] = '[';
    for (uint32_t i = 0; i < count; i++) {
        at += (size_t)snprintf(w->text + at, w->capacity - at, "%s%" PRIu64, i ? ", " : "",
                               elements[i]);
    }
    w->text[at] = ']';
    w->text[at + 1] = '\0';
    return w->text;
}

static void add_part(struct history_writer *w, int64_t operation, uint32_t place,
                     const struct sim_part *part, const struct sim_history_row *row)
{
    uint32_t count;
    const uint64_t *read = sim_history_read(row, place, &count);
    const bool list = part->function == SIM_READ_LIST;
    recording_row(w->recording, w->add_part, "iiiioot", operation, (int64_t)(place + 1),
                  (int64_t)part->function, (int64_t)part->key, !sim_function_reads(part->function),
                  (int64_t)part->value, read && !list, read && !list ? (int64_t)*read : 0,
                  read && list ? list_text(w, read, count) : NULL);
}

static void add_operation(struct history_writer *w, int64_t operation,
                          const struct sim_history_row *row)
{
    const struct sim_operation *o = &row->operation;
    const bool several = o->function == SIM_TXN;
    const bool reads = sim_function_reads(o->function);
    recording_row(w->recording, w->add_operation, "iiiiooooiiuwi", operation, (int64_t)o->client,
                  (int64_t)o->sequence, (int64_t)o->function, !several, (int64_t)o->key,
                  !reads && !several, (int64_t)o->value, o->function == SIM_CAS,
                  (int64_t)o->expected, o->function == SIM_READ && row->outcome == SIM_OUTCOME_OK,
                  (int64_t)row->result, (int64_t)row->outcome, (int64_t)row->invoke_ns,
                  row->return_ns, row->server, (int64_t)row->attempts);
    struct sim_part part;
    for (uint32_t i = 0;
         (several || o->function == SIM_READ_LIST) && sim_operation_part(o, i, &part); i++) {
        add_part(w, operation, i, &part, row);
    }
}

void recording_add_history(struct recording *recording, const struct sim_history_row *rows,
                           size_t count)
{
    struct history_writer w = {
        .recording = recording,
        .add_operation = recording_prepare(
            recording, "insert into operation values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"),
        .add_part = recording_prepare(recording, "insert into part values (?, ?, ?, ?, ?, ?, ?)"),
    };
    for (size_t i = 0; i < count; i++) {
        add_operation(&w, (int64_t)(i + 1), &rows[i]);
    }
    sqlite3_finalize(w.add_operation);
    sqlite3_finalize(w.add_part);
    free(w.text);
}
