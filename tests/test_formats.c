/* Histories of single objects as other tools write them: of every kind of object one that must be
 * accepted and one that must be rejected, in every format that has it; and what no reader may
 * take. */
#include "history_texts.h"
#include "reports/formats/jepsen_object.h"
#include "reports/formats/jepsen_txn.h"
#include "sim/consistency/linearizable.h"

enum { MEMORY = 64 << 20 };
static const struct sim_budget budget = {.steps = 1000000, .memory_bytes = MEMORY};

static struct sim_history history;
static struct history_problem problem;

static enum sim_status read_bytes(const char *bytes, size_t size_bytes, uint32_t object)
{
    cr_assert_eq(sim_history_init(&history, MEMORY), SIM_OK);
    problem = (struct history_problem){0};
    switch (history_recognise(bytes, size_bytes)) {
    case HISTORY_ETCD_LOG:
        return etcd_log_read(bytes, size_bytes, &history, &problem);
    case HISTORY_KV:
        return porcupine_kv_read(bytes, size_bytes, &history, &problem);
    case HISTORY_EDN:
        return jepsen_object_read(bytes, size_bytes, object, NULL, &history, &problem);
    default:
        return SIM_EINVAL;
    }
}

static void judges(const char *text, uint32_t object, uint32_t as, uint32_t verdict)
{
    const enum sim_status status = read_bytes(text, strlen(text), as);
    cr_assert_eq(status, SIM_OK, "line %" PRIu32 ": %s\n%s", problem.line, problem.reason, text);
    cr_expect_eq(history.object, object, "a %s, not a %s:\n%s", sim_object_names[history.object],
                 sim_object_names[object], text);
    struct sim_consistency_result result;
    sim_check_linearizable(&history, &budget, &result);
    cr_expect_eq(result.verdict, verdict, "%s (%s):\n%s", sim_verdict_name(result.verdict),
                 result.detail, text);
    sim_consistency_result_release(&result);
    sim_history_release(&history);
}

static void accepts(uint32_t object, const char *text)
{
    judges(text, object, SIM_OBJECT_COUNT, SIM_HOLDS);
    judges(text, object, object, SIM_HOLDS);
}

static void rejects(uint32_t object, const char *text)
{
    judges(text, object, SIM_OBJECT_COUNT, SIM_VIOLATED);
    judges(text, object, object, SIM_VIOLATED);
}

/* A whole operation, or one half of it. */
#define HALF(type, process, f, value)                                                              \
    "{:type :" #type ", :process " #process ", :f :" #f ", :value " value "}\n"
#define DO(process, f, asked, told) HALF(invoke, process, f, asked) HALF(ok, process, f, told)

/* ---- EDN: every kind of object --------------------------------------------------------------- */

Test(formats, registers_in_edn)
{
    accepts(SIM_OBJECT_REGISTER, DO(0, write, "1", "1") DO(1, read, "nil", "1"));
    rejects(SIM_OBJECT_REGISTER, DO(0, write, "1", "1") DO(1, read, "nil", "2"));
    rejects(SIM_OBJECT_REGISTER,
            DO(0, write, "1", "1") DO(0, write, "2", "2") DO(1, read, "nil", "1"));
    accepts(SIM_OBJECT_REGISTER,
            DO(0, write, "1", "1") DO(0, cas, "[1 2]", "[1 2]") DO(1, read, "nil", "2"));
    rejects(SIM_OBJECT_REGISTER, DO(0, write, "1", "1") DO(0, cas, "[3 2]", "[3 2]"));
    rejects(SIM_OBJECT_REGISTER,
            DO(0, write, "1", "1") DO(0, cas, "[1 2]", "[1 2]") DO(1, read, "nil", "1"));
    /* The first read comes before any write: what the object is, is seen later. */
    accepts(SIM_OBJECT_REGISTER, DO(1, read, "nil", "nil") DO(0, write, "1", "1"));
}

/* Names and texts are values too, and each is only equal to itself. */
Test(formats, registers_of_any_values)
{
    accepts(SIM_OBJECT_REGISTER, DO(0, write, ":x", ":x") DO(1, read, "nil", ":x"));
    rejects(SIM_OBJECT_REGISTER, DO(0, write, ":x", ":x") DO(1, read, "nil", "\"x\""));
    rejects(SIM_OBJECT_REGISTER, DO(0, write, "x", "x") DO(1, read, "nil", ":x"));
    accepts(SIM_OBJECT_REGISTER,
            DO(0, write, "\"a\\nb\"", "\"a\\nb\"") DO(1, read, "nil", "\"a\nb\""));
    accepts(SIM_OBJECT_REGISTER, DO(0, write, "1.5", "1.5") DO(1, read, "nil", "1.5"));
    accepts(SIM_OBJECT_REGISTER, DO(0, write, "true", "true") DO(1, read, "nil", "true"));
    rejects(SIM_OBJECT_REGISTER, DO(0, write, "true", "true") DO(1, read, "nil", "false"));
    accepts(SIM_OBJECT_REGISTER,
            DO(0, write, "-9223372036854775808", "nil") DO(1, read, "nil", "-9223372036854775808"));
}

/* Each key is a register of its own. */
Test(formats, independent_registers_in_edn)
{
    accepts(SIM_OBJECT_REGISTER,
            DO(0, write, "[:x 1]", "[:x 1]") DO(0, write, "[:y 2]", "[:y 2]")
                DO(1, read, "[:x nil]", "[:x 1]") DO(1, cas, "[:y [2 3]]", "[:y [2 3]]"));
    rejects(SIM_OBJECT_REGISTER, DO(0, write, "[:x 1]", "[:x 1]") DO(0, write, "[:y 2]", "[:y 2]")
                                     DO(1, read, "[:x nil]", "[:x 2]"));
    rejects(SIM_OBJECT_REGISTER,
            DO(0, write, "[:x 1]", "[:x 1]") DO(1, cas, "[:y [1 3]]", "[:y [1 3]]"));
    accepts(SIM_OBJECT_REGISTER, DO(1, read, "[7 nil]", "[7 nil]") DO(0, write, "[7 1]", "nil"));
}

Test(formats, kv_in_edn)
{
    accepts(SIM_OBJECT_KV, DO(0, put, "[\"k\" \"a\"]", "nil") DO(0, append, "[\"k\" \"b\"]", "nil")
                               DO(1, get, "[\"k\" nil]", "[\"k\" \"ab\"]"));
    rejects(SIM_OBJECT_KV, DO(0, put, "[\"k\" \"a\"]", "nil") DO(0, append, "[\"k\" \"b\"]", "nil")
                               DO(1, get, "[\"k\" nil]", "[\"k\" \"ba\"]"));
    /* Porcupine's members, not in Porcupine's order. */
    accepts(SIM_OBJECT_KV, "{:f :put, :key \"k\", :value \"a\", :process 0, :type :invoke}\n"
                           "{:f :put, :key \"k\", :value \"a\", :process 0, :type :ok}\n"
                           "{:f :get, :key \"k\", :value nil, :process 0, :type :invoke}\n"
                           "{:f :get, :key \"k\", :value \"a\", :process 0, :type :ok}\n");
    rejects(SIM_OBJECT_KV, "{:f :put, :key \"k\", :value \"a\", :process 0, :type :invoke}\n"
                           "{:f :put, :key \"k\", :value \"a\", :process 0, :type :ok}\n"
                           "{:f :get, :key \"l\", :value nil, :process 0, :type :invoke}\n"
                           "{:f :get, :key \"l\", :value \"a\", :process 0, :type :ok}\n");
}

Test(formats, lists_in_edn)
{
    accepts(SIM_OBJECT_LIST,
            DO(0, append, "1", "1") DO(0, append, "2", "2") DO(1, read, "nil", "[1 2]"));
    rejects(SIM_OBJECT_LIST,
            DO(0, append, "1", "1") DO(0, append, "2", "2") DO(1, read, "nil", "[2 1]"));
    rejects(SIM_OBJECT_LIST,
            DO(0, append, "1", "1") DO(0, append, "2", "2") DO(1, read, "nil", "[2]"));
}

Test(formats, sets_in_edn)
{
    accepts(SIM_OBJECT_SET, DO(0, add, "1", "1") DO(0, add, "2", "2") DO(1, read, "nil", "[2 1]"));
    accepts(SIM_OBJECT_SET, DO(0, add, "1", "1") DO(0, add, "2", "2") DO(1, read, "nil", "#{1 2}"));
    rejects(SIM_OBJECT_SET, DO(0, add, "1", "1") DO(0, add, "2", "2") DO(1, read, "nil", "(2)"));
    rejects(SIM_OBJECT_SET, DO(0, add, "1", "1") DO(1, read, "nil", "[1 3]"));
    accepts(SIM_OBJECT_SET, DO(0, add, "1", "1") DO(0, remove, "1", "1") DO(1, read, "nil", "[]"));
    rejects(SIM_OBJECT_SET, DO(0, add, "1", "1") DO(0, remove, "1", "1") DO(1, read, "nil", "[1]"));
    /* Whether [5 1] is an element or a key with one is seen from the read. */
    accepts(SIM_OBJECT_SET, DO(0, add, "[5 1]", "[5 1]") DO(0, add, "[6 2]", "[6 2]")
                                DO(1, read, "[5 nil]", "[5 #{1}]"));
    rejects(SIM_OBJECT_SET, DO(0, add, "[5 1]", "[5 1]") DO(0, add, "[6 2]", "[6 2]")
                                DO(1, read, "[6 nil]", "[6 #{1}]"));
}

Test(formats, counters_in_edn)
{
    accepts(SIM_OBJECT_COUNTER,
            DO(0, add, "5", "5") DO(0, add, "-2", "-2") DO(1, read, "nil", "3"));
    rejects(SIM_OBJECT_COUNTER,
            DO(0, add, "5", "5") DO(0, add, "-2", "-2") DO(1, read, "nil", "5"));
    accepts(SIM_OBJECT_COUNTER, DO(1, read, "nil", "0") HALF(invoke, 0, add, "4")
                                    DO(1, read, "nil", "0") DO(1, read, "nil", "4"));
    rejects(SIM_OBJECT_COUNTER, DO(1, read, "nil", "0") HALF(invoke, 0, add, "4")
                                    DO(1, read, "nil", "4") DO(1, read, "nil", "0"));
}

Test(formats, queues_in_edn)
{
    accepts(SIM_OBJECT_QUEUE, DO(0, enqueue, "1", "1") DO(0, enqueue, "2", "2")
                                  DO(1, dequeue, "nil", "1") DO(1, dequeue, "nil", "2"));
    rejects(SIM_OBJECT_QUEUE, DO(0, enqueue, "1", "1") DO(0, enqueue, "2", "2")
                                  DO(1, dequeue, "nil", "2") DO(1, dequeue, "nil", "1"));
    /* Nil is empty. */
    accepts(SIM_OBJECT_QUEUE, DO(1, dequeue, "nil", "nil") DO(0, enqueue, "1", "1"));
    rejects(SIM_OBJECT_QUEUE, DO(0, enqueue, "1", "1") DO(1, dequeue, "nil", "nil"));
    /* One that failed took nothing out, one in doubt may have. */
    rejects(SIM_OBJECT_QUEUE, DO(0, enqueue, "1", "1") HALF(invoke, 1, dequeue, "nil")
                                  HALF(fail, 1, dequeue, "nil") DO(2, dequeue, "nil", "nil"));
    accepts(SIM_OBJECT_QUEUE, DO(0, enqueue, "1", "1") HALF(invoke, 1, dequeue, "nil")
                                  HALF(info, 1, dequeue, ":timeout") DO(2, dequeue, "nil", "nil"));
    accepts(SIM_OBJECT_QUEUE, DO(0, enqueue, "[:a 1]", "[:a 1]") DO(0, enqueue, "[:b 2]", "[:b 2]")
                                  DO(1, dequeue, "[:b nil]", "[:b 2]"));
}

Test(formats, stacks_in_edn)
{
    accepts(SIM_OBJECT_STACK, DO(0, push, "1", "1") DO(0, push, "2", "2") DO(1, pop, "nil", "2")
                                  DO(1, pop, "nil", "1") DO(1, pop, "nil", "nil"));
    rejects(SIM_OBJECT_STACK, DO(0, push, "1", "1") DO(0, push, "2", "2") DO(1, pop, "nil", "1"));
}

Test(formats, locks_in_edn)
{
    accepts(SIM_OBJECT_LOCK,
            DO(0, acquire, "nil", "nil") DO(0, release, "nil", "nil") DO(1, acquire, "nil", "nil"));
    rejects(SIM_OBJECT_LOCK, DO(0, acquire, "nil", "nil") DO(1, acquire, "nil", "nil"));
    rejects(SIM_OBJECT_LOCK, DO(0, release, "nil", "nil"));
    accepts(SIM_OBJECT_LOCK, DO(0, acquire, "[1 nil]", "[1 {:fence 7}]")
                                 DO(1, acquire, "[2 nil]", "[2 {:fence 8}]"));
    rejects(SIM_OBJECT_LOCK, DO(0, acquire, "[1 nil]", "[1 {:fence 7}]")
                                 DO(1, acquire, "[1 nil]", "[1 {:fence 8}]"));
}

/* ---- EDN: outcomes, processes, frames -------------------------------------------------------- */

/* What failed did not take place; what is in doubt or open may any time later, or never. */
Test(formats, takes_outcomes_as_knossos_does)
{
    rejects(SIM_OBJECT_REGISTER,
            HALF(invoke, 0, write, "1") HALF(fail, 0, write, "1") DO(1, read, "nil", "1"));
    accepts(SIM_OBJECT_REGISTER,
            HALF(invoke, 0, write, "1") HALF(info, 0, write, ":timeout") DO(2, write, "2", "2")
                DO(1, read, "nil", "2") DO(1, read, "nil", "1"));
    accepts(SIM_OBJECT_REGISTER, HALF(invoke, 0, write, "1") DO(2, write, "2", "2")
                                     DO(1, read, "nil", "2") DO(1, read, "nil", "2"));
    rejects(SIM_OBJECT_REGISTER, HALF(invoke, 0, write, "1") DO(2, write, "2", "2")
                                     DO(1, read, "nil", "1") DO(1, read, "nil", "2"));
    /* A compare that failed may have failed for any reason. */
    accepts(SIM_OBJECT_REGISTER, DO(0, write, "1", "1") HALF(invoke, 0, cas, "[1 2]")
                                     HALF(fail, 0, cas, "[1 2]") DO(1, read, "nil", "1"));
    /* A read of nil tells nothing, at any time. */
    accepts(SIM_OBJECT_REGISTER, DO(0, write, "1", "1") DO(1, read, "nil", "nil"));
    accepts(SIM_OBJECT_REGISTER,
            DO(0, write, "[:k 1]", "[:k 1]") DO(1, read, "[:k nil]", "[:k nil]"));
}

/* Registers may hold something at first, which is then no longer nil. */
Test(formats, takes_an_initial_value)
{
    static const struct {
        const char *initial, *text;
        uint32_t verdict;
    } rows[] = {
        {"0", DO(0, read, "nil", "0") DO(0, cas, "[0 1]", "[0 1]"), SIM_HOLDS},
        {"0", DO(0, read, "nil", "1") DO(0, cas, "[0 1]", "[0 1]"), SIM_VIOLATED},
        {"0", DO(0, cas, "[nil 1]", "[nil 1]"), SIM_VIOLATED},
        {"0", DO(0, write, "1", "1") DO(0, read, "nil", "0"), SIM_VIOLATED},
        {"0", DO(0, write, "1", "1") DO(0, write, "0", "0") DO(0, read, "nil", "0"), SIM_HOLDS},
        {"\"a\"", DO(0, read, "nil", "\"a\"") DO(0, write, "\"b\"", "nil"), SIM_HOLDS},
        {":a", DO(0, read, "[7 nil]", "[7 :a]") DO(0, read, "[8 nil]", "[8 :a]"), SIM_HOLDS},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct sim_consistency_result result;
        cr_assert_eq(sim_history_init(&history, MEMORY), SIM_OK);
        cr_assert_eq(jepsen_object_read(rows[i].text, strlen(rows[i].text), SIM_OBJECT_COUNT,
                                        rows[i].initial, &history, &problem),
                     SIM_OK, "%s", problem.reason);
        sim_check_linearizable(&history, &budget, &result);
        cr_expect_eq(result.verdict, rows[i].verdict, "%s: %s\n%s", result.detail, rows[i].initial,
                     rows[i].text);
        sim_consistency_result_release(&result);
        sim_history_release(&history);
    }
    for (const char *const *bad = (const char *const[]){"", "[0]", "nil", "\"", NULL}; *bad;
         bad++) {
        cr_assert_eq(sim_history_init(&history, MEMORY), SIM_OK);
        cr_expect_eq(jepsen_object_read("", 0, SIM_OBJECT_REGISTER, *bad, &history, &problem),
                     SIM_EINVAL, "%s", *bad);
        cr_expect(strstr(problem.reason, "an initial value is"), "%s", problem.reason);
        sim_history_release(&history);
    }
}

/* Many values, so that the table of them grows with the initial one in it. */
Test(formats, finds_its_initial_value_among_many)
{
    char text[100 * 200] = DO(0, read, "nil", "500");
    for (size_t i = 0, size = strlen(text); i < 100; i++) {
        size += (size_t)snprintf(text + size, sizeof text - size,
                                 HALF(invoke, 0, write, "%zu") HALF(ok, 0, write, "nil"), i);
    }
    (void)strcat(text, DO(0, write, "500", "nil") DO(0, read, "nil", "500"));
    struct sim_consistency_result result;
    cr_assert_eq(sim_history_init(&history, MEMORY), SIM_OK);
    cr_assert_eq(
        jepsen_object_read(text, strlen(text), SIM_OBJECT_COUNT, "500", &history, &problem), SIM_OK,
        "%s", problem.reason);
    sim_check_linearizable(&history, &budget, &result);
    cr_expect_eq(result.verdict, SIM_HOLDS, "%s", result.detail);
    sim_consistency_result_release(&result);
    sim_history_release(&history);
}

/* Whoever is no number is not a client, and whatever else a map holds is not looked at. */
Test(formats, passes_over_what_is_no_clients)
{
    const char *text =
        "[ ; a vector of maps, over lines\n"
        " {:type :info, :process :nemesis, :f :start, :value nil}\n"
        " #jepsen.history.Op{:index 0, :time 12, :type :invoke, :process 0, :f :write,\n"
        "  :value 1, :error [:a {:b \"}\"}]}\n"
        " {:type :info, :process :nemesis, :f :read, :value 9}\n"
        " {:process 0, :value 1, :f :write, :type :ok}]\n";
    accepts(SIM_OBJECT_REGISTER, text);
    cr_assert_eq(read_bytes(text, strlen(text), SIM_OBJECT_COUNT), SIM_OK);
    cr_expect_eq(history.count, 1);
    cr_expect_eq(history.operations[0].invoke_line, 3);
    cr_expect_eq(history.operations[0].return_line, 6);
    sim_history_release(&history);
    accepts(SIM_OBJECT_REGISTER, "({:type :info, :process :nemesis, :f :start, :value nil})");
    accepts(SIM_OBJECT_REGISTER, "[]");
}

/* ---- The other formats ----------------------------------------------------------------------- */

#define ETCD(rest) "INFO  jepsen.util - " rest "\n"

Test(formats, registers_in_etcd_logs)
{
    accepts(SIM_OBJECT_REGISTER,
            ETCD("0\t:invoke\t:write\t1") ETCD("0\t:ok\t:write\t1") ETCD("1\t:invoke\t:read\tnil")
                ETCD("1\t:ok\t:read\t1") ETCD(":nemesis\t:info\t:start\tnil"));
    rejects(SIM_OBJECT_REGISTER, ETCD("0\t:invoke\t:write\t1") ETCD("0\t:ok\t:write\t1")
                                     ETCD("1\t:invoke\t:read\tnil") ETCD("1\t:ok\t:read\tnil"));
    /* Here a compare that failed is an observation: it held something else. */
    accepts(SIM_OBJECT_REGISTER, ETCD("0 :invoke :write 1") ETCD("0 :ok :write 1")
                                     ETCD("0 :invoke :cas [2 3]") ETCD("0 :fail :cas [2 3]"));
    rejects(SIM_OBJECT_REGISTER, ETCD("0 :invoke :write 1") ETCD("0 :ok :write 1")
                                     ETCD("0 :invoke :cas [1 3]") ETCD("0 :fail :cas [1 3]"));
    accepts(SIM_OBJECT_REGISTER,
            ETCD("0 :invoke :write 1") ETCD("0 :info :write :timed-out") ETCD("1 :invoke :read nil")
                ETCD("1 :fail :read :timed-out") ETCD("2 :invoke :read nil") ETCD("2 :ok :read 1"));
}

#define KV(process, type, f, value)                                                                \
    "{:process " #process ", :type :" #type ", :f :" #f ", :key \"k\", :value " value "}\n"

Test(formats, kv_as_porcupine_writes_it)
{
    accepts(SIM_OBJECT_KV,
            KV(0, invoke, append, "\"a\"") KV(1, invoke, get, "nil") KV(1, ok, get, "\"\"")
                KV(0, ok, append, "\"a\"") KV(1, invoke, get, "nil") KV(1, ok, get, "\"a\""));
    rejects(SIM_OBJECT_KV, KV(0, invoke, append, "\"a\"") KV(0, ok, append, "\"a\"")
                               KV(1, invoke, get, "nil") KV(1, ok, get, "\"\""));
}

/* ---- What no reader may take ----------------------------------------------------------------- */

static void refuses_bytes(const char *bytes, size_t size_bytes, uint32_t as, uint32_t line,
                          const char *reason)
{
    const enum sim_status status = read_bytes(bytes, size_bytes, as);
    expect_refused(status, &problem, bytes, size_bytes, line, reason);
    sim_history_release(&history);
}

static void refuses(const char *text, uint32_t line, const char *reason)
{
    refuses_bytes(text, strlen(text), SIM_OBJECT_COUNT, line, reason);
}

Test(formats, halves_must_pair)
{
    refuses(HALF(ok, 0, write, "1"), 1, "process 0 ends a write that it did not begin");
    refuses(HALF(fail, 0, read, "nil"), 1, "the :invoke is missing");
    refuses(HALF(info, 3, cas, "[1 2]"), 1, "process 3 ends a cas");
    refuses(DO(0, write, "1", "1") HALF(ok, 0, write, "1"), 3, "did not begin");
    refuses(HALF(invoke, 0, write, "1") HALF(invoke, 0, read, "nil"), 2,
            "its write of line 1 is still open");
    refuses(HALF(invoke, 0, write, "1") HALF(ok, 0, read, "1"), 2,
            "process 0 ends a read, but what it began in line 1 is a write");
    refuses(HALF(invoke, 0, write, "1") HALF(info, 0, write, "1") HALF(ok, 0, write, "1"), 3,
            "did not begin");
    refuses(HALF(invoke, 0, write, "1") HALF(ok, 0, write, "2"), 2,
            "another key or value than it began with in line 1");
    refuses(DO(0, write, "1", "1") HALF(invoke, 0, cas, "[1 2]") HALF(ok, 0, cas, "[2 1]"), 4,
            "another key or value");
    refuses(DO(0, read, "[1 nil]", "[2 nil]"), 2, "another key or value");

    refuses(ETCD("0 :ok :write 1"), 1, "did not begin");
    refuses(ETCD("0 :invoke :write 1") ETCD("0 :invoke :write 1"), 2, "still open");
    refuses(ETCD("0 :invoke :write 1") ETCD("0 :ok :read 1"), 2, "is a write");
    refuses(ETCD("0 :invoke :write 1") ETCD("0 :ok :write 2"), 2, "another argument");
    refuses(KV(0, ok, get, "\"a\""), 1, "did not begin");
    refuses(KV(0, invoke, get, "nil") KV(0, invoke, get, "nil"), 2, "still open");
    refuses(KV(0, invoke, put, "\"a\"") KV(0, ok, put, "\"b\""), 2, "another key or value");
}

Test(formats, operations_must_be_the_objects)
{
    refuses(HALF(invoke, 0, frobnicate, "1"), 1, "expected an operation of an object");
    refuses(DO(0, enqueue, "1", "1") HALF(invoke, 0, drain, "nil"), 3,
            "not a keyword \"drain\" (column 33)");
    refuses(DO(0, write, "1", "1") HALF(invoke, 0, enqueue, "1"), 1,
            ":write is not an operation of a queue");
    refuses(DO(0, write, "1", "1") HALF(invoke, 0, txn, "[]"), 3, "not a keyword \"txn\"");
    refuses("{:type :invoke, :process 0, :value 1}", 1, "this map has no :f");
    refuses(DO(0, read, "nil", "0"), 1, "--type says which");
    refuses(ETCD("0 :invoke :frobnicate 1"), 1, "");
    refuses("{:process 0, :type :invoke, :f :get, :key \"k\", :value nil}\n"
            "{:process 0, :type :invoke, :f :drop, :key \"k\", :value nil}\n",
            2, "unknown operation");
    const char *text = DO(0, add, "1", "1");
    refuses_bytes(text, strlen(text), SIM_OBJECT_LOCK, 1, ":add is not an operation of a lock");
}

Test(formats, frames_must_be_whole)
{
    refuses("{:process 0, :f :read, :value nil}", 1, "this map has no :type");
    refuses("\n{:type :ok, :f :read, :value nil}", 2, "this map has no :process");
    refuses(HALF(started, 0, read, "nil"), 1, "expected :invoke, :ok, :fail or :info");
    refuses(HALF(invoke, -1, read, "nil"), 1, "the number of a client's process");
    refuses(HALF(invoke, 99999999999999999999, read, "nil"), 1, "the number of a client's process");
    refuses("{:type :invoke, :type :ok, :process 0, :f :read}", 1, "not yet in this map");
    refuses("{:type :invoke, :process 0, :f :read} 7", 1, "an operation, which is a map");
    refuses("[{:type :invoke, :process 0, :f :read}] {}", 1, "expected the end");
    refuses("[[{:type :invoke, :process 0, :f :read}]]", 1, "an operation, which is a map");
    refuses("[{:type :invoke, :process 0, :f :read}", 1, "the text ends inside a collection");
}

Test(formats, values_must_be_the_objects)
{
    refuses(HALF(invoke, 0, read, "[1 2 3]"), 1, "expected nil, not a vector");
    refuses(DO(0, read, "nil", "nil") HALF(invoke, 0, write, "[1 2 3]"), 3, "expected a value");
    refuses(HALF(invoke, 0, cas, "7"), 1, "expected [expected new]");
    refuses(HALF(invoke, 0, cas, "[1]"), 1, "expected a value");
    refuses(HALF(invoke, 0, cas, "[1 2 3]"), 1, "closing bracket of [expected new]");
    refuses(DO(0, enqueue, "1", "1") HALF(invoke, 0, enqueue, "nil"), 3, "expected a value");
    refuses(DO(0, add, "1", "1") DO(0, read, "nil", "1") HALF(invoke, 1, add, ":x"), 5,
            "expected an amount");
    refuses(DO(0, add, "1", "1") DO(0, read, "nil", "1") HALF(invoke, 1, add, "4294967297"), 5,
            "expected an amount");
    refuses(DO(0, add, "1", "1") DO(0, read, "nil", "1") DO(1, read, "nil", "1.5"), 6,
            "expected an integer of 64 bits");
    refuses(DO(0, add, "1", "1") DO(0, read, "nil", "[1]") DO(1, read, "nil", "1"), 6,
            "expected all that it holds");
    refuses(DO(0, add, "1", "1") DO(0, read, "nil", "[1]") DO(1, read, "nil", "[[1]]"), 6,
            "expected a value");
    refuses(DO(0, put, "[:k \"1\"]", "nil") HALF(invoke, 1, put, "[:k 1]"), 3, "expected a string");
    /* All have keys, or none has. */
    refuses(DO(0, read, "[1 nil]", "[1 nil]") HALF(invoke, 0, write, "3"), 3,
            "expected [key value]");
    refuses(DO(0, read, "nil", "nil") HALF(invoke, 0, write, "[1 3]"), 3, "expected a value");
    refuses(DO(0, read, "[1 nil]", "[1 nil]") HALF(invoke, 0, write, "[nil 3]"), 3,
            "expected a key");
    refuses(DO(0, read, "[1 nil]", "[1 nil]") HALF(invoke, 0, write, "[1 3 4]"), 3,
            "closing bracket of [key value]");

    refuses(ETCD("0 :invoke :write 9223372036854775808"), 1, "");
    refuses(ETCD("0 :invoke :write x"), 1, "");
    refuses(ETCD("0 :invoke :cas 1"), 1, "[FROM TO]");
    refuses(ETCD("99999999999999999999 :invoke :read nil"), 1, "number of a process");
    refuses(KV(0, invoke, put, "1"), 1, ":value");
    refuses(KV(0, invoke, put, "nil"), 1, "string");
}

/* Cut anywhere, a history is either taken as far as it goes or refused with a place: no crash, and
 * no verdict on what is not there. */
Test(formats, truncated_files_are_refused_or_read_to_their_end)
{
    static const char *const whole[] = {
        DO(0, write, "\"a\"", "\"a\"") DO(1, read, "nil", "\"a\"") DO(1, cas, "[1 2]", "[1 2]"),
        "[" DO(0, add, "[:k 1]", "[:k 1]") DO(1, read, "[:k nil]", "[:k #{1}]") "]",
        ETCD("0 :invoke :cas [1 2]") ETCD("0 :fail :cas [1 2]") ETCD("0 :invoke :read nil"),
        KV(0, invoke, append, "\"a\"") KV(1, invoke, get, "nil") KV(0, ok, append, "\"a\""),
    };
    uint32_t refused = 0;
    for (size_t w = 0; w < sizeof whole / sizeof whole[0]; w++) {
        for (size_t size = 0; size < strlen(whole[w]); size++) {
            const bool recognised = history_recognise(whole[w], size) > HISTORY_EMPTY;
            const enum sim_status status = read_bytes(whole[w], size, SIM_OBJECT_COUNT);
            cr_expect(status == SIM_OK || !recognised || (problem.line > 0 && problem.reason[0]),
                      "%.*s", (int)size, whole[w]);
            refused += status != SIM_OK;
            sim_history_release(&history);
        }
    }
    cr_expect_gt(refused, 600);
}

/* Bytes of no format, and of any format wherever they stand. */
Test(formats, junk_is_refused)
{
    char bytes[512];
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (char)(i * 7 + (i >> 3));
    }
    cr_expect_eq(history_recognise(bytes, sizeof bytes), HISTORY_UNKNOWN);
    cr_expect_eq(history_recognise("\0\0\0", 3), HISTORY_UNKNOWN);
    cr_expect_eq(history_recognise("SQLite format 3\0", 16), HISTORY_UNKNOWN);
    memcpy(bytes, "{:type ", 7);
    refuses_bytes(bytes, sizeof bytes, SIM_OBJECT_COUNT, 1, "column");
    memcpy(bytes, "INFO  ", 6);
    refuses_bytes(bytes, sizeof bytes, SIM_OBJECT_COUNT, 1, "expected \"INFO  jepsen.util");
    const char zero[] = HALF(invoke, 0, write, "1") "\0" HALF(ok, 0, write, "1");
    refuses_bytes(zero, sizeof zero - 1, SIM_OBJECT_COUNT, 2, "EDN has no use for here");
}

Test(formats, deep_nesting_is_refused)
{
    enum { DEPTH = 1000000 };
    char *bytes = malloc(DEPTH);
    cr_assert(bytes);
    for (const char *open = "[({"; *open; open++) {
        memset(bytes, *open, DEPTH);
        refuses_bytes(bytes, DEPTH, SIM_OBJECT_COUNT, 1, "");
    }
    static const char head[] = "{:type :invoke, :process 0, :f :write, :value ";
    memset(bytes, '[', DEPTH);
    memcpy(bytes, head, sizeof head - 1);
    refuses_bytes(bytes, DEPTH, SIM_OBJECT_COUNT, 1, "more than 64 collections inside each other");
    free(bytes);
}

/* ---- Large histories ------------------------------------------------------------------------- */

/* So many processes add an amount to a counter, all at the same time, and after them a read sees
 * one more than all of it. Every set of adds gives another sum: they have to be tried. */
static char *wrong_sum(uint32_t adds, size_t *size_bytes)
{
    const size_t room = (2 * (size_t)adds + 2) * 80;
    char *text = malloc(room);
    size_t size = 0;
    cr_assert(text);
    for (uint32_t i = 0; i < 2 * adds; i++) {
        size += (size_t)snprintf(text + size, room - size,
                                 "{:type :%s, :process %" PRIu32 ", :f :add, :value %u}\n",
                                 i < adds ? "invoke" : "ok", i % adds, 1U << (i % adds % 32));
    }
    size += (size_t)snprintf(text + size, room - size, HALF(invoke, 0, read, "nil"));
    size += (size_t)snprintf(text + size, room - size,
                             "{:type :ok, :process 0, :f :read, :value %" PRIu64 "}",
                             UINT64_C(1) << adds % 32);
    *size_bytes = size;
    return text;
}

/* What the memory does not hold is said with the line that it got to. */
Test(formats, a_history_beyond_the_memory_is_refused)
{
    size_t size;
    char *text = wrong_sum(4000, &size);
    cr_assert_eq(sim_history_init(&history, 100000), SIM_OK);
    cr_expect_eq(jepsen_object_read(text, size, SIM_OBJECT_COUNT, NULL, &history, &problem),
                 SIM_ENOMEM);
    cr_expect_gt(problem.line, 100);
    cr_expect(strstr(problem.reason, "fills the memory"), "%s", problem.reason);
    cr_expect_leq(history.scratch.used_bytes, 100000);
    sim_history_release(&history);
    free(text);
}

/* What cannot be decided is unknown, and says how far it got; within steps, and within memory. */
Test(formats, a_hard_history_is_unknown_within_its_budget)
{
    size_t size;
    char *text = wrong_sum(12, &size);
    cr_assert_eq(read_bytes(text, size, SIM_OBJECT_COUNT), SIM_OK, "%s", problem.reason);
    struct sim_consistency_result result;
    const struct sim_budget few = {.steps = 1000, .memory_bytes = MEMORY};
    sim_check_linearizable(&history, &few, &result);
    cr_expect_eq(result.verdict, SIM_UNKNOWN);
    cr_expect(strstr(result.detail, "undecided after"), "%s", result.detail);
    cr_expect(strstr(result.detail, "operations of the object can be explained"), "%s",
              result.detail);
    cr_expect_leq(result.steps, few.steps + 100);
    sim_consistency_result_release(&result);

    const struct sim_budget small = {.steps = 100000000, .memory_bytes = 100000};
    sim_check_linearizable(&history, &small, &result);
    cr_expect_eq(result.verdict, SIM_UNKNOWN);
    cr_expect(strstr(result.detail, "out of memory"), "%s", result.detail);
    sim_consistency_result_release(&result);

    const struct sim_budget enough = {.steps = 100000000, .memory_bytes = (size_t)1 << 30};
    sim_check_linearizable(&history, &enough, &result);
    cr_expect_eq(result.verdict, SIM_VIOLATED, "%s", result.detail);
    sim_consistency_result_release(&result);
    sim_history_release(&history);
    free(text);
}

/* ---- What other checkers said ---------------------------------------------------------------- */

static void agree_on(const char *folder, const char *file, uint32_t verdict)
{
    size_t size;
    char *bytes = golden_file(folder, file, &size);
    cr_assert(bytes, "%s/%s", folder, file);
    const enum sim_status status =
        size == 0 ? sim_history_init(&history, MEMORY) : read_bytes(bytes, size, SIM_OBJECT_COUNT);
    cr_assert_eq(status, SIM_OK, "%s:%" PRIu32 ": %s", file, problem.line, problem.reason);
    struct sim_consistency_result result;
    sim_check_linearizable(&history, &budget, &result);
    cr_expect_eq(result.verdict, verdict, "%s: %s (%s)", file, sim_verdict_name(result.verdict),
                 result.detail);
    sim_consistency_result_release(&result);
    sim_history_release(&history);
    free(bytes);
}

/* Porcupine's own tests, and random registers with unique writes. What it did not decide in time
 * was made to be linearizable, or not. */
Test(formats, agree_with_porcupine)
{
    static const struct {
        const char *table_folder, *table, *folder, *other_folder;
        size_t files;
    } sets[] = {
        {".", "verdicts_jepsen_etcd_kv.csv", "jepsen_etcd", "kv", 100},
        {"reg_golden", "verdicts_porcupine.csv", "reg_golden", NULL, 100},
        {"scaling", "porcupine.csv", "scaling", NULL, 8},
    };
    for (size_t s = 0; s < sizeof sets / sizeof sets[0]; s++) {
        char *table = golden_file_or_skip(sets[s].table_folder, sets[s].table, NULL);
        size_t files = 0;
        for (char *line = strchr(table, '\n'); line && line[1]; line = strchr(line + 1, '\n')) {
            char file[64], verdict[16];
            cr_assert_eq(sscanf(line + 1, "%63[^,],%*u,%15[^,]", file, verdict), 2);
            const bool bad = strcmp(verdict, "Unknown") == 0 ? strstr(file, "_bad") != NULL
                                                             : strcmp(verdict, "Ok") != 0;
            const bool kv = strncmp(file, "etcd", 4) != 0 && sets[s].other_folder;
            agree_on(kv ? sets[s].other_folder : sets[s].folder, file,
                     bad ? SIM_VIOLATED : SIM_HOLDS);
            files++;
        }
        cr_expect_geq(files, sets[s].files, "%s", sets[s].table);
        free(table);
    }
}
