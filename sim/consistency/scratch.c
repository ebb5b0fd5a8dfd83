#include "sim/consistency/scratch.h"

#include <stdlib.h>

static bool fits(const struct sim_scratch *scratch, size_t count, size_t element_bytes)
{
    return count <= (scratch->limit_bytes - scratch->used_bytes) / element_bytes;
}

void *sim_scratch_alloc(struct sim_scratch *scratch, size_t count, size_t element_bytes)
{
    count += count == 0;
    void *block = fits(scratch, count, element_bytes) ? calloc(count, element_bytes) : NULL;
    if (!block) {
        scratch->exhausted = true;
        return NULL;
    }
    scratch->used_bytes += count * element_bytes;
    return block;
}

void sim_scratch_release(struct sim_scratch *scratch, void *block, size_t count,
                         size_t element_bytes)
{
    if (block) {
        count += count == 0;
        assert(scratch->used_bytes >= count * element_bytes);
        scratch->used_bytes -= count * element_bytes;
        free(block);
    }
}

bool sim_scratch_grow(struct sim_scratch *scratch, void *array_pointer, size_t *capacity,
                      size_t needed, size_t element_bytes)
{
    if (needed <= *capacity) {
        return true;
    }
    /* Doubling if there is room, else exactly what is needed. */
    size_t wanted = *capacity < SIZE_MAX / 2 && 2 * *capacity > needed ? 2 * *capacity : needed;
    wanted = wanted < 16 ? 16 : wanted;
    if (!fits(scratch, wanted - *capacity, element_bytes)) {
        wanted = needed;
    }
    void *old;
    memcpy(&old, array_pointer, sizeof old);
    void *new = fits(scratch, wanted - *capacity, element_bytes)
                    ? realloc(old, wanted * element_bytes)
                    : NULL;
    if (!new) {
        scratch->exhausted = true;
        return false;
    }
    scratch->used_bytes += (wanted - *capacity) * element_bytes;
    *capacity = wanted;
    memcpy(array_pointer, &new, sizeof new);
    return true;
}

void sim_sort_u64(uint64_t *keys, uint64_t *spare, size_t count)
{
    uint64_t *from = keys;
    uint64_t *to = spare;
    for (uint32_t shift = 0; shift < 64; shift += 8) {
        size_t starts[257] = {0};
        for (size_t i = 0; i < count; i++) {
            starts[1 + (from[i] >> shift & 0xff)]++;
        }
        if (count == 0 || starts[1 + (from[0] >> shift & 0xff)] == count) {
            continue; /* All have the same digit here. */
        }
        for (uint32_t digit = 0; digit < 256; digit++) {
            starts[digit + 1] += starts[digit];
        }
        for (size_t i = 0; i < count; i++) {
            to[starts[from[i] >> shift & 0xff]++] = from[i];
        }
        uint64_t *swapped = from;
        from = to;
        to = swapped;
    }
    if (from != keys && count > 0) {
        memcpy(keys, from, count * sizeof *keys);
    }
}
