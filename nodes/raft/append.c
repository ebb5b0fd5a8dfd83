/* Log replication, the follower's side (dissertation 3.5): append_entries is checked against the
 * log, what is new is appended, and acknowledged when it is durable. A rejection names the last
 * index up to which the logs may be equal (5.3 of the paper), so that a probe skips a whole term
 * of the follower instead of an entry. */
#include "nodes/raft/append.h"

#include "nodes/raft/apply.h"
#include "nodes/raft/log.h"
#include "nodes/raft/membership.h"
#include "nodes/raft/message.h"
#include "nodes/raft/role.h"

/* ---- Acknowledging ------------------------------------------------------------------------ */

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

void raft_verify_to(struct raft *r, uint64_t index)
{
    if (index > r->verified) {
        r->verified = index;
    }
    r->due |= index <= ackable(r) ? RAFT_DUE_ANSWER : RAFT_DUE_ACK;
}

/* ---- Appending ---------------------------------------------------------------------------- */

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
