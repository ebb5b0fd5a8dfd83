/* Fewer settings: what is as it is in a scenario that says nothing about it needs no words. Each
 * change below answers false if there is nothing to change. */
#include "scenarios/commands/shrink.h"

#include "scenarios/format/regions.h"

typedef bool (*change_fn)(struct sim_plan *plan, uint32_t index, uint32_t detail);

/* Try a change with each detail at each index. */
static bool try_change(struct shrink *s, change_fn change, uint32_t count, uint32_t details)
{
    bool smaller = false;
    for (uint32_t i = 0; i < count * details && !shrink_is_over(s); i++) {
        struct sim_plan candidate;
        if (!shrink_copy(s, &candidate)) {
            break;
        }
        if (change(&candidate, i / details, i % details)) {
            smaller = shrink_try(s, &candidate) || smaller;
        } else {
            sim_plan_release(&candidate);
        }
    }
    return smaller;
}

static struct sim_dist constant(uint64_t value)
{
    return (struct sim_dist){.kind = SIM_DIST_CONSTANT, .a = value, .b = value};
}

/* ---- Places and links ----------------------------------------------------------------------- */

/* All in one zone without a name. */
static bool one_zone(struct sim_plan *plan, uint32_t index, uint32_t detail)
{
    (void)index;
    (void)detail;
    bool one = plan->zone_count == 1 && plan->region_count == 1;
    if (one && strcmp(plan->zones[0].name, "local") == 0) {
        return false;
    }
    for (uint32_t i = 0; i < plan->node_count; i++) {
        plan->nodes[i].zone = 0;
    }
    plan->zone_count = 1;
    plan->region_count = 1;
    plan->zones[0] = (struct sim_plan_zone){.name = "local"};
    memset(plan->regions[0], 0, sizeof plan->regions[0]);
    memcpy(plan->regions[0], "local", sizeof "local");
    plan->base_ns[0] = REGION_SAME_ZONE_NS;
    plan->price_nano_per_gb[0] = 0;
    return true;
}

static bool no_shuffle(struct sim_plan *plan, uint32_t index, uint32_t detail)
{
    (void)index;
    (void)detail;
    const bool shuffled = plan->shuffle_ties;
    plan->shuffle_ties = false;
    return shuffled;
}

/* A knob that a rule of the topology sets, and need not. */
static bool no_link_field(struct sim_plan *plan, uint32_t index, uint32_t field)
{
    struct sim_link_change *change = &plan->links[index].change;
    if (!(change->fields >> field & 1)) {
        return false;
    }
    change->fields &= ~(UINT32_C(1) << field);
    if (field == SIM_LINK_LATENCY) { /* "latency" says both. */
        change->fields &= ~(UINT32_C(1) << SIM_LINK_USE_BASE);
    }
    struct sim_link_knobs knobs;
    sim_link_knobs_init(&knobs);
    sim_link_knobs_apply(&knobs, change);
    change->knobs = knobs;
    return change->fields != 0;
}

/* A latency without a spread: its middle, or its least. */
static bool constant_latency(struct sim_plan *plan, uint32_t index, uint32_t detail)
{
    struct sim_dist *latency = &plan->links[index].change.knobs.latency;
    if (!(plan->links[index].change.fields >> SIM_LINK_LATENCY & 1) ||
        latency->kind == SIM_DIST_CONSTANT) {
        return false;
    }
    const uint64_t u = detail ? 0 : UINT64_C(1) << 63;
    *latency = constant(sim_dist_sample(latency, u, u));
    return true;
}

static bool shrink_topology(struct shrink *s)
{
    bool smaller = try_change(s, one_zone, 1, 1);
    smaller = try_change(s, no_shuffle, 1, 1) || smaller;
    smaller = shrink_ddmin(s, SHRINK_LINKS) || smaller;
    smaller = try_change(s, no_link_field, s->best.link_count, SIM_LINK_FIELD_COUNT) || smaller;
    return try_change(s, constant_latency, s->best.link_count, 2) || smaller;
}

/* ---- Hosts ---------------------------------------------------------------------------------- */

enum host_part { HOST_ALL, HOST_CPU, HOST_CLOCK, HOST_DISK, HOST_REST, HOST_PARTS };

static bool plain_part(struct sim_host_knobs *host, enum host_part part)
{
    struct sim_host_knobs standard;
    sim_host_knobs_init(&standard);
    struct sim_host_knobs next = *host;
    if (part == HOST_ALL || part == HOST_CPU) {
        next.cpu = standard.cpu;
    }
    if (part == HOST_ALL || part == HOST_CLOCK) {
        next.clock = standard.clock;
    }
    if (part == HOST_ALL || part == HOST_DISK) {
        next.disk = standard.disk;
    }
    if (part == HOST_ALL || part == HOST_REST) {
        next.egress_bytes_per_second = standard.egress_bytes_per_second;
        next.egress_queue_bytes = standard.egress_queue_bytes;
        next.dns_ttl_ns = standard.dns_ttl_ns;
    }
    const bool changed = memcmp(&next, host, sizeof next) != 0;
    memcpy(host, &next, sizeof next);
    return changed;
}

static bool plain_hosts(struct sim_plan *plan, uint32_t group, uint32_t part)
{
    bool changed = false;
    const struct sim_plan_group *g = &plan->groups[group];
    for (uint32_t i = 0; i < g->node_count; i++) {
        changed = plain_part(&plan->nodes[g->first_node + i].host, (enum host_part)part) || changed;
    }
    return changed;
}

static bool plain_clients(struct sim_plan *plan, uint32_t workload, uint32_t part)
{
    bool changed = false;
    const struct sim_workload *w = &plan->workloads[workload];
    for (uint32_t i = 0; i < w->client_count; i++) {
        struct sim_plan_node *node = &plan->nodes[w->first_client + i];
        changed = plain_part(&node->host, (enum host_part)part) || changed;
    }
    return changed;
}

/* ---- Settings of nodes ---------------------------------------------------------------------- */

static void set_all(struct sim_plan *plan, uint32_t group, uint32_t setting, struct sim_value value)
{
    const struct sim_plan_group *g = &plan->groups[group];
    for (uint32_t i = 0; i < g->node_count; i++) {
        plan->nodes[g->first_node + i].settings[setting] = value;
    }
}

static bool is_standard(const struct sim_setting *setting, struct sim_value value)
{
    return value.low == setting->standard.low && value.high == setting->standard.high;
}

static bool standard_setting(struct sim_plan *plan, uint32_t group, uint32_t setting)
{
    const struct sim_plan_node *node = &plan->nodes[plan->groups[group].first_node];
    if (setting >= node->kind->setting_count ||
        is_standard(&node->kind->settings[setting], node->settings[setting])) {
        return false;
    }
    set_all(plan, group, setting, node->kind->settings[setting].standard);
    return true;
}

/* Half of a count that is not the standard one: a threshold that is reached with less. */
static bool half_setting(struct sim_plan *plan, uint32_t group, uint32_t setting)
{
    const struct sim_plan_node *node = &plan->nodes[plan->groups[group].first_node];
    if (setting >= node->kind->setting_count) {
        return false;
    }
    const struct sim_setting *info = &node->kind->settings[setting];
    const int64_t half = node->settings[setting].low / 2;
    if (info->type != SIM_SETTING_COUNT || is_standard(info, node->settings[setting]) ||
        half < info->minimum || half == node->settings[setting].low) {
        return false;
    }
    set_all(plan, group, setting, (struct sim_value){half, half});
    return true;
}

static bool no_bug(struct sim_plan *plan, uint32_t group, uint32_t bug)
{
    const struct sim_plan_group *g = &plan->groups[group];
    bool changed = false;
    for (uint32_t i = 0; i < g->node_count; i++) {
        struct sim_plan_node *node = &plan->nodes[g->first_node + i];
        changed = changed || (node->bugs >> bug & 1);
        node->bugs &= ~(UINT64_C(1) << bug);
    }
    return changed;
}

static bool shrink_settings(struct shrink *s)
{
    bool smaller = try_change(s, plain_hosts, s->best.group_count, HOST_PARTS);
    smaller = try_change(s, plain_clients, s->best.workload_count, HOST_PARTS) || smaller;
    smaller = try_change(s, standard_setting, s->best.group_count, SIM_SETTINGS_MAX) || smaller;
    bool halved = true;
    while (halved && !shrink_is_over(s)) {
        halved = try_change(s, half_setting, s->best.group_count, SIM_SETTINGS_MAX);
        smaller = smaller || halved;
    }
    return try_change(s, no_bug, s->best.group_count, 64) || smaller;
}

/* ---- Settings of clients -------------------------------------------------------------------- */

enum client_part {
    CLIENT_TIMEOUT,
    CLIENT_ATTEMPTS,
    CLIENT_BACKOFF,
    CLIENT_HINT,
    CLIENT_STICK,
    CLIENT_KEYS,
    CLIENT_LAZY, /* Each operation is sent once. */
    CLIENT_PARTS
};

static bool set_u64(uint64_t *value, uint64_t standard)
{
    const bool changed = *value != standard;
    *value = standard;
    return changed;
}

static bool set_u32(uint32_t *value, uint32_t standard)
{
    const bool changed = *value != standard;
    *value = standard;
    return changed;
}

static bool set_flag(bool *value, bool standard)
{
    const bool changed = *value != standard;
    *value = standard;
    return changed;
}

static bool standard_client(struct sim_plan *plan, uint32_t workload, uint32_t part)
{
    struct sim_workload *w = &plan->workloads[workload];
    switch ((enum client_part)part) {
    case CLIENT_TIMEOUT:
        return set_u64(&w->timeout_ns, SIM_S);
    case CLIENT_ATTEMPTS:
        return w->attempts != 1 && set_u32(&w->attempts, 10);
    case CLIENT_BACKOFF:
        if (w->backoff.kind == SIM_DIST_CONSTANT && w->backoff.a == 50 * SIM_MS) {
            return false;
        }
        w->backoff = constant(50 * SIM_MS);
        w->backoff.b = 0; /* As the loader has it. */
        return true;
    case CLIENT_HINT:
        return set_flag(&w->follow_leader, true);
    case CLIENT_STICK:
        return set_flag(&w->stick, false);
    case CLIENT_KEYS:
        return w->scripted && set_u32(&w->key_count, 5);
    case CLIENT_LAZY:
        return set_u32(&w->attempts, 1);
    case CLIENT_PARTS:
        break;
    }
    return false;
}

/* ---- Together ------------------------------------------------------------------------------- */

/* Administrators who change nothing. */
static bool no_administrator(struct sim_plan *plan, uint32_t index, uint32_t detail)
{
    (void)detail;
    for (uint32_t i = 0; i < plan->fault_count; i++) {
        struct sim_fault *f = &plan->faults[i];
        if (f->administrator == index) {
            return false;
        }
        f->administrator -= f->administrator != SIM_NOBODY && f->administrator > index;
    }
    if (index >= plan->administrator_count) {
        return false;
    }
    plan->administrator_count--;
    memmove(plan->administrators[index], plan->administrators[index + 1],
            (plan->administrator_count - index) * sizeof plan->administrators[0]);
    return true;
}

bool shrink_knobs(struct shrink *s)
{
    bool smaller = shrink_topology(s);
    smaller = shrink_settings(s) || smaller;
    smaller = try_change(s, standard_client, s->best.workload_count, CLIENT_PARTS) || smaller;
    return try_change(s, no_administrator, s->best.administrator_count, 1) || smaller;
}
