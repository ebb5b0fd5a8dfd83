/* `fallacy export`: a recording in the formats of other people's tools. */
#define _POSIX_C_SOURCE 200809L

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "reports/export.h"
#include "scenarios/commands/command.h"
#include "scenarios/commands/options.h"
#include "scenarios/commands/outcome.h"
#include "scenarios/commands/recorded.h"
#include "scenarios/commands/runner.h"
#include "scenarios/format/suggest.h"
#include "scenarios/format/units.h"

struct request {
    const char *file;
    const char *out;
    struct export_request what;
};

static bool read_time(const char *option, const char *text, uint64_t *time_ns)
{
    char problem[UNITS_PROBLEM_MAX];
    const char *wrong = text ? units_parse(text, UNITS_DURATION, time_ns, problem) : NULL;
    if (wrong) {
        fprintf(stderr, "fallacy export: --%s: expected %s, got '%s': %s\n", option,
                units_example(UNITS_DURATION), text, wrong);
    }
    return !wrong;
}

static bool read_request(struct request *request, int argc, char **argv)
{
    const char *format = NULL;
    const char *model = NULL;
    const char *from = NULL;
    const char *to = NULL;
    request->what.view = "operations";
    const struct option_row options[] = {
        {"format", OPTION_TEXT, &format, NULL},
        {"out", OPTION_TEXT, &request->out, NULL},
        {"model", OPTION_TEXT, &model, NULL},
        {"key", OPTION_U64, &request->what.key, &request->what.one_key},
        {"view", OPTION_TEXT, &request->what.view, NULL},
        {"from", OPTION_TEXT, &from, NULL},
        {"to", OPTION_TEXT, &to, NULL},
        {NULL, OPTION_FLAG, NULL, NULL},
    };
    if (!options_read(options, argc, argv, &request->file, 1, 1)) {
        return false;
    }
    if (!format || !request->out) {
        fprintf(stderr, "fallacy export: what, and where to? For example: --format edn --out "
                        "history.edn\n");
        return false;
    }
    if (!export_format_parse(format, &request->what.format)) {
        struct suggestion suggestion = {.word = format};
        fprintf(stderr, "fallacy export: --format: expected");
        for (int i = 0; i < EXPORT_FORMAT_COUNT; i++) {
            const char *name = export_format_name((enum export_format)i);
            suggest_consider(&suggestion, name);
            fprintf(stderr, "%s %s", i ? "," : "", name);
        }
        fprintf(stderr, "; got '%s'%s%s\n", format, suggestion.nearest ? "; did you mean " : "",
                suggestion.nearest ? suggestion.nearest : "");
        return false;
    }
    if (model && !export_model_parse(model, &request->what.model)) {
        fprintf(stderr,
                "fallacy export: --model: expected register, list-append or rw-register, got "
                "'%s'\n",
                model);
        return false;
    }
    return read_time("from", from, &request->what.from_ns) &&
           read_time("to", to, &request->what.to_ns);
}

/* ---- The file ------------------------------------------------------------------------------- */

/* Write it under another name first: a half-written file is worse than none. */
static bool write_file(const struct request *request, struct reading *reading)
{
    char error[RECORDING_ERROR_MAX];
    const bool to_stdout = strcmp(request->out, "-") == 0;
    const size_t size = strlen(request->out) + sizeof ".partial";
    char *partial = malloc(size);
    FILE *out = NULL;
    if (partial) {
        (void)snprintf(partial, size, "%s.partial", request->out);
        out = to_stdout ? stdout : fopen(partial, "wb");
    }
    if (!out) {
        fprintf(stderr, "fallacy: %s: %s\n", request->out, strerror(errno));
        free(partial);
        return false;
    }
    bool written = export_write(reading, &request->what, out, error, sizeof error) == SIM_OK;
    if (!to_stdout) {
        if (fclose(out) != 0 && written) {
            (void)snprintf(error, sizeof error, "cannot write: %s", strerror(errno));
            written = false;
        }
        if (written && rename(partial, request->out) != 0) {
            (void)snprintf(error, sizeof error, "cannot write: %s", strerror(errno));
            written = false;
        }
        if (!written) {
            (void)unlink(partial);
        }
    }
    if (!written) {
        fprintf(stderr, "fallacy: %s: %s\n", request->out, error);
    }
    free(partial);
    return written;
}

/* ---- Made again ------------------------------------------------------------------------------ */

/* Record the run once more into `file`, at a level that holds what is asked for. */
static bool record_again(const struct request *request, const struct recorded *recorded,
                         const char *file)
{
    char error[RECORDING_ERROR_MAX];
    const struct scenario *scenario = &recorded->scenario;
    struct recording_run run = recorded->run->run;
    run.seed = recorded->run->seed;
    run.level = export_level(&request->what);
    struct runner runner = {0};
    struct recording *recording = recording_create(file, error, sizeof error);
    const struct sim_sink *sink =
        recording ? recording_begin_run(recording, &run, &scenario->plan) : NULL;
    struct sim_world *world;
    uint64_t wall_ns;
    bool done = false;
    if (!sink) {
        fprintf(stderr, "fallacy: %s\n", recording ? recording_error(recording) : error);
    } else if (!runner_init(&runner, &scenario->plan) ||
               runner_run(&runner, &scenario->plan, run.seed, sink, &world, &wall_ns) ==
                   RUNNER_MEMORY) {
        fprintf(stderr, "fallacy: %s: there is no memory for the world\n", request->file);
    } else if (recorded->run->finished && recorded->run->hash != sim_world_hash(world)) {
        fprintf(stderr,
                "fallacy: %s: its level does not hold this, and this program runs it differently; "
                "fallacy replay says where\n",
                request->file);
    } else {
        (void)!recording_finish_run(recording, world, scenario->expect,
                                    outcome_met(scenario, world), wall_ns);
        done = recording_close(recording, error, sizeof error) == SIM_OK;
        recording = NULL;
        if (!done) {
            fprintf(stderr, "fallacy: %s\n", error);
        }
    }
    recording_discard(recording);
    runner_release(&runner);
    return done;
}

/* The recording does not hold it, but its scenario and seed do. */
static bool export_again(const struct request *request)
{
    const char *folder = getenv("TMPDIR");
    char file[512];
    (void)snprintf(file, sizeof file, "%s/fallacy-export-XXXXXX",
                   folder && *folder ? folder : "/tmp");
    const int descriptor = mkstemp(file);
    if (descriptor < 0) {
        fprintf(stderr, "fallacy: %s: %s\n", file, strerror(errno));
        return false;
    }
    (void)close(descriptor);
    struct recorded recorded;
    char error[RECORDING_ERROR_MAX];
    struct reading *reading = NULL;
    bool written = false;
    if (recorded_open(&recorded, request->file) && record_again(request, &recorded, file)) {
        reading = reading_open(file, error, sizeof error);
        if (!reading) {
            fprintf(stderr, "fallacy: %s\n", error);
        }
        written = reading && write_file(request, reading);
    }
    reading_close(reading);
    recorded_close(&recorded);
    (void)unlink(file);
    return written;
}

int command_export(int argc, char **argv)
{
    struct request request = {0};
    if (!read_request(&request, argc, argv)) {
        return EXIT_INPUT;
    }
    char error[RECORDING_ERROR_MAX];
    struct reading *reading = reading_open(request.file, error, sizeof error);
    if (!reading) {
        fprintf(stderr, "fallacy: %s\n", error);
        return EXIT_INPUT;
    }
    /* A sweep's seeds have levels of their own; what it holds is its outcomes. */
    const bool holds =
        (reading_level(reading) >= export_level(&request.what) && reading_finished(reading)) ||
        export_level(&request.what) == RECORDING_OUTCOME;
    const bool written = holds && write_file(&request, reading);
    reading_close(reading);
    return written || (!holds && export_again(&request)) ? EXIT_MET : EXIT_INPUT;
}
