/* Which anomaly breaks which level, from two small tables: what an anomaly implies, and what a
 * level forbids beyond the levels it implies.
 *
 * Sources: Adya's thesis (1999) for the PL levels; Cerone, Bernardi and Gotsman (CONCUR 2015) for
 * read atomic, causal, prefix, PSI; Bailis et al. (VLDB 2013) for the map of levels; Daudjee and
 * Salem for the session levels; as put together by Elle and jepsen.io/consistency. */
#include "sim/consistency/txn_internal.h"

const char *const sim_txn_anomaly_names[SIM_TXN_ANOMALY_COUNT] = {
    [SIM_TXN_DUPLICATE_ELEMENTS] = "duplicate-elements",
    [SIM_TXN_CYCLIC_VERSIONS] = "cyclic-versions",
    [SIM_TXN_INCOMPATIBLE_ORDER] = "incompatible-order",
    [SIM_TXN_GARBAGE_READ] = "garbage-read",
    [SIM_TXN_REORDERED] = "reordered-appends",
    [SIM_TXN_INTERNAL] = "internal",
    [SIM_TXN_FUTURE_READ] = "future-read",
    [SIM_TXN_G1A] = "G1a",
    [SIM_TXN_G1B] = "G1b",
    [SIM_TXN_DIRTY_UPDATE] = "dirty-update",
    [SIM_TXN_LOST_UPDATE] = "lost-update",
    [SIM_TXN_G0] = "G0",
    [SIM_TXN_G1C] = "G1c",
    [SIM_TXN_G_SINGLE] = "G-single-item",
    [SIM_TXN_G_NONADJACENT] = "G-nonadjacent-item",
    [SIM_TXN_G2] = "G2-item",
    [SIM_TXN_G0_PROCESS] = "G0-process",
    [SIM_TXN_G1C_PROCESS] = "G1c-process",
    [SIM_TXN_G_SINGLE_PROCESS] = "G-single-item-process",
    [SIM_TXN_G_NONADJACENT_PROCESS] = "G-nonadjacent-item-process",
    [SIM_TXN_G2_PROCESS] = "G2-item-process",
    [SIM_TXN_G0_REALTIME] = "G0-realtime",
    [SIM_TXN_G1C_REALTIME] = "G1c-realtime",
    [SIM_TXN_G_SINGLE_REALTIME] = "G-single-item-realtime",
    [SIM_TXN_G_NONADJACENT_REALTIME] = "G-nonadjacent-item-realtime",
    [SIM_TXN_G2_REALTIME] = "G2-item-realtime",
};

#define A(name) (UINT32_C(1) << SIM_TXN_##name)

static const uint32_t implied_directly[SIM_TXN_ANOMALY_COUNT] = {
    [SIM_TXN_INCOMPATIBLE_ORDER] = A(G1A), /* At least one of the orders is of what did not last. */
    [SIM_TXN_GARBAGE_READ] = A(G1A),       /* Nothing that committed wrote it. */
    [SIM_TXN_REORDERED] = A(G1A),          /* Nor a list in that order. */
    [SIM_TXN_DIRTY_UPDATE] = A(G1A),
    [SIM_TXN_FUTURE_READ] = A(G1C), /* A cycle of one transaction. */
    [SIM_TXN_LOST_UPDATE] = A(G2),
    [SIM_TXN_G0] = A(G1C) | A(G0_PROCESS),
    [SIM_TXN_G1C] = A(G1C_PROCESS),
    [SIM_TXN_G_SINGLE] = A(G_NONADJACENT) | A(G_SINGLE_PROCESS),
    [SIM_TXN_G_NONADJACENT] = A(G2) | A(G_NONADJACENT_PROCESS),
    [SIM_TXN_G2] = A(G2_PROCESS),
    /* A process does one thing after the other: its order is in real time too. */
    [SIM_TXN_G0_PROCESS] = A(G1C_PROCESS) | A(G0_REALTIME),
    [SIM_TXN_G1C_PROCESS] = A(G1C_REALTIME),
    [SIM_TXN_G_SINGLE_PROCESS] = A(G_NONADJACENT_PROCESS) | A(G_SINGLE_REALTIME),
    [SIM_TXN_G_NONADJACENT_PROCESS] = A(G2_PROCESS) | A(G_NONADJACENT_REALTIME),
    [SIM_TXN_G2_PROCESS] = A(G2_REALTIME),
    [SIM_TXN_G0_REALTIME] = A(G1C_REALTIME),
    [SIM_TXN_G_SINGLE_REALTIME] = A(G_NONADJACENT_REALTIME),
    [SIM_TXN_G_NONADJACENT_REALTIME] = A(G2_REALTIME),
};

#define G1 (A(G1A) | A(G1B) | A(G1C))
#define M(name) (UINT32_C(1) << SIM_TXN_##name)

static const struct {
    const char *name;
    const char *adya; /* Or another name in use. */
    uint32_t implies; /* Models, directly. */
    uint32_t forbids; /* Anomalies, beyond what those forbid. */
} levels[SIM_TXN_MODEL_COUNT] = {
    [SIM_TXN_READ_UNCOMMITTED] = {"read-uncommitted", "PL-1", 0,
                                  A(G0) | A(DUPLICATE_ELEMENTS) | A(CYCLIC_VERSIONS)},
    [SIM_TXN_READ_COMMITTED] = {"read-committed", "PL-2", M(READ_UNCOMMITTED), G1},
    [SIM_TXN_MONOTONIC_ATOMIC_VIEW] = {"monotonic-atomic-view", NULL, M(READ_COMMITTED), 0},
    [SIM_TXN_READ_ATOMIC] = {"read-atomic", NULL, M(MONOTONIC_ATOMIC_VIEW),
                             A(INTERNAL) | A(FUTURE_READ)},
    [SIM_TXN_UPDATE_ATOMIC] = {"update-atomic", NULL, M(READ_ATOMIC), A(LOST_UPDATE)},
    [SIM_TXN_CAUSAL_CERONE] = {"causal-cerone", NULL, M(READ_ATOMIC), 0},
    [SIM_TXN_PREFIX] = {"prefix", NULL, M(CAUSAL_CERONE), 0},
    [SIM_TXN_PARALLEL_SNAPSHOT_ISOLATION] = {"parallel-snapshot-isolation", NULL,
                                             M(CAUSAL_CERONE) | M(UPDATE_ATOMIC), 0},
    [SIM_TXN_MONOTONIC_VIEW] = {"monotonic-view", "PL-2L", M(READ_COMMITTED), 0},
    [SIM_TXN_MONOTONIC_SNAPSHOT_READ] = {"monotonic-snapshot-read", "PL-MSR", M(READ_COMMITTED), 0},
    [SIM_TXN_CURSOR_STABILITY] = {"cursor-stability", "PL-CS", M(READ_COMMITTED), A(LOST_UPDATE)},
    [SIM_TXN_CONSISTENT_VIEW] = {"consistent-view", "PL-2+",
                                 M(CURSOR_STABILITY) | M(MONOTONIC_VIEW), A(G_SINGLE)},
    [SIM_TXN_FORWARD_CONSISTENT_VIEW] = {"forward-consistent-view", "PL-FCV", M(CONSISTENT_VIEW),
                                         0},
    [SIM_TXN_UPDATE_SERIALIZABLE] = {"update-serializable", "PL-3U", M(FORWARD_CONSISTENT_VIEW), 0},
    [SIM_TXN_SNAPSHOT_ISOLATION] = {"snapshot-isolation", "PL-SI",
                                    M(FORWARD_CONSISTENT_VIEW) | M(MONOTONIC_SNAPSHOT_READ) |
                                        M(PARALLEL_SNAPSHOT_ISOLATION) | M(PREFIX),
                                    A(G_NONADJACENT)},
    [SIM_TXN_REPEATABLE_READ] = {"repeatable-read", "PL-2.99",
                                 M(CURSOR_STABILITY) | M(MONOTONIC_ATOMIC_VIEW), A(G2)},
    [SIM_TXN_SERIALIZABLE] = {"serializable", "PL-3",
                              M(REPEATABLE_READ) | M(UPDATE_SERIALIZABLE) | M(SNAPSHOT_ISOLATION),
                              0},
    [SIM_TXN_STRONG_SESSION_READ_UNCOMMITTED] = {"strong-session-read-uncommitted",
                                                 "strong-session-PL-1", M(READ_UNCOMMITTED),
                                                 A(G0_PROCESS)},
    [SIM_TXN_STRONG_SESSION_READ_COMMITTED] = {"strong-session-read-committed",
                                               "strong-session-PL-2",
                                               M(READ_COMMITTED) |
                                                   M(STRONG_SESSION_READ_UNCOMMITTED),
                                               A(G1C_PROCESS)},
    [SIM_TXN_STRONG_SESSION_SNAPSHOT_ISOLATION] = {"strong-session-snapshot-isolation", NULL,
                                                   M(SNAPSHOT_ISOLATION) |
                                                       M(STRONG_SESSION_READ_COMMITTED),
                                                   A(G_NONADJACENT_PROCESS)},
    [SIM_TXN_STRONG_SESSION_SERIALIZABLE] = {"strong-session-serializable", NULL,
                                             M(SERIALIZABLE) | M(STRONG_SESSION_SNAPSHOT_ISOLATION),
                                             A(G2_PROCESS)},
    [SIM_TXN_STRONG_READ_UNCOMMITTED] = {"strong-read-uncommitted", "strong-PL-1",
                                         M(STRONG_SESSION_READ_UNCOMMITTED), A(G0_REALTIME)},
    [SIM_TXN_STRONG_READ_COMMITTED] = {"strong-read-committed", "strong-PL-2",
                                       M(STRONG_SESSION_READ_COMMITTED) |
                                           M(STRONG_READ_UNCOMMITTED),
                                       A(G1C_REALTIME)},
    [SIM_TXN_STRONG_SNAPSHOT_ISOLATION] = {"strong-snapshot-isolation", NULL,
                                           M(STRONG_SESSION_SNAPSHOT_ISOLATION) |
                                               M(STRONG_READ_COMMITTED),
                                           A(G_NONADJACENT_REALTIME)},
    [SIM_TXN_STRICT_SERIALIZABLE] = {"strict-serializable", "PL-SS",
                                     M(SERIALIZABLE) | M(STRONG_SNAPSHOT_ISOLATION) |
                                         M(STRONG_SESSION_SERIALIZABLE),
                                     A(G2_REALTIME)},
};

const char *sim_txn_model_name(uint32_t model)
{
    return levels[model].name;
}

uint32_t sim_txn_model_find(const char *name)
{
    for (uint32_t m = 0; m < SIM_TXN_MODEL_COUNT; m++) {
        if (strcmp(levels[m].name, name) == 0 ||
            (levels[m].adya && strcmp(levels[m].adya, name) == 0)) {
            return m;
        }
    }
    return strcmp(name, "strong-serializable") == 0 ? (uint32_t)SIM_TXN_STRICT_SERIALIZABLE
                                                    : (uint32_t)SIM_TXN_MODEL_COUNT;
}

uint32_t sim_txn_implied(uint32_t anomaly)
{
    uint32_t all = UINT32_C(1) << anomaly, before;
    do {
        before = all;
        for (uint32_t a = 0; a < SIM_TXN_ANOMALY_COUNT; a++) {
            all |= all >> a & 1 ? implied_directly[a] : 0;
        }
    } while (all != before);
    return all;
}

uint32_t sim_txn_prohibited(uint32_t model)
{
    uint32_t models = UINT32_C(1) << model, before, forbidden = 0;
    do {
        before = models;
        for (uint32_t m = 0; m < SIM_TXN_MODEL_COUNT; m++) {
            models |= models >> m & 1 ? levels[m].implies : 0;
        }
    } while (models != before);
    for (uint32_t m = 0; m < SIM_TXN_MODEL_COUNT; m++) {
        forbidden |= models >> m & 1 ? levels[m].forbids : 0;
    }
    uint32_t all = 0;
    for (uint32_t a = 0; a < SIM_TXN_ANOMALY_COUNT; a++) {
        all |= sim_txn_implied(a) & forbidden ? UINT32_C(1) << a : 0;
    }
    return all;
}
