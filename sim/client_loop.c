/* Loops: when an operation is due, and which one it is.
 *
 * A closed loop begins the next operation some time after the last has ended. In an open loop
 * operations are due whether or not anybody is free to begin them. A script says itself what is
 * done when; its sessions then go on as its workload says when progress is demanded. */
#include "sim/client_internal.h"

bool sim_client_may_begin(const struct sim_world *world, uint32_t workload)
{
    const struct sim_workload *w = &world->plan->workloads[workload];
    return world->phase == 1 ||
           (world->phase == 0 && !w->scripted && world->now_ns < w->stop_ns &&
            (!w->operations || world->workloads[workload].begun < w->operations));
}

/* ---- Which operation ---------------------------------------------------------------------- */

/* Values are unique, so that a checker knows which write a read saw. */
static uint64_t unique_value(const struct sim_world *world, uint32_t node, uint64_t sequence)
{
    return (uint64_t)(node - world->server_count + 1) << 32 | (uint32_t)sequence;
}

/* The session's next operation, by chance and always the same number of draws. What lists and
 * transactions need beyond that is composed later. */
static struct sim_operation draw(struct sim_world *world, uint32_t node)
{
    struct sim_client *client = sim_client_of(world, node);
    const struct sim_workload *workload = sim_client_workload(world, client);
    const struct sim_workload_state *state = &world->workloads[client->workload];
    const uint32_t function = sim_workload_function(workload, sim_rng_u32(&client->rng));
    const uint64_t key = sim_rng_between(&client->rng, 1, workload->key_count);
    const uint32_t place = sim_rng_u32(&client->rng);
    if (client->sequence == 0) { /* Its first server; then it stays where it was answered. */
        const uint32_t size = world->plan->groups[workload->target_group].node_count;
        client->server = workload->stick ? (node - workload->first_client) % size
                                         : (uint32_t)((uint64_t)place * size >> 32);
        client->turn = client->server;
    }
    client->sequence++;
    const bool reads = sim_function_reads(function);
    return (struct sim_operation){.client = node,
                                  .function = function,
                                  .sequence = client->sequence,
                                  .key = key,
                                  .value = reads ? 0 : unique_value(world, node, client->sequence),
                                  .expected = function == SIM_CAS ? state->known[key - 1] : 0};
}

/* The step of the script that a session takes next; NULL if there is none (any more). */
static const struct sim_script_step *next_step(const struct sim_world *world,
                                               struct sim_client *client, uint32_t node)
{
    const struct sim_plan *plan = world->plan;
    if (!sim_client_workload(world, client)->scripted || world->phase == 2) {
        return NULL;
    }
    while (client->step < plan->script_count && plan->script[client->step].client != node) {
        client->step++;
    }
    return client->step < plan->script_count ? &plan->script[client->step] : NULL;
}

/* What the script says instead of chance. */
static void follow(const struct sim_world *world, struct sim_client *client,
                   const struct sim_script_step *step, struct sim_operation *operation)
{
    const bool reads = sim_function_reads(step->function);
    operation->function = step->function;
    operation->key = step->key;
    operation->value = reads ? 0 : step->value;
    operation->expected = step->expected;
    if (step->value == 0 && !reads) {
        operation->value = unique_value(world, operation->client, client->sequence);
    }
    if (step->server != SIM_NOBODY) {
        const uint32_t group = sim_client_workload(world, client)->target_group;
        client->server = step->server - world->plan->groups[group].first_node;
        client->turn = client->server;
    }
    client->step++;
}

static void record_invoke(struct sim_world *world, const struct sim_operation *operation)
{
    uint64_t what = sim_trace_fold(operation->key, operation->value);
    if (operation->function == SIM_TXN) {
        what = sim_trace_fold(what, operation->expected);
    }
    sim_world_record(world, SIM_REC_INVOKE, operation->client, SIM_NOBODY, operation->function, 0,
                     operation->sequence, what);
}

/* Begin an operation that was due at `due_ns`. */
static void begin(struct sim_world *world, uint32_t node, uint64_t due_ns)
{
    struct sim_client *client = sim_client_of(world, node);
    if (!sim_arena_grow_cold(world->arena, &world->history, &world->history_capacity,
                             world->history_count + 1, sizeof *world->history)) {
        world->out_of_memory = true;
        return;
    }
    struct sim_operation operation = draw(world, node);
    const struct sim_script_step *step = next_step(world, client, node);
    if (step) {
        follow(world, client, step, &operation);
        if (!sim_operation_reads(&operation)) {
            sim_client_outage_begun(world);
        }
    } else {
        sim_request_compose(sim_client_workload(world, client), &client->rng,
                            world->workloads[client->workload].appends, &operation);
    }
    client->open = true;
    client->in_doubt = false;
    client->row = world->history_count++;
    struct sim_history_row *row = sim_client_row(world, client);
    *row = (struct sim_history_row){.operation = operation,
                                    .invoke_ns = due_ns,
                                    .return_ns = SIM_NEVER,
                                    .server = SIM_NOBODY,
                                    .outcome = SIM_OUTCOME_OPEN};
    record_invoke(world, &operation);
    row->invoke_event = world->trace.count;
    world->metrics.operations++;
    sim_client_attempt(world, node);
}

/* ---- When --------------------------------------------------------------------------------- */

void sim_client_due(struct sim_world *world, uint32_t node)
{
    struct sim_client *client = sim_client_of(world, node);
    client->stopped =
        !next_step(world, client, node) && !sim_client_may_begin(world, client->workload);
    if (!client->stopped) {
        world->workloads[client->workload].begun++;
        begin(world, node, world->now_ns);
    }
}

void sim_client_become_idle(struct sim_world *world, uint32_t node)
{
    struct sim_client *client = sim_client_of(world, node);
    const struct sim_workload *workload = sim_client_workload(world, client);
    struct sim_workload_state *state = &world->workloads[client->workload];
    client->open = false;
    client->generation++; /* The time-out is void. */
    const struct sim_script_step *step = next_step(world, client, node);
    if (step) {
        sim_client_later(world, node, step->at_ns > world->now_ns ? step->at_ns - world->now_ns : 0,
                         SIM_CLIENT_BEGIN);
    } else if (!workload->open_loop) {
        client->stopped = !sim_client_may_begin(world, client->workload);
        if (!client->stopped) {
            sim_client_later(world, node, sim_dist_draw(&workload->interval, &client->rng),
                             SIM_CLIENT_BEGIN);
        }
    } else if (state->due_count > 0 && world->phase < 2) {
        const uint64_t due_ns = state->due_ns[state->due_first & (state->due_capacity - 1)];
        state->due_first++;
        state->due_count--;
        begin(world, node, due_ns);
    } else {
        client->next_idle = state->idle;
        state->idle = node;
    }
}

/* An operation of an open loop is due, and nobody is free to begin it. */
static void queue_due(struct sim_world *world, struct sim_workload_state *state)
{
    if (state->due_count == state->due_capacity) {
        const size_t capacity = state->due_capacity ? 2 * state->due_capacity : 64;
        uint64_t *bigger = sim_world_alloc(world, capacity * sizeof *bigger);
        if (!bigger) {
            return;
        }
        for (size_t i = 0; i < state->due_count; i++) {
            bigger[i] = state->due_ns[(state->due_first + i) & (state->due_capacity - 1)];
        }
        sim_arena_release(world->arena, state->due_ns, state->due_capacity * sizeof *bigger);
        state->due_ns = bigger;
        state->due_capacity = capacity;
        state->due_first = 0;
    }
    state->due_ns[(state->due_first + state->due_count++) & (state->due_capacity - 1)] =
        world->now_ns;
}

void sim_clients_workload(struct sim_world *world, const struct sim_pending *event)
{
    const uint32_t index = event->target;
    const struct sim_workload *workload = &world->plan->workloads[index];
    struct sim_workload_state *state = &world->workloads[index];
    state->running = sim_client_may_begin(world, index);
    if (!state->running) {
        return;
    }
    state->begun++;
    const uint32_t node = state->idle;
    if (node != SIM_NOBODY) {
        state->idle = sim_client_of(world, node)->next_idle;
        begin(world, node, world->now_ns);
    } else {
        queue_due(world, state);
    }
    const uint64_t next = sim_dist_draw(&workload->interval, &state->rng);
    sim_world_push(world, sim_add_sat(world->now_ns, next ? next : 1), SIM_PEND_WORKLOAD, index, 0,
                   0);
}

/* ---- From the start, and on ---------------------------------------------------------------- */

void sim_client_loop_start(struct sim_world *world, uint32_t index)
{
    const struct sim_workload *workload = &world->plan->workloads[index];
    struct sim_workload_state *state = &world->workloads[index];
    for (uint32_t i = 0; i < workload->client_count; i++) {
        const uint32_t node = workload->first_client + i;
        struct sim_client *client = sim_client_of(world, node);
        const struct sim_script_step *step = next_step(world, client, node);
        if (workload->scripted) {
            client->stopped = !step;
            sim_client_later(world, node, step ? step->at_ns : SIM_NEVER, SIM_CLIENT_BEGIN);
        } else if (workload->open_loop) { /* The first session is the first to be asked. */
            const uint32_t last = workload->first_client + workload->client_count - 1 - i;
            sim_client_of(world, last)->next_idle = state->idle;
            state->idle = last;
        } else {
            const uint64_t pause_ns = sim_dist_draw(&workload->interval, &client->rng);
            sim_client_later(world, node, sim_add_sat(workload->start_ns, pause_ns),
                             SIM_CLIENT_BEGIN);
        }
    }
    if (workload->open_loop) {
        state->running = true;
        sim_world_push(world, workload->start_ns, SIM_PEND_WORKLOAD, index, 0, 0);
    }
}

void sim_client_loops_resume(struct sim_world *world)
{
    for (uint32_t node = world->server_count; node < world->node_count; node++) {
        struct sim_client *client = sim_client_of(world, node);
        if (client->stopped) {
            client->stopped = false;
            sim_client_later(world, node, 0, SIM_CLIENT_BEGIN);
        }
    }
    for (uint32_t i = 0; i < world->plan->workload_count; i++) {
        if (world->plan->workloads[i].open_loop && !world->workloads[i].running) {
            sim_world_push(world, world->now_ns, SIM_PEND_WORKLOAD, i, 0, 0);
        }
    }
}
