/* What the parts of the search for a sequential order share: sequential_search.c drives,
 * sequential_position.c knows what has been taken and where the search has been,
 * sequential_choice.c what to take next. */
#ifndef SIM_CONSISTENCY_SEQUENTIAL_INTERNAL_H
#define SIM_CONSISTENCY_SEQUENTIAL_INTERNAL_H

#include "sim/consistency/machine.h"
#include "sim/consistency/sequential.h"

struct sim_sequential_taken {
    uint32_t node;
    uint32_t state; /* What its key held before. */
    uint32_t slot;
};

struct sim_sequential_frame {
    size_t trail;  /* What has been taken before its candidates. */
    uint64_t next; /* Candidates are tried in the order of the history: from this place on. */
};

struct sim_sequential {
    const struct sim_precedence *p;
    const struct sim_sessions *s;
    struct sim_trial *trial;
    struct sim_machine machine;
    struct sim_call *calls; /* By node. */
    uint32_t *heads;        /* By session: how many have been taken. */
    uint32_t *states;       /* By key. */
    uint32_t mandatory;     /* Nodes to be taken yet. */
    uint64_t prints[2];     /* Fingerprint of heads and states. */

    /* Keys whose states are values and not made from older ones: a slot for each key and value
     * counts who still needs it and who can still bring it about. */
    uint32_t *slot_states; /* Open addressing. */
    uint32_t *slot_keys;   /* Plus 1; 0: free. */
    uint32_t *demand;
    uint32_t *supply;
    size_t slot_count;
    uint32_t *current; /* By key: its slot. */
    bool *moves;       /* By key: it has states made from older ones. */
    uint32_t *resets;  /* By key: calls to be taken yet that do not look at what was before. */

    uint64_t *seen; /* Fingerprints; open addressing: two words each; 0 0: free. */
    size_t seen_slots;
    size_t seen_count;
    struct sim_sequential_taken *trail; /* What has been taken, in that order. */
    size_t trail_count;
    struct sim_sequential_frame *frames;
    size_t frame_count;
    size_t frame_capacity;
    uint32_t *furthest; /* Heads where most had been taken. */
    size_t furthest_count;
    bool no_memory;
};

/* ---- Calls ----------------------------------------------------------------------------------- */

/* Its key has no states that are made from older ones: demand and supply are counted. */
static inline bool sim_sequential_is_tracked(const struct sim_sequential *x, uint32_t node)
{
    return !x->moves[x->s->nodes[node].key];
}

static inline bool sim_sequential_needs(const struct sim_call *call, uint32_t *state)
{
    *state = call->kind == SIM_CALL_EXPECT ? call->target : call->expected;
    return call->kind == SIM_CALL_EXPECT || call->kind == SIM_CALL_SWAP;
}

static inline bool sim_sequential_gives(const struct sim_call *call)
{
    return call->kind == SIM_CALL_SET || call->kind == SIM_CALL_SWAP;
}

static inline uint32_t sim_sequential_step(struct sim_sequential *x, uint32_t node, uint32_t state)
{
    x->trial->steps++;
    return sim_machine_step(&x->machine, &x->calls[node], state);
}

/* ---- sequential_position.c ------------------------------------------------------------------- */

/* Stand before the first node, with everything to be taken yet: calls and moves are known, the
 * rest is zeroed memory. */
void sim_sequential_begin(struct sim_sequential *search, uint32_t initial);
/* The place of a key's state among the slots: found, or made. */
uint32_t sim_sequential_slot(struct sim_sequential *search, uint32_t key, uint32_t state);
/* Take a session's next node, which leaves `state`. */
void sim_sequential_take(struct sim_sequential *search, uint32_t node, uint32_t state);
/* Give back what was taken last, until the trail is this long. */
void sim_sequential_give_back(struct sim_sequential *search, size_t trail);
/* Is the position new? Without memory it is not, and no_memory says so. */
bool sim_sequential_remember(struct sim_sequential *search);

/* ---- sequential_choice.c --------------------------------------------------------------------- */

/* Take every pure call that can go. */
void sim_sequential_close(struct sim_sequential *search);
/* The impure node that can go and comes first in the history, but not before the frame's next;
 * SIM_NODE_NOTHING if there is none. */
uint32_t sim_sequential_candidate(const struct sim_sequential *search,
                                  struct sim_sequential_frame *frame);
/* A node that may not have been: could a next one tell that it was? True of all others. */
bool sim_sequential_is_of_use(struct sim_sequential *search, uint32_t node, uint32_t state);
/* Has something been overwritten that is still needed, or can a string or list never become what
 * some session reads next? */
bool sim_sequential_is_dead(const struct sim_sequential *search,
                            const struct sim_sequential_taken *last);
/* Before the first step: a node that needs what was not there at first and nobody brings about;
 * SIM_NODE_NOTHING if there is none. */
uint32_t sim_sequential_hopeless(struct sim_sequential *search);

#endif
