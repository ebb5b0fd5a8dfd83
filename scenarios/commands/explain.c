/* `fallacy explain`: why a run violated an invariant, from a recording or a scenario and seed. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "reports/explain.h"
#include "scenarios/commands/command.h"
#include "scenarios/commands/inevitable_report.h"
#include "scenarios/commands/options.h"
#include "scenarios/commands/recorded.h"
#include "scenarios/commands/result_json.h"
#include "scenarios/commands/runner.h"
#include "scenarios/commands/story.h"

#define LINES_SHOWN 25
#define BRANCHES 40
#define BRANCHES_MAX 100000
#define MARGIN_NS SIM_S

struct explain_request {
    const char *file;
    uint64_t seed;
    bool seed_given;
    struct option_list sets;
    bool all;
    bool inevitable;
    uint64_t branches;
    bool json;
};

static void print_words(const struct scenario *scenario, const struct sim_check_state *state,
                        uint32_t check, const struct explain_line *lines, size_t first,
                        size_t count)
{
    char when[32];
    printf("%s is %s at %s: %s\n%s\n\nWhat led to it:\n", sim_check_infos[check].name,
           sim_verdict_name(state->judged ? state->verdict : SIM_VIOLATED),
           story_time(state->at_ns, when), state->detail, scenario->file);
    if (first > 0) {
        printf("  %12s  %zu earlier causes; --all tells them too\n", "...", first);
    }
    for (size_t i = first; i < count; i++) {
        printf("  %12s  %s\n", story_time(lines[i].time_ns, when), lines[i].words);
    }
}

static bool print_json(const struct scenario *scenario, uint64_t seed,
                       const struct sim_check_state *state, uint32_t check,
                       const struct explain_line *lines, size_t first, size_t count,
                       cJSON *inevitable)
{
    cJSON *object = cJSON_CreateObject();
    (void)cJSON_AddStringToObject(object, "scenario", scenario->file);
    result_json_u64(object, "seed", seed);
    (void)cJSON_AddStringToObject(object, "check", sim_check_infos[check].name);
    (void)cJSON_AddStringToObject(object, "detail", state->detail);
    result_json_u64(object, "at_ns", state->at_ns);
    result_json_u64(object, "event", state->event);
    result_json_u64(object, "left_out", first);
    cJSON *causes = cJSON_AddArrayToObject(object, "causes");
    for (size_t i = first; i < count; i++) {
        cJSON *cause = cJSON_CreateObject();
        result_json_u64(cause, "time_ns", lines[i].time_ns);
        result_json_u64(cause, "event", lines[i].event);
        if (lines[i].node < scenario->plan.node_count) {
            (void)cJSON_AddStringToObject(cause, "node", scenario->plan.nodes[lines[i].node].name);
        } else {
            (void)cJSON_AddNullToObject(cause, "node");
        }
        (void)cJSON_AddStringToObject(cause, "words", lines[i].words);
        (void)cJSON_AddItemToArray(causes, cause);
    }
    if (inevitable) {
        (void)cJSON_AddItemToObject(object, "inevitable", inevitable);
    }
    return result_json_print(object);
}

/* Told the causes, tell from when on they were enough. The world is gone afterwards. */
static bool measure(const struct explain_request *request, const struct scenario *scenario,
                    struct runner *runner, const struct sim_check_state *state, uint32_t check,
                    uint64_t seed, struct inevitable *found, struct inevitable_request *asked)
{
    *asked = (struct inevitable_request){.plan = &scenario->plan,
                                         .seed = seed,
                                         .check = check,
                                         .violated_ns = state->at_ns,
                                         .margin_ns = MARGIN_NS,
                                         .branches = (uint32_t)request->branches};
    if (!inevitable_measure(found, runner, asked)) {
        fprintf(stderr, "fallacy: there is no memory for other futures of the run\n");
        return false;
    }
    return true;
}

static int report(const struct explain_request *request, const struct scenario *scenario,
                  struct runner *runner, struct explain *explain, const struct sim_world *world)
{
    const struct explain_line *lines;
    size_t count;
    switch (explain_causes(explain, &lines, &count)) {
    case SIM_OK:
        break;
    case SIM_EINVAL:
        fprintf(stderr, "fallacy: %s, seed %" PRIu64 ": no invariant was violated\n",
                scenario->file, sim_world_seed(world));
        return EXIT_UNMET;
    default:
        fprintf(stderr, "fallacy: this machine has no memory for the events of the run\n");
        return EXIT_INPUT;
    }
    const uint32_t check = explain_check(explain);
    const struct sim_check_state state = *sim_checks_state(sim_world_checks(world), check);
    const uint64_t seed = sim_world_seed(world);
    const size_t first = request->all || count <= LINES_SHOWN ? 0 : count - LINES_SHOWN;
    if (!request->json) {
        print_words(scenario, &state, check, lines, first, count);
        (void)fflush(stdout); /* What follows takes a while. */
    }
    struct inevitable found;
    struct inevitable_request asked;
    if (request->inevitable &&
        !measure(request, scenario, runner, &state, check, seed, &found, &asked)) {
        return EXIT_INPUT;
    }
    if (request->json) {
        cJSON *inevitable = request->inevitable ? inevitable_json(&found, &asked, explain) : NULL;
        return print_json(scenario, seed, &state, check, lines, first, count, inevitable)
                   ? EXIT_MET
                   : EXIT_FAULT;
    }
    if (request->inevitable) {
        inevitable_print(&found, &asked, explain);
    }
    return EXIT_MET;
}

/* The run is made again with every record kept: whatever the recording's level, its seed and
 * scenario hold the whole of it. `hash` 0: there is none to compare. */
static int explain_run(const struct explain_request *request, const struct scenario *scenario,
                       uint64_t seed, uint64_t hash)
{
    struct runner runner = {0};
    struct explain *explain = explain_new(&scenario->plan);
    struct sim_world *world;
    uint64_t wall_ns;
    int code = EXIT_INPUT;
    if (!explain || !runner_init(&runner, &scenario->plan)) {
        fprintf(stderr, "fallacy: this machine has no memory for the world\n");
    } else if (runner_run(&runner, &scenario->plan, seed, explain_sink(explain), &world,
                          &wall_ns) == RUNNER_MEMORY) {
        fprintf(stderr, "fallacy: %s: the world needs more memory than its scenario gives it\n",
                scenario->file);
    } else if (hash != 0 && hash != sim_world_hash(world)) {
        fprintf(stderr,
                "fallacy: %s: this program runs it differently; fallacy replay says where\n",
                request->file);
    } else {
        code = report(request, scenario, &runner, explain, world);
    }
    explain_free(explain);
    runner_release(&runner);
    return code;
}

static int explain_recording(const struct explain_request *request)
{
    struct recorded recorded;
    const int code =
        recorded_open(&recorded, request->file)
            ? explain_run(request, &recorded.scenario, recorded.run->seed, recorded.run->hash)
            : EXIT_INPUT;
    recorded_close(&recorded);
    return code;
}

static int explain_scenario(const struct explain_request *request)
{
    struct scenario scenario;
    int code = EXIT_INPUT;
    if (scenario_load(&scenario, request->file, request->sets.items, request->sets.count) !=
        SIM_OK) {
        scenario_print_errors(&scenario, stderr);
    } else {
        code = explain_run(request, &scenario,
                           request->seed_given ? request->seed : scenario.plan.seed, 0);
    }
    scenario_release(&scenario);
    return code;
}

int command_explain(int argc, char **argv)
{
    struct explain_request request = {.branches = BRANCHES};
    const struct option_row options[] = {
        {"seed", OPTION_U64, &request.seed, &request.seed_given},
        {"set", OPTION_LIST, &request.sets, NULL},
        {"all", OPTION_FLAG, &request.all, NULL},
        {"inevitable", OPTION_FLAG, &request.inevitable, NULL},
        {"branches", OPTION_U64, &request.branches, &request.inevitable},
        {"json", OPTION_FLAG, &request.json, NULL},
        {NULL, OPTION_FLAG, NULL, NULL},
    };
    int code = EXIT_INPUT;
    if (options_read(options, argc, argv, &request.file, 1, 1)) {
        const size_t length = strlen(request.file);
        const bool is_scenario = length > 5 && strcmp(request.file + length - 5, ".json") == 0;
        if (!is_scenario && (request.seed_given || request.sets.count > 0)) {
            fprintf(stderr, "fallacy explain: --seed and --set go with a scenario, FILE.json; a "
                            "recording has its own\n");
        } else if (request.branches < 1 || request.branches > BRANCHES_MAX) {
            fprintf(stderr, "fallacy explain: --branches: from 1 to %d\n", BRANCHES_MAX);
        } else {
            code = is_scenario ? explain_scenario(&request) : explain_recording(&request);
        }
    }
    free(request.sets.items);
    return code;
}
