/* Configurations: who votes and who learns, and which of them is in force (dissertation 4). */
#ifndef NODES_RAFT_MEMBERSHIP_H
#define NODES_RAFT_MEMBERSHIP_H

#include "nodes/raft/state.h"

#define RAFT_CONFIGURATION_BYTES 32

static inline const struct raft_configuration *raft_in_force(const struct raft *r)
{
    uint32_t last = r->membership.count - 1;
    while (raft_has_bug(r, RAFT_R24) && last > 0 && r->membership.list[last].index > r->applied) {
        last--;
    }
    return &r->membership.list[last];
}

/* At boot: the first configuration. False without memory. */
SIM_NODISCARD bool raft_membership_start(struct raft *r, struct sim_env *env);
/* The last of the list, and whom we bring up to date for the next one, decide who counts and who
 * is sent entries. */
void raft_put_in_force(struct raft *r, struct sim_env *env);
/* May this node seek leadership? */
bool raft_may_campaign(const struct raft *r);
/* False for a configuration that nobody can have made. */
bool raft_entry_is_valid(const struct raft *r, const struct raft_entry *entry);
/* The log has a configuration at `index`; it ends before `from`; it begins after `index`. */
SIM_NODISCARD bool raft_membership_appended(struct raft *r, struct sim_env *env,
                                            const struct raft_entry *entry, uint64_t index);
void raft_membership_truncated(struct raft *r, struct sim_env *env, uint64_t from);
void raft_membership_compacted(struct raft *r, uint64_t index);
/* The configuration as of `index`, in a snapshot; false for what nobody can have made. */
void raft_membership_encode(const struct raft *r, uint64_t index,
                            uint8_t bytes[RAFT_CONFIGURATION_BYTES]);
SIM_NODISCARD bool raft_membership_restore(struct raft *r, struct sim_env *env, uint64_t index,
                                           const uint8_t bytes[RAFT_CONFIGURATION_BYTES]);

#endif
