/* The longest time in which no write was acknowledged, though clients were at work that write.
 *
 * The gap runs from world->last_ack_ns, which moves on when a write is acknowledged, and also when
 * a time without such clients ends: a time off is no outage. */
#include "sim/client_internal.h"

/* Does a session wait for a write? */
static bool write_is_open(const struct sim_world *world)
{
    for (uint32_t node = world->server_count; node < world->node_count; node++) {
        const struct sim_client *client = &world->clients[node - world->server_count];
        if (client->open && !sim_operation_reads(&world->history[client->row].operation)) {
            return true;
        }
    }
    return false;
}

/* Until when clients were at work that write. While settling all are. */
static uint64_t at_work_until_ns(const struct sim_world *world, bool settling)
{
    uint64_t until_ns = write_is_open(world) ? world->now_ns : world->last_ack_ns;
    for (uint32_t i = 0; i < world->plan->workload_count; i++) {
        const struct sim_workload *w = &world->plan->workloads[i];
        if (w->scripted && !settling) {
            continue; /* A step that is not due is not waited for. */
        }
        const bool used_up = w->operations && world->workloads[i].begun >= w->operations;
        const bool to_the_end = settling || w->stop_ns > world->now_ns;
        const uint64_t end_ns = to_the_end ? world->now_ns : w->stop_ns;
        if (sim_workload_writes(w) && (settling || !used_up) && end_ns > until_ns) {
            until_ns = end_ns;
        }
    }
    return until_ns;
}

static void note_gap(struct sim_world *world, uint64_t until_ns)
{
    const uint64_t gap = until_ns - world->last_ack_ns;
    if (gap > world->metrics.longest_gap_ns) {
        world->metrics.longest_gap_ns = gap;
    }
}

/* The longest gap may be the first: it begins with the first workload. */
void sim_client_outage_init(struct sim_world *world)
{
    world->last_ack_ns = SIM_NEVER;
    for (uint32_t i = 0; i < world->plan->workload_count; i++) {
        const uint64_t start_ns = world->plan->workloads[i].start_ns;
        if (start_ns < world->last_ack_ns) {
            world->last_ack_ns = start_ns;
        }
    }
}

/* A script waits until its next step is due: that is a time off unless its last write failed, or
 * somebody else is at work that writes. */
void sim_client_outage_begun(struct sim_world *world)
{
    bool at_work = world->write_failed || write_is_open(world);
    for (uint32_t i = 0; i < world->plan->workload_count; i++) {
        const struct sim_workload *w = &world->plan->workloads[i];
        at_work |= !w->scripted && sim_workload_writes(w) && world->now_ns >= w->start_ns &&
                   sim_client_may_begin(world, i);
    }
    if (!at_work && world->last_ack_ns < world->now_ns) {
        world->last_ack_ns = world->now_ns;
    }
}

void sim_client_outage_acked(struct sim_world *world, const struct sim_history_row *row)
{
    note_gap(world, world->now_ns);
    world->last_ack_ns = world->now_ns;
    world->write_failed = false;
    world->progressed |= world->phase == 1 && row->invoke_event > world->demanded_after;
}

void sim_client_outage_failed(struct sim_world *world)
{
    note_gap(world, world->now_ns);
    world->write_failed = true;
}

void sim_client_outage_settle(struct sim_world *world)
{
    if (sim_clients_write(world)) { /* Those that had stopped begin to wait now. */
        const uint64_t until_ns = at_work_until_ns(world, false);
        note_gap(world, until_ns);
        world->last_ack_ns = until_ns < world->now_ns ? world->now_ns : world->last_ack_ns;
    }
}

void sim_client_outage_finish(struct sim_world *world)
{
    if (sim_clients_write(world) && world->phase < 2) {
        note_gap(world, at_work_until_ns(world, world->phase == 1));
    }
}
