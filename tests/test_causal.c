/* Causal consistency in its forms and PRAM, against their definitions taken word by word, on
 * thousands of small histories, and on histories by hand. */
#include <criterion/criterion.h>

#include "definitions.h"
#include "sim/consistency/causal.h"

enum { SEEDS = 6000, OPERATIONS_MAX = 9, INITIAL = 31 };

enum model { CAUSAL, CONVERGENCE, MEMORY_MODEL, PRAM, MODEL_COUNT };

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
static bool naive_holds(const struct sim_history *history, uint32_t model)
{
    struct naive n = {.history = history, .model = (enum model)model};
    for (uint32_t set = 0; set < 1U << history->count; set++) {
        n.all = set;
        if (may_have_taken_place(history, set) && try_sources(&n, 0)) {
            return true;
        }
    }
    return false;
}

/* ---- Against them ---- */

static void compare(enum model model)
{
    static const struct {
        const char *name;
        sim_model_check_fn check;
    } models[MODEL_COUNT] = {[CAUSAL] = {"causal", sim_check_causal},
                             [CONVERGENCE] = {"convergence", sim_check_causal_convergence},
                             [MEMORY_MODEL] = {"memory", sim_check_causal_memory},
                             [PRAM] = {"PRAM", sim_check_pram}};
    const struct definition definition = {.name = models[model].name,
                                          .check = models[model].check,
                                          .holds = naive_holds,
                                          .model = model};
    const struct weak_history weak = {.object = SIM_OBJECT_REGISTER,
                                      .operations_max = OPERATIONS_MAX,
                                      .processes_max = 4,
                                      .second_key_in = 2};
    compare_with_definition(&definition, &weak, SEEDS, SEEDS / 10);
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

/* Each sees its own write first and then the other's: two orders. */
Test(causal, memory_without_convergence)
{
    const char *const *h = HISTORY("0wx1", "1wx2", "0rx2", "1rx1");
    expect_anomaly(sim_check_causal, h, NULL);
    expect_anomaly(sim_check_causal_memory, h, NULL);
    expect_anomaly(sim_check_pram, h, NULL);
    expect_anomaly(sim_check_causal_convergence, h, "CyclicCF");
}

/* z is not seen yet, so 1's own x must come before 0's; then y is seen, and x is still its own. */
Test(causal, convergence_without_memory)
{
    const char *const *h = HISTORY("0wz1", "0wx1", "0wy1", "1wx2", "1rz", "1ry1", "1rx2");
    expect_anomaly(sim_check_causal, h, NULL);
    expect_anomaly(sim_check_causal_convergence, h, NULL);
    expect_anomaly(sim_check_causal_memory, h, "CyclicHB");
    expect_anomaly(sim_check_pram, h, "not-pram");
}

/* One write after the other, and back. */
Test(causal, neither_memory_nor_convergence)
{
    const char *const *h = HISTORY("0wx1", "1wx2", "1rx1", "1rx2");
    expect_anomaly(sim_check_causal, h, NULL);
    expect_anomaly(sim_check_causal_memory, h, "CyclicHB");
    expect_anomaly(sim_check_causal_convergence, h, "CyclicCF");
}

/* All of them, and yet in no single order. */
Test(causal, all_forms_without_sequential)
{
    const char *const *h = HISTORY("0wx1", "0ry", "0wy1", "0rx1", "1wx2", "1ry", "1wy2", "1rx2");
    expect_anomaly(sim_check_causal, h, NULL);
    expect_anomaly(sim_check_causal_convergence, h, NULL);
    expect_anomaly(sim_check_causal_memory, h, NULL);
    expect_anomaly(sim_check_pram, h, NULL);
}

/* The answer to a message is seen, and then what the message had replaced. */
Test(causal, not_causal)
{
    const char *const *h = HISTORY("0wx1", "0wy1", "1ry1", "1wx2", "2rx2", "2rx1");
    expect_anomaly(sim_check_causal, h, "WriteCORead");
    expect_anomaly(sim_check_causal_convergence, h, "WriteCORead");
    expect_anomaly(sim_check_causal_memory, h, "WriteCORead");
    expect_anomaly(sim_check_pram, h, NULL);
}

Test(causal, each_pattern_has_its_name)
{
    expect_anomaly(sim_check_causal, HISTORY("0rx7"), "ThinAirRead");
    expect_anomaly(sim_check_pram, HISTORY("0rx7"), "not-pram");
    expect_anomaly(sim_check_causal, HISTORY("0wx1", "1rx1", "1rx"), "WriteCOInitRead");
    expect_anomaly(sim_check_pram, HISTORY("0wx1", "1rx1", "1rx"), "not-pram");
    expect_anomaly(sim_check_causal, HISTORY("0rx1", "0wy1", "1ry1", "1wx1"), "CyclicCO");
    expect_anomaly(sim_check_pram, HISTORY("0rx1", "0wy1", "1ry1", "1wx1"), NULL);
    /* Its own y comes after that of 0, or it could not read it, and x comes before that. */
    expect_anomaly(sim_check_causal, HISTORY("0wx1", "0wy1", "1wy2", "1ry1", "1ry2", "1rx"),
                   "WriteCOInitRead");
    expect_anomaly(sim_check_causal_memory,
                   HISTORY("0wx1", "0wy1", "1rx", "1wy2", "2ry2", "2ry1", "2rx1"), NULL);
}
