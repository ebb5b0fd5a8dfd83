/* Session guarantees of lists: a read shows which writes were visible to it, and their order. */
#include "sim/consistency/guarantees_lists_internal.h"

bool sim_guarantee_violated(struct sim_guarantee_lists *l, const char *why, uint32_t node,
                            uint32_t a, uint32_t b)
{
    sim_trial_violated(l->g->trial, l->g->anomaly, why, l->s->nodes[node].place);
    sim_trial_blame(l->g->trial, l->s->nodes[node].place);
    sim_trial_blame(l->g->trial, l->s->nodes[a].place);
    sim_trial_blame(l->g->trial, l->s->nodes[b].place);
    return false;
}

static bool all_elements_known(struct sim_guarantee_lists *l, uint32_t read)
{
    const struct sim_shown shown = sim_shown_by(l, read);
    l->known[read] = true;
    for (size_t i = 0; i < shown.count; i++) {
        const uint32_t append = sim_shown_append(l, &shown, i);
        if (append == SIM_SOURCE_NOWHERE) {
            return sim_guarantee_violated(l, "an element was read that nobody appended", read, read,
                                          read);
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
static bool add_order(struct sim_guarantee_lists *l, uint32_t read)
{
    const struct sim_shown shown = sim_shown_by(l, read);
    uint32_t before = SIM_NODE_NOTHING;
    for (size_t i = 0; i < shown.count; i++) {
        const uint32_t append = sim_shown_append(l, &shown, i);
        if (sim_guarantee_shows(l, read, append)) {
            return sim_guarantee_violated(l, "an element was read twice that was appended once",
                                          read, append, append);
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

static bool judge_read(struct sim_guarantee_lists *l, uint32_t read)
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
        return sim_guarantee_shows_own_writes(l, read);
    case SIM_MONOTONIC_READS:
        return sim_guarantee_shows_what_was_seen(l, read);
    case SIM_MONOTONIC_WRITES:
        return sim_guarantee_shows_writes_before(l, read);
    default:
        return true;
    }
}

static bool judge(struct sim_guarantee_lists *l)
{
    if (!sim_guarantee_find_previous(l)) {
        return false;
    }
    for (uint32_t n = 0; n < l->s->node_count; n++) {
        if (sim_guarantee_is_read(l, n) && !judge_read(l, n)) {
            return false;
        }
    }
    switch (l->g->guarantee) {
    case SIM_MONOTONIC_WRITES:
        return sim_guarantee_order_sessions(l);
    case SIM_WRITES_FOLLOW_READS:
        return sim_guarantee_writes_follow_reads(l) && sim_guarantee_order_sessions(l);
    default:
        return true;
    }
}

bool sim_guarantee_of_lists(struct sim_guarantees *g)
{
    struct sim_scratch *scratch = g->trial->scratch;
    const size_t nodes = g->sessions->node_count;
    struct sim_guarantee_lists l = {
        .g = g,
        .s = g->sessions,
        .known = sim_scratch_alloc(scratch, nodes, sizeof *l.known),
        .shown_by = sim_scratch_alloc(scratch, nodes, sizeof *l.shown_by),
        .next = sim_scratch_alloc(scratch, nodes, sizeof *l.next),
        .last_write = sim_scratch_alloc(scratch, nodes, sizeof *l.last_write),
        .last_read = sim_scratch_alloc(scratch, nodes, sizeof *l.last_read),
        .own_count = sim_scratch_alloc(scratch, nodes, sizeof *l.own_count),
    };
    const bool good =
        l.known && l.shown_by && l.next && l.last_write && l.last_read && l.own_count && judge(&l);
    sim_scratch_release(scratch, l.known, nodes, sizeof *l.known);
    sim_scratch_release(scratch, l.shown_by, nodes, sizeof *l.shown_by);
    sim_scratch_release(scratch, l.next, nodes, sizeof *l.next);
    sim_scratch_release(scratch, l.last_write, nodes, sizeof *l.last_write);
    sim_scratch_release(scratch, l.last_read, nodes, sizeof *l.last_read);
    sim_scratch_release(scratch, l.own_count, nodes, sizeof *l.own_count);
    return good;
}
