#include "sim/consistency/search_internal.h"

enum outcome { REACHED, NOT_REACHED, GAVE_UP };

/* ---- The search ---- */

/* Everything of the segment has been taken that had to be. */
static bool is_at_end(const struct sim_search *s)
{
    return s->base >= s->end && s->limit == SIM_POSITION_NEVER;
}

static bool push(struct sim_search *s, uint32_t entry)
{
    if (!sim_scratch_grow(s->machine->scratch, &s->stack, &s->stack_capacity, s->stack_count + 1,
                          sizeof *s->stack)) {
        return false;
    }
    s->stack[s->stack_count++] = (struct sim_search_frame){.entry = entry};
    return true;
}

/* Close the configuration at hand and go there, unless it was seen. */
static enum outcome visit(struct sim_search *s)
{
    sim_search_close(s);
    const uint32_t entry = sim_search_remember(s);
    if (entry == SIM_SEARCH_SEEN) {
        return NOT_REACHED;
    }
    if (entry == SIM_SEARCH_NO_ROOM) {
        return GAVE_UP;
    }
    if (is_at_end(s)) {
        return REACHED;
    }
    return sim_search_is_dead(s) || push(s, entry) ? NOT_REACHED : GAVE_UP;
}

/* Try the next candidate of the topmost frame, or take that frame away. */
static enum outcome advance(struct sim_search *s)
{
    struct sim_search_frame *frame = &s->stack[s->stack_count - 1];
    sim_search_recall(s, s->entries + frame->entry * (size_t)s->stride);
    sim_search_close(s); /* It is closed: this finds the limit again. */
    const size_t count = sim_search_list_candidates(s);
    while (frame->cursor < count) {
        const uint32_t candidate = s->candidates[frame->cursor++];
        s->result->steps++;
        const uint32_t next =
            sim_machine_step(s->machine, sim_search_candidate(s, candidate), s->state);
        if (next == SIM_STATE_NO_MEMORY) {
            return GAVE_UP;
        }
        if (next == SIM_STATE_ILLEGAL || !sim_search_is_of_use(s, candidate, next)) {
            continue;
        }
        if (candidate >= SIM_SEARCH_LONGS) {
            sim_search_take_long(s, candidate - SIM_SEARCH_LONGS);
        } else {
            sim_search_take_short(s, candidate);
        }
        s->state = next;
        return visit(s);
    }
    s->stack_count--;
    return NOT_REACHED;
}

/* Search until the end is reached, or (`all`) until everything was seen. */
static enum outcome explore(struct sim_search *s, bool all)
{
    while (s->stack_count > 0) {
        if (s->result->steps >= s->steps_max) {
            s->exhausted = true;
            return GAVE_UP;
        }
        const enum outcome outcome = advance(s);
        if (outcome == GAVE_UP || (outcome == REACHED && !all)) {
            return outcome;
        }
    }
    return NOT_REACHED;
}

/* The whole history at once, from the start. Lucky on histories that are linearizable. */
static enum outcome search_whole(struct sim_search *s, uint32_t initial)
{
    sim_search_forget(s);
    s->end = s->short_count;
    s->end_position = SIM_POSITION_NEVER;
    s->base = 0;
    s->state = initial;
    memset(s->bits, 0, (s->stride - 1) * sizeof *s->bits);
    const enum outcome first = visit(s);
    return first == NOT_REACHED ? explore(s, false) : first;
}

/* Configurations between two segments, packed as entries are. */
struct seeds {
    uint64_t *words;
    size_t count;
    size_t capacity;
};

static bool seeds_collect(struct sim_search *s, struct seeds *seeds)
{
    seeds->count = 0;
    for (size_t i = 0; i < s->entry_count; i++) {
        const uint64_t *entry = s->entries + i * s->stride;
        if ((uint32_t)(entry[0] >> 32) < s->end) {
            continue;
        }
        sim_search_recall(s, entry);
        sim_search_close(s);
        if (is_at_end(s)) {
            if (!sim_scratch_grow(s->machine->scratch, &seeds->words, &seeds->capacity,
                                  (seeds->count + 1) * s->stride, sizeof *seeds->words)) {
                return false;
            }
            memcpy(seeds->words + seeds->count++ * s->stride, entry,
                   s->stride * sizeof *seeds->words);
        }
    }
    return true;
}

/* The end of the segment that begins with short call `from`: the next place where everything
 * before it that returns has returned. */
static void segment_end(struct sim_search *s, uint32_t from)
{
    uint32_t latest = 0;
    uint32_t next_long = 0;
    for (uint32_t i = from; i < s->short_count; i++) {
        const uint32_t invoked = s->shorts[i].invoked;
        for (; next_long < s->long_count && s->longs[next_long].invoked < invoked; next_long++) {
            const uint32_t returned = s->longs[next_long].returned;
            if (returned != SIM_POSITION_NEVER && returned > latest) {
                latest = returned;
            }
        }
        if (i > from && latest < invoked) {
            s->end = i;
            s->end_position = invoked;
            return;
        }
        latest = s->shorts[i].returned > latest ? s->shorts[i].returned : latest;
    }
    s->end = s->short_count;
    s->end_position = SIM_POSITION_NEVER;
}

/* One segment after the other, each completely. */
static enum outcome search_segments(struct sim_search *s, uint32_t initial, struct seeds *seeds)
{
    if (!sim_scratch_grow(s->machine->scratch, &seeds->words, &seeds->capacity, s->stride,
                          sizeof *seeds->words)) {
        return GAVE_UP;
    }
    memset(seeds->words, 0, s->stride * sizeof *seeds->words);
    seeds->words[0] = initial;
    seeds->count = 1;
    for (uint32_t from = 0;;) {
        segment_end(s, from);
        sim_search_forget(s);
        const bool last = s->end_position == SIM_POSITION_NEVER;
        for (size_t i = 0; i < seeds->count; i++) {
            sim_search_recall(s, seeds->words + i * s->stride);
            const enum outcome outcome = visit(s);
            if (outcome == GAVE_UP || (outcome == REACHED && last)) {
                return outcome;
            }
        }
        const enum outcome outcome = explore(s, !last);
        if (outcome == GAVE_UP || last) {
            return outcome;
        }
        if (!seeds_collect(s, seeds)) {
            return GAVE_UP;
        }
        if (seeds->count == 0) {
            return NOT_REACHED;
        }
        from = s->end;
    }
}

/* ---- Setting up ---- */

/* How many calls are invoked while `call` is open. */
static uint32_t span(const struct sim_call *calls, uint32_t count, uint32_t call)
{
    uint32_t low = call + 1;
    uint32_t high = count;
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        if (calls[middle].invoked < calls[call].returned) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low - call;
}

/* A wider window makes room for more calls; a long call costs a bit wherever it is. Choose the
 * number of words for which a configuration is smallest. */
static void choose_window(struct sim_search *s, const struct sim_call *calls, uint32_t count)
{
    enum { WIDTHS = 12 };
    uint32_t wider[WIDTHS] = {0}; /* Calls that need more than 64 << i bits. */
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t bits =
            calls[i].returned == SIM_POSITION_NEVER ? UINT32_MAX : span(calls, count, i);
        for (uint32_t w = 0; w < WIDTHS && bits > (UINT32_C(64) << w); w++) {
            wider[w]++;
        }
    }
    uint32_t best = 0;
    for (uint32_t w = 1; w < WIDTHS; w++) {
        if ((1U << w) + wider[w] / 64 < (1U << best) + wider[best] / 64) {
            best = w;
        }
    }
    s->window_words = 1U << best;
    s->long_count = wider[best];
    s->short_count = count - wider[best];
}

static bool set_up(struct sim_search *s, const struct sim_call *calls, uint32_t count)
{
    struct sim_scratch *scratch = s->machine->scratch;
    choose_window(s, calls, count);
    s->shorts = sim_scratch_alloc(scratch, s->short_count, sizeof *s->shorts);
    s->longs = sim_scratch_alloc(scratch, s->long_count, sizeof *s->longs);
    s->stride = 1 + s->window_words + (s->long_count + 63) / 64;
    s->bits = sim_scratch_alloc(scratch, s->stride, sizeof *s->bits);
    if (!s->shorts || !s->longs || !s->bits ||
        !sim_scratch_grow(scratch, &s->candidates, &s->candidate_capacity,
                          (size_t)64 * s->window_words + s->long_count, sizeof *s->candidates)) {
        return false;
    }
    const uint32_t object = s->machine->object;
    if (object == SIM_OBJECT_KV || object == SIM_OBJECT_LIST) {
        s->next_set = sim_scratch_alloc(scratch, (size_t)s->short_count + 2, sizeof *s->next_set);
        s->next_expect =
            sim_scratch_alloc(scratch, (size_t)s->short_count + 2, sizeof *s->next_expect);
        if (!s->next_set || !s->next_expect) {
            return false;
        }
    }
    uint32_t shorts = 0;
    uint32_t longs = 0;
    for (uint32_t i = 0; i < count; i++) {
        const bool is_long =
            calls[i].returned == SIM_POSITION_NEVER || span(calls, count, i) > 64 * s->window_words;
        if (is_long) {
            s->longs[longs++] = calls[i];
        } else {
            s->shorts[shorts++] = calls[i];
        }
    }
    for (uint32_t i = s->short_count + 2; s->next_set && i-- > 0;) {
        const bool past = i >= s->short_count;
        const bool sets = !past && sim_search_writes_anew(&s->shorts[i]);
        const bool expects = !past && s->shorts[i].kind == SIM_CALL_EXPECT;
        s->next_set[i] = past || sets ? i : s->next_set[i + 1];
        s->next_expect[i] = past || expects ? i : s->next_expect[i + 1];
    }
    return true;
}

static void take_down(struct sim_search *s)
{
    struct sim_scratch *scratch = s->machine->scratch;
    sim_scratch_release(scratch, s->shorts, s->short_count, sizeof *s->shorts);
    sim_scratch_release(scratch, s->longs, s->long_count, sizeof *s->longs);
    sim_scratch_release(scratch, s->next_set, (size_t)s->short_count + 2, sizeof *s->next_set);
    sim_scratch_release(scratch, s->next_expect, (size_t)s->short_count + 2,
                        sizeof *s->next_expect);
    sim_scratch_release(scratch, s->bits, s->stride, sizeof *s->bits);
    sim_scratch_release(scratch, s->entries, s->entry_capacity, sizeof *s->entries);
    sim_scratch_release(scratch, s->slots, s->slot_count, sizeof *s->slots);
    sim_scratch_release(scratch, s->stack, s->stack_capacity, sizeof *s->stack);
    sim_scratch_release(scratch, s->candidates, s->candidate_capacity, sizeof *s->candidates);
}

void sim_search(struct sim_machine *machine, const struct sim_call *calls, uint32_t count,
                uint64_t steps_max, struct sim_search_result *result)
{
    *result = (struct sim_search_result){.verdict = SIM_UNKNOWN};
    struct sim_search s = {.machine = machine, .result = result};
    struct seeds seeds = {0};
    const uint32_t initial = sim_machine_initial(machine);
    enum outcome outcome = GAVE_UP;
    if (initial != SIM_STATE_NO_MEMORY && set_up(&s, calls, count)) {
        /* A try at the whole is cheap where it succeeds; where it does not, segments bound what
         * must be remembered, and find what is wrong without looking at what comes later. */
        const uint64_t tries = 20000 + 32 * (uint64_t)count;
        s.steps_max = tries < steps_max ? tries : steps_max;
        outcome = search_whole(&s, initial);
        if (outcome == GAVE_UP && (s.exhausted || machine->scratch->exhausted) &&
            result->steps < steps_max) {
            s.steps_max = steps_max;
            s.exhausted = false;
            machine->scratch->exhausted = false;
            outcome = search_segments(&s, initial, &seeds);
        }
    }
    result->out_of_memory = outcome == GAVE_UP && !s.exhausted;
    result->verdict = outcome == REACHED       ? SIM_HOLDS
                      : outcome == NOT_REACHED ? SIM_VIOLATED
                                               : SIM_UNKNOWN;
    sim_scratch_release(machine->scratch, seeds.words, seeds.capacity, sizeof *seeds.words);
    take_down(&s);
}
