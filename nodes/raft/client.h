/* What clients ask for (dissertation 6). */
#ifndef NODES_RAFT_CLIENT_H
#define NODES_RAFT_CLIENT_H

#include "nodes/raft/state.h"

void raft_on_operation(struct raft *r, struct sim_env *env, const struct sim_operation *operation);

#endif
