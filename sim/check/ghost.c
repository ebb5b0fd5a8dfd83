/* Tables of the ghost state, and what is asked of disks and views in more than one place.
 *
 * No table is ever walked in an order that decides: a hash's order may not be seen. */
#include "sim/check/ghost.h"

/* ---- The map: open addressing, linear probing, at most two thirds full ------------------ */

static size_t slot_of(const struct sim_ghost_map *map, uint64_t a, uint64_t b)
{
    const size_t mask = map->capacity - 1;
    size_t i = (size_t)sim_mix64(a * UINT64_C(0x9e3779b97f4a7c15) + b) & mask;
    while (map->slots[i].value != 0 && (map->slots[i].a != a || map->slots[i].b != b)) {
        i = (i + 1) & mask;
    }
    return i;
}

uint64_t sim_ghost_get(const struct sim_ghost_map *map, uint64_t a, uint64_t b)
{
    return map->count == 0 ? 0 : map->slots[slot_of(map, a, b)].value;
}

static bool map_double(struct sim_world *world, struct sim_ghost_map *map)
{
    const struct sim_ghost_map old = *map;
    const size_t capacity = old.capacity ? old.capacity * 2 : 16;
    struct sim_ghost_slot *slots = sim_world_alloc(world, capacity * sizeof *slots);
    if (!slots) {
        return false;
    }
    map->slots = slots;
    map->capacity = capacity;
    for (size_t i = 0; i < old.capacity; i++) {
        if (old.slots[i].value != 0) {
            map->slots[slot_of(map, old.slots[i].a, old.slots[i].b)] = old.slots[i];
        }
    }
    sim_arena_release(world->arena, old.slots, old.capacity * sizeof *old.slots);
    return true;
}

bool sim_ghost_put(struct sim_world *world, struct sim_ghost_map *map, uint64_t a, uint64_t b,
                   uint64_t value)
{
    assert(value != 0);
    if ((map->count + 1) * 3 > map->capacity * 2 && !map_double(world, map)) {
        return false;
    }
    struct sim_ghost_slot *slot = &map->slots[slot_of(map, a, b)];
    map->count += slot->value == 0;
    *slot = (struct sim_ghost_slot){a, b, value};
    return true;
}

bool sim_ghost_grow(struct sim_world *world, void *array, size_t *capacity, size_t *count,
                    size_t element_bytes)
{
    if (!sim_arena_grow(world->arena, array, capacity, *count + 1, element_bytes)) {
        world->out_of_memory = true;
        return false;
    }
    (*count)++;
    return true;
}

/* ---- The table of indices --------------------------------------------------------------- */

static struct sim_ghost_page *page_find(const struct sim_ghost_group *group, uint64_t number)
{
    if (group->page && group->page->number == number) {
        return group->page;
    }
    return (struct sim_ghost_page *)(uintptr_t)sim_ghost_get(&group->pages, number, 0);
}

struct sim_ghost_index *sim_ghost_find(const struct sim_ghost_group *group, uint64_t index)
{
    struct sim_ghost_page *page = page_find(group, index / SIM_GHOST_PAGE);
    return page ? &page->at[index % SIM_GHOST_PAGE] : NULL;
}

struct sim_ghost_page *sim_ghost_page_at(struct sim_world *world, struct sim_ghost_group *group,
                                         uint64_t number)
{
    struct sim_ghost_page *page = page_find(group, number);
    if (!page) {
        page = sim_world_alloc(world, sizeof *page);
        if (!page || !sim_ghost_put(world, &group->pages, number, 0, (uintptr_t)page)) {
            return NULL;
        }
        page->number = number;
    }
    group->page = page;
    return page;
}

bool sim_ghost_decide(struct sim_ghost_index *known, struct sim_entry_id id, uint32_t node)
{
    if (known->decided_by == 0) {
        known->decided_term = id.term;
        known->decided_digest = id.digest;
        known->decided_by = (node + 1) & (UINT32_MAX >> 3);
    }
    return known->decided_term == id.term && known->decided_digest == id.digest;
}

/* ---- Nodes ------------------------------------------------------------------------------ */

void sim_ghost_start_anew(struct sim_ghost_node *ghost, uint32_t incarnation)
{
    ghost->incarnation = incarnation;
    ghost->attention = true;
    ghost->fresh = true;
    ghost->applied_known = false;
    ghost->applied = 0;
    ghost->scanned_last = 0;
    ghost->scanned_commit = 0;
    ghost->seen = (struct sim_view){.vote = SIM_NOBODY};
    memset(ghost->peers, 0, ghost->group->node_count * sizeof *ghost->peers);
    memset(ghost->peers_now, 0, ghost->group->node_count * sizeof *ghost->peers_now);
    memset(ghost->heard_terms, 0, ghost->group->node_count * sizeof *ghost->heard_terms);
}

bool sim_ghost_last(const struct sim_ghost_node *ghost, const void *state,
                    const struct sim_view *view, struct sim_ghost_candidacy *last)
{
    last->last_index = view->last_index;
    struct sim_entry_id id;
    if (view->last_index == 0) {
        last->last_term = 0;
    } else if (ghost->consensus->entry(state, view->last_index, &id)) {
        last->last_term = id.term;
    } else if (view->last_index == view->snapshot_index) {
        last->last_term = view->snapshot_term;
    } else {
        return false;
    }
    return true;
}

/* ---- Disks ------------------------------------------------------------------------------ */

bool sim_ghost_snapshot(const struct sim_checks *checks, uint32_t node, struct sim_label *label)
{
    const struct sim_disk *disk = checks->world->nodes[node].disk;
    const uint32_t file = checks->nodes[node].consensus->snapshot_file;
    bool found = false;
    for (uint64_t copy = 0; disk && copy < sim_disk_durable_end(disk, file); copy++) {
        struct sim_label of_copy;
        if (sim_disk_durable_label(disk, file, copy, &of_copy) &&
            (!found || of_copy.a > label->a)) {
            *label = of_copy;
            found = true;
        }
    }
    return found;
}

bool sim_ghost_durable_last(const struct sim_checks *checks, uint32_t node,
                            struct sim_ghost_candidacy *last)
{
    const struct sim_disk *disk = checks->world->nodes[node].disk;
    const uint32_t file = checks->nodes[node].consensus->log_file;
    if (!disk) {
        return false;
    }
    struct sim_label label = {0, 0};
    *last = (struct sim_ghost_candidacy){0, 0};
    if (sim_ghost_snapshot(checks, node, &label)) {
        *last = (struct sim_ghost_candidacy){.last_term = label.b, .last_index = label.a};
    }
    const uint64_t end = sim_disk_durable_end(disk, file);
    if (end == sim_disk_durable_begin(disk, file) || end - 1 <= last->last_index) {
        return true;
    }
    if (!sim_disk_durable_label(disk, file, end - 1, &label)) {
        return false; /* Torn: what it was nobody can say. */
    }
    *last = (struct sim_ghost_candidacy){.last_term = label.a, .last_index = end - 1};
    return true;
}

static bool disk_is_empty(const struct sim_disk *disk, const struct sim_consensus *consensus)
{
    const uint32_t files[] = {consensus->log_file, consensus->hard_file, consensus->snapshot_file};
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        if (sim_disk_durable_begin(disk, files[i]) != sim_disk_durable_end(disk, files[i])) {
            return false;
        }
    }
    return true;
}

/* A disk on which something was durable and now nothing is has been wiped. That is beyond
 * what Raft promises to survive, so the node is not blamed for having forgotten: its terms
 * and votes start anew, and what it held counts as held. What the cluster then does is
 * judged as always: a committed entry that is replaced because of it is reported. */
static void note_wipe(struct sim_ghost_node *ghost, const struct sim_disk *disk)
{
    if (ghost->durable_seen && disk_is_empty(disk, ghost->consensus)) {
        ghost->durable_seen = false;
        ghost->disk_life++;
        ghost->forgiven = ghost->durable_high;
        ghost->durable_term = 0;
        ghost->term_high = 0;
        ghost->hole = 0;
        ghost->past_hole = 0;
        ghost->suspect = 0;
        ghost->gap = false;
        ghost->rotten.count = 0;
        ghost->unreadable.count = 0;
        ghost->snapshot_last = 0;
    }
}

void sim_ghost_note_wipe(struct sim_checks *checks, uint32_t node)
{
    const struct sim_disk *disk = checks->world->nodes[node].disk;
    if (disk) {
        note_wipe(&checks->nodes[node], disk);
    }
}

static bool snapshot_is_gone(const struct sim_ghost_node *ghost, const struct sim_disk *disk)
{
    const uint32_t file = ghost->consensus->snapshot_file;
    return sim_disk_durable_begin(disk, file) == sim_disk_durable_end(disk, file);
}

bool sim_ghost_holds(struct sim_checks *checks, uint32_t node, uint64_t index,
                     struct sim_entry_id id)
{
    if (node >= checks->node_count || !checks->nodes[node].group ||
        !checks->world->nodes[node].disk) {
        return false;
    }
    struct sim_ghost_node *ghost = &checks->nodes[node];
    const struct sim_disk *disk = checks->world->nodes[node].disk;
    struct sim_label label;
    if (sim_disk_durable_label(disk, ghost->consensus->log_file, index, &label) &&
        label.a == id.term && label.b == id.digest) {
        return true;
    }
    if (sim_ghost_snapshot(checks, node, &label)) {
        if (label.a >= index) {
            return true;
        }
    } else if (ghost->snapshot_last >= index && !snapshot_is_gone(ghost, disk)) {
        return true; /* Unreadable here: a copy may be whole, or the node cannot start. */
    }
    note_wipe(ghost, disk);
    return index <= ghost->forgiven || sim_check_rotten(ghost, index);
}

static void append_name(char names[SIM_DETAIL_MAX], const char *name)
{
    const size_t length = strlen(names);
    const size_t extra = strlen(name);
    if (length + extra + 3 > SIM_DETAIL_MAX) {
        return;
    }
    char *end = names + length;
    if (length > 0) {
        memcpy(end, ", ", 2);
        end += 2;
    }
    memcpy(end, name, extra + 1);
}

uint32_t sim_ghost_holders(struct sim_checks *checks, const uint32_t *voters, uint32_t voter_count,
                           uint64_t index, struct sim_entry_id id, char names[SIM_DETAIL_MAX])
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < voter_count; i++) {
        if (sim_ghost_holds(checks, voters[i], index, id)) {
            count++;
            if (names) {
                append_name(names, sim_check_node_name(checks, voters[i]));
            }
        }
    }
    return count;
}
