/* The inside of the faults, shared by the files that make them up and by nobody else:
 *
 *     fault.c      the schedule: begin, end, again, heal, settle
 *     effect.c     what each kind does to a target, and how that is undone
 *     partition.c  shapes of partitions, and who can still talk to whom
 *     select.c     selections -> sets of nodes
 *     scale.c      groups that grow and shrink
 *     swarm.c      schedules drawn at random before the run
 *
 * One begin of a fault is an *activation*. It holds all that undoing it needs, and stays in a
 * list, in order of begin, until it ends. What several faults can change at once (knobs, a
 * zone, a setting, a node being down) is always computed afresh as
 *
 *     what the plan says + every activation in the list, in order
 *
 * so that faults which overlap may end in any order. */
#ifndef SIM_FAULT_INTERNAL_H
#define SIM_FAULT_INTERNAL_H

#include "sim/world_internal.h"

/* ---- Sets of nodes ----------------------------------------------------------------------- */

#define SIM_SET_WORDS(count) (((size_t)(count) + 63) / 64)

/* Room for every node a plan can have; large sets of the arena are cut to node_count. */
struct sim_set {
    uint64_t words[SIM_SET_WORDS(SIM_NODES_MAX)];
};

static inline bool sim_set_has(const uint64_t *set, uint32_t node)
{
    return set[node / 64] >> (node % 64) & 1;
}

static inline void sim_set_add(uint64_t *set, uint32_t node)
{
    set[node / 64] |= UINT64_C(1) << (node % 64);
}

static inline void sim_set_remove(uint64_t *set, uint32_t node)
{
    set[node / 64] &= ~(UINT64_C(1) << (node % 64));
}

/* ---- Activations ------------------------------------------------------------------------- */

struct sim_activation {
    struct sim_activation *previous; /* In order of begin. */
    struct sim_activation *next;
    uint32_t fault;  /* Index into world->faults. */
    uint32_t number; /* Of this begin among the fault's, from 1. */
    uint32_t peer_count;
    uint32_t place_count; /* PARTITION in a random shape: nodes that have a place. */
    bool everybody;       /* No peers were named. */
    uint64_t *targets;    /* Set of nodes; all in one block with this. */
    uint64_t *peers;
    /* By node: CRASH, WIPE: its incarnation; PAUSE: generation of its pause;
     * PARTITION in a random shape: its place. SIM_NOBODY: nothing was done to it. */
    uint32_t *notes;
};

/* What a pending event of a fault stands for. */
enum sim_fault_event { SIM_FAULT_EVENT_END, SIM_FAULT_EVENT_BEGIN, SIM_FAULT_EVENT_SCALE };

/* Is a node there because its group was scaled, or not? Else it is as the plan says. */
enum sim_scaled { SIM_SCALED_NOT, SIM_SCALED_IN, SIM_SCALED_OUT };

/* One for each fault. */
struct sim_fault_run {
    uint64_t order; /* SCALE: which of all orders the last begin was, from 1. */
    uint32_t begun; /* Times so far. */
    bool armed;     /* Its time has come; waits for a fact. */
    bool met;       /* The fact has come; a begin is pending. */
};

/* Of the world; in front of world->fault_runs. */
struct sim_schedule {
    struct sim_activation *first;
    struct sim_activation *last;
    uint64_t orders;       /* To scale a group, so far. */
    uint32_t armed_count;  /* 0: facts need no look. */
    bool settled;          /* The second phase: nothing begins or ends any more. */
    struct sim_set healed; /* Then: the chosen nodes and all clients. */
};

static inline struct sim_schedule *sim_schedule_of(const struct sim_world *world)
{
    return (struct sim_schedule *)(void *)world->fault_runs - 1;
}

static inline const struct sim_fault *sim_activation_fault(const struct sim_world *world,
                                                           const struct sim_activation *a)
{
    return &world->faults[a->fault];
}

/* A healed node is under no fault any more, whatever goes on elsewhere. */
static inline bool sim_is_healed(const struct sim_world *world, uint32_t node)
{
    const struct sim_schedule *schedule = sim_schedule_of(world);
    return schedule->settled && sim_set_has(schedule->healed.words, node);
}

/* ---- fault.c ----------------------------------------------------------------------------- */

/* Does a change of links concern the messages of this one? */
bool sim_activation_touches(const struct sim_world *world, const struct sim_activation *a,
                            uint32_t from, uint32_t to);

/* ---- select.c ---------------------------------------------------------------------------- */

/* Add the nodes of a selection to `set` and return how many it then holds. `absent` asks for
 * nodes that are not there instead of those that are. A random selector draws from `rng` a
 * number of outputs that depends only on how many nodes it can choose among. */
uint32_t sim_selection_resolve(const struct sim_world *world, const struct sim_selection *selection,
                               bool absent, struct sim_rng *rng, uint64_t *set);

/* Does some selected node meet the condition now? Random selectors stand for all they could
 * choose; no selector at all for every node that is not a client. */
bool sim_condition_met(const struct sim_world *world, const struct sim_condition *condition);
/* Does `node`, publishing `fact` = `value`, meet it? */
bool sim_condition_met_by(const struct sim_world *world, const struct sim_condition *condition,
                          uint32_t node, uint32_t fact, int64_t value);

/* Put `count` values in a random order, with 2 (count - 1) outputs. */
void sim_shuffle(struct sim_rng *rng, uint32_t *values, uint32_t count);

/* ---- effect.c ---------------------------------------------------------------------------- */

/* Can this kind of fault concern clients, too? They have no disk, no code and no life. */
bool sim_fault_takes_clients(uint32_t kind);
/* Do it, and undo it. For the undoing the activation has left the list. */
void sim_effect_begin(struct sim_world *world, struct sim_activation *a, struct sim_rng *rng);
void sim_effect_end(struct sim_world *world, struct sim_activation *a);
/* The cpu and disk of a node, as the plan says and the list changes them. */
void sim_effect_restore_knobs(struct sim_world *world, uint32_t node);

/* Give a node a command by its name, with one node as its argument. Nothing happens to a node
 * that is down, or does not know it. */
void sim_effect_command(struct sim_world *world, uint32_t node, const char *name, uint32_t peer);

/* ---- scale.c ----------------------------------------------------------------------------- */

void sim_scale_begin(struct sim_world *world, uint32_t fault);
/* Look again, if `order` is still the last for its group. */
void sim_scale_step(struct sim_world *world, uint32_t fault, uint64_t order);

/* ---- partition.c ------------------------------------------------------------------------- */

/* Is the shape drawn at random over the targets' groups? */
bool sim_shape_is_random(uint32_t shape);
/* Draw every node's place; those outside the targets' groups have none. */
void sim_partition_draw(struct sim_world *world, struct sim_activation *a, struct sim_rng *rng);
void sim_partition_begin(struct sim_world *world, const struct sim_activation *a);
void sim_partition_end(struct sim_world *world, const struct sim_activation *a);
#define SIM_VOTER_SETS_MAX 8

struct sim_voter_sets {
    uint32_t count; /* At least one. The first: as the node says that has committed most. */
    const uint32_t *nodes[SIM_VOTER_SETS_MAX]; /* In the nodes' memory, or in `all`. */
    uint32_t counts[SIM_VOTER_SETS_MAX];
    uint32_t all[SIM_NODES_MAX];
};

/* The sets of nodes of each of which a group needs a majority: mostly there is one, and more while
 * its membership changes. `sets` is not to be moved. */
void sim_group_voters(const struct sim_world *world, uint32_t group, struct sim_voter_sets *sets);

#endif
