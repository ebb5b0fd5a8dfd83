/* A host's disk: files of numbered records with a cached image, which the node reads and
 * writes, and a durable image, which is what a crash leaves. Writes go to the cache and join
 * a list of unsynced changes; a sync applies the changes made before it to the durable image.
 *
 *     write, truncate, discard --> cached image --+--> [unsynced changes] --sync--> durable
 *                                                                    \--crash--> lost, torn
 *
 * One request at a time: a sync begins when those before it are done. A write by itself takes
 * no time, as into a page cache.
 *
 * An image of a file is a window of positions, begin .. end. A fault can leave a hole in it
 * (a change lost before one that survived): a position within the window without a record.
 *
 * Chance comes from the disk's own stream, with a fixed number of outputs for each write,
 * sync, crash and restart, whatever the knobs are: turning a fault on shifts no latency. */
#ifndef SIM_DISK_H
#define SIM_DISK_H

#include "sim/arena.h"
#include "sim/dist.h"
#include "sim/node.h"

struct sim_disk_knobs {
    struct sim_dist sync_latency; /* Nanoseconds for a sync. */
    uint64_t bytes_per_second;    /* Added for the bytes a sync covers; 0: no limit. */
    uint64_t capacity_bytes;      /* Beyond it a write fails with ENOSPC; 0: no limit. */
    uint32_t sync_error_ppm;      /* A sync fails with EIO; what it covered is lost or kept. */
    uint32_t write_error_ppm;     /* A write fails with EIO, changing nothing. */
    uint32_t lie_ppm;             /* A sync reports success and makes nothing durable. */
    uint32_t survive_ppm;         /* At a crash an unsynced change survives with this chance, */
    bool survive_any;             /* each for itself; else only a prefix can survive. */
    uint32_t torn_ppm;            /* The first change lost at a crash is torn instead. */
    uint32_t corrupt_ppm;         /* At a restart a durable record is found with a flipped bit. */
};

struct sim_disk; /* In the arena. */

/* Told what became durable, for the invariants: a write, a truncation (every position from
 * `position` on is gone) or a discard (every position before it); `label` is a write's, or NULL.
 * In the order in which the durable image changed. Damage (a torn or corrupt record, a wipe) is
 * not told: what is there now, sim_disk_durable_label() knows. Must not call the disk. */
enum sim_durable_kind { SIM_DURABLE_WRITE, SIM_DURABLE_TRUNCATE, SIM_DURABLE_DISCARD };
typedef void (*sim_disk_durable_fn)(void *context, uint32_t node, enum sim_durable_kind kind,
                                    uint32_t file, uint64_t position,
                                    const struct sim_label *label);

/* An empty disk without faults or delays, until told its knobs. `context` must be in the
 * arena or constant. Returns NULL if the arena is full; lives as long as the arena. */
SIM_NODISCARD struct sim_disk *sim_disk_new(struct sim_arena *arena, struct sim_rng rng,
                                            uint32_t node, sim_disk_durable_fn durable,
                                            void *context);

/* Go on in another stream; a sync under way keeps the fate it was given. */
void sim_disk_reseed(struct sim_disk *disk, struct sim_rng rng);

/* Knobs may change at any time (a fault, an administrator). Borrowed: constant data or in the
 * arena. A sync under way keeps the fate and the time it was given when it began. */
void sim_disk_set_knobs(struct sim_disk *disk, const struct sim_disk_knobs *knobs);

/* The effects of sim/node.h. Into a file that is not empty, a write must be at begin .. end:
 * anywhere else is a bug of the node, and asserts. A truncation below the end moves the end
 * there, a discard above the begin the begin (so an emptied file goes on at that position);
 * any other changes nothing.
 *
 * Errors: SIM_EIO and SIM_ENOSPC for writes (one that does not grow its record always has
 * room); SIM_ENOMEM, the world is full. Nothing is changed then. Memory can also run out
 * where nothing can be answered, in a crash or a restart: a survivor then counts as lost,
 * and every later request here answers SIM_ENOMEM until the disk is wiped. */
SIM_NODISCARD enum sim_status sim_disk_do_write(struct sim_disk *disk, uint32_t file,
                                                uint64_t position, const void *data,
                                                uint32_t size_bytes, struct sim_label label);
SIM_NODISCARD enum sim_status sim_disk_do_truncate(struct sim_disk *disk, uint32_t file,
                                                   uint64_t from);
SIM_NODISCARD enum sim_status sim_disk_do_discard(struct sim_disk *disk, uint32_t file,
                                                  uint64_t before);

/* Begin a sync at `now_ns`; *done_ns says when to call sim_disk_finish_sync(): the syncs
 * before it come first, then a sample of the latency and the time for the bytes written since
 * the last sync began. Whether it will lie or fail is drawn here.
 *
 * Errors: SIM_ENOMEM; no sync has begun. */
SIM_NODISCARD enum sim_status sim_disk_begin_sync(struct sim_disk *disk, uint64_t now_ns,
                                                  uint64_t token, uint64_t *done_ns);
/* The oldest sync under way is over: applies its changes, fills in its token and the number
 * of records really made durable, and answers SIM_OK or SIM_EIO (or SIM_ENOMEM, as above).
 *
 * A failed sync leaves each of its changes durable or not, by chance, and forgets them all:
 * the cached image keeps them, but no later sync covers them again. So do ext4, XFS and
 * Btrfs, which mark a page clean when writing it back failed: a node that retries the sync
 * gets SIM_OK for data that is gone (Rebello et al., "Can Applications Recover from fsync
 * Failures?", USENIX ATC 2020). A sync that lied leaves its changes to the next one. */
enum sim_status sim_disk_finish_sync(struct sim_disk *disk, uint64_t *token, uint32_t *records);

/* Power is cut: unsynced changes are lost, survive or tear as the knobs say; syncs under way
 * never finish (the owner must ignore their times). Returns the number of changes lost, the
 * torn one included. The cached image is then the durable one.
 *
 * With survive_any a change can survive one before it. What was lost is then a hole; a
 * surviving write that no longer adjoins the durable window replaces it (the node had emptied
 * the file in between), told as the truncation or discard that this is.
 *
 * A torn write leaves a record of the full size with a proper prefix of the bytes, zero from
 * there on, and no label; if it looks like the whole, it is the whole, and has survived. It
 * is the first change lost if that is a write, and with survive_any the first write lost. */
uint32_t sim_disk_crash(struct sim_disk *disk);
/* Before a restart: the durable image may have rotted (corrupt_ppm, for one record of the
 * disk, each as likely). The record has no label any more. */
void sim_disk_restart(struct sim_disk *disk);
/* A disk replaced by an empty one, or a wiped member: nothing is left, no sync under way
 * finishes, all memory but the disk itself is released. Knobs and stream go on. */
void sim_disk_wipe(struct sim_disk *disk);

/* The cached image. Reading a hole or outside the window gives NULL; an empty record gives a
 * pointer. `size_bytes` may be NULL. */
uint64_t sim_disk_cached_begin(const struct sim_disk *disk, uint32_t file);
uint64_t sim_disk_cached_end(const struct sim_disk *disk, uint32_t file);
const uint8_t *sim_disk_cached(const struct sim_disk *disk, uint32_t file, uint64_t position,
                               uint32_t *size_bytes);

/* The durable image, for the invariants: false if there is no whole record there. */
uint64_t sim_disk_durable_begin(const struct sim_disk *disk, uint32_t file);
uint64_t sim_disk_durable_end(const struct sim_disk *disk, uint32_t file);
bool sim_disk_durable_label(const struct sim_disk *disk, uint32_t file, uint64_t position,
                            struct sim_label *label);

/* Bytes of the records of the cached image. */
uint64_t sim_disk_used_bytes(const struct sim_disk *disk);

#endif
