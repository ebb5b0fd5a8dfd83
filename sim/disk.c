/* What a node does with its disk: it writes to the cached image, and reads from there. */
#include "sim/disk_internal.h"

#define POSITION_MAX (UINT64_MAX - 1) /* So that the end is a number, too. */

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

static struct disk_file *file_of(struct sim_disk *disk, uint32_t file)
{
    assert(file < SIM_FILES_MAX);
    return &disk->files[file];
}

static const struct disk_file *file_seen(const struct sim_disk *disk, uint32_t file)
{
    assert(file < SIM_FILES_MAX);
    return &disk->files[file];
}

/* ---- Writing ------------------------------------------------------------------------ */

/* Room for one more change must have been reserved. */
static void change_push(struct sim_disk *disk, const struct disk_change *change)
{
    struct disk_change *added = disk_change_at(disk, disk->changes.count++);
    sim_arena_will_write(disk->arena, added, sizeof *added);
    *added = *change;
}

static bool has_room(const struct sim_disk *disk, uint32_t old_bytes, uint32_t size_bytes)
{
    const uint64_t capacity_bytes = disk->knobs->capacity_bytes;
    return capacity_bytes == 0 || size_bytes <= old_bytes ||
           disk->used_bytes - old_bytes + size_bytes <= capacity_bytes;
}

/* Put a record where one is or at the end; room for one more slot must have been reserved. */
static void cache(struct sim_disk *disk, struct disk_image *cached, uint64_t position,
                  struct disk_blob *blob)
{
    if (cached->slots.count == 0) {
        cached->begin = position;
    }
    if (position == disk_image_end(cached)) {
        disk_image_slots(cached)[cached->slots.count++] = NULL;
    }
    disk_image_put(disk->arena, cached, position, blob);
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
        !disk_list_reserve(disk->arena, &disk->changes, 1, sizeof(struct disk_change)) ||
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
    cache(disk, cached, position, blob);
    disk->used_bytes += (uint64_t)size_bytes - old_bytes;
    disk->uncovered_bytes += size_bytes;
    change_push(disk, &(struct disk_change){.blob = blob,
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
        !disk_list_reserve(disk->arena, &disk->changes, 1, sizeof(struct disk_change))) {
        return SIM_ENOMEM;
    }
    if (from >= end) {
        return SIM_OK;
    }
    disk->used_bytes -= disk_image_bytes(cached, from > cached->begin ? from : cached->begin, end);
    disk_image_truncate(disk->arena, cached, from);
    change_push(
        disk, &(struct disk_change){.position = from, .kind = SIM_DURABLE_TRUNCATE, .file = file});
    return SIM_OK;
}

enum sim_status sim_disk_do_discard(struct sim_disk *disk, uint32_t file, uint64_t before)
{
    struct disk_image *cached = &file_of(disk, file)->cached;
    const uint64_t end = disk_image_end(cached);
    assert(before <= POSITION_MAX);
    if (disk->exhausted ||
        !disk_list_reserve(disk->arena, &disk->changes, 1, sizeof(struct disk_change))) {
        return SIM_ENOMEM;
    }
    if (before <= cached->begin) {
        return SIM_OK;
    }
    disk->used_bytes -= disk_image_bytes(cached, cached->begin, before < end ? before : end);
    disk_image_discard(disk->arena, cached, before);
    change_push(
        disk, &(struct disk_change){.position = before, .kind = SIM_DURABLE_DISCARD, .file = file});
    return SIM_OK;
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
