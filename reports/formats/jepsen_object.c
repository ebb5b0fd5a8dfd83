/* The text is gone through twice, first as far as needed to see what the object is and whether
 * values come with a key, which reads at the beginning do not tell. */
#include "reports/formats/jepsen_object.h"

#include <inttypes.h>

#include "reports/formats/jepsen_event.h"
#include "sim/consistency/machine.h"

enum { TAKES_NOTHING, TAKES_VALUE, TAKES_PAIR };

static const struct function {
    const char *name;
    uint8_t action; /* enum sim_action */
    uint8_t takes;
    bool of_kv; /* A word that only key-value stores have. */
} functions[] = {
    {"read", SIM_ACTION_READ, TAKES_NOTHING, false},
    {"write", SIM_ACTION_WRITE, TAKES_VALUE, false},
    {"cas", SIM_ACTION_CAS, TAKES_PAIR, false},
    {"get", SIM_ACTION_READ, TAKES_NOTHING, true},
    {"put", SIM_ACTION_WRITE, TAKES_VALUE, true},
    {"append", SIM_ACTION_APPEND, TAKES_VALUE, false},
    {"add", SIM_ACTION_ADD, TAKES_VALUE, false},
    {"remove", SIM_ACTION_REMOVE, TAKES_VALUE, false},
    {"enqueue", SIM_ACTION_ENQUEUE, TAKES_VALUE, false},
    {"dequeue", SIM_ACTION_DEQUEUE, TAKES_NOTHING, false},
    {"push", SIM_ACTION_PUSH, TAKES_VALUE, false},
    {"pop", SIM_ACTION_POP, TAKES_NOTHING, false},
    {"acquire", SIM_ACTION_ACQUIRE, TAKES_NOTHING, false},
    {"release", SIM_ACTION_RELEASE, TAKES_NOTHING, false},
};
enum { FUNCTION_COUNT = sizeof functions / sizeof functions[0] };

static const struct function *function_of(const struct edn *f)
{
    for (size_t i = 0; i < FUNCTION_COUNT; i++) {
        if (edn_keyword_is(f, functions[i].name)) {
            return &functions[i];
        }
    }
    return NULL;
}

static bool is_sequence(const struct edn *edn)
{
    return edn->token == EDN_VECTOR || edn->token == EDN_LIST;
}

static bool is_collection(const struct edn *edn)
{
    return edn->token >= EDN_VECTOR;
}

/* ---- What the history is about --------------------------------------------------------------- */

enum shape { SHAPE_UNKNOWN, SHAPE_COLLECTION, SHAPE_STRING, SHAPE_INTEGER, SHAPE_OTHER };
enum keys { KEYS_UNKNOWN, KEYS_NONE, KEYS_IN_PAIRS };

struct survey {
    uint32_t actions;        /* Bits of enum sim_action. */
    bool of_kv;              /* Some word of them was a key-value store's. */
    enum shape read;         /* Of what some read saw. */
    enum keys keys;          /* Certain: an operation that takes nothing, or two values. */
    enum keys keys_at_first; /* An element may be a pair by itself. */
};

/* Of [a b] the place of b. */
static bool second_of(struct edn edn, struct edn *second)
{
    if (!is_sequence(&edn) || edn_next(&edn) <= EDN_CLOSE || !edn_skip(&edn) ||
        edn_next(&edn) <= EDN_CLOSE) {
        return false;
    }
    *second = edn;
    return edn_skip(&edn) && edn_next(&edn) == EDN_CLOSE;
}

static void survey_invoke(struct survey *s, const struct function *f, const struct edn *value)
{
    struct edn inner;
    const bool pair = second_of(*value, &inner);
    if (f->takes == TAKES_VALUE) {
        if (s->keys_at_first == KEYS_UNKNOWN) {
            s->keys_at_first = pair ? KEYS_IN_PAIRS : KEYS_NONE;
        }
    } else if (s->keys == KEYS_UNKNOWN) {
        s->keys =
            pair && (f->takes == TAKES_NOTHING || is_sequence(&inner)) ? KEYS_IN_PAIRS : KEYS_NONE;
    }
}

static void survey_read(struct survey *s, struct edn value)
{
    struct edn inner;
    if (s->keys == KEYS_IN_PAIRS && second_of(value, &inner)) {
        value = inner;
    }
    if (s->read == SHAPE_UNKNOWN && value.token != EDN_NIL) {
        s->read = is_collection(&value)       ? SHAPE_COLLECTION
                  : value.token == EDN_STRING ? SHAPE_STRING
                  : value.token == EDN_INT    ? SHAPE_INTEGER
                                              : SHAPE_OTHER;
    }
}

static bool survey_has(const struct survey *s, enum sim_action a, enum sim_action b)
{
    return (s->actions >> a & 1) || (s->actions >> b & 1);
}

/* SIM_OBJECT_COUNT: not to be told yet. */
static uint32_t survey_object(const struct survey *s)
{
    if (survey_has(s, SIM_ACTION_ACQUIRE, SIM_ACTION_RELEASE)) {
        return SIM_OBJECT_LOCK;
    }
    if (survey_has(s, SIM_ACTION_ENQUEUE, SIM_ACTION_DEQUEUE)) {
        return SIM_OBJECT_QUEUE;
    }
    if (survey_has(s, SIM_ACTION_PUSH, SIM_ACTION_POP)) {
        return SIM_OBJECT_STACK;
    }
    if (s->of_kv) {
        return SIM_OBJECT_KV;
    }
    if (survey_has(s, SIM_ACTION_WRITE, SIM_ACTION_CAS)) {
        return SIM_OBJECT_REGISTER;
    }
    if (s->read == SHAPE_UNKNOWN) {
        return SIM_OBJECT_COUNT;
    }
    if (survey_has(s, SIM_ACTION_APPEND, SIM_ACTION_APPEND)) {
        return s->read == SHAPE_COLLECTION ? SIM_OBJECT_LIST : SIM_OBJECT_KV;
    }
    if (survey_has(s, SIM_ACTION_ADD, SIM_ACTION_REMOVE)) {
        return s->read == SHAPE_COLLECTION ? SIM_OBJECT_SET : SIM_OBJECT_COUNTER;
    }
    return SIM_OBJECT_COUNT;
}

/* Of a history that ends before it is certain. Where no read tells of anything, or all tell of
 * something that nobody put there, every object that has the operations says the same. But of
 * reads alone that saw a number or a string it matters what the object held at first:
 * SIM_OBJECT_COUNT. */
static uint32_t survey_guess(const struct survey *s)
{
    if (survey_has(s, SIM_ACTION_APPEND, SIM_ACTION_APPEND)) {
        return SIM_OBJECT_LIST;
    }
    if (survey_has(s, SIM_ACTION_ADD, SIM_ACTION_REMOVE) || s->read == SHAPE_COLLECTION) {
        return SIM_OBJECT_SET;
    }
    return s->read == SHAPE_UNKNOWN ? SIM_OBJECT_REGISTER : SIM_OBJECT_COUNT;
}

static void survey(const char *bytes, size_t size_bytes, uint32_t *object, bool *pairs)
{
    struct jepsen_events events;
    struct jepsen_event event;
    struct history_problem unused; /* It comes up again. */
    struct survey s = {0};
    jepsen_events_begin(&events, bytes, size_bytes, &unused);
    while (jepsen_events_next(&events, &event)) {
        const struct function *f = event.is_client ? function_of(&event.f) : NULL;
        if (!f) {
            continue;
        }
        s.actions |= 1U << f->action;
        s.of_kv |= f->of_kv;
        if (event.type == EVENT_INVOKE) {
            survey_invoke(&s, f, &event.value);
        } else if (event.type == EVENT_OK && f->action == SIM_ACTION_READ) {
            survey_read(&s, event.value);
        }
        if (s.keys != KEYS_UNKNOWN &&
            (*object != SIM_OBJECT_COUNT || survey_object(&s) != SIM_OBJECT_COUNT)) {
            break;
        }
    }
    if (*object == SIM_OBJECT_COUNT) {
        const uint32_t certain = survey_object(&s);
        *object = certain == SIM_OBJECT_COUNT ? survey_guess(&s) : certain;
    }
    *pairs = (s.keys == KEYS_UNKNOWN ? s.keys_at_first : s.keys) == KEYS_IN_PAIRS;
}

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
    if (!is_collection(edn) || edn->token == EDN_MAP) {
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
    if (!is_sequence(edn)) {
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
static bool read_argument(struct reader *r, const struct function *f, struct edn *edn,
                          struct sim_history_operation *o)
{
    if (f->takes == TAKES_NOTHING) {
        return (edn->token > EDN_CLOSE && !is_collection(edn)) || unexpected(r, edn, "nil");
    }
    if (f->takes == TAKES_VALUE) {
        return read_value(r, edn, true, &o->value);
    }
    if (!is_sequence(edn)) {
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

static bool put_invoke(struct reader *r, const struct jepsen_event *event, const struct function *f)
{
    struct sim_history_operation o = {.action = f->action, .invoke_ns = event->time_ns};
    struct edn edn;
    return enter(r, event, &edn, &o.key) && read_argument(r, f, &edn, &o) && leave(r, &edn) &&
           pairing_invoke(&r->pairing, event->process, event->line, o);
}

static bool tells(const struct function *f)
{
    return f->action == SIM_ACTION_READ || f->action == SIM_ACTION_DEQUEUE ||
           f->action == SIM_ACTION_POP;
}

/* What it was told. */
static bool read_result(struct reader *r, const struct function *f, struct edn *edn,
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
static bool read_ok(struct reader *r, const struct jepsen_event *event, const struct function *f,
                    const struct sim_history_operation *o, uint32_t *result)
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
    const bool read = tells(f)                    ? read_result(r, f, &edn, result)
                      : f->takes == TAKES_NOTHING ? edn_skip(&edn) || unexpected(r, &edn, "a value")
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

static bool put_return(struct reader *r, const struct jepsen_event *event, const struct function *f)
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
    const struct function *f = function_of(&event->f);
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
    if (r->object != SIM_OBJECT_REGISTER || edn_next(&edn) < EDN_TRUE || is_collection(&edn)) {
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
    survey(bytes, size_bytes, &r.object, &r.pairs);
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
