#include "scenarios/format/regions.h"

#include "scenarios/format/data.h"
#include "scenarios/format/units.h"

#include <stdio.h>
#include <stdlib.h>

const char *const regions_matrices[] = {"aws-2025",   "aws-2020", "gcp-2020",
                                        "azure-2026", "ibm-2026", NULL};
const char *const regions_jitters[] = {"planetlab", "cloud", "devices", NULL};

static const char *find_text(const char *prefix, const char *name)
{
    char full[64];
    snprintf(full, sizeof full, "%s%s", prefix, name);
    for (size_t i = 0; i < data_file_count; i++) {
        if (strcmp(data_files[i].name, full) == 0) {
            return data_files[i].text;
        }
    }
    return NULL;
}

/* The next field of a line of comma-separated values, without quotes in our tables; advances *p
 * beyond its comma or its line's end, which sets *last. */
static void next_field(const char **p, char *field, size_t size_bytes, bool *last)
{
    const size_t length = strcspn(*p, ",\r\n");
    assert(length < size_bytes); /* Our own data. */
    memcpy(field, *p, length);
    field[length] = '\0';
    *p += length;
    *last = **p != ',';
    *p += *last ? strspn(*p, "\r\n") : 1;
}

/* "149.5" milliseconds of a round trip to nanoseconds one way. An empty field is 0. */
static uint64_t one_way_ns(const char *field)
{
    char text[REGION_NAME_MAX + 4];
    char problem[UNITS_PROBLEM_MAX];
    uint64_t rtt_ns = 0;
    if (field[0] == '\0') {
        return 0;
    }
    snprintf(text, sizeof text, "%sms", field);
    const char *wrong = units_parse(text, UNITS_DURATION, &rtt_ns, problem);
    assert(!wrong); /* Our own data. */
    return rtt_ns / 2;
}

static void read_matrix(struct regions *regions, const char *p)
{
    char field[REGION_NAME_MAX];
    bool last;
    next_field(&p, field, sizeof field, &last); /* "from\to" */
    while (!last) {
        assert(regions->count < REGIONS_MAX);
        next_field(&p, regions->names[regions->count++], REGION_NAME_MAX, &last);
    }
    for (uint32_t from = 0; from < regions->count; from++) {
        next_field(&p, field, sizeof field, &last);
        assert(strcmp(field, regions->names[from]) == 0);
        for (uint32_t to = 0; to < regions->count; to++) {
            next_field(&p, field, sizeof field, &last);
            regions->one_way_ns[from][to] = from == to ? 0 : one_way_ns(field);
            assert(last == (to + 1 == regions->count));
        }
    }
}

static bool is_listed(const char *const *names, const char *name)
{
    for (; *names; names++) {
        if (strcmp(*names, name) == 0) {
            return true;
        }
    }
    return false;
}

struct regions *regions_load(const char *matrix)
{
    const char *text = is_listed(regions_matrices, matrix) ? find_text("", matrix) : NULL;
    struct regions *regions = text ? calloc(1, sizeof *regions) : NULL;
    if (regions) {
        read_matrix(regions, text);
    }
    return regions;
}

uint32_t regions_find(const struct regions *regions, const char *name)
{
    uint32_t i = 0;
    while (i < regions->count && strcmp(regions->names[i], name) != 0) {
        i++;
    }
    return i;
}

bool regions_jitter(const char *name, struct sim_dist *dist)
{
    const char *p = is_listed(regions_jitters, name) ? find_text("jitter-", name) : NULL;
    if (!p) {
        return false;
    }
    *dist = (struct sim_dist){.kind = SIM_DIST_QUANTILES};
    char field[REGION_NAME_MAX];
    char problem[UNITS_PROBLEM_MAX];
    bool last;
    next_field(&p, field, sizeof field, &last); /* "p" */
    next_field(&p, field, sizeof field, &last); /* "ratio" */
    while (*p) {
        assert(dist->count < SIM_DIST_POINTS_MAX);
        struct sim_dist_point *point = &dist->points[dist->count++];
        uint64_t ppm = 0;
        next_field(&p, field, sizeof field, &last);
        const char *wrong = units_parse(field, UNITS_SHARE, &ppm, problem);
        point->ppb = (uint32_t)(ppm * 1000);
        next_field(&p, field, sizeof field, &last);
        wrong = wrong ? wrong : units_parse(field, UNITS_SHARE, &point->value, problem);
        assert(!wrong && last); /* Our own data. */
    }
    return true;
}
