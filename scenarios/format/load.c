/* Loading a scenario: the text, what it says for people, its sizes, and the sections in the order
 * in which they refer to each other. */
#include "scenarios/format/load.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static char *copy_text(const char *text)
{
    const size_t size = strlen(text) + 1;
    char *copy = malloc(size);
    return copy ? memcpy(copy, text, size) : NULL;
}

/* ---- Top level --------------------------------------------------------------------------- */

static void load_people(struct load *l, const struct json_at *root)
{
    struct scenario *s = l->scenario;
    const struct {
        const char *key;
        char **text;
        bool required;
    } texts[] = {
        {"title", &s->title, true},
        {"why", &s->why, true},
        {"lesson", &s->lesson, false},
        {"source", &s->source, false},
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct json_at at = json_member(root, texts[i].key);
        const char *text;
        if (texts[i].required && !load_required(l, root, texts[i].key, &at)) {
            continue;
        }
        if (!at.json || !load_text(l, &at, &text)) {
            continue;
        }
        if (texts[i].required && text[0] == '\0') {
            load_expected(l, &at, "a sentence");
        }
        *texts[i].text = copy_text(text);
        l->out_of_memory = l->out_of_memory || !*texts[i].text;
    }
}

/* A number, or a text of digits: a seed has 64 bits, a JSON number only 53. */
static void load_seed(struct load *l, const struct json_at *at)
{
    int64_t number = 0;
    if (json_is_integer(at->json, &number) && number >= 0) {
        l->plan->seed = (uint64_t)number;
        return;
    }
    const char *text = cJSON_IsString(at->json) ? at->json->valuestring : "";
    if (*text && strspn(text, "0123456789") == strlen(text)) {
        errno = 0;
        const unsigned long long seed = strtoull(text, NULL, 10);
        if (errno == 0) {
            l->plan->seed = seed;
            return;
        }
    }
    load_expected(l, at,
                  "a seed: a whole number from 0 to 18446744073709551615, in quotes if it is "
                  "above 9007199254740992");
}

static void load_sizes(struct load *l, const struct json_at *root)
{
    static const char *const ties[] = {"sequence", "shuffled", NULL};
    struct json_at at;
    if (load_required(l, root, "duration", &at) &&
        load_quantity(l, &at, UNITS_DURATION, &l->plan->duration_ns) && l->plan->duration_ns == 0) {
        load_error(l, &at, "must be more than 0s");
    }
    at = json_member(root, "seed");
    if (at.json) {
        load_seed(l, &at);
    }
    at = json_member(root, "ties");
    uint32_t order = 0;
    if (at.json && load_choice(l, &at, "order of ties", ties, &order)) {
        l->plan->shuffle_ties = order == 1;
    }
    at = json_member(root, "max_events");
    if (at.json) {
        load_count(l, &at, 1, UINT64_C(1) << 53, &l->plan->max_events);
    }
    at = json_member(root, "memory");
    uint64_t memory_bytes = 0;
    if (at.json && load_quantity(l, &at, UNITS_SIZE, &memory_bytes)) {
        if (memory_bytes < SIM_MEMORY_MIN || memory_bytes > SIZE_MAX / 2) {
            load_error(l, &at, "from %s to %s, this is %s",
                       units_format(SIM_MEMORY_MIN, UNITS_SIZE).text,
                       units_format(SIZE_MAX / 2 + 1, UNITS_SIZE).text,
                       units_format(memory_bytes, UNITS_SIZE).text);
        }
        l->plan->memory_bytes = (size_t)memory_bytes;
    }
    at = json_member(root, "matrix");
    if (at.json) {
        load_error_key(l, &at, "\"matrix\" (a lab) is not supported yet");
    }
}

static void load_root(struct load *l, const cJSON *tree)
{
    const struct json_at root = json_root(tree);
    if (!load_object(l, &root, LOAD_SCENARIO)) {
        return;
    }
    load_people(l, &root);
    load_sizes(l, &root);
    load_topology(l, &root);
    load_nodes(l, &root);
    load_clients(l, &root);
    load_links(l, &root);
    load_administrators(l, &root);
    load_faults(l, &root);
    load_swarm(l, &root);
    load_fates(l, &root);
    load_checks(l, &root);
}

/* ---- Texts ------------------------------------------------------------------------------- */

static enum sim_status load_tree(struct load *l)
{
    struct json_problem problem;
    if (!json_check(l->text, l->size_bytes, &problem)) {
        l->out_of_memory = problem.out_of_memory;
        load_error_nowhere(l, "$", problem.message);
        if (l->scenario->error_count > 0) {
            l->scenario->errors[0].line = problem.place.line;
            l->scenario->errors[0].column = problem.place.column;
        }
        return l->out_of_memory ? SIM_ENOMEM : SIM_EINVAL;
    }
    cJSON *tree = cJSON_ParseWithLength(l->text, l->size_bytes);
    if (!tree) {
        return SIM_ENOMEM; /* The text is good. */
    }
    load_apply_sets(l, tree);
    if (!l->out_of_memory) {
        load_root(l, tree);
    }
    cJSON_Delete(tree);
    if (l->out_of_memory) {
        return SIM_ENOMEM;
    }
    if (l->scenario->error_count > 0) {
        return SIM_EINVAL;
    }
    /* Whatever no world could run on must have been told above, with its place. */
    const char *missed = sim_plan_problem(l->plan);
    if (missed) {
        load_error_nowhere(l, "$", missed);
        return SIM_EINVAL;
    }
    return SIM_OK;
}

static void init(struct scenario *scenario, const char *name)
{
    memset(scenario, 0, sizeof *scenario);
    sim_plan_init(&scenario->plan);
    scenario->file = copy_text(name);
    for (uint32_t i = 0; i < SIM_CHECK_COUNT; i++) {
        scenario->expect[i] = SCENARIO_NO_EXPECTATION;
    }
}

enum sim_status scenario_parse(struct scenario *scenario, const char *name, const char *text,
                               size_t size_bytes, const char *const *sets, size_t set_count)
{
    init(scenario, name);
    scenario->text = malloc(size_bytes + 1);
    if (!scenario->text || !scenario->file) {
        return SIM_ENOMEM;
    }
    if (size_bytes > 0) {
        memcpy(scenario->text, text, size_bytes);
    }
    scenario->text[size_bytes] = '\0';
    struct load l = {.scenario = scenario,
                     .plan = &scenario->plan,
                     .text = scenario->text,
                     .size_bytes = size_bytes,
                     .sets = sets,
                     .set_count = set_count,
                     .groups_are_known = true};
    const enum sim_status status = load_tree(&l);
    if (status != SIM_OK) {
        sim_plan_release(&scenario->plan); /* Nothing is half-loaded. */
    }
    return status;
}

static const char no_memory[] = "out of memory";

/* The file's bytes, to be freed; NULL, with *why, if it cannot be read. One byte more than
 * allowed is enough to see that it is too large. */
static char *read_file(const char *file, size_t *size_bytes, const char **why)
{
    FILE *stream = fopen(file, "rb");
    if (!stream) {
        *why = strerror(errno);
        return NULL;
    }
    char *text = malloc(JSON_SIZE_MAX + 1);
    errno = 0;
    *size_bytes = text ? fread(text, 1, JSON_SIZE_MAX + 1, stream) : 0;
    if (!text || ferror(stream)) {
        *why = text ? strerror(errno) : no_memory;
        free(text);
        text = NULL;
    }
    fclose(stream);
    return text;
}

enum sim_status scenario_load(struct scenario *scenario, const char *file, const char *const *sets,
                              size_t set_count)
{
    const char *why = NULL;
    size_t size_bytes = 0;
    char *text = read_file(file, &size_bytes, &why);
    if (text) {
        const enum sim_status status =
            scenario_parse(scenario, file, text, size_bytes, sets, set_count);
        free(text);
        return status;
    }
    init(scenario, file);
    sim_plan_release(&scenario->plan);
    struct load l = {.scenario = scenario, .plan = &scenario->plan, .text = ""};
    char message[200];
    snprintf(message, sizeof message, "cannot be read: %s", why);
    load_error_nowhere(&l, "$", message);
    return scenario->file && !l.out_of_memory && why != no_memory ? SIM_EINVAL : SIM_ENOMEM;
}

void scenario_release(struct scenario *scenario)
{
    if (!scenario) {
        return;
    }
    free(scenario->file);
    free(scenario->text);
    free(scenario->title);
    free(scenario->why);
    free(scenario->lesson);
    free(scenario->source);
    free(scenario->errors);
    sim_plan_release(&scenario->plan);
    memset(scenario, 0, sizeof *scenario);
}

void scenario_print_errors(const struct scenario *scenario, void *stream)
{
    const char *file = scenario->file ? scenario->file : "scenario";
    for (size_t i = 0; i < scenario->error_count; i++) {
        const struct scenario_error *error = &scenario->errors[i];
        if (error->line > 0) {
            fprintf(stream, "%s:%u:%u: %s: %s\n", file, (unsigned)error->line,
                    (unsigned)error->column, error->path, error->message);
        } else {
            fprintf(stream, "%s: %s: %s\n", file, error->path, error->message);
        }
    }
}
