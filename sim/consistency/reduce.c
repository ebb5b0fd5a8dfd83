#include "sim/consistency/reduce.h"

uint32_t sim_reduce(uint32_t *items, uint32_t count, bool *keep, sim_reduce_fn judge, void *context)
{
    for (uint32_t size = (count + 1) / 2; size > 0;) {
        bool removed = false;
        for (uint32_t from = 0; from < count;) {
            const uint32_t to = from + size < count ? from + size : count;
            for (uint32_t i = from; i < to; i++) {
                keep[items[i]] = false;
            }
            const enum sim_reduce_answer answer = judge(context);
            if (answer == SIM_REDUCE_VIOLATED) {
                memmove(items + from, items + to, (count - to) * sizeof *items);
                count -= to - from;
                removed = true;
                continue;
            }
            for (uint32_t i = from; i < to; i++) {
                keep[items[i]] = true;
            }
            if (answer == SIM_REDUCE_STOP) {
                return count;
            }
            from = to;
        }
        /* One at a time until nothing can go: what looked needed may not be any more. */
        size = size > 1 ? size / 2 : removed ? 1 : 0;
    }
    return count;
}
