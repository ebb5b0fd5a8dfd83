/* The tables of scenarios/data, embedded in the program by scenarios/embed.py. */
#ifndef SCENARIOS_DATA_H
#define SCENARIOS_DATA_H

#include "sim/base.h"

struct data_file {
    const char *name; /* Without ".csv". */
    const char *text; /* NUL-terminated. */
};

extern const struct data_file data_files[];
extern const size_t data_file_count;

#endif
