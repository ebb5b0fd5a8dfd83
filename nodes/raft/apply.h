/* Committed entries reach the state machine here, one by one and in order (dissertation 3.5). */
#ifndef NODES_RAFT_APPLY_H
#define NODES_RAFT_APPLY_H

#include "nodes/raft/state.h"

/* Raise the commit index (never lowers it) and apply what is committed. */
void raft_commit_to(struct raft *r, struct sim_env *env, uint64_t index);

#endif
