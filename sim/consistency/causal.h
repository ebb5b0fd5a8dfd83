/* Causal consistency in its three forms, and PRAM: of registers and of keys.
 *
 * What a session did comes before what it does next, and a write before whoever reads it; causal
 * order is that, and so on. Then, as Bouajjani, Enea, Guerraoui and Hamza define them ("On
 * Verifying Causal Consistency", POPL 2017):
 *
 *   causal (CC)               Each read sees the last write of its key in some order of its
 *                             causal past, which may be another one for each read.
 *   causal convergence (CCv)  In one order for all: replicas end up equal.
 *   causal memory (CM)        Of each process all reads, in one order of its own of all writes
 *                             (Ahamad, Neiger, Burns, Kohli and Hutto 1995).
 *   PRAM                      As causal memory, but an order keeps only to that of each session
 *                             (Lipton and Sandberg 1988).
 *
 * Where it is known who wrote what was read they hold exactly if none of these is there, which
 * are the names of anomalies (but PRAM has one name for all):
 *
 *   CyclicCO         an operation comes causally before itself
 *   ThinAirRead      nobody wrote what was read
 *   WriteCOInitRead  the initial value was read, though a write comes causally before
 *   WriteCORead      a write comes causally between a read and what it has read from
 *   CyclicCF         (CCv) a write that comes causally before a read comes before what it has
 *                    read from; with that some write comes before itself
 *   WriteHBInitRead, CyclicHB
 *                    (CM) with that, and so on, for the reads of one process: the initial value
 *                    was read after a write, or an operation comes before itself
 *
 * A compare-and-set is a read and a write in one; only a write where nobody was told how it
 * ended, and in the orders that causal memory and PRAM ask of other processes. What
 * does not tell from whom it read can show a violation only by the rest; it holds if the history is
 * sequentially consistent, and is unknown otherwise. A step is an operation looked at. */
#ifndef SIM_CONSISTENCY_CAUSAL_H
#define SIM_CONSISTENCY_CAUSAL_H

#include "sim/consistency/history.h"
#include "sim/consistency/result.h"

/* All actions must be the object's own, which is a register or kv. A violation's witness is as
 * that of sim_check_sequential(). The caller releases the result. */
void sim_check_causal(const struct sim_history *history, const struct sim_budget *budget,
                      struct sim_consistency_result *result);
void sim_check_causal_convergence(const struct sim_history *history,
                                  const struct sim_budget *budget,
                                  struct sim_consistency_result *result);
void sim_check_causal_memory(const struct sim_history *history, const struct sim_budget *budget,
                             struct sim_consistency_result *result);
void sim_check_pram(const struct sim_history *history, const struct sim_budget *budget,
                    struct sim_consistency_result *result);

#endif
