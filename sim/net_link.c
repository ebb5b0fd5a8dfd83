/* What a link is like: its knobs, by the plan's rules and the faults in force, and its stream of
 * chance. A link is made when it is first used. */
#include "sim/world_internal.h"

enum sim_status sim_net_init(struct sim_world *world)
{
    const size_t pairs = (size_t)world->node_count * world->node_count;
    world->cuts = sim_world_alloc(world, pairs);
    return world->cuts ? SIM_OK : SIM_ENOMEM;
}

static bool is_constant(const struct sim_dist *dist, uint64_t value)
{
    return dist->kind == SIM_DIST_CONSTANT && dist->a == value;
}

static bool knobs_plain(const struct sim_link_knobs *k)
{
    return is_constant(&k->jitter, SIM_PPM) && k->latency.kind != SIM_DIST_MIXTURE &&
           (k->duplicate_ppm | k->reorder_ppm | k->corrupt_ppm | k->tamper_ppm | k->forge_ppm |
            k->replay_ppm) == 0 &&
           k->queue_policy == SIM_QUEUE_TAIL;
}

static const struct sim_knob_set *intern(struct sim_world *world,
                                         const struct sim_link_knobs *knobs)
{
    /* The one found last is the most likely: a fault changes many links alike. */
    for (size_t i = 0; i <= world->knob_set_count; i++) {
        const size_t place = i == 0 ? world->knob_set_recent : i - 1;
        if (place < world->knob_set_count &&
            memcmp(&world->knob_sets[place]->knobs, knobs, sizeof *knobs) == 0) {
            world->knob_set_recent = place;
            return world->knob_sets[place];
        }
    }
    struct sim_knob_set *set = sim_world_alloc(world, sizeof *set);
    if (!set || !sim_arena_grow(world->arena, &world->knob_sets, &world->knob_set_capacity,
                                world->knob_set_count + 1, sizeof(struct sim_knob_set *))) {
        world->out_of_memory = true;
        return NULL;
    }
    memcpy(&set->knobs, knobs, sizeof *knobs);
    set->plain = knobs_plain(knobs);
    set->retransmit_ns = 4 * sim_dist_high(&knobs->latency);
    world->knob_set_recent = world->knob_set_count;
    world->knob_sets[world->knob_set_count++] = set;
    return set;
}

/* The knobs between two nodes while no fault concerns them: the standard ones, then the plan's
 * rules in order. */
static const struct sim_knob_set *standard_knobs(struct sim_world *world, uint32_t from,
                                                 uint32_t to)
{
    struct sim_link_knobs knobs;
    memset(&knobs, 0, sizeof knobs); /* Padding too: sets are compared as bytes. */
    sim_link_knobs_init(&knobs);
    const struct sim_plan *plan = world->plan;
    for (uint32_t i = 0; i < plan->link_count; i++) {
        const struct sim_link_rule *rule = &plan->links[i];
        const bool forth = sim_selection_holds(world, &rule->from, from) &&
                           sim_selection_holds(world, &rule->to, to);
        const bool back = rule->both_ways && sim_selection_holds(world, &rule->from, to) &&
                          sim_selection_holds(world, &rule->to, from);
        if (forth || back) {
            sim_link_knobs_apply(&knobs, &rule->change);
        }
    }
    return intern(world, &knobs);
}

/* Without memory a link keeps what it has: the event at hand still ends in order. */
static void link_update_faults(struct sim_world *world, struct sim_link *link, uint32_t from,
                               uint32_t to)
{
    struct sim_link_knobs knobs;
    if (!link->standard || !sim_faults_overlay(world, from, to, &link->standard->knobs, &knobs)) {
        link->set = link->standard;
        return;
    }
    const struct sim_knob_set *set = intern(world, &knobs);
    link->set = set ? set : link->set;
}

static void link_update(struct sim_world *world, struct sim_link *link, uint32_t from, uint32_t to)
{
    const struct sim_plan *plan = world->plan;
    const size_t pair = (size_t)world->nodes[from].zone * plan->zone_count + world->nodes[to].zone;
    link->base_ns = plan->base_ns ? plan->base_ns[pair] : 0;
    link->price_nano_per_gb = plan->price_nano_per_gb ? plan->price_nano_per_gb[pair] : 0;
    const struct sim_knob_set *standard = standard_knobs(world, from, to);
    link->standard = standard ? standard : link->standard;
    link_update_faults(world, link, from, to);
}

/* The name of a link, "net/FROM>TO", as a hash: no other node can change it. */
static uint64_t link_name(const struct sim_world *world, uint32_t from, uint32_t to)
{
    const uint64_t from_hash = sim_hash_name(world->nodes[from].plan->name);
    const uint64_t to_hash = sim_hash_name(world->nodes[to].plan->name);
    return sim_mix64(sim_hash_name("net/") ^ sim_mix64(from_hash) ^ (to_hash + 1));
}

struct sim_link *sim_net_link_new(struct sim_world *world, uint32_t from, uint32_t to)
{
    struct sim_env *sender = &world->nodes[from];
    if (!sender->links) {
        sender->links = sim_world_alloc(world, world->node_count * sizeof(struct sim_link *));
    }
    struct sim_link *link = sender->links ? sim_world_alloc(world, sizeof *link) : NULL;
    if (!link) {
        return NULL;
    }
    const uint64_t name = link_name(world, from, to);
    sim_rng_derive_hashed(&link->rng, world->seed, name);
    link->fate_key = sim_mix64(name ^ sim_hash_name("fate/"));
    for (uint32_t i = 0; i < world->plan->fate_count; i++) {
        link->overridden |= world->plan->fates[i].from == from && world->plan->fates[i].to == to;
    }
    if (link->overridden) {
        link->kind_ordinals =
            sim_world_alloc(world, SIM_LINK_KINDS_MAX * sizeof *link->kind_ordinals);
    }
    link_update(world, link, from, to);
    if (world->out_of_memory) {
        return NULL; /* Half made: nobody may find it. */
    }
    sender->links[to] = link;
    return link;
}

/* A link's stream stands where its next message's draws begin, as if it had always been this. */
void sim_net_reseed(struct sim_world *world)
{
    for (uint32_t from = 0; from < world->node_count; from++) {
        struct sim_link **links = world->nodes[from].links;
        for (uint32_t to = 0; links && to < world->node_count; to++) {
            if (links[to]) {
                sim_rng_derive_hashed(&links[to]->rng, world->seed, link_name(world, from, to));
                sim_rng_advance(&links[to]->rng, SIM_FATE_OUTPUTS * links[to]->ordinal);
            }
        }
    }
}

void sim_net_refresh_link(struct sim_world *world, uint32_t from, uint32_t to)
{
    struct sim_link **links = world->nodes[from].links;
    if (links && links[to]) {
        link_update_faults(world, links[to], from, to);
    }
}

void sim_net_refresh(struct sim_world *world)
{
    for (uint32_t from = 0; from < world->node_count; from++) {
        struct sim_link **links = world->nodes[from].links;
        for (uint32_t to = 0; links && to < world->node_count; to++) {
            if (links[to]) {
                link_update(world, links[to], from, to);
            }
        }
    }
}
