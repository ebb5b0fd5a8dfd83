/* `fallacy completion`: commands complete by name, all else as files. */
#include <stdio.h>
#include <string.h>

#include "scenarios/commands/command.h"
#include "scenarios/commands/options.h"

static void put_names(void)
{
    for (const struct command *c = commands; c->name; c++) {
        printf("%s%s", c == commands ? "" : " ", c->name);
    }
}

int command_completion(int argc, char **argv)
{
    const char *shell = NULL;
    const struct option_row options[] = {{NULL, OPTION_FLAG, NULL, NULL}};
    if (!options_read(options, argc, argv, &shell, 1, 1)) {
        return EXIT_INPUT;
    }
    if (strcmp(shell, "bash") == 0 || strcmp(shell, "zsh") == 0) {
        printf("%s_fallacy() {\n"
               "  COMPREPLY=()\n"
               "  if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
               "    COMPREPLY=($(compgen -W '",
               *shell == 'z' ? "autoload -U +X bashcompinit && bashcompinit\n" : "");
        put_names();
        printf("' -- \"${COMP_WORDS[1]}\"))\n"
               "  fi\n"
               "}\n"
               "complete -o default -F _fallacy fallacy\n");
        return EXIT_MET;
    }
    if (strcmp(shell, "fish") == 0) {
        for (const struct command *c = commands; c->name; c++) {
            printf("complete -c fallacy -n __fish_use_subcommand -a %s -d '%s'\n", c->name,
                   c->summary);
        }
        return EXIT_MET;
    }
    fprintf(stderr, "fallacy completion: expected bash, zsh or fish, got '%s'\n", shell);
    return EXIT_INPUT;
}
