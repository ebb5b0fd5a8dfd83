/* What clients saw, as a history: begins and ends of operations in the order of time.
 *
 * A process of a history has one operation at a time and none after one in doubt (Jepsen's
 * :info), so a client that goes on after one becomes another process. The end of an operation in
 * doubt is nowhere: it is told as late as it can be, since nothing follows from it.
 *
 * At one time begins come before ends: then the operations overlap, and no reader takes one to
 * have been over before the other, which nobody knows. But a process's own end comes before its
 * next begin. */
#include "reports/export_internal.h"

#include <inttypes.h>
#include <stdlib.h>

/* ---- Reading ------------------------------------------------------------------------------- */

static bool make_room(void *array_pointer, size_t count, size_t element_bytes)
{
    /* Powers of two from 256 on: room is made when the count meets one. */
    if (count != 0 && (count < 256 || (count & (count - 1)) != 0)) {
        return true;
    }
    const size_t capacity = count ? 2 * count : 256;
    void *array;
    memcpy(&array, array_pointer, sizeof array);
    array = capacity > count && capacity < SIZE_MAX / element_bytes
                ? realloc(array, capacity * element_bytes)
                : NULL;
    if (array) {
        memcpy(array_pointer, &array, sizeof array);
    }
    return array != NULL;
}

/* Has the model a word for it? */
static bool belongs(enum export_model model, uint32_t function)
{
    const bool list = function == SIM_READ_LIST || function == SIM_APPEND;
    return model == EXPORT_ANY_MODEL || list == (model == EXPORT_LIST_APPEND);
}

static bool add_part(struct export_history *h, const struct export_part *part)
{
    if (!make_room(&h->parts, h->part_count, sizeof *h->parts)) {
        free(part->list);
        return false;
    }
    h->parts[h->part_count++] = *part;
    return true;
}

/* The parts of one operation, which `rows` stand at or before. */
static enum sim_status add_parts(struct export *x, struct export_history *h, sqlite3_stmt *rows,
                                 int64_t operation, bool *more)
{
    for (; *more && sqlite3_column_int64(rows, 0) == operation; *more = export_row(rows)) {
        const char *list = (const char *)sqlite3_column_text(rows, 5);
        const struct export_part part = {
            .function = (uint32_t)sqlite3_column_int(rows, 1),
            .key = (uint64_t)sqlite3_column_int64(rows, 2),
            .value = (uint64_t)sqlite3_column_int64(rows, 3),
            .result = (uint64_t)sqlite3_column_int64(rows, 4),
            .list = list ? strdup(list) : NULL,
        };
        if ((list && !part.list) || !add_part(h, &part)) {
            return export_fail(x, SIM_ENOMEM, "out of memory");
        }
    }
    return SIM_OK;
}

/* Columns of the operation: 0 number, 1 client, 2 function, 3 outcome, 4 invoke_ns, 5 return_ns,
 * 6 key, 7 value, 8 expected, 9 result. */
static enum sim_status add_operation(struct export *x, struct export_history *h, sqlite3_stmt *row,
                                     sqlite3_stmt *parts, bool *more)
{
    if (!make_room(&h->operations, h->operation_count, sizeof *h->operations)) {
        return export_fail(x, SIM_ENOMEM, "out of memory");
    }
    const uint32_t function = (uint32_t)sqlite3_column_int(row, 2);
    struct export_operation *o = &h->operations[h->operation_count++];
    *o = (struct export_operation){
        .client = (uint32_t)sqlite3_column_int64(row, 1),
        .outcome = (uint32_t)sqlite3_column_int(row, 3),
        .first_part = h->part_count,
        .invoke_ns = (uint64_t)sqlite3_column_int64(row, 4),
        .return_ns = sqlite3_column_type(row, 5) == SQLITE_NULL
                         ? SIM_NEVER
                         : (uint64_t)sqlite3_column_int64(row, 5),
    };
    if (o->outcome == SIM_OUTCOME_OPEN) { /* In an unfinished run. */
        o->outcome = SIM_OUTCOME_INFO;
    }
    enum sim_status status = add_parts(x, h, parts, sqlite3_column_int64(row, 0), more);
    if (status == SIM_OK && function != SIM_TXN && function != SIM_READ_LIST) {
        const struct export_part part = {
            .function = function,
            .key = (uint64_t)sqlite3_column_int64(row, 6),
            .value = (uint64_t)sqlite3_column_int64(row, 7),
            .expected = (uint64_t)sqlite3_column_int64(row, 8),
            .result = (uint64_t)sqlite3_column_int64(row, 9),
        };
        status = add_part(h, &part) ? SIM_OK : export_fail(x, SIM_ENOMEM, "out of memory");
    }
    o->part_count = (uint32_t)(h->part_count - o->first_part);
    return status;
}

static enum sim_status read_all(struct export *x, struct export_history *h)
{
    sqlite3_stmt *parts =
        export_query(x, "select operation, function_id, key, value, result, list from part "
                        "order by operation, place");
    if (!parts) {
        return SIM_EINVAL;
    }
    sqlite3_stmt *rows = export_query(
        x, "select operation, client, function_id, outcome_id, invoke_ns, return_ns, key, value, "
           "expected, result from operation order by operation");
    enum sim_status status = rows ? SIM_OK : SIM_EINVAL;
    bool more = export_row(parts);
    while (status == SIM_OK && export_row(rows)) {
        status = add_operation(x, h, rows, parts, &more);
    }
    const enum sim_status parts_status = export_done(x, parts);
    const enum sim_status rows_status = rows ? export_done(x, rows) : SIM_EINVAL;
    return status != SIM_OK ? status : rows_status != SIM_OK ? rows_status : parts_status;
}

/* ---- What it is ----------------------------------------------------------------------------- */

/* Decide what was left open, and refuse what cannot be. */
static enum sim_status choose_model(struct export *x, struct export_history *h)
{
    bool lists = false;
    bool registers = false;
    bool several = false; /* Operations that are transactions. */
    for (size_t i = 0; i < h->part_count; i++) {
        const bool list = belongs(EXPORT_LIST_APPEND, h->parts[i].function);
        lists |= list;
        registers |= !list;
    }
    for (size_t i = 0; i < h->operation_count; i++) {
        several |= h->operations[i].part_count != 1;
    }
    const char *file = reading_file(x->reading);
    h->model = x->request->model;
    if (h->model == EXPORT_ANY_MODEL && lists && registers) {
        return export_fail(x, SIM_EINVAL,
                           "%s holds operations on lists and on registers, which no checker takes "
                           "together; choose --model list-append or --model rw-register",
                           file);
    }
    if (h->model == EXPORT_ANY_MODEL) {
        const bool plain = x->request->format == EXPORT_EDN && !several;
        h->model = lists ? EXPORT_LIST_APPEND : plain ? EXPORT_REGISTER : EXPORT_RW_REGISTER;
    }
    if (h->model == EXPORT_REGISTER && (lists || several)) {
        return export_fail(x, SIM_EINVAL,
                           "%s holds %s, which are no operations on a register; choose --model %s",
                           file, several ? "transactions" : "operations on lists",
                           lists ? "list-append" : "rw-register");
    }
    if (x->request->one_key && h->model != EXPORT_REGISTER) {
        return export_fail(x, SIM_EINVAL,
                           "--key goes with --model register: a transaction has several keys");
    }
    return SIM_OK;
}

static bool is_wanted(const struct export *x, const struct export_history *h,
                      const struct export_operation *o)
{
    for (uint32_t i = 0; i < o->part_count; i++) {
        const struct export_part *part = &h->parts[o->first_part + i];
        if (belongs(h->model, part->function) &&
            (!x->request->one_key || part->key == x->request->key)) {
            return true;
        }
    }
    return false;
}

static void keep_wanted(const struct export *x, struct export_history *h)
{
    size_t kept = 0;
    for (size_t i = 0; i < h->operation_count; i++) {
        if (is_wanted(x, h, &h->operations[i])) {
            h->operations[kept++] = h->operations[i];
        }
    }
    h->operation_count = kept;
}

/* ---- The order ------------------------------------------------------------------------------ */

struct session { /* A client, as operations are looked through in the order of their begins. */
    bool known;
    uint64_t process;
    size_t last; /* Its latest operation's end, in the entries. */
};

static void put_entry(struct export_history *h, size_t operation, uint64_t time_ns, uint32_t turn,
                      uint32_t outcome)
{
    h->entries[h->entry_count++] = (struct export_entry){
        .operation = operation, .time_ns = time_ns, .turn = turn, .outcome = outcome};
}

/* An operation of an open loop is due when it is due; it begins when its client is free. */
static void put_operation(struct export_history *h, size_t operation, struct session *s,
                          uint64_t *process_count)
{
    struct export_operation *o = &h->operations[operation];
    uint32_t turn = 1;
    if (!s->known) {
        s->process = (*process_count)++;
    } else {
        struct export_entry *before = &h->entries[s->last];
        if (before->outcome == SIM_OUTCOME_INFO) {
            s->process = (*process_count)++;
        } else if (before->time_ns >= o->invoke_ns) {
            const bool at_once = h->operations[before->operation].invoke_ns == before->time_ns;
            before->turn = at_once ? before->turn : 0;
            turn = before->turn + 1;
            o->invoke_ns = before->time_ns;
        }
    }
    s->known = true;
    o->process = s->process;
    put_entry(h, operation, o->invoke_ns, turn, SIM_OUTCOME_OPEN);
    s->last = h->entry_count;
    if (o->outcome == SIM_OUTCOME_INFO || o->return_ns == SIM_NEVER) {
        put_entry(h, operation, SIM_NEVER, 0, SIM_OUTCOME_INFO);
    } else {
        const bool at_once = o->return_ns == o->invoke_ns;
        put_entry(h, operation, o->return_ns, at_once ? turn + 1 : 2, o->outcome);
    }
}

static int compare_entries(const void *left, const void *right)
{
    const struct export_entry *a = left;
    const struct export_entry *b = right;
    if (a->time_ns != b->time_ns) {
        return a->time_ns < b->time_ns ? -1 : 1;
    }
    if (a->turn != b->turn) {
        return a->turn < b->turn ? -1 : 1;
    }
    return a->operation < b->operation ? -1 : a->operation > b->operation;
}

/* Those that never ended do so in the last moment that the history knows of. */
static void end_open(struct export_history *h)
{
    uint64_t last_ns = 0;
    for (size_t i = 0; i < h->entry_count; i++) {
        const uint64_t time_ns = h->entries[i].time_ns;
        last_ns = time_ns != SIM_NEVER && time_ns > last_ns ? time_ns : last_ns;
    }
    for (size_t i = 0; i < h->entry_count; i++) {
        if (h->entries[i].time_ns == SIM_NEVER) {
            h->entries[i].time_ns = last_ns;
        }
    }
}

static enum sim_status put_in_order(struct export *x, struct export_history *h)
{
    uint32_t client_max = 0;
    for (size_t i = 0; i < h->operation_count; i++) {
        const uint32_t client = h->operations[i].client;
        client_max = client > client_max ? client : client_max;
    }
    if (client_max >= SIM_NODES_MAX) {
        return export_fail(x, SIM_EINVAL, "%s is damaged: there is no client %" PRIu32,
                           reading_file(x->reading), client_max);
    }
    struct session *sessions = calloc((size_t)client_max + 1, sizeof *sessions);
    h->entries = malloc((2 * h->operation_count + 1) * sizeof *h->entries);
    if (!sessions || !h->entries) {
        free(sessions);
        return export_fail(x, SIM_ENOMEM, "out of memory");
    }
    uint64_t process_count = 0;
    for (size_t i = 0; i < h->operation_count; i++) {
        put_operation(h, i, &sessions[h->operations[i].client], &process_count);
    }
    free(sessions);
    /* Sorted while those have no time: they come last, whatever else the last moment has. */
    qsort(h->entries, h->entry_count, sizeof *h->entries, compare_entries);
    end_open(h);
    return SIM_OK;
}

enum sim_status export_history_load(struct export *x, struct export_history *history)
{
    *history = (struct export_history){.model = EXPORT_ANY_MODEL};
    enum sim_status status = read_all(x, history);
    status = status == SIM_OK ? choose_model(x, history) : status;
    if (status != SIM_OK) {
        return status;
    }
    keep_wanted(x, history);
    if (history->operation_count == 0) {
        return export_fail(x, SIM_EINVAL, "%s holds no such client operations",
                           reading_file(x->reading));
    }
    return put_in_order(x, history);
}

void export_history_release(struct export_history *history)
{
    for (size_t i = 0; i < history->part_count; i++) {
        free(history->parts[i].list);
    }
    free(history->parts);
    free(history->operations);
    free(history->entries);
}

/* ---- Transactions ---------------------------------------------------------------------------- */

static void put_begin(struct export *x, const struct export_notation *n, const char *what,
                      uint64_t key, bool *first)
{
    fprintf(x->out, "%s[%s%s%s%s%" PRIu64 "%s", *first ? "" : n->between, n->before, what, n->after,
            n->between, key, n->between);
    *first = false;
}

/* A register's value; 0 is absent, which is nothing. */
static void put_register(struct export *x, const struct export_notation *n, uint64_t value)
{
    if (value != 0) {
        fprintf(x->out, "%" PRIu64 "]", value);
    } else {
        fprintf(x->out, "%s]", n->nothing);
    }
}

void export_put_txn(struct export *x, const struct export_notation *n,
                    const struct export_history *history, const struct export_entry *entry)
{
    const struct export_operation *o = &history->operations[entry->operation];
    const bool ok = entry->outcome == SIM_OUTCOME_OK;
    bool first = true;
    fputc('[', x->out);
    for (uint32_t i = 0; i < o->part_count; i++) {
        const struct export_part *part = &history->parts[o->first_part + i];
        if (!belongs(history->model, part->function)) {
            continue;
        }
        switch (part->function) {
        case SIM_READ:
            put_begin(x, n, "r", part->key, &first);
            put_register(x, n, ok ? part->result : 0);
            break;
        case SIM_CAS: /* It took place, so it read what it expected. */
            put_begin(x, n, "r", part->key, &first);
            put_register(x, n, ok ? part->expected : 0);
            put_begin(x, n, "w", part->key, &first);
            put_register(x, n, part->value);
            break;
        case SIM_WRITE:
            put_begin(x, n, "w", part->key, &first);
            put_register(x, n, part->value);
            break;
        case SIM_READ_LIST:
            put_begin(x, n, "r", part->key, &first);
            fprintf(x->out, "%s]", ok && part->list ? part->list : n->nothing);
            break;
        default:
            put_begin(x, n, "append", part->key, &first);
            put_register(x, n, part->value);
            break;
        }
    }
    fputc(']', x->out);
}
