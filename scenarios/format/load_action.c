/* What a fault does: one function for each key. */
#include "scenarios/format/load.h"

#include <stdio.h>

#define SCALE_STEP_NS (500 * SIM_MS) /* Unless the scenario says so. */

typedef bool (*load_action_fn)(struct load *l, const struct json_at *at, struct sim_fault *fault);

/* ---- Facts and commands ------------------------------------------------------------------- */

static const char *feature_name(const struct sim_node_kind *kind, enum load_feature feature,
                                uint32_t i)
{
    if (feature == LOAD_FACT) {
        return i < kind->fact_count ? kind->facts[i].name : NULL;
    }
    return kind->commands ? kind->commands[i] : NULL;
}

/* The number by which a kind knows the word; UINT32_MAX if it does not. */
static uint32_t find_feature(const struct sim_node_kind *kind, enum load_feature feature,
                             const char *word, struct suggestion *suggestion)
{
    const char *name;
    for (uint32_t i = 0; (name = feature_name(kind, feature, i)) != NULL; i++) {
        if (strcmp(name, word) == 0) {
            return i;
        }
        suggest_consider(suggestion, name);
    }
    return UINT32_MAX;
}

bool load_feature(struct load *l, const struct json_at *at, const struct sim_selection *nodes,
                  enum load_feature feature, const struct sim_node_kind **kind, uint32_t *index)
{
    const char *what = feature == LOAD_FACT ? "fact" : "command";
    const char *word;
    if (!load_text(l, at, &word)) {
        return false;
    }
    struct suggestion suggestion = {.word = word};
    *index = UINT32_MAX;
    bool all_known = l->groups_are_known;
    for (uint32_t i = 0; i < l->server_count; i++) {
        const struct sim_node_kind *candidate = l->plan->nodes[i].kind;
        all_known = all_known && candidate;
        if (!candidate || !load_may_hold(l, nodes, i)) {
            continue;
        }
        const uint32_t found = find_feature(candidate, feature, word, &suggestion);
        if (found == UINT32_MAX || found == *index) {
            continue;
        }
        if (*index != UINT32_MAX) {
            load_error(l, at,
                       "%s and %s both have the %s \"%s\", but not as the same one: name "
                       "the nodes of one group",
                       (*kind)->name, candidate->name, what, word);
            return false;
        }
        *kind = candidate;
        *index = found;
    }
    if (*index == UINT32_MAX && all_known) {
        load_unknown(l, at, what, &suggestion, "see `fallacy list nodes`");
    }
    return *index != UINT32_MAX;
}

/* ---- Whom it hits, and no more ------------------------------------------------------------ */

static bool load_targets(struct load *l, const struct json_at *at, struct sim_fault *fault)
{
    return load_selection(l, at, LOAD_SERVERS, &fault->targets);
}

static bool load_crash(struct load *l, const struct json_at *at, struct sim_fault *fault)
{
    fault->kind = SIM_FAULT_CRASH;
    return load_targets(l, at, fault);
}

static bool load_restart(struct load *l, const struct json_at *at, struct sim_fault *fault)
{
    fault->kind = SIM_FAULT_RESTART;
    return load_targets(l, at, fault);
}

static bool load_pause(struct load *l, const struct json_at *at, struct sim_fault *fault)
{
    fault->kind = SIM_FAULT_PAUSE;
    return load_targets(l, at, fault);
}

static bool load_wipe(struct load *l, const struct json_at *at, struct sim_fault *fault)
{
    fault->kind = SIM_FAULT_WIPE;
    return load_targets(l, at, fault);
}

static bool load_join(struct load *l, const struct json_at *at, struct sim_fault *fault)
{
    fault->kind = SIM_FAULT_JOIN;
    return load_targets(l, at, fault);
}

static bool load_leave(struct load *l, const struct json_at *at, struct sim_fault *fault)
{
    fault->kind = SIM_FAULT_LEAVE;
    return load_targets(l, at, fault);
}

static bool load_readdress(struct load *l, const struct json_at *at, struct sim_fault *fault)
{
    fault->kind = SIM_FAULT_READDRESS;
    return load_targets(l, at, fault);
}

static bool load_heal(struct load *l, const struct json_at *at, struct sim_fault *fault)
{
    bool heal = false;
    fault->kind = SIM_FAULT_HEAL;
    if (!load_bool(l, at, &heal)) {
        return false;
    }
    if (!heal) {
        load_expected(l, at, "true: everything that can be undone is");
    }
    return heal;
}

static bool load_slow(struct load *l, const struct json_at *at, struct sim_fault *fault)
{
    struct json_at speed;
    uint64_t ppm = 0;
    fault->kind = SIM_FAULT_SLOW;
    if (!load_object(l, at, LOAD_SLOW) ||
        !load_key_selection(l, at, "of", LOAD_SERVERS, true, &fault->targets) ||
        !load_required(l, at, "speed", &speed) || !load_quantity(l, &speed, UNITS_SHARE, &ppm)) {
        return false;
    }
    if (ppm == 0 || ppm > 1000 * SIM_PPM) {
        load_error(l, &speed, "a cpu's speed is above 0%% and at most 100000%%; pause stops it");
        return false;
    }
    fault->speed_ppm = (uint32_t)ppm;
    return true;
}

/* ---- The network --------------------------------------------------------------------------- */

static bool load_isolate(struct load *l, const struct json_at *at, struct sim_fault *fault)
{
    fault->kind = SIM_FAULT_PARTITION;
    fault->shape = SIM_CUT_ISOLATE;
    return load_selection(l, at, 0, &fault->targets);
}

/* [["n1", "n2"], ["n3"]] */
static bool load_two_sides(struct load *l, const struct json_at *at, struct sim_fault *fault)
{
    fault->shape = SIM_CUT_BETWEEN;
    if (cJSON_GetArraySize(at->json) != 2) {
        load_expected(l, at, "two sides, such as [[\"n1\", \"n2\"], [\"n3\"]]");
        return false;
    }
    const struct json_at first = json_element(at, at->json->child, 0);
    const struct json_at second = json_element(at, at->json->child->next, 1);
    const bool good = load_selection(l, &first, 0, &fault->targets);
    return load_selection(l, &second, 0, &fault->peers) && good;
}

static bool load_partition(struct load *l, const struct json_at *at, struct sim_fault *fault)
{
    static const char *const shapes[SIM_CUT_COUNT + 1] = {
        [SIM_CUT_BETWEEN] = "between", [SIM_CUT_ONE_WAY] = "one_way", [SIM_CUT_ISOLATE] = "isolate",
        [SIM_CUT_HALVES] = "halves",   [SIM_CUT_BRIDGE] = "bridge",   [SIM_CUT_RING] = "ring"};
    struct json_at shape;
    fault->kind = SIM_FAULT_PARTITION;
    if (cJSON_IsArray(at->json)) {
        return load_two_sides(l, at, fault);
    }
    if (!load_object(l, at, LOAD_PARTITION) || !load_required(l, at, "shape", &shape) ||
        !load_choice(l, &shape, "shape of a partition", shapes, &fault->shape)) {
        return false;
    }
    const struct json_at from = json_member(at, "from");
    const bool has_peers = fault->shape == SIM_CUT_BETWEEN || fault->shape == SIM_CUT_ONE_WAY;
    if (from.json && !has_peers) {
        load_error_key(l, &from, "\"from\" is for the shapes between and one_way only");
    }
    /* Halves, bridges and rings are made of all nodes unless the scenario names some. */
    const bool whole = !has_peers && fault->shape != SIM_CUT_ISOLATE;
    if (whole) {
        fault->targets = (struct sim_selection){.count = 1, .selectors = {{SIM_SELECT_ALL, 0}}};
    }
    const bool good = load_key_selection(l, at, "of", 0, !whole, &fault->targets);
    return load_key_selection(l, at, "from", 0, false, &fault->peers) && good;
}

static bool load_link_change(struct load *l, const struct json_at *at, struct sim_fault *fault,
                             enum load_object object)
{
    fault->kind = SIM_FAULT_LINK;
    if (!load_object(l, at, object)) {
        return false;
    }
    const bool good = load_ends(l, at, 0, &fault->targets, &fault->peers, &fault->one_way);
    load_link_knobs(l, at, &fault->link);
    if (fault->link.fields == 0) {
        load_error(l, at, "nothing changes: expected a knob of links such as \"loss\"");
    }
    return good;
}

static bool load_link(struct load *l, const struct json_at *at, struct sim_fault *fault)
{
    return load_link_change(l, at, fault, LOAD_LINK_FAULT);
}

static bool load_adversary(struct load *l, const struct json_at *at, struct sim_fault *fault)
{
    return load_link_change(l, at, fault, LOAD_ADVERSARY);
}

/* ---- Hosts --------------------------------------------------------------------------------- */

static bool load_disk(struct load *l, const struct json_at *at, struct sim_fault *fault)
{
    struct sim_host_knobs standard;
    fault->kind = SIM_FAULT_DISK;
    if (!load_object(l, at, LOAD_DISK_FAULT) ||
        !load_key_selection(l, at, "of", LOAD_SERVERS, true, &fault->targets)) {
        return false;
    }
    sim_host_knobs_init(&standard);
    fault->disk.knobs = standard.disk;
    load_disk_knobs(l, at, &fault->disk);
    if (fault->disk.fields == 0) {
        load_error(l, at, "nothing changes: expected a knob of disks such as \"sync\"");
    }
    return true;
}

static bool load_clock(struct load *l, const struct json_at *at, struct sim_fault *fault)
{
    const struct json_at step = json_member(at, "step");
    const struct json_at drift = json_member(at, "drift");
    const struct json_at sync = json_member(at, "sync");
    if (!load_object(l, at, LOAD_CLOCK_FAULT) ||
        !load_key_selection(l, at, "of", LOAD_SERVERS, true, &fault->targets)) {
        return false;
    }
    if (!!step.json + !!drift.json + !!sync.json != 1) {
        load_error(l, at, "one of \"step\", \"drift\" and \"sync\"");
        return false;
    }
    if (step.json) {
        fault->kind = SIM_FAULT_CLOCK_STEP;
        return load_signed(l, &step, UNITS_DURATION, &fault->amount);
    }
    if (drift.json) {
        fault->kind = SIM_FAULT_CLOCK_DRIFT;
        return load_drift(l, &drift, &fault->amount);
    }
    bool now = false;
    fault->kind = SIM_FAULT_CLOCK_SYNC;
    if (load_bool(l, &sync, &now) && !now) {
        load_expected(l, &sync, "true");
    }
    return now;
}

static bool load_move(struct load *l, const struct json_at *at, struct sim_fault *fault)
{
    struct json_at to;
    fault->kind = SIM_FAULT_MOVE;
    return load_object(l, at, LOAD_MOVE) &&
           load_key_selection(l, at, "of", LOAD_SERVERS, true, &fault->targets) &&
           load_required(l, at, "to", &to) && load_zone(l, &to, &fault->index);
}

/* ---- People -------------------------------------------------------------------------------- */

static bool load_administrator(struct load *l, const struct json_at *at, struct sim_fault *fault)
{
    struct json_at by;
    const char *name;
    if (!load_required(l, at, "by", &by) || !load_text(l, &by, &name)) {
        return false;
    }
    struct suggestion suggestion = {.word = name};
    for (uint32_t i = 0; i < l->plan->administrator_count; i++) {
        if (strcmp(l->plan->administrators[i], name) == 0) {
            fault->administrator = i;
            return true;
        }
        suggest_consider(&suggestion, l->plan->administrators[i]);
    }
    load_unknown(l, &by, "administrator", &suggestion, "they are named in \"administrators\"");
    return false;
}

/* The kind of all nodes that the fault may hit; NULL, with an error, if there are several. */
static const struct sim_node_kind *only_kind(struct load *l, const struct json_at *at,
                                             const struct sim_selection *targets)
{
    const struct sim_node_kind *kind = NULL;
    for (uint32_t i = 0; i < l->server_count; i++) {
        const struct sim_node_kind *other = l->plan->nodes[i].kind;
        if (!other || !load_may_hold(l, targets, i)) {
            continue;
        }
        if (kind && kind != other) {
            load_error(l, at,
                       "these may be nodes of several kinds (%s, %s): name the nodes of one "
                       "group",
                       kind->name, other->name);
            return NULL;
        }
        kind = other;
    }
    if (!kind && l->groups_are_known) {
        load_error(l, at, "no node can be meant by this");
    }
    return kind;
}

/* One fault for each setting; all but the last are added here. */
static bool load_admin(struct load *l, const struct json_at *at, struct sim_fault *fault)
{
    struct sim_plan *plan = l->plan;
    struct json_at set;
    fault->kind = SIM_FAULT_ADMIN_SET;
    if (!load_object(l, at, LOAD_ADMIN) || !load_administrator(l, at, fault) ||
        !load_key_selection(l, at, "of", LOAD_SERVERS, true, &fault->targets) ||
        !load_required(l, at, "set", &set)) {
        return false;
    }
    const struct sim_node_kind *kind = only_kind(l, at, &fault->targets);
    if (!cJSON_IsObject(set.json) || !set.json->child) {
        load_expected(l, &set, "an object of settings");
        return false;
    }
    for (const cJSON *json = set.json->child; json && kind; json = json->next) {
        const struct json_at member = {.json = json, .parent = &set, .key = json->string};
        if (!load_setting_name(l, &member, kind, &fault->index) ||
            !load_setting(l, &member, &kind->settings[fault->index], &fault->value)) {
            return false;
        }
        struct sim_fault *more = json->next ? load_append(l, at, &plan->faults, &plan->fault_count,
                                                          SIM_FAULTS_MAX, sizeof *plan->faults)
                                            : NULL;
        if (more) {
            *more = *fault;
        }
    }
    return kind != NULL;
}

static bool load_firewall(struct load *l, const struct json_at *at, struct sim_fault *fault)
{
    fault->kind = SIM_FAULT_FIREWALL;
    return load_object(l, at, LOAD_FIREWALL) && load_administrator(l, at, fault) &&
           load_key_selection(l, at, "from", 0, true, &fault->targets) &&
           load_key_selection(l, at, "to", 0, true, &fault->peers);
}

static bool load_command(struct load *l, const struct json_at *at, struct sim_fault *fault)
{
    struct json_at name;
    const struct sim_node_kind *kind = NULL;
    fault->kind = SIM_FAULT_COMMAND;
    return load_object(l, at, LOAD_COMMAND) &&
           load_key_selection(l, at, "of", LOAD_SERVERS, true, &fault->targets) &&
           load_required(l, at, "name", &name) &&
           load_feature(l, &name, &fault->targets, LOAD_COMMAND_NAME, &kind, &fault->index) &&
           load_key_selection(l, at, "argument", LOAD_SERVERS, false, &fault->peers);
}

static bool knows(const struct sim_node_kind *kind, const char *command)
{
    struct suggestion unused = {.word = command};
    return find_feature(kind, LOAD_COMMAND_NAME, command, &unused) != UINT32_MAX;
}

/* The group to scale, if its members can change. */
static const struct sim_plan_group *load_scaled(struct load *l, const struct json_at *at,
                                                const struct sim_fault *fault)
{
    const struct sim_selector *s = &fault->targets.selectors[0];
    if (!l->groups_are_known) {
        return NULL;
    }
    if (fault->targets.count != 1 || s->kind != SIM_SELECT_GROUP) {
        load_expected(l, at, "the name of one group");
        return NULL;
    }
    const struct sim_plan_group *group = &l->plan->groups[s->index];
    const struct sim_node_kind *kind = l->plan->nodes[group->first_node].kind;
    if (kind && kind->consensus && !(knows(kind, "add_server") && knows(kind, "remove_server"))) {
        load_error(l, at, "a group of %s cannot change its members while it runs", kind->name);
        return NULL;
    }
    return group;
}

static bool load_scale(struct load *l, const struct json_at *at, struct sim_fault *fault)
{
    struct json_at to;
    uint64_t count = 0;
    uint64_t step_ns = SCALE_STEP_NS;
    fault->kind = SIM_FAULT_SCALE;
    if (!load_object(l, at, LOAD_SCALE) ||
        !load_key_selection(l, at, "of", LOAD_SERVERS, true, &fault->targets) ||
        !load_required(l, at, "to", &to) || !load_count(l, &to, 1, SIM_NODES_MAX, &count) ||
        !load_key_quantity(l, at, "step", UNITS_DURATION, &step_ns)) {
        return false;
    }
    const struct json_at of = json_member(at, "of");
    const struct json_at step = json_member(at, "step");
    const struct sim_plan_group *group = load_scaled(l, &of, fault);
    if (group && count > group->node_count) {
        load_error(l, &to, "\"%s\" has %u nodes in all, those included that are absent",
                   group->name, group->node_count);
        return false;
    }
    if (step_ns < SIM_MS) {
        load_error(l, &step, "whoever scales a group looks every 1ms at most");
        return false;
    }
    fault->amount = (int64_t)count;
    fault->value = (struct sim_value){(int64_t)step_ns, (int64_t)step_ns};
    return group != NULL;
}

static const struct {
    const char *key;
    load_action_fn load;
} actions[] = {
    {"crash", load_crash}, {"restart", load_restart},     {"pause", load_pause},
    {"slow", load_slow},   {"partition", load_partition}, {"isolate", load_isolate},
    {"link", load_link},   {"adversary", load_adversary}, {"disk", load_disk},
    {"wipe", load_wipe},   {"clock", load_clock},         {"join", load_join},
    {"leave", load_leave}, {"move", load_move},           {"readdress", load_readdress},
    {"admin", load_admin}, {"firewall", load_firewall},   {"command", load_command},
    {"scale", load_scale}, {"heal", load_heal},
};

const char *const load_actions[] = {
    "crash",     "restart", "pause",    "slow",    "partition", "isolate", "link",
    "adversary", "disk",    "wipe",     "clock",   "join",      "leave",   "move",
    "readdress", "admin",   "firewall", "command", "scale",     "heal",    NULL};

bool load_action(struct load *l, const struct json_at *at, const char *key, struct sim_fault *fault)
{
    const struct json_at member = json_member(at, key);
    for (size_t i = 0; i < sizeof actions / sizeof actions[0]; i++) {
        if (strcmp(actions[i].key, key) == 0) {
            return actions[i].load(l, &member, fault);
        }
    }
    assert(!"an action without a function");
    return false;
}
