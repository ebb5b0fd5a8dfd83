/* What `fallacy check` asks of those who can judge a history, one row each in check.c: single
 * objects (check_objects.c), transactions, logs. */
#ifndef SCENARIOS_CHECK_H
#define SCENARIOS_CHECK_H

#include "reports/formats/histories.h"
#include "sim/consistency/result.h"

struct check_file {
    const char *path;
    const char *bytes; /* Its content, with no zero at the end. */
    size_t size_bytes;
    enum history_format format;
    const char *type;    /* What --type says, or NULL: as the content shows. */
    const char *model;   /* What --model says, or NULL: the type's own default. */
    const char *initial; /* What --initial says registers hold at first, or NULL. */
    struct sim_budget budget;
};

/* An operation of the witness. */
struct check_line {
    uint32_t line; /* In the file; 0: none. */
    uint32_t return_line;
    char text[200];
};

struct check_answer {
    const char *type; /* Constants. */
    const char *model;
    struct sim_consistency_result result; /* Released by the command. */
    struct check_line *lines;             /* Heap; one for each operation of the witness. */
    struct history_problem problem;       /* Of SIM_EINVAL and SIM_ENOMEM. */
};

/* True: this one judges the file, and *status is SIM_OK with a whole answer, or SIM_EINVAL or
 * SIM_ENOMEM with a problem. False: not a file, type or model of its. */
typedef bool (*check_judge_fn)(const struct check_file *file, struct check_answer *answer,
                               enum sim_status *status);

bool check_objects(const struct check_file *file, struct check_answer *answer,
                   enum sim_status *status);
bool check_txn(const struct check_file *file, struct check_answer *answer, enum sim_status *status);
bool check_log(const struct check_file *file, struct check_answer *answer, enum sim_status *status);

#endif
