/* One node without a world: the effects of sim/node.h, recorded, and a disk in memory. A test
 * plays the rest of the cluster by hand. Include it in one file of a program; it takes the
 * place of the simulator's own effects. */
#ifndef TESTS_FAKE_ENV_H
#define TESTS_FAKE_ENV_H

#include <stdlib.h>

#include "sim/node.h"
#include "sim/rng.h"

#define FAKE_RECORDS 1024 /* Of a file, at most. */
#define FAKE_RECORD_BYTES 512
#define FAKE_MESSAGES 512 /* Kept, at most; later ones are counted only. */

struct fake_record {
    uint32_t size_bytes; /* 0: a hole. */
    uint8_t bytes[FAKE_RECORD_BYTES];
    struct sim_label label;
};

struct fake_file {
    uint64_t begin; /* Moved by a discard alone; a test of a log leaves 0 a hole. */
    uint64_t end;
    struct fake_record records[FAKE_RECORDS];
};

struct fake_message {
    uint32_t to;
    uint32_t kind;
    uint32_t size_bytes;
    uint8_t *data;
};

struct fake_reply {
    uint32_t client;
    uint64_t sequence;
    enum sim_answer answer;
    uint64_t value;
};

struct fake_block { /* Header of an allocation, so that a crash can take all. */
    struct fake_block *next;
    struct fake_block *previous;
};

struct sim_env {
    const struct sim_node_kind *kind;
    void *state;
    uint32_t self;
    uint32_t group_size;
    uint64_t now_ns;
    struct sim_rng rng;
    struct sim_value settings[SIM_SETTINGS_MAX];
    uint64_t bugs;
    uint64_t timers[SIM_TIMERS_MAX]; /* Deadlines; SIM_NEVER: not set. */
    struct fake_file cached[SIM_FILES_MAX];
    struct fake_file durable[SIM_FILES_MAX];
    struct fake_file syncing[SIM_FILES_MAX]; /* What the sync under way will make durable. */
    uint32_t syncs_pending;
    uint64_t sync_token;
    enum sim_status write_status; /* What the next writes answer. */
    uint32_t message_count;
    struct fake_message messages[FAKE_MESSAGES];
    uint32_t reply_count;
    struct fake_reply replies[64];
    uint64_t applied_count;
    uint32_t reads_served; /* Without a log entry, */
    uint32_t leased_reads; /* and of those under a lease. */
    uint64_t effect_count;
    int64_t facts[SIM_FACTS_MAX];
    uint32_t fact_order[64]; /* Which facts were published, in order. */
    uint32_t fact_count;
    struct fake_block blocks; /* Head of a ring. */
};

/* ---- Effects ------------------------------------------------------------------------------ */

uint32_t sim_self(const struct sim_env *env)
{
    return env->self;
}

uint32_t sim_group_size(const struct sim_env *env)
{
    return env->group_size;
}

uint32_t sim_group_member(const struct sim_env *env, uint32_t i)
{
    assert(i < env->group_size);
    return i;
}

void sim_send(struct sim_env *env, uint32_t to, uint32_t message_kind, const void *data,
              uint32_t size_bytes)
{
    assert(to < env->group_size);
    assert(to != env->self);
    if (env->message_count < FAKE_MESSAGES) {
        struct fake_message *m = &env->messages[env->message_count];
        *m = (struct fake_message){to, message_kind, size_bytes, malloc(size_bytes)};
        memcpy(m->data, data, size_bytes);
        env->message_count++;
    }
}

void sim_timer_set(struct sim_env *env, uint32_t timer, uint64_t delay_ns)
{
    assert(timer < SIM_TIMERS_MAX);
    env->timers[timer] = sim_add_sat(env->now_ns, delay_ns);
}

void sim_timer_cancel(struct sim_env *env, uint32_t timer)
{
    env->timers[timer] = SIM_NEVER;
}

uint64_t sim_monotonic_ns(const struct sim_env *env)
{
    return env->now_ns;
}

uint32_t sim_random_u32(struct sim_env *env)
{
    return sim_rng_u32(&env->rng);
}

uint64_t sim_random_between(struct sim_env *env, uint64_t low, uint64_t high)
{
    return sim_rng_between(&env->rng, low, high);
}

void *sim_alloc(struct sim_env *env, size_t size_bytes)
{
    struct fake_block *block = calloc(1, sizeof *block + size_bytes);
    block->next = env->blocks.next;
    block->previous = &env->blocks;
    block->next->previous = block;
    env->blocks.next = block;
    return block + 1;
}

void *sim_alloc_cold(struct sim_env *env, size_t size_bytes)
{
    return sim_alloc(env, size_bytes);
}

void sim_will_write(struct sim_env *env, const void *memory, size_t size_bytes)
{
}

void sim_release(struct sim_env *env, void *memory)
{
    if (memory) {
        struct fake_block *block = (struct fake_block *)memory - 1;
        block->next->previous = block->previous;
        block->previous->next = block->next;
        free(block);
    }
}

enum sim_status sim_disk_write(struct sim_env *env, uint32_t file, uint64_t position,
                               const void *data, uint32_t size_bytes, struct sim_label label)
{
    struct fake_file *f = &env->cached[file];
    assert(size_bytes > 0 && size_bytes <= FAKE_RECORD_BYTES);
    assert(position >= f->begin);
    assert(position <= f->end || f->end == f->begin);
    if (env->write_status != SIM_OK) {
        return env->write_status;
    }
    if (position >= FAKE_RECORDS) {
        return SIM_ENOSPC;
    }
    struct fake_record *record = &f->records[position];
    *record = (struct fake_record){.size_bytes = size_bytes, .label = label};
    memcpy(record->bytes, data, size_bytes);
    f->end = position < f->end ? f->end : position + 1;
    return SIM_OK;
}

void sim_disk_truncate(struct sim_env *env, uint32_t file, uint64_t from)
{
    struct fake_file *f = &env->cached[file];
    for (uint64_t i = from; i < f->end; i++) {
        f->records[i].size_bytes = 0;
    }
    f->end = from < f->end ? from : f->end;
}

void sim_disk_discard(struct sim_env *env, uint32_t file, uint64_t before)
{
    struct fake_file *f = &env->cached[file];
    assert(before < FAKE_RECORDS);
    for (uint64_t i = f->begin; i < before && i < f->end; i++) {
        f->records[i].size_bytes = 0;
    }
    f->begin = before > f->begin ? before : f->begin;
    f->end = before > f->end ? before : f->end;
}

uint64_t sim_disk_begin(const struct sim_env *env, uint32_t file)
{
    return env->cached[file].begin;
}

static inline void fake_copy_files(struct fake_file *to, const struct fake_file *from)
{
    for (uint32_t i = 0; i < SIM_FILES_MAX; i++) {
        to[i].begin = from[i].begin;
        to[i].end = from[i].end;
        memcpy(to[i].records, from[i].records, from[i].end * sizeof from[i].records[0]);
    }
}

/* A node that asks for a second sync before the first has ended breaks its own rule. */
void sim_disk_sync(struct sim_env *env, uint64_t token)
{
    assert(env->syncs_pending == 0);
    env->syncs_pending++;
    env->sync_token = token;
    fake_copy_files(env->syncing, env->cached);
}

uint64_t sim_disk_end(const struct sim_env *env, uint32_t file)
{
    return env->cached[file].end;
}

const uint8_t *sim_disk_read(const struct sim_env *env, uint32_t file, uint64_t position,
                             uint32_t *size_bytes)
{
    const struct fake_file *f = &env->cached[file];
    *size_bytes = position < f->end ? f->records[position].size_bytes : 0;
    return *size_bytes > 0 ? f->records[position].bytes : NULL;
}

void sim_reply(struct sim_env *env, uint32_t client, uint64_t sequence, enum sim_answer answer,
               uint64_t value)
{
    if (env->reply_count < sizeof env->replies / sizeof env->replies[0]) {
        env->replies[env->reply_count++] = (struct fake_reply){client, sequence, answer, value};
    }
}

/* Recorded as its first word. */
void sim_reply_words(struct sim_env *env, uint32_t client, uint64_t sequence,
                     enum sim_answer answer, const uint64_t *words, uint32_t count)
{
    sim_reply(env, client, sequence, answer, count > 0 ? words[0] : 0);
}

void sim_publish(struct sim_env *env, uint32_t fact, int64_t value)
{
    assert(fact < env->kind->fact_count);
    if (env->facts[fact] != value &&
        env->fact_count < sizeof env->fact_order / sizeof env->fact_order[0]) {
        env->fact_order[env->fact_count++] = fact;
    }
    env->facts[fact] = value;
}

void sim_applied(struct sim_env *env, uint64_t index, uint64_t term, uint64_t digest,
                 const struct sim_operation *operation, bool took_effect)
{
    env->applied_count++;
    env->effect_count += took_effect;
}

void sim_handed_over(struct sim_env *env, uint32_t target)
{
}

void sim_read_served(struct sim_env *env, const struct sim_operation *operation, uint64_t index,
                     bool leased)
{
    env->reads_served++;
    env->leased_reads += leased;
}

int64_t sim_setting(const struct sim_env *env, uint32_t setting)
{
    return env->settings[setting].low;
}

struct sim_value sim_setting_range(const struct sim_env *env, uint32_t setting)
{
    return env->settings[setting];
}

bool sim_bug(const struct sim_env *env, uint32_t bug)
{
    return env->bugs >> bug & 1;
}

/* ---- What a test does with it -------------------------------------------------------------- */

static inline void fake_event(struct sim_env *env, struct sim_event event)
{
    env->kind->event(env->state, env, &event);
}

/* Forget the messages and answers seen so far. */
static inline void fake_clear(struct sim_env *env)
{
    for (uint32_t i = 0; i < env->message_count; i++) {
        free(env->messages[i].data);
    }
    env->message_count = 0;
    env->reply_count = 0;
    env->fact_count = 0;
    env->reads_served = env->leased_reads = 0;
}

/* A node of a group whose members are 0 .. group_size - 1, not booted yet. */
static inline struct sim_env *fake_new(const struct sim_node_kind *kind, uint32_t self,
                                       uint32_t group_size)
{
    struct sim_env *env = calloc(1, sizeof *env);
    env->kind = kind;
    env->self = self;
    env->group_size = group_size;
    env->blocks.next = env->blocks.previous = &env->blocks;
    sim_rng_derive(&env->rng, self, "test/fake");
    for (uint32_t i = 0; i < kind->setting_count; i++) {
        env->settings[i] = kind->settings[i].standard;
    }
    return env;
}

/* The power goes: memory and what is not durable are lost. */
static inline void fake_crash(struct sim_env *env)
{
    while (env->blocks.next != &env->blocks) {
        sim_release(env, env->blocks.next + 1);
    }
    free(env->state);
    env->state = NULL;
    env->syncs_pending = 0;
    fake_clear(env);
    fake_copy_files(env->cached, env->durable);
}

static inline void fake_boot(struct sim_env *env)
{
    fake_crash(env);
    env->state = calloc(1, env->kind->state_bytes);
    for (uint32_t i = 0; i < SIM_TIMERS_MAX; i++) {
        env->timers[i] = SIM_NEVER;
    }
    fake_event(env, (struct sim_event){.kind = SIM_EVENT_BOOT});
}

static inline void fake_free(struct sim_env *env)
{
    fake_crash(env);
    free(env);
}

/* The sync under way ends. */
static inline void fake_sync(struct sim_env *env, enum sim_status status)
{
    assert(env->syncs_pending == 1);
    env->syncs_pending = 0;
    if (status == SIM_OK) {
        fake_copy_files(env->durable, env->syncing);
    }
    fake_event(env, (struct sim_event){
                        .kind = SIM_EVENT_SYNCED, .token = env->sync_token, .status = status});
}

/* Syncs end until there is none. */
static inline void fake_sync_all(struct sim_env *env)
{
    while (env->syncs_pending > 0) {
        fake_sync(env, SIM_OK);
    }
}

/* Time passes until a timer's deadline, and it fires. */
static inline void fake_fire(struct sim_env *env, uint32_t timer)
{
    assert(env->timers[timer] != SIM_NEVER);
    env->now_ns = env->timers[timer] > env->now_ns ? env->timers[timer] : env->now_ns;
    env->timers[timer] = SIM_NEVER;
    fake_event(env, (struct sim_event){.kind = SIM_EVENT_TIMER, .timer = timer});
}

static inline void fake_deliver(struct sim_env *env, uint32_t from, uint32_t kind,
                                const uint8_t *data, uint32_t size_bytes)
{
    /* A block of exactly this size, so that a sanitizer sees a read beyond it. */
    uint8_t *copy = malloc(size_bytes > 0 ? size_bytes : 1);
    memcpy(copy, data, size_bytes);
    fake_event(env, (struct sim_event){.kind = SIM_EVENT_MESSAGE,
                                       .from = from,
                                       .message_kind = kind,
                                       .data = copy,
                                       .size_bytes = size_bytes});
    free(copy);
}

/* The last message of a kind to a node since fake_clear(); NULL if there is none. */
static inline const struct fake_message *fake_last(const struct sim_env *env, uint32_t to,
                                                   uint32_t kind)
{
    for (uint32_t i = env->message_count; i > 0; i--) {
        if (env->messages[i - 1].to == to && env->messages[i - 1].kind == kind) {
            return &env->messages[i - 1];
        }
    }
    return NULL;
}

static inline uint32_t fake_count(const struct sim_env *env, uint32_t kind)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < env->message_count; i++) {
        count += env->messages[i].kind == kind;
    }
    return count;
}

#endif
