/* The key-value state machine: what operations do, and that retries do it once. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "nodes/kv/kv.h"
#include "sim/rng.h"

/* ---- The part of a node's environment that the store needs -------------------------------- */

struct sim_env {
    int live_blocks;
    int failing_in; /* This many allocations succeed; negative: all. */
};

void *sim_alloc(struct sim_env *env, size_t size_bytes)
{
    if (env->failing_in == 0) {
        return NULL;
    }
    env->failing_in -= env->failing_in > 0;
    env->live_blocks++;
    return calloc(1, size_bytes);
}

void sim_release(struct sim_env *env, void *block)
{
    env->live_blocks -= block != NULL;
    free(block);
}

static uint64_t said[64]; /* The words of the last answer, */
static uint32_t said_count;

void sim_reply(struct sim_env *env, uint32_t client, uint64_t sequence, enum sim_answer answer,
               uint64_t value)
{
    sim_reply_words(env, client, sequence, answer, &value, 1);
}

void sim_reply_words(struct sim_env *env, uint32_t client, uint64_t sequence,
                     enum sim_answer answer, const uint64_t *words, uint32_t count)
{
    (void)env;
    (void)client;
    (void)sequence;
    (void)answer;
    cr_assert_leq(count, 64);
    said_count = count;
    for (uint32_t i = 0; i < count; i++) {
        said[i] = words[i];
    }
}

static struct sim_env env;
static struct kv kv;

static void start(void)
{
    env = (struct sim_env){.failing_in = -1};
    kv_init(&kv);
}

static void stop(void)
{
    kv_release(&kv, &env);
}

TestSuite(kv, .init = start, .fini = stop);

struct outcome {
    enum sim_answer answer;
    uint64_t result;
    bool took_effect;
};

static struct outcome apply(struct kv *store, struct sim_operation operation)
{
    struct outcome o;
    o.answer = kv_apply(store, &env, &operation, &o.result, &o.took_effect);
    return o;
}

static struct sim_operation op(uint32_t client, uint64_t sequence, uint32_t function, uint64_t key,
                               uint64_t value, uint64_t expected)
{
    return (struct sim_operation){client, function, sequence, key, value, expected};
}

#define EXPECT(o, want_answer, want_result, want_effect)                                           \
    do {                                                                                           \
        const struct outcome got_ = (o);                                                           \
        cr_expect_eq(got_.answer, (want_answer));                                                  \
        cr_expect_eq(got_.result, (want_result));                                                  \
        cr_expect_eq(got_.took_effect, (want_effect));                                             \
    } while (0)

/* A key that nobody wrote reads as 0, and a written one as what was written last. */
Test(kv, reads_what_was_written)
{
    EXPECT(apply(&kv, op(9, 1, SIM_READ, 5, 0, 0)), SIM_ANSWER_OK, 0, true);
    EXPECT(apply(&kv, op(9, 2, SIM_WRITE, 5, 70, 0)), SIM_ANSWER_OK, 70, true);
    EXPECT(apply(&kv, op(9, 3, SIM_WRITE, 5, 71, 0)), SIM_ANSWER_OK, 71, true);
    EXPECT(apply(&kv, op(8, 1, SIM_READ, 5, 0, 0)), SIM_ANSWER_OK, 71, true);
    EXPECT(apply(&kv, op(8, 2, SIM_READ, UINT64_MAX, 0, 0)), SIM_ANSWER_OK, 0, true);
}

/* A compare-and-set replaces only the value it expects, where 0 is an absent key. */
Test(kv, compares_before_it_sets)
{
    EXPECT(apply(&kv, op(1, 1, SIM_CAS, 5, 70, 1)), SIM_ANSWER_FAILED, 0, true);
    EXPECT(apply(&kv, op(1, 2, SIM_CAS, 5, 70, 0)), SIM_ANSWER_OK, 70, true);
    EXPECT(apply(&kv, op(1, 3, SIM_CAS, 5, 71, 0)), SIM_ANSWER_FAILED, 70, true);
    EXPECT(apply(&kv, op(1, 4, SIM_CAS, 5, 0, 70)), SIM_ANSWER_OK, 0, true);
    cr_expect_eq(kv_get(&kv, 5), 0);
}

/* A retry has no effect and gets the first answer, although the key has changed since. */
Test(kv, answers_a_duplicate_from_memory)
{
    apply(&kv, op(1, 1, SIM_WRITE, 5, 70, 0));
    EXPECT(apply(&kv, op(1, 2, SIM_CAS, 5, 71, 70)), SIM_ANSWER_OK, 71, true);
    apply(&kv, op(2, 1, SIM_WRITE, 5, 99, 0));
    EXPECT(apply(&kv, op(1, 2, SIM_CAS, 5, 71, 70)), SIM_ANSWER_OK, 71, false);
    cr_expect_eq(kv_get(&kv, 5), 99);
    EXPECT(apply(&kv, op(1, 3, SIM_CAS, 5, 0, 70)), SIM_ANSWER_FAILED, 99, true);
    EXPECT(apply(&kv, op(1, 3, SIM_CAS, 5, 0, 70)), SIM_ANSWER_FAILED, 99, false);
}

/* What a client has given up on must not happen after its next operation did. */
Test(kv, refuses_what_is_older_than_the_session)
{
    apply(&kv, op(1, 4, SIM_WRITE, 5, 70, 0));
    EXPECT(apply(&kv, op(1, 3, SIM_WRITE, 5, 33, 0)), SIM_ANSWER_REFUSED, 0, false);
    EXPECT(apply(&kv, op(1, 0, SIM_WRITE, 5, 33, 0)), SIM_ANSWER_REFUSED, 0, false);
    EXPECT(apply(&kv, op(1, 5, SIM_FUNCTION_COUNT, 5, 33, 0)), SIM_ANSWER_REFUSED, 0, false);
    cr_expect_eq(kv_get(&kv, 5), 70);
}

/* The planted bug: without sessions a retry takes effect again. */
Test(kv, applies_a_duplicate_again_without_sessions)
{
    kv.without_sessions = true;
    apply(&kv, op(1, 1, SIM_WRITE, 5, 70, 0));
    apply(&kv, op(2, 1, SIM_WRITE, 5, 99, 0));
    EXPECT(apply(&kv, op(1, 1, SIM_WRITE, 5, 70, 0)), SIM_ANSWER_OK, 70, true);
    cr_expect_eq(kv_get(&kv, 5), 70);
}

/* ---- Lists and transactions --------------------------------------------------------------- */

/* Apply, answer, and compare the answer's words with those that end in -1. */
static void expect_words(struct sim_operation operation, bool took_effect, const int64_t *words)
{
    const struct outcome o = apply(&kv, operation);
    cr_expect_eq(o.answer, SIM_ANSWER_OK);
    cr_expect_eq(o.took_effect, took_effect);
    kv_reply(&kv, &env, &operation, o.answer, o.result);
    uint32_t count = 0;
    for (; words[count] != -1; count++) {
        cr_expect_eq((int64_t)said[count], words[count], "word %d", (int)count);
    }
    cr_expect_eq(said_count, count);
}

#define WORDS(...) ((const int64_t[]){__VA_ARGS__, -1})
#define NO_WORDS ((const int64_t[]){-1})

enum { READS, WRITES, LISTS, APPENDS }; /* As transactions pack them. */

/* Lists grow at their end, and are not the registers of the same keys. */
Test(kv, appends_to_lists)
{
    expect_words(op(1, 1, SIM_READ_LIST, 5, 0, 0), true, NO_WORDS);
    for (uint64_t i = 1; i <= 20; i++) {
        EXPECT(apply(&kv, op(2, i, SIM_APPEND, 5, 100 + i, 0)), SIM_ANSWER_OK, 100 + i, true);
    }
    apply(&kv, op(3, 1, SIM_WRITE, 5, 7, 0));
    EXPECT(apply(&kv, op(2, 20, SIM_APPEND, 5, 120, 0)), SIM_ANSWER_OK, 120, false);
    expect_words(op(1, 2, SIM_READ_LIST, 5, 0, 0), true,
                 WORDS(101, 102, 103, 104, 105, 106, 107, 108, 109, 110, 111, 112, 113, 114, 115,
                       116, 117, 118, 119, 120));
    EXPECT(apply(&kv, op(1, 3, SIM_READ, 5, 0, 0)), SIM_ANSWER_OK, 7, true);
    expect_words(op(1, 4, SIM_READ_LIST, 6, 0, 0), true, NO_WORDS);
}

/* A read of a list, come again, has the answer it had, whatever was appended since. */
Test(kv, remembers_how_long_a_list_was)
{
    apply(&kv, op(2, 1, SIM_APPEND, 5, 7, 0));
    expect_words(op(1, 1, SIM_READ_LIST, 5, 0, 0), true, WORDS(7));
    apply(&kv, op(2, 2, SIM_APPEND, 5, 8, 0));
    expect_words(op(1, 1, SIM_READ_LIST, 5, 0, 0), false, WORDS(7));
    expect_words(op(1, 2, SIM_READ_LIST, 5, 0, 0), true, WORDS(7, 8));
}

#define PLACE(i) ((int64_t)(i) << 48)

/* Parts take effect in order, each sees those before it, and each has a value of its own. */
Test(kv, transacts)
{
    const uint64_t parts = sim_txn_pack(0, LISTS, 5) | sim_txn_pack(1, APPENDS, 5) |
                           sim_txn_pack(2, WRITES, 5) | sim_txn_pack(3, LISTS, 5);
    expect_words(op(1, 1, SIM_TXN, 5, 9, parts), true, WORDS(0, 1, PLACE(1) + 9));
    const uint64_t more =
        sim_txn_pack(0, READS, 5) | sim_txn_pack(1, APPENDS, 5) | sim_txn_pack(2, READS, 6);
    expect_words(op(2, 1, SIM_TXN, 5, 10, more), true, WORDS(PLACE(2) + 9, 0));
    apply(&kv, op(3, 1, SIM_WRITE, 5, 1, 0));
    /* Come again, both have the answers they had, and no effect. */
    expect_words(op(1, 1, SIM_TXN, 5, 9, parts), false, WORDS(0, 1, PLACE(1) + 9));
    expect_words(op(2, 1, SIM_TXN, 5, 10, more), false, WORDS(PLACE(2) + 9, 0));
    expect_words(op(3, 2, SIM_READ_LIST, 5, 0, 0), true, WORDS(PLACE(1) + 9, PLACE(1) + 10));
    expect_words(op(3, 3, SIM_TXN, 5, 11, sim_txn_pack(0, WRITES, 8)), true, NO_WORDS);
}

/* A query answers as an operation would, past the sessions, and leaves nothing behind. */
Test(kv, queries)
{
    apply(&kv, op(1, 1, SIM_APPEND, 5, 7, 0));
    apply(&kv, op(1, 2, SIM_WRITE, 5, 8, 0));
    const size_t size_bytes = kv_encoded_bytes(&kv);
    const struct sim_operation list = op(2, 1, SIM_READ_LIST, 5, 0, 0);
    const struct sim_operation value = op(2, 1, SIM_READ, 5, 0, 0);
    const struct sim_operation write = op(2, 1, SIM_WRITE, 5, 9, 0);
    uint64_t result;
    cr_expect(kv_query(&kv, &list, &result));
    kv_reply(&kv, &env, &list, SIM_ANSWER_OK, result);
    cr_expect(said_count == 1 && said[0] == 7);
    cr_expect(kv_query(&kv, &value, &result));
    cr_expect_eq(result, 8);
    cr_expect_not(kv_query(&kv, &write, &result));
    cr_expect_eq(kv_encoded_bytes(&kv), size_bytes);
}

/* Of the first so many functions. */
static struct sim_operation random_operation(struct sim_rng *rng, uint64_t sequences[],
                                             uint32_t functions, uint64_t keys)
{
    struct sim_operation operation = {.client = sim_rng_bounded(rng, 50)};
    operation.function = sim_rng_bounded(rng, functions);
    operation.key = sim_rng_between(rng, 0, keys - 1) << 32;
    operation.value = sim_rng_bounded(rng, 4);
    operation.expected = sim_rng_bounded(rng, 4);
    for (uint32_t i = 0; operation.function == SIM_TXN && i < SIM_TXN_PARTS_MAX; i++) {
        const uint32_t function = sim_rng_bounded(rng, 4);
        operation.expected |= sim_txn_pack(i, function, 1 + sim_rng_bounded(rng, 40));
    }
    const bool retry = sim_rng_chance(rng, 200000) && sequences[operation.client] > 0;
    operation.sequence = retry ? sequences[operation.client] : ++sequences[operation.client];
    return operation;
}

#define MODEL_KEYS 500

/* Thousands of operations over many keys agree with a plain array, through every growth of the
 * tables. */
Test(kv, agrees_with_an_array)
{
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct sim_rng rng;
        sim_rng_derive(&rng, seed, "test/kv");
        uint64_t model[MODEL_KEYS] = {0};
        uint64_t sequences[50] = {0};
        struct kv store;
        kv_init(&store);
        for (int i = 0; i < 5000; i++) {
            const struct sim_operation o =
                random_operation(&rng, sequences, SIM_CAS + 1, MODEL_KEYS);
            const struct outcome got = apply(&store, o);
            uint64_t *value = &model[o.key >> 32];
            if (got.took_effect) {
                const bool sets =
                    o.function == SIM_WRITE || (o.function == SIM_CAS && *value == o.expected);
                *value = sets ? o.value : *value;
                cr_assert_eq(got.result, *value, "seed %d, operation %d", (int)seed, i);
            }
            cr_assert_eq(kv_get(&store, o.key), *value, "seed %d, operation %d", (int)seed, i);
        }
        kv_release(&store, &env);
    }
    cr_expect_eq(env.live_blocks, 0);
}

/* Random appends, reads and transactions over a few keys agree with plain arrays. */
Test(kv, agrees_with_arrays_of_lists)
{
    static uint64_t lists[41][20000];
    for (uint64_t seed = 1; seed <= 10; seed++) {
        struct sim_rng rng;
        sim_rng_derive(&rng, seed, "test/kv/lists");
        uint64_t lengths[41] = {0};
        uint64_t registers[41] = {0};
        struct kv store;
        kv_init(&store);
        for (uint64_t sequence = 1; sequence <= 3000; sequence++) {
            uint64_t parts = 0;
            for (uint32_t i = 0; i <= sequence % 4; i++) {
                const uint32_t function = sim_rng_bounded(&rng, 4);
                parts |= sim_txn_pack(i, function, 1 + sim_rng_bounded(&rng, 40));
            }
            const struct sim_operation o = op(1, sequence, SIM_TXN, 0, sequence, parts);
            const struct outcome got = apply(&store, o);
            said_count = 0;
            if (sequence <= 100) { /* Answers are small enough to look at. */
                kv_reply(&store, &env, &o, got.answer, got.result);
            }
            uint32_t at = 0;
            struct sim_part part;
            for (uint32_t i = 0; sim_operation_part(&o, i, &part); i++) {
                if (part.function == SIM_WRITE) {
                    registers[part.key] = part.value;
                } else if (part.function == SIM_APPEND) {
                    lists[part.key][lengths[part.key]++] = part.value;
                } else if (said_count > 0) {
                    const bool list = part.function == SIM_READ_LIST;
                    cr_assert_eq(said[at++], list ? lengths[part.key] : registers[part.key],
                                 "seed %d, operation %d", (int)seed, (int)sequence);
                    at += list ? (uint32_t)lengths[part.key] : 0;
                }
            }
            cr_assert_eq(at, said_count);
        }
        for (uint64_t key = 1; key <= 40; key++) {
            uint64_t count;
            const uint64_t *elements = kv_list(&store, key, &count);
            cr_assert_eq(count, lengths[key], "seed %d", (int)seed);
            cr_assert_arr_eq(elements, lists[key], count * sizeof *elements, "seed %d", (int)seed);
            cr_assert_eq(kv_get(&store, key), registers[key]);
        }
        kv_release(&store, &env);
    }
    cr_expect_eq(env.live_blocks, 0);
}

static uint8_t *encode(const struct kv *store)
{
    uint8_t *bytes = malloc(kv_encoded_bytes(store));
    kv_encode(store, bytes);
    return bytes;
}

/* Equal histories encode to equal bytes; a decoded store encodes to the same bytes, answers
 * duplicates from memory, and goes on alike. */
Test(kv, survives_encoding)
{
    struct sim_rng rng;
    sim_rng_derive(&rng, 1, "test/kv/encode");
    uint64_t sequences[50] = {0};
    for (int i = 0; i < 3000; i++) {
        apply(&kv, random_operation(&rng, sequences, SIM_FUNCTION_COUNT, MODEL_KEYS));
    }
    const size_t size_bytes = kv_encoded_bytes(&kv);
    uint8_t *bytes = encode(&kv);
    struct kv copy;
    kv_init(&copy);
    apply(&copy, op(3, 1, SIM_WRITE, 77, 7, 0)); /* Decoding replaces this. */
    cr_expect_neq(kv_digest(&copy), kv_digest(&kv));
    cr_assert_eq(kv_decode(&copy, &env, bytes, size_bytes), SIM_OK);
    cr_expect_eq(kv_digest(&copy), kv_digest(&kv));
    for (int i = 0; i < 3000; i++) {
        const struct sim_operation o =
            random_operation(&rng, sequences, SIM_FUNCTION_COUNT, MODEL_KEYS);
        const struct outcome a = apply(&kv, o);
        const struct outcome b = apply(&copy, o);
        cr_assert(a.answer == b.answer && a.result == b.result && a.took_effect == b.took_effect,
                  "operation %d", i);
    }
    uint8_t *after = encode(&kv);
    uint8_t *after_copy = encode(&copy);
    cr_assert_eq(kv_encoded_bytes(&kv), kv_encoded_bytes(&copy));
    cr_expect_arr_eq(after, after_copy, kv_encoded_bytes(&kv));
    const uint64_t digest = kv_digest(&kv);
    cr_expect_eq(kv_digest(&copy), digest);
    kv_forget_sessions(&copy, &env);
    cr_expect_neq(kv_digest(&copy), digest, "sessions are part of it");
    free(bytes);
    free(after);
    free(after_copy);
    kv_release(&copy, &env);
    kv_release(&kv, &env);
    cr_expect_eq(env.live_blocks, 0);
}

/* The bytes are the same on every machine: words, little-endian. */
Test(kv, encodes_little_endian)
{
    apply(&kv, op(3, 2, SIM_WRITE, 0x0102, 7, 0));
    uint8_t *bytes = encode(&kv);
    const uint64_t want[] = {1, 0x0102, 7, 1, 3, 2, SIM_ANSWER_OK, 7};
    cr_assert_eq(kv_encoded_bytes(&kv), sizeof want);
    for (size_t i = 0; i < sizeof want / sizeof want[0]; i++) {
        cr_expect_eq(sim_get64(bytes + 8 * i), want[i], "word %d", (int)i);
    }
    cr_expect_eq(bytes[8], 2);
    cr_expect_eq(bytes[9], 1);
    free(bytes);
}

/* Malformed bytes are refused and leave the store as it was. */
Test(kv, refuses_malformed_bytes)
{
    apply(&kv, op(3, 2, SIM_WRITE, 1, 7, 0));
    apply(&kv, op(4, 1, SIM_WRITE, 2, 8, 0));
    const size_t size_bytes = kv_encoded_bytes(&kv);
    uint8_t *bytes = encode(&kv);
    for (size_t size = 0; size < size_bytes; size++) {
        cr_expect_eq(kv_decode(&kv, &env, bytes, size), SIM_EINVAL, "size %d", (int)size);
    }
    sim_put64(bytes, UINT64_MAX);
    cr_expect_eq(kv_decode(&kv, &env, bytes, size_bytes), SIM_EINVAL, "a count beyond the bytes");
    sim_put64(bytes, 2);
    sim_put64(bytes + 24, 1);
    cr_expect_eq(kv_decode(&kv, &env, bytes, size_bytes), SIM_EINVAL, "the same key twice");
    sim_put64(bytes + 24, 2);
    sim_put64(bytes + 8 * 8, 9);
    cr_expect_eq(kv_decode(&kv, &env, bytes, size_bytes), SIM_EINVAL, "an unknown answer");
    sim_put64(bytes + 8 * 8, SIM_ANSWER_OK);
    cr_expect_eq(kv_decode(&kv, &env, bytes, size_bytes), SIM_OK);
    cr_expect_eq(kv_get(&kv, 2), 8);
    free(bytes);
    kv_release(&kv, &env);
    cr_expect_eq(env.live_blocks, 0);
}

/* The same with lists behind the tables. */
Test(kv, refuses_malformed_lists)
{
    apply(&kv, op(1, 1, SIM_APPEND, 5, 70, 0));
    apply(&kv, op(1, 2, SIM_APPEND, 6, 71, 0));
    apply(&kv, op(2, 1, SIM_TXN, 5, 9, sim_txn_pack(0, APPENDS, 5)));
    const size_t size_bytes = kv_encoded_bytes(&kv);
    uint8_t *bytes = encode(&kv);
    const uint64_t want[] = {UINT64_C(1) << 63, /* No registers; lists follow. */
                             2,
                             1,
                             2,
                             SIM_ANSWER_OK,
                             71,
                             2,
                             1,
                             SIM_ANSWER_OK,
                             0, /* Sessions. */
                             2,
                             5,
                             2,
                             70,
                             9,
                             6,
                             1,
                             71, /* Lists. */
                             1,
                             2,
                             0,
                             0,
                             0,
                             0};
    cr_assert_eq(size_bytes, sizeof want);
    for (size_t i = 0; i < sizeof want / sizeof want[0]; i++) {
        cr_expect_eq(sim_get64(bytes + 8 * i), want[i], "word %d", (int)i);
    }
    for (size_t size = 0; size < size_bytes; size++) {
        cr_expect_eq(kv_decode(&kv, &env, bytes, size), SIM_EINVAL, "size %d", (int)size);
    }
    static const struct {
        size_t word;
        uint64_t value;
    } wrong[] = {{10, 3}, {10, 1}, {12, 3}, {12, UINT64_MAX}, {15, 5}, {18, 2}};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        sim_put64(bytes + 8 * wrong[i].word, wrong[i].value);
        cr_expect_eq(kv_decode(&kv, &env, bytes, size_bytes), SIM_EINVAL, "case %d", (int)i);
        sim_put64(bytes + 8 * wrong[i].word, want[wrong[i].word]);
    }
    cr_expect_eq(kv_decode(&kv, &env, bytes, size_bytes), SIM_OK);
    expect_words(op(3, 1, SIM_READ_LIST, 5, 0, 0), true, WORDS(70, 9));
    free(bytes);
    kv_release(&kv, &env);
    cr_expect_eq(env.live_blocks, 0);
}

/* A transaction that memory fails in the middle of changes nothing. */
Test(kv, transacts_wholly_or_not_at_all)
{
    const uint64_t parts = sim_txn_pack(0, APPENDS, 1) | sim_txn_pack(1, WRITES, 1) |
                           sim_txn_pack(2, APPENDS, 2) | sim_txn_pack(3, LISTS, 1);
    for (int failing_in = 0; failing_in < 11; failing_in++) {
        struct kv store;
        kv_init(&store);
        env.failing_in = failing_in;
        const struct outcome o = apply(&store, op(1, 1, SIM_TXN, 1, 9, parts));
        env.failing_in = -1;
        uint64_t count;
        (void)kv_list(&store, 1, &count);
        cr_expect_eq(o.took_effect, failing_in >= 10, "%d allocations", failing_in);
        cr_expect_eq(count, o.took_effect, "%d allocations", failing_in);
        cr_expect_eq(kv_get(&store, 1) != 0, o.took_effect, "%d allocations", failing_in);
        kv_release(&store, &env);
        cr_expect_eq(env.live_blocks, 0);
    }
}

/* Out of memory at every allocation in turn: no effect, no leak, no half-grown table. (Two
 * tables that grow three times, two blocks each, make twelve allocations.) */
Test(kv, changes_nothing_without_memory)
{
    for (int failing_in = 0; failing_in < 14; failing_in++) {
        struct kv store;
        kv_init(&store);
        env.failing_in = failing_in;
        uint64_t applied = 0;
        for (uint64_t key = 1; key <= 40; key++) {
            const struct outcome o = apply(&store, op((uint32_t)key, 1, SIM_WRITE, key, key, 0));
            cr_expect_eq(o.answer, o.took_effect ? SIM_ANSWER_OK : SIM_ANSWER_REFUSED);
            cr_expect_eq(kv_get(&store, key), o.took_effect ? key : 0);
            applied += o.took_effect;
        }
        env.failing_in = -1;
        cr_expect(failing_in >= 12 ? applied == 40 : applied < 40, "%d allocations: %d applied",
                  failing_in, (int)applied);
        kv_release(&store, &env);
        cr_expect_eq(env.live_blocks, 0);
    }
}
