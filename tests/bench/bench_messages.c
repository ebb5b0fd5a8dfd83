/* Messages through the whole world: sent, given a fate, put into the trace's hash, pending,
 * delivered, dispatched to a node that sends the next one. Timers, disks and checks take no
 * part. Prints million messages a second (best and median of several repetitions), the
 * nanoseconds of the median, and the memory of the world. Seconds are of cpu time, which on an
 * idle machine is the same, and on a busy one leaves out the others' turns.
 *
 * peer_simgrid.cpp measures SimGrid's mailboxes with the same rings and prints the same lines. */
#include "tests/bench/measure.h"
#include "tests/bench/plans.h"

#include "sim/world.h"

#include <inttypes.h>

enum {
    REPETITIONS = 15,
    MESSAGES = 2000000, /* In a repetition; fewer where it is slow, so that the run ends. */
    TOKENS = 2,         /* That each node starts. */
    ECHO_NODES = 1000,
    ECHO_MEMORY_MIB = 256,
};

struct result {
    double mps[REPETITIONS]; /* Million messages a second, in rising order. */
    double cpu_share;        /* Of the wall time: below 1 the machine was busy with others. */
    size_t used_bytes;
    uint64_t hash;
};

static uint64_t delivered(const struct sim_world *world)
{
    struct sim_metrics metrics;
    sim_world_metrics(world, &metrics);
    return metrics.messages_delivered;
}

static struct sim_world *world_of(struct sim_arena *arena, const struct sim_plan *plan)
{
    struct sim_world *world;
    if (!arena || sim_world_new(&world, arena, plan, 1, NULL) != SIM_OK) {
        measure_give_up("no memory for the world");
    }
    return world;
}

static void run_for(struct sim_world *world, uint64_t *until_ns, uint64_t span_ns)
{
    *until_ns += span_ns;
    if (sim_world_run(world, *until_ns) != SIM_STOP_TIME) {
        measure_give_up("the world's memory is full");
    }
}

/* Repetitions of `span_ns` of simulated time each, after one that is not counted: it makes the
 * links and touches the memory. */
static void measure(struct sim_world *world, uint64_t span_ns, struct result *result)
{
    uint64_t until_ns = 0;
    run_for(world, &until_ns, span_ns);
    const double wall = measure_wall_s();
    const double cpu = measure_cpu_s();
    for (int r = 0; r < REPETITIONS; r++) {
        const uint64_t before = delivered(world);
        const double start_s = measure_cpu_s();
        run_for(world, &until_ns, span_ns);
        const double took_s = measure_cpu_s() - start_s;
        result->mps[r] = (double)(delivered(world) - before) / took_s / 1e6;
    }
    result->cpu_share = (measure_cpu_s() - cpu) / (measure_wall_s() - wall);
    measure_sort(result->mps, REPETITIONS);
    result->hash = sim_world_hash(world);
}

static void print(const char *name, uint32_t nodes, const struct result *r)
{
    const double median = r->mps[REPETITIONS / 2];
    printf("%-24s %6" PRIu32 " nodes %8.3f best %8.3f median Mmessages/s %9.1f ns %9zu KiB"
           "  cpu %3.0f %%  %016" PRIx64 "\n",
           name, nodes, r->mps[REPETITIONS - 1], median, 1e3 / median, r->used_bytes / 1024,
           100 * r->cpu_share, r->hash);
    fflush(stdout);
}

static void bench_ring(const char *name, struct bench_ring ring)
{
    struct sim_plan plan;
    struct result result;
    bench_plan_ring(&plan, &ring);
    plan.memory_bytes = (size_t)(ring.nodes > SIM_NODES_MAX ? 2048 : 256) << 20;
    struct sim_arena *arena = sim_arena_new(plan.memory_bytes);
    struct sim_world *world = world_of(arena, &plan);
    /* A token takes 500 us from node to node, in the mean. */
    const uint64_t messages = ring.nodes > SIM_NODES_MAX ? MESSAGES / 20 : MESSAGES;
    measure(world, messages * (500 * SIM_US) / (ring.nodes * ring.tokens), &result);
    result.used_bytes = sim_arena_used_bytes(arena);
    print(name, ring.nodes, &result);
    sim_arena_free(arena);
    sim_plan_release(&plan);
}

/* Every node with every other: a million links, which must fit into the memory that a world
 * is given when a scenario does not say. */
static void bench_echo(void)
{
    struct sim_plan plan;
    struct result result;
    bench_plan_echo(&plan, ECHO_NODES, SIM_MS);
    plan.memory_bytes = (size_t)ECHO_MEMORY_MIB << 20;
    struct sim_arena *arena = sim_arena_new(plan.memory_bytes);
    struct sim_world *world = world_of(arena, &plan);
    /* The first repetition calls everybody once. */
    measure(world, ECHO_NODES * SIM_MS, &result);
    result.used_bytes = sim_arena_used_bytes(arena);
    print("echo, all with all", ECHO_NODES, &result);
    printf("echo, all with all: %.1f MiB of %d MiB\n", (double)result.used_bytes / (1 << 20),
           ECHO_MEMORY_MIB);
    sim_arena_free(arena);
    sim_plan_release(&plan);
}

int main(void)
{
    static const uint32_t nodes[] = {5, 3, 100, 1000};
    for (size_t i = 0; i < sizeof nodes / sizeof *nodes; i++) {
        bench_ring("fallacy", (struct bench_ring){.nodes = nodes[i], .tokens = TOKENS});
    }
    /* Ten times what a plan may have: only to compare, a world without faults can do it. */
    bench_ring("fallacy", (struct bench_ring){.nodes = 10000, .tokens = TOKENS});
    bench_ring("fallacy, constant delay",
               (struct bench_ring){.nodes = 5, .tokens = TOKENS, .constant = true});
    bench_ring("fallacy, streams",
               (struct bench_ring){.nodes = 5, .tokens = TOKENS, .streams = true});
    bench_ring("fallacy, 1000 tokens", (struct bench_ring){.nodes = 5, .tokens = 200});
    bench_echo();
    return 0;
}
