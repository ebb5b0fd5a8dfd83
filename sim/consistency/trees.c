#include "sim/consistency/trees.h"

static uint32_t power_of_two(uint32_t count)
{
    uint32_t size = 1;
    while (size < count) {
        size *= 2;
    }
    return size;
}

/* ---- Tournament ---- */

enum sim_status sim_tournament_init(struct sim_tournament *t, struct sim_scratch *scratch,
                                    uint32_t count)
{
    t->size = power_of_two(count);
    t->values = sim_scratch_alloc(scratch, t->size, sizeof *t->values);
    t->winners = sim_scratch_alloc(scratch, 2 * (size_t)t->size, sizeof *t->winners);
    if (!t->values || !t->winners) {
        return SIM_ENOMEM;
    }
    for (uint32_t place = 0; place < t->size; place++) {
        t->values[place] = UINT32_MAX;
        t->winners[t->size + place] = place;
    }
    for (uint32_t node = t->size - 1; node > 0; node--) {
        t->winners[node] = t->winners[2 * node];
    }
    return SIM_OK;
}

void sim_tournament_release(struct sim_tournament *t, struct sim_scratch *scratch)
{
    sim_scratch_release(scratch, t->values, t->size, sizeof *t->values);
    sim_scratch_release(scratch, t->winners, 2 * (size_t)t->size, sizeof *t->winners);
    *t = (struct sim_tournament){0};
}

/* `a` is before `b`. */
static uint32_t better(const struct sim_tournament *t, uint32_t a, uint32_t b)
{
    return t->values[b] < t->values[a] ? b : a;
}

void sim_tournament_set(struct sim_tournament *t, uint32_t place, uint32_t value)
{
    t->values[place] = value;
    for (uint32_t node = (t->size + place) / 2; node > 0; node /= 2) {
        t->winners[node] = better(t, t->winners[2 * node], t->winners[2 * node + 1]);
    }
}

uint32_t sim_tournament_smallest(const struct sim_tournament *t, uint32_t first, uint32_t last)
{
    uint32_t left = first, right = last; /* The best so far from either end. */
    uint32_t low = t->size + first, high = t->size + last + 1;
    for (; low < high; low /= 2, high /= 2) {
        if (low & 1) {
            left = better(t, left, t->winners[low++]);
        }
        if (high & 1) {
            right = better(t, t->winners[--high], right);
        }
    }
    return better(t, left, right);
}

/* ---- Cover ---- */

enum sim_status sim_cover_init(struct sim_cover *c, struct sim_scratch *scratch,
                               const uint32_t *covers, uint32_t count)
{
    c->size = power_of_two(count);
    c->least = sim_scratch_alloc(scratch, 2 * (size_t)c->size, sizeof *c->least);
    c->less = sim_scratch_alloc(scratch, 2 * (size_t)c->size, sizeof *c->less);
    if (!c->least || !c->less) {
        return SIM_ENOMEM;
    }
    memcpy(c->least + c->size, covers, count * sizeof *covers);
    for (uint32_t node = c->size - 1; node > 0; node--) {
        const uint32_t a = c->least[2 * node], b = c->least[2 * node + 1];
        c->least[node] = a < b ? a : b;
    }
    return SIM_OK;
}

void sim_cover_release(struct sim_cover *c, struct sim_scratch *scratch)
{
    sim_scratch_release(scratch, c->least, 2 * (size_t)c->size, sizeof *c->least);
    sim_scratch_release(scratch, c->less, 2 * (size_t)c->size, sizeof *c->less);
    *c = (struct sim_cover){0};
}

/* The places below `node` are low .. high - 1. */
static void take(struct sim_cover *c, uint32_t node, uint32_t low, uint32_t high, uint32_t first,
                 uint32_t end)
{
    if (end <= low || high <= first) {
        return;
    }
    if (first <= low && high <= end) {
        c->least[node]--;
        c->less[node]++;
        return;
    }
    const uint32_t middle = low + (high - low) / 2;
    take(c, 2 * node, low, middle, first, end);
    take(c, 2 * node + 1, middle, high, first, end);
    const uint32_t a = c->least[2 * node], b = c->least[2 * node + 1];
    c->least[node] = (a < b ? a : b) - c->less[node];
}

void sim_cover_take(struct sim_cover *c, uint32_t first, uint32_t end)
{
    take(c, 1, 0, c->size, first, end);
}

/* `above` is what the node's ancestors take off. */
static uint32_t gap(const struct sim_cover *c, uint32_t node, uint32_t low, uint32_t high,
                    uint32_t first, uint32_t above)
{
    if (high <= first || c->least[node] > above) {
        return UINT32_MAX;
    }
    if (high - low == 1) {
        return low;
    }
    const uint32_t middle = low + (high - low) / 2;
    above += c->less[node];
    const uint32_t left = gap(c, 2 * node, low, middle, first, above);
    return left != UINT32_MAX ? left : gap(c, 2 * node + 1, middle, high, first, above);
}

uint32_t sim_cover_gap(const struct sim_cover *c, uint32_t first)
{
    return gap(c, 1, 0, c->size, first, 0);
}
