/* Single values, and the errors about them. */
#include "scenarios/format/load.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- Errors ------------------------------------------------------------------------------ */

/* Room for one more error; the last place says that there are more. NULL: no room. */
static struct scenario_error *new_error(struct load *l)
{
    struct scenario *s = l->scenario;
    if (s->error_count > LOAD_ERRORS_MAX) {
        return NULL;
    }
    struct scenario_error *errors = realloc(s->errors, (s->error_count + 1) * sizeof *s->errors);
    if (!errors) {
        l->out_of_memory = true;
        return NULL;
    }
    s->errors = errors;
    struct scenario_error *error = &errors[s->error_count++];
    memset(error, 0, sizeof *error);
    if (s->error_count > LOAD_ERRORS_MAX) {
        snprintf(error->path, sizeof error->path, "$");
        snprintf(error->message, sizeof error->message,
                 "more errors follow; only the first %d are "
                 "shown",
                 LOAD_ERRORS_MAX);
        return NULL;
    }
    return error;
}

void load_error_nowhere(struct load *l, const char *path, const char *message)
{
    struct scenario_error *error = new_error(l);
    if (error) {
        snprintf(error->path, sizeof error->path, "%s", path);
        snprintf(error->message, sizeof error->message, "%s", message);
    }
}

static void report(struct load *l, const struct json_at *at, bool at_key, const char *format,
                   va_list arguments)
{
    struct scenario_error *error = new_error(l);
    if (!error) {
        return;
    }
    json_path(at, error->path, sizeof error->path);
    bool in_text;
    const struct json_place place = json_locate(at, at_key, l->text, l->size_bytes, &in_text);
    const char *set = load_set_of(l, error->path, in_text);
    int used = 0;
    if (set) {
        used = snprintf(error->message, sizeof error->message, "--set %.100s: ", set);
    } else {
        error->line = place.line;
        error->column = place.column;
    }
    vsnprintf(error->message + used, sizeof error->message - (size_t)used, format, arguments);
}

void load_error(struct load *l, const struct json_at *at, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    report(l, at, false, format, arguments);
    va_end(arguments);
}

void load_error_key(struct load *l, const struct json_at *at, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    report(l, at, true, format, arguments);
    va_end(arguments);
}

/* A number as JSON has it; 15 digits give back every decimal of at most 15 digits. */
static void format_number(const cJSON *json, char *text, size_t size_bytes)
{
    snprintf(text, size_bytes, "%.15g", json->valuedouble);
}

void load_expected(struct load *l, const struct json_at *at, const char *expected)
{
    const cJSON *json = at->json;
    char found[64];
    if (cJSON_IsString(json)) {
        const bool cut = strlen(json->valuestring) > 40;
        snprintf(found, sizeof found, "\"%.40s%s\"", json->valuestring, cut ? "..." : "");
    } else if (cJSON_IsNumber(json)) {
        char number[32];
        format_number(json, number, sizeof number);
        snprintf(found, sizeof found, "the number %s", number);
    } else {
        snprintf(found, sizeof found, "%s",
                 cJSON_IsObject(json)  ? "an object"
                 : cJSON_IsArray(json) ? "an array"
                 : cJSON_IsTrue(json)  ? "true"
                 : cJSON_IsFalse(json) ? "false"
                                       : "null");
    }
    load_error(l, at, "expected %s, found %s", expected, found);
}

void load_unknown(struct load *l, const struct json_at *at, const char *what,
                  const struct suggestion *suggestion, const char *otherwise)
{
    if (suggestion->nearest) {
        load_error(l, at, "there is no %s \"%.60s\"; did you mean \"%.60s\"? %s", what,
                   suggestion->word, suggestion->nearest, otherwise);
    } else {
        load_error(l, at, "there is no %s \"%.60s\"; %s", what, suggestion->word, otherwise);
    }
}

/* ---- Objects and arrays ------------------------------------------------------------------ */

static bool is_listed(const char *const *names, const char *name)
{
    for (; *names; names++) {
        if (strcmp(*names, name) == 0) {
            return true;
        }
    }
    return false;
}

/* "a, b, c", cut where it would be too long. */
static void list_names(const char *const *names, char *list, size_t size_bytes)
{
    size_t used = 0;
    list[0] = '\0';
    for (; *names; names++) {
        const size_t length = strlen(*names);
        if (used + length + 6 > size_bytes) {
            memcpy(list + used, "...", 4);
            return;
        }
        used +=
            (size_t)snprintf(list + used, size_bytes - used, "%s%s", *names, names[1] ? ", " : "");
    }
}

static void unknown_key(struct load *l, const struct json_at *at, const char *const *keys,
                        const char *object_name)
{
    struct suggestion suggestion = {.word = at->key};
    for (const char *const *key = keys; *key; key++) {
        suggest_consider(&suggestion, *key);
    }
    if (suggestion.nearest) {
        load_error_key(l, at, "unknown key \"%.60s\"; did you mean \"%s\"?", at->key,
                       suggestion.nearest);
        return;
    }
    char known[200];
    list_names(keys, known, sizeof known);
    load_error_key(l, at, "unknown key \"%.60s\"; the keys of %s are %s", at->key, object_name,
                   known);
}

bool load_object(struct load *l, const struct json_at *at, enum load_object object)
{
    const struct load_object_info *info = &load_objects[object];
    if (!cJSON_IsObject(at->json)) {
        char known[160];
        char expected[200];
        list_names(info->keys, known, sizeof known);
        snprintf(expected, sizeof expected, "an object with the keys %s", known);
        load_expected(l, at, expected);
        return false;
    }
    for (const cJSON *child = at->json->child; child; child = child->next) {
        if (!is_listed(info->keys, child->string)) {
            const struct json_at key = {.json = child, .parent = at, .key = child->string};
            unknown_key(l, &key, info->keys, info->name);
        }
    }
    return true;
}

bool load_array(struct load *l, const struct json_at *at, uint32_t limit)
{
    if (!cJSON_IsArray(at->json)) {
        load_expected(l, at, "an array");
        return false;
    }
    const int count = cJSON_GetArraySize(at->json);
    if ((uint32_t)count > limit) {
        load_error(l, at, "too many: %d, at most %" PRIu32, count, limit);
        return false;
    }
    return true;
}

bool load_required(struct load *l, const struct json_at *object, const char *key,
                   struct json_at *member)
{
    *member = json_member(object, key);
    if (!member->json) {
        load_error(l, object, "\"%s\" is missing", key);
    }
    return member->json != NULL;
}

/* ---- Values ------------------------------------------------------------------------------ */

bool load_text(struct load *l, const struct json_at *at, const char **text)
{
    if (!cJSON_IsString(at->json)) {
        load_expected(l, at, "a text in quotes");
        return false;
    }
    *text = at->json->valuestring;
    return true;
}

/* The text of a quantity: of a bare number too, where the class allows one. */
static const char *quantity_text(struct load *l, const struct json_at *at, enum units_class class,
                                 char number[32])
{
    const bool bare = class == UNITS_SHARE || class == UNITS_COUNT;
    if (cJSON_IsNumber(at->json) && bare) {
        format_number(at->json, number, 32);
        return number;
    }
    if (!cJSON_IsString(at->json)) {
        load_expected(l, at, units_example(class));
        return NULL;
    }
    return at->json->valuestring;
}

bool load_quantity(struct load *l, const struct json_at *at, enum units_class class,
                   uint64_t *value)
{
    char number[32];
    char problem[UNITS_PROBLEM_MAX];
    const char *text = quantity_text(l, at, class, number);
    if (!text) {
        return false;
    }
    uint64_t parsed = 0;
    if (units_parse(text, class, &parsed, problem)) {
        load_error(l, at, "\"%.40s\": %s", text, problem);
        return false;
    }
    *value = parsed;
    return true;
}

bool load_signed(struct load *l, const struct json_at *at, enum units_class class, int64_t *value)
{
    char number[32];
    char problem[UNITS_PROBLEM_MAX];
    const char *text = quantity_text(l, at, class, number);
    if (!text) {
        return false;
    }
    int64_t parsed = 0;
    if (units_parse_signed(text, class, &parsed, problem)) {
        load_error(l, at, "\"%.40s\": %s", text, problem);
        return false;
    }
    *value = parsed;
    return true;
}

bool load_probability(struct load *l, const struct json_at *at, uint32_t *ppm)
{
    uint64_t value = 0;
    if (!load_quantity(l, at, UNITS_SHARE, &value)) {
        return false;
    }
    if (value > SIM_PPM) {
        load_error(l, at, "a probability is at most 100%%, this is %s",
                   units_format(value, UNITS_SHARE).text);
        return false;
    }
    *ppm = (uint32_t)value;
    return true;
}

bool load_count(struct load *l, const struct json_at *at, uint64_t minimum, uint64_t maximum,
                uint64_t *value)
{
    int64_t number = 0;
    if (!json_is_integer(at->json, &number)) {
        load_expected(l, at, "a whole number");
        return false;
    }
    if (number < 0 || (uint64_t)number < minimum || (uint64_t)number > maximum) {
        load_error(l, at, "expected a number from %" PRIu64 " to %" PRIu64 ", found %" PRId64,
                   minimum, maximum, number);
        return false;
    }
    *value = (uint64_t)number;
    return true;
}

bool load_bool(struct load *l, const struct json_at *at, bool *value)
{
    if (!cJSON_IsBool(at->json)) {
        load_expected(l, at, "true or false");
        return false;
    }
    *value = cJSON_IsTrue(at->json);
    return true;
}

bool load_choice(struct load *l, const struct json_at *at, const char *what,
                 const char *const *choices, uint32_t *value)
{
    const char *word;
    if (!load_text(l, at, &word)) {
        return false;
    }
    struct suggestion suggestion = {.word = word};
    for (uint32_t i = 0; choices[i]; i++) {
        if (strcmp(choices[i], word) == 0) {
            *value = i;
            return true;
        }
        suggest_consider(&suggestion, choices[i]);
    }
    char list[160];
    char known[180];
    list_names(choices, list, sizeof list);
    snprintf(known, sizeof known, "known: %s", list);
    load_unknown(l, at, what, &suggestion, known);
    return false;
}

bool load_name(struct load *l, const struct json_at *at, size_t length_max, const char **name)
{
    const char *text;
    if (!load_text(l, at, &text)) {
        return false;
    }
    bool good = (*text >= 'a' && *text <= 'z') || (*text >= 'A' && *text <= 'Z');
    for (const char *p = text; *p; p++) {
        good = good && ((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') ||
                        (*p >= '0' && *p <= '9') || *p == '_' || *p == '-' || *p == '.');
    }
    if (!good) {
        load_expected(l, at, "a name: a letter, then letters, digits, '_', '-' or '.'");
        return false;
    }
    if (strlen(text) > length_max) {
        load_error(l, at, "a name of %zu characters; at most %zu here", strlen(text), length_max);
        return false;
    }
    *name = text;
    return true;
}

bool load_key_quantity(struct load *l, const struct json_at *object, const char *key,
                       enum units_class class, uint64_t *value)
{
    const struct json_at at = json_member(object, key);
    return !at.json || load_quantity(l, &at, class, value);
}

bool load_key_probability(struct load *l, const struct json_at *object, const char *key,
                          uint32_t *ppm)
{
    const struct json_at at = json_member(object, key);
    return !at.json || load_probability(l, &at, ppm);
}

bool load_key_count(struct load *l, const struct json_at *object, const char *key, uint64_t minimum,
                    uint64_t maximum, uint64_t *value)
{
    const struct json_at at = json_member(object, key);
    return !at.json || load_count(l, &at, minimum, maximum, value);
}

bool load_key_bool(struct load *l, const struct json_at *object, const char *key, bool *value)
{
    const struct json_at at = json_member(object, key);
    return !at.json || load_bool(l, &at, value);
}

void *load_append(struct load *l, const struct json_at *at, void *array_pointer, uint32_t *count,
                  uint32_t limit, size_t element_bytes)
{
    if (*count >= limit) {
        load_error(l, at, "too many: at most %" PRIu32 " in a scenario", limit);
        return NULL;
    }
    char *array;
    memcpy(&array, array_pointer, sizeof array);
    /* Grows when the count is a power of two, so its capacity needs no place of its own. */
    if ((*count & (*count - 1)) == 0) {
        const size_t capacity = *count ? 2 * (size_t)*count : 1;
        array = realloc(array, capacity * element_bytes);
        if (!array) {
            l->out_of_memory = true;
            return NULL;
        }
        memcpy(array_pointer, &array, sizeof array);
    }
    void *element = array + *count * element_bytes;
    memset(element, 0, element_bytes);
    (*count)++;
    return element;
}
