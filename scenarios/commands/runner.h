/* Running plans one after another in one arena, whatever a node's code does: a signal raised
 * inside a node, or an event it never comes back from, is recorded as a violation of crash_free
 * and ends that run only. */
#ifndef SCENARIOS_RUNNER_H
#define SCENARIOS_RUNNER_H

#include <signal.h>

#include "sim/world.h"

struct runner {
    struct sim_arena *arena; /* Reused: the pages are warm from the second run on. */
    uint64_t hunted;         /* Bit set of enum sim_check: a run is broken off soon after one of
                              * these is violated. What bugs break can end in a storm. */
    uint64_t steps_max;      /* A run is cut off after about so many steps; 0: never. */
    const volatile sig_atomic_t *stop; /* A run is cut off once it is not 0; NULL: never. */
};

/* Make the arena and install the signal handlers. False if there is no memory. */
SIM_NODISCARD bool runner_init(struct runner *runner, const struct sim_plan *plan);
void runner_release(struct runner *runner);

enum runner_end {
    RUNNER_DONE,   /* The run has ended and its verdicts are final, or the hunt has. */
    RUNNER_MEMORY, /* The world needs more memory than the scenario gives it. */
    RUNNER_CUT,    /* `steps_max` or `stop` ended it. */
    RUNNER_UNTIL,  /* Only in steps: the run has not ended. */
};

/* Run `plan` with `seed` to its end. `*world` is good until the next run. `*wall_ns` is how
 * long it took on this machine; nothing depends on it. */
enum runner_end runner_run(struct runner *runner, const struct sim_plan *plan, uint64_t seed,
                           const struct sim_sink *sink, struct sim_world **world,
                           uint64_t *wall_ns);

/* The same in steps: build the world, in an arena that is emptied first; then go on with it, which
 * may have been restored to another time, to its end or to `until_ns`. */
enum runner_end runner_begin(struct runner *runner, const struct sim_plan *plan, uint64_t seed,
                             const struct sim_sink *sink, struct sim_world **world);
enum runner_end runner_go(struct runner *runner, struct sim_world *world, uint64_t until_ns);

uint64_t runner_wall_ns(void); /* The machine's monotonic clock, for progress and timings. */

#endif
