/* Any bytes as a plan in its neutral form: never a crash; what is read has no problem, and comes
 * out as the same bytes. */
#include "nodes/registry.h"
#include "sim/plan.h"
#include "tests/fuzz/require.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sim_plan plan;
    const enum sim_status status = sim_plan_read(&plan, data, size, node_registry_find);
    if (status == SIM_OK) {
        uint8_t *bytes = malloc(size);
        REQUIRE(bytes);
        REQUIRE(!sim_plan_problem(&plan));
        REQUIRE(sim_plan_write(&plan, bytes, size) == size);
        REQUIRE(memcmp(bytes, data, size) == 0);
        free(bytes);
    }
    sim_plan_release(&plan);
    return 0;
}
