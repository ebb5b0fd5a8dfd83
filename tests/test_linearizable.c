/* Linearizability against the plainest checker, on thousands of small histories of every type. */
#include <criterion/criterion.h>
#include <inttypes.h>

#include "definitions.h"
#include "sim/consistency/linearizable.h"
#include "sim/consistency/machine.h"

/* It takes many small histories until each way in which compares can contradict has come up. */
enum { SEEDS = 4000, COMPARING_SEEDS = 50000 };

static struct random_history options_of(uint64_t seed, uint32_t object)
{
    return (struct random_history){.object = object,
                                   .operations = 3 + (uint32_t)(seed % 6),
                                   .processes = 2 + (uint32_t)(seed / 3 % 3),
                                   .keys = 1 + (seed % 5 == 0),
                                   .values = seed % 2 ? 0 : 2 + (uint32_t)(seed / 2 % 2),
                                   .lie_percent = (uint32_t)(seed / 5 % 3) * 15,
                                   .lost_percent = (uint32_t)(seed / 7 % 3) * 15};
}

static bool holds(const struct sim_history *history, uint32_t model)
{
    (void)model;
    return brute_linearizable(history);
}

static const struct definition linearizability = {
    .name = "linearizability",
    .check = sim_check_linearizable,
    .holds = holds,
    .decides = true,
    .tells_story = true,
};

static void compare_with_brute_force(uint32_t object, bool compares)
{
    uint32_t violated = 0;
    const uint32_t seeds = compares ? COMPARING_SEEDS : SEEDS;
    for (uint64_t seed = 0; seed < seeds; seed++) {
        struct sim_history history;
        struct random_history options = options_of(seed, object);
        options.compares = compares;
        random_history(&history, &options, seed);
        violated += expect_as_defined(&linearizability, &history, seed, true) == SIM_VIOLATED;
        sim_history_release(&history);
    }
    /* Both answers must have been put to the test. */
    cr_expect_gt(violated, seeds / 20, "%s", sim_object_names[object]);
    cr_expect_lt(violated, seeds - seeds / 20, "%s", sim_object_names[object]);
}

TestSuite(linearizable, .timeout = 120);

Test(linearizable, registers_as_brute_force_says)
{
    compare_with_brute_force(SIM_OBJECT_REGISTER, false);
}

Test(linearizable, compare_and_sets_as_brute_force_says)
{
    compare_with_brute_force(SIM_OBJECT_REGISTER, true);
}

Test(linearizable, keys_as_brute_force_says)
{
    compare_with_brute_force(SIM_OBJECT_KV, false);
}

Test(linearizable, lists_as_brute_force_says)
{
    compare_with_brute_force(SIM_OBJECT_LIST, false);
}

Test(linearizable, sets_as_brute_force_says)
{
    compare_with_brute_force(SIM_OBJECT_SET, false);
}

Test(linearizable, queues_as_brute_force_says)
{
    compare_with_brute_force(SIM_OBJECT_QUEUE, false);
}

Test(linearizable, stacks_as_brute_force_says)
{
    compare_with_brute_force(SIM_OBJECT_STACK, false);
}

Test(linearizable, counters_as_brute_force_says)
{
    compare_with_brute_force(SIM_OBJECT_COUNTER, false);
}

Test(linearizable, locks_as_brute_force_says)
{
    compare_with_brute_force(SIM_OBJECT_LOCK, false);
}

/* An element that a smaller read has seen, too, cannot make up for one that is missing. */
Test(linearizable, no_set_has_an_element_twice)
{
    struct sim_history h;
    history_begin(&h, SIM_OBJECT_SET);
    const uint32_t process = sim_history_process(&h, 0);
    const uint32_t one = sim_history_integer(&h, 1);
    const uint32_t two = sim_history_integer(&h, 2);
    const struct sim_history_operation operations[] = {
        {.process = process, .action = SIM_ACTION_ADD, .value = one},
        {.process = process, .action = SIM_ACTION_ADD, .value = two},
        {.process = process, .action = SIM_ACTION_READ},
        {.process = process, .action = SIM_ACTION_READ},
    };
    const uint32_t both[] = {one, two};
    const uint32_t twice[] = {one, one};
    for (uint32_t i = 0; i < 4; i++) {
        const uint32_t place = sim_history_invoke(&h, &operations[i]);
        const uint32_t result =
            i < 2 ? SIM_VALUE_NIL : sim_history_list(&h, i == 2 ? both : twice, 2);
        sim_history_return(&h, place, SIM_OUTCOME_OK, result);
    }
    struct sim_consistency_result result;
    sim_check_linearizable(&h, &ample_budget, &result);
    cr_expect_eq(result.verdict, SIM_VIOLATED);
    cr_expect_eq(result.witness_count, 1);
    sim_consistency_result_release(&result);
    sim_history_release(&h);
}

/* A write returned before nothing was read: reads that saw what it wrote add nothing to that. */
Test(linearizable, a_witness_has_no_more_than_it_takes)
{
    struct sim_history h;
    play_words(&h, HISTORY("0wx1", "1rx1", "2rx1", "3rx1", "1rx"));
    struct sim_consistency_result result;
    sim_check_linearizable(&h, &ample_budget, &result);
    cr_expect_eq(result.verdict, SIM_VIOLATED);
    cr_assert_eq(result.witness_count, 2);
    cr_expect_eq(result.witness[0], 0);
    cr_expect_eq(result.witness[1], 4);
    char last[120];
    (void)sim_history_show(&h, 4, last, sizeof last);
    cr_expect(strstr(result.detail, last), "what is told is of the witness: %s", result.detail);
    sim_consistency_result_release(&result);
    sim_history_release(&h);
}

/* A thousand values pushed one after the other and popped again, the last first; `swapped` and the
 * one below it the other way round. */
static void deep_stack(uint32_t swapped, struct sim_consistency_result *result)
{
    enum { DEPTH = 1000 };
    struct sim_history h;
    history_begin(&h, SIM_OBJECT_STACK);
    const uint32_t process = sim_history_process(&h, 0);
    for (uint32_t i = 0; i < 2 * DEPTH; i++) {
        const bool push = i < DEPTH;
        uint32_t number = push ? i : 2 * DEPTH - 1 - i;
        if (!push && swapped > 0 && (number == swapped || number == swapped - 1)) {
            number = 2 * swapped - 1 - number;
        }
        const uint32_t value = sim_history_integer(&h, number);
        const struct sim_history_operation o = {.process = process,
                                                .action = push ? SIM_ACTION_PUSH : SIM_ACTION_POP,
                                                .value = push ? value : SIM_VALUE_NIL};
        sim_history_return(&h, sim_history_invoke(&h, &o), SIM_OUTCOME_OK,
                           push ? SIM_VALUE_UNKNOWN : value);
    }
    sim_check_linearizable(&h, &ample_budget, result);
    sim_history_release(&h);
}

/* Found without search, and shown by the two values that cannot both be right. */
Test(linearizable, deep_stacks_are_judged_in_few_steps)
{
    struct sim_consistency_result result;
    deep_stack(0, &result);
    cr_expect_eq(result.verdict, SIM_HOLDS);
    cr_expect_leq(result.steps, 3000);
    sim_consistency_result_release(&result);
    for (uint32_t swapped = 1; swapped < 1000; swapped += 111) {
        deep_stack(swapped, &result);
        cr_assert_eq(result.verdict, SIM_VIOLATED, "%" PRIu32, swapped);
        cr_assert_eq(result.witness_count, 4, "%" PRIu32, swapped);
        cr_expect_eq(result.witness[0], swapped - 1, "%" PRIu32, swapped);
        cr_expect_eq(result.witness[3], 2000 - swapped, "%" PRIu32, swapped);
        sim_consistency_result_release(&result);
    }
}

/* What the search says of a history if all need not have returned but the witness without one of
 * it; SIM_HISTORY_NOTHING: with all of it. */
static uint32_t verdict_without(const struct sim_history *history,
                                const struct sim_consistency_result *found, uint32_t skip)
{
    static struct sim_history_operation kept[64];
    cr_assert_leq(history->count, sizeof kept / sizeof *kept);
    memcpy(kept, history->operations, history->count * sizeof *kept);
    for (uint32_t i = 0, next = 0; i < history->count; i++) {
        const bool named = next < found->witness_count && found->witness[next] == i;
        next += named;
        if ((!named || i == skip) && kept[i].outcome != SIM_OUTCOME_FAIL) {
            const bool reads = kept[i].action == SIM_ACTION_READ;
            kept[i].outcome = reads ? SIM_OUTCOME_INFO : kept[i].outcome;
            kept[i].returned = SIM_POSITION_NEVER;
        }
    }
    struct sim_history weaker = *history;
    weaker.operations = kept;
    const struct sim_budget little = {.steps = 5000, .memory_bytes = ample_budget.memory_bytes};
    struct sim_consistency_result result;
    sim_check_linearizable(&weaker, &little, &result);
    sim_consistency_result_release(&result);
    return result.verdict;
}

/* Is a monitor's witness one, and does it name no read without need? False if it takes too long to
 * find out. */
static bool expect_witness(const struct sim_history *history,
                           const struct sim_consistency_result *found, uint64_t seed)
{
    cr_assert_gt(found->witness_count, 0);
    const uint32_t verdict = verdict_without(history, found, SIM_HISTORY_NOTHING);
    cr_assert_neq(verdict, SIM_HOLDS,
                  "seed %" PRIu64 ": the witness %u ... of %u (%s) does not do:%s", seed,
                  found->witness[0], found->witness_count, found->detail, history_text(history));
    for (uint32_t i = 0; i < found->witness_count; i++) {
        if (history->operations[found->witness[i]].action == SIM_ACTION_READ) {
            cr_assert_neq(verdict_without(history, found, found->witness[i]), SIM_VIOLATED,
                          "seed %" PRIu64 ": %u of the witness %u ... of %u (%s) can go:%s", seed,
                          found->witness[i], found->witness[0], found->witness_count, found->detail,
                          history_text(history));
        }
    }
    return verdict == SIM_VIOLATED;
}

/* Histories too long to try in all orders: what the monitors say of them, and what the search says
 * once a last operation writes a value for the second time, so that no monitor takes them. */
static void compare_monitor_with_search(uint32_t object, enum sim_action writes)
{
    enum { LONG_SEEDS = 600 };
    uint32_t verdicts[SIM_VERDICT_COUNT] = {0}, undecided = 0, shown = 0;
    for (uint64_t seed = 0; seed < LONG_SEEDS; seed++) {
        const struct random_history options = {.object = object,
                                               .operations = 14 + (uint32_t)(seed % 16),
                                               .processes = 3 + (uint32_t)(seed % 4),
                                               .keys = 1,
                                               .lie_percent = (uint32_t)(seed / 4 % 3) * 3,
                                               .lost_percent = (uint32_t)(seed / 12 % 3) * 5};
        struct sim_history history;
        struct sim_consistency_result result;
        random_history(&history, &options, seed);
        sim_check_linearizable(&history, &ample_budget, &result);
        const uint32_t told = result.verdict;
        struct sim_consistency_result by_monitor = result;
        verdicts[told]++;
        struct sim_history_operation last = {.process = sim_history_process(&history, 99),
                                             .action = (uint8_t)writes};
        for (size_t i = 0; i < history.count; i++) {
            if (history.operations[i].action == writes) {
                last.value = history.operations[i].value;
            }
        }
        const uint32_t place = sim_history_invoke(&history, &last);
        sim_history_return(&history, place, SIM_OUTCOME_OK, SIM_VALUE_UNKNOWN);
        sim_check_linearizable(&history, &ample_budget, &result);
        undecided += result.verdict == SIM_UNKNOWN;
        cr_assert(result.verdict == told || result.verdict == SIM_UNKNOWN,
                  "seed %" PRIu64 " of %s: %s, then %s (%s) of%s", seed, sim_object_names[object],
                  sim_verdict_name(told), sim_verdict_name(result.verdict), result.detail,
                  history_text(&history));
        if (told == SIM_VIOLATED && !strstr(by_monitor.detail, "no order gets past")) {
            shown += expect_witness(&history, &by_monitor, seed);
        }
        sim_consistency_result_release(&by_monitor);
        sim_consistency_result_release(&result);
        sim_history_release(&history);
    }
    cr_expect_lt(undecided, LONG_SEEDS / 20, "%s", sim_object_names[object]);
    cr_expect_gt(verdicts[SIM_HOLDS], LONG_SEEDS / 10, "%s", sim_object_names[object]);
    cr_expect_gt(verdicts[SIM_VIOLATED], LONG_SEEDS / 10, "%s", sim_object_names[object]);
    cr_expect_gt(shown, LONG_SEEDS / 30, "%s: %" PRIu32, sim_object_names[object], shown);
}

Test(linearizable, monitors_say_what_the_search_says)
{
    compare_monitor_with_search(SIM_OBJECT_REGISTER, SIM_ACTION_WRITE);
    compare_monitor_with_search(SIM_OBJECT_SET, SIM_ACTION_ADD);
    compare_monitor_with_search(SIM_OBJECT_QUEUE, SIM_ACTION_ENQUEUE);
    compare_monitor_with_search(SIM_OBJECT_STACK, SIM_ACTION_PUSH);
}
