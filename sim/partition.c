/* Who can talk to whom: the shapes of partitions, and whether what is left is a quorum.
 *
 * A pair of nodes is cut while at least one activation cuts it. world->cuts counts how many
 * do; a count that does not fit its byte stays at the top until it is counted afresh. */
#include "sim/fault_internal.h"

/* ---- Shapes ------------------------------------------------------------------------------ */

bool sim_shape_is_random(uint32_t shape)
{
    return shape == SIM_CUT_HALVES || shape == SIM_CUT_BRIDGE || shape == SIM_CUT_RING;
}

#define BRIDGE 2 /* Place of the node that reaches both halves, 0 and 1. */

/* A place is a half, or how far round the ring. */
void sim_partition_draw(struct sim_world *world, struct sim_activation *a, struct sim_rng *rng)
{
    const uint32_t shape = sim_activation_fault(world, a)->shape;
    uint32_t nodes[SIM_NODES_MAX];
    uint32_t count = 0;
    for (uint32_t group = 0; group < world->plan->group_count; group++) {
        const struct sim_plan_group *g = &world->plan->groups[group];
        bool wanted = false;
        for (uint32_t i = 0; i < g->node_count; i++) {
            wanted |= sim_set_has(a->targets, g->first_node + i);
        }
        for (uint32_t i = 0; wanted && i < g->node_count; i++) {
            if (!world->nodes[g->first_node + i].absent) {
                nodes[count++] = g->first_node + i;
            }
        }
    }
    sim_shuffle(rng, nodes, count);
    for (uint32_t i = 0; i < count; i++) {
        if (shape == SIM_CUT_RING) {
            a->notes[nodes[i]] = i;
        } else if (shape == SIM_CUT_BRIDGE && i == count - 1) {
            a->notes[nodes[i]] = BRIDGE;
        } else {
            a->notes[nodes[i]] = i & 1;
        }
    }
    a->place_count = count;
}

static bool places_part(const struct sim_activation *a, uint32_t shape, uint32_t from, uint32_t to)
{
    const uint32_t p = a->notes[from];
    const uint32_t q = a->notes[to];
    if (p == SIM_NOBODY || q == SIM_NOBODY) {
        return false; /* A client, another group, or it joined later. */
    }
    if (shape == SIM_CUT_RING) {
        const uint32_t apart = p > q ? p - q : q - p;
        return apart != 1 && apart != a->place_count - 1;
    }
    return p != q && p != BRIDGE && q != BRIDGE;
}

/* Does this activation cut what `from` sends to `to`? */
static bool cuts(const struct sim_world *world, const struct sim_activation *a, uint32_t from,
                 uint32_t to)
{
    const struct sim_fault *f = sim_activation_fault(world, a);
    if (from == to || (f->kind != SIM_FAULT_PARTITION && f->kind != SIM_FAULT_FIREWALL)) {
        return false;
    }
    const bool from_target = sim_set_has(a->targets, from);
    const bool to_target = sim_set_has(a->targets, to);
    const bool forth = from_target && (a->everybody ? !to_target : sim_set_has(a->peers, to));
    const bool back = to_target && (a->everybody ? !from_target : sim_set_has(a->peers, from));
    switch (
        (enum sim_partition_shape)(f->kind == SIM_FAULT_FIREWALL ? SIM_CUT_ONE_WAY : f->shape)) {
    case SIM_CUT_BETWEEN:
        return forth || back;
    case SIM_CUT_ONE_WAY:
        return forth;
    case SIM_CUT_ISOLATE:
        return from_target || to_target;
    case SIM_CUT_HALVES:
    case SIM_CUT_BRIDGE:
    case SIM_CUT_RING:
        return places_part(a, f->shape, from, to);
    case SIM_CUT_COUNT:
        break;
    }
    return false;
}

void sim_partition_begin(struct sim_world *world, const struct sim_activation *a)
{
    uint8_t *count = world->cuts;
    for (uint32_t from = 0; from < world->node_count; from++) {
        for (uint32_t to = 0; to < world->node_count; to++, count++) {
            *count += *count < UINT8_MAX && cuts(world, a, from, to);
        }
    }
}

static uint8_t count_afresh(const struct sim_world *world, uint32_t from, uint32_t to)
{
    uint8_t count = 0;
    for (const struct sim_activation *a = sim_schedule_of(world)->first; a; a = a->next) {
        count += count < UINT8_MAX && cuts(world, a, from, to);
    }
    return count;
}

void sim_partition_end(struct sim_world *world, const struct sim_activation *a)
{
    uint8_t *count = world->cuts;
    for (uint32_t from = 0; from < world->node_count; from++) {
        for (uint32_t to = 0; to < world->node_count; to++, count++) {
            if (*count == UINT8_MAX) {
                *count = count_afresh(world, from, to);
            } else if (cuts(world, a, from, to)) {
                (*count)--;
            }
        }
    }
}

/* ---- Quorums ----------------------------------------------------------------------------- */

static bool are_of(const struct sim_plan_group *g, const uint32_t *nodes, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (nodes[i] - g->first_node >= g->node_count) {
            return false;
        }
    }
    return count <= g->node_count;
}

static bool view_of(const struct sim_world *world, const struct sim_plan_group *g, uint32_t place,
                    struct sim_view *view)
{
    const struct sim_env *env = &world->nodes[g->first_node + place];
    const struct sim_consensus *consensus = sim_consensus_of(env);
    *view = (struct sim_view){.voter_count = 0};
    if (consensus && env->up) {
        consensus->view(env->state, view);
    }
    return view->voter_count > 0 && are_of(g, view->voters, view->voter_count) &&
           are_of(g, view->old_voters, view->old_voter_count);
}

static void add_set(struct sim_voter_sets *sets, const uint32_t *nodes, uint32_t count)
{
    bool known = count == 0 || sets->count == SIM_VOTER_SETS_MAX;
    for (uint32_t i = 0; i < sets->count; i++) {
        known |=
            sets->counts[i] == count && memcmp(sets->nodes[i], nodes, count * sizeof *nodes) == 0;
    }
    if (!known) {
        sets->nodes[sets->count] = nodes;
        sets->counts[sets->count++] = count;
    }
}

static void add_view(struct sim_voter_sets *sets, const struct sim_view *view)
{
    add_set(sets, view->voters, view->voter_count);
    add_set(sets, view->old_voters, view->old_voter_count);
}

/* A configuration counts from when it is in a log, and may still go with its entry: what a node
 * counts by that is not older than the last committed one can decide an election. */
void sim_group_voters(const struct sim_world *world, uint32_t group, struct sim_voter_sets *sets)
{
    const struct sim_plan_group *g = &world->plan->groups[group];
    struct sim_view best = {.voter_count = 0};
    struct sim_view view;
    uint64_t committed = 0;
    for (uint32_t i = 0; i < g->node_count; i++) {
        if (!view_of(world, g, i, &view)) {
            continue;
        }
        if (best.voter_count == 0 || view.commit_index > best.commit_index) {
            best = view;
        }
        if (view.config_index <= view.commit_index && view.config_index > committed) {
            committed = view.config_index;
        }
    }
    sets->count = 0;
    add_view(sets, &best);
    for (uint32_t i = 0; i < g->node_count; i++) {
        if (view_of(world, g, i, &view) && view.config_index >= committed) {
            add_view(sets, &view);
        }
    }
    if (sets->count > 0) {
        return;
    }
    uint32_t count = 0; /* Nobody is up, or it is no such group: all that are there. */
    for (uint32_t i = 0; i < g->node_count; i++) {
        if (!world->nodes[g->first_node + i].absent) {
            sets->all[count++] = g->first_node + i;
        }
    }
    add_set(sets, sets->all, count);
}

/* A link that loses everything is as good as a cut. */
static bool hears(const struct sim_world *world, uint32_t from, uint32_t to)
{
    struct sim_link **links = world->nodes[from].links;
    const struct sim_link *link = links ? links[to] : NULL;
    return !sim_net_is_cut(world, from, to) &&
           !(link && link->set->knobs.loss_ppm >= SIM_PPM && !link->set->knobs.burst_enter_ppm);
}

static bool connected(const struct sim_world *world, uint32_t a, uint32_t b)
{
    return hears(world, a, b) && hears(world, b, a);
}

static bool has_client(const struct sim_world *world, uint32_t group, uint32_t node)
{
    for (uint32_t i = 0; i < world->plan->workload_count; i++) {
        const struct sim_workload *w = &world->plan->workloads[i];
        for (uint32_t k = 0; w->target_group == group && k < w->client_count; k++) {
            if (connected(world, w->first_client + k, node)) {
                return true;
            }
        }
    }
    return false;
}

/* Nodes that work, and what a quorum takes of each set of voters. */
struct quorum {
    uint32_t count;
    uint32_t nodes[SIM_NODES_MAX];
    uint32_t votes[SIM_NODES_MAX]; /* A bit for each set. */
    uint32_t sets;
    uint32_t wanted[SIM_VOTER_SETS_MAX];
};

static void quorum_add(struct quorum *q, uint32_t set, uint32_t node)
{
    uint32_t at = 0;
    while (at < q->count && q->nodes[at] != node) {
        at++;
    }
    if (at == q->count) {
        q->nodes[at] = node;
        q->votes[at] = 0;
        q->count++;
    }
    q->votes[at] |= UINT32_C(1) << set;
}

static bool quorum_is_enough(const struct quorum *q)
{
    for (uint32_t set = 0; set < q->sets; set++) {
        uint32_t votes = 0;
        for (uint32_t i = 0; i < q->count; i++) {
            votes += q->votes[i] >> set & 1;
        }
        if (votes < q->wanted[set]) {
            return false;
        }
    }
    return true;
}

/* Have these of its nodes, as bits, a majority of every set? */
static bool some_are_enough(const struct quorum *q, uint32_t some)
{
    for (uint32_t set = 0; set < q->sets; set++) {
        uint32_t votes = 0;
        for (uint32_t i = 0; i < q->count; i++) {
            votes += (some >> i & 1) & (q->votes[i] >> set & 1);
        }
        if (votes < q->wanted[set]) {
            return false;
        }
    }
    return true;
}

/* Among at most 16 nodes every subset is looked at: exact. */
static bool clique_exact(const struct sim_world *world, const struct quorum *q)
{
    uint32_t friends[16];
    for (uint32_t i = 0; i < q->count; i++) {
        friends[i] = 1u << i;
        for (uint32_t k = 0; k < q->count; k++) {
            friends[i] |= i != k && connected(world, q->nodes[i], q->nodes[k]) ? 1u << k : 0;
        }
    }
    for (uint32_t set = 0; set < 1u << q->count; set++) {
        uint32_t common = set;
        for (uint32_t i = 0; i < q->count; i++) {
            common &= set >> i & 1 ? friends[i] : UINT32_MAX;
        }
        if (common == set && some_are_enough(q, set)) {
            return true;
        }
    }
    return false;
}

/* Among more, the node with the fewest connections is put aside until all that are left
 * reach each other. What it finds is a quorum; one can escape it, but not in the shapes that
 * partitions make (halves, isolated nodes, a bridge, a ring). */
static bool clique_by_peeling(const struct sim_world *world, struct quorum *q)
{
    uint32_t degrees[SIM_NODES_MAX];
    for (uint32_t i = 0; i < q->count; i++) {
        degrees[i] = 0;
        for (uint32_t k = 0; k < q->count; k++) {
            degrees[i] += i != k && connected(world, q->nodes[i], q->nodes[k]);
        }
    }
    while (quorum_is_enough(q)) {
        uint32_t least = 0;
        for (uint32_t i = 1; i < q->count; i++) {
            least = degrees[i] < degrees[least] ? i : least;
        }
        if (q->count == 0 || degrees[least] == q->count - 1) {
            return true;
        }
        const uint32_t gone = q->nodes[least];
        const uint32_t last = --q->count;
        q->nodes[least] = q->nodes[last];
        q->votes[least] = q->votes[last];
        degrees[least] = degrees[last];
        for (uint32_t i = 0; i < q->count; i++) {
            degrees[i] -= connected(world, q->nodes[i], gone);
        }
    }
    return false;
}

bool sim_faults_quorum_possible(const struct sim_world *world, uint32_t group)
{
    struct sim_voter_sets sets;
    struct quorum q = {.count = 0};
    sim_group_voters(world, group, &sets);
    q.sets = sets.count;
    for (uint32_t set = 0; set < sets.count; set++) {
        q.wanted[set] = sets.counts[set] / 2 + 1;
        for (uint32_t i = 0; i < sets.counts[set]; i++) {
            const uint32_t node = sets.nodes[set][i];
            const struct sim_env *env = &world->nodes[node];
            /* Each must have a client of its own, since each may come to lead. */
            if (env->up && !env->paused && !sim_host_is_gone(env) &&
                has_client(world, group, node)) {
                quorum_add(&q, set, node);
            }
        }
    }
    if (!quorum_is_enough(&q)) {
        return false;
    }
    return q.count <= 16 ? clique_exact(world, &q) : clique_by_peeling(world, &q);
}
