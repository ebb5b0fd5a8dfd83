/* Chance on the network written down: every delay a constant, and those messages that need another
 * one, or must be lost, named by kind and ordinal. Worth it only if few are left, so this is tried
 * on a branch. */
#include <stdlib.h>

#include "scenarios/commands/shrink.h"

#define MESSAGES_MAX 1500 /* More than that take too long, and are no short story. */

/* ---- What happened to each message ---------------------------------------------------------- */

struct messages {
    struct sim_fate_override *fates; /* One for each message sent, in order. */
    uint64_t *link_ordinals;         /* Its number on its link, whatever its kind. */
    uint64_t *sent_ns;
    uint32_t count;
};

static bool make_room(struct messages *messages)
{
    messages->fates = calloc(MESSAGES_MAX, sizeof *messages->fates);
    messages->link_ordinals = calloc(MESSAGES_MAX, sizeof *messages->link_ordinals);
    messages->sent_ns = calloc(MESSAGES_MAX, sizeof *messages->sent_ns);
    return messages->fates && messages->link_ordinals && messages->sent_ns;
}

static void release(struct messages *messages)
{
    free(messages->fates);
    free(messages->link_ordinals);
    free(messages->sent_ns);
}

static void note_sent(struct messages *messages, const struct sim_record *r)
{
    uint64_t ordinal = 1;
    for (uint32_t i = 0; i < messages->count; i++) {
        const struct sim_fate_override *f = &messages->fates[i];
        ordinal += f->from == r->node && f->to == r->peer && f->message_kind == r->detail;
    }
    messages->link_ordinals[messages->count] = r->a >> 8;
    messages->sent_ns[messages->count] = r->time_ns;
    messages->fates[messages->count++] =
        (struct sim_fate_override){.from = r->node,
                                   .to = r->peer,
                                   .message_kind = r->detail,
                                   .action = r->a & SIM_FATE_LOST ? SIM_ACT_DROP : SIM_ACT_DELIVER,
                                   .ordinal = ordinal};
}

/* It arrived, or would have had nothing been in its way. */
static void note_end(struct messages *messages, const struct sim_record *r)
{
    for (uint32_t i = messages->count; i-- > 0;) {
        struct sim_fate_override *f = &messages->fates[i];
        if (f->from == r->peer && f->to == r->node && messages->link_ordinals[i] == r->a >> 8) {
            f->action = SIM_ACT_DELAY;
            f->delay_ns = r->time_ns - messages->sent_ns[i];
            return;
        }
    }
}

/* False if they are too many. */
static bool collect(struct shrink *s, struct messages *messages)
{
    const uint32_t kinds = 1u << SIM_REC_SEND | 1u << SIM_REC_DELIVER | 1u << SIM_REC_DROP;
    struct shrink_watch watch;
    struct sim_world *world;
    bool good = shrink_watch(s, kinds, &watch, &world);
    for (size_t i = 0; good && i < watch.count; i++) {
        const struct sim_record *r = &watch.records[i];
        if (r->time_ns > s->failure.at_ns) {
            break;
        }
        good = r->kind != SIM_REC_SEND || messages->count < MESSAGES_MAX;
        if (good && r->kind == SIM_REC_SEND) {
            note_sent(messages, r);
        } else if (good) {
            note_end(messages, r);
        }
    }
    shrink_watch_release(&watch);
    return good;
}

/* ---- Links without chance ------------------------------------------------------------------- */

static bool settle_dist(struct sim_dist *dist)
{
    if (dist->kind == SIM_DIST_CONSTANT) {
        return false;
    }
    const uint64_t middle = UINT64_C(1) << 63;
    const uint64_t value = sim_dist_sample(dist, middle, middle);
    *dist = (struct sim_dist){.kind = SIM_DIST_CONSTANT, .a = value, .b = value};
    return true;
}

/* True if there was any. */
static bool settle_link(struct sim_link_change *change)
{
    const uint32_t random =
        1u << SIM_LINK_LOSS | 1u << SIM_LINK_BURST | 1u << SIM_LINK_REORDER | 1u << SIM_LINK_JITTER;
    bool changed = (change->fields & random) != 0;
    change->fields &= ~random;
    if (change->fields >> SIM_LINK_LATENCY & 1) {
        changed = settle_dist(&change->knobs.latency) || changed;
    }
    struct sim_link_knobs knobs;
    sim_link_knobs_init(&knobs);
    sim_link_knobs_apply(&knobs, change);
    change->knobs = knobs;
    return changed;
}

static bool settle_links(struct sim_plan *plan)
{
    bool changed = false;
    for (uint32_t i = plan->link_count; i-- > 0;) {
        changed = settle_link(&plan->links[i].change) || changed;
        if (plan->links[i].change.fields == 0) {
            shrink_remove(plan, SHRINK_LINKS, i, 1);
        }
    }
    for (uint32_t i = plan->fault_count; i-- > 0;) {
        struct sim_fault *f = &plan->faults[i];
        if (f->kind == SIM_FAULT_LINK) {
            changed = settle_link(&f->link) || changed;
            if (f->link.fields == 0) {
                shrink_remove(plan, SHRINK_FAULTS, i, 1);
            }
        }
    }
    return changed;
}

/* ---- Together ------------------------------------------------------------------------------- */

/* The plan without chance on its links, and all fates; false if it fails no more. */
static bool write_down(struct shrink *s)
{
    struct sim_plan candidate;
    struct messages messages = {.count = 0};
    bool good = shrink_copy(s, &candidate);
    if (!good) {
        return false;
    }
    good = settle_links(&candidate) && make_room(&messages) && collect(s, &messages);
    if (!good) {
        sim_plan_release(&candidate);
        release(&messages);
        return false;
    }
    free(candidate.fates);
    candidate.fates = messages.fates;
    candidate.fate_count = messages.count;
    messages.fates = NULL;
    release(&messages);
    return shrink_try(s, &candidate);
}

bool shrink_fates(struct shrink *s)
{
    struct shrink branch;
    if (!shrink_branch(s, &branch)) {
        return false;
    }
    branch.luck = 0;
    bool good = write_down(&branch);
    branch.luck = s->luck;
    good = good && (shrink_ddmin(&branch, SHRINK_FATES) || branch.best.fate_count == 0) &&
           !shrink_is_over(&branch) && shrink_is_small(&branch);
    shrink_join(s, &branch, good);
    return good;
}
