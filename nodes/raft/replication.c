/* Log replication, the leader's side (dissertation 3.5), with these choices:
 *
 * - A leader writes to its own disk and sends to others at once; it counts itself when its
 *   disk is done (10.2.1).
 * - To a peer that follows well it streams: every new entry once, `next` moved on before the
 *   answer, up to `pipeline_window` (10.2.2, pipelining). Entries may wait for others to share
 *   their message, for `batch_delay` (10.2.2, batching). When a peer rejects, or says nothing
 *   for a heartbeat although entries are on their way, the leader probes: one message at a time
 *   until one matches.
 * - Heartbeats are empty: their prev index shows a gap just as well as entries would.
 * - A rejection moves a probe back by as much as it says (append.c). */
#include "nodes/raft/replication.h"

#include "nodes/raft/apply.h"
#include "nodes/raft/install.h"
#include "nodes/raft/log.h"
#include "nodes/raft/message.h"
#include "nodes/raft/role.h"

/* ---- Sending ------------------------------------------------------------------------------ */

/* The last entry that may be sent now: what is batched and, by the setting, durable here. Who
 * hands over has no time for that. */
static uint64_t sendable(const struct raft *r)
{
    const bool waits = r->config.write_before_send && r->transfer_target == SIM_NOBODY &&
                       r->log.durable < r->batched;
    return waits ? r->log.durable : r->batched;
}

/* One encoded append_entries, reused for every peer it fits: nothing in it names a peer. */
struct outgoing {
    uint64_t prev_index;
    uint32_t count;
    uint32_t size_bytes; /* 0: nothing encoded yet. */
    uint8_t bytes[RAFT_APPEND_BYTES + RAFT_MAX_ENTRIES * RAFT_ENTRY_BYTES];
};

static uint32_t send_append(struct raft *r, struct sim_env *env, uint32_t place, uint32_t limit,
                            struct outgoing *out)
{
    uint64_t prev_index = r->peers[place].next - 1;
    if (SIM_UNLIKELY(prev_index + 1 < r->log.first)) {
        if (!raft_has_bug(r, RAFT_R17) || prev_index + 2 < r->log.first) {
            raft_install_send(r, env, place);
            return 0;
        }
        prev_index = 0;
        limit = 0;
    }
    const uint64_t end = sendable(r);
    const uint64_t available = end > prev_index ? end - prev_index : 0;
    const uint32_t count = available < limit ? (uint32_t)available : limit;
    if (out->size_bytes == 0 || out->prev_index != prev_index || out->count != count) {
        out->prev_index = prev_index;
        out->count = count;
        out->size_bytes = raft_encode_append(r, prev_index, count, out->bytes);
    }
    sim_send(env, r->members[place], RAFT_APPEND_ENTRIES, out->bytes, out->size_bytes);
    return count;
}

/* Send a streaming peer what it has not been sent, within the window. */
static void stream(struct raft *r, struct sim_env *env, uint32_t place, struct outgoing *out)
{
    struct raft_peer *peer = &r->peers[place];
    const uint64_t end = sendable(r);
    while (peer->streaming && peer->next <= end &&
           peer->next - peer->match <= r->config.pipeline_window) {
        peer->next += send_append(r, env, place, r->config.max_entries, out);
    }
}

void raft_replicate(struct raft *r, struct sim_env *env)
{
    struct outgoing out;
    out.size_bytes = 0;
    for (uint32_t i = 0; i < r->member_count; i++) {
        if (r->peers[i].streaming && r->peers[i].member) {
            stream(r, env, i, &out);
        }
    }
}

void raft_batch_end(struct raft *r, struct sim_env *env)
{
    r->batched = r->log.last;
    raft_replicate(r, env);
}

void raft_batch_add(struct raft *r, struct sim_env *env)
{
    const uint64_t waiting = r->log.last - r->batched;
    if (r->config.batch_delay_ns == 0 || waiting >= r->config.max_entries) {
        raft_batch_end(r, env);
    } else if (waiting == 1) {
        sim_timer_set(env, RAFT_TIMER_BATCH, r->config.batch_delay_ns);
    }
}

/* What we know of a peer is of this term and this membership: nothing. */
static void reset_peer(struct raft *r, uint32_t place)
{
    struct raft_peer *peer = &r->peers[place];
    *peer = (struct raft_peer){.next = r->log.last + 1,
                               .active = true,
                               .granted = peer->granted,
                               .voter = peer->voter,
                               .old_voter = peer->old_voter,
                               .member = peer->member};
}

void raft_welcome(struct raft *r, struct sim_env *env)
{
    for (uint32_t i = 0; i < r->member_count; i++) {
        if (r->peers[i].fresh) {
            reset_peer(r, i);
            struct outgoing out;
            out.size_bytes = 0;
            send_append(r, env, i, 0, &out);
        }
    }
}

void raft_start_replication(struct raft *r, struct sim_env *env)
{
    for (uint32_t i = 0; i < r->member_count; i++) {
        reset_peer(r, i);
    }
    r->membership.busy = true;
    r->transfer_target = SIM_NOBODY;
    sim_timer_set(env, RAFT_TIMER_HEARTBEAT, r->config.heartbeat_ns);
    if (r->config.no_op) {
        /* Entries of older terms commit with it (6.4 and 3.6.2). */
        const struct sim_operation no_op = {.function = RAFT_NO_OP};
        const struct raft_entry entry = raft_entry_of(r->term, &no_op);
        if (!raft_log_append(r, env, &entry)) {
            return;
        }
    }
    r->batched = r->log.last;
    struct outgoing out;
    out.size_bytes = 0;
    for (uint32_t i = 0; i < r->member_count; i++) {
        if (r->peers[i].member) {
            send_append(r, env, i, r->config.max_entries, &out);
        }
    }
}

void raft_on_heartbeat_timer(struct raft *r, struct sim_env *env)
{
    if (raft_has_bug(r, RAFT_R39) && r->vote != r->self) {
        raft_become_follower(r, env, r->term, SIM_NOBODY);
        return;
    }
    sim_timer_set(env, RAFT_TIMER_HEARTBEAT, r->config.heartbeat_ns);
    struct outgoing out;
    out.size_bytes = 0;
    for (uint32_t i = 0; i < r->member_count; i++) {
        struct raft_peer *peer = &r->peers[i];
        if (!peer->member) {
            continue;
        }
        if (peer->streaming && !peer->answered && peer->next > peer->match + 1) {
            peer->streaming = false;
            peer->next = peer->match + 1;
        }
        peer->answered = false;
        send_append(r, env, i, 0, &out);
    }
}

/* ---- Answers ------------------------------------------------------------------------------ */

/* The commit rule (3.6.2): what a majority holds durably is committed, but an entry of an older
 * term only together with one of our own, for figure 8 of the paper shows it overwritten. */
void raft_advance_commit(struct raft *r, struct sim_env *env)
{
    uint64_t best = r->commit;
    uint64_t beyond = UINT64_MAX; /* The lowest index known to lack a majority. */
    for (uint32_t i = 0; i < r->member_count; i++) {
        const uint64_t index = r->members[i] == r->self ? r->log.durable : r->peers[i].match;
        if (index <= best || index >= beyond) {
            continue;
        }
        struct raft_tally holders = {0};
        for (uint32_t k = 0; k < r->member_count; k++) {
            const uint64_t held = r->members[k] == r->self ? r->log.durable : r->peers[k].match;
            raft_tally_add(&holders, &r->peers[k], held >= index);
        }
        if (raft_tally_won(r, holders)) {
            best = index;
        } else {
            beyond = index;
        }
    }
    if (best > r->commit && (raft_term_at(r, best) == r->term || raft_has_bug(r, RAFT_R01))) {
        raft_commit_to(r, env, best);
    }
}

/* A rejection counts only if it answers what we would send now; others are late. */
static void back_up(struct raft *r, struct sim_env *env, uint32_t place, uint64_t rejected,
                    uint64_t hint)
{
    struct raft_peer *peer = &r->peers[place];
    const bool late = peer->streaming ? rejected <= peer->match || rejected >= peer->next
                                      : rejected != peer->next - 1;
    if (late) {
        return;
    }
    peer->streaming = false;
    peer->next = hint < rejected ? hint + 1 : rejected;
    if (peer->next <= peer->match) {
        peer->next = peer->match + 1;
    }
    if (raft_has_bug(r, RAFT_R27)) {
        peer->match = peer->next - 1;
    }
    struct outgoing out;
    out.size_bytes = 0;
    send_append(r, env, place, r->config.max_entries, &out);
}

void raft_transfer_check(struct raft *r, struct sim_env *env)
{
    const uint32_t place = raft_place(r, r->transfer_target);
    const struct raft_peer *peer = &r->peers[place];
    const uint64_t held = raft_has_bug(r, RAFT_R33) ? peer->next - 1 : peer->match;
    if (held == r->log.last) {
        const struct raft_message message = {.term = r->term};
        r->reads.lease_void = true;
        sim_handed_over(env, r->transfer_target);
        r->leaving_disk = false;
        raft_send(env, r->transfer_target, RAFT_TIMEOUT_NOW, &message);
    }
}

/* The peer holds the log up to `index`, durably. */
static void acknowledged(struct raft *r, struct sim_env *env, uint32_t place, uint64_t index)
{
    struct raft_peer *peer = &r->peers[place];
    const bool progress = index > peer->match;
    if (progress) {
        peer->match = index;
    }
    if (peer->next <= peer->match) {
        peer->next = peer->match + 1;
    }
    if (SIM_LIKELY(peer->next >= r->log.first)) { /* Else it is being sent the snapshot. */
        peer->snapshot = 0;
        peer->streaming = true;
    }
    if (SIM_UNLIKELY(peer->catching_up)) {
        raft_install_caught_up(r, env, place);
    }
    if (progress) {
        raft_advance_commit(r, env);
        if (SIM_UNLIKELY(r->transfer_target != SIM_NOBODY)) {
            raft_transfer_check(r, env);
        }
    }
    if (peer->next <= r->log.last) {
        struct outgoing out;
        out.size_bytes = 0;
        stream(r, env, place, &out);
    }
}

void raft_on_append_reply(struct raft *r, struct sim_env *env, const struct sim_event *event)
{
    struct raft_message reply;
    uint32_t place;
    if (!raft_hear_peer(r, env, event, &reply, &place)) {
        return;
    }
    if (SIM_UNLIKELY(!r->peers[place].member)) {
        return; /* It was removed. */
    }
    if (reply.flags & RAFT_FLAG_MATCHED) {
        acknowledged(r, env, place, reply.a < r->log.last ? reply.a : r->log.last);
    } else {
        back_up(r, env, place, reply.a, reply.b);
    }
}
