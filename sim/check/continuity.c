/* What disks tell: I17, and what is forgiven them.
 *
 * I17 log_continuity: a durable log begins at most one after the durable snapshot (at 1 without
 *    one), and nothing becomes durable beyond a missing record. Holes that a crash, rot or a
 *    failed sync leaves are the disk's fault: a correct node finds them when it boots, or stops
 *    when it is told, and truncates or refills them before it syncs anything beyond. Syncs
 *    already asked for do not count. Looked at when a sync is complete, since the order
 *    within one does not matter unless a crash comes between. A snapshot record that is torn
 *    says nothing. Chance to break: a change of a durable log.
 *
 * A record that was whole at a crash and is not at the next boot has rotted. That is beyond what
 * Raft promises to survive, and a node that then stops does no harm: as long as the record is
 * there, unreadable as it is, the node counts as holding it (I8, I11, I13). It counts no more
 * when the node cuts it off or writes over it as if it had never been acknowledged. */
#include "sim/check/ghost.h"

#include <inttypes.h>

/* ---- Rot -------------------------------------------------------------------------------- */

static bool listed(const struct sim_ghost_list *list, uint64_t position)
{
    for (size_t i = 0; i < list->count; i++) {
        if (list->positions[i] == position) {
            return true;
        }
    }
    return false;
}

static void list_add(struct sim_world *world, struct sim_ghost_list *list, uint64_t position)
{
    if (sim_ghost_grow(world, &list->positions, &list->capacity, &list->count,
                       sizeof *list->positions)) {
        list->positions[list->count - 1] = position;
    }
}

/* List the unreadable records of a durable log but those in `known`. */
static void list_unreadable(struct sim_checks *checks, uint32_t node, struct sim_ghost_list *list,
                            const struct sim_ghost_list *known)
{
    const struct sim_disk *disk = checks->world->nodes[node].disk;
    const uint32_t file = checks->nodes[node].consensus->log_file;
    const uint64_t end = sim_disk_durable_end(disk, file);
    struct sim_label label;
    for (uint64_t position = sim_disk_durable_begin(disk, file); position < end; position++) {
        if (!sim_disk_durable_label(disk, file, position, &label) && !listed(known, position) &&
            !listed(list, position)) {
            list_add(checks->world, list, position);
        }
    }
}

/* Rotten records that were changed are what they are now. */
static void rot_changed(struct sim_ghost_node *ghost, enum sim_durable_kind kind, uint64_t position)
{
    struct sim_ghost_list *rotten = &ghost->rotten;
    size_t kept = 0;
    for (size_t i = 0; i < rotten->count; i++) {
        const uint64_t at = rotten->positions[i];
        const bool gone = kind == SIM_DURABLE_WRITE      ? at == position
                          : kind == SIM_DURABLE_TRUNCATE ? at >= position
                                                         : at < position;
        if (!gone) {
            rotten->positions[kept++] = at;
        }
    }
    rotten->count = kept;
}

bool sim_check_rotten(const struct sim_ghost_node *ghost, uint64_t index)
{
    return listed(&ghost->rotten, index);
}

void sim_check_disk_left(struct sim_checks *checks, uint32_t node)
{
    struct sim_ghost_node *ghost = &checks->nodes[node];
    if (checks->world->nodes[node].disk) {
        ghost->unreadable.count = 0;
        list_unreadable(checks, node, &ghost->unreadable, &ghost->rotten);
    }
}

/* ---- Holes and ends --------------------------------------------------------------------- */

/* The lowest missing record of the durable log, from `from` on. */
static void find_hole(struct sim_checks *checks, uint32_t node, uint64_t from)
{
    struct sim_ghost_node *ghost = &checks->nodes[node];
    const struct sim_disk *disk = checks->world->nodes[node].disk;
    const uint32_t file = ghost->consensus->log_file;
    const uint64_t begin = sim_disk_durable_begin(disk, file);
    const uint64_t end = sim_disk_durable_end(disk, file);
    struct sim_label label;
    ghost->hole = 0;
    for (uint64_t index = from > begin ? from : begin; index < end; index++) {
        if (!sim_disk_durable_label(disk, file, index, &label)) {
            ghost->hole = index;
            break;
        }
    }
    if (ghost->past_hole <= ghost->hole || ghost->hole == 0) {
        ghost->past_hole = 0;
    }
}

static void follow_hole(struct sim_checks *checks, uint32_t node, enum sim_durable_kind kind,
                        uint64_t position)
{
    struct sim_ghost_node *ghost = &checks->nodes[node];
    if (kind == SIM_DURABLE_TRUNCATE) {
        ghost->hole = ghost->hole >= position ? 0 : ghost->hole;
        ghost->past_hole = ghost->past_hole >= position ? 0 : ghost->past_hole;
    } else if (kind == SIM_DURABLE_DISCARD) {
        if (ghost->hole != 0 && ghost->hole < position) {
            find_hole(checks, node, position);
        }
    } else if (position == ghost->hole) {
        find_hole(checks, node, position + 1);
    } else if (ghost->hole != 0 && position > ghost->hole) {
        ghost->past_hole = position;
    }
}

/* A record has become durable: is the one before it, is there one after it? */
static void look_around(struct sim_checks *checks, uint32_t node, uint64_t position)
{
    struct sim_ghost_node *ghost = &checks->nodes[node];
    const struct sim_disk *disk = checks->world->nodes[node].disk;
    const uint32_t file = ghost->consensus->log_file;
    struct sim_label label;
    if (position == sim_disk_durable_begin(disk, file)) {
        ghost->disk_changed = true;
    } else if (!sim_disk_durable_label(disk, file, position - 1, &label)) {
        ghost->gap = true;
        ghost->disk_changed = true;
    }
    if (position + 1 < sim_disk_durable_end(disk, file)) {
        sim_check_suspect(checks, node, position + 1);
    }
    ghost->disk_changed |= ghost->past_hole != 0;
}

static void check_continuity(struct sim_checks *checks, uint32_t node)
{
    const struct sim_ghost_node *ghost = &checks->nodes[node];
    const struct sim_disk *disk = checks->world->nodes[node].disk;
    const uint32_t snapshots = ghost->consensus->snapshot_file;
    const uint64_t begin = sim_disk_durable_begin(disk, ghost->consensus->log_file);
    const uint64_t end = sim_disk_durable_end(disk, ghost->consensus->log_file);
    const char *name = sim_check_node_name(checks, node);
    struct sim_label label = {0, 0};
    const bool snapshot = sim_ghost_snapshot(checks, node, &label);
    const bool torn = !snapshot && sim_disk_durable_begin(disk, snapshots) !=
                                       sim_disk_durable_end(disk, snapshots);
    if (begin != end && !torn && begin > sim_add_sat(label.a, 1)) {
        sim_check_violate(checks, SIM_CHECK_LOG_CONTINUITY, node,
                          "the log on %s's disk begins at %" PRIu64
                          ", but its snapshot there covers only up to %" PRIu64,
                          name, begin, label.a);
    }
    if (ghost->hole >= begin && ghost->hole != 0 && ghost->past_hole > ghost->hole) {
        sim_check_violate(checks, SIM_CHECK_LOG_CONTINUITY, node,
                          "%s wrote entry %" PRIu64 " to a disk on which entry %" PRIu64
                          " is missing",
                          name, ghost->past_hole, ghost->hole);
    }
}

/* ---- What disks tell -------------------------------------------------------------------- */

static void note_acked_change(struct sim_ghost_node *ghost, enum sim_durable_kind kind,
                              uint64_t position, const struct sim_label *label)
{
    if (position > ghost->group->acked_high || kind == SIM_DURABLE_DISCARD) {
        return;
    }
    if (kind == SIM_DURABLE_WRITE) {
        const struct sim_ghost_index *known = sim_ghost_find(ghost->group, position);
        if (!known || known->decided_by == 0 ||
            (known->decided_term == label->a && known->decided_digest == label->b)) {
            return;
        }
    }
    ghost->acked_changed = true;
}

void sim_check_durable_log(struct sim_checks *checks, uint32_t node, enum sim_durable_kind kind,
                           uint64_t position, const struct sim_label *label)
{
    struct sim_ghost_node *ghost = &checks->nodes[node];
    const struct sim_env *env = &checks->world->nodes[node];
    if (!env->disk) {
        return;
    }
    if (kind == SIM_DURABLE_WRITE && position > ghost->durable_high) {
        ghost->durable_high = position;
    }
    if (sim_check_watched(checks, SIM_CHECK_LOG_CONTINUITY)) {
        sim_check_exercise(checks, SIM_CHECK_LOG_CONTINUITY);
    }
    if (SIM_UNLIKELY(ghost->rotten.count > 0)) {
        rot_changed(ghost, kind, position);
    }
    /* What survives a crash is the disk's doing; the next boot looks at all of it. */
    if (env->up) {
        follow_hole(checks, node, kind, position);
        if (kind == SIM_DURABLE_WRITE) {
            look_around(checks, node, position);
            if (sim_check_watched(checks, SIM_CHECK_LOG_MATCHING) && !ghost->failed) {
                sim_check_durable_entry(checks, node, position,
                                        (struct sim_entry_id){label->a, label->b});
            }
        }
    }
    ghost->disk_changed |= kind != SIM_DURABLE_WRITE || !env->up;
    note_acked_change(ghost, kind, position, label);
    ghost->attention |= ghost->disk_changed || ghost->acked_changed;
}

void sim_check_disk(struct sim_checks *checks, uint32_t node)
{
    struct sim_ghost_node *ghost = &checks->nodes[node];
    const struct sim_env *env = &checks->world->nodes[node];
    if (!ghost->group || !env->disk) {
        return;
    }
    if (ghost->disk_changed) {
        ghost->disk_changed = false;
        if (sim_check_watched(checks, SIM_CHECK_LOG_CONTINUITY)) {
            check_continuity(checks, node);
        }
        if (ghost->suspect != 0 && sim_check_watched(checks, SIM_CHECK_LOG_MATCHING)) {
            sim_check_suspects(checks, node);
        }
    }
    /* Syncs that were under way when the hole came about may still write beyond it by right. */
    if (ghost->gap && env->up && env->syncs_pending == 0) {
        ghost->gap = false;
        find_hole(checks, node, 0);
    }
    if (ghost->acked_changed) {
        ghost->acked_changed = false;
        sim_check_acked_high(checks, ghost->group, node);
    }
}

void sim_check_disk_found(struct sim_checks *checks, uint32_t node)
{
    struct sim_ghost_node *ghost = &checks->nodes[node];
    if (!checks->world->nodes[node].disk) {
        return;
    }
    sim_ghost_note_wipe(checks, node);
    list_unreadable(checks, node, &ghost->rotten, &ghost->unreadable);
    ghost->suspect = 0;
    ghost->gap = false;
    sim_check_disk(checks, node);
    if (sim_check_watched(checks, SIM_CHECK_LOG_CONTINUITY)) {
        ghost->past_hole = 0;
        find_hole(checks, node, 0);
    }
}
