/* The smallest node: the example to copy. */
#ifndef NODES_ECHO_ECHO_H
#define NODES_ECHO_ECHO_H

#include "sim/node.h"

extern const struct sim_node_kind echo_kind;

#endif
