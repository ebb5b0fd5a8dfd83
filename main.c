/* Fallacy: picks the command. */
#include "scenarios/command.h"

int main(int argc, char **argv)
{
    return command_main(argc, argv);
}
