/* Messages on links.
 *
 *     send -> fate -> queue for bandwidth -> on its way -> arrive -> the receiver's host
 *                 \-> lost    \-> dropped         \-> cut, down, refused
 *
 * A datagram that meets trouble is gone. A stream (TCP) keeps order, sends again with
 * exponential back-off (RFC 6298), and is reset when a host crashes or when it has stalled
 * for longer than its user's patience; a reset loses what was on its way. */
#include "sim/world_internal.h"

#define RETRANSMIT_MIN_NS (200 * SIM_MS) /* Linux's TCP_RTO_MIN. */
#define RETRANSMIT_MAX_NS (120 * SIM_S)  /* Linux's TCP_RTO_MAX. */
#define STREAM_PATIENCE_NS (5 * SIM_S)   /* etcd rafthttp's ConnReadTimeout. */

/* ---- Messages ----------------------------------------------------------------------------- */

static struct sim_message *message_new(struct sim_world *world, uint32_t from, uint32_t to,
                                       uint32_t kind, const void *data, uint32_t size_bytes)
{
    struct sim_message *m = sim_arena_alloc_raw(world->arena, sizeof *m + size_bytes);
    if (!m) {
        world->out_of_memory = true;
        return NULL;
    }
    *m = (struct sim_message){.from = from,
                              .to = to,
                              .kind = kind,
                              .size_bytes = size_bytes,
                              .sent_ns = world->now_ns,
                              .copies = 1};
    if (size_bytes > 0) {
        memcpy(m->data, data, size_bytes);
    }
    return m;
}

void sim_net_release(struct sim_world *world, struct sim_message *m)
{
    if (m && --m->copies == 0) {
        sim_arena_release(world->arena, m, sizeof *m + m->size_bytes);
    }
}

/* A drop is the receiver's record: who did not get what from whom, and why. */
static void drop(struct sim_world *world, struct sim_message *m, enum sim_drop why)
{
    world->metrics.messages_dropped[why]++;
    sim_world_record(world, SIM_REC_DROP, m->to, m->from, m->kind, m->size_bytes,
                     m->ordinal << 8 | m->fate, why);
    sim_net_release(world, m);
}

static uint32_t stream_epoch(const struct sim_world *world, const struct sim_message *m)
{
    return world->nodes[m->from].incarnation + world->nodes[m->to].incarnation;
}

/* Does the connection no longer exist that a message was sent on? What a host sent before it
 * died is on the wire and arrives; what was lost there nobody sends again. */
static bool is_reset(const struct sim_world *world, const struct sim_message *m)
{
    return m->stream && (m->epoch != stream_epoch(world, m) ||
                         ((m->fate & SIM_FATE_RETRANSMITTED) && !world->nodes[m->from].up));
}

static uint64_t retransmit_after_ns(const struct sim_link *link, uint32_t tries)
{
    const uint64_t estimate = sim_add_sat(link->set->retransmit_ns, 4 * link->base_ns);
    uint64_t after = estimate > RETRANSMIT_MIN_NS ? estimate : RETRANSMIT_MIN_NS;
    while (tries > 0 && after < RETRANSMIT_MAX_NS) { /* A shift could lose bits. */
        after *= 2;
        tries--;
    }
    return after < RETRANSMIT_MAX_NS ? after : RETRANSMIT_MAX_NS;
}

/* ---- Bandwidth ---------------------------------------------------------------------------- */

/* Take a turn at a line of some speed: *busy_until moves on, `when` becomes the time the last
 * bit has left. False if the queue before it is too full. */
static bool take_turn(struct sim_world *world, uint64_t *busy_until_ns, uint64_t bytes_per_second,
                      uint64_t queue_bytes, uint32_t red_ppm, uint32_t size_bytes, uint64_t *when)
{
    const uint64_t start = *busy_until_ns > *when ? *busy_until_ns : *when;
    const uint64_t wait = start - *when;
    if (queue_bytes) {
        const uint64_t queued = sim_muldiv64(wait, bytes_per_second, SIM_S);
        if (queued + size_bytes > queue_bytes) {
            return false;
        }
        /* Random early detection in its simplest form: from half full on, the chance of a
         * drop rises in a straight line to certainty. */
        const uint64_t fill_ppm = sim_muldiv64(queued, SIM_PPM, queue_bytes);
        if (red_ppm != UINT32_MAX && fill_ppm > SIM_PPM / 2 &&
            red_ppm < 2 * (fill_ppm - SIM_PPM / 2)) {
            return false;
        }
    }
    if (wait > world->metrics.queue_delay_max_ns) {
        world->metrics.queue_delay_max_ns = wait;
    }
    *busy_until_ns = sim_add_sat(start, sim_muldiv64(size_bytes, SIM_S, bytes_per_second));
    *when = *busy_until_ns;
    return true;
}

static bool pass_queues(struct sim_world *world, struct sim_link *link, const struct sim_fate *fate,
                        uint32_t from, uint32_t size_bytes, uint64_t *when)
{
    struct sim_env *sender = &world->nodes[from];
    const struct sim_host_knobs *host = &sender->plan->host;
    const struct sim_link_knobs *knobs = &link->set->knobs;
    if (host->egress_bytes_per_second &&
        !take_turn(world, &sender->egress_busy_until_ns, host->egress_bytes_per_second,
                   host->egress_queue_bytes, UINT32_MAX, size_bytes, when)) {
        return false;
    }
    return !knobs->bytes_per_second ||
           take_turn(world, &link->busy_until_ns, knobs->bytes_per_second, knobs->queue_bytes,
                     knobs->queue_policy == SIM_QUEUE_RED ? fate->red_ppm : UINT32_MAX, size_bytes,
                     when);
}

/* ---- Sending ------------------------------------------------------------------------------ */

/* The receiver's address as the sender's resolver knows it. */
static uint32_t resolve(struct sim_world *world, struct sim_link *link, uint32_t from, uint32_t to)
{
    const uint64_t ttl_ns = world->nodes[from].plan->host.dns_ttl_ns;
    if (ttl_ns == 0) {
        return world->nodes[to].address;
    }
    if (link->resolved_until_ns <= world->now_ns) {
        link->resolved_address = world->nodes[to].address;
        link->resolved_until_ns = sim_add_sat(world->now_ns, ttl_ns);
    }
    return link->resolved_address;
}

static bool is_stream(const struct sim_world *world, const struct sim_link *link, uint32_t from,
                      uint32_t to)
{
    switch ((enum sim_transport)link->set->knobs.transport) {
    case SIM_TRANSPORT_DATAGRAM:
        return false;
    case SIM_TRANSPORT_STREAM:
        return true;
    case SIM_TRANSPORT_KIND:
        break;
    }
    const struct sim_node_kind *kind = world->nodes[from].kind;
    if (!kind) {
        kind = world->nodes[to].kind; /* A client speaks as its server does. */
    }
    return kind && kind->streams;
}

static void arrive_at(struct sim_world *world, struct sim_link *link, struct sim_message *m,
                      uint64_t when)
{
    if (m->stream) {
        if (link->stream_epoch != m->epoch) { /* It waits for nothing that an old one had lost. */
            link->stream_epoch = m->epoch;
            link->last_arrival_ns = 0;
        }
        when = when > link->last_arrival_ns ? when : link->last_arrival_ns;
        link->last_arrival_ns = when;
    }
    sim_world_push(world, when, SIM_PEND_ARRIVE, m->to, (uintptr_t)m, 0);
}

/* Is it the work of an adversary, in whole or in part? */
static bool is_forged(const struct sim_message *m)
{
    return (m->fate & (SIM_FATE_TAMPERED | SIM_FATE_FORGED | SIM_FATE_REPLAYED)) != 0;
}

/* Count it, pay for it, record it. */
static void account(struct sim_world *world, struct sim_link *link, const struct sim_message *m)
{
    struct sim_metrics *metrics = &world->metrics;
    metrics->messages_sent++;
    metrics->bytes_sent += m->size_bytes;
    const uint64_t price = link->price_nano_per_gb + link->set->knobs.price_nano_per_gb;
    if (SIM_UNLIKELY(price)) {
        metrics->cost_nano_dollars += sim_muldiv64(m->size_bytes, price, SIM_S);
    }
    if (SIM_UNLIKELY(m->fate)) {
        metrics->messages_lost += (m->fate & SIM_FATE_LOST) != 0;
        metrics->messages_duplicated += (m->fate & SIM_FATE_DUPLICATED) != 0;
        metrics->messages_reordered += (m->fate & SIM_FATE_REORDERED) != 0;
        metrics->messages_corrupted += (m->fate & SIM_FATE_CORRUPTED) != 0;
        metrics->messages_retransmitted += (m->fate & SIM_FATE_RETRANSMITTED) != 0;
        metrics->forged_sent += is_forged(m);
    }
    sim_world_record(world, SIM_REC_SEND, m->from, m->to, m->kind, m->size_bytes,
                     m->ordinal << 8 | m->fate, m->digest);
}

/* What an adversary on the link does beside the message itself. */
static void adversary(struct sim_world *world, struct sim_link *link, const struct sim_message *m,
                      const struct sim_fate *fate, uint64_t when)
{
    const struct sim_link_knobs *knobs = &link->set->knobs;
    if (knobs->eavesdrop) {
        world->metrics.bytes_eavesdropped += m->size_bytes;
    }
    const struct sim_message *templates[2] = {fate->forge ? m : NULL,
                                              fate->replay ? link->recorded : NULL};
    for (int i = 0; i < 2; i++) {
        const struct sim_message *original = templates[i];
        struct sim_message *fake = original ? message_new(world, m->from, m->to, original->kind,
                                                          original->data, original->size_bytes)
                                            : NULL;
        if (!fake) {
            continue;
        }
        fake->ordinal = m->ordinal;
        fake->stream = m->stream;
        fake->epoch = m->epoch;
        fake->address = m->address;
        fake->fate = i == 0 ? SIM_FATE_FORGED : SIM_FATE_REPLAYED;
        if (i == 0) {
            sim_fate_flip(fake->data, fake->size_bytes, fate->noise >> 7);
        }
        fake->digest = sim_hash_bytes(fake->data, fake->size_bytes);
        account(world, link, fake);
        arrive_at(world, link, fake, when);
    }
    if (knobs->replay_ppm) {
        sim_net_release(world, link->recorded);
        link->recorded = message_new(world, m->from, m->to, m->kind, m->data, m->size_bytes);
    }
}

void sim_net_send(struct sim_world *world, uint32_t from, uint32_t to, uint32_t kind,
                  const void *data, uint32_t size_bytes)
{
    struct sim_env *sender = &world->nodes[from];
    struct sim_link *link = sender->links ? sender->links[to] : NULL;
    if (SIM_UNLIKELY(!link)) {
        link = sim_net_link_new(world, from, to);
    }
    struct sim_message *m = link ? message_new(world, from, to, kind, data, size_bytes) : NULL;
    if (SIM_UNLIKELY(!m)) {
        return;
    }
    m->stream = is_stream(world, link, from, to);
    m->epoch = stream_epoch(world, m);
    m->address = resolve(world, link, from, to);
    struct sim_fate fate;
    sim_fate_next(world, link, from, to, kind, m->stream, &fate);
    m->ordinal = link->ordinal;
    m->fate = fate.flags | (fate.losses ? SIM_FATE_RETRANSMITTED : 0);
    if (SIM_UNLIKELY(m->fate & (SIM_FATE_CORRUPTED | SIM_FATE_TAMPERED))) {
        sim_fate_flip(m->data, size_bytes, fate.noise);
    }
    m->digest = sim_hash_bytes(m->data, size_bytes);
    if (m->stream) {
        m->fate &= ~(uint32_t)SIM_FATE_LOST;
    }
    account(world, link, m);

    uint64_t when = world->now_ns;
    if (SIM_UNLIKELY(m->fate & SIM_FATE_LOST)) {
        sim_net_release(world, m);
        return;
    }
    const struct sim_link_knobs *knobs = &link->set->knobs;
    if (SIM_UNLIKELY(knobs->mtu_bytes && size_bytes > knobs->mtu_bytes)) {
        drop(world, m, SIM_DROP_MTU);
        return;
    }
    if (SIM_UNLIKELY(!pass_queues(world, link, &fate, from, size_bytes, &when))) {
        drop(world, m, SIM_DROP_QUEUE);
        return;
    }
    if (SIM_UNLIKELY(fate.losses)) {
        const uint64_t left = when;
        for (uint32_t i = 0; i < fate.losses; i++) {
            when = sim_add_sat(when, retransmit_after_ns(link, i));
        }
        if (when - left > STREAM_PATIENCE_NS) {
            drop(world, m, SIM_DROP_DOWN); /* Its user gave the stream up, and opens another. */
            return;
        }
    }
    const uint64_t sent = when;
    when = sim_add_sat(when, fate.delay_ns);
    m->copies += m->fate & SIM_FATE_DUPLICATED ? 1 : 0;
    arrive_at(world, link, m, when);
    if (SIM_UNLIKELY(m->fate & SIM_FATE_DUPLICATED)) {
        arrive_at(world, link, m, sim_add_sat(sent, fate.copy_delay_ns));
    }
    if (SIM_UNLIKELY(knobs->eavesdrop | knobs->forge_ppm | knobs->replay_ppm)) {
        adversary(world, link, m, &fate, when);
    }
}

/* ---- Arriving ----------------------------------------------------------------------------- */

/* Hand a message to its receiver, or drop it at the door. */
static void deliver(struct sim_world *world, struct sim_message *m)
{
    struct sim_env *receiver = &world->nodes[m->to];
    if (!receiver->up || is_reset(world, m)) {
        drop(world, m, SIM_DROP_DOWN);
        return;
    }
    if (m->address != receiver->address) {
        drop(world, m, SIM_DROP_ADDRESS);
        return;
    }
    if (SIM_UNLIKELY(is_forged(m)) &&
        world->nodes[m->from].links[m->to]->set->knobs.authenticated) {
        drop(world, m, SIM_DROP_REFUSED);
        return;
    }
    if (receiver->cpu.backlog_messages && receiver->run_count >= receiver->cpu.backlog_messages) {
        drop(world, m, SIM_DROP_BACKLOG);
        return;
    }
    world->metrics.messages_delivered++;
    world->metrics.forged_accepted += is_forged(m);
    sim_world_record(world, SIM_REC_DELIVER, m->to, m->from, m->kind, m->size_bytes,
                     m->ordinal << 8 | m->fate, world->now_ns - m->sent_ns);
    if (receiver->kind) {
        sim_host_receive(world, receiver, SIM_PEND_ARRIVE, (uintptr_t)m, m->size_bytes);
        return;
    }
    sim_clients_response(world, m->to, m);
    sim_net_release(world, m);
}

/* When a stalled stream tries again: after its back-off, but no later than its user's patience
 * lasts, so that a healed link does not wait for the last, longest back-off. */
static void retry_later(struct sim_world *world, const struct sim_link *link, uint32_t from,
                        uint32_t to)
{
    const uint64_t retry =
        sim_add_sat(world->now_ns, retransmit_after_ns(link, link->stalled_tries - 1));
    const uint64_t reset = sim_add_sat(link->stalled_since_ns, STREAM_PATIENCE_NS);
    sim_world_push(world, retry < reset ? retry : reset, SIM_PEND_STREAM, from, to, 0);
}

/* A stream's segments wait behind the first that did not get through. */
static void stall(struct sim_world *world, struct sim_link *link, struct sim_message *m)
{
    m->next = NULL;
    if (link->stalled_last) {
        link->stalled_last->next = m;
        link->stalled_last = m;
        return;
    }
    link->stalled_first = m;
    link->stalled_last = m;
    link->stalled_since_ns = world->now_ns;
    link->stalled_tries = 1;
    m->fate |= SIM_FATE_RETRANSMITTED;
    world->metrics.messages_retransmitted++;
    retry_later(world, link, m->from, m->to);
}

void sim_net_arrive(struct sim_world *world, const struct sim_pending *event)
{
    struct sim_message *m = (struct sim_message *)(uintptr_t)event->data;
    if (SIM_UNLIKELY(m->stream && world->nodes[m->from].links[m->to]->stalled_tries)) {
        stall(world, world->nodes[m->from].links[m->to], m);
    } else if (SIM_UNLIKELY(sim_net_is_cut(world, m->from, m->to))) {
        if (m->stream) {
            stall(world, world->nodes[m->from].links[m->to], m);
        } else {
            drop(world, m, SIM_DROP_CUT);
        }
    } else {
        deliver(world, m);
    }
}

void sim_net_retry(struct sim_world *world, const struct sim_pending *event)
{
    const uint32_t from = event->target;
    const uint32_t to = (uint32_t)event->data;
    struct sim_link *link = world->nodes[from].links[to];
    const bool cut = sim_net_is_cut(world, from, to);
    const bool dead = !world->nodes[from].up; /* Nobody is left to try. */
    if (cut && !dead && world->now_ns - link->stalled_since_ns < STREAM_PATIENCE_NS) {
        link->stalled_tries++;
        retry_later(world, link, from, to);
        world->metrics.messages_retransmitted++;
        return;
    }
    struct sim_message *m = link->stalled_first;
    link->stalled_first = NULL;
    link->stalled_last = NULL;
    link->stalled_tries = 0;
    while (m) {
        struct sim_message *next = m->next;
        if (dead) {
            drop(world, m, SIM_DROP_DOWN);
        } else if (cut) {
            drop(world, m, SIM_DROP_CUT); /* The stream is reset; the next send opens another. */
        } else {
            deliver(world, m);
        }
        m = next;
    }
}
