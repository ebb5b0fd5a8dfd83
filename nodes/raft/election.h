/* Elections (dissertation 3.4, 3.6), PreVote (9.6), CheckQuorum (6.2). */
#ifndef NODES_RAFT_ELECTION_H
#define NODES_RAFT_ELECTION_H

#include "nodes/raft/state.h"

void raft_on_election_timer(struct raft *r, struct sim_env *env);
/* Seek leadership: by the rules of PreVote, if that is on. */
void raft_campaign(struct raft *r, struct sim_env *env);
/* The candidate's own vote is durable: count it and ask for the others. */
void raft_solicit_votes(struct raft *r, struct sim_env *env);
void raft_on_vote_request(struct raft *r, struct sim_env *env, const struct sim_event *event);
void raft_on_vote_reply(struct raft *r, struct sim_env *env, const struct sim_event *event);
void raft_on_timeout_now(struct raft *r, struct sim_env *env, const struct sim_event *event);

#endif
