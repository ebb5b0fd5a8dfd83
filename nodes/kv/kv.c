#include "nodes/kv/kv_internal.h"

#define LIST_CAPACITY_FIRST 4

void kv_init(struct kv *kv)
{
    *kv = (struct kv){
        .values.row_words = VALUE_WORDS,
        .lists.row_words = LIST_WORDS,
        .sessions.row_words = SESSION_WORDS,
        .reads.row_words = READS_WORDS,
    };
}

void kv_release(struct kv *kv, struct sim_env *env)
{
    for (uint32_t i = 0; i < kv->lists.count; i++) {
        sim_release(env, kv_list_elements(kv_table_row(&kv->lists, i)));
    }
    kv_table_release(&kv->values, env);
    kv_table_release(&kv->lists, env);
    kv_table_release(&kv->sessions, env);
    kv_table_release(&kv->reads, env);
}

void kv_forget_sessions(struct kv *kv, struct sim_env *env)
{
    kv_table_release(&kv->sessions, env);
    kv_table_release(&kv->reads, env);
}

/* ---- Registers and lists ---------------------------------------------------------------- */

uint64_t kv_get(const struct kv *kv, uint64_t key)
{
    const uint64_t *row = kv_table_find(&kv->values, key);
    return row ? row[VALUE_VALUE] : 0;
}

const uint64_t *kv_list(const struct kv *kv, uint64_t key, uint64_t *count)
{
    const uint64_t *list = kv_table_find(&kv->lists, key);
    *count = list ? list[LIST_COUNT] : 0;
    return list ? kv_list_elements(list) : NULL;
}

size_t kv_item_count(const struct kv *kv)
{
    return (size_t)kv->values.count + kv->lists.count;
}

void kv_item(const struct kv *kv, size_t i, struct sim_item *item)
{
    const bool list = i >= kv->values.count;
    if (list) {
        const uint64_t *row = kv_table_row(&kv->lists, (uint32_t)(i - kv->values.count));
        *item = (struct sim_item){true, row[LIST_KEY], kv_list_elements(row), row[LIST_COUNT]};
    } else {
        const uint64_t *row = kv_table_row(&kv->values, (uint32_t)i);
        *item = (struct sim_item){false, row[VALUE_KEY], &row[VALUE_VALUE], 1};
    }
}

uint64_t *kv_list_reserve(struct kv *kv, struct sim_env *env, uint64_t key, uint64_t more)
{
    uint64_t *list = kv_table_put(&kv->lists, env, key);
    if (!list || list[LIST_CAPACITY] - list[LIST_COUNT] >= more) {
        return list;
    }
    uint64_t capacity = list[LIST_CAPACITY] ? list[LIST_CAPACITY] : LIST_CAPACITY_FIRST;
    while (capacity - list[LIST_COUNT] < more) {
        capacity *= 2;
    }
    uint64_t *larger = sim_alloc(env, (size_t)capacity * sizeof *larger);
    if (!larger) {
        return NULL;
    }
    uint64_t *elements = kv_list_elements(list);
    if (list[LIST_COUNT] > 0) {
        memcpy(larger, elements, (size_t)list[LIST_COUNT] * sizeof *larger);
    }
    sim_release(env, elements);
    list[LIST_ADDRESS] = (uint64_t)(uintptr_t)larger;
    list[LIST_CAPACITY] = capacity;
    return list;
}

static void append(uint64_t *list, uint64_t value)
{
    kv_list_elements(list)[list[LIST_COUNT]++] = value;
}

bool kv_query(const struct kv *kv, const struct sim_operation *operation, uint64_t *result)
{
    if (operation->function == SIM_READ_LIST) {
        (void)kv_list(kv, operation->key, result);
    } else {
        *result = kv_get(kv, operation->key);
    }
    return sim_function_reads(operation->function);
}

/* ---- Operations whose session has been dealt with ---------------------------------------- */

static enum sim_answer set_register(struct kv *kv, struct sim_env *env,
                                    const struct sim_operation *operation, uint64_t *result)
{
    uint64_t *row = kv_table_put(&kv->values, env, operation->key);
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

/* Room for all that a transaction may change, so that it cannot stop in the middle. */
static bool reserve_parts(struct kv *kv, struct sim_env *env, const struct sim_operation *operation)
{
    struct sim_part part;
    for (uint32_t i = 0; sim_operation_part(operation, i, &part); i++) {
        if (part.function == SIM_WRITE && !kv_table_put(&kv->values, env, part.key)) {
            return false;
        }
        if (part.function == SIM_APPEND && !kv_list_reserve(kv, env, part.key, SIM_TXN_PARTS_MAX)) {
            return false;
        }
    }
    return kv_table_put(&kv->reads, env, operation->client) != NULL;
}

static enum sim_answer transact(struct kv *kv, struct sim_env *env,
                                const struct sim_operation *operation)
{
    if (!reserve_parts(kv, env, operation)) {
        return SIM_ANSWER_REFUSED;
    }
    uint64_t *reads = kv_table_find(&kv->reads, operation->client) + READS_FIRST;
    struct sim_part part;
    for (uint32_t i = 0; sim_operation_part(operation, i, &part); i++) {
        reads[i] = 0;
        switch ((enum sim_function)part.function) {
        case SIM_READ:
            reads[i] = kv_get(kv, part.key);
            break;
        case SIM_READ_LIST:
            (void)kv_list(kv, part.key, &reads[i]);
            break;
        case SIM_WRITE:
            kv_table_find(&kv->values, part.key)[VALUE_VALUE] = part.value;
            break;
        default:
            append(kv_table_find(&kv->lists, part.key), part.value);
        }
    }
    return SIM_ANSWER_OK;
}

static enum sim_answer execute(struct kv *kv, struct sim_env *env,
                               const struct sim_operation *operation, uint64_t *result)
{
    switch ((enum sim_function)operation->function) {
    case SIM_READ:
    case SIM_READ_LIST:
        (void)kv_query(kv, operation, result);
        return SIM_ANSWER_OK;
    case SIM_APPEND: {
        uint64_t *list = kv_list_reserve(kv, env, operation->key, 1);
        if (!list) {
            return SIM_ANSWER_REFUSED;
        }
        append(list, operation->value);
        *result = operation->value;
        return SIM_ANSWER_OK;
    }
    case SIM_TXN:
        return transact(kv, env, operation);
    default:
        return set_register(kv, env, operation, result);
    }
}

/* ---- Sessions ---------------------------------------------------------------------------- */

enum sim_answer kv_apply(struct kv *kv, struct sim_env *env, const struct sim_operation *operation,
                         uint64_t *result, bool *took_effect)
{
    *result = 0;
    *took_effect = false;
    if (operation->function >= SIM_FUNCTION_COUNT || operation->sequence == 0) {
        return SIM_ANSWER_REFUSED;
    }
    /* Before executing: a session that cannot be remembered must not have an effect. */
    uint64_t *session = kv_table_put(&kv->sessions, env, operation->client);
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

/* ---- Answers ----------------------------------------------------------------------------- */

/* The first elements of a list. A snapshot that went bad may remember more than there are. */
static const uint64_t *list_prefix(const struct kv *kv, uint64_t key, uint64_t length,
                                   uint32_t *count)
{
    uint64_t present;
    const uint64_t *elements = kv_list(kv, key, &present);
    *count = (uint32_t)(length < present ? length : present);
    return elements;
}

/* What a transaction read, as words; with `words` NULL only how many. */
static uint32_t gather(const struct kv *kv, const struct sim_operation *operation,
                       const uint64_t *reads, uint64_t *words)
{
    struct sim_part part;
    uint32_t at = 0;
    for (uint32_t i = 0; sim_operation_part(operation, i, &part); i++) {
        if (!sim_function_reads(part.function)) {
            continue;
        }
        uint32_t count = 0;
        const uint64_t *elements =
            part.function == SIM_READ_LIST ? list_prefix(kv, part.key, reads[i], &count) : NULL;
        if (words) {
            words[at] = part.function == SIM_READ_LIST ? count : reads[i];
        }
        at++;
        if (words && count > 0) {
            memcpy(words + at, elements, count * sizeof *words);
        }
        at += count;
    }
    return at;
}

static void reply_transaction(const struct kv *kv, struct sim_env *env,
                              const struct sim_operation *operation)
{
    const uint64_t *row = kv_table_find(&kv->reads, operation->client);
    if (!row) {
        return; /* Of a snapshot that went bad. */
    }
    const uint32_t count = gather(kv, operation, row + READS_FIRST, NULL);
    uint64_t *words = count > 0 ? sim_alloc(env, count * sizeof *words) : NULL;
    if (count > 0 && !words) {
        return; /* The world is full: the run ends. */
    }
    (void)gather(kv, operation, row + READS_FIRST, words);
    sim_reply_words(env, operation->client, operation->sequence, SIM_ANSWER_OK, words, count);
    sim_release(env, words);
}

void kv_reply(const struct kv *kv, struct sim_env *env, const struct sim_operation *operation,
              enum sim_answer answer, uint64_t result)
{
    if (answer == SIM_ANSWER_OK && operation->function == SIM_TXN) {
        reply_transaction(kv, env, operation);
    } else if (answer == SIM_ANSWER_OK && operation->function == SIM_READ_LIST) {
        uint32_t count;
        const uint64_t *elements = list_prefix(kv, operation->key, result, &count);
        sim_reply_words(env, operation->client, operation->sequence, answer, elements, count);
    } else {
        sim_reply(env, operation->client, operation->sequence, answer, result);
    }
}
