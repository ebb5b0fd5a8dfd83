/* A recording on the command line: what replay, explain and export begin with. Errors are told
 * on stderr, and the command then exits with EXIT_INPUT. */
#ifndef SCENARIOS_RECORDED_H
#define SCENARIOS_RECORDED_H

#include "reports/reading.h"
#include "scenarios/format/scenario.h"

struct recorded {
    struct reading *reading;
    const struct reading_run *run; /* Owned by the reading. */
    struct scenario scenario;      /* As the recording holds it, with its --set. */
};

/* Open `file`, which must hold one run, and load its scenario. Close it in either case. */
SIM_NODISCARD bool recorded_open(struct recorded *recorded, const char *file);
void recorded_close(struct recorded *recorded);

#endif
