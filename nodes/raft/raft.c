/* The kind's table: what scenarios and invariants know of a Raft node. */
#include "nodes/raft/raft.h"

#include "nodes/raft/log.h"
#include "nodes/raft/membership.h"
#include "nodes/raft/message.h"
#include "nodes/raft/step.h"

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

static const char *const role_names[] = {"follower", "candidate", "leader", NULL};
static const char *const health_names[] = {"ok", "halted", NULL};

static const char *const timer_names[] = {[RAFT_TIMER_ELECTION] = "election",
                                          [RAFT_TIMER_HEARTBEAT] = "heartbeat",
                                          [RAFT_TIMER_TRANSFER] = "transfer",
                                          [RAFT_TIMER_BATCH] = "batch",
                                          NULL};

static const struct sim_fact facts[RAFT_FACT_COUNT] = {
    [RAFT_FACT_ROLE] = {"role", role_names},
    [RAFT_FACT_TERM] = {"term", NULL},
    [RAFT_FACT_COMMIT] = {"commit", NULL},
    [RAFT_FACT_LEADER] = {"leader", sim_fact_is_node},
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

/* ---- Events ------------------------------------------------------------------------------- */

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
    .timer_names = timer_names,
    .settings = raft_settings,
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
