/* Hosts: a cpu with a queue, pauses, crash and restart, timers and clocks.
 *
 * A message that costs cpu time is handled when that time has passed, so what it causes
 * leaves late; what comes meanwhile waits in the run queue, in order of arrival. A paused
 * host (a garbage collection, a stopped virtual machine) queues everything. */
#include "sim/world_internal.h"

/* ---- The cpu and its run queue ---------------------------------------------------------- */

static struct sim_waiting *waiting_at(struct sim_env *env, size_t i)
{
    return &env->run_queue[(env->run_first + i) & (env->run_capacity - 1)];
}

static bool run_queue_push(struct sim_world *world, struct sim_env *env, struct sim_waiting item)
{
    if (env->run_count == env->run_capacity) {
        const size_t capacity = env->run_capacity ? 2 * env->run_capacity : 8;
        struct sim_waiting *bigger = sim_world_alloc(world, capacity * sizeof *bigger);
        if (!bigger) {
            return false;
        }
        for (size_t i = 0; i < env->run_count; i++) {
            bigger[i] = *waiting_at(env, i);
        }
        sim_arena_release(world->arena, env->run_queue, env->run_capacity * sizeof *bigger);
        env->run_queue = bigger;
        env->run_capacity = capacity;
        env->run_first = 0;
    }
    *waiting_at(env, env->run_count) = item;
    env->run_count++;
    return true;
}

/* Only messages and requests cost; timers and disk completions are nearly free. */
static uint64_t cost_ns(const struct sim_env *env, uint32_t kind, uint32_t size_bytes)
{
    if (kind != SIM_PEND_ARRIVE || (env->cpu.message_ns | env->cpu.byte_ps) == 0) {
        return 0;
    }
    const uint64_t nominal = env->cpu.message_ns + env->cpu.byte_ps * size_bytes / 1000;
    return env->cpu.speed_ppm == SIM_PPM
               ? nominal
               : sim_muldiv64(nominal, SIM_PPM, env->cpu.speed_ppm ? env->cpu.speed_ppm : 1);
}

static void run_event(struct sim_world *world, struct sim_env *env, uint32_t kind, uint64_t data,
                      uint32_t extra)
{
    struct sim_event event = {.from = SIM_NOBODY};
    switch (kind) {
    case SIM_PEND_ARRIVE: {
        struct sim_message *m = (struct sim_message *)(uintptr_t)data;
        struct sim_operation operation;
        event.from = m->from;
        event.data = m->data;
        event.size_bytes = m->size_bytes;
        if (m->kind == SIM_MESSAGE_REQUEST) {
            event.kind = SIM_EVENT_OPERATION;
            event.operation = &operation;
            if (!sim_request_decode(&operation, m->data, m->size_bytes)) {
                sim_net_release(world, m); /* Corrupt beyond reading: as good as lost. */
                return;
            }
        } else {
            event.kind = SIM_EVENT_MESSAGE;
            event.message_kind = m->kind;
        }
        sim_world_dispatch(world, env, &event);
        sim_net_release(world, m);
        return;
    }
    case SIM_PEND_TIMER:
        if (!env->timers[data].fired) {
            return; /* Set again or cancelled while it waited for the cpu. */
        }
        env->timers[data].fired = false;
        event.kind = SIM_EVENT_TIMER;
        event.timer = (uint32_t)data;
        sim_world_record(world, SIM_REC_TIMER, env->id, SIM_NOBODY, (uint32_t)data, 0, 0, 0);
        break;
    case SIM_PEND_SYNCED:
        event.kind = SIM_EVENT_SYNCED;
        event.token = data;
        event.status = extra;
        break;
    case SIM_PEND_BOOT:
        event.kind = SIM_EVENT_BOOT;
        break;
    case SIM_PEND_RESUME:
        event.kind = SIM_EVENT_RESUME;
        break;
    case SIM_PEND_FAULT: /* data: a struct sim_command, or 0: settings have changed */
        event.kind = data == 0 ? SIM_EVENT_CONFIGURE : SIM_EVENT_COMMAND;
        if (data != 0) {
            struct sim_command *command = (struct sim_command *)(uintptr_t)data;
            event.command = command->command;
            event.from = command->peer;
            event.peers = command->peers;
            sim_arena_release(world->arena, command, sizeof *command);
        }
        break;
    default:
        assert(!"not an event of a node");
    }
    sim_world_dispatch(world, env, &event);
}

static void cpu_schedule(struct sim_world *world, struct sim_env *env)
{
    env->cpu_scheduled = true;
    sim_world_push(world, env->cpu_busy_until_ns, SIM_PEND_CPU, env->id, env->incarnation,
                   env->pause_generation);
}

/* Let the cpu work on the first in the queue, if it is not already. */
static void cpu_start(struct sim_world *world, struct sim_env *env)
{
    if (env->cpu_scheduled || env->paused || env->run_count == 0) {
        return;
    }
    const struct sim_waiting *first = waiting_at(env, 0);
    const uint64_t cost = cost_ns(env, first->kind, first->size_bytes);
    const uint64_t start =
        env->cpu_busy_until_ns > world->now_ns ? env->cpu_busy_until_ns : world->now_ns;
    env->cpu_busy_until_ns = sim_add_sat(start, cost);
    world->metrics.cpu_busy_ns += cost;
    cpu_schedule(world, env);
}

void sim_host_cpu_free(struct sim_world *world, const struct sim_pending *event)
{
    struct sim_env *env = &world->nodes[event->target];
    if (event->data != env->incarnation || event->data2 != env->pause_generation || !env->up) {
        return; /* It crashed or was paused meanwhile. */
    }
    env->cpu_scheduled = false;
    if (env->run_count == 0) {
        return;
    }
    const struct sim_waiting item = *waiting_at(env, 0);
    env->run_first++;
    env->run_count--;
    const uint64_t waited = world->now_ns - item.since_ns;
    if (waited > world->metrics.cpu_delay_max_ns) {
        world->metrics.cpu_delay_max_ns = waited;
    }
    run_event(world, env, item.kind, item.data, item.size_bytes);
    cpu_start(world, env);
}

void sim_host_receive(struct sim_world *world, struct sim_env *env, uint32_t kind, uint64_t data,
                      uint32_t size_bytes)
{
    assert(env->up);
    if (SIM_LIKELY(!env->paused && env->run_count == 0 && env->cpu_busy_until_ns <= world->now_ns &&
                   cost_ns(env, kind, size_bytes) == 0)) {
        run_event(world, env, kind, data, size_bytes);
        return;
    }
    const struct sim_waiting item = {
        .kind = kind, .size_bytes = size_bytes, .data = data, .since_ns = world->now_ns};
    if (run_queue_push(world, env, item)) {
        cpu_start(world, env);
    }
}

/* ---- Life and death ---------------------------------------------------------------------- */

static void forget_volatile(struct sim_world *world, struct sim_env *env)
{
    for (; env->run_count > 0; env->run_count--, env->run_first++) {
        const struct sim_waiting *item = waiting_at(env, 0);
        if (item->kind == SIM_PEND_ARRIVE) {
            sim_net_release(world, (struct sim_message *)(uintptr_t)item->data);
        } else if (item->kind == SIM_PEND_FAULT && item->data != 0) {
            sim_arena_release(world->arena, (void *)(uintptr_t)item->data,
                              sizeof(struct sim_command));
        }
    }
    while (env->blocks) {
        struct sim_block *block = env->blocks;
        env->blocks = block->next;
        sim_arena_release(world->arena, block, sizeof *block + block->size_bytes);
    }
    memset(env->state, 0, env->kind->state_bytes);
    memset(env->facts, 0, sizeof env->facts);
    for (uint32_t i = 0; i < SIM_TIMERS_MAX; i++) {
        env->timers[i] = (struct sim_timer){.deadline_ns = SIM_NEVER, .queued_ns = SIM_NEVER};
    }
    env->cpu_scheduled = false;
    env->cpu_busy_until_ns = 0;
    env->extra_cpu_ns = 0;
    env->syncs_pending = 0;
    env->paused = false;
    env->pause_generation++;
}

bool sim_host_is_gone(const struct sim_env *env)
{
    const struct sim_replica *replica = env->kind->replica;
    return env->absent || (env->up && replica && replica->halted && replica->halted(env->state));
}

void sim_host_boot(struct sim_world *world, uint32_t node)
{
    struct sim_env *env = &world->nodes[node];
    if (env->up) {
        return;
    }
    env->up = true;
    env->absent = false;
    env->incarnation++;
    if (env->incarnation > 1) {
        sim_disk_restart(env->disk);
    }
    sim_world_record(world, SIM_REC_BOOT, node, SIM_NOBODY, 0, 0, env->incarnation, 0);
    if (env->plan->host.clock.sync_interval_ns) {
        sim_world_push(world, world->now_ns, SIM_PEND_CLOCK, node, env->incarnation, 0);
    }
    sim_host_receive(world, env, SIM_PEND_BOOT, 0, 0);
}

void sim_host_crash(struct sim_world *world, uint32_t node)
{
    struct sim_env *env = &world->nodes[node];
    if (!env->up) {
        return;
    }
    env->up = false;
    forget_volatile(world, env);
    const uint32_t lost = sim_disk_crash(env->disk);
    world->metrics.crashes++;
    sim_world_record(world, SIM_REC_CRASH, node, SIM_NOBODY, 0, 0, env->incarnation, lost);
    sim_checks_crashed(world->checks, node);
}

void sim_host_leave(struct sim_world *world, uint32_t node)
{
    struct sim_env *env = &world->nodes[node];
    if (!env->up) {
        return;
    }
    uint64_t done_ns;
    if (sim_disk_begin_sync(env->disk, world->now_ns, 0, &done_ns) != SIM_OK) {
        world->out_of_memory = true;
        return;
    }
    for (uint32_t pending = env->syncs_pending + 1; pending > 0; pending--) {
        uint64_t token;
        uint32_t records;
        (void)sim_disk_finish_sync(env->disk, &token, &records);
    }
    env->up = false;
    forget_volatile(world, env);
    (void)sim_disk_crash(env->disk); /* What a lying disk kept back is lost even so. */
    sim_world_record(world, SIM_REC_LEAVE, node, SIM_NOBODY, 0, 0, env->incarnation, 0);
    sim_checks_crashed(world->checks, node);
}

void sim_host_pause(struct sim_world *world, uint32_t node, uint64_t for_ns)
{
    struct sim_env *env = &world->nodes[node];
    if (!env->up || env->paused) {
        return;
    }
    env->paused = true;
    env->pause_generation++;
    /* What is left of the work at hand; while paused, nobody asks for anything else. */
    env->cpu_busy_until_ns -=
        env->cpu_busy_until_ns > world->now_ns ? world->now_ns : env->cpu_busy_until_ns;
    sim_world_record(world, SIM_REC_PAUSE, node, SIM_NOBODY, 0, 0, 0, 0);
    if (for_ns) {
        sim_world_push(world, sim_add_sat(world->now_ns, for_ns), SIM_PEND_RESUME, node,
                       env->pause_generation, 0);
    }
}

void sim_host_resume(struct sim_world *world, uint32_t node)
{
    struct sim_env *env = &world->nodes[node];
    if (!env->up || !env->paused) {
        return;
    }
    env->paused = false;
    env->pause_generation++;
    env->cpu_busy_until_ns = sim_add_sat(world->now_ns, env->cpu_busy_until_ns);
    sim_world_record(world, SIM_REC_RESUME, node, SIM_NOBODY, 0, 0, 0, 0);
    /* The first to run: the node may notice that time has jumped before it reads its mail. */
    run_event(world, env, SIM_PEND_RESUME, 0, 0);
    if (env->cpu_scheduled) {
        cpu_schedule(world, env); /* The work that the pause interrupted goes on. */
    } else {
        cpu_start(world, env);
    }
}

/* ---- Timers, disk and clock ------------------------------------------------------------- */

void sim_host_timer(struct sim_world *world, const struct sim_pending *event)
{
    struct sim_env *env = &world->nodes[event->target];
    struct sim_timer *t = &env->timers[event->data];
    if (event->data2 != env->incarnation || !env->up || t->queued_ns != event->time_ns) {
        return; /* Of an earlier life, or another pending event stands for the timer now. */
    }
    t->queued_ns = SIM_NEVER;
    if (t->deadline_ns == SIM_NEVER) {
        return;
    }
    if (t->deadline_ns > world->now_ns) {
        t->queued_ns = t->deadline_ns;
        sim_world_push(world, t->deadline_ns, SIM_PEND_TIMER, env->id, event->data,
                       env->incarnation);
        return;
    }
    t->deadline_ns = SIM_NEVER;
    t->fired = true;
    sim_host_receive(world, env, SIM_PEND_TIMER, event->data, 0);
}

void sim_host_synced(struct sim_world *world, const struct sim_pending *event)
{
    struct sim_env *env = &world->nodes[event->target];
    if (event->data != env->incarnation || !env->up) {
        return;
    }
    uint64_t token;
    uint32_t records;
    const enum sim_status status = sim_disk_finish_sync(env->disk, &token, &records);
    env->syncs_pending--;
    if (status == SIM_ENOMEM) {
        world->out_of_memory = true;
        return;
    }
    if (status != SIM_OK) {
        world->metrics.disk_errors++;
    }
    sim_world_record(world, SIM_REC_SYNCED, env->id, SIM_NOBODY, status, 0, token, records);
    sim_host_receive(world, env, SIM_PEND_SYNCED, token, status);
}

void sim_host_clock_changed(struct sim_world *world, struct sim_env *env)
{
    for (uint32_t i = 0; i < SIM_TIMERS_MAX; i++) {
        struct sim_timer *t = &env->timers[i];
        if (t->deadline_ns == SIM_NEVER) {
            continue;
        }
        t->deadline_ns = sim_clock_true_ns(&env->clock, t->monotonic_ns);
        if (t->deadline_ns < world->now_ns) {
            t->deadline_ns = world->now_ns;
        }
        if (t->deadline_ns < t->queued_ns) {
            t->queued_ns = t->deadline_ns;
            sim_world_push(world, t->deadline_ns, SIM_PEND_TIMER, env->id, i, env->incarnation);
        }
    }
    const uint64_t wall = sim_clock_wall_ns(&env->clock, world->now_ns);
    const uint64_t off = wall > world->now_ns ? wall - world->now_ns : world->now_ns - wall;
    if (off > world->metrics.clock_error_max_ns) {
        world->metrics.clock_error_max_ns = off;
    }
    sim_world_record(world, SIM_REC_CLOCK, env->id, SIM_NOBODY, 0, 0, wall - world->now_ns,
                     (uint64_t)(int64_t)env->clock.drift_ppb);
}

void sim_host_clock_sync(struct sim_world *world, const struct sim_pending *event)
{
    struct sim_env *env = &world->nodes[event->target];
    if (event->data != env->incarnation || !env->up) {
        return;
    }
    const struct sim_clock_knobs *knobs = &env->plan->host.clock;
    const uint64_t size = sim_dist_draw(&knobs->sync_error, &env->clock_rng);
    const bool negative = sim_rng_u32(&env->clock_rng) & 1;
    const int64_t error = (int64_t)(size > INT64_MAX ? INT64_MAX : size);
    sim_clock_sync(&env->clock, world->now_ns, negative ? -error : error);
    sim_host_clock_changed(world, env);
    sim_world_push(world, sim_add_sat(world->now_ns, knobs->sync_interval_ns), SIM_PEND_CLOCK,
                   env->id, env->incarnation, 0);
}
