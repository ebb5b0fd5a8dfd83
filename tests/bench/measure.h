/* What the benches share: clocks, medians, and giving up. The machine's clock is welcome here and
 * nowhere else: it measures, and decides nothing. */
#ifndef BENCH_MEASURE_H
#define BENCH_MEASURE_H

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static inline double measure_wall_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Of this process: what other programs do on the machine moves it less than the wall clock. */
static inline double measure_cpu_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static inline int measure_by_value(const void *a, const void *b)
{
    const double x = *(const double *)a;
    const double y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Puts the samples in order: the first is the smallest, the one at count / 2 the median. */
static inline void measure_sort(double *samples, size_t count)
{
    qsort(samples, count, sizeof *samples, measure_by_value);
}

__attribute__((noreturn)) static inline void measure_give_up(const char *why)
{
    fprintf(stderr, "bench: %s\n", why);
    exit(3);
}

#endif
