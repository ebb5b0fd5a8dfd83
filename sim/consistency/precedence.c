#include "sim/consistency/precedence.h"

bool sim_precedence_init(struct sim_precedence *p, const struct sim_sessions *sessions,
                         struct sim_trial *trial)
{
    *p = (struct sim_precedence){.sessions = sessions, .trial = trial, .reasons = SIZE_MAX};
    const size_t width = sessions->session_count;
    if (width > 0 && sessions->node_count > SIZE_MAX / width) {
        return false;
    }
    p->before = sim_scratch_alloc(trial->scratch, sessions->node_count * width, sizeof *p->before);
    p->sequence = sim_scratch_alloc(trial->scratch, sessions->node_count, sizeof *p->sequence);
    p->heads = sim_scratch_alloc(trial->scratch, width, sizeof *p->heads);
    p->row = sim_scratch_alloc(trial->scratch, width, sizeof *p->row);
    if (!p->before || !p->sequence || !p->heads || !p->row) {
        return false;
    }
    for (uint32_t s = 0; s < width; s++) {
        if (sessions->parents[s] != SIM_NODE_NOTHING &&
            !sim_precedence_add(p, sessions->parents[s], sessions->starts[s], SIM_NODE_NOTHING)) {
            return false;
        }
    }
    return true;
}

void sim_precedence_release(struct sim_precedence *p)
{
    if (!p->trial) {
        return;
    }
    const size_t width = p->sessions->session_count;
    struct sim_scratch *scratch = p->trial->scratch;
    sim_scratch_release(scratch, p->before, p->sessions->node_count * width, sizeof *p->before);
    sim_scratch_release(scratch, p->sequence, p->sessions->node_count, sizeof *p->sequence);
    sim_scratch_release(scratch, p->heads, width, sizeof *p->heads);
    sim_scratch_release(scratch, p->row, width, sizeof *p->row);
    sim_scratch_release(scratch, p->edges, p->edge_capacity, sizeof *p->edges);
    *p = (struct sim_precedence){0};
}

/* ---- Edges ----------------------------------------------------------------------------------- */

static uint32_t *row_of(const struct sim_precedence *p, uint32_t node)
{
    return p->before + (size_t)node * p->sessions->session_count;
}

static void put_edge(struct sim_precedence *p, const struct sim_edge *edge)
{
    const struct sim_sessions *s = p->sessions;
    uint32_t *before = row_of(p, edge->to) + s->nodes[edge->from].session;
    const uint32_t count = sim_session_index(s, edge->from) + 1;
    *before = count > *before ? count : *before;
}

/* Keep an edge that is new; the relation itself stays as it is until it is put there. */
static bool note_edge(struct sim_precedence *p, uint32_t from, uint32_t to, uint32_t because)
{
    if (sim_precedes(p, from, to)) {
        return true;
    }
    if (!sim_scratch_grow(p->trial->scratch, &p->edges, &p->edge_capacity, p->edge_count + 1,
                          sizeof *p->edges)) {
        return false;
    }
    p->edges[p->edge_count++] = (struct sim_edge){from, to, because};
    return true;
}

static void put_edges(struct sim_precedence *p, size_t from)
{
    for (size_t i = from; i < p->edge_count; i++) {
        put_edge(p, &p->edges[i]);
    }
}

bool sim_precedence_add(struct sim_precedence *p, uint32_t from, uint32_t to, uint32_t because)
{
    const size_t known = p->edge_count;
    const bool good = note_edge(p, from, to, because);
    put_edges(p, known);
    return good;
}

bool sim_precedence_add_sources(struct sim_precedence *p)
{
    for (uint32_t n = 0; n < p->sessions->node_count; n++) {
        const uint32_t source = p->sessions->nodes[n].source;
        if (source <= SIM_SOURCE_NODE_MAX && !sim_precedence_add(p, source, n, SIM_NODE_NOTHING)) {
            return false;
        }
    }
    return true;
}

void sim_precedence_cut(struct sim_precedence *p, size_t count)
{
    const size_t cells = (size_t)p->sessions->node_count * p->sessions->session_count;
    memset(p->before, 0, cells * sizeof *p->before);
    p->edge_count = count;
    put_edges(p, 0);
}

/* ---- The closure ----------------------------------------------------------------------------- */

/* All that must come before it has been closed. */
static bool is_ready(const struct sim_precedence *p, uint32_t node)
{
    const uint32_t *before = row_of(p, node);
    for (uint32_t s = 0; s < p->sessions->session_count; s++) {
        if (before[s] > p->heads[s]) {
            return false;
        }
    }
    return true;
}

/* What comes before the node: the one ahead of it in its session and what came before that; and
 * where an edge says more, the node it comes from and what came before that. */
static void close_node(struct sim_precedence *p, uint32_t node)
{
    const struct sim_sessions *s = p->sessions;
    const uint32_t own = s->nodes[node].session;
    const uint32_t index = sim_session_index(s, node);
    uint32_t *before = row_of(p, node);
    if (index > 0) {
        memcpy(p->row, row_of(p, node - 1), s->session_count * sizeof *p->row);
    } else {
        memset(p->row, 0, s->session_count * sizeof *p->row);
    }
    p->row[own] = index;
    for (uint32_t t = 0; t < s->session_count; t++) {
        if (before[t] > p->row[t]) {
            const uint32_t *more = row_of(p, s->starts[t] + before[t] - 1);
            for (uint32_t u = 0; u < s->session_count; u++) {
                p->row[u] = more[u] > p->row[u] ? more[u] : p->row[u];
            }
            p->row[t] = before[t] > p->row[t] ? before[t] : p->row[t];
        }
    }
    memcpy(before, p->row, s->session_count * sizeof *p->row);
}

/* Every head waits for another: following who waits for whom ends in a circle. */
static uint32_t find_stuck(const struct sim_precedence *p)
{
    const struct sim_sessions *s = p->sessions;
    uint32_t at = 0;
    while (p->heads[at] == s->starts[at + 1] - s->starts[at]) {
        at++;
    }
    for (uint32_t i = 0; i <= s->session_count; i++) {
        const uint32_t *before = row_of(p, s->starts[at] + p->heads[at]);
        at = 0;
        while (before[at] <= p->heads[at]) {
            at++;
        }
    }
    return s->starts[at] + p->heads[at];
}

enum sim_closure sim_precedence_close(struct sim_precedence *p)
{
    const struct sim_sessions *s = p->sessions;
    memset(p->heads, 0, s->session_count * sizeof *p->heads);
    uint32_t count = 0;
    for (bool moved = true; count < s->node_count && moved;) {
        moved = false;
        for (uint32_t t = 0; t < s->session_count; t++) {
            for (uint32_t node = s->starts[t] + p->heads[t];
                 node < s->starts[t + 1] && is_ready(p, node); node++) {
                close_node(p, node);
                p->sequence[count++] = node;
                p->heads[t]++;
                p->trial->steps++;
                moved = true;
            }
        }
        if (p->trial->steps > p->trial->steps_max) {
            return SIM_GAVE_UP;
        }
    }
    if (count < s->node_count) {
        p->stuck = find_stuck(p);
        return SIM_CYCLE;
    }
    return SIM_CLOSED;
}

/* ---- Saturation ------------------------------------------------------------------------------ */

/* Writes of one key by one session: a run in the list of writes of the key. */
struct run {
    const uint32_t *writes;
    uint32_t count;
};

/* How many of them come before the node. */
static uint32_t count_before(const struct sim_precedence *p, const struct run *run, uint32_t node)
{
    uint32_t low = 0;
    uint32_t high = run->count;
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        if (sim_precedes(p, run->writes[middle], node)) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* The first of them that `source` comes before; the run's count if none. */
static uint32_t first_after(const struct sim_precedence *p, const struct run *run, uint32_t source)
{
    uint32_t low = 0;
    uint32_t high = run->count;
    while (low < high && source != SIM_SOURCE_INITIAL) {
        const uint32_t middle = low + (high - low) / 2;
        if (sim_precedes(p, source, run->writes[middle])) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return low;
}

/* The next run of the writes of the node's key; *at, at first 0, goes on to the one after it. */
static bool next_run(const struct sim_sessions *s, uint32_t node, uint32_t *at, struct run *run)
{
    const uint32_t key = s->nodes[node].key;
    const uint32_t begin = s->write_starts[key] + *at;
    uint32_t low = begin;
    uint32_t high = s->write_starts[key + 1];
    if (low == high) {
        return false;
    }
    const uint32_t session_end = s->starts[s->nodes[s->writes[begin]].session + 1];
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        if (s->writes[middle] < session_end) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    *run = (struct run){.writes = s->writes + begin, .count = low - begin};
    *at += run->count;
    return true;
}

/* The first of the run that must come after what the read has read, the read itself apart. */
static uint32_t first_later(const struct sim_precedence *p, const struct run *run, uint32_t read)
{
    const uint32_t later = first_after(p, run, p->sessions->nodes[read].source);
    return later + (later < run->count && run->writes[later] == read);
}

/* A write of its key comes between what the read has read from and the read. */
static bool is_overwritten(const struct sim_precedence *p, uint32_t read)
{
    struct run run;
    for (uint32_t at = 0; next_run(p->sessions, read, &at, &run);) {
        const uint32_t later = first_later(p, &run, read);
        if (later < run.count && sim_precedes(p, run.writes[later], read)) {
            return true;
        }
    }
    return false;
}

/* Writes of the key that come before the read come before what it read. */
static bool note_conflicts(struct sim_precedence *p, uint32_t read)
{
    const uint32_t source = p->sessions->nodes[read].source;
    struct run run;
    for (uint32_t at = 0; next_run(p->sessions, read, &at, &run);) {
        const uint32_t earlier = count_before(p, &run, read);
        const uint32_t write = earlier > 0 ? run.writes[earlier - 1] : source;
        if (write != source && source != SIM_SOURCE_INITIAL && !note_edge(p, write, source, read)) {
            return false;
        }
    }
    return true;
}

/* The read comes before writes of the key that come after what it read. */
static bool note_successors(struct sim_precedence *p, uint32_t read)
{
    struct run run;
    for (uint32_t at = 0; next_run(p->sessions, read, &at, &run);) {
        const uint32_t later = first_later(p, &run, read);
        if (later < run.count && !note_edge(p, read, run.writes[later], read)) {
            return false;
        }
    }
    return true;
}

bool sim_precedence_add_conflicts(struct sim_precedence *p)
{
    const size_t known = p->edge_count;
    bool good = true;
    for (uint32_t n = 0; n < p->sessions->node_count && good; n++) {
        good = !sim_source_is_known(p->sessions->nodes[n].source) || note_conflicts(p, n);
    }
    put_edges(p, known);
    return good;
}

/* From *from to *to: the nodes of one session, or all. */
static void choose_nodes(const struct sim_sessions *s, uint32_t session, uint32_t *from,
                         uint32_t *to)
{
    *from = session == SIM_NODE_NOTHING ? 0 : s->starts[session];
    *to = session == SIM_NODE_NOTHING ? s->node_count : s->starts[session + 1];
}

uint32_t sim_precedence_find_overwritten(const struct sim_precedence *p, uint32_t session)
{
    uint32_t node;
    uint32_t end;
    choose_nodes(p->sessions, session, &node, &end);
    while (node < end &&
           !(sim_source_is_known(p->sessions->nodes[node].source) && is_overwritten(p, node))) {
        node++;
    }
    return node < end ? node : SIM_NODE_NOTHING;
}

enum sim_closure sim_precedence_saturate(struct sim_precedence *p, uint32_t session)
{
    uint32_t from;
    uint32_t to;
    choose_nodes(p->sessions, session, &from, &to);
    for (;;) {
        const enum sim_closure closure = sim_precedence_close(p);
        if (closure != SIM_CLOSED) {
            return closure;
        }
        p->stuck = sim_precedence_find_overwritten(p, session);
        if (p->stuck != SIM_NODE_NOTHING) {
            return SIM_OVERWRITTEN;
        }
        const size_t known = p->edge_count;
        for (uint32_t n = from; n < to; n++) {
            if (sim_source_is_known(p->sessions->nodes[n].source) &&
                !(note_conflicts(p, n) && note_successors(p, n))) {
                return SIM_GAVE_UP;
            }
        }
        p->trial->steps += to - from;
        if (p->edge_count == known) {
            return SIM_CLOSED;
        }
        put_edges(p, known);
    }
}
