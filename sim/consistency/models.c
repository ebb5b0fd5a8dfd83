#include "sim/consistency/models.h"

#include "sim/consistency/causal.h"
#include "sim/consistency/guarantees.h"
#include "sim/consistency/linearizable.h"
#include "sim/consistency/sequential.h"

#define ALL ((1U << SIM_OBJECT_COUNT) - 1)
#define VALUES (1U << SIM_OBJECT_REGISTER | 1U << SIM_OBJECT_KV)
#define LISTS (1U << SIM_OBJECT_LIST)

/* What each demands is said in sim_check_infos. */
const struct sim_model sim_models[] = {
    {SIM_CHECK_LINEARIZABLE, ALL, sim_check_linearizable, false, 0},
    {SIM_CHECK_SEQUENTIAL, ALL, sim_check_sequential, false, 0},
    {SIM_CHECK_CAUSAL_CONVERGENCE, VALUES, sim_check_causal_convergence, false, 0},
    {SIM_CHECK_CAUSAL_MEMORY, VALUES, sim_check_causal_memory, false, 0},
    {SIM_CHECK_CAUSAL, VALUES, sim_check_causal, false, 0},
    {SIM_CHECK_PRAM, VALUES, sim_check_pram, false, 0},
    {SIM_CHECK_READ_YOUR_WRITES, VALUES | LISTS, sim_check_read_your_writes, false, 0},
    {SIM_CHECK_MONOTONIC_READS, VALUES | LISTS, sim_check_monotonic_reads, false, 0},
    {SIM_CHECK_MONOTONIC_WRITES, LISTS, sim_check_monotonic_writes, false, 0},
    {SIM_CHECK_WRITES_FOLLOW_READS, VALUES | LISTS, sim_check_writes_follow_reads, false, 0},
    /* Who wrote over whom shows only where a transaction reads what it writes over; blind writes
     * have an order in each object alone, by real time. */
    {SIM_CHECK_STRICT_SERIALIZABLE, ALL, sim_check_linearizable, true, SIM_TXN_STRICT_SERIALIZABLE},
    {SIM_CHECK_STRONG_SESSION_SERIALIZABLE, 0, NULL, true, SIM_TXN_STRONG_SESSION_SERIALIZABLE},
    {SIM_CHECK_SERIALIZABLE, 0, NULL, true, SIM_TXN_SERIALIZABLE},
    {SIM_CHECK_SNAPSHOT_ISOLATION, 0, NULL, true, SIM_TXN_SNAPSHOT_ISOLATION},
    {SIM_CHECK_READ_COMMITTED, 0, NULL, true, SIM_TXN_READ_COMMITTED},
};
const size_t sim_model_count = sizeof sim_models / sizeof sim_models[0];

static bool is_called(const char *name, const char *called)
{
    for (; *name && (*name == *called || (*name == '_' && *called == '-')); name++) {
        called++;
    }
    return *name == *called;
}

const struct sim_model *sim_model_find(const char *name)
{
    for (size_t i = 0; i < sim_model_count; i++) {
        if (is_called(sim_model_name(&sim_models[i]), name)) {
            return &sim_models[i];
        }
    }
    return NULL;
}
