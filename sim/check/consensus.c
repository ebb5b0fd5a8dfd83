/* The invariants of replicated logs: what the world tells, and who judges it.
 *
 *  no.  name                    file          judged
 *  I1   election_safety         election.c    when a node comes to lead
 *  I2   one_vote_per_term       election.c    when a vote becomes durable, and at an election
 *  I3   term_monotonic          election.c    when a term becomes durable, and in memory
 *  I4   leader_append_only      log.c         after every event that changed a leader's log
 *  I5   log_matching            log.c         for every durable entry; in memory now and then
 *  I6   leader_completeness     election.c    when a node comes to lead
 *  I7   state_machine_safety    apply.c       for every entry applied
 *  I8   commit_durable_quorum   commit.c      when a leader's commit index moves
 *  I9   commit_own_term         commit.c      when a leader's commit index moves
 *  I10  commit_monotonic        commit.c      when commit or applied moves, and in apply.c
 *  I11  match_honest            commit.c      when a leader's match of a peer moves
 *  I12  next_after_match        commit.c      when a leader's match or next of a peer moves
 *  I13  acked_durable           apply.c       at an acknowledgement, a crash, a truncation, the end
 *  I14  vote_up_to_date         election.c    when a node grants its vote
 *  I15  config_safety           config.c      when a configuration comes into force, an election
 *  I16  snapshot_safety         snapshot.c    when a snapshot is taken, installed or found, and
 *                                             when another node comes to the same index
 *  I17  log_continuity          continuity.c  after every change of a durable log or snapshot
 *  I19  exactly_once            apply.c       for every operation applied
 *  I20  lease_safety            read.c        for every read without a log entry
 *  I22  crash_free              check.c       when a node's code fails
 *  I23  disruption_free         disruption.c  when a node raises the term, or is told to
 *
 * I18 and I21 of that numbering are other checks' business: consistency (linearizable) and
 * liveness are judged elsewhere.
 * I1, I4-I7 are those of Ongaro and Ousterhout 2014, figure 3, and I9 is its section 5.4.2;
 * the others follow from its figure 2 and are closer to the cause: a transition that only a
 * broken node makes, seen when it is made, not when its harm is done.
 *
 * Common to all: memory is judged after an event, never within; another node's memory is
 * never judged, since messages under way make it differ by right; a restart is judged
 * against disks alone. */
#include "sim/check/ghost.h"

#define SCAN_EVERY 1024 /* Events of a group between two scans of its logs in memory. */

#define PROGRESS_CHECKS                                                                            \
    (SIM_CHECK_BIT(SIM_CHECK_MATCH_HONEST) | SIM_CHECK_BIT(SIM_CHECK_NEXT_AFTER_MATCH))
/* Those that need no look at a node's view. */
#define OTHER_CHECKS                                                                               \
    (SIM_CHECK_BIT(SIM_CHECK_CRASH_FREE) | SIM_CHECK_BIT(SIM_CHECK_LIVENESS) | ~SIM_CHECKS_ALL)

/* Every field that a check watches differs from the last view: 0 if none. */
static inline uint64_t differences(const struct sim_view *a, const struct sim_view *b)
{
    return (a->term ^ b->term) | (a->last_index ^ b->last_index) |
           (a->commit_index ^ b->commit_index) | (a->applied_index ^ b->applied_index) |
           (a->snapshot_index ^ b->snapshot_index) | (a->config_index ^ b->config_index) |
           (uint64_t)((a->vote ^ b->vote) | (a->role ^ b->role));
}

static void changed(struct sim_checks *checks, uint32_t node, uint32_t from, struct sim_view *view)
{
    struct sim_ghost_node *ghost = &checks->nodes[node];
    if (ghost->fresh) {
        sim_check_disk_found(checks, node);
    } else {
        sim_check_disk(checks, node);
    }
    sim_check_election(checks, node, view);
    sim_check_candidacy(checks, node, from, view);
    sim_check_append_only(checks, node, view);
    sim_check_commit(checks, node, view);
    sim_check_snapshot(checks, node, view);
    sim_check_config(checks, node, view); /* Last: the others ask who voted before. */
    if (view->term > ghost->term_high) {
        ghost->term_high = view->term;
    }
    ghost->attention = ghost->gap; /* Until it is clear whose it is. */
    ghost->fresh = false;
    ghost->seen = *view;
    ghost->seen.voters = ghost->seen.old_voters = NULL;
}

void sim_checks_moved(struct sim_checks *checks, uint32_t node, uint32_t from)
{
    if (!(checks->watching & ~OTHER_CHECKS)) {
        return;
    }
    struct sim_ghost_node *ghost = sim_ghost_node_now(checks, node);
    if (!ghost) {
        return;
    }
    sim_check_heard(checks, node, from);
    struct sim_view view;
    ghost->consensus->view(checks->world->nodes[node].state, &view);
    if (SIM_UNLIKELY(differences(&view, &ghost->seen) || ghost->attention)) {
        changed(checks, node, from, &view);
    }
    if (view.role == SIM_ROLE_LEADER && (checks->watching & PROGRESS_CHECKS)) {
        sim_check_progress(checks, node, &view);
    }
    struct sim_ghost_group *group = ghost->group;
    if (SIM_UNLIKELY(++group->events % SCAN_EVERY == 0) &&
        sim_check_watched(checks, SIM_CHECK_LOG_MATCHING)) {
        sim_check_scan(checks, group, false);
    }
}

void sim_checks_durable(struct sim_checks *checks, uint32_t node, enum sim_durable_kind kind,
                        uint32_t file, uint64_t position, const struct sim_label *label)
{
    if (node >= checks->node_count || !checks->nodes[node].group) {
        return;
    }
    struct sim_ghost_node *ghost = &checks->nodes[node];
    const struct sim_consensus *consensus = ghost->consensus;
    const bool written = kind == SIM_DURABLE_WRITE;
    ghost->durable_seen |= written;
    if (file == consensus->log_file) {
        sim_check_durable_log(checks, node, kind, position, label);
    } else if (file == consensus->snapshot_file) {
        ghost->attention = true;
        ghost->disk_changed = true;
        if (written && position == 0) {
            ghost->snapshot_last = label->a;
            ghost->durable_high = label->a > ghost->durable_high ? label->a : ghost->durable_high;
        }
    } else if (file == consensus->hard_file && written && position == 0) {
        sim_check_hard_state(checks, node, *label);
    }
}

void sim_checks_crashed(struct sim_checks *checks, uint32_t node)
{
    if (node >= checks->node_count || !checks->nodes[node].group) {
        return;
    }
    struct sim_ghost_node *ghost = &checks->nodes[node];
    sim_ghost_note_wipe(checks, node);
    sim_check_disk(checks, node);
    sim_check_disk_left(checks, node);
    ghost->attention = true;
    if (ghost->group->acked_high > 0) {
        sim_check_exercise(checks, SIM_CHECK_ACKED_DURABLE);
        sim_check_acked_high(checks, ghost->group, node);
    }
}
