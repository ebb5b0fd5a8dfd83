/* The node interface: what an implementation of a protocol is compiled against.
 *
 * A node kind is a constant table. A node does no I/O and has no global state: it is given
 * one event and an environment to ask for effects. Its state is one zeroed block of
 * `state_bytes`, and what it gets from sim_alloc(); a crash takes both, and what its disk
 * had not synced. nodes/echo/ is the commented example.
 *
 * Messages and disk records are blocks of bytes: encode with sim_put64() and its kin
 * (sim/base.h), so that every architecture sees the same bytes; never copy a struct. */
#ifndef SIM_NODE_H
#define SIM_NODE_H

#include "sim/operation.h"

struct sim_env; /* The node's window on its world; valid only during the call. */

#define SIM_NOBODY UINT32_MAX /* No node; also "no vote". */
#define SIM_TIMERS_MAX 8
#define SIM_FACTS_MAX 12
#define SIM_SETTINGS_MAX 40
#define SIM_FILES_MAX 4

/* ---- Answers to client operations ---------------------------------------------------- */

enum sim_answer {
    SIM_ANSWER_OK,         /* Done; what was read is as in sim/operation.h. */
    SIM_ANSWER_FAILED,     /* Definitely not done (CAS saw another value). */
    SIM_ANSWER_NOT_LEADER, /* Not done here; `value` names a better node or SIM_NOBODY. */
    SIM_ANSWER_REFUSED,    /* Definitely not done, try elsewhere or later (no quorum, ...). */
};

/* ---- Events ------------------------------------------------------------------------- */

enum sim_event_kind {
    SIM_EVENT_BOOT,      /* Started: the state is zeroed, the disk is what survived. */
    SIM_EVENT_MESSAGE,   /* from, message_kind, data, size_bytes */
    SIM_EVENT_TIMER,     /* timer */
    SIM_EVENT_SYNCED,    /* token, status: the disk finished a sim_disk_sync() */
    SIM_EVENT_OPERATION, /* operation */
    SIM_EVENT_RESUME,    /* A pause is over; time has jumped. */
    SIM_EVENT_CONFIGURE, /* An administrator changed a setting: read settings again. */
    SIM_EVENT_COMMAND,   /* A scenario asks: command (index in the kind's table), with peers */
};

struct sim_event {
    uint32_t kind; /* enum sim_event_kind */
    uint32_t from; /* The sender; of a command the first of its peers, SIM_NOBODY if none. */
    uint32_t message_kind;
    uint32_t size_bytes;
    const uint8_t *data; /* Borrowed for the call. May be corrupt: check every length. */
    uint32_t timer;
    uint32_t command;
    uint64_t peers; /* Of a command: a bit for each place in the group, if below 64. */
    uint64_t token;
    uint32_t status;                       /* enum sim_status */
    const struct sim_operation *operation; /* Borrowed for the call. */
};

/* ---- Effects ------------------------------------------------------------------------ */

uint32_t sim_self(const struct sim_env *env);                     /* This node's number, from 0. */
uint32_t sim_group_size(const struct sim_env *env);               /* Nodes of this node's group, */
uint32_t sim_group_member(const struct sim_env *env, uint32_t i); /* by place in it. */

/* Send a copy of `data`. Lost or late messages are the network's business: a sender cannot
 * know. `message_kind` is an index into the kind's message_names. To oneself: a bug. */
void sim_send(struct sim_env *env, uint32_t to, uint32_t message_kind, const void *data,
              uint32_t size_bytes);

/* Set timer 0 .. SIM_TIMERS_MAX - 1 to fire once after a delay of the node's own monotonic
 * clock, replacing what it was set to. Cheap to push back again and again. */
void sim_timer_set(struct sim_env *env, uint32_t timer, uint64_t delay_ns);
void sim_timer_cancel(struct sim_env *env, uint32_t timer);

uint64_t sim_monotonic_ns(const struct sim_env *env);  /* Drifts, never steps back. */
uint64_t sim_wall_ns(const struct sim_env *env);       /* Drifts, steps, is synchronised. */
uint64_t sim_wall_error_ns(const struct sim_env *env); /* The bound the clock claims. */

/* The node's own stream. */
uint32_t sim_random_u32(struct sim_env *env);
uint64_t sim_random_between(struct sim_env *env, uint64_t low, uint64_t high);

/* Memory that a crash takes away; zeroed. NULL when the world is full, which ends the run
 * with a clear message as soon as the node returns: a node may simply return. */
SIM_NODISCARD void *sim_alloc(struct sim_env *env, size_t size_bytes);
void sim_release(struct sim_env *env, void *block);

/* The same for what is written once and then seldom, such as the entries of a log: snapshots of
 * the world copy only what changed of it. Whoever writes to it says so, before or after, but in
 * the same event; a new block is good to write to in the event that it was got in. */
SIM_NODISCARD void *sim_alloc_cold(struct sim_env *env, size_t size_bytes);
void sim_will_write(struct sim_env *env, const void *memory, size_t size_bytes);

/* The disk: files of numbered records, written to a cache and made durable by a sync.
 *
 * `label` says what a record is, for the invariants alone: (term, digest) of a log entry,
 * (term, vote + 1 or 0) of a hard state, (index, term) of a snapshot. A node cannot read
 * labels back; after a crash it has the bytes, perhaps torn or corrupt.
 *
 * Positions of a file are contiguous: write at or below sim_disk_end(), or anywhere into an
 * empty file. Writing an existing position replaces the record. */
struct sim_label {
    uint64_t a;
    uint64_t b;
};

/* SIM_OK, or SIM_ENOSPC / SIM_EIO with nothing changed. */
SIM_NODISCARD enum sim_status sim_disk_write(struct sim_env *env, uint32_t file, uint64_t position,
                                             const void *data, uint32_t size_bytes,
                                             struct sim_label label);
void sim_disk_truncate(struct sim_env *env, uint32_t file, uint64_t from);  /* Drop >= from. */
void sim_disk_discard(struct sim_env *env, uint32_t file, uint64_t before); /* Drop < before. */
/* Make durable all that was written before this call; SIM_EVENT_SYNCED(token) says when, in
 * the order of the calls. After a failed sync what it covered is in doubt. */
void sim_disk_sync(struct sim_env *env, uint64_t token);
uint64_t sim_disk_begin(const struct sim_env *env, uint32_t file); /* First position. */
uint64_t sim_disk_end(const struct sim_env *env, uint32_t file);   /* One past the last. */
/* The record's bytes, NULL if there is none (a hole left by a fault). Valid until changed. */
const uint8_t *sim_disk_read(const struct sim_env *env, uint32_t file, uint64_t position,
                             uint32_t *size_bytes);

/* Answer an operation this node was given, or heard of from another node. At most one
 * answer reaches the client; a late or second one is dropped. */
void sim_reply(struct sim_env *env, uint32_t client, uint64_t sequence, enum sim_answer answer,
               uint64_t value);
/* The same with an answer of any number of words: a list, what a transaction read. */
void sim_reply_words(struct sim_env *env, uint32_t client, uint64_t sequence,
                     enum sim_answer answer, const uint64_t *words, uint32_t count);

/* Publish a fact: `fact` is an index into the kind's facts. Unchanged values cost nothing. */
void sim_publish(struct sim_env *env, uint32_t fact, int64_t value);

/* Say that the state machine applied log entry `index`. `operation` is what it carried (NULL
 * for the protocol's own entries), `took_effect` whether state changed or was read for the
 * first time for this (client, sequence): a session's duplicate did not. To be said before the
 * next one is applied. */
void sim_applied(struct sim_env *env, uint64_t index, uint64_t term, uint64_t digest,
                 const struct sim_operation *operation, bool took_effect);

/* Say that a client's read is answered from the state as of log entry `index`, without an entry of
 * its own; `leased`: without asking any other node, because no other can lead at this moment. */
void sim_read_served(struct sim_env *env, const struct sim_operation *operation, uint64_t index,
                     bool leased);

/* Say that a leader tells `target` to take over its leadership, at once and whatever others say. */
void sim_handed_over(struct sim_env *env, uint32_t target);

/* ---- Settings, facts, bugs ---------------------------------------------------------- */

enum sim_setting_type {
    SIM_SETTING_BOOL,
    SIM_SETTING_COUNT,
    SIM_SETTING_DURATION,       /* nanoseconds */
    SIM_SETTING_DURATION_RANGE, /* nanoseconds, low .. high: "150ms..300ms" */
    SIM_SETTING_SIZE,           /* bytes */
    SIM_SETTING_CHOICE,         /* index into choices */
};

struct sim_value { /* Scalars have low == high. */
    int64_t low;
    int64_t high;
};

struct sim_setting {
    const char *name;          /* The field's own name: "election_timeout". */
    uint32_t type;             /* enum sim_setting_type */
    struct sim_value standard; /* The default. */
    int64_t minimum;
    int64_t maximum;
    const char *const *choices; /* NULL-terminated, for SIM_SETTING_CHOICE. */
    const char *summary;        /* A sentence. */
};

int64_t sim_setting(const struct sim_env *env, uint32_t setting); /* Its low value. */
struct sim_value sim_setting_range(const struct sim_env *env, uint32_t setting);
bool sim_bug(const struct sim_env *env, uint32_t bug); /* Is this planted bug on? */

struct sim_fact {
    const char *name;          /* "role", "term", "commit", ... */
    const char *const *values; /* NULL-terminated names of 0, 1, 2, ..., or NULL: a number. */
};

/* The `values` of a fact that is the number of a node, -1 for none: no names, as far as anybody
 * counts them. */
extern const char *const sim_fact_is_node[];

struct sim_planted_bug {
    const char *name;    /* The catalogue's: "R01_old_term_commit". */
    const char *summary; /* A sentence: what the node does wrong. */
    const char *source;  /* Where the bug was met. */
    const char *check;   /* The check meant to catch it, by its name in a scenario. */
};

/* ---- What invariants may see -------------------------------------------------------- */

enum sim_role { SIM_ROLE_NONE, SIM_ROLE_FOLLOWER, SIM_ROLE_CANDIDATE, SIM_ROLE_LEADER };

struct sim_entry_id {
    uint64_t term;
    uint64_t digest; /* Of the entry's content; equal content, equal digest, on every node. */
};

struct sim_view {
    uint64_t term;
    uint32_t vote;   /* SIM_NOBODY if none. */
    uint32_t role;   /* enum sim_role; a pre-candidate is a follower. */
    bool asks_first; /* It raises the term only if a majority says that it may win (PreVote). */
    uint64_t first_index; /* Of the log in memory; last_index + 1 if it is empty. */
    uint64_t last_index;
    uint64_t commit_index;
    uint64_t applied_index;
    uint64_t snapshot_index; /* 0 if none. */
    uint64_t snapshot_term;
    uint64_t snapshot_config_index; /* Of the entry with the configuration that the snapshot has. */
    const uint32_t *voters;         /* Of the configuration in force; node numbers. */
    uint32_t voter_count;
    /* While two configurations are in force at once (joint consensus): who else must agree, by
     * a majority of its own. 0 otherwise. */
    uint32_t old_voter_count;
    const uint32_t *old_voters;
    uint64_t config_index; /* Of the entry with that configuration; 0 if it is the first one. */
};

struct sim_progress { /* What a leader knows of a peer: indices of log entries. */
    uint64_t match;   /* The peer's log is known to be equal up to here. */
    uint64_t next;    /* The next entry to send it. */
};

/* Offered by kinds that are a replicated log, so that one set of invariants judges all. */
struct sim_consensus {
    uint32_t log_file;      /* Disk file whose position is the log index. */
    uint32_t hard_file;     /* Disk file whose record 0 is (term, vote). */
    uint32_t snapshot_file; /* Disk file whose records are copies of a snapshot: (index, term). */
    void (*view)(const void *state, struct sim_view *view); /* Writes all of it. */
    /* False if `index` is not in the log (compacted, or beyond its end). */
    bool (*entry)(const void *state, uint64_t index, struct sim_entry_id *id);
    /* A leader's knowledge of nodes first .. first + count - 1, in that order; leaves those as
     * they are of which it has none. One call for all, since it is made after every event. */
    void (*progress)(const void *state, uint32_t first, uint32_t count, struct sim_progress *peers);
    /* Of all that applied_index entries have made of the state machine, sessions included: equal
     * states, equal digests, on every node. NULL: not told. */
    uint64_t (*state_digest)(const void *state);
};

/* A register or a list that a node holds. */
struct sim_item {
    bool list;
    uint64_t key;
    const uint64_t *words; /* A register's value, or a list's elements. */
    uint64_t count;        /* Of a register 1. */
};

/* Offered by kinds that keep all the registers and lists of sim/operation.h on each node. */
struct sim_replica {
    size_t (*count)(const void *state); /* How many items; a register of value 0 may be one. */
    void (*item)(const void *state, size_t i, struct sim_item *item);
    /* Has the node gone out of service for good, for its disk or the like? NULL: never. */
    bool (*halted)(const void *state);
};

/* ---- The kind ----------------------------------------------------------------------- */

struct sim_node_kind {
    const char *name;
    const char *summary; /* A sentence for `fallacy list nodes`. */
    size_t state_bytes;
    void (*event)(void *state, struct sim_env *env, const struct sim_event *event);
    const char *const *message_names; /* NULL-terminated. */
    const char *const *timer_names;   /* NULL-terminated; NULL: they have none. */
    const struct sim_setting *settings;
    uint32_t setting_count;
    const struct sim_fact *facts; /* By convention "role" and "term" come first, if any. */
    uint32_t fact_count;
    const struct sim_planted_bug *bugs;
    uint32_t bug_count;
    const char *const *commands; /* NULL-terminated, or NULL: "transfer_leadership", ... */
    const struct sim_consensus *consensus; /* NULL if it is not one. */
    const struct sim_replica *replica;     /* NULL if it is not one. */
    bool streams; /* Messages travel on streams by default, not as datagrams. */
};

#endif
