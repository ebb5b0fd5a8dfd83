/* The invariants of what is applied and of what clients were told: histories each must accept and
 * reject. */
#include "check_cluster.h"

TestSuite(apply, .init = cluster_at_work, .fini = cluster_end);

/* ---- I7 state_machine_safety ------------------------------------------------------------ */

/* All nodes apply the same, and again after a restart. */
Test(apply, accepts_the_same_entries_everywhere)
{
    restart(N2);
    apply(N2, 1, C1, 1, true);
    expect_clean();
    cr_expect_eq(state_of(SIM_CHECK_STATE_MACHINE_SAFETY)->exercised, 3);
}

/* Another entry at an index that was applied elsewhere is found, ... */
Test(apply, rejects_another_entry)
{
    apply(N1, 1, C1, 1, false); /* (Twice: another check's business.) */
    of(N2)->log[2] = (struct sim_entry_id){1, 102};
    of(N3)->log[2] = (struct sim_entry_id){2, 102};
    apply(N2, 2, C1, 2, true);
    apply(N3, 2, C1, 2, true);
    expect_violated(SIM_CHECK_STATE_MACHINE_SAFETY,
                    "n3 applied an entry of term 2 at index 2, where n2 had decided another, of "
                    "term 1");
}

/* ... also when a leader has only committed it so far (R26). */
Test(apply, rejects_another_entry_than_was_committed)
{
    store(N1, 1, 102);
    store(N2, 1, 102);
    commit(N1, 2);
    store(N3, 2, 202);
    apply(N3, 2, C1, 2, true);
    expect_violated(SIM_CHECK_STATE_MACHINE_SAFETY,
                    "n3 applied an entry of term 2 at index 2, where n1 had decided another, of "
                    "term 1");
}

/* Groups have nothing to do with each other. */
Test(apply, keeps_groups_apart)
{
    elect(M1, M2, 1);
    store(M1, 1, 999);
    store(M2, 1, 999);
    apply(M1, 1, C2, 1, true);
    apply(M2, 1, C2, 1, true);
    expect_clean();
}

/* ---- I13 acked_durable ------------------------------------------------------------------ */

/* What is on two disks of three may lose any one host, and all hosts for a while; a snapshot
 * holds it as well. */
Test(apply, accepts_crashes_after_an_acknowledgement)
{
    acknowledge(N1, C1, 1, 1);
    crash(N1);
    crash(N2);
    crash(N3);
    boot(N1);
    boot(N2);
    compact(N2, 1);
    expect_clean();
    expect_verdict(SIM_CHECK_ACKED_DURABLE, SIM_HOLDS);
}

/* Without a crash it was not put to the test. */
Test(apply, needs_a_crash_for_acked_durable)
{
    acknowledge(N1, C1, 1, 1);
    expect_verdict(SIM_CHECK_ACKED_DURABLE, SIM_VACUOUS);
}

/* A read need not go through the log, and an operation refused was not done. */
Test(apply, does_not_look_for_reads_and_failures)
{
    struct sim_history_row row = {
        .operation = operation_of(C1, 2), .server = N1, .outcome = SIM_OUTCOME_OK};
    row.operation.function = SIM_READ;
    sim_checks_acked(world->checks, &row);
    row.operation = operation_of(C1, 3);
    row.outcome = SIM_OUTCOME_FAIL;
    sim_checks_acked(world->checks, &row);
    expect_clean();
}

/* An acknowledgement of what is on one disk alone is found, ... */
Test(apply, rejects_an_acknowledgement_from_memory)
{
    store(N1, 1, 102);
    append(N2, 1, 102);
    apply(N1, 2, C1, 2, true);
    acknowledge(N1, C1, 2, 1);
    expect_violated(SIM_CHECK_ACKED_DURABLE,
                    "the acknowledged operation at index 2 is on 1 of 3 disks (n1): a majority can "
                    "do without it");
}

/* ... so is one that is truncated later (R09), ... */
Test(apply, rejects_a_truncated_acknowledgement)
{
    acknowledge(N1, C1, 1, 1);
    truncate_log(N3, 1);
    sync_disk(N3);
    expect_fine_so_far(SIM_CHECK_ACKED_DURABLE);
    truncate_log(N2, 1);
    sync_disk(N2);
    expect_violated(SIM_CHECK_ACKED_DURABLE,
                    "the acknowledged operation at index 1 is on 1 of 3 disks (n1): a majority can "
                    "do without it");
}

/* ... one that is overwritten, ... */
Test(apply, rejects_an_overwritten_acknowledgement)
{
    acknowledge(N1, C1, 1, 1);
    for (uint32_t node = N2; node <= N3; node++) {
        enter(node, 2, SIM_NOBODY);
        put(node, LOG, 1, 2, 201);
        sync_disk(node);
    }
    cr_expect(state_of(SIM_CHECK_ACKED_DURABLE)->violated);
}

/* ... one below others, at the end, ... */
Test(apply, rejects_a_lost_acknowledgement_at_the_end)
{
    acknowledge(N1, C1, 1, 1);
    for (uint32_t node = N1; node <= N3; node++) {
        store(node, 1, 102);
    }
    commit(N1, 2);
    apply(N1, 2, C1, 2, true);
    acknowledge(N1, C1, 2, 1);
    for (uint32_t node = N2; node <= N3; node++) {
        put(node, SNAPSHOT, 0, 0, 0);
        discard(node, LOG, 2);
        sync_disk(node);
        restart(node);
    }
    expect_fine_so_far(SIM_CHECK_ACKED_DURABLE);
    finish();
    expect_violated(SIM_CHECK_ACKED_DURABLE,
                    "the acknowledged operation at index 1 is on 1 of 3 disks (n1): a majority can "
                    "do without it");
}

static void rot(uint32_t node, uint64_t index)
{
    static const struct sim_disk_knobs rotting = {.corrupt_ppm = SIM_PPM};
    static const struct sim_disk_knobs sound = {0};
    struct sim_disk *disk = world->nodes[node].disk;
    struct sim_label label;
    crash(node);
    sim_disk_set_knobs(disk, &rotting);
    while (sim_disk_durable_label(disk, LOG, index, &label)) {
        sim_disk_restart(disk);
    }
    sim_disk_set_knobs(disk, &sound);
    boot(node);
}

/* A node that stops at a rotten record has not lost it, ... */
Test(apply, accepts_rot_that_is_left_alone)
{
    acknowledge(N1, C1, 1, 1);
    rot(N2, 1);
    rot(N3, 1);
    crash(N2);
    boot(N2);
    expect_clean();
}

/* ... one that takes it for a torn tail and cuts it off (R51) has, ... */
Test(apply, rejects_rot_that_is_cut_off)
{
    acknowledge(N1, C1, 1, 1);
    rot(N2, 1);
    rot(N3, 1);
    cut(N2, LOG, 1);
    sync_disk(N2);
    expect_fine_so_far(SIM_CHECK_ACKED_DURABLE);
    cut(N3, LOG, 1);
    sync_disk(N3);
    expect_violated(SIM_CHECK_ACKED_DURABLE,
                    "the acknowledged operation at index 1 is on 1 of 3 disks (n1): a majority can "
                    "do without it");
}

/* ... and what was torn by the crash itself was never there. */
Test(apply, rejects_an_acknowledgement_of_a_torn_record)
{
    static const struct sim_disk_knobs torn = {.torn_ppm = SIM_PPM};
    store(N1, 1, 102);
    sim_disk_set_knobs(world->nodes[N2].disk, &torn);
    append(N2, 1, 102);
    restart(N2);
    apply(N1, 2, C1, 2, true);
    acknowledge(N1, C1, 2, 1);
    cr_expect(state_of(SIM_CHECK_ACKED_DURABLE)->violated);
}

/* ... and a write that nobody ever applied. */
Test(apply, rejects_an_acknowledgement_of_nothing)
{
    acknowledge(N2, C2, 1, 1);
    expect_fine_so_far(SIM_CHECK_ACKED_DURABLE);
    finish();
    expect_violated(SIM_CHECK_ACKED_DURABLE,
                    "n2 acknowledged operation 1 of c2, which no node has applied");
}

/* An implementation may answer before it applies, as long as it does apply. */
Test(apply, accepts_an_acknowledgement_before_applying)
{
    acknowledge(N1, C1, 2, 1);
    for (uint32_t node = N1; node <= N3; node++) {
        store(node, 1, 102);
    }
    apply(N1, 2, C1, 2, true);
    crash(N1);
    expect_clean();
}

/* What was on a wiped disk counts as held there; what came later does not. */
Test(apply, forgives_a_wiped_disk)
{
    acknowledge(N1, C1, 1, 1);
    for (uint32_t node = N2; node <= N3; node++) {
        crash(node);
        sim_disk_wipe(world->nodes[node].disk);
        boot(node);
    }
    restart(N1);
    expect_fine_so_far(SIM_CHECK_ACKED_DURABLE);
    elect(N1, N2, 2);
    store(N1, 2, 202);
    apply(N1, 1, C1, 1, true);
    apply(N1, 2, C1, 2, true);
    acknowledge(N1, C1, 2, 1);
    cr_expect(state_of(SIM_CHECK_ACKED_DURABLE)->violated);
}

/* ---- I19 exactly_once ------------------------------------------------------------------- */

/* A duplicate in the log without an effect is right, so is replay, so is a slow node. */
Test(apply, accepts_duplicates_without_effect)
{
    for (uint32_t node = N1; node <= N3; node++) {
        store(node, 1, 102);
    }
    apply(N1, 2, C1, 1, false);
    restart(N1);
    apply(N1, 1, C1, 1, true);
    apply(N1, 2, C1, 1, false);
    apply(N2, 2, C1, 1, false);
    expect_clean();
    expect_verdict(SIM_CHECK_EXACTLY_ONCE, SIM_HOLDS);
}

/* A run without a retry does not test it; an answer after several attempts does. */
Test(apply, needs_a_retry_for_exactly_once)
{
    acknowledge(N1, C1, 1, 1);
    expect_fine_so_far(SIM_CHECK_EXACTLY_ONCE);
    cr_expect_eq(state_of(SIM_CHECK_EXACTLY_ONCE)->exercised, 0);
    acknowledge(N1, C1, 1, 2);
    expect_verdict(SIM_CHECK_EXACTLY_ONCE, SIM_HOLDS);
}

/* A second effect of one operation (R16) is found, ... */
Test(apply, rejects_a_second_effect)
{
    store(N1, 1, 102);
    apply(N1, 2, C1, 1, true);
    expect_violated(SIM_CHECK_EXACTLY_ONCE,
                    "operation 1 of c1 took effect at index 1 and, on n1, again at index 2");
}

/* ... also on a node that has lost its table of sessions in a restart from a snapshot. */
Test(apply, rejects_a_second_effect_after_a_snapshot)
{
    for (uint32_t node = N1; node <= N3; node++) {
        store(node, 1, 102);
    }
    apply(N1, 2, C1, 1, false);
    compact(N2, 1);
    restart(N2);
    apply(N2, 2, C1, 1, true);
    expect_violated(SIM_CHECK_EXACTLY_ONCE,
                    "operation 1 of c1 took effect at index 1 and, on n2, again at index 2");
}

/* Entries that differ from what was decided are another check's business. */
Test(apply, does_not_count_effects_of_wrong_entries)
{
    store(N1, 1, 102);
    apply(N1, 2, C1, 2, true);
    store(N3, 2, 202);
    apply(N3, 2, C1, 3, true);
    store(N3, 2, 203);
    apply(N3, 3, C1, 2, false);
    cr_expect(state_of(SIM_CHECK_STATE_MACHINE_SAFETY)->violated);
    expect_fine_so_far(SIM_CHECK_EXACTLY_ONCE);
}
