/* Raft, one node at a time: the test plays the other members by hand. Members are 0, 1, ...;
 * the node under test is 0 unless said otherwise. */
#include "tests/raft_peers.h"

TestSuite(raft, .init = start, .fini = stop);

/* ---- Elections ----------------------------------------------------------------------------- */

/* A node that hears nothing asks for votes once its own is durable, and leads with a majority. */
Test(raft, leads_with_the_votes_of_a_majority)
{
    env->group_size = 5;
    fake_boot(env);
    fake_clear(env);
    fake_fire(env, RAFT_TIMER_ELECTION);
    cr_expect_eq(node()->role, SIM_ROLE_CANDIDATE);
    cr_expect_eq(env->message_count, 0, "its vote is not durable yet");
    cr_expect_eq(env->fact_order[0], RAFT_FACT_TERM);
    cr_expect_eq(env->fact_order[1], RAFT_FACT_ROLE);
    fake_sync_all(env);
    cr_expect_eq(fake_count(env, RAFT_REQUEST_VOTE), 4);
    cr_expect_eq(env->durable[RAFT_FILE_HARD].records[0].label.a, 1);
    cr_expect_eq(env->durable[RAFT_FILE_HARD].records[0].label.b, 1);

    give(3, RAFT_REQUEST_VOTE_REPLY, RAFT_FLAG_GRANTED, 1, 0, 0);
    give(3, RAFT_REQUEST_VOTE_REPLY, RAFT_FLAG_GRANTED, 1, 0, 0);
    give(4, RAFT_REQUEST_VOTE_REPLY, 0, 1, 0, 0);
    cr_expect_eq(node()->role, SIM_ROLE_CANDIDATE, "one voter twice and a refusal are two votes");
    give(1, RAFT_REQUEST_VOTE_REPLY, RAFT_FLAG_GRANTED, 1, 0, 0);
    cr_expect_eq(node()->role, SIM_ROLE_LEADER);
    cr_expect_eq(fake_count(env, RAFT_APPEND_ENTRIES), 4);
    cr_expect(log_is(TERMS(1)), "the entry of its term");
}

/* Alone in its group, a node elects itself and commits by its own disk. */
Test(raft, leads_alone)
{
    env->group_size = 1;
    fake_boot(env);
    fake_fire(env, RAFT_TIMER_ELECTION);
    fake_sync_all(env);
    give_operation(50, 1, 7);
    cr_expect_eq(env->reply_count, 0);
    fake_sync_all(env);
    cr_assert_eq(env->reply_count, 1);
    cr_expect_eq(env->replies[0].answer, SIM_ANSWER_OK);
    cr_expect_eq(kv_get(&node()->kv, 1), 7);
}

/* A vote is told when it is durable, and a crash does not let the node vote for another. */
Test(raft, keeps_its_vote_over_a_crash)
{
    boot_with_bug(-1);
    give(1, RAFT_REQUEST_VOTE, 0, 4, 0, 0);
    cr_expect_eq(env->message_count, 0);
    fake_sync_all(env);
    cr_expect_eq(sent(1, RAFT_REQUEST_VOTE_REPLY).flags, RAFT_FLAG_GRANTED);
    fake_boot(env);
    cr_expect_eq(ask_for_vote(2, 0, 4, 0, 0), VOTE_REFUSED);
    cr_expect_eq(ask_for_vote(1, 0, 4, 0, 0), VOTE_GRANTED, "the same candidate may ask again");
}

/* R05: the vote is not on disk, so the same crash lets it vote twice. */
Test(raft, votes_twice_with_R05)
{
    boot_with_bug(RAFT_R05);
    cr_expect_eq(ask_for_vote(1, 0, 4, 0, 0), VOTE_GRANTED);
    fake_boot(env);
    cr_expect_eq(ask_for_vote(2, 0, 4, 0, 0), VOTE_GRANTED);
}

/* A node that follows a leader of its term still knows whom it voted for; with R29 it forgets. */
Test(raft, remembers_its_vote_when_it_follows)
{
    for (int bug = -1; bug <= RAFT_R29; bug += RAFT_R29 + 1) {
        boot_with_bug(bug);
        const uint64_t term = node()->term + 1;
        cr_expect_eq(ask_for_vote(1, 0, term, 0, 0), VOTE_GRANTED);
        give_append(1, term, 0, 0, 0, NULL);
        cr_expect_eq(ask_for_vote(2, 0, term, 0, 0), bug == RAFT_R29 ? VOTE_GRANTED : VOTE_REFUSED,
                     "bug %d", bug);
    }
}

/* A candidate needs a log at least as up to date: the later last term, then the longer log.
 * With R08 any log will do. */
Test(raft, votes_only_for_an_up_to_date_log)
{
    static const struct {
        uint64_t last;
        uint64_t term;
        bool enough;
    } cases[] = {{1, 2, false}, {9, 1, false}, {2, 2, true}, {3, 2, true}, {1, 3, true}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (int bug = -1; bug <= RAFT_R08; bug += RAFT_R08 + 1) {
            boot_with_bug(bug);
            const uint64_t term = node()->term + 1;
            give_append(1, term, 0, 0, 0, TERMS(1, 2));
            fake_sync_all(env);
            const bool grants = cases[i].enough || bug == RAFT_R08;
            cr_expect_eq(ask_for_vote(2, 0, term + 1, cases[i].last, cases[i].term),
                         grants ? VOTE_GRANTED : VOTE_REFUSED, "case %d, bug %d", (int)i, bug);
        }
    }
}

/* Messages of older terms have no effect but an answer that tells the term. */
Test(raft, ignores_older_terms)
{
    fake_boot(env);
    give_append(1, 5, 0, 0, 0, TERMS(5));
    fake_sync_all(env);
    fake_clear(env);
    give_append(2, 4, 0, 0, 1, TERMS(4, 4));
    cr_expect(log_is(TERMS(5)));
    cr_expect_eq(node()->commit, 0);
    cr_expect_eq(acknowledged(2), UINT64_MAX);
    cr_expect_eq(sent(2, RAFT_APPEND_ENTRIES_REPLY).term, 5);
    cr_expect_eq(ask_for_vote(2, 0, 4, 9, 4), VOTE_REFUSED);
    cr_expect_eq(sent(2, RAFT_REQUEST_VOTE_REPLY).term, 5);
    cr_expect_eq(node()->leader, 1);
}

/* Hearing from the leader puts an election off; silence brings it. */
Test(raft, waits_while_it_hears_from_a_leader)
{
    fake_boot(env);
    for (int i = 0; i < 40; i++) {
        env->now_ns += 50 * SIM_MS;
        give_append(1, 1, 0, 0, 0, NULL);
        if (env->timers[RAFT_TIMER_ELECTION] <= env->now_ns) {
            fake_fire(env, RAFT_TIMER_ELECTION);
        }
        cr_assert_eq(node()->role, SIM_ROLE_FOLLOWER, "heartbeat %d", i);
    }
    const uint64_t heard_ns = env->now_ns;
    while (node()->role == SIM_ROLE_FOLLOWER) {
        fake_fire(env, RAFT_TIMER_ELECTION);
    }
    cr_expect_geq(env->now_ns - heard_ns, 150 * SIM_MS);
    cr_expect_leq(env->now_ns - heard_ns, 300 * SIM_MS);
}

/* PreVote asks before it enters a term: without a majority no term changes, neither here nor
 * where it asks. */
Test(raft, pre_vote_changes_no_term)
{
    env->settings[RAFT_SET_PRE_VOTE] = (struct sim_value){1, 1};
    fake_boot(env);
    for (int i = 0; i < 10; i++) {
        fake_fire(env, RAFT_TIMER_ELECTION);
    }
    cr_expect_eq(node()->term, 0);
    cr_expect_eq(node()->role, SIM_ROLE_FOLLOWER);
    cr_expect_eq(fake_count(env, RAFT_PRE_VOTE), 20);
    cr_expect_eq(fake_count(env, RAFT_REQUEST_VOTE), 0);
    cr_expect_eq(sent(1, RAFT_PRE_VOTE).term, 1);

    give(1, RAFT_PRE_VOTE, 0, 1, 0, 0);
    cr_expect_eq(node()->term, 0);
    cr_expect(sent(1, RAFT_PRE_VOTE_REPLY).flags & RAFT_FLAG_GRANTED);
    give(1, RAFT_PRE_VOTE_REPLY, RAFT_FLAG_GRANTED, 1, 0, 0);
    cr_expect_eq(node()->role, SIM_ROLE_CANDIDATE, "a majority would vote");
    cr_expect_eq(node()->term, 1);
    give(2, RAFT_PRE_VOTE_REPLY, RAFT_FLAG_GRANTED, 1, 0, 0);
    fake_sync_all(env);
    give(2, RAFT_PRE_VOTE_REPLY, RAFT_FLAG_GRANTED, 1, 0, 0);
    cr_expect_eq(node()->role, SIM_ROLE_CANDIDATE, "a pre-vote is no vote");
}

/* A node that hears from its leader refuses pre-votes, until an election timeout has passed. */
Test(raft, refuses_pre_votes_while_it_hears_from_a_leader)
{
    fake_boot(env);
    give_append(1, 1, 0, 0, 0, NULL);
    give(2, RAFT_PRE_VOTE, 0, 2, 0, 0);
    cr_expect(!(sent(2, RAFT_PRE_VOTE_REPLY).flags & RAFT_FLAG_GRANTED));
    env->now_ns += 150 * SIM_MS;
    give(2, RAFT_PRE_VOTE, 0, 2, 0, 0);
    cr_expect(sent(2, RAFT_PRE_VOTE_REPLY).flags & RAFT_FLAG_GRANTED);
    give(2, RAFT_PRE_VOTE, 0, 1, 0, 0);
    cr_expect(!(sent(2, RAFT_PRE_VOTE_REPLY).flags & RAFT_FLAG_GRANTED), "no later term");
}

/* CheckQuorum: a leader goes on while a majority answers and steps down when it is alone. */
Test(raft, steps_down_without_a_quorum)
{
    env->settings[RAFT_SET_CHECK_QUORUM] = (struct sim_value){1, 1};
    env->group_size = 5;
    fake_boot(env);
    make_leader();
    fake_fire(env, RAFT_TIMER_ELECTION); /* Those who elected it count as heard from. */
    for (int i = 0; i < 5; i++) {
        give(1, RAFT_APPEND_ENTRIES_REPLY, RAFT_FLAG_MATCHED, 1, 0, 0);
        give(4, RAFT_APPEND_ENTRIES_REPLY, RAFT_FLAG_MATCHED, 1, 0, 0);
        fake_fire(env, RAFT_TIMER_ELECTION);
        cr_assert_eq(node()->role, SIM_ROLE_LEADER);
    }
    give(1, RAFT_APPEND_ENTRIES_REPLY, RAFT_FLAG_MATCHED, 1, 0, 0);
    fake_fire(env, RAFT_TIMER_ELECTION);
    cr_expect_eq(node()->role, SIM_ROLE_FOLLOWER);
    cr_expect_eq(node()->term, 1);
    cr_expect_eq(node()->leader, SIM_NOBODY);
}

/* CheckQuorum: candidates are ignored while the leader is heard, but for one it has asked. That
 * they get no answer at all keeps them from entering its term (4.2.3). */
Test(raft, ignores_candidates_while_it_hears_from_a_leader)
{
    env->settings[RAFT_SET_CHECK_QUORUM] = (struct sim_value){1, 1};
    fake_boot(env);
    give_append(1, 1, 0, 0, 0, NULL);
    cr_expect_eq(ask_for_vote(2, 0, 7, 9, 9), VOTE_UNANSWERED);
    cr_expect_eq(node()->term, 1);
    cr_expect_eq(ask_for_vote(2, RAFT_FLAG_TRANSFER, 7, 9, 9), VOTE_GRANTED);
}

/* ---- Followers ----------------------------------------------------------------------------- */

/* Entries are acknowledged when they are durable; with R07 at once. */
Test(raft, acknowledges_what_is_durable)
{
    for (int bug = -1; bug <= RAFT_R07; bug += RAFT_R07 + 1) {
        boot_with_bug(bug);
        const uint64_t term = node()->term + 1;
        give_append(1, term, 0, 0, 0, NULL);
        fake_sync_all(env); /* The term. */
        fake_clear(env);
        give_append(1, term, node()->log.last, raft_last_term(node()), 0, TERMS(1, 1));
        const uint64_t last = node()->log.last;
        cr_expect_eq(acknowledged(1), bug == RAFT_R07 ? last : UINT64_MAX, "bug %d", bug);
        fake_sync_all(env);
        cr_expect_eq(acknowledged(1), last);
    }
}

/* While a sync is under way more entries come: each sync acknowledges what it covered. */
Test(raft, shares_one_sync_among_many_writes)
{
    fake_boot(env);
    give_append(1, 1, 0, 0, 0, TERMS(1));
    give_append(1, 1, 1, 1, 0, TERMS(1));
    give_append(1, 1, 2, 1, 0, TERMS(1));
    fake_sync(env, SIM_OK);
    cr_expect_eq(acknowledged(1), 1);
    fake_sync(env, SIM_OK);
    cr_expect_eq(acknowledged(1), 3);
    cr_expect_eq(env->syncs_pending, 0);
    cr_expect_eq(fake_count(env, RAFT_APPEND_ENTRIES_REPLY), 2);
}

/* Entries that conflict go, with all that follow; a delayed message that conflicts with
 * nothing takes nothing back, but with R09 it does. */
Test(raft, truncates_only_on_a_conflict)
{
    for (int bug = -1; bug <= RAFT_R09; bug += RAFT_R09 + 1) {
        fake_free(env);
        start();
        boot_with_bug(bug);
        give_append(1, 1, 0, 0, 0, TERMS(1, 1, 1));
        give_append(2, 2, 1, 1, 0, TERMS(2, 2));
        cr_expect(log_is(TERMS(1, 2, 2)));
        give_append(2, 2, 1, 1, 0, TERMS(2));
        cr_expect(bug == RAFT_R09 ? log_is(TERMS(1, 2)) : log_is(TERMS(1, 2, 2)), "bug %d", bug);
    }
}

/* What replaces an entry is not durable because the replaced one is about to be. */
Test(raft, does_not_count_a_replaced_entry_as_durable)
{
    fake_boot(env);
    give_append(1, 1, 0, 0, 0, TERMS(1, 1));
    cr_assert_eq(env->syncs_pending, 1);
    give_append(2, 2, 1, 1, 0, TERMS(2));
    fake_sync(env, SIM_OK); /* Covers 1, 1. */
    cr_expect_eq(node()->log.durable, 1);
    cr_expect_eq(acknowledged(2), UINT64_MAX);
    fake_sync(env, SIM_OK);
    cr_expect_eq(acknowledged(2), 2);
}

/* An entry is refused if the one before differs, and the answer says where to look. With R10
 * it is taken. */
Test(raft, checks_the_entry_before)
{
    for (int bug = -1; bug <= RAFT_R10; bug += RAFT_R10 + 1) {
        fake_free(env);
        start();
        boot_with_bug(bug);
        give_append(1, 2, 0, 0, 0, TERMS(1, 1, 2, 2));
        fake_sync_all(env);
        give_append(2, 3, 9, 3, 0, TERMS(3));
        cr_expect_eq(sent(2, RAFT_APPEND_ENTRIES_REPLY).b, 4, "too short");
        give_append(2, 3, 4, 3, 0, TERMS(3));
        fake_sync_all(env);
        cr_expect(bug == RAFT_R10 ? log_is(TERMS(1, 1, 2, 2, 3)) : log_is(TERMS(1, 1, 2, 2)));
        if (bug != RAFT_R10) {
            cr_expect_eq(sent(2, RAFT_APPEND_ENTRIES_REPLY).a, 4);
            cr_expect_eq(sent(2, RAFT_APPEND_ENTRIES_REPLY).b, 2, "skips the whole term 2");
        }
    }
}

/* An acknowledgement names what the leader has compared; with R25 the whole log. */
Test(raft, acknowledges_what_was_compared)
{
    for (int bug = -1; bug <= RAFT_R25; bug += RAFT_R25 + 1) {
        fake_free(env);
        start();
        boot_with_bug(bug);
        give_append(1, 1, 0, 0, 0, TERMS(1, 1, 1));
        fake_sync_all(env);
        give_append(2, 2, 1, 1, 3, NULL);
        fake_sync_all(env);
        cr_expect_eq(acknowledged(2), bug == RAFT_R25 ? 3 : 1, "bug %d", bug);
        cr_expect_eq(node()->commit, 1, "nor is more than that committed");
    }
}

/* ---- Leaders ------------------------------------------------------------------------------- */

/* A leader counts its own copy when its disk is done, not before. */
Test(raft, counts_itself_when_durable)
{
    fake_boot(env);
    make_leader();
    give_operation(50, 1, 7);
    give_operation(51, 1, 8);
    give(1, RAFT_APPEND_ENTRIES_REPLY, RAFT_FLAG_MATCHED, 1, 3, 0);
    cr_expect_eq(node()->commit, 1, "the third entry is on one disk");
    fake_sync_all(env);
    cr_expect_eq(node()->commit, 3);
    cr_expect_eq(env->reply_count, 2);
    cr_expect_eq(env->replies[1].value, 8);
}

/* An entry of an older term is committed by one of the leader's own; with R01 by counting. */
Test(raft, commits_only_with_its_own_term)
{
    for (int bug = -1; bug <= RAFT_R01; bug += RAFT_R01 + 1) {
        fake_free(env);
        start();
        env->group_size = 5;
        boot_with_bug(bug);
        give_append(1, 1, 0, 0, 0, TERMS(1, 1));
        make_leader();
        give(1, RAFT_APPEND_ENTRIES_REPLY, RAFT_FLAG_MATCHED, 2, 2, 0);
        give(2, RAFT_APPEND_ENTRIES_REPLY, RAFT_FLAG_MATCHED, 2, 2, 0);
        cr_expect_eq(node()->commit, bug == RAFT_R01 ? 2 : 0, "bug %d", bug);
        give(1, RAFT_APPEND_ENTRIES_REPLY, RAFT_FLAG_MATCHED, 2, 3, 0);
        give(2, RAFT_APPEND_ENTRIES_REPLY, RAFT_FLAG_MATCHED, 2, 3, 0);
        cr_expect_eq(node()->commit, 3);
    }
}

/* A peer that follows gets every entry once; one that rejects is probed back to where the logs
 * agree, then gets the rest at once. */
Test(raft, sends_each_entry_once_and_backs_up_on_rejection)
{
    fake_boot(env);
    give_append(1, 1, 0, 0, 0, TERMS(1, 1, 1, 1));
    make_leader(); /* Term 2, entry 5. */
    give(1, RAFT_APPEND_ENTRIES_REPLY, RAFT_FLAG_MATCHED, 2, 5, 0);
    fake_clear(env);
    give_operation(50, 1, 7);
    give_operation(51, 1, 8);
    cr_expect_eq(fake_count(env, RAFT_APPEND_ENTRIES), 2, "node 2 has not answered yet");
    cr_expect_eq(sent(1, RAFT_APPEND_ENTRIES).a, 6);
    cr_expect_eq(sent(1, RAFT_APPEND_ENTRIES).flags, 1);

    fake_clear(env);
    give(2, RAFT_APPEND_ENTRIES_REPLY, 0, 2, 4, 2);
    cr_expect_eq(sent(2, RAFT_APPEND_ENTRIES).a, 2);
    cr_expect_eq(sent(2, RAFT_APPEND_ENTRIES).flags, 5);
    give(2, RAFT_APPEND_ENTRIES_REPLY, 0, 2, 4, 2);
    cr_expect_eq(env->message_count, 1, "the same rejection twice is one");
    give(2, RAFT_APPEND_ENTRIES_REPLY, RAFT_FLAG_MATCHED, 2, 7, 0);
    struct sim_progress known = {0, 0};
    raft_kind.consensus->progress(node(), 2, 1, &known);
    cr_expect_eq(known.match, 7);
    cr_expect_eq(known.next, 8);
    cr_expect_eq(env->message_count, 1);
}

/* Entries lost on the way come again after a heartbeat that nobody answered. */
Test(raft, sends_lost_entries_again)
{
    fake_boot(env);
    make_leader();
    give(1, RAFT_APPEND_ENTRIES_REPLY, RAFT_FLAG_MATCHED, 1, 1, 0);
    give_operation(50, 1, 7);
    fake_fire(env, RAFT_TIMER_HEARTBEAT); /* Node 1 did answer before. */
    cr_expect_eq(sent(1, RAFT_APPEND_ENTRIES).a, 2);
    fake_fire(env, RAFT_TIMER_HEARTBEAT);
    cr_expect_eq(sent(1, RAFT_APPEND_ENTRIES).a, 1, "a probe where it is sure to match");
    cr_expect_eq(sent(1, RAFT_APPEND_ENTRIES).flags, 0);
    give(1, RAFT_APPEND_ENTRIES_REPLY, RAFT_FLAG_MATCHED, 1, 1, 0);
    cr_expect_eq(sent(1, RAFT_APPEND_ENTRIES).flags, 1);
}

/* A long catch-up goes in messages of at most max_entries_per_append. */
Test(raft, limits_the_entries_of_a_message)
{
    env->settings[RAFT_SET_MAX_ENTRIES] = (struct sim_value){4, 4};
    fake_boot(env);
    make_leader();
    for (uint32_t i = 1; i <= 9; i++) {
        give_operation(50 + i, 1, 7);
    }
    fake_clear(env);
    give(2, RAFT_APPEND_ENTRIES_REPLY, RAFT_FLAG_MATCHED, 1, 0, 0);
    cr_expect_eq(fake_count(env, RAFT_APPEND_ENTRIES), 3);
    cr_expect_eq(sent(2, RAFT_APPEND_ENTRIES).a, 8, "ten entries are 4 + 4 + 2");
    cr_expect_eq(sent(2, RAFT_APPEND_ENTRIES).flags, 2);
}

/* A leader whose followers are ready to be sent entries; messages are forgotten. */
static void make_streaming_leader(void)
{
    fake_boot(env);
    make_leader();
    for (uint32_t peer = 1; peer < env->group_size; peer++) {
        give(peer, RAFT_APPEND_ENTRIES_REPLY, RAFT_FLAG_MATCHED, 1, 1, 0);
    }
    fake_clear(env);
}

/* Without batching each operation costs a message to every follower. With it those that come
 * within the delay share one; and what fills a message does not wait. */
Test(raft, batches_entries)
{
    for (int batching = 0; batching < 2; batching++) {
        stop();
        start();
        env->settings[RAFT_SET_BATCH_DELAY].low = batching * 5 * SIM_MS;
        env->settings[RAFT_SET_MAX_ENTRIES].low = 8;
        make_streaming_leader();
        for (uint32_t i = 1; i <= 4; i++) {
            give_operation(50 + i, 1, 7);
        }
        cr_expect_eq(fake_count(env, RAFT_APPEND_ENTRIES), batching ? 0 : 8);
        fake_sync_all(env);
        give(1, RAFT_APPEND_ENTRIES_REPLY, RAFT_FLAG_MATCHED, 1, 1, 0);
        cr_expect_eq(fake_count(env, RAFT_APPEND_ENTRIES), batching ? 0 : 8, "an old answer");
        if (batching) {
            cr_expect_eq(env->timers[RAFT_TIMER_BATCH], env->now_ns + 5 * SIM_MS);
            fake_fire(env, RAFT_TIMER_BATCH);
            cr_expect_eq(fake_count(env, RAFT_APPEND_ENTRIES), 2);
            cr_expect_eq(sent(1, RAFT_APPEND_ENTRIES).flags, 4);
            for (uint32_t i = 1; i <= 8; i++) {
                give_operation(60 + i, 1, 7);
            }
            cr_expect_eq(fake_count(env, RAFT_APPEND_ENTRIES), 4, "a full message leaves at once");
            cr_expect_eq(sent(2, RAFT_APPEND_ENTRIES).flags, 8);
        }
    }
}

/* A leader that waits for its answers sends all that came meanwhile in one message. */
Test(raft, waits_for_answers_without_a_pipeline)
{
    for (uint32_t window = 1; window <= 3; window++) {
        stop();
        start();
        env->settings[RAFT_SET_PIPELINE_WINDOW].low = window;
        make_streaming_leader();
        for (uint32_t i = 1; i <= 6; i++) {
            give_operation(50 + i, 1, 7);
        }
        cr_expect_eq(fake_count(env, RAFT_APPEND_ENTRIES), 2 * window);
        give(1, RAFT_APPEND_ENTRIES_REPLY, RAFT_FLAG_MATCHED, 1, 2, 0);
        cr_expect_eq(fake_count(env, RAFT_APPEND_ENTRIES), 2 * window + 1);
        cr_expect_eq(sent(1, RAFT_APPEND_ENTRIES).a, 1 + window);
        cr_expect_eq(sent(1, RAFT_APPEND_ENTRIES).flags, 6 - window);
    }
}

/* A leader writes and sends at once, or one after the other. */
Test(raft, writes_before_it_sends)
{
    for (int first = 0; first < 2; first++) {
        stop();
        start();
        env->settings[RAFT_SET_WRITE_BEFORE_SEND].low = first;
        make_streaming_leader();
        give_operation(50, 1, 7);
        give_operation(51, 1, 7); /* Its sync begins when the first one has ended. */
        cr_expect_eq(fake_count(env, RAFT_APPEND_ENTRIES), first ? 0 : 4);
        fake_sync(env, SIM_OK);
        cr_expect_eq(sent(1, RAFT_APPEND_ENTRIES).flags, 1);
        cr_expect_eq(fake_count(env, RAFT_APPEND_ENTRIES), first ? 2 : 4);
        fake_sync(env, SIM_OK);
        cr_expect_eq(fake_count(env, RAFT_APPEND_ENTRIES), 4);
    }
}

/* ---- Clients ------------------------------------------------------------------------------- */

/* Who does not lead names the leader, or nobody. */
Test(raft, redirects_clients)
{
    fake_boot(env);
    give_operation(50, 1, 7);
    give_append(2, 1, 0, 0, 0, NULL);
    give_operation(50, 1, 7);
    cr_assert_eq(env->reply_count, 2);
    cr_expect_eq(env->replies[0].answer, SIM_ANSWER_NOT_LEADER);
    cr_expect_eq(env->replies[0].value, SIM_NOBODY);
    cr_expect_eq(env->replies[1].answer, SIM_ANSWER_NOT_LEADER);
    cr_expect_eq(env->replies[1].value, 2);
}

/* A retry is answered, but has its effect once; with R16 twice. */
Test(raft, applies_a_retry_once)
{
    for (int bug = -1; bug <= RAFT_R16; bug += RAFT_R16 + 1) {
        fake_free(env);
        start();
        boot_with_bug(bug);
        make_leader();
        give_operation(50, 1, 7);
        give_operation(51, 1, 8);
        give_operation(50, 1, 7);
        fake_sync_all(env);
        give(1, RAFT_APPEND_ENTRIES_REPLY, RAFT_FLAG_MATCHED, 1, 4, 0);
        cr_expect_eq(env->reply_count, 3);
        cr_expect_eq(env->effect_count, bug == RAFT_R16 ? 3 : 2, "bug %d", bug);
        cr_expect_eq(kv_get(&node()->kv, 1), bug == RAFT_R16 ? 7 : 8);
    }
}

/* Leadership goes to a peer once it has the whole log; meanwhile nothing new is taken. */
Test(raft, hands_over_to_a_peer_that_has_caught_up)
{
    fake_boot(env);
    make_leader();
    give_command(RAFT_COMMAND_TRANSFER, 2);
    cr_expect_eq(fake_count(env, RAFT_TIMEOUT_NOW), 0);
    give_operation(50, 1, 7);
    cr_expect_eq(env->replies[0].answer, SIM_ANSWER_REFUSED);
    give(2, RAFT_APPEND_ENTRIES_REPLY, RAFT_FLAG_MATCHED, 1, 1, 0);
    cr_expect_eq(sent(2, RAFT_TIMEOUT_NOW).term, 1);
    fake_fire(env, RAFT_TIMER_TRANSFER);
    give_operation(50, 1, 7);
    cr_expect_eq(node()->log.last, 2, "it still leads, and goes on");
    fake_sync_all(env);
    give(1, RAFT_APPEND_ENTRIES_REPLY, RAFT_FLAG_MATCHED, 1, 2, 0);
    give_command(RAFT_COMMAND_TRANSFER, SIM_NOBODY);
    cr_expect_eq(sent(1, RAFT_TIMEOUT_NOW).term, 1, "node 1 has the longest log");
}

/* The target campaigns at once, and only at its own leader's word. */
Test(raft, campaigns_when_its_leader_says_so)
{
    env->settings[RAFT_SET_PRE_VOTE] = (struct sim_value){1, 1};
    fake_boot(env);
    give_append(1, 1, 0, 0, 0, NULL);
    give(2, RAFT_TIMEOUT_NOW, 0, 1, 0, 0);
    cr_expect_eq(node()->role, SIM_ROLE_FOLLOWER);
    give(1, RAFT_TIMEOUT_NOW, 0, 1, 0, 0);
    fake_sync_all(env);
    cr_expect_eq(sent(2, RAFT_REQUEST_VOTE).term, 2);
    cr_expect_eq(sent(2, RAFT_REQUEST_VOTE).flags, RAFT_FLAG_TRANSFER);
}

/* ---- Slow disks ---------------------------------------------------------------------------- */

static void begin_slow_sync(int64_t bound_ns)
{
    env->settings[RAFT_SET_SLOW_DISK_BOUND].low = bound_ns;
    make_streaming_leader();
    give_operation(50, 1, 7);
    cr_assert_eq(env->syncs_pending, 1);
    fake_clear(env);
}

/* A leader whose sync takes longer than the bound hands over to the one that has all of its log,
 * whether the sync has ended or not; without a bound, or within it, it does not. */
Test(raft, hands_over_when_its_disk_is_slow)
{
    for (int ended = 0; ended < 2; ended++) {
        stop();
        start();
        begin_slow_sync(120 * SIM_MS);
        give(2, RAFT_APPEND_ENTRIES_REPLY, RAFT_FLAG_MATCHED, 1, 2, 0);
        fake_fire(env, RAFT_TIMER_HEARTBEAT);
        fake_fire(env, RAFT_TIMER_HEARTBEAT);
        cr_expect_eq(fake_count(env, RAFT_TIMEOUT_NOW), 0, "100 ms");
        if (ended) {
            env->now_ns += 30 * SIM_MS;
            fake_sync(env, SIM_OK);
        } else {
            fake_fire(env, RAFT_TIMER_HEARTBEAT);
        }
        cr_assert_eq(fake_count(env, RAFT_TIMEOUT_NOW), 1);
        cr_expect_eq(sent(2, RAFT_TIMEOUT_NOW).term, 1);
    }
    stop();
    start();
    begin_slow_sync(0);
    env->now_ns += 60 * SIM_S;
    fake_fire(env, RAFT_TIMER_HEARTBEAT);
    fake_sync(env, SIM_OK);
    cr_expect_eq(fake_count(env, RAFT_TIMEOUT_NOW), 0);
}

/* If nobody takes over it goes on, and tries once more when as much time has passed again. */
Test(raft, tries_again_to_leave_its_disk)
{
    begin_slow_sync(120 * SIM_MS);
    env->now_ns += 130 * SIM_MS;
    fake_fire(env, RAFT_TIMER_HEARTBEAT);
    cr_expect_eq(fake_count(env, RAFT_TIMEOUT_NOW), 0, "no follower has its log");
    fake_fire(env, RAFT_TIMER_TRANSFER);
    cr_expect_eq(node()->role, SIM_ROLE_LEADER);
    give(2, RAFT_APPEND_ENTRIES_REPLY, RAFT_FLAG_MATCHED, 1, 2, 0);
    fake_fire(env, RAFT_TIMER_HEARTBEAT);
    fake_fire(env, RAFT_TIMER_HEARTBEAT);
    cr_expect_eq(fake_count(env, RAFT_TIMEOUT_NOW), 0);
    fake_fire(env, RAFT_TIMER_HEARTBEAT);
    fake_fire(env, RAFT_TIMER_HEARTBEAT);
    cr_expect_eq(fake_count(env, RAFT_TIMEOUT_NOW), 1);
}

/* If the sync ends, late as it is, before another disk has done as much, that one is no quicker:
 * the leader stays, and takes operations again. If it was, the leader goes. */
Test(raft, stays_when_other_disks_are_slow_too)
{
    for (int quicker = 0; quicker < 2; quicker++) {
        stop();
        start();
        begin_slow_sync(120 * SIM_MS);
        env->now_ns += 130 * SIM_MS;
        fake_fire(env, RAFT_TIMER_HEARTBEAT);
        if (quicker) {
            give(1, RAFT_APPEND_ENTRIES_REPLY, RAFT_FLAG_MATCHED, 1, 2, 0);
        }
        fake_sync_all(env);
        fake_clear(env);
        give_operation(51, 1, 7);
        cr_expect_eq(env->reply_count, (uint32_t)quicker, "refused while it hands over");
        cr_expect_eq(node()->log.last, quicker ? 2u : 3u);
        cr_expect_eq(env->timers[RAFT_TIMER_TRANSFER] == SIM_NEVER, !quicker);
    }
}
