/* What the invariants remember of a run: the ghost of each group that is a replicated log,
 * and of each of its nodes. Shared by the files of sim/check/ and by nobody else.
 *
 * A group's ghost outlives crashes; the part of a node's ghost that mirrors its memory starts
 * anew with every incarnation. All of it is in the world's arena. */
#ifndef SIM_CHECK_GHOST_H
#define SIM_CHECK_GHOST_H

#include "sim/world_internal.h"

/* ---- A map from two numbers to a third that is never 0 ---------------------------------- */

struct sim_ghost_slot {
    uint64_t a;
    uint64_t b;
    uint64_t value; /* 0: the slot is free. */
};

struct sim_ghost_map {
    struct sim_ghost_slot *slots;
    size_t capacity; /* A power of two, or 0. */
    size_t count;
};

/* 0 if (a, b) is not in the map. */
uint64_t sim_ghost_get(const struct sim_ghost_map *map, uint64_t a, uint64_t b);
/* Add or replace; false, with the world told, if there is no memory. */
bool sim_ghost_put(struct sim_world *world, struct sim_ghost_map *map, uint64_t a, uint64_t b,
                   uint64_t value);

/* ---- A group ---------------------------------------------------------------------------- */

#define SIM_GHOST_UNKNOWN UINT64_MAX /* The term of a previous entry that nobody could see. */

/* What is known of one log index. Terms come and go at an index; nearly always there is one,
 * which is kept here, and the others are in `others`. */
struct sim_ghost_index {
    uint64_t term; /* The first entry seen here, */
    uint64_t digest;
    uint64_t previous_term; /* and the term of the entry before it. */
    uint64_t decided_term;  /* The first entry that a leader committed or a node applied. */
    uint64_t decided_digest;
    uint64_t committed_ns;    /* When a leader first committed it; 0: none has. */
    uint32_t seen_by;         /* Node + 1; 0: nothing seen here. */
    uint32_t decided_by : 29; /* Node + 1; 0: nothing decided here. */
    uint32_t acked : 1;       /* A client was told that the operation in it is done. */
    uint32_t snapshot : 1;    /* Some node's snapshot ends here. */
    uint32_t effect : 1;      /* In `effects`: what was decided took effect here. */
};

#define SIM_GHOST_PAGE 219

struct sim_ghost_page {
    uint64_t number; /* First index / SIM_GHOST_PAGE. */
    struct sim_ghost_index at[SIM_GHOST_PAGE];
};

struct sim_ghost_entry { /* An entry of another term than the first seen at its index. */
    uint64_t digest;
    uint64_t previous_term;
    uint32_t seen_by;
};

struct sim_ghost_leader {
    uint64_t term;
    uint64_t since_ns;
    uint64_t commit_high; /* The highest index it has committed as leader. */
    uint32_t node;
};

struct sim_ghost_voters {
    uint32_t *nodes;
    size_t capacity;
    uint32_t count;
};

struct sim_ghost_config { /* A configuration that some node has counted by. */
    uint64_t index;
    struct sim_entry_id id;
    uint32_t node;                     /* The first one that did. */
    struct sim_ghost_voters voters[2]; /* New and, while both are in force, old. */
};

struct sim_ghost_candidacy {
    uint64_t last_term;
    uint64_t last_index;
};

struct sim_ghost_group {
    uint32_t first_node;
    uint32_t node_count;
    const struct sim_consensus *consensus;
    uint64_t events; /* Handled by its nodes. */

    struct sim_ghost_map pages;  /* index / SIM_GHOST_PAGE -> page */
    struct sim_ghost_page *page; /* The last one used. */
    struct sim_ghost_map others; /* (index, term) -> place in other_entries + 1 */
    struct sim_ghost_entry *other_entries;
    size_t other_count;
    size_t other_capacity;

    struct sim_ghost_map leader_places; /* term -> place in leaders + 1 */
    struct sim_ghost_leader *leaders;   /* In the order of their elections. */
    size_t leader_count;
    size_t leader_capacity;
    struct sim_ghost_map candidacy_places; /* (node, term) -> place in candidacies + 1 */
    struct sim_ghost_candidacy *candidacies;
    size_t candidacy_count;
    size_t candidacy_capacity;
    struct sim_ghost_map votes; /* (node and its disk's life, term) -> durable vote + 1 */

    struct sim_ghost_map effects;     /* (client, sequence) -> index where it took effect */
    struct sim_ghost_map acked_early; /* (client, sequence) -> 1 + the node that answered */
    size_t acked_early_count;
    uint64_t acked_high; /* The highest index with an acknowledged operation. */
    /* Of the leader of the latest term that committed something: those of its configuration,
     * and of the old one while both were in force. */
    struct sim_ghost_voters voters[2];
    uint64_t voters_term;
    struct sim_ghost_config *configs; /* In the order in which they were met. */
    size_t config_count;
    size_t config_capacity;
    uint64_t config_high; /* The highest index of one. */
    /* Where a snapshot ends: (index, 0) -> digest, (index, 1) -> node + 1 */
    struct sim_ghost_map states;
};

/* ---- A node ----------------------------------------------------------------------------- */

struct sim_ghost_list { /* Positions of a log, in no order. */
    uint64_t *positions;
    size_t count;
    size_t capacity;
};

struct sim_ghost_node {
    struct sim_ghost_group *group; /* NULL: not a replicated log. */
    const struct sim_consensus *consensus;

    /* Of this incarnation. */
    uint32_t incarnation; /* SIM_NOBODY before the first. */
    bool attention;       /* Look closer at its next event, whatever its view says: */
    bool fresh;           /* it has booted, */
    bool disk_changed;    /* or its disk has, in a way that more than one record decides, */
    bool acked_changed;   /* or at an index with an acknowledged operation. */
    bool applied_known;
    bool failed;                 /* Its code has failed: its state is not to be trusted. */
    struct sim_view seen;        /* Its last view; voters are not kept. */
    struct sim_entry_id last_id; /* While it leads: the entry at seen.last_index, */
    bool last_known;             /* if there is one. */
    uint64_t applied;            /* The last index applied. */
    uint64_t scanned_last;       /* Of the last scan of its log in memory. */
    uint64_t scanned_commit;
    struct sim_entry_id scanned_id; /* The entry at scanned_last. */
    /* While it leads, what it knows of its peers by place in the group: as last seen, and now. */
    struct sim_progress *peers;
    struct sim_progress *peers_now;
    /* By place: the term it was in when it last got a message of that one. */
    uint64_t *heard_terms;
    /* Whom it counts, and whom it counted before its last change of configuration. */
    struct sim_ghost_voters voters[2];
    struct sim_ghost_voters voters_before[2];

    /* Of all its incarnations. */
    uint64_t term_high;      /* The highest term it has been in, in memory or on disk. */
    uint64_t durable_term;   /* The last one. */
    uint64_t durable_high;   /* The highest index that was ever durable. */
    uint64_t hole;           /* The lowest missing position of its durable log; 0: none. */
    uint64_t past_hole;      /* A position beyond it that became durable later; 0: none. */
    bool gap;                /* A record became durable without the one before it. */
    uint64_t suspect;        /* The first durable entry that may not fit the one before it; 0: */
    uint64_t suspect_last;   /* none, and the last. */
    uint64_t suspect_errors; /* Failed disk requests when it was seen. */
    struct sim_ghost_list unreadable; /* Torn or missing when it last crashed. */
    struct sim_ghost_list rotten;     /* Unreadable, but whole at an earlier crash. */
    uint64_t snapshot_last;           /* The last snapshot that became durable. */
    uint64_t forgiven;                /* Indices up to this were on a disk that was wiped. */
    uint32_t disk_life;               /* How often its disk was wiped. */
    bool durable_seen;                /* Something has become durable in this life of the disk. */
};

struct sim_checks {
    struct sim_world *world;
    uint64_t enabled;
    uint64_t watching; /* Enabled and not violated yet: only these do work. */
    struct sim_ghost_node *nodes;
    uint32_t node_count; /* Servers. */
    bool finished;
    struct sim_ghost_group *groups;
    uint32_t group_count;
    struct sim_check_state states[SIM_CHECK_COUNT];
};

/* ---- check.c ------------------------------------------------------------------------------ */

#define SIM_CHECK_BIT(check) (UINT64_C(1) << (check))

static inline bool sim_check_watched(const struct sim_checks *checks, uint32_t check)
{
    return checks->watching >> check & 1;
}

/* Latch a violation seen at a node, unless the check is off or has one already. */
void sim_check_violate(struct sim_checks *checks, uint32_t check, uint32_t node, const char *format,
                       ...) __attribute__((cold, format(printf, 4, 5)));
/* The same for something seen only later: when it happened, and the record that shows it. */
void sim_check_violate_at(struct sim_checks *checks, uint32_t check, uint32_t node, uint64_t at_ns,
                          uint64_t event, const char *format, ...)
    __attribute__((format(printf, 6, 7)));
/* A verdict that says more than violated or not, and why; stuck is a violation, too. */
void sim_check_judge(struct sim_checks *checks, uint32_t check, uint32_t verdict,
                     const char *detail);

static inline void sim_check_exercise(struct sim_checks *checks, uint32_t check)
{
    checks->states[check].exercised++;
}

const char *sim_check_node_name(const struct sim_checks *checks, uint32_t node);

/* ---- ghost.c ------------------------------------------------------------------------------ */

/* NULL if nothing is known there. */
struct sim_ghost_index *sim_ghost_find(const struct sim_ghost_group *group, uint64_t index);
/* Makes room, and is NULL only without memory. The page is nearly always that of the last call. */
struct sim_ghost_page *sim_ghost_page_at(struct sim_world *world, struct sim_ghost_group *group,
                                         uint64_t number);
static inline struct sim_ghost_index *sim_ghost_at(struct sim_world *world,
                                                   struct sim_ghost_group *group, uint64_t index)
{
    const uint64_t number = index / SIM_GHOST_PAGE;
    struct sim_ghost_page *page = group->page;
    if (SIM_UNLIKELY(!page || page->number != number)) {
        page = sim_ghost_page_at(world, group, number);
    }
    return page ? &page->at[index % SIM_GHOST_PAGE] : NULL;
}
/* Note the first decision at an index; answers whether this is (still) the one. */
bool sim_ghost_decide(struct sim_ghost_index *known, struct sim_entry_id id, uint32_t node);

void sim_ghost_start_anew(struct sim_ghost_node *ghost, uint32_t incarnation);

/* The ghost of a node, started anew if the node has booted since; NULL if it is no
 * replicated log. */
static inline struct sim_ghost_node *sim_ghost_node_now(struct sim_checks *checks, uint32_t node)
{
    if (SIM_UNLIKELY(node >= checks->node_count || !checks->nodes[node].group)) {
        return NULL;
    }
    struct sim_ghost_node *ghost = &checks->nodes[node];
    const uint32_t incarnation = checks->world->nodes[node].incarnation;
    if (SIM_UNLIKELY(ghost->incarnation != incarnation)) {
        sim_ghost_start_anew(ghost, incarnation);
    }
    return ghost;
}

/* Grow an array by one zeroed element, with the world told if there is no memory. */
bool sim_ghost_grow(struct sim_world *world, void *array, size_t *capacity, size_t *count,
                    size_t element_bytes);

/* The durable snapshot (index, term): of several copies the newest, for a crash may leave them
 * different. False if there is none. */
bool sim_ghost_snapshot(const struct sim_checks *checks, uint32_t node, struct sim_label *label);
/* Notice a wiped disk, if it was. */
void sim_ghost_note_wipe(struct sim_checks *checks, uint32_t node);
/* Does a node hold an entry durably, in its log or under its snapshot? A wiped disk is asked
 * only for what came after. */
bool sim_ghost_holds(struct sim_checks *checks, uint32_t node, uint64_t index,
                     struct sim_entry_id id);
/* How many of these nodes do; their names are appended to `names` if it is not NULL. */
uint32_t sim_ghost_holders(struct sim_checks *checks, const uint32_t *voters, uint32_t voter_count,
                           uint64_t index, struct sim_entry_id id, char names[SIM_DETAIL_MAX]);
static inline uint32_t sim_ghost_majority(uint32_t voter_count)
{
    return voter_count / 2 + 1;
}

/* The term and index at the end of a node's log in memory, or of its durable log. False if
 * it cannot be told. */
bool sim_ghost_last(const struct sim_ghost_node *ghost, const void *state,
                    const struct sim_view *view, struct sim_ghost_candidacy *last);
bool sim_ghost_durable_last(const struct sim_checks *checks, uint32_t node,
                            struct sim_ghost_candidacy *last);

/* ---- election.c: I1, I2, I3, I6, I14 -------------------------------------------------------- */
void sim_check_election(struct sim_checks *checks, uint32_t node, const struct sim_view *view);
void sim_check_hard_state(struct sim_checks *checks, uint32_t node, struct sim_label label);

/* ---- disruption.c: I23 ----------------------------------------------------------------------- */
/* A node has got a message. */
void sim_check_heard(struct sim_checks *checks, uint32_t node, uint32_t from);
/* It may have come to be a candidate, by a message of `from` or otherwise. */
void sim_check_candidacy(struct sim_checks *checks, uint32_t node, uint32_t from,
                         const struct sim_view *view);

/* ---- log.c: I4, I5 --------------------------------------------------------------------------- */
void sim_check_append_only(struct sim_checks *checks, uint32_t node, const struct sim_view *view);
/* A log entry has become durable; one may not fit what is before it; a sync is complete. */
void sim_check_durable_entry(struct sim_checks *checks, uint32_t node, uint64_t index,
                             struct sim_entry_id id);
void sim_check_suspect(struct sim_checks *checks, uint32_t node, uint64_t index);
void sim_check_suspects(struct sim_checks *checks, uint32_t node);
/* The logs in memory: what has changed since the last scan, or all, and all disks too. */
void sim_check_scan(struct sim_checks *checks, struct sim_ghost_group *group, bool whole);

/* ---- config.c: I15 --------------------------------------------------------------------------- */
void sim_check_config(struct sim_checks *checks, uint32_t node, const struct sim_view *view);
/* Both sets of a view. False without memory. */
bool sim_ghost_copy_voters(struct sim_world *world, struct sim_ghost_voters to[2],
                           const struct sim_view *view);

/* ---- continuity.c: I17 ----------------------------------------------------------------------- */
void sim_check_durable_log(struct sim_checks *checks, uint32_t node, enum sim_durable_kind kind,
                           uint64_t position, const struct sim_label *label);
void sim_check_disk(struct sim_checks *checks, uint32_t node);       /* After a sync or a crash. */
void sim_check_disk_left(struct sim_checks *checks, uint32_t node);  /* At a crash, */
void sim_check_disk_found(struct sim_checks *checks, uint32_t node); /* and at a boot. */
/* Has the record at an index rotted, and is it still there? */
bool sim_check_rotten(const struct sim_ghost_node *ghost, uint64_t index);

/* ---- snapshot.c: I16 ------------------------------------------------------------------------- */
void sim_check_snapshot(struct sim_checks *checks, uint32_t node, const struct sim_view *view);
/* A node has just applied the entry at `index`, or has the snapshot up to it: is its state the
 * one that a node had there before? */
void sim_check_state_at(struct sim_checks *checks, uint32_t node, uint64_t index);

/* ---- commit.c: I8, I9, I10, I11, I12 -------------------------------------------------------- */
void sim_check_commit(struct sim_checks *checks, uint32_t node, const struct sim_view *view);
void sim_check_progress(struct sim_checks *checks, uint32_t node, const struct sim_view *view);

/* ---- apply.c: I7, I13, I19 ------------------------------------------------------------------ */
/* Is the highest acknowledged operation safe, after what happened at `node`? */
void sim_check_acked_high(struct sim_checks *checks, struct sim_ghost_group *group, uint32_t node);
void sim_check_acked_all(struct sim_checks *checks, struct sim_ghost_group *group);

/* ---- convergence.c -------------------------------------------------------------------------- */
void sim_check_convergence(struct sim_checks *checks); /* At the end. */

/* ---- consistency.c -------------------------------------------------------------------------- */
void sim_check_consistency(struct sim_checks *checks); /* At the end. */

#endif
