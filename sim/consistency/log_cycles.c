/* Cycles of transactions: who polled what another sent comes after it, and so does what began when
 * another was over; sends after sends too, if asked for. Even a transaction that failed counts if
 * somebody polled what it sent. */
#include "sim/consistency/log_internal.h"

static void add_wr(struct txn_builder *b)
{
    const struct sim_txn_history *h = b->h;
    for (uint32_t i = 0; i < h->operation_count; i++) {
        const struct sim_txn_operation *o = &h->operations[i];
        const uint32_t writer = log_is_poll(o) ? h->elements[o->element].writer : SIM_TXN_NONE;
        if (writer != SIM_TXN_NONE) {
            txn_edge(b, h->operations[writer].txn, o->txn, SIM_TXN_WR, o->element, SIM_TXN_NONE);
        }
    }
}

/* By the places of messages. */
static void add_ww(struct txn_builder *b)
{
    const struct log_search *s = b->context;
    for (uint32_t e = 0; e < s->h->element_count; e++) {
        const uint32_t place = s->messages[e].place;
        if (place != SIM_TXN_NONE && place > 0) {
            const uint32_t before = s->standing[s->starts[s->h->elements[e].key] + place - 1];
            txn_edge(b, log_sender(s, before), log_sender(s, e), SIM_TXN_WW, e, before);
        }
    }
}

static void add_all(struct txn_builder *b)
{
    const struct log_search *s = b->context;
    if (s->options->ww_deps) {
        add_ww(b);
    }
    add_wr(b);
}

/* Of a component: its cycles, and the weakest levels that they break, of those that no other
 * broken one implies. */
static void note_component(void *context, uint32_t found)
{
    struct log_search *s = context;
    const bool g0 = found >> SIM_TXN_G0 & 1, g1c = found >> SIM_TXN_G1C & 1;
    const bool g0_realtime = found >> SIM_TXN_G0_REALTIME & 1;
    const bool g1c_realtime = found >> SIM_TXN_G1C_REALTIME & 1;
    s->counts[SIM_LOG_G0] += g0;
    s->counts[SIM_LOG_G1C] += g1c;
    s->counts[SIM_LOG_G0_REALTIME] += g0_realtime;
    s->counts[SIM_LOG_G1C_REALTIME] += g1c_realtime;
    s->counts[SIM_LOG_PL_1] += g0;
    s->counts[SIM_LOG_PL_2] += g1c && !g0;
    s->counts[SIM_LOG_STRONG_PL_1] += g0_realtime && !g0;
    s->counts[SIM_LOG_STRONG_PL_2] += g1c_realtime && !g1c && !g0 && !g0_realtime;
}

bool log_find_cycles(struct log_search *s)
{
    struct txn_search *cycles = &s->cycles;
    cycles->component_fn = note_component;
    cycles->component_context = s;
    return txn_build_graph(cycles, add_all, s, SIM_TXN_REALTIME) &&
           txn_find_cycles(cycles, SIM_TXN_REALTIME);
}
