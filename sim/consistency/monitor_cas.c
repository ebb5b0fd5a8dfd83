/* Compare-and-sets on a register with unique writes. One that succeeded comes right after the
 * reads of the value that it replaced: it ties that value's cluster to its own, and a chain of
 * clusters so tied is one piece with a fixed order. One that missed changes nothing; it has to be
 * put somewhere in its time where the register holds something else. */
#include "sim/consistency/monitor_register_internal.h"

static const struct sim_history_operation *write_of(const struct sim_zones *z, uint32_t cluster)
{
    return &z->history->operations[z->clusters[cluster].write];
}

/* The cluster of a value; none if nobody wrote it. */
static uint32_t cluster_of(const struct sim_zones *z, uint32_t value)
{
    return value == z->initial ? 0 : z->local[value] ? z->local[value] : SIM_NO_CLUSTER;
}

/* A write that was there and compared: the value that it replaced was there, too. */
static enum sim_monitor_answer tie(struct sim_zones *z, uint32_t cluster, uint32_t *from)
{
    struct sim_cluster *c = &z->clusters[cluster];
    *from = cluster_of(z, write_of(z, cluster)->expected);
    if (*from == SIM_NO_CLUSTER) {
        z->result->why = "a value was replaced that nobody wrote";
        sim_zones_name(z, c->write);
        return SIM_MONITOR_VIOLATED;
    }
    struct sim_cluster *before = &z->clusters[*from];
    if (before->next != SIM_NO_CLUSTER) {
        z->result->why = "two compare-and-sets replaced the same value";
        sim_zones_name(z, c->write);
        sim_zones_name(z, z->clusters[before->next].write);
        return SIM_MONITOR_VIOLATED;
    }
    c->from = *from;
    before->next = cluster;
    return SIM_MONITOR_HOLDS;
}

/* Whatever ended shows that its value was there; from there back along what was replaced. */
static enum sim_monitor_answer tie_all(struct sim_zones *z)
{
    uint32_t *stack = z->others;
    uint32_t depth = 0;
    z->clusters[0].was_there = true;
    for (uint32_t i = 1; i <= z->cluster_count; i++) {
        struct sim_cluster *c = &z->clusters[i];
        if (c->own.finish != SIM_POSITION_NEVER) {
            c->was_there = true;
            c->evidence = c->own.finisher;
            stack[depth++] = i;
        }
    }
    while (depth > 0) {
        const uint32_t cluster = stack[--depth];
        uint32_t from = SIM_NO_CLUSTER;
        if (write_of(z, cluster)->action == SIM_ACTION_CAS &&
            tie(z, cluster, &from) != SIM_MONITOR_HOLDS) {
            return SIM_MONITOR_VIOLATED;
        }
        if (from != SIM_NO_CLUSTER && !z->clusters[from].was_there) {
            z->clusters[from].was_there = true;
            z->clusters[from].evidence = z->clusters[cluster].evidence;
            stack[depth++] = from;
        }
    }
    return SIM_MONITOR_HOLDS;
}

/* From its first cluster on: nothing of a later one may have returned before something of an
 * earlier one began. */
static enum sim_monitor_answer follow(struct sim_zones *z, struct sim_cluster *first)
{
    first->chain = first->own;
    first->placed = true;
    for (uint32_t i = first->next; i != SIM_NO_CLUSTER; i = z->clusters[i].next) {
        struct sim_cluster *c = &z->clusters[i];
        c->placed = true;
        if (c->own.finish < first->chain.start) {
            z->result->why = "a value was still there after it had been replaced";
            sim_zones_name(z, first->chain.starter);
            sim_monitor_name(z->result, c->own.finisher);
            sim_zones_name(z, c->write);
            return SIM_MONITOR_VIOLATED;
        }
        sim_zone_extend(&first->chain, &c->own);
    }
    return SIM_MONITOR_HOLDS;
}

enum sim_monitor_answer sim_zones_chain(struct sim_zones *z)
{
    enum sim_monitor_answer answer = tie_all(z);
    for (uint32_t i = 0; i <= z->cluster_count && answer == SIM_MONITOR_HOLDS; i++) {
        struct sim_cluster *c = &z->clusters[i];
        if (c->was_there && c->from == SIM_NO_CLUSTER) {
            answer = follow(z, c);
        }
    }
    for (uint32_t i = 1; i <= z->cluster_count && answer == SIM_MONITOR_HOLDS; i++) {
        if (z->clusters[i].was_there && !z->clusters[i].placed) {
            z->result->why = "a value was there that can only have come from itself";
            for (uint32_t k = i; !z->clusters[k].placed; k = z->clusters[k].from) {
                z->clusters[k].placed = true;
                sim_zones_name(z, z->clusters[k].write);
            }
            answer = SIM_MONITOR_VIOLATED;
        }
    }
    return answer;
}

/* ---- Those that missed ----------------------------------------------------------------------- */

/* All clusters that were there, one after the other. If a piece must be before another then both
 * ends of its zone are no later than that one's, so either end is an order for them: one puts all
 * as early as they can be, the other as late. */
static uint32_t put_in_order(struct sim_zones *z, bool late)
{
    size_t pieces = 0;
    for (uint32_t i = 0; i <= z->cluster_count; i++) {
        const struct sim_cluster *c = &z->clusters[i];
        if (c->was_there && c->from == SIM_NO_CLUSTER) {
            const bool forward = sim_zone_is_forward(&c->chain);
            const uint32_t end = forward == late ? c->chain.start : c->chain.finish;
            z->keys[pieces++] = (uint64_t)end << 32 | i;
        }
    }
    sim_sort_u64(z->keys, z->spare, pieces);
    uint32_t count = 0;
    for (size_t p = 0; p < pieces; p++) {
        for (uint32_t i = (uint32_t)z->keys[p]; i != SIM_NO_CLUSTER; i = z->clusters[i].next) {
            z->order[count++] = i;
        }
    }
    return count;
}

static bool is_miss(const struct sim_history_operation *o)
{
    return o->action == SIM_ACTION_CAS_MISSED && o->outcome == SIM_OUTCOME_OK;
}

/* It was over before the value that it is said to have missed could go, and began after that had
 * come. */
static enum sim_monitor_answer cannot_place(struct sim_zones *z, uint32_t place, uint32_t value)
{
    const struct sim_history_operation *o = &z->history->operations[place];
    if (value == SIM_NO_CLUSTER) {
        return SIM_MONITOR_NOT_APPLICABLE;
    }
    struct sim_zone there = z->clusters[value].own;
    if (z->clusters[value].next != SIM_NO_CLUSTER) {
        const uint32_t write = z->clusters[z->clusters[value].next].write;
        const struct sim_zone replaced = {SIM_POSITION_NEVER, write,
                                          sim_monitor_start(&z->history->operations[write]), write};
        sim_zone_extend(&there, &replaced);
    }
    if (there.finish >= sim_monitor_start(o) || sim_monitor_finish(o) >= there.start) {
        return SIM_MONITOR_NOT_APPLICABLE; /* In another order of the pieces, perhaps. */
    }
    z->result->why = "a compare missed the value that was there";
    sim_monitor_name(z->result, there.finisher);
    sim_monitor_name(z->result, place);
    sim_zones_name(z, there.starter);
    return SIM_MONITOR_VIOLATED;
}

/* Each as early as it can be: after the clusters of which something returned before it began, and
 * after the misses that did. Then it must not be later than anything that began after it. */
static enum sim_monitor_answer place_in(struct sim_zones *z, bool late)
{
    const uint32_t placed = put_in_order(z, late);
    uint32_t *latest_start = z->others;   /* Of the clusters up to each. */
    uint32_t *spots = z->others + placed; /* Of the misses: places in order[]. */
    size_t events = 0;                    /* keys[]: returns, of clusters and then of misses. */
    for (uint32_t p = 0; p < placed; p++) {
        const struct sim_zone *own = &z->clusters[z->order[p]].own;
        const uint32_t before = p > 0 ? latest_start[p - 1] : 0;
        latest_start[p] = own->start > before ? own->start : before;
        z->keys[events++] = (uint64_t)own->finish << 32 | p;
    }
    for (uint32_t i = 0; i < z->count; i++) {
        const struct sim_history_operation *o = &z->history->operations[z->places[i]];
        if (is_miss(o)) {
            z->keys[events] = (uint64_t)sim_monitor_finish(o) << 32 | events;
            events++;
        }
    }
    sim_sort_u64(z->keys, z->spare, events);
    size_t next = 0;
    uint32_t least = 0;
    uint32_t misses = 0;
    for (uint32_t i = 0; i < z->count; i++) {
        const struct sim_history_operation *o = &z->history->operations[z->places[i]];
        if (!is_miss(o)) {
            continue;
        }
        for (; next < events && z->keys[next] >> 32 < sim_monitor_start(o); next++) {
            const uint32_t number = (uint32_t)z->keys[next];
            const uint32_t spot = number < placed ? number : spots[number - placed];
            least = spot > least ? spot : least;
        }
        const uint32_t value = cluster_of(z, o->expected);
        const uint32_t spot = least + (z->order[least] == value);
        const uint32_t finish = sim_monitor_finish(o);
        if (spot >= placed || (spot > 0 && latest_start[spot - 1] > finish) ||
            (z->order[spot] > 0 && sim_monitor_start(write_of(z, z->order[spot])) > finish)) {
            return cannot_place(z, z->places[i], value);
        }
        spots[misses++] = spot;
    }
    return SIM_MONITOR_HOLDS;
}

enum sim_monitor_answer sim_zones_place_misses(struct sim_zones *z)
{
    const enum sim_monitor_answer answer = place_in(z, false);
    return answer == SIM_MONITOR_NOT_APPLICABLE ? place_in(z, true) : answer;
}
