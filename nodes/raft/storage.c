/* The hard state, and stopping safely.
 *
 * The hard state is (term, vote) in one record, so that no crash can part them, and in two
 * copies, so that a crash while one is written over leaves the other whole:
 *
 *     0       8          16
 *     | term  | vote + 1 | seal |      written to position 1, then 0; 0 is the one others see
 *
 * Both are covered by the same sync, so either copy alone is at least as new as what was last
 * promised, and recovery takes the newer one of those that are whole. */
#include "nodes/raft/storage.h"

#define HARD_BYTES 24
#define HARD_SALT UINT64_C(0x6861726473746174)
#define SEAL_BYTE UINT64_C(0xa5)

/* ---- Records ---------------------------------------------------------------------------- */

static uint64_t seal_of(const uint8_t *record, uint32_t size_bytes, uint64_t salt)
{
    const uint64_t h = sim_hash_bytes(record, size_bytes - 8);
    return sim_mix64(h ^ salt) >> 8 | SEAL_BYTE << 56;
}

void raft_record_seal(uint8_t *record, uint32_t size_bytes, uint64_t salt)
{
    sim_put64(record + size_bytes - 8, seal_of(record, size_bytes, salt));
}

enum raft_record raft_record_check(const uint8_t *record, uint32_t found_bytes, uint32_t size_bytes,
                                   uint64_t salt)
{
    /* A write cut short leaves zeros where its end should be; a flipped bit cannot make the
     * last byte 0. */
    if (!record || found_bytes < size_bytes || record[size_bytes - 1] == 0) {
        return RAFT_RECORD_LOST;
    }
    return sim_get64(record + size_bytes - 8) == seal_of(record, size_bytes, salt)
               ? RAFT_RECORD_GOOD
               : RAFT_RECORD_ROTTEN;
}

/* ---- Hard state ------------------------------------------------------------------------- */

void raft_hard_changed(struct raft *r)
{
    r->hard_version++;
}

void raft_hard_write(struct raft *r, struct sim_env *env)
{
    if (r->halted) {
        return;
    }
    r->hard_written = r->hard_version;
    r->dirty = true;
    /* Not the vote with its term, but after it. */
    r->vote_owed = raft_has_bug(r, RAFT_R06) && !r->vote_owed && r->vote != SIM_NOBODY;

    const uint32_t vote = raft_has_bug(r, RAFT_R05) || r->vote_owed ? SIM_NOBODY : r->vote;
    const struct sim_label label = {r->term, vote == SIM_NOBODY ? 0 : (uint64_t)vote + 1};
    uint8_t record[HARD_BYTES];
    sim_put64(record, label.a);
    sim_put64(record + 8, label.b);
    raft_record_seal(record, HARD_BYTES, HARD_SALT);
    /* A file begins at its first write: that one must go to position 0. */
    const bool first = sim_disk_end(env, RAFT_FILE_HARD) == 0;
    for (uint64_t i = 0; i < 2; i++) {
        const uint64_t position = first ? i : 1 - i;
        if (sim_disk_write(env, RAFT_FILE_HARD, position, record, HARD_BYTES, label) != SIM_OK) {
            raft_halt(r, env);
            return;
        }
    }
}

static enum raft_record read_hard(struct raft *r, struct sim_env *env, uint64_t position)
{
    uint32_t size_bytes = 0;
    const uint8_t *record = NULL;
    if (position < sim_disk_end(env, RAFT_FILE_HARD)) {
        record = sim_disk_read(env, RAFT_FILE_HARD, position, &size_bytes);
    }
    const enum raft_record state = raft_record_check(record, size_bytes, HARD_BYTES, HARD_SALT);
    if (state == RAFT_RECORD_GOOD) {
        const uint64_t term = sim_get64(record);
        const uint64_t vote = sim_get64(record + 8);
        /* In one term a vote goes from none to somebody and stays. */
        if (term > r->term || (term == r->term && vote != 0)) {
            r->term = term;
            r->vote = vote == 0 ? SIM_NOBODY : (uint32_t)(vote - 1);
        }
    }
    return state;
}

bool raft_hard_recover(struct raft *r, struct sim_env *env)
{
    r->vote = SIM_NOBODY;
    const enum raft_record first = read_hard(r, env, 0);
    const enum raft_record second = read_hard(r, env, 1);
    if (first == RAFT_RECORD_GOOD && second == RAFT_RECORD_GOOD) {
        return true;
    }
    /* Both lost: the very first write never became durable, so nothing was ever promised.
     * Otherwise, without a good copy, a vote may have been: the node must not vote again. */
    if (first == RAFT_RECORD_LOST && second == RAFT_RECORD_LOST) {
        return true;
    }
    if (first != RAFT_RECORD_GOOD && second != RAFT_RECORD_GOOD) {
        return false;
    }
    raft_hard_changed(r); /* Repair the other copy. */
    return true;
}

/* ---- Halting ---------------------------------------------------------------------------- */

/* Stop and say nothing more. After a failed write or sync a node cannot know what its disk
 * holds (Rebello et al., "Can Applications Recover from fsync Failures?", ATC '20): what it
 * believes to be durable may be gone after a restart, and what it believes lost may come
 * back. A silent node is what the others survive; a lying one is not. A restart, which reads
 * what is really there, ends this. */
void raft_halt(struct raft *r, struct sim_env *env)
{
    if (r->halted) {
        return;
    }
    r->halted = true;
    r->due = 0;
    r->role = SIM_ROLE_FOLLOWER;
    r->leader = SIM_NOBODY;
    r->pre_candidate = false;
    sim_timer_cancel(env, RAFT_TIMER_ELECTION);
    sim_timer_cancel(env, RAFT_TIMER_HEARTBEAT);
    sim_timer_cancel(env, RAFT_TIMER_TRANSFER);
    sim_publish(env, RAFT_FACT_ROLE, 0);
    sim_publish(env, RAFT_FACT_LEADER, -1);
    sim_publish(env, RAFT_FACT_HEALTH, 1);
}
