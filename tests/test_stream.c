/* Streams keep order and turn loss into delay; what cuts and crashes do to them, and to
 * datagrams. The figures are Linux's: 200 ms before the first retransmission, twice as long
 * before each next one, and a user whose patience ends after 5 s. */
#include "tests/plans.h"

#include <criterion/criterion.h>

/* n0 tells n1 something every 10 ms, which takes 10 ms. */
static void stream_plan(struct stage *s, uint64_t count)
{
    stage_plan(s, 2, 0);
    stage_streams(s);
    stage_talk(s, 0, 1, 10 * SIM_MS, count, 16);
    stage_link(s, ANY, ANY, SIM_LINK_LATENCY)->latency = constant(10 * SIM_MS);
}

static uint64_t delivered(const struct stage *s)
{
    return stage_count(s, SIM_REC_DELIVER, 1, 0);
}

/* When and how late a message arrived; SIM_NEVER if it did not. */
static uint64_t arrival_ns(const struct stage *s, uint64_t ordinal)
{
    const struct sim_record *r;
    for (size_t place = 0; (r = stage_next(s, &place, SIM_REC_DELIVER, 1, 0));) {
        if (record_ordinal(r) == ordinal) {
            return r->time_ns;
        }
    }
    return SIM_NEVER;
}

/* Every message that arrived came after those sent before it, and only once. */
static void expect_order(const struct stage *s)
{
    uint64_t last = 0;
    const struct sim_record *r;
    for (size_t place = 0; (r = stage_next(s, &place, SIM_REC_DELIVER, 1, 0));) {
        cr_expect_gt(record_ordinal(r), last);
        last = record_ordinal(r);
    }
}

static uint64_t drops(const struct stage *s, enum sim_drop why)
{
    uint64_t count = 0;
    const struct sim_record *r;
    for (size_t place = 0; (r = stage_next(s, &place, SIM_REC_DROP, 1, 0));) {
        count += r->b == why;
    }
    return count;
}

/* ---- Order and loss -------------------------------------------------------------------------- */

/* Under loss, reordering, duplication and an uneven latency a stream delivers everything, once,
 * in order; the same knobs hurt datagrams. */
Test(stream, order_is_kept)
{
    for (uint64_t seed = 1; seed <= 10; seed++) {
        struct stage s;
        stream_plan(&s, 2000);
        stage_link(&s, 0, 1, SIM_LINK_LATENCY)->latency = uniform(SIM_MS, 100 * SIM_MS);
        stage_link(&s, 0, 1, SIM_LINK_LOSS)->loss_ppm = 50000;
        stage_link(&s, 0, 1, SIM_LINK_DUPLICATE)->duplicate_ppm = 100000;
        struct sim_link_knobs *k = stage_link(&s, 0, 1, SIM_LINK_REORDER);
        k->reorder_ppm = 100000;
        k->reorder_delay = uniform(0, 50 * SIM_MS);
        stage_run(&s, seed);
        expect_order(&s);
        cr_expect_eq(delivered(&s) + drops(&s, SIM_DROP_DOWN), 2000, "seed %llu", LLU(seed));
        cr_expect_leq(drops(&s, SIM_DROP_DOWN), 1, "five losses in a row, one in three million");
        cr_expect_eq(s.metrics.messages_lost + s.metrics.messages_duplicated, 0);
        stage_end(&s);
    }
}

/* Losing a message k times makes it 200 + 400 + ... ms late, and that happens with a chance of
 * p^k. Messages are so far apart that none waits for another. */
Test(stream, loss_becomes_delay)
{
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct stage s;
        stream_plan(&s, 5000);
        s.plan.duration_ns = 60000 * SIM_S;
        stage_talk(&s, 0, 1, 10 * SIM_S, 5000, 16);
        stage_link(&s, 0, 1, SIM_LINK_LOSS)->loss_ppm = 300000;
        stage_run(&s, seed);
        uint64_t by_losses[6] = {0};
        const struct sim_record *r;
        for (size_t place = 0; (r = stage_next(&s, &place, SIM_REC_DELIVER, 1, 0));) {
            uint32_t losses = 0;
            while (losses < 5 && r->b != 10 * SIM_MS + ((1u << losses) - 1) * 200 * SIM_MS) {
                losses++;
            }
            by_losses[losses]++;
            cr_expect_eq((r->a & SIM_FATE_RETRANSMITTED) != 0, losses > 0);
        }
        uint64_t ppm = SIM_PPM;
        for (uint32_t k = 0; k < 5; k++) { /* Fewer than five: the fifth is 6.2 s late. */
            cr_expect(is_chance(by_losses[k], 5000, ppm * 7 / 10), "seed %llu: %llu lost %u times",
                      LLU(seed), LLU(by_losses[k]), k);
            ppm = ppm * 3 / 10;
        }
        cr_expect_eq(by_losses[5], 0, "a delay that is no sum of time-outs");
        cr_expect_eq(drops(&s, SIM_DROP_DOWN), 5000 - delivered(&s));
        cr_expect(is_chance(drops(&s, SIM_DROP_DOWN), 5000, 2430), "seed %llu", LLU(seed));
        stage_end(&s);
    }
}

/* A link that loses everything delivers nothing, on a stream as little as by datagram, and is as
 * good as new when the fault is over. */
Test(stream, a_link_that_loses_all_delivers_nothing)
{
    struct stage s;
    stream_plan(&s, 2000); /* Until 20 s. */
    struct sim_fault *f = stage_fault(&s, SIM_FAULT_LINK, 0, 5 * SIM_S, 10 * SIM_S);
    stage_select(&f->peers, 1);
    f->link.fields = 1u << SIM_LINK_LOSS;
    sim_link_knobs_init(&f->link.knobs);
    f->link.knobs.loss_ppm = SIM_PPM;
    stage_run(&s, 1);
    const struct sim_record *r;
    for (size_t place = 0; (r = stage_next(&s, &place, SIM_REC_DELIVER, 1, 0));) {
        const uint64_t sent_ns = r->time_ns - r->b;
        cr_assert(sent_ns <= 5 * SIM_S || sent_ns >= 15 * SIM_S, "sent at %llu", LLU(sent_ns));
        cr_assert_eq(r->b, 10 * SIM_MS);
    }
    cr_expect_float_eq((double)delivered(&s), 1000, 1);
    stage_end(&s);
}

/* One lost segment holds up those behind it, and no other link. */
Test(stream, a_lost_segment_blocks_those_behind_it)
{
    struct stage s;
    stream_plan(&s, 30); /* Sent at 10 ms, 20 ms, ... */
    stage_talk(&s, 1, 0, 10 * SIM_MS, 30, 16);
    stage_fate(&s, 0, 1, ANY, SIM_ACT_DROP, 5, 0);
    stage_run(&s, 1);
    cr_expect_eq(arrival_ns(&s, 4), 50 * SIM_MS);
    for (uint64_t n = 5; n <= 25; n++) {
        cr_expect_eq(arrival_ns(&s, n), 260 * SIM_MS, "message %llu", LLU(n));
    }
    cr_expect_eq(arrival_ns(&s, 26), 270 * SIM_MS);
    expect_order(&s);
    const struct sim_record *r;
    for (size_t place = 0; (r = stage_next(&s, &place, SIM_REC_DELIVER, 0, 1));) {
        cr_expect_eq(r->b, 10 * SIM_MS);
    }
    stage_end(&s);
}

/* By hand, too, a stream's message can be late, but not out of order, twice or lost for good. */
Test(stream, fates_by_hand_keep_order)
{
    struct stage s;
    stream_plan(&s, 20);
    stage_fate(&s, 0, 1, ANY, SIM_ACT_DELAY, 3, 35 * SIM_MS);
    stage_fate(&s, 0, 1, ANY, SIM_ACT_DUPLICATE, 10, 0);
    stage_fate(&s, 0, 1, ANY, SIM_ACT_CORRUPT, 12, 0);
    stage_run(&s, 1);
    cr_expect_eq(delivered(&s), 20);
    expect_order(&s);
    cr_expect_eq(arrival_ns(&s, 3), 65 * SIM_MS);
    cr_expect_eq(arrival_ns(&s, 4), 65 * SIM_MS);
    cr_expect_eq(arrival_ns(&s, 5), 65 * SIM_MS);
    cr_expect_eq(arrival_ns(&s, 6), 70 * SIM_MS);
    cr_expect_eq(s.metrics.messages_corrupted, 1);
    stage_end(&s);
}

/* Waiting for bandwidth does not try a user's patience: only retransmissions do. */
Test(stream, a_long_queue_does_not_reset_a_stream)
{
    struct stage s;
    stream_plan(&s, 10);
    stage_set(&s, 0, TALK_BURST, 10);
    stage_set(&s, 0, TALK_SIZE, 1000);
    stage_link(&s, 0, 1, SIM_LINK_RATE)->bytes_per_second = 1000;
    stage_fate(&s, 0, 1, ANY, SIM_ACT_DROP, 7, 0);
    stage_run(&s, 1);
    cr_expect_eq(delivered(&s), 10);
    cr_expect_eq(arrival_ns(&s, 7), 10 * SIM_MS + 7 * SIM_S + 200 * SIM_MS + 10 * SIM_MS);
    stage_end(&s);
}

/* ---- Cuts ---- */

/* A datagram that is sent into a cut, or is under way when it begins, is gone; others are not. */
Test(stream, a_cut_takes_datagrams)
{
    struct stage s;
    stream_plan(&s, 100); /* Sent at 10 ms .. 1 s. */
    stage_link(&s, 0, 1, SIM_LINK_TRANSPORT)->transport = SIM_TRANSPORT_DATAGRAM;
    stage_cut(&s, 0, 1, 205 * SIM_MS, 100 * SIM_MS);
    stage_run(&s, 1);
    /* Those that would arrive from 210 to 300 ms: number 20 was under way. */
    for (uint64_t n = 1; n <= 100; n++) {
        const bool cut = n >= 20 && n <= 29;
        cr_expect_eq(arrival_ns(&s, n), cut ? SIM_NEVER : (n + 1) * 10 * SIM_MS, "%llu", LLU(n));
    }
    cr_expect_eq(drops(&s, SIM_DROP_CUT), 10);
    stage_end(&s);
}

/* A stream stalls in a cut, tries again after 200, 600, 1400 ms and so on, and then delivers all
 * of it, in order. */
Test(stream, a_stream_survives_a_short_cut)
{
    struct stage s;
    stream_plan(&s, 400); /* Sent at 10 ms .. 4 s. */
    stage_cut(&s, 0, 1, 505 * SIM_MS, SIM_S);
    stage_run(&s, 1);
    cr_expect_eq(delivered(&s), 400);
    expect_order(&s);
    /* Number 50 meets the cut at 510 ms, and tries at 710, 1110 and 1910: after the end at 1505. */
    for (uint64_t n = 50; n <= 190; n++) {
        cr_expect_eq(arrival_ns(&s, n), 1910 * SIM_MS, "message %llu", LLU(n));
    }
    cr_expect_eq(arrival_ns(&s, 49), 500 * SIM_MS);
    cr_expect_eq(arrival_ns(&s, 191), 1920 * SIM_MS);
    cr_expect_eq(s.metrics.messages_retransmitted, 3);
    stage_end(&s);
}

/* After 5 s of it the stream is reset, which loses what waited; what is sent later opens
 * another, which works at once when the cut is over. */
Test(stream, patience_ends)
{
    struct stage s;
    stream_plan(&s, 2000); /* Sent at 10 ms .. 20 s. */
    stage_cut(&s, 0, 1, 5 * SIM_S - 5 * SIM_MS, 7 * SIM_S);
    stage_run(&s, 1);
    expect_order(&s);
    /* Number 499 meets the cut at 5 s: reset at 10 s. Number 999 then stalls at once and tries
     * at 10.2, 10.6, 11.4 and 13 s; the cut ends at 11.995 s. */
    cr_expect_eq(arrival_ns(&s, 498), 4990 * SIM_MS);
    const struct sim_record *r;
    uint64_t lost = 0;
    for (size_t place = 0; (r = stage_next(&s, &place, SIM_REC_DROP, 1, 0)); lost++) {
        cr_expect_eq(r->b, SIM_DROP_CUT);
        cr_expect_eq(r->time_ns, 10 * SIM_S);
        cr_expect_eq(record_ordinal(r), 499 + lost);
    }
    cr_expect_eq(lost, 500);
    cr_expect_eq(arrival_ns(&s, 999), 13 * SIM_S);
    cr_expect_eq(arrival_ns(&s, 1300), 13010 * SIM_MS);
    cr_expect_eq(delivered(&s), 2000 - lost);
    stage_end(&s);
}

/* ---- Crashes ---- */

/* What is under way on a stream to a host that crashes and is back before it arrives belongs to
 * a connection that no longer exists; a datagram does not care. */
Test(stream, a_restarted_receiver_knows_no_old_stream)
{
    for (uint32_t stream = 0; stream <= 1; stream++) {
        struct stage s;
        stream_plan(&s, 100);
        stage_link(&s, 0, 1, SIM_LINK_TRANSPORT)->transport =
            stream ? SIM_TRANSPORT_STREAM : SIM_TRANSPORT_DATAGRAM;
        stage_link(&s, 0, 1, SIM_LINK_LATENCY)->latency = constant(50 * SIM_MS);
        stage_fault(&s, SIM_FAULT_CRASH, 1, 505 * SIM_MS, 10 * SIM_MS);
        stage_run(&s, 1);
        /* Down at 510 ms, when number 46 arrives; 47 to 51 were sent before it was back, and arrive
         * after. */
        for (uint64_t n = 46; n <= 52; n++) {
            cr_expect_eq(arrival_ns(&s, n) == SIM_NEVER, n == 46 || (stream && n <= 51),
                         "message %llu", LLU(n));
        }
        stage_end(&s);
    }
}

/* A crash of the sender: what is on the wire arrives if nobody has to send it again. */
Test(stream, a_dead_sender_sends_nothing_again)
{
    struct stage s;
    stream_plan(&s, 100);
    stage_fate(&s, 0, 1, ANY, SIM_ACT_DROP, 30, 0);
    stage_fault(&s, SIM_FAULT_CRASH, 0, 305 * SIM_MS, 0);
    stage_run(&s, 1);
    cr_expect_eq(arrival_ns(&s, 29), 300 * SIM_MS);
    cr_expect_eq(arrival_ns(&s, 30), SIM_NEVER);
    cr_expect_eq(drops(&s, SIM_DROP_DOWN), 1);
    stage_end(&s);

    stream_plan(&s, 100);
    stage_fault(&s, SIM_FAULT_CRASH, 0, 305 * SIM_MS, 0);
    stage_run(&s, 1);
    cr_expect_eq(arrival_ns(&s, 30), 310 * SIM_MS, "it was on the wire");
    stage_end(&s);
}

/* The same in a cut: nobody is left to try again when it heals. */
Test(stream, a_stalled_stream_dies_with_its_sender)
{
    for (uint64_t back_ms = 0; back_ms <= 100; back_ms += 100) {
        struct stage s;
        stream_plan(&s, 50);
        stage_cut(&s, 0, 1, 405 * SIM_MS, SIM_S);
        stage_fault(&s, SIM_FAULT_CRASH, 0, 505 * SIM_MS, back_ms * SIM_MS);
        stage_run(&s, 1);
        for (uint64_t n = 40; n <= 50; n++) {
            cr_expect_eq(arrival_ns(&s, n), SIM_NEVER, "message %llu", LLU(n));
        }
        cr_expect_eq(drops(&s, SIM_DROP_DOWN), 11);
        stage_end(&s);
    }
}

/* The receiver's crash resets a stalled stream, too. */
Test(stream, a_stalled_stream_dies_with_its_receiver)
{
    struct stage s;
    stream_plan(&s, 50);
    stage_cut(&s, 0, 1, 405 * SIM_MS, SIM_S);
    stage_fault(&s, SIM_FAULT_CRASH, 1, 600 * SIM_MS, 100 * SIM_MS);
    stage_run(&s, 1);
    cr_expect_eq(drops(&s, SIM_DROP_DOWN), 11);
    cr_expect_eq(delivered(&s), 39);
    stage_end(&s);
}

/* A new stream does not wait behind segments that an old one had lost. */
Test(stream, a_new_stream_does_not_wait_for_the_old_one)
{
    struct stage s;
    stream_plan(&s, 200);
    stage_link(&s, 0, 1, SIM_LINK_LATENCY)->latency = constant(10 * SIM_MS);
    stage_fate(&s, 0, 1, ANY, SIM_ACT_DELAY, 30, 2 * SIM_S); /* Until 2.3 s. */
    stage_fault(&s, SIM_FAULT_CRASH, 1, 505 * SIM_MS, 100 * SIM_MS);
    stage_run(&s, 1);
    cr_expect_eq(arrival_ns(&s, 29), 300 * SIM_MS);
    cr_expect_eq(arrival_ns(&s, 30), SIM_NEVER);
    cr_expect_eq(arrival_ns(&s, 61), 620 * SIM_MS, "the first of the new stream");
    cr_expect_eq(arrival_ns(&s, 200), 2010 * SIM_MS);
    stage_end(&s);
}

/* Clients speak as the servers do. */
Test(stream, clients_use_streams_if_their_servers_do)
{
    for (uint32_t stream = 0; stream <= 1; stream++) {
        struct stage s;
        stage_plan(&s, 1, 1);
        if (stream) {
            stage_streams(&s);
        }
        stage_link(&s, ANY, ANY, SIM_LINK_LOSS)->loss_ppm = 100000;
        stage_run(&s, 1);
        cr_expect_eq(s.metrics.messages_lost == 0, stream);
        cr_expect_eq(s.metrics.messages_retransmitted > 0, stream);
        stage_end(&s);
    }
}
