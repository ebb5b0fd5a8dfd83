/* What is known before a run: the words for all numbers, the nodes and their settings, and
 * the schedule of faults. */
#include "reports/outcome_names.h"
#include "reports/recording_internal.h"

#include <stdarg.h>
#include <stdio.h>

/* The views of schema.sql name record kinds, outcomes and verdicts by number. */
static_assert(SIM_REC_CRASH == 1 && SIM_REC_LEAVE == 4 && SIM_REC_SEND == 5 &&
                  SIM_REC_DELIVER == 6 && SIM_REC_DROP == 7 && SIM_REC_TIMER == 8 &&
                  SIM_REC_WRITE == 9 && SIM_REC_SYNC == 10 && SIM_REC_SYNCED == 11 &&
                  SIM_REC_INVOKE == 12 && SIM_REC_ATTEMPT == 13 && SIM_REC_RETURN == 14 &&
                  SIM_REC_FACT == 15 && SIM_REC_FAULT == 16 && SIM_REC_CLOCK == 17 &&
                  SIM_REC_SETTING == 18 && SIM_REC_VIOLATION == 19 && SIM_REC_KIND_COUNT == 20,
              "change the views of schema.sql too");
static_assert(SIM_FATE_LOST == 1, "change the view messages too");

enum { KINDS_MAX = 64, WORDS_MAX = 512 };

static const char *const function_names[SIM_FUNCTION_COUNT] = {"read",      "write",  "cas",
                                                               "read_list", "append", "txn"};
static const char *const outcome_names[SIM_OUTCOME_COUNT] = {"open", "ok", "fail", "info"};
static const char *const status_names[] = {"ok", "enomem", "einval", "efull", "eio", "enospc"};
static const char *const fate_names[] = {"lost",          "duplicated", "reordered", "corrupted",
                                         "retransmitted", "tampered",   "forged",    "replayed"};
static const char *const shape_names[SIM_CUT_COUNT] = {"between", "one way", "isolate",
                                                       "halves",  "bridge",  "ring"};

/* ---- Names ----------------------------------------------------------------------------------- */

struct names {
    struct recording *recording;
    sqlite3_stmt *add;
};

static struct names names_open(struct recording *recording)
{
    return (struct names){recording, recording_prepare(recording, "insert or ignore into name "
                                                                  "values (?, ?, ?, ?)")};
}

static void add_name(const struct names *names, const char *what, size_t owner, size_t id,
                     const char *text)
{
    recording_row(names->recording, names->add, "tiit", what, (int64_t)owner, (int64_t)id, text);
}

static void add_list(const struct names *names, const char *what, size_t owner,
                     const char *const *texts)
{
    for (size_t i = 0; texts && texts[i]; i++) {
        add_name(names, what, owner, i, texts[i]);
    }
}

static void add_outcome_name(void *context, const char *what, uint32_t id, const char *text)
{
    add_name(context, what, 0, id, text);
}

void recording_add_outcome_names(struct recording *recording)
{
    struct names names = names_open(recording);
    recording_each_outcome_name(add_outcome_name, &names);
    sqlite3_finalize(names.add);
}

static void add_fixed_names(const struct names *names)
{
    for (uint32_t i = 0; i < SIM_REC_KIND_COUNT; i++) {
        add_name(names, "event", 0, i, sim_record_kind_name(i));
    }
    for (uint32_t i = 0; i < SIM_DROP_COUNT; i++) {
        add_name(names, "drop", 0, i, sim_drop_name(i));
    }
    for (uint32_t i = 0; i < SIM_FAULT_KIND_COUNT; i++) {
        add_name(names, "fault", 0, i, sim_fault_kind_name(i));
    }
    for (uint32_t i = 0; i < SIM_FUNCTION_COUNT; i++) {
        add_name(names, "function", 0, i, function_names[i]);
    }
    for (uint32_t i = 0; i < SIM_OUTCOME_COUNT; i++) {
        add_name(names, "outcome", 0, i, outcome_names[i]);
    }
    for (size_t i = 0; i < sizeof status_names / sizeof status_names[0]; i++) {
        add_name(names, "status", 0, i, status_names[i]);
    }
    for (size_t i = 0; i < sizeof fate_names / sizeof fate_names[0]; i++) {
        add_name(names, "fate", 0, (size_t)1 << i, fate_names[i]); /* By its bit. */
    }
}

/* What every kind of node, and the clients, send to each other. */
static void add_client_messages(const struct names *names, size_t kind)
{
    add_name(names, "message", kind, SIM_MESSAGE_REQUEST, "request");
    add_name(names, "message", kind, SIM_MESSAGE_RESPONSE, "response");
}

static void add_kind_names(const struct names *names, size_t id, const struct sim_node_kind *kind)
{
    add_name(names, "node kind", 0, id, kind->name);
    add_list(names, "message", id, kind->message_names);
    add_client_messages(names, id);
    add_list(names, "command", id, kind->commands);
    for (uint32_t i = 0; i < kind->fact_count; i++) {
        add_name(names, "fact", id, i, kind->facts[i].name);
        add_list(names, "value", 256 * id + i, kind->facts[i].values);
    }
    for (uint32_t i = 0; i < kind->setting_count; i++) {
        add_name(names, "setting", id, i, kind->settings[i].name);
        add_list(names, "choice", 256 * id + i, kind->settings[i].choices);
    }
    for (uint32_t i = 0; i < kind->bug_count; i++) {
        add_name(names, "bug", id, i, kind->bugs[i].name);
    }
}

static void add_plan_names(const struct names *names, const struct sim_plan *plan)
{
    for (uint32_t i = 0; i < plan->administrator_count; i++) {
        add_name(names, "administrator", 0, i, plan->administrators[i]);
    }
    for (uint32_t i = 0; i < plan->zone_count; i++) {
        add_name(names, "zone", 0, i, plan->zones[i].name);
    }
}

/* ---- Nodes ----------------------------------------------------------------------------------- */

/* The kinds of the plan's nodes in the order in which they come up; a client's is NULL. */
struct kinds {
    const struct sim_node_kind *kinds[KINDS_MAX];
    size_t count;
};

static size_t kind_id(struct kinds *kinds, const struct sim_node_kind *kind)
{
    size_t id = 0;
    while (id < kinds->count && kinds->kinds[id] != kind) {
        id++;
    }
    if (id == kinds->count) {
        assert(kinds->count < KINDS_MAX);
        kinds->kinds[kinds->count++] = kind;
    }
    return id;
}

static void add_node(struct recording *recording, sqlite3_stmt *add, uint32_t node, size_t kind)
{
    const struct sim_plan *plan = recording->plan;
    const struct sim_plan_node *n = &plan->nodes[node];
    const struct sim_plan_zone *zone = &plan->zones[n->zone];
    recording_row(recording, add, "ititttii", (int64_t)node, n->name, (int64_t)kind,
                  n->kind ? plan->groups[n->group].name : plan->workloads[n->group].name,
                  zone->name, plan->regions[zone->region], (int64_t)n->absent, (int64_t)n->bugs);
}

void recording_add_plan(struct recording *recording)
{
    const struct sim_plan *plan = recording->plan;
    const struct names names = names_open(recording);
    struct kinds kinds = {.count = 0};
    sqlite3_stmt *add_to_nodes =
        recording_prepare(recording, "insert into node values (?, ?, ?, ?, ?, ?, ?, ?)");
    sqlite3_stmt *add_setting =
        recording_prepare(recording, "insert into setting values (?, ?, ?, ?)");

    add_fixed_names(&names);
    add_plan_names(&names, plan);
    for (uint32_t i = 0; i < plan->node_count; i++) {
        const struct sim_plan_node *node = &plan->nodes[i];
        add_node(recording, add_to_nodes, i, kind_id(&kinds, node->kind));
        for (uint32_t s = 0; node->kind && s < node->kind->setting_count; s++) {
            recording_row(recording, add_setting, "iiii", (int64_t)i, (int64_t)s,
                          node->settings[s].low, node->settings[s].high);
        }
    }
    for (size_t i = 0; i < kinds.count; i++) {
        if (kinds.kinds[i]) {
            add_kind_names(&names, i, kinds.kinds[i]);
        } else {
            add_name(&names, "node kind", 0, i, "client");
            add_client_messages(&names, i);
        }
    }
    sqlite3_finalize(add_setting);
    sqlite3_finalize(add_to_nodes);
    sqlite3_finalize(names.add);
}

/* ---- Faults ---------------------------------------------------------------------------------- */

__attribute__((format(printf, 2, 3))) static void append(char words[WORDS_MAX], const char *format,
                                                         ...)
{
    const size_t length = strlen(words);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(words + length, WORDS_MAX - length, format, arguments);
    va_end(arguments);
}

static void append_selector(char words[WORDS_MAX], const struct sim_plan *plan,
                            const struct sim_selector *selector)
{
    static const char *const others[SIM_SELECT_KIND_COUNT] = {
        [SIM_SELECT_ALL] = "all nodes",           [SIM_SELECT_LEADER] = "the leader",
        [SIM_SELECT_FOLLOWER] = "a follower",     [SIM_SELECT_ANY] = "any node",
        [SIM_SELECT_FOLLOWERS] = "all followers", [SIM_SELECT_CLIENTS] = "all clients",
        [SIM_SELECT_MINORITY] = "a minority",
    };
    const uint32_t i = selector->index;
    switch (selector->kind) {
    case SIM_SELECT_NODE:
        append(words, "%s", plan->nodes[i].name);
        break;
    case SIM_SELECT_GROUP:
        append(words, "group %s", plan->groups[i].name);
        break;
    case SIM_SELECT_ZONE:
        append(words, "zone %s", plan->zones[i].name);
        break;
    case SIM_SELECT_REGION:
        append(words, "region %s", plan->regions[i]);
        break;
    default:
        append(words, "%s", others[selector->kind]);
        break;
    }
}

static void describe_selection(char words[WORDS_MAX], const struct sim_plan *plan,
                               const struct sim_selection *selection)
{
    words[0] = '\0';
    for (uint32_t i = 0; i < selection->count; i++) {
        append(words, "%s", i > 0 ? ", " : "");
        append_selector(words, plan, &selection->selectors[i]);
    }
}

static int64_t fault_amount(const struct sim_fault *fault)
{
    switch (fault->kind) {
    case SIM_FAULT_CLOCK_STEP:
    case SIM_FAULT_CLOCK_DRIFT:
    case SIM_FAULT_SCALE:
        return fault->amount;
    case SIM_FAULT_SLOW:
        return fault->speed_ppm;
    default:
        return fault->index;
    }
}

void recording_add_faults(struct recording *recording, const struct sim_fault *faults, size_t first,
                          size_t count)
{
    const struct sim_plan *plan = recording->plan;
    sqlite3_stmt *add =
        recording_prepare(recording, "insert into fault values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    for (size_t i = first; i < count; i++) {
        const struct sim_fault *f = &faults[i];
        char targets[WORDS_MAX];
        char peers[WORDS_MAX];
        describe_selection(targets, plan, &f->targets);
        describe_selection(peers, plan, &f->peers);
        const char *shape = f->kind == SIM_FAULT_PARTITION ? shape_names[f->shape] : NULL;
        recording_row(recording, add, "iiiioottti", (int64_t)i, (int64_t)f->kind,
                      (int64_t)(i >= plan->fault_count), (int64_t)f->at_ns, f->for_ns != 0,
                      (int64_t)f->for_ns, f->every_ns != 0, (int64_t)f->every_ns, targets, peers,
                      shape, fault_amount(f));
    }
    sqlite3_finalize(add);
}
