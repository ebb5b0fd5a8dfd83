/* Telling when a violation became inevitable: a chart in words, or JSON. */
#ifndef SCENARIOS_INEVITABLE_REPORT_H
#define SCENARIOS_INEVITABLE_REPORT_H

#include <cjson/cJSON.h>

#include "reports/explain.h"
#include "scenarios/commands/inevitable.h"

/* On stdout. `explain` has told the causes: it names the decisive event. */
void inevitable_print(const struct inevitable *inevitable, const struct inevitable_request *request,
                      const struct explain *explain);
cJSON *inevitable_json(const struct inevitable *inevitable,
                       const struct inevitable_request *request, const struct explain *explain);

#endif
