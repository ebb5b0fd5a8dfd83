/* Groups of nodes, their settings and planted bugs. */
#include "nodes/registry.h"
#include "scenarios/format/load.h"

#include <inttypes.h>
#include <stdio.h>

/* ---- Settings ---------------------------------------------------------------------------- */

static enum units_class setting_class(const struct sim_setting *setting)
{
    return setting->type == SIM_SETTING_SIZE    ? UNITS_SIZE
           : setting->type == SIM_SETTING_COUNT ? UNITS_COUNT
                                                : UNITS_DURATION;
}

static bool check_limits(struct load *l, const struct json_at *at,
                         const struct sim_setting *setting, struct sim_value value)
{
    if (value.low >= setting->minimum && value.high <= setting->maximum) {
        return true;
    }
    const enum units_class class = setting_class(setting);
    load_error(
        l, at, "%s is from %s to %s, this is %s", setting->name,
        units_format((uint64_t)setting->minimum, class).text,
        units_format((uint64_t)setting->maximum, class).text,
        units_format((uint64_t)(value.high > setting->maximum ? value.high : value.low), class)
            .text);
    return false;
}

/* A count, a duration, a size or a range of durations. */
static bool load_measure(struct load *l, const struct json_at *at,
                         const struct sim_setting *setting, struct sim_value *value)
{
    uint64_t low = 0;
    uint64_t high = 0;
    if (setting->type == SIM_SETTING_DURATION_RANGE && cJSON_IsString(at->json)) {
        char problem[UNITS_PROBLEM_MAX];
        const char *text = at->json->valuestring;
        if (units_parse_range(text, UNITS_DURATION, &low, &high, problem)) {
            load_error(l, at, "\"%.40s\": %s", text, problem);
            return false;
        }
    } else if (setting->type == SIM_SETTING_COUNT && cJSON_IsNumber(at->json) &&
               setting->minimum < 0) {
        /* A few settings of real systems use -1 for "no limit". */
        int64_t number = 0;
        if (!json_is_integer(at->json, &number)) {
            load_expected(l, at, "a whole number");
            return false;
        }
        *value = (struct sim_value){number, number};
        if (number >= setting->minimum && number <= setting->maximum) {
            return true;
        }
        load_error(l, at, "%s is from %" PRId64 " to %" PRId64 ", this is %" PRId64, setting->name,
                   setting->minimum, setting->maximum, number);
        return false;
    } else if (setting->type == SIM_SETTING_DURATION_RANGE) {
        load_expected(l, at, "a duration or a range such as \"150ms..300ms\"");
        return false;
    } else {
        if (!load_quantity(l, at, setting_class(setting), &low)) {
            return false;
        }
        high = low;
    }
    *value = (struct sim_value){(int64_t)low, (int64_t)high};
    return check_limits(l, at, setting, *value);
}

bool load_setting(struct load *l, const struct json_at *at, const struct sim_setting *setting,
                  struct sim_value *value)
{
    struct sim_value loaded = {0, 0};
    if (setting->type == SIM_SETTING_BOOL) {
        bool flag = false;
        if (!load_bool(l, at, &flag)) {
            return false;
        }
        loaded = (struct sim_value){flag, flag};
    } else if (setting->type == SIM_SETTING_CHOICE) {
        uint32_t choice = 0;
        char what[80];
        snprintf(what, sizeof what, "%.60s", setting->name);
        if (!load_choice(l, at, what, setting->choices, &choice)) {
            return false;
        }
        loaded = (struct sim_value){choice, choice};
    } else if (!load_measure(l, at, setting, &loaded)) {
        return false;
    }
    *value = loaded;
    return true;
}

bool load_setting_name(struct load *l, const struct json_at *at, const struct sim_node_kind *kind,
                       uint32_t *setting)
{
    struct suggestion suggestion = {.word = at->key};
    for (uint32_t i = 0; i < kind->setting_count; i++) {
        if (strcmp(kind->settings[i].name, at->key) == 0) {
            *setting = i;
            return true;
        }
        suggest_consider(&suggestion, kind->settings[i].name);
    }
    if (suggestion.nearest) {
        load_error_key(l, at,
                       "%s has no setting \"%.60s\"; did you mean \"%s\"? See `fallacy list "
                       "nodes %s`",
                       kind->name, at->key, suggestion.nearest, kind->name);
    } else {
        load_error_key(l, at, "%s has no setting \"%.60s\"; see `fallacy list nodes %s`",
                       kind->name, at->key, kind->name);
    }
    return false;
}

static void load_config(struct load *l, const struct json_at *at, const struct sim_node_kind *kind,
                        struct sim_value *settings)
{
    if (!cJSON_IsObject(at->json)) {
        load_expected(l, at, "an object of settings");
        return;
    }
    for (const cJSON *json = at->json->child; json; json = json->next) {
        const struct json_at member = {.json = json, .parent = at, .key = json->string};
        uint32_t setting = 0;
        if (load_setting_name(l, &member, kind, &setting)) {
            load_setting(l, &member, &kind->settings[setting], &settings[setting]);
        }
    }
}

static void load_bugs(struct load *l, const struct json_at *at, const struct sim_node_kind *kind,
                      uint64_t *bugs)
{
    if (!load_array(l, at, 64)) {
        return;
    }
    uint32_t index = 0;
    for (const cJSON *json = at->json->child; json; json = json->next) {
        const struct json_at element = json_element(at, json, index++);
        const char *name;
        if (!load_text(l, &element, &name)) {
            continue;
        }
        struct suggestion suggestion = {.word = name};
        uint32_t bug = 0;
        while (bug < kind->bug_count && strcmp(kind->bugs[bug].name, name) != 0) {
            suggest_consider(&suggestion, kind->bugs[bug++].name);
        }
        if (bug < kind->bug_count) {
            *bugs |= UINT64_C(1) << bug;
        } else {
            load_unknown(l, &element, "planted bug", &suggestion, "see `fallacy list bugs`");
        }
    }
}

/* ---- Names ------------------------------------------------------------------------------- */

static void member_name(char *name, size_t size_bytes, const char *group, uint64_t number,
                        uint64_t count)
{
    if (count == 1) {
        snprintf(name, size_bytes, "%s", group);
    } else {
        snprintf(name, size_bytes, "%s%" PRIu64, group, number);
    }
}

static bool is_taken(const struct sim_plan *plan, const char *name)
{
    for (uint32_t i = 0; i < plan->node_count; i++) {
        if (strcmp(plan->nodes[i].name, name) == 0) {
            return true;
        }
    }
    for (uint32_t i = 0; i < plan->group_count; i++) {
        if (strcmp(plan->groups[i].name, name) == 0) {
            return true;
        }
    }
    for (uint32_t i = 0; i < plan->workload_count; i++) {
        if (strcmp(plan->workloads[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

bool load_new_name(struct load *l, const struct json_at *at, uint64_t count, const char **name)
{
    const size_t digits = count > 1 ? 4 : 0; /* SIM_NODES_MAX has four. */
    const char *text;
    if (!load_name(l, at, SIM_NAME_MAX - 1 - digits, &text)) {
        return false;
    }
    if (load_is_reserved(text)) {
        load_error(l, at, "\"%s\" is a selector, so nobody can have this name", text);
        return false;
    }
    char member[SIM_NAME_MAX + 24];
    for (uint64_t i = 0; i <= count; i++) {
        member_name(member, sizeof member, text, i, i == 0 ? 1 : count);
        if (is_taken(l->plan, member)) {
            load_error(l, at, "the name \"%s\" is taken already", member);
            return false;
        }
    }
    *name = text;
    return true;
}

bool load_add_node(struct load *l, const struct json_at *at, const char *name, uint64_t number,
                   uint64_t count, const struct sim_plan_node *node)
{
    struct sim_plan *plan = l->plan;
    struct sim_plan_node *new_node =
        load_append(l, at, &plan->nodes, &plan->node_count, SIM_NODES_MAX, sizeof *plan->nodes);
    if (!new_node) {
        return false;
    }
    *new_node = *node;
    char text[SIM_NAME_MAX + 24];
    member_name(text, sizeof text, name, number, count);
    assert(strlen(text) < SIM_NAME_MAX); /* load_new_name() left room for the number. */
    memcpy(new_node->name, text, strlen(text) + 1);
    return true;
}

/* ---- Groups ------------------------------------------------------------------------------ */

static bool load_kind(struct load *l, const struct json_at *group,
                      const struct sim_node_kind **kind)
{
    struct json_at at;
    const char *name;
    if (!load_required(l, group, "kind", &at) || !load_text(l, &at, &name)) {
        return false;
    }
    *kind = node_registry_find(name);
    if (*kind) {
        return true;
    }
    struct suggestion suggestion = {.word = name};
    size_t count;
    const struct sim_node_kind *const *kinds = node_registry_kinds(&count);
    for (size_t i = 0; i < count; i++) {
        suggest_consider(&suggestion, kinds[i]->name);
    }
    load_unknown(l, &at, "node kind", &suggestion, "see `fallacy list nodes`");
    return false;
}

/* What every member of the group has, but for its name and zone. */
static void load_template(struct load *l, const struct json_at *at, struct sim_plan_node *node)
{
    node->host = l->host;
    for (uint32_t i = 0; node->kind && i < node->kind->setting_count; i++) {
        node->settings[i] = node->kind->settings[i].standard;
    }
    const struct json_at config = json_member(at, "config");
    if (config.json && node->kind) {
        load_config(l, &config, node->kind, node->settings);
    }
    const struct json_at bugs = json_member(at, "bugs");
    if (bugs.json && node->kind) {
        load_bugs(l, &bugs, node->kind, &node->bugs);
    }
    const struct json_at host = json_member(at, "host");
    if (host.json) {
        load_host_knobs(l, &host, &node->host);
    }
}

/* How many of the group, from the first on, are there in the beginning. */
static bool load_start(struct load *l, const struct json_at *at, uint64_t *present)
{
    static const char *const starts[] = {"present", "absent", NULL};
    const struct json_at start = json_member(at, "start");
    uint32_t absent = 0;
    if (cJSON_IsNumber(start.json)) {
        return load_count(l, &start, 0, *present, present);
    }
    if (start.json && !load_choice(l, &start, "start", starts, &absent)) {
        return false;
    }
    *present = absent ? 0 : *present;
    return true;
}

/* False if the group's names could not be made, so that others cannot be checked against them. */
static bool load_node_group(struct load *l, const struct json_at *at)
{
    struct sim_plan *plan = l->plan;
    struct sim_plan_node node = {.group = plan->group_count};
    struct json_at name_at;
    const char *name;
    uint64_t count = 1;
    if (!load_object(l, at, LOAD_NODES)) {
        return false;
    }
    const bool counted = load_key_count(l, at, "count", 1, SIM_NODES_MAX, &count);
    load_kind(l, at, &node.kind); /* If it is unknown, the names are good all the same. */
    load_template(l, at, &node);
    struct load_zones zones;
    load_zones(l, at, &zones);
    if (!load_required(l, at, "name", &name_at) || !load_new_name(l, &name_at, count, &name) ||
        !counted) {
        return false;
    }
    uint64_t present = count;
    load_start(l, at, &present);
    const uint32_t first = plan->node_count;
    for (uint64_t i = 0; i < count; i++) {
        node.zone = zones.zones[i % zones.count];
        node.absent = i >= present;
        if (!load_add_node(l, at, name, i + 1, count, &node)) {
            return false;
        }
    }
    struct sim_plan_group *group =
        load_append(l, at, &plan->groups, &plan->group_count, SIM_NODES_MAX, sizeof *plan->groups);
    if (!group) {
        return false;
    }
    snprintf(group->name, sizeof group->name, "%s", name);
    group->first_node = first;
    group->node_count = (uint32_t)count;
    return true;
}

void load_nodes(struct load *l, const struct json_at *root)
{
    struct json_at at;
    if (!load_required(l, root, "nodes", &at) || !load_array(l, &at, SIM_NODES_MAX)) {
        l->groups_are_known = false;
        return;
    }
    if (!at.json->child) {
        load_expected(l, &at, "at least one group of nodes");
    }
    uint32_t index = 0;
    for (const cJSON *json = at.json->child; json; json = json->next) {
        const struct json_at group = json_element(&at, json, index++);
        l->groups_are_known = load_node_group(l, &group) && l->groups_are_known;
    }
    l->server_count = l->plan->node_count;
}

bool load_group(struct load *l, const struct json_at *at, uint32_t *group)
{
    const char *name;
    if (!load_text(l, at, &name)) {
        return false;
    }
    struct suggestion suggestion = {.word = name};
    for (uint32_t i = 0; i < l->plan->group_count; i++) {
        if (strcmp(l->plan->groups[i].name, name) == 0) {
            *group = i;
            return true;
        }
        suggest_consider(&suggestion, l->plan->groups[i].name);
    }
    if (l->groups_are_known) {
        load_unknown(l, at, "group of nodes", &suggestion, "groups are the names in \"nodes\"");
    }
    return false;
}
