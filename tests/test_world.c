/* The world as a whole: the same seed is the same run, also after a snapshot; who says nothing
 * changes nothing; no memory is an answer and not a crash. */
#include "tests/plans.h"

#include <criterion/criterion.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>

#define ANY SIM_NOBODY
#define LLU(x) ((unsigned long long)(x))

/* ---- Plans drawn at random --------------------------------------------------------------------
 */

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

/* ---- Nothing moves anything else ---------------------------------------------------------------
 */

/* Three servers that talk over bad links, under faults. */
static void busy_plan(struct stage *s, uint32_t servers, uint32_t clients)
{
    stage_plan(s, servers, clients);
    s->plan.duration_ns = 20 * SIM_S;
    for (uint32_t i = 0; i < 3; i++) {
        stage_talk(s, i, (i + 1) % 3, 3 * SIM_MS, 100000, 40);
        stage_set(s, i, TALK_KEEPS, 1);
        s->plan.nodes[i].host.disk.sync_latency = uniform(SIM_MS, 9 * SIM_MS);
        s->plan.nodes[i].host.clock.sync_interval_ns = SIM_S;
        s->plan.nodes[i].host.clock.sync_error = uniform(0, SIM_MS);
    }
    stage_link(s, ANY, ANY, SIM_LINK_LATENCY)->latency = uniform(SIM_MS, 30 * SIM_MS);
    stage_link(s, ANY, ANY, SIM_LINK_LOSS)->loss_ppm = 100000;
    stage_link(s, ANY, ANY, SIM_LINK_DUPLICATE)->duplicate_ppm = 100000;
    stage_fault(s, SIM_FAULT_CRASH, 1, 5 * SIM_S, 2 * SIM_S);
    stage_cut(s, 0, 1, 10 * SIM_S, 2 * SIM_S);
}

/* Another node that says nothing, or a client who never asks, leaves every record of the others as
 * it was. */
Test(world, a_silent_node_changes_nothing)
{
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct stage before;
        busy_plan(&before, 3, 0);
        stage_run(&before, seed);
        for (uint32_t clients = 0; clients <= 1; clients++) {
            struct stage after;
            busy_plan(&after, 4, clients);
            if (clients) {
                after.plan.workloads[0].start_ns = 30 * SIM_S;
            }
            stage_run(&after, seed);
            size_t i = 0;
            const struct sim_record *r;
            for (size_t k = 0; (r = stage_next(&before, &k, SIM_REC_SEND, ANY, ANY)); i++) {
                cr_assert_eq(r->node < 3, true);
            }
            cr_assert_gt(i, 10000);
            i = 0;
            for (size_t k = 0; k < after.record_count; k++) {
                struct sim_record a = after.records[k];
                if (a.node >= 3) {
                    continue;
                }
                cr_assert_lt(i, before.record_count, "seed %llu", LLU(seed));
                struct sim_record b = before.records[i++];
                a.sequence = b.sequence = 0; /* Of the whole trace. */
                cr_assert_eq(memcmp(&a, &b, sizeof a), 0, "seed %llu: record %zu, a %s", LLU(seed),
                             i, sim_record_kind_name(b.kind));
            }
            cr_expect_eq(i, before.record_count, "seed %llu", LLU(seed));
            stage_end(&after);
        }
        stage_end(&before);
    }
}

/* A family of faults that never strikes, and a fault whose time or condition never comes, change
 * nothing at all. */
Test(world, a_fault_that_never_strikes_changes_nothing)
{
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct stage s;
        busy_plan(&s, 3, 0);
        stage_run(&s, seed);
        const uint64_t hash = sim_world_hash(s.world);
        stage_end(&s);
        for (uint32_t family = 0; family < SIM_SWARM_COMMAND; family++) {
            busy_plan(&s, 3, 0);
            s.plan.swarm_count = 1;
            s.plan.swarm = calloc(1, sizeof *s.plan.swarm);
            s.plan.swarm[0] = (struct sim_swarm_rule){.family = family,
                                                      .off_ppm = SIM_PPM,
                                                      .interval = constant(SIM_S),
                                                      .length = constant(SIM_S),
                                                      .strength_ppm = SIM_PPM / 2,
                                                      .amount = constant(SIM_MS)};
            stage_run(&s, seed);
            cr_expect_eq(sim_world_hash(s.world), hash, "%s", sim_swarm_family_name(family));
            stage_end(&s);
        }
        busy_plan(&s, 3, 0);
        stage_fault(&s, SIM_FAULT_CRASH, 2, 30 * SIM_S, 0);
        struct sim_fault *f = stage_fault(&s, SIM_FAULT_PAUSE, 2, SIM_S, 0);
        f->when.present = true;
        stage_select(&f->when.nodes, 2);
        f->when.wanted = -1; /* Nobody hears less than nothing. */
        stage_run(&s, seed);
        cr_expect_eq(sim_world_hash(s.world), hash);
        stage_end(&s);
    }
}

/* Without chance in it a plan is one run for all seeds, until ties are shuffled: then each seed has
 * an order of its own, and keeps it. */
Test(world, shuffled_ties_are_an_order_for_each_seed)
{
    for (uint32_t shuffled = 0; shuffled <= 1; shuffled++) {
        uint64_t hashes[20];
        uint32_t different = 0;
        for (uint32_t seed = 0; seed < 20; seed++) {
            struct stage s;
            stage_plan(&s, 4, 0);
            s.plan.duration_ns = SIM_S;
            s.plan.shuffle_ties = shuffled;
            for (uint32_t i = 0; i < 4; i++) {
                stage_talk(&s, i, (i + 1) % 4, 10 * SIM_MS, 90, 8);
            }
            stage_run(&s, seed + 1);
            hashes[seed] = sim_world_hash(s.world);
            stage_run(&s, seed + 1);
            cr_expect_eq(sim_world_hash(s.world), hashes[seed], "seed %u", seed + 1);
            different += hashes[seed] != hashes[0];
            cr_expect_eq(s.metrics.messages_delivered, 4 * 90);
            stage_end(&s);
        }
        cr_expect_eq(different, shuffled ? 19 : 0);
    }
}

/* A run with more events than it may have ends there, and nobody knows what would have come. */
Test(world, too_many_events_cut_a_run_short)
{
    for (uint32_t limited = 0; limited <= 1; limited++) {
        struct stage s;
        stage_plan(&s, 2, 0);
        s.plan.duration_ns = SIM_S;
        s.plan.checks = UINT64_C(1) << SIM_CHECK_CRASH_FREE;
        s.plan.max_events = limited ? 50 : 0;
        stage_talk(&s, 0, 1, 10 * SIM_MS, 90, 8);
        stage_run(&s, 1);
        const struct sim_check_state *state =
            sim_checks_state(sim_world_checks(s.world), SIM_CHECK_CRASH_FREE);
        if (limited) {
            cr_expect_eq(state->verdict, SIM_UNKNOWN);
            cr_expect_str_eq(state->detail, "the run was cut short at 0.130 s, after 52 events");
        } else {
            cr_expect_eq(state->verdict, SIM_HOLDS);
            cr_expect_gt(sim_world_events(s.world), 100);
        }
        stage_end(&s);
    }
}

/* ---- Memory ------------------------------------------------------------------------------------
 */

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

/* ---- Trace and metrics --------------------------------------------------------------------------
 */

/* The hash and the checkpoints are those of the records, all of them, in order. */
Test(world, the_hash_is_that_of_the_records)
{
    struct stage s;
    busy_plan(&s, 3, 0);
    stage_run(&s, 1);
    struct sim_arena *arena = sim_arena_new((size_t)1 << 20);
    struct sim_trace trace;
    sim_trace_init(&trace, arena, NULL);
    for (size_t i = 0; i < s.record_count; i++) {
        cr_assert_eq(s.records[i].sequence, i + 1);
        cr_assert(i == 0 || s.records[i].time_ns >= s.records[i - 1].time_ns);
        sim_trace_add(&trace, &s.records[i]);
    }
    cr_expect_eq(trace.hash, sim_world_hash(s.world));
    cr_expect_eq(trace.count, sim_world_events(s.world));
    size_t count;
    const uint64_t *checkpoints = sim_world_checkpoints(s.world, &count);
    cr_expect_gt(count, 5);
    cr_assert_eq(count, trace.checkpoint_count);
    cr_expect_eq(memcmp(checkpoints, trace.checkpoints, count * sizeof *checkpoints), 0);
    sim_arena_free(arena);
    stage_end(&s);
}

/* A change in any field of any record changes the hash. */
Test(world, every_field_counts)
{
    const struct sim_record first = {.time_ns = 1,
                                     .kind = 2,
                                     .detail = 3,
                                     .node = 4,
                                     .peer = 5,
                                     .size_bytes = 6,
                                     .a = 7,
                                     .b = 8};
    struct sim_record changed[7];
    for (uint32_t i = 0; i < 7; i++) {
        changed[i] = first;
    }
    changed[0].time_ns++;
    changed[1].detail++;
    changed[2].node++;
    changed[3].peer++;
    changed[4].size_bytes++;
    changed[5].a++;
    changed[6].b++;
    struct sim_trace trace;
    sim_trace_init(&trace, NULL, NULL);
    sim_trace_add(&trace, &first);
    for (uint32_t i = 0; i < 7; i++) {
        struct sim_trace other;
        sim_trace_init(&other, NULL, NULL);
        sim_trace_add(&other, &changed[i]);
        cr_expect_neq(trace.hash, other.hash, "field %u", i);
    }
}

/* A sink is given the kinds of records it wants, and what it wants changes nothing. */
Test(world, a_sink_gets_what_it_asked_for)
{
    struct stage s;
    busy_plan(&s, 3, 0);
    stage_run(&s, 1);
    const uint64_t hash = sim_world_hash(s.world);
    size_t counts[SIM_REC_KIND_COUNT];
    for (uint32_t kind = 0; kind < SIM_REC_KIND_COUNT; kind++) {
        counts[kind] = stage_count(&s, kind, ANY, ANY);
    }
    cr_expect_gt(counts[SIM_REC_CRASH], 0);
    for (uint32_t kind = 0; kind < SIM_REC_KIND_COUNT; kind++) {
        s.sink.kinds = 1u << kind;
        stage_run(&s, 1);
        cr_expect_eq(s.record_count, counts[kind], "%s", sim_record_kind_name(kind));
        cr_expect_eq(stage_count(&s, kind, ANY, ANY), counts[kind]);
        cr_expect_eq(sim_world_hash(s.world), hash);
    }
    stage_end(&s);
}

/* Each metric has a row, a name of its own and a sentence. */
Test(world, metrics_have_names_of_their_own)
{
    cr_expect_eq(sim_metric_count, sizeof(struct sim_metrics) / sizeof(uint64_t));
    for (size_t i = 0; i < sim_metric_count; i++) {
        const struct sim_metric_info *one = &sim_metric_infos[i];
        cr_expect_lt(one->offset, sizeof(struct sim_metrics));
        cr_expect_gt(strlen(one->summary), 0);
        for (size_t k = 0; k < i; k++) {
            cr_expect_str_neq(one->name, sim_metric_infos[k].name);
            cr_expect_neq(one->offset, sim_metric_infos[k].offset, "%s and %s", one->name,
                          sim_metric_infos[k].name);
        }
    }
    for (uint32_t i = 0; i < SIM_DROP_COUNT; i++) {
        char name[64];
        snprintf(name, sizeof name, "messages_dropped_%s", sim_drop_name(i));
        bool found = false;
        for (size_t k = 0; k < sim_metric_count; k++) {
            found |= strcmp(sim_metric_infos[k].name, name) == 0 &&
                     sim_metric_infos[k].offset ==
                         offsetof(struct sim_metrics, messages_dropped) + i * sizeof(uint64_t);
        }
        cr_expect(found, "%s", name);
    }
}

static int by_value(const void *one, const void *other)
{
    const uint64_t a = *(const uint64_t *)one;
    const uint64_t b = *(const uint64_t *)other;
    return (a > b) - (a < b);
}

/* A quantile is the smallest value with at least that share not above it, from there up to 1.6 %
 * more, and never above the largest value; exact below 128. */
Test(world, quantiles_are_close)
{
    static const uint32_t shares[] = {1, 10000, 500000, 900000, 990000, 999000, 1000000};
    static const size_t counts[] = {1, 2, 3, 10, 999, 5000};
    static uint64_t values[5000];
    for (uint32_t c = 0; c < sizeof counts / sizeof *counts; c++) {
        for (uint32_t bits = 4; bits <= 64; bits += 6) {
            struct sim_histogram *h = calloc(1, sizeof *h);
            struct sim_rng rng;
            sim_rng_derive_hashed(&rng, bits, 1);
            for (size_t i = 0; i < counts[c]; i++) {
                const uint64_t value = sim_rng_u64(&rng) >> (64 - bits);
                values[i] = value >> below(&rng, bits); /* Of all sizes up to that. */
                sim_histogram_add(h, values[i]);
            }
            qsort(values, counts[c], sizeof *values, by_value);
            for (uint32_t i = 0; i < sizeof shares / sizeof *shares; i++) {
                const uint64_t rank = (counts[c] * (uint64_t)shares[i] + SIM_PPM - 1) / SIM_PPM;
                const uint64_t exact = values[rank - 1];
                const uint64_t got = sim_histogram_quantile(h, shares[i]);
                cr_expect_geq(got, exact, "%u ppm of %zu", shares[i], counts[c]);
                cr_expect_leq(got - exact, exact / 64, "%u ppm of %zu: %llu for %llu", shares[i],
                              counts[c], LLU(got), LLU(exact));
            }
            cr_expect_eq(sim_histogram_quantile(h, SIM_PPM), values[counts[c] - 1]);
            free(h);
        }
    }
}

/* ---- A node that fails ---- */

static jmp_buf out;

static void fail_at_the_tenth(struct sim_env *env, const struct sim_event *event)
{
    const struct talker *t = env->state;
    if (event->kind == SIM_EVENT_MESSAGE && t->heard == 9) {
        longjmp(out, 1);
    }
}

/* A node whose code crashes is named, and its run is over; the next one is as good as any. */
Test(world, a_node_that_fails_ends_the_run)
{
    struct stage s;
    busy_plan(&s, 3, 0);
    s.plan.checks = UINT64_C(1) << SIM_CHECK_CRASH_FREE;
    stage_watch = fail_at_the_tenth;
    stage_begin(&s, 1);
    struct sim_world *volatile world = s.world;
    if (setjmp(out) == 0) {
        (void)sim_world_run(world, SIM_NEVER);
        cr_assert(false, "nobody failed");
    }
    cr_expect_lt(sim_world_current_node(world), 3);
    sim_world_fail(world, "it jumped");
    cr_expect_eq(sim_world_current_node(world), SIM_NOBODY);
    cr_expect_eq(sim_world_run(world, SIM_NEVER), SIM_STOP_FAILED);
    stage_watch = NULL;
    stage_run(&s, 1);
    cr_expect_eq(sim_world_run(s.world, SIM_NEVER), SIM_STOP_END, "and stays at its end");
    stage_end(&s);
}
