/* What a run came to: verdicts beside what was expected of them. */
#ifndef SCENARIOS_OUTCOME_H
#define SCENARIOS_OUTCOME_H

#include "scenarios/format/scenario.h"
#include "sim/world.h"

/* Is this verdict what the scenario expects? Without an expectation anything is but violated,
 * stuck and unknown. In a single run `sometimes` is met by holds, violated and vacuous. */
bool outcome_check_met(uint32_t expected, uint32_t verdict);
bool outcome_met(const struct scenario *scenario, const struct sim_world *world);

/* "holds", "sometimes", or "" where nothing is expected. */
const char *outcome_expected_name(uint32_t expected);

/* Worth a person's look: violated or stuck, whether expected or not. */
bool outcome_is_finding(uint32_t verdict);

#endif
