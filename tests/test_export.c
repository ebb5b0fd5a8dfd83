/* Exports: other people's tools read in them what happened, no more and no less. */
#define _POSIX_C_SOURCE 200809L

#include <cjson/cJSON.h>
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "reports/formats/edn.h"
#include "tests/exported.h"

#define REGISTERS CLUSTER "\"operations\": {\"read\": 2, \"write\": 1, \"cas\": 1}}]}"
#define OPEN_LOOP CLUSTER "\"rate\": \"200/s\", \"operations\": {\"read\": 1, \"write\": 1}}]}"
#define LISTS CLUSTER "\"operations\": {\"append\": 1, \"read_list\": 1, \"txn\": 2}}]}"
#define MIXED                                                                                      \
    CLUSTER "\"operations\": {\"append\": 1, \"read_list\": 1, \"cas\": 1, \"txn\": 2}, "          \
            "\"transactions\": {\"read\": 1, \"write\": 1, \"read_list\": 1, \"append\": 1}}]}"

/* ---- Histories read back ------------------------------------------------------------------- */

struct half { /* A line of a history. */
    int64_t index;
    int64_t process;
    int64_t time_ns;
    char type[8];
    char f[8];
    char value[4096]; /* Its text without blanks, commas and colons. */
};

static void word(const struct edn *edn, char *to, size_t size)
{
    (void)snprintf(to, size, "%.*s", (int)edn->length, edn->text);
}

static void copy_value(struct edn *edn, char *to, size_t size)
{
    const char *begin = edn->text;
    cr_assert(edn_skip(edn));
    size_t used = 0;
    for (const char *c = begin; c < edn->at && used + 1 < size; c++) {
        if (*c != ' ' && *c != ',' && *c != ':') {
            to[used++] = *c;
        }
    }
    to[used] = '\0';
}

static void read_half(struct edn *edn, struct half *half)
{
    *half = (struct half){.index = -1, .process = -1, .time_ns = -1};
    while (edn_next(edn) == EDN_KEYWORD) {
        char key[16];
        word(edn, key, sizeof key);
        cr_assert_gt(edn_next(edn), EDN_CLOSE);
        if (strcmp(key, "value") == 0) {
            copy_value(edn, half->value, sizeof half->value);
        } else if (strcmp(key, "type") == 0) {
            word(edn, half->type, sizeof half->type);
        } else if (strcmp(key, "f") == 0) {
            word(edn, half->f, sizeof half->f);
        } else {
            cr_assert_eq(edn->token, EDN_INT, "%s", key);
            int64_t *number = strcmp(key, "index") == 0     ? &half->index
                              : strcmp(key, "process") == 0 ? &half->process
                                                            : &half->time_ns;
            *number = edn->integer;
        }
    }
    cr_assert_eq(edn->token, EDN_CLOSE);
}

static struct half *read_edn(const char *text, size_t *count)
{
    struct half *halves = calloc(strlen(text) / 20 + 1, sizeof *halves);
    struct edn edn;
    *count = 0;
    cr_assert(halves);
    edn_begin(&edn, text, strlen(text));
    while (edn_next(&edn) == EDN_MAP) {
        read_half(&edn, &halves[(*count)++]);
    }
    cr_assert_eq(edn.token, EDN_END);
    return halves;
}

#define PROCESSES 4096

/* What every reader of histories relies on. */
static void expect_history(const struct half *halves, size_t count, uint64_t seed)
{
    static size_t open[PROCESSES]; /* 1 + its open begin; 0: none. */
    static bool gone[PROCESSES];
    memset(open, 0, sizeof open);
    memset(gone, 0, sizeof gone);
    for (size_t i = 0; i < count; i++) {
        const struct half *h = &halves[i];
        cr_assert_eq(h->index, (int64_t)i, "seed %" PRIu64, seed);
        cr_assert(h->process >= 0 && h->process < PROCESSES, "seed %" PRIu64, seed);
        cr_assert(i == 0 || h->time_ns >= halves[i - 1].time_ns, "seed %" PRIu64 ": line %zu", seed,
                  i);
        size_t *mine = &open[h->process];
        if (strcmp(h->type, "invoke") == 0) {
            cr_assert_eq(*mine, 0, "seed %" PRIu64 ": two at once in line %zu", seed, i);
            cr_assert(!gone[h->process], "seed %" PRIu64 ": goes on after info in line %zu", seed,
                      i);
            *mine = i + 1;
            continue;
        }
        cr_assert_neq(*mine, 0, "seed %" PRIu64 ": line %zu ends what never began", seed, i);
        cr_assert_str_eq(h->f, halves[*mine - 1].f);
        gone[h->process] |= strcmp(h->type, "info") == 0;
        *mine = 0;
    }
    for (size_t p = 0; p < PROCESSES; p++) {
        cr_assert_eq(open[p], 0, "seed %" PRIu64 ": an operation has no end", seed);
    }
}

static struct half *exported(const struct export_request *request, size_t *count, uint64_t seed)
{
    char *text = written(request);
    cr_assert(text, "seed %" PRIu64 ": %s", seed, error);
    struct half *halves = read_edn(text, count);
    free(text);
    expect_history(halves, *count, seed);
    return halves;
}

/* ---- EDN ------------------------------------------------------------------------------------- */

/* Every operation has both its halves, also where clients give up and go on, and where operations
 * wait for a client to be free. */
Test(export, tells_both_halves_of_every_operation)
{
    static const char *const texts[] = {REGISTERS, OPEN_LOOP, LISTS};
    for (size_t t = 0; t < sizeof texts / sizeof *texts; t++) {
        size_t in_doubt = 0;
        for (uint64_t seed = 1; seed <= 5; seed++) {
            record(texts[t], seed, RECORDING_HISTORY);
            size_t count;
            struct half *halves =
                exported(&(struct export_request){.format = EXPORT_EDN}, &count, seed);
            size_t operations;
            (void)sim_world_history(world, &operations);
            cr_expect_eq(count, 2 * operations, "seed %" PRIu64, seed);
            for (size_t i = 0; i < count; i++) {
                in_doubt += strcmp(halves[i].type, "info") == 0;
            }
            free(halves);
            forget();
        }
        cr_expect_gt(in_doubt, 0, "these scenarios are meant to leave some in doubt");
    }
}

/* The value that a register's end must show. */
static void expected_value(const struct sim_history_row *row, char *to, size_t size)
{
    const struct sim_operation *o = &row->operation;
    switch (o->function) {
    case SIM_READ:
        if (row->outcome == SIM_OUTCOME_OK) {
            (void)snprintf(to, size, "[%" PRIu64 "%" PRIu64 "]", o->key, row->result);
        } else {
            (void)snprintf(to, size, "[%" PRIu64 "nil]", o->key);
        }
        break;
    case SIM_WRITE:
        (void)snprintf(to, size, "[%" PRIu64 "%" PRIu64 "]", o->key, o->value);
        break;
    default:
        (void)snprintf(to, size, "[%" PRIu64 "[%" PRIu64 "%" PRIu64 "]]", o->key, o->expected,
                       o->value);
        break;
    }
}

/* Ends say what clients saw: the same outcomes, values and times, operation by operation. */
Test(export, tells_of_registers_what_clients_saw)
{
    static const char *const outcomes[] = {"?", "ok", "fail", "info"};
    static const char *const functions[] = {"read", "write", "cas"};
    record(REGISTERS, 7, RECORDING_HISTORY);
    size_t count;
    struct half *halves = exported(&(struct export_request){.format = EXPORT_EDN}, &count, 7);
    size_t rows;
    const struct sim_history_row *history = sim_world_history(world, &rows);
    for (size_t i = 0; i < rows; i++) {
        char value[64];
        expected_value(&history[i], value, sizeof value);
        size_t found = 0;
        for (size_t j = 0; j < count; j++) {
            const struct half *h = &halves[j];
            found += strcmp(h->type, outcomes[history[i].outcome]) == 0 &&
                     strcmp(h->f, functions[history[i].operation.function]) == 0 &&
                     strcmp(h->value, value) == 0 &&
                     (history[i].outcome == SIM_OUTCOME_INFO ||
                      h->time_ns == (int64_t)history[i].return_ns);
        }
        cr_expect_geq(found, 1, "operation %zu: %s", i, value);
    }
    free(halves);
    forget();
}

/* One key's history has plain values, as Knossos takes them. */
Test(export, tells_one_key_with_plain_values)
{
    record(REGISTERS, 3, RECORDING_HISTORY);
    size_t sum = 0;
    for (uint64_t key = 1; key <= 3; key++) {
        size_t count;
        struct half *halves = exported(
            &(struct export_request){.format = EXPORT_EDN, .one_key = true, .key = key}, &count, 3);
        for (size_t i = 0; i < count; i++) {
            const bool cas = strcmp(halves[i].f, "cas") == 0;
            cr_expect_eq(halves[i].value[0] == '[', cas, "%s", halves[i].value);
        }
        sum += count;
        free(halves);
    }
    size_t operations;
    (void)sim_world_history(world, &operations);
    cr_expect_eq(sum, 2 * operations, "every operation is of one key");
    cr_expect_null(
        written(&(struct export_request){.format = EXPORT_EDN, .one_key = true, .key = 99}));
    cr_expect(strstr(error, "no such client operations"), "%s", error);
    forget();
}

/* Lists grow by appends alone, and each append is told once. */
Test(export, tells_lists_as_transactions)
{
    record(LISTS, 11, RECORDING_HISTORY);
    size_t count;
    struct half *halves = exported(&(struct export_request){.format = EXPORT_EDN}, &count, 11);
    size_t appends = 0;
    size_t reads = 0;
    for (size_t i = 0; i < count; i++) {
        cr_expect_str_eq(halves[i].f, "txn");
        appends += strstr(halves[i].value, "[append") != NULL;
        reads += strcmp(halves[i].type, "ok") == 0 && strstr(halves[i].value, "[r") &&
                 strstr(halves[i].value, "]]]");
        cr_expect(strcmp(halves[i].type, "invoke") != 0 || !strstr(halves[i].value, "]]]"),
                  "a begin knows no answer: %s", halves[i].value);
    }
    cr_expect_gt(appends, 10);
    cr_expect_gt(reads, 10);
    forget();
    free(halves);
}

/* A history of lists and registers is told as one or the other, by choice. */
Test(export, tells_a_mixed_history_by_halves)
{
    record(MIXED, 2, RECORDING_HISTORY);
    cr_expect_null(written(&(struct export_request){.format = EXPORT_EDN}));
    cr_expect(strstr(error, "--model list-append or --model rw-register"), "%s", error);
    cr_expect_null(
        written(&(struct export_request){.format = EXPORT_EDN, .model = EXPORT_REGISTER}));
    static const enum export_model models[] = {EXPORT_LIST_APPEND, EXPORT_RW_REGISTER};
    for (size_t m = 0; m < 2; m++) {
        size_t count;
        struct half *halves =
            exported(&(struct export_request){.format = EXPORT_EDN, .model = models[m]}, &count, 2);
        size_t others = 0;
        for (size_t i = 0; i < count; i++) {
            others += strstr(halves[i].value, m == 0 ? "[w" : "[append") != NULL;
            cr_expect_str_neq(halves[i].value, "[]");
        }
        cr_expect_gt(count, 20);
        cr_expect_eq(others, 0);
        free(halves);
    }
    forget();
}

/* ---- elle-cli's JSON ------------------------------------------------------------------------- */

/* A JSON value in the form of copy_value(). */
static void put_json(const cJSON *json, char *to, size_t size)
{
    char *text = cJSON_PrintUnformatted(json);
    cr_assert(text);
    size_t used = 0;
    for (const char *c = text; *c && used + 1 < size; c++) {
        if (strncmp(c, "null", 4) == 0) {
            memcpy(to + used, "nil", 3);
            used += 3;
            c += 3;
        } else if (*c != ',' && *c != '"') {
            to[used++] = *c;
        }
    }
    to[used] = '\0';
    cJSON_free(text);
}

/* The two forms of a history say the same. */
Test(export, tells_elle_cli_what_it_tells_in_edn)
{
    for (uint64_t seed = 1; seed <= 3; seed++) {
        record(MIXED, seed, RECORDING_HISTORY);
        struct export_request request = {.format = EXPORT_EDN, .model = EXPORT_LIST_APPEND};
        size_t count;
        struct half *halves = exported(&request, &count, seed);
        request.format = EXPORT_ELLE;
        char *text = written(&request);
        cr_assert(text, "%s", error);
        cJSON *json = cJSON_Parse(text);
        cr_assert(json, "it is no JSON");
        cr_assert_eq(cJSON_GetArraySize(json), (int)count);
        size_t i = 0;
        const cJSON *object;
        cJSON_ArrayForEach(object, json)
        {
            char value[4096];
            put_json(cJSON_GetObjectItem(object, "value"), value, sizeof value);
            cr_expect_str_eq(value, halves[i].value, "seed %" PRIu64 ", line %zu", seed, i);
            cr_expect_str_eq(cJSON_GetObjectItem(object, "type")->valuestring, halves[i].type);
            cr_expect_eq(cJSON_GetObjectItem(object, "process")->valueint, (int)halves[i].process);
            i++;
        }
        cJSON_Delete(json);
        free(text);
        free(halves);
        forget();
    }
}

/* ---- CSV ------------------------------------------------------------------------------------- */

static size_t lines_of(const char *text)
{
    size_t lines = 0;
    for (; *text; text++) {
        lines += *text == '\n';
    }
    return lines;
}

/* A view is a header and its rows; text that CSV would take apart is quoted. */
Test(export, writes_views_as_csv)
{
    record(LISTS, 5, RECORDING_HISTORY);
    struct export_request request = {.format = EXPORT_CSV, .view = "operations"};
    char *text = written(&request);
    cr_assert(text, "%s", error);
    size_t operations;
    (void)sim_world_history(world, &operations);
    cr_expect_eq(lines_of(text), operations + 1);
    cr_expect(strncmp(text, "operation,client,", 17) == 0);
    free(text);
    request.view = "parts";
    text = written(&request);
    cr_expect(text && strstr(text, ",\"["), "a list has commas: %s", text ? text : error);
    free(text);
    request.view = "recording"; /* The scenario's text has quotes. */
    text = written(&request);
    cr_expect(text && strstr(text, "\"\"title\"\""), "%s", text ? text : error);
    free(text);
    request.view = "robert'); drop table operation; --";
    cr_expect_null(written(&request));
    cr_expect(strstr(error, "has no table or view"), "%s", error);
    forget();
}

/* What a level does not hold asks for a higher one. */
Test(export, knows_the_level_that_it_needs)
{
    struct export_request request = {.format = EXPORT_EDN};
    cr_expect_eq(export_level(&request), RECORDING_HISTORY);
    request = (struct export_request){.format = EXPORT_CSV, .view = "verdicts"};
    cr_expect_eq(export_level(&request), RECORDING_OUTCOME);
    request.view = "messages";
    cr_expect_eq(export_level(&request), RECORDING_TRACE);
    request.view = "leadership";
    cr_expect_eq(export_level(&request), RECORDING_HISTORY);
    record(REGISTERS, 1, RECORDING_OUTCOME);
    cr_expect_null(written(&(struct export_request){.format = EXPORT_EDN}));
    cr_expect(strstr(error, "level outcome"), "%s", error);
    forget();
}
