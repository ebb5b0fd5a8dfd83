/* Session guarantees against their definitions taken word by word, on thousands of small
 * histories of registers and of lists, and on histories by hand. */
#include <criterion/criterion.h>

#include "definitions.h"
#include "sim/consistency/guarantees.h"

enum { SEEDS = 4000, OPERATIONS_MAX = 6 };

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

/* Try every way in which operations of unknown outcome did or did not take place. */
static bool naive_holds(const struct sim_history *history, uint32_t guarantee)
{
    struct naive n = {.history = history, .guarantee = (enum sim_guarantee)guarantee};
    for (uint32_t set = 0; set < 1U << history->count; set++) {
        uint32_t all_writes = 0;
        n.all = set;
        for (uint32_t i = 0; i < history->count; i++) {
            all_writes |= (uint32_t)writes(&n, i) << i;
        }
        if (may_have_taken_place(history, set) && choose_versions(&n, all_writes, 0)) {
            return true;
        }
    }
    return false;
}

/* ---- Against them ---- */

static void compare(enum sim_guarantee guarantee, uint32_t object, uint32_t violated_min)
{
    static const struct {
        const char *name;
        sim_model_check_fn check;
    } guarantees[] = {
        [SIM_READ_YOUR_WRITES] = {"read your writes", sim_check_read_your_writes},
        [SIM_MONOTONIC_READS] = {"monotonic reads", sim_check_monotonic_reads},
        [SIM_MONOTONIC_WRITES] = {"monotonic writes", sim_check_monotonic_writes},
        [SIM_WRITES_FOLLOW_READS] = {"writes follow reads", sim_check_writes_follow_reads},
    };
    const struct definition definition = {.name = guarantees[guarantee].name,
                                          .check = guarantees[guarantee].check,
                                          .holds = naive_holds,
                                          .model = guarantee};
    const struct weak_history weak = {
        .object = object, .operations_max = OPERATIONS_MAX, .processes_max = 3, .second_key_in = 4};
    compare_with_definition(&definition, &weak, SEEDS, violated_min);
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

/* These checkers say something in words even of a history that holds. */
static void expect(sim_model_check_fn check, const char *const *words, const char *anomaly)
{
    cr_expect(expect_anomaly(check, words, anomaly), "nothing in words");
}

Test(guarantees, read_your_writes)
{
    const sim_model_check_fn check = sim_check_read_your_writes;
    const char *name = "not-read-your-writes";
    expect(check, HISTORY("0wx1", "0rx"), name);
    expect(check, HISTORY("0wx1", "1rx"), NULL);
    expect(check, HISTORY("1wx2", "0wx1", "0rx2"), NULL);         /* 2 may be newer, */
    expect(check, HISTORY("1wx2", "0wx1", "0rx2", "1rx1"), name); /* not both. */
    expect(check, HISTORY("0ax1", "0rx"), name);
    expect(check, HISTORY("0ax1", "1ax2", "0rx21", "1rx2"), NULL);
}

Test(guarantees, monotonic_reads)
{
    const sim_model_check_fn check = sim_check_monotonic_reads;
    const char *name = "not-monotonic-reads";
    expect(check, HISTORY("0wx1", "1rx1", "1rx"), name);
    expect(check, HISTORY("0wx1", "0wx2", "1rx2", "1rx1"), NULL);
    expect(check, HISTORY("0wx1", "0wx2", "1rx2", "1rx1", "1rx2"), name);
    expect(check, HISTORY("0wx1", "0wx2", "1rx2", "1rx1", "2rx1", "2rx2"), name);
    expect(check, HISTORY("0ax1", "0ax2", "1rx12", "1rx1"), name);
    expect(check, HISTORY("0ax1", "0ax2", "1rx12", "2rx1"), NULL);
}

Test(guarantees, monotonic_writes)
{
    const sim_model_check_fn check = sim_check_monotonic_writes;
    const char *name = "not-monotonic-writes";
    expect(check, HISTORY("0ax1", "0ax2", "1rx2"), name);
    expect(check, HISTORY("0ax1", "0ax2", "1rx21"), name);
    expect(check, HISTORY("0ax1", "1ax2", "2rx2", "2rx1"), NULL);
    expect(check, HISTORY("0ax1", "0ay1", "1ay2", "1ax2", "2rx21", "2ry12"), name);
}

Test(guarantees, writes_follow_reads)
{
    const sim_model_check_fn check = sim_check_writes_follow_reads;
    const char *name = "not-writes-follow-reads";
    expect(check, HISTORY("0ax1", "1rx1", "1ax2", "2rx2"), name);
    expect(check, HISTORY("0ax1", "1rx1", "1ax2", "2rx21"), name);
    expect(check, HISTORY("0ax1", "1ax2", "1rx21", "2rx2"), NULL);
    /* By way of another key. */
    expect(check, HISTORY("0ax1", "1rx1", "1ay1", "2ry1", "2ax2", "3rx2"), name);
    expect(check, HISTORY("0rx1", "0wy1", "1ry1", "1wx1"), name);
    expect(check, HISTORY("0wx1", "1rx1", "1wx2", "2rx2", "2rx1"), NULL);
}
