/* Log replication, the follower's side (dissertation 3.5). */
#ifndef NODES_RAFT_APPEND_H
#define NODES_RAFT_APPEND_H

#include "nodes/raft/state.h"

void raft_on_append(struct raft *r, struct sim_env *env, const struct sim_event *event);
/* Tell the leader what is verified and durable; clears what is no longer due. */
void raft_acknowledge(struct raft *r, struct sim_env *env);
/* The prefix up to `index` is that of this term's leader: acknowledge it, now or when durable. */
void raft_verify_to(struct raft *r, uint64_t index);

#endif
