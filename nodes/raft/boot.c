/* What a node takes up when it starts: its disk, or nothing (dissertation 3.8); and how it takes a
 * changed setting. */
#include "nodes/raft/boot.h"

#include "nodes/raft/log.h"
#include "nodes/raft/membership.h"
#include "nodes/raft/role.h"
#include "nodes/raft/snapshot.h"
#include "nodes/raft/storage.h"

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

void raft_boot(struct raft *r, struct sim_env *env)
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
    raft_settings_read(&r->config, env);
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

void raft_configure(struct raft *r, struct sim_env *env)
{
    raft_settings_read(&r->config, env);
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
