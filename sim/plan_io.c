/* The neutral form of a plan. One function for each structure serves both directions, so that
 * writer and reader cannot drift apart:
 *
 *     "FALPLAN" version | sizes and times | zones | groups | nodes | workloads | script | links |
 *     administrators | faults | swarm | fates
 *
 * Integers are little-endian, of 1, 4 or 8 bytes; a name is its length and its bytes; an array
 * is its count and its elements; a distribution has only the parts it uses. */
#include "sim/plan.h"

#include <stdlib.h>

#define MAGIC UINT64_C(0x044e414c504c4146) /* "FALPLAN", version 4 */

struct io {
    uint8_t *out;      /* Writing: may be NULL to count only. */
    const uint8_t *in; /* Reading, else NULL. */
    size_t at;         /* Bytes done. */
    size_t size;       /* Of out or in. */
    enum sim_status status;
    sim_find_kind_fn find;
};

static bool reading(const struct io *io)
{
    return io->in != NULL;
}

static void fail(struct io *io, enum sim_status status)
{
    if (io->status == SIM_OK) {
        io->status = status;
    }
}

/* The next `count` bytes to read; NULL at the end or after an error. */
static const uint8_t *take(struct io *io, size_t count)
{
    if (io->status != SIM_OK || count > io->size - io->at) {
        fail(io, SIM_EINVAL);
        return NULL;
    }
    const uint8_t *p = io->in + io->at;
    io->at += count;
    return p;
}

/* Where the next `count` bytes go; NULL if they do not fit any more. */
static uint8_t *give(struct io *io, size_t count)
{
    uint8_t *p = io->out && io->at + count <= io->size ? io->out + io->at : NULL;
    io->at += count;
    return p;
}

static void io_u64(struct io *io, uint64_t *value)
{
    if (reading(io)) {
        const uint8_t *p = take(io, 8);
        *value = p ? sim_get64(p) : 0;
        return;
    }
    uint8_t *p = give(io, 8);
    if (p) {
        sim_put64(p, *value);
    }
}

static void io_u32(struct io *io, uint32_t *value)
{
    if (reading(io)) {
        const uint8_t *p = take(io, 4);
        *value = p ? sim_get32(p) : 0;
        return;
    }
    uint8_t *p = give(io, 4);
    if (p) {
        sim_put32(p, *value);
    }
}

static void io_u8(struct io *io, uint8_t *value)
{
    if (reading(io)) {
        const uint8_t *p = take(io, 1);
        *value = p ? *p : 0;
        return;
    }
    uint8_t *p = give(io, 1);
    if (p) {
        *p = *value;
    }
}

static void io_bool(struct io *io, bool *value)
{
    uint8_t byte = *value;
    io_u8(io, &byte);
    if (byte > 1) {
        fail(io, SIM_EINVAL);
    }
    *value = byte == 1;
}

/* Two's complement on every target, converted without overflow. */
static void io_i64(struct io *io, int64_t *value)
{
    uint64_t bits = (uint64_t)*value;
    io_u64(io, &bits);
    *value = bits <= INT64_MAX ? (int64_t)bits : -(int64_t)(UINT64_MAX - bits) - 1;
}

static void io_i32(struct io *io, int32_t *value)
{
    int64_t wide = *value;
    io_i64(io, &wide);
    if (wide < INT32_MIN || wide > INT32_MAX) {
        fail(io, SIM_EINVAL);
        wide = 0;
    }
    *value = (int32_t)wide;
}

static void io_name(struct io *io, char name[SIM_NAME_MAX])
{
    uint8_t length = reading(io) ? 0 : (uint8_t)strlen(name);
    io_u8(io, &length);
    if (!reading(io)) {
        uint8_t *p = give(io, length);
        if (p) {
            memcpy(p, name, length);
        }
        return;
    }
    const uint8_t *p = length < SIM_NAME_MAX ? take(io, length) : NULL;
    if (!p || memchr(p, '\0', length)) {
        fail(io, SIM_EINVAL);
        return;
    }
    memset(name, 0, SIM_NAME_MAX);
    memcpy(name, p, length);
}

/* The count of an array and, when reading, its zeroed elements. An element takes at least
 * `encoded_min` bytes, so a false count cannot ask for much more memory than there is input. */
static uint32_t io_array(struct io *io, void *array_pointer, uint32_t *count, uint32_t limit,
                         size_t element_bytes, size_t encoded_min)
{
    io_u32(io, count);
    if (!reading(io)) {
        return *count;
    }
    if (*count > limit || *count > (io->size - io->at) / encoded_min) {
        fail(io, SIM_EINVAL);
    }
    if (io->status != SIM_OK) {
        *count = 0;
    }
    if (*count == 0) {
        return 0;
    }
    void *array = calloc(*count, element_bytes);
    if (!array) {
        fail(io, SIM_ENOMEM);
        *count = 0;
        return 0;
    }
    memcpy(array_pointer, &array, sizeof array);
    return *count;
}

static void io_dist(struct io *io, struct sim_dist *dist)
{
    io_u32(io, &dist->kind);
    io_u32(io, &dist->count);
    io_u64(io, &dist->a);
    io_u64(io, &dist->b);
    io_u64(io, &dist->cap);
    const uint32_t limit = dist->kind == SIM_DIST_MIXTURE     ? SIM_DIST_PARTS_MAX
                           : dist->kind == SIM_DIST_QUANTILES ? SIM_DIST_POINTS_MAX
                                                              : 0;
    if (dist->count > limit) {
        fail(io, SIM_EINVAL);
        return;
    }
    for (uint32_t i = 0; i < dist->count && dist->kind == SIM_DIST_MIXTURE; i++) {
        struct sim_dist_part *part = &dist->parts[i];
        io_u32(io, &part->weight_ppm);
        io_u32(io, &part->kind);
        io_u64(io, &part->a);
        io_u64(io, &part->b);
    }
    for (uint32_t i = 0; i < dist->count && dist->kind == SIM_DIST_QUANTILES; i++) {
        io_u32(io, &dist->points[i].ppb);
        io_u64(io, &dist->points[i].value);
    }
}

static void io_selection(struct io *io, struct sim_selection *selection)
{
    io_u32(io, &selection->count);
    if (selection->count > SIM_SELECTORS_MAX) {
        fail(io, SIM_EINVAL);
        return;
    }
    for (uint32_t i = 0; i < selection->count; i++) {
        io_u32(io, &selection->selectors[i].kind);
        io_u32(io, &selection->selectors[i].index);
    }
}

static void io_link(struct io *io, struct sim_link_change *change)
{
    struct sim_link_knobs *k = &change->knobs;
    io_u32(io, &change->fields);
    io_dist(io, &k->latency);
    io_dist(io, &k->jitter);
    io_u32(io, &k->use_base);
    io_u32(io, &k->loss_ppm);
    io_u32(io, &k->burst_enter_ppm);
    io_u32(io, &k->burst_leave_ppm);
    io_u32(io, &k->burst_loss_ppm);
    io_u32(io, &k->duplicate_ppm);
    io_u32(io, &k->reorder_ppm);
    io_dist(io, &k->reorder_delay);
    io_u32(io, &k->corrupt_ppm);
    io_u64(io, &k->bytes_per_second);
    io_u64(io, &k->queue_bytes);
    io_u32(io, &k->queue_policy);
    io_u32(io, &k->mtu_bytes);
    io_u32(io, &k->transport);
    io_u64(io, &k->price_nano_per_gb);
    io_u32(io, &k->authenticated);
    io_u32(io, &k->eavesdrop);
    io_u32(io, &k->tamper_ppm);
    io_u32(io, &k->forge_ppm);
    io_u32(io, &k->replay_ppm);
}

static void io_disk(struct io *io, struct sim_disk_knobs *k)
{
    io_dist(io, &k->sync_latency);
    io_u64(io, &k->bytes_per_second);
    io_u64(io, &k->capacity_bytes);
    io_u32(io, &k->sync_error_ppm);
    io_u32(io, &k->write_error_ppm);
    io_u32(io, &k->lie_ppm);
    io_u32(io, &k->survive_ppm);
    io_bool(io, &k->survive_any);
    io_u32(io, &k->torn_ppm);
    io_u32(io, &k->corrupt_ppm);
}

static void io_host(struct io *io, struct sim_host_knobs *k)
{
    io_u64(io, &k->cpu.message_ns);
    io_u64(io, &k->cpu.byte_ps);
    io_u64(io, &k->cpu.send_ns);
    io_u32(io, &k->cpu.speed_ppm);
    io_u32(io, &k->cpu.backlog_messages);
    io_i64(io, &k->clock.offset_ns);
    io_i32(io, &k->clock.drift_ppb);
    io_u64(io, &k->clock.sync_interval_ns);
    io_dist(io, &k->clock.sync_error);
    io_u64(io, &k->clock.error_bound_ns);
    io_u32(io, &k->clock.assumed_drift_ppb);
    io_bool(io, &k->clock.smear);
    io_disk(io, &k->disk);
    io_u64(io, &k->egress_bytes_per_second);
    io_u64(io, &k->egress_queue_bytes);
    io_u64(io, &k->dns_ttl_ns);
}

static void io_value(struct io *io, struct sim_value *value)
{
    io_i64(io, &value->low);
    io_i64(io, &value->high);
}

/* A kind by name; empty for a client. Settings follow by number, so a kind with another number
 * of them is another version of it. */
static void io_kind(struct io *io, struct sim_plan_node *node)
{
    char name[SIM_NAME_MAX] = "";
    if (!reading(io) && node->kind) {
        assert(strlen(node->kind->name) < SIM_NAME_MAX);
        memcpy(name, node->kind->name, strlen(node->kind->name));
    }
    io_name(io, name);
    if (reading(io) && io->status == SIM_OK && name[0]) {
        node->kind = io->find(name);
        if (!node->kind) {
            fail(io, SIM_EINVAL);
        }
    }
    const uint32_t expected = node->kind ? node->kind->setting_count : 0;
    uint32_t count = expected;
    io_u32(io, &count);
    if (count != expected || count > SIM_SETTINGS_MAX) {
        fail(io, SIM_EINVAL);
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        io_value(io, &node->settings[i]);
    }
}

static void io_node(struct io *io, struct sim_plan_node *node)
{
    io_name(io, node->name);
    io_kind(io, node);
    io_u32(io, &node->group);
    io_u32(io, &node->zone);
    io_bool(io, &node->absent);
    io_host(io, &node->host);
    io_u64(io, &node->bugs);
}

static void io_workload(struct io *io, struct sim_workload *w)
{
    io_name(io, w->name);
    io_u32(io, &w->first_client);
    io_u32(io, &w->client_count);
    io_u32(io, &w->target_group);
    io_bool(io, &w->open_loop);
    io_dist(io, &w->interval);
    for (uint32_t i = 0; i < SIM_FUNCTION_COUNT; i++) {
        io_u32(io, &w->weight[i]);
    }
    io_u32(io, &w->key_count);
    io_u32(io, &w->txn_parts);
    for (uint32_t i = 0; i < SIM_TXN_FUNCTION_COUNT; i++) {
        io_u32(io, &w->txn_weight[i]);
    }
    io_u64(io, &w->timeout_ns);
    io_u32(io, &w->attempts);
    io_dist(io, &w->backoff);
    io_bool(io, &w->follow_leader);
    io_bool(io, &w->stick);
    io_u64(io, &w->start_ns);
    io_u64(io, &w->stop_ns);
    io_u64(io, &w->operations);
    io_bool(io, &w->scripted);
}

static void io_step(struct io *io, struct sim_script_step *step)
{
    io_u64(io, &step->at_ns);
    io_u32(io, &step->client);
    io_u32(io, &step->server);
    io_u32(io, &step->function);
    io_u64(io, &step->key);
    io_u64(io, &step->value);
    io_u64(io, &step->expected);
}

static void io_fault(struct io *io, struct sim_fault *f)
{
    io_u32(io, &f->kind);
    io_u64(io, &f->at_ns);
    io_bool(io, &f->when.present);
    io_selection(io, &f->when.nodes);
    io_u32(io, &f->when.fact);
    io_bool(io, &f->when.at_least);
    io_i64(io, &f->when.wanted);
    io_u64(io, &f->for_ns);
    io_u64(io, &f->every_ns);
    io_u32(io, &f->times);
    io_selection(io, &f->targets);
    io_selection(io, &f->peers);
    io_u32(io, &f->shape);
    io_bool(io, &f->one_way);
    io_link(io, &f->link);
    io_u32(io, &f->disk.fields);
    io_disk(io, &f->disk.knobs);
    io_u32(io, &f->speed_ppm);
    io_i64(io, &f->amount);
    io_u32(io, &f->index);
    io_value(io, &f->value);
    io_u32(io, &f->administrator);
}

static void io_swarm(struct io *io, struct sim_swarm_rule *r)
{
    io_u32(io, &r->family);
    io_u32(io, &r->off_ppm);
    io_dist(io, &r->interval);
    io_dist(io, &r->length);
    io_u64(io, &r->length_min_ns);
    io_u32(io, &r->group);
    io_u32(io, &r->strength_ppm);
    io_dist(io, &r->amount);
    io_u32(io, &r->index);
    io_bool(io, &r->crash_majority);
}

static void io_fate(struct io *io, struct sim_fate_override *fate)
{
    io_u32(io, &fate->from);
    io_u32(io, &fate->to);
    io_u32(io, &fate->message_kind);
    io_u32(io, &fate->action);
    io_u64(io, &fate->ordinal);
    io_u64(io, &fate->delay_ns);
}

static void io_sizes(struct io *io, struct sim_plan *plan)
{
    uint64_t magic = MAGIC;
    io_u64(io, &magic);
    if (magic != MAGIC) {
        fail(io, SIM_EINVAL);
    }
    io_u64(io, &plan->duration_ns);
    io_u64(io, &plan->settle_ns);
    io_u64(io, &plan->seed);
    io_bool(io, &plan->shuffle_ties);
    io_u64(io, &plan->max_events);
    uint64_t memory_bytes = plan->memory_bytes;
    io_u64(io, &memory_bytes);
    if (memory_bytes > SIZE_MAX) {
        fail(io, SIM_EINVAL);
    }
    plan->memory_bytes = (size_t)memory_bytes;
    io_u64(io, &plan->checks);
}

static void io_zones(struct io *io, struct sim_plan *plan)
{
    uint32_t count =
        io_array(io, &plan->regions, &plan->region_count, SIM_ZONES_MAX, sizeof *plan->regions, 1);
    for (uint32_t i = 0; i < count; i++) {
        io_name(io, plan->regions[i]);
    }
    count = io_array(io, &plan->zones, &plan->zone_count, SIM_ZONES_MAX, sizeof *plan->zones, 5);
    for (uint32_t i = 0; i < count; i++) {
        io_name(io, plan->zones[i].name);
        io_u32(io, &plan->zones[i].region);
    }
    uint32_t pairs = plan->zone_count * plan->zone_count;
    const uint32_t expected = pairs;
    pairs = io_array(io, &plan->base_ns, &pairs, expected, sizeof *plan->base_ns, 8);
    for (uint32_t i = 0; i < pairs; i++) {
        io_u64(io, &plan->base_ns[i]);
    }
    uint32_t prices = expected;
    prices = io_array(io, &plan->price_nano_per_gb, &prices, expected,
                      sizeof *plan->price_nano_per_gb, 8);
    for (uint32_t i = 0; i < prices; i++) {
        io_u64(io, &plan->price_nano_per_gb[i]);
    }
    if (pairs != expected || prices != expected) {
        fail(io, SIM_EINVAL);
    }
}

static void io_members(struct io *io, struct sim_plan *plan)
{
    uint32_t count =
        io_array(io, &plan->groups, &plan->group_count, SIM_NODES_MAX, sizeof *plan->groups, 9);
    for (uint32_t i = 0; i < count; i++) {
        io_name(io, plan->groups[i].name);
        io_u32(io, &plan->groups[i].first_node);
        io_u32(io, &plan->groups[i].node_count);
    }
    count = io_array(io, &plan->nodes, &plan->node_count, SIM_NODES_MAX, sizeof *plan->nodes, 200);
    for (uint32_t i = 0; i < count && io->status == SIM_OK; i++) {
        io_node(io, &plan->nodes[i]);
    }
    count = io_array(io, &plan->workloads, &plan->workload_count, SIM_NODES_MAX,
                     sizeof *plan->workloads, 100);
    for (uint32_t i = 0; i < count && io->status == SIM_OK; i++) {
        io_workload(io, &plan->workloads[i]);
    }
    count =
        io_array(io, &plan->script, &plan->script_count, SIM_SCRIPT_MAX, sizeof *plan->script, 44);
    for (uint32_t i = 0; i < count && io->status == SIM_OK; i++) {
        io_step(io, &plan->script[i]);
    }
}

static void io_rules(struct io *io, struct sim_plan *plan)
{
    uint32_t count =
        io_array(io, &plan->links, &plan->link_count, SIM_LINK_RULES_MAX, sizeof *plan->links, 100);
    for (uint32_t i = 0; i < count && io->status == SIM_OK; i++) {
        io_selection(io, &plan->links[i].from);
        io_selection(io, &plan->links[i].to);
        io_bool(io, &plan->links[i].both_ways);
        io_link(io, &plan->links[i].change);
    }
    count = io_array(io, &plan->administrators, &plan->administrator_count, SIM_ADMINISTRATORS_MAX,
                     sizeof *plan->administrators, 1);
    for (uint32_t i = 0; i < count; i++) {
        io_name(io, plan->administrators[i]);
    }
    count =
        io_array(io, &plan->faults, &plan->fault_count, SIM_FAULTS_MAX, sizeof *plan->faults, 300);
    for (uint32_t i = 0; i < count && io->status == SIM_OK; i++) {
        io_fault(io, &plan->faults[i]);
    }
    count = io_array(io, &plan->swarm, &plan->swarm_count, SIM_SWARM_RULES_MAX, sizeof *plan->swarm,
                     100);
    for (uint32_t i = 0; i < count && io->status == SIM_OK; i++) {
        io_swarm(io, &plan->swarm[i]);
    }
    count = io_array(io, &plan->fates, &plan->fate_count, SIM_FATES_MAX, sizeof *plan->fates, 32);
    for (uint32_t i = 0; i < count && io->status == SIM_OK; i++) {
        io_fate(io, &plan->fates[i]);
    }
}

static void io_plan(struct io *io, struct sim_plan *plan)
{
    io_sizes(io, plan);
    io_zones(io, plan);
    io_members(io, plan);
    io_rules(io, plan);
}

size_t sim_plan_write(const struct sim_plan *plan, uint8_t *bytes, size_t capacity_bytes)
{
    struct io io = {.out = bytes, .size = bytes ? capacity_bytes : 0, .status = SIM_OK};
    struct sim_plan copy = *plan; /* Not changed, nor what it points to: only read. */
    io_plan(&io, &copy);
    assert(io.status == SIM_OK);
    return io.at;
}

enum sim_status sim_plan_read(struct sim_plan *plan, const uint8_t *bytes, size_t size_bytes,
                              sim_find_kind_fn find)
{
    static const uint8_t nothing[1];
    struct io io = {
        .in = bytes ? bytes : nothing, .size = size_bytes, .status = SIM_OK, .find = find};
    sim_plan_init(plan);
    io_plan(&io, plan);
    if (io.at != io.size || (io.status == SIM_OK && sim_plan_problem(plan))) {
        fail(&io, SIM_EINVAL);
    }
    if (io.status != SIM_OK) {
        sim_plan_release(plan);
    }
    return io.status;
}
