#include "nodes/raft/bugs.h"

const struct sim_planted_bug raft_planted_bugs[RAFT_BUG_COUNT] = {
    [RAFT_R01] = {"R01_old_term_commit",
                  "A leader commits an entry of an older term by counting replicas.",
                  "Ongaro and Ousterhout 2014, figure 8; PySyncObj #169; libraft before 0.17.1",
                  "commit_own_term"},
    [RAFT_R02] = {"R02_change_before_own_commit",
                  "A new leader changes the membership before it has committed an entry of its own "
                  "term, while an earlier leader has a change that it does not know.",
                  "Ongaro, raft-dev, 10 July 2015; Schultz et al. 2021", "config_safety"},
    [RAFT_R03] = {"R03_no_joint_phase",
                  "Several voters are changed at once, without a time in which the old and the new "
                  "majority must both agree.",
                  "Ongaro and Ousterhout 2014, section 6", "config_safety"},
    [RAFT_R04] = {"R04_disruptive_server",
                  "A node that hears of no leader raises its term without asking whether it could "
                  "win, and on its return the leader that all others hear gives way.",
                  "Raft dissertation, 4.2.3 and 9.6; KIP-996", "disruption_free"},
    [RAFT_R05] = {"R05_vote_not_persisted",
                  "The vote is not on disk when it is given, so a restarted node votes again in "
                  "the same term.",
                  "NodeDB #161", "one_vote_per_term"},
    [RAFT_R06] = {"R06_term_before_vote",
                  "A new term and the vote given in it are two writes, and the answer waits for "
                  "the first only.",
                  "hashicorp/raft #661", "one_vote_per_term"},
    [RAFT_R07] = {"R07_ack_before_fsync",
                  "A follower acknowledges entries that a crash can still take.",
                  "TiKV #994; etcd #12589", "commit_durable_quorum"},
    [RAFT_R08] = {"R08_no_election_restriction",
                  "A node votes for a candidate whose log lacks entries of its own.",
                  "Ongaro and Ousterhout 2014, section 5.4.1", "vote_up_to_date"},
    [RAFT_R09] = {"R09_truncate_always",
                  "A follower cuts its log at every append_entries, also where nothing conflicts, "
                  "so a delayed one drops newer entries.",
                  "Ongaro and Ousterhout 2014, figure 2", "match_honest"},
    [RAFT_R10] = {"R10_no_prev_log_check",
                  "A follower appends without comparing the term of the entry before.",
                  "Ongaro and Ousterhout 2014, section 5.3", "log_matching"},
    [RAFT_R11] =
        {"R11_stale_leader_reads",
         "A leader answers reads from its own state without asking whether it still leads.",
         "etcd #741", "lease_safety"},
    [RAFT_R12] = {"R12_reads_before_own_commit",
                  "A new leader answers reads before an entry of its own term is committed, so "
                  "that it lacks what was committed before it.",
                  "etcd #7331; TiKV PR 9239", "lease_safety"},
    [RAFT_R13] = {"R13_old_answers_counted",
                  "An answer to an earlier round of heartbeats counts for the one under way, and "
                  "so for reads that came after it.",
                  "etcd #20418 and PR 21375", "lease_safety"},
    [RAFT_R14] = {"R14_lease_without_drift",
                  "A lease lasts as long as the election timeout, as if all clocks ran alike.",
                  "TiKV #964; etcd #6005; sofa-jraft PR 34; nebula #2723", "lease_safety"},
    [RAFT_R15] = {"R15_no_jitter",
                  "Every election timeout is the same, so that nodes become candidates together, "
                  "time after time.",
                  "Ongaro and Ousterhout 2014, section 5.2", "liveness"},
    [RAFT_R16] = {"R16_no_sessions", "A retried operation is applied once more.",
                  "Raft dissertation, 6.3; rabbitmq/ra #145", "exactly_once"},
    [RAFT_R16_SNAPSHOT] = {"R16_sessions_not_in_snapshot",
                           "The sessions are kept beside the replicated state: whoever starts "
                           "from a snapshot does not know which operations are in it.",
                           "Raft dissertation, 6.3; rabbitmq/ra #145", "snapshot_safety"},
    [RAFT_R17] = {"R17_snapshot_off_by_one",
                  "A leader sends an empty append_entries instead of the snapshot to a follower "
                  "that lacks just the last entry compacted.",
                  "WRaft, bug 2 of issue 118; RedisLabs/raft PR 47", "liveness"},
    [RAFT_R18] =
        {"R18_compacted_taken_for_missing",
         "Entries that a follower has under its snapshot are appended to its log once more.",
         "WRaft, bug 1 of issue 118; libraft 0.15.0 to 0.18.1; cowsql/raft 0.17.7", "log_matching"},
    [RAFT_R19] = {"R19_configuration_not_in_snapshot",
                  "The snapshot leaves out the configuration, so whoever starts from it believes "
                  "in the first one.",
                  "libraft baa8f52 and 0a0ffa4; canonical/raft #250 and #323", "snapshot_safety"},
    [RAFT_R20] = {"R20_conflicting_suffix_kept",
                  "After an installed snapshot the log goes on with what was behind its index "
                  "before, even if that conflicts.",
                  "hashicorp/raft #697 and PR 704; NuRaft PR 407", "log_matching"},
    [RAFT_R21] =
        {"R21_install_reverts_term",
         "Installing a snapshot sets the term back to that of its last entry, and clears the vote.",
         "RedisLabs/raft d23f390 and 699e87d; WRaft, bug 4 of issue 118", "term_monotonic"},
    [RAFT_R22] = {"R22_snapshot_regresses",
                  "A snapshot that comes late takes the place of a newer one that the node has "
                  "taken itself, when the log between the two is gone.",
                  "hashicorp/raft #248", "log_continuity"},
    [RAFT_R23] =
        {"R23_union_quorum",
         "While two configurations are in force, a majority of their union elects a leader.",
         "CCF #3948", "election_safety"},
    [RAFT_R24] = {"R24_configuration_on_apply",
                  "A configuration takes effect when it is applied, not when it is in the log.",
                  "etcd #2397, #7625 and #11284", "config_safety"},
    [RAFT_R25] = {"R25_over_ack",
                  "A follower acknowledges its whole log, also the part that the leader has not "
                  "compared.",
                  "cowsql/raft 66ed6af; libraft, all versions", "match_honest"},
    [RAFT_R26] =
        {"R26_commit_beyond_checked",
         "A follower commits up to the end of its log, also what its leader has not compared.",
         "ScyllaDB #9965; cowsql/raft 000eacf; CockroachDB #122100", "state_machine_safety"},
    [RAFT_R27] =
        {"R27_match_from_rejection",
         "A leader takes the index that a rejection hints at for one that the follower holds.",
         "CCF #5325; PySyncObj #167; RaftOS #25", "match_honest"},
    [RAFT_R28] = {"R28_vote_for_transferee",
                  "A node votes a second time in a term if the candidate is the one it had handed "
                  "its leadership to.",
                  "libraft; cowsql/raft ad19f79", "one_vote_per_term"},
    [RAFT_R29] = {"R29_vote_forgotten",
                  "A node that comes to follow a leader of its own term forgets whom it voted for.",
                  "akka-raft #56; CCF #8094", "one_vote_per_term"},
    [RAFT_R30] = {"R30_pre_vote_counted",
                  "An answer to a pre-vote that comes late is counted as a vote.",
                  "canonical/raft #196; CockroachDB #123297", "one_vote_per_term"},
    [RAFT_R31] = {"R31_old_pre_vote_dropped",
                  "A pre-vote for an old term is dropped instead of refused, so its sender never "
                  "hears of the newer one.",
                  "etcd #8243 and #8501; canonical/raft #279; rabbitmq/ra #439", "liveness"},
    [RAFT_R32] = {"R32_pre_vote_resets_timer",
                  "Granting a pre-vote restarts the election timer, so that a node which cannot "
                  "win keeps all others silent.",
                  "hashicorp/raft PR 609", "liveness"},
    [RAFT_R33] = {"R33_transfer_to_lagging",
                  "A leader hands over to a node that was sent all of the log, whether it has it "
                  "or not.",
                  "redpanda #2606; canonical/raft #203; libraft 64b0b8b", "disruption_free"},
    [RAFT_R34] =
        {"R34_late_ack_to_new_leader",
         "Entries of an old leader that become durable late are acknowledged to the new one.",
         "libraft 35479fc", "match_honest"},
    [RAFT_R35] =
        {"R35_campaign_before_durable",
         "A candidate asks for votes before its own vote, and the log it claims, are on its disk.",
         "libraft a54636b, 634cb11 and f65b6e7", "one_vote_per_term"},
    [RAFT_R36] = {"R36_failed_write_kept",
                  "An entry that the disk refused stays in memory, and the next one takes its "
                  "place on the disk.",
                  "libraft 857e17e, 0cac59c and a5cef60; canonical/raft #355", "match_honest"},
    [RAFT_R37] = {"R37_dead_disk_leads",
                  "A leader whose disk refuses every write goes on sending heartbeats.",
                  "Ganesan et al., FAST 2017 (ZooKeeper); libraft 0cac59c", "liveness"},
    [RAFT_R38] = {"R38_leads_again_after_restart",
                  "A leader that restarts leads its old term again, without an election.",
                  "KAFKA-10527", "log_matching"},
    [RAFT_R39] =
        {"R39_appends_with_new_term",
         "A leader that hears of a newer term takes the term at once and gives up its role a "
         "little later; what it appends between bears a term that it does not lead.",
         "zeebe #5360; nats-server PR 7297", "log_matching"},
    [RAFT_R40] = {"R40_rollback_on_step_down",
                  "A leader that steps down cuts its log off behind what it knows to be committed.",
                  "CCF #5674", "acked_durable"},
    [RAFT_R41] = {"R41_index_before_state",
                  "A snapshot's index is written before its state, so that a crash between the "
                  "two leaves the new index over the old state.",
                  "etcd #13766 and PR 12855", "snapshot_safety"},
    [RAFT_R42] = {"R42_two_changes_at_once",
                  "A leader begins a change of the membership while the last one is not committed. "
                  "(With R02 at once it is R47.)",
                  "RedisLabs/raft da936a9 and 99e3d4a; R47: MongoDB SERVER-47331 and SERVER-47119",
                  "config_safety"},
    [RAFT_R43] = {"R43_removed_member_forgets",
                  "A member that learns of its removal erases its term and its vote, although it "
                  "may have been added again since.",
                  "RethinkDB 2.2.3 (Jepsen)", "term_monotonic"},
    [RAFT_R44] = {"R44_empty_disk_votes",
                  "A member that lost its disk comes back as if it were new, and votes.",
                  "Junqueira 2015 (ZooKeeper); openraft FAQ; TiKV #9579", "leader_completeness"},
    [RAFT_R45] = {"R45_no_check_quorum",
                  "A leader that no longer reaches a majority goes on leading those it reaches.",
                  "Cloudflare, 2 November 2020 (etcd); Howard and Abraham 2020; Omni-Paxos",
                  "liveness"},
    [RAFT_R46] = {"R46_log_loaded_from_begin",
                  "After a restart the first record of the log on disk is taken for the one after "
                  "the snapshot.",
                  "Redis-Raft #17, #28, #30, #43 and #44; Jepsen: Redis-Raft 1b3fbf6",
                  "log_matching"},
};
