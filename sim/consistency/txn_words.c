/* Transactions, dependencies and anomalies in words. */
#include "sim/consistency/txn_internal.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

struct text {
    char *at;
    size_t left; /* The zero at the end included. */
};

__attribute__((format(printf, 2, 3))) static void put(struct text *text, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    const int length = vsnprintf(text->at, text->left, format, arguments);
    va_end(arguments);
    const size_t used = length < 0                    ? 0
                        : (size_t)length < text->left ? (size_t)length
                                                      : text->left - 1;
    text->at += used;
    text->left -= used;
}

struct shown {
    char text[64];
};

struct named {
    char text[80];
};

void txn_show(const struct sim_txn_history *h, uint64_t number, char *text, size_t size_bytes)
{
    if (h->show) {
        h->show(h->show_context, number, text, size_bytes);
    } else {
        (void)snprintf(text, size_bytes, "%" PRIu64, number);
    }
}

static struct shown show(const struct sim_txn_history *h, uint64_t number)
{
    struct shown shown = {""};
    txn_show(h, number, shown.text, sizeof shown.text);
    return shown;
}

static struct shown value_of(const struct sim_txn_history *h, uint32_t element)
{
    return show(h, h->elements[element].value);
}

/* "key 5"; where there are lists and registers, which of them. */
static struct named key_of(const struct sim_txn_history *h, uint32_t key)
{
    struct named named = {""};
    const char *noun = !h->mixed                             ? "key"
                       : h->keys[key].object == SIM_TXN_LIST ? "list"
                                                             : "register";
    (void)snprintf(named.text, sizeof named.text, "%s %s", noun, show(h, h->keys[key].name).text);
    return named;
}

static void put_step(struct text *text, const struct sim_txn_history *h,
                     const struct sim_txn_step *step)
{
    const uint32_t from = step->from, to = step->to;
    if (step->why == SIM_TXN_PROCESS) {
        put(text, "process %" PRIu64 " did T%" PRIu32 " before T%" PRIu32, h->txns[from].process,
            from, to);
        return;
    }
    if (step->why == SIM_TXN_REALTIME) {
        put(text, "T%" PRIu32 " was over before T%" PRIu32 " began", from, to);
        return;
    }
    const uint32_t object = h->keys[h->elements[step->element].key].object;
    const bool list = object == SIM_TXN_LIST;
    const struct named key = key_of(h, h->elements[step->element].key);
    const struct shown value = value_of(h, step->element);
    const bool seen = step->seen != SIM_TXN_NONE;
    if (object == SIM_TXN_LOG) {
        put(text,
            step->why == SIM_TXN_WR ? "T%" PRIu32 " polled the %s of %s that T%" PRIu32 " sent"
                                    : "T%" PRIu32 " sent %s to %s after what T%" PRIu32 " sent",
            to, value.text, key.text, from);
    } else if (step->why == SIM_TXN_WR) {
        put(text,
            list ? "T%" PRIu32 " read %s up to the %s that T%" PRIu32 " appended"
                 : "T%" PRIu32 " read of %s the %s that T%" PRIu32 " wrote",
            to, key.text, value.text, from);
    } else if (step->why == SIM_TXN_RW && list) {
        put(text, "T%" PRIu32 " read %s without the %s that T%" PRIu32 " appended", from, key.text,
            value.text, to);
    } else if (step->why == SIM_TXN_RW && !seen) {
        put(text, "T%" PRIu32 " found nothing in %s, to which T%" PRIu32 " wrote %s", from,
            key.text, to, value.text);
    } else if (step->why == SIM_TXN_RW) {
        put(text, "T%" PRIu32 " read of %s the %s over which T%" PRIu32 " wrote %s", from, key.text,
            value_of(h, step->seen).text, to, value.text);
    } else {
        put(text,
            list ? "T%" PRIu32 " appended %s to %s after the %s"
                   " of T%" PRIu32
                 : "T%" PRIu32 " wrote %s to %s over the %s"
                   " of T%" PRIu32,
            to, value.text, key.text, value_of(h, step->seen).text, from);
    }
}

void sim_txn_step_words(const struct sim_txn_history *h, const struct sim_txn_step *step,
                        char *text, size_t size_bytes)
{
    struct text out = {text, size_bytes};
    put_step(&out, h, step);
}

/* "5, which T2 wrote" */
static void put_written(struct text *text, const struct sim_txn_history *h,
                        const struct sim_txn_witness *w)
{
    put(text, "T%" PRIu32 " read %s of %s", w->txns[0], value_of(h, w->element).text,
        key_of(h, w->key).text);
    if (w->txns[1] != SIM_TXN_NONE) {
        put(text, ", which T%" PRIu32, w->txns[1]);
    }
}

static void put_local(struct text *text, const struct sim_txn_history *h,
                      const struct sim_txn_witness *w)
{
    const uint32_t a = w->txns[0], b = w->txns[1];
    const struct named key = key_of(h, w->key);
    switch (w->anomaly) {
    case SIM_TXN_DUPLICATE_ELEMENTS:
        put(text, "T%" PRIu32 " read %s of %s twice", a, value_of(h, w->element).text, key.text);
        break;
    case SIM_TXN_CYCLIC_VERSIONS:
        put(text,
            "T%" PRIu32 " and T%" PRIu32 " each wrote %s"
            " after a version that came after the other's",
            a, b, key.text);
        break;
    case SIM_TXN_INCOMPATIBLE_ORDER:
        put(text,
            "T%" PRIu32 " and T%" PRIu32 " read %s"
            ", and neither list is how the other begins",
            a, b, key.text);
        break;
    case SIM_TXN_GARBAGE_READ:
        put_written(text, h, w);
        put(text, ", which nobody wrote");
        break;
    case SIM_TXN_REORDERED:
        put(text, "T%" PRIu32 " appended %s to %s before what stands right before it in the list",
            a, value_of(h, w->element).text, key.text);
        break;
    case SIM_TXN_INTERNAL:
        put(text,
            "T%" PRIu32 " read of %s"
            " what contradicts what it had read and written itself",
            a, key.text);
        break;
    case SIM_TXN_FUTURE_READ:
        put(text, "T%" PRIu32 " read %s of %s before it wrote that itself", a,
            value_of(h, w->element).text, key.text);
        break;
    case SIM_TXN_G1A:
        put_written(text, h, w);
        put(text, " wrote and then failed");
        break;
    case SIM_TXN_G1B:
        put_written(text, h, w);
        put(text, " wrote over again itself");
        break;
    case SIM_TXN_DIRTY_UPDATE:
        put(text, "T%" PRIu32 " wrote %s to %s on top of T%" PRIu32 ", which failed", a,
            value_of(h, w->element).text, key.text, b);
        break;
    default:
        put(text,
            "T%" PRIu32 " and T%" PRIu32 " read the same version of %s"
            ", and both wrote the key",
            a, b, key.text);
        break;
    }
}

void sim_txn_witness_words(const struct sim_txn_history *h, const struct sim_txn_witness *w,
                           char *text, size_t size_bytes)
{
    struct text out = {text, size_bytes};
    put(&out, "%s", "");
    if (w->anomaly == SIM_TXN_ANOMALY_COUNT) {
        return;
    }
    if (w->step_count == 0) {
        put_local(&out, h, w);
        return;
    }
    for (uint32_t i = 0; i < w->step_count; i++) {
        put(&out, "%s", i ? "; " : "");
        put_step(&out, h, &w->steps[i]);
    }
}

void sim_txn_words(const struct sim_txn_history *h, uint32_t txn, char *text, size_t size_bytes)
{
    struct text out = {text, size_bytes};
    const struct sim_txn *t = &h->txns[txn];
    put(&out, "T%" PRIu32 ":", txn);
    for (uint32_t i = t->first; i < t->first + t->count; i++) {
        const struct sim_txn_operation *o = &h->operations[i];
        const char *comma = i > t->first ? "," : "";
        const struct shown key = show(h, h->keys[o->key].name);
        if (o->action == SIM_TXN_WRITE) {
            put(&out, "%s %s %s %s", comma, txn_is_list(h, o) ? "append" : "write", key.text,
                value_of(h, o->element).text);
        } else if (o->action == SIM_TXN_READ_UNKNOWN) {
            put(&out, "%s read %s ?", comma, key.text);
        } else if (!txn_is_list(h, o) && o->element == SIM_TXN_NONE) {
            put(&out, "%s read %s nil", comma, key.text);
        } else if (!txn_is_list(h, o)) {
            put(&out, "%s read %s %s", comma, key.text, value_of(h, o->element).text);
        } else {
            put(&out, "%s read %s [", comma, key.text);
            for (uint32_t e = 0; e < o->length && out.left > 1; e++) {
                put(&out, "%s%s", e ? " " : "", value_of(h, sim_txn_item(h, o, e)).text);
            }
            put(&out, "]");
        }
    }
    static const char *const ends[] = {" (never returned)", "", " (failed)", " (unknown)"};
    put(&out, "%s", ends[t->outcome]);
}

bool txn_tell_twice(const struct sim_txn_history *h, struct sim_consistency_result *result)
{
    if (h->twice_first == SIM_TXN_NONE) {
        return false;
    }
    struct text out = {result->detail, sizeof result->detail};
    const struct sim_txn_operation *o = &h->operations[h->twice_second];
    const uint32_t txns[2] = {h->operations[h->twice_first].txn, o->txn};
    result->verdict = SIM_UNKNOWN;
    /* Without memory the words are enough. */
    (void)sim_consistency_witness(result, txns, txns[0] == txns[1] ? 1 : 2);
    if (txns[0] == txns[1]) {
        put(&out, "T%" PRIu32 " wrote", txns[0]);
    } else {
        put(&out, "T%" PRIu32 " and T%" PRIu32 " both wrote", txns[0], txns[1]);
    }
    put(&out, " %s to %s%s: who wrote what was read cannot be told", value_of(h, o->element).text,
        key_of(h, o->key).text, txns[0] == txns[1] ? " twice" : "");
    return true;
}

void sim_txn_witness_release(struct sim_txn_witness *witness)
{
    free(witness->steps);
    witness->steps = NULL;
    witness->step_count = 0;
}
