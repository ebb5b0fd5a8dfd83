/* A checker of a consistency model, held against the model's definition taken word by word, and
 * against small histories whose verdict is known. */
#ifndef TESTS_DEFINITIONS_H
#define TESTS_DEFINITIONS_H

#include "histories.h"
#include "sim/check/check.h"
#include "sim/consistency/models.h"

/* Small histories need far less. */
extern const struct sim_budget ample_budget;

struct definition {
    const char *name;
    sim_model_check_fn check;
    /* The definition. It may know several models: `model` says which. */
    bool (*holds)(const struct sim_history *history, uint32_t model);
    uint32_t model;
    bool decides;     /* The checker says of every small history whether it holds. */
    bool tells_story; /* A witness also shows where the values come from and go to. */
};

/* Judges a history: the verdict must be the definition's, or unknown if the checker need not
 * decide. A violation's witness must violate the model even if all else may have taken place, any
 * time later, or not; if it is to be minimal, it must not once one of it is among that, too.
 * Returns the verdict. */
uint32_t expect_as_defined(const struct definition *definition, const struct sim_history *history,
                           uint64_t seed, bool minimal);

/* Could exactly the operations of a set, bit i for operation i, have taken place? Those that
 * returned OK have, those that failed have not; of others nobody knows. */
bool may_have_taken_place(const struct sim_history *history, uint32_t set);

#define WEAK_OPERATIONS_MAX 9

/* Processes that read anything that anybody ever writes: rarely right, and seldom all wrong. */
struct weak_history {
    uint32_t object;         /* A register, which some seeds compare and set, or a list. */
    uint32_t operations_max; /* Of at least 4, and at most WEAK_OPERATIONS_MAX. */
    uint32_t processes_max;  /* Of at least 2. */
    uint32_t second_key_in;  /* One operation in so many is of another key. */
};

/* As above of weak histories of many seeds, which must put all answers to the test: so many must
 * be violated, and more must hold than be left unknown. */
void compare_with_definition(const struct definition *definition,
                             const struct weak_history *options, uint32_t seeds,
                             uint32_t violated_min);

/* ---- By hand ---- */

/* A word an operation, each returned before the next is invoked: "0wx1" is a write of 1 to x by
 * process 0, "0ax1" appends it to a list, "0rx1" reads it and "0rx" nothing; "0rx12" reads the list
 * [1 2]. */
#define HISTORY(...) ((const char *const[]){__VA_ARGS__, NULL})

/* The next operation of a history that has been begun. */
void play_word(struct sim_history *history, const char *word);
/* All of a history; the caller releases it. */
void play_words(struct sim_history *history, const char *const *words);

/* NULL: it holds. Whether the checker says anything in words, as it must of an anomaly. */
bool expect_anomaly(sim_model_check_fn check, const char *const *words, const char *anomaly);

#endif
