/* The command line as a user meets it: exit codes, messages, and what is left behind. */
#include "tests/command_line.h"

#define GOOD "scenarios/raft/leader_isolated_then_healed.json"

TestSuite(cli, .init = enter, .fini = leave, .timeout = 120);

/* Help teaches, and the version is told. */
Test(cli, helps)
{
    cr_expect_eq(fallacy("help"), 0);
    EXPECT_SAYS("fallacy sweep");
    cr_expect_eq(fallacy("help sweep"), 0);
    EXPECT_SAYS("--junit FILE.xml");
    cr_expect_eq(fallacy("run --help"), 0);
    EXPECT_SAYS("--level");
    cr_expect_eq(fallacy("--version"), 0);
    EXPECT_SAYS("fallacy 0.");
}

/* A mistyped command, option or file is told with the nearest name, and exits with 2. */
Test(cli, suggests_what_was_meant)
{
    cr_expect_eq(fallacy("rum " GOOD), 2);
    EXPECT_SAYS("did you mean 'run'?");
    cr_expect_eq(fallacy("run " GOOD " --sed 3"), 2);
    EXPECT_SAYS("--seed");
    cr_expect_eq(fallacy("run no/such/file.json"), 2);
    EXPECT_SAYS("no/such/file.json");
    cr_expect_eq(fallacy("run " GOOD " --seed -1"), 2);
    EXPECT_SAYS("whole number");
    cr_expect_eq(fallacy("run " GOOD " --level all"), 2);
    EXPECT_SAYS("outcome, history or trace");
    cr_expect_eq(fallacy("run"), 2);
    EXPECT_SAYS("usage: fallacy run SCENARIO");
    cr_expect_eq(fallacy("sweep " GOOD), 2);
    EXPECT_SAYS("--seeds 1..200");
    cr_expect_eq(fallacy("sweep " GOOD " --seeds 9..1"), 2);
    EXPECT_SAYS("FIRST..LAST");
    cr_expect_eq(fallacy("list nodes rafd"), 2);
    EXPECT_SAYS("did you mean 'raft'?");
}

/* A bad scenario is told with line and path, and leaves no recording behind. */
Test(cli, a_bad_scenario_leaves_nothing_behind)
{
    shell("echo '{\"nodes\": [{\"kind\": \"raft\", \"name\": \"n\", \"cuont\": 3}],\n"
          "\"duration\": \"-1s\"}' > $D/bad.json");
    cr_expect_eq(fallacy("run $D/bad.json --out $D/bad.db"), 2);
    EXPECT_SAYS("bad.json:1:");
    EXPECT_SAYS("$.nodes[0].cuont");
    EXPECT_SAYS("\"count\"");
    EXPECT_SAYS("bad.json:2:");
    cr_expect_not(exists("bad.db"));
}

/* A run, its recording, its replay: identical. */
Test(cli, replays_what_it_recorded)
{
    cr_expect_eq(fallacy("run " GOOD " --out $D/run.db --level trace"), 0);
    EXPECT_SAYS("Every expectation was met");
    cr_expect_eq(fallacy("replay $D/run.db"), 0);
    EXPECT_SAYS("identical");
    cr_expect_eq(fallacy("replay $D/run.db --json"), 0);
    EXPECT_SAYS("\"identical\":\ttrue");
    cr_expect_eq(fallacy("show $D/run.db timeline"), 0);
    EXPECT_SAYS("leader");
    for (size_t i = 0; i < 5; i++) {
        const char *const topics[] = {"ops", "messages", "facts", "faults", "metrics"};
        char command[64];
        (void)snprintf(command, sizeof command, "show $D/run.db %s", topics[i]);
        cr_expect_eq(fallacy(command), 0, "%s", topics[i]);
    }
}

/* A tampered recording is found out: the first event that differs is named. */
Test(cli, names_the_first_differing_event_of_a_tampered_recording)
{
    cr_expect_eq(fallacy("run " GOOD " --out $D/run.db --level trace"), 0);
    shell("sqlite3 $D/run.db 'update event set a = a + 1 where sequence = 1234'");
    cr_expect_eq(fallacy("replay $D/run.db"), 1);
    EXPECT_SAYS("1234");
    cr_expect_eq(fallacy("run " GOOD " --out $D/short.db --level outcome"), 0);
    shell("sqlite3 $D/short.db \"update recording set hash = '0'\" 2>/dev/null || "
          "sqlite3 $D/short.db \"update run set hash = 0\"");
    cr_expect_eq(fallacy("replay $D/short.db"), 1);
}

/* What is not a recording is refused with a sentence, and never overwritten. */
Test(cli, refuses_what_is_not_a_recording)
{
    shell("echo precious > $D/notes.txt; head -c 5000 /dev/zero > $D/zero.db");
    cr_expect_eq(fallacy("replay $D/notes.txt"), 2);
    cr_expect_eq(fallacy("show $D/zero.db"), 2);
    cr_expect_eq(fallacy("show $D/none.db"), 2);
    cr_expect_eq(fallacy("run " GOOD " --out $D/notes.txt"), 2);
    shell("grep -q precious $D/notes.txt");
    cr_expect_eq(fallacy("run " GOOD " --out $D/no/such/folder.db"), 2);
    shell("sqlite3 $D/other.db 'create table t(x)'");
    cr_expect_eq(fallacy("replay $D/other.db"), 2);
    cr_expect_eq(fallacy("run " GOOD " --out $D/other.db"), 2);
}

/* A recording cut short in the middle of its file is told apart from a whole one. */
Test(cli, refuses_a_damaged_recording)
{
    cr_expect_eq(fallacy("run " GOOD " --out $D/run.db --level trace"), 0);
    shell("head -c 100000 $D/run.db > $D/cut.db");
    cr_expect_eq(fallacy("replay $D/cut.db"), 2);
    cr_expect_neq(strlen(output), 0);
}

/* The same seeds give the same sweep hash however many workers share them. */
Test(cli, sweeps_to_the_same_hash_with_any_number_of_jobs)
{
    char hash[3][24];
    for (int jobs = 1; jobs <= 3; jobs++) {
        char command[128];
        (void)snprintf(command, sizeof command, "sweep " GOOD " --seeds 1..24 --jobs %d", jobs);
        cr_expect_eq(fallacy(command), 0);
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
    cr_expect_eq(fallacy("sweep scenarios/raft/swarm_within_the_model.json --seeds 1..20 "
                         "--set 'nodes[0].bugs=[\"R07_ack_before_fsync\"]' "
                         "--junit $D/junit.xml --out $D/sweep.db"),
                 1);
    EXPECT_SAYS("NOT met");
    EXPECT_SAYS("fallacy run scenarios/raft/swarm_within_the_model.json --seed ");
    shell("grep -q '<failure' $D/junit.xml");
    cr_expect_eq(fallacy("show $D/sweep.db"), 0);
    cr_expect_eq(fallacy("sweep scenarios/raft/swarm_within_the_model.json --seeds 1..20 "
                         "--set 'nodes[0].bugs=[\"R07_ack_before_fsync\"]' --json"),
                 1);
    EXPECT_SAYS("\"failures\":");
    EXPECT_SAYS("\"replay\":");
}

/* A sweep in the background, something done to it while its workers are each in the middle of
 * a long seed, and what it says; its exit code. */
static int disturbed_sweep(const char *disturbance)
{
    char command[1024];
    (void)snprintf(command, sizeof command,
                   "'%s' sweep scenarios/incidents/cloudflare_2020_partial_partition.json "
                   "--set duration=2000s --seeds 1..6 --jobs 2 >%s/said 2>&1 & sweep=$!; "
                   "children=/proc/$sweep/task/$sweep/children; "
                   "until [ $(wc -w <$children) = 2 ]; do sleep 0.05; done; sleep 0.3; %s; "
                   "wait $sweep",
                   getenv("FALLACY"), folder, disturbance);
    const int status = system(command);
    return WEXITSTATUS(status);
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
    cr_expect_eq(fallacy("list checks"), 0);
    char command[1024];
    (void)snprintf(command, sizeof command,
                   "(ulimit -f 100; trap '' XFSZ; '%s' run %s --out %s/full.db --level trace) "
                   ">%s/said 2>&1",
                   getenv("FALLACY"), GOOD, folder, folder);
    const int status = system(command);
    cr_expect_eq(WEXITSTATUS(status), 2);
    cr_expect_not(exists("full.db"));
    shell("grep -q full.db $D/said");
}

/* A run that is killed leaves a readable recording that says it is unfinished. */
Test(cli, a_killed_run_leaves_a_readable_recording)
{
    char command[1024];
    (void)snprintf(
        command, sizeof command,
        "'%s' run scenarios/incidents/cloudflare_2020_partial_partition.json "
        "--level trace --set duration=20000s --out %s/killed.db >/dev/null 2>&1 & "
        "until [ -s %s/killed.db ]; do sleep 0.02; done; sleep 0.2; kill -9 $!; wait $!; true",
        getenv("FALLACY"), folder, folder);
    cr_expect_eq(system(command), 0);
    cr_expect_eq(fallacy("show $D/killed.db"), 0);
    EXPECT_SAYS("nfinished");
}

/* A sweep says what it put to the test, and names what it never did. Here nobody crashes, so
 * nothing acknowledged could have been lost. */
Test(cli, sweeps_name_checks_that_were_never_tested)
{
    cr_expect_eq(fallacy("sweep " GOOD " --set duration=3s --seeds 1..4 --out $D/s.db"), 0);
    EXPECT_SAYS("acked_durable          never tested");
    EXPECT_SAYS("times in 4 of 4 seeds");
    cr_expect_eq(fallacy("sweep " GOOD " --set duration=3s --seeds 1..4 --json"), 0);
    EXPECT_SAYS("\"never_tested\":\t[\"acked_durable\"");
    EXPECT_SAYS("\"seeds_tested\":\t4");
    cr_expect_eq(fallacy("export $D/s.db --format csv --view verdicts --out -"), 0);
    EXPECT_SAYS("1,acked_durable,vacuous,,1,0,");
}

/* A recording that does not hold what is asked for is made again: the export is the same. What
 * cannot be exported leaves no file. */
Test(cli, exports_from_a_recording_of_any_level)
{
    cr_expect_eq(fallacy("run " GOOD " --set duration=3s --out $D/low.db --level outcome"), 0);
    cr_expect_eq(fallacy("run " GOOD " --set duration=3s --out $D/high.db --level trace"), 0);
    cr_expect_eq(fallacy("export $D/low.db --format edn --out $D/low.edn"), 0, "%s", output);
    cr_expect_eq(fallacy("export $D/high.db --format edn --out $D/high.edn"), 0, "%s", output);
    shell("test -s $D/low.edn && cmp $D/low.edn $D/high.edn");
    cr_expect_eq(fallacy("export $D/low.db --format edn --model list-append --out $D/no.edn"), 2);
    EXPECT_SAYS("no such client operations");
    cr_expect_eq(fallacy("export $D/low.db --format csv --view messages --out $D/m.csv"), 0);
    shell("test $(wc -l <$D/m.csv) -gt 1000");
    cr_expect_eq(fallacy("export $D/low.db --format perfekto --out $D/no.edn"), 2);
    cr_expect_eq(fallacy("export $D/low.db --format edn --out $D/nowhere/no.edn"), 2);
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
        cr_expect_eq(fallacy(command), 0, "%s", command);
        cr_expect_gt(strlen(output), 100, "%s", command);
        (void)snprintf(command, sizeof command, "list %s --json", whats[i]);
        cr_expect_eq(fallacy(command), 0, "%s", command);
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
    cr_expect_eq(fallacy("check $D/open.edn $D/good.edn $D/empty.log"), 0);
    EXPECT_SAYS("linearizable                 3       3         0");
    cr_expect_eq(fallacy("check $D/bad.edn"), 1);
    EXPECT_SAYS("a value was read that nobody wrote");
    EXPECT_SAYS("lines 3-4          process 1: read = 2");
    cr_expect_eq(fallacy("check $D/bad.edn --initial 2"), 1);
    cr_expect_eq(fallacy("check $D/good.edn --type lock"), 2);
    EXPECT_SAYS("good.edn:1: :write is not an operation of a lock");
    cr_expect_eq(fallacy("check $D/cut.edn $D/good.edn"), 2);
    EXPECT_SAYS("cut.edn:5: the text ends inside a collection");
    EXPECT_SAYS("good.edn");
    cr_expect_eq(fallacy("check $D/junk.bin"), 2);
    EXPECT_SAYS("not a history we know");
    cr_expect_eq(fallacy("check /dev/null"), 2);
    EXPECT_SAYS("not a regular file");
    cr_expect_eq(fallacy("check $D/none.edn"), 2);
    EXPECT_SAYS("No such file");
    cr_expect_eq(fallacy("check $D/good.edn --type set --model linearizable"), 2);
    cr_expect_eq(fallacy("check $D/good.edn --memory 0"), 2);
    EXPECT_SAYS("memory");
}

/* What clients of a run saw goes out as Jepsen's history and comes back: of keys that hold 0 at
 * first. */
Test(cli, checks_what_it_exported)
{
    cr_expect_eq(fallacy("run " GOOD " --out $D/run.db"), 0);
    cr_expect_eq(fallacy("export $D/run.db --format edn --out $D/run.edn"), 0);
    cr_expect_eq(fallacy("check $D/run.edn --initial 0"), 0);
    EXPECT_SAYS("holds");
    EXPECT_SAYS("529 operations");
}

/* A stale read breaks linearizability and nothing weaker; how stale it was is told. The same of
 * what was exported. */
Test(cli, tells_which_models_a_stale_read_breaks)
{
    cr_expect_eq(fallacy("run scenarios/bugs/R11_stale_leader_reads.json --out $D/stale.db "
                         "--set 'checks=[\"linearizable\",\"sequential\","
                         "\"causal_convergence\",\"causal_memory\",\"pram\","
                         "\"monotonic_reads\"]' "
                         "--set 'expect={\"linearizable\":\"violated\",\"sequential\":"
                         "\"holds\",\"causal_convergence\":\"holds\",\"causal_memory\":"
                         "\"holds\",\"pram\":\"holds\",\"monotonic_reads\":\"holds\"}'"),
                 0, "%s", output);
    EXPECT_SAYS("it would hold if reads might be 195.000 ms old");
    cr_expect_eq(fallacy("export $D/stale.db --format edn --out $D/stale.edn"), 0, "%s", output);
    cr_expect_eq(fallacy("check $D/stale.edn --initial 0"), 1, "%s", output);
    EXPECT_SAYS("it would hold if reads might be 195.000 ms old");
    EXPECT_SAYS("a read is at least 1 version behind");
    cr_expect_eq(fallacy("check $D/stale.edn --initial 0 --model causal-memory"), 0, "%s", output);
    cr_expect_eq(fallacy("check $D/stale.edn --initial 0 --model monotonic-reads"), 0);
    EXPECT_SAYS("registers do not show the order of versions");
    cr_expect_eq(fallacy("check $D/stale.edn --initial 0 --model monotonic-writes"), 2);
    EXPECT_SAYS("the model monotonic_writes does not judge a register");
}

/* Completion scripts for three shells. */
Test(cli, completes)
{
    cr_expect_eq(fallacy("completion bash | bash -n"), 0);
    cr_expect_eq(fallacy("completion fish"), 0);
    EXPECT_SAYS("sweep");
    cr_expect_eq(fallacy("completion csh"), 2);
}
