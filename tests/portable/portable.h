/* The portable runner: what must come out the same on every compiler and architecture. It needs
 * nothing but the simulator, the node kinds and libc, so that it builds wherever they do. */
#ifndef TESTS_PORTABLE_PORTABLE_H
#define TESTS_PORTABLE_PORTABLE_H

#include <stdint.h>

/* One hash over a million draws of pcg32, and 100,000 of every kind of distribution and of the
 * 64-bit arithmetic below them. */
uint64_t portable_selftest(void);

#endif
