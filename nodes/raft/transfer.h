/* Leadership transfer (dissertation 3.10), by command or away from a slow disk. */
#ifndef NODES_RAFT_TRANSFER_H
#define NODES_RAFT_TRANSFER_H

#include "nodes/raft/state.h"

/* Begin to hand leadership to `target`, SIM_NOBODY: to the peer that lags least. */
void raft_transfer_start(struct raft *r, struct sim_env *env, uint32_t target);
/* Time is up: the target has not come to lead. */
void raft_on_transfer_timer(struct raft *r, struct sim_env *env);
/* A leader whose sync under way has taken longer than `slow_disk_bound` begins to hand over. */
void raft_watch_disk(struct raft *r, struct sim_env *env);
/* That sync has ended: it stays, if the one to take over has not been quicker. */
void raft_stay_on_disk(struct raft *r, struct sim_env *env);

#endif
