/* The registry of checks, and what they share: set-up, the latch of the first violation, and
 * the verdicts at the end. The invariants themselves are in consensus.c and beside it. */
#include "sim/check/ghost.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

const struct sim_check_info sim_check_infos[SIM_CHECK_COUNT] = {
    [SIM_CHECK_ELECTION_SAFETY] = {"election_safety", "A term has at most one leader."},
    [SIM_CHECK_ONE_VOTE_PER_TERM] =
        {"one_vote_per_term",
         "A node's durable vote of a term never changes, and leaders are made of durable votes."},
    [SIM_CHECK_TERM_MONOTONIC] = {"term_monotonic", "A node's term never goes back."},
    [SIM_CHECK_LEADER_APPEND_ONLY] = {"leader_append_only",
                                      "A leader never removes or replaces an entry of its log."},
    [SIM_CHECK_LOG_MATCHING] =
        {"log_matching",
         "Logs with an entry of the same index and term are equal up to that entry."},
    [SIM_CHECK_LEADER_COMPLETENESS] = {"leader_completeness",
                                       "A new leader has every entry committed in earlier terms."},
    [SIM_CHECK_STATE_MACHINE_SAFETY] = {"state_machine_safety",
                                        "No two nodes apply different entries at the same index."},
    [SIM_CHECK_COMMIT_DURABLE_QUORUM] =
        {"commit_durable_quorum",
         "What a leader commits is on the disks of a majority at that moment."},
    [SIM_CHECK_COMMIT_OWN_TERM] =
        {"commit_own_term", "A leader moves its commit index only onto an entry of its own term."},
    [SIM_CHECK_COMMIT_MONOTONIC] =
        {"commit_monotonic",
         "Commit and applied index never go back, and entries are applied one by one."},
    [SIM_CHECK_MATCH_HONEST] = {"match_honest",
                                "What a leader believes a peer to hold is on that peer's disk."},
    [SIM_CHECK_NEXT_AFTER_MATCH] = {"next_after_match",
                                    "For every peer of a leader, match < next <= last index + 1."},
    [SIM_CHECK_ACKED_DURABLE] =
        {"acked_durable",
         "Every majority has a node with each acknowledged operation on its disk."},
    [SIM_CHECK_VOTE_UP_TO_DATE] = {"vote_up_to_date",
                                   "A vote goes only to a candidate whose log is as up to date."},
    [SIM_CHECK_LOG_CONTINUITY] =
        {"log_continuity", "A durable log has no gap, and none between it and its snapshot."},
    [SIM_CHECK_EXACTLY_ONCE] = {"exactly_once",
                                "An operation takes effect once, however often it was sent."},
    [SIM_CHECK_CRASH_FREE] = {"crash_free", "The code of no node fails."},
    [SIM_CHECK_LIVENESS] = {"liveness",
                            "Once a quorum is healed, operations are acknowledged again."},
    [SIM_CHECK_LEASE_SAFETY] = {"lease_safety", "A read without a log entry sees all that was "
                                                "committed before; no lease outlives its leader."},
    [SIM_CHECK_CONFIG_SAFETY] =
        {"config_safety",
         "One configuration changes at a time, majorities meet, and every node counts by its log."},
    [SIM_CHECK_SNAPSHOT_SAFETY] =
        {"snapshot_safety",
         "A snapshot holds what applying the entries up to its index gives, and their last term."},
    [SIM_CHECK_DISRUPTION_FREE] =
        {"disruption_free",
         "Nobody unsettles a leader that it cannot replace: by a new term, or by a transfer."},
    [SIM_CHECK_CONVERGENCE] =
        {"convergence",
         "Once healed, replicas become equal and hold what was acknowledged and nothing else."},
    [SIM_CHECK_LINEARIZABLE] =
        {"linearizable",
         "Operations take effect one at a time, each between its invocation and its return."},
    [SIM_CHECK_STRICT_SERIALIZABLE] =
        {"strict_serializable",
         "Transactions take effect one at a time, each between its invocation and its return."},
    [SIM_CHECK_STRONG_SESSION_SERIALIZABLE] =
        {"strong_session_serializable",
         "Transactions take effect one at a time, those of each client in its order."},
    [SIM_CHECK_SERIALIZABLE] = {"serializable",
                                "Transactions take effect one at a time, in whatever order."},
    [SIM_CHECK_SNAPSHOT_ISOLATION] =
        {"snapshot_isolation",
         "A transaction reads one state, and writes only what nobody wrote since."},
    [SIM_CHECK_READ_COMMITTED] =
        {"read_committed",
         "No transaction reads what another failed to write, or was still to write over."},
    [SIM_CHECK_SEQUENTIAL] =
        {"sequential", "Operations take effect one at a time, those of each client in its order."},
    [SIM_CHECK_CAUSAL_CONVERGENCE] =
        {"causal_convergence",
         "Reads see their causal past (CCv), in one order of all writes for everybody."},
    [SIM_CHECK_CAUSAL_MEMORY] =
        {"causal_memory",
         "All that one client reads fits one order of all writes that keeps to causality (CM)."},
    [SIM_CHECK_CAUSAL] =
        {"causal", "Whoever sees a write sees what it came after, by sessions and reads (CC)."},
    [SIM_CHECK_PRAM] =
        {"pram", "All that one client reads fits one order of all writes that keeps to sessions."},
    [SIM_CHECK_READ_YOUR_WRITES] = {"read_your_writes",
                                    "A client sees what it wrote before, or what is newer."},
    [SIM_CHECK_MONOTONIC_READS] = {"monotonic_reads",
                                   "A client never sees an older version than it saw before."},
    [SIM_CHECK_MONOTONIC_WRITES] =
        {"monotonic_writes", "Lists show what a client appended in its order, without gaps."},
    [SIM_CHECK_WRITES_FOLLOW_READS] =
        {"writes_follow_reads", "Where a write is seen, so is what its client had seen before."},
};

const char *sim_verdict_name(uint32_t verdict)
{
    static const char *const names[SIM_VERDICT_COUNT] = {
        [SIM_HOLDS] = "holds", [SIM_VIOLATED] = "violated",       [SIM_VACUOUS] = "vacuous",
        [SIM_STUCK] = "stuck", [SIM_UNAVAILABLE] = "unavailable", [SIM_UNKNOWN] = "unknown",
    };
    assert(verdict < SIM_VERDICT_COUNT);
    return names[verdict];
}

/* ---- Set-up ----------------------------------------------------------------------------- */

static bool add_group(struct sim_checks *checks, uint32_t number)
{
    struct sim_world *world = checks->world;
    const struct sim_plan_group *plan = &world->plan->groups[number];
    struct sim_ghost_group *group = &checks->groups[number];
    group->first_node = plan->first_node;
    group->node_count = plan->node_count;
    for (uint32_t i = 0; i < plan->node_count; i++) {
        const uint32_t node = plan->first_node + i;
        assert(node < checks->node_count);
        struct sim_ghost_node *ghost = &checks->nodes[node];
        ghost->consensus = sim_consensus_of(&world->nodes[node]);
        if (!ghost->consensus) {
            continue;
        }
        ghost->group = group;
        ghost->incarnation = SIM_NOBODY;
        group->consensus = ghost->consensus;
        ghost->peers = sim_world_alloc(world, plan->node_count * sizeof *ghost->peers);
        ghost->peers_now = sim_world_alloc(world, plan->node_count * sizeof *ghost->peers_now);
        ghost->heard_terms = sim_world_alloc(world, plan->node_count * sizeof *ghost->heard_terms);
        if (!ghost->peers || !ghost->peers_now || !ghost->heard_terms) {
            return false;
        }
    }
    return true;
}

struct sim_checks *sim_checks_new(struct sim_world *world, uint64_t enabled)
{
    struct sim_checks *checks = sim_world_alloc(world, sizeof *checks);
    if (!checks) {
        return NULL;
    }
    checks->world = world;
    checks->enabled = enabled & (SIM_CHECK_BIT(SIM_CHECK_COUNT) - 1);
    checks->watching = checks->enabled;
    checks->node_count = world->server_count;
    checks->group_count = world->plan->group_count;
    for (uint32_t i = 0; i < SIM_CHECK_COUNT; i++) {
        checks->states[i].verdict = SIM_VACUOUS;
    }
    if (checks->node_count == 0 || checks->group_count == 0) {
        checks->node_count = 0;
        return checks;
    }
    checks->nodes = sim_world_alloc(world, checks->node_count * sizeof *checks->nodes);
    checks->groups = sim_world_alloc(world, checks->group_count * sizeof *checks->groups);
    if (!checks->nodes || !checks->groups) {
        return NULL;
    }
    for (uint32_t i = 0; i < checks->group_count; i++) {
        if (!add_group(checks, i)) {
            return NULL;
        }
    }
    return checks;
}

/* ---- The latch -------------------------------------------------------------------------- */

const char *sim_check_node_name(const struct sim_checks *checks, uint32_t node)
{
    if (node >= checks->world->node_count) {
        return "an unknown node";
    }
    return checks->world->nodes[node].plan->name;
}

/* `event` is 0 if the record before shows it: then it need not be said in the trace. */
static void latch(struct sim_checks *checks, uint32_t check, uint32_t node, uint64_t at_ns,
                  uint64_t event)
{
    struct sim_world *world = checks->world;
    struct sim_check_state *state = &checks->states[check];
    state->violated = true;
    state->at_ns = at_ns;
    state->event = event ? event : world->trace.count;
    checks->watching &= ~SIM_CHECK_BIT(check);
    sim_world_record(world, SIM_REC_VIOLATION, node, SIM_NOBODY, check, 0, event, 0);
}

static void say(struct sim_checks *checks, uint32_t check, const char *format, va_list arguments)
{
    struct sim_check_state *state = &checks->states[check];
    state->exercised += state->exercised == 0;
    vsnprintf(state->detail, sizeof state->detail, format, arguments);
}

void sim_check_violate(struct sim_checks *checks, uint32_t check, uint32_t node, const char *format,
                       ...)
{
    if (!sim_check_watched(checks, check)) {
        return;
    }
    va_list arguments;
    va_start(arguments, format);
    say(checks, check, format, arguments);
    va_end(arguments);
    latch(checks, check, node, checks->world->now_ns, 0);
}

void sim_check_violate_at(struct sim_checks *checks, uint32_t check, uint32_t node, uint64_t at_ns,
                          uint64_t event, const char *format, ...)
{
    if (!sim_check_watched(checks, check)) {
        return;
    }
    va_list arguments;
    va_start(arguments, format);
    say(checks, check, format, arguments);
    va_end(arguments);
    latch(checks, check, node, at_ns, event);
}

void sim_check_judge(struct sim_checks *checks, uint32_t check, uint32_t verdict,
                     const char *detail)
{
    assert(verdict < SIM_VERDICT_COUNT);
    struct sim_check_state *state = &checks->states[check];
    if (!(checks->enabled >> check & 1)) {
        return;
    }
    state->judged = true;
    state->verdict = verdict;
    state->exercised += verdict != SIM_VACUOUS;
    snprintf(state->detail, sizeof state->detail, "%s", detail);
    const bool bad = verdict == SIM_STUCK || verdict == SIM_VIOLATED;
    if (bad && sim_check_watched(checks, check)) {
        latch(checks, check, SIM_NOBODY, checks->world->now_ns, 0);
    }
    state->violated = bad;
}

/* ---- Checks that need no ghost ---------------------------------------------------------- */

/* I22. A correct node has no reason to fail whatever the world does to it, so there is nothing
 * to allow for. */
void sim_checks_node_failed(struct sim_checks *checks, uint32_t node, const char *why)
{
    if (node < checks->node_count) {
        checks->nodes[node].failed = true;
    }
    sim_check_violate(checks, SIM_CHECK_CRASH_FREE, node, "%s failed: %s",
                      sim_check_node_name(checks, node), why);
}

void sim_checks_liveness(struct sim_checks *checks, uint32_t verdict, const char *detail)
{
    sim_check_judge(checks, SIM_CHECK_LIVENESS, verdict, detail);
}

/* ---- The end ---------------------------------------------------------------------------- */

static void last_looks(struct sim_checks *checks)
{
    for (uint32_t i = 0; i < checks->group_count; i++) {
        struct sim_ghost_group *group = &checks->groups[i];
        /* Without memory a node may have been left half way: its state says nothing. */
        if (!group->consensus || checks->world->out_of_memory) {
            continue;
        }
        for (uint32_t n = 0; n < group->node_count; n++) {
            sim_check_disk(checks, group->first_node + n);
        }
        if (sim_check_watched(checks, SIM_CHECK_LOG_MATCHING)) {
            sim_check_scan(checks, group, true);
        }
        if (sim_check_watched(checks, SIM_CHECK_ACKED_DURABLE)) {
            sim_check_acked_all(checks, group);
        }
    }
}

static void say_cut_short(const struct sim_checks *checks, struct sim_check_state *state)
{
    const struct sim_world *world = checks->world;
    snprintf(state->detail, sizeof state->detail,
             "the run was cut short at %" PRIu64 ".%03" PRIu64 " s, after %" PRIu64 " events",
             world->now_ns / SIM_S, world->now_ns / SIM_MS % 1000, world->trace.count);
}

void sim_checks_finish(struct sim_checks *checks)
{
    if (checks->finished) {
        return;
    }
    last_looks(checks);
    if (!checks->world->out_of_memory && !checks->world->cut_short) {
        if (sim_check_watched(checks, SIM_CHECK_CONVERGENCE)) {
            sim_check_convergence(checks);
        }
        sim_check_consistency(checks);
    }
    checks->finished = true;
    checks->states[SIM_CHECK_CRASH_FREE].exercised += checks->world->steps;
    for (uint32_t i = 0; i < SIM_CHECK_COUNT; i++) {
        struct sim_check_state *state = &checks->states[i];
        if (state->judged || !(checks->enabled >> i & 1)) {
            continue;
        }
        state->verdict = state->violated            ? SIM_VIOLATED
                         : checks->world->cut_short ? SIM_UNKNOWN
                         : state->exercised         ? SIM_HOLDS
                                                    : SIM_VACUOUS;
        if (state->verdict == SIM_UNKNOWN) {
            say_cut_short(checks, state);
        }
    }
}

const struct sim_check_state *sim_checks_state(const struct sim_checks *checks, uint32_t check)
{
    assert(check < SIM_CHECK_COUNT);
    return &checks->states[check];
}

uint64_t sim_checks_enabled(const struct sim_checks *checks)
{
    return checks->enabled;
}
