/* The queue of pending events against a sorted array, which is slow and plainly right. */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>

#include "sim/queue.h"

enum { MIB = 1024 * 1024, MODEL_MAX = 2000 };

static struct sim_arena *arena;
static struct sim_queue *queue;

static void set_up(size_t capacity_bytes)
{
    arena = sim_arena_new(capacity_bytes);
    cr_assert_not_null(arena);
    queue = sim_queue_new(arena);
    cr_assert_not_null(queue);
}

static void start_again(void)
{
    sim_arena_reset(arena);
    queue = sim_queue_new(arena);
    cr_assert_not_null(queue);
}

/* The event `number` at a time; every field is a function of both, so none can get lost. */
static struct sim_pending event_at(uint64_t time_ns, uint64_t number)
{
    return (struct sim_pending){.time_ns = time_ns,
                                .kind = (uint32_t)number * 3,
                                .target = (uint32_t)number * 5,
                                .data = number,
                                .data2 = time_ns ^ number};
}

static bool same_event(struct sim_pending a, struct sim_pending b)
{
    return a.time_ns == b.time_ns && a.kind == b.kind && a.target == b.target && a.data == b.data &&
           a.data2 == b.data2;
}

static void push(uint64_t time_ns, uint64_t number)
{
    cr_assert_eq(sim_queue_push(queue, event_at(time_ns, number)), SIM_OK);
}

static struct sim_pending pop(void)
{
    struct sim_pending event = {0};
    cr_assert(sim_queue_pop(queue, &event));
    return event;
}

/* --- The model --- */

struct model {
    struct sim_pending events[MODEL_MAX];
    size_t count;
};

static void model_push(struct model *model, struct sim_pending event)
{
    cr_assert_lt(model->count, MODEL_MAX);
    size_t i = model->count++;
    for (; i > 0 && model->events[i - 1].time_ns > event.time_ns; i--) {
        model->events[i] = model->events[i - 1];
    }
    model->events[i] = event;
}

static struct sim_pending model_take(struct model *model, size_t index)
{
    const struct sim_pending event = model->events[index];
    model->count--;
    memmove(&model->events[index], &model->events[index + 1],
            (model->count - index) * sizeof event);
    return event;
}

/* A delay of any magnitude, often none, now and then far beyond the end of any run. */
static uint64_t random_delay(struct sim_rng *rng, uint32_t magnitude)
{
    const uint64_t delay = sim_rng_u64(rng);
    switch (sim_rng_bounded(rng, 8)) {
    case 0:
    case 1:
        return 0;
    case 2:
        return delay >> sim_rng_bounded(rng, 64);
    default:
        return delay >> magnitude;
    }
}

static void check_against_model(uint64_t seed, uint32_t steps)
{
    static struct model model;
    struct sim_rng rng;
    sim_rng_seed(&rng, seed, 1);
    start_again();
    model.count = 0;
    const uint32_t magnitude = 2 + sim_rng_bounded(&rng, 62);
    const uint32_t growth = 1 + sim_rng_bounded(&rng, 3);
    uint64_t now_ns = 0;
    for (uint32_t step = 0; step < steps; step++) {
        const bool growing = step < steps / 2;
        if (sim_rng_bounded(&rng, 4) < (growing ? 1 + growth : 1)) {
            const uint64_t time_ns = sim_add_sat(now_ns, random_delay(&rng, magnitude));
            push(time_ns, step);
            model_push(&model, event_at(time_ns, step));
        } else {
            struct sim_pending got;
            const bool any = sim_queue_pop(queue, &got);
            cr_assert_eq(any, model.count > 0, "seed %" PRIu64 ", step %" PRIu32, seed, step);
            if (any) {
                cr_assert(same_event(got, model_take(&model, 0)), "seed %" PRIu64 ", step %" PRIu32,
                          seed, step);
                now_ns = got.time_ns;
            }
        }
        cr_assert_eq(sim_queue_count(queue), model.count);
        if (sim_rng_chance(&rng, 500000)) {
            cr_assert_eq(sim_queue_next_ns(queue),
                         model.count ? model.events[0].time_ns : SIM_NEVER,
                         "seed %" PRIu64 ", step %" PRIu32, seed, step);
        }
    }
    while (model.count > 0) {
        cr_assert(same_event(pop(), model_take(&model, 0)), "seed %" PRIu64 ", at the end", seed);
    }
    cr_assert_eq(sim_queue_count(queue), 0);
}

/* Any mix of pushes, pops and looks gives what a stable sorted array gives. */
Test(queue, is_a_stable_sorted_array)
{
    set_up(4 * MIB);
    for (uint64_t seed = 0; seed < 1500; seed++) {
        check_against_model(seed, 50 + seed % 1000);
    }
    sim_arena_free(arena);
}

/* An empty queue has nothing, and nothing is next. */
Test(queue, empty_has_nothing)
{
    set_up(MIB);
    struct sim_pending event = event_at(5, 6);
    struct sim_rng rng;
    sim_rng_seed(&rng, 1, 1);
    cr_expect_not(sim_queue_pop(queue, &event));
    cr_expect_not(sim_queue_pop_shuffled(queue, &rng, &event));
    cr_expect(same_event(event, event_at(5, 6)), "nothing may be written");
    cr_expect_eq(sim_queue_next_ns(queue), SIM_NEVER);
    cr_expect_eq(sim_queue_count(queue), 0);
    sim_arena_free(arena);
}

/* Looking at the next event does not forbid an earlier one. */
Test(queue, may_push_before_what_was_looked_at)
{
    set_up(MIB);
    push(UINT64_C(1) << 40, 1);
    push((UINT64_C(1) << 40) + 1, 2);
    cr_expect_eq(sim_queue_next_ns(queue), UINT64_C(1) << 40);
    push(1000, 3);
    cr_expect_eq(sim_queue_next_ns(queue), 1000);
    push(0, 4);
    cr_expect_eq(sim_queue_next_ns(queue), 0);
    const uint64_t order[] = {4, 3, 1, 2};
    for (int i = 0; i < 4; i++) {
        cr_expect_eq(pop().data, order[i], "pop %d", i);
    }
    sim_arena_free(arena);
}

/* What is pushed at the present time comes after what was pending at it, over and over. */
Test(queue, a_push_at_the_present_comes_last)
{
    set_up(MIB);
    for (uint64_t number = 0; number < 40; number++) {
        push(777, number);
    }
    for (uint64_t number = 0; number < 1000; number++) {
        cr_assert_eq(pop().data, number);
        push(777, number + 40);
    }
    sim_arena_free(arena);
}

/* The end of time is a time like any other. */
Test(queue, works_at_the_end_of_time)
{
    set_up(MIB);
    push(UINT64_MAX, 1);
    push(UINT64_MAX - 1, 2);
    push(UINT64_MAX, 3);
    push(0, 4);
    const uint64_t order[] = {4, 2, 1, 3, 5};
    for (int i = 0; i < 5; i++) {
        cr_expect_eq(pop().data, order[i], "pop %d", i);
        if (i == 2) {
            push(UINT64_MAX, 5);
        }
    }
    cr_expect_eq(sim_queue_count(queue), 0);
    sim_arena_free(arena);
}

/* Scheduling into the past is the caller's bug. */
Test(queue, pushing_into_the_past_asserts, .signal = SIGABRT)
{
    set_up(MIB);
    push(1000, 1);
    push(5000, 2);
    (void)pop();
    push(999, 3);
}

/* A hundred thousand events, a third of them ties, come out in order, each once. */
Test(queue, sorts_a_hundred_thousand)
{
    enum { EVENTS = 100000 };
    set_up(64 * MIB);
    bool *seen = calloc(EVENTS, sizeof *seen);
    cr_assert_not_null(seen);
    for (uint64_t seed = 0; seed < 4; seed++) {
        struct sim_rng rng;
        sim_rng_seed(&rng, seed, 3);
        start_again();
        memset(seen, 0, EVENTS * sizeof *seen);
        uint64_t time_ns = 0;
        for (uint64_t number = 0; number < EVENTS; number++) {
            if (sim_rng_bounded(&rng, 3) > 0) {
                time_ns = sim_rng_u64(&rng) >> (16 * seed);
            }
            push(time_ns, number);
        }
        struct sim_pending last = pop();
        seen[last.data] = true;
        for (int i = 1; i < EVENTS; i++) {
            const struct sim_pending event = pop();
            cr_assert(same_event(event, event_at(event.time_ns, event.data)));
            cr_assert(event.time_ns > last.time_ns ||
                          (event.time_ns == last.time_ns && event.data > last.data),
                      "seed %" PRIu64 ", event %d", seed, i);
            cr_assert_not(seen[event.data], "seed %" PRIu64 ", twice", seed);
            seen[event.data] = true;
            last = event;
        }
        cr_assert_eq(sim_queue_count(queue), 0);
    }
    free(seen);
    sim_arena_free(arena);
}

/* Shuffled, an event is still one of the earliest, and each comes once. */
Test(queue, shuffled_pops_keep_to_the_earliest_time)
{
    static struct model model;
    set_up(4 * MIB);
    for (uint64_t seed = 0; seed < 300; seed++) {
        struct sim_rng rng;
        struct sim_rng shuffle;
        sim_rng_seed(&rng, seed, 4);
        sim_rng_seed(&shuffle, seed, 5);
        start_again();
        model.count = 0;
        uint64_t now_ns = 0;
        for (uint64_t number = 0; number < 500; number++) {
            const uint64_t time_ns = now_ns + sim_rng_bounded(&rng, 1 + (seed % 50) * 10);
            push(time_ns, number);
            model_push(&model, event_at(time_ns, number));
            if (sim_rng_bounded(&rng, 2) == 0) {
                struct sim_pending got;
                cr_assert(sim_queue_pop_shuffled(queue, &shuffle, &got));
                size_t i = 0;
                while (model.events[i].data != got.data) {
                    i++;
                    cr_assert_lt(i, model.count, "seed %" PRIu64 ": not pending", seed);
                }
                now_ns = model.events[0].time_ns;
                cr_assert_eq(got.time_ns, now_ns, "seed %" PRIu64, seed);
                cr_assert(same_event(got, model_take(&model, i)), "seed %" PRIu64, seed);
            }
        }
        cr_assert_eq(sim_queue_count(queue), model.count);
    }
    sim_arena_free(arena);
}

/* Of four events at one time, each of the 24 orders comes up, about equally often. */
Test(queue, every_order_of_ties_is_reached)
{
    enum { TRIALS = 24 * 400 };
    set_up(MIB);
    struct sim_rng shuffle;
    sim_rng_seed(&shuffle, 7, 7);
    uint32_t times_seen[256] = {0}; /* By the four numbers, two bits each. */
    for (int trial = 0; trial < TRIALS; trial++) {
        start_again();
        for (uint64_t number = 0; number < 4; number++) {
            push(UINT64_C(123456789), number);
        }
        uint64_t order = 0;
        for (int i = 0; i < 4; i++) {
            struct sim_pending event;
            cr_assert(sim_queue_pop_shuffled(queue, &shuffle, &event));
            order = order << 2 | event.data;
        }
        times_seen[order]++;
    }
    int orders = 0;
    for (int i = 0; i < 256; i++) {
        if (times_seen[i] > 0) {
            orders++;
            /* Binomial, mean 400, deviation 19.6: five of them either way. */
            cr_expect_geq(times_seen[i], 302, "order %02x", (unsigned)i);
            cr_expect_leq(times_seen[i], 498, "order %02x", (unsigned)i);
        }
    }
    cr_expect_eq(orders, 24);
    sim_arena_free(arena);
}

/* In a crowd that fills many chunks, the last of a thousand ties may come first. */
Test(queue, any_of_many_ties_may_come_first)
{
    enum { TIES = 1000, TRIALS = 20000 };
    set_up(MIB);
    struct sim_rng shuffle;
    sim_rng_seed(&shuffle, 8, 8);
    static bool first[TIES];
    int firsts = 0;
    for (int trial = 0; trial < TRIALS; trial++) {
        start_again();
        for (uint64_t number = 0; number < TIES; number++) {
            push(99, number);
        }
        struct sim_pending event;
        cr_assert(sim_queue_pop_shuffled(queue, &shuffle, &event));
        firsts += !first[event.data];
        first[event.data] = true;
    }
    cr_expect_eq(firsts, TIES);
    sim_arena_free(arena);
}

/* Without ties a shuffle has no choice, so it draws nothing and the order is the plain one. */
Test(queue, shuffling_without_ties_changes_nothing)
{
    set_up(MIB);
    struct sim_rng shuffle;
    sim_rng_seed(&shuffle, 9, 9);
    const struct sim_rng before = shuffle;
    for (uint64_t number = 0; number < 500; number++) {
        push((number * 7919) % 500, number);
    }
    for (uint64_t time_ns = 0; time_ns < 500; time_ns++) {
        struct sim_pending event;
        cr_assert(sim_queue_pop_shuffled(queue, &shuffle, &event));
        cr_assert_eq(event.time_ns, time_ns);
    }
    cr_expect_eq(shuffle.state, before.state);
    sim_arena_free(arena);
}

/* --- Memory --- */

/* Hash of what `steps` further pops and pushes give. */
static uint64_t run_on(struct sim_rng rng, int steps)
{
    uint64_t hash = 0;
    for (int step = 0; step < steps; step++) {
        const struct sim_pending event = pop();
        hash = sim_mix64(hash ^ event.time_ns) + event.data;
        push(sim_add_sat(event.time_ns, random_delay(&rng, 44)), event.data);
    }
    return hash;
}

/* Run on, restore, run on again: the same events in the same order. */
Test(queue, continues_from_a_snapshot_as_before)
{
    set_up(4 * MIB);
    struct sim_snapshot snapshot = {0};
    for (uint64_t seed = 0; seed < 40; seed++) {
        struct sim_rng rng;
        sim_rng_seed(&rng, seed, 6);
        start_again();
        for (uint64_t number = 0; number < 1 + seed * 20; number++) {
            push(random_delay(&rng, 40), number);
        }
        (void)run_on(rng, (int)seed * 50);
        cr_assert_eq(sim_snapshot_take(&snapshot, arena), SIM_OK);
        const uint64_t hash = run_on(rng, 1000);
        sim_snapshot_restore(&snapshot, arena);
        cr_assert_eq(run_on(rng, 1000), hash, "seed %" PRIu64, seed);
        sim_snapshot_restore(&snapshot, arena);
        cr_assert_neq(run_on(rng, 999), hash, "seed %" PRIu64 ": the hash sees nothing", seed);
    }
    sim_snapshot_release(&snapshot);
    sim_arena_free(arena);
}

/* With the arena full, a push fails and changes nothing; pops still work, however the events
 * are spread, and make room for as many pushes again. */
Test(queue, out_of_memory_changes_nothing)
{
    static struct model model;
    for (uint64_t seed = 0; seed < 200; seed++) {
        struct sim_rng rng;
        sim_rng_seed(&rng, seed, 10);
        set_up(48 * 1024 + 1000 * seed);
        model.count = 0;
        const uint32_t magnitude = 1 + (uint32_t)seed % 60;
        uint64_t now_ns = 0;
        uint64_t number = 0;
        size_t count_max = 0;
        for (int round = 0; round < 50; round++) {
            for (; model.count < MODEL_MAX; number++) {
                const uint64_t next_ns = sim_queue_next_ns(queue);
                const uint64_t time_ns = sim_add_sat(now_ns, random_delay(&rng, magnitude));
                if (sim_queue_push(queue, event_at(time_ns, number)) == SIM_ENOMEM) {
                    cr_assert_eq(sim_queue_count(queue), model.count, "seed %" PRIu64, seed);
                    cr_assert_eq(sim_queue_next_ns(queue), next_ns, "seed %" PRIu64, seed);
                    break;
                }
                model_push(&model, event_at(time_ns, number));
            }
            cr_assert_geq(model.count, count_max, "seed %" PRIu64 ": memory was lost", seed);
            count_max = model.count;
            const uint32_t pops = 1 + sim_rng_bounded(&rng, (uint32_t)model.count);
            for (uint32_t i = 0; i < pops; i++) {
                const struct sim_pending got = pop();
                cr_assert(same_event(got, model_take(&model, 0)), "seed %" PRIu64, seed);
                now_ns = got.time_ns;
            }
        }
        sim_arena_free(arena);
    }
}

/* A queue that does not fit into its arena is not made. */
Test(queue, needs_room_for_itself)
{
    struct sim_arena *small = sim_arena_new(4096);
    cr_assert_not_null(small);
    const size_t used = sim_arena_used_bytes(small);
    cr_expect_null(sim_queue_new(small));
    cr_expect_eq(sim_arena_used_bytes(small), used);
    sim_arena_free(small);
}

/* A small world pays for a small queue. */
Test(queue, small_stays_small)
{
    set_up(MIB);
    for (uint64_t number = 0; number < 50; number++) {
        push(number * SIM_MS, number);
    }
    struct sim_rng rng;
    sim_rng_seed(&rng, 1, 11);
    (void)run_on(rng, 10000);
    cr_expect_leq(sim_arena_used_bytes(arena), 64 * 1024);
    sim_arena_free(arena);
}
