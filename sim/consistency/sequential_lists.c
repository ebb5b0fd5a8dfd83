#include "sim/consistency/sequential.h"

/* While the edges are made. */
struct lists {
    struct sim_precedence *p;
    uint32_t *longest; /* By key: the node of a longest read plus 1; 0: none. */
    uint32_t *appends; /* Of the list at hand: who appended each element. */
    size_t append_capacity;
    bool *listed; /* By node: it appended an element of its key's longest read. */
};

static size_t length_of(const struct sim_sessions *s, uint32_t read)
{
    const uint32_t list = sim_session_operation(s, read)->result;
    return s->history->list_starts[list + 1] - s->history->list_starts[list];
}

static const uint32_t *items_of(const struct sim_sessions *s, uint32_t read)
{
    return s->history->items + s->history->list_starts[sim_session_operation(s, read)->result];
}

static bool is_read(const struct sim_sessions *s, uint32_t node)
{
    return sim_session_operation(s, node)->action == SIM_ACTION_READ;
}

static enum sim_lists violated(struct lists *l, const char *why, uint32_t read, uint32_t other)
{
    const struct sim_sessions *s = l->p->sessions;
    sim_trial_violated(l->p->trial, "not-sequential", why, s->nodes[read].place);
    sim_trial_blame(l->p->trial, s->nodes[read].place);
    sim_trial_blame(l->p->trial, s->nodes[other].place);
    return SIM_LISTS_VIOLATED;
}

/* The appends of a longest read, into appends[]. Each must have been, and once. */
static enum sim_lists find_appends(struct lists *l, uint32_t read)
{
    const struct sim_sessions *s = l->p->sessions;
    const size_t length = length_of(s, read);
    if (!sim_scratch_grow(s->scratch, &l->appends, &l->append_capacity, length,
                          sizeof *l->appends)) {
        return SIM_LISTS_OUT_OF_MEMORY;
    }
    for (size_t i = 0; i < length; i++) {
        const uint32_t writer = sim_sessions_writer(s, s->nodes[read].key, items_of(s, read)[i]);
        if (writer == SIM_SOURCE_UNKNOWN) {
            return SIM_LISTS_AMBIGUOUS;
        }
        if (writer == SIM_SOURCE_NOWHERE) {
            return violated(l, "an element was read that nobody appended", read, read);
        }
        if (l->listed[writer]) {
            return violated(l, "an element was read twice that was appended once", read, writer);
        }
        l->listed[writer] = true;
        l->appends[i] = writer;
    }
    return SIM_LISTS_ORDERED;
}

static bool begins(const uint32_t *items, const uint32_t *longer, size_t length)
{
    return length == 0 || memcmp(items, longer, length * sizeof *items) == 0;
}

/* `node` comes before every append that the key's longest read does not show. */
static bool before_unlisted(struct lists *l, uint32_t key, uint32_t node)
{
    const struct sim_sessions *s = l->p->sessions;
    uint32_t session = SIM_NODE_NOTHING; /* One append of each session will do. */
    for (uint32_t i = s->write_starts[key]; i < s->write_starts[key + 1]; i++) {
        const uint32_t append = s->writes[i];
        if (l->listed[append] || s->nodes[append].session == session) {
            continue;
        }
        session = s->nodes[append].session;
        if (!sim_precedence_add(l->p, node, append, SIM_NODE_NOTHING)) {
            return false;
        }
    }
    return true;
}

/* All reads of a key, once its longest is known. */
static enum sim_lists order_reads(struct lists *l, uint32_t key, uint32_t longest,
                                  const uint32_t *reads, uint32_t count)
{
    const struct sim_sessions *s = l->p->sessions;
    const size_t length = length_of(s, longest);
    for (size_t i = 1; i < length; i++) {
        if (!sim_precedence_add(l->p, l->appends[i - 1], l->appends[i], SIM_NODE_NOTHING)) {
            return SIM_LISTS_OUT_OF_MEMORY;
        }
    }
    if (length > 0 && !before_unlisted(l, key, l->appends[length - 1])) {
        return SIM_LISTS_OUT_OF_MEMORY;
    }
    for (uint32_t i = 0; i < count; i++) {
        const size_t seen = length_of(s, reads[i]);
        if (!begins(items_of(s, reads[i]), items_of(s, longest), seen)) {
            return violated(l, "of two reads neither begins with the other", reads[i], longest);
        }
        const bool after =
            seen == 0 || sim_precedence_add(l->p, l->appends[seen - 1], reads[i], SIM_NODE_NOTHING);
        if (!after ||
            !(seen < length ? sim_precedence_add(l->p, reads[i], l->appends[seen], SIM_NODE_NOTHING)
                            : before_unlisted(l, key, reads[i]))) {
            return SIM_LISTS_OUT_OF_MEMORY;
        }
    }
    return SIM_LISTS_ORDERED;
}

/* Reads by key: reads[] in order of key, starts[] of each. */
static void group_reads(struct lists *l, uint32_t *reads, uint32_t *starts)
{
    const struct sim_sessions *s = l->p->sessions;
    const size_t keys = s->history->value_count;
    for (uint32_t n = 0; n < s->node_count; n++) {
        if (is_read(s, n)) {
            uint32_t *longest = &l->longest[s->nodes[n].key];
            if (!*longest || length_of(s, n) > length_of(s, *longest - 1)) {
                *longest = n + 1;
            }
            starts[s->nodes[n].key + 1]++;
        }
    }
    for (size_t k = 0; k < keys; k++) {
        starts[k + 1] += starts[k];
    }
    for (uint32_t n = 0; n < s->node_count; n++) {
        if (is_read(s, n)) {
            reads[starts[s->nodes[n].key]++] = n;
        }
    }
    for (size_t k = keys; k > 0; k--) {
        starts[k] = starts[k - 1];
    }
    starts[0] = 0;
}

static enum sim_lists order(struct lists *l, uint32_t *reads, uint32_t *starts)
{
    enum sim_lists answer = SIM_LISTS_ORDERED;
    group_reads(l, reads, starts);
    for (uint32_t k = 0; k < l->p->sessions->history->value_count; k++) {
        if (l->longest[k] && answer == SIM_LISTS_ORDERED) {
            answer = find_appends(l, l->longest[k] - 1);
            if (answer == SIM_LISTS_ORDERED) {
                answer = order_reads(l, k, l->longest[k] - 1, reads + starts[k],
                                     starts[k + 1] - starts[k]);
            }
        }
    }
    return answer;
}

enum sim_lists sim_sequential_lists(struct sim_precedence *p)
{
    const struct sim_sessions *s = p->sessions;
    const size_t keys = s->history->value_count;
    const size_t given = p->edge_count;
    struct lists l = {
        .p = p,
        .longest = sim_scratch_alloc(s->scratch, keys, sizeof *l.longest),
        .listed = sim_scratch_alloc(s->scratch, s->node_count, sizeof *l.listed),
    };
    uint32_t *reads = sim_scratch_alloc(s->scratch, s->node_count, sizeof *reads);
    uint32_t *starts = sim_scratch_alloc(s->scratch, keys + 1, sizeof *starts);
    enum sim_lists answer = SIM_LISTS_OUT_OF_MEMORY;
    if (l.longest && l.listed && reads && starts) {
        answer = order(&l, reads, starts);
        if (answer == SIM_LISTS_AMBIGUOUS) {
            sim_precedence_cut(p, given);
        }
    }
    sim_scratch_release(s->scratch, reads, s->node_count, sizeof *reads);
    sim_scratch_release(s->scratch, starts, keys + 1, sizeof *starts);
    sim_scratch_release(s->scratch, l.longest, keys, sizeof *l.longest);
    sim_scratch_release(s->scratch, l.listed, s->node_count, sizeof *l.listed);
    sim_scratch_release(s->scratch, l.appends, l.append_capacity, sizeof *l.appends);
    return answer;
}
