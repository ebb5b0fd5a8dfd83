/* How a leader changes the membership (dissertation 4; section 6 of the paper). */
#ifndef NODES_RAFT_RECONFIGURE_H
#define NODES_RAFT_RECONFIGURE_H

#include "nodes/raft/state.h"

void raft_on_membership_command(struct raft *r, struct sim_env *env, const struct sim_event *event);
/* A leader that is busy with it: go on as far as possible. */
void raft_membership_step(struct raft *r, struct sim_env *env);
/* A leader leads no more. */
void raft_membership_deposed(struct raft *r, struct sim_env *env);

#endif
