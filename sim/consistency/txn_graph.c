/* The graph of dependencies between transactions (Adya's thesis, section 3.1.3), and the two
 * orders that do not come from data: of each process, and of real time.
 *
 * The edges are made twice, first to count those of each transaction, then to put each in its
 * place. Those of one transaction come in the order of enum sim_txn_why, which those who meet
 * several between the same two rely on. */
#include "sim/consistency/txn_internal.h"

bool txn_graph_alloc(struct txn_search *s, struct txn_graph *g, uint32_t node_count,
                     uint32_t edge_count)
{
    g->node_count = node_count;
    g->edge_count = edge_count;
    g->starts = sim_scratch_alloc(&s->scratch, (size_t)node_count + 1, sizeof *g->starts);
    g->edges = sim_scratch_alloc(&s->scratch, edge_count, sizeof *g->edges);
    return g->starts && g->edges;
}

void txn_graph_release(struct txn_search *s, struct txn_graph *g)
{
    sim_scratch_release(&s->scratch, g->starts, (size_t)g->node_count + 1, sizeof *g->starts);
    sim_scratch_release(&s->scratch, g->edges, g->edge_count, sizeof *g->edges);
    memset(g, 0, sizeof *g);
}

/* The version that an append came directly after, as far as is known: one that nobody saw came
 * after all that somebody saw. */
static uint32_t element_before(const struct txn_search *s, const struct sim_txn_operation *append)
{
    const struct txn_order *order = &s->orders[append->key];
    const uint32_t place = s->places[append->element];
    const uint32_t after = place == SIM_TXN_NONE ? order->count : place;
    return after ? order->elements[after - 1] : SIM_TXN_NONE;
}

/* The version of a register that this one is known to come after, and whose writer is known. */
static uint32_t version_before(const struct txn_search *s, uint32_t element)
{
    const struct sim_txn_history *h = s->history;
    const uint32_t parent = s->parents[element];
    const bool known = parent != SIM_TXN_NONE && txn_writer(h, parent) != SIM_TXN_NONE &&
                       h->operations[h->elements[parent].writer].last;
    return known ? parent : SIM_TXN_NONE;
}

static void add_readers(struct txn_builder *b, uint32_t slot, uint32_t seen, uint32_t to,
                        uint32_t element)
{
    struct txn_search *s = b->search;
    const uint32_t end = s->reader_starts[slot + 1];
    if (!txn_spend(s, end - s->reader_starts[slot])) {
        return;
    }
    for (uint32_t r = s->reader_starts[slot]; r < end; r++) {
        txn_edge(b, s->readers[r], to, SIM_TXN_RW, element, seen);
    }
}

static inline bool is_write(const struct sim_txn_history *h, const struct sim_txn_operation *o)
{
    return o->action == SIM_TXN_WRITE && txn_possible(h, o->txn);
}

static void add_ww(struct txn_builder *b)
{
    const struct sim_txn_history *h = b->h;
    for (uint32_t i = 0; i < h->operation_count; i++) {
        const struct sim_txn_operation *o = &h->operations[i];
        if (!is_write(h, o) || (!txn_is_list(h, o) && !o->last)) {
            continue;
        }
        const uint32_t seen = txn_is_list(h, o) ? element_before(b->search, o)
                                                : version_before(b->search, o->element);
        if (seen != SIM_TXN_NONE) {
            txn_edge(b, txn_writer(h, seen), o->txn, SIM_TXN_WW, o->element, seen);
        }
    }
}

static void add_wr(struct txn_builder *b)
{
    const struct sim_txn_history *h = b->h;
    for (uint32_t i = 0; i < h->operation_count; i++) {
        const struct sim_txn_operation *o = &h->operations[i];
        const uint32_t element = txn_slot(h, o);
        if (element >= h->element_count) {
            continue; /* Nothing, or not known. */
        }
        const uint32_t writer = h->elements[element].writer;
        /* What a register held between two writes of one transaction is no version of it. */
        if (txn_is_list(h, o) || (writer != SIM_TXN_NONE && h->operations[writer].last)) {
            txn_edge(b, txn_writer(h, element), o->txn, SIM_TXN_WR, element, SIM_TXN_NONE);
        }
    }
}

static void add_rw(struct txn_builder *b)
{
    const struct sim_txn_history *h = b->h;
    struct txn_search *s = b->search;
    for (uint32_t i = 0; i < h->operation_count; i++) {
        const struct sim_txn_operation *o = &h->operations[i];
        if (!is_write(h, o) || (!txn_is_list(h, o) && !o->last)) {
            continue;
        }
        const uint32_t nothing = h->element_count + o->key;
        if (txn_is_list(h, o)) {
            const uint32_t seen = element_before(s, o);
            add_readers(b, seen == SIM_TXN_NONE ? nothing : seen, seen, o->txn, o->element);
            continue;
        }
        if (s->parents[o->element] != SIM_TXN_NONE) {
            add_readers(b, s->parents[o->element], s->parents[o->element], o->txn, o->element);
        }
        /* Whoever found nothing came before every version: to those that another version leads
         * to this follows from the edges to that one. */
        if (version_before(s, o->element) == SIM_TXN_NONE) {
            add_readers(b, nothing, SIM_TXN_NONE, o->txn, o->element);
        }
    }
}

/* What happened at each position of the history: a transaction, twice, plus 1 if it returned. */
static void list_events(const struct sim_txn_history *h, uint64_t *events)
{
    for (uint32_t t = 0; t < h->txn_count; t++) {
        events[h->txns[t].invoked] = (uint64_t)t * 2;
        if (h->txns[t].returned != SIM_TXN_NONE) {
            events[h->txns[t].returned] = (uint64_t)t * 2 + 1;
        }
    }
}

/* Everything over before a transaction began comes before it; edges from those that no other of
 * them comes after are enough. These are a window of those that are over: when one returns,
 * whatever was over before it began has no need of edges of its own any more. */
static void add_realtime(struct txn_builder *b, const uint64_t *events, uint32_t *over)
{
    const struct sim_txn_history *h = b->h;
    uint32_t first = 0, count = 0;
    for (uint32_t at = 0; at < h->positions; at++) {
        const uint32_t txn = (uint32_t)(events[at] / 2);
        const struct sim_txn *t = &h->txns[txn];
        if (events[at] % 2 == 0) {
            if (!txn_spend(b->search, count - first)) {
                return;
            }
            for (uint32_t i = first; i < count; i++) {
                txn_edge(b, over[i], txn, SIM_TXN_REALTIME, SIM_TXN_NONE, SIM_TXN_NONE);
            }
        } else if (t->outcome == SIM_TXN_OK) {
            while (first < count && h->txns[over[first]].returned < t->invoked) {
                first++;
            }
            over[count++] = txn;
        }
    }
}

/* One committed transaction of a process after the other. `last`: of each process, found by
 * open addressing among `slot_mask` + 1 slots; a transaction plus 1, or 0. */
static void add_process(struct txn_builder *b, const uint64_t *events, uint32_t *last,
                        uint32_t slot_mask)
{
    const struct sim_txn_history *h = b->h;
    for (uint32_t at = 0; at < h->positions; at++) {
        const uint32_t txn = (uint32_t)(events[at] / 2);
        const struct sim_txn *t = &h->txns[txn];
        if (events[at] % 2 == 0 || t->outcome != SIM_TXN_OK) {
            continue;
        }
        uint32_t slot = (uint32_t)sim_mix64(t->process) & slot_mask;
        while (last[slot] && h->txns[last[slot] - 1].process != t->process) {
            slot = (slot + 1) & slot_mask;
        }
        if (last[slot]) {
            txn_edge(b, last[slot] - 1, txn, SIM_TXN_PROCESS, SIM_TXN_NONE, SIM_TXN_NONE);
        }
        last[slot] = txn + 1;
    }
}

static bool add_extra(struct txn_builder *b, uint32_t extra)
{
    const struct sim_txn_history *h = b->h;
    struct sim_scratch *scratch = &b->search->scratch;
    uint32_t slots = 64;
    while (extra == SIM_TXN_PROCESS && slots / 2 < h->txn_count) {
        slots *= 2;
    }
    const uint32_t room = extra == SIM_TXN_PROCESS ? slots : h->txn_count;
    uint64_t *events = sim_scratch_alloc(scratch, h->positions, sizeof *events);
    uint32_t *work = sim_scratch_alloc(scratch, room, sizeof *work);
    const bool fine = events && work;
    if (fine) {
        list_events(h, events);
        if (extra == SIM_TXN_PROCESS) {
            add_process(b, events, work, slots - 1);
        } else {
            add_realtime(b, events, work);
        }
    }
    sim_scratch_release(scratch, events, h->positions, sizeof *events);
    sim_scratch_release(scratch, work, room, sizeof *work);
    return fine;
}

void txn_data_edges(struct txn_builder *b)
{
    add_ww(b);
    add_wr(b);
    add_rw(b);
}

static bool add_all(struct txn_builder *b, txn_edges_fn data, uint32_t extra)
{
    data(b);
    return (extra == SIM_TXN_WW || add_extra(b, extra)) && !b->search->exhausted;
}

bool txn_build_graph(struct txn_search *s, txn_edges_fn data, const void *context, uint32_t extra)
{
    const struct sim_txn_history *h = s->history;
    struct txn_graph *g = &s->graph;
    struct txn_builder b = {.search = s, .h = h, .context = context};
    b.cursors = sim_scratch_alloc(&s->scratch, h->txn_count, sizeof *b.cursors);
    bool fine = b.cursors && add_all(&b, data, extra);
    if (fine && b.count > UINT32_MAX / 4) {
        s->scratch.exhausted = true;
        fine = false;
    }
    fine = fine && txn_graph_alloc(s, g, h->txn_count, (uint32_t)b.count);
    if (fine) {
        uint32_t at = 0;
        for (uint32_t t = 0; t < h->txn_count; t++) {
            g->starts[t] = at;
            at += b.cursors[t];
            b.cursors[t] = g->starts[t];
        }
        g->starts[h->txn_count] = at;
        b.edges = g->edges;
        fine = add_all(&b, data, extra);
    }
    sim_scratch_release(&s->scratch, b.cursors, h->txn_count, sizeof *b.cursors);
    return fine;
}
