#include "sim/plan.h"

#include <stdlib.h>

const char *const sim_fact_is_node[] = {NULL};

void sim_plan_init(struct sim_plan *plan)
{
    memset(plan, 0, sizeof *plan);
    plan->seed = 1;
    plan->memory_bytes = (size_t)256 << 20; /* Pages are touched only when used. */
}

void sim_plan_release(struct sim_plan *plan)
{
    if (!plan) {
        return;
    }
    free(plan->zones);
    free(plan->regions);
    free(plan->base_ns);
    free(plan->price_nano_per_gb);
    free(plan->groups);
    free(plan->nodes);
    free(plan->workloads);
    free(plan->script);
    free(plan->links);
    free(plan->administrators);
    free(plan->faults);
    free(plan->swarm);
    free(plan->fates);
    memset(plan, 0, sizeof *plan);
}

/* A copy of an array at the same place of another plan. `array_pointer` is the address of the
 * copy's pointer, which still is the original's. */
static bool copy_array(void *array_pointer, size_t count, size_t element_bytes)
{
    void *original;
    memcpy(&original, array_pointer, sizeof original);
    void *copy = count > 0 && original ? malloc(count * element_bytes) : NULL;
    if (copy) {
        memcpy(copy, original, count * element_bytes);
    }
    memcpy(array_pointer, &copy, sizeof copy);
    return copy || count == 0 || !original;
}

enum sim_status sim_plan_copy(struct sim_plan *copy, const struct sim_plan *plan)
{
    const size_t pairs = (size_t)plan->zone_count * plan->zone_count;
    *copy = *plan;
    bool whole = copy_array(&copy->zones, plan->zone_count, sizeof *plan->zones);
    whole = copy_array(&copy->regions, plan->region_count, sizeof *plan->regions) && whole;
    whole = copy_array(&copy->base_ns, pairs, sizeof *plan->base_ns) && whole;
    whole = copy_array(&copy->price_nano_per_gb, pairs, sizeof *plan->price_nano_per_gb) && whole;
    whole = copy_array(&copy->groups, plan->group_count, sizeof *plan->groups) && whole;
    whole = copy_array(&copy->nodes, plan->node_count, sizeof *plan->nodes) && whole;
    whole = copy_array(&copy->workloads, plan->workload_count, sizeof *plan->workloads) && whole;
    whole = copy_array(&copy->script, plan->script_count, sizeof *plan->script) && whole;
    whole = copy_array(&copy->links, plan->link_count, sizeof *plan->links) && whole;
    whole = copy_array(&copy->administrators, plan->administrator_count,
                       sizeof *plan->administrators) &&
            whole;
    whole = copy_array(&copy->faults, plan->fault_count, sizeof *plan->faults) && whole;
    whole = copy_array(&copy->swarm, plan->swarm_count, sizeof *plan->swarm) && whole;
    whole = copy_array(&copy->fates, plan->fate_count, sizeof *plan->fates) && whole;
    if (!whole) {
        sim_plan_release(copy); /* Every pointer is the copy's own by now, or NULL. */
        return SIM_ENOMEM;
    }
    return SIM_OK;
}

bool sim_selector_moves(uint32_t kind)
{
    switch (kind) {
    case SIM_SELECT_LEADER:
    case SIM_SELECT_FOLLOWER:
    case SIM_SELECT_ANY:
    case SIM_SELECT_FOLLOWERS:
    case SIM_SELECT_MINORITY:
        return true;
    default:
        return false;
    }
}

bool sim_fault_can_end(uint32_t kind)
{
    switch (kind) {
    case SIM_FAULT_RESTART:
    case SIM_FAULT_CLOCK_STEP:
    case SIM_FAULT_CLOCK_SYNC:
    case SIM_FAULT_READDRESS:
    case SIM_FAULT_COMMAND:
    case SIM_FAULT_HEAL:
    case SIM_FAULT_SCALE:
        return false;
    default:
        return kind < SIM_FAULT_KIND_COUNT;
    }
}

void sim_host_knobs_init(struct sim_host_knobs *knobs)
{
    memset(knobs, 0, sizeof *knobs);
    knobs->cpu.speed_ppm = SIM_PPM;
    /* A consumer's NVMe without power-loss protection takes 0.89 ms for a 16 KB fsync (Callaghan,
     * Small Datum, 2026); etcd's hardware guide expects under 1 ms of any SSD. */
    knobs->disk.sync_latency.kind = SIM_DIST_CONSTANT;
    knobs->disk.sync_latency.a = SIM_MS;
}

void sim_link_knobs_init(struct sim_link_knobs *knobs)
{
    memset(knobs, 0, sizeof *knobs);
    knobs->jitter.kind = SIM_DIST_CONSTANT;
    knobs->jitter.a = SIM_PPM;
    knobs->use_base = 1;
    knobs->queue_policy = SIM_QUEUE_TAIL;
    knobs->transport = SIM_TRANSPORT_KIND;
}

static void apply_link_field(struct sim_link_knobs *knobs, const struct sim_link_knobs *from,
                             enum sim_link_field field)
{
    switch (field) {
    case SIM_LINK_LATENCY:
        knobs->latency = from->latency;
        break;
    case SIM_LINK_JITTER:
        knobs->jitter = from->jitter;
        break;
    case SIM_LINK_USE_BASE:
        knobs->use_base = from->use_base;
        break;
    case SIM_LINK_LOSS:
        knobs->loss_ppm = from->loss_ppm;
        break;
    case SIM_LINK_BURST:
        knobs->burst_enter_ppm = from->burst_enter_ppm;
        knobs->burst_leave_ppm = from->burst_leave_ppm;
        knobs->burst_loss_ppm = from->burst_loss_ppm;
        break;
    case SIM_LINK_DUPLICATE:
        knobs->duplicate_ppm = from->duplicate_ppm;
        break;
    case SIM_LINK_REORDER:
        knobs->reorder_ppm = from->reorder_ppm;
        knobs->reorder_delay = from->reorder_delay;
        break;
    case SIM_LINK_CORRUPT:
        knobs->corrupt_ppm = from->corrupt_ppm;
        break;
    case SIM_LINK_RATE:
        knobs->bytes_per_second = from->bytes_per_second;
        break;
    case SIM_LINK_QUEUE:
        knobs->queue_bytes = from->queue_bytes;
        knobs->queue_policy = from->queue_policy;
        break;
    case SIM_LINK_MTU:
        knobs->mtu_bytes = from->mtu_bytes;
        break;
    case SIM_LINK_TRANSPORT:
        knobs->transport = from->transport;
        break;
    case SIM_LINK_PRICE:
        knobs->price_nano_per_gb = from->price_nano_per_gb;
        break;
    case SIM_LINK_AUTHENTICATED:
        knobs->authenticated = from->authenticated;
        break;
    case SIM_LINK_ADVERSARY:
        knobs->eavesdrop = from->eavesdrop;
        knobs->tamper_ppm = from->tamper_ppm;
        knobs->forge_ppm = from->forge_ppm;
        knobs->replay_ppm = from->replay_ppm;
        break;
    case SIM_LINK_FIELD_COUNT:
        break;
    }
}

void sim_link_knobs_apply(struct sim_link_knobs *knobs, const struct sim_link_change *change)
{
    for (uint32_t field = 0; field < SIM_LINK_FIELD_COUNT; field++) {
        if (change->fields >> field & 1) {
            apply_link_field(knobs, &change->knobs, (enum sim_link_field)field);
        }
    }
}

static void apply_disk_field(struct sim_disk_knobs *knobs, const struct sim_disk_knobs *from,
                             enum sim_disk_field field)
{
    switch (field) {
    case SIM_DISK_LATENCY:
        knobs->sync_latency = from->sync_latency;
        break;
    case SIM_DISK_RATE:
        knobs->bytes_per_second = from->bytes_per_second;
        break;
    case SIM_DISK_CAPACITY:
        knobs->capacity_bytes = from->capacity_bytes;
        break;
    case SIM_DISK_SYNC_ERROR:
        knobs->sync_error_ppm = from->sync_error_ppm;
        break;
    case SIM_DISK_WRITE_ERROR:
        knobs->write_error_ppm = from->write_error_ppm;
        break;
    case SIM_DISK_LIE:
        knobs->lie_ppm = from->lie_ppm;
        break;
    case SIM_DISK_SURVIVE:
        knobs->survive_ppm = from->survive_ppm;
        knobs->survive_any = from->survive_any;
        break;
    case SIM_DISK_TORN:
        knobs->torn_ppm = from->torn_ppm;
        break;
    case SIM_DISK_CORRUPT:
        knobs->corrupt_ppm = from->corrupt_ppm;
        break;
    case SIM_DISK_FIELD_COUNT:
        break;
    }
}

void sim_disk_knobs_apply(struct sim_disk_knobs *knobs, const struct sim_disk_change *change)
{
    for (uint32_t field = 0; field < SIM_DISK_FIELD_COUNT; field++) {
        if (change->fields >> field & 1) {
            apply_disk_field(knobs, &change->knobs, (enum sim_disk_field)field);
        }
    }
}

const char *sim_fault_kind_name(uint32_t kind)
{
    static const char *const names[SIM_FAULT_KIND_COUNT] = {
        [SIM_FAULT_CRASH] = "crash",
        [SIM_FAULT_RESTART] = "restart",
        [SIM_FAULT_PAUSE] = "pause",
        [SIM_FAULT_SLOW] = "slow",
        [SIM_FAULT_PARTITION] = "partition",
        [SIM_FAULT_LINK] = "link",
        [SIM_FAULT_DISK] = "disk",
        [SIM_FAULT_WIPE] = "wipe",
        [SIM_FAULT_CLOCK_STEP] = "clock_step",
        [SIM_FAULT_CLOCK_DRIFT] = "clock_drift",
        [SIM_FAULT_CLOCK_SYNC] = "clock_sync",
        [SIM_FAULT_JOIN] = "join",
        [SIM_FAULT_LEAVE] = "leave",
        [SIM_FAULT_MOVE] = "move",
        [SIM_FAULT_READDRESS] = "readdress",
        [SIM_FAULT_ADMIN_SET] = "admin",
        [SIM_FAULT_FIREWALL] = "firewall",
        [SIM_FAULT_COMMAND] = "command",
        [SIM_FAULT_HEAL] = "heal",
        [SIM_FAULT_SCALE] = "scale",
    };
    return kind < SIM_FAULT_KIND_COUNT ? names[kind] : "unknown";
}

const char *sim_swarm_family_name(uint32_t family)
{
    static const char *const names[SIM_SWARM_FAMILY_COUNT] = {
        [SIM_SWARM_CRASH] = "crash",
        [SIM_SWARM_PAUSE] = "pause",
        [SIM_SWARM_SLOW] = "slow",
        [SIM_SWARM_ISOLATE] = "isolate",
        [SIM_SWARM_HALVES] = "halves",
        [SIM_SWARM_ONE_WAY] = "one_way",
        [SIM_SWARM_BRIDGE] = "bridge",
        [SIM_SWARM_RING] = "ring",
        [SIM_SWARM_PARTIAL] = "partial",
        [SIM_SWARM_LOSS] = "loss",
        [SIM_SWARM_DELAY] = "delay",
        [SIM_SWARM_DUPLICATE] = "duplicate",
        [SIM_SWARM_REORDER] = "reorder",
        [SIM_SWARM_CORRUPT] = "corrupt",
        [SIM_SWARM_DISK_SLOW] = "disk_slow",
        [SIM_SWARM_DISK_ERROR] = "disk_error",
        [SIM_SWARM_DISK_LIE] = "disk_lie",
        [SIM_SWARM_CLOCK_DRIFT] = "clock_drift",
        [SIM_SWARM_CLOCK_STEP] = "clock_step",
        [SIM_SWARM_COMMAND] = "command",
    };
    return family < SIM_SWARM_FAMILY_COUNT ? names[family] : "unknown";
}
