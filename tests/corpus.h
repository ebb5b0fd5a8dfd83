/* The corpus of planted bugs as scenarios/bugs/corpus.txt lists it, for the test that holds it to
 * its word and the bench that measures it. */
#ifndef TESTS_CORPUS_H
#define TESTS_CORPUS_H

#include <stdio.h>
#include <string.h>

#include "nodes/registry.h"
#include "scenarios/commands/runner.h"
#include "scenarios/format/scenario.h"

#define CORPUS_FOLDER "scenarios/bugs/"
#define CORPUS_ROWS_MAX 100
#define CORPUS_NAME_MAX 64

struct corpus_row {
    char bug[CORPUS_NAME_MAX];
    char scenario[2 * CORPUS_NAME_MAX]; /* The schedule that shows it. */
    char profile[2 * CORPUS_NAME_MAX];  /* The swarm in which random seeds find it. */
};

/* The rows of corpus.txt, "BUG PROFILE" each; the count, 0 if it cannot be read. */
static inline size_t corpus_load(struct corpus_row rows[CORPUS_ROWS_MAX])
{
    FILE *file = fopen(CORPUS_FOLDER "corpus.txt", "r");
    char line[200];
    char profile[CORPUS_NAME_MAX];
    size_t count = 0;
    while (file && count < CORPUS_ROWS_MAX && fgets(line, sizeof line, file)) {
        struct corpus_row *row = &rows[count];
        if (line[0] == '#' || sscanf(line, "%63s %63s", row->bug, profile) != 2) {
            continue;
        }
        (void)snprintf(row->scenario, sizeof row->scenario, CORPUS_FOLDER "%.63s.json", row->bug);
        (void)snprintf(row->profile, sizeof row->profile, CORPUS_FOLDER "%.63s.json", profile);
        count++;
    }
    if (file) {
        (void)fclose(file);
    }
    return count;
}

static inline const struct sim_planted_bug *corpus_bug(const char *name)
{
    const struct sim_node_kind *raft = node_registry_find("raft");
    for (uint32_t i = 0; raft && i < raft->bug_count; i++) {
        if (strcmp(raft->bugs[i].name, name) == 0) {
            return &raft->bugs[i];
        }
    }
    return NULL;
}

/* SIM_CHECK_COUNT if there is no check of that name. */
static inline uint32_t corpus_check(const char *name)
{
    uint32_t check = 0;
    while (check < SIM_CHECK_COUNT && strcmp(sim_check_infos[check].name, name) != 0) {
        check++;
    }
    return check;
}

/* Load a scenario with one bug planted, with none if `bug` is "", or as it is if it is NULL. */
static inline bool corpus_open(struct scenario *scenario, struct runner *runner, const char *file,
                               const char *bug)
{
    char set[CORPUS_NAME_MAX + 20];
    (void)snprintf(set, sizeof set, bug && *bug ? "nodes[0].bugs=[\"%s\"]" : "nodes[0].bugs=[%s]",
                   bug ? bug : "");
    const char *const sets[] = {set};
    if (scenario_load(scenario, file, sets, bug ? 1 : 0) != SIM_OK) {
        scenario_print_errors(scenario, stderr);
        return false;
    }
    return runner_init(runner, &scenario->plan);
}

static inline void corpus_close(struct scenario *scenario, struct runner *runner)
{
    runner_release(runner);
    scenario_release(scenario);
}

#endif
