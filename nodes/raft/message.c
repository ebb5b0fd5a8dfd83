/* What travels between nodes. Little-endian words:
 *
 *     0         4         8        16      24      32      40
 *     | checksum | flags   | term   | a     | b     | c     | entries of 48 bytes
 *
 *     kind                    a               b            c
 *     pre_vote, request_vote  last index      last term
 *     their replies           (ends after the term)
 *     append_entries          prev index      prev term    commit      (flags: entry count)
 *     append_entries_reply    index           hint
 *     timeout_now             (ends after the term)
 *     install_snapshot        index           term         offset      then bytes of the snapshot
 *     install_snapshot_reply  index           offset
 *     heartbeat, its reply    round
 *
 * An append_entries_reply with RAFT_FLAG_MATCHED acknowledges entries up to `index`; without
 * it, `index` is the rejected prev index and the logs may be equal up to `hint` at most.
 *
 * An install_snapshot_reply says how much of the snapshot has arrived, so that a chunk lost on
 * the way is sent again, and a follower that restarted begins anew. Its end is acknowledged by
 * an append_entries_reply, like entries.
 *
 * The checksum is always sent; the setting says whether a receiver looks at it. So it can be
 * switched node by node. */
#include "nodes/raft/message.h"

#define HEADER_BYTES 16
#define SENT_BYTES (HEADER_BYTES + 16) /* At most, but for append_entries. */

static const uint8_t size_by_kind[RAFT_MESSAGE_COUNT] = {
    [RAFT_PRE_VOTE] = HEADER_BYTES + 16,
    [RAFT_PRE_VOTE_REPLY] = HEADER_BYTES,
    [RAFT_REQUEST_VOTE] = HEADER_BYTES + 16,
    [RAFT_REQUEST_VOTE_REPLY] = HEADER_BYTES,
    [RAFT_APPEND_ENTRIES] = RAFT_APPEND_BYTES,
    [RAFT_APPEND_ENTRIES_REPLY] = HEADER_BYTES + 16,
    [RAFT_TIMEOUT_NOW] = HEADER_BYTES,
    [RAFT_INSTALL_SNAPSHOT] = HEADER_BYTES + 24,
    [RAFT_INSTALL_SNAPSHOT_REPLY] = HEADER_BYTES + 16,
    [RAFT_HEARTBEAT] = HEADER_BYTES + 8,
    [RAFT_HEARTBEAT_REPLY] = HEADER_BYTES + 8,
};

/* A flipped bit anywhere always changes the 64 bits below the fold, since every step of the
 * hash is a bijection of its input word; the fold misses one corruption in 2^32. */
static uint32_t checksum(const uint8_t *bytes, uint32_t size_bytes, uint32_t kind)
{
    const uint64_t flags = sim_get32(bytes + 4);
    const uint64_t h = sim_hash_bytes(bytes + 8, size_bytes - 8);
    return (uint32_t)sim_mix64(h ^ flags ^ (uint64_t)kind << 32);
}

bool raft_decode_entry(struct raft_entry *entry, const uint8_t *entries, uint32_t i)
{
    const uint8_t *bytes = entries + (size_t)i * RAFT_ENTRY_BYTES;
    entry->term = sim_get64(bytes);
    entry->digest = sim_hash_bytes(bytes + 8, RAFT_OPERATION_BYTES);
    return raft_decode_operation(&entry->operation, bytes + 8);
}

void raft_send(struct sim_env *env, uint32_t to, enum raft_message_kind kind,
               const struct raft_message *message)
{
    uint8_t bytes[SENT_BYTES];
    assert(size_by_kind[kind] <= sizeof bytes);
    sim_put32(bytes + 4, message->flags);
    sim_put64(bytes + 8, message->term);
    sim_put64(bytes + 16, message->a);
    sim_put64(bytes + 24, message->b);
    sim_put32(bytes, checksum(bytes, size_by_kind[kind], kind));
    sim_send(env, to, kind, bytes, size_by_kind[kind]);
}

void raft_send_chunk(struct sim_env *env, uint32_t to, const struct raft_message *message)
{
    uint8_t bytes[HEADER_BYTES + 24 + RAFT_MAX_CHUNK];
    const uint32_t size_bytes = HEADER_BYTES + 24 + message->entries_bytes;
    assert(message->entries_bytes <= RAFT_MAX_CHUNK);
    sim_put32(bytes + 4, message->flags);
    sim_put64(bytes + 8, message->term);
    sim_put64(bytes + 16, message->a);
    sim_put64(bytes + 24, message->b);
    sim_put64(bytes + 32, message->c);
    memcpy(bytes + HEADER_BYTES + 24, message->entries, message->entries_bytes);
    sim_put32(bytes, checksum(bytes, size_bytes, RAFT_INSTALL_SNAPSHOT));
    sim_send(env, to, RAFT_INSTALL_SNAPSHOT, bytes, size_bytes);
}

uint32_t raft_encode_append(const struct raft *r, uint64_t prev_index, uint32_t count,
                            uint8_t bytes[RAFT_APPEND_BYTES + RAFT_MAX_ENTRIES * RAFT_ENTRY_BYTES])
{
    assert(count <= RAFT_MAX_ENTRIES);
    sim_put32(bytes + 4, count);
    sim_put64(bytes + 8, r->term);
    sim_put64(bytes + 16, prev_index);
    sim_put64(bytes + 24, raft_term_at(r, prev_index));
    sim_put64(bytes + 32, r->commit);
    uint8_t *at = bytes + RAFT_APPEND_BYTES;
    for (uint32_t i = 0; i < count; i++, at += RAFT_ENTRY_BYTES) {
        const struct raft_entry *entry = raft_entry_at(r, prev_index + 1 + i);
        sim_put64(at, entry->term);
        sim_operation_encode(&entry->operation, at + 8);
    }
    const uint32_t size_bytes = (uint32_t)(at - bytes);
    sim_put32(bytes, checksum(bytes, size_bytes, RAFT_APPEND_ENTRIES));
    return size_bytes;
}

bool raft_receive(const struct raft *r, const struct sim_event *event, struct raft_message *message)
{
    const uint8_t *bytes = event->data;
    const uint32_t kind = event->message_kind;
    if (kind >= RAFT_MESSAGE_COUNT || event->size_bytes < size_by_kind[kind]) {
        return false;
    }
    if (r->config.checksum && sim_get32(bytes) != checksum(bytes, event->size_bytes, kind)) {
        return false;
    }
    const uint32_t fixed_bytes = size_by_kind[kind];
    message->flags = sim_get32(bytes + 4);
    message->term = sim_get64(bytes + 8);
    message->a = fixed_bytes > 16 ? sim_get64(bytes + 16) : 0;
    message->b = fixed_bytes > 24 ? sim_get64(bytes + 24) : 0;
    message->c = fixed_bytes > 32 ? sim_get64(bytes + 32) : 0;
    message->entries = bytes + fixed_bytes;
    message->entries_bytes = event->size_bytes - fixed_bytes;
    if (kind == RAFT_INSTALL_SNAPSHOT) {
        return true;
    }
    const uint64_t entry_bytes =
        kind == RAFT_APPEND_ENTRIES ? (uint64_t)message->flags * RAFT_ENTRY_BYTES : 0;
    return message->entries_bytes == entry_bytes;
}
