/* InstallSnapshot: the snapshot for those who are far behind (dissertation 5.3). */
#ifndef NODES_RAFT_INSTALL_H
#define NODES_RAFT_INSTALL_H

#include "nodes/raft/state.h"

/* Send a chunk to a peer that needs entries which are no longer in the log. */
void raft_install_send(struct raft *r, struct sim_env *env, uint32_t place);
/* A peer that was sent the snapshot has acknowledged its `match`. */
void raft_install_caught_up(struct raft *r, struct sim_env *env, uint32_t place);
void raft_on_install_snapshot(struct raft *r, struct sim_env *env, const struct sim_event *event);
void raft_on_install_reply(struct raft *r, struct sim_env *env, const struct sim_event *event);

#endif
