/* Configurations: who votes and who only learns, and which of them is in force (dissertation 4).
 *
 * A configuration is a log entry. It is in force from the moment it is in the log, committed or
 * not (4.1), and goes with the entry when that is truncated:
 *
 *     list:  [as of the snapshot] [entry 17] [entry 23]        the last one is in force
 *
 *     operation:  function RAFT_CONFIGURATION; value: voters; expected: old voters; key: learners
 *
 * Old voters there are while two configurations are in force at once (joint consensus, 4.3). Each
 * set is 64 bits, one for each place in the group. A group above 64 keeps its first
 * configuration, which is not in the log but in everybody's settings. */
#include "nodes/raft/membership.h"

#define MASK_PLACES 64

/* ---- What is in force ---------------------------------------------------------------------- */

static void set_voters(struct raft *r, bool old, uint64_t mask)
{
    struct raft_membership *m = &r->membership;
    uint32_t count = 0;
    for (uint32_t i = 0; i < r->member_count; i++) {
        /* The first configuration of a large group has no mask. */
        const bool votes = m->everyone != 0 ? (mask >> i & 1) != 0 : !old && i < m->initial_count;
        if (old) {
            r->peers[i].old_voter = votes;
        } else {
            r->peers[i].voter = votes;
        }
        if (votes) {
            m->voters[old][count++] = r->members[i];
        }
    }
    m->voter_count[old] = count;
}

void raft_put_in_force(struct raft *r, struct sim_env *env)
{
    struct raft_membership *m = &r->membership;
    const struct raft_configuration *c = raft_in_force(r);
    set_voters(r, false, c->voters);
    set_voters(r, true, c->old_voters);
    r->quorum = m->voter_count[0] / 2 + 1;
    r->old_quorum = m->voter_count[1] > 0 ? m->voter_count[1] / 2 + 1 : 0;
    const uint64_t others = m->everyone != 0 ? c->learners | m->change.newcomers : 0;
    for (uint32_t i = 0; i < r->member_count; i++) {
        struct raft_peer *peer = &r->peers[i];
        const bool was = peer->member;
        peer->member = r->members[i] != r->self &&
                       (peer->voter || peer->old_voter || (i < MASK_PLACES && (others >> i & 1)));
        peer->fresh |= peer->member && !was && r->role == SIM_ROLE_LEADER;
    }
    raft_lease_ends(r); /* Others may elect a leader now. */
    sim_publish(env, RAFT_FACT_VOTERS, c->index > 0 ? (int64_t)c->voters : 0);
}

bool raft_membership_start(struct raft *r, struct sim_env *env)
{
    struct raft_membership *m = &r->membership;
    const uint32_t n = r->member_count;
    const uint32_t initial = (uint32_t)sim_setting(env, RAFT_SET_INITIAL_MEMBERS);
    m->list = sim_alloc(env, 4 * sizeof *m->list);
    m->voters[0] = sim_alloc(env, n * sizeof *m->voters[0]);
    m->voters[1] = sim_alloc(env, n * sizeof *m->voters[1]);
    if (!m->list || !m->voters[0] || !m->voters[1]) {
        return false;
    }
    m->capacity = 4;
    m->count = 1;
    m->initial_count = initial == 0 || initial > n ? n : initial;
    if (n <= MASK_PLACES) {
        m->everyone = UINT64_MAX >> (MASK_PLACES - n);
        m->initial = UINT64_MAX >> (MASK_PLACES - m->initial_count);
        m->list[0].voters = m->initial;
    }
    raft_put_in_force(r, env);
    return true;
}

bool raft_may_campaign(const struct raft *r)
{
    const struct raft_peer *self = &r->peers[raft_place(r, r->self)];
    if (self->voter || self->old_voter) {
        return true;
    }
    /* A server that the last configuration removes may be the only one that can win while that
     * is not committed: its log is the longest (4.2.2). */
    const struct raft_membership *m = &r->membership;
    if (m->count < 2 || raft_in_force(r)->index <= r->commit) {
        return false;
    }
    const struct raft_configuration *before = &m->list[m->count - 2];
    return (before->voters | before->old_voters) >> raft_place(r, r->self) & 1;
}

/* ---- Entries ------------------------------------------------------------------------------- */

static bool is_valid(const struct raft *r, const struct raft_configuration *c)
{
    const uint64_t everyone = r->membership.everyone;
    return c->voters != 0 && !((c->voters | c->old_voters | c->learners) & ~everyone) &&
           !((c->voters | c->old_voters) & c->learners);
}

static struct raft_configuration configuration_of(const struct sim_operation *operation,
                                                  uint64_t index)
{
    return (struct raft_configuration){.index = index,
                                       .voters = operation->value,
                                       .old_voters = operation->expected,
                                       .learners = operation->key};
}

bool raft_entry_is_valid(const struct raft *r, const struct raft_entry *entry)
{
    const struct raft_configuration c = configuration_of(&entry->operation, 0);
    return SIM_LIKELY(entry->operation.function != RAFT_CONFIGURATION) || is_valid(r, &c);
}

bool raft_membership_appended(struct raft *r, struct sim_env *env, const struct raft_entry *entry,
                              uint64_t index)
{
    struct raft_membership *m = &r->membership;
    if (m->count == m->capacity) {
        struct raft_configuration *list = sim_alloc(env, 2 * m->capacity * sizeof *list);
        if (!list) {
            return false;
        }
        memcpy(list, m->list, m->count * sizeof *list);
        sim_release(env, m->list);
        m->list = list;
        m->capacity *= 2;
    }
    m->list[m->count++] = configuration_of(&entry->operation, index);
    m->busy = true;
    raft_put_in_force(r, env);
    return true;
}

void raft_membership_truncated(struct raft *r, struct sim_env *env, uint64_t from)
{
    struct raft_membership *m = &r->membership;
    const uint32_t before = m->count;
    while (m->count > 1 && m->list[m->count - 1].index >= from) {
        m->count--;
    }
    if (SIM_UNLIKELY(m->count < before)) {
        raft_put_in_force(r, env);
    }
}

/* ---- Snapshots ----------------------------------------------------------------------------- */

void raft_membership_compacted(struct raft *r, uint64_t index)
{
    struct raft_membership *m = &r->membership;
    uint32_t gone = 0;
    while (gone + 1 < m->count && m->list[gone + 1].index <= index) {
        gone++;
    }
    m->count -= gone;
    memmove(m->list, m->list + gone, m->count * sizeof *m->list);
}

void raft_membership_encode(const struct raft *r, uint64_t index,
                            uint8_t bytes[RAFT_CONFIGURATION_BYTES])
{
    const struct raft_membership *m = &r->membership;
    uint32_t at = m->count - 1;
    while (at > 0 && m->list[at].index > index) {
        at--;
    }
    const struct raft_configuration *c = &m->list[at];
    memset(bytes, 0, RAFT_CONFIGURATION_BYTES);
    if (c->index > 0 &&
        !raft_has_bug(r, RAFT_R19)) { /* The first one is in everybody's settings: all zeros. */
        sim_put64(bytes, c->index);
        sim_put64(bytes + 8, c->voters);
        sim_put64(bytes + 16, c->old_voters);
        sim_put64(bytes + 24, c->learners);
    }
}

bool raft_membership_restore(struct raft *r, struct sim_env *env, uint64_t index,
                             const uint8_t bytes[RAFT_CONFIGURATION_BYTES])
{
    struct raft_membership *m = &r->membership;
    struct raft_configuration base = {.index = sim_get64(bytes),
                                      .voters = sim_get64(bytes + 8),
                                      .old_voters = sim_get64(bytes + 16),
                                      .learners = sim_get64(bytes + 24)};
    if (base.index == 0) {
        base = (struct raft_configuration){.voters = m->initial};
    } else if (base.index > index || !is_valid(r, &base)) {
        return false;
    }
    raft_membership_compacted(r, index); /* At most one is left that is not after `index`. */
    m->list[0] = base;
    raft_put_in_force(r, env);
    return true;
}
