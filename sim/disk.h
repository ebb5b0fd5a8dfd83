/* A host's disk: files of numbered records with a cached image, which the node reads and
 * writes, and a durable image, which is what a crash leaves. Writes go to the cache and join
 * a list of unsynced changes; a sync applies the changes made before it to the durable image.
 *
 *     write, truncate, discard --> cached image --+--> [unsynced changes] --sync--> durable
 *                                                                    \--crash--> lost, torn
 *
 * One request at a time: a sync begins when those before it are done. */
#ifndef SIM_DISK_H
#define SIM_DISK_H

#include "sim/arena.h"
#include "sim/dist.h"
#include "sim/node.h"

struct sim_disk_knobs {
    struct sim_dist sync_latency;   /* Nanoseconds for a sync. */
    uint64_t bytes_per_second;      /* Added for the bytes a sync covers; 0: no limit. */
    uint64_t capacity_bytes;        /* Beyond it a write fails with ENOSPC; 0: no limit. */
    uint32_t sync_error_ppm;        /* A sync fails with EIO; what it covered is lost or kept. */
    uint32_t write_error_ppm;       /* A write fails with EIO, changing nothing. */
    uint32_t lie_ppm;               /* A sync reports success and makes nothing durable. */
    uint32_t survive_ppm;           /* At a crash an unsynced change survives with this chance, */
    bool survive_any;               /* each for itself; else only a prefix can survive. */
    uint32_t torn_ppm;              /* The first change lost at a crash is torn instead. */
    uint32_t corrupt_ppm;           /* At a restart a durable record is found with a flipped bit. */
};

struct sim_disk; /* In the arena. */

/* Told what became durable, for the invariants: a write (label), a truncation (every position
 * from `position` on is gone) or a discard (every position before it). */
enum sim_durable_kind { SIM_DURABLE_WRITE, SIM_DURABLE_TRUNCATE, SIM_DURABLE_DISCARD };
typedef void (*sim_disk_durable_fn)(void *context, uint32_t node, enum sim_durable_kind kind,
                                    uint32_t file, uint64_t position, struct sim_label label);

SIM_NODISCARD struct sim_disk *sim_disk_new(struct sim_arena *arena, struct sim_rng rng,
                                            uint32_t node, sim_disk_durable_fn durable,
                                            void *context);

/* Knobs may change at any time (a fault, an administrator). Borrowed: constant data or in the
 * arena. */
void sim_disk_set_knobs(struct sim_disk *disk, const struct sim_disk_knobs *knobs);

SIM_NODISCARD enum sim_status sim_disk_do_write(struct sim_disk *disk, uint32_t file,
                                                uint64_t position, const void *data,
                                                uint32_t size_bytes, struct sim_label label);
SIM_NODISCARD enum sim_status sim_disk_do_truncate(struct sim_disk *disk, uint32_t file,
                                                   uint64_t from);
SIM_NODISCARD enum sim_status sim_disk_do_discard(struct sim_disk *disk, uint32_t file,
                                                  uint64_t before);

/* Begin a sync at `now_ns`; *done_ns says when to call sim_disk_finish_sync(). */
SIM_NODISCARD enum sim_status sim_disk_begin_sync(struct sim_disk *disk, uint64_t now_ns,
                                                  uint64_t token, uint64_t *done_ns);
/* The oldest sync under way is over: applies its changes, fills in its token and the number
 * of records made durable, and answers SIM_OK or SIM_EIO. */
enum sim_status sim_disk_finish_sync(struct sim_disk *disk, uint64_t *token, uint32_t *records);

/* Power is cut: unsynced changes are lost, survive or tear as the knobs say; syncs under way
 * never finish (the owner must ignore their times). Returns the number of changes lost. */
uint32_t sim_disk_crash(struct sim_disk *disk);
/* Before a restart: the durable image may have rotted (corrupt_ppm). */
void sim_disk_restart(struct sim_disk *disk);
/* A disk replaced by an empty one, or a wiped member. */
void sim_disk_wipe(struct sim_disk *disk);

/* The cached image. */
uint64_t sim_disk_cached_begin(const struct sim_disk *disk, uint32_t file);
uint64_t sim_disk_cached_end(const struct sim_disk *disk, uint32_t file);
const uint8_t *sim_disk_cached(const struct sim_disk *disk, uint32_t file, uint64_t position,
                               uint32_t *size_bytes);

/* The durable image, for the invariants: false if there is no whole record there. */
uint64_t sim_disk_durable_begin(const struct sim_disk *disk, uint32_t file);
uint64_t sim_disk_durable_end(const struct sim_disk *disk, uint32_t file);
bool sim_disk_durable_label(const struct sim_disk *disk, uint32_t file, uint64_t position,
                            struct sim_label *label);

uint64_t sim_disk_used_bytes(const struct sim_disk *disk);

#endif
