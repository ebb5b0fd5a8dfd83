/* Zones. The cluster of a value is its write and the reads that saw it. In a linearization every
 * cluster is one piece, the write first, and so is a chain of clusters each of which replaced the
 * one before by a compare-and-set (monitor_cas.c). All that matters is where such a piece must and
 * may be.
 *
 *   first finish < last start:  it must have been there from the one to the other (a forward
 *                               zone); two such zones may not overlap
 *   otherwise:                  all of it fits into one moment between the last start and the
 *                               first finish (a backward zone), which may not lie inside another's
 *                               forward zone
 *
 * That suffices: piece A must be before B if something of A returned before something of B began,
 * and where such musts make a circle, two of them do. */
#include "sim/consistency/monitor_register_internal.h"

static struct sim_zone zone_of(const struct sim_history_operation *o, uint32_t place)
{
    return (struct sim_zone){sim_monitor_finish(o), place, sim_monitor_start(o), place};
}

static enum sim_monitor_answer violated(struct sim_zones *z, const char *why,
                                        const struct sim_cluster *a, const struct sim_cluster *b)
{
    z->result->why = why;
    const struct sim_cluster *both[] = {a, b};
    for (uint32_t i = 0; i < 2; i++) {
        sim_monitor_name(z->result, both[i]->write);
        sim_monitor_name(z->result, both[i]->chain.finisher);
        sim_zones_name(z, both[i]->chain.starter);
    }
    return SIM_MONITOR_VIOLATED;
}

void sim_zones_name(struct sim_zones *z, uint32_t place)
{
    sim_monitor_name(z->result, place);
    if (place != SIM_HISTORY_NOTHING && z->history->operations[place].action != SIM_ACTION_READ) {
        sim_monitor_name(z->result,
                         z->clusters[z->local[z->history->operations[place].value]].evidence);
    }
}

/* Writes make the clusters; false: two of one value, or something that is not a write, a
 * compare-and-set or a read. */
static bool gather_writes(struct sim_zones *z)
{
    for (uint32_t i = 0; i < z->count; i++) {
        const struct sim_history_operation *o = &z->history->operations[z->places[i]];
        if (o->outcome == SIM_OUTCOME_FAIL || o->action == SIM_ACTION_READ) {
            continue;
        }
        if (o->action == SIM_ACTION_CAS_MISSED) {
            z->misses |= o->outcome == SIM_OUTCOME_OK;
            continue;
        }
        const bool compares = o->action == SIM_ACTION_CAS && o->value != o->expected;
        if ((o->action != SIM_ACTION_WRITE && !compares) || o->value == z->initial ||
            z->local[o->value]) {
            return false;
        }
        z->compares |= compares;
        z->local[o->value] = ++z->cluster_count;
        struct sim_cluster *c = &z->clusters[z->cluster_count];
        c->write = z->places[i];
        c->own = zone_of(o, z->places[i]);
    }
    return true;
}

/* A value without a write, or with one that failed. */
static enum sim_monitor_answer read_out_of_nothing(struct sim_zones *z, uint32_t place)
{
    z->result->why = "a value was read that nobody wrote";
    sim_monitor_name(z->result, place);
    for (uint32_t i = 0; i < z->count; i++) {
        const struct sim_history_operation *o = &z->history->operations[z->places[i]];
        const bool failed = o->action == SIM_ACTION_CAS_MISSED ||
                            (o->action != SIM_ACTION_READ && o->outcome == SIM_OUTCOME_FAIL);
        if (failed && o->value == z->history->operations[place].result) {
            z->result->why = "a value was read whose write had failed";
            sim_monitor_name(z->result, z->places[i]);
        }
    }
    return SIM_MONITOR_VIOLATED;
}

static enum sim_monitor_answer gather_reads(struct sim_zones *z)
{
    for (uint32_t i = 0; i < z->count; i++) {
        const uint32_t place = z->places[i];
        const struct sim_history_operation *o = &z->history->operations[place];
        if (o->action != SIM_ACTION_READ || o->outcome != SIM_OUTCOME_OK ||
            o->result == SIM_VALUE_UNKNOWN) {
            continue;
        }
        const uint32_t number = z->local[o->result];
        struct sim_cluster *c = &z->clusters[number];
        if (o->result != z->initial && number == 0) {
            return read_out_of_nothing(z, place);
        }
        if (number != 0 && o->returned < z->history->operations[c->write].invoked) {
            z->result->why = "a value was read before its write began";
            sim_monitor_name(z->result, place);
            sim_monitor_name(z->result, c->write);
            return SIM_MONITOR_VIOLATED;
        }
        const struct sim_zone read = zone_of(o, place);
        sim_zone_extend(&c->own, &read);
        c->reader = c->reader == SIM_HISTORY_NOTHING ? place : c->reader;
    }
    return SIM_MONITOR_HOLDS;
}

/* Without compare-and-sets every chain is a cluster. */
static void leave_alone(struct sim_zones *z)
{
    for (uint32_t i = 0; i <= z->cluster_count; i++) {
        struct sim_cluster *c = &z->clusters[i];
        c->chain = c->own;
        c->was_there =
            i == 0 || c->reader != SIM_HISTORY_NOTHING || c->own.finish != SIM_POSITION_NEVER;
    }
}

static bool is_first(const struct sim_cluster *c)
{
    return c->was_there && c->from == SIM_NO_CLUSTER;
}

static enum sim_monitor_answer compare_forward(struct sim_zones *z)
{
    for (uint32_t i = 0; i <= z->cluster_count; i++) {
        const struct sim_cluster *c = &z->clusters[i];
        if (is_first(c) && sim_zone_is_forward(&c->chain)) {
            z->keys[z->forward_count++] = (uint64_t)c->chain.finish << 32 | i;
        }
    }
    sim_sort_u64(z->keys, z->spare, z->forward_count);
    for (size_t i = 1; i < z->forward_count; i++) {
        const struct sim_cluster *a = &z->clusters[(uint32_t)z->keys[i - 1]];
        const struct sim_cluster *b = &z->clusters[(uint32_t)z->keys[i]];
        if (b->chain.finish < a->chain.start) {
            return violated(z, "two values must both have been there at the same time", a, b);
        }
    }
    return SIM_MONITOR_HOLDS;
}

static enum sim_monitor_answer compare_backward(struct sim_zones *z, const struct sim_cluster *c)
{
    size_t low = 0; /* The first forward zone that begins at the start or later. */
    size_t high = z->forward_count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (z->keys[middle] >> 32 < c->chain.start) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (low > 0) {
        const struct sim_cluster *a = &z->clusters[(uint32_t)z->keys[low - 1]];
        if (c->chain.finish < a->chain.start) {
            return violated(z, "a value must have been there while another one was", a, c);
        }
    }
    return SIM_MONITOR_HOLDS;
}

static enum sim_monitor_answer judge(struct sim_zones *z)
{
    const struct sim_zone nowhere = {SIM_POSITION_NEVER, SIM_HISTORY_NOTHING, 0,
                                     SIM_HISTORY_NOTHING};
    for (uint32_t i = 0; i <= z->count; i++) {
        z->clusters[i] = (struct sim_cluster){.own = nowhere,
                                              .write = SIM_HISTORY_NOTHING,
                                              .reader = SIM_HISTORY_NOTHING,
                                              .evidence = SIM_HISTORY_NOTHING,
                                              .from = SIM_NO_CLUSTER,
                                              .next = SIM_NO_CLUSTER};
    }
    z->clusters[0].own.finish = 0; /* Written before everything. */
    if (!gather_writes(z)) {
        return SIM_MONITOR_NOT_APPLICABLE;
    }
    enum sim_monitor_answer answer = gather_reads(z);
    if (answer == SIM_MONITOR_HOLDS && z->compares) {
        answer = sim_zones_chain(z);
    } else {
        leave_alone(z);
    }
    if (answer == SIM_MONITOR_HOLDS) {
        answer = compare_forward(z);
    }
    for (uint32_t i = 1; i <= z->cluster_count && answer == SIM_MONITOR_HOLDS; i++) {
        const struct sim_cluster *c = &z->clusters[i];
        if (is_first(c) && !sim_zone_is_forward(&c->chain)) {
            answer = compare_backward(z, c);
        }
    }
    return answer == SIM_MONITOR_HOLDS && z->misses ? sim_zones_place_misses(z) : answer;
}

enum sim_monitor_answer sim_monitor_register(struct sim_monitor *monitor, const uint32_t *places,
                                             uint32_t count, struct sim_monitor_result *result)
{
    struct sim_scratch *scratch = monitor->scratch;
    *result = (struct sim_monitor_result){.steps = count, .witness = monitor->witness};
    struct sim_zones z = {
        .history = monitor->history,
        .places = places,
        .count = count,
        .local = monitor->local,
        .result = result,
        .initial = monitor->history->object == SIM_OBJECT_KV ? SIM_VALUE_EMPTY : SIM_VALUE_NIL,
    };
    const size_t room = (size_t)count + 1;
    z.clusters = sim_scratch_alloc(scratch, room, sizeof *z.clusters);
    z.keys = sim_scratch_alloc(scratch, room, sizeof *z.keys);
    z.spare = sim_scratch_alloc(scratch, room, sizeof *z.spare);
    z.order = sim_scratch_alloc(scratch, room, sizeof *z.order);
    z.others = sim_scratch_alloc(scratch, room, sizeof *z.others);
    enum sim_monitor_answer answer = SIM_MONITOR_NO_MEMORY;
    if (z.clusters && z.keys && z.spare && z.order && z.others) {
        answer = judge(&z);
        for (uint32_t i = 0; i < count; i++) {
            monitor->local[monitor->history->operations[places[i]].value] = 0;
        }
    }
    sim_scratch_release(scratch, z.clusters, room, sizeof *z.clusters);
    sim_scratch_release(scratch, z.keys, room, sizeof *z.keys);
    sim_scratch_release(scratch, z.spare, room, sizeof *z.spare);
    sim_scratch_release(scratch, z.order, room, sizeof *z.order);
    sim_scratch_release(scratch, z.others, room, sizeof *z.others);
    return answer;
}
