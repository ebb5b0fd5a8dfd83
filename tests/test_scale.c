/* Autoscaling: a group grows and shrinks one member at a time, and whoever leaves is not needed
 * any more. */
#include "fault_bench.h"

/* ---- A group whose leader is told whom to count, and who decides when that is committed ---- */

enum { GROUP = 4, STEP_MS = 100 };
enum { ADD, REMOVE };

static struct {
    uint32_t leader; /* SIM_NOBODY: there is none. */
    uint32_t voters[GROUP];
    uint32_t voter_count;
    uint64_t config_index;
    uint64_t commit_index;
    uint32_t told; /* Commands. */
} says;

static void elector_event(void *state, struct sim_env *env, const struct sim_event *event)
{
    uint64_t *self = state;
    if (event->kind == SIM_EVENT_BOOT) {
        *self = sim_self(env);
    } else if (event->kind == SIM_EVENT_COMMAND) {
        uint32_t at = 0;
        says.told++;
        while (at < says.voter_count && says.voters[at] != event->from) {
            at++;
        }
        if (event->command == ADD && at == says.voter_count) {
            says.voters[says.voter_count++] = event->from;
            says.config_index++;
        } else if (event->command == REMOVE && at < says.voter_count) {
            says.voters[at] = says.voters[--says.voter_count];
            says.config_index++;
        }
    }
}

static void elector_view(const void *state, struct sim_view *view)
{
    const uint64_t *self = state;
    *view = (struct sim_view){.term = 1,
                              .vote = SIM_NOBODY,
                              .role = *self == says.leader ? SIM_ROLE_LEADER : SIM_ROLE_FOLLOWER,
                              .voters = says.voters,
                              .voter_count = says.voter_count,
                              .config_index = says.config_index,
                              .commit_index = says.commit_index};
}

static const char *const elector_commands[] = {"add_server", "remove_server", NULL};
static const struct sim_consensus elector_consensus = {
    .view = elector_view, .entry = probe_entry, .progress = probe_progress};
static const struct sim_node_kind elector = {.name = "elector",
                                             .state_bytes = 8,
                                             .event = elector_event,
                                             .commands = elector_commands,
                                             .consensus = &elector_consensus};
static void idle_event(void *state, struct sim_env *env, const struct sim_event *event)
{
    (void)state;
    (void)env;
    (void)event;
}

static const struct sim_node_kind crowd = {.name = "crowd", .state_bytes = 8, .event = idle_event};

static struct bench b;

/* A group of four of which `present` are there; those of electors vote. */
static void group_of(const struct sim_node_kind *kind, uint32_t present)
{
    bench_plan(&b, (const uint32_t[]){GROUP, 0}, 0);
    memset(&says, 0, sizeof says);
    for (uint32_t i = 0; i < GROUP; i++) {
        b.plan.nodes[i].kind = kind;
        b.plan.nodes[i].absent = i >= present;
        if (i < present) {
            says.voters[says.voter_count++] = i;
        }
    }
}

static void scale_at(uint64_t at_ms, int64_t to)
{
    struct sim_fault *f = bench_fault(&b, SIM_FAULT_SCALE, at_ms, 0);
    add(&f->targets, SIM_SELECT_GROUP, 0);
    f->amount = to;
    f->value.low = f->value.high = STEP_MS * SIM_MS;
}

/* Which nodes are there, as bits. */
static uint32_t there(void)
{
    uint32_t set = 0;
    for (uint32_t i = 0; i < GROUP; i++) {
        cr_expect_eq(b.world->nodes[i].absent, !b.world->nodes[i].up, "node %u", i);
        set |= (uint32_t)b.world->nodes[i].up << i;
    }
    return set;
}

static void commit(void)
{
    says.commit_index = says.config_index;
}

static void end(void)
{
    bench_end(&b);
}

TestSuite(scale, .fini = end);

/* ---- Voters ------------------------------------------------------------------------------ */

/* The next one starts and is added when the last addition is committed, not before. */
Test(scale, grows_one_by_one)
{
    group_of(&elector, 1);
    scale_at(1000, 3);
    bench_world(&b, 1);
    bench_until(&b, 1050);
    cr_expect_eq(there(), 3);
    cr_expect_eq(says.voter_count, 2);
    bench_until(&b, 1950);
    cr_expect_eq(there(), 3);
    cr_expect_eq(says.told, 1, "nobody hurries a leader");
    commit();
    bench_until(&b, 2050);
    cr_expect_eq(there(), 7);
    cr_expect_eq(says.voter_count, 3);
    commit();
    bench_until(&b, 5000);
    cr_expect_eq(there(), 7);
    cr_expect_eq(says.told, 2);
}

/* One is removed, and stops when that is committed; then the next. */
Test(scale, shrinks_one_by_one)
{
    group_of(&elector, 4);
    scale_at(1000, 2);
    bench_world(&b, 1);
    bench_until(&b, 1950);
    cr_expect_eq(says.voter_count, 3);
    cr_expect_eq(there(), 15, "it may still be needed");
    commit();
    bench_until(&b, 2050);
    cr_expect_eq(there(), 7);
    cr_expect_eq(says.voter_count, 3);
    bench_until(&b, 2150);
    cr_expect_eq(says.voter_count, 2);
    commit();
    bench_until(&b, 5000);
    cr_expect_eq(there(), 3);
}

/* Without a leader nothing can be done but wait. */
Test(scale, waits_for_a_leader)
{
    group_of(&elector, 4);
    says.leader = SIM_NOBODY;
    scale_at(1000, 3);
    bench_world(&b, 1);
    bench_until(&b, 3000);
    cr_expect_eq(says.told, 0);
    cr_expect_eq(there(), 15);
    says.leader = 2;
    bench_until(&b, 3150);
    cr_expect_eq(says.voter_count, 3);
}

/* One that has crashed is not asked to join; the next one is. */
Test(scale, passes_over_the_dead)
{
    group_of(&elector, 2);
    bench_fault_on(&b, SIM_FAULT_CRASH, 500, 0, 1);
    says.voter_count = 1;
    scale_at(1000, 2);
    bench_world(&b, 1);
    bench_until(&b, 1050);
    cr_expect(b.world->nodes[2].up);
    cr_expect_eq(says.voters[1], 2);
}

/* A later order is the one that counts. */
Test(scale, obeys_the_last_order)
{
    group_of(&elector, 1);
    scale_at(1000, 4);
    scale_at(1150, 1);
    bench_world(&b, 1);
    bench_until(&b, 1120);
    cr_expect_eq(says.voter_count, 2);
    commit();
    bench_until(&b, 1160);
    cr_expect_eq(says.voter_count, 1);
    commit();
    bench_until(&b, 5000);
    cr_expect_eq(there(), 1);
}

/* ---- Others ------------------------------------------------------------------------------ */

/* A group without a leader has the members that are there. */
Test(scale, needs_no_leader_elsewhere)
{
    group_of(&crowd, 0);
    scale_at(1000, 3);
    scale_at(2000, 1);
    bench_world(&b, 1);
    const uint32_t growing[] = {1, 3, 7, 7};
    const uint32_t shrinking[] = {3, 1, 1, 1};
    for (uint32_t i = 0; i < 4; i++) {
        bench_until(&b, 1050 + i * STEP_MS);
        cr_expect_eq(there(), growing[i], "%u", i);
    }
    for (uint32_t i = 0; i < 4; i++) {
        bench_until(&b, 2050 + i * STEP_MS);
        cr_expect_eq(there(), shrinking[i], "%u", i);
    }
}

/* What else begins and ends does not bring back who was scaled away, nor the other way round. */
Test(scale, outlives_other_faults)
{
    group_of(&crowd, 2);
    bench_fault_on(&b, SIM_FAULT_CRASH, 900, 1000, 1);
    bench_fault_on(&b, SIM_FAULT_JOIN, 1500, 500, 3);
    bench_fault_on(&b, SIM_FAULT_LEAVE, 2500, 500, 0);
    scale_at(1000, 1);
    scale_at(3500, 2);
    bench_fault_on(&b, SIM_FAULT_LEAVE, 4000, 500, 1);
    bench_world(&b, 1);
    bench_until(&b, 2200);
    cr_expect_eq(there(), 1);
    bench_until(&b, 3200);
    cr_expect_eq(there(), 1);
    bench_until(&b, 4200);
    cr_expect_eq(there(), 1);
    bench_until(&b, 5000);
    cr_expect_eq(there(), 3);
}
