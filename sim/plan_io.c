/* The neutral form of a plan. One function for each structure serves both directions, so that
 * writer and reader cannot drift apart:
 *
 *     "FALPLAN" version | sizes and times | zones | groups | nodes | workloads | script | links |
 *     administrators | faults | swarm | fates
 *
 * A distribution has only the parts it uses. */
#include "sim/codec.h"

#define MAGIC UINT64_C(0x044e414c504c4146) /* "FALPLAN", version 4 */

static void io_dist(struct sim_codec *c, struct sim_dist *dist)
{
    sim_codec_u32(c, &dist->kind);
    sim_codec_u32(c, &dist->count);
    sim_codec_u64(c, &dist->a);
    sim_codec_u64(c, &dist->b);
    sim_codec_u64(c, &dist->cap);
    const uint32_t limit = dist->kind == SIM_DIST_MIXTURE     ? SIM_DIST_PARTS_MAX
                           : dist->kind == SIM_DIST_QUANTILES ? SIM_DIST_POINTS_MAX
                                                              : 0;
    if (dist->count > limit) {
        sim_codec_fail(c, SIM_EINVAL);
        return;
    }
    for (uint32_t i = 0; i < dist->count && dist->kind == SIM_DIST_MIXTURE; i++) {
        struct sim_dist_part *part = &dist->parts[i];
        sim_codec_u32(c, &part->weight_ppm);
        sim_codec_u32(c, &part->kind);
        sim_codec_u64(c, &part->a);
        sim_codec_u64(c, &part->b);
    }
    for (uint32_t i = 0; i < dist->count && dist->kind == SIM_DIST_QUANTILES; i++) {
        sim_codec_u32(c, &dist->points[i].ppb);
        sim_codec_u64(c, &dist->points[i].value);
    }
}

static void io_selection(struct sim_codec *c, struct sim_selection *selection)
{
    sim_codec_u32(c, &selection->count);
    if (selection->count > SIM_SELECTORS_MAX) {
        sim_codec_fail(c, SIM_EINVAL);
        return;
    }
    for (uint32_t i = 0; i < selection->count; i++) {
        sim_codec_u32(c, &selection->selectors[i].kind);
        sim_codec_u32(c, &selection->selectors[i].index);
    }
}

static void io_link(struct sim_codec *c, struct sim_link_change *change)
{
    struct sim_link_knobs *k = &change->knobs;
    sim_codec_u32(c, &change->fields);
    io_dist(c, &k->latency);
    io_dist(c, &k->jitter);
    sim_codec_u32(c, &k->use_base);
    sim_codec_u32(c, &k->loss_ppm);
    sim_codec_u32(c, &k->burst_enter_ppm);
    sim_codec_u32(c, &k->burst_leave_ppm);
    sim_codec_u32(c, &k->burst_loss_ppm);
    sim_codec_u32(c, &k->duplicate_ppm);
    sim_codec_u32(c, &k->reorder_ppm);
    io_dist(c, &k->reorder_delay);
    sim_codec_u32(c, &k->corrupt_ppm);
    sim_codec_u64(c, &k->bytes_per_second);
    sim_codec_u64(c, &k->queue_bytes);
    sim_codec_u32(c, &k->queue_policy);
    sim_codec_u32(c, &k->mtu_bytes);
    sim_codec_u32(c, &k->transport);
    sim_codec_u64(c, &k->price_nano_per_gb);
    sim_codec_u32(c, &k->authenticated);
    sim_codec_u32(c, &k->eavesdrop);
    sim_codec_u32(c, &k->tamper_ppm);
    sim_codec_u32(c, &k->forge_ppm);
    sim_codec_u32(c, &k->replay_ppm);
}

static void io_disk(struct sim_codec *c, struct sim_disk_knobs *k)
{
    io_dist(c, &k->sync_latency);
    sim_codec_u64(c, &k->bytes_per_second);
    sim_codec_u64(c, &k->capacity_bytes);
    sim_codec_u32(c, &k->sync_error_ppm);
    sim_codec_u32(c, &k->write_error_ppm);
    sim_codec_u32(c, &k->lie_ppm);
    sim_codec_u32(c, &k->survive_ppm);
    sim_codec_bool(c, &k->survive_any);
    sim_codec_u32(c, &k->torn_ppm);
    sim_codec_u32(c, &k->corrupt_ppm);
}

static void io_host(struct sim_codec *c, struct sim_host_knobs *k)
{
    sim_codec_u64(c, &k->cpu.message_ns);
    sim_codec_u64(c, &k->cpu.byte_ps);
    sim_codec_u64(c, &k->cpu.send_ns);
    sim_codec_u32(c, &k->cpu.speed_ppm);
    sim_codec_u32(c, &k->cpu.backlog_messages);
    sim_codec_i64(c, &k->clock.offset_ns);
    sim_codec_i32(c, &k->clock.drift_ppb);
    sim_codec_u64(c, &k->clock.sync_interval_ns);
    io_dist(c, &k->clock.sync_error);
    sim_codec_u64(c, &k->clock.error_bound_ns);
    sim_codec_u32(c, &k->clock.assumed_drift_ppb);
    sim_codec_bool(c, &k->clock.smear);
    io_disk(c, &k->disk);
    sim_codec_u64(c, &k->egress_bytes_per_second);
    sim_codec_u64(c, &k->egress_queue_bytes);
    sim_codec_u64(c, &k->dns_ttl_ns);
}

static void io_value(struct sim_codec *c, struct sim_value *value)
{
    sim_codec_i64(c, &value->low);
    sim_codec_i64(c, &value->high);
}

/* A kind by name; empty for a client. Settings follow by number, so a kind with another number
 * of them is another version of it. */
static void io_kind(struct sim_codec *c, struct sim_plan_node *node)
{
    char name[SIM_NAME_MAX] = "";
    if (!sim_codec_reads(c) && node->kind) {
        assert(strlen(node->kind->name) < SIM_NAME_MAX);
        memcpy(name, node->kind->name, strlen(node->kind->name));
    }
    sim_codec_name(c, name);
    if (sim_codec_reads(c) && c->status == SIM_OK && name[0]) {
        node->kind = c->find(name);
        if (!node->kind) {
            sim_codec_fail(c, SIM_EINVAL);
        }
    }
    const uint32_t expected = node->kind ? node->kind->setting_count : 0;
    uint32_t count = expected;
    sim_codec_u32(c, &count);
    if (count != expected || count > SIM_SETTINGS_MAX) {
        sim_codec_fail(c, SIM_EINVAL);
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        io_value(c, &node->settings[i]);
    }
}

static void io_node(struct sim_codec *c, struct sim_plan_node *node)
{
    sim_codec_name(c, node->name);
    io_kind(c, node);
    sim_codec_u32(c, &node->group);
    sim_codec_u32(c, &node->zone);
    sim_codec_bool(c, &node->absent);
    io_host(c, &node->host);
    sim_codec_u64(c, &node->bugs);
}

static void io_workload(struct sim_codec *c, struct sim_workload *w)
{
    sim_codec_name(c, w->name);
    sim_codec_u32(c, &w->first_client);
    sim_codec_u32(c, &w->client_count);
    sim_codec_u32(c, &w->target_group);
    sim_codec_bool(c, &w->open_loop);
    io_dist(c, &w->interval);
    for (uint32_t i = 0; i < SIM_FUNCTION_COUNT; i++) {
        sim_codec_u32(c, &w->weight[i]);
    }
    sim_codec_u32(c, &w->key_count);
    sim_codec_u32(c, &w->txn_parts);
    for (uint32_t i = 0; i < SIM_TXN_FUNCTION_COUNT; i++) {
        sim_codec_u32(c, &w->txn_weight[i]);
    }
    sim_codec_u64(c, &w->timeout_ns);
    sim_codec_u32(c, &w->attempts);
    io_dist(c, &w->backoff);
    sim_codec_bool(c, &w->follow_leader);
    sim_codec_bool(c, &w->stick);
    sim_codec_u64(c, &w->start_ns);
    sim_codec_u64(c, &w->stop_ns);
    sim_codec_u64(c, &w->operations);
    sim_codec_bool(c, &w->scripted);
}

static void io_step(struct sim_codec *c, struct sim_script_step *step)
{
    sim_codec_u64(c, &step->at_ns);
    sim_codec_u32(c, &step->client);
    sim_codec_u32(c, &step->server);
    sim_codec_u32(c, &step->function);
    sim_codec_u64(c, &step->key);
    sim_codec_u64(c, &step->value);
    sim_codec_u64(c, &step->expected);
}

static void io_fault(struct sim_codec *c, struct sim_fault *f)
{
    sim_codec_u32(c, &f->kind);
    sim_codec_u64(c, &f->at_ns);
    sim_codec_bool(c, &f->when.present);
    io_selection(c, &f->when.nodes);
    sim_codec_u32(c, &f->when.fact);
    sim_codec_bool(c, &f->when.at_least);
    sim_codec_i64(c, &f->when.wanted);
    sim_codec_u64(c, &f->for_ns);
    sim_codec_u64(c, &f->every_ns);
    sim_codec_u32(c, &f->times);
    io_selection(c, &f->targets);
    io_selection(c, &f->peers);
    sim_codec_u32(c, &f->shape);
    sim_codec_bool(c, &f->one_way);
    io_link(c, &f->link);
    sim_codec_u32(c, &f->disk.fields);
    io_disk(c, &f->disk.knobs);
    sim_codec_u32(c, &f->speed_ppm);
    sim_codec_i64(c, &f->amount);
    sim_codec_u32(c, &f->index);
    io_value(c, &f->value);
    sim_codec_u32(c, &f->administrator);
}

static void io_swarm(struct sim_codec *c, struct sim_swarm_rule *r)
{
    sim_codec_u32(c, &r->family);
    sim_codec_u32(c, &r->off_ppm);
    io_dist(c, &r->interval);
    io_dist(c, &r->length);
    sim_codec_u64(c, &r->length_min_ns);
    sim_codec_u32(c, &r->group);
    sim_codec_u32(c, &r->strength_ppm);
    io_dist(c, &r->amount);
    sim_codec_u32(c, &r->index);
    sim_codec_bool(c, &r->crash_majority);
}

static void io_fate(struct sim_codec *c, struct sim_fate_override *fate)
{
    sim_codec_u32(c, &fate->from);
    sim_codec_u32(c, &fate->to);
    sim_codec_u32(c, &fate->message_kind);
    sim_codec_u32(c, &fate->action);
    sim_codec_u64(c, &fate->ordinal);
    sim_codec_u64(c, &fate->delay_ns);
}

static void io_sizes(struct sim_codec *c, struct sim_plan *plan)
{
    uint64_t magic = MAGIC;
    sim_codec_u64(c, &magic);
    if (magic != MAGIC) {
        sim_codec_fail(c, SIM_EINVAL);
    }
    sim_codec_u64(c, &plan->duration_ns);
    sim_codec_u64(c, &plan->settle_ns);
    sim_codec_u64(c, &plan->seed);
    sim_codec_bool(c, &plan->shuffle_ties);
    sim_codec_u64(c, &plan->max_events);
    uint64_t memory_bytes = plan->memory_bytes;
    sim_codec_u64(c, &memory_bytes);
    if (memory_bytes > SIZE_MAX) {
        sim_codec_fail(c, SIM_EINVAL);
    }
    plan->memory_bytes = (size_t)memory_bytes;
    sim_codec_u64(c, &plan->checks);
}

static void io_zones(struct sim_codec *c, struct sim_plan *plan)
{
    uint32_t count = sim_codec_array(c, &plan->regions, &plan->region_count, SIM_ZONES_MAX,
                                     sizeof *plan->regions, 1);
    for (uint32_t i = 0; i < count; i++) {
        sim_codec_name(c, plan->regions[i]);
    }
    count =
        sim_codec_array(c, &plan->zones, &plan->zone_count, SIM_ZONES_MAX, sizeof *plan->zones, 5);
    for (uint32_t i = 0; i < count; i++) {
        sim_codec_name(c, plan->zones[i].name);
        sim_codec_u32(c, &plan->zones[i].region);
    }
    uint32_t pairs = plan->zone_count * plan->zone_count;
    const uint32_t expected = pairs;
    pairs = sim_codec_array(c, &plan->base_ns, &pairs, expected, sizeof *plan->base_ns, 8);
    for (uint32_t i = 0; i < pairs; i++) {
        sim_codec_u64(c, &plan->base_ns[i]);
    }
    uint32_t prices = expected;
    prices = sim_codec_array(c, &plan->price_nano_per_gb, &prices, expected,
                             sizeof *plan->price_nano_per_gb, 8);
    for (uint32_t i = 0; i < prices; i++) {
        sim_codec_u64(c, &plan->price_nano_per_gb[i]);
    }
    if (pairs != expected || prices != expected) {
        sim_codec_fail(c, SIM_EINVAL);
    }
}

static void io_members(struct sim_codec *c, struct sim_plan *plan)
{
    uint32_t count = sim_codec_array(c, &plan->groups, &plan->group_count, SIM_NODES_MAX,
                                     sizeof *plan->groups, 9);
    for (uint32_t i = 0; i < count; i++) {
        sim_codec_name(c, plan->groups[i].name);
        sim_codec_u32(c, &plan->groups[i].first_node);
        sim_codec_u32(c, &plan->groups[i].node_count);
    }
    count = sim_codec_array(c, &plan->nodes, &plan->node_count, SIM_NODES_MAX, sizeof *plan->nodes,
                            200);
    for (uint32_t i = 0; i < count && c->status == SIM_OK; i++) {
        io_node(c, &plan->nodes[i]);
    }
    count = sim_codec_array(c, &plan->workloads, &plan->workload_count, SIM_NODES_MAX,
                            sizeof *plan->workloads, 100);
    for (uint32_t i = 0; i < count && c->status == SIM_OK; i++) {
        io_workload(c, &plan->workloads[i]);
    }
    count = sim_codec_array(c, &plan->script, &plan->script_count, SIM_SCRIPT_MAX,
                            sizeof *plan->script, 44);
    for (uint32_t i = 0; i < count && c->status == SIM_OK; i++) {
        io_step(c, &plan->script[i]);
    }
}

static void io_rules(struct sim_codec *c, struct sim_plan *plan)
{
    uint32_t count = sim_codec_array(c, &plan->links, &plan->link_count, SIM_LINK_RULES_MAX,
                                     sizeof *plan->links, 100);
    for (uint32_t i = 0; i < count && c->status == SIM_OK; i++) {
        io_selection(c, &plan->links[i].from);
        io_selection(c, &plan->links[i].to);
        sim_codec_bool(c, &plan->links[i].both_ways);
        io_link(c, &plan->links[i].change);
    }
    count = sim_codec_array(c, &plan->administrators, &plan->administrator_count,
                            SIM_ADMINISTRATORS_MAX, sizeof *plan->administrators, 1);
    for (uint32_t i = 0; i < count; i++) {
        sim_codec_name(c, plan->administrators[i]);
    }
    count = sim_codec_array(c, &plan->faults, &plan->fault_count, SIM_FAULTS_MAX,
                            sizeof *plan->faults, 300);
    for (uint32_t i = 0; i < count && c->status == SIM_OK; i++) {
        io_fault(c, &plan->faults[i]);
    }
    count = sim_codec_array(c, &plan->swarm, &plan->swarm_count, SIM_SWARM_RULES_MAX,
                            sizeof *plan->swarm, 100);
    for (uint32_t i = 0; i < count && c->status == SIM_OK; i++) {
        io_swarm(c, &plan->swarm[i]);
    }
    count =
        sim_codec_array(c, &plan->fates, &plan->fate_count, SIM_FATES_MAX, sizeof *plan->fates, 32);
    for (uint32_t i = 0; i < count && c->status == SIM_OK; i++) {
        io_fate(c, &plan->fates[i]);
    }
}

static void io_plan(struct sim_codec *c, struct sim_plan *plan)
{
    io_sizes(c, plan);
    io_zones(c, plan);
    io_members(c, plan);
    io_rules(c, plan);
}

size_t sim_plan_write(const struct sim_plan *plan, uint8_t *bytes, size_t capacity_bytes)
{
    struct sim_codec c = {.out = bytes, .size = bytes ? capacity_bytes : 0, .status = SIM_OK};
    struct sim_plan copy = *plan; /* Not changed, nor what it points to: only read. */
    io_plan(&c, &copy);
    assert(c.status == SIM_OK);
    return c.at;
}

enum sim_status sim_plan_read(struct sim_plan *plan, const uint8_t *bytes, size_t size_bytes,
                              sim_find_kind_fn find)
{
    static const uint8_t nothing[1];
    struct sim_codec c = {
        .in = bytes ? bytes : nothing, .size = size_bytes, .status = SIM_OK, .find = find};
    sim_plan_init(plan);
    io_plan(&c, plan);
    if (c.at != c.size || (c.status == SIM_OK && sim_plan_problem(plan))) {
        sim_codec_fail(&c, SIM_EINVAL);
    }
    if (c.status != SIM_OK) {
        sim_plan_release(plan);
    }
    return c.status;
}
