/* Reads that need no log entry: ReadIndex and leases (dissertation 6.4). */
#ifndef NODES_RAFT_READ_H
#define NODES_RAFT_READ_H

#include "nodes/raft/state.h"

/* A leader has a read that needs no entry: answer it now or later. False if it is none. */
SIM_NODISCARD bool raft_read(struct raft *r, struct sim_env *env,
                             const struct sim_operation *operation);
/* Some wait: answer those that may be. */
void raft_reads_answer(struct raft *r, struct sim_env *env);
/* A leader begins, leads no more, sends heartbeats. */
void raft_reads_start(struct raft *r);
void raft_reads_deposed(struct raft *r, struct sim_env *env, uint32_t leader);
void raft_reads_heartbeat(struct raft *r, struct sim_env *env);
/* Has this voter promised to vote for nobody, for a while? */
bool raft_has_promised(const struct raft *r, const struct sim_env *env);
void raft_on_heartbeat(struct raft *r, struct sim_env *env, const struct sim_event *event);
void raft_on_heartbeat_reply(struct raft *r, struct sim_env *env, const struct sim_event *event);

#endif
