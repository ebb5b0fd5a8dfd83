/* Messages that nobody was shown.
 *
 * Who polled a message must have been shown those before it; one that was sent for certain and
 * that nobody polled is lost, if all places that it was seen at come before the last one that was
 * polled for certain. Of a message seen at several places it is the first that shows how far
 * consumers came. Beside that, what was acknowledged and not polled by the end is unseen. */
#include "sim/consistency/log_internal.h"

/* How far committed polls of each key came: a place, plus 1. */
static void find_bounds(const struct log_search *s, uint32_t *bounds)
{
    for (uint32_t e = 0; e < s->h->element_count; e++) {
        const struct log_message *m = &s->messages[e];
        uint32_t *bound = &bounds[s->h->elements[e].key];
        if (m->polled && m->first != SIM_TXN_NONE && m->first + 1 > *bound) {
            *bound = m->first + 1;
        }
    }
}

/* The first who polled what stands last of all that was polled of the key. */
static uint32_t furthest_poll(const struct log_search *s, uint32_t key, uint32_t bound)
{
    for (uint32_t i = 0; i < s->h->operation_count; i++) {
        const struct sim_txn_operation *o = &s->h->operations[i];
        if (log_is_poll(o) && o->key == key && s->h->txns[o->txn].outcome == SIM_TXN_OK &&
            s->messages[o->element].first + 1 == bound) {
            return o->txn;
        }
    }
    return SIM_TXN_NONE;
}

static void note_lost(struct log_search *s, struct log_case found, uint32_t bound)
{
    if (s->counts[SIM_LOG_LOST_WRITE] == 0) {
        found.txns[1] = furthest_poll(s, found.key, bound);
    }
    log_note(s, SIM_LOG_LOST_WRITE, found);
}

bool log_find_lost(struct log_search *s)
{
    const struct sim_txn_history *h = s->h;
    struct sim_scratch *scratch = &s->cycles.scratch;
    uint32_t *bounds = sim_scratch_alloc(scratch, h->key_count, sizeof *bounds);
    const bool fine = bounds && txn_spend(&s->cycles, h->element_count);
    if (fine) {
        find_bounds(s, bounds);
    }
    for (uint32_t e = 0; fine && e < h->element_count; e++) {
        const struct log_message *m = &s->messages[e];
        const uint32_t key = h->elements[e].key, sender = log_sender(s, e);
        const struct log_case found = {{sender, SIM_TXN_NONE}, {e, SIM_TXN_NONE}, key, 0};
        if (m->polled || sender == SIM_TXN_NONE) {
            continue;
        }
        if (s->committed[sender] && m->last != SIM_TXN_NONE && m->last < bounds[key]) {
            note_lost(s, found, bounds[key]);
        }
        if (m->sent) {
            log_note(s, SIM_LOG_UNSEEN, found);
        }
    }
    sim_scratch_release(scratch, bounds, h->key_count, sizeof *bounds);
    return fine;
}
