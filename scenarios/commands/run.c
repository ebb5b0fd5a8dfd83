/* `fallacy run`: one seed of a scenario, told as a short story, recorded if asked. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "reports/recording.h"
#include "scenarios/commands/command.h"
#include "scenarios/commands/options.h"
#include "scenarios/commands/outcome.h"
#include "scenarios/commands/result_json.h"
#include "scenarios/commands/runner.h"
#include "scenarios/commands/story.h"

struct run_request {
    const char *file;
    uint64_t seed;
    bool seed_given;
    struct option_list sets;
    const char *out; /* NULL: no recording. */
    const char *level_name;
    enum recording_level level;
    bool json;
};

static bool read_request(struct run_request *request, int argc, char **argv)
{
    request->level_name = "history";
    const struct option_row options[] = {
        {"seed", OPTION_U64, &request->seed, &request->seed_given},
        {"set", OPTION_LIST, &request->sets, NULL},
        {"out", OPTION_TEXT, &request->out, NULL},
        {"level", OPTION_TEXT, &request->level_name, NULL},
        {"json", OPTION_FLAG, &request->json, NULL},
        {NULL, OPTION_FLAG, NULL, NULL},
    };
    if (!options_read(options, argc, argv, &request->file, 1, 1)) {
        return false;
    }
    if (!recording_level_parse(request->level_name, &request->level)) {
        fprintf(stderr, "fallacy run: --level: expected outcome, history or trace, got '%s'\n",
                request->level_name);
        return false;
    }
    return true;
}

static void print_result(const struct run_request *request, const struct scenario *scenario,
                         const struct story *story, const struct sim_world *world, uint64_t wall_ns,
                         bool met)
{
    printf("%s%s%s\n%s, seed %" PRIu64 "\n", options_colour(stdout, COLOUR_BOLD),
           scenario->title ? scenario->title : request->file, options_colour(stdout, COLOUR_OFF),
           scenario->file, sim_world_seed(world));
    if (scenario->why) {
        printf("%s\n", scenario->why);
    }
    printf("\n");
    story_print(story, world, scenario->expect, stdout);
    printf("\n%" PRIu64 " events in %.1f ms, hash %016" PRIx64 "\n", sim_world_events(world),
           (double)wall_ns / 1e6, sim_world_hash(world));
    if (scenario->lesson && met) {
        printf("%s\n", scenario->lesson);
    }
    printf("%s\n", met ? "Every expectation was met." : "Some expectation was NOT met.");
    if (request->out) {
        printf("Recorded in %s; see: fallacy show %s\n", request->out, request->out);
    }
}

/* Make the recording's file only now that the scenario is known to be good. */
static struct recording *open_recording(const struct run_request *request,
                                        const struct scenario *scenario, uint64_t seed,
                                        const struct sim_sink **sink)
{
    char error[RECORDING_ERROR_MAX];
    struct recording *recording = recording_create(request->out, error, sizeof error);
    if (!recording) {
        fprintf(stderr, "fallacy: %s\n", error);
        return NULL;
    }
    const struct recording_run run = {.scenario_file = scenario->file,
                                      .scenario_text = scenario->text,
                                      .sets = request->sets.items,
                                      .set_count = request->sets.count,
                                      .seed = seed,
                                      .level = request->level,
                                      .version = FALLACY_VERSION};
    *sink = recording_begin_run(recording, &run, &scenario->plan);
    if (!*sink) {
        fprintf(stderr, "fallacy: %s\n", recording_error(recording));
        recording_discard(recording);
        return NULL;
    }
    return recording;
}

static bool close_recording(struct recording *recording, const struct scenario *scenario,
                            const struct sim_world *world, bool met, uint64_t wall_ns)
{
    char error[RECORDING_ERROR_MAX];
    if (!recording) {
        return true;
    }
    /* An error stays with the recording until it is closed. */
    (void)!recording_finish_run(recording, world, scenario->expect, met, wall_ns);
    if (recording_close(recording, error, sizeof error) != SIM_OK) {
        fprintf(stderr, "fallacy: %s; nothing was kept\n", error);
        return false;
    }
    return true;
}

static int run_recorded(const struct run_request *request, const struct scenario *scenario,
                        struct runner *runner)
{
    const uint64_t seed = request->seed_given ? request->seed : scenario->plan.seed;
    const struct sim_sink *sink = NULL;
    struct recording *recording = NULL;
    if (request->out && !(recording = open_recording(request, scenario, seed, &sink))) {
        return EXIT_INPUT;
    }
    struct story story;
    story_init(&story, &scenario->plan, sink);
    struct sim_world *world;
    uint64_t wall_ns;
    if (runner_run(runner, &scenario->plan, seed, &story.sink, &world, &wall_ns) == RUNNER_MEMORY) {
        recording_discard(recording);
        fprintf(stderr,
                "fallacy: %s: the world needs more than %zu MiB; give the scenario a larger "
                "\"memory\"\n",
                scenario->file, scenario->plan.memory_bytes >> 20);
        return EXIT_INPUT;
    }
    const bool met = outcome_met(scenario, world);
    if (!close_recording(recording, scenario, world, met, wall_ns)) {
        return EXIT_INPUT;
    }
    if (request->json) {
        if (!result_json_print(result_json_run(scenario, world, wall_ns, met))) {
            return EXIT_FAULT;
        }
    } else {
        print_result(request, scenario, &story, world, wall_ns, met);
    }
    return met ? EXIT_MET : EXIT_UNMET;
}

int command_run(int argc, char **argv)
{
    struct run_request request = {0};
    struct scenario scenario;
    struct runner runner = {0};
    int code = EXIT_INPUT;
    if (!read_request(&request, argc, argv)) {
        return EXIT_INPUT;
    }
    if (scenario_load(&scenario, request.file, request.sets.items, request.sets.count) != SIM_OK) {
        scenario_print_errors(&scenario, stderr);
    } else if (!runner_init(&runner, &scenario.plan)) {
        fprintf(stderr, "fallacy: %s: this machine has no %zu MiB for the world\n", request.file,
                scenario.plan.memory_bytes >> 20);
    } else {
        code = run_recorded(&request, &scenario, &runner);
    }
    runner_release(&runner);
    scenario_release(&scenario);
    free(request.sets.items);
    return code;
}
