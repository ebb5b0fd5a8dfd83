/* Included before everything in sim/ and nodes/: what would make two runs differ does not
 * compile. The system headers come first, since they declare what is banned here. */
#ifndef SIM_BANNED_H
#define SIM_BANNED_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#pragma GCC poison rand srand srandom drand48 lrand48 rand_r getenv setlocale qsort
#pragma GCC poison clock_gettime gettimeofday localtime gmtime nanosleep usleep
/* Words that are also good names for members: only calls are banned. */
#define random(...) banned_random_draws_from_the_machine
#define time(...) banned_time_reads_the_machine
#define clock(...) banned_clock_reads_the_machine
#define log(...) banned_libm_differs_between_machines
#define log2(...) banned_libm_differs_between_machines
#define exp(...) banned_libm_differs_between_machines
#define exp2(...) banned_libm_differs_between_machines
#define pow(...) banned_libm_differs_between_machines
#define sqrt(...) banned_libm_differs_between_machines

#endif
