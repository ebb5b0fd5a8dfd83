/* The log: entries in memory, each with its record on disk (dissertation 3.5). */
#ifndef NODES_RAFT_LOG_H
#define NODES_RAFT_LOG_H

#include "nodes/raft/state.h"

#define RAFT_OPERATION_BYTES SIM_OPERATION_BYTES

static inline const struct raft_entry *raft_entry_at(const struct raft *r, uint64_t index)
{
    assert(index >= r->log.first);
    assert(index <= r->log.last);
    const uint64_t chunk = (index - 1) / RAFT_CHUNK_ENTRIES - r->log.chunk_base;
    return &r->log.chunks[chunk][(index - 1) % RAFT_CHUNK_ENTRIES];
}

/* Term of an entry, or of the one before the first; 0 before all. */
static inline uint64_t raft_term_at(const struct raft *r, uint64_t index)
{
    if (SIM_UNLIKELY(index < r->log.first)) {
        assert(index + 1 == r->log.first || index == 0);
        return index == 0 ? 0 : r->log.before_term;
    }
    return raft_entry_at(r, index)->term;
}

static inline uint64_t raft_last_term(const struct raft *r)
{
    return raft_term_at(r, r->log.last);
}

/* An entry of our own. */
struct raft_entry raft_entry_of(uint64_t term, const struct sim_operation *operation);
/* False if no node can have made it. */
SIM_NODISCARD bool raft_decode_operation(struct sim_operation *operation,
                                         const uint8_t bytes[RAFT_OPERATION_BYTES]);

/* Append an entry in memory and on disk. False if the node has halted, or has no memory. */
SIM_NODISCARD bool raft_log_append(struct raft *r, struct sim_env *env,
                                   const struct raft_entry *entry);
void raft_log_truncate(struct raft *r, struct sim_env *env, uint64_t from);
/* Discard the entries before `first`, which the durable snapshot covers. */
void raft_log_discard(struct raft *r, struct sim_env *env, uint64_t first);
/* Drop the whole log: it goes on after entry `index` of `term`. */
void raft_log_restart(struct raft *r, struct sim_env *env, uint64_t index, uint64_t term);
/* Read the log from disk at boot, after the snapshot. False if the node must not go on with it. */
SIM_NODISCARD bool raft_log_recover(struct raft *r, struct sim_env *env);

#endif
