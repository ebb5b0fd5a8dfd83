/* The inverse of the loader: a plan back to the scenario that a person would write for it. What
 * is standard is left out; times and sizes carry their largest unit; every fault, fate and step
 * is a line of its own.
 *
 * Loading the text gives the same plan again, byte for byte of its neutral form, if the plan came
 * from a scenario. A plan made otherwise can hold what the format cannot say (nodes of one group
 * that differ, say): then there is no text, but a reason. */
#ifndef SCENARIOS_WRITE_H
#define SCENARIOS_WRITE_H

#include "scenarios/format/scenario.h"

/* What a scenario says to people; `title` and `why` must be there. */
struct scenario_words {
    const char *title;
    const char *why;
    const char *lesson; /* NULL: none, like the next. */
    const char *source;
};

/* The text, NUL-terminated, to be freed; NULL if the format cannot say it, or out of memory, with
 * *problem a constant text. `expect` is as in struct scenario, SIM_CHECK_COUNT of them. */
SIM_NODISCARD char *scenario_write(const struct sim_plan *plan, const struct scenario_words *words,
                                   const uint32_t *expect, const char **problem);

#endif
