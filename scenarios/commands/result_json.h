/* The JSON objects that `--json` prints, one on stdout. Numbers that need 64 bits are written
 * whole, hashes as hexadecimal strings. */
#ifndef SCENARIOS_RESULT_JSON_H
#define SCENARIOS_RESULT_JSON_H

#include <cjson/cJSON.h>

#include "scenarios/format/scenario.h"
#include "sim/world.h"

/* The object of `run`; NULL if out of memory. Release with cJSON_Delete(). */
cJSON *result_json_run(const struct scenario *scenario, const struct sim_world *world,
                       uint64_t wall_ns, bool met);

/* Add members. */
void result_json_u64(cJSON *object, const char *name, uint64_t value);
void result_json_hash(cJSON *object, const char *name, uint64_t hash);

/* Print on stdout with a newline; false if it could not be written. Releases `object`. */
bool result_json_print(cJSON *object);

#endif
