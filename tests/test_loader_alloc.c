/* Scenarios and plans without memory: each allocation fails in turn, and each time there is an
 * error, nothing half-made, and nothing left behind. */
#include <cjson/cJSON.h>
#include <inttypes.h>

#include "nodes/registry.h"
#include "scenarios/format/write.h"
#include "tests/allocations.h"
#include "tests/scenarios.h"

/* Between them every key there is, a matrix of regions, a swarm, and a planted bug. */
static const char *const files[] = {
    "tests/fuzz/every_key.json",
    "scenarios/fallacies/2_latency_is_zero_five_regions.json",
    "scenarios/raft/swarm_linearizable.json",
    "scenarios/bugs/R06_term_before_vote.json",
};
#define FILES (sizeof files / sizeof *files)

/* Called with a loaded scenario, or without one, while one allocation fails: SIM_OK if it did all
 * it should, SIM_ENOMEM if there was no memory for that. */
typedef enum sim_status (*attempt_fn)(const char *file, struct scenario *loaded);

/* cJSON is a shared library: what it allocates is seen only if it is given our functions. */
static void begin(void)
{
    cJSON_Hooks hooks = {.malloc_fn = malloc, .free_fn = free};
    cJSON_InitHooks(&hooks);
}

static void end(void)
{
    cJSON_InitHooks(NULL);
}

TestSuite(loader_alloc, .init = begin, .fini = end, .timeout = 120);

/* The attempt must fail exactly when an allocation did, and leave nothing behind. Each of the first
 * thousand allocations fails, and of the many alike that a table of links takes one in 61. */
static void fail_in_turn(attempt_fn attempt, const char *file, struct scenario *loaded,
                         uint64_t least)
{
    for (uint64_t n = 1;; n += n < 1000 ? 1 : 61) {
        const size_t before = allocations_live();
        allocations_fail_at(n);
        const enum sim_status status = attempt(file, loaded);
        const bool failed = allocations_failed();
        allocations_fail_at(0);
        cr_assert_eq(status, failed ? SIM_ENOMEM : SIM_OK, "%s, allocation %" PRIu64 ": status %d",
                     file, n, (int)status);
        cr_assert_eq(allocations_live(), before, "%s, allocation %" PRIu64 ": %zu blocks before",
                     file, n, before);
        if (!failed) {
            cr_expect_geq(n, least, "%s", file);
            break;
        }
    }
}

static void for_all_files(attempt_fn attempt, uint64_t least)
{
    for (size_t f = 0; f < FILES; f++) {
        struct scenario scenario;
        must_load(&scenario, files[f], NULL, 0);
        fail_in_turn(attempt, files[f], &scenario, least);
        scenario_release(&scenario);
    }
}

static enum sim_status read_file(const char *file, struct scenario *loaded)
{
    static const char *const sets[] = {"duration=5s", "lesson=\"None.\"", "nodes[0].count=5"};
    struct scenario scenario;
    const enum sim_status status = scenario_load(&scenario, file, sets, loaded ? 0 : 3);
    cr_assert(status == SIM_OK || scenario.plan.node_count == 0, "%s is half-loaded", file);
    scenario_release(&scenario);
    return status;
}

Test(loader_alloc, reading_fails_as_a_whole)
{
    for_all_files(read_file, 100);
}

Test(loader_alloc, settings_over_a_file_fail_as_a_whole)
{
    fail_in_turn(read_file, files[2], NULL, 100);
}

/* A bad scenario is bad without memory, too: with fewer words, perhaps, but never good. */
Test(loader_alloc, errors_are_errors)
{
    static const char text[] = "{\"title\": \"t\", \"why\": \"w\", \"duration\": \"5 parsecs\", "
                               "\"nodes\": [{\"kind\": \"rafd\"}], \"check\": \"all\"}";
    bool failed = true;
    for (uint64_t n = 1; failed; n++) {
        struct scenario scenario;
        const size_t before = allocations_live();
        allocations_fail_at(n);
        const enum sim_status status =
            scenario_parse(&scenario, "bad", text, sizeof text - 1, NULL, 0);
        failed = allocations_failed();
        allocations_fail_at(0);
        cr_assert_eq(status, failed ? SIM_ENOMEM : SIM_EINVAL, "allocation %" PRIu64, n);
        cr_assert(failed || scenario.error_count >= 3, "%zu errors", scenario.error_count);
        scenario_release(&scenario);
        cr_assert_eq(allocations_live(), before, "allocation %" PRIu64, n);
    }
}

/* A text that lacks what could not be allocated would be another scenario. */
static enum sim_status write_text(const char *file, struct scenario *loaded)
{
    const struct scenario_words words = {loaded->title, loaded->why, loaded->lesson,
                                         loaded->source};
    const char *problem = NULL;
    char *text = scenario_write(&loaded->plan, &words, loaded->expect, &problem);
    cr_assert(text || problem, "%s: no text and no reason", file);
    free(text);
    return text ? SIM_OK : SIM_ENOMEM;
}

Test(loader_alloc, writing_fails_as_a_whole)
{
    for_all_files(write_text, 100);
}

static enum sim_status copy_plan(const char *file, struct scenario *loaded)
{
    (void)file;
    struct sim_plan copy;
    const enum sim_status status = sim_plan_copy(&copy, &loaded->plan);
    if (status == SIM_OK) {
        sim_plan_release(&copy);
    }
    return status;
}

Test(loader_alloc, copying_a_plan_fails_as_a_whole)
{
    for_all_files(copy_plan, 5);
}

static uint8_t bytes[1 << 20];
static size_t size_bytes;

static enum sim_status read_plan(const char *file, struct scenario *loaded)
{
    (void)file;
    (void)loaded;
    struct sim_plan plan;
    const enum sim_status status = sim_plan_read(&plan, bytes, size_bytes, node_registry_find);
    if (status == SIM_OK) {
        sim_plan_release(&plan);
    }
    return status;
}

Test(loader_alloc, reading_a_plan_fails_as_a_whole)
{
    for (size_t f = 0; f < FILES; f++) {
        struct scenario scenario;
        must_load(&scenario, files[f], NULL, 0);
        size_bytes = sim_plan_write(&scenario.plan, bytes, sizeof bytes);
        cr_assert_leq(size_bytes, sizeof bytes);
        fail_in_turn(read_plan, files[f], &scenario, 5);
        scenario_release(&scenario);
    }
}
