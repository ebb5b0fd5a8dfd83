/* Transactions: does a history of transactions over lists or registers keep an isolation level?
 *
 * The method is Elle's (Kingsbury and Alvaro, VLDB 2020): values are unique, so what a read saw
 * says who wrote it; a list shows the order of its appends; from these and from real time or the
 * sessions follow dependencies between transactions (Adya's ww, wr and rw), and each level forbids
 * certain cycles of them and certain things seen within or between two transactions. The search
 * for cycles counts its steps instead of seconds, so that the same history has the same answer.
 *
 * A history is built event by event: sim_txn_invoke(), later sim_txn_return() followed at once by
 * what the transaction did, an operation at a time. Event order is real-time order. */
#ifndef SIM_CONSISTENCY_TXN_H
#define SIM_CONSISTENCY_TXN_H

#include "sim/consistency/result.h"
#include "sim/consistency/scratch.h"

#define SIM_TXN_NONE UINT32_MAX

enum sim_txn_anomaly {
    SIM_TXN_DUPLICATE_ELEMENTS, /* A list holds an element twice. */
    SIM_TXN_CYCLIC_VERSIONS,    /* A register's versions come before themselves. */
    SIM_TXN_INCOMPATIBLE_ORDER, /* Of two reads of a list neither begins with the other. */
    SIM_TXN_GARBAGE_READ,       /* A value that nobody wrote. */
    SIM_TXN_REORDERED,          /* A transaction's own appends, in another order than it made. */
    SIM_TXN_INTERNAL,           /* Contradicts the transaction's own reads and writes. */
    SIM_TXN_FUTURE_READ,        /* Saw what the transaction wrote only later. */
    SIM_TXN_G1A,                /* Saw a write of a transaction that failed. */
    SIM_TXN_G1B,                /* Saw a write that its transaction overwrote itself. */
    SIM_TXN_DIRTY_UPDATE,       /* A committed write on top of a failed one. */
    SIM_TXN_LOST_UPDATE,        /* Two read the same version of a key, and both wrote the key. */
    SIM_TXN_G0,                 /* Cycles: writes over writes, */
    SIM_TXN_G1C,                /* also reads of writes, */
    SIM_TXN_G_SINGLE,           /* one overwritten read, */
    SIM_TXN_G_NONADJACENT,      /* several, no two in a row, */
    SIM_TXN_G2,                 /* any. */
    SIM_TXN_G0_PROCESS,         /* The same, with the order of each process, */
    SIM_TXN_G1C_PROCESS,
    SIM_TXN_G_SINGLE_PROCESS,
    SIM_TXN_G_NONADJACENT_PROCESS,
    SIM_TXN_G2_PROCESS,
    SIM_TXN_G0_REALTIME, /* or with real time: one was over before the other began. */
    SIM_TXN_G1C_REALTIME,
    SIM_TXN_G_SINGLE_REALTIME,
    SIM_TXN_G_NONADJACENT_REALTIME,
    SIM_TXN_G2_REALTIME,
    SIM_TXN_ANOMALY_COUNT
};
/* Elle's names: "G-single-item-realtime". */
extern const char *const sim_txn_anomaly_names[SIM_TXN_ANOMALY_COUNT];

enum sim_txn_model {
    SIM_TXN_READ_UNCOMMITTED,
    SIM_TXN_READ_COMMITTED,
    SIM_TXN_MONOTONIC_ATOMIC_VIEW,
    SIM_TXN_READ_ATOMIC,
    SIM_TXN_UPDATE_ATOMIC,
    SIM_TXN_CAUSAL_CERONE,
    SIM_TXN_PREFIX,
    SIM_TXN_PARALLEL_SNAPSHOT_ISOLATION,
    SIM_TXN_MONOTONIC_VIEW,
    SIM_TXN_MONOTONIC_SNAPSHOT_READ,
    SIM_TXN_CURSOR_STABILITY,
    SIM_TXN_CONSISTENT_VIEW,
    SIM_TXN_FORWARD_CONSISTENT_VIEW,
    SIM_TXN_UPDATE_SERIALIZABLE,
    SIM_TXN_SNAPSHOT_ISOLATION,
    SIM_TXN_REPEATABLE_READ,
    SIM_TXN_SERIALIZABLE,
    SIM_TXN_STRONG_SESSION_READ_UNCOMMITTED,
    SIM_TXN_STRONG_SESSION_READ_COMMITTED,
    SIM_TXN_STRONG_SESSION_SNAPSHOT_ISOLATION,
    SIM_TXN_STRONG_SESSION_SERIALIZABLE,
    SIM_TXN_STRONG_READ_UNCOMMITTED,
    SIM_TXN_STRONG_READ_COMMITTED,
    SIM_TXN_STRONG_SNAPSHOT_ISOLATION,
    SIM_TXN_STRICT_SERIALIZABLE,
    SIM_TXN_MODEL_COUNT
};
const char *sim_txn_model_name(uint32_t model); /* "strict-serializable" */

/* The model of that name, Adya's names included ("PL-3"); SIM_TXN_MODEL_COUNT if there is none. */
uint32_t sim_txn_model_find(const char *name);
/* Bit a is set: anomaly a breaks the model. */
uint32_t sim_txn_prohibited(uint32_t model);
/* Bit b is set: where anomaly a is, anomaly b is too; a itself included. */
uint32_t sim_txn_implied(uint32_t anomaly);

enum sim_txn_object {
    SIM_TXN_LIST,
    SIM_TXN_REGISTER,
    SIM_TXN_LOG, /* For sim/consistency/log.h; sim_txn_check() does not judge it. */
};
enum sim_txn_outcome { SIM_TXN_OPEN, SIM_TXN_OK, SIM_TXN_FAILED, SIM_TXN_INFO };

struct sim_txn {
    uint64_t process;
    uint32_t invoked;  /* Position among all events. */
    uint32_t returned; /* SIM_TXN_NONE while open. */
    uint32_t first;    /* Of its operations, which stand together in their order. */
    uint32_t count;
    uint32_t outcome; /* enum sim_txn_outcome */
};

enum sim_txn_action { SIM_TXN_WRITE, SIM_TXN_READ, SIM_TXN_READ_UNKNOWN };

struct sim_txn_operation {
    uint32_t txn;
    uint32_t key;
    uint32_t element;  /* Written; read from a register, SIM_TXN_NONE for nothing. */
    uint32_t length;   /* Of the list that was read. */
    uint32_t start;    /* Of a list that is no beginning of its key's trunk: in items[]. */
    uint32_t previous; /* Operation of the same transaction on the same key, or SIM_TXN_NONE. */
    uint8_t action;    /* enum sim_txn_action */
    bool last;         /* Of the transaction's writes to this key. */
};

struct sim_txn_element { /* A value of a key. */
    uint64_t value;
    uint32_t key;
    uint32_t writer; /* Operation, or SIM_TXN_NONE. */
};

struct sim_txn_key { /* A list and a register of the same name are two. */
    uint64_t name;
    uint32_t object; /* enum sim_txn_object */
    uint32_t *trunk; /* The longest list read of it: most reads are beginnings of that. */
    uint32_t trunk_count;
    size_t trunk_capacity;
    uint32_t trunk_reader;   /* Operation that read it all. */
    uint32_t branch_reader;  /* Operation that read another order, or SIM_TXN_NONE. */
    uint32_t branch_longest; /* Of several as long as it, the one that was new last. */
    uint32_t operation;      /* Last of the transaction being added. */
};

/* How a key or a value is called in words; without one it is a number. */
typedef void (*sim_txn_show_fn)(const void *context, uint64_t number, char *text,
                                size_t size_bytes);

/* Owned throughout; read freely, change through the functions. */
struct sim_txn_history {
    uint32_t object; /* enum sim_txn_object: what the next operations are on; may be set. */
    bool mixed;      /* There are keys of both kinds. */
    struct sim_txn *txns;
    struct sim_txn_operation *operations;
    struct sim_txn_element *elements;
    struct sim_txn_key *keys;
    uint32_t *items;
    uint32_t *element_slots, *key_slots; /* Open addressing: a number plus 1, or 0. */
    uint32_t txn_count, operation_count, element_count, key_count, item_count;
    size_t txn_capacity, operation_capacity, element_capacity, key_capacity, item_capacity;
    uint32_t element_slot_count, key_slot_count;
    uint32_t positions;
    uint32_t twice_first, twice_second; /* Operations that wrote the same value, or NONE. */
    uint32_t current;                   /* The transaction that operations go to. */
    struct sim_scratch scratch;
    sim_txn_show_fn show; /* Set by whoever has names, after sim_txn_history_init(). */
    const void *show_context;
};

/* A history of one kind of object, or of both if `object` is set before operations on the other. */
void sim_txn_history_init(struct sim_txn_history *history, enum sim_txn_object object,
                          size_t memory_bytes);
void sim_txn_history_release(struct sim_txn_history *history);
/* All keys so far and from here on are of this kind: for whoever learns it after the first reads
 * that saw nothing. Asserts that nothing was written or seen before. */
void sim_txn_history_is_of(struct sim_txn_history *history, enum sim_txn_object object);

/* All of these answer SIM_ENOMEM when the memory allowed is used up; the history then serves
 * for nothing more than release. */
SIM_NODISCARD enum sim_status sim_txn_invoke(struct sim_txn_history *history, uint64_t process,
                                             uint32_t *txn);
/* `outcome` OPEN: it never returned, and what follows says only what it tried to do. Asserts that
 * the transaction is open. */
void sim_txn_return(struct sim_txn_history *history, uint32_t txn, enum sim_txn_outcome outcome);
/* Operations of the transaction returned last, in their order: a write (an append, to a list), */
SIM_NODISCARD enum sim_status sim_txn_write(struct sim_txn_history *history, uint64_t key,
                                            uint64_t value);
/* a read of a register, which held `value`, or nothing if `value` is NULL, */
SIM_NODISCARD enum sim_status sim_txn_read(struct sim_txn_history *history, uint64_t key,
                                           const uint64_t *value);
/* a read of a list, */
SIM_NODISCARD enum sim_status sim_txn_read_list(struct sim_txn_history *history, uint64_t key,
                                                const uint64_t *values, uint32_t count);
/* a read that nobody knows the answer of. The other two are taken for this one if the outcome is
 * not OK: then what was read says nothing (but of a log, whose messages are there all the same). */
SIM_NODISCARD enum sim_status sim_txn_read_unknown(struct sim_txn_history *history, uint64_t key);

/* Element i of the list that a read saw. */
static inline uint32_t sim_txn_item(const struct sim_txn_history *h,
                                    const struct sim_txn_operation *o, uint32_t i)
{
    return o->start == SIM_TXN_NONE ? h->keys[o->key].trunk[i] : h->items[o->start + i];
}

enum sim_txn_why {
    SIM_TXN_WW, /* `to` wrote over what `from` wrote, */
    SIM_TXN_WR, /* read what it wrote, */
    SIM_TXN_RW, /* wrote over what it read, */
    SIM_TXN_PROCESS,
    SIM_TXN_REALTIME,
};
struct sim_txn_step {
    uint32_t from, to; /* Transactions. */
    uint32_t why;      /* enum sim_txn_why */
    uint32_t element;  /* Of ww and rw: what `to` wrote; of wr: what it read. */
    uint32_t seen;     /* Of ww and rw: what `from` wrote or read; SIM_TXN_NONE for nothing. */
};

/* What the check found worst: a smallest cycle among those that the model forbids, or else one
 * or two transactions. */
struct sim_txn_witness {
    uint32_t anomaly; /* SIM_TXN_ANOMALY_COUNT: nothing. */
    uint32_t txns[2]; /* Of an anomaly that is no cycle; the second may be SIM_TXN_NONE. */
    uint32_t key;     /* Of such an anomaly. */
    uint32_t element; /* The value that shows it, or SIM_TXN_NONE. */
    struct sim_txn_step *steps; /* Of a cycle; heap, owned. */
    uint32_t step_count;
};
void sim_txn_witness_release(struct sim_txn_witness *witness);

/* Judge a finished history. A step of the budget is one edge looked at. Fills in `result` and
 * `witness`, which the caller releases; the result's witness are the numbers of transactions. */
void sim_txn_check(const struct sim_txn_history *history, uint32_t model,
                   const struct sim_budget *budget, struct sim_consistency_result *result,
                   struct sim_txn_witness *witness);

/* In words: a step of a cycle, "T1 read key 1 without the 5 that T2 appended"; a witness that is
 * no cycle; a transaction, "append 1 5, read 2 [1 2]". Transactions are called "T" and their
 * number. All cut what does not fit. */
void sim_txn_step_words(const struct sim_txn_history *history, const struct sim_txn_step *step,
                        char *text, size_t size_bytes);
void sim_txn_witness_words(const struct sim_txn_history *history,
                           const struct sim_txn_witness *witness, char *text, size_t size_bytes);
void sim_txn_words(const struct sim_txn_history *history, uint32_t txn, char *text,
                   size_t size_bytes);

#endif
