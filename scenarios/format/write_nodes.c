/* Groups of nodes, written. */
#include "scenarios/format/write_internal.h"

#include <inttypes.h>
#include <stdio.h>

/* ---- Settings ------------------------------------------------------------------------------ */

void write_setting(cJSON *object, const struct sim_setting *setting, struct sim_value value)
{
    switch ((enum sim_setting_type)setting->type) {
    case SIM_SETTING_BOOL:
        write_bool(object, setting->name, value.low != 0);
        break;
    case SIM_SETTING_COUNT:
        write_integer(object, setting->name, value.low);
        break;
    case SIM_SETTING_CHOICE:
        write_text(object, setting->name, setting->choices[value.low]);
        break;
    case SIM_SETTING_SIZE:
        write_quantity(object, setting->name, UNITS_SIZE, (uint64_t)value.low);
        break;
    case SIM_SETTING_DURATION:
    case SIM_SETTING_DURATION_RANGE:
        write_range(object, setting->name, UNITS_DURATION, (uint64_t)value.low,
                    (uint64_t)value.high);
        break;
    }
}

static void write_config(cJSON *object, const struct sim_plan_node *node)
{
    cJSON *config = write_object(object, "config");
    for (uint32_t i = 0; i < node->kind->setting_count; i++) {
        const struct sim_setting *setting = &node->kind->settings[i];
        if (node->settings[i].low != setting->standard.low ||
            node->settings[i].high != setting->standard.high) {
            write_setting(config, setting, node->settings[i]);
        }
    }
    write_drop_empty(object, "config");
}

static void write_bugs(cJSON *object, const struct sim_plan_node *node)
{
    cJSON *bugs = node->bugs ? write_array(object, "bugs") : NULL;
    for (uint32_t i = 0; bugs && i < node->kind->bug_count; i++) {
        if (node->bugs >> i & 1) {
            write_string(bugs, node->kind->bugs[i].name);
        }
    }
}

/* ---- What groups and workloads share ------------------------------------------------------- */

void write_check_members(struct write *w, const char *name, uint32_t first, uint32_t count)
{
    const struct sim_plan_node *nodes = &w->plan->nodes[first];
    for (uint32_t i = 0; i < count; i++) {
        char expected[SIM_NAME_MAX + 16];
        (void)snprintf(expected, sizeof expected, count == 1 ? "%s" : "%s%" PRIu32, name, i + 1);
        if (strcmp(nodes[i].name, expected) != 0) {
            write_fail(w, "nodes that are not numbered from 1");
        }
        if (nodes[i].kind != nodes[0].kind || nodes[i].bugs != nodes[0].bugs ||
            memcmp(nodes[i].settings, nodes[0].settings, sizeof nodes[0].settings) != 0) {
            write_fail(w, "a group whose nodes have different settings");
        }
    }
}

void write_member_zones(const struct write *w, cJSON *object, uint32_t first, uint32_t count)
{
    const struct sim_plan_node *nodes = &w->plan->nodes[first];
    if (w->plan->zone_count == 1) {
        return;
    }
    uint32_t period = 1;
    for (uint32_t i = 0; i < count; i++) {
        if (nodes[i].zone != nodes[i % period].zone) {
            period = i + 1;
        }
    }
    if (period == 1) {
        write_text(object, "zone", w->plan->zones[nodes[0].zone].name);
        return;
    }
    cJSON *zones = write_array(object, "zones");
    for (uint32_t i = 0; i < period; i++) {
        write_string(zones, w->plan->zones[nodes[i].zone].name);
    }
}

static void write_start(struct write *w, cJSON *object, const struct sim_plan_group *group)
{
    const struct sim_plan_node *nodes = &w->plan->nodes[group->first_node];
    uint32_t present = 0;
    while (present < group->node_count && !nodes[present].absent) {
        present++;
    }
    for (uint32_t i = present; i < group->node_count; i++) {
        if (!nodes[i].absent) {
            write_fail(w, "a group of which not the last nodes are absent");
        }
    }
    if (present == 0) {
        write_text(object, "start", "absent");
    } else if (present < group->node_count) {
        write_count(object, "start", present);
    }
}

void write_nodes(struct write *w, cJSON *root)
{
    cJSON *array = write_array(root, "nodes");
    for (uint32_t g = 0; g < w->plan->group_count; g++) {
        const struct sim_plan_group *group = &w->plan->groups[g];
        const struct sim_plan_node *node = &w->plan->nodes[group->first_node];
        cJSON *object = write_element(array);
        write_check_members(w, group->name, group->first_node, group->node_count);
        write_text(object, "kind", node->kind->name);
        write_text(object, "name", group->name);
        if (group->node_count > 1) {
            write_count(object, "count", group->node_count);
        }
        write_member_zones(w, object, group->first_node, group->node_count);
        write_start(w, object, group);
        write_config(object, node);
        write_bugs(object, node);
        write_host(object, &node->host);
    }
}
