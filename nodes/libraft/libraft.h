/* The node kind `libraft`: Debian's libraft 0.15.0, a Raft library in production use, linked
 * unmodified and driven through its own I/O interface. What the simulator finds in it is real.
 *
 * It replicates the key-value store of nodes/kv/. Settings have the names of the library's
 * own raft_set_ functions. Built only where the library is installed (meson option `libraft`,
 * which defines FALLACY_LIBRAFT). */
#ifndef NODES_LIBRAFT_LIBRAFT_H
#define NODES_LIBRAFT_LIBRAFT_H

#include "sim/node.h"

extern const struct sim_node_kind libraft_kind;

#endif
