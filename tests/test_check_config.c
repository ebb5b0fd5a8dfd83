/* The invariants while configurations change: histories each must accept and reject. */
#include "check_cluster.h"

TestSuite(config, .init = cluster_at_work, .fini = cluster_end);

enum { A = 1, B = 2, C = 4 }; /* Places of n1, n2, n3. */

/* Append a configuration, durably; it is in force at once. */
static void append_configuration(uint32_t node, uint64_t term, uint64_t digest, uint32_t voters,
                                 uint32_t old)
{
    set_configuration(node, of(node)->last + 1, voters, old);
    store(node, term, digest);
}

/* Two servers store the leader's next entry, and the leader commits it. */
static void both_commit(uint32_t leader, uint32_t follower, uint64_t term, uint64_t digest)
{
    store(leader, term, digest);
    store(follower, term, digest);
    commit(leader, of(leader)->last);
}

/* ---- I8 commit_durable_quorum: two majorities ---------------------------------------------- */

/* While two configurations are in force a commit needs a majority of each: of n1 and n2, and of
 * n2 and n3. */
Test(config, accepts_a_commit_by_both_majorities)
{
    store(N1, 1, 102);
    store(N2, 1, 102);
    store(N3, 1, 102);
    configure(N1, 2, B | C, A | B);
    commit(N1, 2);
    expect_clean();
}

/* Either alone is not enough. */
Test(config, rejects_a_commit_without_the_new_majority)
{
    store(N1, 1, 102);
    store(N2, 1, 102);
    configure(N1, 2, B | C, A | B);
    commit(N1, 2);
    expect_violated(SIM_CHECK_COMMIT_DURABLE_QUORUM,
                    "n1, leader of term 1, committed entry 2 (term 1), which is on 1 of 2 disks "
                    "(n2)");
}

Test(config, rejects_a_commit_without_the_old_majority)
{
    store(N1, 1, 102);
    append(N2, 1, 102);
    store(N3, 1, 102);
    configure(N1, 2, C, A | B);
    commit(N1, 2);
    expect_violated(SIM_CHECK_COMMIT_DURABLE_QUORUM,
                    "n1, leader of term 1, committed entry 2 (term 1), which is on 1 of 2 old "
                    "voters' disks (n1)");
}

/* A leader that is no voter of its own configuration does not count itself. */
Test(config, rejects_a_leader_that_counts_itself_though_it_does_not_vote)
{
    store(N1, 1, 102);
    store(N2, 1, 102);
    configure(N1, 2, B | C, 0);
    commit(N1, 2);
    expect_violated(SIM_CHECK_COMMIT_DURABLE_QUORUM,
                    "n1, leader of term 1, committed entry 2 (term 1), which is on 1 of 2 disks "
                    "(n2)");
}

/* A leader may commit by the configuration that was in force, and append the next one, in one
 * event: n1 and n2 were a majority of three, though n2 is removed then. */
Test(config, accepts_a_commit_by_those_who_voted_until_then)
{
    store(N1, 1, 102);
    store(N2, 1, 102);
    of(N1)->commit = 2;
    append_configuration(N1, 1, 103, A | C, 0);
    expect_clean();
}

/* But not without a majority of those either. */
Test(config, rejects_a_commit_that_neither_the_old_nor_the_new_voters_hold)
{
    store(N1, 1, 102);
    of(N1)->commit = 2;
    append_configuration(N1, 1, 103, A | C, 0);
    expect_violated(SIM_CHECK_COMMIT_DURABLE_QUORUM,
                    "n1, leader of term 1, committed entry 2 (term 1), which is on 1 of 2 disks "
                    "(n1)");
}

/* ---- I2 one_vote_per_term: elected by both ------------------------------------------------- */

/* A leader needs durable votes of both majorities. */
Test(config, accepts_a_leader_of_both_majorities)
{
    configure(N1, 1, B | C, A | B);
    configure(N2, 1, B | C, A | B);
    configure(N3, 1, B | C, A | B);
    enter(N1, 2, N2);
    enter(N2, 2, N2);
    enter(N3, 2, N2);
    lead(N2);
    expect_clean();
}

Test(config, rejects_a_leader_of_one_of_them)
{
    configure(N2, 1, B | C, A | B);
    enter(N2, 2, N2);
    enter(N3, 2, N2);
    lead(N2);
    expect_violated(SIM_CHECK_ONE_VOTE_PER_TERM,
                    "n2 became leader of term 2 with 1 durable votes of 2 nodes: "
                    "the others can be given again after a crash");
}

/* ---- I13 acked_durable: which majorities matter -------------------------------------------- */

/* What no majority of one of the two can do without is safe; later only the new one counts. */
Test(config, accepts_what_one_of_two_configurations_cannot_lose)
{
    configure(N1, 2, A | C, A | B | C);
    for (uint32_t node = N1; node <= N3; node++) {
        store(node, 1, 102);
    }
    commit(N1, 2);
    acknowledge(N1, C1, 1, 1);
    truncate_log(N3, 1);
    sync_disk(N3);
    crash(N3);
    expect_fine_so_far(SIM_CHECK_ACKED_DURABLE);
}

/* A leader of the past that commits late, by acknowledgements of its time, knows only an old
 * configuration: what others committed since need not be there. */
Test(config, does_not_ask_the_voters_of_a_leader_of_the_past)
{
    for (uint32_t node = N1; node <= N3; node++) {
        store(node, 1, 102);
    }
    elect(N2, N3, 2);
    both_commit(N2, N3, 2, 203);
    append_configuration(N2, 2, 204, B | C, 0);
    append_configuration(N3, 2, 204, B | C, 0);
    commit(N2, 4);
    append_configuration(N2, 2, 205, B, 0);
    commit(N2, 5);
    store(N2, 2, 206);
    commit(N2, 6);
    for (uint64_t index = 2; index <= 6; index++) {
        apply(N2, index, C1, index, true);
    }
    acknowledge(N2, C1, 6, 1);
    commit(N1, 2);
    crash(N1);
    expect_clean();
}

Test(config, rejects_what_both_configurations_can_lose)
{
    configure(N1, 2, A | C, A | B | C);
    for (uint32_t node = N1; node <= N3; node++) {
        store(node, 1, 102);
    }
    commit(N1, 2);
    acknowledge(N1, C1, 1, 1);
    truncate_log(N1, 1);
    sync_disk(N1);
    expect_fine_so_far(SIM_CHECK_ACKED_DURABLE);
    truncate_log(N3, 1);
    sync_disk(N3);
    expect_violated(SIM_CHECK_ACKED_DURABLE,
                    "the acknowledged operation at index 1 is on 0 of 2 disks (none): a majority "
                    "can do without it");
}

/* ---- I15 config_safety ---------------------------------------------------------------------- */

/* n2 leads term 2 and has committed an entry of that term, number 2; n1 has it, too. */
static void second_leader(void)
{
    elect(N2, N1, 2);
    both_commit(N2, N1, 2, 202);
}

/* One server goes, then several at once by way of joint consensus, with a restart, a snapshot and
 * a truncation between. */
Test(config, accepts_changes_as_they_should_be)
{
    second_leader();
    append_configuration(N2, 2, 203, A | B, 0);
    append_configuration(N1, 2, 203, A | B, 0);
    commit(N2, 3);
    append_configuration(N2, 2, 204, B | C, A | B);
    append_configuration(N1, 2, 204, B | C, A | B);
    store(N3, 2, 202);
    append_configuration(N3, 2, 203, A | B, 0);
    append_configuration(N3, 2, 204, B | C, A | B);
    commit(N2, 4);
    append_configuration(N2, 2, 205, B | C, 0);
    append_configuration(N3, 2, 205, B | C, 0);
    commit(N2, 5);
    commit(N1, 4);
    compact(N1, 4);
    restart(N1);
    expect_clean();
    expect_verdict(SIM_CHECK_CONFIG_SAFETY, SIM_HOLDS);
}

/* What a truncation takes was never in force for those who follow the next leader. */
Test(config, accepts_a_configuration_that_is_taken_back)
{
    second_leader();
    append_configuration(N2, 2, 203, A | B, 0);
    enter(N2, 3, SIM_NOBODY);
    elect(N1, N3, 3);
    store(N1, 3, 303);
    truncate_log(N2, 3);
    set_configuration(N2, 0, A | B | C, 0);
    store(N2, 3, 303);
    expect_clean();
}

/* Without a change nothing was put to the test. */
Test(config, needs_a_change)
{
    second_leader();
    expect_verdict(SIM_CHECK_CONFIG_SAFETY, SIM_VACUOUS);
}

/* A second change before the first is committed (R42), ... */
Test(config, rejects_a_change_upon_another)
{
    second_leader();
    append_configuration(N2, 2, 203, A | B, 0);
    append_configuration(N2, 2, 204, B, 0);
    expect_violated(SIM_CHECK_CONFIG_SAFETY,
                    "n2, leader of term 2, appended a configuration at index 4 when the one at 3 "
                    "was not committed");
}

/* ... one before the leader has committed anything of its own term (R02), ... */
Test(config, rejects_a_change_before_the_term_has_begun)
{
    elect(N2, N1, 2);
    append_configuration(N2, 2, 202, A | B, 0);
    expect_violated(SIM_CHECK_CONFIG_SAFETY,
                    "n2, leader of term 2, appended a configuration at index 2 before it had "
                    "committed an entry of its own term");
}

/* ... and one whose majorities need nobody of the old ones (R03): of n1, n2, n3 and of n2 alone is
 * one thing, of n1 alone to n2 and n3 another. */
Test(config, rejects_a_change_of_several_at_once)
{
    second_leader();
    append_configuration(N2, 2, 203, B, 0);
    expect_violated(SIM_CHECK_CONFIG_SAFETY,
                    "n2, leader of term 2, appended a configuration at index 3 of which a majority "
                    "can do without any of the one before");
}

/* A node that waits for the commit before it counts by what its log says (R24), ... */
Test(config, rejects_a_configuration_that_waits)
{
    second_leader();
    append_configuration(N2, 2, 203, A | B, 0);
    store(N1, 2, 203);
    expect_violated(SIM_CHECK_CONFIG_SAFETY,
                    "n1 has the configuration at index 3, but counts by the one at 0");
}

/* ... one whose snapshot has forgotten it (R19), ... */
Test(config, rejects_a_snapshot_without_its_configuration)
{
    second_leader();
    append_configuration(N2, 2, 203, A | B, 0);
    append_configuration(N1, 2, 203, A | B, 0);
    commit(N2, 3);
    commit(N1, 3);
    compact(N1, 3);
    configured[N1].index = 0;
    restart(N1);
    expect_violated(SIM_CHECK_CONFIG_SAFETY,
                    "n1 has the configuration at index 3, but counts by the one at 0");
}

/* ... one that goes on counting by what its log has lost, ... */
Test(config, rejects_a_configuration_that_is_gone)
{
    second_leader();
    append_configuration(N1, 2, 203, A | B, 0);
    truncate_log(N1, 3);
    moved(N1);
    expect_violated(SIM_CHECK_CONFIG_SAFETY,
                    "n1 counts by the configuration at index 3, but its log ends at 2");
}

/* ... or counts others than the entry says, ... */
Test(config, rejects_other_voters)
{
    second_leader();
    append_configuration(N2, 2, 203, A | B, 0);
    store(N1, 2, 203);
    cr_assert(state_of(SIM_CHECK_CONFIG_SAFETY)->violated);
    cluster_end();
    cluster_at_work();
    second_leader();
    append_configuration(N2, 2, 203, A | B, 0);
    of(N1)->last++;
    of(N1)->log[3] = of(N2)->log[3];
    configure(N1, 3, A | C, 0);
    expect_violated(SIM_CHECK_CONFIG_SAFETY,
                    "n1 counts other voters by the configuration at index 3 than n2 did");
}

/* ... and a leader whom nobody counts. */
Test(config, rejects_a_leader_that_was_removed)
{
    second_leader();
    append_configuration(N2, 2, 203, A | B, 0);
    append_configuration(N1, 2, 203, A | B, 0);
    store(N3, 2, 202);
    append_configuration(N3, 2, 203, A | B, 0);
    commit(N2, 3);
    commit(N3, 3);
    enter(N3, 3, N3);
    enter(N1, 3, N3);
    enter(N2, 3, N3);
    lead(N3);
    expect_violated(SIM_CHECK_CONFIG_SAFETY,
                    "n3 became leader of term 3, but has no vote by the committed configuration at "
                    "index 3");
}
