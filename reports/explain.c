/* Finding causes: the records of a run as a graph, and the part of it that mattered. */
#include "reports/explain_internal.h"

#include <stdlib.h>

/* ---- Collecting -------------------------------------------------------------------------- */

static bool is_trigger(const struct sim_record *r)
{
    return r->kind == SIM_REC_BOOT || r->kind == SIM_REC_DELIVER || r->kind == SIM_REC_TIMER ||
           r->kind == SIM_REC_SYNCED || r->kind == SIM_REC_RESUME || r->kind == SIM_REC_SETTING ||
           (r->kind == SIM_REC_FAULT && r->detail == SIM_FAULT_COMMAND);
}

static bool make_room(struct explain *e)
{
    if (e->count < e->capacity) {
        return true;
    }
    const size_t capacity = e->capacity ? 2 * e->capacity : 4096;
    struct explain_record *records = capacity > e->capacity && capacity < SIZE_MAX / sizeof *records
                                         ? realloc(e->records, capacity * sizeof *records)
                                         : NULL;
    if (!records) {
        e->out_of_memory = true;
        return false;
    }
    e->records = records;
    e->capacity = capacity;
    return true;
}

static void collect(void *context, const struct sim_record *record)
{
    struct explain *e = context;
    if (e->violated || e->out_of_memory || !make_room(e)) {
        return;
    }
    const size_t at = e->count++;
    struct explain_record *r = &e->records[at];
    *r = (struct explain_record){.record = *record,
                                 .previous = EXPLAIN_NONE,
                                 .cause = EXPLAIN_NONE,
                                 .trigger = EXPLAIN_NONE};
    e->violated = record->kind == SIM_REC_VIOLATION;
    if (record->node >= e->plan->node_count) {
        return;
    }
    r->previous = e->last[record->node];
    e->last[record->node] = at;
    if (is_trigger(record)) {
        e->trigger[record->node] = at;
        return;
    }
    r->trigger = e->trigger[record->node];
    if (r->trigger != EXPLAIN_NONE &&
        (record->kind == SIM_REC_FACT || record->kind == SIM_REC_WRITE)) {
        e->records[r->trigger].changes = true;
    }
}

struct explain *explain_new(const struct sim_plan *plan)
{
    struct explain *e = calloc(1, sizeof *e);
    if (!e) {
        return NULL;
    }
    e->plan = plan;
    e->last = malloc((plan->node_count + 1) * sizeof *e->last);
    e->trigger = malloc((plan->node_count + 1) * sizeof *e->trigger);
    if (!e->last || !e->trigger) {
        explain_free(e);
        return NULL;
    }
    for (uint32_t node = 0; node < plan->node_count; node++) {
        e->last[node] = EXPLAIN_NONE;
        e->trigger[node] = EXPLAIN_NONE;
    }
    e->sink =
        (struct sim_sink){.context = e, .kinds = (1u << SIM_REC_KIND_COUNT) - 1, .record = collect};
    return e;
}

void explain_free(struct explain *e)
{
    if (e) {
        free(e->records);
        free(e->last);
        free(e->trigger);
        free(e->lines);
        free(e);
    }
}

const struct sim_sink *explain_sink(struct explain *e)
{
    return &e->sink;
}

uint32_t explain_check(const struct explain *e)
{
    return e->records[e->count - 1].record.detail;
}

static bool join_messages(struct explain *e)
{
    size_t *sends = join_sends(e->records, sizeof *e->records, e->count);
    for (size_t i = 0; sends && i < e->count; i++) {
        e->records[i].cause = sends[i];
    }
    const bool joined = sends != NULL;
    free(sends);
    return joined;
}

/* ---- The cone ------------------------------------------------------------------------------- */

/* Answers are counted, as votes are; requests stand alone. By the name of their kind. */
static bool is_answer(const struct sim_node_kind *kind, uint32_t message_kind)
{
    for (uint32_t i = 0; kind && kind->message_names && kind->message_names[i]; i++) {
        if (i == message_kind) {
            return strstr(kind->message_names[i], "_reply") ||
                   strstr(kind->message_names[i], "_result") ||
                   strstr(kind->message_names[i], "_response");
        }
    }
    return false;
}

bool explain_gathers(const struct explain *e, size_t fact, size_t delivery)
{
    const struct explain_record *f = &e->records[fact];
    const struct sim_record *d = &e->records[delivery].record;
    if (f->trigger == EXPLAIN_NONE) {
        return false;
    }
    const struct sim_record *t = &e->records[f->trigger].record;
    return t->kind == SIM_REC_DELIVER && d->kind == SIM_REC_DELIVER && d->detail == t->detail &&
           is_answer(e->plan->nodes[t->node].kind, t->detail);
}

/* Mark what came together for a named fact, such as a role, since the fact before. */
static void keep_gathered(struct explain *e, size_t fact)
{
    const struct sim_record *f = &e->records[fact].record;
    const struct sim_node_kind *kind = e->plan->nodes[f->node].kind;
    if (!kind || f->detail >= kind->fact_count || !explain_is_named(&kind->facts[f->detail])) {
        return;
    }
    bool passed = false; /* The facts that changed together with this one. */
    for (size_t at = fact; at != EXPLAIN_NONE; at = e->records[at].previous) {
        passed |= at == e->records[fact].trigger;
        if (passed && e->records[at].record.kind == SIM_REC_FACT) {
            return;
        }
        if (explain_gathers(e, fact, at)) {
            e->records[at].changes = true;
        }
    }
}

/* Where the violation was complete: what is judged at the end of a run says which record shows it,
 * and of that node what it did last. */
static size_t find_origin(const struct explain *e)
{
    const struct sim_record *violation = &e->records[e->count - 1].record;
    size_t at =
        violation->a > 0 && violation->a < e->count ? (size_t)violation->a - 1 : e->count - 1;
    while (at > 0 && violation->node != SIM_NOBODY &&
           e->records[at].record.node != violation->node) {
        at--;
    }
    return at;
}

/* A violation that is seen at no node, such as a lack of progress, concerns every server. */
static void keep_servers(struct explain *e, size_t origin)
{
    if (e->records[origin].record.node < e->plan->node_count) {
        return;
    }
    for (uint32_t node = 0; node < e->plan->node_count; node++) {
        if (e->plan->nodes[node].kind && e->last[node] != EXPLAIN_NONE) {
            e->records[e->last[node]].kept = true;
        }
    }
}

/* Backwards, each record is seen after everything that it may have caused. A node's past
 * belongs to the cone from its latest kept record on. */
static void keep_cone(struct explain *e, size_t origin)
{
    struct explain_record *records = e->records;
    records[origin].kept = true;
    keep_servers(e, origin);
    for (size_t i = origin + 1; i-- > 0;) {
        struct explain_record *r = &records[i];
        if (!r->kept) {
            continue;
        }
        if (r->record.kind == SIM_REC_FACT) {
            keep_gathered(e, i);
        }
        if (r->previous != EXPLAIN_NONE) {
            records[r->previous].kept = true;
        }
        if (r->cause != EXPLAIN_NONE && r->record.kind == SIM_REC_DELIVER && r->changes) {
            records[r->cause].kept = true;
        }
    }
    records[e->count - 1].kept = true;
}

/* Faults are the world's doing: they have no cause, and are kept if they touch a node of the
 * cone. A partition's record stands on its target's line; one towards a peer concerns both. */
static void keep_faults(struct explain *e, size_t origin)
{
    for (size_t i = 0; i <= origin; i++) {
        const struct sim_record *r = &e->records[i].record;
        if (r->kind == SIM_REC_FAULT && r->peer < e->plan->node_count &&
            e->last[r->peer] != EXPLAIN_NONE) {
            e->records[i].kept = true;
        }
    }
}

/* ---- Lines ---------------------------------------------------------------------------------- */

/* By convention these facts come first, and matter most: role and term. */
#define LEADING_FACTS 2

/* The fact that a node changed last, for each fact, and that may still be overtaken. */
struct pending {
    size_t at[SIM_FACTS_MAX];
};

static void forget(struct pending *pending)
{
    for (uint32_t fact = 0; fact < SIM_FACTS_MAX; fact++) {
        pending->at[fact] = EXPLAIN_NONE;
    }
}

/* What else changed on the node before a leading fact did stays told. */
static void settle_before(const struct explain *e, struct pending *pending,
                          const struct sim_record *leading)
{
    for (uint32_t fact = leading->detail + 1; fact < SIM_FACTS_MAX; fact++) {
        const size_t at = pending->at[fact];
        if (at != EXPLAIN_NONE && e->records[at].record.time_ns != leading->time_ns) {
            pending->at[fact] = EXPLAIN_NONE;
        }
    }
}

static void choose_fact(struct explain *e, size_t at, struct pending *pending)
{
    struct explain_record *r = &e->records[at];
    const uint32_t fact = r->record.detail;
    const bool named = explain_is_named(&e->plan->nodes[r->record.node].kind->facts[fact]);
    r->told = true;
    r->was = r->record.b;
    if (named || fact < LEADING_FACTS) {
        settle_before(e, pending, &r->record);
    }
    if (!named && pending->at[fact] != EXPLAIN_NONE) {
        const uint64_t was = e->records[pending->at[fact]].was;
        r->was = was == r->record.a ? r->record.b : was; /* It is back where it was. */
        e->records[pending->at[fact]].told = false;
    }
    pending->at[fact] = named ? EXPLAIN_NONE : at;
}

/* A number that goes on changing is told once, with its last value, unless something else
 * happened to the node between. */
static bool choose_facts(struct explain *e)
{
    struct pending *pending = malloc((e->plan->node_count + 1) * sizeof *pending);
    for (uint32_t node = 0; pending && node < e->plan->node_count; node++) {
        forget(&pending[node]);
    }
    for (size_t i = 0; pending && i < e->count; i++) {
        struct explain_record *r = &e->records[i];
        r->told = false;
        if (!r->kept || r->record.node >= e->plan->node_count || !explain_is_milestone(e, r)) {
            continue;
        }
        if (r->record.kind == SIM_REC_FACT) {
            choose_fact(e, i, &pending[r->record.node]);
        } else {
            forget(&pending[r->record.node]);
        }
    }
    const bool chosen = pending != NULL;
    free(pending);
    return chosen;
}

bool explain_is_fact_told(const struct explain *e, size_t at)
{
    return e->records[at].told;
}

static void tell_all(struct explain *e)
{
    size_t before = 0;
    for (size_t i = 0; i < e->count; i++) {
        if (!explain_starts_line(e, i)) {
            continue;
        }
        if (e->line_count == 0 || !explain_join(e, before, i, &e->lines[e->line_count - 1])) {
            explain_tell(e, i, &e->lines[e->line_count++]);
        }
        before = i;
    }
}

enum sim_status explain_causes(struct explain *e, const struct explain_line **lines, size_t *count)
{
    if (e->out_of_memory) {
        return SIM_ENOMEM;
    }
    if (!e->violated) {
        return SIM_EINVAL;
    }
    free(e->lines);
    e->line_count = 0;
    e->lines = malloc(e->count * sizeof *e->lines);
    if (!e->lines || !join_messages(e)) {
        return SIM_ENOMEM;
    }
    const size_t origin = find_origin(e);
    keep_cone(e, origin);
    keep_faults(e, origin);
    if (!choose_facts(e)) {
        return SIM_ENOMEM;
    }
    tell_all(e);
    *lines = e->lines;
    *count = e->line_count;
    return SIM_OK;
}

bool explain_cause_before(const struct explain *e, uint64_t time_ns, struct explain_line *line)
{
    for (size_t i = e->line_count; i-- > 0;) {
        if (e->lines[i].time_ns < time_ns) {
            *line = e->lines[i];
            return true;
        }
    }
    return false;
}

bool explain_between(const struct explain *e, uint64_t from_ns, uint64_t to_ns,
                     struct explain_line *line)
{
    if (explain_cause_before(e, to_ns, line) && line->time_ns >= from_ns) {
        return true;
    }
    for (size_t i = e->count; i-- > 0 && e->records[i].record.time_ns >= from_ns;) {
        const struct sim_record *r = &e->records[i].record;
        const bool begins = is_trigger(r) || r->kind == SIM_REC_INVOKE ||
                            r->kind == SIM_REC_ATTEMPT || r->kind == SIM_REC_DROP ||
                            explain_is_milestone(e, &e->records[i]);
        if (r->time_ns < to_ns && begins) {
            explain_tell(e, i, line);
            return true;
        }
    }
    return false;
}
