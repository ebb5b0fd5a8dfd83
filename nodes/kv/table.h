/* Tables of the key-value store: rows of 64-bit words, of which the first is the key, found
 * through a hash index and kept in the order of their insertion, so that equal histories give
 * equal tables. */
#ifndef NODES_KV_TABLE_H
#define NODES_KV_TABLE_H

#include "sim/node.h"

struct kv_table {
    uint64_t *rows;  /* capacity * row_words words, in order of insertion. */
    uint32_t *index; /* 2 * capacity slots: 0 empty, else a row's number from 1. */
    uint32_t row_words;
    uint32_t count;    /* Rows in use. */
    uint32_t capacity; /* 0 or a power of two. */
};

/* Row `row` of those in use. Valid until the next kv_table_put(), like the others. */
static inline uint64_t *kv_table_row(const struct kv_table *table, uint32_t row)
{
    return table->rows + (size_t)row * table->row_words;
}
/* The row of `key`, NULL if there is none. */
uint64_t *kv_table_find(const struct kv_table *table, uint64_t key);
/* The row of `key`, added with zeros if there is none. NULL if out of memory. */
uint64_t *kv_table_put(struct kv_table *table, struct sim_env *env, uint64_t key);
void kv_table_release(struct kv_table *table, struct sim_env *env);

#endif
