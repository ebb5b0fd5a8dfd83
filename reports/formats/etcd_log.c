/* INFO  jepsen.util - PROCESS :TYPE :FUNCTION ARGUMENT, split on blanks. */
#include "reports/formats/pairing.h"
#include "reports/formats/scan.h"

enum argument_type { ARGUMENT_NIL, ARGUMENT_VALUE, ARGUMENT_PAIR, ARGUMENT_WORD };

struct event {
    uint64_t process;
    enum event_type type;
    uint32_t action;
    enum argument_type argument_type;
    uint32_t first; /* Values; of a pair both. */
    uint32_t second;
};

static const char *const functions[] = {":read", ":write", ":cas"};
static const uint32_t actions[] = {SIM_ACTION_READ, SIM_ACTION_WRITE, SIM_ACTION_CAS};
static const char *const types[] = {":invoke", ":ok", ":fail", ":info"};

static bool read_value(struct pairing *p, struct scan *s, uint32_t *value)
{
    int64_t integer;
    if (scan_word(s, "nil")) {
        *value = SIM_VALUE_NIL;
        return true;
    }
    if (!scan_integer(s, &integer)) {
        return false;
    }
    *value = sim_history_integer(p->history, integer);
    if (*value == SIM_HISTORY_NOTHING) {
        p->status = SIM_ENOMEM;
    }
    return true;
}

static bool read_pair(struct pairing *p, struct scan *s, struct event *e)
{
    if (!scan_word(s, "[")) {
        return false;
    }
    scan_blanks(s);
    if (!read_value(p, s, &e->first) || !scan_at_gap(s)) {
        return false;
    }
    scan_blanks(s);
    if (!read_value(p, s, &e->second)) {
        return false;
    }
    scan_blanks(s);
    return scan_word(s, "]");
}

static bool read_argument(struct pairing *p, struct scan *s, struct event *e)
{
    if (s->at < s->end && *s->at == ':') {
        e->argument_type = ARGUMENT_WORD;
        s->at = s->end;
        return true;
    }
    if (s->at < s->end && *s->at == '[') {
        e->argument_type = ARGUMENT_PAIR;
        return read_pair(p, s, e);
    }
    if (!read_value(p, s, &e->first)) {
        return false;
    }
    e->argument_type = e->first == SIM_VALUE_NIL ? ARGUMENT_NIL : ARGUMENT_VALUE;
    return true;
}

/* Which of three or four words comes next; `count` if none does. */
static uint32_t one_of(struct scan *s, const char *const *words, uint32_t count)
{
    uint32_t i = 0;
    while (i < count && !scan_token(s, words[i])) {
        i++;
    }
    return i;
}

/* An event; false after a problem. *ours: it is one, not a line of something else. */
static bool read_event(struct pairing *p, struct scan s, uint32_t line, struct event *e, bool *ours)
{
    *ours = false;
    scan_blanks(&s);
    if (s.at == s.end) {
        return true;
    }
    int64_t process;
    if (!scan_token(&s, "INFO") || !scan_token(&s, "jepsen.util") || !scan_token(&s, "-")) {
        return pairing_fail(p, line,
                            "expected \"INFO  jepsen.util - PROCESS :TYPE :FUNCTION "
                            "ARGUMENT\"");
    }
    if (s.at < s.end && *s.at == ':') {
        return true; /* The nemesis speaks. */
    }
    if (!scan_integer(&s, &process) || process < 0 || !scan_at_gap(&s)) {
        return pairing_fail(p, line, "expected the number of a process after \"jepsen.util -\"");
    }
    scan_blanks(&s);
    e->process = (uint64_t)process;
    const uint32_t type = one_of(&s, types, 4);
    if (type == 4) {
        return pairing_fail(p, line, "expected :invoke, :ok, :fail or :info after the process");
    }
    e->type = (enum event_type)type;
    const uint32_t function = one_of(&s, functions, 3);
    if (function == 3) {
        return pairing_fail(p, line, "unknown operation: expected :read, :write or :cas");
    }
    e->action = actions[function];
    if (!read_argument(p, &s, e) || !scan_at_gap(&s)) {
        return pairing_fail(p, line,
                            "expected nil, a whole number, [FROM TO] or a keyword after "
                            "%s",
                            functions[function]);
    }
    *ours = true;
    return p->status == SIM_OK || pairing_no_memory(p, line);
}

static bool put_invoke(struct pairing *p, const struct event *e, uint32_t line)
{
    const enum argument_type expected = e->action == SIM_ACTION_READ    ? ARGUMENT_NIL
                                        : e->action == SIM_ACTION_WRITE ? ARGUMENT_VALUE
                                                                        : ARGUMENT_PAIR;
    if (e->argument_type != expected) {
        return pairing_fail(p, line, "an :invoke of %s takes %s", sim_action_names[e->action],
                            expected == ARGUMENT_NIL     ? "nil"
                            : expected == ARGUMENT_VALUE ? "a number"
                                                         : "[FROM TO]");
    }
    struct sim_history_operation o = {.action = (uint8_t)e->action, .value = e->first};
    if (e->action == SIM_ACTION_CAS) {
        o.expected = e->first;
        o.value = e->second;
    }
    return pairing_invoke(p, e->process, line, o);
}

static bool put_return(struct pairing *p, const struct event *e, uint32_t line)
{
    struct sim_history_operation *o =
        pairing_open(p, e->process, line, e->action, sim_action_names[e->action]);
    if (!o) {
        return false;
    }
    const bool is_cas = e->action == SIM_ACTION_CAS;
    if (e->action != SIM_ACTION_READ && e->argument_type != ARGUMENT_WORD &&
        (e->argument_type != (is_cas ? ARGUMENT_PAIR : ARGUMENT_VALUE) ||
         e->first != (is_cas ? o->expected : o->value) || (is_cas && e->second != o->value))) {
        return pairing_fail(p, line,
                            "the %s ends with another argument than it began with in "
                            "line %u",
                            sim_action_names[e->action], (unsigned)o->invoke_line);
    }
    if (e->type == EVENT_OK &&
        (e->argument_type == ARGUMENT_WORD || (!is_cas && e->argument_type == ARGUMENT_PAIR))) {
        return pairing_fail(p, line, "an :ok of %s takes what it answered",
                            sim_action_names[e->action]);
    }
    const bool missed = is_cas && e->type == EVENT_FAIL && e->argument_type == ARGUMENT_PAIR;
    if (missed) {
        o->action = SIM_ACTION_CAS_MISSED;
    }
    const bool told = e->action == SIM_ACTION_READ && e->type == EVENT_OK;
    pairing_return(p, o, missed ? EVENT_OK : e->type, told ? e->first : SIM_VALUE_UNKNOWN, line);
    return true;
}

enum sim_status etcd_log_read(const char *bytes, size_t size_bytes, struct sim_history *history,
                              struct history_problem *problem)
{
    struct pairing p = {.history = history, .problem = problem};
    history->object = SIM_OBJECT_REGISTER;
    size_t offset = 0;
    struct scan s;
    for (uint32_t line = 1; p.status == SIM_OK && scan_line(bytes, size_bytes, &offset, &s);
         line++) {
        struct event e = {0};
        bool ours;
        if (read_event(&p, s, line, &e, &ours) && ours) {
            (void)(e.type == EVENT_INVOKE ? put_invoke(&p, &e, line) : put_return(&p, &e, line));
        }
    }
    return p.status;
}
