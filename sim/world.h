/* A world: one run of a plan with one seed, in one arena.
 *
 * Typical use:
 *     struct sim_arena *arena = sim_arena_new(plan.memory_bytes);
 *     struct sim_world *world;
 *     status = sim_world_new(&world, arena, &plan, seed, NULL);
 *     sim_world_run(world, SIM_NEVER);
 *     ... sim_world_result(world), sim_world_hash(world) ...
 *     sim_arena_reset(arena);  // the next seed
 *
 * Snapshots of the arena at any time between two calls of sim_world_run() restore the world
 * to that time. */
#ifndef SIM_WORLD_H
#define SIM_WORLD_H

#include "sim/check/check.h"
#include "sim/plan.h"

struct sim_world;

/* Build the world: nodes boot at time 0, faults are scheduled, random ones drawn. The plan,
 * the sink and the arena must outlive it. SIM_ENOMEM: the arena is too small. */
SIM_NODISCARD enum sim_status sim_world_new(struct sim_world **world, struct sim_arena *arena,
                                            const struct sim_plan *plan, uint64_t seed,
                                            const struct sim_sink *sink);

enum sim_stop {
    SIM_STOP_TIME,   /* `until_ns` is reached: call again to go on. */
    SIM_STOP_END,    /* The run is over; verdicts are final. */
    SIM_STOP_MEMORY, /* The arena is full: the run is worthless; raise memory. */
    SIM_STOP_FAILED, /* sim_world_fail() was called. */
};

/* Another future from here: every stream of chance begins anew, derived from (seed, salt) in place
 * of the seed alone. A world restored to the same time and reseeded with the same salt goes on the
 * same; another salt is another run. What chance has decided before now stays: the delays of
 * messages under way, timers that are set, the times of operations that are due next, and the
 * faults that were drawn before the run (but not whom a fault still to come chooses). Call it
 * between two calls of sim_world_run(). sim_world_seed() stays the run's. */
void sim_world_reseed(struct sim_world *world, uint64_t salt);

/* Handle every event before `until_ns`. */
enum sim_stop sim_world_run(struct sim_world *world, uint64_t until_ns);

/* The code of the node at work has failed (a signal caught by the caller, who has jumped out
 * of sim_world_run()): records it as a violation of crash_free and ends the run. */
void sim_world_fail(struct sim_world *world, const char *why);
/* The node whose code is running, SIM_NOBODY between events. */
uint32_t sim_world_current_node(const struct sim_world *world);

uint64_t sim_world_now_ns(const struct sim_world *world);
uint64_t sim_world_hash(const struct sim_world *world);
uint64_t sim_world_events(const struct sim_world *world); /* Records in the trace. */
uint64_t sim_world_steps(const struct sim_world *world);  /* Pending events taken. */
const uint64_t *sim_world_checkpoints(const struct sim_world *world, size_t *count);
const struct sim_checks *sim_world_checks(const struct sim_world *world);
const struct sim_history_row *sim_world_history(const struct sim_world *world, size_t *count);
/* The faults of this run: the plan's, then those drawn. */
const struct sim_fault *sim_world_faults(const struct sim_world *world, size_t *count);
/* Are messages from one node to another cut now, by a partition or a firewall? */
bool sim_world_cut(const struct sim_world *world, uint32_t from, uint32_t to);
const struct sim_plan *sim_world_plan(const struct sim_world *world);
uint64_t sim_world_seed(const struct sim_world *world);

/* What was measured, filled in at any time. */
struct sim_metrics {
    uint64_t operations;    /* Invoked, */
    uint64_t operations_ok; /* and how they ended. */
    uint64_t operations_failed;
    uint64_t operations_info;
    uint64_t attempts;
    uint64_t latency_p50_ns; /* Of those that ended ok; within 1.6 % (log-linear buckets). */
    uint64_t latency_p90_ns;
    uint64_t latency_p99_ns;
    uint64_t latency_p999_ns;
    uint64_t latency_max_ns;
    uint64_t longest_gap_ns; /* Without an acknowledged write, while clients were at work. */
    uint64_t leader_changes; /* Times a node came to publish role=leader. */
    uint64_t term_max;
    uint64_t commit_max;
    uint64_t messages_sent;
    uint64_t messages_delivered;
    uint64_t messages_lost; /* Datagrams that chance took. */
    uint64_t messages_duplicated;
    uint64_t messages_reordered;
    uint64_t messages_corrupted;
    uint64_t messages_retransmitted;
    uint64_t messages_dropped[SIM_DROP_COUNT];
    uint64_t forged_sent;     /* Tampered, forged or replayed by an adversary, */
    uint64_t forged_accepted; /* and handed to a node. */
    uint64_t bytes_sent;
    uint64_t bytes_eavesdropped;
    uint64_t cost_nano_dollars;
    uint64_t cpu_busy_ns;        /* Of all hosts together. */
    uint64_t queue_delay_max_ns; /* Longest wait for bandwidth. */
    uint64_t cpu_delay_max_ns;   /* Longest wait for a cpu. */
    uint64_t disk_syncs;
    uint64_t disk_errors;
    uint64_t crashes;
    uint64_t settings_changed;   /* By administrators, */
    uint64_t settings_overruled; /* of those, what another had set otherwise. */
    uint64_t clock_inversions;   /* Pairs of writes to one register whose wall-clock order is not
                                  * their true order: what "last write wins" would get wrong.
                                  * Appends and transactions overwrite nothing by themselves. */
    uint64_t clock_error_max_ns; /* Largest distance of a wall clock from true time seen. */
    uint64_t memory_bytes;       /* Used of the arena. */
};
void sim_world_metrics(const struct sim_world *world, struct sim_metrics *metrics);

/* One row for each metric, for tables and JSON: a name with its unit, and its value. */
struct sim_metric_info {
    const char *name;
    const char *summary;
    size_t offset; /* Of a uint64_t in struct sim_metrics. */
};
extern const struct sim_metric_info sim_metric_infos[];
extern const size_t sim_metric_count;

#endif
