/* Follower, candidate, leader (dissertation 3.3): the changes from one to another, and what begins
 * and ends with them.
 *
 *                  timeout                    timeout: next term
 *                 .-------.                       .---.
 *     follower --(pre-vote)--> candidate --------'     '--> candidate
 *        ^  ^                     |   |
 *        |  '--- higher term, ----'   | votes of a majority
 *        |       or a leader          v
 *        '------ higher term, or ---- leader
 *                no quorum (CheckQuorum)
 *
 * A pre-candidate is a follower: it has promised nothing and changed no term. */
#include "nodes/raft/role.h"

#include "nodes/raft/log.h"
#include "nodes/raft/read.h"
#include "nodes/raft/reconfigure.h"
#include "nodes/raft/replication.h"
#include "nodes/raft/storage.h"

void raft_restart_election_timer(struct raft *r, struct sim_env *env)
{
    const uint64_t high_ns =
        raft_has_bug(r, RAFT_R15) ? r->config.election_low_ns : r->config.election_high_ns;
    r->election_timeout_ns = sim_random_between(env, r->config.election_low_ns, high_ns);
    r->election_base_ns = sim_monotonic_ns(env);
    sim_timer_set(env, RAFT_TIMER_ELECTION, r->election_timeout_ns);
}

static void set_role(struct raft *r, struct sim_env *env, enum sim_role role)
{
    r->role = role;
    sim_publish(env, RAFT_FACT_ROLE, (int64_t)role - SIM_ROLE_FOLLOWER);
}

static void set_leader(struct raft *r, struct sim_env *env, uint32_t leader)
{
    r->leader = leader;
    sim_publish(env, RAFT_FACT_LEADER, leader == SIM_NOBODY ? -1 : (int64_t)leader);
}

void raft_enter_term(struct raft *r, struct sim_env *env, uint64_t term, uint32_t vote)
{
    r->term = term;
    r->vote = vote;
    raft_hard_changed(r);
    sim_publish(env, RAFT_FACT_TERM, (int64_t)term);
}

void raft_become_follower(struct raft *r, struct sim_env *env, uint64_t term, uint32_t leader)
{
    assert(term >= r->term);
    if (term > r->term) {
        raft_enter_term(r, env, term, SIM_NOBODY);
    } else if (raft_has_bug(r, RAFT_R29)) {
        r->vote = SIM_NOBODY;
    }
    r->due &= raft_has_bug(r, RAFT_R34) ? (uint32_t)RAFT_DUE_ACK : 0;
    r->verified = raft_has_bug(r, RAFT_R34) ? r->verified : 0;
    r->acked = 0;
    r->pre_candidate = false;
    if (r->role == SIM_ROLE_LEADER) {
        sim_timer_cancel(env, RAFT_TIMER_HEARTBEAT);
        if (!raft_has_bug(r, RAFT_R28)) {
            sim_timer_cancel(env, RAFT_TIMER_TRANSFER);
            r->transfer_target = SIM_NOBODY;
        }
        if (raft_has_bug(r, RAFT_R40)) {
            raft_log_truncate(r, env, r->commit + 1);
        }
        raft_membership_deposed(r, env);
        raft_reads_deposed(r, env, leader);
    }
    if (r->role != SIM_ROLE_FOLLOWER) {
        set_role(r, env, SIM_ROLE_FOLLOWER);
        raft_restart_election_timer(r, env);
    }
    set_leader(r, env, leader);
}

void raft_become_candidate(struct raft *r, struct sim_env *env, bool transfer)
{
    r->pre_candidate = false;
    r->transferring_in = transfer;
    r->verified = 0;
    r->acked = 0;
    raft_enter_term(r, env, r->term + 1, r->self);
    set_role(r, env, SIM_ROLE_CANDIDATE);
    set_leader(r, env, SIM_NOBODY);
    raft_restart_election_timer(r, env);
}

void raft_become_leader(struct raft *r, struct sim_env *env)
{
    set_role(r, env, SIM_ROLE_LEADER);
    set_leader(r, env, r->self);
    sim_timer_cancel(env, RAFT_TIMER_ELECTION);
    if (r->config.check_quorum) {
        sim_timer_set(env, RAFT_TIMER_ELECTION, r->config.election_high_ns);
    }
    raft_reads_start(r);
    raft_start_replication(r, env);
}

bool raft_hear_answer(struct raft *r, struct sim_env *env, uint64_t term)
{
    if (term > r->term) {
        raft_become_follower(r, env, term, SIM_NOBODY);
    }
    return r->role == SIM_ROLE_LEADER && term == r->term;
}

bool raft_hear_peer(struct raft *r, struct sim_env *env, const struct sim_event *event,
                    struct raft_message *reply, uint32_t *place)
{
    if (!raft_receive(r, event, reply) || !raft_hear_answer(r, env, reply->term)) {
        return false;
    }
    *place = raft_place(r, event->from);
    r->peers[*place].answered = true;
    r->peers[*place].active = true;
    return true;
}

bool raft_hear_leader(struct raft *r, struct sim_env *env, uint32_t leader, uint64_t term)
{
    if (term < r->term || (term == r->term && r->role == SIM_ROLE_LEADER)) {
        return false; /* Two leaders of one term: only a fault beyond the protocol brings this. */
    }
    if (term > r->term || r->leader != leader) {
        raft_become_follower(r, env, term, leader);
    }
    r->election_base_ns = sim_monotonic_ns(env);
    r->leader_heard_ns = r->election_base_ns;
    r->pre_candidate = false;
    return true;
}
