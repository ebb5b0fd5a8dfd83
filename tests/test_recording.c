/* The recording: what is written is what happened, under names that are free or its own. */
#include "recorded.h"

#include <inttypes.h>
#include <sys/stat.h>
#include <unistd.h>

TestSuite(recording, .init = enter, .fini = leave);

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
