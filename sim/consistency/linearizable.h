/* Linearizability (Herlihy and Wing 1990): is there one order of all operations, each between
 * its invocation and its return, that a sequential object would have answered in the same way?
 *
 * Objects are judged one by one, which is sound since linearizability composes: by key, and sets
 * whose reads ask for single elements by element. Where every value is written once a monitor
 * decides without search; else sim_search() does. A step is an operation looked at by a monitor,
 * or tried in some state by the search. */
#ifndef SIM_CONSISTENCY_LINEARIZABLE_H
#define SIM_CONSISTENCY_LINEARIZABLE_H

#include "sim/consistency/history.h"
#include "sim/consistency/result.h"

/* All actions must be the object's own (sim_object_has()). A violation's witness is a set of
 * operations that no order explains, even if each of the others took place any time after its
 * invocation, or never: none can be left out, unless finding that would have cost too much. Beside
 * these it may show where a value that they are about came from, or was to come from and failed,
 * or where it went. The caller releases the result. */
void sim_check_linearizable(const struct sim_history *history, const struct sim_budget *budget,
                            struct sim_consistency_result *result);

#endif
