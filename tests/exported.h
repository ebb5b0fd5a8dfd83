/* A run, its recording, and what is exported of it: shared by the tests of exports. Include
 * after _POSIX_C_SOURCE 200809L. */
#ifndef TESTS_EXPORTED_H
#define TESTS_EXPORTED_H

#include <unistd.h>

#include "reports/export.h"
#include "tests/scenarios.h"

/* Three nodes of which one crashes, and four clients; their "operations" follow. */
#define CLUSTER                                                                                    \
    "{\"title\": \"t\", \"why\": \"w\", \"duration\": \"4s\","                                     \
    "\"nodes\": [{\"kind\": \"raft\", \"name\": \"n\", \"count\": 3}],"                            \
    "\"topology\": {\"links\": {\"default\": {\"latency\": \"1ms..10ms\", \"loss\": "              \
    "\"20000ppm\"}}},"                                                                             \
    "\"faults\": [{\"at\": \"1s\", \"crash\": \"leader\", \"for\": \"500ms\"}],"                   \
    "\"checks\": [\"election_safety\"], \"clients\": [{\"name\": \"c\", \"count\": 4, "            \
    "\"target\": \"n\", \"keys\": 3, \"timeout\": \"100ms\", \"attempts\": 2, "

static char error[RECORDING_ERROR_MAX];
static char file[64];
static struct scenario scenario;
static struct sim_arena *arena;
static struct sim_world *world;
static struct reading *reading;

/* Run it, record it, and open the recording. */
static void record(const char *text, uint64_t seed, enum recording_level level)
{
    (void)snprintf(file, sizeof file, "/tmp/fallacy-export-test-XXXXXX");
    const int descriptor = mkstemp(file);
    cr_assert_geq(descriptor, 0);
    (void)close(descriptor);
    must_parse(&scenario, text);
    arena = sim_arena_new(scenario.plan.memory_bytes);
    cr_assert(arena);
    const struct recording_run run = {.scenario_file = "test.json",
                                      .scenario_text = text,
                                      .seed = seed,
                                      .level = level,
                                      .version = "test"};
    struct recording *recording = recording_create(file, error, sizeof error);
    cr_assert(recording, "%s", error);
    const struct sim_sink *sink = recording_begin_run(recording, &run, &scenario.plan);
    cr_assert(sink);
    cr_assert_eq(sim_world_new(&world, arena, &scenario.plan, seed, sink), SIM_OK);
    cr_assert_eq(sim_world_run(world, SIM_NEVER), SIM_STOP_END);
    cr_assert_eq(recording_finish_run(recording, world, scenario.expect, true, 1), SIM_OK);
    cr_assert_eq(recording_close(recording, error, sizeof error), SIM_OK, "%s", error);
    reading = reading_open(file, error, sizeof error);
    cr_assert(reading, "%s", error);
}

static void forget(void)
{
    reading_close(reading);
    (void)unlink(file);
    scenario_release(&scenario);
    sim_arena_free(arena);
}

/* What is written, to be freed; NULL if nothing can be. */
static char *written(const struct export_request *request)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    cr_assert(out);
    const enum sim_status status = export_write(reading, request, out, error, sizeof error);
    cr_assert_eq(fclose(out), 0);
    if (status != SIM_OK) {
        free(text);
        return NULL;
    }
    return text;
}

#endif
