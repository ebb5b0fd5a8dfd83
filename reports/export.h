/* The run for other people's tools: what a recording holds, written in their formats.
 *
 *     edn        Jepsen's history, one map a line (Knossos, Elle, elle-cli, Plume)
 *     elle       elle-cli's JSON
 *     shiviz     a log with vector clocks, for the page of ShiViz
 *     perfetto   Chrome's trace events, for ui.perfetto.dev
 *     csv        any table or view of the recording
 *
 * Everything is read out of the recording: what its level does not hold cannot be written. */
#ifndef REPORTS_EXPORT_H
#define REPORTS_EXPORT_H

#include "reports/reading.h"

#include <stdio.h>

enum export_format {
    EXPORT_EDN,
    EXPORT_ELLE,
    EXPORT_SHIVIZ,
    EXPORT_PERFETTO,
    EXPORT_CSV,
    EXPORT_FORMAT_COUNT
};
const char *export_format_name(enum export_format format);
/* False if `name` is not a format. */
SIM_NODISCARD bool export_format_parse(const char *name, enum export_format *format);

/* How a history of operations is told; the names are elle-cli's. */
enum export_model {
    EXPORT_ANY_MODEL,   /* Whichever of the following the history is. */
    EXPORT_REGISTER,    /* Reads, writes and compare-and-sets of independent registers. */
    EXPORT_LIST_APPEND, /* Transactions over lists, */
    EXPORT_RW_REGISTER, /* or registers; what an operation does to the others is left out. */
    EXPORT_MODEL_COUNT
};
SIM_NODISCARD bool export_model_parse(const char *name, enum export_model *model);

struct export_request {
    enum export_format format;
    enum export_model model; /* edn, elle */
    bool one_key;            /* edn, register: only operations on `key`, */
    uint64_t key;            /* with plain values instead of [key value]. */
    const char *view;        /* csv */
    uint64_t from_ns;        /* shiviz, perfetto: only events from here */
    uint64_t to_ns;          /* to before here; 0: to the end. */
};

/* The least level of a recording that holds what is asked for. */
enum recording_level export_level(const struct export_request *request);

/* Write it all to `out`. Errors, with a sentence in `error`: SIM_EINVAL, the recording does not
 * hold it; SIM_EIO, `out` cannot be written; SIM_ENOMEM. */
SIM_NODISCARD enum sim_status export_write(struct reading *reading,
                                           const struct export_request *request, FILE *out,
                                           char *error, size_t error_bytes);

#endif
