/* What the readers of histories share: invocations paired with returns, and what is said of a
 * file in which they do not pair. */
#ifndef REPORTS_FORMATS_PAIRING_H
#define REPORTS_FORMATS_PAIRING_H

#include "reports/formats/histories.h"

enum event_type { EVENT_INVOKE, EVENT_OK, EVENT_FAIL, EVENT_INFO };

struct pairing {
    struct sim_history *history;
    struct history_problem *problem;
    enum sim_status status; /* SIM_OK until something is wrong. */
};

/* Remember the first problem; always false. */
bool pairing_fail(struct pairing *pairing, uint32_t line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The same if the history's memory is what lacks. */
bool pairing_no_memory(struct pairing *pairing, uint32_t line);

/* The process has nothing open: begin `operation`, whose process is given as its source names
 * it. False after a problem. */
SIM_NODISCARD bool pairing_invoke(struct pairing *pairing, uint64_t process, uint32_t line,
                                  struct sim_history_operation operation);

/* What the process has open, which must be a `name` (such as "write"), in sim_action_names or
 * the source's own. NULL after a problem. */
SIM_NODISCARD struct sim_history_operation *pairing_open(struct pairing *pairing, uint64_t process,
                                                         uint32_t line, uint32_t action,
                                                         const char *name);

/* It returns. */
void pairing_return(struct pairing *pairing, struct sim_history_operation *operation,
                    enum event_type type, uint32_t result, uint32_t line);

#endif
