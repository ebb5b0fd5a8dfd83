#include "sim/fault_internal.h"

#include <criterion/criterion.h>
#include <stdlib.h>

/* ---- A tiny node kind -------------------------------------------------------------------- */

enum { FACT_ROLE, FACT_TERM, FACT_LEVEL, FACT_ASKED };
enum { SET_TALKS, SET_LEADS_AT, SET_TERM, SET_LEVEL };

static const char *const roles[] = {"follower", "leader", NULL};
static const struct sim_fact facts[] = {
    {"role", roles}, {"term", NULL}, {"level", NULL}, {"asked", NULL}};
static const char *const messages[] = {"ping", NULL};
static const char *const commands[] = {"step_down", "transfer", NULL};
static const struct sim_setting settings[] = {
    {.name = "talks", .type = SIM_SETTING_BOOL, .maximum = 1},
    {.name = "leads_at", .type = SIM_SETTING_COUNT, .maximum = 1000000},
    {.name = "term", .type = SIM_SETTING_COUNT, .maximum = 100},
    {.name = "level", .type = SIM_SETTING_COUNT, .maximum = 100},
};

/* Pings everybody of its group every 10 ms if it talks; calls itself leader `leads_at` ms
 * after its boot, if that is not 0; publishes its level, and who a command named. */
static void probe_event(void *state, struct sim_env *env, const struct sim_event *event)
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
        sim_publish(env, FACT_ASKED, (int64_t)event->command * 1000 + event->from);
        break;
    default:
        break;
    }
}

static void probe_view(const void *state, struct sim_view *view)
{
    (void)state;
    memset(view, 0, sizeof *view);
    view->vote = SIM_NOBODY;
}

static bool probe_entry(const void *state, uint64_t index, struct sim_entry_id *id)
{
    (void)state;
    (void)index;
    (void)id;
    return false;
}

static bool probe_progress(const void *state, uint32_t peer, uint64_t *match, uint64_t *next)
{
    (void)state;
    (void)peer;
    (void)match;
    (void)next;
    return false;
}

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
                                           .consensus = &probe_consensus};

/* ---- A plan and a world -------------------------------------------------------------------- */

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

static void keep_record(void *context, const struct sim_record *record)
{
    struct bench *b = context;
    cr_assert_lt(b->record_count, RECORDS_MAX);
    b->records[b->record_count++] = *record;
}

/* `sizes` ends with 0: one group of probes for each; then clients of the first group. */
static void bench_plan(struct bench *b, const uint32_t *sizes, uint32_t clients)
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

static struct sim_fault *bench_fault(struct bench *b, uint32_t kind, uint64_t at_ms,
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

static void add(struct sim_selection *s, uint32_t kind, uint32_t index)
{
    s->selectors[s->count++] = (struct sim_selector){kind, index};
}

/* A fault of one node. */
static struct sim_fault *bench_fault_on(struct bench *b, uint32_t kind, uint64_t at_ms,
                                        uint64_t for_ms, uint32_t node)
{
    struct sim_fault *f = bench_fault(b, kind, at_ms, for_ms);
    add(&f->targets, SIM_SELECT_NODE, node);
    return f;
}

static struct sim_swarm_rule *bench_rule(struct bench *b, uint32_t family, uint64_t interval_ms)
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

static void bench_world(struct bench *b, uint64_t seed)
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

static void bench_until(struct bench *b, uint64_t ms)
{
    cr_assert_eq(sim_world_run(b->world, ms * SIM_MS), SIM_STOP_TIME);
}

static void bench_end(struct bench *b)
{
    sim_plan_release(&b->plan);
    sim_arena_free(b->arena);
    free(b->records);
}

static bool is_cut(const struct bench *b, uint32_t from, uint32_t to)
{
    return sim_net_is_cut(b->world, from, to);
}

static uint32_t cut_count(const struct bench *b)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < b->world->node_count * b->world->node_count; i++) {
        count += b->world->cuts[i] != 0;
    }
    return count;
}

/* ---- Each effect, and its undoing --------------------------------------------------------- */

/* What one node is like now, of what faults can change; loss of its link to node 1. */
static int64_t look(const struct bench *b, uint32_t kind)
{
    const struct sim_env *env = &b->world->nodes[0];
    struct sim_link_knobs knobs;
    switch (kind) {
    case SIM_FAULT_CRASH:
    case SIM_FAULT_WIPE:
        return env->up;
    case SIM_FAULT_LEAVE:
        return env->up && !env->absent;
    case SIM_FAULT_PAUSE:
        return env->paused;
    case SIM_FAULT_SLOW:
        return env->cpu.speed_ppm;
    case SIM_FAULT_DISK:
        return env->disk_knobs.sync_error_ppm;
    case SIM_FAULT_CLOCK_DRIFT:
        return env->clock.drift_ppb;
    case SIM_FAULT_MOVE:
        return env->zone;
    case SIM_FAULT_ADMIN_SET:
        return env->facts[FACT_LEVEL];
    case SIM_FAULT_LINK:
        sim_link_knobs_init(&knobs);
        sim_faults_overlay(b->world, 0, 1, &knobs);
        cr_expect_eq(env->links[1]->set->knobs.loss_ppm, knobs.loss_ppm,
                     "a link already in use must be told");
        return knobs.loss_ppm;
    default:
        return is_cut(b, 0, 1);
    }
}

/* Two faults on one node overlap; each end gives back exactly what is left to be, whichever
 * ends first. */
Test(fault, overlapping_faults_end_in_either_order)
{
    /* Values before, under the first, under the second. */
    const struct {
        uint32_t kind;
        int64_t none, first, second;
    } cases[] = {
        {SIM_FAULT_CRASH, 1, 0, 0},
        {SIM_FAULT_WIPE, 1, 0, 0},
        {SIM_FAULT_LEAVE, 1, 0, 0},
        {SIM_FAULT_PAUSE, 0, 1, 1},
        {SIM_FAULT_SLOW, 1000000, 500, 700},
        {SIM_FAULT_DISK, 0, 500, 700},
        {SIM_FAULT_CLOCK_DRIFT, 20, 520, 720},
        {SIM_FAULT_MOVE, 0, 1, 0},
        {SIM_FAULT_ADMIN_SET, 3, 5, 7},
        {SIM_FAULT_LINK, 0, 500, 700},
        {SIM_FAULT_PARTITION, 0, 1, 1},
        {SIM_FAULT_FIREWALL, 0, 1, 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (uint32_t first_ends_first = 0; first_ends_first < 2; first_ends_first++) {
            struct bench b;
            bench_plan(&b, (const uint32_t[]){3, 0}, 1);
            b.plan.nodes[0].host.clock.drift_ppb = 20;
            b.plan.nodes[0].settings[SET_LEVEL] = (struct sim_value){3, 3};
            for (uint32_t k = 0; k < 2; k++) {
                const uint64_t for_ms = (k == 0) == (first_ends_first == 1) ? 2000 : 4000;
                struct sim_fault *f = bench_fault_on(&b, cases[i].kind, 1000 + 500 * k, for_ms, 0);
                const uint32_t value = k ? 700 : 500;
                f->speed_ppm = value;
                f->amount = cases[i].kind == SIM_FAULT_CLOCK_DRIFT ? value : 0;
                f->index = cases[i].kind == SIM_FAULT_MOVE ? !k : SET_LEVEL;
                f->value = (struct sim_value){value / 100, value / 100};
                f->link.fields = 1u << SIM_LINK_LOSS;
                f->link.knobs.loss_ppm = value;
                f->disk.fields = 1u << SIM_DISK_SYNC_ERROR;
                f->disk.knobs.sync_error_ppm = value;
            }
            bench_world(&b, 1);
            const int64_t late = first_ends_first ? cases[i].second : cases[i].first;
            bench_until(&b, 900);
            if (cases[i].kind != SIM_FAULT_ADMIN_SET) { /* Publishes when it is configured. */
                cr_expect_eq(look(&b, cases[i].kind), cases[i].none, "case %zu", i);
            }
            bench_until(&b, 1200);
            cr_expect_eq(look(&b, cases[i].kind), cases[i].first, "case %zu", i);
            bench_until(&b, 1700);
            cr_expect_eq(look(&b, cases[i].kind), cases[i].second, "case %zu", i);
            bench_until(&b, 3900); /* One has ended: at 3000 or at 3500. */
            cr_expect_eq(look(&b, cases[i].kind), late, "case %zu, order %u", i, first_ends_first);
            bench_until(&b, 6000); /* The other one too: at 5500 or at 5000. */
            cr_expect_eq(look(&b, cases[i].kind), cases[i].none, "case %zu, order %u: %ld", i,
                         first_ends_first, (long)look(&b, cases[i].kind));
            bench_end(&b);
        }
    }
}

/* A crash gives back only the life it ended: not one that another fault ended later. */
Test(fault, a_crash_does_not_undo_a_later_crash)
{
    struct bench b;
    bench_plan(&b, (const uint32_t[]){3, 0}, 0);
    bench_fault_on(&b, SIM_FAULT_CRASH, 1000, 4000, 0);
    bench_fault_on(&b, SIM_FAULT_RESTART, 2000, 0, 0);
    bench_fault_on(&b, SIM_FAULT_CRASH, 3000, 0, 0);
    bench_world(&b, 1);
    bench_until(&b, 2500);
    cr_expect(b.world->nodes[0].up);
    bench_until(&b, 6000);
    cr_expect_not(b.world->nodes[0].up, "the second crash has no end");
    bench_end(&b);
}

/* A restart stops a running node cleanly and boots it again; a crashed one it boots. */
Test(fault, a_restart_ends_in_a_new_life)
{
    struct bench b;
    bench_plan(&b, (const uint32_t[]){2, 0}, 0);
    bench_fault_on(&b, SIM_FAULT_RESTART, 1000, 0, 0);
    bench_world(&b, 1);
    b.sink.kinds = 1u << SIM_REC_LEAVE | 1u << SIM_REC_BOOT | 1u << SIM_REC_CRASH;
    bench_until(&b, 1);
    b.record_count = 0;
    bench_until(&b, 2000);
    cr_assert_eq(b.record_count, 2);
    cr_expect_eq(b.records[0].kind, SIM_REC_LEAVE);
    cr_expect_eq(b.records[1].kind, SIM_REC_BOOT);
    cr_expect(b.world->nodes[0].up);
    bench_end(&b);
}

/* A wiped node has lost what it had synced; a crashed one has not. */
Test(fault, only_a_wipe_empties_the_disk)
{
    for (uint32_t wipe = 0; wipe < 2; wipe++) {
        struct bench b;
        bench_plan(&b, (const uint32_t[]){2, 0}, 0);
        bench_fault_on(&b, wipe ? SIM_FAULT_WIPE : SIM_FAULT_CRASH, 1000, 100, 0);
        bench_world(&b, 1);
        bench_until(&b, 500);
        struct sim_disk *disk = b.world->nodes[0].disk;
        uint64_t done_ns;
        uint64_t token;
        uint32_t synced;
        cr_assert_eq(sim_disk_do_write(disk, 0, 0, "x", 1, (struct sim_label){1, 1}), SIM_OK);
        cr_assert_eq(sim_disk_begin_sync(disk, 500 * SIM_MS, 1, &done_ns), SIM_OK);
        cr_assert_eq(sim_disk_finish_sync(disk, &token, &synced), SIM_OK);
        bench_until(&b, 2000);
        cr_expect(b.world->nodes[0].up);
        cr_expect_eq(sim_disk_cached(disk, 0, 0, NULL) == NULL, wipe == 1);
        bench_end(&b);
    }
}

/* A node that is absent joins, leaves when that is undone, and can join again. Nobody else
 * can name it meanwhile. */
Test(fault, a_node_joins_and_leaves)
{
    struct bench b;
    bench_plan(&b, (const uint32_t[]){3, 0}, 0);
    b.plan.nodes[2].absent = true;
    bench_fault_on(&b, SIM_FAULT_PAUSE, 500, 100, 2);
    struct sim_fault *f = bench_fault_on(&b, SIM_FAULT_JOIN, 1000, 500, 2);
    f->every_ns = SIM_S;
    bench_world(&b, 1);
    b.sink.kinds = 1u << SIM_REC_FAULT;
    bench_until(&b, 900);
    cr_expect_eq(b.record_count, 1, "an absent node is nobody");
    cr_expect_eq(b.records[0].node, SIM_NOBODY);
    const bool expected[] = {true, false, true, false};
    for (uint32_t i = 0; i < 4; i++) {
        bench_until(&b, 1100 + 500 * i);
        cr_expect_eq(b.world->nodes[2].up, expected[i]);
        cr_expect_eq(b.world->nodes[2].absent, !expected[i]);
    }
    bench_end(&b);
}

/* A step moves the wall clock alone; a synchronisation takes it back to true time. */
Test(fault, clocks_step_and_synchronise)
{
    struct bench b;
    bench_plan(&b, (const uint32_t[]){2, 0}, 1);
    for (uint32_t node = 0; node < 3; node += 2) { /* A server and a client. */
        bench_fault_on(&b, SIM_FAULT_CLOCK_STEP, 1000, 0, node)->amount = 7 * (int64_t)SIM_S;
        bench_fault_on(&b, SIM_FAULT_CLOCK_SYNC, 2000, 0, node);
    }
    bench_world(&b, 1);
    for (uint32_t node = 0; node < 3; node += 2) {
        const struct sim_clock *clock = &b.world->nodes[node].clock;
        bench_until(&b, 1500 + 10 * node);
        cr_expect_eq(sim_clock_wall_ns(clock, 1600 * SIM_MS), 8600 * SIM_MS);
        cr_expect_eq(sim_clock_monotonic_ns(clock, 1600 * SIM_MS), 1600 * SIM_MS);
    }
    bench_until(&b, 2500);
    cr_expect_eq(sim_clock_wall_ns(&b.world->nodes[0].clock, 2600 * SIM_MS), 2600 * SIM_MS);
    cr_expect_eq(sim_clock_wall_ns(&b.world->nodes[2].clock, 2600 * SIM_MS), 2600 * SIM_MS);
    bench_end(&b);
}

/* A new address is a new one each time. */
Test(fault, a_node_is_readdressed)
{
    struct bench b;
    bench_plan(&b, (const uint32_t[]){2, 0}, 0);
    bench_fault_on(&b, SIM_FAULT_READDRESS, 1000, 0, 0)->every_ns = SIM_S;
    bench_world(&b, 1);
    bench_until(&b, 3500);
    cr_expect_eq(b.world->nodes[0].address, 3);
    cr_expect_eq(b.world->nodes[1].address, 0);
    bench_end(&b);
}

/* A move changes the delay of links already in use, both ways. */
Test(fault, a_move_changes_the_delays)
{
    struct bench b;
    bench_plan(&b, (const uint32_t[]){2, 0}, 0);
    bench_fault_on(&b, SIM_FAULT_MOVE, 1000, 1000, 0)->index = 1;
    bench_world(&b, 1);
    const uint64_t to_ms[] = {1, 3, 1};
    const uint64_t from_ms[] = {1, 2, 1};
    for (uint32_t i = 0; i < 3; i++) {
        bench_until(&b, 500 + 1000 * i);
        cr_expect_eq(b.world->nodes[0].links[1]->base_ns, to_ms[i] * SIM_MS);
        cr_expect_eq(b.world->nodes[1].links[0]->base_ns, from_ms[i] * SIM_MS);
    }
    bench_end(&b);
}

/* A command reaches the leader, with the first peer as its argument. */
Test(fault, a_command_reaches_the_leader)
{
    struct bench b;
    bench_plan(&b, (const uint32_t[]){3, 0}, 0);
    b.plan.nodes[1].settings[SET_LEADS_AT] = (struct sim_value){100, 100};
    for (uint32_t i = 0; i < 2; i++) {
        struct sim_fault *f = bench_fault(&b, SIM_FAULT_COMMAND, 1000 + 1000 * i, 0);
        add(&f->targets, SIM_SELECT_LEADER, 0);
        f->index = 1;
        if (i == 0) {
            add(&f->peers, SIM_SELECT_NODE, 2);
        }
    }
    bench_world(&b, 1);
    bench_until(&b, 1500);
    cr_expect_eq(b.world->nodes[1].facts[FACT_ASKED], 1002);
    bench_until(&b, 2500);
    cr_expect_eq(b.world->nodes[1].facts[FACT_ASKED], 1000 + (int64_t)SIM_NOBODY);
    cr_expect_eq(b.world->nodes[0].facts[FACT_ASKED], 0);
    bench_end(&b);
}

/* Two administrators at odds: the second overrules the first, but one who agrees or changes
 * his own mind overrules nobody; what the node does not allow it refuses. */
Test(fault, administrators_overrule_each_other)
{
    struct bench b;
    bench_plan(&b, (const uint32_t[]){2, 0}, 0);
    b.plan.administrator_count = 2;
    b.plan.administrators = calloc(2, sizeof *b.plan.administrators);
    strcpy(b.plan.administrators[0], "ann");
    strcpy(b.plan.administrators[1], "bob");
    const struct {
        uint32_t who;
        int64_t value;
        uint64_t overruled;
        uint64_t changed;
    } steps[] = {{0, 5, 0, 1}, {0, 6, 0, 2}, {1, 6, 0, 3}, {0, 9, 1, 4}, {1, 999, 1, 4}};
    for (size_t i = 0; i < 5; i++) {
        struct sim_fault *f = bench_fault_on(&b, SIM_FAULT_ADMIN_SET, 1000 * (i + 1), 0, 0);
        f->administrator = steps[i].who;
        f->index = SET_LEVEL;
        f->value = (struct sim_value){steps[i].value, steps[i].value};
    }
    bench_world(&b, 1);
    for (size_t i = 0; i < 5; i++) {
        bench_until(&b, 1000 * (i + 1) + 500);
        cr_expect_eq(b.world->metrics.settings_changed, steps[i].changed, "step %zu", i);
        cr_expect_eq(b.world->metrics.settings_overruled, steps[i].overruled, "step %zu", i);
    }
    cr_expect_eq(b.world->nodes[0].facts[FACT_LEVEL], 9);
    cr_expect_eq(b.world->nodes[0].setting_owner[SET_LEVEL], 0);
    cr_expect_eq(b.world->nodes[1].facts[FACT_LEVEL], 0);
    bench_end(&b);
}

/* Heal ends all that can be ended and restarts who is down; those ends do not come again. */
Test(fault, heal_ends_everything)
{
    struct bench b;
    bench_plan(&b, (const uint32_t[]){5, 0}, 1);
    b.plan.nodes[4].absent = true;
    bench_fault_on(&b, SIM_FAULT_CRASH, 1000, 0, 0);
    bench_fault_on(&b, SIM_FAULT_PAUSE, 1000, 5000, 1);
    bench_fault_on(&b, SIM_FAULT_PARTITION, 1000, 2000, 2)->shape = SIM_CUT_ISOLATE;
    struct sim_fault *link = bench_fault_on(&b, SIM_FAULT_LINK, 1000, 0, 3);
    link->link.fields = 1u << SIM_LINK_LOSS;
    link->link.knobs.loss_ppm = 1000;
    bench_fault(&b, SIM_FAULT_HEAL, 1500, 0);
    bench_world(&b, 1);
    bench_until(&b, 1200);
    cr_expect_gt(cut_count(&b), 0);
    bench_until(&b, 1600);
    cr_expect_eq(cut_count(&b), 0);
    for (uint32_t id = 0; id < 4; id++) {
        cr_expect(b.world->nodes[id].up && !b.world->nodes[id].paused, "node %u", id);
    }
    cr_expect_not(b.world->nodes[4].up, "who is not there is not healed");
    cr_expect_eq(b.world->nodes[3].links[0]->set->knobs.loss_ppm, 0);
    bench_until(&b, 7000);
    cr_expect_eq(cut_count(&b), 0, "the void end must not count below zero");
    bench_end(&b);
}

/* ---- Time ---------------------------------------------------------------------------------- */

/* Flapping begins every so often, so many times, and each time lasts as long as it should. */
Test(fault, flaps_as_often_as_asked)
{
    for (uint32_t times = 0; times < 4; times++) {
        struct bench b;
        bench_plan(&b, (const uint32_t[]){3, 0}, 0);
        struct sim_fault *f = bench_fault_on(&b, SIM_FAULT_PARTITION, 1000, 40, 0);
        f->every_ns = 100 * SIM_MS;
        f->times = times;
        bench_world(&b, 1);
        b.sink.kinds = 1u << SIM_REC_FAULT;
        cr_assert_eq(sim_world_run(b.world, SIM_NEVER), SIM_STOP_END);
        const size_t begins = times ? times : 90; /* 1.0 s, 1.1 s, ... before 10 s. */
        cr_assert_eq(b.record_count, 2 * begins);
        for (size_t i = 0; i < begins; i++) {
            const uint64_t at_ns = (1000 + 100 * i) * SIM_MS;
            cr_expect_eq(b.records[2 * i].time_ns, at_ns);
            cr_expect_eq(b.records[2 * i].b, 1);
            cr_expect_eq(b.records[2 * i + 1].time_ns, at_ns + 40 * SIM_MS);
            cr_expect_eq(b.records[2 * i + 1].b, 0);
        }
        cr_expect_eq(cut_count(&b), 0);
        bench_end(&b);
    }
}

/* A fault that begins again before it has ended overlaps with itself. */
Test(fault, overlaps_with_itself)
{
    struct bench b;
    bench_plan(&b, (const uint32_t[]){3, 0}, 0);
    struct sim_fault *f = bench_fault_on(&b, SIM_FAULT_PAUSE, 1000, 1500, 0);
    f->every_ns = SIM_S;
    f->times = 3; /* 1 s .. 2.5 s, 2 s .. 3.5 s, 3 s .. 4.5 s */
    bench_world(&b, 1);
    for (uint64_t ms = 1100; ms < 4500; ms += 100) {
        bench_until(&b, ms);
        cr_expect(b.world->nodes[0].paused, "at %lu ms", (unsigned long)ms);
    }
    bench_until(&b, 4600);
    cr_expect_not(b.world->nodes[0].paused);
    bench_end(&b);
}

/* More faults than a byte can count cut one link: it opens when the last of them ends. */
Test(fault, a_link_opens_after_the_last_of_many_cuts)
{
    struct bench b;
    bench_plan(&b, (const uint32_t[]){3, 0}, 0);
    for (uint32_t i = 0; i < 300; i++) {
        bench_fault_on(&b, SIM_FAULT_PARTITION, 1000, 1000 + 10 * i, 0);
    }
    bench_world(&b, 1);
    for (uint64_t ms = 1005; ms < 4990; ms += 100) {
        bench_until(&b, ms);
        cr_expect(is_cut(&b, 0, 1), "at %lu ms", (unsigned long)ms);
    }
    bench_until(&b, 4995);
    cr_expect_eq(cut_count(&b), 0);
    bench_end(&b);
}

/* A condition is waited for from its time on, holds at once if the fact is there, and strikes
 * after the event that met it, not in the middle of it. */
Test(fault, waits_for_a_fact)
{
    const struct {
        uint64_t at_ms, expected_ms;
    } cases[] = {{0, 300}, {200, 300}, {1000, 1000}};
    for (size_t i = 0; i < 3; i++) {
        struct bench b;
        bench_plan(&b, (const uint32_t[]){3, 0}, 0);
        b.plan.nodes[1].settings[SET_LEADS_AT] = (struct sim_value){300, 300};
        struct sim_fault *f = bench_fault(&b, SIM_FAULT_CRASH, cases[i].at_ms, 500);
        add(&f->targets, SIM_SELECT_LEADER, 0);
        f->when = (struct sim_condition){.present = true, .fact = FACT_ROLE, .wanted = 1};
        add(&f->when.nodes, SIM_SELECT_GROUP, 0);
        f->every_ns = 600 * SIM_MS; /* It boots 500 ms later and leads 300 ms after that. */
        f->times = 2;
        bench_world(&b, 1);
        b.sink.kinds = 1u << SIM_REC_CRASH;
        cr_assert_eq(sim_world_run(b.world, SIM_NEVER), SIM_STOP_END);
        cr_assert_eq(b.record_count, 2, "%zu", b.record_count);
        cr_expect_eq(b.records[0].node, 1);
        cr_expect_eq(b.records[0].time_ns, cases[i].expected_ms * SIM_MS);
        cr_expect_eq(b.records[1].time_ns, (cases[i].expected_ms + 800) * SIM_MS);
        bench_end(&b);
    }
}

/* "At least" is met by more; another node's fact meets nothing. */
Test(fault, conditions_compare)
{
    struct bench b;
    bench_plan(&b, (const uint32_t[]){3, 0}, 0);
    b.plan.nodes[1].settings[SET_TERM] = (struct sim_value){7, 7};
    bench_world(&b, 1);
    bench_until(&b, 100);
    struct sim_condition c = {.present = true, .fact = FACT_TERM, .wanted = 6};
    cr_expect_not(sim_condition_met(b.world, &c));
    c.at_least = true;
    cr_expect(sim_condition_met(b.world, &c));
    add(&c.nodes, SIM_SELECT_NODE, 2);
    cr_expect_not(sim_condition_met(b.world, &c));
    add(&c.nodes, SIM_SELECT_NODE, 1);
    cr_expect(sim_condition_met(b.world, &c));
    c.wanted = 8;
    cr_expect_not(sim_condition_met(b.world, &c));
    bench_end(&b);
}

/* ---- Whom ----------------------------------------------------------------------------------- */

/* Without a leader a fault on the leader hits nobody, and that can be seen. */
Test(fault, no_leader_is_nobody)
{
    struct bench b;
    bench_plan(&b, (const uint32_t[]){3, 0}, 0);
    struct sim_fault *f = bench_fault(&b, SIM_FAULT_CRASH, 1000, 500);
    add(&f->targets, SIM_SELECT_LEADER, 0);
    bench_world(&b, 1);
    b.sink.kinds = 1u << SIM_REC_FAULT | 1u << SIM_REC_CRASH;
    cr_assert_eq(sim_world_run(b.world, SIM_NEVER), SIM_STOP_END);
    cr_assert_eq(b.record_count, 1);
    cr_expect_eq(b.records[0].kind, SIM_REC_FAULT);
    cr_expect_eq(b.records[0].node, SIM_NOBODY);
    cr_expect_eq(b.records[0].detail, SIM_FAULT_CRASH);
    bench_end(&b);
}

static uint64_t resolve(const struct bench *b, uint32_t kind, uint32_t index, uint64_t seed)
{
    struct sim_selection s = {.count = 0};
    add(&s, kind, index);
    struct sim_rng rng;
    sim_rng_derive(&rng, seed, "test");
    struct sim_set set = {.words = {0}};
    const uint32_t count = sim_selection_resolve(b->world, &s, false, &rng, set.words);
    cr_assert_eq(count, (uint32_t)__builtin_popcountll(set.words[0]));
    return set.words[0];
}

/* Every selector selects what it says: of servers 0 to 4, of which 3 is absent and 1 and 2
 * both think they lead (2 in a newer term), 5 in a group of its own, and clients 6 and 7. */
Test(fault, selectors_select)
{
    struct bench b;
    bench_plan(&b, (const uint32_t[]){5, 1, 0}, 2);
    b.plan.nodes[3].absent = true;
    b.plan.nodes[4].zone = 1;
    b.plan.nodes[7].zone = 1;
    for (uint32_t id = 1; id < 3; id++) {
        b.plan.nodes[id].settings[SET_LEADS_AT] = (struct sim_value){10, 10};
        b.plan.nodes[id].settings[SET_TERM] = (struct sim_value){id, id};
    }
    bench_world(&b, 1);
    bench_until(&b, 100);
    cr_expect_eq(resolve(&b, SIM_SELECT_ALL, 0, 1), 0x37);
    cr_expect_eq(resolve(&b, SIM_SELECT_NODE, 2, 1), 1u << 2);
    cr_expect_eq(resolve(&b, SIM_SELECT_NODE, 3, 1), 0);
    cr_expect_eq(resolve(&b, SIM_SELECT_NODE, 7, 1), 1u << 7);
    cr_expect_eq(resolve(&b, SIM_SELECT_GROUP, 0, 1), 0x17);
    cr_expect_eq(resolve(&b, SIM_SELECT_ZONE, 1, 1), 0x90);
    cr_expect_eq(resolve(&b, SIM_SELECT_REGION, 0, 1), 0x67);
    cr_expect_eq(resolve(&b, SIM_SELECT_LEADER, 0, 1), 1u << 2);
    cr_expect_eq(resolve(&b, SIM_SELECT_FOLLOWERS, 0, 1), 0x31);
    cr_expect_eq(resolve(&b, SIM_SELECT_CLIENTS, 0, 1), 0xc0);
    uint64_t any = 0;
    uint64_t follower = 0;
    uint64_t minority = 0;
    uint32_t sizes = 0;
    for (uint64_t seed = 0; seed < 200; seed++) {
        const uint64_t one = resolve(&b, SIM_SELECT_ANY, 0, seed);
        const uint64_t other = resolve(&b, SIM_SELECT_FOLLOWER, 0, seed);
        const uint64_t few = resolve(&b, SIM_SELECT_MINORITY, 0, seed);
        cr_assert_eq(__builtin_popcountll(one), 1, "seed %lu", (unsigned long)seed);
        cr_assert_eq(__builtin_popcountll(other), 1, "seed %lu", (unsigned long)seed);
        any |= one;
        follower |= other;
        minority |= few;
        sizes |= 1u << __builtin_popcountll(few);
    }
    cr_expect_eq(any, 0x37, "each can be chosen, and nobody else");
    cr_expect_eq(follower, 0x31);
    cr_expect_eq(minority, 0x37);
    cr_expect_eq(sizes, 1u << 1 | 1u << 2, "one or two of five");
    bench_end(&b);
}

/* A random choice is the same in every run, differs between the begins of a flapping fault,
 * and does not move when another fault is added or takes its own choices. */
Test(fault, choices_do_not_depend_on_other_faults)
{
    uint32_t chosen[2][20];
    for (uint32_t others = 0; others < 2; others++) {
        struct bench b;
        bench_plan(&b, (const uint32_t[]){5, 0}, 0);
        struct sim_fault *f = bench_fault(&b, SIM_FAULT_PAUSE, 1000, 50);
        add(&f->targets, SIM_SELECT_ANY, 0);
        f->every_ns = 100 * SIM_MS;
        f->times = 20;
        if (others) {
            struct sim_fault *g = bench_fault(&b, SIM_FAULT_SLOW, 970, 0);
            add(&g->targets, SIM_SELECT_MINORITY, 0);
            g->speed_ppm = 500000;
            g->every_ns = 40 * SIM_MS;
        }
        bench_world(&b, 7);
        b.sink.kinds = 1u << SIM_REC_PAUSE;
        cr_assert_eq(sim_world_run(b.world, SIM_NEVER), SIM_STOP_END);
        cr_assert_eq(b.record_count, 20);
        for (uint32_t i = 0; i < 20; i++) {
            chosen[others][i] = b.records[i].node;
        }
        bench_end(&b);
    }
    uint32_t different = 0;
    for (uint32_t i = 0; i < 20; i++) {
        cr_expect_eq(chosen[0][i], chosen[1][i], "begin %u", i);
        different += chosen[0][i] != chosen[0][0];
    }
    cr_expect_gt(different, 5);
}

/* ---- Shapes ---------------------------------------------------------------------------------- */

/* A world with one partition of `shape` of a group of `size`, beside a group of 2 and 2
 * clients, in force. */
static void bench_shape(struct bench *b, uint32_t shape, uint32_t size, uint64_t seed)
{
    bench_plan(b, (const uint32_t[]){size, 2, 0}, 2);
    struct sim_fault *f = bench_fault(b, SIM_FAULT_PARTITION, 100, 100);
    f->shape = shape;
    add(&f->targets, SIM_SELECT_GROUP, 0);
    bench_world(b, seed);
    bench_until(b, 150);
}

/* Targets and peers are cut from each other, both ways or one; without peers, from everybody
 * else; isolated ones also from each other. */
Test(fault, shapes_between_nodes_cut_what_they_say)
{
    for (uint32_t shape = SIM_CUT_BETWEEN; shape <= SIM_CUT_ISOLATE; shape++) {
        for (uint32_t everybody = 0; everybody < 2; everybody++) {
            struct bench b;
            bench_plan(&b, (const uint32_t[]){5, 0}, 2);
            struct sim_fault *f = bench_fault(&b, SIM_FAULT_PARTITION, 100, 100);
            f->shape = shape;
            add(&f->targets, SIM_SELECT_NODE, 0);
            add(&f->targets, SIM_SELECT_NODE, 1);
            if (!everybody) {
                add(&f->peers, SIM_SELECT_NODE, 3);
                add(&f->peers, SIM_SELECT_NODE, 5);
            }
            bench_world(&b, 1);
            bench_until(&b, 150);
            for (uint32_t from = 0; from < 7; from++) {
                for (uint32_t to = 0; to < 7; to++) {
                    const bool forth = from < 2 && (everybody ? to >= 2 : to == 3 || to == 5);
                    const bool back = to < 2 && (everybody ? from >= 2 : from == 3 || from == 5);
                    bool expected = forth || (shape == SIM_CUT_BETWEEN && back);
                    if (shape == SIM_CUT_ISOLATE) {
                        expected = from != to && (from < 2 || to < 2);
                    }
                    cr_expect_eq(is_cut(&b, from, to), expected, "shape %u: %u > %u", shape, from,
                                 to);
                }
            }
            bench_until(&b, 250);
            cr_expect_eq(cut_count(&b), 0);
            bench_end(&b);
        }
    }
}

/* What one node can reach of the first `size`, itself included; a random shape must cut both
 * ways and nobody outside the group. */
static uint64_t reach(const struct bench *b, uint32_t node, uint32_t size)
{
    uint64_t set = 0;
    for (uint32_t to = 0; to < b->world->node_count; to++) {
        cr_assert_eq(is_cut(b, node, to), is_cut(b, to, node));
        if (to < size) {
            set |= is_cut(b, node, to) ? 0 : UINT64_C(1) << to;
        } else {
            cr_assert_not(is_cut(b, node, to), "%u is not of the group", to);
        }
    }
    return set;
}

/* Halves: two sides as equal as can be, all of a side together, nothing across. Different
 * seeds divide differently. */
Test(fault, halves_divide_a_group)
{
    for (uint32_t size = 2; size <= 7; size++) {
        uint64_t seen = 0;
        for (uint64_t seed = 0; seed < 40; seed++) {
            struct bench b;
            bench_shape(&b, SIM_CUT_HALVES, size, seed);
            const uint64_t all = (UINT64_C(1) << size) - 1;
            const uint64_t side = reach(&b, 0, size);
            const uint32_t in = (uint32_t)__builtin_popcountll(side);
            cr_assert(in == size / 2 || in == (size + 1) / 2, "size %u seed %lu", size,
                      (unsigned long)seed);
            for (uint32_t id = 0; id < size; id++) {
                cr_assert_eq(reach(&b, id, size), side >> id & 1 ? side : all & ~side);
            }
            seen |= UINT64_C(1) << (side & 63);
            bench_until(&b, 250);
            cr_assert_eq(cut_count(&b), 0);
            bench_end(&b);
        }
        cr_expect(size < 4 || __builtin_popcountll(seen) > 2);
    }
}

/* A bridge: one node reaches all; without it there are two halves. */
Test(fault, a_bridge_joins_two_halves)
{
    for (uint32_t size = 3; size <= 7; size++) {
        for (uint64_t seed = 0; seed < 40; seed++) {
            struct bench b;
            bench_shape(&b, SIM_CUT_BRIDGE, size, seed);
            const uint64_t all = (UINT64_C(1) << size) - 1;
            uint32_t bridges = 0;
            uint64_t bridge = 0;
            for (uint32_t id = 0; id < size; id++) {
                if (reach(&b, id, size) == all) {
                    bridges++;
                    bridge = UINT64_C(1) << id;
                }
            }
            cr_assert_eq(bridges, 1, "size %u seed %lu", size, (unsigned long)seed);
            const uint64_t side = reach(&b, bridge == 1, size);
            const uint32_t in = (uint32_t)__builtin_popcountll(side) - 1;
            cr_assert(in == (size - 1) / 2 || in == size / 2);
            for (uint32_t id = 0; id < size; id++) {
                const uint64_t expected = side >> id & 1 ? side : (all & ~side) | bridge;
                cr_assert(bridge >> id & 1 || reach(&b, id, size) == expected);
            }
            bench_end(&b);
        }
    }
}

/* A ring: everybody reaches two others, and going round visits all. */
Test(fault, a_ring_goes_round)
{
    for (uint32_t size = 4; size <= 7; size++) {
        for (uint64_t seed = 0; seed < 40; seed++) {
            struct bench b;
            bench_shape(&b, SIM_CUT_RING, size, seed);
            uint64_t visited = 0;
            uint32_t at = 0;
            for (uint32_t steps = 0; steps < size; steps++) {
                const uint64_t near = reach(&b, at, size);
                cr_assert_eq(__builtin_popcountll(near), 3, "size %u seed %lu", size,
                             (unsigned long)seed);
                visited |= UINT64_C(1) << at;
                const uint64_t next = near & ~visited;
                at = next ? (uint32_t)__builtin_ctzll(next) : at;
            }
            cr_assert_eq(visited, (UINT64_C(1) << size) - 1);
            bench_end(&b);
        }
    }
}

/* ---- Quorums -----------------------------------------------------------------------------------
 */

static void cut_pair(struct bench *b, uint32_t from, uint32_t to)
{
    b->world->cuts[from * b->world->node_count + to] = 1;
}

/* The truth table of small troubles for a group of five (client: node 5). */
Test(fault, a_quorum_needs_a_connected_majority_that_clients_reach)
{
    const struct {
        const char *what;
        uint32_t down, paused; /* Bit sets. */
        uint8_t cuts[6][2];    /* One way each, ends with 0, 0. */
        bool possible;
    } cases[] = {
        {"all well", 0, 0, {{0, 0}}, true},
        {"two down", 0x3, 0, {{0, 0}}, true},
        {"three down", 0x7, 0, {{0, 0}}, false},
        {"two down, one paused", 0x3, 0x4, {{0, 0}}, false},
        {"two down, one pair cut one way", 0x3, 0, {{2, 3}}, false},
        {"one down, one pair cut", 0x1, 0, {{2, 3}, {3, 2}}, true},
        {"one down, two pairs cut", 0x1, 0, {{1, 2}, {3, 4}}, false},
        {"a ring", 0, 0, {{0, 2}, {0, 3}, {1, 3}, {1, 4}, {2, 4}}, false},
        {"the client hears nobody", 0, 0, {{0, 5}, {1, 5}, {2, 5}, {3, 5}, {4, 5}}, false},
        {"the client reaches three", 0, 0, {{5, 0}, {1, 5}}, true},
        {"the client reaches two", 0, 0, {{5, 0}, {5, 1}, {5, 2}}, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bench b;
        bench_plan(&b, (const uint32_t[]){5, 0}, 1);
        bench_world(&b, 1);
        bench_until(&b, 10);
        for (uint32_t id = 0; id < 5; id++) {
            b.world->nodes[id].up = !(cases[i].down >> id & 1);
            b.world->nodes[id].paused = cases[i].paused >> id & 1;
        }
        for (uint32_t k = 0; k < 6 && (cases[i].cuts[k][0] || cases[i].cuts[k][1]); k++) {
            cut_pair(&b, cases[i].cuts[k][0], cases[i].cuts[k][1]);
        }
        cr_expect_eq(sim_faults_quorum_possible(b.world, 0), cases[i].possible, "%s",
                     cases[i].what);
        bench_end(&b);
    }
}

/* In groups too large to look at every subset the shapes are still judged right. */
Test(fault, a_large_group_divided_has_a_quorum_only_on_the_larger_side)
{
    const struct {
        uint32_t shape, size;
        bool possible;
    } cases[] = {{SIM_CUT_HALVES, 40, false}, {SIM_CUT_HALVES, 41, true},
                 {SIM_CUT_BRIDGE, 41, true},  {SIM_CUT_BRIDGE, 40, false},
                 {SIM_CUT_RING, 41, false},   {SIM_CUT_HALVES, 101, true}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bench b;
        bench_shape(&b, cases[i].shape, cases[i].size, 3);
        cr_expect_eq(sim_faults_quorum_possible(b.world, 0), cases[i].possible, "case %zu", i);
        bench_end(&b);
    }
}

/* A swarm of everything. */
static void everything(struct bench *b)
{
    for (uint32_t family = 0; family < SIM_SWARM_FAMILY_COUNT; family++) {
        struct sim_swarm_rule *r = bench_rule(b, family, 200);
        r->crash_majority = true;
        r->off_ppm = 300000;
    }
}

/* Whatever was going on, a random majority of each group is healed and connected when the
 * second phase begins, nothing begins or ends after that, and the others stay as they are. */
Test(fault, settling_heals_a_quorum_and_freezes_the_rest)
{
    uint32_t different = 0;
    uint32_t still_down = 0;
    uint32_t still_cut = 0;
    uint64_t first = 0;
    for (uint64_t seed = 0; seed < 60; seed++) {
        struct bench b;
        bench_plan(&b, (const uint32_t[]){5, 3, 0}, 2);
        b.plan.nodes[4].absent = true;
        b.plan.duration_ns = 2 * SIM_S;
        b.plan.settle_ns = 5 * SIM_S;
        everything(&b);
        struct sim_fault *f = bench_fault(&b, SIM_FAULT_CRASH, 1900, 0);
        add(&f->targets, SIM_SELECT_GROUP, 0);
        f = bench_fault(&b, SIM_FAULT_PARTITION, 1900, 500);
        f->shape = SIM_CUT_ISOLATE;
        add(&f->targets, SIM_SELECT_ALL, 0);
        f = bench_fault(&b, SIM_FAULT_LINK, 1900, 500);
        add(&f->targets, SIM_SELECT_ALL, 0);
        f->link.fields = 1u << SIM_LINK_LOSS;
        f->link.knobs.loss_ppm = SIM_PPM;
        bench_world(&b, seed);
        bench_until(&b, 1999);
        cr_assert_not(sim_faults_quorum_possible(b.world, 0));
        bench_until(&b, 2001);
        cr_assert_eq(b.world->phase, 1);
        cr_assert(sim_faults_quorum_possible(b.world, 0), "seed %lu", (unsigned long)seed);
        uint64_t up = 0;
        for (uint32_t id = 0; id < 4; id++) {
            up |= (uint64_t)b.world->nodes[id].up << id;
        }
        cr_assert_eq(__builtin_popcountll(up), 3, "three of the four that are there");
        cr_assert_not(b.world->nodes[4].up);
        still_down += 4 - (uint32_t)__builtin_popcountll(up);
        still_cut += cut_count(&b);
        first = seed == 0 ? up : first;
        different += up != first;
        for (uint32_t id = 0; id < 4; id++) {
            if (up >> id & 1) {
                const struct sim_env *env = &b.world->nodes[id];
                cr_assert_not(env->paused);
                cr_assert_eq(env->cpu.speed_ppm, SIM_PPM);
                cr_assert_eq(env->disk_knobs.lie_ppm, 0);
            }
        }
        const uint32_t cut = cut_count(&b);
        b.sink.kinds = 1u << SIM_REC_FAULT | 1u << SIM_REC_BOOT | 1u << SIM_REC_CRASH;
        b.record_count = 0;
        bench_until(&b, 6000);
        cr_assert_eq(b.record_count, 0);
        cr_assert_eq(cut_count(&b), cut);
        bench_end(&b);
    }
    cr_expect_gt(different, 10, "the majority is random");
    cr_expect_gt(still_down, 0);
    cr_expect_gt(still_cut, 0);
}

/* ---- The swarm ------------------------------------------------------------------------------- */

static uint64_t hash_of_faults(const struct sim_fault *faults, size_t count, uint32_t kind)
{
    uint64_t hash = 1;
    for (size_t i = 0; i < count; i++) {
        const struct sim_fault *f = &faults[i];
        if (kind != SIM_FAULT_KIND_COUNT && f->kind != kind) {
            continue;
        }
        hash = sim_trace_fold(hash, f->kind);
        hash = sim_trace_fold(hash, f->at_ns);
        hash = sim_trace_fold(hash, f->for_ns);
        hash = sim_trace_fold(hash, f->targets.selectors[0].index);
        hash = sim_trace_fold(hash, (uint64_t)f->amount);
        hash = sim_trace_fold(hash, f->link.knobs.loss_ppm);
    }
    return hash;
}

/* The same seed draws the same schedule and gives the same run; another seed another one. */
Test(fault, a_swarm_is_a_function_of_its_seed)
{
    uint64_t hashes[3];
    uint64_t schedules[3];
    for (uint32_t i = 0; i < 3; i++) {
        struct bench b;
        bench_plan(&b, (const uint32_t[]){5, 0}, 2);
        b.plan.duration_ns = 2 * SIM_S;
        everything(&b);
        bench_world(&b, i == 2 ? 8 : 7);
        schedules[i] = hash_of_faults(b.world->faults, b.world->fault_count, SIM_FAULT_KIND_COUNT);
        cr_assert_eq(sim_world_run(b.world, SIM_NEVER), SIM_STOP_END);
        hashes[i] = sim_world_hash(b.world);
        bench_end(&b);
    }
    cr_expect_eq(schedules[0], schedules[1]);
    cr_expect_eq(hashes[0], hashes[1]);
    cr_expect_neq(schedules[0], schedules[2]);
    cr_expect_neq(hashes[0], hashes[2]);
}

/* Written down as the plan's own faults, a drawn schedule gives the same run. */
Test(fault, a_schedule_written_down_is_the_same_run)
{
    for (uint64_t seed = 0; seed < 10; seed++) {
        struct bench b;
        bench_plan(&b, (const uint32_t[]){5, 0}, 2);
        b.plan.duration_ns = 2 * SIM_S;
        everything(&b);
        bench_world(&b, seed);
        const size_t count = b.world->fault_count;
        struct sim_fault *drawn = malloc((count + 1) * sizeof *drawn);
        if (count > 0) {
            memcpy(drawn, b.world->faults, count * sizeof *drawn);
        }
        cr_assert_eq(sim_world_run(b.world, SIM_NEVER), SIM_STOP_END);
        const uint64_t hash = sim_world_hash(b.world);
        b.plan.swarm_count = 0;
        b.plan.faults = drawn;
        b.plan.fault_count = (uint32_t)count;
        bench_world(&b, seed);
        cr_assert_eq(sim_world_run(b.world, SIM_NEVER), SIM_STOP_END);
        cr_expect_eq(sim_world_hash(b.world), hash, "seed %lu", (unsigned long)seed);
        bench_end(&b);
    }
}

/* A world restored from a snapshot runs on as it did, faults under way and all. */
Test(fault, faults_are_part_of_a_snapshot)
{
    struct bench b;
    bench_plan(&b, (const uint32_t[]){5, 0}, 2);
    b.plan.duration_ns = 3 * SIM_S;
    everything(&b);
    bench_world(&b, 5);
    bench_until(&b, 1500);
    struct sim_snapshot snapshot = {0};
    cr_assert_eq(sim_snapshot_take(&snapshot, b.arena), SIM_OK);
    cr_assert_eq(sim_world_run(b.world, SIM_NEVER), SIM_STOP_END);
    const uint64_t hash = sim_world_hash(b.world);
    sim_snapshot_restore(&snapshot, b.arena);
    cr_assert_neq(sim_world_hash(b.world), hash);
    cr_assert_eq(sim_world_run(b.world, SIM_NEVER), SIM_STOP_END);
    cr_expect_eq(sim_world_hash(b.world), hash);
    sim_snapshot_release(&snapshot);
    bench_end(&b);
}

/* A family is off in its share of seeds, and off means no fault of it at all. */
Test(fault, a_family_is_off_in_its_share_of_seeds)
{
    const uint32_t shares[] = {0, 300000, 1000000};
    const uint32_t low[] = {0, 260, 1000};
    const uint32_t high[] = {0, 340, 1000}; /* 300 of 1000, 2.7 standard deviations. */
    for (uint32_t i = 0; i < 3; i++) {
        uint32_t off = 0;
        struct bench b;
        bench_plan(&b, (const uint32_t[]){5, 0}, 0);
        bench_rule(&b, SIM_SWARM_CRASH, 100)->off_ppm = shares[i];
        for (uint64_t seed = 0; seed < 1000; seed++) {
            bench_world(&b, seed);
            off += b.world->fault_count == 0;
        }
        cr_expect(off >= low[i] && off <= high[i], "%u of 1000", off);
        bench_end(&b);
    }
}

static uint32_t most_at_once(const struct bench *b, uint32_t kind)
{
    uint32_t most = 0;
    for (size_t i = 0; i < b->world->fault_count; i++) {
        const uint64_t at_ns = b->world->faults[i].at_ns;
        uint64_t nodes = 0;
        for (size_t k = 0; k < b->world->fault_count; k++) {
            const struct sim_fault *f = &b->world->faults[k];
            if (f->kind == kind && f->at_ns <= at_ns && at_ns < f->at_ns + f->for_ns) {
                nodes |= UINT64_C(1) << f->targets.selectors[0].index;
            }
        }
        const uint32_t count = (uint32_t)__builtin_popcountll(nodes);
        most = count > most ? count : most;
    }
    return most;
}

/* Families that stop nodes leave a majority alone, even when several rules draw; unless they
 * are told that they need not. */
Test(fault, a_family_spares_a_majority)
{
    const uint32_t families[] = {SIM_SWARM_CRASH, SIM_SWARM_PAUSE, SIM_SWARM_ISOLATE};
    const uint32_t kinds[] = {SIM_FAULT_CRASH, SIM_FAULT_PAUSE, SIM_FAULT_PARTITION};
    for (uint32_t i = 0; i < 3; i++) {
        for (uint32_t all = 0; all < 2; all++) {
            uint32_t most = 0;
            for (uint64_t seed = 0; seed < 30; seed++) {
                struct bench b;
                bench_plan(&b, (const uint32_t[]){5, 0}, 0);
                bench_rule(&b, families[i], 100)->crash_majority = all;
                bench_rule(&b, families[i], 150)->crash_majority = all;
                bench_world(&b, seed);
                const uint32_t at_once = most_at_once(&b, kinds[i]);
                most = at_once > most ? at_once : most;
                bench_end(&b);
            }
            if (all) {
                cr_expect_gt(most, 2, "family %u", families[i]);
            } else {
                cr_expect_eq(most, 2, "family %u: %u", families[i], most);
            }
        }
    }
}

/* What is drawn begins within the run, lasts at least its minimum if it can end, names nodes
 * of its group, varies in strength, and is a plan that is allowed. */
Test(fault, drawn_faults_keep_to_their_rule)
{
    uint32_t kinds = 0;
    uint32_t low = UINT32_MAX;
    uint32_t high = 0;
    for (uint64_t seed = 0; seed < 40; seed++) {
        struct bench b;
        bench_plan(&b, (const uint32_t[]){2, 4, 0}, 2);
        everything(&b);
        for (uint32_t i = 0; i < b.plan.swarm_count; i++) {
            b.plan.swarm[i].group = 1;
        }
        bench_world(&b, seed);
        for (size_t i = 0; i < b.world->fault_count; i++) {
            const struct sim_fault *f = &b.world->faults[i];
            cr_assert_lt(f->at_ns, b.plan.duration_ns);
            cr_assert(sim_fault_can_end(f->kind) ? f->for_ns >= 50 * SIM_MS : f->for_ns == 0);
            cr_assert_eq(f->targets.count, 1);
            const struct sim_selector *s = &f->targets.selectors[0];
            cr_assert(s->kind == SIM_SELECT_NODE    ? s->index >= 2 && s->index < 6
                      : s->kind == SIM_SELECT_GROUP ? s->index == 1
                                                    : s->kind == SIM_SELECT_LEADER);
            kinds |= 1u << f->kind;
            if (f->kind == SIM_FAULT_SLOW) {
                low = f->speed_ppm < low ? f->speed_ppm : low;
                high = f->speed_ppm > high ? f->speed_ppm : high;
            }
        }
        b.plan.swarm_count = 0;
        b.plan.faults = malloc(b.world->fault_count * sizeof *b.plan.faults);
        memcpy(b.plan.faults, b.world->faults, b.world->fault_count * sizeof *b.plan.faults);
        b.plan.fault_count = (uint32_t)b.world->fault_count;
        cr_expect_null(sim_plan_problem(&b.plan), "seed %lu: %s", (unsigned long)seed,
                       sim_plan_problem(&b.plan));
        bench_end(&b);
    }
    cr_expect_eq(kinds, 1u << SIM_FAULT_CRASH | 1u << SIM_FAULT_PAUSE | 1u << SIM_FAULT_SLOW |
                            1u << SIM_FAULT_PARTITION | 1u << SIM_FAULT_LINK |
                            1u << SIM_FAULT_DISK | 1u << SIM_FAULT_CLOCK_DRIFT |
                            1u << SIM_FAULT_CLOCK_STEP | 1u << SIM_FAULT_COMMAND);
    cr_expect(low > 0 && low < 50000 && high > 450000 && high <= 500000, "%u .. %u", low, high);
}

/* Another family, in front or behind, or another knob of it, moves nothing in the others. */
Test(fault, families_do_not_move_each_other)
{
    for (uint64_t seed = 0; seed < 20; seed++) {
        uint64_t hashes[3];
        for (uint32_t i = 0; i < 3; i++) {
            struct bench b;
            bench_plan(&b, (const uint32_t[]){5, 0}, 0);
            if (i > 0) {
                bench_rule(&b, SIM_SWARM_LOSS, 70 * i);
            }
            bench_rule(&b, SIM_SWARM_CRASH, 200);
            if (i > 0) {
                bench_rule(&b, SIM_SWARM_CLOCK_STEP, 50);
            }
            bench_world(&b, seed);
            hashes[i] = hash_of_faults(b.world->faults, b.world->fault_count, SIM_FAULT_CRASH);
            bench_end(&b);
        }
        cr_expect_eq(hashes[0], hashes[1], "seed %lu", (unsigned long)seed);
        cr_expect_eq(hashes[0], hashes[2], "seed %lu", (unsigned long)seed);
    }
}

/* ---- Seeds survive additions ----------------------------------------------------------------- */

/* Sends and deliveries among the nodes of the first group. */
static uint64_t hash_of_messages(const struct bench *b, uint32_t servers)
{
    uint64_t hash = 1;
    uint32_t count = 0;
    for (size_t i = 0; i < b->record_count; i++) {
        const struct sim_record *r = &b->records[i];
        if (r->node < servers && r->peer < servers) {
            hash = sim_trace_fold(hash, r->time_ns);
            hash = sim_trace_fold(hash, (uint64_t)r->kind << 32 | r->node);
            hash = sim_trace_fold(hash, r->peer);
            hash = sim_trace_fold(hash, r->a);
            hash = sim_trace_fold(hash, r->b);
            count++;
        }
    }
    cr_assert_gt(count, 100);
    return hash;
}

/* Adding a node that never speaks, or a family that never strikes, leaves the fate of every
 * message between the others as it was; another seed does not. */
Test(fault, a_silent_node_and_an_idle_family_change_nothing)
{
    for (uint64_t seed = 0; seed < 10; seed++) {
        uint64_t hashes[4];
        for (uint32_t variant = 0; variant < 4; variant++) {
            struct bench b;
            bench_plan(&b, (const uint32_t[]){5, variant == 1, 0}, 0);
            b.plan.duration_ns = SIM_S;
            everything(&b);
            if (variant == 1) {
                b.plan.nodes[5].settings[SET_TALKS] = (struct sim_value){0, 0};
            }
            if (variant == 2) {
                bench_rule(&b, SIM_SWARM_PAUSE, 1)->interval =
                    (struct sim_dist){.kind = SIM_DIST_CONSTANT, .a = SIM_TIME_MAX};
            }
            bench_world(&b, variant == 3 ? seed + 1000 : seed);
            b.sink.kinds = 1u << SIM_REC_SEND | 1u << SIM_REC_DELIVER;
            cr_assert_eq(sim_world_run(b.world, SIM_NEVER), SIM_STOP_END);
            hashes[variant] = hash_of_messages(&b, 5);
            bench_end(&b);
        }
        cr_expect_eq(hashes[0], hashes[1], "a silent node, seed %lu", (unsigned long)seed);
        cr_expect_eq(hashes[0], hashes[2], "an idle family, seed %lu", (unsigned long)seed);
        cr_expect_neq(hashes[0], hashes[3]);
    }
}
