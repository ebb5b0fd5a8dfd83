#include "sim/consistency/search_internal.h"

/* ---- The closure of a configuration ---- */

static void limit_by(struct sim_search *s, const struct sim_call *call)
{
    if (call->returned < s->limit) {
        s->limit = call->returned;
        s->limit_place = call->place;
    }
}

/* Long calls: sets the limit by those not taken; takes legal pure ones that may go already. */
static bool close_longs(struct sim_search *s, uint32_t limit)
{
    bool took = false;
    for (uint32_t i = 0; i < s->long_count && s->longs[i].invoked < s->end_position; i++) {
        if (sim_search_long_taken(s, i)) {
            continue;
        }
        if (sim_call_is_pure(s->longs[i].kind) && s->longs[i].invoked < limit) {
            s->result->steps++;
            if (sim_search_is_legal(s, &s->longs[i])) {
                sim_search_take_long(s, i);
                took = true;
                continue;
            }
        }
        limit_by(s, &s->longs[i]);
    }
    return took;
}

/* Move the base past calls that are taken, and the window with it. */
static void slide(struct sim_search *s)
{
    while (s->base < s->end && (s->bits[0] & 1)) {
        uint32_t by = s->bits[0] == UINT64_MAX ? 64 : (uint32_t)__builtin_ctzll(~s->bits[0]);
        s->base += by;
        for (uint32_t w = 0; w < s->window_words; w++) {
            const uint64_t next = w + 1 < s->window_words ? s->bits[w + 1] : 0;
            s->bits[w] = by == 64 ? next : s->bits[w] >> by | next << (64 - by);
        }
    }
}

static void close_shorts(struct sim_search *s)
{
    for (uint32_t i = s->base; i < s->end && s->shorts[i].invoked < s->limit; i++) {
        if (sim_search_short_taken(s, i)) {
            continue;
        }
        if (sim_call_is_pure(s->shorts[i].kind)) {
            s->result->steps++;
            if (sim_search_is_legal(s, &s->shorts[i])) {
                if (i - s->base >= 64 * s->window_words) {
                    slide(s); /* Those before it have been taken. */
                }
                sim_search_take_short(s, i);
                continue;
            }
        }
        limit_by(s, &s->shorts[i]);
    }
}

/* Take every pure call that can go; work out the limit. */
void sim_search_close(struct sim_search *s)
{
    uint32_t before = 0;
    for (;;) {
        slide(s);
        s->limit = SIM_POSITION_NEVER;
        (void)close_longs(s, before);
        close_shorts(s);
        const uint32_t limit = s->limit;
        /* With the limit known, long pure calls may go too, which may lift it. */
        s->limit = SIM_POSITION_NEVER;
        if (!close_longs(s, limit)) {
            s->limit = limit;
            break;
        }
        before = limit;
    }
    slide(s);
    if (s->limit != SIM_POSITION_NEVER && s->limit >= s->result->furthest) {
        s->result->furthest = s->limit;
        s->result->furthest_place = s->limit_place;
    }
}

/* ---- The cache ---- */

static uint64_t entry_hash(const uint64_t *words, uint32_t count)
{
    uint64_t h = UINT64_C(0x9e3779b97f4a7c15);
    for (uint32_t i = 0; i < count; i++) {
        h = (h ^ words[i]) * UINT64_C(0xff51afd7ed558ccd);
        h ^= h >> 32;
    }
    return h;
}

static bool slots_grow(struct sim_search *s)
{
    struct sim_scratch *scratch = s->machine->scratch;
    const size_t wanted = s->slot_count ? 2 * s->slot_count : 256;
    uint32_t *slots = sim_scratch_alloc(scratch, wanted, sizeof *slots);
    if (!slots) {
        return false;
    }
    for (size_t i = 0; i < s->entry_count; i++) {
        size_t slot = (size_t)entry_hash(s->entries + i * s->stride, s->stride) & (wanted - 1);
        while (slots[slot]) {
            slot = (slot + 1) & (wanted - 1);
        }
        slots[slot] = (uint32_t)i + 1;
    }
    sim_scratch_release(scratch, s->slots, s->slot_count, sizeof *slots);
    s->slots = slots;
    s->slot_count = wanted;
    return true;
}

/* Put the configuration at hand into the cache: its place, or that it was there, or no memory. */
uint32_t sim_search_remember(struct sim_search *s)
{
    struct sim_scratch *scratch = s->machine->scratch;
    if ((2 * s->entry_count >= s->slot_count && !slots_grow(s)) ||
        s->entry_count >= SIM_SEARCH_NO_ROOM ||
        !sim_scratch_grow(scratch, &s->entries, &s->entry_capacity,
                          (s->entry_count + 1) * s->stride, sizeof *s->entries)) {
        return SIM_SEARCH_NO_ROOM;
    }
    uint64_t *entry = s->entries + s->entry_count * s->stride;
    entry[0] = (uint64_t)s->base << 32 | s->state;
    memcpy(entry + 1, s->bits, (s->stride - 1) * sizeof *entry);
    size_t slot = (size_t)entry_hash(entry, s->stride) & (s->slot_count - 1);
    for (; s->slots[slot]; slot = (slot + 1) & (s->slot_count - 1)) {
        const uint64_t *other = s->entries + (s->slots[slot] - 1) * (size_t)s->stride;
        if (memcmp(other, entry, s->stride * sizeof *entry) == 0) {
            return SIM_SEARCH_SEEN;
        }
    }
    s->slots[slot] = (uint32_t)++s->entry_count;
    return (uint32_t)s->entry_count - 1;
}

void sim_search_recall(struct sim_search *s, const uint64_t *entry)
{
    s->base = (uint32_t)(entry[0] >> 32);
    s->state = (uint32_t)entry[0];
    memcpy(s->bits, entry + 1, (s->stride - 1) * sizeof *entry);
}

void sim_search_forget(struct sim_search *s)
{
    s->entry_count = 0;
    s->stack_count = 0;
    if (s->slot_count > 0) {
        memset(s->slots, 0, s->slot_count * sizeof *s->slots);
    }
}
