/* Reads that need no log entry: I20.
 *
 * I20 lease_safety: a leader that answers a read from its own state
 *    - has in that state all that it and the leaders of earlier terms have committed. This is why
 *      a new leader must commit an entry of its own term before it answers; by Leader
 *      Completeness (I6) that one comes after all that was committed before;
 *    - if it does so under a lease, asking nobody: no leader of a later term has been elected at
 *      that moment, in true time. This is what a lease promises whatever the clocks say;
 *    - if it asks a majority: has all that any leader had committed when the client asked. It may
 *      be replaced while the answers are under way, by right, but not before the question.
 *    Whether clients saw a stale value is a question to the history of their operations; this is
 *    earlier, when nobody has written yet. Chance to break: a read without a log entry. */
#include "sim/check/ghost.h"

#include <inttypes.h>

/* A leader of a later term; NULL if there is none. */
static const struct sim_ghost_leader *later_leader(const struct sim_ghost_group *group,
                                                   uint64_t term)
{
    for (size_t i = group->leader_count; i > 0; i--) {
        if (group->leaders[i - 1].term > term) {
            return &group->leaders[i - 1];
        }
    }
    return NULL;
}

/* The leader up to this term that has committed more than `index`, if any. */
static const struct sim_ghost_leader *further_leader(const struct sim_ghost_group *group,
                                                     uint64_t term, uint64_t index)
{
    for (size_t i = group->leader_count; i > 0; i--) {
        if (group->leaders[i - 1].term <= term && group->leaders[i - 1].commit_high > index) {
            return &group->leaders[i - 1];
        }
    }
    return NULL;
}

/* Was there more than the first `index` entries before this time? */
static bool was_committed_before(const struct sim_ghost_group *group, uint64_t index, uint64_t ns)
{
    const struct sim_ghost_index *next = sim_ghost_find(group, index + 1);
    return next && next->committed_ns != 0 && next->committed_ns < ns;
}

void sim_checks_read_served(struct sim_checks *checks, uint32_t node, uint64_t index, bool leased,
                            uint64_t invoke_ns)
{
    struct sim_ghost_node *ghost = sim_ghost_node_now(checks, node);
    if (!ghost || !sim_check_watched(checks, SIM_CHECK_LEASE_SAFETY)) {
        return;
    }
    struct sim_view view;
    ghost->consensus->view(checks->world->nodes[node].state, &view);
    sim_check_exercise(checks, SIM_CHECK_LEASE_SAFETY);
    const char *name = sim_check_node_name(checks, node);
    const struct sim_ghost_leader *later = leased ? later_leader(ghost->group, view.term) : NULL;
    const struct sim_ghost_leader *further = further_leader(ghost->group, view.term, index);
    if (later) {
        sim_check_violate(checks, SIM_CHECK_LEASE_SAFETY, node,
                          "%s, leader of term %" PRIu64
                          ", read under its lease when %s had led term "
                          "%" PRIu64 " since %" PRIu64 ".%03" PRIu64 " s",
                          name, view.term, sim_check_node_name(checks, later->node), later->term,
                          later->since_ns / SIM_S, later->since_ns / SIM_MS % 1000);
    } else if (further) {
        sim_check_violate(checks, SIM_CHECK_LEASE_SAFETY, node,
                          "%s, leader of term %" PRIu64 ", read the state after entry %" PRIu64
                          ", when %s, leader of term %" PRIu64 ", had committed entry %" PRIu64,
                          name, view.term, index, sim_check_node_name(checks, further->node),
                          further->term, further->commit_high);
    } else if (was_committed_before(ghost->group, index, invoke_ns)) {
        sim_check_violate(checks, SIM_CHECK_LEASE_SAFETY, node,
                          "%s, leader of term %" PRIu64 ", read the state after entry %" PRIu64
                          ", but entry %" PRIu64 " had been committed before the client asked",
                          name, view.term, index, index + 1);
    }
}
