/* The catalogue: every scenario loads, meets its expectations and has its golden hash, and each
 * fallacy does the harm that its scenario says, which its twin does not. */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "nodes/registry.h"
#include "scenarios/commands/outcome.h"
#include "scenarios/commands/runner.h"

#define FOLDER "scenarios/"

/* One run of a scenario file with its own seed. */
struct run {
    bool loaded;
    bool met;
    uint64_t hash;
    uint64_t events;
    struct sim_metrics metrics;
};

/* With the values of `sets`, "PATH=VALUE", in place of its own. */
static struct run run_file(const char *file, const char *const *sets, size_t set_count)
{
    struct run run = {0};
    struct scenario scenario;
    struct runner runner = {0};
    struct sim_world *world;
    uint64_t wall_ns;
    if (scenario_load(&scenario, file, sets, set_count) != SIM_OK) {
        scenario_print_errors(&scenario, stderr);
    } else if (runner_init(&runner, &scenario.plan) &&
               runner_run(&runner, &scenario.plan, scenario.plan.seed, NULL, &world, &wall_ns) ==
                   RUNNER_DONE) {
        run.loaded = true;
        run.met = outcome_met(&scenario, world);
        run.hash = sim_world_hash(world);
        run.events = sim_world_events(world);
        sim_world_metrics(world, &run.metrics);
    }
    runner_release(&runner);
    scenario_release(&scenario);
    return run;
}

static struct sim_metrics measure(const char *file)
{
    const struct run run = run_file(file, NULL, 0);
    cr_assert(run.loaded, "%s does not run", file);
    return run.metrics;
}

static struct sim_metrics measure_with(const char *file, const char *const *sets, size_t set_count)
{
    const struct run run = run_file(file, sets, set_count);
    cr_assert(run.loaded, "%s does not run", file);
    return run.metrics;
}

/* Builds without the library have no such node kind. */
static bool needs_missing_library(const char *file)
{
    return strstr(file, FOLDER "libraft/") == file && !node_registry_find("libraft");
}

/* Every scenario of the catalogue is what it was, and comes to what it expects. */
Test(catalogue, meets_its_expectations_with_its_golden_hashes, .timeout = 120)
{
    FILE *golden = fopen("tests/golden/hashes.txt", "r");
    cr_assert(golden, "tests run in the project's folder");
    char file[256];
    char hash[32];
    uint64_t events;
    char line[400];
    size_t count = 0;
    while (fgets(line, sizeof line, golden)) {
        if (sscanf(line, "%255s %31s %" SCNu64, file, hash, &events) != 3 ||
            needs_missing_library(file)) {
            continue;
        }
        const struct run run = run_file(file, NULL, 0);
        char found[32];
        (void)snprintf(found, sizeof found, "%016" PRIx64, run.hash);
        cr_expect(run.loaded, "%s does not run", file);
        cr_expect(run.met, "%s does not meet its expectations", file);
        cr_expect_str_eq(found, hash, "%s is another run than the golden one", file);
        cr_expect_eq(run.events, events, "%s has another number of events", file);
        count++;
    }
    (void)fclose(golden);
    cr_expect_geq(count, 18);
}

/* The network is reliable: on datagrams loss costs attempts, on streams the same loss is delay. */
Test(catalogue, loss_costs_attempts_on_datagrams_and_latency_on_streams)
{
    const struct sim_metrics lost =
        measure(FOLDER "fallacies/1_network_is_reliable_datagrams_lost.json");
    const struct sim_metrics late =
        measure(FOLDER "fallacies/1_network_is_reliable_streams_late.json");
    cr_expect_gt(lost.messages_lost, lost.messages_sent / 100);
    cr_expect_gt(lost.messages_duplicated, 0);
    cr_expect_gt(lost.attempts, lost.operations);
    cr_expect_eq(late.messages_lost, 0);
    cr_expect_eq(late.messages_duplicated, 0);
    cr_expect_gt(late.messages_retransmitted, late.messages_sent / 100);
    cr_expect_gt(late.latency_p99_ns, lost.latency_p99_ns);
}

/* Latency is zero: the same group over five regions is slower by more than ten times. */
Test(catalogue, regions_cost_latency)
{
    const struct sim_metrics far = measure(FOLDER "fallacies/2_latency_is_zero_five_regions.json");
    const struct sim_metrics near = measure(FOLDER "fallacies/2_latency_is_zero_one_region.json");
    cr_expect_gt(far.latency_p50_ns, 10 * near.latency_p50_ns);
}

/* Bandwidth is infinite: a thin line makes messages wait for seconds, and drops some. */
Test(catalogue, a_thin_line_queues_and_drops)
{
    const struct sim_metrics thin =
        measure(FOLDER "fallacies/3_bandwidth_is_infinite_catch_up_starves_heartbeats.json");
    cr_expect_gt(thin.queue_delay_max_ns, SIM_S);
    cr_expect_gt(thin.messages_dropped[SIM_DROP_QUEUE], 0);
}

/* The network is secure: forged messages are accepted unless they are authenticated. */
Test(catalogue, forged_messages_are_accepted_unless_authenticated)
{
    const struct sim_metrics open =
        measure(FOLDER "fallacies/4_network_is_secure_forged_messages.json");
    const struct sim_metrics closed =
        measure(FOLDER "fallacies/4_network_is_secure_authenticated.json");
    cr_expect_gt(open.forged_accepted, 0);
    cr_expect_gt(closed.forged_sent, 0);
    cr_expect_eq(closed.forged_accepted, 0);
    cr_expect_gt(closed.messages_dropped[SIM_DROP_REFUSED], 0);
    cr_expect_gt(closed.bytes_eavesdropped, 0);
}

/* Topology doesn't change: stale addresses stop the cluster for ten times as long. */
Test(catalogue, stale_addresses_stop_the_cluster)
{
    const struct sim_metrics stale =
        measure(FOLDER "fallacies/5_topology_does_not_change_stale_dns.json");
    const struct sim_metrics fresh =
        measure(FOLDER "fallacies/5_topology_does_not_change_short_ttl.json");
    cr_expect_gt(stale.messages_dropped[SIM_DROP_ADDRESS], 0);
    cr_expect_gt(stale.longest_gap_ns, 10 * fresh.longest_gap_ns);
}

/* There is one administrator: two overrule each other, and leaders change without end. */
Test(catalogue, administrators_overrule_each_other)
{
    const struct sim_metrics two =
        measure(FOLDER "fallacies/6_one_administrator_conflicting_changes.json");
    cr_expect_gt(two.settings_overruled, 0);
    cr_expect_gt(two.leader_changes, 20);
}

/* Transport cost is zero: three zones are paid for in dollars, and cpu time in both. */
Test(catalogue, zones_cost_dollars_and_messages_cost_cpu)
{
    const struct sim_metrics three =
        measure(FOLDER "fallacies/7_transport_cost_is_zero_three_zones.json");
    const struct sim_metrics one =
        measure(FOLDER "fallacies/7_transport_cost_is_zero_one_zone.json");
    cr_expect_gt(three.cost_nano_dollars, 0);
    cr_expect_eq(one.cost_nano_dollars, 0);
    cr_expect_gt(three.cpu_busy_ns, SIM_S);
    cr_expect_gt(one.cpu_busy_ns, SIM_S);
}

/* The network is homogeneous: what is too large for one path vanishes there. */
Test(catalogue, a_small_mtu_swallows_large_messages)
{
    const struct sim_metrics small =
        measure(FOLDER "fallacies/8_network_is_homogeneous_small_mtu.json");
    cr_expect_gt(small.messages_dropped[SIM_DROP_MTU], 100);
}

/* Clocks agree: a fast clock deposes leaders, and wrong wall clocks put writes out of order. */
Test(catalogue, clocks_depose_leaders_and_misorder_writes)
{
    const struct sim_metrics wrong =
        measure(FOLDER "clocks/drift_shortens_an_election_timeout.json");
    const struct sim_metrics right = measure(FOLDER "clocks/synchronised_clocks_order_writes.json");
    cr_expect_gt(wrong.leader_changes, 5 * right.leader_changes);
    cr_expect_gt(wrong.clock_inversions, 0);
    cr_expect_eq(right.clock_inversions, 0);
    cr_expect_lt(right.clock_error_max_ns, 10 * SIM_MS);
}

/* Cloudflare 2020: without PreVote and CheckQuorum leaders flap and commits collapse; with them
 * the same faults change nothing. */
Test(catalogue, a_partial_partition_flaps_unless_pre_vote_and_check_quorum)
{
    const struct sim_metrics flaps =
        measure(FOLDER "incidents/cloudflare_2020_partial_partition.json");
    const struct sim_metrics stable =
        measure(FOLDER "incidents/cloudflare_2020_prevote_checkquorum.json");
    cr_expect_gt(flaps.leader_changes, 50);
    cr_expect_leq(stable.leader_changes, 2);
    cr_expect_lt(flaps.operations_ok * 4, flaps.operations * 3, "a quarter is lost at least");
    cr_expect_gt(stable.operations_ok * 100, stable.operations * 99);
}

/* Batches halve the messages for a little latency; one entry at a time is no way to go. */
Test(catalogue, batches_save_messages)
{
    const struct sim_metrics pipelined = measure(FOLDER "raft/load_pipelined.json");
    const struct sim_metrics batched = measure(FOLDER "raft/load_batched.json");
    const struct sim_metrics single = measure(FOLDER "raft/load_one_at_a_time.json");
    cr_expect_lt(batched.messages_sent * pipelined.operations_ok,
                 pipelined.messages_sent * batched.operations_ok * 6 / 10);
    cr_expect_gt(batched.operations_ok * 100, pipelined.operations_ok * 99);
    cr_expect_lt(batched.latency_p50_ns, pipelined.latency_p50_ns + 5 * SIM_MS);
    cr_expect_lt(single.operations_ok * 10, pipelined.operations_ok);
}

/* A leader with a slow disk makes everybody wait, unless it hands over. */
Test(catalogue, a_leader_leaves_its_slow_disk)
{
    const struct sim_metrics stays = measure(FOLDER "raft/slow_disk_leader_stays.json");
    const struct sim_metrics leaves = measure(FOLDER "raft/slow_disk_leader_hands_over.json");
    cr_expect_eq(stays.leader_changes, 1);
    cr_expect_eq(leaves.leader_changes, 2);
    cr_expect_gt(stays.latency_p50_ns, SIM_S);
    cr_expect_lt(leaves.latency_p50_ns, 25 * SIM_MS);
    /* Where all disks are slow it has nowhere to go, and elections would make it worse. */
    static const char *const all_slow[] = {"faults[0].disk.of=n", "faults[0].disk.sync=800ms"};
    const struct sim_metrics remains =
        measure_with(FOLDER "raft/slow_disk_leader_hands_over.json", all_slow, 2);
    cr_expect_eq(remains.leader_changes, 1);
    cr_expect_lt(remains.longest_gap_ns, 2 * SIM_S);
}

/* Changes of the membership keep a group alive while its servers die one after another: where
 * nobody makes them, no write is acknowledged any more. */
Test(catalogue, changes_of_the_membership_keep_a_group_alive)
{
    static const struct {
        const char *file;
        const char *without[2]; /* Nothing to promote: no change. */
    } cases[] = {
        {FOLDER "raft/membership_dead_server_replaced.json",
         {"faults[1].command.name=promote", "faults[2].command.name=promote"}},
        {FOLDER "raft/membership_three_at_once.json",
         {"faults[0].command.name=promote", "faults[0].command.name=promote"}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct sim_metrics changed = measure(cases[i].file);
        const struct sim_metrics same = measure_with(cases[i].file, cases[i].without, 2);
        cr_expect_lt(changed.longest_gap_ns, 1500 * SIM_MS, "%s", cases[i].file);
        cr_expect_gt(same.longest_gap_ns, 4 * SIM_S, "%s", cases[i].file);
    }
}

/* The topology does not change: a group that is told of it grows and shrinks without a pause, one
 * that is not loses its majority. */
Test(catalogue, members_are_removed_before_they_leave)
{
    const struct sim_metrics told =
        measure(FOLDER "fallacies/5_topology_does_not_change_autoscaling.json");
    const struct sim_metrics left =
        measure(FOLDER "fallacies/5_topology_does_not_change_nodes_just_leave.json");
    cr_expect_lt(told.longest_gap_ns, SIM_S);
    cr_expect_gt(left.longest_gap_ns, 10 * SIM_S);
}
