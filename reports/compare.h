/* A run made again, compared with its recording: are they the same, and if not, which event is
 * the first that differs?
 *
 * With event rows (level trace, or history for the kinds it keeps) each event of the new run
 * is compared as it happens. Without, the checkpoints of the hash give the block of 4,096
 * events in which the runs part.
 *
 *     compare = compare_new(reading, error, sizeof error);
 *     sim_world_new(&world, arena, plan, run->seed, compare_sink(compare));
 *     ... run ...
 *     same = compare_finish(compare, sim_world_hash(world), sim_world_events(world),
 *                           checkpoints, checkpoint_count, plan);
 *     if (!same) puts(compare_difference(compare)); */
#ifndef REPORTS_COMPARE_H
#define REPORTS_COMPARE_H

#include "reports/reading.h"

struct compare;

/* Borrows the reading. NULL on error (a sweep, an unreadable file), with a sentence. */
SIM_NODISCARD struct compare *compare_new(struct reading *reading, char *error, size_t error_bytes);
void compare_free(struct compare *compare);

const struct sim_sink *compare_sink(struct compare *compare);

/* The new run has ended: is it the recorded one? An unfinished recording is the same if all
 * that it has is. `plan` names nodes and messages in the words below. */
SIM_NODISCARD bool compare_finish(struct compare *compare, uint64_t hash, uint64_t events,
                                  const uint64_t *checkpoints, size_t checkpoint_count,
                                  const struct sim_plan *plan);

/* After a difference: what differs, in a sentence or two, and where. */
const char *compare_difference(const struct compare *compare);
/* The events from `*first` to `*last` hold the first difference: one event if the recording has
 * it. 0 and 0: there is none, or its place is unknown. */
void compare_where(const struct compare *compare, uint64_t *first, uint64_t *last);

#endif
