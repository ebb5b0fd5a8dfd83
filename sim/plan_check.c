/* What every plan must satisfy before a world runs on it, wherever it came from. */
#include "sim/check/check.h"
#include "sim/plan.h"

#define DRIFT_PPB_MAX 500000000
#define SCALE_STEP_NS_MIN ((int64_t)SIM_MS) /* Between two looks at a group. */

static uint32_t listed(const char *const *names)
{
    uint32_t count = 0;
    while (names && names[count]) {
        count++;
    }
    return count;
}

static bool is_name(const char *name)
{
    const char *end = memchr(name, '\0', SIM_NAME_MAX);
    return end && end != name;
}

static bool is_share(uint32_t ppm)
{
    return ppm <= SIM_PPM;
}

static uint32_t server_count(const struct sim_plan *plan)
{
    uint32_t count = plan->node_count;
    for (uint32_t i = 0; i < plan->workload_count; i++) {
        count -= plan->workloads[i].client_count; /* Checked before: they are in the table. */
    }
    return count;
}

static bool selection_is_good(const struct sim_plan *plan, const struct sim_selection *selection,
                              bool may_move)
{
    if (selection->count > SIM_SELECTORS_MAX) {
        return false;
    }
    for (uint32_t i = 0; i < selection->count; i++) {
        const struct sim_selector *s = &selection->selectors[i];
        const uint32_t limit = s->kind == SIM_SELECT_NODE     ? plan->node_count
                               : s->kind == SIM_SELECT_GROUP  ? plan->group_count
                               : s->kind == SIM_SELECT_ZONE   ? plan->zone_count
                               : s->kind == SIM_SELECT_REGION ? plan->region_count
                                                              : UINT32_MAX;
        if (s->kind >= SIM_SELECT_KIND_COUNT || s->index >= limit ||
            (!may_move && sim_selector_moves(s->kind))) {
            return false;
        }
    }
    return true;
}

static bool link_is_good(const struct sim_link_knobs *k)
{
    return !sim_dist_problem(&k->latency) && !sim_dist_problem(&k->jitter) &&
           !sim_dist_problem(&k->reorder_delay) && k->use_base <= 1 && is_share(k->loss_ppm) &&
           is_share(k->burst_enter_ppm) && is_share(k->burst_leave_ppm) &&
           is_share(k->burst_loss_ppm) && is_share(k->duplicate_ppm) && is_share(k->reorder_ppm) &&
           is_share(k->corrupt_ppm) && k->queue_policy <= SIM_QUEUE_RED &&
           k->transport <= SIM_TRANSPORT_STREAM && k->authenticated <= 1 && k->eavesdrop <= 1 &&
           is_share(k->tamper_ppm) && is_share(k->forge_ppm) && is_share(k->replay_ppm);
}

static bool disk_is_good(const struct sim_disk_knobs *k)
{
    return !sim_dist_problem(&k->sync_latency) && is_share(k->sync_error_ppm) &&
           is_share(k->write_error_ppm) && is_share(k->lie_ppm) && is_share(k->survive_ppm) &&
           is_share(k->torn_ppm) && is_share(k->corrupt_ppm);
}

static bool time_is_good(uint64_t ns)
{
    return ns <= SIM_TIME_MAX;
}

static bool host_is_good(const struct sim_host_knobs *k)
{
    const int64_t offset_ns = k->clock.offset_ns;
    return time_is_good(k->cpu.message_ns) && time_is_good(k->cpu.send_ns) &&
           time_is_good(k->cpu.byte_ps) && k->cpu.speed_ppm > 0 &&
           offset_ns >= -(int64_t)SIM_TIME_MAX && offset_ns <= (int64_t)SIM_TIME_MAX &&
           k->clock.drift_ppb >= -DRIFT_PPB_MAX && k->clock.drift_ppb <= DRIFT_PPB_MAX &&
           time_is_good(k->clock.sync_interval_ns) && !sim_dist_problem(&k->clock.sync_error) &&
           time_is_good(k->clock.error_bound_ns) && k->clock.assumed_drift_ppb <= DRIFT_PPB_MAX &&
           disk_is_good(&k->disk) && time_is_good(k->dns_ttl_ns);
}

static bool setting_is_good(const struct sim_setting *setting, struct sim_value value)
{
    if (setting->type == SIM_SETTING_BOOL || setting->type == SIM_SETTING_CHOICE) {
        const int64_t choices =
            setting->type == SIM_SETTING_BOOL ? 2 : (int64_t)listed(setting->choices);
        return value.low == value.high && value.low >= 0 && value.low < choices;
    }
    return value.low <= value.high && value.low >= setting->minimum &&
           value.high <= setting->maximum;
}

static const char *nodes_problem(const struct sim_plan *plan, uint32_t servers)
{
    for (uint32_t i = 0; i < plan->node_count; i++) {
        const struct sim_plan_node *node = &plan->nodes[i];
        if (!is_name(node->name) || node->zone >= plan->zone_count || !host_is_good(&node->host)) {
            return "a node's name, zone or host is not allowed";
        }
        if ((node->kind != NULL) != (i < servers)) {
            return "nodes and clients are mixed";
        }
        const uint32_t groups = node->kind ? plan->group_count : plan->workload_count;
        if (node->group >= groups) {
            return "a node's group does not exist";
        }
        if (!node->kind) {
            continue;
        }
        const uint32_t bugs = node->kind->bug_count;
        if (bugs < 64 && node->bugs >> bugs != 0) {
            return "a planted bug does not exist";
        }
        for (uint32_t k = 0; k < node->kind->setting_count; k++) {
            if (!setting_is_good(&node->kind->settings[k], node->settings[k])) {
                return "a node's setting is not allowed";
            }
        }
    }
    return NULL;
}

static const char *groups_problem(const struct sim_plan *plan, uint32_t servers)
{
    uint32_t next = 0;
    for (uint32_t i = 0; i < plan->group_count; i++) {
        const struct sim_plan_group *group = &plan->groups[i];
        if (!is_name(group->name) || group->first_node != next || group->node_count == 0 ||
            group->node_count > servers - next) {
            return "the groups do not cover the nodes";
        }
        for (uint32_t k = 0; k < group->node_count; k++) {
            const struct sim_plan_node *node = &plan->nodes[next + k];
            if (node->group != i || node->kind != plan->nodes[next].kind) {
                return "a group has nodes of another one or of several kinds";
            }
        }
        next += group->node_count;
    }
    return next == servers ? NULL : "the groups do not cover the nodes";
}

static bool transactions_are_good(const struct sim_workload *w)
{
    uint64_t weights = 0;
    for (uint32_t i = 0; i < SIM_TXN_FUNCTION_COUNT; i++) {
        weights += w->txn_weight[i];
    }
    return weights > 0 && weights <= UINT32_MAX && w->txn_parts > 0 &&
           w->txn_parts <= SIM_TXN_PARTS_MAX && w->key_count <= SIM_TXN_KEY_MAX;
}

static bool workload_is_good(const struct sim_plan *plan, const struct sim_workload *w)
{
    uint64_t weights = 0;
    for (uint32_t i = 0; i < SIM_FUNCTION_COUNT; i++) {
        weights += w->weight[i];
    }
    return is_name(w->name) && w->target_group < plan->group_count && weights > 0 &&
           weights <= UINT32_MAX && !sim_dist_problem(&w->interval) &&
           !sim_dist_problem(&w->backoff) && w->key_count > 0 && w->key_count <= SIM_KEYS_MAX &&
           (w->weight[SIM_TXN] == 0 || transactions_are_good(w)) && w->timeout_ns > 0 &&
           time_is_good(w->timeout_ns) && w->attempts > 0 && time_is_good(w->start_ns) &&
           w->stop_ns > w->start_ns;
}

static const char *workloads_problem(const struct sim_plan *plan, uint32_t servers)
{
    uint32_t next = servers;
    for (uint32_t i = 0; i < plan->workload_count; i++) {
        const struct sim_workload *w = &plan->workloads[i];
        if (w->first_client != next || w->client_count == 0 || !workload_is_good(plan, w)) {
            return "a workload is not allowed";
        }
        for (uint32_t k = 0; k < w->client_count; k++) {
            if (plan->nodes[next + k].group != i) {
                return "a workload has clients of another one";
            }
        }
        next += w->client_count;
    }
    return NULL;
}

static bool step_is_good(const struct sim_plan *plan, uint32_t servers,
                         const struct sim_script_step *step)
{
    if (step->client < servers || step->client >= plan->node_count ||
        step->function >= SIM_FUNCTION_COUNT || !time_is_good(step->at_ns)) {
        return false;
    }
    const struct sim_workload *w = &plan->workloads[plan->nodes[step->client].group];
    const struct sim_plan_group *group = &plan->groups[w->target_group];
    return w->scripted && step->key >= 1 && step->key <= w->key_count &&
           (step->server == SIM_NOBODY || (step->server >= group->first_node &&
                                           step->server < group->first_node + group->node_count));
}

static const char *script_problem(const struct sim_plan *plan, uint32_t servers)
{
    for (uint32_t i = 0; i < plan->script_count; i++) {
        if (!step_is_good(plan, servers, &plan->script[i])) {
            return "a step of a script is not allowed";
        }
        if (i > 0 && plan->script[i].at_ns < plan->script[i - 1].at_ns) {
            return "the steps of the script are not in the order of their times";
        }
    }
    return NULL;
}

/* Has some node's kind so many of something that this is one of them? */
static bool index_is_known(const struct sim_plan *plan, uint32_t servers, uint32_t index,
                           uint32_t (*count_of)(const struct sim_node_kind *kind))
{
    for (uint32_t i = 0; i < servers; i++) {
        if (index < count_of(plan->nodes[i].kind)) {
            return true;
        }
    }
    return false;
}

static uint32_t fact_count(const struct sim_node_kind *kind)
{
    return kind->fact_count;
}

static uint32_t setting_count(const struct sim_node_kind *kind)
{
    return kind->setting_count;
}

static uint32_t command_count(const struct sim_node_kind *kind)
{
    return listed(kind->commands);
}

/* What only some kinds of faults use. */
static bool fault_detail_is_good(const struct sim_plan *plan, uint32_t servers,
                                 const struct sim_fault *f)
{
    switch (f->kind) {
    case SIM_FAULT_SLOW:
        return f->speed_ppm > 0;
    case SIM_FAULT_PARTITION:
        return f->shape < SIM_CUT_COUNT;
    case SIM_FAULT_LINK:
        return f->link.fields >> SIM_LINK_FIELD_COUNT == 0 && link_is_good(&f->link.knobs);
    case SIM_FAULT_DISK:
        return f->disk.fields >> SIM_DISK_FIELD_COUNT == 0 && disk_is_good(&f->disk.knobs);
    case SIM_FAULT_CLOCK_STEP:
        return f->amount >= -(int64_t)SIM_TIME_MAX && f->amount <= (int64_t)SIM_TIME_MAX;
    case SIM_FAULT_CLOCK_DRIFT:
        return f->amount >= -DRIFT_PPB_MAX && f->amount <= DRIFT_PPB_MAX;
    case SIM_FAULT_MOVE:
        return f->index < plan->zone_count;
    case SIM_FAULT_ADMIN_SET:
        return index_is_known(plan, servers, f->index, setting_count) &&
               f->value.low <= f->value.high;
    case SIM_FAULT_COMMAND:
        return index_is_known(plan, servers, f->index, command_count);
    case SIM_FAULT_SCALE:
        return f->targets.count == 1 && f->targets.selectors[0].kind == SIM_SELECT_GROUP &&
               f->amount >= 1 && f->value.low >= SCALE_STEP_NS_MIN;
    default:
        return f->kind < SIM_FAULT_KIND_COUNT;
    }
}

static const char *faults_problem(const struct sim_plan *plan, uint32_t servers)
{
    for (uint32_t i = 0; i < plan->fault_count; i++) {
        const struct sim_fault *f = &plan->faults[i];
        if (!fault_detail_is_good(plan, servers, f)) {
            return "a fault's kind or one of its figures is not allowed";
        }
        if (!time_is_good(f->at_ns) || !time_is_good(f->for_ns) || !time_is_good(f->every_ns)) {
            return "a fault's time is too large";
        }
        if (!selection_is_good(plan, &f->targets, true) ||
            !selection_is_good(plan, &f->peers, true) ||
            (f->when.present && !selection_is_good(plan, &f->when.nodes, true))) {
            return "a fault names a node that does not exist";
        }
        if (f->when.present && !index_is_known(plan, servers, f->when.fact, fact_count)) {
            return "a fault waits for a fact that no node publishes";
        }
        if (f->administrator != SIM_NOBODY && f->administrator >= plan->administrator_count) {
            return "a fault names an administrator who does not exist";
        }
    }
    return NULL;
}

static const char *swarm_problem(const struct sim_plan *plan, uint32_t servers)
{
    for (uint32_t i = 0; i < plan->swarm_count; i++) {
        const struct sim_swarm_rule *r = &plan->swarm[i];
        if (r->family >= SIM_SWARM_FAMILY_COUNT || r->group >= plan->group_count ||
            !is_share(r->off_ppm) || !is_share(r->strength_ppm) || sim_dist_problem(&r->interval) ||
            sim_dist_problem(&r->length) || sim_dist_problem(&r->amount) ||
            !time_is_good(r->length_min_ns) ||
            (r->family == SIM_SWARM_COMMAND &&
             !index_is_known(plan, servers, r->index, command_count))) {
            return "a rule of the swarm is not allowed";
        }
        if (sim_dist_high(&r->interval) == 0) {
            return "a rule of the swarm would draw faults without end";
        }
    }
    return NULL;
}

static const char *links_problem(const struct sim_plan *plan)
{
    for (uint32_t i = 0; i < plan->link_count; i++) {
        const struct sim_link_rule *rule = &plan->links[i];
        if (!selection_is_good(plan, &rule->from, false) ||
            !selection_is_good(plan, &rule->to, false)) {
            return "a link rule names a node that does not exist";
        }
        if (rule->change.fields >> SIM_LINK_FIELD_COUNT != 0 ||
            !link_is_good(&rule->change.knobs)) {
            return "a link rule sets something that is not allowed";
        }
    }
    return NULL;
}

static const char *fates_problem(const struct sim_plan *plan)
{
    for (uint32_t i = 0; i < plan->fate_count; i++) {
        const struct sim_fate_override *fate = &plan->fates[i];
        if (fate->from >= plan->node_count || fate->to >= plan->node_count ||
            fate->from == fate->to || fate->action > SIM_ACT_DELIVER || fate->ordinal == 0 ||
            !time_is_good(fate->delay_ns)) {
            return "a fate is not allowed";
        }
    }
    return NULL;
}

static const char *zones_problem(const struct sim_plan *plan)
{
    if (plan->zone_count == 0 || plan->zone_count > SIM_ZONES_MAX || plan->region_count == 0 ||
        plan->region_count > plan->zone_count) {
        return "there is no zone, or too many";
    }
    for (uint32_t i = 0; i < plan->zone_count; i++) {
        if (!is_name(plan->zones[i].name) || plan->zones[i].region >= plan->region_count) {
            return "a zone's name or region is not allowed";
        }
    }
    for (uint32_t i = 0; i < plan->region_count; i++) {
        if (!is_name(plan->regions[i])) {
            return "a region's name is not allowed";
        }
    }
    for (uint32_t i = 0; i < plan->zone_count * plan->zone_count; i++) {
        if (!time_is_good(plan->base_ns[i])) {
            return "a delay between zones is too large";
        }
    }
    return NULL;
}

static const char *sizes_problem(const struct sim_plan *plan)
{
    if (plan->duration_ns == 0 || !time_is_good(plan->duration_ns) ||
        !time_is_good(plan->settle_ns)) {
        return "the duration is not allowed";
    }
    if (plan->memory_bytes < SIM_MEMORY_MIN) {
        return "the memory is too small";
    }
    if (SIM_CHECK_COUNT < 64 && plan->checks >> SIM_CHECK_COUNT != 0) {
        return "a check does not exist";
    }
    if (plan->node_count == 0 || plan->node_count > SIM_NODES_MAX || plan->group_count == 0 ||
        plan->group_count > plan->node_count || plan->workload_count > plan->node_count ||
        plan->link_count > SIM_LINK_RULES_MAX ||
        plan->administrator_count > SIM_ADMINISTRATORS_MAX || plan->fault_count > SIM_FAULTS_MAX ||
        plan->swarm_count > SIM_SWARM_RULES_MAX || plan->fate_count > SIM_FATES_MAX ||
        plan->script_count > SIM_SCRIPT_MAX) {
        return "there is nothing to run, or too much of it";
    }
    uint64_t clients = 0;
    for (uint32_t i = 0; i < plan->workload_count; i++) {
        clients += plan->workloads[i].client_count;
    }
    return clients < plan->node_count ? NULL : "the workloads have more clients than there are";
}

const char *sim_plan_problem(const struct sim_plan *plan)
{
    const char *problem = sizes_problem(plan);
    if (problem) {
        return problem;
    }
    const uint32_t servers = server_count(plan);
    problem = zones_problem(plan);
    problem = problem ? problem : nodes_problem(plan, servers);
    problem = problem ? problem : groups_problem(plan, servers);
    problem = problem ? problem : workloads_problem(plan, servers);
    problem = problem ? problem : script_problem(plan, servers);
    problem = problem ? problem : links_problem(plan);
    for (uint32_t i = 0; !problem && i < plan->administrator_count; i++) {
        problem =
            is_name(plan->administrators[i]) ? NULL : "an administrator's name is not allowed";
    }
    problem = problem ? problem : faults_problem(plan, servers);
    problem = problem ? problem : swarm_problem(plan, servers);
    return problem ? problem : fates_problem(plan);
}
