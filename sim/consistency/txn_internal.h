/* What the files of the transaction checker share; nobody else includes it. */
#ifndef SIM_CONSISTENCY_TXN_INTERNAL_H
#define SIM_CONSISTENCY_TXN_INTERNAL_H

#include "sim/consistency/txn.h"

#define TXN_MASK(why) (UINT32_C(1) << (why))

struct txn_edge {
    uint32_t to;
    uint32_t why;           /* enum sim_txn_why */
    uint32_t element, seen; /* As in struct sim_txn_step. */
};

/* Edges out of node v: edges[starts[v] .. starts[v + 1] - 1]. */
struct txn_graph {
    uint32_t node_count;
    uint32_t edge_count;
    uint32_t *starts;
    struct txn_edge *edges;
};

/* The versions of a key in their order, as far as reads show it. */
struct txn_order {
    const uint32_t *elements; /* Each once. */
    uint32_t count;
};

/* A check under way. */
struct txn_search {
    const struct sim_txn_history *history;
    struct sim_scratch scratch;
    uint64_t steps, steps_max;
    bool exhausted;  /* The budget of steps. */
    uint32_t found;  /* Bit a: anomaly a. */
    uint32_t wanted; /* Bit a: the model forbids it. */
    /* Told of each component what kinds of cycles it has that are not implied by each other; may
     * be NULL. */
    void (*component_fn)(void *context, uint32_t found);
    void *component_context;

    struct txn_order *orders; /* Of each key of lists. */
    uint32_t *distinct;       /* Where orders live of which an element stands twice in the list. */
    uint32_t distinct_count;
    uint32_t *places;  /* Of each element: in its key's order, or SIM_TXN_NONE. */
    uint32_t *parents; /* Of each element of a register: what its writer read before, or NONE. */
    uint32_t *reader_starts; /* Who read the state after element e: readers[reader_starts[e] ..]; */
    uint32_t *readers;       /* e = element_count + k: who found key k empty. */
    uint32_t reader_slots;   /* reader_starts has one more. */

    struct txn_graph graph; /* Of all transactions. */
    uint32_t *cursors;      /* While it is built: where the next edge of each goes. */

    struct sim_txn_witness local; /* The first and worst anomaly that is no cycle. */
    struct sim_txn_witness cycle; /* A smallest forbidden cycle. */
};

/* True while the budget lasts. */
static inline bool txn_spend(struct txn_search *search, uint64_t steps)
{
    search->exhausted = search->exhausted || search->steps_max - search->steps < steps;
    search->steps = search->exhausted ? search->steps_max : search->steps + steps;
    return !search->exhausted;
}

/* A transaction that may have taken place. */
static inline bool txn_possible(const struct sim_txn_history *h, uint32_t txn)
{
    return h->txns[txn].outcome != SIM_TXN_FAILED;
}

/* Who wrote this element, if that may have taken place; else SIM_TXN_NONE. */
static inline uint32_t txn_writer(const struct sim_txn_history *h, uint32_t element)
{
    const uint32_t operation = h->elements[element].writer;
    const uint32_t txn = operation == SIM_TXN_NONE ? SIM_TXN_NONE : h->operations[operation].txn;
    return txn != SIM_TXN_NONE && txn_possible(h, txn) ? txn : SIM_TXN_NONE;
}

static inline bool txn_is_list(const struct sim_txn_history *h, const struct sim_txn_operation *o)
{
    return h->keys[o->key].object == SIM_TXN_LIST;
}

/* The slot among the readers of what this read saw last, or SIM_TXN_NONE if it says nothing. */
static inline uint32_t txn_slot(const struct sim_txn_history *h, const struct sim_txn_operation *o)
{
    if (o->action != SIM_TXN_READ) {
        return SIM_TXN_NONE;
    }
    const uint32_t nothing = h->element_count + o->key;
    if (txn_is_list(h, o)) {
        return o->length ? sim_txn_item(h, o, o->length - 1) : nothing;
    }
    return o->element == SIM_TXN_NONE ? nothing : o->element;
}

/* Note an anomaly of one or two transactions on a key; `b` and `element` may be SIM_TXN_NONE. */
void txn_note(struct txn_search *search, uint32_t anomaly, uint32_t a, uint32_t b, uint32_t key,
              uint32_t element);

/* Each answers false without memory. */
bool txn_find_versions(struct txn_search *search); /* orders, places, parents, readers */
bool txn_find_local(struct txn_search *search);    /* All anomalies that are no cycles. */
bool txn_find_lost_updates(struct txn_search *search);

/* Makes the edges of a graph: counted while `edges` is NULL. */
struct txn_builder {
    struct txn_search *search;
    const struct sim_txn_history *h;
    const void *context; /* As given to txn_build_graph(). */
    uint32_t *cursors;
    struct txn_edge *edges;
    uint64_t count;
};
static inline void txn_edge(struct txn_builder *b, uint32_t from, uint32_t to, uint32_t why,
                            uint32_t element, uint32_t seen)
{
    if (from == to || from == SIM_TXN_NONE || to == SIM_TXN_NONE) {
        return;
    }
    if (b->edges) {
        b->edges[b->cursors[from]++] = (struct txn_edge){to, why, element, seen};
    } else {
        b->cursors[from]++;
        b->count++;
    }
}
/* Makes edges in the order of enum sim_txn_why, the same each time it is called. */
typedef void (*txn_edges_fn)(struct txn_builder *builder);
/* Of lists and registers: all of ww, wr and rw. */
void txn_data_edges(struct txn_builder *builder);
/* The graph of what `data` makes and `extra`: SIM_TXN_PROCESS, SIM_TXN_REALTIME, or SIM_TXN_WW:
 * nothing more. */
bool txn_build_graph(struct txn_search *search, txn_edges_fn data, const void *context,
                     uint32_t extra);
bool txn_find_cycles(struct txn_search *search, uint32_t extra);

/* Number the strongly connected components of the graph that has only edges of the mask; an edge
 * between two components leads to the smaller number. Answers how many; 0 without memory or
 * budget. */
uint32_t txn_components(struct txn_search *search, const struct txn_graph *graph, uint32_t mask,
                        uint32_t *component);

/* How a key or value is called. */
void txn_show(const struct sim_txn_history *history, uint64_t number, char *text,
              size_t size_bytes);
/* The verdict if the same value was written twice: unknown, and by whom. False: none was. */
bool txn_tell_twice(const struct sim_txn_history *history, struct sim_consistency_result *result);

bool txn_graph_alloc(struct txn_search *search, struct txn_graph *graph, uint32_t node_count,
                     uint32_t edge_count);
void txn_graph_release(struct txn_search *search, struct txn_graph *graph);

#endif
