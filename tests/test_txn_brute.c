/* The checker of transactions against brute force: on thousands of small histories it must say
 * what trying all orders says. */
#include <criterion/criterion.h>
#include <inttypes.h>

#include "sim/check/check.h"
#include "sim/rng.h"
#include "tests/txns.h"

enum { SEEDS = 3000, TXNS_MAX = 4, KEYS = 2, OPERATIONS_MAX = 4, MEMORY = 1 << 24 };
static const struct sim_budget budget = {.steps = 1000000, .memory_bytes = MEMORY};

/* A transaction as it is made up: its place in the order that most of the answers follow, and its
 * operations. */
struct made {
    uint32_t place;
    uint32_t invoked, returned; /* Times, all different. */
    uint64_t process;
    enum sim_txn_outcome outcome;
    bool visible; /* Its writes take place. */
    uint32_t count;
    bool writes[OPERATIONS_MAX];
    uint64_t keys[OPERATIONS_MAX];
    uint64_t values[OPERATIONS_MAX];
};

struct making {
    struct sim_rng rng;
    struct sim_txn_history *history;
    struct made txns[TXNS_MAX];
    uint32_t count;
    uint32_t lie_percent;
    uint64_t lists[KEYS][TXNS_MAX * OPERATIONS_MAX];
    uint32_t places[KEYS][TXNS_MAX * OPERATIONS_MAX]; /* Of who appended it. */
    uint32_t lengths[KEYS];
};

static uint32_t draw(struct making *m, uint32_t below)
{
    return sim_rng_bounded(&m->rng, below);
}

static bool chance(struct making *m, uint32_t percent)
{
    return draw(m, 100) < percent;
}

/* Times are handed out so that each transaction has two, in either order of the others'. */
static void make_times(struct making *m)
{
    uint32_t times[2 * TXNS_MAX];
    for (uint32_t i = 0; i < 2 * m->count; i++) {
        const uint32_t j = draw(m, i + 1);
        times[i] = times[j];
        times[j] = i;
    }
    for (uint32_t t = 0; t < m->count; t++) {
        const uint32_t a = times[2 * t], b = times[2 * t + 1];
        m->txns[t].invoked = a < b ? a : b;
        m->txns[t].returned = a < b ? b : a;
    }
}

/* A process goes on with another transaction after one that it knows the end of. */
static void make_processes(struct making *m)
{
    for (uint32_t t = 0; t < m->count; t++) {
        struct made *made = &m->txns[t];
        made->process = t;
        for (uint32_t before = 0; before < m->count && chance(m, 60); before++) {
            const struct made *other = &m->txns[before];
            bool free = other->returned < made->invoked && other->outcome == SIM_TXN_OK;
            for (uint32_t i = 0; free && i < t; i++) {
                free = m->txns[i].process != other->process ||
                       m->txns[i].returned < made->invoked || m->txns[i].invoked > made->returned;
            }
            made->process = free && before < t ? other->process : made->process;
        }
    }
}

static void make_txns(struct making *m)
{
    make_times(m);
    for (uint32_t t = 0; t < m->count; t++) {
        struct made *made = &m->txns[t];
        made->outcome = chance(m, 70)   ? SIM_TXN_OK
                        : chance(m, 50) ? SIM_TXN_INFO
                        : chance(m, 50) ? SIM_TXN_FAILED
                                        : SIM_TXN_OPEN;
        made->visible =
            made->outcome == SIM_TXN_OK ||
            (made->outcome == SIM_TXN_FAILED ? chance(m, m->lie_percent) : chance(m, 50));
        /* Mostly by a time within: so that real time is often kept. */
        made->place = chance(m, 80) ? 4 * (made->invoked + draw(m, made->returned - made->invoked))
                                    : 4 * draw(m, 2 * TXNS_MAX);
        made->place += t;
        made->count = 1 + draw(m, OPERATIONS_MAX);
        for (uint32_t i = 0; i < made->count; i++) {
            made->writes[i] = chance(m, 50);
            made->keys[i] = draw(m, KEYS);
            made->values[i] = (uint64_t)t * OPERATIONS_MAX + i + 1;
        }
    }
    make_processes(m);
}

/* The final lists: appends by the places of their transactions, some out of order. */
static void make_lists(struct making *m)
{
    for (uint32_t place = 0; place < 4 * 2 * TXNS_MAX + TXNS_MAX; place++) {
        for (uint32_t t = 0; t < m->count; t++) {
            const struct made *made = &m->txns[t];
            for (uint32_t i = 0; made->place == place && made->visible && i < made->count; i++) {
                const uint64_t key = made->keys[i];
                if (made->writes[i]) {
                    m->places[key][m->lengths[key]] = place;
                    m->lists[key][m->lengths[key]++] = made->values[i];
                }
            }
        }
    }
    for (uint32_t key = 0; key < KEYS; key++) {
        if (m->lengths[key] > 1 && chance(m, m->lie_percent)) {
            const uint32_t at = draw(m, m->lengths[key] - 1);
            const uint64_t value = m->lists[key][at];
            m->lists[key][at] = m->lists[key][at + 1];
            m->lists[key][at + 1] = value;
        }
    }
}

/* How much of a list the transaction sees before its operation `i`: what earlier ones appended,
 * and it itself. */
static uint32_t seen_length(struct making *m, const struct made *made, uint32_t i)
{
    const uint64_t key = made->keys[i];
    uint32_t length = 0;
    while (length < m->lengths[key] && m->places[key][length] < made->place) {
        length++;
    }
    for (uint32_t j = 0; j < i; j++) {
        length += made->writes[j] && made->keys[j] == key;
    }
    if (chance(m, m->lie_percent)) {
        length = draw(m, m->lengths[key] + 1);
    }
    return length < m->lengths[key] ? length : m->lengths[key];
}

static void add_operations(struct making *m, const struct made *made)
{
    struct sim_txn_history *h = m->history;
    for (uint32_t i = 0; i < made->count; i++) {
        const uint64_t key = made->keys[i];
        if (made->writes[i]) {
            cr_assert_eq(sim_txn_write(h, key, made->values[i]), SIM_OK);
            continue;
        }
        const uint32_t length = seen_length(m, made, i);
        const uint64_t *last = length ? &m->lists[key][length - 1] : NULL;
        cr_assert_eq(h->object == SIM_TXN_LIST ? sim_txn_read_list(h, key, m->lists[key], length)
                                               : sim_txn_read(h, key, last),
                     SIM_OK);
    }
}

/* Everything is read at the end by one more, so that all of the order is known. */
static void add_final_reader(struct sim_txn_history *h, const struct making *m)
{
    uint32_t txn;
    cr_assert_eq(sim_txn_invoke(h, 100, &txn), SIM_OK);
    sim_txn_return(h, txn, SIM_TXN_OK);
    for (uint64_t key = 0; key < KEYS; key++) {
        cr_assert_eq(sim_txn_read_list(h, key, m->lists[key], m->lengths[key]), SIM_OK);
    }
}

static void random_txns(struct sim_txn_history *h, enum sim_txn_object object, uint64_t seed)
{
    static struct making making;
    struct making *m = &making;
    memset(m, 0, sizeof *m);
    m->history = h;
    sim_rng_seed(&m->rng, seed, 7);
    sim_txn_history_init(h, object, MEMORY);
    m->count = 2 + draw(m, TXNS_MAX - 1);
    m->lie_percent = draw(m, 3) * 10;
    make_txns(m);
    make_lists(m);
    uint32_t numbers[TXNS_MAX];
    for (uint32_t at = 0; at < 2 * m->count; at++) {
        for (uint32_t t = 0; t < m->count; t++) {
            const struct made *made = &m->txns[t];
            if (made->invoked == at) {
                cr_assert_eq(sim_txn_invoke(h, made->process, &numbers[t]), SIM_OK);
            } else if (made->returned == at && made->outcome != SIM_TXN_OPEN) {
                sim_txn_return(h, numbers[t], made->outcome);
                add_operations(m, made);
            }
        }
    }
    for (uint32_t t = 0; t < m->count; t++) {
        if (m->txns[t].outcome == SIM_TXN_OPEN) {
            sim_txn_return(h, numbers[t], SIM_TXN_OPEN);
            add_operations(m, &m->txns[t]);
        }
    }
    if (object == SIM_TXN_LIST) {
        add_final_reader(h, m);
    }
}

typedef bool (*brute_fn)(const struct sim_txn_history *history, enum brute_order order);

/* `complete`: what is violated must be found, not only what is kept be let pass. */
static void compare(enum sim_txn_object object, uint32_t model, brute_fn brute,
                    enum brute_order order, bool complete)
{
    uint32_t violated = 0;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct sim_txn_history h;
        random_txns(&h, object, seed);
        struct sim_consistency_result result;
        struct sim_txn_witness witness;
        sim_txn_check(&h, model, &budget, &result, &witness);
        const bool expected = brute(&h, order);
        const bool right = result.verdict == SIM_HOLDS
                               ? expected || !complete
                               : result.verdict == SIM_VIOLATED && !expected;
        cr_assert(right, "seed %" PRIu64 ": %s says %s (%s), all orders say %s, of%s", seed,
                  sim_txn_model_name(model), sim_verdict_name(result.verdict), result.detail,
                  expected ? "holds" : "violated", txns_text(&h));
        violated += result.verdict == SIM_VIOLATED;
        sim_txn_witness_release(&witness);
        sim_consistency_result_release(&result);
        sim_txn_history_release(&h);
    }
    cr_expect(violated > SEEDS / 20 && violated < SEEDS - SEEDS / 20,
              "%" PRIu32 " of %d are violated: both must be put to the test", violated, SEEDS);
}

TestSuite(txn_brute, .timeout = 120);

Test(txn_brute, lists_are_serializable_if_some_order_explains_them)
{
    compare(SIM_TXN_LIST, SIM_TXN_SERIALIZABLE, brute_serializable, BRUTE_ANY, true);
}

Test(txn_brute, or_some_order_that_keeps_each_session)
{
    compare(SIM_TXN_LIST, SIM_TXN_STRONG_SESSION_SERIALIZABLE, brute_serializable, BRUTE_SESSIONS,
            true);
}

Test(txn_brute, or_some_order_that_keeps_real_time)
{
    compare(SIM_TXN_LIST, SIM_TXN_STRICT_SERIALIZABLE, brute_serializable, BRUTE_REALTIME, true);
}

Test(txn_brute, lists_are_snapshot_isolated_if_some_snapshots_explain_them)
{
    compare(SIM_TXN_LIST, SIM_TXN_SNAPSHOT_ISOLATION, brute_snapshot_isolated, BRUTE_ANY, true);
}

Test(txn_brute, or_some_snapshots_that_keep_each_session)
{
    compare(SIM_TXN_LIST, SIM_TXN_STRONG_SESSION_SNAPSHOT_ISOLATION, brute_snapshot_isolated,
            BRUTE_SESSIONS, true);
}

Test(txn_brute, or_some_snapshots_that_keep_real_time)
{
    compare(SIM_TXN_LIST, SIM_TXN_STRONG_SNAPSHOT_ISOLATION, brute_snapshot_isolated,
            BRUTE_REALTIME, true);
}

/* Of registers less is known than can be: nothing may be accused wrongly. */
Test(txn_brute, registers_are_never_accused_wrongly)
{
    compare(SIM_TXN_REGISTER, SIM_TXN_SERIALIZABLE, brute_serializable, BRUTE_ANY, false);
    compare(SIM_TXN_REGISTER, SIM_TXN_STRICT_SERIALIZABLE, brute_serializable, BRUTE_REALTIME,
            false);
    compare(SIM_TXN_REGISTER, SIM_TXN_SNAPSHOT_ISOLATION, brute_snapshot_isolated, BRUTE_ANY,
            false);
}
