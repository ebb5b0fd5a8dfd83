/* The recording: one SQLite file a run or a sweep, in the schema of reports/schema.sql. It
 * is the only output format of a run; everything else is read out of it.
 *
 * Written to FILE while the run goes on, so that a killed run leaves a readable file whose
 * run row says `unfinished`. */
#ifndef REPORTS_RECORDING_H
#define REPORTS_RECORDING_H

#include "sim/world.h"

#include <stdbool.h>

enum recording_level { RECORDING_OUTCOME, RECORDING_HISTORY, RECORDING_TRACE };
const char *recording_level_name(enum recording_level level);
/* False if `name` is not a level. */
bool recording_level_parse(const char *name, enum recording_level *level);

struct recording; /* An open file being written. */

/* What identifies a run. All borrowed for the call. */
struct recording_run {
    const char *scenario_file;
    const char *scenario_text;
    const char *const *sets; /* "PATH=VALUE" as given. */
    size_t set_count;
    uint64_t seed;
    enum recording_level level;
    const char *version; /* Of the program. */
};

/* An error's text is static or lives as long as the recording (or until the next call). */
SIM_NODISCARD struct recording *recording_create(const char *file, const char **error);

/* Begin a run: writes its row (unfinished), the names of its nodes, zones, kinds, facts,
 * faults and settings, and returns the sink to give to sim_world_new(). NULL on error.
 * Call with the plan before the world is made. */
const struct sim_sink *recording_begin_run(struct recording *recording,
                                           const struct recording_run *run,
                                           const struct sim_plan *plan);
/* Finish it from the ended world: hash, checkpoints, verdicts with what was expected,
 * metrics, the history (from level history on), the drawn faults. `wall_ns` is how long it took.
 * `expect` has SIM_CHECK_COUNT elements as in struct scenario. */
SIM_NODISCARD enum sim_status recording_finish_run(struct recording *recording,
                                                   const struct sim_world *world,
                                                   const uint32_t *expect, bool met,
                                                   uint64_t wall_ns);

/* A sweep's outcome row of one seed (no world: it ran in another process). */
struct recording_outcome {
    uint64_t seed;
    uint64_t hash;
    uint64_t events;
    uint64_t simulated_ns;
    bool met;
    int signal; /* Of a worker that crashed on this seed; 0: none. */
    struct { /* By enum sim_check; verdict UINT32_MAX: not enabled. */
        uint32_t verdict;
        uint64_t at_ns;
        uint64_t event;
        char detail[SIM_DETAIL_MAX];
    } checks[SIM_CHECK_COUNT];
};
SIM_NODISCARD enum sim_status recording_add_outcome(struct recording *recording,
                                                    const struct recording_outcome *outcome,
                                                    const uint32_t *expect);

/* Close: builds the indexes, commits. An error here means that the file is not whole (a full
 * disk): `*error` says so in words. NULL is ignored. */
SIM_NODISCARD enum sim_status recording_close(struct recording *recording, const char **error);

#endif
