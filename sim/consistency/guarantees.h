/* The four session guarantees (Terry, Demers, Petersen, Spreitzer, Theimer and Welch, "Session
 * Guarantees for Weakly Consistent Replicated Data", 1994), of registers, keys and lists.
 *
 * As Viotti and Vukolic put it ("Consistency in Non-Transactional Distributed Storage Systems",
 * ACM Computing Surveys 49(1), 2016): is there one order of all writes, the versions, and for each
 * read a set of writes that were visible to it, so that it saw the last version among them, or of
 * a list all of them in that order, and
 *
 *   read your writes     what a session wrote is visible to what it reads later
 *   monotonic reads      what was visible to a read is visible to what its session reads later
 *   monotonic writes     a session's writes have versions in its order, and where one is visible
 *                        so are those before it
 *   writes follow reads  what was visible to a read has older versions than what its session
 *                        writes later, and where that is visible so is the other
 *
 * A list shows the order of its versions. A register does not: a violation is only what no order
 * of versions explains, such as the initial value after another one; monotonic writes cannot be
 * violated at all, so they are not judged there. A step is an operation looked at, or an edge of
 * the order of versions. Unknown is what sim/consistency/causal.h says. */
#ifndef SIM_CONSISTENCY_GUARANTEES_H
#define SIM_CONSISTENCY_GUARANTEES_H

#include "sim/consistency/sequential.h"
#include "sim/consistency/versions.h"

/* All actions must be the object's own: a register, kv or list; a list for monotonic writes. A
 * violation's witness is as that of sim_check_sequential(). The caller releases the result. */
void sim_check_read_your_writes(const struct sim_history *history, const struct sim_budget *budget,
                                struct sim_consistency_result *result);
void sim_check_monotonic_reads(const struct sim_history *history, const struct sim_budget *budget,
                               struct sim_consistency_result *result);
void sim_check_monotonic_writes(const struct sim_history *history, const struct sim_budget *budget,
                                struct sim_consistency_result *result);
void sim_check_writes_follow_reads(const struct sim_history *history,
                                   const struct sim_budget *budget,
                                   struct sim_consistency_result *result);

/* ---- Between the parts ---- */

enum sim_guarantee {
    SIM_READ_YOUR_WRITES,
    SIM_MONOTONIC_READS,
    SIM_MONOTONIC_WRITES,
    SIM_WRITES_FOLLOW_READS,
};

struct sim_guarantees {
    enum sim_guarantee guarantee;
    const char *anomaly; /* "not-monotonic-reads" */
    struct sim_sessions *sessions;
    struct sim_trial *trial;
    struct sim_versions versions;
    uint32_t unresolved; /* A read of which it is unknown whose writes it saw. */
};

/* Each judges all but the order of versions, whose edges it adds. False: the trial has its
 * answer, or there is no memory. Values are those of registers and keys. */
bool sim_guarantee_of_values(struct sim_guarantees *guarantees);
bool sim_guarantee_of_lists(struct sim_guarantees *guarantees); /* guarantees_lists.c */

#endif
