/* Scenarios from text: what is good becomes a plan, what is bad an error with its place. */
#include <inttypes.h>

#include "scenarios/format/load.h"
#include "scenarios/format/regions.h"
#include "tests/scenarios.h"

/* ---- Good ones --------------------------------------------------------------------------- */

/* The smallest scenario is a title, a reason, a duration and a node; the rest is standard. */
Test(loader, loads_the_smallest_scenario)
{
    struct scenario s;
    must_parse(&s, HEAD RAFT "}");
    cr_expect_str_eq(s.file, "test.json");
    cr_expect_str_eq(s.title, "t");
    cr_expect_null(s.lesson);
    cr_expect_eq(s.plan.duration_ns, 10 * SIM_S);
    cr_expect_eq(s.plan.settle_ns, 0);
    cr_expect_eq(s.plan.seed, 1);
    cr_assert_eq(s.plan.node_count, 3);
    cr_expect_str_eq(s.plan.nodes[0].name, "n1");
    cr_expect_str_eq(s.plan.nodes[2].name, "n3");
    cr_expect_eq(s.plan.zone_count, 1);
    cr_expect_eq(s.plan.base_ns[0], 50 * SIM_US);
    cr_expect_eq(s.plan.nodes[0].host.disk.sync_latency.a, SIM_MS);
    cr_expect_eq(s.plan.checks >> SIM_CHECK_LIVENESS & 1, 0, "liveness only where asked for");
    cr_expect_eq(s.plan.checks & 1, 1);
    cr_expect_eq(s.expect[0], SCENARIO_NO_EXPECTATION);
    scenario_release(&s);
}

/* Delays between regions are half the matrix's round trip; within one they are the zones'. */
Test(loader, takes_delays_from_a_matrix)
{
    struct scenario s;
    must_parse(&s, HEAD "\"topology\": {\"regions\": \"aws-2025\", \"zones\": {\"a\": "
                        "\"us-east-1\", \"b\": \"us-east-1\", \"c\": \"us-west-2\"}},\n"
                        "\"nodes\": [{\"kind\": \"raft\", \"name\": \"n\", \"count\": 3, "
                        "\"zones\": [\"a\", \"b\", \"c\"]}]}");
    cr_expect_eq(s.plan.zone_count, 3);
    cr_expect_eq(s.plan.region_count, 2);
    cr_expect_eq(s.plan.base_ns[0 * 3 + 0], 50 * SIM_US);
    cr_expect_eq(s.plan.base_ns[0 * 3 + 1], 380 * SIM_US);
    const uint64_t far_ns = s.plan.base_ns[0 * 3 + 2];
    cr_expect(far_ns > 30 * SIM_MS && far_ns < 35 * SIM_MS, "us-east-1 to us-west-2: %" PRIu64,
              far_ns);
    cr_expect_eq(s.plan.price_nano_per_gb[0 * 3 + 0], 0);
    cr_expect_eq(s.plan.price_nano_per_gb[0 * 3 + 2], 20000000);
    cr_expect_eq(s.plan.nodes[2].zone, 2);
    scenario_release(&s);
}

/* Every matrix and every jitter table is whole. */
Test(loader, has_whole_tables)
{
    static const uint32_t sizes[] = {32, 19, 20, 74, 13};
    for (uint32_t i = 0; regions_matrices[i]; i++) {
        struct regions *regions = regions_load(regions_matrices[i]);
        cr_assert_not_null(regions, "%s", regions_matrices[i]);
        cr_expect_eq(regions->count, sizes[i], "%s", regions_matrices[i]);
        for (uint32_t k = 0; k < regions->count * regions->count; k++) {
            const uint32_t from = k / regions->count;
            const uint32_t to = k % regions->count;
            const uint64_t ns = regions->one_way_ns[from][to];
            /* Azure's neighbours have 0 to 2 ms; nothing on earth needs 250 ms one way. */
            cr_expect(from == to || ns < 250 * SIM_MS, "%s: %s to %s: %" PRIu64,
                      regions_matrices[i], regions->names[from], regions->names[to], ns);
        }
        free(regions);
    }
    for (uint32_t i = 0; regions_jitters[i]; i++) {
        struct sim_dist dist;
        cr_assert(regions_jitter(regions_jitters[i], &dist));
        cr_expect_null(sim_dist_problem(&dist), "%s", regions_jitters[i]);
        cr_expect_eq(sim_dist_sample(&dist, UINT64_C(1) << 63, 0), SIM_PPM,
                     "%s: the median is the usual delay", regions_jitters[i]);
    }
    cr_expect_null(regions_load("jitter-cloud"));
}

/* A latency replaces the matrix unless the scenario says otherwise. */
Test(loader, overlays_the_knobs_of_links)
{
    struct scenario s;
    must_parse(&s,
               HEAD RAFT ", \"topology\": {\"links\": [{\"latency\": \"1ms..10ms\"}, "
                         "{\"between\": [\"n1\", \"n2\"], \"latency\": \"2ms\", \"base\": true}, "
                         "{\"from\": \"n1\", \"loss\": \"3%\"}]}}");
    cr_assert_eq(s.plan.link_count, 3);
    struct sim_link_knobs knobs;
    sim_link_knobs_init(&knobs);
    sim_link_knobs_apply(&knobs, &s.plan.links[0].change);
    cr_expect_eq(knobs.use_base, 0);
    cr_expect_eq(knobs.latency.kind, SIM_DIST_UNIFORM);
    cr_expect_eq(knobs.latency.b, 10 * SIM_MS);
    sim_link_knobs_apply(&knobs, &s.plan.links[1].change);
    cr_expect_eq(knobs.use_base, 1);
    sim_link_knobs_apply(&knobs, &s.plan.links[2].change);
    cr_expect_eq(knobs.latency.a, 2 * SIM_MS, "a rule changes what it names and no more");
    cr_expect_eq(knobs.loss_ppm, 30000);
    cr_expect(s.plan.links[1].both_ways && !s.plan.links[2].both_ways);
    scenario_release(&s);
}

static char *read_whole(const char *path)
{
    FILE *file = fopen(path, "rb");
    cr_assert_not_null(file, "%s", path);
    char *text = calloc(1, 100000);
    cr_assert_not_null(text);
    cr_assert_gt(fread(text, 1, 99999, file), 0);
    fclose(file);
    return text;
}

/* A scenario with every key loads, so that no key is only a word in a list. */
Test(loader, loads_every_key)
{
    struct scenario s;
    must_load(&s, "tests/fuzz/every_key.json", NULL, 0);
    cr_expect_eq(s.plan.seed, UINT64_MAX);
    cr_expect_eq(s.plan.settle_ns, 5 * SIM_S);
    cr_expect_eq(s.plan.fault_count, 27, "an administrator's two settings are two faults");
    cr_expect_eq(s.expect[SIM_CHECK_LIVENESS], SCENARIO_SOMETIMES);
    char *text = read_whole("tests/fuzz/every_key.json");
    for (uint32_t i = 0; i < LOAD_OBJECT_COUNT; i++) {
        for (const char *const *key = load_objects[i].keys; *key; key++) {
            char quoted[64];
            snprintf(quoted, sizeof quoted, "\"%s\":", *key);
            cr_expect(strstr(text, quoted) || strcmp(*key, "matrix") == 0,
                      "tests/fuzz/every_key.json lacks %s", quoted);
        }
    }
    free(text);
    scenario_release(&s);
}

/* ---- The schema -------------------------------------------------------------------------- */

static const cJSON *definition(const cJSON *schema, const char *name)
{
    return strcmp(name, "scenario") == 0
               ? schema
               : cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(schema, "$defs"),
                                                  name);
}

/* The schema for editors and the loader know the same keys. */
Test(loader, and_schema_know_the_same_keys)
{
    char *text = read_whole("scenarios/schema.json");
    cJSON *schema = cJSON_Parse(text);
    cr_assert_not_null(schema);
    for (uint32_t i = 0; i < LOAD_OBJECT_COUNT; i++) {
        const struct load_object_info *info = &load_objects[i];
        const cJSON *def = definition(schema, info->name);
        const cJSON *properties = cJSON_GetObjectItemCaseSensitive(def, "properties");
        cr_assert(cJSON_IsObject(properties), "the schema has no definition of %s", info->name);
        cr_expect(cJSON_IsFalse(cJSON_GetObjectItemCaseSensitive(def, "additionalProperties")),
                  "%s must be closed", info->name);
        int count = 0;
        for (const char *const *key = info->keys; *key; key++, count++) {
            cr_expect(cJSON_GetObjectItemCaseSensitive(properties, *key),
                      "the schema's %s lacks \"%s\"", info->name, *key);
        }
        cr_expect_eq(cJSON_GetArraySize(properties), count,
                     "the schema's %s has keys that the loader does not know", info->name);
    }
    cJSON_Delete(schema);
    free(text);
}

/* "all" is the invariants and liveness, and may stand beside names of what is judged at the end. */
Test(loader, and_all_checks)
{
    static const char *const texts[] = {"\"all\"", "[\"all\"]", "[\"convergence\", \"all\"]",
                                        "[\"convergence\"]"};
    const uint64_t convergence = UINT64_C(1) << SIM_CHECK_CONVERGENCE;
    const uint64_t expected[] = {SIM_CHECKS_ALL, SIM_CHECKS_ALL, SIM_CHECKS_ALL | convergence,
                                 convergence};
    for (size_t i = 0; i < 4; i++) {
        char text[400];
        struct scenario s;
        (void)snprintf(text, sizeof text,
                       "{\"title\": \"t\", \"why\": \"w\", \"duration\": \"1s\", \"nodes\": "
                       "[{\"kind\": \"raft\", \"name\": \"n\", \"count\": 3}], \"checks\": %s}",
                       texts[i]);
        must_parse(&s, text);
        cr_expect_eq(s.plan.checks, expected[i], "%s", texts[i]);
        cr_expect_eq(s.plan.settle_ns, 10 * SIM_S, "both need time");
        scenario_release(&s);
    }
}

/* Its lists of names are the program's. */
Test(loader, and_schema_know_the_same_names)
{
    char *text = read_whole("scenarios/schema.json");
    cJSON *schema = cJSON_Parse(text);
    cr_assert_not_null(schema);
    const cJSON *checks = cJSON_GetObjectItemCaseSensitive(definition(schema, "check"), "enum");
    cr_assert_eq(cJSON_GetArraySize(checks), SIM_CHECK_COUNT);
    for (int i = 0; i < SIM_CHECK_COUNT; i++) {
        cr_expect_str_eq(cJSON_GetArrayItem(checks, i)->valuestring, sim_check_infos[i].name);
    }
    const cJSON *families = cJSON_GetObjectItemCaseSensitive(definition(schema, "family"), "enum");
    cr_assert_eq(cJSON_GetArraySize(families), SIM_SWARM_FAMILY_COUNT);
    for (int i = 0; i < SIM_SWARM_FAMILY_COUNT; i++) {
        cr_expect_str_eq(cJSON_GetArrayItem(families, i)->valuestring,
                         sim_swarm_family_name((uint32_t)i));
    }
    cJSON_Delete(schema);
    free(text);
}

/* ---- Values set from outside -------------------------------------------------------------- */

struct set {
    const char *set;
    const char *path;    /* NULL: it is good. */
    const char *message; /* A part of it, after "--set PATH=VALUE: ". */
};

/* A value from outside takes the place of the text's, and errors name it instead of a line. */
Test(loader, takes_values_from_outside)
{
    static const struct set rows[] = {
        {"duration=3s", NULL, NULL},
        {"$.duration=3s", NULL, NULL},
        {"seed=18446744073709551615", NULL, NULL},
        {"nodes[0].config.pre_vote=true", NULL, NULL},
        {"nodes[0].config={\"pre_vote\": true}", NULL, NULL},
        {"clients[0].think=1ms", NULL, NULL},
        {"faults[0]={\"at\": \"1s\", \"crash\": \"leader\"}", NULL, NULL},
        {"topology.links.default.loss=1%", NULL, NULL},
        {"nodes[0][\"count\"]=5", NULL, NULL},
        {"duration=0s", "$.duration", "must be more than 0s"},
        {"nodez=1", "$.nodez", "did you mean \"nodes\"?"},
        {"nodes[0].config.min.insync.replicas=2", "$.nodes[0].config[\"min.insync.replicas\"]",
         "raft has no setting"},
        {"topologi.links.default.loss=1%", "$.topologi", "did you mean \"topology\"?"},
        {"nodes[7].count=1", "$.nodes[7].count", "beyond the array"},
        {"nodes.count=1", "$.nodes.count", "without keys"},
        {"title[0]=1", "$.title[0]", "no array"},
        {"duration", "$", "expected PATH=VALUE"},
        {"=1", "$", "expected PATH=VALUE"},
        {"a..b=1", "$", "expected PATH=VALUE"},
        {"a[x]=1", "$", "expected PATH=VALUE"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct scenario s;
        const char *text = HEAD RAFT "}";
        const enum sim_status status = scenario_parse(&s, "x", text, strlen(text), &rows[i].set, 1);
        cr_expect_eq(status, rows[i].path ? SIM_EINVAL : SIM_OK, "%s", rows[i].set);
        cr_expect_eq(s.error_count, rows[i].path ? 1 : 0, "%s", rows[i].set);
        if (s.error_count > 0 && rows[i].path) {
            char message[200];
            snprintf(message, sizeof message, "--set %s: ", rows[i].set);
            cr_expect_eq(s.errors[0].line, 0);
            cr_expect_str_eq(s.errors[0].path, rows[i].path, "%s", s.errors[0].path);
            cr_expect(strstr(s.errors[0].message, message) == s.errors[0].message &&
                          strstr(s.errors[0].message, rows[i].message),
                      "%s", s.errors[0].message);
        }
        cr_expect_str_eq(s.text, text, "the text stays what was read");
        scenario_release(&s);
    }
}

/* A file that cannot be read is an error like others. */
Test(loader, tells_of_a_file_that_is_not_there)
{
    struct scenario s;
    cr_expect_eq(scenario_load(&s, "/nowhere/x.json", NULL, 0), SIM_EINVAL);
    cr_assert_eq(s.error_count, 1);
    cr_expect_str_eq(s.errors[0].message, "cannot be read: No such file or directory");
    char line[200] = "";
    FILE *stream = fmemopen(line, sizeof line, "w");
    scenario_print_errors(&s, stream);
    fclose(stream);
    cr_expect_str_eq(line, "/nowhere/x.json: $: cannot be read: No such file or directory\n");
    scenario_release(&s);
}
