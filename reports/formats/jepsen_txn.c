/* Events are read in one pass. What an invocation says is passed over and looked at again only if
 * nothing better comes: the completion repeats it, with what was read. */
#include "reports/formats/jepsen_txn.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "reports/formats/edn.h"

/* Numbers from here on stand for names. */
#define NAMES_FROM (UINT64_C(1) << 63)
#define NAMES_MAX (UINT32_C(1) << 30)

enum type { TYPE_NONE, TYPE_INVOKE, TYPE_OK, TYPE_FAIL, TYPE_INFO };

/* A process, and what it has open. */
struct slot {
    int64_t process;
    uint32_t txn; /* SIM_TXN_NONE: nothing. */
    bool used;
    struct edn value; /* Where the invocation's value begins. */
};

struct reader {
    struct jepsen_txns *txns;
    struct history_problem *problem;
    enum sim_status status;
    struct edn edn;
    const char *counted; /* Lines up to here are counted: */
    uint32_t line;
    struct slot *slots; /* Open addressing, by process. */
    size_t slot_count, used_count;
    bool object_known;
    int64_t *list; /* Being read. */
    size_t list_capacity;
};

struct event {
    enum type type;
    bool has_process, is_client, is_txn, has_value;
    int64_t process;
    struct edn value; /* At the token that begins it. */
    uint32_t line;
};

/* ---- Problems -------------------------------------------------------------------------------- */

__attribute__((format(printf, 3, 4))) static bool fail(struct reader *r, uint32_t line,
                                                       const char *format, ...)
{
    if (r->status != SIM_OK) {
        return false;
    }
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(r->problem->reason, sizeof r->problem->reason, format, arguments);
    va_end(arguments);
    r->problem->line = line;
    r->status = SIM_EINVAL;
    return false;
}

static bool no_memory(struct reader *r, uint32_t line)
{
    (void)fail(r, line, "the history does not fit in the memory allowed");
    r->status = SIM_ENOMEM;
    return false;
}

/* The EDN reader's own error. */
static bool bad_edn(struct reader *r, const struct edn *edn)
{
    uint32_t line, column;
    edn_place(edn, edn->error_at, &line, &column);
    return fail(r, line, "%s (column %" PRIu32 ")", edn->reason, column);
}

/* The token that `edn` is at is not what should be there. */
static bool unexpected(struct reader *r, const struct edn *edn, const char *expected)
{
    if (edn->token == EDN_ERROR) {
        return bad_edn(r, edn);
    }
    uint32_t line, column;
    edn_place(edn, edn->text, &line, &column);
    const int shown = edn->length > 30 ? 30 : (int)edn->length;
    return fail(r, line, "expected %s, not %s \"%.*s\" (column %" PRIu32 ")", expected,
                edn_token_name(edn->token), shown, edn->text, column);
}

/* ---- Names ----------------------------------------------------------------------------------- */

static bool same_name(const struct jepsen_txns *t, const struct jepsen_name *name, const char *text,
                      size_t length)
{
    return name->length == length && memcmp(t->bytes + name->offset, text, length) == 0;
}

static bool more_name_slots(struct jepsen_txns *t)
{
    if (t->name_count < t->name_slot_count / 2) {
        return true;
    }
    const uint32_t larger = t->name_slot_count ? t->name_slot_count * 2 : 64;
    struct sim_scratch *scratch = &t->history.scratch;
    uint32_t *fresh =
        t->name_count < NAMES_MAX ? sim_scratch_alloc(scratch, larger, sizeof *fresh) : NULL;
    if (!fresh) {
        return false;
    }
    for (uint32_t i = 0; i < t->name_count; i++) {
        const struct jepsen_name *name = &t->names[i];
        uint32_t slot =
            (uint32_t)sim_hash_bytes(t->bytes + name->offset, name->length) & (larger - 1);
        while (fresh[slot]) {
            slot = (slot + 1) & (larger - 1);
        }
        fresh[slot] = i + 1;
    }
    sim_scratch_release(scratch, t->name_slots, t->name_slot_count, sizeof *t->name_slots);
    t->name_slots = fresh;
    t->name_slot_count = larger;
    return true;
}

/* The number of the name that the token is; false without memory. */
static bool intern_name(struct jepsen_txns *t, const struct edn *edn, uint64_t *number)
{
    /* As written: with its colon or its quotes, so that :x and "x" are two. */
    const uint32_t around = edn->token == EDN_STRING ? 2 : edn->token == EDN_KEYWORD;
    const char *text = edn->text - (around > 0);
    const size_t length = edn->length + around;
    if (!more_name_slots(t)) {
        return false;
    }
    uint32_t slot = (uint32_t)sim_hash_bytes(text, length) & (t->name_slot_count - 1);
    while (t->name_slots[slot]) {
        const uint32_t name = t->name_slots[slot] - 1;
        if (same_name(t, &t->names[name], text, length)) {
            *number = NAMES_FROM + name;
            return true;
        }
        slot = (slot + 1) & (t->name_slot_count - 1);
    }
    if (!sim_scratch_grow(&t->history.scratch, &t->names, &t->name_capacity,
                          (size_t)t->name_count + 1, sizeof *t->names)) {
        return false;
    }
    t->names[t->name_count] = (struct jepsen_name){(uint32_t)(text - t->bytes), (uint32_t)length};
    *number = NAMES_FROM + t->name_count++;
    t->name_slots[slot] = t->name_count;
    return true;
}

static void show_number(const void *context, uint64_t number, char *text, size_t size_bytes)
{
    const struct jepsen_txns *t = context;
    if (number >= NAMES_FROM && number - NAMES_FROM < t->name_count) {
        const struct jepsen_name *name = &t->names[number - NAMES_FROM];
        const int shown = name->length > 40 ? 40 : (int)name->length;
        (void)snprintf(text, size_bytes, "%.*s", shown, t->bytes + name->offset);
    } else {
        (void)snprintf(text, size_bytes, "%" PRId64, (int64_t)number);
    }
}

/* ---- Micro-operations ------------------------------------------------------------------------ */

/* The key or value that the token is. */
static inline bool read_atom(struct reader *r, struct edn *edn, uint32_t line, uint64_t *number)
{
    *number = 0; /* Also when it is not read: the compiler cannot see that nobody looks then. */
    if (SIM_LIKELY(edn->token == EDN_INT)) {
        *number = (uint64_t)edn->integer;
        return edn->integer >= INT64_MIN + (int64_t)NAMES_MAX ||
               unexpected(r, edn, "a larger number");
    }
    switch (edn->token) {
    case EDN_KEYWORD:
    case EDN_STRING:
    case EDN_SYMBOL:
    case EDN_NUMBER:
    case EDN_CHAR:
        return intern_name(r->txns, edn, number) || no_memory(r, line);
    default:
        return unexpected(r, edn, "a number or a name");
    }
}

/* All micro-operations must be of one kind of object. */
static bool object_is(struct reader *r, const struct edn *edn, enum sim_txn_object object)
{
    struct sim_txn_history *h = &r->txns->history;
    if (!r->object_known) {
        r->object_known = true;
        sim_txn_history_is_of(h, object);
    }
    return h->object == (uint32_t)object ||
           unexpected(r, edn,
                      h->object == SIM_TXN_LIST
                          ? "a list's [:append key value] or [:r key [..]], as before"
                          : "a register's [:w key value] or [:r key value], as before");
}

static bool read_list(struct reader *r, struct edn *edn, uint32_t line, uint64_t key)
{
    size_t count = 0;
    for (;;) {
        if (SIM_UNLIKELY(count == r->list_capacity) &&
            !sim_scratch_grow(&r->txns->history.scratch, &r->list, &r->list_capacity, count + 1,
                              sizeof *r->list)) {
            return no_memory(r, line);
        }
        count += edn_integers(edn, r->list + count, r->list_capacity - count);
        if (count == r->list_capacity) {
            continue;
        }
        uint64_t number;
        if (edn_next(edn) <= EDN_CLOSE) {
            break;
        }
        if (!read_atom(r, edn, line, &number)) {
            return false;
        }
        r->list[count++] = (int64_t)number;
    }
    if (edn->token != EDN_CLOSE) {
        return unexpected(r, edn, "the list's end");
    }
    return sim_txn_read_list(&r->txns->history, key, (const uint64_t *)r->list, (uint32_t)count) ==
               SIM_OK ||
           no_memory(r, line);
}

/* What a read saw, if its transaction says so: nil, a value of a register, or a list. */
static bool read_seen(struct reader *r, struct edn *edn, uint32_t line, uint64_t key, bool known)
{
    struct sim_txn_history *h = &r->txns->history;
    enum sim_status status;
    if (edn->token == EDN_VECTOR || edn->token == EDN_LIST) {
        if (!object_is(r, edn, SIM_TXN_LIST)) {
            return false;
        }
        if (known) {
            return read_list(r, edn, line, key);
        }
        if (!edn_skip(edn)) {
            return unexpected(r, edn, "a list");
        }
        status = sim_txn_read_unknown(h, key);
    } else if (edn->token == EDN_NIL || !known) {
        status = known ? sim_txn_read(h, key, NULL) : sim_txn_read_unknown(h, key);
    } else {
        uint64_t value;
        if (!object_is(r, edn, SIM_TXN_REGISTER) || !read_atom(r, edn, line, &value)) {
            return false;
        }
        status = sim_txn_read(h, key, &value);
    }
    return status == SIM_OK || no_memory(r, line);
}

/* After the micro-operation's opening bracket. */
static bool read_micro(struct reader *r, struct edn *edn, uint32_t line, bool known)
{
    struct sim_txn_history *h = &r->txns->history;
    (void)edn_next(edn);
    const bool append = edn_keyword_is(edn, "append"), write = edn_keyword_is(edn, "w");
    if (!append && !write && !edn_keyword_is(edn, "r")) {
        return unexpected(r, edn, "a micro-operation, :append, :w or :r");
    }
    if ((append || write) && !object_is(r, edn, append ? SIM_TXN_LIST : SIM_TXN_REGISTER)) {
        return false;
    }
    uint64_t key, value;
    (void)edn_next(edn);
    if (!read_atom(r, edn, line, &key)) {
        return false;
    }
    (void)edn_next(edn);
    if (append || write) {
        if (!read_atom(r, edn, line, &value)) {
            return false;
        }
        if (sim_txn_write(h, key, value) != SIM_OK) {
            return no_memory(r, line);
        }
    } else if (edn->token <= EDN_CLOSE) {
        return unexpected(r, edn, "what was read, or nil");
    } else if (!read_seen(r, edn, line, key, known)) {
        return false;
    }
    return edn_next(edn) == EDN_CLOSE ||
           unexpected(r, edn, "the micro-operation's closing bracket");
}

/* The transaction that `edn` is at the opening bracket of. */
static bool read_txn(struct reader *r, struct edn *edn, uint32_t line, bool known)
{
    if (edn->token != EDN_VECTOR && edn->token != EDN_LIST) {
        return unexpected(r, edn, "a vector of micro-operations");
    }
    while (edn_next(edn) > EDN_CLOSE) {
        if (edn->token != EDN_VECTOR && edn->token != EDN_LIST) {
            return unexpected(r, edn, "a micro-operation like [:r 1 nil]");
        }
        if (!read_micro(r, edn, line, known)) {
            return false;
        }
    }
    return edn->token == EDN_CLOSE || unexpected(r, edn, "the transaction's closing bracket");
}

/* ---- Events ---------------------------------------------------------------------------------- */

static bool more_slots(struct reader *r)
{
    if (r->used_count < r->slot_count / 2) {
        return true;
    }
    struct sim_scratch *scratch = &r->txns->history.scratch;
    const size_t larger = r->slot_count ? r->slot_count * 2 : 64;
    struct slot *fresh = sim_scratch_alloc(scratch, larger, sizeof *fresh);
    for (size_t i = 0; fresh && i < r->slot_count; i++) {
        if (r->slots[i].used) {
            size_t at = (size_t)sim_mix64((uint64_t)r->slots[i].process) & (larger - 1);
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
static struct slot *slot_of(struct reader *r, int64_t process)
{
    if (!more_slots(r)) {
        return NULL;
    }
    size_t at = (size_t)sim_mix64((uint64_t)process) & (r->slot_count - 1);
    while (r->slots[at].used && r->slots[at].process != process) {
        at = (at + 1) & (r->slot_count - 1);
    }
    struct slot *slot = &r->slots[at];
    if (!slot->used) {
        slot->used = true;
        slot->process = process;
        slot->txn = SIM_TXN_NONE;
        r->used_count++;
    }
    return slot;
}

static bool begin_txn(struct reader *r, const struct event *event, struct slot *slot)
{
    struct jepsen_txns *t = r->txns;
    if (slot->txn != SIM_TXN_NONE) {
        return fail(r, event->line,
                    "process %" PRId64 " invokes while its transaction of line %" PRIu32
                    " is still open: expected its :ok, :fail or :info first",
                    event->process, t->lines[slot->txn].invoke);
    }
    if (sim_txn_invoke(&t->history, (uint64_t)event->process, &slot->txn) != SIM_OK ||
        !sim_scratch_grow(&t->history.scratch, &t->lines, &t->line_capacity, t->history.txn_count,
                          sizeof *t->lines)) {
        return no_memory(r, event->line);
    }
    t->lines[slot->txn] = (struct jepsen_lines){event->line, 0};
    slot->value = event->value;
    return true;
}

/* `value` is where what it did is read from; the invocation's if the completion says nil. */
static bool end_txn(struct reader *r, const struct event *event, struct slot *slot,
                    struct edn *value)
{
    struct sim_txn_history *h = &r->txns->history;
    static const enum sim_txn_outcome outcomes[] = {
        [TYPE_OK] = SIM_TXN_OK, [TYPE_FAIL] = SIM_TXN_FAILED, [TYPE_INFO] = SIM_TXN_INFO};
    if (slot->txn == SIM_TXN_NONE) {
        return fail(r, event->line,
                    "process %" PRId64 " completes a transaction that it did not invoke",
                    event->process);
    }
    sim_txn_return(h, slot->txn, outcomes[event->type]);
    r->txns->lines[slot->txn].ret = event->line;
    slot->txn = SIM_TXN_NONE;
    struct edn *source = value->token == EDN_NIL && event->type != TYPE_OK ? &slot->value : value;
    return read_txn(r, source, event->line, event->type == TYPE_OK);
}

/* One key of the map and its value; `edn` is at the key. A completion that is ready to be taken in
 * when its :value comes is read at once, others are read again later. */
static bool read_entry(struct reader *r, struct event *event, bool *taken)
{
    struct edn *edn = &r->edn;
    const bool is_type = edn_keyword_is(edn, "type"), is_process = edn_keyword_is(edn, "process");
    const bool is_f = edn_keyword_is(edn, "f"), is_value = edn_keyword_is(edn, "value");
    if (!edn_skip(edn)) {
        return unexpected(r, edn, "a key");
    }
    if (edn_next(edn) <= EDN_CLOSE) {
        return unexpected(r, edn, "a value");
    }
    if (is_type) {
        event->type = edn_keyword_is(edn, "invoke") ? TYPE_INVOKE
                      : edn_keyword_is(edn, "ok")   ? TYPE_OK
                      : edn_keyword_is(edn, "fail") ? TYPE_FAIL
                      : edn_keyword_is(edn, "info") ? TYPE_INFO
                                                    : TYPE_NONE;
        return event->type != TYPE_NONE || unexpected(r, edn, ":invoke, :ok, :fail or :info");
    }
    if (is_process) {
        event->has_process = true;
        event->is_client = edn->token == EDN_INT;
        event->process = edn->integer;
    } else if (is_f) {
        event->is_txn = edn_keyword_is(edn, "txn");
    } else if (is_value && !event->has_value) {
        event->has_value = true;
        event->value = *edn;
        if (event->type > TYPE_INVOKE && event->is_client && event->is_txn &&
            edn->token != EDN_NIL) {
            struct slot *slot = slot_of(r, event->process);
            *taken = true;
            return slot ? end_txn(r, event, slot, edn) : no_memory(r, event->line);
        }
    }
    return edn_skip(edn) || unexpected(r, edn, "a value");
}

static bool take_event(struct reader *r, struct event *event)
{
    if (event->type == TYPE_NONE || !event->has_process) {
        return fail(r, event->line, "this map has no %s",
                    event->type == TYPE_NONE ? ":type" : ":process");
    }
    if (!event->is_client) {
        return true;
    }
    if (!event->is_txn) {
        return fail(r, event->line, "expected an operation with :f :txn, and it has another :f");
    }
    if (!event->has_value) {
        return fail(r, event->line, "this operation has no :value");
    }
    struct slot *slot = slot_of(r, event->process);
    if (!slot) {
        return no_memory(r, event->line);
    }
    return event->type == TYPE_INVOKE ? begin_txn(r, event, slot)
                                      : end_txn(r, event, slot, &event->value);
}

/* The map that the reader is at the opening brace of. */
static bool read_event(struct reader *r)
{
    struct edn *edn = &r->edn;
    const char *newline;
    while ((newline = memchr(r->counted, '\n', (size_t)(edn->text - r->counted))) != NULL) {
        r->line++;
        r->counted = newline + 1;
    }
    struct event event = {.line = r->line};
    bool taken = false;
    while (edn_next(edn) > EDN_CLOSE) {
        if (!read_entry(r, &event, &taken)) {
            return false;
        }
    }
    if (edn->token != EDN_CLOSE) {
        return unexpected(r, edn, "the map's closing brace");
    }
    return taken || take_event(r, &event);
}

static bool read_events(struct reader *r)
{
    struct edn *edn = &r->edn;
    const bool enclosed = edn_next(edn) == EDN_VECTOR || edn->token == EDN_LIST;
    if (enclosed) {
        (void)edn_next(edn);
    }
    for (; edn->token > EDN_CLOSE; (void)edn_next(edn)) {
        if (edn->token != EDN_MAP) {
            return unexpected(r, edn, "an operation, a map");
        }
        if (!read_event(r)) {
            return false;
        }
    }
    if (enclosed && edn->token == EDN_CLOSE) {
        (void)edn_next(edn);
    }
    return edn->token == EDN_END || unexpected(r, edn, "the end");
}

/* Those that never returned: what they tried to do. */
static bool read_open(struct reader *r)
{
    struct jepsen_txns *t = r->txns;
    for (size_t i = 0; i < r->slot_count; i++) {
        struct slot *slot = &r->slots[i];
        if (!slot->used || slot->txn == SIM_TXN_NONE) {
            continue;
        }
        const uint32_t line = t->lines[slot->txn].invoke;
        sim_txn_return(&t->history, slot->txn, SIM_TXN_OPEN);
        if (!read_txn(r, &slot->value, line, false)) {
            return false;
        }
    }
    return true;
}

enum sim_status jepsen_txns_read(struct jepsen_txns *txns, const char *bytes, size_t size_bytes,
                                 size_t memory_bytes, struct history_problem *problem)
{
    memset(txns, 0, sizeof *txns);
    memset(problem, 0, sizeof *problem);
    sim_txn_history_init(&txns->history, SIM_TXN_LIST, memory_bytes);
    txns->bytes = bytes;
    txns->history.show = show_number;
    txns->history.show_context = txns;
    struct reader r = {.txns = txns, .problem = problem, .counted = bytes, .line = 1};
    if (size_bytes > UINT32_MAX / 2) {
        (void)fail(&r, 0, "the file is larger than 2 GiB");
        return SIM_ENOMEM;
    }
    edn_begin(&r.edn, bytes, size_bytes);
    (void)(read_events(&r) && read_open(&r));
    struct sim_scratch *scratch = &txns->history.scratch;
    sim_scratch_release(scratch, r.slots, r.slot_count, sizeof *r.slots);
    sim_scratch_release(scratch, r.list, r.list_capacity, sizeof *r.list);
    return r.status;
}

void jepsen_txns_release(struct jepsen_txns *txns)
{
    sim_txn_history_release(&txns->history);
    free(txns->lines);
    free(txns->names);
    free(txns->name_slots);
    memset(txns, 0, sizeof *txns);
}
