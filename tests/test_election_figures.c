/* Elections of our Raft against what others have published, through the event loop: nothing here
 * knows how long an election should take but the figures that it is compared with.
 *
 * Source: D. Ongaro, "Consensus: Bridging Theory and Practice", dissertation, Stanford 2014,
 * chapter 9: percentiles read from the vector graphics of the figures of AvailSim, and the closed
 * form of the chance of a split vote. */
#include <inttypes.h>

#include "sim/world.h"
#include "tests/scenarios.h"

/* Fresh timers at 0; cpus and disks take no time, and messages are never lost. */
#define CLUSTER                                                                                    \
    "{\"title\": \"t\", \"why\": \"w\", \"duration\": \"100s\","                                   \
    "\"nodes\": [{\"kind\": \"raft\", \"name\": \"n\", \"count\": %" PRIu32 ","                    \
    "\"host\": {\"disk\": {\"sync\": \"0s\"}},"                                                    \
    "\"config\": {\"election_timeout\": \"300ms..600ms\"}}],"                                      \
    "\"topology\": {\"links\": {\"default\": {\"latency\": \"%s\"}}}}"
#define RUNS 10000              /* As many as AvailSim made. */
#define RANGE_NS (300 * SIM_MS) /* Between the shortest and the longest time-out. */

/* ---- One election ---------------------------------------------------------------------------- */

struct election {
    const struct sim_node_kind *kind;
    uint64_t terms[16];    /* By node: its latest. */
    uint64_t candidate_ns; /* When somebody first became one, */
    uint64_t leader_ns;    /* and when somebody became leader; SIM_NEVER before. */
    uint64_t leader_term;
};

static void watch(void *context, const struct sim_record *r)
{
    struct election *e = context;
    const struct sim_fact *fact = &e->kind->facts[r->detail];
    if (strcmp(fact->name, "term") == 0) {
        e->terms[r->node] = r->a;
    } else if (strcmp(fact->name, "role") == 0) {
        const char *role = fact->values[r->a];
        if (e->candidate_ns == SIM_NEVER && strcmp(role, "candidate") == 0) {
            e->candidate_ns = r->time_ns;
        }
        if (e->leader_ns == SIM_NEVER && strcmp(role, "leader") == 0) {
            e->leader_ns = r->time_ns;
            e->leader_term = e->terms[r->node];
        }
    }
}

struct cluster {
    struct scenario scenario;
    struct sim_arena *arena;
    uint32_t failed; /* The last ones are down from the start. */
};

static void cluster_make(struct cluster *c, uint32_t count, uint32_t failed, const char *latency)
{
    char text[1024];
    (void)snprintf(text, sizeof text, CLUSTER, count, latency);
    must_parse(&c->scenario, text);
    c->scenario.plan.checks = 0;
    for (uint32_t i = 0; i < failed; i++) {
        c->scenario.plan.nodes[count - 1 - i].absent = true;
    }
    c->arena = sim_arena_new(c->scenario.plan.memory_bytes);
    cr_assert(c->arena);
}

static void cluster_release(struct cluster *c)
{
    scenario_release(&c->scenario);
    sim_arena_free(c->arena);
}

static void elect(struct cluster *c, uint64_t seed, struct election *e)
{
    *e = (struct election){
        .kind = c->scenario.plan.nodes[0].kind, .candidate_ns = SIM_NEVER, .leader_ns = SIM_NEVER};
    const struct sim_sink sink = {.context = e, .kinds = 1u << SIM_REC_FACT, .record = watch};
    struct sim_world *world;
    sim_arena_reset(c->arena);
    cr_assert_eq(sim_world_new(&world, c->arena, &c->scenario.plan, seed, &sink), SIM_OK);
    for (uint64_t at_ns = 0; e->leader_ns == SIM_NEVER; at_ns += 100 * SIM_MS) {
        cr_assert_eq(sim_world_run(world, at_ns), SIM_STOP_TIME, "seed %" PRIu64, seed);
    }
}

/* ---- Percentiles ----------------------------------------------------------------------------- */

static int compare_u64(const void *left, const void *right)
{
    const uint64_t a = *(const uint64_t *)left;
    const uint64_t b = *(const uint64_t *)right;
    return a < b ? -1 : a > b;
}

struct percentile {
    uint32_t per_mille;
    uint32_t published_us;
    uint32_t tolerance_per_mille;
};

static void expect_percentiles(uint32_t failed, const struct percentile *table, size_t count,
                               uint32_t mean_us, uint32_t mean_per_mille)
{
    static uint64_t times[RUNS];
    struct cluster c;
    uint64_t sum = 0;
    cluster_make(&c, 5, failed, "30ms..40ms");
    for (uint64_t i = 0; i < RUNS; i++) {
        struct election e;
        elect(&c, i + 1, &e);
        times[i] = e.leader_ns;
        sum += e.leader_ns;
    }
    qsort(times, RUNS, sizeof *times, compare_u64);
    for (size_t i = 0; i < count; i++) {
        const uint64_t wanted_ns = table[i].published_us * SIM_US;
        const uint64_t ns = times[RUNS / 1000 * table[i].per_mille];
        const uint64_t off = ns > wanted_ns ? ns - wanted_ns : wanted_ns - ns;
        cr_expect_leq(off * 1000, wanted_ns * table[i].tolerance_per_mille,
                      "%u per mille: %.1f ms, published %.1f ms", table[i].per_mille,
                      (double)ns / 1e6, table[i].published_us / 1e3);
    }
    const uint64_t wanted_ns = mean_us * SIM_US;
    const uint64_t mean_ns = sum / RUNS;
    const uint64_t off = mean_ns > wanted_ns ? mean_ns - wanted_ns : wanted_ns - mean_ns;
    cr_expect(mean_us == 0 || off * 1000 <= wanted_ns * mean_per_mille,
              "mean %.1f ms, published %.1f ms", (double)mean_ns / 1e6, mean_us / 1e3);
    cluster_release(&c);
}

/* With all five up an election is rarely split: the whole distribution is AvailSim's, within 1 %
 * up to the 99th percentile. Beyond it, where 50 and 10 of the runs are, chance alone moves it by
 * a few percent. */
Test(election_figures, five_of_five_elect_as_in_availsim)
{
    static const struct percentile table[] = {
        {10, 368100, 10},  {100, 375400, 10}, {250, 385700, 10}, {500, 409500, 10},
        {750, 445700, 10}, {900, 489200, 10}, {950, 525500, 15}, {990, 833700, 10},
        {995, 878800, 40}, {999, 984900, 40},
    };
    expect_percentiles(0, table, sizeof table / sizeof *table, 0, 0);
}

/* With two down every vote counts, and a third of the elections are split. The first round is
 * AvailSim's within 2 %; later rounds are up to a tenth faster. One reason is known: a follower
 * of ours that gives its vote keeps the time-out it had drawn and only begins it anew. It was not
 * the first to run out, so it tends to be long, which keeps the next round from being split. A
 * plain simulation that draws it again is halfway between. */
Test(election_figures, three_of_five_elect_as_in_availsim)
{
    static const struct percentile table[] = {
        {10, 371800, 10},    {100, 386800, 20},   {250, 411300, 20},  {500, 468700, 20},
        {750, 797700, 20},   {900, 1074000, 100}, {950, 1335500, 70}, {990, 1932500, 100},
        {995, 2151700, 100}, {999, 2853400, 150},
    };
    expect_percentiles(2, table, sizeof table / sizeof *table, 650000, 80);
}

/* ---- Closed forms ---------------------------------------------------------------------------- */

/* In units of the range of time-outs, s servers being up and l one way:
 *
 *     split vote   p = P(the c first time-outs run out within l), c = s - floor(n / 2) + 1
 *                    = sum of C(s, k) l^k (1 - l)^(s - k) for k from c - 1 to s
 *     first time-out, beyond the shortest one: 1 / (s + 1)
 *     election     (1 + 1 / (s + 1) + l) / (1 - p) + l
 *
 * p is the dissertation's table; its election times count from a crash, on average a quarter
 * before the last timer began, and are less by that. */
struct row {
    uint32_t count;
    uint32_t failed;
    const char *latency;
    double l;
    double split;
};

static const struct row rows[] = {
    {3, 0, "3ms", .01, .00030},  {3, 0, "15ms", .05, .00725}, {3, 0, "30ms", .1, .02800},
    {3, 0, "60ms", .2, .10400},  {3, 0, "90ms", .3, .21600},  {3, 1, "3ms", .01, .01990},
    {3, 1, "15ms", .05, .09750}, {3, 1, "30ms", .1, .19000},  {3, 1, "60ms", .2, .36000},
    {5, 0, "15ms", .05, .00116}, {5, 0, "30ms", .1, .00856},  {5, 0, "60ms", .2, .05792},
    {5, 0, "90ms", .3, .16308},  {5, 1, "3ms", .01, .00059},  {5, 1, "15ms", .05, .01402},
    {5, 1, "30ms", .1, .05230},  {5, 1, "60ms", .2, .18080},  {5, 2, "3ms", .01, .02970},
    {5, 2, "15ms", .05, .14263}, {5, 2, "30ms", .1, .27100},  {5, 2, "60ms", .2, .48800},
    {5, 2, "90ms", .3, .65700},
};

struct measured { /* Means over the runs, in units of the range. */
    double split;
    double first;
    double election;
};

static struct measured measure(const struct row *row)
{
    struct cluster c;
    struct measured m = {0};
    cluster_make(&c, row->count, row->failed, row->latency);
    for (uint64_t i = 0; i < RUNS; i++) {
        struct election e;
        elect(&c, i + 1, &e);
        m.split += e.leader_term > 1;
        m.first += (double)(e.candidate_ns - RANGE_NS) / RANGE_NS;
        m.election += (double)e.leader_ns / RANGE_NS;
    }
    cluster_release(&c);
    return (struct measured){m.split / RUNS, m.first / RUNS, m.election / RUNS};
}

/* With a latency that never varies, elections are split exactly as often as the closed form says:
 * within five standard deviations, which with these seeds is always or never. The time that an
 * election takes is the formula's where splits are rare; where they are not it is less, since the
 * formula has every round begin with all timers at once. */
Test(election_figures, votes_split_as_often_as_the_closed_form_says, .timeout = 120)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct row *row = &rows[i];
        const struct measured m = measure(row);
        const double up = row->count - row->failed;
        const double p = row->split;
        const double off = m.split - p;
        cr_expect(off * off <= 25 * p * (1 - p) / RUNS,
                  "%u servers, %u down, %s: %.4f split, the formula says %.4f", row->count,
                  row->failed, row->latency, m.split, p);
        const double first = 1 / (up + 1);
        cr_expect(m.first > first - .012 && m.first < first + .012,
                  "%u servers, %u down, %s: first after %.4f, the formula says %.4f", row->count,
                  row->failed, row->latency, m.first, first);
        const double election = (1 + first + row->l) / (1 - p) + row->l;
        cr_expect(m.election <= election * 1.01 && m.election >= election * (.99 - p / 3),
                  "%u servers, %u down, %s: elected after %.4f, the formula says %.4f", row->count,
                  row->failed, row->latency, m.election, election);
    }
}
