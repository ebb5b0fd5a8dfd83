/* The table of commands and the help that teaches them. */
#include "scenarios/commands/command.h"

#include <stdio.h>
#include <string.h>

#include "scenarios/commands/options.h"
#include "scenarios/format/suggest.h"

static int command_help_main(int argc, char **argv);

const struct command commands[] = {
    {"run", "SCENARIO [--seed N] [--set PATH=VALUE]... [--out FILE.db] [--level LEVEL] [--json]",
     "One run of a scenario: a short story and the verdicts; a recording in FILE.db.",
     "  --seed N          the run's seed; the scenario's own if not given\n"
     "  --set PATH=VALUE  change one value of the scenario, such as nodes[0].config.pre_vote=true\n"
     "                    or duration=10s; may be given again\n"
     "  --out FILE.db     record the run, an SQLite file (replaces an older recording)\n"
     "  --level LEVEL     what is recorded: outcome, history (operations, facts, faults; the\n"
     "                    default) or trace (every event)\n"
     "  --json            one JSON object on stdout instead of words\n"
     "\n"
     "Example:\n"
     "  fallacy run scenarios/incidents/cloudflare_2020_partial_partition.json --out run.db\n",
     command_run},
    {"replay", "FILE.db [--json]",
     "Runs a recording again from what it holds, and names the first differing event.",
     "  --json            one JSON object on stdout instead of words\n"
     "\n"
     "Exit code 0: identical. 1: it diverged. The recording holds the scenario's text, the seed\n"
     "and every --set, so nothing else is needed.\n",
     command_replay},
    {"sweep",
     "SCENARIO --seeds A..B [--jobs N] [--set PATH=VALUE]... [--out FILE.db] "
     "[--junit FILE.xml] [--json]",
     "Many seeds on all cores; failures grouped by cause, with a line each to paste.",
     "  --seeds A..B      from A to B, both included\n"
     "  --jobs N          worker processes; one for each core if not given\n"
     "  --set PATH=VALUE  change one value of the scenario; may be given again\n"
     "  --out FILE.db     keep the outcome of every seed (the seed regenerates the rest)\n"
     "  --junit FILE.xml  a report for CI\n"
     "  --json            one JSON object on stdout instead of words\n"
     "\n"
     "Ctrl-C ends it and tells what was found until then. A worker that crashes is a finding.\n"
     "\n"
     "Example:\n"
     "  fallacy sweep scenarios/raft/swarm.json --seeds 1..1000\n",
     command_sweep},
    {"shrink",
     "SCENARIO --out MIN.json [--seed N] [--set PATH=VALUE]... [--check NAME] [--budget STEPS] "
     "[--json]",
     "The smallest scenario that still fails the same way.",
     "  --out MIN.json    where to; what it holds is the best so far, at any time\n"
     "  --seed N          the seed that fails; the scenario's own if not given\n"
     "  --set PATH=VALUE  change one value of the scenario; may be given again\n"
     "  --check NAME      the check whose failure is kept; the first that is violated if not "
     "given\n"
     "  --budget STEPS    events handled in all runs together, at most; 150 million if not given\n"
     "  --json            one JSON object on stdout instead of words\n"
     "\n"
     "Faults drawn at random are written down one by one, operations become a script, and\n"
     "whatever the failure does not need is left out: faults, operations, clients, nodes,\n"
     "settings, time. A change stays if the same check is violated, or for crash_free if the\n"
     "crash has the same reason. Other seeds are tried for what remains. Ctrl-C ends it and keeps\n"
     "the best so far.\n"
     "\n"
     "Example: small, the same verdict, and why\n"
     "  fallacy shrink scenarios/libraft/over_ack.json --seed 5 --out min.json\n"
     "  fallacy run min.json\n"
     "  fallacy explain min.json\n",
     command_shrink},
    {"explain",
     "FILE.db|SCENARIO.json [--seed N] [--set PATH=VALUE]... [--all] [--inevitable] "
     "[--branches N] [--json]",
     "Why a run violated an invariant: the chain of causes back from the violation.",
     "  --seed N          the seed of a scenario; its own if not given\n"
     "  --set PATH=VALUE  change one value of the scenario; may be given again\n"
     "  --all             every cause; without it the last 25\n"
     "  --inevitable      also when it became inevitable: the run goes on from times before the\n"
     "                    violation with other chance, and so many of these futures violate it "
     "too\n"
     "  --branches N      futures from each time; 40 if not given\n"
     "  --json            one JSON object on stdout instead of words\n"
     "\n"
     "A recording of any level will do: the run is made again. Told are the changes of facts,\n"
     "crashes and faults that happen before the violation and reach it by messages that changed\n"
     "something. Exit code 1: nothing was violated.\n"
     "\n"
     "Example:\n"
     "  fallacy explain scenarios/libraft/over_ack.json\n",
     command_explain},
    {"export",
     "FILE.db --format edn|elle|shiviz|perfetto|csv --out FILE [--model MODEL] [--key K] "
     "[--view NAME] [--from TIME] [--to TIME]",
     "A recording in the formats of other people's tools.",
     "  --format edn      Jepsen's history, a map a line: for Knossos, Elle, elle-cli, Plume\n"
     "           elle     the same as elle-cli's JSON\n"
     "           shiviz   every event with its vector clock: for bestchai.bitbucket.io/shiviz\n"
     "           perfetto roles, events, messages, operations and faults: for ui.perfetto.dev\n"
     "           csv      a table or view of the recording: see --view\n"
     "  --out FILE        where to; - is stdout\n"
     "  --model MODEL     edn, elle: register (reads, writes, compare-and-sets), list-append or\n"
     "                    rw-register (transactions); if not given, what the history is\n"
     "  --key K           edn, register: only this key, with plain values instead of [key value]\n"
     "  --view NAME       csv: such as operations (the default), events, messages, verdicts\n"
     "  --from, --to TIME shiviz, perfetto: only the events between, such as 1.5s and 2s\n"
     "\n"
     "If the recording's level does not hold what is asked for, the run is made again.\n"
     "\n"
     "Example:\n"
     "  fallacy export run.db --format edn --out history.edn\n",
     command_export},
    {"show", "FILE.db [timeline|ops|messages|facts|faults|metrics]",
     "What a recording holds, on the terminal.",
     "Without a topic, the outcome: verdicts, hash and where it came from.\n"
     "\n"
     "  timeline          what happened, in order\n"
     "  ops               client operations with their latency and outcome\n"
     "  messages          messages with their fate (level trace)\n"
     "  facts             what nodes published\n"
     "  faults            what was done to the cluster\n"
     "  metrics           what was measured\n"
     "\n"
     "A recording is an SQLite file: any SQLite tool reads it too. For example:\n"
     "  sqlite3 run.db 'select * from event limit 10'\n",
     command_show},
    {"check",
     "FILE... [--model NAME] [--type TYPE] [--initial VALUE] [--budget STEPS] [--memory MIB] "
     "[--json]",
     "Judges histories from elsewhere against a consistency model.",
     "  --model NAME      of objects linearizable (the default), sequential, causal-convergence,\n"
     "                    causal-memory, causal, pram, read-your-writes, monotonic-reads,\n"
     "                    monotonic-writes, writes-follow-reads; of transactions\n"
     "                    strict-serializable (the default), serializable, snapshot-isolation,\n"
     "                    read-committed and whatever else Elle knows, such as PL-2+; of logs\n"
     "                    kafka (the default) and kafka-ww; fallacy list models says more\n"
     "  --type TYPE       what the history is of: register, kv, list, set, queue, stack, counter,\n"
     "                    lock, txn, log; as the file shows if not given\n"
     "  --initial VALUE   what registers hold at first, in EDN; nil if not given, and 0 in what\n"
     "                    `fallacy export --format edn` wrote\n"
     "  --budget STEPS    of the search, after which the verdict is unknown (20 million)\n"
     "  --memory MIB      that a checker may hold, the same (1024)\n"
     "  --json            one JSON object on stdout instead of words\n"
     "\n"
     "FILE is a history or a folder of them (.log, .txt, .edn below it). Its format and what it "
     "is\n"
     "of are seen from its content: a Jepsen log of etcd, Porcupine's key-value histories, or\n"
     "Jepsen's operations in EDN, with :f\n"
     "  register  :read, :write, :cas                       lock     :acquire, :release\n"
     "  kv        :get, :put, :append (of strings)          counter  :add, :read\n"
     "  queue     :enqueue, :dequeue                        set      :add, :remove, :read\n"
     "  stack     :push, :pop                               list     :append, :read\n"
     "  txn       :txn of [:append k v] and [:r k [..]], or of [:w k v] and [:r k v]\n"
     "  log       :send, :poll or :txn of [:send k [offset v]] and [:poll {k [[offset v] ..]}],\n"
     "            :assign, :subscribe\n"
     "Values may be [key value] throughout. As in Knossos, :fail did not take place, :info may "
     "any\n"
     "time later or never, and a :read of nil tells nothing. A violation is shown by the fewest\n"
     "operations that contradict each other, with their lines; of transactions by Elle's names of\n"
     "the anomalies and a smallest cycle; of logs by the errors of Jepsen's tests of Kafka, where\n"
     "kafka-ww also follows sends by their offsets and then allows cycles.\n"
     "Exit code 1: a history violates its model, or could not be decided.\n"
     "\n"
     "Example:\n"
     "  fallacy check etcd_000.log --model linearizable\n"
     "  fallacy check history.edn --model snapshot-isolation\n",
     command_check},
    {"list", "scenarios|nodes|faults|checks|models|bugs [NAME] [--json]",
     "The catalogue, with a line each; `list nodes raft` documents every setting.",
     "  scenarios         the files below a folder (`scenarios` here unless NAME says another)\n"
     "  nodes [KIND]      node kinds; of one kind every setting, fact, command and planted bug\n"
     "  faults            what a scenario can do to a cluster, and the families of a swarm\n"
     "  checks            properties a scenario can ask for\n"
     "  models            consistency models, for those and for fallacy check\n"
     "  bugs              bugs that can be planted in a node kind, the check that is meant to\n"
     "                    catch each, and whether a scenario in scenarios/bugs/ shows it\n"
     "  --json            one JSON object on stdout instead of words\n",
     command_list},
    {"compile", "SCENARIO --out FILE.plan",
     "Writes a scenario in the neutral form that needs no JSON library to run.",
     "  --out FILE.plan   where to\n"
     "\n"
     "The tests run these plans on other architectures and compare the hashes.\n",
     command_compile},
    {"completion", "bash|zsh|fish", "Prints a completion script for a shell.",
     "For bash:  source <(fallacy completion bash)\n"
     "For zsh:   source <(fallacy completion zsh)\n"
     "For fish:  fallacy completion fish | source\n",
     command_completion},
    {"help", "[COMMAND]", "This text, or all about one command.", "", command_help_main},
    {NULL, NULL, NULL, NULL, NULL},
};

const struct command *command_find(const char *name)
{
    for (const struct command *c = commands; c->name; c++) {
        if (strcmp(c->name, name) == 0) {
            return c;
        }
    }
    return NULL;
}

void command_help(const struct command *command)
{
    if (command) {
        printf("usage: fallacy %s %s\n%s\n\n%s\n", command->name, command->usage, command->summary,
               command->help);
        printf("Exit codes: 0 every expectation met; 1 some not met, or a replay diverged; 2 bad\n"
               "input, with nothing written; 3 a fault of this program; 130 stopped by Ctrl-C.\n");
        return;
    }
    printf("Fallacy runs clusters of virtual nodes over a network, disks and clocks that break in\n"
           "every way the eight fallacies promise they will not. Every run is one seed, and the\n"
           "same seed is the same run for ever.\n\n");
    for (const struct command *c = commands; c->name; c++) {
        printf("  fallacy %-11s%s\n", c->name, c->summary);
    }
    printf("\nBegin with:\n"
           "  fallacy list scenarios\n"
           "  fallacy run scenarios/incidents/cloudflare_2020_partial_partition.json\n"
           "  fallacy help run\n");
}

static int unknown_command(const char *name)
{
    struct suggestion suggestion = {.word = name};
    for (const struct command *c = commands; c->name; c++) {
        suggest_consider(&suggestion, c->name);
    }
    fprintf(stderr, "fallacy: there is no command '%s'", name);
    if (suggestion.nearest) {
        fprintf(stderr, "; did you mean '%s'?", suggestion.nearest);
    }
    fprintf(stderr, "\nSee: fallacy help\n");
    return EXIT_INPUT;
}

static int command_help_main(int argc, char **argv)
{
    if (argc < 2) {
        command_help(NULL);
        return EXIT_MET;
    }
    const struct command *command = command_find(argv[1]);
    if (!command) {
        return unknown_command(argv[1]);
    }
    command_help(command);
    return EXIT_MET;
}

int command_main(int argc, char **argv)
{
    if (argc < 2) {
        command_help(NULL);
        return EXIT_INPUT;
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf("fallacy %s\n", FALLACY_VERSION);
        return EXIT_MET;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        command_help(NULL);
        return EXIT_MET;
    }
    const struct command *command = command_find(argv[1]);
    return command ? command->run(argc - 1, argv + 1) : unknown_command(argv[1]);
}
