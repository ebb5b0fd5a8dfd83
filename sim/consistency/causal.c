#include "sim/consistency/causal.h"

#include "sim/consistency/precedence.h"
#include "sim/consistency/sequential.h"

/* Judges what is known; false: there is a violation, or it gave up, as the trial says. */
typedef bool (*judge_fn)(struct sim_precedence *p);

static uint32_t place_of_stuck(const struct sim_precedence *p)
{
    return p->sessions->nodes[p->stuck].place;
}

static bool reads_initial(const struct sim_precedence *p, uint32_t read)
{
    return p->sessions->nodes[read].source == SIM_SOURCE_INITIAL;
}

/* ---- Causal order ---------------------------------------------------------------------------- */

static bool has_no_thin_air(struct sim_precedence *p, const char *anomaly)
{
    const struct sim_sessions *s = p->sessions;
    for (uint32_t n = 0; n < s->node_count; n++) {
        if (s->nodes[n].source == SIM_SOURCE_NOWHERE) {
            sim_trial_violated(p->trial, anomaly, "a value was read that nobody wrote",
                               s->nodes[n].place);
            sim_trial_blame(p->trial, s->nodes[n].place);
            return false;
        }
    }
    return true;
}

static bool is_causal(struct sim_precedence *p)
{
    if (!has_no_thin_air(p, "ThinAirRead") || !sim_precedence_add_sources(p)) {
        return false;
    }
    enum sim_closure closure = sim_precedence_close(p);
    if (closure == SIM_CYCLE) {
        sim_trial_violated(p->trial, "CyclicCO", "an operation comes causally before itself",
                           place_of_stuck(p));
    } else if (closure == SIM_CLOSED) {
        p->stuck = sim_precedence_find_overwritten(p, SIM_NODE_NOTHING);
        if (p->stuck == SIM_NODE_NOTHING) {
            return true;
        }
        closure = SIM_OVERWRITTEN;
        sim_trial_violated(p->trial, reads_initial(p, p->stuck) ? "WriteCOInitRead" : "WriteCORead",
                           "what was read here had been overwritten in its causal past",
                           place_of_stuck(p));
    } else {
        return false;
    }
    sim_precedence_blame(p, closure);
    return false;
}

static bool converges(struct sim_precedence *p)
{
    if (!is_causal(p)) {
        return false;
    }
    p->reasons = p->edge_count; /* What was visible is a matter of causal order alone. */
    const bool added = sim_precedence_add_conflicts(p);
    const enum sim_closure closure = added ? sim_precedence_close(p) : SIM_GAVE_UP;
    if (closure == SIM_CYCLE) {
        sim_trial_violated(p->trial, "CyclicCF",
                           "no order of writes, the same for all, explains what was read",
                           place_of_stuck(p));
        sim_precedence_blame(p, closure);
    }
    return closure == SIM_CLOSED;
}

/* ---- The view of each process ---------------------------------------------------------------- */

static bool reads_something(const struct sim_sessions *s, uint32_t session)
{
    uint32_t node = s->starts[session];
    while (node < s->starts[session + 1] && !sim_source_is_known(s->nodes[node].source)) {
        node++;
    }
    return node < s->starts[session + 1];
}

/* The session's reads have been added to what all agree upon: is there an order of all writes
 * that explains them? */
static bool explains(struct sim_precedence *p, uint32_t session, bool pram)
{
    const enum sim_closure closure = sim_precedence_saturate(p, session);
    if (closure == SIM_CYCLE || closure == SIM_OVERWRITTEN) {
        const bool initial = closure == SIM_OVERWRITTEN && reads_initial(p, p->stuck);
        sim_trial_violated(p->trial,
                           pram      ? "not-pram"
                           : initial ? "WriteHBInitRead"
                                     : "CyclicHB",
                           closure == SIM_OVERWRITTEN
                               ? "in every order that this process can have seen, what it read "
                                 "here had been overwritten"
                               : "no order of all writes explains what one process read",
                           place_of_stuck(p));
        sim_precedence_blame(p, closure);
    }
    return closure == SIM_CLOSED;
}

static bool is_memory(struct sim_precedence *p)
{
    if (!is_causal(p)) {
        return false;
    }
    const size_t causal = p->edge_count;
    for (uint32_t t = 0; t < p->sessions->session_count; t++) {
        if (reads_something(p->sessions, t)) {
            sim_precedence_cut(p, causal);
            if (!explains(p, t, false)) {
                return false;
            }
        }
    }
    return true;
}

static bool is_pram(struct sim_precedence *p)
{
    const struct sim_sessions *s = p->sessions;
    const size_t given = p->edge_count;
    if (!has_no_thin_air(p, "not-pram")) {
        return false;
    }
    for (uint32_t t = 0; t < s->session_count; t++) {
        if (!reads_something(s, t)) {
            continue;
        }
        sim_precedence_cut(p, given);
        for (uint32_t n = s->starts[t]; n < s->starts[t + 1]; n++) {
            const uint32_t source = s->nodes[n].source;
            if (source <= SIM_SOURCE_NODE_MAX &&
                !sim_precedence_add(p, source, n, SIM_NODE_NOTHING)) {
                return false;
            }
        }
        if (!explains(p, t, true)) {
            return false;
        }
    }
    return true;
}

/* ---- What is not known ----------------------------------------------------------------------- */

static void tell_unknown(struct sim_trial *trial, const struct sim_sessions *s)
{
    if (s->unresolved != SIM_NODE_NOTHING) {
        sim_trial_unknown(trial,
                          s->unresolved_grows
                              ? "undecided: a string that grows does not tell who wrote what was "
                                "read"
                              : "undecided: what was read had been written more than once",
                          s->nodes[s->unresolved].place);
    } else {
        sim_trial_unknown(trial, "undecided: a compare that failed does not tell what it saw",
                          s->nodes[s->missed].place);
    }
}

static void judge(struct sim_trial *trial, judge_fn judge_known)
{
    struct sim_sessions sessions;
    struct sim_precedence p = {0};
    if (sim_sessions_init(&sessions, trial) && sim_precedence_init(&p, &sessions, trial)) {
        sim_sessions_forget_untold(&sessions);
        if (judge_known(&p)) {
            if (sessions.unresolved == SIM_NODE_NOTHING && sessions.missed == SIM_NODE_NOTHING) {
                trial->verdict = SIM_HOLDS;
            } else if (sim_trial_holds(trial, sim_check_sequential)) {
                trial->verdict = SIM_HOLDS;
            } else {
                tell_unknown(trial, &sessions);
            }
        } else if (trial->verdict == SIM_UNKNOWN) {
            sim_trial_unknown(trial, "undecided: the steps of the budget are spent",
                              SIM_HISTORY_NOTHING);
        }
    }
    sim_precedence_release(&p);
    sim_sessions_release(&sessions);
}

static void try_causal(struct sim_trial *trial)
{
    judge(trial, is_causal);
}

static void try_convergence(struct sim_trial *trial)
{
    judge(trial, converges);
}

static void try_memory(struct sim_trial *trial)
{
    judge(trial, is_memory);
}

static void try_pram(struct sim_trial *trial)
{
    judge(trial, is_pram);
}

void sim_check_causal(const struct sim_history *history, const struct sim_budget *budget,
                      struct sim_consistency_result *result)
{
    sim_try(history, budget, result, try_causal);
}

void sim_check_causal_convergence(const struct sim_history *history,
                                  const struct sim_budget *budget,
                                  struct sim_consistency_result *result)
{
    sim_try(history, budget, result, try_convergence);
}

void sim_check_causal_memory(const struct sim_history *history, const struct sim_budget *budget,
                             struct sim_consistency_result *result)
{
    sim_try(history, budget, result, try_memory);
}

void sim_check_pram(const struct sim_history *history, const struct sim_budget *budget,
                    struct sim_consistency_result *result)
{
    sim_try(history, budget, result, try_pram);
}
