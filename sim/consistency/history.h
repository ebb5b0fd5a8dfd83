/* A history: what clients asked of an object and what they were told, from whatever source, in
 * one neutral form that all consistency checkers read.
 *
 * Operations stand in the order of their invocation. Every invocation and every return has a
 * position, counted from 0 over both: position order is real-time order, and all that
 * linearizability looks at. Values, keys and processes are interned: equal ones have equal
 * numbers, counted up in order of appearance. */
#ifndef SIM_CONSISTENCY_HISTORY_H
#define SIM_CONSISTENCY_HISTORY_H

#include "sim/consistency/scratch.h"
#include "sim/history.h"

#define SIM_VALUE_NIL UINT32_C(0)      /* No value: what a register holds at first. */
#define SIM_VALUE_EMPTY UINT32_C(1)    /* The text "": what a key holds at first. */
#define SIM_VALUE_UNKNOWN UINT32_MAX   /* Nobody was told. */
#define SIM_POSITION_NEVER UINT32_MAX  /* Has not returned. */
#define SIM_HISTORY_NOTHING UINT32_MAX /* From the builders: refused, or no memory. */

enum sim_object {
    SIM_OBJECT_REGISTER,
    SIM_OBJECT_KV, /* Strings under keys, first "". */
    SIM_OBJECT_LIST,
    SIM_OBJECT_SET,
    SIM_OBJECT_QUEUE, /* First in, first out. */
    SIM_OBJECT_STACK,
    SIM_OBJECT_COUNTER,
    SIM_OBJECT_LOCK, /* Whoever holds it may release it, and so may anybody else. */
    SIM_OBJECT_COUNT
};
extern const char *const sim_object_names[SIM_OBJECT_COUNT]; /* "register", ... */

enum sim_action {
    SIM_ACTION_READ,       /* result: the value; of a list or set: which list (below) */
    SIM_ACTION_WRITE,      /* value */
    SIM_ACTION_CAS,        /* expected is replaced by value */
    SIM_ACTION_CAS_MISSED, /* The object held something else than expected. */
    SIM_ACTION_APPEND,     /* value: to a list, or to the string under a key */
    SIM_ACTION_ADD,        /* value: an element of a set, an amount for a counter */
    SIM_ACTION_REMOVE,     /* value: from a set, whether it is there or not */
    SIM_ACTION_HAS,        /* value; result: SIM_VALUE_NIL if it is not in the set */
    SIM_ACTION_ENQUEUE,    /* value */
    SIM_ACTION_DEQUEUE,    /* result: the value; SIM_VALUE_NIL: it was empty */
    SIM_ACTION_PUSH,       /* value */
    SIM_ACTION_POP,        /* result: as of dequeue */
    SIM_ACTION_ACQUIRE,
    SIM_ACTION_RELEASE,
    SIM_ACTION_COUNT
};
extern const char *const sim_action_names[SIM_ACTION_COUNT]; /* "read", ... */

struct sim_history_operation {
    uint32_t process; /* From 0; processes[] has its own name. */
    uint32_t key;     /* SIM_VALUE_NIL where there is only one object. */
    uint32_t value;
    uint32_t expected;
    uint32_t result;
    uint32_t invoked;  /* Position. */
    uint32_t returned; /* SIM_POSITION_NEVER: open, or given up (OPEN, INFO). */
    uint32_t invoke_line;
    uint32_t return_line; /* In the file it came from; 0: none. */
    uint8_t action;       /* enum sim_action */
    uint8_t outcome;      /* enum sim_outcome; FAIL: definitely did not take place. */
    uint64_t invoke_ns;   /* 0 throughout if the source has no times. */
    uint64_t return_ns;
};

enum sim_value_type {
    SIM_VALUE_IS_NIL,
    SIM_VALUE_IS_INTEGER,
    SIM_VALUE_IS_TEXT,   /* Shown in quotes. */
    SIM_VALUE_IS_SYMBOL, /* Shown as it is. */
};

struct sim_history_value {
    uint64_t bits; /* Of an integer, two's complement; of a text where it begins in bytes[]. */
    uint32_t size_bytes;
    uint32_t type; /* enum sim_value_type */
};

/* What the process of an operation is called, for as long as the history is. */
typedef const char *(*sim_history_name_fn)(const void *context,
                                           const struct sim_history_operation *operation);

/* All arrays are owned. Read them freely; change them only through the functions below. */
struct sim_history {
    uint32_t object; /* enum sim_object, as far as the source says or shows. */
    struct sim_history_operation *operations;
    size_t count;
    uint32_t position_count;
    bool has_times;

    struct sim_history_value *values; /* By their numbers; values[0] is nil. */
    size_t value_count;
    char *bytes; /* Of texts. */
    size_t byte_count;

    uint32_t *items;     /* Elements of all the lists that were read, */
    size_t *list_starts; /* list i being items[list_starts[i] .. list_starts[i + 1] - 1]. */
    size_t list_count;   /* Has list_count + 1 starts. */
    size_t item_count;

    uint64_t *processes; /* By number, what the source calls it. */
    uint32_t *open;      /* Of each process its open operation, or SIM_HISTORY_NOTHING. */
    size_t process_count;
    sim_history_name_fn name; /* Set by whoever has names; NULL: "process" and what it is called. */
    const void *name_context;

    struct sim_scratch scratch; /* Counts all of it; the rest is the builder's. */
    size_t operation_capacity;
    size_t value_capacity;
    size_t byte_capacity;
    size_t item_capacity;
    size_t list_capacity;
    size_t process_capacity;
    size_t open_capacity;
    uint32_t *value_slots; /* Open addressing: a number plus 1, or 0. */
    size_t value_slot_count;
    uint32_t *process_slots;
    size_t process_slot_count;
};

/* An empty history that holds at most `memory_bytes`. Everything may be released after any
 * failure. Errors: SIM_ENOMEM. */
SIM_NODISCARD enum sim_status sim_history_init(struct sim_history *history, size_t memory_bytes);
void sim_history_release(struct sim_history *history);

/* The number of a value, which is new or not; SIM_HISTORY_NOTHING without memory. */
SIM_NODISCARD uint32_t sim_history_integer(struct sim_history *history, int64_t integer);
SIM_NODISCARD uint32_t sim_history_text(struct sim_history *history, enum sim_value_type type,
                                        const char *text, size_t size_bytes);
/* Registers hold `value`, one of these numbers, at first and not nil: it is SIM_VALUE_NIL from now
 * on, in place of its own number. To be said before any operation. */
void sim_history_initial(struct sim_history *history, uint32_t value);
/* The number of a list of values, always a new one; SIM_HISTORY_NOTHING without memory. */
SIM_NODISCARD uint32_t sim_history_list(struct sim_history *history, const uint32_t *items,
                                        size_t count);
/* A process by the source's own name for it; SIM_HISTORY_NOTHING without memory. */
SIM_NODISCARD uint32_t sim_history_process(struct sim_history *history, uint64_t name);

/* The next event: `operation` is invoked (its process, key, action, value, expected, invoke_line
 * and invoke_ns say what; the rest is filled in here). The process must have none open (asserts).
 * The operation's place; SIM_HISTORY_NOTHING without memory. */
SIM_NODISCARD uint32_t sim_history_invoke(struct sim_history *history,
                                          const struct sim_history_operation *operation);
/* The next event: it returns OK, FAIL or INFO. After INFO its position of return is still
 * SIM_POSITION_NEVER: it may take place any time later. */
void sim_history_return(struct sim_history *history, uint32_t place, enum sim_outcome outcome,
                        uint32_t result);

/* A value, or an operation with its outcome, for people: "cas 1 -> 2: ok". Cut if it does not
 * fit; the length that was written. */
size_t sim_history_show_value(const struct sim_history *history, uint32_t value, char *text,
                              size_t size_bytes);
size_t sim_history_show(const struct sim_history *history, uint32_t place, char *text,
                        size_t size_bytes);

#endif
