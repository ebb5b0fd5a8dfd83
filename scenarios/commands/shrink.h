/* The inside of `fallacy shrink`, shared by the shrink*.c files and by nobody else. One failing
 * run, a plan and a seed, is made smaller by one change after another; a change stays only if
 * the run still fails the same way:
 *
 *     shrink.c           the command                 shrink_faults.c   fewer and simpler faults
 *     shrink_passes.c    the order of the passes     shrink_script.c   fewer operations, sessions
 *     shrink_oracle.c    does it still fail?         shrink_nodes.c    fewer nodes
 *     shrink_ddmin.c     delta debugging of a list   shrink_knobs.c    fewer settings
 *     shrink_watch.c     what happened in the run    shrink_time.c     shorter, rounder times
 *     shrink_concrete.c  chance written down         shrink_words.c    the scenario's texts
 *     shrink_leap.c      only the last stretch       shrink_workload.c fewer random operations
 *
 * Everything is decided by the run, never by the machine's clock: the same input and budget give
 * the same result. */
#ifndef SCENARIOS_SHRINK_H
#define SCENARIOS_SHRINK_H

#include "scenarios/commands/runner.h"
#include "scenarios/format/scenario.h"

/* How large a plan is, for people. */
struct shrink_size {
    uint32_t nodes; /* Servers. */
    uint32_t clients;
    uint32_t faults;
    uint32_t fates;
    uint64_t operations; /* Begun before the failure, and before progress is demanded. */
    uint64_t duration_ns;
};

/* What must stay the same. */
struct shrink_target {
    uint32_t check;             /* enum sim_check */
    uint32_t verdict;           /* SIM_VIOLATED, or SIM_STUCK of what demands progress. */
    char crash[SIM_DETAIL_MAX]; /* crash_free: what went wrong, without who; else "". */
};

/* How a plan that fails did so. */
struct shrink_failure {
    uint64_t at_ns;
    uint64_t steps;
    uint64_t operations;
    char detail[SIM_DETAIL_MAX];
};

struct shrink {
    struct runner runner;
    struct shrink_target target;
    struct sim_plan best; /* Its seed is the one it fails with. */
    struct shrink_failure failure;
    const struct scenario *original;
    const char *const *sets; /* How the command line changed it, for the words. */
    size_t set_count;
    uint64_t original_seed;
    struct shrink_size before;

    uint32_t luck;     /* Other seeds that are tried when a change does not fail with its own. */
    uint64_t steps;    /* Taken so far, */
    uint64_t budget;   /* at most this many. */
    uint64_t tries;    /* Changes looked at, */
    uint64_t kept;     /* and kept. */
    uint64_t runs;     /* Of the world. */
    const char *pass;  /* What is being tried, for people. */
    const char *out;   /* The file; NULL: none. */
    char problem[200]; /* Why nothing can go on: out of memory, or the file; "" so far. */
    void (*progress)(const struct shrink *s); /* May be NULL. */
};

/* ---- shrink_oracle.c ------------------------------------------------------------------------ */

/* Find how `plan` fails with `seed`: `check` is enum sim_check, or SIM_CHECK_COUNT for the first
 * that is violated or stuck. On success `best` is a copy of the plan; false: it does not fail,
 * or s->problem says what else is wrong. */
bool shrink_first(struct shrink *s, const struct sim_plan *plan, uint64_t seed, uint32_t check);

/* Take `candidate`, which is used up: if it fails as the target says, it is the best from now on
 * and is written to the file. False: the best is what it was. */
bool shrink_try(struct shrink *s, struct sim_plan *candidate);

/* Write the best to the file. False: s->problem says why not. */
bool shrink_write(struct shrink *s);

/* A copy of the best to be changed; false if that is not possible (any more). */
SIM_NODISCARD bool shrink_copy(struct shrink *s, struct sim_plan *candidate);

/* Time to stop: the budget is used up, Ctrl-C, or a problem. */
bool shrink_is_over(const struct shrink *s);
/* Ctrl-C ends the shrinking; `shrink_was_stopped`: it has. */
void shrink_catch_stop(void);
bool shrink_was_stopped(void);

/* ---- shrink_watch.c ------------------------------------------------------------------------- */

struct shrink_watch {
    struct sim_record *records;
    size_t count;
    size_t capacity;
    bool out_of_memory;
};

/* Run the best again up to its failure and keep records of `kinds` (a bit set). The world is good
 * until the next run. False if there is no memory. To be released. */
SIM_NODISCARD bool shrink_watch(struct shrink *s, uint32_t kinds, struct shrink_watch *watch,
                                struct sim_world **world);
void shrink_watch_release(struct shrink_watch *watch);

/* ---- shrink_ddmin.c ------------------------------------------------------------------------- */

/* The plan's arrays that can be thinned out. */
enum shrink_list { SHRINK_FAULTS, SHRINK_FATES, SHRINK_SCRIPT, SHRINK_LINKS };

/* Remove all elements of the list that the failure does not need, together and one by one.
 * True if any went. */
bool shrink_ddmin(struct shrink *s, enum shrink_list list);
/* Remove elements from a plan. */
void shrink_remove(struct sim_plan *plan, enum shrink_list list, uint32_t first, uint32_t count);

/* ---- shrink_branch.c ------------------------------------------------------------------------ */

/* A copy of `s` to try something on that may come to nothing; it writes no file. False if there is
 * no memory, or it is over. */
SIM_NODISCARD bool shrink_branch(struct shrink *s, struct shrink *branch);
/* Exchange the best of `s` for that of the branch, and write it. */
void shrink_take(struct shrink *s, struct shrink *branch);
/* The end of a branch, whose best is taken or forgotten; what it cost counts. */
void shrink_join(struct shrink *s, struct shrink *branch, bool keep);

/* ---- The passes: each true if something became smaller -------------------------------------- */

bool shrink_concrete(struct shrink *s);  /* Faults as they happened, instead of drawn at random. */
bool shrink_leap(struct shrink *s);      /* Only the last stretch before the failure. */
bool shrink_workloads(struct shrink *s); /* Fewer random operations, by fewer sessions. */
bool shrink_scripts(struct shrink *s);   /* Operations one by one, instead of drawn at random. */
bool shrink_faults(struct shrink *s);
bool shrink_script(struct shrink *s);
bool shrink_sessions(struct shrink *s);
bool shrink_nodes(struct shrink *s);
bool shrink_knobs(struct shrink *s);
bool shrink_time(struct shrink *s);
bool shrink_fates(struct shrink *s); /* Messages with a fate, instead of links with chance. */
bool shrink_round(struct shrink *s); /* Times as people write them. */
bool shrink_tidy(struct shrink *s);  /* What can be said in fewer or plainer words. */

/* Keep only the nodes that `map` gives a new number; the others are SIM_NOBODY. What concerns
 * only those that go goes with them. */
void shrink_renumber(struct sim_plan *plan, const uint32_t *map);

/* ---- shrink_passes.c, shrink_words.c -------------------------------------------------------- */

/* How large the run is that is shrunk, for s->before: drawn faults count, too. */
void shrink_measure(struct shrink *s);
/* All passes, until nothing becomes smaller or it is over. */
void shrink_all(struct shrink *s);
/* Is it as small as a person reads at a glance? */
bool shrink_is_small(const struct shrink *s);
void shrink_size(const struct sim_plan *plan, const struct shrink_failure *failure,
                 struct shrink_size *size);
/* The text of a scenario for this plan, to be freed; NULL if the format cannot say it. */
char *shrink_text(const struct shrink *s, const struct sim_plan *plan,
                  const struct shrink_failure *failure);

#endif
