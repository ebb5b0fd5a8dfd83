/* Small worlds for tests of the world's own parts: plans built by hand, without scenario files,
 * and one node kind that says and answers what its settings ask for.
 *
 * Typical use:
 *     struct stage s;
 *     stage_plan(&s, 2, 0);                          // n0 and n1, no clients
 *     stage_talk(&s, 0, 1, SIM_MS, 1000, 64);        // n0 tells n1 something every ms
 *     stage_link(&s, 0, 1, SIM_LINK_LOSS)->loss_ppm = 100000;
 *     stage_run(&s, seed);                           // builds the world, runs it to its end
 *     ... s.records, s.metrics ...
 *     stage_end(&s);
 */
#ifndef TESTS_PLANS_H
#define TESTS_PLANS_H

#include "sim/world_internal.h"

#define ANY SIM_NOBODY                   /* Whatever node, or every node and client. */
#define LLU(x) ((unsigned long long)(x)) /* For %llu. */

/* Settings of the kind. */
enum {
    TALK_TO,       /* Node it tells something ... */
    TALK_INTERVAL, /* ... every so many nanoseconds; 0: it never speaks. */
    TALK_COUNT,    /* At most. */
    TALK_SIZE,     /* Bytes of a message, at least 8: the first hold its number, from 1. */
    TALK_BURST,    /* Messages at a time. */
    TALK_ANSWER,   /* enum talk_answer: what it says to clients. */
    TALK_HINT,     /* Node named by NOT_LEADER. */
    TALK_KEEPS,    /* 1: writes each message it gets to its disk, and syncs every other one. */
    TALK_SETTING_COUNT
};
enum talk_answer { TALK_STORES, TALK_SILENT, TALK_REFUSES, TALK_POINTS, TALK_FAILS };

#define TALK_KEYS 8

/* A node's state; the number of messages and of operations it got are facts, too. */
struct talker {
    uint64_t told;
    uint64_t heard;
    uint64_t asked;
    uint64_t values[TALK_KEYS];
};

extern const struct sim_node_kind talker_kind;         /* Speaks in datagrams. */
extern const struct sim_node_kind talker_streams_kind; /* The same on streams. */

/* Called with every event of every node before the node acts on it; NULL: nobody. A test that
 * sets it takes part in the world: it may ask for effects. */
typedef void (*stage_watch_fn)(struct sim_env *env, const struct sim_event *event);
extern stage_watch_fn stage_watch;

/* The byte at place i of message number n, from the ninth on. */
static inline uint8_t talk_byte(uint64_t n, uint32_t i)
{
    return (uint8_t)(n * 7 + i);
}

/* One run: a plan, and what came of it. */
struct stage {
    struct sim_plan plan;
    struct sim_arena *arena;
    struct sim_world *world; /* NULL: not built. */
    struct sim_sink sink;
    struct sim_record *records; /* Of the kinds in sink.kinds; all by default. */
    size_t record_count;
    size_t record_capacity;
    struct sim_metrics metrics; /* After stage_run(). */
};

/* Servers "n0", "n1", ... in one group of talkers that never speak, and clients "c0", ... in one
 * workload: a closed loop of writes and reads, a millisecond apart. Everybody is in the first of
 * two zones, without delays. A minute long. */
void stage_plan(struct stage *s, uint32_t servers, uint32_t clients);
void stage_streams(struct stage *s); /* All servers use streams by default. */
/* Let `from` send `count` messages of `size_bytes` to `to`, one every `interval_ns`. */
void stage_talk(struct stage *s, uint32_t from, uint32_t to, uint64_t interval_ns, uint64_t count,
                uint32_t size_bytes);
void stage_set(struct stage *s, uint32_t node, uint32_t setting, int64_t value);

/* One more rule for one field of the link from -> to, either of which may be ANY. The pointer is
 * good until the next rule. */
struct sim_link_knobs *stage_link(struct stage *s, uint32_t from, uint32_t to,
                                  enum sim_link_field field);
/* One more fault; at one node, or at nobody (SIM_NOBODY). Good until the next one. */
struct sim_fault *stage_fault(struct stage *s, enum sim_fault_kind kind, uint32_t node,
                              uint64_t at_ns, uint64_t for_ns);
/* Cut everything between two nodes. */
void stage_cut(struct stage *s, uint32_t one, uint32_t other, uint64_t at_ns, uint64_t for_ns);
void stage_fate(struct stage *s, uint32_t from, uint32_t to, uint32_t message_kind,
                enum sim_fate_action action, uint64_t ordinal, uint64_t delay_ns);
void stage_select(struct sim_selection *selection, uint32_t node); /* Add one node. */
/* n0, n1 and n2 talk in a ring, over links that are slow, lose and duplicate; they keep what they
 * hear on disks that differ in speed, and their clocks wander. */
void stage_busy(struct stage *s);

static inline struct sim_dist constant(uint64_t value)
{
    return (struct sim_dist){.kind = SIM_DIST_CONSTANT, .a = value};
}

static inline struct sim_dist uniform(uint64_t low, uint64_t high)
{
    return (struct sim_dist){.kind = SIM_DIST_UNIFORM, .a = low, .b = high};
}

/* Build the world (asserts that the plan has no problem and that there is memory). Again after
 * a run: forgets that run, keeps the plan. */
void stage_begin(struct stage *s, uint64_t seed);
void stage_run(struct stage *s, uint64_t seed); /* Begin, run to the end, take the metrics. */
void stage_end(struct stage *s);                /* Accepts a stage that never ran. */

/* How many records of a kind; node and peer may be ANY. */
size_t stage_count(const struct stage *s, uint32_t kind, uint32_t node, uint32_t peer);
/* The next record of that sort from *place on, or NULL. Begin with 0. */
const struct sim_record *stage_next(const struct stage *s, size_t *place, uint32_t kind,
                                    uint32_t node, uint32_t peer);
static inline uint64_t record_ordinal(const struct sim_record *record)
{
    return record->a >> 8;
}
static inline bool record_has(const struct sim_record *record, uint64_t fate)
{
    return (record->a & fate) != 0;
}
/* How many of the messages that n0 sent n1 met with a fate, SIM_FATE_LOST for instance. */
uint64_t stage_flagged(const struct stage *s, uint64_t fate);

/* Is `seen` out of `tries` what a chance of `ppm` gives? Within five standard deviations: wrong
 * once in 1.7 million checks, and with the seeds fixed, always or never. */
bool is_chance(uint64_t seen, uint64_t tries, uint64_t ppm);

#endif
