/* What all checkers ask of an operation. */
#ifndef SIM_CONSISTENCY_OPERATIONS_H
#define SIM_CONSISTENCY_OPERATIONS_H

#include "sim/consistency/history.h"

/* Does it leave the object as it is, so that leaving it out can only hide a violation? */
static inline bool sim_only_looks(const struct sim_history_operation *o)
{
    return o->action == SIM_ACTION_READ || o->action == SIM_ACTION_CAS_MISSED ||
           o->action == SIM_ACTION_HAS ||
           ((o->action == SIM_ACTION_DEQUEUE || o->action == SIM_ACTION_POP) &&
            o->outcome == SIM_OUTCOME_OK && o->result == SIM_VALUE_NIL);
}

/* Of one that only looks: nothing is known of what it saw. */
static inline bool sim_saw_nothing(const struct sim_history_operation *o)
{
    return (o->action == SIM_ACTION_READ && o->result == SIM_VALUE_UNKNOWN) ||
           o->outcome != SIM_OUTCOME_OK;
}

#endif
