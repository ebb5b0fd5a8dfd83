/* Disruption: I23.
 *
 * I23 disruption_free: a leader that serves its followers is not unsettled by a node that could
 *    not take its place.
 *    - A node that asks first (PreVote, dissertation 9.6) leaves a term for one of its own only if
 *      a majority of its voters, itself among them, has said something to it in the term that
 *      it leaves: an answer to its question it has from each of them. One that is cut off asks in
 *      vain and stays in its term, so that its return disturbs nobody. Not asked of one that
 *      the leader of that term tells to campaign.
 *    - A leader hands over only to a node that it knows to hold all of its log (3.10). Another
 *      would raise the term, lose the election, and leave the group without a leader.
 *    Chance to break: a candidacy of a node that asks first, and a handover. */
#include "sim/check/ghost.h"

#include <inttypes.h>

static uint64_t *heard_term(const struct sim_ghost_node *ghost, uint32_t from)
{
    const uint32_t place = from - ghost->group->first_node;
    return place < ghost->group->node_count ? &ghost->heard_terms[place] : NULL;
}

void sim_check_heard(struct sim_checks *checks, uint32_t node, uint32_t from)
{
    const struct sim_ghost_node *ghost = &checks->nodes[node];
    uint64_t *term = heard_term(ghost, from);
    if (term) {
        *term = ghost->seen.term;
    }
}

/* Have a majority of these voters been heard in the term that the node leaves? */
static bool asked(const struct sim_ghost_node *ghost, uint32_t node, const uint32_t *voters,
                  uint32_t count)
{
    uint32_t heard = 0;
    for (uint32_t i = 0; i < count; i++) {
        const uint64_t *term = heard_term(ghost, voters[i]);
        heard += voters[i] == node || (term && *term == ghost->seen.term);
    }
    return count == 0 || heard >= sim_ghost_majority(count);
}

static bool was_told_to(const struct sim_ghost_group *group, uint64_t term, uint32_t from)
{
    const uint64_t place = sim_ghost_get(&group->leader_places, term, 0);
    return place != 0 && group->leaders[place - 1].node == from;
}

void sim_check_candidacy(struct sim_checks *checks, uint32_t node, uint32_t from,
                         const struct sim_view *view)
{
    const struct sim_ghost_node *ghost = &checks->nodes[node];
    const bool raises =
        view->term == ghost->seen.term + 1 && view->vote == node && view->role != SIM_ROLE_FOLLOWER;
    if (!sim_check_watched(checks, SIM_CHECK_DISRUPTION_FREE) || ghost->fresh || !raises ||
        !view->asks_first || was_told_to(ghost->group, ghost->seen.term, from)) {
        return;
    }
    sim_check_exercise(checks, SIM_CHECK_DISRUPTION_FREE);
    if (!asked(ghost, node, view->voters, view->voter_count) ||
        !asked(ghost, node, view->old_voters, view->old_voter_count)) {
        sim_check_violate(checks, SIM_CHECK_DISRUPTION_FREE, node,
                          "%s raised the term from %" PRIu64 " to %" PRIu64
                          ", although no majority had answered it",
                          sim_check_node_name(checks, node), ghost->seen.term, view->term);
    }
}

void sim_checks_handed_over(struct sim_checks *checks, uint32_t node, uint32_t target)
{
    const struct sim_ghost_node *ghost = sim_ghost_node_now(checks, node);
    if (!ghost || !sim_check_watched(checks, SIM_CHECK_DISRUPTION_FREE)) {
        return;
    }
    const void *state = checks->world->nodes[node].state;
    struct sim_view view;
    ghost->consensus->view(state, &view);
    struct sim_progress known = {.match = UINT64_MAX};
    ghost->consensus->progress(state, target, 1, &known);
    if (known.match == UINT64_MAX) {
        return; /* It knows nothing of that node. */
    }
    sim_check_exercise(checks, SIM_CHECK_DISRUPTION_FREE);
    if (known.match < view.last_index) {
        sim_check_violate(checks, SIM_CHECK_DISRUPTION_FREE, node,
                          "%s, leader of term %" PRIu64 ", handed over to %s, of which it knew to "
                          "hold %" PRIu64 " of %" PRIu64 " entries",
                          sim_check_node_name(checks, node), view.term,
                          sim_check_node_name(checks, target), known.match, view.last_index);
    }
}
