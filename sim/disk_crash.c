/* What happens to a disk but for its node's doing: power cuts, restarts, wipes. */
#include "sim/disk_internal.h"

/* ---- Crash -------------------------------------------------------------------------- */

/* Replace a write's blob by a torn one; false if that changes no byte or there is no memory. */
static bool change_tear(struct sim_disk *disk, struct disk_change *change, uint64_t cut)
{
    const struct disk_blob *blob = change->blob;
    if (blob->size_bytes == 0) {
        return false;
    }
    struct disk_blob *torn = disk_blob_new(disk->arena, blob->size_bytes, blob->label, 1);
    if (!torn) {
        disk->exhausted = true;
        return false;
    }
    const uint32_t kept_bytes = (uint32_t)sim_mulhi64(cut, blob->size_bytes);
    memcpy(torn->bytes, blob->bytes, kept_bytes);
    memset(torn->bytes + kept_bytes, 0, blob->size_bytes - kept_bytes);
    torn->whole = memcmp(torn->bytes, blob->bytes, blob->size_bytes) == 0;
    disk_blob_drop(disk->arena, change->blob);
    sim_arena_will_write(disk->arena, change, sizeof *change);
    change->blob = torn;
    return true;
}

/* A torn record lands on the medium without being told: it is nothing to count on. Returns
 * whether the record came through whole after all, and was applied. */
static bool land_torn(struct sim_disk *disk, struct disk_change *change, uint64_t cut)
{
    if (!change_tear(disk, change, cut)) {
        return false;
    }
    if (change->blob->whole) {
        return disk_change_apply(disk, change);
    }
    if (disk_durable_reach(disk, change)) {
        disk_image_put(disk->arena, &disk->files[change->file].durable, change->position,
                       disk_blob_keep(disk->arena, change->blob));
    } else {
        disk->exhausted = true;
    }
    return false;
}

/* Decide every unsynced change; returns how many were lost. */
static uint32_t lose_changes(struct sim_disk *disk)
{
    const struct sim_disk_knobs *knobs = disk->knobs;
    struct sim_rng fate; /* One draw from the disk's stream, however much is unsynced. */
    sim_rng_seed(&fate, sim_rng_u64(&disk->rng), disk->node);
    bool tears = sim_rng_chance(&fate, knobs->torn_ppm);
    const uint64_t cut = sim_rng_u64(&fate);
    uint32_t lost = 0;
    while (disk->changes.count > 0) {
        struct disk_change *change = disk_change_at(disk, 0);
        const bool lucky = sim_rng_chance(&fate, knobs->survive_ppm);
        if (lucky && (knobs->survive_any || lost == 0)) {
            if (disk_change_apply(disk, change)) {
                disk_change_pop(disk);
                continue;
            }
            disk->exhausted = true;
        }
        if (tears && change->kind == SIM_DURABLE_WRITE) {
            tears = false;
            if (land_torn(disk, change, cut)) {
                disk_change_pop(disk);
                continue;
            }
        }
        lost++;
        /* A torn write behind a lost truncation would not be a prefix. */
        tears = tears && knobs->survive_any;
        disk_change_lose(disk);
    }
    return lost;
}

/* The cached image becomes a copy of the durable one. */
static void reread(struct sim_disk *disk, struct disk_file *file)
{
    struct disk_image *cached = &file->cached;
    const struct disk_image *durable = &file->durable;
    disk_image_truncate(disk->arena, cached, 0);
    cached->begin = durable->begin;
    if (!disk_image_extend_up(disk->arena, cached, disk_image_end(durable))) {
        disk->exhausted = true;
        return;
    }
    for (size_t i = 0; i < durable->slots.count; i++) {
        struct disk_blob *blob = disk_blob_keep(disk->arena, disk_image_slots(durable)[i]);
        disk_image_slots(cached)[i] = blob;
        disk->used_bytes += blob ? blob->size_bytes : 0;
    }
}

uint32_t sim_disk_crash(struct sim_disk *disk)
{
    const uint32_t lost = lose_changes(disk);
    disk->used_bytes = 0;
    for (uint32_t i = 0; i < SIM_FILES_MAX; i++) {
        reread(disk, &disk->files[i]);
    }
    disk_list_drop_front(&disk->syncs, disk->syncs.count);
    disk->busy_until_ns = 0;
    disk->uncovered_bytes = 0;
    return lost;
}

/* ---- Restart, wipe ------------------------------------------------------------------ */

/* Flip a bit of a copy: snapshots of a blob must not change under whoever holds it. */
static void rot(struct sim_disk *disk, struct disk_file *file, uint64_t position, uint64_t which)
{
    struct disk_blob *blob = disk_image_get(&file->durable, position);
    const bool both = disk_image_get(&file->cached, position) == blob;
    struct disk_blob *rotten =
        disk_blob_new(disk->arena, blob->size_bytes, blob->label, both ? 2 : 1);
    if (!rotten) {
        disk->exhausted = true;
        return;
    }
    memcpy(rotten->bytes, blob->bytes, blob->size_bytes);
    const uint64_t bit = sim_mulhi64(which, (uint64_t)blob->size_bytes * 8);
    rotten->bytes[bit / 8] ^= (uint8_t)(1U << (bit % 8));
    rotten->whole = false;
    if (both) {
        disk_image_put(disk->arena, &file->cached, position, rotten);
    }
    disk_image_put(disk->arena, &file->durable, position, rotten);
}

/* Count the durable records with bytes, and let the one numbered `target` rot. */
static uint64_t scan(struct sim_disk *disk, uint64_t target, uint64_t which)
{
    uint64_t count = 0;
    for (uint32_t i = 0; i < SIM_FILES_MAX; i++) {
        const struct disk_image *durable = &disk->files[i].durable;
        for (size_t slot = 0; slot < durable->slots.count; slot++) {
            const struct disk_blob *blob = disk_image_slots(durable)[slot];
            if (!blob || blob->size_bytes == 0) {
                continue;
            }
            if (count++ == target) {
                rot(disk, &disk->files[i], durable->begin + slot, which);
            }
        }
    }
    return count;
}

void sim_disk_restart(struct sim_disk *disk)
{
    const bool rots = sim_rng_chance(&disk->rng, disk->knobs->corrupt_ppm);
    const uint64_t record = sim_rng_u64(&disk->rng);
    const uint64_t which = sim_rng_u64(&disk->rng);
    if (rots) {
        const uint64_t count = scan(disk, UINT64_MAX, 0);
        (void)scan(disk, sim_mulhi64(record, count), which);
    }
}

void sim_disk_wipe(struct sim_disk *disk)
{
    while (disk->changes.count > 0) {
        disk_change_lose(disk);
    }
    disk_list_release(disk->arena, &disk->changes, sizeof(struct disk_change));
    disk_list_release(disk->arena, &disk->syncs, sizeof(struct disk_sync));
    for (uint32_t i = 0; i < SIM_FILES_MAX; i++) {
        disk_image_release(disk->arena, &disk->files[i].cached);
        disk_image_release(disk->arena, &disk->files[i].durable);
    }
    disk->exhausted = false;
    disk->busy_until_ns = 0;
    disk->used_bytes = 0;
    disk->uncovered_bytes = 0;
}
