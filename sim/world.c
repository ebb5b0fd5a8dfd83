/* Building a world, and the one loop that runs it. */
#include "sim/world_internal.h"

void *sim_world_alloc(struct sim_world *world, size_t size_bytes)
{
    void *memory = sim_arena_alloc(world->arena, size_bytes);
    world->out_of_memory |= !memory && size_bytes > 0;
    return memory;
}

void *sim_world_alloc_cold(struct sim_world *world, size_t size_bytes)
{
    void *memory = sim_arena_alloc_cold(world->arena, size_bytes);
    world->out_of_memory |= !memory && size_bytes > 0;
    return memory;
}

void sim_world_push(struct sim_world *world, uint64_t time_ns, uint32_t kind, uint32_t target,
                    uint64_t data, uint64_t data2)
{
    if (SIM_UNLIKELY(time_ns == SIM_NEVER)) {
        return; /* Beyond the end of time: it will not happen. */
    }
    const struct sim_pending event = {
        .time_ns = time_ns, .kind = kind, .target = target, .data = data, .data2 = data2};
    if (SIM_UNLIKELY(sim_queue_push(world->queue, event) != SIM_OK)) {
        world->out_of_memory = true;
    }
}

void sim_world_record(struct sim_world *world, uint32_t kind, uint32_t node, uint32_t peer,
                      uint32_t detail, uint32_t size_bytes, uint64_t a, uint64_t b)
{
    const struct sim_record record = {.time_ns = world->now_ns,
                                      .kind = (uint16_t)kind,
                                      .detail = (uint16_t)detail,
                                      .node = node,
                                      .peer = peer,
                                      .size_bytes = size_bytes,
                                      .a = a,
                                      .b = b};
    sim_trace_add(&world->trace, &record);
}

/* ---- Building -------------------------------------------------------------------------- */

/* A node's streams are derived from its name, so they stay the same whoever else is there. */
static void derive(struct sim_rng *rng, uint64_t seed, const char *what, const char *name)
{
    sim_rng_derive_hashed(rng, seed, sim_mix64(sim_hash_name(what) ^ sim_hash_name(name)));
}

static void tell_durable(void *context, uint32_t node, enum sim_durable_kind kind, uint32_t file,
                         uint64_t position, const struct sim_label *label)
{
    struct sim_world *world = context;
    if (world->nodes[node].kind->consensus) {
        sim_checks_durable(world->checks, node, kind, file, position, label);
    }
}

/* What fact 0 of the kind is when a node leads. */
static int64_t leader_value(const struct sim_node_kind *kind)
{
    if (kind->fact_count == 0 || strcmp(kind->facts[0].name, "role") != 0 ||
        !kind->facts[0].values) {
        return -1;
    }
    for (int64_t value = 0; kind->facts[0].values[value]; value++) {
        if (strcmp(kind->facts[0].values[value], "leader") == 0) {
            return value;
        }
    }
    return -1;
}

static void node_streams(const struct sim_world *world, struct sim_env *env)
{
    derive(&env->rng, world->seed, "node/", env->plan->name);
    derive(&env->clock_rng, world->seed, "clock/", env->plan->name);
}

static struct sim_rng disk_stream(const struct sim_world *world, const struct sim_env *env)
{
    struct sim_rng rng;
    derive(&rng, world->seed, "disk/", env->plan->name);
    return rng;
}

static void node_init(struct sim_world *world, uint32_t id)
{
    struct sim_env *env = &world->nodes[id];
    const struct sim_plan_node *plan = &world->plan->nodes[id];
    env->world = world;
    env->plan = plan;
    env->kind = plan->kind;
    env->id = id;
    env->zone = plan->zone;
    env->absent = plan->absent;
    env->cpu = plan->host.cpu;
    env->disk_knobs = plan->host.disk;
    memcpy(env->settings, plan->settings, sizeof env->settings);
    for (uint32_t i = 0; i < SIM_SETTINGS_MAX; i++) {
        env->setting_owner[i] = SIM_NOBODY;
    }
    for (uint32_t i = 0; i < SIM_TIMERS_MAX; i++) {
        env->timers[i].deadline_ns = SIM_NEVER;
        env->timers[i].queued_ns = SIM_NEVER;
    }
    node_streams(world, env);
    sim_clock_init(&env->clock, &plan->host.clock);
    if (!plan->kind) {
        env->up = true; /* A client is never down. */
        return;
    }
    env->leader_value = leader_value(plan->kind);
    env->state = sim_world_alloc(world, plan->kind->state_bytes);
    env->disk = sim_disk_new(world->arena, disk_stream(world, env), id, tell_durable, world);
    if (!env->disk) {
        world->out_of_memory = true;
        return;
    }
    sim_disk_set_knobs(env->disk, &env->disk_knobs);
    if (!env->absent) {
        sim_world_push(world, 0, SIM_PEND_BOOT, id, 0, 0);
    }
}

static void world_fill(struct sim_world *world)
{
    const struct sim_plan *plan = world->plan;
    world->node_count = plan->node_count;
    while (world->server_count < plan->node_count && plan->nodes[world->server_count].kind) {
        world->server_count++;
    }
    sim_rng_derive(&world->tie_rng, world->seed, "ties");
    world->queue = sim_queue_new(world->arena);
    world->nodes = sim_world_alloc(world, plan->node_count * sizeof *world->nodes);
    if (!world->queue || !world->nodes || sim_net_init(world) != SIM_OK) {
        world->out_of_memory = true;
        return;
    }
    for (uint32_t id = 0; id < world->node_count && !world->out_of_memory; id++) {
        node_init(world, id);
    }
    if (world->out_of_memory) {
        return;
    }
    world->checks = sim_checks_new(world, plan->checks);
    if (!world->checks || sim_faults_init(world) != SIM_OK || sim_clients_init(world) != SIM_OK) {
        world->out_of_memory = true;
        return;
    }
    sim_world_push(world, plan->duration_ns, SIM_PEND_PHASE, 0, 0, 0);
}

enum sim_status sim_world_new(struct sim_world **out, struct sim_arena *arena,
                              const struct sim_plan *plan, uint64_t seed,
                              const struct sim_sink *sink)
{
    struct sim_world *world = sim_arena_alloc(arena, sizeof *world);
    if (!world) {
        return SIM_ENOMEM;
    }
    world->arena = arena;
    world->plan = plan;
    world->seed = seed;
    world->run_seed = seed;
    world->current = SIM_NOBODY;
    sim_trace_init(&world->trace, arena, sink);
    world_fill(world);
    if (world->out_of_memory) {
        return SIM_ENOMEM;
    }
    *out = world;
    return SIM_OK;
}

void sim_world_reseed(struct sim_world *world, uint64_t salt)
{
    assert(world->current == SIM_NOBODY);
    world->seed = sim_mix64(sim_mix64(world->seed ^ sim_hash_name("reseed")) + salt);
    sim_rng_derive(&world->tie_rng, world->seed, "ties");
    for (uint32_t id = 0; id < world->node_count; id++) {
        struct sim_env *env = &world->nodes[id];
        node_streams(world, env);
        if (env->disk) {
            sim_disk_reseed(env->disk, disk_stream(world, env));
        }
    }
    sim_net_reseed(world);
    sim_clients_reseed(world);
}

/* ---- Running --------------------------------------------------------------------------- */

void sim_world_dispatch(struct sim_world *world, struct sim_env *env, const struct sim_event *event)
{
    world->current = env->id;
    env->kind->event(env->state, env, event);
    world->current = SIM_NOBODY;
    if (SIM_UNLIKELY(env->extra_cpu_ns)) {
        const uint64_t cost =
            sim_muldiv64(env->extra_cpu_ns, SIM_PPM, env->cpu.speed_ppm ? env->cpu.speed_ppm : 1);
        env->extra_cpu_ns = 0;
        /* Beside work that a pause interrupted, if the event is the end of the pause. */
        const uint64_t start =
            env->cpu_busy_until_ns > world->now_ns ? env->cpu_busy_until_ns : world->now_ns;
        env->cpu_busy_until_ns = sim_add_sat(start, cost);
        world->metrics.cpu_busy_ns += cost;
    }
    if (env->kind->consensus) {
        sim_checks_moved(world->checks, env->id,
                         event->kind == SIM_EVENT_MESSAGE ? event->from : SIM_NOBODY);
    }
}

/* The liveness verdict of a run that demanded progress. */
static void judge_progress(struct sim_world *world)
{
    if (world->progressed) {
        sim_checks_liveness(world->checks, SIM_HOLDS, "");
        return;
    }
    bool possible = false;
    for (uint32_t i = 0; i < world->plan->workload_count; i++) {
        possible |= sim_faults_quorum_possible(world, world->plan->workloads[i].target_group);
    }
    if (!sim_clients_write(world)) {
        sim_checks_liveness(world->checks, SIM_VACUOUS, "no client writes, so no progress to see");
    } else if (possible) {
        sim_checks_liveness(world->checks, SIM_STUCK,
                            "a healed, connected majority acknowledged no write in the time given");
    } else {
        sim_checks_liveness(world->checks, SIM_UNAVAILABLE,
                            "no majority that clients can reach, so no progress is possible");
    }
}

static void world_end(struct sim_world *world)
{
    if (world->phase >= 1) {
        judge_progress(world);
    }
    sim_clients_finish(world);
    sim_checks_finish(world->checks);
    world->ended = true;
}

/* While progress is demanded those who are healed must remain a quorum of a membership that
 * changes, so the world looks now and then. When progress was seen, that is all, unless replicas
 * are to become equal as well: then clients stop, all nodes are healed, and compared now and
 * then, at most until the end of the time given. */
#define LOOKS 100

static void look_later(struct sim_world *world)
{
    const uint64_t wait_ns = world->plan->settle_ns / LOOKS;
    sim_world_push(world, sim_add_sat(world->now_ns, wait_ns ? wait_ns : 1), SIM_PEND_PHASE, 0,
                   world->phase, 0);
}

static void look(struct sim_world *world)
{
    if (world->phase == 1) {
        sim_faults_settle(world);
    } else if (sim_clients_idle(world) && sim_checks_converged(world->checks)) {
        world_end(world);
        return;
    }
    look_later(world);
}

static void end_demand(struct sim_world *world)
{
    if (sim_checks_enabled(world->checks) >> SIM_CHECK_CONVERGENCE & 1) {
        world->phase = 2;
        sim_faults_heal_all(world);
        look_later(world);
    } else {
        world_end(world);
    }
}

/* The first phase is over: heal a quorum and demand progress, if the plan asks for it. */
static void next_phase(struct sim_world *world)
{
    if (world->phase == 0 && world->plan->settle_ns > 0) {
        world->phase = 1;
        world->demanded_after = world->trace.count;
        sim_faults_settle(world);
        sim_clients_settle(world);
        sim_world_push(world, sim_add_sat(world->now_ns, world->plan->settle_ns), SIM_PEND_PHASE, 0,
                       0, 0);
        look_later(world);
        return;
    }
    world_end(world);
}

static void handle(struct sim_world *world, const struct sim_pending *event)
{
    switch ((enum sim_pending_kind)event->kind) {
    case SIM_PEND_ARRIVE:
        sim_net_arrive(world, event);
        break;
    case SIM_PEND_TIMER:
        sim_host_timer(world, event);
        break;
    case SIM_PEND_SYNCED:
        sim_host_synced(world, event);
        break;
    case SIM_PEND_CPU:
        sim_host_cpu_free(world, event);
        break;
    case SIM_PEND_CLIENT:
        sim_clients_event(world, event);
        break;
    case SIM_PEND_WORKLOAD:
        sim_clients_workload(world, event);
        break;
    case SIM_PEND_STREAM:
        sim_net_retry(world, event);
        break;
    case SIM_PEND_BOOT:
        sim_host_boot(world, event->target);
        break;
    case SIM_PEND_RESUME:
        if (world->nodes[event->target].pause_generation == event->data) {
            sim_host_resume(world, event->target);
        }
        break;
    case SIM_PEND_CLOCK:
        sim_host_clock_sync(world, event);
        break;
    case SIM_PEND_FAULT:
        sim_faults_event(world, event);
        break;
    case SIM_PEND_PHASE:
        if (event->data == 0) {
            next_phase(world);
        } else if (event->data == world->phase) {
            look(world);
        }
        break;
    }
}

/* A node that answers every message with two fills any time with events. What would have come
 * nobody knows, so nothing holds any more. */
static void cut_short(struct sim_world *world)
{
    world->cut_short = true;
    sim_clients_finish(world);
    sim_checks_finish(world->checks);
    world->ended = true;
}

static bool pop(struct sim_world *world, struct sim_pending *event)
{
    return SIM_UNLIKELY(world->plan->shuffle_ties)
               ? sim_queue_pop_shuffled(world->queue, &world->tie_rng, event)
               : sim_queue_pop(world->queue, event);
}

enum sim_stop sim_world_run(struct sim_world *world, uint64_t until_ns)
{
    struct sim_pending event;
    while (!world->ended) {
        if (until_ns != SIM_NEVER && sim_queue_next_ns(world->queue) >= until_ns) {
            return SIM_STOP_TIME;
        }
        if (!pop(world, &event)) {
            world_end(world); /* Cannot be before the end of the last phase. */
            break;
        }
        world->now_ns = event.time_ns;
        world->steps++;
        handle(world, &event);
        if (SIM_UNLIKELY(world->out_of_memory || world->trace.full)) {
            return SIM_STOP_MEMORY;
        }
        if (SIM_UNLIKELY(world->trace.count > world->plan->max_events) &&
            world->plan->max_events > 0 && !world->ended) {
            cut_short(world);
        }
        /* Asked for progress and seen: no need to wait for the end of the time given. */
        if (SIM_UNLIKELY(world->phase == 1) && !world->ended && world->progressed) {
            end_demand(world);
        }
    }
    return world->failed ? SIM_STOP_FAILED : SIM_STOP_END;
}

void sim_world_fail(struct sim_world *world, const char *why)
{
    assert(world->current != SIM_NOBODY);
    world->failed = true;
    sim_checks_node_failed(world->checks, world->current, why);
    world->current = SIM_NOBODY;
    sim_clients_finish(world);
    sim_checks_finish(world->checks);
    world->ended = true;
}

/* ---- Looking --------------------------------------------------------------------------- */

uint32_t sim_world_current_node(const struct sim_world *world)
{
    return world->current;
}

uint64_t sim_world_now_ns(const struct sim_world *world)
{
    return world->now_ns;
}

uint64_t sim_world_hash(const struct sim_world *world)
{
    return world->trace.hash;
}

uint64_t sim_world_events(const struct sim_world *world)
{
    return world->trace.count;
}

uint64_t sim_world_steps(const struct sim_world *world)
{
    return world->steps;
}

const uint64_t *sim_world_checkpoints(const struct sim_world *world, size_t *count)
{
    *count = world->trace.checkpoint_count;
    return world->trace.checkpoints;
}

const struct sim_checks *sim_world_checks(const struct sim_world *world)
{
    return world->checks;
}

const struct sim_history_row *sim_world_history(const struct sim_world *world, size_t *count)
{
    *count = world->history_count;
    return world->history;
}

const struct sim_fault *sim_world_faults(const struct sim_world *world, size_t *count)
{
    *count = world->fault_count;
    return world->faults;
}

bool sim_world_cut(const struct sim_world *world, uint32_t from, uint32_t to)
{
    return sim_net_is_cut(world, from, to);
}

const struct sim_plan *sim_world_plan(const struct sim_world *world)
{
    return world->plan;
}

uint64_t sim_world_seed(const struct sim_world *world)
{
    return world->run_seed;
}
