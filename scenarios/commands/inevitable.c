#include "scenarios/commands/inevitable.h"

#define STEPS_BETWEEN_MAX 1 /* One event is as near as it gets. */
#define HALVINGS_MAX 32

struct search {
    struct inevitable *found;
    struct runner *runner;
    const struct inevitable_request *request;
    struct sim_world *world;
    struct sim_snapshot here; /* Of the point being measured, */
    struct sim_snapshot open; /* and of the latest at which it is not certain. */
    bool failed;
};

static bool is_certain(const struct inevitable_point *point)
{
    return (uint64_t)point->violated * SIM_PPM >=
           (uint64_t)point->branches * INEVITABLE_CERTAIN_PPM;
}

/* The world has come to a point: run its futures from there, and put it back. */
static void measure(struct search *s, struct inevitable_point *point)
{
    if (sim_snapshot_take(&s->here, s->runner->arena) != SIM_OK) {
        s->failed = true;
        return;
    }
    const uint64_t until_ns = sim_add_sat(s->request->violated_ns, s->request->margin_ns);
    const uint64_t hunted = s->runner->hunted;
    s->runner->hunted = UINT64_C(1) << s->request->check;
    for (uint32_t salt = 1; salt <= s->request->branches; salt++) {
        sim_world_reseed(s->world, salt);
        /* A future that the arena cannot hold says nothing. */
        if (runner_go(s->runner, s->world, until_ns) != RUNNER_MEMORY) {
            const struct sim_checks *checks = sim_world_checks(s->world);
            point->branches++;
            point->violated += sim_checks_state(checks, s->request->check)->violated;
        }
        sim_snapshot_restore(&s->here, s->runner->arena);
    }
    s->runner->hunted = hunted;
    s->failed |= point->branches == 0;
}

/* From the start to `at_ns`, in the run's own chance. */
static void go_to(struct search *s, uint64_t at_ns)
{
    s->failed |= runner_go(s->runner, s->world, at_ns) != RUNNER_UNTIL;
}

static void go_back_to_start(struct search *s)
{
    s->failed |= runner_begin(s->runner, s->request->plan, s->request->seed, NULL, &s->world) !=
                 RUNNER_UNTIL;
}

/* The start, then 1, 2 and 5 times powers of ten before the violation, then right before it:
 * what matters is how far away it was. */
static void place_points(struct search *s)
{
    static const uint64_t steps[] = {5, 2, 1};
    struct inevitable *found = s->found;
    const uint64_t violated_ns = s->request->violated_ns;
    found->points[found->point_count++].at_ns = 0;
    for (uint64_t unit = 1000 * SIM_S; unit >= SIM_MS; unit /= 10) {
        for (int i = 0; i < 3; i++) {
            if (steps[i] * unit < violated_ns) {
                found->points[found->point_count++].at_ns = violated_ns - steps[i] * unit;
            }
        }
    }
    if (violated_ns > 0) {
        found->points[found->point_count++].at_ns = violated_ns;
    }
}

static void measure_points(struct search *s)
{
    go_back_to_start(s);
    for (uint32_t i = 0; i < s->found->point_count && !s->failed; i++) {
        go_to(s, s->found->points[i].at_ns);
        if (!s->failed) {
            measure(s, &s->found->points[i]);
        }
    }
}

static void insert_point(struct inevitable *found, uint32_t place,
                         const struct inevitable_point *point)
{
    if (found->point_count < INEVITABLE_POINTS_MAX) {
        memmove(&found->points[place + 1], &found->points[place],
                (found->point_count - place) * sizeof *point);
        found->points[place] = *point;
        found->point_count++;
    }
}

/* Between a point at which it is open and the next, from which on it is certain: halve the time
 * until one event is left. */
static void narrow(struct search *s, uint32_t certain)
{
    struct inevitable *found = s->found;
    found->open_ns = found->points[certain - 1].at_ns;
    found->certain_ns = found->points[certain].at_ns;
    go_back_to_start(s);
    go_to(s, found->certain_ns);
    uint64_t certain_steps = s->failed ? 0 : sim_world_steps(s->world);
    go_back_to_start(s);
    go_to(s, found->open_ns);
    s->failed = s->failed || sim_snapshot_take(&s->open, s->runner->arena) != SIM_OK;
    for (int i = 0; i < HALVINGS_MAX && !s->failed; i++) {
        sim_snapshot_restore(&s->open, s->runner->arena);
        const uint64_t open_steps = sim_world_steps(s->world);
        struct inevitable_point middle = {.at_ns = found->open_ns +
                                                   (found->certain_ns - found->open_ns) / 2};
        if (certain_steps - open_steps <= STEPS_BETWEEN_MAX || middle.at_ns == found->open_ns) {
            return;
        }
        go_to(s, middle.at_ns);
        const uint64_t steps = s->failed ? 0 : sim_world_steps(s->world);
        const bool is_open = steps == open_steps; /* Nothing happened: nothing to measure. */
        bool closed = steps == certain_steps;
        if (!s->failed && !is_open && !closed) {
            measure(s, &middle);
            closed = is_certain(&middle);
            insert_point(found, certain, &middle);
            certain += !closed;
        }
        if (closed) {
            found->certain_ns = middle.at_ns;
            certain_steps = steps;
        } else {
            found->open_ns = middle.at_ns;
            s->failed |= sim_snapshot_take(&s->open, s->runner->arena) != SIM_OK;
        }
    }
}

bool inevitable_measure(struct inevitable *inevitable, struct runner *runner,
                        const struct inevitable_request *request)
{
    *inevitable = (struct inevitable){.point_count = 0};
    struct search s = {.found = inevitable, .runner = runner, .request = request};
    place_points(&s);
    measure_points(&s);
    uint32_t certain = inevitable->point_count;
    while (!s.failed && certain > 0 && is_certain(&inevitable->points[certain - 1])) {
        certain--;
    }
    inevitable->certain = !s.failed && certain < inevitable->point_count;
    if (inevitable->certain && certain > 0) {
        narrow(&s, certain);
    }
    sim_snapshot_release(&s.here);
    sim_snapshot_release(&s.open);
    return !s.failed;
}
