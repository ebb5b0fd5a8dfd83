/* Clients (dissertation 6.3): operations go through the log, reads too if no other way is set;
 * answers come from the state machine; leadership transfer (3.10), which clients see as a short
 * refusal. */
#include "nodes/raft/raft_internal.h"

void raft_on_operation(struct raft *r, struct sim_env *env, const struct sim_operation *operation)
{
    if (r->role != SIM_ROLE_LEADER) {
        sim_reply(env, operation->client, operation->sequence, SIM_ANSWER_NOT_LEADER, r->leader);
        return;
    }
    /* While handing over, a leader takes nothing new, so that the target can catch up. */
    if (r->transfer_target != SIM_NOBODY || operation->function >= SIM_FUNCTION_COUNT) {
        sim_reply(env, operation->client, operation->sequence, SIM_ANSWER_REFUSED, 0);
        return;
    }
    if (raft_read(r, env, operation)) {
        return;
    }
    struct raft_entry entry = {.term = r->term, .operation = *operation};
    uint8_t bytes[RAFT_OPERATION_BYTES];
    sim_operation_encode(operation, bytes);
    entry.digest = sim_hash_bytes(bytes, sizeof bytes);
    if (raft_log_append(r, env, &entry)) {
        raft_replicate(r, env);
    }
}

static void apply(struct raft *r, struct sim_env *env, uint64_t index)
{
    const struct raft_entry *entry = raft_entry_at(r, index);
    const struct sim_operation *operation = &entry->operation;
    if (operation->function == RAFT_NO_OP || operation->function == RAFT_CONFIGURATION) {
        if (raft_has_bug(r, RAFT_R24)) {
            raft_put_in_force(r, env);
        }
        sim_applied(env, index, entry->term, entry->digest, NULL, false);
        return;
    }
    uint64_t result;
    bool took_effect;
    const enum sim_answer answer = kv_apply(&r->kv, env, operation, &result, &took_effect);
    sim_applied(env, index, entry->term, entry->digest, operation, took_effect);
    /* An entry of a leader's own term is one that it was given itself. */
    if (r->role == SIM_ROLE_LEADER && entry->term == r->term) {
        kv_reply(&r->kv, env, operation, answer, result);
    }
}

void raft_commit_to(struct raft *r, struct sim_env *env, uint64_t index)
{
    if (index <= r->commit) {
        return;
    }
    assert(index <= r->log.last);
    r->commit = index;
    sim_publish(env, RAFT_FACT_COMMIT, (int64_t)index);
    while (r->applied < r->commit) {
        r->applied++;
        apply(r, env, r->applied);
    }
}

/* ---- Leadership transfer ------------------------------------------------------------------ */

/* Place of the peer with the longest log; the first of equals. */
static uint32_t best_peer(const struct raft *r)
{
    uint32_t best = r->member_count;
    for (uint32_t i = 0; i < r->member_count; i++) {
        if (r->members[i] != r->self && r->peers[i].voter &&
            (best == r->member_count || r->peers[i].match > r->peers[best].match)) {
            best = i;
        }
    }
    return best;
}

void raft_transfer_start(struct raft *r, struct sim_env *env, uint32_t target)
{
    const uint32_t place = target == SIM_NOBODY ? best_peer(r) : raft_place(r, target);
    if (r->role != SIM_ROLE_LEADER || place >= r->member_count || r->members[place] == r->self ||
        !r->peers[place].voter) {
        return;
    }
    r->transfer_target = r->members[place];
    /* A leader that still leads after an election timeout goes on leading (3.10). */
    sim_timer_set(env, RAFT_TIMER_TRANSFER, r->config.election_high_ns);
    raft_transfer_check(r, env);
}

void raft_transfer_check(struct raft *r, struct sim_env *env)
{
    const uint32_t place = raft_place(r, r->transfer_target);
    if (r->peers[place].match == r->log.last) {
        const struct raft_message message = {.term = r->term};
        r->reads.lease_void = true;
        raft_send(env, r->transfer_target, RAFT_TIMEOUT_NOW, &message);
    }
}
