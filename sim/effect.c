/* What each kind of fault does to its targets, and how that is undone. */
#include "sim/fault_internal.h"

bool sim_fault_takes_clients(uint32_t kind)
{
    switch ((enum sim_fault_kind)kind) {
    case SIM_FAULT_PARTITION:
    case SIM_FAULT_FIREWALL:
    case SIM_FAULT_LINK:
    case SIM_FAULT_CLOCK_STEP:
    case SIM_FAULT_CLOCK_DRIFT:
    case SIM_FAULT_CLOCK_SYNC:
    case SIM_FAULT_MOVE:
    case SIM_FAULT_READDRESS:
        return true;
    default:
        return false;
    }
}

/* ---- Down and paused --------------------------------------------------------------------- */

static bool keeps_down(uint32_t kind)
{
    return kind == SIM_FAULT_CRASH || kind == SIM_FAULT_WIPE;
}

/* Does another activation in force keep the node in the state that this one noted? */
static bool held_by_another(const struct sim_world *world, uint32_t node, uint32_t note, bool pause)
{
    for (const struct sim_activation *a = sim_schedule_of(world)->first; a; a = a->next) {
        const uint32_t kind = sim_activation_fault(world, a)->kind;
        if ((pause ? kind == SIM_FAULT_PAUSE : keeps_down(kind)) && a->notes[node] == note) {
            return true;
        }
    }
    return false;
}

static void take_down(struct sim_world *world, struct sim_activation *a, uint32_t node)
{
    struct sim_env *env = &world->nodes[node];
    sim_host_crash(world, node);
    if (sim_activation_fault(world, a)->kind == SIM_FAULT_WIPE) {
        sim_disk_wipe(env->disk);
    }
    a->notes[node] = env->incarnation;
}

/* Whoever has taken its next life, too, still holds it down. */
static void bring_up(struct sim_world *world, uint32_t node)
{
    const struct sim_env *env = &world->nodes[node];
    if (!env->absent && !held_by_another(world, node, env->incarnation, false)) {
        sim_host_boot(world, node);
    }
}

static void leave(struct sim_world *world, uint32_t node)
{
    sim_host_leave(world, node);
    world->nodes[node].absent = true;
}

/* A join or a leave is over: is the node there, by the plan and by those still in force? */
static void update_presence(struct sim_world *world, uint32_t node)
{
    struct sim_env *env = &world->nodes[node];
    bool absent = env->scaled ? env->scaled == SIM_SCALED_OUT : env->plan->absent;
    for (const struct sim_activation *a = sim_schedule_of(world)->first; a; a = a->next) {
        const uint32_t kind = sim_activation_fault(world, a)->kind;
        if ((kind == SIM_FAULT_JOIN || kind == SIM_FAULT_LEAVE) && sim_set_has(a->targets, node)) {
            absent = kind == SIM_FAULT_LEAVE;
        }
    }
    if (absent) {
        leave(world, node);
    } else {
        env->absent = false;
        bring_up(world, node);
    }
}

static void pause(struct sim_world *world, struct sim_activation *a, uint32_t node)
{
    const struct sim_env *env = &world->nodes[node];
    sim_host_pause(world, node, 0);
    if (env->paused) {
        a->notes[node] = env->pause_generation;
    }
}

static void resume(struct sim_world *world, const struct sim_activation *a, uint32_t node)
{
    const struct sim_env *env = &world->nodes[node];
    if (env->paused && env->pause_generation == a->notes[node] &&
        !held_by_another(world, node, env->pause_generation, true)) {
        sim_host_resume(world, node);
    }
}

/* An operator's restart of a node that runs is a clean one. */
static void restart(struct sim_world *world, uint32_t node)
{
    sim_host_leave(world, node);
    sim_host_boot(world, node);
}

/* ---- Knobs, computed afresh -------------------------------------------------------------- */

/* The activations of one kind that concern a node, in order of begin: call with NULL for the
 * first. */
static const struct sim_activation *next_of(const struct sim_world *world,
                                            const struct sim_activation *after,
                                            enum sim_fault_kind kind, uint32_t node)
{
    const struct sim_activation *a = after ? after->next : sim_schedule_of(world)->first;
    while (a && (sim_activation_fault(world, a)->kind != kind || !sim_set_has(a->targets, node))) {
        a = a->next;
    }
    return a;
}

static void update_speed(struct sim_world *world, uint32_t node)
{
    struct sim_env *env = &world->nodes[node];
    env->cpu.speed_ppm = env->plan->host.cpu.speed_ppm;
    const struct sim_activation *a = NULL;
    while (!sim_is_healed(world, node) && (a = next_of(world, a, SIM_FAULT_SLOW, node))) {
        env->cpu.speed_ppm = sim_activation_fault(world, a)->speed_ppm;
    }
}

static void update_disk(struct sim_world *world, uint32_t node)
{
    struct sim_env *env = &world->nodes[node];
    env->disk_knobs = env->plan->host.disk;
    const struct sim_activation *a = NULL;
    while (!sim_is_healed(world, node) && (a = next_of(world, a, SIM_FAULT_DISK, node))) {
        sim_disk_knobs_apply(&env->disk_knobs, &sim_activation_fault(world, a)->disk);
    }
    sim_disk_set_knobs(env->disk, &env->disk_knobs);
}

void sim_effect_restore_knobs(struct sim_world *world, uint32_t node)
{
    update_speed(world, node);
    update_disk(world, node);
}

static void update_drift(struct sim_world *world, uint32_t node)
{
    struct sim_env *env = &world->nodes[node];
    int64_t extra_ppb = 0;
    const struct sim_activation *a = NULL;
    while ((a = next_of(world, a, SIM_FAULT_CLOCK_DRIFT, node))) {
        extra_ppb = sim_activation_fault(world, a)->amount;
    }
    int64_t drift_ppb = env->plan->host.clock.drift_ppb + extra_ppb;
    drift_ppb = drift_ppb > SIM_CLOCK_DRIFT_MAX_PPB ? SIM_CLOCK_DRIFT_MAX_PPB : drift_ppb;
    drift_ppb = drift_ppb < -SIM_CLOCK_DRIFT_MAX_PPB ? -SIM_CLOCK_DRIFT_MAX_PPB : drift_ppb;
    sim_clock_set_drift(&env->clock, world->now_ns, (int32_t)drift_ppb);
    sim_host_clock_changed(world, env);
}

static void update_zone(struct sim_world *world, uint32_t node)
{
    struct sim_env *env = &world->nodes[node];
    env->zone = env->plan->zone;
    const struct sim_activation *a = NULL;
    while ((a = next_of(world, a, SIM_FAULT_MOVE, node))) {
        env->zone = sim_activation_fault(world, a)->index;
    }
}

/* ---- Clocks ------------------------------------------------------------------------------ */

static void step_clock(struct sim_world *world, uint32_t node, int64_t delta_ns)
{
    struct sim_env *env = &world->nodes[node];
    sim_clock_step(&env->clock, delta_ns);
    sim_host_clock_changed(world, env);
}

/* With the error the node's own synchronisations have, drawn from the fault's stream so that
 * those keep theirs. */
static void sync_clock(struct sim_world *world, uint32_t node, struct sim_rng *rng)
{
    struct sim_env *env = &world->nodes[node];
    const uint64_t size = sim_dist_draw(&env->plan->host.clock.sync_error, rng);
    const bool negative = sim_rng_u32(rng) & 1;
    sim_clock_sync(&env->clock, world->now_ns, negative ? -(int64_t)size : (int64_t)size);
    sim_host_clock_changed(world, env);
}

/* ---- Administrators ---- */

static void set_setting(struct sim_world *world, uint32_t node, uint32_t setting,
                        struct sim_value value, uint32_t administrator)
{
    struct sim_env *env = &world->nodes[node];
    env->settings[setting] = value;
    env->setting_owner[setting] = administrator;
    sim_world_record(world, SIM_REC_SETTING, node, administrator, setting, 0, (uint64_t)value.low,
                     (uint64_t)value.high);
    if (env->up) {
        sim_host_receive(world, env, SIM_PEND_FAULT, 0, 0);
    }
}

/* Targets of several kinds: each takes only what it knows and allows, as a server that
 * refuses a line of its configuration does. */
static bool accepts(const struct sim_env *env, const struct sim_fault *f)
{
    if (f->index >= env->kind->setting_count) {
        return false;
    }
    const struct sim_setting *setting = &env->kind->settings[f->index];
    return f->value.low >= setting->minimum && f->value.high <= setting->maximum;
}

static void administer(struct sim_world *world, const struct sim_fault *f, uint32_t node)
{
    const struct sim_env *env = &world->nodes[node];
    if (!accepts(env, f)) {
        return;
    }
    const struct sim_value old = env->settings[f->index];
    const uint32_t owner = env->setting_owner[f->index];
    const bool differs = old.low != f->value.low || old.high != f->value.high;
    world->metrics.settings_changed++;
    world->metrics.settings_overruled +=
        owner != SIM_NOBODY && owner != f->administrator && differs;
    set_setting(world, node, f->index, f->value, f->administrator);
}

/* What it was before, but for what other administrators have set since and still hold to. */
static void unadminister(struct sim_world *world, const struct sim_fault *f, uint32_t node)
{
    const struct sim_env *env = &world->nodes[node];
    if (!accepts(env, f)) {
        return;
    }
    struct sim_value value = env->plan->settings[f->index];
    uint32_t owner = SIM_NOBODY;
    const struct sim_activation *a = NULL;
    while ((a = next_of(world, a, SIM_FAULT_ADMIN_SET, node))) {
        const struct sim_fault *other = sim_activation_fault(world, a);
        if (other->index == f->index && accepts(env, other)) {
            value = other->value;
            owner = other->administrator;
        }
    }
    const struct sim_value now = env->settings[f->index];
    if (now.low != value.low || now.high != value.high || env->setting_owner[f->index] != owner) {
        set_setting(world, node, f->index, value, owner);
    }
}

static uint32_t command_count(const struct sim_node_kind *kind)
{
    uint32_t count = 0;
    while (kind->commands && kind->commands[count]) {
        count++;
    }
    return count;
}

/* `peers` is a set of nodes. */
static void command(struct sim_world *world, uint32_t node, uint32_t wanted, const uint64_t *peers)
{
    struct sim_env *env = &world->nodes[node];
    if (!env->up || wanted >= command_count(env->kind)) {
        return;
    }
    struct sim_command *c = sim_world_alloc(world, sizeof *c);
    if (!c) {
        return;
    }
    *c = (struct sim_command){.command = wanted, .peer = SIM_NOBODY};
    const uint32_t first = world->plan->groups[env->plan->group].first_node;
    for (uint32_t id = world->server_count; id-- > 0;) {
        if (sim_set_has(peers, id)) {
            c->peer = id;
            c->peers |= id - first < 64 ? UINT64_C(1) << (id - first) : 0;
        }
    }
    sim_host_receive(world, env, SIM_PEND_FAULT, (uint64_t)(uintptr_t)c, 0);
}

void sim_effect_command(struct sim_world *world, uint32_t node, const char *name, uint32_t peer)
{
    const struct sim_node_kind *kind = world->nodes[node].kind;
    struct sim_set peers = {{0}};
    uint32_t wanted = 0;
    while (wanted < command_count(kind) && strcmp(kind->commands[wanted], name) != 0) {
        wanted++;
    }
    sim_set_add(peers.words, peer);
    command(world, node, wanted, peers.words);
}

/* ---- The table ---- */

static void begin_on(struct sim_world *world, struct sim_activation *a, uint32_t node,
                     struct sim_rng *rng)
{
    const struct sim_fault *f = sim_activation_fault(world, a);
    switch ((enum sim_fault_kind)f->kind) {
    case SIM_FAULT_CRASH:
    case SIM_FAULT_WIPE:
        take_down(world, a, node);
        break;
    case SIM_FAULT_RESTART:
        restart(world, node);
        break;
    case SIM_FAULT_PAUSE:
        pause(world, a, node);
        break;
    case SIM_FAULT_SLOW:
        update_speed(world, node);
        break;
    case SIM_FAULT_DISK:
        update_disk(world, node);
        break;
    case SIM_FAULT_CLOCK_STEP:
        step_clock(world, node, f->amount);
        break;
    case SIM_FAULT_CLOCK_DRIFT:
        update_drift(world, node);
        break;
    case SIM_FAULT_CLOCK_SYNC:
        sync_clock(world, node, rng);
        break;
    case SIM_FAULT_JOIN:
        sim_host_boot(world, node);
        break;
    case SIM_FAULT_LEAVE:
        leave(world, node);
        break;
    case SIM_FAULT_MOVE:
        update_zone(world, node);
        break;
    case SIM_FAULT_READDRESS:
        world->nodes[node].address++;
        break;
    case SIM_FAULT_ADMIN_SET:
        administer(world, f, node);
        break;
    case SIM_FAULT_FIREWALL:
        world->metrics.settings_changed++;
        break;
    case SIM_FAULT_COMMAND:
        command(world, node, f->index, a->peers);
        break;
    case SIM_FAULT_PARTITION: /* Between nodes, not on one: below. */
    case SIM_FAULT_LINK:
    case SIM_FAULT_HEAL:
    case SIM_FAULT_SCALE:
    case SIM_FAULT_KIND_COUNT:
        break;
    }
}

static void end_on(struct sim_world *world, const struct sim_activation *a, uint32_t node)
{
    const struct sim_fault *f = sim_activation_fault(world, a);
    switch ((enum sim_fault_kind)f->kind) {
    case SIM_FAULT_CRASH:
    case SIM_FAULT_WIPE:
        bring_up(world, node);
        break;
    case SIM_FAULT_PAUSE:
        resume(world, a, node);
        break;
    case SIM_FAULT_SLOW:
        update_speed(world, node);
        break;
    case SIM_FAULT_DISK:
        update_disk(world, node);
        break;
    case SIM_FAULT_CLOCK_DRIFT:
        update_drift(world, node);
        break;
    case SIM_FAULT_JOIN:
    case SIM_FAULT_LEAVE:
        update_presence(world, node);
        break;
    case SIM_FAULT_MOVE:
        update_zone(world, node);
        break;
    case SIM_FAULT_ADMIN_SET:
        unadminister(world, f, node);
        break;
    default: /* Cannot be undone, or is not on one node. */
        break;
    }
}

static void update_links(struct sim_world *world, const struct sim_activation *a)
{
    for (uint32_t from = 0; from < world->node_count; from++) {
        for (uint32_t to = 0; to < world->node_count; to++) {
            if (sim_activation_touches(world, a, from, to)) {
                sim_net_refresh_link(world, from, to);
            }
        }
    }
}

/* What concerns pairs of nodes, once for all targets. */
static void update_pairs(struct sim_world *world, const struct sim_activation *a, bool on)
{
    switch (sim_activation_fault(world, a)->kind) {
    case SIM_FAULT_PARTITION:
    case SIM_FAULT_FIREWALL:
        (on ? sim_partition_begin : sim_partition_end)(world, a);
        break;
    case SIM_FAULT_LINK:
        update_links(world, a);
        break;
    case SIM_FAULT_MOVE:
        sim_net_refresh(world);
        break;
    default:
        break;
    }
}

void sim_effect_begin(struct sim_world *world, struct sim_activation *a, struct sim_rng *rng)
{
    const struct sim_fault *f = sim_activation_fault(world, a);
    if (f->kind == SIM_FAULT_PARTITION && sim_shape_is_random(f->shape)) {
        sim_partition_draw(world, a, rng);
    }
    for (uint32_t id = 0; id < world->node_count; id++) {
        if (sim_set_has(a->targets, id)) {
            begin_on(world, a, id, rng);
        }
    }
    update_pairs(world, a, true);
}

void sim_effect_end(struct sim_world *world, struct sim_activation *a)
{
    for (uint32_t id = 0; id < world->node_count; id++) {
        if (sim_set_has(a->targets, id)) {
            end_on(world, a, id);
        }
    }
    update_pairs(world, a, false);
}
