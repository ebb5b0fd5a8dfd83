/* The inside of the key-value store: what the words of its rows are. */
#ifndef NODES_KV_KV_INTERNAL_H
#define NODES_KV_KV_INTERNAL_H

#include "nodes/kv/kv.h"

enum { VALUE_KEY, VALUE_VALUE, VALUE_WORDS };
enum { LIST_KEY, LIST_ADDRESS, LIST_COUNT, LIST_CAPACITY, LIST_WORDS }; /* Of its elements. */
enum { SESSION_CLIENT, SESSION_SEQUENCE, SESSION_ANSWER, SESSION_RESULT, SESSION_WORDS };
/* What each part of a session's last transaction read: a value, or the length of a list. */
enum { READS_CLIENT, READS_FIRST, READS_WORDS = READS_FIRST + SIM_TXN_PARTS_MAX };

static inline uint64_t *kv_list_elements(const uint64_t *list)
{
    return (uint64_t *)(uintptr_t)list[LIST_ADDRESS];
}

/* The list of `key`, added if there is none, with room for `more` elements; NULL if out of
 * memory, with nothing changed that anybody could see. */
uint64_t *kv_list_reserve(struct kv *kv, struct sim_env *env, uint64_t key, uint64_t more);

#endif
