/* What a consistency checker says of a history, and what it may spend on it.
 *
 * A checker's answer follows from the history and the budget alone: the same every time. */
#ifndef SIM_CONSISTENCY_RESULT_H
#define SIM_CONSISTENCY_RESULT_H

#include "sim/check/check.h"

struct sim_budget {
    uint64_t steps;      /* Of the search; what a step is, each checker says. */
    size_t memory_bytes; /* That the checker may hold at a time, beside the history. */
};

#define SIM_ANOMALIES_MAX 32

struct sim_consistency_result {
    uint32_t verdict;                         /* SIM_HOLDS, SIM_VIOLATED or SIM_UNKNOWN */
    uint64_t operations;                      /* Judged. */
    uint64_t steps;                           /* Spent. */
    const char *anomalies[SIM_ANOMALIES_MAX]; /* Constants, by the field's names: "G1c"; sorted. */
    uint64_t times[SIM_ANOMALIES_MAX];        /* How often each was found; 0: nobody counted. */
    uint32_t anomaly_count;
    uint32_t *witness; /* Places of operations in the history, ascending; heap, owned. */
    uint32_t witness_count;
    char detail[SIM_DETAIL_MAX]; /* In words: what is wrong, or how far an unknown one got. */
};

/* Gives the witness back. A zeroed result is fine. */
void sim_consistency_result_release(struct sim_consistency_result *result);

/* Add an anomaly in its place among the others, once; beyond SIM_ANOMALIES_MAX it is left out. */
void sim_consistency_anomaly(struct sim_consistency_result *result, const char *name);

/* The same, and how often it was found. */
void sim_consistency_anomalies(struct sim_consistency_result *result, const char *name,
                               uint64_t times);

/* Replace the witness by a sorted copy of a short list; false without memory: then it has none. */
bool sim_consistency_witness(struct sim_consistency_result *result, const uint32_t *places,
                             uint32_t count);

#endif
