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
            log_note(s, SIM_LOG_LOST_WRITE, found);
        }
        if (m->sent) {
            log_note(s, SIM_LOG_UNSEEN, found);
        }
    }
    sim_scratch_release(scratch, bounds, h->key_count, sizeof *bounds);
    return fine;
}
