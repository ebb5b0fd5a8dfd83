/* What a recording costs: event rows a second at level trace, their size on disk, and the
 * microseconds that a file at level outcome adds to a run.
 *
 * The events are made up, in the proportions of a small Raft cluster: two thirds are messages, the
 * rest timers, disk writes and syncs. Everything counts: creating, committing, indexing,
 * closing. CPU time is printed beside wall time, for the machine is shared.
 *
 *   bench_recording [DIRECTORY [EVENTS]] */
#define _POSIX_C_SOURCE 200809L

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "reports/recording.h"

enum { REPETITIONS = 3, OUTCOME_REPETITIONS = 200, NODES = 5 };

static char file[4096];
static char error[RECORDING_ERROR_MAX];
static uint32_t expect[SIM_CHECK_COUNT];
static struct sim_check_state state = {.verdict = SIM_HOLDS, .exercised = 1};

static double seconds(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void fail(void)
{
    fprintf(stderr, "bench_recording: %s\n", error);
    exit(3);
}

/* Every group of six: a timer, a write, a sync, and a message sent and delivered, twice of
 * three times; a drop now and then. */
static struct sim_record made_up(uint64_t i)
{
    static const uint16_t kinds[6] = {SIM_REC_SEND,    SIM_REC_DELIVER, SIM_REC_SEND,
                                      SIM_REC_DELIVER, SIM_REC_TIMER,   SIM_REC_WRITE};
    struct sim_record r = {.sequence = i,
                           .time_ns = i * 2600,
                           .kind = kinds[i % 6],
                           .detail = (uint16_t)(i % 4),
                           .node = (uint32_t)(i % NODES),
                           .peer = SIM_NOBODY};
    if (r.kind == SIM_REC_SEND || r.kind == SIM_REC_DELIVER) {
        r.peer = (uint32_t)((i + 1) % NODES);
        r.size_bytes = 40 + (uint32_t)(i % 100);
        r.a = (i / 60 + 1) << 8;
        r.b = r.kind == SIM_REC_SEND ? sim_mix64(i) : i * 7919 % 10000000;
    } else if (r.kind == SIM_REC_WRITE) {
        r.size_bytes = 120;
        r.a = i / 6;
        r.b = sim_mix64(i);
    }
    return r;
}

static struct recording_result result_of(uint64_t events, const struct sim_metrics *metrics)
{
    struct recording_result result = {.hash = sim_mix64(events),
                                      .events = events,
                                      .simulated_ns = events * 2600,
                                      .met = true,
                                      .expect = expect,
                                      .metrics = metrics};
    for (int i = 0; i < SIM_CHECK_COUNT; i++) {
        expect[i] = SIM_HOLDS;
        result.checks[i] = &state;
    }
    return result;
}

static void record_run(const struct sim_plan *plan, enum recording_level level, uint64_t events)
{
    static const struct sim_metrics metrics;
    const struct recording_run run = {.scenario_file = "bench.json",
                                      .scenario_text = "{\"title\": \"bench\"}",
                                      .seed = 1,
                                      .level = level,
                                      .version = "bench"};
    struct recording *recording = recording_create(file, error, sizeof error);
    const struct sim_sink *sink = recording ? recording_begin_run(recording, &run, plan) : NULL;
    if (!sink) {
        fail();
    }
    for (uint64_t i = 1; i <= events; i++) {
        const struct sim_record r = made_up(i);
        if (sink->kinds >> r.kind & 1) {
            sink->record(sink->context, &r);
        }
    }
    const struct recording_result result = result_of(events, &metrics);
    const enum sim_status finished = recording_finish_result(recording, &result);
    if (recording_close(recording, error, sizeof error) != SIM_OK || finished != SIM_OK) {
        fail();
    }
}

static void bench_trace(const struct sim_plan *plan, uint64_t events)
{
    for (int i = 0; i < REPETITIONS; i++) {
        const double wall = seconds(CLOCK_MONOTONIC);
        const double cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
        record_run(plan, RECORDING_TRACE, events);
        const double wall_s = seconds(CLOCK_MONOTONIC) - wall;
        const double cpu_s = seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu;
        struct stat about;
        if (stat(file, &about) != 0) {
            perror(file);
            exit(3);
        }
        printf("trace: %" PRIu64
               " events, %.2f million rows/s (%.2f by cpu time), %.1f bytes/row\n",
               events, (double)events / wall_s / 1e6, (double)events / cpu_s / 1e6,
               (double)about.st_size / (double)events);
    }
}

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a;
    const double y = *(const double *)b;
    return (x > y) - (x < y);
}

static void bench_outcome(const struct sim_plan *plan)
{
    static double us[OUTCOME_REPETITIONS];
    for (int i = 0; i < OUTCOME_REPETITIONS; i++) {
        const double start = seconds(CLOCK_MONOTONIC);
        record_run(plan, RECORDING_OUTCOME, 0);
        us[i] = (seconds(CLOCK_MONOTONIC) - start) * 1e6;
    }
    const double first = us[0];
    qsort(us, OUTCOME_REPETITIONS, sizeof us[0], by_value);
    printf("outcome: %.0f us a file (median of %d; best %.0f, the first %.0f)\n",
           us[OUTCOME_REPETITIONS / 2], OUTCOME_REPETITIONS, us[0], first);
}

int main(int count, char **arguments)
{
    const char *directory = count > 1 ? arguments[1] : ".";
    const uint64_t events = count > 2 ? strtoull(arguments[2], NULL, 10) : 3000000;
    snprintf(file, sizeof file, "%s/bench_recording.db", directory);
    static struct sim_plan plan; /* Without nodes: their rows are few. */
    bench_outcome(&plan);
    bench_trace(&plan, events);
    unlink(file);
    return 0;
}
