/* What the loader refuses: each row is a scenario with one error, at a mark in its text. */
#include "scenarios/format/load.h"
#include "tests/scenarios.h"

#define ZONES "\"topology\": {\"zones\": [\"a\", \"b\"]}, "

struct bad {
    const char *text; /* A '@' stands before the place of the error, and is taken out. */
    const char *path;
    const char *message; /* A part of it. */
};

/* The text without its mark, and where that was. To be freed. */
static char *unmark(const char *marked, uint32_t *line, uint32_t *column)
{
    const char *mark = strchr(marked, '@');
    cr_assert_not_null(mark, "%s", marked);
    *line = 1;
    *column = 1;
    for (const char *p = marked; p < mark; p++) {
        *column = *p == '\n' ? 1 : *column + 1;
        *line += *p == '\n';
    }
    char *text = malloc(strlen(marked));
    cr_assert_not_null(text);
    memcpy(text, marked, (size_t)(mark - marked));
    strcpy(text + (mark - marked), mark + 1);
    return text;
}

/* One error, at the mark, with the path and the message. */
static void expect_error(const struct bad *bad)
{
    uint32_t line;
    uint32_t column;
    char *text = unmark(bad->text, &line, &column);
    struct scenario s;
    cr_expect_eq(parse(&s, text), SIM_EINVAL, "%s", bad->text);
    cr_expect_eq(s.error_count, 1, "%s: %zu errors", bad->text, s.error_count);
    if (s.error_count != 1) {
        scenario_print_errors(&s, stderr);
    }
    if (s.error_count > 0) {
        const struct scenario_error *e = &s.errors[0];
        cr_expect(e->line == line && e->column == column, "%s\nat %u:%u instead of %u:%u: %s",
                  bad->text, (unsigned)e->line, (unsigned)e->column, (unsigned)line,
                  (unsigned)column, e->message);
        cr_expect_str_eq(e->path, bad->path, "%s\n%s", bad->text, e->path);
        cr_expect(strstr(e->message, bad->message), "%s\n%s", bad->text, e->message);
    }
    cr_expect_eq(s.plan.node_count, 0, "nothing is half-loaded");
    scenario_release(&s);
    free(text);
}

static void expect_errors(const struct bad *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        expect_error(&rows[i]);
    }
}

#define EXPECT_ERRORS(rows) expect_errors(rows, sizeof rows / sizeof rows[0])

/* A text that is not JSON, or JSON that could be misread, is told where. */
Test(loader_errors, refuses_what_is_not_strict_json)
{
    static const struct bad rows[] = {
        {"@", "$", "expected a value, found the end of the text"},
        {"{\"title\": \"t\",@}", "$", "expected a key in quotes, found '}'"},
        {"{\"title\" @\"t\"}", "$", "expected ':' after a key"},
        {"{\"title\": @'t'}", "$", "expected a value, found '''"},
        {"{\n  \"title\": @tru}", "$", "expected a value"},
        {"{\"a\": 1}@x", "$", "expected the end of the text, found 'x'"},
        {"{\"a\": [1 @2]}", "$", "expected ',' or ']'"},
        {"{\"a\": @01}", "$", "cannot begin with 0"},
        {"{\"a\": 1.@}", "$", "expected a digit"},
        {"{\"a\": @\"x}", "$", "this string has no end"},
        {"{\"a\": \"x@\ny\"}", "$", "a control character"},
        {"{\"a\": \"@\\x\"}", "$", "unknown escape"},
        {"{\"a\": \"@\\u0000\"}", "$", "NUL"},
        {"{\"a\": \"@\\ud800x\"}", "$", "surrogate"},
        {"{\"a\": \"@\xc0\xaf\"}", "$", "not UTF-8: byte 0xc0"},
        {"{\"a\": \"@\xed\xa0\x80\"}", "$", "not UTF-8"},
        {"@\xef\xbb\xbf{}", "$", "byte order mark"},
        {"{\"seed\": 1,\n @\"se\\u0065d\": 2}", "$",
         "the key \"seed\" is already in this object, at line 1, column 2"},
        {"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[@[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]", "$",
         "nested more than 32 deep"},
    };
    EXPECT_ERRORS(rows);
}

/* A NUL byte in the middle is not the end of the text. */
Test(loader_errors, refuses_a_nul_byte)
{
    struct scenario s;
    const char text[] = "{\"title\": \"t\0\"}";
    cr_expect_eq(scenario_parse(&s, "x", text, sizeof text - 1, NULL, 0), SIM_EINVAL);
    cr_expect_str_eq(s.errors[0].message, "a NUL byte");
    cr_expect(s.errors[0].line == 1 && s.errors[0].column == 13);
    scenario_release(&s);
}

/* Neither size nor depth can exhaust anything. */
Test(loader_errors, refuses_a_text_that_is_too_large)
{
    struct scenario s;
    const size_t size = (4 << 20) + 1;
    char *text = malloc(size);
    cr_assert_not_null(text);
    memset(text, ' ', size);
    cr_expect_eq(scenario_parse(&s, "x", text, size, NULL, 0), SIM_EINVAL);
    cr_expect_str_eq(s.errors[0].message, "larger than 4 MiB");
    scenario_release(&s);
    memset(text, '[', size - 1);
    cr_expect_eq(scenario_parse(&s, "x", text, size - 1, NULL, 0), SIM_EINVAL);
    scenario_release(&s);
    free(text);
}

/* What every scenario needs is asked for, and its figures have limits. */
Test(loader_errors, checks_the_top_level)
{
    static const struct bad rows[] = {
        {"@{\"why\": \"w\", \"duration\": \"1s\", " RAFT "}", "$", "\"title\" is missing"},
        {"{\"title\": @\"\", \"why\": \"w\", \"duration\": \"1s\", " RAFT "}", "$.title",
         "expected a sentence"},
        {"@{\"title\": \"t\", \"why\": \"w\", " RAFT "}", "$", "\"duration\" is missing"},
        {"@{\"title\": \"t\", \"why\": \"w\", \"duration\": \"1s\"}", "$", "\"nodes\" is missing"},
        {"@[]", "$", "expected an object"},
        {"{\"title\": \"t\", \"why\": \"w\", \"duration\": @\"0s\", " RAFT "}", "$.duration",
         "must be more than 0s"},
        {"{\"title\": \"t\", \"why\": \"w\", \"duration\": @10, " RAFT "}", "$.duration",
         "expected a duration such as \"250ms\", found the number 10"},
        {"{\"title\": \"t\", \"why\": \"w\", \"duration\": @\"200000d\", " RAFT "}", "$.duration",
         "a duration is too large"},
        {HEAD "@\"nodez\": [], " RAFT "}", "$.nodez", "did you mean \"nodes\"?"},
        {HEAD "@\"x y\": 1, " RAFT "}", "$[\"x y\"]", "the keys of scenario are"},
        {HEAD RAFT ", \"memory\": @\"1KiB\"}", "$.memory", "from 1MiB"},
        {HEAD RAFT ", \"seed\": @-1}", "$.seed", "expected a seed"},
        {HEAD RAFT ", \"seed\": @18446744073709551615}", "$.seed", "in quotes if it is above"},
        {HEAD RAFT ", \"seed\": @\"18446744073709551616\"}", "$.seed", "expected a seed"},
        {HEAD RAFT ", \"ties\": @\"random\"}", "$.ties", "known: sequence, shuffled"},
        {HEAD RAFT ", @\"matrix\": {}}", "$.matrix", "not supported yet"},
    };
    EXPECT_ERRORS(rows);
}

/* Nodes have known kinds, settings and bugs, and names that nobody else has. */
Test(loader_errors, checks_nodes)
{
#define GROUP(rest) HEAD "\"nodes\": [{\"kind\": \"raft\", \"name\": \"n\"" rest "}]}"
    static const struct bad rows[] = {
        {HEAD "\"nodes\": @[]}", "$.nodes", "at least one group"},
        {HEAD "\"nodes\": [@{\"name\": \"n\"}]}", "$.nodes[0]", "\"kind\" is missing"},
        {HEAD "\"nodes\": [{\"kind\": @\"rafd\", \"name\": \"n\"}]}", "$.nodes[0].kind",
         "there is no node kind \"rafd\"; did you mean \"raft\"? see `fallacy list nodes`"},
        {GROUP(", \"config\": {@\"electoin_timeout\": \"1s\"}"),
         "$.nodes[0].config.electoin_timeout", "did you mean \"election_timeout\"?"},
        {GROUP(", \"config\": {@\"min.insync.replicas\": 2}"),
         "$.nodes[0].config[\"min.insync.replicas\"]", "see `fallacy list nodes raft`"},
        {GROUP(", \"config\": {\"election_timeout\": @\"300ms..150ms\"}"),
         "$.nodes[0].config.election_timeout", "the range is reversed: 300ms is more than 150ms"},
        {GROUP(", \"config\": {\"election_timeout\": @\"-1s\"}"),
         "$.nodes[0].config.election_timeout", "cannot be negative"},
        {GROUP(", \"config\": {\"election_timeout\": @\"0s\"}"),
         "$.nodes[0].config.election_timeout", "election_timeout is from"},
        {GROUP(", \"config\": {\"pre_vote\": @1}"), "$.nodes[0].config.pre_vote",
         "expected true or false, found the number 1"},
        {GROUP(", \"bugs\": [@\"R25_overack\"]"), "$.nodes[0].bugs[0]",
         "there is no planted bug \"R25_overack\"; did you mean \"R25_over_ack\"?"},
        {GROUP(", \"count\": @0"), "$.nodes[0].count", "expected a number from 1 to 1024"},
        {GROUP(", \"count\": @1025"), "$.nodes[0].count", "from 1 to 1024, found 1025"},
        {GROUP(", \"count\": @2.5"), "$.nodes[0].count", "expected a whole number"},
        {GROUP(", \"start\": @\"later\""), "$.nodes[0].start", "known: present, absent"},
        {GROUP(", \"host\": {\"cpu\": {\"speed\": @\"0%\"}}"), "$.nodes[0].host.cpu.speed",
         "above 0%"},
        {GROUP(", \"host\": {\"clock\": {\"drift\": @\"60%\"}}"), "$.nodes[0].host.clock.drift",
         "at most 50%"},
        {GROUP(", \"host\": {\"disk\": {\"lie\": @\"101%\"}}"), "$.nodes[0].host.disk.lie",
         "a probability is at most 100%, this is 101%"},
        {HEAD "\"nodes\": [{\"kind\": \"raft\", \"name\": @\"leader\"}]}", "$.nodes[0].name",
         "is a selector"},
        {HEAD "\"nodes\": [{\"kind\": \"raft\", \"name\": @\"1n\"}]}", "$.nodes[0].name",
         "expected a name"},
        {HEAD "\"nodes\": [{\"kind\": \"raft\", \"name\": \"n1\"}, {\"kind\": \"raft\", \"name\": "
              "@\"n\", \"count\": 2}]}",
         "$.nodes[1].name", "the name \"n1\" is taken already"},
        {HEAD RAFT ", \"clients\": [{\"name\": @\"n\"}]}", "$.clients[0].name", "taken already"},
    };
    EXPECT_ERRORS(rows);
}

/* Zones, regions and links are known, and their figures possible. */
Test(loader_errors, checks_the_topology)
{
#define LINK(rest) HEAD RAFT ", \"topology\": {\"links\": [{" rest "}]}}"
    static const struct bad rows[] = {
        {HEAD RAFT ", \"topology\": {\"regions\": @\"aws-2024\", \"zones\": [\"us-east-1\"]}}",
         "$.topology.regions",
         "there is no region matrix \"aws-2024\"; did you mean \"aws-2025\"?"},
        {HEAD RAFT ", \"topology\": {\"regions\": @\"aws-2025\"}}", "$.topology.regions",
         "needs \"zones\""},
        {HEAD RAFT ", \"topology\": {\"regions\": \"aws-2025\", \"zones\": {\"a\": "
                   "@\"us-est-1\"}}}",
         "$.topology.zones.a", "there is no region \"us-est-1\"; did you mean \"us-east-1\"?"},
        {HEAD RAFT ", \"topology\": {\"zones\": @{\"a\": \"us-east-1\"}}}", "$.topology.zones",
         "need \"regions\""},
        {HEAD ZONES "\"nodes\": [@{\"kind\": \"raft\", \"name\": \"n\"}]}", "$.nodes[0]",
         "\"zone\" (or \"zones\", to be taken in turn) is missing"},
        {HEAD ZONES "\"nodes\": [{\"kind\": \"raft\", \"name\": \"n\", \"zone\": @\"c\"}]}",
         "$.nodes[0].zone", "there is no zone \"c\""},
        {LINK("@\"latncy\": \"1ms\""), "$.topology.links[0].latncy", "did you mean \"latency\"?"},
        {LINK("\"latency\": @5"), "$.topology.links[0].latency",
         "expected a duration such as \"250ms\", a range"},
        {LINK("\"latency\": @\"10ms..1ms\""), "$.topology.links[0].latency", "range is reversed"},
        {LINK("\"latency\": {@\"normal\": \"1ms\"}"), "$.topology.links[0].latency.normal",
         "did you mean \"lognormal\"?"},
        {LINK("\"latency\": @{\"cap\": \"1ms\"}"), "$.topology.links[0].latency",
         "expected one of constant"},
        {LINK("\"latency\": @{\"mixture\": [{\"weight\": \"50%\", \"constant\": \"1ms\"}]}"),
         "$.topology.links[0].latency", "no distribution: "},
        {LINK("\"jitter\": @\"planetlap\""), "$.topology.links[0].jitter",
         "did you mean \"planetlab\"?"},
        {LINK("\"loss\": @\"150%\""), "$.topology.links[0].loss", "at most 100%, this is 150%"},
        {LINK("\"loss\": @1.5"), "$.topology.links[0].loss", "a probability is at most 100%"},
        {LINK("\"loss\": @-0.5"), "$.topology.links[0].loss", "cannot be negative"},
        {LINK("\"loss\": @1e-9"), "$.topology.links[0].loss", "\"1e-09\""},
        {LINK("\"rate\": @\"25MiB\""), "$.topology.links[0].rate", "is no unit of a rate"},
        {LINK("\"mtu\": @\"8B\""), "$.topology.links[0].mtu", "at least 64B"},
        {LINK("@\"reorder_delay\": \"1ms\""), "$.topology.links[0].reorder_delay",
         "does nothing without \"reorder\""},
        {LINK("\"burst\": @{\"enter\": \"1%\"}"), "$.topology.links[0].burst",
         "\"leave\" is missing"},
        {LINK("\"between\": @[\"n1\"]"), "$.topology.links[0].between", "two selections"},
        {LINK("\"between\": [\"n1\", @\"leader\"]"), "$.topology.links[0].between[1]",
         "known only while the scenario runs"},
        {LINK("\"from\": @\"m1\""), "$.topology.links[0].from", "did you mean \"n1\"?"},
        {LINK("\"from\": @\"zone:x\""), "$.topology.links[0].from", "there is no zone \"x\""},
        {HEAD RAFT ", \"topology\": {\"links\": {@\"all\": {}}}}", "$.topology.links.all",
         "an object with the key default"},
    };
    EXPECT_ERRORS(rows);
}

/* Workloads ask a group that exists, at a pace that is possible. */
Test(loader_errors, checks_clients)
{
#define CLIENTS(rest) HEAD RAFT ", \"clients\": [{" rest "}]}"
    static const struct bad rows[] = {
        {CLIENTS("\"target\": @\"m\""), "$.clients[0].target", "there is no group of nodes \"m\""},
        {HEAD RAFT ", \"clients\": [@{\"think\": \"1ms\", \"rate\": \"5/s\"}]}", "$.clients[0]",
         "one of \"think\" (closed loop)"},
        {CLIENTS("\"rate\": @\"0/s\""), "$.clients[0].rate", "more than 0"},
        {CLIENTS("\"rate\": @\"5\""), "$.clients[0].rate", "a frequency needs a unit"},
        {CLIENTS("\"interval\": @\"0s\""), "$.clients[0].interval", "more than 0s"},
        {CLIENTS("\"operations\": @{\"read\": 0}"), "$.clients[0].operations", "above 0"},
        {CLIENTS("\"operations\": {@\"push\": 1, \"read\": 1}"), "$.clients[0].operations.push",
         "unknown key"},
        {CLIENTS("\"transactions\": @{\"parts\": 2}"), "$.clients[0].transactions", "above 0"},
        {CLIENTS("\"transactions\": {\"read\": 1, \"parts\": @5}"),
         "$.clients[0].transactions.parts", "from 1 to 4"},
        {CLIENTS("\"operations\": {\"txn\": 1}, \"keys\": @20000"), "$.clients[0].keys",
         "at most 16383"},
        {CLIENTS("\"keys\": @0"), "$.clients[0].keys", "from 1 to 1000000"},
        {CLIENTS("\"timeout\": @\"0ms\""), "$.clients[0].timeout", "more than 0s"},
        {CLIENTS("\"start\": \"2s\", \"stop\": @\"1s\""), "$.clients[0].stop", "before they start"},
        {CLIENTS("\"count\": @1000000"), "$.clients[0].count", "from 1 to 1024"},
        {HEAD RAFT ", \"clients\": [@{\"count\": 1024}]}", "$.clients[0]", "too many"},
    };
    EXPECT_ERRORS(rows);
}

/* A script says of each operation when, what and on which key; by whom only if it is one of its
 * own sessions. */
Test(loader_errors, checks_scripts)
{
#define STEP(step) CLIENTS("\"script\": [" step "]")
    static const struct bad rows[] = {
        {CLIENTS("@\"think\": \"1s\", \"script\": []"), "$.clients[0].think", "no meaning"},
        {CLIENTS("\"script\": @{}"), "$.clients[0].script", "array"},
        {STEP("@{\"read\": {\"key\": 1}}"), "$.clients[0].script[0]", "\"at\" is missing"},
        {STEP("@{\"at\": \"1s\"}"), "$.clients[0].script[0]", "does one thing"},
        {STEP("{\"at\": \"1s\", \"txn\": @[]}"), "$.clients[0].script[0].txn", "at least one part"},
        {STEP("{\"at\": \"1s\", \"txn\": [@{\"read\": 1, \"append\": 1}]}"),
         "$.clients[0].script[0].txn[0]", "does one thing"},
        {STEP("{\"at\": \"1s\", \"txn\": [{\"read\": @6}]}"), "$.clients[0].script[0].txn[0].read",
         "from 1 to 5"},
        {STEP("@{\"at\": \"1s\", \"read\": {\"key\": 1}, \"write\": {\"key\": 1}}"),
         "$.clients[0].script[0]", "does one thing"},
        {STEP("{\"at\": \"1s\", \"read\": {\"key\": @6}}"), "$.clients[0].script[0].read.key",
         "from 1 to 5"},
        {STEP("{\"at\": \"1s\", \"by\": @\"n1\", \"read\": {\"key\": 1}}"),
         "$.clients[0].script[0].by", "not one of these clients"},
        {STEP("{\"at\": \"1s\", \"to\": @\"client\", \"read\": {\"key\": 1}}"),
         "$.clients[0].script[0].to", "not a node of the group"},
    };
    EXPECT_ERRORS(rows);
}

/* A fault says when, whom and what, and only what can happen. */
Test(loader_errors, checks_faults)
{
#define FAULT(rest) HEAD RAFT ", \"administrators\": [\"ops\"],\n\"faults\": [" rest "]}"
#define PATH "$.faults[0]"
    static const struct bad rows[] = {
        {FAULT("{\"at\": \"1s\", \"crash\": @\"n4\"}"), PATH ".crash",
         "there is no node, group or selector \"n4\"; did you mean \"n1\"?"},
        {FAULT("{\"at\": \"1s\", \"crash\": @\"laeder\"}"), PATH ".crash",
         "did you mean \"leader\"?"},
        {FAULT("{\"at\": \"1s\", \"crash\": @[]}"), PATH ".crash", "at least one name"},
        {FAULT("{\"at\": \"1s\", \"crash\": [\"n1\", @7]}"), PATH ".crash[1]", "expected a name"},
        {FAULT("{\"at\": \"1s\", \"crash\": @\"clients\"}"), PATH ".crash", "is a client"},
        {FAULT("@{\"crash\": \"n1\"}"), PATH, "\"at\" (a time) or \"when\""},
        {FAULT("@{\"at\": \"1s\"}"), PATH, "what happens is missing"},
        {FAULT("@{\"at\": \"1s\", \"crash\": \"n1\", \"pause\": \"n2\"}"), PATH, "does one thing"},
        {FAULT("{\"at\": \"1s\", @\"crahs\": \"n1\", \"pause\": \"n1\"}"), PATH ".crahs",
         "did you mean \"crash\"?"},
        {FAULT("{\"at\": @\"-1s\", \"crash\": \"n1\"}"), PATH ".at", "cannot be negative"},
        {FAULT("{\"at\": @\"99999999999d\", \"crash\": \"n1\"}"), PATH ".at", "too large"},
        {FAULT("{\"at\": @\"10s\", \"crash\": \"n1\"}"), PATH ".at",
         "after the end: the duration is 10s"},
        {FAULT("{\"at\": \"1s\", \"crash\": \"n1\", \"for\": @\"0s\"}"), PATH ".for", "more than"},
        {FAULT("{\"at\": \"1s\", \"crash\": \"n1\", \"for\": @\"2s\", \"every\": \"2s\"}"),
         PATH ".for", "never be over"},
        {FAULT("{\"at\": \"1s\", \"crash\": \"n1\", @\"times\": 3}"), PATH ".times",
         "\"times\" needs \"every\""},
        {FAULT("{\"at\": \"1s\", \"restart\": \"n1\", @\"for\": \"1s\"}"), PATH ".for",
         "restart cannot be undone"},
        {FAULT("{\"when\": {\"fact\": @\"roll\", \"is\": 1}, \"crash\": \"n1\"}"),
         PATH ".when.fact", "there is no fact \"roll\"; did you mean \"role\"?"},
        {FAULT("{\"when\": {\"fact\": \"role\", \"is\": @\"boss\"}, \"crash\": \"n1\"}"),
         PATH ".when.is", "known: follower, candidate, leader"},
        {FAULT("{\"when\": @{\"fact\": \"term\"}, \"crash\": \"n1\"}"), PATH ".when",
         "one of \"is\" and \"at_least\""},
        {FAULT("{\"at\": \"1s\", \"slow\": {\"of\": \"n1\", \"speed\": @\"0%\"}}"),
         PATH ".slow.speed", "above 0%"},
        {FAULT("{\"at\": \"1s\", \"partition\": {\"shape\": @\"halfs\"}}"), PATH ".partition.shape",
         "did you mean \"halves\"?"},
        {FAULT("{\"at\": \"1s\", \"partition\": @{\"shape\": \"between\"}}"), PATH ".partition",
         "\"of\" is missing"},
        {FAULT("{\"at\": \"1s\", \"partition\": @[\"n1\"]}"), PATH ".partition", "two sides"},
        {FAULT("{\"at\": \"1s\", \"link\": @{\"between\": [\"n1\", \"n2\"]}}"), PATH ".link",
         "nothing changes"},
        {FAULT("{\"at\": \"1s\", \"adversary\": {@\"loss\": \"1%\", \"forge\": \"1%\"}}"),
         PATH ".adversary.loss", "unknown key"},
        {FAULT("{\"at\": \"1s\", \"disk\": {\"of\": \"n1\", \"lie\": @\"2\"}}"), PATH ".disk.lie",
         "at most 100%"},
        {FAULT("{\"at\": \"1s\", \"clock\": @{\"of\": \"n1\"}}"), PATH ".clock", "one of \"step\""},
        {FAULT("{\"at\": \"1s\", \"move\": {\"of\": \"n1\", \"to\": @\"z\"}}"), PATH ".move.to",
         "there is no zone \"z\""},
        {FAULT("{\"at\": \"1s\", \"admin\": {\"by\": @\"opps\", \"of\": \"n\", \"set\": {}}}"),
         PATH ".admin.by", "there is no administrator \"opps\"; did you mean \"ops\"?"},
        {FAULT("{\"at\": \"1s\", \"admin\": {\"by\": \"ops\", \"of\": \"n\", \"set\": "
               "{@\"prevote\": true}}}"),
         PATH ".admin.set.prevote", "did you mean \"pre_vote\"?"},
        {FAULT("{\"at\": \"1s\", \"command\": {\"of\": \"n1\", \"name\": @\"transfer\"}}"),
         PATH ".command.name", "there is no command \"transfer\""},
        {FAULT("{\"at\": \"1s\", \"heal\": @false}"), PATH ".heal", "expected true"},
        {FAULT("{\"at\": \"1s\", \"scale\": {\"of\": @\"n1\", \"to\": 3}}"), PATH ".scale.of",
         "expected the name of one group"},
        {FAULT("{\"at\": \"1s\", \"scale\": {\"of\": \"n\", \"to\": @0}}"), PATH ".scale.to",
         "from 1 to"},
        {FAULT("{\"at\": \"1s\", \"scale\": {\"of\": \"n\", \"to\": @4}}"), PATH ".scale.to",
         "\"n\" has 3 nodes in all"},
        {FAULT("{\"at\": \"1s\", \"scale\": {\"of\": \"n\", \"to\": 2, \"step\": @\"1us\"}}"),
         PATH ".scale.step", "every 1ms at most"},
        {FAULT("{\"at\": \"1s\", \"scale\": {\"of\": \"n\", \"to\": 2}, @\"for\": \"1s\"}"),
         PATH ".for", "scale cannot be undone"},
    };
    EXPECT_ERRORS(rows);
}

/* So do random faults and single fates. */
Test(loader_errors, checks_swarm_and_fates)
{
#define SWARM(rest) HEAD RAFT ", \"swarm\": [{" rest "}]}"
#define FATE(rest) HEAD RAFT ", \"fates\": [{" rest "}]}"
    static const struct bad rows[] = {
        {SWARM("\"family\": @\"crashes\""), "$.swarm[0].family", "did you mean \"crash\"?"},
        {SWARM("\"family\": \"loss\", \"strength\": @\"200%\""), "$.swarm[0].strength", "at most"},
        {SWARM("\"family\": \"crash\", @\"strength\": \"2%\""), "$.swarm[0].strength",
         "has no strength"},
        {SWARM("\"family\": \"loss\", @\"majority\": true"), "$.swarm[0].majority", "is for"},
        {SWARM("\"family\": \"crash\", \"every\": @\"0s\""), "$.swarm[0].every", "without end"},
        {HEAD RAFT ", \"swarm\": [@{\"family\": \"command\"}]}", "$.swarm[0]",
         "\"command\" is missing"},
        {SWARM("\"family\": \"command\", \"command\": @\"campain\""), "$.swarm[0].command",
         "did you mean \"campaign\"?"},
        {SWARM("\"families\": [\"loss\", @\"loss\"]"), "$.swarm[0].families[1]", "already"},
        {SWARM("\"family\": \"pause\", \"group\": @\"m\""), "$.swarm[0].group",
         "there is no group of nodes \"m\""},
        {FATE("\"from\": @\"n\", \"to\": \"n2\", \"ordinal\": 1, \"drop\": true"),
         "$.fates[0].from", "there is no node \"n\""},
        {FATE("\"from\": \"n1\", \"to\": @\"n1\", \"ordinal\": 1, \"drop\": true"), "$.fates[0].to",
         "nothing to itself"},
        {FATE("\"from\": \"n1\", \"to\": \"n2\", \"ordinal\": @0, \"drop\": true"),
         "$.fates[0].ordinal", "from 1 to"},
        {FATE("\"from\": \"n1\", \"to\": \"n2\", \"ordinal\": 1, \"message\": "
              "@\"append_entry\", \"drop\": true"),
         "$.fates[0].message", "did you mean \"append_entries\"?"},
        {HEAD RAFT ", \"fates\": [@{\"from\": \"n1\", \"to\": \"n2\", \"ordinal\": 1}]}",
         "$.fates[0]", "one of \"drop\""},
    };
    EXPECT_ERRORS(rows);
}

/* A verdict is asked only of a check that is watched. */
Test(loader_errors, checks_checks)
{
    static const struct bad rows[] = {
        {HEAD RAFT ", \"checks\": [@\"election_safty\"]}", "$.checks[0]",
         "there is no check \"election_safty\"; did you mean \"election_safety\"? see `fallacy "
         "list checks`"},
        {HEAD RAFT ", \"checks\": [\"liveness\", @\"liveness\"]}", "$.checks[1]", "already"},
        {HEAD RAFT ", \"checks\": @\"some\"}", "$.checks", "expected \"all\""},
        {HEAD RAFT ", \"expect\": {@\"livenes\": \"holds\"}}", "$.expect.livenes",
         "did you mean \"liveness\"?"},
        {HEAD RAFT ", \"expect\": {\"liveness\": @\"hold\"}}", "$.expect.liveness",
         "there is no verdict \"hold\"; did you mean \"holds\"?"},
        {HEAD RAFT ", \"checks\": [\"liveness\"], \"expect\": {@\"log_matching\": \"holds\"}}",
         "$.expect.log_matching", "is not among \"checks\""},
        {HEAD RAFT ", \"checks\": [\"liveness\"], \"settle\": @\"0s\"}", "$.settle", "needs time"},
    };
    EXPECT_ERRORS(rows);
}

/* One load tells every error, in one go. */
Test(loader_errors, reports_every_error_at_once)
{
    struct scenario s;
    cr_expect_eq(parse(&s, "{\"titel\": \"t\",\n\"duration\": \"0s\",\n\"nodes\": [{\"kind\": "
                           "\"rafd\", \"name\": \"n\", \"count\": 3}],\n\"faults\": [{\"at\": "
                           "\"-1s\", \"crash\": \"n9\"}, {\"at\": \"1s\", \"pause\": \"n3\"}],\n"
                           "\"checks\": [\"x\"]}"),
                 SIM_EINVAL);
    static const char *const paths[] = {
        "$.titel",           "$",          "$", "$.duration", "$.nodes[0].kind", "$.faults[0].at",
        "$.faults[0].crash", "$.checks[0]"};
    cr_assert_eq(s.error_count, sizeof paths / sizeof paths[0], "%zu", s.error_count);
    for (size_t i = 0; i < s.error_count; i++) {
        cr_expect_str_eq(s.errors[i].path, paths[i]);
        cr_expect_gt(s.errors[i].line, 0);
    }
    scenario_release(&s);
}

/* An unknown group is one error, not one for each time its nodes are named. */
Test(loader_errors, tells_no_consequences)
{
    struct scenario s;
    cr_expect_eq(parse(&s, HEAD "\"nodes\": [{\"kind\": \"raft\", \"name\": \"?\"}],\n"
                                "\"clients\": [{\"target\": \"n\"}],\n"
                                "\"faults\": [{\"at\": \"1s\", \"crash\": \"n1\"}]}"),
                 SIM_EINVAL);
    cr_expect_eq(s.error_count, 1);
    scenario_release(&s);
}

/* Errors without number end at a hundred, and say so. */
Test(loader_errors, stops_telling_at_a_hundred_errors)
{
    char text[20000] = HEAD RAFT ", \"administrators\": [";
    for (int i = 0; i < 64; i++) {
        strcat(text, i ? ",1" : "1");
    }
    strcat(text, "], \"checks\": [");
    for (int i = 0; i < 100; i++) {
        strcat(text, i ? ",1" : "1");
    }
    strcat(text, "]}");
    struct scenario s;
    cr_expect_eq(parse(&s, text), SIM_EINVAL);
    cr_expect_eq(s.error_count, LOAD_ERRORS_MAX + 1);
    cr_expect(strstr(s.errors[LOAD_ERRORS_MAX].message, "more errors follow"));
    scenario_release(&s);
}
