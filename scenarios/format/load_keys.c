/* The keys of every object, in the order in which messages list them. */
#include "scenarios/format/load.h"

#define KEYS(...)                                                                                  \
    (const char *const[])                                                                          \
    {                                                                                              \
        __VA_ARGS__, NULL                                                                          \
    }

#define LINK_KNOBS                                                                                 \
    "latency", "base", "jitter", "loss", "burst", "duplicate", "reorder", "reorder_delay",         \
        "corrupt", "rate", "queue", "queue_policy", "mtu", "transport", "price", "authenticated"
#define ADVERSARY_KNOBS "eavesdrop", "tamper", "forge", "replay"
#define DISK_KNOBS                                                                                 \
    "sync", "rate", "capacity", "sync_error", "write_error", "lie", "survive", "survive_any",      \
        "torn", "corrupt"
#define DISTRIBUTIONS "constant", "uniform", "exponential", "lognormal", "pareto"

const struct load_object_info load_objects[LOAD_OBJECT_COUNT] = {
    [LOAD_SCENARIO] = {"scenario", KEYS("$schema", "title", "why", "lesson", "source", "duration",
                                        "seed", "settle", "ties", "max_events", "memory",
                                        "topology", "nodes", "clients", "administrators", "faults",
                                        "swarm", "fates", "checks", "expect", "matrix")},
    [LOAD_TOPOLOGY] = {"topology", KEYS("regions", "zones", "links", "hosts")},
    [LOAD_LINK] = {"link", KEYS("between", "from", "to", LINK_KNOBS, ADVERSARY_KNOBS)},
    [LOAD_BURST] = {"burst", KEYS("enter", "leave", "loss")},
    [LOAD_HOST] = {"host", KEYS("cpu", "clock", "disk", "egress", "dns_ttl")},
    [LOAD_CPU] = {"cpu", KEYS("message", "byte", "send", "speed", "backlog")},
    [LOAD_CLOCK] = {"clock", KEYS("offset", "drift", "sync")},
    [LOAD_CLOCK_SYNC] = {"clock_sync", KEYS("every", "error", "bound", "assumed_drift", "smear")},
    [LOAD_DISK] = {"disk", KEYS(DISK_KNOBS)},
    [LOAD_EGRESS] = {"egress", KEYS("rate", "queue")},
    [LOAD_NODES] = {"nodes", KEYS("kind", "name", "count", "zone", "zones", "start", "config",
                                  "bugs", "host")},
    [LOAD_CLIENTS] = {"clients",
                      KEYS("name", "count", "zone", "zones", "target", "think", "rate", "interval",
                           "operations", "transactions", "script", "keys", "timeout", "attempts",
                           "backoff", "follow_leader", "stick", "start", "stop", "limit", "host")},
    [LOAD_OPERATIONS] = {"operations", KEYS("read", "write", "cas", "read_list", "append", "txn")},
    [LOAD_TRANSACTIONS] = {"transactions", KEYS("read", "write", "read_list", "append", "parts")},
    [LOAD_STEP] = {"step",
                   KEYS("at", "by", "to", "read", "write", "cas", "read_list", "append", "txn")},
    [LOAD_STEP_READ] = {"step_read", KEYS("key")},
    [LOAD_STEP_WRITE] = {"step_write", KEYS("key", "value")},
    [LOAD_STEP_CAS] = {"step_cas", KEYS("key", "from", "to")},
    [LOAD_STEP_PART] = {"step_part", KEYS("read", "write", "read_list", "append")},
    [LOAD_FAULT] = {"fault", KEYS("at", "when", "for", "every", "times", "crash", "restart",
                                  "pause", "slow", "partition", "isolate", "link", "adversary",
                                  "disk", "wipe", "clock", "join", "leave", "move", "readdress",
                                  "admin", "firewall", "command", "scale", "heal")},
    [LOAD_CONDITION] = {"condition", KEYS("nodes", "fact", "is", "at_least")},
    [LOAD_SLOW] = {"slow", KEYS("of", "speed")},
    [LOAD_PARTITION] = {"partition", KEYS("shape", "of", "from")},
    [LOAD_LINK_FAULT] = {"link_fault", KEYS("between", "from", "to", LINK_KNOBS, ADVERSARY_KNOBS)},
    [LOAD_ADVERSARY] = {"adversary", KEYS("between", "from", "to", ADVERSARY_KNOBS)},
    [LOAD_DISK_FAULT] = {"disk_fault", KEYS("of", DISK_KNOBS)},
    [LOAD_CLOCK_FAULT] = {"clock_fault", KEYS("of", "step", "drift", "sync")},
    [LOAD_MOVE] = {"move", KEYS("of", "to")},
    [LOAD_ADMIN] = {"admin", KEYS("by", "of", "set")},
    [LOAD_FIREWALL] = {"firewall", KEYS("by", "from", "to")},
    [LOAD_COMMAND] = {"command", KEYS("of", "name", "argument")},
    [LOAD_SCALE] = {"scale", KEYS("of", "to", "step")},
    [LOAD_SWARM] = {"swarm", KEYS("family", "families", "off", "every", "length", "min_length",
                                  "group", "strength", "amount", "command", "majority")},
    [LOAD_FATE] = {"fate", KEYS("from", "to", "message", "ordinal", "drop", "delay", "duplicate",
                                "corrupt", "deliver")},
    [LOAD_DISTRIBUTION] = {"distribution", KEYS(DISTRIBUTIONS, "mixture", "quantiles", "cap")},
    [LOAD_LOGNORMAL] = {"lognormal", KEYS("median", "sigma")},
    [LOAD_PARETO] = {"pareto", KEYS("minimum", "alpha")},
    [LOAD_MIXTURE_PART] = {"mixture_part", KEYS("weight", DISTRIBUTIONS)},
};
