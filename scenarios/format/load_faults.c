/* Faults: when, how long, how often. What they do is in load_action.c. */
#include "scenarios/format/load.h"

#include <stdio.h>

void load_administrators(struct load *l, const struct json_at *root)
{
    struct sim_plan *plan = l->plan;
    const struct json_at at = json_member(root, "administrators");
    if (!at.json || !load_array(l, &at, SIM_ADMINISTRATORS_MAX)) {
        return;
    }
    uint32_t index = 0;
    for (const cJSON *json = at.json->child; json; json = json->next) {
        const struct json_at element = json_element(&at, json, index++);
        const char *name;
        if (!load_name(l, &element, SIM_NAME_MAX - 1, &name)) {
            continue;
        }
        bool taken = false;
        for (uint32_t i = 0; i < plan->administrator_count; i++) {
            taken = taken || strcmp(plan->administrators[i], name) == 0;
        }
        if (taken) {
            load_error(l, &element, "there is an administrator \"%s\" already", name);
            continue;
        }
        char(*new_name)[SIM_NAME_MAX] =
            load_append(l, &element, &plan->administrators, &plan->administrator_count,
                        SIM_ADMINISTRATORS_MAX, sizeof *plan->administrators);
        if (new_name) {
            snprintf(*new_name, sizeof *new_name, "%s", name);
        }
    }
}

/* ---- Conditions -------------------------------------------------------------------------- */

/* A fact's value: a number, or the name of one ("leader"). */
static bool load_fact_value(struct load *l, const struct json_at *at, const struct sim_fact *fact,
                            int64_t *wanted)
{
    if (cJSON_IsString(at->json) && fact->values) {
        uint32_t value = 0;
        if (!load_choice(l, at, fact->name, fact->values, &value)) {
            return false;
        }
        *wanted = value;
        return true;
    }
    if (!json_is_integer(at->json, wanted)) {
        load_expected(l, at,
                      fact->values ? "a value of the fact by name or number" : "a whole number");
        return false;
    }
    return true;
}

static void load_condition(struct load *l, const struct json_at *at, struct sim_condition *when)
{
    struct json_at fact;
    const struct json_at is = json_member(at, "is");
    const struct json_at at_least = json_member(at, "at_least");
    const struct sim_node_kind *kind = NULL;
    if (!load_object(l, at, LOAD_CONDITION)) {
        return;
    }
    when->present = true;
    when->nodes = (struct sim_selection){.count = 1, .selectors = {{SIM_SELECT_ALL, 0}}};
    if (!load_key_selection(l, at, "nodes", LOAD_SERVERS, false, &when->nodes) ||
        !load_required(l, at, "fact", &fact) ||
        !load_feature(l, &fact, &when->nodes, LOAD_FACT, &kind, &when->fact)) {
        return;
    }
    if (!is.json == !at_least.json) {
        load_error(l, at, "one of \"is\" and \"at_least\"");
        return;
    }
    when->at_least = at_least.json != NULL;
    load_fact_value(l, is.json ? &is : &at_least, &kind->facts[when->fact], &when->wanted);
}

/* ---- Times ------------------------------------------------------------------------------- */

static void load_begin(struct load *l, const struct json_at *at, struct sim_fault *fault)
{
    const struct json_at begin = json_member(at, "at");
    const struct json_at when = json_member(at, "when");
    if (when.json) {
        load_condition(l, &when, &fault->when);
    }
    if (!begin.json) {
        if (!when.json) {
            load_error(l, at, "\"at\" (a time) or \"when\" (a condition) is missing");
        }
        return;
    }
    if (load_quantity(l, &begin, UNITS_DURATION, &fault->at_ns) && l->plan->duration_ns != 0 &&
        fault->at_ns >= l->plan->duration_ns) {
        load_error(l, &begin, "after the end: the duration is %s",
                   units_format(l->plan->duration_ns, UNITS_DURATION).text);
    }
}

/* A duration that must not be 0. */
static void load_positive(struct load *l, const struct json_at *at, const char *key,
                          uint64_t *value)
{
    const struct json_at member = json_member(at, key);
    if (member.json && load_quantity(l, &member, UNITS_DURATION, value) && *value == 0) {
        load_error(l, &member, "must be more than 0s");
    }
}

static void load_repeats(struct load *l, const struct json_at *at, struct sim_fault *fault)
{
    const struct json_at times = json_member(at, "times");
    const struct json_at every = json_member(at, "every");
    const struct json_at length = json_member(at, "for");
    uint64_t count = 0;
    load_positive(l, at, "for", &fault->for_ns);
    load_positive(l, at, "every", &fault->every_ns);
    if (times.json && load_count(l, &times, 1, UINT32_MAX, &count) && !every.json) {
        load_error_key(l, &times, "\"times\" needs \"every\"");
    }
    fault->times = (uint32_t)count;
    if (fault->every_ns != 0 && fault->for_ns >= fault->every_ns) {
        load_error(l, &length, "as long as \"every\" or longer: the fault would never be over");
    }
}

/* The one key of a fault that says what it does. */
static bool find_action(struct load *l, const struct json_at *at, const char **action)
{
    uint32_t found = 0;
    for (const char *const *key = load_actions; *key; key++) {
        if (json_member(at, *key).json) {
            *action = *key;
            found++;
        }
    }
    if (found == 0) {
        load_error(l, at,
                   "what happens is missing: one of crash, restart, pause, slow, partition, "
                   "isolate, link, adversary, disk, wipe, clock, join, leave, move, "
                   "readdress, admin, firewall, command, heal");
    } else if (found > 1) {
        load_error(l, at, "a fault does one thing; write several faults");
    }
    return found == 1;
}

static void load_fault(struct load *l, const struct json_at *at)
{
    struct sim_plan *plan = l->plan;
    struct sim_fault fault = {.administrator = SIM_NOBODY};
    const char *action;
    if (!load_object(l, at, LOAD_FAULT)) {
        return;
    }
    load_begin(l, at, &fault);
    load_repeats(l, at, &fault);
    if (!find_action(l, at, &action) || !load_action(l, at, action, &fault)) {
        return;
    }
    const struct json_at length = json_member(at, "for");
    if (length.json && !sim_fault_can_end(fault.kind)) {
        load_error_key(l, &length, "\"for\" has no meaning here: %s cannot be undone", action);
    }
    struct sim_fault *new_fault =
        load_append(l, at, &plan->faults, &plan->fault_count, SIM_FAULTS_MAX, sizeof *plan->faults);
    if (new_fault) {
        *new_fault = fault;
    }
}

void load_faults(struct load *l, const struct json_at *root)
{
    const struct json_at at = json_member(root, "faults");
    if (!at.json || !load_array(l, &at, SIM_FAULTS_MAX)) {
        return;
    }
    uint32_t index = 0;
    for (const cJSON *json = at.json->child; json; json = json->next) {
        const struct json_at fault = json_element(&at, json, index++);
        load_fault(l, &fault);
    }
}
