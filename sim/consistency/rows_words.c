#include "sim/consistency/rows_internal.h"

#include <inttypes.h>
#include <stdio.h>

#define ROOM_FOR_MORE sizeof "; and 4294967295 more"

static void put_times(const struct sim_history_row *row, char *text, size_t size_bytes)
{
    const uint64_t from_us = row->invoke_ns / SIM_US;
    const uint64_t to_us = row->return_ns / SIM_US;
    if (row->return_ns == SIM_NEVER) {
        (void)snprintf(text, size_bytes, "from %" PRIu64 ".%03" PRIu64 " ms", from_us / 1000,
                       from_us % 1000);
    } else {
        (void)snprintf(text, size_bytes,
                       "%" PRIu64 ".%03" PRIu64 " to %" PRIu64 ".%03" PRIu64 " ms", from_us / 1000,
                       from_us % 1000, to_us / 1000, to_us % 1000);
    }
}

bool sim_rows_say(const struct sim_history_row *row, const char *words, uint32_t left,
                  char detail[SIM_DETAIL_MAX])
{
    char text[SIM_DETAIL_MAX];
    char times[64];
    put_times(row, times, sizeof times);
    const int length = snprintf(text, sizeof text, "; %s, %s", words, times);
    const size_t used = strlen(detail);
    const size_t needed = (size_t)length + (left > 1 ? ROOM_FOR_MORE : 1);
    const bool fits = length > 0 && used + needed <= SIM_DETAIL_MAX;
    if (fits) {
        memcpy(detail + used, text, (size_t)length + 1);
    } else if (used + ROOM_FOR_MORE <= SIM_DETAIL_MAX) {
        (void)snprintf(detail + used, SIM_DETAIL_MAX - used, "; and %" PRIu32 " more", left);
    }
    return fits;
}
