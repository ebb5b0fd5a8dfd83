/* A log for ShiViz (bestchai.bitbucket.io/shiviz): its parser, then an event a line, with a vector
 * clock (Fidge 1988, Mattern 1989) that says what happened before what.
 *
 *     n2 {"n1":1,"n2":1} t=2500 recv append_entries from n1
 *
 * Each event is one tick of its host's own counter, from 1; a delivery also learns what its
 * sender knew at the send. Told are messages, facts, operations, faults and what befell hosts;
 * timers, disks and clocks are left out, or nobody could see the rest. */
#include "reports/export_internal.h"

#include <inttypes.h>
#include <stdlib.h>

#define TOLD                                                                                       \
    (1u << SIM_REC_BOOT | 1u << SIM_REC_CRASH | 1u << SIM_REC_PAUSE | 1u << SIM_REC_RESUME |       \
     1u << SIM_REC_LEAVE | 1u << SIM_REC_SEND | 1u << SIM_REC_DELIVER | 1u << SIM_REC_INVOKE |     \
     1u << SIM_REC_RETURN | 1u << SIM_REC_FACT | 1u << SIM_REC_FAULT | 1u << SIM_REC_SETTING |     \
     1u << SIM_REC_VIOLATION)

/* The parser is a JavaScript expression; the page puts ^ and $ around it. */
#define PARSER "(?<host>\\S+) (?<clock>\\{.*\\}) t=(?<date>\\d+) (?<event>.*)"
#define DELIMITER "=== (?<trace>.*) ==="

struct clocks {
    const struct export_trace *trace;
    uint32_t *now;   /* By host, each a vector by host. */
    uint32_t **sent; /* By event: of a send whose message is still to come, its sender's vector. */
};

static uint32_t *clock_of(const struct clocks *c, uint32_t host)
{
    return &c->now[(size_t)host * c->trace->node_count];
}

static bool is_told(const struct export *x, const struct sim_record *r)
{
    const struct export_request *request = x->request;
    return r->node != SIM_NOBODY && (TOLD >> r->kind & 1) && r->time_ns >= request->from_ns &&
           (request->to_ns == 0 || r->time_ns < request->to_ns);
}

/* A send's vector is kept until its last delivery has learnt it. */
static bool keep(struct clocks *c, size_t at)
{
    const struct export_event *event = &c->trace->events[at];
    if (event->record.kind != SIM_REC_SEND || event->next == EXPORT_NONE) {
        return true;
    }
    const size_t size = c->trace->node_count * sizeof **c->sent;
    c->sent[at] = malloc(size);
    if (c->sent[at]) {
        memcpy(c->sent[at], clock_of(c, event->record.node), size);
    }
    return c->sent[at] != NULL;
}

static void learn(struct clocks *c, size_t at)
{
    const struct export_event *event = &c->trace->events[at];
    uint32_t *from = event->send != EXPORT_NONE ? c->sent[event->send] : NULL;
    uint32_t *to = clock_of(c, event->record.node);
    for (uint32_t host = 0; from && host < c->trace->node_count; host++) {
        to[host] = from[host] > to[host] ? from[host] : to[host];
    }
    if (from && event->next == EXPORT_NONE) {
        free(from);
        c->sent[event->send] = NULL;
    }
}

static void put_event(struct export *x, const struct clocks *c, size_t at)
{
    const struct sim_record *r = &c->trace->events[at].record;
    const uint32_t *vector = clock_of(c, r->node);
    char words[160];
    export_words(c->trace, r, words, sizeof words);
    fprintf(x->out, "%s {", export_node_name(c->trace, r->node));
    const char *separator = "";
    for (uint32_t host = 0; host < c->trace->node_count; host++) {
        if (vector[host] > 0) {
            fprintf(x->out, "%s\"%s\":%" PRIu32, separator, export_node_name(c->trace, host),
                    vector[host]);
            separator = ",";
        }
    }
    fprintf(x->out, "} t=%" PRIu64 " %s\n", r->time_ns, words);
}

static enum sim_status put_all(struct export *x, struct clocks *c)
{
    for (size_t i = 0; i < c->trace->event_count; i++) {
        const struct sim_record *r = &c->trace->events[i].record;
        if (!is_told(x, r)) {
            continue;
        }
        if (r->kind == SIM_REC_DELIVER) {
            learn(c, i);
        }
        clock_of(c, r->node)[r->node]++;
        if (!keep(c, i)) {
            return export_fail(x, SIM_ENOMEM, "out of memory");
        }
        put_event(x, c, i);
    }
    return SIM_OK;
}

enum sim_status export_shiviz(struct export *x)
{
    struct export_trace trace;
    enum sim_status status = export_trace_load(x, &trace);
    struct clocks c = {.trace = &trace};
    if (status == SIM_OK) {
        c.now = calloc(trace.node_count * trace.node_count + 1, sizeof *c.now);
        c.sent = calloc(trace.event_count + 1, sizeof *c.sent);
        status = c.now && c.sent ? SIM_OK : export_fail(x, SIM_ENOMEM, "out of memory");
    }
    if (status == SIM_OK) {
        fprintf(x->out, "%s\n%s\n=== seed %" PRIu64 " ===\n", PARSER, DELIMITER,
                (uint64_t)reading_number(x->reading, "select seed from run", 0));
        status = put_all(x, &c);
    }
    for (size_t i = 0; c.sent && i < trace.event_count; i++) {
        free(c.sent[i]);
    }
    free(c.sent);
    free(c.now);
    export_trace_release(&trace);
    return status;
}
