/* What a history of Jepsen's is about: its operations and the shapes of their values tell, for no
 * line says so. Reads at the beginning do not tell whether values come with a key. */
#include "reports/formats/jepsen_object_internal.h"

static const struct jepsen_function functions[] = {
    {"read", SIM_ACTION_READ, JEPSEN_TAKES_NOTHING, false},
    {"write", SIM_ACTION_WRITE, JEPSEN_TAKES_VALUE, false},
    {"cas", SIM_ACTION_CAS, JEPSEN_TAKES_PAIR, false},
    {"get", SIM_ACTION_READ, JEPSEN_TAKES_NOTHING, true},
    {"put", SIM_ACTION_WRITE, JEPSEN_TAKES_VALUE, true},
    {"append", SIM_ACTION_APPEND, JEPSEN_TAKES_VALUE, false},
    {"add", SIM_ACTION_ADD, JEPSEN_TAKES_VALUE, false},
    {"remove", SIM_ACTION_REMOVE, JEPSEN_TAKES_VALUE, false},
    {"enqueue", SIM_ACTION_ENQUEUE, JEPSEN_TAKES_VALUE, false},
    {"dequeue", SIM_ACTION_DEQUEUE, JEPSEN_TAKES_NOTHING, false},
    {"push", SIM_ACTION_PUSH, JEPSEN_TAKES_VALUE, false},
    {"pop", SIM_ACTION_POP, JEPSEN_TAKES_NOTHING, false},
    {"acquire", SIM_ACTION_ACQUIRE, JEPSEN_TAKES_NOTHING, false},
    {"release", SIM_ACTION_RELEASE, JEPSEN_TAKES_NOTHING, false},
};
enum { FUNCTION_COUNT = sizeof functions / sizeof functions[0] };

const struct jepsen_function *jepsen_function_of(const struct edn *f)
{
    for (size_t i = 0; i < FUNCTION_COUNT; i++) {
        if (edn_keyword_is(f, functions[i].name)) {
            return &functions[i];
        }
    }
    return NULL;
}

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
    if (!jepsen_is_sequence(&edn) || edn_next(&edn) <= EDN_CLOSE || !edn_skip(&edn) ||
        edn_next(&edn) <= EDN_CLOSE) {
        return false;
    }
    *second = edn;
    return edn_skip(&edn) && edn_next(&edn) == EDN_CLOSE;
}

static void survey_invoke(struct survey *s, const struct jepsen_function *f,
                          const struct edn *value)
{
    struct edn inner;
    const bool pair = second_of(*value, &inner);
    if (f->takes == JEPSEN_TAKES_VALUE) {
        if (s->keys_at_first == KEYS_UNKNOWN) {
            s->keys_at_first = pair ? KEYS_IN_PAIRS : KEYS_NONE;
        }
    } else if (s->keys == KEYS_UNKNOWN) {
        s->keys = pair && (f->takes == JEPSEN_TAKES_NOTHING || jepsen_is_sequence(&inner))
                      ? KEYS_IN_PAIRS
                      : KEYS_NONE;
    }
}

static void survey_read(struct survey *s, struct edn value)
{
    struct edn inner;
    if (s->keys == KEYS_IN_PAIRS && second_of(value, &inner)) {
        value = inner;
    }
    if (s->read == SHAPE_UNKNOWN && value.token != EDN_NIL) {
        s->read = jepsen_is_collection(&value) ? SHAPE_COLLECTION
                  : value.token == EDN_STRING  ? SHAPE_STRING
                  : value.token == EDN_INT     ? SHAPE_INTEGER
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

void jepsen_survey(const char *bytes, size_t size_bytes, uint32_t *object, bool *pairs)
{
    struct jepsen_events events;
    struct jepsen_event event;
    struct history_problem unused; /* It comes up again. */
    struct survey s = {0};
    jepsen_events_begin(&events, bytes, size_bytes, &unused);
    while (jepsen_events_next(&events, &event)) {
        const struct jepsen_function *f = event.is_client ? jepsen_function_of(&event.f) : NULL;
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
