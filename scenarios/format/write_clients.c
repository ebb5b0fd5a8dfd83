/* Workloads and their scripts, written. */
#include "scenarios/format/write_internal.h"

#include <inttypes.h>
#include <stdio.h>

static const char *const function_names[SIM_FUNCTION_COUNT] = {
    [SIM_READ] = "read",           [SIM_WRITE] = "write",   [SIM_CAS] = "cas",
    [SIM_READ_LIST] = "read_list", [SIM_APPEND] = "append", [SIM_TXN] = "txn"};

/* ---- Scripts ------------------------------------------------------------------------------- */

static void write_txn(cJSON *object, const struct sim_script_step *step)
{
    cJSON *parts = write_array(object, function_names[SIM_TXN]);
    const struct sim_operation operation = {.function = SIM_TXN, .expected = step->expected};
    struct sim_part part;
    for (uint32_t i = 0; sim_operation_part(&operation, i, &part); i++) {
        cJSON *one = write_element(parts);
        write_count(one, function_names[part.function], part.key);
    }
}

static void write_what(cJSON *object, const struct sim_script_step *step)
{
    cJSON *what = write_object(object, function_names[step->function]);
    write_count(what, "key", step->key);
    if (step->expected) {
        write_count(what, "from", step->expected);
    }
    if (step->value) {
        write_count(what, step->function == SIM_CAS ? "to" : "value", step->value);
    }
}

static void write_step(struct write *w, cJSON *array, const struct sim_workload *load,
                       const struct sim_script_step *step)
{
    cJSON *object = write_element(array);
    write_quantity(object, "at", UNITS_DURATION, step->at_ns);
    if (step->client != load->first_client) {
        write_text(object, "by", w->plan->nodes[step->client].name);
    }
    if (step->server != SIM_NOBODY) {
        write_text(object, "to", w->plan->nodes[step->server].name);
    }
    if (step->function == SIM_TXN) {
        write_txn(object, step);
    } else {
        write_what(object, step);
    }
}

static void write_script(struct write *w, cJSON *object, const struct sim_workload *load)
{
    cJSON *array = write_array(object, "script");
    for (uint32_t i = 0; i < w->plan->script_count; i++) {
        const struct sim_script_step *step = &w->plan->script[i];
        if (step->client - load->first_client < load->client_count) {
            write_step(w, array, load, step);
        }
    }
}

/* ---- Loops --------------------------------------------------------------------------------- */

/* Open loops as a rate where that is exact. */
static void write_pace(cJSON *object, const struct sim_workload *load)
{
    static const struct sim_dist standard = {.kind = SIM_DIST_CONSTANT, .a = 10 * SIM_MS};
    const uint64_t mean_ns = load->interval.a ? load->interval.a : 1;
    const uint64_t per_gigasecond = SIM_S * SIM_S / mean_ns;
    if (!load->open_loop) {
        if (!write_dist_equal(&load->interval, &standard)) {
            write_dist(object, "think", UNITS_DURATION, &load->interval);
        }
    } else if (load->interval.kind == SIM_DIST_EXPONENTIAL && load->interval.cap == 0 &&
               per_gigasecond % SIM_S == 0 && SIM_S * SIM_S / per_gigasecond == mean_ns) {
        char text[40];
        (void)snprintf(text, sizeof text, "%" PRIu64 "/s", per_gigasecond / SIM_S);
        write_text(object, "rate", text);
    } else {
        write_dist(object, "interval", UNITS_DURATION, &load->interval);
    }
}

static void write_operations(cJSON *object, const struct sim_workload *load)
{
    bool standard = true;
    for (uint32_t f = 0; f < SIM_FUNCTION_COUNT; f++) {
        standard = standard && load->weight[f] == (f == SIM_READ || f == SIM_WRITE);
    }
    cJSON *operations = standard ? NULL : write_object(object, "operations");
    for (uint32_t f = 0; operations && f < SIM_FUNCTION_COUNT; f++) {
        if (load->weight[f]) {
            write_count(operations, function_names[f], load->weight[f]);
        }
    }
}

/* What transactions consist of; by itself it is reads of lists and appends, as often. */
static void write_transactions(cJSON *object, const struct sim_workload *load)
{
    static const uint32_t standard[SIM_TXN_FUNCTION_COUNT] = {[2] = 1, [3] = 1};
    const bool weights = memcmp(load->txn_weight, standard, sizeof standard) != 0;
    if (!weights && load->txn_parts == SIM_TXN_PARTS_MAX) {
        return;
    }
    cJSON *transactions = write_object(object, "transactions");
    for (uint32_t f = 0; f < SIM_TXN_FUNCTION_COUNT; f++) {
        if (load->txn_weight[f]) {
            write_count(transactions, function_names[sim_txn_function(f)], load->txn_weight[f]);
        }
    }
    if (load->txn_parts != SIM_TXN_PARTS_MAX) {
        write_count(transactions, "parts", load->txn_parts);
    }
}

static void write_patience(cJSON *object, const struct sim_workload *load)
{
    static const struct sim_dist backoff = {.kind = SIM_DIST_CONSTANT, .a = 50 * SIM_MS};
    if (load->timeout_ns != SIM_S) {
        write_quantity(object, "timeout", UNITS_DURATION, load->timeout_ns);
    }
    if (load->attempts != 10) {
        write_count(object, "attempts", load->attempts);
    }
    if (!write_dist_equal(&load->backoff, &backoff)) {
        write_dist(object, "backoff", UNITS_DURATION, &load->backoff);
    }
    if (!load->follow_leader) {
        write_bool(object, "follow_leader", false);
    }
    if (load->stick) {
        write_bool(object, "stick", true);
    }
}

static void write_workload(struct write *w, cJSON *object, const struct sim_workload *load)
{
    write_check_members(w, load->name, load->first_client, load->client_count);
    if (strcmp(load->name, "client") != 0) {
        write_text(object, "name", load->name);
    }
    if (load->client_count > 1) {
        write_count(object, "count", load->client_count);
    }
    write_member_zones(w, object, load->first_client, load->client_count);
    if (w->plan->group_count > 1) {
        write_text(object, "target", w->plan->groups[load->target_group].name);
    }
    if (!load->scripted) {
        write_pace(object, load);
        write_operations(object, load);
    }
    write_transactions(object, load);
    if (load->key_count != 5) {
        write_count(object, "keys", load->key_count);
    }
    write_patience(object, load);
    if (load->start_ns) {
        write_quantity(object, "start", UNITS_DURATION, load->start_ns);
    }
    if (load->stop_ns != SIM_NEVER) {
        write_quantity(object, "stop", UNITS_DURATION, load->stop_ns);
    }
    if (load->operations) {
        write_count(object, "limit", load->operations);
    }
    write_host(object, &w->plan->nodes[load->first_client].host);
    if (load->scripted) {
        write_script(w, object, load);
    }
}

void write_clients(struct write *w, cJSON *root)
{
    cJSON *array = w->plan->workload_count ? write_array(root, "clients") : NULL;
    for (uint32_t i = 0; i < w->plan->workload_count; i++) {
        cJSON *object = write_element(array);
        write_workload(w, object, &w->plan->workloads[i]);
    }
}
