/* The hard state on disk, the seals of records, and stopping safely (dissertation 3.8). */
#ifndef NODES_RAFT_STORAGE_H
#define NODES_RAFT_STORAGE_H

#include "nodes/raft/state.h"

/* How a record is found at boot. */
enum raft_record { RAFT_RECORD_GOOD, RAFT_RECORD_LOST, RAFT_RECORD_ROTTEN };

/* The last word of a record: a checksum of what is before it, made with `salt`, under a byte
 * that is never 0. */
void raft_record_seal(uint8_t *record, uint32_t size_bytes, uint64_t salt);
enum raft_record raft_record_check(const uint8_t *record, uint32_t found_bytes, uint32_t size_bytes,
                                   uint64_t salt);

/* (term, vote) have changed. */
void raft_hard_changed(struct raft *r);
/* Write them, before the entries that may depend on them. */
void raft_hard_write(struct raft *r, struct sim_env *env);
static inline void raft_hard_save(struct raft *r, struct sim_env *env)
{
    if (SIM_UNLIKELY(r->hard_written != r->hard_version || r->vote_owed)) {
        raft_hard_write(r, env);
    }
}
SIM_NODISCARD bool raft_hard_recover(struct raft *r, struct sim_env *env);
/* Stop safely: the disk has failed, or what it holds cannot be trusted. */
void raft_halt(struct raft *r, struct sim_env *env);

#endif
