/* `fallacy shrink` as a user meets it: what it leaves behind, what it says, and what it refuses. */
#include "tests/command_line.h"

/* A leader whose disk has died leads on, whatever the seed. */
#define STUCK                                                                                      \
    "scenarios/bugs/swarm_dead_disk.json --set swarm=[] "                                          \
    "--set 'nodes[0].bugs=[\"R37_dead_disk_leads\"]' --set 'faults=[{\"at\": \"1s\", \"disk\": "   \
    "{\"of\": \"leader\", \"write_error\": 1}}]' "
#define GOOD "scenarios/raft/leader_isolated_then_healed.json"

TestSuite(shrink_command, .init = make_folder, .fini = remove_folder, .timeout = 240);

/* What comes out is a scenario that meets its expectation, which is the failure. */
Test(shrink_command, leaves_a_scenario_that_fails_as_it_expects)
{
    EXPECT_EXIT(0, "shrink " STUCK "--budget 3000000 --out $D/min.json", "liveness is stuck",
                "before        after", "See it: fallacy run ");
    EXPECT_EXIT(0, "run $D/min.json", "stuck        liveness", "as expected");
    cr_expect_not(exists("min.json.part"));
    shell("grep -q 'Shrunk from scenarios/bugs/swarm_dead_disk.json, seed 1, --set swarm=' "
          "$D/min.json");
}

/* For programs: one object, with sizes before and after. */
Test(shrink_command, speaks_json)
{
    EXPECT_EXIT(0, "shrink " STUCK "--budget 1000000 --out $D/min.json --json");
    static const char *const keys[] = {"\"scenario\":",
                                       "\"seed\":\t1",
                                       "\"check\":\t\"liveness\"",
                                       "\"verdict\":\t\"stuck\"",
                                       "\"detail\":",
                                       "\"out\":",
                                       "\"out_seed\":",
                                       "\"before\":",
                                       "\"after\":",
                                       "\"nodes\":",
                                       "\"clients\":",
                                       "\"faults\":",
                                       "\"fates\":",
                                       "\"operations\":",
                                       "\"duration_ns\":",
                                       "\"tries\":",
                                       "\"kept\":",
                                       "\"runs\":",
                                       "\"steps\":",
                                       "\"stopped\":\tfalse",
                                       "\"wall_ns\":"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        EXPECT_SAYS(keys[i]);
    }
    cr_expect_eq(output[0], '{');
}

/* The same input and budget, the same bytes. */
Test(shrink_command, gives_the_same_every_time)
{
    EXPECT_EXIT(0, "shrink " STUCK "--budget 1000000 --out $D/a.json");
    EXPECT_EXIT(0, "shrink " STUCK "--budget 1000000 --out $D/b.json");
    shell("cmp $D/a.json $D/b.json");
}

/* Ctrl-C ends it with 130, and leaves the best so far: a scenario that fails. */
Test(shrink_command, leaves_the_best_so_far_when_stopped)
{
    char script[2000];
    const char *program = getenv("FALLACY");
    cr_assert(program);
    (void)snprintf(script, sizeof script,
                   "D=%s; '%s' shrink " STUCK "--set duration=60s --out $D/min.json >$D/said & "
                   "while ! test -s $D/min.json; do sleep 0.02; done; kill -INT $!; wait $!",
                   folder, program);
    const int status = system(script);
    cr_assert(WIFEXITED(status));
    cr_expect_eq(WEXITSTATUS(status), 130);
    shell("grep -q stopped $D/said");
    EXPECT_EXIT(0, "run $D/min.json");
    cr_expect_not(exists("min.json.part"));
}

/* What cannot be done is said at once, and nothing is written. */
Test(shrink_command, refuses_what_it_cannot_do)
{
    EXPECT_EXIT(2, "shrink " GOOD " --out $D/min.json",
                "no check is violated, so there is nothing to shrink",
                "fallacy sweep " GOOD " --seeds");
    EXPECT_EXIT(2, "shrink " STUCK "--check election_safety --out $D/min.json",
                "election_safety is not violated");
    EXPECT_EXIT(2, "shrink " STUCK "--check elections --out $D/min.json",
                "there is no check 'elections'");
    EXPECT_EXIT(2, "shrink " STUCK, "--out");
    EXPECT_EXIT(2, "shrink $D/none.json --out $D/min.json");
    EXPECT_EXIT(2, "shrink " STUCK "--out $D/none/min.json",
                "none/min.json: cannot be written: No such file");
    cr_expect_not(exists("min.json"));
}
