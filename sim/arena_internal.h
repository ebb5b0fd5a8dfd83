/* The arena as its two files see it: sim/arena.c hands it out, sim/snapshot.c copies it.
 *
 *   | struct sim_arena | hot blocks ... | untouched ... | ... cold blocks | versions |
 *   0                  HEADER_BYTES     hot_end         cold.begin        cold.end = capacity
 *
 * 1. Every byte of the hot or the cold part belongs to the header, to a block in use, to a block
 *    on the free list of its part and class, or to the part's quarry.
 * 2. A block's class follows from its size and its part from its address, so no block carries a
 *    header.
 * 3. A page of cold memory that has the version it has in a snapshot has the same bytes: every
 *    version below `now` was given up by a snapshot or a restore, and means one state. */
#ifndef SIM_ARENA_INTERNAL_H
#define SIM_ARENA_INTERNAL_H

#include "sim/arena.h"

#ifdef SIM_ARENA_ASAN
#include <sanitizer/asan_interface.h>
#define POISON(start, size) ASAN_POISON_MEMORY_REGION(start, size)
#define UNPOISON(start, size) ASAN_UNPOISON_MEMORY_REGION(start, size)
#define POISONED(start) __asan_address_is_poisoned(start)
#else
#define POISON(start, size) ((void)(start), (void)(size))
#define UNPOISON(start, size) ((void)(start), (void)(size))
#define POISONED(start) ((void)(start), 0)
#endif

enum {
    GRAIN_BYTES = 16, /* Alignment, and the step between small classes. */
    LINE_BYTES = 64,  /* Alignment from SMALL_BYTES on. */
    SMALL_BYTES = 256,
    SMALL_CLASSES = SMALL_BYTES / GRAIN_BYTES,
    CAPACITY_BITS = 40, /* Less than 2^40 bytes. */
    CLASSES = SMALL_CLASSES + (CAPACITY_BITS - 8) * 4,
};

struct free_block {
    struct free_block *next;
};

/* What a part has to give besides untouched memory. Blocks below SMALL_BYTES are cut from large
 * free ones before that: what a growing array leaves behind is not lost, and a snapshot stays
 * small. The block being cut up is the quarry; its uncut end is on no free list. */
struct part {
    uint8_t *quarry;
    size_t quarry_left_bytes;
    size_t large_free_count; /* Free blocks that may become the quarry. */
    struct free_block *free_blocks[CLASSES];
};

struct sim_arena {
    struct sim_arena_cold cold;
    uint64_t number; /* No two arenas of a process have the same, also one after the other. */
    uint8_t *hot_end;
    struct part hot_part;
    struct part cold_part;
};

#define HEADER_BYTES ((sizeof(struct sim_arena) + LINE_BYTES - 1) / LINE_BYTES * LINE_BYTES)

/* Where the first block goes. */
static inline uint8_t *arena_hot_begin(const struct sim_arena *arena)
{
    return (uint8_t *)(uintptr_t)arena + HEADER_BYTES;
}

static inline size_t arena_hot_bytes(const struct sim_arena *arena) /* The header's included. */
{
    return (size_t)(arena->hot_end - (uint8_t *)(uintptr_t)arena);
}

static inline size_t arena_cold_bytes(const struct sim_arena *arena)
{
    return (size_t)(arena->cold.end - arena->cold.begin);
}

/* The cold pages with a byte in use; the last one may not be whole. */
static inline size_t arena_page_count(const struct sim_arena *arena)
{
    return (arena_cold_bytes(arena) + SIM_ARENA_PAGE_BYTES - 1) / SIM_ARENA_PAGE_BYTES;
}

/* Under ASan free blocks are poisoned, and so is what a reset or a restore gives up and a
 * line beside the last block, so that a stray access is caught as it would be on the heap. A
 * copy of whole parts first lifts the poison; this puts it back. */
void arena_poison_free_blocks(const struct sim_arena *arena);

#endif
