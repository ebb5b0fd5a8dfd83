#include "scenarios/commands/outcome.h"

bool outcome_is_finding(uint32_t verdict)
{
    return verdict == SIM_VIOLATED || verdict == SIM_STUCK;
}

bool outcome_check_met(uint32_t expected, uint32_t verdict)
{
    switch (expected) {
    case SCENARIO_NO_EXPECTATION:
        return !outcome_is_finding(verdict) && verdict != SIM_UNKNOWN;
    case SCENARIO_SOMETIMES:
        return verdict == SIM_HOLDS || verdict == SIM_VIOLATED || verdict == SIM_VACUOUS;
    default:
        return verdict == expected;
    }
}

bool outcome_met(const struct scenario *scenario, const struct sim_world *world)
{
    const struct sim_checks *checks = sim_world_checks(world);
    const uint64_t enabled = sim_checks_enabled(checks);
    for (uint32_t c = 0; c < SIM_CHECK_COUNT; c++) {
        if ((enabled >> c & 1) &&
            !outcome_check_met(scenario->expect[c], sim_checks_state(checks, c)->verdict)) {
            return false;
        }
    }
    return true;
}

const char *outcome_expected_name(uint32_t expected)
{
    return expected == SCENARIO_NO_EXPECTATION ? ""
           : expected == SCENARIO_SOMETIMES    ? "sometimes"
                                               : sim_verdict_name(expected);
}
