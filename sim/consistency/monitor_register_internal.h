/* What the two halves of the monitor of registers share: monitor_register.c knows the zones,
 * monitor_cas.c what a compare-and-set ties together. */
#ifndef SIM_CONSISTENCY_MONITOR_REGISTER_INTERNAL_H
#define SIM_CONSISTENCY_MONITOR_REGISTER_INTERNAL_H

#include "sim/consistency/monitor.h"

#define SIM_NO_CLUSTER UINT32_MAX

/* Where some operations must and may be. */
struct sim_zone {
    uint32_t finish;   /* The earliest return, */
    uint32_t finisher; /* whose, */
    uint32_t start;    /* the latest invocation, */
    uint32_t starter;  /* whose; SIM_HISTORY_NOTHING. */
};

/* A value: its write, which may be a compare-and-set, and the reads that saw it. */
struct sim_cluster {
    struct sim_zone own;
    struct sim_zone chain; /* Of the first of a chain: of all of them together. */
    uint32_t write;        /* Places in the history, or SIM_HISTORY_NOTHING. */
    uint32_t reader;       /* Some read of it. */
    uint32_t evidence;     /* An operation that ended and shows that the value was there. */
    uint32_t from;         /* The value that its write replaced, if that compared; and */
    uint32_t next;         /* which one replaced it so: clusters, or SIM_NO_CLUSTER. */
    bool was_there;        /* Not: a write of unknown outcome that nobody need have seen. */
    bool placed;           /* In a chain. */
};

struct sim_zones {
    const struct sim_history *history;
    const uint32_t *places;
    uint32_t count;
    uint32_t *local;              /* As of struct sim_monitor. */
    struct sim_cluster *clusters; /* The initial value's, then by local number. */
    uint32_t cluster_count;       /* But for the initial one's. */
    uint64_t *keys;               /* Room for sorting all clusters. */
    uint64_t *spare;
    uint32_t *order;  /* Clusters, as they may be put one after the other. */
    uint32_t *others; /* Room for as many. */
    size_t forward_count;
    uint32_t initial; /* The value before any write. */
    bool compares;    /* There are compare-and-sets. */
    bool misses;      /* There are some that found another value. */
    struct sim_monitor_result *result;
};

/* Only the initial value has no write. */
static inline bool sim_zone_is_forward(const struct sim_zone *zone)
{
    return zone->finish < zone->start;
}

static inline void sim_zone_extend(struct sim_zone *zone, const struct sim_zone *by)
{
    if (by->finish < zone->finish) {
        zone->finish = by->finish;
        zone->finisher = by->finisher;
    }
    if (by->start > zone->start) {
        zone->start = by->start;
        zone->starter = by->starter;
    }
}

/* Name an operation and, if it is a write, what shows that it took place. */
void sim_zones_name(struct sim_zones *zones, uint32_t place);

/* ---- monitor_cas.c ---- */

/* Tie what was replaced to what replaced it: each chain that comes of it is one piece, in its
 * order. Marks what was there. */
enum sim_monitor_answer sim_zones_chain(struct sim_zones *zones);
/* The chains can be put one after the other: can all compares that missed be put among them? */
enum sim_monitor_answer sim_zones_place_misses(struct sim_zones *zones);

#endif
