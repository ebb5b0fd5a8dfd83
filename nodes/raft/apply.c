/* Applying what is committed, and answering the clients who asked for it (dissertation 3.5, 6.3):
 * the state machine knows by its sessions what is a retry. */
#include "nodes/raft/apply.h"

#include "nodes/raft/log.h"
#include "nodes/raft/membership.h"
#include "nodes/raft/storage.h"

/* R43: a follower learns that it is a member no more. */
static bool removes_self(const struct raft *r, const struct sim_operation *operation)
{
    const uint64_t members = operation->value | operation->expected | operation->key;
    return operation->function == RAFT_CONFIGURATION && r->role == SIM_ROLE_FOLLOWER &&
           !(members >> raft_place(r, r->self) & 1);
}

static void apply(struct raft *r, struct sim_env *env, uint64_t index)
{
    const struct raft_entry *entry = raft_entry_at(r, index);
    const struct sim_operation *operation = &entry->operation;
    if (operation->function == RAFT_NO_OP || operation->function == RAFT_CONFIGURATION) {
        if (raft_has_bug(r, RAFT_R24)) {
            raft_put_in_force(r, env);
        }
        if (raft_has_bug(r, RAFT_R43) && removes_self(r, operation)) {
            r->term = 0;
            r->vote = SIM_NOBODY;
            raft_hard_changed(r);
        }
        sim_applied(env, index, entry->term, entry->digest, NULL, false);
        return;
    }
    uint64_t result;
    bool took_effect;
    const enum sim_answer answer = kv_apply(&r->kv, env, operation, &result, &took_effect);
    sim_applied(env, index, entry->term, entry->digest, operation, took_effect);
    /* An entry of a leader's own term is one that it was given itself. */
    if (r->role == SIM_ROLE_LEADER && entry->term == r->term) {
        kv_reply(&r->kv, env, operation, answer, result);
    }
}

void raft_commit_to(struct raft *r, struct sim_env *env, uint64_t index)
{
    if (index <= r->commit) {
        return;
    }
    assert(index <= r->log.last);
    r->commit = index;
    sim_publish(env, RAFT_FACT_COMMIT, (int64_t)index);
    while (r->applied < r->commit) {
        r->applied++;
        apply(r, env, r->applied);
    }
}
