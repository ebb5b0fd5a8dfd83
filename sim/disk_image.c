#include "sim/disk_image.h"

/* Moving down waits until half of the array is free at the front, so that pushing and popping
 * cost O(1) on average. */
bool disk_list_make_room(struct sim_arena *arena, struct disk_list *list, size_t extra,
                         size_t item_bytes)
{
    if (list->head > 0 && list->head >= list->capacity / 2) {
        uint8_t *items = list->items;
        sim_arena_will_write(arena, items, list->count * item_bytes);
        memmove(items, items + list->head * item_bytes, list->count * item_bytes);
        list->head = 0;
        if (extra <= list->capacity - list->count) {
            return true;
        }
    }
    const size_t used = list->head + list->count;
    if (extra > SIZE_MAX / 2 - used) {
        return false;
    }
    return sim_arena_grow_cold(arena, &list->items, &list->capacity, used + extra, item_bytes);
}

void disk_list_release(struct sim_arena *arena, struct disk_list *list, size_t item_bytes)
{
    sim_arena_release(arena, list->items, list->capacity * item_bytes);
    *list = (struct disk_list){0};
}

struct disk_blob *disk_blob_new(struct sim_arena *arena, uint32_t size_bytes,
                                struct sim_label label, uint32_t references)
{
    if (size_bytes > sim_arena_capacity_bytes(arena)) { /* With 32 bits the sum could wrap. */
        return NULL;
    }
    struct disk_blob *blob = sim_arena_alloc_cold(arena, sizeof *blob + size_bytes);
    if (blob) {
        blob->label = label;
        blob->size_bytes = size_bytes;
        blob->references = references & (UINT32_MAX >> 1);
        blob->whole = true;
    }
    return blob;
}

uint64_t disk_image_bytes(const struct disk_image *image, uint64_t begin, uint64_t end)
{
    uint64_t bytes = 0;
    for (uint64_t position = begin; position < end; position++) {
        const struct disk_blob *blob = disk_image_get(image, position);
        bytes += blob ? blob->size_bytes : 0;
    }
    return bytes;
}

void disk_image_truncate(struct sim_arena *arena, struct disk_image *image, uint64_t from)
{
    while (image->slots.count > 0 && disk_image_end(image) > from) {
        disk_blob_drop(arena, disk_image_slots(image)[--image->slots.count]);
    }
    if (image->slots.count == 0) {
        image->slots.head = 0;
        image->begin = from < image->begin ? from : image->begin;
    }
}

void disk_image_discard(struct sim_arena *arena, struct disk_image *image, uint64_t before)
{
    if (before <= image->begin) {
        return;
    }
    const uint64_t wanted = before - image->begin;
    const size_t gone = wanted < image->slots.count ? (size_t)wanted : image->slots.count;
    for (size_t i = 0; i < gone; i++) {
        disk_blob_drop(arena, disk_image_slots(image)[i]);
    }
    disk_list_drop_front(&image->slots, gone);
    image->begin = before;
}

bool disk_image_extend_up(struct sim_arena *arena, struct disk_image *image, uint64_t end)
{
    if (end <= disk_image_end(image)) {
        return true;
    }
    const uint64_t extra = end - disk_image_end(image);
    if (extra > SIZE_MAX / 2 ||
        !disk_list_reserve(arena, &image->slots, (size_t)extra, sizeof(struct disk_blob *))) {
        return false;
    }
    struct disk_blob **added = disk_image_slots(image) + image->slots.count;
    sim_arena_will_write(arena, added, (size_t)extra * sizeof *added);
    memset(added, 0, (size_t)extra * sizeof *added);
    image->slots.count += (size_t)extra;
    return true;
}

bool disk_image_extend_down(struct sim_arena *arena, struct disk_image *image, uint64_t begin)
{
    if (begin >= image->begin) {
        return true;
    }
    const uint64_t extra = image->begin - begin;
    const size_t count = image->slots.count;
    if (!disk_image_extend_up(arena, image, disk_image_end(image) + extra)) {
        return false;
    }
    struct disk_blob **slots = disk_image_slots(image);
    sim_arena_will_write(arena, slots, image->slots.count * sizeof *slots);
    memmove(slots + extra, slots, count * sizeof *slots);
    memset(slots, 0, (size_t)extra * sizeof *slots);
    image->begin = begin;
    return true;
}

void disk_image_release(struct sim_arena *arena, struct disk_image *image)
{
    disk_image_truncate(arena, image, 0);
    disk_list_release(arena, &image->slots, sizeof(struct disk_blob *));
    image->begin = 0;
}
