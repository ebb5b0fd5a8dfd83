/* The store as bytes, for snapshots. */
#include "nodes/kv/kv_internal.h"

#define LISTS_FOLLOW (UINT64_C(1) << 63) /* In the first word. */

/* ---- Tables ------------------------------------------------------------------------------ */

static size_t table_words(const struct kv_table *table)
{
    return 1 + (size_t)table->count * table->row_words;
}

static uint8_t *table_encode(const struct kv_table *table, uint64_t flag, uint8_t *bytes)
{
    sim_put64(bytes, table->count | flag);
    bytes += 8;
    for (size_t i = 0; i < table_words(table) - 1; i++, bytes += 8) {
        sim_put64(bytes, table->rows[i]);
    }
    return bytes;
}

/* The next word; false if there is none. */
static bool take(const uint8_t **bytes, size_t *size_bytes, uint64_t *word)
{
    if (*size_bytes < 8) {
        return false;
    }
    *word = sim_get64(*bytes);
    *bytes += 8;
    *size_bytes -= 8;
    return true;
}

/* Read one table from *bytes, moving on; *table is empty before and, on an error, after. */
static enum sim_status table_decode(struct kv_table *table, struct sim_env *env, uint64_t *flag,
                                    const uint8_t **bytes, size_t *size_bytes)
{
    uint64_t count;
    if (!take(bytes, size_bytes, &count)) {
        return SIM_EINVAL;
    }
    if (flag) {
        *flag = count & LISTS_FOLLOW;
        count &= ~LISTS_FOLLOW;
    }
    const size_t row_bytes = (size_t)table->row_words * 8;
    if (count > *size_bytes / row_bytes || count > UINT32_MAX / 4) {
        return SIM_EINVAL;
    }
    for (uint64_t i = 0; i < count; i++, *bytes += row_bytes, *size_bytes -= row_bytes) {
        uint64_t *row = kv_table_put(table, env, sim_get64(*bytes));
        if (!row || table->count != i + 1) { /* The same key twice is malformed. */
            kv_table_release(table, env);
            return row ? SIM_EINVAL : SIM_ENOMEM;
        }
        for (uint32_t word = 1; word < table->row_words; word++) {
            row[word] = sim_get64(*bytes + (size_t)word * 8);
        }
    }
    return SIM_OK;
}

/* ---- Lists ------------------------------------------------------------------------------- */

static size_t lists_words(const struct kv *kv)
{
    size_t words = 1;
    for (uint32_t i = 0; i < kv->lists.count; i++) {
        words += 2 + (size_t)kv_table_row(&kv->lists, i)[LIST_COUNT];
    }
    return words;
}

static uint8_t *lists_encode(const struct kv *kv, uint8_t *bytes)
{
    sim_put64(bytes, kv->lists.count);
    bytes += 8;
    for (uint32_t i = 0; i < kv->lists.count; i++) {
        const uint64_t *list = kv_table_row(&kv->lists, i);
        const uint64_t *elements = kv_list_elements(list);
        sim_put64(bytes, list[LIST_KEY]);
        sim_put64(bytes + 8, list[LIST_COUNT]);
        bytes += 16;
        for (uint64_t k = 0; k < list[LIST_COUNT]; k++, bytes += 8) {
            sim_put64(bytes, elements[k]);
        }
    }
    return bytes;
}

static enum sim_status lists_decode(struct kv *kv, struct sim_env *env, const uint8_t **bytes,
                                    size_t *size_bytes)
{
    uint64_t lists;
    if (!take(bytes, size_bytes, &lists) || lists > UINT32_MAX / 4) {
        return SIM_EINVAL;
    }
    for (uint64_t i = 0; i < lists; i++) {
        uint64_t key;
        uint64_t count;
        if (!take(bytes, size_bytes, &key) || !take(bytes, size_bytes, &count) ||
            count > *size_bytes / 8 || kv_table_find(&kv->lists, key)) {
            return SIM_EINVAL;
        }
        uint64_t *list = kv_list_reserve(kv, env, key, count);
        if (!list) {
            return SIM_ENOMEM;
        }
        uint64_t *elements = kv_list_elements(list);
        list[LIST_COUNT] = count;
        for (uint64_t k = 0; k < count; k++) {
            (void)take(bytes, size_bytes, &elements[k]); /* There are enough. */
        }
    }
    return SIM_OK;
}

/* ---- The store --------------------------------------------------------------------------- */

static bool has_lists(const struct kv *kv)
{
    return kv->lists.count > 0 || kv->reads.count > 0;
}

static bool sessions_are_valid(const struct kv_table *sessions)
{
    for (uint32_t i = 0; i < sessions->count; i++) {
        const uint64_t *row = kv_table_row(sessions, i);
        if (row[SESSION_CLIENT] > UINT32_MAX || row[SESSION_ANSWER] > SIM_ANSWER_FAILED) {
            return false;
        }
    }
    return true;
}

size_t kv_encoded_bytes(const struct kv *kv)
{
    size_t words = table_words(&kv->values) + table_words(&kv->sessions);
    if (has_lists(kv)) {
        words += lists_words(kv) + table_words(&kv->reads);
    }
    return 8 * words;
}

void kv_encode(const struct kv *kv, uint8_t *bytes)
{
    bytes = table_encode(&kv->values, has_lists(kv) ? LISTS_FOLLOW : 0, bytes);
    bytes = table_encode(&kv->sessions, 0, bytes);
    if (has_lists(kv)) {
        bytes = lists_encode(kv, bytes);
        (void)table_encode(&kv->reads, 0, bytes);
    }
}

static uint64_t table_digest(uint64_t h, const struct kv_table *table)
{
    h = sim_mix64(h ^ table->count);
    for (size_t i = 0; i < table_words(table) - 1; i++) {
        h = sim_mix64(h ^ table->rows[i]);
    }
    return h;
}

uint64_t kv_digest(const struct kv *kv)
{
    uint64_t h = table_digest(0, &kv->values);
    h = table_digest(h, &kv->sessions);
    h = table_digest(h, &kv->reads);
    for (uint32_t i = 0; i < kv->lists.count; i++) {
        const uint64_t *list = kv_table_row(&kv->lists, i);
        const uint64_t *elements = kv_list_elements(list);
        h = sim_mix64(sim_mix64(h ^ list[LIST_KEY]) ^ list[LIST_COUNT]);
        for (uint64_t k = 0; k < list[LIST_COUNT]; k++) {
            h = sim_mix64(h ^ elements[k]);
        }
    }
    return h;
}

static enum sim_status decode(struct kv *kv, struct sim_env *env, const uint8_t *bytes,
                              size_t size_bytes)
{
    uint64_t lists_follow = 0;
    enum sim_status status = table_decode(&kv->values, env, &lists_follow, &bytes, &size_bytes);
    if (status == SIM_OK) {
        status = table_decode(&kv->sessions, env, NULL, &bytes, &size_bytes);
    }
    if (status == SIM_OK && lists_follow) {
        status = lists_decode(kv, env, &bytes, &size_bytes);
    }
    if (status == SIM_OK && lists_follow) {
        status = table_decode(&kv->reads, env, NULL, &bytes, &size_bytes);
    }
    if (status == SIM_OK && (size_bytes != 0 || !sessions_are_valid(&kv->sessions) ||
                             has_lists(kv) != (lists_follow != 0))) {
        status = SIM_EINVAL;
    }
    return status;
}

enum sim_status kv_decode(struct kv *kv, struct sim_env *env, const uint8_t *bytes,
                          size_t size_bytes)
{
    struct kv decoded;
    kv_init(&decoded);
    decoded.without_sessions = kv->without_sessions;
    const enum sim_status status = decode(&decoded, env, bytes, size_bytes);
    if (status != SIM_OK) {
        kv_release(&decoded, env);
        return status;
    }
    kv_release(kv, env);
    *kv = decoded;
    return SIM_OK;
}
