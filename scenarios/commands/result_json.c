#include "scenarios/commands/result_json.h"

#include <inttypes.h>
#include <stdio.h>

#include "scenarios/commands/outcome.h"

void result_json_u64(cJSON *object, const char *name, uint64_t value)
{
    char digits[24]; /* cJSON's numbers are doubles, which lose what is above 2^53. */
    (void)snprintf(digits, sizeof digits, "%" PRIu64, value);
    (void)cJSON_AddRawToObject(object, name, digits);
}

void result_json_hash(cJSON *object, const char *name, uint64_t hash)
{
    char digits[24];
    (void)snprintf(digits, sizeof digits, "%016" PRIx64, hash);
    (void)cJSON_AddStringToObject(object, name, digits);
}

static cJSON *checks_json(const struct scenario *scenario, const struct sim_world *world)
{
    cJSON *array = cJSON_CreateArray();
    const struct sim_checks *checks = sim_world_checks(world);
    for (uint32_t c = 0; c < SIM_CHECK_COUNT; c++) {
        if (!(sim_checks_enabled(checks) >> c & 1)) {
            continue;
        }
        const struct sim_check_state *state = sim_checks_state(checks, c);
        cJSON *row = cJSON_CreateObject();
        (void)cJSON_AddStringToObject(row, "name", sim_check_infos[c].name);
        (void)cJSON_AddStringToObject(row, "verdict", sim_verdict_name(state->verdict));
        const char *expected = outcome_expected_name(scenario->expect[c]);
        if (*expected) {
            (void)cJSON_AddStringToObject(row, "expected", expected);
        } else {
            (void)cJSON_AddNullToObject(row, "expected");
        }
        result_json_u64(row, "exercised", state->exercised);
        (void)cJSON_AddStringToObject(row, "detail", state->detail);
        if (state->violated) {
            result_json_u64(row, "at_ns", state->at_ns);
            result_json_u64(row, "event", state->event);
        } else {
            (void)cJSON_AddNullToObject(row, "at_ns");
            (void)cJSON_AddNullToObject(row, "event");
        }
        (void)cJSON_AddItemToArray(array, row);
    }
    return array;
}

cJSON *result_json_run(const struct scenario *scenario, const struct sim_world *world,
                       uint64_t wall_ns, bool met)
{
    cJSON *object = cJSON_CreateObject();
    (void)cJSON_AddStringToObject(object, "scenario", scenario->file);
    result_json_u64(object, "seed", sim_world_seed(world));
    result_json_hash(object, "hash", sim_world_hash(world));
    result_json_u64(object, "events", sim_world_events(world));
    result_json_u64(object, "simulated_ns", sim_world_now_ns(world));
    result_json_u64(object, "wall_ns", wall_ns);
    (void)cJSON_AddBoolToObject(object, "met", met);
    (void)cJSON_AddItemToObject(object, "checks", checks_json(scenario, world));
    cJSON *metrics = cJSON_AddObjectToObject(object, "metrics");
    struct sim_metrics values;
    sim_world_metrics(world, &values);
    for (size_t i = 0; i < sim_metric_count; i++) {
        const uint64_t value =
            *(const uint64_t *)((const char *)&values + sim_metric_infos[i].offset);
        result_json_u64(metrics, sim_metric_infos[i].name, value);
    }
    return object;
}

bool result_json_print(cJSON *object)
{
    char *text = object ? cJSON_Print(object) : NULL;
    cJSON_Delete(object);
    if (!text) {
        fprintf(stderr, "fallacy: out of memory\n");
        return false;
    }
    const bool written = puts(text) >= 0 && fflush(stdout) == 0;
    cJSON_free(text);
    return written;
}
