/* The consistency models by which the history of a run can be judged: one list for scenarios, for
 * the command line and for tests. Some judge objects one by one, some transactions as wholes, some
 * both. Of transactions sim/consistency/txn.h has more, for histories from elsewhere. */
#ifndef SIM_CONSISTENCY_MODELS_H
#define SIM_CONSISTENCY_MODELS_H

#include "sim/consistency/history.h"
#include "sim/consistency/result.h"
#include "sim/consistency/txn.h"

/* All actions must be the object's own (sim_object_has()). The caller releases the result. */
typedef void (*sim_model_check_fn)(const struct sim_history *history,
                                   const struct sim_budget *budget,
                                   struct sim_consistency_result *result);

struct sim_model {
    uint32_t number; /* enum sim_check: a scenario names it among its checks. */
    /* What it demands of each object by itself: a bit for each enum sim_object that it judges;
     * none, and no function: nothing. */
    uint32_t objects;
    sim_model_check_fn check;
    /* What it demands of transactions, if anything. */
    bool transactions;
    uint32_t isolation; /* enum sim_txn_model */
};

extern const struct sim_model sim_models[];
extern const size_t sim_model_count;

/* "monotonic_reads", as in `fallacy list checks`. */
static inline const char *sim_model_name(const struct sim_model *model)
{
    return sim_check_infos[model->number].name;
}

/* By its name, in which "-" may stand for "_"; NULL if there is none. */
const struct sim_model *sim_model_find(const char *name);

static inline bool sim_model_judges(const struct sim_model *model, uint32_t object)
{
    return model->objects >> object & 1;
}

#endif
