/* How many versions a read of a register is behind, as far as that is certain without a search: the
 * writes that lie wholly between it and the only write of what it read. Whatever order
 * operations took place in, such a read returns none of the so many last values, so the history
 * is not k-atomic for that k (Aiyer, Alvisi and Bazzi, "On the Availability of Non-strict Quorum
 * Systems", DISC 2005). The least k for which it is may be larger: a bound from below. */
#ifndef SIM_CONSISTENCY_VERSIONS_BEHIND_H
#define SIM_CONSISTENCY_VERSIONS_BEHIND_H

#include "sim/consistency/history.h"
#include "sim/consistency/result.h"

/* Of the read at this place; 0 if nothing is certain, and for whatever is no read of a register.
 * Passes over the whole history. */
uint32_t sim_versions_behind(const struct sim_history *history, uint32_t place);

/* Adds to what is said of a violation how far the reads of its witness are behind, at most. */
void sim_tell_versions_behind(const struct sim_history *history,
                              struct sim_consistency_result *result);

#endif
