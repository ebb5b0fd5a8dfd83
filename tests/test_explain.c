/* The chain of causes back from a violation. */
#include <inttypes.h>

#include "reports/explain.h"
#include "tests/scenarios.h"

#define SWARM "scenarios/raft/swarm_within_the_model.json"
#define SEEDS 20

static struct scenario scenario;
static struct runner runner;

static void load_file(const char *file, const char *const *sets, size_t set_count)
{
    must_load(&scenario, file, sets, set_count);
    cr_assert(runner_init(&runner, &scenario.plan));
}

static void load(const char *bugs)
{
    const char *const sets[] = {"duration=20s", bugs};
    load_file(SWARM, sets, 2);
}

static void unload(void)
{
    runner_release(&runner);
    scenario_release(&scenario);
}

static struct explain *run_seed(uint64_t seed)
{
    struct explain *explain = explain_new(&scenario.plan);
    cr_assert(explain);
    (void)must_run(&runner, &scenario.plan, seed, explain_sink(explain));
    return explain;
}

/* A story goes on in time, names each of its events once, and ends with the violation. */
Test(explain, ends_a_story_in_order_with_the_violation)
{
    load("nodes[0].bugs=[\"R25_over_ack\"]");
    uint32_t explained = 0;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct explain *explain = run_seed(seed);
        const struct explain_line *lines;
        size_t count;
        if (explain_causes(explain, &lines, &count) == SIM_OK) {
            explained++;
            cr_assert_gt(count, 1, "seed %" PRIu64 ": a violation has causes", seed);
            for (size_t i = 1; i < count; i++) {
                cr_assert_leq(lines[i - 1].time_ns, lines[i].time_ns, "seed %" PRIu64, seed);
                cr_assert_lt(lines[i - 1].event, lines[i].event, "seed %" PRIu64, seed);
                cr_assert_neq(lines[i].words[0], '\0', "seed %" PRIu64, seed);
            }
            cr_assert(strstr(lines[count - 1].words, "is violated"), "seed %" PRIu64 ": %s", seed,
                      lines[count - 1].words);
            cr_assert(strstr(lines[count - 1].words, sim_check_infos[explain_check(explain)].name));
        }
        explain_free(explain);
    }
    cr_expect_gt(explained, 0, "the planted bug must be found by some seed");
    unload();
}

/* A leader is made by those who answered it: the sentence names them. */
Test(explain, names_the_votes_that_made_a_leader)
{
    load("nodes[0].bugs=[\"R25_over_ack\"]");
    bool named = false;
    for (uint64_t seed = 1; seed <= SEEDS && !named; seed++) {
        struct explain *explain = run_seed(seed);
        const struct explain_line *lines;
        size_t count = 0;
        if (explain_causes(explain, &lines, &count) != SIM_OK) {
            count = 0;
        }
        for (size_t i = 0; i < count; i++) {
            const char *leader = strstr(lines[i].words, "role leader");
            const char *votes = leader ? strstr(leader, "on request_vote_reply from ") : NULL;
            named |= votes && strchr(votes, ',');
        }
        explain_free(explain);
    }
    cr_expect(named, "with five servers a leader needs two votes besides its own");
    unload();
}

/* A cluster that is stuck is so at no node: its story is that of all servers. What happens to
 * several of them at once is told once. */
Test(explain, tells_why_a_cluster_is_stuck)
{
    load_file("scenarios/bugs/R37_dead_disk_leads.json", NULL, 0);
    struct explain *explain = run_seed(scenario.plan.seed);
    const struct explain_line *lines;
    size_t count;
    cr_assert_eq(explain_causes(explain, &lines, &count), SIM_OK);
    cr_expect_eq(explain_check(explain), SIM_CHECK_LIVENESS);
    cr_expect_str_eq(lines[count - 1].words, "liveness fails");
    cr_expect_leq(count, 25);
    bool leader = false;
    bool disk = false;
    bool several = false;
    for (size_t i = 0; i < count; i++) {
        leader |= strstr(lines[i].words, "role leader (was candidate)") != NULL;
        disk |= strstr(lines[i].words, "fault disk begins") != NULL;
        several |= strstr(lines[i].words, "n2, n3: leader n1 (was none)") == lines[i].words;
    }
    cr_expect(leader);
    cr_expect(disk);
    cr_expect(several);
    explain_free(explain);
    unload();
}

/* The same run is explained in the same words. */
Test(explain, says_the_same_twice)
{
    load("nodes[0].bugs=[\"R25_over_ack\"]");
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct explain *first = run_seed(seed);
        struct explain *second = run_seed(seed);
        const struct explain_line *a;
        const struct explain_line *b;
        size_t a_count = 0;
        size_t b_count = 0;
        const enum sim_status status = explain_causes(first, &a, &a_count);
        cr_assert_eq(explain_causes(second, &b, &b_count), status, "seed %" PRIu64, seed);
        for (size_t i = 0; status == SIM_OK && i < a_count; i++) {
            cr_assert_eq(a_count, b_count, "seed %" PRIu64, seed);
            cr_assert_str_eq(a[i].words, b[i].words, "seed %" PRIu64, seed);
        }
        explain_free(first);
        explain_free(second);
    }
    unload();
}

/* Where nothing went wrong there is nothing to explain. */
Test(explain, has_no_story_of_a_run_that_went_well)
{
    load("nodes[0].bugs=[]");
    struct explain *explain = run_seed(1);
    const struct explain_line *lines;
    size_t count;
    cr_expect_eq(explain_causes(explain, &lines, &count), SIM_EINVAL);
    explain_free(explain);
    unload();
}

/* What the clients saw is judged at the end; what made it wrong was over long before. */
Test(explain, begins_where_a_violation_was_complete)
{
    const char *const sets[] = {"expect={\"linearizable\": \"violated\"}"};
    load_file("scenarios/raft/lease_outlives_its_bound.json", sets, 1);
    struct explain *explain = run_seed(scenario.plan.seed);
    const struct explain_line *lines;
    size_t count;
    cr_assert_eq(explain_causes(explain, &lines, &count), SIM_OK);
    cr_assert_gt(count, 2);
    cr_expect_not_null(strstr(lines[count - 1].words, "linearizable is violated, as seen at n1"));
    cr_expect_not_null(strstr(lines[count - 2].words, "partition begins"), "%s",
                       lines[count - 2].words);
    cr_expect_leq(lines[count - 2].time_ns, 1170 * SIM_MS, "the read returned then");
    explain_free(explain);
    unload();
}
