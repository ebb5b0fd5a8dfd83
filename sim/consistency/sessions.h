/* A history as sessions: what each process did, in its own order. That and who read from whom is
 * all that models weaker than linearizability look at; when something happened they do not ask.
 *
 * What failed is left out, and so is a read that nobody was told the result of, and what may not
 * have taken place if nobody saw a trace of it. Any other operation of unknown outcome comes after
 * what its process did before it, and before nothing: where the process goes on, it is a session
 * by itself. */
#ifndef SIM_CONSISTENCY_SESSIONS_H
#define SIM_CONSISTENCY_SESSIONS_H

#include "sim/consistency/trial.h"

#define SIM_NODE_NOTHING UINT32_MAX

/* Where a read's value came from, if not from a node. */
#define SIM_SOURCE_UNKNOWN UINT32_MAX       /* It told nothing, or several wrote the value. */
#define SIM_SOURCE_INITIAL (UINT32_MAX - 1) /* What the key held at first. */
#define SIM_SOURCE_NOWHERE (UINT32_MAX - 2) /* Nobody (else) wrote it. */
#define SIM_SOURCE_NODE_MAX (UINT32_MAX - 3)

struct sim_session_node {
    uint32_t place; /* In the history. */
    uint32_t session;
    uint32_t key;
    uint32_t source; /* Of registers and keys: of READ and CAS. A node, or as above. */
    bool writes;     /* It changes the object. */
    bool told;       /* Its process was told how it ended. */
    bool optional;   /* It may not have taken place: unknown, and nobody read what it wrote. */
};

/* All arrays are the sessions' own. */
struct sim_sessions {
    const struct sim_history *history;
    struct sim_scratch *scratch;
    struct sim_session_node *nodes; /* By session, each in its order. */
    uint32_t node_count;
    uint32_t *starts; /* Of each session its first node; session_count + 1 of them. */
    uint32_t session_count;
    uint32_t *parents;      /* Of each session the node that comes before its first one, of */
    uint32_t *writes;       /* another session; SIM_NODE_NOTHING. Nodes that write, by key and */
    uint32_t *write_starts; /* then by number: those of key k from write_starts[k] on. */
    uint32_t unresolved;    /* The first node of which it is unknown from whom it read, since */
    bool unresolved_grows;  /* strings under its key grow, or else since several wrote that. */
    uint32_t missed;        /* The first CAS_MISSED. SIM_NODE_NOTHING: none of that kind. */

    uint32_t *slots;    /* Open addressing by key and value: a node that writes it plus 1, or 0. */
    bool *slot_several; /* Others write it, too. */
    size_t slot_count;
    size_t capacity; /* Of the arrays by node or by session. */
};

/* The sessions of the trial's part of the history. False without memory; it may be released
 * then, too. */
SIM_NODISCARD bool sim_sessions_init(struct sim_sessions *sessions, const struct sim_trial *trial);
void sim_sessions_release(struct sim_sessions *sessions);

/* The node that writes `value` under `key`; SIM_SOURCE_UNKNOWN: several; SIM_SOURCE_NOWHERE. */
uint32_t sim_sessions_writer(const struct sim_sessions *sessions, uint32_t key, uint32_t value);

/* What nobody was told of is no observation: such a compare-and-set is only a write. */
void sim_sessions_forget_untold(struct sim_sessions *sessions);

/* Between the parts: work out writers and sources (sessions_sources.c). `grows` says of each key
 * whether strings under it are appended to. False without memory. */
SIM_NODISCARD bool sim_sessions_resolve(struct sim_sessions *sessions, const bool *grows);

/* A node's place within its session. */
static inline uint32_t sim_session_index(const struct sim_sessions *sessions, uint32_t node)
{
    return node - sessions->starts[sessions->nodes[node].session];
}

static inline const struct sim_history_operation *
sim_session_operation(const struct sim_sessions *sessions, uint32_t node)
{
    return &sessions->history->operations[sessions->nodes[node].place];
}

/* It read the value that another operation wrote, or the one there was at first. */
static inline bool sim_source_is_known(uint32_t source)
{
    return source <= SIM_SOURCE_NODE_MAX || source == SIM_SOURCE_INITIAL;
}

#endif
