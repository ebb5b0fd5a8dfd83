/* Jepsen's history: EDN, a map a line, both halves of every operation.
 *
 *     {:index 0, :type :invoke, :process 3, :f :txn, :value [[:append 5 1] [:r 6 nil]], :time 4084}
 *
 * Registers are independent keys, [key value], as jepsen.independent writes them; with one key
 * only, plain values, as Knossos takes them. A register that nobody has written holds 0: Knossos
 * takes nil for "unknown", which any value would match. Elle wants nil there, and gets it. */
#include "reports/export_internal.h"

#include <inttypes.h>

static const char *const types[SIM_OUTCOME_COUNT] = {"invoke", "ok", "fail", "info"};

static void put_register(struct export *x, const struct export_history *h,
                         const struct export_entry *entry)
{
    const struct export_part *part = &h->parts[h->operations[entry->operation].first_part];
    const bool tuple = !x->request->one_key;
    if (tuple) {
        fprintf(x->out, "[%" PRIu64 " ", part->key);
    }
    if (part->function == SIM_CAS) {
        fprintf(x->out, "[%" PRIu64 " %" PRIu64 "]", part->expected, part->value);
    } else if (part->function == SIM_WRITE) {
        fprintf(x->out, "%" PRIu64, part->value);
    } else if (entry->outcome == SIM_OUTCOME_OK) {
        fprintf(x->out, "%" PRIu64, part->result);
    } else {
        fputs("nil", x->out);
    }
    fputs(tuple ? "]" : "", x->out);
}

static const char *function_of(const struct export_history *h, const struct export_entry *entry)
{
    if (h->model != EXPORT_REGISTER) {
        return "txn";
    }
    switch (h->parts[h->operations[entry->operation].first_part].function) {
    case SIM_READ:
        return "read";
    case SIM_CAS:
        return "cas";
    default:
        return "write";
    }
}

enum sim_status export_edn(struct export *x)
{
    static const struct export_notation notation = {
        .before = ":", .after = "", .between = " ", .nothing = "nil"};
    struct export_history h;
    const enum sim_status status = export_history_load(x, &h);
    for (size_t i = 0; status == SIM_OK && i < h.entry_count; i++) {
        const struct export_entry *entry = &h.entries[i];
        fprintf(x->out, "{:index %zu, :type :%s, :process %" PRIu64 ", :f :%s, :value ", i,
                types[entry->outcome], h.operations[entry->operation].process,
                function_of(&h, entry));
        if (h.model == EXPORT_REGISTER) {
            put_register(x, &h, entry);
        } else {
            export_put_txn(x, &notation, &h, entry);
        }
        fprintf(x->out, ", :time %" PRIu64 "}\n", entry->time_ns);
    }
    export_history_release(&h);
    return status;
}
