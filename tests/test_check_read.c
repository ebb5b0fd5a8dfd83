/* I20 lease_safety: histories it must accept and reject. */
#include "check_cluster.h"

TestSuite(read, .init = cluster_at_work, .fini = cluster_end);

#define ASKED_NS 1000 /* When the clients of these reads asked. */

static void serve(uint32_t node, bool leased)
{
    sim_checks_read_served(world->checks, node, of(node)->applied, leased, ASKED_NS);
}

/* The one leader may read, and the next one, when it knows what is committed. */
Test(read, accepts_reads_of_leaders_in_turn)
{
    serve(N1, true);
    elect(N2, N3, 2);
    store(N2, 2, 202);
    store(N3, 2, 202);
    commit(N2, 2);
    apply(N2, 2, C1, 2, true);
    serve(N2, true);
    serve(N2, false);
    expect_clean();
    expect_verdict(SIM_CHECK_LEASE_SAFETY, SIM_HOLDS);
}

/* A leader that asked others may be replaced meanwhile, and committed what came later. */
Test(read, accepts_an_answer_that_was_on_its_way)
{
    elect(N2, N3, 2);
    store(N2, 2, 202);
    store(N3, 2, 202);
    world->now_ns = ASKED_NS;
    commit(N2, 2);
    serve(N1, false);
    expect_clean();
}

/* A leader of the past that commits late does not make the next one's reads wrong. */
Test(read, accepts_late_commits_of_a_leader_of_the_past)
{
    store(N1, 1, 102);
    store(N2, 1, 102);
    elect(N2, N3, 2);
    store(N2, 2, 203);
    store(N3, 1, 102);
    store(N3, 2, 203);
    commit(N2, 3);
    apply(N2, 2, C1, 2, true);
    apply(N2, 3, C1, 3, true);
    commit(N1, 2);
    serve(N2, true);
    expect_clean();
}

/* Without such reads nothing was put to the test. */
Test(read, needs_a_read)
{
    expect_verdict(SIM_CHECK_LEASE_SAFETY, SIM_VACUOUS);
}

/* A lease that outlives the election of another (R14), ... */
Test(read, rejects_a_lease_that_is_too_long)
{
    elect(N2, N3, 2);
    serve(N1, true);
    expect_violated(SIM_CHECK_LEASE_SAFETY,
                    "n1, leader of term 1, read under its lease when n2 had led term 2 since "
                    "0.000 s");
}

/* ... and a new leader that does not know yet what was committed before (R12). */
Test(read, rejects_a_leader_that_does_not_know_what_is_committed)
{
    store(N1, 1, 102);
    store(N2, 1, 102);
    commit(N1, 2);
    elect(N2, N3, 2);
    serve(N2, false);
    expect_violated(SIM_CHECK_LEASE_SAFETY,
                    "n2, leader of term 2, read the state after entry 1, when n1, leader of term "
                    "1, had committed entry 2");
}

/* An answer that somebody gave to an earlier question says nothing about now (R13). */
Test(read, rejects_an_answer_without_what_was_committed_before_the_question)
{
    elect(N2, N3, 2);
    store(N2, 2, 202);
    store(N3, 2, 202);
    world->now_ns = ASKED_NS - 1;
    commit(N2, 2);
    serve(N1, false);
    expect_violated(SIM_CHECK_LEASE_SAFETY,
                    "n1, leader of term 1, read the state after entry 1, but entry 2 had been "
                    "committed before the client asked");
}
