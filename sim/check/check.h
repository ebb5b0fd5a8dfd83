/* Checks: properties watched while a run goes on, over the whole cluster.
 *
 * The world tells the checks what happened; each keeps ghost state of its own in the arena
 * and latches its first violation. A check that never had a chance to break is vacuous, which
 * is a failure of the run to test anything, not a success. Invariants see nodes only through
 * the view their kind offers and through what is durable on their disks, so one set judges
 * every implementation. */
#ifndef SIM_CHECK_H
#define SIM_CHECK_H

#include "sim/disk.h"
#include "sim/history.h"
#include "sim/node.h"

struct sim_world;

/* Numbers I.. are those of the invariant catalogue in sim/check/consensus.c. A violation enters
 * the trace, and so the hash, with its number here: new invariants go before convergence. */
enum sim_check {
    SIM_CHECK_ELECTION_SAFETY,       /* I1 */
    SIM_CHECK_ONE_VOTE_PER_TERM,     /* I2 */
    SIM_CHECK_TERM_MONOTONIC,        /* I3 */
    SIM_CHECK_LEADER_APPEND_ONLY,    /* I4 */
    SIM_CHECK_LOG_MATCHING,          /* I5 */
    SIM_CHECK_LEADER_COMPLETENESS,   /* I6 */
    SIM_CHECK_STATE_MACHINE_SAFETY,  /* I7 */
    SIM_CHECK_COMMIT_DURABLE_QUORUM, /* I8 */
    SIM_CHECK_COMMIT_OWN_TERM,       /* I9 */
    SIM_CHECK_COMMIT_MONOTONIC,      /* I10 */
    SIM_CHECK_MATCH_HONEST,          /* I11 */
    SIM_CHECK_NEXT_AFTER_MATCH,      /* I12 */
    SIM_CHECK_ACKED_DURABLE,         /* I13 */
    SIM_CHECK_VOTE_UP_TO_DATE,       /* I14 */
    SIM_CHECK_LOG_CONTINUITY,        /* I17 */
    SIM_CHECK_EXACTLY_ONCE,          /* I19 */
    SIM_CHECK_CRASH_FREE,            /* I22 */
    SIM_CHECK_LIVENESS,              /* Progress after healing: holds, stuck or unavailable. */
    SIM_CHECK_LEASE_SAFETY,          /* I20 */
    SIM_CHECK_CONFIG_SAFETY,         /* I15 */
    SIM_CHECK_SNAPSHOT_SAFETY,       /* I16 */
    SIM_CHECK_DISRUPTION_FREE,       /* I23 */
    SIM_CHECK_CONVERGENCE,           /* From here on judged at the end, and only where named. */
    SIM_CHECK_LINEARIZABLE,          /* The consistency models: sim/consistency/models.c. */
    SIM_CHECK_STRICT_SERIALIZABLE,
    SIM_CHECK_STRONG_SESSION_SERIALIZABLE,
    SIM_CHECK_SERIALIZABLE,
    SIM_CHECK_SNAPSHOT_ISOLATION,
    SIM_CHECK_READ_COMMITTED,
    SIM_CHECK_SEQUENTIAL,
    SIM_CHECK_CAUSAL_CONVERGENCE,
    SIM_CHECK_CAUSAL_MEMORY,
    SIM_CHECK_CAUSAL,
    SIM_CHECK_PRAM,
    SIM_CHECK_READ_YOUR_WRITES,
    SIM_CHECK_MONOTONIC_READS,
    SIM_CHECK_MONOTONIC_WRITES,
    SIM_CHECK_WRITES_FOLLOW_READS,
    SIM_CHECK_COUNT
};
/* What "all" stands for: the invariants and liveness, which are those before convergence. */
#define SIM_CHECKS_ALL ((UINT64_C(1) << SIM_CHECK_CONVERGENCE) - 1)
/* Those that are judged after healing, and need a plan with time for that. */
#define SIM_CHECKS_SETTLE (UINT64_C(1) << SIM_CHECK_LIVENESS | UINT64_C(1) << SIM_CHECK_CONVERGENCE)

enum sim_verdict {
    SIM_HOLDS,
    SIM_VIOLATED,
    SIM_VACUOUS,
    SIM_STUCK,
    SIM_UNAVAILABLE,
    SIM_UNKNOWN,
    SIM_VERDICT_COUNT
};

struct sim_check_info {
    const char *name;    /* "election_safety" */
    const char *summary; /* A sentence, for `fallacy list checks`. */
};
extern const struct sim_check_info sim_check_infos[SIM_CHECK_COUNT];
const char *sim_verdict_name(uint32_t verdict);

#define SIM_DETAIL_MAX 480

struct sim_check_state {
    uint32_t verdict; /* enum sim_verdict; meaningful once the run has ended. */
    bool violated;
    bool judged;                 /* The verdict is not just whether it is violated. */
    uint64_t exercised;          /* How often it could have broken. */
    uint64_t at_ns;              /* Of the first violation, */
    uint64_t event;              /* and the sequence number of the record it followed. */
    char detail[SIM_DETAIL_MAX]; /* What was seen, with names: the smallest witness in words. */
};

struct sim_checks; /* In the arena. */

/* `enabled` is a bit set of enum sim_check. Reads the world's plan and nodes. NULL when the
 * arena is full. */
SIM_NODISCARD struct sim_checks *sim_checks_new(struct sim_world *world, uint64_t enabled);

/* What the world tells. All may record violations; without memory they set out_of_memory,
 * which ends the run. */
/* A node has handled an event, a message of `from` or, for SIM_NOBODY, another; its state may have
 * changed. The hot path. */
void sim_checks_moved(struct sim_checks *checks, uint32_t node, uint32_t from);
void sim_checks_durable(struct sim_checks *checks, uint32_t node, enum sim_durable_kind kind,
                        uint32_t file, uint64_t position, const struct sim_label *label);
void sim_checks_applied(struct sim_checks *checks, uint32_t node, uint64_t index, uint64_t term,
                        uint64_t digest, const struct sim_operation *operation, bool took_effect);
/* A node answers a read without a log entry, see sim_read_served(); it was asked for at
 * `invoke_ns`, 0: not known. */
void sim_checks_read_served(struct sim_checks *checks, uint32_t node, uint64_t index, bool leased,
                            uint64_t invoke_ns);
/* A leader tells another node to take over, see sim_handed_over(). */
void sim_checks_handed_over(struct sim_checks *checks, uint32_t node, uint32_t target);
/* A client has been told that its operation is done. */
void sim_checks_acked(struct sim_checks *checks, const struct sim_history_row *row);
/* A node has crashed or left, and its disk has lost what it loses by that. */
void sim_checks_crashed(struct sim_checks *checks, uint32_t node);
/* A node's code failed: signal or reason in words. Its state is not looked at any more. */
void sim_checks_node_failed(struct sim_checks *checks, uint32_t node, const char *why);
/* The settle phase has judged progress: SIM_HOLDS, SIM_STUCK, SIM_UNAVAILABLE or SIM_VACUOUS,
 * and why, in words. The last call counts; without one liveness is vacuous. */
void sim_checks_liveness(struct sim_checks *checks, uint32_t verdict, const char *detail);
/* Are all replicas that were healed equal and complete, so that there is no need to wait? */
bool sim_checks_converged(struct sim_checks *checks);
/* The run is over: last scans, then every verdict is final. */
void sim_checks_finish(struct sim_checks *checks);

const struct sim_check_state *sim_checks_state(const struct sim_checks *checks, uint32_t check);
uint64_t sim_checks_enabled(const struct sim_checks *checks);

#endif
