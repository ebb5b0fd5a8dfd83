/* The text is gone through twice: jepsen_survey.c has seen what the object is. */
#include "reports/formats/jepsen_object_internal.h"

#include <inttypes.h>

#include "sim/consistency/machine.h"

/* ---- Values ---------------------------------------------------------------------------------- */

struct reader {
    struct pairing pairing;
    uint32_t object;
    bool pairs;     /* Values come with keys. */
    bool initial;   /* Registers hold something other than nil at first. */
    uint32_t *list; /* Being read. */
    size_t list_capacity;
    char *text; /* A string without its escapes. */
    size_t text_capacity;
};

static bool unexpected(struct reader *r, const struct edn *edn, const char *expected)
{
    if (r->pairing.status == SIM_OK) {
        r->pairing.status = SIM_EINVAL;
        (void)jepsen_unexpected(r->pairing.problem, edn, expected);
    }
    return false;
}

/* Was there memory for a number? The line is told by the caller. */
static bool got(struct reader *r, uint32_t number)
{
    if (number == SIM_HISTORY_NOTHING) {
        r->pairing.status = SIM_ENOMEM;
    }
    return number != SIM_HISTORY_NOTHING;
}

static bool read_string(struct reader *r, const struct edn *edn, uint32_t *value)
{
    struct sim_history *h = r->pairing.history;
    const char *text = edn->text;
    size_t length = edn->length;
    if (memchr(text, '\\', length)) {
        if (!sim_scratch_grow(&h->scratch, &r->text, &r->text_capacity, length + 1, 1)) {
            return got(r, SIM_HISTORY_NOTHING);
        }
        length = edn_string(edn, r->text);
        text = r->text;
    }
    *value = sim_history_text(h, SIM_VALUE_IS_TEXT, text, length);
    return got(r, *value);
}

/* A number or a name. */
static bool read_atom(struct reader *r, const struct edn *edn, uint32_t *value,
                      const char *expected)
{
    struct sim_history *h = r->pairing.history;
    switch (edn->token) {
    case EDN_INT:
        *value = sim_history_integer(h, edn->integer);
        return got(r, *value);
    case EDN_STRING:
        return read_string(r, edn, value);
    case EDN_KEYWORD:
    case EDN_CHAR: /* As it is written, with its colon or backslash. */
        *value = sim_history_text(h, SIM_VALUE_IS_SYMBOL, edn->text - 1, edn->length + 1);
        return got(r, *value);
    case EDN_SYMBOL:
    case EDN_NUMBER:
    case EDN_TRUE:
    case EDN_FALSE:
        *value = sim_history_text(h, SIM_VALUE_IS_SYMBOL, edn->text, edn->length);
        return got(r, *value);
    default:
        return unexpected(r, edn, expected);
    }
}

/* Sums of as many amounts as a history can have still fit 64 bits. */
#define AMOUNT_MAX (INT64_C(1) << 32)

static bool read_value(struct reader *r, const struct edn *edn, bool amount, uint32_t *value)
{
    switch (r->object) {
    case SIM_OBJECT_COUNTER:
        if (edn->token != EDN_INT ||
            (amount && (edn->integer > AMOUNT_MAX || edn->integer < -AMOUNT_MAX))) {
            return unexpected(r, edn,
                              amount ? "an amount, an integer from -2^32 to 2^32"
                                     : "an integer of 64 bits");
        }
        break;
    case SIM_OBJECT_KV:
        if (edn->token != EDN_STRING) {
            return unexpected(r, edn, "a string, as a kv holds");
        }
        break;
    case SIM_OBJECT_REGISTER:
        if (edn->token == EDN_NIL) {
            *value = r->initial
                         ? sim_history_text(r->pairing.history, SIM_VALUE_IS_SYMBOL, "nil", 3)
                         : SIM_VALUE_NIL;
            return got(r, *value);
        }
        break;
    default:
        break;
    }
    return read_atom(r, edn, value, "a value: a number, a string or a name");
}

/* All that a list or a set holds; the token is its opening bracket. */
static bool read_list(struct reader *r, struct edn *edn, uint32_t *list)
{
    struct sim_history *h = r->pairing.history;
    size_t count = 0;
    if (!jepsen_is_collection(edn) || edn->token == EDN_MAP) {
        return unexpected(r, edn, "all that it holds, as a vector, list or set");
    }
    while (edn_next(edn) > EDN_CLOSE) {
        if (!sim_scratch_grow(&h->scratch, &r->list, &r->list_capacity, count + 1,
                              sizeof *r->list)) {
            return got(r, SIM_HISTORY_NOTHING);
        }
        if (!read_value(r, edn, false, &r->list[count++])) {
            return false;
        }
    }
    if (edn->token != EDN_CLOSE) {
        return unexpected(r, edn, "the closing bracket");
    }
    *list = sim_history_list(h, r->list, count);
    return got(r, *list);
}

/* ---- Operations ------------------------------------------------------------------------------ */

/* Goes to the value proper, with the key in *key. */
static bool enter(struct reader *r, const struct jepsen_event *event, struct edn *edn,
                  uint32_t *key)
{
    static const char expected[] = "a key: a number, a string or a name";
    *key = SIM_VALUE_NIL;
    *edn = event->value;
    if (event->key.token != EDN_NIL && !read_atom(r, &event->key, key, expected)) {
        return false;
    }
    if (!r->pairs) {
        return true;
    }
    if (!jepsen_is_sequence(edn)) {
        return unexpected(r, edn, "[key value], as other operations of this history have");
    }
    (void)edn_next(edn);
    if (!read_atom(r, edn, key, expected)) {
        return false;
    }
    (void)edn_next(edn);
    return true;
}

/* The value proper has been read. */
static bool leave(struct reader *r, struct edn *edn)
{
    return !r->pairs || edn_next(edn) == EDN_CLOSE ||
           unexpected(r, edn, "the closing bracket of [key value]");
}

/* What it is asked to do. */
static bool read_argument(struct reader *r, const struct jepsen_function *f, struct edn *edn,
                          struct sim_history_operation *o)
{
    if (f->takes == JEPSEN_TAKES_NOTHING) {
        return (edn->token > EDN_CLOSE && !jepsen_is_collection(edn)) || unexpected(r, edn, "nil");
    }
    if (f->takes == JEPSEN_TAKES_VALUE) {
        return read_value(r, edn, true, &o->value);
    }
    if (!jepsen_is_sequence(edn)) {
        return unexpected(r, edn, "[expected new]");
    }
    (void)edn_next(edn);
    if (!read_value(r, edn, false, &o->expected)) {
        return false;
    }
    (void)edn_next(edn);
    return read_value(r, edn, false, &o->value) &&
           (edn_next(edn) == EDN_CLOSE ||
            unexpected(r, edn, "the closing bracket of [expected new]"));
}

static bool put_invoke(struct reader *r, const struct jepsen_event *event,
                       const struct jepsen_function *f)
{
    struct sim_history_operation o = {.action = f->action, .invoke_ns = event->time_ns};
    struct edn edn;
    return enter(r, event, &edn, &o.key) && read_argument(r, f, &edn, &o) && leave(r, &edn) &&
           pairing_invoke(&r->pairing, event->process, event->line, o);
}

static bool tells(const struct jepsen_function *f)
{
    return f->action == SIM_ACTION_READ || f->action == SIM_ACTION_DEQUEUE ||
           f->action == SIM_ACTION_POP;
}

/* What it was told. */
static bool read_result(struct reader *r, const struct jepsen_function *f, struct edn *edn,
                        uint32_t *result)
{
    if (edn->token == EDN_NIL) {
        *result = f->action == SIM_ACTION_READ ? SIM_VALUE_UNKNOWN : SIM_VALUE_NIL;
        return true;
    }
    const bool whole = r->object == SIM_OBJECT_LIST || r->object == SIM_OBJECT_SET;
    return whole ? read_list(r, edn, result) : read_value(r, edn, false, result);
}

/* What it says at its end, which must be what it said at its beginning. */
static bool read_ok(struct reader *r, const struct jepsen_event *event,
                    const struct jepsen_function *f, const struct sim_history_operation *o,
                    uint32_t *result)
{
    struct sim_history_operation again = *o;
    struct edn edn;
    *result = SIM_VALUE_UNKNOWN;
    if (event->value.token == EDN_NIL && (!tells(f) || f->action == SIM_ACTION_READ)) {
        return true;
    }
    if (!enter(r, event, &edn, &again.key)) {
        return false;
    }
    const bool read = tells(f) ? read_result(r, f, &edn, result)
                      : f->takes == JEPSEN_TAKES_NOTHING
                          ? edn_skip(&edn) || unexpected(r, &edn, "a value")
                          : read_argument(r, f, &edn, &again);
    if (!read || !leave(r, &edn)) {
        return false;
    }
    return (again.key == o->key && again.value == o->value && again.expected == o->expected) ||
           pairing_fail(&r->pairing, event->line,
                        "the %s ends with another key or value than it began with in line "
                        "%" PRIu32,
                        f->name, o->invoke_line);
}

static bool put_return(struct reader *r, const struct jepsen_event *event,
                       const struct jepsen_function *f)
{
    struct sim_history_operation *o =
        pairing_open(&r->pairing, event->process, event->line, f->action, f->name);
    uint32_t result = SIM_VALUE_UNKNOWN;
    if (!o || (event->type == EVENT_OK && !read_ok(r, event, f, o, &result))) {
        return false;
    }
    if (event->type != EVENT_INFO) {
        o->return_ns = event->time_ns;
    }
    pairing_return(&r->pairing, o, event->type, result, event->line);
    return true;
}

static bool put_event(struct reader *r, const struct jepsen_event *event)
{
    const struct jepsen_function *f = jepsen_function_of(&event->f);
    if (f && r->object == SIM_OBJECT_COUNT) {
        return pairing_fail(&r->pairing, event->line,
                            "a history of nothing but reads is of a register or a counter, or of "
                            "a kv: --type says which");
    }
    if (!f) {
        return event->f.token == EDN_NIL
                   ? pairing_fail(&r->pairing, event->line, "this map has no :f")
                   : unexpected(r, &event->f,
                                "an operation of an object, such as :read, :write, :cas, :add, "
                                ":enqueue");
    }
    if (!sim_object_has((enum sim_object)r->object, (enum sim_action)f->action)) {
        return pairing_fail(&r->pairing, event->line,
                            ":%s is not an operation of a %s, which this history is taken for "
                            "(--type says otherwise)",
                            f->name, sim_object_names[r->object]);
    }
    return event->type == EVENT_INVOKE ? put_invoke(r, event, f) : put_return(r, event, f);
}

static bool set_initial(struct reader *r, const char *initial)
{
    struct edn edn;
    uint32_t value;
    edn_begin(&edn, initial, strlen(initial));
    if (r->object != SIM_OBJECT_REGISTER || edn_next(&edn) < EDN_TRUE ||
        jepsen_is_collection(&edn)) {
        return pairing_fail(&r->pairing, 0,
                            "an initial value is a number, a string or a name, of a register, "
                            "and not \"%.30s\" of a %s",
                            initial, sim_object_names[r->object]);
    }
    if (!read_atom(r, &edn, &value, "")) {
        return pairing_no_memory(&r->pairing, 0);
    }
    sim_history_initial(r->pairing.history, value);
    r->initial = true;
    return true;
}

enum sim_status jepsen_object_read(const char *bytes, size_t size_bytes, uint32_t object,
                                   const char *initial, struct sim_history *history,
                                   struct history_problem *problem)
{
    struct reader r = {.pairing = {.history = history, .problem = problem}, .object = object};
    struct jepsen_events events;
    struct jepsen_event event;
    jepsen_survey(bytes, size_bytes, &r.object, &r.pairs);
    if (initial && r.object == SIM_OBJECT_COUNT) {
        r.object = SIM_OBJECT_REGISTER; /* Only registers can have one. */
    }
    history->object = r.object;
    jepsen_events_begin(&events, bytes, size_bytes, problem);
    if (initial && !set_initial(&r, initial)) {
        return r.pairing.status;
    }
    while (r.pairing.status == SIM_OK && jepsen_events_next(&events, &event)) {
        if (event.is_client && !put_event(&r, &event) && r.pairing.status == SIM_ENOMEM) {
            (void)pairing_no_memory(&r.pairing, event.line);
        }
    }
    if (r.pairing.status == SIM_OK && problem->reason[0]) {
        r.pairing.status = SIM_EINVAL;
    }
    sim_scratch_release(&history->scratch, r.list, r.list_capacity, sizeof *r.list);
    sim_scratch_release(&history->scratch, r.text, r.text_capacity, 1);
    return r.pairing.status;
}
