/* A replicated key-value store: the deterministic state machine that consensus kinds share.
 *
 * Keys and values are 64-bit numbers; the value 0 means "absent". Equal operations applied in
 * equal order give equal states, answers and encodings on every node: nothing depends on
 * addresses, and rows are kept, and encoded, in the order of their insertion.
 *
 * Sessions make retries safe (Ongaro's dissertation, section 6.3): the store remembers for
 * each client the sequence and the answer of its last operation. This memory is part of the
 * replicated state. Sessions are never dropped, for a client may come back at any time and
 * there are only as many as a scenario has clients. */
#ifndef NODES_KV_KV_H
#define NODES_KV_KV_H

#include "sim/node.h"

/* Rows of 64-bit words, of which the first is the key, found through a hash index. */
struct kv_table {
    uint64_t *rows;  /* capacity * row_words words, in order of insertion. */
    uint32_t *index; /* 2 * capacity slots: 0 empty, else a row's number from 1. */
    uint32_t row_words;
    uint32_t count;    /* Rows in use. */
    uint32_t capacity; /* 0 or a power of two. */
};

struct kv {
    struct kv_table values;   /* key, value */
    struct kv_table sessions; /* client, sequence, answer, result */
    bool without_sessions;    /* A planted bug: every retry is applied again. */
};

/* An empty store. All memory comes from the sim_alloc() of the node whose `env` is given. */
void kv_init(struct kv *kv);
void kv_release(struct kv *kv, struct sim_env *env);

/* Apply an operation that has its place in the agreed order.
 *
 * The answer is SIM_ANSWER_OK or, for a CAS that saw another value, SIM_ANSWER_FAILED.
 * *result is the value read by a READ, else the value the key has afterwards.
 * A session's last operation, come again, changes nothing and has the remembered answer. One
 * older than that is SIM_ANSWER_REFUSED: its client no longer waits for it.
 * *took_effect is true for an operation applied for the first time.
 * SIM_ANSWER_REFUSED with nothing changed also if there is no memory (the run ends then), or
 * if the function is unknown or the sequence 0. */
enum sim_answer kv_apply(struct kv *kv, struct sim_env *env, const struct sim_operation *operation,
                         uint64_t *result, bool *took_effect);

/* The value of a key, 0 if absent; not a client's read. */
uint64_t kv_get(const struct kv *kv, uint64_t key);

/* Bytes, little-endian: the number of values, their rows, the number of sessions, their rows. */
size_t kv_encoded_bytes(const struct kv *kv);
/* Encode into exactly kv_encoded_bytes() bytes. */
void kv_encode(const struct kv *kv, uint8_t *bytes);
/* Replace the state of an initialised store. SIM_EINVAL for malformed bytes, SIM_ENOMEM; then
 * nothing changes. */
SIM_NODISCARD enum sim_status kv_decode(struct kv *kv, struct sim_env *env, const uint8_t *bytes,
                                        size_t size_bytes);

#endif
