/* One block of memory that holds one world, its nodes' state included.
 *
 * Allocation is a bump with free lists by size class; the allocator's own state lives inside
 * the block. A snapshot copies the used part out, a restore copies it back to the same
 * address, so pointers between objects of the arena stay good, and a pointer from inside to
 * outside must be to a constant. No address ever decides anything.
 *
 * Most of a world is its past: records on disks, entries of logs, operations that have ended.
 * Such memory is allocated cold. Hot memory is anybody's to write, and every snapshot copies all
 * of it; who writes to cold memory says so with sim_arena_will_write(), and a snapshot copies the
 * pages of it that were written since it and the arena were last the same.
 *
 * Size classes are 16 bytes apart up to 256, then four to a doubling: at most a fifth of a
 * large block is rounding. The used part never shrinks (but by a reset or a restore), and a
 * released block serves only its own class again, hot or cold as it was. */
#ifndef SIM_ARENA_H
#define SIM_ARENA_H

#include "sim/base.h"

struct sim_arena; /* Sits at the start of its own block. */

#if defined(__SANITIZE_ADDRESS__)
#define SIM_ARENA_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SIM_ARENA_ASAN 1
#endif
#endif

/* With AddressSanitizer all that a snapshot leaves out is compared, the more closely the smaller
 * the pages are. */
#ifdef SIM_ARENA_ASAN
#define SIM_ARENA_PAGE_BYTES 256
#else
#define SIM_ARENA_PAGE_BYTES 4096
#endif

/* The head of an arena: its cold memory, counted in pages from its end down. */
struct sim_arena_cold {
    uint8_t *begin;
    uint8_t *end;
    uint64_t *versions; /* Of each page: `now` when it was last written. */
    uint64_t now;       /* Grows with every snapshot and restore, and never falls. */
};

/* A block of `capacity_bytes`, the allocator's own included: a few KiB, and 8 bytes for every
 * page. Pages are touched only when used. NULL if out of memory, if the capacity cannot hold even
 * the allocator, or if it is 1 TiB or more. */
SIM_NODISCARD struct sim_arena *sim_arena_new(size_t capacity_bytes);
void sim_arena_free(struct sim_arena *arena);

/* Forget everything, keeping the block: the next world of a sweep is built in warm pages. */
void sim_arena_reset(struct sim_arena *arena);

/* Zeroed memory, aligned to 16 bytes, from 256 bytes on to 64 (a cache line); NULL if the
 * arena is full (size 0 gives NULL too). */
SIM_NODISCARD void *sim_arena_alloc(struct sim_arena *arena, size_t size_bytes);

/* The same without zeroing, for blocks the caller fills at once. */
SIM_NODISCARD void *sim_arena_alloc_raw(struct sim_arena *arena, size_t size_bytes);

/* Cold memory, not zeroed, and good to write to until the next snapshot or restore. */
SIM_NODISCARD void *sim_arena_alloc_cold(struct sim_arena *arena, size_t size_bytes);

/* These bytes, which may be hot as well, are going to be written or just were; no snapshot or
 * restore may come between. A write that is not said is lost by a later restore. */
static inline void sim_arena_will_write(struct sim_arena *arena, const void *memory,
                                        size_t size_bytes)
{
    const struct sim_arena_cold *cold = (const void *)arena;
    const uintptr_t end = (uintptr_t)cold->end;
    const uintptr_t at = (uintptr_t)memory;
    assert(size_bytes > 0);
    if (at - (uintptr_t)cold->begin >= end - (uintptr_t)cold->begin) {
        return; /* Hot. */
    }
    const size_t last = (end - 1 - at) / SIM_ARENA_PAGE_BYTES;
    size_t page = (end - at - size_bytes) / SIM_ARENA_PAGE_BYTES;
    do { /* Nearly always one. */
        cold->versions[page] = cold->now;
    } while (SIM_UNLIKELY(++page <= last));
}

/* Give back a block with the size it was asked for. NULL is ignored. */
void sim_arena_release(struct sim_arena *arena, void *block, size_t size_bytes);

/* Grow an array to at least `needed` elements (doubling); the new part is zeroed. On failure
 * nothing changes and false is returned. `array_pointer` is the address of the caller's
 * pointer; *capacity counts elements, and *capacity * element_bytes is the size to release. */
SIM_NODISCARD bool sim_arena_grow(struct sim_arena *arena, void *array_pointer, size_t *capacity,
                                  size_t needed, size_t element_bytes);

/* The same in cold memory. */
SIM_NODISCARD bool sim_arena_grow_cold(struct sim_arena *arena, void *array_pointer,
                                       size_t *capacity, size_t needed, size_t element_bytes);

size_t sim_arena_used_bytes(const struct sim_arena *arena);
size_t sim_arena_capacity_bytes(const struct sim_arena *arena); /* The most that can be used. */
bool sim_arena_holds(const struct sim_arena *arena, const void *pointer);

/* A copy of a world, outside its arena. Reuse one: what it holds already is not copied again,
 * and copying into touched memory is faster. All zero is an empty one. */
struct sim_snapshot {
    uint64_t arena; /* Number of the arena that it is of; 0: of none. */
    uint8_t *hot;
    size_t hot_bytes;
    size_t hot_capacity_bytes;
    uint8_t *pages;     /* Cold memory: the last page of the arena first. */
    uint64_t *versions; /* Of each page. */
    size_t page_count;
    size_t page_capacity;
};

/* Errors: SIM_ENOMEM; the snapshot then still holds what it held before. */
SIM_NODISCARD enum sim_status sim_snapshot_take(struct sim_snapshot *snapshot,
                                                struct sim_arena *arena);
/* The arena must be the one the snapshot was taken of (asserts). */
void sim_snapshot_restore(const struct sim_snapshot *snapshot, struct sim_arena *arena);
size_t sim_snapshot_bytes(const struct sim_snapshot *snapshot);
void sim_snapshot_release(struct sim_snapshot *snapshot);

#endif
