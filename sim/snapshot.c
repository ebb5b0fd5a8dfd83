/* Copies of an arena: all of its hot memory, and the cold pages that differ. */
#include "sim/arena_internal.h"

#include <stdlib.h>

/* A quarter more than needed: a world that grows is not given a new buffer every time. */
static bool reserve_hot(struct sim_snapshot *snapshot, size_t size_bytes)
{
    if (size_bytes <= snapshot->hot_capacity_bytes) {
        return true;
    }
    const size_t capacity_bytes = size_bytes + size_bytes / 4;
    uint8_t *hot = realloc(snapshot->hot, capacity_bytes);
    if (!hot) {
        return false;
    }
    snapshot->hot = hot;
    snapshot->hot_capacity_bytes = capacity_bytes;
    return true;
}

static bool reserve_pages(struct sim_snapshot *snapshot, size_t count)
{
    if (count <= snapshot->page_capacity) {
        return true;
    }
    const size_t capacity = count + count / 4;
    uint8_t *pages = realloc(snapshot->pages, capacity * SIM_ARENA_PAGE_BYTES);
    if (!pages) {
        return false;
    }
    snapshot->pages = pages;
    uint64_t *versions = realloc(snapshot->versions, capacity * sizeof *versions);
    if (!versions) {
        return false;
    }
    snapshot->versions = versions;
    snapshot->page_capacity = capacity;
    return true;
}

/* A page in the arena and its copy: the last page may begin below the cold memory in use. */
struct page {
    uint8_t *here;
    uint8_t *copy;
    size_t size_bytes;
};

static struct page page_at(const struct sim_arena *arena, const struct sim_snapshot *snapshot,
                           size_t i)
{
    const size_t in_use = arena_cold_bytes(arena);
    const size_t end = (i + 1) * SIM_ARENA_PAGE_BYTES;
    const size_t missing = end > in_use ? end - in_use : 0;
    return (struct page){.here = arena->cold.end - end + missing,
                         .copy = snapshot->pages + i * SIM_ARENA_PAGE_BYTES + missing,
                         .size_bytes = SIM_ARENA_PAGE_BYTES - missing};
}

static void unpoison(struct sim_arena *arena)
{
    UNPOISON(arena_hot_begin(arena), arena_hot_bytes(arena) - HEADER_BYTES);
    UNPOISON(arena->cold.begin, arena_cold_bytes(arena));
}

/* A page that is not copied must be the same: a write that was not said would be lost. */
static void check_same(const struct page *page)
{
#ifdef SIM_ARENA_ASAN
    assert(memcmp(page->here, page->copy, page->size_bytes) == 0);
#else
    (void)page;
#endif
}

enum sim_status sim_snapshot_take(struct sim_snapshot *snapshot, struct sim_arena *arena)
{
    const size_t hot_bytes = arena_hot_bytes(arena);
    const size_t page_count = arena_page_count(arena);
    const uint64_t *versions = arena->cold.versions;
    if (!reserve_hot(snapshot, hot_bytes) || !reserve_pages(snapshot, page_count)) {
        return SIM_ENOMEM;
    }
    const size_t held = snapshot->arena == arena->number ? snapshot->page_count : 0;
    unpoison(arena);
    memcpy(snapshot->hot, arena, hot_bytes);
    for (size_t i = 0; i < page_count; i++) {
        const struct page page = page_at(arena, snapshot, i);
        if (i < held && snapshot->versions[i] == versions[i]) {
            check_same(&page);
        } else {
            memcpy(page.copy, page.here, page.size_bytes);
            snapshot->versions[i] = versions[i];
        }
    }
    arena_poison_free_blocks(arena);
    arena->cold.now++;
    snapshot->arena = arena->number;
    snapshot->hot_bytes = hot_bytes;
    snapshot->page_count = page_count;
    return SIM_OK;
}

void sim_snapshot_restore(const struct sim_snapshot *snapshot, struct sim_arena *arena)
{
    const uint64_t now = arena->cold.now + 1;
    uint64_t *versions = arena->cold.versions;
    assert(snapshot->arena == arena->number);
    sim_arena_reset(arena); /* What is used beyond the snapshot is given up. */
    UNPOISON(arena, snapshot->hot_bytes);
    memcpy(arena, snapshot->hot, snapshot->hot_bytes);
    unpoison(arena);
    for (size_t i = 0; i < snapshot->page_count; i++) {
        const struct page page = page_at(arena, snapshot, i);
        if (snapshot->versions[i] == versions[i]) {
            check_same(&page);
        } else {
            memcpy(page.here, page.copy, page.size_bytes);
            versions[i] = snapshot->versions[i];
        }
    }
    arena_poison_free_blocks(arena);
    arena->cold.now = now;
}

size_t sim_snapshot_bytes(const struct sim_snapshot *snapshot)
{
    return snapshot->hot_bytes + snapshot->page_count * SIM_ARENA_PAGE_BYTES;
}

void sim_snapshot_release(struct sim_snapshot *snapshot)
{
    free(snapshot->hot);
    free(snapshot->pages);
    free(snapshot->versions);
    *snapshot = (struct sim_snapshot){0};
}
