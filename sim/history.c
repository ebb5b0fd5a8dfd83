#include "sim/history.h"

const uint64_t *sim_history_read(const struct sim_history_row *row, uint32_t place, uint32_t *count)
{
    struct sim_part part;
    *count = 0;
    if (row->outcome != SIM_OUTCOME_OK || !sim_operation_part(&row->operation, place, &part) ||
        !sim_function_reads(part.function)) {
        return NULL;
    }
    if (row->operation.function == SIM_READ) {
        *count = 1;
        return &row->result;
    }
    const bool txn = row->operation.function == SIM_TXN;
    uint32_t at = 0; /* Past what the parts before it read. */
    for (uint32_t i = 0; txn && i < place; i++) {
        struct sim_part before;
        (void)sim_operation_part(&row->operation, i, &before);
        if (sim_function_reads(before.function)) {
            at += 1 + (before.function == SIM_READ_LIST ? (uint32_t)row->words[at] : 0);
        }
    }
    if (txn && part.function == SIM_READ_LIST) {
        *count = (uint32_t)row->words[at++];
    } else {
        *count = txn ? 1 : row->word_count;
    }
    /* An empty list has been read, and has no words: some address that is not NULL. */
    return row->words ? row->words + at : &row->result;
}
