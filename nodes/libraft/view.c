/* What people and invariants see of a node. Read after every event: nothing here allocates
 * or walks the log. */
#include "nodes/libraft/libraft_internal.h"

static const char *const role_names[] = {"follower", "candidate", "leader", "unavailable", NULL};

const struct sim_fact libraft_facts[LIBRAFT_FACT_COUNT] = {
    [FACT_ROLE] = {.name = "role", .values = role_names},
    [FACT_TERM] = {.name = "term"},
    [FACT_COMMIT] = {.name = "commit"},
    [FACT_APPLIED] = {.name = "applied"},
    [FACT_LAST] = {.name = "last"},
    [FACT_SNAPSHOT] = {.name = "snapshot"},
};

/* ---- The library's log: a ring, whose first entry has index offset + 1 --------------------- */

static size_t entry_count(const struct raft_log *log)
{
    return log->front <= log->back ? log->back - log->front : log->size - log->front + log->back;
}

raft_index libraft_last_index(const struct raft *raft)
{
    return raft->log.offset + entry_count(&raft->log);
}

const struct raft_entry *libraft_entry_at(const struct raft *raft, raft_index index)
{
    const struct raft_log *log = &raft->log;
    if (index <= log->offset || index > libraft_last_index(raft)) {
        return NULL;
    }
    return &log->entries[(log->front + (size_t)(index - 1 - log->offset)) % log->size];
}

/* ---- The view ------------------------------------------------------------------------------ */

static uint32_t role_of(const struct libraft_node *node)
{
    const struct raft *raft = &node->raft;
    if (!node->started || node->halted) {
        return SIM_ROLE_NONE;
    }
    switch (raft->state) {
    case RAFT_FOLLOWER:
        return SIM_ROLE_FOLLOWER;
    case RAFT_CANDIDATE: /* Before the vote proper it has not moved to a new term. */
        return raft->candidate_state.in_pre_vote ? SIM_ROLE_FOLLOWER : SIM_ROLE_CANDIDATE;
    case RAFT_LEADER:
        return SIM_ROLE_LEADER;
    default:
        return SIM_ROLE_NONE;
    }
}

static void view(const void *state, struct sim_view *view)
{
    const struct libraft_node *node = state;
    const struct raft *raft = &node->raft;
    *view = (struct sim_view){
        .term = raft->current_term,
        .vote = libraft_number_of(node, raft->voted_for),
        .role = role_of(node),
        .asks_first = raft->pre_vote,
        .first_index = raft->log.offset + 1,
        .last_index = libraft_last_index(raft),
        .commit_index = raft->commit_index,
        .applied_index = raft->last_applied,
        .snapshot_index = raft->log.snapshot.last_index,
        .snapshot_term = raft->log.snapshot.last_term,
        .voters = node->voters,
        .voter_count = node->voter_count,
    };
}

static bool entry(const void *state, uint64_t index, struct sim_entry_id *id)
{
    const struct libraft_node *node = state;
    const struct raft_entry *found = libraft_entry_at(&node->raft, index);
    if (!found) {
        return false;
    }
    *id = (struct sim_entry_id){.term = found->term, .digest = libraft_entry_digest(found)};
    return true;
}

static void progress(const void *state, uint32_t first, uint32_t count, struct sim_progress *peers)
{
    const struct libraft_node *node = state;
    const struct raft *raft = &node->raft;
    if (!node->started || raft->state != RAFT_LEADER) {
        return;
    }
    for (unsigned i = 0; i < raft->configuration.n; i++) {
        const raft_id id = raft->configuration.servers[i].id;
        const uint32_t place = libraft_number_of(node, id) - first;
        if (id != raft->id && place < count) {
            const struct raft_progress *known = &raft->leader_state.progress[i];
            peers[place] = (struct sim_progress){known->match_index, known->next_index};
        }
    }
}

const struct sim_consensus libraft_consensus = {
    .log_file = LIBRAFT_LOG,
    .hard_file = LIBRAFT_HARD,
    .snapshot_file = LIBRAFT_SNAPSHOT,
    .view = view,
    .entry = entry,
    .progress = progress,
};

static void note_voters(struct libraft_node *node)
{
    const struct raft_configuration *configuration = &node->raft.configuration;
    node->voter_count = 0;
    for (unsigned i = 0; i < configuration->n && node->voter_count < node->group_size; i++) {
        if (configuration->servers[i].role == RAFT_VOTER) {
            node->voters[node->voter_count++] =
                libraft_number_of(node, configuration->servers[i].id);
        }
    }
}

void libraft_publish(struct libraft_node *node)
{
    static const int64_t roles[] = {[SIM_ROLE_NONE] = 3,
                                    [SIM_ROLE_FOLLOWER] = 0,
                                    [SIM_ROLE_CANDIDATE] = 1,
                                    [SIM_ROLE_LEADER] = 2};
    const struct raft *raft = &node->raft;
    note_voters(node);
    sim_publish(node->env, FACT_TERM, (int64_t)raft->current_term);
    sim_publish(node->env, FACT_ROLE, roles[role_of(node)]);
    sim_publish(node->env, FACT_COMMIT, (int64_t)raft->commit_index);
    sim_publish(node->env, FACT_APPLIED, (int64_t)raft->last_applied);
    sim_publish(node->env, FACT_LAST, (int64_t)libraft_last_index(raft));
    sim_publish(node->env, FACT_SNAPSHOT, (int64_t)raft->log.snapshot.last_index);
}

static size_t item_count(const void *state)
{
    return kv_item_count(&((const struct libraft_node *)state)->kv);
}

static void item_at(const void *state, size_t i, struct sim_item *item)
{
    kv_item(&((const struct libraft_node *)state)->kv, i, item);
}

static bool has_halted(const void *state)
{
    return ((const struct libraft_node *)state)->halted;
}

const struct sim_replica libraft_replica = {
    .count = item_count, .item = item_at, .halted = has_halted};
