/* How small failures become: failing seeds of a libraft scenario, or of a planted bug in its
 * profile, are shrunk as `fallacy shrink` does, and what comes out is run again.
 *
 *   bench_shrink FOLDER [FAILURES [NAME]...]   the table, in Markdown, for the first FAILURES seeds
 * that fail (1) of all, or of those whose file or bug contains NAME; what is left of each goes to
 * FOLDER/NAME_SEED.json
 *
 * Exits 1 if one keeps more than 10 faults and fates or more than 20 operations, takes 60 s or
 * longer, or has another verdict when run again. */
#include "tests/bench/measure.h"
#include "tests/corpus.h"

#include "scenarios/commands/outcome.h"
#include "scenarios/commands/shrink.h"

#include <inttypes.h>

enum { SEEDS = 2000, CAUSES_MAX = 10, OPERATIONS_MAX = 20, SECONDS_MAX = 60 };

#define BUDGET_STEPS UINT64_C(150000000)

struct job {
    char name[CORPUS_NAME_MAX];
    char file[2 * CORPUS_NAME_MAX];
    const char *bug;   /* NULL: the scenario as it is. */
    const char *check; /* NULL: the first that is violated. */
};

static const char *const libraft_files[] = {"over_ack", "transfer_double_vote",
                                            "snapshot_overlap_crash", "figure8_old_term",
                                            "failed_write_crash"};

/* ---- One ------------------------------------------------------------------------------------ */

/* What whoever gets the file sees. */
static bool runs_the_same(const char *file, const struct shrink_target *target)
{
    struct scenario scenario;
    struct runner runner = {0};
    struct sim_world *world;
    uint64_t wall_ns;
    if (scenario_load(&scenario, file, NULL, 0) != SIM_OK) {
        scenario_print_errors(&scenario, stderr);
        return false;
    }
    const bool same =
        runner_init(&runner, &scenario.plan) &&
        runner_run(&runner, &scenario.plan, scenario.plan.seed, NULL, &world, &wall_ns) ==
            RUNNER_DONE &&
        sim_checks_state(sim_world_checks(world), target->check)->verdict == target->verdict &&
        outcome_met(&scenario, world);
    runner_release(&runner);
    scenario_release(&scenario);
    return same;
}

static bool put_row(const struct shrink *s, const char *name, double seconds)
{
    struct shrink_size after;
    shrink_size(&s->best, &s->failure, &after);
    const bool same = runs_the_same(s->out, &s->target);
    const bool good = same && after.faults + after.fates <= CAUSES_MAX &&
                      after.operations <= OPERATIONS_MAX && seconds < SECONDS_MAX;
    printf("| %s | %s | %" PRIu64 " | %" PRIu32 " -> %" PRIu32 " | %" PRIu32 " | %" PRIu64
           " -> %" PRIu64 " | %" PRIu32 " -> %" PRIu32 " | %.1f -> %.1f | %.1f | %" PRIu64
           " | %s |\n",
           name, sim_check_infos[s->target.check].name, s->original_seed, s->before.faults,
           after.faults, after.fates, s->before.operations, after.operations, s->before.nodes,
           after.nodes, (double)s->before.duration_ns / 1e9, (double)after.duration_ns / 1e9,
           seconds, s->runs,
           !same  ? "another verdict"
           : good ? "yes"
                  : "too large");
    (void)fflush(stdout);
    return good;
}

static bool shrink_seed(const struct job *job, const struct scenario *scenario,
                        struct runner *runner, uint64_t seed, const char *folder, bool *found)
{
    static struct shrink s;
    char out[512];
    (void)snprintf(out, sizeof out, "%.400s/%s_%" PRIu64 ".json", folder, job->name, seed);
    s = (struct shrink){
        .runner = *runner, .original = scenario, .out = out, .budget = BUDGET_STEPS};
    const uint32_t check = job->check ? corpus_check(job->check) : SIM_CHECK_COUNT;
    const double begin_s = measure_cpu_s();
    bool good = true;
    *found = shrink_first(&s, &scenario->plan, seed, check);
    if (*found) {
        shrink_all(&s);
        good = put_row(&s, job->name, measure_cpu_s() - begin_s);
    }
    sim_plan_release(&s.best);
    return good;
}

static bool shrink_job(const struct job *job, const char *folder, uint64_t failures)
{
    struct scenario scenario;
    struct runner runner = {0};
    bool good = true;
    if (!corpus_open(&scenario, &runner, job->file, job->bug)) {
        measure_give_up("a scenario does not load");
    }
    uint64_t count = 0;
    for (uint64_t seed = 1; seed <= SEEDS && count < failures; seed++) {
        bool found;
        good = shrink_seed(job, &scenario, &runner, seed, folder, &found) && good;
        count += found;
    }
    if (count < failures) {
        printf("| %s: only %" PRIu64 " of %d seeds fail |\n", job->name, count, SEEDS);
    }
    corpus_close(&scenario, &runner);
    return good && count == failures;
}

/* ---- All ------------------------------------------------------------------------------------ */

static size_t list_jobs(struct job jobs[], size_t capacity)
{
    static struct corpus_row rows[CORPUS_ROWS_MAX];
    size_t count = 0;
    for (size_t i = 0; i < sizeof libraft_files / sizeof *libraft_files; i++) {
        struct job *job = &jobs[count];
        (void)snprintf(job->name, sizeof job->name, "%s", libraft_files[i]);
        (void)snprintf(job->file, sizeof job->file, "scenarios/libraft/%s.json", libraft_files[i]);
        count += node_registry_find("libraft") != NULL;
    }
    const size_t row_count = corpus_load(rows);
    for (size_t i = 0; i < row_count && count < capacity; i++, count++) {
        struct job *job = &jobs[count];
        const struct sim_planted_bug *bug = corpus_bug(rows[i].bug);
        if (!bug) {
            measure_give_up("a row of the corpus has no bug");
        }
        (void)snprintf(job->name, sizeof job->name, "%.63s", rows[i].bug);
        (void)snprintf(job->file, sizeof job->file, "%.127s", rows[i].profile);
        job->bug = rows[i].bug;
        job->check = bug->check;
    }
    return count;
}

static bool is_wanted(const struct job *job, int argc, char **argv)
{
    bool wanted = argc <= 3;
    for (int i = 3; i < argc; i++) {
        wanted = wanted || strstr(job->name, argv[i]) != NULL;
    }
    return wanted;
}

int main(int argc, char **argv)
{
    static struct job jobs[CORPUS_ROWS_MAX + 8];
    const uint64_t failures = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
    if (argc < 2 || failures == 0) {
        measure_give_up("expected: FOLDER [FAILURES [NAME]...]");
    }
    const size_t count = list_jobs(jobs, sizeof jobs / sizeof *jobs);
    bool good = true;
    printf(
        "| failure | check | seed | faults | fates | operations | servers | duration s | cpu s | "
        "runs | small |\n"
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n");
    for (size_t i = 0; i < count; i++) {
        good =
            (!is_wanted(&jobs[i], argc, argv) || shrink_job(&jobs[i], argv[1], failures)) && good;
    }
    return good ? 0 : 1;
}
