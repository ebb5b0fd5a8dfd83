/* Session guarantees of lists: a read shows which writes were visible to it, and their order. */
#include "sim/consistency/guarantees.h"

struct lists {
    struct sim_guarantees *g;
    const struct sim_sessions *s;
    struct sim_precedence precedence; /* Writes follow reads: sessions, and who saw what. */
    bool *known;                      /* By read: it is known who appended what it shows. */
    uint32_t *shown_by;               /* By append: the last read marked that shows it, plus 1. */
    uint32_t *next;                   /* By append: the element known to stand behind it, plus 1. */
    uint32_t *last_write; /* By node: the one before it of its session and key, plus 1; 0: none; */
    uint32_t *last_read;
    uint32_t *own_count; /* and how many appends there are. */
    uint32_t *by_key;    /* While these are made: the latest node of each key, plus 1. */
    uint32_t *by_key_read;
    uint32_t *latest; /* By session: of the read at hand the latest append shown, plus 1. */
    /* Sets of writes: bit i is the i-th in s->writes. */
    size_t width;    /* In words. */
    uint64_t *needs; /* By append: what must be visible where it is. */
    uint64_t *held;  /* By session: what it has seen so far, and what that needs. */
};

static bool violated(struct lists *l, const char *why, uint32_t node, uint32_t a, uint32_t b)
{
    sim_trial_violated(l->g->trial, l->g->anomaly, why, l->s->nodes[node].place);
    sim_trial_blame(l->g->trial, l->s->nodes[node].place);
    sim_trial_blame(l->g->trial, l->s->nodes[a].place);
    sim_trial_blame(l->g->trial, l->s->nodes[b].place);
    return false;
}

static bool is_read(const struct lists *l, uint32_t node)
{
    return sim_session_operation(l->s, node)->action == SIM_ACTION_READ;
}

/* The elements that a read saw. */
struct shown {
    const uint32_t *items;
    size_t count;
    uint32_t key;
};

static struct shown shown_by(const struct lists *l, uint32_t read)
{
    const struct sim_history *h = l->s->history;
    const uint32_t list = sim_session_operation(l->s, read)->result;
    return (struct shown){h->items + h->list_starts[list],
                          h->list_starts[list + 1] - h->list_starts[list], l->s->nodes[read].key};
}

static uint32_t append_of(const struct lists *l, const struct shown *shown, size_t i)
{
    return sim_sessions_writer(l->s, shown->key, shown->items[i]);
}

static bool shows(const struct lists *l, uint32_t read, uint32_t append)
{
    return l->shown_by[append] == read + 1;
}

static void mark(struct lists *l, uint32_t read)
{
    const struct shown shown = shown_by(l, read);
    for (size_t i = 0; i < shown.count; i++) {
        l->shown_by[append_of(l, &shown, i)] = read + 1;
    }
}

/* ---- What came before in a session ----------------------------------------------------------- */

/* What is apart from its session, since nobody knows its end, comes after its parent. */
static void look_back(struct lists *l, uint32_t node)
{
    const struct sim_sessions *s = l->s;
    uint32_t at = s->parents[s->nodes[node].session];
    const uint32_t first = at == SIM_NODE_NOTHING ? 0 : s->starts[s->nodes[at].session];
    for (; at != SIM_NODE_NOTHING && at + 1 > first; at--) {
        uint32_t *last = is_read(l, at) ? &l->last_read[node] : &l->last_write[node];
        if (s->nodes[at].key == s->nodes[node].key && !*last) {
            *last = at + 1;
        }
    }
}

static void find_previous(struct lists *l)
{
    const struct sim_sessions *s = l->s;
    for (uint32_t n = 0; n < s->node_count; n++) {
        const uint32_t key = s->nodes[n].key;
        const uint32_t first = s->starts[s->nodes[n].session];
        if (n == first) {
            look_back(l, n);
        }
        if (l->by_key[key] > first) {
            l->last_write[n] = l->by_key[key];
            l->own_count[n] = l->own_count[l->by_key[key] - 1] + 1;
        }
        if (l->by_key_read[key] > first) {
            l->last_read[n] = l->by_key_read[key];
        }
        *(is_read(l, n) ? &l->by_key_read[key] : &l->by_key[key]) = n + 1;
    }
}

/* ---- What all reads tell --------------------------------------------------------------------- */

static bool all_elements_known(struct lists *l, uint32_t read)
{
    const struct shown shown = shown_by(l, read);
    l->known[read] = true;
    for (size_t i = 0; i < shown.count; i++) {
        const uint32_t append = append_of(l, &shown, i);
        if (append == SIM_SOURCE_NOWHERE) {
            return violated(l, "an element was read that nobody appended", read, read, read);
        }
        if (append == SIM_SOURCE_UNKNOWN) {
            l->known[read] = false;
            l->g->unresolved = read;
        }
    }
    l->g->trial->steps += shown.count;
    return l->g->trial->steps <= l->g->trial->steps_max;
}

/* Marks what the read shows, and adds the order of its elements. */
static bool add_order(struct lists *l, uint32_t read)
{
    const struct shown shown = shown_by(l, read);
    uint32_t before = SIM_NODE_NOTHING;
    for (size_t i = 0; i < shown.count; i++) {
        const uint32_t append = append_of(l, &shown, i);
        if (shows(l, read, append)) {
            return violated(l, "an element was read twice that was appended once", read, append,
                            append);
        }
        l->shown_by[append] = read + 1;
        if (before != SIM_NODE_NOTHING && l->next[before] != append + 1) {
            l->next[before] = append + 1;
            if (!sim_versions_add(&l->g->versions, before, append, read, SIM_NODE_NOTHING)) {
                return false;
            }
        }
        before = append;
    }
    return true;
}

/* ---- Of one session -------------------------------------------------------------------------- */

static bool shows_own_writes(struct lists *l, uint32_t read)
{
    const struct shown shown = shown_by(l, read);
    uint32_t own = 0;
    for (size_t i = 0; i < shown.count; i++) {
        const uint32_t append = append_of(l, &shown, i);
        own += l->s->nodes[append].session == l->s->nodes[read].session && append < read;
    }
    uint32_t missing = l->last_write[read];
    while (own < l->own_count[read] && shows(l, read, missing - 1)) {
        missing = l->last_write[missing - 1];
    }
    return own == l->own_count[read] ||
           violated(l, "a session did not see its own write", read, missing - 1, missing - 1);
}

static bool shows_what_was_seen(struct lists *l, uint32_t read)
{
    const uint32_t before = l->last_read[read];
    const struct shown shown = before ? shown_by(l, before - 1) : (struct shown){0};
    for (size_t i = 0; i < shown.count; i++) {
        const uint32_t append = append_of(l, &shown, i);
        if (append <= SIM_SOURCE_NODE_MAX && !shows(l, read, append)) {
            return violated(l, "a session did not see any more what it had seen", read, before - 1,
                            append);
        }
    }
    return true;
}

static bool shows_writes_before(struct lists *l, uint32_t read)
{
    const struct shown shown = shown_by(l, read);
    for (size_t i = 0; i < shown.count; i++) {
        const uint32_t append = append_of(l, &shown, i);
        const uint32_t before = l->last_write[append];
        if (before && !shows(l, read, before - 1)) {
            return violated(l, "a write was seen, and not one before it of the same session", read,
                            before - 1, append);
        }
    }
    return true;
}

/* The writes of each session have versions in its order, whatever their keys. */
static bool order_sessions(struct lists *l)
{
    const struct sim_sessions *s = l->s;
    struct sim_versions *v = &l->g->versions;
    for (uint32_t n = 0; n < s->node_count; n++) {
        const bool first = n == s->starts[s->nodes[n].session];
        const uint32_t before = first ? s->parents[s->nodes[n].session] : n - 1;
        const uint32_t both = sim_versions_and_before(v, n);
        if (before != SIM_NODE_NOTHING) {
            const uint32_t all = sim_versions_and_before(v, before);
            if (!sim_versions_add(v, all, both, SIM_NODE_NOTHING, SIM_NODE_NOTHING) ||
                (!is_read(l, n) &&
                 !sim_versions_add(v, all, n, SIM_NODE_NOTHING, SIM_NODE_NOTHING))) {
                return false;
            }
        }
        const struct shown shown = is_read(l, n) ? shown_by(l, n) : (struct shown){0};
        uint32_t from = is_read(l, n) ? SIM_NODE_NOTHING : n;
        if (l->g->guarantee == SIM_WRITES_FOLLOW_READS) {
            from = shown.count > 0 && l->known[n] ? append_of(l, &shown, shown.count - 1)
                                                  : SIM_NODE_NOTHING;
        }
        if (from != SIM_NODE_NOTHING &&
            !sim_versions_add(v, from, both, is_read(l, n) ? n : SIM_NODE_NOTHING,
                              SIM_NODE_NOTHING)) {
            return false;
        }
    }
    return true;
}

/* ---- Writes follow reads --------------------------------------------------------------------- */

/* Of each session the latest append that the read shows: it needs all that earlier ones do. */
static void find_latest(struct lists *l, uint32_t read)
{
    const struct shown shown = shown_by(l, read);
    memset(l->latest, 0, l->s->session_count * sizeof *l->latest);
    for (size_t i = 0; i < shown.count; i++) {
        const uint32_t append = append_of(l, &shown, i);
        uint32_t *latest = &l->latest[l->s->nodes[append].session];
        *latest = append + 1 > *latest ? append + 1 : *latest;
    }
}

static bool add_sightings(struct lists *l)
{
    const struct sim_sessions *s = l->s;
    for (uint32_t n = 0; n < s->node_count; n++) {
        if (!l->known[n]) {
            continue;
        }
        find_latest(l, n);
        for (uint32_t t = 0; t < s->session_count; t++) {
            if (l->latest[t] &&
                !sim_precedence_add(&l->precedence, l->latest[t] - 1, n, SIM_NODE_NOTHING)) {
                return false;
            }
        }
    }
    return true;
}

static uint64_t *held_by(const struct lists *l, uint32_t session)
{
    return l->held + session * l->width;
}

static void unite(const struct lists *l, uint64_t *into, const uint64_t *more)
{
    for (size_t w = 0; w < l->width; w++) {
        into[w] |= more[w];
    }
}

/* Does the read show all of its key that the elements it shows need? */
static bool shows_needs(struct lists *l, uint32_t read)
{
    const uint32_t key = l->s->nodes[read].key;
    mark(l, read);
    l->g->trial->steps += l->s->write_starts[key + 1] - l->s->write_starts[key];
    if (l->g->trial->steps > l->g->trial->steps_max) {
        return false;
    }
    for (uint32_t t = 0; t < l->s->session_count; t++) {
        const uint64_t *needs = l->latest[t] ? l->needs + (l->latest[t] - 1) * l->width : NULL;
        for (uint32_t i = l->s->write_starts[key]; needs && i < l->s->write_starts[key + 1]; i++) {
            if ((needs[i >> 6] >> (i & 63) & 1) && !shows(l, read, l->s->writes[i])) {
                return violated(l, "a write was seen, and not what its session had seen before it",
                                read, l->latest[t] - 1, l->s->writes[i]);
            }
        }
    }
    return true;
}

/* What the read shows comes to what its session has seen, and so does what that needs. */
static void hold(struct lists *l, uint32_t read)
{
    uint64_t *held = held_by(l, l->s->nodes[read].session);
    for (uint32_t i = l->s->write_starts[l->s->nodes[read].key];
         i < l->s->write_starts[l->s->nodes[read].key + 1]; i++) {
        held[i >> 6] |= (uint64_t)shows(l, read, l->s->writes[i]) << (i & 63);
    }
    for (uint32_t t = 0; t < l->s->session_count; t++) {
        if (l->latest[t]) {
            unite(l, held, l->needs + (l->latest[t] - 1) * l->width);
        }
    }
}

/* All nodes in an order in which whoever was seen comes before who saw it. */
static bool follow(struct lists *l)
{
    const struct sim_sessions *s = l->s;
    for (uint32_t i = 0; i < s->node_count; i++) {
        const uint32_t node = l->precedence.sequence[i];
        const uint32_t session = s->nodes[node].session;
        if (!is_read(l, node)) {
            unite(l, l->needs + node * l->width, held_by(l, session));
        } else if (l->known[node]) {
            find_latest(l, node);
            if (!shows_needs(l, node)) {
                return false;
            }
            hold(l, node);
        }
        for (uint32_t t = session + 1; t < s->session_count; t++) {
            if (s->parents[t] == node) {
                unite(l, held_by(l, t), held_by(l, session));
            }
        }
    }
    return true;
}

static bool writes_follow_reads(struct lists *l)
{
    struct sim_scratch *scratch = l->g->trial->scratch;
    const size_t nodes = l->s->node_count;
    l->width = (nodes + 63) / 64;
    if (nodes > 0 && l->width > SIZE_MAX / nodes) {
        return false;
    }
    l->needs = sim_scratch_alloc(scratch, nodes * l->width, sizeof *l->needs);
    l->held = sim_scratch_alloc(scratch, l->s->session_count * l->width, sizeof *l->held);
    bool good = l->needs && l->held && sim_precedence_init(&l->precedence, l->s, l->g->trial) &&
                add_sightings(l);
    if (good) {
        const enum sim_closure closure = sim_precedence_close(&l->precedence);
        good = closure == SIM_CLOSED && follow(l) && order_sessions(l);
        if (closure == SIM_CYCLE) {
            sim_trial_violated(l->g->trial, l->g->anomaly, "a write follows from itself",
                               l->s->nodes[l->precedence.stuck].place);
            sim_precedence_blame(&l->precedence, closure);
        }
    }
    sim_precedence_release(&l->precedence);
    sim_scratch_release(scratch, l->needs, nodes * l->width, sizeof *l->needs);
    sim_scratch_release(scratch, l->held, l->s->session_count * l->width, sizeof *l->held);
    return good;
}

/* ---- All of it ------------------------------------------------------------------------------- */

static bool judge_read(struct lists *l, uint32_t read)
{
    if (!all_elements_known(l, read)) {
        return false;
    }
    if (!l->known[read]) {
        return true;
    }
    if (!add_order(l, read)) {
        return false;
    }
    switch (l->g->guarantee) {
    case SIM_READ_YOUR_WRITES:
        return shows_own_writes(l, read);
    case SIM_MONOTONIC_READS:
        return shows_what_was_seen(l, read);
    case SIM_MONOTONIC_WRITES:
        return shows_writes_before(l, read);
    default:
        return true;
    }
}

static bool judge(struct lists *l)
{
    find_previous(l);
    for (uint32_t n = 0; n < l->s->node_count; n++) {
        if (is_read(l, n) && !judge_read(l, n)) {
            return false;
        }
    }
    switch (l->g->guarantee) {
    case SIM_MONOTONIC_WRITES:
        return order_sessions(l);
    case SIM_WRITES_FOLLOW_READS:
        return writes_follow_reads(l);
    default:
        return true;
    }
}

bool sim_guarantee_of_lists(struct sim_guarantees *g)
{
    struct sim_scratch *scratch = g->trial->scratch;
    const size_t nodes = g->sessions->node_count;
    const size_t keys = g->sessions->history->value_count;
    struct lists l = {
        .g = g,
        .s = g->sessions,
        .known = sim_scratch_alloc(scratch, nodes, sizeof *l.known),
        .shown_by = sim_scratch_alloc(scratch, nodes, sizeof *l.shown_by),
        .next = sim_scratch_alloc(scratch, nodes, sizeof *l.next),
        .last_write = sim_scratch_alloc(scratch, nodes, sizeof *l.last_write),
        .last_read = sim_scratch_alloc(scratch, nodes, sizeof *l.last_read),
        .own_count = sim_scratch_alloc(scratch, nodes, sizeof *l.own_count),
        .by_key = sim_scratch_alloc(scratch, keys, sizeof *l.by_key),
        .by_key_read = sim_scratch_alloc(scratch, keys, sizeof *l.by_key_read),
        .latest = sim_scratch_alloc(scratch, g->sessions->session_count, sizeof *l.latest),
    };
    const bool good = l.known && l.shown_by && l.next && l.last_write && l.last_read &&
                      l.own_count && l.by_key && l.by_key_read && l.latest && judge(&l);
    sim_scratch_release(scratch, l.known, nodes, sizeof *l.known);
    sim_scratch_release(scratch, l.shown_by, nodes, sizeof *l.shown_by);
    sim_scratch_release(scratch, l.next, nodes, sizeof *l.next);
    sim_scratch_release(scratch, l.last_write, nodes, sizeof *l.last_write);
    sim_scratch_release(scratch, l.last_read, nodes, sizeof *l.last_read);
    sim_scratch_release(scratch, l.own_count, nodes, sizeof *l.own_count);
    sim_scratch_release(scratch, l.by_key, keys, sizeof *l.by_key);
    sim_scratch_release(scratch, l.by_key_read, keys, sizeof *l.by_key_read);
    sim_scratch_release(scratch, l.latest, g->sessions->session_count, sizeof *l.latest);
    return good;
}
