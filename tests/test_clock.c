#include "sim/clock.h"

#include <criterion/criterion.h>
#include <signal.h>

/* A drift anywhere in the allowed range, often tiny, often at its ends, sometimes none. */
static int32_t random_drift_ppb(struct sim_rng *rng)
{
    const uint64_t kind = sim_rng_between(rng, 0, 3);
    const int32_t wide = (int32_t)sim_rng_between(rng, 0, 2 * SIM_CLOCK_DRIFT_MAX_PPB);
    switch (kind) {
    case 0:
        return wide - SIM_CLOCK_DRIFT_MAX_PPB;
    case 1:
        return wide % 2001 - 1000;
    case 2:
        return wide % 2 ? SIM_CLOCK_DRIFT_MAX_PPB : -SIM_CLOCK_DRIFT_MAX_PPB;
    default:
        return 0;
    }
}

/* Spread over the magnitudes 2^0 .. 2^63. */
static uint64_t random_magnitude(struct sim_rng *rng)
{
    const uint64_t value = sim_rng_u64(rng);
    const uint64_t shift = sim_rng_between(rng, 0, 63);
    return value >> shift;
}

/* A perfect clock shows true time, on both its faces. */
Test(clock, without_knobs_shows_true_time)
{
    const struct sim_clock_knobs knobs = {0};
    struct sim_clock c;
    sim_clock_init(&c, &knobs);
    const uint64_t times[] = {0, 1, SIM_S, UINT64_C(1) << 63, UINT64_MAX};
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        cr_expect_eq(sim_clock_monotonic_ns(&c, times[i]), times[i]);
        cr_expect_eq(sim_clock_wall_ns(&c, times[i]), times[i]);
        cr_expect_eq(sim_clock_true_ns(&c, times[i]), times[i]);
        cr_expect_eq(sim_clock_error_ns(&c, times[i]), 0);
    }
}

/* A drift is exact to the nanosecond, fast and slow, with the fraction cut off. */
Test(clock, drifts_by_exactly_the_parts_per_billion)
{
    const struct {
        int32_t drift_ppb;
        uint64_t true_ns;
        uint64_t monotonic_ns;
    } cases[] = {
        {100000, 10 * SIM_S, 10 * SIM_S + SIM_MS}, /* 100 ppm of 10 s is 1 ms */
        {-100000, 10 * SIM_S, 10 * SIM_S - SIM_MS},
        {1, 999999999, 999999999},
        {1, SIM_S, SIM_S + 1},
        {-1, 1, 0},
        {-1, SIM_S, SIM_S - 1},
        {-1, SIM_S + 1, SIM_S - 1},
        {500000000, 3, 4},
        {-500000000, 3, 1},
        {500000000, UINT64_MAX, UINT64_MAX},
        {-500000000, UINT64_MAX, UINT64_MAX / 2},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct sim_clock_knobs knobs = {.drift_ppb = cases[i].drift_ppb};
        struct sim_clock c;
        sim_clock_init(&c, &knobs);
        cr_expect_eq(sim_clock_monotonic_ns(&c, cases[i].true_ns), cases[i].monotonic_ns,
                     "case %zu", i);
    }
}

/* A timer's instant is the first one at which its time has come: one before, it has not. */
Test(clock, true_time_of_a_reading_is_the_first_that_shows_it)
{
    uint32_t reached = 0;
    uint32_t never = 0;
    for (uint64_t seed = 0; seed < 300000; seed++) {
        struct sim_rng rng;
        sim_rng_derive(&rng, seed, "test/clock/inverse");
        const struct sim_clock_knobs knobs = {.drift_ppb = random_drift_ppb(&rng)};
        struct sim_clock c;
        sim_clock_init(&c, &knobs);
        const uint64_t changed_ns = random_magnitude(&rng);
        const int32_t drift_ppb = random_drift_ppb(&rng);
        sim_clock_set_drift(&c, changed_ns, drift_ppb);

        const uint64_t offset_ns = random_magnitude(&rng);
        const uint64_t wanted_ns =
            sim_rng_between(&rng, 0, 7) == 0 ? offset_ns : sim_add_sat(c.monotonic_ns, offset_ns);
        const uint64_t first_ns = sim_clock_true_ns(&c, wanted_ns);
        cr_assert_geq(first_ns, changed_ns, "seed %llu", (unsigned long long)seed);
        if (first_ns == SIM_NEVER) {
            never++;
            cr_assert(wanted_ns == UINT64_MAX ||
                          sim_clock_monotonic_ns(&c, UINT64_MAX - 1) < wanted_ns,
                      "seed %llu", (unsigned long long)seed);
            continue;
        }
        cr_assert_geq(sim_clock_monotonic_ns(&c, first_ns), wanted_ns, "seed %llu",
                      (unsigned long long)seed);
        if (first_ns > changed_ns) {
            reached++;
            cr_assert_lt(sim_clock_monotonic_ns(&c, first_ns - 1), wanted_ns, "seed %llu",
                         (unsigned long long)seed);
        }
    }
    cr_expect_gt(reached, 100000);
    cr_expect_gt(never, 100);
}

/* A timer can never fire before the change of drift that a node has already lived through. */
Test(clock, a_reading_of_the_past_is_reached_at_the_last_change)
{
    const struct sim_clock_knobs knobs = {.drift_ppb = 500000000};
    struct sim_clock c;
    sim_clock_init(&c, &knobs);
    sim_clock_set_drift(&c, SIM_S, -500000000);
    cr_expect_eq(sim_clock_monotonic_ns(&c, SIM_S), SIM_S + SIM_S / 2);
    cr_expect_eq(sim_clock_true_ns(&c, 0), SIM_S);
    cr_expect_eq(sim_clock_true_ns(&c, SIM_S + SIM_S / 2), SIM_S);
    cr_expect_eq(sim_clock_true_ns(&c, SIM_S + SIM_S / 2 + 1), SIM_S + 2);
    cr_expect_eq(sim_clock_true_ns(&c, 2 * SIM_S), 2 * SIM_S);
}

/* The monotonic clock never goes back, through any changes; a smeared wall clock goes back
 * only by an operator's hand, and a plain one only when it is set. */
Test(clock, never_goes_back_but_when_set_back)
{
    uint32_t set_back = 0;
    uint32_t held = 0;
    for (uint64_t seed = 0; seed < 2000; seed++) {
        struct sim_rng rng;
        sim_rng_derive(&rng, seed, "test/clock/order");
        struct sim_clock_knobs knobs = {.offset_ns = (int64_t)SIM_S};
        knobs.drift_ppb = random_drift_ppb(&rng);
        knobs.smear = sim_rng_chance(&rng, 500000);
        struct sim_clock c;
        sim_clock_init(&c, &knobs);
        uint64_t now_ns = 0;
        uint64_t monotonic_ns = 0;
        uint64_t wall_ns = 0;
        for (uint32_t i = 0; i < 200; i++) {
            now_ns += sim_rng_between(&rng, 0, 3 * SIM_S);
            cr_assert_geq(sim_clock_monotonic_ns(&c, now_ns), monotonic_ns, "seed %llu",
                          (unsigned long long)seed);
            cr_assert_geq(sim_clock_wall_ns(&c, now_ns), wall_ns, "seed %llu",
                          (unsigned long long)seed);
            monotonic_ns = sim_clock_monotonic_ns(&c, now_ns);
            wall_ns = sim_clock_wall_ns(&c, now_ns);
            const uint64_t action = sim_rng_between(&rng, 0, 2);
            const int32_t drift_ppb = random_drift_ppb(&rng);
            const int64_t change_ns = (int64_t)sim_rng_between(&rng, 0, 2 * SIM_S) - (int64_t)SIM_S;
            if (action == 0) {
                sim_clock_set_drift(&c, now_ns, drift_ppb);
                cr_assert_eq(sim_clock_wall_ns(&c, now_ns), wall_ns, "seed %llu",
                             (unsigned long long)seed);
            } else if (action == 1) {
                sim_clock_sync(&c, now_ns, change_ns);
                if (sim_clock_wall_ns(&c, now_ns) < wall_ns) {
                    set_back++;
                    cr_assert(!knobs.smear, "seed %llu", (unsigned long long)seed);
                }
                held += c.wall_held_ns > 0 && sim_clock_wall_ns(&c, now_ns + 1) == wall_ns;
                wall_ns = sim_clock_wall_ns(&c, now_ns);
            } else {
                sim_clock_step(&c, change_ns);
                const int64_t stepped_ns = (int64_t)wall_ns + change_ns;
                /* A clock that shows 0 may stand anywhere below. */
                const bool below = wall_ns == 0;
                wall_ns = sim_clock_wall_ns(&c, now_ns);
                cr_assert(below || (int64_t)wall_ns == (stepped_ns > 0 ? stepped_ns : 0),
                          "seed %llu", (unsigned long long)seed);
            }
            cr_assert_eq(sim_clock_monotonic_ns(&c, now_ns), monotonic_ns, "seed %llu",
                         (unsigned long long)seed);
        }
    }
    cr_expect_gt(set_back, 1000, "a plain clock is set back now and then");
    cr_expect_gt(held, 1000, "a smeared one waits now and then");
}

/* Synchronisation sets the wall clock to true time plus its error, wherever it was. */
Test(clock, synchronising_sets_the_wall_clock)
{
    const struct sim_clock_knobs knobs = {.offset_ns = -5, .drift_ppb = 200000};
    struct sim_clock c;
    sim_clock_init(&c, &knobs);
    cr_expect_eq(sim_clock_wall_ns(&c, 10 * SIM_S), 10 * SIM_S + 2 * SIM_MS - 5);
    sim_clock_sync(&c, 10 * SIM_S, 700);
    cr_expect_eq(sim_clock_wall_ns(&c, 10 * SIM_S), 10 * SIM_S + 700);
    sim_clock_sync(&c, 11 * SIM_S, -700);
    cr_expect_eq(sim_clock_wall_ns(&c, 11 * SIM_S), 11 * SIM_S - 700);
    cr_expect_eq(sim_clock_monotonic_ns(&c, 11 * SIM_S), 11 * SIM_S + 2200 * SIM_US);
}

/* A smeared clock that is ahead stands still, says so in its error, and goes on on time. */
Test(clock, smeared_wall_clock_waits_for_true_time)
{
    const struct sim_clock_knobs knobs = {
        .offset_ns = 300, .error_bound_ns = 10, .smear = true, .assumed_drift_ppb = 0};
    struct sim_clock c;
    sim_clock_init(&c, &knobs);
    sim_clock_sync(&c, 1000, 0);
    cr_expect_eq(sim_clock_wall_ns(&c, 1000), 1300);
    cr_expect_eq(sim_clock_error_ns(&c, 1000), 310);
    cr_expect_eq(sim_clock_wall_ns(&c, 1299), 1300);
    cr_expect_eq(sim_clock_error_ns(&c, 1299), 11);
    cr_expect_eq(sim_clock_wall_ns(&c, 1301), 1301);
    cr_expect_eq(sim_clock_error_ns(&c, 1301), 10);
    sim_clock_sync(&c, 2000, 50);
    cr_expect_eq(sim_clock_wall_ns(&c, 2000), 2050, "forward it still jumps");
}

/* The claimed bound starts at the knob's value, grows by the assumed drift and starts afresh. */
Test(clock, error_bound_grows_until_synchronised)
{
    const struct sim_clock_knobs knobs = {.error_bound_ns = SIM_MS, .assumed_drift_ppb = 200000};
    struct sim_clock c;
    sim_clock_init(&c, &knobs);
    cr_expect_eq(sim_clock_error_ns(&c, 0), SIM_MS);
    /* Spanner, section 3: 200 us a second; 30 s between polls make 6 ms more. */
    cr_expect_eq(sim_clock_error_ns(&c, 30 * SIM_S), 7 * SIM_MS);
    cr_expect_eq(sim_clock_error_ns(&c, 1), SIM_MS + 1, "a part of a nanosecond counts");
    sim_clock_sync(&c, 30 * SIM_S, 0);
    cr_expect_eq(sim_clock_error_ns(&c, 30 * SIM_S), SIM_MS);
    sim_clock_step(&c, -(int64_t)SIM_S);
    cr_expect_eq(sim_clock_error_ns(&c, 30 * SIM_S), SIM_MS, "a clock does not know of a step");
}

/* While the real drift keeps within the assumed one, true time is within the bound. */
Test(clock, error_bound_holds_when_its_assumptions_do)
{
    for (uint64_t seed = 0; seed < 20000; seed++) {
        struct sim_rng rng;
        sim_rng_derive(&rng, seed, "test/clock/bound");
        struct sim_clock_knobs knobs = {.error_bound_ns = SIM_MS, .assumed_drift_ppb = 200000};
        knobs.drift_ppb = (int32_t)sim_rng_between(&rng, 0, 398000) - 199000;
        knobs.smear = sim_rng_chance(&rng, 500000);
        struct sim_clock c;
        sim_clock_init(&c, &knobs);
        uint64_t now_ns = 0;
        for (uint32_t i = 0; i < 10; i++) {
            now_ns += sim_rng_between(&rng, 0, 60 * SIM_S);
            const uint64_t wall_ns = sim_clock_wall_ns(&c, now_ns);
            const uint64_t apart_ns = wall_ns > now_ns ? wall_ns - now_ns : now_ns - wall_ns;
            cr_assert_leq(apart_ns, sim_clock_error_ns(&c, now_ns), "seed %llu",
                          (unsigned long long)seed);
            const uint64_t error_ns = sim_rng_between(&rng, 0, 2 * SIM_MS);
            if (sim_rng_chance(&rng, 500000)) {
                sim_clock_sync(&c, now_ns, (int64_t)error_ns - (int64_t)SIM_MS);
            }
        }
    }
}

/* A wall clock set to before the epoch shows the epoch, and comes back when time has passed. */
Test(clock, wall_clock_is_never_below_zero)
{
    const struct sim_clock_knobs knobs = {.offset_ns = -(int64_t)SIM_S};
    struct sim_clock c;
    sim_clock_init(&c, &knobs);
    cr_expect_eq(sim_clock_wall_ns(&c, 0), 0);
    cr_expect_eq(sim_clock_wall_ns(&c, SIM_S), 0);
    cr_expect_eq(sim_clock_wall_ns(&c, SIM_S + 1), 1);
    sim_clock_step(&c, INT64_MIN);
    cr_expect_eq(sim_clock_wall_ns(&c, UINT64_C(1) << 62), 0);
    sim_clock_step(&c, INT64_MAX);
    cr_expect_eq(sim_clock_wall_ns(&c, UINT64_MAX), UINT64_MAX, "and saturates at the other end");
}

/* A drift beyond the range is a caller's bug. */
Test(clock, drift_out_of_range_asserts, .signal = SIGABRT)
{
    const struct sim_clock_knobs knobs = {.drift_ppb = SIM_CLOCK_DRIFT_MAX_PPB + 1};
    struct sim_clock c;
    sim_clock_init(&c, &knobs);
}

/* So is asking for a time before the last change of drift. */
Test(clock, asking_for_the_past_asserts, .signal = SIGABRT)
{
    const struct sim_clock_knobs knobs = {0};
    struct sim_clock c;
    sim_clock_init(&c, &knobs);
    sim_clock_set_drift(&c, SIM_S, 5);
    (void)sim_clock_monotonic_ns(&c, SIM_S - 1);
}
