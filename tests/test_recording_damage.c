/* Recordings of programs that were killed or had no room, and files that were damaged since: they
 * are readable, or refused in words. */
#include "recorded.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sim/rng.h"

TestSuite(recording_damage, .init = enter, .fini = leave);

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
Test(recording_damage, survives_a_kill, .timeout = 60)
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
Test(recording_damage, says_when_it_is_unfinished)
{
    for (int level = RECORDING_OUTCOME; level <= RECORDING_TRACE; level++) {
        cr_assert_eq(write_events((enum recording_level)level, 5000), SIM_OK, "%s", error);
        expect_readable(level);
    }
    cr_expect_eq(number("select count(*) from event"), 5000);
}

/* On a full disk the writer says so, and leaves nothing. (A limit on the size of files stands
 * for it: the write fails in the same place.) */
Test(recording_damage, leaves_nothing_on_a_full_disk)
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
Test(recording_damage, is_refused_when_it_cannot_be_understood)
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
Test(recording_damage, may_be_damaged_anywhere)
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
