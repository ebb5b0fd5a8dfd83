/* Exports of whole traces: they keep the rules of the tools that read them. */
#define _POSIX_C_SOURCE 200809L

#include <cjson/cJSON.h>
#include <inttypes.h>

#include "tests/exported.h"

#define NODES 7
/* Lossy datagrams that come twice, so that one send has no delivery and another has two. */
#define MESSY                                                                                      \
    "{\"title\": \"t\", \"why\": \"w\", \"duration\": \"3s\","                                     \
    "\"nodes\": [{\"kind\": \"raft\", \"name\": \"n\", \"count\": 3, \"host\": "                   \
    "{\"cpu\": {\"message\": \"200us\"}}}],"                                                       \
    "\"topology\": {\"links\": {\"default\": {\"latency\": \"1ms..10ms\", \"loss\": "              \
    "\"50000ppm\", \"duplicate\": \"100000ppm\", \"transport\": \"datagram\"}}},"                  \
    "\"faults\": [{\"at\": \"1s\", \"crash\": \"leader\", \"for\": \"500ms\"},"                    \
    "{\"at\": \"2s\", \"pause\": \"n2\", \"for\": \"200ms\"}],"                                    \
    "\"checks\": [\"election_safety\"], \"clients\": [{\"name\": \"c\", \"count\": 4, "            \
    "\"target\": \"n\", \"keys\": 3}]}"

/* ---- ShiViz ---------------------------------------------------------------------------------- */

static uint32_t node_called(const char *name)
{
    for (uint32_t i = 0; i < scenario.plan.node_count; i++) {
        if (strcmp(scenario.plan.nodes[i].name, name) == 0) {
            return i;
        }
    }
    cr_assert_fail("no node is called '%s'", name);
    return 0;
}

/* The clock of a line, by node; 0 for those it does not name. */
static void read_clock(const char *line, uint64_t *clock)
{
    const char *begin = strchr(line, '{');
    const char *end = begin ? strchr(begin, '}') : NULL;
    cr_assert(end, "%s", line);
    cJSON *json = cJSON_ParseWithLength(begin, (size_t)(end - begin) + 1);
    cr_assert(json, "%s", line);
    memset(clock, 0, NODES * sizeof *clock);
    const cJSON *entry;
    cJSON_ArrayForEach(entry, json)
    {
        cr_assert_gt(entry->valueint, 0);
        clock[node_called(entry->string)] = (uint64_t)entry->valueint;
    }
    cJSON_Delete(json);
}

/* The page refuses a log whose host does not count its own events one by one, or knows of an
 * event before it has happened. Answers the number of deliveries. */
static size_t expect_clocks(char *text, uint64_t seed)
{
    uint64_t latest[NODES][NODES] = {0};
    size_t deliveries = 0;
    char *rest = NULL;
    cr_assert_str_eq(strtok_r(text, "\n", &rest),
                     "(?<host>\\S+) (?<clock>\\{.*\\}) t=(?<date>\\d+) (?<event>.*)");
    cr_assert_str_eq(strtok_r(NULL, "\n", &rest), "=== (?<trace>.*) ===");
    cr_assert(strncmp(strtok_r(NULL, "\n", &rest), "=== seed ", 9) == 0);
    for (char *line; (line = strtok_r(NULL, "\n", &rest));) {
        char host[32];
        cr_assert_eq(sscanf(line, "%31s", host), 1);
        const uint32_t node = node_called(host);
        uint64_t clock[NODES];
        read_clock(line, clock);
        cr_assert_eq(clock[node], latest[node][node] + 1, "seed %" PRIu64 ": %s", seed, line);
        for (uint32_t i = 0; i < NODES; i++) {
            cr_assert_geq(clock[i], latest[node][i], "seed %" PRIu64 ": forgets: %s", seed, line);
            cr_assert(i == node || clock[i] <= latest[i][i], "seed %" PRIu64 ": foresees: %s", seed,
                      line);
        }
        if (strstr(line, " recv ")) { /* Of whom it hears, it knows something. */
            char *from = strstr(line, " from ");
            cr_assert(from);
            deliveries++;
            cr_assert_gt(clock[node_called(from + 6)], 0, "seed %" PRIu64 ": %s", seed, line);
        }
        memcpy(latest[node], clock, sizeof clock);
    }
    return deliveries;
}

/* Vector clocks keep ShiViz's rules, over lost and doubled messages, crashes and pauses. */
Test(export_trace, counts_vector_clocks_as_shiviz_wants)
{
    for (uint64_t seed = 1; seed <= 5; seed++) {
        record(MESSY, seed, RECORDING_TRACE);
        cr_assert_eq(scenario.plan.node_count, NODES);
        char *text = written(&(struct export_request){.format = EXPORT_SHIVIZ});
        cr_assert(text, "%s", error);
        struct sim_metrics metrics;
        sim_world_metrics(world, &metrics);
        cr_expect_eq(expect_clocks(text, seed), metrics.messages_delivered, "seed %" PRIu64, seed);
        free(text);
        forget();
    }
}

/* A part of the run alone keeps them as well: clocks begin with it. */
Test(export_trace, counts_vector_clocks_of_a_part)
{
    record(MESSY, 9, RECORDING_TRACE);
    char *text = written(&(struct export_request){
        .format = EXPORT_SHIVIZ, .from_ns = 1500 * SIM_MS, .to_ns = 1600 * SIM_MS});
    cr_assert(text, "%s", error);
    cr_expect(strstr(text, " t=15"));
    cr_expect_null(strstr(text, " t=14"));
    cr_expect_null(strstr(text, " t=16"));
    char *line = strstr(text, " recv ");
    cr_assert(line);
    text[strlen(text) - 1] = '\0';
    forget();
    free(text);
}

/* ---- Perfetto -------------------------------------------------------------------------------- */

struct slice {
    int pid, tid;
    uint64_t from_ns, to_ns;
};

struct drawn { /* What the JSON holds. */
    struct slice *slices;
    size_t slice_count;
    size_t flows, spans, instants, counters;
};

static const char *text_of(const cJSON *event, const char *name)
{
    const cJSON *text = cJSON_GetObjectItem(event, name);
    cr_assert(cJSON_IsString(text), "no %s in %s", name, cJSON_PrintUnformatted(event));
    return text->valuestring;
}

/* Microseconds with three decimals are exact in a double for runs of some seconds. */
static uint64_t ns_of(const cJSON *event, const char *name)
{
    const cJSON *number = cJSON_GetObjectItem(event, name);
    cr_assert(cJSON_IsNumber(number), "no %s in %s", name, cJSON_PrintUnformatted(event));
    return (uint64_t)(number->valuedouble * 1000 + 0.5);
}

static int int_of(const cJSON *event, const char *name)
{
    const cJSON *number = cJSON_GetObjectItem(event, name);
    cr_assert(cJSON_IsNumber(number), "no %s in %s", name, cJSON_PrintUnformatted(event));
    return number->valueint;
}

static bool in_a_slice(const struct drawn *d, const cJSON *event)
{
    for (size_t i = 0; i < d->slice_count; i++) {
        const struct slice *s = &d->slices[i];
        const uint64_t ns = ns_of(event, "ts");
        if (s->pid == int_of(event, "pid") && s->tid == int_of(event, "tid") && ns >= s->from_ns &&
            ns < s->to_ns) {
            return true;
        }
    }
    return false;
}

static const cJSON *find(const cJSON *from, const char *phase, const char *category,
                         const cJSON *id)
{
    for (; from; from = from->next) {
        const cJSON *other = cJSON_GetObjectItem(from, "id");
        if (other && strcmp(text_of(from, "ph"), phase) == 0 &&
            strcmp(text_of(from, "cat"), category) == 0 && cJSON_Compare(other, id, true)) {
            return from;
        }
    }
    return NULL;
}

static void read_event(struct drawn *d, const cJSON *event)
{
    const char phase = *text_of(event, "ph");
    cr_assert_gt(int_of(event, "tid"), 0, "0 would be taken for the process");
    cr_assert_gt(int_of(event, "pid"), 0);
    if (phase == 'M') {
        cr_assert(cJSON_GetObjectItem(event, "args"));
        return;
    }
    const uint64_t ns = ns_of(event, "ts");
    switch (phase) {
    case 'X':
        d->slices[d->slice_count++] = (struct slice){.pid = int_of(event, "pid"),
                                                     .tid = int_of(event, "tid"),
                                                     .from_ns = ns,
                                                     .to_ns = ns + ns_of(event, "dur")};
        cr_assert_gt(ns_of(event, "dur"), 0, "a flow finds no slice of no length");
        break;
    case 'i':
        cr_assert(strchr("gpt", *text_of(event, "s")));
        d->instants++;
        break;
    case 'C':
        cr_assert(cJSON_IsNumber(cJSON_GetObjectItem(event, "args")->child));
        d->counters++;
        break;
    default:
        cr_assert(strchr("sfbe", phase), "phase %c", phase);
        break;
    }
}

/* Flows end where they began, each within a slice; what overlaps is paired by its id. */
static void expect_pairs(struct drawn *d, const cJSON *events)
{
    for (const cJSON *event = events; event; event = event->next) {
        const char phase = *text_of(event, "ph");
        const cJSON *id = cJSON_GetObjectItem(event, "id");
        if (phase == 's' || phase == 'f') {
            const cJSON *other =
                phase == 's' ? find(event, "f", "message", id) : find(events, "s", "message", id);
            cr_assert(other, "half a flow: %s", cJSON_PrintUnformatted(event));
            cr_assert_str_eq(text_of(event, "name"), text_of(other, "name"));
            cr_assert(in_a_slice(d, event), "%s", cJSON_PrintUnformatted(event));
            d->flows += phase == 'f';
        }
        if (phase == 'b') {
            const cJSON *end = find(event, "e", text_of(event, "cat"), id);
            cr_assert(end, "no end: %s", cJSON_PrintUnformatted(event));
            cr_assert_geq(ns_of(end, "ts"), ns_of(event, "ts"));
            d->spans++;
        }
    }
}

/* On one track slices lie inside each other or apart. */
static void expect_nesting(const struct drawn *d)
{
    for (size_t i = 0; i < d->slice_count; i++) {
        for (size_t j = i + 1; j < d->slice_count; j++) {
            const struct slice *a = &d->slices[i];
            const struct slice *b = &d->slices[j];
            if (a->pid != b->pid || a->tid != b->tid) {
                continue;
            }
            const bool apart = a->to_ns <= b->from_ns || b->to_ns <= a->from_ns;
            const bool inside = (a->from_ns <= b->from_ns && b->to_ns <= a->to_ns) ||
                                (b->from_ns <= a->from_ns && a->to_ns <= b->to_ns);
            cr_assert(apart || inside, "%" PRIu64 "..%" PRIu64 " and %" PRIu64 "..%" PRIu64,
                      a->from_ns, a->to_ns, b->from_ns, b->to_ns);
        }
    }
}

static cJSON *drawn(const struct export_request *request, struct drawn *d)
{
    char *text = written(request);
    cr_assert(text, "%s", error);
    cJSON *json = cJSON_Parse(text);
    cr_assert(json, "it is no JSON");
    const cJSON *events = cJSON_GetObjectItem(json, "traceEvents");
    cr_assert(cJSON_IsArray(events));
    *d = (struct drawn){.slices =
                            calloc((size_t)cJSON_GetArraySize(events) + 1, sizeof(struct slice))};
    cr_assert(d->slices);
    const cJSON *event;
    cJSON_ArrayForEach(event, events)
    {
        read_event(d, event);
    }
    expect_pairs(d, events->child);
    expect_nesting(d);
    free(text);
    return json;
}

/* Every delivery is a flow, every operation a span, and each keeps the format's rules. */
Test(export_trace, draws_what_perfetto_reads)
{
    for (uint64_t seed = 1; seed <= 2; seed++) {
        record(MESSY, seed, RECORDING_TRACE);
        struct drawn d;
        cJSON *json = drawn(&(struct export_request){.format = EXPORT_PERFETTO}, &d);
        struct sim_metrics metrics;
        sim_world_metrics(world, &metrics);
        cr_expect_eq(d.flows, metrics.messages_delivered, "seed %" PRIu64, seed);
        cr_expect_geq(d.spans, metrics.operations + 2, "seed %" PRIu64 ": and two faults", seed);
        cr_expect_gt(d.instants, 0, "seed %" PRIu64, seed);
        cr_expect_gt(d.counters, 0, "seed %" PRIu64, seed);
        free(d.slices);
        cJSON_Delete(json);
        forget();
    }
}

/* A part of the run has no half of a message that lies outside. */
Test(export_trace, draws_a_part)
{
    record(MESSY, 3, RECORDING_TRACE);
    struct drawn whole;
    struct drawn part;
    cJSON *json = drawn(&(struct export_request){.format = EXPORT_PERFETTO}, &whole);
    cJSON_Delete(json);
    json = drawn(&(struct export_request){.format = EXPORT_PERFETTO,
                                          .from_ns = 800 * SIM_MS,
                                          .to_ns = 1200 * SIM_MS},
                 &part);
    cJSON_Delete(json);
    cr_expect_gt(part.flows, 10);
    cr_expect_lt(part.flows, whole.flows / 2);
    for (size_t i = 0; i < part.slice_count; i++) {
        cr_expect_geq(part.slices[i].from_ns, 800 * SIM_MS);
        cr_expect_leq(part.slices[i].to_ns, 1200 * SIM_MS + 1);
    }
    free(whole.slices);
    free(part.slices);
    forget();
}
