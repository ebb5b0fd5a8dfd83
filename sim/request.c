/* What clients ask and what they are told: operations composed as a workload has it, and both
 * as bytes.
 *
 *     request    | operation of SIM_OPERATION_BYTES                                | checksum 8 |
 *     response   | sequence 8 | answer 8 | words of 8, any number                    | checksum 8 |
 */
#include "sim/world_internal.h"

/* ---- What travels ------------------------------------------------------------------------- */

void sim_request_encode(const struct sim_operation *operation, uint8_t bytes[SIM_REQUEST_BYTES])
{
    sim_operation_encode(operation, bytes);
    sim_put64(bytes + SIM_OPERATION_BYTES, sim_hash_bytes(bytes, SIM_OPERATION_BYTES));
}

bool sim_request_decode(struct sim_operation *operation, const uint8_t *bytes, uint32_t size_bytes)
{
    if (size_bytes != SIM_REQUEST_BYTES ||
        sim_get64(bytes + SIM_OPERATION_BYTES) != sim_hash_bytes(bytes, SIM_OPERATION_BYTES)) {
        return false;
    }
    sim_operation_decode(operation, bytes);
    return operation->function < SIM_FUNCTION_COUNT;
}

void sim_response_encode(uint64_t sequence, enum sim_answer answer, const uint64_t *words,
                         uint32_t count, uint8_t *bytes)
{
    sim_put64(bytes, sequence);
    sim_put64(bytes + 8, answer);
    for (uint32_t i = 0; i < count; i++) {
        sim_put64(bytes + 16 + 8 * (size_t)i, words[i]);
    }
    const size_t hashed_bytes = SIM_RESPONSE_BYTES(count) - 8;
    sim_put64(bytes + hashed_bytes, sim_hash_bytes(bytes, hashed_bytes));
}

bool sim_response_decode(struct sim_response *response, const uint8_t *bytes, uint32_t size_bytes)
{
    if (size_bytes < SIM_RESPONSE_BYTES(0) || size_bytes % 8 != 0 ||
        sim_get64(bytes + size_bytes - 8) != sim_hash_bytes(bytes, size_bytes - 8)) {
        return false;
    }
    *response = (struct sim_response){
        .sequence = sim_get64(bytes),
        .answer = sim_get64(bytes + 8),
        .count = (size_bytes - (uint32_t)SIM_RESPONSE_BYTES(0)) / 8,
        .words = bytes + 16,
    };
    return true;
}

bool sim_response_fits(const struct sim_response *response, const struct sim_operation *operation)
{
    if (operation->function == SIM_READ_LIST) {
        return true;
    }
    if (operation->function != SIM_TXN) {
        return response->count == 1;
    }
    struct sim_part part;
    uint64_t at = 0;
    for (uint32_t i = 0; sim_operation_part(operation, i, &part); i++) {
        if (!sim_function_reads(part.function)) {
            continue;
        }
        if (at >= response->count) {
            return false;
        }
        const uint64_t word = sim_get64(response->words + 8 * at);
        at++;
        if (part.function == SIM_READ_LIST) {
            if (word > response->count - at) {
                return false;
            }
            at += word;
        }
    }
    return at == response->count;
}

/* ---- What is asked ------------------------------------------------------------------------ */

/* A list that got so many appends from a workload makes way for a fresh one under another key:
 * every read of a list carries all of it, and a long run must not drown in them. */
#define APPENDS_A_LIST 64

static uint32_t choose(const uint32_t *weights, uint32_t count, uint32_t draw)
{
    uint64_t total = 0;
    for (uint32_t i = 0; i < count; i++) {
        total += weights[i];
    }
    uint64_t at = ((uint64_t)draw * total) >> 32;
    uint32_t chosen = 0;
    while (chosen + 1 < count && at >= weights[chosen]) {
        at -= weights[chosen];
        chosen++;
    }
    return chosen;
}

/* The key that stands for `key` now: key, key + key_count, key + 2 key_count, ... while there is
 * room for it in a transaction. */
static uint64_t list_key(const struct sim_workload *workload, uint64_t *appends, uint64_t key,
                         bool append)
{
    const uint64_t last = key > SIM_TXN_KEY_MAX ? 0 : (SIM_TXN_KEY_MAX - key) / workload->key_count;
    const uint64_t full = appends[key - 1] / APPENDS_A_LIST;
    appends[key - 1] += append;
    return key + (full < last ? full : last) * workload->key_count;
}

static void compose_parts(const struct sim_workload *workload, struct sim_rng *rng,
                          uint64_t *appends, struct sim_operation *operation)
{
    const uint32_t count = 1 + sim_rng_bounded(rng, workload->txn_parts);
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t draw = sim_rng_u32(rng);
        const uint32_t chosen = choose(workload->txn_weight, SIM_TXN_FUNCTION_COUNT, draw);
        const uint32_t function = sim_txn_function(chosen);
        uint64_t key = sim_rng_between(rng, 1, workload->key_count);
        if (function == SIM_READ_LIST || function == SIM_APPEND) {
            key = list_key(workload, appends, key, function == SIM_APPEND);
        }
        operation->expected |= sim_txn_pack(i, chosen, key);
    }
    operation->key = operation->expected & SIM_TXN_KEY_MAX;
}

void sim_request_compose(const struct sim_workload *workload, struct sim_rng *rng,
                         uint64_t *appends, struct sim_operation *operation)
{
    switch ((enum sim_function)operation->function) {
    case SIM_READ_LIST:
    case SIM_APPEND:
        operation->key =
            list_key(workload, appends, operation->key, operation->function == SIM_APPEND);
        break;
    case SIM_TXN:
        compose_parts(workload, rng, appends, operation);
        break;
    default:
        break;
    }
}

uint32_t sim_workload_function(const struct sim_workload *workload, uint32_t draw)
{
    return choose(workload->weight, SIM_FUNCTION_COUNT, draw);
}

bool sim_workload_lists(const struct sim_workload *workload)
{
    return workload->weight[SIM_READ_LIST] || workload->weight[SIM_APPEND] ||
           workload->weight[SIM_TXN];
}

bool sim_workload_writes(const struct sim_workload *workload)
{
    bool writes =
        workload->weight[SIM_WRITE] || workload->weight[SIM_CAS] || workload->weight[SIM_APPEND];
    for (uint32_t i = 0; i < SIM_TXN_FUNCTION_COUNT; i++) {
        writes |= workload->weight[SIM_TXN] && workload->txn_weight[i] &&
                  !sim_function_reads(sim_txn_function(i));
    }
    return writes;
}
