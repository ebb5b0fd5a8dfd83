/* What a draw costs: pcg32 itself, then each kind of distribution, as nanoseconds and as a
 * multiple of one pcg32 output (a draw of any distribution uses four).
 *
 * Each figure is the best of five rounds, so that a busy machine disturbs it least. */
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "sim/dist.h"

#define ROUNDS 5
#define DRAWS 2000000

static const struct {
    const char *name;
    struct sim_dist dist;
} cases[] = {
    {"constant", {.kind = SIM_DIST_CONSTANT, .a = SIM_MS}},
    {"uniform", {.kind = SIM_DIST_UNIFORM, .a = SIM_MS, .b = 3 * SIM_MS}},
    {"exponential", {.kind = SIM_DIST_EXPONENTIAL, .a = SIM_MS}},
    {"lognormal", {.kind = SIM_DIST_LOGNORMAL, .a = SIM_MS, .b = 500000}},
    {"pareto", {.kind = SIM_DIST_PARETO, .a = SIM_MS, .b = 2500000}},
    {"mixture (constant, lognormal)",
     {.kind = SIM_DIST_MIXTURE,
      .count = 2,
      .parts = {{900000, SIM_DIST_CONSTANT, SIM_MS, 0},
                {100000, SIM_DIST_LOGNORMAL, 10 * SIM_MS, 1000000}}}},
    {"quantiles, body",
     {.kind = SIM_DIST_QUANTILES,
      .count = 3,
      .points = {{0, 1}, {500000000, SIM_MS}, {1000000000, 9 * SIM_MS}}}},
    {"quantiles, tail",
     {.kind = SIM_DIST_QUANTILES,
      .count = 5,
      .points = {{500000000, SIM_MS},
                 {900000000, 3 * SIM_MS},
                 {990000000, 10 * SIM_MS},
                 {999000000, 50 * SIM_MS},
                 {999900000, 200 * SIM_MS}}}},
};

static uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * SIM_S + (uint64_t)t.tv_nsec;
}

/* Nanoseconds per draw of `dist`, or of one pcg32 output if it is NULL. */
static double cost_ns(const struct sim_dist *dist, uint64_t *sum)
{
    uint64_t best_ns = UINT64_MAX;
    for (int round = 0; round < ROUNDS; round++) {
        struct sim_rng rng;
        sim_rng_derive(&rng, (uint64_t)round, "bench");
        const uint64_t begin_ns = now_ns();
        for (int i = 0; i < DRAWS; i++) {
            *sum += dist ? sim_dist_draw(dist, &rng) : sim_rng_u32(&rng);
        }
        const uint64_t took_ns = now_ns() - begin_ns;
        best_ns = took_ns < best_ns ? took_ns : best_ns;
    }
    return (double)best_ns / DRAWS;
}

int main(void)
{
    uint64_t sum = 0; /* Printed, so that no draw can be left out. */
    const double pcg32_ns = cost_ns(NULL, &sum);
    printf("%-32s %7.2f ns\n", "pcg32", pcg32_ns);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const double ns = cost_ns(&cases[i].dist, &sum);
        printf("%-32s %7.2f ns %7.1f x pcg32\n", cases[i].name, ns, ns / pcg32_ns);
    }
    printf("(sum of all draws: %" PRIu64 ")\n", sum);
    return 0;
}
