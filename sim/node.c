/* The effects a node may ask for: each is a thin door to the part of the world that knows. */
#include "sim/world_internal.h"

uint32_t sim_self(const struct sim_env *env)
{
    return env->id;
}

uint32_t sim_group_size(const struct sim_env *env)
{
    return env->world->plan->groups[env->plan->group].node_count;
}

uint32_t sim_group_member(const struct sim_env *env, uint32_t i)
{
    const struct sim_plan_group *group = &env->world->plan->groups[env->plan->group];
    assert(i < group->node_count);
    return group->first_node + i;
}

void sim_send(struct sim_env *env, uint32_t to, uint32_t message_kind, const void *data,
              uint32_t size_bytes)
{
    struct sim_world *world = env->world;
    assert(to < world->server_count);
    assert(to != env->id);
    assert(message_kind < SIM_MESSAGE_REQUEST);
    if (SIM_UNLIKELY(env->cpu.send_ns || env->cpu.byte_ps)) {
        env->extra_cpu_ns += env->cpu.send_ns + env->cpu.byte_ps * size_bytes / 1000;
    }
    sim_net_send(world, env->id, to, message_kind, data, size_bytes);
}

/* ---- Time --------------------------------------------------------------------------- */

uint64_t sim_monotonic_ns(const struct sim_env *env)
{
    return sim_clock_monotonic_ns(&env->clock, env->world->now_ns);
}

uint64_t sim_wall_ns(const struct sim_env *env)
{
    return sim_clock_wall_ns(&env->clock, env->world->now_ns);
}

uint64_t sim_wall_error_ns(const struct sim_env *env)
{
    return sim_clock_error_ns(&env->clock, env->world->now_ns);
}

void sim_timer_set(struct sim_env *env, uint32_t timer, uint64_t delay_ns)
{
    assert(timer < SIM_TIMERS_MAX);
    struct sim_timer *t = &env->timers[timer];
    t->monotonic_ns = sim_add_sat(sim_monotonic_ns(env), delay_ns);
    t->deadline_ns = sim_clock_true_ns(&env->clock, t->monotonic_ns);
    t->fired = false;
    /* A deadline pushed back leaves its pending event where it is: when that comes up it
     * moves on to the new deadline. Election timers are pushed back at every heartbeat. */
    if (t->deadline_ns < t->queued_ns) {
        t->queued_ns = t->deadline_ns;
        sim_world_push(env->world, t->deadline_ns, SIM_PEND_TIMER, env->id, timer,
                       env->incarnation);
    }
}

void sim_timer_cancel(struct sim_env *env, uint32_t timer)
{
    assert(timer < SIM_TIMERS_MAX);
    env->timers[timer].deadline_ns = SIM_NEVER;
    env->timers[timer].fired = false;
}

/* ---- Chance and memory ---------------------------------------------------------------- */

uint32_t sim_random_u32(struct sim_env *env)
{
    return sim_rng_u32(&env->rng);
}

uint64_t sim_random_between(struct sim_env *env, uint64_t low, uint64_t high)
{
    return sim_rng_between(&env->rng, low, high);
}

static size_t block_bytes(size_t size_bytes) /* More than there can be, if that cannot be said. */
{
    static_assert(sizeof(struct sim_block) % 16 == 0, "blocks stay 16-byte aligned");
    return size_bytes > SIZE_MAX / 2 ? SIZE_MAX : sizeof(struct sim_block) + size_bytes;
}

/* Put a new block, all zero, first in the node's list. NULL stays NULL. */
static void *own(struct sim_env *env, struct sim_block *block, size_t size_bytes)
{
    if (!block) {
        return NULL;
    }
    block->size_bytes = size_bytes;
    block->next = env->blocks;
    if (env->blocks) {
        sim_arena_will_write(env->world->arena, env->blocks, sizeof *env->blocks);
        env->blocks->previous = block;
    }
    env->blocks = block;
    return block + 1;
}

void *sim_alloc(struct sim_env *env, size_t size_bytes)
{
    return own(env, sim_world_alloc(env->world, block_bytes(size_bytes)), size_bytes);
}

void *sim_alloc_cold(struct sim_env *env, size_t size_bytes)
{
    struct sim_block *block = sim_world_alloc_cold(env->world, block_bytes(size_bytes));
    if (block) {
        memset(block, 0, block_bytes(size_bytes));
    }
    return own(env, block, size_bytes);
}

void sim_will_write(struct sim_env *env, const void *memory, size_t size_bytes)
{
    sim_arena_will_write(env->world->arena, memory, size_bytes);
}

void sim_release(struct sim_env *env, void *memory)
{
    if (!memory) {
        return;
    }
    struct sim_arena *arena = env->world->arena;
    struct sim_block *block = (struct sim_block *)memory - 1;
    if (block->previous) {
        sim_arena_will_write(arena, block->previous, sizeof *block);
        block->previous->next = block->next;
    } else {
        assert(env->blocks == block);
        env->blocks = block->next;
    }
    if (block->next) {
        sim_arena_will_write(arena, block->next, sizeof *block);
        block->next->previous = block->previous;
    }
    sim_arena_release(arena, block, sizeof *block + block->size_bytes);
}

/* ---- Disk ----------------------------------------------------------------------------- */

enum sim_status sim_disk_write(struct sim_env *env, uint32_t file, uint64_t position,
                               const void *data, uint32_t size_bytes, struct sim_label label)
{
    struct sim_world *world = env->world;
    const enum sim_status status =
        sim_disk_do_write(env->disk, file, position, data, size_bytes, label);
    if (status == SIM_ENOMEM) {
        world->out_of_memory = true;
        return SIM_EIO;
    }
    if (status != SIM_OK) {
        world->metrics.disk_errors++;
        return status;
    }
    sim_world_record(world, SIM_REC_WRITE, env->id, SIM_NOBODY, file, size_bytes, position,
                     sim_trace_fold(label.a, label.b));
    return SIM_OK;
}

void sim_disk_truncate(struct sim_env *env, uint32_t file, uint64_t from)
{
    if (sim_disk_do_truncate(env->disk, file, from) != SIM_OK) {
        env->world->out_of_memory = true;
    }
}

void sim_disk_discard(struct sim_env *env, uint32_t file, uint64_t before)
{
    if (sim_disk_do_discard(env->disk, file, before) != SIM_OK) {
        env->world->out_of_memory = true;
    }
}

void sim_disk_sync(struct sim_env *env, uint64_t token)
{
    struct sim_world *world = env->world;
    uint64_t done_ns;
    if (sim_disk_begin_sync(env->disk, world->now_ns, token, &done_ns) != SIM_OK) {
        world->out_of_memory = true;
        return;
    }
    env->syncs_pending++;
    world->metrics.disk_syncs++;
    sim_world_record(world, SIM_REC_SYNC, env->id, SIM_NOBODY, 0, 0, token,
                     done_ns - world->now_ns);
    sim_world_push(world, done_ns, SIM_PEND_SYNCED, env->id, env->incarnation, 0);
}

uint64_t sim_disk_begin(const struct sim_env *env, uint32_t file)
{
    return sim_disk_cached_begin(env->disk, file);
}

uint64_t sim_disk_end(const struct sim_env *env, uint32_t file)
{
    return sim_disk_cached_end(env->disk, file);
}

const uint8_t *sim_disk_read(const struct sim_env *env, uint32_t file, uint64_t position,
                             uint32_t *size_bytes)
{
    return sim_disk_cached(env->disk, file, position, size_bytes);
}

/* ---- Clients, facts, settings --------------------------------------------------------- */

void sim_reply(struct sim_env *env, uint32_t client, uint64_t sequence, enum sim_answer answer,
               uint64_t value)
{
    sim_reply_words(env, client, sequence, answer, &value, 1);
}

void sim_reply_words(struct sim_env *env, uint32_t client, uint64_t sequence,
                     enum sim_answer answer, const uint64_t *words, uint32_t count)
{
    struct sim_world *world = env->world;
    if (client < world->server_count || client >= world->node_count) {
        return; /* A corrupt request named a client that does not exist. */
    }
    assert(count <= (UINT32_MAX - SIM_RESPONSE_BYTES(0)) / 8);
    uint8_t few[SIM_RESPONSE_BYTES(8)];
    const size_t size_bytes = SIM_RESPONSE_BYTES(count);
    uint8_t *bytes = size_bytes <= sizeof few ? few : sim_world_alloc(world, size_bytes);
    if (!bytes) {
        return;
    }
    sim_response_encode(sequence, answer, words, count, bytes);
    sim_net_send(world, env->id, client, SIM_MESSAGE_RESPONSE, bytes, (uint32_t)size_bytes);
    if (bytes != few) {
        sim_arena_release(world->arena, bytes, size_bytes);
    }
}

void sim_publish(struct sim_env *env, uint32_t fact, int64_t value)
{
    assert(fact < env->kind->fact_count);
    const int64_t old = env->facts[fact];
    if (old == value) {
        return;
    }
    env->facts[fact] = value;
    env->world->metrics.leader_changes += fact == 0 && value == env->leader_value;
    sim_world_record(env->world, SIM_REC_FACT, env->id, SIM_NOBODY, fact, 0, (uint64_t)value,
                     (uint64_t)old);
    sim_faults_fact(env->world, env->id, fact, value);
}

void sim_applied(struct sim_env *env, uint64_t index, uint64_t term, uint64_t digest,
                 const struct sim_operation *operation, bool took_effect)
{
    sim_checks_applied(env->world->checks, env->id, index, term, digest, operation, took_effect);
}

void sim_read_served(struct sim_env *env, const struct sim_operation *operation, uint64_t index,
                     bool leased)
{
    sim_checks_read_served(env->world->checks, env->id, index, leased,
                           sim_clients_invoked_ns(env->world, operation));
}

void sim_handed_over(struct sim_env *env, uint32_t target)
{
    sim_checks_handed_over(env->world->checks, env->id, target);
}

int64_t sim_setting(const struct sim_env *env, uint32_t setting)
{
    assert(setting < env->kind->setting_count);
    return env->settings[setting].low;
}

struct sim_value sim_setting_range(const struct sim_env *env, uint32_t setting)
{
    assert(setting < env->kind->setting_count);
    return env->settings[setting];
}

bool sim_bug(const struct sim_env *env, uint32_t bug)
{
    return env->plan->bugs >> bug & 1;
}
