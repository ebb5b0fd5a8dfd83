/* Log compaction (dissertation 5): a snapshot takes the place of the entries that it covers.
 *
 * A snapshot is one record, in two copies like the hard state, so that a crash while one is
 * written over leaves the other whole, which is the old or the new one:
 *
 *     0       8      16      24      32           40         48
 *     | index | term | config | voters | old voters | learners | kv, with sessions | seal |
 *
 * Order is what makes it safe. A node writes the snapshot, syncs, and only then discards the
 * log before it: at each moment either the entries or a snapshot over them are durable. A
 * received one is installed when it is durable, too: until then the node's log and state are
 * what they were, and it does not campaign.
 *
 *     taken:     applied >= due --> written --sync--> log discarded
 *     received:  whole --> written --sync--> state replaced, log cut --> acknowledged */
#include "nodes/raft/snapshot.h"

#include "nodes/raft/append.h"
#include "nodes/raft/log.h"
#include "nodes/raft/membership.h"
#include "nodes/raft/storage.h"

#define HEADER_BYTES 48
#define SEAL_BYTES 8
#define SNAPSHOT_SALT UINT64_C(0x736e617073686f74)

/* ---- Writing ---------------------------------------------------------------------------- */

void raft_snapshot_schedule(struct raft *r)
{
    struct raft_snapshot *s = &r->snapshot;
    s->due = UINT64_MAX;
    if (r->config.snapshot_threshold > 0 && s->written == 0) {
        s->due = sim_add_sat(s->index, r->config.snapshot_threshold);
    }
}

/* What the snapshot that counts is, by its record. */
static void describe(struct raft_snapshot *s, const uint8_t *record)
{
    s->index = sim_get64(record);
    s->term = sim_get64(record + 8);
    s->config = sim_get64(record + 16);
}

/* Write both copies, the visible one last. False if the node has halted. */
static bool write_record(struct raft *r, struct sim_env *env, const uint8_t *record,
                         uint32_t size_bytes)
{
    const struct sim_label label = {sim_get64(record), sim_get64(record + 8)};
    /* A file begins at its first write: that one must go to position 0. */
    const bool first = sim_disk_end(env, RAFT_FILE_SNAPSHOT) == 0;
    raft_hard_save(r, env);
    for (uint64_t i = 0; i < 2; i++) {
        const uint64_t position = first ? i : 1 - i;
        if (r->halted || sim_disk_write(env, RAFT_FILE_SNAPSHOT, position, record, size_bytes,
                                        label) != SIM_OK) {
            raft_halt(r, env);
            return false;
        }
    }
    r->dirty = true;
    return true;
}

/* R41: the new index, over the state of the snapshot before. */
static void write_index(struct raft *r, struct sim_env *env, const uint8_t *record)
{
    uint32_t size_bytes = 0;
    const uint8_t *before = NULL;
    if (sim_disk_end(env, RAFT_FILE_SNAPSHOT) > 0) {
        before = sim_disk_read(env, RAFT_FILE_SNAPSHOT, 0, &size_bytes);
    }
    uint8_t *mixed = before ? sim_alloc(env, size_bytes) : NULL;
    if (mixed) {
        memcpy(mixed, before, size_bytes);
        memcpy(mixed, record, HEADER_BYTES);
        raft_record_seal(mixed, size_bytes, SNAPSHOT_SALT);
        (void)write_record(r, env, mixed, size_bytes); /* A failure halts the node. */
        sim_release(env, mixed);
    }
}

static bool is_needed(const struct raft *r, const struct sim_env *env)
{
    if (r->role != SIM_ROLE_LEADER) {
        return false;
    }
    for (uint32_t i = 0; i < r->member_count; i++) {
        const struct raft_peer *peer = &r->peers[i];
        if (peer->catching_up &&
            sim_monotonic_ns(env) - peer->catch_up_ns < r->config.election_high_ns) {
            return true;
        }
    }
    return false;
}

void raft_snapshot_take(struct raft *r, struct sim_env *env)
{
    struct raft_snapshot *s = &r->snapshot;
    assert(s->written == 0);
    if (r->halted || is_needed(r, env)) {
        return;
    }
    const size_t size_bytes = HEADER_BYTES + kv_encoded_bytes(&r->kv) + SEAL_BYTES;
    assert(size_bytes <= UINT32_MAX);
    uint8_t *record = sim_alloc(env, size_bytes);
    if (!record) {
        return;
    }
    sim_put64(record, r->applied);
    sim_put64(record + 8, raft_term_at(r, r->applied));
    raft_membership_encode(r, r->applied, record + 16);
    kv_encode(&r->kv, record + HEADER_BYTES);
    raft_record_seal(record, (uint32_t)size_bytes, SNAPSHOT_SALT);
    if (raft_has_bug(r, RAFT_R41)) {
        write_index(r, env, record);
    }
    if (write_record(r, env, record, (uint32_t)size_bytes)) {
        describe(s, record);
        s->written = r->applied;
        s->written_here = true;
        raft_snapshot_schedule(r);
    }
    sim_release(env, record);
}

/* ---- Reading ---------------------------------------------------------------------------- */

static enum raft_record check_record(const uint8_t *record, uint32_t size_bytes)
{
    if (!record || size_bytes < HEADER_BYTES + SEAL_BYTES) {
        return RAFT_RECORD_LOST;
    }
    return raft_record_check(record, size_bytes, size_bytes, SNAPSHOT_SALT);
}

/* Make a record's state our own, as of its index. */
static bool restore(struct raft *r, struct sim_env *env, const uint8_t *record, uint32_t size_bytes)
{
    if (kv_decode(&r->kv, env, record + HEADER_BYTES, size_bytes - HEADER_BYTES - SEAL_BYTES) !=
            SIM_OK ||
        !raft_membership_restore(r, env, sim_get64(record), record + 16)) {
        return false;
    }
    if (raft_has_bug(r, RAFT_R16_SNAPSHOT)) {
        kv_forget_sessions(&r->kv, env);
    }
    r->applied = sim_get64(record);
    r->commit = r->applied;
    return true;
}

/* Where there is no good copy, a torn one is that of the first snapshot, never promised, and
 * the log is still whole; but a rotten one may be all that was left of the log. */
bool raft_snapshot_recover(struct raft *r, struct sim_env *env)
{
    struct raft_snapshot *s = &r->snapshot;
    enum raft_record states[2];
    uint64_t best = 2;
    for (uint64_t i = 0; i < 2; i++) {
        uint32_t size_bytes = 0;
        const uint8_t *record = NULL;
        if (i < sim_disk_end(env, RAFT_FILE_SNAPSHOT)) {
            record = sim_disk_read(env, RAFT_FILE_SNAPSHOT, i, &size_bytes);
        }
        states[i] = check_record(record, size_bytes);
        if (states[i] == RAFT_RECORD_GOOD && (best == 2 || sim_get64(record) > s->index)) {
            best = i;
            describe(s, record);
        }
    }
    if (best == 2) {
        return states[0] == RAFT_RECORD_LOST && states[1] == RAFT_RECORD_LOST;
    }
    s->durable = s->index;
    uint32_t size_bytes = 0;
    const uint8_t *record = sim_disk_read(env, RAFT_FILE_SNAPSHOT, best, &size_bytes);
    uint8_t *copy = sim_alloc(env, size_bytes);
    if (!copy) {
        return false;
    }
    memcpy(copy, record, size_bytes);
    /* Both again, for a crash may have left them different. */
    const bool sound = restore(r, env, copy, size_bytes) && write_record(r, env, copy, size_bytes);
    sim_release(env, copy);
    return sound;
}

/* ---- Installing ------------------------------------------------------------------------- */

bool raft_snapshot_installing(const struct raft *r)
{
    return r->snapshot.written != 0 && !r->snapshot.written_here;
}

bool raft_snapshot_accept(struct raft *r, struct sim_env *env)
{
    struct raft_snapshot *s = &r->snapshot;
    if (check_record(s->bytes, s->size_bytes) != RAFT_RECORD_GOOD ||
        sim_get64(s->bytes) != s->incoming || sim_get64(s->bytes + 8) != s->incoming_term ||
        !write_record(r, env, s->bytes, s->size_bytes)) {
        return false;
    }
    s->written = s->incoming;
    s->written_here = false;
    raft_snapshot_schedule(r);
    return true;
}

/* The received snapshot is durable: its state replaces ours, and the log goes on from it. The
 * suffix after it stays if the log has the snapshot's last entry, for then all before it is
 * the same (5.3); else the log is another, and goes. */
static bool install(struct raft *r, struct sim_env *env)
{
    struct raft_snapshot *s = &r->snapshot;
    uint32_t size_bytes = 0;
    const uint8_t *record = sim_disk_read(env, RAFT_FILE_SNAPSHOT, 0, &size_bytes);
    assert(record);
    describe(s, record);
    s->durable = s->index;
    if (s->index <= r->commit) {
        return true; /* Another leader was quicker: our state is not behind it. */
    }
    const bool same = s->index <= r->log.last &&
                      (raft_term_at(r, s->index) == s->term || raft_has_bug(r, RAFT_R20));
    if (!same) {
        raft_log_restart(r, env, s->index, s->term);
    }
    if (!restore(r, env, record, size_bytes)) {
        raft_halt(r, env); /* A good seal around what no node can have made. */
        return false;
    }
    sim_publish(env, RAFT_FACT_COMMIT, (int64_t)r->commit);
    if (raft_has_bug(r, RAFT_R21)) {
        r->term = s->term;
        r->vote = SIM_NOBODY;
        raft_hard_changed(r);
    }
    return true;
}

static void discard_log(struct raft *r, struct sim_env *env)
{
    const uint64_t trailing = r->config.snapshot_trailing;
    if (r->snapshot.durable > trailing) {
        raft_log_discard(r, env, r->snapshot.durable - trailing + 1);
    }
}

void raft_snapshot_durable(struct raft *r, struct sim_env *env)
{
    struct raft_snapshot *s = &r->snapshot;
    assert(r->sync_snapshot == s->written);
    r->sync_snapshot = 0;
    const uint64_t index = s->written;
    s->written = 0;
    if (s->written_here) {
        s->durable = index;
    } else {
        s->incoming = 0;
        s->size_bytes = 0;
        if (!install(r, env)) {
            return;
        }
        if (r->role == SIM_ROLE_FOLLOWER && r->leader != SIM_NOBODY) {
            raft_verify_to(r, index);
        }
    }
    discard_log(r, env);
    raft_membership_compacted(r, s->durable);
    raft_snapshot_schedule(r);
}
