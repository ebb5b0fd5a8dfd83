/* How a leader changes the membership (dissertation 4; section 6 of the paper).
 *
 * It makes one change at a time, and begins when the configuration in force is committed, and an
 * entry of its own term is, too. Without the second rule two leaders can each commit a change
 * that the other does not know, and their majorities need not overlap (Ongaro, raft-dev,
 * 10 July 2015). Then:
 *
 *     asked --> newcomers catch up, in rounds (4.2.1) --> a majority of the next voters answers
 *           --> entry appended                                   add, remove, learn, promote
 *           --> entry with both appended --committed--> entry with the new one   change, replace
 *
 * One server at a time needs no more, for any two majorities then have a server in common (4.1).
 * The other way is joint consensus (4.3): until the new configuration is in force alone, every
 * election and every commit needs a majority of both. Whoever leads when that is committed goes
 * on with it, so a leader's crash does not leave the group between the two.
 *
 * A leader that is not in the committed configuration any more steps down (4.2.2). What is not
 * done when a leader loses its office is forgotten, as is a second change asked for meanwhile. */
#include "nodes/raft/reconfigure.h"

#include "nodes/raft/log.h"
#include "nodes/raft/membership.h"
#include "nodes/raft/replication.h"
#include "nodes/raft/role.h"

#define ROUNDS 10   /* Of catching up, at most (4.2.1). */
#define PATIENCE 10 /* Election timeouts without progress before a change is given up. */

static uint32_t place_of(uint64_t bits)
{
    return (uint32_t)__builtin_ctzll(bits);
}

/* ---- What is asked for --------------------------------------------------------------------- */

static uint64_t random_one(struct sim_env *env, uint64_t set)
{
    uint64_t left = sim_random_between(env, 1, (uint64_t)__builtin_popcountll(set));
    while (--left > 0) {
        set &= set - 1;
    }
    return set & -set;
}

/* Whom a command means: the first of those named, if it needs one, or one of `from` at random if
 * nobody is named. 0: nobody. */
static uint64_t who(struct sim_env *env, uint64_t named, uint64_t from)
{
    if (named != 0) {
        return named & -named & from;
    }
    return from != 0 ? random_one(env, from) : 0;
}

/* Those whose part a command changes; for change_membership those who shall vote. */
static uint64_t meant(const struct raft *r, struct sim_env *env, uint32_t command, uint64_t named)
{
    const struct raft_configuration *c = raft_in_force(r);
    const uint64_t others = r->membership.everyone & ~c->voters;
    switch (command) {
    case RAFT_COMMAND_ADD_SERVER:
        return who(env, named, others);
    case RAFT_COMMAND_REMOVE_SERVER:
        return who(env, named, c->voters | (named != 0 ? c->learners : 0));
    case RAFT_COMMAND_ADD_LEARNER:
        return who(env, named, others & ~c->learners);
    case RAFT_COMMAND_PROMOTE:
        return who(env, named, c->learners);
    case RAFT_COMMAND_REPLACE_SERVER: {
        const uint64_t first = who(env, named, r->membership.everyone);
        const uint64_t second = who(env, 0, first & c->voters ? others : c->voters);
        return second != 0 ? first | second : 0;
    }
    case RAFT_COMMAND_CHANGE_MEMBERSHIP:
        return named & r->membership.everyone;
    default:
        return 0;
    }
}

void raft_on_membership_command(struct raft *r, struct sim_env *env, const struct sim_event *event)
{
    struct raft_membership *m = &r->membership;
    if (r->role != SIM_ROLE_LEADER || m->everyone == 0 || m->change.set != 0) {
        return;
    }
    m->change = (struct raft_change){.command = event->command,
                                     .set = meant(r, env, event->command, event->peers),
                                     .progress_ns = sim_monotonic_ns(env)};
    m->busy = true;
}

/* What the configuration in force becomes; false if there is nothing to change. */
static bool next_configuration(const struct raft *r, struct raft_configuration *next)
{
    const struct raft_change *change = &r->membership.change;
    const struct raft_configuration *c = raft_in_force(r);
    const uint64_t old_voters = raft_has_bug(r, RAFT_R03) ? 0 : c->voters;
    *next = (struct raft_configuration){.voters = c->voters, .learners = c->learners};
    switch (change->command) {
    case RAFT_COMMAND_ADD_SERVER:
    case RAFT_COMMAND_PROMOTE:
        next->voters |= change->set;
        break;
    case RAFT_COMMAND_REMOVE_SERVER:
        next->voters &= ~change->set;
        next->learners &= ~change->set;
        break;
    case RAFT_COMMAND_ADD_LEARNER:
        next->learners |= change->set;
        break;
    case RAFT_COMMAND_REPLACE_SERVER:
        next->voters ^= change->set;
        next->old_voters = old_voters;
        break;
    default:
        next->voters = change->set;
        next->old_voters = old_voters;
        break;
    }
    next->learners &= ~(next->voters | next->old_voters);
    return next->voters != 0 && (next->voters != c->voters || next->learners != c->learners);
}

/* ---- Newcomers ----------------------------------------------------------------------------- */

static void forget_change(struct raft *r, struct sim_env *env)
{
    r->membership.change = (struct raft_change){0};
    raft_put_in_force(r, env);
    raft_welcome(r, env);
}

void raft_membership_deposed(struct raft *r, struct sim_env *env)
{
    if (r->membership.change.set != 0) {
        forget_change(r, env);
    }
}

/* How far the newcomers are, the slowest of them: in entries, and a sum that grows with every
 * bit of progress, of a snapshot under way too. */
static uint64_t slowest(const struct raft *r, uint64_t newcomers, uint64_t *sum)
{
    uint64_t least = UINT64_MAX;
    for (; newcomers != 0; newcomers &= newcomers - 1) {
        const struct raft_peer *peer = &r->peers[place_of(newcomers)];
        least = peer->match < least ? peer->match : least;
        *sum += peer->match + peer->offset_bytes;
    }
    return least;
}

static void begin_round(struct raft *r, struct sim_env *env)
{
    struct raft_change *change = &r->membership.change;
    change->rounds++;
    change->round_end = r->log.last;
    change->round_ns = sim_monotonic_ns(env);
}

/* Are the newcomers close enough for the group not to wait for them when they vote? Each round
 * copies what the log had when it began; a round shorter than an election timeout says yes. */
static bool have_caught_up(struct raft *r, struct sim_env *env, uint64_t newcomers)
{
    struct raft_change *change = &r->membership.change;
    if (change->caught_up || newcomers == 0) {
        return true;
    }
    if (change->rounds == 0) {
        change->newcomers = newcomers;
        begin_round(r, env);
        raft_put_in_force(r, env);
        raft_welcome(r, env);
    }
    uint64_t sum = 0;
    if (slowest(r, newcomers, &sum) >= change->round_end) {
        const uint64_t took_ns = sim_monotonic_ns(env) - change->round_ns;
        change->caught_up = took_ns < r->config.election_low_ns;
        if (!change->caught_up && change->rounds == ROUNDS) {
            forget_change(r, env); /* Too slow, and likely to stay so. */
            return false;
        }
        begin_round(r, env);
    }
    if (sum != change->progress) {
        change->progress = sum;
        change->progress_ns = sim_monotonic_ns(env);
    }
    return change->caught_up;
}

/* Does a majority of those who are to vote answer? A change that makes the group stand still is
 * not begun. */
static bool would_work(const struct raft *r, uint64_t voters)
{
    uint32_t answering = 0;
    for (uint64_t left = voters; left != 0; left &= left - 1) {
        const uint32_t place = place_of(left);
        answering += r->members[place] == r->self || r->peers[place].answered;
    }
    return answering >= (uint32_t)__builtin_popcountll(voters) / 2 + 1;
}

/* ---- The change ---------------------------------------------------------------------------- */

static void append_configuration(struct raft *r, struct sim_env *env,
                                 const struct raft_configuration *c)
{
    const struct sim_operation operation = {.function = RAFT_CONFIGURATION,
                                            .key = c->learners,
                                            .value = c->voters,
                                            .expected = c->old_voters};
    const struct raft_entry entry = raft_entry_of(r->term, &operation);
    r->membership.change = (struct raft_change){0};
    if (raft_log_append(r, env, &entry)) {
        raft_welcome(r, env);
        raft_batch_end(r, env);
    }
}

static void go_on_with_change(struct raft *r, struct sim_env *env)
{
    const struct raft_change *change = &r->membership.change;
    struct raft_configuration next;
    const uint64_t waited_ns = sim_monotonic_ns(env) - change->progress_ns;
    if (!next_configuration(r, &next) || waited_ns > PATIENCE * r->config.election_high_ns) {
        forget_change(r, env);
        return;
    }
    if (have_caught_up(r, env, next.voters & ~raft_in_force(r)->voters) &&
        would_work(r, next.voters)) {
        append_configuration(r, env, &next);
    }
}

static bool committed_in_own_term(const struct raft *r)
{
    return raft_term_at(r, r->commit) == r->term;
}

void raft_membership_step(struct raft *r, struct sim_env *env)
{
    struct raft_membership *m = &r->membership;
    const struct raft_configuration *c = raft_in_force(r);
    const bool pending = c->index > r->commit && !raft_has_bug(r, RAFT_R42);
    if (pending || (!committed_in_own_term(r) && !raft_has_bug(r, RAFT_R02))) {
        return;
    }
    if (c->old_voters != 0) {
        const struct raft_configuration alone = {.voters = c->voters,
                                                 .learners = c->learners & ~c->voters};
        append_configuration(r, env, &alone);
    } else if (!r->peers[raft_place(r, r->self)].voter) {
        raft_become_follower(r, env, r->term, SIM_NOBODY);
    } else if (m->change.set != 0) {
        go_on_with_change(r, env);
    } else {
        m->busy = false;
    }
}
