/* Random histories of every kind of object, written as Jepsen writes them and read back: the reader
 * must find the same object, and the checker must say of what was read what trying every order
 * says of what was written. */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "histories.h"
#include "reports/formats/jepsen_object.h"
#include "sim/check/check.h"
#include "sim/consistency/linearizable.h"

enum { SEEDS = 1500 };
static const struct sim_budget budget = {.steps = 1000000, .memory_bytes = 64 << 20};

static char text[1 << 15];
static size_t size;

static void put(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void put(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    size += (size_t)vsnprintf(text + size, sizeof text - size, format, arguments);
    va_end(arguments);
    cr_assert_lt(size, sizeof text);
}

/* A register's nil is written as 0, which is then its initial value: of nil a reader learns
 * nothing. */
static void put_value(const struct sim_history *h, uint32_t value)
{
    char shown[100];
    (void)sim_history_show_value(h, value, shown, sizeof shown);
    put("%s", h->object == SIM_OBJECT_REGISTER && value == SIM_VALUE_NIL ? "0" : shown);
}

static const char *word_of(const struct sim_history *h, uint32_t action)
{
    const bool kv = h->object == SIM_OBJECT_KV;
    return kv && action == SIM_ACTION_READ    ? "get"
           : kv && action == SIM_ACTION_WRITE ? "put"
                                              : sim_action_names[action];
}

static void put_result(const struct sim_history *h, const struct sim_history_operation *o)
{
    if (o->action != SIM_ACTION_READ ||
        (h->object != SIM_OBJECT_LIST && h->object != SIM_OBJECT_SET)) {
        put_value(h, o->result);
        return;
    }
    put("[");
    for (size_t i = h->list_starts[o->result]; i < h->list_starts[o->result + 1]; i++) {
        put_value(h, h->items[i]);
        put(" ");
    }
    put("]");
}

static void put_event(const struct sim_history *h, const struct sim_history_operation *o,
                      const char *type, bool told)
{
    const bool tells = o->action == SIM_ACTION_READ || o->action == SIM_ACTION_DEQUEUE ||
                       o->action == SIM_ACTION_POP;
    const bool nothing = o->action == SIM_ACTION_ACQUIRE || o->action == SIM_ACTION_RELEASE;
    put("{:type :%s, :process %" PRIu32 ", :f :%s, :value ", type, o->process,
        word_of(h, o->action));
    if (o->key != SIM_VALUE_NIL) {
        put("[");
        put_value(h, o->key);
        put(" ");
    }
    if (o->action == SIM_ACTION_CAS) {
        put("[");
        put_value(h, o->expected);
        put(" ");
        put_value(h, o->value);
        put("]");
    } else if (tells && told) {
        put_result(h, o);
    } else if (tells || nothing) {
        put("nil");
    } else {
        put_value(h, o->value);
    }
    put("%s}\n", o->key != SIM_VALUE_NIL ? "]" : "");
}

/* False: something in it has no word. A compare that missed has none: Jepsen's :fail says less. */
static bool put_history(const struct sim_history *h)
{
    size = 0;
    for (uint32_t position = 0; position < h->position_count; position++) {
        for (size_t i = 0; i < h->count; i++) {
            const struct sim_history_operation *o = &h->operations[i];
            if (o->action == SIM_ACTION_CAS_MISSED || o->action == SIM_ACTION_HAS) {
                return false;
            }
            if (o->invoked == position) {
                put_event(h, o, "invoke", false);
            } else if (o->returned == position) {
                const bool ok = o->outcome == SIM_OUTCOME_OK;
                put_event(h, o, ok ? "ok" : "fail", ok);
            }
        }
    }
    return true;
}

/* Nothing but reads does not say what it is that was read. */
static bool shows_its_object(const struct sim_history *h)
{
    bool shows = false;
    for (size_t i = 0; i < h->count; i++) {
        shows |= h->operations[i].action != SIM_ACTION_READ;
    }
    return shows;
}

static void go_round(uint32_t object)
{
    uint32_t compared = 0, violated = 0;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        const struct random_history options = {.object = object,
                                               .operations = 3 + (uint32_t)(seed % 5),
                                               .processes = 3,
                                               .keys = 1 + (seed % 5 == 0),
                                               .values = seed / 18 % 2 ? 0 : 3,
                                               .lie_percent = seed / 2 % 3 ? 0 : 20,
                                               .lost_percent = seed / 6 % 3 ? 0 : 20};
        struct sim_history written, read;
        struct history_problem problem;
        history_begin(&read, SIM_OBJECT_REGISTER);
        random_history(&written, &options, seed);
        if (written.count > 0 && put_history(&written)) {
            const uint32_t as =
                seed % 2 || !shows_its_object(&written) ? object : (uint32_t)SIM_OBJECT_COUNT;
            const char *initial = object == SIM_OBJECT_REGISTER && seed % 2 ? "0" : NULL;
            const enum sim_status status =
                jepsen_object_read(text, size, as, initial, &read, &problem);
            cr_assert_eq(status, SIM_OK, "seed %" PRIu64 ":%" PRIu32 ": %s\n%s", seed, problem.line,
                         problem.reason, text);
            cr_assert_eq(read.count, written.count);
        }
        if (read.count > 0 && (object != SIM_OBJECT_REGISTER || seed % 2)) {
            struct sim_consistency_result result;
            sim_check_linearizable(&read, &budget, &result);
            const bool expected = brute_linearizable(&written);
            cr_assert_eq(result.verdict, expected ? SIM_HOLDS : SIM_VIOLATED,
                         "seed %" PRIu64 " of %s: %s\n%s", seed, sim_object_names[object],
                         sim_verdict_name(result.verdict), text);
            compared++;
            violated += !expected;
            sim_consistency_result_release(&result);
        }
        sim_history_release(&read);
        sim_history_release(&written);
    }
    cr_expect_gt(compared, SEEDS / 5, "%s", sim_object_names[object]);
    cr_expect_gt(violated, compared / 30, "%s", sim_object_names[object]);
    cr_expect_lt(violated, compared - compared / 30, "%s", sim_object_names[object]);
}

Test(formats_round_trip, every_object_comes_back)
{
    for (uint32_t object = 0; object < SIM_OBJECT_COUNT; object++) {
        go_round(object);
    }
}
