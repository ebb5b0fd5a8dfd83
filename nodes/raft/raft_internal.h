/* The inside of Raft, shared by the files of nodes/raft/ and by its tests.
 *
 *     raft.c         the kind's table, boot, the event switch, the view
 *     election.c     timeouts, votes, roles
 *     replication.c  appending entries, acknowledging them, committing
 *     snapshot.c     log compaction, and sending the snapshot to those who are far behind
 *     membership.c   configurations, and which of them is in force
 *     reconfigure.c  how a leader changes it
 *     client.c       operations in, answers out
 *     transfer.c     leadership transfer, by command or away from a slow disk
 *     read.c         reads without a log entry: ReadIndex and leases
 *     log.c          the log in memory and its records on disk
 *     storage.c      hard state, syncs, recovery, stopping safely
 *     message.c      what travels, byte by byte
 *     bugs.[ch]      the table of planted bugs
 *
 * One event is one call of raft_step(). A handler changes the state and notes in `due` which
 * answers wait for the disk; the end of the step (raft_settle) writes the hard state, sends
 * what no longer has to wait, and starts a sync if one is needed and none is under way.
 *
 * What is never broken (but by a planted bug), and relied on by the code:
 *   1. Nothing that promises a term, a vote or an entry leaves before it is durable.
 *   2. A leader counts itself only as far as its own disk is durable (dissertation 10.2.1).
 *   3. Indices: durable <= last, and for a leader's peers match < next <= last + 1.
 *   4. `verified` is the length of the prefix known to equal that of this term's leader.
 *   5. first - 1 <= snapshot.durable <= snapshot.index <= applied <= commit <= last: nothing
 *      is discarded before the snapshot over it is durable. (While a received snapshot is being
 *      written, snapshot.incoming is ahead of all of them.) */
#ifndef NODES_RAFT_RAFT_INTERNAL_H
#define NODES_RAFT_RAFT_INTERNAL_H

#include "nodes/kv/kv.h"
#include "nodes/raft/bugs.h"
#include "nodes/raft/raft.h"

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

enum raft_setting {
    RAFT_SET_ELECTION_TIMEOUT,
    RAFT_SET_HEARTBEAT_INTERVAL,
    RAFT_SET_PRE_VOTE,
    RAFT_SET_CHECK_QUORUM,
    RAFT_SET_MAX_ENTRIES,
    RAFT_SET_NO_OP,
    RAFT_SET_CHECKSUM,
    RAFT_SET_SNAPSHOT_THRESHOLD,
    RAFT_SET_SNAPSHOT_TRAILING,
    RAFT_SET_SNAPSHOT_CHUNK,
    RAFT_SET_INITIAL_MEMBERS,
    RAFT_SET_INITIAL_CLUSTER_STATE,
    RAFT_SET_READ_MODE,
    RAFT_SET_LEASE_DRIFT,
    RAFT_SET_BATCH_DELAY,
    RAFT_SET_PIPELINE_WINDOW,
    RAFT_SET_WRITE_BEFORE_SEND,
    RAFT_SET_SLOW_DISK_BOUND,
    RAFT_SET_COUNT
};

enum raft_read_mode { RAFT_READ_LOG, RAFT_READ_INDEX, RAFT_READ_LEASE };

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

/* ---- State ------------------------------------------------------------------------------ */

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
    bool member;    /* is sent entries; never we ourselves. */
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

struct raft_config {
    uint64_t election_low_ns;
    uint64_t election_high_ns;
    uint64_t heartbeat_ns;
    uint64_t batch_delay_ns;
    uint64_t slow_disk_ns; /* 0: no sync is too slow. */
    uint32_t max_entries;
    uint32_t pipeline_window;
    uint32_t snapshot_chunk_bytes;
    uint64_t snapshot_threshold; /* 0: never. */
    uint64_t snapshot_trailing;
    uint32_t read_mode; /* enum raft_read_mode */
    uint32_t lease_drift_ppm;
    bool pre_vote;
    bool check_quorum;
    bool no_op;
    bool checksum;
    bool write_before_send;
    bool existing_cluster;
};

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
    uint64_t acked; /* The highest index told to the leader of this term. */
    uint64_t
        batched; /* A leader sends entries up to here; later ones wait for the batch to fill. */

    bool dirty;   /* Something was written since the last sync began. */
    bool syncing; /* At most one sync at a time: what comes meanwhile shares the next. */
    uint64_t sync_token;
    uint64_t sync_began_ns; /* SIM_NEVER: nobody asks. */
    uint64_t sync_last;     /* What it will make durable: entries up to here, */
    uint64_t sync_hard;     /* and this version of the hard state, */
    uint64_t sync_snapshot; /* and the snapshot up to this index; 0: none. */

    uint32_t transfer_target; /* A leader about to hand over; else SIM_NOBODY. */
};

static inline bool raft_has_bug(const struct raft *r, enum raft_bug bug)
{
    return SIM_UNLIKELY(r->bugs >> bug & 1);
}

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
uint32_t raft_place(const struct raft *r, uint32_t node);

/* ---- raft.c ------------------------------------------------------------------------------ */

void raft_step(struct raft *r, struct sim_env *env, const struct sim_event *event);

/* ---- election.c -------------------------------------------------------------------------- */

/* Draw a new election timeout and start it. */
void raft_restart_election_timer(struct raft *r, struct sim_env *env);
void raft_on_election_timer(struct raft *r, struct sim_env *env);
/* Seek leadership: by the rules of PreVote, if that is on. */
void raft_campaign(struct raft *r, struct sim_env *env);
/* Follow `leader` (or nobody yet) in `term`, which is at least our own. */
void raft_become_follower(struct raft *r, struct sim_env *env, uint64_t term, uint32_t leader);
void raft_become_leader(struct raft *r, struct sim_env *env);
/* The candidate's own vote is durable: count it and ask for the others. */
void raft_solicit_votes(struct raft *r, struct sim_env *env);
void raft_on_vote_request(struct raft *r, struct sim_env *env, const struct sim_event *event);
void raft_on_vote_reply(struct raft *r, struct sim_env *env, const struct sim_event *event);
void raft_on_timeout_now(struct raft *r, struct sim_env *env, const struct sim_event *event);

/* ---- replication.c ----------------------------------------------------------------------- */

/* A new leader: nothing is known of the others. */
void raft_start_replication(struct raft *r, struct sim_env *env);
void raft_on_heartbeat_timer(struct raft *r, struct sim_env *env);
/* A peer has become a member: send it entries from now on. */
void raft_welcome(struct raft *r, struct sim_env *env, uint32_t place);
/* Send the entries that may be sent to every peer that is not being probed. */
void raft_replicate(struct raft *r, struct sim_env *env);
/* An entry of a client was appended: send it, perhaps together with later ones. */
void raft_batch_add(struct raft *r, struct sim_env *env);
/* Send whatever waits. */
void raft_batch_end(struct raft *r, struct sim_env *env);
void raft_on_append(struct raft *r, struct sim_env *env, const struct sim_event *event);
void raft_on_append_reply(struct raft *r, struct sim_env *env, const struct sim_event *event);
/* A message of the leader of `term` has come: follow it. False if it is of an older one. */
SIM_NODISCARD bool raft_hear_leader(struct raft *r, struct sim_env *env, uint32_t leader,
                                    uint64_t term);
/* Tell the leader what is verified and durable; clears what is no longer due. */
void raft_acknowledge(struct raft *r, struct sim_env *env);
/* The prefix up to `index` is that of this term's leader: acknowledge it, now or when durable. */
void raft_verify_to(struct raft *r, uint64_t index);
/* A leader commits what a majority holds durably. */
void raft_advance_commit(struct raft *r, struct sim_env *env);

/* ---- client.c ---------------------------------------------------------------------------- */

void raft_on_operation(struct raft *r, struct sim_env *env, const struct sim_operation *operation);
/* Raise the commit index (never lowers it) and apply what is committed. */
void raft_commit_to(struct raft *r, struct sim_env *env, uint64_t index);

/* ---- transfer.c -------------------------------------------------------------------------- */

/* Begin to hand leadership to `target`, SIM_NOBODY: to the peer that lags least. */
void raft_transfer_start(struct raft *r, struct sim_env *env, uint32_t target);
/* If the target has all of the log: tell it to campaign. */
void raft_transfer_check(struct raft *r, struct sim_env *env);
/* Time is up: the target has not come to lead. */
void raft_on_transfer_timer(struct raft *r, struct sim_env *env);
/* A leader whose sync under way has taken longer than `slow_disk_bound` begins to hand over. */
void raft_watch_disk(struct raft *r, struct sim_env *env);

/* ---- read.c ------------------------------------------------------------------------------ */

/* A leader has a read that needs no entry: answer it now or later. False if it is none. */
SIM_NODISCARD bool raft_read(struct raft *r, struct sim_env *env,
                             const struct sim_operation *operation);
/* Some wait: answer those that may be. */
void raft_reads_answer(struct raft *r, struct sim_env *env);
/* A leader begins, leads no more, sends heartbeats. */
void raft_reads_start(struct raft *r);
void raft_reads_deposed(struct raft *r, struct sim_env *env, uint32_t leader);
void raft_reads_heartbeat(struct raft *r, struct sim_env *env);
/* Until the next round is answered there is no lease. */
void raft_lease_ends(struct raft *r);
/* Has this voter promised to vote for nobody, for a while? */
bool raft_has_promised(const struct raft *r, const struct sim_env *env);
void raft_on_heartbeat(struct raft *r, struct sim_env *env, const struct sim_event *event);
void raft_on_heartbeat_reply(struct raft *r, struct sim_env *env, const struct sim_event *event);

/* ---- snapshot.c -------------------------------------------------------------------------- */

/* Take a snapshot of what is applied: enough has been since the last one. Puts it off while a
 * peer needs the last one. */
void raft_snapshot_take(struct raft *r, struct sim_env *env);
/* Say when the next one is due, after a change of the settings or a new snapshot. */
void raft_snapshot_schedule(struct raft *r);
/* The one written last is durable: install it if it was received, and discard what it covers. */
void raft_snapshot_durable(struct raft *r, struct sim_env *env);
/* Read the newest good one at boot. False if the node must not go on. */
SIM_NODISCARD bool raft_snapshot_recover(struct raft *r, struct sim_env *env);
/* Is a received snapshot being written? Then the node does not campaign. */
bool raft_snapshot_installing(const struct raft *r);
/* Send a chunk to a peer that needs entries which are no longer in the log. */
void raft_snapshot_send(struct raft *r, struct sim_env *env, uint32_t place);
/* A peer that was sent the snapshot has acknowledged its `match`. */
void raft_snapshot_caught_up(struct raft *r, struct sim_env *env, uint32_t place);
void raft_on_install_snapshot(struct raft *r, struct sim_env *env, const struct sim_event *event);
void raft_on_install_reply(struct raft *r, struct sim_env *env, const struct sim_event *event);

/* ---- membership.c ------------------------------------------------------------------------ */

#define RAFT_CONFIGURATION_BYTES 32

static inline const struct raft_configuration *raft_in_force(const struct raft *r)
{
    uint32_t last = r->membership.count - 1;
    while (raft_has_bug(r, RAFT_R24) && last > 0 && r->membership.list[last].index > r->applied) {
        last--;
    }
    return &r->membership.list[last];
}

/* At boot: the first configuration. False without memory. */
SIM_NODISCARD bool raft_membership_start(struct raft *r, struct sim_env *env);
/* The last of the list, and whom we bring up to date for the next one, decide who counts and who
 * is sent entries. */
void raft_put_in_force(struct raft *r, struct sim_env *env);
/* May this node seek leadership? */
bool raft_may_campaign(const struct raft *r);
/* False for a configuration that nobody can have made. */
bool raft_entry_is_valid(const struct raft *r, const struct raft_entry *entry);
/* The log has a configuration at `index`; it ends before `from`; it begins after `index`. */
SIM_NODISCARD bool raft_membership_appended(struct raft *r, struct sim_env *env,
                                            const struct raft_entry *entry, uint64_t index);
void raft_membership_truncated(struct raft *r, struct sim_env *env, uint64_t from);
void raft_membership_compacted(struct raft *r, uint64_t index);
/* The configuration as of `index`, in a snapshot; false for what nobody can have made. */
void raft_membership_encode(const struct raft *r, uint64_t index,
                            uint8_t bytes[RAFT_CONFIGURATION_BYTES]);
SIM_NODISCARD bool raft_membership_restore(struct raft *r, struct sim_env *env, uint64_t index,
                                           const uint8_t bytes[RAFT_CONFIGURATION_BYTES]);

/* ---- reconfigure.c ----------------------------------------------------------------------- */

void raft_on_membership_command(struct raft *r, struct sim_env *env, const struct sim_event *event);
/* A leader that is busy with it: go on as far as possible. */
void raft_membership_step(struct raft *r, struct sim_env *env);
/* A leader leads no more. */
void raft_membership_deposed(struct raft *r, struct sim_env *env);

/* ---- log.c ------------------------------------------------------------------------------- */

static inline const struct raft_entry *raft_entry_at(const struct raft *r, uint64_t index)
{
    assert(index >= r->log.first);
    assert(index <= r->log.last);
    const uint64_t chunk = (index - 1) / RAFT_CHUNK_ENTRIES - r->log.chunk_base;
    return &r->log.chunks[chunk][(index - 1) % RAFT_CHUNK_ENTRIES];
}

/* Term of an entry, or of the one before the first; 0 before all. */
static inline uint64_t raft_term_at(const struct raft *r, uint64_t index)
{
    if (SIM_UNLIKELY(index < r->log.first)) {
        assert(index + 1 == r->log.first || index == 0);
        return index == 0 ? 0 : r->log.before_term;
    }
    return raft_entry_at(r, index)->term;
}

static inline uint64_t raft_last_term(const struct raft *r)
{
    return raft_term_at(r, r->log.last);
}

/* Append an entry in memory and on disk. False if the node has halted, or has no memory. */
SIM_NODISCARD bool raft_log_append(struct raft *r, struct sim_env *env,
                                   const struct raft_entry *entry);
void raft_log_truncate(struct raft *r, struct sim_env *env, uint64_t from);
/* Discard the entries before `first`, which the durable snapshot covers. */
void raft_log_discard(struct raft *r, struct sim_env *env, uint64_t first);
/* Drop the whole log: it goes on after entry `index` of `term`. */
void raft_log_restart(struct raft *r, struct sim_env *env, uint64_t index, uint64_t term);
/* Read the log from disk at boot, after the snapshot. False if the node must not go on with it. */
SIM_NODISCARD bool raft_log_recover(struct raft *r, struct sim_env *env);

/* ---- storage.c --------------------------------------------------------------------------- */

/* How a record is found at boot. */
enum raft_record { RAFT_RECORD_GOOD, RAFT_RECORD_LOST, RAFT_RECORD_ROTTEN };

/* The last word of a record: a checksum of what is before it, made with `salt`, under a byte
 * that is never 0. */
void raft_record_seal(uint8_t *record, uint32_t size_bytes, uint64_t salt);
enum raft_record raft_record_check(const uint8_t *record, uint32_t found_bytes, uint32_t size_bytes,
                                   uint64_t salt);

/* (term, vote) have changed. */
void raft_hard_changed(struct raft *r);
/* Write them, before the entries that may depend on them. */
void raft_hard_write(struct raft *r, struct sim_env *env);
static inline void raft_hard_save(struct raft *r, struct sim_env *env)
{
    if (SIM_UNLIKELY(r->hard_written != r->hard_version || r->vote_owed)) {
        raft_hard_write(r, env);
    }
}
SIM_NODISCARD bool raft_hard_recover(struct raft *r, struct sim_env *env);
/* The end of every step. */
void raft_settle(struct raft *r, struct sim_env *env);
void raft_on_synced(struct raft *r, struct sim_env *env, const struct sim_event *event);
void raft_halt(struct raft *r, struct sim_env *env);

/* ---- message.c --------------------------------------------------------------------------- */

#define RAFT_MAX_ENTRIES 256 /* In one message that we send. */
#define RAFT_OPERATION_BYTES SIM_OPERATION_BYTES
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
/* False if no node can have made it. */
bool raft_decode_operation(struct sim_operation *operation,
                           const uint8_t bytes[RAFT_OPERATION_BYTES]);
/* Read entry `i` of a received append_entries. */
bool raft_decode_entry(struct raft_entry *entry, const uint8_t *entries, uint32_t i);

#endif
