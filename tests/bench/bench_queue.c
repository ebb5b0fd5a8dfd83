/* The hold model on sim_queue: with N events pending, take the earliest and push it again at
 * its time plus an exponential increment. Prints million operations (one pop and one push) a
 * second, the best and the median of several repetitions.
 *
 * The increments (mean 10 ms, the scale of network delays and time-outs) are drawn before
 * the clock starts, so the generator's cost does not count; reading them in sequence does.
 * peer_ns3.cc measures the schedulers of ns-3 with the same increments and prints the same
 * lines. The machine's noise moves all figures: compare ratios of one run.
 *
 *   gcc -O2 -I. tests/bench/bench_queue.c sim/queue.c sim/arena.c sim/rng.c sim/dist.c ... */
#define _POSIX_C_SOURCE 200809L

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "sim/queue.h"

enum {
    INCREMENTS = 1 << 16,
    REPETITIONS_MAX = 64,
    PAYLOAD_WORDS = 8, /* 64 bytes */
};

static uint64_t increments[INCREMENTS];

static uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * SIM_S + (uint64_t)t.tv_nsec;
}
