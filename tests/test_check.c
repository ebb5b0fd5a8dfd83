/* The checks: names, verdicts and the latch; then the invariants of elections and commitment.
 * Each has histories that it must accept, since a correct Raft makes them, and histories that
 * it must reject at once. Those of logs and operations are in test_check_log.c. */
#include "check_cluster.h"

TestSuite(check, .init = cluster, .fini = cluster_end);
TestSuite(election, .init = cluster, .fini = cluster_end);
TestSuite(commit, .init = cluster_at_work, .fini = cluster_end);

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
Test(commit, accepts_complete_leaders)
{
    elect(N2, N3, 2);
    compact(N3, 1);
    elect(N3, N1, 3);
    expect_clean();
    cr_expect_eq(state_of(SIM_CHECK_LEADER_COMPLETENESS)->exercised, 2);
}

/* A leader that learns late of its votes may lack what a leader of a later term has since
 * committed. */
Test(commit, accepts_a_late_leader_of_an_earlier_term)
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
Test(commit, rejects_a_leader_without_a_committed_entry)
{
    truncate_log(N3, 1);
    sync_disk(N3);
    elect(N3, N2, 2);
    expect_violated(SIM_CHECK_LEADER_COMPLETENESS,
                    "n3 became leader of term 2 without entry 1 (term 1), which n1 committed "
                    "in term 1");
}

/* ... and so is one with another entry in its place. */
Test(commit, rejects_a_leader_with_another_entry)
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
Test(commit, accepts_votes_for_complete_candidates)
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
Test(commit, accepts_a_vote_found_at_a_boot)
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
Test(commit, accepts_a_vote_while_a_truncation_is_under_way)
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
Test(commit, accepts_a_vote_judged_by_the_disk)
{
    append(N3, 1, 102);
    enter(N2, 2, N2);
    of(N3)->term = 2;
    of(N3)->vote = N2;
    moved(N3);
    expect_clean();
}

/* A vote for a candidate with a shorter log (R08) is found, ... */
Test(commit, rejects_a_vote_for_a_shorter_log)
{
    store(N3, 1, 102);
    enter(N2, 2, N2);
    enter(N3, 2, N2);
    expect_violated(SIM_CHECK_VOTE_UP_TO_DATE,
                    "n3 voted in term 2 for n2, whose log ended at 1 (term 1), while its own ends "
                    "at 2 (term 1)");
}

/* ... and for one with a longer log of an earlier last term. */
Test(commit, rejects_a_vote_for_a_longer_log_of_an_earlier_term)
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
Test(commit, rejects_a_vote_for_a_log_behind_a_snapshot)
{
    store(N3, 1, 102);
    compact(N3, 2);
    enter(N2, 2, N2);
    enter(N3, 2, N2);
    cr_expect(state_of(SIM_CHECK_VOTE_UP_TO_DATE)->violated);
}

/* ---- I8 commit_durable_quorum ----------------------------------------------------------- */

/* Any two disks of three will do: one's own is not needed, nor that its host is up. */
Test(commit, accepts_any_durable_majority)
{
    append(N1, 1, 102);
    store(N2, 1, 102);
    store(N3, 1, 102);
    crash(N3);
    commit(N1, 2);
    sync_disk(N1);
    store(N1, 1, 103);
    store(N2, 1, 103);
    compact(N2, 3);
    commit(N1, 3);
    expect_clean();
}

/* An entry on the leader's disk alone (R07) is no quorum, ... */
Test(commit, rejects_a_commit_from_memory)
{
    store(N1, 1, 102);
    append(N2, 1, 102);
    append(N3, 1, 102);
    commit(N1, 2);
    expect_violated(SIM_CHECK_COMMIT_DURABLE_QUORUM,
                    "n1, leader of term 1, committed entry 2 (term 1), which is on 1 of 3 disks "
                    "(n1)");
}

/* ... nor are entries of another term at its index (R25). */
Test(commit, rejects_a_commit_over_another_entry)
{
    store(N1, 1, 102);
    enter(N2, 2, SIM_NOBODY);
    enter(N3, 2, SIM_NOBODY);
    elect(N2, N3, 3);
    store(N2, 3, 302);
    commit(N2, 2);
    expect_violated(SIM_CHECK_COMMIT_DURABLE_QUORUM,
                    "n2, leader of term 3, committed entry 2 (term 3), which is on 1 of 3 disks "
                    "(n2)");
}

/* A torn record is nothing. */
Test(commit, rejects_a_commit_over_a_torn_record)
{
    static const struct sim_disk_knobs torn = {.torn_ppm = SIM_PPM};
    sim_disk_set_knobs(world->nodes[N2].disk, &torn);
    append(N2, 1, 102);
    crash(N2);
    store(N1, 1, 102);
    commit(N1, 2);
    cr_expect(state_of(SIM_CHECK_COMMIT_DURABLE_QUORUM)->violated);
}

/* A commit index beyond the log is found, too. */
Test(commit, rejects_a_commit_of_nothing)
{
    commit(N1, 5);
    expect_violated(SIM_CHECK_COMMIT_DURABLE_QUORUM,
                    "n1, leader of term 1, committed entry 5, but its log ends at 1");
}

/* A leader that steps down in the event in which it commits is judged as a leader. */
Test(commit, rejects_a_commit_on_stepping_down)
{
    store(N1, 1, 102);
    of(N1)->role = SIM_ROLE_FOLLOWER;
    commit(N1, 2);
    cr_expect(state_of(SIM_CHECK_COMMIT_DURABLE_QUORUM)->violated);
}

/* A follower's commit index is not: its leader's quorum may have moved on. */
Test(commit, does_not_ask_followers_for_a_quorum)
{
    store(N2, 1, 102);
    commit(N2, 2);
    expect_fine_so_far(SIM_CHECK_COMMIT_DURABLE_QUORUM);
}

/* ---- I9 commit_own_term ----------------------------------------------------------------- */

/* Entries of earlier terms are committed through one of the leader's own, ... */
Test(commit, accepts_old_entries_below_a_new_one)
{
    store(N2, 1, 102);
    store(N3, 1, 102);
    elect(N2, N3, 2);
    store(N2, 2, 203);
    store(N3, 2, 203);
    commit(N2, 3);
    expect_clean();
}

/* ... never by counting alone (R01, Raft's figure 8). */
Test(commit, rejects_an_old_entry_committed_by_counting)
{
    store(N2, 1, 102);
    store(N3, 1, 102);
    elect(N2, N3, 2);
    commit(N2, 2);
    expect_violated(SIM_CHECK_COMMIT_OWN_TERM,
                    "n2, leader of term 2, moved its commit index onto entry 2 of term 1");
}

/* ---- I10 commit_monotonic --------------------------------------------------------------- */

/* A restart forgets both indices; a snapshot moves both at once. */
Test(commit, accepts_a_restart_and_a_snapshot)
{
    restart(N3);
    commit(N3, 1);
    apply(N3, 1, C1, 1, true);
    struct scripted *s = of(N3);
    s->snapshot = (struct sim_label){40, 1};
    s->first = 41;
    s->last = s->commit = s->applied = 40;
    put(N3, SNAPSHOT, 0, 40, 1);
    discard(N3, LOG, 41);
    sync_disk(N3);
    store(N3, 1, 141);
    apply(N3, 41, C1, 2, true);
    expect_clean();
}

/* A snapshot may be restored and the next entry applied in one event. */
Test(commit, accepts_an_entry_right_after_a_snapshot)
{
    struct scripted *s = of(N3);
    s->snapshot = (struct sim_label){40, 1};
    s->first = 41;
    s->last = s->commit = 41;
    s->log[41] = (struct sim_entry_id){1, 141};
    apply(N3, 41, C1, 2, true);
    expect_fine_so_far(SIM_CHECK_COMMIT_MONOTONIC);
}

/* A commit index that goes back is found, ... */
Test(commit, rejects_a_commit_that_goes_back)
{
    commit(N2, 0);
    expect_violated(SIM_CHECK_COMMIT_MONOTONIC, "the commit index of n2 went back from 1 to 0");
}

/* ... so are an applied index that does, ... */
Test(commit, rejects_an_applied_index_that_goes_back)
{
    of(N2)->applied = 0;
    moved(N2);
    expect_violated(SIM_CHECK_COMMIT_MONOTONIC, "the applied index of n2 went back from 1 to 0");
}

/* ... one that passes the commit index, ... */
Test(commit, rejects_applying_what_is_not_committed)
{
    of(N2)->applied = 2;
    moved(N2);
    expect_violated(SIM_CHECK_COMMIT_MONOTONIC,
                    "n2 has applied 2 entries, but only 1 are committed");
}

/* ... an entry applied twice, ... */
Test(commit, rejects_an_entry_applied_twice)
{
    apply(N2, 1, C1, 1, false);
    expect_violated(SIM_CHECK_COMMIT_MONOTONIC, "n2 applied entry 1 after entry 1");
}

/* ... and one that is left out. */
Test(commit, rejects_an_entry_left_out)
{
    apply(N2, 3, C1, 2, true);
    expect_violated(SIM_CHECK_COMMIT_MONOTONIC, "n2 applied entry 3 after entry 1");
}

/* ---- I11 match_honest, I12 next_after_match --------------------------------------------- */

static void believe(uint32_t node, uint32_t peer, uint64_t match, uint64_t next)
{
    of(node)->match[peer] = match;
    of(node)->next[peer] = next;
    moved(node);
}

/* What is on the peer's disk may be believed, and next may run ahead of it. */
Test(commit, accepts_honest_progress)
{
    believe(N1, N2, 0, 2);
    believe(N1, N2, 1, 2);
    store(N1, 1, 102);
    store(N1, 1, 103);
    believe(N1, N2, 1, 4);
    store(N2, 1, 102);
    believe(N1, N2, 2, 4);
    compact(N2, 2);
    believe(N1, N2, 2, 3);
    compact(N1, 2);
    believe(N1, N3, 1, 4);
    expect_clean();
    cr_expect_eq(state_of(SIM_CHECK_MATCH_HONEST)->exercised, 3);
}

/* An old acknowledgement may reach a leader after the peer's log was cut in a later term. */
Test(commit, accepts_an_acknowledgement_that_was_overtaken)
{
    store(N1, 1, 102);
    store(N3, 1, 102);
    enter(N3, 2, N2);
    truncate_log(N3, 2);
    sync_disk(N3);
    restart(N3);
    believe(N1, N3, 2, 3);
    expect_clean();
}

/* A match that the peer's disk does not have is found, ... */
Test(commit, rejects_a_match_that_is_not_durable)
{
    store(N1, 1, 102);
    append(N2, 1, 102);
    believe(N1, N2, 2, 3);
    expect_violated(SIM_CHECK_MATCH_HONEST,
                    "n1, leader of term 1, believes n2 to hold its entry 2 (term 1), but that "
                    "disk has none there");
}

/* ... also when the disk has another entry there (R25). */
Test(commit, rejects_a_match_with_another_entry)
{
    elect(N2, N3, 2);
    store(N2, 2, 202);
    store(N3, 1, 102);
    believe(N2, N3, 2, 3);
    expect_violated(SIM_CHECK_MATCH_HONEST,
                    "n2, leader of term 2, believes n3 to hold its entry 2 (term 2), but that "
                    "disk has one of term 1 there");
}

/* next must be above match (R17), ... */
Test(commit, rejects_a_next_that_is_not_above_match)
{
    believe(N1, N2, 1, 1);
    expect_violated(SIM_CHECK_NEXT_AFTER_MATCH,
                    "n1, leader of term 1, has match 1 and next 1 for n2, and its log ends at 1");
}

/* ... and at most one beyond the log. */
Test(commit, rejects_a_next_beyond_the_log)
{
    believe(N1, N3, 0, 3);
    expect_violated(SIM_CHECK_NEXT_AFTER_MATCH,
                    "n1, leader of term 1, has match 0 and next 3 for n3, and its log ends at 1");
}
