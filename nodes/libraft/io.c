/* The library's window on the world: struct raft_io over the effects of sim/node.h.
 *
 * Requests to the disk form one journal: each starts after those before it, and completes
 * after them. Appends start at once, so that one sync covers many; but while a snapshot from
 * a leader replaces the whole log, what comes after it waits until it is durable. At most one
 * sync is under way, and the next one covers all that was written meanwhile.
 *
 * An error of the disk is final until a restart: where a write or a sync has failed nobody
 * knows what is there (the library's own file backend stops likewise). */
#include "nodes/libraft/load.h"

enum op_kind { OP_APPEND, OP_TRUNCATE, OP_TAKE, OP_INSTALL };

struct libraft_op {
    struct libraft_op *next;
    uint32_t kind;  /* enum op_kind */
    bool started;   /* Its changes are in the disk's cache, */
    uint64_t until; /* up to this one. */
    int status;     /* 0, or RAFT_IOERR, RAFT_NOSPACE */
    struct raft_io_append *append;
    const struct raft_entry *entries; /* The library's, until the callback. */
    unsigned count;
    raft_index index; /* APPEND: of the first entry; TRUNCATE: from; else of the snapshot. */
    unsigned trailing;
    struct raft_io_snapshot_put *put;
    const struct raft_snapshot *snapshot; /* The library's, until the callback. */
    raft_io_append_cb append_cb;
    raft_io_snapshot_put_cb put_cb;
};

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

static bool hard_state_is_durable(const struct libraft_node *node)
{
    return node->hard <= node->durable;
}

/* A buffer to encode in; NULL if the world is full. */
static uint8_t *scratch(struct libraft_node *node, size_t size_bytes)
{
    if (size_bytes > node->scratch_bytes) {
        sim_release(node->env, node->scratch);
        node->scratch_bytes = 2 * size_bytes;
        node->scratch = sim_alloc(node->env, node->scratch_bytes);
        if (!node->scratch) {
            node->scratch_bytes = 0;
        }
    }
    return node->scratch;
}

static int status_of(enum sim_status status)
{
    return status == SIM_OK ? 0 : status == SIM_ENOSPC ? RAFT_NOSPACE : RAFT_IOERR;
}

/* ---- Term and vote ------------------------------------------------------------------------ */

static int write_hard(struct libraft_node *node, raft_term term, raft_id vote)
{
    if (node->failed) {
        return RAFT_IOERR;
    }
    uint8_t bytes[LIBRAFT_HARD_BYTES];
    libraft_hard_encode(term, vote, bytes);
    const uint32_t number = libraft_number_of(node, vote);
    const struct sim_label label = {term, number == SIM_NOBODY ? 0 : (uint64_t)number + 1};
    const enum sim_status status =
        sim_disk_write(node->env, LIBRAFT_HARD, 0, bytes, sizeof bytes, label);
    if (status != SIM_OK) {
        node->failed = true;
        return status_of(status);
    }
    node->term = term;
    node->hard = ++node->written;
    return 0;
}

static int io_set_term(struct raft_io *io, raft_term term)
{
    return write_hard(node_of(io), term, 0);
}

static int io_set_vote(struct raft_io *io, raft_id vote)
{
    struct libraft_node *node = node_of(io);
    return write_hard(node, node->term, vote);
}

/* ---- The log ------------------------------------------------------------------------------ */

static int write_entry(struct libraft_node *node, raft_index index, const struct raft_entry *entry)
{
    const size_t size_bytes = libraft_entry_bytes(entry);
    uint8_t *bytes = scratch(node, size_bytes);
    if (!bytes) {
        return RAFT_NOMEM;
    }
    libraft_entry_encode(entry, bytes);
    const struct sim_label label = {entry->term, libraft_entry_digest(entry)};
    const int status = status_of(
        sim_disk_write(node->env, LIBRAFT_LOG, index, bytes, (uint32_t)size_bytes, label));
    node->written += status == 0;
    return status;
}

static void start_append(struct libraft_node *node, struct libraft_op *op)
{
    for (unsigned i = 0; i < op->count && op->status == 0; i++) {
        op->status = write_entry(node, op->index + i, &op->entries[i]);
    }
    if (op->status != 0) {
        /* A request is written as a whole or not at all. */
        sim_disk_truncate(node->env, LIBRAFT_LOG, op->index);
        node->failed = true;
    }
}

static void start_snapshot(struct libraft_node *node, struct libraft_op *op)
{
    const size_t size_bytes = libraft_snapshot_bytes(op->snapshot);
    uint8_t *bytes = scratch(node, size_bytes);
    if (!bytes) {
        op->status = RAFT_NOMEM;
        return;
    }
    libraft_snapshot_encode(op->snapshot, bytes);
    const struct sim_label label = {op->snapshot->index, op->snapshot->term};
    op->status = status_of(
        sim_disk_write(node->env, LIBRAFT_SNAPSHOT, 0, bytes, (uint32_t)size_bytes, label));
    node->written += op->status == 0;
    node->failed |= op->status != 0;
}

static void start_op(struct libraft_node *node, struct libraft_op *op)
{
    op->started = true;
    if (node->failed) {
        op->status = RAFT_IOERR;
        return;
    }
    switch (op->kind) {
    case OP_APPEND:
        start_append(node, op);
        break;
    case OP_TRUNCATE:
        sim_disk_truncate(node->env, LIBRAFT_LOG, op->index);
        node->written++;
        return; /* Nobody waits for it. */
    case OP_TAKE:
    case OP_INSTALL:
        start_snapshot(node, op);
        break;
    }
    op->until = node->written;
}

/* A durable snapshot allows the log before it to go. */
static void drop_log(struct libraft_node *node, const struct libraft_op *op)
{
    if (op->kind == OP_INSTALL) {
        sim_disk_truncate(node->env, LIBRAFT_LOG, sim_disk_begin(node->env, LIBRAFT_LOG));
        sim_disk_discard(node->env, LIBRAFT_LOG, op->index + 1);
    } else if (op->index > op->trailing) {
        sim_disk_discard(node->env, LIBRAFT_LOG, op->index - op->trailing + 1);
    }
}

static void complete_op(struct libraft_node *node, struct libraft_op *op)
{
    const bool snapshot = op->kind == OP_TAKE || op->kind == OP_INSTALL;
    if (snapshot && op->status == 0) {
        drop_log(node, op);
    }
    if (op->kind == OP_APPEND) {
        op->append_cb(op->append, op->status);
    } else if (snapshot) {
        op->put_cb(op->put, op->status);
    }
    sim_release(node->env, op);
}

/* Start what can start, complete what is durable. True if a callback ran. */
static bool run_ops(struct libraft_node *node)
{
    for (struct libraft_op *op = node->ops_first; op; op = op->next) {
        if (!op->started) {
            start_op(node, op);
        }
        if (op->kind == OP_INSTALL && op->status == 0) {
            break; /* What follows belongs into the log that it leaves. */
        }
    }
    struct libraft_op *first = node->ops_first;
    if (!first || !first->started || !hard_state_is_durable(node)) {
        return false;
    }
    if (first->status == 0 && first->until > node->durable) {
        if (!node->failed) {
            return false;
        }
        first->status = RAFT_IOERR; /* No sync will cover it any more. */
    }
    node->ops_first = first->next;
    if (!first->next) {
        node->ops_last = NULL;
    }
    complete_op(node, first);
    libraft_fsm_report(node);
    return true;
}

static int push_op(struct libraft_node *node, struct libraft_op draft)
{
    struct libraft_op *op = sim_alloc(node->env, sizeof *op);
    if (!op) {
        return RAFT_NOMEM;
    }
    *op = draft;
    if (node->ops_last) {
        node->ops_last->next = op;
    } else {
        node->ops_first = op;
    }
    node->ops_last = op;
    return 0;
}

static int io_append(struct raft_io *io, struct raft_io_append *request,
                     const struct raft_entry entries[], unsigned count, raft_io_append_cb cb)
{
    struct libraft_node *node = node_of(io);
    const raft_index index = node->next_index;
    node->next_index += count;
    return push_op(node, (struct libraft_op){.kind = OP_APPEND,
                                             .append = request,
                                             .append_cb = cb,
                                             .entries = entries,
                                             .count = count,
                                             .index = index});
}

static int io_truncate(struct raft_io *io, raft_index index)
{
    struct libraft_node *node = node_of(io);
    node->next_index = index;
    return push_op(node, (struct libraft_op){.kind = OP_TRUNCATE, .index = index});
}

/* ---- Snapshots ---------------------------------------------------------------------------- */

static int io_snapshot_put(struct raft_io *io, unsigned trailing,
                           struct raft_io_snapshot_put *request,
                           const struct raft_snapshot *snapshot, raft_io_snapshot_put_cb cb)
{
    struct libraft_node *node = node_of(io);
    if (trailing == 0) { /* From a leader: it replaces the log. */
        node->next_index = snapshot->index + 1;
    }
    return push_op(node, (struct libraft_op){.kind = trailing == 0 ? OP_INSTALL : OP_TAKE,
                                             .put = request,
                                             .put_cb = cb,
                                             .snapshot = snapshot,
                                             .index = snapshot->index,
                                             .trailing = trailing});
}

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
    uint8_t *bytes = scratch(node, size_bytes);
    struct libraft_deferred *deferred = bytes && cb ? defer(node) : NULL;
    if (!bytes || (cb && !deferred)) {
        return RAFT_NOMEM;
    }
    if (deferred) { /* Without a callback the request may be gone before the event ends. */
        deferred->send = request;
        deferred->send_cb = cb;
    }
    libraft_message_encode(message, bytes);
    const uint32_t kind = message->type - 1u;
    if (!hard_state_is_durable(node)) {
        return hold(node, to, kind, bytes, (uint32_t)size_bytes);
    }
    sim_send(node->env, to, kind, bytes, (uint32_t)size_bytes);
    return 0;
}

static void release_held(struct libraft_node *node)
{
    while (node->held_first && hard_state_is_durable(node)) {
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
    status = write_hard(node, 1, 0);
    if (status == 0) {
        status = write_entry(node, 1, &entry);
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
        .set_term = io_set_term,
        .set_vote = io_set_vote,
        .send = io_send,
        .append = io_append,
        .truncate = io_truncate,
        .snapshot_put = io_snapshot_put,
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
    node->halted |= !hard_state_is_durable(node);
}

void libraft_io_settle(struct libraft_node *node)
{
    while (run_deferred(node) || run_ops(node)) {
    }
    release_held(node);
    if (!node->syncing && !node->failed && node->written > node->durable) {
        node->syncing = true;
        node->covered = node->written;
        sim_disk_sync(node->env, node->written);
    }
}
