/* The swarm: fault schedules drawn at random before a run, then plain data like any other.
 *
 * Switching whole families off at random, seed by seed, finds more than always having all of
 * them (Groce et al., "Swarm Testing", ISSTA 2012): faults can hide each other.
 *
 * Every rule has a stream of its own, named after its family and its place among the rules
 * of that family, and every fault takes the same number of outputs of it, used or not. So no
 * rule, and no knob of a rule, moves what another one draws. */
#include "sim/fault_internal.h"

/* What one fault takes from its rule's stream, in this order. */
struct draw {
    uint64_t interval_ns;
    uint64_t length_ns;
    uint32_t node; /* Of the rule's group, */
    uint32_t peer; /* and another one, if there is another. */
    bool wide;     /* All links of the group, or of the node, instead of one. */
    uint32_t strength_ppm;
    uint64_t amount;
    bool negative;
    int64_t division; /* Not 0. */
};

static void draw_fault(const struct sim_plan *plan, const struct sim_swarm_rule *rule,
                       struct sim_rng *rng, struct draw *d)
{
    const struct sim_plan_group *group = &plan->groups[rule->group];
    const uint32_t last = group->node_count - 1;
    d->interval_ns = sim_dist_draw(&rule->interval, rng);
    d->length_ns = sim_dist_draw(&rule->length, rng);
    const uint32_t node = (uint32_t)sim_rng_between(rng, 0, last);
    const uint32_t step = (uint32_t)sim_rng_between(rng, last > 0, last);
    d->node = group->first_node + node;
    d->peer = group->first_node + (node + step) % group->node_count;
    d->wide = sim_rng_u32(rng) & 1;
    const uint64_t share = sim_rng_between(rng, 1, 1000);
    d->strength_ppm = (uint32_t)(rule->strength_ppm * share / 1000);
    d->amount = sim_dist_draw(&rule->amount, rng);
    d->negative = sim_rng_u32(rng) & 1;
    d->division = (int64_t)sim_rng_u32(rng) + 1;
    if (d->amount > SIM_DIST_VALUE_MAX / 2) {
        d->amount = SIM_DIST_VALUE_MAX / 2; /* It becomes the settings of distributions. */
    }
    if (d->length_ns < rule->length_min_ns) {
        d->length_ns = rule->length_min_ns;
    }
    if (d->length_ns == 0) {
        d->length_ns = 1; /* 0 would be for ever. */
    }
}

/* ---- From a draw to a fault -------------------------------------------------------------- */

static struct sim_selection select_one(enum sim_selector_kind kind, uint32_t index)
{
    return (struct sim_selection){.count = 1, .selectors = {{.kind = kind, .index = index}}};
}

static struct sim_dist constant(uint64_t value)
{
    return (struct sim_dist){.kind = SIM_DIST_CONSTANT, .a = value};
}

static void on_node(struct sim_fault *f, enum sim_fault_kind kind, const struct draw *d)
{
    f->kind = kind;
    f->targets = select_one(SIM_SELECT_NODE, d->node);
}

static void partition(struct sim_fault *f, enum sim_partition_shape shape,
                      const struct sim_swarm_rule *rule, const struct draw *d)
{
    on_node(f, SIM_FAULT_PARTITION, d);
    f->shape = shape;
    if (sim_shape_is_random(shape)) {
        f->targets = select_one(SIM_SELECT_GROUP, rule->group);
        f->amount = d->division;
    }
}

/* One direction of one link, or every link of the group, its clients' included. */
static void link_change(struct sim_fault *f, const struct sim_swarm_rule *rule,
                        const struct draw *d)
{
    struct sim_link_knobs *knobs = &f->link.knobs;
    on_node(f, SIM_FAULT_LINK, d);
    f->one_way = true;
    f->peers = select_one(SIM_SELECT_NODE, d->peer);
    if (d->wide || d->peer == d->node) {
        f->one_way = false;
        f->targets = select_one(SIM_SELECT_GROUP, rule->group);
        f->peers.count = 0;
    }
    sim_link_knobs_init(knobs);
    switch ((enum sim_swarm_family)rule->family) {
    case SIM_SWARM_LOSS:
        f->link.fields = 1u << SIM_LINK_LOSS;
        knobs->loss_ppm = d->strength_ppm;
        break;
    case SIM_SWARM_DELAY: /* A spread of messages, so that some overtake others. */
        f->link.fields = 1u << SIM_LINK_LATENCY;
        knobs->latency = (struct sim_dist){
            .kind = SIM_DIST_UNIFORM, .a = d->amount / 2, .b = d->amount / 2 + d->amount};
        break;
    case SIM_SWARM_DUPLICATE:
        f->link.fields = 1u << SIM_LINK_DUPLICATE;
        knobs->duplicate_ppm = d->strength_ppm;
        break;
    case SIM_SWARM_REORDER:
        f->link.fields = 1u << SIM_LINK_REORDER;
        knobs->reorder_ppm = d->strength_ppm;
        knobs->reorder_delay = (struct sim_dist){
            .kind = SIM_DIST_UNIFORM, .a = 0, .b = d->amount ? 2 * d->amount : 20 * SIM_MS};
        break;
    default:
        f->link.fields = 1u << SIM_LINK_CORRUPT;
        knobs->corrupt_ppm = d->strength_ppm;
        break;
    }
}

static void disk_change(struct sim_fault *f, const struct sim_swarm_rule *rule,
                        const struct draw *d)
{
    on_node(f, SIM_FAULT_DISK, d);
    switch ((enum sim_swarm_family)rule->family) {
    case SIM_SWARM_DISK_SLOW:
        f->disk.fields = 1u << SIM_DISK_LATENCY;
        f->disk.knobs.sync_latency = constant(d->amount);
        break;
    case SIM_SWARM_DISK_ERROR:
        f->disk.fields = 1u << SIM_DISK_SYNC_ERROR | 1u << SIM_DISK_WRITE_ERROR;
        f->disk.knobs.sync_error_ppm = d->strength_ppm;
        f->disk.knobs.write_error_ppm = d->strength_ppm;
        break;
    default:
        f->disk.fields = 1u << SIM_DISK_LIE;
        f->disk.knobs.lie_ppm = d->strength_ppm;
        break;
    }
}

static void clock_change(struct sim_fault *f, enum sim_fault_kind kind, uint64_t limit,
                         const struct draw *d)
{
    on_node(f, kind, d);
    const int64_t size = (int64_t)(d->amount < limit ? d->amount : limit);
    f->amount = d->negative ? -size : size;
}

static void fault_of(const struct sim_swarm_rule *rule, const struct draw *d, struct sim_fault *f)
{
    f->for_ns = d->length_ns;
    f->administrator = SIM_NOBODY;
    switch ((enum sim_swarm_family)rule->family) {
    case SIM_SWARM_CRASH:
        on_node(f, SIM_FAULT_CRASH, d);
        break;
    case SIM_SWARM_PAUSE:
        on_node(f, SIM_FAULT_PAUSE, d);
        break;
    case SIM_SWARM_SLOW:
        on_node(f, SIM_FAULT_SLOW, d);
        f->speed_ppm = d->strength_ppm ? d->strength_ppm : 1;
        break;
    case SIM_SWARM_ISOLATE:
        partition(f, SIM_CUT_ISOLATE, rule, d);
        break;
    case SIM_SWARM_HALVES:
        partition(f, SIM_CUT_HALVES, rule, d);
        break;
    case SIM_SWARM_BRIDGE:
        partition(f, SIM_CUT_BRIDGE, rule, d);
        break;
    case SIM_SWARM_RING:
        partition(f, SIM_CUT_RING, rule, d);
        break;
    case SIM_SWARM_ONE_WAY: /* To one other, or to everybody. */
        partition(f, SIM_CUT_ONE_WAY, rule, d);
        f->peers = select_one(SIM_SELECT_NODE, d->peer);
        f->peers.count = d->wide || d->peer == d->node ? 0 : 1;
        break;
    case SIM_SWARM_PARTIAL: /* Two cannot reach each other; the others reach both. */
        partition(f, SIM_CUT_BETWEEN, rule, d);
        f->peers = select_one(SIM_SELECT_NODE, d->peer);
        break;
    case SIM_SWARM_LOSS:
    case SIM_SWARM_DELAY:
    case SIM_SWARM_DUPLICATE:
    case SIM_SWARM_REORDER:
    case SIM_SWARM_CORRUPT:
        link_change(f, rule, d);
        break;
    case SIM_SWARM_DISK_SLOW:
    case SIM_SWARM_DISK_ERROR:
    case SIM_SWARM_DISK_LIE:
        disk_change(f, rule, d);
        break;
    case SIM_SWARM_CLOCK_DRIFT:
        clock_change(f, SIM_FAULT_CLOCK_DRIFT, SIM_CLOCK_DRIFT_MAX_PPB, d);
        break;
    case SIM_SWARM_CLOCK_STEP:
        clock_change(f, SIM_FAULT_CLOCK_STEP, SIM_TIME_MAX, d);
        break;
    case SIM_SWARM_COMMAND: /* "Hand your leadership over to ...": only the run knows whose. */
        f->kind = SIM_FAULT_COMMAND;
        f->targets = select_one(SIM_SELECT_LEADER, 0);
        f->peers = select_one(SIM_SELECT_NODE, d->peer);
        f->index = rule->index;
        break;
    case SIM_SWARM_FAMILY_COUNT:
        break;
    }
    if (!sim_fault_can_end(f->kind)) {
        f->for_ns = 0;
    }
}

/* ---- Majorities ---- */

static bool stops_nodes(uint32_t family)
{
    return family == SIM_SWARM_CRASH || family == SIM_SWARM_PAUSE || family == SIM_SWARM_ISOLATE;
}

static bool same_family(const struct sim_fault *a, const struct sim_fault *b)
{
    return a->kind == b->kind && a->shape == b->shape &&
           a->targets.selectors[0].kind == b->targets.selectors[0].kind;
}

static bool covers(const struct sim_fault *f, uint64_t time_ns)
{
    return f->at_ns <= time_ns && time_ns < sim_add_sat(f->at_ns, f->for_ns);
}

/* Nodes of the group that the family has stopped at a time. */
static uint32_t stopped_at(const struct sim_world *world, const struct sim_fault *f,
                           const struct sim_plan_group *group, uint64_t time_ns)
{
    struct sim_set stopped = {.words = {0}};
    sim_set_add(stopped.words, f->targets.selectors[0].index);
    for (size_t i = world->plan->fault_count; i < world->fault_count; i++) {
        const struct sim_fault *g = &world->faults[i];
        if (same_family(f, g) && covers(g, time_ns)) {
            sim_set_add(stopped.words, g->targets.selectors[0].index);
        }
    }
    uint32_t count = 0;
    for (uint32_t i = 0; i < group->node_count; i++) {
        count += sim_set_has(stopped.words, group->first_node + i);
    }
    return count;
}

/* With this fault, would the family at some time leave less than a majority of the group? It
 * is worst when some fault begins. */
static bool stops_majority(const struct sim_world *world, const struct sim_fault *f,
                           const struct sim_swarm_rule *rule)
{
    const struct sim_plan_group *group = &world->plan->groups[rule->group];
    uint32_t present = 0;
    for (uint32_t i = 0; i < group->node_count; i++) {
        present += !world->plan->nodes[group->first_node + i].absent;
    }
    const uint32_t most = present > 0 ? (present - 1) / 2 : 0;
    if (stopped_at(world, f, group, f->at_ns) > most) {
        return true;
    }
    for (size_t i = world->plan->fault_count; i < world->fault_count; i++) {
        const struct sim_fault *g = &world->faults[i];
        if (same_family(f, g) && covers(f, g->at_ns) &&
            stopped_at(world, f, group, g->at_ns) > most) {
            return true;
        }
    }
    return false;
}

/* ---- Drawing ---- */

static void rule_stream(const struct sim_world *world, uint32_t index, struct sim_rng *rng)
{
    const struct sim_swarm_rule *rules = world->plan->swarm;
    uint32_t number = 0; /* Among the rules of its family. */
    for (uint32_t i = 0; i < index; i++) {
        number += rules[i].family == rules[index].family;
    }
    const uint64_t family = sim_hash_name(sim_swarm_family_name(rules[index].family));
    sim_rng_derive_hashed(rng, world->seed,
                          sim_mix64(sim_mix64(sim_hash_name("swarm/") ^ family) + number));
}

static bool draw_rule(struct sim_world *world, uint32_t index, size_t *capacity)
{
    const struct sim_swarm_rule *rule = &world->plan->swarm[index];
    struct sim_rng rng;
    rule_stream(world, index, &rng);
    if (sim_rng_chance(&rng, rule->off_ppm)) {
        return true;
    }
    uint64_t time_ns = 0;
    for (uint32_t drawn = 0; drawn < SIM_FAULTS_MAX; drawn++) {
        struct draw d;
        draw_fault(world->plan, rule, &rng, &d);
        time_ns = sim_add_sat(time_ns, d.interval_ns);
        if (time_ns >= world->plan->duration_ns) {
            return true;
        }
        if (!sim_arena_grow_cold(world->arena, &world->faults, capacity, world->fault_count + 1,
                                 sizeof *world->faults)) {
            return false;
        }
        struct sim_fault *f = &world->faults[world->fault_count];
        memset(f, 0, sizeof *f);
        f->at_ns = time_ns;
        fault_of(rule, &d, f);
        /* A pair of one node is nobody; a skipped fault has taken its outputs all the same. */
        const bool nobody = rule->family == SIM_SWARM_PARTIAL && d.peer == d.node;
        const bool too_many =
            stops_nodes(rule->family) && !rule->crash_majority && stops_majority(world, f, rule);
        world->fault_count += !nobody && !too_many;
    }
    return true;
}

enum sim_status sim_swarm_draw(struct sim_world *world)
{
    size_t capacity = world->fault_count;
    for (uint32_t i = 0; i < world->plan->swarm_count; i++) {
        if (!draw_rule(world, i, &capacity)) {
            return SIM_ENOMEM;
        }
    }
    return SIM_OK;
}
