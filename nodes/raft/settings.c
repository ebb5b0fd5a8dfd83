#include "nodes/raft/settings.h"
#include "nodes/raft/message.h"

static const char *const cluster_states[] = {"new", "existing", NULL};

static const char *const read_modes[] = {
    [RAFT_READ_LOG] = "log",
    [RAFT_READ_INDEX] = "read_index",
    [RAFT_READ_LEASE] = "lease",
    NULL,
};

const struct sim_setting raft_settings[RAFT_SET_COUNT] = {
    [RAFT_SET_ELECTION_TIMEOUT] =
        {.name = "election_timeout",
         .type = SIM_SETTING_DURATION_RANGE,
         .standard = {150 * SIM_MS, 300 * SIM_MS},
         .minimum = SIM_MS,
         .maximum = 3600 * SIM_S,
         .summary = "A follower that hears from no leader for a time drawn from this range "
                    "becomes a candidate."},
    [RAFT_SET_HEARTBEAT_INTERVAL] = {.name = "heartbeat_interval",
                                     .type = SIM_SETTING_DURATION,
                                     .standard = {50 * SIM_MS, 50 * SIM_MS},
                                     .minimum = SIM_US,
                                     .maximum = 3600 * SIM_S,
                                     .summary =
                                         "A leader sends to every follower at least this often."},
    [RAFT_SET_PRE_VOTE] =
        {.name = "pre_vote",
         .type = SIM_SETTING_BOOL,
         .maximum = 1,
         .summary =
             "Before it enters a new term, a node asks whether it could win "
             "(dissertation 9.6). Alone it lets a leader that hears nobody keep followers from "
             "electing another: use it with check_quorum."},
    [RAFT_SET_CHECK_QUORUM] =
        {.name = "check_quorum",
         .type = SIM_SETTING_BOOL,
         .maximum = 1,
         .summary = "A leader that does not hear from a majority steps down, and a node that "
                    "hears from its leader ignores candidates (dissertation 6.2, 4.2.3)."},
    [RAFT_SET_MAX_ENTRIES] = {.name = "max_entries_per_append",
                              .type = SIM_SETTING_COUNT,
                              .standard = {64, 64},
                              .minimum = 1,
                              .maximum = RAFT_MAX_ENTRIES,
                              .summary =
                                  "One append_entries carries at most this many log entries."},
    [RAFT_SET_NO_OP] = {.name = "no_op",
                        .type = SIM_SETTING_BOOL,
                        .standard = {1, 1},
                        .maximum = 1,
                        .summary =
                            "A new leader appends an empty entry, so that entries of earlier terms "
                            "commit without waiting for a client (dissertation 6.4)."},
    [RAFT_SET_CHECKSUM] =
        {.name = "checksum",
         .type = SIM_SETTING_BOOL,
         .standard = {1, 1},
         .maximum = 1,
         .summary = "A message whose checksum is wrong is dropped; off, it is believed."},
    [RAFT_SET_SNAPSHOT_THRESHOLD] =
        {.name = "snapshot_threshold",
         .type = SIM_SETTING_COUNT,
         .maximum = 1000000000,
         .summary = "A node that has applied this many entries since its last snapshot takes "
                    "another and discards the log before it (dissertation 5.1); 0: never."},
    [RAFT_SET_SNAPSHOT_TRAILING] =
        {.name = "snapshot_trailing",
         .type = SIM_SETTING_COUNT,
         .maximum = 1000000000,
         .summary = "So many entries before the snapshot stay in the log, for followers that are "
                    "a little behind."},
    [RAFT_SET_SNAPSHOT_CHUNK] = {.name = "snapshot_chunk",
                                 .type = SIM_SETTING_SIZE,
                                 .standard = {4096, 4096},
                                 .minimum = 16,
                                 .maximum = RAFT_MAX_CHUNK,
                                 .summary = "One install_snapshot carries at most this many bytes "
                                            "(dissertation 5.3)."},
    [RAFT_SET_INITIAL_MEMBERS] =
        {.name = "initial_members",
         .type = SIM_SETTING_COUNT,
         .maximum = 1024,
         .summary = "So many nodes of the group, from the first on, vote in the beginning; the "
                    "others wait to be added. 0: all. The same on all of them."},
    [RAFT_SET_INITIAL_CLUSTER_STATE] =
        {.name = "initial_cluster_state",
         .type = SIM_SETTING_CHOICE,
         .maximum = 1,
         .choices = cluster_states,
         .summary = "What an empty disk means at a boot. new: a cluster about to begin. existing: "
                    "the disk is lost, and with it votes and entries that others count on, so the "
                    "node stops safely instead of voting."},
    [RAFT_SET_READ_MODE] =
        {.name = "read_mode",
         .type = SIM_SETTING_CHOICE,
         .maximum = RAFT_READ_LEASE,
         .choices = read_modes,
         .summary = "Reads go through the log, or need a round of heartbeats, or only a lease, "
                    "which also keeps voters from electing another leader as long as it may last "
                    "(dissertation 6.4). The last two need no_op."},
    [RAFT_SET_LEASE_DRIFT] =
        {.name = "lease_drift_ppm",
         .type = SIM_SETTING_COUNT,
         .standard = {10000, 10000},
         .maximum = SIM_PPM - 1,
         .summary = "Leases hold as long as no clock's rate is wrong by more than this, in parts "
                    "per million."},
    [RAFT_SET_BATCH_DELAY] =
        {.name = "batch_delay",
         .type = SIM_SETTING_DURATION,
         .maximum = SIM_S,
         .summary = "A leader lets a new entry wait so long for others to share its message, if "
                    "max_entries_per_append have not come earlier (dissertation 10.2.2)."},
    [RAFT_SET_PIPELINE_WINDOW] =
        {.name = "pipeline_window",
         .type = SIM_SETTING_COUNT,
         .standard = {1024, 1024},
         .minimum = 1,
         .maximum = 1000000,
         .summary = "More entries are sent to a follower only while fewer than this are on their "
                    "way (dissertation 10.2.2); 1: a message waits for the answer to the last."},
    [RAFT_SET_WRITE_BEFORE_SEND] =
        {.name = "write_before_send",
         .type = SIM_SETTING_BOOL,
         .maximum = 1,
         .summary = "A leader sends an entry only when its own disk has it, instead of writing "
                    "and sending at once (dissertation 10.2.1)."},
    [RAFT_SET_SLOW_DISK_BOUND] =
        {.name = "slow_disk_bound",
         .type = SIM_SETTING_DURATION,
         .maximum = 3600 * SIM_S,
         .summary = "A leader whose disk takes longer than this for a sync hands over to another "
                    "whose disk is quicker; 0: never."},
};

void raft_settings_read(struct raft_config *config, const struct sim_env *env)
{
    const struct sim_value election = sim_setting_range(env, RAFT_SET_ELECTION_TIMEOUT);
    *config = (struct raft_config){
        .election_low_ns = (uint64_t)election.low,
        .election_high_ns = (uint64_t)election.high,
        .heartbeat_ns = (uint64_t)sim_setting(env, RAFT_SET_HEARTBEAT_INTERVAL),
        .max_entries = (uint32_t)sim_setting(env, RAFT_SET_MAX_ENTRIES),
        .batch_delay_ns = (uint64_t)sim_setting(env, RAFT_SET_BATCH_DELAY),
        .pipeline_window = (uint32_t)sim_setting(env, RAFT_SET_PIPELINE_WINDOW),
        .write_before_send = sim_setting(env, RAFT_SET_WRITE_BEFORE_SEND) != 0,
        .slow_disk_ns = (uint64_t)sim_setting(env, RAFT_SET_SLOW_DISK_BOUND),
        .snapshot_threshold = (uint64_t)sim_setting(env, RAFT_SET_SNAPSHOT_THRESHOLD),
        .snapshot_trailing = (uint64_t)sim_setting(env, RAFT_SET_SNAPSHOT_TRAILING),
        .snapshot_chunk_bytes = (uint32_t)sim_setting(env, RAFT_SET_SNAPSHOT_CHUNK),
        .read_mode = (uint32_t)sim_setting(env, RAFT_SET_READ_MODE),
        .lease_drift_ppm = (uint32_t)sim_setting(env, RAFT_SET_LEASE_DRIFT),
        .pre_vote = sim_setting(env, RAFT_SET_PRE_VOTE) != 0,
        .check_quorum = sim_setting(env, RAFT_SET_CHECK_QUORUM) != 0,
        .no_op = sim_setting(env, RAFT_SET_NO_OP) != 0,
        .checksum = sim_setting(env, RAFT_SET_CHECKSUM) != 0,
        .existing_cluster = sim_setting(env, RAFT_SET_INITIAL_CLUSTER_STATE) != 0,
    };
}
