/* A small real world with a scripted node kind, for the tests of faults: bench_plan() makes a
 * plan, a test adds faults to it, bench_world() builds it and bench_until() runs it. */
#ifndef TEST_FAULT_BENCH_H
#define TEST_FAULT_BENCH_H

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "sim/fault_internal.h"

/* ---- A tiny node kind -------------------------------------------------------------------- */

enum { FACT_ROLE, FACT_TERM, FACT_LEVEL, FACT_ASKED };
enum { SET_TALKS, SET_LEADS_AT, SET_TERM, SET_LEVEL };

static const char *const roles[] = {"follower", "leader", NULL};
static const struct sim_fact facts[] = {
    {"role", roles}, {"term", NULL}, {"level", NULL}, {"asked", NULL}};
static const char *const messages[] = {"ping", NULL};
#define PEERS UINT64_C(10000000000000) /* What a bit set of peers is multiplied with. */
static const char *const commands[] = {"step_down", "transfer", NULL};
static const struct sim_setting settings[] = {
    {.name = "talks", .type = SIM_SETTING_BOOL, .maximum = 1},
    {.name = "leads_at", .type = SIM_SETTING_COUNT, .maximum = 1000000},
    {.name = "term", .type = SIM_SETTING_COUNT, .maximum = 100},
    {.name = "level", .type = SIM_SETTING_COUNT, .maximum = 100},
};

/* Pings everybody of its group every 10 ms if it talks; calls itself leader `leads_at` ms
 * after its boot, if that is not 0; publishes its level, and who a command named. */
static inline void probe_event(void *state, struct sim_env *env, const struct sim_event *event)
{
    (void)state;
    switch (event->kind) {
    case SIM_EVENT_BOOT:
        sim_publish(env, FACT_TERM, sim_setting(env, SET_TERM));
        if (sim_setting(env, SET_LEADS_AT)) {
            sim_timer_set(env, 1, (uint64_t)sim_setting(env, SET_LEADS_AT) * SIM_MS);
        }
        sim_timer_set(env, 0, 10 * SIM_MS);
        break;
    case SIM_EVENT_TIMER:
        if (event->timer == 1) {
            sim_publish(env, FACT_ROLE, 1);
            break;
        }
        for (uint32_t i = 0; sim_setting(env, SET_TALKS) && i < sim_group_size(env); i++) {
            if (sim_group_member(env, i) != sim_self(env)) {
                sim_send(env, sim_group_member(env, i), 0, "ping", 4);
            }
        }
        sim_timer_set(env, 0, 10 * SIM_MS);
        break;
    case SIM_EVENT_CONFIGURE:
        sim_publish(env, FACT_LEVEL, sim_setting(env, SET_LEVEL));
        break;
    case SIM_EVENT_COMMAND:
        sim_publish(
            env, FACT_ASKED,
            (int64_t)(event->command * UINT64_C(1000) + event->from + event->peers * PEERS));
        break;
    default:
        break;
    }
}

static struct sim_view probe_says; /* What every probe shows; by default nothing. */
static const void *probe_apart;    /* But for this one's state, */
static struct sim_view probe_apart_says;

static inline void probe_view(const void *state, struct sim_view *view)
{
    *view = state == probe_apart ? probe_apart_says : probe_says;
    view->vote = SIM_NOBODY;
}

static inline bool probe_entry(const void *state, uint64_t index, struct sim_entry_id *id)
{
    (void)state;
    (void)index;
    (void)id;
    return false;
}

static inline void probe_progress(const void *state, uint32_t first, uint32_t count,
                                  struct sim_progress *peers)
{
    (void)state;
    (void)first;
    (void)count;
    (void)peers;
}

static const void *probe_halted; /* The state of one that has stopped for good. */

static inline bool probe_has_halted(const void *state)
{
    return state == probe_halted;
}

static inline size_t probe_items(const void *state)
{
    (void)state;
    return 0;
}

static const struct sim_replica probe_replica = {.count = probe_items, .halted = probe_has_halted};
static const struct sim_consensus probe_consensus = {
    .view = probe_view, .entry = probe_entry, .progress = probe_progress};
static const struct sim_node_kind probe = {.name = "probe",
                                           .state_bytes = 16,
                                           .event = probe_event,
                                           .message_names = messages,
                                           .settings = settings,
                                           .setting_count = 4,
                                           .facts = facts,
                                           .fact_count = 4,
                                           .commands = commands,
                                           .consensus = &probe_consensus,
                                           .replica = &probe_replica};

/* ---- A plan and a world ------------------------------------------------------------------ */

#define RECORDS_MAX 200000

/* Everything of one run. Released by bench_end(). */
struct bench {
    struct sim_plan plan;
    struct sim_arena *arena;
    struct sim_world *world;
    struct sim_sink sink;
    struct sim_record *records;
    size_t record_count;
};

static inline void keep_record(void *context, const struct sim_record *record)
{
    struct bench *b = context;
    cr_assert_lt(b->record_count, RECORDS_MAX);
    b->records[b->record_count++] = *record;
}

/* `sizes` ends with 0: one group of probes for each; then clients of the first group. */
static inline void bench_plan(struct bench *b, const uint32_t *sizes, uint32_t clients)
{
    memset(b, 0, sizeof *b);
    struct sim_plan *p = &b->plan;
    sim_plan_init(p);
    p->duration_ns = 10 * SIM_S;
    p->memory_bytes = (size_t)64 << 20;
    p->zone_count = 2;
    p->zones = calloc(2, sizeof *p->zones);
    p->region_count = 2;
    p->regions = calloc(2, sizeof *p->regions);
    p->base_ns = calloc(4, sizeof *p->base_ns);
    for (uint32_t i = 0; i < 2; i++) {
        snprintf(p->zones[i].name, SIM_NAME_MAX, "z%u", i);
        snprintf(p->regions[i], SIM_NAME_MAX, "r%u", i);
        p->zones[i].region = i;
    }
    for (uint32_t i = 0; i < 4; i++) {
        p->base_ns[i] = (i + 1) * SIM_MS;
    }
    while (sizes[p->group_count]) {
        p->node_count += sizes[p->group_count++];
    }
    const uint32_t servers = p->node_count;
    p->node_count += clients;
    p->groups = calloc(p->group_count, sizeof *p->groups);
    p->nodes = calloc(p->node_count, sizeof *p->nodes);
    p->workload_count = clients > 0;
    p->workloads = calloc(1, sizeof *p->workloads);
    uint32_t next = 0;
    for (uint32_t g = 0; g < p->group_count; g++) {
        snprintf(p->groups[g].name, SIM_NAME_MAX, "g%u", g);
        p->groups[g].first_node = next;
        p->groups[g].node_count = sizes[g];
        for (uint32_t i = 0; i < sizes[g]; i++, next++) {
            struct sim_plan_node *n = &p->nodes[next];
            snprintf(n->name, SIM_NAME_MAX, "g%u_%u", g, i);
            n->kind = &probe;
            n->group = g;
            sim_host_knobs_init(&n->host);
            n->settings[SET_TALKS] = (struct sim_value){1, 1};
        }
    }
    for (; next < p->node_count; next++) {
        snprintf(p->nodes[next].name, SIM_NAME_MAX, "c%u", next - servers);
        sim_host_knobs_init(&p->nodes[next].host);
    }
    p->workloads[0] = (struct sim_workload){.name = "w",
                                            .first_client = servers,
                                            .client_count = clients,
                                            .interval = {.a = SIM_S},
                                            .weight = {1, 0, 0},
                                            .key_count = 1,
                                            .timeout_ns = SIM_S,
                                            .attempts = 1,
                                            .stop_ns = SIM_NEVER};
}

static inline struct sim_fault *bench_fault(struct bench *b, uint32_t kind, uint64_t at_ms,
                                            uint64_t for_ms)
{
    struct sim_plan *p = &b->plan;
    p->faults = realloc(p->faults, (p->fault_count + 1) * sizeof *p->faults);
    struct sim_fault *f = &p->faults[p->fault_count++];
    memset(f, 0, sizeof *f);
    f->kind = kind;
    f->at_ns = at_ms * SIM_MS;
    f->for_ns = for_ms * SIM_MS;
    f->administrator = SIM_NOBODY;
    sim_link_knobs_init(&f->link.knobs);
    return f;
}

static inline void add(struct sim_selection *s, uint32_t kind, uint32_t index)
{
    s->selectors[s->count++] = (struct sim_selector){kind, index};
}

/* A fault of one node. */
static inline struct sim_fault *bench_fault_on(struct bench *b, uint32_t kind, uint64_t at_ms,
                                               uint64_t for_ms, uint32_t node)
{
    struct sim_fault *f = bench_fault(b, kind, at_ms, for_ms);
    add(&f->targets, SIM_SELECT_NODE, node);
    return f;
}

static inline struct sim_swarm_rule *bench_rule(struct bench *b, uint32_t family,
                                                uint64_t interval_ms)
{
    struct sim_plan *p = &b->plan;
    p->swarm = realloc(p->swarm, (p->swarm_count + 1) * sizeof *p->swarm);
    struct sim_swarm_rule *r = &p->swarm[p->swarm_count++];
    memset(r, 0, sizeof *r);
    r->family = family;
    r->interval = (struct sim_dist){.kind = SIM_DIST_EXPONENTIAL, .a = interval_ms * SIM_MS};
    r->length = (struct sim_dist){.kind = SIM_DIST_EXPONENTIAL, .a = 300 * SIM_MS};
    r->length_min_ns = 50 * SIM_MS;
    r->strength_ppm = 500000;
    r->amount = (struct sim_dist){.kind = SIM_DIST_UNIFORM, .a = SIM_MS, .b = 50 * SIM_MS};
    return r;
}

static inline void bench_world(struct bench *b, uint64_t seed)
{
    cr_assert_null(sim_plan_problem(&b->plan), "%s", sim_plan_problem(&b->plan));
    if (!b->arena) {
        b->arena = sim_arena_new(b->plan.memory_bytes);
        b->records = calloc(RECORDS_MAX, sizeof *b->records);
        cr_assert(b->arena && b->records);
        b->sink = (struct sim_sink){.context = b, .record = keep_record};
    }
    sim_arena_reset(b->arena);
    b->record_count = 0;
    cr_assert_eq(sim_world_new(&b->world, b->arena, &b->plan, seed, &b->sink), SIM_OK);
}

static inline void bench_until(struct bench *b, uint64_t ms)
{
    cr_assert_eq(sim_world_run(b->world, ms * SIM_MS), SIM_STOP_TIME);
}

static inline void bench_end(struct bench *b)
{
    sim_plan_release(&b->plan);
    sim_arena_free(b->arena);
    free(b->records);
}

static inline bool is_cut(const struct bench *b, uint32_t from, uint32_t to)
{
    return sim_net_is_cut(b->world, from, to);
}

static inline uint32_t cut_count(const struct bench *b)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < b->world->node_count * b->world->node_count; i++) {
        count += b->world->cuts[i] != 0;
    }
    return count;
}
/* A swarm of everything. */
static inline void everything(struct bench *b)
{
    for (uint32_t family = 0; family < SIM_SWARM_FAMILY_COUNT; family++) {
        struct sim_swarm_rule *r = bench_rule(b, family, 200);
        r->crash_majority = true;
        r->off_ppm = 300000;
    }
}

#endif
