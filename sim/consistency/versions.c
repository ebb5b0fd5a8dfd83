#include "sim/consistency/versions.h"

bool sim_versions_add(struct sim_versions *v, uint32_t from, uint32_t to, uint32_t read,
                      uint32_t other_read)
{
    if (!sim_scratch_grow(v->trial->scratch, &v->edges, &v->edge_capacity, v->edge_count + 1,
                          sizeof *v->edges)) {
        return false;
    }
    v->edges[v->edge_count++] = (struct sim_version_edge){from, to, {read, other_read}};
    return true;
}

void sim_versions_release(struct sim_versions *v)
{
    if (v->trial) {
        sim_scratch_release(v->trial->scratch, v->edges, v->edge_capacity, sizeof *v->edges);
    }
    *v = (struct sim_versions){0};
}

/* While an order is sought. */
struct ordering {
    const struct sim_versions *v;
    uint32_t nodes;
    uint32_t *starts;  /* Of each node its edges in numbers[]. */
    uint32_t *numbers; /* Edges sorted by where they come from. */
    uint32_t *before;  /* Of each node how many edges to it are left. */
    uint32_t *queue;
    uint32_t *by; /* The edge by which a node is reached, plus 1. */
};

static void sort_edges(struct ordering *o)
{
    const struct sim_versions *v = o->v;
    for (size_t e = 0; e < v->edge_count; e++) {
        o->starts[v->edges[e].from + 1]++;
        o->before[v->edges[e].to]++;
    }
    for (uint32_t n = 0; n < o->nodes; n++) {
        o->starts[n + 1] += o->starts[n];
    }
    for (size_t e = 0; e < v->edge_count; e++) {
        o->numbers[o->starts[v->edges[e].from]++] = (uint32_t)e;
    }
    for (uint32_t n = o->nodes; n > 0; n--) {
        o->starts[n] = o->starts[n - 1];
    }
    o->starts[0] = 0;
}

/* Take away whatever nothing comes before, and so on (Kahn 1962). What is left has a cycle: going
 * back from any of it leads there. SIM_NODE_NOTHING: nothing is left. */
static uint32_t find_cycle(struct ordering *o)
{
    uint32_t count = 0;
    for (uint32_t n = 0; n < o->nodes; n++) {
        if (o->before[n] == 0) {
            o->queue[count++] = n;
        }
    }
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t k = o->starts[o->queue[i]]; k < o->starts[o->queue[i] + 1]; k++) {
            const uint32_t to = o->v->edges[o->numbers[k]].to;
            if (--o->before[to] == 0) {
                o->queue[count++] = to;
            }
        }
    }
    uint32_t node = SIM_NODE_NOTHING;
    for (size_t e = 0; e < o->v->edge_count; e++) {
        const struct sim_version_edge *edge = &o->v->edges[e];
        if (o->before[edge->from] > 0 && o->before[edge->to] > 0) {
            o->by[edge->to] = (uint32_t)e + 1;
            node = edge->to;
        }
    }
    for (uint32_t i = 0; node != SIM_NODE_NOTHING && i < o->nodes; i++) {
        node = o->v->edges[o->by[node] - 1].from;
    }
    return node;
}

/* The shortest way from the node to itself, backwards from its end in by[]. */
static void find_shortest(struct ordering *o, uint32_t node)
{
    memset(o->by, 0, o->nodes * sizeof *o->by);
    uint32_t count = 0;
    uint32_t at = node;
    for (uint32_t next = 0; !o->by[node]; at = o->queue[next++]) {
        for (uint32_t k = o->starts[at]; k < o->starts[at + 1]; k++) {
            const uint32_t to = o->v->edges[o->numbers[k]].to;
            if (!o->by[to]) {
                o->by[to] = o->numbers[k] + 1;
                o->queue[count++] = to;
            }
        }
    }
}

static void blame(const struct sim_versions *v, uint32_t node)
{
    if (node < v->sessions->node_count) {
        sim_trial_blame(v->trial, v->sessions->nodes[node].place);
    }
}

static void blame_cycle(struct ordering *o, uint32_t node)
{
    find_shortest(o, node);
    uint32_t at = node;
    do {
        const struct sim_version_edge *edge = &o->v->edges[o->by[at] - 1];
        blame(o->v, edge->from);
        blame(o->v, edge->reads[0]);
        blame(o->v, edge->reads[1]);
        at = edge->from;
    } while (at != node);
}

enum sim_versions_answer sim_versions_order(struct sim_versions *v)
{
    struct sim_scratch *scratch = v->trial->scratch;
    struct ordering o = {.v = v, .nodes = 2 * v->sessions->node_count};
    o.starts = sim_scratch_alloc(scratch, (size_t)o.nodes + 1, sizeof *o.starts);
    o.numbers = sim_scratch_alloc(scratch, v->edge_count, sizeof *o.numbers);
    o.before = sim_scratch_alloc(scratch, o.nodes, sizeof *o.before);
    o.queue = sim_scratch_alloc(scratch, o.nodes, sizeof *o.queue);
    o.by = sim_scratch_alloc(scratch, o.nodes, sizeof *o.by);
    enum sim_versions_answer answer = SIM_VERSIONS_NO_MEMORY;
    if (o.starts && o.numbers && o.before && o.queue && o.by) {
        sort_edges(&o);
        const uint32_t node = find_cycle(&o);
        answer = node == SIM_NODE_NOTHING ? SIM_VERSIONS_ORDERED : SIM_VERSIONS_CYCLE;
        if (node != SIM_NODE_NOTHING) {
            blame_cycle(&o, node);
        }
    }
    v->trial->steps += v->edge_count;
    sim_scratch_release(scratch, o.starts, (size_t)o.nodes + 1, sizeof *o.starts);
    sim_scratch_release(scratch, o.numbers, v->edge_count, sizeof *o.numbers);
    sim_scratch_release(scratch, o.before, o.nodes, sizeof *o.before);
    sim_scratch_release(scratch, o.queue, o.nodes, sizeof *o.queue);
    sim_scratch_release(scratch, o.by, o.nodes, sizeof *o.by);
    return answer;
}
