/* A whole trace in memory, with the words for its numbers. */
#include "reports/export_internal.h"

#include <inttypes.h>
#include <stdlib.h>

struct export_word_row { /* Sorted by what, owner and id. */
    char what[16];
    uint64_t owner;
    uint64_t id;
    char *text;
};

static uint32_t node_or_nobody(sqlite3_stmt *row, int column)
{
    return sqlite3_column_type(row, column) == SQLITE_NULL
               ? SIM_NOBODY
               : (uint32_t)sqlite3_column_int64(row, column);
}

/* Room for as many elements as the recording says there are, in *limit. */
static void *room(struct export *x, const char *count_sql, size_t element_bytes, size_t *limit)
{
    const int64_t count = reading_number(x->reading, count_sql, 0);
    void *array = count >= 0 && (uint64_t)count < SIZE_MAX / element_bytes - 1
                      ? calloc((size_t)count + 1, element_bytes)
                      : NULL;
    *limit = array ? (size_t)count : 0;
    if (!array) {
        (void)export_fail(x, SIM_ENOMEM, "this machine has no memory for the events of the run");
    }
    return array;
}

static enum sim_status read_events(struct export *x, struct export_trace *t)
{
    size_t limit;
    t->events = room(x, "select count(*) from event", sizeof *t->events, &limit);
    if (!t->events) {
        return SIM_ENOMEM;
    }
    sqlite3_stmt *rows = export_query(x, "select sequence, time_ns, kind, node, peer, detail, "
                                         "size_bytes, a, b from event order by sequence");
    if (!rows) {
        return SIM_EINVAL;
    }
    while (t->event_count < limit && export_row(rows)) {
        t->events[t->event_count++].record = (struct sim_record){
            .sequence = (uint64_t)sqlite3_column_int64(rows, 0),
            .time_ns = (uint64_t)sqlite3_column_int64(rows, 1),
            .kind = (uint16_t)sqlite3_column_int(rows, 2),
            .node = node_or_nobody(rows, 3),
            .peer = node_or_nobody(rows, 4),
            .detail = (uint16_t)sqlite3_column_int(rows, 5),
            .size_bytes = (uint32_t)sqlite3_column_int64(rows, 6),
            .a = (uint64_t)sqlite3_column_int64(rows, 7),
            .b = (uint64_t)sqlite3_column_int64(rows, 8),
        };
    }
    return export_done(x, rows);
}

static enum sim_status read_nodes(struct export *x, struct export_trace *t)
{
    size_t limit;
    t->nodes = room(x, "select count(*) from node", sizeof *t->nodes, &limit);
    if (!t->nodes) {
        return SIM_ENOMEM;
    }
    sqlite3_stmt *rows = export_query(x, "select name, kind_id from node order by node");
    if (!rows) {
        return SIM_EINVAL;
    }
    enum sim_status status = SIM_OK;
    while (status == SIM_OK && t->node_count < limit && export_row(rows)) {
        struct export_node *node = &t->nodes[t->node_count++];
        const char *name = (const char *)sqlite3_column_text(rows, 0);
        node->name = strdup(name ? name : "?");
        node->kind = (uint64_t)sqlite3_column_int64(rows, 1);
        status = node->name ? SIM_OK : export_fail(x, SIM_ENOMEM, "out of memory");
    }
    const enum sim_status done = export_done(x, rows);
    return status != SIM_OK ? status : done;
}

static enum sim_status read_words(struct export *x, struct export_trace *t)
{
    size_t limit;
    t->words = room(x, "select count(*) from name", sizeof *t->words, &limit);
    if (!t->words) {
        return SIM_ENOMEM;
    }
    sqlite3_stmt *rows =
        export_query(x, "select what, owner, id, text from name order by what, owner, id");
    if (!rows) {
        return SIM_EINVAL;
    }
    enum sim_status status = SIM_OK;
    while (status == SIM_OK && t->word_count < limit && export_row(rows)) {
        struct export_word_row *word = &t->words[t->word_count++];
        const char *what = (const char *)sqlite3_column_text(rows, 0);
        const char *text = (const char *)sqlite3_column_text(rows, 3);
        (void)snprintf(word->what, sizeof word->what, "%s", what ? what : "");
        word->owner = (uint64_t)sqlite3_column_int64(rows, 1);
        word->id = (uint64_t)sqlite3_column_int64(rows, 2);
        word->text = strdup(text ? text : "?");
        status = word->text ? SIM_OK : export_fail(x, SIM_ENOMEM, "out of memory");
    }
    const enum sim_status done = export_done(x, rows);
    return status != SIM_OK ? status : done;
}

static int compare_words(const void *left, const void *right)
{
    const struct export_word_row *a = left;
    const struct export_word_row *b = right;
    const int by_what = strcmp(a->what, b->what);
    if (by_what != 0) {
        return by_what;
    }
    if (a->owner != b->owner) {
        return a->owner < b->owner ? -1 : 1;
    }
    return a->id < b->id ? -1 : a->id > b->id;
}

const char *export_word(const struct export_trace *t, const char *what, uint64_t owner, uint64_t id)
{
    struct export_word_row wanted = {.owner = owner, .id = id};
    (void)snprintf(wanted.what, sizeof wanted.what, "%s", what);
    const struct export_word_row *found =
        bsearch(&wanted, t->words, t->word_count, sizeof *t->words, compare_words);
    return found ? found->text : NULL;
}

/* Each delivery and its send know of each other. */
static enum sim_status join(struct export *x, struct export_trace *t)
{
    size_t *sends = join_sends(t->events, sizeof *t->events, t->event_count);
    if (!sends) {
        return export_fail(x, SIM_ENOMEM, "this machine has no memory for the events of the run");
    }
    for (size_t i = 0; i < t->event_count; i++) {
        t->events[i].send = EXPORT_NONE;
        t->events[i].next = EXPORT_NONE;
    }
    for (size_t i = t->event_count; i-- > 0;) { /* So that chains are in the order of time. */
        if (sends[i] != EXPORT_NONE && t->events[i].record.kind == SIM_REC_DELIVER) {
            t->events[i].send = sends[i];
            t->events[i].next = t->events[sends[i]].next;
            t->events[sends[i]].next = i;
        }
    }
    free(sends);
    return SIM_OK;
}

/* A number outside would be an index outside: only a damaged file has one. */
static enum sim_status check_nodes(struct export *x, const struct export_trace *t)
{
    for (size_t i = 0; i < t->event_count; i++) {
        const struct sim_record *r = &t->events[i].record;
        const bool message = r->kind >= SIM_REC_SEND && r->kind <= SIM_REC_DROP;
        if ((r->node != SIM_NOBODY && r->node >= t->node_count) ||
            (message && (r->node >= t->node_count || r->peer >= t->node_count)) ||
            r->kind >= SIM_REC_KIND_COUNT) {
            return export_fail(x, SIM_EINVAL, "%s is damaged: its event %llu is of no node",
                               reading_file(x->reading), (unsigned long long)r->sequence);
        }
    }
    return SIM_OK;
}

enum sim_status export_trace_load(struct export *x, struct export_trace *trace)
{
    *trace = (struct export_trace){.events = NULL};
    enum sim_status status = read_nodes(x, trace);
    status = status == SIM_OK ? read_words(x, trace) : status;
    status = status == SIM_OK ? read_events(x, trace) : status;
    status = status == SIM_OK ? check_nodes(x, trace) : status;
    return status == SIM_OK ? join(x, trace) : status;
}

void export_trace_release(struct export_trace *trace)
{
    for (size_t i = 0; trace->nodes && i < trace->node_count; i++) {
        free(trace->nodes[i].name);
    }
    for (size_t i = 0; trace->words && i < trace->word_count; i++) {
        free(trace->words[i].text);
    }
    free(trace->nodes);
    free(trace->words);
    free(trace->events);
}

const char *export_node_name(const struct export_trace *t, uint32_t node)
{
    return node < t->node_count ? t->nodes[node].name : "the cluster";
}

/* The sender's kind names a message; requests and answers of clients have names of their own. */
const char *export_message_name(const struct export_trace *t, const struct sim_record *r)
{
    const uint32_t sender = r->kind == SIM_REC_SEND ? r->node : r->peer;
    const char *name =
        sender < t->node_count ? export_word(t, "message", t->nodes[sender].kind, r->detail) : NULL;
    return name ? name : "message";
}

const char *export_fact_value(const struct export_trace *t, const struct sim_record *r,
                              uint64_t value)
{
    return export_word(t, "value", 256 * t->nodes[r->node].kind + r->detail, value);
}

static void fact_words(const struct export_trace *t, const struct sim_record *r, char *words,
                       size_t size_bytes)
{
    const char *fact = export_word(t, "fact", t->nodes[r->node].kind, r->detail);
    const char *now = export_fact_value(t, r, r->a);
    const char *was = export_fact_value(t, r, r->b);
    if (now && was) {
        (void)snprintf(words, size_bytes, "%s %s (was %s)", fact ? fact : "fact", now, was);
    } else {
        (void)snprintf(words, size_bytes, "%s %" PRId64 " (was %" PRId64 ")", fact ? fact : "fact",
                       (int64_t)r->a, (int64_t)r->b);
    }
}

void export_words(const struct export_trace *t, const struct sim_record *r, char *words,
                  size_t size_bytes)
{
    const char *peer = export_node_name(t, r->peer);
    const char *word = NULL;
    switch ((enum sim_record_kind)r->kind) {
    case SIM_REC_SEND:
        (void)snprintf(words, size_bytes, "send %s to %s", export_message_name(t, r), peer);
        return;
    case SIM_REC_DELIVER:
        (void)snprintf(words, size_bytes, "recv %s from %s", export_message_name(t, r), peer);
        return;
    case SIM_REC_DROP:
        (void)snprintf(words, size_bytes, "never gets %s from %s (%s)", export_message_name(t, r),
                       peer, sim_drop_name((uint32_t)r->b));
        return;
    case SIM_REC_CRASH:
        (void)snprintf(words, size_bytes, "crash, %" PRIu64 " unsynced records lost", r->b);
        return;
    case SIM_REC_TIMER:
        (void)snprintf(words, size_bytes, "timer %u", (unsigned)r->detail);
        return;
    case SIM_REC_SYNCED:
        (void)snprintf(words, size_bytes, r->detail == SIM_OK ? "synced" : "sync failed");
        return;
    case SIM_REC_INVOKE:
        word = export_word(t, "function", 0, r->detail);
        (void)snprintf(words, size_bytes, "invoke %s", word ? word : "?");
        return;
    case SIM_REC_RETURN:
        word = export_word(t, "outcome", 0, r->detail);
        (void)snprintf(words, size_bytes, "return %s", word ? word : "?");
        return;
    case SIM_REC_FACT:
        fact_words(t, r, words, size_bytes);
        return;
    case SIM_REC_FAULT:
        word = export_word(t, "fault", 0, r->detail);
        (void)snprintf(words, size_bytes, "fault %s %s", word ? word : "?",
                       r->b ? "begins" : "ends");
        return;
    case SIM_REC_SETTING:
        word = export_word(t, "setting", t->nodes[r->node].kind, r->detail);
        (void)snprintf(words, size_bytes, "setting %s = %" PRId64, word ? word : "?",
                       (int64_t)r->a);
        return;
    case SIM_REC_VIOLATION:
        word = export_word(t, "check", 0, r->detail);
        (void)snprintf(words, size_bytes, "VIOLATES %s", word ? word : "?");
        return;
    default: /* boot, pause, resume, leave, ...: their own names say it. */
        (void)snprintf(words, size_bytes, "%s", sim_record_kind_name(r->kind));
        return;
    }
}
