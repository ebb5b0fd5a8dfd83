/* Chrome's trace events, as JSON, for ui.perfetto.dev.
 *
 * A process for each node and client, and in it
 *     events      a slice for whatever it handles: a delivery, a timer, the end of a sync. It is
 *                 1 ns long, since code takes no virtual time. Messages are flows from slice to
 *                 slice; what happens besides is an instant.
 *     role, ...   a slice as long as a fact with named values keeps one, or the host is down
 *     counters    of facts that are numbers
 *     operations  of a client, begun and ended, on a track of their own
 * and a process for the faults. Times are microseconds with three decimals. Flow ids are strings,
 * which are read as hexadecimal. */
#include "reports/export_internal.h"

#include <inttypes.h>
#include <stdlib.h>

#define TRACK_EVENTS 1u
#define TRACK_HOST 2u
#define TRACK_FACT 3u /* Of fact f: 3 + f. */

struct lasting {      /* A slice that is open. */
    const char *name; /* NULL: none. */
    uint64_t since_ns;
};

struct host {
    uint64_t slice_ns;    /* Of the latest slice of its events, SIM_NEVER if there is none. */
    struct lasting state; /* Down or paused. */
    struct lasting facts[SIM_FACTS_MAX];
};

struct drawing {
    struct export *x;
    struct export_trace trace;
    struct host *hosts;
    uint64_t end_ns;
    bool begun; /* Some event has been written: the next is behind a comma. */
};

static uint64_t pid_of(uint32_t node)
{
    return (uint64_t)node + 1;
}

static void put_text(FILE *out, const char *text)
{
    fputc('"', out);
    for (; *text; text++) {
        if (*text == '"' || *text == '\\') {
            fputc('\\', out);
        }
        fputc((unsigned char)*text < ' ' ? ' ' : *text, out);
    }
    fputc('"', out);
}

/* Everything but the braces around it; the caller closes the object. */
static void put_head(struct drawing *d, const char *phase, uint64_t pid, uint64_t tid,
                     uint64_t time_ns, const char *category, const char *name)
{
    FILE *out = d->x->out;
    fprintf(out,
            "%s{\"ph\":\"%s\",\"pid\":%" PRIu64 ",\"tid\":%" PRIu64 ",\"ts\":%" PRIu64
            ".%03u,\"cat\":\"%s\",\"name\":",
            d->begun ? ",\n" : "\n", phase, pid, tid, time_ns / SIM_US,
            (unsigned)(time_ns % SIM_US), category);
    put_text(out, name);
    d->begun = true;
}

static void put_name(struct drawing *d, const char *what, uint64_t pid, uint64_t tid,
                     const char *name)
{
    fprintf(d->x->out, "%s{\"ph\":\"M\",\"pid\":%" PRIu64 ",\"tid\":%" PRIu64 ",\"name\":\"%s\"",
            d->begun ? ",\n" : "\n", pid, tid, what);
    fputs(",\"args\":{\"name\":", d->x->out);
    put_text(d->x->out, name);
    fputs("}}", d->x->out);
    d->begun = true;
}

static void put_place(struct drawing *d, const char *what, uint64_t pid, uint64_t tid,
                      uint64_t place)
{
    fprintf(d->x->out,
            ",\n{\"ph\":\"M\",\"pid\":%" PRIu64 ",\"tid\":%" PRIu64
            ",\"name\":\"%s\",\"args\":{\"sort_index\":%" PRIu64 "}}",
            pid, tid, what, place);
}

static void put_slice(struct drawing *d, uint64_t pid, uint64_t tid, uint64_t from_ns,
                      uint64_t to_ns, const char *category, const char *name)
{
    const uint64_t length_ns = to_ns - from_ns;
    put_head(d, "X", pid, tid, from_ns, category, name);
    fprintf(d->x->out, ",\"dur\":%" PRIu64 ".%03u}", length_ns / SIM_US,
            (unsigned)(length_ns % SIM_US));
}

/* ---- What lasts ------------------------------------------------------------------------------ */

static bool is_shown(const struct drawing *d, uint64_t time_ns)
{
    const struct export_request *request = d->x->request;
    return time_ns >= request->from_ns && (request->to_ns == 0 || time_ns < request->to_ns);
}

/* End what lasts, and begin what comes instead; NULL: nothing does. */
static void change(struct drawing *d, struct lasting *lasting, uint32_t node, uint64_t tid,
                   uint64_t now_ns, const char *name)
{
    const struct export_request *request = d->x->request;
    const uint64_t from_ns =
        lasting->since_ns > request->from_ns ? lasting->since_ns : request->from_ns;
    const uint64_t to_ns = request->to_ns && request->to_ns < now_ns ? request->to_ns : now_ns;
    if (lasting->name && to_ns > from_ns) {
        put_slice(d, pid_of(node), tid, from_ns, to_ns, tid == TRACK_HOST ? "host" : "fact",
                  lasting->name);
    }
    *lasting = (struct lasting){.name = name, .since_ns = now_ns};
}

static void change_facts(struct drawing *d, uint32_t node, uint64_t now_ns, bool boots)
{
    const uint64_t kind = d->trace.nodes[node].kind;
    for (uint32_t f = 0; f < SIM_FACTS_MAX; f++) {
        /* A node that starts has its facts at 0 until it says otherwise. */
        const char *name = boots ? export_word(&d->trace, "value", 256 * kind + f, 0) : NULL;
        change(d, &d->hosts[node].facts[f], node, TRACK_FACT + f, now_ns, name);
    }
}

static void follow_host(struct drawing *d, const struct sim_record *r)
{
    struct host *host = &d->hosts[r->node];
    switch (r->kind) {
    case SIM_REC_BOOT:
        change(d, &host->state, r->node, TRACK_HOST, r->time_ns, NULL);
        change_facts(d, r->node, r->time_ns, true);
        break;
    case SIM_REC_CRASH:
    case SIM_REC_LEAVE:
        change(d, &host->state, r->node, TRACK_HOST, r->time_ns, "down");
        change_facts(d, r->node, r->time_ns, false);
        break;
    case SIM_REC_PAUSE:
        change(d, &host->state, r->node, TRACK_HOST, r->time_ns, "paused");
        break;
    case SIM_REC_RESUME:
        change(d, &host->state, r->node, TRACK_HOST, r->time_ns, NULL);
        break;
    default:
        break;
    }
}

static void follow_fact(struct drawing *d, const struct sim_record *r)
{
    const char *value = export_fact_value(&d->trace, r, r->a);
    if (value && r->detail < SIM_FACTS_MAX) {
        change(d, &d->hosts[r->node].facts[r->detail], r->node, TRACK_FACT + r->detail, r->time_ns,
               value);
    } else if (!value && is_shown(d, r->time_ns)) {
        const char *fact = export_word(&d->trace, "fact", d->trace.nodes[r->node].kind, r->detail);
        put_head(d, "C", pid_of(r->node), TRACK_EVENTS, r->time_ns, "fact", fact ? fact : "fact");
        fprintf(d->x->out, ",\"args\":{\"value\":%" PRId64 "}}", (int64_t)r->a);
    }
}

/* ---- Events ---------------------------------------------------------------------------------- */

static void put_moment(struct drawing *d, const struct sim_record *r, const char *name)
{
    put_slice(d, pid_of(r->node), TRACK_EVENTS, r->time_ns, r->time_ns + 1, "event", name);
    d->hosts[r->node].slice_ns = r->time_ns;
}

static void put_flow(struct drawing *d, const char *phase, const struct sim_record *r, uint64_t id)
{
    put_head(d, phase, pid_of(r->node), TRACK_EVENTS, r->time_ns, "message",
             export_message_name(&d->trace, r));
    fprintf(d->x->out, ",\"bp\":\"e\",\"id\":\"%" PRIx64 "\"}", id);
}

static void put_send(struct drawing *d, size_t at)
{
    const struct export_event *event = &d->trace.events[at];
    const struct sim_record *r = &event->record;
    if (d->hosts[r->node].slice_ns != r->time_ns) {
        /* Of what came before and waited for the cpu; and what clients do of their own accord. */
        put_moment(d, r, "at work");
    }
    for (size_t i = event->next; i != EXPORT_NONE; i = d->trace.events[i].next) {
        if (is_shown(d, d->trace.events[i].record.time_ns)) {
            put_flow(d, "s", r, d->trace.events[i].record.sequence);
        }
    }
}

static void put_instant(struct drawing *d, const struct sim_record *r, const char *scope,
                        const char *words)
{
    put_head(d, "i", pid_of(r->node), TRACK_EVENTS, r->time_ns, "event", words);
    fprintf(d->x->out, ",\"s\":\"%s\"}", scope);
}

static void put_event(struct drawing *d, size_t at)
{
    const struct sim_record *r = &d->trace.events[at].record;
    const size_t send = d->trace.events[at].send;
    char words[160];
    export_words(&d->trace, r, words, sizeof words);
    switch ((enum sim_record_kind)r->kind) {
    case SIM_REC_DELIVER:
        put_moment(d, r, words);
        if (send != EXPORT_NONE && is_shown(d, d->trace.events[send].record.time_ns)) {
            put_flow(d, "f", r, r->sequence);
        }
        break;
    case SIM_REC_BOOT:
    case SIM_REC_TIMER:
    case SIM_REC_SYNCED:
    case SIM_REC_RESUME:
    case SIM_REC_SETTING:
    case SIM_REC_INVOKE:
        put_moment(d, r, words);
        break;
    case SIM_REC_SEND:
        put_send(d, at);
        break;
    case SIM_REC_CRASH:
    case SIM_REC_PAUSE:
    case SIM_REC_LEAVE:
    case SIM_REC_DROP:
    case SIM_REC_RETURN:
        put_instant(d, r, "t", words);
        break;
    case SIM_REC_VIOLATION:
        put_instant(d, r, "g", words);
        break;
    default:
        break; /* Disks and clocks; facts have tracks of their own, like faults. */
    }
}

static void put_events(struct drawing *d)
{
    for (size_t i = 0; i < d->trace.event_count; i++) {
        const struct sim_record *r = &d->trace.events[i].record;
        if (r->node == SIM_NOBODY) {
            continue;
        }
        if (is_shown(d, r->time_ns)) {
            put_event(d, i);
        }
        if (r->kind == SIM_REC_FACT) {
            follow_fact(d, r);
        } else {
            follow_host(d, r);
        }
    }
    for (uint32_t node = 0; node < d->trace.node_count; node++) {
        change_facts(d, node, d->end_ns, false);
        change(d, &d->hosts[node].state, node, TRACK_HOST, d->end_ns, NULL);
    }
}

/* ---- Tracks, operations, faults -------------------------------------------------------------- */

static void put_tracks(struct drawing *d)
{
    const struct export_trace *t = &d->trace;
    for (uint32_t node = 0; node < t->node_count; node++) {
        const uint64_t pid = pid_of(node);
        put_name(d, "process_name", pid, TRACK_EVENTS, export_node_name(t, node));
        put_place(d, "process_sort_index", pid, TRACK_EVENTS, node);
        put_name(d, "thread_name", pid, TRACK_EVENTS, "events");
        put_place(d, "thread_sort_index", pid, TRACK_EVENTS, TRACK_FACT + SIM_FACTS_MAX);
        for (uint32_t f = 0; f < SIM_FACTS_MAX; f++) {
            const char *fact = export_word(t, "fact", t->nodes[node].kind, f);
            if (fact && export_word(t, "value", 256 * t->nodes[node].kind + f, 0)) {
                put_name(d, "thread_name", pid, TRACK_FACT + f, fact);
                put_place(d, "thread_sort_index", pid, TRACK_FACT + f, TRACK_FACT + f);
            }
        }
        put_name(d, "thread_name", pid, TRACK_HOST, "host");
        put_place(d, "thread_sort_index", pid, TRACK_HOST, TRACK_HOST);
    }
    put_name(d, "process_name", pid_of((uint32_t)t->node_count), TRACK_EVENTS, "faults");
}

/* Begin and end of something that others overlap. Columns: 0 id, 1 begin, 2 end or NULL, 3 node
 * or NULL, 4 name, 5 what is told of its end, or NULL. */
static enum sim_status put_spans(struct drawing *d, const char *category, const char *sql)
{
    sqlite3_stmt *rows = export_query(d->x, sql);
    if (!rows) {
        return SIM_EINVAL;
    }
    while (export_row(rows)) {
        const uint64_t id = (uint64_t)sqlite3_column_int64(rows, 0);
        const uint64_t from_ns = (uint64_t)sqlite3_column_int64(rows, 1);
        const bool ends = sqlite3_column_type(rows, 2) != SQLITE_NULL;
        const uint64_t to_ns = ends ? (uint64_t)sqlite3_column_int64(rows, 2) : d->end_ns;
        const uint64_t pid = sqlite3_column_type(rows, 3) == SQLITE_NULL
                                 ? pid_of((uint32_t)d->trace.node_count)
                                 : pid_of((uint32_t)sqlite3_column_int64(rows, 3));
        const char *name = (const char *)sqlite3_column_text(rows, 4);
        const char *end = (const char *)sqlite3_column_text(rows, 5);
        if (!is_shown(d, from_ns) && !is_shown(d, to_ns)) {
            continue;
        }
        put_head(d, "b", pid, TRACK_EVENTS, from_ns, category, name ? name : "?");
        fprintf(d->x->out, ",\"id\":%" PRIu64 "}", id);
        put_head(d, "e", pid, TRACK_EVENTS, to_ns, category, name ? name : "?");
        fprintf(d->x->out, ",\"id\":%" PRIu64 ",\"args\":{\"end\":", id);
        put_text(d->x->out, end ? end : "");
        fputs("}}", d->x->out);
    }
    return export_done(d->x, rows);
}

static enum sim_status draw(struct drawing *d)
{
    fputs("{\"displayTimeUnit\":\"ns\",\"traceEvents\":[", d->x->out);
    put_tracks(d);
    put_events(d);
    enum sim_status status = put_spans(
        d, "operation",
        "select operation, invoke_ns, return_ns, c.node, function || coalesce(' ' || key, '') || "
        "coalesce(' ' || value, '') || coalesce(' ' || parts, ''), "
        "outcome || coalesce(' ' || result, '') "
        "from operations o join node c on c.name = o.client order by operation");
    if (status == SIM_OK) {
        status = put_spans(d, "fault",
                           "select sequence, from_ns, until_ns, null, kind || coalesce(' ' || "
                           "shape, '') || coalesce(' ' || node, '') || coalesce(' towards ' || "
                           "peer, ''), null from faults order by sequence");
    }
    fputs("\n]}\n", d->x->out);
    return status;
}

enum sim_status export_perfetto(struct export *x)
{
    struct drawing d = {.x = x};
    enum sim_status status = export_trace_load(x, &d.trace);
    if (status == SIM_OK) {
        d.hosts = calloc(d.trace.node_count + 1, sizeof *d.hosts);
        status = d.hosts ? SIM_OK : export_fail(x, SIM_ENOMEM, "out of memory");
    }
    for (size_t i = 0; status == SIM_OK && i < d.trace.node_count; i++) {
        d.hosts[i].slice_ns = SIM_NEVER;
    }
    if (status == SIM_OK) {
        d.end_ns = d.trace.event_count ? d.trace.events[d.trace.event_count - 1].record.time_ns : 0;
        status = draw(&d);
    }
    free(d.hosts);
    export_trace_release(&d.trace);
    return status;
}
