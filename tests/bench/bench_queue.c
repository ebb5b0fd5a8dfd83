/* The hold model on sim_queue: with N events pending, take the earliest and push it again at
 * its time plus an exponential increment. Prints million operations (one pop and one push) a
 * second: the best and the median of several repetitions.
 *
 * The increments (mean 10 ms, the scale of network delays and time-outs) are drawn before
 * the clock starts, so the generator's cost does not count; reading them in sequence does.
 * The payload variant also adds to the 64 bytes that belong to the event, as handling it
 * would. peer_ns3.cc measures ns-3's schedulers with the same increments and prints the same
 * lines. The machine's noise moves all figures: compare ratios of one run.
 *
 *   gcc -O2 -I. tests/bench/bench_queue.c sim/queue.c sim/arena.c sim/rng.c -lm */
#define _POSIX_C_SOURCE 200809L

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "sim/queue.h"

#define MEAN_NS 1e7

enum {
    INCREMENTS = 1 << 16, /* A power of two. */
    REPETITIONS = 9,
    OPERATIONS = 1000000, /* In a repetition. */
    PAYLOAD_WORDS = 8,
    PENDING_MAX = 1000000,
};

static uint32_t increments[INCREMENTS];
static uint64_t (*payloads)[PAYLOAD_WORDS];

static void *must(void *pointer)
{
    if (!pointer) {
        fputs("bench_queue: out of memory\n", stderr);
        exit(3);
    }
    return pointer;
}

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t); /* What others do moves it less than the wall's. */
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Floating point is welcome here: these are only the loads of a benchmark. */
static void draw_increments(void)
{
    for (uint64_t i = 0; i < INCREMENTS; i++) {
        const uint64_t bits = sim_mix64((i + 1) * UINT64_C(0x9e3779b97f4a7c15));
        const double uniform = (double)(bits >> 11) * 0x1p-53;
        increments[i] = 1 + (uint32_t)(-log1p(-uniform) * MEAN_NS);
    }
}

static void hold(struct sim_queue *queue, size_t operations, bool touch_payload, size_t *position)
{
    for (size_t i = 0; i < operations; i++) {
        struct sim_pending event;
        if (!sim_queue_pop(queue, &event)) {
            abort();
        }
        if (touch_payload) {
            for (int word = 0; word < PAYLOAD_WORDS; word++) {
                payloads[event.data][word] += event.time_ns;
            }
        }
        event.time_ns += increments[(*position)++ % INCREMENTS];
        if (sim_queue_push(queue, event) != SIM_OK) {
            abort();
        }
    }
}

static int compare_doubles(const void *a, const void *b)
{
    const double x = *(const double *)a;
    const double y = *(const double *)b;
    return (x > y) - (x < y);
}

static void measure(struct sim_arena *arena, size_t pending, bool touch_payload)
{
    sim_arena_reset(arena);
    struct sim_queue *queue = must(sim_queue_new(arena));
    size_t position = 0;
    for (size_t i = 0; i < pending; i++) {
        const struct sim_pending event = {.time_ns = increments[position++ % INCREMENTS],
                                          .data = i};
        if (sim_queue_push(queue, event) != SIM_OK) {
            abort();
        }
    }
    /* Until the times are spread as they stay, and all memory has been touched. */
    hold(queue, 3 * pending + OPERATIONS / 10, touch_payload, &position);

    double mops[REPETITIONS];
    for (int r = 0; r < REPETITIONS; r++) {
        const double start_s = now_s();
        hold(queue, OPERATIONS, touch_payload, &position);
        mops[r] = OPERATIONS / (now_s() - start_s) / 1e6;
    }
    qsort(mops, REPETITIONS, sizeof mops[0], compare_doubles);
    printf("%-24s %8zu pending %8.2f best %8.2f median Mop/s %9zu KiB\n",
           touch_payload ? "sim_queue+payload" : "sim_queue", pending, mops[REPETITIONS - 1],
           mops[REPETITIONS / 2], sim_arena_used_bytes(arena) / 1024);
    fflush(stdout);
}

int main(void)
{
    struct sim_arena *arena = must(sim_arena_new((size_t)256 << 20));
    payloads = must(calloc(PENDING_MAX, sizeof *payloads));
    draw_increments();
    for (int touch = 0; touch < 2; touch++) {
        for (size_t pending = 10; pending <= PENDING_MAX; pending *= 10) {
            measure(arena, pending, touch);
        }
    }
    free(payloads);
    sim_arena_free(arena);
    return 0;
}
