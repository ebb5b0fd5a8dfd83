/* The short story of a run: what was done to the cluster and who led it, as lines a person
 * reads top to bottom. Collected by a sink while the run goes on. */
#ifndef SCENARIOS_STORY_H
#define SCENARIOS_STORY_H

#include "sim/world.h"

#define STORY_LINES_MAX 24 /* The rest is counted. */

struct story_line {
    uint64_t time_ns;
    uint64_t fault; /* Number of the fault and whether it begins, for lines that are joined. */
    char words[160];
};

struct story {
    const struct sim_plan *plan;
    const struct sim_sink *next; /* A recording, which gets every record it wants; or NULL. */
    struct sim_sink sink;        /* To give to the world. */
    struct story_line lines[STORY_LINES_MAX];
    size_t line_count;
    size_t left_out;
    uint32_t leader; /* Who came to lead last. */
};

/* `next` may be NULL. The story must not move while its sink is in use. */
void story_init(struct story *story, const struct sim_plan *plan, const struct sim_sink *next);

/* A time as people read it: "12.345 s", "3.2 ms"; `text` holds at least 32 bytes. Returns it. */
const char *story_time(uint64_t time_ns, char *text);

/* What the run came to, in words: the lines, the verdicts beside what was expected, the numbers
 * that matter for this scenario. `scenario_expect` as in struct scenario. */
void story_print(const struct story *story, const struct sim_world *world,
                 const uint32_t *scenario_expect, void *stream);

#endif
