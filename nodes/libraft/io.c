/* The library's window on the world: struct raft_io over the effects of sim/node.h. The disk
 * has files of its own: journal.c writes, load.c reads back. */
#include "nodes/libraft/storage.h"

struct libraft_deferred {
    struct libraft_deferred *next;
    struct raft_io_send *send;
    raft_io_send_cb send_cb;
    struct raft_io_snapshot_get *get; /* NULL: a send. */
    raft_io_snapshot_get_cb get_cb;
};

struct libraft_held {
    struct libraft_held *next;
    uint32_t to;
    uint32_t kind;
    uint32_t size_bytes;
    uint8_t bytes[];
};

static struct libraft_node *node_of(const struct raft_io *io)
{
    return io->impl;
}

/* ---- Snapshots ---------------------------------------------------------------------------- */

static struct libraft_deferred *defer(struct libraft_node *node)
{
    struct libraft_deferred *deferred = sim_alloc(node->env, sizeof *deferred);
    if (!deferred) {
        return NULL;
    }
    if (node->deferred_last) {
        node->deferred_last->next = deferred;
    } else {
        node->deferred_first = deferred;
    }
    node->deferred_last = deferred;
    return deferred;
}

static int io_snapshot_get(struct raft_io *io, struct raft_io_snapshot_get *request,
                           raft_io_snapshot_get_cb cb)
{
    struct libraft_deferred *deferred = defer(node_of(io));
    if (!deferred) {
        return RAFT_NOMEM;
    }
    deferred->get = request;
    deferred->get_cb = cb;
    return 0;
}

static void hand_over_snapshot(struct libraft_node *node, const struct libraft_deferred *deferred)
{
    struct raft_snapshot *snapshot = NULL;
    const int status = libraft_load_snapshot(node, &snapshot);
    deferred->get_cb(deferred->get, snapshot, snapshot ? 0 : status != 0 ? status : RAFT_NOTFOUND);
}

/* ---- Messages ----------------------------------------------------------------------------- */

static int hold(struct libraft_node *node, uint32_t to, uint32_t kind, const uint8_t *bytes,
                uint32_t size_bytes)
{
    struct libraft_held *held = sim_alloc(node->env, sizeof *held + size_bytes);
    if (!held) {
        return RAFT_NOMEM;
    }
    held->to = to;
    held->kind = kind;
    held->size_bytes = size_bytes;
    memcpy(held->bytes, bytes, size_bytes);
    if (node->held_last) {
        node->held_last->next = held;
    } else {
        node->held_first = held;
    }
    node->held_last = held;
    return 0;
}

/* The network's copy is made here, so the library could have its request back at once. But
 * it expects the callback later, never from inside this call. */
static int io_send(struct raft_io *io, struct raft_io_send *request,
                   const struct raft_message *message, raft_io_send_cb cb)
{
    struct libraft_node *node = node_of(io);
    const uint32_t to = libraft_number_of(node, message->server_id);
    if (to == SIM_NOBODY || to == sim_self(node->env)) {
        return RAFT_NOCONNECTION;
    }
    const size_t size_bytes = libraft_message_bytes(message);
    uint8_t *bytes = libraft_scratch(node, size_bytes);
    struct libraft_deferred *deferred = bytes && cb ? defer(node) : NULL;
    if (!bytes || (cb && !deferred)) {
        return RAFT_NOMEM;
    }
    if (deferred) { /* Without a callback the request may be gone before the event ends. */
        deferred->send = request;
        deferred->send_cb = cb;
    }
    libraft_message_encode(message, bytes);
    if (message->type == RAFT_IO_TIMEOUT_NOW) {
        sim_handed_over(node->env, to);
    }
    const uint32_t kind = message->type - 1u;
    if (node->held_first || !libraft_hard_is_durable(node)) {
        return hold(node, to, kind, bytes, (uint32_t)size_bytes);
    }
    sim_send(node->env, to, kind, bytes, (uint32_t)size_bytes);
    return 0;
}

static void release_held(struct libraft_node *node)
{
    while (node->held_first && libraft_hard_is_durable(node)) {
        struct libraft_held *held = node->held_first;
        node->held_first = held->next;
        if (!held->next) {
            node->held_last = NULL;
        }
        sim_send(node->env, held->to, held->kind, held->bytes, held->size_bytes);
        sim_release(node->env, held);
    }
}

static bool run_deferred(struct libraft_node *node)
{
    struct libraft_deferred *deferred = node->deferred_first;
    if (!deferred) {
        return false;
    }
    node->deferred_first = deferred->next;
    if (!deferred->next) {
        node->deferred_last = NULL;
    }
    if (deferred->get) {
        hand_over_snapshot(node, deferred);
    } else {
        deferred->send_cb(deferred->send, 0);
    }
    sim_release(node->env, deferred);
    return true;
}

void libraft_io_message(struct libraft_node *node, const struct sim_event *event)
{
    struct raft_message message;
    const raft_id from = libraft_id_of(node, event->from);
    if (from == 0 || !node->recv ||
        !libraft_message_decode(&message, event->message_kind, event->data, event->size_bytes)) {
        return;
    }
    char address[LIBRAFT_ADDRESS_MAX];
    libraft_address(event->from, address);
    message.server_id = from;
    message.server_address = address;
    node->recv(&node->io, &message);
}

/* ---- Time and chance ---------------------------------------------------------------------- */

#define TICK 0 /* The only timer. */

static int io_start(struct raft_io *io, unsigned msecs, raft_io_tick_cb tick, raft_io_recv_cb recv)
{
    struct libraft_node *node = node_of(io);
    node->tick = tick;
    node->recv = recv;
    node->tick_ms = msecs;
    sim_timer_set(node->env, TICK, msecs * SIM_MS);
    return 0;
}

void libraft_io_tick(struct libraft_node *node)
{
    sim_timer_set(node->env, TICK, node->tick_ms * SIM_MS);
    node->tick(&node->io);
}

static raft_time io_time(struct raft_io *io)
{
    return sim_monotonic_ns(node_of(io)->env) / SIM_MS;
}

static int io_random(struct raft_io *io, int min, int max)
{
    return (int)sim_random_between(node_of(io)->env, (uint64_t)min, (uint64_t)max - 1);
}

/* ---- Set-up and the end of an event -------------------------------------------------------- */

static int io_init(struct raft_io *io, raft_id id, const char *address)
{
    return 0;
}

static void io_close(struct raft_io *io, raft_io_close_cb cb)
{
    assert(!"a node is never closed: it crashes or leaves");
}

static int io_bootstrap(struct raft_io *io, const struct raft_configuration *configuration)
{
    struct libraft_node *node = node_of(io);
    struct raft_entry entry = {.term = 1, .type = RAFT_CHANGE};
    int status = raft_configuration_encode(configuration, &entry.buf);
    if (status != 0) {
        return status;
    }
    status = libraft_write_hard(node, 1, 0);
    if (status == 0) {
        status = libraft_write_entry(node, 1, &entry);
        node->failed |= status != 0;
        node->hard = node->written; /* Nothing leaves before the configuration is durable. */
    }
    raft_free(entry.buf.base);
    return status;
}

static int io_recover(struct raft_io *io, const struct raft_configuration *configuration)
{
    return RAFT_INVALID;
}

static int io_load(struct raft_io *io, raft_term *term, raft_id *vote,
                   struct raft_snapshot **snapshot, raft_index *start, struct raft_entry *entries[],
                   size_t *count)
{
    struct libraft_node *node = node_of(io);
    const int status = libraft_load(node, term, vote, snapshot, start, entries, count);
    node->term = *term;
    node->next_index = *start + *count;
    return status;
}

void libraft_io_init(struct libraft_node *node)
{
    node->io = (struct raft_io){
        .version = 1, /* Version 2 adds async_work, for snapshots taken in a thread. */
        .impl = node,
        .init = io_init,
        .close = io_close,
        .load = io_load,
        .start = io_start,
        .bootstrap = io_bootstrap,
        .recover = io_recover,
        .set_term = libraft_set_term,
        .set_vote = libraft_set_vote,
        .send = io_send,
        .append = libraft_append,
        .truncate = libraft_truncate,
        .snapshot_put = libraft_snapshot_put,
        .snapshot_get = io_snapshot_get,
        .time = io_time,
        .random = io_random,
    };
}

void libraft_io_synced(struct libraft_node *node, uint32_t status)
{
    node->syncing = false;
    if (status == SIM_OK) {
        node->durable = node->covered;
        return;
    }
    node->failed = true;
    /* The library went on in the belief that its vote was durable: all that is left is never
     * to let anything out. */
    node->halted |= !libraft_hard_is_durable(node);
}

void libraft_io_settle(struct libraft_node *node)
{
    release_held(node); /* First: what a completion sends comes after them. */
    while (run_deferred(node) || libraft_run_ops(node)) {
    }
    if (!node->syncing && !node->failed && node->written > node->durable) {
        node->syncing = true;
        node->covered = node->written;
        sim_disk_sync(node->env, node->written);
    }
}
