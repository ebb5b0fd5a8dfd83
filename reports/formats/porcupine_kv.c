/* {:process P, :type :invoke|:ok, :f :get|:put|:append, :key "K", :value nil|"V"}, one a line,
 * the members in this order. */
#include "reports/formats/pairing.h"
#include "reports/formats/scan.h"

struct event {
    uint64_t process;
    enum event_type type;
    uint32_t action;
    const char *name;
    uint32_t key;
    uint32_t value;
    bool has_value;
};

/* A string without escapes, which the format has none of. */
static bool read_string(struct pairing *p, struct scan *s, uint32_t *value)
{
    if (!scan_word(s, "\"")) {
        return false;
    }
    const char *end = memchr(s->at, '"', (size_t)(s->end - s->at));
    if (!end || memchr(s->at, '\\', (size_t)(end - s->at))) {
        return false;
    }
    *value = sim_history_text(p->history, SIM_VALUE_IS_TEXT, s->at, (size_t)(end - s->at));
    if (*value == SIM_HISTORY_NOTHING) {
        p->status = SIM_ENOMEM;
    }
    s->at = end + 1;
    return true;
}

/* ", :name " and the blanks around it. */
static bool read_name(struct scan *s, const char *name)
{
    scan_blanks(s);
    if (!scan_word(s, ",")) {
        return false;
    }
    scan_blanks(s);
    return scan_token(s, name);
}

static bool read_type(struct scan *s, struct event *e)
{
    e->type = scan_word(s, ":invoke") ? EVENT_INVOKE : EVENT_OK;
    return e->type == EVENT_INVOKE || scan_word(s, ":ok");
}

static bool read_function(struct scan *s, struct event *e)
{
    static const struct {
        const char *word;
        const char *name;
        uint32_t action;
    } rows[] = {{":get", "get", SIM_ACTION_READ},
                {":put", "put", SIM_ACTION_WRITE},
                {":append", "append", SIM_ACTION_APPEND}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (scan_word(s, rows[i].word)) {
            e->action = rows[i].action;
            e->name = rows[i].name;
            return true;
        }
    }
    return false;
}

static bool read_event(struct pairing *p, struct scan s, uint32_t line, struct event *e)
{
    int64_t process;
    if (!scan_word(&s, "{") || !scan_token(&s, ":process") || !scan_integer(&s, &process) ||
        process < 0) {
        return pairing_fail(p, line, "expected \"{:process NUMBER, \"");
    }
    e->process = (uint64_t)process;
    if (!read_name(&s, ":type") || !read_type(&s, e)) {
        return pairing_fail(p, line, "expected \":type :invoke\" or \":type :ok\"");
    }
    if (!read_name(&s, ":f") || !read_function(&s, e)) {
        return pairing_fail(p, line,
                            "unknown operation: expected \":f :get\", \":f :put\" or "
                            "\":f :append\"");
    }
    if (!read_name(&s, ":key") || !read_string(p, &s, &e->key)) {
        return pairing_fail(p, line, "expected \":key \" and a string");
    }
    if (!read_name(&s, ":value") ||
        (!scan_word(&s, "nil") && !(e->has_value = read_string(p, &s, &e->value)))) {
        return pairing_fail(p, line, "expected \":value \" and nil or a string");
    }
    scan_blanks(&s);
    if (!scan_word(&s, "}")) {
        return pairing_fail(p, line, "expected \"}\" after the value");
    }
    scan_blanks(&s);
    return s.at == s.end || pairing_fail(p, line, "nothing may follow the \"}\"");
}

static bool put_event(struct pairing *p, const struct event *e, uint32_t line)
{
    const bool tells = e->action == SIM_ACTION_READ;
    if (e->has_value == (tells && e->type == EVENT_INVOKE)) {
        return pairing_fail(
            p, line, e->has_value ? "a :get begins with nil" : "expected a string as the value");
    }
    if (e->type == EVENT_INVOKE) {
        return pairing_invoke(p, e->process, line,
                              (struct sim_history_operation){
                                  .action = (uint8_t)e->action, .key = e->key, .value = e->value});
    }
    struct sim_history_operation *o = pairing_open(p, e->process, line, e->action, e->name);
    if (!o) {
        return false;
    }
    if (o->key != e->key || (!tells && o->value != e->value)) {
        return pairing_fail(p, line,
                            "the %s ends with another key or value than it began with in "
                            "line %u",
                            e->name, (unsigned)o->invoke_line);
    }
    pairing_return(p, o, EVENT_OK, tells ? e->value : SIM_VALUE_UNKNOWN, line);
    return true;
}

enum sim_status porcupine_kv_read(const char *bytes, size_t size_bytes, struct sim_history *history,
                                  struct history_problem *problem)
{
    struct pairing p = {.history = history, .problem = problem};
    history->object = SIM_OBJECT_KV;
    size_t offset = 0;
    struct scan s;
    for (uint32_t line = 1; p.status == SIM_OK && scan_line(bytes, size_bytes, &offset, &s);
         line++) {
        struct event e = {0};
        scan_blanks(&s);
        if (s.at < s.end && read_event(&p, s, line, &e) && p.status == SIM_OK) {
            (void)put_event(&p, &e, line);
        }
        if (p.status == SIM_ENOMEM) {
            (void)pairing_no_memory(&p, line);
        }
    }
    return p.status;
}

enum history_format history_recognise(const char *bytes, size_t size_bytes)
{
    size_t offset = 0;
    struct scan s;
    while (scan_line(bytes, size_bytes, &offset, &s)) {
        scan_blanks(&s);
        if (s.at == s.end || *s.at == ';') {
            continue;
        }
        if (scan_token(&s, "INFO")) {
            return HISTORY_ETCD_LOG;
        }
        if (!memchr("{[(#", *s.at, 4)) {
            return HISTORY_UNKNOWN;
        }
        int64_t process;
        const bool kv =
            scan_word(&s, "{:process ") && scan_integer(&s, &process) &&
            scan_word(&s, ", :type ") && (scan_word(&s, ":invoke") || scan_word(&s, ":ok")) &&
            scan_word(&s, ", :f :") &&
            (scan_word(&s, "get,") || scan_word(&s, "put,") || scan_word(&s, "append,")) &&
            scan_word(&s, " :key \"");
        return kv ? HISTORY_KV : HISTORY_EDN;
    }
    return HISTORY_EMPTY;
}
