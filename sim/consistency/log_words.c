/* Transactions on logs, and errors, in words. */
#include "sim/consistency/log_internal.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

/* Adds to the end of a text that is there; cuts. */
__attribute__((format(printf, 3, 4))) static void put(char *text, size_t size_bytes,
                                                      const char *format, ...)
{
    const size_t used = strlen(text);
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text + used, size_bytes - used, format, arguments);
    va_end(arguments);
}

struct shown {
    char text[64];
};

static struct shown show(const struct sim_txn_history *h, uint64_t number)
{
    struct shown shown;
    txn_show(h, number, shown.text, sizeof shown.text);
    return shown;
}

void sim_log_words(const struct sim_log *log, uint32_t txn, char *text, size_t size_bytes)
{
    static const char *const kinds[] = {"", " assign", " subscribe", " (no log)"};
    static const char *const ends[] = {" (never returned)", "", " (failed)", " (unknown)"};
    const struct sim_txn_history *h = log->history;
    const struct sim_txn *t = &h->txns[txn];
    (void)snprintf(text, size_bytes, "T%" PRIu32 ":%s", txn, kinds[log->kinds[txn]]);
    for (uint32_t i = t->first; i < t->first + t->count; i++) {
        const struct sim_txn_operation *o = &h->operations[i];
        put(text, size_bytes, "%s", i > t->first ? ", " : " ");
        if (o->action == SIM_TXN_READ_UNKNOWN) {
            put(text, size_bytes, "%s%s", log->kinds[txn] == SIM_LOG_DATA ? "moved: " : "",
                show(h, h->keys[o->key].name).text);
            continue;
        }
        put(text, size_bytes, "%s %s %s", log_is_send(o) ? "send" : "poll",
            show(h, h->keys[o->key].name).text, show(h, h->elements[o->element].value).text);
        if (log->offsets[i] != SIM_LOG_NO_OFFSET) {
            put(text, size_bytes, " at %" PRId64, log->offsets[i]);
        }
    }
    put(text, size_bytes, "%s", ends[t->outcome]);
}

/* Two messages of a key, one after the other, by one transaction or two. */
static void put_pair(const struct log_search *s, const struct log_case *c, bool sent, char *text,
                     size_t size_bytes)
{
    const struct sim_txn_history *h = s->h;
    const struct shown a = show(h, h->elements[c->elements[0]].value);
    const struct shown b = show(h, h->elements[c->elements[1]].value);
    const struct shown key = show(h, h->keys[c->key].name);
    const char *verb = sent ? "sent" : "polled";
    put(text, size_bytes, "T%" PRIu32 " %s %s %s key %s and then ", c->txns[0], verb, a.text,
        sent ? "to" : "of", key.text);
    if (c->txns[1] != SIM_TXN_NONE) {
        put(text, size_bytes, "T%" PRIu32 " %s ", c->txns[1], verb);
    }
    put(text, size_bytes, "%s", b.text);
    if (c->number > 0) {
        put(text, size_bytes, ", past %" PRId64 " between them", c->number);
    } else if (c->number == -1) {
        put(text, size_bytes, " again");
    } else {
        put(text, size_bytes, ", which stands before it by %" PRId64, -1 - c->number);
    }
}

void log_case_words(const struct log_search *s, enum sim_log_error error, char *text,
                    size_t size_bytes)
{
    const struct sim_txn_history *h = s->h;
    const struct log_case *c = &s->cases[error];
    if (error >= SIM_LOG_G1C && error <= SIM_LOG_STRONG_PL_2) {
        sim_txn_witness_words(h, &s->cycles.cycle, text, size_bytes);
        return;
    }
    struct shown values[2] = {{""}, {""}};
    for (uint32_t i = 0; i < 2 && c->elements[i] != SIM_TXN_NONE; i++) {
        values[i] = show(h, h->elements[c->elements[i]].value);
    }
    const struct shown key = show(h, h->keys[c->key].name);
    const char *a = values[0].text, *b = values[1].text, *k = key.text;
    text[0] = '\0';
    switch (error) {
    case SIM_LOG_INCONSISTENT_OFFSETS:
        put(text, size_bytes,
            "offset %" PRId64 " of key %s holds %s, by T%" PRIu32 ", and %s, by T%" PRIu32,
            c->number, k, a, c->txns[0], b, c->txns[1]);
        break;
    case SIM_LOG_DUPLICATE:
        put(text, size_bytes,
            "%s stands at %" PRId64 " offsets of key %s, by T%" PRIu32 " and T%" PRIu32, a,
            c->number, k, c->txns[0], c->txns[1]);
        break;
    case SIM_LOG_LOST_WRITE:
        put(text, size_bytes,
            "T%" PRIu32 " sent %s to key %s, and nobody polled it, though T%" PRIu32
            " polled what is after it",
            c->txns[0], a, k, c->txns[1]);
        break;
    case SIM_LOG_GARBAGE_READ:
        put(text, size_bytes, "T%" PRIu32 " polled %s of key %s, which nobody sent", c->txns[0], a,
            k);
        break;
    case SIM_LOG_G1A:
        put(text, size_bytes,
            "T%" PRIu32 " polled %s of key %s, which T%" PRIu32 " sent and then failed", c->txns[0],
            a, k, c->txns[1]);
        break;
    case SIM_LOG_PRECOMMITTED_READ:
        put(text, size_bytes, "T%" PRIu32 " polled %s of key %s, which it sent itself", c->txns[0],
            a, k);
        break;
    case SIM_LOG_UNSEEN:
        put(text, size_bytes, "T%" PRIu32 " sent %s to key %s, and by the end nobody polled it",
            c->txns[0], a, k);
        break;
    default:
        put_pair(s, c, error == SIM_LOG_INT_NONMONOTONIC_SEND || error == SIM_LOG_NONMONOTONIC_SEND,
                 text, size_bytes);
        break;
    }
}
