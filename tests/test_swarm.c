#include "fault_bench.h"

/* ---- The swarm --------------------------------------------------------------------------- */

static uint64_t hash_of_faults(const struct sim_fault *faults, size_t count, uint32_t kind)
{
    uint64_t hash = 1;
    for (size_t i = 0; i < count; i++) {
        const struct sim_fault *f = &faults[i];
        if (kind != SIM_FAULT_KIND_COUNT && f->kind != kind) {
            continue;
        }
        hash = sim_trace_fold(hash, f->kind);
        hash = sim_trace_fold(hash, f->at_ns);
        hash = sim_trace_fold(hash, f->for_ns);
        hash = sim_trace_fold(hash, f->targets.selectors[0].index);
        hash = sim_trace_fold(hash, (uint64_t)f->amount);
        hash = sim_trace_fold(hash, f->link.knobs.loss_ppm);
    }
    return hash;
}

/* Sends and deliveries among the nodes of the first group. */
static uint64_t hash_of_messages(const struct bench *b, uint32_t servers)
{
    uint64_t hash = 1;
    uint32_t count = 0;
    for (size_t i = 0; i < b->record_count; i++) {
        const struct sim_record *r = &b->records[i];
        if (r->node < servers && r->peer < servers) {
            hash = sim_trace_fold(hash, r->time_ns);
            hash = sim_trace_fold(hash, (uint64_t)r->kind << 32 | r->node);
            hash = sim_trace_fold(hash, r->peer);
            hash = sim_trace_fold(hash, r->a);
            hash = sim_trace_fold(hash, r->b);
            count++;
        }
    }
    cr_assert_gt(count, 100);
    return hash;
}

/* The same seed draws the same schedule and gives the same run; another seed another one. */
Test(swarm, a_swarm_is_a_function_of_its_seed)
{
    uint64_t hashes[3];
    uint64_t schedules[3];
    for (uint32_t i = 0; i < 3; i++) {
        struct bench b;
        bench_plan(&b, (const uint32_t[]){5, 0}, 2);
        b.plan.duration_ns = 2 * SIM_S;
        everything(&b);
        bench_world(&b, i == 2 ? 8 : 7);
        schedules[i] = hash_of_faults(b.world->faults, b.world->fault_count, SIM_FAULT_KIND_COUNT);
        cr_assert_eq(sim_world_run(b.world, SIM_NEVER), SIM_STOP_END);
        hashes[i] = sim_world_hash(b.world);
        bench_end(&b);
    }
    cr_expect_eq(schedules[0], schedules[1]);
    cr_expect_eq(hashes[0], hashes[1]);
    cr_expect_neq(schedules[0], schedules[2]);
    cr_expect_neq(hashes[0], hashes[2]);
}

/* Written down as the plan's own faults, after one that never comes, a drawn schedule gives
 * every message the same fate. */
Test(swarm, a_schedule_written_down_is_the_same_run)
{
    for (uint64_t seed = 0; seed < 10; seed++) {
        struct bench b;
        bench_plan(&b, (const uint32_t[]){5, 0}, 2);
        b.plan.duration_ns = 2 * SIM_S;
        everything(&b);
        bench_world(&b, seed);
        b.sink.kinds = 1u << SIM_REC_SEND | 1u << SIM_REC_DELIVER;
        const size_t count = b.world->fault_count;
        bench_fault_on(&b, SIM_FAULT_CRASH, 100000, 0, 0);
        b.plan.faults = realloc(b.plan.faults, (count + 1) * sizeof *b.plan.faults);
        memcpy(b.plan.faults + 1, b.world->faults, count * sizeof *b.plan.faults);
        cr_assert_eq(sim_world_run(b.world, SIM_NEVER), SIM_STOP_END);
        const uint64_t hash = hash_of_messages(&b, 5);
        b.plan.swarm_count = 0;
        b.plan.fault_count = (uint32_t)count + 1;
        bench_world(&b, seed);
        cr_assert_eq(sim_world_run(b.world, SIM_NEVER), SIM_STOP_END);
        cr_expect_eq(hash_of_messages(&b, 5), hash, "seed %lu", (unsigned long)seed);
        bench_end(&b);
    }
}

/* A world restored from a snapshot runs on as it did, faults under way and all. */
Test(swarm, faults_are_part_of_a_snapshot)
{
    struct bench b;
    bench_plan(&b, (const uint32_t[]){5, 0}, 2);
    b.plan.duration_ns = 3 * SIM_S;
    everything(&b);
    bench_world(&b, 5);
    bench_until(&b, 1500);
    struct sim_snapshot snapshot = {0};
    cr_assert_eq(sim_snapshot_take(&snapshot, b.arena), SIM_OK);
    cr_assert_eq(sim_world_run(b.world, SIM_NEVER), SIM_STOP_END);
    const uint64_t hash = sim_world_hash(b.world);
    sim_snapshot_restore(&snapshot, b.arena);
    cr_assert_neq(sim_world_hash(b.world), hash);
    cr_assert_eq(sim_world_run(b.world, SIM_NEVER), SIM_STOP_END);
    cr_expect_eq(sim_world_hash(b.world), hash);
    sim_snapshot_release(&snapshot);
    bench_end(&b);
}

/* A family is off in its share of seeds, and off means no fault of it at all. */
Test(swarm, a_family_is_off_in_its_share_of_seeds)
{
    const uint32_t shares[] = {0, 300000, 1000000};
    const uint32_t low[] = {0, 260, 1000};
    const uint32_t high[] = {0, 340, 1000}; /* 300 of 1000, 2.7 standard deviations. */
    for (uint32_t i = 0; i < 3; i++) {
        uint32_t off = 0;
        struct bench b;
        bench_plan(&b, (const uint32_t[]){5, 0}, 0);
        bench_rule(&b, SIM_SWARM_CRASH, 100)->off_ppm = shares[i];
        for (uint64_t seed = 0; seed < 1000; seed++) {
            bench_world(&b, seed);
            off += b.world->fault_count == 0;
        }
        cr_expect(off >= low[i] && off <= high[i], "%u of 1000", off);
        bench_end(&b);
    }
}

static uint32_t most_at_once(const struct bench *b, uint32_t kind)
{
    uint32_t most = 0;
    for (size_t i = 0; i < b->world->fault_count; i++) {
        const uint64_t at_ns = b->world->faults[i].at_ns;
        uint64_t nodes = 0;
        for (size_t k = 0; k < b->world->fault_count; k++) {
            const struct sim_fault *f = &b->world->faults[k];
            if (f->kind == kind && f->at_ns <= at_ns && at_ns < f->at_ns + f->for_ns) {
                nodes |= UINT64_C(1) << f->targets.selectors[0].index;
            }
        }
        const uint32_t count = (uint32_t)__builtin_popcountll(nodes);
        most = count > most ? count : most;
    }
    return most;
}

/* Families that stop nodes leave a majority alone, even when several rules draw; unless they
 * are told that they need not. */
Test(swarm, a_family_spares_a_majority)
{
    const uint32_t families[] = {SIM_SWARM_CRASH, SIM_SWARM_PAUSE, SIM_SWARM_ISOLATE};
    const uint32_t kinds[] = {SIM_FAULT_CRASH, SIM_FAULT_PAUSE, SIM_FAULT_PARTITION};
    for (uint32_t i = 0; i < 3; i++) {
        for (uint32_t all = 0; all < 2; all++) {
            uint32_t most = 0;
            for (uint64_t seed = 0; seed < 30; seed++) {
                struct bench b;
                bench_plan(&b, (const uint32_t[]){5, 0}, 0);
                bench_rule(&b, families[i], 100)->crash_majority = all;
                bench_rule(&b, families[i], 150)->crash_majority = all;
                bench_world(&b, seed);
                const uint32_t at_once = most_at_once(&b, kinds[i]);
                most = at_once > most ? at_once : most;
                bench_end(&b);
            }
            if (all) {
                cr_expect_gt(most, 2, "family %u", families[i]);
            } else {
                cr_expect_eq(most, 2, "family %u: %u", families[i], most);
            }
        }
    }
}

/* What is drawn begins within the run, lasts at least its minimum if it can end, names nodes
 * of its group, varies in strength, and is a plan that is allowed. */
Test(swarm, drawn_faults_keep_to_their_rule)
{
    uint32_t kinds = 0;
    uint32_t low = UINT32_MAX;
    uint32_t high = 0;
    for (uint64_t seed = 0; seed < 40; seed++) {
        struct bench b;
        bench_plan(&b, (const uint32_t[]){2, 4, 0}, 2);
        everything(&b);
        for (uint32_t i = 0; i < b.plan.swarm_count; i++) {
            b.plan.swarm[i].group = 1;
        }
        bench_world(&b, seed);
        for (size_t i = 0; i < b.world->fault_count; i++) {
            const struct sim_fault *f = &b.world->faults[i];
            cr_assert_lt(f->at_ns, b.plan.duration_ns);
            cr_assert(sim_fault_can_end(f->kind) ? f->for_ns >= 50 * SIM_MS : f->for_ns == 0);
            cr_assert_eq(f->targets.count, 1);
            const struct sim_selector *s = &f->targets.selectors[0];
            cr_assert(s->kind == SIM_SELECT_NODE    ? s->index >= 2 && s->index < 6
                      : s->kind == SIM_SELECT_GROUP ? s->index == 1
                                                    : s->kind == SIM_SELECT_LEADER);
            kinds |= 1u << f->kind;
            if (f->kind == SIM_FAULT_SLOW) {
                low = f->speed_ppm < low ? f->speed_ppm : low;
                high = f->speed_ppm > high ? f->speed_ppm : high;
            }
        }
        b.plan.swarm_count = 0;
        b.plan.faults = malloc(b.world->fault_count * sizeof *b.plan.faults);
        memcpy(b.plan.faults, b.world->faults, b.world->fault_count * sizeof *b.plan.faults);
        b.plan.fault_count = (uint32_t)b.world->fault_count;
        cr_expect_null(sim_plan_problem(&b.plan), "seed %lu: %s", (unsigned long)seed,
                       sim_plan_problem(&b.plan));
        bench_end(&b);
    }
    cr_expect_eq(kinds, 1u << SIM_FAULT_CRASH | 1u << SIM_FAULT_PAUSE | 1u << SIM_FAULT_SLOW |
                            1u << SIM_FAULT_PARTITION | 1u << SIM_FAULT_LINK |
                            1u << SIM_FAULT_DISK | 1u << SIM_FAULT_CLOCK_DRIFT |
                            1u << SIM_FAULT_CLOCK_STEP | 1u << SIM_FAULT_COMMAND);
    cr_expect(low > 0 && low < 50000 && high > 450000 && high <= 500000, "%u .. %u", low, high);
}

/* Another family, in front or behind, or another knob of it, moves nothing in the others. */
Test(swarm, families_do_not_move_each_other)
{
    for (uint64_t seed = 0; seed < 20; seed++) {
        uint64_t hashes[3];
        for (uint32_t i = 0; i < 3; i++) {
            struct bench b;
            bench_plan(&b, (const uint32_t[]){5, 0}, 0);
            if (i > 0) {
                bench_rule(&b, SIM_SWARM_LOSS, 70 * i);
            }
            bench_rule(&b, SIM_SWARM_CRASH, 200);
            if (i > 0) {
                bench_rule(&b, SIM_SWARM_CLOCK_STEP, 50);
            }
            bench_world(&b, seed);
            hashes[i] = hash_of_faults(b.world->faults, b.world->fault_count, SIM_FAULT_CRASH);
            bench_end(&b);
        }
        cr_expect_eq(hashes[0], hashes[1], "seed %lu", (unsigned long)seed);
        cr_expect_eq(hashes[0], hashes[2], "seed %lu", (unsigned long)seed);
    }
}

/* ---- Seeds survive additions ------------------------------------------------------------- */

/* Adding a node that never speaks, or a family that never strikes, leaves the fate of every
 * message between the others as it was; another seed does not. */
Test(swarm, a_silent_node_and_an_idle_family_change_nothing)
{
    for (uint64_t seed = 0; seed < 10; seed++) {
        uint64_t hashes[4];
        for (uint32_t variant = 0; variant < 4; variant++) {
            struct bench b;
            bench_plan(&b, (const uint32_t[]){5, variant == 1, 0}, 0);
            b.plan.duration_ns = SIM_S;
            everything(&b);
            if (variant == 1) {
                b.plan.nodes[5].settings[SET_TALKS] = (struct sim_value){0, 0};
            }
            if (variant == 2) {
                bench_rule(&b, SIM_SWARM_PAUSE, 1)->interval =
                    (struct sim_dist){.kind = SIM_DIST_CONSTANT, .a = 1000 * SIM_S};
            }
            bench_world(&b, variant == 3 ? seed + 1000 : seed);
            b.sink.kinds = 1u << SIM_REC_SEND | 1u << SIM_REC_DELIVER;
            cr_assert_eq(sim_world_run(b.world, SIM_NEVER), SIM_STOP_END);
            hashes[variant] = hash_of_messages(&b, 5);
            bench_end(&b);
        }
        cr_expect_eq(hashes[0], hashes[1], "a silent node, seed %lu", (unsigned long)seed);
        cr_expect_eq(hashes[0], hashes[2], "an idle family, seed %lu", (unsigned long)seed);
        cr_expect_neq(hashes[0], hashes[3]);
    }
}
