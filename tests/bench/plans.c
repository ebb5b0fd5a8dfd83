#include "tests/bench/plans.h"

#include "nodes/registry.h"
#include "sim/check/check.h"
#include "tests/bench/measure.h"

/* ---- The ring ----------------------------------------------------------------------------- */

enum { RING_TOKENS, RING_SETTING_COUNT };
static const char *const ring_messages[] = {"token", NULL};
static const struct sim_setting ring_settings[] = {
    [RING_TOKENS] = {.name = "tokens",
                     .type = SIM_SETTING_COUNT,
                     .standard = {1, 1},
                     .maximum = 1000,
                     .summary = "tokens that a node starts when it boots"},
};

struct ring {
    uint32_t next;
};

static void ring_event(void *state, struct sim_env *env, const struct sim_event *event)
{
    struct ring *ring = state;
    if (event->kind == SIM_EVENT_MESSAGE) {
        sim_send(env, ring->next, 0, event->data, event->size_bytes);
    } else if (event->kind == SIM_EVENT_BOOT) {
        const uint32_t size = sim_group_size(env);
        ring->next = sim_group_member(env, (sim_self(env) + 1) % size);
        for (int64_t i = 0; i < sim_setting(env, RING_TOKENS); i++) {
            uint8_t bytes[16];
            sim_put64(bytes, sim_self(env));
            sim_put64(bytes + 8, (uint64_t)i);
            sim_send(env, ring->next, 0, bytes, sizeof bytes);
        }
    }
}

const struct sim_node_kind bench_ring_kind = {
    .name = "ring",
    .summary = "Sends every token on to the next node.",
    .state_bytes = sizeof(struct ring),
    .event = ring_event,
    .message_names = ring_messages,
    .settings = ring_settings,
    .setting_count = RING_SETTING_COUNT,
};

/* ---- What all plans have ------------------------------------------------------------------ */

static void *table(size_t count, size_t element_bytes)
{
    void *memory = calloc(count, element_bytes);
    if (!memory) {
        measure_give_up("no memory for a plan");
    }
    return memory;
}

/* One zone without a delay of its own: links have it all. */
static void add_network(struct sim_plan *plan, const struct sim_dist *latency,
                        enum sim_transport transport)
{
    plan->regions = table(1, sizeof *plan->regions);
    plan->region_count = 1;
    strcpy(plan->regions[0], "region");
    plan->zones = table(1, sizeof *plan->zones);
    plan->zone_count = 1;
    strcpy(plan->zones[0].name, "zone");
    plan->base_ns = table(1, sizeof *plan->base_ns);
    plan->price_nano_per_gb = table(1, sizeof *plan->price_nano_per_gb);
    plan->links = table(1, sizeof *plan->links);
    plan->link_count = 1;
    struct sim_link_rule *rule = &plan->links[0];
    rule->from.count = rule->to.count = 2;
    rule->from.selectors[1].kind = rule->to.selectors[1].kind = SIM_SELECT_CLIENTS;
    rule->change.fields = 1u << SIM_LINK_LATENCY | 1u << SIM_LINK_TRANSPORT;
    sim_link_knobs_init(&rule->change.knobs);
    rule->change.knobs.latency = *latency;
    rule->change.knobs.transport = transport;
}

/* One group of servers, and the clients of one workload. */
static void add_nodes(struct sim_plan *plan, const struct sim_node_kind *kind, uint32_t servers,
                      uint32_t clients)
{
    if (!kind) {
        measure_give_up("this build lacks a node kind");
    }
    plan->groups = table(1, sizeof *plan->groups);
    plan->group_count = 1;
    strcpy(plan->groups[0].name, "n");
    plan->groups[0].node_count = servers;
    plan->nodes = table(servers + clients, sizeof *plan->nodes);
    plan->node_count = servers + clients;
    for (uint32_t i = 0; i < plan->node_count; i++) {
        struct sim_plan_node *node = &plan->nodes[i];
        const bool server = i < servers;
        snprintf(node->name, sizeof node->name, "%c%u", server ? 'n' : 'c',
                 (unsigned)(server ? i + 1 : i - servers + 1));
        sim_host_knobs_init(&node->host);
        node->kind = server ? kind : NULL;
        for (uint32_t s = 0; server && s < kind->setting_count; s++) {
            node->settings[s] = kind->settings[s].standard;
        }
    }
}

static void set_everywhere(struct sim_plan *plan, uint32_t setting, uint64_t value)
{
    for (uint32_t i = 0; i < plan->node_count; i++) {
        plan->nodes[i].settings[setting] = (struct sim_value){(int64_t)value, (int64_t)value};
    }
}

/* ---- Messages ----------------------------------------------------------------------------- */

static const struct sim_dist spread = {
    .kind = SIM_DIST_UNIFORM, .a = 100 * SIM_US, .b = 900 * SIM_US};
static const struct sim_dist fixed = {.kind = SIM_DIST_CONSTANT, .a = 500 * SIM_US};

void bench_plan_ring(struct sim_plan *plan, const struct bench_ring *ring)
{
    sim_plan_init(plan);
    plan->duration_ns = SIM_TIME_MAX;
    add_network(plan, ring->constant ? &fixed : &spread,
                ring->streams ? SIM_TRANSPORT_STREAM : SIM_TRANSPORT_DATAGRAM);
    add_nodes(plan, &bench_ring_kind, ring->nodes, 0);
    set_everywhere(plan, RING_TOKENS, ring->tokens);
}

void bench_plan_echo(struct sim_plan *plan, uint32_t nodes, uint64_t interval_ns)
{
    sim_plan_init(plan);
    plan->duration_ns = SIM_TIME_MAX;
    add_network(plan, &spread, SIM_TRANSPORT_DATAGRAM);
    add_nodes(plan, node_registry_find("echo"), nodes, 0);
    set_everywhere(plan, 0, interval_ns); /* Its only setting. */
}

/* ---- Raft --------------------------------------------------------------------------------- */

struct family {
    enum sim_swarm_family family;
    uint64_t interval_ns; /* Mean, */
    uint64_t length_ns;   /* mean. */
    uint64_t amount;      /* Nanoseconds; of a drift, parts per billion. */
};

/* Those that Raft must survive: a disk that lies or fails, and a cpu that is slow where nothing
 * costs cpu time, say nothing about it. */
static const struct family families[] = {
    {SIM_SWARM_CRASH, 10 * SIM_S, 2 * SIM_S, 0},
    {SIM_SWARM_PAUSE, 15 * SIM_S, SIM_S, 0},
    {SIM_SWARM_ISOLATE, 12 * SIM_S, 3 * SIM_S, 0},
    {SIM_SWARM_HALVES, 12 * SIM_S, 3 * SIM_S, 0},
    {SIM_SWARM_ONE_WAY, 15 * SIM_S, 2 * SIM_S, 0},
    {SIM_SWARM_BRIDGE, 20 * SIM_S, 3 * SIM_S, 0},
    {SIM_SWARM_RING, 20 * SIM_S, 3 * SIM_S, 0},
    {SIM_SWARM_PARTIAL, 12 * SIM_S, 3 * SIM_S, 0},
    {SIM_SWARM_LOSS, 10 * SIM_S, 3 * SIM_S, 0},
    {SIM_SWARM_DELAY, 10 * SIM_S, 3 * SIM_S, 50 * SIM_MS},
    {SIM_SWARM_DUPLICATE, 10 * SIM_S, 3 * SIM_S, 0},
    {SIM_SWARM_REORDER, 10 * SIM_S, 3 * SIM_S, 20 * SIM_MS},
    {SIM_SWARM_CORRUPT, 15 * SIM_S, 2 * SIM_S, 0},
    {SIM_SWARM_DISK_SLOW, 15 * SIM_S, 3 * SIM_S, 50 * SIM_MS},
    {SIM_SWARM_CLOCK_DRIFT, 20 * SIM_S, 10 * SIM_S, 10000000},
    {SIM_SWARM_CLOCK_STEP, 20 * SIM_S, SIM_S, SIM_S},
};

static struct sim_dist exponential(uint64_t mean)
{
    return (struct sim_dist){.kind = SIM_DIST_EXPONENTIAL, .a = mean};
}

static void add_swarm(struct sim_plan *plan)
{
    plan->swarm_count = sizeof families / sizeof *families;
    plan->swarm = table(plan->swarm_count, sizeof *plan->swarm);
    for (uint32_t i = 0; i < plan->swarm_count; i++) {
        const struct family *f = &families[i];
        plan->swarm[i] = (struct sim_swarm_rule){.family = f->family,
                                                 .off_ppm = 300000,
                                                 .interval = exponential(f->interval_ns),
                                                 .length = exponential(f->length_ns),
                                                 .length_min_ns = 500 * SIM_MS,
                                                 .strength_ppm = 200000,
                                                 .amount = {.a = f->amount}};
    }
}

static void add_clients(struct sim_plan *plan, uint32_t first)
{
    plan->workloads = table(1, sizeof *plan->workloads);
    plan->workload_count = 1;
    struct sim_workload *w = &plan->workloads[0];
    *w = (struct sim_workload){.first_client = first,
                               .client_count = BENCH_RAFT_CLIENTS,
                               .open_loop = true,
                               .interval = exponential(20 * SIM_MS),
                               .weight = {[SIM_READ] = 1, [SIM_WRITE] = 2, [SIM_CAS] = 1},
                               .key_count = 10,
                               .timeout_ns = 500 * SIM_MS,
                               .attempts = 20,
                               .backoff = {.a = 20 * SIM_MS},
                               .follow_leader = true,
                               .stop_ns = SIM_NEVER};
    strcpy(w->name, "c");
}

void bench_plan_raft(struct sim_plan *plan, uint32_t nodes, bool swarm)
{
    sim_plan_init(plan);
    plan->duration_ns = 60 * SIM_S;
    plan->settle_ns = 10 * SIM_S;
    plan->checks = SIM_CHECKS_ALL;
    add_network(plan, &spread, SIM_TRANSPORT_KIND);
    add_nodes(plan, node_registry_find("raft"), nodes, BENCH_RAFT_CLIENTS);
    add_clients(plan, nodes);
    if (swarm) {
        add_swarm(plan);
    }
    const char *problem = sim_plan_problem(plan);
    if (problem) {
        measure_give_up(problem);
    }
}
