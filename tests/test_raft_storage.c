/* Raft and what breaks under it: records torn, rotten and lost, a disk that fails, and messages
 * of random bytes. */
#include "tests/raft_peers.h"

TestSuite(raft_storage, .init = start, .fini = stop);

/* ---- The disk after a crash ---------------------------------------------------------------- */

static struct fake_record *log_record(uint64_t index)
{
    return &env->durable[RAFT_FILE_LOG].records[index];
}

/* What sim/disk_crash.c does to a write that the power cuts short. */
static void tear(struct fake_record *record)
{
    memset(record->bytes + 20, 0, record->size_bytes - 20);
}

static void rot(struct fake_record *record, uint32_t bit)
{
    record->bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
}

static void lose(struct fake_record *record)
{
    record->size_bytes = 0;
}

/* A log of terms 1, 1, 2, 2, each entry durable when the next was written. */
static void build_log(void)
{
    stop();
    start();
    fake_boot(env);
    const uint64_t terms[] = {1, 1, 2, 2};
    for (uint64_t i = 0; i < 4; i++) {
        give_append(1, terms[i], i, i > 0 ? terms[i - 1] : 0, 0, TERMS(terms[i]));
        fake_sync_all(env);
    }
    cr_assert_eq(env->durable[RAFT_FILE_LOG].end, 5);
}

/* The same log, written in one go: no record knows that another was durable. */
static void build_log_at_once(void)
{
    stop();
    start();
    fake_boot(env);
    give_append(1, 2, 0, 0, 0, TERMS(1, 1, 2, 2));
    fake_sync_all(env);
}

static bool halted_safely(void)
{
    if (!node()->halted) {
        return false;
    }
    fake_clear(env);
    give_append(1, 9, 0, 0, 0, TERMS(9));
    give(2, RAFT_REQUEST_VOTE, 0, 9, 99, 9);
    give_operation(50, 1, 7);
    cr_expect_eq(env->message_count + env->reply_count + env->syncs_pending, 0, "silent");
    cr_expect_eq(env->facts[RAFT_FACT_HEALTH], 1);
    cr_expect_eq(env->facts[RAFT_FACT_ROLE], 0);
    for (uint32_t timer = 0; timer < SIM_TIMERS_MAX; timer++) {
        cr_expect_eq(env->timers[timer], SIM_NEVER);
    }
    return true;
}

/* What was durable is there after a crash: log, term and vote, and nothing else. */
Test(raft_storage, comes_back_with_what_was_durable)
{
    build_log();
    give(2, RAFT_REQUEST_VOTE, 0, 7, 9, 9);
    fake_sync_all(env);
    give_append(1, 7, 4, 2, 4, TERMS(7)); /* Never synced. */
    fake_boot(env);
    cr_expect(log_is(TERMS(1, 1, 2, 2)));
    cr_expect_eq(node()->term, 7);
    cr_expect_eq(node()->vote, 2);
    cr_expect_eq(node()->commit, 0, "what is committed is learnt anew");
    cr_expect_eq(node()->log.durable, 4);
    cr_expect(!node()->halted);
}

/* A torn or lost write at the end was never acknowledged: the log is cut there and goes on. */
Test(raft_storage, cuts_a_torn_tail)
{
    for (int lost = 0; lost < 2; lost++) {
        build_log();
        if (lost) {
            lose(log_record(4));
        } else {
            tear(log_record(4));
        }
        fake_boot(env);
        cr_assert(log_is(TERMS(1, 1, 2)));
        cr_expect(!node()->halted);
        give_append(1, 3, 3, 2, 0, TERMS(3));
        fake_sync_all(env);
        fake_boot(env);
        cr_expect(log_is(TERMS(1, 1, 2, 3)));
    }
}

/* Of writes that no sync covered, a later one may survive an earlier: cut at the gap, too. */
Test(raft_storage, cuts_at_a_gap_in_what_was_not_durable)
{
    build_log_at_once();
    lose(log_record(2));
    fake_boot(env);
    cr_expect(log_is(TERMS(1)));
    cr_expect(!node()->halted);
}

/* A gap where later records know that there was a durable one is not a crash's doing. */
Test(raft_storage, halts_at_a_gap_in_what_was_durable)
{
    build_log();
    lose(log_record(2));
    fake_boot(env);
    cr_expect(halted_safely());
    build_log();
    tear(log_record(1));
    fake_boot(env);
    cr_expect(halted_safely());
}

/* Rot anywhere may have taken a committed entry, in the middle and at the end: whatever bit of
 * whatever record is flipped, the node does not go on without it. */
Test(raft_storage, halts_on_rot)
{
    for (uint64_t index = 1; index <= 4; index++) {
        for (uint32_t bit = 0; bit < 64 * 8; bit++) {
            build_log();
            rot(log_record(index), bit);
            fake_boot(env);
            cr_assert(halted_safely(), "bit %d of record %d", (int)bit, (int)index);
        }
    }
}

/* A truncation lost at a crash leaves old entries behind a new one that survived: they do not
 * continue it, and go. */
Test(raft_storage, drops_what_does_not_continue_the_log)
{
    build_log_at_once(); /* 1, 1, 2, 2 */
    const struct fake_record third = *log_record(3);
    const struct fake_record fourth = *log_record(4);
    give_append(2, 3, 1, 1, 0, TERMS(3));
    fake_sync_all(env);
    *log_record(3) = third;
    *log_record(4) = fourth;
    env->durable[RAFT_FILE_LOG].end = 5;
    fake_boot(env);
    cr_expect(log_is(TERMS(1, 3)));
    cr_expect(!node()->halted);
}

/* Term and vote are kept twice: either copy is enough, and the other is repaired. */
Test(raft_storage, keeps_its_hard_state_in_two_copies)
{
    for (int which = 0; which < 2; which++) {
        for (uint32_t bit = 0; bit < 24 * 8; bit++) {
            build_log();
            give(2, RAFT_REQUEST_VOTE, 0, 7, 9, 9);
            fake_sync_all(env);
            rot(&env->durable[RAFT_FILE_HARD].records[which], bit);
            fake_boot(env);
            cr_assert(!node()->halted && node()->term == 7 && node()->vote == 2, "bit %d",
                      (int)bit);
            fake_sync_all(env);
            cr_expect_arr_eq(env->durable[RAFT_FILE_HARD].records[0].bytes,
                             env->durable[RAFT_FILE_HARD].records[1].bytes, 24);
        }
    }
}

/* A crash while the hard state is written leaves the old or the new one, never a mixture. */
Test(raft_storage, writes_term_and_vote_as_one)
{
    for (int written = 0; written < 4; written++) {
        build_log();
        struct fake_record *copies = env->durable[RAFT_FILE_HARD].records;
        const struct fake_record old = copies[0];
        give(2, RAFT_REQUEST_VOTE, 0, 7, 9, 9);
        fake_sync_all(env);
        if (written < 2) { /* Copy 0, the second to be written, is the old one; 1 torn or new. */
            copies[0] = old;
        }
        if (written == 0) {
            tear(&copies[1]);
        } else if (written == 2) {
            tear(&copies[0]);
        }
        fake_boot(env);
        cr_expect(!node()->halted, "case %d", written);
        const bool is_old = node()->term == 2 && node()->vote == SIM_NOBODY;
        const bool is_new = node()->term == 7 && node()->vote == 2;
        cr_expect(written == 0 ? is_old : is_new, "case %d", written);
    }
}

/* Without a good copy of the hard state a node may have promised anything: it stops. */
Test(raft_storage, halts_without_a_hard_state)
{
    build_log();
    rot(&env->durable[RAFT_FILE_HARD].records[0], 5);
    rot(&env->durable[RAFT_FILE_HARD].records[1], 77);
    fake_boot(env);
    cr_expect(halted_safely());
}

/* The very first write of a hard state, torn: nothing was promised yet. */
Test(raft_storage, starts_afresh_after_a_torn_first_write)
{
    fake_boot(env);
    give(2, RAFT_REQUEST_VOTE, 0, 7, 9, 9);
    fake_sync_all(env);
    tear(&env->durable[RAFT_FILE_HARD].records[0]);
    env->durable[RAFT_FILE_HARD].end = 1;
    fake_boot(env);
    cr_expect(!node()->halted);
    cr_expect_eq(node()->term, 0);
}

/* ---- A disk that fails --------------------------------------------------------------------- */

/* After a failed write or sync a node says nothing more; a restart reads what is there. */
Test(raft_storage, halts_when_its_disk_fails)
{
    static const enum sim_status errors[] = {SIM_EIO, SIM_ENOSPC};
    for (int i = 0; i < 2; i++) {
        build_log();
        env->write_status = errors[i];
        give_append(1, 2, 4, 2, 0, TERMS(2));
        cr_expect(log_is(TERMS(1, 1, 2, 2)), "memory does not hold what the disk refused");
        cr_expect(halted_safely());
        env->write_status = SIM_OK;
        fake_boot(env);
        cr_expect(!node()->halted);
    }
    build_log();
    give_append(1, 2, 4, 2, 0, TERMS(2));
    fake_clear(env);
    fake_sync(env, SIM_EIO);
    cr_expect_eq(env->message_count, 0, "nothing is acknowledged");
    cr_expect(halted_safely());
}

/* A vote that cannot be written is not given, and a leader whose disk fails stops leading. */
Test(raft_storage, promises_nothing_on_a_failed_disk)
{
    fake_boot(env);
    env->write_status = SIM_EIO;
    give(2, RAFT_REQUEST_VOTE, 0, 7, 9, 9);
    cr_expect_eq(env->message_count, 0);
    cr_expect(halted_safely());
    env->write_status = SIM_OK;
    fake_boot(env);
    make_leader();
    give_operation(50, 1, 7);
    fake_clear(env);
    fake_sync(env, SIM_EIO);
    cr_expect(halted_safely());
}

/* ---- Messages of random bytes -------------------------------------------------------------- */

/* With the checksum on, no flipped bit of a message is believed. */
Test(raft_storage, drops_corrupt_messages)
{
    env->settings[RAFT_SET_CHECKSUM] = (struct sim_value){1, 1};
    fake_boot(env);
    fake_fire(env, RAFT_TIMER_ELECTION);
    fake_sync_all(env);
    const struct fake_message *request = fake_last(env, 1, RAFT_REQUEST_VOTE);
    cr_assert(request);
    struct sim_env *voter = fake_new(&raft_kind, 1, 3);
    fake_boot(voter);
    for (uint32_t bit = 0; bit < request->size_bytes * 8; bit++) {
        request->data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        fake_deliver(voter, 0, RAFT_REQUEST_VOTE, request->data, request->size_bytes);
        request->data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        cr_assert_eq(((struct raft *)voter->state)->term, 0, "bit %d", (int)bit);
    }
    fake_deliver(voter, 0, RAFT_REQUEST_VOTE, request->data, request->size_bytes);
    fake_sync_all(voter);
    cr_expect_eq(fake_count(voter, RAFT_REQUEST_VOTE_REPLY), 1);
    fake_free(voter);
}

/* A number that handlers may find plausible, or not at all. */
static uint64_t odd_number(struct sim_rng *rng)
{
    const uint64_t bits = sim_rng_u64(rng);
    switch (sim_rng_bounded(rng, 6)) {
    case 0:
        return bits;
    case 1:
        return UINT64_MAX - bits % 3;
    case 2:
        return node()->term + bits % 3 - 1;
    case 3:
        return node()->log.last + bits % 4 - 2;
    default:
        return bits % 8;
    }
}

/* A message of the right shape with wrong numbers, cut somewhere now and then. */
static void give_nonsense(struct sim_rng *rng)
{
    uint8_t bytes[RAFT_APPEND_BYTES + 4 * RAFT_ENTRY_BYTES];
    static const uint32_t sizes[RAFT_MESSAGE_COUNT + 1] = {32, 16, 32, 16, 40, 32,
                                                           16, 60, 32, 24, 24, 32};
    const uint32_t kind = sim_rng_bounded(rng, RAFT_MESSAGE_COUNT + 1);
    const uint32_t entries = kind == RAFT_APPEND_ENTRIES ? sim_rng_bounded(rng, 5) : 0;
    for (uint32_t i = 0; i < sizeof bytes / 8; i++) {
        sim_put64(bytes + 8 * (size_t)i, odd_number(rng));
    }
    /* A term beyond all terms soon ends the game, so it must be rare. */
    const bool absurd_term = sim_rng_chance(rng, 2000);
    const uint64_t term =
        absurd_term ? odd_number(rng) : node()->term + sim_rng_bounded(rng, 20) / 19;
    sim_put64(bytes + 8, term);
    for (uint32_t i = 0; i < entries; i++) { /* Mostly with a function that exists. */
        const uint32_t function = sim_rng_bounded(rng, 6);
        sim_put32(bytes + RAFT_APPEND_BYTES + i * RAFT_ENTRY_BYTES + 12,
                  function == 5 ? RAFT_CONFIGURATION : function);
    }
    const uint32_t flags = sim_rng_bounded(rng, 16);
    const bool strange = sim_rng_chance(rng, 20000);
    sim_put32(bytes + 4, strange                       ? sim_rng_u32(rng)
                         : kind == RAFT_APPEND_ENTRIES ? entries
                                                       : flags);
    uint32_t size_bytes = sizes[kind] + entries * RAFT_ENTRY_BYTES;
    if (sim_rng_chance(rng, 50000)) {
        size_bytes = sim_rng_bounded(rng, sizeof bytes + 1);
    }
    fake_deliver(env, sim_rng_bounded(rng, 5), kind, bytes, size_bytes);
}

static void do_something(struct sim_rng *rng)
{
    const uint32_t what = sim_rng_bounded(rng, 20);
    if (what < 14) {
        give_nonsense(rng);
    } else if (what < 16 && env->syncs_pending > 0) {
        fake_sync(env, SIM_OK);
    } else if (what < 18) {
        const uint32_t timer = sim_rng_bounded(rng, 3);
        if (env->timers[timer] != SIM_NEVER) {
            fake_fire(env, timer);
        }
    } else if (what == 18) {
        give_operation(50, sim_rng_bounded(rng, 9), 7);
    } else {
        const uint32_t command = sim_rng_bounded(rng, RAFT_COMMAND_CHANGE_MEMBERSHIP + 2);
        give_command_set(command, sim_rng_bounded(rng, 16));
    }
}

static void expect_sane(uint64_t seed)
{
    const struct raft *r = node();
    cr_assert_leq(r->log.durable, r->log.last, "seed %d", (int)seed);
    cr_assert_leq(r->applied, r->commit, "seed %d", (int)seed);
    for (uint32_t peer = 0; peer < env->group_size; peer++) {
        struct sim_progress known = {0, 1}; /* As it stays if the node knows nothing. */
        raft_kind.consensus->progress(r, peer, 1, &known);
        cr_assert_lt(known.match, known.next, "seed %d", (int)seed);
        cr_assert_leq(known.next, r->log.last + 1, "seed %d", (int)seed);
    }
}

/* Whatever comes, in whatever state, with every planted bug in turn: no crash, no read beyond a
 * message, and the indices stay in order. */
Test(raft_storage, survives_nonsense, .timeout = 60)
{
    uint64_t led = 0;
    uint64_t events = 0;
    for (uint64_t seed = 1; seed <= 1000; seed++) {
        struct sim_rng rng;
        sim_rng_derive(&rng, seed, "test/raft/nonsense");
        stop();
        start();
        boot_with_bug((int)(seed % (RAFT_BUG_COUNT + 1)) - 1);
        make_leader();
        env->settings[RAFT_SET_PRE_VOTE].low = (int64_t)(seed & 1);
        env->settings[RAFT_SET_CHECK_QUORUM].low = (int64_t)(seed >> 1 & 1);
        env->settings[RAFT_SET_SNAPSHOT_THRESHOLD].low = (int64_t)(seed >> 2 & 3);
        fake_event(env, (struct sim_event){.kind = SIM_EVENT_CONFIGURE});
        for (int i = 0; i < 200 && !node()->halted; i++) {
            do_something(&rng);
            expect_sane(seed);
            led += node()->role == SIM_ROLE_LEADER;
            events++;
            if (env->message_count > FAKE_MESSAGES / 2) {
                fake_clear(env);
            }
        }
        fake_boot(env);
    }
    cr_expect_gt(events, 100000);
    cr_expect_gt(led, events / 20, "nonsense must meet leaders, too: %d of %d", (int)led,
                 (int)events);
}
