/* The command line as a user meets it: exit codes, messages, and what is left behind. */
#include "tests/command_line.h"

#define GOOD "scenarios/raft/leader_isolated_then_healed.json"

TestSuite(cli, .init = make_folder, .fini = remove_folder, .timeout = 120);

/* Help teaches, and the version is told. */
Test(cli, helps)
{
    EXPECT_EXIT(0, "help", "fallacy sweep");
    EXPECT_EXIT(0, "help sweep", "--junit FILE.xml");
    EXPECT_EXIT(0, "run --help", "--level");
    EXPECT_EXIT(0, "--version", "fallacy 0.");
}

/* A mistyped command, option or file is told with the nearest name, and exits with 2. */
Test(cli, suggests_what_was_meant)
{
    EXPECT_EXIT(2, "rum " GOOD, "did you mean 'run'?");
    EXPECT_EXIT(2, "run " GOOD " --sed 3", "--seed");
    EXPECT_EXIT(2, "run no/such/file.json", "no/such/file.json");
    EXPECT_EXIT(2, "run " GOOD " --seed -1", "whole number");
    EXPECT_EXIT(2, "run " GOOD " --level all", "outcome, history or trace");
    EXPECT_EXIT(2, "run", "usage: fallacy run SCENARIO");
    EXPECT_EXIT(2, "sweep " GOOD, "--seeds 1..200");
    EXPECT_EXIT(2, "sweep " GOOD " --seeds 9..1", "FIRST..LAST");
    EXPECT_EXIT(2, "list nodes rafd", "did you mean 'raft'?");
}

/* A bad scenario is told with line and path, and leaves no recording behind. */
Test(cli, a_bad_scenario_leaves_nothing_behind)
{
    shell("echo '{\"nodes\": [{\"kind\": \"raft\", \"name\": \"n\", \"cuont\": 3}],\n"
          "\"duration\": \"-1s\"}' > $D/bad.json");
    EXPECT_EXIT(2, "run $D/bad.json --out $D/bad.db", "bad.json:1:", "$.nodes[0].cuont",
                "\"count\"", "bad.json:2:");
    cr_expect_not(exists("bad.db"));
}

/* A run, its recording, its replay: identical. */
Test(cli, replays_what_it_recorded)
{
    EXPECT_EXIT(0, "run " GOOD " --out $D/run.db --level trace", "Every expectation was met");
    EXPECT_EXIT(0, "replay $D/run.db", "identical");
    EXPECT_EXIT(0, "replay $D/run.db --json", "\"identical\":\ttrue");
    EXPECT_EXIT(0, "show $D/run.db timeline", "leader");
    for (size_t i = 0; i < 5; i++) {
        const char *const topics[] = {"ops", "messages", "facts", "faults", "metrics"};
        char command[64];
        (void)snprintf(command, sizeof command, "show $D/run.db %s", topics[i]);
        EXPECT_EXIT(0, command);
    }
}

/* A tampered recording is found out: the first event that differs is named. */
Test(cli, names_the_first_differing_event_of_a_tampered_recording)
{
    EXPECT_EXIT(0, "run " GOOD " --out $D/run.db --level trace");
    shell("sqlite3 $D/run.db 'update event set a = a + 1 where sequence = 1234'");
    EXPECT_EXIT(1, "replay $D/run.db", "1234");
    EXPECT_EXIT(0, "run " GOOD " --out $D/short.db --level outcome");
    shell("sqlite3 $D/short.db \"update recording set hash = '0'\" 2>/dev/null || "
          "sqlite3 $D/short.db \"update run set hash = 0\"");
    EXPECT_EXIT(1, "replay $D/short.db");
}

/* What is not a recording is refused with a sentence, and never overwritten. */
Test(cli, refuses_what_is_not_a_recording)
{
    shell("echo precious > $D/notes.txt; head -c 5000 /dev/zero > $D/zero.db");
    EXPECT_EXIT(2, "replay $D/notes.txt");
    EXPECT_EXIT(2, "show $D/zero.db");
    EXPECT_EXIT(2, "show $D/none.db");
    EXPECT_EXIT(2, "run " GOOD " --out $D/notes.txt");
    shell("grep -q precious $D/notes.txt");
    EXPECT_EXIT(2, "run " GOOD " --out $D/no/such/folder.db");
    shell("sqlite3 $D/other.db 'create table t(x)'");
    EXPECT_EXIT(2, "replay $D/other.db");
    EXPECT_EXIT(2, "run " GOOD " --out $D/other.db");
}

/* A recording cut short in the middle of its file is told apart from a whole one. */
Test(cli, refuses_a_damaged_recording)
{
    EXPECT_EXIT(0, "run " GOOD " --out $D/run.db --level trace");
    shell("head -c 100000 $D/run.db > $D/cut.db");
    EXPECT_EXIT(2, "replay $D/cut.db");
    cr_expect_neq(strlen(output), 0);
}

/* The same seeds give the same sweep hash however many workers share them. */
Test(cli, sweeps_to_the_same_hash_with_any_number_of_jobs)
{
    char hash[3][24];
    for (int jobs = 1; jobs <= 3; jobs++) {
        char command[128];
        (void)snprintf(command, sizeof command, "sweep " GOOD " --seeds 1..24 --jobs %d", jobs);
        EXPECT_EXIT(0, command);
        const char *found = strstr(output, "hash ");
        cr_assert(found);
        (void)snprintf(hash[jobs - 1], sizeof hash[0], "%.16s", found + 5);
    }
    cr_expect_str_eq(hash[0], hash[1]);
    cr_expect_str_eq(hash[0], hash[2]);
}

/* A planted bug is found by a sweep: exit 1, a line to paste that shows it, JUnit and JSON. */
Test(cli, sweeps_find_a_planted_bug)
{
    EXPECT_EXIT(1,
                "sweep scenarios/raft/swarm_within_the_model.json --seeds 1..20 "
                "--set 'nodes[0].bugs=[\"R07_ack_before_fsync\"]' "
                "--junit $D/junit.xml --out $D/sweep.db",
                "NOT met", "fallacy run scenarios/raft/swarm_within_the_model.json --seed ");
    shell("grep -q '<failure' $D/junit.xml");
    EXPECT_EXIT(0, "show $D/sweep.db");
    EXPECT_EXIT(1,
                "sweep scenarios/raft/swarm_within_the_model.json --seeds 1..20 "
                "--set 'nodes[0].bugs=[\"R07_ack_before_fsync\"]' --json",
                "\"failures\":", "\"replay\":");
}

/* A sweep in the background, something done to it while its workers are each in the middle of
 * a long seed, and what it says; its exit code. */
static int disturbed_sweep(const char *disturbance)
{
    char command[1024];
    (void)snprintf(command, sizeof command,
                   "\"$FALLACY\" sweep scenarios/incidents/cloudflare_2020_partial_partition.json "
                   "--set duration=2000s --seeds 1..6 --jobs 2 >$D/said 2>&1 & sweep=$!; "
                   "children=/proc/$sweep/task/$sweep/children; "
                   "until [ $(wc -w <$children) = 2 ]; do sleep 0.05; done; sleep 0.3; %s; "
                   "wait $sweep",
                   disturbance);
    return shell_exit(command);
}

/* A worker killed in mid-sweep is a finding with its seed; all other seeds are still run. */
Test(cli, a_killed_worker_is_a_finding)
{
    cr_expect_eq(disturbed_sweep("kill -9 $(cut -d ' ' -f 1 $children)"), 1);
    shell("grep -q 'crash_free worker died in 1 of 6 seeds' $D/said");
    shell("grep -q '^6 seeds in' $D/said");
}

/* Ctrl-C ends a sweep early and loses nothing of what was found until then. */
Test(cli, an_interrupted_sweep_tells_what_it_found)
{
    cr_expect_eq(disturbed_sweep("kill -INT $sweep"), 130);
    shell("grep -q '^Interrupted: ' $D/said");
}

/* A full disk: told, with nothing left under the final name. */
Test(cli, a_full_disk_leaves_nothing_behind)
{
    /* A limit on file size stands for the full disk; SIGXFSZ must not kill us silently. */
    EXPECT_EXIT(0, "list checks");
    cr_expect_eq(shell_exit("(ulimit -f 100; trap '' XFSZ; \"$FALLACY\" run " GOOD
                            " --out $D/full.db --level trace) >$D/said 2>&1"),
                 2);
    cr_expect_not(exists("full.db"));
    shell("grep -q full.db $D/said");
}

/* A run that is killed leaves a readable recording that says it is unfinished. */
Test(cli, a_killed_run_leaves_a_readable_recording)
{
    shell("\"$FALLACY\" run scenarios/incidents/cloudflare_2020_partial_partition.json "
          "--level trace --set duration=20000s --out $D/killed.db >/dev/null 2>&1 & "
          "until [ -s $D/killed.db ]; do sleep 0.02; done; sleep 0.2; kill -9 $!; wait $!; true");
    EXPECT_EXIT(0, "show $D/killed.db", "nfinished");
}

/* A sweep says what it put to the test, and names what it never did. Here nobody crashes, so
 * nothing acknowledged could have been lost. */
Test(cli, sweeps_name_checks_that_were_never_tested)
{
    EXPECT_EXIT(0, "sweep " GOOD " --set duration=3s --seeds 1..4 --out $D/s.db",
                "acked_durable          never tested", "times in 4 of 4 seeds");
    EXPECT_EXIT(0, "sweep " GOOD " --set duration=3s --seeds 1..4 --json",
                "\"never_tested\":\t[\"acked_durable\"", "\"seeds_tested\":\t4");
    EXPECT_EXIT(0, "export $D/s.db --format csv --view verdicts --out -",
                "1,acked_durable,vacuous,,1,0,");
}

/* A recording that does not hold what is asked for is made again: the export is the same. What
 * cannot be exported leaves no file. */
Test(cli, exports_from_a_recording_of_any_level)
{
    EXPECT_EXIT(0, "run " GOOD " --set duration=3s --out $D/low.db --level outcome");
    EXPECT_EXIT(0, "run " GOOD " --set duration=3s --out $D/high.db --level trace");
    EXPECT_EXIT(0, "export $D/low.db --format edn --out $D/low.edn");
    EXPECT_EXIT(0, "export $D/high.db --format edn --out $D/high.edn");
    shell("test -s $D/low.edn && cmp $D/low.edn $D/high.edn");
    EXPECT_EXIT(2, "export $D/low.db --format edn --model list-append --out $D/no.edn",
                "no such client operations");
    EXPECT_EXIT(0, "export $D/low.db --format csv --view messages --out $D/m.csv");
    shell("test $(wc -l <$D/m.csv) -gt 1000");
    EXPECT_EXIT(2, "export $D/low.db --format perfekto --out $D/no.edn");
    EXPECT_EXIT(2, "export $D/low.db --format edn --out $D/nowhere/no.edn");
    cr_expect(!exists("no.edn") && !exists("no.edn.partial"));
}

/* Every list has rows, and JSON is one object. */
Test(cli, lists_the_catalogue)
{
    const char *const whats[] = {"scenarios", "nodes", "faults",    "checks",
                                 "models",    "bugs",  "nodes raft"};
    for (size_t i = 0; i < sizeof whats / sizeof *whats; i++) {
        char command[64];
        (void)snprintf(command, sizeof command, "list %s", whats[i]);
        EXPECT_EXIT(0, command);
        cr_expect_gt(strlen(output), 100, "%s", command);
        (void)snprintf(command, sizeof command, "list %s --json", whats[i]);
        EXPECT_EXIT(0, command);
        cr_expect_eq(output[0], '{', "%s", command);
    }
}

/* Histories from elsewhere: what holds, what does not, and what is no history. */
Test(cli, checks_histories)
{
    shell("printf '{:type :invoke, :process 0, :f :write, :value 1}\n"
          "{:type :ok, :process 0, :f :write, :value 1}\n"
          "{:type :invoke, :process 1, :f :read, :value nil}\n' > $D/open.edn");
    shell("(cat $D/open.edn; echo '{:type :ok, :process 1, :f :read, :value 1}') > $D/good.edn");
    shell("(cat $D/open.edn; echo '{:type :ok, :process 1, :f :read, :value 2}') > $D/bad.edn");
    shell("(cat $D/open.edn; echo '{:type :ok, :process 1, :f :read, :value') > $D/cut.edn");
    shell("head -c 3000 \"$FALLACY\" > $D/junk.bin");
    shell(": > $D/empty.log");
    EXPECT_EXIT(0, "check $D/open.edn $D/good.edn $D/empty.log",
                "linearizable                 3       3         0");
    EXPECT_EXIT(1, "check $D/bad.edn", "a value was read that nobody wrote",
                "lines 3-4          process 1: read = 2");
    EXPECT_EXIT(1, "check $D/bad.edn --initial 2");
    EXPECT_EXIT(2, "check $D/good.edn --type lock",
                "good.edn:1: :write is not an operation of a lock");
    EXPECT_EXIT(2, "check $D/cut.edn $D/good.edn", "cut.edn:5: the text ends inside a collection",
                "good.edn");
    EXPECT_EXIT(2, "check $D/junk.bin", "not a history we know");
    EXPECT_EXIT(2, "check /dev/null", "not a regular file");
    EXPECT_EXIT(2, "check $D/none.edn", "No such file");
    EXPECT_EXIT(2, "check $D/good.edn --type set --model linearizable");
    EXPECT_EXIT(2, "check $D/good.edn --memory 0", "memory");
}

/* What clients of a run saw goes out as Jepsen's history and comes back: of keys that hold 0 at
 * first. */
Test(cli, checks_what_it_exported)
{
    EXPECT_EXIT(0, "run " GOOD " --out $D/run.db");
    EXPECT_EXIT(0, "export $D/run.db --format edn --out $D/run.edn");
    EXPECT_EXIT(0, "check $D/run.edn --initial 0", "holds", "529 operations");
}

/* A stale read breaks linearizability and nothing weaker; how stale it was is told. The same of
 * what was exported. */
Test(cli, tells_which_models_a_stale_read_breaks)
{
    EXPECT_EXIT(0,
                "run scenarios/bugs/R11_stale_leader_reads.json --out $D/stale.db "
                "--set 'checks=[\"linearizable\",\"sequential\","
                "\"causal_convergence\",\"causal_memory\",\"pram\","
                "\"monotonic_reads\"]' "
                "--set 'expect={\"linearizable\":\"violated\",\"sequential\":"
                "\"holds\",\"causal_convergence\":\"holds\",\"causal_memory\":"
                "\"holds\",\"pram\":\"holds\",\"monotonic_reads\":\"holds\"}'",
                "it would hold if reads might be 195.000 ms old");
    EXPECT_EXIT(0, "export $D/stale.db --format edn --out $D/stale.edn");
    EXPECT_EXIT(1, "check $D/stale.edn --initial 0",
                "it would hold if reads might be 195.000 ms old",
                "a read is at least 1 version behind");
    EXPECT_EXIT(0, "check $D/stale.edn --initial 0 --model causal-memory");
    EXPECT_EXIT(0, "check $D/stale.edn --initial 0 --model monotonic-reads",
                "registers do not show the order of versions");
    EXPECT_EXIT(2, "check $D/stale.edn --initial 0 --model monotonic-writes",
                "the model monotonic_writes does not judge a register");
}

/* Completion scripts for three shells. */
Test(cli, completes)
{
    EXPECT_EXIT(0, "completion bash | bash -n");
    EXPECT_EXIT(0, "completion fish", "sweep");
    EXPECT_EXIT(2, "completion csh");
}
