#include "scenarios/commands/sweep.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "scenarios/commands/outcome.h"
#include "scenarios/commands/runner.h"

#define JOBS_MAX 256
#define NO_SEED UINT64_MAX

/* What the processes share. */
struct board {
    atomic_uint_least64_t next; /* Seeds taken so far. */
    atomic_bool stop;
    atomic_uint_least64_t at[JOBS_MAX]; /* Worker's seed, counted from the first; NO_SEED: none. */
};

struct worker {
    pid_t pid; /* 0: none. */
    int pipe;
    size_t got_bytes;
    struct sweep_outcome outcome; /* Being received. */
};

static_assert(sizeof(struct sweep_outcome) <= PIPE_BUF,
              "one write to a pipe is whole below PIPE_BUF");

/* ---- In a worker -------------------------------------------------------------------------- */

static void fill_verdicts(const struct scenario *scenario, const struct sim_world *world,
                          struct sweep_outcome *o)
{
    const struct sim_checks *checks = sim_world_checks(world);
    o->finding = SIM_CHECK_COUNT;
    for (uint32_t c = 0; c < SIM_CHECK_COUNT; c++) {
        if (!(sim_checks_enabled(checks) >> c & 1)) {
            o->verdicts[c] = UINT8_MAX;
            continue;
        }
        const struct sim_check_state *state = sim_checks_state(checks, c);
        o->verdicts[c] = (uint8_t)state->verdict;
        o->exercised[c] = state->exercised;
        const bool met = outcome_check_met(scenario->expect[c], state->verdict);
        const bool finding =
            !met || (scenario->expect[c] != SIM_VIOLATED && outcome_is_finding(state->verdict));
        const bool first =
            o->finding == SIM_CHECK_COUNT || (state->violated && state->event < o->finding_event);
        if (finding && first) {
            o->finding = c;
            o->finding_at_ns = state->at_ns;
            o->finding_event = state->violated ? state->event : UINT64_MAX;
            memcpy(o->detail, state->detail, sizeof o->detail);
        }
    }
}

static void run_seed(const struct scenario *scenario, struct runner *runner, uint64_t seed,
                     struct sweep_outcome *o)
{
    struct sim_world *world;
    uint64_t wall_ns;
    memset(o, 0, sizeof *o);
    o->seed = seed;
    o->finding = SIM_CHECK_COUNT;
    memset(o->verdicts, UINT8_MAX, sizeof o->verdicts);
    if (runner_run(runner, &scenario->plan, seed, NULL, &world, &wall_ns) == RUNNER_MEMORY) {
        o->memory = true;
        return;
    }
    o->hash = sim_world_hash(world);
    o->events = sim_world_events(world);
    o->simulated_ns = sim_world_now_ns(world);
    o->met = outcome_met(scenario, world);
    fill_verdicts(scenario, world, o);
}

static void work(const struct sweep_request *request, struct board *board, uint32_t job, int out)
{
    struct runner runner = {0};
    (void)signal(SIGINT, SIG_IGN); /* The parent decides. */
    if (!runner_init(&runner, &request->scenario->plan)) {
        _exit(3);
    }
    const uint64_t count = request->last_seed - request->first_seed + 1;
    while (!atomic_load(&board->stop)) {
        const uint64_t i = atomic_fetch_add(&board->next, 1);
        if (i >= count) {
            break;
        }
        atomic_store(&board->at[job], i);
        struct sweep_outcome outcome;
        run_seed(request->scenario, &runner, request->first_seed + i, &outcome);
        if (write(out, &outcome, sizeof outcome) != (ssize_t)sizeof outcome) {
            _exit(3); /* The parent is gone. */
        }
        atomic_store(&board->at[job], NO_SEED);
    }
    _exit(0);
}

/* ---- In the parent ------------------------------------------------------------------------ */

static volatile sig_atomic_t interrupted;

static void on_interrupt(int number)
{
    (void)number;
    interrupted = 1;
}

struct sweep {
    const struct sweep_request *request;
    struct sweep_result *result;
    struct board *board;
    struct worker workers[JOBS_MAX];
    uint64_t *hashes; /* By seed, in order; 0 where it is not known. */
    size_t finding_capacity;
};

static bool start_worker(struct sweep *sweep, uint32_t job)
{
    int ends[2];
    struct worker *worker = &sweep->workers[job];
    atomic_store(&sweep->board->at[job], NO_SEED);
    if (pipe(ends) != 0) {
        return false;
    }
    (void)fflush(NULL); /* Or the child would print what the parent had not yet. */
    const pid_t pid = fork();
    if (pid == 0) {
        (void)close(ends[0]);
        work(sweep->request, sweep->board, job, ends[1]);
    }
    (void)close(ends[1]);
    if (pid < 0) {
        (void)close(ends[0]);
        return false;
    }
    *worker = (struct worker){.pid = pid, .pipe = ends[0]};
    return true;
}

static void keep_finding(struct sweep *sweep, const struct sweep_outcome *outcome)
{
    struct sweep_result *result = sweep->result;
    if (result->finding_count == sweep->finding_capacity) {
        const size_t capacity = sweep->finding_capacity ? 2 * sweep->finding_capacity : 64;
        struct sweep_outcome *bigger =
            realloc(result->findings, capacity * sizeof *result->findings);
        if (!bigger) {
            return; /* Counted all the same. */
        }
        result->findings = bigger;
        sweep->finding_capacity = capacity;
    }
    result->findings[result->finding_count++] = *outcome;
}

static void arrived(struct sweep *sweep, const struct sweep_outcome *outcome)
{
    struct sweep_result *result = sweep->result;
    sweep->hashes[outcome->seed - sweep->request->first_seed] =
        sim_trace_fold(outcome->hash, (uint64_t)outcome->signal << 1 | outcome->met);
    result->seeds_done++;
    result->events += outcome->events;
    result->met &= outcome->met;
    for (uint32_t c = 0; c < SIM_CHECK_COUNT; c++) {
        result->violated[c] += outcome->verdicts[c] == SIM_VIOLATED;
        result->enabled[c] += outcome->verdicts[c] != UINT8_MAX;
        result->tested[c] += outcome->exercised[c] > 0;
        result->exercised[c] += outcome->exercised[c];
    }
    if (outcome->finding != SIM_CHECK_COUNT || outcome->signal || outcome->memory) {
        keep_finding(sweep, outcome);
    }
    if (sweep->request->arrived) {
        sweep->request->arrived(sweep->request->context, outcome);
    }
}

/* A worker's pipe has closed: it is done, or it died on a seed. */
static void worker_gone(struct sweep *sweep, uint32_t job)
{
    struct worker *worker = &sweep->workers[job];
    int status = 0;
    (void)close(worker->pipe);
    while (waitpid(worker->pid, &status, 0) < 0 && errno == EINTR) {
    }
    worker->pid = 0;
    const uint64_t at = atomic_load(&sweep->board->at[job]);
    /* It may have died between sending an outcome and saying so. */
    if (at != NO_SEED && sweep->hashes[at] == 0 && !interrupted) {
        struct sweep_outcome dead;
        memset(&dead, 0, sizeof dead);
        dead.seed = sweep->request->first_seed + at;
        dead.finding = SIM_CHECK_CRASH_FREE;
        dead.signal = WIFSIGNALED(status) ? WTERMSIG(status) : SIGKILL;
        memset(dead.verdicts, UINT8_MAX, sizeof dead.verdicts);
        (void)snprintf(dead.detail, sizeof dead.detail, "the worker process died: signal %d",
                       dead.signal);
        arrived(sweep, &dead);
        if (!start_worker(sweep, job)) {
            sweep->result->failed = true;
        }
    }
}

static void receive(struct sweep *sweep, uint32_t job)
{
    struct worker *worker = &sweep->workers[job];
    const ssize_t n = read(worker->pipe, (char *)&worker->outcome + worker->got_bytes,
                           sizeof worker->outcome - worker->got_bytes);
    if (n > 0) {
        worker->got_bytes += (size_t)n;
        if (worker->got_bytes == sizeof worker->outcome) {
            worker->got_bytes = 0;
            arrived(sweep, &worker->outcome);
        }
    } else if (n == 0 || errno != EINTR) {
        worker_gone(sweep, job);
    }
}

/* Wait for outcomes until every worker is gone. */
static void collect(struct sweep *sweep)
{
    for (;;) {
        struct pollfd polls[JOBS_MAX];
        uint32_t jobs[JOBS_MAX];
        nfds_t count = 0;
        for (uint32_t j = 0; j < sweep->request->jobs; j++) {
            if (sweep->workers[j].pid) {
                polls[count] = (struct pollfd){.fd = sweep->workers[j].pipe, .events = POLLIN};
                jobs[count++] = j;
            }
        }
        if (count == 0) {
            return;
        }
        if (interrupted) {
            atomic_store(&sweep->board->stop, true);
        }
        const int ready = poll(polls, count, 100);
        for (nfds_t i = 0; ready > 0 && i < count; i++) {
            if (polls[i].revents) {
                receive(sweep, jobs[i]);
            }
        }
        if (sweep->request->progress) {
            sweep->request->progress(sweep->request->context, sweep->result->seeds_done,
                                     sweep->result->finding_count);
        }
    }
}

static int by_seed(const void *a, const void *b)
{
    const uint64_t x = ((const struct sweep_outcome *)a)->seed;
    const uint64_t y = ((const struct sweep_outcome *)b)->seed;
    return x < y ? -1 : x > y;
}

static void conclude(struct sweep *sweep)
{
    struct sweep_result *result = sweep->result;
    const struct scenario *scenario = sweep->request->scenario;
    const uint64_t count = sweep->request->last_seed - sweep->request->first_seed + 1;
    for (uint64_t i = 0; i < count; i++) {
        result->hash = sim_trace_fold(result->hash, sweep->hashes[i]);
    }
    if (result->finding_count > 0) {
        qsort(result->findings, result->finding_count, sizeof *result->findings, by_seed);
    }
    for (uint32_t c = 0; c < SIM_CHECK_COUNT; c++) {
        if (scenario->expect[c] == SCENARIO_SOMETIMES && result->violated[c] == 0) {
            result->met = false;
        }
    }
    result->interrupted = interrupted;
}

enum sim_status sweep_run(const struct sweep_request *request, struct sweep_result *result)
{
    struct sweep sweep = {.request = request, .result = result};
    const uint64_t count = request->last_seed - request->first_seed + 1;
    assert(request->jobs > 0 && request->jobs <= JOBS_MAX);
    *result = (struct sweep_result){.met = true};
    sweep.hashes = calloc(count, sizeof *sweep.hashes);
    sweep.board =
        mmap(NULL, sizeof *sweep.board, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (!sweep.hashes || sweep.board == MAP_FAILED) {
        free(sweep.hashes);
        return SIM_ENOMEM;
    }
    interrupted = 0;
    const struct sigaction action = {.sa_handler = on_interrupt};
    struct sigaction before;
    (void)sigaction(SIGINT, &action, &before);
    uint32_t started = 0;
    for (uint32_t j = 0; j < request->jobs && j < count; j++) {
        started += start_worker(&sweep, j);
    }
    result->failed = started == 0;
    collect(&sweep);
    conclude(&sweep);
    (void)sigaction(SIGINT, &before, NULL);
    (void)munmap(sweep.board, sizeof *sweep.board);
    free(sweep.hashes);
    return SIM_OK;
}
