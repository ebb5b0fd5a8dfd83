/* What travels between nodes, and how it is sent and received; message.c has the bytes. */
#ifndef NODES_RAFT_MESSAGE_H
#define NODES_RAFT_MESSAGE_H

#include "nodes/raft/log.h"

enum raft_message_kind {
    RAFT_PRE_VOTE,
    RAFT_PRE_VOTE_REPLY,
    RAFT_REQUEST_VOTE,
    RAFT_REQUEST_VOTE_REPLY,
    RAFT_APPEND_ENTRIES,
    RAFT_APPEND_ENTRIES_REPLY,
    RAFT_TIMEOUT_NOW,
    RAFT_INSTALL_SNAPSHOT,
    RAFT_INSTALL_SNAPSHOT_REPLY,
    RAFT_HEARTBEAT,
    RAFT_HEARTBEAT_REPLY,
    RAFT_MESSAGE_COUNT
};

#define RAFT_MAX_ENTRIES 256 /* In one message that we send. */
#define RAFT_ENTRY_BYTES (8 + RAFT_OPERATION_BYTES)
#define RAFT_APPEND_BYTES 40
#define RAFT_MAX_CHUNK 16384 /* Bytes of a snapshot in one message. */

enum raft_flag {
    RAFT_FLAG_GRANTED = 1,  /* Of the replies to vote requests. */
    RAFT_FLAG_TRANSFER = 2, /* Of a vote request: the leader itself asked for it (3.10). */
    RAFT_FLAG_MATCHED = 4,  /* Of the replies to append_entries. */
    RAFT_FLAG_LAST = 8,     /* Of the last chunk of a snapshot. */
};

/* Every message but the entries of append_entries; a kind uses what its row in message.c says. */
struct raft_message {
    uint32_t flags; /* Or, of append_entries, the number of entries. */
    uint64_t term;
    uint64_t a;
    uint64_t b;
    uint64_t c;
    const uint8_t *entries; /* What follows the words; borrowed from the event. */
    uint32_t entries_bytes;
};

/* Send all but append_entries and install_snapshot. */
void raft_send(struct sim_env *env, uint32_t to, enum raft_message_kind kind,
               const struct raft_message *message);
/* Send install_snapshot with its bytes; at most RAFT_MAX_CHUNK. */
void raft_send_chunk(struct sim_env *env, uint32_t to, const struct raft_message *message);
/* Encode an append_entries with entries prev_index + 1 and on; returns the size. */
uint32_t raft_encode_append(const struct raft *r, uint64_t prev_index, uint32_t count,
                            uint8_t bytes[RAFT_APPEND_BYTES + RAFT_MAX_ENTRIES * RAFT_ENTRY_BYTES]);
/* False for what is malformed or, with the setting `checksum`, corrupt. */
bool raft_receive(const struct raft *r, const struct sim_event *event,
                  struct raft_message *message);
/* Read entry `i` of a received append_entries. */
bool raft_decode_entry(struct raft_entry *entry, const uint8_t *entries, uint32_t i);

#endif
