/* A scenario: the JSON file people write, read and checked, and the plan made of it.
 *
 * Loading reports every error it finds, each with file, line, column, JSON path and what was
 * expected. Nothing is half-loaded: either the plan is whole, or there are errors. */
#ifndef SCENARIOS_SCENARIO_H
#define SCENARIOS_SCENARIO_H

#include "sim/check/check.h"
#include "sim/plan.h"

struct scenario_error {
    uint32_t line;     /* From 1; 0 if the error is not at a place of the text. */
    uint32_t column;   /* From 1, in bytes. */
    char path[160];    /* "$.nodes[0].config.election_timeout" */
    char message[320]; /* What is wrong, what was expected, the nearest known name. */
};

/* What a check's verdict must be; SCENARIO_SOMETIMES is met by both holds and violated in a
 * single run, and over a sweep demands that some seed violates it. */
#define SCENARIO_NO_EXPECTATION UINT32_MAX
#define SCENARIO_SOMETIMES (UINT32_MAX - 1)

struct scenario {
    char *file; /* As given; "(recording)" for a text out of a recording. */
    char *text; /* The JSON text, NUL-terminated, as it was read (before `--set`). */
    char *title;
    char *why;
    char *lesson; /* NULL if absent, like the next. */
    char *source;
    uint32_t expect[SIM_CHECK_COUNT]; /* enum sim_verdict, or one of the two above. */
    struct sim_plan plan;
    struct scenario_error *errors;
    size_t error_count;
};

/* `sets` below are "PATH=VALUE" strings: each replaces (or adds) the value at a dotted path before
 * the scenario is checked, e.g. "nodes[0].config.pre_vote=true" or "duration=10s". */

/* Read and check a file. SIM_EINVAL: see `errors` (for an unreadable file too). Release the
 * scenario in either case. */
SIM_NODISCARD enum sim_status scenario_load(struct scenario *scenario, const char *file,
                                            const char *const *sets, size_t set_count);
/* The same from a text in memory; `name` stands for the file in messages. */
SIM_NODISCARD enum sim_status scenario_parse(struct scenario *scenario, const char *name,
                                             const char *text, size_t size_bytes,
                                             const char *const *sets, size_t set_count);
void scenario_release(struct scenario *scenario);

/* Print the errors to a stream, one line each, as FILE:LINE:COLUMN: PATH: MESSAGE. */
void scenario_print_errors(const struct scenario *scenario, void *stream);

#endif
