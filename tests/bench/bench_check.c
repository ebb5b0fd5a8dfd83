/* What judging a history costs: cpu milliseconds of reading and of checking, on histories that
 * other checkers were measured on, and on a million operations of each kind of object.
 *
 * The golden histories are no part of the source tree: FALLACY_HISTORIES names their folder (or it
 * lies beside the source tree, as shared/histories). Their tables hold what Porcupine (Go 1.19)
 * took for each file, cpu time without reading, on another day: the ratio says how many times as
 * long, and 10 % of it mean nothing. Every verdict is compared too.
 *
 *   bench_check [OPERATIONS]     of the histories made here; 1000000, and 0 for none */
#include <inttypes.h>
#include <stdarg.h>
#include <sys/resource.h>

#include "measure.h"
#include "reports/formats/jepsen_object.h"
#include "reports/formats/jepsen_txn.h"
#include "sim/check/check.h"
#include "sim/consistency/linearizable.h"
#include "sim/rng.h"
#include "tests/golden_files.h"

enum { ROUNDS = 5, FILES_MAX = 512 };
static const struct sim_budget budget = {.steps = 20000000, .memory_bytes = (size_t)1 << 30};

/* ---- One history ----------------------------------------------------------------------------- */

struct cost {
    double read_s, check_s;
    uint64_t operations, steps;
    uint32_t verdict;
};

static void judge_object(const char *bytes, size_t size, uint32_t object, struct cost *cost)
{
    struct sim_history history;
    struct history_problem problem;
    struct sim_consistency_result result;
    const double begin_s = measure_cpu_s();
    enum sim_status status = sim_history_init(&history, budget.memory_bytes);
    const enum history_format format = history_recognise(bytes, size);
    if (status == SIM_OK && format != HISTORY_EMPTY) {
        status = format == HISTORY_ETCD_LOG ? etcd_log_read(bytes, size, &history, &problem)
                 : format == HISTORY_KV
                     ? porcupine_kv_read(bytes, size, &history, &problem)
                     : jepsen_object_read(bytes, size, object, NULL, &history, &problem);
    }
    if (status != SIM_OK) {
        measure_give_up("a history cannot be read");
    }
    const double middle_s = measure_cpu_s();
    sim_check_linearizable(&history, &budget, &result);
    *cost = (struct cost){middle_s - begin_s, measure_cpu_s() - middle_s, result.operations,
                          result.steps, result.verdict};
    sim_consistency_result_release(&result);
    sim_history_release(&history);
}

static void judge_txn(const char *bytes, size_t size, struct cost *cost)
{
    static struct jepsen_txns txns;
    struct history_problem problem;
    struct sim_consistency_result result;
    struct sim_txn_witness witness;
    const double begin_s = measure_cpu_s();
    if (jepsen_txns_read(&txns, bytes, size, budget.memory_bytes, &problem) != SIM_OK) {
        measure_give_up("a history cannot be read");
    }
    const double middle_s = measure_cpu_s();
    sim_txn_check(&txns.history, SIM_TXN_STRICT_SERIALIZABLE, &budget, &result, &witness);
    *cost = (struct cost){middle_s - begin_s, measure_cpu_s() - middle_s, result.operations,
                          result.steps, result.verdict};
    sim_txn_witness_release(&witness);
    sim_consistency_result_release(&result);
    jepsen_txns_release(&txns);
}

/* ---- Sets of golden histories ---------------------------------------------------------------- */

struct file {
    char name[64];
    char *bytes;
    size_t size;
    uint32_t verdict; /* That it should have. */
    double peer_ms;   /* What the peer took; 0: it did not say. */
};

static struct file files[FILES_MAX];
static size_t file_count;

static void line_of(const char *name, const double *read_s, const double *check_s,
                    const struct cost *sum, double peer_ms, bool timed_out)
{
    const double median_ms = 1e3 * check_s[ROUNDS / 2];
    printf("%-28s %8" PRIu64 " %10" PRIu64 " %8.2f %8.2f %8.2f", name, sum->operations, sum->steps,
           1e3 * read_s[ROUNDS / 2], median_ms, 1e3 * check_s[0]);
    if (peer_ms > 0 && median_ms > 0) {
        printf(" %s%10.1f %9.1f", timed_out ? ">" : " ", peer_ms, peer_ms / median_ms);
    }
    printf("\n");
}

/* All files together, so many rounds. */
static void measure_files(const char *name, struct file *first, size_t count, bool transactions)
{
    double read_s[ROUNDS], check_s[ROUNDS], peer_ms = 0;
    struct cost sum;
    bool timed_out = false;
    for (int round = 0; round < ROUNDS; round++) {
        sum = (struct cost){0};
        for (size_t i = 0; i < count; i++) {
            struct cost cost;
            if (transactions) {
                judge_txn(first[i].bytes, first[i].size, &cost);
            } else {
                judge_object(first[i].bytes, first[i].size, SIM_OBJECT_COUNT, &cost);
            }
            if (cost.verdict != first[i].verdict) {
                fprintf(stderr, "bench_check: %s: %s\n", first[i].name,
                        sim_verdict_name(cost.verdict));
                exit(3);
            }
            sum.read_s += cost.read_s;
            sum.check_s += cost.check_s;
            sum.operations += cost.operations;
            sum.steps += cost.steps;
        }
        read_s[round] = sum.read_s;
        check_s[round] = sum.check_s;
    }
    for (size_t i = 0; i < count; i++) {
        peer_ms += first[i].peer_ms;
        timed_out |= first[i].peer_ms > 10000;
    }
    measure_sort(read_s, ROUNDS);
    measure_sort(check_s, ROUNDS);
    line_of(name, read_s, check_s, &sum, peer_ms, timed_out);
}

static void add_file(const char *folder, const char *name, uint32_t verdict, double peer_ms)
{
    for (size_t i = 0; i < file_count; i++) {
        if (strcmp(files[i].name, name) == 0) {
            return; /* Measured in two ways; the first, by key, is the faster. */
        }
    }
    struct file *f = &files[file_count];
    (void)snprintf(f->name, sizeof f->name, "%s", name);
    f->bytes = golden_file(folder, name, &f->size);
    f->verdict = verdict;
    f->peer_ms = peer_ms;
    if (!f->bytes || ++file_count == FILES_MAX) {
        measure_give_up("a golden history is missing, or there are too many");
    }
}

/* The files that a table of Porcupine's names, whose names begin with `prefix`. What it did not
 * decide was made to be linearizable unless the name says otherwise. False: no table. */
static bool load(const char *table_folder, const char *table, const char *folder,
                 const char *prefix)
{
    char *text = golden_file(table_folder, table, NULL);
    file_count = 0;
    if (!text) {
        printf("(%s skipped: no golden histories here; see FALLACY_HISTORIES)\n", folder);
        return false;
    }
    const bool wall_first = strstr(text, "wall_ms") != NULL;
    for (char *line = strchr(text, '\n'); line && line[1]; line = strchr(line + 1, '\n')) {
        char name[64], verdict[16];
        double first_ms = 0, second_ms = 0;
        if (sscanf(line + 1, "%63[^,],%*u,%15[^,],%lf,%lf", name, verdict, &first_ms, &second_ms) <
            3) {
            measure_give_up("a table of golden histories cannot be read");
        }
        const bool ok = strcmp(verdict, "Ok") == 0 ||
                        (strcmp(verdict, "Unknown") == 0 && !strstr(name, "_bad"));
        if (strncmp(name, prefix, strlen(prefix)) == 0) {
            add_file(folder, name, ok ? SIM_HOLDS : SIM_VIOLATED,
                     wall_first ? second_ms : first_ms);
        }
    }
    free(text);
    return true;
}

static void unload(void)
{
    for (size_t i = 0; i < file_count; i++) {
        free(files[i].bytes);
    }
    file_count = 0;
}

/* Elle (OpenJDK 17), cpu time of its fastest repetition, without reading. */
static void measure_elle(void)
{
    static const struct {
        const char *name;
        uint32_t verdict;
        double elle_ms;
    } rows[] = {{"la_1000.edn", SIM_HOLDS, 120},
                {"la_10000.edn", SIM_HOLDS, 800},
                {"la_1000_stale.edn", SIM_VIOLATED, 0},
                {"la_10000_stale.edn", SIM_VIOLATED, 2030}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct file file = {.verdict = rows[i].verdict, .peer_ms = rows[i].elle_ms};
        (void)snprintf(file.name, sizeof file.name, "%s", rows[i].name);
        file.bytes = golden_file("elle_scaling", file.name, &file.size);
        if (!file.bytes) {
            printf("(elle_scaling/%s skipped: not here; see FALLACY_HISTORIES)\n", file.name);
            continue;
        }
        measure_files(file.name, &file, 1, true);
        free(file.bytes);
    }
}

/* ---- A million operations -------------------------------------------------------------------- */

enum { CLIENTS = 8, LINE_MAX_BYTES = 80 };

/* A real object, played by clients that overlap. */
struct game {
    uint32_t object;
    uint32_t values;   /* So many different ones; 0: each written once. */
    uint32_t read_ppm; /* Of operations that read, or take out. */
    struct sim_rng rng;
    char *text;
    size_t size, room;
    uint32_t *items; /* Of a queue, set, stack or list. */
    uint32_t first, count;
    int64_t number; /* What a register or counter holds; a register's 0 is nothing yet. */
};

static void say(struct game *g, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void say(struct game *g, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g->size += (size_t)vsnprintf(g->text + g->size, g->room - g->size, format, arguments);
    va_end(arguments);
}

static const char *const words[SIM_OBJECT_COUNT][2] = {
    [SIM_OBJECT_REGISTER] = {"write", "read"}, [SIM_OBJECT_LIST] = {"append", "read"},
    [SIM_OBJECT_SET] = {"add", "read"},        [SIM_OBJECT_QUEUE] = {"enqueue", "dequeue"},
    [SIM_OBJECT_STACK] = {"push", "pop"},      [SIM_OBJECT_COUNTER] = {"add", "read"}};

/* What the client is told; the object changes now. */
static void take_place(struct game *g, bool reads, uint32_t value, char *told, size_t room)
{
    (void)snprintf(told, room, "%" PRIu32, value);
    const bool single = g->object == SIM_OBJECT_REGISTER || g->object == SIM_OBJECT_COUNTER;
    if (!reads) {
        g->number = g->object == SIM_OBJECT_COUNTER ? g->number + value : value;
        g->items[g->count] = value;
        g->count += !single;
    } else if (g->object == SIM_OBJECT_QUEUE && g->first < g->count) {
        (void)snprintf(told, room, "%" PRIu32, g->items[g->first++]);
    } else if (g->object == SIM_OBJECT_STACK && g->count > 0) {
        (void)snprintf(told, room, "%" PRIu32, g->items[--g->count]);
    } else if (single && (g->number > 0 || g->object == SIM_OBJECT_COUNTER)) {
        (void)snprintf(told, room, "%" PRId64, g->number);
    } else {
        (void)snprintf(told, room, "%s",
                       g->object == SIM_OBJECT_SET || g->object == SIM_OBJECT_LIST ? "" : "nil");
    }
}

static void play(struct game *g, uint32_t operations)
{
    struct {
        bool open, done, reads;
        uint32_t value, seen; /* How much a set or list held. */
        char told[24];
    } clients[CLIENTS] = {0};
    uint32_t begun = 0, open = 0;
    while (begun < operations || open > 0) {
        const uint32_t p = sim_rng_bounded(&g->rng, CLIENTS);
        if (!clients[p].open) {
            if (begun == operations) {
                continue;
            }
            begun++;
            open++;
            clients[p].open = true;
            clients[p].done = false;
            clients[p].reads = sim_rng_bounded(&g->rng, 1000000) < g->read_ppm;
            clients[p].value = g->values ? 1 + sim_rng_bounded(&g->rng, g->values) : begun;
            const char *f = words[g->object][clients[p].reads];
            say(g, "{:type :invoke, :process %" PRIu32 ", :f :%s, :value ", p, f);
            say(g, clients[p].reads ? "nil}\n" : "%" PRIu32 "}\n", clients[p].value);
            continue;
        }
        if (!clients[p].done) {
            clients[p].done = true;
            take_place(g, clients[p].reads, clients[p].value, clients[p].told,
                       sizeof clients[p].told);
            clients[p].seen = g->count;
            if (sim_rng_bounded(&g->rng, 2)) {
                continue;
            }
        }
        open--;
        clients[p].open = false;
        say(g, "{:type :ok, :process %" PRIu32 ", :f :%s, :value ", p,
            words[g->object][clients[p].reads]);
        if (clients[p].told[0]) {
            say(g, "%s}\n", clients[p].told);
            continue;
        }
        say(g, "[");
        for (uint32_t i = 0; i < clients[p].seen; i++) {
            say(g, "%" PRIu32 " ", g->items[i]);
        }
        say(g, "]}\n");
    }
}

static void measure_large(const char *name, uint32_t object, uint32_t values, uint32_t operations)
{
    const bool whole = object == SIM_OBJECT_SET || object == SIM_OBJECT_LIST;
    const uint32_t reads = 16; /* Of all of a set or list. */
    const uint64_t read_ppm = UINT64_C(1000000) * reads / operations;
    struct game g = {.object = object,
                     .values = values,
                     .read_ppm = whole ? (uint32_t)read_ppm + 1 : 500000,
                     .room = (size_t)operations * (2 * LINE_MAX_BYTES + (whole ? 800 : 0)),
                     .items = calloc(operations + 1, sizeof *g.items)};
    g.text = malloc(g.room);
    if (!g.items || !g.text) {
        measure_give_up("out of memory");
    }
    sim_rng_seed(&g.rng, 1, object);
    play(&g, operations);
    struct cost cost;
    judge_object(g.text, g.size, object, &cost);
    printf("%-28s %8" PRIu64 " %10" PRIu64 " %8.0f %8.0f  %s, %.0f MiB of text\n", name,
           cost.operations, cost.steps, 1e3 * cost.read_s, 1e3 * cost.check_s,
           sim_verdict_name(cost.verdict), (double)g.size / (1 << 20));
    free(g.items);
    free(g.text);
}

int main(int argc, char **argv)
{
    const uint32_t operations = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 1000000;
    printf("%-28s %8s %10s %8s %8s %8s %11s %9s\n", "cpu ms, median (best)", "ops", "steps", "read",
           "check", "best", "Porcupine", "x as long");
    static const struct {
        const char *name, *table_folder, *table, *folder, *prefix;
    } sets[] = {
        {"etcd, 102 files", ".", "verdicts_jepsen_etcd_kv.csv", "jepsen_etcd", "etcd"},
        {"kv, 6 files, by key", ".", "verdicts_jepsen_etcd_kv.csv", "kv", "c"},
        {"reg_golden", "reg_golden", "verdicts_porcupine.csv", "reg_golden", ""},
    };
    for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++) {
        if (load(sets[i].table_folder, sets[i].table, sets[i].folder, sets[i].prefix)) {
            measure_files(sets[i].name, files, file_count, false);
            unload();
        }
    }
    if (load("scaling", "porcupine.csv", "scaling", "")) {
        for (size_t i = 0; i < file_count; i++) {
            measure_files(files[i].name, &files[i], 1, false);
        }
        unload();
    }
    printf("\nstrict-serializable, beside Elle\n");
    measure_elle();
    if (operations > 0) {
        printf("\n%" PRIu32 " operations of %d clients, EDN\n", operations, CLIENTS);
        measure_large("register, unique writes", SIM_OBJECT_REGISTER, 0, operations);
        measure_large("register, 5 values", SIM_OBJECT_REGISTER, 5, operations);
        measure_large("queue", SIM_OBJECT_QUEUE, 0, operations);
        measure_large("counter", SIM_OBJECT_COUNTER, 4, operations);
        measure_large("set", SIM_OBJECT_SET, 0, operations);
        measure_large("list", SIM_OBJECT_LIST, 0, operations);
        measure_large("stack", SIM_OBJECT_STACK, 0, operations);
        struct rusage usage;
        (void)getrusage(RUSAGE_SELF, &usage);
        printf("at most %ld MiB in all, texts included\n", usage.ru_maxrss >> 10);
    }
    return 0;
}
