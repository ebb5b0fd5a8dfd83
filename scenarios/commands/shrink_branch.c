/* Branches: what may come to nothing is tried on a copy, so that the file and the best stay what
 * they are until it comes to something. */
#include "scenarios/commands/shrink.h"

bool shrink_branch(struct shrink *s, struct shrink *branch)
{
    *branch = *s;
    branch->out = NULL;
    branch->best = (struct sim_plan){.seed = 0};
    return shrink_copy(s, &branch->best);
}

void shrink_take(struct shrink *s, struct shrink *branch)
{
    const struct sim_plan old = s->best;
    s->best = branch->best;
    s->failure = branch->failure;
    branch->best = old;
    (void)shrink_write(s);
}

void shrink_join(struct shrink *s, struct shrink *branch, bool keep)
{
    if (keep) {
        shrink_take(s, branch);
    }
    sim_plan_release(&branch->best);
    s->steps = branch->steps;
    s->tries = branch->tries;
    s->kept = branch->kept;
    s->runs = branch->runs;
    if (branch->problem[0]) {
        memcpy(s->problem, branch->problem, sizeof s->problem);
    }
}
