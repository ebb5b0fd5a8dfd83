/* Jepsen's histories of logs: what the reader takes and refuses, and that the checker says of a
 * hundred histories what Jepsen's tests of Kafka say. */
#include "history_texts.h"
#include "reports/formats/jepsen_log.h"

enum { MEMORY = 64 << 20 };
static const struct sim_budget budget = {.steps = 100000000, .memory_bytes = MEMORY};

static struct jepsen_txns txns;
static struct sim_log history;
static struct history_problem problem;

static enum sim_status read_bytes(const char *text, size_t size_bytes, size_t memory_bytes)
{
    return jepsen_log_read(&txns, &history, text, size_bytes, memory_bytes, &problem);
}

static enum sim_status read_text(const char *text)
{
    return read_bytes(text, strlen(text), MEMORY);
}

static void judge(void)
{
    const struct sim_log_options options = {.ww_deps = true};
    struct sim_log_result result;
    sim_log_check(&history, &options, &budget, &result);
    sim_consistency_result_release(&result.result);
}

static void release(void)
{
    sim_log_release(&history);
    jepsen_txns_release(&txns);
}

static const struct text_reader reader = {.read = read_bytes,
                                          .judge = judge,
                                          .release = release,
                                          .problem = &problem,
                                          .scratch = &txns.history.scratch};

/* ---- The reader ------------------------------------------------------------------------------ */

#define INVOKE "{:type :invoke, :process 1, :f :txn, :value [[:send 0 7] [:poll]]}\n"

static void reads_as(const char *text, uint32_t txn, const char *words)
{
    char shown[200];
    cr_assert_eq(read_text(text), SIM_OK, "line %" PRIu32 ": %s", problem.line, problem.reason);
    sim_log_words(&history, txn, shown, sizeof shown);
    cr_expect_str_eq(shown, words);
    release();
}

Test(jepsen_log, reads_sends_polls_and_assignments)
{
    reads_as(INVOKE "{:type :ok, :process 1, :f :txn, :value [[:send 0 [5 7]] [:poll {1 [[2 :a] [3 "
                    "\"b\"]], :k [[0 8]]}] [:poll]]}",
             0, "T0: send 0 7 at 5, poll 1 :a at 2, poll 1 \"b\" at 3, poll :k 8 at 0");
    reads_as(INVOKE "{:type :ok, :process 1, :f :txn, :value [[:send 0 [nil 7]] [:poll nil]]}", 0,
             "T0: send 0 7");
    reads_as("{:type :invoke, :process 0, :f :assign, :value [0 1]}\n"
             "{:type :ok, :process 0, :f :assign, :value [0 1]}\n",
             0, "T0: assign 0, 1");
    reads_as("{:type :invoke, :process 0, :f :poll, :value [[:poll]]}\n"
             "{:type :ok, :process 0, :f :poll, :value [[:poll {3 [[0 1]]}]], "
             ":rebalance-log [{:keys [3], :op :assign} {:keys nil}]}\n",
             0, "T0: poll 3 1 at 0, moved: 3");
    reads_as("{:type :invoke, :process 0, :f :crash, :value nil}\n"
             "{:type :info, :process 0, :f :crash}\n",
             0, "T0: (no log) (unknown)");
}

/* What crashed or never returned may have sent what it was asked to. */
Test(jepsen_log, open_and_crashed_operations_did_what_they_were_asked)
{
    reads_as(INVOKE, 0, "T0: send 0 7 (never returned)");
    reads_as(INVOKE "{:type :info, :process 1, :f :txn, :value nil}", 0, "T0: send 0 7 (unknown)");
    reads_as(INVOKE "{:type :fail, :process 1, :f :txn, :value nil}", 0, "T0: send 0 7 (failed)");
}

static void refuses(const char *text, uint32_t line, const char *reason)
{
    const enum sim_status status = read_text(text);
    expect_refused(status, &problem, text, strlen(text), line, reason);
    release();
}

#define OK(value) INVOKE "{:type :ok, :process 1, :f :txn, :value " value "}"

Test(jepsen_log, says_where_a_history_is_broken)
{
    refuses(OK("[[:sent 0 1]]"), 2, "a micro-operation, :send or :poll, not a keyword \"sent\"");
    refuses(OK("[:poll]"), 2, "a micro-operation like [:poll]");
    refuses(OK("[[:send 0]]"), 2, "a number or a name");
    refuses(OK("[[:send 0 [1]]]"), 2, "a number or a name");
    refuses(OK("[[:send 0 [1 2 3]]]"), 2, "the end of [offset value]");
    refuses(OK("[[:send 0 [:x 2]]]"), 2, "an offset, an integer or nil");
    refuses(OK("[[:send 0 [1 2] 3]]"), 2, "the end of [:send key [offset value]]");
    refuses(OK("[[:send 0 [1.5 2]]]"), 2, "an offset");
    refuses(OK("[[:poll [0 1]]]"), 2, "a map from keys to messages");
    refuses(OK("[[:poll {0 1}]]"), 2, "a vector of messages");
    refuses(OK("[[:poll {0 [1 2]}]]"), 2, "a message, [offset value]");
    refuses(OK("[[:poll {[0] [[1 2]]}]]"), 2, "a number or a name");
    refuses(OK("[[:poll {0 [[1 2]]} 5]]"), 2, "the end of [:poll {key messages}]");
    refuses(OK("[[:poll {0 [[1 2]]"), 2, "ends inside a collection");
    refuses(OK("{0 1}"), 2, "a vector of micro-operations");
    refuses(OK("nil"), 2, "a vector of micro-operations");
    refuses("{:type :invoke, :process 1, :f :poll}", 1, "no :value");
    refuses("{:type :ok, :process 1, :f :poll, :value [[:poll]]}", 1, "did not invoke");
    refuses("{:type :invoke, :process 1, :f :assign, :value 5}", 1, "a vector of keys");
    refuses(INVOKE "{:type :ok, :process 1, :f :txn, :value [], :rebalance-log [5]}", 2,
            "a rebalance, a map with :keys");
}

Test(jepsen_log, a_history_too_large_is_an_error_and_no_crash)
{
    const char *text =
        OK("[[:send :x [0 7]] [:poll {:y [[0 1] [1 2] [2 3] [3 4] [4 5] [5 :six]]}]]");
    expect_keeps_within_memory(&reader, text, 60000);
}

Test(jepsen_log, survives_any_text, .timeout = 60)
{
    static const char good[] = INVOKE
        "{:type :invoke, :process 2, :f :poll, :value [[:poll]]}\n"
        "{:type :ok, :process 1, :f :txn, :value [[:send 0 [3 7]] [:poll {0 [[1 2] [2 :a]]}]]}\n"
        "{:type :info, :process 2, :f :poll, :value nil, :rebalance-log [{:keys [1]}]}\n"
        "{:type :invoke, :process 2, :f :assign, :value [0 1]}\n" INVOKE;
    expect_survives_damage(&reader, good, MEMORY);
}

/* ---- Golden files ---------------------------------------------------------------------------- */

/* Where we do not say what Jepsen says, one by one. */
static const struct quirk {
    const char *file;
    const char *jepsen; /* It finds this, and we do not. */
} quirks[] = {
    /* The last poll is the first of its key, to which nothing was sent successfully. Jepsen then
     * takes what was polled for unseen: it merges two maps by the difference of their sets, and a
     * key that is in one of them only is kept as it is. What was polled was seen. */
    {"G1a.edn", "unseen=1"},
    /* That a history has no dependency between transactions is no error in it. */
    {"precommitted_read.edn", "empty-transaction-graph=1"},
};
enum { QUIRK_COUNT = sizeof quirks / sizeof quirks[0] };

static const struct quirk *quirk_of(const char *file)
{
    for (size_t i = 0; i < QUIRK_COUNT; i++) {
        if (strcmp(quirks[i].file, file) == 0) {
            return &quirks[i];
        }
    }
    return NULL;
}

/* Our errors as the table writes them, "G1a=1". */
static void word_of(const struct sim_log_result *result, uint32_t error, char word[64])
{
    (void)snprintf(word, 64, "%s=%" PRIu64, sim_log_error_names[error], result->counts[error]);
}

/* The same errors, as often, both ways but for the file's quirk, which must be there. */
static bool expect_same_errors(const char *file, const char *theirs,
                               const struct sim_log_result *result)
{
    const struct quirk *quirk = quirk_of(file);
    bool same = true;
    char words[500], word[64];
    (void)snprintf(words, sizeof words, "%s", theirs);
    for (char *their = strtok(words, " "); their; their = strtok(NULL, " ")) {
        bool found = false;
        for (uint32_t e = 0; e < SIM_LOG_ERROR_COUNT; e++) {
            word_of(result, e, word);
            found = found || strcmp(word, their) == 0;
        }
        same = same && found;
        cr_expect(found || (quirk && strcmp(quirk->jepsen, their) == 0),
                  "%s: Jepsen finds %s, we do not", file, their);
    }
    for (uint32_t e = 0; e < SIM_LOG_ERROR_COUNT; e++) {
        word_of(result, e, word);
        const bool found = result->counts[e] == 0 || golden_has(theirs, word);
        same = same && found;
        cr_expect(found, "%s: we find %s, Jepsen does not", file, word);
    }
    cr_expect_eq(same, quirk == NULL, "%s: the quirk is gone", file);
    return same;
}

Test(jepsen_log, finds_the_errors_that_jepsen_finds_as_often, .timeout = 60)
{
    char *table = golden_file_or_skip("kafka_golden", "verdicts_jepsen_kafka.tsv", NULL);
    char *columns[8], *at = table;
    uint32_t files = 0, same[2] = {0, 0};
    (void)golden_columns(&at, columns, 8); /* The head. */
    for (; at; files++) {
        size_t size_bytes;
        cr_assert_geq(golden_columns(&at, columns, 8), 4);
        char *bytes = golden_file("kafka_golden", columns[0], &size_bytes);
        cr_assert(bytes, "%s is not there", columns[0]);
        cr_assert_eq(read_bytes(bytes, size_bytes, MEMORY), SIM_OK, "%s:%" PRIu32 ": %s",
                     columns[0], problem.line, problem.reason);
        for (uint32_t ww = 0; ww < 2; ww++) {
            const struct sim_log_options options = {.ww_deps = ww == 1};
            struct sim_log_result result;
            sim_log_check(&history, &options, &budget, &result);
            same[ww] += expect_same_errors(columns[0], columns[1 + ww], &result);
            if (ww == 0) {
                cr_expect_eq(result.result.verdict, columns[3][0] ? SIM_VIOLATED : SIM_HOLDS, "%s",
                             columns[0]);
            }
            sim_consistency_result_release(&result.result);
        }
        release();
        free(bytes);
    }
    cr_expect_gt(files, 100);
    cr_expect_eq(same[0], files - QUIRK_COUNT);
    cr_expect_eq(same[1], files - QUIRK_COUNT);
    cr_log_info("errors and counts: the same in %" PRIu32 " and, with ww-deps, in %" PRIu32
                " of %" PRIu32 " files",
                same[0], same[1], files);
    free(table);
}
