/* The check convergence: replicas that are equal and hold what they should, and replicas that
 * differ, lag, lose, keep what is old, or make something up. */
#include "tests/plans.h"

#include <criterion/criterion.h>

#define KEYS 4
#define ROOM 4096

/* A server that answers for itself alone, and counts as applied what it was asked. */
struct store {
    uint64_t applied;
    uint64_t values[KEYS]; /* By key - 1; so are the lists. */
    uint64_t old[KEYS];    /* The values before. */
    uint64_t lists[KEYS][ROOM];
    uint64_t lengths[KEYS];
    bool halted;
};

/* What goes wrong, once, with the first operation after `lie_at_ns`. */
enum lie {
    NOTHING,
    FORGETS_VALUES,   /* All registers become absent, */
    OLD_VALUES,       /* or what they were before. */
    INVENTS_A_VALUE,  /* A value that nobody wrote appears. */
    DENIES_AN_APPEND, /* One is done, and the client is told that it failed. */
    FORGETS_ELEMENTS,
    DOUBLES_AN_ELEMENT,
    INVENTS_AN_ELEMENT,
    INVENTS_A_LIST, /* Under a key that nobody uses. */
    HALTS,          /* Goes out of service, and says so. */
};
static enum lie lie;
static uint64_t lie_at_ns;
static bool told;

static void tell_lie(struct store *s)
{
    uint64_t *list = s->lists[0];
    uint64_t *length = &s->lengths[0];
    switch (lie) {
    case FORGETS_VALUES:
        memset(s->values, 0, sizeof s->values);
        break;
    case OLD_VALUES:
        memcpy(s->values, s->old, sizeof s->values);
        break;
    case INVENTS_A_VALUE:
        for (size_t i = 0; i < KEYS; i++) {
            s->values[i] = 999;
        }
        break;
    case FORGETS_ELEMENTS:
        *length -= 1;
        break;
    case DOUBLES_AN_ELEMENT:
        list[*length] = list[0];
        *length += 1;
        break;
    case INVENTS_AN_ELEMENT:
        list[(*length)++] = 999;
        break;
    case INVENTS_A_LIST:
        s->lists[KEYS - 1][s->lengths[KEYS - 1]++] = 999;
        break;
    case HALTS:
        s->halted = true;
        break;
    default:
        break;
    }
}

static void apply(struct store *s, struct sim_env *env, const struct sim_operation *o)
{
    const size_t i = (size_t)o->key - 1;
    s->applied++;
    if (o->function == SIM_APPEND) {
        s->lists[i][s->lengths[i]++] = o->value;
    } else if (o->function == SIM_WRITE) {
        s->old[i] = s->values[i];
        s->values[i] = o->value;
    }
    if (lie == DENIES_AN_APPEND && !told && o->function == SIM_APPEND &&
        sim_wall_ns(env) >= lie_at_ns) {
        told = true;
        sim_reply(env, o->client, o->sequence, SIM_ANSWER_FAILED, 0);
    } else if (o->function == SIM_READ_LIST) {
        sim_reply_words(env, o->client, o->sequence, SIM_ANSWER_OK, s->lists[i],
                        (uint32_t)s->lengths[i]);
    } else {
        sim_reply(env, o->client, o->sequence, SIM_ANSWER_OK, s->values[i]);
    }
}

static void store_event(void *state, struct sim_env *env, const struct sim_event *event)
{
    struct store *s = state;
    if (event->kind != SIM_EVENT_OPERATION || s->halted) {
        return;
    }
    if (sim_wall_ns(env) >= lie_at_ns && sim_self(env) == 0 && !told && lie != DENIES_AN_APPEND) {
        told = true;
        tell_lie(s);
    }
    apply(s, env, event->operation);
}

static size_t item_count(const void *state)
{
    (void)state;
    return (size_t)2 * KEYS;
}

static void item_at(const void *state, size_t i, struct sim_item *item)
{
    const struct store *s = state;
    *item = i < KEYS
                ? (struct sim_item){false, i + 1, &s->values[i], 1}
                : (struct sim_item){true, i - KEYS + 1, s->lists[i - KEYS], s->lengths[i - KEYS]};
}

static bool has_halted(const void *state)
{
    return ((const struct store *)state)->halted;
}

static const struct sim_replica replica = {
    .count = item_count, .item = item_at, .halted = has_halted};
static const struct sim_node_kind store_kind = {.name = "store",
                                                .state_bytes = sizeof(struct store),
                                                .event = store_event,
                                                .replica = &replica};

static void view(const void *state, struct sim_view *v)
{
    *v = (struct sim_view){.applied_index = ((const struct store *)state)->applied};
}

static bool no_entry(const void *state, uint64_t index, struct sim_entry_id *id)
{
    (void)state;
    (void)index;
    (void)id;
    return false;
}

static void no_progress(const void *state, uint32_t first, uint32_t count,
                        struct sim_progress *peers)
{
    (void)state;
    (void)first;
    (void)count;
    (void)peers;
}

/* The same, but it says how much it has applied. */
static const struct sim_consensus consensus = {
    .view = view, .entry = no_entry, .progress = no_progress};
static const struct sim_node_kind ordered_kind = {.name = "ordered",
                                                  .state_bytes = sizeof(struct store),
                                                  .event = store_event,
                                                  .consensus = &consensus,
                                                  .replica = &replica};

static struct stage s;

static const struct sim_check_state *verdict(const struct sim_node_kind *kind, uint32_t servers,
                                             enum lie which, uint64_t seed)
{
    lie = which;
    told = false;
    lie_at_ns = lie_at_ns ? lie_at_ns : 40 * SIM_S;
    for (uint32_t i = 0; i < servers; i++) {
        s.plan.nodes[i].kind = kind;
    }
    s.plan.checks = UINT64_C(1) << SIM_CHECK_CONVERGENCE | UINT64_C(1) << SIM_CHECK_LIVENESS;
    stage_run(&s, seed);
    return sim_checks_state(sim_world_checks(s.world), SIM_CHECK_CONVERGENCE);
}

/* Clients that write registers 1 to 3 and append to lists 1 to 3 for 50 seconds, and again when
 * the run settles; so few appends that no list makes way for another (sim/request.c). */
static void plan(uint32_t servers, uint32_t clients, uint64_t settle_ns)
{
    stage_plan(&s, servers, clients);
    struct sim_workload *w = &s.plan.workloads[0];
    memset(w->weight, 0, sizeof w->weight);
    w->weight[SIM_READ] = w->weight[SIM_WRITE] = w->weight[SIM_APPEND] = 1;
    w->interval = constant(500 * SIM_MS);
    w->key_count = 3;
    w->stop_ns = 50 * SIM_S;
    s.plan.settle_ns = settle_ns;
}

static void expect_all(const struct sim_check_state *state, uint32_t expected, const char *words,
                       uint64_t seed)
{
    cr_expect_eq(state->verdict, expected, "seed %llu: %s: %s", (unsigned long long)seed,
                 sim_verdict_name(state->verdict), state->detail);
    cr_expect_eq(state->violated, expected == SIM_VIOLATED || expected == SIM_STUCK);
    cr_expect_not_null(strstr(state->detail, words), "seed %llu: '%s' is not in '%s'",
                       (unsigned long long)seed, words, state->detail);
}

/* One server that does as it is told holds all that was acknowledged, and nothing else. */
Test(convergence, holds_where_nothing_goes_wrong)
{
    for (uint64_t seed = 1; seed <= 10; seed++) {
        plan(1, 3, 10 * SIM_S);
        const struct sim_check_state *state = verdict(&store_kind, 1, NOTHING, seed);
        expect_all(state, SIM_HOLDS, "", seed);
        cr_expect_gt(state->exercised, 50);
        stage_end(&s);
    }
}

/* One replica alone that is only read has nothing to lose. */
Test(convergence, is_vacuous_where_nobody_writes)
{
    plan(1, 1, 0);
    memset(s.plan.workloads[0].weight, 0, sizeof s.plan.workloads[0].weight);
    s.plan.workloads[0].weight[SIM_READ] = 1;
    expect_all(verdict(&store_kind, 1, NOTHING, 1), SIM_VACUOUS, "", 1);
    stage_end(&s);
}

/* What is lost, old, denied, doubled or made up is found, by whatever seed. */
Test(convergence, finds_every_lie)
{
    static const struct {
        enum lie lie;
        const char *words;
    } lies[] = {
        {FORGETS_VALUES, "which n0 does not hold"},
        {OLD_VALUES, "which is older"},
        {INVENTS_A_VALUE, "n0 holds 999 in register"},
        {DENIES_AN_APPEND, "of which a client was told that it was not done"},
        {FORGETS_ELEMENTS, "was appended to list 1, which n0 does not hold"},
        {DOUBLES_AN_ELEMENT, "more often than it was appended"},
        {INVENTS_AN_ELEMENT, "n0 holds 999 in list 1, which nobody wrote"},
        {INVENTS_A_LIST, "n0 holds 999 in list 4, which nobody wrote"},
    };
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        for (uint64_t seed = 1; seed <= 5; seed++) {
            plan(1, 3, 10 * SIM_S);
            lie_at_ns = (lies[i].lie == DENIES_AN_APPEND ? 40 : 60) * SIM_S;
            expect_all(verdict(&store_kind, 1, lies[i].lie, seed), SIM_VIOLATED, lies[i].words,
                       seed);
            stage_end(&s);
        }
    }
}

/* What was made up is found without healing, too; what is missing then may still come. */
Test(convergence, asks_for_less_without_healing)
{
    plan(1, 3, 0);
    expect_all(verdict(&store_kind, 1, INVENTS_AN_ELEMENT, 1), SIM_VIOLATED, "nobody wrote", 1);
    stage_end(&s);
    plan(1, 3, 0);
    expect_all(verdict(&store_kind, 1, FORGETS_ELEMENTS, 1), SIM_VACUOUS, "", 1);
    stage_end(&s);
}

/* A lost write is shown by its acknowledgement: its time, and its record. */
Test(convergence, points_at_the_acknowledgement)
{
    plan(1, 3, 10 * SIM_S);
    const struct sim_check_state *state = verdict(&store_kind, 1, FORGETS_ELEMENTS, 1);
    size_t place = 0;
    const struct sim_record *r;
    do {
        r = stage_next(&s, &place, SIM_REC_RETURN, SIM_NOBODY, SIM_NOBODY);
        cr_assert_not_null(r);
    } while (r->sequence != state->event);
    cr_expect_eq(r->time_ns, state->at_ns);
    place = 0;
    r = stage_next(&s, &place, SIM_REC_VIOLATION, SIM_NOBODY, SIM_NOBODY);
    cr_assert_not_null(r);
    cr_expect_eq(r->a, state->event);
    stage_end(&s);
}

/* Two servers that tell each other nothing differ, and the run waits for them in vain. */
Test(convergence, finds_replicas_that_differ)
{
    plan(2, 2, 10 * SIM_S);
    expect_all(verdict(&store_kind, 2, NOTHING, 1), SIM_VIOLATED, "n0 and n1 differ: n0 holds", 1);
    cr_expect_eq(sim_world_now_ns(s.world), 70 * SIM_S);
    stage_end(&s);
}

/* One that has applied less is behind, and after all the time it was given it is stuck. */
Test(convergence, finds_replicas_that_lag)
{
    plan(2, 3, 10 * SIM_S);
    expect_all(verdict(&ordered_kind, 2, NOTHING, 1), SIM_STUCK, "n1 is healed, but has applied",
               1);
    stage_end(&s);
}

/* Nobody waits for a server that has gone out of service. */
Test(convergence, leaves_out_who_has_halted)
{
    plan(2, 2, 10 * SIM_S);
    expect_all(verdict(&store_kind, 2, HALTS, 1), SIM_VIOLATED, "which n1 does not hold", 1);
    stage_end(&s);
}

/* Healing heals everybody: one that was down, and one that was cut off. */
Test(convergence, comes_after_everybody_is_healed)
{
    plan(2, 1, 10 * SIM_S);
    stage_fault(&s, SIM_FAULT_CRASH, 1, SIM_S, 0);
    expect_all(verdict(&ordered_kind, 2, NOTHING, 1), SIM_STUCK, "n1 is healed, but has applied 0",
               1);
    cr_expect(s.world->nodes[1].up);
    stage_end(&s);
}
