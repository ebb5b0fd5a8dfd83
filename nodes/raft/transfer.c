/* Leadership transfer (dissertation 3.10): by command, and away from a slow disk.
 *
 * The leader takes nothing new until the target has all of its log, and tells it to campaign at
 * once. Clients see a short refusal.
 *
 * A leader may hand over by itself, by the setting `slow_disk_bound`, when one of its syncs takes
 * longer: such a disk still works, so nothing else makes it go (TiKV's evict-slow-store is the same
 * idea, seen from outside). If nobody has taken over within an election timeout, and that sync has
 * still not ended, it steps down. It is not likely to win the election that follows, for its own
 * vote must be durable first. */
#include "nodes/raft/transfer.h"

#include "nodes/raft/replication.h"
#include "nodes/raft/role.h"

/* Place of the peer with the longest log; the first of equals. */
static uint32_t best_peer(const struct raft *r)
{
    uint32_t best = r->member_count;
    for (uint32_t i = 0; i < r->member_count; i++) {
        if (r->members[i] != r->self && r->peers[i].voter &&
            (best == r->member_count || r->peers[i].match > r->peers[best].match)) {
            best = i;
        }
    }
    return best;
}

void raft_transfer_start(struct raft *r, struct sim_env *env, uint32_t target)
{
    const uint32_t place = target == SIM_NOBODY ? best_peer(r) : raft_place(r, target);
    if (r->role != SIM_ROLE_LEADER || place >= r->member_count || r->members[place] == r->self ||
        !r->peers[place].voter) {
        return;
    }
    r->transfer_target = r->members[place];
    /* A leader that still leads after an election timeout goes on leading (3.10). */
    sim_timer_set(env, RAFT_TIMER_TRANSFER, r->config.election_high_ns);
    raft_batch_end(r, env);
    raft_transfer_check(r, env);
}

/* ---- Slow disks --------------------------------------------------------------------------- */

/* Has the sync under way taken too long already? */
static bool disk_is_slow(const struct raft *r, const struct sim_env *env)
{
    return r->syncing && r->sync_began_ns != SIM_NEVER &&
           sim_monotonic_ns(env) - r->sync_began_ns > r->config.slow_disk_ns;
}

void raft_watch_disk(struct raft *r, struct sim_env *env)
{
    if (r->role == SIM_ROLE_LEADER && r->transfer_target == SIM_NOBODY && disk_is_slow(r, env)) {
        raft_transfer_start(r, env, SIM_NOBODY);
    }
}

void raft_on_transfer_timer(struct raft *r, struct sim_env *env)
{
    r->transfer_target = SIM_NOBODY;
    if (r->role == SIM_ROLE_LEADER && disk_is_slow(r, env)) {
        raft_become_follower(r, env, r->term, SIM_NOBODY);
    }
}
