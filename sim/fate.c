/* What chance does to a message: its fate, decided when it is sent.
 *
 * Every link has a stream of its own, of which each message uses exactly four outputs,
 * whatever the knobs are:
 *
 *     output 4n      lost?                    4n + 2 and 4n + 3   how late
 *     output 4n + 1  does a burst begin or end?
 *
 * What is rare (duplicates, reordering, corruption, an adversary, jitter, mixtures) is drawn
 * from a stream of that message's own, derived from (seed, link, ordinal), in a fixed order.
 * So no knob, and nothing that happens to one message, moves the fate of another. */
#include "sim/world_internal.h"

#define STREAM_TRIES_MAX 15 /* Linux's tcp_retries2. */

/* A draw in parts per million. */
static uint32_t ppm_of(uint32_t output)
{
    return (uint32_t)(((uint64_t)output * SIM_PPM) >> 32);
}

/* How often in a row a stream's segment is lost: from one draw, P(k losses) = p^k. */
static uint32_t losses_in_a_row(uint32_t output, uint32_t loss_ppm)
{
    if (loss_ppm >= SIM_PPM) {
        return STREAM_TRIES_MAX; /* 2^32 times 2^32 would be 0 below. */
    }
    uint64_t still = loss_ppm; /* p^k in units of 2^-32. */
    still = (still << 32) / SIM_PPM;
    uint64_t power = still;
    uint32_t losses = 0;
    while (output < power && losses < STREAM_TRIES_MAX) {
        losses++;
        power = power * still >> 32;
    }
    return losses;
}

/* The chance of loss now; moves a Gilbert-Elliott link between its states. */
static uint32_t loss_ppm_now(struct sim_link *link, const struct sim_link_knobs *knobs,
                             uint32_t output)
{
    if (knobs->burst_enter_ppm == 0) {
        link->bad_state = false;
        return knobs->loss_ppm;
    }
    const uint32_t change = link->bad_state ? knobs->burst_leave_ppm : knobs->burst_enter_ppm;
    if (ppm_of(output) < change) {
        link->bad_state = !link->bad_state;
    }
    return link->bad_state ? knobs->burst_loss_ppm : knobs->loss_ppm;
}

static void rare_fates(struct sim_world *world, const struct sim_link *link,
                       const struct sim_link_knobs *knobs, bool stream, uint64_t u1,
                       struct sim_fate *fate)
{
    struct sim_rng own;
    sim_rng_derive_hashed(&own, world->seed, sim_mix64(link->fate_key + link->ordinal));
    const uint64_t u2 = sim_rng_u64(&own);
    const uint64_t jitter_u1 = sim_rng_u64(&own);
    const uint64_t jitter_u2 = sim_rng_u64(&own);
    uint64_t base = 0;
    if (knobs->use_base) {
        base = sim_muldiv64(link->base_ns, sim_dist_sample(&knobs->jitter, jitter_u1, jitter_u2),
                            SIM_PPM);
    }
    fate->delay_ns = base + sim_dist_sample(&knobs->latency, u1, u2);

    const bool duplicated = sim_rng_chance(&own, knobs->duplicate_ppm);
    const uint64_t copy_u1 = sim_rng_u64(&own);
    const uint64_t copy_u2 = sim_rng_u64(&own);
    const bool reordered = sim_rng_chance(&own, knobs->reorder_ppm);
    const uint64_t hold_u1 = sim_rng_u64(&own);
    const uint64_t hold_u2 = sim_rng_u64(&own);
    const bool corrupted = sim_rng_chance(&own, knobs->corrupt_ppm);
    const bool tampered = sim_rng_chance(&own, knobs->tamper_ppm);
    fate->forge = sim_rng_chance(&own, knobs->forge_ppm);
    fate->replay = sim_rng_chance(&own, knobs->replay_ppm);
    fate->noise = sim_rng_u64(&own);
    fate->red_ppm = ppm_of(sim_rng_u32(&own));
    /* A stream's receiver throws duplicates away and puts segments in order. */
    if (duplicated && !stream) {
        fate->flags |= SIM_FATE_DUPLICATED;
        fate->copy_delay_ns = base + sim_dist_sample(&knobs->latency, copy_u1, copy_u2);
    }
    if (reordered && !stream) {
        fate->flags |= SIM_FATE_REORDERED;
        fate->delay_ns += sim_dist_sample(&knobs->reorder_delay, hold_u1, hold_u2);
    }
    fate->flags |= corrupted ? SIM_FATE_CORRUPTED : 0;
    fate->flags |= tampered ? SIM_FATE_TAMPERED : 0;
}

/* "Drop the 3rd append_entries from n1 to n2": what people and `shrink` write. */
static void override_fate(struct sim_world *world, struct sim_link *link, uint32_t from,
                          uint32_t to, uint32_t kind, bool stream, struct sim_fate *fate)
{
    const struct sim_plan *plan = world->plan;
    /* Links of clients carry only requests, or only answers, whose kinds are beyond the table:
     * the ordinal among them is the link's. */
    const uint64_t nth = kind < SIM_LINK_KINDS_MAX ? ++link->kind_ordinals[kind] : link->ordinal;
    for (uint32_t i = 0; i < plan->fate_count; i++) {
        const struct sim_fate_override *o = &plan->fates[i];
        const bool any = o->message_kind == SIM_NOBODY;
        if (o->from != from || o->to != to || (!any && o->message_kind != kind) ||
            o->ordinal != (any ? link->ordinal : nth)) {
            continue;
        }
        fate->losses = 0;
        switch ((enum sim_fate_action)o->action) {
        case SIM_ACT_DROP: /* On a stream: late, but in order. */
            fate->losses = 1;
            fate->flags = SIM_FATE_LOST;
            break;
        case SIM_ACT_DELAY:
            fate->flags = 0;
            fate->delay_ns = o->delay_ns;
            break;
        case SIM_ACT_DUPLICATE:
            fate->flags = stream ? 0 : SIM_FATE_DUPLICATED;
            fate->copy_delay_ns = o->delay_ns ? o->delay_ns : fate->delay_ns;
            break;
        case SIM_ACT_CORRUPT:
            fate->flags = SIM_FATE_CORRUPTED;
            break;
        case SIM_ACT_DELIVER:
            fate->flags = 0;
            break;
        }
    }
}

void sim_fate_next(struct sim_world *world, struct sim_link *link, uint32_t from, uint32_t to,
                   uint32_t kind, bool stream, struct sim_fate *fate)
{
    const struct sim_link_knobs *knobs = &link->set->knobs;
    const uint32_t loss_output = sim_rng_u32(&link->rng);
    const uint32_t burst_output = sim_rng_u32(&link->rng);
    const uint64_t u1 = sim_rng_u64(&link->rng);
    link->ordinal++;

    *fate = (struct sim_fate){.flags = 0};
    if (SIM_LIKELY(link->set->plain)) {
        fate->delay_ns =
            (knobs->use_base ? link->base_ns : 0) + sim_dist_sample(&knobs->latency, u1, 0);
    } else {
        rare_fates(world, link, knobs, stream, u1, fate);
    }
    const uint32_t loss_ppm = loss_ppm_now(link, knobs, burst_output);
    if (SIM_UNLIKELY(loss_ppm)) {
        if (stream) {
            fate->losses = losses_in_a_row(loss_output, loss_ppm);
        } else if (ppm_of(loss_output) < loss_ppm) {
            fate->flags |= SIM_FATE_LOST;
        }
    }
    if (SIM_UNLIKELY(link->overridden)) {
        override_fate(world, link, from, to, kind, stream, fate);
    }
}

void sim_fate_flip(uint8_t *data, uint32_t size_bytes, uint64_t noise)
{
    if (size_bytes > 0) {
        const uint64_t bit = noise % ((uint64_t)size_bytes * 8);
        data[bit / 8] ^= (uint8_t)(1u << (bit % 8));
    }
}
