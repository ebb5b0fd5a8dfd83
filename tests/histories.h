/* Random small histories, and the plainest checker there can be, to compare the real ones with. */
#ifndef TESTS_HISTORIES_H
#define TESTS_HISTORIES_H

#include "sim/consistency/history.h"
#include "sim/rng.h"

#define BRUTE_OPERATIONS_MAX 30 /* More than ten or twelve take long to try in all orders. */
#define BRUTE_KEYS 2

/* What a few objects hold; plain enough to be seen to be right. */
struct brute_state {
    struct {
        uint32_t items[2 * BRUTE_OPERATIONS_MAX]; /* Values; of a register the first. */
        uint32_t count;
        int64_t number;
        bool held;
    } keys[BRUTE_KEYS];
};

void brute_begin(const struct sim_history *history, struct brute_state *state);
/* Does the operation, if it is done now, answer what it answered? Changes the state. Of unknown
 * outcome it answers anything it can. */
bool brute_apply(const struct sim_history *history, struct brute_state *state, uint32_t place);

/* Is there an order of all operations that returned OK, and any of the others that did not fail,
 * that keeps to real time? Tries them all. (One that is OK but never returned answers what it
 * answers, or never takes place.) */
bool brute_linearizable(const struct sim_history *history);

/* The same if real time does not matter, only that each process's operations keep their order. */
bool brute_sequential(const struct sim_history *history);

struct random_history {
    uint32_t object;     /* enum sim_object */
    uint32_t operations; /* At most BRUTE_OPERATIONS_MAX. */
    uint32_t processes;
    uint32_t keys;         /* 1 or 2. */
    uint32_t values;       /* How many different ones; 0: each written once. */
    uint32_t lie_percent;  /* Of answers: anything at all. */
    uint32_t lost_percent; /* Outcomes that stay unknown. */
    bool sessions;         /* Processes go on after an unknown outcome. */
    bool compares;         /* Registers: half of all compare, often with what is there. */
};

/* Begins a history and plays processes on a real object, with lies. The caller releases it. */
void random_history(struct sim_history *history, const struct random_history *options,
                    uint64_t seed);

/* An empty one with memory enough for any here. The caller releases it. */
void history_begin(struct sim_history *history, uint32_t object);

/* All of a history, a line each, for messages; static memory. */
const char *history_text(const struct sim_history *history);

#endif
