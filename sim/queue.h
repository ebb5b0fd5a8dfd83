/* Pending events, ordered by time, equal times in the order of insertion.
 *
 * A radix heap: a simulator's queue is monotone (nothing is scheduled before the last event
 * taken), so buckets by the highest digit in which a time differs from an earlier one need hardly
 * a comparison and touch memory in sequence; only a bucket of few events, from which events
 * are taken, is sorted. Each bucket keeps insertion order, and a bucket is redistributed in that
 * order, so ties come out by sequence without storing one. */
#ifndef SIM_QUEUE_H
#define SIM_QUEUE_H

#include "sim/arena.h"
#include "sim/rng.h"

/* 32 bytes: two to a cache line. Only time_ns orders; the rest is the owner's. */
struct sim_pending {
    uint64_t time_ns;
    uint32_t kind;
    uint32_t target;
    uint64_t data;
    uint64_t data2;
};

struct sim_queue; /* Lives in the arena given to sim_queue_new(). */

/* An empty queue, for times from 0 on; NULL if the arena is full. */
SIM_NODISCARD struct sim_queue *sim_queue_new(struct sim_arena *arena);

/* Add an event not earlier than the last one taken (asserts). SIM_ENOMEM changes nothing.
 * A push secures all the memory that taking the event will need: only a push can fail. */
SIM_NODISCARD enum sim_status sim_queue_add(struct sim_queue *queue, uint64_t time_ns,
                                            uint32_t kind, uint32_t target, uint64_t data,
                                            uint64_t data2);

/* The same for a whole event. Inline, so that the fields travel in registers: an event built
 * in memory field by field and then read whole waits for the stores, which measured a third
 * of the cost of a push and a pop. */
SIM_NODISCARD static inline enum sim_status sim_queue_push(struct sim_queue *queue,
                                                           struct sim_pending event)
{
    return sim_queue_add(queue, event.time_ns, event.kind, event.target, event.data, event.data2);
}

/* Take the earliest event; false if there is none. */
bool sim_queue_pop(struct sim_queue *queue, struct sim_pending *event);

/* The same, but among events of the same time a random one, each as likely: explores more
 * orders. Draws two outputs if there is a choice, else none. The events left behind at that
 * time are no longer in the order of insertion. */
bool sim_queue_pop_shuffled(struct sim_queue *queue, struct sim_rng *rng,
                            struct sim_pending *event);

/* Time of the earliest event, SIM_NEVER if there is none. Only looks: an event earlier than
 * the answer may still be pushed. (One at SIM_NEVER itself is told by the count.) */
uint64_t sim_queue_next_ns(const struct sim_queue *queue);

size_t sim_queue_count(const struct sim_queue *queue);

#endif
