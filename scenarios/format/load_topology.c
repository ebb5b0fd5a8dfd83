/* Zones, the delays and prices between them, and the rules for links. */
#include "scenarios/format/load.h"
#include "scenarios/format/regions.h"

#include <stdio.h>
#include <stdlib.h>

static void copy_name(char to[SIM_NAME_MAX], const char *from)
{
    snprintf(to, SIM_NAME_MAX, "%s", from);
}

static uint32_t add_region(struct load *l, const struct json_at *at, const char *name)
{
    struct sim_plan *plan = l->plan;
    for (uint32_t i = 0; i < plan->region_count; i++) {
        if (strcmp(plan->regions[i], name) == 0) {
            return i;
        }
    }
    char(*region)[SIM_NAME_MAX] = load_append(l, at, &plan->regions, &plan->region_count,
                                              SIM_ZONES_MAX, sizeof *plan->regions);
    if (!region) {
        return 0;
    }
    copy_name(*region, name);
    return plan->region_count - 1;
}

static void add_zone(struct load *l, const struct json_at *at, const char *name, const char *region)
{
    struct sim_plan *plan = l->plan;
    for (uint32_t i = 0; i < plan->zone_count; i++) {
        if (strcmp(plan->zones[i].name, name) == 0) {
            load_error(l, at, "there is a zone \"%s\" already", name);
            return;
        }
    }
    struct sim_plan_zone *zone =
        load_append(l, at, &plan->zones, &plan->zone_count, SIM_ZONES_MAX, sizeof *plan->zones);
    if (zone) {
        copy_name(zone->name, name);
        zone->region = add_region(l, at, region);
    }
}

/* A region that the matrix has. */
static bool is_region(struct load *l, const struct json_at *at, const struct regions *regions,
                      const char *name)
{
    if (regions_find(regions, name) < regions->count) {
        return true;
    }
    struct suggestion suggestion = {.word = name};
    for (uint32_t i = 0; i < regions->count; i++) {
        suggest_consider(&suggestion, regions->names[i]);
    }
    load_unknown(l, at, "region", &suggestion,
                 "the regions of a matrix are the first line of its file in scenarios/data");
    return false;
}

/* "zones": {"a": "us-east-1", "b": "us-east-1"}, each in a region of the matrix. */
static void load_zone_map(struct load *l, const struct json_at *at, const struct regions *regions)
{
    for (const cJSON *json = at->json->child; json; json = json->next) {
        const struct json_at zone = {.json = json, .parent = at, .key = json->string};
        const char *region;
        if (strlen(json->string) == 0 || strlen(json->string) >= SIM_NAME_MAX) {
            load_error_key(l, &zone, "a zone's name has from 1 to %d characters", SIM_NAME_MAX - 1);
        } else if (load_text(l, &zone, &region) && is_region(l, &zone, regions, region)) {
            add_zone(l, &zone, json->string, region);
        }
    }
}

/* "zones": ["a", "b"]: zones of one region, or with a matrix each a region of it. */
static void load_zone_list(struct load *l, const struct json_at *at, const struct regions *regions)
{
    uint32_t index = 0;
    for (const cJSON *json = at->json->child; json; json = json->next) {
        const struct json_at zone = json_element(at, json, index++);
        const char *name;
        if (regions && load_text(l, &zone, &name) && is_region(l, &zone, regions, name)) {
            add_zone(l, &zone, name, name);
        } else if (!regions && load_name(l, &zone, SIM_NAME_MAX - 1, &name)) {
            add_zone(l, &zone, name, "local");
        }
    }
}

/* The matrix that "regions" names; NULL if there is none (an error unless the key is absent). */
static struct regions *load_regions(struct load *l, const struct json_at *topology)
{
    const struct json_at at = json_member(topology, "regions");
    uint32_t matrix = 0;
    if (!at.json || !load_choice(l, &at, "region matrix", regions_matrices, &matrix)) {
        return NULL;
    }
    struct regions *regions = regions_load(regions_matrices[matrix]);
    l->out_of_memory = l->out_of_memory || !regions;
    if (!json_member(topology, "zones").json) {
        load_error(l, &at, "\"regions\" needs \"zones\", which say where in it we are");
    }
    return regions;
}

/* One-way delay and price from zone to zone. */
static void fill_matrix(struct load *l, const struct regions *regions)
{
    struct sim_plan *plan = l->plan;
    const size_t count = plan->zone_count;
    plan->base_ns = calloc(count * count, sizeof *plan->base_ns);
    plan->price_nano_per_gb = calloc(count * count, sizeof *plan->price_nano_per_gb);
    if (!plan->base_ns || !plan->price_nano_per_gb) {
        l->out_of_memory = true;
        return;
    }
    for (size_t i = 0; i < count * count; i++) {
        const uint32_t from = plan->zones[i / count].region;
        const uint32_t to = plan->zones[i % count].region;
        if (i / count == i % count) {
            plan->base_ns[i] = REGION_SAME_ZONE_NS;
        } else if (from == to) {
            plan->base_ns[i] = REGION_CROSS_ZONE_NS;
            plan->price_nano_per_gb[i] = REGION_CROSS_ZONE_PRICE;
        } else if (regions) {
            plan->base_ns[i] = regions->one_way_ns[regions_find(regions, plan->regions[from])]
                                                  [regions_find(regions, plan->regions[to])];
            plan->price_nano_per_gb[i] = REGION_CROSS_REGION_PRICE;
        }
    }
}

static void load_topology_zones(struct load *l, const struct json_at *topology)
{
    struct regions *regions = load_regions(l, topology);
    const struct json_at at = json_member(topology, "zones");
    const bool named_matrix = json_member(topology, "regions").json != NULL;
    if (at.json && named_matrix && !regions) {
        l->groups_are_known = false; /* An error is told already: which zones exist is open. */
    } else if (cJSON_IsArray(at.json) && at.json->child) {
        load_zone_list(l, &at, regions);
    } else if (cJSON_IsObject(at.json) && at.json->child && !regions) {
        load_error(l, &at,
                   "zones in regions need \"regions\", the name of a matrix such as "
                   "\"aws-2025\"; zones of one place are an array of names");
    } else if (cJSON_IsObject(at.json) && at.json->child) {
        load_zone_map(l, &at, regions);
    } else if (at.json) {
        load_expected(l, &at,
                      "zones: an array of names, or an object such as "
                      "{\"a\": \"us-east-1\"}");
    }
    if (l->plan->zone_count == 0) {
        add_zone(l, topology, "local", "local");
    }
    if (!l->out_of_memory) {
        fill_matrix(l, regions);
    }
    free(regions);
}

void load_topology(struct load *l, const struct json_at *root)
{
    const struct json_at at = json_member(root, "topology");
    sim_host_knobs_init(&l->host);
    if (at.json && !load_object(l, &at, LOAD_TOPOLOGY)) {
        l->groups_are_known = false;
    }
    load_topology_zones(l, &at);
    const struct json_at hosts = json_member(&at, "hosts");
    if (hosts.json) {
        load_host_knobs(l, &hosts, &l->host);
    }
}

bool load_zone(struct load *l, const struct json_at *at, uint32_t *zone)
{
    const char *name;
    if (!load_text(l, at, &name)) {
        return false;
    }
    struct suggestion suggestion = {.word = name};
    for (uint32_t i = 0; i < l->plan->zone_count; i++) {
        if (strcmp(l->plan->zones[i].name, name) == 0) {
            *zone = i;
            return true;
        }
        suggest_consider(&suggestion, l->plan->zones[i].name);
    }
    if (l->groups_are_known) {
        load_unknown(l, at, "zone", &suggestion, "zones are in topology.zones");
    }
    return false;
}

void load_zones(struct load *l, const struct json_at *at, struct load_zones *zones)
{
    const struct json_at one = json_member(at, "zone");
    const struct json_at many = json_member(at, "zones");
    *zones = (struct load_zones){.count = 1};
    if (one.json && many.json) {
        load_error(l, &many, "either \"zone\" or \"zones\", not both");
    } else if (one.json) {
        load_zone(l, &one, &zones->zones[0]);
    } else if (many.json && load_array(l, &many, SIM_ZONES_MAX)) {
        uint32_t count = 0;
        for (const cJSON *json = many.json->child; json; json = json->next) {
            const struct json_at element = json_element(&many, json, count);
            load_zone(l, &element, &zones->zones[count++]);
        }
        if (count == 0) {
            load_expected(l, &many, "at least one zone");
        }
        zones->count = count ? count : 1;
    } else if (!many.json && l->plan->zone_count > 1 && l->groups_are_known) {
        load_error(l, at,
                   "\"zone\" (or \"zones\", to be taken in turn) is missing: there are "
                   "%u zones",
                   (unsigned)l->plan->zone_count);
    }
}

static struct sim_link_rule *add_rule(struct load *l, const struct json_at *at)
{
    struct sim_plan *plan = l->plan;
    return load_append(l, at, &plan->links, &plan->link_count, SIM_LINK_RULES_MAX,
                       sizeof *plan->links);
}

static void load_rule(struct load *l, const struct json_at *at)
{
    struct sim_link_rule rule = {.both_ways = true};
    if (!load_object(l, at, LOAD_LINK)) {
        return;
    }
    bool one_way;
    load_ends(l, at, LOAD_STATIC, &rule.from, &rule.to, &one_way);
    rule.both_ways = !one_way;
    load_link_knobs(l, at, &rule.change);
    struct sim_link_rule *new_rule = add_rule(l, at);
    if (new_rule) {
        *new_rule = rule;
    }
}

void load_links(struct load *l, const struct json_at *root)
{
    const struct json_at topology = json_member(root, "topology");
    const struct json_at at = json_member(&topology, "links");
    if (!at.json) {
        return;
    }
    if (cJSON_IsObject(at.json)) {
        /* {"default": knobs}: the same for every link. */
        for (const cJSON *json = at.json->child; json; json = json->next) {
            const struct json_at rule = {.json = json, .parent = &at, .key = json->string};
            if (strcmp(json->string, "default") == 0) {
                load_rule(l, &rule);
            } else {
                load_error_key(l, &rule,
                               "unknown key \"%.60s\"; links are an array of rules, or "
                               "an object with the key default",
                               json->string);
            }
        }
        return;
    }
    if (!load_array(l, &at, SIM_LINK_RULES_MAX)) {
        return;
    }
    uint32_t index = 0;
    for (const cJSON *json = at.json->child; json; json = json->next) {
        const struct json_at rule = json_element(&at, json, index++);
        load_rule(l, &rule);
    }
}
