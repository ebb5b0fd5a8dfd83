/* Sequential consistency against the plainest checker, on thousands of small histories of every
 * type, and on small histories by hand. */
#include <criterion/criterion.h>
#include <inttypes.h>

#include "histories.h"
#include "sim/check/check.h"
#include "sim/consistency/linearizable.h"
#include "sim/consistency/machine.h"
#include "sim/consistency/models.h"
#include "sim/consistency/sequential.h"

static const struct sim_budget budget = {.steps = 1000000, .memory_bytes = 64 << 20};

enum { SEEDS = 4000, MEMORY = 1 << 20 };

/* More lies than for linearizability, which a stale read alone breaks. */
static struct random_history options_of(uint64_t seed, uint32_t object)
{
    return (struct random_history){.object = object,
                                   .operations = 3 + (uint32_t)(seed % 7),
                                   .processes = 2 + (uint32_t)(seed / 3 % 3),
                                   .keys = 1 + (seed % 5 < 2),
                                   .values = seed % 2 ? 0 : 2 + (uint32_t)(seed / 2 % 2),
                                   .lie_percent = (uint32_t)(seed / 5 % 3) * 20,
                                   .lost_percent = (uint32_t)(seed / 7 % 3) * 15,
                                   .sessions = seed / 11 % 4 == 0};
}

/* The witness must be a violation if all else may have taken place, any time later, or not. */
static void expect_witness_violates(const struct sim_history *history,
                                    const struct sim_consistency_result *result, uint64_t seed)
{
    cr_assert_gt(result->witness_count, 0, "seed %" PRIu64, seed);
    static struct sim_history_operation kept[BRUTE_OPERATIONS_MAX];
    for (uint32_t skip = 0; skip <= result->witness_count; skip++) {
        memcpy(kept, history->operations, history->count * sizeof *kept);
        for (uint32_t i = 0, next = 0; i < history->count; i++) {
            const bool named = next < result->witness_count && result->witness[next] == i;
            if (!named || next == skip) {
                kept[i].returned = SIM_POSITION_NEVER;
            }
            next += named;
        }
        struct sim_history weaker = *history;
        weaker.operations = kept;
        cr_assert_eq(brute_sequential(&weaker), skip < result->witness_count,
                     "seed %" PRIu64 ": witness %u ... of %u, without its %u:%s", seed,
                     result->witness[0], result->witness_count, skip, history_text(history));
    }
}

static void compare_with_brute_force(uint32_t object)
{
    uint32_t violated = 0;
    uint32_t weaker = 0;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct sim_rng rng;
        sim_rng_seed(&rng, seed, object);
        struct sim_history history;
        cr_assert_eq(sim_history_init(&history, MEMORY), SIM_OK);
        const struct random_history options = options_of(seed, object);
        random_history(&history, &options, &rng);
        struct sim_consistency_result result;
        sim_check_sequential(&history, &budget, &result);
        const bool expected = brute_sequential(&history);
        cr_assert_eq(result.verdict, expected ? SIM_HOLDS : SIM_VIOLATED,
                     "seed %" PRIu64 " of %s: we say %s (%s) of%s", seed, sim_object_names[object],
                     sim_verdict_name(result.verdict), result.detail, history_text(&history));
        if (!expected) {
            violated++;
            expect_witness_violates(&history, &result, seed);
        } else {
            weaker += !brute_linearizable(&history);
        }
        sim_consistency_result_release(&result);
        sim_history_release(&history);
    }
    /* Both answers must have been put to the test, and so must what sets the model apart. */
    cr_expect_gt(violated, SEEDS / 20, "%s", sim_object_names[object]);
    cr_expect_lt(violated, SEEDS - SEEDS / 20, "%s", sim_object_names[object]);
    cr_expect_gt(weaker, SEEDS / 80, "%s: %u of %u", sim_object_names[object], weaker, SEEDS);
}

TestSuite(sequential, .timeout = 120);

Test(sequential, registers_as_brute_force_says)
{
    compare_with_brute_force(SIM_OBJECT_REGISTER);
}

Test(sequential, keys_as_brute_force_says)
{
    compare_with_brute_force(SIM_OBJECT_KV);
}

Test(sequential, lists_as_brute_force_says)
{
    compare_with_brute_force(SIM_OBJECT_LIST);
}

Test(sequential, sets_as_brute_force_says)
{
    compare_with_brute_force(SIM_OBJECT_SET);
}

Test(sequential, queues_as_brute_force_says)
{
    compare_with_brute_force(SIM_OBJECT_QUEUE);
}

Test(sequential, stacks_as_brute_force_says)
{
    compare_with_brute_force(SIM_OBJECT_STACK);
}

Test(sequential, counters_as_brute_force_says)
{
    compare_with_brute_force(SIM_OBJECT_COUNTER);
}

Test(sequential, locks_as_brute_force_says)
{
    compare_with_brute_force(SIM_OBJECT_LOCK);
}

/* ---- By hand ---- */

/* Operations one after the other, each returned before the next is invoked. */
static void play(struct sim_history *history, uint32_t process, uint32_t key, uint32_t action,
                 int64_t value)
{
    const uint32_t number = value == 0 ? SIM_VALUE_NIL : sim_history_integer(history, value);
    const struct sim_history_operation o = {
        .process = sim_history_process(history, process),
        .key = sim_history_integer(history, key),
        .action = (uint8_t)action,
        .value = action == SIM_ACTION_WRITE ? number : SIM_VALUE_NIL,
    };
    const uint32_t place = sim_history_invoke(history, &o);
    cr_assert_neq(place, SIM_HISTORY_NOTHING);
    sim_history_return(history, place, SIM_OUTCOME_OK,
                       action == SIM_ACTION_READ ? number : SIM_VALUE_NIL);
}

/* Of a witness, writes that need not have returned are left out. */
static uint32_t verdict_of(struct sim_history *history, uint32_t witness_count)
{
    struct sim_consistency_result result;
    sim_check_sequential(history, &budget, &result);
    cr_expect_eq(result.witness_count, witness_count, "%s", result.detail);
    const uint32_t verdict = result.verdict;
    sim_consistency_result_release(&result);
    sim_history_release(history);
    return verdict;
}

/* A read may be late, as long as no process sees time go back. */
Test(sequential, a_stale_read_is_in_order)
{
    struct sim_history h;
    cr_assert_eq(sim_history_init(&h, MEMORY), SIM_OK);
    play(&h, 0, 1, SIM_ACTION_WRITE, 1);
    play(&h, 0, 1, SIM_ACTION_WRITE, 2);
    play(&h, 1, 1, SIM_ACTION_READ, 0);
    play(&h, 1, 1, SIM_ACTION_READ, 1);
    play(&h, 1, 1, SIM_ACTION_READ, 2);
    cr_expect_eq(verdict_of(&h, 0), SIM_HOLDS);
}

Test(sequential, a_process_does_not_go_back)
{
    struct sim_history h;
    cr_assert_eq(sim_history_init(&h, MEMORY), SIM_OK);
    play(&h, 0, 1, SIM_ACTION_WRITE, 1);
    play(&h, 0, 1, SIM_ACTION_WRITE, 2);
    play(&h, 1, 1, SIM_ACTION_READ, 2);
    play(&h, 1, 1, SIM_ACTION_READ, 1);
    cr_expect_eq(verdict_of(&h, 3), SIM_VIOLATED);
}

/* Store buffering: each key by itself is in order, both together are not. */
Test(sequential, keys_are_judged_together)
{
    struct sim_history h;
    cr_assert_eq(sim_history_init(&h, MEMORY), SIM_OK);
    play(&h, 0, 1, SIM_ACTION_WRITE, 1);
    play(&h, 0, 2, SIM_ACTION_READ, 0);
    play(&h, 1, 2, SIM_ACTION_WRITE, 1);
    play(&h, 1, 1, SIM_ACTION_READ, 0);
    cr_expect_eq(verdict_of(&h, 4), SIM_VIOLATED);
}

/* Two readers that disagree on the order of two writes. */
Test(sequential, all_see_one_order)
{
    struct sim_history h;
    cr_assert_eq(sim_history_init(&h, MEMORY), SIM_OK);
    play(&h, 0, 1, SIM_ACTION_WRITE, 1);
    play(&h, 1, 1, SIM_ACTION_WRITE, 2);
    play(&h, 2, 1, SIM_ACTION_READ, 1);
    play(&h, 2, 1, SIM_ACTION_READ, 2);
    play(&h, 3, 1, SIM_ACTION_READ, 2);
    play(&h, 3, 1, SIM_ACTION_READ, 1);
    cr_expect_eq(verdict_of(&h, 4), SIM_VIOLATED);
}

/* What the budget does not allow is unknown, and costs no more than the budget. */
Test(sequential, the_budget_bounds_the_search)
{
    struct sim_history h;
    cr_assert_eq(sim_history_init(&h, MEMORY), SIM_OK);
    for (uint32_t i = 0; i < 60; i++) { /* Each value is written by everybody. */
        play(&h, i % 6, 1, SIM_ACTION_WRITE, 1 + i / 6 % 5);
        play(&h, i % 6, 1, SIM_ACTION_READ, 1 + (i + 1) / 6 % 5);
    }
    play(&h, 6, 1, SIM_ACTION_READ, 3);
    play(&h, 6, 2, SIM_ACTION_READ, 0);
    const struct sim_budget small = {.steps = 500, .memory_bytes = 1 << 20};
    const struct sim_budget tiny = {.steps = 500, .memory_bytes = 2000};
    struct sim_consistency_result result;
    sim_check_sequential(&h, &small, &result);
    cr_expect_eq(result.verdict, SIM_UNKNOWN);
    cr_expect_lt(result.steps, 1200);
    cr_expect_str_eq(result.detail, "undecided: the steps of the budget are spent");
    sim_consistency_result_release(&result);
    sim_check_sequential(&h, &tiny, &result);
    cr_expect_eq(result.verdict, SIM_UNKNOWN);
    cr_expect_str_eq(result.detail, "out of memory");
    sim_consistency_result_release(&result);
    sim_history_release(&h);
}

static void expect_memory_bounds(const struct sim_model *model, uint32_t object, uint64_t seed)
{
    struct sim_rng rng;
    sim_rng_seed(&rng, seed, object);
    struct sim_history history;
    cr_assert_eq(sim_history_init(&history, MEMORY), SIM_OK);
    const struct random_history options = {
        .object = object, .operations = 10, .processes = 3, .keys = 2, .lie_percent = 30};
    random_history(&history, &options, &rng);
    struct sim_consistency_result all;
    model->check(&history, &budget, &all);
    for (size_t limit = 0; limit < 1 << 15; limit += limit < 3000 ? 13 : 501) {
        const struct sim_budget little = {.steps = budget.steps, .memory_bytes = limit};
        struct sim_consistency_result result;
        model->check(&history, &little, &result);
        cr_assert(result.verdict == SIM_UNKNOWN || result.verdict == all.verdict,
                  "%s with %zu bytes: %s", sim_model_name(model), limit, result.detail);
        sim_consistency_result_release(&result);
    }
    sim_consistency_result_release(&all);
    sim_history_release(&history);
}

/* Whatever allocation fails, what is said is right, and all is given back (trial.c asserts it). */
Test(sequential, no_model_is_wrong_without_memory)
{
    static const uint32_t objects[] = {SIM_OBJECT_REGISTER, SIM_OBJECT_KV, SIM_OBJECT_LIST};
    for (size_t m = 0; m < sim_model_count; m++) {
        for (size_t o = 0; o < 3 * 8; o++) {
            if (sim_models[m].check && sim_model_judges(&sim_models[m], objects[o % 3])) {
                expect_memory_bounds(&sim_models[m], objects[o % 3], o);
            }
        }
    }
}
