#include "sim/consistency/guarantees.h"

/* ---- Values ---------------------------------------------------------------------------------- */

/* What a session has done under each key; an entry of another session counts as none. */
struct memory {
    uint32_t session;         /* Plus 1. */
    uint32_t write;           /* Its latest write, */
    uint32_t read;            /* and read; SIM_NODE_NOTHING: none. */
    uint32_t compared_source; /* Read your writes: its writes up to compared_to come before this */
    uint32_t compared_to;     /* one: that has been added. */
};

struct values {
    struct sim_guarantees *g;
    struct memory *memories; /* By key. */
    uint32_t *previous;      /* By node: the write of its session and key before it. */
};

static bool violated(struct sim_guarantees *g, const char *why, uint32_t node, uint32_t other)
{
    sim_trial_violated(g->trial, g->anomaly, why, g->sessions->nodes[node].place);
    sim_trial_blame(g->trial, g->sessions->nodes[node].place);
    sim_trial_blame(g->trial, g->sessions->nodes[other].place);
    return false;
}

static struct memory *recall(struct values *v, uint32_t node)
{
    const struct sim_session_node *n = &v->g->sessions->nodes[node];
    struct memory *m = &v->memories[n->key];
    if (m->session != n->session + 1) {
        *m = (struct memory){n->session + 1, SIM_NODE_NOTHING, SIM_NODE_NOTHING, SIM_NODE_NOTHING,
                             SIM_NODE_NOTHING};
    }
    return m;
}

/* The session's own writes of the key that came earlier are no newer than what is read. Those
 * before what is read, if that is its own, are one edge; those after it one each. */
static bool add_own_writes(struct values *v, uint32_t read, struct memory *m)
{
    struct sim_versions *versions = &v->g->versions;
    const struct sim_session_node *nodes = v->g->sessions->nodes;
    const uint32_t source = nodes[read].source;
    const bool own = nodes[source].session == nodes[read].session && source <= m->write;
    const bool known = m->compared_source == source && (!own || m->compared_to >= source);
    uint32_t write = m->write;
    while (own && write != source && !(known && write == m->compared_to)) {
        if (!sim_versions_add(versions, write, source, read, SIM_NODE_NOTHING)) {
            return false;
        }
        write = v->previous[write];
    }
    const bool done = known && (own || write == m->compared_to);
    write = own ? v->previous[source] : write;
    m->compared_source = source;
    m->compared_to = m->write;
    return done || write == SIM_NODE_NOTHING ||
           sim_versions_add(versions, sim_versions_and_before(versions, write), source, read,
                            SIM_NODE_NOTHING);
}

static bool read_your_writes(struct values *v, uint32_t node)
{
    struct sim_guarantees *g = v->g;
    struct memory *m = recall(v, node);
    const uint32_t source = g->sessions->nodes[node].source;
    if (sim_source_is_known(source) && m->write != SIM_NODE_NOTHING) {
        if (source == SIM_SOURCE_INITIAL) {
            return violated(g, "a session read the initial value after its own write", node,
                            m->write);
        }
        if (!add_own_writes(v, node, m)) {
            return false;
        }
    }
    if (!g->sessions->nodes[node].writes) {
        return true;
    }
    const uint32_t both = sim_versions_and_before(&g->versions, node);
    v->previous[node] = m->write;
    m->write = node;
    return sim_versions_add(&g->versions, node, both, SIM_NODE_NOTHING, SIM_NODE_NOTHING) &&
           (v->previous[node] == SIM_NODE_NOTHING ||
            sim_versions_add(&g->versions, sim_versions_and_before(&g->versions, v->previous[node]),
                             both, SIM_NODE_NOTHING, SIM_NODE_NOTHING));
}

/* What was seen would have to be visible to the very operation that reads and writes it. */
static bool is_own_compare(const struct sim_guarantees *g, uint32_t node, uint32_t source)
{
    return g->sessions->nodes[source].session == g->sessions->nodes[node].session &&
           g->sessions->nodes[source].told &&
           sim_session_operation(g->sessions, source)->action == SIM_ACTION_CAS;
}

static bool monotonic_reads(struct values *v, uint32_t node)
{
    struct sim_guarantees *g = v->g;
    struct memory *m = recall(v, node);
    const uint32_t source = g->sessions->nodes[node].source;
    if (!sim_source_is_known(source)) {
        return true;
    }
    if (source > node && source <= SIM_SOURCE_NODE_MAX && is_own_compare(g, node, source)) {
        return violated(g, "a session saw what it was still to write when it read again", node,
                        source);
    }
    const uint32_t before =
        m->read == SIM_NODE_NOTHING ? source : g->sessions->nodes[m->read].source;
    const uint32_t read = m->read;
    m->read = node;
    if (before == source || before == SIM_SOURCE_INITIAL) {
        return true;
    }
    if (source == SIM_SOURCE_INITIAL) {
        return violated(g, "a session read the initial value after another one", node, read);
    }
    return sim_versions_add(&g->versions, before, source, read, node);
}

/* Writes that follow reads contradict each other only by a circle of who read from whom. */
static bool writes_follow_reads(struct sim_guarantees *g)
{
    struct sim_precedence p = {0};
    bool good = sim_precedence_init(&p, g->sessions, g->trial) && sim_precedence_add_sources(&p);
    if (good) {
        const enum sim_closure closure = sim_precedence_close(&p);
        good = closure == SIM_CLOSED;
        if (closure == SIM_CYCLE) {
            sim_trial_violated(g->trial, g->anomaly, "a write follows from itself",
                               g->sessions->nodes[p.stuck].place);
            sim_precedence_blame(&p, closure);
        }
    }
    sim_precedence_release(&p);
    return good;
}

static bool judge_sessions(struct values *v)
{
    const struct sim_sessions *s = v->g->sessions;
    for (uint32_t n = 0; n < s->node_count; n++) {
        if (s->nodes[n].source == SIM_SOURCE_NOWHERE) {
            return violated(v->g, "a value was read that nobody wrote", n, n);
        }
    }
    if (v->g->guarantee == SIM_WRITES_FOLLOW_READS) {
        return writes_follow_reads(v->g);
    }
    const bool own = v->g->guarantee == SIM_READ_YOUR_WRITES;
    uint32_t n = 0;
    while (n < s->node_count && (own ? read_your_writes(v, n) : monotonic_reads(v, n))) {
        n++;
    }
    return n == s->node_count;
}

bool sim_guarantee_of_values(struct sim_guarantees *g)
{
    assert(g->guarantee != SIM_MONOTONIC_WRITES);
    struct sim_scratch *scratch = g->trial->scratch;
    const size_t keys = g->sessions->history->value_count;
    struct values v = {
        .g = g,
        .memories = sim_scratch_alloc(scratch, keys, sizeof *v.memories),
        .previous = sim_scratch_alloc(scratch, g->sessions->node_count, sizeof *v.previous),
    };
    const bool good = v.memories && v.previous && judge_sessions(&v);
    sim_scratch_release(scratch, v.memories, keys, sizeof *v.memories);
    sim_scratch_release(scratch, v.previous, g->sessions->node_count, sizeof *v.previous);
    return good;
}

/* ---- All objects ----------------------------------------------------------------------------- */

static void judge(struct sim_guarantees *g)
{
    struct sim_trial *trial = g->trial;
    const bool lists = trial->history->object == SIM_OBJECT_LIST;
    if (!(lists ? sim_guarantee_of_lists(g) : sim_guarantee_of_values(g))) {
        return;
    }
    switch (sim_versions_order(&g->versions)) {
    case SIM_VERSIONS_NO_MEMORY:
        return;
    case SIM_VERSIONS_CYCLE:
        sim_trial_violated(trial, g->anomaly, "no order of versions explains what sessions read",
                           SIM_HISTORY_NOTHING);
        return;
    case SIM_VERSIONS_ORDERED:
        break;
    }
    if (g->unresolved == SIM_NODE_NOTHING || sim_trial_holds(trial, sim_check_sequential)) {
        trial->verdict = SIM_HOLDS;
        sim_trial_tell(trial, lists ? "by the order of versions that the lists show"
                                    : "by what was read: registers do not show the order of "
                                      "versions");
    } else {
        sim_trial_unknown(trial, "undecided: it is not known whose writes were seen here",
                          g->sessions->nodes[g->unresolved].place);
    }
}

static void try_guarantee(struct sim_trial *trial, enum sim_guarantee guarantee,
                          const char *anomaly)
{
    struct sim_sessions sessions;
    struct sim_guarantees g = {.guarantee = guarantee,
                               .anomaly = anomaly,
                               .sessions = &sessions,
                               .trial = trial,
                               .versions = {.sessions = &sessions, .trial = trial}};
    if (sim_sessions_init(&sessions, trial)) {
        sim_sessions_forget_untold(&sessions);
        g.unresolved =
            sessions.unresolved != SIM_NODE_NOTHING ? sessions.unresolved : sessions.missed;
        judge(&g);
    }
    if (trial->verdict == SIM_UNKNOWN) {
        sim_trial_unknown(trial, "undecided: the steps of the budget are spent",
                          SIM_HISTORY_NOTHING);
    }
    sim_versions_release(&g.versions);
    sim_sessions_release(&sessions);
}

static void try_read_your_writes(struct sim_trial *trial)
{
    try_guarantee(trial, SIM_READ_YOUR_WRITES, "not-read-your-writes");
}

static void try_monotonic_reads(struct sim_trial *trial)
{
    try_guarantee(trial, SIM_MONOTONIC_READS, "not-monotonic-reads");
}

static void try_monotonic_writes(struct sim_trial *trial)
{
    try_guarantee(trial, SIM_MONOTONIC_WRITES, "not-monotonic-writes");
}

static void try_writes_follow_reads(struct sim_trial *trial)
{
    try_guarantee(trial, SIM_WRITES_FOLLOW_READS, "not-writes-follow-reads");
}

void sim_check_read_your_writes(const struct sim_history *history, const struct sim_budget *budget,
                                struct sim_consistency_result *result)
{
    sim_try(history, budget, result, try_read_your_writes);
}

void sim_check_monotonic_reads(const struct sim_history *history, const struct sim_budget *budget,
                               struct sim_consistency_result *result)
{
    sim_try(history, budget, result, try_monotonic_reads);
}

void sim_check_monotonic_writes(const struct sim_history *history, const struct sim_budget *budget,
                                struct sim_consistency_result *result)
{
    sim_try(history, budget, result, try_monotonic_writes);
}

void sim_check_writes_follow_reads(const struct sim_history *history,
                                   const struct sim_budget *budget,
                                   struct sim_consistency_result *result)
{
    sim_try(history, budget, result, try_writes_follow_reads);
}
