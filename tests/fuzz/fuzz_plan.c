/* Any bytes as a plan in its neutral form: never a crash; what is read has no problem, and comes
 * out as the same bytes. */
#include <stdio.h>
#include <stdlib.h>

#include "nodes/registry.h"
#include "sim/plan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sim_plan plan;
    const enum sim_status status = sim_plan_read(&plan, data, size, node_registry_find);
    if (status == SIM_OK) {
        uint8_t *bytes = malloc(size);
        if (sim_plan_problem(&plan) || !bytes || sim_plan_write(&plan, bytes, size) != size ||
            memcmp(bytes, data, size) != 0) {
            fprintf(stderr, "a plan was read that is not what the bytes say\n");
            abort();
        }
        free(bytes);
    }
    sim_plan_release(&plan);
    return 0;
}
