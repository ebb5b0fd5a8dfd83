/* Which sending a delivery belongs to: messages are told apart by their link and by their ordinal
 * on it. For everything that follows a run from cause to effect. */
#ifndef REPORTS_JOIN_H
#define REPORTS_JOIN_H

#include "sim/trace.h"

#define JOIN_NONE SIZE_MAX

/* Of each delivery and drop among `count` records the place of its send, of all others JOIN_NONE,
 * as an array to be freed; NULL if out of memory. A send is looked for among these records
 * alone. What an adversary forged or replayed is joined to the message it stood beside. The
 * records are the first members of structs of `stride_bytes` each. */
SIM_NODISCARD size_t *join_sends(const void *records, size_t stride_bytes, size_t count);

#endif
