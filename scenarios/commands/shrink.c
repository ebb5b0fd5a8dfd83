/* `fallacy shrink`: the smallest scenario that still fails the same way. */
#include "scenarios/commands/shrink.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "scenarios/commands/command.h"
#include "scenarios/commands/options.h"
#include "scenarios/commands/result_json.h"
#include "scenarios/commands/story.h"

#define BUDGET_STEPS UINT64_C(150000000) /* Less than a minute on a machine of 2026. */

struct shrink_request {
    const char *file;
    uint64_t seed;
    bool seed_given;
    struct option_list sets;
    const char *out;
    const char *check;
    uint64_t budget;
    bool json;
};

static bool read_request(struct shrink_request *request, uint32_t *check, int argc, char **argv)
{
    request->budget = BUDGET_STEPS;
    const struct option_row options[] = {
        {"seed", OPTION_U64, &request->seed, &request->seed_given},
        {"set", OPTION_LIST, &request->sets, NULL},
        {"out", OPTION_TEXT, &request->out, NULL},
        {"check", OPTION_TEXT, &request->check, NULL},
        {"budget", OPTION_U64, &request->budget, NULL},
        {"json", OPTION_FLAG, &request->json, NULL},
        {NULL, OPTION_FLAG, NULL, NULL},
    };
    if (!options_read(options, argc, argv, &request->file, 1, 1)) {
        return false;
    }
    if (!request->out) {
        fprintf(stderr, "fallacy shrink: where to? For example: --out min.json\n");
        return false;
    }
    *check = SIM_CHECK_COUNT;
    for (uint32_t c = 0; request->check && c < SIM_CHECK_COUNT; c++) {
        *check = strcmp(sim_check_infos[c].name, request->check) == 0 ? c : *check;
    }
    if (request->check && *check == SIM_CHECK_COUNT) {
        fprintf(stderr,
                "fallacy shrink: --check: there is no check '%s'; see `fallacy list checks`\n",
                request->check);
        return false;
    }
    return true;
}

/* ---- While it runs -------------------------------------------------------------------------- */

static void show_progress(const struct shrink *s)
{
    static uint64_t shown_ns;
    const uint64_t now_ns = runner_wall_ns();
    if (now_ns - shown_ns < 100 * SIM_MS) {
        return;
    }
    shown_ns = now_ns;
    struct shrink_size size;
    shrink_size(&s->best, &s->failure, &size);
    fprintf(stderr,
            "\r%3" PRIu64 " %%  %" PRIu32 " nodes, %" PRIu32 " faults, %" PRIu32 " fates, %" PRIu64
            " operations; trying %s (%" PRIu64 " of %" PRIu64 " changes kept)\033[K",
            s->budget ? s->steps * 100 / s->budget : 100, size.nodes, size.faults, size.fates,
            size.operations, s->pass ? s->pass : "", s->kept, s->tries);
    (void)fflush(stderr);
}

/* ---- What came out -------------------------------------------------------------------------- */

static void print_words(const struct shrink *s, uint64_t wall_ns)
{
    struct shrink_size after;
    char was[32];
    char is[32];
    shrink_size(&s->best, &s->failure, &after);
    printf("%s is %s: %s\n\n", sim_check_infos[s->target.check].name,
           sim_verdict_name(s->target.verdict), s->failure.detail);
    printf("                       before        after\n");
    const struct {
        const char *name;
        uint64_t before;
        uint64_t after;
    } rows[] = {{"nodes", s->before.nodes, after.nodes},
                {"clients", s->before.clients, after.clients},
                {"faults", s->before.faults, after.faults},
                {"fates", s->before.fates, after.fates},
                {"operations", s->before.operations, after.operations}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        printf("  %-12s  %13" PRIu64 "%13" PRIu64 "\n", rows[i].name, rows[i].before,
               rows[i].after);
    }
    printf("  %-12s  %13s%13s\n\n", "duration", story_time(s->before.duration_ns, was),
           story_time(after.duration_ns, is));
    printf("%" PRIu64 " of %" PRIu64 " changes kept, %.1f million steps in %.1f s%s\n", s->kept,
           s->tries, (double)s->steps / 1e6, (double)wall_ns / 1e9,
           shrink_was_stopped()    ? "; stopped"
           : s->steps >= s->budget ? "; a larger --budget may find less"
                                   : "");
    printf("See it: fallacy run %s\n", s->out);
}

static void add_size(cJSON *object, const char *name, const struct shrink_size *size)
{
    cJSON *inner = cJSON_AddObjectToObject(object, name);
    result_json_u64(inner, "nodes", size->nodes);
    result_json_u64(inner, "clients", size->clients);
    result_json_u64(inner, "faults", size->faults);
    result_json_u64(inner, "fates", size->fates);
    result_json_u64(inner, "operations", size->operations);
    result_json_u64(inner, "duration_ns", size->duration_ns);
}

static bool print_json(const struct shrink *s, uint64_t wall_ns)
{
    struct shrink_size after;
    shrink_size(&s->best, &s->failure, &after);
    cJSON *object = cJSON_CreateObject();
    (void)cJSON_AddStringToObject(object, "scenario", s->original->file);
    result_json_u64(object, "seed", s->original_seed);
    (void)cJSON_AddStringToObject(object, "check", sim_check_infos[s->target.check].name);
    (void)cJSON_AddStringToObject(object, "verdict", sim_verdict_name(s->target.verdict));
    (void)cJSON_AddStringToObject(object, "detail", s->failure.detail);
    (void)cJSON_AddStringToObject(object, "out", s->out);
    result_json_u64(object, "out_seed", s->best.seed);
    add_size(object, "before", &s->before);
    add_size(object, "after", &after);
    result_json_u64(object, "tries", s->tries);
    result_json_u64(object, "kept", s->kept);
    result_json_u64(object, "runs", s->runs);
    result_json_u64(object, "steps", s->steps);
    (void)cJSON_AddBoolToObject(object, "stopped", shrink_was_stopped());
    result_json_u64(object, "wall_ns", wall_ns);
    return result_json_print(object);
}

/* ---- The command ---------------------------------------------------------------------------- */

/* The failing run as it is goes into the file at once: whenever shrinking ends, there is one. */
static bool write_first(struct shrink *s)
{
    struct sim_plan same;
    s->pass = "nothing yet";
    if (sim_plan_copy(&same, &s->best) == SIM_OK && shrink_try(s, &same)) {
        return true;
    }
    if (!s->problem[0] && !shrink_was_stopped()) {
        (void)snprintf(s->problem, sizeof s->problem, "the format cannot say what fails");
    }
    return false;
}

/* False if there is nothing to shrink, or no file to put it into; it has been said. */
static bool find_failure(struct shrink *s, const struct shrink_request *request,
                         const struct scenario *scenario, uint32_t check)
{
    const uint64_t seed = request->seed_given ? request->seed : scenario->plan.seed;
    if (shrink_first(s, &scenario->plan, seed, check) && write_first(s)) {
        return true;
    }
    const char *what = check == SIM_CHECK_COUNT ? "no check" : sim_check_infos[check].name;
    if (s->problem[0]) {
        fprintf(stderr, "fallacy: %s, seed %" PRIu64 ": %s\n", request->file, seed, s->problem);
    } else if (shrink_was_stopped()) {
        fprintf(stderr, "fallacy: stopped before anything was found; nothing was written\n");
    } else {
        fprintf(stderr,
                "fallacy: %s, seed %" PRIu64 ": %s is %sviolated, so there is nothing to shrink. "
                "Find a seed: fallacy sweep %s --seeds 1..100\n",
                request->file, seed, what, check == SIM_CHECK_COUNT ? "" : "not ", request->file);
    }
    return false;
}

static int shrink_scenario(const struct shrink_request *request, const struct scenario *scenario,
                           uint32_t check)
{
    struct shrink s = {.original = scenario,
                       .sets = request->sets.items,
                       .set_count = request->sets.count,
                       .out = request->out,
                       .budget = request->budget};
    const uint64_t begin_ns = runner_wall_ns();
    if (!runner_init(&s.runner, &scenario->plan)) {
        fprintf(stderr, "fallacy: %s: this machine has no %zu MiB for the world\n", request->file,
                scenario->plan.memory_bytes >> 20);
        return EXIT_INPUT;
    }
    const bool terminal = isatty(STDERR_FILENO);
    s.progress = terminal ? show_progress : NULL;
    shrink_catch_stop();
    int code = EXIT_INPUT;
    if (find_failure(&s, request, scenario, check)) {
        shrink_all(&s);
        const uint64_t wall_ns = runner_wall_ns() - begin_ns;
        if (terminal) {
            fprintf(stderr, "\r\033[K");
        }
        code = shrink_was_stopped() ? EXIT_STOPPED : EXIT_MET;
        if (s.problem[0]) {
            fprintf(stderr, "fallacy: %s\n", s.problem);
            code = EXIT_FAULT;
        } else if (!request->json) {
            print_words(&s, wall_ns);
        } else if (!print_json(&s, wall_ns)) {
            code = EXIT_FAULT;
        }
    } else if (shrink_was_stopped()) {
        code = EXIT_STOPPED;
    }
    sim_plan_release(&s.best);
    runner_release(&s.runner);
    return code;
}

int command_shrink(int argc, char **argv)
{
    struct shrink_request request = {0};
    struct scenario scenario;
    uint32_t check;
    int code = EXIT_INPUT;
    if (!read_request(&request, &check, argc, argv)) {
        free(request.sets.items);
        return EXIT_INPUT;
    }
    if (scenario_load(&scenario, request.file, request.sets.items, request.sets.count) != SIM_OK) {
        scenario_print_errors(&scenario, stderr);
    } else {
        code = shrink_scenario(&request, &scenario, check);
    }
    scenario_release(&scenario);
    free(request.sets.items);
    return code;
}
