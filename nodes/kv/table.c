#include "nodes/kv/table.h"

#define KV_CAPACITY_FIRST 16

/* The slot where `key` is, or the empty one where it belongs. Linear probing ends, because at
 * most half of the slots are in use. */
static uint32_t table_slot(const struct kv_table *table, uint64_t key)
{
    const uint32_t mask = 2 * table->capacity - 1;
    uint32_t slot = (uint32_t)sim_mix64(key) & mask;
    while (table->index[slot] != 0 && kv_table_row(table, table->index[slot] - 1)[0] != key) {
        slot = (slot + 1) & mask;
    }
    return slot;
}

uint64_t *kv_table_find(const struct kv_table *table, uint64_t key)
{
    if (table->count == 0) {
        return NULL;
    }
    const uint32_t row = table->index[table_slot(table, key)];
    return row != 0 ? kv_table_row(table, row - 1) : NULL;
}

void kv_table_release(struct kv_table *table, struct sim_env *env)
{
    sim_release(env, table->rows);
    sim_release(env, table->index);
    table->rows = NULL;
    table->index = NULL;
    table->count = 0;
    table->capacity = 0;
}

static bool table_reserve(struct kv_table *table, struct sim_env *env, uint32_t capacity)
{
    struct kv_table larger = {
        .rows = sim_alloc(env, (size_t)capacity * table->row_words * sizeof *table->rows),
        .index = sim_alloc(env, (size_t)capacity * 2 * sizeof *table->index),
        .row_words = table->row_words,
        .count = table->count,
        .capacity = capacity,
    };
    if (!larger.rows || !larger.index) {
        kv_table_release(&larger, env);
        return false;
    }
    if (table->count > 0) {
        memcpy(larger.rows, table->rows,
               (size_t)table->count * table->row_words * sizeof *table->rows);
    }
    for (uint32_t row = 0; row < table->count; row++) {
        larger.index[table_slot(&larger, kv_table_row(&larger, row)[0])] = row + 1;
    }
    kv_table_release(table, env);
    *table = larger;
    return true;
}

uint64_t *kv_table_put(struct kv_table *table, struct sim_env *env, uint64_t key)
{
    uint64_t *found = kv_table_find(table, key);
    if (found) {
        return found;
    }
    if (table->count == table->capacity &&
        !table_reserve(table, env, table->capacity ? 2 * table->capacity : KV_CAPACITY_FIRST)) {
        return NULL;
    }
    table->index[table_slot(table, key)] = ++table->count;
    uint64_t *row = kv_table_row(table, table->count - 1);
    row[0] = key;
    return row;
}
