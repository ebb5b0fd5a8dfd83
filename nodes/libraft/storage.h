/* The disk of a node: what journal.c writes and load.c reads back. */
#ifndef NODES_LIBRAFT_STORAGE_H
#define NODES_LIBRAFT_STORAGE_H

#include "nodes/libraft/libraft_internal.h"

/* ---- journal.c: callbacks of struct raft_io, and what they leave to be done ---------------- */

int libraft_set_term(struct raft_io *io, raft_term term);
int libraft_set_vote(struct raft_io *io, raft_id vote);
int libraft_append(struct raft_io *io, struct raft_io_append *request,
                   const struct raft_entry entries[], unsigned count, raft_io_append_cb cb);
int libraft_truncate(struct raft_io *io, raft_index index);
int libraft_snapshot_put(struct raft_io *io, unsigned trailing,
                         struct raft_io_snapshot_put *request, const struct raft_snapshot *snapshot,
                         raft_io_snapshot_put_cb cb);
/* Start what can start, complete what is durable. True if a callback ran: call again. */
bool libraft_run_ops(struct libraft_node *node);

/* Into the disk's cache; 0 or an error of the library. */
int libraft_write_hard(struct libraft_node *node, raft_term term, raft_id vote);
struct sim_label libraft_hard_label(const struct libraft_node *node, raft_term term, raft_id vote);
int libraft_write_entry(struct libraft_node *node, raft_index index,
                        const struct raft_entry *entry);
static inline bool libraft_hard_is_durable(const struct libraft_node *node)
{
    return node->hard <= node->durable;
}

/* ---- load.c -------------------------------------------------------------------------------- */

/* Nothing was ever stored on this disk: the node may be bootstrapped. */
bool libraft_is_pristine(const struct libraft_node *node);
/* All that raft_io's load() answers. What cannot belong to the log is cut off on the disk:
 * RAFT_CORRUPT if something is missing that must have been there. */
int libraft_load(struct libraft_node *node, raft_term *term, raft_id *vote,
                 struct raft_snapshot **snapshot, raft_index *start, struct raft_entry **entries,
                 size_t *count);
/* NULL and 0 if there is none. The library frees it. */
int libraft_load_snapshot(struct libraft_node *node, struct raft_snapshot **snapshot);
/* The library's address of a node: its number in decimal. */
void libraft_address(uint32_t number, char address[LIBRAFT_ADDRESS_MAX]);

#endif
