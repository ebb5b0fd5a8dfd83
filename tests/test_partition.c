#include "fault_bench.h"

/* ---- Whom -------------------------------------------------------------------------------- */

/* Without a leader a fault on the leader hits nobody, and that can be seen. */
Test(partition, no_leader_is_nobody)
{
    struct bench b;
    bench_plan(&b, (const uint32_t[]){3, 0}, 0);
    struct sim_fault *f = bench_fault(&b, SIM_FAULT_CRASH, 1000, 500);
    add(&f->targets, SIM_SELECT_LEADER, 0);
    bench_world(&b, 1);
    b.sink.kinds = 1u << SIM_REC_FAULT | 1u << SIM_REC_CRASH;
    cr_assert_eq(sim_world_run(b.world, SIM_NEVER), SIM_STOP_END);
    cr_assert_eq(b.record_count, 1);
    cr_expect_eq(b.records[0].kind, SIM_REC_FAULT);
    cr_expect_eq(b.records[0].node, SIM_NOBODY);
    cr_expect_eq(b.records[0].detail, SIM_FAULT_CRASH);
    bench_end(&b);
}

static uint64_t resolve(const struct bench *b, uint32_t kind, uint32_t index, uint64_t seed)
{
    struct sim_selection s = {.count = 0};
    add(&s, kind, index);
    struct sim_rng rng;
    sim_rng_derive(&rng, seed, "test");
    struct sim_set set = {.words = {0}};
    const uint32_t count = sim_selection_resolve(b->world, &s, false, &rng, set.words);
    cr_assert_eq(count, (uint32_t)__builtin_popcountll(set.words[0]));
    return set.words[0];
}

/* Every selector selects what it says: of servers 0 to 4, of which 3 is absent and 1 and 2
 * both think they lead (2 in a newer term), 5 in a group of its own, and clients 6 and 7. */
Test(partition, selectors_select)
{
    struct bench b;
    bench_plan(&b, (const uint32_t[]){5, 1, 0}, 2);
    b.plan.nodes[3].absent = true;
    b.plan.nodes[4].zone = 1;
    b.plan.nodes[7].zone = 1;
    for (uint32_t id = 1; id < 3; id++) {
        b.plan.nodes[id].settings[SET_LEADS_AT] = (struct sim_value){10, 10};
        b.plan.nodes[id].settings[SET_TERM] = (struct sim_value){id, id};
    }
    bench_world(&b, 1);
    bench_until(&b, 100);
    cr_expect_eq(resolve(&b, SIM_SELECT_ALL, 0, 1), 0x37);
    cr_expect_eq(resolve(&b, SIM_SELECT_NODE, 2, 1), 1u << 2);
    cr_expect_eq(resolve(&b, SIM_SELECT_NODE, 3, 1), 0);
    cr_expect_eq(resolve(&b, SIM_SELECT_NODE, 7, 1), 1u << 7);
    cr_expect_eq(resolve(&b, SIM_SELECT_GROUP, 0, 1), 0x17);
    cr_expect_eq(resolve(&b, SIM_SELECT_ZONE, 1, 1), 0x90);
    cr_expect_eq(resolve(&b, SIM_SELECT_REGION, 0, 1), 0x67);
    cr_expect_eq(resolve(&b, SIM_SELECT_LEADER, 0, 1), 1u << 2);
    cr_expect_eq(resolve(&b, SIM_SELECT_FOLLOWERS, 0, 1), 0x31);
    cr_expect_eq(resolve(&b, SIM_SELECT_CLIENTS, 0, 1), 0xc0);
    uint64_t any = 0;
    uint64_t follower = 0;
    uint64_t minority = 0;
    uint32_t sizes = 0;
    for (uint64_t seed = 0; seed < 200; seed++) {
        const uint64_t one = resolve(&b, SIM_SELECT_ANY, 0, seed);
        const uint64_t other = resolve(&b, SIM_SELECT_FOLLOWER, 0, seed);
        const uint64_t few = resolve(&b, SIM_SELECT_MINORITY, 0, seed);
        cr_assert_eq(__builtin_popcountll(one), 1, "seed %lu", (unsigned long)seed);
        cr_assert_eq(__builtin_popcountll(other), 1, "seed %lu", (unsigned long)seed);
        any |= one;
        follower |= other;
        minority |= few;
        sizes |= 1u << __builtin_popcountll(few);
    }
    cr_expect_eq(any, 0x37, "each can be chosen, and nobody else");
    cr_expect_eq(follower, 0x31);
    cr_expect_eq(minority, 0x37);
    cr_expect_eq(sizes, 1u << 1 | 1u << 2, "one or two of five");
    bench_end(&b);
}

/* A random choice is the same in every run, differs between the begins of a flapping fault,
 * and does not move when another fault is added or takes its own choices. */
Test(partition, choices_do_not_depend_on_other_faults)
{
    uint32_t chosen[2][20];
    for (uint32_t others = 0; others < 2; others++) {
        struct bench b;
        bench_plan(&b, (const uint32_t[]){5, 0}, 0);
        struct sim_fault *f = bench_fault(&b, SIM_FAULT_PAUSE, 1000, 50);
        add(&f->targets, SIM_SELECT_ANY, 0);
        f->every_ns = 100 * SIM_MS;
        f->times = 20;
        if (others) {
            struct sim_fault *g = bench_fault(&b, SIM_FAULT_SLOW, 970, 0);
            add(&g->targets, SIM_SELECT_MINORITY, 0);
            g->speed_ppm = 500000;
            g->every_ns = 40 * SIM_MS;
        }
        bench_world(&b, 7);
        b.sink.kinds = 1u << SIM_REC_PAUSE;
        cr_assert_eq(sim_world_run(b.world, SIM_NEVER), SIM_STOP_END);
        cr_assert_eq(b.record_count, 20);
        for (uint32_t i = 0; i < 20; i++) {
            chosen[others][i] = b.records[i].node;
        }
        bench_end(&b);
    }
    uint32_t different = 0;
    for (uint32_t i = 0; i < 20; i++) {
        cr_expect_eq(chosen[0][i], chosen[1][i], "begin %u", i);
        different += chosen[0][i] != chosen[0][0];
    }
    cr_expect_gt(different, 5);
}

/* ---- Shapes ------------------------------------------------------------------------------ */

/* A world with one partition of `shape` of a group of `size`, beside a group of 2 and 2
 * clients, in force. */
static void bench_shape(struct bench *b, uint32_t shape, uint32_t size, uint64_t seed)
{
    bench_plan(b, (const uint32_t[]){size, 2, 0}, 2);
    struct sim_fault *f = bench_fault(b, SIM_FAULT_PARTITION, 100, 100);
    f->shape = shape;
    add(&f->targets, SIM_SELECT_NODE, 0); /* Stands for its group. */
    bench_world(b, seed);
    bench_until(b, 150);
}

/* Targets and peers are cut from each other, both ways or one; without peers, from everybody
 * else; isolated ones also from each other. */
Test(partition, shapes_between_nodes_cut_what_they_say)
{
    for (uint32_t shape = SIM_CUT_BETWEEN; shape <= SIM_CUT_ISOLATE; shape++) {
        for (uint32_t everybody = 0; everybody < 2; everybody++) {
            struct bench b;
            bench_plan(&b, (const uint32_t[]){5, 0}, 2);
            struct sim_fault *f = bench_fault(&b, SIM_FAULT_PARTITION, 100, 100);
            f->shape = shape;
            add(&f->targets, SIM_SELECT_NODE, 0);
            add(&f->targets, SIM_SELECT_NODE, 1);
            if (!everybody) {
                add(&f->peers, SIM_SELECT_NODE, 3);
                add(&f->peers, SIM_SELECT_NODE, 5);
            }
            bench_world(&b, 1);
            bench_until(&b, 150);
            for (uint32_t from = 0; from < 7; from++) {
                for (uint32_t to = 0; to < 7; to++) {
                    const bool forth = from < 2 && (everybody ? to >= 2 : to == 3 || to == 5);
                    const bool back = to < 2 && (everybody ? from >= 2 : from == 3 || from == 5);
                    bool expected = forth || (shape == SIM_CUT_BETWEEN && back);
                    if (shape == SIM_CUT_ISOLATE) {
                        expected = from != to && (from < 2 || to < 2);
                    }
                    cr_expect_eq(is_cut(&b, from, to), expected, "shape %u: %u > %u", shape, from,
                                 to);
                }
            }
            bench_until(&b, 250);
            cr_expect_eq(cut_count(&b), 0);
            bench_end(&b);
        }
    }
}

/* What one node can reach of the first `size`, itself included; a random shape must cut both
 * ways and nobody outside the group. */
static uint64_t reach(const struct bench *b, uint32_t node, uint32_t size)
{
    uint64_t set = 0;
    for (uint32_t to = 0; to < b->world->node_count; to++) {
        cr_assert_eq(is_cut(b, node, to), is_cut(b, to, node));
        if (to < size) {
            set |= is_cut(b, node, to) ? 0 : UINT64_C(1) << to;
        } else {
            cr_assert_not(is_cut(b, node, to), "%u is not of the group", to);
        }
    }
    return set;
}

/* Halves: two sides as equal as can be, all of a side together, nothing across. Different
 * seeds divide differently. */
Test(partition, halves_divide_a_group)
{
    for (uint32_t size = 2; size <= 7; size++) {
        uint64_t seen = 0;
        for (uint64_t seed = 0; seed < 40; seed++) {
            struct bench b;
            bench_shape(&b, SIM_CUT_HALVES, size, seed);
            const uint64_t all = (UINT64_C(1) << size) - 1;
            const uint64_t side = reach(&b, 0, size);
            const uint32_t in = (uint32_t)__builtin_popcountll(side);
            cr_assert(in == size / 2 || in == (size + 1) / 2, "size %u seed %lu", size,
                      (unsigned long)seed);
            for (uint32_t id = 0; id < size; id++) {
                cr_assert_eq(reach(&b, id, size), side >> id & 1 ? side : all & ~side);
            }
            seen |= UINT64_C(1) << (side & 63);
            bench_until(&b, 250);
            cr_assert_eq(cut_count(&b), 0);
            bench_end(&b);
        }
        cr_expect(size < 4 || __builtin_popcountll(seen) > 2);
    }
}

/* A bridge: one node reaches all; without it there are two halves. */
Test(partition, a_bridge_joins_two_halves)
{
    for (uint32_t size = 3; size <= 7; size++) {
        for (uint64_t seed = 0; seed < 40; seed++) {
            struct bench b;
            bench_shape(&b, SIM_CUT_BRIDGE, size, seed);
            const uint64_t all = (UINT64_C(1) << size) - 1;
            uint32_t bridges = 0;
            uint64_t bridge = 0;
            for (uint32_t id = 0; id < size; id++) {
                if (reach(&b, id, size) == all) {
                    bridges++;
                    bridge = UINT64_C(1) << id;
                }
            }
            cr_assert_eq(bridges, 1, "size %u seed %lu", size, (unsigned long)seed);
            const uint64_t side = reach(&b, bridge == 1, size);
            const uint32_t in = (uint32_t)__builtin_popcountll(side) - 1;
            cr_assert(in == (size - 1) / 2 || in == size / 2);
            for (uint32_t id = 0; id < size; id++) {
                const uint64_t expected = side >> id & 1 ? side : (all & ~side) | bridge;
                cr_assert(bridge >> id & 1 || reach(&b, id, size) == expected);
            }
            bench_end(&b);
        }
    }
}

/* A ring: everybody reaches two others, and going round visits all. */
Test(partition, a_ring_goes_round)
{
    for (uint32_t size = 4; size <= 7; size++) {
        for (uint64_t seed = 0; seed < 40; seed++) {
            struct bench b;
            bench_shape(&b, SIM_CUT_RING, size, seed);
            uint64_t visited = 0;
            uint32_t at = 0;
            for (uint32_t steps = 0; steps < size; steps++) {
                const uint64_t near = reach(&b, at, size);
                cr_assert_eq(__builtin_popcountll(near), 3, "size %u seed %lu", size,
                             (unsigned long)seed);
                visited |= UINT64_C(1) << at;
                const uint64_t next = near & ~visited;
                at = next ? (uint32_t)__builtin_ctzll(next) : at;
            }
            cr_assert_eq(visited, (UINT64_C(1) << size) - 1);
            bench_end(&b);
        }
    }
}

/* ---- Quorums ----------------------------------------------------------------------------- */

static void cut_pair(struct bench *b, uint32_t from, uint32_t to)
{
    b->world->cuts[from * b->world->node_count + to] = 1;
}

/* The truth table of small troubles for a group of five (client: node 5). */
Test(partition, a_quorum_needs_a_connected_majority_that_clients_reach)
{
    const struct {
        const char *what;
        uint32_t down, paused; /* Bit sets. */
        uint8_t cuts[6][2];    /* One way each, ends with 0, 0. */
        bool possible;
    } cases[] = {
        {"all well", 0, 0, {{0, 0}}, true},
        {"two down", 0x3, 0, {{0, 0}}, true},
        {"three down", 0x7, 0, {{0, 0}}, false},
        {"two down, one paused", 0x3, 0x4, {{0, 0}}, false},
        {"two down, one pair cut one way", 0x3, 0, {{2, 3}}, false},
        {"one down, one pair cut", 0x1, 0, {{2, 3}, {3, 2}}, true},
        {"one down, two pairs cut", 0x1, 0, {{1, 2}, {3, 4}}, false},
        {"a ring", 0, 0, {{0, 2}, {0, 3}, {1, 3}, {1, 4}, {2, 4}}, false},
        {"the client hears nobody", 0, 0, {{0, 5}, {1, 5}, {2, 5}, {3, 5}, {4, 5}}, false},
        {"the client reaches three", 0, 0, {{5, 0}, {1, 5}}, true},
        {"the client reaches two", 0, 0, {{5, 0}, {5, 1}, {5, 2}}, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bench b;
        bench_plan(&b, (const uint32_t[]){5, 0}, 1);
        bench_world(&b, 1);
        bench_until(&b, 10);
        for (uint32_t id = 0; id < 5; id++) {
            b.world->nodes[id].up = !(cases[i].down >> id & 1);
            b.world->nodes[id].paused = cases[i].paused >> id & 1;
        }
        for (uint32_t k = 0; k < 6 && (cases[i].cuts[k][0] || cases[i].cuts[k][1]); k++) {
            cut_pair(&b, cases[i].cuts[k][0], cases[i].cuts[k][1]);
        }
        cr_expect_eq(sim_faults_quorum_possible(b.world, 0), cases[i].possible, "%s",
                     cases[i].what);
        bench_end(&b);
    }
}

/* While two configurations are in force a quorum is a majority of each. */
Test(partition, two_configurations_need_two_majorities)
{
    static const uint32_t voters[] = {0, 1, 2};
    static const uint32_t old_voters[] = {2, 3, 4, 5, 6};
    const struct {
        const char *what;
        uint32_t down;
        uint32_t cut[2];
        bool possible;
    } cases[] = {
        {"all", 0, {0, 0}, true},
        {"a majority of each", 0x32, {0, 0}, true},
        {"one of three", 0x03, {0, 0}, false},
        {"two of five", 0x38, {0, 0}, false},
        {"six of seven", 0x04, {0, 0}, true},
        {"two majorities that cannot reach each other", 0x36, {0, 3}, false},
    };
    probe_says.voters = voters;
    probe_says.voter_count = 3;
    probe_says.old_voters = old_voters;
    probe_says.old_voter_count = 5;
    for (uint32_t size = 7; size <= 30; size += 23) { /* Every subset, and by peeling. */
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
            struct bench b;
            bench_plan(&b, (const uint32_t[]){size, 0}, 1);
            bench_world(&b, 1);
            bench_until(&b, 10);
            for (uint32_t id = 0; id < 7; id++) {
                b.world->nodes[id].up = !(cases[i].down >> id & 1);
            }
            if (cases[i].cut[1] != 0) {
                cut_pair(&b, cases[i].cut[0], cases[i].cut[1]);
            }
            cr_expect_eq(sim_faults_quorum_possible(b.world, 0), cases[i].possible, "%s",
                         cases[i].what);
            bench_end(&b);
        }
    }
    probe_says = (struct sim_view){0};
}

/* A configuration that one node has in its log counts as well as the one that it follows, until
 * it is committed; of nodes that are down nobody knows. */
Test(partition, a_quorum_reckons_with_a_change_under_way)
{
    static const uint32_t three[] = {0, 1, 2};
    static const uint32_t alone[] = {3};
    const struct {
        uint32_t down;
        uint64_t commit_index;
        bool possible;
    } cases[] = {{0x0, 5, true}, {0x4, 5, true}, {0x6, 5, false},
                 {0x8, 5, true}, {0x7, 5, true}, {0x6, 6, true}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bench b;
        bench_plan(&b, (const uint32_t[]){4, 0}, 1);
        bench_world(&b, 1);
        bench_until(&b, 10);
        probe_says = (struct sim_view){.voters = three, .voter_count = 3, .commit_index = 5};
        probe_apart = b.world->nodes[3].state;
        probe_apart_says = (struct sim_view){.voters = alone,
                                             .voter_count = 1,
                                             .commit_index = cases[i].commit_index,
                                             .config_index = 6};
        for (uint32_t id = 0; id < 4; id++) {
            b.world->nodes[id].up = !(cases[i].down >> id & 1);
        }
        const bool possible = sim_faults_quorum_possible(b.world, 0);
        cr_expect_eq(possible, cases[i].possible, "case %zu", i);
        probe_says = (struct sim_view){0};
        probe_apart = NULL;
        bench_end(&b);
    }
}

/* In groups too large to look at every subset the shapes are still judged right. */
Test(partition, a_large_group_divided_has_a_quorum_only_on_the_larger_side)
{
    const struct {
        uint32_t shape, size;
        bool possible;
    } cases[] = {{SIM_CUT_HALVES, 40, false}, {SIM_CUT_HALVES, 41, true},
                 {SIM_CUT_BRIDGE, 41, true},  {SIM_CUT_BRIDGE, 40, true},
                 {SIM_CUT_RING, 41, false},   {SIM_CUT_HALVES, 101, true}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bench b;
        bench_shape(&b, cases[i].shape, cases[i].size, 3);
        cr_expect_eq(sim_faults_quorum_possible(b.world, 0), cases[i].possible, "case %zu", i);
        bench_end(&b);
    }
}

/* Nobody can make progress when the first phase ends: all are down or stand still, cut off,
 * on links that lose everything. (A swarm's crash could end in a boot after the pause.) */
static void bench_disaster(struct bench *b, uint64_t seed)
{
    bench_plan(b, (const uint32_t[]){5, 3, 0}, 2);
    b->plan.nodes[4].absent = true;
    b->plan.duration_ns = 2 * SIM_S;
    b->plan.settle_ns = 5 * SIM_S;
    if (!(seed & 1)) {
        everything(b);
    }
    struct sim_fault *f = bench_fault(b, seed & 1 ? SIM_FAULT_PAUSE : SIM_FAULT_CRASH, 1900, 0);
    add(&f->targets, SIM_SELECT_GROUP, 0);
    f = bench_fault(b, SIM_FAULT_PARTITION, 1900, 500);
    f->shape = SIM_CUT_ISOLATE;
    add(&f->targets, SIM_SELECT_ALL, 0);
    f = bench_fault(b, SIM_FAULT_LINK, 1900, 500);
    add(&f->targets, SIM_SELECT_ALL, 0);
    f->link.fields = 1u << SIM_LINK_LOSS;
    f->link.knobs.loss_ppm = SIM_PPM;
    bench_world(b, seed);
    bench_until(b, 1999);
    cr_assert_not(sim_faults_quorum_possible(b->world, 0));
}

/* Servers of the first group that run. */
static uint64_t running(const struct bench *b)
{
    uint64_t set = 0;
    for (uint32_t id = 0; id < 5; id++) {
        const struct sim_env *env = &b->world->nodes[id];
        set |= (uint64_t)(env->up && !env->paused) << id;
    }
    return set;
}

/* Whatever was going on, a random majority is healed and connected when the second phase
 * begins; who is not of it stays as it was, and absent nodes stay absent. */
Test(partition, settling_heals_a_random_quorum)
{
    uint32_t different = 0;
    uint64_t first = 0;
    for (uint64_t seed = 0; seed < 60; seed++) {
        struct bench b;
        bench_disaster(&b, seed);
        bench_until(&b, 2001);
        cr_assert_eq(b.world->phase, 1);
        cr_assert(sim_faults_quorum_possible(b.world, 0), "seed %lu", (unsigned long)seed);
        const uint64_t chosen = running(&b);
        cr_assert_eq(__builtin_popcountll(chosen), 3, "three of the four that are there");
        cr_assert_not(b.world->nodes[4].up);
        first = seed == 0 ? chosen : first;
        different += chosen != first;
        for (uint32_t id = 0; id < 4; id++) {
            const struct sim_env *env = &b.world->nodes[id];
            const bool healed = chosen >> id & 1;
            cr_assert(!healed || env->cpu.speed_ppm == SIM_PPM);
            cr_assert(!healed || env->disk_knobs.lie_ppm == 0);
            cr_assert_eq(is_cut(&b, id, 8), !healed, "seed %lu", (unsigned long)seed);
        }
        bench_end(&b);
    }
    cr_expect_gt(different, 10, "the majority is random");
}

/* Nor can they be left with one that has stopped for good, as for its disk. */
Test(partition, settling_heals_nobody_who_has_stopped_for_good)
{
    for (uint64_t seed = 1; seed < 40; seed += 2) { /* All are up, and stand still. */
        struct bench b;
        bench_disaster(&b, seed);
        probe_halted = b.world->nodes[1].state;
        bench_until(&b, 2001);
        cr_assert_eq(running(&b), 0xd, "seed %lu: the other three", (unsigned long)seed);
        cr_assert(sim_faults_quorum_possible(b.world, 0));
        probe_halted = b.world->nodes[2].state;
        cr_assert_not(sim_faults_quorum_possible(b.world, 0), "one of them has stopped since");
        bench_until(&b, 2100);
        cr_assert(sim_faults_quorum_possible(b.world, 0), "and another has its place");
        probe_halted = NULL;
        bench_end(&b);
    }
}

/* A membership that changes while progress is demanded must not leave it to nodes that nobody
 * healed. */
Test(partition, settling_heals_those_whom_a_change_brings_in)
{
    static const uint32_t before[] = {0, 1, 2};
    static const uint32_t after[] = {2, 3};
    for (uint64_t seed = 1; seed < 40; seed += 2) { /* All are up, and stand still. */
        struct bench b;
        probe_says = (struct sim_view){.voters = before, .voter_count = 3};
        bench_disaster(&b, seed);
        bench_until(&b, 2001);
        cr_assert(!(running(&b) & 8), "seed %lu", (unsigned long)seed);
        probe_says = (struct sim_view){
            .voters = after, .voter_count = 2, .config_index = 1, .commit_index = 1};
        cr_assert_not(sim_faults_quorum_possible(b.world, 0));
        bench_until(&b, 2100);
        cr_assert(sim_faults_quorum_possible(b.world, 0), "seed %lu", (unsigned long)seed);
        probe_says = (struct sim_view){0};
        bench_end(&b);
    }
}

/* Once settled, no fault begins and none ends, though they were due. */
Test(partition, settling_freezes_the_rest)
{
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct bench b;
        bench_disaster(&b, seed);
        bench_until(&b, 2001);
        const uint32_t cut = cut_count(&b);
        const uint64_t chosen = running(&b);
        cr_assert_gt(cut, 0);
        b.sink.kinds = 1u << SIM_REC_FAULT | 1u << SIM_REC_BOOT | 1u << SIM_REC_CRASH;
        b.record_count = 0;
        bench_until(&b, 6000);
        cr_assert_eq(b.record_count, 0, "seed %lu", (unsigned long)seed);
        cr_assert_eq(cut_count(&b), cut);
        cr_assert_eq(running(&b), chosen);
        bench_end(&b);
    }
}
