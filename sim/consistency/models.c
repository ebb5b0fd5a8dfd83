#include "sim/consistency/models.h"

#include "sim/consistency/linearizable.h"

#define ALL ((1U << SIM_OBJECT_COUNT) - 1)

const struct sim_model sim_models[] = {
    {"linearizable", "one order, each operation between its invocation and its return", ALL,
     sim_check_linearizable},
};
const size_t sim_model_count = sizeof sim_models / sizeof sim_models[0];

const struct sim_model *sim_model_find(const char *name)
{
    for (size_t i = 0; i < sim_model_count; i++) {
        if (strcmp(sim_models[i].name, name) == 0) {
            return &sim_models[i];
        }
    }
    return NULL;
}
