/* Single values of a scenario, written. */
#include "scenarios/format/write_internal.h"

#include "scenarios/format/regions.h"

#include <inttypes.h>
#include <stdio.h>

void write_fail(struct write *w, const char *problem)
{
    if (!w->problem) {
        w->problem = problem;
    }
}

/* ---- Members ------------------------------------------------------------------------------- */

/* What could not be added is noted in its parent, which is no parent if there is none: then the
 * parent's own absence has been noted. */
static cJSON *noted(cJSON *parent, cJSON *added)
{
    if (parent && !added) {
        parent->type |= WRITE_INCOMPLETE;
    }
    return added;
}

cJSON *write_object(cJSON *parent, const char *key)
{
    return noted(parent, cJSON_AddObjectToObject(parent, key));
}

cJSON *write_array(cJSON *parent, const char *key)
{
    return noted(parent, cJSON_AddArrayToObject(parent, key));
}

static cJSON *append(cJSON *array, cJSON *item)
{
    if (!cJSON_AddItemToArray(array, item)) {
        cJSON_Delete(item);
        item = NULL;
    }
    return noted(array, item);
}

cJSON *write_element(cJSON *array)
{
    return append(array, cJSON_CreateObject());
}

void write_string(cJSON *array, const char *text)
{
    (void)append(array, cJSON_CreateString(text));
}

void write_text(cJSON *object, const char *key, const char *text)
{
    (void)noted(object, cJSON_AddStringToObject(object, key, text));
}

static void write_raw(cJSON *object, const char *key, const char *digits)
{
    /* cJSON's own numbers are doubles, printed as such. */
    (void)noted(object, cJSON_AddRawToObject(object, key, digits));
}

void write_count(cJSON *object, const char *key, uint64_t count)
{
    char digits[24];
    (void)snprintf(digits, sizeof digits, "%" PRIu64, count);
    write_raw(object, key, digits);
}

void write_integer(cJSON *object, const char *key, int64_t integer)
{
    char digits[24];
    (void)snprintf(digits, sizeof digits, "%" PRId64, integer);
    write_raw(object, key, digits);
}

void write_bool(cJSON *object, const char *key, bool value)
{
    (void)noted(object, cJSON_AddBoolToObject(object, key, value));
}

void write_quantity(cJSON *object, const char *key, enum units_class class, uint64_t value)
{
    write_text(object, key, units_format(value, class).text);
}

void write_signed(cJSON *object, const char *key, enum units_class class, int64_t value)
{
    char text[48];
    const uint64_t size = value < 0 ? (uint64_t) - (value + 1) + 1 : (uint64_t)value;
    (void)snprintf(text, sizeof text, "%s%s", value < 0 ? "-" : "", units_format(size, class).text);
    write_text(object, key, text);
}

void write_range(cJSON *object, const char *key, enum units_class class, uint64_t low,
                 uint64_t high)
{
    char text[96];
    (void)snprintf(text, sizeof text, "%s..%s", units_format(low, class).text,
                   units_format(high, class).text);
    write_text(object, key, low == high ? units_format(low, class).text : text);
}

void write_drop_empty(cJSON *parent, const char *key)
{
    const cJSON *object = cJSON_GetObjectItemCaseSensitive(parent, key);
    if (object && !object->child && !(object->type & WRITE_INCOMPLETE)) {
        cJSON_DeleteItemFromObjectCaseSensitive(parent, key);
    }
}

/* ---- Distributions ------------------------------------------------------------------------- */

bool write_dist_equal(const struct sim_dist *a, const struct sim_dist *b)
{
    bool equal = a->kind == b->kind && a->count == b->count && a->a == b->a && a->b == b->b &&
                 a->cap == b->cap;
    for (uint32_t i = 0; equal && a->kind == SIM_DIST_MIXTURE && i < a->count; i++) {
        const struct sim_dist_part *p = &a->parts[i];
        const struct sim_dist_part *q = &b->parts[i];
        equal =
            p->weight_ppm == q->weight_ppm && p->kind == q->kind && p->a == q->a && p->b == q->b;
    }
    for (uint32_t i = 0; equal && a->kind == SIM_DIST_QUANTILES && i < a->count; i++) {
        equal = a->points[i].ppb == b->points[i].ppb && a->points[i].value == b->points[i].value;
    }
    return equal;
}

/* The one key that names a shape, of a distribution or of a mixture's part. */
static void write_shape(cJSON *object, enum units_class class, uint32_t kind, uint64_t a,
                        uint64_t b)
{
    cJSON *inner;
    switch (kind) {
    case SIM_DIST_CONSTANT:
        write_quantity(object, "constant", class, a);
        break;
    case SIM_DIST_UNIFORM:
        write_range(object, "uniform", class, a, b);
        break;
    case SIM_DIST_EXPONENTIAL:
        write_quantity(object, "exponential", class, a);
        break;
    case SIM_DIST_LOGNORMAL:
        inner = write_object(object, "lognormal");
        write_quantity(inner, "median", class, a);
        write_quantity(inner, "sigma", UNITS_SHARE, b);
        break;
    default:
        inner = write_object(object, "pareto");
        write_quantity(inner, "minimum", class, a);
        write_quantity(inner, "alpha", UNITS_SHARE, b);
        break;
    }
}

static void write_points(cJSON *object, enum units_class class, const struct sim_dist *dist)
{
    cJSON *points = write_object(object, "quantiles");
    for (uint32_t i = 0; i < dist->count; i++) {
        write_quantity(points, units_format(dist->points[i].ppb, UNITS_DRIFT).text, class,
                       dist->points[i].value);
    }
}

static void write_parts(cJSON *object, enum units_class class, const struct sim_dist *dist)
{
    cJSON *parts = write_array(object, "mixture");
    for (uint32_t i = 0; i < dist->count; i++) {
        cJSON *part = write_element(parts);
        write_quantity(part, "weight", UNITS_SHARE, dist->parts[i].weight_ppm);
        write_shape(part, class, dist->parts[i].kind, dist->parts[i].a, dist->parts[i].b);
    }
}

static const char *jitter_name(const struct sim_dist *dist)
{
    for (size_t i = 0; regions_jitters[i]; i++) {
        struct sim_dist table;
        if (regions_jitter(regions_jitters[i], &table) && write_dist_equal(&table, dist)) {
            return regions_jitters[i];
        }
    }
    return NULL;
}

void write_dist(cJSON *object, const char *key, enum units_class class, const struct sim_dist *dist)
{
    const bool range = dist->kind == SIM_DIST_UNIFORM && dist->a != dist->b;
    if (dist->cap == 0 && (range || (dist->kind == SIM_DIST_CONSTANT && dist->a == dist->b))) {
        write_range(object, key, class, dist->a, dist->b);
        return;
    }
    const char *table = class == UNITS_SHARE ? jitter_name(dist) : NULL;
    if (table) {
        write_text(object, key, table);
        return;
    }
    cJSON *inner = write_object(object, key);
    if (dist->kind == SIM_DIST_MIXTURE) {
        write_parts(inner, class, dist);
    } else if (dist->kind == SIM_DIST_QUANTILES) {
        write_points(inner, class, dist);
    } else {
        write_shape(inner, class, dist->kind, dist->a, dist->b);
    }
    if (dist->cap) {
        write_quantity(inner, "cap", class, dist->cap);
    }
}

/* ---- Selections ---------------------------------------------------------------------------- */

static void selector_text(const struct sim_plan *plan, const struct sim_selector *s, char *text,
                          size_t size_bytes)
{
    static const char *const words[SIM_SELECT_KIND_COUNT] = {
        [SIM_SELECT_ALL] = "all",
        [SIM_SELECT_LEADER] = "leader",
        [SIM_SELECT_FOLLOWER] = "follower",
        [SIM_SELECT_ANY] = "any",
        [SIM_SELECT_FOLLOWERS] = "followers",
        [SIM_SELECT_CLIENTS] = "clients",
        [SIM_SELECT_MINORITY] = "minority",
    };
    switch (s->kind) {
    case SIM_SELECT_NODE:
        (void)snprintf(text, size_bytes, "%s", plan->nodes[s->index].name);
        break;
    case SIM_SELECT_GROUP:
        (void)snprintf(text, size_bytes, "%s", plan->groups[s->index].name);
        break;
    case SIM_SELECT_ZONE:
        (void)snprintf(text, size_bytes, "zone:%s", plan->zones[s->index].name);
        break;
    case SIM_SELECT_REGION:
        (void)snprintf(text, size_bytes, "region:%s", plan->regions[s->index]);
        break;
    default:
        (void)snprintf(text, size_bytes, "%s", words[s->kind]);
        break;
    }
}

/* One selector is a text, several are an array of them; by key in an object, or appended. */
static void put_selection(struct write *w, cJSON *parent, const char *key,
                          const struct sim_selection *selection)
{
    char text[SIM_NAME_MAX + 16];
    if (selection->count == 0) {
        write_fail(w, "a selection of nobody");
    }
    if (selection->count == 1) {
        selector_text(w->plan, &selection->selectors[0], text, sizeof text);
        if (key) {
            write_text(parent, key, text);
        } else {
            write_string(parent, text);
        }
        return;
    }
    cJSON *array = key ? write_array(parent, key) : append(parent, cJSON_CreateArray());
    for (uint32_t i = 0; i < selection->count; i++) {
        selector_text(w->plan, &selection->selectors[i], text, sizeof text);
        write_string(array, text);
    }
}

void write_selection(struct write *w, cJSON *object, const char *key,
                     const struct sim_selection *selection)
{
    put_selection(w, object, key, selection);
}

void write_sides(struct write *w, cJSON *object, const char *key, const struct sim_selection *one,
                 const struct sim_selection *other)
{
    cJSON *sides = write_array(object, key);
    put_selection(w, sides, NULL, one);
    put_selection(w, sides, NULL, other);
}

bool write_is_everybody(const struct sim_selection *selection)
{
    return selection->count == 2 && selection->selectors[0].kind == SIM_SELECT_ALL &&
           selection->selectors[1].kind == SIM_SELECT_CLIENTS;
}

void write_ends(struct write *w, cJSON *object, const struct sim_selection *from,
                const struct sim_selection *to, bool one_way)
{
    const bool all = write_is_everybody(from) && write_is_everybody(to);
    if (!one_way && !all) {
        write_sides(w, object, "between", from, to);
    } else if (one_way) {
        if (!write_is_everybody(from) || all) {
            write_selection(w, object, "from", from);
        }
        if (!write_is_everybody(to)) {
            write_selection(w, object, "to", to);
        }
    }
}

const struct sim_node_kind *write_kind_of(const struct write *w,
                                          const struct sim_selection *selection)
{
    for (uint32_t i = 0; i < selection->count; i++) {
        const struct sim_selector *s = &selection->selectors[i];
        const uint32_t node = s->kind == SIM_SELECT_NODE    ? s->index
                              : s->kind == SIM_SELECT_GROUP ? w->plan->groups[s->index].first_node
                                                            : 0;
        if (w->plan->nodes[node].kind) {
            return w->plan->nodes[node].kind;
        }
    }
    return NULL;
}
