/* The recording: one SQLite file a run or a sweep, in the schema of reports/schema.sql. It
 * is the only output format of a run; everything else is read out of it.
 *
 * What may be found under the name FILE, whenever the program is killed:
 *
 *     a run at level outcome   built in memory, and put in place whole by renaming
 *                              FILE.partial: when it begins (it says `unfinished`), and when
 *                              it is over
 *     other levels, a sweep    a growing file with a rollback journal, FILE-journal: after a
 *                              kill the next one to open it undoes the commit under way and
 *                              finds all those before it, and `unfinished`
 *
 * Only a power cut may do worse: nothing is synced. A recording that cannot be written to the
 * end (a full disk) is removed. A file that is neither a recording nor empty is never touched.
 *
 * Typical use:
 *     recording = recording_create(file, error, sizeof error)        // checks, creates nothing
 *     sink = recording_begin_run(recording, &run, &plan)             // creates
 *     ... run the world with the sink ...
 *     status = recording_finish_run(recording, world, expect, met, wall_ns)
 *     status = recording_close(recording, error, sizeof error) */
#ifndef REPORTS_RECORDING_H
#define REPORTS_RECORDING_H

#include "sim/world.h"

#include <stdbool.h>

enum recording_level { RECORDING_OUTCOME, RECORDING_HISTORY, RECORDING_TRACE };
const char *recording_level_name(enum recording_level level);
/* False if `name` is not a level. */
SIM_NODISCARD bool recording_level_parse(const char *name, enum recording_level *level);
/* Bit set of the enum sim_record_kind of which a level keeps event rows. */
uint32_t recording_level_kinds(enum recording_level level);

struct recording; /* An open file being written. */

/* What is expected of a check besides a verdict: nothing, or both of holds and violated over
 * a sweep. The values of scenarios/format/scenario.h. */
#define RECORDING_NO_EXPECTATION UINT32_MAX
#define RECORDING_SOMETIMES (UINT32_MAX - 1)

#define RECORDING_ERROR_MAX 512

/* What identifies a run. All borrowed for the call. */
struct recording_run {
    const char *scenario_file;
    const char *scenario_text;
    const char *const *sets; /* "PATH=VALUE" as given. */
    size_t set_count;
    uint64_t seed; /* Ignored by a sweep. */
    enum recording_level level;
    const char *version; /* Of the program. */
};

/* A recording to be written to `file`. Refuses a file that exists and is neither empty nor a
 * recording; creates nothing yet. NULL on error, with a sentence in `error`. */
SIM_NODISCARD struct recording *recording_create(const char *file, char *error, size_t error_bytes);

/* The first thing that went wrong, in words; NULL if nothing did. Lives as long as the
 * recording. After an error every further call does nothing and answers SIM_EIO. */
const char *recording_error(const struct recording *recording);

/* Begin the run of this file: creates it, replacing an older recording, and writes what is
 * known beforehand (from level history on: nodes, names, settings, faults). Returns the sink
 * to give to sim_world_new(), NULL on error. The plan must outlive the recording. */
SIM_NODISCARD const struct sim_sink *recording_begin_run(struct recording *recording,
                                                         const struct recording_run *run,
                                                         const struct sim_plan *plan);

/* What an ended run leaves. All borrowed for the call. */
struct recording_result {
    uint64_t hash;
    uint64_t events;
    uint64_t simulated_ns;
    uint64_t wall_ns;
    bool met;
    const uint64_t *checkpoints;
    size_t checkpoint_count;
    const struct sim_check_state *checks[SIM_CHECK_COUNT]; /* NULL: not enabled. */
    const uint32_t *expect;                                /* SIM_CHECK_COUNT of them. */
    const struct sim_metrics *metrics;
    const struct sim_history_row *history;
    size_t history_count;
    const struct sim_fault *faults; /* The plan's, then those drawn. */
    size_t fault_count;
};
SIM_NODISCARD enum sim_status recording_finish_result(struct recording *recording,
                                                      const struct recording_result *result);
/* The same from the ended world. `expect` has SIM_CHECK_COUNT elements, as in struct scenario;
 * `wall_ns` is how long the run took. */
SIM_NODISCARD enum sim_status recording_finish_run(struct recording *recording,
                                                   const struct sim_world *world,
                                                   const uint32_t *expect, bool met,
                                                   uint64_t wall_ns);

/* Begin a sweep instead: outcomes are added as they come in, and the file is finished when
 * all have. */
SIM_NODISCARD enum sim_status recording_begin_sweep(struct recording *recording,
                                                    const struct recording_run *sweep,
                                                    const struct sim_plan *plan);

/* A sweep's outcome row of one seed (no world: it ran in another process). */
struct recording_outcome {
    uint64_t seed;
    uint64_t hash;
    uint64_t events;
    uint64_t simulated_ns;
    bool met;
    int signal; /* Of a worker that crashed on this seed; 0: none. */
    struct {    /* By enum sim_check; verdict UINT32_MAX: not enabled. */
        uint32_t verdict;
        uint64_t exercised;
        uint64_t at_ns; /* Of the first violation, like event. */
        uint64_t event; /* 0: none. */
        char detail[SIM_DETAIL_MAX];
    } checks[SIM_CHECK_COUNT];
    const struct sim_metrics *metrics; /* NULL: not recorded. */
};
/* A seed that is there already is replaced. */
SIM_NODISCARD enum sim_status recording_add_outcome(struct recording *recording,
                                                    const struct recording_outcome *outcome,
                                                    const uint32_t *expect);
SIM_NODISCARD enum sim_status recording_finish_sweep(struct recording *recording);

/* Commit and close. A run or sweep that was not finished stays `unfinished`. SIM_EIO: something
 * could not be written, now or before; the file is gone and `error` says why. Releases the
 * recording in either case; NULL is ignored. */
SIM_NODISCARD enum sim_status recording_close(struct recording *recording, char *error,
                                              size_t error_bytes);

/* Close and remove the file, if begin created it: the run turned out to be impossible. */
void recording_discard(struct recording *recording);

#endif
