/* What a scenario can set, and an administrator change while the node runs. */
#ifndef NODES_RAFT_SETTINGS_H
#define NODES_RAFT_SETTINGS_H

#include "sim/node.h"

enum raft_setting {
    RAFT_SET_ELECTION_TIMEOUT,
    RAFT_SET_HEARTBEAT_INTERVAL,
    RAFT_SET_PRE_VOTE,
    RAFT_SET_CHECK_QUORUM,
    RAFT_SET_MAX_ENTRIES,
    RAFT_SET_NO_OP,
    RAFT_SET_CHECKSUM,
    RAFT_SET_SNAPSHOT_THRESHOLD,
    RAFT_SET_SNAPSHOT_TRAILING,
    RAFT_SET_SNAPSHOT_CHUNK,
    RAFT_SET_INITIAL_MEMBERS,
    RAFT_SET_INITIAL_CLUSTER_STATE,
    RAFT_SET_READ_MODE,
    RAFT_SET_LEASE_DRIFT,
    RAFT_SET_BATCH_DELAY,
    RAFT_SET_PIPELINE_WINDOW,
    RAFT_SET_WRITE_BEFORE_SEND,
    RAFT_SET_SLOW_DISK_BOUND,
    RAFT_SET_COUNT
};

enum raft_read_mode { RAFT_READ_LOG, RAFT_READ_INDEX, RAFT_READ_LEASE };

/* As they are now. */
struct raft_config {
    uint64_t election_low_ns;
    uint64_t election_high_ns;
    uint64_t heartbeat_ns;
    uint64_t batch_delay_ns;
    uint64_t slow_disk_ns; /* 0: no sync is too slow. */
    uint32_t max_entries;
    uint32_t pipeline_window;
    uint32_t snapshot_chunk_bytes;
    uint64_t snapshot_threshold; /* 0: never. */
    uint64_t snapshot_trailing;
    uint32_t read_mode; /* enum raft_read_mode */
    uint32_t lease_drift_ppm;
    bool pre_vote;
    bool check_quorum;
    bool no_op;
    bool checksum;
    bool write_before_send;
    bool existing_cluster;
};

extern const struct sim_setting raft_settings[RAFT_SET_COUNT];

void raft_settings_read(struct raft_config *config, const struct sim_env *env);

#endif
