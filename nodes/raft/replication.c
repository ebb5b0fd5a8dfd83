/* Log replication (dissertation 3.5), with these choices:
 *
 * - A leader writes to its own disk and sends to others at once; it counts itself when its
 *   disk is done (10.2.1).
 * - To a peer that follows well it streams: every new entry once, `next` moved on before the
 *   answer, up to `pipeline_window` (10.2.2, pipelining). Entries may wait for others to share
 *   their message, for `batch_delay` (10.2.2, batching). When a peer rejects, or says nothing for a
 * heartbeat although entries are on their way, the leader probes: one message at a time until one
 * matches.
 * - Heartbeats are empty: their prev index shows a gap just as well as entries would.
 * - A rejection names the last index up to which the logs may be equal (5.3 of the paper), so
 *   that a probe skips a whole term of the follower instead of an entry. */
#include "nodes/raft/raft_internal.h"

/* ---- The leader ------------------------------------------------------------------------- */

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
            raft_snapshot_send(r, env, place);
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

void raft_welcome(struct raft *r, struct sim_env *env, uint32_t place)
{
    reset_peer(r, place);
    struct outgoing out;
    out.size_bytes = 0;
    send_append(r, env, place, 0, &out);
}

void raft_start_replication(struct raft *r, struct sim_env *env)
{
    for (uint32_t i = 0; i < r->member_count; i++) {
        reset_peer(r, i);
    }
    r->membership.busy = true;
    raft_reads_start(r);
    r->transfer_target = SIM_NOBODY;
    sim_timer_set(env, RAFT_TIMER_HEARTBEAT, r->config.heartbeat_ns);
    if (r->config.no_op) {
        /* Entries of older terms commit with it (6.4 and 3.6.2). */
        struct raft_entry entry = {.term = r->term, .operation.function = RAFT_NO_OP};
        uint8_t bytes[RAFT_OPERATION_BYTES];
        sim_operation_encode(&entry.operation, bytes);
        entry.digest = sim_hash_bytes(bytes, sizeof bytes);
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
    if (r->role != SIM_ROLE_LEADER) {
        return;
    }
    if (raft_has_bug(r, RAFT_R39) && r->vote != r->self) {
        raft_become_follower(r, env, r->term, SIM_NOBODY);
        return;
    }
    sim_timer_set(env, RAFT_TIMER_HEARTBEAT, r->config.heartbeat_ns);
    raft_watch_disk(r, env);
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
    if (r->config.read_mode != RAFT_READ_LOG) {
        raft_reads_heartbeat(r, env);
    }
}

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

void raft_on_append_reply(struct raft *r, struct sim_env *env, const struct sim_event *event)
{
    struct raft_message reply;
    if (!raft_receive(r, event, &reply)) {
        return;
    }
    if (reply.term > r->term) {
        raft_become_follower(r, env, reply.term, SIM_NOBODY);
        return;
    }
    if (r->role != SIM_ROLE_LEADER || reply.term < r->term) {
        return;
    }
    const uint32_t place = raft_place(r, event->from);
    struct raft_peer *peer = &r->peers[place];
    peer->answered = true;
    peer->active = true;
    if (SIM_UNLIKELY(!peer->member)) {
        return; /* It was removed. */
    }
    if (!(reply.flags & RAFT_FLAG_MATCHED)) {
        back_up(r, env, place, reply.a, reply.b);
        return;
    }
    const uint64_t index = reply.a < r->log.last ? reply.a : r->log.last;
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
        raft_snapshot_caught_up(r, env, place);
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

/* ---- The follower ----------------------------------------------------------------------- */

static bool matches(const struct raft *r, uint64_t prev_index, uint64_t prev_term)
{
    if (prev_index > r->log.last) {
        return false;
    }
    if (prev_index + 1 < r->log.first) {
        return true; /* Under our snapshot: committed, so every leader has it. */
    }
    return raft_term_at(r, prev_index) == prev_term || raft_has_bug(r, RAFT_R10);
}

/* The last index before the rejected one up to which the logs may be equal: the end of a log
 * that is too short, else the entry before the whole run of the conflicting term, but never
 * below what is committed. */
static uint64_t hint_for(const struct raft *r, uint64_t prev_index)
{
    if (prev_index > r->log.last) {
        return r->log.last;
    }
    const uint64_t term = raft_term_at(r, prev_index);
    uint64_t hint = prev_index;
    while (hint > 0 && hint > r->commit && raft_term_at(r, hint) == term) {
        hint--;
    }
    return hint;
}

/* Append what is new. Entries that are already there stay: a delayed message must not take
 * back what a later one has brought (3.5). False if the node has halted or the message is
 * malformed. */
static bool append_new(struct raft *r, struct sim_env *env, const struct raft_message *append)
{
    if (raft_has_bug(r, RAFT_R09)) {
        const uint64_t from = append->a > r->snapshot.index ? append->a : r->snapshot.index;
        raft_log_truncate(r, env, from + 1);
    }
    for (uint32_t i = 0; i < append->flags; i++) {
        struct raft_entry entry;
        const uint64_t index = append->a + 1 + i;
        if (!raft_decode_entry(&entry, append->entries, i) || !raft_entry_is_valid(r, &entry)) {
            return false;
        }
        if (index <= r->snapshot.index && !raft_has_bug(r, RAFT_R18)) {
            continue; /* Compacted is not missing: what is committed is there to stay. */
        }
        if (index <= r->log.last && index >= r->log.first) {
            if (raft_entry_at(r, index)->term == entry.term) {
                continue;
            }
            raft_log_truncate(r, env, index);
        }
        if (!raft_log_append(r, env, &entry)) {
            return false;
        }
    }
    return true;
}

static void reject(struct raft *r, struct sim_env *env, uint32_t to,
                   const struct raft_message *append)
{
    const struct raft_message reply = {
        .term = r->term, .a = append->a, .b = hint_for(r, append->a)};
    raft_send(env, to, RAFT_APPEND_ENTRIES_REPLY, &reply);
}

/* How much may be acknowledged: what the leader has checked, and a crash leaves. */
static uint64_t ackable(const struct raft *r)
{
    if (raft_has_bug(r, RAFT_R07)) {
        return r->verified;
    }
    if (raft_has_bug(r, RAFT_R25)) {
        return r->log.durable;
    }
    return r->verified < r->log.durable ? r->verified : r->log.durable;
}

void raft_acknowledge(struct raft *r, struct sim_env *env)
{
    const uint64_t index = ackable(r);
    if ((r->due & RAFT_DUE_ANSWER) || index > r->acked) {
        const struct raft_message reply = {.flags = RAFT_FLAG_MATCHED, .term = r->term, .a = index};
        raft_send(env, r->leader, RAFT_APPEND_ENTRIES_REPLY, &reply);
        r->acked = index;
    }
    r->due &= ~(uint32_t)RAFT_DUE_ANSWER;
    if (index >= r->verified) {
        r->due &= ~(uint32_t)RAFT_DUE_ACK;
    }
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

void raft_on_append(struct raft *r, struct sim_env *env, const struct sim_event *event)
{
    struct raft_message append;
    if (!raft_receive(r, event, &append)) {
        return;
    }
    if (append.term < r->term) {
        const struct raft_message reply = {.term = r->term, .a = append.a};
        raft_send(env, event->from, RAFT_APPEND_ENTRIES_REPLY, &reply);
        return;
    }
    if (!raft_hear_leader(r, env, event->from, append.term)) {
        return;
    }
    if (!matches(r, append.a, append.b)) {
        reject(r, env, event->from, &append);
        return;
    }
    if (!append_new(r, env, &append)) {
        return;
    }
    const uint64_t checked = append.a + append.flags;
    if (checked > r->verified) {
        r->verified = checked;
    }
    /* Not further than what this leader has checked: the entries beyond may conflict (3.5). */
    const uint64_t bound = raft_has_bug(r, RAFT_R26) ? r->log.last : checked;
    raft_commit_to(r, env, append.c < bound ? append.c : bound);
    r->due |= append.flags == 0 || checked <= ackable(r) ? RAFT_DUE_ANSWER : RAFT_DUE_ACK;
}

void raft_verify_to(struct raft *r, uint64_t index)
{
    if (index > r->verified) {
        r->verified = index;
    }
    r->due |= index <= ackable(r) ? RAFT_DUE_ANSWER : RAFT_DUE_ACK;
}
