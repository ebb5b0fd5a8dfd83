/* `fallacy compile`: a scenario in its neutral form. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "scenarios/commands/command.h"
#include "scenarios/commands/options.h"
#include "scenarios/format/scenario.h"

static bool write_file(const char *file, const uint8_t *bytes, size_t size_bytes)
{
    FILE *out = fopen(file, "wb");
    if (!out) {
        fprintf(stderr, "fallacy: %s: %s\n", file, strerror(errno));
        return false;
    }
    const bool whole = fwrite(bytes, 1, size_bytes, out) == size_bytes;
    if (fclose(out) != 0 || !whole) {
        fprintf(stderr, "fallacy: %s: could not be written whole: %s\n", file, strerror(errno));
        (void)unlink(file);
        return false;
    }
    return true;
}

int command_compile(int argc, char **argv)
{
    const char *file = NULL;
    const char *out = NULL;
    struct option_list sets = {0};
    const struct option_row options[] = {{"out", OPTION_TEXT, &out, NULL},
                                         {"set", OPTION_LIST, &sets, NULL},
                                         {NULL, OPTION_FLAG, NULL, NULL}};
    if (!options_read(options, argc, argv, &file, 1, 1)) {
        return EXIT_INPUT;
    }
    if (!out) {
        fprintf(stderr, "fallacy compile: where to? For example: --out scenario.plan\n");
        return EXIT_INPUT;
    }
    struct scenario scenario;
    int code = EXIT_INPUT;
    if (scenario_load(&scenario, file, sets.items, sets.count) != SIM_OK) {
        scenario_print_errors(&scenario, stderr);
    } else {
        const size_t size_bytes = sim_plan_write(&scenario.plan, NULL, 0);
        uint8_t *bytes = malloc(size_bytes);
        if (bytes) {
            (void)sim_plan_write(&scenario.plan, bytes, size_bytes);
            code = write_file(out, bytes, size_bytes) ? EXIT_MET : EXIT_INPUT;
        }
        free(bytes);
    }
    scenario_release(&scenario);
    free(sets.items);
    return code;
}
