/* `fallacy check`: histories from elsewhere against a consistency model. */
#include "scenarios/commands/check.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "scenarios/commands/command.h"
#include "scenarios/commands/options.h"
#include "scenarios/commands/result_json.h"

static const check_judge_fn judges[] = {check_objects, check_txn, check_log};

enum { STEPS_STANDARD = 20 * 1000 * 1000, MEMORY_STANDARD_MIB = 1024, SUMMARY_ROWS_MAX = 64 };
enum { WITNESS_MAX = 40, WITNESS_FIRST = 10 }; /* Operations shown in words. */

/* ---- The files ----------------------------------------------------------------------------- */

static char **paths; /* nftw() gives its callback no context. */
static size_t path_count;

static bool add_path(const char *path)
{
    char **more = realloc(paths, (path_count + 1) * sizeof *paths);
    if (!more) {
        return false;
    }
    paths = more;
    paths[path_count] = strdup(path);
    return paths[path_count] && ++path_count;
}

/* Of a folder, what its name says is a history. */
static int visit(const char *path, const struct stat *stat, int type, struct FTW *where)
{
    (void)stat;
    static const char *const endings[] = {".log", ".txt", ".edn"};
    const char *end = strrchr(path + where->base, '.');
    for (size_t i = 0; type == FTW_F && end && i < sizeof endings / sizeof endings[0]; i++) {
        if (strcmp(end, endings[i]) == 0) {
            return add_path(path) ? 0 : -1;
        }
    }
    return 0;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool gather_paths(const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct stat stat_now;
        const size_t first = path_count;
        if (stat(words[i], &stat_now) != 0) {
            fprintf(stderr, "fallacy check: %s: %s\n", words[i], strerror(errno));
            return false;
        }
        if (!S_ISDIR(stat_now.st_mode)) {
            if (!add_path(words[i])) {
                return false;
            }
            continue;
        }
        if (nftw(words[i], visit, 16, FTW_PHYS) != 0) {
            fprintf(stderr, "fallacy check: %s: %s\n", words[i], strerror(errno));
            return false;
        }
        if (path_count == first) {
            fprintf(stderr, "fallacy check: %s: no history below this folder (.log, .txt, .edn)\n",
                    words[i]);
            return false;
        }
        qsort(paths + first, path_count - first, sizeof *paths, by_name);
    }
    return true;
}

/* Map a file; an empty one is "". NULL, or why not. */
static const char *map_file(struct check_file *file)
{
    const int fd = open(file->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* Nor wait for a pipe. */
    struct stat stat_now;
    const char *why = NULL;
    if (fd < 0) {
        return strerror(errno);
    }
    if (fstat(fd, &stat_now) != 0) {
        why = strerror(errno);
    } else if (!S_ISREG(stat_now.st_mode)) {
        why = "this is not a regular file, and a history is read twice";
    } else if (stat_now.st_size == 0) {
        file->bytes = "";
    } else {
        file->size_bytes = (size_t)stat_now.st_size;
        void *map = mmap(NULL, file->size_bytes, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
        why = map == MAP_FAILED ? strerror(errno) : NULL;
        file->bytes = why ? NULL : map;
    }
    (void)close(fd);
    return why;
}

static void unmap_file(struct check_file *file)
{
    if (file->size_bytes > 0 && file->bytes) {
        (void)munmap((void *)(uintptr_t)file->bytes, file->size_bytes);
    }
}

/* ---- The summary ----------------------------------------------------------------------------- */

struct summary_row {
    const char *type;
    const char *model;
    uint64_t files;
    uint64_t verdicts[SIM_VERDICT_COUNT];
    uint64_t operations;
    uint64_t steps;
    uint64_t wall_ns;
};

struct session {
    cJSON *json; /* NULL: words. */
    struct summary_row rows[SUMMARY_ROWS_MAX];
    size_t row_count;
    uint64_t judged;
    uint64_t bad;
    bool unmet;
};

static void count_answer(struct session *session, const struct check_answer *answer,
                         uint64_t wall_ns)
{
    size_t i = 0;
    while (i < session->row_count && (strcmp(session->rows[i].type, answer->type) != 0 ||
                                      strcmp(session->rows[i].model, answer->model) != 0)) {
        i++;
    }
    if (i == SUMMARY_ROWS_MAX) {
        return;
    }
    if (i == session->row_count) {
        session->rows[session->row_count++] =
            (struct summary_row){.type = answer->type, .model = answer->model};
    }
    struct summary_row *row = &session->rows[i];
    row->files++;
    row->verdicts[answer->result.verdict]++;
    row->operations += answer->result.operations;
    row->steps += answer->result.steps;
    row->wall_ns += wall_ns;
}

static void put_summary(const struct session *session)
{
    printf("\n%-10s %-22s %7s %7s %9s %8s %12s %14s %10s\n", "type", "model", "files", "holds",
           "violated", "unknown", "operations", "steps", "ms");
    for (size_t i = 0; i < session->row_count; i++) {
        const struct summary_row *r = &session->rows[i];
        printf("%-10s %-22s %7" PRIu64 " %7" PRIu64 " %9" PRIu64 " %8" PRIu64 " %12" PRIu64
               " %14" PRIu64 " %10.1f\n",
               r->type, r->model, r->files, r->verdicts[SIM_HOLDS], r->verdicts[SIM_VIOLATED],
               r->verdicts[SIM_UNKNOWN], r->operations, r->steps, (double)r->wall_ns / 1e6);
    }
    if (session->bad > 0) {
        printf("%" PRIu64 " files could not be read\n", session->bad);
    }
}

/* ---- One file -------------------------------------------------------------------------------- */

static void put_words(const struct check_file *file, const struct check_answer *answer,
                      uint64_t wall_ns)
{
    const struct sim_consistency_result *r = &answer->result;
    const char *colour = r->verdict == SIM_HOLDS      ? COLOUR_GREEN
                         : r->verdict == SIM_VIOLATED ? COLOUR_RED
                                                      : COLOUR_YELLOW;
    printf("%-40s %s%-9s%s %8" PRIu64 " operations %10" PRIu64 " steps %9.2f ms\n", file->path,
           options_colour(stdout, colour), sim_verdict_name(r->verdict),
           options_colour(stdout, COLOUR_OFF), r->operations, r->steps, (double)wall_ns / 1e6);
    for (uint32_t i = 0; i < r->anomaly_count; i++) {
        printf("%s%s", i == 0 ? "    " : ", ", r->anomalies[i]);
        if (r->times[i] > 1) {
            printf(" (%" PRIu64 ")", r->times[i]);
        }
    }
    if (r->detail[0]) {
        printf("%s%s\n", r->anomaly_count > 0 ? ": " : "    ", r->detail);
    }
    /* A lock's witness can be all of its history: nothing less shows that it was held. */
    const uint32_t left_out = r->witness_count > WITNESS_MAX ? r->witness_count - WITNESS_MAX : 0;
    for (uint32_t i = 0; i < r->witness_count; i++) {
        const struct check_line *l = &answer->lines[i];
        char place[40] = "";
        if (left_out && i == WITNESS_FIRST) {
            printf("      (%" PRIu32 " more operations; all of them with --json)\n", left_out);
            i += left_out;
            l += left_out;
        }
        if (l->return_line) {
            (void)snprintf(place, sizeof place, "lines %" PRIu32 "-%" PRIu32, l->line,
                           l->return_line);
        } else if (l->line) {
            (void)snprintf(place, sizeof place, "line %" PRIu32, l->line);
        }
        printf("      %-18s %s\n", place, l->text);
    }
}

static void put_json(cJSON *files, const struct check_file *file, const struct check_answer *answer,
                     uint64_t wall_ns)
{
    const struct sim_consistency_result *r = &answer->result;
    cJSON *row = cJSON_CreateObject();
    (void)cJSON_AddStringToObject(row, "file", file->path);
    (void)cJSON_AddStringToObject(row, "type", answer->type);
    (void)cJSON_AddStringToObject(row, "model", answer->model);
    (void)cJSON_AddStringToObject(row, "verdict", sim_verdict_name(r->verdict));
    result_json_u64(row, "operations", r->operations);
    result_json_u64(row, "steps", r->steps);
    result_json_u64(row, "wall_ns", wall_ns);
    cJSON *anomalies = cJSON_AddArrayToObject(row, "anomalies");
    for (uint32_t i = 0; i < r->anomaly_count; i++) {
        (void)cJSON_AddItemToArray(anomalies, cJSON_CreateString(r->anomalies[i]));
    }
    cJSON *times = cJSON_AddObjectToObject(row, "times");
    for (uint32_t i = 0; i < r->anomaly_count; i++) {
        if (r->times[i] > 0) {
            result_json_u64(times, r->anomalies[i], r->times[i]);
        }
    }
    (void)cJSON_AddStringToObject(row, "detail", r->detail);
    cJSON *witness = cJSON_AddArrayToObject(row, "witness");
    for (uint32_t i = 0; i < r->witness_count; i++) {
        cJSON *line = cJSON_CreateObject();
        result_json_u64(line, "line", answer->lines[i].line);
        result_json_u64(line, "return_line", answer->lines[i].return_line);
        (void)cJSON_AddStringToObject(line, "operation", answer->lines[i].text);
        (void)cJSON_AddItemToArray(witness, line);
    }
    (void)cJSON_AddItemToArray(files, row);
}

static uint64_t now_ns(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * SIM_S + (uint64_t)t.tv_nsec;
}

/* Somebody judges the file, or it is told why nobody can. */
static enum sim_status judge(const struct check_file *file, struct check_answer *answer)
{
    enum sim_status status = SIM_EINVAL;
    for (size_t i = 0; i < sizeof judges / sizeof judges[0]; i++) {
        if (judges[i](file, answer, &status)) {
            return status;
        }
    }
    (void)snprintf(answer->problem.reason, sizeof answer->problem.reason,
                   file->format == HISTORY_UNKNOWN
                       ? "not a history we know: expected a Jepsen log of etcd, Porcupine's kv, "
                         "or EDN"
                       : "nothing here judges this kind of history as type %s, model %s%s; see: "
                         "fallacy help check",
                   file->type ? file->type : "(as the file shows)",
                   file->model ? file->model : "(default)",
                   file->initial ? ", with an initial value" : "");
    return SIM_EINVAL;
}

static void tell_problem(struct session *session, const struct check_file *file,
                         const struct history_problem *problem)
{
    session->bad++;
    fprintf(stderr, "fallacy check: %s", file->path);
    if (problem->line > 0) {
        fprintf(stderr, ":%" PRIu32, problem->line);
    }
    fprintf(stderr, ": %s\n", problem->reason);
}

static void check_one(struct session *session, struct check_file *file)
{
    const uint64_t start_ns = now_ns();
    struct check_answer answer = {0};
    const char *why = map_file(file);
    if (why) {
        struct history_problem problem = {0};
        (void)snprintf(problem.reason, sizeof problem.reason, "%s", why);
        tell_problem(session, file, &problem);
        return;
    }
    file->format = history_recognise(file->bytes, file->size_bytes);
    if (judge(file, &answer) != SIM_OK) {
        tell_problem(session, file, &answer.problem);
    } else {
        const uint64_t wall_ns = now_ns() - start_ns;
        session->judged++;
        session->unmet |= answer.result.verdict != SIM_HOLDS;
        count_answer(session, &answer, wall_ns);
        if (session->json) {
            put_json(session->json, file, &answer, wall_ns);
        } else {
            put_words(file, &answer, wall_ns);
        }
    }
    free(answer.lines);
    sim_consistency_result_release(&answer.result);
    unmap_file(file);
}

static int check_all(const struct check_file *request, bool json)
{
    static struct session session;
    cJSON *object = json ? cJSON_CreateObject() : NULL;
    session.json = json ? cJSON_AddArrayToObject(object, "files") : NULL;
    for (size_t i = 0; i < path_count; i++) {
        struct check_file file = *request;
        file.path = paths[i];
        check_one(&session, &file);
    }
    if (json && !result_json_print(object)) {
        return EXIT_FAULT;
    }
    if (!json && session.judged > 1) {
        put_summary(&session);
    }
    return session.bad > 0 ? EXIT_INPUT : session.unmet ? EXIT_UNMET : EXIT_MET;
}

int command_check(int argc, char **argv)
{
    struct check_file request = {.budget = {.steps = STEPS_STANDARD}};
    uint64_t memory_mib = MEMORY_STANDARD_MIB;
    bool json = false;
    const struct option_row options[] = {
        {"model", OPTION_TEXT, &request.model, NULL},
        {"type", OPTION_TEXT, &request.type, NULL},
        {"initial", OPTION_TEXT, &request.initial, NULL},
        {"budget", OPTION_U64, &request.budget.steps, NULL},
        {"memory", OPTION_U64, &memory_mib, NULL},
        {"json", OPTION_FLAG, &json, NULL},
        {NULL, OPTION_FLAG, NULL, NULL},
    };
    const char **words = calloc((size_t)argc + 1, sizeof *words);
    int code = EXIT_INPUT;
    if (!words) {
        code = EXIT_FAULT;
    } else if (options_read(options, argc, argv, words, 1, argc)) {
        size_t count = 0;
        while (words[count]) {
            count++;
        }
        const size_t mib = memory_mib < SIZE_MAX >> 20 ? (size_t)memory_mib : SIZE_MAX >> 20;
        request.budget.memory_bytes = mib << 20;
        code = gather_paths(words, count) ? check_all(&request, json) : EXIT_INPUT;
    }
    for (size_t i = 0; i < path_count; i++) {
        free(paths[i]);
    }
    free(paths);
    free(words);
    return code;
}
