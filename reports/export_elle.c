/* elle-cli's JSON: an array of objects, transactions as arrays.
 *
 *     {"index":0,"type":"invoke","process":3,"f":"txn","value":[["append",5,1],["r",6,null]]}
 *
 * elle-cli makes keywords of keys, of type and f, and of each inner array's first string; so in
 * its hands this is the history that edn writes. Checked with -m list-append or -m rw-register. */
#include "reports/export_internal.h"

#include <inttypes.h>

static const char *const types[SIM_OUTCOME_COUNT] = {"invoke", "ok", "fail", "info"};

enum sim_status export_elle(struct export *x)
{
    static const struct export_notation notation = {
        .before = "\"", .after = "\"", .between = ",", .nothing = "null"};
    if (x->request->model == EXPORT_REGISTER) {
        return export_fail(x, SIM_EINVAL,
                           "elle takes transactions: choose --model list-append or rw-register");
    }
    struct export_history h;
    const enum sim_status status = export_history_load(x, &h);
    for (size_t i = 0; status == SIM_OK && i < h.entry_count; i++) {
        const struct export_entry *entry = &h.entries[i];
        fprintf(x->out,
                "%s{\"index\":%zu,\"type\":\"%s\",\"process\":%" PRIu64
                ",\"f\":\"txn\",\"time\":%" PRIu64 ",\"value\":",
                i ? ",\n" : "[", i, types[entry->outcome], h.operations[entry->operation].process,
                entry->time_ns);
        export_put_txn(x, &notation, &h, entry);
        fputc('}', x->out);
    }
    if (status == SIM_OK) {
        fputs(h.entry_count ? "]\n" : "[]\n", x->out);
    }
    export_history_release(&h);
    return status;
}
