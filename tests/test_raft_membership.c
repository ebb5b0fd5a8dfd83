/* Raft's membership changes: what a configuration makes of votes and acknowledgements, how a leader
 * changes it, and what truncations, crashes and snapshots leave of it. Node 0 is under test. */
#include "tests/raft_peers.h"

enum { A = 1, B = 2, C = 4, D = 8, E = 16 }; /* Places 0 to 4. */

static void start_group(uint32_t size, int64_t initial)
{
    start();
    env->group_size = size;
    env->settings[RAFT_SET_INITIAL_MEMBERS] = (struct sim_value){initial, initial};
}

static void start_five(void)
{
    start_group(5, 3);
}

TestSuite(raft_membership, .init = start_five, .fini = stop);

static const struct raft_configuration *config(void)
{
    return raft_in_force(node());
}

static void expect_config(uint64_t index, uint64_t voters, uint64_t old_voters, uint64_t learners)
{
    cr_expect_eq(config()->index, index, "index %d", (int)config()->index);
    cr_expect_eq(config()->voters, voters, "voters %d", (int)config()->voters);
    cr_expect_eq(config()->old_voters, old_voters, "old voters %d", (int)config()->old_voters);
    cr_expect_eq(config()->learners, learners, "learners %d", (int)config()->learners);
}

/* A peer acknowledges the log up to `index`. */
static void ack(uint32_t peer, uint64_t index)
{
    give(peer, RAFT_APPEND_ENTRIES_REPLY, RAFT_FLAG_MATCHED, node()->term, index, 0);
}

static void ack_all(uint64_t peers)
{
    fake_sync_all(env);
    for (uint32_t peer = 1; peer < env->group_size; peer++) {
        if (peers >> peer & 1) {
            ack(peer, node()->log.last);
        }
    }
    fake_sync_all(env);
}

/* The leader of term 1, its first entry committed. */
static void lead(void)
{
    fake_boot(env);
    make_leader();
    ack_all(B | C);
    cr_assert_eq(node()->commit, node()->log.last);
    fake_clear(env);
}

/* Give an append_entries with one configuration. */
static void give_configuration(uint32_t from, uint64_t term, uint64_t prev_index,
                               uint64_t prev_term, struct raft_configuration c)
{
    uint8_t bytes[RAFT_APPEND_BYTES + RAFT_ENTRY_BYTES] = {0};
    const struct sim_operation o = {.function = RAFT_CONFIGURATION,
                                    .value = c.voters,
                                    .expected = c.old_voters,
                                    .key = c.learners};
    sim_put32(bytes + 4, 1);
    sim_put64(bytes + 8, term);
    sim_put64(bytes + 16, prev_index);
    sim_put64(bytes + 24, prev_term);
    sim_put64(bytes + RAFT_APPEND_BYTES, term);
    sim_operation_encode(&o, bytes + RAFT_APPEND_BYTES + 8);
    fake_deliver(env, from, RAFT_APPEND_ENTRIES, bytes, sizeof bytes);
}

/* ---- Who counts ----------------------------------------------------------------------------- */

/* Only voters are asked for votes and sent entries, and two of three are enough. */
Test(raft_membership, begins_with_its_first_members)
{
    fake_boot(env);
    fake_fire(env, RAFT_TIMER_ELECTION);
    fake_sync_all(env);
    cr_expect_eq(fake_count(env, RAFT_REQUEST_VOTE), 2);
    give(4, RAFT_REQUEST_VOTE_REPLY, RAFT_FLAG_GRANTED, 1, 0, 0);
    cr_expect_eq(node()->role, SIM_ROLE_CANDIDATE, "node 4 does not vote");
    give(2, RAFT_REQUEST_VOTE_REPLY, RAFT_FLAG_GRANTED, 1, 0, 0);
    cr_expect_eq(node()->role, SIM_ROLE_LEADER);
    cr_expect_eq(fake_count(env, RAFT_APPEND_ENTRIES), 2);
    fake_sync_all(env);
    ack(4, 1);
    cr_expect_eq(node()->commit, 0, "nor does it count");
    ack(1, 1);
    cr_expect_eq(node()->commit, 1);
}

/* Who does not vote does not seek leadership either, but votes when it is asked: a configuration
 * that it has not seen yet may count it. */
Test(raft_membership, waits_to_be_added)
{
    stop();
    start_group(5, 3);
    env->self = 4;
    fake_boot(env);
    for (int i = 0; i < 5; i++) {
        fake_fire(env, RAFT_TIMER_ELECTION);
    }
    give_command(RAFT_COMMAND_CAMPAIGN, SIM_NOBODY);
    cr_expect_eq(node()->role, SIM_ROLE_FOLLOWER);
    cr_expect_eq(node()->term, 0);
    cr_expect_eq(ask_for_vote(1, 0, 1, 0, 0), VOTE_GRANTED);
}

/* A follower counts by a configuration from the moment it has it, committed or not, and back by
 * the one before when it is truncated. */
Test(raft_membership, follows_its_log)
{
    fake_boot(env);
    give_append(1, 1, 0, 0, 0, TERMS(1));
    give_configuration(1, 1, 1, 1, (struct raft_configuration){.voters = A | B | C | D});
    expect_config(2, A | B | C | D, 0, 0);
    cr_expect_eq(node()->quorum, 3);
    cr_expect_eq(env->facts[RAFT_FACT_VOTERS], A | B | C | D);
    give_configuration(1, 1, 2, 1,
                       (struct raft_configuration){.voters = B | C, .old_voters = A | B});
    expect_config(3, B | C, A | B, 0);
    give_append(2, 2, 2, 1, 0, TERMS(2));
    expect_config(2, A | B | C | D, 0, 0);
    give_append(2, 2, 1, 1, 0, TERMS(2, 2));
    expect_config(0, A | B | C, 0, 0);
    cr_expect_eq(node()->quorum, 2);
}

/* An election during joint consensus takes both majorities. */
Test(raft_membership, needs_both_majorities_to_lead)
{
    fake_boot(env);
    give_configuration(1, 1, 0, 0,
                       (struct raft_configuration){.voters = C | D | E, .old_voters = A | B | C});
    fake_fire(env, RAFT_TIMER_ELECTION);
    fake_fire(env, RAFT_TIMER_ELECTION);
    fake_sync_all(env);
    cr_assert_eq(node()->role, SIM_ROLE_CANDIDATE);
    cr_expect_eq(fake_count(env, RAFT_REQUEST_VOTE), 4);
    give(3, RAFT_REQUEST_VOTE_REPLY, RAFT_FLAG_GRANTED, node()->term, 0, 0);
    give(4, RAFT_REQUEST_VOTE_REPLY, RAFT_FLAG_GRANTED, node()->term, 0, 0);
    cr_expect_eq(node()->role, SIM_ROLE_CANDIDATE, "three of five, but one of the old three");
    give(1, RAFT_REQUEST_VOTE_REPLY, RAFT_FLAG_GRANTED, node()->term, 0, 0);
    cr_expect_eq(node()->role, SIM_ROLE_LEADER);
}

/* ---- One server at a time ------------------------------------------------------------------- */

/* A server is added when it has caught up; from then on a majority of four decides. */
Test(raft_membership, adds_a_server_that_has_caught_up)
{
    lead();
    give_command(RAFT_COMMAND_ADD_SERVER, 3);
    cr_expect_eq(sent(3, RAFT_APPEND_ENTRIES).a, 1, "it is sent entries at once");
    expect_config(0, A | B | C, 0, 0);
    ack(3, 0);
    expect_config(0, A | B | C, 0, 0);
    ack_all(B | C | D);
    expect_config(2, A | B | C | D, 0, 0);
    cr_expect_eq(sent(3, RAFT_APPEND_ENTRIES).flags, 1);
    fake_sync_all(env);
    ack(1, 2);
    cr_expect_eq(node()->commit, 1, "two of four");
    ack(3, 2);
    cr_expect_eq(node()->commit, 2);
    give_operation(50, 1, 7);
    ack_all(C | D);
    cr_expect_eq(node()->commit, 3);
}

/* Rounds: if copying what there was took longer than an election timeout, another round copies
 * what came meanwhile; after ten the newcomer is too slow. */
Test(raft_membership, gives_up_on_a_slow_server)
{
    for (int slow = 8; slow <= 10; slow += 2) {
        stop();
        start_five();
        lead();
        give_command(RAFT_COMMAND_ADD_SERVER, 3);
        for (int round = 0; round < slow; round++) {
            const uint64_t end = node()->log.last;
            give_operation(50, end, 7);
            ack_all(B | C);
            env->now_ns += 200 * SIM_MS;
            ack(3, end);
        }
        ack_all(D);
        expect_config(slow == 8 ? 10 : 0, slow == 8 ? A | B | C | D : A | B | C, 0, 0);
        cr_expect_eq(node()->peers[3].member, slow == 8);
        cr_expect_eq(node()->membership.busy, slow == 8);
    }
}

/* A newcomer that never answers is given up, and another change may come. */
Test(raft_membership, gives_up_on_a_silent_server)
{
    lead();
    give_command(RAFT_COMMAND_ADD_SERVER, 3);
    give_command(RAFT_COMMAND_ADD_SERVER, 4);
    cr_expect_eq(node()->membership.change.set, D, "one at a time");
    for (int i = 0; i < 70; i++) {
        fake_fire(env, RAFT_TIMER_HEARTBEAT);
        ack_all(B | C);
    }
    cr_expect_eq(node()->membership.change.set, 0);
    cr_expect(!node()->peers[3].member);
    give_command(RAFT_COMMAND_ADD_SERVER, 4);
    ack_all(B | C | E);
    expect_config(2, A | B | C | E, 0, 0);
}

/* A learner is sent entries but does not count; promoted, it does. */
Test(raft_membership, has_learners)
{
    lead();
    ack_all(B | C);
    give_command(RAFT_COMMAND_ADD_LEARNER, 4);
    expect_config(2, A | B | C, 0, E);
    cr_expect(node()->peers[4].member);
    fake_sync_all(env);
    ack(4, 2);
    cr_expect_eq(node()->commit, 1);
    ack_all(B | C);
    cr_expect_eq(node()->commit, 2);
    give_command(RAFT_COMMAND_PROMOTE, 3);
    expect_config(2, A | B | C, 0, E);
    cr_expect_eq(node()->membership.change.set, 0, "node 3 is no learner");
    give_command(RAFT_COMMAND_PROMOTE, 4);
    ack_all(B | C | E);
    expect_config(3, A | B | C | E, 0, 0);
    ack_all(B | C | E);
    give_command(RAFT_COMMAND_ADD_LEARNER, 3);
    ack_all(B | C | E);
    give_command(RAFT_COMMAND_REMOVE_SERVER, 3);
    ack_all(B | C | E);
    expect_config(5, A | B | C | E, 0, 0);
}

/* A removed server is sent nothing more and does not count. */
Test(raft_membership, removes_a_server)
{
    lead();
    ack_all(B | C);
    give_command(RAFT_COMMAND_REMOVE_SERVER, 2);
    expect_config(2, A | B, 0, 0);
    fake_sync_all(env);
    ack(2, 2);
    cr_expect_eq(node()->commit, 1);
    fake_clear(env);
    fake_fire(env, RAFT_TIMER_HEARTBEAT);
    cr_expect_eq(fake_count(env, RAFT_APPEND_ENTRIES), 1);
    ack(1, 2);
    cr_expect_eq(node()->commit, 2);
}

/* A leader that removes itself leads until that is committed, does not count itself for it, and
 * steps down. */
Test(raft_membership, removes_itself)
{
    lead();
    ack_all(B | C);
    give_command(RAFT_COMMAND_REMOVE_SERVER, 0);
    expect_config(2, B | C, 0, 0);
    fake_sync_all(env);
    ack(1, 2);
    cr_expect_eq(node()->commit, 1, "one of the two");
    cr_expect_eq(node()->role, SIM_ROLE_LEADER);
    ack(2, 2);
    cr_expect_eq(node()->commit, 2);
    cr_expect_eq(node()->role, SIM_ROLE_FOLLOWER);
    for (int i = 0; i < 5; i++) {
        fake_fire(env, RAFT_TIMER_ELECTION);
    }
    cr_expect_eq(node()->role, SIM_ROLE_FOLLOWER, "it does not come back");
}

/* As long as its removal is not committed it may seek leadership, for nobody else can win: its log
 * is the longest. It wins by the votes of the others. */
Test(raft_membership, campaigns_while_its_removal_is_not_committed)
{
    fake_boot(env);
    give_configuration(1, 1, 0, 0, (struct raft_configuration){.voters = B | C});
    fake_sync_all(env);
    fake_boot(env);
    fake_fire(env, RAFT_TIMER_ELECTION);
    fake_sync_all(env);
    cr_assert_eq(node()->role, SIM_ROLE_CANDIDATE);
    give(1, RAFT_REQUEST_VOTE_REPLY, RAFT_FLAG_GRANTED, node()->term, 0, 0);
    cr_expect_eq(node()->role, SIM_ROLE_CANDIDATE, "its own vote does not count");
    give(2, RAFT_REQUEST_VOTE_REPLY, RAFT_FLAG_GRANTED, node()->term, 0, 0);
    cr_expect_eq(node()->role, SIM_ROLE_LEADER);
    ack_all(B | C);
    cr_expect_eq(node()->role, SIM_ROLE_FOLLOWER, "and then it is removed");
}

/* So may one that the joint configuration before counted among the old only. */
Test(raft_membership, campaigns_after_a_joint_configuration_without_it)
{
    fake_boot(env);
    give_configuration(1, 1, 0, 0,
                       (struct raft_configuration){.voters = B | C, .old_voters = A | B});
    give_configuration(1, 1, 1, 1, (struct raft_configuration){.voters = B | C});
    fake_sync_all(env);
    expect_config(2, B | C, 0, 0);
    fake_fire(env, RAFT_TIMER_ELECTION);
    fake_sync_all(env);
    cr_expect_eq(node()->role, SIM_ROLE_CANDIDATE);
    give_append(1, node()->term, 2, 1, 2, NULL);
    fake_fire(env, RAFT_TIMER_ELECTION);
    cr_expect_eq(node()->role, SIM_ROLE_FOLLOWER, "its removal is committed");
}

/* The last voter cannot be removed, nor is anything changed that is as it is. */
Test(raft_membership, keeps_one_voter)
{
    stop();
    start_group(3, 1);
    fake_boot(env);
    fake_fire(env, RAFT_TIMER_ELECTION);
    fake_sync_all(env);
    give_command(RAFT_COMMAND_REMOVE_SERVER, 0);
    give_command(RAFT_COMMAND_ADD_SERVER, 0);
    give_command_set(RAFT_COMMAND_CHANGE_MEMBERSHIP, A);
    give_command_set(RAFT_COMMAND_CHANGE_MEMBERSHIP, 0);
    fake_sync_all(env);
    cr_expect_eq(node()->log.last, 1);
    cr_expect(!node()->membership.busy);
}

/* ---- When ----------------------------------------------------------------------------------- */

/* A new leader changes nothing before an entry of its own term is committed (Ongaro 2015), and
 * before the last change is. */
Test(raft_membership, waits_for_an_entry_of_its_own_term)
{
    fake_boot(env);
    make_leader();
    give_command(RAFT_COMMAND_REMOVE_SERVER, 2);
    expect_config(0, A | B | C, 0, 0);
    ack_all(B | C);
    expect_config(2, A | B, 0, 0);
    give_command(RAFT_COMMAND_REMOVE_SERVER, 1);
    expect_config(2, A | B, 0, 0);
    ack_all(B);
    expect_config(3, A, 0, 0);
}

/* A change that the voters to be cannot commit is not begun: too few of them answer. */
Test(raft_membership, does_not_bring_the_group_to_a_halt)
{
    lead();
    fake_fire(env, RAFT_TIMER_HEARTBEAT);
    give_command(RAFT_COMMAND_REMOVE_SERVER, 2);
    expect_config(0, A | B | C, 0, 0);
    ack(2, 1);
    expect_config(0, A | B | C, 0, 0);
    ack(1, 1);
    expect_config(2, A | B, 0, 0);
}

/* A leader that is deposed forgets what it was asked for, and whom it brought up to date. */
Test(raft_membership, forgets_a_change_when_it_is_deposed)
{
    lead();
    give_command(RAFT_COMMAND_ADD_SERVER, 3);
    give_append(1, 2, 0, 0, 0, NULL);
    cr_expect_eq(node()->role, SIM_ROLE_FOLLOWER);
    cr_expect(!node()->peers[3].member);
    make_leader();
    ack_all(B | C | D);
    expect_config(0, A | B | C, 0, 0);
}

/* Only leaders obey, and groups too large for the masks stay as they are. */
Test(raft_membership, obeys_as_a_leader_of_a_small_group)
{
    fake_boot(env);
    give_command(RAFT_COMMAND_REMOVE_SERVER, 2);
    cr_expect_eq(node()->membership.change.set, 0);
    stop();
    start_group(100, 70);
    fake_boot(env);
    cr_expect_eq(node()->quorum, 36);
    make_leader();
    fake_fire(env, RAFT_TIMER_HEARTBEAT);
    cr_expect_eq(fake_count(env, RAFT_APPEND_ENTRIES), 69);
    give_command(RAFT_COMMAND_REMOVE_SERVER, 2);
    cr_expect_eq(node()->membership.change.set, 0);
}

/* ---- Joint consensus ------------------------------------------------------------------------ */

/* Several at once: the newcomers catch up, then both majorities decide, and when they have, the
 * new configuration alone. */
Test(raft_membership, changes_several_at_once)
{
    lead();
    give_command_set(RAFT_COMMAND_CHANGE_MEMBERSHIP, A | D | E);
    ack_all(B | C | D);
    expect_config(0, A | B | C, 0, 0);
    ack_all(E);
    expect_config(2, A | D | E, A | B | C, 0);
    fake_sync_all(env);
    ack(3, 2);
    ack(4, 2);
    cr_expect_eq(node()->commit, 1, "no majority of the old ones");
    ack(1, 2);
    cr_expect_eq(node()->commit, 2);
    expect_config(3, A | D | E, 0, 0);
    fake_sync_all(env);
    ack(1, 3);
    ack(2, 3);
    cr_expect_eq(node()->commit, 2);
    ack(4, 3);
    cr_expect_eq(node()->commit, 3);
    cr_expect_eq(node()->role, SIM_ROLE_LEADER);
}

/* A leader of the old configuration alone leads to the end of the change, then steps down. */
Test(raft_membership, hands_the_group_to_others)
{
    lead();
    give_command_set(RAFT_COMMAND_CHANGE_MEMBERSHIP, C | D | E);
    ack_all(B | C | D);
    ack(4, 1);
    expect_config(2, C | D | E, A | B | C, 0);
    ack_all(B | D | E);
    expect_config(3, C | D | E, 0, 0);
    cr_expect_eq(node()->role, SIM_ROLE_LEADER);
    ack_all(D | E);
    cr_expect_eq(node()->commit, 3);
    cr_expect_eq(node()->role, SIM_ROLE_FOLLOWER);
}

/* A leader that finds the group between two configurations brings it to the new one. */
Test(raft_membership, goes_on_with_the_change_of_another_leader)
{
    fake_boot(env);
    give_configuration(1, 1, 0, 0,
                       (struct raft_configuration){.voters = A | D | E, .old_voters = A | B | C});
    make_leader();
    expect_config(1, A | D | E, A | B | C, 0);
    ack_all(B | D);
    expect_config(3, A | D | E, 0, 0);
}

/* One goes and another comes, in one step. */
Test(raft_membership, replaces_a_server)
{
    stop();
    start_group(4, 3);
    lead();
    give_command(RAFT_COMMAND_REPLACE_SERVER, 2);
    ack_all(B | C);
    ack(3, 1);
    expect_config(2, A | B | D, A | B | C, 0);
    ack_all(B);
    expect_config(3, A | B | D, 0, 0);
}

/* ---- Crashes and snapshots ------------------------------------------------------------------ */

/* After a crash the configuration is that of the log, or that of the snapshot under it. */
Test(raft_membership, comes_back_after_a_crash)
{
    env->settings[RAFT_SET_SNAPSHOT_THRESHOLD] = (struct sim_value){3, 3};
    fake_boot(env);
    give_append(1, 1, 0, 0, 0, TERMS(1));
    give_configuration(1, 1, 1, 1, (struct raft_configuration){.voters = A | B, .learners = D});
    give_configuration(1, 1, 2, 1, (struct raft_configuration){.voters = A, .old_voters = A | B});
    fake_sync_all(env);
    fake_boot(env);
    expect_config(3, A, A | B, 0);
    give_append(1, 1, 3, 1, 3, TERMS(1)); /* The snapshot covers all three. */
    fake_sync_all(env);
    cr_assert_eq(node()->log.first, 4);
    cr_expect_eq(node()->membership.count, 1);
    give_configuration(1, 1, 4, 1, (struct raft_configuration){.voters = A});
    fake_sync_all(env);
    fake_boot(env);
    expect_config(5, A, 0, 0);
    give_append(2, 2, 4, 1, 0, TERMS(2));
    expect_config(3, A, A | B, 0);
}

/* A snapshot says what was in force where it ends, not what came after: else a truncation of the
 * later entry could not be undone. */
Test(raft_membership, keeps_the_configuration_of_the_snapshots_index)
{
    env->settings[RAFT_SET_SNAPSHOT_THRESHOLD] = (struct sim_value){2, 2};
    fake_boot(env);
    give_append(1, 1, 0, 0, 0, TERMS(1, 1));
    give_configuration(1, 1, 2, 1, (struct raft_configuration){.voters = A | B});
    give_append(1, 1, 3, 1, 2, NULL);
    fake_sync_all(env);
    cr_assert_eq(node()->snapshot.durable, 2);
    expect_config(3, A | B, 0, 0);
    give_append(2, 2, 2, 1, 0, TERMS(2));
    expect_config(0, A | B | C, 0, 0);
}

/* What a transfer of a snapshot brings: the state of another node, with its configuration. */
Test(raft_membership, learns_the_configuration_from_a_snapshot)
{
    env->settings[RAFT_SET_SNAPSHOT_THRESHOLD] = (struct sim_value){3, 3};
    fake_boot(env);
    give_append(1, 1, 0, 0, 0, TERMS(1));
    give_configuration(1, 1, 1, 1, (struct raft_configuration){.voters = A | B, .learners = E});
    give_append(1, 1, 2, 1, 3, TERMS(1));
    fake_sync_all(env);
    const struct fake_record record = env->durable[RAFT_FILE_SNAPSHOT].records[0];
    cr_assert_eq(record.label.a, 3);
    stop();
    start_five();
    fake_boot(env);
    give_append(2, 1, 0, 0, 0, TERMS(1));
    give_configuration(2, 1, 1, 1, (struct raft_configuration){.voters = D});
    fake_sync_all(env);
    uint8_t bytes[40 + FAKE_RECORD_BYTES] = {0};
    sim_put32(bytes + 4, RAFT_FLAG_LAST);
    sim_put64(bytes + 8, 2);
    sim_put64(bytes + 16, 3);
    sim_put64(bytes + 24, 1);
    memcpy(bytes + 40, record.bytes, record.size_bytes);
    fake_deliver(env, 1, RAFT_INSTALL_SNAPSHOT, bytes, 40 + record.size_bytes);
    expect_config(2, D, 0, 0);
    fake_sync_all(env);
    cr_assert_eq(node()->applied, 3);
    expect_config(2, A | B, 0, E);
    fake_boot(env);
    expect_config(2, A | B, 0, E);
}

/* A configuration that no node can have made is not taken: nobody votes, nodes that are not in the
 * group, voters that only learn. */
Test(raft_membership, refuses_nonsense)
{
    static const struct raft_configuration nonsense[] = {
        {.voters = 0},
        {.voters = A | 32},
        {.voters = A, .old_voters = 32},
        {.voters = A, .learners = 32},
        {.voters = A, .learners = A | B},
        {.voters = A, .old_voters = B, .learners = B},
    };
    for (size_t i = 0; i < sizeof nonsense / sizeof nonsense[0]; i++) {
        fake_boot(env);
        give_configuration(1, 1, 0, 0, nonsense[i]);
        cr_expect_eq(node()->log.last, 0, "case %d", (int)i);
        expect_config(0, A | B | C, 0, 0);
    }
}
