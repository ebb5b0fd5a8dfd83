/* The library's memory comes from sim_alloc(), so it is part of the world's arena: a snapshot
 * holds it, and a crash takes it away.
 *
 * The library's allocator is one global without a sense of whose call it serves. This file
 * therefore has the one variable outside the arena, the node at work: set at every entry and
 * of no meaning between events, so a snapshot need not hold it. */
#include "nodes/libraft/libraft_internal.h"

static _Thread_local struct sim_env *current;

#define GUARD UINT64_C(0x6c696272616674a5)

/* Before each block; 16 bytes keep the alignment of sim_alloc(). */
struct prefix {
    uint64_t size_bytes; /* For realloc(). */
    uint64_t guard;      /* GUARD while the block is in use. */
};

static void *heap_malloc(void *data, size_t size_bytes)
{
    (void)data;
    assert(current);
    if (size_bytes > SIZE_MAX - sizeof(struct prefix)) {
        return NULL;
    }
    struct prefix *prefix = sim_alloc(current, sizeof *prefix + size_bytes);
    if (!prefix) {
        return NULL;
    }
    prefix->size_bytes = size_bytes;
    prefix->guard = GUARD;
    return prefix + 1;
}

static void heap_free(void *data, void *block)
{
    (void)data;
    assert(current);
    if (!block) {
        return;
    }
    /* The library frees some blocks twice on error paths. Like glibc's heap, abort: a crash of
     * this node, for crash_free to see, and the world's memory stays whole. */
    struct prefix *prefix = (struct prefix *)block - 1;
    assert(prefix->guard == GUARD);
    prefix->guard = 0;
    sim_release(current, prefix);
}

static void *heap_calloc(void *data, size_t count, size_t size_bytes)
{
    if (size_bytes && count > SIZE_MAX / size_bytes) {
        return NULL;
    }
    return heap_malloc(data, count * size_bytes); /* sim_alloc() zeroes. */
}

static void *heap_realloc(void *data, void *block, size_t size_bytes)
{
    void *larger = heap_malloc(data, size_bytes);
    if (larger && block) {
        const uint64_t old_bytes = ((struct prefix *)block - 1)->size_bytes;
        memcpy(larger, block, old_bytes < size_bytes ? (size_t)old_bytes : size_bytes);
        heap_free(data, block);
    }
    return larger;
}

/* Only the library's own file backend asks for aligned memory; it is not used here. */
static void *heap_aligned_alloc(void *data, size_t alignment, size_t size_bytes)
{
    assert(alignment <= 16);
    return heap_malloc(data, size_bytes);
}

static void heap_aligned_free(void *data, size_t alignment, void *block)
{
    assert(alignment <= 16);
    heap_free(data, block);
}

static struct raft_heap heap = {
    .malloc = heap_malloc,
    .free = heap_free,
    .calloc = heap_calloc,
    .realloc = heap_realloc,
    .aligned_alloc = heap_aligned_alloc,
    .aligned_free = heap_aligned_free,
};

void libraft_heap_enter(struct sim_env *env)
{
    current = env;
    raft_heap_set(&heap);
}

uint8_t *libraft_scratch(struct libraft_node *node, size_t size_bytes)
{
    if (size_bytes > node->scratch_bytes) {
        sim_release(node->env, node->scratch);
        node->scratch_bytes = 2 * size_bytes;
        node->scratch = sim_alloc(node->env, node->scratch_bytes);
        if (!node->scratch) {
            node->scratch_bytes = 0;
        }
    }
    return node->scratch;
}
