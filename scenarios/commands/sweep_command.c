/* `fallacy sweep`: many seeds on all cores, with a progress bar, ending with what was found. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "reports/recording.h"
#include "scenarios/commands/command.h"
#include "scenarios/commands/runner.h"
#include "scenarios/commands/sweep_report.h"

struct sweep_words {
    const char *file;
    const char *seeds;
    uint64_t jobs;
    struct option_list sets;
    const char *out;
    const char *junit;
    bool json;
};

/* What the outcomes go to while the sweep is under way. */
struct sweep_view {
    struct recording *recording; /* NULL: none. */
    const struct scenario *scenario;
    uint64_t count;
    uint64_t begin_ns;
    uint64_t shown_ns;
    bool terminal;
};

static bool parse_seeds(const char *text, uint64_t *first, uint64_t *last)
{
    char low[24];
    const char *dots = text ? strstr(text, "..") : NULL;
    const size_t length = dots ? (size_t)(dots - text) : 0;
    if (length == 0 || length >= sizeof low) {
        return false;
    }
    memcpy(low, text, length);
    low[length] = '\0';
    return options_u64(low, first) && options_u64(dots + 2, last) && *first <= *last &&
           *last - *first < UINT64_C(1) << 32;
}

static bool read_words(struct sweep_words *words, struct sweep_request *request, int argc,
                       char **argv)
{
    const long cores = sysconf(_SC_NPROCESSORS_ONLN);
    words->jobs = cores > 0 ? (uint64_t)cores : 1;
    const struct option_row options[] = {
        {"seeds", OPTION_TEXT, &words->seeds, NULL},
        {"jobs", OPTION_U64, &words->jobs, NULL},
        {"set", OPTION_LIST, &words->sets, NULL},
        {"out", OPTION_TEXT, &words->out, NULL},
        {"junit", OPTION_TEXT, &words->junit, NULL},
        {"json", OPTION_FLAG, &words->json, NULL},
        {NULL, OPTION_FLAG, NULL, NULL},
    };
    if (!options_read(options, argc, argv, &words->file, 1, 1)) {
        return false;
    }
    if (!words->seeds) {
        fprintf(stderr, "fallacy sweep: which seeds? For example: --seeds 1..200\n");
        return false;
    }
    if (!parse_seeds(words->seeds, &request->first_seed, &request->last_seed)) {
        fprintf(stderr,
                "fallacy sweep: --seeds: expected FIRST..LAST, at most 2^32 of them, got '%s'\n",
                words->seeds);
        return false;
    }
    if (words->jobs < 1 || words->jobs > 256) {
        fprintf(stderr, "fallacy sweep: --jobs: expected 1 to 256, got %" PRIu64 "\n", words->jobs);
        return false;
    }
    request->jobs = (uint32_t)words->jobs;
    return true;
}

/* ---- While it runs ------------------------------------------------------------------------- */

static void record_outcome(void *context, const struct sweep_outcome *o)
{
    const struct sweep_view *view = context;
    if (!view->recording) {
        return;
    }
    static struct recording_outcome row; /* Large, and one at a time. */
    memset(&row, 0, sizeof row);
    row.seed = o->seed;
    row.hash = o->hash;
    row.events = o->events;
    row.simulated_ns = o->simulated_ns;
    row.met = o->met;
    row.signal = o->signal;
    for (uint32_t c = 0; c < SIM_CHECK_COUNT; c++) {
        row.checks[c].verdict = o->verdicts[c] == UINT8_MAX ? UINT32_MAX : o->verdicts[c];
        row.checks[c].exercised = o->exercised[c];
    }
    if (o->finding < SIM_CHECK_COUNT) {
        row.checks[o->finding].at_ns = o->finding_at_ns;
        row.checks[o->finding].event = o->finding_event;
        memcpy(row.checks[o->finding].detail, o->detail, sizeof o->detail);
    }
    /* An error stays with the recording until it is closed. */
    (void)!recording_add_outcome(view->recording, &row, view->scenario->expect);
}

static void show_progress(void *context, uint64_t done, uint64_t findings)
{
    struct sweep_view *view = context;
    const uint64_t now_ns = runner_wall_ns();
    if (!view->terminal || now_ns - view->shown_ns < 100 * SIM_MS) {
        return;
    }
    view->shown_ns = now_ns;
    const double seconds = (double)(now_ns - view->begin_ns) / 1e9;
    const double rate = (double)done / seconds;
    const uint64_t filled = done * 30 / view->count;
    fprintf(stderr, "\r[");
    for (uint64_t i = 0; i < 30; i++) {
        fputc(i < filled ? '#' : '.', stderr);
    }
    fprintf(stderr, "] %" PRIu64 " of %" PRIu64 " seeds, %" PRIu64 " with findings, %.0f a second",
            done, view->count, findings, rate);
    if (done > 0 && done < view->count) {
        fprintf(stderr, ", %.0f s left", (double)(view->count - done) / rate);
    }
    fprintf(stderr, "\033[K");
    (void)fflush(stderr);
}

/* ---- The command --------------------------------------------------------------------------- */

static struct recording *open_recording(const struct sweep_words *words,
                                        const struct scenario *scenario)
{
    char error[RECORDING_ERROR_MAX];
    struct recording *recording = recording_create(words->out, error, sizeof error);
    if (!recording) {
        fprintf(stderr, "fallacy: %s\n", error);
        return NULL;
    }
    const struct recording_run sweep = {.scenario_file = scenario->file,
                                        .scenario_text = scenario->text,
                                        .sets = words->sets.items,
                                        .set_count = words->sets.count,
                                        .level = RECORDING_OUTCOME,
                                        .version = FALLACY_VERSION};
    if (recording_begin_sweep(recording, &sweep, &scenario->plan) != SIM_OK) {
        fprintf(stderr, "fallacy: %s\n", recording_error(recording));
        recording_discard(recording);
        return NULL;
    }
    return recording;
}

static bool close_recording(struct recording *recording, const struct sweep_result *result)
{
    char error[RECORDING_ERROR_MAX];
    if (!recording) {
        return true;
    }
    if (!result->interrupted) {
        (void)!recording_finish_sweep(recording);
    }
    if (recording_close(recording, error, sizeof error) != SIM_OK) {
        fprintf(stderr, "fallacy: %s; nothing was kept\n", error);
        return false;
    }
    return true;
}

static int report(const struct sweep_words *words, const struct sweep_report *r)
{
    if (r->result->failed) {
        fprintf(stderr, "fallacy: could not start a worker process: %s\n", strerror(errno));
        return EXIT_FAULT;
    }
    if (words->junit && !sweep_report_junit(r, words->junit)) {
        return EXIT_INPUT;
    }
    if (words->json) {
        if (!sweep_report_json(r)) {
            return EXIT_FAULT;
        }
    } else {
        sweep_report_text(r, stdout);
    }
    return r->result->interrupted ? EXIT_STOPPED : r->result->met ? EXIT_MET : EXIT_UNMET;
}

static int sweep_scenario(const struct sweep_words *words, struct sweep_request *request,
                          const struct scenario *scenario)
{
    struct sweep_view view = {.scenario = scenario,
                              .count = request->last_seed - request->first_seed + 1,
                              .begin_ns = runner_wall_ns(),
                              .terminal = isatty(STDERR_FILENO)};
    if (words->out && !(view.recording = open_recording(words, scenario))) {
        return EXIT_INPUT;
    }
    request->scenario = scenario;
    request->arrived = record_outcome;
    request->progress = show_progress;
    request->context = &view;
    struct sweep_result result;
    if (sweep_run(request, &result) != SIM_OK) {
        recording_discard(view.recording);
        fprintf(stderr, "fallacy: out of memory\n");
        return EXIT_FAULT;
    }
    if (view.terminal) {
        fprintf(stderr, "\r\033[K");
    }
    const struct sweep_report r = {.request = request,
                                   .result = &result,
                                   .sets = &words->sets,
                                   .wall_ns = runner_wall_ns() - view.begin_ns};
    int code = close_recording(view.recording, &result) ? EXIT_MET : EXIT_INPUT;
    if (code == EXIT_MET) {
        code = report(words, &r);
    }
    free(result.findings);
    return code;
}

int command_sweep(int argc, char **argv)
{
    struct sweep_words words = {0};
    struct sweep_request request = {0};
    struct scenario scenario;
    int code = EXIT_INPUT;
    if (!read_words(&words, &request, argc, argv)) {
        free(words.sets.items);
        return EXIT_INPUT;
    }
    if (scenario_load(&scenario, words.file, words.sets.items, words.sets.count) != SIM_OK) {
        scenario_print_errors(&scenario, stderr);
    } else {
        code = sweep_scenario(&words, &request, &scenario);
    }
    scenario_release(&scenario);
    free(words.sets.items);
    return code;
}
