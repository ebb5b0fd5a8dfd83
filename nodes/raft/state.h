/* The state of a Raft node, all of it: what every part of the protocol reads, and what it may
 * break.
 *
 * What is never broken (but by a planted bug), and relied on by the code:
 *   1. Nothing that promises a term, a vote or an entry leaves before it is durable.
 *   2. A leader counts itself only as far as its own disk is durable (dissertation 10.2.1).
 *   3. Indices: durable <= last, and for a leader's peers match < next <= last + 1.
 *   4. `verified` is the length of the prefix known to equal that of this term's leader.
 *   5. first - 1 <= snapshot.durable <= snapshot.index <= applied <= commit <= last: nothing
 *      is discarded before the snapshot over it is durable. (While a received snapshot is being
 *      written, snapshot.incoming is ahead of all of them.) */
#ifndef NODES_RAFT_STATE_H
#define NODES_RAFT_STATE_H

#include "nodes/kv/kv.h"
#include "nodes/raft/bugs.h"
#include "nodes/raft/settings.h"

enum raft_timer {
    RAFT_TIMER_ELECTION,
    RAFT_TIMER_HEARTBEAT,
    RAFT_TIMER_TRANSFER,
    RAFT_TIMER_BATCH
};

enum raft_file { RAFT_FILE_LOG, RAFT_FILE_HARD, RAFT_FILE_SNAPSHOT };

enum raft_fact {
    RAFT_FACT_ROLE,
    RAFT_FACT_TERM,
    RAFT_FACT_COMMIT,
    RAFT_FACT_LEADER,
    RAFT_FACT_HEALTH,
    RAFT_FACT_VOTERS,
    RAFT_FACT_COUNT
};

enum raft_command {
    RAFT_COMMAND_CAMPAIGN,
    RAFT_COMMAND_TRANSFER,
    RAFT_COMMAND_ADD_SERVER,
    RAFT_COMMAND_REMOVE_SERVER,
    RAFT_COMMAND_ADD_LEARNER,
    RAFT_COMMAND_PROMOTE,
    RAFT_COMMAND_REPLACE_SERVER,
    RAFT_COMMAND_CHANGE_MEMBERSHIP
};

/* ---- The parts ---------------------------------------------------------------------------- */

#define RAFT_NO_OP UINT32_C(255)         /* operation.function of a term's first entry, */
#define RAFT_CONFIGURATION UINT32_C(254) /* and of one that is a configuration. */

struct raft_entry {
    uint64_t term;
    uint64_t digest; /* Of the encoded operation. */
    struct sim_operation operation;
};

/* The log in memory: chunks of entries, so that growing copies nothing. */
#define RAFT_CHUNK_ENTRIES 72 /* 56 bytes each: just below 4 KiB with the block's header. */

struct raft_log {
    struct raft_entry **chunks;
    uint32_t chunk_count;
    uint32_t chunk_capacity;
    uint64_t chunk_base;  /* Number of chunks dropped before the first one. */
    uint64_t first;       /* Index of the first entry kept; last + 1 if there is none. */
    uint64_t before_term; /* Term of the entry at first - 1; 0 if first is 1. */
    uint64_t last;        /* Index of the last entry; first - 1 if there is none. */
    uint64_t durable;     /* Entries up to here are on the disk for good, or under a snapshot. */
};

/* The snapshot on disk, and one that arrives. */
struct raft_snapshot {
    uint64_t index; /* Of the last entry that it covers; 0: none. */
    uint64_t term;
    uint64_t config;  /* Index of the configuration in it. */
    uint64_t durable; /* The index of the one that is durable. */
    uint64_t due;     /* Take the next one when this many entries are applied. */

    uint64_t written;  /* Given to the disk, not yet durable: its index; 0: none. */
    bool written_here; /* Taken here; else received, and to be installed. */

    uint64_t incoming; /* Being received: its index; 0: none. */
    uint64_t incoming_term;
    uint8_t *bytes;
    uint32_t size_bytes;
    uint32_t capacity_bytes;
};

struct raft_peer {
    uint64_t match;        /* Known to be durable there; as the leader of this term knows. */
    uint64_t next;         /* The next entry to send. */
    uint64_t snapshot;     /* Index of the snapshot being sent; 0: none. */
    uint32_t offset_bytes; /* How much of it has arrived. */
    uint64_t catch_up_ns;  /* When it last answered while catching up with a snapshot. */
    bool catching_up;      /* Was sent a snapshot, and does not have all that is committed yet. */
    uint64_t round;        /* The last round of heartbeats that it has answered. */
    bool streaming;        /* Sends new entries at once; else probes, one message at a time. */
    bool answered;         /* Since the last heartbeat, */
    bool active;           /* and since the last check of the quorum. */
    bool granted;          /* Its vote, to the candidate that we are. */

    /* By the configuration in force: */
    bool voter;     /* counts, */
    bool old_voter; /* counts in the one before, while both are in force, */
    bool member;    /* is sent entries; never we ourselves; */
    bool fresh;     /* since just now, and has not been sent anything. */
};

struct raft_read { /* One that waits. */
    struct sim_operation operation;
    uint64_t round; /* Of heartbeats that must be answered first. */
};

struct raft_reads {         /* Of a leader, in its term. */
    struct raft_read *list; /* In the order in which they came. */
    uint32_t count;
    uint32_t capacity;
    uint64_t round; /* Of heartbeats: the last one begun, */
    uint64_t round_ns;
    uint64_t confirmed;    /* and the last one that a majority has answered. */
    uint64_t lease_end_ns; /* On our monotonic clock. */
    bool lease_void;       /* No lease in this term any more. */
};

/* Sets are bits of places in the group. */
struct raft_configuration {
    uint64_t index; /* Of its entry; 0: the first one. */
    uint64_t voters;
    uint64_t old_voters; /* Of the configuration before, while both are in force; else 0. */
    uint64_t learners;
};

struct raft_change { /* What a leader was asked for, and how far it has come. */
    uint32_t command;
    uint64_t set; /* Those whom it changes, or who shall vote; 0: no change. */
    uint64_t newcomers;
    bool caught_up;
    uint32_t rounds;
    uint64_t round_end; /* The log's end when the round began. */
    uint64_t round_ns;
    uint64_t progress;
    uint64_t progress_ns; /* When there was some last. */
};

struct raft_membership {
    struct raft_configuration *list; /* First as of the snapshot, then those in the log. */
    uint32_t count;
    uint32_t capacity;
    uint64_t everyone; /* The whole group; 0: it is too large to change. */
    uint64_t initial;  /* Voters of the first configuration, */
    uint32_t initial_count;
    bool busy; /* A leader has something to wait for or to do. */
    struct raft_change change;
    uint32_t *voters[2]; /* Node numbers of those in force, and of the old ones, */
    uint32_t voter_count[2];
};

/* Answers that wait until the hard state, and what else they promise, is durable. A change of
 * the term drops them: a promise to an old leader must not reach a new one. */
enum raft_due {
    RAFT_DUE_VOTE = 1,     /* Tell the candidate that it has our vote. */
    RAFT_DUE_CAMPAIGN = 2, /* Ask for votes. */
    RAFT_DUE_ANSWER = 4,   /* Answer the leader, whatever is durable by then. */
    RAFT_DUE_ACK = 8,      /* Tell the leader as more becomes durable. */
};

/* ---- The node ----------------------------------------------------------------------------- */

struct raft {
    uint32_t self;
    uint32_t member_count;
    uint32_t *members;       /* Node numbers, by place in the group. */
    struct raft_peer *peers; /* By place; of our own only what makes us count. */
    uint32_t quorum;         /* Of the voters, */
    uint32_t old_quorum;     /* and of the old ones; 0 if there are none. */
    struct raft_config config;
    uint64_t bugs; /* Bit set of enum raft_bug. */
    bool halted;   /* Stopped safely: see raft_halt(). */

    /* Hard state: on disk before anything is promised on its strength. */
    uint64_t term;
    uint32_t vote;         /* SIM_NOBODY if none. */
    uint64_t hard_version; /* Of (term, vote) in memory, */
    uint64_t hard_written; /* as last given to the disk, */
    uint64_t hard_durable; /* and as last known durable. */
    bool vote_owed;        /* The vote is still to be written (but for a planted bug: never). */

    struct raft_log log;
    struct raft_snapshot snapshot;
    struct raft_membership membership;
    struct raft_reads reads;

    uint32_t role;        /* enum sim_role */
    uint32_t leader;      /* Of this term; SIM_NOBODY if not known. */
    bool pre_candidate;   /* A follower that asks whether it could win. */
    bool transferring_in; /* A candidate because its leader said so. */
    uint64_t commit;
    uint64_t applied;
    struct kv kv;

    uint64_t election_timeout_ns; /* The one drawn, */
    uint64_t election_base_ns;    /* and when it began, on the monotonic clock. */
    uint64_t leader_heard_ns;

    uint32_t due; /* Bit set of enum raft_due. */
    uint64_t verified;
    uint64_t acked;   /* The highest index told to the leader of this term. */
    uint64_t batched; /* Of a leader: entries up to here are sent, others wait for more. */

    bool dirty;   /* Something was written since the last sync began. */
    bool syncing; /* At most one sync at a time: what comes meanwhile shares the next. */
    uint64_t sync_token;
    uint64_t sync_began_ns; /* SIM_NEVER: nobody asks. */
    uint64_t sync_last;     /* What it will make durable: entries up to here, */
    uint64_t sync_hard;     /* and this version of the hard state, */
    uint64_t sync_snapshot; /* and the snapshot up to this index; 0: none. */

    uint32_t transfer_target; /* A leader about to hand over; else SIM_NOBODY. */
    bool leaving_disk;        /* It does so for its disk, and may still stay. */
};

static inline bool raft_has_bug(const struct raft *r, enum raft_bug bug)
{
    return SIM_UNLIKELY(r->bugs >> bug & 1);
}

/* ---- Who counts ----------------------------------------------------------------------------- */

/* Votes, acknowledgements or answers, counted in the configuration in force. */
struct raft_tally {
    uint32_t voters;
    uint32_t old_voters;
};

static inline void raft_tally_add(struct raft_tally *tally, const struct raft_peer *peer, bool yes)
{
    tally->voters += yes & peer->voter;
    tally->old_voters += yes & peer->old_voter;
}

static inline bool raft_tally_won(const struct raft *r, struct raft_tally tally)
{
    return tally.voters >= r->quorum && tally.old_voters >= r->old_quorum;
}

/* Place of a node in the group; member_count if it is not in it. */
static inline uint32_t raft_place(const struct raft *r, uint32_t node)
{
    const uint32_t place = node - r->members[0]; /* A group's nodes are consecutive. */
    return place < r->member_count ? place : r->member_count;
}

/* Until the next round of heartbeats is answered there is no lease. */
static inline void raft_lease_ends(struct raft *r)
{
    r->reads.lease_end_ns = 0;
}

#endif
