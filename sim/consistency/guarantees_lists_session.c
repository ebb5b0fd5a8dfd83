/* Session guarantees of lists: what a session did and saw before, and what must therefore be
 * visible to its reads. */
#include "sim/consistency/guarantees_lists_internal.h"

/* ---- What came before in a session ----------------------------------------------------------- */

/* What is apart from its session, since nobody knows its end, comes after its parent. */
static void look_back(struct sim_guarantee_lists *l, uint32_t node)
{
    const struct sim_sessions *s = l->s;
    uint32_t at = s->parents[s->nodes[node].session];
    const uint32_t first = at == SIM_NODE_NOTHING ? 0 : s->starts[s->nodes[at].session];
    for (; at != SIM_NODE_NOTHING && at + 1 > first; at--) {
        uint32_t *last = sim_guarantee_is_read(l, at) ? &l->last_read[node] : &l->last_write[node];
        if (s->nodes[at].key == s->nodes[node].key && !*last) {
            *last = at + 1;
        }
    }
}

static void note_previous(struct sim_guarantee_lists *l, uint32_t *by_key, uint32_t *by_key_read)
{
    const struct sim_sessions *s = l->s;
    for (uint32_t n = 0; n < s->node_count; n++) {
        const uint32_t key = s->nodes[n].key;
        const uint32_t first = s->starts[s->nodes[n].session];
        if (n == first) {
            look_back(l, n);
        }
        if (by_key[key] > first) {
            l->last_write[n] = by_key[key];
            l->own_count[n] = l->own_count[by_key[key] - 1] + 1;
        }
        if (by_key_read[key] > first) {
            l->last_read[n] = by_key_read[key];
        }
        *(sim_guarantee_is_read(l, n) ? &by_key_read[key] : &by_key[key]) = n + 1;
    }
}

bool sim_guarantee_find_previous(struct sim_guarantee_lists *l)
{
    struct sim_scratch *scratch = l->g->trial->scratch;
    const size_t keys = l->s->history->value_count;
    /* The latest node of each key, plus 1. */
    uint32_t *by_key = sim_scratch_alloc(scratch, keys, sizeof *by_key);
    uint32_t *by_key_read = sim_scratch_alloc(scratch, keys, sizeof *by_key_read);
    const bool good = by_key && by_key_read;
    if (good) {
        note_previous(l, by_key, by_key_read);
    }
    sim_scratch_release(scratch, by_key, keys, sizeof *by_key);
    sim_scratch_release(scratch, by_key_read, keys, sizeof *by_key_read);
    return good;
}

/* ---- What a read must show ------------------------------------------------------------------- */

bool sim_guarantee_shows_own_writes(struct sim_guarantee_lists *l, uint32_t read)
{
    const struct sim_shown shown = sim_shown_by(l, read);
    uint32_t own = 0;
    for (size_t i = 0; i < shown.count; i++) {
        const uint32_t append = sim_shown_append(l, &shown, i);
        own += l->s->nodes[append].session == l->s->nodes[read].session && append < read;
    }
    uint32_t missing = l->last_write[read];
    while (own < l->own_count[read] && sim_guarantee_shows(l, read, missing - 1)) {
        missing = l->last_write[missing - 1];
    }
    return own == l->own_count[read] ||
           sim_guarantee_violated(l, "a session did not see its own write", read, missing - 1,
                                  missing - 1);
}

bool sim_guarantee_shows_what_was_seen(struct sim_guarantee_lists *l, uint32_t read)
{
    const uint32_t before = l->last_read[read];
    const struct sim_shown shown = before ? sim_shown_by(l, before - 1) : (struct sim_shown){0};
    for (size_t i = 0; i < shown.count; i++) {
        const uint32_t append = sim_shown_append(l, &shown, i);
        if (append <= SIM_SOURCE_NODE_MAX && !sim_guarantee_shows(l, read, append)) {
            return sim_guarantee_violated(l, "a session did not see any more what it had seen",
                                          read, before - 1, append);
        }
    }
    return true;
}

bool sim_guarantee_shows_writes_before(struct sim_guarantee_lists *l, uint32_t read)
{
    const struct sim_shown shown = sim_shown_by(l, read);
    for (size_t i = 0; i < shown.count; i++) {
        const uint32_t append = sim_shown_append(l, &shown, i);
        const uint32_t before = l->last_write[append];
        if (before && !sim_guarantee_shows(l, read, before - 1)) {
            return sim_guarantee_violated(
                l, "a write was seen, and not one before it of the same session", read, before - 1,
                append);
        }
    }
    return true;
}

/* ---- The order of versions ------------------------------------------------------------------- */

/* What comes before the node in its session is older than it, if it writes, and than whatever comes
 * later in the session. */
static bool add_before(struct sim_guarantee_lists *l, uint32_t node)
{
    const struct sim_sessions *s = l->s;
    struct sim_versions *v = &l->g->versions;
    const uint32_t session = s->nodes[node].session;
    const uint32_t before = node == s->starts[session] ? s->parents[session] : node - 1;
    if (before == SIM_NODE_NOTHING) {
        return true;
    }
    const uint32_t all = sim_versions_and_before(v, before);
    const uint32_t both = sim_versions_and_before(v, node);
    return sim_versions_add(v, all, both, SIM_NODE_NOTHING, SIM_NODE_NOTHING) &&
           (sim_guarantee_is_read(l, node) ||
            sim_versions_add(v, all, node, SIM_NODE_NOTHING, SIM_NODE_NOTHING));
}

/* The newest write that, because of this node, all later ones of its session are newer than. */
static uint32_t newest_of(const struct sim_guarantee_lists *l, uint32_t node)
{
    const bool read = sim_guarantee_is_read(l, node);
    if (l->g->guarantee == SIM_MONOTONIC_WRITES) {
        return read ? SIM_NODE_NOTHING : node;
    }
    if (!read || !l->known[node]) {
        return SIM_NODE_NOTHING;
    }
    const struct sim_shown shown = sim_shown_by(l, node);
    return shown.count > 0 ? sim_shown_append(l, &shown, shown.count - 1) : SIM_NODE_NOTHING;
}

bool sim_guarantee_order_sessions(struct sim_guarantee_lists *l)
{
    struct sim_versions *v = &l->g->versions;
    for (uint32_t n = 0; n < l->s->node_count; n++) {
        const uint32_t newest = newest_of(l, n);
        const uint32_t seen = sim_guarantee_is_read(l, n) ? n : SIM_NODE_NOTHING;
        if (!add_before(l, n) ||
            (newest != SIM_NODE_NOTHING &&
             !sim_versions_add(v, newest, sim_versions_and_before(v, n), seen, SIM_NODE_NOTHING))) {
            return false;
        }
    }
    return true;
}
