/* The search for one order of what the sessions did: a session's next operation is tried where
 * its object allows it, depth first, and where the search has been it does not go again.
 *
 *  - Where it is, is how far each session has come and what each key holds. Of places seen only
 *    a fingerprint of 128 bits is kept, a sum over the parts (Zobrist), as model checkers do:
 *    that two of 2^40 places share one has a chance below 2^-48.
 *  - Pure calls (reads and the like) are taken as soon as they are legal and never branched on:
 *    taking one earlier changes neither the state nor who comes before whom.
 *  - A call that may not have been is taken only where a next one could tell that it was.
 *  - A value that is still to be read is not overwritten if nobody writes it again. */
#include "sim/consistency/machine.h"
#include "sim/consistency/sequential.h"

struct taken {
    uint32_t node;
    uint32_t state; /* What its key held before. */
    uint32_t slot;
};

struct frame {
    size_t trail;  /* What has been taken before its candidates. */
    uint64_t next; /* Candidates are tried in the order of the history: from this place on. */
};

struct search {
    const struct sim_precedence *p;
    const struct sim_sessions *s;
    struct sim_trial *trial;
    struct sim_machine machine;
    struct sim_call *calls; /* By node. */
    uint32_t *heads;        /* By session: how many have been taken. */
    uint32_t *states;       /* By key. */
    uint32_t mandatory;     /* Nodes to be taken yet. */
    uint64_t prints[2];

    /* Keys whose states are values and not made from older ones: a slot for each key and value
     * counts who still needs it and who can still bring it about. */
    uint32_t *slot_states; /* Open addressing. */
    uint32_t *slot_keys;   /* Plus 1; 0: free. */
    uint32_t *demand;
    uint32_t *supply;
    size_t slot_count;
    uint32_t *current; /* By key: its slot. */
    bool *moves;       /* By key: it has states made from older ones. */
    uint32_t *resets;  /* By key: calls to be taken yet that do not look at what was before. */

    uint64_t *seen; /* Open addressing: two words each; 0 0: free. */
    size_t seen_slots;
    size_t seen_count;
    struct taken *trail;
    size_t trail_count;
    struct frame *frames;
    size_t frame_count;
    size_t frame_capacity;
    uint32_t *furthest; /* Heads where most had been taken. */
    size_t furthest_count;
    bool no_memory;
};

/* ---- Slots ----------------------------------------------------------------------------------- */

static uint32_t slot_of(struct search *x, uint32_t key, uint32_t state)
{
    size_t slot = (size_t)sim_mix64((uint64_t)key << 32 | state) & (x->slot_count - 1);
    while (x->slot_keys[slot] && (x->slot_keys[slot] != key + 1 || x->slot_states[slot] != state)) {
        slot = (slot + 1) & (x->slot_count - 1);
    }
    x->slot_keys[slot] = key + 1;
    x->slot_states[slot] = state;
    return (uint32_t)slot;
}

static bool is_tracked(const struct search *x, uint32_t node)
{
    return !x->moves[x->s->nodes[node].key];
}

static bool needs(const struct sim_call *call, uint32_t *state)
{
    *state = call->kind == SIM_CALL_EXPECT ? call->target : call->expected;
    return call->kind == SIM_CALL_EXPECT || call->kind == SIM_CALL_SWAP;
}

static bool gives(const struct sim_call *call)
{
    return call->kind == SIM_CALL_SET || call->kind == SIM_CALL_SWAP;
}

/* Count the node out (-1) or in again (+1). */
static void count(struct search *x, uint32_t node, uint32_t by)
{
    const struct sim_session_node *n = &x->s->nodes[node];
    const struct sim_call *call = &x->calls[node];
    uint32_t state;
    x->mandatory += n->optional ? 0 : by;
    if (gives(call)) {
        x->resets[n->key] += by;
    }
    if (!is_tracked(x, node)) {
        return;
    }
    if (gives(call)) {
        x->supply[slot_of(x, n->key, call->target)] += by;
    }
    if (needs(call, &state) && !n->optional) {
        x->demand[slot_of(x, n->key, state)] += by;
    }
}

/* ---- Taking and giving back ------------------------------------------------------------------ */

static void print_part(struct search *x, bool state, uint32_t of, uint32_t is, bool in)
{
    const uint64_t part = (uint64_t)state << 63 | (uint64_t)of << 32 | is;
    for (uint32_t i = 0; i < 2; i++) {
        const uint64_t mixed = sim_mix64(part + (i + 1) * UINT64_C(0x9e3779b97f4a7c15));
        x->prints[i] += in ? mixed : 0 - mixed;
    }
}

static void set_head(struct search *x, uint32_t session, uint32_t head)
{
    print_part(x, false, session, x->heads[session], false);
    x->heads[session] = head;
    print_part(x, false, session, head, true);
}

static void set_state(struct search *x, uint32_t key, uint32_t state)
{
    print_part(x, true, key, x->states[key], false);
    x->states[key] = state;
    print_part(x, true, key, state, true);
}

static void take(struct search *x, uint32_t node, uint32_t state)
{
    const struct sim_session_node *n = &x->s->nodes[node];
    x->trail[x->trail_count++] = (struct taken){node, x->states[n->key], x->current[n->key]};
    count(x, node, UINT32_MAX);
    set_head(x, n->session, x->heads[n->session] + 1);
    if (state != x->states[n->key]) {
        set_state(x, n->key, state);
    }
    if (gives(&x->calls[node]) && is_tracked(x, node)) {
        x->current[n->key] = slot_of(x, n->key, state);
    }
}

static void give_back(struct search *x, size_t trail)
{
    while (x->trail_count > trail) {
        const struct taken t = x->trail[--x->trail_count];
        const struct sim_session_node *n = &x->s->nodes[t.node];
        count(x, t.node, 1);
        set_head(x, n->session, x->heads[n->session] - 1);
        set_state(x, n->key, t.state);
        x->current[n->key] = t.slot;
    }
}

/* ---- What can go next ------------------------------------------------------------------------ */

/* A session's next node; SIM_NODE_NOTHING at its end. */
static uint32_t head_of(const struct search *x, uint32_t session)
{
    const uint32_t node = x->s->starts[session] + x->heads[session];
    return node < x->s->starts[session + 1] ? node : SIM_NODE_NOTHING;
}

static bool is_enabled(const struct search *x, uint32_t node)
{
    const uint32_t *before = x->p->before + (size_t)node * x->s->session_count;
    for (uint32_t t = 0; t < x->s->session_count; t++) {
        if (before[t] > x->heads[t]) {
            return false;
        }
    }
    return true;
}

static uint32_t step(struct search *x, uint32_t node, uint32_t state)
{
    x->trial->steps++;
    return sim_machine_step(&x->machine, &x->calls[node], state);
}

/* Take every pure call that can go. */
static void close(struct search *x)
{
    for (bool moved = true; moved;) {
        moved = false;
        for (uint32_t t = 0; t < x->s->session_count; t++) {
            for (uint32_t node = head_of(x, t);
                 node != SIM_NODE_NOTHING && sim_call_is_pure(x->calls[node].kind) &&
                 is_enabled(x, node);
                 node = head_of(x, t)) {
                const uint32_t state = x->states[x->s->nodes[node].key];
                if (step(x, node, state) != state) {
                    break;
                }
                take(x, node, state);
                moved = true;
            }
        }
    }
    if (x->trail_count > x->furthest_count) {
        x->furthest_count = x->trail_count;
        memcpy(x->furthest, x->heads, x->s->session_count * sizeof *x->heads);
    }
}

/* A node that may not have been: could a next one tell that it was? */
static bool is_of_use(struct search *x, uint32_t node, uint32_t state)
{
    const struct sim_session_node *n = &x->s->nodes[node];
    if (!n->optional) {
        return true;
    }
    if (state == x->states[n->key]) {
        return false;
    }
    bool tells = !gives(&x->calls[node]);
    for (uint32_t t = 0; t < x->s->session_count && !tells; t++) {
        const uint32_t head = head_of(x, t);
        if (head != SIM_NODE_NOTHING && head != node && x->s->nodes[head].key == n->key) {
            const uint32_t kind = x->calls[head].kind;
            tells = kind == SIM_CALL_MOVE ||
                    (kind != SIM_CALL_SET && step(x, head, state) != SIM_STATE_ILLEGAL);
        }
    }
    return tells;
}

/* Has something been overwritten that is still needed, or can a string or list never become what
 * some session reads next? */
static bool is_dead(const struct search *x, const struct taken *last)
{
    const uint32_t key = x->s->nodes[last->node].key;
    if (x->current[key] != last->slot && x->demand[last->slot] > 0 && x->supply[last->slot] == 0) {
        return true;
    }
    if (x->machine.object != SIM_OBJECT_KV && x->machine.object != SIM_OBJECT_LIST) {
        return false;
    }
    for (uint32_t t = 0; t < x->s->session_count && x->resets[key] == 0; t++) {
        const uint32_t head = head_of(x, t);
        if (head != SIM_NODE_NOTHING && x->s->nodes[head].key == key &&
            x->calls[head].kind == SIM_CALL_EXPECT &&
            !sim_machine_grows(&x->machine, x->states[key], x->calls[head].target)) {
            return true;
        }
    }
    return false;
}

/* ---- Places seen ----------------------------------------------------------------------------- */

static bool seen_grow(struct search *x)
{
    const size_t wanted = x->seen_slots ? 2 * x->seen_slots : 256;
    uint64_t *slots = sim_scratch_alloc(x->trial->scratch, 2 * wanted, sizeof *slots);
    if (!slots) {
        return false;
    }
    for (size_t i = 0; i < x->seen_slots; i++) {
        const uint64_t *old = x->seen + 2 * i;
        if (old[0] | old[1]) {
            size_t slot = (size_t)old[0] & (wanted - 1);
            while (slots[2 * slot] | slots[2 * slot + 1]) {
                slot = (slot + 1) & (wanted - 1);
            }
            slots[2 * slot] = old[0];
            slots[2 * slot + 1] = old[1];
        }
    }
    sim_scratch_release(x->trial->scratch, x->seen, 2 * x->seen_slots, sizeof *slots);
    x->seen = slots;
    x->seen_slots = wanted;
    return true;
}

/* Is it new here? Without memory it is not, and no_memory says so. */
static bool remember(struct search *x)
{
    if (2 * x->seen_count >= x->seen_slots && !seen_grow(x)) {
        x->no_memory = true;
        return false;
    }
    const uint64_t first = x->prints[0];
    const uint64_t second = x->prints[1] | (uint64_t)(x->prints[0] == 0 && x->prints[1] == 0);
    size_t slot = (size_t)first & (x->seen_slots - 1);
    for (; x->seen[2 * slot] | x->seen[2 * slot + 1]; slot = (slot + 1) & (x->seen_slots - 1)) {
        if (x->seen[2 * slot] == first && x->seen[2 * slot + 1] == second) {
            return false;
        }
    }
    x->seen[2 * slot] = first;
    x->seen[2 * slot + 1] = second;
    x->seen_count++;
    return true;
}

/* ---- The search ------------------------------------------------------------------------------ */

static bool push(struct search *x)
{
    if (!sim_scratch_grow(x->trial->scratch, &x->frames, &x->frame_capacity, x->frame_count + 1,
                          sizeof *x->frames)) {
        x->no_memory = true;
        return false;
    }
    x->frames[x->frame_count++] = (struct frame){.trail = x->trail_count};
    return true;
}

/* The impure node that can go and comes first in the history, but not before the frame's next. */
static uint32_t next_candidate(const struct search *x, struct frame *frame)
{
    uint32_t best = SIM_NODE_NOTHING;
    for (uint32_t t = 0; t < x->s->session_count; t++) {
        const uint32_t node = head_of(x, t);
        if (node != SIM_NODE_NOTHING && !sim_call_is_pure(x->calls[node].kind) &&
            x->s->nodes[node].place >= frame->next &&
            (best == SIM_NODE_NOTHING || x->s->nodes[node].place < x->s->nodes[best].place) &&
            is_enabled(x, node)) {
            best = node;
        }
    }
    frame->next = best == SIM_NODE_NOTHING ? UINT64_MAX : (uint64_t)x->s->nodes[best].place + 1;
    return best;
}

/* Try the next candidate of the topmost frame, or take that frame away. */
static void advance(struct search *x)
{
    struct frame *frame = &x->frames[x->frame_count - 1];
    give_back(x, frame->trail);
    const uint32_t node = next_candidate(x, frame);
    if (node == SIM_NODE_NOTHING) {
        x->frame_count--;
        return;
    }
    const uint32_t state = step(x, node, x->states[x->s->nodes[node].key]);
    x->no_memory |= state == SIM_STATE_NO_MEMORY;
    if (x->no_memory || state == SIM_STATE_ILLEGAL || !is_of_use(x, node, state)) {
        return;
    }
    take(x, node, state);
    const struct taken last = x->trail[x->trail_count - 1];
    close(x);
    if (x->mandatory > 0 && !is_dead(x, &last) && remember(x)) {
        (void)push(x);
    }
}

/* It needs what was not there at first and nobody brings about. */
static bool is_hopeless(struct search *x, uint32_t node)
{
    const struct sim_session_node *n = &x->s->nodes[node];
    const struct sim_call *call = &x->calls[node];
    uint32_t state;
    if (n->optional) {
        return false;
    }
    if (call->kind == SIM_CALL_MOVE &&
        (call->action == SIM_ACTION_DEQUEUE || call->action == SIM_ACTION_POP)) {
        return sim_sessions_writer(x->s, n->key, call->value) == SIM_SOURCE_NOWHERE;
    }
    if (!is_tracked(x, node) || !needs(call, &state)) {
        return false;
    }
    const uint32_t slot = slot_of(x, n->key, state);
    return x->supply[slot] == 0 && slot != x->current[n->key];
}

static uint32_t find_hopeless(struct search *x)
{
    uint32_t node = 0;
    while (node < x->s->node_count && !is_hopeless(x, node)) {
        node++;
    }
    return node < x->s->node_count ? node : SIM_NODE_NOTHING;
}

static bool search(struct search *x)
{
    close(x);
    (void)push(x);
    while (x->mandatory > 0 && x->frame_count > 0 && !x->no_memory &&
           x->trial->steps <= x->trial->steps_max) {
        advance(x);
    }
    return x->mandatory == 0;
}

/* ---- Setting up ------------------------------------------------------------------------------ */

static bool make_calls(struct search *x)
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

static bool set_up(struct search *x)
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
    for (uint32_t k = 0; k < keys; k++) {
        x->states[k] = initial;
        x->current[k] = slot_of(x, k, initial);
    }
    for (uint32_t n = 0; n < nodes; n++) {
        count(x, n, 1);
    }
    return initial != SIM_STATE_NO_MEMORY;
}

static void take_down(struct search *x)
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
static void tell_violation(struct search *x)
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
    struct search x = {.p = p, .s = p->sessions, .trial = p->trial};
    if (set_up(&x)) {
        const uint32_t hopeless = find_hopeless(&x);
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
