/* A replicated store of registers and lists: the deterministic state machine that consensus
 * kinds share.
 *
 * Keys and values are 64-bit numbers; a register's value 0 means "absent". Equal operations
 * applied in equal order give equal states, answers and encodings on every node: nothing depends
 * on addresses, and rows are kept, and encoded, in the order of their insertion.
 *
 * Sessions make retries safe (Ongaro's dissertation, section 6.3): the store remembers for
 * each client the sequence and the answer of its last operation. This memory is part of the
 * replicated state. Of a list that was read it needs only the length, for lists only grow.
 * Sessions are never dropped, for a client may come back at any time and there are only as many
 * as a scenario has clients. */
#ifndef NODES_KV_KV_H
#define NODES_KV_KV_H

#include "nodes/kv/table.h"

struct kv {
    struct kv_table values;   /* key, value */
    struct kv_table lists;    /* key, and where its elements are */
    struct kv_table sessions; /* client, sequence, answer, result */
    struct kv_table reads;    /* client, what the parts of its last transaction read */
    bool without_sessions;    /* A planted bug: every retry is applied again. */
};

/* An empty store. All memory comes from the sim_alloc() of the node whose `env` is given. */
void kv_init(struct kv *kv);
void kv_release(struct kv *kv, struct sim_env *env);
/* Forget who has asked for what: a planted bug. */
void kv_forget_sessions(struct kv *kv, struct sim_env *env);

/* Apply an operation that has its place in the agreed order, a transaction wholly or not at all.
 *
 * The answer is SIM_ANSWER_OK or, for a CAS that saw another value, SIM_ANSWER_FAILED.
 * *result is the value read by a READ, the length of a list that was read, 0 for a transaction,
 * else the value the register has afterwards or what was appended.
 * A session's last operation, come again, changes nothing and has the remembered answer. One
 * older than that is SIM_ANSWER_REFUSED: its client no longer waits for it.
 * *took_effect is true for an operation applied for the first time.
 * SIM_ANSWER_REFUSED with nothing changed also if there is no memory (the run ends then), or
 * if the function is unknown or the sequence 0. */
enum sim_answer kv_apply(struct kv *kv, struct sim_env *env, const struct sim_operation *operation,
                         uint64_t *result, bool *took_effect);

/* Answer a READ or a READ_LIST from the state as it is, past the log and its session: *result as
 * above, for kv_reply(). False for other functions. */
bool kv_query(const struct kv *kv, const struct sim_operation *operation, uint64_t *result);

/* Give the client the answer of the operation that kv_apply() or kv_query() dealt with last, with
 * all the words that its function asks for (sim/operation.h). */
void kv_reply(const struct kv *kv, struct sim_env *env, const struct sim_operation *operation,
              enum sim_answer answer, uint64_t result);

/* The value of a register, 0 if absent; not a client's read. */
uint64_t kv_get(const struct kv *kv, uint64_t key);
/* The elements of a list, *count of them; NULL if there are none. Valid until a change. */
const uint64_t *kv_list(const struct kv *kv, uint64_t key, uint64_t *count);

/* The registers and lists one by one, for those that compare nodes; valid until a change. */
size_t kv_item_count(const struct kv *kv);
void kv_item(const struct kv *kv, size_t i, struct sim_item *item);

/* Bytes, little-endian: the number of registers, their rows, the number of sessions, their rows.
 * If there are lists, or were transactions, the first number has its top bit set, and then come
 * the number of lists, of each its key, its length and its elements, and the number of sessions
 * with a transaction and their rows. */
size_t kv_encoded_bytes(const struct kv *kv);
/* Encode into exactly kv_encoded_bytes() bytes. */
void kv_encode(const struct kv *kv, uint8_t *bytes);
/* Of what kv_encode() gives, without the bytes. */
uint64_t kv_digest(const struct kv *kv);
/* Replace the state of an initialised store. SIM_EINVAL for malformed bytes, SIM_ENOMEM; then
 * nothing changes. */
SIM_NODISCARD enum sim_status kv_decode(struct kv *kv, struct sim_env *env, const uint8_t *bytes,
                                        size_t size_bytes);

#endif
