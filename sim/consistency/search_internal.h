/* What the parts of the search share: search.c drives, search_configuration.c knows what has been
 * taken and seen, search_choice.c what to take next. */
#ifndef SIM_CONSISTENCY_SEARCH_INTERNAL_H
#define SIM_CONSISTENCY_SEARCH_INTERNAL_H

#include "sim/check/check.h"
#include "sim/consistency/search.h"

/* Calls are in two groups. The short ones are taken roughly in order, so that a configuration
 * needs only where the first one not taken is and a window of bits from there. The long ones,
 * which are open while many others come and go (above all those that never return), have a bit
 * each. */
struct sim_search_frame {
    uint32_t entry;  /* Place of the configuration in entries[]. */
    uint32_t cursor; /* Candidates tried already. */
};

struct sim_search {
    struct sim_machine *machine;
    struct sim_call *shorts;
    uint32_t short_count;
    struct sim_call *longs;
    uint32_t long_count;
    uint32_t window_words;
    uint32_t stride; /* Words of an entry: base and state, window, bits of the long calls. */

    uint64_t *entries; /* Configurations seen. */
    size_t entry_count;
    size_t entry_capacity; /* In words. */
    uint32_t *slots;       /* Open addressing: an entry's place plus 1. */
    size_t slot_count;
    struct sim_search_frame *stack;
    size_t stack_count;
    size_t stack_capacity;
    uint32_t *next_set;    /* Of strings and lists: from each short call on, the next that writes */
    uint32_t *next_expect; /* anew, and the next that reads. */
    uint32_t *candidates;  /* Short ones by their place, long ones after them. */
    size_t candidate_capacity;

    /* The configuration at hand. */
    uint32_t base; /* The first short call not taken. */
    uint32_t state;
    uint64_t *bits; /* The window, bit i being call base + i; then the long calls'. */
    uint32_t limit; /* The earliest return among calls not taken: nothing invoked later can go. */
    uint32_t limit_place;

    uint32_t end;          /* Short calls below it are in the segment at hand, */
    uint32_t end_position; /* and long calls invoked before this. */
    uint64_t steps_max;
    bool exhausted; /* No steps left. */
    struct sim_search_result *result;
};

/* Added to a long call's place among the candidates. */
#define SIM_SEARCH_LONGS UINT32_C(0x80000000)

static inline bool sim_search_bit(const uint64_t *bits, uint32_t i)
{
    return bits[i >> 6] >> (i & 63) & 1;
}

static inline bool sim_search_short_taken(const struct sim_search *s, uint32_t call)
{
    const uint32_t i = call - s->base;
    return i < 64 * s->window_words && sim_search_bit(s->bits, i);
}

static inline bool sim_search_long_taken(const struct sim_search *s, uint32_t call)
{
    return sim_search_bit(s->bits + s->window_words, call);
}

static inline void sim_search_take_short(struct sim_search *s, uint32_t call)
{
    const uint32_t i = call - s->base;
    assert(i < 64 * s->window_words);
    s->bits[i >> 6] |= UINT64_C(1) << (i & 63);
}

static inline void sim_search_take_long(struct sim_search *s, uint32_t call)
{
    s->bits[s->window_words + (call >> 6)] |= UINT64_C(1) << (call & 63);
}

static inline bool sim_search_is_legal(const struct sim_search *s, const struct sim_call *call)
{
    return sim_machine_step(s->machine, call, s->state) == s->state;
}

/* It leaves a state that does not depend on what was before. */
static inline bool sim_search_writes_anew(const struct sim_call *call)
{
    return call->kind == SIM_CALL_SET || call->kind == SIM_CALL_SWAP;
}

/* ---- search_configuration.c ---- */

/* Take every pure call that can go from the configuration at hand; work out the limit. */
void sim_search_close(struct sim_search *search);

#define SIM_SEARCH_SEEN UINT32_MAX
#define SIM_SEARCH_NO_ROOM (UINT32_MAX - 1)
/* Put the configuration at hand into the cache: its place, or that it was there, or no memory. */
uint32_t sim_search_remember(struct sim_search *search);
/* Make that of an entry the one at hand; its limit is not known yet. */
void sim_search_recall(struct sim_search *search, const uint64_t *entry);
/* Empty the cache. */
void sim_search_forget(struct sim_search *search);

/* ---- search_choice.c ---- */

const struct sim_call *sim_search_candidate(const struct sim_search *search, uint32_t candidate);
/* The impure calls that may go next, those that returned first, into candidates[]; their count. */
size_t sim_search_list_candidates(struct sim_search *search);
/* A call that never returned need not have been: taking it to `state` is of use only if a call
 * that can go next needs that very state. */
bool sim_search_is_of_use(const struct sim_search *search, uint32_t candidate, uint32_t state);
/* Strings and lists: some read can never be right any more. */
bool sim_search_is_dead(struct sim_search *search);

#endif
