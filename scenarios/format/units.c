#include "scenarios/format/units.h"

#include <inttypes.h>
#include <stdio.h>

struct unit {
    const char *name;
    uint64_t factor;  /* A unit is factor / divisor of the smallest one. */
    uint64_t divisor; /* Only for bits: a byte has eight. */
};

#define KIB UINT64_C(1024)
#define G UINT64_C(1000000000)

static const struct unit duration_units[] = {
    {"d", 86400 * SIM_S, 1}, {"h", 3600 * SIM_S, 1}, {"min", 60 * SIM_S, 1}, {"s", SIM_S, 1},
    {"ms", SIM_MS, 1},       {"us", SIM_US, 1},      {"ns", 1, 1},           {NULL, 0, 0},
};
static const struct unit small_units[] = {
    {"s", 1000 * SIM_S, 1},
    {"ms", 1000 * SIM_MS, 1},
    {"us", 1000 * SIM_US, 1},
    {"ns", 1000, 1},
    {"ps", 1, 1},
    {NULL, 0, 0},
};
static const struct unit size_units[] = {
    {"TiB", KIB *KIB *KIB *KIB, 1},
    {"GiB", KIB *KIB *KIB, 1},
    {"MiB", KIB *KIB, 1},
    {"KiB", KIB, 1},
    {"TB", 1000 * G, 1},
    {"GB", G, 1},
    {"MB", 1000000, 1},
    {"kB", 1000, 1},
    {"B", 1, 1},
    {NULL, 0, 0},
};
static const struct unit rate_units[] = {
    {"TiB/s", KIB *KIB *KIB *KIB, 1},
    {"GiB/s", KIB *KIB *KIB, 1},
    {"MiB/s", KIB *KIB, 1},
    {"KiB/s", KIB, 1},
    {"TB/s", 1000 * G, 1},
    {"GB/s", G, 1},
    {"MB/s", 1000000, 1},
    {"kB/s", 1000, 1},
    {"B/s", 1, 1},
    {"Gbit/s", G, 8},
    {"Mbit/s", 1000000, 8},
    {"kbit/s", 1000, 8},
    {"bit/s", 1, 8},
    {NULL, 0, 0},
};
static const struct unit share_units[] = {
    {"%", 10000, 1}, {"ppm", 1, 1}, {"", 1000000, 1}, {NULL, 0, 0}};
static const struct unit drift_units[] = {
    {"%", 10000000, 1}, {"ppm", 1000, 1}, {"ppb", 1, 1}, {NULL, 0, 0}};
static const struct unit price_units[] = {{"/TB", 1000000, 1}, {"/GB", G, 1}, {NULL, 0, 0}};
static const struct unit frequency_units[] = {
    {"/s", G, 1}, {"/min", G, 60}, {"/h", G, 3600}, {"/d", G, 86400}, {NULL, 0, 0}};
static const struct unit count_units[] = {{"", 1, 1}, {NULL, 0, 0}};

static const struct class
{
    const char *name; /* With its article. */
    const char *example;
    const struct unit *units;
} classes[] = {
    [UNITS_DURATION] = {"a duration", "a duration such as \"250ms\"", duration_units},
    [UNITS_SMALL] = {"a cost", "a cost such as \"10ps\"", small_units},
    [UNITS_SIZE] = {"a size", "a size such as \"64KiB\"", size_units},
    [UNITS_RATE] = {"a rate", "a rate such as \"25MiB/s\"", rate_units},
    [UNITS_SHARE] = {"a share", "a share such as \"0.5%\" or \"20ppm\"", share_units},
    [UNITS_DRIFT] = {"a drift", "a drift such as \"20ppm\"", drift_units},
    [UNITS_PRICE] = {"a price", "a price such as \"$0.02/GB\"", price_units},
    [UNITS_FREQUENCY] = {"a frequency", "a frequency such as \"50/s\"", frequency_units},
    [UNITS_COUNT] = {"a number", "a whole number", count_units},
};

const char *units_example(enum units_class class)
{
    return classes[class].example;
}

static const char *say(char problem[UNITS_PROBLEM_MAX], const char *format, const char *a,
                       const char *b)
{
    snprintf(problem, UNITS_PROBLEM_MAX, format, a, b);
    return problem;
}

/* A decimal as digits / 10^decimals; false if it has more than 19 digits that matter. */
struct decimal {
    uint64_t digits;
    uint64_t power; /* 10^decimals */
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool add_digit(uint64_t *digits, char c)
{
    return !__builtin_mul_overflow(*digits, UINT64_C(10), digits) &&
           !__builtin_add_overflow(*digits, (uint64_t)(c - '0'), digits);
}

/* Where the number ends; NULL if it does not fit. Zeros after the point are not counted until
 * another digit follows them. */
static const char *read_decimal(const char *p, struct decimal *d)
{
    *d = (struct decimal){0, 1};
    for (; is_digit(*p); p++) {
        if (!add_digit(&d->digits, *p)) {
            return NULL;
        }
    }
    if (*p != '.' || !is_digit(p[1])) {
        return p;
    }
    uint64_t zeros = 1;
    for (p++; is_digit(*p); p++) {
        if (*p == '0') {
            if (zeros < UINT64_MAX / 10) {
                zeros *= 10;
            }
            continue;
        }
        if (__builtin_mul_overflow(d->digits, zeros, &d->digits) ||
            __builtin_mul_overflow(d->power, zeros, &d->power) || !add_digit(&d->digits, *p) ||
            __builtin_mul_overflow(d->power, UINT64_C(10), &d->power)) {
            return NULL;
        }
        zeros = 1;
    }
    return p;
}

static uint64_t common_divisor(uint64_t a, uint64_t b)
{
    while (b != 0) {
        const uint64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

static const struct unit *find_unit(const struct unit *units, const char *name)
{
    for (; units->name; units++) {
        if (strcmp(units->name, name) == 0) {
            return units;
        }
    }
    return NULL;
}

/* "ns, us, ms, s, min, h or d" */
static const char *list_units(enum units_class class, char list[UNITS_PROBLEM_MAX])
{
    size_t used = 0;
    list[0] = '\0';
    for (const struct unit *u = classes[class].units; u->name; u++) {
        if (u->name[0] == '\0') {
            continue;
        }
        const char *before = used == 0 ? "" : u[1].name && u[1].name[0] ? ", " : " or ";
        const int n = snprintf(list + used, UNITS_PROBLEM_MAX - used, "%s%s", before, u->name);
        used += n > 0 && used + (size_t)n < UNITS_PROBLEM_MAX ? (size_t)n : 0;
    }
    return list;
}

static const char *unit_problem(enum units_class class, const char *unit,
                                char problem[UNITS_PROBLEM_MAX])
{
    char list[UNITS_PROBLEM_MAX];
    if (class == UNITS_COUNT) {
        return say(problem, "%s has no unit%s", "a count", "");
    }
    if (unit[0] == '\0') {
        return say(problem, "%s needs a unit: %s", classes[class].name, list_units(class, list));
    }
    char shown[16];
    snprintf(shown, sizeof shown, "%.12s", unit);
    snprintf(problem, UNITS_PROBLEM_MAX, "\"%s\" is no unit of %s: %s", shown, classes[class].name,
             list_units(class, list));
    return problem;
}

const char *units_parse(const char *text, enum units_class class, uint64_t *value,
                        char problem[UNITS_PROBLEM_MAX])
{
    const char *name = classes[class].name;
    if (class == UNITS_PRICE) {
        if (*text != '$') {
            return say(problem, "%s begins with \"$\"%s", name, "");
        }
        text++;
    }
    if (*text == '-') {
        return say(problem, "%s cannot be negative%s", name, "");
    }
    if (!is_digit(*text)) {
        return say(problem, "%s begins with a digit%s", name, "");
    }
    struct decimal d;
    const char *end = read_decimal(text, &d);
    if (!end) {
        return say(problem, "%s with too many digits%s", name, "");
    }
    const struct unit *unit = find_unit(classes[class].units, end);
    if (!unit) {
        return unit_problem(class, end, problem);
    }

    /* value = digits * factor / (power * divisor), reduced first so that it fits if it can. */
    uint64_t factor = unit->factor;
    const uint64_t by_power = common_divisor(factor, d.power);
    factor /= by_power;
    uint64_t below = d.power / by_power;
    const uint64_t by_digits = common_divisor(d.digits, below);
    d.digits /= by_digits;
    below /= by_digits;
    if (below != 1) {
        const char *smallest = class == UNITS_SHARE ? "ppm" : NULL;
        for (const struct unit *u = classes[class].units; u->name; u++) {
            smallest = u->factor == 1 && u->divisor == 1 && u->name[0] ? u->name : smallest;
        }
        return smallest ? say(problem, "%s must be a whole number of %s", name, smallest)
                        : say(problem, "%s has too many decimals%s", name, "");
    }
    if (__builtin_mul_overflow(d.digits, factor, value) || *value / unit->divisor > UNITS_MAX) {
        return say(problem, "%s is too large%s", name, "");
    }
    if (class == UNITS_RATE && *value % unit->divisor != 0) {
        return say(problem, "%s must be a whole number of %s", name, "B/s");
    }
    *value /= unit->divisor;
    return NULL;
}

const char *units_parse_signed(const char *text, enum units_class class, int64_t *value,
                               char problem[UNITS_PROBLEM_MAX])
{
    const bool negative = *text == '-';
    uint64_t magnitude = 0;
    const bool sign = negative || *text == '+';
    if (sign && text[1] == '-') {
        return say(problem, "%s has one sign at most%s", classes[class].name, "");
    }
    const char *wrong = units_parse(text + (sign ? 1 : 0), class, &magnitude, problem);
    if (!wrong) {
        *value = negative ? -(int64_t)magnitude : (int64_t)magnitude;
    }
    return wrong;
}

const char *units_parse_range(const char *text, enum units_class class, uint64_t *low,
                              uint64_t *high, char problem[UNITS_PROBLEM_MAX])
{
    const char *dots = strstr(text, "..");
    if (!dots) {
        const char *wrong = units_parse(text, class, low, problem);
        *high = *low;
        return wrong;
    }
    char first[64];
    if ((size_t)(dots - text) >= sizeof first) {
        return say(problem, "%s with too many digits%s", classes[class].name, "");
    }
    memcpy(first, text, (size_t)(dots - text));
    first[dots - text] = '\0';
    const char *wrong = units_parse(first, class, low, problem);
    wrong = wrong ? wrong : units_parse(dots + 2, class, high, problem);
    if (!wrong && *low > *high) {
        return say(problem, "the range is reversed: %s is more than %s",
                   units_format(*low, class).text, units_format(*high, class).text);
    }
    return wrong;
}

/* "$0.02/GB": dollars have nine decimals and one unit. */
static struct units_text format_price(uint64_t value)
{
    struct units_text out;
    int used = snprintf(out.text, sizeof out.text, "$%" PRIu64 ".%09" PRIu64, value / G, value % G);
    while (out.text[used - 1] == '0') {
        used--;
    }
    used -= out.text[used - 1] == '.' ? 1 : 0;
    snprintf(out.text + used, sizeof out.text - (size_t)used, "/GB");
    return out;
}

struct units_text units_format(uint64_t value, enum units_class class)
{
    struct units_text out;
    if (class == UNITS_PRICE) {
        return format_price(value);
    }
    if (class == UNITS_DURATION && value == 0) {
        return (struct units_text){"0s"};
    }
    for (const struct unit *u = classes[class].units; u->name; u++) {
        /* At most three decimals, and not less than one of the unit. */
        const uint64_t step =
            u->factor >= 1000 && u->factor % 1000 == 0 ? u->factor / 1000 : u->factor;
        if (u->divisor != 1 || (u->name[0] == '\0' && class != UNITS_COUNT) || value < u->factor ||
            value % step != 0) {
            continue;
        }
        const uint64_t thousandths = value % u->factor / step;
        if (thousandths == 0) {
            snprintf(out.text, sizeof out.text, "%" PRIu64 "%s", value / u->factor, u->name);
            return out;
        }
        char decimals[8];
        snprintf(decimals, sizeof decimals, "%03u", (unsigned)thousandths);
        size_t n = 3;
        while (decimals[n - 1] == '0') {
            decimals[--n] = '\0';
        }
        snprintf(out.text, sizeof out.text, "%" PRIu64 ".%s%s", value / u->factor, decimals,
                 u->name);
        return out;
    }
    const char *smallest = "";
    for (const struct unit *u = classes[class].units; u->name; u++) {
        smallest = u->factor == 1 && u->divisor == 1 ? u->name : smallest;
    }
    snprintf(out.text, sizeof out.text, "%" PRIu64 "%s", value, smallest);
    return out;
}
