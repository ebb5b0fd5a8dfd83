/* The invariants of commitment and replication: histories each must accept and reject. */
#include "check_cluster.h"

TestSuite(commit, .init = cluster_at_work, .fini = cluster_end);

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
    apply(N2, 2, C1, 2, true);
    apply(N2, 3, C1, 3, true);
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
    for (uint64_t index = 2; index <= 40; index++) {
        store(N1, 1, 100 + index);
        store(N2, 1, 100 + index);
        commit(N1, index);
    }
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
    commit(N1, 2);
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

/* A crash may leave the copies of a snapshot different; the newest is what the peer starts from. */
Test(commit, accepts_a_match_under_one_copy_of_a_snapshot)
{
    store(N1, 1, 102);
    put(N2, SNAPSHOT, 0, 1, 1);
    put(N2, SNAPSHOT, 1, 2, 1);
    sync_disk(N2);
    believe(N1, N2, 2, 3);
    expect_fine_so_far(SIM_CHECK_MATCH_HONEST);
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
