/* Elections: I1, I2, I3, I6, I14.
 *
 * I1 election_safety: at most one node comes to lead a term. A correct Raft needs a majority
 *    of votes, each given once in a term and durable before it is told, and two majorities
 *    share a node. The same node leading its term twice is not this invariant's business.
 *    Chance to break: an election.
 * I2 one_vote_per_term: a durable vote of a term is never another one, or none, later in that
 *    term; and whoever comes to lead has the durable votes of a majority (the ghost remembers
 *    votes given since replaced by those of later terms). Raft's figure 2 wants both on disk
 *    before a reply; a vote that a crash can take back will be given twice. The same vote
 *    written again changes nothing. A vote that is only in memory may be lost by right, so
 *    only disks are asked. Kinds that do not vote for themselves are not asked for a quorum.
 *    Chance to break: a vote becoming durable, or an election.
 * I3 term_monotonic: neither the durable term (through crashes) nor the term in memory (while
 *    the node is up) goes back. A restart with a lower term than was in memory is right when
 *    that term was never durable. Chance to break: a change of term.
 * I6 leader_completeness: whoever comes to lead term t has the highest entry committed by a
 *    leader of a term below t, or a snapshot over it; by Log Matching (I5) it then has all
 *    below it. A leader of t that learns late of its votes may lack what leaders above t have
 *    committed, so those do not count. Chance to break: such an election.
 * I14 vote_up_to_date: a node votes for another only if the log which that one had on becoming
 *    a candidate is as up to date (figure 2: last term, then last index) as its own. Its own
 *    is the lesser of its log in memory and on disk: an implementation may compare with either
 *    (entries not durable were never acknowledged), and a truncation not yet durable can
 *    leave the disk with a tail of a higher term than memory has. A vote may be given to a
 *    node outside the configuration (dissertation, section 4.1). A vote found at a boot was
 *    judged when it was given. Chance to break: a vote for another node. */
#include "sim/check/ghost.h"

#include <inttypes.h>

/* ---- I1, I6: a node comes to lead ------------------------------------------------------- */

static void check_sole_leader(struct sim_checks *checks, uint32_t node, uint64_t term)
{
    struct sim_world *world = checks->world;
    struct sim_ghost_group *group = checks->nodes[node].group;
    sim_check_exercise(checks, SIM_CHECK_ELECTION_SAFETY);
    const uint64_t place = sim_ghost_get(&group->leader_places, term, 0);
    if (place == 0) {
        if (sim_ghost_grow(world, &group->leaders, &group->leader_capacity, &group->leader_count,
                           sizeof *group->leaders)) {
            group->leaders[group->leader_count - 1] =
                (struct sim_ghost_leader){.term = term, .since_ns = world->now_ns, .node = node};
            (void)sim_ghost_put(world, &group->leader_places, term, 0, group->leader_count);
        }
        return;
    }
    const struct sim_ghost_leader *first = &group->leaders[place - 1];
    if (first->node != node) {
        sim_check_violate(checks, SIM_CHECK_ELECTION_SAFETY, node,
                          "%s became leader of term %" PRIu64 ", which %s already led since "
                          "%" PRIu64 ".%03" PRIu64 " s",
                          sim_check_node_name(checks, node), term,
                          sim_check_node_name(checks, first->node), first->since_ns / SIM_S,
                          first->since_ns / SIM_MS % 1000);
    }
}

/* The leader of an earlier term that committed furthest, or NULL. */
static const struct sim_ghost_leader *furthest_before(const struct sim_ghost_group *group,
                                                      uint64_t term)
{
    const struct sim_ghost_leader *furthest = NULL;
    for (size_t i = 0; i < group->leader_count; i++) {
        const struct sim_ghost_leader *leader = &group->leaders[i];
        if (leader->term < term && leader->commit_high > 0 &&
            (!furthest || leader->commit_high > furthest->commit_high)) {
            furthest = leader;
        }
    }
    return furthest;
}

static void check_completeness(struct sim_checks *checks, uint32_t node,
                               const struct sim_view *view)
{
    const struct sim_ghost_node *ghost = &checks->nodes[node];
    const struct sim_ghost_leader *before = furthest_before(ghost->group, view->term);
    if (!before) {
        return;
    }
    sim_check_exercise(checks, SIM_CHECK_LEADER_COMPLETENESS);
    const uint64_t index = before->commit_high;
    const struct sim_ghost_index *known = sim_ghost_find(ghost->group, index);
    if (view->snapshot_index >= index || !known || known->decided_by == 0) {
        return;
    }
    struct sim_entry_id id;
    if (!ghost->consensus->entry(checks->world->nodes[node].state, index, &id)) {
        sim_check_violate(checks, SIM_CHECK_LEADER_COMPLETENESS, node,
                          "%s became leader of term %" PRIu64 " without entry %" PRIu64
                          " (term %" PRIu64 "), which %s committed in term %" PRIu64,
                          sim_check_node_name(checks, node), view->term, index, known->decided_term,
                          sim_check_node_name(checks, before->node), before->term);
    } else if (id.term != known->decided_term || id.digest != known->decided_digest) {
        sim_check_violate(
            checks, SIM_CHECK_LEADER_COMPLETENESS, node,
            "%s became leader of term %" PRIu64 " with an entry %" PRIu64 " of term %" PRIu64
            ", where %s committed one of term %" PRIu64 " in term %" PRIu64,
            sim_check_node_name(checks, node), view->term, index, id.term,
            sim_check_node_name(checks, before->node), known->decided_term, before->term);
    }
}

/* ---- I2, I3: what is durable ------------------------------------------------------------ */

/* Votes of a wiped disk are another disk's: lives are told apart. */
static uint64_t voter_key(uint32_t node, const struct sim_ghost_node *ghost)
{
    return (uint64_t)ghost->disk_life << 32 | node;
}

static void check_votes_of(struct sim_checks *checks, uint32_t node, const struct sim_view *view,
                           const uint32_t *voters, uint32_t count)
{
    uint32_t votes = 0;
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t voter = voters[i];
        if (voter >= checks->node_count) {
            continue;
        }
        sim_ghost_note_wipe(checks, voter);
        const struct sim_ghost_node *ghost = &checks->nodes[voter];
        const uint64_t vote =
            sim_ghost_get(&checks->nodes[node].group->votes, voter_key(voter, ghost), view->term);
        votes += vote == (uint64_t)node + 1 || ghost->disk_life > 0;
    }
    if (votes < sim_ghost_majority(count)) {
        sim_check_violate(checks, SIM_CHECK_ONE_VOTE_PER_TERM, node,
                          "%s became leader of term %" PRIu64 " with %" PRIu32
                          " durable votes of %" PRIu32
                          " nodes: the others can be given again after a crash",
                          sim_check_node_name(checks, node), view->term, votes, count);
    }
}

static void check_vote_quorum(struct sim_checks *checks, uint32_t node, const struct sim_view *view)
{
    if (view->vote != node || (view->voter_count < 2 && view->old_voter_count == 0)) {
        return; /* Alone, nobody else can be voted for. */
    }
    sim_check_exercise(checks, SIM_CHECK_ONE_VOTE_PER_TERM);
    check_votes_of(checks, node, view, view->voters, view->voter_count);
    if (view->old_voter_count > 0) {
        check_votes_of(checks, node, view, view->old_voters, view->old_voter_count);
    }
}

static void check_vote(struct sim_checks *checks, uint32_t node, uint64_t term, uint64_t vote)
{
    struct sim_ghost_node *ghost = &checks->nodes[node];
    struct sim_ghost_map *votes = &ghost->group->votes;
    const uint64_t key = voter_key(node, ghost);
    const uint64_t before = sim_ghost_get(votes, key, term);
    if (before == 0) {
        if (vote != 0) {
            sim_check_exercise(checks, SIM_CHECK_ONE_VOTE_PER_TERM);
            (void)sim_ghost_put(checks->world, votes, key, term, vote);
        }
        return;
    }
    if (vote == before) {
        return;
    }
    const char *name = sim_check_node_name(checks, node);
    const char *first = sim_check_node_name(checks, (uint32_t)(before - 1));
    if (vote == 0) {
        sim_check_violate(checks, SIM_CHECK_ONE_VOTE_PER_TERM, node,
                          "%s forgot on disk that it voted for %s in term %" PRIu64, name, first,
                          term);
    } else {
        sim_check_violate(checks, SIM_CHECK_ONE_VOTE_PER_TERM, node,
                          "%s voted for %s in term %" PRIu64 " and then for %s", name, first, term,
                          sim_check_node_name(checks, (uint32_t)(vote - 1)));
    }
}

void sim_check_hard_state(struct sim_checks *checks, uint32_t node, struct sim_label label)
{
    struct sim_ghost_node *ghost = &checks->nodes[node];
    const uint64_t term = label.a;
    if (sim_check_watched(checks, SIM_CHECK_TERM_MONOTONIC) && term != ghost->durable_term) {
        sim_check_exercise(checks, SIM_CHECK_TERM_MONOTONIC);
        if (term < ghost->durable_term) {
            sim_check_violate(checks, SIM_CHECK_TERM_MONOTONIC, node,
                              "%s wrote term %" PRIu64 " to a disk that already had term %" PRIu64,
                              sim_check_node_name(checks, node), term, ghost->durable_term);
        }
    }
    ghost->durable_term = term;
    if (term > ghost->term_high) {
        ghost->term_high = term;
    }
    if (sim_check_watched(checks, SIM_CHECK_ONE_VOTE_PER_TERM)) {
        check_vote(checks, node, term, label.b);
    }
}

/* ---- I14: votes for others -------------------------------------------------------------- */

static void note_candidacy(struct sim_checks *checks, uint32_t node, const struct sim_view *view)
{
    struct sim_world *world = checks->world;
    struct sim_ghost_group *group = checks->nodes[node].group;
    struct sim_ghost_candidacy last;
    if (!sim_ghost_last(&checks->nodes[node], world->nodes[node].state, view, &last)) {
        return;
    }
    uint64_t place = sim_ghost_get(&group->candidacy_places, node, view->term);
    if (place == 0) {
        if (!sim_ghost_grow(world, &group->candidacies, &group->candidacy_capacity,
                            &group->candidacy_count, sizeof *group->candidacies)) {
            return;
        }
        place = group->candidacy_count;
        (void)sim_ghost_put(world, &group->candidacy_places, node, view->term, place);
    }
    group->candidacies[place - 1] = last;
}

static bool less_up_to_date(const struct sim_ghost_candidacy *a,
                            const struct sim_ghost_candidacy *b)
{
    return a->last_term != b->last_term ? a->last_term < b->last_term
                                        : a->last_index < b->last_index;
}

static void check_grant(struct sim_checks *checks, uint32_t node, const struct sim_view *view)
{
    const struct sim_ghost_node *ghost = &checks->nodes[node];
    const struct sim_ghost_group *group = ghost->group;
    const uint64_t place = sim_ghost_get(&group->candidacy_places, view->vote, view->term);
    struct sim_ghost_candidacy own;
    struct sim_ghost_candidacy durable;
    if (place == 0 || !sim_ghost_durable_last(checks, node, &durable) ||
        !sim_ghost_last(ghost, checks->world->nodes[node].state, view, &own)) {
        return;
    }
    sim_check_exercise(checks, SIM_CHECK_VOTE_UP_TO_DATE);
    const struct sim_ghost_candidacy *candidate = &group->candidacies[place - 1];
    if (less_up_to_date(&durable, &own)) {
        own = durable;
    }
    if (less_up_to_date(candidate, &own)) {
        sim_check_violate(
            checks, SIM_CHECK_VOTE_UP_TO_DATE, node,
            "%s voted in term %" PRIu64 " for %s, whose log ended at %" PRIu64 " (term %" PRIu64
            "), while its own ends at %" PRIu64 " (term %" PRIu64 ")",
            sim_check_node_name(checks, node), view->term, sim_check_node_name(checks, view->vote),
            candidate->last_index, candidate->last_term, own.last_index, own.last_term);
    }
}

/* ---- After an event --------------------------------------------------------------------- */

static void check_term_in_memory(struct sim_checks *checks, uint32_t node,
                                 const struct sim_view *view)
{
    const struct sim_ghost_node *ghost = &checks->nodes[node];
    if (!ghost->fresh && view->term != ghost->seen.term) {
        sim_check_exercise(checks, SIM_CHECK_TERM_MONOTONIC);
        if (view->term < ghost->seen.term) {
            sim_check_violate(checks, SIM_CHECK_TERM_MONOTONIC, node,
                              "%s went back from term %" PRIu64 " to term %" PRIu64,
                              sim_check_node_name(checks, node), ghost->seen.term, view->term);
        }
    }
}

void sim_check_election(struct sim_checks *checks, uint32_t node, const struct sim_view *view)
{
    const struct sim_ghost_node *ghost = &checks->nodes[node];
    const struct sim_view *seen = &ghost->seen;
    const bool new_term = ghost->fresh || view->term != seen->term;
    check_term_in_memory(checks, node, view);
    if (view->role == SIM_ROLE_CANDIDATE && (new_term || seen->role != SIM_ROLE_CANDIDATE)) {
        note_candidacy(checks, node, view);
    }
    if (!ghost->fresh && view->vote != SIM_NOBODY && view->vote != node &&
        (new_term || view->vote != seen->vote) &&
        sim_check_watched(checks, SIM_CHECK_VOTE_UP_TO_DATE)) {
        check_grant(checks, node, view);
    }
    if (view->role == SIM_ROLE_LEADER && (new_term || seen->role != SIM_ROLE_LEADER)) {
        check_sole_leader(checks, node, view->term);
        if (sim_check_watched(checks, SIM_CHECK_ONE_VOTE_PER_TERM)) {
            check_vote_quorum(checks, node, view);
        }
        if (sim_check_watched(checks, SIM_CHECK_LEADER_COMPLETENESS)) {
            check_completeness(checks, node, view);
        }
    }
}
