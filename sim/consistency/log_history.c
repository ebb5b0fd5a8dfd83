/* Building a history of logs on one of transactions. */
#include "sim/consistency/log.h"

#include <stdlib.h>
#include <string.h>

void sim_log_init(struct sim_log *log, struct sim_txn_history *history)
{
    assert(history->object == SIM_TXN_LOG);
    memset(log, 0, sizeof *log);
    log->history = history;
}

void sim_log_release(struct sim_log *log)
{
    free(log->offsets);
    free(log->kinds);
    memset(log, 0, sizeof *log);
}

enum sim_status sim_log_begin(struct sim_log *log, uint32_t txn, enum sim_log_kind kind)
{
    struct sim_txn_history *h = log->history;
    assert(h->current == txn);
    if (!sim_scratch_grow(&h->scratch, &log->kinds, &log->kind_capacity, h->txn_count,
                          sizeof *log->kinds)) {
        return SIM_ENOMEM;
    }
    log->kinds[txn] = (uint8_t)kind;
    log->subscribed |= kind == SIM_LOG_SUBSCRIBE;
    return SIM_OK;
}

/* The operation added last has this offset. */
static enum sim_status put_offset(struct sim_log *log, enum sim_status status, int64_t offset)
{
    struct sim_txn_history *h = log->history;
    if (status != SIM_OK || !sim_scratch_grow(&h->scratch, &log->offsets, &log->offset_capacity,
                                              h->operation_count, sizeof *log->offsets)) {
        return SIM_ENOMEM;
    }
    log->offsets[h->operation_count - 1] = offset < 0 ? SIM_LOG_NO_OFFSET : offset;
    return SIM_OK;
}

enum sim_status sim_log_send(struct sim_log *log, uint64_t key, uint64_t value, int64_t offset)
{
    return put_offset(log, sim_txn_write(log->history, key, value), offset);
}

enum sim_status sim_log_poll(struct sim_log *log, uint64_t key, uint64_t value, int64_t offset)
{
    return put_offset(log, sim_txn_read(log->history, key, &value), offset);
}

enum sim_status sim_log_name(struct sim_log *log, uint64_t key)
{
    return put_offset(log, sim_txn_read_unknown(log->history, key), SIM_LOG_NO_OFFSET);
}
