#include "sim/disk.h"
#include "tests/disk_model.h"

#include <criterion/criterion.h>
#include <signal.h>

/* ---- Against the model -------------------------------------------------------------- */

/* Both images agree with the model after every step, whatever the faults, over many seeds. */
Test(disk, agrees_with_the_model_under_every_regime)
{
    static const uint32_t chances[] = {0, 500000, 900000, SIM_PPM};
    for (uint64_t seed = 0; seed < 3000; seed++) {
        begin_world(seed);
        struct sim_disk_knobs knobs = {
            .sync_latency = {.kind = SIM_DIST_UNIFORM, .a = 100, .b = 9000}};
        knobs.bytes_per_second = seed % 2 ? 0 : SIM_S / 10;
        knobs.survive_ppm = chances[seed % 4];
        knobs.survive_any = seed / 4 % 2;
        knobs.torn_ppm = seed / 8 % 2 ? SIM_PPM : 0;
        knobs.sync_error_ppm = seed / 16 % 2 ? 200000 : 0;
        knobs.capacity_bytes = seed / 32 % 2 ? 150 : 0;
        knobs.write_error_ppm = seed / 64 % 2 ? 100000 : 0;
        set_knobs(knobs);
        random_steps(&knobs, 300);
    }
    cr_expect_gt(seen.lost, 1000);
    cr_expect_gt(seen.survivors, 1000, "crashes that lost some changes and kept others");
    cr_expect_gt(seen.torn, 500);
    cr_expect_gt(seen.holes, 500);
    cr_expect_gt(seen.no_space, 1000);
    cr_expect_gt(seen.errors, 1000);
    cr_expect_gt(seen.failed_syncs, 1000);
}

/* ---- One fault at a time ------------------------------------------------------------ */

/* A record is durable when its sync is over, not before, and later writes wait for their own. */
Test(disk, a_sync_makes_durable_what_was_written_before_it)
{
    begin_world(1);
    struct sim_label label;
    cr_assert_eq(write_both(0, 5, 8), SIM_OK);
    begin_sync_both(11);
    cr_assert_eq(write_both(0, 6, 8), SIM_OK);
    cr_expect(!sim_disk_durable_label(disk, 0, 5, &label));
    cr_assert_eq(finish_sync_both(true), SIM_OK);
    cr_assert(sim_disk_durable_label(disk, 0, 5, &label));
    cr_expect_eq(label.a, 1);
    cr_expect_eq(label.b, 5);
    cr_expect(!sim_disk_durable_label(disk, 0, 6, &label));
    cr_expect_eq(sim_disk_crash(disk), 1);
    cr_expect_eq(sim_disk_cached_end(disk, 0), 6, "the unsynced record is gone");
    cr_expect_eq(model.told_count, 0);
}

/* Syncs queue for the disk: each starts when the one before is done, and is charged for the
 * bytes that are new to it. */
Test(disk, syncs_wait_for_each_other_and_pay_for_their_bytes)
{
    begin_world(2);
    set_knobs((struct sim_disk_knobs){.sync_latency = {.a = 1000}, .bytes_per_second = SIM_S / 10});
    cr_assert_eq(write_both(0, 0, 20), SIM_OK);
    cr_expect_eq(begin_sync_both(1), 1200); /* 10 ns a byte */
    cr_assert_eq(write_both(0, 1, 5), SIM_OK);
    cr_expect_eq(begin_sync_both(2), 2250);
    cr_expect_eq(begin_sync_both(3), 3250);
    for (uint32_t i = 0; i < 3; i++) {
        cr_assert_eq(finish_sync_both(true), SIM_OK); /* Checks the order of the tokens. */
    }
    model.now_ns = 10000;
    cr_expect_eq(begin_sync_both(4), 11000, "an idle disk starts at once");
    crash_both(&(struct sim_disk_knobs){0});
    cr_expect_eq(begin_sync_both(5), 11000, "nothing is under way after a crash");
}

/* A disk that lies says OK, and a crash then loses what it said it had; an honest sync after
 * the lie would have saved it. */
Test(disk, a_lying_sync_is_found_out_by_a_crash)
{
    for (uint32_t honest_after = 0; honest_after < 2; honest_after++) {
        begin_world(3);
        set_knobs((struct sim_disk_knobs){.lie_ppm = SIM_PPM});
        cr_assert_eq(write_both(0, 0, 8), SIM_OK);
        begin_sync_both(1);
        cr_assert_eq(finish_sync_both(false), SIM_OK);
        set_knobs((struct sim_disk_knobs){0});
        if (honest_after) {
            begin_sync_both(2);
            cr_assert_eq(finish_sync_both(true), SIM_OK);
        }
        cr_expect_eq(sim_disk_crash(disk), honest_after ? 0 : 1);
        cr_expect_eq(sim_disk_cached(disk, 0, 0, NULL) != NULL, honest_after == 1);
    }
}

/* After a failed sync the node still reads its record, a second sync says OK, and yet a crash
 * loses it half of the time: the page was marked clean. */
Test(disk, a_failed_sync_leaves_its_records_in_doubt_for_ever)
{
    uint32_t survived = 0;
    for (uint64_t seed = 0; seed < 1000; seed++) {
        begin_world(seed);
        set_knobs((struct sim_disk_knobs){.sync_error_ppm = SIM_PPM});
        cr_assert_eq(write_both(0, 0, 8), SIM_OK);
        begin_sync_both(1);
        cr_assert_eq(finish_sync_both(true), SIM_EIO);
        check(sim_disk_cached(disk, 0, 0, NULL) != NULL);
        set_knobs((struct sim_disk_knobs){0});
        begin_sync_both(2);
        cr_assert_eq(finish_sync_both(true), SIM_OK);
        check_images();
        check(sim_disk_crash(disk) == 0);
        survived += sim_disk_cached(disk, 0, 0, NULL) != NULL;
    }
    cr_expect_gt(survived, 400);
    cr_expect_lt(survived, 600);
}

/* A torn record has its size, a part of its bytes and no label; over many seeds the tear is
 * everywhere. */
Test(disk, a_torn_write_is_seen_as_torn)
{
    uint64_t lengths_seen = 0;
    for (uint64_t seed = 0; seed < 1000; seed++) {
        begin_world(seed);
        const struct sim_disk_knobs knobs = {.torn_ppm = SIM_PPM};
        set_knobs(knobs);
        cr_assert_eq(write_both(0, 0, 16), SIM_OK);
        cr_assert_eq(write_both(0, 1, 16), SIM_OK);
        check(crash_both(&knobs) == 2);
        check_images();
        check(sim_disk_cached_end(disk, 0) == 1);
        uint32_t size_bytes;
        struct sim_label label;
        const uint8_t *bytes = sim_disk_cached(disk, 0, 0, &size_bytes);
        check(bytes && size_bytes == 16);
        check(!sim_disk_durable_label(disk, 0, 0, &label));
        uint32_t kept = 0;
        while (kept < 16 && bytes[kept] != 0) {
            kept++;
        }
        lengths_seen |= UINT64_C(1) << kept;
    }
    cr_expect_eq(lengths_seen, 0xffff, "0 to 15 bytes are kept");
}

/* A lost change below one that survived leaves a hole, not a shorter or shifted file. */
Test(disk, a_survivor_above_a_lost_write_leaves_a_hole)
{
    uint32_t holes = 0;
    for (uint64_t seed = 0; seed < 200; seed++) {
        begin_world(seed);
        const struct sim_disk_knobs knobs = {.survive_ppm = 500000, .survive_any = true};
        set_knobs(knobs);
        cr_assert_eq(write_both(0, 3, 8), SIM_OK);
        cr_assert_eq(write_both(0, 4, 8), SIM_OK);
        crash_both(&knobs);
        check_images();
        if (sim_disk_cached_end(disk, 0) == 5 && !sim_disk_cached(disk, 0, 3, NULL)) {
            check(sim_disk_cached_begin(disk, 0) == 3);
            check(sim_disk_cached(disk, 0, 4, NULL) != NULL);
            holes++;
        }
    }
    cr_expect_gt(holes, 20);
}

/* A far jump of an emptied file costs no memory for the positions between, even if the
 * discard before it is lost. */
Test(disk, a_jump_far_away_replaces_the_window)
{
    uint32_t alone = 0;
    const uint64_t far = UINT64_C(1) << 60;
    for (uint64_t seed = 0; seed < 100; seed++) {
        begin_world(seed);
        set_knobs((struct sim_disk_knobs){.survive_ppm = 500000, .survive_any = true});
        const struct sim_label label = {1, 2};
        cr_assert_eq(sim_disk_do_write(disk, 0, 0, "a", 1, label), SIM_OK);
        begin_sync_both(1);
        uint64_t token;
        uint32_t records;
        check(sim_disk_finish_sync(disk, &token, &records) == SIM_OK && records == 1);
        cr_assert_eq(sim_disk_do_discard(disk, 0, far), SIM_OK);
        cr_assert_eq(sim_disk_do_write(disk, 0, far, "b", 1, label), SIM_OK);
        const uint32_t lost = sim_disk_crash(disk);
        if (sim_disk_cached_end(disk, 0) == far + 1) {
            check(sim_disk_cached_begin(disk, 0) == far);
            check(sim_disk_durable_label(disk, 0, far, &(struct sim_label){0}));
            alone += lost == 1;
        }
    }
    cr_expect_gt(alone, 10);
}

/* Rot flips one bit of one record, any of them, and takes its label. */
Test(disk, a_corrupt_record_differs_in_one_bit_and_has_no_label)
{
    uint32_t hit[3] = {0};
    for (uint64_t seed = 0; seed < 300; seed++) {
        begin_world(seed);
        for (uint64_t p = 0; p < 3; p++) {
            cr_assert_eq(write_both(1, p, BYTES_MAX), SIM_OK);
        }
        begin_sync_both(1);
        cr_assert_eq(finish_sync_both(true), SIM_OK);
        set_knobs((struct sim_disk_knobs){.corrupt_ppm = SIM_PPM});
        check(sim_disk_crash(disk) == 0);
        sim_disk_restart(disk);
        uint32_t flipped = 0;
        for (uint32_t p = 0; p < 3; p++) {
            uint32_t here = 0;
            struct sim_label label;
            const uint8_t *bytes = sim_disk_cached(disk, 1, p, NULL);
            for (uint32_t i = 0; i < BYTES_MAX; i++) {
                const unsigned differs = bytes[i] ^ model.cached[1].at[p].bytes[i];
                here += (uint32_t)__builtin_popcount(differs);
            }
            check(sim_disk_durable_label(disk, 1, p, &label) == (here == 0));
            hit[p] += here;
            flipped += here;
        }
        check(flipped == 1);
    }
    cr_expect(hit[0] > 50 && hit[1] > 50 && hit[2] > 50);
}

/* A full disk refuses what would not fit and changes nothing; room comes back with a discard. */
Test(disk, a_full_disk_refuses_and_recovers)
{
    begin_world(4);
    set_knobs((struct sim_disk_knobs){.capacity_bytes = 20});
    cr_assert_eq(write_both(0, 0, 10), SIM_OK);
    cr_assert_eq(write_both(0, 1, 10), SIM_OK);
    cr_expect_eq(write_both(0, 2, 1), SIM_ENOSPC);
    cr_expect_eq(write_both(0, 1, 11), SIM_ENOSPC, "a record cannot grow");
    cr_expect_eq(write_both(0, 1, 9), SIM_OK, "but be replaced");
    check_images();
    cut_both(SIM_DURABLE_DISCARD, 0, 1);
    cr_expect_eq(write_both(0, 2, 11), SIM_OK);
    check_images();
    cr_expect_eq(sim_disk_used_bytes(disk), 20);
}

/* An empty record is a record: it can be read, is durable, and cannot tear. */
Test(disk, an_empty_record_exists)
{
    begin_world(5);
    set_knobs((struct sim_disk_knobs){.torn_ppm = SIM_PPM});
    cr_assert_eq(sim_disk_do_write(disk, 0, 0, NULL, 0, (struct sim_label){1, 1}), SIM_OK);
    cr_expect_not_null(sim_disk_cached(disk, 0, 0, NULL));
    cr_expect_eq(sim_disk_crash(disk), 1);
    cr_expect_null(sim_disk_cached(disk, 0, 0, NULL));
    cr_expect_eq(sim_disk_cached_end(disk, 0), 0);
}

/* ---- Chance, memory ----------------------------------------------------------------- */

/* Whatever faults are on, the syncs of a run take the same times. */
Test(disk, knobs_of_loss_do_not_shift_the_latencies)
{
    for (uint64_t seed = 0; seed < 100; seed++) {
        uint64_t done_ns[2][40];
        for (uint32_t faults = 0; faults < 2; faults++) {
            begin_world(seed);
            struct sim_disk_knobs knobs = {
                .sync_latency = {.kind = SIM_DIST_EXPONENTIAL, .a = 5000}};
            if (faults) {
                knobs.sync_error_ppm = knobs.lie_ppm = knobs.write_error_ppm = 300000;
                knobs.survive_ppm = knobs.torn_ppm = knobs.corrupt_ppm = 500000;
                knobs.survive_any = true;
            }
            set_knobs(knobs);
            for (uint32_t i = 0; i < 40; i++) {
                const uint64_t end = sim_disk_cached_end(disk, 0);
                const enum sim_status status =
                    sim_disk_do_write(disk, 0, end, "abcdefgh", 8, (struct sim_label){i, 0});
                check(status == SIM_OK || status == SIM_EIO);
                uint64_t token;
                uint32_t records;
                check(sim_disk_begin_sync(disk, i * SIM_S, i, &done_ns[faults][i]) == SIM_OK);
                (void)sim_disk_finish_sync(disk, &token, &records);
                if (i % 10 == 9) {
                    sim_disk_crash(disk);
                    sim_disk_restart(disk);
                }
                model.told_count = 0;
            }
        }
        check(memcmp(done_ns[0], done_ns[1], sizeof done_ns[0]) == 0);
        check(done_ns[0][0] != done_ns[0][1] - SIM_S);
    }
}

/* A wipe gives back all memory: the same work again and again needs no more of the arena. */
Test(disk, a_wipe_releases_everything)
{
    begin_world(6);
    struct sim_disk_knobs knobs = {.survive_any = true, .torn_ppm = SIM_PPM};
    set_knobs(knobs);
    size_t used_bytes = 0;
    for (uint32_t cycle = 0; cycle < 60; cycle++) {
        sim_rng_derive(&rng, 6, "test/disk/wipe");
        random_steps(&knobs, 2000);
        sim_disk_wipe(disk);
        memset(&model, 0, sizeof model);
        check_images();
        if (cycle == 0) {
            used_bytes = sim_arena_used_bytes(arena);
        }
        cr_assert_eq(sim_arena_used_bytes(arena), used_bytes, "cycle %u", cycle);
    }
}

/* A log that is appended to at one end and discarded at the other runs in bounded memory. */
Test(disk, a_sliding_log_needs_bounded_memory)
{
    begin_world(7);
    size_t used_bytes = 0;
    for (uint64_t p = 0; p < 200000; p++) {
        uint64_t done_ns;
        uint64_t token;
        uint32_t records;
        cr_assert_eq(sim_disk_do_write(disk, 0, p, &p, 8, (struct sim_label){p, p}), SIM_OK);
        if (p % 16 == 15) {
            cr_assert_eq(sim_disk_do_discard(disk, 0, p < 100 ? 0 : p - 100), SIM_OK);
            cr_assert_eq(sim_disk_begin_sync(disk, p, p, &done_ns), SIM_OK);
            cr_assert_eq(sim_disk_finish_sync(disk, &token, &records), SIM_OK);
            cr_assert_eq(records, 16);
        }
        model.told_count = 0;
        if (p == 2000) {
            used_bytes = sim_arena_used_bytes(arena);
        }
    }
    cr_expect_eq(sim_arena_used_bytes(arena), used_bytes);
}

static uint64_t run_on(const struct sim_disk_knobs *knobs)
{
    random_steps(knobs, 400);
    uint64_t hash = sim_mix64(model.now_ns + sim_disk_used_bytes(disk));
    for (uint32_t f = 0; f < FILES; f++) {
        for (uint64_t p = 0; p < POSITIONS; p++) {
            uint32_t size_bytes;
            const uint8_t *bytes = sim_disk_cached(disk, f, p, &size_bytes);
            hash = sim_mix64(hash + (bytes ? sim_hash_bytes(bytes, size_bytes) : p));
        }
    }
    return hash;
}

/* Restored from a snapshot of its arena, a disk lives the same life again. */
Test(disk, lives_the_same_life_again_after_a_restore)
{
    static struct model saved;
    const struct sim_disk_knobs knobs = {.sync_latency = {.kind = SIM_DIST_EXPONENTIAL, .a = 2000},
                                         .survive_ppm = 500000,
                                         .survive_any = true,
                                         .torn_ppm = SIM_PPM,
                                         .sync_error_ppm = 300000};
    struct sim_snapshot snapshot = {0};
    for (uint64_t seed = 0; seed < 50; seed++) {
        begin_world(seed);
        set_knobs(knobs);
        random_steps(&knobs, 200);
        cr_assert_eq(sim_snapshot_take(&snapshot, arena), SIM_OK);
        memcpy(&saved, &model, sizeof saved);
        const struct sim_rng saved_rng = rng;
        const uint64_t first = run_on(&knobs);
        for (uint32_t steps = 0; steps < 30; steps++) { /* Short lives change little. */
            sim_snapshot_restore(&snapshot, arena);
            memcpy(&model, &saved, sizeof model);
            check_images();
            random_steps(&knobs, steps);
        }
        sim_snapshot_restore(&snapshot, arena);
        memcpy(&model, &saved, sizeof model);
        rng = saved_rng;
        check_images();
        check(run_on(&knobs) == first);
    }
    sim_snapshot_release(&snapshot);
}

static void fill_the_arena(void)
{
    while (sim_arena_alloc(arena, 1 << 20)) {
    }
    for (size_t size_bytes = 1 << 20; size_bytes >= 16; size_bytes -= 16) {
        while (sim_arena_alloc(arena, size_bytes)) {
        }
        while (sim_arena_alloc_cold(arena, size_bytes)) {
        }
    }
}

/* When the arena is full a request says so, and changes nothing. */
Test(disk, a_full_world_is_answered_and_changes_nothing)
{
    begin_world(8);
    for (uint64_t p = 0; p < 20; p++) {
        cr_assert_eq(write_both(0, p, 20), SIM_OK);
    }
    fill_the_arena();
    const uint32_t before = model.pending_count;
    cr_expect_eq(write_both(0, 20, 20), SIM_ENOMEM);
    cr_expect_eq(write_both(1, 0, 20), SIM_ENOMEM);
    cr_expect_eq(model.pending_count, before);
    check_images();
}

/* Memory that runs out in a crash, where nothing can be answered, is told by the next request. */
Test(disk, memory_gone_in_a_crash_is_told_by_the_next_request)
{
    begin_world(9);
    set_knobs((struct sim_disk_knobs){.survive_ppm = SIM_PPM});
    cr_assert_eq(write_both(0, 0, 20), SIM_OK);
    fill_the_arena();
    cr_expect_eq(sim_disk_crash(disk), 1, "there is no room for the durable slot");
    uint64_t done_ns;
    cr_expect_eq(sim_disk_begin_sync(disk, 0, 1, &done_ns), SIM_ENOMEM);
    cr_expect_eq(sim_disk_do_truncate(disk, 0, 0), SIM_ENOMEM);
}

/* A write that would leave a gap is a bug of the node. */
Test(disk, a_write_beyond_the_end_asserts, .signal = SIGABRT)
{
    begin_world(10);
    cr_assert_eq(write_both(0, 3, 1), SIM_OK);
    cr_assert_eq(sim_disk_do_write(disk, 0, 5, "a", 1, (struct sim_label){0, 0}), SIM_OK);
}

/* Finishing a sync that was never begun is a bug of the owner. */
Test(disk, finishing_no_sync_asserts, .signal = SIGABRT)
{
    begin_world(11);
    uint64_t token;
    uint32_t records;
    (void)sim_disk_finish_sync(disk, &token, &records);
}
