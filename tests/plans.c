#include "tests/plans.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

stage_watch_fn stage_watch;

/* ---- The node kind -------------------------------------------------------------------------- */

enum { FACT_HEARD, FACT_ASKED };

static const char *const messages[] = {"odd", "even", NULL};
static const struct sim_fact facts[] = {
    [FACT_HEARD] = {"heard", NULL}, [FACT_ASKED] = {"asked", NULL}};

#define NUMBER(field)                                                                              \
    {                                                                                              \
        .name = field, .type = SIM_SETTING_COUNT, .maximum = INT64_MAX                             \
    }
static const struct sim_setting settings[TALK_SETTING_COUNT] = {
    [TALK_TO] = NUMBER("to"),       [TALK_INTERVAL] = NUMBER("interval"),
    [TALK_COUNT] = NUMBER("count"), [TALK_SIZE] = NUMBER("size"),
    [TALK_BURST] = NUMBER("burst"), [TALK_ANSWER] = NUMBER("answer"),
    [TALK_HINT] = NUMBER("hint"),   [TALK_KEEPS] = NUMBER("keeps"),
};

static void tell(struct talker *t, struct sim_env *env)
{
    uint8_t bytes[65536];
    const uint32_t size = (uint32_t)sim_setting(env, TALK_SIZE);
    const uint64_t count = (uint64_t)sim_setting(env, TALK_COUNT);
    for (int64_t i = 0; i < sim_setting(env, TALK_BURST) && t->told < count; i++) {
        t->told++;
        sim_put64(bytes, t->told);
        for (uint32_t place = 8; place < size; place++) {
            bytes[place] = talk_byte(t->told, place);
        }
        /* The numbers are odd and even in turn, and so are the kinds. */
        sim_send(env, (uint32_t)sim_setting(env, TALK_TO), t->told % 2 == 0, bytes, size);
    }
    if (t->told < count) {
        sim_timer_set(env, 0, (uint64_t)sim_setting(env, TALK_INTERVAL));
    }
}

static void keep(struct talker *t, struct sim_env *env, const struct sim_event *event)
{
    const struct sim_label label = {t->heard, 0};
    (void)!sim_disk_write(env, 0, sim_disk_end(env, 0), event->data, event->size_bytes, label);
    if (t->heard % 2 == 0) {
        sim_disk_sync(env, t->heard);
    }
}

static void answer(struct talker *t, struct sim_env *env, const struct sim_operation *o)
{
    uint64_t *value = &t->values[o->key % TALK_KEYS];
    switch ((enum talk_answer)sim_setting(env, TALK_ANSWER)) {
    case TALK_STORES:
        if (o->function == SIM_CAS && *value != o->expected) {
            sim_reply(env, o->client, o->sequence, SIM_ANSWER_FAILED, 0);
            break;
        }
        *value = o->function == SIM_READ ? *value : o->value;
        sim_reply(env, o->client, o->sequence, SIM_ANSWER_OK, *value);
        break;
    case TALK_SILENT:
        break;
    case TALK_REFUSES:
        sim_reply(env, o->client, o->sequence, SIM_ANSWER_REFUSED, 0);
        break;
    case TALK_POINTS:
        sim_reply(env, o->client, o->sequence, SIM_ANSWER_NOT_LEADER,
                  (uint64_t)sim_setting(env, TALK_HINT));
        break;
    case TALK_FAILS:
        sim_reply(env, o->client, o->sequence, SIM_ANSWER_FAILED, 0);
        break;
    }
}

static void talker_event(void *state, struct sim_env *env, const struct sim_event *event)
{
    struct talker *t = state;
    if (stage_watch) {
        stage_watch(env, event);
    }
    switch ((enum sim_event_kind)event->kind) {
    case SIM_EVENT_BOOT:
        if (sim_setting(env, TALK_INTERVAL)) {
            sim_timer_set(env, 0, (uint64_t)sim_setting(env, TALK_INTERVAL));
        }
        break;
    case SIM_EVENT_TIMER:
        if (event->timer == 0) {
            tell(t, env);
        }
        break;
    case SIM_EVENT_MESSAGE:
        sim_publish(env, FACT_HEARD, (int64_t)++t->heard);
        if (sim_setting(env, TALK_KEEPS)) {
            keep(t, env, event);
        }
        break;
    case SIM_EVENT_OPERATION:
        sim_publish(env, FACT_ASKED, (int64_t)++t->asked);
        answer(t, env, event->operation);
        break;
    default:
        break;
    }
}

#define TALKER(kind_name, ...)                                                                     \
    {                                                                                              \
        .name = (kind_name), .state_bytes = sizeof(struct talker), .event = talker_event,          \
        .message_names = messages, .settings = settings, .setting_count = TALK_SETTING_COUNT,      \
        .facts = facts, .fact_count = 2, __VA_ARGS__                                               \
    }

const struct sim_node_kind talker_kind = TALKER("talker", .streams = false);
const struct sim_node_kind talker_streams_kind = TALKER("talker_streams", .streams = true);

/* ---- Plans ---------------------------------------------------------------------------------- */

static void *table(size_t count, size_t element_bytes)
{
    void *memory = calloc(count ? count : 1, element_bytes);
    cr_assert_not_null(memory);
    return memory;
}

/* Append a zeroed element to an array of the plan. */
static void *append(void *array_pointer, uint32_t *count, size_t element_bytes)
{
    void *old;
    memcpy(&old, array_pointer, sizeof old);
    uint8_t *bigger = realloc(old, (*count + 1) * element_bytes);
    cr_assert_not_null(bigger);
    memcpy(array_pointer, &bigger, sizeof bigger);
    uint8_t *element = bigger + *count * element_bytes;
    memset(element, 0, element_bytes);
    (*count)++;
    return element;
}

static void add_zones(struct sim_plan *p)
{
    p->zone_count = 2;
    p->zones = table(2, sizeof *p->zones);
    strcpy(p->zones[0].name, "z0");
    strcpy(p->zones[1].name, "z1");
    p->region_count = 1;
    p->regions = table(1, sizeof *p->regions);
    strcpy(p->regions[0], "r");
    p->base_ns = table(4, sizeof *p->base_ns);
    p->price_nano_per_gb = table(4, sizeof *p->price_nano_per_gb);
}

static void add_workload(struct sim_plan *p, uint32_t servers, uint32_t clients)
{
    p->workload_count = 1;
    p->workloads = table(1, sizeof *p->workloads);
    p->workloads[0] = (struct sim_workload){.name = "w",
                                            .first_client = servers,
                                            .client_count = clients,
                                            .interval = constant(SIM_MS),
                                            .weight = {[SIM_READ] = 1, [SIM_WRITE] = 1},
                                            .key_count = 4,
                                            .timeout_ns = 100 * SIM_MS,
                                            .attempts = 3,
                                            .backoff = constant(10 * SIM_MS),
                                            .follow_leader = true,
                                            .stick = true,
                                            .stop_ns = SIM_NEVER};
}

void stage_plan(struct stage *s, uint32_t servers, uint32_t clients)
{
    memset(s, 0, sizeof *s);
    s->sink.kinds = UINT32_MAX;
    struct sim_plan *p = &s->plan;
    sim_plan_init(p);
    p->duration_ns = 60 * SIM_S;
    p->memory_bytes = (size_t)64 << 20;
    add_zones(p);
    p->group_count = 1;
    p->groups = table(1, sizeof *p->groups);
    p->groups[0] = (struct sim_plan_group){.name = "g", .node_count = servers};
    p->node_count = servers + clients;
    p->nodes = table(p->node_count, sizeof *p->nodes);
    for (uint32_t i = 0; i < p->node_count; i++) {
        struct sim_plan_node *node = &p->nodes[i];
        const bool server = i < servers;
        snprintf(node->name, SIM_NAME_MAX, "%c%u", server ? 'n' : 'c', server ? i : i - servers);
        node->kind = server ? &talker_kind : NULL;
        sim_host_knobs_init(&node->host);
        stage_set(s, i, TALK_BURST, 1);
        stage_set(s, i, TALK_SIZE, 8);
    }
    if (clients > 0) {
        add_workload(p, servers, clients);
    }
}

void stage_streams(struct stage *s)
{
    for (uint32_t i = 0; i < s->plan.node_count; i++) {
        s->plan.nodes[i].kind = s->plan.nodes[i].kind ? &talker_streams_kind : NULL;
    }
}

void stage_set(struct stage *s, uint32_t node, uint32_t setting, int64_t value)
{
    s->plan.nodes[node].settings[setting] = (struct sim_value){value, value};
}

void stage_talk(struct stage *s, uint32_t from, uint32_t to, uint64_t interval_ns, uint64_t count,
                uint32_t size_bytes)
{
    stage_set(s, from, TALK_TO, to);
    stage_set(s, from, TALK_INTERVAL, (int64_t)interval_ns);
    stage_set(s, from, TALK_COUNT, (int64_t)count);
    stage_set(s, from, TALK_SIZE, size_bytes);
}

void stage_select(struct sim_selection *selection, uint32_t node)
{
    selection->selectors[selection->count++] =
        (struct sim_selector){.kind = SIM_SELECT_NODE, .index = node};
}

static void select_end(struct sim_selection *selection, uint32_t node)
{
    if (node != SIM_NOBODY) {
        stage_select(selection, node);
        return;
    }
    selection->selectors[0].kind = SIM_SELECT_ALL;
    selection->selectors[1].kind = SIM_SELECT_CLIENTS;
    selection->count = 2;
}

struct sim_link_knobs *stage_link(struct stage *s, uint32_t from, uint32_t to,
                                  enum sim_link_field field)
{
    struct sim_link_rule *rule = append(&s->plan.links, &s->plan.link_count, sizeof *rule);
    select_end(&rule->from, from);
    select_end(&rule->to, to);
    rule->change.fields = 1u << field;
    sim_link_knobs_init(&rule->change.knobs);
    return &rule->change.knobs;
}

struct sim_fault *stage_fault(struct stage *s, enum sim_fault_kind kind, uint32_t node,
                              uint64_t at_ns, uint64_t for_ns)
{
    struct sim_fault *f = append(&s->plan.faults, &s->plan.fault_count, sizeof *f);
    *f = (struct sim_fault){
        .kind = kind, .at_ns = at_ns, .for_ns = for_ns, .administrator = SIM_NOBODY};
    if (node != SIM_NOBODY) {
        stage_select(&f->targets, node);
    }
    return f;
}

void stage_cut(struct stage *s, uint32_t one, uint32_t other, uint64_t at_ns, uint64_t for_ns)
{
    stage_select(&stage_fault(s, SIM_FAULT_PARTITION, one, at_ns, for_ns)->peers, other);
}

void stage_fate(struct stage *s, uint32_t from, uint32_t to, uint32_t message_kind,
                enum sim_fate_action action, uint64_t ordinal, uint64_t delay_ns)
{
    struct sim_fate_override *fate = append(&s->plan.fates, &s->plan.fate_count, sizeof *fate);
    *fate = (struct sim_fate_override){.from = from,
                                       .to = to,
                                       .message_kind = message_kind,
                                       .action = action,
                                       .ordinal = ordinal,
                                       .delay_ns = delay_ns};
}

void stage_busy(struct stage *s)
{
    for (uint32_t i = 0; i < 3; i++) {
        struct sim_host_knobs *host = &s->plan.nodes[i].host;
        stage_talk(s, i, (i + 1) % 3, 3 * SIM_MS, 100000, 40);
        stage_set(s, i, TALK_KEEPS, 1);
        host->disk.sync_latency = uniform(SIM_MS, 9 * SIM_MS);
        host->clock.sync_interval_ns = SIM_S;
        host->clock.sync_error = uniform(0, SIM_MS);
    }
    stage_link(s, ANY, ANY, SIM_LINK_LATENCY)->latency = uniform(SIM_MS, 30 * SIM_MS);
    stage_link(s, ANY, ANY, SIM_LINK_LOSS)->loss_ppm = 100000;
    stage_link(s, ANY, ANY, SIM_LINK_DUPLICATE)->duplicate_ppm = 100000;
}

/* ---- Running -------------------------------------------------------------------------------- */

static void keep_record(void *context, const struct sim_record *record)
{
    struct stage *s = context;
    if (s->record_count == s->record_capacity) {
        s->record_capacity = s->record_capacity ? 2 * s->record_capacity : 1024;
        s->records = realloc(s->records, s->record_capacity * sizeof *s->records);
        cr_assert_not_null(s->records);
    }
    s->records[s->record_count++] = *record;
}

void stage_begin(struct stage *s, uint64_t seed)
{
    const char *problem = sim_plan_problem(&s->plan);
    cr_assert_null(problem, "%s", problem);
    if (!s->arena) {
        s->arena = sim_arena_new(s->plan.memory_bytes);
        cr_assert_not_null(s->arena);
    }
    sim_arena_reset(s->arena);
    s->record_count = 0;
    s->sink.context = s;
    s->sink.record = keep_record;
    cr_assert_eq(sim_world_new(&s->world, s->arena, &s->plan, seed, &s->sink), SIM_OK);
}

void stage_run(struct stage *s, uint64_t seed)
{
    stage_begin(s, seed);
    cr_assert_eq(sim_world_run(s->world, SIM_NEVER), SIM_STOP_END, "seed %llu", LLU(seed));
    sim_world_metrics(s->world, &s->metrics);
}

void stage_end(struct stage *s)
{
    sim_arena_free(s->arena);
    sim_plan_release(&s->plan);
    free(s->records);
    memset(s, 0, sizeof *s);
}

/* ---- Looking -------------------------------------------------------------------------------- */

const struct sim_record *stage_next(const struct stage *s, size_t *place, uint32_t kind,
                                    uint32_t node, uint32_t peer)
{
    while (*place < s->record_count) {
        const struct sim_record *r = &s->records[(*place)++];
        if (r->kind == kind && (node == ANY || r->node == node) &&
            (peer == ANY || r->peer == peer)) {
            return r;
        }
    }
    return NULL;
}

size_t stage_count(const struct stage *s, uint32_t kind, uint32_t node, uint32_t peer)
{
    size_t count = 0;
    for (size_t place = 0; stage_next(s, &place, kind, node, peer);) {
        count++;
    }
    return count;
}

uint64_t stage_flagged(const struct stage *s, uint64_t fate)
{
    uint64_t count = 0;
    const struct sim_record *r;
    for (size_t place = 0; (r = stage_next(s, &place, SIM_REC_SEND, 0, 1));) {
        count += record_has(r, fate);
    }
    return count;
}

bool is_chance(uint64_t seen, uint64_t tries, uint64_t ppm)
{
    const double p = (double)ppm / (double)SIM_PPM;
    const double off = (double)seen - p * (double)tries;
    return off * off <= 25 * p * (1 - p) * (double)tries;
}
