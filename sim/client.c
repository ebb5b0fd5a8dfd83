/* Clients: sessions with one operation open at a time, in closed or open loops, with time-outs
 * and retries, over the same network as everybody else. What they saw is the history.
 *
 *     idle --begin--> waiting --answer--> idle            (closed loop: after a pause)
 *                        |  \--NOT_LEADER, REFUSED, time-out--> backing off --> waiting
 *                        \--attempts used up--> idle, outcome info or fail
 */
#include "sim/world_internal.h"

enum client_event { CLIENT_BEGIN, CLIENT_TIMEOUT, CLIENT_RETRY };

struct sim_client {
    struct sim_rng rng;
    uint32_t workload;
    uint32_t server;     /* Place in the target group. */
    uint32_t turn;       /* The place tried last without a hint; hints do not move it. */
    bool open;           /* An operation is. */
    bool waiting;        /* An attempt is under way, at `server`; else backing off. */
    bool in_doubt;       /* Some attempt timed out: it may have taken place. */
    bool stopped;        /* A closed loop that has come to its end. */
    uint32_t generation; /* Of its pending event: an older one is void. */
    size_t row;          /* Of the open operation in the history. */
    uint64_t sequence;
    uint32_t step;      /* Scripted: place in the plan's script of its next operation. */
    uint32_t next_idle; /* Node number, in the workload's list of idle sessions. */
};

struct sim_workload_state {
    struct sim_rng rng;
    uint64_t begun;   /* Operations; in an open loop also those that wait for a session. */
    bool running;     /* Open loop: the event of the next due time is pending. */
    uint32_t idle;    /* First idle session of an open loop; SIM_NOBODY if none. */
    uint64_t *due_ns; /* Operations that wait for an idle session: a ring. */
    size_t due_capacity;
    size_t due_first;
    size_t due_count;
    uint64_t *known;   /* By key - 1: the last value seen, which CAS expects. */
    uint64_t *wall_ns; /* By key - 1: the last write's time on its server's wall clock. */
    uint64_t *appends; /* By key - 1: appended so far; NULL without lists. */
};

static struct sim_client *client_of(struct sim_world *world, uint32_t node)
{
    return &world->clients[node - world->server_count];
}

static const struct sim_workload *workload_of(const struct sim_world *world,
                                              const struct sim_client *client)
{
    return &world->plan->workloads[client->workload];
}

/* The node that is asked now. */
static uint32_t server_of(const struct sim_world *world, const struct sim_client *client)
{
    const uint32_t group = workload_of(world, client)->target_group;
    return world->plan->groups[group].first_node + client->server;
}

/* ---- One operation ------------------------------------------------------------------------ */

static void later(struct sim_world *world, uint32_t node, uint64_t delay_ns, enum client_event what)
{
    const uint32_t generation = ++client_of(world, node)->generation;
    sim_world_push(world, sim_add_sat(world->now_ns, delay_ns), SIM_PEND_CLIENT, node, what,
                   generation);
}

/* The row of a client's operation, to be written: rows are cold. */
static struct sim_history_row *row_of(struct sim_world *world, const struct sim_client *client)
{
    struct sim_history_row *row = &world->history[client->row];
    sim_arena_will_write(world->arena, row, sizeof *row);
    return row;
}

static void attempt(struct sim_world *world, uint32_t node)
{
    struct sim_client *client = client_of(world, node);
    const struct sim_workload *workload = workload_of(world, client);
    struct sim_history_row *row = row_of(world, client);
    const uint32_t server = server_of(world, client);
    client->waiting = true;
    row->attempts++;
    world->metrics.attempts++;
    sim_world_record(world, SIM_REC_ATTEMPT, node, server, row->operation.function, 0,
                     client->sequence, row->attempts);
    uint8_t bytes[SIM_REQUEST_BYTES];
    sim_request_encode(&row->operation, bytes);
    sim_net_send(world, node, server, SIM_MESSAGE_REQUEST, bytes, sizeof bytes);
    later(world, node, workload->timeout_ns, CLIENT_TIMEOUT);
}

/* Where a register is counted; lists that make way for others have larger keys. */
static size_t slot_of(const struct sim_workload *workload, uint64_t key)
{
    return (size_t)((key - 1) % workload->key_count);
}

/* The step of the script that a session takes next; NULL if there is none (any more). */
static const struct sim_script_step *next_step(const struct sim_world *world,
                                               struct sim_client *client, uint32_t node)
{
    const struct sim_plan *plan = world->plan;
    if (!workload_of(world, client)->scripted || world->phase == 2) {
        return NULL;
    }
    while (client->step < plan->script_count && plan->script[client->step].client != node) {
        client->step++;
    }
    return client->step < plan->script_count ? &plan->script[client->step] : NULL;
}

/* What the script says instead of chance. */
static void follow(const struct sim_world *world, struct sim_client *client,
                   const struct sim_script_step *step, struct sim_history_row *row)
{
    row->operation.function = step->function;
    row->operation.key = step->key;
    row->operation.value = sim_function_reads(step->function) ? 0 : step->value;
    row->operation.expected = step->expected;
    if (step->value == 0 && !sim_function_reads(step->function)) {
        row->operation.value = (uint64_t)(row->operation.client - world->server_count + 1) << 32 |
                               (uint32_t)client->sequence;
    }
    if (step->server != SIM_NOBODY) {
        const uint32_t group = workload_of(world, client)->target_group;
        client->server = step->server - world->plan->groups[group].first_node;
        client->turn = client->server;
    }
}

/* ---- Time without an acknowledged write --------------------------------------------------- */

static bool may_begin(const struct sim_world *world, uint32_t workload)
{
    const struct sim_workload *w = &world->plan->workloads[workload];
    return world->phase == 1 ||
           (world->phase == 0 && !w->scripted && world->now_ns < w->stop_ns &&
            (!w->operations || world->workloads[workload].begun < w->operations));
}

/* Does a session wait for a write? */
static bool write_is_open(const struct sim_world *world)
{
    for (uint32_t node = world->server_count; node < world->node_count; node++) {
        const struct sim_client *client = &world->clients[node - world->server_count];
        if (client->open && !sim_operation_reads(&world->history[client->row].operation)) {
            return true;
        }
    }
    return false;
}

/* A script waits until its next step is due: that is a time off unless its last write failed, or
 * somebody else is at work that writes. */
static void end_time_off(struct sim_world *world)
{
    bool at_work = world->write_failed || write_is_open(world);
    for (uint32_t i = 0; i < world->plan->workload_count; i++) {
        const struct sim_workload *w = &world->plan->workloads[i];
        at_work |= !w->scripted && sim_workload_writes(w) && world->now_ns >= w->start_ns &&
                   may_begin(world, i);
    }
    if (!at_work && world->last_ack_ns < world->now_ns) {
        world->last_ack_ns = world->now_ns;
    }
}

/* Until when clients were at work that write: a time off is no outage. While settling all are. */
static uint64_t at_work_until_ns(const struct sim_world *world, bool settling)
{
    uint64_t until_ns = write_is_open(world) ? world->now_ns : world->last_ack_ns;
    for (uint32_t i = 0; i < world->plan->workload_count; i++) {
        const struct sim_workload *w = &world->plan->workloads[i];
        if (w->scripted && !settling) {
            continue; /* A step that is not due is not waited for. */
        }
        const bool used_up = w->operations && world->workloads[i].begun >= w->operations;
        const bool to_the_end = settling || w->stop_ns > world->now_ns;
        const uint64_t end_ns = to_the_end ? world->now_ns : w->stop_ns;
        if (sim_workload_writes(w) && (settling || !used_up) && end_ns > until_ns) {
            until_ns = end_ns;
        }
    }
    return until_ns;
}

static void note_gap(struct sim_world *world, uint64_t until_ns)
{
    const uint64_t gap = until_ns - world->last_ack_ns;
    if (gap > world->metrics.longest_gap_ns) {
        world->metrics.longest_gap_ns = gap;
    }
}

/* ---- Loops -------------------------------------------------------------------------------- */

/* Begin an operation that was due at `due_ns`. Always the same number of draws, but for a
 * transaction. */
static void begin(struct sim_world *world, uint32_t node, uint64_t due_ns)
{
    struct sim_client *client = client_of(world, node);
    const struct sim_workload *workload = workload_of(world, client);
    struct sim_workload_state *state = &world->workloads[client->workload];
    if (!sim_arena_grow_cold(world->arena, &world->history, &world->history_capacity,
                             world->history_count + 1, sizeof *world->history)) {
        world->out_of_memory = true;
        return;
    }
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
    client->in_doubt = false;
    client->row = world->history_count++;
    struct sim_history_row *row = row_of(world, client);
    *row = (struct sim_history_row){
        .operation = {.client = node,
                      .function = function,
                      .sequence = client->sequence,
                      .key = key,
                      /* Values are unique, so that a checker knows which write a read saw. */
                      .value = sim_function_reads(function)
                                   ? 0
                                   : (uint64_t)(node - world->server_count + 1) << 32 |
                                         (uint32_t)client->sequence,
                      .expected = function == SIM_CAS ? state->known[key - 1] : 0},
        .invoke_ns = due_ns,
        .return_ns = SIM_NEVER,
        .server = SIM_NOBODY,
        .outcome = SIM_OUTCOME_OPEN};
    const struct sim_script_step *step = next_step(world, client, node);
    if (step) {
        follow(world, client, step, row);
        client->step++;
        if (!sim_operation_reads(&row->operation)) {
            end_time_off(world);
        }
    } else {
        sim_request_compose(workload, &client->rng, state->appends, &row->operation);
    }
    client->open = true;
    world->metrics.operations++;
    const struct sim_operation *o = &row->operation;
    const uint64_t what = sim_trace_fold(o->key, o->value);
    sim_world_record(world, SIM_REC_INVOKE, node, SIM_NOBODY, o->function, 0, client->sequence,
                     o->function == SIM_TXN ? sim_trace_fold(what, o->expected) : what);
    row->invoke_event = world->trace.count;
    attempt(world, node);
}

static void become_idle(struct sim_world *world, uint32_t node)
{
    struct sim_client *client = client_of(world, node);
    const struct sim_workload *workload = workload_of(world, client);
    struct sim_workload_state *state = &world->workloads[client->workload];
    client->open = false;
    client->generation++; /* The time-out is void. */
    const struct sim_script_step *step = next_step(world, client, node);
    if (step) {
        later(world, node, step->at_ns > world->now_ns ? step->at_ns - world->now_ns : 0,
              CLIENT_BEGIN);
    } else if (!workload->open_loop) {
        client->stopped = !may_begin(world, client->workload);
        if (!client->stopped) {
            later(world, node, sim_dist_draw(&workload->interval, &client->rng), CLIENT_BEGIN);
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

/* An open loop: operations are due whether or not anybody is free to begin them. */
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
    state->running = may_begin(world, index);
    if (!state->running) {
        return;
    }
    state->begun++;
    const uint32_t node = state->idle;
    if (node != SIM_NOBODY) {
        state->idle = client_of(world, node)->next_idle;
        begin(world, node, world->now_ns);
    } else {
        queue_due(world, state);
    }
    const uint64_t next = sim_dist_draw(&workload->interval, &state->rng);
    sim_world_push(world, sim_add_sat(world->now_ns, next ? next : 1), SIM_PEND_WORKLOAD, index, 0,
                   0);
}

/* ---- How operations end -------------------------------------------------------------------- */

/* A write was acknowledged: what it means for availability and for clocks. */
static void note_write(struct sim_world *world, struct sim_workload_state *state,
                       const struct sim_history_row *row)
{
    struct sim_metrics *metrics = &world->metrics;
    note_gap(world, world->now_ns);
    world->last_ack_ns = world->now_ns;
    world->write_failed = false;
    world->progressed |= world->phase == 1 && row->invoke_event > world->demanded_after;
    if (row->operation.function != SIM_WRITE && row->operation.function != SIM_CAS) {
        return; /* Registers alone show who wrote last. */
    }
    const uint64_t wall_ns = sim_clock_wall_ns(&world->nodes[row->server].clock, world->now_ns);
    uint64_t *last = &state->wall_ns[row->operation.key - 1];
    metrics->clock_inversions += wall_ns < *last;
    *last = wall_ns;
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
    uint64_t *words = sim_arena_alloc_cold(world->arena, response->count * sizeof *words);
    if (!words) {
        world->out_of_memory = true;
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
    struct sim_client *client = client_of(world, node);
    struct sim_workload_state *state = &world->workloads[client->workload];
    struct sim_history_row *row = row_of(world, client);
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
        note_known(workload_of(world, client), state, row);
        sim_checks_acked(world->checks, row);
        if (!sim_operation_reads(&row->operation)) {
            note_write(world, state, row);
        }
        break;
    case SIM_OUTCOME_FAIL:
        world->metrics.operations_failed++;
        break;
    default:
        world->metrics.operations_info++;
    }
    become_idle(world, node);
}

/* Whom the session turns to next, in this operation or the one after. */
static void turn(struct sim_world *world, struct sim_client *client, uint64_t hint)
{
    const struct sim_workload *workload = workload_of(world, client);
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
    struct sim_client *client = client_of(world, node);
    const struct sim_workload *workload = workload_of(world, client);
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
            note_gap(world, world->now_ns);
            world->write_failed = true;
        }
        finish(world, node, known ? SIM_OUTCOME_FAIL : SIM_OUTCOME_INFO, SIM_NOBODY, NULL);
        return;
    }
    later(world, node, sim_dist_draw(&workload->backoff, &client->rng), CLIENT_RETRY);
}

void sim_clients_response(struct sim_world *world, uint32_t node, const struct sim_message *m)
{
    struct sim_client *client = client_of(world, node);
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

void sim_clients_event(struct sim_world *world, const struct sim_pending *event)
{
    const uint32_t node = event->target;
    struct sim_client *client = client_of(world, node);
    if (event->data2 != client->generation) {
        return;
    }
    switch ((enum client_event)event->data) {
    case CLIENT_BEGIN:
        client->stopped = !next_step(world, client, node) && !may_begin(world, client->workload);
        if (!client->stopped) {
            world->workloads[client->workload].begun++;
            begin(world, node, world->now_ns);
        }
        break;
    case CLIENT_TIMEOUT:
        client->in_doubt = true;
        try_again(world, node, SIM_NOBODY);
        break;
    case CLIENT_RETRY:
        attempt(world, node);
        break;
    }
}

/* ---- The run ------------------------------------------------------------------------------ */

static void workload_streams(struct sim_world *world, uint32_t index)
{
    const struct sim_workload *workload = &world->plan->workloads[index];
    const uint64_t name = sim_mix64(sim_hash_name("workload/") ^ sim_hash_name(workload->name));
    sim_rng_derive_hashed(&world->workloads[index].rng, world->seed, name);
    for (uint32_t i = 0; i < workload->client_count; i++) {
        const uint32_t node = workload->first_client + i;
        const uint64_t own =
            sim_mix64(sim_hash_name("client/") ^ sim_hash_name(world->plan->nodes[node].name));
        sim_rng_derive_hashed(&client_of(world, node)->rng, world->seed, own);
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
    workload_streams(world, index);
    for (uint32_t i = 0; i < workload->client_count; i++) {
        const uint32_t node = workload->first_client + i;
        struct sim_client *client = client_of(world, node);
        client->workload = index;
        const struct sim_script_step *step = next_step(world, client, node);
        if (workload->scripted) {
            client->stopped = !step;
            later(world, node, step ? step->at_ns : SIM_NEVER, CLIENT_BEGIN);
        } else if (workload->open_loop) { /* The first session is the first to be asked. */
            const uint32_t last = workload->first_client + workload->client_count - 1 - i;
            client_of(world, last)->next_idle = state->idle;
            state->idle = last;
        } else {
            later(world, node,
                  sim_add_sat(workload->start_ns, sim_dist_draw(&workload->interval, &client->rng)),
                  CLIENT_BEGIN);
        }
    }
    if (workload->open_loop) {
        state->running = true;
        sim_world_push(world, workload->start_ns, SIM_PEND_WORKLOAD, index, 0, 0);
    }
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
    world->last_ack_ns = SIM_NEVER;
    for (uint32_t i = 0; i < world->plan->workload_count; i++) {
        if (!workload_init(world, i)) {
            return SIM_ENOMEM;
        }
        const uint64_t start_ns = world->plan->workloads[i].start_ns;
        if (start_ns < world->last_ack_ns) {
            world->last_ack_ns = start_ns; /* The longest gap may be the first. */
        }
    }
    return SIM_OK;
}

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

void sim_clients_settle(struct sim_world *world)
{
    if (sim_clients_write(world)) { /* Those that had stopped begin to wait now. */
        const uint64_t until_ns = at_work_until_ns(world, false);
        note_gap(world, until_ns);
        world->last_ack_ns = until_ns < world->now_ns ? world->now_ns : world->last_ack_ns;
    }
    for (uint32_t node = world->server_count; node < world->node_count; node++) {
        struct sim_client *client = client_of(world, node);
        if (client->stopped) {
            client->stopped = false;
            later(world, node, 0, CLIENT_BEGIN);
        }
    }
    for (uint32_t i = 0; i < world->plan->workload_count; i++) {
        if (world->plan->workloads[i].open_loop && !world->workloads[i].running) {
            sim_world_push(world, world->now_ns, SIM_PEND_WORKLOAD, i, 0, 0);
        }
    }
}

void sim_clients_finish(struct sim_world *world)
{
    if (sim_clients_write(world) && world->phase < 2) {
        note_gap(world, at_work_until_ns(world, world->phase == 1));
    }
    for (uint32_t node = world->server_count; node < world->node_count; node++) {
        struct sim_client *client = client_of(world, node);
        if (client->open) {
            struct sim_history_row *row = row_of(world, client);
            row->outcome = SIM_OUTCOME_INFO;
            world->metrics.operations_info++;
            client->open = false;
        }
    }
}
