/* Chance written down: the faults of a run as they happened, each with its time and its targets,
 * instead of rules to draw them, conditions to wait for and selectors such as "leader". Then each
 * can go without moving the others. */
#include <stdio.h>
#include <stdlib.h>

#include "scenarios/commands/shrink.h"

struct list {
    struct shrink *s;
    struct sim_fault *faults;
    uint32_t count;
    uint32_t capacity;
};

static void append(struct list *list, const struct sim_fault *fault)
{
    if (list->count == SIM_FAULTS_MAX) {
        return; /* The run that the rest would change is tried, and refused. */
    }
    if (list->count == list->capacity) {
        const uint32_t capacity = list->capacity ? 2 * list->capacity : 64;
        struct sim_fault *faults = realloc(list->faults, capacity * sizeof *faults);
        if (!faults) {
            (void)snprintf(list->s->problem, sizeof list->s->problem, "out of memory");
            return;
        }
        list->faults = faults;
        list->capacity = capacity;
    }
    list->faults[list->count++] = *fault;
}

/* ---- Divisions ------------------------------------------------------------------------------ */

static bool is_division(const struct sim_fault *f)
{
    return f->kind == SIM_FAULT_PARTITION && f->shape >= SIM_CUT_HALVES;
}

/* Who cannot reach whom, as bit sets by node. */
struct cuts {
    uint64_t of[64];
    uint32_t count;
};

/* Play the `number`th begin of this fault alone, at the start of a world of its own. */
static bool play_division(struct shrink *s, const struct sim_fault *faults, uint32_t count,
                          uint32_t fault, uint32_t number, struct cuts *cuts)
{
    struct sim_plan stage;
    struct sim_world *world;
    if (sim_plan_copy(&stage, &s->best) != SIM_OK) {
        return false;
    }
    free(stage.faults);
    stage.swarm_count = 0;
    stage.duration_ns = SIM_S;
    stage.faults = calloc(count, sizeof *stage.faults); /* Places matter: they name streams. */
    stage.fault_count = stage.faults ? count : 0;
    for (uint32_t i = 0; i < stage.fault_count; i++) {
        stage.faults[i] = faults[i];
        stage.faults[i].at_ns = SIM_TIME_MAX;
    }
    bool good = fault < stage.fault_count && number <= UINT32_MAX / 2;
    if (good) {
        struct sim_fault *f = &stage.faults[fault];
        f->at_ns = 0;
        f->when.present = false;
        f->for_ns = 1;
        f->every_ns = 2;
        f->times = number;
        sim_arena_reset(s->runner.arena);
        good = sim_world_new(&world, s->runner.arena, &stage, s->best.seed, NULL) == SIM_OK &&
               sim_world_run(world, 2 * (uint64_t)(number - 1) + 1) == SIM_STOP_TIME;
    }
    for (uint32_t from = 0; good && from < cuts->count; from++) {
        cuts->of[from] = 0;
        for (uint32_t to = 0; to < cuts->count; to++) {
            cuts->of[from] |= (uint64_t)sim_world_cut(world, from, to) << to;
        }
    }
    sim_plan_release(&stage);
    return good;
}

static bool select_set(uint64_t set, struct sim_selection *selection)
{
    selection->count = 0;
    for (uint32_t node = 0; node < 64; node++) {
        if (!(set >> node & 1)) {
            continue;
        }
        if (selection->count == SIM_SELECTORS_MAX) {
            return false;
        }
        selection->selectors[selection->count++] = (struct sim_selector){SIM_SELECT_NODE, node};
    }
    return true;
}

/* As partitions between two sides each: the first node that is cut from somebody, with all that
 * are cut from the same, and so on. Halves and bridges take one, a ring of five takes three. */
static bool append_division(struct list *list, const struct sim_fault *like, struct cuts *cuts)
{
    uint64_t open[64]; /* Not said yet. */
    memcpy(open, cuts->of, sizeof open);
    for (uint32_t node = 0; node < cuts->count; node++) {
        const uint64_t others = open[node];
        uint64_t side = 0;
        struct sim_fault f = *like;
        for (uint32_t i = 0; others && i < cuts->count; i++) {
            side |= (uint64_t)((cuts->of[i] & others) == others) << i;
        }
        f.shape = SIM_CUT_BETWEEN;
        f.amount = 0;
        if (!select_set(side, &f.targets) || !select_set(others, &f.peers)) {
            return false;
        }
        for (uint32_t i = 0; i < cuts->count; i++) {
            open[i] &= side >> i & 1 ? ~others : UINT64_MAX;
            open[i] &= others >> i & 1 ? ~side : UINT64_MAX;
        }
        if (others) {
            append(list, &f);
        }
    }
    return true;
}

/* ---- One begin of a fault ------------------------------------------------------------------- */

static bool moves(const struct sim_selection *selection)
{
    bool any = false;
    for (uint32_t i = 0; i < selection->count; i++) {
        any = any || sim_selector_moves(selection->selectors[i].kind);
    }
    return any;
}

/* Everybody's base delay, if links have one: a latency alone leaves that open. */
static uint32_t base_in_use(const struct sim_plan *plan)
{
    struct sim_link_knobs knobs;
    sim_link_knobs_init(&knobs);
    for (uint32_t i = 0; i < plan->link_count; i++) {
        sim_link_knobs_apply(&knobs, &plan->links[i].change);
    }
    return knobs.use_base;
}

/* What the format can say only in another way. */
static void say_link(const struct sim_plan *plan, struct sim_fault *f)
{
    struct sim_link_knobs knobs;
    if (f->peers.count == 0) {
        f->peers = (struct sim_selection){
            .count = 2, .selectors = {{SIM_SELECT_ALL, 0}, {SIM_SELECT_CLIENTS, 0}}};
        if (plan->group_count == 1 && f->targets.selectors[0].kind == SIM_SELECT_GROUP) {
            f->targets = f->peers;
        }
    }
    if ((f->link.fields >> SIM_LINK_LATENCY & 1) && !(f->link.fields >> SIM_LINK_USE_BASE & 1)) {
        f->link.fields |= 1u << SIM_LINK_USE_BASE;
        f->link.knobs.use_base = base_in_use(plan);
    }
    sim_link_knobs_init(&knobs);
    sim_link_knobs_apply(&knobs, &f->link);
    f->link.knobs = knobs;
}

static void say_disk(struct sim_fault *f)
{
    struct sim_host_knobs host;
    sim_host_knobs_init(&host);
    sim_disk_knobs_apply(&host.disk, &f->disk);
    f->disk.knobs = host.disk;
}

/* The records [first, end) of the trace are one begin of a fault: its targets. False: nobody. */
static bool fill_targets(const struct sim_record *records, size_t first, size_t end,
                         struct sim_fault *f)
{
    if (records[first].node == SIM_NOBODY) {
        return f->kind == SIM_FAULT_HEAL || f->kind == SIM_FAULT_SCALE;
    }
    if (moves(&f->targets) && end - first <= SIM_SELECTORS_MAX) {
        f->targets.count = 0;
        for (size_t i = first; i < end; i++) {
            f->targets.selectors[f->targets.count++] =
                (struct sim_selector){SIM_SELECT_NODE, records[i].node};
        }
    }
    if (moves(&f->peers) && records[first].peer != SIM_NOBODY) {
        f->peers = (struct sim_selection){.count = 1,
                                          .selectors = {{SIM_SELECT_NODE, records[first].peer}}};
    }
    return true;
}

static void append_begin(struct list *list, const struct sim_record *records, size_t first,
                         size_t end, const struct sim_fault *fault)
{
    struct sim_fault f = *fault;
    f.at_ns = records[first].time_ns;
    f.when = (struct sim_condition){.present = false};
    f.every_ns = 0;
    f.times = 0;
    if (!fill_targets(records, first, end, &f)) {
        return;
    }
    if (f.kind == SIM_FAULT_LINK) {
        say_link(&list->s->best, &f);
    } else if (f.kind == SIM_FAULT_DISK) {
        say_disk(&f);
    }
    append(list, &f);
}

/* ---- The whole run -------------------------------------------------------------------------- */

static bool begins(const struct shrink *s, const struct sim_record *r)
{
    return r->b == 1 && r->a != UINT64_MAX && r->time_ns <= s->failure.at_ns;
}

/* The faults of the world are copied: divisions are played in its place. */
static bool collect(struct list *list, const struct shrink_watch *watch,
                    const struct sim_fault *faults, uint32_t count)
{
    struct shrink *s = list->s;
    struct cuts cuts = {.count = s->best.node_count};
    uint32_t *begun = calloc(count ? count : 1, sizeof *begun);
    bool good = begun != NULL;
    for (size_t i = 0; good && i < watch->count;) {
        const struct sim_record *r = &watch->records[i];
        size_t end = i + 1;
        while (end < watch->count && watch->records[end].a == r->a &&
               watch->records[end].b == r->b && watch->records[end].time_ns == r->time_ns) {
            end++;
        }
        const struct sim_fault *f = r->a < count ? &faults[r->a] : NULL;
        if (f && begins(s, r) && is_division(f)) {
            struct sim_fault like = *f;
            like.at_ns = r->time_ns;
            like.when.present = false;
            like.every_ns = 0;
            like.times = 0;
            good = cuts.count <= 64 &&
                   play_division(s, faults, count, (uint32_t)r->a, ++begun[r->a], &cuts) &&
                   append_division(list, &like, &cuts);
        } else if (f && begins(s, r)) {
            append_begin(list, watch->records, i, end, f);
        }
        i = end;
    }
    free(begun);
    return good && !s->problem[0];
}

bool shrink_concrete(struct shrink *s)
{
    struct shrink_watch watch;
    struct sim_world *world;
    struct list list = {.s = s};
    struct sim_plan candidate;
    if (!shrink_watch(s, 1u << SIM_REC_FAULT, &watch, &world)) {
        shrink_watch_release(&watch);
        return false;
    }
    size_t count;
    const struct sim_fault *drawn = sim_world_faults(world, &count);
    struct sim_fault *faults = malloc((count ? count : 1) * sizeof *faults);
    bool good = faults != NULL;
    if (good) {
        memcpy(faults, drawn, count * sizeof *faults);
        good = collect(&list, &watch, faults, (uint32_t)count) && shrink_copy(s, &candidate);
    }
    if (good) {
        free(candidate.faults);
        candidate.faults = list.faults;
        candidate.fault_count = list.count;
        candidate.swarm_count = 0;
        list.faults = NULL;
        good = shrink_try(s, &candidate);
    }
    free(list.faults);
    free(faults);
    shrink_watch_release(&watch);
    return good;
}
