/* Which operations make a contradiction. What counts is how many edges a path has: along a
 * session one goes for nothing, since only the ends of edges are told. */
#include "sim/consistency/precedence.h"

#define FAR UINT32_MAX

/* A question: by what path, of the first `edges` edges, does `from` reach `to`? An edge follows
 * from those that were added before it. */
struct question {
    uint32_t from;
    uint32_t to;
    size_t edges;
};

/* Edges sorted by one end. */
struct sorted {
    uint32_t *starts; /* By node: its edges in numbers[]. */
    uint32_t *numbers;
};

struct blame {
    struct sim_precedence *p;
    struct sorted out; /* By `from`, */
    struct sorted in;  /* and by `to`. */
    uint32_t *distance;
    uint32_t *other_distance;
    uint32_t *by; /* How a node was reached: an edge plus 1; 0: along its session, or it began. */
    uint32_t *queue;
    bool *explained; /* By edge. */
    struct question *open;
    size_t open_count;
    size_t open_capacity;
};

static void sort_edges(const struct sim_precedence *p, struct sorted *sorted, bool out)
{
    const uint32_t nodes = p->sessions->node_count;
    for (size_t e = 0; e < p->edge_count; e++) {
        sorted->starts[(out ? p->edges[e].from : p->edges[e].to) + 1]++;
    }
    for (uint32_t n = 0; n < nodes; n++) {
        sorted->starts[n + 1] += sorted->starts[n];
    }
    for (size_t e = 0; e < p->edge_count; e++) {
        const uint32_t end = out ? p->edges[e].from : p->edges[e].to;
        sorted->numbers[sorted->starts[end]++] = (uint32_t)e;
    }
    for (uint32_t n = nodes; n > 0; n--) {
        sorted->starts[n] = sorted->starts[n - 1];
    }
    sorted->starts[0] = 0;
}

/* Reach a node and all that its session puts on the same side of it. */
static uint32_t reach(struct blame *b, bool out, uint32_t *distance, uint32_t count, uint32_t node,
                      uint32_t far, uint32_t by)
{
    const struct sim_sessions *s = b->p->sessions;
    const uint32_t session = s->nodes[node].session;
    while (node >= s->starts[session] && node < s->starts[session + 1] && distance[node] == FAR) {
        distance[node] = far;
        b->by[node] = by;
        b->queue[count++] = node;
        by = 0;
        node += out ? 1 : UINT32_MAX;
    }
    return count;
}

/* How many of the first `edges` edges each node is away: from `start`, or (not `out`) to it. */
static void measure(struct blame *b, bool out, uint32_t start, size_t edges, uint32_t *distance)
{
    const struct sorted *sorted = out ? &b->out : &b->in;
    memset(distance, 0xff, b->p->sessions->node_count * sizeof *distance);
    uint32_t count = reach(b, out, distance, 0, start, 0, 0);
    for (uint32_t next = 0; next < count; next++) {
        const uint32_t node = b->queue[next];
        for (uint32_t i = sorted->starts[node]; i < sorted->starts[node + 1]; i++) {
            const uint32_t number = sorted->numbers[i];
            if (number < edges) {
                const struct sim_edge *e = &b->p->edges[number];
                count = reach(b, out, distance, count, out ? e->to : e->from, distance[node] + 1,
                              number + 1);
            }
        }
    }
}

static void blame_node(struct blame *b, uint32_t node)
{
    sim_trial_blame(b->p->trial, b->p->sessions->nodes[node].place);
}

static bool ask(struct blame *b, uint32_t from, uint32_t to, size_t edges)
{
    if (!sim_scratch_grow(b->p->trial->scratch, &b->open, &b->open_capacity, b->open_count + 1,
                          sizeof *b->open)) {
        return false;
    }
    b->open[b->open_count++] = (struct question){from, to, edges};
    return true;
}

/* The reason of an edge is an older path: to the reader, or from whom it read. */
static bool explain_edge(struct blame *b, uint32_t number)
{
    const struct sim_edge *e = &b->p->edges[number];
    blame_node(b, e->from);
    blame_node(b, e->to);
    if (e->because == SIM_NODE_NOTHING || b->explained[number]) {
        return true;
    }
    b->explained[number] = true;
    const uint32_t source = b->p->sessions->nodes[e->because].source;
    blame_node(b, e->because);
    if (source <= SIM_SOURCE_NODE_MAX) {
        blame_node(b, source);
    }
    const size_t edges = number < b->p->reasons ? number : b->p->reasons;
    if (e->to == source) {
        return ask(b, e->from, e->because, edges);
    }
    return source == SIM_SOURCE_INITIAL || ask(b, source, e->to, edges);
}

/* The way that measure() has found from `from` to a node. */
static bool explain_way(struct blame *b, uint32_t from, uint32_t node)
{
    while (node != from) {
        const uint32_t by = b->by[node];
        if (by == 0) {
            node--;
        } else if (explain_edge(b, by - 1)) {
            node = b->p->edges[by - 1].from;
        } else {
            return false;
        }
    }
    return true;
}

static bool answer(struct blame *b)
{
    while (b->open_count > 0) {
        const struct question q = b->open[--b->open_count];
        measure(b, true, q.from, q.edges, b->distance);
        if (b->distance[q.to] != FAR && !explain_way(b, q.from, q.to)) {
            return false;
        }
    }
    return true;
}

/* From the node to itself: the last edge ends at it or, in its session, before it. */
static bool blame_cycle(struct blame *b, uint32_t node)
{
    const struct sim_precedence *p = b->p;
    const uint32_t first = p->sessions->starts[p->sessions->nodes[node].session];
    measure(b, true, node, p->edge_count, b->distance);
    uint32_t last = FAR;
    for (uint32_t i = b->in.starts[first]; i < b->in.starts[node + 1]; i++) {
        const uint32_t number = b->in.numbers[i];
        const uint32_t far = b->distance[p->edges[number].from];
        if (far != FAR && (last == FAR || far < b->distance[p->edges[last].from])) {
            last = number;
        }
    }
    return last == FAR || (explain_edge(b, last) && explain_way(b, node, p->edges[last].from));
}

/* What the read has read was overwritten by the write that is nearest to both. */
static bool blame_overwriting(struct blame *b, uint32_t read)
{
    const struct sim_sessions *s = b->p->sessions;
    const uint32_t source = s->nodes[read].source;
    const uint32_t key = s->nodes[read].key;
    measure(b, false, read, b->p->edge_count, b->other_distance);
    if (source <= SIM_SOURCE_NODE_MAX) {
        measure(b, true, source, b->p->edge_count, b->distance);
        blame_node(b, source);
    }
    blame_node(b, read);
    uint32_t best = SIM_NODE_NOTHING;
    uint64_t best_far = UINT64_MAX;
    for (uint32_t i = s->write_starts[key]; i < s->write_starts[key + 1]; i++) {
        const uint32_t write = s->writes[i];
        const uint32_t after = source == SIM_SOURCE_INITIAL ? 0 : b->distance[write];
        const uint64_t far = (uint64_t)after + b->other_distance[write];
        if (write != source && write != read && after != FAR && b->other_distance[write] != FAR &&
            far < best_far) {
            best = write;
            best_far = far;
        }
    }
    if (best == SIM_NODE_NOTHING) {
        return true;
    }
    blame_node(b, best);
    return ask(b, best, read, b->p->edge_count) &&
           (source == SIM_SOURCE_INITIAL || ask(b, source, best, b->p->edge_count));
}

void sim_precedence_blame(struct sim_precedence *p, enum sim_closure closure)
{
    if (!p->trial->blamed) {
        return;
    }
    const size_t nodes = (size_t)p->sessions->node_count + 1;
    struct sim_scratch *scratch = p->trial->scratch;
    struct blame b = {
        .p = p,
        .out.starts = sim_scratch_alloc(scratch, nodes, sizeof *b.out.starts),
        .out.numbers = sim_scratch_alloc(scratch, p->edge_count, sizeof *b.out.numbers),
        .in.starts = sim_scratch_alloc(scratch, nodes, sizeof *b.in.starts),
        .in.numbers = sim_scratch_alloc(scratch, p->edge_count, sizeof *b.in.numbers),
        .distance = sim_scratch_alloc(scratch, nodes, sizeof *b.distance),
        .other_distance = sim_scratch_alloc(scratch, nodes, sizeof *b.other_distance),
        .by = sim_scratch_alloc(scratch, nodes, sizeof *b.by),
        .queue = sim_scratch_alloc(scratch, nodes, sizeof *b.queue),
        .explained = sim_scratch_alloc(scratch, p->edge_count, sizeof *b.explained),
    };
    if (b.out.starts && b.out.numbers && b.in.starts && b.in.numbers && b.distance &&
        b.other_distance && b.by && b.queue && b.explained) {
        sort_edges(p, &b.out, true);
        sort_edges(p, &b.in, false);
        if (closure == SIM_CYCLE ? blame_cycle(&b, p->stuck) : blame_overwriting(&b, p->stuck)) {
            (void)answer(&b);
        }
    }
    sim_scratch_release(scratch, b.out.starts, nodes, sizeof *b.out.starts);
    sim_scratch_release(scratch, b.out.numbers, p->edge_count, sizeof *b.out.numbers);
    sim_scratch_release(scratch, b.in.starts, nodes, sizeof *b.in.starts);
    sim_scratch_release(scratch, b.in.numbers, p->edge_count, sizeof *b.in.numbers);
    sim_scratch_release(scratch, b.distance, nodes, sizeof *b.distance);
    sim_scratch_release(scratch, b.other_distance, nodes, sizeof *b.other_distance);
    sim_scratch_release(scratch, b.by, nodes, sizeof *b.by);
    sim_scratch_release(scratch, b.queue, nodes, sizeof *b.queue);
    sim_scratch_release(scratch, b.explained, p->edge_count, sizeof *b.explained);
    sim_scratch_release(scratch, b.open, b.open_capacity, sizeof *b.open);
}
