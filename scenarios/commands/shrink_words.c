/* The scenario that is handed back: a plan with the words that a person would put to it. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "scenarios/commands/shrink.h"
#include "scenarios/format/write.h"

static const char *plural(uint64_t count)
{
    return count == 1 ? "" : "s";
}

/* "3 nodes, 2 faults, 1 fate and 4 operations" */
static void size_words(const struct shrink_size *size, char *text, size_t text_size)
{
    char fates[48] = "";
    if (size->fates) {
        (void)snprintf(fates, sizeof fates, ", %" PRIu32 " fate%s", size->fates,
                       plural(size->fates));
    }
    (void)snprintf(text, text_size,
                   "%" PRIu32 " node%s, %" PRIu32 " fault%s%s and %" PRIu64 " operation%s",
                   size->nodes, plural(size->nodes), size->faults, plural(size->faults), fates,
                   size->operations, plural(size->operations));
}

static void write_title(const struct shrink *s, const struct shrink_failure *failure, char *text,
                        size_t text_size)
{
    const char *name = sim_check_infos[s->target.check].name;
    if (s->target.verdict == SIM_STUCK) {
        (void)snprintf(text, text_size, "%s: stuck after the faults have healed", name);
    } else {
        (void)snprintf(text, text_size, "%s: %s", name, failure->detail);
    }
}

char *shrink_text(const struct shrink *s, const struct sim_plan *plan,
                  const struct shrink_failure *failure)
{
    char title[SIM_DETAIL_MAX + 64];
    char why[900];
    char was[160];
    char is[160];
    struct shrink_size size;
    uint32_t expect[SIM_CHECK_COUNT];
    const char *problem;
    shrink_size(plan, failure, &size);
    size_words(&s->before, was, sizeof was);
    size_words(&size, is, sizeof is);
    write_title(s, failure, title, sizeof title);
    (void)snprintf(why, sizeof why,
                   "%s It takes %s. Shrunk from %.300s, seed %" PRIu64 ", which had %s when it "
                   "failed.",
                   sim_check_infos[s->target.check].summary, is, s->original->file,
                   s->original_seed, was);
    for (uint32_t c = 0; c < SIM_CHECK_COUNT; c++) {
        expect[c] = SCENARIO_NO_EXPECTATION;
    }
    expect[s->target.check] = s->target.verdict;
    const struct scenario_words words = {.title = title, .why = why, .source = s->original->source};
    return scenario_write(plan, &words, expect, &problem);
}
