/* Distributions: "1ms", "1ms..10ms", {"exponential": "5ms"}, {"mixture": [...]}, a table's name. */
#include "scenarios/format/load.h"
#include "scenarios/format/regions.h"

#include <stdio.h>

/* What a value of the class looks like, in messages. */
static void expected_text(enum units_class class, char *text, size_t size_bytes)
{
    snprintf(text, size_bytes,
             "%s, a range such as %s, or a distribution such as "
             "{\"exponential\": %s}",
             units_example(class),
             class == UNITS_DURATION ? "\"1ms..10ms\""
             : class == UNITS_SHARE  ? "\"95%..110%\""
                                     : "\"0ppm..50ppm\"",
             class == UNITS_DURATION ? "\"5ms\""
             : class == UNITS_SHARE  ? "\"5%\""
                                     : "\"20ppm\"");
}

/* A range in a text; a number is its own text where the class allows it. */
static bool load_range(struct load *l, const struct json_at *at, enum units_class class,
                       uint64_t *low, uint64_t *high)
{
    if (!cJSON_IsString(at->json)) {
        const bool good = load_quantity(l, at, class, low);
        *high = *low;
        return good;
    }
    char problem[UNITS_PROBLEM_MAX];
    const char *text = at->json->valuestring;
    if (units_parse_range(text, class, low, high, problem)) {
        load_error(l, at, "\"%.40s\": %s", text, problem);
        return false;
    }
    return true;
}

static bool load_plain(struct load *l, const struct json_at *at, enum units_class class,
                       struct sim_dist *dist)
{
    const char *text = cJSON_IsString(at->json) ? at->json->valuestring : "";
    const bool named = (*text >= 'a' && *text <= 'z') || (*text >= 'A' && *text <= 'Z');
    if (named && class == UNITS_SHARE) {
        if (regions_jitter(text, dist)) {
            return true;
        }
        struct suggestion suggestion = {.word = text};
        for (size_t i = 0; regions_jitters[i]; i++) {
            suggest_consider(&suggestion, regions_jitters[i]);
        }
        load_unknown(l, at, "jitter table", &suggestion, "known: planetlab, cloud, devices");
        return false;
    }
    uint64_t low = 0;
    uint64_t high = 0;
    if (!load_range(l, at, class, &low, &high)) {
        return false;
    }
    *dist = (struct sim_dist){
        .kind = low == high ? SIM_DIST_CONSTANT : SIM_DIST_UNIFORM, .a = low, .b = high};
    return true;
}

/* A figure without a unit, such as sigma, in millionths. */
static bool load_millionths(struct load *l, const struct json_at *object, const char *key,
                            uint64_t *value)
{
    struct json_at at;
    return load_required(l, object, key, &at) && load_quantity(l, &at, UNITS_SHARE, value);
}

static bool load_lognormal(struct load *l, const struct json_at *at, enum units_class class,
                           struct sim_dist *dist)
{
    struct json_at median;
    dist->kind = SIM_DIST_LOGNORMAL;
    return load_object(l, at, LOAD_LOGNORMAL) && load_required(l, at, "median", &median) &&
           load_quantity(l, &median, class, &dist->a) && load_millionths(l, at, "sigma", &dist->b);
}

static bool load_pareto(struct load *l, const struct json_at *at, enum units_class class,
                        struct sim_dist *dist)
{
    struct json_at minimum;
    dist->kind = SIM_DIST_PARETO;
    return load_object(l, at, LOAD_PARETO) && load_required(l, at, "minimum", &minimum) &&
           load_quantity(l, &minimum, class, &dist->a) && load_millionths(l, at, "alpha", &dist->b);
}

/* What stands under a key such as "exponential" in a distribution or a mixture's part. */
static bool load_shape(struct load *l, const struct json_at *at, enum units_class class,
                       struct sim_dist *dist)
{
    if (strcmp(at->key, "lognormal") == 0) {
        return load_lognormal(l, at, class, dist);
    }
    if (strcmp(at->key, "pareto") == 0) {
        return load_pareto(l, at, class, dist);
    }
    if (strcmp(at->key, "exponential") == 0) {
        dist->kind = SIM_DIST_EXPONENTIAL;
        return load_quantity(l, at, class, &dist->a);
    }
    if (strcmp(at->key, "constant") == 0) {
        dist->kind = SIM_DIST_CONSTANT;
        return load_quantity(l, at, class, &dist->a);
    }
    dist->kind = SIM_DIST_UNIFORM;
    return load_range(l, at, class, &dist->a, &dist->b);
}

/* The one key of the object that is not among `others`. False if there is none or another. */
static bool only_shape(struct load *l, const struct json_at *at, const char *other,
                       struct json_at *shape)
{
    uint32_t count = 0;
    for (const cJSON *child = at->json->child; child; child = child->next) {
        if (strcmp(child->string, other) != 0) {
            *shape = (struct json_at){.json = child, .parent = at, .key = child->string};
            count++;
        }
    }
    if (count != 1) {
        load_error(l, at, "expected one of constant, uniform, exponential, lognormal, pareto%s",
                   strcmp(other, "cap") == 0 ? ", mixture, quantiles" : "");
    }
    return count == 1;
}

static bool load_part(struct load *l, const struct json_at *at, enum units_class class,
                      struct sim_dist_part *part)
{
    struct json_at weight;
    struct json_at shape;
    const size_t errors = l->scenario->error_count;
    if (!load_object(l, at, LOAD_MIXTURE_PART) || l->scenario->error_count != errors ||
        !load_required(l, at, "weight", &weight) ||
        !load_probability(l, &weight, &part->weight_ppm) || !only_shape(l, at, "weight", &shape)) {
        return false;
    }
    struct sim_dist dist = {0};
    if (!load_shape(l, &shape, class, &dist)) {
        return false;
    }
    part->kind = dist.kind;
    part->a = dist.a;
    part->b = dist.b;
    return true;
}

static bool load_mixture(struct load *l, const struct json_at *at, enum units_class class,
                         struct sim_dist *dist)
{
    dist->kind = SIM_DIST_MIXTURE;
    if (!load_array(l, at, SIM_DIST_PARTS_MAX)) {
        return false;
    }
    bool good = true;
    for (const cJSON *json = at->json->child; json; json = json->next) {
        const struct json_at element = json_element(at, json, dist->count);
        good = load_part(l, &element, class, &dist->parts[dist->count]) && good;
        dist->count++;
    }
    return good;
}

static bool load_quantiles(struct load *l, const struct json_at *at, enum units_class class,
                           struct sim_dist *dist)
{
    dist->kind = SIM_DIST_QUANTILES;
    if (!cJSON_IsObject(at->json)) {
        load_expected(l, at, "an object such as {\"50%\": \"1ms\", \"99%\": \"5ms\"}");
        return false;
    }
    bool good = true;
    for (const cJSON *json = at->json->child; json; json = json->next) {
        const struct json_at point = {.json = json, .parent = at, .key = json->string};
        uint64_t ppb = 0;
        uint64_t value = 0;
        char problem[UNITS_PROBLEM_MAX];
        if (dist->count == SIM_DIST_POINTS_MAX) {
            load_error(l, at, "too many: at most %d quantiles", SIM_DIST_POINTS_MAX);
            return false;
        }
        if (units_parse(json->string, UNITS_DRIFT, &ppb, problem) || ppb > 1000 * SIM_PPM) {
            load_error_key(l, &point,
                           "expected a quantile from \"0%%\" to \"100%%\", found "
                           "\"%.40s\"",
                           json->string);
            good = false;
            continue;
        }
        good = load_quantity(l, &point, class, &value) && good;
        dist->points[dist->count++] = (struct sim_dist_point){(uint32_t)ppb, value};
    }
    return good;
}

static bool load_described(struct load *l, const struct json_at *at, enum units_class class,
                           struct sim_dist *dist)
{
    struct json_at shape;
    const size_t errors = l->scenario->error_count;
    if (!load_object(l, at, LOAD_DISTRIBUTION) || l->scenario->error_count != errors ||
        !load_key_quantity(l, at, "cap", class, &dist->cap) || !only_shape(l, at, "cap", &shape)) {
        return false;
    }
    if (strcmp(shape.key, "mixture") == 0) {
        return load_mixture(l, &shape, class, dist);
    }
    if (strcmp(shape.key, "quantiles") == 0) {
        return load_quantiles(l, &shape, class, dist);
    }
    return load_shape(l, &shape, class, dist);
}

bool load_distribution(struct load *l, const struct json_at *at, enum units_class class,
                       struct sim_dist *dist)
{
    struct sim_dist loaded = {0};
    bool good;
    if (cJSON_IsObject(at->json)) {
        good = load_described(l, at, class, &loaded);
    } else if (cJSON_IsString(at->json) || (cJSON_IsNumber(at->json) && class == UNITS_SHARE)) {
        good = load_plain(l, at, class, &loaded);
    } else {
        char expected[200];
        expected_text(class, expected, sizeof expected);
        load_expected(l, at, expected);
        return false;
    }
    if (!good) {
        return false;
    }
    const char *problem = sim_dist_problem(&loaded);
    if (problem) {
        load_error(l, at, "no distribution: %s", problem);
        return false;
    }
    *dist = loaded;
    return true;
}

bool load_key_distribution(struct load *l, const struct json_at *object, const char *key,
                           enum units_class class, struct sim_dist *dist)
{
    const struct json_at at = json_member(object, key);
    return !at.json || load_distribution(l, &at, class, dist);
}
