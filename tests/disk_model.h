/* A naive model of a disk: arrays of whole records, copied about, beside the real one. What
 * chance did to each change the model hears from the disk's own telling, and checks that it
 * may be so; what the images then hold must agree record by record.
 *
 * One world at a time, in the variables below; inline, so that the header compiles alone. */
#ifndef TESTS_DISK_MODEL_H
#define TESTS_DISK_MODEL_H

#include "sim/disk.h"

#include <criterion/criterion.h>

enum { POSITIONS = 48, FILES = 2, BYTES_MAX = 24, PENDING_MAX = 512, TOLD_MAX = 1024 };

struct record {
    bool present;
    bool torn;
    struct sim_label label;
    uint32_t size_bytes;
    uint8_t bytes[BYTES_MAX];
};

struct window {
    uint64_t begin;
    uint64_t end;
    struct record at[POSITIONS];
};

struct change {
    enum sim_durable_kind kind;
    uint32_t file;
    uint64_t position;
    uint64_t cached_begin;
    uint64_t cached_end;
    struct record record;
};

struct told {
    enum sim_durable_kind kind;
    uint32_t file;
    uint64_t position;
    struct sim_label label;
};

struct model {
    struct window cached[FILES];
    struct window durable[FILES];
    struct change pending[PENDING_MAX];
    uint32_t pending_count;
    uint32_t marks[PENDING_MAX]; /* How many of the pending changes each sync covers. */
    uint64_t tokens[PENDING_MAX];
    uint64_t done_ns[PENDING_MAX];
    uint32_t sync_count;
    struct told told[TOLD_MAX];
    uint32_t told_count;
    uint64_t next_label;
    uint64_t now_ns;
};

static struct model model;
static struct sim_arena *arena;
static struct sim_disk *disk;
static struct sim_rng rng; /* The test's own. */
static uint64_t current_seed;

#define check(condition) cr_assert(condition, "seed %llu", (unsigned long long)current_seed)

static inline void tell(void *context, uint32_t node, enum sim_durable_kind kind, uint32_t file,
                        uint64_t position, const struct sim_label *label)
{
    cr_assert_eq(context, NULL);
    cr_assert_eq(node, 7);
    cr_assert_lt(model.told_count, TOLD_MAX);
    model.told[model.told_count++] =
        (struct told){kind, file, position, label ? *label : (struct sim_label){0, 0}};
}

static inline void begin_world(uint64_t seed)
{
    if (!arena) {
        arena = sim_arena_new(64 << 20);
        cr_assert_not_null(arena);
    }
    sim_arena_reset(arena);
    current_seed = seed;
    memset(&model, 0, sizeof model);
    sim_rng_derive(&rng, seed, "test/disk");
    struct sim_rng stream;
    sim_rng_derive(&stream, seed, "disk/n7");
    disk = sim_disk_new(arena, stream, 7, tell, NULL);
    cr_assert_not_null(disk);
}

static inline void set_knobs(struct sim_disk_knobs knobs)
{
    struct sim_disk_knobs *copy = sim_arena_alloc(arena, sizeof *copy);
    cr_assert_not_null(copy);
    *copy = knobs;
    sim_disk_set_knobs(disk, copy);
}

/* ---- The model ---------------------------------------------------------------------- */

static inline void window_cut(struct window *w, uint64_t begin, uint64_t end)
{
    for (uint64_t p = 0; p < POSITIONS; p++) {
        if (p < begin || p >= end) {
            w->at[p].present = false;
        }
    }
    w->begin = begin;
    w->end = end;
}

static inline void window_apply_cut(struct window *w, const struct change *c)
{
    if (c->kind == SIM_DURABLE_TRUNCATE && c->position < w->end) {
        window_cut(w, c->position < w->begin ? c->position : w->begin, c->position);
    } else if (c->kind == SIM_DURABLE_DISCARD && c->position > w->begin) {
        window_cut(w, c->position, c->position > w->end ? c->position : w->end);
    }
}

/* What must be told before a write that the durable window cannot be joined to. */
static inline bool replaces(const struct window *durable, const struct change *c,
                            struct told *first)
{
    if (c->kind != SIM_DURABLE_WRITE || durable->begin == durable->end) {
        return false;
    }
    if (c->cached_begin > durable->end) {
        *first = (struct told){SIM_DURABLE_DISCARD, c->file, c->cached_begin, {0, 0}};
        return true;
    }
    if (c->cached_end < durable->begin) {
        *first = (struct told){SIM_DURABLE_TRUNCATE, c->file, c->cached_end, {0, 0}};
        return true;
    }
    return false;
}

static inline void apply(const struct change *c, bool torn)
{
    struct window *w = &model.durable[c->file];
    struct told first;
    if (c->kind != SIM_DURABLE_WRITE) {
        window_apply_cut(w, c);
        return;
    }
    if (w->begin == w->end || replaces(w, c, &first)) {
        window_cut(w, c->cached_begin, c->cached_begin);
    }
    w->begin = c->position < w->begin ? c->position : w->begin;
    w->end = c->position >= w->end ? c->position + 1 : w->end;
    w->at[c->position] = c->record;
    w->at[c->position].torn = torn;
}

static inline bool was_told(uint32_t i, const struct told *wanted)
{
    const struct told *t = &model.told[i];
    return i < model.told_count && t->kind == wanted->kind && t->file == wanted->file &&
           t->position == wanted->position && t->label.a == wanted->label.a &&
           t->label.b == wanted->label.b;
}

enum { TEARS = 1, PREFIX = 2 };

/* Go through the `count` oldest changes: those told of are durable now, the others lost.
 * Returns the number that survived, and of those the writes. */
static inline uint32_t settle(uint32_t count, uint32_t flags, uint32_t *writes)
{
    uint32_t heard = 0;
    uint32_t survived = 0;
    bool tears = flags & TEARS;
    *writes = 0;
    for (uint32_t i = 0; i < count; i++) {
        const struct change *c = &model.pending[i];
        struct told first = {0};
        const uint32_t extra = replaces(&model.durable[c->file], c, &first);
        const struct told itself = {c->kind, c->file, c->position, c->record.label};
        if ((!extra || was_told(heard, &first)) && was_told(heard + extra, &itself)) {
            check(!(flags & PREFIX) || survived == i);
            heard += extra + 1;
            survived++;
            *writes += c->kind == SIM_DURABLE_WRITE;
            apply(c, false);
            continue;
        }
        if (tears && c->kind == SIM_DURABLE_WRITE) {
            tears = false;
            check(!extra || was_told(heard, &first));
            heard += extra;
            apply(c, true);
        }
        tears = tears && !(flags & PREFIX);
    }
    check(heard == model.told_count);
    model.told_count = 0;
    model.pending_count -= count;
    memmove(model.pending, model.pending + count, model.pending_count * sizeof *model.pending);
    for (uint32_t i = 0; i < model.sync_count; i++) {
        model.marks[i] -= count < model.marks[i] ? count : model.marks[i];
    }
    return survived;
}

/* A proper prefix of the bytes, then zeros; the test writes no zero bytes. */
static inline bool looks_torn(const struct record *r, const uint8_t *bytes)
{
    uint32_t kept = 0;
    while (kept < r->size_bytes && bytes[kept] == r->bytes[kept]) {
        kept++;
    }
    bool zero = true;
    for (uint32_t i = kept; i < r->size_bytes; i++) {
        zero = zero && bytes[i] == 0;
    }
    return kept < r->size_bytes && zero;
}

static inline bool record_agrees(uint32_t file, uint64_t p)
{
    const struct record *r = &model.cached[file].at[p];
    uint32_t size_bytes = 99;
    const uint8_t *bytes = sim_disk_cached(disk, file, p, &size_bytes);
    if (r->present != (bytes != NULL) || size_bytes != (r->present ? r->size_bytes : 0)) {
        return false;
    }
    if (r->present && (r->torn ? !looks_torn(r, bytes) : memcmp(bytes, r->bytes, size_bytes))) {
        return false;
    }
    const struct record *d = &model.durable[file].at[p];
    struct sim_label label = {0, 0};
    const bool whole = sim_disk_durable_label(disk, file, p, &label);
    return whole == (d->present && !d->torn) &&
           (!whole || (label.a == d->label.a && label.b == d->label.b));
}

static inline void check_images(void)
{
    uint64_t used_bytes = 0;
    for (uint32_t f = 0; f < FILES; f++) {
        check(sim_disk_cached_begin(disk, f) == model.cached[f].begin);
        check(sim_disk_cached_end(disk, f) == model.cached[f].end);
        check(sim_disk_durable_begin(disk, f) == model.durable[f].begin);
        check(sim_disk_durable_end(disk, f) == model.durable[f].end);
        bool agree = true;
        for (uint64_t p = 0; p < POSITIONS; p++) {
            agree = agree && record_agrees(f, p);
            used_bytes += model.cached[f].at[p].present ? model.cached[f].at[p].size_bytes : 0;
        }
        check(agree);
    }
    check(sim_disk_used_bytes(disk) == used_bytes);
}

/* ---- Operations on both ------------------------------------------------------------- */

static inline enum sim_status write_both(uint32_t file, uint64_t position, uint32_t size_bytes)
{
    struct change c = {.kind = SIM_DURABLE_WRITE, .file = file, .position = position};
    c.record.present = true;
    c.record.label.a = ++model.next_label;
    c.record.label.b = position;
    c.record.size_bytes = size_bytes;
    for (uint32_t i = 0; i < size_bytes; i++) {
        c.record.bytes[i] = (uint8_t)(1 + (model.next_label * 31 + i) % 255);
    }
    const enum sim_status status =
        sim_disk_do_write(disk, file, position, c.record.bytes, size_bytes, c.record.label);
    if (status == SIM_OK) {
        struct window *w = &model.cached[file];
        if (w->begin == w->end) {
            w->begin = w->end = position;
        }
        w->end += position == w->end;
        w->at[position] = c.record;
        c.cached_begin = w->begin;
        c.cached_end = w->end;
        cr_assert_lt(model.pending_count, PENDING_MAX);
        model.pending[model.pending_count++] = c;
    }
    return status;
}

static inline void cut_both(enum sim_durable_kind kind, uint32_t file, uint64_t position)
{
    const struct change c = {.kind = kind, .file = file, .position = position};
    for (uint32_t i = 0; i < model.pending_count; i++) {
        const struct change *p = &model.pending[i];
        if (p->kind == kind && p->file == file && p->position == position) {
            return; /* Two equal ones could not be told apart. */
        }
    }
    struct window *w = &model.cached[file];
    const bool matters = kind == SIM_DURABLE_TRUNCATE ? position < w->end : position > w->begin;
    check((kind == SIM_DURABLE_TRUNCATE ? sim_disk_do_truncate(disk, file, position)
                                        : sim_disk_do_discard(disk, file, position)) == SIM_OK);
    if (matters) {
        cr_assert_lt(model.pending_count, PENDING_MAX);
        model.pending[model.pending_count++] = c;
        window_apply_cut(w, &c);
    }
}

static inline uint64_t begin_sync_both(uint64_t token)
{
    uint64_t done_ns = 0;
    check(sim_disk_begin_sync(disk, model.now_ns, token, &done_ns) == SIM_OK);
    check(done_ns >= model.now_ns);
    check(model.sync_count == 0 || done_ns >= model.done_ns[model.sync_count - 1]);
    model.marks[model.sync_count] = model.pending_count;
    model.tokens[model.sync_count] = token;
    model.done_ns[model.sync_count++] = done_ns;
    return done_ns;
}

/* Returns what the disk answered; `honest` if it is known not to lie. */
static inline enum sim_status finish_sync_both(bool honest)
{
    uint64_t token = 0;
    uint32_t records = 99;
    uint32_t writes = 0;
    const uint32_t covered = model.marks[0];
    const uint64_t wanted = model.tokens[0];
    model.now_ns = model.done_ns[0] > model.now_ns ? model.done_ns[0] : model.now_ns;
    model.sync_count--;
    memmove(model.marks, model.marks + 1, model.sync_count * sizeof *model.marks);
    memmove(model.tokens, model.tokens + 1, model.sync_count * sizeof *model.tokens);
    memmove(model.done_ns, model.done_ns + 1, model.sync_count * sizeof *model.done_ns);
    const enum sim_status status = sim_disk_finish_sync(disk, &token, &records);
    check(token == wanted);
    if (status == SIM_OK && !honest && model.told_count == 0) {
        check(records == 0);
        return status; /* A lie, or nothing to do that would show. */
    }
    const uint32_t survived = settle(covered, 0, &writes);
    check(status == SIM_EIO || survived == covered);
    check(records == writes);
    return status;
}

static inline uint32_t crash_both(const struct sim_disk_knobs *knobs)
{
    const uint32_t count = model.pending_count;
    const uint32_t lost = sim_disk_crash(disk);
    uint32_t cuts_told = 0;
    uint32_t writes;
    for (uint32_t i = 0; i < model.told_count; i++) {
        cuts_told += model.told[i].kind != SIM_DURABLE_WRITE;
    }
    model.sync_count = 0;
    const uint32_t survived =
        settle(count, (knobs->torn_ppm ? TEARS : 0U) | (knobs->survive_any ? 0U : PREFIX), &writes);
    /* A cut that a surviving write implied looks like one that survived itself. */
    check(lost >= count - survived && lost <= count - survived + cuts_told);
    check(knobs->survive_ppm < SIM_PPM || lost == 0);
    check(knobs->survive_ppm > 0 || lost == count);
    memcpy(model.cached, model.durable, sizeof model.cached);
    return lost;
}

/* What happened over many seeds, so that a test can say that it saw everything. */
static struct {
    uint64_t lost, torn, holes, no_space, errors, failed_syncs, syncs, survivors;
} seen;

static inline void random_write(uint64_t capacity_bytes)
{
    const uint32_t file = (uint32_t)sim_rng_between(&rng, 0, FILES - 1);
    const struct window *w = &model.cached[file];
    const bool empty = w->begin == w->end;
    const bool appends = sim_rng_chance(&rng, 700000);
    const uint64_t anywhere = sim_rng_between(&rng, 0, POSITIONS - 1);
    const uint64_t inside = sim_rng_between(&rng, w->begin, w->end);
    const uint32_t size_bytes = (uint32_t)sim_rng_between(&rng, 1, BYTES_MAX);
    const uint64_t position = empty && !appends ? anywhere : appends ? w->end : inside;
    if (position >= POSITIONS) {
        return;
    }
    const struct record *old = &w->at[position];
    const uint32_t old_bytes = !empty && old->present ? old->size_bytes : 0;
    const bool fits = capacity_bytes == 0 || size_bytes <= old_bytes ||
                      sim_disk_used_bytes(disk) - old_bytes + size_bytes <= capacity_bytes;
    const enum sim_status status = write_both(file, position, size_bytes);
    check(status == SIM_EIO || (status == SIM_OK) == fits);
    seen.no_space += status == SIM_ENOSPC;
    seen.errors += status == SIM_EIO;
}

static inline void random_cut(void)
{
    const uint32_t file = (uint32_t)sim_rng_between(&rng, 0, FILES - 1);
    const struct window *w = &model.cached[file];
    const bool truncates = sim_rng_chance(&rng, 500000);
    const uint64_t low = w->begin > 2 ? w->begin - 2 : 0;
    const uint64_t high = w->end + 2 < POSITIONS ? w->end + 2 : POSITIONS - 1;
    const uint64_t position = sim_rng_between(&rng, low, high > low ? high : low);
    cut_both(truncates ? SIM_DURABLE_TRUNCATE : SIM_DURABLE_DISCARD, file, position);
}

static inline void random_crash(const struct sim_disk_knobs *knobs)
{
    const uint32_t count = model.pending_count;
    const uint32_t lost = crash_both(knobs);
    seen.lost += lost;
    seen.survivors += lost > 0 && lost < count;
    for (uint32_t f = 0; f < FILES; f++) {
        for (uint64_t p = model.durable[f].begin; p < model.durable[f].end; p++) {
            seen.torn += model.durable[f].at[p].present && model.durable[f].at[p].torn;
            seen.holes += !model.durable[f].at[p].present;
        }
    }
    sim_disk_restart(disk);
}

static inline void random_steps(const struct sim_disk_knobs *knobs, uint32_t steps)
{
    for (uint32_t i = 0; i < steps; i++) {
        const uint64_t action = sim_rng_between(&rng, 0, 99);
        model.now_ns += sim_rng_between(&rng, 0, 3000);
        if (action < 60) {
            random_write(knobs->capacity_bytes);
        } else if (action < 75) {
            random_cut();
        } else if (action < 86) {
            begin_sync_both(i);
            seen.syncs++;
        } else if (action < 98) {
            if (model.sync_count > 0) {
                seen.failed_syncs += finish_sync_both(knobs->lie_ppm == 0) == SIM_EIO;
            }
        } else {
            random_crash(knobs);
        }
        check_images();
    }
}

#endif
