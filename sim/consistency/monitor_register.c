/* Zones. The cluster of a value is its write and the reads that saw it. In a linearization every
 * cluster is one piece, the write first: so all that matters is where it must and may be.
 *
 *   first finish < last start:  the value must have been there from the one to the other (a
 *                               forward zone); two such zones may not overlap
 *   otherwise:                  the whole cluster fits into one moment between the last start
 *                               and the first finish (a backward zone), which may not lie
 *                               inside another value's forward zone */
#include "sim/consistency/monitor.h"

struct cluster {
    uint32_t finish; /* The earliest return. */
    uint32_t start;  /* The latest invocation. */
    uint32_t write;  /* Places in the history, or SIM_HISTORY_NOTHING. */
    uint32_t finisher;
    uint32_t starter;
    uint32_t reads;
};

struct zones {
    const struct sim_history *history;
    uint32_t *local;          /* As of struct sim_monitor. */
    struct cluster *clusters; /* The initial value's, then by local number. */
    uint64_t *forward;        /* finish << 32 | cluster, of forward zones; sorted. */
    uint64_t *spare;
    size_t forward_count;
    uint32_t cluster_count;
    uint32_t initial; /* The value before any write. */
    struct sim_monitor_result *result;
};

static void extend(struct cluster *c, const struct sim_history_operation *o, uint32_t place)
{
    if (sim_monitor_finish(o) < c->finish) {
        c->finish = sim_monitor_finish(o);
        c->finisher = place;
    }
    if (sim_monitor_start(o) > c->start) {
        c->start = sim_monitor_start(o);
        c->starter = place;
    }
}

static enum sim_monitor_answer violated(struct zones *z, const char *why, const struct cluster *a,
                                        const struct cluster *b)
{
    z->result->why = why;
    const struct cluster *both[] = {a, b};
    for (uint32_t i = 0; i < 2; i++) {
        sim_monitor_name(z->result, both[i]->write);
        sim_monitor_name(z->result, both[i]->finisher);
        sim_monitor_name(z->result, both[i]->starter);
    }
    return SIM_MONITOR_VIOLATED;
}

/* Writes make the clusters; false: two of one value, or something that is not a write or a
 * read. */
static bool gather_writes(struct zones *z, const uint32_t *places, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        const struct sim_history_operation *o = &z->history->operations[places[i]];
        if (o->outcome == SIM_OUTCOME_FAIL || o->action == SIM_ACTION_READ) {
            continue;
        }
        if (o->action != SIM_ACTION_WRITE || o->value == z->initial || z->local[o->value]) {
            return false;
        }
        z->local[o->value] = ++z->cluster_count;
        struct cluster *c = &z->clusters[z->cluster_count];
        c->write = places[i];
        extend(c, o, places[i]);
    }
    return true;
}

static enum sim_monitor_answer gather_reads(struct zones *z, const uint32_t *places, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        const struct sim_history_operation *o = &z->history->operations[places[i]];
        if (o->action != SIM_ACTION_READ || o->outcome != SIM_OUTCOME_OK ||
            o->result == SIM_VALUE_UNKNOWN) {
            continue;
        }
        const uint32_t number = z->local[o->result];
        struct cluster *c = &z->clusters[number];
        if (o->result != z->initial && number == 0) {
            z->result->why = "a value was read that nobody wrote";
            sim_monitor_name(z->result, places[i]);
            return SIM_MONITOR_VIOLATED;
        }
        if (number != 0 && o->returned < z->history->operations[c->write].invoked) {
            z->result->why = "a value was read before its write began";
            sim_monitor_name(z->result, places[i]);
            sim_monitor_name(z->result, c->write);
            return SIM_MONITOR_VIOLATED;
        }
        c->reads++;
        extend(c, o, places[i]);
    }
    return SIM_MONITOR_HOLDS;
}

static bool is_forward(const struct cluster *c)
{
    return c->finish < c->start;
}

static enum sim_monitor_answer compare_forward(struct zones *z)
{
    for (uint32_t i = 0; i <= z->cluster_count; i++) {
        if (is_forward(&z->clusters[i])) {
            z->forward[z->forward_count++] = (uint64_t)z->clusters[i].finish << 32 | i;
        }
    }
    sim_sort_u64(z->forward, z->spare, z->forward_count);
    for (size_t i = 1; i < z->forward_count; i++) {
        const struct cluster *a = &z->clusters[(uint32_t)z->forward[i - 1]];
        const struct cluster *b = &z->clusters[(uint32_t)z->forward[i]];
        if (b->finish < a->start) {
            return violated(z, "two values must both have been there at the same time", a, b);
        }
    }
    return SIM_MONITOR_HOLDS;
}

static enum sim_monitor_answer compare_backward(struct zones *z, const struct cluster *c)
{
    size_t low = 0; /* The first forward zone that begins at c->start or later. */
    size_t high = z->forward_count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (z->forward[middle] >> 32 < c->start) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (low > 0) {
        const struct cluster *a = &z->clusters[(uint32_t)z->forward[low - 1]];
        if (c->finish < a->start) {
            return violated(z, "a value must have been there while another one was", a, c);
        }
    }
    return SIM_MONITOR_HOLDS;
}

static enum sim_monitor_answer judge(struct zones *z, const uint32_t *places, uint32_t count)
{
    for (uint32_t i = 0; i <= count; i++) {
        z->clusters[i] = (struct cluster){.finish = SIM_POSITION_NEVER,
                                          .write = SIM_HISTORY_NOTHING,
                                          .finisher = SIM_HISTORY_NOTHING,
                                          .starter = SIM_HISTORY_NOTHING};
    }
    z->clusters[0].finish = 0; /* Written before everything. */
    if (!gather_writes(z, places, count)) {
        return SIM_MONITOR_NOT_APPLICABLE;
    }
    enum sim_monitor_answer answer = gather_reads(z, places, count);
    if (answer == SIM_MONITOR_HOLDS) {
        answer = compare_forward(z);
    }
    for (uint32_t i = 1; i <= z->cluster_count && answer == SIM_MONITOR_HOLDS; i++) {
        const struct cluster *c = &z->clusters[i];
        const bool may_not_be = c->reads == 0 && c->finish == SIM_POSITION_NEVER;
        if (!is_forward(c) && !may_not_be) {
            answer = compare_backward(z, c);
        }
    }
    return answer;
}

enum sim_monitor_answer sim_monitor_register(struct sim_monitor *monitor, const uint32_t *places,
                                             uint32_t count, struct sim_monitor_result *result)
{
    struct sim_scratch *scratch = monitor->scratch;
    *result = (struct sim_monitor_result){.steps = count, .witness = monitor->witness};
    struct zones z = {
        .history = monitor->history,
        .local = monitor->local,
        .result = result,
        .initial = monitor->history->object == SIM_OBJECT_KV ? SIM_VALUE_EMPTY : SIM_VALUE_NIL,
    };
    const size_t room = (size_t)count + 1;
    z.clusters = sim_scratch_alloc(scratch, room, sizeof *z.clusters);
    z.forward = sim_scratch_alloc(scratch, room, sizeof *z.forward);
    z.spare = sim_scratch_alloc(scratch, room, sizeof *z.spare);
    enum sim_monitor_answer answer = SIM_MONITOR_NO_MEMORY;
    if (z.clusters && z.forward && z.spare) {
        answer = judge(&z, places, count);
        for (uint32_t i = 0; i < count; i++) {
            monitor->local[monitor->history->operations[places[i]].value] = 0;
        }
    }
    sim_scratch_release(scratch, z.clusters, room, sizeof *z.clusters);
    sim_scratch_release(scratch, z.forward, room, sizeof *z.forward);
    sim_scratch_release(scratch, z.spare, room, sizeof *z.spare);
    return answer;
}
