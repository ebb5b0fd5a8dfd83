/* A Raft node and, played by the test, the other members of its group: members are 0, 1, ...;
 * the node under test is 0. For one file of a program. */
#ifndef TESTS_RAFT_PEERS_H
#define TESTS_RAFT_PEERS_H

#include <criterion/criterion.h>

#include "nodes/raft/log.h"
#include "nodes/raft/membership.h"
#include "nodes/raft/message.h"
#include "nodes/raft/raft.h"
#include "tests/fake_env.h"

static struct sim_env *env;

static inline void start(void)
{
    env = fake_new(&raft_kind, 0, 3);
    env->settings[RAFT_SET_CHECKSUM] = (struct sim_value){0, 0}; /* Tests write their own bytes. */
}

static inline void stop(void)
{
    fake_free(env);
}

static inline const struct raft *node(void)
{
    return env->state;
}

static inline void boot_with_bug(int bug)
{
    env->bugs = bug >= 0 ? UINT64_C(1) << bug : 0;
    fake_boot(env);
}

/* Give a message other than append_entries. */
static inline void give(uint32_t from, enum raft_message_kind kind, uint32_t flags, uint64_t term,
                        uint64_t a, uint64_t b)
{
    static const uint32_t sizes[RAFT_MESSAGE_COUNT] = {32, 16, 32, 16, 0, 32, 16, 0, 32, 24, 24};
    uint8_t bytes[32] = {0};
    sim_put32(bytes + 4, flags);
    sim_put64(bytes + 8, term);
    sim_put64(bytes + 16, a);
    sim_put64(bytes + 24, b);
    fake_deliver(env, from, kind, bytes, sizes[kind]);
}

/* The operation that the tests' leaders put at an index in a term. */
static inline struct sim_operation operation_at(uint64_t index, uint64_t term)
{
    return (struct sim_operation){
        .client = 50, .function = SIM_WRITE, .sequence = index, .key = 1, .value = term * 100};
}

#define TERMS(...)                                                                                 \
    (const uint64_t[])                                                                             \
    {                                                                                              \
        __VA_ARGS__, 0                                                                             \
    }

/* Give an append_entries whose entries have these terms (NULL: none). */
static inline void give_append(uint32_t from, uint64_t term, uint64_t prev_index,
                               uint64_t prev_term, uint64_t commit, const uint64_t *terms)
{
    uint8_t bytes[RAFT_APPEND_BYTES + 16 * RAFT_ENTRY_BYTES] = {0};
    uint32_t count = 0;
    for (uint8_t *at = bytes + RAFT_APPEND_BYTES; terms && terms[count] != 0;
         count++, at += RAFT_ENTRY_BYTES) {
        const struct sim_operation o = operation_at(prev_index + 1 + count, terms[count]);
        sim_put64(at, terms[count]);
        sim_operation_encode(&o, at + 8);
    }
    sim_put32(bytes + 4, count);
    sim_put64(bytes + 8, term);
    sim_put64(bytes + 16, prev_index);
    sim_put64(bytes + 24, prev_term);
    sim_put64(bytes + 32, commit);
    fake_deliver(env, from, RAFT_APPEND_ENTRIES, bytes,
                 RAFT_APPEND_BYTES + count * RAFT_ENTRY_BYTES);
}

static inline void give_operation(uint32_t client, uint64_t sequence, uint64_t value)
{
    const struct sim_operation o = {
        .client = client, .function = SIM_WRITE, .sequence = sequence, .key = 1, .value = value};
    fake_event(env, (struct sim_event){.kind = SIM_EVENT_OPERATION, .operation = &o});
}

/* A command with the peers of a set; the first of them, or nobody, is its `from`. */
static inline void give_command_set(uint32_t command, uint64_t peers)
{
    fake_event(env,
               (struct sim_event){.kind = SIM_EVENT_COMMAND,
                                  .command = command,
                                  .from = peers ? (uint32_t)__builtin_ctzll(peers) : SIM_NOBODY,
                                  .peers = peers});
}

static inline void give_command(uint32_t command, uint32_t peer)
{
    give_command_set(command, peer == SIM_NOBODY ? 0 : UINT64_C(1) << peer);
}

/* Does the log hold exactly these terms? */
static inline bool log_is(const uint64_t *terms)
{
    uint64_t index = 0;
    for (; terms[index] != 0; index++) {
        if (index >= node()->log.last || raft_term_at(node(), index + 1) != terms[index]) {
            return false;
        }
    }
    return node()->log.last == index;
}

/* Make the node the leader of the next term, its log durable; messages are forgotten. */
static inline void make_leader(void)
{
    give_command(RAFT_COMMAND_CAMPAIGN, SIM_NOBODY);
    fake_sync_all(env);
    for (uint32_t peer = 1; peer < env->group_size; peer++) {
        give(peer, RAFT_REQUEST_VOTE_REPLY, RAFT_FLAG_GRANTED, node()->term, 0, 0);
    }
    cr_assert_eq(node()->role, SIM_ROLE_LEADER);
    fake_sync_all(env);
    fake_clear(env);
}

static inline struct raft_message sent(uint32_t to, enum raft_message_kind kind)
{
    const struct fake_message *m = fake_last(env, to, kind);
    cr_assert(m, "no message of kind %d to %d", (int)kind, (int)to);
    struct raft_message message;
    const struct sim_event event = {
        .message_kind = kind, .data = m->data, .size_bytes = m->size_bytes};
    cr_assert(raft_receive(node(), &event, &message));
    message.entries = NULL;
    return message;
}

enum vote { VOTE_UNANSWERED, VOTE_REFUSED, VOTE_GRANTED };

/* Ask for a vote with a log that ends at this index, in this term, and let the disk finish: what is
 * the answer? Messages are forgotten before. */
static inline enum vote ask_for_vote(uint32_t from, uint32_t flags, uint64_t term,
                                     uint64_t last_index, uint64_t last_term)
{
    fake_clear(env);
    give(from, RAFT_REQUEST_VOTE, flags, term, last_index, last_term);
    fake_sync_all(env);
    if (fake_count(env, RAFT_REQUEST_VOTE_REPLY) == 0) {
        return VOTE_UNANSWERED;
    }
    cr_expect_eq(fake_count(env, RAFT_REQUEST_VOTE_REPLY), 1);
    const struct raft_message answer = sent(from, RAFT_REQUEST_VOTE_REPLY);
    cr_expect_eq(answer.term, node()->term);
    return answer.flags & RAFT_FLAG_GRANTED ? VOTE_GRANTED : VOTE_REFUSED;
}

/* The index acknowledged last to `peer`; UINT64_MAX if none was. */
static inline uint64_t acknowledged(uint32_t peer)
{
    if (!fake_last(env, peer, RAFT_APPEND_ENTRIES_REPLY)) {
        return UINT64_MAX;
    }
    const struct raft_message m = sent(peer, RAFT_APPEND_ENTRIES_REPLY);
    return m.flags & RAFT_FLAG_MATCHED ? m.a : UINT64_MAX;
}

#endif
