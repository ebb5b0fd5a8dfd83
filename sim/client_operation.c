/* An open operation: its attempts, what answers mean, and its end in the history. */
#include "sim/client_internal.h"

/* The node that is asked now. */
static uint32_t server_of(const struct sim_world *world, const struct sim_client *client)
{
    const uint32_t group = sim_client_workload(world, client)->target_group;
    return world->plan->groups[group].first_node + client->server;
}

void sim_client_attempt(struct sim_world *world, uint32_t node)
{
    struct sim_client *client = sim_client_of(world, node);
    const struct sim_workload *workload = sim_client_workload(world, client);
    struct sim_history_row *row = sim_client_row(world, client);
    const uint32_t server = server_of(world, client);
    client->waiting = true;
    row->attempts++;
    world->metrics.attempts++;
    sim_world_record(world, SIM_REC_ATTEMPT, node, server, row->operation.function, 0,
                     client->sequence, row->attempts);
    uint8_t bytes[SIM_REQUEST_BYTES];
    sim_request_encode(&row->operation, bytes);
    sim_net_send(world, node, server, SIM_MESSAGE_REQUEST, bytes, sizeof bytes);
    sim_client_later(world, node, workload->timeout_ns, SIM_CLIENT_TIMEOUT);
}

/* ---- The end ------------------------------------------------------------------------------ */

/* Registers show who wrote last; whether the servers' wall clocks say the same. */
static void note_clock(struct sim_world *world, struct sim_workload_state *state,
                       const struct sim_history_row *row)
{
    if (row->operation.function != SIM_WRITE && row->operation.function != SIM_CAS) {
        return;
    }
    const uint64_t wall_ns = sim_clock_wall_ns(&world->nodes[row->server].clock, world->now_ns);
    uint64_t *last = &state->wall_ns[row->operation.key - 1];
    world->metrics.clock_inversions += wall_ns < *last;
    *last = wall_ns;
}

/* Where a register is counted; lists that make way for others have larger keys. */
static size_t slot_of(const struct sim_workload *workload, uint64_t key)
{
    return (size_t)((key - 1) % workload->key_count);
}

/* What the workload knows of registers from an operation that ended ok. */
static void note_known(const struct sim_workload *workload, struct sim_workload_state *state,
                       const struct sim_history_row *row)
{
    struct sim_part part;
    for (uint32_t i = 0; sim_operation_part(&row->operation, i, &part); i++) {
        uint32_t count;
        const uint64_t *read = sim_history_read(row, i, &count);
        if (part.function != SIM_READ_LIST && part.function != SIM_APPEND) {
            state->known[slot_of(workload, part.key)] = read ? *read : part.value;
        }
    }
}

/* Is the answer more than one number? */
static bool has_words(const struct sim_history_row *row)
{
    return row->outcome == SIM_OUTCOME_OK &&
           (row->operation.function == SIM_READ_LIST || row->operation.function == SIM_TXN);
}

/* Keep what was answered in the history. False if the world is full. */
static bool keep_answer(struct sim_world *world, struct sim_history_row *row,
                        const struct sim_response *response)
{
    if (!has_words(row)) {
        row->result = response->count > 0 ? sim_get64(response->words) : 0;
        return true;
    }
    row->result = row->operation.function == SIM_READ_LIST ? response->count : 0;
    if (response->count == 0) {
        return true;
    }
    uint64_t *words = sim_world_alloc_cold(world, response->count * sizeof *words);
    if (!words) {
        return false;
    }
    for (uint32_t i = 0; i < response->count; i++) {
        words[i] = sim_get64(response->words + 8 * (size_t)i);
    }
    row->words = words;
    row->word_count = response->count;
    return true;
}

/* `response` is NULL if none ended it. */
static void finish(struct sim_world *world, uint32_t node, enum sim_outcome outcome,
                   uint32_t server, const struct sim_response *response)
{
    struct sim_client *client = sim_client_of(world, node);
    struct sim_workload_state *state = &world->workloads[client->workload];
    struct sim_history_row *row = sim_client_row(world, client);
    row->outcome = outcome;
    row->server = server;
    if (response && !keep_answer(world, row, response)) {
        return;
    }
    row->return_ns = outcome == SIM_OUTCOME_INFO ? SIM_NEVER : world->now_ns;
    const bool digest = response && has_words(row);
    sim_world_record(world, SIM_REC_RETURN, node, server, outcome, 0, client->sequence,
                     digest ? sim_hash_bytes(response->words, 8 * (size_t)response->count)
                            : row->result);
    row->return_event = outcome == SIM_OUTCOME_INFO ? 0 : world->trace.count;
    switch (outcome) {
    case SIM_OUTCOME_OK:
        world->metrics.operations_ok++;
        sim_histogram_add(&world->latency, world->now_ns - row->invoke_ns);
        note_known(sim_client_workload(world, client), state, row);
        sim_checks_acked(world->checks, row);
        if (!sim_operation_reads(&row->operation)) {
            sim_client_outage_acked(world, row);
            note_clock(world, state, row);
        }
        break;
    case SIM_OUTCOME_FAIL:
        world->metrics.operations_failed++;
        break;
    default:
        world->metrics.operations_info++;
    }
    sim_client_become_idle(world, node);
}

/* ---- Answers ------------------------------------------------------------------------------ */

/* Whom the session turns to next, in this operation or the one after. */
static void turn(struct sim_world *world, struct sim_client *client, uint64_t hint)
{
    const struct sim_workload *workload = sim_client_workload(world, client);
    const struct sim_plan_group *group = &world->plan->groups[workload->target_group];
    if (workload->follow_leader && hint >= group->first_node &&
        hint < group->first_node + group->node_count) {
        client->server = (uint32_t)hint - group->first_node;
    } else {
        /* In turn, from where no hint led: two servers that point at each other, such as a
         * deposed leader and its last follower, must not keep a client from the others. */
        client->turn = (client->turn + 1) % group->node_count;
        client->server = client->turn;
    }
}

/* The attempt came to nothing: another one, elsewhere, or the end. */
static void try_again(struct sim_world *world, uint32_t node, uint64_t hint)
{
    struct sim_client *client = sim_client_of(world, node);
    const struct sim_workload *workload = sim_client_workload(world, client);
    const struct sim_history_row *row = &world->history[client->row];
    client->waiting = false;
    const bool last = row->attempts >= workload->attempts;
    if (!last || workload->attempts == 1) { /* Or it would ask the same follower for ever. */
        turn(world, client, hint);
    }
    if (last) {
        const bool reads = sim_operation_reads(&row->operation);
        const bool known = !client->in_doubt || reads;
        if (workload->scripted && !reads) {
            sim_client_outage_failed(world);
        }
        finish(world, node, known ? SIM_OUTCOME_FAIL : SIM_OUTCOME_INFO, SIM_NOBODY, NULL);
        return;
    }
    sim_client_later(world, node, sim_dist_draw(&workload->backoff, &client->rng),
                     SIM_CLIENT_RETRY);
}

void sim_client_timed_out(struct sim_world *world, uint32_t node)
{
    sim_client_of(world, node)->in_doubt = true;
    try_again(world, node, SIM_NOBODY);
}

void sim_clients_response(struct sim_world *world, uint32_t node, const struct sim_message *m)
{
    struct sim_client *client = sim_client_of(world, node);
    struct sim_response response;
    if (m->kind != SIM_MESSAGE_RESPONSE || !client->open ||
        !sim_response_decode(&response, m->data, m->size_bytes) ||
        response.sequence != client->sequence) {
        return; /* Corrupt, or of an operation that is over. */
    }
    const uint64_t hint = response.count > 0 ? sim_get64(response.words) : SIM_NOBODY;
    /* A yes is one whichever attempt it answers. A no is about its own attempt alone: a second
     * copy, or one from a server that was given up, must not end the attempt under way, which may
     * take effect yet. */
    const bool current = client->waiting && m->from == server_of(world, client);
    switch (response.answer) {
    case SIM_ANSWER_OK:
        if (sim_response_fits(&response, &world->history[client->row].operation)) {
            finish(world, node, SIM_OUTCOME_OK, m->from, &response);
        }
        break;
    case SIM_ANSWER_FAILED:
        finish(world, node, SIM_OUTCOME_FAIL, m->from, &response);
        break;
    case SIM_ANSWER_NOT_LEADER:
        if (current) {
            try_again(world, node, hint);
        }
        break;
    case SIM_ANSWER_REFUSED:
        if (current) {
            try_again(world, node, SIM_NOBODY);
        }
        break;
    default:
        break; /* Not an answer that a node can give. */
    }
}
