/* The disk, as the library sees it: term and vote, the log, snapshots.
 *
 * Requests form one journal: each starts after those before it, and completes after them.
 * Appends start at once, so that one sync covers many; but while a snapshot from a leader
 * replaces the whole log, what comes after it waits until it is durable. A snapshot of the
 * node's own state holds nothing up. At most one sync is under way, and the next one covers
 * all that was written meanwhile.
 *
 * An error of the disk is final until a restart: where a write or a sync has failed nobody
 * knows what is there (the library's own file backend stops likewise). */
#include "nodes/libraft/storage.h"

/* The library's file backend syncs a snapshot's data, its metadata and the directory, one
 * after the other, while term and vote are written in between. */
#define SNAPSHOT_SYNCS 3

enum op_kind { OP_APPEND, OP_TRUNCATE, OP_TAKE, OP_INSTALL };

struct libraft_op {
    struct libraft_op *next;
    uint32_t kind;  /* enum op_kind */
    bool started;   /* Its changes are in the disk's cache, */
    uint64_t until; /* up to this one. */
    uint32_t syncs; /* Of a snapshot: still to come after that one. */
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

static struct libraft_node *node_of(const struct raft_io *io)
{
    return io->impl;
}

static int status_of(enum sim_status status)
{
    return status == SIM_OK ? 0 : status == SIM_ENOSPC ? RAFT_NOSPACE : RAFT_IOERR;
}

/* Write a record that must never be without a whole version: as two copies, the spare first, so
 * that a crash tears one of them at most. The first of all goes to position 0 first: nothing
 * is lost with it. */
static int write_copies(struct libraft_node *node, enum libraft_file file, const uint8_t *bytes,
                        size_t size_bytes, struct sim_label label)
{
    const uint64_t first = sim_disk_end(node->env, file) > 0 ? LIBRAFT_SPARE : 0;
    enum sim_status status =
        sim_disk_write(node->env, file, first, bytes, (uint32_t)size_bytes, label);
    if (status == SIM_OK) {
        status = sim_disk_write(node->env, file, LIBRAFT_SPARE - first, bytes, (uint32_t)size_bytes,
                                label);
    }
    node->written += status == SIM_OK;
    node->failed |= status != SIM_OK;
    return status_of(status);
}

/* ---- Term and vote ------------------------------------------------------------------------ */

struct sim_label libraft_hard_label(const struct libraft_node *node, raft_term term, raft_id vote)
{
    const uint32_t number = libraft_number_of(node, vote);
    return (struct sim_label){term, number == SIM_NOBODY ? 0 : (uint64_t)number + 1};
}

int libraft_write_hard(struct libraft_node *node, raft_term term, raft_id vote)
{
    if (node->failed) {
        return RAFT_IOERR;
    }
    uint8_t bytes[LIBRAFT_HARD_BYTES];
    libraft_hard_encode(term, vote, bytes);
    const struct sim_label label = libraft_hard_label(node, term, vote);
    const int status = write_copies(node, LIBRAFT_HARD, bytes, sizeof bytes, label);
    if (status != 0) {
        return status;
    }
    node->term = term;
    node->hard = node->written;
    return 0;
}

int libraft_set_term(struct raft_io *io, raft_term term)
{
    return libraft_write_hard(node_of(io), term, 0);
}

int libraft_set_vote(struct raft_io *io, raft_id vote)
{
    struct libraft_node *node = node_of(io);
    return libraft_write_hard(node, node->term, vote);
}

/* ---- The log ------------------------------------------------------------------------------ */

int libraft_write_entry(struct libraft_node *node, raft_index index, const struct raft_entry *entry)
{
    const size_t size_bytes = libraft_entry_bytes(entry);
    uint8_t *bytes = libraft_scratch(node, size_bytes);
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
        op->status = libraft_write_entry(node, op->index + i, &op->entries[i]);
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
    uint8_t *bytes = libraft_scratch(node, size_bytes);
    if (!bytes) {
        op->status = RAFT_NOMEM;
        return;
    }
    libraft_snapshot_encode(op->snapshot, bytes);
    const struct sim_label label = {op->snapshot->index, op->snapshot->term};
    op->status = write_copies(node, LIBRAFT_SNAPSHOT, bytes, size_bytes, label);
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
        op->syncs = SNAPSHOT_SYNCS - 1;
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

static void start_ops(struct libraft_node *node)
{
    for (struct libraft_op *op = node->ops_first; op; op = op->next) {
        if (!op->started) {
            start_op(node, op);
        }
        if (op->kind == OP_INSTALL && op->status == 0) {
            return; /* What follows belongs into the log that it leaves. */
        }
    }
}

/* Has all that a request needs been done, well or ill? */
static bool is_done(struct libraft_node *node, struct libraft_op *op)
{
    if (!op->started) {
        return false;
    }
    if (op->status == 0 && op->until <= node->durable && op->syncs > 0 && !node->failed) {
        op->syncs--;
        op->until = ++node->written;
    }
    if (op->status == 0 && (op->until > node->durable || op->syncs > 0) && node->failed) {
        op->status = RAFT_IOERR; /* No sync will cover it any more. */
    }
    return op->status != 0 || op->until <= node->durable;
}

/* Take out the first request that may complete; NULL if there is none. */
static struct libraft_op *take_done(struct libraft_node *node)
{
    struct libraft_op *before = NULL;
    for (struct libraft_op *op = node->ops_first; op; before = op, op = op->next) {
        if (is_done(node, op)) {
            *(before ? &before->next : &node->ops_first) = op->next;
            if (!op->next) {
                node->ops_last = before;
            }
            return op;
        }
        if (op->kind != OP_TAKE) {
            break; /* The others complete in order. */
        }
    }
    return NULL;
}

bool libraft_run_ops(struct libraft_node *node)
{
    start_ops(node);
    struct libraft_op *op = libraft_hard_is_durable(node) ? take_done(node) : NULL;
    if (!op) {
        return false;
    }
    complete_op(node, op);
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

int libraft_append(struct raft_io *io, struct raft_io_append *request,
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

int libraft_truncate(struct raft_io *io, raft_index index)
{
    struct libraft_node *node = node_of(io);
    node->next_index = index;
    return push_op(node, (struct libraft_op){.kind = OP_TRUNCATE, .index = index});
}

int libraft_snapshot_put(struct raft_io *io, unsigned trailing,
                         struct raft_io_snapshot_put *request, const struct raft_snapshot *snapshot,
                         raft_io_snapshot_put_cb cb)
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
