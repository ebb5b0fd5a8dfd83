/* Jepsen's histories of transactions: what the reader takes and refuses, and that the checker says
 * of hundreds of histories what Elle says. */
#include "history_texts.h"
#include "reports/formats/jepsen_txn.h"

enum { MEMORY = 64 << 20 };
static const struct sim_budget budget = {.steps = 100000000, .memory_bytes = MEMORY};

static struct jepsen_txns txns;
static struct history_problem problem;

static enum sim_status read_bytes(const char *text, size_t size_bytes, size_t memory_bytes)
{
    return jepsen_txns_read(&txns, text, size_bytes, memory_bytes, &problem);
}

static enum sim_status read_text(const char *text)
{
    return read_bytes(text, strlen(text), MEMORY);
}

static void check_model(const char *model, struct sim_consistency_result *result)
{
    const uint32_t number = sim_txn_model_find(model);
    cr_assert_neq(number, SIM_TXN_MODEL_COUNT, "there is no model %s", model);
    struct sim_txn_witness witness;
    sim_txn_check(&txns.history, number, &budget, result, &witness);
    sim_txn_witness_release(&witness);
}

static void judge(void)
{
    struct sim_consistency_result result;
    check_model("strict-serializable", &result);
    sim_consistency_result_release(&result);
}

static void release(void)
{
    jepsen_txns_release(&txns);
}

static const struct text_reader reader = {.read = read_bytes,
                                          .judge = judge,
                                          .release = release,
                                          .problem = &problem,
                                          .scratch = &txns.history.scratch};

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
    release();
}

Test(jepsen_txn, reads_a_vector_of_maps_with_keys_in_any_order)
{
    const char *text = "[{:value [[:w :x 1] [:r :y nil]] :process 0 :f :txn :type :invoke}\n"
                       " {:value [[:w :x 1] [:r :y nil]] :process 0 :f :txn :type :ok}]";
    cr_assert_eq(read_text(text), SIM_OK, "line %" PRIu32 ": %s", problem.line, problem.reason);
    char words[100];
    sim_txn_words(&txns.history, 0, words, sizeof words);
    cr_expect_str_eq(words, "T0: write :x 1, read :y nil");
    release();
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
    release();
}

static void refuses(const char *text, uint32_t line, const char *reason)
{
    const enum sim_status status = read_text(text);
    expect_refused(status, &problem, text, strlen(text), line, reason);
    release();
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
    refuses(INVOKE "5", 2, "expected an operation, which is a map, not an integer");
    refuses(INVOKE "{:type :ok", 2, "ends inside a collection");
    refuses("[" INVOKE "] {}", 2, "expected the end");
}

Test(jepsen_txn, a_history_too_large_is_an_error_and_no_crash)
{
    const char *text = INVOKE "{:type :ok, :process 1, :f :txn, :value [[:append :x 1] [:r 2 "
                              "[1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19]]]}";
    expect_keeps_within_memory(&reader, text, 40000);
}

/* ---- Golden files ---------------------------------------------------------------------------- */

/* Where we do not say what Elle says, one by one. In each of these Elle's own definitions are on
 * our side; whatever else differs fails the test. */
static const struct quirk {
    const char *file, *model;
    const char *elle; /* Only Elle finds this, */
    const char *ours; /* and only we find this; "": nothing. */
} quirks[] = {
    /* That a history has no dependency between transactions is no anomaly. Elle says so because
     * its search for cycles saw nothing then; the anomalies that need no cycle are as valid. */
    {"la_G1a.edn", "strict-serializable", "empty-transaction-graph", ""},
    {"la_internal_own.edn", "strict-serializable", "empty-transaction-graph", ""},
    {"rw_G1b.edn", "strict-serializable", "empty-transaction-graph", ""},
    {"la_G1a.edn", "strong-session-serializable", "empty-transaction-graph", ""},
    {"la_internal_own.edn", "strong-session-serializable", "empty-transaction-graph", ""},
    {"rw_G1b.edn", "strong-session-serializable", "empty-transaction-graph", ""},
    /* Two transactions on the cycle are tied by data as well as by real time (or their process).
     * Elle finds the cycle that goes by the order, then calls that edge by the data, and has no
     * name for what it sees: it only says which level some cycle breaks. We name the cycle. */
    {"rand_la_123_frac.edn", "strict-serializable", "strong-snapshot-isolation-cycle-exists",
     "G-single-item-realtime"},
    {"rand_la_041_stale.edn", "strong-session-serializable",
     "strong-session-snapshot-isolation-cycle-exists", "G-single-item-process"},
};
enum { QUIRKS_REALTIME = 4, QUIRKS_SESSION = 4 }; /* Of the model that asks for each. */

/* And where a verdict differs: Elle does not know whether a history holds in which no transaction
 * depends on another. Nothing the level forbids is in it, so it does. */
static const struct {
    const char *file, *model;
} unknown_to_elle[] = {
    {"la_G1a.edn", "read-uncommitted"},         {"la_internal_own.edn", "read-uncommitted"},
    {"rw_G1b.edn", "read-uncommitted"},         {"la_internal_own.edn", "read-committed"},
    {"la_internal_own.edn", "repeatable-read"},
};
enum { UNKNOWN_TO_ELLE = sizeof unknown_to_elle / sizeof unknown_to_elle[0] };

static const struct quirk *quirk_of(const char *file, const char *model)
{
    for (size_t i = 0; i < sizeof quirks / sizeof quirks[0]; i++) {
        if (strcmp(quirks[i].file, file) == 0 && strcmp(quirks[i].model, model) == 0) {
            return &quirks[i];
        }
    }
    return NULL;
}

static bool is_unknown_to_elle(const char *file, const char *model)
{
    for (size_t i = 0; i < UNKNOWN_TO_ELLE; i++) {
        if (strcmp(unknown_to_elle[i].file, file) == 0 &&
            strcmp(unknown_to_elle[i].model, model) == 0) {
            return true;
        }
    }
    return false;
}

static bool finds(const struct sim_consistency_result *result, const char *name)
{
    for (uint32_t i = 0; i < result->anomaly_count; i++) {
        if (strcmp(name, result->anomalies[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* Elle's anomalies are ours, both ways, but for the file's quirk, which must be there. Answers
 * whether they are the same exactly. */
static bool expect_same_anomalies(const char *file, const char *model, const char *theirs,
                                  const struct sim_consistency_result *result)
{
    const struct quirk *quirk = quirk_of(file, model);
    bool same = true;
    char names[500];
    (void)snprintf(names, sizeof names, "%s", theirs);
    for (char *name = strtok(names, " "); name; name = strtok(NULL, " ")) {
        const bool found = finds(result, name);
        same = same && found;
        cr_expect(found || (quirk && strcmp(quirk->elle, name) == 0),
                  "%s under %s: Elle finds %s, we do not", file, model, name);
    }
    for (uint32_t i = 0; i < result->anomaly_count; i++) {
        const char *name = result->anomalies[i];
        const bool found = golden_has(theirs, name);
        same = same && found;
        cr_expect(found || (quirk && strcmp(quirk->ours, name) == 0),
                  "%s under %s: we find %s, Elle does not", file, model, name);
    }
    cr_expect_eq(same, quirk == NULL, "%s under %s: the quirk is gone", file, model);
    return same;
}

/* One transaction may be as long as it likes: it is judged, or does not fit and says where. */
Test(jepsen_txn, a_million_micro_operations_are_judged_or_do_not_fit, .timeout = 60)
{
    enum { MICROS = 1000000, KEYS = 10 };
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    cr_assert(out);
    (void)fprintf(out, "{:type :invoke, :process 0, :f :txn, :value []}\n"
                       "{:type :ok, :process 0, :f :txn, :value [");
    for (uint32_t i = 0; i < MICROS; i++) {
        (void)fprintf(out, "[:append %" PRIu32 " %" PRIu32 "] ", i % KEYS, i);
    }
    (void)fprintf(out, "]}");
    cr_assert_eq(fclose(out), 0);
    struct sim_consistency_result result;
    cr_assert_eq(read_bytes(text, size, (size_t)256 << 20), SIM_OK, "%s", problem.reason);
    cr_expect_eq(txns.history.operation_count, MICROS);
    check_model("strict-serializable", &result);
    cr_expect_eq(result.verdict, SIM_HOLDS, "%s", result.detail);
    sim_consistency_result_release(&result);
    release();
    cr_expect_eq(read_bytes(text, size, (size_t)8 << 20), SIM_ENOMEM);
    cr_expect_eq(problem.line, 2);
    cr_expect(strstr(problem.reason, "does not fit in the memory allowed"), "%s", problem.reason);
    release();
    free(text);
}

/* Then nobody can tell who wrote what was read; both are shown. */
Test(jepsen_txn, a_value_appended_twice_is_unknown_and_shows_by_whom)
{
    struct sim_consistency_result result;
    const char *text = "{:type :invoke, :process 1, :f :txn, :value [[:append 1 5]]}\n"
                       "{:type :ok, :process 1, :f :txn, :value [[:append 1 5]]}\n"
                       "{:type :invoke, :process 2, :f :txn, :value [[:append 1 5]]}\n"
                       "{:type :info, :process 2, :f :txn, :value [[:append 1 5]]}\n";
    cr_assert_eq(read_text(text), SIM_OK, "%s", problem.reason);
    check_model("read-committed", &result);
    cr_expect_eq(result.verdict, SIM_UNKNOWN);
    cr_expect_str_eq(result.detail, "T0 and T1 both wrote 5 to key 1: who wrote what was read "
                                    "cannot be told");
    cr_assert_eq(result.witness_count, 2);
    cr_expect_eq(txns.lines[result.witness[1]].invoke, 3);
    sim_consistency_result_release(&result);
    release();
}

Test(jepsen_txn, survives_any_text, .timeout = 60)
{
    static const char good[] =
        INVOKE "{:type :invoke, :process 2, :f :txn, :value [[:append :x 5]]}\n"
               "{:type :ok, :process 1, :f :txn, :value [[:append 1 1] [:r 2 [3 4]]]}\n"
               "{:type :info, :process 2, :f :txn, :value nil, :time 5}\n" INVOKE;
    expect_survives_damage(&reader, good, MEMORY);
}

static void open_golden(const char *file, char **bytes)
{
    size_t size_bytes;
    *bytes = golden_file("elle_golden", file, &size_bytes);
    cr_assert(*bytes, "%s is not there", file);
    cr_assert_eq(read_bytes(*bytes, size_bytes, MEMORY), SIM_OK, "%s:%" PRIu32 ": %s", file,
                 problem.line, problem.reason);
}

/* The anomalies that break strict serializability, of each history. */
Test(jepsen_txn, finds_the_anomalies_that_elle_finds, .timeout = 60)
{
    char *table = golden_file_or_skip("elle_golden", "verdicts_elle.tsv", NULL);
    char *columns[8], *bytes;
    uint32_t files = 0, same = 0;
    char *at = table;
    (void)golden_columns(&at, columns, 8); /* The head. */
    for (; at; files++) {
        cr_assert_geq(golden_columns(&at, columns, 8), 4);
        open_golden(columns[0], &bytes);
        struct sim_consistency_result result;
        check_model("strict-serializable", &result);
        cr_expect_eq(result.verdict, strcmp(columns[2], "true") == 0 ? SIM_HOLDS : SIM_VIOLATED,
                     "%s: %s", columns[0], result.detail);
        same += expect_same_anomalies(columns[0], "strict-serializable", columns[3], &result);
        sim_consistency_result_release(&result);
        release();
        free(bytes);
    }
    cr_expect_gt(files, 100);
    cr_expect_eq(same, files - QUIRKS_REALTIME);
    cr_log_info("anomalies: the same in %" PRIu32 " of %" PRIu32 " files", same, files);
    free(table);
}

static uint32_t verdict_of(const char *word)
{
    return strcmp(word, "true") == 0    ? SIM_HOLDS
           : strcmp(word, "false") == 0 ? SIM_VIOLATED
                                        : SIM_UNKNOWN;
}

/* Valid or not under each of eleven models, and the anomalies under strong session
 * serializability. */
Test(jepsen_txn, judges_every_model_as_elle_does, .timeout = 60)
{
    enum { MODELS_FROM = 1, MODELS_TO = 12 };
    char *table = golden_file_or_skip("elle_golden", "verdicts_elle_by_model.tsv", NULL);
    char *models[16], *columns[16], *bytes;
    uint32_t files = 0, verdicts = 0, same_verdicts = 0, same_anomalies = 0;
    char *at = table;
    cr_assert_eq(golden_columns(&at, models, 16), MODELS_TO + 1);
    for (; at; files++) {
        const size_t count = golden_columns(&at, columns, 16);
        cr_assert_geq(count, MODELS_TO);
        open_golden(columns[0], &bytes);
        for (size_t m = MODELS_FROM; m < MODELS_TO; m++, verdicts++) {
            struct sim_consistency_result result;
            check_model(models[m], &result);
            const uint32_t theirs = verdict_of(columns[m]);
            same_verdicts += result.verdict == theirs;
            cr_expect_eq(theirs == SIM_UNKNOWN, is_unknown_to_elle(columns[0], models[m]),
                         "%s under %s: Elle says %s", columns[0], models[m], columns[m]);
            cr_expect_eq(result.verdict, theirs == SIM_UNKNOWN ? (uint32_t)SIM_HOLDS : theirs,
                         "%s under %s: Elle says %s, we say %s", columns[0], models[m], columns[m],
                         sim_verdict_name(result.verdict));
            if (strcmp(models[m], "strong-session-serializable") == 0) {
                same_anomalies += expect_same_anomalies(
                    columns[0], models[m], count > MODELS_TO ? columns[12] : "", &result);
            }
            sim_consistency_result_release(&result);
        }
        release();
        free(bytes);
    }
    cr_expect_eq(same_verdicts, verdicts - UNKNOWN_TO_ELLE);
    cr_expect_eq(same_anomalies, files - QUIRKS_SESSION);
    cr_log_info("verdicts: %" PRIu32 " of %" PRIu32, same_verdicts, verdicts);
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
        char *bytes = golden_file_or_skip("elle_scaling", rows[i].file, &size_bytes);
        cr_assert_eq(read_bytes(bytes, size_bytes, MEMORY), SIM_OK, "%s", problem.reason);
        struct sim_consistency_result first, second;
        check_model("strict-serializable", &first);
        check_model("strict-serializable", &second);
        cr_expect_eq(first.verdict, rows[i].verdict, "%s: %s", rows[i].file, first.detail);
        cr_expect_str_eq(first.detail, second.detail);
        cr_expect_eq(first.steps, second.steps);
        cr_expect_eq(first.witness_count, second.witness_count);
        sim_consistency_result_release(&first);
        sim_consistency_result_release(&second);
        release();
        free(bytes);
    }
}
