/* Reads that need no log entry (dissertation 6.4): a leader answers from its own state when it is
 * sure to lead still. By the setting `read_mode`:
 *
 *   read_index   It asks a majority, in rounds of heartbeats: whoever answers knew of no later
 *                leader when the round had begun, so none had committed anything (6.4). Reads
 *                that come while a round is under way wait for the next one.
 *   lease        A round also buys time (6.4.1). Voters promise to vote for nobody for the
 *                shortest election timeout E, by their clocks, after they hear from a leader;
 *                so from the beginning of a round that a majority has answered nobody else can
 *                be elected for E (1 - d) / (1 + d) by ours, if no clock is wrong by a rate of
 *                more than d. A read within that time is answered at once. Every heartbeat
 *                begins a round.
 *
 * In both a new leader answers only when an entry of its own term is committed: until then it
 * does not know what is.
 *
 * What would break the promise is seen to: a voter that has booted has forgotten what it
 * promised, and waits for E; one that is told to campaign declines; a leader that has told
 * another to take over (timeout_now), which those who vote for that one obey, has no lease in
 * this term any more; nor has one whose configuration changes, before it has asked again.
 *
 * Reads of registers and lists only; transactions go through the log. */
#include "nodes/raft/read.h"

#include "nodes/raft/log.h"
#include "nodes/raft/message.h"
#include "nodes/raft/role.h"

/* ---- Rounds -------------------------------------------------------------------------------- */

static bool round_is_under_way(const struct raft_reads *reads)
{
    return reads->round > reads->confirmed;
}

static void ask(struct raft *r, struct sim_env *env)
{
    const struct raft_message heartbeat = {.term = r->term, .a = r->reads.round};
    for (uint32_t i = 0; i < r->member_count; i++) {
        if (r->members[i] != r->self && (r->peers[i].voter || r->peers[i].old_voter)) {
            raft_send(env, r->members[i], RAFT_HEARTBEAT, &heartbeat);
        }
    }
}

static uint64_t lease_ns(const struct raft *r)
{
    if (raft_has_bug(r, RAFT_R14)) {
        return r->config.election_low_ns;
    }
    const uint64_t drift = r->config.lease_drift_ppm;
    return sim_muldiv64(r->config.election_low_ns, SIM_PPM - drift, SIM_PPM + drift);
}

/* Is the round answered by a majority? */
static void count_answers(struct raft *r)
{
    struct raft_reads *reads = &r->reads;
    struct raft_tally answered = {0};
    for (uint32_t i = 0; i < r->member_count; i++) {
        raft_tally_add(&answered, &r->peers[i], r->peers[i].round >= reads->round);
    }
    if (round_is_under_way(reads) && raft_tally_won(r, answered)) {
        reads->confirmed = reads->round;
        reads->lease_end_ns = sim_add_sat(reads->round_ns, lease_ns(r));
    }
}

static void begin_round(struct raft *r, struct sim_env *env)
{
    struct raft_reads *reads = &r->reads;
    assert(!round_is_under_way(reads));
    reads->round++;
    reads->round_ns = sim_monotonic_ns(env);
    r->peers[raft_place(r, r->self)].round = reads->round;
    ask(r, env);
    count_answers(r); /* We may be the only voter. */
}

void raft_reads_heartbeat(struct raft *r, struct sim_env *env)
{
    if (round_is_under_way(&r->reads)) {
        ask(r, env); /* Again, for the answers may be lost. */
    } else if (r->config.read_mode == RAFT_READ_LEASE) {
        begin_round(r, env);
    }
}

void raft_on_heartbeat(struct raft *r, struct sim_env *env, const struct sim_event *event)
{
    struct raft_message heartbeat;
    if (!raft_receive(r, event, &heartbeat)) {
        return;
    }
    struct raft_message reply = {.term = r->term};
    if (heartbeat.term >= r->term) {
        if (!raft_hear_leader(r, env, event->from, heartbeat.term)) {
            return;
        }
        reply = (struct raft_message){.term = r->term, .a = heartbeat.a};
    }
    raft_send(env, event->from, RAFT_HEARTBEAT_REPLY, &reply);
}

void raft_on_heartbeat_reply(struct raft *r, struct sim_env *env, const struct sim_event *event)
{
    struct raft_message reply;
    if (!raft_receive(r, event, &reply) || !raft_hear_answer(r, env, reply.term) ||
        reply.a > r->reads.round) {
        return;
    }
    struct raft_peer *peer = &r->peers[raft_place(r, event->from)];
    peer->active = true;
    const uint64_t round = raft_has_bug(r, RAFT_R13) ? r->reads.round : reply.a;
    if (round > peer->round) {
        peer->round = round;
        count_answers(r);
    }
}

/* ---- Leases -------------------------------------------------------------------------------- */

bool raft_has_promised(const struct raft *r, const struct sim_env *env)
{
    return r->config.read_mode == RAFT_READ_LEASE &&
           sim_monotonic_ns(env) - r->leader_heard_ns < r->config.election_low_ns;
}

static bool holds_lease(const struct raft *r, const struct sim_env *env)
{
    return r->config.read_mode == RAFT_READ_LEASE && !r->reads.lease_void &&
           sim_monotonic_ns(env) < r->reads.lease_end_ns;
}

/* ---- Reads --------------------------------------------------------------------------------- */

static bool knows_what_is_committed(const struct raft *r)
{
    return raft_term_at(r, r->commit) == r->term || raft_has_bug(r, RAFT_R12);
}

static void answer(struct raft *r, struct sim_env *env, const struct sim_operation *operation,
                   bool leased)
{
    uint64_t result = 0;
    const bool known = kv_query(&r->kv, operation, &result);
    assert(known);
    sim_read_served(env, operation, r->applied, leased);
    kv_reply(&r->kv, env, operation, SIM_ANSWER_OK, result);
}

static bool put_off(struct raft *r, struct sim_env *env, const struct sim_operation *operation)
{
    struct raft_reads *reads = &r->reads;
    if (reads->count == reads->capacity) {
        const uint32_t capacity = reads->capacity ? 2 * reads->capacity : 16;
        struct raft_read *list = sim_alloc(env, capacity * sizeof *list);
        if (!list) {
            return false;
        }
        if (reads->count > 0) {
            memcpy(list, reads->list, reads->count * sizeof *list);
        }
        sim_release(env, reads->list);
        reads->list = list;
        reads->capacity = capacity;
    }
    reads->list[reads->count++] =
        (struct raft_read){.operation = *operation, .round = reads->round + 1};
    return true;
}

bool raft_read(struct raft *r, struct sim_env *env, const struct sim_operation *operation)
{
    uint64_t result;
    if (raft_has_bug(r, RAFT_R11) && kv_query(&r->kv, operation, &result)) {
        answer(r, env, operation, true);
        return true;
    }
    if (r->config.read_mode == RAFT_READ_LOG || !kv_query(&r->kv, operation, &result)) {
        return false;
    }
    if (holds_lease(r, env) && knows_what_is_committed(r)) {
        answer(r, env, operation, true);
    } else if (put_off(r, env, operation) && !round_is_under_way(&r->reads)) {
        begin_round(r, env);
    }
    return true;
}

void raft_reads_answer(struct raft *r, struct sim_env *env)
{
    struct raft_reads *reads = &r->reads;
    uint32_t done = 0;
    while (knows_what_is_committed(r) && done < reads->count &&
           reads->list[done].round <= reads->confirmed) {
        answer(r, env, &reads->list[done].operation, false);
        done++;
    }
    reads->count -= done;
    if (done > 0) {
        memmove(reads->list, reads->list + done, reads->count * sizeof *reads->list);
    }
    if (reads->count > 0 && reads->list[0].round > reads->confirmed && !round_is_under_way(reads)) {
        begin_round(r, env);
    }
}

/* They have changed nothing, so a client may well ask another. */
void raft_reads_deposed(struct raft *r, struct sim_env *env, uint32_t leader)
{
    struct raft_reads *reads = &r->reads;
    for (uint32_t i = 0; i < reads->count; i++) {
        const struct sim_operation *o = &reads->list[i].operation;
        sim_reply(env, o->client, o->sequence, SIM_ANSWER_NOT_LEADER, leader);
    }
    reads->count = 0;
}

void raft_reads_start(struct raft *r)
{
    struct raft_reads *reads = &r->reads;
    reads->count = 0;
    reads->round = reads->confirmed = 0;
    reads->lease_end_ns = 0;
    reads->lease_void = false;
}
