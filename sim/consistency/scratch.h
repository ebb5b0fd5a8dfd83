/* Memory with a bound: what a checker may hold at a time. When the bound is reached an
 * allocation answers NULL and `exhausted` says so; the checker then answers "unknown". */
#ifndef SIM_CONSISTENCY_SCRATCH_H
#define SIM_CONSISTENCY_SCRATCH_H

#include "sim/base.h"

struct sim_scratch {
    size_t limit_bytes;
    size_t used_bytes;
    bool exhausted; /* An allocation was refused, by the bound or by the machine. */
};

/* Zeroed memory for `count` elements; NULL if that is above the bound. At least one element is
 * allocated, so that NULL always means refused. */
SIM_NODISCARD void *sim_scratch_alloc(struct sim_scratch *scratch, size_t count,
                                      size_t element_bytes);
/* Give back a block with the count it was asked for. NULL is ignored. */
void sim_scratch_release(struct sim_scratch *scratch, void *block, size_t count,
                         size_t element_bytes);

/* Grow an array to at least `needed` elements, by half or more; the new part is not zeroed. On
 * failure nothing changes and false is returned. `array_pointer` is the address of the caller's
 * pointer, and *capacity is what to release it with. */
SIM_NODISCARD bool sim_scratch_grow(struct sim_scratch *scratch, void *array_pointer,
                                    size_t *capacity, size_t needed, size_t element_bytes);

/* Sort keys, smallest first, in linear time; `spare` has room for as many. */
void sim_sort_u64(uint64_t *keys, uint64_t *spare, size_t count);

#endif
