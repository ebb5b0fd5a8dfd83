/* The staleness of reads against trying every one, on small histories with times. */
#include <criterion/criterion.h>
#include <inttypes.h>

#include "histories.h"
#include "sim/check/check.h"
#include "sim/consistency/staleness.h"

static const struct sim_budget budget = {.steps = 10000000, .memory_bytes = 64 << 20};

enum { SEEDS = 400, STEP_NS = 7 };

/* Linearizable if looks are asked so much earlier? Of two events at one time the invocation comes
 * first, as brute force sees it: it asks only whether one number is larger than another. */
static bool holds_with(const struct sim_history *history, uint64_t ns)
{
    static struct sim_history_operation operations[BRUTE_OPERATIONS_MAX];
    memcpy(operations, history->operations, history->count * sizeof *operations);
    for (uint32_t i = 0; i < history->count; i++) {
        struct sim_history_operation *o = &operations[i];
        const bool looks = o->outcome == SIM_OUTCOME_OK && o->result != SIM_VALUE_UNKNOWN &&
                           (o->action == SIM_ACTION_READ || o->action == SIM_ACTION_CAS_MISSED);
        const uint64_t at_ns = !looks ? o->invoke_ns : o->invoke_ns > ns ? o->invoke_ns - ns : 0;
        o->invoked = 2 * (uint32_t)at_ns;
        if (o->returned != SIM_POSITION_NEVER) {
            o->returned = 2 * (uint32_t)o->return_ns + 1;
        }
    }
    struct sim_history earlier = *history;
    earlier.operations = operations;
    return brute_linearizable(&earlier);
}

static void compare(uint32_t object)
{
    uint32_t stale = 0;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct sim_history h;
        const struct random_history options = {.object = object,
                                               .operations = 4 + (uint32_t)(seed % 4),
                                               .processes = 2 + (uint32_t)(seed / 3 % 2),
                                               .keys = 1,
                                               .values = seed % 2 ? 0 : 3,
                                               .lie_percent = 20};
        random_history(&h, &options, seed);
        for (uint32_t i = 0; i < h.count; i++) {
            h.operations[i].invoke_ns = 1 + STEP_NS * (uint64_t)h.operations[i].invoked;
            h.operations[i].return_ns = 1 + STEP_NS * (uint64_t)h.operations[i].returned;
        }
        h.has_times = true;
        const uint64_t end_ns = 1 + STEP_NS * (uint64_t)h.position_count;
        uint64_t expected_ns = 0;
        while (expected_ns <= end_ns && !holds_with(&h, expected_ns)) {
            expected_ns++;
        }
        uint64_t staleness_ns;
        const bool found = sim_staleness(&h, &budget, &staleness_ns);
        cr_assert_eq(found, expected_ns <= end_ns, "seed %" PRIu64 ":%s", seed, history_text(&h));
        if (found) {
            cr_assert_eq(staleness_ns, expected_ns,
                         "seed %" PRIu64 ": %" PRIu64 " of %" PRIu64 ":%s", seed, staleness_ns,
                         expected_ns, history_text(&h));
            stale += expected_ns > 0;
        }
        sim_history_release(&h);
    }
    cr_expect_gt(stale, SEEDS / 20, "%u", stale);
}

TestSuite(staleness, .timeout = 120);

Test(staleness, of_registers_as_brute_force_says)
{
    compare(SIM_OBJECT_REGISTER);
}

Test(staleness, of_lists_as_brute_force_says)
{
    compare(SIM_OBJECT_LIST);
}

Test(staleness, needs_times)
{
    struct sim_history h;
    history_begin(&h, SIM_OBJECT_REGISTER);
    uint64_t staleness_ns;
    cr_expect_not(sim_staleness(&h, &budget, &staleness_ns));
    sim_history_release(&h);
}
