/* Sequential consistency against the plainest checker, on thousands of small histories of every
 * type, and on small histories by hand. */
#include <criterion/criterion.h>

#include "definitions.h"
#include "sim/consistency/linearizable.h"
#include "sim/consistency/machine.h"
#include "sim/consistency/sequential.h"

enum { SEEDS = 4000 };

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

static bool holds(const struct sim_history *history, uint32_t model)
{
    (void)model;
    return brute_sequential(history);
}

static const struct definition sequential_consistency = {.name = "sequential consistency",
                                                         .check = sim_check_sequential,
                                                         .holds = holds,
                                                         .decides = true};

static void compare_with_brute_force(uint32_t object)
{
    uint32_t violated = 0;
    uint32_t weaker = 0;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct sim_history history;
        const struct random_history options = options_of(seed, object);
        random_history(&history, &options, seed);
        if (expect_as_defined(&sequential_consistency, &history, seed, true) == SIM_VIOLATED) {
            violated++;
        } else {
            weaker += !brute_linearizable(&history);
        }
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

/* Of a witness, writes that need not have returned are left out. */
static void expect(const char *const *words, uint32_t verdict, uint32_t witness_count)
{
    struct sim_history h;
    play_words(&h, words);
    struct sim_consistency_result result;
    sim_check_sequential(&h, &ample_budget, &result);
    cr_expect_eq(result.verdict, verdict, "%s:%s", result.detail, history_text(&h));
    cr_expect_eq(result.witness_count, witness_count, "%s:%s", result.detail, history_text(&h));
    sim_consistency_result_release(&result);
    sim_history_release(&h);
}

/* A read may be late, as long as no process sees time go back. */
Test(sequential, a_stale_read_is_in_order)
{
    expect(HISTORY("0wx1", "0wx2", "1rx", "1rx1", "1rx2"), SIM_HOLDS, 0);
}

Test(sequential, a_process_does_not_go_back)
{
    expect(HISTORY("0wx1", "0wx2", "1rx2", "1rx1"), SIM_VIOLATED, 3);
}

/* Store buffering: each key by itself is in order, both together are not. */
Test(sequential, keys_are_judged_together)
{
    expect(HISTORY("0wx1", "0ry", "1wy1", "1rx"), SIM_VIOLATED, 4);
}

/* Two readers that disagree on the order of two writes. */
Test(sequential, all_see_one_order)
{
    expect(HISTORY("0wx1", "1wx2", "2rx1", "2rx2", "3rx2", "3rx1"), SIM_VIOLATED, 4);
}

/* What the budget does not allow is unknown, and costs no more than the budget. */
Test(sequential, the_budget_bounds_the_search)
{
    struct sim_history h;
    history_begin(&h, SIM_OBJECT_REGISTER);
    for (uint32_t i = 0; i < 60; i++) { /* Each value is written by everybody. */
        const char process = (char)('0' + i % 6);
        play_word(&h, (const char[]){process, 'w', 'x', (char)('1' + i / 6 % 5), '\0'});
        play_word(&h, (const char[]){process, 'r', 'x', (char)('1' + (i + 1) / 6 % 5), '\0'});
    }
    play_word(&h, "6rx3");
    play_word(&h, "6ry");
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
    struct sim_history history;
    const struct random_history options = {
        .object = object, .operations = 10, .processes = 3, .keys = 2, .lie_percent = 30};
    random_history(&history, &options, seed);
    struct sim_consistency_result all;
    model->check(&history, &ample_budget, &all);
    for (size_t limit = 0; limit < 1 << 15; limit += limit < 3000 ? 13 : 501) {
        const struct sim_budget little = {.steps = ample_budget.steps, .memory_bytes = limit};
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
