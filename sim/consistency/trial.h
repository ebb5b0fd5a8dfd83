/* A model tried on a history: on all of it, and on parts of it to find out which operations show
 * a violation by themselves. Models weaker than linearizability are judged through this.
 *
 * Of a part, an operation that only looks and is not kept is not there; another that is not kept
 * may have taken place any time after what its process did before it, or never. So whatever is
 * violated by a part is violated by the whole. */
#ifndef SIM_CONSISTENCY_TRIAL_H
#define SIM_CONSISTENCY_TRIAL_H

#include "sim/consistency/history.h"
#include "sim/consistency/result.h"

struct sim_trial {
    const struct sim_history *history;
    const bool *keep;            /* By place; NULL: all. */
    struct sim_scratch *scratch; /* All of it is given back. */
    uint64_t steps_max;

    /* The answer; a zeroed one is "unknown". */
    uint32_t verdict; /* SIM_HOLDS, SIM_VIOLATED or SIM_UNKNOWN */
    uint64_t steps;
    bool searched;                         /* The verdict is that of a search. */
    struct sim_consistency_result *result; /* For anomalies and detail; may be NULL. */
    bool *blamed; /* By place: operations that show the violation. May be NULL. */
};

typedef void (*sim_trial_fn)(struct sim_trial *trial);

/* Judge a whole history; the witness is as small as the budget allows. */
void sim_try(const struct sim_history *history, const struct sim_budget *budget,
             struct sim_consistency_result *result, sim_trial_fn judge);

/* ---- For those who judge ---- */

static inline void sim_trial_blame(struct sim_trial *trial, uint32_t place)
{
    if (trial->blamed) {
        trial->blamed[place] = true;
    }
}

/* The trial is violated: what the anomaly is called, a constant; what is wrong; and of which
 * operation that is said, SIM_HISTORY_NOTHING: of none. Only the first call sets the words. */
void sim_trial_violated(struct sim_trial *trial, const char *anomaly, const char *why,
                        uint32_t place);

typedef void (*sim_trial_check_fn)(const struct sim_history *history,
                                   const struct sim_budget *budget,
                                   struct sim_consistency_result *result);

/* Does the whole history hold by a stronger model, within a quarter of the steps that are left?
 * False of a part. */
bool sim_trial_holds(struct sim_trial *trial, sim_trial_check_fn check);

/* Say something of what holds. Only the first words of a trial count. */
void sim_trial_tell(struct sim_trial *trial, const char *words);

/* It stays unknown, since `why`, about the operation if there is one. */
void sim_trial_unknown(struct sim_trial *trial, const char *why, uint32_t place);

#endif
