#include "tests/allocations.h"

#include <criterion/criterion.h>
#include <stdlib.h>

/* Open addressing, by the block's address; which blocks are ours is all that depends on it. */
#define SLOTS (1u << 20)
#define GONE ((void *)1)
static struct slot {
    void *block;
    size_t size_bytes;
} slots[SLOTS];
static size_t live;
static size_t bytes;
static size_t peak;
static uint64_t until_failure; /* 0: none will fail. */
static bool failed;

void *__real_malloc(size_t size_bytes);
void *__real_calloc(size_t count, size_t size_bytes);
void *__real_realloc(void *block, size_t size_bytes);
void __real_free(void *block);
void *__wrap_malloc(size_t size_bytes);
void *__wrap_calloc(size_t count, size_t size_bytes);
void *__wrap_realloc(void *block, size_t size_bytes);
void __wrap_free(void *block);

void allocations_fail_at(uint64_t n)
{
    until_failure = n;
    failed = false;
    peak = bytes;
}

bool allocations_failed(void)
{
    return failed;
}

size_t allocations_live(void)
{
    return live;
}

size_t allocations_bytes(void)
{
    return bytes;
}

size_t allocations_peak(void)
{
    return peak;
}

static bool fails(void)
{
    if (until_failure == 0 || --until_failure > 0) {
        return false;
    }
    failed = true;
    return true;
}

static size_t place_of(const void *block)
{
    return (size_t)((uintptr_t)block / 16 * 0x9e3779b97f4a7c15u >> 20) % SLOTS;
}

static void *added(void *block, size_t size_bytes)
{
    if (block) {
        size_t i = place_of(block);
        while (slots[i].block && slots[i].block != GONE) {
            i = (i + 1) % SLOTS;
        }
        slots[i] = (struct slot){block, size_bytes};
        cr_assert_lt(++live, SLOTS / 2);
        bytes += size_bytes;
        peak = bytes > peak ? bytes : peak;
    }
    return block;
}

/* A block of libc's own, from getline() say, is none of ours. */
static void removed(const void *block)
{
    for (size_t i = place_of(block); block && slots[i].block; i = (i + 1) % SLOTS) {
        if (slots[i].block == block) {
            bytes -= slots[i].size_bytes;
            slots[i] = (struct slot){GONE, 0};
            live--;
            return;
        }
    }
}

void *__wrap_malloc(size_t size_bytes)
{
    return fails() ? NULL : added(__real_malloc(size_bytes), size_bytes);
}

void *__wrap_calloc(size_t count, size_t size_bytes)
{
    return fails() ? NULL : added(__real_calloc(count, size_bytes), count * size_bytes);
}

void *__wrap_realloc(void *block, size_t size_bytes)
{
    if (fails()) {
        return NULL;
    }
    removed(block);
    void *bigger = __real_realloc(block, size_bytes);
    cr_assert(bigger || size_bytes == 0);
    return added(bigger, size_bytes);
}

void __wrap_free(void *block)
{
    removed(block);
    __real_free(block);
}
