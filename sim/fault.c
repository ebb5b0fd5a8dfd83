/* The schedule of faults: when each begins, ends and begins again.
 *
 *                at_ns             its fact                   for_ns
 *     [waiting] -------> [armed] ------------> [begin] = = = = = = = => [end]
 *          ^        \____________________________^  |
 *          |          no condition, or it holds     | every_ns
 *          +----------------------------------------+
 *
 * Every begin draws from a stream of its own, derived from (seed, the fault, which begin it
 * is): no fault can shift what another one draws, nor can one that flapped longer. */
#include "sim/fault_internal.h"

static void arm(struct sim_world *world, uint32_t fault, uint64_t time_ns)
{
    sim_world_push(world, time_ns, SIM_PEND_FAULT, fault, SIM_FAULT_EVENT_BEGIN, 0);
}

enum sim_status sim_faults_init(struct sim_world *world)
{
    const struct sim_plan *plan = world->plan;
    if (plan->fault_count > 0) {
        world->faults = sim_world_alloc(world, plan->fault_count * sizeof *world->faults);
        if (!world->faults) {
            return SIM_ENOMEM;
        }
        memcpy(world->faults, plan->faults, plan->fault_count * sizeof *world->faults);
        world->fault_count = plan->fault_count;
    }
    if (sim_swarm_draw(world) != SIM_OK) {
        return SIM_ENOMEM;
    }
    struct sim_schedule *schedule =
        sim_world_alloc(world, sizeof *schedule + world->fault_count * sizeof *world->fault_runs);
    if (!schedule) {
        return SIM_ENOMEM;
    }
    world->fault_runs = (struct sim_fault_run *)(void *)(schedule + 1);
    for (uint32_t i = 0; i < world->fault_count; i++) {
        arm(world, i, world->faults[i].at_ns);
    }
    return world->out_of_memory ? SIM_ENOMEM : SIM_OK;
}

/* ---- Activations ------------------------------------------------------------------------- */

static size_t activation_bytes(const struct sim_world *world)
{
    return sizeof(struct sim_activation) + 2 * SIM_SET_WORDS(world->node_count) * sizeof(uint64_t) +
           world->node_count * sizeof(uint32_t);
}

static struct sim_activation *activation_new(struct sim_world *world, uint32_t fault)
{
    static_assert(sizeof(struct sim_activation) % sizeof(uint64_t) == 0, "sets follow it");
    const size_t words = SIM_SET_WORDS(world->node_count);
    uint8_t *block = sim_world_alloc(world, activation_bytes(world));
    if (!block) {
        return NULL;
    }
    struct sim_activation *a = (struct sim_activation *)(void *)block;
    a->fault = fault;
    a->number = world->fault_runs[fault].begun;
    a->targets = (uint64_t *)(void *)(block + sizeof *a);
    a->peers = a->targets + words;
    a->notes = (uint32_t *)(void *)(a->peers + words);
    memset(a->notes, 0xff, world->node_count * sizeof *a->notes);
    return a;
}

static void activation_free(struct sim_world *world, struct sim_activation *a)
{
    sim_arena_release(world->arena, a, activation_bytes(world));
}

static void list_append(struct sim_schedule *schedule, struct sim_activation *a)
{
    a->previous = schedule->last;
    if (schedule->last) {
        schedule->last->next = a;
    } else {
        schedule->first = a;
    }
    schedule->last = a;
}

static void list_remove(struct sim_schedule *schedule, struct sim_activation *a)
{
    if (a->previous) {
        a->previous->next = a->next;
    } else {
        schedule->first = a->next;
    }
    if (a->next) {
        a->next->previous = a->previous;
    } else {
        schedule->last = a->previous;
    }
}

/* ---- Begin and end ----------------------------------------------------------------------- */

/* The stream of one begin. A random shape has a number of its own in `amount` if the swarm
 * drew it, so that it stays the same wherever in a plan the fault is written down. */
static void stream_of_begin(const struct sim_world *world, const struct sim_activation *a,
                            struct sim_rng *rng)
{
    const struct sim_fault *f = sim_activation_fault(world, a);
    const bool numbered =
        f->kind == SIM_FAULT_PARTITION && sim_shape_is_random(f->shape) && f->amount != 0;
    const uint64_t name = numbered ? sim_hash_name("division/") ^ (uint64_t)f->amount
                                   : sim_hash_name("fault/") ^ a->fault;
    sim_rng_derive_hashed(rng, world->seed, sim_mix64(sim_mix64(name) + a->number));
}

/* Find out whom the fault concerns now; false: nobody. */
static bool resolve(struct sim_world *world, struct sim_activation *a, struct sim_rng *rng)
{
    const struct sim_fault *f = sim_activation_fault(world, a);
    uint32_t count =
        sim_selection_resolve(world, &f->targets, f->kind == SIM_FAULT_JOIN, rng, a->targets);
    for (uint32_t id = world->server_count;
         !sim_fault_takes_clients(f->kind) && id < world->node_count; id++) {
        count -= sim_set_has(a->targets, id);
        sim_set_remove(a->targets, id);
    }
    a->everybody = f->peers.count == 0;
    a->peer_count = sim_selection_resolve(world, &f->peers, false, rng, a->peers);
    if (f->kind == SIM_FAULT_HEAL) {
        return true;
    }
    const bool between = f->kind == SIM_FAULT_LINK || f->kind == SIM_FAULT_FIREWALL ||
                         f->kind == SIM_FAULT_PARTITION;
    return count > 0 && (!between || a->everybody || a->peer_count > 0);
}

static void record(struct sim_world *world, const struct sim_activation *a, bool on)
{
    const struct sim_fault *f = sim_activation_fault(world, a);
    uint32_t peer = SIM_NOBODY; /* A single one; more do not fit a record. */
    for (uint32_t id = 0; a->peer_count == 1 && id < world->node_count; id++) {
        peer = sim_set_has(a->peers, id) ? id : peer;
    }
    for (uint32_t id = 0; id < world->node_count; id++) {
        if (sim_set_has(a->targets, id)) {
            sim_world_record(world, SIM_REC_FAULT, id, peer, f->kind, 0, a->fault, on);
        }
    }
}

static void end(struct sim_world *world, struct sim_activation *a)
{
    list_remove(sim_schedule_of(world), a);
    record(world, a, false);
    sim_effect_end(world, a);
    activation_free(world, a);
}

/* Only faults take nodes down or stop them, so the last end brings each back. */
static void heal(struct sim_world *world)
{
    struct sim_schedule *schedule = sim_schedule_of(world);
    while (schedule->first) {
        end(world, schedule->first);
    }
}

static void begin(struct sim_world *world, uint32_t fault)
{
    struct sim_fault_run *run = &world->fault_runs[fault];
    const struct sim_fault *f = &world->faults[fault];
    run->begun++;
    if (f->every_ns > 0 && (f->times == 0 || run->begun < f->times)) {
        arm(world, fault, sim_add_sat(world->now_ns, f->every_ns));
    }
    if (f->kind == SIM_FAULT_SCALE) {
        sim_world_record(world, SIM_REC_FAULT, SIM_NOBODY, SIM_NOBODY, f->kind, 0, fault, 1);
        sim_scale_begin(world, fault);
        return;
    }
    struct sim_activation *a = activation_new(world, fault);
    if (!a) {
        return;
    }
    struct sim_rng rng;
    stream_of_begin(world, a, &rng);
    if (!resolve(world, a, &rng)) {
        /* "The leader", and there is none: nothing happens, but it can be seen. */
        sim_world_record(world, SIM_REC_FAULT, SIM_NOBODY, SIM_NOBODY, f->kind, 0, fault, 1);
        activation_free(world, a);
        return;
    }
    if (f->kind == SIM_FAULT_HEAL) {
        sim_world_record(world, SIM_REC_FAULT, SIM_NOBODY, SIM_NOBODY, f->kind, 0, fault, 1);
        heal(world);
        activation_free(world, a);
        return;
    }
    const bool ends = sim_fault_can_end(f->kind);
    record(world, a, true);
    if (ends) {
        list_append(sim_schedule_of(world), a);
        if (f->for_ns > 0) {
            sim_world_push(world, sim_add_sat(world->now_ns, f->for_ns), SIM_PEND_FAULT, fault,
                           SIM_FAULT_EVENT_END, a->number);
        }
    }
    sim_effect_begin(world, a, &rng);
    if (!ends) {
        activation_free(world, a);
    }
}

void sim_faults_event(struct sim_world *world, const struct sim_pending *event)
{
    struct sim_schedule *schedule = sim_schedule_of(world);
    const uint32_t fault = event->target;
    struct sim_fault_run *run = &world->fault_runs[fault];
    if (schedule->settled) {
        return;
    }
    if (event->data == SIM_FAULT_EVENT_SCALE) {
        sim_scale_step(world, fault, event->data2);
        return;
    }
    if (event->data == SIM_FAULT_EVENT_END) {
        for (struct sim_activation *a = schedule->first; a; a = a->next) {
            if (a->fault == fault && a->number == event->data2) {
                end(world, a);
                return;
            }
        }
        return; /* Healed before. */
    }
    const struct sim_condition *when = &world->faults[fault].when;
    if (when->present && !run->met && !sim_condition_met(world, when)) {
        run->armed = true;
        schedule->armed_count++;
        return;
    }
    run->met = false;
    begin(world, fault);
}

/* Called by a node's code: a fault must not strike a node in the middle of its own work, so
 * it begins in an event of its own, at the same time. */
void sim_faults_fact(struct sim_world *world, uint32_t node, uint32_t fact, int64_t value)
{
    struct sim_schedule *schedule = sim_schedule_of(world);
    if (SIM_LIKELY(schedule->armed_count == 0) || schedule->settled) {
        return;
    }
    for (uint32_t i = 0; i < world->fault_count; i++) {
        struct sim_fault_run *run = &world->fault_runs[i];
        if (run->armed && sim_condition_met_by(world, &world->faults[i].when, node, fact, value)) {
            run->armed = false;
            run->met = true;
            schedule->armed_count--;
            arm(world, i, world->now_ns);
        }
    }
}

/* ---- Links under faults ------------------------------------------------------------------ */

bool sim_activation_touches(const struct sim_world *world, const struct sim_activation *a,
                            uint32_t from, uint32_t to)
{
    const bool forth = sim_set_has(a->targets, from) && (a->everybody || sim_set_has(a->peers, to));
    const bool back = sim_set_has(a->targets, to) && (a->everybody || sim_set_has(a->peers, from));
    return forth || (back && !sim_activation_fault(world, a)->one_way);
}

bool sim_faults_overlay(const struct sim_world *world, uint32_t from, uint32_t to,
                        const struct sim_link_knobs *standard, struct sim_link_knobs *knobs)
{
    bool any = false;
    if (!world->fault_runs || (sim_is_healed(world, from) && sim_is_healed(world, to))) {
        return false;
    }
    for (const struct sim_activation *a = sim_schedule_of(world)->first; a; a = a->next) {
        const struct sim_fault *f = sim_activation_fault(world, a);
        if (f->kind != SIM_FAULT_LINK || !sim_activation_touches(world, a, from, to)) {
            continue;
        }
        if (!any) {
            memcpy(knobs, standard, sizeof *knobs); /* Padding too. */
            any = true;
        }
        sim_link_knobs_apply(knobs, &f->link);
    }
    return any;
}

/* ---- The second phase -------------------------------------------------------------------- */

/* Add to the chosen what they lack of a majority of some voters, at random, or of all. One that has
 * stopped for good cannot be healed. */
static void choose(const struct sim_world *world, struct sim_rng *rng, const uint32_t *nodes,
                   uint32_t count, uint32_t wanted, uint64_t *chosen)
{
    uint32_t voters[SIM_NODES_MAX];
    memcpy(voters, nodes, count * sizeof *voters);
    sim_shuffle(rng, voters, count);
    for (uint32_t i = 0; i < count; i++) {
        wanted -= wanted > 0 && sim_set_has(chosen, voters[i]) &&
                  !sim_host_is_gone(&world->nodes[voters[i]]);
    }
    for (uint32_t i = 0; i < count && wanted > 0; i++) {
        if (!sim_host_is_gone(&world->nodes[voters[i]]) && !sim_set_has(chosen, voters[i])) {
            sim_set_add(chosen, voters[i]);
            wanted--;
        }
    }
}

/* A random majority of a group that needs one to make progress, else all of it. A stream for
 * each group, so that another group changes nothing. */
static void choose_quorum(struct sim_world *world, uint32_t group, uint64_t *chosen)
{
    const struct sim_plan_group *g = &world->plan->groups[group];
    const bool consensus = world->plan->nodes[g->first_node].kind->consensus != NULL;
    struct sim_voter_sets sets;
    struct sim_rng rng;
    sim_rng_derive_hashed(&rng, world->seed,
                          sim_mix64(sim_hash_name("settle/") ^ sim_hash_name(g->name)));
    sim_group_voters(world, group, &sets);
    for (uint32_t i = 0; i < sets.count; i++) {
        const uint32_t count = sets.counts[i];
        choose(world, &rng, sets.nodes[i], count, consensus ? count / 2 + 1 : count, chosen);
    }
}

static void reconnect(struct sim_world *world)
{
    const uint64_t *healed = sim_schedule_of(world)->healed.words;
    for (uint32_t from = 0; from < world->node_count; from++) {
        for (uint32_t to = 0; sim_set_has(healed, from) && to < world->node_count; to++) {
            if (sim_set_has(healed, to)) {
                world->cuts[(size_t)from * world->node_count + to] = 0;
            }
        }
    }
}

/* Nodes in the set `fresh` are under no fault any more; they are in the healed set already. */
static void relieve(struct sim_world *world, const uint64_t *fresh)
{
    reconnect(world);
    sim_net_refresh(world);
    /* All is ready before the first of them runs. */
    for (uint32_t id = 0; id < world->server_count; id++) {
        if (sim_set_has(fresh, id)) {
            sim_effect_restore_knobs(world, id);
        }
    }
    for (uint32_t id = 0; id < world->server_count; id++) {
        if (sim_set_has(fresh, id)) {
            sim_world_record(world, SIM_REC_FAULT, id, SIM_NOBODY, SIM_FAULT_HEAL, 0, UINT64_MAX,
                             1);
            sim_host_resume(world, id);
            sim_host_boot(world, id);
        }
    }
}

void sim_faults_settle(struct sim_world *world)
{
    struct sim_schedule *schedule = sim_schedule_of(world);
    uint64_t *healed = schedule->healed.words;
    struct sim_set fresh = schedule->healed;
    schedule->settled = true;
    for (uint32_t group = 0; group < world->plan->group_count; group++) {
        choose_quorum(world, group, healed);
    }
    for (uint32_t id = world->server_count; id < world->node_count; id++) {
        sim_set_add(healed, id);
    }
    bool any = false;
    for (size_t i = 0; i < sizeof fresh.words / sizeof fresh.words[0]; i++) {
        fresh.words[i] = healed[i] & ~fresh.words[i];
        any |= fresh.words[i] != 0;
    }
    if (any) {
        relieve(world, fresh.words);
    }
}

void sim_faults_heal_all(struct sim_world *world)
{
    struct sim_schedule *schedule = sim_schedule_of(world);
    struct sim_set fresh = {{0}};
    assert(schedule->settled);
    for (uint32_t id = 0; id < world->server_count; id++) {
        if (!sim_set_has(schedule->healed.words, id) && !world->nodes[id].absent) {
            sim_set_add(schedule->healed.words, id);
            sim_set_add(fresh.words, id);
        }
    }
    relieve(world, fresh.words);
}
