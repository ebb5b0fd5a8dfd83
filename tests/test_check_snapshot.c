/* I16 snapshot_safety: histories it must accept and reject. */
#include "check_cluster.h"

TestSuite(snapshot, .init = cluster_at_work, .fini = cluster_end);

enum { A = 1, B = 2, C = 4 }; /* Places of n1, n2, n3. */

/* The state machine of these servers: what it was, and the entry. */
static uint64_t state_after(uint64_t before, uint64_t digest)
{
    return before * 31 + digest;
}

/* An entry of the leader's term that all store, and n1 commits. */
static void all_store(uint64_t digest)
{
    for (uint32_t node = N1; node <= N3; node++) {
        store(node, 1, digest);
    }
    commit(N1, of(N1)->last);
}

/* Apply the next entry, with its effect on the state. */
static void apply_next(uint32_t node)
{
    struct scripted *s = of(node);
    const uint64_t index = s->applied + 1;
    s->state = state_after(s->state, s->log[index].digest);
    apply(node, index, C1, index, true);
}

/* Entries 2 to 4, applied by n1 and n2. */
static void three_entries(void)
{
    for (uint64_t digest = 102; digest <= 104; digest++) {
        all_store(digest);
        apply_next(N1);
        apply_next(N2);
    }
}

/* n3 installs the snapshot of another, in the state given. */
static void install(uint32_t from, uint64_t state)
{
    struct scripted *s = of(N3);
    s->snapshot = of(from)->snapshot;
    s->snapshot_config = of(from)->snapshot_config;
    s->first = s->snapshot.a + 1;
    s->last = s->commit = s->applied = s->snapshot.a;
    s->state = state;
    put(N3, SNAPSHOT, 0, s->snapshot.a, s->snapshot.b);
    discard(N3, LOG, s->first);
    sync_disk(N3);
}

/* ---- State ------------------------------------------------------------------------------ */

/* Two take a snapshot at the same index, one of them later; a third installs it; the first
 * starts from it. All have the same state there, whatever they do afterwards. */
Test(snapshot, accepts_equal_states)
{
    three_entries();
    compact(N1, 4);
    const uint64_t state = of(N1)->state;
    all_store(105);
    apply_next(N1);
    compact(N2, 4);
    install(N1, state);
    restart(N1);
    expect_clean();
    expect_verdict(SIM_CHECK_SNAPSHOT_SAFETY, SIM_HOLDS);
    cr_expect_eq(state_of(SIM_CHECK_SNAPSHOT_SAFETY)->exercised, 3);
}

/* Who comes by the index with its log is asked, too. */
Test(snapshot, accepts_a_log_that_leads_to_the_same_state)
{
    three_entries();
    compact(N1, 4);
    apply_next(N3);
    apply_next(N3);
    apply_next(N3);
    expect_clean();
    cr_expect_eq(state_of(SIM_CHECK_SNAPSHOT_SAFETY)->exercised, 1);
}

/* A snapshot of an index that the node's state is beyond already is not asked for the state. */
Test(snapshot, accepts_one_taken_in_the_background)
{
    three_entries();
    compact(N1, 3);
    compact(N2, 3);
    expect_clean();
    expect_verdict(SIM_CHECK_SNAPSHOT_SAFETY, SIM_VACUOUS);
}

/* A snapshot that brings another state than it was taken in is found when it is installed, ... */
Test(snapshot, rejects_an_installed_state_that_differs)
{
    three_entries();
    compact(N1, 4);
    install(N1, of(N1)->state + 1);
    expect_violated(SIM_CHECK_SNAPSHOT_SAFETY,
                    "n3 has another state at index 4 than n1 had, whose snapshot ends there");
}

/* ... or when a node starts from it, ... */
Test(snapshot, rejects_a_state_that_changed_over_a_restart)
{
    three_entries();
    compact(N1, 4);
    configured[N1].state--;
    restart(N1);
    expect_violated(SIM_CHECK_SNAPSHOT_SAFETY,
                    "n1 has another state at index 4 than n1 had, whose snapshot ends there");
}

/* ... and so is one of which the log makes something else. */
Test(snapshot, rejects_a_log_that_leads_elsewhere)
{
    three_entries();
    of(N1)->state++;
    compact(N1, 4);
    apply_next(N3);
    apply_next(N3);
    expect_fine_so_far(SIM_CHECK_SNAPSHOT_SAFETY);
    apply_next(N3);
    expect_violated(SIM_CHECK_SNAPSHOT_SAFETY,
                    "n3 has another state at index 4 than n1 had, whose snapshot ends there");
}

/* ---- Term and index --------------------------------------------------------------------- */

/* What a snapshot covers is decided, ... */
Test(snapshot, rejects_one_over_what_nobody_committed)
{
    three_entries();
    store(N2, 1, 105);
    compact(N2, 5);
    expect_violated(SIM_CHECK_SNAPSHOT_SAFETY,
                    "n2 has a snapshot up to index 5, which nobody has committed");
}

/* ... and it says of which term the last entry is. */
Test(snapshot, rejects_a_wrong_term)
{
    three_entries();
    of(N2)->snapshot = (struct sim_label){4, 2};
    moved(N2);
    expect_violated(SIM_CHECK_SNAPSHOT_SAFETY,
                    "n2's snapshot up to index 4 says that this is of term 2, but it is of term 1");
}

/* ---- Configuration ---------------------------------------------------------------------- */

/* Entry 2 is a configuration. */
static void configured_at_2(void)
{
    for (uint32_t node = N1; node <= N3; node++) {
        set_configuration(node, 2, A | B, 0);
    }
    three_entries();
}

/* It comes with a snapshot at its index or later. */
Test(snapshot, accepts_the_last_configuration)
{
    configured_at_2();
    compact(N1, 4);
    install(N1, of(N1)->state);
    expect_clean();
}

/* One that is left out (R19) is missed at once, ... */
Test(snapshot, rejects_one_without_its_configuration)
{
    configured_at_2();
    of(N1)->snapshot = (struct sim_label){4, 1};
    moved(N1);
    expect_violated(SIM_CHECK_SNAPSHOT_SAFETY,
                    "n1's snapshot up to index 4 lacks the configuration at index 2");
}

/* ... and one that comes after the index may yet go (libraft before 0.17.1). */
Test(snapshot, rejects_a_later_configuration)
{
    three_entries();
    store(N1, 1, 105);
    configure(N1, 5, A | B, 0);
    of(N1)->snapshot = (struct sim_label){4, 1};
    of(N1)->snapshot_config = 5;
    moved(N1);
    expect_violated(SIM_CHECK_SNAPSHOT_SAFETY,
                    "n1's snapshot up to index 4 has the configuration at index 5");
}
