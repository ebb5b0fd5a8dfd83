#include "fault_bench.h"

/* ---- Each effect, and its undoing -------------------------------------------------------- */

/* What one node is like now, of what faults can change; loss of its link to node 1. */
static int64_t look(const struct bench *b, uint32_t kind)
{
    const struct sim_env *env = &b->world->nodes[0];
    struct sim_link_knobs standard;
    struct sim_link_knobs knobs;
    switch (kind) {
    case SIM_FAULT_CRASH:
    case SIM_FAULT_WIPE:
        return env->up;
    case SIM_FAULT_PAUSE:
        return env->paused;
    case SIM_FAULT_SLOW:
        return env->cpu.speed_ppm;
    case SIM_FAULT_DISK:
        return env->disk_knobs.sync_error_ppm;
    case SIM_FAULT_CLOCK_DRIFT:
        return env->clock.drift_ppb;
    case SIM_FAULT_MOVE:
        return env->zone;
    case SIM_FAULT_ADMIN_SET:
        return env->facts[FACT_LEVEL];
    case SIM_FAULT_LINK:
        sim_link_knobs_init(&standard);
        knobs = standard;
        (void)sim_faults_overlay(b->world, 0, 1, &standard, &knobs);
        cr_expect_eq(env->links[1]->set->knobs.loss_ppm, knobs.loss_ppm,
                     "a link already in use must be told");
        return knobs.loss_ppm;
    default:
        return is_cut(b, 0, 1);
    }
}

/* Two faults on one node overlap; each end gives back exactly what is left to be, whichever
 * ends first. */
Test(fault, overlapping_faults_end_in_either_order)
{
    /* Values before, under the first, under the second. */
    const struct {
        uint32_t kind;
        int64_t none, first, second;
    } cases[] = {
        {SIM_FAULT_CRASH, 1, 0, 0},    {SIM_FAULT_WIPE, 1, 0, 0},
        {SIM_FAULT_PAUSE, 0, 1, 1},    {SIM_FAULT_SLOW, 1000000, 500, 700},
        {SIM_FAULT_DISK, 0, 500, 700}, {SIM_FAULT_CLOCK_DRIFT, 20, 520, 720},
        {SIM_FAULT_MOVE, 0, 1, 0},     {SIM_FAULT_ADMIN_SET, 3, 5, 7},
        {SIM_FAULT_LINK, 0, 500, 700}, {SIM_FAULT_PARTITION, 0, 1, 1},
        {SIM_FAULT_FIREWALL, 0, 1, 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (uint32_t first_ends_first = 0; first_ends_first < 2; first_ends_first++) {
            struct bench b;
            bench_plan(&b, (const uint32_t[]){3, 0}, 1);
            b.plan.nodes[0].host.clock.drift_ppb = 20;
            b.plan.nodes[0].settings[SET_LEVEL] = (struct sim_value){3, 3};
            for (uint32_t k = 0; k < 2; k++) {
                const uint64_t for_ms = (k == 0) == (first_ends_first == 1) ? 2000 : 4000;
                struct sim_fault *f = bench_fault_on(&b, cases[i].kind, 1000 + 500 * k, for_ms, 0);
                const uint32_t value = k ? 700 : 500;
                f->speed_ppm = value;
                f->amount = cases[i].kind == SIM_FAULT_CLOCK_DRIFT ? value : 0;
                f->index = cases[i].kind == SIM_FAULT_MOVE ? !k : SET_LEVEL;
                f->value = (struct sim_value){value / 100, value / 100};
                f->link.fields = 1u << SIM_LINK_LOSS;
                f->link.knobs.loss_ppm = value;
                f->disk.fields = 1u << SIM_DISK_SYNC_ERROR;
                f->disk.knobs.sync_error_ppm = value;
            }
            bench_world(&b, 1);
            const int64_t late = first_ends_first ? cases[i].second : cases[i].first;
            bench_until(&b, 900);
            if (cases[i].kind != SIM_FAULT_ADMIN_SET) { /* Publishes when it is configured. */
                cr_expect_eq(look(&b, cases[i].kind), cases[i].none, "case %zu", i);
            }
            bench_until(&b, 1200);
            cr_expect_eq(look(&b, cases[i].kind), cases[i].first, "case %zu", i);
            bench_until(&b, 1700);
            cr_expect_eq(look(&b, cases[i].kind), cases[i].second, "case %zu", i);
            bench_until(&b, 3900); /* One has ended: at 3000 or at 3500. */
            cr_expect_eq(look(&b, cases[i].kind), late, "case %zu, order %u", i, first_ends_first);
            bench_until(&b, 6000); /* The other one too: at 5500 or at 5000. */
            cr_expect_eq(look(&b, cases[i].kind), cases[i].none, "case %zu, order %u: %ld", i,
                         first_ends_first, (long)look(&b, cases[i].kind));
            bench_end(&b);
        }
    }
}

/* A crash gives back only the life it ended: not one that another fault ended later. */
Test(fault, a_crash_does_not_undo_a_later_crash)
{
    struct bench b;
    bench_plan(&b, (const uint32_t[]){3, 0}, 0);
    bench_fault_on(&b, SIM_FAULT_CRASH, 1000, 4000, 0);
    bench_fault_on(&b, SIM_FAULT_RESTART, 2000, 0, 0);
    bench_fault_on(&b, SIM_FAULT_CRASH, 3000, 0, 0);
    bench_world(&b, 1);
    bench_until(&b, 2500);
    cr_expect(b.world->nodes[0].up);
    bench_until(&b, 6000);
    cr_expect_not(b.world->nodes[0].up, "the second crash has no end");
    bench_end(&b);
}

/* A node that leaves while it is crashed is there again when the leave ends, but down until
 * the crash ends too, whichever ends first. */
Test(fault, a_crash_and_a_leave_overlap)
{
    for (uint32_t leave_ends_first = 0; leave_ends_first < 2; leave_ends_first++) {
        struct bench b;
        bench_plan(&b, (const uint32_t[]){3, 0}, 0);
        bench_fault_on(&b, SIM_FAULT_CRASH, 1000, leave_ends_first ? 4000 : 1000, 0);
        bench_fault_on(&b, SIM_FAULT_LEAVE, 1500, 1500, 0);
        bench_world(&b, 1);
        const struct sim_env *env = &b.world->nodes[0];
        bench_until(&b, 1600);
        cr_expect(!env->up && env->absent);
        bench_until(&b, 2500);
        cr_expect(!env->up && env->absent, "still gone, whether the crash has ended or not");
        bench_until(&b, 3500);
        cr_expect_eq(env->up, !leave_ends_first);
        cr_expect_not(env->absent);
        bench_until(&b, 6000);
        cr_expect(env->up && !env->absent);
        bench_end(&b);
    }
}

/* A member for a time goes when that is over, though it has crashed and come back meanwhile,
 * and a crash that ends later does not bring it back. */
Test(fault, a_join_ends_for_a_node_that_has_crashed)
{
    for (uint32_t down_at_end = 0; down_at_end < 2; down_at_end++) {
        struct bench b;
        bench_plan(&b, (const uint32_t[]){3, 0}, 0);
        b.plan.nodes[2].absent = true;
        bench_fault_on(&b, SIM_FAULT_JOIN, 1000, 2000, 2);
        bench_fault_on(&b, SIM_FAULT_CRASH, 2000, down_at_end ? 2000 : 500, 2);
        bench_world(&b, 1);
        const struct sim_env *env = &b.world->nodes[2];
        bench_until(&b, 2800);
        cr_expect_eq(env->up, !down_at_end);
        bench_until(&b, 3500);
        cr_expect(!env->up && env->absent);
        bench_until(&b, 5000);
        cr_expect(!env->up && env->absent);
        bench_end(&b);
    }
}

/* A leave in the middle of a membership is only a time away. */
Test(fault, a_leave_ends_within_a_join)
{
    struct bench b;
    bench_plan(&b, (const uint32_t[]){3, 0}, 0);
    b.plan.nodes[2].absent = true;
    bench_fault_on(&b, SIM_FAULT_JOIN, 1000, 0, 2);
    bench_fault_on(&b, SIM_FAULT_LEAVE, 2000, 1000, 2);
    bench_world(&b, 1);
    bench_until(&b, 2500);
    cr_expect(!b.world->nodes[2].up && b.world->nodes[2].absent);
    bench_until(&b, 3500);
    cr_expect(b.world->nodes[2].up && !b.world->nodes[2].absent);
    bench_end(&b);
}

/* A restart stops a running node cleanly and boots it again; a crashed one it boots. */
Test(fault, a_restart_ends_in_a_new_life)
{
    struct bench b;
    bench_plan(&b, (const uint32_t[]){2, 0}, 0);
    bench_fault_on(&b, SIM_FAULT_RESTART, 1000, 0, 0);
    bench_world(&b, 1);
    b.sink.kinds = 1u << SIM_REC_LEAVE | 1u << SIM_REC_BOOT | 1u << SIM_REC_CRASH;
    bench_until(&b, 1);
    b.record_count = 0;
    bench_until(&b, 2000);
    cr_assert_eq(b.record_count, 2);
    cr_expect_eq(b.records[0].kind, SIM_REC_LEAVE);
    cr_expect_eq(b.records[1].kind, SIM_REC_BOOT);
    cr_expect(b.world->nodes[0].up);
    bench_end(&b);
}

/* A wiped node has lost what it had synced; a crashed one has not. */
Test(fault, only_a_wipe_empties_the_disk)
{
    for (uint32_t wipe = 0; wipe < 2; wipe++) {
        struct bench b;
        bench_plan(&b, (const uint32_t[]){2, 0}, 0);
        bench_fault_on(&b, wipe ? SIM_FAULT_WIPE : SIM_FAULT_CRASH, 1000, 100, 0);
        bench_world(&b, 1);
        bench_until(&b, 500);
        struct sim_disk *disk = b.world->nodes[0].disk;
        uint64_t done_ns;
        uint64_t token;
        uint32_t synced;
        cr_assert_eq(sim_disk_do_write(disk, 0, 0, "x", 1, (struct sim_label){1, 1}), SIM_OK);
        cr_assert_eq(sim_disk_begin_sync(disk, 500 * SIM_MS, 1, &done_ns), SIM_OK);
        cr_assert_eq(sim_disk_finish_sync(disk, &token, &synced), SIM_OK);
        bench_until(&b, 2000);
        cr_expect(b.world->nodes[0].up);
        cr_expect_eq(sim_disk_cached(disk, 0, 0, NULL) == NULL, wipe == 1);
        bench_end(&b);
    }
}

/* A node that is absent joins, leaves when that is undone, and can join again. Nobody else
 * can name it meanwhile. */
Test(fault, a_node_joins_and_leaves)
{
    struct bench b;
    bench_plan(&b, (const uint32_t[]){3, 0}, 0);
    b.plan.nodes[2].absent = true;
    bench_fault_on(&b, SIM_FAULT_PAUSE, 500, 100, 2);
    struct sim_fault *f = bench_fault_on(&b, SIM_FAULT_JOIN, 1000, 500, 2);
    f->every_ns = SIM_S;
    bench_world(&b, 1);
    b.sink.kinds = 1u << SIM_REC_FAULT;
    bench_until(&b, 900);
    cr_expect_eq(b.record_count, 1, "an absent node is nobody");
    cr_expect_eq(b.records[0].node, SIM_NOBODY);
    const bool expected[] = {true, false, true, false};
    for (uint32_t i = 0; i < 4; i++) {
        bench_until(&b, 1100 + 500 * i);
        cr_expect_eq(b.world->nodes[2].up, expected[i]);
        cr_expect_eq(b.world->nodes[2].absent, !expected[i]);
    }
    bench_end(&b);
}

/* A step moves the wall clock alone; a synchronisation takes it back to true time. */
Test(fault, clocks_step_and_synchronise)
{
    struct bench b;
    bench_plan(&b, (const uint32_t[]){2, 0}, 1);
    for (uint32_t node = 0; node < 3; node += 2) { /* A server and a client. */
        bench_fault_on(&b, SIM_FAULT_CLOCK_STEP, 1000, 0, node)->amount = 7 * (int64_t)SIM_S;
        bench_fault_on(&b, SIM_FAULT_CLOCK_SYNC, 2000, 0, node);
    }
    bench_world(&b, 1);
    for (uint32_t node = 0; node < 3; node += 2) {
        const struct sim_clock *clock = &b.world->nodes[node].clock;
        bench_until(&b, 1500 + 10 * node);
        cr_expect_eq(sim_clock_wall_ns(clock, 1600 * SIM_MS), 8600 * SIM_MS);
        cr_expect_eq(sim_clock_monotonic_ns(clock, 1600 * SIM_MS), 1600 * SIM_MS);
    }
    bench_until(&b, 2500);
    cr_expect_eq(sim_clock_wall_ns(&b.world->nodes[0].clock, 2600 * SIM_MS), 2600 * SIM_MS);
    cr_expect_eq(sim_clock_wall_ns(&b.world->nodes[2].clock, 2600 * SIM_MS), 2600 * SIM_MS);
    bench_end(&b);
}

/* A new address is a new one each time. */
Test(fault, a_node_is_readdressed)
{
    struct bench b;
    bench_plan(&b, (const uint32_t[]){2, 0}, 0);
    bench_fault_on(&b, SIM_FAULT_READDRESS, 1000, 0, 0)->every_ns = SIM_S;
    bench_world(&b, 1);
    bench_until(&b, 3500);
    cr_expect_eq(b.world->nodes[0].address, 3);
    cr_expect_eq(b.world->nodes[1].address, 0);
    bench_end(&b);
}

/* A move changes the delay of links already in use, both ways. */
Test(fault, a_move_changes_the_delays)
{
    struct bench b;
    bench_plan(&b, (const uint32_t[]){2, 0}, 0);
    bench_fault_on(&b, SIM_FAULT_MOVE, 1000, 1000, 0)->index = 1;
    bench_world(&b, 1);
    const uint64_t to_ms[] = {1, 3, 1};
    const uint64_t from_ms[] = {1, 2, 1};
    for (uint32_t i = 0; i < 3; i++) {
        bench_until(&b, 500 + 1000 * i);
        cr_expect_eq(b.world->nodes[0].links[1]->base_ns, to_ms[i] * SIM_MS);
        cr_expect_eq(b.world->nodes[1].links[0]->base_ns, from_ms[i] * SIM_MS);
    }
    bench_end(&b);
}

/* A command reaches the leader, with its peers as places in the group, and the first of them. */
Test(fault, a_command_reaches_the_leader)
{
    struct bench b;
    bench_plan(&b, (const uint32_t[]){2, 3, 0}, 0);
    b.plan.nodes[3].settings[SET_LEADS_AT] = (struct sim_value){100, 100};
    for (uint32_t i = 0; i < 2; i++) {
        struct sim_fault *f = bench_fault(&b, SIM_FAULT_COMMAND, 1000 + 1000 * i, 0);
        add(&f->targets, SIM_SELECT_LEADER, 0);
        f->index = 1;
        if (i == 0) {
            add(&f->peers, SIM_SELECT_NODE, 4);
            add(&f->peers, SIM_SELECT_NODE, 3);
        }
    }
    bench_world(&b, 1);
    bench_until(&b, 1500);
    cr_expect_eq(b.world->nodes[3].facts[FACT_ASKED], (int64_t)(1003 + 6 * PEERS));
    bench_until(&b, 2500);
    cr_expect_eq(b.world->nodes[3].facts[FACT_ASKED], 1000 + (int64_t)SIM_NOBODY);
    cr_expect_eq(b.world->nodes[2].facts[FACT_ASKED], 0);
    bench_end(&b);
}

/* Two administrators at odds: the second overrules the first, but one who agrees or changes
 * his own mind overrules nobody; what the node does not allow it refuses. */
Test(fault, administrators_overrule_each_other)
{
    struct bench b;
    bench_plan(&b, (const uint32_t[]){2, 0}, 0);
    b.plan.administrator_count = 2;
    b.plan.administrators = calloc(2, sizeof *b.plan.administrators);
    strcpy(b.plan.administrators[0], "ann");
    strcpy(b.plan.administrators[1], "bob");
    const struct {
        uint32_t who;
        int64_t value;
        uint64_t overruled;
        uint64_t changed;
    } steps[] = {{0, 5, 0, 1}, {0, 6, 0, 2}, {1, 6, 0, 3}, {0, 9, 1, 4}, {1, 999, 1, 4}};
    for (size_t i = 0; i < 5; i++) {
        struct sim_fault *f = bench_fault_on(&b, SIM_FAULT_ADMIN_SET, 1000 * (i + 1), 0, 0);
        f->administrator = steps[i].who;
        f->index = SET_LEVEL;
        f->value = (struct sim_value){steps[i].value, steps[i].value};
    }
    bench_world(&b, 1);
    for (size_t i = 0; i < 5; i++) {
        bench_until(&b, 1000 * (i + 1) + 500);
        cr_expect_eq(b.world->metrics.settings_changed, steps[i].changed, "step %zu", i);
        cr_expect_eq(b.world->metrics.settings_overruled, steps[i].overruled, "step %zu", i);
    }
    cr_expect_eq(b.world->nodes[0].facts[FACT_LEVEL], 9);
    cr_expect_eq(b.world->nodes[0].setting_owner[SET_LEVEL], 0);
    cr_expect_eq(b.world->nodes[1].facts[FACT_LEVEL], 0);
    bench_end(&b);
}

/* A link fault concerns what its targets send to its peers, and what comes back unless it is
 * one-way; without peers, every link of its targets. */
Test(fault, a_link_fault_keeps_to_its_links)
{
    for (uint32_t one_way = 0; one_way < 2; one_way++) {
        for (uint32_t everybody = 0; everybody < 2; everybody++) {
            struct bench b;
            bench_plan(&b, (const uint32_t[]){4, 0}, 1);
            struct sim_fault *f = bench_fault_on(&b, SIM_FAULT_LINK, 100, 0, 0);
            add(&f->targets, SIM_SELECT_NODE, 1);
            if (!everybody) {
                add(&f->peers, SIM_SELECT_NODE, 2);
            }
            f->one_way = one_way;
            f->link.fields = 1u << SIM_LINK_LOSS;
            f->link.knobs.loss_ppm = 1000;
            bench_world(&b, 1);
            bench_until(&b, 200);
            for (uint32_t from = 0; from < 5; from++) {
                for (uint32_t to = 0; to < 5; to++) {
                    const bool forth = from < 2 && (everybody || to == 2);
                    const bool back = to < 2 && (everybody || from == 2);
                    struct sim_link_knobs standard;
                    sim_link_knobs_init(&standard);
                    struct sim_link_knobs knobs = standard;
                    (void)sim_faults_overlay(b.world, from, to, &standard, &knobs);
                    cr_expect_eq(knobs.loss_ppm, forth || (back && !one_way) ? 1000 : 0,
                                 "%u > %u, one way %u, everybody %u", from, to, one_way, everybody);
                }
            }
            bench_end(&b);
        }
    }
}

/* Heal ends all that can be ended and restarts who is down; those ends do not come again. */
Test(fault, heal_ends_everything)
{
    struct bench b;
    bench_plan(&b, (const uint32_t[]){5, 0}, 1);
    b.plan.nodes[4].absent = true;
    bench_fault_on(&b, SIM_FAULT_CRASH, 1000, 0, 0);
    bench_fault_on(&b, SIM_FAULT_PAUSE, 1000, 5000, 1);
    bench_fault_on(&b, SIM_FAULT_PARTITION, 1000, 2000, 2)->shape = SIM_CUT_ISOLATE;
    struct sim_fault *link = bench_fault_on(&b, SIM_FAULT_LINK, 1000, 0, 3);
    link->link.fields = 1u << SIM_LINK_LOSS;
    link->link.knobs.loss_ppm = 1000;
    bench_fault(&b, SIM_FAULT_HEAL, 1500, 0);
    bench_world(&b, 1);
    bench_until(&b, 1200);
    cr_expect_gt(cut_count(&b), 0);
    bench_until(&b, 1600);
    cr_expect_eq(cut_count(&b), 0);
    for (uint32_t id = 0; id < 4; id++) {
        cr_expect(b.world->nodes[id].up && !b.world->nodes[id].paused, "node %u", id);
    }
    cr_expect_not(b.world->nodes[4].up, "who is not there is not healed");
    cr_expect_eq(b.world->nodes[3].links[0]->set->knobs.loss_ppm, 0);
    bench_until(&b, 7000);
    cr_expect_eq(cut_count(&b), 0, "the void end must not count below zero");
    bench_end(&b);
}

/* ---- Time -------------------------------------------------------------------------------- */

/* Flapping begins every so often, so many times, and each time lasts as long as it should. */
Test(fault, flaps_as_often_as_asked)
{
    for (uint32_t times = 0; times < 4; times++) {
        struct bench b;
        bench_plan(&b, (const uint32_t[]){3, 0}, 0);
        struct sim_fault *f = bench_fault_on(&b, SIM_FAULT_PARTITION, 1000, 40, 0);
        f->every_ns = 100 * SIM_MS;
        f->times = times;
        bench_world(&b, 1);
        b.sink.kinds = 1u << SIM_REC_FAULT;
        cr_assert_eq(sim_world_run(b.world, SIM_NEVER), SIM_STOP_END);
        const size_t begins = times ? times : 90; /* 1.0 s, 1.1 s, ... before 10 s. */
        cr_assert_eq(b.record_count, 2 * begins);
        for (size_t i = 0; i < begins; i++) {
            const uint64_t at_ns = (1000 + 100 * i) * SIM_MS;
            cr_expect_eq(b.records[2 * i].time_ns, at_ns);
            cr_expect_eq(b.records[2 * i].b, 1);
            cr_expect_eq(b.records[2 * i + 1].time_ns, at_ns + 40 * SIM_MS);
            cr_expect_eq(b.records[2 * i + 1].b, 0);
        }
        cr_expect_eq(cut_count(&b), 0);
        bench_end(&b);
    }
}

/* A fault that begins again before it has ended overlaps with itself. */
Test(fault, overlaps_with_itself)
{
    struct bench b;
    bench_plan(&b, (const uint32_t[]){3, 0}, 0);
    struct sim_fault *f = bench_fault_on(&b, SIM_FAULT_PAUSE, 1000, 1500, 0);
    f->every_ns = SIM_S;
    f->times = 3; /* 1 s .. 2.5 s, 2 s .. 3.5 s, 3 s .. 4.5 s */
    bench_world(&b, 1);
    for (uint64_t ms = 1100; ms < 4500; ms += 100) {
        bench_until(&b, ms);
        cr_expect(b.world->nodes[0].paused, "at %lu ms", (unsigned long)ms);
    }
    bench_until(&b, 4600);
    cr_expect_not(b.world->nodes[0].paused);
    bench_end(&b);
}

/* The end of a time that was healed is void: it does not end the next time early. */
Test(fault, a_healed_time_does_not_end_the_next)
{
    struct bench b;
    bench_plan(&b, (const uint32_t[]){3, 0}, 0);
    struct sim_fault *f = bench_fault_on(&b, SIM_FAULT_PARTITION, 1000, 1500, 0);
    f->every_ns = SIM_S;
    f->times = 2; /* 1 s .. 1.5 s, 2 s .. 3.5 s */
    bench_fault(&b, SIM_FAULT_HEAL, 1500, 0);
    bench_world(&b, 1);
    bench_until(&b, 1800);
    cr_expect_eq(cut_count(&b), 0);
    bench_until(&b, 3400);
    cr_expect(is_cut(&b, 0, 1));
    bench_until(&b, 3600);
    cr_expect_eq(cut_count(&b), 0);
    bench_end(&b);
}

/* More faults than a byte can count cut one link: it opens when the last of them ends. */
Test(fault, a_link_opens_after_the_last_of_many_cuts)
{
    struct bench b;
    bench_plan(&b, (const uint32_t[]){3, 0}, 0);
    for (uint32_t i = 0; i < 300; i++) {
        bench_fault_on(&b, SIM_FAULT_PARTITION, 1000, 1000 + 10 * i, 0);
    }
    bench_world(&b, 1);
    for (uint64_t ms = 1005; ms < 4990; ms += 100) {
        bench_until(&b, ms);
        cr_expect(is_cut(&b, 0, 1), "at %lu ms", (unsigned long)ms);
    }
    bench_until(&b, 4995);
    cr_expect_eq(cut_count(&b), 0);
    bench_end(&b);
}

/* A condition is waited for from its time on, holds at once if the fact is there, and strikes
 * after the event that met it, not in the middle of it. */
Test(fault, waits_for_a_fact)
{
    const struct {
        uint64_t at_ms, expected_ms;
    } cases[] = {{0, 300}, {200, 300}, {1000, 1000}};
    for (size_t i = 0; i < 3; i++) {
        struct bench b;
        bench_plan(&b, (const uint32_t[]){3, 0}, 0);
        b.plan.nodes[1].settings[SET_LEADS_AT] = (struct sim_value){300, 300};
        struct sim_fault *f = bench_fault(&b, SIM_FAULT_CRASH, cases[i].at_ms, 500);
        add(&f->targets, SIM_SELECT_LEADER, 0);
        f->when = (struct sim_condition){.present = true, .fact = FACT_ROLE, .wanted = 1};
        add(&f->when.nodes, SIM_SELECT_GROUP, 0);
        f->every_ns = 600 * SIM_MS; /* It boots 500 ms later and leads 300 ms after that. */
        f->times = 2;
        bench_world(&b, 1);
        b.sink.kinds = 1u << SIM_REC_CRASH;
        cr_assert_eq(sim_world_run(b.world, SIM_NEVER), SIM_STOP_END);
        cr_assert_eq(b.record_count, 2, "%zu", b.record_count);
        cr_expect_eq(b.records[0].node, 1);
        cr_expect_eq(b.records[0].time_ns, cases[i].expected_ms * SIM_MS);
        cr_expect_eq(b.records[1].time_ns, (cases[i].expected_ms + 800) * SIM_MS);
        bench_end(&b);
    }
}

/* "At least" is met by more; another node's fact meets nothing. */
Test(fault, conditions_compare)
{
    struct bench b;
    bench_plan(&b, (const uint32_t[]){3, 0}, 0);
    b.plan.nodes[1].settings[SET_TERM] = (struct sim_value){7, 7};
    bench_world(&b, 1);
    bench_until(&b, 100);
    struct sim_condition c = {.present = true, .fact = FACT_TERM, .wanted = 6};
    cr_expect_not(sim_condition_met(b.world, &c));
    c.at_least = true;
    cr_expect(sim_condition_met(b.world, &c));
    add(&c.nodes, SIM_SELECT_NODE, 2);
    cr_expect_not(sim_condition_met(b.world, &c));
    add(&c.nodes, SIM_SELECT_NODE, 1);
    cr_expect(sim_condition_met(b.world, &c));
    c.wanted = 8;
    cr_expect_not(sim_condition_met(b.world, &c));
    c = (struct sim_condition){.present = true, .fact = FACT_ROLE};
    add(&c.nodes, SIM_SELECT_NODE, 1);
    cr_expect(sim_condition_met(b.world, &c), "a follower");
    sim_host_crash(b.world, 1);
    cr_expect_not(sim_condition_met(b.world, &c), "who is down publishes nothing");
    bench_end(&b);
}
