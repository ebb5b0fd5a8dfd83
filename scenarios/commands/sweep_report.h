/* What a sweep found, for people, for programs and for CI. */
#ifndef SCENARIOS_SWEEP_REPORT_H
#define SCENARIOS_SWEEP_REPORT_H

#include "scenarios/commands/options.h"
#include "scenarios/commands/sweep.h"

struct sweep_report {
    const struct sweep_request *request;
    const struct sweep_result *result;
    const struct option_list *sets; /* Repeated in the lines to paste. */
    uint64_t wall_ns;
};

/* The line that shows a seed: "fallacy run SCENARIO --seed N [--set ...]". */
void sweep_report_line(const struct sweep_report *report, uint64_t seed, char *line,
                       size_t size_bytes);

void sweep_report_text(const struct sweep_report *report, void *stream);
SIM_NODISCARD bool sweep_report_json(const struct sweep_report *report); /* On stdout. */
/* False, with a message on stderr, if the file could not be written; then it is gone. */
SIM_NODISCARD bool sweep_report_junit(const struct sweep_report *report, const char *file);

#endif
