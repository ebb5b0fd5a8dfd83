/* The world as a whole, on plans drawn at random: the same seed is the same run, also after a
 * snapshot; no memory is an answer and not a crash. */
#include "tests/plans.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- Plans drawn at random ------------------------------------------------------------------- */

static uint32_t below(struct sim_rng *rng, uint32_t bound)
{
    return (uint32_t)sim_rng_between(rng, 0, bound - 1);
}

static uint32_t often(struct sim_rng *rng) /* A chance, most often none. */
{
    const bool on = sim_rng_chance(rng, 300000);
    const uint32_t ppm = below(rng, 200000);
    return on ? ppm : 0;
}

static void random_link(struct stage *s, struct sim_rng *rng, uint32_t from, uint32_t to)
{
    const enum sim_link_field field = (enum sim_link_field)below(rng, SIM_LINK_FIELD_COUNT);
    struct sim_link_knobs *k = stage_link(s, from, to, field);
    k->latency = k->reorder_delay = uniform(0, below(rng, 100000000));
    k->jitter = uniform(500000, 1500000);
    k->loss_ppm = k->burst_enter_ppm = k->burst_leave_ppm = k->burst_loss_ppm = below(rng, 300000);
    k->duplicate_ppm = k->reorder_ppm = k->corrupt_ppm = below(rng, 300000);
    k->bytes_per_second = 1000 + below(rng, 100000);
    k->queue_bytes = 1000 + below(rng, 10000);
    k->queue_policy = below(rng, 2);
    k->mtu_bytes = 50 + below(rng, 1000);
    k->transport = below(rng, 3);
    k->authenticated = below(rng, 2);
    k->eavesdrop = below(rng, 2);
    k->tamper_ppm = often(rng);
    k->forge_ppm = often(rng);
    k->replay_ppm = often(rng);
}

static void random_fault(struct stage *s, struct sim_rng *rng, uint32_t servers)
{
    static const enum sim_fault_kind kinds[] = {
        SIM_FAULT_CRASH,       SIM_FAULT_RESTART,    SIM_FAULT_PAUSE, SIM_FAULT_SLOW,
        SIM_FAULT_PARTITION,   SIM_FAULT_LINK,       SIM_FAULT_DISK,  SIM_FAULT_WIPE,
        SIM_FAULT_CLOCK_DRIFT, SIM_FAULT_CLOCK_STEP, SIM_FAULT_LEAVE, SIM_FAULT_READDRESS,
        SIM_FAULT_MOVE,        SIM_FAULT_HEAL};
    const uint64_t at_ns = sim_rng_between(rng, 0, 9 * SIM_S);
    const uint64_t for_ns = sim_rng_between(rng, SIM_MS, 4 * SIM_S);
    const uint32_t kind = below(rng, sizeof kinds / sizeof *kinds);
    const uint32_t node = below(rng, servers);
    struct sim_fault *f = stage_fault(s, kinds[kind], node, at_ns, for_ns);
    f->for_ns = sim_fault_can_end(f->kind) ? for_ns : 0;
    f->every_ns = below(rng, 4) == 0 ? 5 * SIM_S : 0;
    f->speed_ppm = 1000 + below(rng, 2000000);
    f->shape = below(rng, SIM_CUT_COUNT);
    f->amount = (int64_t)below(rng, 100000000) - 50000000;
    f->index = below(rng, 2);
    f->link.fields = 1u << SIM_LINK_LOSS | 1u << SIM_LINK_REORDER;
    sim_link_knobs_init(&f->link.knobs);
    f->link.knobs.loss_ppm = f->link.knobs.reorder_ppm = 300000;
    f->link.knobs.reorder_delay = uniform(0, 50 * SIM_MS);
    f->disk.fields = 1u << SIM_DISK_LATENCY;
    f->disk.knobs.sync_latency = uniform(0, 50 * SIM_MS);
}

static void random_host(struct sim_host_knobs *host, struct sim_rng *rng)
{
    host->cpu.message_ns = below(rng, 2) ? below(rng, 3000000) : 0;
    host->cpu.send_ns = below(rng, 2) ? below(rng, 1000000) : 0;
    host->cpu.byte_ps = below(rng, 2) ? below(rng, 1000000) : 0;
    host->cpu.backlog_messages = below(rng, 3) ? 0 : 10;
    host->clock.drift_ppb = (int32_t)below(rng, 1000000) - 500000;
    host->clock.sync_interval_ns = below(rng, 2) ? SIM_S : 0;
    host->clock.sync_error = uniform(0, SIM_MS);
    host->dns_ttl_ns = below(rng, 2) ? SIM_S : 0;
    host->egress_bytes_per_second = below(rng, 2) ? 10000 + below(rng, 1000000) : 0;
    host->disk.survive_ppm = often(rng);
    host->disk.torn_ppm = often(rng);
    host->disk.lie_ppm = often(rng);
    host->disk.sync_error_ppm = often(rng);
}

static void random_clients(struct sim_workload *w, struct sim_rng *rng)
{
    w->open_loop = below(rng, 2);
    w->interval = uniform(SIM_MS, 50 * SIM_MS);
    w->weight[SIM_CAS] = below(rng, 2);
    w->stick = below(rng, 2);
    w->stop_ns = below(rng, 2) ? 5 * SIM_S : SIM_NEVER;
    w->operations = below(rng, 2) ? 200 : 0;
}

static void random_swarm(struct stage *s, struct sim_rng *rng)
{
    struct sim_plan *p = &s->plan;
    p->swarm_count = below(rng, 6);
    p->swarm = calloc(p->swarm_count + 1, sizeof *p->swarm);
    for (uint32_t i = 0; i < p->swarm_count; i++) {
        p->swarm[i] = (struct sim_swarm_rule){.family = below(rng, SIM_SWARM_COMMAND),
                                              .off_ppm = 200000,
                                              .interval = uniform(500 * SIM_MS, 4 * SIM_S),
                                              .length = uniform(10 * SIM_MS, 2 * SIM_S),
                                              .strength_ppm = 200000,
                                              .amount = uniform(1000, 1000000)};
    }
}

/* Ten seconds in which a bit of everything may happen. */
static void random_plan(struct stage *s, uint64_t number)
{
    struct sim_rng rng;
    sim_rng_derive_hashed(&rng, number, sim_hash_name("random plan"));
    const uint32_t servers = 2 + below(&rng, 4);
    const uint32_t clients = below(&rng, 5);
    stage_plan(s, servers, clients);
    struct sim_plan *p = &s->plan;
    p->duration_ns = 10 * SIM_S;
    p->settle_ns = below(&rng, 2) ? 3 * SIM_S : 0;
    p->shuffle_ties = below(&rng, 2);
    for (uint32_t i = 0; i < 4; i++) {
        p->base_ns[i] = below(&rng, 20000000);
    }
    if (below(&rng, 2)) {
        stage_streams(s);
    }
    for (uint32_t i = 0; i < servers; i++) {
        p->nodes[i].zone = below(&rng, 2);
        random_host(&p->nodes[i].host, &rng);
        const uint32_t to = (i + 1 + below(&rng, servers - 1)) % servers;
        const uint64_t interval_ns = sim_rng_between(&rng, SIM_MS, 20 * SIM_MS);
        stage_talk(s, i, to, interval_ns, 100000, 8 + below(&rng, 1000));
        stage_set(s, i, TALK_BURST, 1 + below(&rng, 3));
        stage_set(s, i, TALK_KEEPS, below(&rng, 2));
    }
    if (clients > 0) {
        random_clients(&p->workloads[0], &rng);
    }
    for (uint32_t count = below(&rng, 4); count > 0; count--) {
        const uint32_t from = below(&rng, servers);
        random_link(s, &rng, from, ANY);
    }
    for (uint32_t count = below(&rng, 10); count > 0; count--) {
        random_fault(s, &rng, servers);
    }
    random_swarm(s, &rng);
}

#define PLANS 100

/* What tells two runs apart. */
struct outcome {
    uint64_t hash;
    uint64_t events;
    uint64_t steps;
    uint64_t history; /* Hash of the rows. */
    size_t checkpoint_count;
    uint64_t checkpoints[64];
    struct sim_metrics metrics;
};

static struct outcome outcome_of(const struct stage *s)
{
    struct outcome o;
    memset(&o, 0, sizeof o);
    o.hash = sim_world_hash(s->world);
    o.events = sim_world_events(s->world);
    o.steps = sim_world_steps(s->world);
    size_t count;
    const struct sim_history_row *rows = sim_world_history(s->world, &count);
    for (size_t i = 0; i < count; i++) {
        o.history = sim_trace_fold(o.history, rows[i].invoke_ns ^ rows[i].return_ns << 1);
        o.history = sim_trace_fold(o.history, rows[i].result ^ rows[i].outcome);
    }
    const uint64_t *checkpoints = sim_world_checkpoints(s->world, &o.checkpoint_count);
    for (size_t i = 0; i < o.checkpoint_count && i < 64; i++) {
        o.checkpoints[i] = checkpoints[i];
    }
    sim_world_metrics(s->world, &o.metrics);
    return o;
}

static void expect_same(const struct outcome *one, const struct outcome *other, uint64_t number)
{
    cr_expect_eq(one->hash, other->hash, "plan %llu", LLU(number));
    cr_expect_eq(one->events, other->events, "plan %llu", LLU(number));
    cr_expect(memcmp(one, other, sizeof *one) == 0, "plan %llu", LLU(number));
}

/* ---- The same run ---------------------------------------------------------------------------- */

/* A seed is a run: the same again in a fresh arena, in a used one, and in slices; another seed is
 * another run. */
Test(world, a_seed_is_a_run)
{
    uint64_t checkpoints = 0;
    for (uint64_t number = 1; number <= PLANS; number++) {
        struct stage s;
        random_plan(&s, number);
        stage_run(&s, number);
        const struct outcome first = outcome_of(&s);
        checkpoints += first.checkpoint_count;
        cr_expect_eq(first.checkpoint_count, first.events / SIM_CHECKPOINT_EVERY);

        stage_begin(&s, number);
        for (uint64_t ns = 0; sim_world_run(s.world, ns) == SIM_STOP_TIME; ns += 77 * SIM_MS) {
            cr_assert(ns == 0 || sim_world_now_ns(s.world) < ns);
        }
        const struct outcome second = outcome_of(&s);
        expect_same(&first, &second, number);

        sim_arena_free(s.arena);
        s.arena = NULL;
        stage_run(&s, number);
        const struct outcome third = outcome_of(&s);
        expect_same(&first, &third, number);

        stage_run(&s, number + 1000);
        cr_expect_neq(sim_world_hash(s.world), first.hash, "plan %llu", LLU(number));
        stage_end(&s);
    }
    cr_expect_gt(checkpoints, PLANS, "the runs are too short to have any");
}

/* Run on from a snapshot, restore it, run on again: the same run, whenever it was taken. */
Test(world, a_restored_world_runs_the_same)
{
    struct sim_snapshot snapshot = {0};
    for (uint64_t number = 1; number <= PLANS; number++) {
        struct stage s;
        random_plan(&s, number);
        s.sink.kinds = 0;
        struct sim_rng rng;
        sim_rng_derive_hashed(&rng, number, sim_hash_name("snapshot"));
        const uint64_t at_ns = sim_rng_between(&rng, 0, 11 * SIM_S);
        stage_begin(&s, number);
        (void)sim_world_run(s.world, at_ns);
        cr_assert_eq(sim_snapshot_take(&snapshot, s.arena), SIM_OK);
        cr_assert_eq(sim_world_run(s.world, SIM_NEVER), SIM_STOP_END);
        const struct outcome first = outcome_of(&s);
        sim_snapshot_restore(&snapshot, s.arena);
        cr_assert_eq(sim_world_run(s.world, SIM_NEVER), SIM_STOP_END);
        const struct outcome second = outcome_of(&s);
        expect_same(&first, &second, number);
        stage_run(&s, number);
        const struct outcome whole = outcome_of(&s);
        cr_expect_eq(whole.hash, first.hash, "plan %llu: a snapshot changed the run", LLU(number));
        stage_end(&s);
    }
    sim_snapshot_release(&snapshot);
}

/* Nor does it matter that a partition, a pause and a stalled stream are in full swing. */
Test(world, a_snapshot_holds_what_is_under_way)
{
    struct stage s;
    stage_plan(&s, 3, 1);
    stage_streams(&s);
    s.plan.duration_ns = 10 * SIM_S;
    stage_talk(&s, 0, 1, 10 * SIM_MS, 900, 100);
    stage_talk(&s, 1, 2, 10 * SIM_MS, 900, 100);
    stage_link(&s, ANY, ANY, SIM_LINK_LATENCY)->latency = uniform(SIM_MS, 30 * SIM_MS);
    stage_cut(&s, 0, 1, 2 * SIM_S, 2 * SIM_S);
    stage_fault(&s, SIM_FAULT_PAUSE, 2, 2 * SIM_S, 2 * SIM_S);
    stage_begin(&s, 1);
    cr_assert_eq(sim_world_run(s.world, 3 * SIM_S), SIM_STOP_TIME);
    cr_assert(sim_net_is_cut(s.world, 0, 1));
    cr_assert(s.world->nodes[2].paused);
    cr_assert_gt(s.world->nodes[2].run_count, 50);
    cr_assert_gt(s.world->nodes[0].links[1]->stalled_tries, 0);
    struct sim_snapshot snapshot = {0};
    cr_assert_eq(sim_snapshot_take(&snapshot, s.arena), SIM_OK);
    struct outcome runs[3];
    for (uint32_t i = 0; i < 3; i++) {
        sim_snapshot_restore(&snapshot, s.arena);
        if (i == 1) { /* From some other time. */
            (void)sim_world_run(s.world, 7 * SIM_S);
            sim_snapshot_restore(&snapshot, s.arena);
        }
        cr_assert_eq(sim_world_run(s.world, SIM_NEVER), SIM_STOP_END);
        runs[i] = outcome_of(&s);
    }
    expect_same(&runs[0], &runs[1], 1);
    expect_same(&runs[0], &runs[2], 2);
    cr_expect_gt(runs[0].metrics.messages_delivered, 1700);
    sim_snapshot_release(&snapshot);
    stage_end(&s);
}

/* ---- Memory ---------------------------------------------------------------------------------- */

/* Whatever room there is: the world is not built, or its run is stopped, or it is the run it
 * always is. */
Test(world, no_memory_is_an_answer)
{
    uint32_t not_built = 0;
    uint32_t stopped = 0;
    uint32_t ended = 0;
    for (uint64_t number = 1; number <= 10; number++) {
        struct stage s;
        random_plan(&s, number);
        s.plan.duration_ns = 2 * SIM_S;
        s.sink.kinds = 0;
        stage_run(&s, number);
        const uint64_t hash = sim_world_hash(s.world);
        for (size_t bytes = 4096; bytes < 3000000; bytes += bytes / 20) {
            struct sim_arena *arena = sim_arena_new(bytes);
            struct sim_world *world;
            if (!arena || sim_world_new(&world, arena, &s.plan, number, &s.sink) == SIM_ENOMEM) {
                not_built++;
                sim_arena_free(arena);
                continue;
            }
            const enum sim_stop stop = sim_world_run(world, SIM_NEVER);
            cr_expect(stop == SIM_STOP_MEMORY || stop == SIM_STOP_END, "plan %llu, %zu bytes",
                      LLU(number), bytes);
            cr_expect(stop == SIM_STOP_MEMORY || sim_world_hash(world) == hash,
                      "plan %llu, %zu bytes: another run", LLU(number), bytes);
            stopped += stop == SIM_STOP_MEMORY;
            ended += stop == SIM_STOP_END;
            sim_arena_free(arena);
        }
        stage_end(&s);
    }
    cr_expect_gt(not_built, 10);
    cr_expect_gt(stopped, 10);
    cr_expect_gt(ended, 10);
}
