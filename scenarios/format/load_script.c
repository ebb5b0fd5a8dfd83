/* Scripts: the operations of a workload one by one, instead of drawn at random. */
#include "scenarios/format/load.h"

#include <stdlib.h>

#define JSON_INTEGER_MAX (INT64_C(1) << 53) /* What a JSON number holds without a doubt. */

static void load_key(struct load *l, const struct json_at *at, const struct sim_workload *w,
                     struct sim_script_step *step)
{
    struct json_at key;
    if (load_required(l, at, "key", &key)) {
        load_count(l, &key, 1, w->key_count, &step->key);
    }
}

static void load_read(struct load *l, const struct json_at *at, const struct sim_workload *w,
                      struct sim_script_step *step)
{
    step->function = SIM_READ;
    if (load_object(l, at, LOAD_STEP_READ)) {
        load_key(l, at, w, step);
    }
}

/* Without a value it writes one that nobody else does. */
static void load_write(struct load *l, const struct json_at *at, const struct sim_workload *w,
                       struct sim_script_step *step)
{
    step->function = SIM_WRITE;
    if (load_object(l, at, LOAD_STEP_WRITE)) {
        load_key(l, at, w, step);
        load_key_count(l, at, "value", 1, JSON_INTEGER_MAX, &step->value);
    }
}

static void load_cas(struct load *l, const struct json_at *at, const struct sim_workload *w,
                     struct sim_script_step *step)
{
    step->function = SIM_CAS;
    if (load_object(l, at, LOAD_STEP_CAS)) {
        load_key(l, at, w, step);
        load_key_count(l, at, "from", 0, JSON_INTEGER_MAX, &step->expected);
        load_key_count(l, at, "to", 1, JSON_INTEGER_MAX, &step->value);
    }
}

static void load_read_list(struct load *l, const struct json_at *at, const struct sim_workload *w,
                           struct sim_script_step *step)
{
    load_read(l, at, w, step);
    step->function = SIM_READ_LIST;
}

static void load_append_step(struct load *l, const struct json_at *at, const struct sim_workload *w,
                             struct sim_script_step *step)
{
    load_write(l, at, w, step);
    step->function = SIM_APPEND;
}

/* {"append": KEY}, or another function: a part of a transaction. */
static void load_part(struct load *l, const struct json_at *at, const struct sim_workload *w,
                      uint32_t place, struct sim_script_step *step)
{
    static const char *const names[SIM_TXN_FUNCTION_COUNT] = {"read", "write", "read_list",
                                                              "append"};
    uint32_t found = 0;
    if (!load_object(l, at, LOAD_STEP_PART)) {
        return;
    }
    for (uint32_t i = 0; i < SIM_TXN_FUNCTION_COUNT; i++) {
        const struct json_at member = json_member(at, names[i]);
        const uint64_t most = w->key_count < SIM_TXN_KEY_MAX ? w->key_count : SIM_TXN_KEY_MAX;
        uint64_t key = 0;
        if (member.json) {
            load_count(l, &member, 1, most, &key);
            step->expected |= sim_txn_pack(place, i, key);
            step->key = place == 0 ? key : step->key;
            found++;
        }
    }
    if (found != 1) {
        load_error(l, at,
                   "a part does one thing: \"read\", \"write\", \"read_list\" or "
                   "\"append\"");
    }
}

static void load_txn(struct load *l, const struct json_at *at, const struct sim_workload *w,
                     struct sim_script_step *step)
{
    step->function = SIM_TXN;
    if (!load_array(l, at, SIM_TXN_PARTS_MAX)) {
        return;
    }
    uint32_t place = 0;
    for (const cJSON *json = at->json->child; json; json = json->next, place++) {
        const struct json_at part = json_element(at, json, place);
        load_part(l, &part, w, place, step);
    }
    if (place == 0) {
        load_error(l, at, "a transaction has at least one part");
    }
}

static void load_what(struct load *l, const struct json_at *at, const struct sim_workload *w,
                      struct sim_script_step *step)
{
    static const struct {
        const char *key;
        void (*load)(struct load *l, const struct json_at *at, const struct sim_workload *w,
                     struct sim_script_step *step);
    } functions[] = {
        {"read", load_read},           {"write", load_write},        {"cas", load_cas},
        {"read_list", load_read_list}, {"append", load_append_step}, {"txn", load_txn}};
    uint32_t found = 0;
    for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++) {
        const struct json_at member = json_member(at, functions[i].key);
        if (member.json) {
            functions[i].load(l, &member, w, step);
            found++;
        }
    }
    if (found != 1) {
        load_error(l, at,
                   "a step does one thing: \"read\", \"write\", \"cas\", "
                   "\"read_list\", \"append\" or \"txn\"");
    }
}

static void load_step(struct load *l, const struct json_at *at, const struct sim_workload *w)
{
    struct sim_plan *plan = l->plan;
    struct sim_script_step step = {.client = w->first_client, .server = SIM_NOBODY};
    struct json_at begin;
    if (!load_object(l, at, LOAD_STEP)) {
        return;
    }
    if (load_required(l, at, "at", &begin)) {
        load_quantity(l, &begin, UNITS_DURATION, &step.at_ns);
    }
    const struct json_at by = json_member(at, "by");
    if (by.json && load_node_name(l, &by, &step.client) &&
        step.client - w->first_client >= w->client_count) {
        load_error(l, &by, "not one of these clients: %s to %s", plan->nodes[w->first_client].name,
                   plan->nodes[w->first_client + w->client_count - 1].name);
    }
    const struct json_at to = json_member(at, "to");
    const struct sim_plan_group *group = &plan->groups[w->target_group];
    if (to.json && load_node_name(l, &to, &step.server) &&
        step.server - group->first_node >= group->node_count) {
        load_error(l, &to, "not a node of the group \"%s\", which these clients ask", group->name);
    }
    load_what(l, at, w, &step);
    struct sim_script_step *new_step = load_append(l, at, &plan->script, &plan->script_count,
                                                   SIM_SCRIPT_MAX, sizeof *plan->script);
    if (new_step) {
        *new_step = step;
    }
}

void load_script(struct load *l, const struct json_at *at, uint32_t workload)
{
    if (!load_array(l, at, SIM_SCRIPT_MAX)) {
        return;
    }
    uint32_t index = 0;
    for (const cJSON *json = at->json->child; json && l->plan->group_count > 0; json = json->next) {
        const struct json_at step = json_element(at, json, index++);
        load_step(l, &step, &l->plan->workloads[workload]);
    }
}

/* By insertion, so that steps of one time stay in the order in which they were written, and a
 * script in order costs one look at each. */
void load_script_order(struct load *l)
{
    struct sim_script_step *script = l->plan->script;
    for (uint32_t i = 1; i < l->plan->script_count; i++) {
        const struct sim_script_step step = script[i];
        uint32_t k = i;
        while (k > 0 && script[k - 1].at_ns > step.at_ns) {
            script[k] = script[k - 1];
            k--;
        }
        script[k] = step;
    }
}
