/* Log compaction (dissertation 5) and sending the snapshot to a follower that needs entries
 * which are no longer in the log (5.3, InstallSnapshot in figure 5.3).
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
 *     received:  chunk, chunk, last --> written --sync--> state replaced, log cut --> acknowledged
 *
 * The leader sends a chunk at a time and the next one when it hears how much has arrived; a
 * heartbeat sends the same one again. What it sends is what its disk has as record 0. It takes
 * no newer one, and keeps the log after it, as long as the follower answers and has not caught
 * up: else on a slow link each snapshot would be old before it has arrived, for ever. */
#include "nodes/raft/snapshot.h"

#include "nodes/raft/append.h"
#include "nodes/raft/log.h"
#include "nodes/raft/membership.h"
#include "nodes/raft/message.h"
#include "nodes/raft/role.h"
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

/* ---- The follower ----------------------------------------------------------------------- */

bool raft_snapshot_installing(const struct raft *r)
{
    return r->snapshot.written != 0 && !r->snapshot.written_here;
}

static bool reserve(struct raft_snapshot *s, struct sim_env *env, uint32_t size_bytes)
{
    if (size_bytes <= s->capacity_bytes) {
        return true;
    }
    const uint32_t capacity_bytes =
        size_bytes > 2 * s->capacity_bytes ? size_bytes : 2 * s->capacity_bytes;
    uint8_t *bytes = sim_alloc(env, capacity_bytes);
    if (!bytes) {
        return false;
    }
    if (s->size_bytes > 0) {
        memcpy(bytes, s->bytes, s->size_bytes);
    }
    sim_release(env, s->bytes);
    s->bytes = bytes;
    s->capacity_bytes = capacity_bytes;
    return true;
}

/* All of it is here: check it, and write it. */
static void complete(struct raft *r, struct sim_env *env)
{
    struct raft_snapshot *s = &r->snapshot;
    const bool good = check_record(s->bytes, s->size_bytes) == RAFT_RECORD_GOOD &&
                      sim_get64(s->bytes) == s->incoming &&
                      sim_get64(s->bytes + 8) == s->incoming_term;
    if (good && write_record(r, env, s->bytes, s->size_bytes)) {
        s->written = s->incoming;
        s->written_here = false;
        raft_snapshot_schedule(r);
    } else {
        s->incoming = 0; /* Corrupt on the way: once more from the beginning. */
        s->size_bytes = 0;
    }
    sim_release(env, s->bytes);
    s->bytes = NULL;
    s->capacity_bytes = 0;
}

static void receive_chunk(struct raft *r, struct sim_env *env, const struct raft_message *chunk)
{
    struct raft_snapshot *s = &r->snapshot;
    if (s->incoming != chunk->a || s->incoming_term != chunk->b) {
        s->incoming = chunk->a;
        s->incoming_term = chunk->b;
        s->size_bytes = 0;
    }
    const bool last = chunk->flags & RAFT_FLAG_LAST;
    if (chunk->c != s->size_bytes || chunk->entries_bytes > INT32_MAX - s->size_bytes ||
        (last && s->written != 0)) {
        return; /* Not the next one; or our own snapshot is being written: it comes again. */
    }
    if (!reserve(s, env, s->size_bytes + chunk->entries_bytes)) {
        return;
    }
    if (chunk->entries_bytes > 0) {
        memcpy(s->bytes + s->size_bytes, chunk->entries, chunk->entries_bytes);
        s->size_bytes += chunk->entries_bytes;
    }
    if (last) {
        complete(r, env);
    }
}

void raft_on_install_snapshot(struct raft *r, struct sim_env *env, const struct sim_event *event)
{
    struct raft_message chunk;
    if (!raft_receive(r, event, &chunk)) {
        return;
    }
    struct raft_message reply = {.term = r->term, .a = chunk.a};
    if (chunk.term < r->term) {
        raft_send(env, event->from, RAFT_INSTALL_SNAPSHOT_REPLY, &reply);
        return;
    }
    if (!raft_hear_leader(r, env, event->from, chunk.term)) {
        return;
    }
    if (chunk.a <= r->commit && !raft_has_bug(r, RAFT_R22)) {
        raft_verify_to(r, chunk.a); /* We have all of that. */
        return;
    }
    if (!raft_snapshot_installing(r)) {
        receive_chunk(r, env, &chunk);
    }
    if (!r->halted) {
        reply.term = r->term;
        reply.b = r->snapshot.incoming == chunk.a ? r->snapshot.size_bytes : 0;
        raft_send(env, event->from, RAFT_INSTALL_SNAPSHOT_REPLY, &reply);
    }
}

/* ---- The leader ------------------------------------------------------------------------- */

void raft_snapshot_send(struct raft *r, struct sim_env *env, uint32_t place)
{
    struct raft_peer *peer = &r->peers[place];
    uint32_t size_bytes = 0;
    const uint8_t *record = sim_disk_read(env, RAFT_FILE_SNAPSHOT, 0, &size_bytes);
    assert(record); /* What the log lacks is under it. */
    peer->streaming = false;
    if (peer->snapshot != sim_get64(record) || peer->offset_bytes > size_bytes) {
        peer->snapshot = sim_get64(record);
        peer->offset_bytes = 0;
        peer->catch_up_ns = sim_monotonic_ns(env);
        peer->catching_up = true;
    }
    const uint32_t left_bytes = size_bytes - peer->offset_bytes;
    const uint32_t most_bytes = r->config.snapshot_chunk_bytes;
    struct raft_message chunk = {.flags = RAFT_FLAG_LAST,
                                 .term = r->term,
                                 .a = peer->snapshot,
                                 .b = sim_get64(record + 8),
                                 .c = peer->offset_bytes,
                                 .entries = record + peer->offset_bytes,
                                 .entries_bytes = left_bytes};
    if (left_bytes > most_bytes) {
        chunk.flags = 0;
        chunk.entries_bytes = most_bytes;
    }
    raft_send_chunk(env, r->members[place], &chunk);
}

void raft_on_install_reply(struct raft *r, struct sim_env *env, const struct sim_event *event)
{
    struct raft_message reply;
    if (!raft_receive(r, event, &reply) || !raft_hear_answer(r, env, reply.term)) {
        return;
    }
    const uint32_t place = raft_place(r, event->from);
    struct raft_peer *peer = &r->peers[place];
    peer->answered = true;
    peer->active = true;
    peer->catch_up_ns = sim_monotonic_ns(env);
    /* An old answer may send us back; the answer to what is then sent brings us forward. */
    if (peer->snapshot != 0 && peer->snapshot == reply.a && peer->offset_bytes != reply.b &&
        reply.b <= UINT32_MAX) {
        peer->offset_bytes = (uint32_t)reply.b;
        raft_snapshot_send(r, env, place);
    }
}

void raft_snapshot_caught_up(struct raft *r, struct sim_env *env, uint32_t place)
{
    struct raft_peer *peer = &r->peers[place];
    peer->catching_up = peer->match < r->commit;
    peer->catch_up_ns = sim_monotonic_ns(env);
}
