/* Operations of clients (dissertation 6.2 and 6.3): they go through the log, reads too if no other
 * way is set. Who does not lead says who does. */
#include "nodes/raft/client.h"

#include "nodes/raft/log.h"
#include "nodes/raft/read.h"
#include "nodes/raft/replication.h"

void raft_on_operation(struct raft *r, struct sim_env *env, const struct sim_operation *operation)
{
    if (r->role != SIM_ROLE_LEADER) {
        sim_reply(env, operation->client, operation->sequence, SIM_ANSWER_NOT_LEADER, r->leader);
        return;
    }
    /* While handing over, a leader takes nothing new, so that the target can catch up. */
    if (r->transfer_target != SIM_NOBODY || operation->function >= SIM_FUNCTION_COUNT) {
        sim_reply(env, operation->client, operation->sequence, SIM_ANSWER_REFUSED, 0);
        return;
    }
    if (raft_read(r, env, operation)) {
        return;
    }
    const struct raft_entry entry = raft_entry_of(r->term, operation);
    if (raft_log_append(r, env, &entry)) {
        raft_batch_add(r, env);
    }
}
