/* Telling causes: a sentence for each milestone, in the names of its node kind. */
#include "reports/explain_internal.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

static const char *node_name(const struct explain *e, uint32_t node)
{
    return node < e->plan->node_count ? e->plan->nodes[node].name : "the cluster";
}

static const struct sim_node_kind *kind_of(const struct explain *e, uint32_t node)
{
    return node < e->plan->node_count ? e->plan->nodes[node].kind : NULL;
}

static const char *message_name(const struct explain *e, const struct sim_record *r)
{
    if (r->detail == SIM_MESSAGE_REQUEST || r->detail == SIM_MESSAGE_RESPONSE) {
        return r->detail == SIM_MESSAGE_REQUEST ? "request" : "response";
    }
    const struct sim_node_kind *kind = kind_of(e, r->peer);
    kind = kind ? kind : kind_of(e, r->node);
    for (uint32_t i = 0; kind && kind->message_names && kind->message_names[i]; i++) {
        if (i == r->detail) {
            return kind->message_names[i];
        }
    }
    return "message";
}

bool explain_is_named(const struct sim_fact *fact)
{
    return fact->values && fact->values[0];
}

/* What these do to a host the host's own record says. */
static bool is_said_by_host(const struct sim_record *fault)
{
    return fault->detail == SIM_FAULT_CRASH || fault->detail == SIM_FAULT_PAUSE ||
           fault->detail == SIM_FAULT_ADMIN_SET;
}

bool explain_is_milestone(const struct explain *e, const struct explain_record *r)
{
    switch (r->record.kind) {
    case SIM_REC_BOOT:
        return r->record.time_ns > 0;
    case SIM_REC_SYNCED:
        return r->record.detail != SIM_OK;
    case SIM_REC_FACT: {
        const struct sim_node_kind *kind = kind_of(e, r->record.node);
        /* What a boot publishes is where it starts, not a change. */
        return kind && r->record.detail < kind->fact_count &&
               !(r->trigger != EXPLAIN_NONE && e->records[r->trigger].record.kind == SIM_REC_BOOT &&
                 r->record.time_ns == 0);
    }
    case SIM_REC_CRASH:
    case SIM_REC_PAUSE:
    case SIM_REC_RESUME:
    case SIM_REC_LEAVE:
    case SIM_REC_SETTING:
    case SIM_REC_VIOLATION:
        return true;
    case SIM_REC_FAULT:
        return !is_said_by_host(&r->record);
    default:
        return false;
    }
}

__attribute__((format(printf, 2, 3))) static void say(struct explain_line *line, const char *format,
                                                      ...)
{
    const size_t used = strlen(line->words);
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(line->words + used, sizeof line->words - used, format, arguments);
    va_end(arguments);
}

static void say_value(const struct explain *e, struct explain_line *line,
                      const struct sim_fact *fact, uint64_t value)
{
    if (fact->values == sim_fact_is_node) {
        say(line, "%s", value < e->plan->node_count ? node_name(e, (uint32_t)value) : "none");
        return;
    }
    uint64_t names = 0;
    while (fact->values && fact->values[names]) {
        names++;
    }
    if (value < names) {
        say(line, "%s", fact->values[value]);
    } else {
        say(line, "%" PRId64, (int64_t)value);
    }
}

/* Facts that one event changed are one sentence: the later ones have been told. */
static bool is_told(const struct explain *e, size_t at)
{
    const size_t trigger = e->records[at].trigger;
    for (size_t i = e->records[at].previous; i != trigger && i != EXPLAIN_NONE;
         i = e->records[i].previous) {
        if (explain_is_fact_told(e, i)) {
            return true;
        }
    }
    return false;
}

bool explain_starts_line(const struct explain *e, size_t at)
{
    const struct explain_record *r = &e->records[at];
    return r->record.kind == SIM_REC_FACT ? explain_is_fact_told(e, at) && !is_told(e, at)
                                          : r->kept && explain_is_milestone(e, r);
}

/* The senders whose messages of one kind came together, each once. */
static void say_gathered(const struct explain *e, size_t fact, struct explain_line *line)
{
    const size_t trigger = e->records[fact].trigger;
    uint64_t seen[(SIM_NODES_MAX + 63) / 64] = {0};
    const char *separator = "";
    for (size_t at = trigger; at != EXPLAIN_NONE; at = e->records[at].previous) {
        const struct sim_record *r = &e->records[at].record;
        if (r->kind == SIM_REC_FACT) {
            return;
        }
        const bool joins = at == trigger || explain_gathers(e, fact, at);
        if (joins && r->peer < SIM_NODES_MAX && !(seen[r->peer / 64] >> (r->peer % 64) & 1)) {
            seen[r->peer / 64] |= UINT64_C(1) << (r->peer % 64);
            say(line, "%s%s", separator, node_name(e, r->peer));
            separator = ", ";
        }
    }
}

static void say_timer(const struct sim_node_kind *kind, uint32_t timer, struct explain_line *line)
{
    for (uint32_t i = 0; kind && kind->timer_names && kind->timer_names[i]; i++) {
        if (i == timer) {
            say(line, "%s timer", kind->timer_names[i]);
            return;
        }
    }
    say(line, "timer %" PRIu32, timer);
}

static void say_trigger(const struct explain *e, size_t at, struct explain_line *line)
{
    const struct explain_record *r = &e->records[at];
    if (r->trigger == EXPLAIN_NONE) {
        return;
    }
    const struct sim_record *t = &e->records[r->trigger].record;
    const struct sim_node_kind *kind = kind_of(e, r->record.node);
    switch (t->kind) {
    case SIM_REC_DELIVER:
        say(line, ", on %s from ", message_name(e, t));
        if (explain_is_named(&kind->facts[r->record.detail])) {
            say_gathered(e, at, line);
        } else {
            say(line, "%s", node_name(e, t->peer));
        }
        return;
    case SIM_REC_TIMER:
        say(line, ", as its ");
        say_timer(kind, t->detail, line);
        say(line, " ran out");
        return;
    case SIM_REC_SYNCED:
        say(line, t->detail == SIM_OK ? ", once its disk had synced" : ", as a sync failed");
        return;
    case SIM_REC_BOOT:
        say(line, ", as it starts");
        return;
    case SIM_REC_FAULT:
        say(line, ", as commanded");
        return;
    default:
        return;
    }
}

static void tell_fact(const struct explain *e, size_t at, const char *separator,
                      struct explain_line *line)
{
    const struct sim_record *r = &e->records[at].record;
    const struct sim_fact *fact = &kind_of(e, r->node)->facts[r->detail];
    say(line, "%s%s ", separator, fact->name);
    say_value(e, line, fact, r->a);
    const size_t trigger = e->records[at].trigger;
    if (trigger != EXPLAIN_NONE && e->records[trigger].record.kind == SIM_REC_BOOT) {
        return; /* A node that starts has nothing behind it. */
    }
    say(line, " (was ");
    say_value(e, line, fact, e->records[at].was);
    say(line, ")");
}

/* All that one event changed. The cause is told of a named fact, if there is one: of a role
 * it may be more than one message. */
static void tell_facts(const struct explain *e, size_t at, struct explain_line *line)
{
    const uint32_t node = e->records[at].record.node;
    const struct sim_node_kind *kind = kind_of(e, node);
    size_t told = at;
    say(line, "%s: ", node_name(e, node));
    for (size_t i = at; i < e->count; i++) {
        const struct explain_record *r = &e->records[i];
        if (r->record.node != node) {
            continue;
        }
        if (r->trigger != e->records[at].trigger) {
            break;
        }
        if (explain_is_fact_told(e, i)) {
            tell_fact(e, i, i == at ? "" : ", ", line);
            told = explain_is_named(&kind->facts[r->record.detail]) ? i : told;
        }
    }
    say_trigger(e, told, line);
}

/* "n1: term 2, on request_vote from n3" and the same of n2 are "n1, n2: term 2, ...". */
static bool join_same(const struct explain *e, size_t at, struct explain_line *line)
{
    struct explain_line other;
    explain_tell(e, at, &other);
    const char *rest = strstr(line->words, ": ");
    const char *other_rest = strstr(other.words, ": ");
    if (!rest || !other_rest || strcmp(rest, other_rest) != 0) {
        return false;
    }
    const struct explain_line old = *line;
    (void)snprintf(line->words, sizeof line->words, "%.*s, %s%s", (int)(rest - line->words),
                   old.words, node_name(e, e->records[at].record.node),
                   old.words + (rest - line->words));
    return true;
}

/* A fault that concerns several nodes is one line, and so is what happens to several in the same
 * way. */
bool explain_join(const struct explain *e, size_t before, size_t at, struct explain_line *line)
{
    const struct sim_record *a = &e->records[before].record;
    const struct sim_record *b = &e->records[at].record;
    if (a->time_ns != b->time_ns || a->kind != b->kind) {
        return false;
    }
    if (a->kind == SIM_REC_FACT) {
        return join_same(e, at, line);
    }
    if (a->kind != SIM_REC_FAULT || b->kind != SIM_REC_FAULT || a->a != b->a || a->b != b->b) {
        return false;
    }
    say(line, ", %s", node_name(e, b->node));
    if (b->peer != SIM_NOBODY) {
        say(line, " towards %s", node_name(e, b->peer));
    }
    return true;
}

/* A command by its name, if a fault of the plan gives it; one that was drawn has left none. */
static void tell_command(const struct explain *e, const struct sim_record *r,
                         struct explain_line *line)
{
    const struct sim_node_kind *kind = kind_of(e, r->node);
    const struct sim_fault *f = r->a < e->plan->fault_count ? &e->plan->faults[r->a] : NULL;
    uint32_t count = 0;
    while (kind && kind->commands && kind->commands[count]) {
        count++;
    }
    say(line, "%s is commanded: %s", node_name(e, r->node),
        f && f->index < count ? kind->commands[f->index] : "something");
    if (r->peer != SIM_NOBODY) {
        say(line, " %s", node_name(e, r->peer));
    }
}

static void tell_fault(const struct explain *e, const struct sim_record *r,
                       struct explain_line *line)
{
    if (r->detail == SIM_FAULT_COMMAND) {
        tell_command(e, r, line);
        return;
    }
    say(line, "fault %s %s: %s", sim_fault_kind_name(r->detail), r->b ? "begins" : "ends",
        node_name(e, r->node));
    if (r->peer != SIM_NOBODY) {
        say(line, " towards %s", node_name(e, r->peer));
    }
}

void explain_tell(const struct explain *e, size_t at, struct explain_line *line)
{
    const struct sim_record *r = &e->records[at].record;
    const char *name = node_name(e, r->node);
    *line = (struct explain_line){.time_ns = r->time_ns, .event = r->sequence, .node = r->node};
    switch (r->kind) {
    case SIM_REC_FACT:
        tell_facts(e, at, line);
        break;
    case SIM_REC_BOOT:
        say(line, r->time_ns ? "%s starts again" : "%s starts", name);
        break;
    case SIM_REC_CRASH:
        say(line, "%s crashes and loses %" PRIu64 " unsynced record%s", name, r->b,
            r->b == 1 ? "" : "s");
        break;
    case SIM_REC_PAUSE:
        say(line, "%s stands still", name);
        break;
    case SIM_REC_RESUME:
        say(line, "%s goes on", name);
        break;
    case SIM_REC_LEAVE:
        say(line, "%s stops cleanly", name);
        break;
    case SIM_REC_SYNCED:
        say(line, r->detail == SIM_OK ? "%s: its disk has synced" : "%s: a sync of its disk fails",
            name);
        break;
    case SIM_REC_DELIVER:
        say(line, "%s gets %s from %s", name, message_name(e, r), node_name(e, r->peer));
        break;
    case SIM_REC_DROP:
        say(line, "%s does not get %s from %s", name, message_name(e, r), node_name(e, r->peer));
        break;
    case SIM_REC_TIMER:
        say(line, "%s: its ", name);
        say_timer(kind_of(e, r->node), r->detail, line);
        say(line, " runs out");
        break;
    case SIM_REC_INVOKE:
    case SIM_REC_ATTEMPT:
        say(line, "%s begins an operation", name);
        break;
    case SIM_REC_SETTING: {
        const struct sim_node_kind *kind = kind_of(e, r->node);
        say(line, "%s: setting %s becomes %" PRId64, name,
            kind && r->detail < kind->setting_count ? kind->settings[r->detail].name : "?",
            (int64_t)r->a);
        break;
    }
    case SIM_REC_FAULT:
        tell_fault(e, r, line);
        break;
    case SIM_REC_VIOLATION:
        say(line, r->node == SIM_NOBODY ? "%s fails" : "%s is violated, as seen at %s",
            sim_check_infos[r->detail].name, name);
        break;
    default:
        break;
    }
}
