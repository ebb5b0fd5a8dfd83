/* How changes become durable: one after the other, by syncs. */
#include "sim/disk_internal.h"

enum { DOUBT_PPM = 500000 }; /* A change of a failed sync became durable. */

/* ---- One change --------------------------------------------------------------------- */

static void tell(const struct sim_disk *disk, enum sim_durable_kind kind, uint32_t file,
                 uint64_t position, const struct sim_label *label)
{
    if (disk->durable) {
        disk->durable(disk->context, disk->node, kind, file, position, label);
    }
}

bool disk_durable_reach(struct sim_disk *disk, const struct disk_change *change)
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

bool disk_change_apply(struct sim_disk *disk, const struct disk_change *change)
{
    struct disk_image *durable = &disk->files[change->file].durable;
    const struct sim_label *label = NULL;
    switch ((enum sim_durable_kind)change->kind) {
    case SIM_DURABLE_WRITE:
        if (!disk_durable_reach(disk, change)) {
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

void disk_change_pop(struct sim_disk *disk)
{
    disk_list_drop_front(&disk->changes, 1);
    disk->first_change++;
}

void disk_change_lose(struct sim_disk *disk)
{
    disk_blob_drop(disk->arena, disk_change_at(disk, 0)->blob);
    disk_change_pop(disk);
}

/* ---- Syncs -------------------------------------------------------------------------- */

enum sim_status sim_disk_begin_sync(struct sim_disk *disk, uint64_t now_ns, uint64_t token,
                                    uint64_t *done_ns)
{
    const struct sim_disk_knobs *knobs = disk->knobs;
    if (disk->exhausted ||
        !disk_list_reserve(disk->arena, &disk->syncs, 1, sizeof(struct disk_sync))) {
        return SIM_ENOMEM;
    }
    struct disk_sync sync = {.mark = disk->first_change + disk->changes.count, .token = token};
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

    struct disk_sync *added =
        (struct disk_sync *)disk->syncs.items + disk->syncs.head + disk->syncs.count++;
    sim_arena_will_write(disk->arena, added, sizeof *added);
    *added = sync;
    return SIM_OK;
}

enum sim_status sim_disk_finish_sync(struct sim_disk *disk, uint64_t *token, uint32_t *records)
{
    assert(disk->syncs.count > 0);
    const struct disk_sync *syncs = disk->syncs.items;
    const struct disk_sync sync = syncs[disk->syncs.head];
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
        const struct disk_change *change = disk_change_at(disk, 0);
        const bool keeps = !sync.fails || sim_rng_chance(&doubt, DOUBT_PPM);
        if (!keeps) {
            disk_change_lose(disk);
            continue;
        }
        if (!disk_change_apply(disk, change)) {
            disk->exhausted = true;
            return SIM_ENOMEM;
        }
        *records += change->kind == SIM_DURABLE_WRITE;
        disk_change_pop(disk);
    }
    return sync.fails ? SIM_EIO : SIM_OK;
}
