/* Leadership transfer (dissertation 3.10): by command, and away from a slow disk.
 *
 * The leader takes nothing new until the target has all of its log, and tells it to campaign at
 * once. Clients see a short refusal.
 *
 * A leader may hand over by itself, by the setting `slow_disk_bound`, when one of its syncs takes
 * longer: such a disk still works, so nothing else makes it go (TiKV's evict-slow-store is the same
 * idea, seen from outside). It goes only to one that is quicker, and has more of the log on its
 * disk when the sync ends: where all disks are slow, elections, which wait for disks, would only
 * make it worse. For the same reason it does not simply step down. */
#include "nodes/raft/transfer.h"

#include "nodes/raft/replication.h"

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

static void begin(struct raft *r, struct sim_env *env, uint32_t place, bool leaving_disk)
{
    if (r->role != SIM_ROLE_LEADER || place >= r->member_count || r->members[place] == r->self ||
        !r->peers[place].voter) {
        return;
    }
    r->transfer_target = r->members[place];
    r->leaving_disk = leaving_disk;
    /* A leader that still leads after an election timeout goes on leading (3.10). */
    sim_timer_set(env, RAFT_TIMER_TRANSFER, r->config.election_high_ns);
    raft_batch_end(r, env);
    raft_transfer_check(r, env);
}

void raft_transfer_start(struct raft *r, struct sim_env *env, uint32_t target)
{
    begin(r, env, target == SIM_NOBODY ? best_peer(r) : raft_place(r, target), false);
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
        begin(r, env, best_peer(r), true);
    }
}

void raft_stay_on_disk(struct raft *r, struct sim_env *env)
{
    if (r->transfer_target != SIM_NOBODY && r->leaving_disk &&
        r->peers[raft_place(r, r->transfer_target)].match <= r->log.durable) {
        r->leaving_disk = false;
        r->transfer_target = SIM_NOBODY;
        sim_timer_cancel(env, RAFT_TIMER_TRANSFER);
    }
}

void raft_on_transfer_timer(struct raft *r, struct sim_env *env)
{
    r->transfer_target = SIM_NOBODY;
    if (r->leaving_disk) {
        r->leaving_disk = false;
        r->sync_began_ns = sim_monotonic_ns(env); /* It is given as much time again. */
    }
}
