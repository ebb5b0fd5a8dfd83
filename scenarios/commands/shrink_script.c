/* Clients: from operations drawn at random to a script, then fewer and simpler steps, by fewer
 * sessions. */
#include <stdlib.h>

#include "scenarios/commands/shrink.h"

/* ---- Written down --------------------------------------------------------------------------- */

/* What the loader gives a workload with a script, for which these have no meaning. */
static void become_scripted(struct sim_workload *w)
{
    w->scripted = true;
    w->open_loop = false;
    w->interval = (struct sim_dist){.kind = SIM_DIST_CONSTANT, .a = 10 * SIM_MS};
    memset(w->weight, 0, sizeof w->weight);
    w->weight[SIM_READ] = 1;
    w->weight[SIM_WRITE] = 1;
    memset(w->txn_weight, 0, sizeof w->txn_weight);
    w->txn_weight[2] = 1; /* Reads of lists, */
    w->txn_weight[3] = 1; /* and appends. */
    w->txn_parts = SIM_TXN_PARTS_MAX;
    w->start_ns = 0;
    w->stop_ns = SIM_NEVER;
    w->operations = 0;
}

/* Values by number of the operation, so that compare-and-set can name them. */
static uint64_t value_number(const struct sim_history_row *rows, size_t count, uint64_t value)
{
    for (size_t i = 0; value && i < count; i++) {
        if (rows[i].operation.value == value && rows[i].operation.function != SIM_TXN) {
            return i + 1;
        }
    }
    return 0;
}

static void fill_step(const struct sim_history_row *rows, size_t row, struct sim_script_step *step)
{
    const struct sim_operation *o = &rows[row].operation;
    *step = (struct sim_script_step){
        .client = o->client, .server = SIM_NOBODY, .function = o->function, .key = o->key};
    if (o->function == SIM_TXN) {
        step->expected = o->expected;
    } else if (!sim_function_reads(o->function)) {
        step->value = row + 1;
        step->expected = o->function == SIM_CAS ? value_number(rows, row, o->expected) : 0;
    }
}

/* The i-th INVOKE is the i-th row of the history; its first ATTEMPT says whom it asks. A session
 * goes on with whoever answered it last, so `all` or only its first step need to say. */
static uint32_t fill_script(const struct shrink_watch *watch, const struct sim_history_row *rows,
                            size_t row_count, uint64_t until_ns, bool all,
                            struct sim_script_step *script)
{
    uint32_t count = 0;
    for (size_t i = 0; i < watch->count; i++) {
        const struct sim_record *r = &watch->records[i];
        if (r->time_ns > until_ns) {
            break;
        }
        if (r->kind == SIM_REC_INVOKE && count < row_count && count < SIM_SCRIPT_MAX) {
            fill_step(rows, count, &script[count]);
            script[count++].at_ns = r->time_ns;
        } else if (r->kind == SIM_REC_ATTEMPT && count > 0 && script[count - 1].client == r->node &&
                   r->b == 1 && (all || rows[count - 1].operation.sequence == 1)) {
            script[count - 1].server = r->peer;
        }
    }
    return count;
}

static bool try_script(struct shrink *s, bool all)
{
    struct shrink_watch watch;
    struct sim_world *world;
    struct sim_plan candidate;
    bool good = shrink_watch(s, 1u << SIM_REC_INVOKE | 1u << SIM_REC_ATTEMPT, &watch, &world) &&
                shrink_copy(s, &candidate);
    if (good) {
        size_t row_count;
        const struct sim_history_row *rows = sim_world_history(world, &row_count);
        struct sim_script_step *script = calloc(row_count + 1, sizeof *script);
        for (uint32_t i = 0; i < candidate.workload_count; i++) {
            become_scripted(&candidate.workloads[i]);
        }
        free(candidate.script);
        candidate.script = script;
        candidate.script_count =
            script ? fill_script(&watch, rows, row_count, s->failure.at_ns, all, script) : 0;
        good = shrink_try(s, &candidate);
    }
    shrink_watch_release(&watch);
    return good;
}

static bool is_said(const struct sim_plan *plan)
{
    bool said = true;
    for (uint32_t i = 0; i < plan->workload_count; i++) {
        said = said && plan->workloads[i].scripted;
    }
    for (uint32_t i = 0; i < plan->script_count; i++) {
        said = said && plan->script[i].server != SIM_NOBODY;
    }
    return said;
}

bool shrink_scripts(struct shrink *s)
{
    if (is_said(&s->best)) {
        return false;
    }
    const bool first = try_script(s, false);
    return try_script(s, true) || first;
}

/* ---- Simpler steps -------------------------------------------------------------------------- */

static bool same_step(const struct sim_script_step *a, const struct sim_script_step *b)
{
    return a->at_ns == b->at_ns && a->client == b->client && a->server == b->server &&
           a->function == b->function && a->key == b->key && a->value == b->value &&
           a->expected == b->expected;
}

static bool try_step(struct shrink *s, uint32_t index, const struct sim_script_step *step)
{
    struct sim_plan candidate;
    if (same_step(step, &s->best.script[index]) || !shrink_copy(s, &candidate)) {
        return false;
    }
    candidate.script[index] = *step;
    return shrink_try(s, &candidate);
}

/* A plain write of a value that nobody else writes, to the first key, of whoever is asked. */
static bool simplify_step(struct shrink *s, uint32_t index)
{
    struct sim_script_step step = s->best.script[index];
    step.function = SIM_WRITE;
    step.key = 1;
    step.value = 0;
    step.expected = 0;
    bool simpler = try_step(s, index, &step);
    step = s->best.script[index];
    step.key = step.function == SIM_TXN ? step.key : 1;
    simpler = try_step(s, index, &step) || simpler;
    step = s->best.script[index];
    step.value = 0;
    simpler = try_step(s, index, &step) || simpler;
    return simpler;
}

bool shrink_script(struct shrink *s)
{
    bool smaller = shrink_ddmin(s, SHRINK_SCRIPT);
    for (uint32_t i = 0; i < s->best.script_count && !shrink_is_over(s); i++) {
        smaller = simplify_step(s, i) || smaller;
    }
    return smaller;
}

/* ---- Fewer sessions ------------------------------------------------------------------------- */

static bool has_steps(const struct sim_plan *plan, uint32_t client)
{
    if (!plan->workloads[plan->nodes[client].group].scripted) {
        return true;
    }
    for (uint32_t i = 0; i < plan->script_count; i++) {
        if (plan->script[i].client == client) {
            return true;
        }
    }
    return false;
}

/* Without the clients that do nothing, but for the first `spared` of them. */
static bool try_busy(struct shrink *s, uint32_t spared)
{
    struct sim_plan candidate;
    uint32_t map[SIM_NODES_MAX];
    uint32_t kept = 0;
    if (!shrink_copy(s, &candidate)) {
        return false;
    }
    for (uint32_t i = 0; i < candidate.node_count; i++) {
        bool stays = candidate.nodes[i].kind || has_steps(&candidate, i);
        if (!stays && spared > 0) {
            stays = true;
            spared--;
        }
        map[i] = stays ? kept++ : SIM_NOBODY;
    }
    if (kept == candidate.node_count) {
        sim_plan_release(&candidate);
        return false;
    }
    shrink_renumber(&candidate, map);
    return shrink_try(s, &candidate);
}

/* One that does nothing may be there to see whether the cluster still answers. */
static bool drop_idle(struct shrink *s)
{
    return try_busy(s, 0) || try_busy(s, 1);
}

static bool hand_over(struct shrink *s, uint32_t from, uint32_t to)
{
    struct sim_plan candidate;
    if (!shrink_copy(s, &candidate)) {
        return false;
    }
    for (uint32_t i = 0; i < candidate.script_count; i++) {
        if (candidate.script[i].client == from) {
            candidate.script[i].client = to;
        }
    }
    return shrink_try(s, &candidate);
}

bool shrink_sessions(struct shrink *s)
{
    bool smaller = drop_idle(s);
    uint32_t first = 0;
    while (first < s->best.node_count && s->best.nodes[first].kind) {
        first++;
    }
    for (uint32_t from = s->best.node_count; from-- > first + 1 && !shrink_is_over(s);) {
        bool gone = false;
        for (uint32_t to = first; !gone && to < from; to++) {
            const bool same = s->best.nodes[from].group == s->best.nodes[to].group;
            gone = same && hand_over(s, from, to);
        }
        smaller = (gone && drop_idle(s)) || smaller;
    }
    return smaller;
}
