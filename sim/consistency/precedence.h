/* What must come before what among the nodes of sessions: a relation that holds the order of each
 * session, grows by edges, and is closed under "and so on".
 *
 * What comes before a node is, of each session, its first few nodes: one number for each. So the
 * whole relation is a table of nodes by sessions, and asking it takes no time. Edges that were
 * added are kept with their reason, so that a cycle can be explained. */
#ifndef SIM_CONSISTENCY_PRECEDENCE_H
#define SIM_CONSISTENCY_PRECEDENCE_H

#include "sim/consistency/sessions.h"

struct sim_edge {
    uint32_t from;
    uint32_t to;
    uint32_t because; /* The read r, see below; SIM_NODE_NOTHING: it was given. */
};

/* All members are the relation's own. */
struct sim_precedence {
    const struct sim_sessions *sessions;
    struct sim_trial *trial; /* Its steps count nodes that were looked at. */
    uint32_t *before;        /* before[node * sessions + s]: how many nodes of s come before. */
    uint32_t *sequence;      /* Of a closed relation: all nodes in an order that keeps to it. */
    uint32_t *heads;         /* By session. */
    uint32_t *row;
    struct sim_edge *edges;
    size_t edge_count;
    size_t edge_capacity;
    size_t reasons; /* Reasons of edges are among the first so many; at first any. */
    uint32_t stuck; /* After SIM_CYCLE: a node that comes before itself. */
};

enum sim_closure {
    SIM_CLOSED,
    SIM_CYCLE,       /* A node comes before itself. */
    SIM_OVERWRITTEN, /* A write comes between a read and the write of what it read. */
    SIM_GAVE_UP,     /* No memory or no steps. */
};

/* The order of the sessions and nothing else. False without memory; it may be released then. */
SIM_NODISCARD bool sim_precedence_init(struct sim_precedence *precedence,
                                       const struct sim_sessions *sessions,
                                       struct sim_trial *trial);
void sim_precedence_release(struct sim_precedence *precedence);

/* Forget all edges but the first `count`, and what followed from them. Close again after it. */
void sim_precedence_cut(struct sim_precedence *precedence, size_t count);

/* Add an edge, unless it is known already. False without memory. */
SIM_NODISCARD bool sim_precedence_add(struct sim_precedence *precedence, uint32_t from, uint32_t to,
                                      uint32_t because);

/* Whoever was read from comes before the reader. False without memory. */
SIM_NODISCARD bool sim_precedence_add_sources(struct sim_precedence *precedence);

enum sim_closure sim_precedence_close(struct sim_precedence *precedence);

/* Does `a` come before `b`? Of a closed relation. */
static inline bool sim_precedes(const struct sim_precedence *p, uint32_t a, uint32_t b)
{
    const struct sim_sessions *s = p->sessions;
    return p->before[(size_t)b * s->session_count + s->nodes[a].session] > sim_session_index(s, a);
}

/* Of registers and keys, and of a closed relation: the first read that a write of its key
 * separates from what it has read from; SIM_NODE_NOTHING. `session` as below. */
uint32_t sim_precedence_find_overwritten(const struct sim_precedence *precedence, uint32_t session);

/* Of registers and keys, and of a closed relation: let w write what r reads, and v write the same
 * key. Wherever v comes before r, add that v comes before w. Close again after it. False without
 * memory. */
SIM_NODISCARD bool sim_precedence_add_conflicts(struct sim_precedence *precedence);

/* Of registers and keys, with w, r and v as above: in any one order of all of them v before r
 * means v before w, and w before v means r before v ("Gradual Consistency
 * Checking", Zennou, Bouajjani, Enea and Erradi 2019). Adds all such edges and closes, until
 * nothing is new or there is a contradiction. Only reads of `session` are looked at, or, if it
 * is SIM_NODE_NOTHING, all. */
enum sim_closure sim_precedence_saturate(struct sim_precedence *precedence, uint32_t session);

/* Blame what makes the contradiction that a closure ended with, by as few edges as can be, with
 * the reasons of each. */
void sim_precedence_blame(struct sim_precedence *precedence, enum sim_closure closure);

#endif
