/* Times are read as 11 digits of 6 bits. With `last` the time of the last event taken:
 *
 *   last      = ... 17 | 03 | 22         a bucket for every (level, digit); an event's level
 *   event A   = ... 17 | 03 | 40         is its highest digit that differs from last's:
 *   event B   = ... 17 | 09 | 05         A: level 0, digit 40; B: level 1, digit 9
 *
 * 1. An event is in the bucket that its time and `last` give. So equal times share a bucket,
 *    in the order of insertion.
 * 2. A bucket of level 0 holds a single time.
 * 3. The earliest event is in the first bucket in use of the first level in use. Taking its
 *    time as the new `last` moves that bucket's events to lower levels, and no others.
 *
 * An event moves down at most ten times; in the hold model of tests/bench, where times are
 * some milliseconds apart, about twice.
 *
 * A bucket is a list of chunks, which all buckets share: the chunk just emptied is still in
 * the cache when it is filled again, and the memory in use follows the number of events. */
#include "sim/queue.h"

enum {
    /* With the head 448 bytes. An odd number of cache lines, so that the first lines of chunks,
     * all that a bucket of one event touches, do not compete for the same sets of the cache.
     * More cost a small world memory, fewer cost speed at 10^6 events. */
    CHUNK_EVENTS = 13,
    DIGIT_BITS = 6,
    DIGITS = 1 << DIGIT_BITS,
    LEVELS = (64 + DIGIT_BITS - 1) / DIGIT_BITS,
    BUCKETS = LEVELS * DIGITS,
};

/* 32 bytes of head, so that no event straddles a cache line. */
struct chunk {
    _Alignas(32) struct chunk *next;
    _Alignas(32) struct sim_pending events[CHUNK_EVENTS];
};

struct bucket {
    struct chunk *first; /* Rubbish while count is 0, as is all else. */
    struct chunk *last;
    uint64_t min_ns;
    uint32_t count;
    uint32_t last_used; /* Events in the last chunk, taken ones included. */
};

struct sim_queue {
    struct sim_arena *arena;
    uint64_t last_ns;
    size_t count;
    size_t secured_count; /* So many events fit into the chunks there are, however spread. */
    size_t chunk_count;
    struct chunk *free_chunks;
    uint32_t front_taken; /* Events taken of the first chunk of last_ns's bucket. */
    uint32_t levels_used; /* A bit for every level with events. */
    uint64_t digits_used[LEVELS];
    struct bucket buckets[LEVELS][DIGITS];
};

_Static_assert(sizeof(struct sim_pending) == 32, "two events to a cache line");

/* --- Chunks --- */

/* Chunks that `count` events can need: every bucket in use may end in a chunk of one event,
 * and one more chunk is only partly left, that of the bucket being taken or redistributed. */
static size_t secured_by(size_t chunk_count)
{
    const size_t spread = chunk_count - 1;
    return spread <= BUCKETS ? spread : BUCKETS + (spread - BUCKETS) * CHUNK_EVENTS;
}

/* More chunks, by about a fifth, so that a small world stays small; a power of two of them,
 * so that the arena rounds nothing up. */
static bool secure_more(struct sim_queue *queue)
{
    size_t more = 8;
    while (more * 8 <= queue->chunk_count) {
        more *= 2;
    }
    struct chunk *chunks = sim_arena_alloc_raw(queue->arena, more * sizeof *chunks);
    if (!chunks) {
        return false;
    }
    for (size_t i = more; i-- > 0;) {
        chunks[i].next = queue->free_chunks;
        queue->free_chunks = &chunks[i];
    }
    queue->chunk_count += more;
    queue->secured_count = secured_by(queue->chunk_count);
    return true;
}

static struct chunk *chunk_take(struct sim_queue *queue)
{
    struct chunk *chunk = queue->free_chunks;
    assert(chunk); /* secured_by() counts right. */
    queue->free_chunks = chunk->next;
    return chunk;
}

static void chunk_give(struct sim_queue *queue, struct chunk *chunk)
{
    chunk->next = queue->free_chunks;
    queue->free_chunks = chunk;
}

/* --- Buckets --- */

/* Where an event of that time goes, in the bucket that the time and last_ns give: behind the
 * others. The caller fills it. */
static inline struct sim_pending *append(struct sim_queue *queue, uint64_t time_ns)
{
    const uint64_t differ = time_ns ^ queue->last_ns;
    const unsigned level = (63 - (unsigned)__builtin_clzll(differ | 1)) / DIGIT_BITS;
    const unsigned digit = (unsigned)(time_ns >> (level * DIGIT_BITS)) % DIGITS;
    struct bucket *b = &queue->buckets[level][digit];
    if (b->count == 0) {
        b->first = b->last = chunk_take(queue);
        b->last_used = 0;
        b->min_ns = time_ns;
        queue->levels_used |= UINT32_C(1) << level;
        queue->digits_used[level] |= UINT64_C(1) << digit;
    } else if (b->last_used == CHUNK_EVENTS) {
        b->last->next = chunk_take(queue);
        b->last = b->last->next;
        b->last_used = 0;
    }
    b->min_ns = time_ns < b->min_ns ? time_ns : b->min_ns;
    b->count++;
    return &b->last->events[b->last_used++];
}

static inline void mark_empty(struct sim_queue *queue, const struct bucket *b)
{
    const size_t index = (size_t)(b - &queue->buckets[0][0]);
    const size_t level = index / DIGITS;
    const size_t digit = index % DIGITS;
    queue->digits_used[level] &= ~(UINT64_C(1) << digit);
    if (queue->digits_used[level] == 0) {
        queue->levels_used &= ~(UINT32_C(1) << level);
    }
}

static inline struct bucket *first_bucket(struct sim_queue *queue)
{
    const int level = __builtin_ctz(queue->levels_used);
    const int digit = __builtin_ctzll(queue->digits_used[level]);
    return &queue->buckets[level][digit];
}

/* Make the earliest time of a bucket above level 0 the last one, which sends the bucket's
 * events to lower levels, those of that time to level 0. */
static void redistribute(struct sim_queue *queue, struct bucket *b)
{
    struct chunk *chunk = b->first;
    uint32_t left = b->count;
    queue->last_ns = b->min_ns;
    b->count = 0;
    mark_empty(queue, b);
    while (left > 0) {
        struct chunk *next = chunk->next; /* Rubbish in the last one. */
        const uint32_t here = left < CHUNK_EVENTS ? left : CHUNK_EVENTS;
        for (size_t line = 0; left > here && line < sizeof *next; line += 64) {
            __builtin_prefetch((const char *)next + line);
        }
        for (uint32_t i = 0; i < here; i++) {
            *append(queue, chunk->events[i].time_ns) = chunk->events[i];
        }
        chunk_give(queue, chunk);
        left -= here;
        chunk = next;
    }
}

/* The bucket whose first event (at front_taken) is the earliest of all; it holds only events
 * of that time, or only one. NULL if there is none. */
static inline struct bucket *bring_front(struct sim_queue *queue)
{
    if (queue->count == 0) {
        return NULL;
    }
    struct bucket *b = first_bucket(queue);
    if (b->count > 1 && b >= &queue->buckets[1][0]) {
        redistribute(queue, b);
        b = first_bucket(queue);
    }
    return b;
}

static inline void take_front(struct sim_queue *queue, struct bucket *b, struct sim_pending *event)
{
    struct chunk *chunk = b->first;
    *event = chunk->events[queue->front_taken++];
    queue->last_ns = event->time_ns;
    queue->count--;
    b->count--;
    if (b->count == 0) {
        mark_empty(queue, b);
    } else if (queue->front_taken == CHUNK_EVENTS) {
        b->first = chunk->next;
    } else {
        return;
    }
    queue->front_taken = 0;
    chunk_give(queue, chunk);
}

/* --- The queue --- */

struct sim_queue *sim_queue_new(struct sim_arena *arena)
{
    struct sim_queue *queue = sim_arena_alloc(arena, sizeof *queue);
    if (queue) {
        queue->arena = arena;
    }
    return queue;
}

enum sim_status sim_queue_add(struct sim_queue *queue, uint64_t time_ns, uint32_t kind,
                              uint32_t target, uint64_t data, uint64_t data2)
{
    assert(time_ns >= queue->last_ns);
    if (SIM_UNLIKELY(queue->count == queue->secured_count) && !secure_more(queue)) {
        return SIM_ENOMEM;
    }
    struct sim_pending *event = append(queue, time_ns);
    event->time_ns = time_ns;
    event->kind = kind;
    event->target = target;
    event->data = data;
    event->data2 = data2;
    queue->count++;
    return SIM_OK;
}

bool sim_queue_pop(struct sim_queue *queue, struct sim_pending *event)
{
    struct bucket *b = bring_front(queue);
    if (!b) {
        return false;
    }
    take_front(queue, b, event);
    return true;
}

bool sim_queue_pop_shuffled(struct sim_queue *queue, struct sim_rng *rng, struct sim_pending *event)
{
    struct bucket *b = bring_front(queue);
    if (!b) {
        return false;
    }
    if (b->count > 1) {
        uint64_t chosen = queue->front_taken + sim_rng_between(rng, 0, b->count - 1);
        struct chunk *chunk = b->first;
        for (; chosen >= CHUNK_EVENTS; chosen -= CHUNK_EVENTS) {
            chunk = chunk->next;
        }
        struct sim_pending *front = &b->first->events[queue->front_taken];
        const struct sim_pending swapped = chunk->events[chosen];
        chunk->events[chosen] = *front;
        *front = swapped;
    }
    take_front(queue, b, event);
    return true;
}

uint64_t sim_queue_next_ns(const struct sim_queue *queue)
{
    if (queue->count == 0) {
        return SIM_NEVER;
    }
    const int level = __builtin_ctz(queue->levels_used);
    const int digit = __builtin_ctzll(queue->digits_used[level]);
    return queue->buckets[level][digit].min_ns;
}

size_t sim_queue_count(const struct sim_queue *queue)
{
    return queue->count;
}
