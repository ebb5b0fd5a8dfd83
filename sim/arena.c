/* The block:
 *
 *   | struct sim_arena | blocks handed out or on a free list ... | untouched ...          |
 *   0                  HEADER_BYTES                              used_bytes     capacity_bytes
 *
 * 1. Every byte below used_bytes belongs to the header, to a block in use, or to a block on
 *    the free list of its class.
 * 2. A block's class follows from its size alone, so no block carries a header.
 * 3. Blocks below SMALL_BYTES are cut from large free ones before untouched memory: what a growing
 * array leaves behind is not lost, and a snapshot stays small. The block being cut up is the
 *    quarry; its uncut end is on no free list. */
#include "sim/arena.h"

#include <stdlib.h>

#if defined(__SANITIZE_ADDRESS__)
#define ARENA_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_ASAN 1
#endif
#endif

#ifdef ARENA_ASAN
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
    QUARRY_BYTES = 8192, /* Free blocks from this size on may be cut up. */
};

struct free_block {
    struct free_block *next;
};

struct sim_arena {
    size_t capacity_bytes;
    size_t used_bytes;
    size_t quarry_at; /* From the start of the arena. */
    size_t quarry_left_bytes;
    size_t large_free_count; /* Free blocks that may become the quarry. */
    struct free_block *free_blocks[CLASSES];
};

#define HEADER_BYTES ((sizeof(struct sim_arena) + LINE_BYTES - 1) / LINE_BYTES * LINE_BYTES)

/* The class of a size, 1 .. 2^CAPACITY_BITS. */
static size_t class_of(size_t size_bytes)
{
    if (size_bytes <= SMALL_BYTES) {
        return (size_bytes - 1) / GRAIN_BYTES;
    }
    const uint64_t last = size_bytes - 1;
    const unsigned bits = 63 - (unsigned)__builtin_clzll(last); /* 8 or more */
    const size_t quarter = (size_t)(last >> (bits - 2)) & 3;
    return SMALL_CLASSES + (bits - 8) * 4 + quarter;
}

/* The size of every block of a class; 64-bit, since a 32-bit target cannot hold the largest. */
static uint64_t class_bytes(size_t size_class)
{
    if (size_class < SMALL_CLASSES) {
        return (size_class + 1) * GRAIN_BYTES;
    }
    const size_t large = size_class - SMALL_CLASSES;
    return (uint64_t)(5 + large % 4) << (6 + large / 4);
}

static uint8_t *block_start(struct sim_arena *arena)
{
    return (uint8_t *)arena;
}

static void free_list_add(struct sim_arena *arena, void *block, size_t size_class)
{
    struct free_block *freed = block;
    freed->next = arena->free_blocks[size_class];
    arena->free_blocks[size_class] = freed;
    arena->large_free_count += class_bytes(size_class) >= QUARRY_BYTES;
    POISON(block, (size_t)class_bytes(size_class));
}

/* Under ASan free blocks are poisoned, and so is what a reset or a restore gives up and a
 * line after the last block, so that a stray access is caught as it would be on the heap. A
 * copy of the whole block first lifts the poison; this puts it back. */
static void poison_free_blocks(const struct sim_arena *arena)
{
#ifdef ARENA_ASAN
    for (size_t size_class = 0; size_class < CLASSES; size_class++) {
        for (struct free_block *b = arena->free_blocks[size_class]; b;) {
            struct free_block *next = b->next;
            POISON(b, (size_t)class_bytes(size_class));
            b = next;
        }
    }
#else
    (void)arena;
#endif
}

struct sim_arena *sim_arena_new(size_t capacity_bytes)
{
    capacity_bytes -= capacity_bytes % LINE_BYTES; /* What aligned_alloc() asks for. */
    if (capacity_bytes < HEADER_BYTES || (uint64_t)capacity_bytes >> CAPACITY_BITS) {
        return NULL;
    }
    /* Large blocks come straight from the kernel, which gives pages when they are touched. */
    struct sim_arena *arena = aligned_alloc(LINE_BYTES, capacity_bytes);
    if (!arena) {
        return NULL;
    }
    arena->capacity_bytes = capacity_bytes;
    arena->used_bytes = HEADER_BYTES;
    sim_arena_reset(arena);
    return arena;
}

void sim_arena_free(struct sim_arena *arena)
{
    free(arena);
}

void sim_arena_reset(struct sim_arena *arena)
{
    POISON(block_start(arena) + HEADER_BYTES, arena->used_bytes - HEADER_BYTES);
    arena->used_bytes = HEADER_BYTES;
    arena->quarry_left_bytes = 0;
    arena->large_free_count = 0;
    memset(arena->free_blocks, 0, sizeof arena->free_blocks);
}

/* The first block of a class's free list; NULL if it is empty. */
static struct free_block *free_list_take(struct sim_arena *arena, size_t size_class)
{
    struct free_block *freed = arena->free_blocks[size_class];
    if (freed) {
        UNPOISON(freed, sizeof *freed);
        arena->free_blocks[size_class] = freed->next;
        arena->large_free_count -= class_bytes(size_class) >= QUARRY_BYTES;
        POISON(freed, sizeof *freed);
    }
    return freed;
}

/* Make the smallest large free block the quarry, when there is one. */
static void open_quarry(struct sim_arena *arena)
{
    while (arena->quarry_left_bytes > 0) { /* The end of the old one: in whole blocks. */
        const size_t left = arena->quarry_left_bytes;
        size_t size_class = class_of(left);
        size_class -= class_bytes(size_class) > left;
        uint8_t *rest = block_start(arena) + arena->quarry_at;
        UNPOISON(rest, sizeof(struct free_block));
        free_list_add(arena, rest, size_class);
        arena->quarry_at += (size_t)class_bytes(size_class);
        arena->quarry_left_bytes -= (size_t)class_bytes(size_class);
    }
    for (size_t size_class = class_of(QUARRY_BYTES); size_class < CLASSES; size_class++) {
        struct free_block *block = free_list_take(arena, size_class);
        if (block) {
            arena->quarry_at = (size_t)((uint8_t *)block - block_start(arena));
            arena->quarry_left_bytes = (size_t)class_bytes(size_class);
            return;
        }
    }
}

/* Cut a small block off the quarry; NULL if there is nothing to cut. */
static void *cut(struct sim_arena *arena, size_t size_bytes)
{
    if (size_bytes > arena->quarry_left_bytes) {
        if (arena->large_free_count == 0) {
            return NULL;
        }
        open_quarry(arena);
    }
    uint8_t *start = block_start(arena) + arena->quarry_at;
    arena->quarry_at += size_bytes;
    arena->quarry_left_bytes -= size_bytes;
    return start;
}

/* Cut a new block off the untouched part; NULL if it does not fit. */
static void *bump(struct sim_arena *arena, uint64_t size_bytes)
{
    const size_t used = arena->used_bytes;
    const size_t gap =
        size_bytes >= SMALL_BYTES ? (LINE_BYTES - used % LINE_BYTES) % LINE_BYTES : 0;
    const size_t left = arena->capacity_bytes - used;
    if (left < gap || size_bytes > left - gap) {
        return NULL;
    }
    uint8_t *start = block_start(arena) + used;
    arena->used_bytes = used + gap + (size_t)size_bytes;
    if (gap) { /* 16, 32 or 48 bytes: a free block of its own. */
        UNPOISON(start, gap);
        free_list_add(arena, start, class_of(gap));
    }
    return start + gap;
}

void *sim_arena_alloc_raw(struct sim_arena *arena, size_t size_bytes)
{
    /* Also keeps class_of() in range and sizes from wrapping. */
    if (size_bytes == 0 || size_bytes > arena->capacity_bytes) {
        return NULL;
    }
    const size_t size_class = class_of(size_bytes);
    void *freed = free_list_take(arena, size_class);
    if (!freed && class_bytes(size_class) < SMALL_BYTES) {
        freed = cut(arena, (size_t)class_bytes(size_class));
    }
    if (freed) {
        UNPOISON(freed, size_bytes);
        return freed;
    }
    uint8_t *block = bump(arena, class_bytes(size_class));
    if (block) {
        const size_t left = arena->capacity_bytes - arena->used_bytes;
        POISON(block, (size_t)class_bytes(size_class) + (left < LINE_BYTES ? left : LINE_BYTES));
        UNPOISON(block, size_bytes);
    }
    return block;
}

void *sim_arena_alloc(struct sim_arena *arena, size_t size_bytes)
{
    void *block = sim_arena_alloc_raw(arena, size_bytes);
    if (block) {
        /* Always: after a reset, a release or a restore the memory is not fresh. */
        memset(block, 0, size_bytes);
    }
    return block;
}

void sim_arena_release(struct sim_arena *arena, void *block, size_t size_bytes)
{
    if (!block) {
        return;
    }
    assert(size_bytes > 0);
    assert(sim_arena_holds(arena, block));
    assert((size_t)((uint8_t *)block - block_start(arena)) % GRAIN_BYTES == 0);
    assert(!POISONED(block)); /* Released twice. */
    const size_t size_class = class_of(size_bytes);
    UNPOISON(block, sizeof(struct free_block));
    free_list_add(arena, block, size_class);
}

bool sim_arena_grow(struct sim_arena *arena, void *array_pointer, size_t *capacity, size_t needed,
                    size_t element_bytes)
{
    assert(element_bytes > 0);
    if (needed <= *capacity) {
        return true;
    }
    const size_t count = needed > *capacity * 2 ? needed : *capacity * 2;
    if (count > arena->capacity_bytes / element_bytes) {
        return false;
    }
    void *array; /* The caller's pointer has a type of its own, so it is moved as bytes. */
    memcpy(&array, array_pointer, sizeof array);
    const size_t old_bytes = *capacity * element_bytes;

    /* All that the class holds anyway. The class stays the same, so the release finds it. */
    const uint64_t whole_bytes = class_bytes(class_of(count * element_bytes));
    const size_t new_capacity = (size_t)(whole_bytes / element_bytes);
    const size_t new_bytes = new_capacity * element_bytes;
    uint8_t *grown = sim_arena_alloc_raw(arena, new_bytes);
    if (!grown) {
        return false;
    }
    if (old_bytes > 0) {
        memcpy(grown, array, old_bytes);
        sim_arena_release(arena, array, old_bytes);
    }
    memset(grown + old_bytes, 0, new_bytes - old_bytes);
    memcpy(array_pointer, &grown, sizeof grown);
    *capacity = new_capacity;
    return true;
}

size_t sim_arena_used_bytes(const struct sim_arena *arena)
{
    return arena->used_bytes;
}

size_t sim_arena_capacity_bytes(const struct sim_arena *arena)
{
    return arena->capacity_bytes;
}

bool sim_arena_holds(const struct sim_arena *arena, const void *pointer)
{
    const uintptr_t start = (uintptr_t)arena;
    const uintptr_t address = (uintptr_t)pointer;
    return address >= start + HEADER_BYTES && address < start + arena->used_bytes;
}

enum sim_status sim_snapshot_take(struct sim_snapshot *snapshot, const struct sim_arena *arena)
{
    const size_t size_bytes = arena->used_bytes;
    if (size_bytes > snapshot->capacity_bytes) {
        /* A quarter more: a world that grows is not given a new buffer every time. */
        const size_t capacity_bytes = size_bytes + size_bytes / 4;
        uint8_t *bytes = malloc(capacity_bytes);
        if (!bytes) {
            return SIM_ENOMEM;
        }
        free(snapshot->bytes);
        snapshot->bytes = bytes;
        snapshot->capacity_bytes = capacity_bytes;
    }
    UNPOISON(arena, size_bytes);
    memcpy(snapshot->bytes, arena, size_bytes);
    poison_free_blocks(arena);
    snapshot->size_bytes = size_bytes;
    return SIM_OK;
}

void sim_snapshot_restore(const struct sim_snapshot *snapshot, struct sim_arena *arena)
{
    struct sim_arena saved;
    assert(snapshot->size_bytes >= sizeof saved);
    memcpy(&saved, snapshot->bytes, sizeof saved);
    assert(saved.capacity_bytes == arena->capacity_bytes);
    assert(saved.used_bytes == snapshot->size_bytes);

    const size_t old_used_bytes = arena->used_bytes;
    UNPOISON(arena, snapshot->size_bytes);
    memcpy(arena, snapshot->bytes, snapshot->size_bytes);
    if (old_used_bytes > arena->used_bytes) {
        POISON(block_start(arena) + arena->used_bytes, old_used_bytes - arena->used_bytes);
    }
    poison_free_blocks(arena);
}

void sim_snapshot_release(struct sim_snapshot *snapshot)
{
    free(snapshot->bytes);
    *snapshot = (struct sim_snapshot){0};
}
