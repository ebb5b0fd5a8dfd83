/* What chance does to messages, measured. What links carry at most, who else is on them and
 * fates decided by hand are in test_net_limits.c, streams and cuts in test_stream.c. */
#include "tests/plans.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdlib.h>

#define SEEDS 5

/* ---- Loss ------------------------------------------------------------------------------------ */

/* Loss comes as often as asked for, and a message's loss says nothing about the next one's. */
Test(net, loss_is_independent)
{
    static const uint32_t rates[] = {0, 10000, 100000, 500000, 1000000};
    for (uint32_t i = 0; i < 5; i++) {
        for (uint64_t seed = 1; seed <= SEEDS; seed++) {
            struct stage s;
            stage_plan(&s, 2, 0);
            stage_talk(&s, 0, 1, SIM_MS, 20000, 8);
            stage_link(&s, 0, 1, SIM_LINK_LOSS)->loss_ppm = rates[i];
            stage_run(&s, seed);
            uint64_t sent = 0;
            uint64_t lost = 0;
            uint64_t after_a_loss = 0;
            uint64_t lost_again = 0;
            bool before = false;
            const struct sim_record *r;
            for (size_t place = 0; (r = stage_next(&s, &place, SIM_REC_SEND, 0, 1)); sent++) {
                const bool now = record_has(r, SIM_FATE_LOST);
                lost += now;
                after_a_loss += before;
                lost_again += now && before;
                before = now;
            }
            cr_assert_eq(sent, 20000);
            cr_expect(is_chance(lost, sent, rates[i]), "%u ppm, seed %llu: %llu lost", rates[i],
                      LLU(seed), LLU(lost));
            cr_expect(is_chance(lost_again, after_a_loss, rates[i]),
                      "%u ppm, seed %llu: %llu of %llu", rates[i], LLU(seed), LLU(lost_again),
                      LLU(after_a_loss));
            cr_expect_eq(stage_count(&s, SIM_REC_DELIVER, 1, 0), sent - lost);
            cr_expect_eq(s.metrics.messages_lost, lost);
            stage_end(&s);
        }
    }
}

/* Gilbert and Elliott's closed form: bad for enter / (enter + leave) of the time, in bursts of
 * 1 / leave messages. Lost are all in the bad state and none in the good one, so that the state
 * can be seen. Of 300,000 messages about 27,000 are lost in 5,500 bursts: the mean length has a
 * standard deviation of 1.2 %, the share (whose samples hang together) of 3.2 %; five of them
 * make 6 % and 16 %. */
Test(net, bursts_follow_the_closed_form)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct stage s;
        stage_plan(&s, 2, 0);
        s.sink.kinds = 1u << SIM_REC_SEND;
        stage_talk(&s, 0, 1, 100 * SIM_US, 300000, 8);
        struct sim_link_knobs *k = stage_link(&s, 0, 1, SIM_LINK_BURST);
        k->burst_enter_ppm = 20000;
        k->burst_leave_ppm = 200000;
        k->burst_loss_ppm = 1000000;
        stage_run(&s, seed);
        uint64_t lost = 0;
        uint64_t bursts = 0;
        bool before = false;
        const struct sim_record *r;
        for (size_t place = 0; (r = stage_next(&s, &place, SIM_REC_SEND, 0, 1));) {
            const bool now = record_has(r, SIM_FATE_LOST);
            lost += now;
            bursts += now && !before;
            before = now;
        }
        const double share = (double)lost / 300000;
        const double length = (double)lost / (double)bursts;
        cr_expect_float_eq(share, 2.0 / 22, 0.16 * 2.0 / 22, "seed %llu: %f", LLU(seed), share);
        cr_expect_float_eq(length, 5.0, 0.06 * 5, "seed %llu: %f", LLU(seed), length);
        stage_end(&s);
    }
}

/* In the good state the plain loss applies, in the bad one the burst's: half of the time each
 * here, so that 10 % and 60 % make 35 %. A state that changes every other message hardly hangs
 * together: 20,000 messages have a standard deviation of 1.0 %. */
Test(net, each_state_has_a_loss_of_its_own)
{
    struct stage s;
    stage_plan(&s, 2, 0);
    stage_talk(&s, 0, 1, SIM_MS, 20000, 8);
    stage_link(&s, 0, 1, SIM_LINK_LOSS)->loss_ppm = 100000;
    struct sim_link_knobs *k = stage_link(&s, 0, 1, SIM_LINK_BURST);
    k->burst_enter_ppm = 500000;
    k->burst_leave_ppm = 500000;
    k->burst_loss_ppm = 600000;
    stage_run(&s, 1);
    cr_expect_float_eq((double)stage_flagged(&s, SIM_FATE_LOST) / 20000, 0.35, 0.05 * 0.35);
    stage_end(&s);
}

/* ---- Copies, order, bits --------------------------------------------------------------------- */

/* A duplicated message arrives twice, each copy with a delay of its own; the others once. */
Test(net, duplicates_arrive_twice)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct stage s;
        stage_plan(&s, 2, 0);
        stage_talk(&s, 0, 1, SIM_MS, 10000, 8);
        stage_link(&s, 0, 1, SIM_LINK_DUPLICATE)->duplicate_ppm = 50000;
        stage_link(&s, 0, 1, SIM_LINK_LATENCY)->latency = uniform(SIM_MS, 1000 * SIM_MS);
        stage_run(&s, seed);
        const uint64_t copied = stage_flagged(&s, SIM_FATE_DUPLICATED);
        cr_expect(is_chance(copied, 10000, 50000), "seed %llu: %llu", LLU(seed), LLU(copied));
        uint8_t times[10001] = {0};
        uint64_t first_ns[10001] = {0};
        uint64_t same = 0;
        const struct sim_record *r;
        for (size_t place = 0; (r = stage_next(&s, &place, SIM_REC_DELIVER, 1, 0));) {
            const uint64_t n = record_ordinal(r);
            times[n]++;
            cr_expect(times[n] == 1 || record_has(r, SIM_FATE_DUPLICATED));
            same += times[n] == 2 && r->b == first_ns[n];
            first_ns[n] = r->b;
        }
        uint64_t twice = 0;
        for (uint32_t n = 1; n <= 10000; n++) {
            cr_expect(times[n] == 1 || times[n] == 2, "seed %llu, message %u", LLU(seed), n);
            twice += times[n] == 2;
        }
        cr_expect_eq(twice, copied);
        cr_expect_eq(same, 0, "copies have the delay of the original");
        stage_end(&s);
    }
}

static uint64_t overtakings(const struct stage *s)
{
    uint64_t count = 0;
    uint64_t last = 0;
    const struct sim_record *r;
    for (size_t place = 0; (r = stage_next(s, &place, SIM_REC_DELIVER, 1, 0));) {
        count += record_ordinal(r) < last;
        last = record_ordinal(r) > last ? record_ordinal(r) : last;
    }
    return count;
}

/* A message that is held back is overtaken by those sent meanwhile; without that knob and with
 * a constant latency nothing ever is. */
Test(net, held_back_messages_are_overtaken)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        for (uint32_t ppm = 0; ppm <= 100000; ppm += 100000) {
            struct stage s;
            stage_plan(&s, 2, 0);
            stage_talk(&s, 0, 1, SIM_MS, 10000, 8);
            stage_link(&s, 0, 1, SIM_LINK_LATENCY)->latency = constant(5 * SIM_MS);
            struct sim_link_knobs *k = stage_link(&s, 0, 1, SIM_LINK_REORDER);
            k->reorder_ppm = ppm;
            k->reorder_delay = constant(2500 * SIM_US);
            stage_run(&s, seed);
            const struct sim_record *r;
            for (size_t place = 0; (r = stage_next(&s, &place, SIM_REC_DELIVER, 1, 0));) {
                cr_assert_eq(r->b,
                             5 * SIM_MS + (record_has(r, SIM_FATE_REORDERED) ? 2500 * SIM_US : 0));
            }
            const uint64_t held = stage_flagged(&s, SIM_FATE_REORDERED);
            cr_expect(is_chance(held, 10000, ppm), "seed %llu: %llu", LLU(seed), LLU(held));
            /* Two are sent within the time it is held: it arrives first only if both are held, too,
             * which chance lets happen in a hundredth of the cases. */
            cr_expect_leq(overtakings(&s), held);
            cr_expect_geq(overtakings(&s), held * 95 / 100, "seed %llu", LLU(seed));
            stage_end(&s);
        }
    }
}

static struct {
    uint64_t messages;
    uint64_t changed;
    uint64_t wrong; /* With more than one bit changed. */
    uint64_t bits[20 * 8];
} flips;

static void count_flips(struct sim_env *env, const struct sim_event *event)
{
    (void)env;
    if (event->kind != SIM_EVENT_MESSAGE) {
        return;
    }
    uint8_t sent[20];
    flips.messages++;
    sim_put64(sent, flips.messages);
    for (uint32_t i = 8; i < 20; i++) {
        sent[i] = talk_byte(flips.messages, i);
    }
    uint32_t count = 0;
    for (uint32_t bit = 0; bit < 160; bit++) {
        const bool flipped = (sent[bit / 8] ^ event->data[bit / 8]) >> (bit % 8) & 1;
        count += flipped;
        flips.bits[bit] += flipped;
    }
    flips.changed += count > 0;
    flips.wrong += count > 1 || event->size_bytes != 20;
}

/* Corruption flips exactly one bit, any of them, of as many messages as asked for. */
Test(net, corruption_flips_one_bit)
{
    stage_watch = count_flips;
    struct stage s;
    stage_plan(&s, 2, 0);
    stage_talk(&s, 0, 1, SIM_MS, 20000, 20);
    stage_link(&s, 0, 1, SIM_LINK_CORRUPT)->corrupt_ppm = 200000;
    stage_run(&s, 1);
    cr_expect_eq(flips.messages, 20000);
    cr_expect_eq(flips.wrong, 0);
    cr_expect_eq(flips.changed, stage_flagged(&s, SIM_FATE_CORRUPTED));
    cr_expect(is_chance(flips.changed, 20000, 200000), "%llu", LLU(flips.changed));
    for (uint32_t bit = 0; bit < 160; bit++) {
        cr_expect(is_chance(flips.bits[bit], flips.changed, SIM_PPM / 160), "bit %u: %llu of %llu",
                  bit, LLU(flips.bits[bit]), LLU(flips.changed));
    }
    stage_end(&s);
}

/* ---- Latency --------------------------------------------------------------------------------- */

/* A constant is a constant; a uniform latency keeps its bounds and its mean. */
Test(net, latency_is_distributed_as_asked)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct stage s;
        stage_plan(&s, 3, 0);
        stage_talk(&s, 0, 1, SIM_MS, 10000, 8);
        stage_talk(&s, 1, 2, SIM_MS, 10000, 8);
        stage_link(&s, 0, 1, SIM_LINK_LATENCY)->latency = constant(7 * SIM_MS);
        stage_link(&s, 1, 2, SIM_LINK_LATENCY)->latency = uniform(2 * SIM_MS, 4 * SIM_MS);
        stage_run(&s, seed);
        const struct sim_record *r;
        for (size_t place = 0; (r = stage_next(&s, &place, SIM_REC_DELIVER, 1, 0));) {
            cr_assert_eq(r->b, 7 * SIM_MS);
        }
        uint64_t sum = 0;
        for (size_t place = 0; (r = stage_next(&s, &place, SIM_REC_DELIVER, 2, 1));) {
            cr_assert(r->b >= 2 * SIM_MS && r->b <= 4 * SIM_MS);
            sum += r->b;
        }
        /* 10,000 samples with a deviation of 2 ms / sqrt(12): five times 5.8 us. */
        cr_expect_float_eq((double)sum / 10000, 3e6, 29e3, "seed %llu", LLU(seed));
        stage_end(&s);
    }
}

/* The delay is base x jitter + latency; the base is the zones', by direction; without use_base it
 * does not count. */
Test(net, the_base_is_multiplied_by_the_jitter)
{
    struct stage s;
    stage_plan(&s, 4, 0);
    s.plan.nodes[1].zone = 1;
    s.plan.base_ns[0 * 2 + 1] = 10 * SIM_MS;
    s.plan.base_ns[1 * 2 + 0] = 20 * SIM_MS;
    stage_talk(&s, 0, 1, SIM_MS, 5000, 8);
    stage_talk(&s, 1, 0, SIM_MS, 5000, 8);
    stage_talk(&s, 2, 1, SIM_MS, 5000, 8);
    stage_talk(&s, 3, 2, SIM_MS, 5000, 8);
    stage_link(&s, 1, 0, SIM_LINK_LATENCY)->latency = constant(SIM_MS);
    stage_link(&s, 0, 1, SIM_LINK_JITTER)->jitter = uniform(900000, 1300000);
    stage_link(&s, 2, 1, SIM_LINK_USE_BASE)->use_base = 0;
    stage_run(&s, 1);
    uint64_t sum = 0;
    const struct sim_record *r;
    for (size_t place = 0; (r = stage_next(&s, &place, SIM_REC_DELIVER, 1, 0));) {
        cr_assert(r->b >= 9 * SIM_MS && r->b <= 13 * SIM_MS, "%llu", LLU(r->b));
        sum += r->b;
    }
    /* Deviation 4 ms / sqrt(12) / sqrt(5000) = 16 us. */
    cr_expect_float_eq((double)sum / 5000, 11e6, 82e3);
    for (size_t place = 0; (r = stage_next(&s, &place, SIM_REC_DELIVER, 0, 1));) {
        cr_assert_eq(r->b, 21 * SIM_MS);
    }
    for (size_t place = 0; (r = stage_next(&s, &place, SIM_REC_DELIVER, 1, 2));) {
        cr_assert_eq(r->b, 0);
    }
    for (size_t place = 0; (r = stage_next(&s, &place, SIM_REC_DELIVER, 2, 3));) {
        cr_assert_eq(r->b, 0, "the same zone");
    }
    stage_end(&s);
}

/* ---- Nothing moves anything else ---- */

/* The delay and the flags of every message that reached `to` from `from`, by ordinal; 0: none. */
static void delays_of(const struct stage *s, uint32_t from, uint32_t to, uint64_t *delays,
                      uint64_t count)
{
    memset(delays, 0, count * sizeof *delays);
    const struct sim_record *r;
    for (size_t place = 0; (r = stage_next(s, &place, SIM_REC_DELIVER, to, from));) {
        if (record_ordinal(r) <= count) {
            delays[record_ordinal(r) - 1] = r->b;
        }
    }
}

#define MESSAGES 2000

/* Switching loss on takes messages away; those that are left are as late as before. So does a
 * burst, and none of the rarer knobs moves who is lost. */
Test(net, loss_does_not_move_the_survivors)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        uint64_t delays[4][MESSAGES];
        for (uint32_t knob = 0; knob < 4; knob++) {
            struct stage s;
            stage_plan(&s, 2, 0);
            stage_talk(&s, 0, 1, SIM_MS, MESSAGES, 16);
            stage_link(&s, 0, 1, SIM_LINK_LATENCY)->latency = uniform(SIM_MS, 50 * SIM_MS);
            if (knob > 0) {
                stage_link(&s, 0, 1, SIM_LINK_LOSS)->loss_ppm = 200000;
            }
            if (knob == 2) {
                stage_link(&s, 0, 1, SIM_LINK_CORRUPT)->corrupt_ppm = 300000;
            }
            if (knob == 3) {
                struct sim_link_knobs *k = stage_link(&s, 0, 1, SIM_LINK_BURST);
                k->burst_enter_ppm = k->burst_leave_ppm = 100000;
                k->burst_loss_ppm = SIM_PPM;
            }
            stage_run(&s, seed);
            delays_of(&s, 0, 1, delays[knob], MESSAGES);
            stage_end(&s);
        }
        uint32_t lost = 0;
        uint32_t lost_more = 0;
        for (uint32_t i = 0; i < MESSAGES; i++) {
            cr_expect(delays[1][i] == 0 || delays[1][i] == delays[0][i], "seed %llu", LLU(seed));
            cr_expect_eq(delays[2][i], delays[1][i], "seed %llu: corruption moved a loss",
                         LLU(seed));
            cr_expect(delays[3][i] == 0 || delays[3][i] == delays[0][i], "seed %llu", LLU(seed));
            lost += delays[1][i] == 0;
            lost_more += delays[3][i] == 0;
        }
        cr_expect_gt(lost, MESSAGES / 10);
        cr_expect_gt(lost_more, lost);
    }
}

static void tell_both_often(struct sim_env *env, const struct sim_event *event)
{
    if (sim_self(env) == 0 && (event->kind == SIM_EVENT_BOOT || event->kind == SIM_EVENT_TIMER)) {
        const uint8_t bytes[16] = {0};
        sim_send(env, 1, 0, bytes, sizeof bytes);
        sim_send(env, 2, 0, bytes, sizeof bytes);
        sim_timer_set(env, 1, 10 * SIM_MS);
    }
}

/* Every knob on the link to n1 changes nothing on the link to n2. */
Test(net, a_knob_moves_nothing_on_another_link)
{
    uint64_t calm[MESSAGES];
    uint64_t now[MESSAGES];
    for (uint32_t knob = 0; knob <= SIM_LINK_FIELD_COUNT; knob++) {
        struct stage s;
        stage_plan(&s, 3, 0);
        stage_watch = tell_both_often;
        stage_link(&s, ANY, ANY, SIM_LINK_LATENCY)->latency = uniform(SIM_MS, 50 * SIM_MS);
        stage_link(&s, ANY, ANY, SIM_LINK_LOSS)->loss_ppm = 50000;
        if (knob > 0) {
            struct sim_link_knobs *k = stage_link(&s, 0, 1, (enum sim_link_field)(knob - 1));
            k->latency = k->reorder_delay = uniform(0, SIM_S);
            k->jitter = uniform(0, 2 * SIM_PPM);
            k->use_base = 0;
            k->loss_ppm = k->burst_enter_ppm = k->burst_leave_ppm = k->burst_loss_ppm = 300000;
            k->duplicate_ppm = k->reorder_ppm = k->corrupt_ppm = 300000;
            k->bytes_per_second = 1000;
            k->queue_bytes = 100;
            k->queue_policy = SIM_QUEUE_RED;
            k->mtu_bytes = 10;
            k->transport = SIM_TRANSPORT_STREAM;
            k->price_nano_per_gb = 1;
            k->authenticated = k->eavesdrop = 1;
            k->tamper_ppm = k->forge_ppm = k->replay_ppm = 300000;
        }
        stage_run(&s, 7);
        delays_of(&s, 0, 2, knob ? now : calm, MESSAGES);
        stage_end(&s);
        cr_expect(knob == 0 || memcmp(calm, now, sizeof now) == 0, "knob %u", knob - 1);
    }
}

/* ---- A caller's bugs ---- */

static void tell_itself(struct sim_env *env, const struct sim_event *event)
{
    (void)event;
    sim_send(env, sim_self(env), 0, "x", 1);
}

/* A node that sends to itself has a bug, and asserts. */
Test(net, sending_to_oneself_asserts, .signal = SIGABRT)
{
    stage_watch = tell_itself;
    struct stage s;
    stage_plan(&s, 2, 0);
    stage_run(&s, 1);
}
