#include "definitions.h"

#include <criterion/criterion.h>
#include <inttypes.h>

const struct sim_budget ample_budget = {.steps = 1000000, .memory_bytes = 64 << 20};

/* ---- Against a definition ---- */

bool may_have_taken_place(const struct sim_history *history, uint32_t set)
{
    for (uint32_t i = 0; i < history->count; i++) {
        const struct sim_history_operation *o = &history->operations[i];
        const bool in = set >> i & 1;
        const bool returned = o->outcome == SIM_OUTCOME_OK && o->returned != SIM_POSITION_NEVER;
        if ((in && o->outcome == SIM_OUTCOME_FAIL) || (!in && returned)) {
            return false;
        }
    }
    return true;
}

/* Does it hold if all but the witness, and one of the witness, too, need not have returned?
 * UINT32_MAX: none of it. */
static bool holds_without(const struct definition *definition, const struct sim_history *history,
                          const struct sim_consistency_result *result, uint32_t skip)
{
    static struct sim_history_operation kept[BRUTE_OPERATIONS_MAX];
    cr_assert_leq(history->count, BRUTE_OPERATIONS_MAX);
    memcpy(kept, history->operations, history->count * sizeof *kept);
    for (uint32_t i = 0, next = 0; i < history->count; i++) {
        const bool named = next < result->witness_count && result->witness[next] == i;
        if ((!named || next == skip) && kept[i].outcome != SIM_OUTCOME_FAIL) {
            kept[i].returned = SIM_POSITION_NEVER;
        }
        next += named;
    }
    struct sim_history weaker = *history;
    weaker.operations = kept;
    return definition->holds(&weaker, definition->model);
}

static bool is_about(const struct sim_history *history, const struct sim_history_operation *o,
                     uint32_t value)
{
    if (o->action == SIM_ACTION_READ && history->object == SIM_OBJECT_SET) {
        bool has = false;
        cr_assert_neq(o->result, SIM_VALUE_UNKNOWN);
        for (size_t i = history->list_starts[o->result]; i < history->list_starts[o->result + 1];
             i++) {
            has |= history->items[i] == value;
        }
        return has;
    }
    return o->value == value || o->expected == value || o->result == value;
}

/* Is it shown where the value came from, or was to come from, or went to, that another of the
 * witness is about? */
static bool tells_story(const struct sim_history *history,
                        const struct sim_consistency_result *result, uint32_t which)
{
    const struct sim_history_operation *o = &history->operations[result->witness[which]];
    const bool takes = o->action == SIM_ACTION_DEQUEUE || o->action == SIM_ACTION_POP;
    const uint32_t value = takes ? o->result : o->value;
    bool tells = false;
    for (uint32_t i = 0; i < result->witness_count; i++) {
        const struct sim_history_operation *other = &history->operations[result->witness[i]];
        tells |= i != which && is_about(history, other, value);
    }
    return tells && o->action != SIM_ACTION_READ && value != SIM_VALUE_NIL;
}

static void leave_out_story(const struct definition *definition, const struct sim_history *history,
                            struct sim_consistency_result *result)
{
    for (uint32_t i = 0; i < result->witness_count;) {
        if (tells_story(history, result, i) && !holds_without(definition, history, result, i)) {
            result->witness_count--;
            memmove(result->witness + i, result->witness + i + 1,
                    (result->witness_count - i) * sizeof *result->witness);
        } else {
            i++;
        }
    }
}

uint32_t expect_as_defined(const struct definition *d, const struct sim_history *history,
                           uint64_t seed, bool minimal)
{
    const char *object = sim_object_names[history->object];
    struct sim_consistency_result result;
    d->check(history, &ample_budget, &result);
    const uint32_t verdict = result.verdict;
    if (d->decides || verdict != SIM_UNKNOWN) {
        cr_assert_eq(verdict, d->holds(history, d->model) ? SIM_HOLDS : SIM_VIOLATED,
                     "seed %" PRIu64 ", %s of a %s: we say %s (%s) of%s", seed, d->name, object,
                     sim_verdict_name(verdict), result.detail, history_text(history));
    }
    if (verdict == SIM_VIOLATED) {
        cr_assert_gt(result.witness_count, 0, "seed %" PRIu64 ", %s of a %s", seed, d->name,
                     object);
        cr_assert_not(holds_without(d, history, &result, UINT32_MAX),
                      "seed %" PRIu64 ", %s of a %s: the witness %u ... of %u does not do:%s", seed,
                      d->name, object, result.witness[0], result.witness_count,
                      history_text(history));
    }
    if (d->tells_story && verdict == SIM_VIOLATED) {
        leave_out_story(d, history, &result);
    }
    for (uint32_t skip = 0; minimal && skip < result.witness_count; skip++) {
        cr_assert(holds_without(d, history, &result, skip),
                  "seed %" PRIu64 ", %s of a %s: %u of the witness %u ... of %u can go:%s", seed,
                  d->name, object, skip, result.witness[0], result.witness_count,
                  history_text(history));
    }
    sim_consistency_result_release(&result);
    return verdict;
}

/* ---- Weak histories ---- */

static uint32_t some_value(struct sim_history *h, struct sim_rng *rng,
                           const struct sim_history_operation *operations, uint32_t count,
                           uint32_t key)
{
    uint32_t values[WEAK_OPERATIONS_MAX + 1];
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
    uint32_t items[WEAK_OPERATIONS_MAX];
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

/* What each does, before anybody knows what it is answered. */
static void ask(struct sim_history *h, const struct weak_history *options, struct sim_rng *rng,
                uint64_t seed, struct sim_history_operation *operations, uint32_t count)
{
    const bool list = options->object == SIM_OBJECT_LIST;
    const uint32_t processes = 2 + (uint32_t)(seed / 3 % (options->processes_max - 1));
    for (uint32_t i = 0; i < count; i++) {
        struct sim_history_operation *o = &operations[i];
        const uint32_t kind = sim_rng_bounded(rng, seed % 3 || list ? 4 : 6);
        o->action = kind < 2   ? SIM_ACTION_READ
                    : list     ? SIM_ACTION_APPEND
                    : kind < 4 ? SIM_ACTION_WRITE
                               : SIM_ACTION_CAS;
        o->process = sim_history_process(h, sim_rng_bounded(rng, processes));
        o->key = sim_history_integer(h, sim_rng_bounded(rng, options->second_key_in) == 0);
        if (kind >= 2) {
            const uint32_t few = sim_rng_bounded(rng, 3);
            o->value = sim_history_integer(h, 1 + (seed % 4 ? i : few));
        }
    }
}

static void weak_history(struct sim_history *h, const struct weak_history *options, uint64_t seed)
{
    struct sim_rng rng;
    sim_rng_seed(&rng, seed, 7);
    history_begin(h, options->object);
    const uint32_t count = 4 + (uint32_t)(seed % (options->operations_max - 3));
    cr_assert_leq(count, WEAK_OPERATIONS_MAX);
    struct sim_history_operation operations[WEAK_OPERATIONS_MAX] = {0};
    ask(h, options, &rng, seed, operations, count);
    for (uint32_t i = 0; i < count; i++) {
        struct sim_history_operation o = operations[i];
        const bool read = o.action == SIM_ACTION_READ;
        const uint32_t seen = read && options->object == SIM_OBJECT_LIST
                                  ? some_list(h, &rng, operations, count, o.key)
                                  : some_value(h, &rng, operations, count, o.key);
        const bool missed = o.action == SIM_ACTION_CAS && sim_rng_bounded(&rng, 8) == 0;
        o.action = missed ? SIM_ACTION_CAS_MISSED : o.action;
        o.expected = read ? SIM_VALUE_NIL : seen;
        const uint32_t place = sim_history_invoke(h, &o);
        const uint32_t fate = sim_rng_bounded(&rng, seed % 5 ? 1000 : 12);
        sim_history_return(h, place,
                           fate == 0 && !missed   ? SIM_OUTCOME_INFO
                           : fate == 1 && !missed ? SIM_OUTCOME_FAIL
                                                  : SIM_OUTCOME_OK,
                           read ? seen : SIM_VALUE_NIL);
    }
}

void compare_with_definition(const struct definition *definition,
                             const struct weak_history *options, uint32_t seeds,
                             uint32_t violated_min)
{
    uint32_t verdicts[SIM_VERDICT_COUNT] = {0};
    for (uint64_t seed = 0; seed < seeds; seed++) {
        struct sim_history h;
        weak_history(&h, options, seed);
        verdicts[expect_as_defined(definition, &h, seed, seed % 4 && seed % 3)]++;
        sim_history_release(&h);
    }
    cr_expect_gt(verdicts[SIM_HOLDS], seeds / 10, "%s: %" PRIu32, definition->name,
                 verdicts[SIM_HOLDS]);
    cr_expect_gt(verdicts[SIM_VIOLATED], violated_min, "%s: %" PRIu32, definition->name,
                 verdicts[SIM_VIOLATED]);
    cr_expect_lt(verdicts[SIM_UNKNOWN], seeds / 5, "%s: %" PRIu32, definition->name,
                 verdicts[SIM_UNKNOWN]);
}

/* ---- By hand ---- */

void play_word(struct sim_history *h, const char *word)
{
    const bool read = word[1] == 'r';
    uint32_t items[8] = {0};
    size_t count = 0;
    for (; word[3 + count]; count++) {
        items[count] = sim_history_integer(h, word[3 + count] - '0');
    }
    const struct sim_history_operation o = {
        .process = sim_history_process(h, (uint64_t)(word[0] - '0')),
        .key = sim_history_integer(h, word[2]),
        .action = read             ? SIM_ACTION_READ
                  : word[1] == 'a' ? SIM_ACTION_APPEND
                                   : SIM_ACTION_WRITE,
        .value = read ? SIM_VALUE_NIL : items[0],
    };
    const uint32_t place = sim_history_invoke(h, &o);
    cr_assert_neq(place, SIM_HISTORY_NOTHING);
    uint32_t seen = SIM_VALUE_NIL;
    if (read && h->object == SIM_OBJECT_LIST) {
        seen = sim_history_list(h, items, count);
    } else if (read && count > 0) {
        seen = items[0];
    }
    sim_history_return(h, place, SIM_OUTCOME_OK, seen);
}

void play_words(struct sim_history *history, const char *const *words)
{
    bool list = false;
    for (const char *const *word = words; *word; word++) {
        list = list || (*word)[1] == 'a';
    }
    history_begin(history, list ? SIM_OBJECT_LIST : SIM_OBJECT_REGISTER);
    for (; *words; words++) {
        play_word(history, *words);
    }
}

bool expect_anomaly(sim_model_check_fn check, const char *const *words, const char *anomaly)
{
    struct sim_history h;
    play_words(&h, words);
    struct sim_consistency_result result;
    check(&h, &ample_budget, &result);
    cr_expect_eq(result.verdict, anomaly ? SIM_VIOLATED : SIM_HOLDS, "%s:%s", result.detail,
                 history_text(&h));
    const bool speaks = result.detail[0] != '\0';
    if (anomaly) {
        cr_expect(speaks, "%s", history_text(&h));
        cr_assert_eq(result.anomaly_count, 1);
        cr_expect_str_eq(result.anomalies[0], anomaly);
    }
    sim_consistency_result_release(&result);
    sim_history_release(&h);
    return speaks;
}
