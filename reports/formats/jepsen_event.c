#include "reports/formats/jepsen_event.h"

#include <inttypes.h>
#include <stdio.h>

bool jepsen_unexpected(struct history_problem *problem, const struct edn *edn, const char *expected)
{
    if (problem->reason[0]) {
        return false;
    }
    uint32_t column;
    if (edn->token == EDN_ERROR) {
        edn_place(edn, edn->error_at, &problem->line, &column);
        (void)snprintf(problem->reason, sizeof problem->reason, "%s (column %" PRIu32 ")",
                       edn->reason, column);
        return false;
    }
    edn_place(edn, edn->text, &problem->line, &column);
    const int shown = edn->length > 30 ? 30 : (int)edn->length;
    (void)snprintf(problem->reason, sizeof problem->reason,
                   "expected %s, not %s \"%.*s\" (column %" PRIu32 ")", expected,
                   edn_token_name(edn->token), shown, edn->text, column);
    return false;
}

void jepsen_events_begin(struct jepsen_events *events, const char *bytes, size_t size_bytes,
                         struct history_problem *problem)
{
    *events = (struct jepsen_events){.counted = bytes, .line = 1, .problem = problem};
    *problem = (struct history_problem){0};
    edn_begin(&events->edn, bytes, size_bytes);
}

enum member { TYPE, PROCESS, F, VALUE, TIME, KEY, REBALANCES, MEMBER_COUNT };
static const char *const members[MEMBER_COUNT] = {"type", "process",      "f", "value", "time",
                                                  "key",  "rebalance-log"};

static bool read_type(struct jepsen_events *events, struct jepsen_event *event)
{
    static const char *const types[] = {"invoke", "ok", "fail", "info"};
    for (uint32_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (edn_keyword_is(&events->edn, types[i])) {
            event->type = (enum event_type)i;
            return true;
        }
    }
    return jepsen_unexpected(events->problem, &events->edn, ":invoke, :ok, :fail or :info");
}

static bool read_process(struct jepsen_events *events, struct jepsen_event *event)
{
    const struct edn *edn = &events->edn;
    event->is_client = edn->token == EDN_INT;
    event->process = (uint64_t)edn->integer;
    return (edn->token != EDN_NUMBER && (!event->is_client || edn->integer >= 0)) ||
           jepsen_unexpected(events->problem, edn, "the number of a client's process, from 0 on");
}

/* The reader is at the value of a member that is looked at. */
static bool read_member(struct jepsen_events *events, struct jepsen_event *event,
                        enum member member)
{
    switch (member) {
    case TYPE:
        return read_type(events, event);
    case PROCESS:
        return read_process(events, event);
    case F:
        event->f = events->edn;
        return true;
    case VALUE:
        event->value = events->edn;
        return true;
    case TIME: /* Nobody's verdict depends on it, so what is no time is passed over. */
        event->time_ns = events->edn.token == EDN_INT && events->edn.integer > 0
                             ? (uint64_t)events->edn.integer
                             : 0;
        return true;
    case KEY:
        event->key = events->edn;
        return true;
    default:
        event->rebalances = events->edn;
        return true;
    }
}

/* The reader is at a key of the map. */
static bool read_entry(struct jepsen_events *events, struct jepsen_event *event, uint32_t *met)
{
    struct edn *edn = &events->edn;
    uint32_t member = 0;
    while (member < MEMBER_COUNT && !edn_keyword_is(edn, members[member])) {
        member++;
    }
    if (member < MEMBER_COUNT && (*met >> member & 1)) {
        return jepsen_unexpected(events->problem, edn, "a key that is not yet in this map");
    }
    *met |= 1U << member;
    if (!edn_skip(edn)) {
        return jepsen_unexpected(events->problem, edn, "a key");
    }
    if (edn_next(edn) <= EDN_CLOSE) {
        return jepsen_unexpected(events->problem, edn, "a value");
    }
    if (member < MEMBER_COUNT && !read_member(events, event, (enum member)member)) {
        return false;
    }
    return edn_skip(edn) || jepsen_unexpected(events->problem, edn, "a value");
}

/* The map that the reader is at the opening brace of. */
static bool read_event(struct jepsen_events *events, struct jepsen_event *event)
{
    struct edn *edn = &events->edn;
    uint32_t met = 0;
    const char *newline;
    while ((newline = memchr(events->counted, '\n', (size_t)(edn->text - events->counted)))) {
        events->line++;
        events->counted = newline + 1;
    }
    event->line = events->line;
    event->is_client = false;
    event->time_ns = 0;
    event->f = *edn; /* What is missing is nil, without a text. */
    event->f.token = EDN_NIL;
    event->f.length = 0;
    event->value = event->key = event->rebalances = event->f;
    while (edn_next(edn) > EDN_CLOSE) {
        if (!read_entry(events, event, &met)) {
            return false;
        }
    }
    if (edn->token != EDN_CLOSE) {
        return jepsen_unexpected(events->problem, edn, "the map's closing brace");
    }
    if (!(met >> TYPE & 1) || !(met >> PROCESS & 1)) {
        events->problem->line = event->line;
        (void)snprintf(events->problem->reason, sizeof events->problem->reason,
                       "this map has no :%s", members[met >> TYPE & 1 ? PROCESS : TYPE]);
        return false;
    }
    return true;
}

bool jepsen_events_next(struct jepsen_events *events, struct jepsen_event *event)
{
    struct edn *edn = &events->edn;
    (void)edn_next(edn);
    if (!events->begun) {
        events->begun = true;
        events->enclosed = edn->token == EDN_VECTOR || edn->token == EDN_LIST;
        if (events->enclosed) {
            (void)edn_next(edn);
        }
    }
    if (edn->token == EDN_MAP) {
        return read_event(events, event);
    }
    if (events->enclosed && edn->token == EDN_CLOSE) {
        return edn_next(edn) != EDN_END && jepsen_unexpected(events->problem, edn, "the end");
    }
    return edn->token != EDN_END &&
           jepsen_unexpected(events->problem, edn, "an operation, which is a map");
}
