/* The portable runner: what must come out the same on every compiler and architecture. It needs
 * nothing but the simulator, the node kinds and libc, so that it builds wherever they do. */
#ifndef TESTS_PORTABLE_PORTABLE_H
#define TESTS_PORTABLE_PORTABLE_H

#include "sim/base.h"

/* One hash over a million draws of pcg32, and 100,000 of every kind of distribution and of the
 * 64-bit arithmetic below them. */
uint64_t portable_selftest(void);

/* Run the compiled scenario in the file `path` with its own seed, and print a line to stdout:
 * the path without ".plan", then the trace's hash and its number of events; or "skip" and the
 * name of a node kind that this build does not have (one that needs a library).
 * False, with a message on stderr, if the plan cannot be read or run. */
SIM_NODISCARD bool portable_run_plan(const char *path);

#endif
