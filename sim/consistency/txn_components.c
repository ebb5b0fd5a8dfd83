/* Strongly connected components by Tarjan's algorithm (SIAM J. Computing 1(2), 1972), with the
 * path kept in an array instead of on the stack. */
#include "sim/consistency/txn_internal.h"

struct visit {
    uint32_t number; /* In the order of visits, from 1; 0: not visited. */
    uint32_t low;    /* The smallest number known to be reached from here. */
    uint32_t next;   /* Edge to look at next. */
};

struct walk {
    const struct txn_graph *graph;
    uint32_t mask;
    struct visit *visits;
    uint32_t *path; /* Nodes from the root to where the walk is. */
    uint32_t path_count;
    uint32_t *open; /* Visited, and of no component yet. */
    uint32_t open_count;
    uint32_t visited, components;
    uint32_t *component;
};

static void enter(struct walk *w, uint32_t node)
{
    w->visited++;
    w->visits[node] = (struct visit){w->visited, w->visited, w->graph->starts[node]};
    w->path[w->path_count++] = node;
    w->open[w->open_count++] = node;
}

/* All edges of the last node of the path are done. */
static void leave(struct walk *w)
{
    const uint32_t node = w->path[--w->path_count];
    const struct visit *v = &w->visits[node];
    if (w->path_count > 0) {
        struct visit *before = &w->visits[w->path[w->path_count - 1]];
        before->low = v->low < before->low ? v->low : before->low;
    }
    if (v->low < v->number) {
        return;
    }
    uint32_t member;
    do {
        member = w->open[--w->open_count];
        w->component[member] = w->components;
    } while (member != node);
    w->components++;
}

static void walk_from(struct walk *w, uint32_t root)
{
    enter(w, root);
    while (w->path_count > 0) {
        const uint32_t node = w->path[w->path_count - 1];
        struct visit *v = &w->visits[node];
        if (v->next == w->graph->starts[node + 1]) {
            leave(w);
            continue;
        }
        const struct txn_edge *edge = &w->graph->edges[v->next++];
        if (!(w->mask >> edge->why & 1)) {
            continue;
        }
        const struct visit *to = &w->visits[edge->to];
        if (to->number == 0) {
            enter(w, edge->to);
        } else if (w->component[edge->to] == SIM_TXN_NONE && to->number < v->low) {
            v->low = to->number;
        }
    }
}

uint32_t txn_components(struct txn_search *s, const struct txn_graph *g, uint32_t mask,
                        uint32_t *component)
{
    const uint32_t n = g->node_count;
    struct walk w = {.graph = g, .mask = mask, .component = component};
    w.visits = sim_scratch_alloc(&s->scratch, n, sizeof *w.visits);
    w.path = sim_scratch_alloc(&s->scratch, n, sizeof *w.path);
    w.open = sim_scratch_alloc(&s->scratch, n, sizeof *w.open);
    if (w.visits && w.path && w.open && txn_spend(s, g->edge_count)) {
        for (uint32_t node = 0; node < n; node++) {
            component[node] = SIM_TXN_NONE;
        }
        for (uint32_t node = 0; node < n; node++) {
            if (w.visits[node].number == 0) {
                walk_from(&w, node);
            }
        }
    }
    sim_scratch_release(&s->scratch, w.visits, n, sizeof *w.visits);
    sim_scratch_release(&s->scratch, w.path, n, sizeof *w.path);
    sim_scratch_release(&s->scratch, w.open, n, sizeof *w.open);
    return w.components;
}
