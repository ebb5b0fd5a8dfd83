#include "scenarios/commands/story.h"

#include <inttypes.h>
#include <stdio.h>

#include "scenarios/commands/options.h"
#include "scenarios/commands/outcome.h"

/* ---- Collecting --------------------------------------------------------------------------- */

#define TOLD                                                                                       \
    (1u << SIM_REC_CRASH | 1u << SIM_REC_PAUSE | 1u << SIM_REC_LEAVE | 1u << SIM_REC_FACT |        \
     1u << SIM_REC_FAULT | 1u << SIM_REC_VIOLATION | 1u << SIM_REC_BOOT)

static const char *node_name(const struct story *story, uint32_t node)
{
    return node < story->plan->node_count ? story->plan->nodes[node].name : "nobody";
}

/* A leader, and from then on whom it counts, where configurations change. By convention the fact
 * "role" comes first, and "voters" has a bit for each place in the group. */
static bool tell_fact(struct story *story, const struct sim_record *r, char *words, size_t size)
{
    const struct sim_plan_node *node = &story->plan->nodes[r->node];
    const struct sim_plan_group *group = &story->plan->groups[node->group];
    const struct sim_fact *fact = &node->kind->facts[r->detail];
    if (r->detail == 0 && fact->values && strcmp(fact->values[r->a], "leader") == 0) {
        story->leader = r->node;
        (void)snprintf(words, size, "%s becomes leader", node->name);
        return true;
    }
    if (r->detail == 0 && r->node == story->leader) {
        story->leader = SIM_NOBODY;
    }
    if (r->node != story->leader || r->a == 0 || strcmp(fact->name, "voters") != 0) {
        return false;
    }
    int at = snprintf(words, size, "%s counts", node->name);
    const char *comma = "";
    for (uint32_t i = 0; i < group->node_count && i < 64 && at < (int)size; i++) {
        if (r->a >> i & 1) {
            at += snprintf(words + at, size - (size_t)at, "%s %s", comma,
                           node_name(story, group->first_node + i));
            comma = ",";
        }
    }
    return true;
}

/* A fault that begins or ends; false if its effect tells of it. */
static bool tell_fault(const struct story *story, const struct sim_record *r, char *words,
                       size_t size)
{
    const char *name = node_name(story, r->node);
    if (r->detail == SIM_FAULT_CRASH || r->detail == SIM_FAULT_PAUSE ||
        r->detail == SIM_FAULT_RESTART) {
        return false; /* Told by the crash, the pause or the boot itself. */
    }
    if (r->a == UINT64_MAX) { /* Not of the scenario: the second phase begins. */
        (void)snprintf(words, size, "a majority is healed and must make progress: %s", name);
    } else if (r->detail == SIM_FAULT_SCALE && r->a < story->plan->fault_count) {
        const struct sim_fault *f = &story->plan->faults[r->a];
        (void)snprintf(words, size, "%s is to have %" PRId64 " members",
                       story->plan->groups[f->targets.selectors[0].index].name, f->amount);
    } else if (r->detail == SIM_FAULT_COMMAND && r->a < story->plan->fault_count &&
               r->node < story->plan->node_count) {
        const uint32_t command = story->plan->faults[r->a].index;
        (void)snprintf(words, size, "told to %s: %s",
                       story->plan->nodes[r->node].kind->commands[command], name);
    } else {
        (void)snprintf(words, size, "%s %s: %s", sim_fault_kind_name(r->detail),
                       r->b ? "begins" : "ends", name);
    }
    return true;
}

/* The words for a record; false if it does not belong in a short story. */
static bool tell(struct story *story, const struct sim_record *r, char *words, size_t size)
{
    const char *name = node_name(story, r->node);
    switch (r->kind) {
    case SIM_REC_BOOT:
        story->leader = r->node == story->leader ? SIM_NOBODY : story->leader;
        if (r->time_ns == 0) {
            return false;
        }
        (void)snprintf(words, size, "%s starts", name);
        return true;
    case SIM_REC_CRASH:
        (void)snprintf(words, size, "%s crashes, losing %" PRIu64 " unsynced writes", name, r->b);
        return true;
    case SIM_REC_PAUSE:
        (void)snprintf(words, size, "%s stands still", name);
        return true;
    case SIM_REC_LEAVE:
        (void)snprintf(words, size, "%s stops cleanly", name);
        return true;
    case SIM_REC_FACT:
        return tell_fact(story, r, words, size);
    case SIM_REC_FAULT:
        return tell_fault(story, r, words, size);
    case SIM_REC_VIOLATION:
        (void)snprintf(words, size, "%s is violated", sim_check_infos[r->detail].name);
        return true;
    default:
        return false;
    }
}

#define NO_FAULT (UINT64_MAX - 2) /* There are not that many. */

/* A fault that concerns several nodes is one line that names them all. */
static bool join(struct story *story, const struct story_line *line, const char *name)
{
    for (size_t i = story->line_count; i > 0; i--) {
        struct story_line *earlier = &story->lines[i - 1];
        if (earlier->time_ns != line->time_ns || story->left_out > 0) {
            break;
        }
        if (earlier->fault == line->fault) {
            const size_t at = strlen(earlier->words);
            (void)snprintf(earlier->words + at, sizeof earlier->words - at, ", %s", name);
            return true;
        }
    }
    return false;
}

static void collect(void *context, const struct sim_record *record)
{
    struct story *story = context;
    if (story->next && (story->next->kinds >> record->kind & 1)) {
        story->next->record(story->next->context, record);
    }
    if (!(TOLD >> record->kind & 1)) {
        return;
    }
    struct story_line line = {.time_ns = record->time_ns, .fault = NO_FAULT};
    if (!tell(story, record, line.words, sizeof line.words)) {
        return;
    }
    if (record->kind == SIM_REC_FAULT) {
        line.fault = record->a << 1 | record->b;
        if (join(story, &line, node_name(story, record->node))) {
            return;
        }
    }
    if (story->line_count < STORY_LINES_MAX) {
        story->lines[story->line_count++] = line;
    } else {
        story->left_out++;
    }
}

void story_init(struct story *story, const struct sim_plan *plan, const struct sim_sink *next)
{
    *story = (struct story){.plan = plan, .next = next, .leader = SIM_NOBODY};
    story->sink = (struct sim_sink){
        .context = story, .kinds = TOLD | (next ? next->kinds : 0), .record = collect};
}

/* ---- Telling ------------------------------------------------------------------------------ */

const char *story_time(uint64_t time_ns, char *text)
{
    if (time_ns >= SIM_S) {
        (void)snprintf(text, 32, "%" PRIu64 ".%03" PRIu64 " s", time_ns / SIM_S,
                       time_ns % SIM_S / SIM_MS);
    } else if (time_ns >= SIM_MS) {
        (void)snprintf(text, 32, "%" PRIu64 ".%02" PRIu64 " ms", time_ns / SIM_MS,
                       time_ns % SIM_MS / (10 * SIM_US));
    } else {
        (void)snprintf(text, 32, "%" PRIu64 ".%02" PRIu64 " us", time_ns / SIM_US,
                       time_ns % SIM_US / 10);
    }
    return text;
}

static const char *colour_of(void *stream, uint32_t verdict, bool met)
{
    return options_colour(stream, !met                      ? COLOUR_RED
                                  : verdict == SIM_HOLDS    ? COLOUR_GREEN
                                  : verdict == SIM_VIOLATED ? COLOUR_YELLOW
                                                            : "");
}

static void print_verdicts(const struct sim_world *world, const uint32_t *expect, void *stream)
{
    const struct sim_checks *checks = sim_world_checks(world);
    char when[32];
    for (uint32_t c = 0; c < SIM_CHECK_COUNT; c++) {
        if (!(sim_checks_enabled(checks) >> c & 1)) {
            continue;
        }
        const struct sim_check_state *state = sim_checks_state(checks, c);
        const bool met = outcome_check_met(expect[c], state->verdict);
        /* How often it could have broken: a check that never could has proved nothing. */
        char tested[32] = "never tested";
        if (state->exercised > 0) {
            (void)snprintf(tested, sizeof tested, "%" PRIu64 " time%s", state->exercised,
                           state->exercised == 1 ? "" : "s");
        }
        const bool remark = !met || expect[c] != SCENARIO_NO_EXPECTATION;
        fprintf(stream, "  %s%-11s%s  %-22s  %*s", colour_of(stream, state->verdict, met),
                sim_verdict_name(state->verdict), options_colour(stream, COLOUR_OFF),
                sim_check_infos[c].name, remark ? -12 : 0, tested);
        if (!met) {
            const char *wanted = outcome_expected_name(expect[c]);
            fprintf(stream, "  UNMET: expected %s", *wanted ? wanted : "holds");
        } else if (expect[c] != SCENARIO_NO_EXPECTATION) {
            fprintf(stream, "  as expected%s",
                    expect[c] == SCENARIO_SOMETIMES ? " (sometimes violated)" : "");
        }
        fprintf(stream, "\n");
        if (state->violated) {
            fprintf(stream, "               at %s, event %" PRIu64 ": %s\n",
                    story_time(state->at_ns, when), state->event, state->detail);
        } else if (state->detail[0]) {
            fprintf(stream, "               %s\n", state->detail);
        }
    }
}

static void print_operations(const struct sim_metrics *m, uint64_t duration_ns, void *stream)
{
    char text[4][32];
    if (m->operations == 0) {
        return;
    }
    fprintf(stream,
            "  operations   %" PRIu64 " begun: %" PRIu64 " ok (%.1f a second), %" PRIu64
            " failed, %" PRIu64 " in doubt; %.2f attempts each\n",
            m->operations, m->operations_ok, (double)m->operations_ok * 1e9 / (double)duration_ns,
            m->operations_failed, m->operations_info, (double)m->attempts / (double)m->operations);
    fprintf(stream, "  latency      half within %s, 99 %% within %s, slowest %s\n",
            story_time(m->latency_p50_ns, text[0]), story_time(m->latency_p99_ns, text[1]),
            story_time(m->latency_max_ns, text[2]));
    fprintf(stream, "  availability longest time without an acknowledged write: %s\n",
            story_time(m->longest_gap_ns, text[3]));
}

/* Only what happened: a line of zeros tells nothing. */
static void print_others(const struct sim_metrics *m, void *stream)
{
    fprintf(stream, "  messages     %" PRIu64 " sent, %" PRIu64 " delivered", m->messages_sent,
            m->messages_delivered);
    static const struct {
        const char *words;
        size_t offset;
    } counts[] = {
        {"lost", offsetof(struct sim_metrics, messages_lost)},
        {"duplicated", offsetof(struct sim_metrics, messages_duplicated)},
        {"reordered", offsetof(struct sim_metrics, messages_reordered)},
        {"corrupted", offsetof(struct sim_metrics, messages_corrupted)},
        {"sent again", offsetof(struct sim_metrics, messages_retransmitted)},
        {"forged and accepted", offsetof(struct sim_metrics, forged_accepted)},
    };
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        const uint64_t n = *(const uint64_t *)((const char *)m + counts[i].offset);
        if (n > 0) {
            fprintf(stream, ", %" PRIu64 " %s", n, counts[i].words);
        }
    }
    for (uint32_t d = 0; d < SIM_DROP_COUNT; d++) {
        if (m->messages_dropped[d] > 0) {
            fprintf(stream, ", %" PRIu64 " dropped (%s)", m->messages_dropped[d], sim_drop_name(d));
        }
    }
    fprintf(stream, "\n");
    char text[32];
    if (m->leader_changes > 0) {
        fprintf(stream,
                "  leadership   %" PRIu64 " times a node became leader, last term %" PRIu64 "\n",
                m->leader_changes, m->term_max);
    }
    if (m->cost_nano_dollars > 0) {
        fprintf(stream, "  transport    %.6f dollars for %.3f MB\n",
                (double)m->cost_nano_dollars / 1e9, (double)m->bytes_sent / 1e6);
    }
    if (m->queue_delay_max_ns > 0) {
        fprintf(stream, "  bandwidth    longest wait for a line: %s\n",
                story_time(m->queue_delay_max_ns, text));
    }
    if (m->cpu_busy_ns > 0) {
        fprintf(stream, "  cpu          %s busy in all", story_time(m->cpu_busy_ns, text));
        fprintf(stream, ", longest wait %s\n", story_time(m->cpu_delay_max_ns, text));
    }
    if (m->settings_changed > 0) {
        fprintf(stream, "  admins       %" PRIu64 " changes, %" PRIu64 " overruled another's\n",
                m->settings_changed, m->settings_overruled);
    }
    if (m->clock_error_max_ns > 0) {
        fprintf(stream, "  clocks       up to %s wrong", story_time(m->clock_error_max_ns, text));
        fprintf(stream, "; %" PRIu64 " writes stamped before an older one\n", m->clock_inversions);
    }
}

void story_print(const struct story *story, const struct sim_world *world, const uint32_t *expect,
                 void *stream)
{
    char text[32];
    for (size_t i = 0; i < story->line_count; i++) {
        fprintf(stream, "  %12s  %s\n", story_time(story->lines[i].time_ns, text),
                story->lines[i].words);
    }
    if (story->left_out > 0) {
        fprintf(stream, "  %12s  and %zu more such events\n", "...", story->left_out);
    }
    struct sim_metrics metrics;
    sim_world_metrics(world, &metrics);
    fprintf(stream, "\nMeasured in %s of virtual time\n",
            story_time(sim_world_now_ns(world), text));
    print_operations(&metrics, sim_world_now_ns(world), stream);
    print_others(&metrics, stream);
    fprintf(stream, "\nVerdicts\n");
    print_verdicts(world, expect, stream);
}
