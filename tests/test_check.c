/* The checks: names, verdicts and the latch; then the invariants of elections. Each has
 * histories that it must accept, since a correct Raft makes them, and histories that it must
 * reject at once. Those of commitment are in test_check_commit.c, those of logs and operations
 * in test_check_log.c. */
#include "check_cluster.h"

TestSuite(check, .init = cluster, .fini = cluster_end);
TestSuite(election, .init = cluster, .fini = cluster_end);
TestSuite(election_at_work, .init = cluster_at_work, .fini = cluster_end);

/* ---- Registry, latch, verdicts ---------------------------------------------------------- */

/* Every check has a name of its own in snake case, and a sentence. */
Test(check, all_are_named)
{
    for (uint32_t i = 0; i < SIM_CHECK_COUNT; i++) {
        const struct sim_check_info *info = &sim_check_infos[i];
        cr_assert_not_null(info->name);
        cr_expect_eq(strspn(info->name, "abcdefghijklmnopqrstuvwxyz_"), strlen(info->name));
        cr_expect_eq(info->summary[strlen(info->summary) - 1], '.');
        for (uint32_t other = 0; other < i; other++) {
            cr_expect_str_neq(info->name, sim_check_infos[other].name);
        }
    }
    cr_expect_str_eq(sim_verdict_name(SIM_HOLDS), "holds");
    cr_expect_str_eq(sim_verdict_name(SIM_UNKNOWN), "unknown");
}

/* What was never put to the test is vacuous, and not a success. */
Test(check, is_vacuous_when_nothing_happens)
{
    for (uint32_t i = 0; i < SIM_CHECK_COUNT; i++) {
        expect_verdict(i, i == SIM_CHECK_CRASH_FREE ? SIM_HOLDS : SIM_VACUOUS);
    }
}

/* A run with an election, entries, commits, votes, a crash and a retry tests everything, and
 * a correct one holds everywhere. */
Test(check, all_hold_in_a_correct_run)
{
    cluster_end();
    cluster_at_work();
    of(N1)->next[N2] = 2;
    of(N1)->match[N2] = 1;
    store(N1, 1, 102);
    acknowledge(N1, C1, 1, 2);
    restart(N3);
    restart(N1);
    elect(N2, N3, 2);
    finish();
    for (uint32_t i = 0; i < SIM_CHECK_LIVENESS; i++) {
        cr_expect_eq(state_of(i)->verdict, SIM_HOLDS, "%s is %s: %s", sim_check_infos[i].name,
                     sim_verdict_name(state_of(i)->verdict), state_of(i)->detail);
    }
}

/* The first violation is kept, with its time and the record it followed, and is recorded. */
Test(check, latches_the_first_violation)
{
    world->now_ns = 5 * SIM_S;
    const uint64_t before = world->trace.count;
    sim_checks_node_failed(world->checks, N2, "SIGSEGV");
    world->now_ns = 6 * SIM_S;
    sim_checks_node_failed(world->checks, N3, "SIGABRT");
    expect_violated(SIM_CHECK_CRASH_FREE, "n2 failed: SIGSEGV");
    cr_expect_eq(state_of(SIM_CHECK_CRASH_FREE)->at_ns, 5 * SIM_S);
    cr_expect_eq(state_of(SIM_CHECK_CRASH_FREE)->event, before);
    cr_expect_eq(world->trace.count, before + 1, "one record for one violation");
    expect_verdict(SIM_CHECK_CRASH_FREE, SIM_VIOLATED);
}

/* A check that was not asked for says nothing, and costs no record. */
Test(check, ignores_what_was_not_asked_for)
{
    cluster_end();
    cluster_of(UINT64_C(1) << SIM_CHECK_TERM_MONOTONIC);
    elect(N1, N2, 1);
    lead(N2);
    sim_checks_node_failed(world->checks, N2, "SIGSEGV");
    expect_clean();
    expect_verdict(SIM_CHECK_TERM_MONOTONIC, SIM_HOLDS);
    expect_verdict(SIM_CHECK_ELECTION_SAFETY, SIM_VACUOUS);
    cr_expect_eq(sim_checks_enabled(world->checks), UINT64_C(1) << SIM_CHECK_TERM_MONOTONIC);
}

/* The state of a node whose code has failed is not looked at again: it may be half done. */
Test(check, does_not_look_into_a_failed_node)
{
    elect(N1, N2, 1);
    store(N1, 1, 101);
    store(N2, 1, 101);
    of(N2)->log[1].digest = 666;
    sim_checks_node_failed(world->checks, N2, "SIGSEGV");
    finish();
    expect_fine_so_far(SIM_CHECK_LOG_MATCHING);
}

/* Liveness is what the settle phase says; stuck is a violation, unavailable is not. */
Test(check, takes_the_verdict_of_liveness)
{
    const uint64_t before = world->trace.count;
    sim_checks_liveness(world->checks, SIM_UNAVAILABLE, "no majority is up");
    cr_expect(!state_of(SIM_CHECK_LIVENESS)->violated);
    cr_expect_eq(world->trace.count, before);
    sim_checks_liveness(world->checks, SIM_STUCK, "no write in 10 s");
    expect_violated(SIM_CHECK_LIVENESS, "no write in 10 s");
    cr_expect_eq(world->trace.count, before + 1);
    expect_verdict(SIM_CHECK_LIVENESS, SIM_STUCK);
}

/* Without memory the world is told, and nothing breaks. */
Test(check, survives_a_full_arena)
{
    elect(N1, N2, 1);
    while (sim_arena_alloc(arena, 4096)) {
    }
    while (sim_arena_alloc(arena, 16)) {
    }
    for (uint64_t term = 2; term < 300 && !world->out_of_memory; term++) {
        of(N1)->term = term;
        of(N1)->last = term;
        of(N1)->log[term] = (struct sim_entry_id){term, term};
        of(N1)->commit = term;
        moved(N1);
        sim_checks_applied(world->checks, N1, term, term, term, NULL, false);
    }
    cr_expect(world->out_of_memory);
    finish();
}

/* ---- I1 election_safety ----------------------------------------------------------------- */

/* One leader after the other is right; so is the same one again, and another group's. */
Test(election, accepts_one_leader_for_each_term)
{
    elect(N1, N2, 1);
    elect(M1, M2, 1);
    elect(N2, N3, 2);
    restart(N2);
    elect(N2, N3, 3);
    elect(N1, N2, UINT64_C(1) << 60);
    expect_clean();
    cr_expect_eq(state_of(SIM_CHECK_ELECTION_SAFETY)->exercised, 5);
}

/* A second leader of a term is found, with its name and since when there was another. */
Test(election, rejects_a_second_leader)
{
    world->now_ns = 12345 * SIM_MS;
    elect(N1, N3, 7);
    world->now_ns = 13 * SIM_S;
    enter(N2, 7, N2);
    lead(N2);
    expect_violated(SIM_CHECK_ELECTION_SAFETY,
                    "n2 became leader of term 7, which n1 already led since 12.345 s");
}

/* It does not matter that the first has crashed, or leads another term by now. */
Test(election, rejects_a_second_leader_after_the_first_is_gone)
{
    elect(N1, N3, 7);
    crash(N1);
    elect(N3, N2, 8);
    of(N2)->term = 7;
    lead(N2);
    expect_violated(SIM_CHECK_ELECTION_SAFETY,
                    "n2 became leader of term 7, which n1 already led since 0.000 s");
}

/* A leader of an old term that becomes known only by its first event after a boot counts. */
Test(election, rejects_a_second_leader_that_boots_as_one)
{
    elect(N1, N3, 7);
    crash(N2);
    blank(N2);
    of(N2)->term = 7;
    lead(N2);
    cr_expect(state_of(SIM_CHECK_ELECTION_SAFETY)->violated);
}

/* ---- I2 one_vote_per_term --------------------------------------------------------------- */

/* A vote may be written again, come after none in its term, and differ in another term. */
Test(election, accepts_a_vote_for_each_term)
{
    enter(N1, 4, SIM_NOBODY);
    enter(N1, 4, N2);
    enter(N1, 4, N2);
    restart(N1);
    enter(N1, 4, N2);
    enter(N1, 5, N3);
    enter(N1, 6, N1);
    expect_clean();
    cr_expect_eq(state_of(SIM_CHECK_ONE_VOTE_PER_TERM)->exercised, 3);
}

/* A vote that is only in memory is lost in a crash by right. */
Test(election, accepts_a_vote_lost_before_it_was_durable)
{
    of(N1)->term = 4;
    of(N1)->vote = N2;
    put(N1, HARD, 0, 4, N2 + 1);
    moved(N1);
    restart(N1);
    enter(N1, 4, N3);
    expect_clean();
}

/* Voting for two in one term is found (R28), ... */
Test(election, rejects_a_changed_vote)
{
    enter(N1, 4, N2);
    enter(N1, 4, N3);
    expect_violated(SIM_CHECK_ONE_VOTE_PER_TERM, "n1 voted for n2 in term 4 and then for n3");
}

/* ... and so is forgetting a vote (R29), ... */
Test(election, rejects_a_forgotten_vote)
{
    enter(N1, 4, N2);
    enter(N1, 4, SIM_NOBODY);
    expect_violated(SIM_CHECK_ONE_VOTE_PER_TERM,
                    "n1 forgot on disk that it voted for n2 in term 4");
}

/* ... also when a crash lies between. */
Test(election, rejects_a_vote_changed_after_a_crash)
{
    enter(N1, 4, N2);
    restart(N1);
    enter(N1, 4, N3);
    cr_expect(state_of(SIM_CHECK_ONE_VOTE_PER_TERM)->violated);
}

/* Votes count for their leader even when their givers have gone on to later terms. */
Test(election, accepts_a_leader_that_learns_late_of_its_votes)
{
    enter(N1, 4, N1);
    enter(N2, 4, N1);
    enter(N2, 5, N3);
    enter(N3, 5, N3);
    lead(N1);
    lead(N3);
    expect_clean();
}

/* A vote told before it was durable (R05) is found at the election that counts it. */
Test(election, rejects_a_leader_of_votes_that_are_not_durable)
{
    enter(N1, 4, N1);
    enter(N2, 4, SIM_NOBODY);
    of(N2)->vote = N1;
    moved(N2);
    lead(N1);
    expect_violated(SIM_CHECK_ONE_VOTE_PER_TERM,
                    "n1 became leader of term 4 with 1 durable votes of 3 nodes: "
                    "the others can be given again after a crash");
}

/* A kind whose leaders do not vote for themselves is not asked for votes. */
Test(election, accepts_leaders_without_votes)
{
    of(N1)->term = 4;
    lead(N1);
    expect_fine_so_far(SIM_CHECK_ONE_VOTE_PER_TERM);
}

/* ---- I3 term_monotonic ------------------------------------------------------------------ */

/* A term that was not durable is forgotten in a crash by right. */
Test(election, accepts_a_term_lost_before_it_was_durable)
{
    enter(N1, 4, SIM_NOBODY);
    of(N1)->term = 9;
    moved(N1);
    restart(N1);
    cr_assert_eq(of(N1)->term, 4);
    enter(N1, 5, SIM_NOBODY);
    expect_clean();
}

/* A lower term on disk is found, ... */
Test(election, rejects_a_term_that_goes_back_on_disk)
{
    enter(N1, 4, SIM_NOBODY);
    put(N1, HARD, 0, 3, 0);
    sync_disk(N1);
    expect_violated(SIM_CHECK_TERM_MONOTONIC, "n1 wrote term 3 to a disk that already had term 4");
}

/* ... also after a crash, ... */
Test(election, rejects_a_term_that_goes_back_after_a_crash)
{
    enter(N1, 4, SIM_NOBODY);
    crash(N1);
    blank(N1);
    moved(N1);
    enter(N1, 1, SIM_NOBODY);
    expect_violated(SIM_CHECK_TERM_MONOTONIC, "n1 wrote term 1 to a disk that already had term 4");
}

/* ... and so is a lower term in memory (R21). */
Test(election, rejects_a_term_that_goes_back_in_memory)
{
    enter(N1, 4, SIM_NOBODY);
    of(N1)->term = 3;
    moved(N1);
    expect_violated(SIM_CHECK_TERM_MONOTONIC, "n1 went back from term 4 to term 3");
}

/* A wiped disk is beyond the model: what it forgot is not held against the node. */
Test(election, forgives_a_wiped_disk)
{
    enter(N1, 4, N2);
    crash(N1);
    sim_disk_wipe(world->nodes[N1].disk);
    boot(N1);
    enter(N1, 3, SIM_NOBODY);
    enter(N1, 4, N3);
    expect_clean();
}

/* ---- I6 leader_completeness ------------------------------------------------------------- */

/* A new leader that has the committed entry, or a snapshot over it, is right. */
Test(election_at_work, accepts_complete_leaders)
{
    elect(N2, N3, 2);
    compact(N3, 1);
    elect(N3, N1, 3);
    expect_clean();
    cr_expect_eq(state_of(SIM_CHECK_LEADER_COMPLETENESS)->exercised, 2);
}

/* A leader that learns late of its votes may lack what a leader of a later term has since
 * committed. */
Test(election_at_work, accepts_a_late_leader_of_an_earlier_term)
{
    enter(N1, 2, N1);
    enter(N3, 2, N1);
    elect(N2, N3, 3);
    store(N2, 3, 302);
    store(N3, 3, 302);
    commit(N2, 2);
    lead(N1);
    expect_clean();
}

/* A leader without a committed entry is found, ... */
Test(election_at_work, rejects_a_leader_without_a_committed_entry)
{
    truncate_log(N3, 1);
    sync_disk(N3);
    elect(N3, N2, 2);
    expect_violated(SIM_CHECK_LEADER_COMPLETENESS,
                    "n3 became leader of term 2 without entry 1 (term 1), which n1 committed "
                    "in term 1");
}

/* ... and so is one with another entry in its place. */
Test(election_at_work, rejects_a_leader_with_another_entry)
{
    truncate_log(N3, 1);
    enter(N3, 2, SIM_NOBODY);
    append(N3, 2, 201);
    elect(N3, N2, 3);
    expect_violated(SIM_CHECK_LEADER_COMPLETENESS,
                    "n3 became leader of term 3 with an entry 1 of term 2, where n1 committed "
                    "one of term 1 in term 1");
}

/* ---- I14 vote_up_to_date ---------------------------------------------------------------- */

/* A candidate with the same log, a longer one, or one that ends in a later term gets votes. */
Test(election_at_work, accepts_votes_for_complete_candidates)
{
    elect(N2, N3, 2);
    store(N2, 2, 202);
    elect(N2, N3, 3);
    store(N1, 1, 102);
    store(N1, 1, 103);
    elect(N2, N1, 4);
    expect_clean();
    cr_expect_eq(state_of(SIM_CHECK_VOTE_UP_TO_DATE)->exercised, 4);
}

/* A vote found on disk at a boot was given before, when the log may have been shorter. */
Test(election_at_work, accepts_a_vote_found_at_a_boot)
{
    elect(N2, N3, 2);
    store(N3, 1, 102);
    store(N3, 1, 103);
    const uint64_t given = state_of(SIM_CHECK_VOTE_UP_TO_DATE)->exercised;
    restart(N3);
    expect_clean();
    cr_expect_eq(state_of(SIM_CHECK_VOTE_UP_TO_DATE)->exercised, given);
}

/* A node may compare with its log in memory though a truncation that is not yet durable has
 * left a tail of a later term on its disk, ... */
Test(election_at_work, accepts_a_vote_while_a_truncation_is_under_way)
{
    enter(N3, 3, SIM_NOBODY);
    store(N3, 3, 302);
    truncate_log(N3, 2);
    append(N3, 2, 202);
    store(N2, 2, 202);
    enter(N2, 5, N2);
    enter(N3, 5, N2);
    expect_clean();
}

/* ... or with its disk, though its memory is ahead of it. */
Test(election_at_work, accepts_a_vote_judged_by_the_disk)
{
    append(N3, 1, 102);
    enter(N2, 2, N2);
    of(N3)->term = 2;
    of(N3)->vote = N2;
    moved(N3);
    expect_clean();
}

/* A vote for a candidate with a shorter log (R08) is found, ... */
Test(election_at_work, rejects_a_vote_for_a_shorter_log)
{
    store(N3, 1, 102);
    enter(N2, 2, N2);
    enter(N3, 2, N2);
    expect_violated(SIM_CHECK_VOTE_UP_TO_DATE,
                    "n3 voted in term 2 for n2, whose log ended at 1 (term 1), while its own ends "
                    "at 2 (term 1)");
}

/* ... and for one with a longer log of an earlier last term. */
Test(election_at_work, rejects_a_vote_for_a_longer_log_of_an_earlier_term)
{
    elect(N3, N1, 2);
    store(N3, 2, 202);
    store(N2, 1, 102);
    store(N2, 1, 103);
    enter(N2, 3, N2);
    enter(N3, 3, N2);
    expect_violated(SIM_CHECK_VOTE_UP_TO_DATE,
                    "n3 voted in term 3 for n2, whose log ended at 3 (term 1), while its own ends "
                    "at 2 (term 2)");
}

/* The end of a compacted log is its snapshot's. */
Test(election_at_work, rejects_a_vote_for_a_log_behind_a_snapshot)
{
    store(N3, 1, 102);
    compact(N3, 2);
    enter(N2, 2, N2);
    enter(N3, 2, N2);
    cr_expect(state_of(SIM_CHECK_VOTE_UP_TO_DATE)->violated);
}
