/* What happens in a world, in its trace and metrics: all of it, and nothing because of something
 * that does not happen. */
#include "tests/plans.h"

#include <criterion/criterion.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- Nothing moves anything else ------------------------------------------------------------- */

/* Three servers that talk over bad links, under faults. */
static void busy_plan(struct stage *s, uint32_t servers, uint32_t clients)
{
    stage_plan(s, servers, clients);
    s->plan.duration_ns = 20 * SIM_S;
    stage_busy(s);
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

/* ---- Trace and metrics ----------------------------------------------------------------------- */

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
                values[i] = value >> sim_rng_bounded(&rng, bits); /* Of all sizes up to that. */
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
