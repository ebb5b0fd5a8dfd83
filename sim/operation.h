/* Client operations: what sessions ask of the state machine that a cluster keeps.
 *
 * There are registers, which hold a number (0 is "absent"), and lists, to which numbers are
 * appended and which never shrink. The same key names a register and a list that have nothing
 * to do with each other. A transaction does up to four things to either, all or nothing.
 *
 * An operation has one fixed size, so that logs and messages hold it as it is. */
#ifndef SIM_OPERATION_H
#define SIM_OPERATION_H

#include "sim/base.h"

enum sim_function {
    SIM_READ,      /* A register. */
    SIM_WRITE,     /* A register. */
    SIM_CAS,       /* Compare and set a register. */
    SIM_READ_LIST, /* All of a list. */
    SIM_APPEND,    /* To a list. */
    SIM_TXN,       /* Several of the above but CAS, at once. */
    SIM_FUNCTION_COUNT
};

/* One operation of one client session. Retries carry the same (client, sequence), and a
 * session has at most one operation open, with sequences 1, 2, 3, ... */
struct sim_operation {
    uint32_t client;   /* Node number of the client. */
    uint32_t function; /* enum sim_function */
    uint64_t sequence;
    uint64_t key;      /* TXN: that of its first part. */
    uint64_t value;    /* WRITE, CAS: the new value. APPEND: what is appended. TXN: see below. */
    uint64_t expected; /* CAS: replaces this value, 0 is "absent". TXN: its parts, packed. */
};

/* A transaction's parts take 16 bits each of `expected`, the first the lowest:
 *
 *     15        14 13                0
 *     | function  | key, 0: no part  |     function: READ, WRITE, READ_LIST, APPEND as 0 .. 3
 *
 * Part i writes or appends the operation's value with i in its bits 48 and 49: if the values of
 * operations are unique and below 2^48, so are those of parts. */
#define SIM_TXN_PARTS_MAX 4
#define SIM_TXN_KEY_MAX UINT64_C(0x3fff)
#define SIM_TXN_FUNCTION_COUNT 4

struct sim_part {
    uint32_t function; /* Never CAS or TXN. */
    uint64_t key;
    uint64_t value; /* Written or appended; 0 for reads. */
};

/* Which functions a part may have, in the order of their packed numbers. */
static inline uint32_t sim_txn_function(uint32_t packed)
{
    static const uint8_t functions[SIM_TXN_FUNCTION_COUNT] = {SIM_READ, SIM_WRITE, SIM_READ_LIST,
                                                              SIM_APPEND};
    return functions[packed & 3];
}

static inline bool sim_function_reads(uint32_t function)
{
    return function == SIM_READ || function == SIM_READ_LIST;
}

/* `packed_function` indexes sim_txn_function(); the key is 1 .. SIM_TXN_KEY_MAX. */
static inline uint64_t sim_txn_pack(uint32_t place, uint32_t packed_function, uint64_t key)
{
    return ((uint64_t)(packed_function & 3) << 14 | (key & SIM_TXN_KEY_MAX)) << (16 * place);
}

/* Part `place` of a transaction; false beyond the last. An operation that is no transaction is
 * its own only part, so that all can be walked alike; CAS is a part of itself alone. */
static inline bool sim_operation_part(const struct sim_operation *operation, uint32_t place,
                                      struct sim_part *part)
{
    if (operation->function != SIM_TXN) {
        *part = (struct sim_part){operation->function, operation->key, operation->value};
        return place == 0;
    }
    const uint64_t packed = place < SIM_TXN_PARTS_MAX ? operation->expected >> (16 * place) : 0;
    part->function = sim_txn_function((uint32_t)(packed >> 14));
    part->key = packed & SIM_TXN_KEY_MAX;
    part->value = sim_function_reads(part->function) ? 0 : operation->value ^ (uint64_t)place << 48;
    return part->key != 0;
}

/* Whether it changes nothing whatever it meets. */
static inline bool sim_operation_reads(const struct sim_operation *operation)
{
    struct sim_part part;
    bool reads = true;
    for (uint32_t i = 0; sim_operation_part(operation, i, &part); i++) {
        reads = reads && sim_function_reads(part.function);
    }
    return reads;
}

/* An operation as bytes, in messages and logs:
 *
 *     | client 4 | function 4 | sequence 8 | key 8 | value 8 | expected 8 |
 */
#define SIM_OPERATION_BYTES 40

static inline void sim_operation_encode(const struct sim_operation *operation,
                                        uint8_t bytes[SIM_OPERATION_BYTES])
{
    sim_put32(bytes, operation->client);
    sim_put32(bytes + 4, operation->function);
    sim_put64(bytes + 8, operation->sequence);
    sim_put64(bytes + 16, operation->key);
    sim_put64(bytes + 24, operation->value);
    sim_put64(bytes + 32, operation->expected);
}

/* Whether there is such a function is for the caller to see. */
static inline void sim_operation_decode(struct sim_operation *operation,
                                        const uint8_t bytes[SIM_OPERATION_BYTES])
{
    *operation = (struct sim_operation){.client = sim_get32(bytes),
                                        .function = sim_get32(bytes + 4),
                                        .sequence = sim_get64(bytes + 8),
                                        .key = sim_get64(bytes + 16),
                                        .value = sim_get64(bytes + 24),
                                        .expected = sim_get64(bytes + 32)};
}

/* What an answer of SIM_ANSWER_OK holds, in words of 64 bits:
 *
 *     READ                 the value
 *     WRITE, CAS, APPEND   the value written; of no use to clients
 *     READ_LIST            the elements
 *     TXN                  of each part that reads, in order: of READ the value, of READ_LIST
 *                          the number of elements and then the elements
 */

#endif
