/* Workloads: who asks whom for what, how often, and how patiently. */
#include "scenarios/format/load.h"

#include <stdio.h>

static void load_target(struct load *l, const struct json_at *at, struct sim_workload *w)
{
    const struct json_at target = json_member(at, "target");
    if (target.json) {
        load_group(l, &target, &w->target_group);
    } else if (l->plan->group_count > 1) {
        load_error(l, at, "\"target\" is missing: there are %u groups of nodes",
                   (unsigned)l->plan->group_count);
    }
}

/* A Poisson process of so many operations a second. */
static void load_rate(struct load *l, const struct json_at *at, struct sim_workload *w)
{
    uint64_t per_gigasecond = 0;
    if (!load_quantity(l, at, UNITS_FREQUENCY, &per_gigasecond)) {
        return;
    }
    if (per_gigasecond == 0 || per_gigasecond > SIM_S * SIM_S) {
        load_error(l, at, "a rate is more than 0 and at most one operation a nanosecond");
        return;
    }
    w->interval =
        (struct sim_dist){.kind = SIM_DIST_EXPONENTIAL, .a = SIM_S * SIM_S / per_gigasecond};
}

/* A script says when each operation begins and what it is. */
static void check_script(struct load *l, const struct json_at *at)
{
    static const char *const others[] = {"think", "rate", "interval", "operations",
                                         "start", "stop", "limit",    NULL};
    for (const char *const *key = others; json_member(at, "script").json && *key; key++) {
        const struct json_at other = json_member(at, *key);
        if (other.json) {
            load_error_key(l, &other, "\"%s\" has no meaning beside a \"script\"", *key);
        }
    }
}

/* Closed loop ("think") or open loop ("rate", "interval"). */
static void load_pace(struct load *l, const struct json_at *at, struct sim_workload *w)
{
    const struct json_at think = json_member(at, "think");
    const struct json_at rate = json_member(at, "rate");
    const struct json_at interval = json_member(at, "interval");
    if (!!think.json + !!rate.json + !!interval.json > 1) {
        load_error(l, at, "one of \"think\" (closed loop), \"rate\" and \"interval\" (open loop)");
        return;
    }
    /* A session that answers at once asks again: a pause keeps idle scenarios short. */
    w->interval = (struct sim_dist){.kind = SIM_DIST_CONSTANT, .a = 10 * SIM_MS};
    w->open_loop = rate.json || interval.json;
    if (think.json) {
        load_distribution(l, &think, UNITS_DURATION, &w->interval);
    } else if (rate.json) {
        load_rate(l, &rate, w);
    } else if (interval.json && load_distribution(l, &interval, UNITS_DURATION, &w->interval) &&
               sim_dist_high(&w->interval) == 0) {
        load_error(l, &interval, "an open loop needs an interval of more than 0s");
    }
}

/* Weights by name, of which one at least is above 0; absent ones are 0. */
static void load_weights(struct load *l, const struct json_at *at, const char *const *names,
                         uint32_t count, uint32_t *weights)
{
    uint64_t sum = 0;
    bool good = true;
    for (uint32_t i = 0; i < count; i++) {
        uint64_t weight = 0;
        good = load_key_count(l, at, names[i], 0, 1000000, &weight) && good;
        weights[i] = (uint32_t)weight;
        sum += weight;
    }
    if (good && sum == 0) {
        load_error(l, at, "at least one operation must have a weight above 0");
    }
}

static void load_operations(struct load *l, const struct json_at *object, struct sim_workload *w)
{
    static const char *const names[SIM_FUNCTION_COUNT] = {
        [SIM_READ] = "read",           [SIM_WRITE] = "write",   [SIM_CAS] = "cas",
        [SIM_READ_LIST] = "read_list", [SIM_APPEND] = "append", [SIM_TXN] = "txn"};
    const struct json_at at = json_member(object, "operations");
    w->weight[SIM_READ] = 1;
    w->weight[SIM_WRITE] = 1;
    if (at.json && load_object(l, &at, LOAD_OPERATIONS)) {
        load_weights(l, &at, names, SIM_FUNCTION_COUNT, w->weight);
    }
}

/* What transactions consist of: reads of lists and appends to them, unless it says otherwise. */
static void load_transactions(struct load *l, const struct json_at *object, struct sim_workload *w)
{
    static const char *const names[SIM_TXN_FUNCTION_COUNT] = {"read", "write", "read_list",
                                                              "append"};
    const struct json_at at = json_member(object, "transactions");
    uint64_t parts = SIM_TXN_PARTS_MAX;
    if (at.json && load_object(l, &at, LOAD_TRANSACTIONS)) {
        load_weights(l, &at, names, SIM_TXN_FUNCTION_COUNT, w->txn_weight);
        load_key_count(l, &at, "parts", 1, SIM_TXN_PARTS_MAX, &parts);
    } else {
        w->txn_weight[2] = 1;
        w->txn_weight[3] = 1;
    }
    w->txn_parts = (uint32_t)parts;
    if (w->weight[SIM_TXN] && w->key_count > SIM_TXN_KEY_MAX) {
        const struct json_at keys = json_member(object, "keys");
        load_error(l, &keys, "with transactions \"keys\" is at most %u", (unsigned)SIM_TXN_KEY_MAX);
    }
}

static void load_patience(struct load *l, const struct json_at *at, struct sim_workload *w)
{
    const struct json_at timeout = json_member(at, "timeout");
    uint64_t attempts = 10;
    w->timeout_ns = SIM_S;
    if (timeout.json && load_quantity(l, &timeout, UNITS_DURATION, &w->timeout_ns) &&
        w->timeout_ns == 0) {
        load_error(l, &timeout, "a timeout must be more than 0s");
    }
    load_key_count(l, at, "attempts", 1, 1000000, &attempts);
    w->attempts = (uint32_t)attempts;
    w->backoff = (struct sim_dist){.kind = SIM_DIST_CONSTANT, .a = 50 * SIM_MS};
    load_key_distribution(l, at, "backoff", UNITS_DURATION, &w->backoff);
    w->follow_leader = true;
    load_key_bool(l, at, "follow_leader", &w->follow_leader);
    load_key_bool(l, at, "stick", &w->stick);
}

static void load_span(struct load *l, const struct json_at *at, struct sim_workload *w)
{
    const struct json_at stop = json_member(at, "stop");
    w->stop_ns = SIM_NEVER;
    load_key_quantity(l, at, "start", UNITS_DURATION, &w->start_ns);
    if (stop.json && load_quantity(l, &stop, UNITS_DURATION, &w->stop_ns) &&
        w->stop_ns <= w->start_ns) {
        load_error(l, &stop, "clients cannot stop before they start");
    }
    load_key_count(l, at, "limit", 0, UINT32_MAX, &w->operations);
}

/* False if the names could not be made. */
static bool load_workload(struct load *l, const struct json_at *at)
{
    struct sim_plan *plan = l->plan;
    struct sim_workload w = {.first_client = plan->node_count, .key_count = 5};
    struct sim_plan_node client = {.group = plan->workload_count, .host = l->host};
    const struct json_at name_at = json_member(at, "name");
    const char *name = "client";
    uint64_t count = 1;
    uint64_t keys = w.key_count;
    struct load_zones zones;
    if (!load_object(l, at, LOAD_CLIENTS)) {
        return false;
    }
    const bool counted = load_key_count(l, at, "count", 1, SIM_NODES_MAX, &count);
    check_script(l, at);
    load_key_count(l, at, "keys", 1, SIM_KEYS_MAX, &keys);
    w.key_count = (uint32_t)keys;
    load_target(l, at, &w);
    load_pace(l, at, &w);
    load_operations(l, at, &w);
    load_transactions(l, at, &w);
    load_patience(l, at, &w);
    load_span(l, at, &w);
    load_zones(l, at, &zones);
    const struct json_at host = json_member(at, "host");
    if (host.json) {
        load_host_knobs(l, &host, &client.host);
    }
    if ((name_at.json && !load_new_name(l, &name_at, count, &name)) || !counted) {
        return false;
    }
    for (uint64_t i = 0; i < count; i++) {
        client.zone = zones.zones[i % zones.count];
        if (!load_add_node(l, at, name, i + 1, count, &client)) {
            return false;
        }
    }
    struct sim_workload *workload = load_append(l, at, &plan->workloads, &plan->workload_count,
                                                SIM_NODES_MAX, sizeof *plan->workloads);
    if (!workload) {
        return false;
    }
    *workload = w;
    workload->client_count = (uint32_t)count;
    snprintf(workload->name, sizeof workload->name, "%s", name);
    const struct json_at script = json_member(at, "script");
    if (script.json) {
        workload->scripted = true;
        load_script(l, &script, plan->workload_count - 1);
    }
    return true;
}

void load_clients(struct load *l, const struct json_at *root)
{
    const struct json_at at = json_member(root, "clients");
    if (!at.json || !load_array(l, &at, SIM_NODES_MAX)) {
        return;
    }
    uint32_t index = 0;
    for (const cJSON *json = at.json->child; json; json = json->next) {
        const struct json_at workload = json_element(&at, json, index++);
        l->groups_are_known = load_workload(l, &workload) && l->groups_are_known;
    }
    load_script_order(l);
}
