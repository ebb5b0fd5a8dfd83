/* Small histories of transactions written as text, and the plainest checkers there can be. */
#ifndef TESTS_TXNS_H
#define TESTS_TXNS_H

#include "sim/consistency/txn.h"

/* A transaction a line: "PROCESS INVOKED-RETURNED OUTCOME OPERATION...", such as
 *
 *     "0 1-4 ok a1:5 r2:1,2"
 *
 * with times that order the events, outcomes ok, fail, info and open, and operations aK:V (append),
 * rK:V,V.. (read a list), wK:V and rK:V (register; rK: read nothing) and rK? (not known). The
 * history is initialised by this; asserts that there is memory. */
void txns_read(struct sim_txn_history *history, enum sim_txn_object object,
               const char *const *lines, size_t count);

/* All of a history, a line each, for messages; static memory. */
const char *txns_text(const struct sim_txn_history *history);

#define BRUTE_TXNS_MAX 6

enum brute_order { BRUTE_ANY, BRUTE_SESSIONS, BRUTE_REALTIME };

/* Is there an order of all transactions that are OK, and of any that are INFO or OPEN, one after
 * the other, that explains every read? It may have to keep the order of each process, or of real
 * time. Tries them all. */
bool brute_serializable(const struct sim_txn_history *history, enum brute_order order);
/* The same of orders of beginnings and commits: reads see what was committed when the transaction
 * began, and of two that overlap only one may write a key. */
bool brute_snapshot_isolated(const struct sim_txn_history *history, enum brute_order order);

#endif
