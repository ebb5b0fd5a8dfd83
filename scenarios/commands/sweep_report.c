#include "scenarios/commands/sweep_report.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "scenarios/commands/result_json.h"

#define LINES_PER_CAUSE 5

/* A shell word: in single quotes unless it needs none; a quote itself is written '\'' . */
static size_t put_word(char *line, size_t size_bytes, size_t at, const char *word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "_-+=./:,@%";
    const bool quote = word[strspn(word, plain)] != '\0' || *word == '\0';
    char text[512];
    size_t length = 0;
    for (; *word && length + 5 < sizeof text; word++) {
        const char *piece = *word == '\'' ? "'\\''" : (const char[]){*word, '\0'};
        memcpy(text + length, piece, strlen(piece));
        length += strlen(piece);
    }
    text[length] = '\0';
    const int n = snprintf(line + at, size_bytes - at, quote ? " '%s'" : " %s", text);
    const size_t end = at + (n > 0 ? (size_t)n : 0);
    return end < size_bytes ? end : size_bytes - 1;
}

void sweep_report_line(const struct sweep_report *report, uint64_t seed, char *line,
                       size_t size_bytes)
{
    char number[24];
    (void)snprintf(number, sizeof number, "%" PRIu64, seed);
    (void)snprintf(line, size_bytes, "fallacy run");
    size_t at = strlen(line);
    at = put_word(line, size_bytes, at, report->request->scenario->file);
    at = put_word(line, size_bytes, at, "--seed");
    at = put_word(line, size_bytes, at, number);
    for (size_t i = 0; i < report->sets->count; i++) {
        at = put_word(line, size_bytes, at, "--set");
        at = put_word(line, size_bytes, at, report->sets->items[i]);
    }
}

static const char *verdict_of(const struct sweep_outcome *o)
{
    return o->memory   ? "out of memory"
           : o->signal ? "worker died"
                       : sim_verdict_name(o->verdicts[o->finding]);
}

static const char *check_of(const struct sweep_outcome *o)
{
    return o->memory ? "memory" : sim_check_infos[o->finding].name;
}

static bool same_cause(const struct sweep_outcome *a, const struct sweep_outcome *b)
{
    return strcmp(check_of(a), check_of(b)) == 0 && strcmp(verdict_of(a), verdict_of(b)) == 0;
}

/* ---- For people --------------------------------------------------------------------------- */

static void print_cause(const struct sweep_report *report, size_t first, void *stream)
{
    const struct sweep_result *result = report->result;
    const struct sweep_outcome *cause = &result->findings[first];
    size_t count = 0;
    for (size_t i = first; i < result->finding_count; i++) {
        count += same_cause(cause, &result->findings[i]);
    }
    fprintf(stream, "\n%s%s %s%s in %zu of %" PRIu64 " seeds, first in seed %" PRIu64 "\n  %s\n",
            options_colour(stream, COLOUR_BOLD), check_of(cause), verdict_of(cause),
            options_colour(stream, COLOUR_OFF), count, result->seeds_done, cause->seed,
            cause->detail);
    size_t shown = 0;
    for (size_t i = first; i < result->finding_count && shown < LINES_PER_CAUSE; i++) {
        if (same_cause(cause, &result->findings[i])) {
            char line[1024];
            sweep_report_line(report, result->findings[i].seed, line, sizeof line);
            fprintf(stream, "  %s\n", line);
            shown++;
        }
    }
    if (count > shown) {
        fprintf(stream, "  ... and %zu more seeds\n", count - shown);
    }
}

static void print_causes(const struct sweep_report *report, void *stream)
{
    const struct sweep_result *result = report->result;
    for (size_t i = 0; i < result->finding_count; i++) {
        bool seen = false;
        for (size_t j = 0; j < i && !seen; j++) {
            seen = same_cause(&result->findings[i], &result->findings[j]);
        }
        if (!seen) {
            print_cause(report, i, stream);
        }
    }
}

static void print_missing(const struct sweep_report *report, void *stream)
{
    for (uint32_t c = 0; c < SIM_CHECK_COUNT; c++) {
        if (report->request->scenario->expect[c] == SCENARIO_SOMETIMES &&
            report->result->violated[c] == 0) {
            fprintf(stream, "\n%s was expected to be violated in some seed, and was in none\n",
                    sim_check_infos[c].name);
        }
    }
}

/* A check that nothing ever put to the test has proved nothing, however many seeds hold. */
static void print_tested(const struct sweep_report *report, void *stream)
{
    const struct sweep_result *result = report->result;
    fprintf(stream, "\nHow often each check could have broken\n");
    for (uint32_t c = 0; c < SIM_CHECK_COUNT; c++) {
        if (result->tested[c] > 0) {
            fprintf(stream, "  %-22s %12" PRIu64 " times in %" PRIu32 " of %" PRIu32 " seeds\n",
                    sim_check_infos[c].name, result->exercised[c], result->tested[c],
                    result->enabled[c]);
        } else if (result->enabled[c] > 0) {
            fprintf(stream, "  %-22s %snever tested%s: nothing is known of it\n",
                    sim_check_infos[c].name, options_colour(stream, COLOUR_YELLOW),
                    options_colour(stream, COLOUR_OFF));
        }
    }
}

void sweep_report_text(const struct sweep_report *report, void *stream)
{
    const struct sweep_result *result = report->result;
    const struct scenario *scenario = report->request->scenario;
    const double seconds = (double)report->wall_ns / 1e9;
    fprintf(stream, "%s\n%s, seeds %" PRIu64 "..%" PRIu64 "\n",
            scenario->title ? scenario->title : scenario->file, scenario->file,
            report->request->first_seed, report->request->last_seed);
    print_causes(report, stream);
    print_missing(report, stream);
    print_tested(report, stream);
    fprintf(stream,
            "\n%s%" PRIu64 " seeds in %.2f s (%.0f a second, %.2f million events a second), "
            "%zu with findings, hash %016" PRIx64 "\n",
            result->interrupted ? "Interrupted: " : "", result->seeds_done, seconds,
            (double)result->seeds_done / seconds, (double)result->events / 1e6 / seconds,
            result->finding_count, result->hash);
    fprintf(stream, "%s\n",
            result->met ? "Every expectation was met." : "Some expectation was NOT met.");
}

/* ---- For programs ------------------------------------------------------------------------- */

static cJSON *findings_json(const struct sweep_report *report)
{
    cJSON *array = cJSON_CreateArray();
    for (size_t i = 0; i < report->result->finding_count; i++) {
        const struct sweep_outcome *o = &report->result->findings[i];
        char line[1024];
        cJSON *row = cJSON_CreateObject();
        result_json_u64(row, "seed", o->seed);
        (void)cJSON_AddStringToObject(row, "check", check_of(o));
        (void)cJSON_AddStringToObject(row, "verdict", verdict_of(o));
        (void)cJSON_AddStringToObject(row, "detail", o->detail);
        (void)cJSON_AddBoolToObject(row, "met", o->met);
        sweep_report_line(report, o->seed, line, sizeof line);
        (void)cJSON_AddStringToObject(row, "replay", line);
        (void)cJSON_AddItemToArray(array, row);
    }
    return array;
}

/* Every check that was looked at, and apart from them the names of those never tested. */
static void add_tested(cJSON *object, const struct sweep_result *result)
{
    cJSON *checks = cJSON_AddArrayToObject(object, "checks");
    cJSON *never = cJSON_AddArrayToObject(object, "never_tested");
    for (uint32_t c = 0; c < SIM_CHECK_COUNT; c++) {
        if (result->enabled[c] == 0) {
            continue;
        }
        cJSON *row = cJSON_CreateObject();
        (void)cJSON_AddStringToObject(row, "name", sim_check_infos[c].name);
        result_json_u64(row, "exercised", result->exercised[c]);
        result_json_u64(row, "seeds_tested", result->tested[c]);
        result_json_u64(row, "seeds_violated", result->violated[c]);
        (void)cJSON_AddItemToArray(checks, row);
        if (result->tested[c] == 0) {
            (void)cJSON_AddItemToArray(never, cJSON_CreateString(sim_check_infos[c].name));
        }
    }
}

bool sweep_report_json(const struct sweep_report *report)
{
    const struct sweep_result *result = report->result;
    cJSON *object = cJSON_CreateObject();
    (void)cJSON_AddStringToObject(object, "scenario", report->request->scenario->file);
    result_json_u64(object, "seeds", result->seeds_done);
    result_json_u64(object, "first_seed", report->request->first_seed);
    result_json_u64(object, "last_seed", report->request->last_seed);
    (void)cJSON_AddBoolToObject(object, "met", result->met);
    (void)cJSON_AddBoolToObject(object, "interrupted", result->interrupted);
    (void)cJSON_AddItemToObject(object, "failures", findings_json(report));
    add_tested(object, result);
    result_json_hash(object, "hash", result->hash);
    result_json_u64(object, "events", result->events);
    result_json_u64(object, "wall_ns", report->wall_ns);
    return result_json_print(object);
}

/* ---- For CI ------------------------------------------------------------------------------- */

static void put_xml(FILE *out, const char *text)
{
    for (; *text; text++) {
        switch (*text) {
        case '<':
            fputs("&lt;", out);
            break;
        case '>':
            fputs("&gt;", out);
            break;
        case '&':
            fputs("&amp;", out);
            break;
        case '"':
            fputs("&quot;", out);
            break;
        default:
            if ((unsigned char)*text >= 0x20) { /* Others are not allowed in XML 1.0. */
                fputc(*text, out);
            }
        }
    }
}

/* One testcase for each finding that breaks an expectation, one for all other seeds. */
static void put_junit(const struct sweep_report *report, FILE *out)
{
    const struct sweep_result *result = report->result;
    const char *file = report->request->scenario->file;
    size_t failures = 0;
    for (size_t i = 0; i < result->finding_count; i++) {
        failures += !result->findings[i].met;
    }
    const size_t missing = !result->met && failures == 0;
    fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n  <testsuite name=\"", out);
    put_xml(out, file);
    fprintf(out, "\" tests=\"%zu\" failures=\"%zu\" time=\"%.3f\">\n", failures + missing + 1,
            failures + missing, (double)report->wall_ns / 1e9);
    fputs("    <testcase classname=\"", out);
    put_xml(out, file);
    fprintf(out, "\" name=\"%" PRIu64 " other seeds\"/>\n", result->seeds_done - failures);
    for (size_t i = 0; i < result->finding_count; i++) {
        const struct sweep_outcome *o = &result->findings[i];
        if (o->met) {
            continue;
        }
        char line[1024];
        sweep_report_line(report, o->seed, line, sizeof line);
        fputs("    <testcase classname=\"", out);
        put_xml(out, file);
        fprintf(out, "\" name=\"seed %" PRIu64 "\"><failure message=\"%s %s\">", o->seed,
                check_of(o), verdict_of(o));
        put_xml(out, o->detail);
        fputs("\n", out);
        put_xml(out, line);
        fputs("</failure></testcase>\n", out);
    }
    if (missing) {
        fputs("    <testcase classname=\"", out);
        put_xml(out, file);
        fputs("\" name=\"sometimes\"><failure message=\"a check expected to be violated in some "
              "seed was in none\"/></testcase>\n",
              out);
    }
    fputs("  </testsuite>\n</testsuites>\n", out);
}

bool sweep_report_junit(const struct sweep_report *report, const char *file)
{
    FILE *out = fopen(file, "w");
    if (!out) {
        fprintf(stderr, "fallacy: %s: %s\n", file, strerror(errno));
        return false;
    }
    put_junit(report, out);
    const bool bad = ferror(out) != 0;
    if (fclose(out) != 0 || bad) {
        fprintf(stderr, "fallacy: %s: could not be written whole: %s\n", file, strerror(errno));
        (void)unlink(file);
        return false;
    }
    return true;
}
