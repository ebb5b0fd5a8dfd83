/* Where the search for a sequential order is, and where it has been.
 *
 * Where it is, is how far each session has come and what each key holds. Of positions seen only a
 * fingerprint of 128 bits is kept, a sum over the parts (Zobrist), as model checkers do: that two
 * of 2^40 positions share one has a chance below 2^-48. */
#include "sim/consistency/sequential_internal.h"

/* ---- Slots ----------------------------------------------------------------------------------- */

uint32_t sim_sequential_slot(struct sim_sequential *x, uint32_t key, uint32_t state)
{
    size_t slot = (size_t)sim_mix64((uint64_t)key << 32 | state) & (x->slot_count - 1);
    while (x->slot_keys[slot] && (x->slot_keys[slot] != key + 1 || x->slot_states[slot] != state)) {
        slot = (slot + 1) & (x->slot_count - 1);
    }
    x->slot_keys[slot] = key + 1;
    x->slot_states[slot] = state;
    return (uint32_t)slot;
}

/* Count the node out (-1) or in again (+1). */
static void count(struct sim_sequential *x, uint32_t node, uint32_t by)
{
    const struct sim_session_node *n = &x->s->nodes[node];
    const struct sim_call *call = &x->calls[node];
    uint32_t state;
    x->mandatory += n->optional ? 0 : by;
    if (sim_sequential_gives(call)) {
        x->resets[n->key] += by;
    }
    if (!sim_sequential_is_tracked(x, node)) {
        return;
    }
    if (sim_sequential_gives(call)) {
        x->supply[sim_sequential_slot(x, n->key, call->target)] += by;
    }
    if (sim_sequential_needs(call, &state) && !n->optional) {
        x->demand[sim_sequential_slot(x, n->key, state)] += by;
    }
}

/* ---- Taking and giving back ------------------------------------------------------------------ */

static void print_part(struct sim_sequential *x, bool state, uint32_t of, uint32_t is, bool in)
{
    const uint64_t part = (uint64_t)state << 63 | (uint64_t)of << 32 | is;
    for (uint32_t i = 0; i < 2; i++) {
        const uint64_t mixed = sim_mix64(part + (i + 1) * UINT64_C(0x9e3779b97f4a7c15));
        x->prints[i] += in ? mixed : 0 - mixed;
    }
}

static void set_head(struct sim_sequential *x, uint32_t session, uint32_t head)
{
    print_part(x, false, session, x->heads[session], false);
    x->heads[session] = head;
    print_part(x, false, session, head, true);
}

static void set_state(struct sim_sequential *x, uint32_t key, uint32_t state)
{
    print_part(x, true, key, x->states[key], false);
    x->states[key] = state;
    print_part(x, true, key, state, true);
}

void sim_sequential_take(struct sim_sequential *x, uint32_t node, uint32_t state)
{
    const struct sim_session_node *n = &x->s->nodes[node];
    x->trail[x->trail_count++] =
        (struct sim_sequential_taken){node, x->states[n->key], x->current[n->key]};
    count(x, node, UINT32_MAX);
    set_head(x, n->session, x->heads[n->session] + 1);
    if (state != x->states[n->key]) {
        set_state(x, n->key, state);
    }
    if (sim_sequential_gives(&x->calls[node]) && sim_sequential_is_tracked(x, node)) {
        x->current[n->key] = sim_sequential_slot(x, n->key, state);
    }
}

void sim_sequential_give_back(struct sim_sequential *x, size_t trail)
{
    while (x->trail_count > trail) {
        const struct sim_sequential_taken t = x->trail[--x->trail_count];
        const struct sim_session_node *n = &x->s->nodes[t.node];
        count(x, t.node, 1);
        set_head(x, n->session, x->heads[n->session] - 1);
        set_state(x, n->key, t.state);
        x->current[n->key] = t.slot;
    }
}

void sim_sequential_begin(struct sim_sequential *x, uint32_t initial)
{
    for (uint32_t k = 0; k < x->s->history->value_count; k++) {
        x->states[k] = initial;
        x->current[k] = sim_sequential_slot(x, k, initial);
    }
    for (uint32_t n = 0; n < x->s->node_count; n++) {
        count(x, n, 1);
    }
}

/* ---- Positions seen -------------------------------------------------------------------------- */

static bool seen_grow(struct sim_sequential *x)
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

bool sim_sequential_remember(struct sim_sequential *x)
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
