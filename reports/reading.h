/* A recording opened to be read: by `show`, `replay`, `explain`, `report`, `export`.
 *
 * A file that is not a recording, is damaged, or is of another version gives a sentence that says
 * so. One that was never finished can be read; reading_finished() says it is not whole. */
#ifndef REPORTS_READING_H
#define REPORTS_READING_H

#include "reports/recording.h"

#include <sqlite3.h>

struct reading; /* An open recording. */

/* NULL on error, with a sentence in `error`. An unfinished recording whose writer was killed
 * is put right first (the commit under way is undone), for which its folder must be
 * writable. */
SIM_NODISCARD struct reading *reading_open(const char *file, char *error, size_t error_bytes);
void reading_close(struct reading *reading);

/* What the file says about itself; texts live as long as the reading. */
const char *reading_file(const struct reading *reading);
bool reading_is_sweep(const struct reading *reading);
bool reading_finished(const struct reading *reading);
enum recording_level reading_level(const struct reading *reading);

/* The run that a recording holds, as far as it got. */
struct reading_run {
    struct recording_run run; /* Enough to run it again. */
    uint64_t seed;
    uint64_t duration_ns; /* Of the scenario. */
    bool finished;        /* Else what follows is 0. */
    uint64_t hash;
    uint64_t events;
    uint64_t simulated_ns;
    uint64_t wall_ns;
    bool met;
    const uint64_t *checkpoints; /* Of the hash, after events 4096, 8192, ... */
    size_t checkpoint_count;
};
/* The only run of a file; NULL, with a sentence in `error`, for a sweep. Owned by the reading. */
SIM_NODISCARD const struct reading_run *reading_run(struct reading *reading, char *error,
                                                    size_t error_bytes);

/* A statement on the recording's tables and views, for the caller to step and finalise. NULL
 * if the file is damaged or has no such table, with a sentence in `error`. */
SIM_NODISCARD sqlite3_stmt *reading_query(struct reading *reading, const char *sql, char *error,
                                          size_t error_bytes);
/* The first column of the first row, or `otherwise` if there is none or it is NULL. */
int64_t reading_number(struct reading *reading, const char *sql, int64_t otherwise);

#endif
