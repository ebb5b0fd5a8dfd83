/* Reading command lines: one table of options a command, long names only, in any order, with
 * values as "--name VALUE" or "--name=VALUE". Mistakes are told with the nearest name. */
#ifndef SCENARIOS_OPTIONS_H
#define SCENARIOS_OPTIONS_H

#include "scenarios/commands/command.h"

enum option_type {
    OPTION_FLAG, /* target: bool * */
    OPTION_TEXT, /* target: const char ** */
    OPTION_U64,  /* target: uint64_t *; decimal or 0x... */
    OPTION_LIST, /* target: struct option_list *; may be given again */
};

struct option_list {
    const char **items; /* Owned; free(). */
    size_t count;
};

struct option_row {
    const char *name; /* Without the dashes. NULL ends the table. */
    enum option_type type;
    void *target;
    bool *given; /* Set to true when the option occurs; may be NULL. */
};

/* Read argv[1 ..]: options into their targets, the rest into `words` (at most `words_max`,
 * at least `words_min`, else an error that shows the command's usage). False after a mistake,
 * which has been told on stderr; the command exits with EXIT_INPUT. "--help" prints the
 * command's help and exits. */
bool options_read(const struct option_row *options, int argc, char **argv, const char **words,
                  int words_min, int words_max);

/* A whole decimal or 0x number; false if it is not one or does not fit. */
bool options_u64(const char *text, uint64_t *value);

/* Terminal colours: the sequence if `stream` is a terminal and NO_COLOR is not set, else "". */
const char *options_colour(void *stream, const char *sequence);
#define COLOUR_RED "\033[31m"
#define COLOUR_GREEN "\033[32m"
#define COLOUR_YELLOW "\033[33m"
#define COLOUR_BOLD "\033[1m"
#define COLOUR_OFF "\033[0m"

#endif
