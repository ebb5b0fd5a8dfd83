/* Any bytes as a history from elsewhere: never a crash, always a whole history or an error with its
 * line; and checkers within their budget that do not contradict themselves. */
#include "reports/formats/jepsen_log.h"
#include "reports/formats/jepsen_object.h"
#include "reports/formats/jepsen_txn.h"
#include "sim/consistency/models.h"
#include "tests/fuzz/require.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MEMORY = 1 << 20 };
static const struct sim_budget budget = {.steps = 5000, .memory_bytes = MEMORY};
static const struct sim_budget larger = {.steps = 20000, .memory_bytes = 2 * MEMORY};

static void require_problem(enum sim_status status, const struct history_problem *problem)
{
    REQUIRE(status == SIM_OK || status == SIM_EINVAL || status == SIM_ENOMEM);
    REQUIRE((status == SIM_OK) == (problem->reason[0] == '\0'));
    REQUIRE(status == SIM_OK || problem->line > 0);
}

static void require_result(const struct sim_consistency_result *result, size_t count)
{
    REQUIRE(result->verdict == SIM_HOLDS || result->verdict == SIM_VIOLATED ||
            result->verdict == SIM_UNKNOWN);
    REQUIRE(result->verdict == SIM_HOLDS || result->detail[0]);
    REQUIRE(result->verdict != SIM_VIOLATED || result->anomaly_count > 0);
    for (uint32_t i = 0; i < result->witness_count; i++) {
        REQUIRE(result->witness[i] < count);
        REQUIRE(i == 0 || result->witness[i - 1] < result->witness[i]);
    }
}

/* ---- Single objects ---- */

static void check_objects(const struct sim_history *history)
{
    struct sim_consistency_result first, second;
    uint32_t strongest = SIM_UNKNOWN; /* The first of all models is linearizable. */
    for (size_t i = 0; i < sim_model_count; i++) {
        const struct sim_model *model = &sim_models[i];
        if (!model->check || !sim_model_judges(model, history->object)) {
            continue;
        }
        model->check(history, &budget, &first);
        require_result(&first, history->count);
        model->check(history, &larger, &second);
        require_result(&second, history->count);
        /* More to spend can only decide what was undecided. */
        REQUIRE(first.verdict == second.verdict || first.verdict == SIM_UNKNOWN);
        strongest = i == 0 ? second.verdict : strongest;
        REQUIRE(strongest != SIM_HOLDS || second.verdict != SIM_VIOLATED);
        sim_consistency_result_release(&first);
        sim_consistency_result_release(&second);
    }
}

static void read_objects(enum history_format format, const char *bytes, size_t size,
                         uint32_t object)
{
    struct sim_history history;
    struct history_problem problem = {0};
    enum sim_status status = sim_history_init(&history, MEMORY);
    REQUIRE(status == SIM_OK);
    switch (format) {
    case HISTORY_ETCD_LOG:
        status = etcd_log_read(bytes, size, &history, &problem);
        break;
    case HISTORY_KV:
        status = porcupine_kv_read(bytes, size, &history, &problem);
        break;
    default:
        status = jepsen_object_read(bytes, size, object, object == SIM_OBJECT_REGISTER ? "0" : NULL,
                                    &history, &problem);
        break;
    }
    require_problem(status, &problem);
    REQUIRE(history.scratch.used_bytes <= MEMORY);
    if (status == SIM_OK) {
        char text[100];
        for (uint32_t place = 0; place < history.count; place++) {
            REQUIRE(sim_history_show(&history, place, text, sizeof text) < sizeof text);
        }
        check_objects(&history);
    }
    sim_history_release(&history);
}

/* ---- Transactions ---- */

static uint32_t check_model(const struct sim_txn_history *history, uint32_t model)
{
    struct sim_consistency_result result;
    struct sim_txn_witness witness;
    char text[100];
    sim_txn_check(history, model, &budget, &result, &witness);
    require_result(&result, history->txn_count);
    for (uint32_t i = 0; i < witness.step_count; i++) {
        sim_txn_step_words(history, &witness.steps[i], text, sizeof text);
    }
    for (uint32_t i = 0; i < result.witness_count; i++) {
        sim_txn_words(history, result.witness[i], text, sizeof text);
    }
    const uint32_t verdict = result.verdict;
    sim_txn_witness_release(&witness);
    sim_consistency_result_release(&result);
    return verdict;
}

static void read_txns(const char *bytes, size_t size)
{
    struct jepsen_txns txns;
    struct history_problem problem;
    const enum sim_status status = jepsen_txns_read(&txns, bytes, size, MEMORY, &problem);
    require_problem(status, &problem);
    if (status == SIM_OK) {
        const uint32_t strict = check_model(&txns.history, SIM_TXN_STRICT_SERIALIZABLE);
        for (uint32_t model = 0; model < SIM_TXN_MODEL_COUNT; model++) {
            const uint32_t verdict = check_model(&txns.history, model);
            /* Nothing is stronger. */
            REQUIRE(strict != SIM_HOLDS || verdict == SIM_HOLDS);
        }
    }
    jepsen_txns_release(&txns);
}

/* ---- Logs ---- */

static void read_log(const char *bytes, size_t size)
{
    struct jepsen_txns txns;
    struct sim_log log;
    struct history_problem problem;
    const enum sim_status status = jepsen_log_read(&txns, &log, bytes, size, MEMORY, &problem);
    require_problem(status, &problem);
    for (uint32_t ww = 0; status == SIM_OK && ww < 2; ww++) {
        const struct sim_log_options options = {.ww_deps = ww == 1};
        struct sim_log_result found;
        char text[100];
        sim_log_check(&log, &options, &budget, &found);
        require_result(&found.result, txns.history.txn_count);
        for (uint32_t i = 0; i < found.result.witness_count; i++) {
            sim_log_words(&log, found.result.witness[i], text, sizeof text);
        }
        sim_consistency_result_release(&found.result);
    }
    sim_log_release(&log);
    jepsen_txns_release(&txns);
}

/* Input up to the first byte 0xff is the history; the byte after that, if any, says as what it is
 * to be read. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *mark = size ? memchr(data, 0xff, size) : NULL;
    const size_t text_bytes = mark ? (size_t)(mark - data) : size;
    const bool asked = mark && text_bytes + 1 < size;
    const uint32_t object = asked ? mark[1] % SIM_OBJECT_COUNT : SIM_OBJECT_COUNT;
    char *text = malloc(text_bytes + 1); /* Of its own size: the sanitizer watches its end. */
    REQUIRE(text);
    if (text_bytes > 0) {
        memcpy(text, data, text_bytes);
    }
    text = realloc(text, text_bytes + !text_bytes);
    REQUIRE(text);
    const enum history_format format = history_recognise(text, text_bytes);
    const enum jepsen_kind kind =
        format == HISTORY_EDN && !asked ? jepsen_recognise(text, text_bytes) : JEPSEN_OBJECT;
    if (kind == JEPSEN_TXN) {
        read_txns(text, text_bytes);
    } else if (kind == JEPSEN_LOG) {
        read_log(text, text_bytes);
    } else if (format != HISTORY_UNKNOWN && format != HISTORY_EMPTY) {
        read_objects(format, text, text_bytes, object);
    }
    free(text);
    return 0;
}
