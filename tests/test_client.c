/* Clients: loops, retries, what they make of answers, and the history they leave. */
#include "tests/plans.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static const struct sim_history_row *rows(const struct stage *s, size_t *count)
{
    return sim_world_history(s->world, count);
}

static size_t outcomes(const struct stage *s, uint32_t outcome)
{
    size_t count;
    size_t found = 0;
    const struct sim_history_row *row = rows(s, &count);
    for (size_t i = 0; i < count; i++) {
        found += row[i].outcome == outcome;
    }
    return found;
}

/* ---- Loops ---- */

/* A session of a closed loop waits for its answer, pauses and begins the next: 2 ms each way and
 * 1 ms of pause make 200 operations a second, from each of three. */
Test(client, a_closed_loop_waits_for_its_answers)
{
    struct stage s;
    stage_plan(&s, 1, 3);
    stage_link(&s, ANY, ANY, SIM_LINK_LATENCY)->latency = constant(2 * SIM_MS);
    stage_run(&s, 1);
    cr_expect_float_eq((double)s.metrics.operations, 3 * 60 * 200, 3);
    cr_expect_eq(s.metrics.operations_ok + s.metrics.operations_info, s.metrics.operations);
    cr_expect_leq(s.metrics.operations_info, 3, "only what is open at the end");
    cr_expect_eq(s.metrics.latency_max_ns, 4 * SIM_MS);
    stage_end(&s);
}

/* An open loop begins its operations when they are due, whether or not others are done. */
Test(client, an_open_loop_waits_for_nobody)
{
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct stage s;
        stage_plan(&s, 1, 50);
        struct sim_workload *w = &s.plan.workloads[0];
        w->open_loop = true;
        w->interval = uniform(0, 4 * SIM_MS);
        stage_link(&s, ANY, ANY, SIM_LINK_LATENCY)->latency = constant(20 * SIM_MS);
        stage_run(&s, seed);
        /* 30,000 intervals of 2 ms, with a deviation of 4 / sqrt(12) ms: 200 ms, or 100 of them. */
        cr_expect_float_eq((double)s.metrics.operations, 30000, 500, "seed %llu: %llu", LLU(seed),
                           LLU(s.metrics.operations));
        cr_expect_eq(s.metrics.latency_max_ns, 40 * SIM_MS, "a session was free each time");
        stage_end(&s);
    }
}

/* When nobody answers for five seconds, an open loop counts what was due meanwhile from then on, as
 * its users would; a closed loop hides it (coordinated omission: Tene 2013). */
Test(client, an_open_loop_omits_nothing)
{
    for (uint32_t open = 0; open <= 1; open++) {
        struct stage s;
        stage_plan(&s, 1, 2);
        struct sim_workload *w = &s.plan.workloads[0];
        w->open_loop = open;
        w->interval = constant(10 * SIM_MS);
        w->timeout_ns = 30 * SIM_S;
        stage_fault(&s, SIM_FAULT_PAUSE, 0, 20 * SIM_S, 5 * SIM_S);
        stage_run(&s, 1);
        size_t count;
        const struct sim_history_row *row = rows(&s, &count);
        size_t slow = 0;
        for (size_t i = 0; i < count; i++) {
            if (row[i].outcome != SIM_OUTCOME_OK) {
                continue;
            }
            const uint64_t latency_ns = row[i].return_ns - row[i].invoke_ns;
            slow += latency_ns > SIM_S;
            if (open && row[i].invoke_ns > 20 * SIM_S && row[i].invoke_ns < 25 * SIM_S) {
                cr_expect_eq(latency_ns, 25 * SIM_S - row[i].invoke_ns);
            }
        }
        /* Due every 10 ms for 4 s; the two sessions of a closed loop are stuck once each. */
        cr_expect_float_eq((double)slow, open ? 400 : 2, open ? 2 : 0);
        cr_expect_float_eq((double)s.metrics.latency_max_ns, 5e9, 1e7);
        cr_expect(open ? s.metrics.latency_p99_ns > 4 * SIM_S : s.metrics.latency_p99_ns == 0);
        cr_expect_eq(s.metrics.operations, open ? 6000 : s.metrics.operations);
        stage_end(&s);
    }
}

/* Nothing is begun before the start, from the stop on, or beyond the limit: in either loop, and
 * when operations wait for a session. */
Test(client, a_workload_keeps_its_limits)
{
    for (uint32_t open = 0; open <= 1; open++) {
        for (uint32_t slow = 0; slow <= 1; slow++) {
            for (uint64_t limit = 0; limit <= 100; limit += 100) {
                struct stage s;
                stage_plan(&s, 1, 3);
                struct sim_workload *w = &s.plan.workloads[0];
                w->open_loop = open;
                w->start_ns = 10 * SIM_S;
                w->stop_ns = 20 * SIM_S;
                w->operations = limit;
                stage_link(&s, ANY, ANY, SIM_LINK_LATENCY)->latency =
                    constant(slow ? 20 * SIM_MS : 0);
                stage_run(&s, 1);
                size_t count;
                const struct sim_history_row *row = rows(&s, &count);
                for (size_t i = 0; i < count; i++) {
                    cr_assert_geq(row[i].invoke_ns, 10 * SIM_S);
                    cr_assert_lt(row[i].invoke_ns, 20 * SIM_S);
                }
                cr_expect(limit ? count == limit : count > 500, "%s, %s: %zu of %llu",
                          open ? "open" : "closed", slow ? "slow" : "quick", count, LLU(limit));
                cr_expect_eq(s.metrics.operations, count);
                stage_end(&s);
            }
        }
    }
}

/* Functions come by their weights, keys each as often. */
Test(client, operations_are_drawn_by_weight)
{
    struct stage s;
    stage_plan(&s, 1, 1);
    struct sim_workload *w = &s.plan.workloads[0];
    w->weight[SIM_READ] = 5;
    w->weight[SIM_WRITE] = 3;
    w->weight[SIM_CAS] = 2;
    stage_run(&s, 1);
    size_t count;
    const struct sim_history_row *row = rows(&s, &count);
    uint64_t functions[SIM_FUNCTION_COUNT] = {0};
    uint64_t keys[5] = {0};
    for (size_t i = 0; i < count; i++) {
        functions[row[i].operation.function]++;
        cr_assert(row[i].operation.key >= 1 && row[i].operation.key <= 4);
        keys[row[i].operation.key]++;
    }
    cr_assert_gt(count, 50000);
    cr_expect(is_chance(functions[SIM_READ], count, 500000));
    cr_expect(is_chance(functions[SIM_WRITE], count, 300000));
    cr_expect(is_chance(functions[SIM_CAS], count, 200000));
    for (uint32_t key = 1; key <= 4; key++) {
        cr_expect(is_chance(keys[key], count, 250000));
    }
    cr_expect_eq(outcomes(&s, SIM_OUTCOME_FAIL), 0, "one client's CAS expects what is there");
    stage_end(&s);
}

/* ---- Lists and transactions ---------------------------------------------------------------- */

#define LIST_CLIENTS 3

/* Answers reads with the key: a register's value, or as many elements as it has units. */
static void lister_event(void *state, struct sim_env *env, const struct sim_event *event)
{
    (void)state;
    if (event->kind != SIM_EVENT_OPERATION) {
        return;
    }
    const struct sim_operation *o = event->operation;
    uint64_t words[SIM_TXN_PARTS_MAX * 10];
    uint32_t count = 0;
    struct sim_part part;
    for (uint32_t i = 0; sim_operation_part(o, i, &part); i++) {
        const bool list = part.function == SIM_READ_LIST;
        const uint64_t length = list ? part.key % 10 : part.function == SIM_READ;
        if (list && o->function == SIM_TXN) {
            words[count++] = length;
        }
        for (uint64_t k = 0; k < length; k++) {
            words[count++] = part.key;
        }
    }
    if (o->function == SIM_APPEND) {
        words[count++] = 0;
    }
    sim_reply_words(env, o->client, o->sequence, SIM_ANSWER_OK, words, count);
}

static const struct sim_node_kind lister_kind = {
    .name = "lister", .state_bytes = 8, .event = lister_event};

static void list_plan(struct stage *s)
{
    stage_plan(s, 1, LIST_CLIENTS);
    s->plan.nodes[0].kind = &lister_kind;
    struct sim_workload *w = &s->plan.workloads[0];
    w->weight[SIM_READ_LIST] = 1;
    w->weight[SIM_APPEND] = 1;
    w->weight[SIM_TXN] = 3;
    w->txn_parts = 4;
    for (uint32_t i = 0; i < SIM_TXN_FUNCTION_COUNT; i++) {
        w->txn_weight[i] = 1;
    }
}

/* Every value that is written or appended, alone or by a transaction's part, is written once, so
 * that a checker knows who wrote what was read. */
Test(client, values_are_unique)
{
    struct stage s;
    list_plan(&s);
    stage_run(&s, 1);
    size_t count;
    const struct sim_history_row *row = rows(&s, &count);
    uint64_t last[LIST_CLIENTS][SIM_TXN_PARTS_MAX] = {{0}};
    uint64_t parts = 0;
    for (size_t i = 0; i < count; i++) {
        struct sim_part part;
        for (uint32_t k = 0; sim_operation_part(&row[i].operation, k, &part); k++) {
            if (!sim_function_reads(part.function)) {
                uint64_t *before = &last[row[i].operation.client - 1][k];
                cr_assert_eq(part.value >> 48, k);
                cr_assert_gt(part.value, *before, "operation %zu", i);
                *before = part.value;
            }
            parts += row[i].operation.function == SIM_TXN;
            cr_assert(part.key >= 1 && part.key <= SIM_TXN_KEY_MAX);
        }
    }
    cr_assert_gt(parts, 1000);
    stage_end(&s);
}

/* The history holds what was read, part by part. The lister answers a list of as many elements
 * as the key has units, each the key; and of a register its key. */
Test(client, history_holds_what_was_read)
{
    struct stage s;
    list_plan(&s);
    stage_run(&s, 1);
    size_t count;
    const struct sim_history_row *row = rows(&s, &count);
    uint64_t seen[SIM_FUNCTION_COUNT] = {0};
    for (size_t i = 0; i < count; i++) {
        struct sim_part part;
        for (uint32_t k = 0; sim_operation_part(&row[i].operation, k, &part); k++) {
            uint32_t words;
            const uint64_t *read = sim_history_read(&row[i], k, &words);
            const bool reads =
                row[i].outcome == SIM_OUTCOME_OK && sim_function_reads(part.function);
            cr_assert_eq(read != NULL, reads);
            const bool list = part.function == SIM_READ_LIST;
            cr_assert_eq(words, !reads ? 0 : list ? part.key % 10 : 1);
            for (uint32_t w = 0; w < words; w++) {
                cr_assert_eq(read[w], part.key);
            }
            seen[part.function] += reads;
        }
        uint32_t none;
        cr_assert_null(sim_history_read(&row[i], SIM_TXN_PARTS_MAX, &none));
    }
    cr_assert_gt(seen[SIM_READ], 100);
    cr_assert_gt(seen[SIM_READ_LIST], 100);
    stage_end(&s);
}

/* A list that has grown long makes way for another, so that no read is too large. */
Test(client, lists_stay_short)
{
    struct stage s;
    list_plan(&s);
    stage_run(&s, 1);
    size_t count;
    const struct sim_history_row *row = rows(&s, &count);
    static uint64_t appends[SIM_TXN_KEY_MAX + 1];
    uint64_t lists = 0;
    memset(appends, 0, sizeof appends);
    for (size_t i = 0; i < count; i++) {
        struct sim_part part;
        for (uint32_t k = 0; sim_operation_part(&row[i].operation, k, &part); k++) {
            if (part.function == SIM_APPEND) {
                lists += appends[part.key]++ == 0;
                cr_assert_leq(appends[part.key], 64);
            }
        }
    }
    cr_assert_gt(lists, 20, "%llu lists", LLU(lists));
    stage_end(&s);
}

/* ---- Trying again ---- */

#define TRIES_MAX 64
static struct {
    uint32_t server;
    uint64_t sequence;
    uint64_t time_ns;
} tries[TRIES_MAX];
static uint32_t try_count;

static void note_tries(struct sim_env *env, const struct sim_event *event)
{
    if (event->kind == SIM_EVENT_OPERATION && try_count < TRIES_MAX) {
        tries[try_count].server = sim_self(env);
        tries[try_count].sequence = event->operation->sequence;
        tries[try_count++].time_ns = env->world->now_ns;
    }
}

/* One client of three servers that all answer so; it begins at 1 ms. */
static void retry_plan(struct stage *s, enum talk_answer answer, enum sim_function function)
{
    stage_watch = note_tries;
    try_count = 0;
    stage_plan(s, 3, 1);
    for (uint32_t i = 0; i < 3; i++) {
        stage_set(s, i, TALK_ANSWER, answer);
    }
    struct sim_workload *w = &s->plan.workloads[0];
    memset(w->weight, 0, sizeof w->weight);
    w->weight[function] = 1;
    w->key_count = 1;
}

/* Without an answer an attempt ends at its time-out; the next goes to the next server, after the
 * back-off, with the same sequence. When all are used up nobody knows whether a write took place; a
 * read that got no answer did not. */
Test(client, silence_is_tried_again_elsewhere)
{
    for (uint32_t function = SIM_READ; function <= SIM_WRITE; function++) {
        struct stage s;
        retry_plan(&s, TALK_SILENT, function);
        stage_run(&s, 1);
        static const uint32_t servers[] = {0, 1, 2, 2, 0, 1}; /* It stays where it was. */
        static const uint64_t at_ms[] = {1, 111, 221, 322, 432, 542};
        for (uint32_t i = 0; i < 6; i++) {
            cr_expect_eq(tries[i].server, servers[i], "try %u", i);
            cr_expect_eq(tries[i].sequence, 1 + i / 3);
            cr_expect_eq(tries[i].time_ns, at_ms[i] * SIM_MS, "try %u", i);
        }
        size_t count;
        const struct sim_history_row *row = rows(&s, &count);
        cr_assert_gt(count, 100);
        for (size_t i = 0; i + 1 < count; i++) {
            cr_expect_eq(row[i].attempts, 3);
            cr_expect_eq(row[i].server, SIM_NOBODY);
            cr_expect_eq(row[i].outcome,
                         function == SIM_READ ? SIM_OUTCOME_FAIL : SIM_OUTCOME_INFO);
            cr_expect_eq(row[i].return_ns == SIM_NEVER, function == SIM_WRITE);
        }
        cr_expect_eq(row[count - 1].outcome, SIM_OUTCOME_INFO, "open at the end");
        stage_end(&s);
    }
}

/* Refused by everybody, a write did not take place; refused after a silence, it may have. */
Test(client, refusals_are_certain_unless_something_was_silent)
{
    for (uint32_t silent = 0; silent <= 1; silent++) {
        struct stage s;
        retry_plan(&s, TALK_REFUSES, SIM_WRITE);
        stage_set(&s, 0, TALK_ANSWER, silent ? TALK_SILENT : TALK_REFUSES);
        stage_run(&s, 1);
        cr_expect_leq(outcomes(&s, silent ? SIM_OUTCOME_FAIL : SIM_OUTCOME_INFO), 1);
        cr_expect_gt(outcomes(&s, silent ? SIM_OUTCOME_INFO : SIM_OUTCOME_FAIL), 100);
        stage_end(&s);
    }
}

/* "It did not happen" ends an operation at once. */
Test(client, a_failed_answer_is_final)
{
    struct stage s;
    retry_plan(&s, TALK_FAILS, SIM_CAS);
    stage_run(&s, 1);
    cr_expect_eq(s.metrics.attempts, s.metrics.operations);
    cr_expect_eq(s.metrics.operations_failed, s.metrics.operations);
    stage_end(&s);
}

/* A hint is followed, after the back-off, and the client stays where it was answered; without
 * follow_leader, or if it names nobody of the group, the next server is tried. */
Test(client, a_hint_is_followed)
{
    for (uint32_t i = 0; i < 3; i++) {
        struct stage s;
        retry_plan(&s, TALK_STORES, SIM_WRITE);
        stage_set(&s, 0, TALK_ANSWER, TALK_POINTS);
        stage_set(&s, 0, TALK_HINT, i == 2 ? 77 : 2);
        s.plan.workloads[0].follow_leader = i != 1;
        stage_run(&s, 1);
        const uint32_t next = i == 0 ? 2 : 1;
        cr_expect_eq(tries[0].server, 0);
        cr_expect_eq(tries[1].server, next);
        cr_expect_eq(tries[1].time_ns - tries[0].time_ns, 10 * SIM_MS);
        cr_expect_eq(tries[2].server, next);
        cr_expect_eq(tries[2].time_ns - tries[1].time_ns, SIM_MS);
        size_t count;
        cr_expect_eq(rows(&s, &count)[0].server, next);
        cr_expect_eq(rows(&s, &count)[0].attempts, 2);
        stage_end(&s);
    }
}

/* A session that tries each operation only once does not ask a follower for ever: its next
 * operation goes where the next attempt would have gone. */
Test(client, a_session_of_single_attempts_moves_on)
{
    for (uint32_t answer = TALK_REFUSES; answer <= TALK_POINTS;
         answer += TALK_POINTS - TALK_REFUSES) {
        struct stage s;
        retry_plan(&s, TALK_STORES, SIM_WRITE);
        stage_set(&s, 0, TALK_ANSWER, answer);
        stage_set(&s, 0, TALK_HINT, 2);
        s.plan.workloads[0].attempts = 1;
        stage_run(&s, 1);
        cr_expect_eq(outcomes(&s, SIM_OUTCOME_FAIL), 1);
        cr_expect_eq(tries[1].server, answer == TALK_POINTS ? 2 : 1);
        cr_expect_eq(tries[2].server, tries[1].server);
        stage_end(&s);
    }
}

/* Two servers that point at each other do not keep a client from the third. */
Test(client, hints_in_a_circle_end)
{
    struct stage s;
    retry_plan(&s, TALK_POINTS, SIM_WRITE);
    stage_set(&s, 0, TALK_HINT, 1);
    stage_set(&s, 1, TALK_HINT, SIM_NOBODY);
    stage_set(&s, 2, TALK_ANSWER, TALK_STORES);
    s.plan.workloads[0].attempts = 5;
    stage_run(&s, 1);
    cr_expect_eq(outcomes(&s, SIM_OUTCOME_FAIL), 0);
    cr_expect_gt(outcomes(&s, SIM_OUTCOME_OK), 100);
    stage_end(&s);
}

/* ---- Answers ---- */

/* An answer that comes after the operation was given up changes nothing, and is not taken for that
 * of the next one. */
Test(client, late_answers_are_ignored)
{
    struct stage s;
    stage_plan(&s, 1, 1);
    s.plan.workloads[0].attempts = 1;
    stage_link(&s, 0, 1, SIM_LINK_LATENCY)->latency = constant(150 * SIM_MS);
    stage_run(&s, 1);
    cr_expect_eq(s.metrics.operations_ok, 0);
    cr_expect_gt(stage_count(&s, SIM_REC_DELIVER, 1, 0), 500, "they did come");
    stage_end(&s);
}

/* While an operation goes on, the answer to an earlier attempt counts if it is a yes. */
Test(client, a_late_yes_is_a_yes)
{
    struct stage s;
    stage_plan(&s, 1, 1);
    stage_link(&s, 0, 1, SIM_LINK_LATENCY)->latency = constant(150 * SIM_MS);
    stage_run(&s, 1);
    cr_expect_leq(s.metrics.operations - s.metrics.operations_ok, 1);
    cr_expect_eq(s.metrics.latency_max_ns, 150 * SIM_MS);
    cr_expect_float_eq((double)s.metrics.attempts, 2.0 * (double)s.metrics.operations, 2);
    stage_end(&s);
}

/* A no to an earlier attempt, here the second copy of one, says nothing of the attempt under way:
 * that is neither given up nor held to be without effect. */
Test(client, a_late_no_is_ignored)
{
    struct stage s;
    retry_plan(&s, TALK_STORES, SIM_WRITE);
    s.plan.workloads[0].attempts = 2;
    stage_set(&s, 0, TALK_ANSWER, TALK_POINTS);
    stage_set(&s, 0, TALK_HINT, 1);
    stage_fate(&s, 0, 3, ANY, SIM_ACT_DUPLICATE, 1, 20 * SIM_MS); /* The copy comes at 21 ms. */
    stage_link(&s, 1, 3, SIM_LINK_LATENCY)->latency = constant(50 * SIM_MS);
    stage_run(&s, 1);
    size_t count;
    const struct sim_history_row *row = rows(&s, &count);
    cr_assert_gt(count, 1);
    cr_expect_eq(row[0].outcome, SIM_OUTCOME_OK, "outcome %u", row[0].outcome);
    cr_expect_eq(row[0].attempts, 2);
    cr_expect_eq(row[0].return_ns, 61 * SIM_MS);
    stage_end(&s);
}

/* A corrupt answer is as good as none, and so is a corrupt request: no value comes out of either
 * that nobody wrote. */
Test(client, corrupt_answers_are_ignored)
{
    struct stage s;
    stage_plan(&s, 1, 1);
    stage_link(&s, 0, 1, SIM_LINK_CORRUPT)->corrupt_ppm = SIM_PPM;
    stage_run(&s, 1);
    cr_expect_eq(s.metrics.operations_ok, 0);
    stage_end(&s);

    stage_plan(&s, 1, 2);
    stage_link(&s, ANY, ANY, SIM_LINK_CORRUPT)->corrupt_ppm = 300000;
    s.plan.workloads[0].attempts = 20;
    stage_run(&s, 1);
    size_t count;
    const struct sim_history_row *row = rows(&s, &count);
    cr_assert_gt(count, 1000);
    for (size_t i = 0; i < count; i++) {
        const uint64_t writer = row[i].result >> 32;
        cr_expect_leq(writer, 2);
        cr_expect_leq((uint32_t)row[i].result, count);
        cr_expect_neq(row[i].outcome, SIM_OUTCOME_FAIL);
    }
    stage_end(&s);
}

/* ---- The history ---- */

/* Every operation has one row, complete when the run is over; values are unique, sequences count
 * up, and the trace says the same. */
Test(client, the_history_is_complete)
{
    for (uint64_t seed = 1; seed <= 10; seed++) {
        struct stage s;
        stage_plan(&s, 2, 3);
        stage_link(&s, ANY, ANY, SIM_LINK_LOSS)->loss_ppm = 200000;
        stage_link(&s, ANY, ANY, SIM_LINK_LATENCY)->latency = uniform(0, 20 * SIM_MS);
        stage_run(&s, seed);
        size_t count;
        const struct sim_history_row *row = rows(&s, &count);
        uint64_t next[3] = {1, 1, 1};
        uint64_t before_ns = 0;
        for (size_t i = 0; i < count; i++) {
            const struct sim_operation *o = &row[i].operation;
            cr_assert(o->client >= 2 && o->client < 5);
            cr_expect_eq(o->sequence, next[o->client - 2]++);
            cr_expect_geq(row[i].invoke_ns, before_ns, "rows are in the order of invocation");
            before_ns = row[i].invoke_ns;
            cr_expect_neq(row[i].outcome, SIM_OUTCOME_OPEN);
            cr_expect(row[i].attempts >= 1 && row[i].attempts <= 3);
            cr_expect_eq(row[i].return_ns == SIM_NEVER, row[i].outcome == SIM_OUTCOME_INFO);
            cr_expect(row[i].return_ns >= row[i].invoke_ns);
            cr_expect_eq(row[i].server < 2, row[i].outcome == SIM_OUTCOME_OK);
            cr_expect(o->function == SIM_READ ||
                      o->value == ((uint64_t)(o->client - 1) << 32 | (uint32_t)o->sequence));
        }
        const struct sim_metrics *m = &s.metrics;
        cr_expect_eq(m->operations, count);
        cr_expect_eq(m->operations_ok, outcomes(&s, SIM_OUTCOME_OK));
        cr_expect_eq(m->operations_failed, outcomes(&s, SIM_OUTCOME_FAIL));
        cr_expect_eq(m->operations_info, outcomes(&s, SIM_OUTCOME_INFO));
        cr_expect_eq(m->operations, m->operations_ok + m->operations_failed + m->operations_info);
        cr_expect_eq(stage_count(&s, SIM_REC_INVOKE, ANY, ANY), count);
        cr_expect_eq(stage_count(&s, SIM_REC_ATTEMPT, ANY, ANY), m->attempts);
        cr_expect_geq(stage_count(&s, SIM_REC_RETURN, ANY, ANY) + 3, count);
        stage_end(&s);
    }
}

/* The longest gap is the longest time without an acknowledged write: here the crash, and up to a
 * time-out and a pause at its end. */
Test(client, the_longest_gap_is_the_outage)
{
    struct stage s;
    stage_plan(&s, 1, 3);
    stage_fault(&s, SIM_FAULT_CRASH, 0, 20 * SIM_S, 5 * SIM_S);
    stage_run(&s, 1);
    cr_expect_geq(s.metrics.longest_gap_ns, 5 * SIM_S - 20 * SIM_MS);
    cr_expect_leq(s.metrics.longest_gap_ns, 5 * SIM_S + 200 * SIM_MS, "%llu",
                  LLU(s.metrics.longest_gap_ns));
    stage_end(&s);
}

/* An outage that goes on to the end counts, too, and so does one from the beginning. */
Test(client, an_outage_without_end_is_a_gap)
{
    for (uint64_t at_s = 0; at_s <= 20; at_s += 20) {
        struct stage s;
        stage_plan(&s, 1, 3);
        s.plan.workloads[0].start_ns = 10 * SIM_S;
        stage_fault(&s, SIM_FAULT_CRASH, 0, at_s * SIM_S, at_s ? 0 : 30 * SIM_S);
        stage_run(&s, 1);
        /* From 20 s to the end, or from the start at 10 s to the restart at 30 s. */
        cr_expect_float_eq((double)s.metrics.longest_gap_ns, at_s ? 40e9 : 20e9, 0.2e9);
        stage_end(&s);
    }
}

/* Clients that have stopped, or done all they had to do, wait for nothing: no gap. */
Test(client, time_off_is_no_gap)
{
    for (uint32_t i = 0; i < 3; i++) {
        struct stage s;
        stage_plan(&s, 1, 3);
        s.plan.workloads[0].stop_ns = i == 1 ? SIM_NEVER : 10 * SIM_S;
        s.plan.workloads[0].operations = i == 1 ? 100 : 0;
        s.plan.settle_ns = i == 2 ? 10 * SIM_S : 0;
        stage_run(&s, 1);
        cr_expect_leq(s.metrics.longest_gap_ns, SIM_S, "case %u: %llu", i,
                      LLU(s.metrics.longest_gap_ns));
        stage_end(&s);
    }
}

/* ---- Settling ---- */

/* When progress is demanded, workloads that had stopped go on, in either loop, and the run ends as
 * soon as a write is acknowledged. */
Test(client, stopped_workloads_go_on_when_settling)
{
    for (uint32_t open = 0; open <= 1; open++) {
        for (uint64_t limit = 0; limit <= 10; limit += 10) {
            struct stage s;
            stage_plan(&s, 1, 2);
            s.plan.duration_ns = 10 * SIM_S;
            s.plan.settle_ns = 10 * SIM_S;
            s.plan.workloads[0].open_loop = open;
            s.plan.workloads[0].stop_ns = limit ? SIM_NEVER : 5 * SIM_S;
            s.plan.workloads[0].operations = limit;
            stage_run(&s, 1);
            size_t count;
            const struct sim_history_row *row = rows(&s, &count);
            cr_expect_geq(row[count - 1].invoke_ns, 10 * SIM_S, "open %u, limit %llu", open,
                          LLU(limit));
            cr_expect_lt(sim_world_now_ns(s.world), 11 * SIM_S);
            stage_end(&s);
        }
    }
}

/* An open loop that had not quite stopped goes on at its own rate, not at twice that. */
Test(client, settling_does_not_double_an_open_loop)
{
    struct stage s;
    stage_plan(&s, 1, 50);
    s.plan.duration_ns = 10 * SIM_S;
    s.plan.settle_ns = 5 * SIM_S;
    s.plan.workloads[0].open_loop = true;
    s.plan.workloads[0].interval = constant(SIM_S);
    s.plan.workloads[0].stop_ns = 9500 * SIM_MS;
    stage_set(&s, 0, TALK_ANSWER, TALK_SILENT);
    stage_run(&s, 1);
    cr_expect_eq(s.metrics.operations, 15, "due at 0, 1, ... 14 s: %llu",
                 LLU(s.metrics.operations));
    stage_end(&s);
}

/* A cluster that cannot keep up serves what was due long ago, and makes progress all the same. */
Test(client, progress_is_what_begins_when_it_is_demanded_not_what_is_due)
{
    struct stage s;
    stage_plan(&s, 1, 1);
    s.plan.duration_ns = 10 * SIM_S;
    s.plan.settle_ns = 5 * SIM_S;
    s.plan.checks = UINT64_C(1) << SIM_CHECK_LIVENESS;
    s.plan.workloads[0].open_loop = true;
    s.plan.workloads[0].interval = constant(10 * SIM_MS);
    stage_link(&s, SIM_NOBODY, SIM_NOBODY, SIM_LINK_LATENCY)->latency = constant(45 * SIM_MS);
    stage_run(&s, 1);
    const struct sim_check_state *state =
        sim_checks_state(sim_world_checks(s.world), SIM_CHECK_LIVENESS);
    cr_expect_eq(state->verdict, SIM_HOLDS, "%s", state->detail);
    size_t count;
    const struct sim_history_row *row = rows(&s, &count);
    cr_expect_lt(row[count - 1].invoke_ns, 2 * SIM_S, "there must be a backlog");
    cr_expect_lt(sim_world_now_ns(s.world), 11 * SIM_S);
    stage_end(&s);
}
