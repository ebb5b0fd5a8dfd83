/* The recording: what is written is what happened, whatever happens to the program, the disk or
 * the file; and it can be read, shown and compared. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "reports/compare.h"
#include "reports/schema.h"
#include "reports/show.h"
#include "scenarios/format/scenario.h"
#include "sim/rng.h"

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

static char folder[64];
static char file[96];
static char error[RECORDING_ERROR_MAX];
static struct scenario scenario;
static struct sim_arena *arena;
static uint32_t nothing_expected[SIM_CHECK_COUNT];

static void enter(void)
{
    (void)snprintf(folder, sizeof folder, "/tmp/fallacy-recording-XXXXXX");
    cr_assert(mkdtemp(folder));
    (void)snprintf(file, sizeof file, "%s/run.db", folder);
    if (scenario_parse(&scenario, "it's.json", text, sizeof text - 1, sets, 1) != SIM_OK) {
        scenario_print_errors(&scenario, stderr);
        cr_assert_fail("the scenario of this test is wrong");
    }
    arena = sim_arena_new(scenario.plan.memory_bytes);
    cr_assert(arena);
    memset(nothing_expected, 0xff, sizeof nothing_expected);
}

static void leave(void)
{
    char command[128];
    (void)snprintf(command, sizeof command, "rm -rf %s", folder);
    cr_expect_eq(system(command), 0);
    scenario_release(&scenario);
    sim_arena_free(arena);
}

TestSuite(recording, .init = enter, .fini = leave);

static struct recording_run identity(enum recording_level level)
{
    return (struct recording_run){.scenario_file = scenario.file,
                                  .scenario_text = scenario.text,
                                  .sets = sets,
                                  .set_count = 1,
                                  .seed = SEED,
                                  .level = level,
                                  .version = "test"};
}

static struct sim_world *run_world(uint64_t seed, const struct sim_sink *sink)
{
    struct sim_world *world;
    sim_arena_reset(arena);
    cr_assert_eq(sim_world_new(&world, arena, &scenario.plan, seed, sink), SIM_OK);
    cr_assert_eq(sim_world_run(world, SIM_NEVER), SIM_STOP_END);
    return world;
}

/* A run of the scenario, recorded whole. */
static struct sim_world *record_run(enum recording_level level)
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

static struct reading *must_open(void)
{
    struct reading *reading = reading_open(file, error, sizeof error);
    cr_assert(reading, "%s", error);
    return reading;
}

static int64_t number(const char *sql)
{
    struct reading *reading = must_open();
    const int64_t value = reading_number(reading, sql, -999);
    reading_close(reading);
    return value;
}

/* Change a recording behind its back. */
static void tamper(const char *sql)
{
    sqlite3 *db;
    cr_assert_eq(sqlite3_open(file, &db), SQLITE_OK);
    cr_assert_eq(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK, "%s", sqlite3_errmsg(db));
    sqlite3_close(db);
}

static void write_file(const char *name, const char *bytes, size_t size_bytes)
{
    FILE *stream = fopen(name, "wb");
    cr_assert(stream);
    cr_assert_eq(fwrite(bytes, 1, size_bytes, stream), size_bytes);
    cr_assert_eq(fclose(stream), 0);
}

static size_t files_left(void)
{
    char command[128];
    (void)snprintf(command, sizeof command, "ls -A %s | wc -l", folder);
    FILE *pipe = popen(command, "r");
    size_t count = 0;
    cr_assert_eq(fscanf(pipe, "%zu", &count), 1);
    pclose(pipe);
    return count;
}

/* ---- What is written ------------------------------------------------------------------------- */

/* A finished recording of each level says which run it was and what came of it, and is one file. */
Test(recording, says_which_run_it_was)
{
    for (int level = RECORDING_OUTCOME; level <= RECORDING_TRACE; level++) {
        const struct sim_world *world = record_run((enum recording_level)level);
        struct reading *reading = must_open();
        const struct reading_run *run = reading_run(reading, error, sizeof error);
        cr_assert(run, "%s", error);
        size_t count;
        const uint64_t *checkpoints = sim_world_checkpoints(world, &count);
        cr_expect(reading_finished(reading) && run->finished && run->met);
        cr_expect_eq((int)reading_level(reading), level);
        cr_expect_eq(run->seed, SEED);
        cr_expect_str_eq(run->run.scenario_text, text);
        cr_expect_str_eq(run->run.scenario_file, "it's.json");
        cr_expect_eq(run->run.set_count, 1);
        cr_expect_str_eq(run->run.sets[0], sets[0]);
        cr_expect_eq(run->hash, sim_world_hash(world));
        cr_expect_eq(run->events, sim_world_events(world));
        cr_expect_eq(run->simulated_ns, sim_world_now_ns(world));
        cr_expect_eq(run->wall_ns, 7);
        cr_expect(count > 0 && run->checkpoint_count == count);
        cr_expect_eq(memcmp(run->checkpoints, checkpoints, count * sizeof *checkpoints), 0);
        reading_close(reading);
        cr_expect_eq(files_left(), 1, "level %d leaves something beside the file", level);
    }
}

/* At level trace every event is a row, numbered as in the run, with names in the views. */
Test(recording, keeps_every_event_of_a_trace)
{
    const struct sim_world *world = record_run(RECORDING_TRACE);
    struct sim_metrics m;
    sim_world_metrics(world, &m);
    cr_expect_eq(number("select count(*) from event"), (int64_t)sim_world_events(world));
    cr_expect_eq(number("select max(sequence) from event"), (int64_t)sim_world_events(world));
    cr_expect_eq(number("select count(*) from events where kind is null or "
                        "(kind in ('send', 'deliver', 'drop') and detail is null)"),
                 0);
    cr_expect_eq(number("select count(*) from events where kind = 'send'"),
                 number("select count(distinct sequence) from messages"));
    cr_expect_eq(number("select count(*) from messages where fate = 'delivered'"),
                 number("select count(*) from events where kind = 'deliver'"));
    cr_expect_gt(number("select count(*) from leadership where term > 0"), 1);
    cr_expect_eq(number("select value from metrics where metric = 'messages_sent'"),
                 (int64_t)m.messages_sent);
    cr_expect_eq(number("select count(*) from events where kind = 'fault' and detail = 'crash'"),
                 2);
}

/* From level history on, operations are those that the clients saw; and what is rare is kept. */
Test(recording, keeps_the_history)
{
    for (int level = RECORDING_HISTORY; level <= RECORDING_TRACE; level++) {
        const struct sim_world *world = record_run((enum recording_level)level);
        size_t count;
        const struct sim_history_row *rows = sim_world_history(world, &count);
        int64_t ok = 0;
        for (size_t i = 0; i < count; i++) {
            ok += rows[i].outcome == SIM_OUTCOME_OK;
        }
        cr_expect_gt(ok, 10);
        cr_expect_eq(number("select count(*) from operation"), (int64_t)count);
        cr_expect_eq(number("select count(*) from operations where outcome = 'ok'"), ok);
        cr_expect_eq(number("select sum(operations) from latency"), ok);
        cr_expect_eq(number("select invoke_ns from operation where operation = 5"),
                     (int64_t)rows[4].invoke_ns);
        cr_expect_gt(number("select count(*) from facts where fact = 'role'"), 1);
        cr_expect_eq(number("select count(*) from faults where kind = 'crash' and "
                            "from_ns = 1000000000 and until_ns = 1500000000"),
                     1);
        cr_expect_eq(number("select count(*) from timeline where what is null"), 0);
    }
    cr_expect_eq(number("select count(*) from verdicts where \"check\" = 'election_safety' and "
                        "verdict = 'holds' and expected = 'holds' and met"),
                 1);
}

/* What transactions did and read is there part by part, and lists as SQLite can take them apart. */
Test(recording, keeps_the_parts_of_transactions)
{
    struct sim_workload *w = &scenario.plan.workloads[0];
    w->weight[SIM_READ_LIST] = 1;
    w->weight[SIM_APPEND] = 1;
    w->weight[SIM_TXN] = 2;
    for (uint32_t i = 0; i < SIM_TXN_FUNCTION_COUNT; i++) {
        w->txn_weight[i] = 1;
    }
    size_t count;
    const struct sim_history_row *rows = sim_world_history(record_run(RECORDING_HISTORY), &count);
    int64_t parts = 0;
    int64_t elements = 0;
    int64_t lists = 0;
    for (size_t i = 0; i < count; i++) {
        const uint32_t function = rows[i].operation.function;
        struct sim_part part;
        for (uint32_t k = 0; sim_operation_part(&rows[i].operation, k, &part); k++) {
            uint32_t words;
            const bool read = sim_history_read(&rows[i], k, &words) != NULL;
            const bool list = part.function == SIM_READ_LIST;
            parts += function == SIM_TXN || function == SIM_READ_LIST;
            lists += read && list;
            elements += list ? words : 0;
        }
    }
    cr_expect(lists > 100 && elements > lists);
    cr_expect_eq(number("select count(*) from part"), parts);
    cr_expect_eq(number("select count(list) from part"), lists);
    cr_expect_eq(number("select count(*) from part p, json_each(p.list)"), elements);
    cr_expect_eq(number("select count(*) from operations where (parts is null) = (function in "
                        "('txn', 'read_list'))"),
                 0);
    cr_expect_eq(number("select count(*) from operation where (key is null) <> (function_id = 5)"),
                 0);
}

/* Recording does not change the run. */
Test(recording, does_not_change_the_run)
{
    const uint64_t hash = sim_world_hash(run_world(SEED, NULL));
    for (int level = RECORDING_OUTCOME; level <= RECORDING_TRACE; level++) {
        cr_expect_eq(sim_world_hash(record_run((enum recording_level)level)), hash);
    }
}

/* The image that an outcome is built from has the schema's own tables and views. */
Test(recording, builds_outcomes_from_the_same_schema)
{
    char sql[256];
    (void)record_run(RECORDING_TRACE);
    char trace[sizeof file + 8];
    (void)snprintf(trace, sizeof trace, "%s.trace", file);
    cr_assert_eq(rename(file, trace), 0);
    (void)record_run(RECORDING_OUTCOME);
    (void)snprintf(sql, sizeof sql,
                   "attach '%s' as trace; create temp table same as "
                   "select sql from main.sqlite_schema where sql is not null intersect "
                   "select sql from trace.sqlite_schema",
                   trace);
    sqlite3 *db;
    cr_assert_eq(sqlite3_open(file, &db), SQLITE_OK);
    cr_assert_eq(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK, "%s", sqlite3_errmsg(db));
    sqlite3_stmt *s;
    cr_assert_eq(sqlite3_prepare_v2(db,
                                    "select (select count(*) from same), (select count(*) from "
                                    "sqlite_schema where sql is not null)",
                                    -1, &s, NULL),
                 SQLITE_OK);
    cr_assert_eq(sqlite3_step(s), SQLITE_ROW);
    cr_expect_eq(sqlite3_column_int(s, 0), 11, "seven tables and four views");
    cr_expect_eq(sqlite3_column_int(s, 1), 11);
    sqlite3_finalize(s);
    sqlite3_close(db);
}

/* ---- Names that are taken -------------------------------------------------------------------- */

/* A file of somebody else's is neither replaced nor changed; nor is anything but a file. */
Test(recording, refuses_what_is_not_its_own)
{
    static const char *const theirs[] = {"my thesis", "SQLite format 3"};
    for (size_t i = 0; i < 2; i++) {
        write_file(file, theirs[i], strlen(theirs[i]) + 1);
        cr_expect_null(recording_create(file, error, sizeof error));
        cr_expect(strstr(error, "is not a recording"), "%s", error);
        char kept[64] = "";
        FILE *stream = fopen(file, "rb");
        cr_expect_eq(fread(kept, 1, sizeof kept, stream), strlen(theirs[i]) + 1);
        (void)fclose(stream);
        cr_expect_str_eq(kept, theirs[i]);
    }
    cr_assert_eq(unlink(file), 0);
    cr_assert_eq(mkfifo(file, 0600), 0);
    cr_expect_null(recording_create(file, error, sizeof error));
    cr_expect_null(recording_create(folder, error, sizeof error));
    cr_expect(strstr(error, "not a regular file"), "%s", error);
}

/* A file called FILE.partial that is somebody else's is not written over either. */
Test(recording, refuses_a_partial_file_that_is_not_its_own)
{
    char partial[sizeof file + 8];
    (void)snprintf(partial, sizeof partial, "%s.partial", file);
    write_file(partial, "mine", 5);
    const struct recording_run run = identity(RECORDING_OUTCOME);
    struct recording *recording = recording_create(file, error, sizeof error);
    cr_assert(recording);
    cr_expect_null(recording_begin_run(recording, &run, &scenario.plan));
    cr_expect(strstr(recording_error(recording), "is not a recording"));
    recording_discard(recording);
    cr_expect_eq(files_left(), 1);
}

/* An empty file and an older recording are replaced, whatever the two levels. */
Test(recording, replaces_its_own)
{
    write_file(file, "", 0);
    for (int i = 0; i < 9; i++) {
        (void)record_run((enum recording_level)(i / 3));
        const struct sim_world *world = record_run((enum recording_level)(i % 3));
        cr_expect_eq(number("select event_count from run"), (int64_t)sim_world_events(world));
        cr_expect_eq(number("select count(*) from run"), 1);
    }
}

/* Nothing is created before the run begins, or left when it turns out to be impossible. */
Test(recording, leaves_nothing_of_a_run_that_was_not)
{
    for (int level = RECORDING_OUTCOME; level <= RECORDING_TRACE; level++) {
        const struct recording_run run = identity((enum recording_level)level);
        struct recording *recording = recording_create(file, error, sizeof error);
        cr_assert(recording);
        cr_expect_eq(files_left(), 0);
        cr_assert(recording_begin_run(recording, &run, &scenario.plan));
        recording_discard(recording);
        cr_expect_eq(files_left(), 0, "level %d", level);
    }
    (void)snprintf(file, sizeof file, "%s/no/such/folder.db", folder);
    struct recording *recording = recording_create(file, error, sizeof error);
    const struct recording_run run = identity(RECORDING_OUTCOME);
    cr_assert(recording);
    cr_expect_null(recording_begin_run(recording, &run, &scenario.plan));
    cr_expect(strstr(recording_error(recording), "No such file"), "%s", recording_error(recording));
    recording_discard(recording);
}

/* ---- Killed, and out of space ---------------------------------------------------------------- */

/* Made-up events without end, for tests that stop the writer from outside. */
static enum sim_status write_events(enum recording_level level, uint64_t count)
{
    const struct recording_run run = identity(level);
    struct recording *recording = recording_create(file, error, sizeof error);
    const struct sim_sink *sink =
        recording ? recording_begin_run(recording, &run, &scenario.plan) : NULL;
    if (!sink) {
        (void)snprintf(error, sizeof error, "%s",
                       recording ? recording_error(recording) : "not created");
        recording_discard(recording);
        return SIM_EIO;
    }
    for (uint64_t i = 1; i <= count; i++) {
        const struct sim_record r = {.sequence = i,
                                     .time_ns = i * 1000,
                                     .kind = (uint16_t)(level == RECORDING_TRACE ? i % 20 : 15),
                                     .node = 1,
                                     .peer = SIM_NOBODY,
                                     .b = i * i};
        if (sink->kinds >> r.kind & 1) {
            sink->record(sink->context, &r);
        }
    }
    return recording_close(recording, error, sizeof error);
}

/* What a kill has left, if it has left anything: whole up to some event, and unfinished. */
static void expect_readable(int round)
{
    struct reading *reading = reading_open(file, error, sizeof error);
    if (!reading) {
        struct stat about;
        cr_assert(stat(file, &about) != 0 || about.st_size == 0, "round %d: %s", round, error);
        return;
    }
    cr_expect(!reading_finished(reading));
    const struct reading_run *run = reading_run(reading, error, sizeof error);
    cr_assert(run && !run->finished, "round %d: %s", round, error);
    cr_expect_eq(run->seed, SEED);
    cr_expect_str_eq(run->run.scenario_text, text);
    sqlite3_stmt *s = reading_query(reading, "pragma integrity_check", error, sizeof error);
    cr_assert(s, "%s", error);
    cr_assert_eq(sqlite3_step(s), SQLITE_ROW);
    cr_expect_str_eq((const char *)sqlite3_column_text(s, 0), "ok", "round %d", round);
    sqlite3_finalize(s);
    if (reading_level(reading) != RECORDING_OUTCOME) {
        cr_expect_eq(
            reading_number(reading, "select count(*) - coalesce(max(sequence), 0) from event", 1),
            0, "round %d: a gap", round);
        cr_expect_eq(
            reading_number(reading, "select count(*) from event where b <> sequence * sequence", 1),
            0, "round %d: a wrong row", round);
    }
    reading_close(reading);
}

static void wait_until_it_holds(off_t size_bytes)
{
    struct stat about = {.st_size = 0};
    for (int i = 0; i < 20000 && about.st_size < size_bytes; i++) {
        (void)usleep(1000);
        (void)!stat(file, &about);
    }
}

/* A writer killed at any moment leaves a recording that can be read and says it is unfinished. */
Test(recording, survives_a_kill, .timeout = 60)
{
    struct sim_rng rng;
    sim_rng_seed(&rng, 20, 1);
    for (int round = 0; round < 90; round++) {
        const enum recording_level level = (enum recording_level)(round % 3);
        const unsigned wait_us = (unsigned)sim_rng_between(&rng, 0, level ? 100000 : 3000);
        (void)unlink(file);
        const pid_t child = fork();
        cr_assert_geq(child, 0);
        if (child == 0) {
            for (;;) { /* At level outcome: again and again, to meet every moment. */
                (void)write_events(level, level == RECORDING_OUTCOME ? 0 : UINT64_MAX);
            }
        }
        if (round < 3 && level != RECORDING_OUTCOME) { /* Once after a commit, however slow. */
            wait_until_it_holds(level == RECORDING_TRACE ? 6000000 : 300000);
        }
        (void)usleep(wait_us);
        (void)kill(child, SIGKILL);
        (void)waitpid(child, NULL, 0);
        expect_readable(round);
        if (round < 3 && level != RECORDING_OUTCOME) {
            cr_expect_gt(number("select count(*) from event"), 0, "level %d", (int)level);
        }
    }
}

/* A recording closed without its run's end can be read too. */
Test(recording, says_when_it_is_unfinished)
{
    for (int level = RECORDING_OUTCOME; level <= RECORDING_TRACE; level++) {
        cr_assert_eq(write_events((enum recording_level)level, 5000), SIM_OK, "%s", error);
        expect_readable(level);
    }
    cr_expect_eq(number("select count(*) from event"), 5000);
}

/* On a full disk the writer says so, and leaves nothing. (A limit on the size of files stands
 * for it: the write fails in the same place.) */
Test(recording, leaves_nothing_on_a_full_disk)
{
    (void)signal(SIGXFSZ, SIG_IGN);
    for (int level = RECORDING_OUTCOME; level <= RECORDING_TRACE; level++) {
        static const rlim_t limits[] = {1000, 30000, 200000, 2000000};
        for (size_t i = 0; i < 4; i++) {
            const struct rlimit limit = {limits[i], RLIM_INFINITY};
            const struct rlimit none = {RLIM_INFINITY, RLIM_INFINITY};
            const uint64_t events = level == RECORDING_OUTCOME ? 0 : 200000;
            cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
            const enum sim_status status = write_events((enum recording_level)level, events);
            cr_assert_eq(setrlimit(RLIMIT_FSIZE, &none), 0);
            if (level == RECORDING_OUTCOME && limits[i] > 100000) {
                cr_expect_eq(status, SIM_OK, "%s", error);
                (void)unlink(file);
                continue;
            }
            cr_expect_eq(status, SIM_EIO, "level %d, %lu bytes", level, (unsigned long)limits[i]);
            cr_expect(strstr(error, "cannot write"), "%s", error);
            cr_expect_eq(files_left(), 0, "level %d, %lu bytes", level, (unsigned long)limits[i]);
        }
    }
}

/* ---- Files that cannot be read --------------------------------------------------------------- */

static void expect_refused(const char *words)
{
    struct reading *reading = reading_open(file, error, sizeof error);
    cr_expect_null(reading);
    reading_close(reading);
    cr_expect(strstr(error, words), "expected '%s': %s", words, error);
}

/* What is missing, foreign, damaged, older or newer is refused with a sentence that says so. */
Test(recording, is_refused_when_it_cannot_be_understood)
{
    static const char thesis[] = "My thesis: all of it, in a single file. It is longer than the "
                                 "header of an SQLite file, which is a hundred bytes.";
    expect_refused("No such file");
    write_file(file, "", 0);
    expect_refused("is not a recording");
    write_file(file, thesis, sizeof thesis);
    expect_refused("is not a recording");
    cr_assert_eq(unlink(file), 0);
    tamper("create table theirs (x); pragma application_id = 77");
    expect_refused("another program");
    cr_assert_eq(unlink(file), 0);
    (void)record_run(RECORDING_HISTORY);
    tamper("pragma user_version = 999");
    expect_refused("a newer version");
    tamper("pragma user_version = 0");
    expect_refused("an older version");
    tamper("pragma user_version = 2; delete from recording");
    expect_refused("damaged");
    (void)snprintf(file, sizeof file, "%s", folder);
    expect_refused("Is a directory");
}

/* A recording with bytes changed anywhere is read, or refused, but never crashes its reader. */
Test(recording, may_be_damaged_anywhere)
{
    (void)record_run(RECORDING_HISTORY);
    static char whole[1 << 20];
    FILE *stream = fopen(file, "rb");
    const size_t size = fread(whole, 1, sizeof whole, stream);
    (void)fclose(stream);
    struct sim_rng rng;
    sim_rng_seed(&rng, 7, 1);
    size_t refused = 0;
    FILE *out = fopen("/dev/null", "w");
    for (int i = 0; i < 100; i++) {
        static char damaged[sizeof whole];
        memcpy(damaged, whole, size);
        const size_t at = (size_t)sim_rng_between(&rng, 0, i % 2 ? size - 1 : 8191);
        for (size_t k = at; k < at + 200 && k < size; k++) {
            damaged[k] = (char)sim_rng_u32(&rng);
        }
        write_file(file, damaged, i % 5 ? size : at);
        struct reading *reading = reading_open(file, error, sizeof error);
        refused += !reading;
        for (size_t t = 0; reading && show_topics[t]; t++) {
            (void)!show(reading, show_topics[t], out, false, error, sizeof error);
        }
        reading_close(reading);
    }
    (void)fclose(out);
    cr_expect_gt(refused, 10);
}

/* ---- Compared -------------------------------------------------------------------------------- */

static char difference[2048];
static uint64_t first;
static uint64_t last;

static bool compare_again(uint64_t seed)
{
    struct reading *reading = must_open();
    struct compare *compare = compare_new(reading, error, sizeof error);
    cr_assert(compare, "%s", error);
    const struct sim_world *world = run_world(seed, compare_sink(compare));
    size_t count;
    const uint64_t *checkpoints = sim_world_checkpoints(world, &count);
    const bool same = compare_finish(compare, sim_world_hash(world), sim_world_events(world),
                                     checkpoints, count, &scenario.plan);
    (void)snprintf(difference, sizeof difference, "%s", compare_difference(compare));
    compare_where(compare, &first, &last);
    compare_free(compare);
    reading_close(reading);
    return same;
}

/* The same run is the same at every level, and another seed's is not. */
Test(recording, recognises_its_run)
{
    for (int level = RECORDING_OUTCOME; level <= RECORDING_TRACE; level++) {
        (void)record_run((enum recording_level)level);
        cr_expect(compare_again(SEED), "level %d: %s", level, difference);
        cr_expect_str_eq(difference, "");
        cr_expect(!compare_again(SEED + 1), "level %d", level);
    }
}

/* With event rows the first event that differs is named, whatever differs in it. */
Test(recording, names_the_first_different_event)
{
    static const char *const columns[] = {"time_ns", "kind",       "node", "peer",
                                          "detail",  "size_bytes", "a",    "b"};
    char sql[256];
    for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++) {
        const uint64_t sequence = 1000 + 333 * i;
        (void)record_run(RECORDING_TRACE);
        (void)snprintf(sql, sizeof sql,
                       "update event set %s = coalesce(%s, 0) + 1 where sequence in "
                       "(%" PRIu64 ", 5000)",
                       columns[i], columns[i], sequence);
        tamper(sql);
        cr_expect(!compare_again(SEED), "%s", columns[i]);
        cr_expect(first == sequence && last == sequence, "%s: %s", columns[i], difference);
        cr_expect(strstr(difference, "They differ in "), "%s", difference);
    }
    (void)record_run(RECORDING_TRACE);
    tamper("delete from event where sequence = (select max(sequence) from event)");
    cr_expect(!compare_again(SEED));
    cr_expect_eq(first, (uint64_t)number("select event_count from run"));
    cr_expect(strstr(difference, "the run was over"), "%s", difference);
}

/* Without them the checkpoints give the block in which it lies. */
Test(recording, finds_the_block_of_the_first_difference)
{
    for (int level = RECORDING_OUTCOME; level <= RECORDING_HISTORY; level++) {
        (void)record_run((enum recording_level)level);
        tamper("update checkpoint set hash = '0' where event = 4096;"
               "update run set hash = '0'");
        cr_expect(!compare_again(SEED));
        cr_expect(first == 1 && last == 4096, "%s", difference);
        cr_expect(strstr(difference, "events 1 to 4096"), "%s", difference);
        (void)record_run((enum recording_level)level);
        tamper("update run set hash = '0'");
        cr_expect(!compare_again(SEED));
        cr_expect_eq(first % 4096, 1);
        cr_expect_eq(last, (uint64_t)number("select event_count from run"));
    }
}

/* What an unfinished recording has is compared; what it lacks is no difference. */
Test(recording, compares_as_far_as_an_unfinished_one_goes)
{
    (void)record_run(RECORDING_TRACE);
    tamper("update run set state = 'unfinished'; update recording set state = 'unfinished';"
           "delete from event where sequence > 3000");
    cr_expect(compare_again(SEED), "%s", difference);
    tamper("update event set a = 77 where sequence = 3000");
    cr_expect(!compare_again(SEED));
    cr_expect_eq(first, 3000);
}

/* ---- Sweeps ---------------------------------------------------------------------------------- */

static struct recording_outcome outcome(uint64_t seed, uint32_t verdict, int signal)
{
    struct recording_outcome o = {.seed = seed, .hash = seed, .events = 5, .signal = signal};
    memset(o.checks, 0, sizeof o.checks);
    for (int i = 0; i < SIM_CHECK_COUNT; i++) {
        o.checks[i].verdict = UINT32_MAX;
    }
    o.checks[SIM_CHECK_EXACTLY_ONCE].verdict = verdict;
    o.met = verdict == SIM_HOLDS;
    if (!o.met) {
        o.checks[SIM_CHECK_EXACTLY_ONCE].event = 4;
        (void)snprintf(o.checks[SIM_CHECK_EXACTLY_ONCE].detail, SIM_DETAIL_MAX, "seen twice");
    }
    return o;
}

/* A sweep says which seeds failed and gives a command for each that a shell takes as meant. */
Test(recording, lists_the_failed_seeds_of_a_sweep)
{
    const struct recording_run sweep = identity(RECORDING_OUTCOME);
    struct recording *recording = recording_create(file, error, sizeof error);
    cr_assert(recording);
    cr_assert_eq(recording_begin_sweep(recording, &sweep, &scenario.plan), SIM_OK);
    for (uint64_t seed = 0; seed < 1000; seed++) {
        const struct recording_outcome o = outcome(
            seed + SEED, seed % 100 == 7 ? SIM_VIOLATED : SIM_HOLDS, seed == 9 ? SIGSEGV : 0);
        cr_assert_eq(recording_add_outcome(recording, &o, nothing_expected), SIM_OK);
    }
    cr_assert_eq(recording_finish_sweep(recording), SIM_OK);
    cr_assert_eq(recording_close(recording, error, sizeof error), SIM_OK, "%s", error);

    cr_expect_eq(number("select count(*) from runs where met"), 989);
    cr_expect_eq(number("select count(*) from failures"), 11);
    cr_expect_eq(number("select count(*) from failures where detail = 'seen twice'"), 10);
    cr_expect_eq(number("select count(*) from failures where detail = 'killed by signal 11' and "
                        "command = 'fallacy run ''it''\\''''s.json'' --set ''duration=8s'' "
                        "--seed 18364758544493064729 --level trace --out "
                        "seed-18364758544493064729.db'"),
                 1);
    struct reading *reading = must_open();
    cr_expect(reading_is_sweep(reading) && reading_finished(reading));
    cr_expect_null(reading_run(reading, error, sizeof error));
    cr_expect(strstr(error, "sweep"), "%s", error);
    cr_expect_null(compare_new(reading, error, sizeof error));
    reading_close(reading);
}

/* ---- Shown ----------------------------------------------------------------------------------- */

static char shown[1 << 20];

static enum sim_status show_text(const char *topic, bool colours)
{
    struct reading *reading = must_open();
    FILE *out = fmemopen(shown, sizeof shown, "w");
    cr_assert(out);
    const enum sim_status status = show(reading, topic, out, colours, error, sizeof error);
    (void)fclose(out);
    reading_close(reading);
    return status;
}

/* Every topic has lines under a heading, without colours, blanks at their ends or odd bytes, so
 * that it can be piped; with colours it says the same. */
Test(recording, shows_every_topic)
{
    (void)record_run(RECORDING_TRACE);
    for (size_t i = 0; show_topics[i]; i++) {
        cr_assert_eq(show_text(show_topics[i], false), SIM_OK, "%s", error);
        size_t lines = 0;
        for (const char *c = shown; *c; c++) {
            lines += *c == '\n';
            cr_assert(*c == '\n' || ((unsigned char)*c >= ' ' && *c != 0x7f), "%s", show_topics[i]);
            cr_expect(*c != '\n' || c[-1] != ' ', "%s: blanks at the end of line %zu",
                      show_topics[i], lines);
        }
        cr_expect_geq(lines, 2, "%s", show_topics[i]);
        cr_expect_eq(show_text(show_topics[i], true), SIM_OK);
    }
    cr_expect_eq(show_text(NULL, true), SIM_OK);
    cr_expect(strstr(shown, "\033[32m"), "a verdict that holds is green");
    cr_expect(strstr(shown, "18364758544493064720"), "the seed is unsigned");
}

/* A topic that does not exist, or that the level does not hold, gives a sentence. */
Test(recording, says_what_it_cannot_show)
{
    (void)record_run(RECORDING_HISTORY);
    cr_expect_eq(show_text("messages", false), SIM_EINVAL);
    cr_expect(strstr(error, "--level trace"), "%s", error);
    cr_expect_eq(show_text("weather", false), SIM_EINVAL);
    cr_expect(strstr(error, "timeline, ops"), "%s", error);
    cr_expect_eq(show_text("ops", false), SIM_OK);
}

/* What a name holds reaches no terminal as a command. */
Test(recording, does_not_pass_on_control_characters)
{
    (void)record_run(RECORDING_HISTORY);
    tamper("update node set name = 'n' || char(27) || '[2J'");
    cr_assert_eq(show_text("facts", false), SIM_OK);
    cr_expect(!strchr(shown, '\033'));
    cr_expect(strstr(shown, "n?[2J"));
}
