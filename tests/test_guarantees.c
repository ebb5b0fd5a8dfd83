/* Session guarantees against their definitions taken word by word, on thousands of small
 * histories of registers and of lists, and on histories by hand. */
#include <criterion/criterion.h>
#include <inttypes.h>

#include "histories.h"
#include "sim/check/check.h"
#include "sim/consistency/guarantees.h"

static const struct sim_budget budget = {.steps = 1000000, .memory_bytes = 64 << 20};

enum { SEEDS = 4000, MEMORY = 1 << 20, OPERATIONS_MAX = 7, GUARANTEES = 4 };

static void (*const checks[GUARANTEES])(const struct sim_history *, const struct sim_budget *,
                                        struct sim_consistency_result *) = {
    [SIM_READ_YOUR_WRITES] = sim_check_read_your_writes,
    [SIM_MONOTONIC_READS] = sim_check_monotonic_reads,
    [SIM_MONOTONIC_WRITES] = sim_check_monotonic_writes,
    [SIM_WRITES_FOLLOW_READS] = sim_check_writes_follow_reads,
};

/* ---- The definitions ---- */

/* A history as sets of operations: bit i is operation i. */
struct naive {
    const struct sim_history *history;
    enum sim_guarantee guarantee;
    uint32_t all;                     /* Those that have taken place. */
    uint32_t version[OPERATIONS_MAX]; /* Of writes: their place in the order of versions. */
    uint32_t visible[OPERATIONS_MAX]; /* Of reads. */
    uint32_t chosen;                  /* Reads of which that has been chosen. */
};

static const struct sim_history_operation *at(const struct naive *n, uint32_t i)
{
    return &n->history->operations[i];
}

static bool writes(const struct naive *n, uint32_t i)
{
    return (n->all >> i & 1) && at(n, i)->action != SIM_ACTION_READ &&
           at(n, i)->action != SIM_ACTION_CAS_MISSED;
}

static bool reads(const struct naive *n, uint32_t i)
{
    return (n->all >> i & 1) && at(n, i)->returned != SIM_POSITION_NEVER &&
           at(n, i)->action != SIM_ACTION_WRITE && at(n, i)->action != SIM_ACTION_APPEND;
}

/* A compare-and-set reads, and then writes. */
static bool read_before_write(const struct naive *n, uint32_t read, uint32_t write)
{
    return read <= write && at(n, read)->process == at(n, write)->process;
}

static bool is_before(const struct naive *n, uint32_t a, uint32_t b)
{
    return a < b && at(n, a)->process == at(n, b)->process &&
           at(n, a)->returned != SIM_POSITION_NEVER;
}

/* Is what a read said the last version of its key in the set, or of a list all of them? */
static bool is_right(const struct naive *n, uint32_t read, uint32_t set)
{
    const struct sim_history *h = n->history;
    const struct sim_history_operation *o = at(n, read);
    uint32_t order[OPERATIONS_MAX];
    uint32_t count = 0;
    for (uint32_t place = 0; place < h->count; place++) {
        for (uint32_t i = 0; i < h->count; i++) {
            if ((set >> i & 1) && at(n, i)->key == o->key && n->version[i] == place) {
                order[count++] = at(n, i)->value;
            }
        }
    }
    if (h->object == SIM_OBJECT_LIST) {
        const uint32_t *items = h->items + h->list_starts[o->result];
        return h->list_starts[o->result + 1] - h->list_starts[o->result] == count &&
               memcmp(items, order, count * sizeof *items) == 0;
    }
    const uint32_t value = count ? order[count - 1] : SIM_VALUE_NIL;
    return o->action == SIM_ACTION_CAS          ? value == o->expected
           : o->action == SIM_ACTION_CAS_MISSED ? value != o->expected
                                                : value == o->result;
}

/* Writes that follow reads: with what has been chosen so far. */
static bool do_follow(const struct naive *n)
{
    for (uint32_t b = 0; b < n->history->count; b++) {
        for (uint32_t c = 0; (n->chosen >> b & 1) && c < n->history->count; c++) {
            if (!writes(n, c) || !read_before_write(n, b, c)) {
                continue;
            }
            for (uint32_t a = 0; a < n->history->count; a++) {
                if ((n->visible[b] >> a & 1) && n->version[a] >= n->version[c]) {
                    return false;
                }
            }
            for (uint32_t r = 0; r < n->history->count; r++) {
                if ((n->chosen >> r & 1) && (n->visible[r] >> c & 1) &&
                    (n->visible[b] & ~n->visible[r])) {
                    return false;
                }
            }
        }
    }
    return true;
}

/* Does what is visible to this read keep the guarantee, with what was chosen before? */
static bool is_kept(const struct naive *n, uint32_t read)
{
    const uint32_t visible = n->visible[read];
    for (uint32_t i = 0; i < n->history->count; i++) {
        switch (n->guarantee) {
        case SIM_READ_YOUR_WRITES:
            if (writes(n, i) && is_before(n, i, read) && !(visible >> i & 1)) {
                return false;
            }
            break;
        case SIM_MONOTONIC_READS:
            if ((n->chosen >> i & 1) && is_before(n, i, read) &&
                at(n, i)->key == at(n, read)->key && (n->visible[i] & ~visible)) {
                return false;
            }
            break;
        case SIM_MONOTONIC_WRITES:
            for (uint32_t c = 0; (visible >> i & 1) && c < i; c++) {
                if (writes(n, c) && is_before(n, c, i) && !(visible >> c & 1)) {
                    return false;
                }
            }
            break;
        case SIM_WRITES_FOLLOW_READS:
            break;
        }
    }
    return n->guarantee != SIM_WRITES_FOLLOW_READS || do_follow(n);
}

static bool choose_visible(struct naive *n, uint32_t from)
{
    while (from < n->history->count && !reads(n, from)) {
        from++;
    }
    if (from == n->history->count) {
        return true;
    }
    uint32_t all = 0;
    for (uint32_t i = 0; i < n->history->count; i++) {
        /* Monotonic reads say nothing of writes of keys that a read is not of. */
        const bool matters =
            n->guarantee != SIM_MONOTONIC_READS || at(n, i)->key == at(n, from)->key;
        all |= (uint32_t)(writes(n, i) && i != from && matters) << i;
    }
    n->chosen |= 1U << from;
    for (uint32_t set = all;; set = (set - 1) & all) {
        n->visible[from] = set;
        if (is_right(n, from, set) && is_kept(n, from)) {
            const bool good = choose_visible(n, from + 1);
            if (good || n->guarantee == SIM_READ_YOUR_WRITES) {
                return good; /* Each read by itself. */
            }
        }
        if (set == 0) {
            break;
        }
    }
    n->chosen &= ~(1U << from);
    return false;
}

/* Try all orders of writes: `place` is that of the next one. */
static bool choose_versions(struct naive *n, uint32_t left, uint32_t place)
{
    if (left == 0) {
        n->chosen = 0;
        return choose_visible(n, 0);
    }
    for (uint32_t i = 0; i < n->history->count; i++) {
        bool can = left >> i & 1;
        for (uint32_t k = 0; k < i && n->guarantee == SIM_MONOTONIC_WRITES; k++) {
            can &= !((left >> k & 1) && is_before(n, k, i));
        }
        n->version[i] = can ? place : n->version[i];
        if (can && choose_versions(n, left & ~(1U << i), place + 1)) {
            return true;
        }
    }
    return false;
}

static bool naive_holds(const struct sim_history *history, enum sim_guarantee guarantee)
{
    struct naive n = {.history = history, .guarantee = guarantee};
    for (uint32_t set = 0; set < 1U << history->count; set++) {
        bool possible = true;
        uint32_t all_writes = 0;
        n.all = set;
        for (uint32_t i = 0; i < history->count && possible; i++) {
            const struct sim_history_operation *o = &history->operations[i];
            const bool in = set >> i & 1;
            possible = o->outcome == SIM_OUTCOME_FAIL                                      ? !in
                       : o->outcome == SIM_OUTCOME_OK && o->returned != SIM_POSITION_NEVER ? in
                                                                                           : true;
            all_writes |= (uint32_t)writes(&n, i) << i;
        }
        if (possible && choose_versions(&n, all_writes, 0)) {
            return true;
        }
    }
    return false;
}

/* ---- Histories ---- */

static uint32_t some_value(struct sim_history *h, struct sim_rng *rng,
                           const struct sim_history_operation *operations, uint32_t count,
                           uint32_t key)
{
    uint32_t values[OPERATIONS_MAX + 1];
    uint32_t found = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (operations[i].key == key && operations[i].value) {
            values[found++] = operations[i].value;
        }
    }
    values[found++] = sim_rng_bounded(rng, 40) ? SIM_VALUE_NIL : sim_history_integer(h, 99);
    return values[sim_rng_bounded(rng, found)];
}

/* Some of what is ever appended, mostly in one order. */
static uint32_t some_list(struct sim_history *h, struct sim_rng *rng,
                          const struct sim_history_operation *operations, uint32_t count,
                          uint32_t key)
{
    uint32_t items[OPERATIONS_MAX];
    uint32_t found = 0;
    const uint32_t length = sim_rng_bounded(rng, count + 1);
    for (uint32_t i = 0; i < length; i++) {
        if (operations[i].key == key && operations[i].value && sim_rng_bounded(rng, 8)) {
            items[found++] = operations[i].value;
        }
    }
    if (found > 1 && sim_rng_bounded(rng, 12) == 0) {
        const uint32_t first = items[0];
        items[0] = items[found - 1];
        items[found - 1] = sim_rng_bounded(rng, 4) ? first : items[0];
    }
    return sim_history_list(h, items, found);
}

static void weak_history(struct sim_history *h, uint32_t object, struct sim_rng *rng, uint64_t seed)
{
    cr_assert_eq(sim_history_init(h, MEMORY), SIM_OK);
    h->object = object;
    const bool list = object == SIM_OBJECT_LIST;
    const uint32_t count = 4 + (uint32_t)(seed % (OPERATIONS_MAX - 4));
    const uint32_t processes = 2 + (uint32_t)(seed / 3 % 2);
    struct sim_history_operation o[OPERATIONS_MAX] = {0};
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t kind = sim_rng_bounded(rng, seed % 3 || list ? 4 : 6);
        o[i].action = kind < 2   ? SIM_ACTION_READ
                      : list     ? SIM_ACTION_APPEND
                      : kind < 4 ? SIM_ACTION_WRITE
                                 : SIM_ACTION_CAS;
        o[i].process = sim_history_process(h, sim_rng_bounded(rng, processes));
        o[i].key = sim_history_integer(h, sim_rng_bounded(rng, 4) == 0);
        if (kind >= 2) {
            const uint32_t few = sim_rng_bounded(rng, 3);
            o[i].value = sim_history_integer(h, 1 + (seed % 4 ? i : few));
        }
    }
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t seen = some_value(h, rng, o, count, o[i].key);
        const uint32_t shown = some_list(h, rng, o, count, o[i].key);
        const bool missed = o[i].action == SIM_ACTION_CAS && sim_rng_bounded(rng, 8) == 0;
        struct sim_history_operation operation = o[i];
        operation.action = missed ? SIM_ACTION_CAS_MISSED : operation.action;
        operation.expected = operation.action == SIM_ACTION_READ ? SIM_VALUE_NIL : seen;
        const uint32_t place = sim_history_invoke(h, &operation);
        const uint32_t fate = sim_rng_bounded(rng, seed % 5 ? 1000 : 12);
        sim_history_return(h, place,
                           fate == 0 && !missed   ? SIM_OUTCOME_INFO
                           : fate == 1 && !missed ? SIM_OUTCOME_FAIL
                                                  : SIM_OUTCOME_OK,
                           o[i].action != SIM_ACTION_READ ? SIM_VALUE_NIL
                           : list                         ? shown
                                                          : seen);
    }
}

static bool holds_without(const struct sim_history *h, const struct sim_consistency_result *result,
                          uint32_t skip, enum sim_guarantee guarantee)
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
    return naive_holds(&weaker, guarantee);
}

static void compare(enum sim_guarantee guarantee, uint32_t object, uint32_t violated_min)
{
    uint32_t verdicts[SIM_VERDICT_COUNT] = {0};
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct sim_rng rng;
        struct sim_history h;
        sim_rng_seed(&rng, seed, 11);
        weak_history(&h, object, &rng, seed);
        struct sim_consistency_result result;
        checks[guarantee](&h, &budget, &result);
        verdicts[result.verdict]++;
        if (result.verdict != SIM_UNKNOWN) {
            cr_assert_eq(result.verdict, naive_holds(&h, guarantee) ? SIM_HOLDS : SIM_VIOLATED,
                         "seed %" PRIu64 ", guarantee %d: we say %s (%s) of%s", seed, guarantee,
                         sim_verdict_name(result.verdict), result.detail, history_text(&h));
        }
        if (result.verdict == SIM_VIOLATED) {
            cr_assert_not(holds_without(&h, &result, UINT32_MAX, guarantee),
                          "seed %" PRIu64 ", guarantee %d: the witness does not do:%s", seed,
                          guarantee, history_text(&h));
        }
        for (uint32_t skip = 0; seed % 4 && seed % 3 && skip < result.witness_count; skip++) {
            cr_assert(holds_without(&h, &result, skip, guarantee),
                      "seed %" PRIu64 ", guarantee %d: %u of the witness can go:%s", seed,
                      guarantee, skip, history_text(&h));
        }
        sim_consistency_result_release(&result);
        sim_history_release(&h);
    }
    cr_expect_gt(verdicts[SIM_HOLDS], SEEDS / 10, "guarantee %d", guarantee);
    cr_expect_gt(verdicts[SIM_VIOLATED], violated_min, "guarantee %d: %u", guarantee,
                 verdicts[SIM_VIOLATED]);
    cr_expect_lt(verdicts[SIM_UNKNOWN], SEEDS / 5, "guarantee %d: %u", guarantee,
                 verdicts[SIM_UNKNOWN]);
}

TestSuite(guarantees, .timeout = 120);

Test(guarantees, read_your_writes_of_registers_as_defined)
{
    compare(SIM_READ_YOUR_WRITES, SIM_OBJECT_REGISTER, SEEDS / 10);
}

Test(guarantees, read_your_writes_of_lists_as_defined)
{
    compare(SIM_READ_YOUR_WRITES, SIM_OBJECT_LIST, SEEDS / 10);
}

Test(guarantees, monotonic_reads_of_registers_as_defined)
{
    compare(SIM_MONOTONIC_READS, SIM_OBJECT_REGISTER, SEEDS / 10);
}

Test(guarantees, monotonic_reads_of_lists_as_defined)
{
    compare(SIM_MONOTONIC_READS, SIM_OBJECT_LIST, SEEDS / 10);
}

Test(guarantees, monotonic_writes_of_lists_as_defined)
{
    compare(SIM_MONOTONIC_WRITES, SIM_OBJECT_LIST, SEEDS / 25);
}

/* Of registers only a circle, or a value from nowhere. */
Test(guarantees, writes_follow_reads_of_registers_as_defined)
{
    compare(SIM_WRITES_FOLLOW_READS, SIM_OBJECT_REGISTER, SEEDS / 40);
}

Test(guarantees, writes_follow_reads_of_lists_as_defined)
{
    compare(SIM_WRITES_FOLLOW_READS, SIM_OBJECT_LIST, SEEDS / 10);
}

/* ---- By hand ---- */

/* "0ax1" appends 1 to x by process 0, "0rx12" reads [1 2]; of registers "0wx1" and "0rx1". */
static void expect(const char *const *words, enum sim_guarantee guarantee, const char *anomaly)
{
    struct sim_history h;
    cr_assert_eq(sim_history_init(&h, MEMORY), SIM_OK);
    for (const char *const *w = words; *w; w++) {
        h.object = (*w)[1] == 'a' ? SIM_OBJECT_LIST : h.object;
    }
    for (; *words; words++) {
        const char *w = *words;
        uint32_t items[8];
        size_t count = 0;
        for (; w[3 + count]; count++) {
            items[count] = sim_history_integer(&h, w[3 + count] - '0');
        }
        const struct sim_history_operation o = {
            .process = sim_history_process(&h, (uint64_t)w[0]),
            .key = sim_history_integer(&h, w[2]),
            .action = w[1] == 'a'   ? SIM_ACTION_APPEND
                      : w[1] == 'w' ? SIM_ACTION_WRITE
                                    : SIM_ACTION_READ,
            .value = w[1] == 'r' ? SIM_VALUE_NIL : items[0],
        };
        const uint32_t place = sim_history_invoke(&h, &o);
        const bool list = h.object == SIM_OBJECT_LIST;
        const uint32_t result = w[1] != 'r' || (!list && count == 0) ? SIM_VALUE_NIL
                                : list ? sim_history_list(&h, items, count)
                                       : items[0];
        sim_history_return(&h, place, SIM_OUTCOME_OK, result);
    }
    struct sim_consistency_result result;
    checks[guarantee](&h, &budget, &result);
    cr_expect_eq(result.verdict, anomaly ? SIM_VIOLATED : SIM_HOLDS, "%s:%s", result.detail,
                 history_text(&h));
    cr_expect_neq(result.detail[0], 0);
    if (anomaly) {
        cr_assert_eq(result.anomaly_count, 1);
        cr_expect_str_eq(result.anomalies[0], anomaly);
    }
    sim_consistency_result_release(&result);
    sim_history_release(&h);
}

#define HISTORY(...) ((const char *const[]){__VA_ARGS__, NULL})

Test(guarantees, read_your_writes)
{
    const char *name = "not-read-your-writes";
    expect(HISTORY("0wx1", "0rx"), SIM_READ_YOUR_WRITES, name);
    expect(HISTORY("0wx1", "1rx"), SIM_READ_YOUR_WRITES, NULL);
    expect(HISTORY("1wx2", "0wx1", "0rx2"), SIM_READ_YOUR_WRITES, NULL); /* 2 may be newer, */
    expect(HISTORY("1wx2", "0wx1", "0rx2", "1rx1"), SIM_READ_YOUR_WRITES, name); /* not both. */
    expect(HISTORY("0ax1", "0rx"), SIM_READ_YOUR_WRITES, name);
    expect(HISTORY("0ax1", "1ax2", "0rx21", "1rx2"), SIM_READ_YOUR_WRITES, NULL);
}

Test(guarantees, monotonic_reads)
{
    const char *name = "not-monotonic-reads";
    expect(HISTORY("0wx1", "1rx1", "1rx"), SIM_MONOTONIC_READS, name);
    expect(HISTORY("0wx1", "0wx2", "1rx2", "1rx1"), SIM_MONOTONIC_READS, NULL);
    expect(HISTORY("0wx1", "0wx2", "1rx2", "1rx1", "1rx2"), SIM_MONOTONIC_READS, name);
    expect(HISTORY("0wx1", "0wx2", "1rx2", "1rx1", "2rx1", "2rx2"), SIM_MONOTONIC_READS, name);
    expect(HISTORY("0ax1", "0ax2", "1rx12", "1rx1"), SIM_MONOTONIC_READS, name);
    expect(HISTORY("0ax1", "0ax2", "1rx12", "2rx1"), SIM_MONOTONIC_READS, NULL);
}

Test(guarantees, monotonic_writes)
{
    const char *name = "not-monotonic-writes";
    expect(HISTORY("0ax1", "0ax2", "1rx2"), SIM_MONOTONIC_WRITES, name);
    expect(HISTORY("0ax1", "0ax2", "1rx21"), SIM_MONOTONIC_WRITES, name);
    expect(HISTORY("0ax1", "1ax2", "2rx2", "2rx1"), SIM_MONOTONIC_WRITES, NULL);
    expect(HISTORY("0ax1", "0ay1", "1ay2", "1ax2", "2rx21", "2ry12"), SIM_MONOTONIC_WRITES, name);
}

Test(guarantees, writes_follow_reads)
{
    const char *name = "not-writes-follow-reads";
    expect(HISTORY("0ax1", "1rx1", "1ax2", "2rx2"), SIM_WRITES_FOLLOW_READS, name);
    expect(HISTORY("0ax1", "1rx1", "1ax2", "2rx21"), SIM_WRITES_FOLLOW_READS, name);
    expect(HISTORY("0ax1", "1ax2", "1rx21", "2rx2"), SIM_WRITES_FOLLOW_READS, NULL);
    /* By way of another key. */
    expect(HISTORY("0ax1", "1rx1", "1ay1", "2ry1", "2ax2", "3rx2"), SIM_WRITES_FOLLOW_READS, name);
    expect(HISTORY("0rx1", "0wy1", "1ry1", "1wx1"), SIM_WRITES_FOLLOW_READS, name);
    expect(HISTORY("0wx1", "1rx1", "1wx2", "2rx2", "2rx1"), SIM_WRITES_FOLLOW_READS, NULL);
}
