/* I23 disruption_free: histories it must accept and reject. */
#include "check_cluster.h"

TestSuite(disruption, .init = cluster_at_work, .fini = cluster_end);

/* All of them ask first. */
static void ask_first(void)
{
    for (uint32_t node = N1; node <= N3; node++) {
        of(node)->asks_first = true;
        moved(node);
    }
}

static void campaign(uint32_t node, uint32_t from)
{
    struct scripted *s = of(node);
    s->term++;
    s->vote = node;
    s->role = SIM_ROLE_CANDIDATE;
    moved_by(node, from);
}

/* Two of three are a majority, one of them oneself. */
Test(disruption, accepts_a_candidate_that_another_has_answered)
{
    ask_first();
    campaign(N2, N3);
    expect_clean();
    expect_verdict(SIM_CHECK_DISRUPTION_FREE, SIM_HOLDS);
}

/* The answers need not come together, but in the same term. */
Test(disruption, rejects_a_candidate_that_was_answered_in_an_earlier_term)
{
    ask_first();
    moved_by(N2, N3);
    campaign(N2, N3);
    campaign(N2, SIM_NOBODY);
    expect_violated(SIM_CHECK_DISRUPTION_FREE,
                    "n2 raised the term from 2 to 3, although no majority had answered it");
}

/* One that was cut off raises its term again and again (R04). */
Test(disruption, rejects_a_candidate_that_has_heard_nobody)
{
    ask_first();
    campaign(N2, SIM_NOBODY);
    expect_violated(SIM_CHECK_DISRUPTION_FREE,
                    "n2 raised the term from 1 to 2, although no majority had answered it");
}

/* What it heard before a crash it has forgotten. */
Test(disruption, rejects_a_candidate_that_was_answered_before_it_crashed)
{
    ask_first();
    moved_by(N2, N3);
    crash(N2);
    restart(N2);
    of(N2)->asks_first = true;
    campaign(N2, SIM_NOBODY);
    expect_violated(SIM_CHECK_DISRUPTION_FREE,
                    "n2 raised the term from 1 to 2, although no majority had answered it");
}

/* Without PreVote nobody asks, and nothing was promised. */
Test(disruption, is_not_asked_of_nodes_that_do_not_ask_first)
{
    campaign(N2, SIM_NOBODY);
    campaign(N2, SIM_NOBODY);
    expect_verdict(SIM_CHECK_DISRUPTION_FREE, SIM_VACUOUS);
}

/* Whom the leader tells to campaign has its leave. */
Test(disruption, accepts_a_candidate_that_its_leader_has_told_to_be_one)
{
    ask_first();
    campaign(N2, N1);
    expect_verdict(SIM_CHECK_DISRUPTION_FREE, SIM_VACUOUS);
}

/* A leader hands over to one that holds all of its log, ... */
Test(disruption, accepts_a_handover_to_a_node_with_the_whole_log)
{
    of(N1)->match[N2] = 1;
    of(N1)->next[N2] = 2;
    sim_checks_handed_over(world->checks, N1, N2);
    expect_verdict(SIM_CHECK_DISRUPTION_FREE, SIM_HOLDS);
}

/* ... not to one that was only sent it (R33). */
Test(disruption, rejects_a_handover_to_a_node_that_lags)
{
    store(N1, 1, 102);
    of(N1)->match[N2] = 1;
    of(N1)->next[N2] = 3;
    sim_checks_handed_over(world->checks, N1, N2);
    expect_violated(SIM_CHECK_DISRUPTION_FREE,
                    "n1, leader of term 1, handed over to n2, of which it knew to hold 1 of 2 "
                    "entries");
}
