/* Events are read in one pass. What an invocation says is passed over and looked at again only if
 * nothing better comes: the completion repeats it, with what was read. */
#include "reports/formats/jepsen_reader.h"

#include <inttypes.h>
#include <stdio.h>

struct jepsen_slot {
    uint64_t process;
    uint32_t txn; /* SIM_TXN_NONE: nothing. */
    bool used;
    const char *f, *value; /* Of the invocation, where they begin; NULL: it has none. */
};

static const char *bookmark(const struct edn *edn)
{
    return edn->length > 0 ? edn_beginning(edn) : NULL;
}

static void turn_to(struct edn *edn, const char *bookmark)
{
    if (bookmark) {
        edn_return(edn, bookmark);
        (void)edn_next(edn);
    } else {
        edn->token = EDN_NIL;
        edn->length = 0;
    }
}

/* What the slot's transaction was asked to do, instead of what `event` says. */
static void recall(struct jepsen_event *event, const struct jepsen_slot *slot)
{
    turn_to(&event->f, slot->f);
    turn_to(&event->value, slot->value);
}

bool jepsen_no_memory(struct jepsen_reader *r)
{
    if (!r->problem->reason[0]) {
        r->problem->line = r->line;
        (void)snprintf(r->problem->reason, sizeof r->problem->reason,
                       "the history does not fit in the memory allowed");
    }
    r->no_memory = true;
    return false;
}

bool jepsen_refuse(struct jepsen_reader *r, const struct jepsen_event *event, const char *reason)
{
    r->problem->line = event->line;
    (void)snprintf(r->problem->reason, sizeof r->problem->reason, "%s", reason);
    return false;
}

bool jepsen_atom(struct jepsen_reader *r, const struct edn *edn, uint64_t *number)
{
    *number = 0;
    if (!jepsen_is_named(edn->token)) {
        return jepsen_unexpected(r->problem, edn, "a number or a name");
    }
    return jepsen_name_number(&r->txns->names, &r->txns->history.scratch, edn, number) ||
           jepsen_no_memory(r);
}

static bool more_slots(struct jepsen_reader *r)
{
    if (r->used_count < r->slot_count / 2) {
        return true;
    }
    struct sim_scratch *scratch = &r->txns->history.scratch;
    const size_t larger = r->slot_count ? r->slot_count * 2 : 64;
    struct jepsen_slot *fresh = sim_scratch_alloc(scratch, larger, sizeof *fresh);
    for (size_t i = 0; fresh && i < r->slot_count; i++) {
        if (r->slots[i].used) {
            size_t at = (size_t)sim_mix64(r->slots[i].process) & (larger - 1);
            while (fresh[at].used) {
                at = (at + 1) & (larger - 1);
            }
            fresh[at] = r->slots[i];
        }
    }
    if (fresh) {
        sim_scratch_release(scratch, r->slots, r->slot_count, sizeof *r->slots);
        r->slots = fresh;
        r->slot_count = larger;
    }
    return fresh != NULL;
}

/* The process's slot; NULL without memory. */
static struct jepsen_slot *slot_of(struct jepsen_reader *r, uint64_t process)
{
    if (!more_slots(r)) {
        return NULL;
    }
    size_t at = (size_t)sim_mix64(process) & (r->slot_count - 1);
    while (r->slots[at].used && r->slots[at].process != process) {
        at = (at + 1) & (r->slot_count - 1);
    }
    struct jepsen_slot *slot = &r->slots[at];
    if (!slot->used) {
        slot->used = true;
        slot->process = process;
        slot->txn = SIM_TXN_NONE;
        r->used_count++;
    }
    return slot;
}

static bool begin_txn(struct jepsen_reader *r, const struct jepsen_event *event,
                      struct jepsen_slot *slot)
{
    struct jepsen_txns *t = r->txns;
    if (slot->txn != SIM_TXN_NONE) {
        r->problem->line = event->line;
        (void)snprintf(r->problem->reason, sizeof r->problem->reason,
                       "process %" PRIu64 " invokes while its transaction of line %" PRIu32
                       " is still open: expected its :ok, :fail or :info first",
                       event->process, t->lines[slot->txn].invoke);
        return false;
    }
    if (sim_txn_invoke(&t->history, event->process, &slot->txn) != SIM_OK ||
        !sim_scratch_grow(&t->history.scratch, &t->lines, &t->line_capacity, t->history.txn_count,
                          sizeof *t->lines)) {
        return jepsen_no_memory(r);
    }
    t->lines[slot->txn] = (struct jepsen_lines){event->line, 0};
    slot->f = bookmark(&event->f);
    slot->value = bookmark(&event->value);
    return true;
}

static bool end_txn(struct jepsen_reader *r, struct jepsen_event *event, struct jepsen_slot *slot)
{
    static const enum sim_txn_outcome outcomes[] = {
        [EVENT_OK] = SIM_TXN_OK, [EVENT_FAIL] = SIM_TXN_FAILED, [EVENT_INFO] = SIM_TXN_INFO};
    const uint32_t txn = slot->txn;
    if (txn == SIM_TXN_NONE) {
        r->problem->line = event->line;
        (void)snprintf(r->problem->reason, sizeof r->problem->reason,
                       "process %" PRIu64 " completes a transaction that it did not invoke",
                       event->process);
        return false;
    }
    sim_txn_return(&r->txns->history, txn, outcomes[event->type]);
    r->txns->lines[txn].ret = event->line;
    slot->txn = SIM_TXN_NONE;
    if (event->value.token == EDN_NIL && event->type != EVENT_OK) {
        recall(event, slot);
    }
    return r->take(r, txn, event);
}

static bool take_event(struct jepsen_reader *r, struct jepsen_event *event)
{
    r->line = event->line;
    if (!event->is_client) {
        return true;
    }
    if (r->accept && !r->accept(r, event)) {
        return false;
    }
    struct jepsen_slot *slot = slot_of(r, event->process);
    if (!slot) {
        return jepsen_no_memory(r);
    }
    return event->type == EVENT_INVOKE ? begin_txn(r, event, slot) : end_txn(r, event, slot);
}

/* Those that never returned: what they tried to do. `event` is any of the text. */
static bool take_open(struct jepsen_reader *r, struct jepsen_event *event)
{
    for (size_t i = 0; i < r->slot_count; i++) {
        struct jepsen_slot *slot = &r->slots[i];
        if (!slot->used || slot->txn == SIM_TXN_NONE) {
            continue;
        }
        r->line = event->line = r->txns->lines[slot->txn].invoke;
        sim_txn_return(&r->txns->history, slot->txn, SIM_TXN_OPEN);
        recall(event, slot);
        turn_to(&event->rebalances, NULL);
        if (!r->take(r, slot->txn, event)) {
            return false;
        }
    }
    return true;
}

enum sim_status jepsen_reader_run(struct jepsen_reader *r, const char *bytes, size_t size_bytes,
                                  struct history_problem *problem)
{
    struct jepsen_events events;
    struct jepsen_event event;
    r->problem = problem;
    jepsen_events_begin(&events, bytes, size_bytes, problem);
    if (size_bytes > UINT32_MAX / 2) {
        (void)snprintf(problem->reason, sizeof problem->reason, "the file is larger than 2 GiB");
        return SIM_ENOMEM;
    }
    while (!problem->reason[0] && jepsen_events_next(&events, &event)) {
        (void)take_event(r, &event);
    }
    if (!problem->reason[0]) {
        (void)take_open(r, &event);
    }
    sim_scratch_release(&r->txns->history.scratch, r->slots, r->slot_count, sizeof *r->slots);
    return r->no_memory ? SIM_ENOMEM : problem->reason[0] ? SIM_EINVAL : SIM_OK;
}
