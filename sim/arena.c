/* Handing out memory; sim/arena_internal.h has the picture. */
#include "sim/arena_internal.h"

#include <stdatomic.h>
#include <stdlib.h>

enum { QUARRY_BYTES = 8192 }; /* Free blocks from this size on may be cut up. */

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

static bool is_cold(const struct sim_arena *arena, const void *memory)
{
    const uint8_t *at = memory;
    return at >= arena->cold.begin && at < arena->cold.end;
}

/* ---- Free blocks ------------------------------------------------------------------------ */

static void free_list_add(struct sim_arena *arena, struct part *part, void *block,
                          size_t size_class)
{
    struct free_block *freed = block;
    sim_arena_will_write(arena, freed, sizeof *freed);
    freed->next = part->free_blocks[size_class];
    part->free_blocks[size_class] = freed;
    part->large_free_count += class_bytes(size_class) >= QUARRY_BYTES;
    POISON(block, (size_t)class_bytes(size_class));
}

/* The first block of a class's free list; NULL if it is empty. */
static struct free_block *free_list_take(struct part *part, size_t size_class)
{
    struct free_block *freed = part->free_blocks[size_class];
    if (freed) {
        UNPOISON(freed, sizeof *freed);
        part->free_blocks[size_class] = freed->next;
        part->large_free_count -= class_bytes(size_class) >= QUARRY_BYTES;
        POISON(freed, sizeof *freed);
    }
    return freed;
}

#ifdef SIM_ARENA_ASAN
static void poison_free_blocks_of(const struct part *part)
{
    for (size_t size_class = 0; size_class < CLASSES; size_class++) {
        for (struct free_block *b = part->free_blocks[size_class]; b;) {
            struct free_block *next = b->next;
            POISON(b, (size_t)class_bytes(size_class));
            b = next;
        }
    }
}
#endif

void arena_poison_free_blocks(const struct sim_arena *arena)
{
#ifdef SIM_ARENA_ASAN
    poison_free_blocks_of(&arena->hot_part);
    poison_free_blocks_of(&arena->cold_part);
#else
    (void)arena;
#endif
}

/* ---- Untouched memory ------------------------------------------------------------------- */

/* What a bump leaves unused to be aligned, 16, 32 or 48 bytes: a free block of its own. */
static void add_gap(struct sim_arena *arena, struct part *part, uint8_t *gap, size_t gap_bytes)
{
    if (gap_bytes > 0) {
        UNPOISON(gap, gap_bytes);
        free_list_add(arena, part, gap, class_of(gap_bytes));
    }
}

/* Cut a new block off the untouched memory, at its begin for the hot part and at its end for the
 * cold one; NULL if it does not fit. */
static void *bump(struct sim_arena *arena, struct part *part, uint64_t size_bytes)
{
    const bool hot = part == &arena->hot_part;
    uint8_t *edge = hot ? arena->hot_end : arena->cold.begin;
    const size_t over = size_bytes >= SMALL_BYTES ? (uintptr_t)edge % LINE_BYTES : 0;
    const size_t gap = over > 0 && hot ? LINE_BYTES - over : over;
    const size_t left = (size_t)(arena->cold.begin - arena->hot_end);
    if (left < gap || size_bytes > left - gap) {
        return NULL;
    }
    uint8_t *start;
    const size_t line =
        left - gap - size_bytes < LINE_BYTES ? left - gap - (size_t)size_bytes : LINE_BYTES;
    if (hot) {
        start = edge + gap;
        arena->hot_end = start + size_bytes;
        POISON(start, (size_t)size_bytes + line);
        add_gap(arena, part, edge, gap);
    } else {
        start = edge - gap - size_bytes;
        arena->cold.begin = start;
        sim_arena_will_write(arena, start, (size_t)size_bytes); /* The new pages, all of them. */
        POISON(start - line, (size_t)size_bytes + line);
        add_gap(arena, part, edge - gap, gap);
    }
    return start;
}

/* ---- The quarry ------------------------------------------------------------------------- */

/* The end of the quarry goes to the free lists, in whole blocks. */
static void close_quarry(struct sim_arena *arena, struct part *part)
{
    while (part->quarry_left_bytes > 0) {
        const size_t left = part->quarry_left_bytes;
        size_t size_class = class_of(left);
        size_class -= class_bytes(size_class) > left;
        uint8_t *rest = part->quarry;
        UNPOISON(rest, sizeof(struct free_block));
        free_list_add(arena, part, rest, size_class);
        part->quarry += (size_t)class_bytes(size_class);
        part->quarry_left_bytes -= (size_t)class_bytes(size_class);
    }
}

/* Make the smallest large free block the quarry, or one more of cold memory, where small blocks are
 * to lie in the order in which they came. False if there is none. */
static bool open_quarry(struct sim_arena *arena, struct part *part)
{
    size_t size_class = class_of(QUARRY_BYTES);
    void *block = NULL;
    if (part->large_free_count > 0) {
        while (!(block = free_list_take(part, size_class))) {
            size_class++;
        }
    } else if (part == &arena->cold_part) {
        block = bump(arena, part, QUARRY_BYTES);
    }
    if (block) {
        close_quarry(arena, part);
        part->quarry = block;
        part->quarry_left_bytes = (size_t)class_bytes(size_class);
    }
    return block;
}

/* Cut a small block off the quarry; NULL if there is nothing to cut. */
static void *cut(struct sim_arena *arena, struct part *part, size_t size_bytes)
{
    if (size_bytes > part->quarry_left_bytes && !open_quarry(arena, part)) {
        return NULL;
    }
    uint8_t *start = part->quarry;
    part->quarry += size_bytes;
    part->quarry_left_bytes -= size_bytes;
    return start;
}

/* ---- Blocks ----------------------------------------------------------------------------- */

/* How many there have been: a snapshot must not take one arena for another that lay at the same
 * address. It decides nothing else. */
static _Atomic uint64_t arenas;

struct sim_arena *sim_arena_new(size_t capacity_bytes)
{
    capacity_bytes -= capacity_bytes % LINE_BYTES; /* What aligned_alloc() asks for. */
    if ((uint64_t)capacity_bytes >> CAPACITY_BITS) {
        return NULL;
    }
    const size_t pages = capacity_bytes / SIM_ARENA_PAGE_BYTES + 1;
    const size_t lines = (pages * sizeof(uint64_t) + LINE_BYTES - 1) / LINE_BYTES;
    if (capacity_bytes < HEADER_BYTES + lines * LINE_BYTES) {
        return NULL;
    }
    /* Large blocks come straight from the kernel, which gives pages when they are touched. */
    struct sim_arena *arena = aligned_alloc(LINE_BYTES, capacity_bytes);
    if (!arena) {
        return NULL;
    }
    uint8_t *end = (uint8_t *)arena + capacity_bytes - lines * LINE_BYTES;
    *arena = (struct sim_arena){
        .cold = {.begin = end, .end = end, .versions = (uint64_t *)(void *)end, .now = 1},
        .number = atomic_fetch_add(&arenas, 1) + 1,
        .hot_end = arena_hot_begin(arena)};
    return arena;
}

void sim_arena_free(struct sim_arena *arena)
{
    free(arena);
}

void sim_arena_reset(struct sim_arena *arena)
{
    POISON(arena_hot_begin(arena), arena_hot_bytes(arena) - HEADER_BYTES);
    POISON(arena->cold.begin, arena_cold_bytes(arena));
    arena->hot_end = arena_hot_begin(arena);
    arena->cold.begin = arena->cold.end;
    memset(&arena->hot_part, 0, sizeof arena->hot_part);
    memset(&arena->cold_part, 0, sizeof arena->cold_part);
}

/* A block that no free list has. */
static void *alloc_anew(struct sim_arena *arena, struct part *part, size_t size_class)
{
    const uint64_t size_bytes = class_bytes(size_class);
    void *block = size_bytes < SMALL_BYTES ? cut(arena, part, (size_t)size_bytes) : NULL;
    return block ? block : bump(arena, part, size_bytes);
}

static inline void *alloc_in(struct sim_arena *arena, struct part *part, size_t size_bytes)
{
    /* Also keeps class_of() in range and sizes from wrapping. */
    if (size_bytes == 0 || size_bytes > sim_arena_capacity_bytes(arena)) {
        return NULL;
    }
    const size_t size_class = class_of(size_bytes);
    void *block = free_list_take(part, size_class);
    if (SIM_UNLIKELY(!block)) {
        block = alloc_anew(arena, part, size_class);
    }
    if (block) {
        UNPOISON(block, size_bytes);
    }
    return block;
}

void *sim_arena_alloc_raw(struct sim_arena *arena, size_t size_bytes)
{
    return alloc_in(arena, &arena->hot_part, size_bytes);
}

void *sim_arena_alloc_cold(struct sim_arena *arena, size_t size_bytes)
{
    void *block = alloc_in(arena, &arena->cold_part, size_bytes);
    if (block) {
        sim_arena_will_write(arena, block, size_bytes);
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
    assert((uintptr_t)block % GRAIN_BYTES == 0);
    assert(!POISONED(block)); /* Released twice. */
    UNPOISON(block, sizeof(struct free_block));
    struct part *part = is_cold(arena, block) ? &arena->cold_part : &arena->hot_part;
    free_list_add(arena, part, block, class_of(size_bytes));
}

typedef void *alloc_fn(struct sim_arena *arena, size_t size_bytes);

static bool grow(struct sim_arena *arena, alloc_fn *alloc, void *array_pointer, size_t *capacity,
                 size_t needed, size_t element_bytes)
{
    assert(element_bytes > 0);
    if (needed <= *capacity) {
        return true;
    }
    const size_t count = needed > *capacity * 2 ? needed : *capacity * 2;
    if (count > sim_arena_capacity_bytes(arena) / element_bytes) {
        return false;
    }
    void *array; /* The caller's pointer has a type of its own, so it is moved as bytes. */
    memcpy(&array, array_pointer, sizeof array);
    const size_t old_bytes = *capacity * element_bytes;

    /* All that the class holds anyway. The class stays the same, so the release finds it. */
    const uint64_t whole_bytes = class_bytes(class_of(count * element_bytes));
    const size_t new_capacity = (size_t)(whole_bytes / element_bytes);
    const size_t new_bytes = new_capacity * element_bytes;
    uint8_t *grown = alloc(arena, new_bytes);
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

bool sim_arena_grow(struct sim_arena *arena, void *array_pointer, size_t *capacity, size_t needed,
                    size_t element_bytes)
{
    return grow(arena, sim_arena_alloc_raw, array_pointer, capacity, needed, element_bytes);
}

bool sim_arena_grow_cold(struct sim_arena *arena, void *array_pointer, size_t *capacity,
                         size_t needed, size_t element_bytes)
{
    return grow(arena, sim_arena_alloc_cold, array_pointer, capacity, needed, element_bytes);
}

size_t sim_arena_used_bytes(const struct sim_arena *arena)
{
    return arena_hot_bytes(arena) + arena_cold_bytes(arena);
}

size_t sim_arena_capacity_bytes(const struct sim_arena *arena)
{
    return (size_t)(arena->cold.end - (const uint8_t *)arena);
}

bool sim_arena_holds(const struct sim_arena *arena, const void *pointer)
{
    const uint8_t *at = pointer;
    return (at >= arena_hot_begin(arena) && at < arena->hot_end) || is_cold(arena, pointer);
}
