/* The power of detection: how many random seeds, and how much cpu time, until each planted bug is
 * found by its profile; and how many seeds without a bug pass without an alarm.
 *
 *   bench_detection [SEEDS [BUG]]          the table, in Markdown: for every bug SEEDS seeds
 *   bench_detection clean SEEDS [FIRST]    SEEDS seeds without a bug, spread over all profiles
 *
 * A hunt ends when the check meant for the bug fires, and the next begins with the next seed.
 * "First check" is the one that fired first in most of the seeds found: one that is closer to the
 * cause, or the harm, may be quicker. */
#include "tests/bench/measure.h"
#include "tests/corpus.h"

#include "scenarios/commands/outcome.h"

#include <inttypes.h>

enum { SEEDS = 1000, SEEDS_MAX = 100000 };

/* ---- Hunts ------------------------------------------------------------------------------ */

struct hunts {
    size_t found;
    double seeds[SEEDS_MAX];
    double cpu_s[SEEDS_MAX];
    uint32_t first[SIM_CHECK_COUNT]; /* How often each check was the first to fire. */
};

static void note_first(struct hunts *hunts, const struct sim_checks *checks)
{
    uint32_t first = SIM_CHECK_COUNT;
    for (uint32_t c = 0; c < SIM_CHECK_COUNT; c++) {
        const struct sim_check_state *state = sim_checks_state(checks, c);
        if (state->violated &&
            (first == SIM_CHECK_COUNT || state->event < sim_checks_state(checks, first)->event)) {
            first = c;
        }
    }
    if (first != SIM_CHECK_COUNT) {
        hunts->first[first]++;
    }
}

static void hunt(struct runner *runner, const struct sim_plan *plan, uint32_t check, uint64_t seeds,
                 struct hunts *hunts)
{
    double begin_s = measure_cpu_s();
    uint64_t before = 0; /* Seeds of the hunts that have ended. */
    for (uint64_t seed = 1; seed <= seeds; seed++) {
        struct sim_world *world;
        uint64_t wall_ns;
        if (runner_run(runner, plan, seed, NULL, &world, &wall_ns) != RUNNER_DONE) {
            measure_give_up("a profile needs more memory");
        }
        const struct sim_checks *checks = sim_world_checks(world);
        if (sim_checks_state(checks, check)->violated) {
            const double now_s = measure_cpu_s();
            hunts->seeds[hunts->found] = (double)(seed - before);
            hunts->cpu_s[hunts->found++] = now_s - begin_s;
            note_first(hunts, checks);
            before = seed;
            begin_s = now_s;
        }
    }
}

static void put_median(double *samples, size_t count, const char *format)
{
    measure_sort(samples, count);
    if (count > 0) {
        printf(format, samples[count / 2]);
    } else {
        printf(" - |");
    }
}

static void put_row(const struct corpus_row *row, const struct sim_planted_bug *bug,
                    struct hunts *hunts, uint64_t seeds)
{
    uint32_t first = 0;
    for (uint32_t c = 1; c < SIM_CHECK_COUNT; c++) {
        first = hunts->first[c] > hunts->first[first] ? c : first;
    }
    const char *profile = strstr(row->profile, "swarm_");
    const size_t length = profile ? strlen(profile) - strlen(".json") : 0;
    printf("| %s | `%.*s` | %zu of %" PRIu64 " |", row->bug, (int)length, profile, hunts->found,
           seeds);
    put_median(hunts->seeds, hunts->found, " %.0f |");
    put_median(hunts->cpu_s, hunts->found, " %.3f |");
    printf(" %s | %s |\n", bug->check, hunts->found ? sim_check_infos[first].name : "-");
    (void)fflush(stdout);
}

static int table(uint64_t seeds, const char *only)
{
    static struct corpus_row rows[CORPUS_ROWS_MAX];
    const size_t count = corpus_load(rows);
    int code = 0;
    printf(
        "| bug | profile | found in | median seeds | median cpu s | check meant | first check |\n"
        "| --- | --- | --- | --- | --- | --- | --- |\n");
    for (size_t i = 0; i < count; i++) {
        const struct sim_planted_bug *bug = corpus_bug(rows[i].bug);
        struct scenario scenario;
        struct runner runner = {0};
        static struct hunts hunts;
        if (only && !strstr(rows[i].bug, only)) {
            continue;
        }
        if (!bug || !corpus_open(&scenario, &runner, rows[i].profile, rows[i].bug)) {
            measure_give_up("a row of the corpus has no bug, or no profile");
        }
        hunts = (struct hunts){0};
        const uint32_t check = corpus_check(bug->check);
        runner.hunted = UINT64_C(1) << check;
        hunt(&runner, &scenario.plan, check, seeds, &hunts);
        put_row(&rows[i], bug, &hunts, seeds);
        code |= hunts.found == 0;
        corpus_close(&scenario, &runner);
    }
    return code;
}

/* ---- Seeds without a bug ---------------------------------------------------------------- */

static uint64_t alarms_of(const struct scenario *scenario, const struct sim_world *world,
                          uint64_t seed)
{
    uint64_t alarms = 0;
    for (uint32_t c = 0; c < SIM_CHECK_COUNT; c++) {
        const struct sim_check_state *state = sim_checks_state(sim_world_checks(world), c);
        if (outcome_is_finding(state->verdict) || state->verdict == SIM_UNKNOWN) {
            printf("%s, seed %" PRIu64 ": %s is %s: %s\n", scenario->file, seed,
                   sim_check_infos[c].name, sim_verdict_name(state->verdict), state->detail);
            alarms++;
        }
    }
    return alarms;
}

static bool profile_is_known(const struct corpus_row *rows, size_t row)
{
    for (size_t i = 0; i < row; i++) {
        if (strcmp(rows[i].profile, rows[row].profile) == 0) {
            return true;
        }
    }
    return false;
}

static int clean(uint64_t wanted, uint64_t first_seed)
{
    static struct corpus_row rows[CORPUS_ROWS_MAX];
    const size_t count = corpus_load(rows);
    const double begin_s = measure_cpu_s();
    uint64_t profiles = 0;
    uint64_t alarms = 0;
    uint64_t seeds = 0;
    for (size_t i = 0; i < count; i++) {
        profiles += !profile_is_known(rows, i);
    }
    for (size_t i = 0; i < count; i++) {
        struct scenario scenario;
        struct runner runner = {0};
        if (profile_is_known(rows, i)) {
            continue;
        }
        if (!corpus_open(&scenario, &runner, rows[i].profile, "")) {
            measure_give_up("a profile does not load");
        }
        const uint64_t share = (wanted + profiles - 1) / profiles;
        for (uint64_t s = first_seed; s < first_seed + share; s++, seeds++) {
            struct sim_world *world;
            uint64_t wall_ns;
            if (runner_run(&runner, &scenario.plan, s, NULL, &world, &wall_ns) != RUNNER_DONE) {
                measure_give_up("a profile needs more memory");
            }
            alarms += alarms_of(&scenario, world, s);
        }
        corpus_close(&scenario, &runner);
    }
    printf("%" PRIu64 " seeds without a bug over %" PRIu64 " profiles: %" PRIu64
           " alarms, %.1f cpu minutes\n",
           seeds, profiles, alarms, (measure_cpu_s() - begin_s) / 60);
    return alarms > 0;
}

static uint64_t number(const char *text)
{
    char *end;
    const unsigned long long value = strtoull(text, &end, 10);
    if (*end || value == 0) {
        measure_give_up("expected: [SEEDS [BUG]], or: clean SEEDS [FIRST]");
    }
    return value;
}

int main(int argc, char **argv)
{
    if (argc > 2 && strcmp(argv[1], "clean") == 0) {
        return clean(number(argv[2]), argc > 3 ? number(argv[3]) : 1);
    }
    const uint64_t seeds = argc > 1 ? number(argv[1]) : SEEDS;
    if (seeds > SEEDS_MAX) {
        measure_give_up("at most 100000 seeds");
    }
    return table(seeds, argc > 2 ? argv[2] : NULL);
}
