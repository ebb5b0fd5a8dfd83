/* Log compaction (dissertation 5). */
#ifndef NODES_RAFT_SNAPSHOT_H
#define NODES_RAFT_SNAPSHOT_H

#include "nodes/raft/state.h"

/* Take a snapshot of what is applied: enough has been since the last one. Puts it off while a
 * peer needs the last one. */
void raft_snapshot_take(struct raft *r, struct sim_env *env);
/* Say when the next one is due, after a change of the settings or a new snapshot. */
void raft_snapshot_schedule(struct raft *r);
/* The one written last is durable: install it if it was received, and discard what it covers. */
void raft_snapshot_durable(struct raft *r, struct sim_env *env);
/* Read the newest good one at boot. False if the node must not go on. */
SIM_NODISCARD bool raft_snapshot_recover(struct raft *r, struct sim_env *env);
/* Is a received snapshot being written? Then the node does not campaign. */
bool raft_snapshot_installing(const struct raft *r);
/* What was received is whole: write it, to be installed when it is durable. False if it is corrupt,
 * or the node has halted. */
SIM_NODISCARD bool raft_snapshot_accept(struct raft *r, struct sim_env *env);

#endif
