/* `fallacy list`: the catalogue. */
#include <errno.h>
#include <ftw.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "nodes/registry.h"
#include "scenarios/commands/command.h"
#include "scenarios/commands/options.h"
#include "scenarios/commands/result_json.h"
#include "scenarios/format/scenario.h"
#include "scenarios/format/suggest.h"
#include "sim/consistency/models.h"

/* Every list is rows of (name, summary): printed in two columns, or as JSON. */
struct listing {
    cJSON *json; /* NULL: print words. */
};

static void put_row(struct listing *listing, const char *name, const char *summary)
{
    if (!listing->json) {
        printf("%-36s %s\n", name, summary);
        return;
    }
    cJSON *row = cJSON_CreateObject();
    (void)cJSON_AddStringToObject(row, "name", name);
    (void)cJSON_AddStringToObject(row, "summary", summary);
    (void)cJSON_AddItemToArray(listing->json, row);
}

static void put_head(struct listing *listing, const char *words)
{
    if (!listing->json) {
        printf("\n%s%s%s\n", options_colour(stdout, COLOUR_BOLD), words,
               options_colour(stdout, COLOUR_OFF));
    }
}

/* ---- Scenarios ---------------------------------------------------------------------------- */

#define FILES_MAX 4096

static char *files[FILES_MAX];
static size_t file_count; /* nftw() gives its callback no context. */

static int visit(const char *path, const struct stat *stat, int type, struct FTW *where)
{
    (void)stat;
    const char *end = strrchr(path, '.');
    const bool scenario = type == FTW_F && end && strcmp(end, ".json") == 0 &&
                          strcmp(path + where->base, "schema.json") != 0;
    if (scenario && file_count < FILES_MAX) {
        files[file_count] = strdup(path);
        file_count += files[file_count] != NULL;
    }
    return 0;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static int list_scenarios(struct listing *listing, const char *folder)
{
    folder = folder ? folder : "scenarios";
    if (nftw(folder, visit, 16, FTW_PHYS) != 0) {
        fprintf(stderr, "fallacy list: %s: %s\n", folder, strerror(errno));
        return EXIT_INPUT;
    }
    qsort(files, file_count, sizeof *files, by_name);
    for (size_t i = 0; i < file_count; i++) {
        struct scenario scenario;
        const enum sim_status status = scenario_load(&scenario, files[i], NULL, 0);
        put_row(listing, files[i],
                status != SIM_OK ? "(does not load: run it to see why)"
                : scenario.title ? scenario.title
                                 : "");
        scenario_release(&scenario);
        free(files[i]);
    }
    return EXIT_MET;
}

/* ---- Nodes and bugs ------------------------------------------------------------------------ */

static void put_value(const struct sim_setting *setting, char *text, size_t size)
{
    const struct sim_value v = setting->standard;
    switch ((enum sim_setting_type)setting->type) {
    case SIM_SETTING_BOOL:
        (void)snprintf(text, size, "%s", v.low ? "true" : "false");
        break;
    case SIM_SETTING_CHOICE:
        (void)snprintf(text, size, "%s", setting->choices[v.low]);
        break;
    case SIM_SETTING_DURATION:
        (void)snprintf(text, size, "%gms", (double)v.low / 1e6);
        break;
    case SIM_SETTING_DURATION_RANGE:
        (void)snprintf(text, size, "%gms..%gms", (double)v.low / 1e6, (double)v.high / 1e6);
        break;
    case SIM_SETTING_SIZE:
        (void)snprintf(text, size, "%" PRId64 " bytes", v.low);
        break;
    case SIM_SETTING_COUNT:
        (void)snprintf(text, size, "%" PRId64, v.low);
        break;
    }
}

static void list_kind(struct listing *listing, const struct sim_node_kind *kind)
{
    put_row(listing, kind->name, kind->summary);
    put_head(listing, "Settings (in a group's \"config\")");
    for (uint32_t i = 0; i < kind->setting_count; i++) {
        char standard[64];
        char words[400];
        put_value(&kind->settings[i], standard, sizeof standard);
        (void)snprintf(words, sizeof words, "%s (standard: %s)", kind->settings[i].summary,
                       standard);
        put_row(listing, kind->settings[i].name, words);
    }
    put_head(listing, "Facts (in a fault's \"when\", and on timelines)");
    for (uint32_t i = 0; i < kind->fact_count; i++) {
        char words[200] = "a number";
        const char *const *values = kind->facts[i].values;
        for (size_t at = 0, v = 0; values && values[v] && at < sizeof words; v++) {
            at += (size_t)snprintf(words + at, sizeof words - at, "%s%s", v ? ", " : "", values[v]);
        }
        put_row(listing, kind->facts[i].name, words);
    }
    put_head(listing, "Messages (in \"fates\")");
    for (size_t i = 0; kind->message_names[i]; i++) {
        put_row(listing, kind->message_names[i], "");
    }
    if (kind->commands) {
        put_head(listing, "Commands (in a fault's \"command\")");
        for (size_t i = 0; kind->commands[i]; i++) {
            put_row(listing, kind->commands[i], "");
        }
    }
    if (kind->bug_count) {
        put_head(listing, "Bugs (in a group's \"bugs\")");
    }
    for (uint32_t i = 0; i < kind->bug_count; i++) {
        put_row(listing, kind->bugs[i].name, kind->bugs[i].summary);
    }
}

static int list_nodes(struct listing *listing, const char *name)
{
    size_t count;
    const struct sim_node_kind *const *kinds = node_registry_kinds(&count);
    struct suggestion suggestion = {.word = name ? name : ""};
    for (size_t i = 0; i < count; i++) {
        if (!name) {
            put_row(listing, kinds[i]->name, kinds[i]->summary);
        } else if (strcmp(kinds[i]->name, name) == 0) {
            list_kind(listing, kinds[i]);
            return EXIT_MET;
        }
        suggest_consider(&suggestion, kinds[i]->name);
    }
    if (!name) {
        return EXIT_MET;
    }
    fprintf(stderr, "fallacy list: there is no node kind '%s'", name);
    if (suggestion.nearest) {
        fprintf(stderr, "; did you mean '%s'?", suggestion.nearest);
    }
    fprintf(stderr, "\nSee: fallacy list nodes\n");
    return EXIT_INPUT;
}

#define BUG_SCENARIO "scenarios/bugs/%s.json" /* The schedule that shows it. */

static void put_bug(struct listing *listing, const struct sim_node_kind *kind,
                    const struct sim_planted_bug *bug)
{
    char file[200];
    (void)snprintf(file, sizeof file, BUG_SCENARIO, bug->name);
    const bool scripted = access(file, R_OK) == 0;
    if (!listing->json) {
        printf("%-32s %-22s %-9s %s\n", bug->name, bug->check, scripted ? "scenario" : "-",
               bug->summary);
        return;
    }
    cJSON *row = cJSON_CreateObject();
    (void)cJSON_AddStringToObject(row, "name", bug->name);
    (void)cJSON_AddStringToObject(row, "kind", kind->name);
    (void)cJSON_AddStringToObject(row, "summary", bug->summary);
    (void)cJSON_AddStringToObject(row, "source", bug->source);
    (void)cJSON_AddStringToObject(row, "check", bug->check);
    if (scripted) {
        (void)cJSON_AddStringToObject(row, "scenario", file);
    } else {
        (void)cJSON_AddNullToObject(row, "scenario");
    }
    (void)cJSON_AddItemToArray(listing->json, row);
}

static int list_bugs(struct listing *listing)
{
    size_t count;
    const struct sim_node_kind *const *kinds = node_registry_kinds(&count);
    for (size_t i = 0; i < count; i++) {
        if (kinds[i]->bug_count > 0) {
            put_head(listing, kinds[i]->name);
        }
        for (uint32_t b = 0; b < kinds[i]->bug_count; b++) {
            put_bug(listing, kinds[i], &kinds[i]->bugs[b]);
        }
    }
    return EXIT_MET;
}

/* ---- Faults and checks ---------------------------------------------------------------------- */

static const char *const fault_summaries[SIM_FAULT_KIND_COUNT] = {
    [SIM_FAULT_CRASH] = "power off: what was not synced is lost; undone by a restart",
    [SIM_FAULT_RESTART] = "start what is down",
    [SIM_FAULT_PAUSE] = "stand still, as in a garbage collection; time goes on elsewhere",
    [SIM_FAULT_SLOW] = "a cpu that runs at a share of its speed",
    [SIM_FAULT_PARTITION] = "cut links: between, one_way, isolate, halves, bridge, ring",
    [SIM_FAULT_LINK] = "change knobs of links: latency, loss, bandwidth, an adversary, ...",
    [SIM_FAULT_DISK] = "change knobs of disks: latency, errors, lies, torn writes, ...",
    [SIM_FAULT_WIPE] = "crash, and come back with an empty disk",
    [SIM_FAULT_CLOCK_STEP] = "set a wall clock forward or back",
    [SIM_FAULT_CLOCK_DRIFT] = "a clock that runs fast or slow",
    [SIM_FAULT_CLOCK_SYNC] = "synchronise a wall clock, with its usual error",
    [SIM_FAULT_JOIN] = "start a node that was absent",
    [SIM_FAULT_LEAVE] = "stop a node cleanly",
    [SIM_FAULT_MOVE] = "move a node to another zone",
    [SIM_FAULT_READDRESS] = "a new address, which others learn when their DNS entry expires",
    [SIM_FAULT_ADMIN_SET] = "an administrator changes a setting of running nodes",
    [SIM_FAULT_FIREWALL] = "an administrator drops traffic from some nodes to others",
    [SIM_FAULT_COMMAND] = "ask a node for something, such as transfer_leadership",
    [SIM_FAULT_HEAL] = "undo every fault that can be undone",
    [SIM_FAULT_SCALE] = "let a group grow or shrink, one member after the other",
};

static const char *const family_summaries[SIM_SWARM_FAMILY_COUNT] = {
    [SIM_SWARM_CRASH] = "nodes crash and restart",
    [SIM_SWARM_PAUSE] = "nodes stand still for a while",
    [SIM_SWARM_SLOW] = "cpus slow down",
    [SIM_SWARM_ISOLATE] = "one node is cut from all others",
    [SIM_SWARM_HALVES] = "the group falls in two",
    [SIM_SWARM_ONE_WAY] = "a node is heard by nobody, or hears nobody",
    [SIM_SWARM_BRIDGE] = "two halves that only one node reaches both of",
    [SIM_SWARM_RING] = "each node reaches only two neighbours",
    [SIM_SWARM_PARTIAL] = "one pair of nodes is cut",
    [SIM_SWARM_LOSS] = "messages are lost",
    [SIM_SWARM_DELAY] = "messages are late",
    [SIM_SWARM_DUPLICATE] = "datagrams arrive twice",
    [SIM_SWARM_REORDER] = "datagrams overtake each other",
    [SIM_SWARM_CORRUPT] = "bits of messages flip",
    [SIM_SWARM_DISK_SLOW] = "disks take their time to sync",
    [SIM_SWARM_DISK_ERROR] = "syncs fail",
    [SIM_SWARM_DISK_LIE] = "syncs report success and keep nothing",
    [SIM_SWARM_CLOCK_DRIFT] = "clocks run fast or slow",
    [SIM_SWARM_CLOCK_STEP] = "wall clocks are set forward or back",
    [SIM_SWARM_COMMAND] = "nodes are asked for something, such as transfer_leadership",
};

static int list_faults(struct listing *listing)
{
    put_head(listing, "Faults (in \"faults\")");
    for (uint32_t f = 0; f < SIM_FAULT_KIND_COUNT; f++) {
        put_row(listing, sim_fault_kind_name(f), fault_summaries[f]);
    }
    put_head(listing, "Families (in \"swarm\")");
    for (uint32_t f = 0; f < SIM_SWARM_FAMILY_COUNT; f++) {
        put_row(listing, sim_swarm_family_name(f), family_summaries[f]);
    }
    return EXIT_MET;
}

static int list_checks(struct listing *listing)
{
    for (uint32_t c = 0; c < SIM_CHECK_COUNT; c++) {
        put_row(listing, sim_check_infos[c].name, sim_check_infos[c].summary);
    }
    return EXIT_MET;
}

/* Strongest first, those of objects before those of transactions. */
static int list_models(struct listing *listing)
{
    for (size_t m = 0; m < sim_model_count; m++) {
        const struct sim_model *model = &sim_models[m];
        char name[64];
        char words[300];
        (void)snprintf(name, sizeof name, "%s", sim_model_name(model));
        for (char *at = strchr(name, '_'); at; at = strchr(at, '_')) {
            *at = '-';
        }
        int size = snprintf(words, sizeof words, "%s", sim_check_infos[model->number].summary);
        const char *before = " Of";
        for (uint32_t i = 0; i < SIM_OBJECT_COUNT && !model->transactions; i++) {
            if (sim_model_judges(model, i)) {
                size += snprintf(words + size, sizeof words - (size_t)size, "%s %s", before,
                                 sim_object_names[i]);
                before = ",";
            }
        }
        (void)snprintf(words + size, sizeof words - (size_t)size, "%s.",
                       model->transactions ? " Of txn" : "");
        put_row(listing, name, words);
    }
    return EXIT_MET;
}

int command_list(int argc, char **argv)
{
    const char *words[2] = {NULL, NULL};
    bool json = false;
    const struct option_row options[] = {{"json", OPTION_FLAG, &json, NULL},
                                         {NULL, OPTION_FLAG, NULL, NULL}};
    if (!options_read(options, argc, argv, words, 1, 2)) {
        return EXIT_INPUT;
    }
    struct listing listing = {.json = json ? cJSON_CreateArray() : NULL};
    int code = EXIT_INPUT;
    if (strcmp(words[0], "scenarios") == 0) {
        code = list_scenarios(&listing, words[1]);
    } else if (strcmp(words[0], "nodes") == 0) {
        code = list_nodes(&listing, words[1]);
    } else if (strcmp(words[0], "faults") == 0) {
        code = list_faults(&listing);
    } else if (strcmp(words[0], "checks") == 0) {
        code = list_checks(&listing);
    } else if (strcmp(words[0], "models") == 0) {
        code = list_models(&listing);
    } else if (strcmp(words[0], "bugs") == 0) {
        code = list_bugs(&listing);
    } else {
        fprintf(stderr,
                "fallacy list: expected scenarios, nodes, faults, checks, models or bugs, got "
                "'%s'\n",
                words[0]);
    }
    if (!listing.json) {
        return code;
    }
    if (code != EXIT_MET) {
        cJSON_Delete(listing.json);
        return code;
    }
    cJSON *object = cJSON_CreateObject();
    (void)cJSON_AddItemToObject(object, words[0], listing.json);
    return result_json_print(object) ? EXIT_MET : EXIT_FAULT;
}
