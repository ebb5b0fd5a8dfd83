#include "nodes/registry.h"

#include "nodes/echo/echo.h"
#include "nodes/raft/raft.h"
#ifdef FALLACY_LIBRAFT
#include "nodes/libraft/libraft.h"
#endif

static const struct sim_node_kind *const kinds[] = {
    &echo_kind,
    &raft_kind,
#ifdef FALLACY_LIBRAFT
    &libraft_kind,
#endif
};

const struct sim_node_kind *const *node_registry_kinds(size_t *count)
{
    *count = sizeof kinds / sizeof kinds[0];
    return kinds;
}

const struct sim_node_kind *node_registry_find(const char *name)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strcmp(kinds[i]->name, name) == 0) {
            return kinds[i];
        }
    }
    return NULL;
}
