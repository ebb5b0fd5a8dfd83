/* Sending the snapshot to a follower that needs entries which are no longer in the log
 * (dissertation 5.3, InstallSnapshot in figure 5.3).
 *
 * The leader sends a chunk at a time and the next one when it hears how much has arrived; a
 * heartbeat sends the same one again. What it sends is what its disk has as record 0. It takes
 * no newer one, and keeps the log after it, as long as the follower answers and has not caught
 * up: else on a slow link each snapshot would be old before it has arrived, for ever. */
#include "nodes/raft/install.h"

#include "nodes/raft/append.h"
#include "nodes/raft/message.h"
#include "nodes/raft/role.h"
#include "nodes/raft/snapshot.h"

/* ---- The follower ----------------------------------------------------------------------- */

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
    if (!raft_snapshot_accept(r, env)) {
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

void raft_install_send(struct raft *r, struct sim_env *env, uint32_t place)
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
    uint32_t place;
    if (!raft_hear_peer(r, env, event, &reply, &place)) {
        return;
    }
    struct raft_peer *peer = &r->peers[place];
    peer->catch_up_ns = sim_monotonic_ns(env);
    /* An old answer may send us back; the answer to what is then sent brings us forward. */
    if (peer->snapshot != 0 && peer->snapshot == reply.a && peer->offset_bytes != reply.b &&
        reply.b <= UINT32_MAX) {
        peer->offset_bytes = (uint32_t)reply.b;
        raft_install_send(r, env, place);
    }
}

void raft_install_caught_up(struct raft *r, struct sim_env *env, uint32_t place)
{
    struct raft_peer *peer = &r->peers[place];
    peer->catching_up = peer->match < r->commit;
    peer->catch_up_ns = sim_monotonic_ns(env);
}
