/* The one list of node kinds. */
#ifndef NODES_REGISTRY_H
#define NODES_REGISTRY_H

#include "sim/node.h"

/* The kind called `name`; NULL if there is none in this build. */
const struct sim_node_kind *node_registry_find(const char *name);

/* Every kind of this build, in the order in which people should meet them. */
const struct sim_node_kind *const *node_registry_kinds(size_t *count);

#endif
