/* Fallacy: picks the command. */
#include "scenarios/commands/command.h"

int main(int argc, char **argv)
{
    return command_main(argc, argv);
}
