/* Hosts: what a cpu costs, pauses, crashes, timers, and what a disk keeps of a node. */
#include "tests/plans.h"

#include <criterion/criterion.h>

/* What n1 was given, in order. */
#define SEEN_MAX 1000
static struct {
    uint32_t kind;
    uint64_t number; /* Of a message; of a timer. */
    uint64_t time_ns;
} seen[SEEN_MAX];
static uint32_t seen_count;

static void note(struct sim_env *env, const struct sim_event *event)
{
    if (sim_self(env) == 1 && seen_count < SEEN_MAX) {
        seen[seen_count].kind = event->kind;
        seen[seen_count].number =
            event->kind == SIM_EVENT_MESSAGE ? sim_get64(event->data) : event->timer;
        seen[seen_count++].time_ns = env->world->now_ns;
    }
}

/* n0 tells n1 `count` things at 10 ms, all at once, which come at once. */
static void burst_plan(struct stage *s, uint32_t count, uint32_t size_bytes)
{
    stage_watch = note;
    seen_count = 0;
    stage_plan(s, 2, 0);
    stage_talk(s, 0, 1, 10 * SIM_MS, count, size_bytes);
    stage_set(s, 0, TALK_BURST, count);
}

/* The time when n1 handled a message; SIM_NEVER if it did not. */
static uint64_t handled_ns(uint64_t number)
{
    for (uint32_t i = 0; i < seen_count; i++) {
        if (seen[i].kind == SIM_EVENT_MESSAGE && seen[i].number == number) {
            return seen[i].time_ns;
        }
    }
    return SIM_NEVER;
}

/* ---- The cpu ---- */

/* A message costs a price and one for each byte; those that come meanwhile wait, in order. */
Test(host, messages_queue_for_the_cpu)
{
    struct stage s;
    burst_plan(&s, 5, 100);
    s.plan.nodes[1].host.cpu.message_ns = SIM_MS;
    s.plan.nodes[1].host.cpu.byte_ps = 1000000; /* A microsecond. */
    stage_run(&s, 1);
    for (uint64_t n = 1; n <= 5; n++) {
        cr_expect_eq(handled_ns(n), 10 * SIM_MS + n * 1100 * SIM_US, "message %llu", LLU(n));
    }
    cr_expect_eq(s.metrics.cpu_busy_ns, 5500 * SIM_US);
    cr_expect_eq(s.metrics.cpu_delay_max_ns, 5500 * SIM_US);
    stage_end(&s);
}

/* At half the speed everything takes twice as long, by plan or by a fault. */
Test(host, a_slow_cpu_takes_longer)
{
    struct stage s;
    burst_plan(&s, 10, 8);
    s.plan.nodes[1].host.cpu.message_ns = SIM_MS;
    s.plan.nodes[1].host.cpu.speed_ppm = 500000;
    stage_fault(&s, SIM_FAULT_SLOW, 1, 15 * SIM_MS, 8 * SIM_MS)->speed_ppm = 250000;
    stage_run(&s, 1);
    /* Each message at the speed of when it was begun: at 12, 14, 16; then 4 ms until 24. */
    static const uint64_t at_ms[] = {12, 14, 16, 20, 24, 26, 28, 30, 32, 34};
    for (uint64_t n = 1; n <= 10; n++) {
        cr_expect_eq(handled_ns(n), at_ms[n - 1] * SIM_MS, "message %llu", LLU(n));
    }
    stage_end(&s);
}

static void note_and_pass_on(struct sim_env *env, const struct sim_event *event)
{
    note(env, event);
    if (sim_self(env) == 1 && event->kind == SIM_EVENT_MESSAGE) {
        for (uint32_t i = 0; i < 3; i++) {
            sim_send(env, 2, 0, "12345678", 8);
        }
    }
}

/* What a node sends costs it time, too: three messages of a millisecond each delay what follows. */
Test(host, sending_delays_what_follows)
{
    struct stage s;
    burst_plan(&s, 3, 8);
    sim_plan_release(&s.plan);
    stage_plan(&s, 3, 0);
    stage_talk(&s, 0, 1, 10 * SIM_MS, 3, 8);
    stage_set(&s, 0, TALK_BURST, 3);
    stage_watch = note_and_pass_on;
    s.plan.nodes[1].host.cpu.send_ns = SIM_MS;
    s.plan.nodes[1].host.cpu.message_ns = 100 * SIM_US;
    stage_run(&s, 1);
    for (uint64_t n = 1; n <= 3; n++) {
        cr_expect_eq(handled_ns(n), 10 * SIM_MS + n * 100 * SIM_US + (n - 1) * 3 * SIM_MS,
                     "message %llu", LLU(n));
    }
    cr_expect_eq(s.metrics.cpu_busy_ns, 9300 * SIM_US);
    stage_end(&s);
}

/* No more wait than the backlog allows, the rest is dropped. */
Test(host, a_backlog_is_limited)
{
    struct stage s;
    burst_plan(&s, 20, 8);
    s.plan.nodes[1].host.cpu.message_ns = 10 * SIM_MS;
    s.plan.nodes[1].host.cpu.backlog_messages = 5;
    stage_run(&s, 1);
    cr_expect_eq(s.metrics.messages_dropped[SIM_DROP_BACKLOG], 15);
    cr_expect_eq(seen_count, 1 + 5, "its boot and five messages");
    cr_expect_eq(handled_ns(5), 60 * SIM_MS);
    stage_end(&s);
}

/* ---- Pauses ---- */

/* A paused host handles nothing. Then it hears of that first, and after it gets its mail in the
 * order in which it came, and its timers. */
Test(host, a_pause_queues_everything)
{
    struct stage s;
    burst_plan(&s, 0, 8);
    stage_talk(&s, 0, 1, 10 * SIM_MS, 100, 8);
    stage_set(&s, 0, TALK_BURST, 1);
    stage_talk(&s, 1, 0, 205 * SIM_MS, 2, 8);
    stage_fault(&s, SIM_FAULT_PAUSE, 1, 101 * SIM_MS, 400 * SIM_MS);
    stage_run(&s, 1);
    uint64_t number = 0;
    bool resumed = false;
    bool timer = false;
    for (uint32_t i = 1; i < seen_count; i++) {
        cr_expect(seen[i].time_ns <= 101 * SIM_MS || seen[i].time_ns >= 501 * SIM_MS);
        if (seen[i].kind == SIM_EVENT_RESUME) {
            resumed = true;
            cr_expect_eq(number, 10, "what came before the pause was handled before");
            cr_expect_eq(seen[i].time_ns, 501 * SIM_MS);
        } else if (seen[i].kind == SIM_EVENT_MESSAGE) {
            cr_expect_eq(seen[i].number, ++number);
            cr_expect_eq(resumed, number > 10);
        } else if (seen[i].kind == SIM_EVENT_TIMER && !timer) {
            timer = true;
            cr_expect_eq(number, 20, "due at 205 ms, after the twentieth message");
            cr_expect_eq(seen[i].time_ns, 501 * SIM_MS);
        }
    }
    cr_expect_eq(number, 100);
    cr_expect(resumed && timer);
    stage_end(&s);
}

/* Work that a pause interrupts goes on after it: nothing is done twice. */
Test(host, a_pause_interrupts_work)
{
    struct stage s;
    burst_plan(&s, 2, 8);
    s.plan.nodes[1].host.cpu.message_ns = 10 * SIM_MS;
    stage_fault(&s, SIM_FAULT_PAUSE, 1, 14 * SIM_MS, 3 * SIM_MS);
    stage_run(&s, 1);
    cr_expect_eq(handled_ns(1), 23 * SIM_MS, "%llu", LLU(handled_ns(1)));
    cr_expect_eq(handled_ns(2), 33 * SIM_MS, "%llu", LLU(handled_ns(2)));
    cr_expect_eq(s.metrics.cpu_busy_ns, 20 * SIM_MS);
    stage_end(&s);
}

static void send_on_resume(struct sim_env *env, const struct sim_event *event)
{
    note(env, event);
    if (sim_self(env) == 1 && event->kind == SIM_EVENT_RESUME) {
        sim_send(env, 0, 0, "12345678", 8);
    }
}

/* What a node does as it wakes up costs time beside the work that the pause interrupted. */
Test(host, waking_up_does_not_finish_other_work)
{
    struct stage s;
    burst_plan(&s, 1, 8);
    stage_watch = send_on_resume;
    s.plan.nodes[1].host.cpu.message_ns = 10 * SIM_MS;
    s.plan.nodes[1].host.cpu.send_ns = SIM_MS;
    stage_fault(&s, SIM_FAULT_PAUSE, 1, 14 * SIM_MS, 3 * SIM_MS);
    stage_run(&s, 1);
    cr_expect_eq(handled_ns(1), 24 * SIM_MS, "%llu", LLU(handled_ns(1)));
    stage_end(&s);
}

/* A crash ends a pause for good: the pause's end finds another life. */
Test(host, a_crash_ends_a_pause)
{
    struct stage s;
    burst_plan(&s, 0, 8);
    stage_talk(&s, 0, 1, 10 * SIM_MS, 50, 8);
    stage_set(&s, 0, TALK_BURST, 1);
    stage_fault(&s, SIM_FAULT_PAUSE, 1, 101 * SIM_MS, 300 * SIM_MS);
    stage_fault(&s, SIM_FAULT_CRASH, 1, 205 * SIM_MS, 50 * SIM_MS);
    stage_run(&s, 1);
    for (uint64_t n = 1; n <= 50; n++) {
        cr_expect_eq(handled_ns(n), n >= 11 && n <= 25 ? SIM_NEVER : n * 10 * SIM_MS,
                     "message %llu", LLU(n));
    }
    cr_expect_eq(stage_count(&s, SIM_REC_RESUME, 1, SIM_NOBODY), 0);
    stage_end(&s);
}

/* ---- Crashes ---- */

/* A crash takes what waited for the cpu: nothing of it is handled in the next life. */
Test(host, a_crash_takes_the_run_queue)
{
    struct stage s;
    burst_plan(&s, 20, 8);
    s.plan.nodes[1].host.cpu.message_ns = SIM_MS;
    stage_fault(&s, SIM_FAULT_CRASH, 1, 15500 * SIM_US, SIM_MS);
    stage_run(&s, 1);
    cr_expect_eq(handled_ns(5), 15 * SIM_MS);
    cr_expect_eq(handled_ns(6), SIM_NEVER);
    cr_expect_eq(seen_count, 1 + 5 + 1, "boot, five messages, boot");
    cr_expect_eq(seen[6].kind, SIM_EVENT_BOOT);
    cr_expect_eq(s.metrics.crashes, 1);
    stage_end(&s);
}

static uint64_t boots;
static uint64_t end_at_boot[4];
static uint64_t last_at_boot[4];

static void look_at_boot(struct sim_env *env, const struct sim_event *event)
{
    note(env, event);
    if (sim_self(env) != 1 || event->kind != SIM_EVENT_BOOT) {
        return;
    }
    const struct talker *t = env->state;
    cr_expect_eq(t->heard, 0, "memory survived a crash");
    for (uint32_t i = 0; i < 64; i++) {
        uint8_t *block = sim_alloc(env, 100);
        for (uint32_t k = 0; k < 100; k++) {
            cr_expect_eq(block[k], 0);
        }
        memset(block, 0xff, 100);
    }
    if (boots == 0) {
        sim_timer_set(env, 5, 600 * SIM_MS);
    }
    end_at_boot[boots] = sim_disk_end(env, 0);
    const uint8_t *last =
        end_at_boot[boots] ? sim_disk_read(env, 0, end_at_boot[boots] - 1, NULL) : NULL;
    last_at_boot[boots++] = last ? sim_get64(last) : 0;
}

/* A crash takes memory, timers and what the disk had not synced; a restart boots with the rest. A
 * node that leaves syncs first. */
Test(host, only_what_is_synced_survives)
{
    for (uint32_t clean = 0; clean <= 1; clean++) {
        struct stage s;
        burst_plan(&s, 0, 8);
        boots = 0;
        stage_watch = look_at_boot;
        stage_talk(&s, 0, 1, 10 * SIM_MS, 13, 8);
        stage_set(&s, 0, TALK_BURST, 1);
        stage_set(&s, 1, TALK_KEEPS, 1); /* Synced after each second message. */
        stage_fault(&s, clean ? SIM_FAULT_LEAVE : SIM_FAULT_CRASH, 1, 500 * SIM_MS, 50 * SIM_MS);
        stage_run(&s, 1);
        cr_assert_eq(boots, 2);
        cr_expect_eq(end_at_boot[0], 0);
        cr_expect_eq(end_at_boot[1], clean ? 13 : 12);
        cr_expect_eq(last_at_boot[1], clean ? 13 : 12);
        for (uint32_t i = 0; i < seen_count; i++) {
            cr_expect(seen[i].kind != SIM_EVENT_TIMER, "a timer of an earlier life");
        }
        stage_end(&s);
    }
}

/* A sync that a crash interrupts never finishes, not in the next life either. */
Test(host, a_crash_takes_a_sync_under_way)
{
    struct stage s;
    burst_plan(&s, 2, 8);
    boots = 0;
    stage_watch = look_at_boot;
    stage_set(&s, 1, TALK_KEEPS, 1);
    s.plan.nodes[1].host.disk.sync_latency = constant(5 * SIM_MS);
    stage_fault(&s, SIM_FAULT_CRASH, 1, 12 * SIM_MS, SIM_MS);
    stage_run(&s, 1);
    cr_assert_eq(boots, 2);
    cr_expect_eq(end_at_boot[1], 0);
    for (uint32_t i = 0; i < seen_count; i++) {
        cr_expect(seen[i].kind != SIM_EVENT_SYNCED);
    }
    cr_expect_eq(stage_count(&s, SIM_REC_SYNCED, 1, SIM_NOBODY), 0);
    stage_end(&s);
}

/* A leave while a sync is under way finishes that one, too. */
Test(host, a_leave_finishes_syncs_under_way)
{
    struct stage s;
    burst_plan(&s, 5, 8);
    boots = 0;
    stage_watch = look_at_boot;
    stage_set(&s, 1, TALK_KEEPS, 1);
    s.plan.nodes[1].host.disk.sync_latency = constant(50 * SIM_MS);
    stage_fault(&s, SIM_FAULT_LEAVE, 1, 12 * SIM_MS, 10 * SIM_MS);
    stage_run(&s, 1);
    cr_assert_eq(boots, 2);
    cr_expect_eq(end_at_boot[1], 5);
    stage_end(&s);
}

/* ---- Timers ---- */

static void set_timers(struct sim_env *env, const struct sim_event *event)
{
    note(env, event);
    if (sim_self(env) != 1) {
        return;
    }
    if (event->kind == SIM_EVENT_BOOT) {
        sim_timer_set(env, 1, 10 * SIM_MS);
        sim_timer_set(env, 1, 20 * SIM_MS); /* Pushed back, */
        sim_timer_set(env, 2, 50 * SIM_MS);
        sim_timer_set(env, 2, 5 * SIM_MS); /* pulled forward, */
        sim_timer_set(env, 3, 30 * SIM_MS);
        sim_timer_cancel(env, 3); /* cancelled, */
        sim_timer_set(env, 4, 30 * SIM_MS);
        sim_timer_cancel(env, 4);
        sim_timer_set(env, 4, 35 * SIM_MS); /* set again. */
        sim_timer_set(env, 5, 0);
    } else if (event->kind == SIM_EVENT_TIMER && event->timer == 2 && seen_count == 3) {
        sim_timer_set(env, 2, 45 * SIM_MS); /* At the time of the first setting. */
    }
}

/* A timer fires once, at the time it was last set to; a cancelled one never. */
Test(host, timers_fire_once_when_last_set)
{
    struct stage s;
    burst_plan(&s, 0, 8);
    stage_watch = set_timers;
    stage_run(&s, 1);
    static const struct {
        uint64_t timer;
        uint64_t at_ms;
    } expected[] = {{5, 0}, {2, 5}, {1, 20}, {4, 35}, {2, 50}};
    cr_assert_eq(seen_count, 6);
    for (uint32_t i = 0; i < 5; i++) {
        cr_expect_eq(seen[i + 1].kind, SIM_EVENT_TIMER);
        cr_expect_eq(seen[i + 1].number, expected[i].timer, "place %u", i);
        cr_expect_eq(seen[i + 1].time_ns, expected[i].at_ms * SIM_MS, "place %u", i);
    }
    cr_expect_eq(stage_count(&s, SIM_REC_TIMER, 1, SIM_NOBODY), 5);
    stage_end(&s);
}

static void cancel_when_busy(struct sim_env *env, const struct sim_event *event)
{
    note(env, event);
    if (sim_self(env) == 1 && event->kind == SIM_EVENT_BOOT) {
        sim_timer_set(env, 1, 12 * SIM_MS); /* While the message is handled, until 15 ms. */
        sim_timer_set(env, 2, 13 * SIM_MS);
        sim_timer_set(env, 3, 14 * SIM_MS);
    } else if (sim_self(env) == 1 && event->kind == SIM_EVENT_MESSAGE) {
        sim_timer_cancel(env, 1);
        sim_timer_set(env, 2, 20 * SIM_MS);
    }
}

/* A timer that fired while the cpu was busy has not been delivered: cancelling it still works, and
 * setting it again means the new time only. */
Test(host, a_timer_that_waits_can_be_cancelled)
{
    struct stage s;
    burst_plan(&s, 1, 8);
    stage_watch = cancel_when_busy;
    s.plan.nodes[1].host.cpu.message_ns = 5 * SIM_MS;
    stage_run(&s, 1);
    cr_assert_eq(seen_count, 4, "boot, message, timers 3 and 2");
    cr_expect_eq(seen[2].number, 3);
    cr_expect_eq(seen[2].time_ns, 15 * SIM_MS);
    cr_expect_eq(seen[3].number, 2);
    cr_expect_eq(seen[3].time_ns, 35 * SIM_MS);
    stage_end(&s);
}

static void set_when_busy(struct sim_env *env, const struct sim_event *event)
{
    note(env, event);
    if (sim_self(env) == 1 && event->kind == SIM_EVENT_BOOT) {
        sim_timer_set(env, 1, 12 * SIM_MS);
    } else if (sim_self(env) == 1 && event->kind == SIM_EVENT_MESSAGE &&
               handled_ns(2) == SIM_NEVER) {
        sim_timer_set(env, 1, 3 * SIM_MS);
    }
}

/* A timer that is set again while it waits, and is due again before the cpu is free, fires once. */
Test(host, a_timer_that_waits_twice_fires_once)
{
    struct stage s;
    burst_plan(&s, 3, 8);
    stage_watch = set_when_busy;
    s.plan.nodes[1].host.cpu.message_ns = 5 * SIM_MS; /* Busy from 10 to 25 ms. */
    stage_run(&s, 1);
    cr_expect_eq(stage_count(&s, SIM_REC_TIMER, 1, SIM_NOBODY), 1);
    cr_expect_eq(seen_count, 1 + 3 + 1, "boot, messages, timer");
    stage_end(&s);
}

static void set_a_second(struct sim_env *env, const struct sim_event *event)
{
    note(env, event);
    if (sim_self(env) == 1 && event->kind == SIM_EVENT_BOOT) {
        sim_timer_set(env, 1, SIM_S);
    }
}

/* A timer counts on the node's own clock. On one that runs 10 % fast a second is over after 1 / 1.1
 * of one; when the drift changes half-way, the second half is longer or shorter. */
Test(host, timers_run_on_the_nodes_clock)
{
    static const struct {
        int32_t drift_ppb;
        int64_t change_ppb; /* At half a second of true time. */
        uint64_t fires_ns;
    } cases[] = {
        {0, 0, 1000000000},        {100000000, 0, 909090910},   {-100000000, 0, 1111111112},
        {0, 500000000, 833333334}, {0, -500000000, 1500000000}, {100000000, -100000000, 950000000},
    };
    for (uint32_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct stage s;
        burst_plan(&s, 0, 8);
        stage_watch = set_a_second;
        s.plan.nodes[1].host.clock.drift_ppb = cases[i].drift_ppb;
        if (cases[i].change_ppb) {
            stage_fault(&s, SIM_FAULT_CLOCK_DRIFT, 1, 500 * SIM_MS, 0)->amount =
                cases[i].change_ppb;
        }
        stage_run(&s, 1);
        cr_assert_eq(seen_count, 2, "case %u", i);
        cr_expect_eq(seen[1].time_ns, cases[i].fires_ns, "case %u: %llu", i, LLU(seen[1].time_ns));
        stage_end(&s);
    }
}

/* The wall clock may step as it likes: timers do not move. */
Test(host, a_step_moves_no_timer)
{
    struct stage s;
    burst_plan(&s, 0, 8);
    stage_watch = set_a_second;
    stage_fault(&s, SIM_FAULT_CLOCK_STEP, 1, 300 * SIM_MS, 0)->amount = 10 * (int64_t)SIM_S;
    stage_fault(&s, SIM_FAULT_CLOCK_STEP, 1, 600 * SIM_MS, 0)->amount = -20 * (int64_t)SIM_S;
    stage_run(&s, 1);
    cr_assert_eq(seen_count, 2);
    cr_expect_eq(seen[1].time_ns, SIM_S);
    cr_expect_eq(s.metrics.clock_error_max_ns, 10 * SIM_S);
    stage_end(&s);
}

/* A clock that synchronises every second is never further off than its errors and a second of
 * drift; one that does not drifts away. */
Test(host, synchronisation_bounds_a_clocks_error)
{
    for (uint32_t synced = 0; synced <= 1; synced++) {
        struct stage s;
        burst_plan(&s, 0, 8);
        struct sim_clock_knobs *k = &s.plan.nodes[1].host.clock;
        k->drift_ppb = 1000000; /* 1 ms a second */
        k->sync_interval_ns = synced ? SIM_S : 0;
        k->sync_error = constant(100 * SIM_US);
        stage_fault(&s, SIM_FAULT_CLOCK_STEP, 1, 50 * SIM_S + 1, 0); /* By nothing: to look. */
        stage_run(&s, 1);
        const uint64_t off_ns = s.metrics.clock_error_max_ns;
        cr_expect(synced ? off_ns <= 1100 * SIM_US : off_ns >= 50 * SIM_MS, "%llu", LLU(off_ns));
        stage_end(&s);
    }
}
