/* A recording compared with another run, of a sweep, and shown. */
#include "recorded.h"

#include <inttypes.h>
#include <signal.h>

TestSuite(recording_reading, .init = enter, .fini = leave);

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
Test(recording_reading, recognises_its_run)
{
    for (int level = RECORDING_OUTCOME; level <= RECORDING_TRACE; level++) {
        (void)record_run((enum recording_level)level);
        cr_expect(compare_again(SEED), "level %d: %s", level, difference);
        cr_expect_str_eq(difference, "");
        cr_expect(!compare_again(SEED + 1), "level %d", level);
    }
}

/* With event rows the first event that differs is named, whatever differs in it. */
Test(recording_reading, names_the_first_different_event)
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
Test(recording_reading, finds_the_block_of_the_first_difference)
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
Test(recording_reading, compares_as_far_as_an_unfinished_one_goes)
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
Test(recording_reading, lists_the_failed_seeds_of_a_sweep)
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
Test(recording_reading, shows_every_topic)
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
Test(recording_reading, says_what_it_cannot_show)
{
    (void)record_run(RECORDING_HISTORY);
    cr_expect_eq(show_text("messages", false), SIM_EINVAL);
    cr_expect(strstr(error, "--level trace"), "%s", error);
    cr_expect_eq(show_text("weather", false), SIM_EINVAL);
    cr_expect(strstr(error, "timeline, ops"), "%s", error);
    cr_expect_eq(show_text("ops", false), SIM_OK);
}

/* What a name holds reaches no terminal as a command. */
Test(recording_reading, does_not_pass_on_control_characters)
{
    (void)record_run(RECORDING_HISTORY);
    tamper("update node set name = 'n' || char(27) || '[2J'");
    cr_assert_eq(show_text("facts", false), SIM_OK);
    cr_expect(!strchr(shown, '\033'));
    cr_expect(strstr(shown, "n?[2J"));
}
