/* The beginning of a life, and changes of settings in the middle of it. */
#ifndef NODES_RAFT_BOOT_H
#define NODES_RAFT_BOOT_H

#include "nodes/raft/state.h"

/* Take up what the disk has (dissertation 3.8, 5). */
void raft_boot(struct raft *r, struct sim_env *env);
/* An administrator has changed settings. */
void raft_configure(struct raft *r, struct sim_env *env);

#endif
