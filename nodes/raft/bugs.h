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
    RAFT_R02,
    RAFT_R03,
    RAFT_R04,
    RAFT_R05,
    RAFT_R06,
    RAFT_R07,
    RAFT_R08,
    RAFT_R09,
    RAFT_R10,
    RAFT_R11,
    RAFT_R12,
    RAFT_R13,
    RAFT_R14,
    RAFT_R15,
    RAFT_R16,
    RAFT_R16_SNAPSHOT,
    RAFT_R17,
    RAFT_R18,
    RAFT_R19,
    RAFT_R20,
    RAFT_R21,
    RAFT_R22,
    RAFT_R23,
    RAFT_R24,
    RAFT_R25,
    RAFT_R26,
    RAFT_R27,
    RAFT_R28,
    RAFT_R29,
    RAFT_R30,
    RAFT_R31,
    RAFT_R32,
    RAFT_R33,
    RAFT_R34,
    RAFT_R35,
    RAFT_R36,
    RAFT_R37,
    RAFT_R38,
    RAFT_R39,
    RAFT_R40,
    RAFT_R41,
    RAFT_R42,
    RAFT_R43,
    RAFT_R44,
    RAFT_R45,
    RAFT_R46,
    RAFT_BUG_COUNT
};

extern const struct sim_planted_bug raft_planted_bugs[RAFT_BUG_COUNT];

#endif
