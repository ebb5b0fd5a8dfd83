/* Commitment and replication: I8, I9, I10, I11, I12.
 *
 * I8 commit_durable_quorum: when a leader's commit index moves to c, a majority of its voters
 *    (while two configurations are in force: of each) has exactly its entry c on disk, or a
 *    snapshot over it (entries below c follow by I5). In Raft an acknowledgement is sent when the
 *    entry is durable, and no later leader that got a vote from one of those nodes can lack c, so
 *    it is there still when the last acknowledgement comes in, however late. Crashed nodes count:
 *    their disks remain. A follower's commit index follows a leader's and is not asked. Chance to
 *    break: a leader's commit.
 * I9 commit_own_term: c is of the leader's own term (Raft, section 5.4.2). Only the end of a jump
 *    is asked: entries below it are committed through it. Chance to break: the same.
 * I10 commit_monotonic: in one incarnation neither index goes back, applied never passes commit
 *    (or a snapshot), and entries are applied in steps of one, but for a snapshot. A restart
 *    forgets both. Chance to break: one of them moves.
 * I11 match_honest: when a leader's match of a peer moves, that entry of the leader's log is on
 *    the peer's disk, or under its snapshot. Only while the peer is not known to have been in
 *    a later term: then another leader may have cut its log by right while an old
 *    acknowledgement was under way. Chance to break: a match above 0.
 * I12 next_after_match: match < next <= last index + 1. Chance to break: one of them moves.
 *
 * A leader that steps down in the event in which it commits (it removed itself) is judged
 * as the leader it was. What a node's first event after a boot finds is not judged: it comes
 * from its disk. */
#include "sim/check/ghost.h"

#include <inttypes.h>

/* The entry a leader holds at an index, or what is known to be decided there. */
static bool entry_at(const struct sim_checks *checks, uint32_t node, uint64_t index,
                     struct sim_entry_id *id)
{
    const struct sim_ghost_node *ghost = &checks->nodes[node];
    if (ghost->consensus->entry(checks->world->nodes[node].state, index, id)) {
        return true;
    }
    const struct sim_ghost_index *known = sim_ghost_find(ghost->group, index);
    if (!known || known->decided_by == 0) {
        return false;
    }
    *id = (struct sim_entry_id){known->decided_term, known->decided_digest};
    return true;
}

/* ---- I8, I9: a leader commits ----------------------------------------------------------- */

static void check_majority(struct sim_checks *checks, uint32_t node, const struct sim_view *view,
                           struct sim_entry_id id, bool old)
{
    const uint32_t *voters = old ? view->old_voters : view->voters;
    const uint32_t count = old ? view->old_voter_count : view->voter_count;
    const uint64_t index = view->commit_index;
    if (sim_ghost_holders(checks, voters, count, index, id, NULL) >= sim_ghost_majority(count)) {
        return;
    }
    char names[SIM_DETAIL_MAX] = "";
    const uint32_t holders = sim_ghost_holders(checks, voters, count, index, id, names);
    sim_check_violate(checks, SIM_CHECK_COMMIT_DURABLE_QUORUM, node,
                      "%s, leader of term %" PRIu64 ", committed entry %" PRIu64 " (term %" PRIu64
                      "), which is on %" PRIu32 " of %" PRIu32 "%s disks (%s)",
                      sim_check_node_name(checks, node), view->term, index, id.term, holders, count,
                      old ? " old voters'" : "", holders ? names : "none");
}

static bool majority_holds(struct sim_checks *checks, const struct sim_ghost_voters *voters,
                           uint64_t index, struct sim_entry_id id)
{
    return voters->count == 0 || sim_ghost_holders(checks, voters->nodes, voters->count, index, id,
                                                   NULL) >= sim_ghost_majority(voters->count);
}

/* In one event a leader may commit, and then append a configuration, which is in force from then
 * on: the majority was one of those who voted before. */
static bool held_before_change(struct sim_checks *checks, uint32_t node,
                               const struct sim_view *view, struct sim_entry_id id)
{
    const struct sim_ghost_node *ghost = &checks->nodes[node];
    return view->config_index > ghost->seen.config_index &&
           view->commit_index < view->config_index && ghost->voters[0].count > 0 &&
           majority_holds(checks, &ghost->voters[0], view->commit_index, id) &&
           majority_holds(checks, &ghost->voters[1], view->commit_index, id);
}

static void check_quorum(struct sim_checks *checks, uint32_t node, const struct sim_view *view,
                         struct sim_entry_id id)
{
    if (view->voter_count == 0) {
        return;
    }
    sim_check_exercise(checks, SIM_CHECK_COMMIT_DURABLE_QUORUM);
    if (held_before_change(checks, node, view, id)) {
        return;
    }
    check_majority(checks, node, view, id, false);
    if (view->old_voter_count > 0) {
        check_majority(checks, node, view, id, true);
    }
}

static void check_own_term(struct sim_checks *checks, uint32_t node, const struct sim_view *view,
                           struct sim_entry_id id)
{
    sim_check_exercise(checks, SIM_CHECK_COMMIT_OWN_TERM);
    if (id.term != view->term) {
        sim_check_violate(checks, SIM_CHECK_COMMIT_OWN_TERM, node,
                          "%s, leader of term %" PRIu64 ", moved its commit index onto entry "
                          "%" PRIu64 " of term %" PRIu64,
                          sim_check_node_name(checks, node), view->term, view->commit_index,
                          id.term);
    }
}

/* Remember what was decided, by whom, and among which voters. */
static void note_commit(struct sim_checks *checks, uint32_t node, const struct sim_view *view)
{
    struct sim_world *world = checks->world;
    struct sim_ghost_node *ghost = &checks->nodes[node];
    struct sim_ghost_group *group = ghost->group;
    const uint64_t after = ghost->seen.commit_index + 1;
    struct sim_entry_id id;
    for (uint64_t index = after > view->first_index ? after : view->first_index;
         index <= view->commit_index; index++) {
        if (!ghost->consensus->entry(world->nodes[node].state, index, &id)) {
            break;
        }
        struct sim_ghost_index *known = sim_ghost_at(world, group, index);
        if (!known) {
            return;
        }
        (void)sim_ghost_decide(known, id, node);
        if (known->committed_ns == 0) {
            known->committed_ns = world->now_ns;
        }
    }
    const uint64_t place = sim_ghost_get(&group->leader_places, view->term, 0);
    if (place != 0 && group->leaders[place - 1].commit_high < view->commit_index) {
        group->leaders[place - 1].commit_high = view->commit_index;
    }
    if (view->term < group->voters_term) {
        return; /* A leader of the past, whose last acknowledgements were late. */
    }
    group->voters_term = view->term;
    (void)sim_ghost_copy_voters(world, group->voters, view);
}

static void check_leader_commit(struct sim_checks *checks, uint32_t node,
                                const struct sim_view *view)
{
    note_commit(checks, node, view);
    struct sim_entry_id id;
    if (view->commit_index > view->last_index) {
        sim_check_violate(checks, SIM_CHECK_COMMIT_DURABLE_QUORUM, node,
                          "%s, leader of term %" PRIu64 ", committed entry %" PRIu64
                          ", but its log ends at %" PRIu64,
                          sim_check_node_name(checks, node), view->term, view->commit_index,
                          view->last_index);
    } else if (entry_at(checks, node, view->commit_index, &id)) {
        if (sim_check_watched(checks, SIM_CHECK_COMMIT_DURABLE_QUORUM)) {
            check_quorum(checks, node, view, id);
        }
        if (sim_check_watched(checks, SIM_CHECK_COMMIT_OWN_TERM)) {
            check_own_term(checks, node, view, id);
        }
    }
}

/* ---- I10 -------------------------------------------------------------------------------- */

static void check_monotonic(struct sim_checks *checks, uint32_t node, const struct sim_view *view)
{
    const struct sim_view *seen = &checks->nodes[node].seen;
    const char *name = sim_check_node_name(checks, node);
    const uint64_t covered =
        view->commit_index > view->snapshot_index ? view->commit_index : view->snapshot_index;
    sim_check_exercise(checks, SIM_CHECK_COMMIT_MONOTONIC);
    if (view->commit_index < seen->commit_index) {
        sim_check_violate(checks, SIM_CHECK_COMMIT_MONOTONIC, node,
                          "the commit index of %s went back from %" PRIu64 " to %" PRIu64, name,
                          seen->commit_index, view->commit_index);
    } else if (view->applied_index < seen->applied_index) {
        sim_check_violate(checks, SIM_CHECK_COMMIT_MONOTONIC, node,
                          "the applied index of %s went back from %" PRIu64 " to %" PRIu64, name,
                          seen->applied_index, view->applied_index);
    } else if (view->applied_index > covered) {
        sim_check_violate(checks, SIM_CHECK_COMMIT_MONOTONIC, node,
                          "%s has applied %" PRIu64 " entries, but only %" PRIu64 " are committed",
                          name, view->applied_index, view->commit_index);
    }
}

void sim_check_commit(struct sim_checks *checks, uint32_t node, const struct sim_view *view)
{
    struct sim_ghost_node *ghost = &checks->nodes[node];
    const struct sim_view *seen = &ghost->seen;
    if (view->applied_index > ghost->applied) {
        ghost->applied = view->applied_index; /* A snapshot was restored. */
        ghost->applied_known = true;
    }
    if (ghost->fresh ||
        (view->commit_index == seen->commit_index && view->applied_index == seen->applied_index)) {
        return;
    }
    if (sim_check_watched(checks, SIM_CHECK_COMMIT_MONOTONIC)) {
        check_monotonic(checks, node, view);
    }
    const bool leads = view->role == SIM_ROLE_LEADER;
    const bool led = seen->role == SIM_ROLE_LEADER && seen->term == view->term;
    if ((leads || led) && view->commit_index > seen->commit_index) {
        check_leader_commit(checks, node, view);
    }
}

/* ---- I11, I12: what a leader believes --------------------------------------------------- */

static void check_match(struct sim_checks *checks, uint32_t node, uint32_t peer, uint64_t match,
                        const struct sim_view *view)
{
    struct sim_entry_id id;
    if (checks->nodes[peer].term_high > view->term || !entry_at(checks, node, match, &id)) {
        return;
    }
    sim_check_exercise(checks, SIM_CHECK_MATCH_HONEST);
    if (sim_ghost_holds(checks, peer, match, id)) {
        return;
    }
    const char *name = sim_check_node_name(checks, node);
    const char *peer_name = sim_check_node_name(checks, peer);
    struct sim_label label;
    const struct sim_disk *disk = checks->world->nodes[peer].disk;
    if (disk &&
        sim_disk_durable_label(disk, checks->nodes[peer].consensus->log_file, match, &label)) {
        sim_check_violate(checks, SIM_CHECK_MATCH_HONEST, node,
                          "%s, leader of term %" PRIu64 ", believes %s to hold its entry %" PRIu64
                          " (term %" PRIu64 "), but that disk has one of term %" PRIu64 " there",
                          name, view->term, peer_name, match, id.term, label.a);
    } else {
        sim_check_violate(checks, SIM_CHECK_MATCH_HONEST, node,
                          "%s, leader of term %" PRIu64 ", believes %s to hold its entry %" PRIu64
                          " (term %" PRIu64 "), but that disk has none there",
                          name, view->term, peer_name, match, id.term);
    }
}

static void check_next(struct sim_checks *checks, uint32_t node, uint32_t peer,
                       struct sim_progress known, const struct sim_view *view)
{
    sim_check_exercise(checks, SIM_CHECK_NEXT_AFTER_MATCH);
    if (known.match >= known.next || known.next > sim_add_sat(view->last_index, 1)) {
        sim_check_violate(checks, SIM_CHECK_NEXT_AFTER_MATCH, node,
                          "%s, leader of term %" PRIu64 ", has match %" PRIu64 " and next %" PRIu64
                          " for %s, and its log ends at %" PRIu64,
                          sim_check_node_name(checks, node), view->term, known.match, known.next,
                          sim_check_node_name(checks, peer), view->last_index);
    }
}

static bool has_moved(const struct sim_progress *now, const struct sim_progress *then,
                      uint32_t count)
{
    uint64_t differences = 0;
    for (uint32_t i = 0; i < count; i++) {
        differences |= (now[i].match ^ then[i].match) | (now[i].next ^ then[i].next);
    }
    return differences != 0;
}

void sim_check_progress(struct sim_checks *checks, uint32_t node, const struct sim_view *view)
{
    struct sim_ghost_node *ghost = &checks->nodes[node];
    const struct sim_ghost_group *group = ghost->group;
    ghost->consensus->progress(checks->world->nodes[node].state, group->first_node,
                               group->node_count, ghost->peers_now);
    if (SIM_LIKELY(!has_moved(ghost->peers_now, ghost->peers, group->node_count))) {
        return;
    }
    for (uint32_t place = 0; place < group->node_count; place++) {
        const struct sim_progress now = ghost->peers_now[place];
        struct sim_progress *known = &ghost->peers[place];
        if (now.match == known->match && now.next == known->next) {
            continue;
        }
        const uint32_t peer = group->first_node + place;
        const bool moved = now.match != known->match && now.match != 0;
        *known = now;
        if (peer == node) {
            continue;
        }
        if (sim_check_watched(checks, SIM_CHECK_NEXT_AFTER_MATCH)) {
            check_next(checks, node, peer, now, view);
        }
        if (moved && sim_check_watched(checks, SIM_CHECK_MATCH_HONEST)) {
            check_match(checks, node, peer, now.match, view);
        }
    }
}
