/* One block of memory that holds one world, its nodes' state included.
 *
 * Allocation is a bump with free lists by size class; the allocator's own state lives inside
 * the block. A snapshot copies the used part out, a restore copies it back to the same
 * address, so pointers between objects of the arena stay good, and a pointer from inside to
 * outside must be to a constant. No address ever decides anything.
 *
 * Size classes are 16 bytes apart up to 256, then four to a doubling: at most a fifth of a
 * large block is rounding. The used part never shrinks (but by a reset or a restore), and a
 * released block serves only its own class again. */
#ifndef SIM_ARENA_H
#define SIM_ARENA_H

#include "sim/base.h"

struct sim_arena; /* Sits at the start of its own block. */

/* A block of `capacity_bytes`, the allocator's own few KiB included; pages are touched only
 * when used. NULL if out of memory, if the capacity cannot hold even the allocator, or if it
 * is 1 TiB or more. */
SIM_NODISCARD struct sim_arena *sim_arena_new(size_t capacity_bytes);
void sim_arena_free(struct sim_arena *arena);

/* Forget everything, keeping the block: the next world of a sweep is built in warm pages. */
void sim_arena_reset(struct sim_arena *arena);

/* Zeroed memory, aligned to 16 bytes, from 256 bytes on to 64 (a cache line); NULL if the
 * arena is full (size 0 gives NULL too). */
SIM_NODISCARD void *sim_arena_alloc(struct sim_arena *arena, size_t size_bytes);

/* The same without zeroing, for blocks the caller fills at once. */
SIM_NODISCARD void *sim_arena_alloc_raw(struct sim_arena *arena, size_t size_bytes);

/* Give back a block with the size it was asked for. NULL is ignored. */
void sim_arena_release(struct sim_arena *arena, void *block, size_t size_bytes);

/* Grow an array to at least `needed` elements (doubling); the new part is zeroed. On failure
 * nothing changes and false is returned. `array_pointer` is the address of the caller's
 * pointer; *capacity counts elements, and *capacity * element_bytes is the size to release. */
SIM_NODISCARD bool sim_arena_grow(struct sim_arena *arena, void *array_pointer, size_t *capacity,
                                  size_t needed, size_t element_bytes);

size_t sim_arena_used_bytes(const struct sim_arena *arena); /* What a snapshot copies. */
size_t sim_arena_capacity_bytes(const struct sim_arena *arena);
bool sim_arena_holds(const struct sim_arena *arena, const void *pointer);

/* A copy of a world, outside its arena. Reuse one: copying into touched memory is faster.
 * All zero is an empty one. */
struct sim_snapshot {
    uint8_t *bytes;
    size_t size_bytes;
    size_t capacity_bytes;
};

/* Errors: SIM_ENOMEM; the snapshot then still holds what it held before. */
SIM_NODISCARD enum sim_status sim_snapshot_take(struct sim_snapshot *snapshot,
                                                const struct sim_arena *arena);
/* The arena must be the one the snapshot was taken of (asserts). */
void sim_snapshot_restore(const struct sim_snapshot *snapshot, struct sim_arena *arena);
void sim_snapshot_release(struct sim_snapshot *snapshot);

#endif
