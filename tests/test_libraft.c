/* Debian's libraft in the simulator: that the adapter keeps the library's contract, that a world
 * with it in it can be copied and repeated, and that its known bugs are found. Where the library
 * is not installed every test here is skipped. Run from the source tree's root. */
#include "nodes/registry.h"
#include "sim/world_internal.h"
#include "tests/scenarios.h"

static void skip_without_the_library(void)
{
    if (!node_registry_find("libraft")) {
        cr_skip_test("libraft is not installed");
    }
}

TestSuite(libraft, .init = skip_without_the_library);

/* ---- Worlds ------------------------------------------------------------------------------ */

#define CHAOS                                                                                      \
    "{\"families\": [\"crash\", \"isolate\", \"halves\", \"disk_slow\"], \"off\": \"30%\","        \
    " \"every\": {\"exponential\": \"1s\"}, \"length\": {\"exponential\": \"700ms\"}}"
#define SMALL_SNAPSHOTS                                                                            \
    "\"election_timeout\": \"150ms\", \"heartbeat_timeout\": \"30ms\", \"snapshot_threshold\":"    \
    " 40, \"snapshot_trailing\": 10"

/* Three nodes and three clients; `config` of the nodes, `more` keys of the scenario. */
static void make(struct scenario *scenario, const char *config, const char *more)
{
    char text[2000];
    const int length = snprintf(
        text, sizeof text,
        "{\"title\": \"t\", \"why\": \"t\", \"duration\": \"10s\","
        " \"topology\": {\"links\": [{\"latency\": \"1ms..5ms\"}],"
        "  \"hosts\": {\"disk\": {\"survive\": \"50%%\", \"torn\": \"50%%\"}}},"
        " \"nodes\": [{\"kind\": \"libraft\", \"name\": \"n\", \"count\": 3, \"config\": {%s}}],"
        " \"clients\": [{\"count\": 3, \"think\": \"20ms\", \"timeout\": \"300ms\"}],"
        " \"checks\": \"all\"%s}",
        config, more);
    cr_assert_lt(length, (int)sizeof text);
    must_parse(scenario, text);
}

static struct sim_view view_of(const struct sim_world *world, uint32_t node)
{
    const struct sim_env *env = &world->nodes[node];
    struct sim_view view;
    env->kind->consensus->view(env->state, &view);
    return view;
}

/* Without faults it elects one leader, commits, and no invariant is violated. */
Test(libraft, three_nodes_elect_and_commit)
{
    struct scenario scenario;
    struct runner runner;
    make(&scenario, "", "");
    cr_assert(runner_init(&runner, &scenario.plan));
    for (uint64_t seed = 1; seed <= 10; seed++) {
        struct sim_world *world = must_run(&runner, &scenario.plan, seed, NULL);
        struct sim_metrics metrics;
        sim_world_metrics(world, &metrics);
        cr_expect_eq(metrics.leader_changes, 1, "seed %d", (int)seed);
        cr_expect_gt(metrics.operations_ok, 500, "seed %d", (int)seed);
        cr_expect_geq(metrics.commit_max, metrics.operations_ok, "seed %d", (int)seed);
        for (uint32_t check = 0; check < SIM_CHECK_COUNT; check++) {
            cr_expect(!check_state(world, check)->violated, "seed %d violates %s", (int)seed,
                      sim_check_infos[check].name);
        }
    }
    runner_release(&runner);
    scenario_release(&scenario);
}

/* The properties that none of its bugs touches hold whatever happens, torn disks included: a
 * violation would be the adapter's. */
Test(libraft, chaos_breaks_nothing_that_the_adapter_answers_for)
{
    static const enum sim_check checks[] = {
        SIM_CHECK_ONE_VOTE_PER_TERM, SIM_CHECK_TERM_MONOTONIC, SIM_CHECK_ELECTION_SAFETY,
        SIM_CHECK_VOTE_UP_TO_DATE,   SIM_CHECK_LOG_MATCHING,   SIM_CHECK_LOG_CONTINUITY,
        SIM_CHECK_EXACTLY_ONCE,      SIM_CHECK_CRASH_FREE,     SIM_CHECK_LEADER_APPEND_ONLY};
    struct scenario scenario;
    struct runner runner;
    make(&scenario, SMALL_SNAPSHOTS, ", \"swarm\": [" CHAOS "]");
    cr_assert(runner_init(&runner, &scenario.plan));
    uint64_t crashes = 0;
    uint32_t refused = 0;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        struct sim_world *world = must_run(&runner, &scenario.plan, seed, NULL);
        struct sim_metrics metrics;
        sim_world_metrics(world, &metrics);
        crashes += metrics.crashes;
        for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++) {
            cr_expect(!check_state(world, checks[i])->violated, "seed %d violates %s: %s",
                      (int)seed, sim_check_infos[checks[i]].name,
                      check_state(world, checks[i])->detail);
        }
        for (uint32_t node = 0; node < 3; node++) {
            refused += world->nodes[node].up && view_of(world, node).role == SIM_ROLE_NONE;
        }
    }
    cr_expect_eq(refused, 0, "a torn record must not keep a node from starting");
    cr_expect_gt(crashes, 100, "chaos must crash nodes");
    runner_release(&runner);
    scenario_release(&scenario);
}

/* All crash at once, then one alone misses so much that it needs a snapshot: all of them end
 * with the same entries applied. */
Test(libraft, nodes_come_back_from_their_disks_and_from_snapshots)
{
    struct scenario scenario;
    struct runner runner;
    make(&scenario, SMALL_SNAPSHOTS,
         ", \"faults\": [{\"at\": \"2s\", \"crash\": [\"n1\", \"n2\", \"n3\"], \"for\": \"1s\"},"
         " {\"at\": \"4s\", \"crash\": \"n3\", \"for\": \"3s\"}]");
    scenario.plan.workloads[0].stop_ns = 9 * SIM_S;
    scenario.plan.settle_ns = 0;
    cr_assert(runner_init(&runner, &scenario.plan));
    for (uint64_t seed = 1; seed <= 20; seed++) {
        const struct sim_world *world = must_run(&runner, &scenario.plan, seed, NULL);
        const struct sim_view n1 = view_of(world, 0);
        const struct sim_view n3 = view_of(world, 2);
        cr_expect_gt(n1.applied_index, 200, "seed %d", (int)seed);
        cr_expect_eq(n3.applied_index, n1.applied_index, "seed %d", (int)seed);
        cr_expect_gt(n3.snapshot_index, 40, "seed %d", (int)seed);
        cr_expect_gt(n3.first_index, 1, "seed %d", (int)seed);
        cr_expect(!check_state(world, SIM_CHECK_STATE_MACHINE_SAFETY)->violated, "seed %d",
                  (int)seed);
        cr_expect(!check_state(world, SIM_CHECK_ACKED_DURABLE)->violated, "seed %d", (int)seed);
    }
    runner_release(&runner);
    scenario_release(&scenario);
}

/* ---- One arena holds it all ---------------------------------------------------------------- */

static uint64_t run_on(struct sim_world *world, uint64_t until_ns)
{
    (void)sim_world_run(world, until_ns);
    return sim_world_hash(world);
}

/* Run on, restore, run on again: the same hash. So all of the library's state is in the arena. */
Test(libraft, a_world_is_restored_from_a_copy)
{
    struct scenario scenario;
    make(&scenario, SMALL_SNAPSHOTS, ", \"swarm\": [" CHAOS "]");
    struct sim_arena *arena = sim_arena_new(scenario.plan.memory_bytes);
    cr_assert(arena);
    struct sim_snapshot snapshot = {0};
    for (uint64_t seed = 1; seed <= 10; seed++) {
        struct sim_world *world;
        sim_arena_reset(arena);
        cr_assert_eq(sim_world_new(&world, arena, &scenario.plan, seed, NULL), SIM_OK);
        const uint64_t before = run_on(world, seed * 700 * SIM_MS);
        cr_assert_eq(sim_snapshot_take(&snapshot, arena), SIM_OK);
        const uint64_t after = run_on(world, SIM_NEVER);
        cr_expect_neq(before, after);
        sim_snapshot_restore(&snapshot, arena);
        cr_expect_eq(sim_world_hash(world), before, "seed %d", (int)seed);
        cr_expect_eq(run_on(world, SIM_NEVER), after, "seed %d", (int)seed);
        sim_arena_reset(arena);
        cr_assert_eq(sim_world_new(&world, arena, &scenario.plan, seed, NULL), SIM_OK);
        cr_expect_eq(run_on(world, SIM_NEVER), after, "seed %d", (int)seed);
    }
    sim_snapshot_release(&snapshot);
    sim_arena_free(arena);
    scenario_release(&scenario);
}

/* ---- Durable before anything leaves -------------------------------------------------------- */

struct watch {
    bool unsynced[3]; /* Term or vote written, */
    bool syncing[3];  /* and a sync under way that covers it. */
    uint64_t writes;
    uint64_t leaks; /* Messages of the protocol sent meanwhile. */
};

static void watch_record(void *context, const struct sim_record *record)
{
    struct watch *watch = context;
    if (record->node >= 3) {
        return;
    }
    bool *unsynced = &watch->unsynced[record->node];
    bool *syncing = &watch->syncing[record->node];
    switch (record->kind) {
    case SIM_REC_WRITE:
        if (record->detail == 1) { /* The file of term and vote. */
            *unsynced = true;
            *syncing = false;
            watch->writes++;
        }
        break;
    case SIM_REC_SYNC:
        *syncing = *unsynced;
        break;
    case SIM_REC_SYNCED:
        *unsynced = *unsynced && !*syncing;
        break;
    case SIM_REC_CRASH:
        *unsynced = false;
        break;
    case SIM_REC_SEND:
        watch->leaks += *unsynced && record->detail < SIM_MESSAGE_REQUEST;
        break;
    }
}

/* No message leaves a node between a change of its term or vote and the sync that covers it. */
Test(libraft, nothing_is_sent_before_term_and_vote_are_durable)
{
    struct scenario scenario;
    struct runner runner;
    make(&scenario, SMALL_SNAPSHOTS, ", \"swarm\": [" CHAOS "]");
    cr_assert(runner_init(&runner, &scenario.plan));
    for (uint64_t seed = 1; seed <= 30; seed++) {
        struct watch watch = {0};
        const struct sim_sink sink = {
            .context = &watch, .kinds = UINT32_MAX, .record = watch_record};
        (void)must_run(&runner, &scenario.plan, seed, &sink);
        cr_expect_gt(watch.writes, 3, "seed %d", (int)seed);
        cr_expect_eq(watch.leaks, 0, "seed %d", (int)seed);
    }
    runner_release(&runner);
    scenario_release(&scenario);
}

/* ---- The bugs it has ------------------------------------------------------------------------ */

/* How many of the seeds 1 .. `seeds` of a scenario of the catalogue violate its check. */
static uint32_t find(const char *name, enum sim_check check, uint64_t seeds)
{
    char file[200];
    snprintf(file, sizeof file, "scenarios/libraft/%s.json", name);
    struct scenario scenario;
    struct runner runner;
    must_load(&scenario, file, NULL, 0);
    cr_assert(runner_init(&runner, &scenario.plan));
    uint32_t found = 0;
    for (uint64_t seed = 1; seed <= seeds; seed++) {
        const struct sim_world *world = must_run(&runner, &scenario.plan, seed, NULL);
        found += check_state(world, check)->violated;
    }
    runner_release(&runner);
    scenario_release(&scenario);
    return found;
}

/* Replies that name more than was checked let a leader commit what only it has on disk. */
Test(libraft, over_ack_is_found)
{
    cr_expect_geq(find("over_ack", SIM_CHECK_COMMIT_DURABLE_QUORUM, 20), 3);
}

/* The target of a leadership transfer gets a vote that was given to another before. */
Test(libraft, double_vote_is_found)
{
    cr_expect_geq(find("transfer_double_vote", SIM_CHECK_ONE_VOTE_PER_TERM, 40), 3);
}

/* Entries below a follower's snapshot are appended again, and its memory is not its own any more.
 */
Test(libraft, snapshot_overlap_is_found)
{
    cr_expect_geq(find("snapshot_overlap_crash", SIM_CHECK_CRASH_FREE, 20), 3);
}

/* A leader moves its commit index onto an entry of an older term. */
Test(libraft, figure_8_is_found)
{
    cr_expect_geq(find("figure8_old_term", SIM_CHECK_COMMIT_OWN_TERM, 10), 3);
}

/* Two failed writes at a time truncate a log beyond its end. */
Test(libraft, failed_writes_crash_is_found)
{
    cr_expect_geq(find("failed_write_crash", SIM_CHECK_CRASH_FREE, 20), 3);
}

/* ---- Bytes ---------------------------------------------------------------------------------- */

#ifdef FALLACY_LIBRAFT
#include "nodes/libraft/libraft_internal.h"

static char entry_bytes[] = "an entry";
static char snapshot_bytes[] = "a snapshot";

static void fill_message(struct raft_message *m, unsigned short type, struct raft_entry entries[2],
                         struct raft_server *server)
{
    memset(m, 0, sizeof *m);
    m->type = type;
    switch (type) {
    case RAFT_IO_APPEND_ENTRIES:
        entries[0] = (struct raft_entry){5, RAFT_COMMAND, {entry_bytes, 8}, NULL};
        entries[1] = (struct raft_entry){6, RAFT_CHANGE, {entry_bytes, 3}, NULL};
        m->append_entries = (struct raft_append_entries){7, 10, 4, 9, entries, 2};
        break;
    case RAFT_IO_APPEND_ENTRIES_RESULT:
        m->append_entries_result = (struct raft_append_entries_result){7, 8, 9};
        break;
    case RAFT_IO_REQUEST_VOTE:
        m->request_vote = (struct raft_request_vote){7, 2, 30, 4, true, false};
        break;
    case RAFT_IO_REQUEST_VOTE_RESULT:
        m->request_vote_result = (struct raft_request_vote_result){7, true, raft_tribool_false};
        break;
    case RAFT_IO_INSTALL_SNAPSHOT:
        *server = (struct raft_server){3, "17", RAFT_VOTER};
        m->install_snapshot =
            (struct raft_install_snapshot){7, 40, 6, {server, 1}, 1, {snapshot_bytes, 10}};
        break;
    case RAFT_IO_TIMEOUT_NOW:
        m->timeout_now = (struct raft_timeout_now){7, 40, 6};
        break;
    }
}

static void release_message(struct raft_message *m)
{
    if (m->type == RAFT_IO_APPEND_ENTRIES && m->append_entries.n_entries > 0) {
        raft_free(m->append_entries.entries[0].batch);
        raft_free(m->append_entries.entries);
    } else if (m->type == RAFT_IO_INSTALL_SNAPSHOT) {
        raft_configuration_close(&m->install_snapshot.conf);
        raft_free(m->install_snapshot.data.base);
    }
}

/* Every message comes out as it went in; cut short anywhere or with any one bit flipped it is
 * refused. */
Test(libraft, messages_survive_and_damage_is_refused)
{
    for (unsigned short type = RAFT_IO_APPEND_ENTRIES; type <= RAFT_IO_TIMEOUT_NOW; type++) {
        struct raft_message in;
        struct raft_message out;
        struct raft_entry entries[2];
        struct raft_server server;
        uint8_t bytes[300];
        uint8_t again[300];
        fill_message(&in, type, entries, &server);
        const size_t size = libraft_message_bytes(&in);
        cr_assert_leq(size, sizeof bytes);
        libraft_message_encode(&in, bytes);
        cr_assert(libraft_message_decode(&out, type - 1u, bytes, size), "type %d", type);
        cr_assert_eq(libraft_message_bytes(&out), size);
        libraft_message_encode(&out, again);
        cr_expect_eq(memcmp(bytes, again, size), 0, "type %d", type);
        release_message(&out);
        for (size_t cut = 0; cut < size; cut++) {
            cr_expect(!libraft_message_decode(&out, type - 1u, bytes, cut), "type %d", type);
        }
        for (size_t bit = 0; bit < 8 * size; bit++) {
            bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
            cr_expect(!libraft_message_decode(&out, type - 1u, bytes, size), "type %d", type);
            bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
        cr_expect(!libraft_message_decode(&out, type, bytes, size), "read as another type");
    }
}
#endif
