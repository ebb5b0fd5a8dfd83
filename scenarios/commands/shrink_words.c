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

/* "3 nodes, 2 faults, 1 fate and 4 operations", without what there is none of. */
static void size_words(const struct shrink_size *size, char *text, size_t text_size)
{
    const struct {
        const char *name;
        uint64_t count;
    } parts[] = {{"node", size->nodes},
                 {"fault", size->faults},
                 {"fate", size->fates},
                 {"operation", size->operations}};
    size_t left = 0;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        left += parts[i].count > 0;
    }
    int used = 0;
    text[0] = '\0';
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (parts[i].count > 0) {
            left--;
            used += snprintf(text + used, text_size - (size_t)used, "%" PRIu64 " %s%s%s",
                             parts[i].count, parts[i].name, plural(parts[i].count),
                             left > 1    ? ", "
                             : left == 1 ? " and "
                                         : "");
        }
    }
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

/* "Shrunk from swarm.json, seed 3, --set a=b (5 nodes, 30 faults and 387 operations)", and where
 * the original has its own from. */
static void write_source(const struct shrink *s, char *text, size_t text_size)
{
    char was[160];
    size_words(&s->before, was, sizeof was);
    int used = snprintf(text, text_size, "Shrunk from %.300s, seed %" PRIu64, s->original->file,
                        s->original_seed);
    for (size_t i = 0; i < s->set_count; i++) {
        used += snprintf(text + used, text_size - (size_t)used, ", --set %.120s", s->sets[i]);
        if (used > (int)text_size / 2) {
            break;
        }
    }
    used += snprintf(text + used, text_size - (size_t)used, " (%s)", was);
    if (s->original->source) {
        (void)snprintf(text + used, text_size - (size_t)used, "; %.600s", s->original->source);
    }
}

char *shrink_text(const struct shrink *s, const struct sim_plan *plan,
                  const struct shrink_failure *failure)
{
    char title[SIM_DETAIL_MAX + 64];
    char why[400];
    char source[2400];
    char is[160];
    struct shrink_size size;
    uint32_t expect[SIM_CHECK_COUNT];
    const char *problem;
    shrink_size(plan, failure, &size);
    size_words(&size, is, sizeof is);
    write_title(s, failure, title, sizeof title);
    write_source(s, source, sizeof source);
    (void)snprintf(why, sizeof why, "%.200s Here it takes %s.",
                   sim_check_infos[s->target.check].summary, is);
    for (uint32_t c = 0; c < SIM_CHECK_COUNT; c++) {
        expect[c] = SCENARIO_NO_EXPECTATION;
    }
    expect[s->target.check] = s->target.verdict;
    const struct scenario_words words = {.title = title, .why = why, .source = source};
    return scenario_write(plan, &words, expect, &problem);
}
