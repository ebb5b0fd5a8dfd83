/* The inside of the node kind `libraft`, shared by its files and by nobody else:
 *
 *     libraft.c   the table, boot, events        io.c       the library's network and clock
 *     view.c      what invariants and people see journal.c  its disk: term, vote, log, snapshots
 *     fsm.c       the state machine              load.c     the disk read back at a boot
 *     heap.c      the library's memory           codec.c    messages and records as bytes
 *
 * The library is written around callbacks that come later, from an event loop. Here the loop
 * is the simulator's: whatever a callback owes is noted while the library runs, and paid by
 * libraft_io_settle() at the end of the event.
 *
 * The library demands that term and vote are durable when set_term() and set_vote() return,
 * but a simulated sync takes time. The same guarantee is kept from outside: until the sync
 * that covers the hard state is over, nothing this node sends leaves it, and no completion
 * reaches the library. */
#ifndef NODES_LIBRAFT_INTERNAL_H
#define NODES_LIBRAFT_INTERNAL_H

#include <raft.h>

#include "nodes/kv/kv.h"
#include "nodes/libraft/libraft.h"

enum libraft_file { LIBRAFT_LOG, LIBRAFT_HARD, LIBRAFT_SNAPSHOT }; /* Files on the disk. */

#define LIBRAFT_SPARE 1 /* Position of the copy of record 0 in LIBRAFT_HARD, LIBRAFT_SNAPSHOT. */
#define LIBRAFT_ADDRESS_MAX 12 /* A node number in decimal. */

struct libraft_op;       /* journal.c: a request that waits for the disk. */
struct libraft_deferred; /* io.c: a callback that is owed. */
struct libraft_held;     /* io.c: a message that waits for the hard state. */

struct libraft_node {
    struct raft raft;
    struct raft_io io;
    struct raft_fsm fsm;
    struct sim_env *env; /* NULL between events. */
    uint32_t first_node; /* Of the group; the library's ids are places in it, from 1. */
    uint32_t group_size;
    bool started;
    bool halted; /* Cannot go on: the disk lost its hard state, or could not be loaded. */
    raft_io_tick_cb tick;
    raft_io_recv_cb recv;
    unsigned tick_ms;

    /* The state machine. */
    struct kv kv;
    enum sim_answer answer; /* Of the last operation applied, and what it read. */
    uint64_t value;
    uint64_t reported; /* Last index given to sim_applied(). */
    bool restored;     /* The state came from a snapshot: `reported` is behind it. */

    /* The disk. Changes are counted; those up to `durable` have survived a sync. */
    uint64_t written;
    uint64_t covered; /* By the sync under way. */
    uint64_t durable;
    uint64_t hard; /* The change that holds the hard state in force. */
    bool syncing;
    bool failed; /* The disk gave an error: nothing is written any more until a restart. */
    raft_term term;
    raft_index next_index; /* Where the next append goes. */
    struct libraft_op *ops_first;
    struct libraft_op *ops_last;

    struct libraft_deferred *deferred_first;
    struct libraft_deferred *deferred_last;
    struct libraft_held *held_first;
    struct libraft_held *held_last;
    uint8_t *scratch; /* To encode in. */
    size_t scratch_bytes;

    uint32_t *voters; /* For the view: group_size at most. */
    uint32_t voter_count;
};

/* ---- heap.c ----------------------------------------------------------------------------- */

/* Give the library the memory of the node whose `env` this is. Before every call into it. */
void libraft_heap_enter(struct sim_env *env);
/* A buffer to encode in, good until the next call; NULL if the world is full. */
uint8_t *libraft_scratch(struct libraft_node *node, size_t size_bytes);

/* ---- codec.c ---------------------------------------------------------------------------- */

/* Messages end in a checksum. The decoder allocates what the library will own; on false,
 * nothing is left allocated, and the message is to be dropped. `kind` is type - 1. */
size_t libraft_message_bytes(const struct raft_message *message);
void libraft_message_encode(const struct raft_message *message, uint8_t *bytes);
bool libraft_message_decode(struct raft_message *message, uint32_t kind, const uint8_t *bytes,
                            size_t size_bytes);
/* A log entry as a disk record. The decoder borrows: buf points into `bytes`. */
size_t libraft_entry_bytes(const struct raft_entry *entry);
void libraft_entry_encode(const struct raft_entry *entry, uint8_t *bytes);
bool libraft_entry_decode(struct raft_entry *entry, const uint8_t *bytes, size_t size_bytes);
/* A snapshot as a disk record. The decoder allocates one buffer and the configuration. */
size_t libraft_snapshot_bytes(const struct raft_snapshot *snapshot);
void libraft_snapshot_encode(const struct raft_snapshot *snapshot, uint8_t *bytes);
bool libraft_snapshot_decode(struct raft_snapshot *snapshot, const uint8_t *bytes,
                             size_t size_bytes);
/* Does a record of a file have the checksum it should? */
bool libraft_record_is_whole(enum libraft_file file, const uint8_t *bytes, size_t size_bytes);
/* Term and vote (0: none) as a disk record. */
#define LIBRAFT_HARD_BYTES 24
void libraft_hard_encode(raft_term term, raft_id vote, uint8_t bytes[LIBRAFT_HARD_BYTES]);
bool libraft_hard_decode(raft_term *term, raft_id *vote, const uint8_t *bytes, size_t size_bytes);
uint64_t libraft_entry_digest(const struct raft_entry *entry);

/* ---- io.c -------------------------------------------------------------------------------- */

void libraft_io_init(struct libraft_node *node);
void libraft_io_message(struct libraft_node *node, const struct sim_event *event);
void libraft_io_tick(struct libraft_node *node);
void libraft_io_synced(struct libraft_node *node, uint32_t status);
/* Run every callback that is due, start what can start, let go of messages, begin a sync. */
void libraft_io_settle(struct libraft_node *node);

/* ---- fsm.c ------------------------------------------------------------------------------- */

void libraft_fsm_init(struct libraft_node *node);
/* Tell the invariants of entries that the library applied without the state machine. */
void libraft_fsm_report(struct libraft_node *node);

/* ---- view.c ------------------------------------------------------------------------------ */

enum libraft_fact { FACT_ROLE, FACT_TERM, FACT_COMMIT, FACT_APPLIED, FACT_LAST, FACT_SNAPSHOT };
#define LIBRAFT_FACT_COUNT 6
extern const struct sim_fact libraft_facts[LIBRAFT_FACT_COUNT];
extern const struct sim_consensus libraft_consensus;
extern const struct sim_replica libraft_replica;

void libraft_publish(struct libraft_node *node);
/* NULL if `index` is not in the log in memory. */
const struct raft_entry *libraft_entry_at(const struct raft *raft, raft_index index);
raft_index libraft_last_index(const struct raft *raft);

/* Node number <-> the library's id (0: nobody). */
static inline raft_id libraft_id_of(const struct libraft_node *node, uint32_t number)
{
    const uint32_t place = number - node->first_node; /* Wraps for a lower number. */
    return place < node->group_size ? (raft_id)place + 1 : 0;
}

static inline uint32_t libraft_number_of(const struct libraft_node *node, raft_id id)
{
    return id >= 1 && id <= node->group_size ? node->first_node + (uint32_t)(id - 1) : SIM_NOBODY;
}

#endif
