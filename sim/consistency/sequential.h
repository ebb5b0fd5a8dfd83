/* Sequential consistency (Lamport 1979): is there one order of all operations, each process's in
 * its own order, that sequential objects would have answered in the same way? Real time is not
 * asked. It does not compose: all keys are judged together.
 *
 * Of registers and keys, what must come before what follows in polynomial time as far as it is
 * known who wrote what was read; a cycle is a violation, and where that puts all writes of each
 * key in order there is nothing left to decide. Lists whose elements are appended once show the
 * order of their appends. What is linearizable holds. Everything else is searched
 * (sequential_search.c). A step is an operation looked at, or tried in some state by a search. */
#ifndef SIM_CONSISTENCY_SEQUENTIAL_H
#define SIM_CONSISTENCY_SEQUENTIAL_H

#include "sim/consistency/precedence.h"

/* All actions must be the object's own (sim_object_has()). A violation's witness is a set of
 * operations that no order explains, even if each of the others took place any time after what its
 * process did before, or never: none can be left out of it, unless finding that would have cost too
 * much. The caller releases the result. */
void sim_check_sequential(const struct sim_history *history, const struct sim_budget *budget,
                          struct sim_consistency_result *result);

/* ---- Between the parts ---- */

enum sim_lists {
    SIM_LISTS_ORDERED,   /* All edges that lists demand have been added. */
    SIM_LISTS_VIOLATED,  /* The trial says why. */
    SIM_LISTS_AMBIGUOUS, /* An element that was read was appended more than once. */
    SIM_LISTS_OUT_OF_MEMORY,
};

/* sequential_lists.c: the order of appends that reads of lists show, as edges: each append after
 * the one whose element stands before its own; each read between the append of its last element
 * and that of the one after it. An acyclic order that holds these edges explains all reads. */
enum sim_lists sim_sequential_lists(struct sim_precedence *precedence);

/* sequential_search.c: search an order that keeps to a closed relation. Sets the trial's answer,
 * and blames what was taken on the way that led furthest. */
void sim_sequential_search(struct sim_precedence *precedence);

#endif
