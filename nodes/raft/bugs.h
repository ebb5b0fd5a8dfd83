/* Bugs planted in Raft: flaws that real implementations had, each switched on by its name in a
 * scenario ("bugs": ["R09_truncate_always"]) and off otherwise.
 *
 * A planted bug is a guarded line at the place where the real flaw was: it acts through the
 * protocol and fakes nothing. Numbers are those of the catalogue in scenarios/bugs/. */
#ifndef NODES_RAFT_BUGS_H
#define NODES_RAFT_BUGS_H

#include "sim/node.h"

enum raft_bug {
    RAFT_R01,
    RAFT_R05,
    RAFT_R07,
    RAFT_R08,
    RAFT_R09,
    RAFT_R10,
    RAFT_R16,
    RAFT_R25,
    RAFT_R29,
    RAFT_BUG_COUNT
};

extern const struct sim_planted_bug raft_planted_bugs[RAFT_BUG_COUNT];

#endif
