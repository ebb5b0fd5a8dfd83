/* See portable.h. */
#include "tests/portable/portable.h"

#include "nodes/registry.h"
#include "sim/world.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* The first kind that the registry did not know, while a plan is read. */
static char missing_kind[SIM_NAME_MAX];

static const struct sim_node_kind *find_kind(const char *name)
{
    const struct sim_node_kind *kind = node_registry_find(name);
    if (!kind && !missing_kind[0]) {
        snprintf(missing_kind, sizeof missing_kind, "%s", name);
    }
    return kind;
}

/* The whole file, to be freed by the caller; NULL if it cannot be read. */
static uint8_t *read_file(const char *path, size_t *size_bytes)
{
    FILE *file = fopen(path, "rb");
    if (!file) {
        return NULL;
    }
    uint8_t *bytes = NULL;
    size_t capacity = 0;
    size_t size = 0;
    size_t got;
    do {
        if (size == capacity) {
            capacity = capacity ? 2 * capacity : 65536;
            uint8_t *larger = realloc(bytes, capacity);
            if (!larger) {
                break;
            }
            bytes = larger;
        }
        got = fread(bytes + size, 1, capacity - size, file);
        size += got;
    } while (got > 0);
    const bool complete = feof(file) && !ferror(file);
    fclose(file);
    if (!complete) {
        free(bytes);
        return NULL;
    }
    *size_bytes = size;
    return bytes;
}

/* Run to the end; NULL, or why not. */
static const char *run(const struct sim_plan *plan, uint64_t *hash, uint64_t *events)
{
    struct sim_arena *arena = sim_arena_new(plan->memory_bytes);
    if (!arena) {
        return "no memory for the arena";
    }
    const char *problem = NULL;
    struct sim_world *world;
    if (sim_world_new(&world, arena, plan, plan->seed, NULL) != SIM_OK) {
        problem = "the world does not fit into its arena";
    } else if (sim_world_run(world, SIM_NEVER) != SIM_STOP_END) {
        problem = "the run did not come to its end";
    } else {
        *hash = sim_world_hash(world);
        *events = sim_world_events(world);
    }
    sim_arena_free(arena);
    return problem;
}

bool portable_run_plan(const char *path)
{
    size_t size_bytes;
    uint8_t *bytes = read_file(path, &size_bytes);
    if (!bytes) {
        fprintf(stderr, "%s: cannot be read\n", path);
        return false;
    }
    const size_t length = strlen(path);
    const bool suffixed = length > 5 && strcmp(path + length - 5, ".plan") == 0;
    const int name_length = (int)(suffixed ? length - 5 : length);

    struct sim_plan plan;
    missing_kind[0] = '\0';
    const enum sim_status status = sim_plan_read(&plan, bytes, size_bytes, find_kind);
    free(bytes);
    if (status != SIM_OK && missing_kind[0]) {
        printf("%.*s skip %s\n", name_length, path, missing_kind);
        return true;
    }
    if (status != SIM_OK) {
        fprintf(stderr, "%s: not a plan of this version\n", path);
        return false;
    }
    uint64_t hash = 0;
    uint64_t events = 0;
    const char *problem = run(&plan, &hash, &events);
    if (problem) {
        fprintf(stderr, "%s: %s\n", path, problem);
    } else {
        printf("%.*s %016" PRIx64 " %" PRIu64 "\n", name_length, path, hash, events);
    }
    sim_plan_release(&plan);
    return !problem;
}
