/* A short run of a Raft group, recorded in a folder of its own: what tests of recordings share.
 * Each program includes it once.
 *
 *     TestSuite(recording, .init = enter, .fini = leave);
 *     ... record_run(RECORDING_TRACE); number("select count(*) from event") ... */
#ifndef TESTS_RECORDED_H
#define TESTS_RECORDED_H

#include "reports/compare.h"
#include "reports/schema.h"
#include "reports/show.h"
#include "scenarios/format/scenario.h"
#include "tests/own_folder.h"

#define SEED UINT64_C(0xfedcba9876543210) /* Negative in SQLite. */

static const char text[] =
    "{\"title\": \"t\", \"why\": \"w\", \"duration\": \"3s\","
    "\"nodes\": [{\"kind\": \"raft\", \"name\": \"n\", \"count\": 3}],"
    "\"topology\": {\"links\": {\"default\": {\"latency\": \"1ms..10ms\", \"loss\": "
    "\"20000ppm\"}}},"
    "\"clients\": [{\"name\": \"c\", \"count\": 4, \"target\": \"n\", \"keys\": 3}],"
    "\"faults\": [{\"at\": \"1s\", \"crash\": \"leader\", \"for\": \"500ms\"}],"
    "\"checks\": [\"election_safety\", \"state_machine_safety\"],"
    "\"expect\": {\"election_safety\": \"holds\"}}";
static const char *const sets[] = {"duration=8s"};

static char file[96];
static char error[RECORDING_ERROR_MAX];
static struct scenario scenario;
static struct sim_arena *arena;
static uint32_t nothing_expected[SIM_CHECK_COUNT];

static inline void enter(void)
{
    make_folder();
    (void)snprintf(file, sizeof file, "%s/run.db", folder);
    if (scenario_parse(&scenario, "it's.json", text, sizeof text - 1, sets, 1) != SIM_OK) {
        scenario_print_errors(&scenario, stderr);
        cr_assert_fail("the scenario of this test is wrong");
    }
    arena = sim_arena_new(scenario.plan.memory_bytes);
    cr_assert(arena);
    memset(nothing_expected, 0xff, sizeof nothing_expected);
}

static inline void leave(void)
{
    remove_folder();
    scenario_release(&scenario);
    sim_arena_free(arena);
}

static inline struct recording_run identity(enum recording_level level)
{
    return (struct recording_run){.scenario_file = scenario.file,
                                  .scenario_text = scenario.text,
                                  .sets = sets,
                                  .set_count = 1,
                                  .seed = SEED,
                                  .level = level,
                                  .version = "test"};
}

static inline struct sim_world *run_world(uint64_t seed, const struct sim_sink *sink)
{
    struct sim_world *world;
    sim_arena_reset(arena);
    cr_assert_eq(sim_world_new(&world, arena, &scenario.plan, seed, sink), SIM_OK);
    cr_assert_eq(sim_world_run(world, SIM_NEVER), SIM_STOP_END);
    return world;
}

/* A run of the scenario, recorded whole. */
static inline struct sim_world *record_run(enum recording_level level)
{
    const struct recording_run run = identity(level);
    struct recording *recording = recording_create(file, error, sizeof error);
    cr_assert(recording, "%s", error);
    const struct sim_sink *sink = recording_begin_run(recording, &run, &scenario.plan);
    cr_assert(sink, "%s", recording_error(recording));
    struct sim_world *world = run_world(SEED, sink);
    cr_assert_eq(recording_finish_run(recording, world, scenario.expect, true, 7), SIM_OK);
    cr_assert_eq(recording_close(recording, error, sizeof error), SIM_OK, "%s", error);
    return world;
}

static inline struct reading *must_open(void)
{
    struct reading *reading = reading_open(file, error, sizeof error);
    cr_assert(reading, "%s", error);
    return reading;
}

static inline int64_t number(const char *sql)
{
    struct reading *reading = must_open();
    const int64_t value = reading_number(reading, sql, -999);
    reading_close(reading);
    return value;
}

/* Change a recording behind its back. */
static inline void tamper(const char *sql)
{
    sqlite3 *db;
    cr_assert_eq(sqlite3_open(file, &db), SQLITE_OK);
    cr_assert_eq(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK, "%s", sqlite3_errmsg(db));
    sqlite3_close(db);
}

static inline void write_file(const char *name, const char *bytes, size_t size_bytes)
{
    FILE *stream = fopen(name, "wb");
    cr_assert(stream);
    cr_assert_eq(fwrite(bytes, 1, size_bytes, stream), size_bytes);
    cr_assert_eq(fclose(stream), 0);
}

static inline size_t files_left(void)
{
    char command[128];
    (void)snprintf(command, sizeof command, "ls -A %s | wc -l", folder);
    FILE *pipe = popen(command, "r");
    size_t count = 0;
    cr_assert_eq(fscanf(pipe, "%zu", &count), 1);
    pclose(pipe);
    return count;
}

#endif
