/* What the search for a sequential order may take next.
 *
 *  - Pure calls (reads and the like) are taken as soon as they are legal and never branched on:
 *    taking one earlier changes neither the state nor who comes before whom.
 *  - A call that may not have been is taken only where a next one could tell that it was.
 *  - A value that is still to be read is not overwritten if nobody writes it again. */
#include "sim/consistency/sequential_internal.h"

/* ---- Candidates ------------------------------------------------------------------------------ */

/* A session's next node; SIM_NODE_NOTHING at its end. */
static uint32_t head_of(const struct sim_sequential *x, uint32_t session)
{
    const uint32_t node = x->s->starts[session] + x->heads[session];
    return node < x->s->starts[session + 1] ? node : SIM_NODE_NOTHING;
}

static bool is_enabled(const struct sim_sequential *x, uint32_t node)
{
    const uint32_t *before = x->p->before + (size_t)node * x->s->session_count;
    for (uint32_t t = 0; t < x->s->session_count; t++) {
        if (before[t] > x->heads[t]) {
            return false;
        }
    }
    return true;
}

void sim_sequential_close(struct sim_sequential *x)
{
    for (bool moved = true; moved;) {
        moved = false;
        for (uint32_t t = 0; t < x->s->session_count; t++) {
            for (uint32_t node = head_of(x, t);
                 node != SIM_NODE_NOTHING && sim_call_is_pure(x->calls[node].kind) &&
                 is_enabled(x, node);
                 node = head_of(x, t)) {
                const uint32_t state = x->states[x->s->nodes[node].key];
                if (sim_sequential_step(x, node, state) != state) {
                    break;
                }
                sim_sequential_take(x, node, state);
                moved = true;
            }
        }
    }
    if (x->trail_count > x->furthest_count) {
        x->furthest_count = x->trail_count;
        memcpy(x->furthest, x->heads, x->s->session_count * sizeof *x->heads);
    }
}

uint32_t sim_sequential_candidate(const struct sim_sequential *x,
                                  struct sim_sequential_frame *frame)
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

/* ---- What leads nowhere ---------------------------------------------------------------------- */

bool sim_sequential_is_of_use(struct sim_sequential *x, uint32_t node, uint32_t state)
{
    const struct sim_session_node *n = &x->s->nodes[node];
    if (!n->optional) {
        return true;
    }
    if (state == x->states[n->key]) {
        return false;
    }
    bool tells = !sim_sequential_gives(&x->calls[node]);
    for (uint32_t t = 0; t < x->s->session_count && !tells; t++) {
        const uint32_t head = head_of(x, t);
        if (head != SIM_NODE_NOTHING && head != node && x->s->nodes[head].key == n->key) {
            const uint32_t kind = x->calls[head].kind;
            tells =
                kind == SIM_CALL_MOVE ||
                (kind != SIM_CALL_SET && sim_sequential_step(x, head, state) != SIM_STATE_ILLEGAL);
        }
    }
    return tells;
}

bool sim_sequential_is_dead(const struct sim_sequential *x, const struct sim_sequential_taken *last)
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

/* It needs what was not there at first and nobody brings about. */
static bool is_hopeless(struct sim_sequential *x, uint32_t node)
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
    if (!sim_sequential_is_tracked(x, node) || !sim_sequential_needs(call, &state)) {
        return false;
    }
    const uint32_t slot = sim_sequential_slot(x, n->key, state);
    return x->supply[slot] == 0 && slot != x->current[n->key];
}

uint32_t sim_sequential_hopeless(struct sim_sequential *x)
{
    uint32_t node = 0;
    while (node < x->s->node_count && !is_hopeless(x, node)) {
        node++;
    }
    return node < x->s->node_count ? node : SIM_NODE_NOTHING;
}
