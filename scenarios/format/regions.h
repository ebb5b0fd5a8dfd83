/* Measured delays between the regions of real clouds, and measured jitter: the tables of
 * scenarios/data, whose README names their sources. */
#ifndef SCENARIOS_REGIONS_H
#define SCENARIOS_REGIONS_H

#include "sim/dist.h"

#define REGIONS_MAX 96
#define REGION_NAME_MAX 40

struct regions {
    uint32_t count;
    char names[REGIONS_MAX][REGION_NAME_MAX];
    uint64_t one_way_ns[REGIONS_MAX][REGIONS_MAX]; /* From, to: half the round trip. The diagonal
                                                    * is 0: see REGION_SAME_ZONE_NS. */
};

/* Within a region the matrices agree poorly on what they measure, so all use the medians of IBM's
 * 40 zones and 84 pairs of zones (netperf TCP_RR, August 2026): round trips of 0.10 and 0.76 ms. */
#define REGION_SAME_ZONE_NS UINT64_C(50000)
#define REGION_CROSS_ZONE_NS UINT64_C(380000)

/* List prices of AWS, Azure and Google Cloud in early 2026, dollars * 10^-9 for 10^9 bytes: between
 * zones 0.01 each for sender and receiver, between regions 0.02 (up to 0.08 for some). */
#define REGION_CROSS_ZONE_PRICE UINT64_C(20000000)
#define REGION_CROSS_REGION_PRICE UINT64_C(20000000)

/* The names of the matrices, and of the jitter tables, NULL-terminated. */
extern const char *const regions_matrices[];
extern const char *const regions_jitters[];

/* A matrix by name ("aws-2025"), to be freed with free(); NULL if there is none of that name, or
 * out of memory. */
struct regions *regions_load(const char *matrix);
/* The number of a region; `count` if the matrix does not have it. */
uint32_t regions_find(const struct regions *regions, const char *name);

/* A table of ratios to the usual delay in ppm ("planetlab"); false if there is none. */
bool regions_jitter(const char *name, struct sim_dist *dist);

#endif
