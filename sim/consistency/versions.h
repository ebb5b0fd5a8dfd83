/* In which order writes must have taken effect, as far as reads tell: edges between writes, each
 * with the reads that tell it. Nodes are those of sessions, and behind them one more for each,
 * which stands for "that one and certain others before it": so that "each of these before that
 * one" takes few edges. */
#ifndef SIM_CONSISTENCY_VERSIONS_H
#define SIM_CONSISTENCY_VERSIONS_H

#include "sim/consistency/sessions.h"

struct sim_version_edge {
    uint32_t from;
    uint32_t to;
    uint32_t reads[2]; /* Who tells it; SIM_NODE_NOTHING: no more. */
};

/* All members are its own. */
struct sim_versions {
    const struct sim_sessions *sessions;
    struct sim_trial *trial;
    struct sim_version_edge *edges;
    size_t edge_count;
    size_t edge_capacity;
};

/* The node that stands for `node` and others before it. */
static inline uint32_t sim_versions_and_before(const struct sim_versions *versions, uint32_t node)
{
    return versions->sessions->node_count + node;
}

/* False without memory. */
SIM_NODISCARD bool sim_versions_add(struct sim_versions *versions, uint32_t from, uint32_t to,
                                    uint32_t read, uint32_t other_read);

enum sim_versions_answer { SIM_VERSIONS_ORDERED, SIM_VERSIONS_CYCLE, SIM_VERSIONS_NO_MEMORY };

/* Is there an order that keeps all edges? If not, a short cycle is blamed. */
enum sim_versions_answer sim_versions_order(struct sim_versions *versions);
void sim_versions_release(struct sim_versions *versions);

#endif
