/* Histories of single objects as other tools write them: of every kind of object one that must be
 * accepted and one that must be rejected, in every format that has it; and what no reader may
 * take. */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>

#include "golden_files.h"
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
        return jepsen_object_read(bytes, size_bytes, object, &history, &problem);
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

/* ---- EDN: every kind of object -----------------------------------------------------------------
 */

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

/* ---- EDN: outcomes, processes, frames ----------------------------------------------------------
 */

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

/* ---- The other formats -------------------------------------------------------------------------
 */

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
