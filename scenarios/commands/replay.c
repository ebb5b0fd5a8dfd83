/* `fallacy replay` and `fallacy show`: what is done with a recording. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "reports/compare.h"
#include "reports/show.h"
#include "scenarios/commands/command.h"
#include "scenarios/commands/options.h"
#include "scenarios/commands/recorded.h"
#include "scenarios/commands/result_json.h"
#include "scenarios/commands/runner.h"

struct replayed {
    bool identical;
    const char *difference;
    uint64_t first; /* Events between which the first difference lies. */
    uint64_t last;
    uint64_t hash;
    uint64_t events;
    uint64_t wall_ns;
};

static int report_replay(const struct reading *reading, const struct reading_run *run,
                         const struct replayed *r, bool json)
{
    const bool whole = reading_finished(reading);
    if (json) {
        cJSON *object = cJSON_CreateObject();
        (void)cJSON_AddStringToObject(object, "recording", reading_file(reading));
        (void)cJSON_AddStringToObject(object, "scenario", run->run.scenario_file);
        result_json_u64(object, "seed", run->seed);
        (void)cJSON_AddBoolToObject(object, "identical", r->identical);
        (void)cJSON_AddBoolToObject(object, "finished", whole);
        result_json_hash(object, "hash", r->hash);
        result_json_hash(object, "recorded_hash", run->hash);
        result_json_u64(object, "events", r->events);
        result_json_u64(object, "wall_ns", r->wall_ns);
        if (!r->identical) {
            (void)cJSON_AddStringToObject(object, "difference", r->difference);
            result_json_u64(object, "first_event", r->first);
            result_json_u64(object, "last_event", r->last);
        }
        if (!result_json_print(object)) {
            return EXIT_FAULT;
        }
    } else if (r->identical) {
        printf("identical: %s, seed %" PRIu64 ", %" PRIu64 " events, hash %016" PRIx64 "%s\n",
               run->run.scenario_file, run->seed, r->events, r->hash,
               whole ? "" : " (the recording is unfinished; all that it holds is the same)");
    } else {
        printf("diverged: %s, seed %" PRIu64 "\n%s\n", run->run.scenario_file, run->seed,
               r->difference);
    }
    return r->identical ? EXIT_MET : EXIT_UNMET;
}

static int replay_scenario(struct reading *reading, const struct reading_run *run,
                           const struct scenario *scenario, bool json)
{
    char error[RECORDING_ERROR_MAX];
    struct runner runner = {0};
    struct compare *compare = compare_new(reading, error, sizeof error);
    int code = EXIT_INPUT;
    struct sim_world *world;
    struct replayed r = {0};
    if (!compare) {
        fprintf(stderr, "fallacy: %s\n", error);
    } else if (!runner_init(&runner, &scenario->plan)) {
        fprintf(stderr, "fallacy: this machine has no memory for the world\n");
    } else if (runner_run(&runner, &scenario->plan, run->seed, compare_sink(compare), &world,
                          &r.wall_ns) == RUNNER_MEMORY) {
        fprintf(stderr, "fallacy: %s: the world needs more memory than its scenario gives it\n",
                reading_file(reading));
    } else {
        size_t count;
        const uint64_t *checkpoints = sim_world_checkpoints(world, &count);
        r.hash = sim_world_hash(world);
        r.events = sim_world_events(world);
        r.identical =
            compare_finish(compare, r.hash, r.events, checkpoints, count, &scenario->plan);
        r.difference = compare_difference(compare);
        compare_where(compare, &r.first, &r.last);
        code = report_replay(reading, run, &r, json);
    }
    compare_free(compare);
    runner_release(&runner);
    return code;
}

int command_replay(int argc, char **argv)
{
    const char *file = NULL;
    bool json = false;
    const struct option_row options[] = {{"json", OPTION_FLAG, &json, NULL},
                                         {NULL, OPTION_FLAG, NULL, NULL}};
    if (!options_read(options, argc, argv, &file, 1, 1)) {
        return EXIT_INPUT;
    }
    struct recorded recorded;
    const int code = recorded_open(&recorded, file)
                         ? replay_scenario(recorded.reading, recorded.run, &recorded.scenario, json)
                         : EXIT_INPUT;
    recorded_close(&recorded);
    return code;
}

int command_show(int argc, char **argv)
{
    const char *words[2] = {NULL, NULL};
    const struct option_row options[] = {{NULL, OPTION_FLAG, NULL, NULL}};
    if (!options_read(options, argc, argv, words, 1, 2)) {
        return EXIT_INPUT;
    }
    char error[RECORDING_ERROR_MAX];
    struct reading *reading = reading_open(words[0], error, sizeof error);
    const enum sim_status status =
        reading ? show(reading, words[1], stdout, show_wants_colours(stdout), error, sizeof error)
                : SIM_EINVAL;
    reading_close(reading);
    if (status != SIM_OK) {
        fprintf(stderr, "fallacy: %s\n", error);
        return EXIT_INPUT;
    }
    return EXIT_MET;
}
