/* Log replication, the leader's side (dissertation 3.5, 3.6.2, 10.2). */
#ifndef NODES_RAFT_REPLICATION_H
#define NODES_RAFT_REPLICATION_H

#include "nodes/raft/state.h"

/* A new leader: nothing is known of the others. */
void raft_start_replication(struct raft *r, struct sim_env *env);
/* A leader sends heartbeats. */
void raft_on_heartbeat_timer(struct raft *r, struct sim_env *env);
/* Some peers have become members: send them entries from now on. */
void raft_welcome(struct raft *r, struct sim_env *env);
/* Send the entries that may be sent to every peer that is not being probed. */
void raft_replicate(struct raft *r, struct sim_env *env);
/* An entry of a client was appended: send it, perhaps together with later ones. */
void raft_batch_add(struct raft *r, struct sim_env *env);
/* Send whatever waits. */
void raft_batch_end(struct raft *r, struct sim_env *env);
void raft_on_append_reply(struct raft *r, struct sim_env *env, const struct sim_event *event);
/* A leader commits what a majority holds durably. */
void raft_advance_commit(struct raft *r, struct sim_env *env);
/* If the target of a transfer has all of the log: tell it to campaign (3.10). */
void raft_transfer_check(struct raft *r, struct sim_env *env);

#endif
