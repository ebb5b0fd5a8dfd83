/* The invariants while configurations change: histories each must accept and reject. */
#include "check_cluster.h"

TestSuite(config, .init = cluster_at_work, .fini = cluster_end);

enum { A = 1, B = 2, C = 4 }; /* Places of n1, n2, n3. */

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

/* ---- I2 one_vote_per_term: elected by both ------------------------------------------------- */

/* A leader needs durable votes of both majorities. */
Test(config, accepts_a_leader_of_both_majorities)
{
    configure(N2, 1, B | C, A | B);
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
    configure(N1, 1, A, 0);
    elect(N2, N3, 2);
    configure(N2, 3, B | C, 0);
    store(N2, 2, 203);
    store(N3, 2, 203);
    commit(N2, 3);
    apply(N2, 2, C1, 2, true);
    apply(N2, 3, C1, 3, true);
    acknowledge(N2, C1, 3, 1);
    commit(N1, 2);
    crash(N3);
    boot(N3);
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
