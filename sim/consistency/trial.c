#include "sim/consistency/trial.h"

#include <stdio.h>

#include "sim/consistency/reduce.h"

/* ---- Words ---- */

static void tell(struct sim_trial *t, const char *why, uint32_t place)
{
    if (!t->result || t->result->detail[0]) {
        return;
    }
    char operation[120] = "";
    if (place != SIM_HISTORY_NOTHING) {
        (void)sim_history_show(t->history, place, operation, sizeof operation);
    }
    (void)snprintf(t->result->detail, sizeof t->result->detail, "%s%s%s%s", why,
                   operation[0] ? " (" : "", operation, operation[0] ? ")" : "");
}

void sim_trial_violated(struct sim_trial *trial, const char *anomaly, const char *why,
                        uint32_t place)
{
    trial->verdict = SIM_VIOLATED;
    if (trial->result) {
        sim_consistency_anomaly(trial->result, anomaly);
    }
    tell(trial, why, place);
}

void sim_trial_tell(struct sim_trial *trial, const char *words)
{
    tell(trial, words, SIM_HISTORY_NOTHING);
}

void sim_trial_unknown(struct sim_trial *trial, const char *why, uint32_t place)
{
    trial->verdict = SIM_UNKNOWN;
    tell(trial, why, place);
}

bool sim_trial_holds(struct sim_trial *trial, sim_trial_check_fn check)
{
    if (trial->keep || trial->steps >= trial->steps_max) {
        return false;
    }
    const struct sim_budget budget = {
        .steps = (trial->steps_max - trial->steps) / 4,
        .memory_bytes = trial->scratch->limit_bytes - trial->scratch->used_bytes,
    };
    struct sim_consistency_result result;
    check(trial->history, &budget, &result);
    trial->steps += result.steps;
    sim_consistency_result_release(&result);
    return result.verdict == SIM_HOLDS;
}

/* ---- The witness ---- */

struct shrinking {
    const struct sim_trial *trial; /* Of the whole. */
    sim_trial_fn judge;
    const bool *keep;
    uint64_t left;
};

static enum sim_reduce_answer try_part(void *context)
{
    struct shrinking *s = context;
    const struct sim_trial *whole = s->trial;
    const uint64_t each = 20000 + 2 * whole->steps;
    if (s->left == 0) {
        return SIM_REDUCE_STOP;
    }
    struct sim_trial part = {.history = whole->history,
                             .keep = s->keep,
                             .scratch = whole->scratch,
                             .steps_max = each < s->left ? each : s->left,
                             .verdict = SIM_UNKNOWN};
    s->judge(&part);
    const uint64_t spent = part.steps + 1 + whole->history->count / 16;
    s->left -= spent < s->left ? spent : s->left;
    return part.verdict == SIM_VIOLATED ? SIM_REDUCE_VIOLATED : SIM_REDUCE_NOT;
}

static uint32_t list_kept(const bool *keep, size_t count, uint32_t *items)
{
    uint32_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (keep[i]) {
            items[kept++] = (uint32_t)i;
        }
    }
    return kept;
}

/* What was blamed is tried first; if that alone does not do, everything. Who gives few steps gets a
 * larger witness. */
static void shrink(const struct sim_trial *trial, sim_trial_fn judge)
{
    const size_t count = trial->history->count;
    uint32_t *items = sim_scratch_alloc(trial->scratch, count, sizeof *items);
    if (items) {
        const uint64_t least = trial->steps_max < 200000 ? trial->steps_max : 200000;
        struct shrinking s = {trial, judge, trial->blamed, least + 8 * (trial->steps + count)};
        uint32_t kept = list_kept(trial->blamed, count, items);
        if (kept == 0 || try_part(&s) != SIM_REDUCE_VIOLATED) {
            for (size_t i = 0; i < count; i++) {
                trial->blamed[i] = trial->history->operations[i].outcome != SIM_OUTCOME_FAIL;
            }
            kept = list_kept(trial->blamed, count, items);
        }
        kept = sim_reduce(items, kept, trial->blamed, try_part, &s);
        (void)sim_consistency_witness(trial->result, items, kept);
    }
    sim_scratch_release(trial->scratch, items, count, sizeof *items);
}

/* ---- The whole ---- */

void sim_try(const struct sim_history *history, const struct sim_budget *budget,
             struct sim_consistency_result *result, sim_trial_fn judge)
{
    *result = (struct sim_consistency_result){.verdict = SIM_UNKNOWN, .operations = history->count};
    struct sim_scratch scratch = {.limit_bytes = budget->memory_bytes};
    struct sim_trial trial = {
        .history = history,
        .scratch = &scratch,
        .steps_max = budget->steps,
        .verdict = SIM_UNKNOWN,
        .result = result,
        .blamed = sim_scratch_alloc(&scratch, history->count, sizeof *trial.blamed),
    };
    if (trial.blamed) {
        judge(&trial);
    }
    result->verdict = trial.verdict;
    result->steps = trial.steps;
    if (trial.verdict == SIM_VIOLATED) {
        shrink(&trial, judge);
    } else if (trial.verdict == SIM_UNKNOWN && scratch.exhausted) {
        result->detail[0] = 0;
        sim_trial_unknown(&trial, "out of memory", SIM_HISTORY_NOTHING);
    }
    sim_scratch_release(&scratch, trial.blamed, history->count, sizeof *trial.blamed);
    assert(scratch.used_bytes == 0);
}
