#include "nodes/raft/bugs.h"

const struct sim_planted_bug raft_planted_bugs[RAFT_BUG_COUNT] = {
    [RAFT_R01] = {"R01_old_term_commit",
                  "A leader commits an entry of an older term by counting replicas.",
                  "Ongaro and Ousterhout 2014, figure 8; PySyncObj #169; libraft before 0.17.1",
                  "commit_own_term"},
    [RAFT_R05] = {"R05_vote_not_persisted",
                  "The vote is not on disk when it is given, so a restarted node votes again in "
                  "the same term.",
                  "NodeDB #161", "one_vote_per_term"},
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
    [RAFT_R16] = {"R16_no_sessions", "A retried operation is applied once more.",
                  "Raft dissertation, 6.3; rabbitmq/ra #145", "exactly_once"},
    [RAFT_R25] = {"R25_over_ack",
                  "A follower acknowledges its whole log, also the part that the leader has not "
                  "compared.",
                  "cowsql/raft 66ed6af; libraft, all versions", "match_honest"},
    [RAFT_R29] = {"R29_vote_forgotten",
                  "A node that comes to follow a leader of its own term forgets whom it voted for.",
                  "akka-raft #56; CCF #8094", "one_vote_per_term"},
};
