/* Raft as it is tested: seeds, scheduler steps and trace records a second, with a swarm of faults
 * and every check, and nothing recorded; over cluster sizes and over processes; the part of
 * the checks, the memory of the world, and what a snapshot costs.
 *
 * A step is one pending event taken from the scheduler; that is the figure to compare with other
 * simulators' events. A record is a line of the trace: a message makes two of them.
 *
 * Seconds are of cpu time where there is one process, which on an idle machine is the same, and
 * of the wall where there are several.
 *
 *   bench_raft [SEEDS]     with 5 nodes; the other sizes take fewer */
#include "tests/bench/measure.h"
#include "tests/bench/plans.h"

#include "sim/world.h"

#include <inttypes.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    REPETITIONS = 5,
    SNAPSHOTS = 201, /* At most. */
    SMALL_MEMORY_MIB = 8,
    PROCESSES_MAX = 2,
};

struct total {
    uint64_t seeds;
    uint64_t steps;
    uint64_t records;
    uint64_t simulated_ns;
    uint64_t not_held; /* Seeds with a check violated or stuck. */
    uint64_t hash;     /* Of all seeds, whatever their order. */
    size_t used_bytes; /* The most of any. */
};

static bool all_held(const struct sim_world *world)
{
    const struct sim_checks *checks = sim_world_checks(world);
    for (uint32_t i = 0; i < SIM_CHECK_COUNT; i++) {
        const uint32_t verdict = sim_checks_state(checks, i)->verdict;
        if (verdict == SIM_VIOLATED || verdict == SIM_STUCK) {
            return false;
        }
    }
    return true;
}

static struct sim_world *run_seed(const struct sim_plan *plan, struct sim_arena *arena,
                                  uint64_t seed, struct total *total)
{
    struct sim_world *world;
    sim_arena_reset(arena);
    if (sim_world_new(&world, arena, plan, seed, NULL) != SIM_OK ||
        sim_world_run(world, SIM_NEVER) != SIM_STOP_END) {
        measure_give_up("a run did not come to its end: its memory is too small");
    }
    const size_t used = sim_arena_used_bytes(arena);
    total->seeds++;
    total->steps += sim_world_steps(world);
    total->records += sim_world_events(world);
    total->simulated_ns += sim_world_now_ns(world);
    total->not_held += !all_held(world);
    total->hash += sim_world_hash(world);
    total->used_bytes = used > total->used_bytes ? used : total->used_bytes;
    return world;
}

static struct sim_arena *arena_of(const struct sim_plan *plan)
{
    struct sim_arena *arena = sim_arena_new(plan->memory_bytes);
    if (!arena) {
        measure_give_up("no memory for the world");
    }
    return arena;
}

static double time_seeds(const struct sim_plan *plan, struct sim_arena *arena, uint64_t seeds,
                         struct total *total)
{
    *total = (struct total){0};
    const double start_s = measure_cpu_s();
    for (uint64_t seed = 1; seed <= seeds; seed++) {
        run_seed(plan, arena, seed, total);
    }
    return measure_cpu_s() - start_s;
}

/* ---- Cluster sizes ------------------------------------------------------------------------ */

static void bench_size(uint32_t nodes, bool swarm, uint64_t seeds)
{
    struct sim_plan plan;
    bench_plan_raft(&plan, nodes, swarm);
    struct sim_arena *arena = arena_of(&plan);
    struct total total;
    double took_s[REPETITIONS];
    const double wall = measure_wall_s();
    const double cpu = measure_cpu_s();
    for (int r = 0; r < REPETITIONS; r++) {
        took_s[r] = time_seeds(&plan, arena, seeds, &total);
    }
    const double cpu_share = (measure_cpu_s() - cpu) / (measure_wall_s() - wall);
    measure_sort(took_s, REPETITIONS);
    const double s = took_s[REPETITIONS / 2];
    printf("raft %3" PRIu32 " nodes %-9s %8.1f seeds/s (best %8.1f) %7.3f Msteps/s %7.3f "
           "Mrecords/s %9.0f x real time %8.0f steps/seed %7zu KiB  cpu %3.0f %%  %" PRIu64
           " of %" PRIu64 " not held  %016" PRIx64 "\n",
           nodes, swarm ? "swarm" : "no faults", (double)seeds / s, (double)seeds / took_s[0],
           (double)total.steps / s / 1e6, (double)total.records / s / 1e6,
           (double)total.simulated_ns / 1e9 / s, (double)total.steps / (double)seeds,
           total.used_bytes / 1024, 100 * cpu_share, total.not_held, seeds, total.hash);
    fflush(stdout);
    sim_arena_free(arena);
    sim_plan_release(&plan);
}

/* ---- Checks ------------------------------------------------------------------------------- */

/* Which part of a run the checks are: with all and with none by turns. They only look, so the
 * traces are the same. */
static void bench_checks(uint64_t seeds)
{
    struct sim_plan plan;
    struct total all;
    struct total none;
    double all_s[REPETITIONS];
    double none_s[REPETITIONS];
    bench_plan_raft(&plan, 5, true);
    struct sim_arena *arena = arena_of(&plan);
    for (int r = 0; r < REPETITIONS; r++) {
        plan.checks = SIM_CHECKS_ALL;
        all_s[r] = time_seeds(&plan, arena, seeds, &all);
        plan.checks = 0;
        none_s[r] = time_seeds(&plan, arena, seeds, &none);
    }
    if (all.hash != none.hash) {
        measure_give_up("the checks have changed a run");
    }
    measure_sort(all_s, REPETITIONS);
    measure_sort(none_s, REPETITIONS);
    printf("raft   5 nodes, all checks: %.1f %% of a run (best against best %.1f %%)\n",
           100 * (1 - none_s[REPETITIONS / 2] / all_s[REPETITIONS / 2]),
           100 * (1 - none_s[0] / all_s[0]));
    fflush(stdout);
    sim_arena_free(arena);
    sim_plan_release(&plan);
}

/* ---- Processes ---------------------------------------------------------------------------- */

/* Every process takes each `processes`th seed, as a sweep's workers do. */
static double time_processes(const struct sim_plan *plan, uint64_t processes, uint64_t seeds)
{
    const double start_s = measure_wall_s();
    for (uint64_t p = 0; p < processes; p++) {
        const pid_t child = fork();
        if (child < 0) {
            measure_give_up("cannot fork");
        }
        if (child == 0) {
            struct sim_arena *arena = arena_of(plan);
            struct total total = {0};
            for (uint64_t seed = 1 + p; seed <= seeds; seed += processes) {
                run_seed(plan, arena, seed, &total);
            }
            _exit(0);
        }
    }
    for (uint64_t p = 0; p < processes; p++) {
        int status;
        if (wait(&status) < 0 || status != 0) {
            measure_give_up("a process failed");
        }
    }
    return measure_wall_s() - start_s;
}

/* One and two by turns, so that what else the machine does falls on both. */
static void bench_processes(uint64_t seeds)
{
    struct sim_plan plan;
    double took_s[PROCESSES_MAX][REPETITIONS];
    bench_plan_raft(&plan, 5, true);
    for (int r = 0; r < REPETITIONS; r++) {
        for (uint64_t p = 1; p <= PROCESSES_MAX; p++) {
            took_s[p - 1][r] = time_processes(&plan, p, seeds);
        }
    }
    for (uint64_t p = 1; p <= PROCESSES_MAX; p++) {
        measure_sort(took_s[p - 1], REPETITIONS);
        printf("raft   5 nodes, %" PRIu64 " processes: %8.1f seeds/s (best %8.1f), %.2f x one "
               "process (best against best %.2f)\n",
               p, (double)seeds / took_s[p - 1][REPETITIONS / 2], (double)seeds / took_s[p - 1][0],
               took_s[0][REPETITIONS / 2] / took_s[p - 1][REPETITIONS / 2],
               took_s[0][0] / took_s[p - 1][0]);
    }
    sim_plan_release(&plan);
}

/* ---- Memory and snapshots ----------------------------------------------------------------- */

static void run_until(struct sim_world *world, uint64_t time_ns)
{
    if (sim_world_run(world, time_ns) != SIM_STOP_TIME) {
        measure_give_up("a run did not come to where its snapshot is taken");
    }
}

static double time_take(struct sim_snapshot *snapshot, struct sim_arena *arena)
{
    const double start_s = measure_wall_s();
    if (sim_snapshot_take(snapshot, arena) != SIM_OK) {
        measure_give_up("no memory for a snapshot");
    }
    return 1e6 * (measure_wall_s() - start_s);
}

/* In the last third of a run: go on by `apart_ns`, take a snapshot, go on, go back. Each take and
 * each restore thus finds what has changed in `apart_ns`; the first take copies all. */
static void bench_snapshot(uint64_t apart_ns)
{
    struct sim_plan plan;
    struct sim_world *world;
    double take_us[SNAPSHOTS];
    double restore_us[SNAPSHOTS];
    struct sim_snapshot snapshot = {0};
    bench_plan_raft(&plan, 5, true);
    struct sim_arena *arena = arena_of(&plan);
    uint64_t time_ns = plan.duration_ns / 3 * 2;
    if (sim_world_new(&world, arena, &plan, 1, NULL) != SIM_OK) {
        measure_give_up("no memory for the world");
    }
    run_until(world, time_ns);
    const double first_us = time_take(&snapshot, arena);
    size_t count = 0;
    for (; count < SNAPSHOTS && time_ns + 2 * apart_ns < plan.duration_ns; count++) {
        time_ns += apart_ns;
        run_until(world, time_ns);
        take_us[count] = time_take(&snapshot, arena);
        const uint64_t hash = sim_world_hash(world);
        run_until(world, time_ns + apart_ns);
        const double start_s = measure_wall_s();
        sim_snapshot_restore(&snapshot, arena);
        restore_us[count] = 1e6 * (measure_wall_s() - start_s);
        if (sim_world_hash(world) != hash) {
            measure_give_up("a restored world is another one");
        }
    }
    measure_sort(take_us, count);
    measure_sort(restore_us, count);
    printf("raft   5 nodes, %zu KiB, snapshots %" PRIu64
           " simulated ms apart: take %.1f us (median of"
           " %zu; best %.1f, the first %.0f), restore %.1f us (best %.1f)\n",
           sim_snapshot_bytes(&snapshot) / 1024, apart_ns / SIM_MS, take_us[count / 2], count,
           take_us[0], first_us, restore_us[count / 2], restore_us[0]);
    fflush(stdout);
    sim_snapshot_release(&snapshot);
    sim_arena_free(arena);
    sim_plan_release(&plan);
}

/* Gives up if a run does not fit. */
static void bench_small_memory(uint64_t seeds)
{
    struct sim_plan plan;
    struct total total = {0};
    bench_plan_raft(&plan, 5, true);
    plan.memory_bytes = (size_t)SMALL_MEMORY_MIB << 20;
    struct sim_arena *arena = arena_of(&plan);
    for (uint64_t seed = 1; seed <= seeds; seed++) {
        run_seed(&plan, arena, seed, &total);
    }
    printf("raft   5 nodes, %" PRIu64 " seeds fit into %d MiB; the largest took %.2f MiB\n", seeds,
           SMALL_MEMORY_MIB, (double)total.used_bytes / (1 << 20));
    fflush(stdout);
    sim_arena_free(arena);
    sim_plan_release(&plan);
}

int main(int count, char **arguments)
{
    const uint64_t seeds = count > 1 ? strtoull(arguments[1], NULL, 10) : 100;
    static const uint32_t sizes[] = {5, 3, 9, 25, 101};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        const uint64_t fewer = seeds * 5 * 5 / ((uint64_t)sizes[i] * sizes[i]);
        bench_size(sizes[i], true, sizes[i] <= 5 ? seeds : fewer > 0 ? fewer : 1);
    }
    bench_size(5, false, seeds);
    bench_checks(seeds);
    bench_small_memory(seeds);
    bench_snapshot(SIM_MS);
    bench_snapshot(100 * SIM_MS);
    bench_snapshot(SIM_S);
    bench_snapshot(5 * SIM_S);
    bench_processes(seeds);
    return 0;
}
