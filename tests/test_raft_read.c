/* Raft's reads without a log entry: rounds of heartbeats, leases, and the promises of voters. Node
 * 0 is under test. */
#include "tests/raft_peers.h"

static void start_with(enum raft_read_mode mode)
{
    start();
    env->settings[RAFT_SET_READ_MODE] = (struct sim_value){mode, mode};
}

static void start_read_index(void)
{
    start_with(RAFT_READ_INDEX);
}

static void start_lease(void)
{
    start_with(RAFT_READ_LEASE);
    env->settings[RAFT_SET_LEASE_DRIFT] = (struct sim_value){200000, 200000};
}

TestSuite(read_index, .init = start_read_index, .fini = stop);
TestSuite(lease, .init = start_lease, .fini = stop);

#define LEASE_NS (100 * SIM_MS) /* 150 ms * 0.8 / 1.2 */

static void give_read(uint32_t client, uint64_t sequence)
{
    const struct sim_operation o = {
        .client = client, .function = SIM_READ, .sequence = sequence, .key = 1};
    fake_event(env, (struct sim_event){.kind = SIM_EVENT_OPERATION, .operation = &o});
}

static void give_heartbeat(uint32_t from, uint64_t term, uint64_t round)
{
    give(from, RAFT_HEARTBEAT, 0, term, round, 0);
}

static void answer_round(uint32_t from, uint64_t round)
{
    give(from, RAFT_HEARTBEAT_REPLY, 0, node()->term, round, 0);
}

/* The leader of term 1; key 1 has the value 7. */
static void lead(void)
{
    fake_boot(env);
    env->now_ns += SIM_S; /* What it promised before it booted is over. */
    make_leader();
    give_operation(50, 1, 7);
    fake_sync_all(env);
    give(1, RAFT_APPEND_ENTRIES_REPLY, RAFT_FLAG_MATCHED, node()->term, node()->log.last, 0);
    cr_assert_eq(node()->applied, 2);
    fake_clear(env);
}

/* ---- ReadIndex ------------------------------------------------------------------------------ */

/* A read is answered when a majority has answered a round that began after it came, and the log
 * stays as it is. */
Test(read_index, asks_a_majority)
{
    lead();
    give_read(60, 1);
    cr_expect_eq(env->reply_count, 0);
    cr_expect_eq(fake_count(env, RAFT_HEARTBEAT), 2);
    cr_expect_eq(sent(1, RAFT_HEARTBEAT).a, 1);
    answer_round(2, 1);
    cr_assert_eq(env->reply_count, 1);
    cr_expect_eq(env->replies[0].client, 60);
    cr_expect_eq(env->replies[0].answer, SIM_ANSWER_OK);
    cr_expect_eq(env->replies[0].value, 7);
    cr_expect_eq(env->reads_served, 1);
    cr_expect_eq(env->leased_reads, 0);
    cr_expect_eq(node()->log.last, 2);
}

/* A round serves all reads that waited for it; those that come meanwhile need the next one, for
 * an answer may be older than they are. */
Test(read_index, batches_reads_in_rounds)
{
    lead();
    give_read(60, 1);
    give_read(61, 1);
    give_read(62, 1);
    cr_expect_eq(fake_count(env, RAFT_HEARTBEAT), 2, "one round");
    answer_round(1, 1);
    cr_expect_eq(env->reply_count, 1);
    cr_expect_eq(sent(1, RAFT_HEARTBEAT).a, 2, "and the next one for the others");
    answer_round(2, 1);
    cr_expect_eq(env->reply_count, 1, "a late answer to the first counts no more");
    answer_round(2, 2);
    cr_expect_eq(env->reply_count, 3);
    give_read(63, 1);
    cr_expect_eq(sent(1, RAFT_HEARTBEAT).a, 3);
    answer_round(1, 2);
    answer_round(2, 9);
    cr_expect_eq(env->reply_count, 3, "nor an old one, nor one to a round that was not");
}

/* Messages may be lost: a heartbeat sends the round again. */
Test(read_index, asks_again)
{
    lead();
    fake_fire(env, RAFT_TIMER_HEARTBEAT);
    cr_expect_eq(fake_count(env, RAFT_HEARTBEAT), 0, "nobody reads");
    give_read(60, 1);
    fake_fire(env, RAFT_TIMER_HEARTBEAT);
    cr_expect_eq(fake_count(env, RAFT_HEARTBEAT), 4);
    cr_expect_eq(sent(2, RAFT_HEARTBEAT).a, 1);
}

/* A new leader answers nothing before an entry of its own term is committed: it does not know
 * yet what is. */
Test(read_index, waits_for_an_entry_of_its_own_term)
{
    fake_boot(env);
    give_append(1, 1, 0, 0, 1, TERMS(1, 1));
    fake_sync_all(env);
    make_leader();
    give_read(60, 1);
    answer_round(1, 1);
    cr_expect_eq(env->reply_count, 0);
    give(1, RAFT_APPEND_ENTRIES_REPLY, RAFT_FLAG_MATCHED, 2, 3, 0);
    cr_assert_eq(env->reply_count, 1);
    cr_expect_eq(env->replies[0].value, 100, "what operation_at() wrote in term 1");
}

/* A leader that is deposed sends its readers away, and starts anew when it leads again. */
Test(read_index, sends_readers_away_when_it_is_deposed)
{
    lead();
    give_read(60, 1);
    give_append(2, 2, 0, 0, 0, NULL);
    cr_assert_eq(env->reply_count, 1);
    cr_expect_eq(env->replies[0].answer, SIM_ANSWER_NOT_LEADER);
    cr_expect_eq(env->replies[0].value, 2);
    make_leader();
    give_read(60, 2);
    answer_round(1, 1);
    cr_expect_eq(env->reply_count, 0, "its new entry is not committed");
    give(1, RAFT_APPEND_ENTRIES_REPLY, RAFT_FLAG_MATCHED, 3, node()->log.last, 0);
    cr_expect_eq(env->reply_count, 1);
}

/* A later term in an answer deposes the leader. */
Test(read_index, learns_of_a_later_term)
{
    lead();
    give_read(60, 1);
    give(1, RAFT_HEARTBEAT_REPLY, 0, 5, 0, 0);
    cr_expect_eq(node()->role, SIM_ROLE_FOLLOWER);
    cr_expect_eq(node()->term, 5);
    cr_expect_eq(env->replies[0].answer, SIM_ANSWER_NOT_LEADER);
}

/* Followers answer the round they are asked, whatever their disk does, and tell older leaders
 * their term. */
Test(read_index, is_answered_by_followers)
{
    fake_boot(env);
    give_heartbeat(1, 3, 17);
    cr_expect_eq(node()->leader, 1);
    cr_expect_eq(sent(1, RAFT_HEARTBEAT_REPLY).a, 17);
    cr_expect_eq(sent(1, RAFT_HEARTBEAT_REPLY).term, 3);
    give_heartbeat(2, 2, 99);
    cr_expect_eq(sent(2, RAFT_HEARTBEAT_REPLY).a, 0);
    cr_expect_eq(sent(2, RAFT_HEARTBEAT_REPLY).term, 3);
}

/* Writes go through the log as ever; alone in its group a leader need not ask. */
Test(read_index, needs_nobody_when_it_is_alone)
{
    env->group_size = 1;
    fake_boot(env);
    fake_fire(env, RAFT_TIMER_ELECTION);
    fake_sync_all(env);
    fake_sync_all(env);
    give_operation(50, 1, 7);
    fake_sync_all(env);
    give_read(60, 1);
    cr_assert_eq(env->reply_count, 2);
    cr_expect_eq(env->replies[1].value, 7);
}

/* During joint consensus both majorities must answer. */
Test(read_index, asks_both_majorities)
{
    env->group_size = 5;
    env->settings[RAFT_SET_INITIAL_MEMBERS] = (struct sim_value){3, 3};
    lead();
    give_command_set(RAFT_COMMAND_CHANGE_MEMBERSHIP, 1 | 8 | 16);
    fake_fire(env, RAFT_TIMER_HEARTBEAT);
    for (uint32_t peer = 1; peer < 5; peer++) {
        give(peer, RAFT_APPEND_ENTRIES_REPLY, RAFT_FLAG_MATCHED, 1, 2, 0);
    }
    cr_assert_neq(raft_in_force(node())->old_voters, 0);
    fake_clear(env);
    give_read(60, 1);
    cr_expect_eq(fake_count(env, RAFT_HEARTBEAT), 4);
    answer_round(3, 1);
    answer_round(4, 1);
    cr_expect_eq(env->reply_count, 0);
    answer_round(1, 1);
    cr_expect_eq(env->reply_count, 1);
}

/* ---- Leases --------------------------------------------------------------------------------- */

/* Lead, with a lease that began just now. */
static void lead_with_lease(void)
{
    lead();
    fake_fire(env, RAFT_TIMER_HEARTBEAT);
    cr_assert_eq(fake_count(env, RAFT_HEARTBEAT), 2);
    answer_round(1, node()->reads.round);
    fake_clear(env);
}

static bool reads_at_once(void)
{
    static uint64_t sequence = 100;
    fake_clear(env);
    give_read(60, sequence++);
    return env->leased_reads == 1 && env->reply_count == 1;
}

/* The lease lasts from the beginning of the round for the election timeout, less what clocks may
 * be wrong; later a read asks a majority, which gives a new one. */
Test(lease, answers_at_once_while_it_lasts)
{
    lead_with_lease();
    cr_expect(reads_at_once());
    cr_expect_eq(env->message_count, 0);
    env->now_ns += LEASE_NS - 1;
    cr_expect(reads_at_once());
    env->now_ns++;
    cr_expect(!reads_at_once());
    cr_expect_eq(fake_count(env, RAFT_HEARTBEAT), 2);
    env->now_ns += 30 * SIM_MS;
    answer_round(2, node()->reads.round);
    cr_expect_eq(env->reply_count, 1);
    env->now_ns += LEASE_NS - 30 * SIM_MS - 1;
    cr_expect(reads_at_once(), "it counts from when the round began,");
    env->now_ns++;
    cr_expect(!reads_at_once(), "not from when it was answered");
}

/* A new leader has none before it knows what is committed. */
Test(lease, needs_an_entry_of_its_own_term)
{
    fake_boot(env);
    give_append(1, 1, 0, 0, 0, TERMS(1));
    fake_sync_all(env);
    env->now_ns += SIM_S;
    make_leader();
    fake_fire(env, RAFT_TIMER_HEARTBEAT);
    answer_round(1, 1);
    cr_expect(!reads_at_once());
    cr_expect_eq(env->reply_count, 0);
    give(1, RAFT_APPEND_ENTRIES_REPLY, RAFT_FLAG_MATCHED, node()->term, node()->log.last, 0);
    cr_expect(reads_at_once());
}

/* Whoever was told to take over may be elected at once: there is no lease in this term any more. */
Test(lease, ends_with_a_transfer)
{
    lead_with_lease();
    give(1, RAFT_APPEND_ENTRIES_REPLY, RAFT_FLAG_MATCHED, 1, 2, 0);
    give_command(RAFT_COMMAND_TRANSFER, 1);
    cr_assert_eq(fake_count(env, RAFT_TIMEOUT_NOW), 1);
    fake_fire(env, RAFT_TIMER_TRANSFER);
    answer_round(1, node()->reads.round);
    fake_fire(env, RAFT_TIMER_HEARTBEAT);
    answer_round(1, node()->reads.round);
    cr_expect(!reads_at_once());
    answer_round(1, node()->reads.round);
    cr_expect_eq(env->reply_count, 1, "but it may ask");
}

/* A change of the configuration ends it until the next round. */
Test(lease, ends_with_a_change_of_the_configuration)
{
    lead_with_lease();
    give(1, RAFT_APPEND_ENTRIES_REPLY, RAFT_FLAG_MATCHED, 1, 2, 0);
    cr_expect(reads_at_once());
    give_command(RAFT_COMMAND_REMOVE_SERVER, 2);
    cr_assert_eq(raft_in_force(node())->voters, 3);
    cr_expect(!reads_at_once());
    answer_round(1, node()->reads.round);
    cr_expect(reads_at_once());
}

/* A voter that has heard from a leader votes for nobody, not even in a later term, and refuses
 * pre-votes, until the shortest timeout has passed. A request for a vote is dropped, which is as
 * good as a refusal (dissertation, 4.2.3). */
Test(lease, is_a_promise_of_voters)
{
    fake_boot(env);
    env->now_ns += SIM_S;
    give_heartbeat(1, 1, 1);
    fake_sync_all(env);
    env->now_ns += 150 * SIM_MS - 1;
    give(2, RAFT_PRE_VOTE, 0, 2, 9, 9);
    cr_expect(!(sent(2, RAFT_PRE_VOTE_REPLY).flags & RAFT_FLAG_GRANTED));
    cr_expect_eq(ask_for_vote(2, 0, 2, 9, 9), VOTE_UNANSWERED);
    cr_expect_eq(node()->term, 1);
    env->now_ns++;
    cr_expect_eq(ask_for_vote(2, 0, 2, 9, 9), VOTE_GRANTED);
}

/* It keeps the promise when it hears of a later term from another side, and knows no leader of
 * that one. */
Test(lease, is_kept_in_a_later_term)
{
    fake_boot(env);
    env->now_ns += SIM_S;
    give_heartbeat(1, 1, 1);
    give(2, RAFT_REQUEST_VOTE_REPLY, 0, 7, 0, 0);
    cr_assert_eq(node()->term, 7);
    cr_expect_eq(ask_for_vote(2, 0, 7, 9, 9), VOTE_UNANSWERED);
    env->now_ns += 150 * SIM_MS;
    cr_expect_eq(ask_for_vote(2, 0, 7, 9, 9), VOTE_GRANTED);
}

/* It does not campaign itself, though it is told to; but at its leader's word it does, and votes
 * for whom its leader chose. */
Test(lease, binds_the_voter_itself)
{
    fake_boot(env);
    env->now_ns += SIM_S;
    give_heartbeat(1, 1, 1);
    give_command(RAFT_COMMAND_CAMPAIGN, SIM_NOBODY);
    cr_expect_eq(node()->role, SIM_ROLE_FOLLOWER);
    cr_expect_eq(ask_for_vote(2, RAFT_FLAG_TRANSFER, 2, 9, 9), VOTE_GRANTED);
    give_heartbeat(1, 3, 1);
    give(1, RAFT_TIMEOUT_NOW, 0, 3, 0, 0);
    cr_expect_eq(node()->role, SIM_ROLE_CANDIDATE);
}

/* After a boot it cannot know what it promised: it waits. */
Test(lease, is_kept_over_a_crash)
{
    fake_boot(env);
    env->now_ns += SIM_S;
    give_heartbeat(1, 1, 1);
    fake_sync_all(env);
    fake_boot(env);
    env->now_ns += 150 * SIM_MS - 1;
    cr_expect_eq(ask_for_vote(2, 0, 2, 9, 9), VOTE_UNANSWERED);
    env->now_ns++;
    cr_expect_eq(ask_for_vote(2, 0, 2, 9, 9), VOTE_GRANTED);
}
