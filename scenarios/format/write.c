/* A plan as a scenario: the whole, its places and its checks. */
#include "scenarios/format/write_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "scenarios/format/regions.h"

#define SETTLE_NS (10 * SIM_S) /* What the loader gives checks that need time after healing. */
#define JSON_INTEGER_MAX (UINT64_C(1) << 53)

static const char no_memory[] = "out of memory";

/* ---- Places -------------------------------------------------------------------------------- */

/* Are the delays and prices between the zones those of this matrix (NULL: of one place)? */
static bool is_matrix(const struct sim_plan *plan, const struct regions *regions)
{
    const size_t count = plan->zone_count;
    for (size_t i = 0; i < count * count; i++) {
        const uint32_t from = plan->zones[i / count].region;
        const uint32_t to = plan->zones[i % count].region;
        uint64_t base = REGION_SAME_ZONE_NS;
        uint64_t price = 0;
        if (from != to) {
            const uint32_t f = regions ? regions_find(regions, plan->regions[from]) : 0;
            const uint32_t t = regions ? regions_find(regions, plan->regions[to]) : 0;
            if (!regions || f == regions->count || t == regions->count) {
                return false;
            }
            base = regions->one_way_ns[f][t];
            price = REGION_CROSS_REGION_PRICE;
        } else if (i / count != i % count) {
            base = REGION_CROSS_ZONE_NS;
            price = REGION_CROSS_ZONE_PRICE;
        }
        if (plan->base_ns[i] != base || plan->price_nano_per_gb[i] != price) {
            return false;
        }
    }
    return !regions || regions_find(regions, plan->regions[0]) < regions->count;
}

static const char *matrix_name(struct write *w)
{
    const struct sim_plan *plan = w->plan;
    const char *found = NULL;
    for (size_t i = 0; regions_matrices[i] && !found; i++) {
        struct regions *regions = regions_load(regions_matrices[i]);
        if (!regions) {
            write_fail(w, no_memory);
        }
        found = regions && is_matrix(plan, regions) ? regions_matrices[i] : NULL;
        free(regions);
    }
    return found;
}

static void write_zones(struct write *w, cJSON *topology)
{
    const struct sim_plan *plan = w->plan;
    const bool local = plan->region_count == 1 && strcmp(plan->regions[0], "local") == 0;
    if (local && is_matrix(plan, NULL)) {
        const bool nameless = plan->zone_count == 1 && strcmp(plan->zones[0].name, "local") == 0;
        cJSON *zones = nameless ? NULL : write_array(topology, "zones");
        for (uint32_t i = 0; zones && i < plan->zone_count; i++) {
            write_string(zones, plan->zones[i].name);
        }
        return;
    }
    const char *matrix = local ? NULL : matrix_name(w);
    if (!matrix) {
        write_fail(w, "delays between zones that are in no table");
        return;
    }
    write_text(topology, "regions", matrix);
    cJSON *zones = write_object(topology, "zones");
    for (uint32_t i = 0; i < plan->zone_count; i++) {
        write_text(zones, plan->zones[i].name, plan->regions[plan->zones[i].region]);
    }
}

static void write_topology(struct write *w, cJSON *root)
{
    const struct sim_plan *plan = w->plan;
    cJSON *topology = write_object(root, "topology");
    write_zones(w, topology);
    cJSON *links = plan->link_count ? write_array(topology, "links") : NULL;
    for (uint32_t i = 0; i < plan->link_count; i++) {
        const struct sim_link_rule *rule = &plan->links[i];
        cJSON *object = write_element(links);
        write_ends(w, object, &rule->from, &rule->to, !rule->both_ways);
        write_link_knobs(w, object, &rule->change);
    }
    write_drop_empty(root, "topology");
}

/* ---- Checks -------------------------------------------------------------------------------- */

static void write_enabled(const struct sim_plan *plan, cJSON *root, const uint32_t *expect)
{
    uint64_t expected = 0;
    for (uint32_t i = 0; i < SIM_CHECK_COUNT; i++) {
        expected |= (uint64_t)(expect[i] != SCENARIO_NO_EXPECTATION) << i;
    }
    if (plan->checks == SIM_CHECKS_ALL) {
        write_text(root, "checks", "all");
        return;
    }
    if (plan->checks == (expected ? expected : SIM_CHECKS_ALL & ~SIM_CHECKS_SETTLE)) {
        return; /* What is expected is watched; where nothing is, all that needs no time. */
    }
    cJSON *array = write_array(root, "checks");
    uint64_t named = plan->checks;
    if ((named & SIM_CHECKS_ALL) == SIM_CHECKS_ALL) {
        write_string(array, "all");
        named &= ~SIM_CHECKS_ALL;
    }
    for (uint32_t i = 0; i < SIM_CHECK_COUNT; i++) {
        if (named >> i & 1) {
            write_string(array, sim_check_infos[i].name);
        }
    }
}

static void write_checks(const struct sim_plan *plan, cJSON *root, const uint32_t *expect)
{
    write_enabled(plan, root, expect);
    cJSON *object = NULL;
    for (uint32_t i = 0; i < SIM_CHECK_COUNT; i++) {
        if (expect[i] == SCENARIO_NO_EXPECTATION || !(plan->checks >> i & 1)) {
            continue;
        }
        object = object ? object : write_object(root, "expect");
        write_text(object, sim_check_infos[i].name,
                   expect[i] == SCENARIO_SOMETIMES ? "sometimes" : sim_verdict_name(expect[i]));
    }
}

/* ---- The whole ----------------------------------------------------------------------------- */

static void write_words(cJSON *root, const struct scenario_words *words)
{
    write_text(root, "title", words->title);
    write_text(root, "why", words->why);
    if (words->lesson) {
        write_text(root, "lesson", words->lesson);
    }
    if (words->source) {
        write_text(root, "source", words->source);
    }
}

static void write_sizes(const struct sim_plan *plan, cJSON *root)
{
    struct sim_plan standard;
    sim_plan_init(&standard);
    write_quantity(root, "duration", UNITS_DURATION, plan->duration_ns);
    if (plan->seed <= JSON_INTEGER_MAX) {
        write_count(root, "seed", plan->seed);
    } else {
        char digits[24];
        (void)snprintf(digits, sizeof digits, "%" PRIu64, plan->seed);
        write_text(root, "seed", digits);
    }
    if (plan->settle_ns != (plan->checks & SIM_CHECKS_SETTLE ? SETTLE_NS : 0)) {
        write_quantity(root, "settle", UNITS_DURATION, plan->settle_ns);
    }
    if (plan->shuffle_ties) {
        write_text(root, "ties", "shuffled");
    }
    if (plan->max_events > 0) {
        write_count(root, "max_events", plan->max_events);
    }
    if (plan->memory_bytes != standard.memory_bytes) {
        write_quantity(root, "memory", UNITS_SIZE, plan->memory_bytes);
    }
}

char *scenario_write(const struct sim_plan *plan, const struct scenario_words *words,
                     const uint32_t *expect, const char **problem)
{
    struct write w = {.plan = plan};
    while (w.server_count < plan->node_count && plan->nodes[w.server_count].kind) {
        w.server_count++;
    }
    cJSON *root = cJSON_CreateObject();
    write_words(root, words);
    write_sizes(plan, root);
    write_topology(&w, root);
    write_nodes(&w, root);
    write_clients(&w, root);
    write_faults(&w, root);
    write_swarm(&w, root);
    write_fates(&w, root);
    write_checks(plan, root, expect);
    char *text = w.problem ? NULL : write_print(root);
    cJSON_Delete(root);
    *problem = w.problem ? w.problem : no_memory;
    return text;
}
