/* Jepsen's histories of transactions: what the reader takes and refuses, and that the checker says
 * of hundreds of histories what Elle says. */
#include <criterion/criterion.h>
#include <inttypes.h>

#include "golden_files.h"
#include "reports/formats/jepsen_txn.h"

enum { MEMORY = 64 << 20 };
static const struct sim_budget budget = {.steps = 100000000, .memory_bytes = MEMORY};

static struct jepsen_txns txns;
static struct history_problem problem;

static enum sim_status read_text(const char *text)
{
    return jepsen_txns_read(&txns, text, strlen(text), MEMORY, &problem);
}

/* ---- The reader ------------------------------------------------------------------------------ */

Test(jepsen_txn, reads_one_map_a_line)
{
    const char *text = "{:index 0, :type :invoke, :process 3, :f :txn, :value [[:append 5 1]]}\n"
                       "; a comment\n"
                       "{:type :invoke, :process :nemesis, :f :kill, :value nil}\n"
                       "{:type :ok, :process 3, :f :txn, :value [[:append 5 1] [:r 5 [1]]]}\n";
    cr_assert_eq(read_text(text), SIM_OK, "line %" PRIu32 ": %s", problem.line, problem.reason);
    const struct sim_txn_history *h = &txns.history;
    cr_assert_eq(h->txn_count, 1);
    cr_expect_eq(h->object, SIM_TXN_LIST);
    cr_expect_eq(h->txns[0].process, 3);
    cr_expect_eq(h->txns[0].outcome, SIM_TXN_OK);
    cr_expect_eq(h->txns[0].count, 2);
    cr_expect_eq(h->operations[1].length, 1);
    cr_expect_eq(txns.lines[0].invoke, 1);
    cr_expect_eq(txns.lines[0].ret, 4);
    jepsen_txns_release(&txns);
}

Test(jepsen_txn, reads_a_vector_of_maps_with_keys_in_any_order)
{
    const char *text = "[{:value [[:w :x 1] [:r :y nil]] :process 0 :f :txn :type :invoke}\n"
                       " {:value [[:w :x 1] [:r :y nil]] :process 0 :f :txn :type :ok}]";
    cr_assert_eq(read_text(text), SIM_OK, "line %" PRIu32 ": %s", problem.line, problem.reason);
    char words[100];
    sim_txn_words(&txns.history, 0, words, sizeof words);
    cr_expect_str_eq(words, "T0: write :x 1, read :y nil");
    jepsen_txns_release(&txns);
}

/* What crashed or never returned may have taken place; what it read is not known. */
Test(jepsen_txn, open_and_crashed_transactions_did_what_they_were_asked)
{
    const char *text = "{:type :invoke, :process 0, :f :txn, :value [[:append 1 7] [:r 1 nil]]}\n"
                       "{:type :invoke, :process 1, :f :txn, :value [[:append 1 8]]}\n"
                       "{:type :info, :process 1, :f :txn, :value nil}\n";
    cr_assert_eq(read_text(text), SIM_OK, "line %" PRIu32 ": %s", problem.line, problem.reason);
    char words[100];
    sim_txn_words(&txns.history, 0, words, sizeof words);
    cr_expect_str_eq(words, "T0: append 1 7, read 1 ? (never returned)");
    sim_txn_words(&txns.history, 1, words, sizeof words);
    cr_expect_str_eq(words, "T1: append 1 8 (unknown)");
    jepsen_txns_release(&txns);
}

static void refuses(const char *text, uint32_t line, const char *reason)
{
    const enum sim_status status = read_text(text);
    cr_expect_eq(status, SIM_EINVAL, "taken: %s", text);
    cr_expect_eq(problem.line, line, "line %" PRIu32 ", not %" PRIu32 " of: %s", problem.line, line,
                 text);
    cr_expect(strstr(problem.reason, reason), "\"%s\" is not in \"%s\"", reason, problem.reason);
    jepsen_txns_release(&txns);
}

#define INVOKE "{:type :invoke, :process 1, :f :txn, :value [[:append 1 1] [:r 2 nil]]}\n"

Test(jepsen_txn, says_where_a_history_is_broken)
{
    refuses("{:type :ok, :process 1, :f :txn, :value [[:append 1 1]]}", 1,
            "completes a transaction that it did not invoke");
    refuses(INVOKE "\n" INVOKE, 3, "its transaction of line 1 is still open");
    refuses(INVOKE "{:type :ok, :process 1, :f :txn, :value [[:add 1 1]]}", 2,
            "expected a micro-operation, :append, :w or :r, not a keyword \"add\"");
    refuses(INVOKE "{:type :ok, :process 1, :f :txn, :value [[:w 1 1] [:append 1 2]]}", 2,
            "a register's");
    refuses(INVOKE "{:type :ok, :process 1, :f :txn, :value [[:append 1 1] [:r 2 5]]}", 2,
            "a list's");
    refuses(INVOKE "{:type :ok, :process 1, :f :txn, :value [[:append 1]]}", 2,
            "expected a number or a name");
    refuses(INVOKE "{:type :ok, :process 1, :f :txn, :value [[:append 1 1 1]]}", 2,
            "closing bracket");
    refuses(INVOKE "{:type :ok, :process 1, :f :txn, :value nil}", 2, "a vector of micro");
    refuses(INVOKE "{:type :fine, :process 1, :f :txn, :value []}", 2, ":invoke, :ok, :fail");
    refuses("{:type :invoke, :process 1, :f :read, :value nil}", 1, ":f :txn");
    refuses("{:type :invoke, :f :txn, :value nil}", 1, "no :process");
    refuses("{:process 1, :f :txn, :value nil}", 1, "no :type");
    refuses("{:type :invoke, :process 1, :f :txn}", 1, "no :value");
    refuses("{:type :invoke, :process 1, :f :txn, :value 5}", 1, "a vector of micro-operations");
    refuses(INVOKE "5", 2, "expected an operation, a map, not an integer");
    refuses(INVOKE "{:type :ok", 2, "ends inside a collection");
    refuses("[" INVOKE "] {}", 2, "expected the end");
}

Test(jepsen_txn, a_history_too_large_is_an_error_and_no_crash)
{
    for (size_t memory = 0; memory < 40000; memory += 97) {
        const char *text = INVOKE "{:type :ok, :process 1, :f :txn, :value [[:append :x 1] [:r 2 "
                                  "[1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19]]]}";
        const enum sim_status status =
            jepsen_txns_read(&txns, text, strlen(text), memory, &problem);
        cr_assert(status == SIM_OK || status == SIM_ENOMEM, "memory %zu", memory);
        cr_assert_leq(txns.history.scratch.used_bytes, memory);
        cr_assert_eq(status == SIM_OK, problem.reason[0] == '\0', "memory %zu", memory);
        jepsen_txns_release(&txns);
    }
}

/* ---- Golden files ---------------------------------------------------------------------------- */

/* Elle's *-cycle-exists says that a level is broken by a cycle that it could not name: where two
 * transactions are tied by data as well as by an order, it finds the cycle that goes by the order
 * and then calls it by the data. We name the cycle. */
static const char *level_of_cycle_exists(const char *name, char level[64])
{
    const char *end = strstr(name, "-cycle-exists");
    (void)snprintf(level, 64, "%.*s", end ? (int)(end - name) : 0, name);
    return end ? level : NULL;
}

static uint32_t anomaly_of(const char *name)
{
    uint32_t anomaly = 0;
    while (strcmp(name, sim_txn_anomaly_names[anomaly]) != 0) {
        anomaly++;
        cr_assert_lt(anomaly, SIM_TXN_ANOMALY_COUNT, "no anomaly is called %s", name);
    }
    return anomaly;
}

/* Elle's anomalies are ours, but for what is said above, and for what it calls an anomaly though
 * it is none: that a history has no dependency at all. Both ways. */
static void expect_same_anomalies(const char *file, const char *model, char *theirs,
                                  const struct sim_consistency_result *result)
{
    uint32_t unnamed = 0; /* Our anomalies that explain a *-cycle-exists. */
    char names[500], level[64];
    (void)snprintf(names, sizeof names, "%s", theirs);
    for (char *name = strtok(names, " "); name; name = strtok(NULL, " ")) {
        if (strcmp(name, "empty-transaction-graph") == 0) {
            continue;
        }
        bool found = false;
        const char *broken = level_of_cycle_exists(name, level);
        const uint32_t prohibited = broken ? sim_txn_prohibited(sim_txn_model_find(broken)) : 0;
        for (uint32_t i = 0; i < result->anomaly_count; i++) {
            const uint32_t bit = UINT32_C(1) << anomaly_of(result->anomalies[i]);
            found = found || (prohibited & bit) || strcmp(name, result->anomalies[i]) == 0;
            unnamed |= prohibited & bit;
        }
        cr_expect(found, "%s under %s: Elle finds %s, we do not", file, model, name);
    }
    for (uint32_t i = 0; i < result->anomaly_count; i++) {
        cr_expect(golden_has(theirs, result->anomalies[i]) ||
                      (unnamed >> anomaly_of(result->anomalies[i]) & 1),
                  "%s under %s: we find %s, Elle does not", file, model, result->anomalies[i]);
    }
}

static void check_model(const char *model, struct sim_consistency_result *result)
{
    const uint32_t number = sim_txn_model_find(model);
    cr_assert_neq(number, SIM_TXN_MODEL_COUNT, "there is no model %s", model);
    struct sim_txn_witness witness;
    sim_txn_check(&txns.history, number, &budget, result, &witness);
    sim_txn_witness_release(&witness);
}

static void open_golden(const char *file, char **bytes)
{
    size_t size_bytes;
    *bytes = golden_file("elle_golden", file, &size_bytes);
    cr_assert(*bytes, "%s is not there", file);
    cr_assert_eq(jepsen_txns_read(&txns, *bytes, size_bytes, MEMORY, &problem), SIM_OK,
                 "%s:%" PRIu32 ": %s", file, problem.line, problem.reason);
}

/* The anomalies that break strict serializability, of each history. */
Test(jepsen_txn, finds_the_anomalies_that_elle_finds, .timeout = 60)
{
    char *table = golden_file("elle_golden", "verdicts_elle.tsv", NULL);
    if (!table) {
        cr_skip_test("no golden histories here; see FALLACY_HISTORIES");
    }
    char *columns[8], *bytes;
    uint32_t files = 0;
    char *at = table;
    (void)golden_columns(&at, columns, 8); /* The head. */
    for (; at; files++) {
        cr_assert_geq(golden_columns(&at, columns, 8), 4);
        open_golden(columns[0], &bytes);
        struct sim_consistency_result result;
        check_model("strict-serializable", &result);
        cr_expect_eq(result.verdict, strcmp(columns[2], "true") == 0 ? SIM_HOLDS : SIM_VIOLATED,
                     "%s: %s", columns[0], result.detail);
        expect_same_anomalies(columns[0], "strict-serializable", columns[3], &result);
        sim_consistency_result_release(&result);
        jepsen_txns_release(&txns);
        free(bytes);
    }
    cr_expect_gt(files, 100);
    free(table);
}

/* Valid or not under each of eleven models, and the anomalies under strong session
 * serializability. Where Elle says "unknown" there is no dependency between transactions and no
 * anomaly that the model forbids: then it holds. */
Test(jepsen_txn, judges_every_model_as_elle_does, .timeout = 60)
{
    enum { MODELS_FROM = 1, MODELS_TO = 12 };
    char *table = golden_file("elle_golden", "verdicts_elle_by_model.tsv", NULL);
    if (!table) {
        cr_skip_test("no golden histories here; see FALLACY_HISTORIES");
    }
    char *models[16], *columns[16], *bytes;
    char *at = table;
    cr_assert_eq(golden_columns(&at, models, 16), MODELS_TO + 1);
    while (at) {
        const size_t count = golden_columns(&at, columns, 16);
        cr_assert_geq(count, MODELS_TO);
        open_golden(columns[0], &bytes);
        for (size_t m = MODELS_FROM; m < MODELS_TO; m++) {
            struct sim_consistency_result result;
            check_model(models[m], &result);
            cr_expect_eq(result.verdict,
                         strcmp(columns[m], "false") == 0 ? SIM_VIOLATED : SIM_HOLDS,
                         "%s under %s: Elle says %s, we say %s", columns[0], models[m], columns[m],
                         sim_verdict_name(result.verdict));
            if (strcmp(models[m], "strong-session-serializable") == 0) {
                expect_same_anomalies(columns[0], models[m], count > MODELS_TO ? columns[12] : "",
                                      &result);
            }
            sim_consistency_result_release(&result);
        }
        jepsen_txns_release(&txns);
        free(bytes);
    }
    free(table);
}

/* Thousands of transactions, whose verdict their name tells; the same answer each time. */
Test(jepsen_txn, decides_large_histories_the_same_way_each_time, .timeout = 60)
{
    static const struct {
        const char *file;
        uint32_t verdict;
    } rows[] = {{"la_1000.edn", SIM_HOLDS},
                {"la_10000.edn", SIM_HOLDS},
                {"la_1000_stale.edn", SIM_VIOLATED},
                {"la_10000_stale.edn", SIM_VIOLATED}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        size_t size_bytes;
        char *bytes = golden_file("elle_scaling", rows[i].file, &size_bytes);
        if (!bytes) {
            cr_skip_test("no golden histories here; see FALLACY_HISTORIES");
        }
        cr_assert_eq(jepsen_txns_read(&txns, bytes, size_bytes, MEMORY, &problem), SIM_OK, "%s",
                     problem.reason);
        struct sim_consistency_result first, second;
        check_model("strict-serializable", &first);
        check_model("strict-serializable", &second);
        cr_expect_eq(first.verdict, rows[i].verdict, "%s: %s", rows[i].file, first.detail);
        cr_expect_str_eq(first.detail, second.detail);
        cr_expect_eq(first.steps, second.steps);
        cr_expect_eq(first.witness_count, second.witness_count);
        sim_consistency_result_release(&first);
        sim_consistency_result_release(&second);
        jepsen_txns_release(&txns);
        free(bytes);
    }
}
