#include "scenarios/commands/inevitable_report.h"

#include <inttypes.h>
#include <stdio.h>

#include "reports/interval.h"
#include "scenarios/commands/result_json.h"
#include "scenarios/commands/story.h"

#define BAR_CELLS 20

static uint32_t percent(uint64_t ppm)
{
    return (uint32_t)((ppm + 5000) / 10000);
}

static uint64_t share_ppm(const struct inevitable_point *point)
{
    return (uint64_t)point->violated * SIM_PPM / point->branches;
}

static void print_point(const struct inevitable_point *point, uint64_t violated_ns)
{
    char at[32];
    char before[32];
    char bar[BAR_CELLS + 1];
    const uint64_t ppm = share_ppm(point);
    const struct interval interval = interval_wilson(point->violated, point->branches);
    for (uint32_t i = 0; i < BAR_CELLS; i++) {
        bar[i] = ppm * BAR_CELLS >= (i + UINT64_C(1)) * SIM_PPM ? '#' : ' ';
    }
    bar[BAR_CELLS] = '\0';
    printf("  %12s  %12s  |%s| %3" PRIu32 " %%  (%" PRIu32 " to %" PRIu32 " %%)\n",
           story_time(point->at_ns, at),
           point->at_ns == violated_ns ? "right before"
                                       : story_time(violated_ns - point->at_ns, before),
           bar, percent(ppm), percent(interval.low_ppm), percent(interval.high_ppm));
}

/* The same as the one before it and the one after it. */
static bool is_dull(const struct inevitable *inevitable, uint32_t i)
{
    const struct inevitable_point *p = &inevitable->points[i];
    return i > 0 && i + 1 < inevitable->point_count && p[-1].violated == p->violated &&
           p[1].violated == p->violated && p[-1].branches == p->branches &&
           p[1].branches == p->branches;
}

void inevitable_print(const struct inevitable *inevitable, const struct inevitable_request *request,
                      const struct explain *explain)
{
    char when[32];
    printf("\nWhen it became inevitable: of %" PRIu32 " other futures from each time, so many "
           "violate %s until %s after it was\n  %12s  %12s\n",
           request->branches, sim_check_infos[request->check].name,
           story_time(request->margin_ns, when), "at", "before it");
    for (uint32_t i = 0; i < inevitable->point_count; i++) {
        if (!is_dull(inevitable, i)) {
            print_point(&inevitable->points[i], request->violated_ns);
        } else if (!is_dull(inevitable, i - 1)) {
            printf("  %12s\n", "...");
        }
    }
    struct explain_line event;
    struct explain_line cause;
    if (!inevitable->certain) {
        printf("Chance had its say to the end.\n");
        return;
    }
    if (inevitable->certain_ns == 0) {
        printf("It was nearly certain from the start: the scenario brings it about.\n");
        return;
    }
    printf("Nearly certain from %s on", story_time(inevitable->certain_ns, when));
    const bool known =
        explain_between(explain, inevitable->open_ns, inevitable->certain_ns, &event);
    printf("%s%s.\n", known ? ", by this event: " : "", known ? event.words : "");
    if (explain_cause_before(explain, inevitable->certain_ns, &cause) &&
        (!known || cause.event != event.event)) {
        printf("The latest of the causes before:\n  %12s  %s\n", story_time(cause.time_ns, when),
               cause.words);
    }
}

static void add_line(cJSON *object, const char *name, bool known, const struct explain_line *line)
{
    if (!known) {
        (void)cJSON_AddNullToObject(object, name);
        return;
    }
    cJSON *row = cJSON_AddObjectToObject(object, name);
    result_json_u64(row, "time_ns", line->time_ns);
    result_json_u64(row, "event", line->event);
    (void)cJSON_AddStringToObject(row, "words", line->words);
}

cJSON *inevitable_json(const struct inevitable *inevitable,
                       const struct inevitable_request *request, const struct explain *explain)
{
    cJSON *object = cJSON_CreateObject();
    result_json_u64(object, "branches", request->branches);
    result_json_u64(object, "margin_ns", request->margin_ns);
    cJSON *points = cJSON_AddArrayToObject(object, "points");
    for (uint32_t i = 0; i < inevitable->point_count; i++) {
        const struct inevitable_point *point = &inevitable->points[i];
        const struct interval interval = interval_wilson(point->violated, point->branches);
        cJSON *row = cJSON_CreateObject();
        result_json_u64(row, "at_ns", point->at_ns);
        result_json_u64(row, "branches", point->branches);
        result_json_u64(row, "violated", point->violated);
        result_json_u64(row, "low_ppm", interval.low_ppm);
        result_json_u64(row, "high_ppm", interval.high_ppm);
        (void)cJSON_AddItemToArray(points, row);
    }
    struct explain_line line;
    const bool certain = inevitable->certain;
    if (certain) {
        result_json_u64(object, "certain_from_ns", inevitable->certain_ns);
    } else {
        (void)cJSON_AddNullToObject(object, "certain_from_ns");
    }
    const bool within = certain && inevitable->certain_ns > 0;
    add_line(object, "decisive",
             within && explain_between(explain, inevitable->open_ns, inevitable->certain_ns, &line),
             &line);
    add_line(object, "latest_cause",
             within && explain_cause_before(explain, inevitable->certain_ns, &line), &line);
    return object;
}
