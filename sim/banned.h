/* Included before everything in sim/ and nodes/: what would make two runs differ does not
 * compile. The system headers come first, since they declare what is poisoned here. */
#ifndef SIM_BANNED_H
#define SIM_BANNED_H

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#pragma GCC poison rand srand random srandom drand48 lrand48 rand_r
#pragma GCC poison time clock clock_gettime gettimeofday localtime gmtime nanosleep usleep
#pragma GCC poison getenv setlocale qsort
#pragma GCC poison log log2 log10 exp exp2 pow sqrt

#endif
