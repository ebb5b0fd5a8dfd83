/* Causal consistency in its forms and PRAM, against their definitions taken word by word, on
 * thousands of small histories, and on histories by hand. */
#include <criterion/criterion.h>
#include <inttypes.h>

#include "histories.h"
#include "sim/check/check.h"
#include "sim/consistency/causal.h"

static const struct sim_budget budget = {.steps = 1000000, .memory_bytes = 64 << 20};

enum { SEEDS = 6000, MEMORY = 1 << 20, OPERATIONS_MAX = 9, INITIAL = 31 };

enum model { CAUSAL, CONVERGENCE, MEMORY_MODEL, PRAM, MODEL_COUNT };

static void (*const checks[MODEL_COUNT])(const struct sim_history *, const struct sim_budget *,
                                         struct sim_consistency_result *) = {
    sim_check_causal, sim_check_causal_convergence, sim_check_causal_memory, sim_check_pram};

/* ---- The definitions ---- */

/* A history as sets of operations: bit i is operation i. */
struct naive {
    const struct sim_history *history;
    uint32_t all;                    /* Those that have taken place. */
    uint32_t past[OPERATIONS_MAX];   /* What comes before each in the order at hand. */
    uint32_t source[OPERATIONS_MAX]; /* Of those that read: an operation or INITIAL. */
    enum model model;
};

static const struct sim_history_operation *at(const struct naive *n, uint32_t i)
{
    return &n->history->operations[i];
}

static bool writes(const struct naive *n, uint32_t i)
{
    return at(n, i)->action == SIM_ACTION_WRITE || at(n, i)->action == SIM_ACTION_CAS;
}

/* What nobody was told of is no observation. */
static bool reads(const struct naive *n, uint32_t i)
{
    if (at(n, i)->returned == SIM_POSITION_NEVER) {
        return false;
    }
    return at(n, i)->action == SIM_ACTION_CAS || at(n, i)->action == SIM_ACTION_CAS_MISSED ||
           (at(n, i)->action == SIM_ACTION_READ && at(n, i)->outcome == SIM_OUTCOME_OK);
}

static bool may_read(const struct naive *n, uint32_t i, uint32_t value)
{
    switch (at(n, i)->action) {
    case SIM_ACTION_CAS:
        return value == at(n, i)->expected;
    case SIM_ACTION_CAS_MISSED:
        return value != at(n, i)->expected;
    default:
        return value == at(n, i)->result;
    }
}

/* Can everything in `left` be put after what was, each after its past, so that the reads among
 * `looking` find the last write of their key to be their source? latest[]: by key. */
static bool can_order(const struct naive *n, uint32_t left, uint32_t looking,
                      const uint32_t latest[2])
{
    if (left == 0) {
        return true;
    }
    for (uint32_t i = 0; i < n->history->count; i++) {
        const uint32_t key = (uint32_t)n->history->values[at(n, i)->key].bits;
        if (!(left >> i & 1) || (n->past[i] & left) ||
            ((looking >> i & 1) && reads(n, i) && latest[key] != n->source[i])) {
            continue;
        }
        uint32_t next[2] = {latest[0], latest[1]};
        next[key] = writes(n, i) ? i : latest[key];
        if (can_order(n, left & ~(1U << i), looking, next)) {
            return true;
        }
    }
    return false;
}

static const uint32_t nothing_yet[2] = {INITIAL, INITIAL};

static uint32_t all_writes(const struct naive *n, uint32_t among)
{
    for (uint32_t i = 0; i < n->history->count; i++) {
        among &= writes(n, i) ? UINT32_MAX : ~(1U << i);
    }
    return among;
}

/* Each read by itself, in some order of the writes in its past. */
static bool is_causal(const struct naive *n)
{
    for (uint32_t i = 0; i < n->history->count; i++) {
        if ((n->all >> i & 1) && reads(n, i) &&
            !can_order(n, all_writes(n, n->past[i]) | 1U << i, 1U << i, nothing_yet)) {
            return false;
        }
    }
    return true;
}

/* Some order of all writes, in `order` so far, in which each read finds its source to be the last
 * of its key in its past. */
static bool can_arbitrate(const struct naive *n, uint32_t left, const uint32_t *order,
                          uint32_t count)
{
    uint32_t longer[OPERATIONS_MAX];
    memcpy(longer, order, count * sizeof *order);
    for (uint32_t i = 0; i < n->history->count; i++) {
        if (!(left >> i & 1) || (n->past[i] & left)) {
            continue;
        }
        longer[count] = i;
        if (can_arbitrate(n, left & ~(1U << i), longer, count + 1)) {
            return true;
        }
    }
    for (uint32_t i = 0; left == 0 && i < n->history->count; i++) {
        uint32_t last = INITIAL;
        for (uint32_t k = 0; k < count; k++) {
            last = (n->past[i] >> order[k] & 1) && at(n, order[k])->key == at(n, i)->key ? order[k]
                                                                                         : last;
        }
        if ((n->all >> i & 1) && reads(n, i) && last != n->source[i]) {
            return false;
        }
    }
    return left == 0;
}

/* Of each process all that it was told, in one order of all writes. */
static bool is_explained_by_process(const struct naive *n)
{
    for (uint32_t p = 0; p < n->history->process_count; p++) {
        uint32_t own = 0;
        for (uint32_t i = 0; i < n->history->count; i++) {
            own |= (at(n, i)->process == p) << i;
        }
        own &= n->all;
        if (!can_order(n, all_writes(n, n->all) | own, own, nothing_yet)) {
            return false;
        }
    }
    return true;
}

static bool is_before_in_session(const struct naive *n, uint32_t a, uint32_t b)
{
    return a < b && at(n, a)->process == at(n, b)->process && (n->all >> a & 1) &&
           at(n, a)->returned != SIM_POSITION_NEVER;
}

/* The sources are chosen: causal order, and what the model demands of it. */
static bool is_allowed(struct naive *n)
{
    const uint32_t count = (uint32_t)n->history->count;
    for (uint32_t i = 0; i < count; i++) {
        n->past[i] = 0;
        for (uint32_t k = 0; k < count; k++) {
            n->past[i] |= is_before_in_session(n, k, i) << k;
        }
        if ((n->all >> i & 1) && reads(n, i) && n->source[i] != INITIAL && n->model != PRAM) {
            n->past[i] |= 1U << n->source[i];
        }
    }
    for (uint32_t k = 0; k < count; k++) {
        for (uint32_t i = 0; i < count; i++) {
            n->past[i] |= n->past[i] >> k & 1 ? n->past[k] : 0;
        }
    }
    for (uint32_t i = 0; i < count; i++) {
        if (n->past[i] >> i & 1) {
            return false;
        }
    }
    const uint32_t order[OPERATIONS_MAX] = {0};
    return n->model == CAUSAL        ? is_causal(n)
           : n->model == CONVERGENCE ? can_arbitrate(n, all_writes(n, n->all), order, 0)
                                     : is_explained_by_process(n);
}

/* Try every source of every read from operation `from` on. */
static bool try_sources(struct naive *n, uint32_t from)
{
    while (from < n->history->count && !((n->all >> from & 1) && reads(n, from))) {
        from++;
    }
    if (from == n->history->count) {
        return is_allowed(n);
    }
    for (uint32_t w = 0; w < n->history->count; w++) {
        n->source[from] = w;
        if ((n->all >> w & 1) && w != from && writes(n, w) && at(n, w)->key == at(n, from)->key &&
            may_read(n, from, at(n, w)->value) && try_sources(n, from + 1)) {
            return true;
        }
    }
    n->source[from] = INITIAL;
    return may_read(n, from, SIM_VALUE_NIL) && try_sources(n, from + 1);
}

/* Try every way in which operations of unknown outcome did or did not take place. */
static bool naive_holds(const struct sim_history *history, enum model model)
{
    struct naive n = {.history = history, .model = model};
    for (uint32_t set = 0; set < 1U << history->count; set++) {
        bool possible = true;
        for (uint32_t i = 0; i < history->count && possible; i++) {
            const struct sim_history_operation *o = &history->operations[i];
            const bool in = set >> i & 1;
            possible = o->outcome == SIM_OUTCOME_FAIL                                      ? !in
                       : o->outcome == SIM_OUTCOME_OK && o->returned != SIM_POSITION_NEVER ? in
                                                                                           : true;
        }
        n.all = set;
        if (possible && try_sources(&n, 0)) {
            return true;
        }
    }
    return false;
}

/* ---- Histories ---- */

static uint32_t some_value(struct sim_history *h, struct sim_rng *rng, const uint32_t *values,
                           const uint32_t *keys, uint32_t count, uint32_t key)
{
    uint32_t matching[OPERATIONS_MAX + 1];
    uint32_t found = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (keys[i] == key) {
            matching[found++] = values[i];
        }
    }
    matching[found++] = sim_rng_bounded(rng, 40) ? SIM_VALUE_NIL : sim_history_integer(h, 99);
    return matching[sim_rng_bounded(rng, found)];
}

/* Processes that read anything that anybody ever writes: rarely right, and seldom all wrong. */
static void weak_history(struct sim_history *h, struct sim_rng *rng, uint64_t seed)
{
    cr_assert_eq(sim_history_init(h, MEMORY), SIM_OK);
    const uint32_t count = 4 + (uint32_t)(seed % (OPERATIONS_MAX - 3));
    const uint32_t processes = 2 + (uint32_t)(seed / 3 % 3);
    const bool unique = seed % 4 != 0;
    const bool compares = seed % 3 == 0;
    struct sim_history_operation o[OPERATIONS_MAX] = {0};
    uint32_t values[OPERATIONS_MAX];
    uint32_t keys[OPERATIONS_MAX];
    uint32_t written = 0;
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t kind = sim_rng_bounded(rng, compares ? 6 : 4);
        o[i].action = kind < 2 ? SIM_ACTION_READ : kind < 4 ? SIM_ACTION_WRITE : SIM_ACTION_CAS;
        o[i].process = sim_history_process(h, sim_rng_bounded(rng, processes));
        o[i].key = sim_history_integer(h, sim_rng_bounded(rng, 2));
        if (kind >= 2) {
            const uint32_t chosen = sim_rng_bounded(rng, 3);
            o[i].value = sim_history_integer(h, 1 + (unique ? i : chosen));
            keys[written] = o[i].key;
            values[written++] = o[i].value;
        }
    }
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t seen = some_value(h, rng, values, keys, written, o[i].key);
        const bool missed = o[i].action == SIM_ACTION_CAS && sim_rng_bounded(rng, 8) == 0;
        o[i].action = missed ? SIM_ACTION_CAS_MISSED : o[i].action;
        o[i].expected = o[i].action == SIM_ACTION_READ ? SIM_VALUE_NIL : seen;
        const uint32_t place = sim_history_invoke(h, &o[i]);
        const uint32_t fate = sim_rng_bounded(rng, seed % 5 ? 1000 : 12);
        sim_history_return(h, place,
                           fate == 0 && !missed   ? SIM_OUTCOME_INFO
                           : fate == 1 && !missed ? SIM_OUTCOME_FAIL
                                                  : SIM_OUTCOME_OK,
                           o[i].action == SIM_ACTION_READ ? seen : SIM_VALUE_NIL);
    }
}

static bool holds_without(const struct sim_history *h, const struct sim_consistency_result *result,
                          uint32_t skip, enum model model)
{
    static struct sim_history_operation kept[OPERATIONS_MAX];
    memcpy(kept, h->operations, h->count * sizeof *kept);
    for (uint32_t i = 0, next = 0; i < h->count; i++) {
        const bool named = next < result->witness_count && result->witness[next] == i;
        if ((!named || next == skip) && kept[i].outcome != SIM_OUTCOME_FAIL) {
            kept[i].returned = SIM_POSITION_NEVER;
        }
        next += named;
    }
    struct sim_history weaker = *h;
    weaker.operations = kept;
    return naive_holds(&weaker, model);
}

static void compare(enum model model)
{
    uint32_t verdicts[SIM_VERDICT_COUNT] = {0};
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct sim_rng rng;
        struct sim_history h;
        sim_rng_seed(&rng, seed, 7);
        weak_history(&h, &rng, seed);
        struct sim_consistency_result result;
        checks[model](&h, &budget, &result);
        verdicts[result.verdict]++;
        if (result.verdict != SIM_UNKNOWN) {
            cr_assert_eq(result.verdict, naive_holds(&h, model) ? SIM_HOLDS : SIM_VIOLATED,
                         "seed %" PRIu64 ", model %d: we say %s (%s) of%s", seed, model,
                         sim_verdict_name(result.verdict), result.detail, history_text(&h));
        }
        if (result.verdict == SIM_VIOLATED) {
            cr_assert_not(holds_without(&h, &result, UINT32_MAX, model),
                          "seed %" PRIu64 ", model %d: the witness does not do:%s", seed, model,
                          history_text(&h));
        }
        for (uint32_t skip = 0; seed % 4 && seed % 3 && skip < result.witness_count; skip++) {
            cr_assert(holds_without(&h, &result, skip, model),
                      "seed %" PRIu64 ", model %d: %u of the witness can go:%s", seed, model, skip,
                      history_text(&h));
        }
        sim_consistency_result_release(&result);
        sim_history_release(&h);
    }
    cr_expect_gt(verdicts[SIM_HOLDS], SEEDS / 10, "model %d", model);
    cr_expect_gt(verdicts[SIM_VIOLATED], SEEDS / 10, "model %d", model);
    cr_expect_lt(verdicts[SIM_UNKNOWN], SEEDS / 5, "model %d: %u", model, verdicts[SIM_UNKNOWN]);
}

TestSuite(causal, .timeout = 120);

Test(causal, as_its_definition_says)
{
    compare(CAUSAL);
}

Test(causal, convergence_as_its_definition_says)
{
    compare(CONVERGENCE);
}

Test(causal, memory_as_its_definition_says)
{
    compare(MEMORY_MODEL);
}

Test(causal, pram_as_its_definition_says)
{
    compare(PRAM);
}

/* ---- By hand: the examples of the paper, figure 3 ---- */

/* "0wx1" is a write of 1 to x by process 0, "0rx1" a read. */
static void expect(const char *const *words, enum model model, const char *anomaly)
{
    struct sim_history h;
    cr_assert_eq(sim_history_init(&h, MEMORY), SIM_OK);
    for (; *words; words++) {
        const char *w = *words;
        const uint32_t value = w[3] == '0' ? SIM_VALUE_NIL : sim_history_integer(&h, w[3] - '0');
        const struct sim_history_operation o = {
            .process = sim_history_process(&h, (uint64_t)w[0]),
            .key = sim_history_integer(&h, w[2]),
            .action = w[1] == 'w' ? SIM_ACTION_WRITE : SIM_ACTION_READ,
            .value = w[1] == 'w' ? value : SIM_VALUE_NIL,
        };
        const uint32_t place = sim_history_invoke(&h, &o);
        sim_history_return(&h, place, SIM_OUTCOME_OK, w[1] == 'w' ? SIM_VALUE_NIL : value);
    }
    struct sim_consistency_result result;
    checks[model](&h, &budget, &result);
    cr_expect_eq(result.verdict, anomaly ? SIM_VIOLATED : SIM_HOLDS, "%s", history_text(&h));
    if (anomaly) {
        cr_assert_eq(result.anomaly_count, 1);
        cr_expect_str_eq(result.anomalies[0], anomaly);
    }
    sim_consistency_result_release(&result);
    sim_history_release(&h);
}

#define HISTORY(...) ((const char *const[]){__VA_ARGS__, NULL})

/* Each sees its own write first and then the other's: two orders. */
Test(causal, memory_without_convergence)
{
    const char *const *h = HISTORY("0wx1", "1wx2", "0rx2", "1rx1");
    expect(h, CAUSAL, NULL);
    expect(h, MEMORY_MODEL, NULL);
    expect(h, PRAM, NULL);
    expect(h, CONVERGENCE, "CyclicCF");
}

/* z is not seen yet, so 1's own x must come before 0's; then y is seen, and x is still its own. */
Test(causal, convergence_without_memory)
{
    const char *const *h = HISTORY("0wz1", "0wx1", "0wy1", "1wx2", "1rz0", "1ry1", "1rx2");
    expect(h, CAUSAL, NULL);
    expect(h, CONVERGENCE, NULL);
    expect(h, MEMORY_MODEL, "CyclicHB");
    expect(h, PRAM, "not-pram");
}

/* One write after the other, and back. */
Test(causal, neither_memory_nor_convergence)
{
    const char *const *h = HISTORY("0wx1", "1wx2", "1rx1", "1rx2");
    expect(h, CAUSAL, NULL);
    expect(h, MEMORY_MODEL, "CyclicHB");
    expect(h, CONVERGENCE, "CyclicCF");
}

/* All of them, and yet in no single order. */
Test(causal, all_forms_without_sequential)
{
    const char *const *h = HISTORY("0wx1", "0ry0", "0wy1", "0rx1", "1wx2", "1ry0", "1wy2", "1rx2");
    expect(h, CAUSAL, NULL);
    expect(h, CONVERGENCE, NULL);
    expect(h, MEMORY_MODEL, NULL);
    expect(h, PRAM, NULL);
}

/* The answer to a message is seen, and then what the message had replaced. */
Test(causal, not_causal)
{
    const char *const *h = HISTORY("0wx1", "0wy1", "1ry1", "1wx2", "2rx2", "2rx1");
    expect(h, CAUSAL, "WriteCORead");
    expect(h, CONVERGENCE, "WriteCORead");
    expect(h, MEMORY_MODEL, "WriteCORead");
    expect(h, PRAM, NULL);
}

Test(causal, each_pattern_has_its_name)
{
    expect(HISTORY("0rx7"), CAUSAL, "ThinAirRead");
    expect(HISTORY("0rx7"), PRAM, "not-pram");
    expect(HISTORY("0wx1", "1rx1", "1rx0"), CAUSAL, "WriteCOInitRead");
    expect(HISTORY("0wx1", "1rx1", "1rx0"), PRAM, "not-pram");
    expect(HISTORY("0rx1", "0wy1", "1ry1", "1wx1"), CAUSAL, "CyclicCO");
    expect(HISTORY("0rx1", "0wy1", "1ry1", "1wx1"), PRAM, NULL);
    /* Its own y comes after that of 0, or it could not read it, and x comes before that. */
    expect(HISTORY("0wx1", "0wy1", "1wy2", "1ry1", "1ry2", "1rx0"), CAUSAL, "WriteCOInitRead");
    expect(HISTORY("0wx1", "0wy1", "1rx0", "1wy2", "2ry2", "2ry1", "2rx1"), MEMORY_MODEL, NULL);
}
