/* The corpus of planted bugs: each is shown by a script and found by a swarm, by the check meant
 * for it, and without the bug the same script and the same seeds break nothing. */
#include <inttypes.h>

#include "scenarios/commands/outcome.h"
#include "tests/corpus.h"
#include "tests/scenarios.h"

#define SEEDS 300 /* At most, until a swarm has found a bug. */
#define CLEAN_SEEDS 5

static struct corpus_row rows[CORPUS_ROWS_MAX];
static size_t row_count;

static void read_corpus(void)
{
    row_count = corpus_load(rows);
    cr_assert_gt(row_count, 0, "tests run in the project's folder");
}

TestSuite(bugs, .init = read_corpus, .timeout = 120);

static const struct sim_planted_bug *bug_of(const struct corpus_row *row)
{
    const struct sim_planted_bug *bug = corpus_bug(row->bug);
    cr_assert(bug, "corpus.txt: there is no bug %s", row->bug);
    return bug;
}

/* One run; the verdict of `check`. Says what else was broken, if nothing should be. */
static uint32_t run(struct runner *runner, const struct scenario *scenario, uint64_t seed,
                    uint32_t check, bool clean)
{
    const struct sim_world *world = must_run(runner, &scenario->plan, seed, NULL);
    for (uint32_t c = 0; clean && c < SIM_CHECK_COUNT; c++) {
        const struct sim_check_state *state = check_state(world, c);
        cr_expect(!outcome_is_finding(state->verdict), "%s, seed %" PRIu64 ": %s: %s",
                  scenario->file, seed, sim_check_infos[c].name, state->detail);
    }
    return check_state(world, check)->verdict;
}

/* Every bug says what it does, where it was met, and which check is meant for it; and every bug
 * is in the corpus. */
Test(bugs, are_documented_and_in_the_corpus)
{
    const struct sim_node_kind *raft = node_registry_find("raft");
    cr_assert_eq(row_count, raft->bug_count);
    for (uint32_t b = 0; b < raft->bug_count; b++) {
        const struct sim_planted_bug *bug = &raft->bugs[b];
        size_t i = 0;
        while (i < row_count && strcmp(rows[i].bug, bug->name) != 0) {
            i++;
        }
        cr_expect_lt(i, row_count, "%s is not in the corpus", bug->name);
        cr_expect_gt(strlen(bug->summary), 20, "%s", bug->name);
        cr_expect_gt(strlen(bug->source), 5, "%s", bug->name);
        cr_expect_lt(corpus_check(bug->check), SIM_CHECK_COUNT, "%s: %s", bug->name, bug->check);
    }
}

/* A bug's script shows it, and expects the check that is meant for it to say so. */
Test(bugs, are_shown_by_their_scripts)
{
    for (size_t i = 0; i < row_count; i++) {
        const uint32_t check = corpus_check(bug_of(&rows[i])->check);
        struct scenario scenario;
        struct runner runner = {0};
        cr_assert(corpus_open(&scenario, &runner, rows[i].scenario, NULL));
        cr_expect(scenario.title && scenario.why && scenario.lesson && scenario.source, "%s",
                  rows[i].scenario);
        cr_expect(outcome_is_finding(scenario.expect[check]), "%s does not expect %s to be broken",
                  rows[i].scenario, sim_check_infos[check].name);
        const uint32_t verdict = run(&runner, &scenario, scenario.plan.seed, check, false);
        cr_expect_eq(verdict, scenario.expect[check], "%s: %s is %s", rows[i].scenario,
                     sim_check_infos[check].name, sim_verdict_name(verdict));
        corpus_close(&scenario, &runner);
    }
}

/* The same script without the bug breaks nothing, and does exercise the check. */
Test(bugs, are_what_their_scripts_show)
{
    for (size_t i = 0; i < row_count; i++) {
        const uint32_t check = corpus_check(bug_of(&rows[i])->check);
        struct scenario scenario;
        struct runner runner = {0};
        cr_assert(corpus_open(&scenario, &runner, rows[i].scenario, ""));
        const uint32_t verdict = run(&runner, &scenario, scenario.plan.seed, check, true);
        cr_expect_eq(verdict, SIM_HOLDS, "%s without the bug: %s is %s", rows[i].scenario,
                     sim_check_infos[check].name, sim_verdict_name(verdict));
        corpus_close(&scenario, &runner);
    }
}

/* Random schedules of its profile find every bug, by the check that is meant for it. */
Test(bugs, are_found_by_their_profiles)
{
    for (size_t i = 0; i < row_count; i++) {
        const uint32_t check = corpus_check(bug_of(&rows[i])->check);
        struct scenario scenario;
        struct runner runner = {0};
        cr_assert(corpus_open(&scenario, &runner, rows[i].profile, rows[i].bug));
        runner.hunted = UINT64_C(1) << check;
        bool found = false;
        for (uint64_t seed = 1; seed <= SEEDS && !found; seed++) {
            const struct sim_world *world = must_run(&runner, &scenario.plan, seed, NULL);
            found = check_state(world, check)->violated;
        }
        cr_expect(found, "%s: %s found nothing in %d seeds of %s", rows[i].bug,
                  sim_check_infos[check].name, SEEDS, rows[i].profile);
        corpus_close(&scenario, &runner);
    }
}

/* Does an earlier row have the same profile? */
static bool profile_is_known(size_t row)
{
    for (size_t i = 0; i < row; i++) {
        if (strcmp(rows[i].profile, rows[row].profile) == 0) {
            return true;
        }
    }
    return false;
}

/* Without a bug the profiles break nothing, and over the seeds the checks of all their bugs had
 * their chance. */
Test(bugs, are_not_seen_where_there_are_none)
{
    for (size_t i = 0; i < row_count; i++) {
        if (profile_is_known(i)) {
            continue;
        }
        struct scenario scenario;
        struct runner runner = {0};
        bool exercised[SIM_CHECK_COUNT] = {false};
        cr_assert(corpus_open(&scenario, &runner, rows[i].profile, ""));
        for (uint64_t seed = 1; seed <= CLEAN_SEEDS; seed++) {
            for (size_t k = i; k < row_count; k++) {
                const uint32_t check = corpus_check(bug_of(&rows[k])->check);
                if (strcmp(rows[k].profile, rows[i].profile) == 0 && !exercised[check]) {
                    exercised[check] = run(&runner, &scenario, seed, check, true) == SIM_HOLDS;
                }
            }
        }
        for (size_t k = i; k < row_count; k++) {
            cr_expect(strcmp(rows[k].profile, rows[i].profile) != 0 ||
                          exercised[corpus_check(bug_of(&rows[k])->check)],
                      "%s never exercises %s", rows[i].profile, bug_of(&rows[k])->check);
        }
        corpus_close(&scenario, &runner);
    }
}

/* Some bugs show to clients, who know nothing of servers: what they saw has no order. Without the
 * bug the same seeds have one. */
Test(bugs, that_show_to_clients_leave_what_they_saw_without_an_order)
{
    static const struct {
        const char *bug;
        const char *profile;
        uint32_t check;
    } shown[] = {
        {"R11_stale_leader_reads", "scenarios/bugs/swarm_reads.json", SIM_CHECK_LINEARIZABLE},
        {"R12_reads_before_own_commit", "scenarios/bugs/swarm_reads.json", SIM_CHECK_LINEARIZABLE},
        {"R13_old_answers_counted", "scenarios/bugs/swarm_late_answers.json",
         SIM_CHECK_LINEARIZABLE},
        {"R16_no_sessions", "scenarios/raft/swarm_linearizable.json", SIM_CHECK_LINEARIZABLE},
        {"R16_no_sessions", "scenarios/raft/swarm_transactions.json",
         SIM_CHECK_STRICT_SERIALIZABLE},
        {"R11_stale_leader_reads", "scenarios/raft/swarm_transactions.json",
         SIM_CHECK_STRICT_SERIALIZABLE},
    };
    for (size_t i = 0; i < sizeof shown / sizeof *shown; i++) {
        for (uint32_t planted = 0; planted <= 1; planted++) {
            struct scenario scenario;
            struct runner runner = {0};
            uint32_t verdicts[SIM_VERDICT_COUNT] = {0};
            cr_assert(
                corpus_open(&scenario, &runner, shown[i].profile, planted ? shown[i].bug : ""));
            scenario.plan.checks = UINT64_C(1) << shown[i].check;
            for (uint64_t seed = 1; seed <= 10 && verdicts[SIM_VIOLATED] == 0; seed++) {
                verdicts[run(&runner, &scenario, seed, shown[i].check, !planted)]++;
            }
            cr_expect_eq(verdicts[SIM_VIOLATED], planted, "%s", shown[i].bug);
            cr_expect(planted || verdicts[SIM_HOLDS] == 10, "%s", shown[i].profile);
            corpus_close(&scenario, &runner);
        }
    }
}
