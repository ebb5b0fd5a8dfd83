/* Clients: sessions and their streams of chance, from the first event to the end of the run. */
#include "sim/client_internal.h"

/* ---- Making ------------------------------------------------------------------------------- */

static void workload_streams(struct sim_world *world, uint32_t index)
{
    const struct sim_workload *workload = &world->plan->workloads[index];
    const uint64_t name = sim_mix64(sim_hash_name("workload/") ^ sim_hash_name(workload->name));
    sim_rng_derive_hashed(&world->workloads[index].rng, world->seed, name);
    for (uint32_t i = 0; i < workload->client_count; i++) {
        const uint32_t node = workload->first_client + i;
        const uint64_t own =
            sim_mix64(sim_hash_name("client/") ^ sim_hash_name(world->plan->nodes[node].name));
        sim_rng_derive_hashed(&sim_client_of(world, node)->rng, world->seed, own);
    }
}

void sim_clients_reseed(struct sim_world *world)
{
    for (uint32_t i = 0; world->workloads && i < world->plan->workload_count; i++) {
        workload_streams(world, i);
    }
}

static bool workload_init(struct sim_world *world, uint32_t index)
{
    const struct sim_workload *workload = &world->plan->workloads[index];
    struct sim_workload_state *state = &world->workloads[index];
    state->idle = SIM_NOBODY;
    state->known = sim_world_alloc(world, workload->key_count * sizeof *state->known);
    state->wall_ns = sim_world_alloc(world, workload->key_count * sizeof *state->wall_ns);
    if (sim_workload_lists(workload)) {
        state->appends = sim_world_alloc(world, workload->key_count * sizeof *state->appends);
    }
    if (!state->known || !state->wall_ns || world->out_of_memory) {
        return false;
    }
    for (uint32_t i = 0; i < workload->client_count; i++) {
        sim_client_of(world, workload->first_client + i)->workload = index;
    }
    workload_streams(world, index);
    sim_client_loop_start(world, index);
    return true;
}

enum sim_status sim_clients_init(struct sim_world *world)
{
    const uint32_t count = world->node_count - world->server_count;
    if (count == 0) {
        return SIM_OK;
    }
    world->clients = sim_world_alloc(world, count * sizeof *world->clients);
    world->workloads =
        sim_world_alloc(world, world->plan->workload_count * sizeof *world->workloads);
    if (!world->clients || !world->workloads) {
        return SIM_ENOMEM;
    }
    for (uint32_t i = 0; i < world->plan->workload_count; i++) {
        if (!workload_init(world, i)) {
            return SIM_ENOMEM;
        }
    }
    sim_client_outage_init(world);
    return SIM_OK;
}

/* ---- The run ------------------------------------------------------------------------------ */

void sim_clients_event(struct sim_world *world, const struct sim_pending *event)
{
    const uint32_t node = event->target;
    if (event->data2 != sim_client_of(world, node)->generation) {
        return;
    }
    switch ((enum sim_client_event)event->data) {
    case SIM_CLIENT_BEGIN:
        sim_client_due(world, node);
        break;
    case SIM_CLIENT_TIMEOUT:
        sim_client_timed_out(world, node);
        break;
    case SIM_CLIENT_RETRY:
        sim_client_attempt(world, node);
        break;
    }
}

void sim_clients_settle(struct sim_world *world)
{
    sim_client_outage_settle(world);
    sim_client_loops_resume(world);
}

void sim_clients_finish(struct sim_world *world)
{
    sim_client_outage_finish(world);
    for (uint32_t node = world->server_count; node < world->node_count; node++) {
        struct sim_client *client = sim_client_of(world, node);
        if (client->open) {
            struct sim_history_row *row = sim_client_row(world, client);
            row->outcome = SIM_OUTCOME_INFO;
            world->metrics.operations_info++;
            client->open = false;
        }
    }
}

/* ---- Questions ---------------------------------------------------------------------------- */

bool sim_clients_write(const struct sim_world *world)
{
    for (uint32_t i = 0; i < world->plan->workload_count; i++) {
        if (sim_workload_writes(&world->plan->workloads[i])) {
            return true;
        }
    }
    return false;
}

uint64_t sim_clients_invoked_ns(const struct sim_world *world,
                                const struct sim_operation *operation)
{
    const uint32_t place = operation->client - world->server_count;
    if (place >= world->node_count - world->server_count) {
        return 0;
    }
    const struct sim_client *client = &world->clients[place];
    return client->open && client->sequence == operation->sequence
               ? world->history[client->row].invoke_ns
               : 0;
}

bool sim_clients_idle(const struct sim_world *world)
{
    for (uint32_t i = 0; i < world->node_count - world->server_count; i++) {
        if (world->clients[i].open) {
            return false;
        }
    }
    return true;
}
