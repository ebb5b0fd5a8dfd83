/* Leader election (dissertation 3.4, 3.6), PreVote (9.6), CheckQuorum and the rule that a
 * node which hears from its leader ignores candidates (6.2, 4.2.3). */
#include "nodes/raft/election.h"

#include "nodes/raft/log.h"
#include "nodes/raft/membership.h"
#include "nodes/raft/message.h"
#include "nodes/raft/read.h"
#include "nodes/raft/role.h"
#include "nodes/raft/snapshot.h"
#include "nodes/raft/storage.h"

/* ---- Timers ----------------------------------------------------------------------------- */

/* CheckQuorum: a leader that has not heard from a majority within an election timeout may have
 * been replaced without knowing. It steps down, so that its clients look elsewhere. */
static void check_quorum(struct raft *r, struct sim_env *env)
{
    struct raft_tally active = {0};
    r->peers[raft_place(r, r->self)].active = true;
    for (uint32_t i = 0; i < r->member_count; i++) {
        raft_tally_add(&active, &r->peers[i], r->peers[i].active);
        r->peers[i].active = false;
    }
    if (!raft_tally_won(r, active)) {
        raft_become_follower(r, env, r->term, SIM_NOBODY);
        return;
    }
    sim_timer_set(env, RAFT_TIMER_ELECTION, r->config.election_high_ns);
}

void raft_on_election_timer(struct raft *r, struct sim_env *env)
{
    if (r->role == SIM_ROLE_LEADER) {
        if (r->config.check_quorum && !raft_has_bug(r, RAFT_R45)) {
            check_quorum(r, env);
        }
        return;
    }
    /* Hearing from a leader only moves the base: the timer finds out here. */
    const uint64_t elapsed_ns = sim_monotonic_ns(env) - r->election_base_ns;
    if (elapsed_ns < r->election_timeout_ns) {
        sim_timer_set(env, RAFT_TIMER_ELECTION, r->election_timeout_ns - elapsed_ns);
        return;
    }
    /* A disk slower than the timeout must not make a node run through terms in which it never
     * came to ask for a vote. */
    if ((r->due & RAFT_DUE_CAMPAIGN) || raft_snapshot_installing(r) || !raft_may_campaign(r)) {
        raft_restart_election_timer(r, env);
        return;
    }
    raft_campaign(r, env);
}

/* ---- Campaigns -------------------------------------------------------------------------- */

static void forget_votes(struct raft *r)
{
    for (uint32_t i = 0; i < r->member_count; i++) {
        r->peers[i].granted = false;
    }
}

static void ask_all(struct raft *r, struct sim_env *env, enum raft_message_kind kind, uint64_t term,
                    uint32_t flags)
{
    const struct raft_message request = {
        .flags = flags, .term = term, .a = r->log.last, .b = raft_last_term(r)};
    for (uint32_t i = 0; i < r->member_count; i++) {
        if (r->members[i] != r->self && (r->peers[i].voter || r->peers[i].old_voter)) {
            raft_send(env, r->members[i], kind, &request);
        }
    }
}

static void start_election(struct raft *r, struct sim_env *env, bool transfer)
{
    if (r->term == UINT64_MAX) { /* Only corrupt messages lead here: there is no next term. */
        raft_halt(r, env);
        return;
    }
    forget_votes(r);
    raft_become_candidate(r, env, transfer);
    /* The sync that makes the vote durable covers the log as it is now, too: a candidate must
     * not win with entries that its own crash would take back. */
    r->due = RAFT_DUE_CAMPAIGN;
}

/* R23: a majority of the old and the new voters together. */
static bool wins_union(const struct raft *r)
{
    uint32_t granted = 0;
    uint32_t count = 0;
    for (uint32_t i = 0; i < r->member_count; i++) {
        const bool votes = r->peers[i].voter || r->peers[i].old_voter;
        granted += votes && r->peers[i].granted;
        count += votes;
    }
    return granted >= count / 2 + 1;
}

/* Count a vote; true if those who have granted one are enough. */
static bool wins_with(struct raft *r, uint32_t place)
{
    struct raft_tally granted = {0};
    r->peers[place].granted = true;
    if (raft_has_bug(r, RAFT_R23)) {
        return wins_union(r);
    }
    for (uint32_t i = 0; i < r->member_count; i++) {
        raft_tally_add(&granted, &r->peers[i], r->peers[i].granted);
    }
    return raft_tally_won(r, granted);
}

void raft_campaign(struct raft *r, struct sim_env *env)
{
    if (!r->config.pre_vote || raft_has_bug(r, RAFT_R04)) {
        start_election(r, env, false);
        return;
    }
    /* A candidate whose election failed goes on asking as a follower of nobody. */
    raft_become_follower(r, env, r->term, SIM_NOBODY);
    raft_restart_election_timer(r, env);
    if (r->term == UINT64_MAX) {
        raft_halt(r, env);
        return;
    }
    forget_votes(r);
    r->pre_candidate = true;
    if (wins_with(r, raft_place(r, r->self))) {
        start_election(r, env, false);
        return;
    }
    ask_all(r, env, RAFT_PRE_VOTE, r->term + 1, 0);
}

void raft_solicit_votes(struct raft *r, struct sim_env *env)
{
    assert(r->role == SIM_ROLE_CANDIDATE);
    if (wins_with(r, raft_place(r, r->self))) {
        raft_become_leader(r, env);
        return;
    }
    ask_all(r, env, RAFT_REQUEST_VOTE, r->term, r->transferring_in ? RAFT_FLAG_TRANSFER : 0);
}

/* ---- Votes ------------------------------------------------------------------------------ */

/* The election restriction (3.6.1): a voter's log must not be more up to date. */
static bool is_up_to_date(const struct raft *r, const struct raft_message *request)
{
    const uint64_t last_term = raft_last_term(r);
    if (raft_has_bug(r, RAFT_R08)) {
        return true;
    }
    return request->b > last_term || (request->b == last_term && request->a >= r->log.last);
}

/* Has this node heard from a leader so lately that nobody else's timeout can have passed? */
static bool hears_leader(const struct raft *r, const struct sim_env *env)
{
    if (r->role == SIM_ROLE_LEADER) {
        return true;
    }
    return r->leader != SIM_NOBODY &&
           sim_monotonic_ns(env) - r->leader_heard_ns < r->config.election_low_ns;
}

static void answer_pre_vote(struct raft *r, struct sim_env *env, uint32_t from,
                            const struct raft_message *request)
{
    const bool granted = request->term > r->term && is_up_to_date(r, request) &&
                         !hears_leader(r, env) && !raft_has_promised(r, env);
    if (raft_has_bug(r, RAFT_R31) && request->term < r->term) {
        return;
    }
    if (raft_has_bug(r, RAFT_R32) && granted) {
        r->election_base_ns = sim_monotonic_ns(env);
    }
    /* Granted for the term asked for; refused with our own, which may be news to the asker
     * and keeps nodes of different terms from refusing each other for ever. */
    const struct raft_message reply = {.flags = granted ? RAFT_FLAG_GRANTED : 0,
                                       .term = granted ? request->term : r->term};
    raft_send(env, from, RAFT_PRE_VOTE_REPLY, &reply);
}

/* Has this node promised its vote of the term to another? */
static bool is_promised(const struct raft *r, uint32_t candidate)
{
    if (raft_has_bug(r, RAFT_R28) && candidate == r->transfer_target) {
        return false;
    }
    return r->vote != SIM_NOBODY && r->vote != candidate;
}

void raft_on_vote_request(struct raft *r, struct sim_env *env, const struct sim_event *event)
{
    struct raft_message request;
    if (!raft_receive(r, event, &request)) {
        return;
    }
    if (event->message_kind == RAFT_PRE_VOTE) {
        answer_pre_vote(r, env, event->from, &request);
        return;
    }
    const bool transfer = request.flags & RAFT_FLAG_TRANSFER;
    if (request.term >= r->term && !transfer && raft_has_promised(r, env)) {
        return;
    }
    if (request.term > r->term) {
        if (r->config.check_quorum && !transfer && hears_leader(r, env) &&
            !raft_has_bug(r, RAFT_R04)) {
            return; /* Not even its term counts (4.2.3). */
        }
        if (raft_has_bug(r, RAFT_R39) && r->role == SIM_ROLE_LEADER) {
            raft_enter_term(r, env, request.term,
                            SIM_NOBODY); /* The role follows with a heartbeat. */
        } else {
            raft_become_follower(r, env, request.term, SIM_NOBODY);
        }
    }
    if (request.term < r->term || r->role != SIM_ROLE_FOLLOWER || !is_up_to_date(r, &request) ||
        is_promised(r, event->from)) {
        const struct raft_message reply = {.term = r->term};
        raft_send(env, event->from, RAFT_REQUEST_VOTE_REPLY, &reply);
        return;
    }
    if (r->vote != event->from) {
        r->vote = event->from;
        raft_hard_changed(r);
    }
    r->election_base_ns = sim_monotonic_ns(env);
    r->pre_candidate = false;
    r->due |= RAFT_DUE_VOTE;
}

void raft_on_vote_reply(struct raft *r, struct sim_env *env, const struct sim_event *event)
{
    struct raft_message reply;
    if (!raft_receive(r, event, &reply)) {
        return;
    }
    const bool pre = event->message_kind == RAFT_PRE_VOTE_REPLY;
    const bool granted = reply.flags & RAFT_FLAG_GRANTED;
    /* A pre-vote is granted for a term that nobody may have entered yet. */
    if (reply.term > r->term && !(pre && granted)) {
        raft_become_follower(r, env, reply.term, SIM_NOBODY);
        return;
    }
    const uint32_t place = raft_place(r, event->from);
    if (!granted) {
        return;
    }
    if (pre && !(raft_has_bug(r, RAFT_R30) && r->role == SIM_ROLE_CANDIDATE)) {
        if (r->pre_candidate && reply.term == r->term + 1 && wins_with(r, place)) {
            start_election(r, env, false);
        }
    } else if (r->role == SIM_ROLE_CANDIDATE && reply.term == r->term &&
               !(r->due & RAFT_DUE_CAMPAIGN) && wins_with(r, place)) {
        raft_become_leader(r, env);
    }
}

/* The leader hands over (3.10): campaign at once, whatever PreVote or other voters' timers
 * say. Only the leader of the latest term known may ask. */
void raft_on_timeout_now(struct raft *r, struct sim_env *env, const struct sim_event *event)
{
    struct raft_message message;
    if (!raft_receive(r, event, &message) || message.term < r->term ||
        r->role != SIM_ROLE_FOLLOWER || raft_snapshot_installing(r) || !raft_may_campaign(r)) {
        return;
    }
    if (message.term > r->term) {
        raft_become_follower(r, env, message.term, event->from);
    }
    if (r->leader == event->from) {
        start_election(r, env, true);
    }
}
