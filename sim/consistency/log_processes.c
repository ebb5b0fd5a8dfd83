/* From one transaction of a process to its next: a consumer goes on where it was, and what a
 * producer sends comes after what it sent. */
#include "sim/consistency/log_internal.h"

/* Where a process is in a key: the last messages it polled and sent, or SIM_TXN_NONE. */
struct position {
    uint64_t process;
    uint32_t key;
    uint32_t assignment; /* Of the process when this was true. */
    uint32_t polled, polled_by;
    uint32_t sent, sent_by;
};

struct consumer {
    uint64_t process;
    uint32_t assignment; /* How often it was assigned or subscribed. */
};

struct processes {
    struct log_search *search;
    struct position *positions;
    struct consumer *consumers;
    uint32_t *position_slots, *consumer_slots; /* Open addressing: a number plus 1, or 0. */
    uint32_t position_count, consumer_count;
    uint32_t position_mask, consumer_mask;
    uint32_t *met; /* Of each key: the transaction, plus 1, of which it was looked at. */
};

static struct consumer *consumer_of(struct processes *p, uint64_t process)
{
    uint32_t slot = (uint32_t)sim_mix64(process) & p->consumer_mask;
    while (p->consumer_slots[slot]) {
        struct consumer *c = &p->consumers[p->consumer_slots[slot] - 1];
        if (c->process == process) {
            return c;
        }
        slot = (slot + 1) & p->consumer_mask;
    }
    struct consumer *c = &p->consumers[p->consumer_count++];
    *c = (struct consumer){process, 0};
    p->consumer_slots[slot] = p->consumer_count;
    return c;
}

/* A position of an earlier assignment is forgotten. */
static struct position *position_of(struct processes *p, const struct consumer *c, uint32_t key)
{
    uint32_t slot =
        (uint32_t)sim_mix64(c->process * UINT64_C(0x9e3779b97f4a7c15) + key) & p->position_mask;
    struct position *at = NULL;
    while (p->position_slots[slot]) {
        at = &p->positions[p->position_slots[slot] - 1];
        if (at->process == c->process && at->key == key) {
            break;
        }
        slot = (slot + 1) & p->position_mask;
    }
    if (!p->position_slots[slot]) {
        at = &p->positions[p->position_count++];
        p->position_slots[slot] = p->position_count;
        at->assignment = UINT32_MAX;
    }
    if (at->assignment != c->assignment) {
        *at = (struct position){c->process,   key,          c->assignment, SIM_TXN_NONE,
                                SIM_TXN_NONE, SIM_TXN_NONE, SIM_TXN_NONE};
    }
    return at;
}

/* Of what it had before, the process keeps the keys that are named. */
static void assign(struct processes *p, const struct sim_txn *t)
{
    const struct sim_txn_history *h = p->search->h;
    struct consumer *c = consumer_of(p, t->process);
    for (uint32_t i = t->first; i < t->first + t->count; i++) {
        struct position *at = position_of(p, c, h->operations[i].key);
        at->assignment = c->assignment + 1;
    }
    c->assignment++;
}

static void check_polls(struct processes *p, uint32_t txn, struct consumer *c)
{
    struct log_search *s = p->search;
    const struct sim_txn *t = &s->h->txns[txn];
    for (uint32_t i = t->first; i < t->first + t->count; i++) {
        const struct sim_txn_operation *o = &s->h->operations[i];
        if (!log_is_poll(o) || p->met[o->key] == txn + 1) {
            continue;
        }
        p->met[o->key] = txn + 1;
        const struct position *at = position_of(p, c, o->key);
        const int64_t distance =
            at->polled == SIM_TXN_NONE ? 1 : log_distance(s, at->polled, o->element);
        if (distance != 1) {
            log_note(s, distance < 1 ? SIM_LOG_NONMONOTONIC_POLL : SIM_LOG_POLL_SKIP,
                     (struct log_case){
                         {at->polled_by, txn}, {at->polled, o->element}, o->key, distance - 1});
        }
    }
    /* What failed, or may have, has moved nothing. */
    for (uint32_t i = t->first; t->outcome == SIM_TXN_OK && i < t->first + t->count; i++) {
        const struct sim_txn_operation *o = &s->h->operations[i];
        if (log_is_poll(o)) {
            struct position *at = position_of(p, c, o->key);
            at->polled = o->element;
            at->polled_by = txn;
        }
    }
}

static void check_sends(struct processes *p, uint32_t txn, struct consumer *c)
{
    struct log_search *s = p->search;
    const struct sim_txn *t = &s->h->txns[txn];
    for (uint32_t i = t->first; i < t->first + t->count; i++) {
        const struct sim_txn_operation *o = &s->h->operations[i];
        if (!log_is_send(o)) {
            continue;
        }
        struct position *at = position_of(p, c, o->key);
        const bool another = at->sent != SIM_TXN_NONE && at->sent_by != txn;
        const int64_t distance = another ? log_distance(s, at->sent, o->element) : 1;
        if (distance < 1) {
            log_note(s, SIM_LOG_NONMONOTONIC_SEND,
                     (struct log_case){
                         {at->sent_by, txn}, {at->sent, o->element}, o->key, distance - 1});
        }
        at->sent = o->element;
        at->sent_by = txn;
    }
}

/* A process does one thing after the other, so the order of beginnings is its own. */
static void check_all(struct processes *p)
{
    const struct sim_txn_history *h = p->search->h;
    for (uint32_t txn = 0; txn < h->txn_count; txn++) {
        const struct sim_txn *t = &h->txns[txn];
        const uint32_t kind = p->search->log->kinds[txn];
        if (t->outcome == SIM_TXN_OPEN) {
            continue;
        }
        if (kind == SIM_LOG_DATA) {
            struct consumer *c = consumer_of(p, t->process);
            check_polls(p, txn, c);
            if (t->outcome != SIM_TXN_FAILED) {
                check_sends(p, txn, c);
            }
        } else if (kind != SIM_LOG_OTHER && t->outcome != SIM_TXN_FAILED) {
            assign(p, t);
        }
    }
}

static uint32_t slots_for(uint32_t count)
{
    uint32_t slots = 64;
    while (slots / 2 < count) {
        slots *= 2;
    }
    return slots;
}

bool log_find_processes(struct log_search *s)
{
    const struct sim_txn_history *h = s->h;
    struct sim_scratch *scratch = &s->cycles.scratch;
    const uint32_t positions = slots_for(h->operation_count), consumers = slots_for(h->txn_count);
    struct processes p = {
        .search = s, .position_mask = positions - 1, .consumer_mask = consumers - 1};
    p.positions = sim_scratch_alloc(scratch, h->operation_count, sizeof *p.positions);
    p.consumers = sim_scratch_alloc(scratch, h->txn_count, sizeof *p.consumers);
    p.position_slots = sim_scratch_alloc(scratch, positions, sizeof *p.position_slots);
    p.consumer_slots = sim_scratch_alloc(scratch, consumers, sizeof *p.consumer_slots);
    p.met = sim_scratch_alloc(scratch, h->key_count, sizeof *p.met);
    const bool fine = p.positions && p.consumers && p.position_slots && p.consumer_slots && p.met &&
                      txn_spend(&s->cycles, h->operation_count);
    if (fine) {
        check_all(&p);
    }
    sim_scratch_release(scratch, p.positions, h->operation_count, sizeof *p.positions);
    sim_scratch_release(scratch, p.consumers, h->txn_count, sizeof *p.consumers);
    sim_scratch_release(scratch, p.position_slots, positions, sizeof *p.position_slots);
    sim_scratch_release(scratch, p.consumer_slots, consumers, sizeof *p.consumer_slots);
    sim_scratch_release(scratch, p.met, h->key_count, sizeof *p.met);
    return fine;
}
