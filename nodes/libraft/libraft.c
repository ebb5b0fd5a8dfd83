/* The node kind itself: its table, how it boots, and what each event means to the library. */
#include "nodes/libraft/storage.h"

static const char *const timer_names[] = {"tick", NULL};

static const char *const message_names[] = {
    "append_entries",   "append_entries_result", "request_vote", "request_vote_result",
    "install_snapshot", "timeout_now",           NULL,
};

enum command { TRANSFER_LEADERSHIP };
static const char *const commands[] = {"transfer_leadership", NULL};

enum setting {
    ELECTION_TIMEOUT,
    HEARTBEAT_TIMEOUT,
    INSTALL_SNAPSHOT_TIMEOUT,
    SNAPSHOT_THRESHOLD,
    SNAPSHOT_TRAILING,
    PRE_VOTE,
};

#define DURATION(name_, standard_, summary_)                                                       \
    {                                                                                              \
        .name = name_, .type = SIM_SETTING_DURATION, .standard = {standard_, standard_},           \
        .minimum = SIM_MS, .maximum = INT64_C(1000000) * (int64_t)SIM_MS, .summary = summary_      \
    }

/* Defaults of the library. */
static const struct sim_setting settings[] = {
    [ELECTION_TIMEOUT] =
        DURATION("election_timeout", 1000 * (int64_t)SIM_MS,
                 "a follower waits this long to twice as long for a leader; whole milliseconds"),
    [HEARTBEAT_TIMEOUT] = DURATION("heartbeat_timeout", 100 * (int64_t)SIM_MS,
                                   "between two ticks of the library, and two heartbeats"),
    [INSTALL_SNAPSHOT_TIMEOUT] =
        DURATION("install_snapshot_timeout", 30000 * (int64_t)SIM_MS,
                 "a leader sends a snapshot again after this without an answer"),
    [SNAPSHOT_THRESHOLD] = {.name = "snapshot_threshold",
                            .type = SIM_SETTING_COUNT,
                            .standard = {1024, 1024},
                            .minimum = 1,
                            .maximum = INT32_MAX,
                            .summary = "entries applied before another snapshot is taken"},
    [SNAPSHOT_TRAILING] = {.name = "snapshot_trailing",
                           .type = SIM_SETTING_COUNT,
                           .standard = {2048, 2048},
                           .minimum = 1,
                           .maximum = INT32_MAX,
                           .summary = "entries before a snapshot that stay in the log"},
    [PRE_VOTE] = {.name = "pre_vote",
                  .type = SIM_SETTING_BOOL,
                  .standard = {0, 0},
                  .minimum = 0,
                  .maximum = 1,
                  .summary = "ask for a vote without a new term first (dissertation, 9.6)"},
};

/* ---- Boot ---------------------------------------------------------------------------------- */

static unsigned milliseconds(const struct libraft_node *node, uint32_t setting)
{
    return (unsigned)((uint64_t)sim_setting(node->env, setting) / SIM_MS);
}

static void configure(struct libraft_node *node)
{
    struct raft *raft = &node->raft;
    raft_set_election_timeout(raft, milliseconds(node, ELECTION_TIMEOUT));
    raft_set_heartbeat_timeout(raft, milliseconds(node, HEARTBEAT_TIMEOUT));
    raft_set_install_snapshot_timeout(raft, milliseconds(node, INSTALL_SNAPSHOT_TIMEOUT));
    raft_set_snapshot_threshold(raft, (unsigned)sim_setting(node->env, SNAPSHOT_THRESHOLD));
    raft_set_snapshot_trailing(raft, (unsigned)sim_setting(node->env, SNAPSHOT_TRAILING));
    raft_set_pre_vote(raft, sim_setting(node->env, PRE_VOTE) != 0);
    node->tick_ms = raft->heartbeat_timeout;
}

/* Every node of the group starts from the same first entry: all of them, as voters. */
static int bootstrap(struct libraft_node *node)
{
    struct raft_configuration configuration;
    raft_configuration_init(&configuration);
    int status = 0;
    for (uint32_t place = 0; place < node->group_size && status == 0; place++) {
        char address[LIBRAFT_ADDRESS_MAX];
        libraft_address(node->first_node + place, address);
        status = raft_configuration_add(&configuration, place + 1, address, RAFT_VOTER);
    }
    if (status == 0) {
        status = raft_bootstrap(&node->raft, &configuration);
    }
    raft_configuration_close(&configuration);
    return status;
}

static int start(struct libraft_node *node)
{
    const uint32_t self = sim_self(node->env);
    char address[LIBRAFT_ADDRESS_MAX];
    libraft_address(self, address);
    libraft_io_init(node);
    libraft_fsm_init(node);
    node->voters = sim_alloc(node->env, node->group_size * sizeof *node->voters);
    if (!node->voters) {
        return RAFT_NOMEM;
    }
    int status = raft_init(&node->raft, &node->io, &node->fsm, libraft_id_of(node, self), address);
    if (status != 0) {
        return status;
    }
    configure(node);
    if (libraft_is_pristine(node)) {
        status = bootstrap(node);
    }
    return status != 0 ? status : raft_start(&node->raft);
}

static void boot(struct libraft_node *node)
{
    node->first_node = sim_group_member(node->env, 0);
    node->group_size = sim_group_size(node->env);
    node->started = true;
    node->halted = start(node) != 0;
}

/* ---- Clients ------------------------------------------------------------------------------- */

struct request {
    struct raft_apply apply;
    struct libraft_node *node;
    struct sim_operation operation;
};

/* An operation in the log has been applied here, or is nobody's business here any more. Only
 * the first is certain: an entry of a leader that lost its office may yet be committed. */
static void applied(struct raft_apply *apply, int status, void *result)
{
    struct request *request = apply->data;
    struct libraft_node *node = request->node;
    if (status == 0) {
        kv_reply(&node->kv, node->env, &request->operation, node->answer, node->value);
    }
    sim_release(node->env, request);
}

/* Definitely not done here: where to go instead. */
static void turn_away(struct libraft_node *node, const struct sim_operation *operation)
{
    raft_id leader = 0;
    const char *address;
    if (node->raft.state != RAFT_UNAVAILABLE) {
        raft_leader(&node->raft, &leader, &address);
    }
    if (leader == node->raft.id) { /* Its own leader, but it hands over its office. */
        sim_reply(node->env, operation->client, operation->sequence, SIM_ANSWER_REFUSED, 0);
        return;
    }
    sim_reply(node->env, operation->client, operation->sequence, SIM_ANSWER_NOT_LEADER,
              libraft_number_of(node, leader));
}

static void operate(struct libraft_node *node, const struct sim_operation *operation)
{
    struct request *request = sim_alloc(node->env, sizeof *request);
    struct raft_buffer buffer = {.base = raft_malloc(SIM_OPERATION_BYTES),
                                 .len = SIM_OPERATION_BYTES};
    if (!request || !buffer.base) {
        return; /* The world is full: the run ends. */
    }
    sim_operation_encode(operation, buffer.base);
    request->node = node;
    request->operation = *operation;
    request->apply.data = request;
    if (raft_apply(&node->raft, &request->apply, &buffer, 1, applied) != 0) {
        raft_free(buffer.base);
        sim_release(node->env, request);
        turn_away(node, operation);
    }
}

/* ---- Leadership transfer -------------------------------------------------------------------- */

static void transferred(struct raft_transfer *transfer)
{
    raft_free(transfer);
}

static void transfer_leadership(struct libraft_node *node, uint32_t target)
{
    const raft_id id = target == SIM_NOBODY ? 0 : libraft_id_of(node, target);
    if (target != SIM_NOBODY && id == 0) {
        return; /* Not of this group. */
    }
    struct raft_transfer *transfer = raft_calloc(1, sizeof *transfer);
    if (transfer && raft_transfer(&node->raft, transfer, id, transferred) != 0) {
        raft_free(transfer); /* Not the leader, or one is going on. */
    }
}

/* ---- Events --------------------------------------------------------------------------------- */

static void handle(struct libraft_node *node, const struct sim_event *event)
{
    switch ((enum sim_event_kind)event->kind) {
    case SIM_EVENT_BOOT:
        boot(node);
        break;
    case SIM_EVENT_MESSAGE:
        libraft_io_message(node, event);
        break;
    case SIM_EVENT_TIMER:
        libraft_io_tick(node);
        break;
    case SIM_EVENT_SYNCED:
        libraft_io_synced(node, event->status);
        break;
    case SIM_EVENT_OPERATION:
        operate(node, event->operation);
        break;
    case SIM_EVENT_CONFIGURE:
        configure(node);
        break;
    case SIM_EVENT_COMMAND:
        if (event->command == TRANSFER_LEADERSHIP) {
            transfer_leadership(node, event->from);
        }
        break;
    case SIM_EVENT_RESUME: /* A late tick follows by itself. */
        break;
    }
}

static void libraft_event(void *state, struct sim_env *env, const struct sim_event *event)
{
    struct libraft_node *node = state;
    node->env = env;
    libraft_heap_enter(env);
    if (!node->halted) {
        handle(node, event);
    }
    if (!node->halted) {
        libraft_fsm_report(node);
        libraft_io_settle(node);
    }
    if (node->voters) {
        libraft_publish(node);
    }
    libraft_heap_enter(NULL);
    node->env = NULL;
}

const struct sim_node_kind libraft_kind = {
    .name = "libraft",
    .summary = "Debian's libraft 0.15.0, unmodified, as a replicated key-value store.",
    .state_bytes = sizeof(struct libraft_node),
    .event = libraft_event,
    .message_names = message_names,
    .timer_names = timer_names,
    .settings = settings,
    .setting_count = sizeof settings / sizeof *settings,
    .facts = libraft_facts,
    .fact_count = LIBRAFT_FACT_COUNT,
    .commands = commands,
    .consensus = &libraft_consensus,
    .replica = &libraft_replica,
    .streams = true,
};
