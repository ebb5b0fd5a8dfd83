/* What was recorded, on a terminal: `fallacy show FILE.db [WHAT]`. */
#ifndef REPORTS_SHOW_H
#define REPORTS_SHOW_H

#include "reports/reading.h"

#include <stdio.h>

/* "timeline", "ops", ...; NULL-terminated, for help and completion. */
extern const char *const show_topics[];

/* Print a table of `topic` to `out`: aligned columns, a heading, times in seconds. NULL stands for
 * the outcome of the run or the sweep. `colours`: mark what failed or was lost.
 *
 * SIM_EINVAL: no such topic, or the recording does not hold it; a sentence is in `error`. */
SIM_NODISCARD enum sim_status show(struct reading *reading, const char *topic, FILE *out,
                                   bool colours, char *error, size_t error_bytes);

/* Is `out` a terminal that wants colours (NO_COLOR, TERM=dumb: no)? */
bool show_wants_colours(FILE *out);

#endif
