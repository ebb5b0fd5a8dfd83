/* What happened in the run that fails: its records, up to the failure. */
#include <stdlib.h>

#include "scenarios/commands/shrink.h"

static void keep(void *context, const struct sim_record *record)
{
    struct shrink_watch *watch = context;
    if (watch->count == watch->capacity) {
        const size_t capacity = watch->capacity ? 2 * watch->capacity : 1024;
        struct sim_record *records = realloc(watch->records, capacity * sizeof *records);
        if (!records) {
            watch->out_of_memory = true;
            return;
        }
        watch->records = records;
        watch->capacity = capacity;
    }
    watch->records[watch->count++] = *record;
}

bool shrink_watch(struct shrink *s, uint32_t kinds, struct shrink_watch *watch,
                  struct sim_world **world)
{
    *watch = (struct shrink_watch){.records = NULL};
    const struct sim_sink sink = {.context = watch, .kinds = kinds, .record = keep};
    uint64_t wall_ns;
    s->runner.steps_max = 0;
    const enum runner_end end =
        runner_run(&s->runner, &s->best, s->best.seed, &sink, world, &wall_ns);
    if (end == RUNNER_DONE) {
        s->steps += sim_world_steps(*world);
    }
    return end == RUNNER_DONE && !watch->out_of_memory;
}

void shrink_watch_release(struct shrink_watch *watch)
{
    free(watch->records);
    watch->records = NULL;
}
