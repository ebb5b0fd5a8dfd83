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

/* The configuration in force, as the node sees it that has committed most; a cluster whose
 * membership changes may need fewer or more than the group has. */
static struct sim_view best_view(const struct sim_world *world, const struct sim_plan_group *g)
{
    struct sim_view best = {.voter_count = 0};
    for (uint32_t i = 0; i < g->node_count; i++) {
        const struct sim_env *env = &world->nodes[g->first_node + i];
        const struct sim_consensus *consensus = sim_consensus_of(env);
        struct sim_view view = {.voter_count = 0};
        if (consensus && env->up) {
            consensus->view(env->state, &view);
        }
        if (view.voter_count > 0 && view.voter_count <= g->node_count &&
            (best.voter_count == 0 || view.commit_index > best.commit_index)) {
            best = view;
        }
    }
    return best;
}

uint32_t sim_group_voters(const struct sim_world *world, uint32_t group, bool old, uint32_t *voters)
{
    const struct sim_plan_group *g = &world->plan->groups[group];
    const struct sim_view best = best_view(world, g);
    const uint32_t *known = old ? best.old_voters : best.voters;
    const uint32_t known_count = old ? best.old_voter_count : best.voter_count;
    uint32_t count = 0;
    for (uint32_t i = 0; i < known_count; i++) {
        if (known[i] - g->first_node < g->node_count) {
            voters[count++] = known[i];
        }
    }
    for (uint32_t i = 0; best.voter_count == 0 && !old && i < g->node_count; i++) {
        if (!world->nodes[g->first_node + i].absent) {
            voters[count++] = g->first_node + i;
        }
    }
    return count;
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

/* Nodes that work, and what a quorum takes of those who vote in either configuration. */
struct quorum {
    uint32_t count;
    uint32_t nodes[SIM_NODES_MAX];
    bool votes[2][SIM_NODES_MAX];
    uint32_t wanted[2];
};

static void quorum_add(struct quorum *q, uint32_t side, uint32_t node)
{
    uint32_t at = 0;
    while (at < q->count && q->nodes[at] != node) {
        at++;
    }
    if (at == q->count) {
        q->nodes[at] = node;
        q->votes[0][at] = q->votes[1][at] = false;
        q->count++;
    }
    q->votes[side][at] = true;
}

static bool quorum_is_enough(const struct quorum *q)
{
    uint32_t votes[2] = {0, 0};
    for (uint32_t i = 0; i < q->count; i++) {
        votes[0] += q->votes[0][i];
        votes[1] += q->votes[1][i];
    }
    return votes[0] >= q->wanted[0] && votes[1] >= q->wanted[1];
}

/* Among at most 16 nodes every subset is looked at: exact. */
static bool clique_exact(const struct sim_world *world, const struct quorum *q)
{
    uint32_t friends[16];
    uint32_t voters[2] = {0, 0};
    for (uint32_t i = 0; i < q->count; i++) {
        friends[i] = 1u << i;
        voters[0] |= (uint32_t)q->votes[0][i] << i;
        voters[1] |= (uint32_t)q->votes[1][i] << i;
        for (uint32_t k = 0; k < q->count; k++) {
            friends[i] |= i != k && connected(world, q->nodes[i], q->nodes[k]) ? 1u << k : 0;
        }
    }
    for (uint32_t set = 0; set < 1u << q->count; set++) {
        uint32_t common = set;
        for (uint32_t i = 0; i < q->count; i++) {
            common &= set >> i & 1 ? friends[i] : UINT32_MAX;
        }
        if (common == set && (uint32_t)__builtin_popcount(set & voters[0]) >= q->wanted[0] &&
            (uint32_t)__builtin_popcount(set & voters[1]) >= q->wanted[1]) {
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
        q->votes[0][least] = q->votes[0][last];
        q->votes[1][least] = q->votes[1][last];
        degrees[least] = degrees[last];
        for (uint32_t i = 0; i < q->count; i++) {
            degrees[i] -= connected(world, q->nodes[i], gone);
        }
    }
    return false;
}

bool sim_faults_quorum_possible(const struct sim_world *world, uint32_t group)
{
    struct quorum q = {.count = 0};
    for (uint32_t side = 0; side < 2; side++) {
        uint32_t nodes[SIM_NODES_MAX];
        const uint32_t voters = sim_group_voters(world, group, side == 1, nodes);
        q.wanted[side] = side == 1 && voters == 0 ? 0 : voters / 2 + 1;
        for (uint32_t i = 0; i < voters; i++) {
            const struct sim_env *env = &world->nodes[nodes[i]];
            /* Each must have a client of its own, since each may come to lead. */
            if (env->up && !env->paused && has_client(world, group, nodes[i])) {
                quorum_add(&q, side, nodes[i]);
            }
        }
    }
    if (!quorum_is_enough(&q)) {
        return false;
    }
    return q.count <= 16 ? clique_exact(world, &q) : clique_by_peeling(world, &q);
}
