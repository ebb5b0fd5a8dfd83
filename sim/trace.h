/* The trace: every event of a run is one fixed-size record with a sequence number, and enters
 * a rolling hash. Two runs are the same run exactly if their hashes are equal; checkpoints
 * of the hash, one every 4,096 events, say where they part. */
#ifndef SIM_TRACE_H
#define SIM_TRACE_H

#include "sim/arena.h"

enum sim_record_kind {
    /*                  node      peer     detail           size    a               b            */
    SIM_REC_BOOT,    /* node                                        incarnation                  */
    SIM_REC_CRASH,   /* node                                        incarnation     records lost */
    SIM_REC_PAUSE,   /* node                                                                     */
    SIM_REC_RESUME,  /* node                                                                     */
    SIM_REC_LEAVE,   /* node      (a clean stop)                                                 */
    SIM_REC_SEND,    /* sender    receiver message kind     bytes   ordinal, fate   digest       */
    SIM_REC_DELIVER, /* receiver  sender   message kind     bytes   ordinal, fate   nanoseconds  */
    SIM_REC_DROP,    /* receiver  sender   message kind     bytes   ordinal, fate   enum sim_drop */
    SIM_REC_TIMER,   /* node               timer                                                 */
    SIM_REC_WRITE,   /* node               file             bytes   position        label digest */
    SIM_REC_SYNC,    /* node                                        token           nanoseconds  */
    SIM_REC_SYNCED,  /* node               enum sim_status          token           records      */
    SIM_REC_INVOKE,  /* client             function                 sequence        key, value   */
    SIM_REC_ATTEMPT, /* client    server   function                 sequence        attempt      */
    SIM_REC_RETURN,  /* client    server   outcome                  sequence        value, digest */
    SIM_REC_FACT,    /* node               fact                     new value       old value    */
    SIM_REC_FAULT,   /* target    peer     fault kind               fault index     1 on, 0 off  */
    SIM_REC_CLOCK,   /* node                                        wall offset     drift ppb    */
    SIM_REC_SETTING, /* node      admin    setting                  low             high         */
    SIM_REC_VIOLATION, /* node             check                    event that shows it, 0: the last
                        */
    SIM_REC_KIND_COUNT
};

/* What chance and others did to a message; flags in the low byte of a record's `a`, whose
 * upper bits are the ordinal of the message on its link, from 1. */
enum sim_fate_flag {
    SIM_FATE_LOST = 1,           /* A datagram is gone; a stream retransmits. */
    SIM_FATE_DUPLICATED = 2,     /* Sent in two copies. */
    SIM_FATE_REORDERED = 4,      /* Held back so that later ones may overtake. */
    SIM_FATE_CORRUPTED = 8,      /* Bits flipped by the network. */
    SIM_FATE_RETRANSMITTED = 16, /* A stream had to send it more than once. */
    SIM_FATE_TAMPERED = 32,      /* An adversary changed it, */
    SIM_FATE_FORGED = 64,        /* made it up, */
    SIM_FATE_REPLAYED = 128,     /* or sent a recorded one again. */
};

enum sim_drop {
    SIM_DROP_CUT,     /* A partition or a firewall was in the way. */
    SIM_DROP_DOWN,    /* The receiver was down, or the stream was reset. */
    SIM_DROP_QUEUE,   /* A link's or a host's queue was full. */
    SIM_DROP_MTU,     /* Larger than the path carries. */
    SIM_DROP_ADDRESS, /* Sent to an address the receiver no longer has. */
    SIM_DROP_REFUSED, /* Authentication refused a forged, tampered or replayed message. */
    SIM_DROP_BACKLOG, /* The receiver's cpu had too many messages waiting. */
    SIM_DROP_COUNT
};

struct sim_record {
    uint64_t sequence; /* From 1. */
    uint64_t time_ns;
    uint16_t kind; /* enum sim_record_kind */
    uint16_t detail;
    uint32_t node;
    uint32_t peer; /* SIM_NOBODY if none. */
    uint32_t size_bytes;
    uint64_t a;
    uint64_t b;
};

/* Where records go besides the hash. Outside the arena; constant during a run. */
struct sim_sink {
    void *context;
    uint32_t kinds; /* Bit set of record kinds wanted. */
    void (*record)(void *context, const struct sim_record *record);
};

#define SIM_CHECKPOINT_EVERY 4096

struct sim_trace {
    uint64_t hash;
    uint64_t count;        /* Records so far. */
    uint64_t *checkpoints; /* Hash after record 4096 * (i + 1). */
    size_t checkpoint_count;
    size_t checkpoint_capacity;
    struct sim_arena *arena;
    const struct sim_sink *sink; /* NULL: hash only. */
    bool full;                   /* The arena had no room for a checkpoint. */
};

void sim_trace_init(struct sim_trace *trace, struct sim_arena *arena, const struct sim_sink *sink);

/* Keep a checkpoint and hand on a record; the slow paths of sim_trace_add(). */
void sim_trace_checkpoint(struct sim_trace *trace);

static inline uint64_t sim_trace_fold(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * UINT64_C(0x9fb21c651e98df25);
    return hash ^ (hash >> 29);
}

static inline void sim_trace_add(struct sim_trace *trace, const struct sim_record *draft)
{
    uint64_t h = trace->hash;
    /* Two independent chains halve the latency of the multiplications. */
    uint64_t g = sim_trace_fold(draft->time_ns ^ UINT64_C(0x2545f4914f6cdd1d), draft->a);
    h = sim_trace_fold(h,
                       (uint64_t)draft->kind << 48 | (uint64_t)draft->detail << 32 | draft->node);
    g = sim_trace_fold(g, draft->b);
    h = sim_trace_fold(h, (uint64_t)draft->peer << 32 | draft->size_bytes);
    trace->hash = sim_trace_fold(h, g);
    trace->count++;
    if (SIM_UNLIKELY(trace->sink && (trace->sink->kinds >> draft->kind & 1))) {
        struct sim_record record = *draft;
        record.sequence = trace->count;
        trace->sink->record(trace->sink->context, &record);
    }
    if (SIM_UNLIKELY(trace->count % SIM_CHECKPOINT_EVERY == 0)) {
        sim_trace_checkpoint(trace);
    }
}

/* Names for people: "send", "deliver", ...; "cut", "down", ... */
const char *sim_record_kind_name(uint32_t kind);
const char *sim_drop_name(uint32_t drop);

#endif
