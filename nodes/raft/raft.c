#include "nodes/raft/raft_internal.h"

/* ---- The kind's table --------------------------------------------------------------------- */

static const char *const message_names[] = {
    [RAFT_PRE_VOTE] = "pre_vote",
    [RAFT_PRE_VOTE_REPLY] = "pre_vote_reply",
    [RAFT_REQUEST_VOTE] = "request_vote",
    [RAFT_REQUEST_VOTE_REPLY] = "request_vote_reply",
    [RAFT_APPEND_ENTRIES] = "append_entries",
    [RAFT_APPEND_ENTRIES_REPLY] = "append_entries_reply",
    [RAFT_TIMEOUT_NOW] = "timeout_now",
    [RAFT_INSTALL_SNAPSHOT] = "install_snapshot",
    [RAFT_INSTALL_SNAPSHOT_REPLY] = "install_snapshot_reply",
    [RAFT_HEARTBEAT] = "heartbeat",
    [RAFT_HEARTBEAT_REPLY] = "heartbeat_reply",
    [RAFT_MESSAGE_COUNT] = NULL,
};

static const char *const cluster_states[] = {"new", "existing", NULL};

static const char *const read_modes[] = {
    [RAFT_READ_LOG] = "log",
    [RAFT_READ_INDEX] = "read_index",
    [RAFT_READ_LEASE] = "lease",
    NULL,
};

static const struct sim_setting settings[RAFT_SET_COUNT] = {
    [RAFT_SET_ELECTION_TIMEOUT] =
        {.name = "election_timeout",
         .type = SIM_SETTING_DURATION_RANGE,
         .standard = {150 * SIM_MS, 300 * SIM_MS},
         .minimum = SIM_MS,
         .maximum = 3600 * SIM_S,
         .summary = "A follower that hears from no leader for a time drawn from this range "
                    "becomes a candidate."},
    [RAFT_SET_HEARTBEAT_INTERVAL] = {.name = "heartbeat_interval",
                                     .type = SIM_SETTING_DURATION,
                                     .standard = {50 * SIM_MS, 50 * SIM_MS},
                                     .minimum = SIM_US,
                                     .maximum = 3600 * SIM_S,
                                     .summary =
                                         "A leader sends to every follower at least this often."},
    [RAFT_SET_PRE_VOTE] =
        {.name = "pre_vote",
         .type = SIM_SETTING_BOOL,
         .maximum = 1,
         .summary =
             "Before it enters a new term, a node asks whether it could win "
             "(dissertation 9.6). Alone it lets a leader that hears nobody keep followers from "
             "electing another: use it with check_quorum."},
    [RAFT_SET_CHECK_QUORUM] =
        {.name = "check_quorum",
         .type = SIM_SETTING_BOOL,
         .maximum = 1,
         .summary = "A leader that does not hear from a majority steps down, and a node that "
                    "hears from its leader ignores candidates (dissertation 6.2, 4.2.3)."},
    [RAFT_SET_MAX_ENTRIES] = {.name = "max_entries_per_append",
                              .type = SIM_SETTING_COUNT,
                              .standard = {64, 64},
                              .minimum = 1,
                              .maximum = RAFT_MAX_ENTRIES,
                              .summary =
                                  "One append_entries carries at most this many log entries."},
    [RAFT_SET_NO_OP] = {.name = "no_op",
                        .type = SIM_SETTING_BOOL,
                        .standard = {1, 1},
                        .maximum = 1,
                        .summary =
                            "A new leader appends an empty entry, so that entries of earlier terms "
                            "commit without waiting for a client (dissertation 6.4)."},
    [RAFT_SET_CHECKSUM] =
        {.name = "checksum",
         .type = SIM_SETTING_BOOL,
         .standard = {1, 1},
         .maximum = 1,
         .summary = "A message whose checksum is wrong is dropped; off, it is believed."},
    [RAFT_SET_SNAPSHOT_THRESHOLD] =
        {.name = "snapshot_threshold",
         .type = SIM_SETTING_COUNT,
         .maximum = 1000000000,
         .summary = "A node that has applied this many entries since its last snapshot takes "
                    "another and discards the log before it (dissertation 5.1); 0: never."},
    [RAFT_SET_SNAPSHOT_TRAILING] =
        {.name = "snapshot_trailing",
         .type = SIM_SETTING_COUNT,
         .maximum = 1000000000,
         .summary = "So many entries before the snapshot stay in the log, for followers that are "
                    "a little behind."},
    [RAFT_SET_SNAPSHOT_CHUNK] = {.name = "snapshot_chunk",
                                 .type = SIM_SETTING_SIZE,
                                 .standard = {4096, 4096},
                                 .minimum = 16,
                                 .maximum = RAFT_MAX_CHUNK,
                                 .summary = "One install_snapshot carries at most this many bytes "
                                            "(dissertation 5.3)."},
    [RAFT_SET_INITIAL_MEMBERS] =
        {.name = "initial_members",
         .type = SIM_SETTING_COUNT,
         .maximum = 1024,
         .summary = "So many nodes of the group, from the first on, vote in the beginning; the "
                    "others wait to be added. 0: all. The same on all of them."},
    [RAFT_SET_INITIAL_CLUSTER_STATE] =
        {.name = "initial_cluster_state",
         .type = SIM_SETTING_CHOICE,
         .maximum = 1,
         .choices = cluster_states,
         .summary = "What an empty disk means at a boot. new: a cluster about to begin. existing: "
                    "the disk is lost, and with it votes and entries that others count on, so the "
                    "node stops safely instead of voting."},
    [RAFT_SET_READ_MODE] =
        {.name = "read_mode",
         .type = SIM_SETTING_CHOICE,
         .maximum = RAFT_READ_LEASE,
         .choices = read_modes,
         .summary = "Reads go through the log, or need a round of heartbeats, or only a lease, "
                    "which also keeps voters from electing another leader as long as it may last "
                    "(dissertation 6.4). The last two need no_op."},
    [RAFT_SET_LEASE_DRIFT] =
        {.name = "lease_drift_ppm",
         .type = SIM_SETTING_COUNT,
         .standard = {10000, 10000},
         .maximum = SIM_PPM - 1,
         .summary = "Leases hold as long as no clock's rate is wrong by more than this, in parts "
                    "per million."},
    [RAFT_SET_BATCH_DELAY] =
        {.name = "batch_delay",
         .type = SIM_SETTING_DURATION,
         .maximum = SIM_S,
         .summary = "A leader lets a new entry wait so long for others to share its message, if "
                    "max_entries_per_append have not come earlier (dissertation 10.2.2)."},
    [RAFT_SET_PIPELINE_WINDOW] =
        {.name = "pipeline_window",
         .type = SIM_SETTING_COUNT,
         .standard = {1024, 1024},
         .minimum = 1,
         .maximum = 1000000,
         .summary = "More entries are sent to a follower only while fewer than this are on their "
                    "way (dissertation 10.2.2); 1: a message waits for the answer to the last."},
    [RAFT_SET_WRITE_BEFORE_SEND] =
        {.name = "write_before_send",
         .type = SIM_SETTING_BOOL,
         .maximum = 1,
         .summary = "A leader sends an entry only when its own disk has it, instead of writing "
                    "and sending at once (dissertation 10.2.1)."},
    [RAFT_SET_SLOW_DISK_BOUND] =
        {.name = "slow_disk_bound",
         .type = SIM_SETTING_DURATION,
         .maximum = 3600 * SIM_S,
         .summary = "A leader whose disk takes longer than this for a sync hands over to another "
                    "or, if none takes over and it still waits, steps down; 0: never."},
};

static const char *const role_names[] = {"follower", "candidate", "leader", NULL};
static const char *const health_names[] = {"ok", "halted", NULL};

static const struct sim_fact facts[RAFT_FACT_COUNT] = {
    [RAFT_FACT_ROLE] = {"role", role_names},
    [RAFT_FACT_TERM] = {"term", NULL},
    [RAFT_FACT_COMMIT] = {"commit", NULL},
    [RAFT_FACT_LEADER] = {"leader", NULL}, /* A node number, -1 if not known. */
    [RAFT_FACT_HEALTH] = {"health", health_names},
    /* A bit for each place in the group; 0 as long as it is the first configuration. */
    [RAFT_FACT_VOTERS] = {"voters", NULL},
};

static const char *const command_names[] = {
    [RAFT_COMMAND_CAMPAIGN] = "campaign",
    [RAFT_COMMAND_TRANSFER] = "transfer_leadership",
    [RAFT_COMMAND_ADD_SERVER] = "add_server",
    [RAFT_COMMAND_REMOVE_SERVER] = "remove_server",
    [RAFT_COMMAND_ADD_LEARNER] = "add_learner",
    [RAFT_COMMAND_PROMOTE] = "promote",
    [RAFT_COMMAND_REPLACE_SERVER] = "replace_server",
    [RAFT_COMMAND_CHANGE_MEMBERSHIP] = "change_membership",
    NULL,
};

/* ---- Boot --------------------------------------------------------------------------------- */

uint32_t raft_place(const struct raft *r, uint32_t node)
{
    const uint32_t place = node - r->members[0]; /* A group's nodes are consecutive. */
    return place < r->member_count ? place : r->member_count;
}

static void read_settings(struct raft *r, struct sim_env *env)
{
    const struct sim_value election = sim_setting_range(env, RAFT_SET_ELECTION_TIMEOUT);
    r->config = (struct raft_config){
        .election_low_ns = (uint64_t)election.low,
        .election_high_ns = (uint64_t)election.high,
        .heartbeat_ns = (uint64_t)sim_setting(env, RAFT_SET_HEARTBEAT_INTERVAL),
        .max_entries = (uint32_t)sim_setting(env, RAFT_SET_MAX_ENTRIES),
        .batch_delay_ns = (uint64_t)sim_setting(env, RAFT_SET_BATCH_DELAY),
        .pipeline_window = (uint32_t)sim_setting(env, RAFT_SET_PIPELINE_WINDOW),
        .write_before_send = sim_setting(env, RAFT_SET_WRITE_BEFORE_SEND) != 0,
        .slow_disk_ns = (uint64_t)sim_setting(env, RAFT_SET_SLOW_DISK_BOUND),
        .snapshot_threshold = (uint64_t)sim_setting(env, RAFT_SET_SNAPSHOT_THRESHOLD),
        .snapshot_trailing = (uint64_t)sim_setting(env, RAFT_SET_SNAPSHOT_TRAILING),
        .snapshot_chunk_bytes = (uint32_t)sim_setting(env, RAFT_SET_SNAPSHOT_CHUNK),
        .read_mode = (uint32_t)sim_setting(env, RAFT_SET_READ_MODE),
        .lease_drift_ppm = (uint32_t)sim_setting(env, RAFT_SET_LEASE_DRIFT),
        .pre_vote = sim_setting(env, RAFT_SET_PRE_VOTE) != 0,
        .check_quorum = sim_setting(env, RAFT_SET_CHECK_QUORUM) != 0,
        .no_op = sim_setting(env, RAFT_SET_NO_OP) != 0,
        .checksum = sim_setting(env, RAFT_SET_CHECKSUM) != 0,
        .existing_cluster = sim_setting(env, RAFT_SET_INITIAL_CLUSTER_STATE) != 0,
    };
}

static bool join_group(struct raft *r, struct sim_env *env)
{
    r->self = sim_self(env);
    r->member_count = sim_group_size(env);
    r->members = sim_alloc(env, r->member_count * sizeof *r->members);
    r->peers = sim_alloc(env, r->member_count * sizeof *r->peers);
    if (!r->members || !r->peers) {
        return false;
    }
    for (uint32_t i = 0; i < r->member_count; i++) {
        r->members[i] = sim_group_member(env, i);
    }
    return raft_membership_start(r, env);
}

/* A member whose disk was lost has forgotten promises: it must not come back as itself. */
static bool has_lost_disk(const struct raft *r, const struct sim_env *env)
{
    return r->config.existing_cluster && !raft_has_bug(r, RAFT_R44) &&
           sim_disk_end(env, RAFT_FILE_LOG) == 0 && sim_disk_end(env, RAFT_FILE_HARD) == 0;
}

static void boot(struct raft *r, struct sim_env *env)
{
    for (uint32_t i = 0; i < RAFT_BUG_COUNT; i++) {
        r->bugs |= (uint64_t)sim_bug(env, i) << i;
    }
    r->role = SIM_ROLE_FOLLOWER;
    r->leader = SIM_NOBODY;
    r->vote = SIM_NOBODY;
    r->transfer_target = SIM_NOBODY;
    r->leader_heard_ns = sim_monotonic_ns(env); /* It may have promised something before. */
    kv_init(&r->kv);
    r->kv.without_sessions = raft_has_bug(r, RAFT_R16);
    read_settings(r, env);
    r->log.first = 1;
    const bool sound = join_group(r, env) && !has_lost_disk(r, env) && raft_hard_recover(r, env) &&
                       raft_snapshot_recover(r, env) && raft_log_recover(r, env);
    raft_snapshot_schedule(r);
    /* A write of the hard state that a crash took, while entries of its term survived: nothing
     * was promised in that term, so its number is enough. */
    if (raft_last_term(r) > r->term) {
        r->term = raft_last_term(r);
        r->vote = SIM_NOBODY;
        raft_hard_changed(r);
    }
    sim_publish(env, RAFT_FACT_TERM, (int64_t)r->term);
    sim_publish(env, RAFT_FACT_ROLE, 0);
    sim_publish(env, RAFT_FACT_COMMIT, (int64_t)r->commit);
    sim_publish(env, RAFT_FACT_LEADER, -1);
    sim_publish(env, RAFT_FACT_HEALTH, 0);
    if (!sound) {
        raft_halt(r, env);
        return;
    }
    raft_restart_election_timer(r, env);
    /* Only the leader of a term has both its own vote and entries of that term. */
    if (raft_has_bug(r, RAFT_R38) && r->vote == r->self && raft_last_term(r) == r->term) {
        raft_become_leader(r, env);
    }
}

/* ---- Events ------------------------------------------------------------------------------- */

static void configure(struct raft *r, struct sim_env *env)
{
    read_settings(r, env);
    r->sync_began_ns = SIM_NEVER;
    raft_snapshot_schedule(r);
    raft_lease_ends(r);
    if (r->role != SIM_ROLE_LEADER) {
        raft_restart_election_timer(r, env);
        return;
    }
    sim_timer_set(env, RAFT_TIMER_HEARTBEAT, r->config.heartbeat_ns);
    if (r->config.check_quorum) {
        sim_timer_set(env, RAFT_TIMER_ELECTION, r->config.election_high_ns);
    }
}

static void on_message(struct raft *r, struct sim_env *env, const struct sim_event *event)
{
    if (raft_place(r, event->from) == r->member_count || event->from == r->self) {
        return;
    }
    switch (event->message_kind) {
    case RAFT_APPEND_ENTRIES:
        raft_on_append(r, env, event);
        break;
    case RAFT_APPEND_ENTRIES_REPLY:
        raft_on_append_reply(r, env, event);
        break;
    case RAFT_PRE_VOTE:
    case RAFT_REQUEST_VOTE:
        raft_on_vote_request(r, env, event);
        break;
    case RAFT_PRE_VOTE_REPLY:
    case RAFT_REQUEST_VOTE_REPLY:
        raft_on_vote_reply(r, env, event);
        break;
    case RAFT_TIMEOUT_NOW:
        raft_on_timeout_now(r, env, event);
        break;
    case RAFT_INSTALL_SNAPSHOT:
        raft_on_install_snapshot(r, env, event);
        break;
    case RAFT_INSTALL_SNAPSHOT_REPLY:
        raft_on_install_reply(r, env, event);
        break;
    case RAFT_HEARTBEAT:
        raft_on_heartbeat(r, env, event);
        break;
    case RAFT_HEARTBEAT_REPLY:
        raft_on_heartbeat_reply(r, env, event);
        break;
    default:
        break;
    }
}

static void on_timer(struct raft *r, struct sim_env *env, uint32_t timer)
{
    switch (timer) {
    case RAFT_TIMER_ELECTION:
        raft_on_election_timer(r, env);
        break;
    case RAFT_TIMER_HEARTBEAT:
        raft_on_heartbeat_timer(r, env);
        break;
    case RAFT_TIMER_TRANSFER:
        raft_on_transfer_timer(r, env);
        break;
    case RAFT_TIMER_BATCH:
        if (r->role == SIM_ROLE_LEADER) {
            raft_batch_end(r, env);
        }
        break;
    default:
        break;
    }
}

static void on_command(struct raft *r, struct sim_env *env, const struct sim_event *event)
{
    if (event->command == RAFT_COMMAND_TRANSFER) {
        raft_transfer_start(r, env, event->from);
    } else if (event->command == RAFT_COMMAND_CAMPAIGN && r->role != SIM_ROLE_LEADER &&
               !raft_snapshot_installing(r) && raft_may_campaign(r) && !raft_has_promised(r, env)) {
        raft_campaign(r, env);
    } else if (event->command >= RAFT_COMMAND_ADD_SERVER) {
        raft_on_membership_command(r, env, event);
    }
}

void raft_step(struct raft *r, struct sim_env *env, const struct sim_event *event)
{
    if (SIM_UNLIKELY(r->halted)) {
        return;
    }
    switch ((enum sim_event_kind)event->kind) {
    case SIM_EVENT_BOOT:
        boot(r, env);
        break;
    case SIM_EVENT_MESSAGE:
        on_message(r, env, event);
        break;
    case SIM_EVENT_TIMER:
        on_timer(r, env, event->timer);
        break;
    case SIM_EVENT_SYNCED:
        raft_on_synced(r, env, event);
        break;
    case SIM_EVENT_OPERATION:
        raft_on_operation(r, env, event->operation);
        break;
    case SIM_EVENT_RESUME:
        break; /* Timers that are over fire by themselves. */
    case SIM_EVENT_CONFIGURE:
        configure(r, env);
        break;
    case SIM_EVENT_COMMAND:
        on_command(r, env, event);
        break;
    }
    raft_settle(r, env);
}

static void on_event(void *state, struct sim_env *env, const struct sim_event *event)
{
    raft_step(state, env, event);
}

/* ---- What invariants may see -------------------------------------------------------------- */

static void view(const void *state, struct sim_view *v)
{
    const struct raft *r = state;
    *v = (struct sim_view){
        .term = r->term,
        .vote = r->vote,
        .role = r->role,
        .asks_first = r->config.pre_vote,
        .first_index = r->log.first,
        .last_index = r->log.last,
        .commit_index = r->commit,
        .applied_index = r->applied,
        .snapshot_index = r->snapshot.index,
        .snapshot_term = r->snapshot.term,
        .snapshot_config_index = r->snapshot.config,
        .voters = r->membership.voters[0],
        .voter_count = r->membership.voter_count[0],
        .old_voters = r->membership.voters[1],
        .old_voter_count = r->membership.voter_count[1],
        .config_index = r->membership.count > 0 ? raft_in_force(r)->index : 0,
    };
}

static bool entry_id(const void *state, uint64_t index, struct sim_entry_id *id)
{
    const struct raft *r = state;
    if (index < r->log.first || index > r->log.last) {
        return false;
    }
    const struct raft_entry *entry = raft_entry_at(r, index);
    *id = (struct sim_entry_id){entry->term, entry->digest};
    return true;
}

static void progress(const void *state, uint32_t first, uint32_t count, struct sim_progress *peers)
{
    const struct raft *r = state;
    if (r->role != SIM_ROLE_LEADER) {
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t place = raft_place(r, first + i);
        if (place < r->member_count && first + i != r->self) {
            peers[i] = (struct sim_progress){r->peers[place].match, r->peers[place].next};
        }
    }
}

static uint64_t state_digest(const void *state)
{
    return kv_digest(&((const struct raft *)state)->kv);
}

static const struct sim_consensus consensus = {
    .log_file = RAFT_FILE_LOG,
    .hard_file = RAFT_FILE_HARD,
    .snapshot_file = RAFT_FILE_SNAPSHOT,
    .view = view,
    .entry = entry_id,
    .progress = progress,
    .state_digest = state_digest,
};

static size_t item_count(const void *state)
{
    return kv_item_count(&((const struct raft *)state)->kv);
}

static void item_at(const void *state, size_t i, struct sim_item *item)
{
    kv_item(&((const struct raft *)state)->kv, i, item);
}

static bool has_halted(const void *state)
{
    return ((const struct raft *)state)->halted;
}

static const struct sim_replica replica = {
    .count = item_count, .item = item_at, .halted = has_halted};

const struct sim_node_kind raft_kind = {
    .name = "raft",
    .summary = "A key-value store replicated by Raft (Ongaro and Ousterhout 2014).",
    .state_bytes = sizeof(struct raft),
    .event = on_event,
    .message_names = message_names,
    .settings = settings,
    .setting_count = RAFT_SET_COUNT,
    .facts = facts,
    .fact_count = RAFT_FACT_COUNT,
    .bugs = raft_planted_bugs,
    .bug_count = RAFT_BUG_COUNT,
    .commands = command_names,
    .consensus = &consensus,
    .replica = &replica,
    .streams = true,
};
