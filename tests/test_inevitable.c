/* When a violation became inevitable: other futures from times before it. */
#include <inttypes.h>

#include "reports/interval.h"
#include "scenarios/commands/inevitable.h"
#include "tests/scenarios.h"

#define SWARM "scenarios/raft/swarm_within_the_model.json"
#define EARLY 100 /* Soon after this seed the bug shows early, so that tests are short. */
#define BRANCHES 8

static struct scenario scenario;
static struct runner runner;

static void load(void)
{
    const char *const sets[] = {"duration=12s", "nodes[0].bugs=[\"R25_over_ack\"]"};
    must_load(&scenario, SWARM, sets, 2);
    cr_assert(runner_init(&runner, &scenario.plan));
}

static void unload(void)
{
    runner_release(&runner);
    scenario_release(&scenario);
}

TestSuite(inevitable, .init = load, .fini = unload, .timeout = 120);

/* The first violation of a seed; false if there is none. */
static bool violates(uint64_t seed, struct inevitable_request *request)
{
    runner.hunted = UINT64_MAX; /* What follows a violation is of no interest here. */
    const struct sim_world *world = must_run(&runner, &scenario.plan, seed, NULL);
    runner.hunted = 0;
    bool found = false;
    for (uint32_t c = 0; c < SIM_CHECK_COUNT; c++) {
        const struct sim_check_state *state = check_state(world, c);
        if (state->violated && (!found || state->at_ns < request->violated_ns)) {
            *request = (struct inevitable_request){.plan = &scenario.plan,
                                                   .seed = seed,
                                                   .check = c,
                                                   .violated_ns = state->at_ns,
                                                   .margin_ns = SIM_S,
                                                   .branches = BRANCHES};
            found = true;
        }
    }
    return found;
}

static uint64_t first_violating(uint64_t from, struct inevitable_request *request)
{
    for (uint64_t seed = from; seed < from + 100; seed++) {
        if (violates(seed, request)) {
            return seed;
        }
    }
    cr_assert_fail("the planted bug must be found by some seed");
    return 0;
}

/* Right before the violation nothing prevents it, and from the time that is named on it is nearly
 * certain, while shortly before it is not. */
Test(inevitable, is_certain_right_before)
{
    struct inevitable_request request;
    uint64_t seed = EARLY;
    for (int i = 0; i < 2; i++) {
        seed = first_violating(seed + (i > 0), &request);
        struct inevitable found;
        cr_assert(inevitable_measure(&found, &runner, &request), "seed %" PRIu64, seed);
        const struct inevitable_point *last = &found.points[found.point_count - 1];
        cr_expect_eq(last->at_ns, request.violated_ns, "seed %" PRIu64, seed);
        cr_expect_eq(last->violated, BRANCHES, "seed %" PRIu64, seed);
        cr_assert(found.certain, "seed %" PRIu64, seed);
        cr_expect_leq(found.certain_ns, request.violated_ns, "seed %" PRIu64, seed);
        cr_expect(found.certain_ns == 0 || found.open_ns < found.certain_ns, "seed %" PRIu64, seed);
        for (uint32_t p = 0; p < found.point_count; p++) {
            const struct inevitable_point *point = &found.points[p];
            const bool certain = point->violated * 100 >= point->branches * 95;
            cr_expect(p == 0 || point->at_ns > found.points[p - 1].at_ns, "seed %" PRIu64, seed);
            cr_expect_eq(point->branches, BRANCHES, "seed %" PRIu64, seed);
            cr_expect(certain || point->at_ns <= found.open_ns,
                      "seed %" PRIu64 ": open at %" PRIu64 ", after it was certain", seed,
                      point->at_ns);
        }
    }
}

/* The same is measured twice, and in a runner that has run something else in between. */
Test(inevitable, is_the_same_twice)
{
    struct inevitable_request request;
    struct inevitable_request other;
    (void)first_violating(first_violating(EARLY, &request) + 1, &other);
    struct inevitable first;
    struct inevitable second;
    cr_assert(inevitable_measure(&first, &runner, &request));
    cr_assert(violates(other.seed, &other));
    cr_assert(inevitable_measure(&second, &runner, &request));
    cr_assert_eq(first.point_count, second.point_count);
    cr_expect_eq(first.certain_ns, second.certain_ns);
    cr_expect_eq(first.open_ns, second.open_ns);
    for (uint32_t p = 0; p < first.point_count; p++) {
        cr_expect_eq(first.points[p].at_ns, second.points[p].at_ns);
        cr_expect_eq(first.points[p].violated, second.points[p].violated);
    }
}

/* A run made in steps is the run. */
Test(inevitable, steps_are_the_run)
{
    struct sim_world *world = must_run(&runner, &scenario.plan, 3, NULL);
    const uint64_t hash = sim_world_hash(world);
    cr_assert_eq(runner_begin(&runner, &scenario.plan, 3, NULL, &world), RUNNER_UNTIL);
    for (uint64_t at_ns = SIM_S; runner_go(&runner, world, at_ns) == RUNNER_UNTIL; at_ns += SIM_S) {
        cr_assert_leq(sim_world_now_ns(world), at_ns);
    }
    cr_expect_eq(sim_world_hash(world), hash);
}

static bool is_near(uint32_t ppm, uint32_t wanted_ppm)
{
    return ppm + 2 >= wanted_ppm && ppm <= wanted_ppm + 2;
}

/* Wilson's interval, against values worked out by his formula in higher precision. */
Test(inevitable, says_how_far_to_trust_a_share)
{
    static const struct {
        uint32_t hits, tries, low_ppm, high_ppm;
    } known[] = {
        {0, 10, 0, 277533},
        {1, 10, 17876, 404150},
        {5, 10, 236593, 763407},
        {10, 10, 722467, 1000000},
        {1, 2, 94531, 905469},
        {20, 40, 351995, 648005},
        {40, 40, 912378, 1000000},
        {50, 1000, 38130, 65314},
        {500000, 1000000, 499020, 500980},
        {1, 1, 206549, 1000000},
        {999999, 1000000, 999994, 1000000},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        const struct interval interval = interval_wilson(known[i].hits, known[i].tries);
        cr_expect(is_near(interval.low_ppm, known[i].low_ppm) &&
                      is_near(interval.high_ppm, known[i].high_ppm),
                  "%u of %u: %u to %u ppm", known[i].hits, known[i].tries, interval.low_ppm,
                  interval.high_ppm);
    }
    const struct interval nothing = interval_wilson(0, 0);
    cr_expect(nothing.low_ppm == 0 && nothing.high_ppm == SIM_PPM);
}
