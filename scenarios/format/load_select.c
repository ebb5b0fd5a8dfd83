/* Selectors: whom a fault, a link rule or a condition concerns. */
#include "scenarios/format/load.h"

#include <inttypes.h>
#include <stdio.h>

static const struct {
    const char *word;
    uint32_t kind;
} words[] = {
    {"all", SIM_SELECT_ALL},           {"leader", SIM_SELECT_LEADER},
    {"follower", SIM_SELECT_FOLLOWER}, {"followers", SIM_SELECT_FOLLOWERS},
    {"any", SIM_SELECT_ANY},           {"clients", SIM_SELECT_CLIENTS},
    {"minority", SIM_SELECT_MINORITY},
};
#define WORD_COUNT (sizeof words / sizeof words[0])

bool load_is_reserved(const char *word)
{
    for (size_t i = 0; i < WORD_COUNT; i++) {
        if (strcmp(words[i].word, word) == 0) {
            return true;
        }
    }
    return false;
}

static bool add(struct load *l, const struct json_at *at, struct sim_selection *selection,
                uint32_t kind, uint32_t index)
{
    if (selection->count == SIM_SELECTORS_MAX) {
        load_error(l, at, "too many: a selection holds at most %d names; use a group or a zone",
                   SIM_SELECTORS_MAX);
        return false;
    }
    selection->selectors[selection->count++] = (struct sim_selector){kind, index};
    return true;
}

void load_select_everybody(struct sim_selection *selection)
{
    *selection = (struct sim_selection){
        .count = 2, .selectors = {{SIM_SELECT_ALL, 0}, {SIM_SELECT_CLIENTS, 0}}};
}

static uint32_t find_zone(const struct sim_plan *plan, const char *name)
{
    uint32_t i = 0;
    while (i < plan->zone_count && strcmp(plan->zones[i].name, name) != 0) {
        i++;
    }
    return i;
}

static uint32_t find_region(const struct sim_plan *plan, const char *name)
{
    uint32_t i = 0;
    while (i < plan->region_count && strcmp(plan->regions[i], name) != 0) {
        i++;
    }
    return i;
}

/* "zone:a", "region:eu-west-1". */
static bool select_place(struct load *l, const struct json_at *at, const char *word,
                         struct sim_selection *selection)
{
    const struct sim_plan *plan = l->plan;
    const bool is_zone = strncmp(word, "zone:", 5) == 0;
    const char *name = strchr(word, ':') + 1;
    const uint32_t count = is_zone ? plan->zone_count : plan->region_count;
    const uint32_t index = is_zone ? find_zone(plan, name) : find_region(plan, name);
    if (index < count) {
        return add(l, at, selection, is_zone ? SIM_SELECT_ZONE : SIM_SELECT_REGION, index);
    }
    struct suggestion suggestion = {.word = name};
    for (uint32_t i = 0; i < count; i++) {
        suggest_consider(&suggestion, is_zone ? plan->zones[i].name : plan->regions[i]);
    }
    load_unknown(l, at, is_zone ? "zone" : "region", &suggestion,
                 is_zone ? "zones are in topology.zones" : "regions are those of topology.zones");
    return false;
}

static bool select_group(struct load *l, const struct json_at *at, const char *word,
                         struct sim_selection *selection, bool *found)
{
    const struct sim_plan *plan = l->plan;
    *found = true;
    for (uint32_t i = 0; i < plan->group_count; i++) {
        const struct sim_plan_group *group = &plan->groups[i];
        if (strcmp(group->name, word) == 0) {
            return group->node_count == 1
                       ? add(l, at, selection, SIM_SELECT_NODE, group->first_node)
                       : add(l, at, selection, SIM_SELECT_GROUP, i);
        }
    }
    for (uint32_t i = 0; i < plan->workload_count; i++) {
        const struct sim_workload *w = &plan->workloads[i];
        for (uint32_t k = 0; strcmp(w->name, word) == 0; k++) {
            if (k == w->client_count) {
                return true;
            }
            if (!add(l, at, selection, SIM_SELECT_NODE, w->first_client + k)) {
                return false;
            }
        }
    }
    *found = false;
    return false;
}

static void unknown_name(struct load *l, const struct json_at *at, const char *word,
                         bool selectors_too)
{
    const struct sim_plan *plan = l->plan;
    if (!l->groups_are_known) {
        return; /* It may be among those that could not be loaded, for errors already told. */
    }
    struct suggestion suggestion = {.word = word};
    for (uint32_t i = 0; i < plan->node_count; i++) {
        suggest_consider(&suggestion, plan->nodes[i].name);
    }
    for (uint32_t i = 0; selectors_too && i < plan->group_count; i++) {
        suggest_consider(&suggestion, plan->groups[i].name);
    }
    for (size_t i = 0; selectors_too && i < WORD_COUNT; i++) {
        suggest_consider(&suggestion, words[i].word);
    }
    load_unknown(l, at, selectors_too ? "node, group or selector" : "node", &suggestion,
                 selectors_too ? "selectors: leader, follower, followers, any, all, minority, "
                                 "clients, zone:NAME, region:NAME"
                               : "name one node, such as \"n1\"");
}

static uint32_t find_node(const struct sim_plan *plan, const char *name)
{
    uint32_t i = 0;
    while (i < plan->node_count && strcmp(plan->nodes[i].name, name) != 0) {
        i++;
    }
    return i;
}

static bool is_client(const struct load *l, const struct sim_selector *selector)
{
    return selector->kind == SIM_SELECT_CLIENTS ||
           (selector->kind == SIM_SELECT_NODE && selector->index >= l->server_count);
}

static bool select_name(struct load *l, const struct json_at *at, const char *word,
                        struct sim_selection *selection)
{
    for (size_t i = 0; i < WORD_COUNT; i++) {
        if (strcmp(words[i].word, word) == 0) {
            return add(l, at, selection, words[i].kind, 0);
        }
    }
    if (strncmp(word, "zone:", 5) == 0 || strncmp(word, "region:", 7) == 0) {
        return select_place(l, at, word, selection);
    }
    bool found;
    if (select_group(l, at, word, selection, &found)) {
        return true;
    }
    if (found) {
        return false;
    }
    const uint32_t node = find_node(l->plan, word);
    if (node < l->plan->node_count) {
        return add(l, at, selection, SIM_SELECT_NODE, node);
    }
    unknown_name(l, at, word, true);
    return false;
}

static bool select_one(struct load *l, const struct json_at *at, unsigned flags,
                       struct sim_selection *selection)
{
    if (!cJSON_IsString(at->json)) {
        load_expected(l, at, "a name, a selector such as \"leader\", or an array of them");
        return false;
    }
    const char *word = at->json->valuestring;
    const uint32_t before = selection->count;
    if (!select_name(l, at, word, selection)) {
        return false;
    }
    const struct sim_selector *first = &selection->selectors[before];
    if ((flags & LOAD_STATIC) && sim_selector_moves(first->kind)) {
        load_error(l, at,
                   "\"%s\" is known only while the scenario runs; name nodes, groups, "
                   "zones or regions here",
                   word);
        return false;
    }
    if ((flags & LOAD_SERVERS) && is_client(l, first)) {
        load_error(l, at, "\"%.60s\" is a client; only nodes can be named here", word);
        return false;
    }
    return true;
}

bool load_selection(struct load *l, const struct json_at *at, unsigned flags,
                    struct sim_selection *selection)
{
    *selection = (struct sim_selection){0};
    if (!cJSON_IsArray(at->json)) {
        return select_one(l, at, flags, selection);
    }
    if (!at->json->child) {
        load_expected(l, at, "at least one name or selector");
        return false;
    }
    bool good = true;
    uint32_t index = 0;
    for (const cJSON *json = at->json->child; json; json = json->next) {
        const struct json_at element = json_element(at, json, index++);
        good = select_one(l, &element, flags, selection) && good;
    }
    return good;
}

bool load_key_selection(struct load *l, const struct json_at *object, const char *key,
                        unsigned flags, bool required, struct sim_selection *selection)
{
    const struct json_at at = json_member(object, key);
    if (!at.json) {
        if (required) {
            load_error(l, object, "\"%s\" is missing", key);
        }
        return !required;
    }
    return load_selection(l, &at, flags, selection);
}

bool load_node_name(struct load *l, const struct json_at *at, uint32_t *node)
{
    const char *name;
    if (!load_text(l, at, &name)) {
        return false;
    }
    const uint32_t found = find_node(l->plan, name);
    if (found == l->plan->node_count) {
        unknown_name(l, at, name, false);
        return false;
    }
    *node = found;
    return true;
}

static bool selector_may_hold(const struct load *l, const struct sim_selector *s, uint32_t node)
{
    const struct sim_plan_node *n = &l->plan->nodes[node];
    const bool server = node < l->server_count;
    switch (s->kind) {
    case SIM_SELECT_NODE:
        return s->index == node;
    case SIM_SELECT_GROUP:
        return server && n->group == s->index;
    case SIM_SELECT_ZONE:
        return n->zone == s->index;
    case SIM_SELECT_REGION:
        return l->plan->zones[n->zone].region == s->index;
    case SIM_SELECT_CLIENTS:
        return !server;
    default:
        return server;
    }
}

bool load_may_hold(const struct load *l, const struct sim_selection *selection, uint32_t node)
{
    for (uint32_t i = 0; i < selection->count; i++) {
        if (selector_may_hold(l, &selection->selectors[i], node)) {
            return true;
        }
    }
    return false;
}
