/* Faults drawn at random, family by family, and the fates of single messages. */
#include "scenarios/format/load.h"

#include <stdio.h>

/* ---- The swarm --------------------------------------------------------------------------- */

enum amount { AMOUNT_NONE, AMOUNT_DURATION, AMOUNT_DRIFT };

/* What a family uses, and its standard figures: strong enough to be felt in a run of seconds. */
static const struct family {
    uint32_t strength_ppm; /* 0: the family has no strength. */
    enum amount amount;
    uint64_t amount_mean; /* ns or ppb */
    bool may_hit_majority;
} families[SIM_SWARM_FAMILY_COUNT] = {
    [SIM_SWARM_CRASH] = {.may_hit_majority = true},
    [SIM_SWARM_PAUSE] = {.may_hit_majority = true},
    [SIM_SWARM_SLOW] = {.strength_ppm = 100000},
    [SIM_SWARM_ISOLATE] = {.may_hit_majority = true},
    [SIM_SWARM_LOSS] = {.strength_ppm = 200000},
    [SIM_SWARM_DELAY] = {.amount = AMOUNT_DURATION, .amount_mean = 50 * SIM_MS},
    [SIM_SWARM_DUPLICATE] = {.strength_ppm = 100000},
    [SIM_SWARM_REORDER] = {.strength_ppm = 100000,
                           .amount = AMOUNT_DURATION,
                           .amount_mean = 20 * SIM_MS},
    [SIM_SWARM_CORRUPT] = {.strength_ppm = 10000},
    [SIM_SWARM_DISK_SLOW] = {.amount = AMOUNT_DURATION, .amount_mean = 50 * SIM_MS},
    [SIM_SWARM_DISK_ERROR] = {.strength_ppm = 10000},
    [SIM_SWARM_DISK_LIE] = {.strength_ppm = 100000},
    /* Quartz drifts by 10 to 50 ppm; Spanner assumes 200 (Corbett et al. 2012). */
    [SIM_SWARM_CLOCK_DRIFT] = {.amount = AMOUNT_DRIFT, .amount_mean = 200000},
    [SIM_SWARM_CLOCK_STEP] = {.amount = AMOUNT_DURATION, .amount_mean = 250 * SIM_MS},
};

static void set_standard(struct sim_swarm_rule *rule)
{
    const struct family *family = &families[rule->family];
    rule->off_ppm = SIM_PPM / 2; /* As in swarm testing (Groce et al. 2012). */
    rule->interval = (struct sim_dist){.kind = SIM_DIST_EXPONENTIAL, .a = 3 * SIM_S};
    rule->length = (struct sim_dist){.kind = SIM_DIST_EXPONENTIAL, .a = SIM_S};
    rule->length_min_ns = 10 * SIM_MS;
    rule->strength_ppm = family->strength_ppm;
    if (family->amount != AMOUNT_NONE) {
        rule->amount = (struct sim_dist){.kind = SIM_DIST_EXPONENTIAL, .a = family->amount_mean};
    }
}

static void load_force(struct load *l, const struct json_at *at, struct sim_swarm_rule *rule)
{
    const struct family *family = &families[rule->family];
    const char *name = sim_swarm_family_name(rule->family);
    const struct json_at strength = json_member(at, "strength");
    const struct json_at amount = json_member(at, "amount");
    const struct json_at majority = json_member(at, "majority");
    if (strength.json && family->strength_ppm == 0) {
        load_error_key(l, &strength, "the family %s has no strength", name);
    } else if (strength.json && load_probability(l, &strength, &rule->strength_ppm) &&
               rule->strength_ppm == 0) {
        load_error(l, &strength, "must be more than 0%%; leave the family out instead");
    }
    if (amount.json && family->amount == AMOUNT_NONE) {
        load_error_key(l, &amount, "the family %s has no amount", name);
    } else if (amount.json) {
        load_distribution(l, &amount, family->amount == AMOUNT_DRIFT ? UNITS_DRIFT : UNITS_DURATION,
                          &rule->amount);
    }
    if (majority.json && !family->may_hit_majority) {
        load_error_key(l, &majority, "\"majority\" is for the families crash, pause and isolate");
    } else if (majority.json) {
        load_bool(l, &majority, &rule->crash_majority);
    }
}

static void load_swarm_command(struct load *l, const struct json_at *at,
                               struct sim_swarm_rule *rule)
{
    const struct json_at command = json_member(at, "command");
    const struct sim_node_kind *kind = NULL;
    const struct sim_selection nodes = {.count = 1, .selectors = {{SIM_SELECT_GROUP, rule->group}}};
    if (rule->family != SIM_SWARM_COMMAND && command.json) {
        load_error_key(l, &command, "\"command\" is for the family command");
    } else if (rule->family == SIM_SWARM_COMMAND && !command.json) {
        load_error(l, at, "\"command\" is missing: which one the nodes get");
    } else if (command.json) {
        load_feature(l, &command, &nodes, LOAD_COMMAND_NAME, &kind, &rule->index);
    }
}

static bool is_drawn_twice(const struct sim_plan *plan, const struct sim_swarm_rule *rule)
{
    for (uint32_t i = 0; i < plan->swarm_count; i++) {
        const struct sim_swarm_rule *other = &plan->swarm[i];
        if (other->family == rule->family && other->group == rule->group &&
            other->index == rule->index) {
            return true;
        }
    }
    return false;
}

static void load_family(struct load *l, const struct json_at *at, const struct json_at *name)
{
    static const char *names[SIM_SWARM_FAMILY_COUNT + 1];
    struct sim_plan *plan = l->plan;
    struct sim_swarm_rule rule = {0};
    for (uint32_t i = 0; i < SIM_SWARM_FAMILY_COUNT; i++) {
        names[i] = sim_swarm_family_name(i);
    }
    if (!load_choice(l, name, "family of faults", names, &rule.family)) {
        return;
    }
    set_standard(&rule);
    load_key_probability(l, at, "off", &rule.off_ppm);
    const struct json_at every = json_member(at, "every");
    if (every.json && load_distribution(l, &every, UNITS_DURATION, &rule.interval) &&
        sim_dist_high(&rule.interval) == 0) {
        load_error(l, &every, "must be more than 0s: faults without end");
    }
    load_key_distribution(l, at, "length", UNITS_DURATION, &rule.length);
    load_key_quantity(l, at, "min_length", UNITS_DURATION, &rule.length_min_ns);
    const struct json_at group = json_member(at, "group");
    if (group.json) {
        load_group(l, &group, &rule.group);
    } else if (plan->group_count > 1) {
        load_error(l, at, "\"group\" is missing: there are %u groups of nodes",
                   (unsigned)plan->group_count);
    }
    load_force(l, at, &rule);
    load_swarm_command(l, at, &rule);
    if (is_drawn_twice(plan, &rule)) {
        load_error(l, name, "the family %s is drawn for this group already",
                   sim_swarm_family_name(rule.family));
        return;
    }
    struct sim_swarm_rule *new_rule = load_append(l, at, &plan->swarm, &plan->swarm_count,
                                                  SIM_SWARM_RULES_MAX, sizeof *plan->swarm);
    if (new_rule) {
        *new_rule = rule;
    }
}

/* One object: a family, or several that share what else it says. */
static void load_swarm_rule(struct load *l, const struct json_at *at)
{
    const struct json_at one = json_member(at, "family");
    const struct json_at many = json_member(at, "families");
    if (!load_object(l, at, LOAD_SWARM)) {
        return;
    }
    if (!one.json == !many.json) {
        load_error(l, at, "one of \"family\" and \"families\"");
        return;
    }
    if (one.json) {
        load_family(l, at, &one);
        return;
    }
    if (!load_array(l, &many, SIM_SWARM_FAMILY_COUNT)) {
        return;
    }
    if (!many.json->child) {
        load_expected(l, &many, "at least one family of faults");
    }
    uint32_t index = 0;
    for (const cJSON *json = many.json->child; json; json = json->next) {
        const struct json_at name = json_element(&many, json, index++);
        load_family(l, at, &name);
    }
}

void load_swarm(struct load *l, const struct json_at *root)
{
    const struct json_at at = json_member(root, "swarm");
    if (!at.json) {
        return;
    }
    if (cJSON_IsObject(at.json)) {
        load_swarm_rule(l, &at);
        return;
    }
    if (!load_array(l, &at, SIM_SWARM_RULES_MAX)) {
        return;
    }
    uint32_t index = 0;
    for (const cJSON *json = at.json->child; json; json = json->next) {
        const struct json_at rule = json_element(&at, json, index++);
        load_swarm_rule(l, &rule);
    }
}

/* ---- Fates ------------------------------------------------------------------------------- */

/* A message of the sender's protocol; "request" and "response" travel between clients and nodes. */
static bool load_message(struct load *l, const struct json_at *at, struct sim_fate_override *fate)
{
    const struct json_at message = json_member(at, "message");
    fate->message_kind = SIM_NOBODY;
    if (!message.json) {
        return true;
    }
    static const char *const request[] = {"request", NULL};
    static const char *const response[] = {"response", NULL};
    static const char *const none[] = {NULL};
    const struct sim_node_kind *kind = l->plan->nodes[fate->from].kind;
    const bool from_client = fate->from >= l->server_count;
    const bool to_client = fate->to >= l->server_count;
    if (!from_client && !kind) {
        return false; /* The kind's error is told. */
    }
    const char *const *names = from_client           ? request
                               : to_client           ? response
                               : kind->message_names ? kind->message_names
                                                     : none;
    uint32_t choice = 0;
    if (!load_choice(l, &message, "message", names, &choice)) {
        return false;
    }
    fate->message_kind = from_client ? SIM_MESSAGE_REQUEST
                         : to_client ? SIM_MESSAGE_RESPONSE
                                     : choice;
    return true;
}

static bool load_fate_action(struct load *l, const struct json_at *at,
                             struct sim_fate_override *fate)
{
    static const struct {
        const char *key;
        enum sim_fate_action action;
    } actions[] = {
        {"drop", SIM_ACT_DROP},           {"delay", SIM_ACT_DELAY},
        {"duplicate", SIM_ACT_DUPLICATE}, {"corrupt", SIM_ACT_CORRUPT},
        {"deliver", SIM_ACT_DELIVER},
    };
    uint32_t found = 0;
    bool good = true;
    for (size_t i = 0; i < sizeof actions / sizeof actions[0]; i++) {
        const struct json_at member = json_member(at, actions[i].key);
        if (!member.json) {
            continue;
        }
        found++;
        fate->action = actions[i].action;
        if (fate->action == SIM_ACT_DELAY) {
            good = load_quantity(l, &member, UNITS_DURATION, &fate->delay_ns) && good;
        } else if (!cJSON_IsTrue(member.json)) {
            load_expected(l, &member, "true");
            good = false;
        }
    }
    if (found != 1) {
        load_error(l, at, "one of \"drop\", \"delay\", \"duplicate\", \"corrupt\" and \"deliver\"");
    }
    return good && found == 1;
}

static void load_fate(struct load *l, const struct json_at *at)
{
    struct sim_plan *plan = l->plan;
    struct sim_fate_override fate = {.ordinal = 1};
    struct json_at from;
    struct json_at to;
    struct json_at ordinal;
    if (!load_object(l, at, LOAD_FATE)) {
        return;
    }
    bool good = load_required(l, at, "from", &from) && load_node_name(l, &from, &fate.from);
    good = load_required(l, at, "to", &to) && load_node_name(l, &to, &fate.to) && good;
    good = load_required(l, at, "ordinal", &ordinal) &&
           load_count(l, &ordinal, 1, UINT32_MAX, &fate.ordinal) && good;
    good = load_fate_action(l, at, &fate) && good;
    if (!good || !load_message(l, at, &fate)) {
        return;
    }
    if (fate.from == fate.to) {
        load_error(l, &to, "a node sends nothing to itself");
        return;
    }
    struct sim_fate_override *new_fate =
        load_append(l, at, &plan->fates, &plan->fate_count, SIM_FATES_MAX, sizeof *plan->fates);
    if (new_fate) {
        *new_fate = fate;
    }
}

void load_fates(struct load *l, const struct json_at *root)
{
    const struct json_at at = json_member(root, "fates");
    if (!at.json || !load_array(l, &at, SIM_FATES_MAX)) {
        return;
    }
    uint32_t index = 0;
    for (const cJSON *json = at.json->child; json; json = json->next) {
        const struct json_at fate = json_element(&at, json, index++);
        load_fate(l, &fate);
    }
}
