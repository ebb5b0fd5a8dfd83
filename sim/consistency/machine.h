/* Sequential specifications: an object as a machine whose states are numbers, and operations as
 * calls that move it. The search for linearizations knows nothing else of an object.
 *
 * Equal states have equal numbers. A register's state is the number of its value; strings,
 * lists and stacks are nodes of one tree of prefixes; sets and queues are interned arrays.
 *
 * Strings and lists only grow (or are written anew), and only reads tell what they hold. So the
 * tree holds just what some read saw and what that began with; all other contents are one state,
 * SIM_STATE_UNSEEN, since no call can tell them apart. */
#ifndef SIM_CONSISTENCY_MACHINE_H
#define SIM_CONSISTENCY_MACHINE_H

#include "sim/consistency/history.h"

#define SIM_STATE_ILLEGAL UINT32_MAX         /* The call cannot take place here. */
#define SIM_STATE_NO_MEMORY (UINT32_MAX - 1) /* The scratch is exhausted. */
#define SIM_STATE_UNSEEN                                                                           \
    (UINT32_MAX - 2) /* Strings and lists: what no read ever saw the like of. */

enum sim_call_kind {
    SIM_CALL_EXPECT, /* Pure: legal only in state `target`. */
    SIM_CALL_AVOID,  /* Pure: legal in all but that. */
    SIM_CALL_HAS,    /* Pure: legal if the set holds `value`, */
    SIM_CALL_HAS_NOT,
    SIM_CALL_SET,  /* To state `target`, from everywhere. */
    SIM_CALL_SWAP, /* To state `target`, from `expected` alone. */
    SIM_CALL_MOVE, /* As `action` with `value` says. */
};

/* A call is pure if it leaves every state in which it is legal as it is. */
static inline bool sim_call_is_pure(uint32_t kind)
{
    return kind <= SIM_CALL_HAS_NOT;
}

struct sim_call {
    uint32_t invoked;
    uint32_t returned; /* SIM_POSITION_NEVER: it may take place any time later, or never. */
    uint32_t kind;     /* enum sim_call_kind */
    uint32_t target;
    uint32_t expected;
    uint32_t value;
    uint32_t action; /* Of MOVE; SIM_VALUE_UNKNOWN as the value of a DEQUEUE or POP: any. */
    uint32_t class;  /* Equal for calls that do the same in every state. */
    uint32_t place;  /* In the history. */
};

struct sim_tree_node {
    uint32_t parent;
    uint32_t symbol;
    uint32_t first_child; /* 0: none yet. The others are in the table. */
    uint32_t enter;       /* Of a frozen tree: the nodes below have numbers from here */
    uint32_t leave;       /* to here, this excluded. */
};

/* All members are the machine's own. */
struct sim_machine {
    const struct sim_history *history;
    struct sim_scratch *scratch;
    uint32_t object;

    struct sim_tree_node *nodes; /* 0 is the root. */
    size_t node_count;
    size_t node_capacity;
    uint32_t *node_slots;
    size_t node_slot_count;
    size_t node_slots_used;
    bool frozen;

    uint32_t *words; /* Interned arrays, one after another. */
    size_t word_count;
    size_t word_capacity;
    size_t *tuple_starts; /* tuple_count + 1 of them. */
    size_t tuple_count;
    size_t tuple_capacity;
    uint32_t *tuple_slots;
    size_t tuple_slot_count;

    uint64_t *memo_keys; /* (state, class) of moves already made, plus 1; 0: free. */
    uint32_t *memo_states;
    size_t memo_slot_count;
    size_t memo_count;

    uint32_t *array; /* For building a state or sorting a list. */
    size_t array_capacity;
};

/* A machine for the history's object; both arguments are borrowed. Errors: SIM_ENOMEM. It may be
 * released after any failure. */
SIM_NODISCARD enum sim_status sim_machine_init(struct sim_machine *machine,
                                               const struct sim_history *history,
                                               struct sim_scratch *scratch);
void sim_machine_release(struct sim_machine *machine);

/* The state before any operation; SIM_STATE_NO_MEMORY. */
uint32_t sim_machine_initial(struct sim_machine *machine);

/* Calls are made in three steps: begin, see everything that will be a call, then make the calls.
 * Calls and states from before are void. False without memory. */
void sim_machine_begin(struct sim_machine *machine);
SIM_NODISCARD bool sim_machine_see(struct sim_machine *machine, uint32_t place);
/* What the operation at `place` does as a call. False without memory. The action must be one of
 * the object's (sim_object_has()). */
SIM_NODISCARD bool sim_machine_call(struct sim_machine *machine, uint32_t place,
                                    struct sim_call *call);

/* The state after `call`; SIM_STATE_ILLEGAL or SIM_STATE_NO_MEMORY. */
uint32_t sim_machine_move(struct sim_machine *machine, const struct sim_call *call, uint32_t state);
/* Is a pure call of kind HAS or HAS_NOT legal? */
bool sim_machine_has(const struct sim_machine *machine, uint32_t state, uint32_t value);

/* Do strings or lists in `state` become `target` by appending, or are they the same? */
static inline bool sim_machine_grows(const struct sim_machine *machine, uint32_t state,
                                     uint32_t target)
{
    return state != SIM_STATE_UNSEEN && target != SIM_STATE_UNSEEN &&
           machine->nodes[state].enter <= machine->nodes[target].enter &&
           machine->nodes[target].enter < machine->nodes[state].leave;
}

static inline uint32_t sim_machine_step(struct sim_machine *machine, const struct sim_call *call,
                                        uint32_t state)
{
    switch (call->kind) {
    case SIM_CALL_EXPECT:
        return state == call->target ? state : SIM_STATE_ILLEGAL;
    case SIM_CALL_AVOID:
        return state != call->target ? state : SIM_STATE_ILLEGAL;
    case SIM_CALL_SET:
        return call->target;
    case SIM_CALL_SWAP:
        return state == call->expected ? call->target : SIM_STATE_ILLEGAL;
    case SIM_CALL_HAS:
    case SIM_CALL_HAS_NOT:
        return sim_machine_has(machine, state, call->value) == (call->kind == SIM_CALL_HAS)
                   ? state
                   : SIM_STATE_ILLEGAL;
    default:
        return sim_machine_move(machine, call, state);
    }
}

/* Is the action one that the object has? */
bool sim_object_has(enum sim_object object, enum sim_action action);

#endif
