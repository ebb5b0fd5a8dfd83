/* What a node is in its term. The one circle among the parts: what they hear changes the role, and
 * a role that ends is told to each part that did something in it. */
#ifndef NODES_RAFT_ROLE_H
#define NODES_RAFT_ROLE_H

#include "nodes/raft/message.h"

/* Draw a new election timeout and start it. */
void raft_restart_election_timer(struct raft *r, struct sim_env *env);
/* Go to a term with a vote, durable by the end of the step, in whatever role. */
void raft_enter_term(struct raft *r, struct sim_env *env, uint64_t term, uint32_t vote);
/* Follow `leader` (or nobody yet) in `term`, which is at least our own. */
void raft_become_follower(struct raft *r, struct sim_env *env, uint64_t term, uint32_t leader);
/* Stand for the next term; `transfer`: because its leader said so. There must be a next term. */
void raft_become_candidate(struct raft *r, struct sim_env *env, bool transfer);
void raft_become_leader(struct raft *r, struct sim_env *env);
/* An answer of another node, in `term`, has come. False if it is not for the leader that we are. */
SIM_NODISCARD bool raft_hear_answer(struct raft *r, struct sim_env *env, uint64_t term);
/* The answer to append_entries or install_snapshot: decode it into `reply`, and note that the peer
 * at `place` has answered. False as for raft_hear_answer(), or if it is malformed or corrupt. */
SIM_NODISCARD bool raft_hear_peer(struct raft *r, struct sim_env *env,
                                  const struct sim_event *event, struct raft_message *reply,
                                  uint32_t *place);
/* A message of the leader of `term` has come: follow it. False if it is of an older one. */
SIM_NODISCARD bool raft_hear_leader(struct raft *r, struct sim_env *env, uint32_t leader,
                                    uint64_t term);

#endif
