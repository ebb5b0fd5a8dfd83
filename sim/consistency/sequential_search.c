/* The search for one order of what the sessions did: a session's next operation is tried where
 * its object allows it, depth first, and where the search has been it does not go again. */
#include "sim/consistency/sequential_internal.h"

static bool push(struct sim_sequential *x)
{
    if (!sim_scratch_grow(x->trial->scratch, &x->frames, &x->frame_capacity, x->frame_count + 1,
                          sizeof *x->frames)) {
        x->no_memory = true;
        return false;
    }
    x->frames[x->frame_count++] = (struct sim_sequential_frame){.trail = x->trail_count};
    return true;
}

/* Try the next candidate of the topmost frame, or take that frame away. */
static void advance(struct sim_sequential *x)
{
    struct sim_sequential_frame *frame = &x->frames[x->frame_count - 1];
    sim_sequential_give_back(x, frame->trail);
    const uint32_t node = sim_sequential_candidate(x, frame);
    if (node == SIM_NODE_NOTHING) {
        x->frame_count--;
        return;
    }
    const uint32_t state = sim_sequential_step(x, node, x->states[x->s->nodes[node].key]);
    x->no_memory |= state == SIM_STATE_NO_MEMORY;
    if (x->no_memory || state == SIM_STATE_ILLEGAL || !sim_sequential_is_of_use(x, node, state)) {
        return;
    }
    sim_sequential_take(x, node, state);
    const struct sim_sequential_taken last = x->trail[x->trail_count - 1];
    sim_sequential_close(x);
    if (x->mandatory > 0 && !sim_sequential_is_dead(x, &last) && sim_sequential_remember(x)) {
        (void)push(x);
    }
}

static bool search(struct sim_sequential *x)
{
    sim_sequential_close(x);
    (void)push(x);
    while (x->mandatory > 0 && x->frame_count > 0 && !x->no_memory &&
           x->trial->steps <= x->trial->steps_max) {
        advance(x);
    }
    return x->mandatory == 0;
}

/* ---- Setting up ------------------------------------------------------------------------------ */

static bool make_calls(struct sim_sequential *x)
{
    sim_machine_begin(&x->machine);
    for (uint32_t n = 0; n < x->s->node_count; n++) {
        if (!sim_machine_see(&x->machine, x->s->nodes[n].place)) {
            return false;
        }
    }
    for (uint32_t n = 0; n < x->s->node_count; n++) {
        if (!sim_machine_call(&x->machine, x->s->nodes[n].place, &x->calls[n])) {
            return false;
        }
        x->moves[x->s->nodes[n].key] |= x->calls[n].kind == SIM_CALL_MOVE;
    }
    return true;
}

static bool set_up(struct sim_sequential *x)
{
    struct sim_scratch *scratch = x->trial->scratch;
    const size_t nodes = x->s->node_count;
    const size_t keys = x->s->history->value_count;
    x->slot_count = 16;
    while (x->slot_count < 2 * (2 * nodes + keys)) {
        x->slot_count *= 2;
    }
    x->calls = sim_scratch_alloc(scratch, nodes, sizeof *x->calls);
    x->heads = sim_scratch_alloc(scratch, x->s->session_count, sizeof *x->heads);
    x->furthest = sim_scratch_alloc(scratch, x->s->session_count, sizeof *x->furthest);
    x->states = sim_scratch_alloc(scratch, keys, sizeof *x->states);
    x->slot_states = sim_scratch_alloc(scratch, x->slot_count, sizeof *x->slot_states);
    x->slot_keys = sim_scratch_alloc(scratch, x->slot_count, sizeof *x->slot_keys);
    x->demand = sim_scratch_alloc(scratch, x->slot_count, sizeof *x->demand);
    x->supply = sim_scratch_alloc(scratch, x->slot_count, sizeof *x->supply);
    x->current = sim_scratch_alloc(scratch, keys, sizeof *x->current);
    x->moves = sim_scratch_alloc(scratch, keys, sizeof *x->moves);
    x->resets = sim_scratch_alloc(scratch, keys, sizeof *x->resets);
    x->trail = sim_scratch_alloc(scratch, nodes, sizeof *x->trail);
    if (!x->calls || !x->heads || !x->furthest || !x->states || !x->slot_states || !x->slot_keys ||
        !x->demand || !x->supply || !x->current || !x->moves || !x->resets || !x->trail ||
        sim_machine_init(&x->machine, x->s->history, scratch) != SIM_OK || !make_calls(x)) {
        return false;
    }
    const uint32_t initial = sim_machine_initial(&x->machine);
    sim_sequential_begin(x, initial);
    return initial != SIM_STATE_NO_MEMORY;
}

static void take_down(struct sim_sequential *x)
{
    struct sim_scratch *scratch = x->trial->scratch;
    const size_t nodes = x->s->node_count;
    const size_t keys = x->s->history->value_count;
    sim_machine_release(&x->machine);
    sim_scratch_release(scratch, x->calls, nodes, sizeof *x->calls);
    sim_scratch_release(scratch, x->heads, x->s->session_count, sizeof *x->heads);
    sim_scratch_release(scratch, x->furthest, x->s->session_count, sizeof *x->furthest);
    sim_scratch_release(scratch, x->states, keys, sizeof *x->states);
    sim_scratch_release(scratch, x->slot_states, x->slot_count, sizeof *x->slot_states);
    sim_scratch_release(scratch, x->slot_keys, x->slot_count, sizeof *x->slot_keys);
    sim_scratch_release(scratch, x->demand, x->slot_count, sizeof *x->demand);
    sim_scratch_release(scratch, x->supply, x->slot_count, sizeof *x->supply);
    sim_scratch_release(scratch, x->current, keys, sizeof *x->current);
    sim_scratch_release(scratch, x->moves, keys, sizeof *x->moves);
    sim_scratch_release(scratch, x->resets, keys, sizeof *x->resets);
    sim_scratch_release(scratch, x->seen, 2 * x->seen_slots, sizeof *x->seen);
    sim_scratch_release(scratch, x->trail, nodes, sizeof *x->trail);
    sim_scratch_release(scratch, x->frames, x->frame_capacity, sizeof *x->frames);
}

/* ---- The answer ------------------------------------------------------------------------------ */

/* What had been taken where most had, and what each session would have done next. */
static void tell_violation(struct sim_sequential *x)
{
    uint32_t first = SIM_HISTORY_NOTHING;
    for (uint32_t t = 0; t < x->s->session_count; t++) {
        const uint32_t end = x->s->starts[t] + x->furthest[t];
        for (uint32_t n = x->s->starts[t]; n <= end && n < x->s->starts[t + 1]; n++) {
            sim_trial_blame(x->trial, x->s->nodes[n].place);
        }
        if (end < x->s->starts[t + 1] && !x->s->nodes[end].optional &&
            x->s->nodes[end].place < first) {
            first = x->s->nodes[end].place;
        }
    }
    sim_trial_violated(x->trial, "not-sequential", "no order of the sessions gets past this",
                       first);
}

void sim_sequential_search(struct sim_precedence *p)
{
    struct sim_sequential x = {.p = p, .s = p->sessions, .trial = p->trial};
    if (set_up(&x)) {
        const uint32_t hopeless = sim_sequential_hopeless(&x);
        if (hopeless != SIM_NODE_NOTHING) {
            const uint32_t place = x.s->nodes[hopeless].place;
            sim_trial_violated(x.trial, "not-sequential", "nobody brought this about", place);
            sim_trial_blame(x.trial, place);
        } else if (search(&x)) {
            x.trial->verdict = SIM_HOLDS;
        } else if (x.frame_count == 0 && !x.no_memory) {
            tell_violation(&x);
        } else {
            sim_trial_unknown(x.trial, "undecided: the steps of the budget are spent",
                              SIM_HISTORY_NOTHING);
        }
    }
    take_down(&x);
}
