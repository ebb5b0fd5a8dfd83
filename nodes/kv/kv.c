#include "nodes/kv/kv.h"

#define KV_CAPACITY_FIRST 16

enum { VALUE_KEY, VALUE_VALUE, VALUE_WORDS };
enum { SESSION_CLIENT, SESSION_SEQUENCE, SESSION_ANSWER, SESSION_RESULT, SESSION_WORDS };

/* ---- Tables ---------------------------------------------------------------------------- */

static uint64_t *table_row(const struct kv_table *table, uint32_t row)
{
    return table->rows + (size_t)row * table->row_words;
}

/* The slot where `key` is, or the empty one where it belongs. Linear probing ends, because at
 * most half of the slots are in use. */
static uint32_t table_slot(const struct kv_table *table, uint64_t key)
{
    const uint32_t mask = 2 * table->capacity - 1;
    uint32_t slot = (uint32_t)sim_mix64(key) & mask;
    while (table->index[slot] != 0 && table_row(table, table->index[slot] - 1)[0] != key) {
        slot = (slot + 1) & mask;
    }
    return slot;
}

static uint64_t *table_find(const struct kv_table *table, uint64_t key)
{
    if (table->count == 0) {
        return NULL;
    }
    const uint32_t row = table->index[table_slot(table, key)];
    return row != 0 ? table_row(table, row - 1) : NULL;
}

static void table_release(struct kv_table *table, struct sim_env *env)
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
        table_release(&larger, env);
        return false;
    }
    if (table->count > 0) {
        memcpy(larger.rows, table->rows,
               (size_t)table->count * table->row_words * sizeof *table->rows);
    }
    for (uint32_t row = 0; row < table->count; row++) {
        larger.index[table_slot(&larger, table_row(&larger, row)[0])] = row + 1;
    }
    table_release(table, env);
    *table = larger;
    return true;
}

/* The row of `key`, added with zeros if there is none. NULL if out of memory. */
static uint64_t *table_put(struct kv_table *table, struct sim_env *env, uint64_t key)
{
    uint64_t *found = table_find(table, key);
    if (found) {
        return found;
    }
    if (table->count == table->capacity &&
        !table_reserve(table, env, table->capacity ? 2 * table->capacity : KV_CAPACITY_FIRST)) {
        return NULL;
    }
    table->index[table_slot(table, key)] = ++table->count;
    uint64_t *row = table_row(table, table->count - 1);
    row[0] = key;
    return row;
}

/* ---- The state machine ------------------------------------------------------------------ */

void kv_init(struct kv *kv)
{
    *kv = (struct kv){
        .values.row_words = VALUE_WORDS,
        .sessions.row_words = SESSION_WORDS,
    };
}

void kv_release(struct kv *kv, struct sim_env *env)
{
    table_release(&kv->values, env);
    table_release(&kv->sessions, env);
}

uint64_t kv_get(const struct kv *kv, uint64_t key)
{
    const uint64_t *row = table_find(&kv->values, key);
    return row ? row[VALUE_VALUE] : 0;
}

/* Execute an operation whose session has been dealt with. */
static enum sim_answer execute(struct kv *kv, struct sim_env *env,
                               const struct sim_operation *operation, uint64_t *result)
{
    if (operation->function == SIM_READ) {
        *result = kv_get(kv, operation->key);
        return SIM_ANSWER_OK;
    }
    uint64_t *row = table_put(&kv->values, env, operation->key);
    if (!row) {
        return SIM_ANSWER_REFUSED;
    }
    *result = row[VALUE_VALUE];
    if (operation->function == SIM_CAS && row[VALUE_VALUE] != operation->expected) {
        return SIM_ANSWER_FAILED;
    }
    row[VALUE_VALUE] = operation->value;
    *result = operation->value;
    return SIM_ANSWER_OK;
}

enum sim_answer kv_apply(struct kv *kv, struct sim_env *env, const struct sim_operation *operation,
                         uint64_t *result, bool *took_effect)
{
    *result = 0;
    *took_effect = false;
    if (operation->function >= SIM_FUNCTION_COUNT || operation->sequence == 0) {
        return SIM_ANSWER_REFUSED;
    }
    /* Before executing: a session that cannot be remembered must not have an effect. */
    uint64_t *session = table_put(&kv->sessions, env, operation->client);
    if (!session) {
        return SIM_ANSWER_REFUSED;
    }
    if (operation->sequence <= session[SESSION_SEQUENCE] && !kv->without_sessions) {
        if (operation->sequence < session[SESSION_SEQUENCE]) {
            return SIM_ANSWER_REFUSED;
        }
        *result = session[SESSION_RESULT];
        return (enum sim_answer)session[SESSION_ANSWER];
    }
    const enum sim_answer answer = execute(kv, env, operation, result);
    if (answer != SIM_ANSWER_REFUSED) {
        session[SESSION_SEQUENCE] = operation->sequence;
        session[SESSION_ANSWER] = (uint64_t)answer;
        session[SESSION_RESULT] = *result;
        *took_effect = true;
    }
    return answer;
}

/* ---- Encoding --------------------------------------------------------------------------- */

static size_t table_words(const struct kv_table *table)
{
    return 1 + (size_t)table->count * table->row_words;
}

static uint8_t *table_encode(const struct kv_table *table, uint8_t *bytes)
{
    sim_put64(bytes, table->count);
    bytes += 8;
    for (size_t i = 0; i < table_words(table) - 1; i++, bytes += 8) {
        sim_put64(bytes, table->rows[i]);
    }
    return bytes;
}

/* Read one table from *bytes, moving on; *table is empty before and, on an error, after. */
static enum sim_status table_decode(struct kv_table *table, struct sim_env *env,
                                    const uint8_t **bytes, size_t *size_bytes)
{
    if (*size_bytes < 8) {
        return SIM_EINVAL;
    }
    const uint64_t count = sim_get64(*bytes);
    *bytes += 8;
    *size_bytes -= 8;
    const size_t row_bytes = (size_t)table->row_words * 8;
    if (count > *size_bytes / row_bytes || count > UINT32_MAX / 4) {
        return SIM_EINVAL;
    }
    for (uint64_t i = 0; i < count; i++, *bytes += row_bytes, *size_bytes -= row_bytes) {
        uint64_t *row = table_put(table, env, sim_get64(*bytes));
        if (!row || table->count != i + 1) { /* The same key twice is malformed. */
            table_release(table, env);
            return row ? SIM_EINVAL : SIM_ENOMEM;
        }
        for (uint32_t word = 1; word < table->row_words; word++) {
            row[word] = sim_get64(*bytes + (size_t)word * 8);
        }
    }
    return SIM_OK;
}

static bool sessions_are_valid(const struct kv_table *sessions)
{
    for (uint32_t i = 0; i < sessions->count; i++) {
        const uint64_t *row = table_row(sessions, i);
        if (row[SESSION_CLIENT] > UINT32_MAX || row[SESSION_ANSWER] > SIM_ANSWER_FAILED) {
            return false;
        }
    }
    return true;
}

size_t kv_encoded_bytes(const struct kv *kv)
{
    return 8 * (table_words(&kv->values) + table_words(&kv->sessions));
}

void kv_encode(const struct kv *kv, uint8_t *bytes)
{
    table_encode(&kv->sessions, table_encode(&kv->values, bytes));
}

enum sim_status kv_decode(struct kv *kv, struct sim_env *env, const uint8_t *bytes,
                          size_t size_bytes)
{
    struct kv decoded;
    kv_init(&decoded);
    decoded.without_sessions = kv->without_sessions;
    enum sim_status status = table_decode(&decoded.values, env, &bytes, &size_bytes);
    if (status == SIM_OK) {
        status = table_decode(&decoded.sessions, env, &bytes, &size_bytes);
    }
    if (status == SIM_OK && (size_bytes != 0 || !sessions_are_valid(&decoded.sessions))) {
        status = SIM_EINVAL;
    }
    if (status != SIM_OK) {
        kv_release(&decoded, env);
        return status;
    }
    kv_release(kv, env);
    *kv = decoded;
    return SIM_OK;
}
