/* Raft: a replicated key-value store.
 *
 * Ongaro and Ousterhout, "In Search of an Understandable Consensus Algorithm" (2014), and
 * Ongaro's dissertation "Consensus: Bridging Theory and Practice" (2014), whose sections the
 * comments cite. Membership is fixed, and the log is not compacted. */
#ifndef NODES_RAFT_RAFT_H
#define NODES_RAFT_RAFT_H

#include "sim/node.h"

extern const struct sim_node_kind raft_kind;

#endif
