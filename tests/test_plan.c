/* Plans: their neutral form, what no world could run on, and how knobs overlay each other. */
#include <inttypes.h>

#include "nodes/registry.h"
#include "sim/rng.h"
#include "tests/scenarios.h"

/* A plan with something in every one of its arrays. */
static void load_full(struct scenario *s)
{
    must_load(s, "tests/fuzz/every_key.json", NULL, 0);
}

/* Written, read and written again, a plan is the same bytes. */
Test(plan, survives_being_written_and_read)
{
    struct scenario s;
    load_full(&s);
    size_t first_size;
    size_t second_size;
    uint8_t *first = plan_bytes(&s.plan, &first_size);
    struct sim_plan copy;
    cr_assert_eq(sim_plan_read(&copy, first, first_size, node_registry_find), SIM_OK);
    uint8_t *second = plan_bytes(&copy, &second_size);
    cr_assert_eq(second_size, first_size);
    cr_expect_eq(memcmp(first, second, first_size), 0);

    cr_expect_eq(copy.duration_ns, s.plan.duration_ns);
    cr_expect_eq(copy.nodes[0].kind, s.plan.nodes[0].kind);
    cr_expect_eq(copy.nodes[0].host.clock.offset_ns, -5 * (int64_t)SIM_MS);
    cr_expect_eq(copy.nodes[0].host.clock.drift_ppb, -20000);
    cr_expect_eq(copy.faults[13].amount, s.plan.faults[13].amount);
    cr_expect_eq(copy.base_ns[2], s.plan.base_ns[2]);
    cr_expect_str_eq(copy.nodes[1].name, "n2");
    cr_expect_eq(copy.fates[1].delay_ns, 40 * SIM_MS);
    sim_plan_release(&copy);
    scenario_release(&s);
    free(first);
    free(second);
}

/* The first bytes name the form and its version, whatever machine wrote them. */
Test(plan, begins_with_its_name_and_version)
{
    struct scenario s;
    load_full(&s);
    size_t size;
    uint8_t *bytes = plan_bytes(&s.plan, &size);
    cr_expect_eq(memcmp(bytes, "FALPLAN\4", 8), 0);
    cr_expect_eq(sim_get64(bytes + 8), 20 * SIM_S, "then the duration");
    bytes[7] = 2;
    struct sim_plan plan;
    cr_expect_eq(sim_plan_read(&plan, bytes, size, node_registry_find), SIM_EINVAL,
                 "another version is not guessed at");
    scenario_release(&s);
    free(bytes);
}

/* A buffer too small is filled no further than it reaches. */
Test(plan, writes_no_further_than_the_buffer)
{
    struct scenario s;
    load_full(&s);
    size_t size;
    uint8_t *whole = plan_bytes(&s.plan, &size);
    uint8_t *part = malloc(size);
    cr_assert_not_null(part);
    for (size_t capacity = 0; capacity < size; capacity += 97) {
        memset(part, 0xa5, size);
        cr_expect_eq(sim_plan_write(&s.plan, part, capacity), size);
        for (size_t i = capacity; i < size; i++) {
            cr_assert_eq(part[i], 0xa5, "capacity %zu, byte %zu", capacity, i);
        }
    }
    free(whole);
    free(part);
    scenario_release(&s);
}

/* Whatever is missing at the end, or too much there, is no plan. The bytes are in a block of
 * their own, so that a sanitizer sees a read beyond them. */
Test(plan, refuses_every_truncation)
{
    struct scenario s;
    load_full(&s);
    size_t size;
    uint8_t *bytes = plan_bytes(&s.plan, &size);
    struct sim_plan plan;
    for (size_t length = 0; length < size; length++) {
        uint8_t *cut = malloc(length ? length : 1);
        cr_assert_not_null(cut);
        memcpy(cut, bytes, length);
        cr_expect_eq(sim_plan_read(&plan, cut, length, node_registry_find), SIM_EINVAL,
                     "%zu bytes of %zu", length, size);
        cr_expect_null(plan.nodes, "nothing is left behind");
        free(cut);
    }
    cr_expect_eq(sim_plan_read(&plan, NULL, 0, node_registry_find), SIM_EINVAL);
    uint8_t *more = calloc(1, size + 1);
    cr_assert_not_null(more);
    memcpy(more, bytes, size);
    cr_expect_eq(sim_plan_read(&plan, more, size + 1, node_registry_find), SIM_EINVAL);
    free(more);
    free(bytes);
    scenario_release(&s);
}

/* Changed bytes are refused or give another plan without a problem, and never crash. */
Test(plan, survives_changed_bytes)
{
    struct scenario s;
    load_full(&s);
    size_t size;
    uint8_t *bytes = plan_bytes(&s.plan, &size);
    uint8_t *changed = malloc(size);
    cr_assert_not_null(changed);
    uint32_t read = 0;
    for (uint64_t seed = 1; seed <= 5000; seed++) {
        struct sim_rng rng;
        sim_rng_seed(&rng, seed, 0);
        memcpy(changed, bytes, size);
        const uint32_t flips = 1 + sim_rng_bounded(&rng, 4);
        for (uint32_t i = 0; i < flips; i++) {
            const uint32_t at = sim_rng_bounded(&rng, (uint32_t)size);
            changed[at] = (uint8_t)sim_rng_u32(&rng);
        }
        struct sim_plan plan;
        const enum sim_status status = sim_plan_read(&plan, changed, size, node_registry_find);
        if (status == SIM_OK) {
            read++;
            cr_expect_null(sim_plan_problem(&plan), "seed %" PRIu64, seed);
        } else {
            cr_expect_eq(status, SIM_EINVAL, "seed %" PRIu64, seed);
        }
        sim_plan_release(&plan);
    }
    cr_expect(read > 0 && read < 5000, "%u of 5000 were read: both ways must be met", read);
    free(changed);
    free(bytes);
    scenario_release(&s);
}

static const struct sim_node_kind *find_nothing(const char *name)
{
    (void)name;
    return NULL;
}

/* A node kind that this build lacks is an error of the reader, not a crash of the world. */
Test(plan, refuses_a_node_kind_it_does_not_know)
{
    struct scenario s;
    load_full(&s);
    size_t size;
    uint8_t *bytes = plan_bytes(&s.plan, &size);
    struct sim_plan plan;
    cr_expect_eq(sim_plan_read(&plan, bytes, size, find_nothing), SIM_EINVAL);
    free(bytes);
    scenario_release(&s);
}

/* What no world could run on has a problem, and each kind of it is found. */
Test(plan, finds_what_no_world_could_run_on)
{
    struct scenario s;
    load_full(&s);
    struct sim_plan *p = &s.plan;
    cr_assert_null(sim_plan_problem(p));
#define BREAKS(place, value)                                                                       \
    do {                                                                                           \
        const __typeof__(place) was = (place);                                                     \
        (place) = (value);                                                                         \
        cr_expect_not_null(sim_plan_problem(p), "%s = %s", #place, #value);                        \
        (place) = was;                                                                             \
        cr_assert_null(sim_plan_problem(p), "%s", #place);                                         \
    } while (0)
    BREAKS(p->duration_ns, 0);
    BREAKS(p->duration_ns, SIM_NEVER);
    BREAKS(p->memory_bytes, 1000);
    BREAKS(p->checks, UINT64_C(1) << SIM_CHECK_COUNT);
    BREAKS(p->node_count, 0);
    BREAKS(p->zone_count, 0);
    BREAKS(p->zones[0].region, 2);
    BREAKS(p->zones[0].name[0], '\0');
    BREAKS(p->base_ns[1], SIM_NEVER);
    BREAKS(p->nodes[0].zone, 3);
    BREAKS(p->nodes[0].group, 1);
    BREAKS(p->nodes[0].kind, NULL);
    BREAKS(p->nodes[0].bugs, UINT64_C(1) << 63);
    BREAKS(p->nodes[0].settings[0].low, -1);
    BREAKS(p->nodes[0].host.cpu.speed_ppm, 0);
    BREAKS(p->nodes[0].host.clock.drift_ppb, 500000001);
    BREAKS(p->nodes[0].host.disk.lie_ppm, 1000001);
    BREAKS(p->nodes[0].host.disk.sync_latency.kind, 99);
    BREAKS(p->groups[0].node_count, 2);
    BREAKS(p->groups[1].first_node, 0);
    BREAKS(p->workloads[0].client_count, 1);
    BREAKS(p->workloads[0].client_count, UINT32_MAX);
    BREAKS(p->workloads[0].first_client, 0);
    BREAKS(p->workloads[0].target_group, 2);
    BREAKS(p->workloads[0].key_count, 0);
    BREAKS(p->workloads[0].attempts, 0);
    BREAKS(p->links[1].from.selectors[0].kind, SIM_SELECT_LEADER);
    BREAKS(p->links[1].from.selectors[0].index, 64);
    BREAKS(p->links[1].from.count, SIM_SELECTORS_MAX + 1);
    BREAKS(p->links[0].change.fields, UINT32_MAX);
    BREAKS(p->links[0].change.knobs.loss_ppm, 1000001);
    BREAKS(p->faults[0].kind, SIM_FAULT_KIND_COUNT);
    BREAKS(p->faults[0].at_ns, SIM_NEVER);
    BREAKS(p->faults[0].administrator, 2);
    BREAKS(p->faults[1].targets.selectors[0].index, p->node_count);
    BREAKS(p->swarm[0].family, SIM_SWARM_FAMILY_COUNT);
    BREAKS(p->swarm[0].group, 2);
    BREAKS(p->swarm[0].interval, (struct sim_dist){0});
    BREAKS(p->fates[0].ordinal, 0);
    BREAKS(p->fates[0].to, 0);
    BREAKS(p->fates[0].to, p->node_count);
    BREAKS(p->script[0].client, 0);
    BREAKS(p->script[0].function, SIM_FUNCTION_COUNT);
    BREAKS(p->script[0].key, 10);
    BREAKS(p->script[0].server, p->groups[1].first_node);
    BREAKS(p->script[0].at_ns, 5 * SIM_S);
    scenario_release(&s);
}

/* A change overlays what it names and nothing else, field by field. */
Test(plan, overlays_field_by_field)
{
    for (uint32_t field = 0; field < SIM_LINK_FIELD_COUNT; field++) {
        struct sim_link_knobs knobs;
        struct sim_link_change change = {.fields = UINT32_C(1) << field};
        memset(&knobs, 0, sizeof knobs);
        memset(&change.knobs, 0x5a, sizeof change.knobs);
        sim_link_knobs_apply(&knobs, &change);
        size_t bytes = 0;
        for (size_t i = 0; i < sizeof knobs; i++) {
            bytes += ((const uint8_t *)&knobs)[i] == 0x5a;
        }
        cr_expect(bytes > 0 && bytes <= sizeof(struct sim_dist) + 8, "link field %u: %zu bytes",
                  field, bytes);
        change.fields = 0;
        memset(&change.knobs, 0, sizeof change.knobs);
        struct sim_link_knobs before;
        memcpy(&before, &knobs, sizeof knobs);
        sim_link_knobs_apply(&knobs, &change);
        cr_expect_eq(memcmp(&before, &knobs, sizeof knobs), 0, "no field, no change");
    }
    for (uint32_t field = 0; field < SIM_DISK_FIELD_COUNT; field++) {
        struct sim_disk_knobs knobs;
        struct sim_disk_change change = {.fields = UINT32_C(1) << field};
        memset(&knobs, 0, sizeof knobs);
        memset(&change.knobs, 0x01, sizeof change.knobs);
        sim_disk_knobs_apply(&knobs, &change);
        size_t bytes = 0;
        for (size_t i = 0; i < sizeof knobs; i++) {
            bytes += ((const uint8_t *)&knobs)[i] == 0x01;
        }
        cr_expect(bytes > 0 && bytes <= sizeof(struct sim_dist), "disk field %u: %zu bytes", field,
                  bytes);
    }
}

static void expect_names(const char *(*name)(uint32_t), uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t k = 0; k < i; k++) {
            cr_expect_str_neq(name(i), name(k));
        }
    }
    cr_expect_str_eq(name(count), "unknown");
}

/* Every kind and every family has a name of its own. */
Test(plan, names_every_kind)
{
    expect_names(sim_fault_kind_name, SIM_FAULT_KIND_COUNT);
    expect_names(sim_swarm_family_name, SIM_SWARM_FAMILY_COUNT);
}
