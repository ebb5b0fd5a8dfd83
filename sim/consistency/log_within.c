/* Errors within one transaction: what it polled, and in which order it sent and polled. */
#include "sim/consistency/log_internal.h"

/* Of each key: the last operations of the transaction at hand, plus 1; earlier ones are of
 * transactions before. */
struct within {
    struct log_search *search;
    uint32_t *polls, *sends;
    uint32_t *moved; /* The transaction, plus 1, during which another consumer got the key. */
};

static void check_poll(struct within *w, uint32_t place)
{
    struct log_search *s = w->search;
    const struct sim_txn_operation *o = &s->h->operations[place];
    const uint32_t sender = log_sender(s, o->element);
    if (sender == SIM_TXN_NONE) {
        log_note(s, SIM_LOG_GARBAGE_READ,
                 (struct log_case){{o->txn, SIM_TXN_NONE}, {o->element, SIM_TXN_NONE}, o->key, 0});
    } else if (s->h->txns[sender].outcome == SIM_TXN_FAILED &&
               s->h->txns[o->txn].outcome == SIM_TXN_OK) {
        log_note(s, SIM_LOG_G1A,
                 (struct log_case){{o->txn, sender}, {o->element, SIM_TXN_NONE}, o->key, 0});
    }
}

/* Two operations that follow each other on their key: of the same kind. */
static void check_pair(struct within *w, uint32_t before, uint32_t place,
                       enum sim_log_error nonmonotonic, enum sim_log_error skip)
{
    struct log_search *s = w->search;
    const struct sim_txn_operation *o = &s->h->operations[place];
    const uint32_t element = s->h->operations[before].element;
    const int64_t distance = log_distance(s, element, o->element);
    if (distance != 1) {
        log_note(
            s, distance < 1 ? nonmonotonic : skip,
            (struct log_case){{o->txn, SIM_TXN_NONE}, {element, o->element}, o->key, distance - 1});
    }
}

static void check_own(struct within *w, uint32_t txn)
{
    struct log_search *s = w->search;
    const struct sim_txn *t = &s->h->txns[txn];
    for (uint32_t i = t->first; i < t->first + t->count; i++) {
        const struct sim_txn_operation *o = &s->h->operations[i];
        if (log_is_poll(o) && log_sender(s, o->element) == txn) {
            log_note(s, SIM_LOG_PRECOMMITTED_READ,
                     (struct log_case){{txn, SIM_TXN_NONE}, {o->element, SIM_TXN_NONE}, o->key, 0});
            return;
        }
    }
}

static void check_txn(struct within *w, uint32_t txn)
{
    const struct sim_txn_history *h = w->search->h;
    const struct sim_txn *t = &h->txns[txn];
    for (uint32_t i = t->first; i < t->first + t->count; i++) {
        if (h->operations[i].action == SIM_TXN_READ_UNKNOWN) {
            w->moved[h->operations[i].key] = txn + 1;
        }
    }
    for (uint32_t i = t->first; i < t->first + t->count; i++) {
        const struct sim_txn_operation *o = &h->operations[i];
        if (log_is_poll(o)) {
            check_poll(w, i);
            if (w->polls[o->key] > t->first && w->moved[o->key] != txn + 1) {
                check_pair(w, w->polls[o->key] - 1, i, SIM_LOG_INT_NONMONOTONIC_POLL,
                           SIM_LOG_INT_POLL_SKIP);
            }
            w->polls[o->key] = i + 1;
        } else if (log_is_send(o)) {
            if (w->sends[o->key] > t->first) {
                check_pair(w, w->sends[o->key] - 1, i, SIM_LOG_INT_NONMONOTONIC_SEND,
                           SIM_LOG_INT_SEND_SKIP);
            }
            w->sends[o->key] = i + 1;
        }
    }
    check_own(w, txn);
}

bool log_find_within(struct log_search *s)
{
    const struct sim_txn_history *h = s->h;
    struct sim_scratch *scratch = &s->cycles.scratch;
    struct within w = {.search = s};
    w.polls = sim_scratch_alloc(scratch, h->key_count, sizeof *w.polls);
    w.sends = sim_scratch_alloc(scratch, h->key_count, sizeof *w.sends);
    w.moved = sim_scratch_alloc(scratch, h->key_count, sizeof *w.moved);
    const bool fine = w.polls && w.sends && w.moved && txn_spend(&s->cycles, h->operation_count);
    /* In the order of their operations, which is that of their ends: what polls[] and sends[] say
     * of a transaction before is below the next one's first operation. */
    for (uint32_t i = 0; fine && i < h->operation_count;) {
        const uint32_t txn = h->operations[i].txn;
        check_txn(&w, txn);
        i += h->txns[txn].count;
    }
    sim_scratch_release(scratch, w.polls, h->key_count, sizeof *w.polls);
    sim_scratch_release(scratch, w.sends, h->key_count, sizeof *w.sends);
    sim_scratch_release(scratch, w.moved, h->key_count, sizeof *w.moved);
    return fine;
}
