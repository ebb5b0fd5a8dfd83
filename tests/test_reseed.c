/* Other futures from one time: a reseeded world is another run from there on, and only from
 * there on. */
#include "tests/plans.h"

#include <criterion/criterion.h>

#define SEEDS 5
#define SALTS 10

static struct sim_snapshot snapshot;

/* Three servers that talk over bad links, keep what they hear on disks that differ in speed, and
 * are asked by clients; clocks wander, and hosts fail. */
static void begin_at(struct stage *s, uint64_t seed, uint64_t at_ns)
{
    stage_plan(s, 3, 2);
    s->plan.duration_ns = 6 * SIM_S;
    stage_busy(s);
    stage_fault(s, SIM_FAULT_CRASH, 1, 4 * SIM_S, SIM_S);
    stage_begin(s, seed);
    cr_assert_eq(sim_world_run(s->world, at_ns), SIM_STOP_TIME);
    cr_assert_eq(sim_snapshot_take(&snapshot, s->arena), SIM_OK);
}

/* Go on from the snapshot with other chance; the hash at the end. */
static uint64_t hash_with(struct stage *s, uint64_t salt)
{
    sim_snapshot_restore(&snapshot, s->arena);
    s->record_count = 0;
    sim_world_reseed(s->world, salt);
    cr_assert_eq(sim_world_run(s->world, SIM_NEVER), SIM_STOP_END);
    return sim_world_hash(s->world);
}

/* The same salt is the same future, another one another; and without any the run is what it was. */
Test(reseed, a_salt_is_a_future)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct stage s;
        begin_at(&s, seed, 2 * SIM_S);
        cr_assert_eq(sim_world_run(s.world, SIM_NEVER), SIM_STOP_END);
        const uint64_t own = sim_world_hash(s.world);
        uint64_t hashes[SALTS];
        for (uint64_t salt = 0; salt < SALTS; salt++) {
            hashes[salt] = hash_with(&s, salt);
            cr_expect_eq(hash_with(&s, salt), hashes[salt], "seed %llu, salt %llu", LLU(seed),
                         LLU(salt));
            cr_expect_neq(hashes[salt], own, "seed %llu, salt %llu", LLU(seed), LLU(salt));
            for (uint64_t other = 0; other < salt; other++) {
                cr_expect_neq(hashes[salt], hashes[other], "seed %llu, salts %llu and %llu",
                              LLU(seed), LLU(salt), LLU(other));
            }
            cr_expect_eq(sim_world_seed(s.world), seed, "the run is still the one asked for");
        }
        sim_snapshot_restore(&snapshot, s.arena);
        cr_assert_eq(sim_world_run(s.world, SIM_NEVER), SIM_STOP_END);
        cr_expect_eq(sim_world_hash(s.world), own, "seed %llu: restored, it forgets the salts",
                     LLU(seed));
        stage_end(&s);
    }
    sim_snapshot_release(&snapshot);
}

/* When the message of an ordinal from n0 to n1 arrives first; SIM_NEVER if it does not. */
static uint64_t arrival_of(const struct stage *s, uint64_t ordinal)
{
    size_t place = 0;
    const struct sim_record *r;
    while ((r = stage_next(s, &place, SIM_REC_DELIVER, 1, 0))) {
        if (record_ordinal(r) == ordinal) {
            return r->time_ns;
        }
    }
    return SIM_NEVER;
}

static uint64_t ordinals_sent(const struct stage *s)
{
    return s->world->nodes[0].links[1]->ordinal;
}

/* What is on its way was decided: it arrives when it would have. */
Test(reseed, what_is_under_way_stays)
{
    struct stage s;
    begin_at(&s, 1, 2 * SIM_S);
    const uint64_t sent = ordinals_sent(&s);
    s.record_count = 0;
    (void)sim_world_run(s.world, SIM_NEVER);
    uint64_t own[10];
    for (uint64_t i = 0; i < 10; i++) {
        own[i] = arrival_of(&s, sent - i);
    }
    for (uint64_t salt = 0; salt < SALTS; salt++) {
        (void)hash_with(&s, salt);
        for (uint64_t i = 0; i < 10; i++) {
            cr_expect_eq(arrival_of(&s, sent - i), own[i], "salt %llu, message %llu", LLU(salt),
                         LLU(sent - i));
        }
    }
    stage_end(&s);
    sim_snapshot_release(&snapshot);
}

/* A message's fate is a function of seed, salt, link and ordinal, not of when the world was
 * reseeded: streams go on where this ordinal's draws are. */
Test(reseed, fates_do_not_depend_on_when)
{
    uint64_t early[SALTS][20];
    struct stage s;
    uint64_t first = 0;
    uint64_t lost = 0;
    for (int late = 1; late >= 0; late--) {
        begin_at(&s, 1, late ? 3 * SIM_S : SIM_S);
        first = late ? ordinals_sent(&s) + 1 : first;
        for (uint64_t salt = 0; salt < SALTS; salt++) {
            (void)hash_with(&s, salt);
            for (uint64_t i = 0; i < 20; i++) {
                const uint64_t arrival = arrival_of(&s, first + i);
                lost += late && arrival == SIM_NEVER;
                early[salt][i] = late ? arrival : early[salt][i];
                cr_expect_eq(arrival, early[salt][i], "salt %llu, message %llu", LLU(salt),
                             LLU(first + i));
            }
        }
        stage_end(&s);
    }
    cr_expect_gt(lost, 0, "with a loss of 10 %% some of 200 messages are");
    sim_snapshot_release(&snapshot);
}

/* Over many salts chance is what the knobs say. */
Test(reseed, chance_is_as_likely)
{
    struct stage s;
    begin_at(&s, 1, 2 * SIM_S);
    const uint64_t next = ordinals_sent(&s) + 1;
    uint64_t lost = 0;
    for (uint64_t salt = 0; salt < 2000; salt++) {
        sim_snapshot_restore(&snapshot, s.arena);
        s.record_count = 0;
        sim_world_reseed(s.world, salt);
        (void)sim_world_run(s.world, 2050 * SIM_MS);
        lost += arrival_of(&s, next) == SIM_NEVER;
    }
    cr_expect(is_chance(lost, 2000, 100000), "%llu of 2000 lost, with a loss of 10 %%", LLU(lost));
    stage_end(&s);
    sim_snapshot_release(&snapshot);
}

/* Nodes, disks, clocks and clients draw anew as well: each shows in what it does first. */
Test(reseed, every_consumer_draws_anew)
{
    struct stage s;
    begin_at(&s, 1, 2 * SIM_S);
    uint64_t draws[6][2];
    for (uint64_t salt = 0; salt < 2; salt++) {
        sim_snapshot_restore(&snapshot, s.arena);
        sim_world_reseed(s.world, salt);
        draws[0][salt] = sim_rng_u64(&s.world->nodes[0].rng);
        draws[1][salt] = sim_rng_u64(&s.world->nodes[0].clock_rng);
        draws[2][salt] = sim_rng_u64(&s.world->nodes[0].links[1]->rng);
        draws[3][salt] = sim_rng_u64(&s.world->tie_rng);
        s.record_count = 0;
        (void)sim_world_run(s.world, SIM_NEVER);
        size_t place = 0;
        const struct sim_record *sync = stage_next(&s, &place, SIM_REC_SYNC, 0, ANY);
        cr_assert(sync);
        draws[4][salt] = sync->b;
        draws[5][salt] = 0;
        place = 0;
        for (int i = 0; i < 10; i++) { /* Which keys clients choose. */
            const struct sim_record *invoke = stage_next(&s, &place, SIM_REC_INVOKE, 3, ANY);
            cr_assert(invoke);
            draws[5][salt] = sim_trace_fold(draws[5][salt], invoke->b);
        }
    }
    for (int i = 0; i < 6; i++) {
        cr_expect_neq(draws[i][0], draws[i][1], "consumer %d", i);
    }
    stage_end(&s);
    sim_snapshot_release(&snapshot);
}
