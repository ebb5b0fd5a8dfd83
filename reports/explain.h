/* Why a run went wrong: the chain of causes back from a violation, as sentences.
 *
 * A record happens before another (Lamport 1978) if it comes earlier on the same node, or is
 * the sending of a message whose delivery does. From the violation back this is a cone, most of
 * which did not matter. Kept are the milestones: facts that changed, with the messages that
 * changed them; crashes, faults, settings and failed syncs. A delivery leads on to its sender
 * only if its receiver's facts or disk changed by it, or if others of its kind had to come
 * together (votes) before they did.
 *
 * Nothing here knows a protocol: names are those that the node kind gives to its messages
 * and facts. A node with a cpu queue handles a message some time after its delivery; the
 * record just before an effect is then not always its true cause. */
#ifndef REPORTS_EXPLAIN_H
#define REPORTS_EXPLAIN_H

#include "sim/world.h"

struct explain; /* Collects the records of one run. */

/* NULL if out of memory. The plan must outlive it. */
SIM_NODISCARD struct explain *explain_new(const struct sim_plan *plan);
void explain_free(struct explain *explain);

/* For sim_world_new(). Keeps every record up to the first violation. */
const struct sim_sink *explain_sink(struct explain *explain);

struct explain_line {
    uint64_t time_ns;
    uint64_t event; /* Sequence number of its record. */
    uint32_t node;  /* SIM_NOBODY: none. */
    char words[240];
};

/* What led to the first violation, in the order of time, the violation last. Owned by `explain`.
 * SIM_EINVAL: nothing was violated. SIM_ENOMEM: the run's records did not fit into memory. */
SIM_NODISCARD enum sim_status explain_causes(struct explain *explain,
                                             const struct explain_line **lines, size_t *count);

/* What happened from `from_ns` to before `to_ns`, in a sentence: the last of the causes above in
 * that time, or else the last event at all. False: nothing happened. After SIM_OK above. */
SIM_NODISCARD bool explain_between(const struct explain *explain, uint64_t from_ns, uint64_t to_ns,
                                   struct explain_line *line);

/* The last of the causes before `time_ns`; false if all came later. */
SIM_NODISCARD bool explain_cause_before(const struct explain *explain, uint64_t time_ns,
                                        struct explain_line *line);

/* The check that was violated; only after SIM_OK above. */
uint32_t explain_check(const struct explain *explain);

#endif
