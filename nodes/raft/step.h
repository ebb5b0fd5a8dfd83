/* One event is one step. */
#ifndef NODES_RAFT_STEP_H
#define NODES_RAFT_STEP_H

#include "nodes/raft/state.h"

void raft_step(struct raft *r, struct sim_env *env, const struct sim_event *event);

#endif
