/* Times are read as digits of 8 bits. With `base` a time that is not after any pending event:
 *
 *   base      = ... 17 | 03 | 22         a bucket for every (level, digit); an event's level
 *   event A   = ... 17 | 03 | 40         is its highest digit that differs from base's:
 *   event B   = ... 17 | 09 | 05         A: level 0, digit 40; B: level 1, digit 9
 *   far       above the five lowest digits, 18 minutes and more, digits have 3 bits: few events
 *             are so far, and the queue of a small world stays small
 *
 * 1. An event is in the bucket that its time and `base` give. So equal times share a bucket,
 *    in the order of insertion.
 * 2. A bucket of level 0 holds a single time.
 * 3. The earliest event is in the first bucket in use of the first level in use. While that
 *    bucket stays in use, `base` stays; an emptied bucket leaves its last time as the new one.
 *
 * The bucket that events are taken from is open: an order beside it says which of its events is
 * the next, so that none of them moves. That is for a bucket of one chunk; a larger one is first
 * redistributed: with its start as `base` its events go to lower levels, and no others do.
 * Digits are large so that this is rare: in the hold model of tests/bench, with a thousand events
 * some milliseconds ahead, a push goes to a bucket of 65 microseconds with a few others, or
 * moves there once.
 *
 * A bucket is a list of chunks, which all buckets share: the chunk just emptied is still in
 * the cache when it is filled again, and the memory in use follows the number of events. */
#include "sim/queue.h"

enum {
    /* With the head 448 bytes. An odd number of cache lines, so that the first lines of chunks,
     * all that a bucket of one event touches, do not compete for the same sets of the cache.
     * More cost a small world memory. */
    CHUNK_EVENTS = 13,
    DIGIT_BITS = 8,
    DIGITS = 1 << DIGIT_BITS,
    NEAR_BITS = 40,
    FAR = NEAR_BITS / DIGIT_BITS * DIGITS, /* The first bucket of the far levels. */
    FAR_DIGIT_BITS = 3,
    FAR_DIGITS = 1 << FAR_DIGIT_BITS,
    BUCKETS = FAR + (64 - NEAR_BITS) / FAR_DIGIT_BITS * FAR_DIGITS,
    NONE = BUCKETS, /* Instead of a bucket's number. */
};

/* 32 bytes of head, so that no event straddles a cache line. */
struct chunk {
    _Alignas(32) struct chunk *next;
    _Alignas(32) struct sim_pending events[CHUNK_EVENTS];
};

struct bucket {
    struct chunk *first; /* Rubbish while count is 0, as is all else. */
    struct chunk *last;
    uint32_t count;
    uint32_t last_used; /* Events in the last chunk, taken ones included. */
};

struct sim_queue {
    struct sim_arena *arena;
    uint64_t now_ns; /* Of the last event taken. */
    uint64_t base_ns;
    size_t count;
    size_t secured_count; /* So many events fit into the chunks there are, however spread. */
    size_t chunk_count;
    struct chunk *free_chunks;
    /* The open bucket, or NONE. Of level 0 it takes new events at its end, and may have several
     * chunks; of another it is sorted, in one chunk. */
    uint32_t open;
    uint32_t sorted; /* The same, or NONE at level 0. */
    uint32_t front;  /* Where in the order the next event of its first chunk is. */
    uint8_t order[16];
    uint32_t words_used; /* A bit for every word of buckets_used that is not 0. */
    uint64_t buckets_used[BUCKETS / 64];
    struct bucket buckets[BUCKETS]; /* By level, then by digit. */
};

_Static_assert(sizeof(struct sim_pending) == 32, "two events to a cache line");
_Static_assert(CHUNK_EVENTS <= sizeof((struct sim_queue){0}.order), "all of a chunk in order");
_Static_assert(BUCKETS % 64 == 0 && BUCKETS / 64 <= 32, "a bit for each word");

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

static uint32_t far_bucket_of(uint64_t differ, uint64_t time_ns)
{
    const uint32_t level = (63 - NEAR_BITS - (uint32_t)__builtin_clzll(differ)) / FAR_DIGIT_BITS;
    const uint32_t digit = (uint32_t)(time_ns >> (NEAR_BITS + level * FAR_DIGIT_BITS)) % FAR_DIGITS;
    return FAR + level * FAR_DIGITS + digit;
}

static inline uint32_t bucket_of(const struct sim_queue *queue, uint64_t time_ns)
{
    const uint64_t differ = time_ns ^ queue->base_ns;
    if (SIM_UNLIKELY(differ >> NEAR_BITS)) {
        return far_bucket_of(differ, time_ns);
    }
    const uint32_t level = (63 - (uint32_t)__builtin_clzll(differ | 1)) / DIGIT_BITS;
    const uint32_t digit = (uint32_t)(time_ns >> (level * DIGIT_BITS)) % DIGITS;
    return level * DIGITS + digit;
}

/* The earliest time that a bucket above level 0 can hold. */
static uint64_t start_ns(const struct sim_queue *queue, uint32_t number)
{
    const bool far = number >= FAR;
    const uint32_t bits = far ? FAR_DIGIT_BITS : DIGIT_BITS;
    const uint32_t place = far ? number - FAR : number;
    const uint32_t shift = (far ? NEAR_BITS : 0) + (place >> bits) * bits;
    const uint64_t above = queue->base_ns >> shift >> bits << bits;
    return (above | (place & ((1U << bits) - 1))) << shift;
}

/* Where an event of that time goes in a bucket: behind the others. The caller fills it. */
static inline struct sim_pending *append(struct sim_queue *queue, uint32_t number)
{
    struct bucket *b = &queue->buckets[number];
    if (b->count == 0) {
        b->first = b->last = chunk_take(queue);
        b->last_used = 0;
        queue->words_used |= UINT32_C(1) << (number / 64);
        queue->buckets_used[number / 64] |= UINT64_C(1) << (number % 64);
    } else if (b->last_used == CHUNK_EVENTS) {
        b->last->next = chunk_take(queue);
        b->last = b->last->next;
        b->last_used = 0;
    }
    b->count++;
    return &b->last->events[b->last_used++];
}

static inline void mark_empty(struct sim_queue *queue, uint32_t number)
{
    const uint64_t left = queue->buckets_used[number / 64] & ~(UINT64_C(1) << (number % 64));
    queue->buckets_used[number / 64] = left;
    queue->words_used &= ~((uint32_t)(left == 0) << (number / 64));
}

static inline uint32_t first_bucket(const struct sim_queue *queue)
{
    const uint32_t word = (uint32_t)__builtin_ctz(queue->words_used);
    return word * 64 + (uint32_t)__builtin_ctzll(queue->buckets_used[word]);
}

static inline uint32_t events_here(uint32_t left)
{
    return left < CHUNK_EVENTS ? left : CHUNK_EVENTS;
}

/* The earliest time in a bucket that is not open. */
static uint64_t earliest_ns(const struct bucket *b)
{
    uint64_t earliest = SIM_NEVER;
    const struct chunk *chunk = b->first;
    for (uint32_t left = b->count; left > 0; left -= events_here(left)) {
        for (uint32_t i = 0; i < events_here(left); i++) {
            const uint64_t time_ns = chunk->events[i].time_ns;
            earliest = time_ns < earliest ? time_ns : earliest;
        }
        chunk = chunk->next;
    }
    return earliest;
}

/* Make the start of a bucket above level 0 the base, which sends the bucket's events to lower
 * levels. */
static void redistribute(struct sim_queue *queue, uint32_t number)
{
    struct bucket *b = &queue->buckets[number];
    struct chunk *chunk = b->first;
    uint32_t left = b->count;
    queue->base_ns = start_ns(queue, number);
    b->count = 0;
    mark_empty(queue, number);
    while (left > 0) {
        struct chunk *next = chunk->next; /* Rubbish in the last one. */
        const uint32_t here = events_here(left);
        for (size_t line = 0; left > here && line < sizeof *next; line += 64) {
            __builtin_prefetch((const char *)next + line);
        }
        for (uint32_t i = 0; i < here; i++) {
            *append(queue, bucket_of(queue, chunk->events[i].time_ns)) = chunk->events[i];
        }
        chunk_give(queue, chunk);
        left -= here;
        chunk = next;
    }
}

/* --- The open bucket --- */

static inline struct sim_pending *in_order(const struct sim_queue *queue, const struct bucket *b,
                                           uint32_t place)
{
    return &b->first->events[queue->order[place]];
}

/* Each event's place is how many come before it: of equal times those inserted before. Compares all
 * pairs, since few comparisons that nobody can predict cost more than many without a branch. */
static void sort(struct sim_queue *queue, const struct bucket *b)
{
    const struct sim_pending *events = b->first->events;
    uint8_t place[CHUNK_EVENTS];
    for (uint32_t i = 0; i < b->count; i++) {
        place[i] = 0;
        for (uint32_t k = 0; k < i; k++) {
            const bool after = events[i].time_ns >= events[k].time_ns;
            place[i] = (uint8_t)(place[i] + after);
            place[k] = (uint8_t)(place[k] + !after);
        }
    }
    for (uint32_t i = 0; i < b->count; i++) {
        queue->order[place[i]] = (uint8_t)i;
    }
}

static void order_as_stored(struct sim_queue *queue)
{
    for (uint32_t i = 0; i < CHUNK_EVENTS; i++) {
        queue->order[i] = (uint8_t)i;
    }
}

/* Just before an event is taken from it: one of a single event is not open for long. */
static inline void open_bucket(struct sim_queue *queue, uint32_t number)
{
    const struct bucket *b = &queue->buckets[number];
    queue->open = number;
    queue->front = 0;
    queue->order[0] = 0;
    if (b->count == 1) {
        return;
    }
    if (number < DIGITS) {
        order_as_stored(queue);
    } else {
        queue->sorted = number;
        sort(queue, b);
    }
}

/* Store what is left of the sorted bucket in its order, and the rest of the chunk is free. */
static void compact(struct sim_queue *queue, struct bucket *b)
{
    struct sim_pending left[CHUNK_EVENTS];
    for (uint32_t i = 0; i < b->count; i++) {
        left[i] = *in_order(queue, b, queue->front + i);
    }
    memcpy(b->first->events, left, b->count * sizeof *left);
    b->last_used = b->count;
    queue->front = 0;
    order_as_stored(queue);
}

/* As append(), in the sorted bucket, which is closed if it outgrows its chunk. */
static struct sim_pending *insert(struct sim_queue *queue, uint32_t number, uint64_t time_ns)
{
    struct bucket *b = &queue->buckets[number];
    if (b->last_used == CHUNK_EVENTS) {
        compact(queue, b);
    }
    if (b->last_used == CHUNK_EVENTS) {
        queue->open = queue->sorted = NONE;
        return append(queue, number);
    }
    uint32_t place = queue->front + b->count;
    for (; place > queue->front && in_order(queue, b, place - 1)->time_ns > time_ns; place--) {
        queue->order[place] = queue->order[place - 1];
    }
    queue->order[place] = (uint8_t)b->last_used;
    b->count++;
    return &b->first->events[b->last_used++];
}

/* The open bucket, whose first event in order is the earliest of all; NULL if there is none. */
static inline struct bucket *bring_front(struct sim_queue *queue)
{
    if (queue->count == 0) {
        return NULL;
    }
    if (queue->open == NONE) {
        uint32_t number = first_bucket(queue);
        while (number >= DIGITS && queue->buckets[number].first != queue->buckets[number].last) {
            redistribute(queue, number);
            number = first_bucket(queue);
        }
        open_bucket(queue, number);
    }
    return &queue->buckets[queue->open];
}

static inline void take_front(struct sim_queue *queue, struct bucket *b, struct sim_pending *event)
{
    struct chunk *chunk = b->first;
    *event = *in_order(queue, b, queue->front++);
    queue->now_ns = event->time_ns;
    queue->count--;
    b->count--;
    if (b->count == 0) {
        queue->base_ns = event->time_ns;
        mark_empty(queue, queue->open);
        queue->open = queue->sorted = NONE;
    } else if (queue->front == CHUNK_EVENTS) {
        b->first = chunk->next;
        queue->front = 0;
    } else {
        return;
    }
    chunk_give(queue, chunk);
}

/* --- The queue --- */

struct sim_queue *sim_queue_new(struct sim_arena *arena)
{
    struct sim_queue *queue = sim_arena_alloc(arena, sizeof *queue);
    if (queue) {
        queue->arena = arena;
        queue->open = queue->sorted = NONE;
    }
    return queue;
}

enum sim_status sim_queue_add(struct sim_queue *queue, uint64_t time_ns, uint32_t kind,
                              uint32_t target, uint64_t data, uint64_t data2)
{
    assert(time_ns >= queue->now_ns);
    if (SIM_UNLIKELY(queue->count == queue->secured_count) && !secure_more(queue)) {
        return SIM_ENOMEM;
    }
    const uint32_t number = bucket_of(queue, time_ns);
    struct sim_pending *event = SIM_UNLIKELY(number == queue->sorted)
                                    ? insert(queue, number, time_ns)
                                    : append(queue, number);
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

/* How many events have the earliest time. */
static uint32_t tied(const struct sim_queue *queue, const struct bucket *b)
{
    if (queue->sorted == NONE) {
        return b->count;
    }
    const uint64_t time_ns = in_order(queue, b, queue->front)->time_ns;
    uint32_t count = 1;
    while (count < b->count && in_order(queue, b, queue->front + count)->time_ns == time_ns) {
        count++;
    }
    return count;
}

bool sim_queue_pop_shuffled(struct sim_queue *queue, struct sim_rng *rng, struct sim_pending *event)
{
    struct bucket *b = bring_front(queue);
    if (!b) {
        return false;
    }
    const uint32_t count = tied(queue, b);
    if (count > 1) {
        uint64_t chosen = queue->front + sim_rng_between(rng, 0, count - 1);
        struct chunk *chunk = b->first;
        for (; chosen >= CHUNK_EVENTS; chosen -= CHUNK_EVENTS) {
            chunk = chunk->next;
        }
        struct sim_pending *front = in_order(queue, b, queue->front);
        struct sim_pending *other = &chunk->events[queue->order[chosen]];
        const struct sim_pending swapped = *other;
        *other = *front;
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
    const struct bucket *b = &queue->buckets[first_bucket(queue)];
    return queue->open == NONE ? earliest_ns(b) : in_order(queue, b, queue->front)->time_ns;
}

size_t sim_queue_count(const struct sim_queue *queue)
{
    return queue->count;
}
