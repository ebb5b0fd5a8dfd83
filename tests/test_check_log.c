/* The invariants of logs: histories each must accept and reject. */
#include "check_cluster.h"

TestSuite(log, .init = cluster_at_work, .fini = cluster_end);

/* ---- I4 leader_append_only -------------------------------------------------------------- */

/* A leader appends and compacts; once it follows, its log may be cut. */
Test(log, accepts_a_leader_that_appends)
{
    for (uint64_t digest = 102; digest <= 103; digest++) {
        store(N1, 1, digest);
        store(N3, 1, digest);
    }
    commit(N1, 3);
    compact(N1, 2);
    compact(N1, 3);
    store(N1, 1, 104);
    elect(N3, N2, 2);
    store(N3, 2, 204);
    enter(N1, 2, SIM_NOBODY);
    truncate_log(N1, 4);
    sync_disk(N1);
    expect_clean();
    cr_expect_geq(state_of(SIM_CHECK_LEADER_APPEND_ONLY)->exercised, 3);
}

/* After a restart a leader is a follower, and what was not durable is gone. */
Test(log, accepts_a_leader_that_restarts)
{
    append(N1, 1, 102);
    append(N1, 1, 103);
    restart(N1);
    elect(N1, N2, 2);
    store(N1, 2, 202);
    expect_clean();
}

/* A leader that cuts its log is found, ... */
Test(log, rejects_a_leader_that_cuts_its_log)
{
    append(N1, 1, 102);
    truncate_log(N1, 2);
    moved(N1);
    expect_violated(SIM_CHECK_LEADER_APPEND_ONLY,
                    "n1, leader of term 1, cut its own log from 2 to 1 entries");
}

/* ... and one that replaces an entry, even if it appends as well. */
Test(log, rejects_a_leader_that_replaces_an_entry)
{
    append(N1, 1, 102);
    of(N1)->log[2].digest = 666;
    append(N1, 1, 103);
    expect_violated(SIM_CHECK_LEADER_APPEND_ONLY,
                    "n1, leader of term 1, replaced entry 2 (term 1) of its own log by one of "
                    "term 1");
}

/* ---- I5 log_matching -------------------------------------------------------------------- */

/* Different terms at an index are right, so is replacing one by the other, on any node. */
Test(log, accepts_conflicts_between_terms)
{
    store(N1, 1, 102);
    store(N1, 1, 103);
    elect(N2, N3, 2);
    store(N2, 2, 202);
    elect(N1, N3, 3);
    store(N1, 3, 304);
    enter(N2, 3, SIM_NOBODY);
    truncate_log(N2, 2);
    for (uint32_t node = N2; node <= N3; node++) {
        append(node, 1, 102);
        append(node, 1, 103);
        store(node, 3, 304);
    }
    expect_clean();
    cr_expect_geq(state_of(SIM_CHECK_LOG_MATCHING)->exercised, 4);
}

/* What precedes the first entry after a snapshot is the snapshot's, however stale the log
 * records below it are. */
Test(log, accepts_an_entry_after_an_installed_snapshot)
{
    store(N1, 1, 102);
    store(N2, 1, 102);
    elect(N2, N1, 2);
    store(N2, 2, 203);
    store(N1, 2, 203);
    commit(N2, 3);
    store(N3, 1, 102);
    store(N3, 1, 103); /* Never on a majority. */
    enter(N3, 2, SIM_NOBODY);
    struct scripted *s = of(N3);
    put(N3, SNAPSHOT, 0, 3, 2);
    cut(N3, LOG, 0);
    s->snapshot = (struct sim_label){3, 2};
    s->first = 4;
    s->last = s->commit = s->applied = 3;
    sync_disk(N3);
    for (uint32_t node = N1; node <= N3; node++) {
        store(node, 2, 204);
    }
    expect_clean();
}

/* Two entries of one index and term are found when the second becomes durable, ... */
Test(log, rejects_two_entries_of_an_index_and_term)
{
    store(N1, 1, 102);
    store(N2, 1, 666);
    expect_violated(SIM_CHECK_LOG_MATCHING,
                    "n2 has another entry than n1 at index 2, both of term 1");
}

/* ... also for a term that was not the first at its index, ... */
Test(log, rejects_two_entries_of_a_later_term)
{
    store(N3, 1, 102);
    store(N1, 2, 202);
    store(N2, 2, 666);
    expect_violated(SIM_CHECK_LOG_MATCHING,
                    "n2 has another entry than n1 at index 2, both of term 2");
}

/* ... also when the first was lost before (R38: a leader of the same term after a restart). */
Test(log, rejects_an_entry_made_again)
{
    store(N2, 1, 102);
    truncate_log(N2, 2);
    sync_disk(N2);
    restart(N1);
    store(N1, 1, 777);
    expect_violated(SIM_CHECK_LOG_MATCHING,
                    "n1 has another entry than n2 at index 2, both of term 1");
}

/* An entry accepted without a look at the one before it (R10) is found. */
Test(log, rejects_an_entry_after_another_one)
{
    store(N1, 1, 102);
    store(N1, 2, 203);
    store(N2, 2, 202);
    store(N2, 2, 203);
    expect_violated(SIM_CHECK_LOG_MATCHING,
                    "n2 and n1 agree on entry 3 of term 2, but the entry before it is of term 2 at "
                    "n2 and 1 at n1");
}

/* An entry overwritten below others is found by those, though only it was written. */
Test(log, rejects_an_entry_overwritten_in_place)
{
    store(N1, 1, 102);
    store(N1, 1, 103);
    put(N1, LOG, 2, 2, 202);
    sync_disk(N1);
    expect_violated(SIM_CHECK_LOG_MATCHING,
                    "n1 and n1 agree on entry 3 of term 1, but the entry before it is of term 2 at "
                    "n1 and 1 at n1");
}

/* Overwriting before truncating is right if one sync covers both. */
Test(log, accepts_an_overwrite_and_a_truncation_in_one_sync)
{
    store(N1, 1, 102);
    store(N1, 1, 103);
    enter(N1, 2, SIM_NOBODY);
    put(N1, LOG, 2, 2, 202);
    cut(N1, LOG, 3);
    of(N1)->last = 2;
    of(N1)->log[2] = (struct sim_entry_id){2, 202};
    sync_disk(N1);
    expect_clean();
}

/* Memory is looked through once in 1024 events: a difference that has not reached a disk is
 * found by then, ... */
Test(log, rejects_a_difference_in_memory)
{
    store(N1, 1, 102);
    of(N2)->log[2] = (struct sim_entry_id){1, 666};
    of(N2)->last = 2;
    for (int i = 0; i < 1024; i++) {
        moved(N2);
    }
    expect_violated(SIM_CHECK_LOG_MATCHING,
                    "n2 has another entry than n1 at index 2, both of term 1");
}

/* ... also where the log had been looked through before, if its end has changed, ... */
Test(log, rejects_a_difference_in_a_tail_that_was_replaced)
{
    enter(N2, 2, SIM_NOBODY);
    for (uint64_t i = 2; i < 10; i++) {
        store(N1, 1, 100 + i);
        append(N2, 2, 200 + i);
    }
    for (int i = 0; i < 1024; i++) {
        moved(N2);
    }
    expect_fine_so_far(SIM_CHECK_LOG_MATCHING);
    for (uint64_t i = 2; i < 10; i++) {
        of(N2)->log[i] = (struct sim_entry_id){1, i == 5 ? 666 : 100 + i};
    }
    for (int i = 0; i < 1024; i++) {
        moved(N2);
    }
    expect_violated(SIM_CHECK_LOG_MATCHING,
                    "n2 has another entry than n1 at index 5, both of term 1");
}

/* ... and at the end every log is looked through, whatever seemed unchanged. */
Test(log, rejects_a_difference_at_the_end)
{
    for (uint64_t i = 2; i < 10; i++) {
        store(N1, 1, 100 + i);
        store(N2, 1, 100 + i);
    }
    for (int i = 0; i < 1024; i++) {
        moved(N2);
    }
    of(N2)->log[5].digest = 666;
    expect_fine_so_far(SIM_CHECK_LOG_MATCHING);
    finish();
    expect_violated(SIM_CHECK_LOG_MATCHING,
                    "n2 has another entry than n1 at index 5, both of term 1");
}

/* ---- I17 log_continuity ----------------------------------------------------------------- */

/* Dropping what a snapshot covers is right, also when both become durable in one sync in the
 * other order: nobody can see between. */
Test(log, accepts_compaction_under_a_snapshot)
{
    store(N1, 1, 102);
    store(N1, 1, 103);
    store(N2, 1, 102);
    commit(N1, 2);
    compact(N1, 2);
    discard(N2, LOG, 2);
    put(N2, SNAPSHOT, 0, 1, 1);
    of(N2)->first = 2;
    of(N2)->snapshot = (struct sim_label){1, 1};
    sync_disk(N2);
    expect_clean();
}

/* A crash may leave holes; a node that truncates or refills them before it goes on is right. */
Test(log, accepts_holes_that_are_mended)
{
    static const struct sim_disk_knobs lossy = {.survive_ppm = 500000, .survive_any = true};
    for (uint32_t round = 0; round < 40; round++) {
        const uint32_t node = N1 + round % 2;
        sim_disk_set_knobs(world->nodes[node].disk, &lossy);
        for (uint64_t i = 2; i < 12; i++) {
            append(node, 1, 100 + i);
        }
        restart(node);
        const uint64_t whole = of(node)->last;
        if (round % 4 < 2) {
            cut(node, LOG, whole + 1);
        } else if (sim_disk_cached_end(world->nodes[node].disk, LOG) > whole + 1) {
            store(node, 1, 101 + whole); /* One hole is refilled; there may be others. */
            cut(node, LOG, whole + 2);
        }
        sync_disk(node);
        store(node, 1, 101 + of(node)->last);
        truncate_log(node, 2);
        sync_disk(node);
    }
    expect_clean();
}

/* A log that begins after its snapshot's end (R22, R50) is found, ... */
Test(log, rejects_a_log_cut_off_from_its_snapshot)
{
    store(N1, 1, 102);
    store(N1, 1, 103);
    discard(N1, LOG, 3);
    sync_disk(N1);
    expect_violated(SIM_CHECK_LOG_CONTINUITY,
                    "the log on n1's disk begins at 3, but its snapshot there covers only up to 0");
}

/* ... also when an older snapshot replaces the one it relied on, ... */
Test(log, rejects_a_snapshot_that_goes_back)
{
    store(N1, 1, 102);
    store(N1, 1, 103);
    compact(N1, 2);
    put(N1, SNAPSHOT, 0, 1, 1);
    sync_disk(N1);
    expect_violated(SIM_CHECK_LOG_CONTINUITY,
                    "the log on n1's disk begins at 3, but its snapshot there covers only up to 1");
}

/* ... and when a crash comes between two parts that were not one sync. */
Test(log, rejects_a_cut_found_after_a_crash)
{
    static const struct sim_disk_knobs half = {.survive_ppm = SIM_PPM};
    store(N1, 1, 102);
    sim_disk_set_knobs(world->nodes[N1].disk, &half);
    discard(N1, LOG, 2);
    crash(N1);
    expect_violated(SIM_CHECK_LOG_CONTINUITY,
                    "the log on n1's disk begins at 2, but its snapshot there covers only up to 0");
}

/* A crash may also join what does not belong together; a node that drops it is right. */
Test(log, accepts_a_broken_chain_left_by_a_crash)
{
    static const struct sim_disk_knobs lossy = {.survive_ppm = 500000, .survive_any = true};
    store(N2, 1, 102);
    sim_disk_set_knobs(world->nodes[N2].disk, &lossy);
    bool joined = false;
    for (uint64_t term = 2; term < 30; term++) {
        enter(N2, term, SIM_NOBODY);
        truncate_log(N2, 2);
        append(N2, term, 100 * term);
        append(N2, term, 100 * term + 1);
        crash(N2);
        struct sim_label two = {0, 0};
        struct sim_label three = {0, 0};
        const struct sim_disk *disk = world->nodes[N2].disk;
        joined |= sim_disk_durable_label(disk, LOG, 2, &two) &&
                  sim_disk_durable_label(disk, LOG, 3, &three) && two.a != three.a;
        blank(N2);
        of(N2)->log[1] = (struct sim_entry_id){1, 101};
        of(N2)->last = 1;
        cut(N2, LOG, 2);
        moved(N2);
        sync_disk(N2);
        store(N2, 1, 102);
    }
    cr_expect(joined, "the disk was too kind for this test");
    expect_clean();
}

/* A sync that fails keeps what it likes, syncs under way go on; a node that then stops is
 * right, ... */
Test(log, accepts_what_a_failed_sync_leaves)
{
    static const struct sim_disk_knobs failing = {.sync_error_ppm = SIM_PPM};
    static const struct sim_disk_knobs working = {0};
    struct sim_env *env = &world->nodes[N2];
    for (uint64_t round = 0; round < 40; round++) {
        const uint64_t term = round + 2;
        uint64_t done_ns;
        uint64_t token;
        uint32_t records;
        enter(N2, term, SIM_NOBODY);
        truncate_log(N2, 2);
        sim_disk_set_knobs(env->disk, &failing);
        for (uint64_t i = 2; i < 6; i++) {
            append(N2, term, 100 * term + i);
        }
        cr_assert_eq(sim_disk_begin_sync(env->disk, 0, 1, &done_ns), SIM_OK);
        sim_disk_set_knobs(env->disk, &working);
        append(N2, term, 100 * term + 6);
        cr_assert_eq(sim_disk_begin_sync(env->disk, 0, 2, &done_ns), SIM_OK);
        env->syncs_pending = 1;
        cr_assert_eq(sim_disk_finish_sync(env->disk, &token, &records), SIM_EIO);
        world->metrics.disk_errors++;
        moved(N2);
        env->syncs_pending = 0;
        cr_assert_eq(sim_disk_finish_sync(env->disk, &token, &records), SIM_OK);
        moved(N2);
        crash(N2);
        blank(N2);
        of(N2)->log[1] = (struct sim_entry_id){1, 101};
        of(N2)->last = 1;
        cut(N2, LOG, 2);
        moved(N2);
        sync_disk(N2);
    }
    expect_clean();
}

/* ... and one that carries on as if nothing had happened is not (R36). */
Test(log, rejects_carrying_on_after_a_failed_sync)
{
    static const struct sim_disk_knobs failing = {.sync_error_ppm = SIM_PPM};
    static const struct sim_disk_knobs working = {0};
    struct sim_env *env = &world->nodes[N2];
    uint64_t done_ns;
    uint64_t token;
    uint32_t records;
    sim_disk_set_knobs(env->disk, &failing);
    for (uint64_t i = 2; i < 30; i++) {
        append(N2, 1, 100 + i);
    }
    cr_assert_eq(sim_disk_begin_sync(env->disk, 0, 1, &done_ns), SIM_OK);
    cr_assert_eq(sim_disk_finish_sync(env->disk, &token, &records), SIM_EIO);
    world->metrics.disk_errors++;
    moved(N2);
    sim_disk_set_knobs(env->disk, &working);
    expect_fine_so_far(SIM_CHECK_LOG_CONTINUITY);
    store(N2, 1, 130);
    cr_expect(state_of(SIM_CHECK_LOG_CONTINUITY)->violated);
}

/* Writing beyond a hole that was found at a boot is found. */
Test(log, rejects_writing_beyond_a_hole)
{
    static const struct sim_disk_knobs torn = {.torn_ppm = SIM_PPM};
    sim_disk_set_knobs(world->nodes[N1].disk, &torn);
    append(N1, 1, 102);
    restart(N1);
    of(N1)->last = 2;
    store(N1, 1, 103);
    expect_violated(SIM_CHECK_LOG_CONTINUITY,
                    "n1 wrote entry 3 to a disk on which entry 2 is missing");
}
