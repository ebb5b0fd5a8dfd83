/* How old what was read can be: the least t for which a history would be linearizable had each
 * operation that only looks been asked t earlier. So a read may tell of any state since t before
 * it was invoked, and writes are where they were (delta-atomicity: Golab, Li and Shah, "Analyzing
 * Consistency Properties for Fun and Profit", PODC 2011). */
#ifndef SIM_CONSISTENCY_STALENESS_H
#define SIM_CONSISTENCY_STALENESS_H

#include "sim/consistency/history.h"
#include "sim/consistency/result.h"

/* 0 for what is linearizable. False: there is none, such as for a value from nowhere; or the
 * history has no times, or times that contradict the order of its events; or the budget, which
 * is one for all, does not suffice. */
bool sim_staleness(const struct sim_history *history, const struct sim_budget *budget,
                   uint64_t *staleness_ns);

/* Adds to what is said of a violation how old reads would have to be allowed to be, if that can be
 * found with few steps: at most a million. */
void sim_tell_staleness(const struct sim_history *history, const struct sim_budget *budget,
                        struct sim_consistency_result *result);

#endif
