/* The inside of a world, shared by the files of sim/ that make it up and by nobody else:
 *
 *     world.c   build, scheduler loop, dispatch        net.c      messages on links
 *     node.c    the effects a node may ask for         fate.c     what chance does to them
 *     host.c    cpu, pauses, crash, restart, clocks    client*.c  sessions and their history
 *     fault.c   schedules, selectors, shapes           request.c  what they ask, as bytes
 *     swarm.c   faults drawn before the run            net_link.c what a link is like
 *     check/    invariants                             metrics.c  what was measured
 */
#ifndef SIM_WORLD_INTERNAL_H
#define SIM_WORLD_INTERNAL_H

#include "sim/queue.h"
#include "sim/world.h"

/* Kinds of pending events; `target` is a node unless said otherwise. */
enum sim_pending_kind {
    SIM_PEND_BOOT,     /* data: incarnation */
    SIM_PEND_ARRIVE,   /* data: struct sim_message * */
    SIM_PEND_STREAM,   /* target: sender; data: receiver; a stalled stream tries again */
    SIM_PEND_CPU,      /* data: incarnation; the cpu is free for the next in its run queue */
    SIM_PEND_TIMER,    /* data: timer; data2: incarnation */
    SIM_PEND_SYNCED,   /* data: incarnation */
    SIM_PEND_RESUME,   /* data: generation of the pause */
    SIM_PEND_CLOCK,    /* data: incarnation; the wall clock synchronises */
    SIM_PEND_FAULT,    /* target: index of a fault; data: enum sim_fault_event; data2: its run */
    SIM_PEND_CLIENT,   /* data: enum sim_client_event; data2: generation */
    SIM_PEND_WORKLOAD, /* target: workload; an open loop's next operation is due */
    SIM_PEND_PHASE,    /* data: 0: the end of a phase of the run; else the one in which to look */
};

/* A message on its way; header and payload in one block of the arena. */
struct sim_message {
    uint32_t from;
    uint32_t to;
    uint32_t kind; /* Of the protocol, or SIM_MESSAGE_REQUEST / _RESPONSE. */
    uint32_t size_bytes;
    uint64_t ordinal; /* On its link, from 1. */
    uint64_t sent_ns;
    uint64_t digest;
    uint32_t fate;    /* Flags of enum sim_fate_flag. */
    uint32_t epoch;   /* Of the stream: incarnations of both ends; a crash resets it. */
    uint32_t address; /* Of the receiver, as the sender believed. */
    uint32_t copies;  /* Pending deliveries and records of adversaries that share this block. */
    bool stream;
    struct sim_message *next; /* In the list of a stalled stream. */
    uint8_t data[];           /* size_bytes */
};

/* Effective knobs of a link, shared by all links that have the same. */
struct sim_knob_set {
    struct sim_link_knobs knobs;
    bool plain;             /* Chance does nothing but delay: most links, most of the time. */
    uint64_t retransmit_ns; /* A stream's first retransmission time-out, without the base. */
};

#define SIM_LINK_KINDS_MAX 64 /* Message kinds that overrides can count. */

/* A directed link, made at its first use. */
struct sim_link {
    const struct sim_knob_set *set;
    const struct sim_knob_set *standard; /* What it is while no fault concerns the link. */
    struct sim_rng rng;                  /* Message n uses draws 4 (n - 1) .. 4 n - 1: fate.c. */
    uint64_t fate_key;                   /* Of the streams of its messages' rarer fates. */
    uint64_t ordinal;
    uint64_t base_ns;
    uint64_t price_nano_per_gb;   /* Of the zones. */
    uint64_t busy_until_ns;       /* Bandwidth. */
    uint64_t last_arrival_ns;     /* A stream's order, */
    uint32_t stream_epoch;        /* of this connection. */
    uint64_t resolved_until_ns;   /* DNS. */
    struct sim_message *recorded; /* By an adversary, to replay; NULL. */
    uint32_t resolved_address;
    bool bad_state;                    /* Gilbert-Elliott. */
    bool overridden;                   /* Some fate override concerns this link. */
    uint32_t *kind_ordinals;           /* By message kind, only if overridden. */
    struct sim_message *stalled_first; /* A stream that meets a cut waits, in order. */
    struct sim_message *stalled_last;
    uint64_t stalled_since_ns;
    uint32_t stalled_tries; /* 0: not stalled. */
};

struct sim_waiting { /* In a host's run queue: an event that waits for the cpu. */
    uint32_t kind;   /* enum sim_pending_kind */
    uint32_t size_bytes;
    uint64_t data;
    uint64_t since_ns;
};

struct sim_command { /* On its way to a node; SIM_PEND_FAULT of a host. */
    uint32_t command;
    uint32_t peer;
    uint64_t peers;
};

struct sim_timer {
    uint64_t deadline_ns;  /* True time; SIM_NEVER if not set. */
    uint64_t queued_ns;    /* Time of the pending event that stands for it; SIM_NEVER if none. */
    uint64_t monotonic_ns; /* The deadline on the node's own clock. */
    bool fired;            /* Waits for the cpu; setting or cancelling it takes that back. */
};

struct sim_block { /* Header of what sim_alloc() gave. */
    struct sim_block *next;
    struct sim_block *previous;
    size_t size_bytes;
    size_t unused; /* Keeps the block 16-byte aligned. */
};

/* A node and the host it lives on. */
struct sim_env {
    struct sim_world *world;
    const struct sim_plan_node *plan;
    const struct sim_node_kind *kind; /* NULL: a client. */
    uint32_t id;
    uint32_t zone;
    uint32_t address;
    uint32_t incarnation; /* Boots so far. */
    bool up;
    bool absent;
    uint8_t scaled; /* enum sim_scaled */
    bool paused;
    uint32_t pause_generation;
    void *state;
    struct sim_block *blocks;
    struct sim_rng rng;
    struct sim_rng clock_rng;
    struct sim_clock clock;
    struct sim_disk *disk;            /* NULL for clients. */
    struct sim_disk_knobs disk_knobs; /* Effective. */
    struct sim_cpu_knobs cpu;         /* Effective. */
    uint64_t cpu_busy_until_ns;       /* While paused: what is left of its work. */
    bool cpu_scheduled;               /* The first in the run queue is being worked on. */
    struct sim_waiting *run_queue;    /* Ring. */
    size_t run_capacity;
    size_t run_first;
    size_t run_count;
    uint32_t syncs_pending; /* Of the disk. */
    uint64_t egress_busy_until_ns;
    uint64_t extra_cpu_ns; /* Asked for while the event at hand is handled. */
    struct sim_timer timers[SIM_TIMERS_MAX];
    int64_t facts[SIM_FACTS_MAX];
    int64_t leader_value; /* Of fact 0, "role"; -1 if the kind has no leader. */
    struct sim_value settings[SIM_SETTINGS_MAX];
    uint32_t setting_owner[SIM_SETTINGS_MAX]; /* Administrator who set it last, or nobody. */
    struct sim_link **links;                  /* By receiver; NULL until the first send. */
};

struct sim_client;         /* client_internal.h */
struct sim_workload_state; /* client_internal.h */
struct sim_fault_run;      /* fault.c */

struct sim_histogram { /* Log-linear: 64 buckets a doubling from 1 ns to 2^63. */
    uint32_t counts[64 * 58 + 128];
    uint64_t total;
    uint64_t max;
};

struct sim_world {
    struct sim_arena *arena;
    const struct sim_plan *plan;
    uint64_t seed;     /* Of every stream of chance; a reseeding changes it. */
    uint64_t run_seed; /* As the run was asked for. */
    uint64_t now_ns;
    uint64_t steps;
    struct sim_queue *queue;
    struct sim_trace trace;
    struct sim_rng tie_rng;
    struct sim_env *nodes; /* plan->node_count */
    uint32_t node_count;
    uint32_t server_count; /* The first ones; the rest are clients. */
    uint32_t current;      /* Node whose code runs, or SIM_NOBODY. */
    bool ended;
    bool out_of_memory;
    bool failed;
    bool cut_short; /* There were too many events. */
    uint32_t phase; /* 0: faults and safety; 1: settling, progress demanded; 2: nothing is asked
                     * any more, and replicas have time to become equal. */
    /* net_link.c */
    uint8_t *cuts;                   /* node_count x node_count: how many faults cut from -> to. */
    struct sim_knob_set **knob_sets; /* Interned. */
    size_t knob_set_count;
    size_t knob_set_recent; /* Found or made last. */
    size_t knob_set_capacity;
    /* fault.c */
    struct sim_fault *faults;         /* The plan's and the drawn ones. */
    struct sim_fault_run *fault_runs; /* One for each. */
    size_t fault_count;
    /* client*.c */
    struct sim_client *clients; /* By node number - server_count. */
    struct sim_workload_state *workloads;
    uint64_t demanded_after; /* The record after which progress is demanded. */
    bool progressed;         /* A write begun since was acknowledged. */
    struct sim_history_row *history;
    size_t history_count;
    size_t history_capacity;
    uint64_t last_ack_ns; /* Of a write; for the longest gap, */
    bool write_failed;    /* and whether a script's write has come to nothing since. */
    struct sim_histogram latency;
    /* check/ */
    struct sim_checks *checks;
    struct sim_metrics metrics;
};

/* ---- world.c --------------------------------------------------------------------------- */
void sim_world_push(struct sim_world *world, uint64_t time_ns, uint32_t kind, uint32_t target,
                    uint64_t data, uint64_t data2); /* Notes out_of_memory itself. */
void sim_world_record(struct sim_world *world, uint32_t kind, uint32_t node, uint32_t peer,
                      uint32_t detail, uint32_t size_bytes, uint64_t a, uint64_t b);
/* Memory or a note that there is none, which ends the run. Zeroed, if it is not cold. */
void *sim_world_alloc(struct sim_world *world, size_t size_bytes);
void *sim_world_alloc_cold(struct sim_world *world, size_t size_bytes);
/* Give an event to a node's code, now. Charges its cpu, tells the checks. */
void sim_world_dispatch(struct sim_world *world, struct sim_env *env,
                        const struct sim_event *event);

/* ---- host.c ---------------------------------------------------------------------------- */
void sim_host_boot(struct sim_world *world, uint32_t node);  /* Join or restart; no-op if up. */
void sim_host_crash(struct sim_world *world, uint32_t node); /* No-op if down. */
void sim_host_leave(struct sim_world *world, uint32_t node); /* A clean stop: syncs first. */
/* Absent, or stopped for good by its own code, as for its disk. */
bool sim_host_is_gone(const struct sim_env *env);
void sim_host_pause(struct sim_world *world, uint32_t node, uint64_t for_ns);
void sim_host_resume(struct sim_world *world, uint32_t node);
/* An event has come for a node: handle it now, or queue it until its cpu is free. */
void sim_host_receive(struct sim_world *world, struct sim_env *env, uint32_t kind, uint64_t data,
                      uint32_t size_bytes);
void sim_host_cpu_free(struct sim_world *world, const struct sim_pending *event);
void sim_host_timer(struct sim_world *world, const struct sim_pending *event);
void sim_host_synced(struct sim_world *world, const struct sim_pending *event);
void sim_host_clock_sync(struct sim_world *world, const struct sim_pending *event);
/* The clock has changed: pending timers move with it. */
void sim_host_clock_changed(struct sim_world *world, struct sim_env *env);

/* ---- fate.c ---------------------------------------------------------------------------- */
struct sim_fate {
    uint32_t flags;  /* enum sim_fate_flag */
    uint32_t losses; /* Times a stream must send it again. */
    uint64_t delay_ns;
    uint64_t copy_delay_ns; /* DUPLICATED: of the second copy. */
    bool forge;             /* An adversary sends a changed copy beside it, */
    bool replay;            /* or the one it recorded. */
    uint32_t red_ppm;       /* The draw that RED compares. */
    uint64_t noise;         /* Chooses the bits to flip. */
};
#define SIM_FATE_OUTPUTS 4 /* Of its link's stream, for each message. */
/* The fate of the next message on a link; moves the link's ordinal and stream on. A pure
 * function of (seed, link, ordinal, knobs) but for a burst's state, which is a fold of it. */
void sim_fate_next(struct sim_world *world, struct sim_link *link, uint32_t from, uint32_t to,
                   uint32_t kind, bool stream, struct sim_fate *fate);
void sim_fate_flip(uint8_t *data, uint32_t size_bytes, uint64_t noise); /* One bit. */

/* ---- net.c ----------------------------------------------------------------------------- */
/* Send a copy of `data` from a node or client to another. */
void sim_net_send(struct sim_world *world, uint32_t from, uint32_t to, uint32_t kind,
                  const void *data, uint32_t size_bytes);
void sim_net_arrive(struct sim_world *world, const struct sim_pending *event);
void sim_net_retry(struct sim_world *world, const struct sim_pending *event);
void sim_net_release(struct sim_world *world, struct sim_message *message);
static inline bool sim_net_is_cut(const struct sim_world *world, uint32_t from, uint32_t to)
{
    return world->cuts[(size_t)from * world->node_count + to] != 0;
}

/* ---- net_link.c ------------------------------------------------------------------------ */
enum sim_status sim_net_init(struct sim_world *world);
/* Make a link that has not been used yet. NULL, with the world told, if there is no memory. */
struct sim_link *sim_net_link_new(struct sim_world *world, uint32_t from, uint32_t to);
/* The seed has changed: links go on in streams of the new one. */
void sim_net_reseed(struct sim_world *world);
/* Zones have changed, or everything: all links find their knobs again. */
void sim_net_refresh(struct sim_world *world);
/* Faults on this link have. */
void sim_net_refresh_link(struct sim_world *world, uint32_t from, uint32_t to);

/* ---- fault.c, swarm.c ------------------------------------------------------------------ */
enum sim_status sim_faults_init(struct sim_world *world); /* Draws the swarm, schedules all. */
void sim_faults_event(struct sim_world *world, const struct sim_pending *event);
void sim_faults_fact(struct sim_world *world, uint32_t node, uint32_t fact, int64_t value);
/* Overlay every link change in force on the knobs of a link (called by net_link.c). False, with
 * nothing written to `knobs`, if there is none. */
bool sim_faults_overlay(const struct sim_world *world, uint32_t from, uint32_t to,
                        const struct sim_link_knobs *standard, struct sim_link_knobs *knobs);
/* The second phase: a random quorum of each group is healed, all else is frozen as it is. Called
 * again when the membership may have changed, so that it remains a quorum. */
void sim_faults_settle(struct sim_world *world);
/* All others are healed as well, but for nodes that have left. */
void sim_faults_heal_all(struct sim_world *world);
/* Could this group's majority make progress as things stand: up, unpaused, mutually connected,
 * and reachable by some client? */
bool sim_faults_quorum_possible(const struct sim_world *world, uint32_t group);
/* Draw the swarm into an array (in the arena): appended to faults. */
enum sim_status sim_swarm_draw(struct sim_world *world);
bool sim_selection_holds(const struct sim_world *world, const struct sim_selection *selection,
                         uint32_t node); /* Only selectors that do not depend on the run. */

/* ---- client.c, client_loop.c, client_operation.c ---------------------------------------- */
enum sim_status sim_clients_init(struct sim_world *world);
void sim_clients_reseed(struct sim_world *world); /* The seed has changed. */
void sim_clients_event(struct sim_world *world, const struct sim_pending *event);
void sim_clients_workload(struct sim_world *world, const struct sim_pending *event);
void sim_clients_response(struct sim_world *world, uint32_t client, const struct sim_message *m);
/* When an operation that is open was invoked; 0 if it is not open. */
uint64_t sim_clients_invoked_ns(const struct sim_world *world,
                                const struct sim_operation *operation);
/* Progress is demanded: workloads that had stopped go on. */
void sim_clients_settle(struct sim_world *world);
bool sim_clients_write(const struct sim_world *world); /* Does any workload write? */
bool sim_clients_idle(const struct sim_world *world);  /* No operation is open. */
void sim_clients_finish(struct sim_world *world);      /* Open operations end as info. */

/* ---- request.c ------------------------------------------------------------------------- */
/* Requests and responses as bytes, with a checksum: what is corrupt on the way is as good as
 * lost, as with every protocol that clients speak. False if malformed or corrupt. */
#define SIM_REQUEST_BYTES (SIM_OPERATION_BYTES + 8)
void sim_request_encode(const struct sim_operation *operation, uint8_t bytes[SIM_REQUEST_BYTES]);
bool sim_request_decode(struct sim_operation *operation, const uint8_t *bytes, uint32_t size_bytes);
struct sim_response {
    uint64_t sequence;
    uint64_t answer; /* enum sim_answer, if the node is sane. */
    uint32_t count;
    const uint8_t *words; /* count of 8 bytes each; within the message. */
};
#define SIM_RESPONSE_BYTES(count) (24 + 8 * (size_t)(count))
void sim_response_encode(uint64_t sequence, enum sim_answer answer, const uint64_t *words,
                         uint32_t count, uint8_t *bytes);
bool sim_response_decode(struct sim_response *response, const uint8_t *bytes, uint32_t size_bytes);
/* Whether a yes has the words that the operation asks for. */
bool sim_response_fits(const struct sim_response *response, const struct sim_operation *operation);
uint32_t sim_workload_function(const struct sim_workload *workload, uint32_t draw);
/* An operation has its function and a key from 1 to key_count: give it the key of the list that
 * is meant, or, by more draws, a transaction's parts. `appends` counts by key - 1 what was
 * appended so far; NULL if the workload has no lists. */
void sim_request_compose(const struct sim_workload *workload, struct sim_rng *rng,
                         uint64_t *appends, struct sim_operation *operation);
bool sim_workload_lists(const struct sim_workload *workload);  /* Does it use lists? */
bool sim_workload_writes(const struct sim_workload *workload); /* Does it change anything? */

/* ---- metrics.c ------------------------------------------------------------------------- */
void sim_histogram_add(struct sim_histogram *histogram, uint64_t value);
uint64_t sim_histogram_quantile(const struct sim_histogram *histogram, uint32_t ppm);

/* ---- check/ : what it may ask ----------------------------------------------------------- */
static inline const struct sim_consensus *sim_consensus_of(const struct sim_env *env)
{
    return env->kind ? env->kind->consensus : NULL;
}

#endif
