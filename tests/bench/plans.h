/* Plans for the benches, built by hand: no scenario file and no JSON between the bench and the
 * world, so that only what is measured is linked. */
#ifndef BENCH_PLANS_H
#define BENCH_PLANS_H

#include "sim/plan.h"

/* A ring: every node that gets a token sends it on to the next node. No timers, no disk: a
 * world that does nothing but carry messages. */
extern const struct sim_node_kind bench_ring_kind;

struct bench_ring {
    uint32_t nodes;
    uint32_t tokens; /* Started by each node when it boots; all stay in flight. */
    bool streams;    /* Ordered and retransmitted, instead of datagrams. */
    bool constant;   /* Every message takes 500 us, instead of 100 to 900 us. */
};

/* All of these fill `plan`, to be given back with sim_plan_release(). They run for ever (raft:
 * for its 60 simulated seconds), and end the program if there is no memory. */
void bench_plan_ring(struct sim_plan *plan, const struct bench_ring *ring);

/* The example kind: every node calls every other in turn, one call an interval. */
void bench_plan_echo(struct sim_plan *plan, uint32_t nodes, uint64_t interval_ns);

/* Raft with a key-value store, as it is tested: 60 simulated seconds and then up to 10 in which
 * progress is demanded, 50 operations a second in an open loop, every check on, and (with
 * `swarm`) every family of faults that the protocol must survive. */
void bench_plan_raft(struct sim_plan *plan, uint32_t nodes, bool swarm);

#define BENCH_RAFT_CLIENTS 8 /* Sessions that share the operations. */

#endif
