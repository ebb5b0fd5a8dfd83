/* The consistency models of sim/consistency/models.h, over what the clients of each group saw. They
 * look at a whole history, so they are asked once, when the run has ended.
 *
 * Memory for that comes from the heap and is given back before the verdict, so that a world needs
 * no larger arena, and a snapshot is no larger, for being judged. Chance to break: every
 * operation that told what it saw. */
#include "sim/check/ghost.h"
#include "sim/consistency/rows.h"

#include <stdio.h>
#include <stdlib.h>

/* Beyond these a verdict is unknown. The steps come to an end before the memory does, so that it
 * does not depend on how many bytes a machine needs for a step. */
static const struct sim_budget budget = {.steps = 10000000, .memory_bytes = (size_t)256 << 20};

static const char *client_name(const void *context, uint32_t client)
{
    return sim_check_node_name(context, client);
}

/* The last thing that the witness needs is what makes it one. */
static void violate(struct sim_checks *checks, uint32_t check, const struct sim_rows *rows,
                    const struct sim_rows_result *result)
{
    checks->states[check].judged = false; /* Whatever was unknown of another group. */
    const struct sim_history_row *last = NULL;
    for (uint32_t i = 0; i < result->witness_count; i++) {
        const struct sim_history_row *row = &rows->rows[result->witness[i]];
        last = !last || row->return_event > last->return_event ? row : last;
    }
    if (last && last->return_event > 0) {
        sim_check_violate_at(checks, check, last->server, last->return_ns, last->return_event, "%s",
                             result->detail);
    } else {
        sim_check_violate(checks, check, SIM_NOBODY, "%s", result->detail);
    }
}

static void judge(struct sim_checks *checks, const struct sim_model *model,
                  const struct sim_rows *rows)
{
    struct sim_check_state *state = &checks->states[model->number];
    struct sim_rows_result result;
    sim_check_rows(model, rows, &budget, &result);
    state->exercised += result.exercised;
    if (result.verdict == SIM_VIOLATED) {
        violate(checks, model->number, rows, &result);
    } else if (result.verdict == SIM_UNKNOWN && !state->judged) {
        sim_check_judge(checks, model->number, SIM_UNKNOWN, result.detail);
    }
    sim_rows_result_release(&result);
}

/* Each group is a store of its own. */
static size_t rows_of_group(const struct sim_world *world, uint32_t group,
                            struct sim_history_row *rows)
{
    const struct sim_plan *plan = world->plan;
    size_t count = 0;
    for (size_t i = 0; i < world->history_count; i++) {
        const uint32_t workload = plan->nodes[world->history[i].operation.client].group;
        if (plan->workloads[workload].target_group == group) {
            rows[count++] = world->history[i];
        }
    }
    return count;
}

void sim_check_consistency(struct sim_checks *checks)
{
    const struct sim_world *world = checks->world;
    bool any = false;
    for (size_t m = 0; m < sim_model_count; m++) {
        any = any || sim_check_watched(checks, sim_models[m].number);
    }
    if (!any || world->history_count == 0) {
        return;
    }
    struct sim_history_row *rows = calloc(world->history_count, sizeof *rows);
    for (uint32_t group = 0; group < checks->group_count; group++) {
        const struct sim_rows given = {.rows = rows,
                                       .count = rows ? rows_of_group(world, group, rows) : 0,
                                       .name = client_name,
                                       .context = checks};
        for (size_t m = 0; m < sim_model_count; m++) {
            const uint32_t check = sim_models[m].number;
            if (rows && sim_check_watched(checks, check)) {
                judge(checks, &sim_models[m], &given);
            } else if (!rows) {
                sim_check_judge(checks, check, SIM_UNKNOWN, "no memory to look at the history");
            }
        }
    }
    free(rows);
}
