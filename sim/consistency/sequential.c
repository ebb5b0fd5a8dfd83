#include "sim/consistency/sequential.h"

#include "sim/consistency/linearizable.h"

#define ANOMALY "not-sequential"

/* Does the relation put all writes of each key in order? `latest` has room for each key. */
static bool orders_all_writes(const struct sim_precedence *p, uint32_t *latest)
{
    const struct sim_sessions *s = p->sessions;
    for (uint32_t i = 0; i < s->node_count; i++) {
        const uint32_t node = p->sequence[i];
        if (!s->nodes[node].writes) {
            continue;
        }
        uint32_t *last = &latest[s->nodes[node].key];
        if (*last && !sim_precedes(p, *last - 1, node)) {
            return false;
        }
        *last = node + 1;
    }
    return true;
}

/* All that was read is known to come from one write, which the relation says is the last. */
static bool is_decided(const struct sim_precedence *p)
{
    const struct sim_sessions *s = p->sessions;
    if (s->unresolved != SIM_NODE_NOTHING || s->missed != SIM_NODE_NOTHING) {
        return false;
    }
    const size_t keys = s->history->value_count;
    uint32_t *latest = sim_scratch_alloc(s->scratch, keys, sizeof *latest);
    const bool decided = latest && orders_all_writes(p, latest);
    sim_scratch_release(s->scratch, latest, keys, sizeof *latest);
    return decided;
}

static void search(struct sim_precedence *p)
{
    /* Whatever is linearizable is sequentially consistent, and real time tells where to look. */
    if (sim_trial_holds(p->trial, sim_check_linearizable)) {
        p->trial->verdict = SIM_HOLDS;
    } else {
        sim_sequential_search(p);
    }
}

static void tell_contradiction(struct sim_precedence *p, enum sim_closure closure)
{
    sim_trial_violated(p->trial, ANOMALY,
                       closure == SIM_CYCLE
                           ? "what was read puts this operation before itself"
                           : "what was read here had been overwritten, as others show",
                       p->sessions->nodes[p->stuck].place);
    sim_precedence_blame(p, closure);
}

static bool has_thin_air(struct sim_precedence *p)
{
    const struct sim_sessions *s = p->sessions;
    for (uint32_t n = 0; n < s->node_count; n++) {
        if (s->nodes[n].source == SIM_SOURCE_NOWHERE) {
            sim_trial_violated(p->trial, ANOMALY, "a value was read that nobody wrote",
                               s->nodes[n].place);
            sim_trial_blame(p->trial, s->nodes[n].place);
            return true;
        }
    }
    return false;
}

static void judge_values(struct sim_precedence *p)
{
    if (has_thin_air(p) || !sim_precedence_add_sources(p)) {
        return;
    }
    const enum sim_closure closure = sim_precedence_saturate(p, SIM_NODE_NOTHING);
    switch (closure) {
    case SIM_CYCLE:
    case SIM_OVERWRITTEN:
        tell_contradiction(p, closure);
        return;
    case SIM_GAVE_UP:
        sim_trial_unknown(p->trial, "undecided: the steps of the budget are spent",
                          SIM_HISTORY_NOTHING);
        return;
    case SIM_CLOSED:
        if (is_decided(p)) {
            p->trial->verdict = SIM_HOLDS;
        } else {
            search(p);
        }
    }
}

/* The order of a closed relation; of other objects that is the sessions' own. */
static void judge_closed(struct sim_precedence *p, bool decided)
{
    const enum sim_closure closure = sim_precedence_close(p);
    if (closure == SIM_CYCLE) {
        tell_contradiction(p, closure);
    } else if (closure == SIM_CLOSED && decided) {
        p->trial->verdict = SIM_HOLDS;
    } else if (closure == SIM_CLOSED) {
        search(p);
    }
}

static void judge(struct sim_precedence *p)
{
    switch (p->sessions->history->object) {
    case SIM_OBJECT_REGISTER:
    case SIM_OBJECT_KV:
        judge_values(p);
        return;
    case SIM_OBJECT_LIST: {
        const enum sim_lists lists = sim_sequential_lists(p);
        if (lists == SIM_LISTS_ORDERED || lists == SIM_LISTS_AMBIGUOUS) {
            judge_closed(p, lists == SIM_LISTS_ORDERED);
        }
        return;
    }
    default:
        judge_closed(p, false);
    }
}

static void try_sequential(struct sim_trial *trial)
{
    struct sim_sessions sessions;
    struct sim_precedence precedence = {0};
    if (sim_sessions_init(&sessions, trial) && sim_precedence_init(&precedence, &sessions, trial)) {
        judge(&precedence);
    }
    sim_precedence_release(&precedence);
    sim_sessions_release(&sessions);
}

void sim_check_sequential(const struct sim_history *history, const struct sim_budget *budget,
                          struct sim_consistency_result *result)
{
    sim_try(history, budget, result, try_sequential);
}
