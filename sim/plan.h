/* A scenario made ready to run: everything that decides about a run but the seed, as plain
 * data without a trace of the format it was written in. The loader (scenarios/) makes one
 * from JSON; sim_plan_write() and sim_plan_read() carry it to targets without a JSON library.
 *
 * A plan is constant while worlds run on it. All its arrays are owned by it. */
#ifndef SIM_PLAN_H
#define SIM_PLAN_H

#include "sim/clock.h"
#include "sim/disk.h"
#include "sim/history.h"
#include "sim/node.h"
#include "sim/trace.h"

/* Limits, so that no plan can ask for more than a world can hold. */
#define SIM_NAME_MAX 40 /* With the closing NUL. */
#define SIM_ZONES_MAX 64
#define SIM_NODES_MAX 1024 /* Clients included. */
#define SIM_LINK_RULES_MAX 1024
#define SIM_ADMINISTRATORS_MAX 64
#define SIM_FAULTS_MAX 10000
#define SIM_SWARM_RULES_MAX 256
#define SIM_FATES_MAX 100000
#define SIM_KEYS_MAX 1000000
#define SIM_SCRIPT_MAX 100000
#define SIM_TIME_MAX (UINT64_C(1) << 62) /* 146 years: sums of two times never wrap. */
#define SIM_MEMORY_MIN (UINT64_C(1) << 20)

/* Message kinds of the simulator's own; a protocol's count from 0. */
#define SIM_MESSAGE_REQUEST 0xfffe  /* Client to node: an encoded operation. */
#define SIM_MESSAGE_RESPONSE 0xffff /* Node to client: an encoded answer. */

/* ---- Whom it concerns ---------------------------------------------------------------- */

enum sim_selector_kind {
    SIM_SELECT_ALL,       /* Every node that is not a client. */
    SIM_SELECT_NODE,      /* index: one node (or client) */
    SIM_SELECT_GROUP,     /* index: every node of a group */
    SIM_SELECT_ZONE,      /* index: every node of a zone, clients included */
    SIM_SELECT_REGION,    /* index: every node of a region, clients included */
    SIM_SELECT_LEADER,    /* The node that publishes role=leader with the highest term, */
    SIM_SELECT_FOLLOWER,  /* a random node that does not lead, drawn when the fault begins, */
    SIM_SELECT_ANY,       /* a random node, drawn likewise. */
    SIM_SELECT_FOLLOWERS, /* All that do not lead. */
    SIM_SELECT_CLIENTS,   /* Every client. */
    SIM_SELECT_MINORITY,  /* A random set of fewer than half of the nodes. */
    SIM_SELECT_KIND_COUNT
};

struct sim_selector {
    uint32_t kind;
    uint32_t index;
};

#define SIM_SELECTORS_MAX 12

/* A union of selectors; empty selects nobody. Crashed nodes count, absent ones do not. */
struct sim_selection {
    uint32_t count;
    struct sim_selector selectors[SIM_SELECTORS_MAX];
};

/* ---- Links ---------------------------------------------------------------------------- */

enum sim_drop_policy { SIM_QUEUE_TAIL, SIM_QUEUE_RED }; /* RED: Floyd and Jacobson 1993. */
enum sim_transport { SIM_TRANSPORT_KIND, SIM_TRANSPORT_DATAGRAM, SIM_TRANSPORT_STREAM };

struct sim_link_knobs {
    /* Delay of a message = base of the zone matrix * jitter + latency. */
    struct sim_dist latency; /* Nanoseconds, one way. */
    struct sim_dist jitter;  /* Ratio to the base in ppm; constant SIM_PPM by default. */
    uint32_t use_base;       /* 1: start from the zone matrix; 0: latency alone. */
    uint32_t loss_ppm;
    /* Gilbert (1960) and Elliott (1963): a good and a bad state, changing before each message. */
    uint32_t burst_enter_ppm; /* Good to bad; 0 switches bursts off. */
    uint32_t burst_leave_ppm; /* Bad to good. */
    uint32_t burst_loss_ppm;  /* Loss in the bad state. */
    uint32_t duplicate_ppm;
    uint32_t reorder_ppm; /* A message is held back by reorder_delay. */
    struct sim_dist reorder_delay;
    uint32_t corrupt_ppm;
    uint64_t bytes_per_second;  /* 0: infinite. */
    uint64_t queue_bytes;       /* Waiting at most; 0: no limit. */
    uint32_t queue_policy;      /* enum sim_drop_policy */
    uint32_t mtu_bytes;         /* 0: none. Larger messages are silently lost. */
    uint32_t transport;         /* enum sim_transport */
    uint64_t price_nano_per_gb; /* 10^-9 dollars for 10^9 bytes; beside the zone matrix. */
    uint32_t authenticated;     /* 1: tampered, forged and replayed messages are refused. */
    uint32_t eavesdrop;         /* 1: an adversary reads all that passes. */
    uint32_t tamper_ppm;
    uint32_t forge_ppm;  /* Beside a message a changed copy is sent. */
    uint32_t replay_ppm; /* Beside a message the last one recorded is sent again. */
};

/* Which knobs a rule or a fault sets; the others keep what they were. */
enum sim_link_field {
    SIM_LINK_LATENCY,
    SIM_LINK_JITTER,
    SIM_LINK_USE_BASE,
    SIM_LINK_LOSS,
    SIM_LINK_BURST,
    SIM_LINK_DUPLICATE,
    SIM_LINK_REORDER,
    SIM_LINK_CORRUPT,
    SIM_LINK_RATE,
    SIM_LINK_QUEUE,
    SIM_LINK_MTU,
    SIM_LINK_TRANSPORT,
    SIM_LINK_PRICE,
    SIM_LINK_AUTHENTICATED,
    SIM_LINK_ADVERSARY,
    SIM_LINK_FIELD_COUNT
};

struct sim_link_change {
    uint32_t fields; /* Bit set of enum sim_link_field. */
    struct sim_link_knobs knobs;
};

/* A rule of the topology: later rules win, field by field. */
struct sim_link_rule {
    struct sim_selection from; /* Only selectors that do not depend on the run. */
    struct sim_selection to;
    bool both_ways;
    struct sim_link_change change;
};

/* ---- Hosts and nodes -------------------------------------------------------------------- */

struct sim_cpu_knobs {
    uint64_t message_ns;       /* Cost of handling a message or an operation, */
    uint64_t byte_ps;          /* and of each byte of it, picoseconds. */
    uint64_t send_ns;          /* Cost of sending one. */
    uint32_t speed_ppm;        /* SIM_PPM is nominal, half of it takes twice as long. */
    uint32_t backlog_messages; /* Waiting at most, the rest is dropped; 0: no limit. */
};

struct sim_host_knobs {
    struct sim_cpu_knobs cpu;
    struct sim_clock_knobs clock;
    struct sim_disk_knobs disk;
    uint64_t egress_bytes_per_second; /* Of its network card; 0: infinite. */
    uint64_t egress_queue_bytes;
    uint64_t dns_ttl_ns; /* How long it believes an address; 0: always right. */
};

struct sim_plan_node {
    char name[SIM_NAME_MAX];
    const struct sim_node_kind *kind; /* NULL for a client. */
    uint32_t group;                   /* Clients: the number of their workload. */
    uint32_t zone;
    bool absent; /* Not there until it joins. */
    struct sim_host_knobs host;
    uint64_t bugs; /* Bit set of planted bugs. */
    struct sim_value settings[SIM_SETTINGS_MAX];
};

struct sim_plan_group {
    char name[SIM_NAME_MAX];
    uint32_t first_node; /* Members are consecutive. */
    uint32_t node_count;
};

struct sim_plan_zone {
    char name[SIM_NAME_MAX];
    uint32_t region;
};

/* ---- Clients ----------------------------------------------------------------------------- */

struct sim_workload {
    char name[SIM_NAME_MAX];
    uint32_t first_client; /* Node number of its first session; they are consecutive, */
    uint32_t client_count; /* each with one operation open at a time. */
    uint32_t target_group;
    bool open_loop; /* Operations are due at times of their own; else after the last one. */
    struct sim_dist interval; /* Open: between two due times of the whole workload. Closed:
                               * a session's pause between an answer and its next operation. */
    uint32_t weight[SIM_FUNCTION_COUNT];         /* Relative. */
    uint32_t key_count;                          /* With TXN at most SIM_TXN_KEY_MAX. */
    uint32_t txn_parts;                          /* TXN: 1 to this many parts, as often each, */
    uint32_t txn_weight[SIM_TXN_FUNCTION_COUNT]; /* by the order of sim_txn_function(). */
    uint64_t timeout_ns;                         /* Of one attempt. */
    uint32_t attempts;       /* At most; then the outcome is info (or fail), and the next operation
                              * begins where the last attempt was. With 1 it moves on as if it were an
                              * attempt. */
    struct sim_dist backoff; /* Before another attempt. */
    bool follow_leader;      /* Use the hint of NOT_LEADER; else always the next server. */
    bool stick; /* Stay with the server nearest by number instead of a random first choice. */
    uint64_t start_ns;
    uint64_t stop_ns;    /* SIM_NEVER: until the end. */
    uint64_t operations; /* At most; 0: no limit. */
    bool scripted;       /* Its operations are those of the plan's script, and no others. */
};

/* One operation of a scripted workload: it begins when it is due, or when its session has ended
 * the one before. Steps are in the order of their times. */
struct sim_script_step {
    uint64_t at_ns;
    uint32_t client;   /* Node number of the session. */
    uint32_t server;   /* Whom it asks first; SIM_NOBODY: where the session was answered last. */
    uint32_t function; /* enum sim_function */
    uint64_t key;      /* From 1. */
    uint64_t value;    /* 0: one that nobody else writes. */
    uint64_t expected; /* CAS: 0 is "absent". */
};

/* ---- Faults ------------------------------------------------------------------------------ */

enum sim_fault_kind {
    SIM_FAULT_CRASH,   /* Undone by a restart. */
    SIM_FAULT_RESTART, /* Of a running node: a clean stop, then a boot. */
    SIM_FAULT_PAUSE,
    SIM_FAULT_SLOW,        /* cpu.speed_ppm */
    SIM_FAULT_PARTITION,   /* shape */
    SIM_FAULT_LINK,        /* link, between targets and peers (empty: all links of targets) */
    SIM_FAULT_DISK,        /* disk */
    SIM_FAULT_WIPE,        /* Crash, and the disk comes back empty. */
    SIM_FAULT_CLOCK_STEP,  /* amount: nanoseconds */
    SIM_FAULT_CLOCK_DRIFT, /* amount: ppb */
    SIM_FAULT_CLOCK_SYNC,  /* Synchronise now, with the node's own error. */
    SIM_FAULT_JOIN,        /* Its selectors choose among absent nodes. */
    SIM_FAULT_LEAVE,       /* A clean stop; the node is absent then. */
    SIM_FAULT_MOVE,        /* index: zone */
    SIM_FAULT_READDRESS,   /* A new address: others find it when their DNS entry expires. */
    SIM_FAULT_ADMIN_SET,   /* administrator; index: setting, value */
    SIM_FAULT_FIREWALL,    /* administrator; drops from targets to peers */
    SIM_FAULT_COMMAND,     /* index: the kind's command; peers: its argument */
    SIM_FAULT_HEAL,        /* Undo every fault that can be undone. */
    SIM_FAULT_SCALE,       /* targets: one group; amount: of how many; value: ns between steps */
    SIM_FAULT_KIND_COUNT
};

/* "Everybody else" includes clients, as for a host whose cable is pulled. The last three shapes
 * are drawn when the fault begins, over the servers of the targets' groups, and leave clients
 * connected. `amount`, if not 0, is the number of the division: the swarm gives each its own,
 * so that it stays the same when the fault is written down at another place of a plan. */
enum sim_partition_shape {
    SIM_CUT_BETWEEN, /* targets from peers (peers empty: from everybody else) */
    SIM_CUT_ONE_WAY, /* only what targets send to peers (empty: to everybody else) */
    SIM_CUT_ISOLATE, /* each target from everybody else, and from each other */
    SIM_CUT_HALVES,  /* the group in two random halves */
    SIM_CUT_BRIDGE,  /* two halves that only one random node reaches both of */
    SIM_CUT_RING,    /* each node reaches only its two neighbours in a random ring */
    SIM_CUT_COUNT
};

enum sim_disk_field {
    SIM_DISK_LATENCY,
    SIM_DISK_RATE,
    SIM_DISK_CAPACITY,
    SIM_DISK_SYNC_ERROR,
    SIM_DISK_WRITE_ERROR,
    SIM_DISK_LIE,
    SIM_DISK_SURVIVE,
    SIM_DISK_TORN,
    SIM_DISK_CORRUPT,
    SIM_DISK_FIELD_COUNT
};

struct sim_disk_change {
    uint32_t fields; /* Bit set of enum sim_disk_field. */
    struct sim_disk_knobs knobs;
};

/* "When a fact holds": the fault waits from at_ns until some selected node publishes it. */
struct sim_condition {
    bool present;
    struct sim_selection nodes;
    uint32_t fact;
    bool at_least; /* value >= wanted; else equal */
    int64_t wanted;
};

struct sim_fault {
    uint32_t kind; /* enum sim_fault_kind */
    uint64_t at_ns;
    struct sim_condition when;
    uint64_t for_ns;   /* Undone after that; 0: stays. */
    uint64_t every_ns; /* Again and again (flapping); 0: once. */
    uint32_t times;    /* At most, with every_ns; 0: no limit. */
    struct sim_selection targets;
    struct sim_selection peers;
    uint32_t shape; /* enum sim_partition_shape */
    bool one_way;   /* LINK: only from targets to peers. */
    struct sim_link_change link;
    struct sim_disk_change disk;
    uint32_t speed_ppm;
    int64_t amount;
    uint32_t index;
    struct sim_value value;
    uint32_t administrator; /* SIM_NOBODY: none. */
};

/* Faults drawn at random before a run, family by family. Each family has a stream of its
 * own, so that switching one off moves nothing in the others. */
enum sim_swarm_family {
    SIM_SWARM_CRASH,
    SIM_SWARM_PAUSE,
    SIM_SWARM_SLOW,
    SIM_SWARM_ISOLATE,
    SIM_SWARM_HALVES,
    SIM_SWARM_ONE_WAY,
    SIM_SWARM_BRIDGE,
    SIM_SWARM_RING,
    SIM_SWARM_PARTIAL,
    SIM_SWARM_LOSS,
    SIM_SWARM_DELAY,
    SIM_SWARM_DUPLICATE,
    SIM_SWARM_REORDER,
    SIM_SWARM_CORRUPT,
    SIM_SWARM_DISK_SLOW,
    SIM_SWARM_DISK_ERROR,
    SIM_SWARM_DISK_LIE,
    SIM_SWARM_CLOCK_DRIFT,
    SIM_SWARM_CLOCK_STEP,
    SIM_SWARM_COMMAND,
    SIM_SWARM_FAMILY_COUNT
};

struct sim_swarm_rule {
    uint32_t family;          /* enum sim_swarm_family */
    uint32_t off_ppm;         /* Chance that a seed has none of this family. */
    struct sim_dist interval; /* Between the begins of two faults of the family. */
    struct sim_dist length;   /* How long one lasts. */
    uint64_t length_min_ns;   /* At least. */
    uint32_t group;           /* Whose nodes. */
    uint32_t strength_ppm;    /* Loss, duplication, corruption, error rate; speed of SLOW. */
    struct sim_dist amount;   /* DELAY and DISK_SLOW: nanoseconds; clocks: ns or ppb. */
    uint32_t index;           /* COMMAND: which. */
    bool crash_majority;      /* CRASH, PAUSE, ISOLATE: may hit a majority at once. */
};

/* One message's fate, decided by hand: "drop the 3rd append_entries from n1 to n2". */
enum sim_fate_action {
    SIM_ACT_DROP,
    SIM_ACT_DELAY,
    SIM_ACT_DUPLICATE,
    SIM_ACT_CORRUPT,
    SIM_ACT_DELIVER
};

struct sim_fate_override {
    uint32_t from;
    uint32_t to;
    uint32_t message_kind; /* SIM_NOBODY: any. */
    uint32_t action;       /* enum sim_fate_action */
    uint64_t ordinal;      /* From 1, among the messages of that kind on that link. */
    uint64_t delay_ns;     /* DELAY: instead of what chance says. */
};

/* ---- The whole ------------------------------------------------------------------------- */

struct sim_plan {
    uint64_t duration_ns; /* The phase in which only safety is checked. */
    uint64_t settle_ns;   /* Then at most this long for progress, on a healed quorum; 0: none. */
    uint64_t seed;        /* The default one. */
    bool shuffle_ties;
    uint64_t max_events; /* A run with more than so many is cut short; 0: none is. */
    size_t memory_bytes; /* Capacity of the arena. */
    uint64_t checks;     /* Bit set of enum sim_check (sim/check/check.h). */

    struct sim_plan_zone *zones;
    uint32_t zone_count;
    char (*regions)[SIM_NAME_MAX];
    uint32_t region_count;
    uint64_t *base_ns;           /* zone_count x zone_count, row = sender: one-way delay. */
    uint64_t *price_nano_per_gb; /* The same shape. */

    struct sim_plan_group *groups;
    uint32_t group_count;
    struct sim_plan_node *nodes; /* Groups first, then the clients of every workload. */
    uint32_t node_count;
    struct sim_workload *workloads;
    uint32_t workload_count;
    struct sim_script_step *script; /* Of every scripted workload. */
    uint32_t script_count;
    struct sim_link_rule *links;
    uint32_t link_count;
    char (*administrators)[SIM_NAME_MAX];
    uint32_t administrator_count;

    struct sim_fault *faults;
    uint32_t fault_count;
    struct sim_swarm_rule *swarm;
    uint32_t swarm_count;
    struct sim_fate_override *fates;
    uint32_t fate_count;
};

/* A plan with the standard settings and nothing in it: no zone, no node, no duration. */
void sim_plan_init(struct sim_plan *plan);
/* Frees the arrays, which malloc() gave; the plan is all zero then. */
void sim_plan_release(struct sim_plan *plan);

/* A copy with arrays of its own, to be released; SIM_ENOMEM leaves an empty plan. */
SIM_NODISCARD enum sim_status sim_plan_copy(struct sim_plan *copy, const struct sim_plan *plan);

/* Why no world can run on `plan` ("a fault names a node that does not exist"), or NULL if one
 * can. The text is a constant. A loader finds such errors itself, with their place. */
const char *sim_plan_problem(const struct sim_plan *plan);

/* Does a selector depend on the state of the run ("leader"), so that no link rule can use it? */
bool sim_selector_moves(uint32_t kind);

/* Can a fault of this kind be undone (`for_ns`, heal)? */
bool sim_fault_can_end(uint32_t kind);

/* The defaults of a host and of a link. A host costs no cpu time, has a perfect clock, and syncs
 * its disk in 1 ms; a link adds nothing to the delay between zones. */
void sim_host_knobs_init(struct sim_host_knobs *knobs);
void sim_link_knobs_init(struct sim_link_knobs *knobs);
/* Overlay the fields that `change` sets. */
void sim_link_knobs_apply(struct sim_link_knobs *knobs, const struct sim_link_change *change);
void sim_disk_knobs_apply(struct sim_disk_knobs *knobs, const struct sim_disk_change *change);

/* Names for people and for the scenario format. */
const char *sim_fault_kind_name(uint32_t kind);
const char *sim_swarm_family_name(uint32_t family);

/* The neutral form: little-endian, versioned, node kinds by name. The writer returns the
 * size needed and writes at most `capacity_bytes`. The reader resolves kinds with `find`
 * and answers SIM_EINVAL for anything it does not understand or that has a problem (and
 * SIM_ENOMEM); the plan is empty then. Bytes from anywhere are safe to read. */
size_t sim_plan_write(const struct sim_plan *plan, uint8_t *bytes, size_t capacity_bytes);
typedef const struct sim_node_kind *(*sim_find_kind_fn)(const char *name);
SIM_NODISCARD enum sim_status sim_plan_read(struct sim_plan *plan, const uint8_t *bytes,
                                            size_t size_bytes, sim_find_kind_fn find);

#endif
