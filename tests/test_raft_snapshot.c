/* Raft's snapshots: taken, kept over crashes, sent in chunks, installed. The leader and the
 * follower of a transfer are both real here, and the test carries their messages. */
#include "tests/raft_peers.h"

#include "nodes/raft/snapshot.h"

#define CHUNK_BYTES 64

static struct sim_env *other; /* Node 2, if a test wants a real one. */

static void start_with_snapshots(void)
{
    start();
    env->settings[RAFT_SET_SNAPSHOT_THRESHOLD] = (struct sim_value){4, 4};
    env->settings[RAFT_SET_SNAPSHOT_CHUNK] = (struct sim_value){CHUNK_BYTES, CHUNK_BYTES};
}

static void stop_both(void)
{
    stop();
    if (other) {
        fake_free(other);
        other = NULL;
    }
}

TestSuite(raft_snapshot, .init = start_with_snapshots, .fini = stop_both);

static const struct raft *other_node(void)
{
    return other->state;
}

static void boot_other(void)
{
    other = fake_new(&raft_kind, 2, 3);
    memcpy(other->settings, env->settings, sizeof other->settings);
    other->settings[RAFT_SET_SNAPSHOT_THRESHOLD].low = 0;
    fake_boot(other);
}

/* Give the messages of one node for the other to it, in order; `lose` says how many of them,
 * from the first on, get lost. */
static uint32_t carry(struct sim_env *from, struct sim_env *to, uint32_t lose)
{
    uint32_t carried = 0;
    const uint32_t count = from->message_count;
    for (uint32_t i = 0; i < count; i++) {
        const struct fake_message *m = &from->messages[i];
        if (m->to == to->self && carried++ >= lose) {
            fake_deliver(to, from->self, m->kind, m->data, m->size_bytes);
        }
    }
    fake_clear(from);
    return carried;
}

/* Let the two talk until neither has anything more to say. */
static void talk(void)
{
    while (carry(env, other, 0) + carry(other, env, 0) > 0) {
        fake_sync_all(env);
        fake_sync_all(other);
    }
}

/* Operations that the leader and node 1 commit, up to log index `last`. */
static void commit_up_to(uint64_t last)
{
    while (node()->log.last < last) {
        give_operation(50, node()->log.last, 100 * node()->log.last);
    }
    fake_sync_all(env);
    give(1, RAFT_APPEND_ENTRIES_REPLY, RAFT_FLAG_MATCHED, node()->term, last, 0);
    fake_sync_all(env);
    cr_assert_eq(node()->applied, last);
}

/* A leader with a log of which entries 1 .. `covered` are in the snapshot only. */
static void lead_with_snapshot(uint64_t covered)
{
    fake_boot(env);
    make_leader();
    commit_up_to(covered);
    cr_assert_eq(node()->snapshot.durable, covered);
    cr_assert_eq(node()->log.first, covered + 1);
    fake_clear(env);
}

static void expect_equal_state(void)
{
    cr_expect_eq(other_node()->applied, node()->applied);
    cr_expect_eq(kv_get(&other_node()->kv, 1), kv_get(&node()->kv, 1));
    cr_expect_eq(kv_encoded_bytes(&other_node()->kv), kv_encoded_bytes(&node()->kv),
                 "sessions, too");
}

/* ---- Taken ---------------------------------------------------------------------------------- */

/* A snapshot is taken when so many entries are applied; the log before it goes when it is
 * durable, not before, but for those that are to stay. */
Test(raft_snapshot, discards_the_log_once_the_snapshot_is_durable)
{
    env->settings[RAFT_SET_SNAPSHOT_TRAILING] = (struct sim_value){1, 1};
    fake_boot(env);
    give_append(1, 1, 0, 0, 0, TERMS(1, 1, 1, 1, 1));
    fake_sync_all(env);
    give_append(1, 1, 5, 1, 3, NULL);
    cr_expect_eq(node()->snapshot.index, 0, "three applied are too few");
    give_append(1, 1, 5, 1, 4, NULL);
    cr_expect_eq(node()->snapshot.index, 4);
    cr_expect_eq(node()->log.first, 1);
    fake_sync_all(env);
    cr_expect_eq(node()->log.first, 4, "one before the snapshot's end stays");
    cr_expect_eq(node()->log.last, 5);
    fake_sync_all(env);
    cr_expect_eq(env->durable[RAFT_FILE_LOG].begin, 4);
    cr_expect_eq(env->durable[RAFT_FILE_SNAPSHOT].records[0].label.a, 4);
    cr_expect_eq(env->durable[RAFT_FILE_SNAPSHOT].records[0].label.b, 1);
}

/* Without a threshold there are no snapshots, and it may be set while the node runs. */
Test(raft_snapshot, starts_when_it_is_configured)
{
    env->settings[RAFT_SET_SNAPSHOT_THRESHOLD] = (struct sim_value){0, 0};
    fake_boot(env);
    give_append(1, 1, 0, 0, 9, TERMS(1, 1, 1, 1, 1, 1, 1, 1, 1));
    fake_sync_all(env);
    cr_expect_eq(node()->snapshot.index, 0);
    env->settings[RAFT_SET_SNAPSHOT_THRESHOLD] = (struct sim_value){4, 4};
    fake_event(env, (struct sim_event){.kind = SIM_EVENT_CONFIGURE});
    fake_sync_all(env);
    cr_expect_eq(node()->snapshot.durable, 9);
    cr_expect_eq(node()->log.first, 10);
}

/* After a crash state, sessions and log are those of the snapshot and the entries after it. */
Test(raft_snapshot, comes_back_with_snapshot_and_log)
{
    lead_with_snapshot(4);
    commit_up_to(6);
    fake_boot(env);
    cr_expect(!node()->halted);
    cr_expect_eq(node()->snapshot.index, 4);
    cr_expect_eq(node()->log.first, 5);
    cr_expect_eq(node()->log.last, 6);
    cr_expect_eq(node()->commit, 4, "what is under the snapshot is known to be committed");
    cr_expect_eq(kv_get(&node()->kv, 1), 300);
    make_leader();
    commit_up_to(7);
    give_operation(50, 3, 300); /* A retry of the last one under the snapshot. */
    fake_sync_all(env);
    const uint64_t effects = env->effect_count;
    give(1, RAFT_APPEND_ENTRIES_REPLY, RAFT_FLAG_MATCHED, node()->term, 8, 0);
    cr_expect_eq(env->effect_count, effects, "the session in the snapshot knows it");
}

/* ---- Crashes -------------------------------------------------------------------------------- */

static void tear(struct fake_record *record)
{
    memset(record->bytes + 20, 0, record->size_bytes - 20);
}

/* A crash while a snapshot is written, wherever it cuts, leaves the old one or the new one; and
 * the log still has what comes after. */
Test(raft_snapshot, survives_a_crash_while_one_is_written)
{
    for (uint64_t first = 0; first < 2; first++) {      /* The first snapshot, or the second. */
        for (int written = 0; written < 4; written++) { /* Copy 1 torn, there; 0 torn, there. */
            stop();
            start_with_snapshots();
            fake_boot(env);
            make_leader();
            if (!first) {
                commit_up_to(4);
            }
            const struct fake_file old = env->durable[RAFT_FILE_SNAPSHOT];
            const uint64_t last = first ? 4 : 8;
            while (node()->log.last < last) {
                give_operation(50, node()->log.last, 100 * node()->log.last);
            }
            fake_sync_all(env);
            give(1, RAFT_APPEND_ENTRIES_REPLY, RAFT_FLAG_MATCHED, 1, last, 0);
            cr_assert_eq(node()->snapshot.written, last);
            struct fake_file *file = &env->durable[RAFT_FILE_SNAPSHOT];
            *file = env->cached[RAFT_FILE_SNAPSHOT];
            /* The very first time copy 0 is written first, so that the file begins there. */
            const uint64_t one = first ? 0 : 1;
            if (written < 2) {
                file->records[1 - one] = old.records[1 - one];
                file->end = first ? 1 : 2;
            }
            if (written == 0 || written == 2) {
                tear(&file->records[written == 0 ? one : 1 - one]);
            }
            fake_boot(env);
            cr_assert(!node()->halted, "first %d, case %d", (int)first, written);
            const uint64_t index = written > 0 ? last : last - 4;
            cr_expect_eq(node()->snapshot.index, index, "first %d, case %d", (int)first, written);
            cr_expect_eq(node()->log.last, last, "first %d, case %d", (int)first, written);
            fake_sync_all(env);
            cr_expect_eq(env->durable[RAFT_FILE_LOG].begin, index > 0 ? index + 1 : 0);
        }
    }
}

/* Either copy is enough; without a good one a node whose log was cut has lost what it promised
 * to keep, and stops. */
Test(raft_snapshot, halts_without_its_snapshot)
{
    for (int copies = 1; copies < 4; copies++) {
        for (int torn = 0; torn < 2; torn++) {
            stop();
            start_with_snapshots();
            lead_with_snapshot(4);
            for (int i = 0; i < 2; i++) {
                struct fake_record *record = &env->durable[RAFT_FILE_SNAPSHOT].records[i];
                if ((copies >> i & 1) && torn) {
                    tear(record);
                } else if (copies >> i & 1) {
                    record->bytes[50] ^= 4;
                }
            }
            fake_boot(env);
            cr_expect_eq(node()->halted, copies == 3, "copies %d", copies);
            if (copies < 3) {
                cr_expect_eq(kv_get(&node()->kv, 1), 300);
                fake_sync_all(env);
                cr_expect_arr_eq(env->durable[RAFT_FILE_SNAPSHOT].records[0].bytes,
                                 env->durable[RAFT_FILE_SNAPSHOT].records[1].bytes, 100);
            }
        }
    }
}

/* ---- Sent and installed --------------------------------------------------------------------- */

/* A follower that needs what is gone gets the snapshot, chunk by chunk, then the log after it;
 * it acknowledges the snapshot when it is durable, and has the leader's state. */
Test(raft_snapshot, brings_a_follower_up_by_chunks)
{
    lead_with_snapshot(4);
    commit_up_to(6);
    boot_other();
    fake_clear(env);
    fake_fire(env, RAFT_TIMER_HEARTBEAT);
    uint32_t chunks = 0;
    while (fake_count(env, RAFT_INSTALL_SNAPSHOT) > 0) {
        chunks++;
        cr_assert_leq(fake_last(env, 2, RAFT_INSTALL_SNAPSHOT)->size_bytes, 40 + CHUNK_BYTES);
        carry(env, other, 0);
        cr_assert_eq(other_node()->applied, 0, "not before it is durable");
        cr_expect_eq(fake_count(other, RAFT_APPEND_ENTRIES_REPLY), 0);
        if (other_node()->snapshot.written) {
            break;
        }
        carry(other, env, 0);
    }
    cr_expect_geq(chunks, 2);
    fake_sync_all(other);
    cr_expect_eq(other_node()->applied, 4);
    cr_expect_eq(other_node()->log.first, 5);
    talk();
    cr_expect_eq(other_node()->log.last, 6);
    fake_fire(env, RAFT_TIMER_HEARTBEAT);
    talk();
    expect_equal_state();
    cr_expect_eq(node()->peers[2].match, 6);
    cr_expect(!node()->peers[2].catching_up);
    fake_boot(other);
    cr_expect_eq(other_node()->applied, 4, "and it is there after a crash");
    cr_expect_eq(other_node()->log.last, 6);
}

/* Who got its state as a snapshot knows the sessions, too: it answers a retry of what is under
 * the snapshot when it leads, and does not apply it again. With R16 it does. */
Test(raft_snapshot, brings_the_sessions)
{
    for (int bug = -1; bug <= RAFT_R16; bug += RAFT_R16 + 1) {
        stop_both();
        start_with_snapshots();
        env->bugs = bug >= 0 ? UINT64_C(1) << bug : 0;
        lead_with_snapshot(4);
        boot_other();
        other->bugs = env->bugs;
        fake_boot(other);
        fake_fire(env, RAFT_TIMER_HEARTBEAT);
        talk();
        cr_assert_eq(other_node()->applied, 4);
        struct sim_env *old_leader = env;
        env = other;
        other = old_leader;
        make_leader();
        give_operation(50, 3, 300); /* Entry 4 was this one. */
        fake_sync_all(env);
        give(1, RAFT_APPEND_ENTRIES_REPLY, RAFT_FLAG_MATCHED, node()->term, 6, 0);
        cr_assert_eq(env->reply_count, 1);
        cr_expect_eq(env->replies[0].answer, SIM_ANSWER_OK);
        cr_expect_eq(env->replies[0].value, 300);
        cr_expect_eq(env->effect_count, bug == RAFT_R16 ? 1 : 0, "bug %d", bug);
    }
}

static void offer_the_snapshot(void)
{
    boot_other();
    fake_fire(env, RAFT_TIMER_HEARTBEAT);
    cr_assert_eq(fake_count(env, RAFT_INSTALL_SNAPSHOT), 1);
}

/* A chunk that is lost is sent again with the next heartbeat, from where the transfer was; one
 * that comes twice is taken once. */
Test(raft_snapshot, sends_a_lost_chunk_again)
{
    lead_with_snapshot(4);
    offer_the_snapshot();
    carry(env, other, 0);
    carry(other, env, 0);
    carry(env, other, 1); /* The second chunk is lost. */
    cr_expect_eq(other_node()->snapshot.size_bytes, CHUNK_BYTES);
    fake_fire(env, RAFT_TIMER_HEARTBEAT);
    cr_expect_eq(sent(2, RAFT_INSTALL_SNAPSHOT).c, CHUNK_BYTES);
    fake_fire(env, RAFT_TIMER_HEARTBEAT);
    cr_expect_eq(fake_count(env, RAFT_INSTALL_SNAPSHOT), 2, "the same once more");
    carry(env, other, 0);
    cr_expect(other_node()->snapshot.size_bytes == 2 * CHUNK_BYTES ||
              other_node()->snapshot.written == 4);
    talk();
    fake_fire(env, RAFT_TIMER_HEARTBEAT);
    talk();
    expect_equal_state();
}

/* A follower that restarts in the middle has forgotten what it had: it is sent all of it. */
Test(raft_snapshot, begins_anew_with_a_follower_that_restarted)
{
    lead_with_snapshot(4);
    offer_the_snapshot();
    carry(env, other, 0);
    carry(other, env, 0);
    fake_boot(other);
    talk();
    fake_fire(env, RAFT_TIMER_HEARTBEAT);
    talk();
    fake_fire(env, RAFT_TIMER_HEARTBEAT);
    talk();
    expect_equal_state();
}

/* A seal that does not fit, for a chunk was corrupt or another leader's, makes the follower begin
 * again. */
Test(raft_snapshot, does_not_install_what_is_corrupt)
{
    lead_with_snapshot(4);
    offer_the_snapshot();
    struct fake_message *first = &env->messages[env->message_count - 1];
    first->data[first->size_bytes - 1] ^= 1; /* The setting `checksum` is off here. */
    carry(env, other, 0);
    while (other_node()->snapshot.incoming != 0) {
        carry(other, env, 0);
        carry(env, other, 0);
        cr_assert_eq(other_node()->snapshot.written, 0);
    }
    cr_expect_eq(other_node()->applied, 0);
    talk();
    fake_fire(env, RAFT_TIMER_HEARTBEAT);
    talk();
    expect_equal_state();
}

/* Node 0 receives the snapshot of `lead_with_snapshot` on top of a log of its own; its bytes
 * are taken from the disk of a leader. */
static void receive_snapshot(uint64_t index, uint64_t term, uint64_t in_term)
{
    struct sim_env *mine = env;
    start_with_snapshots();
    env->settings[RAFT_SET_SNAPSHOT_THRESHOLD] = (struct sim_value){(int64_t)index, 0};
    fake_boot(env);
    give_append(1, term, 0, 0, 0, NULL);
    for (uint64_t i = 0; i < index; i++) {
        give_append(1, term, i, i ? term : 0, i + 1, TERMS(term));
    }
    fake_sync_all(env);
    cr_assert_eq(node()->snapshot.durable, index);
    const struct fake_record record = env->durable[RAFT_FILE_SNAPSHOT].records[0];
    stop();
    env = mine;
    uint8_t bytes[40 + FAKE_RECORD_BYTES] = {0};
    sim_put32(bytes + 4, RAFT_FLAG_LAST);
    sim_put64(bytes + 8, in_term);
    sim_put64(bytes + 16, index);
    sim_put64(bytes + 24, term);
    memcpy(bytes + 40, record.bytes, record.size_bytes);
    fake_deliver(env, 1, RAFT_INSTALL_SNAPSHOT, bytes, 40 + record.size_bytes);
}

/* If the log has the snapshot's last entry, what follows it stays; it matches what the leader
 * has (5.3 of the dissertation). */
Test(raft_snapshot, keeps_the_entries_after_it)
{
    env->settings[RAFT_SET_SNAPSHOT_THRESHOLD] = (struct sim_value){0, 0};
    fake_boot(env);
    give_append(1, 2, 0, 0, 1, TERMS(2, 2, 2, 2, 2));
    fake_sync_all(env);
    receive_snapshot(3, 2, 2);
    fake_sync_all(env);
    cr_expect_eq(node()->applied, 3);
    cr_expect_eq(node()->log.first, 4);
    cr_expect_eq(node()->log.last, 5);
    cr_expect_eq(acknowledged(1), 5, "what was acknowledged before stays so");
}

/* A log without that entry is another: all of it goes. */
Test(raft_snapshot, drops_a_log_that_differs)
{
    env->settings[RAFT_SET_SNAPSHOT_THRESHOLD] = (struct sim_value){0, 0};
    for (int crash = 0; crash < 2; crash++) {
        stop();
        start_with_snapshots();
        fake_boot(env);
        give_append(2, 1, 0, 0, 0, TERMS(1, 1, 1, 1, 1));
        fake_sync_all(env);
        receive_snapshot(3, 2, 2);
        cr_expect_eq(node()->log.last, 5, "nothing goes before the snapshot is durable");
        fake_sync(env, SIM_OK); /* Now it is, and the log is dropped, which is not durable yet. */
        if (env->syncs_pending > 0 && crash == 0) {
            fake_sync_all(env);
        }
        if (crash == 1) {
            fake_sync_all(env);
            fake_boot(env);
        }
        cr_expect_eq(node()->log.first, 4);
        cr_expect_eq(node()->log.last, 3);
        cr_expect_eq(raft_last_term(node()), 2);
        cr_expect(!node()->halted);
    }
}

/* The crash between a received snapshot and the discarding of the log that it replaces: the
 * first record after it does not go on from the snapshot, and what is there is dropped. */
Test(raft_snapshot, drops_a_log_that_differs_at_boot)
{
    fake_boot(env);
    give_append(2, 1, 0, 0, 0, TERMS(1, 1, 1, 1, 1));
    fake_sync_all(env);
    const struct fake_file log = env->durable[RAFT_FILE_LOG];
    receive_snapshot(3, 2, 2);
    fake_sync_all(env);
    env->durable[RAFT_FILE_LOG] = log;
    fake_boot(env);
    cr_expect(!node()->halted);
    cr_expect_eq(node()->log.first, 4);
    cr_expect_eq(node()->log.last, 3);
    fake_sync_all(env);
    cr_expect_eq(env->durable[RAFT_FILE_LOG].begin, 4);
    cr_expect_eq(env->durable[RAFT_FILE_LOG].end, 4);
}

/* A snapshot of less than is committed changes nothing, and is acknowledged. */
Test(raft_snapshot, ignores_an_old_one)
{
    env->settings[RAFT_SET_SNAPSHOT_THRESHOLD] = (struct sim_value){0, 0};
    fake_boot(env);
    give_append(1, 2, 0, 0, 4, TERMS(2, 2, 2, 2));
    fake_sync_all(env);
    fake_clear(env);
    receive_snapshot(3, 2, 2);
    cr_expect_eq(node()->snapshot.index, 0);
    cr_expect_eq(node()->applied, 4);
    cr_expect_eq(acknowledged(1), 4);
}

/* Entries below the snapshot are there although the log lacks them: an append_entries that
 * begins before it is accepted, and brings what is new. */
Test(raft_snapshot, accepts_entries_that_begin_below_it)
{
    fake_boot(env);
    give_append(1, 1, 0, 0, 4, TERMS(1, 1, 1, 1));
    fake_sync_all(env);
    cr_assert_eq(node()->log.first, 5);
    fake_clear(env);
    give_append(1, 1, 1, 1, 0, TERMS(1, 1));
    fake_sync_all(env);
    cr_expect_eq(acknowledged(1), 4);
    cr_expect_eq(node()->log.last, 4);
    give_append(1, 1, 2, 1, 5, TERMS(1, 1, 1));
    fake_sync_all(env);
    cr_expect_eq(node()->log.last, 5);
    cr_expect_eq(node()->applied, 5);
    cr_expect_eq(acknowledged(1), 5);
}

/* While a received snapshot is being written a node does not campaign: its log is about to be
 * another. */
Test(raft_snapshot, does_not_campaign_while_it_installs)
{
    fake_boot(env);
    give_append(1, 2, 0, 0, 0, NULL);
    fake_sync_all(env);
    receive_snapshot(3, 2, 2);
    cr_assert(raft_snapshot_installing(node()));
    for (int i = 0; i < 5; i++) {
        fake_fire(env, RAFT_TIMER_ELECTION);
    }
    give(1, RAFT_TIMEOUT_NOW, 0, 2, 0, 0);
    give_command(RAFT_COMMAND_CAMPAIGN, SIM_NOBODY);
    cr_expect_eq(node()->role, SIM_ROLE_FOLLOWER);
    fake_sync_all(env);
    fake_fire(env, RAFT_TIMER_ELECTION);
    fake_fire(env, RAFT_TIMER_ELECTION);
    cr_expect_eq(node()->role, SIM_ROLE_CANDIDATE);
}

/* A leader takes no newer snapshot while a follower that answers still needs the last one, and
 * does when it falls silent. */
Test(raft_snapshot, keeps_the_one_that_it_sends)
{
    lead_with_snapshot(4);
    offer_the_snapshot();
    commit_up_to(20);
    cr_expect_eq(node()->snapshot.index, 4);
    cr_expect_eq(node()->log.first, 5);
    env->now_ns += 300 * SIM_MS;
    give_operation(50, 21, 1);
    fake_sync_all(env);
    cr_expect_eq(node()->snapshot.index, 20);
    cr_expect_eq(node()->log.first, 21);
}
