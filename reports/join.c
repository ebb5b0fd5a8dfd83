#include "reports/join.h"

#include <stdlib.h>

struct sending { /* Sorted by link and ordinal. */
    uint64_t link;
    uint64_t ordinal;
    size_t at;
};

static const struct sim_record *record_at(const void *records, size_t stride_bytes, size_t at)
{
    return (const void *)((const uint8_t *)records + at * stride_bytes);
}

static int compare_u64(uint64_t a, uint64_t b)
{
    return a < b ? -1 : a > b;
}

static int compare_sending(const void *left, const void *right)
{
    const struct sending *a = left;
    const struct sending *b = right;
    const int by_link = compare_u64(a->link, b->link);
    const int by_ordinal = compare_u64(a->ordinal, b->ordinal);
    return by_link ? by_link : by_ordinal ? by_ordinal : compare_u64(a->at, b->at);
}

/* The first of an ordinal: what stands beside it is an adversary's. */
static size_t find_sending(const struct sending *sends, size_t count, uint64_t link,
                           uint64_t ordinal)
{
    const struct sending wanted = {.link = link, .ordinal = ordinal, .at = 0};
    size_t low = 0;
    size_t high = count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (compare_sending(&sends[middle], &wanted) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    const bool found = low < count && sends[low].link == link && sends[low].ordinal == ordinal;
    return found ? sends[low].at : JOIN_NONE;
}

size_t *join_sends(const void *records, size_t stride_bytes, size_t count)
{
    struct sending *sends = malloc((count + 1) * sizeof *sends);
    size_t *joined = malloc((count + 1) * sizeof *joined);
    if (!sends || !joined) {
        free(sends);
        free(joined);
        return NULL;
    }
    size_t send_count = 0;
    for (size_t i = 0; i < count; i++) {
        const struct sim_record *r = record_at(records, stride_bytes, i);
        if (r->kind == SIM_REC_SEND) {
            sends[send_count++] = (struct sending){
                .link = (uint64_t)r->node << 32 | r->peer, .ordinal = r->a >> 8, .at = i};
        }
    }
    qsort(sends, send_count, sizeof *sends, compare_sending);
    for (size_t i = 0; i < count; i++) {
        const struct sim_record *r = record_at(records, stride_bytes, i);
        const bool ends = r->kind == SIM_REC_DELIVER || r->kind == SIM_REC_DROP;
        joined[i] =
            ends ? find_sending(sends, send_count, (uint64_t)r->peer << 32 | r->node, r->a >> 8)
                 : JOIN_NONE;
    }
    free(sends);
    return joined;
}
