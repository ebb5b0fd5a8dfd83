/* Faults, the rules of the swarm, and the fates of single messages, written. */
#include "scenarios/format/write_internal.h"

/* ---- When ---------------------------------------------------------------------------------- */

static void write_condition(struct write *w, cJSON *object, const struct sim_condition *when)
{
    const struct sim_selector *s = &when->nodes.selectors[0];
    const struct sim_node_kind *kind = write_kind_of(w, &when->nodes);
    cJSON *condition = write_object(object, "when");
    if (when->nodes.count != 1 || s->kind != SIM_SELECT_ALL) {
        write_selection(w, condition, "nodes", &when->nodes);
    }
    if (!kind || when->fact >= kind->fact_count) {
        write_fail(w, "a condition on a fact without a name");
        return;
    }
    const struct sim_fact *fact = &kind->facts[when->fact];
    write_text(condition, "fact", fact->name);
    const char *key = when->at_least ? "at_least" : "is";
    int64_t names = 0;
    while (fact->values && fact->values[names]) {
        names++;
    }
    if (when->wanted >= 0 && when->wanted < names) {
        write_text(condition, key, fact->values[when->wanted]);
    } else {
        write_integer(condition, key, when->wanted);
    }
}

static void write_when(struct write *w, cJSON *object, const struct sim_fault *f)
{
    if (f->at_ns || !f->when.present) {
        write_quantity(object, "at", UNITS_DURATION, f->at_ns);
    }
    if (f->when.present) {
        write_condition(w, object, &f->when);
    }
}

static void write_repeats(cJSON *object, const struct sim_fault *f)
{
    if (f->for_ns) {
        write_quantity(object, "for", UNITS_DURATION, f->for_ns);
    }
    if (f->every_ns) {
        write_quantity(object, "every", UNITS_DURATION, f->every_ns);
    }
    if (f->times) {
        write_count(object, "times", f->times);
    }
}

/* ---- What ---------------------------------------------------------------------------------- */

static void write_partition(struct write *w, cJSON *object, const struct sim_fault *f)
{
    static const char *const shapes[SIM_CUT_COUNT] = {
        [SIM_CUT_BETWEEN] = "between", [SIM_CUT_ONE_WAY] = "one_way", [SIM_CUT_ISOLATE] = "isolate",
        [SIM_CUT_HALVES] = "halves",   [SIM_CUT_BRIDGE] = "bridge",   [SIM_CUT_RING] = "ring"};
    if (f->shape == SIM_CUT_ISOLATE) {
        write_selection(w, object, "isolate", &f->targets);
        return;
    }
    if (f->shape == SIM_CUT_BETWEEN && f->peers.count > 0) {
        write_sides(w, object, "partition", &f->targets, &f->peers);
        return;
    }
    const bool drawn = f->shape >= SIM_CUT_HALVES;
    if (drawn && f->amount) {
        write_fail(w, "a division with a number of its own");
    }
    cJSON *inner = write_object(object, "partition");
    write_text(inner, "shape", shapes[f->shape]);
    if (!drawn || f->targets.count != 1 || f->targets.selectors[0].kind != SIM_SELECT_ALL) {
        write_selection(w, inner, "of", &f->targets);
    }
    if (f->peers.count > 0) {
        write_selection(w, inner, "from", &f->peers);
    }
}

static void write_link(struct write *w, cJSON *object, const struct sim_fault *f)
{
    const bool adversary = f->link.fields == 1u << SIM_LINK_ADVERSARY;
    cJSON *inner = write_object(object, adversary ? "adversary" : "link");
    write_ends(w, inner, &f->targets, &f->peers, f->one_way);
    write_link_knobs(w, inner, &f->link);
}

static void write_clock(struct write *w, cJSON *object, const struct sim_fault *f)
{
    cJSON *inner = write_object(object, "clock");
    write_selection(w, inner, "of", &f->targets);
    if (f->kind == SIM_FAULT_CLOCK_STEP) {
        write_signed(inner, "step", UNITS_DURATION, f->amount);
    } else if (f->kind == SIM_FAULT_CLOCK_DRIFT) {
        write_signed(inner, "drift", UNITS_DRIFT, f->amount);
    } else {
        write_bool(inner, "sync", true);
    }
}

static void write_people(struct write *w, cJSON *object, const struct sim_fault *f)
{
    const bool admin = f->kind == SIM_FAULT_ADMIN_SET;
    cJSON *inner = write_object(object, admin ? "admin" : "firewall");
    const struct sim_node_kind *kind = write_kind_of(w, &f->targets);
    if (f->administrator == SIM_NOBODY) {
        write_fail(w, "a change by nobody");
        return;
    }
    write_text(inner, "by", w->plan->administrators[f->administrator]);
    write_selection(w, inner, admin ? "of" : "from", &f->targets);
    if (!admin) {
        write_selection(w, inner, "to", &f->peers);
    } else if (kind && f->index < kind->setting_count) {
        write_setting(write_object(inner, "set"), &kind->settings[f->index], f->value);
    } else {
        write_fail(w, "a change of a setting without a name");
    }
}

static void write_command(struct write *w, cJSON *object, const struct sim_fault *f)
{
    const struct sim_node_kind *kind = write_kind_of(w, &f->targets);
    cJSON *inner = write_object(object, "command");
    write_selection(w, inner, "of", &f->targets);
    if (!kind || !kind->commands) {
        write_fail(w, "a command without a name");
        return;
    }
    write_text(inner, "name", kind->commands[f->index]);
    if (f->peers.count > 0) {
        write_selection(w, inner, "argument", &f->peers);
    }
}

static void write_scale(struct write *w, cJSON *object, const struct sim_fault *f)
{
    const struct sim_plan_group *group = &w->plan->groups[f->targets.selectors[0].index];
    const uint64_t most = group->node_count; /* A plan may ask for more in vain. */
    cJSON *inner = write_object(object, "scale");
    write_selection(w, inner, "of", &f->targets);
    write_count(inner, "to", (uint64_t)f->amount < most ? (uint64_t)f->amount : most);
    write_quantity(inner, "step", UNITS_DURATION, (uint64_t)f->value.low);
}

static void write_what(struct write *w, cJSON *object, const struct sim_fault *f)
{
    cJSON *inner;
    switch ((enum sim_fault_kind)f->kind) {
    case SIM_FAULT_PARTITION:
        write_partition(w, object, f);
        break;
    case SIM_FAULT_LINK:
        write_link(w, object, f);
        break;
    case SIM_FAULT_SLOW:
        inner = write_object(object, "slow");
        write_selection(w, inner, "of", &f->targets);
        write_quantity(inner, "speed", UNITS_SHARE, f->speed_ppm);
        break;
    case SIM_FAULT_DISK:
        inner = write_object(object, "disk");
        write_selection(w, inner, "of", &f->targets);
        write_disk_knobs(inner, &f->disk);
        break;
    case SIM_FAULT_CLOCK_STEP:
    case SIM_FAULT_CLOCK_DRIFT:
    case SIM_FAULT_CLOCK_SYNC:
        write_clock(w, object, f);
        break;
    case SIM_FAULT_MOVE:
        inner = write_object(object, "move");
        write_selection(w, inner, "of", &f->targets);
        write_text(inner, "to", w->plan->zones[f->index].name);
        break;
    case SIM_FAULT_ADMIN_SET:
    case SIM_FAULT_FIREWALL:
        write_people(w, object, f);
        break;
    case SIM_FAULT_COMMAND:
        write_command(w, object, f);
        break;
    case SIM_FAULT_SCALE:
        write_scale(w, object, f);
        break;
    case SIM_FAULT_HEAL:
        write_bool(object, "heal", true);
        break;
    default: /* Crash, pause, ...: only whom. */
        write_selection(w, object, sim_fault_kind_name(f->kind), &f->targets);
        break;
    }
}

void write_faults(struct write *w, cJSON *root)
{
    const struct sim_plan *plan = w->plan;
    cJSON *names = plan->administrator_count ? write_array(root, "administrators") : NULL;
    for (uint32_t i = 0; i < plan->administrator_count; i++) {
        write_string(names, plan->administrators[i]);
    }
    cJSON *array = plan->fault_count ? write_array(root, "faults") : NULL;
    for (uint32_t i = 0; i < plan->fault_count; i++) {
        cJSON *object = write_element(array);
        write_when(w, object, &plan->faults[i]);
        write_what(w, object, &plan->faults[i]);
        write_repeats(object, &plan->faults[i]);
    }
}

/* ---- The swarm ----------------------------------------------------------------------------- */

static void write_force(struct write *w, cJSON *object, const struct sim_swarm_rule *rule)
{
    if (rule->strength_ppm) {
        write_quantity(object, "strength", UNITS_SHARE, rule->strength_ppm);
    }
    switch (rule->family) {
    case SIM_SWARM_CLOCK_DRIFT:
        write_dist(object, "amount", UNITS_DRIFT, &rule->amount);
        break;
    case SIM_SWARM_DELAY:
    case SIM_SWARM_REORDER:
    case SIM_SWARM_DISK_SLOW:
    case SIM_SWARM_CLOCK_STEP:
        write_dist(object, "amount", UNITS_DURATION, &rule->amount);
        break;
    default:
        break;
    }
    if (rule->family == SIM_SWARM_COMMAND) {
        const struct sim_plan_group *group = &w->plan->groups[rule->group];
        const struct sim_node_kind *kind = w->plan->nodes[group->first_node].kind;
        if (kind->commands) {
            write_text(object, "command", kind->commands[rule->index]);
        }
    }
    if (rule->crash_majority) {
        write_bool(object, "majority", true);
    }
}

void write_swarm(struct write *w, cJSON *root)
{
    cJSON *array = w->plan->swarm_count ? write_array(root, "swarm") : NULL;
    for (uint32_t i = 0; i < w->plan->swarm_count; i++) {
        const struct sim_swarm_rule *rule = &w->plan->swarm[i];
        cJSON *object = write_element(array);
        write_text(object, "family", sim_swarm_family_name(rule->family));
        if (w->plan->group_count > 1) {
            write_text(object, "group", w->plan->groups[rule->group].name);
        }
        write_quantity(object, "off", UNITS_SHARE, rule->off_ppm);
        write_dist(object, "every", UNITS_DURATION, &rule->interval);
        write_dist(object, "length", UNITS_DURATION, &rule->length);
        write_quantity(object, "min_length", UNITS_DURATION, rule->length_min_ns);
        write_force(w, object, rule);
    }
}

/* ---- Fates --------------------------------------------------------------------------------- */

static const char *message_name(const struct write *w, const struct sim_fate_override *fate)
{
    const struct sim_node_kind *kind = w->plan->nodes[fate->from].kind;
    if (fate->message_kind == SIM_MESSAGE_REQUEST) {
        return "request";
    }
    if (fate->message_kind == SIM_MESSAGE_RESPONSE) {
        return "response";
    }
    for (uint32_t i = 0; kind && kind->message_names && kind->message_names[i]; i++) {
        if (i == fate->message_kind) {
            return kind->message_names[i];
        }
    }
    return NULL;
}

void write_fates(struct write *w, cJSON *root)
{
    cJSON *array = w->plan->fate_count ? write_array(root, "fates") : NULL;
    for (uint32_t i = 0; i < w->plan->fate_count; i++) {
        static const char *const actions[] = {[SIM_ACT_DROP] = "drop",
                                              [SIM_ACT_DUPLICATE] = "duplicate",
                                              [SIM_ACT_CORRUPT] = "corrupt",
                                              [SIM_ACT_DELIVER] = "deliver"};
        const struct sim_fate_override *fate = &w->plan->fates[i];
        const char *message = message_name(w, fate);
        cJSON *object = write_element(array);
        write_text(object, "from", w->plan->nodes[fate->from].name);
        write_text(object, "to", w->plan->nodes[fate->to].name);
        if (message) {
            write_text(object, "message", message);
        } else if (fate->message_kind != SIM_NOBODY) {
            write_fail(w, "a fate of a message without a name");
        }
        write_count(object, "ordinal", fate->ordinal);
        if (fate->action == SIM_ACT_DELAY) {
            write_quantity(object, "delay", UNITS_DURATION, fate->delay_ns);
        } else {
            write_bool(object, actions[fate->action], true);
        }
    }
}
