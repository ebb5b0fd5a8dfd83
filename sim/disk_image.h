/* The parts of a disk (sim/disk_internal.h alone includes this): records, and windows of them.
 *
 * A record is an immutable blob, counted by who points at it: disk_blob_keep() and disk_blob_drop()
 * for every slot of an image and every change. What is read or written at each step is inline.
 * Blobs and lists are in cold memory: a disk mostly holds what was written long ago. */
#ifndef SIM_DISK_IMAGE_H
#define SIM_DISK_IMAGE_H

#include "sim/arena.h"
#include "sim/node.h"

/* A sequence in the arena that grows at the back and shrinks at both ends. All zero: empty. */
struct disk_list {
    void *items;
    size_t capacity;
    size_t head;
    size_t count;
};

struct disk_blob {
    struct sim_label label;
    uint32_t size_bytes;
    uint32_t references : 31;
    uint32_t whole : 1; /* Neither torn nor rotten: the label is true. */
    uint8_t bytes[];
};

struct disk_image {
    struct disk_list slots; /* struct disk_blob *, for begin, begin + 1, ...; NULL: a hole. */
    uint64_t begin;
};

SIM_NODISCARD bool disk_list_make_room(struct sim_arena *arena, struct disk_list *list,
                                       size_t extra, size_t item_bytes);
void disk_list_release(struct sim_arena *arena, struct disk_list *list, size_t item_bytes);

/* Room for `extra` more at the back; false, with nothing changed, if the arena is full. */
SIM_NODISCARD static inline bool disk_list_reserve(struct sim_arena *arena, struct disk_list *list,
                                                   size_t extra, size_t item_bytes)
{
    return SIM_LIKELY(extra <= list->capacity - list->head - list->count) ||
           disk_list_make_room(arena, list, extra, item_bytes);
}

static inline void disk_list_drop_front(struct disk_list *list, size_t count)
{
    list->count -= count;
    list->head = list->count == 0 ? 0 : list->head + count;
}

/* Uninitialised bytes, for so many references; NULL if the arena is full. */
SIM_NODISCARD struct disk_blob *disk_blob_new(struct sim_arena *arena, uint32_t size_bytes,
                                              struct sim_label label, uint32_t references);

static inline struct disk_blob *disk_blob_keep(struct sim_arena *arena,
                                               struct disk_blob *blob) /* NULL is kept, too. */
{
    if (blob) {
        sim_arena_will_write(arena, blob, sizeof *blob);
        blob->references++;
    }
    return blob;
}

static inline void disk_blob_drop(struct sim_arena *arena, struct disk_blob *blob)
{
    if (!blob) {
        return;
    }
    sim_arena_will_write(arena, blob, sizeof *blob);
    if (--blob->references == 0) {
        sim_arena_release(arena, blob, sizeof *blob + blob->size_bytes);
    }
}

static inline uint64_t disk_image_end(const struct disk_image *image)
{
    return image->begin + image->slots.count;
}

static inline struct disk_blob **disk_image_slots(const struct disk_image *image)
{
    struct disk_blob **slots = image->slots.items;
    return slots + image->slots.head;
}

/* NULL for a hole and outside the window. */
static inline struct disk_blob *disk_image_get(const struct disk_image *image, uint64_t position)
{
    /* Below the window the difference wraps to something large. */
    const uint64_t i = position - image->begin;
    return i < image->slots.count ? disk_image_slots(image)[i] : NULL;
}

/* Put `blob` into the window in place of what is there, which the slot gives up. The slot takes
 * over a reference that the caller has. */
static inline void disk_image_put(struct sim_arena *arena, struct disk_image *image,
                                  uint64_t position, struct disk_blob *blob)
{
    struct disk_blob **slot = &disk_image_slots(image)[position - image->begin];
    struct disk_blob *old = *slot;
    sim_arena_will_write(arena, slot, sizeof *slot);
    *slot = blob;
    disk_blob_drop(arena, old);
}

/* Sum of the sizes of the records at begin .. end - 1. */
uint64_t disk_image_bytes(const struct disk_image *image, uint64_t begin, uint64_t end);

/* Drop what is at `from` and beyond, or before `before`; the window then ends or begins there
 * if it reached so far. An emptied window stays where it was cut. */
void disk_image_truncate(struct sim_arena *arena, struct disk_image *image, uint64_t from);
void disk_image_discard(struct sim_arena *arena, struct disk_image *image, uint64_t before);

/* Widen the window with holes to reach `end` or `begin`; false, with nothing changed, if the
 * arena is full. */
SIM_NODISCARD bool disk_image_extend_up(struct sim_arena *arena, struct disk_image *image,
                                        uint64_t end);
SIM_NODISCARD bool disk_image_extend_down(struct sim_arena *arena, struct disk_image *image,
                                          uint64_t begin);

void disk_image_release(struct sim_arena *arena, struct disk_image *image);

#endif
