/* Any bytes as a scenario: never a crash, always either a whole plan or an error with a place in
 * the text; and a plan survives its neutral form. */
#include "nodes/registry.h"
#include "scenarios/format/scenario.h"
#include "tests/fuzz/require.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Written, read and written again, a plan gives the same bytes. */
static void go_round(const struct sim_plan *plan)
{
    const size_t size = sim_plan_write(plan, NULL, 0);
    uint8_t *first = malloc(size);
    uint8_t *second = malloc(size);
    struct sim_plan copy;
    REQUIRE(first && second);
    REQUIRE(sim_plan_write(plan, first, size) == size);
    REQUIRE(sim_plan_read(&copy, first, size, node_registry_find) == SIM_OK);
    REQUIRE(sim_plan_write(&copy, second, size) == size);
    REQUIRE(memcmp(first, second, size) == 0);
    sim_plan_release(&copy);
    free(first);
    free(second);
}

/* Input up to the first byte 0xff is the text; what follows, if anything, is one --set. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *mark = size ? memchr(data, 0xff, size) : NULL;
    const size_t text_bytes = mark ? (size_t)(mark - data) : size;
    const size_t set_bytes = mark ? size - text_bytes - 1 : 0;
    char *set = calloc(1, set_bytes + 1);
    REQUIRE(set);
    if (mark) {
        memcpy(set, mark + 1, set_bytes);
    }
    const char *const sets[] = {set};
    struct scenario scenario;
    const enum sim_status status =
        scenario_parse(&scenario, "fuzz", (const char *)data, text_bytes, sets, mark ? 1 : 0);
    REQUIRE(status == SIM_OK || status == SIM_EINVAL);
    REQUIRE((status == SIM_OK) == (scenario.error_count == 0));
    for (size_t i = 0; i < scenario.error_count; i++) {
        REQUIRE(scenario.errors[i].message[0] && scenario.errors[i].path[0] == '$');
        REQUIRE(scenario.errors[i].line > 0 || mark || i >= 100);
    }
    if (status == SIM_OK) {
        REQUIRE(!sim_plan_problem(&scenario.plan));
        go_round(&scenario.plan);
    }
    scenario_release(&scenario);
    free(set);
    return 0;
}
