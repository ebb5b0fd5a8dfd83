/* Who wrote what, and who read it from whom. */
#include "sim/consistency/sessions.h"

/* ---- Who writes what ---- */

static size_t slot_of(const struct sim_sessions *s, uint32_t key, uint32_t value)
{
    size_t slot = (size_t)sim_mix64((uint64_t)key << 32 | value) & (s->slot_count - 1);
    for (; s->slots[slot]; slot = (slot + 1) & (s->slot_count - 1)) {
        const struct sim_history_operation *o = sim_session_operation(s, s->slots[slot] - 1);
        if (o->key == key && o->value == value) {
            break;
        }
    }
    return slot;
}

static void note_writers(struct sim_sessions *s)
{
    for (uint32_t n = 0; n < s->node_count; n++) {
        if (s->nodes[n].writes) {
            const struct sim_history_operation *o = sim_session_operation(s, n);
            const size_t slot = slot_of(s, o->key, o->value);
            if (s->slots[slot]) {
                s->slot_several[slot] = true;
            } else {
                s->slots[slot] = n + 1;
            }
        }
    }
}

uint32_t sim_sessions_writer(const struct sim_sessions *s, uint32_t key, uint32_t value)
{
    const size_t slot = slot_of(s, key, value);
    return !s->slots[slot]         ? SIM_SOURCE_NOWHERE
           : s->slot_several[slot] ? SIM_SOURCE_UNKNOWN
                                   : s->slots[slot] - 1;
}

/* ---- Who read from whom ---- */

static uint32_t source_of(const struct sim_sessions *s, uint32_t node)
{
    const struct sim_history_operation *o = sim_session_operation(s, node);
    const uint32_t value = o->action == SIM_ACTION_CAS ? o->expected : o->result;
    const uint32_t initial = s->history->object == SIM_OBJECT_KV ? SIM_VALUE_EMPTY : SIM_VALUE_NIL;
    const uint32_t writer = sim_sessions_writer(s, o->key, value);
    if (value == initial) {
        return writer == SIM_SOURCE_NOWHERE ? SIM_SOURCE_INITIAL : SIM_SOURCE_UNKNOWN;
    }
    return writer == node ? SIM_SOURCE_NOWHERE : writer;
}

/* What somebody read from has taken place, and so has what that read from. */
static void must_have_been(struct sim_sessions *s, uint32_t source)
{
    while (source <= SIM_SOURCE_NODE_MAX && s->nodes[source].optional) {
        s->nodes[source].optional = false;
        source = s->nodes[source].source;
    }
}

static bool is_read(const struct sim_history_operation *o)
{
    return o->action == SIM_ACTION_READ || o->action == SIM_ACTION_CAS;
}

/* Strings that grow do not say who wrote them. */
static void resolve_values(struct sim_sessions *s, const bool *grows)
{
    for (uint32_t n = 0; n < s->node_count; n++) {
        const struct sim_history_operation *o = sim_session_operation(s, n);
        if (is_read(o) && !grows[o->key]) {
            s->nodes[n].source = source_of(s, n);
        }
    }
    for (uint32_t n = 0; n < s->node_count; n++) {
        if (!s->nodes[n].optional) {
            must_have_been(s, s->nodes[n].source);
        }
    }
    for (uint32_t n = s->node_count; n-- > 0;) {
        const struct sim_history_operation *o = sim_session_operation(s, n);
        if (s->nodes[n].optional) {
            s->nodes[n].source = SIM_SOURCE_UNKNOWN;
        } else if (is_read(o) && s->nodes[n].source == SIM_SOURCE_UNKNOWN) {
            s->unresolved = n;
            s->unresolved_grows = grows[o->key];
        }
        if (o->action == SIM_ACTION_CAS_MISSED) {
            s->missed = n;
        }
    }
}

static void must_have_been_put(struct sim_sessions *s, uint32_t key, uint32_t value)
{
    const uint32_t writer = sim_sessions_writer(s, key, value);
    if (writer <= SIM_SOURCE_NODE_MAX) {
        s->nodes[writer].optional = false;
    }
}

/* Elements that were read have been appended, those that were taken out had been put in. */
static void resolve_elements(struct sim_sessions *s)
{
    const struct sim_history *h = s->history;
    for (uint32_t n = 0; n < s->node_count; n++) {
        const struct sim_history_operation *o = sim_session_operation(s, n);
        if (s->nodes[n].optional) {
            continue;
        }
        if (o->action == SIM_ACTION_READ && h->object == SIM_OBJECT_LIST) {
            for (size_t i = h->list_starts[o->result]; i < h->list_starts[o->result + 1]; i++) {
                must_have_been_put(s, o->key, h->items[i]);
            }
        } else if (o->action == SIM_ACTION_DEQUEUE || o->action == SIM_ACTION_POP) {
            must_have_been_put(s, o->key, o->result);
        }
    }
}

void sim_sessions_forget_untold(struct sim_sessions *s)
{
    for (uint32_t n = 0; n < s->node_count; n++) {
        if (!s->nodes[n].told) {
            s->nodes[n].source = SIM_SOURCE_UNKNOWN;
        }
    }
}

bool sim_sessions_resolve(struct sim_sessions *s, const bool *grows)
{
    const uint32_t object = s->history->object;
    s->slot_count = 16;
    while (s->slot_count < 2 * (size_t)s->node_count) {
        s->slot_count *= 2;
    }
    s->slots = sim_scratch_alloc(s->scratch, s->slot_count, sizeof *s->slots);
    s->slot_several = sim_scratch_alloc(s->scratch, s->slot_count, sizeof *s->slot_several);
    const bool good = s->slots && s->slot_several;
    if (good) {
        note_writers(s);
        if (object == SIM_OBJECT_REGISTER || object == SIM_OBJECT_KV) {
            resolve_values(s, grows);
        } else if (object == SIM_OBJECT_LIST || object == SIM_OBJECT_QUEUE ||
                   object == SIM_OBJECT_STACK) {
            resolve_elements(s);
        }
    }
    return good;
}
