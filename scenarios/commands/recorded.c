#include "scenarios/commands/recorded.h"

#include <stdio.h>

bool recorded_open(struct recorded *recorded, const char *file)
{
    *recorded = (struct recorded){.reading = NULL};
    char error[RECORDING_ERROR_MAX];
    recorded->reading = reading_open(file, error, sizeof error);
    recorded->run = recorded->reading ? reading_run(recorded->reading, error, sizeof error) : NULL;
    if (!recorded->run) {
        fprintf(stderr, "fallacy: %s\n", error);
        return false;
    }
    const struct recording_run *run = &recorded->run->run;
    if (scenario_parse(&recorded->scenario, run->scenario_file, run->scenario_text,
                       strlen(run->scenario_text), run->sets, run->set_count) != SIM_OK) {
        fprintf(stderr, "fallacy: %s: the scenario in the recording does not load here:\n", file);
        scenario_print_errors(&recorded->scenario, stderr);
        return false;
    }
    return true;
}

void recorded_close(struct recorded *recorded)
{
    scenario_release(&recorded->scenario);
    reading_close(recorded->reading);
}
