/* Writes follow reads, of lists: where a write is visible, so is all that its session had seen
 * before it. What a node needs is worked out in an order in which whoever was seen comes first. */
#include "sim/consistency/guarantees_lists_internal.h"

struct follow {
    struct sim_guarantee_lists *l;
    const struct sim_sessions *s;
    struct sim_precedence precedence; /* Sessions, and who saw what. */
    uint32_t *latest; /* By session: of the read at hand the latest append shown, plus 1. */
    /* Sets of writes: bit i is the i-th in s->writes. */
    size_t width;    /* In words. */
    uint64_t *needs; /* By append: what must be visible where it is. */
    uint64_t *held;  /* By session: what it has seen so far, and what that needs. */
};

/* Of each session the latest append that the read shows: it needs all that earlier ones do. */
static void find_latest(struct follow *f, uint32_t read)
{
    const struct sim_shown shown = sim_shown_by(f->l, read);
    memset(f->latest, 0, f->s->session_count * sizeof *f->latest);
    for (size_t i = 0; i < shown.count; i++) {
        const uint32_t append = sim_shown_append(f->l, &shown, i);
        uint32_t *latest = &f->latest[f->s->nodes[append].session];
        *latest = append + 1 > *latest ? append + 1 : *latest;
    }
}

static bool add_sightings(struct follow *f)
{
    const struct sim_sessions *s = f->s;
    for (uint32_t n = 0; n < s->node_count; n++) {
        if (!f->l->known[n]) {
            continue;
        }
        find_latest(f, n);
        for (uint32_t t = 0; t < s->session_count; t++) {
            if (f->latest[t] &&
                !sim_precedence_add(&f->precedence, f->latest[t] - 1, n, SIM_NODE_NOTHING)) {
                return false;
            }
        }
    }
    return true;
}

static uint64_t *held_by(const struct follow *f, uint32_t session)
{
    return f->held + session * f->width;
}

static void unite(const struct follow *f, uint64_t *into, const uint64_t *more)
{
    for (size_t w = 0; w < f->width; w++) {
        into[w] |= more[w];
    }
}

static void mark(struct follow *f, uint32_t read)
{
    const struct sim_shown shown = sim_shown_by(f->l, read);
    for (size_t i = 0; i < shown.count; i++) {
        f->l->shown_by[sim_shown_append(f->l, &shown, i)] = read + 1;
    }
}

/* Does the read show all of its key that the elements it shows need? */
static bool shows_needs(struct follow *f, uint32_t read)
{
    const uint32_t key = f->s->nodes[read].key;
    mark(f, read);
    f->l->g->trial->steps += f->s->write_starts[key + 1] - f->s->write_starts[key];
    if (f->l->g->trial->steps > f->l->g->trial->steps_max) {
        return false;
    }
    for (uint32_t t = 0; t < f->s->session_count; t++) {
        const uint64_t *needs = f->latest[t] ? f->needs + (f->latest[t] - 1) * f->width : NULL;
        for (uint32_t i = f->s->write_starts[key]; needs && i < f->s->write_starts[key + 1]; i++) {
            if ((needs[i >> 6] >> (i & 63) & 1) &&
                !sim_guarantee_shows(f->l, read, f->s->writes[i])) {
                return sim_guarantee_violated(
                    f->l, "a write was seen, and not what its session had seen before it", read,
                    f->latest[t] - 1, f->s->writes[i]);
            }
        }
    }
    return true;
}

/* What the read shows comes to what its session has seen, and so does what that needs. */
static void hold(struct follow *f, uint32_t read)
{
    uint64_t *held = held_by(f, f->s->nodes[read].session);
    for (uint32_t i = f->s->write_starts[f->s->nodes[read].key];
         i < f->s->write_starts[f->s->nodes[read].key + 1]; i++) {
        held[i >> 6] |= (uint64_t)sim_guarantee_shows(f->l, read, f->s->writes[i]) << (i & 63);
    }
    for (uint32_t t = 0; t < f->s->session_count; t++) {
        if (f->latest[t]) {
            unite(f, held, f->needs + (f->latest[t] - 1) * f->width);
        }
    }
}

/* All nodes in an order in which whoever was seen comes before who saw it. */
static bool follow(struct follow *f)
{
    const struct sim_sessions *s = f->s;
    for (uint32_t i = 0; i < s->node_count; i++) {
        const uint32_t node = f->precedence.sequence[i];
        const uint32_t session = s->nodes[node].session;
        if (!sim_guarantee_is_read(f->l, node)) {
            unite(f, f->needs + node * f->width, held_by(f, session));
        } else if (f->l->known[node]) {
            find_latest(f, node);
            if (!shows_needs(f, node)) {
                return false;
            }
            hold(f, node);
        }
        for (uint32_t t = session + 1; t < s->session_count; t++) {
            if (s->parents[t] == node) {
                unite(f, held_by(f, t), held_by(f, session));
            }
        }
    }
    return true;
}

static bool is_set_up(struct follow *f)
{
    struct sim_scratch *scratch = f->l->g->trial->scratch;
    const size_t nodes = f->s->node_count;
    f->width = (nodes + 63) / 64;
    if (nodes > 0 && f->width > SIZE_MAX / nodes) {
        return false;
    }
    f->latest = sim_scratch_alloc(scratch, f->s->session_count, sizeof *f->latest);
    f->needs = sim_scratch_alloc(scratch, nodes * f->width, sizeof *f->needs);
    f->held = sim_scratch_alloc(scratch, f->s->session_count * f->width, sizeof *f->held);
    return f->latest && f->needs && f->held &&
           sim_precedence_init(&f->precedence, f->s, f->l->g->trial) && add_sightings(f);
}

bool sim_guarantee_writes_follow_reads(struct sim_guarantee_lists *l)
{
    struct sim_scratch *scratch = l->g->trial->scratch;
    struct follow f = {.l = l, .s = l->s};
    bool good = is_set_up(&f);
    if (good) {
        const enum sim_closure closure = sim_precedence_close(&f.precedence);
        good = closure == SIM_CLOSED && follow(&f);
        if (closure == SIM_CYCLE) {
            sim_trial_violated(l->g->trial, l->g->anomaly, "a write follows from itself",
                               l->s->nodes[f.precedence.stuck].place);
            sim_precedence_blame(&f.precedence, closure);
        }
    }
    sim_precedence_release(&f.precedence);
    sim_scratch_release(scratch, f.latest, l->s->session_count, sizeof *f.latest);
    sim_scratch_release(scratch, f.needs, l->s->node_count * f.width, sizeof *f.needs);
    sim_scratch_release(scratch, f.held, l->s->session_count * f.width, sizeof *f.held);
    return good;
}
