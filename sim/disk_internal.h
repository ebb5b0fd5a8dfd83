/* The inside of a disk, shared by the files that make it up and by nobody else:
 *
 *     disk.c          what a node writes and reads: the cached image
 *     disk_durable.c  syncs: how changes get to the durable image
 *     disk_crash.c    power cuts, restarts, wipes; what tears and what rots
 *     disk_image.c    records, and windows of them
 *
 * A record is an immutable blob, counted by who points at it (sim/disk_image.h), so that writing,
 * syncing and losing a record moves pointers and copies no bytes:
 *
 *     cached slots   . . B C D
 *                        | | \______________
 *     changes            | +--> write C     +--> write D     (oldest first)
 *                        |
 *     durable slots  . . B
 *
 * 1. A blob's count is the number of slots and changes that point at it.
 * 2. used_bytes is the sum of the sizes of the records in cached slots.
 * 3. The oldest unsynced change has the number first_change; a sync covers the changes with
 *    numbers below its own mark, and marks never fall from one sync to the next. */
#ifndef SIM_DISK_INTERNAL_H
#define SIM_DISK_INTERNAL_H

#include "sim/disk.h"
#include "sim/disk_image.h"

struct disk_file {
    struct disk_image cached;
    struct disk_image durable;
};

struct disk_change {
    struct disk_blob *blob; /* What was written; NULL for a truncation or a discard. */
    uint64_t position;
    uint64_t cached_begin; /* The cached window when a write was done. */
    uint64_t cached_end;
    uint32_t kind; /* enum sim_durable_kind */
    uint32_t file;
};

struct disk_sync {
    uint64_t mark;
    uint64_t token;
    uint64_t doubt; /* Chooses what a failed sync keeps. */
    bool fails;
    bool lies;
};

struct sim_disk {
    struct sim_arena *arena;
    const struct sim_disk_knobs *knobs;
    sim_disk_durable_fn durable;
    void *context;
    struct sim_rng rng;
    uint32_t node;
    bool exhausted; /* Memory ran out where it could not be answered. */
    uint64_t busy_until_ns;
    uint64_t used_bytes;
    uint64_t uncovered_bytes; /* Written since the last sync began. */
    uint64_t first_change;
    struct disk_list changes; /* struct disk_change */
    struct disk_list syncs;   /* struct disk_sync */
    struct disk_file files[SIM_FILES_MAX];
};

static inline struct disk_change *disk_change_at(const struct sim_disk *disk, size_t i)
{
    struct disk_change *changes = disk->changes.items;
    return changes + disk->changes.head + i;
}

/* ---- disk_durable.c ---------------------------------------------------------------------- */

/* Make the durable window reach the position of a write. Its holes are at most the positions
 * that the cached window then had: a write that cannot be joined to the durable window even
 * so replaces it. False if the arena is full. */
SIM_NODISCARD bool disk_durable_reach(struct sim_disk *disk, const struct disk_change *change);
/* A write's slot takes over the change's blob. False if the arena is full, which leaves the change
 * undone. */
SIM_NODISCARD bool disk_change_apply(struct sim_disk *disk, const struct disk_change *change);
/* The oldest change is done with: applied, */
void disk_change_pop(struct sim_disk *disk);
/* or given up with its blob. */
void disk_change_lose(struct sim_disk *disk);

#endif
