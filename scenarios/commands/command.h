/* The commands: each is a row of the table in command.c, with the text that teaches it. */
#ifndef SCENARIOS_COMMAND_H
#define SCENARIOS_COMMAND_H

#include "sim/base.h"

#define FALLACY_VERSION "0.1.0"

enum exit_code {
    EXIT_MET = 0,       /* Every expectation was met. */
    EXIT_UNMET = 1,     /* Some was not; a replay diverged. */
    EXIT_INPUT = 2,     /* Bad input; nothing was written. */
    EXIT_FAULT = 3,     /* A fault of ours. */
    EXIT_STOPPED = 130, /* Ctrl-C; what was found until then has been reported. */
};

struct command {
    const char *name;
    const char *usage;   /* Its arguments, on one line. */
    const char *summary; /* A sentence. */
    const char *help;    /* The rest of `fallacy help NAME`: options, an example, exit codes. */
    int (*run)(int argc, char **argv); /* argv[0] is the command's name. */
};

extern const struct command commands[]; /* Ends with a row whose name is NULL. */
const struct command *command_find(const char *name);

/* Print help on stdout; of everything if `command` is NULL. */
void command_help(const struct command *command);

/* The whole program: argv as main() gets it; returns an enum exit_code. */
int command_main(int argc, char **argv);

int command_run(int argc, char **argv);
int command_replay(int argc, char **argv);
int command_sweep(int argc, char **argv);
int command_shrink(int argc, char **argv);
int command_explain(int argc, char **argv);
int command_export(int argc, char **argv);
int command_show(int argc, char **argv);
int command_check(int argc, char **argv);
int command_list(int argc, char **argv);
int command_compile(int argc, char **argv);
int command_completion(int argc, char **argv);

#endif
