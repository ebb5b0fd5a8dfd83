/* Reading the disk back at boot, and for a snapshot to send. */
#ifndef NODES_LIBRAFT_LOAD_H
#define NODES_LIBRAFT_LOAD_H

#include "nodes/libraft/libraft_internal.h"

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
