/* The arena: blocks that do not overlap, snapshots that bring everything back. */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <signal.h>

#include "sim/arena.h"
#include "sim/rng.h"

enum { KIB = 1024, MIB = 1024 * 1024 };

static struct sim_arena *arena_of(size_t capacity_bytes)
{
    struct sim_arena *arena = sim_arena_new(capacity_bytes);
    cr_assert_not_null(arena);
    return arena;
}

static bool all_bytes_are(const uint8_t *block, size_t size_bytes, uint8_t value)
{
    for (size_t i = 0; i < size_bytes; i++) {
        if (block[i] != value) {
            return false;
        }
    }
    return true;
}

/* A size up to 64 KiB, small ones as likely as large ones. */
static size_t random_size(struct sim_rng *rng)
{
    const uint32_t size = 1 + sim_rng_bounded(rng, 1 << 16);
    return 1 + (size >> sim_rng_bounded(rng, 17));
}

/* Blocks come zeroed, if they are not cold, and aligned, and keep their contents until released,
 * whatever is allocated and released around them. */
Test(arena, blocks_are_zeroed_aligned_and_disjoint)
{
    enum { SLOTS = 64 };
    struct sim_arena *arena = arena_of(16 * MIB);
    for (uint64_t seed = 0; seed < 50; seed++) {
        struct sim_rng rng;
        sim_rng_seed(&rng, seed, 1);
        sim_arena_reset(arena);
        uint8_t *blocks[SLOTS] = {0};
        size_t sizes[SLOTS] = {0};
        for (int step = 0; step < 1000; step++) {
            const uint32_t slot = sim_rng_bounded(&rng, SLOTS);
            const uint8_t fill = (uint8_t)(slot + 1);
            if (blocks[slot]) {
                cr_assert(all_bytes_are(blocks[slot], sizes[slot], fill),
                          "seed %" PRIu64 ": block %" PRIu32 " was overwritten", seed, slot);
                sim_arena_release(arena, blocks[slot], sizes[slot]);
                blocks[slot] = NULL;
                continue;
            }
            sizes[slot] = random_size(&rng);
            const bool cold = slot % 2;
            blocks[slot] = cold ? sim_arena_alloc_cold(arena, sizes[slot])
                                : sim_arena_alloc(arena, sizes[slot]);
            cr_assert_not_null(blocks[slot], "seed %" PRIu64, seed);
            cr_assert(cold || all_bytes_are(blocks[slot], sizes[slot], 0), "seed %" PRIu64, seed);
            const uintptr_t alignment = sizes[slot] >= 256 ? 64 : 16;
            cr_assert_eq((uintptr_t)blocks[slot] % alignment, 0, "seed %" PRIu64, seed);
            memset(blocks[slot], fill, sizes[slot]);
        }
    }
    sim_arena_free(arena);
}

/* Rounding to a class never costs more than 15 bytes or a quarter of the size. */
Test(arena, waste_is_modest)
{
    struct sim_arena *arena = arena_of(16 * MIB);
    for (size_t size = 1; size < 2 * MIB; size += 1 + size / 50) {
        sim_arena_reset(arena);
        const size_t before = sim_arena_used_bytes(arena);
        cr_assert_not_null(sim_arena_alloc_raw(arena, size));
        const size_t taken = sim_arena_used_bytes(arena) - before;
        cr_expect_geq(taken, size, "size %zu", size);
        cr_expect_leq(taken, size + (size / 4 > 15 ? size / 4 : 15), "size %zu", size);
    }
    sim_arena_free(arena);
}

/* A released block is handed out again, so a world in a steady state does not grow. */
Test(arena, released_blocks_are_used_again)
{
    struct sim_arena *arena = arena_of(MIB);
    for (size_t size = 1; size < 100 * KIB; size += 1 + size / 20) {
        void *block = sim_arena_alloc_raw(arena, size);
        cr_assert_not_null(block);
        sim_arena_release(arena, block, size);
        const size_t used = sim_arena_used_bytes(arena);
        cr_expect_eq(sim_arena_alloc_raw(arena, size), block, "size %zu", size);
        cr_expect_eq(sim_arena_used_bytes(arena), used, "size %zu", size);
        sim_arena_reset(arena);
    }
    sim_arena_free(arena);
}

/* Used memory is zeroed when it is handed out again, after a release and after a reset. */
Test(arena, used_memory_comes_back_zeroed)
{
    struct sim_arena *arena = arena_of(MIB);
    uint8_t *block = sim_arena_alloc_raw(arena, 1000);
    cr_assert_not_null(block);
    memset(block, 0xaa, 1000);
    sim_arena_release(arena, block, 1000);
    uint8_t *again = sim_arena_alloc(arena, 990);
    cr_assert_eq(again, block);
    cr_expect(all_bytes_are(again, 990, 0));

    memset(again, 0xaa, 990);
    sim_arena_reset(arena);
    again = sim_arena_alloc(arena, 1000);
    cr_assert_eq(again, block, "a reset starts over in the same place");
    cr_expect(all_bytes_are(again, 1000, 0));
    sim_arena_free(arena);
}

/* A full arena says so and stays as it was; what fits still fits. */
Test(arena, full_arena_gives_null_and_nothing_changes)
{
    struct sim_arena *arena = arena_of(64 * KIB);
    cr_expect_null(sim_arena_alloc(arena, 0));
    cr_expect_null(sim_arena_alloc(arena, 64 * KIB));
    cr_expect_null(sim_arena_alloc(arena, SIZE_MAX));
    cr_expect_null(sim_arena_alloc(arena, SIZE_MAX / 2 + 2));
    int count = 0;
    while (sim_arena_alloc(arena, 1000)) {
        count++;
    }
    cr_expect_geq(count, 55);
    const size_t used = sim_arena_used_bytes(arena);
    cr_expect_null(sim_arena_alloc(arena, 1000));
    cr_expect_eq(sim_arena_used_bytes(arena), used);
    cr_expect_leq(used, sim_arena_capacity_bytes(arena));
    while (sim_arena_alloc(arena, 1)) {
    }
    cr_expect_leq(sim_arena_capacity_bytes(arena) - sim_arena_used_bytes(arena), 15);
    sim_arena_free(arena);
}

/* A block too small for the allocator itself is refused; freeing nothing is allowed. */
Test(arena, hopeless_capacity_is_refused)
{
    cr_expect_null(sim_arena_new(0));
    cr_expect_null(sim_arena_new(100));
    cr_expect_null(sim_arena_new(SIZE_MAX - 100));
    sim_arena_free(NULL);
}

/* An arena holds its blocks and nothing else. */
Test(arena, holds_its_own_blocks)
{
    struct sim_arena *arena = arena_of(MIB);
    const int outside = 0;
    const uint8_t *block = sim_arena_alloc(arena, 32);
    cr_assert_not_null(block);
    cr_expect(sim_arena_holds(arena, block));
    cr_expect(sim_arena_holds(arena, block + 31));
    cr_expect_not(sim_arena_holds(arena, block + 32));
    cr_expect_not(sim_arena_holds(arena, &outside));
    cr_expect_not(sim_arena_holds(arena, NULL));
    sim_arena_free(arena);
}

/* Memory that is not the arena's cannot be given to it. */
Test(arena, releasing_a_stranger_asserts, .signal = SIGABRT)
{
    struct sim_arena *arena = arena_of(MIB);
    static uint64_t stranger[4];
    sim_arena_release(arena, stranger, sizeof stranger);
}

/* A growing array keeps its elements and gets zeroes behind them, for elements of any size. */
Test(arena, grow_keeps_elements_and_zeroes_the_rest)
{
    struct sim_arena *arena = arena_of(16 * MIB);
    for (size_t element = 1; element < 3000; element += 1 + element / 3) {
        uint8_t *array = NULL;
        size_t capacity = 0;
        for (size_t needed = 1; needed < 200; needed += 3) {
            const size_t before = capacity;
            cr_assert(sim_arena_grow(arena, &array, &capacity, needed, element));
            cr_assert_geq(capacity, needed);
            cr_assert(needed <= before ? capacity == before : capacity >= 2 * before,
                      "element %zu: from %zu to %zu", element, before, capacity);
            cr_assert(all_bytes_are(array, before * element, 7), "element %zu", element);
            cr_assert(all_bytes_are(array + before * element, (capacity - before) * element, 0),
                      "element %zu", element);
            memset(array, 7, capacity * element);
        }
        /* Released by its own account of its size, it is found again. */
        sim_arena_release(arena, array, capacity * element);
        cr_expect_eq(sim_arena_alloc_raw(arena, capacity * element), array);
        sim_arena_reset(arena);
    }
    sim_arena_free(arena);
}

/* An array that cannot grow is left alone, also when the size in bytes would wrap. */
Test(arena, grow_fails_without_a_trace)
{
    struct sim_arena *arena = arena_of(64 * KIB);
    uint32_t *array = NULL;
    size_t capacity = 0;
    cr_assert(sim_arena_grow(arena, &array, &capacity, 100, sizeof *array));
    array[99] = 42;
    uint32_t *const old_array = array;
    const size_t old_capacity = capacity;
    const size_t used = sim_arena_used_bytes(arena);
    const size_t impossible[] = {64 * KIB, SIZE_MAX, SIZE_MAX / 4 + 2, SIZE_MAX / 8 + 1};
    for (size_t i = 0; i < sizeof impossible / sizeof impossible[0]; i++) {
        cr_expect_not(sim_arena_grow(arena, &array, &capacity, impossible[i], sizeof *array));
        cr_expect_eq(array, old_array);
        cr_expect_eq(capacity, old_capacity);
        cr_expect_eq(sim_arena_used_bytes(arena), used);
    }
    cr_expect_eq(array[99], 42);
    sim_arena_free(arena);
}

/* A list in the arena, as a world would keep one: nodes appended, removed, changed; a half of
 * them cold. */
struct node {
    struct node *next;
    uint64_t value;
    size_t size_bytes;
};

struct list {
    struct node *head;
    uint64_t hash;
};

static void list_step(struct sim_arena *arena, struct list *list, struct sim_rng *rng)
{
    const uint32_t choice = sim_rng_bounded(rng, 6);
    const size_t size_bytes = sizeof(struct node) + random_size(rng) / 16;
    if (choice < 4 || !list->head) {
        struct node *node = choice % 2 ? sim_arena_alloc(arena, size_bytes)
                                       : sim_arena_alloc_cold(arena, size_bytes);
        cr_assert_not_null(node);
        *node = (struct node){.next = list->head, .size_bytes = size_bytes};
        list->head = node;
    } else {
        struct node *node = list->head;
        list->head = node->next;
        sim_arena_release(arena, node, node->size_bytes);
    }
    const uint32_t every = 1 + sim_rng_bounded(rng, 8);
    uint32_t i = 0;
    for (struct node *n = list->head; n; n = n->next) {
        if (i++ % every == 0) {
            sim_arena_will_write(arena, n, sizeof *n);
            n->value = sim_mix64(n->value + n->size_bytes);
        }
        list->hash = sim_mix64(list->hash ^ n->value);
    }
}

/* Run on, restore, run on again: the same blocks, the same contents, the same outcome. */
Test(arena, restore_brings_everything_back)
{
    struct sim_arena *arena = arena_of(16 * MIB);
    struct sim_snapshot snapshot = {0};
    for (uint64_t seed = 0; seed < 30; seed++) {
        struct sim_rng rng;
        sim_rng_seed(&rng, seed, 2);
        sim_arena_reset(arena);
        struct list *list = sim_arena_alloc(arena, sizeof *list);
        cr_assert_not_null(list);
        for (int step = 0; step < 100; step++) {
            list_step(arena, list, &rng);
        }
        cr_assert_eq(sim_snapshot_take(&snapshot, arena), SIM_OK);
        const size_t used_then = sim_arena_used_bytes(arena);
        const struct sim_rng rng_then = rng;

        uint64_t hashes[3];
        size_t used[3];
        for (int branch = 0; branch < 3; branch++) {
            rng = rng_then;
            /* The second time round much more is allocated before going back. */
            for (int step = 0; step < (branch == 1 ? 150 : 100); step++) {
                list_step(arena, list, &rng);
                if (step == 99) {
                    hashes[branch] = list->hash;
                    used[branch] = sim_arena_used_bytes(arena);
                }
            }
            sim_snapshot_restore(&snapshot, arena);
            cr_assert_eq(sim_arena_used_bytes(arena), used_then);
        }
        for (int branch = 1; branch < 3; branch++) {
            cr_assert_eq(hashes[branch], hashes[0], "seed %" PRIu64, seed);
            cr_assert_eq(used[branch], used[0], "seed %" PRIu64, seed);
        }
    }
    sim_snapshot_release(&snapshot);
    cr_expect_eq(sim_snapshot_bytes(&snapshot), 0);
    sim_snapshot_release(&snapshot);
    sim_arena_free(arena);
}

/* A point of a list's life, and what becomes of it from there. */
struct point {
    struct sim_snapshot snapshot;
    struct sim_rng rng;
    uint64_t hash; /* Ten steps later; 0: no such point yet. */
};

static uint64_t ten_steps(struct sim_arena *arena, struct list *list, struct sim_rng *rng)
{
    for (int step = 0; step < 10; step++) {
        list_step(arena, list, rng);
    }
    return list->hash;
}

/* Several snapshots of one arena, gone back to in any order and taken anew in between. */
Test(arena, any_of_several_snapshots_comes_back)
{
    enum { POINTS = 4 };
    struct sim_arena *arena = arena_of(64 * MIB);
    struct point points[POINTS] = {0};
    uint32_t restored = 0;
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct sim_rng rng;
        struct sim_rng choice;
        sim_rng_seed(&rng, seed, 3);
        sim_rng_seed(&choice, seed, 4);
        sim_arena_reset(arena);
        struct list *list = sim_arena_alloc(arena, sizeof *list);
        cr_assert_not_null(list);
        for (int i = 0; i < POINTS; i++) {
            points[i].hash = 0;
        }
        for (int step = 0; step < 60; step++) {
            struct point *point = &points[sim_rng_bounded(&choice, POINTS)];
            const bool back = sim_rng_bounded(&choice, 2) == 0;
            if (point->hash != 0 && back) {
                sim_snapshot_restore(&point->snapshot, arena);
                rng = point->rng;
                cr_assert_eq(ten_steps(arena, list, &rng), point->hash, "seed %" PRIu64, seed);
                restored++;
            } else {
                cr_assert_eq(sim_snapshot_take(&point->snapshot, arena), SIM_OK);
                point->rng = rng;
                point->hash = ten_steps(arena, list, &rng);
            }
        }
    }
    cr_expect_gt(restored, 400);
    for (int i = 0; i < POINTS; i++) {
        sim_snapshot_release(&points[i].snapshot);
    }
    sim_arena_free(arena);
}

/* Hot and cold memory come from one block until they meet, and go back to their own kind. */
Test(arena, hot_and_cold_share_the_capacity)
{
    struct sim_arena *arena = arena_of(MIB);
    size_t count = 0;
    uint8_t *last[2] = {NULL, NULL};
    for (bool cold = false;; cold = !cold) {
        uint8_t *block = cold ? sim_arena_alloc_cold(arena, KIB) : sim_arena_alloc(arena, KIB);
        if (!block) {
            break;
        }
        memset(block, 1 + cold, KIB);
        cr_expect(sim_arena_holds(arena, block));
        last[cold] = block;
        count++;
    }
    cr_expect_gt(count, 950);
    cr_expect_null(sim_arena_alloc(arena, KIB));
    cr_expect_null(sim_arena_alloc_cold(arena, KIB));
    cr_expect(all_bytes_are(last[0], KIB, 1));
    cr_expect(all_bytes_are(last[1], KIB, 2));
    cr_expect_lt(last[0], last[1]);
    for (int cold = 0; cold < 2; cold++) {
        sim_arena_release(arena, last[cold], KIB);
        cr_expect_null(cold ? sim_arena_alloc(arena, KIB) : sim_arena_alloc_cold(arena, KIB));
        uint8_t *again = cold ? sim_arena_alloc_cold(arena, KIB) : sim_arena_alloc(arena, KIB);
        cr_expect_eq(again, last[cold]);
    }
    sim_arena_free(arena);
}

/* A world that was reset, even, comes back from its snapshot. */
Test(arena, restore_survives_a_reset)
{
    struct sim_arena *arena = arena_of(MIB);
    struct sim_snapshot snapshot = {0};
    uint8_t *block = sim_arena_alloc(arena, 1000);
    cr_assert_not_null(block);
    memset(block, 9, 1000);
    cr_assert_eq(sim_snapshot_take(&snapshot, arena), SIM_OK);
    sim_arena_reset(arena);
    cr_assert_not_null(sim_arena_alloc(arena, 5000));
    sim_snapshot_restore(&snapshot, arena);
    cr_expect(all_bytes_are(block, 1000, 9));
    cr_expect_neq(sim_arena_alloc(arena, 1000), block);
    sim_snapshot_release(&snapshot);
    sim_arena_free(arena);
}

/* A snapshot that is used again for an arena at the same address has nothing of it yet. */
Test(arena, an_arena_is_not_taken_for_the_one_before_it)
{
    struct sim_snapshot snapshot = {0};
    for (uint8_t i = 1; i < 20; i++) {
        struct sim_arena *arena = arena_of(MIB);
        uint8_t *block = sim_arena_alloc_cold(arena, 100 * KIB);
        cr_assert_not_null(block);
        memset(block, i, 100 * KIB);
        cr_assert_eq(sim_snapshot_take(&snapshot, arena), SIM_OK);
        sim_arena_will_write(arena, block, 100 * KIB);
        memset(block, 0, 100 * KIB);
        sim_snapshot_restore(&snapshot, arena);
        cr_expect(all_bytes_are(block, 100 * KIB, i), "arena %d", i);
        sim_arena_free(arena);
    }
    sim_snapshot_release(&snapshot);
}

/* A snapshot belongs to one arena. */
Test(arena, restoring_into_another_arena_asserts, .signal = SIGABRT)
{
    struct sim_arena *arena = arena_of(MIB);
    struct sim_arena *other = arena_of(2 * MIB);
    struct sim_snapshot snapshot = {0};
    cr_assert_eq(sim_snapshot_take(&snapshot, arena), SIM_OK);
    sim_snapshot_restore(&snapshot, other);
}

#ifdef SIM_ARENA_ASAN
/* What a snapshot would lose is found by builds that look for it. */
Test(arena, a_write_that_was_not_said_asserts, .signal = SIGABRT)
{
    struct sim_arena *arena = arena_of(MIB);
    struct sim_snapshot snapshot = {0};
    uint8_t *block = sim_arena_alloc_cold(arena, 100 * KIB);
    cr_assert_not_null(block);
    memset(block, 1, 100 * KIB);
    cr_assert_eq(sim_snapshot_take(&snapshot, arena), SIM_OK);
    block[50 * KIB] = 2;
    (void)!sim_snapshot_take(&snapshot, arena);
}
#endif

/* A huge capacity costs nothing until it is used, and a snapshot copies only what is. */
Test(arena, untouched_capacity_costs_nothing)
{
    struct sim_arena *arena = arena_of((size_t)1 * 1024 * MIB);
    struct sim_snapshot snapshot = {0};
    cr_assert_not_null(sim_arena_alloc(arena, 10));
    cr_expect_leq(sim_arena_used_bytes(arena), 4 * KIB);
    cr_assert_eq(sim_snapshot_take(&snapshot, arena), SIM_OK);
    cr_expect_leq(sim_snapshot_bytes(&snapshot), 4 * KIB);
    sim_snapshot_release(&snapshot);
    sim_arena_free(arena);
}
