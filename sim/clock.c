#include "sim/clock.h"

#define BILLION UINT64_C(1000000000)

/* a * b / c rounded up; saturates. */
static uint64_t muldiv64_up(uint64_t a, uint64_t b, uint64_t c)
{
    const uint64_t down = sim_muldiv64(a, b, c);
    if (down == UINT64_MAX) {
        return down;
    }
    /* The two products differ by less than c, so comparing their low 64 bits is exact. */
    return down + (down * c != a * b);
}

static int64_t add_signed_sat(int64_t a, int64_t b)
{
    int64_t sum;
    if (__builtin_add_overflow(a, b, &sum)) {
        return b > 0 ? INT64_MAX : -INT64_MAX;
    }
    return sum;
}

static int64_t difference_sat(uint64_t a, uint64_t b)
{
    const uint64_t magnitude = a > b ? a - b : b - a;
    const int64_t clamped = magnitude > INT64_MAX ? INT64_MAX : (int64_t)magnitude;
    return a > b ? clamped : -clamped;
}

/* a + b, kept within 0 .. UINT64_MAX. */
static uint64_t shift_sat(uint64_t a, int64_t b)
{
    if (b >= 0) {
        return sim_add_sat(a, (uint64_t)b);
    }
    const uint64_t magnitude = 0 - (uint64_t)b;
    return a > magnitude ? a - magnitude : 0;
}

static void check_drift(int32_t drift_ppb)
{
    assert(drift_ppb >= -SIM_CLOCK_DRIFT_MAX_PPB);
    assert(drift_ppb <= SIM_CLOCK_DRIFT_MAX_PPB);
}

void sim_clock_init(struct sim_clock *c, const struct sim_clock_knobs *knobs)
{
    check_drift(knobs->drift_ppb);
    *c = (struct sim_clock){
        .wall_ahead_ns = knobs->offset_ns,
        .error_bound_ns = knobs->error_bound_ns,
        .drift_ppb = knobs->drift_ppb,
        .assumed_drift_ppb = knobs->assumed_drift_ppb,
        .smear = knobs->smear,
    };
}

uint64_t sim_clock_monotonic_ns(const struct sim_clock *c, uint64_t true_ns)
{
    assert(true_ns >= c->true_ns);
    uint64_t elapsed_ns = true_ns - c->true_ns;
    /* Only the drift is multiplied: at 100 ppm the product fits 64 bits for two days, and the
     * slow division is never met. Rounding the loss up is rounding the sum down. */
    if (c->drift_ppb > 0) {
        elapsed_ns =
            sim_add_sat(elapsed_ns, sim_muldiv64(elapsed_ns, (uint64_t)c->drift_ppb, BILLION));
    } else if (c->drift_ppb < 0) {
        elapsed_ns -= muldiv64_up(elapsed_ns, (uint64_t)-c->drift_ppb, BILLION);
    }
    return sim_add_sat(c->monotonic_ns, elapsed_ns);
}

uint64_t sim_clock_wall_ns(const struct sim_clock *c, uint64_t true_ns)
{
    const uint64_t wall_ns = shift_sat(sim_clock_monotonic_ns(c, true_ns), c->wall_ahead_ns);
    return wall_ns > c->wall_held_ns ? wall_ns : c->wall_held_ns;
}

uint64_t sim_clock_error_ns(const struct sim_clock *c, uint64_t true_ns)
{
    const uint64_t monotonic_ns = sim_clock_monotonic_ns(c, true_ns);
    const uint64_t elapsed_ns = monotonic_ns - c->synced_monotonic_ns;
    const uint64_t drifted_ns = muldiv64_up(elapsed_ns, c->assumed_drift_ppb, BILLION);
    uint64_t error_ns = sim_add_sat(c->error_bound_ns, drifted_ns);
    const uint64_t wall_ns = shift_sat(monotonic_ns, c->wall_ahead_ns);
    if (wall_ns < c->wall_held_ns) {
        error_ns = sim_add_sat(error_ns, c->wall_held_ns - wall_ns);
    }
    return error_ns;
}

uint64_t sim_clock_true_ns(const struct sim_clock *c, uint64_t monotonic_ns)
{
    if (monotonic_ns <= c->monotonic_ns) {
        return c->true_ns;
    }
    const uint64_t ahead_ns = monotonic_ns - c->monotonic_ns;
    if (c->drift_ppb == 0) {
        return sim_add_sat(c->true_ns, ahead_ns);
    }
    /* The least e with floor(e * rate / 10^9) >= ahead is ceil(ahead * 10^9 / rate). */
    const uint64_t rate = (uint64_t)((int64_t)BILLION + c->drift_ppb);
    return sim_add_sat(c->true_ns, muldiv64_up(ahead_ns, BILLION, rate));
}

void sim_clock_set_drift(struct sim_clock *c, uint64_t true_ns, int32_t drift_ppb)
{
    check_drift(drift_ppb);
    c->monotonic_ns = sim_clock_monotonic_ns(c, true_ns);
    c->true_ns = true_ns;
    c->drift_ppb = drift_ppb;
}

void sim_clock_step(struct sim_clock *c, int64_t delta_ns)
{
    c->wall_ahead_ns = add_signed_sat(c->wall_ahead_ns, delta_ns);
    if (c->wall_held_ns > 0) { /* It goes on waiting, from where it jumped to. */
        c->wall_held_ns = shift_sat(c->wall_held_ns, delta_ns);
    }
}

void sim_clock_sync(struct sim_clock *c, uint64_t true_ns, int64_t error_ns)
{
    const uint64_t monotonic_ns = sim_clock_monotonic_ns(c, true_ns);
    c->wall_held_ns = c->smear ? sim_clock_wall_ns(c, true_ns) : 0;
    c->wall_ahead_ns = add_signed_sat(difference_sat(true_ns, monotonic_ns), error_ns);
    c->synced_monotonic_ns = monotonic_ns;
}
