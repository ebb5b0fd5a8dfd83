#include "sim/consistency/result.h"

#include <stdlib.h>

void sim_consistency_result_release(struct sim_consistency_result *result)
{
    free(result->witness);
    result->witness = NULL;
    result->witness_count = 0;
}

void sim_consistency_anomaly(struct sim_consistency_result *result, const char *name)
{
    sim_consistency_anomalies(result, name, 0);
}

void sim_consistency_anomalies(struct sim_consistency_result *result, const char *name,
                               uint64_t times)
{
    uint32_t at = 0;
    for (; at < result->anomaly_count; at++) {
        const int order = strcmp(result->anomalies[at], name);
        if (order == 0) {
            return;
        }
        if (order > 0) {
            break;
        }
    }
    if (result->anomaly_count < SIM_ANOMALIES_MAX) {
        memmove(result->anomalies + at + 1, result->anomalies + at,
                (result->anomaly_count - at) * sizeof *result->anomalies);
        memmove(result->times + at + 1, result->times + at,
                (result->anomaly_count - at) * sizeof *result->times);
        result->anomalies[at] = name;
        result->times[at] = times;
        result->anomaly_count++;
    }
}

static void sort_places(uint32_t *places, uint32_t count)
{
    for (uint32_t i = 1; i < count; i++) {
        const uint32_t place = places[i];
        uint32_t at = i;
        for (; at > 0 && places[at - 1] > place; at--) {
            places[at] = places[at - 1];
        }
        places[at] = place;
    }
}

bool sim_consistency_witness(struct sim_consistency_result *result, const uint32_t *places,
                             uint32_t count)
{
    sim_consistency_result_release(result);
    result->witness = malloc((count + !count) * sizeof *places);
    if (!result->witness) {
        return false;
    }
    if (count > 0) {
        memcpy(result->witness, places, count * sizeof *places);
    }
    result->witness_count = count;
    sort_places(result->witness, count);
    return true;
}
