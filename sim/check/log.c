/* Logs: I4 and I5.
 *
 * I4 leader_append_only: while a node leads a term its log does not shrink, and what was the
 *    last entry after its previous event is still there, unless compacted. A correct leader
 *    only appends; a restart or a step-down ends the leadership first. Chance to break: a
 *    leader's log has grown.
 * I5 log_matching: for every (index, term) ever seen, on disk or in memory, the digest and the
 *    term of the previous entry are always the same. This is Log Matching: if two logs with
 *    the same (index, term) differ at or below it, take the highest index where they do. There
 *    either the terms are equal and the digests differ, or the terms differ and the entry
 *    after it, equal in both, has two previous terms. It costs one look for each new entry
 *    instead of one for each pair of nodes, and it also catches an (index, term) that is made
 *    twice at different times. Only the one leader of a term makes entries of that term, each
 *    index once, so a correct Raft cannot break it; entries below a snapshot are dead, and
 *    what precedes them is not asked. What a crash or a failed sync left on a disk is not the
 *    node's choice: it is judged when the node has booted and taken it into memory. Chance to
 *    break: an entry seen at a second node. */
#include "sim/check/ghost.h"

#include <inttypes.h>

/* ---- I4 --------------------------------------------------------------------------------- */

static void check_still_there(struct sim_checks *checks, uint32_t node, const struct sim_view *view)
{
    const struct sim_ghost_node *ghost = &checks->nodes[node];
    const uint64_t index = ghost->seen.last_index;
    struct sim_entry_id id = {0, 0};
    if (view->last_index < index) {
        sim_check_violate(checks, SIM_CHECK_LEADER_APPEND_ONLY, node,
                          "%s, leader of term %" PRIu64 ", cut its own log from %" PRIu64
                          " to %" PRIu64 " entries",
                          sim_check_node_name(checks, node), view->term, index, view->last_index);
    } else if (ghost->last_known && index >= view->first_index &&
               (!ghost->consensus->entry(checks->world->nodes[node].state, index, &id) ||
                id.term != ghost->last_id.term || id.digest != ghost->last_id.digest)) {
        sim_check_violate(checks, SIM_CHECK_LEADER_APPEND_ONLY, node,
                          "%s, leader of term %" PRIu64 ", replaced entry %" PRIu64
                          " (term %" PRIu64 ") of its own log by one of term %" PRIu64,
                          sim_check_node_name(checks, node), view->term, index, ghost->last_id.term,
                          id.term);
    }
}

void sim_check_append_only(struct sim_checks *checks, uint32_t node, const struct sim_view *view)
{
    if (view->role != SIM_ROLE_LEADER || !sim_check_watched(checks, SIM_CHECK_LEADER_APPEND_ONLY)) {
        return;
    }
    struct sim_ghost_node *ghost = &checks->nodes[node];
    const struct sim_view *seen = &ghost->seen;
    const bool led = !ghost->fresh && seen->role == SIM_ROLE_LEADER && seen->term == view->term;
    if (led) {
        if (view->last_index > seen->last_index) {
            sim_check_exercise(checks, SIM_CHECK_LEADER_APPEND_ONLY);
        }
        check_still_there(checks, node, view);
    }
    if (!led || view->last_index != seen->last_index) {
        ghost->last_known = ghost->consensus->entry(checks->world->nodes[node].state,
                                                    view->last_index, &ghost->last_id);
    }
}

/* ---- I5 --------------------------------------------------------------------------------- */

/* Against what was seen there first. Returns the term that is known to precede the entry. */
static uint64_t compare_entries(struct sim_checks *checks, uint32_t node, uint64_t index,
                                const struct sim_entry_id *id, uint64_t previous_term,
                                uint64_t known_digest, uint64_t *known_previous, uint32_t seen_by)
{
    if (seen_by != node + 1) {
        sim_check_exercise(checks, SIM_CHECK_LOG_MATCHING);
    }
    if (known_digest != id->digest) {
        sim_check_violate(checks, SIM_CHECK_LOG_MATCHING, node,
                          "%s has another entry than %s at index %" PRIu64
                          ", both of term %" PRIu64,
                          sim_check_node_name(checks, node),
                          sim_check_node_name(checks, seen_by - 1), index, id->term);
    } else if (*known_previous == SIM_GHOST_UNKNOWN) {
        *known_previous = previous_term;
    } else if (previous_term != SIM_GHOST_UNKNOWN && previous_term != *known_previous) {
        const char *name = sim_check_node_name(checks, node);
        const char *other = sim_check_node_name(checks, seen_by - 1);
        sim_check_violate(
            checks, SIM_CHECK_LOG_MATCHING, node,
            "%s and %s agree on entry %" PRIu64 " of term %" PRIu64
            ", but the entry before it is of term %" PRIu64 " at %s and %" PRIu64 " at %s",
            name, other, index, id->term, previous_term, name, *known_previous, other);
    }
    return *known_previous;
}

/* A second, third, ... term at an index. */
static uint64_t note_other_term(struct sim_checks *checks, uint32_t node, uint64_t index,
                                const struct sim_entry_id *id, uint64_t previous_term)
{
    struct sim_world *world = checks->world;
    struct sim_ghost_group *group = checks->nodes[node].group;
    const uint64_t place = sim_ghost_get(&group->others, index, id->term);
    if (place != 0) {
        struct sim_ghost_entry *known = &group->other_entries[place - 1];
        return compare_entries(checks, node, index, id, previous_term, known->digest,
                               &known->previous_term, known->seen_by);
    }
    if (!sim_ghost_grow(world, &group->other_entries, &group->other_capacity, &group->other_count,
                        sizeof *group->other_entries)) {
        return SIM_GHOST_UNKNOWN;
    }
    group->other_entries[group->other_count - 1] = (struct sim_ghost_entry){
        .digest = id->digest, .previous_term = previous_term, .seen_by = node + 1};
    (void)sim_ghost_put(world, &group->others, index, id->term, group->other_count);
    return previous_term;
}

/* Judge an entry that a node has. Returns the term that is known to precede it. */
static uint64_t note_entry(struct sim_checks *checks, uint32_t node, uint64_t index,
                           const struct sim_entry_id *id, uint64_t previous_term)
{
    struct sim_ghost_index *known = sim_ghost_at(checks->world, checks->nodes[node].group, index);
    if (!known) {
        return SIM_GHOST_UNKNOWN;
    }
    if (known->seen_by == 0) {
        known->term = id->term;
        known->digest = id->digest;
        known->previous_term = previous_term;
        known->seen_by = node + 1;
        return previous_term;
    }
    if (known->term == id->term) {
        return compare_entries(checks, node, index, id, previous_term, known->digest,
                               &known->previous_term, known->seen_by);
    }
    return note_other_term(checks, node, index, id, previous_term);
}

/* The term of the entry before `index` on a node's disk. */
static uint64_t durable_previous(const struct sim_checks *checks, uint32_t node, uint64_t index)
{
    const struct sim_disk *disk = checks->world->nodes[node].disk;
    struct sim_label before;
    if (index == 1) {
        return 0;
    }
    if (sim_ghost_snapshot(checks, node, &before) && before.a + 1 >= index) {
        return before.a + 1 == index ? before.b : SIM_GHOST_UNKNOWN;
    }
    return sim_disk_durable_label(disk, checks->nodes[node].consensus->log_file, index - 1, &before)
               ? before.a
               : SIM_GHOST_UNKNOWN;
}

/* The same in its memory, if that has this very entry at `index`. */
static uint64_t memory_previous(const struct sim_checks *checks, uint32_t node, uint64_t index,
                                struct sim_entry_id id)
{
    const struct sim_consensus *consensus = checks->nodes[node].consensus;
    const void *state = checks->world->nodes[node].state;
    struct sim_entry_id here;
    struct sim_entry_id before;
    if (!consensus->entry(state, index, &here) || here.term != id.term ||
        here.digest != id.digest) {
        return SIM_GHOST_UNKNOWN;
    }
    if (index == 1) {
        return 0;
    }
    return consensus->entry(state, index - 1, &before) ? before.term : SIM_GHOST_UNKNOWN;
}

void sim_check_suspect(struct sim_checks *checks, uint32_t node, uint64_t index)
{
    struct sim_ghost_node *ghost = &checks->nodes[node];
    if (ghost->suspect == 0) {
        ghost->suspect = ghost->suspect_last = index;
        ghost->suspect_errors = checks->world->metrics.disk_errors;
    }
    ghost->suspect = index < ghost->suspect ? index : ghost->suspect;
    ghost->suspect_last = index > ghost->suspect_last ? index : ghost->suspect_last;
    ghost->disk_changed = true;
}

/* An entry has become durable. If it does not fit the one before it on that disk, a failed
 * sync may have kept the one and lost the other: wait for how the sync ended. */
void sim_check_durable_entry(struct sim_checks *checks, uint32_t node, uint64_t index,
                             struct sim_entry_id id)
{
    const uint64_t known =
        note_entry(checks, node, index, &id, memory_previous(checks, node, index, id));
    const uint64_t here = durable_previous(checks, node, index);
    if (here != SIM_GHOST_UNKNOWN && here != known) {
        sim_check_suspect(checks, node, index);
    }
}

void sim_check_suspects(struct sim_checks *checks, uint32_t node)
{
    struct sim_ghost_node *ghost = &checks->nodes[node];
    const struct sim_disk *disk = checks->world->nodes[node].disk;
    const uint32_t file = ghost->consensus->log_file;
    const uint64_t end = sim_disk_durable_end(disk, file);
    const bool in_doubt = ghost->suspect_errors != checks->world->metrics.disk_errors;
    for (uint64_t index = ghost->suspect; index <= ghost->suspect_last && index < end; index++) {
        struct sim_label label;
        if (!in_doubt && sim_disk_durable_label(disk, file, index, &label)) {
            const struct sim_entry_id id = {label.a, label.b};
            (void)note_entry(checks, node, index, &id, durable_previous(checks, node, index));
        }
    }
    ghost->suspect = 0;
}

/* Where the log in memory may have changed since the last scan. An entry that is still the
 * last one scanned says that nothing before it has; else all that was not committed may. */
static uint64_t scan_from(const struct sim_ghost_node *ghost, const void *state,
                          const struct sim_view *view)
{
    struct sim_entry_id id;
    uint64_t from = 0;
    if (ghost->scanned_last > 0 && view->last_index >= ghost->scanned_last &&
        ghost->consensus->entry(state, ghost->scanned_last, &id) &&
        id.term == ghost->scanned_id.term && id.digest == ghost->scanned_id.digest) {
        from = ghost->scanned_last + 1;
    } else if (ghost->scanned_last > 0) {
        from = ghost->scanned_commit + 1;
    }
    return from > view->first_index ? from : view->first_index;
}

static void scan_memory(struct sim_checks *checks, uint32_t node, bool whole)
{
    const struct sim_env *env = &checks->world->nodes[node];
    struct sim_ghost_node *ghost = &checks->nodes[node];
    if (!env->up || !env->state || ghost->failed) {
        return;
    }
    struct sim_view view;
    ghost->consensus->view(env->state, &view);
    const uint64_t from = whole ? view.first_index : scan_from(ghost, env->state, &view);
    struct sim_entry_id id;
    uint64_t previous_term = SIM_GHOST_UNKNOWN;
    if (from <= 1) {
        previous_term = 0;
    } else if (from - 1 == view.snapshot_index) {
        previous_term = view.snapshot_term;
    } else if (ghost->consensus->entry(env->state, from - 1, &id)) {
        previous_term = id.term;
    }
    for (uint64_t index = from; index <= view.last_index && index > 0; index++) {
        if (!ghost->consensus->entry(env->state, index, &id)) {
            break;
        }
        (void)note_entry(checks, node, index, &id, previous_term);
        previous_term = id.term;
        ghost->scanned_last = index;
        ghost->scanned_id = id;
    }
    ghost->scanned_commit = view.commit_index;
}

void sim_check_scan(struct sim_checks *checks, struct sim_ghost_group *group, bool whole)
{
    for (uint32_t i = 0; i < group->node_count; i++) {
        const uint32_t node = group->first_node + i;
        if (!checks->nodes[node].group) {
            continue;
        }
        scan_memory(checks, node, whole);
    }
}
