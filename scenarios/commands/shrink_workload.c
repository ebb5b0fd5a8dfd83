/* Clients that draw their operations at random: fewer of them, slower ones, that stop sooner. What
 * the failure needs of them is rarely a certain operation, so other seeds find it with few. */
#include "scenarios/commands/shrink.h"

#define WORKLOAD_LUCK 20
#define OPERATIONS_MAX 64 /* More than that are not worth counting. */

static bool try_sessions(struct shrink *s, uint32_t workload, uint32_t count)
{
    struct sim_plan candidate;
    uint32_t map[SIM_NODES_MAX];
    uint32_t kept = 0;
    if (!shrink_copy(s, &candidate)) {
        return false;
    }
    const struct sim_workload *w = &candidate.workloads[workload];
    for (uint32_t i = 0; i < candidate.node_count; i++) {
        const bool gone = i >= w->first_client + count && i < w->first_client + w->client_count;
        map[i] = gone ? SIM_NOBODY : kept++;
    }
    shrink_renumber(&candidate, map);
    return shrink_try(s, &candidate);
}

static bool try_operations(struct shrink *s, uint32_t workload, uint64_t operations)
{
    struct sim_plan candidate;
    if (!shrink_copy(s, &candidate)) {
        return false;
    }
    candidate.workloads[workload].operations = operations;
    return shrink_try(s, &candidate);
}

/* One session, or at least half of them, again and again. */
static bool fewer_sessions(struct shrink *s, uint32_t workload)
{
    bool smaller = false;
    uint32_t count;
    while ((count = s->best.workloads[workload].client_count) > 1 && !shrink_is_over(s)) {
        if (!try_sessions(s, workload, 1) && (count < 4 || !try_sessions(s, workload, count / 2))) {
            break;
        }
        smaller = true;
    }
    return smaller;
}

static bool fewer_operations(struct shrink *s, uint32_t workload)
{
    for (uint64_t count = 1; count <= OPERATIONS_MAX && count < s->failure.operations; count *= 2) {
        const uint64_t limit = s->best.workloads[workload].operations;
        if (shrink_is_over(s) || (limit && limit <= count)) {
            return false;
        }
        if (try_operations(s, workload, count)) {
            return true;
        }
    }
    return false;
}

bool shrink_workloads(struct shrink *s)
{
    const uint32_t luck = s->luck;
    bool smaller = false;
    s->luck = WORKLOAD_LUCK;
    for (uint32_t i = 0; i < s->best.workload_count; i++) {
        if (!s->best.workloads[i].scripted) {
            smaller = fewer_operations(s, i) || smaller;
            smaller = fewer_sessions(s, i) || smaller;
        }
    }
    s->luck = luck;
    return smaller;
}
