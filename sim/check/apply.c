/* Applied and acknowledged operations: I7, I13, I19, and the steps of I10.
 *
 * I7 state_machine_safety: what a node applies at an index is the entry that was first applied
 *    or committed by a leader there. Entries are compared by term and digest; replay after a
 *    restart applies the same again. Chance to break: a node applies what another decided.
 * I13 acked_durable: an operation that a client was told is done is in the durable log or under
 *    the durable snapshot of so many voters that every majority has one of them. A commit in
 *    Raft needs a majority of disks, and no later leader replaces what is committed. The voters
 *    are those of the latest leader that committed something: after a change of configuration
 *    that commit put all before it on a majority of the new ones. Asked for the highest
 *    acknowledged index at each acknowledgement, crash and truncation (those below it follow
 *    by I5 and I17), and for each one at the end; an acknowledged write that no node ever
 *    applied is lost as well. A disk that lies about a sync breaks this in any Raft; what was
 *    on a wiped disk, or has rotted and is still there, counts as held. Chance to break:
 *    a crash after an acknowledgement.
 * I19 exactly_once: an operation of a session takes effect at one log index only. Nodes that
 *    replay their log after a restart, or apply later than others, meet the effect at the same
 *    index; a snapshot skips it. Entries that differ from what was decided are I7's business and
 *    not counted. Chance to break: a duplicate applied, or an acknowledged operation that needed
 *    more than one attempt.
 */
#include "sim/check/ghost.h"

#include <inttypes.h>

#define ACKED_IS_APPLIED UINT64_MAX /* In acked_early: an effect has been seen since. */

/* ---- I13 -------------------------------------------------------------------------------- */

/* How many voters have index `index` durable; false if what was decided there is unknown. */
static bool acked_is_safe(struct sim_checks *checks, struct sim_ghost_group *group, uint64_t index,
                          uint32_t *holders, uint32_t *voters, char names[SIM_DETAIL_MAX])
{
    const struct sim_ghost_index *known = sim_ghost_find(group, index);
    assert(known && known->decided_by != 0);
    const struct sim_entry_id id = {known->decided_term, known->decided_digest};
    const struct sim_ghost_voters *old = &group->voters[1];
    if (old->count > 0) {
        /* Two majorities are needed to do without it: one that cannot is enough. */
        *holders = sim_ghost_holders(checks, old->nodes, old->count, index, id, NULL);
        if (*holders + sim_ghost_majority(old->count) > old->count) {
            return true;
        }
    }
    *holders = 0;
    *voters = group->voters[0].count;
    if (*voters > 0) {
        *holders = sim_ghost_holders(checks, group->voters[0].nodes, *voters, index, id, names);
    } else { /* No leader was seen to commit: all nodes vote. */
        *voters = group->node_count;
        for (uint32_t i = 0; i < group->node_count; i++) {
            const uint32_t node = group->first_node + i;
            *holders += sim_ghost_holders(checks, &node, 1, index, id, names);
        }
    }
    return *holders + sim_ghost_majority(*voters) > *voters;
}

static void check_acked(struct sim_checks *checks, struct sim_ghost_group *group, uint64_t index,
                        uint32_t node)
{
    uint32_t holders;
    uint32_t voters;
    if (acked_is_safe(checks, group, index, &holders, &voters, NULL)) {
        return;
    }
    char names[SIM_DETAIL_MAX] = "";
    (void)acked_is_safe(checks, group, index, &holders, &voters, names);
    sim_check_violate(checks, SIM_CHECK_ACKED_DURABLE, node,
                      "the acknowledged operation at index %" PRIu64 " is on %" PRIu32
                      " of %" PRIu32 " disks (%s): a majority can do without it",
                      index, holders, voters, holders ? names : "none");
}

void sim_check_acked_high(struct sim_checks *checks, struct sim_ghost_group *group, uint32_t node)
{
    if (group->acked_high > 0 && sim_check_watched(checks, SIM_CHECK_ACKED_DURABLE)) {
        check_acked(checks, group, group->acked_high, node);
    }
}

static void note_acked(struct sim_checks *checks, struct sim_ghost_group *group, uint64_t index,
                       uint32_t node)
{
    struct sim_ghost_index *known = sim_ghost_find(group, index);
    known->acked = 1;
    if (index > group->acked_high) {
        group->acked_high = index;
    }
    check_acked(checks, group, index, node);
}

void sim_checks_acked(struct sim_checks *checks, const struct sim_history_row *row)
{
    const struct sim_operation *operation = &row->operation;
    if (row->outcome != SIM_OUTCOME_OK || row->server >= checks->node_count ||
        !checks->nodes[row->server].group) {
        return;
    }
    struct sim_ghost_group *group = checks->nodes[row->server].group;
    if (row->attempts > 1) {
        sim_check_exercise(checks, SIM_CHECK_EXACTLY_ONCE);
    }
    if (!sim_check_watched(checks, SIM_CHECK_ACKED_DURABLE)) {
        return;
    }
    const uint64_t index = sim_ghost_get(&group->effects, operation->client, operation->sequence);
    if (index != 0) {
        note_acked(checks, group, index, row->server);
    } else if (!sim_operation_reads(operation)) { /* A read need not be in a log. */
        (void)sim_ghost_put(checks->world, &group->acked_early, operation->client,
                            operation->sequence, (uint64_t)row->server + 1);
    }
}

/* A write acknowledged, but never applied by any node that says what it applies. */
static void check_never_applied(struct sim_checks *checks, struct sim_ghost_group *group)
{
    const struct sim_ghost_slot *lost = NULL;
    for (size_t i = 0; i < group->acked_early.capacity; i++) {
        const struct sim_ghost_slot *slot = &group->acked_early.slots[i];
        if (slot->value == 0 || slot->value == ACKED_IS_APPLIED) {
            continue;
        }
        if (!lost || slot->a < lost->a || (slot->a == lost->a && slot->b < lost->b)) {
            lost = slot; /* The least, whatever the order of the slots. */
        }
    }
    if (lost && group->effects.count > 0) {
        const uint32_t node = (uint32_t)(lost->value - 1);
        sim_check_violate(checks, SIM_CHECK_ACKED_DURABLE, node,
                          "%s acknowledged operation %" PRIu64 " of %s, which no node has applied",
                          sim_check_node_name(checks, node), lost->b,
                          sim_check_node_name(checks, (uint32_t)lost->a));
    }
}

void sim_check_acked_all(struct sim_checks *checks, struct sim_ghost_group *group)
{
    uint64_t lost = 0;
    uint32_t holders;
    uint32_t voters;
    for (size_t i = 0; i < group->pages.capacity; i++) {
        const struct sim_ghost_slot *slot = &group->pages.slots[i];
        const struct sim_ghost_page *page = (struct sim_ghost_page *)(uintptr_t)slot->value;
        for (uint32_t at = 0; page && at < SIM_GHOST_PAGE; at++) {
            const uint64_t index = page->number * SIM_GHOST_PAGE + at;
            if (page->at[at].acked && (lost == 0 || index < lost) &&
                !acked_is_safe(checks, group, index, &holders, &voters, NULL)) {
                lost = index;
            }
        }
    }
    if (lost != 0) {
        check_acked(checks, group, lost, SIM_NOBODY);
    }
    check_never_applied(checks, group);
}

/* ---- I10: one by one -------------------------------------------------------------------- */

static void check_step(struct sim_checks *checks, uint32_t node, uint64_t index)
{
    struct sim_ghost_node *ghost = &checks->nodes[node];
    /* A state machine may survive on its own: where it goes on after a boot is its own. */
    if (!ghost->applied_known || index == ghost->applied + 1) {
        return;
    }
    struct sim_view view;
    ghost->consensus->view(checks->world->nodes[node].state, &view);
    if (index > ghost->applied && index == view.snapshot_index + 1) {
        return; /* A snapshot was restored earlier in this event. */
    }
    sim_check_violate(checks, SIM_CHECK_COMMIT_MONOTONIC, node,
                      "%s applied entry %" PRIu64 " after entry %" PRIu64,
                      sim_check_node_name(checks, node), index, ghost->applied);
}

/* ---- I7, I19 ---------------------------------------------------------------------------- */

static void check_effect(struct sim_checks *checks, uint32_t node, uint64_t index,
                         const struct sim_operation *operation, struct sim_ghost_index *entry)
{
    struct sim_ghost_group *group = checks->nodes[node].group;
    if (entry->effect) {
        return; /* The same entry at another node: no need to look for the operation again. */
    }
    const uint64_t known = sim_ghost_get(&group->effects, operation->client, operation->sequence);
    if (known == 0) {
        entry->effect = sim_ghost_put(checks->world, &group->effects, operation->client,
                                      operation->sequence, index);
        const uint64_t early =
            sim_ghost_get(&group->acked_early, operation->client, operation->sequence);
        if (early != 0 && sim_ghost_put(checks->world, &group->acked_early, operation->client,
                                        operation->sequence, ACKED_IS_APPLIED)) {
            note_acked(checks, group, index, node);
        }
    } else if (known != index) {
        sim_check_violate(checks, SIM_CHECK_EXACTLY_ONCE, node,
                          "operation %" PRIu64 " of %s took effect at index %" PRIu64
                          " and, on %s, again at index %" PRIu64,
                          operation->sequence, sim_check_node_name(checks, operation->client),
                          known, sim_check_node_name(checks, node), index);
    }
}

void sim_checks_applied(struct sim_checks *checks, uint32_t node, uint64_t index, uint64_t term,
                        uint64_t digest, const struct sim_operation *operation, bool took_effect)
{
    struct sim_ghost_node *ghost = sim_ghost_node_now(checks, node);
    if (!ghost || index == 0) {
        return;
    }
    struct sim_ghost_index *known = sim_ghost_at(checks->world, ghost->group, index);
    if (!known) {
        return;
    }
    const uint32_t by = known->decided_by;
    const struct sim_entry_id id = {term, digest};
    const bool same = sim_ghost_decide(known, id, node);
    if (by != 0 && by != node + 1) {
        sim_check_exercise(checks, SIM_CHECK_STATE_MACHINE_SAFETY);
    }
    if (!same) {
        sim_check_violate(checks, SIM_CHECK_STATE_MACHINE_SAFETY, node,
                          "%s applied an entry of term %" PRIu64 " at index %" PRIu64
                          ", where %s had decided another, of term %" PRIu64,
                          sim_check_node_name(checks, node), term, index,
                          sim_check_node_name(checks, by - 1), known->decided_term);
    }
    check_step(checks, node, index);
    if (SIM_UNLIKELY(known->snapshot)) {
        sim_check_state_at(checks, node, index);
    }
    ghost->applied = index;
    ghost->applied_known = true;
    if (!operation) {
        return;
    }
    if (!took_effect) {
        sim_check_exercise(checks, SIM_CHECK_EXACTLY_ONCE);
    } else if (same) {
        check_effect(checks, node, index, operation, known);
    }
}
