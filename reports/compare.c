#include "reports/compare.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { WORDS_MAX = 1024 };

struct compare {
    struct reading *reading;
    const struct reading_run *run;
    sqlite3_stmt *events; /* NULL: the recording has no event rows. */
    struct sim_sink sink;
    bool exhausted; /* All recorded events have been compared. */
    bool broken;    /* The recording could not be read on. */
    /* The first difference; a missing event has sequence 0. */
    bool differs;
    struct sim_record recorded;
    struct sim_record now;
    char words[WORDS_MAX];
    uint64_t first;
    uint64_t last;
};

/* ---- Event by event -------------------------------------------------------------------------- */

static uint32_t column_node(sqlite3_stmt *s, int column)
{
    return sqlite3_column_type(s, column) == SQLITE_NULL
               ? SIM_NOBODY
               : (uint32_t)sqlite3_column_int64(s, column);
}

/* False at the end of what was recorded. */
static bool next_recorded(struct compare *compare, struct sim_record *r)
{
    sqlite3_stmt *s = compare->events;
    const int got = compare->exhausted ? SQLITE_DONE : sqlite3_step(s);
    if (got != SQLITE_ROW) {
        compare->exhausted = true;
        compare->broken |= got != SQLITE_DONE;
        return false;
    }
    *r = (struct sim_record){.sequence = (uint64_t)sqlite3_column_int64(s, 0),
                             .time_ns = (uint64_t)sqlite3_column_int64(s, 1),
                             .kind = (uint16_t)sqlite3_column_int(s, 2),
                             .node = column_node(s, 3),
                             .peer = column_node(s, 4),
                             .detail = (uint16_t)sqlite3_column_int(s, 5),
                             .size_bytes = (uint32_t)sqlite3_column_int64(s, 6),
                             .a = (uint64_t)sqlite3_column_int64(s, 7),
                             .b = (uint64_t)sqlite3_column_int64(s, 8)};
    return true;
}

static bool is_same(const struct sim_record *x, const struct sim_record *y)
{
    return x->sequence == y->sequence && x->time_ns == y->time_ns && x->kind == y->kind &&
           x->detail == y->detail && x->node == y->node && x->peer == y->peer &&
           x->size_bytes == y->size_bytes && x->a == y->a && x->b == y->b;
}

static void record(void *context, const struct sim_record *now)
{
    struct compare *compare = context;
    if (compare->differs || compare->exhausted) {
        return;
    }
    struct sim_record recorded = {.sequence = 0};
    if (!next_recorded(compare, &recorded)) {
        /* An unfinished or broken recording says nothing about what comes after it. */
        if (compare->broken || !compare->run->finished) {
            return;
        }
    } else if (is_same(&recorded, now)) {
        return;
    }
    compare->differs = true;
    compare->recorded = recorded;
    compare->now = *now;
}

struct compare *compare_new(struct reading *reading, char *error, size_t error_bytes)
{
    const struct reading_run *run = reading_run(reading, error, error_bytes);
    struct compare *compare = run ? calloc(1, sizeof *compare) : NULL;
    if (!compare) {
        if (run) {
            snprintf(error, error_bytes, "out of memory");
        }
        return NULL;
    }
    compare->reading = reading;
    compare->run = run;
    compare->sink = (struct sim_sink){.context = compare, .record = record};
    if (reading_level(reading) == RECORDING_OUTCOME) {
        return compare;
    }
    compare->sink.kinds = recording_level_kinds(reading_level(reading));
    compare->events = reading_query(reading,
                                    "select sequence, time_ns, kind, node, peer, detail, "
                                    "size_bytes, a, b from event order by sequence",
                                    error, error_bytes);
    if (!compare->events) {
        compare_free(compare);
        return NULL;
    }
    return compare;
}

void compare_free(struct compare *compare)
{
    if (compare) {
        sqlite3_finalize(compare->events);
        free(compare);
    }
}

const struct sim_sink *compare_sink(struct compare *compare)
{
    return &compare->sink;
}

/* ---- In words -------------------------------------------------------------------------------- */

__attribute__((format(printf, 2, 3))) static void say(struct compare *compare, const char *format,
                                                      ...)
{
    const size_t length = strlen(compare->words);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(compare->words + length, WORDS_MAX - length, format, arguments);
    va_end(arguments);
}

/* Numbers out of a file may be anything. */
static const char *node_name(const struct sim_plan *plan, uint32_t node)
{
    return node < plan->node_count ? plan->nodes[node].name : "?";
}

static const char *message_name(const struct sim_plan *plan, const struct sim_record *r)
{
    const uint32_t sender = r->kind == SIM_REC_SEND ? r->node : r->peer;
    if (r->detail == SIM_MESSAGE_REQUEST || r->detail == SIM_MESSAGE_RESPONSE) {
        return r->detail == SIM_MESSAGE_REQUEST ? "request" : "response";
    }
    const struct sim_node_kind *kind = sender < plan->node_count ? plan->nodes[sender].kind : NULL;
    for (uint32_t i = 0; kind && kind->message_names[i]; i++) {
        if (i == r->detail) {
            return kind->message_names[i];
        }
    }
    return "?";
}

static bool is_message(uint32_t kind)
{
    return kind == SIM_REC_SEND || kind == SIM_REC_DELIVER || kind == SIM_REC_DROP;
}

static void say_record(struct compare *compare, const struct sim_plan *plan,
                       const struct sim_record *r)
{
    if (r->sequence == 0) {
        say(compare, "the run was over");
        return;
    }
    say(compare, "event %" PRIu64 ", at %" PRIu64 ".%09" PRIu64 " s, is ", r->sequence,
        r->time_ns / SIM_S, r->time_ns % SIM_S);
    say(compare, "%s", r->kind < SIM_REC_KIND_COUNT ? sim_record_kind_name(r->kind) : "?");
    if (is_message(r->kind)) {
        say(compare, " %s", message_name(plan, r));
    } else if (r->kind != SIM_REC_BOOT) {
        say(compare, " %u", (unsigned)r->detail);
    }
    if (r->node != SIM_NOBODY) {
        say(compare, ", node %s", node_name(plan, r->node));
    }
    if (r->peer != SIM_NOBODY) {
        say(compare, ", peer %s", node_name(plan, r->peer));
    }
    say(compare, " (%u bytes, a = %" PRIu64 ", b = %" PRIu64 ")", (unsigned)r->size_bytes, r->a,
        r->b);
}

static void say_fields(struct compare *compare)
{
    const struct sim_record *x = &compare->recorded;
    const struct sim_record *y = &compare->now;
    const struct {
        const char *name;
        bool differs;
    } fields[] = {
        {"sequence", x->sequence != y->sequence},
        {"time", x->time_ns != y->time_ns},
        {"kind", x->kind != y->kind},
        {"node", x->node != y->node},
        {"peer", x->peer != y->peer},
        {"detail", x->detail != y->detail},
        {"size", x->size_bytes != y->size_bytes},
        {"a", x->a != y->a},
        {"b", x->b != y->b},
    };
    const char *separator = " They differ in ";
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        if (fields[i].differs) {
            say(compare, "%s%s", separator, fields[i].name);
            separator = ", ";
        }
    }
    say(compare, ".");
}

static void say_event(struct compare *compare, const struct sim_plan *plan)
{
    say(compare, "Recorded: ");
    say_record(compare, plan, &compare->recorded);
    say(compare, ". Now: ");
    say_record(compare, plan, &compare->now);
    say(compare, ".");
    if (compare->recorded.sequence != 0 && compare->now.sequence != 0) {
        say_fields(compare);
    }
}

/* ---- The whole ------------------------------------------------------------------------------- */

/* The first block of events that the checkpoints tell apart; false if they tell nothing. */
static bool differing_block(const struct reading_run *run, uint64_t hash, uint64_t events,
                            const uint64_t *checkpoints, size_t checkpoint_count, uint64_t *first,
                            uint64_t *last)
{
    const size_t both =
        run->checkpoint_count < checkpoint_count ? run->checkpoint_count : checkpoint_count;
    size_t i = 0;
    while (i < both && run->checkpoints[i] == checkpoints[i]) {
        i++;
    }
    if (i == both && run->hash == hash && run->events == events) {
        return false;
    }
    *first = i * SIM_CHECKPOINT_EVERY + 1;
    *last = (i + 1) * SIM_CHECKPOINT_EVERY;
    if (i == both) { /* The last block of one of them is shorter. */
        const uint64_t longer = run->events > events ? run->events : events;
        *last = longer < *last ? longer : *last;
    }
    return true;
}

static uint64_t earlier(uint64_t x, uint64_t y)
{
    return x == 0 || (y != 0 && y < x) ? y : x;
}

static void conclude(struct compare *compare, const struct sim_plan *plan, bool block_differs)
{
    if (compare->differs) {
        const uint64_t event = earlier(compare->recorded.sequence, compare->now.sequence);
        if (!block_differs || event <= compare->last) {
            /* At level trace nothing before this event differs; the others lack some. */
            const bool exact = reading_level(compare->reading) == RECORDING_TRACE;
            compare->first = exact || !block_differs ? event : compare->first;
            compare->last = event;
            say(compare, exact ? "The first event that differs: "
                               : "The first differing event of those recorded: ");
            say_event(compare, plan);
            return;
        }
    }
    if (!block_differs) {
        return;
    }
    if (compare->events && reading_level(compare->reading) == RECORDING_TRACE) {
        say(compare, "All recorded events are the same, but not their hash: the recording was "
                     "changed, or the hash is computed differently.");
        return;
    }
    say(compare,
        "The first difference is among the events %" PRIu64 " to %" PRIu64
        ". Record both at --level trace to see which it is.",
        compare->first, compare->last);
}

bool compare_finish(struct compare *compare, uint64_t hash, uint64_t events,
                    const uint64_t *checkpoints, size_t checkpoint_count,
                    const struct sim_plan *plan)
{
    const struct reading_run *run = compare->run;
    struct sim_record left = {.sequence = 0};
    if (compare->events && !compare->differs && next_recorded(compare, &left)) {
        compare->differs = true;
        compare->recorded = left;
        compare->now = (struct sim_record){.sequence = 0};
    }
    if (compare->broken) {
        say(compare, "%s is damaged and cannot be compared.", reading_file(compare->reading));
        return false;
    }
    const bool block_differs =
        run->finished && differing_block(run, hash, events, checkpoints, checkpoint_count,
                                         &compare->first, &compare->last);
    if (!compare->differs && !block_differs) {
        return true;
    }
    if (run->finished) {
        say(compare,
            "Recorded: %" PRIu64 " events, hash %016" PRIx64 ". Now: %" PRIu64
            " events, hash %016" PRIx64 ".\n",
            run->events, run->hash, events, hash);
    }
    conclude(compare, plan, block_differs);
    return false;
}

const char *compare_difference(const struct compare *compare)
{
    return compare->words;
}

void compare_where(const struct compare *compare, uint64_t *first, uint64_t *last)
{
    *first = compare->first;
    *last = compare->last;
}
