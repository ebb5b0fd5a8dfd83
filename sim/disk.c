/* A record is an immutable blob, counted by who points at it (sim/disk_image.h), so that writing,
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
#include "sim/disk.h"

#include "sim/disk_image.h"

#define POSITION_MAX (UINT64_MAX - 1) /* So that the end is a number, too. */

enum { DOUBT_PPM = 500000 }; /* A change of a failed sync became durable. */

struct file {
    struct disk_image cached;
    struct disk_image durable;
};

struct change {
    struct disk_blob *blob; /* What was written; NULL for a truncation or a discard. */
    uint64_t position;
    uint64_t cached_begin; /* The cached window when a write was done. */
    uint64_t cached_end;
    uint32_t kind; /* enum sim_durable_kind */
    uint32_t file;
};

struct sync {
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
    struct disk_list changes; /* struct change */
    struct disk_list syncs;   /* struct sync */
    struct file files[SIM_FILES_MAX];
};

/* ---- What a node does --------------------------------------------------------------- */

static struct change *change_at(const struct sim_disk *disk, size_t i)
{
    struct change *changes = disk->changes.items;
    return changes + disk->changes.head + i;
}

static const struct sim_disk_knobs no_knobs;

struct sim_disk *sim_disk_new(struct sim_arena *arena, struct sim_rng rng, uint32_t node,
                              sim_disk_durable_fn durable, void *context)
{
    struct sim_disk *disk = sim_arena_alloc(arena, sizeof *disk);
    if (disk) {
        disk->arena = arena;
        disk->knobs = &no_knobs;
        disk->durable = durable;
        disk->context = context;
        disk->rng = rng;
        disk->node = node;
    }
    return disk;
}

void sim_disk_reseed(struct sim_disk *disk, struct sim_rng rng)
{
    disk->rng = rng;
}

void sim_disk_set_knobs(struct sim_disk *disk, const struct sim_disk_knobs *knobs)
{
    disk->knobs = knobs;
}

static struct file *file_of(struct sim_disk *disk, uint32_t file)
{
    assert(file < SIM_FILES_MAX);
    return &disk->files[file];
}

static const struct file *file_seen(const struct sim_disk *disk, uint32_t file)
{
    assert(file < SIM_FILES_MAX);
    return &disk->files[file];
}

/* Room for one more change must have been reserved. */
static void change_push(struct sim_disk *disk, const struct change *change)
{
    struct change *added = change_at(disk, disk->changes.count++);
    sim_arena_will_write(disk->arena, added, sizeof *added);
    *added = *change;
}

static bool has_room(const struct sim_disk *disk, uint32_t old_bytes, uint32_t size_bytes)
{
    const uint64_t capacity_bytes = disk->knobs->capacity_bytes;
    return capacity_bytes == 0 || size_bytes <= old_bytes ||
           disk->used_bytes - old_bytes + size_bytes <= capacity_bytes;
}

enum sim_status sim_disk_do_write(struct sim_disk *disk, uint32_t file, uint64_t position,
                                  const void *data, uint32_t size_bytes, struct sim_label label)
{
    struct disk_image *cached = &file_of(disk, file)->cached;
    assert(position <= POSITION_MAX);
    if (cached->slots.count > 0) {
        assert(position >= cached->begin);
        assert(position <= disk_image_end(cached));
    }
    const bool fails = sim_rng_chance(&disk->rng, disk->knobs->write_error_ppm);
    if (fails) {
        return SIM_EIO;
    }
    const struct disk_blob *old = disk_image_get(cached, position);
    const uint32_t old_bytes = old ? old->size_bytes : 0;
    if (!has_room(disk, old_bytes, size_bytes)) {
        return SIM_ENOSPC;
    }
    if (disk->exhausted ||
        !disk_list_reserve(disk->arena, &disk->changes, 1, sizeof(struct change)) ||
        !disk_list_reserve(disk->arena, &cached->slots, 1, sizeof(struct disk_blob *))) {
        return SIM_ENOMEM;
    }
    struct disk_blob *blob =
        disk_blob_new(disk->arena, size_bytes, label, 2); /* Slot and change. */
    if (!blob) {
        return SIM_ENOMEM;
    }
    if (size_bytes > 0) {
        memcpy(blob->bytes, data, size_bytes);
    }
    if (cached->slots.count == 0) {
        cached->begin = position;
    }
    if (position == disk_image_end(cached)) {
        disk_image_slots(cached)[cached->slots.count++] = NULL;
    }
    disk_image_put(disk->arena, cached, position, blob);
    disk->used_bytes += (uint64_t)size_bytes - old_bytes;
    disk->uncovered_bytes += size_bytes;
    change_push(disk, &(struct change){.blob = blob,
                                       .position = position,
                                       .cached_begin = cached->begin,
                                       .cached_end = disk_image_end(cached),
                                       .kind = SIM_DURABLE_WRITE,
                                       .file = file});
    return SIM_OK;
}

enum sim_status sim_disk_do_truncate(struct sim_disk *disk, uint32_t file, uint64_t from)
{
    struct disk_image *cached = &file_of(disk, file)->cached;
    const uint64_t end = disk_image_end(cached);
    if (disk->exhausted ||
        !disk_list_reserve(disk->arena, &disk->changes, 1, sizeof(struct change))) {
        return SIM_ENOMEM;
    }
    if (from >= end) {
        return SIM_OK;
    }
    disk->used_bytes -= disk_image_bytes(cached, from > cached->begin ? from : cached->begin, end);
    disk_image_truncate(disk->arena, cached, from);
    change_push(disk,
                &(struct change){.position = from, .kind = SIM_DURABLE_TRUNCATE, .file = file});
    return SIM_OK;
}

enum sim_status sim_disk_do_discard(struct sim_disk *disk, uint32_t file, uint64_t before)
{
    struct disk_image *cached = &file_of(disk, file)->cached;
    const uint64_t end = disk_image_end(cached);
    assert(before <= POSITION_MAX);
    if (disk->exhausted ||
        !disk_list_reserve(disk->arena, &disk->changes, 1, sizeof(struct change))) {
        return SIM_ENOMEM;
    }
    if (before <= cached->begin) {
        return SIM_OK;
    }
    disk->used_bytes -= disk_image_bytes(cached, cached->begin, before < end ? before : end);
    disk_image_discard(disk->arena, cached, before);
    change_push(disk,
                &(struct change){.position = before, .kind = SIM_DURABLE_DISCARD, .file = file});
    return SIM_OK;
}

/* ---- Becoming durable --------------------------------------------------------------- */

static void tell(const struct sim_disk *disk, enum sim_durable_kind kind, uint32_t file,
                 uint64_t position, const struct sim_label *label)
{
    if (disk->durable) {
        disk->durable(disk->context, disk->node, kind, file, position, label);
    }
}

/* Make the durable window reach the position of a write. Its holes are at most the positions
 * that the cached window then had: a write that cannot be joined to the durable window even
 * so replaces it. */
static bool durable_reach(struct sim_disk *disk, const struct change *change)
{
    struct disk_image *durable = &disk->files[change->file].durable;
    if (durable->slots.count > 0 && change->cached_begin > disk_image_end(durable)) {
        disk_image_discard(disk->arena, durable, change->cached_begin);
        tell(disk, SIM_DURABLE_DISCARD, change->file, change->cached_begin, NULL);
    } else if (durable->slots.count > 0 && change->cached_end < durable->begin) {
        disk_image_truncate(disk->arena, durable, change->cached_end);
        tell(disk, SIM_DURABLE_TRUNCATE, change->file, change->cached_end, NULL);
    }
    if (durable->slots.count == 0) {
        durable->begin = change->cached_begin;
    }
    return disk_image_extend_down(disk->arena, durable, change->position) &&
           disk_image_extend_up(disk->arena, durable, change->position + 1);
}

/* A write's slot takes over the change's blob. False if the arena is full, which leaves the change
 * undone. */
static bool change_apply(struct sim_disk *disk, const struct change *change)
{
    struct disk_image *durable = &disk->files[change->file].durable;
    const struct sim_label *label = NULL;
    switch ((enum sim_durable_kind)change->kind) {
    case SIM_DURABLE_WRITE:
        if (!durable_reach(disk, change)) {
            return false;
        }
        label = &change->blob->label;
        disk_image_put(disk->arena, durable, change->position, change->blob);
        break;
    case SIM_DURABLE_TRUNCATE:
        disk_image_truncate(disk->arena, durable, change->position);
        break;
    case SIM_DURABLE_DISCARD:
        disk_image_discard(disk->arena, durable, change->position);
        break;
    }
    tell(disk, change->kind, change->file, change->position, label);
    return true;
}

/* The oldest change is done with: applied, or its blob given up. */
static void change_pop(struct sim_disk *disk)
{
    disk_list_drop_front(&disk->changes, 1);
    disk->first_change++;
}

static void change_lose(struct sim_disk *disk)
{
    disk_blob_drop(disk->arena, change_at(disk, 0)->blob);
    change_pop(disk);
}

enum sim_status sim_disk_begin_sync(struct sim_disk *disk, uint64_t now_ns, uint64_t token,
                                    uint64_t *done_ns)
{
    const struct sim_disk_knobs *knobs = disk->knobs;
    if (disk->exhausted || !disk_list_reserve(disk->arena, &disk->syncs, 1, sizeof(struct sync))) {
        return SIM_ENOMEM;
    }
    struct sync sync = {.mark = disk->first_change + disk->changes.count, .token = token};
    uint64_t time_ns = sim_dist_draw(&knobs->sync_latency, &disk->rng);
    sync.fails = sim_rng_chance(&disk->rng, knobs->sync_error_ppm);
    sync.lies = sim_rng_chance(&disk->rng, knobs->lie_ppm);
    sync.doubt = sim_rng_u64(&disk->rng);

    if (knobs->bytes_per_second > 0) {
        const uint64_t transfer_ns =
            sim_muldiv64(disk->uncovered_bytes, SIM_S, knobs->bytes_per_second);
        time_ns = sim_add_sat(time_ns, transfer_ns);
    }
    disk->uncovered_bytes = 0;
    const uint64_t start_ns = now_ns > disk->busy_until_ns ? now_ns : disk->busy_until_ns;
    disk->busy_until_ns = sim_add_sat(start_ns, time_ns);
    *done_ns = disk->busy_until_ns;

    struct sync *added = (struct sync *)disk->syncs.items + disk->syncs.head + disk->syncs.count++;
    sim_arena_will_write(disk->arena, added, sizeof *added);
    *added = sync;
    return SIM_OK;
}

enum sim_status sim_disk_finish_sync(struct sim_disk *disk, uint64_t *token, uint32_t *records)
{
    assert(disk->syncs.count > 0);
    const struct sync *syncs = disk->syncs.items;
    const struct sync sync = syncs[disk->syncs.head];
    disk_list_drop_front(&disk->syncs, 1);
    *token = sync.token;
    *records = 0;
    if (sync.lies && !sync.fails) {
        return SIM_OK;
    }
    /* Never from the disk's stream: how many changes there are would shift what comes next. */
    struct sim_rng doubt;
    sim_rng_seed(&doubt, sync.doubt, disk->node);
    while (disk->first_change < sync.mark) {
        const struct change *change = change_at(disk, 0);
        const bool keeps = !sync.fails || sim_rng_chance(&doubt, DOUBT_PPM);
        if (!keeps) {
            change_lose(disk);
            continue;
        }
        if (!change_apply(disk, change)) {
            disk->exhausted = true;
            return SIM_ENOMEM;
        }
        *records += change->kind == SIM_DURABLE_WRITE;
        change_pop(disk);
    }
    return sync.fails ? SIM_EIO : SIM_OK;
}

/* ---- Crash, restart, wipe ----------------------------------------------------------- */

/* Replace a write's blob by a torn one; false if that changes no byte or there is no memory. */
static bool change_tear(struct sim_disk *disk, struct change *change, uint64_t cut)
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
static bool land_torn(struct sim_disk *disk, struct change *change, uint64_t cut)
{
    if (!change_tear(disk, change, cut)) {
        return false;
    }
    if (change->blob->whole) {
        return change_apply(disk, change);
    }
    if (durable_reach(disk, change)) {
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
        struct change *change = change_at(disk, 0);
        const bool lucky = sim_rng_chance(&fate, knobs->survive_ppm);
        if (lucky && (knobs->survive_any || lost == 0)) {
            if (change_apply(disk, change)) {
                change_pop(disk);
                continue;
            }
            disk->exhausted = true;
        }
        if (tears && change->kind == SIM_DURABLE_WRITE) {
            tears = false;
            if (land_torn(disk, change, cut)) {
                change_pop(disk);
                continue;
            }
        }
        lost++;
        /* A torn write behind a lost truncation would not be a prefix. */
        tears = tears && knobs->survive_any;
        change_lose(disk);
    }
    return lost;
}

/* The cached image becomes a copy of the durable one. */
static void reread(struct sim_disk *disk, struct file *file)
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

/* Flip a bit of a copy: snapshots of a blob must not change under whoever holds it. */
static void rot(struct sim_disk *disk, struct file *file, uint64_t position, uint64_t which)
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
        change_lose(disk);
    }
    disk_list_release(disk->arena, &disk->changes, sizeof(struct change));
    disk_list_release(disk->arena, &disk->syncs, sizeof(struct sync));
    for (uint32_t i = 0; i < SIM_FILES_MAX; i++) {
        disk_image_release(disk->arena, &disk->files[i].cached);
        disk_image_release(disk->arena, &disk->files[i].durable);
    }
    disk->exhausted = false;
    disk->busy_until_ns = 0;
    disk->used_bytes = 0;
    disk->uncovered_bytes = 0;
}

/* ---- Reading ------------------------------------------------------------------------ */

uint64_t sim_disk_cached_begin(const struct sim_disk *disk, uint32_t file)
{
    return file_seen(disk, file)->cached.begin;
}

uint64_t sim_disk_cached_end(const struct sim_disk *disk, uint32_t file)
{
    return disk_image_end(&file_seen(disk, file)->cached);
}

const uint8_t *sim_disk_cached(const struct sim_disk *disk, uint32_t file, uint64_t position,
                               uint32_t *size_bytes)
{
    const struct disk_blob *blob = disk_image_get(&file_seen(disk, file)->cached, position);
    if (size_bytes) {
        *size_bytes = blob ? blob->size_bytes : 0;
    }
    return blob ? blob->bytes : NULL;
}

uint64_t sim_disk_durable_begin(const struct sim_disk *disk, uint32_t file)
{
    return file_seen(disk, file)->durable.begin;
}

uint64_t sim_disk_durable_end(const struct sim_disk *disk, uint32_t file)
{
    return disk_image_end(&file_seen(disk, file)->durable);
}

bool sim_disk_durable_label(const struct sim_disk *disk, uint32_t file, uint64_t position,
                            struct sim_label *label)
{
    const struct disk_blob *blob = disk_image_get(&file_seen(disk, file)->durable, position);
    if (!blob || !blob->whole) {
        return false;
    }
    *label = blob->label;
    return true;
}

uint64_t sim_disk_used_bytes(const struct sim_disk *disk)
{
    return disk->used_bytes;
}
