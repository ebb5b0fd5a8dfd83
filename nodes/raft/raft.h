/* Raft: a replicated key-value store.
 *
 * Ongaro and Ousterhout, "In Search of an Understandable Consensus Algorithm" (2014), and
 * Ongaro's dissertation "Consensus: Bridging Theory and Practice" (2014), whose sections the
 * comments cite. A file and its header for each part; who stands higher calls those below:
 *
 *     raft          the kind's table, and what invariants may see
 *     step          one event: to whom it goes, and how every step ends
 *     boot          the beginning of a life; settings that change
 *     client        operations of clients
 *     election      timeouts, campaigns, votes
 *     transfer      leadership handed over, by command or away from a slow disk
 *     reconfigure   how a leader changes the membership
 *     replication   the leader sends entries, and commits them
 *     install       the snapshot for those who are far behind
 *     snapshot      log compaction
 *     append        the follower takes entries, and acknowledges them
 *     read          reads without a log entry: ReadIndex and leases
 *     role          follower, candidate, leader (the one that also calls upwards)
 *     apply         committed entries reach the state machine
 *     message       what travels, byte by byte
 *     log           entries in memory and on disk
 *     membership    configurations, and which of them is in force
 *     storage       the hard state on disk; stopping safely
 *     state         what a node knows, in memory; what is never broken
 *     settings      what can be set
 *     bugs          the table of planted bugs */
#ifndef NODES_RAFT_RAFT_H
#define NODES_RAFT_RAFT_H

#include "sim/node.h"

extern const struct sim_node_kind raft_kind;

#endif
