/* Which cycles there are: each strongly connected component of the whole graph is judged alone,
 * since no cycle leaves one.
 *
 * Whether a kind of cycle exists follows from components of parts of the graph, in linear time,
 * but for G-single, which is a question of what reaches what. Only what is not implied by an
 * anomaly already found in the component is looked for. Cycles themselves are searched breadth
 * first, for a smallest one of those that the model forbids.
 *
 * A walk without two rw edges in a row is a walk in a graph twice as large, whose nodes are a
 * transaction and whether it was reached by an rw edge: an rw edge there lies in a component if
 * and only if such a closed walk passes it. A closed walk may pass a transaction twice; then it is
 * two closed walks, at least one of which has no two rw edges in a row either. */
#include "sim/consistency/txn_internal.h"

#define BIT(anomaly) (UINT32_C(1) << (anomaly))

struct part {
    struct txn_search *search;
    struct txn_graph graph; /* Of one component, nodes numbered from 0. */
    struct txn_graph twice; /* Node 2 v: reached by no rw edge; 2 v + 1: reached by one. */
    uint32_t *nodes;        /* The transaction of each. */
    uint32_t *component;    /* Two for each node: components of whatever is looked at. */
    uint32_t *seen;         /* Breadth-first search, two for each: the round it was met in, */
    uint32_t *parent;       /* from where, */
    uint32_t *parent_edge;  /* by which edge, */
    uint32_t *queue;        /* and in which order. */
    uint32_t *depth;
    uint32_t round;
    uint32_t found;   /* In this component, */
    uint32_t implied; /* and what that implies. */
};

static void find(struct part *p, uint32_t anomaly)
{
    p->found |= BIT(anomaly);
    p->implied |= sim_txn_implied(anomaly);
    p->search->found |= BIT(anomaly);
}

static bool is_wanted(const struct part *p, uint32_t anomaly)
{
    return p->search->wanted >> anomaly & 1;
}

/* How long a cycle may be to be better than the one there is; 0: none would. */
static uint32_t better_length(const struct part *p, uint32_t anomaly)
{
    const struct sim_txn_witness *cycle = &p->search->cycle;
    if (cycle->anomaly == SIM_TXN_ANOMALY_COUNT) {
        return p->graph.node_count;
    }
    return cycle->step_count - (anomaly >= cycle->anomaly);
}

/* ---- Breadth-first search -------------------------------------------------------------------- */

/* Where a path may go: over edges of the mask, through nodes of one component. */
struct terrain {
    const struct txn_graph *graph;
    uint32_t mask;
    uint32_t component;
};

/* The length in edges of a shortest path, at least one edge, at most `limit` of them; 0: none, or
 * the budget is spent. Its edges are read back through parent[] and parent_edge[] from `to`. */
static uint32_t shortest(struct part *p, const struct terrain *terrain, uint32_t from, uint32_t to,
                         uint32_t limit)
{
    const struct txn_graph *g = terrain->graph;
    uint32_t head = 0, tail = 0;
    p->round++;
    p->queue[tail++] = from;
    p->depth[from] = 0;
    while (head < tail) {
        const uint32_t node = p->queue[head++];
        const uint32_t length = p->depth[node] + 1;
        const uint32_t end = g->starts[node + 1];
        if (length > limit || !txn_spend(p->search, end - g->starts[node])) {
            return 0;
        }
        for (uint32_t e = g->starts[node]; e < end; e++) {
            const struct txn_edge *edge = &g->edges[e];
            if (!(terrain->mask >> edge->why & 1) || p->seen[edge->to] == p->round ||
                p->component[edge->to] != terrain->component) {
                continue;
            }
            p->seen[edge->to] = p->round;
            p->parent[edge->to] = node;
            p->parent_edge[edge->to] = e;
            if (edge->to == to) {
                return length;
            }
            p->depth[edge->to] = length;
            p->queue[tail++] = edge->to;
        }
    }
    return 0;
}

static struct sim_txn_step step_of(const struct part *p, uint32_t from, const struct txn_edge *edge,
                                   uint32_t shift)
{
    return (struct sim_txn_step){p->nodes[from >> shift], p->nodes[edge->to >> shift], edge->why,
                                 edge->element, edge->seen};
}

/* Keep the cycle made of the path found last, to `to`, and of the edge `closing` from `to`, if
 * there is one. */
static void keep(struct part *p, const struct terrain *terrain, uint32_t anomaly, uint32_t to,
                 uint32_t length, const struct txn_edge *closing)
{
    struct txn_search *s = p->search;
    const uint32_t shift = terrain->graph == &p->twice;
    const uint32_t count = length + (closing != NULL);
    struct sim_txn_step *steps = sim_scratch_alloc(&s->scratch, count, sizeof *steps);
    if (!steps) {
        return;
    }
    uint32_t at = to;
    for (uint32_t i = length; i-- > 0; at = p->parent[at]) {
        steps[i] = step_of(p, p->parent[at], &terrain->graph->edges[p->parent_edge[at]], shift);
    }
    if (closing) {
        steps[length] = step_of(p, to, closing, shift);
    }
    sim_scratch_release(&s->scratch, s->cycle.steps, s->cycle.step_count, sizeof *steps);
    s->cycle = (struct sim_txn_witness){
        anomaly, {SIM_TXN_NONE, SIM_TXN_NONE}, SIM_TXN_NONE, SIM_TXN_NONE, steps, count};
}

/* The path found last, to `to` in the graph twice as large, passes no transaction twice. */
static bool is_simple(struct part *p, uint32_t to, uint32_t length)
{
    p->round++;
    uint32_t at = to;
    for (uint32_t i = 0; i <= length; i++) {
        const uint32_t node = at & ~UINT32_C(1);
        if (p->seen[node] == p->round) {
            return false;
        }
        p->seen[node] = p->round;
        at = i < length ? p->parent[at] : at;
    }
    return true;
}

/* ---- Kinds of cycles ------------------------------------------------------------------------- */

/* Looking for smaller cycles than the first may take as long as this. */
static uint64_t allowed_steps(const struct part *p)
{
    return p->search->steps + UINT64_C(16) * p->graph.edge_count + 10000;
}

/* Cycles of edges of the mask only, among which is no rw. */
static void find_plain(struct part *p, uint32_t mask, uint32_t anomaly)
{
    const uint32_t n = p->graph.node_count;
    if (p->implied >> anomaly & 1) {
        return;
    }
    const uint32_t count = txn_components(p->search, &p->graph, mask, p->component);
    if (count == 0 || count == n) {
        return;
    }
    find(p, anomaly);
    const uint64_t until = allowed_steps(p);
    for (uint32_t v = 0; is_wanted(p, anomaly) && v < n && p->search->steps < until; v++) {
        const uint32_t limit = better_length(p, anomaly);
        const struct terrain terrain = {&p->graph, mask, p->component[v]};
        const uint32_t length = limit < 2 ? 0 : shortest(p, &terrain, v, v, limit);
        if (length > 0) {
            keep(p, &terrain, anomaly, v, length, NULL);
        }
    }
}

static bool closes(const struct part *p, uint32_t from, const struct txn_edge *edge)
{
    return edge->why == SIM_TXN_RW && p->component[from] == p->component[edge->to];
}

/* Some rw edge of the graph lies in a component. */
static bool any_closes(const struct part *p, const struct txn_graph *g)
{
    for (uint32_t v = 0; v < g->node_count; v++) {
        for (uint32_t e = g->starts[v]; e < g->starts[v + 1]; e++) {
            if (closes(p, v, &g->edges[e])) {
                return true;
            }
        }
    }
    return false;
}

/* Cycles of one rw edge and a path back over edges of the mask. */
static void find_closed(struct part *p, const struct txn_graph *g, uint32_t mask, uint32_t anomaly)
{
    uint64_t until = UINT64_MAX; /* Before the first is found. */
    if (p->implied >> anomaly & 1) {
        return;
    }
    for (uint32_t v = 0; v < g->node_count; v++) {
        for (uint32_t e = g->starts[v]; e < g->starts[v + 1]; e++) {
            if (!closes(p, v, &g->edges[e])) {
                continue;
            }
            const struct terrain terrain = {g, mask, p->component[v]};
            const uint32_t better = better_length(p, anomaly);
            const uint32_t limit = until == UINT64_MAX ? g->node_count : better - !!better;
            const uint32_t length = shortest(p, &terrain, g->edges[e].to, v, limit);
            if (length > 0 && (g == &p->graph || is_simple(p, v, length))) {
                find(p, anomaly);
                until = until == UINT64_MAX ? allowed_steps(p) : until;
                if (is_wanted(p, anomaly) && length + 1 <= better) {
                    keep(p, &terrain, anomaly, v, length, &g->edges[e]);
                }
            }
            const bool enough = until < UINT64_MAX && !is_wanted(p, anomaly);
            if (enough || p->search->exhausted || p->search->steps >= until) {
                return;
            }
        }
    }
}

/* The kinds of one family: of data alone (`extra` is SIM_TXN_WW, `first` G0), or with one more
 * order. */
static void find_family(struct part *p, uint32_t extra, uint32_t first)
{
    struct txn_search *s = p->search;
    const uint32_t more = TXN_MASK(extra), rw = TXN_MASK(SIM_TXN_RW);
    const uint32_t ww = TXN_MASK(SIM_TXN_WW) | more;
    const uint32_t base = ww | TXN_MASK(SIM_TXN_WR);
    const uint32_t single = first + SIM_TXN_G_SINGLE - SIM_TXN_G0;
    const uint32_t nonadjacent = first + SIM_TXN_G_NONADJACENT - SIM_TXN_G0;
    const uint32_t g2 = first + SIM_TXN_G2 - SIM_TXN_G0;
    find_plain(p, ww, first);
    find_plain(p, base, first + SIM_TXN_G1C - SIM_TXN_G0);
    if (!(p->implied & BIT(single)) || !(p->implied & BIT(nonadjacent))) {
        if (txn_components(s, &p->twice, base | rw, p->component) > 0 && any_closes(p, &p->twice)) {
            find_closed(p, &p->twice, base, single);
            find_closed(p, &p->twice, base | rw, nonadjacent);
            if (s->exhausted && !(p->implied & BIT(nonadjacent))) {
                find(p, nonadjacent); /* One of the two it is. */
            }
        }
    }
    if (!(p->implied & BIT(g2)) && txn_components(s, &p->graph, base | rw, p->component) > 0 &&
        any_closes(p, &p->graph)) {
        find_closed(p, &p->graph, base | rw, g2);
    }
}

/* ---- Components ------------------------------------------------------------------------------ */

static bool part_alloc(struct part *p, uint32_t node_count)
{
    struct sim_scratch *scratch = &p->search->scratch;
    const size_t twice = (size_t)node_count * 2;
    p->component = sim_scratch_alloc(scratch, twice, sizeof(uint32_t));
    p->seen = sim_scratch_alloc(scratch, twice, sizeof(uint32_t));
    p->parent = sim_scratch_alloc(scratch, twice, sizeof(uint32_t));
    p->parent_edge = sim_scratch_alloc(scratch, twice, sizeof(uint32_t));
    p->queue = sim_scratch_alloc(scratch, twice + 1, sizeof(uint32_t));
    p->depth = sim_scratch_alloc(scratch, twice, sizeof(uint32_t));
    return p->component && p->seen && p->parent && p->parent_edge && p->queue && p->depth;
}

static void part_release(struct part *p, uint32_t node_count)
{
    struct sim_scratch *scratch = &p->search->scratch;
    const size_t twice = (size_t)node_count * 2;
    sim_scratch_release(scratch, p->component, twice, sizeof(uint32_t));
    sim_scratch_release(scratch, p->seen, twice, sizeof(uint32_t));
    sim_scratch_release(scratch, p->parent, twice, sizeof(uint32_t));
    sim_scratch_release(scratch, p->parent_edge, twice, sizeof(uint32_t));
    sim_scratch_release(scratch, p->queue, twice + 1, sizeof(uint32_t));
    sim_scratch_release(scratch, p->depth, twice, sizeof(uint32_t));
    txn_graph_release(p->search, &p->graph);
    txn_graph_release(p->search, &p->twice);
}

/* The edges inside of a component: between the same two the first from data, which is the
 * strongest, and one of the other order. `edges` NULL: only counted. `stamps` holds two numbers
 * for each node. */
static uint32_t inner_edges(const struct part *p, const uint32_t *component, const uint32_t *local,
                            uint32_t *stamps, uint32_t *starts, struct txn_edge *edges)
{
    const struct txn_graph *all = &p->search->graph;
    const uint32_t n = p->graph.node_count;
    uint32_t count = 0;
    memset(stamps, 0, (size_t)n * 2 * sizeof *stamps);
    for (uint32_t v = 0; v < n; v++) {
        const uint32_t txn = p->nodes[v];
        starts[v] = count;
        for (uint32_t e = all->starts[txn]; e < all->starts[txn + 1]; e++) {
            const struct txn_edge *edge = &all->edges[e];
            if (component[edge->to] != component[txn]) {
                continue;
            }
            uint32_t *stamp = &stamps[local[edge->to] * 2 + (edge->why > SIM_TXN_RW)];
            if (*stamp == v + 1) {
                continue;
            }
            *stamp = v + 1;
            if (edges) {
                edges[count] = *edge;
                edges[count].to = local[edge->to];
            }
            count++;
        }
    }
    starts[n] = count;
    return count;
}

static void fill_twice(struct part *p)
{
    const struct txn_graph *g = &p->graph;
    uint32_t count = 0;
    for (uint32_t node = 0; node < p->twice.node_count; node++) {
        p->twice.starts[node] = count;
        for (uint32_t e = g->starts[node / 2]; e < g->starts[node / 2 + 1]; e++) {
            const bool rw = g->edges[e].why == SIM_TXN_RW;
            if (rw && node % 2 == 1) {
                continue;
            }
            p->twice.edges[count] = g->edges[e];
            p->twice.edges[count++].to = g->edges[e].to * 2 + rw;
        }
    }
    p->twice.starts[p->twice.node_count] = count;
}

static bool judge(struct txn_search *s, uint32_t *nodes, uint32_t node_count,
                  const uint32_t *component, uint32_t *local, uint32_t extra)
{
    struct part p = {.search = s, .nodes = nodes};
    for (uint32_t v = 0; v < node_count; v++) {
        local[nodes[v]] = v;
    }
    bool fine = part_alloc(&p, node_count);
    if (fine) {
        p.graph.node_count = node_count;
        const uint32_t count = inner_edges(&p, component, local, p.seen, p.queue, NULL);
        fine = count < UINT32_MAX / 2 && txn_graph_alloc(s, &p.graph, node_count, count) &&
               txn_graph_alloc(s, &p.twice, node_count * 2, count * 2);
    }
    if (fine) {
        (void)inner_edges(&p, component, local, p.seen, p.graph.starts, p.graph.edges);
        memset(p.seen, 0, (size_t)node_count * 2 * sizeof *p.seen);
        fill_twice(&p);
        find_family(&p, SIM_TXN_WW, SIM_TXN_G0);
        if (extra == SIM_TXN_PROCESS) {
            find_family(&p, extra, SIM_TXN_G0_PROCESS);
        } else if (extra == SIM_TXN_REALTIME) {
            find_family(&p, extra, SIM_TXN_G0_REALTIME);
        }
        if (s->component_fn && p.found) {
            s->component_fn(s->component_context, p.found);
        }
    }
    part_release(&p, node_count);
    return fine;
}

bool txn_find_cycles(struct txn_search *s, uint32_t extra)
{
    const uint32_t n = s->graph.node_count;
    struct sim_scratch *scratch = &s->scratch;
    uint32_t *component = sim_scratch_alloc(scratch, n, sizeof *component);
    uint32_t *local = sim_scratch_alloc(scratch, n, sizeof *local);
    uint32_t *nodes = sim_scratch_alloc(scratch, n, sizeof *nodes);
    uint32_t *starts = sim_scratch_alloc(scratch, (size_t)n + 2, sizeof *starts);
    bool fine = component && local && nodes && starts;
    const uint32_t count = fine ? txn_components(s, &s->graph, UINT32_MAX, component) : 0;
    for (uint32_t v = 0; count > 0 && v < n; v++) {
        starts[component[v] + 2]++;
    }
    for (uint32_t c = 0; c < count; c++) {
        starts[c + 2] += starts[c + 1];
    }
    for (uint32_t v = 0; count > 0 && v < n; v++) {
        nodes[starts[component[v] + 1]++] = v;
    }
    for (uint32_t c = 0; fine && c < count && !s->exhausted; c++) {
        if (starts[c + 1] - starts[c] > 1) {
            fine = judge(s, nodes + starts[c], starts[c + 1] - starts[c], component, local, extra);
        }
    }
    sim_scratch_release(scratch, component, n, sizeof *component);
    sim_scratch_release(scratch, local, n, sizeof *local);
    sim_scratch_release(scratch, nodes, n, sizeof *nodes);
    sim_scratch_release(scratch, starts, (size_t)n + 2, sizeof *starts);
    return fine && !s->exhausted;
}
