#include "scenarios/commands/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "scenarios/format/suggest.h"

#define OPTIONS_MAX 24

bool options_u64(const char *text, uint64_t *value)
{
    if (text[0] < '0' || text[0] > '9') {
        return false; /* strtoull would take signs and blanks. */
    }
    char *end;
    errno = 0;
    const int base = text[0] == '0' && (text[1] == 'x' || text[1] == 'X') ? 16 : 10;
    const unsigned long long number = strtoull(text, &end, base);
    *value = number;
    return errno == 0 && *end == '\0';
}

const char *options_colour(void *stream, const char *sequence)
{
    return isatty(fileno(stream)) && !getenv("NO_COLOR") ? sequence : "";
}

static bool store(const struct option_row *option, const char *value)
{
    if (option->given) {
        *option->given = true;
    }
    switch (option->type) {
    case OPTION_FLAG:
        *(bool *)option->target = true;
        return true;
    case OPTION_TEXT:
        *(const char **)option->target = value;
        return true;
    case OPTION_U64:
        if (!options_u64(value, option->target)) {
            fprintf(stderr, "fallacy: --%s: expected a whole number below 2^64, got '%s'\n",
                    option->name, value);
            return false;
        }
        return true;
    case OPTION_LIST: {
        struct option_list *list = option->target;
        const char **items = realloc(list->items, (list->count + 1) * sizeof *items);
        if (!items) {
            fprintf(stderr, "fallacy: out of memory\n");
            return false;
        }
        list->items = items;
        list->items[list->count++] = value;
        return true;
    }
    }
    return false;
}

static void tell_unknown(const struct option_row *options, const char *command,
                         const char *argument)
{
    struct suggestion suggestion = {.word = argument + strspn(argument, "-")};
    for (; options->name; options++) {
        suggest_consider(&suggestion, options->name);
    }
    fprintf(stderr, "fallacy %s: unknown option '%s'", command, argument);
    if (suggestion.nearest) {
        fprintf(stderr, "; did you mean --%s?", suggestion.nearest);
    }
    fprintf(stderr, "\nSee: fallacy help %s\n", command);
}

/* getopt_long's table, from ours; `val` is the row's place plus ROW_FIRST. */
#define ROW_FIRST 256

static void fill_table(const struct option_row *options, struct option *table)
{
    size_t count = 0;
    for (; options[count].name; count++) {
        assert(count + 2 < OPTIONS_MAX);
        table[count] = (struct option){
            .name = options[count].name,
            .has_arg = options[count].type == OPTION_FLAG ? no_argument : required_argument,
            .val = ROW_FIRST + (int)count};
    }
    table[count++] = (struct option){.name = "help", .val = 'h'};
    table[count] = (struct option){.name = NULL};
}

bool options_read(const struct option_row *options, int argc, char **argv, const char **words,
                  int words_min, int words_max)
{
    struct option table[OPTIONS_MAX];
    fill_table(options, table);
    const struct command *command = command_find(argv[0]);
    optind = 0; /* glibc: start anew, permuting options to the front. */
    opterr = 0;
    for (int c; (c = getopt_long(argc, argv, ":h", table, NULL)) != -1;) {
        if (c == 'h') {
            command_help(command);
            exit(EXIT_MET);
        } else if (c == ':') {
            fprintf(stderr, "fallacy %s: option '%s' needs a value\nSee: fallacy help %s\n",
                    argv[0], argv[optind - 1], argv[0]);
            return false;
        } else if (c == '?') {
            tell_unknown(options, argv[0], argv[optind - 1]);
            return false;
        } else if (!store(&options[c - ROW_FIRST], optarg)) {
            return false;
        }
    }
    const int count = argc - optind;
    for (int i = 0; i < count && i < words_max; i++) {
        words[i] = argv[optind + i];
    }
    if (count < words_min || count > words_max) {
        fprintf(stderr, "usage: fallacy %s %s\nSee: fallacy help %s\n", argv[0],
                command ? command->usage : "", argv[0]);
        return false;
    }
    return true;
}
