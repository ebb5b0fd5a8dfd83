/* What a link carries at most, what it costs, who else is on it, whom it leads to, and fates
 * decided by hand. */
#include "tests/plans.h"

#include <criterion/criterion.h>

/* ---- Bandwidth ------------------------------------------------------------------------------- */

/* Messages sent at once leave one after the other at the link's rate: the k-th waits k - 1 turns.
 */
Test(net_limits, bandwidth_makes_a_queue)
{
    struct stage s;
    stage_plan(&s, 2, 0);
    stage_talk(&s, 0, 1, SIM_S, 100, 1000);
    stage_set(&s, 0, TALK_BURST, 100);
    stage_link(&s, 0, 1, SIM_LINK_RATE)->bytes_per_second = 1000000;
    stage_link(&s, 0, 1, SIM_LINK_LATENCY)->latency = constant(5 * SIM_MS);
    stage_run(&s, 1);
    const struct sim_record *r;
    for (size_t place = 0; (r = stage_next(&s, &place, SIM_REC_DELIVER, 1, 0));) {
        cr_assert_eq(r->b, 5 * SIM_MS + record_ordinal(r) * SIM_MS);
    }
    cr_expect_eq(stage_count(&s, SIM_REC_DELIVER, 1, 0), 100);
    cr_expect_eq(s.metrics.queue_delay_max_ns, 99 * SIM_MS);
    stage_end(&s);
}

/* Whatever is offered, no more than the rate comes through, and all of that. */
Test(net_limits, throughput_is_the_rate)
{
    struct stage s;
    stage_plan(&s, 2, 0);
    stage_talk(&s, 0, 1, SIM_MS, 60000, 1500); /* 1.5 MB/s for a minute */
    stage_link(&s, 0, 1, SIM_LINK_RATE)->bytes_per_second = 1000000;
    struct sim_link_knobs *k = stage_link(&s, 0, 1, SIM_LINK_QUEUE);
    k->queue_bytes = 15000;
    stage_run(&s, 1);
    const uint64_t bytes = 1500 * stage_count(&s, SIM_REC_DELIVER, 1, 0);
    cr_expect_leq(bytes, 60 * 1000000);
    cr_expect_geq(bytes, 60 * 1000000 - 2 * 15000, "%llu bytes in 60 s", LLU(bytes));
    cr_expect_leq(s.metrics.queue_delay_max_ns, 15 * SIM_MS, "more waits than fits the queue");
    stage_end(&s);
}

/* The tail is dropped exactly when a message does not fit the queue any more. */
Test(net_limits, a_full_queue_drops_its_tail)
{
    struct stage s;
    stage_plan(&s, 2, 0);
    stage_talk(&s, 0, 1, SIM_S, 40, 1000);
    stage_set(&s, 0, TALK_BURST, 20);
    stage_link(&s, 0, 1, SIM_LINK_RATE)->bytes_per_second = 1000000;
    stage_link(&s, 0, 1, SIM_LINK_QUEUE)->queue_bytes = 10000;
    stage_run(&s, 1);
    const struct sim_record *r;
    uint64_t passed = 0;
    for (size_t place = 0; (r = stage_next(&s, &place, SIM_REC_DELIVER, 1, 0)); passed++) {
        cr_expect_leq((record_ordinal(r) - 1) % 20, 9, "the first ten of each twenty pass");
    }
    cr_expect_eq(passed, 20);
    for (size_t place = 0; (r = stage_next(&s, &place, SIM_REC_DROP, 1, 0));) {
        cr_expect_eq(r->b, SIM_DROP_QUEUE);
    }
    cr_expect_eq(s.metrics.messages_dropped[SIM_DROP_QUEUE], 20);
    stage_end(&s);
}

/* Random early detection drops before the queue is full, and so keeps it shorter. */
Test(net_limits, red_drops_earlier)
{
    uint64_t first_drop[2];
    uint64_t longest_ns[2];
    for (uint32_t policy = SIM_QUEUE_TAIL; policy <= SIM_QUEUE_RED; policy++) {
        struct stage s;
        stage_plan(&s, 2, 0);
        stage_talk(&s, 0, 1, 800 * SIM_US, 20000, 1000); /* 1.25 of the rate */
        stage_link(&s, 0, 1, SIM_LINK_RATE)->bytes_per_second = 1000000;
        struct sim_link_knobs *k = stage_link(&s, 0, 1, SIM_LINK_QUEUE);
        k->queue_bytes = 100000;
        k->queue_policy = policy;
        stage_run(&s, 1);
        size_t place = 0;
        const struct sim_record *r = stage_next(&s, &place, SIM_REC_DROP, 1, 0);
        cr_assert_not_null(r);
        first_drop[policy] = record_ordinal(r);
        longest_ns[policy] = s.metrics.queue_delay_max_ns;
        stage_end(&s);
    }
    /* The queue gains 200 bytes a message: it is full after 500, half full after 250. */
    cr_expect_float_eq((double)first_drop[SIM_QUEUE_TAIL], 500, 5);
    cr_expect_gt(first_drop[SIM_QUEUE_RED], 250);
    cr_expect_lt(first_drop[SIM_QUEUE_RED], 400);
    cr_expect_lt(longest_ns[SIM_QUEUE_RED], longest_ns[SIM_QUEUE_TAIL] * 9 / 10);
}

static void tell_both(struct sim_env *env, const struct sim_event *event)
{
    const uint8_t bytes[1000] = {0};
    if (event->kind == SIM_EVENT_BOOT) {
        for (uint32_t i = 0; i < 10; i++) {
            sim_send(env, sim_self(env) + 1, 0, bytes, sizeof bytes);
            sim_send(env, sim_self(env) + 2, 0, bytes, sizeof bytes);
        }
    }
}

static void tell_from_n0(struct sim_env *env, const struct sim_event *event)
{
    if (sim_self(env) == 0) {
        tell_both(env, event);
    }
}

/* A host's network card is shared by all its links, and is nobody else's. */
Test(net_limits, links_of_a_host_share_its_card)
{
    struct stage s;
    stage_watch = tell_from_n0;
    stage_plan(&s, 4, 0);
    stage_talk(&s, 3, 1, SIM_MS, 1, 1000);
    s.plan.nodes[0].host.egress_bytes_per_second = 1000000;
    stage_run(&s, 1);
    const struct sim_record *r;
    for (size_t place = 0; (r = stage_next(&s, &place, SIM_REC_DELIVER, 1, 0));) {
        cr_assert_eq(r->b, (2 * record_ordinal(r) - 1) * SIM_MS);
    }
    for (size_t place = 0; (r = stage_next(&s, &place, SIM_REC_DELIVER, 2, 0));) {
        cr_assert_eq(r->b, 2 * record_ordinal(r) * SIM_MS);
    }
    size_t place = 0;
    r = stage_next(&s, &place, SIM_REC_DELIVER, 1, 3);
    cr_assert_not_null(r);
    cr_expect_eq(r->b, 0, "another host's card is not busy");
    stage_end(&s);
}

/* A card has a queue of its own, which drops its tail. */
Test(net_limits, a_card_drops_what_does_not_fit_its_queue)
{
    struct stage s;
    stage_watch = tell_from_n0;
    stage_plan(&s, 3, 0);
    s.plan.nodes[0].host.egress_bytes_per_second = 1000000;
    s.plan.nodes[0].host.egress_queue_bytes = 5000;
    stage_run(&s, 1);
    cr_expect_eq(s.metrics.messages_delivered, 5);
    cr_expect_eq(s.metrics.messages_dropped[SIM_DROP_QUEUE], 15);
    stage_end(&s);
}

/* What is as large as the MTU passes, a byte more is silently lost. */
Test(net_limits, mtu_loses_what_is_larger)
{
    for (uint32_t size = 1499; size <= 1501; size++) {
        struct stage s;
        stage_plan(&s, 2, 0);
        stage_talk(&s, 0, 1, SIM_MS, 10, size);
        stage_link(&s, 0, 1, SIM_LINK_MTU)->mtu_bytes = 1500;
        stage_run(&s, 1);
        cr_expect_eq(s.metrics.messages_delivered, size <= 1500 ? 10 : 0);
        cr_expect_eq(s.metrics.messages_dropped[SIM_DROP_MTU], size <= 1500 ? 0 : 10);
        stage_end(&s);
    }
}

/* ---- The adversary, price, addresses --------------------------------------------------------- */

/* Tampered, forged and replayed messages reach a node that does not ask who sent them, and are
 * refused if the link is authenticated. */
Test(net_limits, authentication_refuses_what_an_adversary_made)
{
    static const uint64_t flags[] = {SIM_FATE_TAMPERED, SIM_FATE_FORGED, SIM_FATE_REPLAYED};
    for (uint32_t how = 0; how < 3; how++) {
        for (uint32_t authenticated = 0; authenticated <= 1; authenticated++) {
            struct stage s;
            stage_plan(&s, 2, 0);
            stage_talk(&s, 0, 1, SIM_MS, 10000, 16);
            struct sim_link_knobs *k = stage_link(&s, 0, 1, SIM_LINK_ADVERSARY);
            *(how == 0 ? &k->tamper_ppm : how == 1 ? &k->forge_ppm : &k->replay_ppm) = 100000;
            stage_link(&s, 0, 1, SIM_LINK_AUTHENTICATED)->authenticated = authenticated;
            stage_run(&s, 1);
            const uint64_t made = stage_flagged(&s, flags[how]);
            cr_expect(is_chance(made, 10000, 100000), "%llu", LLU(made));
            cr_expect_eq(s.metrics.forged_sent, made);
            cr_expect_eq(s.metrics.forged_accepted, authenticated ? 0 : made);
            cr_expect_eq(s.metrics.messages_dropped[SIM_DROP_REFUSED], authenticated ? made : 0);
            const uint64_t extra = how == 0 ? 0 : made; /* Tampering adds no message. */
            cr_expect_eq(s.metrics.messages_sent, 10000 + extra);
            cr_expect_eq(s.metrics.messages_delivered, 10000 + extra - (authenticated ? made : 0));
            stage_end(&s);
        }
    }
}

/* A tampered message and a forged one differ from what was sent; a replayed one is an earlier
 * message as it was. */
Test(net_limits, a_replay_is_an_earlier_message)
{
    struct stage s;
    stage_plan(&s, 2, 0);
    stage_talk(&s, 0, 1, SIM_MS, 1000, 16);
    struct sim_link_knobs *k = stage_link(&s, 0, 1, SIM_LINK_ADVERSARY);
    k->forge_ppm = 100000;
    k->replay_ppm = 100000;
    stage_run(&s, 1);
    uint64_t real[1001] = {0};
    uint64_t forged = 0;
    uint64_t replayed = 0;
    const struct sim_record *r;
    for (size_t place = 0; (r = stage_next(&s, &place, SIM_REC_SEND, 0, 1));) {
        const uint64_t n = record_ordinal(r);
        if (record_has(r, SIM_FATE_FORGED)) {
            cr_expect_neq(r->b, real[n]);
            forged++;
        } else if (record_has(r, SIM_FATE_REPLAYED)) {
            cr_expect_eq(r->b, real[n - 1], "the one recorded last");
            replayed++;
        } else {
            real[n] = r->b;
        }
    }
    cr_expect_gt(forged, 50);
    cr_expect_gt(replayed, 50);
    stage_end(&s);
}

/* An eavesdropper reads every byte of its link and changes nothing. */
Test(net_limits, an_eavesdropper_reads_all_of_its_link)
{
    uint64_t hash[2];
    for (uint32_t ear = 0; ear <= 1; ear++) {
        struct stage s;
        stage_plan(&s, 2, 0);
        stage_talk(&s, 0, 1, SIM_MS, 100, 16);
        stage_talk(&s, 1, 0, SIM_MS, 1000, 16);
        stage_link(&s, 0, 1, SIM_LINK_ADVERSARY)->eavesdrop = ear;
        stage_run(&s, 1);
        cr_expect_eq(s.metrics.bytes_eavesdropped, ear ? 1600 : 0);
        hash[ear] = sim_world_hash(s.world);
        stage_end(&s);
    }
    cr_expect_eq(hash[0], hash[1]);
}

/* A link's price and the zones' add up, by bytes and direction. */
Test(net_limits, traffic_is_paid_for)
{
    struct stage s;
    stage_plan(&s, 2, 0);
    s.plan.nodes[1].zone = 1;
    stage_talk(&s, 0, 1, SIM_MS, 1000, 1000);
    stage_talk(&s, 1, 0, SIM_MS, 500, 1000);
    s.plan.price_nano_per_gb[0 * 2 + 1] = 10000000;                    /* One cent per GB, */
    stage_link(&s, 0, 1, SIM_LINK_PRICE)->price_nano_per_gb = 5000000; /* and half of one. */
    stage_run(&s, 1);
    cr_expect_eq(s.metrics.bytes_sent, 1500000);
    cr_expect_eq(s.metrics.cost_nano_dollars, 15000, "1 MB of 1.5 cents per GB");
    stage_end(&s);
}

/* A sender that has resolved a name believes it for as long as its DNS entry lives: what it
 * sends meanwhile goes to nobody. */
Test(net_limits, a_stale_address_reaches_nobody)
{
    for (uint64_t ttl_s = 0; ttl_s <= 5; ttl_s += 5) {
        struct stage s;
        stage_plan(&s, 2, 0);
        stage_talk(&s, 0, 1, SIM_S, 30, 8); /* At 1 s, 2 s, ... */
        s.plan.nodes[0].host.dns_ttl_ns = ttl_s * SIM_S;
        stage_fault(&s, SIM_FAULT_READDRESS, 1, 12500 * SIM_MS, 0);
        stage_run(&s, 1);
        /* Resolved at 1, 6, 11 and 16 s: what is sent at 13, 14 and 15 s is lost. */
        const uint64_t stale = ttl_s ? 3 : 0;
        cr_expect_eq(s.metrics.messages_dropped[SIM_DROP_ADDRESS], stale);
        cr_expect_eq(s.metrics.messages_delivered, 30 - stale);
        const struct sim_record *r;
        for (size_t place = 0; (r = stage_next(&s, &place, SIM_REC_DROP, 1, 0));) {
            cr_expect(record_ordinal(r) >= 13 && record_ordinal(r) <= 15);
        }
        stage_end(&s);
    }
}

/* What was sent to the old address and is still on its way when it changes is lost, too. */
Test(net_limits, an_address_can_change_under_way)
{
    struct stage s;
    stage_plan(&s, 2, 0);
    stage_talk(&s, 0, 1, SIM_MS, 1, 8);
    stage_link(&s, 0, 1, SIM_LINK_LATENCY)->latency = constant(10 * SIM_MS);
    stage_fault(&s, SIM_FAULT_READDRESS, 1, 5 * SIM_MS, 0);
    stage_run(&s, 1);
    cr_expect_eq(s.metrics.messages_dropped[SIM_DROP_ADDRESS], 1);
    stage_end(&s);
}

/* ---- Fates by hand --------------------------------------------------------------------------- */

/* Each override does what it says to the message it names, and nothing to any other. */
Test(net_limits, a_fate_can_be_decided_by_hand)
{
    struct stage s;
    stage_plan(&s, 2, 0);
    stage_talk(&s, 0, 1, SIM_MS, 20, 16);
    stage_link(&s, 0, 1, SIM_LINK_LATENCY)->latency = constant(10 * SIM_MS);
    stage_link(&s, 0, 1, SIM_LINK_LOSS)->loss_ppm = 0;
    stage_fate(&s, 0, 1, ANY, SIM_ACT_DROP, 2, 0);
    stage_fate(&s, 0, 1, ANY, SIM_ACT_DELAY, 4, 77 * SIM_MS);
    stage_fate(&s, 0, 1, ANY, SIM_ACT_DUPLICATE, 6, 33 * SIM_MS);
    stage_fate(&s, 0, 1, ANY, SIM_ACT_CORRUPT, 8, 0);
    stage_fate(&s, 0, 1, 1, SIM_ACT_DROP, 5, 0);   /* The fifth even one is the tenth. */
    stage_fate(&s, 0, 1, 0, SIM_ACT_DROP, 10, 0);  /* The tenth odd one is the nineteenth. */
    stage_fate(&s, 1, 0, ANY, SIM_ACT_DROP, 3, 0); /* Another link. */
    stage_run(&s, 1);
    uint32_t times[21] = {0};
    const struct sim_record *r;
    for (size_t place = 0; (r = stage_next(&s, &place, SIM_REC_DELIVER, 1, 0));) {
        const uint64_t n = record_ordinal(r);
        times[n]++;
        const uint64_t copy_ns = n == 6 && times[n] == 2 ? 33 * SIM_MS : 10 * SIM_MS;
        cr_expect_eq(r->b, n == 4 ? 77 * SIM_MS : copy_ns, "message %llu", LLU(n));
        cr_expect_eq(record_has(r, SIM_FATE_CORRUPTED), n == 8);
    }
    for (uint32_t n = 1; n <= 20; n++) {
        const bool dropped = n == 2 || n == 10 || n == 19;
        cr_expect_eq(times[n], dropped ? 0 : n == 6 ? 2 : 1, "message %u", n);
    }
    stage_end(&s);
}

/* "Deliver" saves a message from what chance had in mind for it. */
Test(net_limits, a_message_can_be_saved_by_hand)
{
    struct stage s;
    stage_plan(&s, 2, 0);
    stage_talk(&s, 0, 1, SIM_MS, 20, 16);
    stage_link(&s, 0, 1, SIM_LINK_LOSS)->loss_ppm = SIM_PPM;
    stage_fate(&s, 0, 1, ANY, SIM_ACT_DELIVER, 7, 0);
    stage_run(&s, 1);
    cr_expect_eq(s.metrics.messages_delivered, 1);
    size_t place = 0;
    const struct sim_record *r = stage_next(&s, &place, SIM_REC_DELIVER, 1, 0);
    cr_assert_not_null(r);
    cr_expect_eq(record_ordinal(r), 7);
    stage_end(&s);
}

/* Requests and answers have fates, too, by their kinds: what a client sends a server is its
 * requests and nothing else. */
Test(net_limits, requests_and_answers_can_be_dropped_by_hand)
{
    struct stage s;
    stage_plan(&s, 1, 1);
    stage_fate(&s, 1, 0, SIM_MESSAGE_REQUEST, SIM_ACT_DROP, 2, 0);
    stage_fate(&s, 0, 1, SIM_MESSAGE_RESPONSE, SIM_ACT_DROP, 3, 0);
    stage_run(&s, 1);
    size_t place = 0;
    const struct sim_record *r;
    uint64_t n = 0;
    while ((r = stage_next(&s, &place, SIM_REC_SEND, 1, 0)) && n < 10) {
        cr_expect_eq(record_has(r, SIM_FATE_LOST), ++n == 2, "request %llu", LLU(n));
    }
    place = n = 0;
    while ((r = stage_next(&s, &place, SIM_REC_SEND, 0, 1)) && n < 10) {
        cr_expect_eq(record_has(r, SIM_FATE_LOST), ++n == 3, "answer %llu", LLU(n));
    }
    stage_end(&s);
}
