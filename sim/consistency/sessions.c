#include "sim/consistency/sessions.h"

#include "sim/consistency/operations.h"

/* ---- What shows a trace ---- */

/* While sessions are made. */
struct making {
    const struct sim_trial *trial;
    const struct sim_history *history;
    bool *grows;    /* By key: strings under it are appended to. */
    bool missed;    /* A compare told that something else was there: any value may have been. */
    uint64_t *seen; /* Open addressing: keys and values that some operation saw, plus 1. */
    size_t seen_slots;
    uint32_t *session_of; /* By place: the session plus 1; 0: it is no node. */
    uint32_t *last;       /* By process: the place of its last node plus 1. */
    uint32_t *own;        /* By process: its own session plus 1. */
    uint32_t *sizes;      /* By session. */
    uint32_t *parent_sizes;
};

static bool is_kept(const struct making *m, size_t place)
{
    return !m->trial->keep || m->trial->keep[place];
}

static bool is_optional(const struct making *m, size_t place)
{
    return !is_kept(m, place) || m->history->operations[place].returned == SIM_POSITION_NEVER;
}

/* It did not fail, and if it only looks it says what it saw. */
static bool tells(const struct making *m, size_t place)
{
    const struct sim_history_operation *o = &m->history->operations[place];
    return o->outcome != SIM_OUTCOME_FAIL &&
           !(sim_only_looks(o) && (!is_kept(m, place) || sim_saw_nothing(o)));
}

static uint64_t *seen_slot(const struct making *m, uint32_t key, uint32_t value)
{
    const uint64_t pair = ((uint64_t)key << 32 | value) + 1;
    size_t slot = (size_t)sim_mix64(pair) & (m->seen_slots - 1);
    while (m->seen[slot] && m->seen[slot] != pair) {
        slot = (slot + 1) & (m->seen_slots - 1);
    }
    return &m->seen[slot];
}

static void see(struct making *m, uint32_t key, uint32_t value)
{
    *seen_slot(m, key, value) = ((uint64_t)key << 32 | value) + 1;
}

static void see_through(struct making *m, const struct sim_history_operation *o)
{
    const struct sim_history *h = m->history;
    switch (o->action) {
    case SIM_ACTION_READ:
        if (h->object == SIM_OBJECT_LIST || h->object == SIM_OBJECT_SET) {
            for (size_t i = h->list_starts[o->result]; i < h->list_starts[o->result + 1]; i++) {
                see(m, o->key, h->items[i]);
            }
            return;
        }
        see(m, o->key, o->result);
        return;
    case SIM_ACTION_CAS:
        see(m, o->key, o->expected);
        return;
    case SIM_ACTION_HAS:
        if (o->result != SIM_VALUE_NIL) {
            see(m, o->key, o->value);
        }
        return;
    case SIM_ACTION_DEQUEUE:
    case SIM_ACTION_POP:
        see(m, o->key, o->result);
        return;
    case SIM_ACTION_CAS_MISSED:
        m->missed = true;
        return;
    case SIM_ACTION_APPEND:
        m->grows[o->key] |= h->object == SIM_OBJECT_KV;
        return;
    default:
        return;
    }
}

/* Leaving it out of an order that explains everything leaves one that still does. */
static bool left_no_trace(const struct making *m, const struct sim_history_operation *o)
{
    switch (o->action) {
    case SIM_ACTION_WRITE:
    case SIM_ACTION_CAS:
        if (m->missed || m->grows[o->key]) {
            return false;
        }
        break;
    case SIM_ACTION_APPEND:
        if (m->history->object != SIM_OBJECT_LIST) {
            return false;
        }
        break;
    case SIM_ACTION_ADD:
        if (m->history->object != SIM_OBJECT_SET) {
            return false;
        }
        break;
    case SIM_ACTION_ENQUEUE:
    case SIM_ACTION_PUSH:
        break;
    default:
        return false;
    }
    return *seen_slot(m, o->key, o->value) == 0;
}

static size_t count_sights(const struct making *m)
{
    size_t sights = m->history->item_count;
    for (size_t i = 0; i < m->history->count; i++) {
        sights += tells(m, i);
    }
    return sights;
}

static bool look(struct making *m)
{
    m->seen_slots = 16;
    const size_t sights = count_sights(m);
    while (m->seen_slots < 2 * sights) {
        m->seen_slots *= 2;
    }
    m->seen = sim_scratch_alloc(m->trial->scratch, m->seen_slots, sizeof *m->seen);
    for (size_t i = 0; m->seen && i < m->history->count; i++) {
        if (tells(m, i)) {
            see_through(m, &m->history->operations[i]);
        }
    }
    return m->seen != NULL;
}

static bool is_node(const struct making *m, size_t place)
{
    return tells(m, place) &&
           !(is_optional(m, place) && left_no_trace(m, &m->history->operations[place]));
}

/* ---- Sessions ---- */

/* `parents` are sessions plus 1 here, and become nodes when all nodes have numbers. */
static void assign(struct sim_sessions *s, struct making *m)
{
    const struct sim_history *h = m->history;
    for (size_t i = 0; i < h->count; i++) {
        if (is_node(m, i)) {
            m->last[h->operations[i].process] = (uint32_t)i + 1;
        }
    }
    for (size_t i = 0; i < h->count; i++) {
        if (!is_node(m, i)) {
            continue;
        }
        uint32_t *own = &m->own[h->operations[i].process];
        const bool apart =
            is_optional(m, i) && m->last[h->operations[i].process] != (uint32_t)i + 1;
        uint32_t session = *own;
        if (apart || session == 0) {
            session = ++s->session_count;
        }
        if (apart) {
            s->parents[session - 1] = *own;
            m->parent_sizes[session - 1] = *own ? m->sizes[*own - 1] : 0;
        } else {
            *own = session;
        }
        m->session_of[i] = session;
        m->sizes[session - 1]++;
        s->node_count++;
    }
}

static void fill(struct sim_sessions *s, struct making *m)
{
    for (uint32_t i = 0; i < s->session_count; i++) {
        s->starts[i + 1] = s->starts[i] + m->sizes[i];
        m->sizes[i] = 0;
    }
    for (uint32_t i = 0; i < s->session_count; i++) {
        s->parents[i] = m->parent_sizes[i] > 0
                            ? s->starts[s->parents[i] - 1] + m->parent_sizes[i] - 1
                            : SIM_NODE_NOTHING;
    }
    for (size_t i = 0; i < m->history->count; i++) {
        if (m->session_of[i]) {
            const uint32_t session = m->session_of[i] - 1;
            const struct sim_history_operation *o = &m->history->operations[i];
            s->nodes[s->starts[session] + m->sizes[session]++] =
                (struct sim_session_node){.place = (uint32_t)i,
                                          .session = session,
                                          .key = o->key,
                                          .source = SIM_SOURCE_UNKNOWN,
                                          .writes = !sim_only_looks(o),
                                          .told = !is_optional(m, i),
                                          .optional = is_optional(m, i)};
        }
    }
}

static bool make(struct sim_sessions *s, struct making *m)
{
    struct sim_scratch *scratch = s->scratch;
    const size_t count = s->history->count;
    const size_t processes = s->history->process_count;
    m->session_of = sim_scratch_alloc(scratch, count, sizeof *m->session_of);
    m->last = sim_scratch_alloc(scratch, processes, sizeof *m->last);
    m->own = sim_scratch_alloc(scratch, processes, sizeof *m->own);
    m->sizes = sim_scratch_alloc(scratch, count, sizeof *m->sizes);
    m->parent_sizes = sim_scratch_alloc(scratch, count, sizeof *m->parent_sizes);
    const bool good = look(m) && m->session_of && m->last && m->own && m->sizes && m->parent_sizes;
    if (good) {
        assign(s, m);
        fill(s, m);
    }
    sim_scratch_release(scratch, m->seen, m->seen_slots, sizeof *m->seen);
    sim_scratch_release(scratch, m->session_of, count, sizeof *m->session_of);
    sim_scratch_release(scratch, m->last, processes, sizeof *m->last);
    sim_scratch_release(scratch, m->own, processes, sizeof *m->own);
    sim_scratch_release(scratch, m->sizes, count, sizeof *m->sizes);
    sim_scratch_release(scratch, m->parent_sizes, count, sizeof *m->parent_sizes);
    return good;
}

static void group_writes(struct sim_sessions *s)
{
    const size_t values = s->history->value_count;
    for (uint32_t n = 0; n < s->node_count; n++) {
        s->write_starts[s->nodes[n].key + 1] += s->nodes[n].writes;
    }
    for (size_t v = 0; v < values; v++) {
        s->write_starts[v + 1] += s->write_starts[v];
    }
    for (uint32_t n = 0; n < s->node_count; n++) {
        if (s->nodes[n].writes) {
            s->writes[s->write_starts[s->nodes[n].key]++] = n;
        }
    }
    for (size_t v = values; v > 0; v--) {
        s->write_starts[v] = s->write_starts[v - 1];
    }
    s->write_starts[0] = 0;
}

bool sim_sessions_init(struct sim_sessions *s, const struct sim_trial *trial)
{
    const size_t keys = trial->history->value_count;
    *s = (struct sim_sessions){.history = trial->history,
                               .scratch = trial->scratch,
                               .unresolved = SIM_NODE_NOTHING,
                               .missed = SIM_NODE_NOTHING,
                               .capacity = trial->history->count + 1};
    s->nodes = sim_scratch_alloc(s->scratch, s->capacity, sizeof *s->nodes);
    s->starts = sim_scratch_alloc(s->scratch, s->capacity, sizeof *s->starts);
    s->parents = sim_scratch_alloc(s->scratch, s->capacity, sizeof *s->parents);
    s->writes = sim_scratch_alloc(s->scratch, s->capacity, sizeof *s->writes);
    s->write_starts = sim_scratch_alloc(s->scratch, keys + 1, sizeof *s->write_starts);
    struct making m = {.trial = trial,
                       .history = trial->history,
                       .grows = sim_scratch_alloc(s->scratch, keys, sizeof *m.grows)};
    bool good = s->nodes && s->starts && s->parents && s->writes && s->write_starts && m.grows &&
                make(s, &m);
    if (good) {
        group_writes(s);
        good = sim_sessions_resolve(s, m.grows);
    }
    sim_scratch_release(s->scratch, m.grows, keys, sizeof *m.grows);
    return good;
}

void sim_sessions_release(struct sim_sessions *s)
{
    if (!s->scratch) {
        return;
    }
    sim_scratch_release(s->scratch, s->nodes, s->capacity, sizeof *s->nodes);
    sim_scratch_release(s->scratch, s->starts, s->capacity, sizeof *s->starts);
    sim_scratch_release(s->scratch, s->parents, s->capacity, sizeof *s->parents);
    sim_scratch_release(s->scratch, s->writes, s->capacity, sizeof *s->writes);
    sim_scratch_release(s->scratch, s->write_starts, s->history->value_count + 1,
                        sizeof *s->write_starts);
    sim_scratch_release(s->scratch, s->slots, s->slot_count, sizeof *s->slots);
    sim_scratch_release(s->scratch, s->slot_several, s->slot_count, sizeof *s->slot_several);
    *s = (struct sim_sessions){0};
}
