/* Two groups of three scripted servers and two clients in a real world that is never run: a
 * test says what each server's memory holds and what its disk does, and tells the checks
 * through the same hooks as the world does. Included by the tests of sim/check/ alone. */
#ifndef TEST_CHECK_CLUSTER_H
#define TEST_CHECK_CLUSTER_H

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "sim/world_internal.h"

enum { N1, N2, N3, M1, M2, M3, SERVERS, C1 = SERVERS, C2, NODES };
enum { LOG, HARD, SNAPSHOT };
enum { LOG_MAX = 2000, GROUP = 3 };

struct scripted { /* What a server's memory holds. */
    uint64_t term;
    uint32_t vote;
    uint32_t role;
    bool asks_first;
    uint64_t first;
    uint64_t last;
    uint64_t commit;
    uint64_t applied;
    struct sim_label snapshot; /* index, term */
    uint64_t snapshot_config;
    uint64_t state; /* Of the state machine. */
    uint32_t voters[GROUP];
    uint32_t voter_count;
    uint32_t old_voters[GROUP];
    uint32_t old_voter_count;
    uint64_t config_index;
    uint64_t match[NODES];
    uint64_t next[NODES]; /* 0: no progress known. */
    struct sim_entry_id log[LOG_MAX];
};

static struct sim_arena *arena;
static struct sim_world *world;

static inline void scripted_view(const void *state, struct sim_view *view)
{
    const struct scripted *s = state;
    *view = (struct sim_view){.term = s->term,
                              .vote = s->vote,
                              .role = s->role,
                              .asks_first = s->asks_first,
                              .first_index = s->first,
                              .last_index = s->last,
                              .commit_index = s->commit,
                              .applied_index = s->applied,
                              .snapshot_index = s->snapshot.a,
                              .snapshot_term = s->snapshot.b,
                              .voters = s->voters,
                              .voter_count = s->voter_count,
                              .old_voters = s->old_voters,
                              .old_voter_count = s->old_voter_count,
                              .snapshot_config_index = s->snapshot_config,
                              .config_index = s->config_index};
}

static inline bool scripted_entry(const void *state, uint64_t index, struct sim_entry_id *id)
{
    const struct scripted *s = state;
    if (index < s->first || index > s->last || index >= LOG_MAX) {
        return false;
    }
    *id = s->log[index];
    return true;
}

static inline void scripted_progress(const void *state, uint32_t first, uint32_t count,
                                     struct sim_progress *peers)
{
    const struct scripted *s = state;
    for (uint32_t i = 0; i < count; i++) {
        if (s->next[first + i] != 0) {
            peers[i] = (struct sim_progress){s->match[first + i], s->next[first + i]};
        }
    }
}

static inline uint64_t scripted_state(const void *state)
{
    return ((const struct scripted *)state)->state;
}

static inline void scripted_event(void *state, struct sim_env *env, const struct sim_event *event)
{
    (void)state;
    (void)env;
    (void)event;
}

static const struct sim_consensus scripted_consensus = {.log_file = LOG,
                                                        .hard_file = HARD,
                                                        .snapshot_file = SNAPSHOT,
                                                        .view = scripted_view,
                                                        .entry = scripted_entry,
                                                        .progress = scripted_progress,
                                                        .state_digest = scripted_state};
static const struct sim_node_kind scripted_kind = {.name = "scripted",
                                                   .state_bytes = sizeof(struct scripted),
                                                   .event = scripted_event,
                                                   .consensus = &scripted_consensus};

static struct sim_plan_node plan_nodes[NODES];
static struct sim_plan_group plan_groups[2];
static struct sim_plan_zone plan_zone;
static char plan_region[1][SIM_NAME_MAX];
static uint64_t plan_zero;
static struct sim_workload plan_clients = {.name = "c",
                                           .first_client = C1,
                                           .client_count = 2,
                                           .weight = {1, 1, 1},
                                           .key_count = 1,
                                           .attempts = 1};
static struct sim_plan plan;

/* ---- Servers ---------------------------------------------------------------------------- */

static inline struct scripted *of(uint32_t node)
{
    return world->nodes[node].state;
}

/* The server has handled an event. */
static inline void moved(uint32_t node)
{
    sim_checks_moved(world->checks, node, SIM_NOBODY);
}

/* ... a message of another. */
static inline void moved_by(uint32_t node, uint32_t from)
{
    sim_checks_moved(world->checks, node, from);
}

static inline void blank(uint32_t node)
{
    struct scripted *s = of(node);
    memset(s, 0, sizeof *s);
    s->vote = SIM_NOBODY;
    s->role = SIM_ROLE_FOLLOWER;
    s->first = 1;
    for (uint32_t i = 0; i < GROUP; i++) {
        s->voters[i] = node / GROUP * GROUP + i;
    }
    s->voter_count = GROUP;
    world->nodes[node].up = true;
    world->nodes[node].incarnation++;
}

/* What the last configuration in a server's log says; index 0: there is none. */
static struct {
    uint64_t index;
    uint64_t in_snapshot; /* The index of the one under its snapshot, */
    uint64_t state;       /* and the state of the machine in it. */
    uint32_t voters;
    uint32_t old_voters;
} configured[SERVERS];

static inline void cluster_of(uint64_t checks)
{
    static const char *const names[NODES] = {"n1", "n2", "n3", "m1", "m2", "m3", "c1", "c2"};
    for (uint32_t i = 0; i < NODES; i++) {
        snprintf(plan_nodes[i].name, SIM_NAME_MAX, "%s", names[i]);
        plan_nodes[i].kind = i < SERVERS ? &scripted_kind : NULL;
        plan_nodes[i].group = i / GROUP % 2;
    }
    plan_groups[0] = (struct sim_plan_group){"n", N1, GROUP};
    plan_groups[1] = (struct sim_plan_group){"m", M1, GROUP};
    plan = (struct sim_plan){.duration_ns = SIM_S,
                             .checks = checks,
                             .zones = &plan_zone,
                             .zone_count = 1,
                             .regions = plan_region,
                             .region_count = 1,
                             .base_ns = &plan_zero,
                             .price_nano_per_gb = &plan_zero,
                             .groups = plan_groups,
                             .group_count = 2,
                             .nodes = plan_nodes,
                             .node_count = NODES,
                             .workloads = &plan_clients,
                             .workload_count = 1};
    arena = sim_arena_new((size_t)16 << 20);
    cr_assert_not_null(arena);
    cr_assert_eq(sim_world_new(&world, arena, &plan, 1, NULL), SIM_OK);
    world->steps = 1;
    memset(configured, 0, sizeof configured);
    for (uint32_t node = N1; node < SERVERS; node++) {
        blank(node);
        moved(node);
    }
}

static inline void cluster(void)
{
    cluster_of(UINT64_MAX);
}

static inline void cluster_end(void)
{
    sim_arena_free(arena);
}

/* ---- Disks ------------------------------------------------------------------------------ */

static inline void put(uint32_t node, uint32_t file, uint64_t position, uint64_t a, uint64_t b)
{
    uint8_t bytes[8] = {(uint8_t)a, (uint8_t)b, 1, 2, 3, 4, 5, 6};
    cr_assert_eq(sim_disk_do_write(world->nodes[node].disk, file, position, bytes, sizeof bytes,
                                   (struct sim_label){a, b}),
                 SIM_OK);
}

static inline void cut(uint32_t node, uint32_t file, uint64_t from)
{
    cr_assert_eq(sim_disk_do_truncate(world->nodes[node].disk, file, from), SIM_OK);
}

static inline void discard(uint32_t node, uint32_t file, uint64_t before)
{
    cr_assert_eq(sim_disk_do_discard(world->nodes[node].disk, file, before), SIM_OK);
}

/* All that was written is durable, and the server has been told. */
static inline void sync_disk(uint32_t node)
{
    uint64_t done_ns;
    uint64_t token;
    uint32_t records;
    cr_assert_eq(sim_disk_begin_sync(world->nodes[node].disk, 0, 1, &done_ns), SIM_OK);
    cr_assert_eq(sim_disk_finish_sync(world->nodes[node].disk, &token, &records), SIM_OK);
    moved(node);
}

/* ---- What servers of Raft do ------------------------------------------------------------ */

/* Append in memory and write, without a sync; the content is `digest`. */
static inline void append(uint32_t node, uint64_t term, uint64_t digest)
{
    struct scripted *s = of(node);
    s->log[++s->last] = (struct sim_entry_id){term, digest};
    put(node, LOG, s->last, term, digest);
    moved(node);
}

static inline void store(uint32_t node, uint64_t term, uint64_t digest)
{
    append(node, term, digest);
    sync_disk(node);
}

static inline void truncate_log(uint32_t node, uint64_t from)
{
    of(node)->last = from - 1;
    cut(node, LOG, from);
}

/* Take a snapshot up to `index` and drop the log before it. */
static inline void compact(uint32_t node, uint64_t index)
{
    struct scripted *s = of(node);
    s->snapshot = (struct sim_label){index, s->log[index].term};
    s->first = index + 1;
    if (configured[node].index <= index) {
        configured[node].in_snapshot = configured[node].index;
    }
    s->snapshot_config = configured[node].in_snapshot;
    configured[node].state = s->state;
    put(node, SNAPSHOT, 0, index, s->snapshot.b);
    discard(node, LOG, index + 1);
    sync_disk(node);
}

/* Go to a term, with a vote or without; durable. */
static inline void enter(uint32_t node, uint64_t term, uint32_t vote)
{
    struct scripted *s = of(node);
    s->term = term;
    s->vote = vote;
    s->role = vote == node ? SIM_ROLE_CANDIDATE : SIM_ROLE_FOLLOWER;
    moved(node);
    put(node, HARD, 0, term, vote == SIM_NOBODY ? 0 : (uint64_t)vote + 1);
    sync_disk(node);
}

static inline void lead(uint32_t node)
{
    of(node)->role = SIM_ROLE_LEADER;
    moved(node);
}

/* An election as it should be: `node` asks, `voter` grants, both durably. */
static inline void elect(uint32_t node, uint32_t voter, uint64_t term)
{
    enter(node, term, node);
    enter(voter, term, node);
    lead(node);
}

static inline uint32_t places(uint32_t node, uint32_t mask, uint32_t *nodes)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < GROUP; i++) {
        if (mask >> i & 1) {
            nodes[count++] = node / GROUP * GROUP + i;
        }
    }
    return count;
}

/* The entry at `index` of a server's log is a configuration: bits of those who vote, and of
 * those of the old one while both are in force. From its next event on it is in force. */
static inline void set_configuration(uint32_t node, uint64_t index, uint32_t voters,
                                     uint32_t old_voters)
{
    struct scripted *s = of(node);
    s->config_index = configured[node].index = index;
    configured[node].voters = voters;
    configured[node].old_voters = old_voters;
    s->voter_count = places(node, voters, s->voters);
    s->old_voter_count = places(node, old_voters, s->old_voters);
}

static inline void configure(uint32_t node, uint64_t index, uint32_t voters, uint32_t old_voters)
{
    set_configuration(node, index, voters, old_voters);
    moved(node);
}

static inline void commit(uint32_t node, uint64_t index)
{
    of(node)->commit = index;
    moved(node);
}

static inline struct sim_operation operation_of(uint32_t client, uint64_t sequence)
{
    return (struct sim_operation){
        .client = client, .function = SIM_WRITE, .sequence = sequence, .key = 1, .value = sequence};
}

/* Apply the entry at `index`, which carries an operation. */
static inline void apply(uint32_t node, uint64_t index, uint32_t client, uint64_t sequence,
                         bool effect)
{
    const struct sim_operation operation = operation_of(client, sequence);
    const struct sim_entry_id id = of(node)->log[index];
    sim_checks_applied(world->checks, node, index, id.term, id.digest, &operation, effect);
    of(node)->applied = index;
    if (of(node)->commit < index) {
        of(node)->commit = index;
    }
    moved(node);
}

static inline void acknowledge(uint32_t node, uint32_t client, uint64_t sequence, uint32_t attempts)
{
    const struct sim_history_row row = {.operation = operation_of(client, sequence),
                                        .server = node,
                                        .attempts = attempts,
                                        .outcome = SIM_OUTCOME_OK};
    sim_checks_acked(world->checks, &row);
}

static inline void crash(uint32_t node)
{
    world->nodes[node].up = false;
    memset(of(node), 0, sizeof(struct scripted));
    (void)sim_disk_crash(world->nodes[node].disk);
    sim_checks_crashed(world->checks, node);
}

/* Start again with what the disk has. */
static inline void boot(uint32_t node)
{
    const struct sim_disk *disk = world->nodes[node].disk;
    blank(node);
    struct scripted *s = of(node);
    struct sim_label label;
    if (sim_disk_durable_label(disk, HARD, 0, &label)) {
        s->term = label.a;
        s->vote = label.b == 0 ? SIM_NOBODY : (uint32_t)(label.b - 1);
    }
    if (sim_disk_durable_label(disk, SNAPSHOT, 0, &label)) {
        s->snapshot = label;
        s->snapshot_config = configured[node].in_snapshot;
        s->state = configured[node].state;
        s->commit = s->applied = s->last = label.a;
        s->first = label.a + 1;
    }
    const uint64_t end = sim_disk_durable_end(disk, LOG);
    for (uint64_t i = sim_disk_durable_begin(disk, LOG);
         i < end && sim_disk_durable_label(disk, LOG, i, &label); i++) {
        s->log[i] = (struct sim_entry_id){label.a, label.b};
        s->last = i;
    }
    if (configured[node].index != 0) {
        set_configuration(node, configured[node].index, configured[node].voters,
                          configured[node].old_voters);
    }
    moved(node);
}

static inline void restart(uint32_t node)
{
    crash(node);
    boot(node);
}

/* n1 leads term 1 with one entry (1, 101) on all three disks, committed and applied by all;
 * it was operation 1 of c1. */
static inline void cluster_at_work(void)
{
    cluster();
    elect(N1, N2, 1);
    enter(N3, 1, SIM_NOBODY);
    for (uint32_t node = N1; node <= N3; node++) {
        store(node, 1, 101);
    }
    for (uint32_t node = N1; node <= N3; node++) {
        commit(node, 1);
        apply(node, 1, C1, 1, true);
    }
}

/* ---- Verdicts --------------------------------------------------------------------------- */

static inline const struct sim_check_state *state_of(uint32_t check)
{
    return sim_checks_state(world->checks, check);
}

static inline void finish(void)
{
    sim_checks_finish(world->checks);
}

/* The run so far, and its end, break nothing. */
static inline void expect_clean(void)
{
    finish();
    for (uint32_t i = 0; i < SIM_CHECK_COUNT; i++) {
        cr_expect(!state_of(i)->violated, "%s: %s", sim_check_infos[i].name, state_of(i)->detail);
    }
}

static inline void expect_verdict(uint32_t check, uint32_t verdict)
{
    finish();
    cr_expect_eq(state_of(check)->verdict, verdict, "%s is %s: %s", sim_check_infos[check].name,
                 sim_verdict_name(state_of(check)->verdict), state_of(check)->detail);
}

/* Seen at once, without waiting for the end, and in these words. */
static inline void expect_violated(uint32_t check, const char *detail)
{
    cr_expect(state_of(check)->violated, "%s is not violated", sim_check_infos[check].name);
    cr_expect_str_eq(state_of(check)->detail, detail);
}

static inline void expect_fine_so_far(uint32_t check)
{
    cr_expect(!state_of(check)->violated, "%s: %s", sim_check_infos[check].name,
              state_of(check)->detail);
}

#endif
